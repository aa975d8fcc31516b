// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmcg.c: what the host reads and writes of a PMCG, and that no PMCG writes an
 * MSI. The tables have the registers of section 10.5.1 of the architecture (Arm
 * IHI 0070), as numbers.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

#define PMCG0		(&mock->pmcg[0])
#define PAGE_A		MOCK_OTHER
/* In another page of the CPU, whatever its size */
#define PAGE_B		(MOCK_OTHER + SZ_64K)

/* Fields of CFGR, and an address of a doorbell */
#define CFGR(nr, bits)	(((nr) - 1) | ((bits) - 1) << 8)
#define CFGR_RELOC	BIT(20)
#define CFGR_MSI	BIT(21)
#define CFGR_MPAM	(BIT(24) | BIT(25))
#define DOORBELL	0x8080040ULL

struct reg_expect {
	u32	offset;
	u8	size;
	bool	counters;
	bool	moves;
	bool	reads;
	bool	writes;
	u64	mask;
};

/* @size: 0 is the size of a counter */
static const struct reg_expect regs[] = {
	{ 0x000, 0, true, true, true, true, ~0ULL },	/* EVCNTR */
	{ 0x400, 4, true, false, true, true, 0xa000ffff }, /* EVTYPER */
	{ 0x600, 0, true, true, true, false, ~0ULL },	/* SVR */
	{ 0xa00, 4, true, false, true, true, ~0U },	/* SMR */
	{ 0xc00, 8, false, false, true, true, ~0ULL },	/* CNTENSET0 */
	{ 0xc20, 8, false, false, true, true, ~0ULL },	/* CNTENCLR0 */
	{ 0xc40, 8, false, false, true, true, ~0ULL },	/* INTENSET0 */
	{ 0xc60, 8, false, false, true, true, ~0ULL },	/* INTENCLR0 */
	{ 0xc80, 8, false, true, true, true, ~0ULL },	/* OVSCLR0 */
	{ 0xcc0, 8, false, true, true, true, ~0ULL },	/* OVSSET0 */
	{ 0xd88, 4, false, true, false, true, 0x1 },	/* CAPR */
	{ 0xe00, 4, false, false, true, false, 0xd03f3f }, /* CFGR */
	{ 0xe04, 4, false, false, true, true, 0x1 },	/* CR */
	{ 0xe08, 4, false, false, true, false, ~0U },	/* IIDR */
	{ 0xe20, 8, false, false, true, false, ~0ULL },	/* CEID0 */
	{ 0xe28, 8, false, false, true, false, ~0ULL },	/* CEID1 */
	{ 0xe50, 4, false, false, true, true, 0x1 },	/* IRQ_CTRL */
	{ 0xe54, 4, false, false, true, false, 0x1 },	/* IRQ_CTRLACK */
	{ 0xe70, 4, false, false, true, false, ~0U },	/* AIDR */
	{ 0xfbc, 4, false, false, true, false, ~0U },	/* PMDEVARCH */
	{ 0xfcc, 4, false, false, true, false, ~0U },	/* PMDEVTYPE */
	{ 0xfd0, 4, false, false, true, false, ~0U },	/* PIDR4 */
	{ 0xfe0, 4, false, false, true, false, ~0U },	/* PIDR0 to PIDR3 */
	{ 0xfe4, 4, false, false, true, false, ~0U },
	{ 0xfe8, 4, false, false, true, false, ~0U },
	{ 0xfec, 4, false, false, true, false, ~0U },
	{ 0xff0, 4, false, false, true, false, ~0U },	/* CIDR0 to CIDR3 */
	{ 0xff4, 4, false, false, true, false, ~0U },
	{ 0xff8, 4, false, false, true, false, ~0U },
	{ 0xffc, 4, false, false, true, false, ~0U },
};

static const struct reg_expect *reg_find(u32 cfgr, unsigned int page,
					 u32 offset, unsigned int size)
{
	unsigned int i, nr = (cfgr & 0x3f) + 1;
	u32 counter = (cfgr >> 8 & 0x3f) > 31 ? 8 : 4;

	if ((size != 4 && size != 8) || offset % size)
		return NULL;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		const struct reg_expect *r = &regs[i];
		u32 each = r->size ? r->size : counter;
		u32 all = r->counters ? nr * each : each;

		if (offset >= r->offset && offset < r->offset + all &&
		    size <= each && page == (cfgr & CFGR_RELOC && r->moves))
			return r;
	}

	return NULL;
}

