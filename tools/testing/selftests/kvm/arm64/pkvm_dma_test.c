// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host points a device at memory that is not the host's.
 *
 * The device is QEMU's edu. The targets are the hypervisor's memory and text,
 * the registers of the SMMU, and a page of a protected guest. Without DMA
 * isolation each of these tests fails, and the tests of the host's own memory
 * pass.
 *
 * For machines where KVM is protected, all SMMUs are SMMUv3s, and edu uses
 * physical addresses (iommu.passthrough=1). The tests of registers write to an
 * SMMU that the host's driver has in use, through /dev/mem. They change GBPA
 * and CR0 only, which the driver does not write after its probe, and restore
 * both. So STRICT_DEVMEM must be off.
 *
 * A read that the SMMU stops returns zeros, and a write that it stops is lost.
 * So a test of a read has to know that the memory has bytes that are not zero,
 * and a test of a write cannot read back. Only an observer outside of the
 * machine can know both. Such a test is never "ok" by itself. It is "not ok" if
 * the device reached the memory, and else it is skipped. The line
 *
 *	# LOOK test what address size
 *
 * asks the observer for the verdict: are there "data" bytes that are not zero;
 * is the "pattern" there, which the device wrote?
 *
 * Arguments are names of tests: only these run. A test of a machine that goes
 * down, of which this program can be but a part, has
 *
 *	pkvm_dma_test --load
 *		Fill the buffer of the device with the pattern.
 *	pkvm_dma_test --store ADDR
 *		Have the device write it there, 100 ms from now.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "pkvm.h"
#include "smmu_v3.h"
#include "test_util.h"

#define GBPA_UPDATE	0x80000000

#define WORDS		(PKVM_PAGE_SIZE / sizeof(u64))

/* What the tests read of the hypervisor */
#define HYP_READ_SIZE	(2 * EDU_BUF_SIZE)

/* What the device writes */
static const char pattern[] = "pKVM-DMA-ATTACK!";
#define PATTERN_SIZE	(sizeof(pattern) - 1)

static struct pkvm_hyp_memory hyp;

/*
 * Report a test that ends after the device may have lost its way to the host's
 * own memory. A device that reaches nothing proves nothing.
 */
static void report(const char *name, bool reached, bool visible)
{
	TEST_ASSERT(edu_works(), "DMA to the host's own memory does not work");
	if (reached || visible)
		ksft_test_result(!reached, "%s\n", name);
	else
		ksft_test_result_skip("%s\n", name);
}

static void read_memory(const char *name, u64 addr, size_t len)
{
	unsigned char buf[EDU_BUF_SIZE];
	size_t n, nonzero = 0, done;

	if (!addr) {
		ksft_test_result_fail("%s: the address is not known\n", name);
		return;
	}
	for (done = 0; done < len; done += n) {
		n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		edu_read(addr + done, buf, n);
		nonzero += count_nonzero(buf, n);
	}
	ksft_print_msg("LOOK %s data %#lx %zu\n", name, addr, len);
	ksft_print_msg("the device read %zu bytes that are not zero, of %zu at %#lx\n",
		       nonzero, len, addr);
	report(name, nonzero, false);
}

static void write_memory(const char *name, u64 addr)
{
	char got[PATTERN_SIZE];
	bool landed;

	edu_write(addr, pattern, sizeof(got));
	edu_read(addr, got, sizeof(got));
	landed = !memcmp(got, pattern, sizeof(got));
	ksft_print_msg("LOOK %s pattern %#lx %zu\n", name, addr, PATTERN_SIZE);
	ksft_print_msg("the device %s at %#lx\n",
		       landed ? "reads back what it wrote" :
				"does not read what it wrote",
		       addr);
	report(name, landed, false);
}

static void test_own_memory(const char *name)
{
	ksft_test_result(edu_works(), "%s\n", name);
}

static void test_hyp_read(const char *name)
{
	read_memory(name, hyp.data, HYP_READ_SIZE);
}

static void test_hyp_write(const char *name)
{
	write_memory(name, hyp.end - PATTERN_SIZE);
}

static void test_text_read(const char *name)
{
	read_memory(name, hyp.text, EDU_BUF_SIZE);
}

/* The end of the text is padding: the hypervisor survives a write there. */
static void test_text_write(const char *name)
{
	write_memory(name, hyp.text_end - PATTERN_SIZE);
}

static void smmu_set_gbpa(u32 val)
{
	int ms;

	smmu_write(GBPA, val | GBPA_UPDATE);
	for (ms = 0; smmu_read(GBPA) & GBPA_UPDATE && ms < 1000; ms++)
		usleep(1000);
}

/* What the device reads of the hypervisor after a test of registers */
static bool victim_is_open(void)
{
	unsigned char page[EDU_BUF_SIZE];
	size_t nonzero;

	edu_read(hyp.data, page, sizeof(page));
	nonzero = count_nonzero(page, sizeof(page));
	ksft_print_msg("after that, the device read %zu bytes of the hypervisor's\n",
		       nonzero);
	return nonzero;
}

