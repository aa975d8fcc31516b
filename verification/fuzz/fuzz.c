// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host, made of bytes. Each 16 bytes are one thing that it does, or that
 * its devices, the hardware, or the hypervisor's other callers do: see enum op. The
 * first 16 say what machine it is.
 *
 * After each of them the oracle (machine.h, mock.h) must have no complaint, and at
 * times, and at the end, a host that behaves must be served: what it maps, its
 * devices reach.
 *
 * With libFuzzer this is a fuzz target with a mutator of its own. Without, main()
 * runs the files that it is given, which is how the corpus is a test.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "machine.h"

/* So many that there is RAM for a block of 2 or of 32 MiB, at 1 GiB. With 64K: for none */
#define RAM_PAGES	(PAGE_SHIFT == 12 ? 768 : PAGE_SHIFT == 14 ? 2304 : 256)
#define BLOCK		((phys_addr_t)SZ_1G)
#define BLOCK_PAGES	(PAGE_SIZE / 8)

#define NR_OPS_MAX	256

/* Host memory that the well-behaved host uses for each SMMU, and never gives away */
#define GOOD_PAGES	8
#define GOOD_SIZE	(MOCK_NR_SMMUS * GOOD_PAGES * PAGE_SIZE)
#define GOOD_SHIFT	4

struct record {
	u8	op;
	u8	a;
	u16	b;
	u32	c;
	u64	d;
} __packed;

enum op {
	OP_READ,	/* a register: @b which, @a size and SMMU */
	OP_WRITE,	/* a register: the same, and @d the value */
	OP_WRITE_ADDR,	/* the same, and @c a page, @d's low bits below its address */
	OP_POKE,	/* a word of the host's memory: @c page, @b which, @d value */
	OP_POKE_ADDR,	/* the same, and @a another page, whose address is or-ed in */
	OP_STE,		/* in the host's table: @b stream, @a kind, @c page of a CD */
	OP_CMD,		/* in the host's queue: @a kind, @b stream, @d operands */
	OP_CONSUME,	/* CMDQ_PROD to what OP_CMD has put there */
	OP_DMA,		/* @b stream, @a write, @c page */
	OP_DMA_RAW,	/* the same, and @d address */
	OP_GIVE,	/* pages leave the host: @c first, @a how many and whose */
	OP_TAKE_BACK,	/* and come back */
	OP_HARDWARE,	/* is slow, stuck, out of step, or doesn't like an opcode */
	OP_EVENT,	/* the SMMU writes one: @d dword 0 */
	OP_FLIP,	/* what EL2 reads changes behind it */
	OP_STAGE1,	/* a CD and tables in @c, which map page @b at 0 */
	OP_DRIVER,	/* the host's driver probes: @c tables, @a and @b formats */
	OP_GOOD,	/* the well-behaved host */
	NR_OPS,
};

static phys_addr_t good_mem;
static u64 prng;
static bool hw_was_bad;
static u32 host_prod[MOCK_NR_SMMUS];

static void verdict(void)
{
	if (!mock->complaint)
		return;
	fprintf(stderr, "oracle: %s\n", mock->complaint);
	abort();
}

static phys_addr_t page_pa(u32 nr)
{
	return mock_page_pa(nr % mock->nr_pages);
}

/* Mostly a page of RAM, whoever's; else something that is none */
static u64 some_addr(u32 c)
{
	static const u64 odd[] = {
		0, MOCK_MMIO(0), MOCK_MMIO(1), 1ULL << 39, 1ULL << 47, 1ULL << 51,
		MOCK_RAM_A - SZ_64K, ~0xfffULL & GENMASK_ULL(51, 0),
	};

	return c >> 31 ? odd[c % ARRAY_SIZE(odd)] : page_pa(c);
}

static bool host_can_write(phys_addr_t pa)
{
	struct mock_page *page = mock_page(pa);

	return page && page->owner == MOCK_HOST;
}

static void host_put(phys_addr_t pa, u64 val)
{
	if (host_can_write(pa))
		mock_put(pa, val);
}

static struct mock_smmu *smmu_nr(u32 nr)
{
	return &mock->smmu[nr % mock->config.nr_smmus];
}

/* Registers */