/* The host accesses a physical address, and EL2 has taken it */
static u64 pa_read(struct kunit *test, phys_addr_t pa, unsigned int size)
{
	const struct mock_taken *t = mock_taken(pa);

	KUNIT_ASSERT_TRUE(test, !!t);
	return smmu_run_read(t->cookie, pa - t->base, size);
}

static void pa_write(struct kunit *test, phys_addr_t pa, unsigned int size,
		     u64 val)
{
	const struct mock_taken *t = mock_taken(pa);

	KUNIT_ASSERT_TRUE(test, !!t);
	smmu_run_write(t->cookie, pa - t->base, size, val);
}

static void set_reg(phys_addr_t pa, u64 val, unsigned int size)
{
	mock_mmio(pa)[0] = val;
	if (size == 8)
		mock_mmio(pa)[1] = val >> 32;
}

/* EL1 describes one more PMCG; @page1 is 0 if it has one page */
static struct pkvm_pmcg_desc *describe(phys_addr_t page0, phys_addr_t page1,
				       u32 cfgr)
{
	struct pkvm_pmcg_desc *desc;

	desc = &mock->config.pmcgs[mock->config.nr_pmcgs++];
	desc->page[0] = (struct pkvm_smmu_mem){ page0, SZ_4K };
	if (page1)
		desc->page[1] = (struct pkvm_smmu_mem){ page1, SZ_4K };
	if (mock_mmio(page0))
		set_reg(page0 + T_PMCG_CFGR, cfgr, 4);

	return desc;
}

static void boot_one(struct kunit *test, phys_addr_t page0, phys_addr_t page1,
		     u32 cfgr)
{
	mock_test_again(test, MOCK_NR_PAGES);
	describe(page0, page1, cfgr);
	mock_test_boot(test);
	PMCG0->nr_reads = 0;
	PMCG0->nr_writes = 0;
}

/* Fill a page with values that tell its words from each other */
static void fill(phys_addr_t pa, u32 cfgr)
{
	u32 offset;

	for (offset = 0; offset < SZ_4K; offset += 4)
		set_reg(pa + offset, 0xf5a50000 | offset, 4);
	set_reg(pa + 0xe00, cfgr, 4);
	/* No target for an MSI */
	for (offset = 0xe50; offset < 0xe68; offset += 4)
		set_reg(pa + offset, 0, 4);
}

static void read_one(struct kunit *test, phys_addr_t pa, u32 offset,
		     unsigned int size, const struct reg_expect *r)
{
	u64 want = 0, val;

	PMCG0->nr_reads = 0;
	val = pa_read(test, pa + offset, size);
	if (r && r->reads) {
		want = mock_mmio(pa + offset)[0];
		if (size == 8)
			want |= (u64)mock_mmio(pa + offset)[1] << 32;
		want &= r->mask;
	}
	if (val != want || PMCG0->nr_reads != (r && r->reads))
		KUNIT_FAIL(test, "%u bytes at 0x%x are 0x%llx, not 0x%llx",
			   size, offset, (unsigned long long)val,
			   (unsigned long long)want);
}

static void write_one(struct kunit *test, phys_addr_t pa, u32 offset,
		      unsigned int size, unsigned int page,
		      const struct reg_expect *r)
{
	u64 val = 0xffffffffffffffffULL, want;

	PMCG0->nr_writes = 0;
	pa_write(test, pa + offset, size, val);
	if (PMCG0->nr_writes != (r && r->writes))
		KUNIT_FAIL(test, "%u bytes at 0x%x: written or not?", size,
			   offset);
	if (!r || !r->writes)
		return;

	want = r->mask;
	if (size == 4)
		want = lower_32_bits(want);
	offset |= page ? MOCK_PMCG_PAGE1 : 0;
	offset |= size == 8 ? MOCK_PMCG_WIDE : 0;
	if (PMCG0->last.offset != offset || PMCG0->last.val != want)
		KUNIT_FAIL(test, "a write of %u bytes gets to 0x%x as 0x%llx",
			   size, PMCG0->last.offset,
			   (unsigned long long)PMCG0->last.val);
}

