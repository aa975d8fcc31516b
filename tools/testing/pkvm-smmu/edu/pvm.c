// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a device reach the memory of a protected guest?
 *
 *	pvm [--expect block|leak]
 *
 * Starts a protected guest that writes a secret into a page, aims QEMU's edu
 * device at the page, and lets the guest see whether its page is intact. Then
 * destroys the guest, and sees the page come back to the host empty. Runs
 * under iommu.passthrough=1, where a bus address is a physical address.
 *
 * All of it is done twice. In the first run no device touches the page before
 * the guest has it. In the second one the device reads the page right before,
 * so that the SMMU has the translation in its TLB: if only that run leaks,
 * nobody invalidated it when the page changed hands (pvm-stale-tlb). If both
 * do, it may be either, as a page can have been a device's in an earlier life.
 *
 * Prints a line "PASS name: evidence" or "FAIL name: evidence" for each
 * result, and exits with EXIT_BLOCKED if all are as expected, EXIT_REACHED if
 * not, EXIT_BROKEN if there is no protected guest to be had (edu.h). --expect
 * leak is for kernels that don't protect the guest from devices: there the
 * secret has to be seen, and the guest to find its page overwritten.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "guest.h"

#define PAGE		GUEST_PAGE_SIZE
#define WORDS		(PAGE / sizeof(__u64))

/* What came of one guest. */
struct outcome {
	bool dma_before;	/* the device read the host's page */
	size_t read;		/* bytes, not zero, that it read of the guest's */
	bool leaked;		/* they are the secret, all of it */
	bool landed;		/* what it wrote there, it reads back */
	__u64 changed;		/* words that the guest finds changed */
	size_t left;		/* bytes, not zero, that the host gets back */
	bool dma_after;		/* the device reads and writes the host's page */
};

static void run_guest(bool warm, struct outcome *out)
{
	__u64 secret[WORDS], junk[WORDS], got[WORDS];
	__u64 *page = own_page(), phys = phys_addr(page);
	struct guest guest;
	size_t i;

	for (i = 0; i < WORDS; i++)
		secret[i] = 0x5ec2e75ec2e75ec2 ^ (i * sizeof(__u64) % GUEST_SECRET_SIZE);
	memset(junk, 0xb6, sizeof(junk));

	guest_create(&guest, page, PAGE, secret);
	if (warm) {
		memset(page, 0x3c, PAGE);
		edu_read(phys, got, PAGE);
		out->dma_before = !memcmp(got, page, PAGE);
	}

	guest_run(&guest);

	edu_read(phys, got, PAGE);
	out->read = count_nonzero(got, PAGE);
	out->leaked = !memcmp(got, secret, PAGE);

	edu_write(phys, junk, PAGE);
	edu_read(phys, got, PAGE);
	out->landed = !memcmp(got, junk, PAGE);

	out->changed = guest_run(&guest);

	guest_destroy(&guest);

	if (phys_addr(page) != phys)
		errx(EXIT_BROKEN, "the page moved");
	out->left = count_nonzero(page, PAGE);

	memset(page, 0x96, PAGE);
	edu_read(phys, got, PAGE);
	out->dma_after = !memcmp(got, page, PAGE);
	edu_write(phys, junk, PAGE);
	out->dma_after &= !memcmp(page, junk, PAGE);
	munmap(page, sysconf(_SC_PAGESIZE));
}

#define result(ok, name, fmt, ...) ({						\
	bool __ok = (ok);							\
	printf("%s %s: " fmt "\n", __ok ? "PASS" : "FAIL", name, __VA_ARGS__);	\
	__ok;									\
})

static bool report(const struct outcome *cold, const struct outcome *warm, bool leak)
{
	bool ok = true;

	ok &= result(leak ? cold->leaked : !cold->read,
		     leak ? "pvm-read-leaks" : "pvm-read-blocked",
		     "the device read %zu of %u bytes of the guest's page%s", cold->read,
		     PAGE, cold->leaked ? ", its secret" : "");
	ok &= result(leak == cold->landed, leak ? "pvm-write-lands" : "pvm-write-blocked",
		     "what the device wrote %s there", cold->landed ? "is" : "is not");
	ok &= result(leak ? cold->changed == WORDS : !cold->changed,
		     leak ? "pvm-overwritten" : "pvm-intact",
		     "the guest finds %llu of %zu words changed", cold->changed, WORDS);
	ok &= result(warm->dma_before, "pvm-dma-before",
		     "the device %s the page while it is the host's",
		     warm->dma_before ? "reads" : "can't read");
	ok &= result(leak ? warm->leaked && warm->landed && warm->changed == WORDS :
			    !warm->read && !warm->landed && !warm->changed,
		     "pvm-stale-tlb",
		     "after that, it read %zu bytes and changed %llu words of the guest's",
		     warm->read, warm->changed);
	ok &= result(!cold->left && !warm->left, "pvm-scrubbed",
		     "%zu bytes are left for the host", cold->left + warm->left);
	ok &= result(cold->dma_after && warm->dma_after, "pvm-dma-after",
		     "the device %s the page when it is the host's again",
		     cold->dma_after && warm->dma_after ? "reaches" : "can't reach");
	return ok;
}

int main(int argc, char **argv)
{
	struct outcome cold = {}, warm = {};
	bool leak = false;

	if (argc == 3 && !strcmp(argv[1], "--expect") &&
	    (!strcmp(argv[2], "leak") || !strcmp(argv[2], "block")))
		leak = !strcmp(argv[2], "leak");
	else if (argc != 1)
		errx(EXIT_BROKEN, "usage: pvm [--expect block|leak]");

	edu_open();
	run_guest(false, &cold);
	run_guest(true, &warm);
	return report(&cold, &warm, leak) ? EXIT_BLOCKED : EXIT_REACHED;
}