static const u32 regs[] = {
	ARM_SMMU_CR0, ARM_SMMU_CR0ACK, ARM_SMMU_CR1, ARM_SMMU_CR2, ARM_SMMU_GBPA,
	ARM_SMMU_IRQ_CTRL, ARM_SMMU_IRQ_CTRLACK, ARM_SMMU_GERROR, ARM_SMMU_GERRORN,
	ARM_SMMU_GERROR_IRQ_CFG0, ARM_SMMU_STRTAB_BASE, ARM_SMMU_STRTAB_BASE + 4,
	ARM_SMMU_STRTAB_BASE_CFG, ARM_SMMU_CMDQ_BASE, ARM_SMMU_CMDQ_BASE + 4,
	ARM_SMMU_CMDQ_PROD, ARM_SMMU_CMDQ_CONS, ARM_SMMU_EVTQ_BASE, ARM_SMMU_EVTQ_BASE + 4,
	ARM_SMMU_EVTQ_IRQ_CFG0, ARM_SMMU_PRIQ_BASE, ARM_SMMU_PRIQ_IRQ_CFG0,
	MOCK_EVTQ_PROD, MOCK_EVTQ_CONS, ARM_SMMU_IDR0, ARM_SMMU_IDR1, ARM_SMMU_IDR5,
};

/* Among the registers of the first SMMU: 16 bits that begin with 11 are one of its words */
#define PMCG_PAGE0	0x2000
#define PMCG_PAGE1	0x3000

static u32 some_reg(u16 b)
{
	if (mock->config.nr_pmcgs && b >> 14 == 3)
		return PMCG_PAGE0 + (b & 0x7ff) * 4;

	return b >> 15 ? (b & 0x7fff) * 4 : regs[b % ARRAY_SIZE(regs)];
}

static unsigned int some_size(u8 a)
{
	static const u8 sizes[] = { 4, 4, 4, 8, 8, 1, 2, 16 };

	return sizes[a % ARRAY_SIZE(sizes)];
}

/* The host's tables and queue, as its registers say they are */

static phys_addr_t host_ste_pa(struct mock_smmu *s, u32 sid)
{
	u64 base = smmu_mmio_read(s->smmu, ARM_SMMU_STRTAB_BASE, 8) & GENMASK_ULL(51, 6);
	u32 cfg = smmu_mmio_read(s->smmu, ARM_SMMU_STRTAB_BASE_CFG, 4);
	u32 split = cfg >> 6 & 0x1f;

	if ((cfg >> 16 & 3) == 1) {
		split = split == 8 || split == 10 ? split : 6;
		base += (sid >> split) * 8ULL;
		if (!host_can_write(base))
			return 0;
		base = mock_get(base) & GENMASK_ULL(51, 6);
		sid &= (1U << split) - 1;
	}

	return base + sid * 64ULL;
}

static void make_ste(u64 *ste, u8 kind, u64 cd)
{
	memset(ste, 0, 8 * sizeof(*ste));
	switch (kind % 8) {
	case 0:
		break;
	case 1:
		ste[0] = 0x1;
		break;
	case 2:
	case 3:
		ste[0] = 0x9;
		ste[1] = 1ULL << 44;
		break;
	case 4:
	case 5:
		ste[0] = 0xb | cd;
		ste[1] = 0xd4 | (kind & 1) * 2;
		break;
	case 6:
		/* A stage 2 of its own */
		ste[0] = 0xd;
		ste[2] = 0x1 | 25ULL << 32 | 1ULL << 38 | 4ULL << 48 | 1ULL << 51;
		ste[3] = cd;
		break;
	case 7:
		/* EATS, VMSPtr and whatever */
		ste[0] = 0x9 | cd;
		ste[1] = 1ULL << 28;
		ste[5] = cd;
		break;
	}
}

static void put_ste(struct mock_smmu *s, u32 sid, const u64 *ste)
{
	phys_addr_t pa = host_ste_pa(s, sid);
	unsigned int i;

	for (i = 0; i < 8; i++)
		host_put(pa + i * 8, ste[i]);
}

static void put_cmd(struct mock_smmu *s, u64 dword0, u64 dword1)
{
	u64 base = smmu_mmio_read(s->smmu, ARM_SMMU_CMDQ_BASE, 8);
	u32 *prod = &host_prod[s - mock->smmu], shift = min(base & 0x1f, 10ULL);
	phys_addr_t pa = (base & GENMASK_ULL(51, 5)) + (*prod & ((1U << shift) - 1)) * 16ULL;

	host_put(pa, dword0);
	host_put(pa + 8, dword1);
	*prod = (*prod + 1) & ((2U << shift) - 1);
}