/*
 * Read two ID registers by DMA. Then open the bypass and disable the SMMU by
 * DMA. The CPU may see an emulated SMMU, which does not show such a change.
 * Then the effect does: if both writes land the hypervisor's memory is open,
 * and if only the second one lands DMA to the host's own memory fails.
 */
static void test_smmu_registers_are_no_dma_target(const char *name)
{
	const u32 bypass = GBPA_UPDATE, off = 0;
	u32 idr0, idr1, cr0, gbpa;
	bool landed, open;

	cr0 = smmu_read(CR0);
	gbpa = smmu_read(GBPA);
	/* The registers are 4 bytes wide. */
	edu_read(smmu_phys() + IDR0, &idr0, sizeof(idr0));
	edu_read(smmu_phys() + IDR1, &idr1, sizeof(idr1));
	edu_write(smmu_phys() + GBPA, &bypass, sizeof(bypass));
	edu_write(smmu_phys() + CR0, &off, sizeof(off));
	landed = smmu_read(GBPA) != gbpa || smmu_read(CR0) != cr0;
	if (landed) {
		smmu_set_gbpa(gbpa);
		smmu_cr0(cr0);
	}
	ksft_print_msg("at %#lx the device read IDR0 as %#x, IDR1 as %#x; its writes %s\n",
		       smmu_phys(), idr0, idr1,
		       landed ? "changed registers" : "changed nothing");
	open = victim_is_open();
	/* ID registers are never zero. */
	report(name, idr0 || idr1 || landed || open, true);
}

/*
 * Let all streams that have no translation bypass, and if @off disable the SMMU
 */
static void open_bypass(const char *name, bool off)
{
	u32 cr0 = smmu_read(CR0), gbpa = smmu_read(GBPA);
	unsigned char page[EDU_BUF_SIZE];
	bool acked = true, restored = true;
	size_t nonzero;

	edu_poison();
	smmu_set_gbpa(0);
	if (off)
		acked = smmu_cr0(0);
	edu_load(hyp.data, sizeof(page));
	if (off)
		restored = smmu_cr0(cr0);
	smmu_set_gbpa(gbpa);
	TEST_ASSERT(restored,
		    "The SMMU does not come back: CR0 %#x, CR0ACK %#x",
		    smmu_read(CR0), smmu_read(CR0ACK));

	/* DMA to our memory may have been stopped until here. */
	TEST_ASSERT(edu_get(page, sizeof(page)),
		    "edu does not reach our memory");
	nonzero = count_nonzero(page, sizeof(page));
	ksft_print_msg("the device read %zu bytes that are not zero, of %zu at %#lx%s\n",
		       nonzero, sizeof(page), hyp.data,
		       acked ? "" : ", CR0 was not acknowledged");
	report(name, nonzero, true);
}

static void test_gbpa_bypass_has_no_effect(const char *name)
{
	open_bypass(name, false);
}

static void test_disabled_smmu_aborts(const char *name)
{
	open_bypass(name, true);
}

/* What came of one guest. Bytes are counted if they are not zero. */
static struct outcome {
	bool known;
	bool dma_before;	/* the device read the host's page */
	size_t read;		/* bytes that it read of the guest's page */
	bool landed;		/* the device reads back what it wrote there */
	u64 changed;		/* words that the guest finds changed */
	size_t left;		/* bytes that the host gets back */
	bool dma_after;		/* the device accesses the host's page */
} cold, warm;

static void run_guest(struct outcome *out, bool is_warm)
{
	u64 secret[WORDS], junk[WORDS], got[WORDS];
	u64 *page, phys;
	struct pkvm_guest guest;
	size_t i;

	if (out->known)
		return;
	page = own_page();
	phys = phys_addr(page);
	for (i = 0; i < WORDS; i++)
		secret[i] = 0x5ec2e75ec2e75ec2 ^
			    (i * sizeof(u64) % PKVM_SECRET_SIZE);
	memset(junk, 0xb6, sizeof(junk));

	pkvm_guest_create(&guest, page, PKVM_PAGE_SIZE, secret);
	if (is_warm) {
		memset(page, 0x3c, PKVM_PAGE_SIZE);
		edu_read(phys, got, PKVM_PAGE_SIZE);
		out->dma_before = !memcmp(got, page, PKVM_PAGE_SIZE);
	}

	pkvm_guest_run(&guest);

	edu_read(phys, got, PKVM_PAGE_SIZE);
	out->read = count_nonzero(got, PKVM_PAGE_SIZE);
	if (!memcmp(got, secret, PKVM_PAGE_SIZE))
		ksft_print_msg("the device read the guest's secret at %#lx\n",
			       phys);

	edu_write(phys, junk, PKVM_PAGE_SIZE);
	edu_read(phys, got, PKVM_PAGE_SIZE);
	out->landed = !memcmp(got, junk, PKVM_PAGE_SIZE);

	out->changed = pkvm_guest_run(&guest);
	pkvm_guest_destroy(&guest);

	TEST_ASSERT(phys_addr(page) == phys, "The page moved");
	out->left = count_nonzero(page, PKVM_PAGE_SIZE);

	memset(page, 0x96, PKVM_PAGE_SIZE);
	edu_read(phys, got, PKVM_PAGE_SIZE);
	out->dma_after = !memcmp(got, page, PKVM_PAGE_SIZE);
	edu_write(phys, junk, PKVM_PAGE_SIZE);
	out->dma_after &= !memcmp(page, junk, PKVM_PAGE_SIZE);
	munmap(page, getpagesize());
	out->known = true;
}