/* Each offset, width and direction of a page */
static void everywhere(struct kunit *test, phys_addr_t pa, unsigned int page,
		       u32 cfgr)
{
	unsigned int size, nr = 0, denied = 0;
	u32 offset;

	mock->traced[PKVM_SMMU_DENIED_MMIO] = 0;
	for (offset = 0; offset < SZ_4K; offset++) {
		for (size = 1; size <= 16; size *= 2) {
			const struct reg_expect *r = reg_find(cfgr, page,
							      offset, size);

			fill(pa, page ? 0 : cfgr);
			read_one(test, pa, offset, size, r);
			write_one(test, pa, offset, size, page, r);
			nr += !!r;
			denied += !(r && r->reads) + !(r && r->writes);
		}
	}
	if (!page || cfgr & CFGR_RELOC)
		KUNIT_EXPECT_GT(test, nr, 4);
	else
		KUNIT_EXPECT_EQ(test, nr, 0);
	KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_MMIO], denied);
}

static const u32 cfgrs[] = {
	CFGR(1, 32), CFGR(64, 32), CFGR(4, 36) | CFGR_RELOC,
	CFGR(8, 48) | CFGR_RELOC | CFGR_MSI | CFGR_MPAM | BIT(22),
	CFGR(64, 64) | CFGR_MSI, CFGR(64, 64) | CFGR_RELOC | BIT(23),
	CFGR(6, 32) | CFGR_MSI | CFGR_RELOC, CFGR(3, 64) | 0xff0fc0c0,
};

static void pmcg_everywhere(struct kunit *test)
{
	unsigned int i, page;

	for (i = 0; i < ARRAY_SIZE(cfgrs); i++) {
		boot_one(test, PAGE_A, PAGE_B, cfgrs[i]);
		for (page = 0; page < 2; page++)
			everywhere(test, page ? PAGE_B : PAGE_A, page,
				   cfgrs[i]);
	}
}

/* What the driver does: it counts, and gets the wired interrupt */
static void pmcg_driver(struct kunit *test)
{
	u64 max = GENMASK_ULL(47, 0);

	boot_one(test, PAGE_A, PAGE_B,
		 CFGR(8, 48) | CFGR_RELOC | CFGR_MSI | CFGR_MPAM);
	/* It has no MSIs, and so the driver sets none up */
	KUNIT_EXPECT_EQ(test, pa_read(test, PAGE_A + 0xe00, 4),
			CFGR(8, 48) | CFGR_RELOC);
	/* The driver clears the target all the same */
	pa_write(test, PAGE_A + 0xe58, 8, 0);
	KUNIT_EXPECT_EQ(test, PMCG0->nr_writes, 0);

	/* Event 2 of all streams, in counter 5, from half of what it can be */
	pa_write(test, PAGE_A + 0x400 + 4 * 5, 4, 2 | BIT(29));
	KUNIT_EXPECT_EQ(test, mock_mmio(PAGE_A + 0x414)[0], 2 | BIT(29));
	pa_write(test, PAGE_A + 0xa00 + 4 * 5, 4, U32_MAX);
	pa_write(test, PAGE_B + 8 * 5, 8, max / 2);
	KUNIT_EXPECT_EQ(test, PMCG0->last.val, max / 2);
	KUNIT_EXPECT_EQ(test, PMCG0->last.offset,
			40 | MOCK_PMCG_PAGE1 | MOCK_PMCG_WIDE);
	pa_write(test, PAGE_A + 0xc40, 8, BIT(5));
	pa_write(test, PAGE_A + 0xc00, 8, BIT(5));
	pa_write(test, PAGE_A + 0xe50, 4, 1);
	pa_write(test, PAGE_A + 0xe04, 4, 1);
	KUNIT_EXPECT_EQ(test, mock_mmio(PAGE_A + 0xe50)[0], 1);
	KUNIT_EXPECT_EQ(test, mock_mmio(PAGE_A + 0xe04)[0], 1);
	KUNIT_EXPECT_EQ(test, PMCG0->nr_writes, 7);

	/* It counts, and overflows */
	set_reg(PAGE_B + 40, 0x123456789abcULL, 8);
	KUNIT_EXPECT_EQ(test, pa_read(test, PAGE_B + 40, 8), 0x123456789abcULL);
	KUNIT_EXPECT_EQ(test, pa_read(test, PAGE_B + 44, 4), 0x1234);
	set_reg(PAGE_B + 0xcc0, BIT(5), 8);
	KUNIT_EXPECT_EQ(test, pa_read(test, PAGE_B + 0xcc0, 8), BIT(5));
	pa_write(test, PAGE_B + 0xc80, 8, BIT(5));
	KUNIT_EXPECT_EQ(test, PMCG0->last.offset,
			0xc80 | MOCK_PMCG_PAGE1 | MOCK_PMCG_WIDE);
}