static void do_cmd(struct mock_smmu *s, const struct record *r)
{
	static const u8 ops[] = {
		0x03, 0x03, 0x04, 0x46, 0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x30, 0x44,
		0x45, 0x01, 0x02, 0x20, 0x28, 0x2a, 0x40, 0x41, 0x07, 0x00,
	};
	u64 sid = (u64)r->b << 32;

	switch (r->a % (ARRAY_SIZE(ops) + 4)) {
	case 0:
		put_cmd(s, 0x03 | sid, 0);
		break;
	case 1:
		put_cmd(s, 0x03 | sid, 1);
		break;
	case 2:
		put_cmd(s, 0x04, 31);
		break;
	case 3:
		put_cmd(s, 0x46, 0);
		break;
	case 4 ... ARRAY_SIZE(ops) - 1:
		put_cmd(s, ops[r->a % (ARRAY_SIZE(ops) + 4)] | sid | (u64)r->c << 12, r->d);
		break;
	default:
		put_cmd(s, r->d, r->c);
	}
}

static void consume(struct mock_smmu *s)
{
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_PROD, 4, host_prod[s - mock->smmu]);
}

/* A CD, and tables from level 1 on, in four pages that may be anyone's */
static void make_stage1(phys_addr_t at, u64 pa)
{
	host_put(at, 25 | 1ULL << 31 | 1ULL << 41 | 4ULL << 32 | 1ULL << 48);
	host_put(at + 8, at + PAGE_SIZE);
	host_put(at + PAGE_SIZE, (at + 2 * PAGE_SIZE) | 3);
	host_put(at + 2 * PAGE_SIZE, (at + 3 * PAGE_SIZE) | 3);
	host_put(at + 3 * PAGE_SIZE, pa | 0x743);
}

/* Who owns what */

static bool can_leave(phys_addr_t pa)
{
	struct mock_page *page = mock_page(pa);

	return page && page->owner == MOCK_HOST && !page->pins && !page->shared &&
	       pa - good_mem >= GOOD_SIZE;
}

static void give(u32 c, u8 a)
{
	phys_addr_t start = page_pa(c), end = start, pa;
	enum mock_owner owner = a >> 7 ? MOCK_EL2 : MOCK_GUEST;
	int ret;

	for (a &= 7; a-- && can_leave(end); end += PAGE_SIZE)
		;
	if (start == end)
		return;

	mock_own_lock();
	ret = smmu_run_pages_leave(start, end);
	if (!ret) {
		for (pa = start; pa < end; pa += PAGE_SIZE) {
			mock_page(pa)->owner = owner;
			/* Given by the test, and not a table of EL2's */
			mock_page(pa)->allocated = false;
		}
	} else if (!hw_was_bad && (ret != -ENOMEM || mock->pool_left)) {
		mock_complain("a page did not leave the host, and the hardware was well");
	}
	mock_own_unlock();
	if (!ret)
		machine_check_caches();
	machine_check_stage2();
}

static void take_back(u32 c, u8 a)
{
	phys_addr_t start = page_pa(c), end = start, pa;

	for (a &= 7; a--; end += PAGE_SIZE) {
		struct mock_page *page = mock_page(end);

		if (!page || page->owner == MOCK_HOST || page->allocated || page->in_pool)
			break;
	}
	if (start == end)
		return;

	mock_own_lock();
	for (pa = start; pa < end; pa += PAGE_SIZE)
		mock_page(pa)->owner = MOCK_HOST;
	smmu_run_pages_return(start, end);
	mock_own_unlock();
	machine_check_stage2();
}

/* Devices don't stop while EL2 waits */
static void meanwhile(void)
{
	u64 val;

	prng ^= prng << 13;
	prng ^= prng >> 7;
	prng ^= prng << 17;
	if (prng & 7)
		return;
	machine_dma(smmu_nr(prng >> 8), prng >> 16 & 0x3f,
		    prng >> 24 & 1 ? page_pa(prng >> 32) : prng >> 40 & 0x3ff8, false, &val);
}