/*
 * Two guests. No device accesses the page of the first one, cold, before the
 * guest has the page. The device reads the page of the second one, warm, right
 * before, so the SMMU has the translation in its TLB. If only the second one
 * leaks, the invalidation is missing.
 */
static void run_guests(void)
{
	run_guest(&cold, false);
	run_guest(&warm, true);
}

/* The secret has no zero word, so a device that reads no bytes was stopped. */
static void test_guest_read(const char *name)
{
	run_guests();
	ksft_print_msg("the device read %zu of %u bytes of the guest's page\n",
		       cold.read, PKVM_PAGE_SIZE);
	ksft_test_result(!cold.read, "%s\n", name);
}

static void test_guest_write(const char *name)
{
	run_guests();
	ksft_print_msg("the device %s there\n",
		       cold.landed ? "reads back what it wrote" :
				     "does not read what it wrote");
	ksft_test_result(!cold.landed, "%s\n", name);
}

static void test_guest_page_is_intact(const char *name)
{
	run_guests();
	ksft_print_msg("the guest finds %lu of %zu words changed\n",
		       cold.changed, WORDS);
	ksft_test_result(!cold.changed, "%s\n", name);
}

static void test_guest_stale_tlb(const char *name)
{
	run_guests();
	ksft_print_msg("the device read %zu bytes and changed %lu words\n",
		       warm.read, warm.changed);
	ksft_test_result(!warm.read && !warm.landed && !warm.changed, "%s\n",
			 name);
}

static void test_page_before_guest(const char *name)
{
	run_guests();
	ksft_test_result(warm.dma_before, "%s\n", name);
}

static void test_page_after_guest(const char *name)
{
	run_guests();
	ksft_test_result(cold.dma_after && warm.dma_after, "%s\n", name);
}

static void test_page_after_guest_is_empty(const char *name)
{
	run_guests();
	ksft_print_msg("%zu bytes are left for the host\n",
		       cold.left + warm.left);
	ksft_test_result(!cold.left && !warm.left, "%s\n", name);
}

#define TEST(name)	{ #name, test_##name }

static const struct {
	const char *name;
	void (*run)(const char *name);
} tests[] = {
	TEST(own_memory),
	TEST(hyp_read),
	TEST(hyp_write),
	TEST(text_read),
	TEST(text_write),
	TEST(smmu_registers_are_no_dma_target),
	TEST(gbpa_bypass_has_no_effect),
	TEST(disabled_smmu_aborts),
	TEST(guest_read),
	TEST(guest_write),
	TEST(guest_page_is_intact),
	TEST(guest_stale_tlb),
	TEST(page_before_guest),
	TEST(page_after_guest),
	TEST(page_after_guest_is_empty),
};

/* The parts of a test that other programs complete */
static int be_a_tool(const char *what, const char *addr)
{
	edu_open();
	if (!strcmp(what, "--load")) {
		edu_write(phys_addr(own_page()), pattern, PATTERN_SIZE);
		return KSFT_PASS;
	}
	TEST_ASSERT(!strcmp(what, "--store") && addr, "See the top of %s",
		    __FILE__);
	edu_store_later(strtoul(addr, NULL, 0), PATTERN_SIZE);
	return KSFT_PASS;
}

int main(int argc, char **argv)
{
	const char *missing = NULL;
	bool wanted[ARRAY_SIZE(tests)] = {};
	int i, j, plan = 0;

	if (argc > 1 && !strncmp(argv[1], "--", 2))
		return be_a_tool(argv[1], argv[2]);

	ksft_print_header();
	if (geteuid())
		missing = "not root";
	else if (!edu_exists())
		missing = "no edu device";
	else
		missing = smmu_missing();
	if (!missing && !pkvm_find_hyp_memory(&hyp))
		missing = "KVM is not protected";
	if (!missing) {
		edu_open();
		if (!edu_uses_physical_addresses())
			missing = "edu does not use physical addresses";
	}
	if (missing)
		ksft_exit_skip("%s\n", missing);

	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		wanted[i] = argc == 1;
		for (j = 1; j < argc; j++)
			wanted[i] |= !strcmp(tests[i].name, argv[j]);
		plan += wanted[i];
	}
	TEST_ASSERT(plan >= argc - 1, "No test has one of these names");
	ksft_set_plan(plan);
	smmu_open();
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (wanted[i])
			tests[i].run(tests[i].name);
	}
	ksft_finished();
}