/* Firmware, or a kernel before this one, has left a PMCG like this */
static void leave_on(phys_addr_t page0)
{
	set_reg(page0 + 0xe58, DOORBELL, 8);
	set_reg(page0 + 0xe60, 0x1234, 4);
	set_reg(page0 + 0xe64, 0x3f, 4);
	set_reg(page0 + T_PMCG_IRQ_CTRL, 1, 4);
	set_reg(page0 + T_PMCG_IRQ_CTRLACK, 1, 4);
	PMCG0->irq_target = 1;
}

static void expect_silent(struct kunit *test, phys_addr_t page0)
{
	u32 offset;

	for (offset = 0xe50; offset < 0xe68; offset += 4)
		KUNIT_EXPECT_EQ_MSG(test, mock_mmio(page0 + offset)[0], 0,
				    "0x%x", offset);
}

/* A36: no MSI of a PMCG, however it was left, and whatever the host writes */
static void pmcg_msi(struct kunit *test)
{
	unsigned int slow, pending, i;

	for (i = 0; i < 4; i++) {
		slow = i & 1;
		pending = i & 2;
		mock_test_again(test, MOCK_NR_PAGES);
		describe(PAGE_A, PAGE_B, CFGR(4, 64) | CFGR_MSI | CFGR_RELOC);
		leave_on(PAGE_A);
		/* An enable is not acknowledged yet */
		if (pending)
			set_reg(PAGE_A + T_PMCG_IRQ_CTRLACK, 0, 4);
		PMCG0->slow = slow || pending;
		mock_test_boot(test);
		expect_silent(test, PAGE_A);
	}

	/* mock.c checks each write */
	for (i = 0; i < 20000; i++) {
		phys_addr_t pa = (i & 1 ? PAGE_A : PAGE_B) +
				 (i % 3 ? 0xe00 + test_random() % 0x100 :
					  test_random() % SZ_4K);

		pa_write(test, pa, 1 << test_random() % 4, test_random());
	}
	for (i = 0xe58; i < 0xe68; i++)
		KUNIT_EXPECT_EQ(test, pa_read(test, PAGE_A + i, 4), 0);
	pa_write(test, PAGE_A + T_PMCG_IRQ_CTRL, 4, 0);
	expect_silent(test, PAGE_A);
	KUNIT_EXPECT_EQ(test, PMCG0->last.offset, T_PMCG_IRQ_CTRL);
}

/* After a reset the target can have any value (10.5.2.21) */
static void pmcg_reset(struct kunit *test)
{
	static const u64 targets[] = { DOORBELL, 1ULL << 40, 4 };
	unsigned int i;

	boot_one(test, PAGE_A, 0, CFGR(4, 64) | CFGR_MSI);
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		set_reg(PAGE_A + T_PMCG_IRQ_CFG0, targets[i], 8);
		pa_write(test, PAGE_A + T_PMCG_IRQ_CTRL, 4, 1);
		KUNIT_EXPECT_EQ(test, mock_mmio(PAGE_A + T_PMCG_IRQ_CTRL)[0],
				0);
		KUNIT_EXPECT_EQ(test, PMCG0->nr_writes, 0);
		KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_MMIO],
				i + 1);
	}
	/* To disable it is always allowed */
	pa_write(test, PAGE_A + T_PMCG_IRQ_CTRL, 4, 0);
	KUNIT_EXPECT_EQ(test, PMCG0->nr_writes, 1);
	set_reg(PAGE_A + T_PMCG_IRQ_CFG0, 0, 8);
	pa_write(test, PAGE_A + T_PMCG_IRQ_CTRL, 4, 1);
	KUNIT_EXPECT_EQ(test, mock_mmio(PAGE_A + T_PMCG_IRQ_CTRL)[0], 1);
}