static void hardware(const struct record *r)
{
	struct mock_smmu *s = smmu_nr(r->a >> 4);

	switch (r->a & 7) {
	case 0:
		/* Each at a pace of its own */
		s->slow = r->b & 1;
		s->rest = r->b >> 1 & 3;
		break;
	case 1:
		s->stuck = r->b & 1;
		hw_was_bad |= s->stuck;
		break;
	case 2:
		if (!s->stuck)
			mock_run_all(s);
		break;
	case 3:
		s->bad_op = r->b;
		/* CMD_SYNC is never illegal on its own, and would be so for ever */
		s->bad_times = s->bad_op != 0x46 && s->bad_op ? r->c & 7 : 0;
		s->bad_code = r->c >> 8 & 3 ? 1 : r->c >> 10 & 7;
		hw_was_bad = true;
		break;
	case 4:
		mock->pool_left = r->b & 15;
		break;
	}
}

/* As the host's driver does it, be it in strange places */
static void driver(struct mock_smmu *s, const struct record *r)
{
	u32 cfg = r->b & 0x3f;
	u64 base = some_addr(r->c);

	if (r->a & 1)
		cfg |= 1 << 16 | (r->b >> 6 & 0x1f) << 6;
	smmu_mmio_write(s->smmu, ARM_SMMU_CR0, 4, 0);
	smmu_mmio_write(s->smmu, ARM_SMMU_STRTAB_BASE, 8, base);
	smmu_mmio_write(s->smmu, ARM_SMMU_STRTAB_BASE_CFG, 4, cfg);
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_BASE, 8, some_addr(r->d) | (r->a >> 4));
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_PROD, 4, 0);
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_CONS, 4, 0);
	host_prod[s - mock->smmu] = 0;
	smmu_mmio_write(s->smmu, ARM_SMMU_EVTQ_BASE, 8,
			some_addr(r->d >> 32) | (r->a >> 1 & 7));
	smmu_mmio_write(s->smmu, ARM_SMMU_CR0, 4, 0xd);
}

/* Wait, as a driver does */
static bool cr0_is(struct mock_smmu *s, u32 val)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if (!s->stuck)
			mock_run_all(s);
		if (smmu_mmio_read(s->smmu, ARM_SMMU_CR0ACK, 4) == val)
			return true;
	}

	return false;
}

static bool cmdq_is_empty(struct mock_smmu *s, u32 prod)
{
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if (smmu_mmio_read(s->smmu, ARM_SMMU_CMDQ_CONS, 4) == prod)
			return true;
	}

	return false;
}

static void expect(bool ok, const char *what)
{
	if (!ok && !hw_was_bad)
		mock_complain(what);
}

/*
 * Whatever was before: a host that resets the SMMU and sets it up by the book is
 * served. If the hardware has ever been stuck or mad then it may not be.
 */
static void well_behaved(struct mock_smmu *s, const struct record *r)
{
	phys_addr_t good = good_mem + (s - mock->smmu) * GOOD_PAGES * PAGE_SIZE;
	phys_addr_t cmdq = good, strtab = good + PAGE_SIZE, target = good + 2 * PAGE_SIZE;
	u64 ste[8], val = 0, magic = 0x600d600d600d600dULL;
	u32 sid = r->b % 32, prod = 0;
	bool stage1 = r->a & 1;
	unsigned int pool = mock->pool_left, i;

	if (s->stuck)
		return;
	mock->flip = false;
	mock->pool_left = max(pool, 4U);

	/* All of them: a page is in one queue only, and others may have taken ours */
	for (i = 0; i < mock->config.nr_smmus; i++) {
		smmu_mmio_write(smmu_nr(i)->smmu, ARM_SMMU_CR0, 4, 0);
		expect(cr0_is(smmu_nr(i), 0), "a disable was not acknowledged");
	}
	smmu_mmio_write(s->smmu, ARM_SMMU_GERRORN, 4,
			smmu_mmio_read(s->smmu, ARM_SMMU_GERROR, 4));
	memset(mock_va(strtab), 0, 2048);
	smmu_mmio_write(s->smmu, ARM_SMMU_STRTAB_BASE, 8, strtab);
	smmu_mmio_write(s->smmu, ARM_SMMU_STRTAB_BASE_CFG, 4, 5);
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_BASE, 8, cmdq | GOOD_SHIFT);
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_PROD, 4, 0);
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_CONS, 4, 0);
	smmu_mmio_write(s->smmu, ARM_SMMU_CR0, 4, 0x9);
	expect(cr0_is(s, 0x9), "an enable was not acknowledged");
	expect(machine_dma(s, sid, target, false, &val) == MACHINE_ABORTED,
	       "a stream passes that nobody has set up");

	make_stage1(good + 3 * PAGE_SIZE, target);
	make_ste(ste, stage1 ? 4 : 2, good + 3 * PAGE_SIZE);
	memcpy(mock_va(strtab + sid * 64ULL), ste, sizeof(ste));
	mock_put(cmdq, 0x03 | (u64)sid << 32);
	mock_put(cmdq + 8, 1);
	mock_put(cmdq + 16, 0x30);
	mock_put(cmdq + 24, 0);
	mock_put(cmdq + 32, 0x46);
	mock_put(cmdq + 40, 0);
	prod = 3;
	smmu_mmio_write(s->smmu, ARM_SMMU_CMDQ_PROD, 4, prod);
	expect(cmdq_is_empty(s, prod), "commands were not consumed");

	mock_put(target, magic);
	expect(machine_dma(s, sid, stage1 ? 0 : target, false, &val) == MACHINE_DONE &&
	       val == magic, "a device does not read what is mapped");
	magic = ~magic;
	expect(machine_dma(s, sid, stage1 ? 0 : target, true, &magic) == MACHINE_DONE &&
	       mock_get(target) == magic, "a device does not write what is mapped");
	mock->pool_left = min(pool, mock->pool_left);
	host_prod[s - mock->smmu] = prod;
}