/* Expect that EL2 refuses a PMCG, with no write to anything */
static void expect_refused(struct kunit *test, unsigned int which, u32 refusal)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, mock_boot(), -ENODEV);
	KUNIT_EXPECT_EQ(test, mock->config.pmcgs[which].refusal, refusal);
	for (i = 0; i < MOCK_NR_SMMUS; i++)
		KUNIT_EXPECT_EQ(test, mock->smmu[i].nr_writes, 0);
	for (i = 0; i < MOCK_NR_PMCGS; i++)
		KUNIT_EXPECT_EQ(test, mock->pmcg[i].nr_writes, 0);
}

/* A PMCG that does not acknowledge: EL2 waits a while, and does not start */
static void pmcg_no_answer(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		describe(PAGE_A, 0, CFGR(4, 64) | CFGR_MSI);
		leave_on(PAGE_A);
		/* It never did, or it does not after the first write */
		if (i < 2)
			PMCG0->dies_after = 1;
		else
			PMCG0->stuck = true;
		if (i & 1)
			set_reg(PAGE_A + T_PMCG_IRQ_CTRLACK, i < 2, 4);
		PMCG0->slow = true;
		if (i == 2)
			set_reg(PAGE_A + T_PMCG_IRQ_CTRLACK, 0, 4);
		KUNIT_EXPECT_EQ(test, mock_boot(), -EIO);
		KUNIT_EXPECT_EQ(test, mock->config.pmcgs[0].refusal,
				PKVM_SMMU_NO_ANSWER);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_writes, 0);
	}

	/* The target stays as it was */
	mock_test_again(test, MOCK_NR_PAGES);
	describe(PAGE_A, 0, CFGR(4, 64) | CFGR_MSI);
	leave_on(PAGE_A);
	PMCG0->keeps_msi = true;
	KUNIT_EXPECT_EQ(test, mock_boot(), -EIO);
	KUNIT_EXPECT_EQ(test, mock->config.pmcgs[0].refusal,
			PKVM_SMMU_NO_ANSWER);

	/* Without MSIs there is nothing to wait for, nor to write */
	mock_test_again(test, MOCK_NR_PAGES);
	describe(PAGE_A, 0, CFGR(4, 64));
	PMCG0->stuck = true;
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, PMCG0->nr_writes, 0);
}

/* As on Agilex5: among the registers of an SMMU, from its base + 0x2000 on */
static void pmcg_in_smmu(struct kunit *test)
{
	u32 cfgr = CFGR(4, 64) | CFGR_RELOC | CFGR_MSI;
	phys_addr_t base = MOCK_MMIO(1), page0 = base + 0x2000,
		    page1 = base + 0x22000;
	struct mock_smmu *s = &mock->smmu[1];
	unsigned int nr = 0;
	const u64 *denied;
	u32 offset;

	mock->config.nr_smmus = 2;
	mock->config.smmus[1].mmio.size = MOCK_MMIO_MAX_SIZE;
	describe(page0, page1, cfgr);
	leave_on(page0);
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, mock->nr_taken, 2);
	expect_silent(test, page0);
	everywhere(test, page0, 0, cfgr);
	everywhere(test, page1, 1, cfgr);

	/* The SMMU works, and what is neither reads as zero */
	KUNIT_EXPECT_EQ(test, pa_read(test, base + ARM_SMMU_IIDR, 4),
			s->smmu->iidr);
	KUNIT_EXPECT_NE(test, pa_read(test, base + ARM_SMMU_IDR5, 4), 0);
	pa_write(test, base + ARM_SMMU_CR1, 4, 0xd75);
	KUNIT_EXPECT_EQ(test, pa_read(test, base + ARM_SMMU_CR1, 4), 0xd75);
	PMCG0->nr_reads = 0;
	s->nr_writes = 0;
	denied = &host_shared()->smmu[1].n[PKVM_SMMU_DENIED_MMIO];
	KUNIT_EXPECT_EQ(test, *denied, 0);
	for (offset = 0x1000; offset < MOCK_MMIO_MAX_SIZE; offset += 0x1000) {
		if (offset == 0x2000 || offset == 0x22000)
			continue;
		set_reg(base + offset + 0x400, 0x11111111, 4);
		KUNIT_EXPECT_EQ(test, pa_read(test, base + offset + 0x400, 4),
				0);
		pa_write(test, base + offset + 0x400, 4, 1);
		nr += 2;
	}
	KUNIT_EXPECT_EQ(test, *denied, nr);
	KUNIT_EXPECT_EQ(test, s->nr_writes, 0);
	KUNIT_EXPECT_EQ(test, PMCG0->nr_reads, 0);
	/* The other SMMU has no PMCG */
	KUNIT_EXPECT_EQ(test, pa_read(test, MOCK_MMIO(0) + 0x2e00, 4), 0);
}

/* Where an SMMU has registers of its own there can be no PMCG */
static void pmcg_on_smmu(struct kunit *test)
{
	static const struct {
		u32	offset;
		bool	good;
	} pages[] = {
		{ 0x0000 }, { 0x1000, true }, { 0x2000, true },
		{ 0x3000, true }, { 0x4000 }, { 0x7000 }, { 0x8000 },
		{ 0x9000 }, { 0xc000 }, { 0xf000 }, { 0x10000 }, { 0x11000 },
		{ 0x12000 }, { 0x1f000 }, { 0x20000 }, { 0x21000, true },
		{ 0x2f000, true },
	};
	unsigned int i, page;

	for (i = 0; i < 2 * ARRAY_SIZE(pages); i++) {
		phys_addr_t pa = MOCK_MMIO(1) + pages[i / 2].offset;

		page = i % 2;
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.nr_smmus = 2;
		mock->config.smmus[1].mmio.size = MOCK_MMIO_MAX_SIZE;
		describe(page ? PAGE_A : pa, page ? pa : PAGE_A, 0);
		if (pages[i / 2].good)
			mock_test_boot(test);
		else
			expect_refused(test, 0, PKVM_SMMU_BAD_MMIO);
	}
}

/* Two PMCGs, next to each other: with large pages they share one of the CPU */
static void pmcg_share_page(struct kunit *test)
{
	unsigned int per_page = PAGE_SIZE / SZ_4K, i, n;
	u32 cfgr = CFGR(4, 64) | CFGR_RELOC | CFGR_MSI;
	phys_addr_t a = PAGE_A + SZ_8K, b = PAGE_B + SZ_4K, pa;

	describe(a, b, cfgr);
	describe(a + SZ_4K, b + SZ_4K, cfgr);
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, mock->nr_taken, per_page == 1 ? 5 : 3);

	everywhere(test, a, 0, cfgr);
	everywhere(test, b, 1, cfgr);
	for (i = 0; i < 2; i++) {
		set_reg(a + i * SZ_4K + 0xe08, 0x100 + i, 4);
		set_reg(b + i * SZ_4K, 0x200 + i, 8);
		KUNIT_EXPECT_EQ(test, pa_read(test, a + i * SZ_4K + 0xe08, 4),
				0x100 + i);
		KUNIT_EXPECT_EQ(test, pa_read(test, b + i * SZ_4K, 8),
				0x200 + i);
	}

	/* The rest of that page reads as zero and ignores writes */
	for (n = 0; n < per_page; n++) {
		pa = PAGE_A + n * SZ_4K;
		if (pa == a || pa == a + SZ_4K)
			continue;
		KUNIT_EXPECT_EQ(test, !!mock_taken(pa), per_page > 1);
		if (!mock_taken(pa))
			continue;
		for (i = 0; i < SZ_4K; i += 4) {
			set_reg(pa + i, 0x22222222, 4);
			KUNIT_EXPECT_EQ(test, pa_read(test, pa + i, 4), 0);
			pa_write(test, pa + i, 4, 1);
			KUNIT_EXPECT_EQ(test, mock_mmio(pa + i)[0],
					0x22222222);
		}
	}
}

/* Devices reach no register of a PMCG, nor does an MSI of the SMMU */
static void pmcg_dma(struct kunit *test)
{
	struct mock_leaf leaf;

	mock_change_reg(SMMU0, ARM_SMMU_IDR0, 0, T_IDR0_MSI);
	describe(PAGE_A, PAGE_B, CFGR(4, 64) | CFGR_RELOC | CFGR_MSI);
	mock_test_boot(test);
	KUNIT_EXPECT_FALSE(test, mock_s2_walk(SMMU0->smmu->feat.s2_ste, PAGE_A,
					      &leaf));
	KUNIT_EXPECT_FALSE(test, mock_s2_walk(SMMU0->smmu->feat.s2_ste, PAGE_B,
					      &leaf));
	KUNIT_EXPECT_TRUE(test, mock_s2_walk(SMMU0->smmu->feat.s2_ste,
					     PAGE_B + SZ_64K, &leaf));

	host_writeq(ARM_SMMU_GERROR_IRQ_CFG0, PAGE_A + T_PMCG_IRQ_CFG0);
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, ARM_SMMU_GERROR_IRQ_CFG0), 0);
}