static void run(const struct record *r)
{
	struct mock_smmu *s = smmu_nr(r->a >> 6);
	u64 ste[8], val = r->d;
	phys_addr_t pa;

	mock->relaxed = 0;
	switch (r->op % NR_OPS) {
	case OP_READ:
		smmu_run_read(s->smmu, some_reg(r->b), some_size(r->a));
		break;
	case OP_WRITE:
		smmu_run_write(s->smmu, some_reg(r->b), some_size(r->a), r->d);
		break;
	case OP_WRITE_ADDR:
		smmu_run_write(s->smmu, some_reg(r->b), 8, some_addr(r->c) | (r->d & 0xfff));
		break;
	case OP_POKE:
		host_put(page_pa(r->c) + (r->b * 8 & ~PAGE_MASK), r->d);
		break;
	case OP_POKE_ADDR:
		host_put(page_pa(r->c) + (r->b * 8 & ~PAGE_MASK), r->d | some_addr(r->a));
		break;
	case OP_STE:
		make_ste(ste, r->a, some_addr(r->c));
		put_ste(s, r->b & 0x3f, ste);
		break;
	case OP_CMD:
		do_cmd(s, r);
		break;
	case OP_CONSUME:
		consume(s);
		break;
	case OP_DMA:
		machine_dma(s, r->b & 0x3f, some_addr(r->c) + (r->d & 0xff8), r->a & 1, &val);
		break;
	case OP_DMA_RAW:
		machine_dma(s, r->b & 0x3f, r->d, r->a & 1, &val);
		break;
	case OP_GIVE:
		give(r->c, r->a);
		break;
	case OP_TAKE_BACK:
		take_back(r->c, r->a);
		break;
	case OP_HARDWARE:
		hardware(r);
		break;
	case OP_EVENT:
		mock_event(s, r->d);
		break;
	case OP_FLIP:
		mock->flip = r->a & 1;
		break;
	case OP_STAGE1:
		pa = page_pa(r->c);
		if (mock_page(pa + 3 * PAGE_SIZE))
			make_stage1(pa, some_addr(r->b));
		break;
	case OP_DRIVER:
		driver(s, r);
		break;
	case OP_GOOD:
		well_behaved(s, r);
		break;
	}
	machine_check_caches();
}

/* Of each: the number that it has in IIDR, and whether it can do nested translation */
static const struct {
	u32	iidr;
	bool	can_nest;
} products[] = {
	{ 0, true },
	{ 0x4831143b, false },		/* MMU-600 r1p1, 1209401 */
	{ 0x4832043b, true },		/* MMU-600 r2p0 */
	{ 0x4870043b, false },		/* MMU-700 r0p0, 2268618, 2812531 */
	{ 0x4870143b, false },		/* MMU-700 r0p1 */
	{ 0x4871043b, false },		/* MMU-700 r1p0 */
	{ 0x4871143b, true },		/* MMU-700 r1p1 */
	{ 0x36b, true },		/* another implementer */
};

/*
 * A PMCG, with a page 1 or without, that can send MSIs, and was left on. mock.c complains if
 * it ever does so after take-over.
 */
static void add_pmcg(u32 c)
{
	struct pkvm_pmcg_desc *desc = &mock->config.pmcgs[0];
	u32 *reg = mock_mmio(MOCK_MMIO(0) + PMCG_PAGE0 + T_PMCG_CFGR);

	mock->config.nr_pmcgs = 1;
	desc->page[0] = (struct pkvm_smmu_mem) { MOCK_MMIO(0) + PMCG_PAGE0, SZ_4K };
	desc->page[1] = (struct pkvm_smmu_mem) { MOCK_MMIO(0) + PMCG_PAGE1, SZ_4K };
	/* NCTR, SIZE, RELOC_CTRS, and the rest as it comes */
	*reg = (c & 0x3f3f3f3f) | 1 << 21;
	*mock_mmio(MOCK_MMIO(0) + PMCG_PAGE0 + T_PMCG_IRQ_CFG0) = MOCK_RAM_A;
	*mock_mmio(MOCK_MMIO(0) + PMCG_PAGE0 + T_PMCG_IRQ_CTRL) = 1;
	*mock_mmio(MOCK_MMIO(0) + PMCG_PAGE0 + T_PMCG_IRQ_CTRLACK) = 1;
	mock->pmcg[0].irq_target = 1;
}

/* What machine it is; false if it is one that EL2 refuses */
static bool boot(const struct record *r)
{
	static const u8 oas[] = { 0, 1, 2, 3, 4, 5, 6, 2 };
	static const u8 granules[] = { 0x10, 0x20, 0x40 };
	unsigned int product = r->b >> 5 & 7, i;
	/* The bits are the granules that it lacks */
	u32 idr5 = 0x70 & ~(r->b >> 8 & 7) << 4;

	mock->config.nr_smmus = 1 + (r->a & 1);
	mock->sid_bits = r->a & 2 ? 8 : 5;
	for (i = 0; i < MOCK_NR_SMMUS; i++) {
		struct mock_smmu *s = &mock->smmu[i];
		/* BBML: 2 is what 0 stands for, as it was the only one once */
		u32 idr0 = 0x0148101b, idr3 = 0x4 | (2 ^ (r->b >> 2 & 3)) << 11;

		if (r->a & 2)
			idr0 |= 1 << 27;
		if (r->a & 4)
			idr0 |= 1 << 10;		/* ATS */
		if (!(r->a & 8))
			idr0 |= 1 << 24;		/* no stalls */
		else
			idr0 &= ~(3U << 24);
		if (r->a & 16)
			idr3 |= 1 << 10;		/* RIL */
		if (r->b & 16)
			idr0 |= 1 << 13;		/* MSI */
		mock_set_reg(s, ARM_SMMU_IDR0, idr0);
		mock_set_reg(s, ARM_SMMU_IDR1, (r->b & 1 ? 3 : 12) << 21 | 13 << 16 | 8 << 6 |
			     mock->sid_bits);
		mock_set_reg(s, ARM_SMMU_IDR3, idr3);
		/* The other SMMU is of the same make, and has all granules */
		mock_set_reg(s, ARM_SMMU_IDR5, (i ? 0x70 : idr5) | oas[r->c >> (8 * i) & 7]);
		mock_set_reg(s, ARM_SMMU_IIDR, products[product].iidr);
	}
	if (r->a & 32)
		add_pmcg(r->d >> 32);
	machine_init();
	good_mem = mock_alloc(GOOD_SIZE, MOCK_HOST);
	memset(host_prod, 0, sizeof(host_prod));
	hw_was_bad = false;
	prng = r->d | 1;
	if (mock_boot())
		return false;
	if (!products[product].can_nest || !(idr5 & granules[(PAGE_SHIFT - 12) / 2]))
		mock_complain("EL2 takes an SMMU that it can't use");

	mock->meanwhile = meanwhile;
	machine_check_stage2();
	return true;
}

/*
 * Is the one block of RAM that there is the host's? Then it is mapped as a block, now that
 * the hardware is well: at the latest when one more page of it comes back. Where RAM has
 * no room for a block there is nothing to be put together either.
 */