/* What is no page of a PMCG */
static void pmcg_bad(struct kunit *test)
{
	struct pkvm_pmcg_desc *desc;
	unsigned int i, which;

	for (i = 0; i < 12; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		which = i < 6 ? 0 : 1;
		describe(PAGE_A, PAGE_A + SZ_8K, CFGR(4, 64));
		desc = describe(PAGE_B, 0, CFGR(4, 64));
		if (i < 6)
			desc = &mock->config.pmcgs[0];
		switch (i) {
		case 0:
			/* Not aligned */
			desc->page[0].base += 0x800;
			break;
		case 1:
			desc->page[1].base += 0x400;
			break;
		case 2:
			desc->page[0].size = SZ_2K;
			break;
		case 3:
			desc->page[1].size = 4;
			break;
		case 4:
			/* RAM; the end of all addresses; too large */
			desc->page[0].base = mock_alloc(PAGE_SIZE, MOCK_HOST);
			break;
		case 5:
			desc->page[1].base = ALIGN_DOWN(~0ULL, SZ_4K);
			break;
		case 6:
			/* A page twice */
			desc->page[0].base = PAGE_A;
			break;
		case 7:
			desc->page[0].base = PAGE_A + SZ_8K;
			break;
		case 8:
			desc->page[1] = desc->page[0];
			break;
		case 9:
			/* All of the SMMU, and more */
			desc->page[0].base = MOCK_MMIO(0) - SZ_64K;
			desc->page[0].size = SZ_256K;
			break;
		case 10:
			/* MSIs, and an unknown page 1 */
			set_reg(PAGE_B + T_PMCG_CFGR, CFGR_RELOC | CFGR_MSI, 4);
			break;
		case 11:
			desc->page[0].size = 0;
			break;
		}
		expect_refused(test, which, PKVM_SMMU_BAD_MMIO);
	}

	mock_test_again(test, MOCK_NR_PAGES);
	mock->config.nr_pmcgs = PKVM_SMMU_MAX_PMCGS + 1;
	KUNIT_EXPECT_EQ(test, mock_boot(), -EINVAL);
}

/* Firmware describes more than a page: all of it is EL2's */
static void pmcg_large(struct kunit *test)
{
	struct pkvm_pmcg_desc *desc = describe(PAGE_B, 0, CFGR(4, 64));

	desc->page[0].size = SZ_64K;
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, mock->nr_taken, 2);
	KUNIT_EXPECT_EQ(test, pa_read(test, PAGE_B + 0xe00, 4), CFGR(4, 64));
	set_reg(PAGE_B + 0x1e00, 0x33333333, 4);
	KUNIT_EXPECT_EQ(test, pa_read(test, PAGE_B + 0x1e00, 4), 0);
	pa_write(test, PAGE_B + 0x1e58, 8, DOORBELL);
	KUNIT_EXPECT_EQ(test, mock_mmio(PAGE_B + 0x1e58)[0], 0);
}

/* Page 1 without a page for it, but also without MSIs: nothing to be afraid of */
static void pmcg_no_page1(struct kunit *test)
{
	boot_one(test, PAGE_A, 0, CFGR(4, 64) | CFGR_RELOC);
	everywhere(test, PAGE_A, 0, CFGR(4, 64) | CFGR_RELOC);
}

static struct kunit_case pmcg_cases[] = {
	KUNIT_CASE(pmcg_everywhere),
	KUNIT_CASE(pmcg_driver),
	KUNIT_CASE(pmcg_msi),
	KUNIT_CASE(pmcg_reset),
	KUNIT_CASE(pmcg_no_answer),
	KUNIT_CASE(pmcg_in_smmu),
	KUNIT_CASE(pmcg_on_smmu),
	KUNIT_CASE(pmcg_share_page),
	KUNIT_CASE(pmcg_dma),
	KUNIT_CASE(pmcg_bad),
	KUNIT_CASE(pmcg_large),
	KUNIT_CASE(pmcg_no_page1),
	{}
};

static struct kunit_suite pmcg_suite = {
	.name = "pkvm-smmu-pmcg",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = pmcg_cases,
};

kunit_test_suite(pmcg_suite);