static bool block_is_whole(void)
{
	unsigned int first = (BLOCK - MOCK_RAM_A) >> PAGE_SHIFT, i;
	bool whole = true;

	if (first + BLOCK_PAGES > RAM_PAGES - MOCK_RAM_B_PAGES)
		return true;

	for (i = first; i < first + BLOCK_PAGES; i++)
		whole &= mock->pages[i].owner == MOCK_HOST;
	for (i = first; whole && i < first + BLOCK_PAGES; i++) {
		if (!can_leave(mock_page_pa(i)))
			continue;
		give(i, 1);
		take_back(i, 1);
		break;
	}

	return whole;
}

/* Everything off: nothing may be left */
static void end(unsigned int pool_used)
{
	unsigned int i;
	bool whole;

	mock->flip = false;
	for (i = 0; i < mock->config.nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];

		mock->relaxed = 0;
		s->stuck = false;
		s->slow = false;
		s->bad_times = 0;
		mock_run_all(s);
		smmu_mmio_write(s->smmu, ARM_SMMU_CR0, 4, 0);
		expect(cr0_is(s, 0), "the SMMU can't be disabled any more");
	}
	expect(!mock->pins, "a page is still pinned");
	mock->pool_left = 4;
	whole = block_is_whole();
	expect(mock->pool_used <= pool_used + !whole, "a page of the pool is lost");
	machine_check_caches();
	machine_check_stage2();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct record *r = (const struct record *)data;
	size_t n = size / sizeof(*r), i, j;
	unsigned int pool_used;

	if (n < 2 || n > NR_OPS_MAX)
		return 0;
	mock_incoherent = r->b & 2;
	if (mock_init(RAM_PAGES))
		return 0;

	if (boot(r)) {
		pool_used = mock->pool_used;
		verdict();
		for (i = 1; i < n; i++) {
			run(&r[i]);
			for (j = 0; j < mock->config.nr_smmus; j++)
				smmu_check(mock->smmu[j].smmu);
			verdict();
		}
		end(pool_used);
		verdict();
		if (mock->nr_held)
			mock_complain("a lock is still held");
	}
	verdict();
	mock_exit();

	return 0;
}

#ifdef FUZZ
/* Whole records come, go, are doubled and changed in one field */
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed);

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	struct record *r = (struct record *)data;
	size_t n = size / sizeof(*r), max = max_size / sizeof(*r);
	unsigned int how = seed >> 8 & 15;
	size_t at;

	srand(seed);
	if (max > NR_OPS_MAX)
		max = NR_OPS_MAX;
	if (n < 2 || how == 0)
		return LLVMFuzzerMutate(data, size, max_size);

	at = 1 + rand() % (n - 1);
	switch (how) {
	case 1 ... 4:
		/* A new one, of a kind that makes sense */
		if (n >= max)
			break;
		memmove(&r[at + 1], &r[at], (n - at) * sizeof(*r));
		r[at] = (struct record) {
			.op = rand() % NR_OPS, .a = rand(), .b = rand(), .c = rand() & 0xff,
			.d = rand() & 0xff,
		};
		return (n + 1) * sizeof(*r);
	case 5:
		if (n < 3)
			break;
		memmove(&r[at], &r[at + 1], (n - at - 1) * sizeof(*r));
		return (n - 1) * sizeof(*r);
	case 6:
		if (n >= max)
			break;
		r[n] = r[at];
		return (n + 1) * sizeof(*r);
	case 7:
		r[at].op = rand() % NR_OPS;
		break;
	case 8:
		r[at].a ^= 1 << rand() % 8;
		break;
	case 9:
		r[at].b = rand() & 0x1f;
		break;
	case 10:
		r[at].c = rand() & 0xff;
		break;
	case 11:
		r[at].d ^= 1ULL << rand() % 64;
		break;
	case 12:
		/* The same page, or stream, as another one */
		r[at].c = r[1 + rand() % (n - 1)].c;
		r[at].b = r[1 + rand() % (n - 1)].b;
		break;
	default:
		LLVMFuzzerMutate((u8 *)&r[at], sizeof(*r), sizeof(*r));
	}

	return n * sizeof(*r);
}
#else
int main(int argc, char **argv)
{
	static u8 data[NR_OPS_MAX * sizeof(struct record)];
	int i;

	for (i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t size;

		if (!file) {
			fprintf(stderr, "can't read %s\n", argv[i]);
			return 1;
		}
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}

	return 0;
}
#endif
