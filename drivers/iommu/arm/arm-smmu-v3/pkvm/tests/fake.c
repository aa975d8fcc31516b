// SPDX-License-Identifier: GPL-2.0-only
/*
 * See fake.h. Field positions are written as numbers where the emulator gets them
 * from a macro: what is wrong there must not be wrong here in the same way.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "fake.h"

/* Nobody waits that long, unless for ever */
#define FAKE_FOREVER	300000
#define FAKE_TICKS	100

/* EVTQ_PROD.OVFLG and EVTQ_CONS.OVACKFLG */
#define FAKE_OVFLG	BIT(31)

#define CR0_ON		(CR0_SMMUEN | CR0_CMDQEN)

/* Of the cache */
#define FAKE_LINE	64

struct fake *fake;
bool fake_incoherent;

bool hyp_incoherent;

static struct hyp_lock own_lock;

/**
 * fake_complain() - something has happened that never should
 * @what:	a string that stays
 *
 * What is looked at, always: the order of locks; that pages are used by who owns
 * them, freed once and pinned once; that waiting ends; what the hardware fetches
 * (its tables and queues are EL2's, its event queue is pinned host memory, and
 * stays so until it lets go); after take-over, each STE that it can reach, each
 * command that it runs and each register that is written.
 */
void fake_complain(const char *what)
{
	if (!fake->complaint)
		fake->complaint = what;
}

static void fake_step(void)
{
	if (fake->step)
		fake->step();
}

/* RAM */

struct fake_page *fake_page(phys_addr_t pa)
{
	unsigned int i, first = 0;

	for (i = 0; i < FAKE_NR_REGIONS; i++) {
		phys_addr_t base = ALIGN_DOWN(fake->region[i].base, PAGE_SIZE);
		unsigned int n = (ALIGN(fake->region[i].end, PAGE_SIZE) - base) >> PAGE_SHIFT;
		phys_addr_t off = pa - base;

		if (pa >= base && off >> PAGE_SHIFT < n)
			return &fake->pages[first + (off >> PAGE_SHIFT)];
		first += n;
	}

	return NULL;
}

static size_t ram_offset(phys_addr_t pa)
{
	struct fake_page *page = fake_page(pa);

	if (!page) {
		fake_complain("an address that is not RAM");
		return 0;
	}

	return ((page - fake->pages) << PAGE_SHIFT) + offset_in_page(pa);
}

void *fake_va(phys_addr_t pa)
{
	return fake->ram + ram_offset(pa);
}

u64 fake_get(phys_addr_t pa)
{
	return le64_to_cpu(*(__le64 *)fake_va(pa));
}

static void ram_put(phys_addr_t pa, u64 val)
{
	*(__le64 *)fake_va(pa) = cpu_to_le64(val);
}

void fake_put(phys_addr_t pa, u64 val)
{
	ram_put(pa, val);
	fake->unordered = true;
}

void fake_store(phys_addr_t pa, u64 val)
{
	*(__le64 *)(fake->cache + ram_offset(pa)) = cpu_to_le64(val);
	fake_page(pa)->dirty = fake->cache != fake->ram;
}

/* What the hardware or EL2 use as their own: where EL2 finds it */
static void *el2_mem(phys_addr_t pa, const char *what)
{
	struct fake_page *page = fake_page(pa);

	if (!page || page->owner != FAKE_EL2)
		fake_complain(what);
	else if (page->in_pool)
		fake_complain("a page is used that is free");

	return fake->cache + ram_offset(pa);
}

static u64 el2_get(phys_addr_t pa, const char *what)
{
	el2_mem(pa, what);
	return fake_get(pa);
}

phys_addr_t fake_page_pa(unsigned int nr)
{
	unsigned int i, n;

	for (i = 0; i < FAKE_NR_REGIONS; i++) {
		phys_addr_t base = ALIGN_DOWN(fake->region[i].base, PAGE_SIZE);

		n = (ALIGN(fake->region[i].end, PAGE_SIZE) - base) >> PAGE_SHIFT;
		if (nr < n)
			return base + ((phys_addr_t)nr << PAGE_SHIFT);
		nr -= n;
	}

	return 0;
}

phys_addr_t fake_alloc(size_t size, enum fake_owner owner)
{
	unsigned int n = ALIGN(size, PAGE_SIZE) >> PAGE_SHIFT, align = 1, i, j;

	while (align < n)
		align *= 2;

	/* From the top, so that the tests have pages of either region left */
	for (i = fake->nr_pages - n + 1; i-- > 0;) {
		phys_addr_t pa = fake_page_pa(i);

		if (!IS_ALIGNED(pa >> PAGE_SHIFT, align) ||
		    fake_page_pa(i + n - 1) - pa != (phys_addr_t)(n - 1) << PAGE_SHIFT)
			continue;
		for (j = 0; j < n && !fake->pages[i + j].allocated; j++)
			;
		if (j < n)
			continue;

		for (j = 0; j < n; j++)
			fake->pages[i + j].allocated = true;
		fake_give(pa, size, owner);
		return pa;
	}

	fake_complain("the test needs more RAM");
	return 0;
}

void fake_give(phys_addr_t pa, size_t size, enum fake_owner owner)
{
	phys_addr_t end = pa + size;

	for (; pa < end; pa += PAGE_SIZE) {
		struct fake_page *page = fake_page(pa);

		if (!page || page->pins)
			fake_complain("the test gives away what can't be given");
		else
			page->owner = owner;
	}
}

/* Locks */

static int lock_rank(const struct hyp_lock *lock)
{
	unsigned int i;

	if (lock == &own_lock)
		return 2;

	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		struct pkvm_smmu *smmu = fake->smmu[i].smmu;

		if (smmu && lock == &smmu->emu_lock)
			return 1;
		if (smmu && lock == &smmu->hwq.lock)
			return 3 + i;
	}

	return 0;
}

void hyp_lock(struct hyp_lock *lock)
{
	int rank = lock_rank(lock);

	if (!rank || lock->val || fake->nr_held >= ARRAY_SIZE(fake->held) ||
	    (fake->nr_held && fake->held[fake->nr_held - 1] >= rank)) {
		fake_complain("lock order");
		return;
	}

	fake_step();
	/* Other CPUs have it first */
	if (rank >= 3)
		fake->now += fake->lock_takes;
	lock->val = 1;
	fake->held[fake->nr_held++] = rank;
}

void hyp_unlock(struct hyp_lock *lock)
{
	if (!fake->nr_held || fake->held[fake->nr_held - 1] != lock_rank(lock)) {
		fake_complain("unlock order");
		return;
	}

	lock->val = 0;
	fake->nr_held--;
	fake_step();
}

void hyp_ownership_begin(void)
{
	if (!own_lock.val)
		fake_complain("the ownership lock is not held");
}

void hyp_ownership_end(void)
{
	hyp_ownership_begin();
}

void fake_own_lock(void)
{
	hyp_lock(&own_lock);
}

void fake_own_unlock(void)
{
	hyp_unlock(&own_lock);
}

/* The SMMU */

u32 fake_reg(const struct fake_smmu *s, u32 offset)
{
	return s->regs[offset / sizeof(u32)];
}

u64 fake_reg64(const struct fake_smmu *s, u32 offset)
{
	return fake_reg(s, offset) | (u64)fake_reg(s, offset + 4) << 32;
}

void fake_set_reg(struct fake_smmu *s, u32 offset, u32 val)
{
	s->regs[offset / sizeof(u32)] = val;
	if (offset == ARM_SMMU_IRQ_CTRL)
		s->irq_target = val;
}

bool fake_ste(struct fake_smmu *s, u32 sid, u64 *ste)
{
	u64 base = fake_reg64(s, ARM_SMMU_STRTAB_BASE) & GENMASK_ULL(51, 6);
	u32 cfg = fake_reg(s, ARM_SMMU_STRTAB_BASE_CFG);
	u32 bits = cfg & 0x3f, split = (cfg >> 6) & 0x1f, span;
	const __le64 *at;
	u64 desc;
	int i;

	memset(ste, 0, STRTAB_STE_DWORDS * sizeof(u64));
	if ((u64)sid >> bits)
		return false;

	if (((cfg >> 16) & 3) == 1) {
		base = ALIGN_DOWN(base, max(8ULL << (bits - split), 64ULL));
		desc = el2_get(base + (sid >> split) * 8, "level 1 of the table is not EL2's");
		span = desc & 0x1f;
		sid &= (1U << split) - 1;
		if (!span || span > split + 1 || sid >> (span - 1))
			return false;
		base = desc & GENMASK_ULL(51, 6);
		bits = span - 1;
	}

	base = ALIGN_DOWN(base, 64ULL << bits) + sid * 64ULL;
	el2_mem(base, "an STE is not in EL2's memory");
	at = fake_va(base);
	for (i = 0; i < STRTAB_STE_DWORDS; i++)
		ste[i] = le64_to_cpu(at[i]);

	return true;
}

bool fake_ste_is_safe(const struct fake_smmu *s, const u64 *ste)
{
	unsigned int config = (ste[0] >> 1) & 7;

	/* Stage 2 is EL2's, in whatever state; VMSPtr and the secure half are 0 */
	if (ste[2] != s->smmu->feat.s2_ste[0] || ste[3] != s->smmu->feat.s2_ste[1] ||
	    ste[4] || ste[5] || ste[6] || ste[7])
		return false;

	if (!(ste[0] & 1))
		return true;
	/* Abort, stage 2, or both stages */
	if (config != 0 && config != 6 && config != 7)
		return false;
	/* STRW, EATS, S2FWB */
	return !(ste[1] & (GENMASK_ULL(31, 30) | GENMASK_ULL(29, 28) | BIT_ULL(25)));
}

static void check_table(struct fake_smmu *s)
{
	u32 cfg = fake_reg(s, ARM_SMMU_STRTAB_BASE_CFG), sid;
	bool two_level = ((cfg >> 16) & 3) == 1;
	u64 ste[STRTAB_STE_DWORDS];

	for (sid = 0; !((u64)sid >> (cfg & 0x3f)); sid++) {
		if (fake_ste(s, sid, ste)) {
			if (!fake_ste_is_safe(s, ste))
				fake_complain("an STE that lets something pass");
		} else if (two_level) {
			sid |= (1U << ((cfg >> 6) & 0x1f)) - 1;
		}
	}
}

/* With pages of 64K, bits 15:12 of a descriptor are bits 51:48 of the address */
static u64 desc_addr(u64 desc, unsigned int page)
{
	return page == 16 ? (desc & GENMASK_ULL(47, 16)) | (desc >> 12 & 15) << 48 :
			    desc & GENMASK_ULL(47, 12);
}

bool fake_s2_walk(const u64 *s2, u64 ipa, struct fake_leaf *leaf)
{
	static const u8 page_shifts[] = { 12, 16, 14, 0 };
	unsigned int t0sz = (s2[0] >> 32) & 0x3f, sl0 = (s2[0] >> 38) & 3;
	unsigned int tg = (s2[0] >> 46) & 3, page = page_shifts[tg], shift, bits;
	int level = (tg ? 3 : 2) - sl0;
	u64 table = s2[1] & GENMASK_ULL(51, 4), desc;
	bool has_52_bits = page == 16 && (s2[0] >> 48 & 7) == 6;

	if (!page || t0sz < (has_52_bits ? 12 : 16) || t0sz > 32 || level < 0 || ipa >> (64 - t0sz))
		return false;

	shift = page + (3 - level) * (page - 3);
	bits = 64 - t0sz - shift;
	if (bits > page - 3 + 4 || (table & ((8ULL << bits) - 1)))
		return false;

	for (;; level++) {
		desc = el2_get(table + ((ipa >> shift) & ((1ULL << bits) - 1)) * 8,
			       "stage 2 is not in EL2's memory");
		if (!(desc & 1))
			return false;
		if (level == 3 || !(desc & 2))
			break;
		table = desc_addr(desc, page);
		bits = page - 3;
		shift -= bits;
	}

	/* A leaf where there can be one, and of an aligned address */
	if ((level == 3 && !(desc & 2)) || level < (page == 12 || has_52_bits ? 1 : 2) ||
	    (desc_addr(desc, page) & ((1ULL << shift) - 1)))
		return false;

	leaf->level = level;
	leaf->desc = desc;
	leaf->pa = desc_addr(desc, page) | (ipa & ((1ULL << shift) - 1));
	return true;
}

/* What an SMMU that is EL2's may be told to do */
static void check_cmd(const struct fake_smmu *s, const u64 *cmd)
{
	bool ril = fake_reg(s, ARM_SMMU_IDR3) >> 10 & 1;
	u64 ttl_num_scale = (cmd[1] & GENMASK_ULL(9, 8)) |
			    (cmd[0] & (GENMASK_ULL(16, 12) | GENMASK_ULL(25, 20)));
	u64 tg = (cmd[1] >> 10) & 3, ttl = (cmd[1] >> 8) & 3;
	u64 sid_bits = fake_reg(s, ARM_SMMU_IDR1) & 0x3f;
	bool asid16 = fake_reg(s, ARM_SMMU_IDR0) >> 12 & 1;

	switch (cmd[0] & 0xff) {
	case 0x04: /* CFGI_STE_RANGE, CFGI_ALL */
		break;
	case 0x44: /* RESUME */
	case 0x45: /* STALL_TERM */
		if ((fake_reg(s, ARM_SMMU_IDR0) >> 24 & 3) == 1)
			fake_complain("stalls of an SMMU that has none");
		fallthrough;
	case 0x03: /* CFGI_STE */
	case 0x05: /* CFGI_CD */
	case 0x06: /* CFGI_CD_ALL */
		if (cmd[0] >> 32 >> sid_bits)
			fake_complain("a stream that is out of range");
		break;
	case 0x12: /* TLBI_NH_VA */
	case 0x13: /* TLBI_NH_VAA */
	case 0x2a: /* TLBI_S2_IPA */
		if (!!tg != !!ttl_num_scale || (tg && !ril))
			fake_complain("a reserved encoding of a range");
		/* The host does not see IDR5.DS, so it does not mean them */
		if ((tg == 2 && ttl == 1) || cmd[0] & BIT_ULL(25))
			fake_complain("a range that means something else with DS");
		fallthrough;
	case 0x10: /* TLBI_NH_ALL */
	case 0x11: /* TLBI_NH_ASID */
	case 0x28: /* TLBI_S12_VMALL */
		if (!asid16 && cmd[0] >> 56)
			fake_complain("an ASID that is out of range");
		if ((cmd[0] >> 32) & 0xffff)
			fake_complain("a VMID that is not EL2's");
		break;
	case 0x46: /* CMD_SYNC: the interrupt is a wired one */
		if ((cmd[0] & ~BIT_ULL(12)) != 0x46 || cmd[1])
			fake_complain("a CMD_SYNC that is not EL2's");
		break;
	default:
		if (s->armed)
			fake_complain("a command that is not for the host");
	}
	if (cmd[0] & BIT_ULL(10))
		fake_complain("a command for the secure state");
}

static bool run_one(struct fake_smmu *s)
{
	u64 base = fake_reg64(s, ARM_SMMU_CMDQ_BASE);
	u32 entries = 1U << (base & 0x1f), wrap = 2 * entries - 1;
	u32 prod = fake_reg(s, ARM_SMMU_CMDQ_PROD) & wrap;
	u32 cons = fake_reg(s, ARM_SMMU_CMDQ_CONS), idx = cons & (entries - 1);
	struct fake_leaf leaf;
	struct fake_run run;

	if (!(fake_reg(s, ARM_SMMU_CR0ACK) & CR0_CMDQEN) || prod == (cons & wrap) ||
	    ((fake_reg(s, ARM_SMMU_GERROR) ^ fake_reg(s, ARM_SMMU_GERRORN)) & 1))
		return false;

	if (((prod - cons) & wrap) > entries)
		fake_complain("CMDQ_PROD is too far ahead");

	base = ALIGN_DOWN(base & GENMASK_ULL(51, 5), max(16ULL << (base & 0x1f), 32ULL));
	run.cmd[0] = el2_get(base + idx * 16ULL, "the command queue is not EL2's");
	run.cmd[1] = el2_get(base + idx * 16ULL + 8, "the command queue is not EL2's");

	/* No SMMU knows opcode 0; EL2 uses it, with no operands */
	if (s->armed && !(run.cmd[0] & 0xff) && (run.cmd[0] || run.cmd[1]))
		fake_complain("a command that is not for the host");
	if (!(run.cmd[0] & 0xff) || (s->bad_times && (run.cmd[0] & 0xff) == s->bad_op)) {
		if (run.cmd[0] & 0xff)
			s->bad_times--;
		if (fake_reg(s, ARM_SMMU_IRQ_CTRL) & 1)
			s->nr_gerror_irqs++;
		fake_set_reg(s, ARM_SMMU_CMDQ_CONS, (cons & wrap) |
			     (u32)(run.cmd[0] & 0xff ? s->bad_code : 1) << 24);
		fake_set_reg(s, ARM_SMMU_GERROR, fake_reg(s, ARM_SMMU_GERROR) ^ 1);
		return false;
	}

	check_cmd(s, run.cmd);
	if (s->armed)
		check_table(s);
	run.ste_found = fake_ste(s, fake->watch_sid, run.ste);
	run.mapped = s->armed && fake_s2_walk(s->smmu->feat.s2_ste, fake->watch_ipa, &leaf);
	if (s->nr_runs < FAKE_NR_RUNS)
		s->runs[s->nr_runs] = run;
	s->nr_runs++;
	if (fake->ran)
		fake->ran(s, run.cmd);
	fake_set_reg(s, ARM_SMMU_CMDQ_CONS, (cons + 1) & wrap);

	return true;
}

static void acknowledge(struct fake_smmu *s)
{
	u32 gbpa = fake_reg(s, ARM_SMMU_GBPA);

	if (gbpa & GBPA_UPDATE) {
		s->gbpa = gbpa & ~GBPA_UPDATE;
		fake_set_reg(s, ARM_SMMU_GBPA, s->gbpa);
		return;
	}
	fake_set_reg(s, ARM_SMMU_CR0ACK, fake_reg(s, ARM_SMMU_CR0));
	fake_set_reg(s, ARM_SMMU_IRQ_CTRLACK, s->irq_target);
	if (!(fake_reg(s, ARM_SMMU_CR0ACK) & CR0_SMMUEN))
		s->stalled = 0;
}

void fake_reset(struct fake_smmu *s, u32 cr0)
{
	fake_set_reg(s, ARM_SMMU_CR0, fake_reg(s, ARM_SMMU_CR0) & ~cr0);
	fake_set_reg(s, ARM_SMMU_CR0ACK, fake_reg(s, ARM_SMMU_CR0ACK) & ~cr0);
	fake_set_reg(s, ARM_SMMU_IRQ_CTRL, 0);
	fake_set_reg(s, ARM_SMMU_IRQ_CTRLACK, 0);
	fake_set_reg(s, ARM_SMMU_GBPA, 0x1000);
	s->gbpa = 0x1000;
}

void fake_run_all(struct fake_smmu *s)
{
	/* GBPA, and the others */
	acknowledge(s);
	acknowledge(s);
	while (run_one(s))
		;
}

static phys_addr_t evtq_base(const struct fake_smmu *s, size_t *size)
{
	u64 base = fake_reg64(s, ARM_SMMU_EVTQ_BASE);

	*size = 32ULL << (base & 0x1f);
	return ALIGN_DOWN(base & GENMASK_ULL(51, 5), *size);
}

static void check_evtq(const struct fake_smmu *s)
{
	size_t size;
	phys_addr_t pa = evtq_base(s, &size), end = pa + size;

	if ((fake_reg(s, ARM_SMMU_EVTQ_BASE) & 0x1f) >
	    ((fake_reg(s, ARM_SMMU_IDR1) >> 16) & 0x1f))
		fake_complain("an event queue that is larger than there can be");

	for (pa = ALIGN_DOWN(pa, PAGE_SIZE); pa < end; pa += PAGE_SIZE) {
		struct fake_page *page = fake_page(pa);

		if (!page || page->owner != FAKE_HOST || !page->pins) {
			fake_complain("an event queue in memory that is not pinned");
			return;
		}
	}
}

bool fake_event(struct fake_smmu *s, u64 dword0)
{
	u32 prod = fake_reg(s, FAKE_EVTQ_PROD), wrap;
	size_t size;
	phys_addr_t pa = evtq_base(s, &size);

	wrap = 2 * (size / 32) - 1;
	if (!(fake_reg(s, ARM_SMMU_CR0ACK) & CR0_EVTQEN))
		return false;
	if (((prod - fake_reg(s, FAKE_EVTQ_CONS)) & wrap) >= size / 32) {
		/* Once, until the host has acknowledged it in CONS */
		if (!((prod ^ fake_reg(s, FAKE_EVTQ_CONS)) & FAKE_OVFLG))
			fake_set_reg(s, FAKE_EVTQ_PROD, prod ^ FAKE_OVFLG);
		return false;
	}

	check_evtq(s);
	ram_put(pa + (prod & (wrap / 2)) * 32ULL, dword0);
	fake_set_reg(s, FAKE_EVTQ_PROD, ((prod + 1) & wrap) | (prod & FAKE_OVFLG));
	return true;
}

/* An MSI goes to MMIO that is the host's. @irq is what enables it */
static void check_msi(const struct fake_smmu *s, u32 irq, u64 addr)
{
	u32 on = fake_reg(s, ARM_SMMU_IRQ_CTRL) | fake_reg(s, ARM_SMMU_IRQ_CTRLACK) |
		 s->irq_target;
	unsigned int i;

	if (!(fake_reg(s, ARM_SMMU_IDR0) & IDR0_MSI))
		fake_complain("an MSI of an SMMU that has none");
	if (on & irq)
		fake_complain("an MSI is changed while it is on");

	for (i = 0; i < FAKE_NR_REGIONS; i++) {
		if (addr && addr >= fake->region[i].base && addr < fake->region[i].end)
			fake_complain("an MSI to memory");
	}
	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		if (fake->smmu[i].taken && addr >= FAKE_MMIO(i) && addr < FAKE_MMIO(i + 1))
			fake_complain("an MSI to an SMMU");
	}
}

/* SMMUEN is cleared to end stalls only, and where no stream passes nevertheless */
static void check_may_be_off(struct fake_smmu *s)
{
	u64 ste[STRTAB_STE_DWORDS];
	u32 sid;

	if ((fake_reg(s, ARM_SMMU_IDR0) >> 24 & 3) != 0 || !(s->gbpa & BIT(20)))
		fake_complain("SMMUEN is cleared");
	for (sid = 0; sid < 64; sid++) {
		if (fake_ste(s, sid, ste) && ste[0] & 1)
			fake_complain("SMMUEN is cleared, and an STE is valid");
	}
}

/* After take-over: no write may open anything, whatever the host has done */
static void check_write(struct fake_smmu *s, u32 offset, u64 val)
{
	u32 enabled = fake_reg(s, ARM_SMMU_CR0) | fake_reg(s, ARM_SMMU_CR0ACK);
	u32 ats = fake_reg(s, ARM_SMMU_IDR0) & IDR0_ATS ? CR0_ATSCHK : 0;

	switch (offset) {
	case ARM_SMMU_CR0:
		if ((val & ~CR0_EVTQEN & ~CR0_SMMUEN) != (CR0_CMDQEN | ats))
			fake_complain("CR0 is not as EL2 wants it");
		if (!(val & CR0_SMMUEN))
			check_may_be_off(s);
		if (!(fake_reg(s, ARM_SMMU_CR0) & CR0_CMDQEN))
			fake_complain("an SMMU that was reset is enabled again");
		if (val & CR0_EVTQEN)
			check_evtq(s);
		break;
	case ARM_SMMU_EVTQ_BASE:
	case FAKE_EVTQ_PROD:
		if (enabled & CR0_EVTQEN)
			fake_complain("the event queue is changed while it is on");
		break;
	case ARM_SMMU_IRQ_CTRL:
		if (val & ~5ULL)
			fake_complain("an interrupt that is not for the host");
		break;
	case ARM_SMMU_GERROR_IRQ_CFG0:
		check_msi(s, 1, val);
		break;
	case ARM_SMMU_EVTQ_IRQ_CFG0:
		check_msi(s, 4, val);
		break;
	case ARM_SMMU_GERROR_IRQ_CFG1:
		check_msi(s, 1, 0);
		break;
	case ARM_SMMU_EVTQ_IRQ_CFG1:
		check_msi(s, 4, 0);
		break;
	case ARM_SMMU_GERROR_IRQ_CFG2:
	case ARM_SMMU_EVTQ_IRQ_CFG2:
		if (val != 1)
			fake_complain("an MSI that isn't a write to a device");
		break;
	case ARM_SMMU_CMDQ_PROD:
	case ARM_SMMU_GERRORN:
	case FAKE_EVTQ_CONS:
		break;
	default:
		fake_complain("a register that is EL2's is written");
	}
}

static struct fake_smmu *mmio_find(const void __iomem *addr, unsigned int size, u32 *offset)
{
	unsigned int i;

	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		struct fake_smmu *s = &fake->smmu[i];

		*offset = (uintptr_t)addr - (uintptr_t)s->regs;
		if ((uintptr_t)addr >= (uintptr_t)s->regs && *offset < sizeof(s->regs)) {
			if (!s->taken || !IS_ALIGNED(*offset, size))
				break;
			return s;
		}
	}

	fake_complain("an access to registers that aren't there");
	*offset = 0;
	return &fake->smmu[0];
}

static void mmio_write(void __iomem *addr, unsigned int size, u64 val)
{
	u32 offset, busy = 0;
	struct fake_smmu *s = mmio_find(addr, size, &offset);

	if (s->armed)
		check_write(s, offset, val);
	/* What makes the SMMU look at its queue: what is there must be there by then */
	if (offset == ARM_SMMU_CMDQ_PROD ||
	    (offset == ARM_SMMU_GERRORN && (val ^ fake_reg(s, offset)) & GERROR_CMDQ_ERR)) {
		if (s->armed && s->barriers == fake->barriers)
			fake_complain("the SMMU is told of what it may not see yet");
		s->barriers = fake->barriers;
	}
	if (s->nr_writes < FAKE_NR_WRITES) {
		s->writes[s->nr_writes].offset = offset;
		s->writes[s->nr_writes].val = val;
	}
	s->nr_writes++;
	if (s->dies_after && s->nr_writes > s->dies_after)
		s->stuck = true;

	/*
	 * A field must not change while its last change is under way (6.3.9, 6.3.16). What
	 * SMMUv3.2 does then, if it doesn't cease the Update: it ignores the new value.
	 */
	if (offset == ARM_SMMU_CR0 &&
	    (val ^ fake_reg(s, ARM_SMMU_CR0)) &
	    (fake_reg(s, ARM_SMMU_CR0) ^ fake_reg(s, ARM_SMMU_CR0ACK)))
		fake_complain("CR0 changes while an Update is under way");
	if (offset == ARM_SMMU_IRQ_CTRL) {
		busy = s->irq_target ^ fake_reg(s, ARM_SMMU_IRQ_CTRLACK);
		if ((val ^ s->irq_target) & busy)
			fake_complain("IRQ_CTRL changes while an Update is under way");
		busy &= val ^ s->irq_target;
	}
	fake_set_reg(s, offset, val);
	s->irq_target ^= busy;
	if (size == 8)
		fake_set_reg(s, offset + 4, val >> 32);
	if (!s->slow && !s->stuck)
		fake_run_all(s);
}

u32 hyp_readl(const void __iomem *addr)
{
	u32 offset;
	struct fake_smmu *s = mmio_find(addr, 4, &offset);

	return fake_reg(s, offset);
}

void hyp_writel(u32 val, void __iomem *addr)
{
	mmio_write(addr, 4, val);
}

void hyp_writeq(u64 val, void __iomem *addr)
{
	mmio_write(addr, 8, val);
}

void hyp_trace(u8 what, phys_addr_t smmu, u64 arg0, u64 arg1)
{
	if (what >= PKVM_SMMU_TRAPS || smmu < FAKE_MMIO(0) ||
	    smmu > FAKE_MMIO(FAKE_NR_SMMUS - 1))
		fake_complain("something strange is traced");
	else
		fake->traced[what]++;
}

void hyp_wmb(void)
{
	fake_step();
	fake->barriers++;
}

void hyp_clean_to_memory(const void *va, size_t size)
{
	size_t off = (const u8 *)va - fake->cache;
	size_t end = ALIGN(off + size, FAKE_LINE);

	off = ALIGN_DOWN(off, FAKE_LINE);
	if (end > (size_t)fake->nr_pages << PAGE_SHIFT ||
	    fake->pages[off >> PAGE_SHIFT].owner != FAKE_EL2)
		fake_complain("EL2 cleans what isn't its own");
	else if (fake->cache != fake->ram)
		memcpy(fake->ram + off, fake->cache + off, end - off);
	fake_step();
}

void hyp_clean_ram(phys_addr_t start, phys_addr_t end)
{
	struct fake_leaf leaf;
	size_t off;

	if (!fake->nr_held || fake->held[fake->nr_held - 1] != lock_rank(&own_lock))
		fake_complain("RAM is cleaned that others may be giving away");

	for (; start < end; start += PAGE_SIZE) {
		struct fake_page *page = fake_page(start);

		if (!page || !page->dirty)
			continue;
		off = ram_offset(start);
		if (fake_s2_walk(fake->smmu[0].smmu->feat.s2_ste, start, &leaf))
			fake_complain("devices reach a page that isn't clean yet");
		memcpy(fake->ram + off, fake->cache + off, PAGE_SIZE);
		page->dirty = false;
	}
}

void hyp_rmb(void)
{
}

void hyp_host_mb(void)
{
	fake->unordered = false;
}

/* To go by what the host has stored is to wait for it first */
static void check_order(void)
{
	if (hyp_incoherent && fake->unordered)
		fake_complain("EL2 reads what the host may not have written yet");
}

void hyp_relax(void)
{
	unsigned int i;
	u64 took = 0;

	fake_step();
	if (fake->relaxed++ == FAKE_FOREVER)
		fake_complain("waiting without end");
	if (fake->meanwhile)
		fake->meanwhile();

	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		struct fake_smmu *s = &fake->smmu[i];

		/* End it: the test has failed */
		if (fake->relaxed > FAKE_FOREVER) {
			s->stuck = false;
			s->bad_times = 0;
		}
		if (s->stuck || !s->taken)
			continue;
		if (s->resting) {
			s->resting--;
			continue;
		}
		/* Not everything at once, but all SMMUs at the same time */
		if (run_one(s))
			took = max(took, s->delay);
		else
			acknowledge(s);
		s->resting = s->rest;
	}
	fake->now += took;
}

u64 hyp_now(void)
{
	return fake->now += FAKE_TICKS;
}

u64 hyp_ticks(u64 us)
{
	return us;
}

/* Memory */

phys_addr_t hyp_virt_to_phys(const void *va)
{
	size_t off = (const u8 *)va - fake->cache;
	phys_addr_t pa;

	if (off >> PAGE_SHIFT >= fake->nr_pages) {
		fake_complain("the physical address of something that is not RAM");
		return 0;
	}

	pa = fake_page_pa(off >> PAGE_SHIFT) + offset_in_page(off);
	el2_mem(pa, "the physical address of something that is not EL2's");
	return pa;
}

void *hyp_phys_to_virt(phys_addr_t pa)
{
	return el2_mem(pa, "EL2 goes to memory that it doesn't own");
}

int hyp_mmio_take(phys_addr_t base, size_t size, void *cookie, void __iomem **va)
{
	unsigned int i;

	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		struct fake_smmu *s = &fake->smmu[i];

		if (s->taken || base != FAKE_MMIO(i) || size != PKVM_SMMU_MIN_MMIO_SIZE)
			continue;
		s->taken = true;
		s->smmu = cookie;
		*va = (void __iomem *)s->regs;
		return 0;
	}

	return -EINVAL;
}

bool hyp_mmio_next(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end)
{
	unsigned int i;

	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		*base = FAKE_MMIO(i);
		*end = *base + PKVM_SMMU_MIN_MMIO_SIZE;
		if (fake->smmu[i].taken && *end > pa)
			return true;
	}

	return false;
}

int hyp_mem_take(phys_addr_t base, size_t size, void **va)
{
	phys_addr_t pa;

	if (!size || !IS_ALIGNED(base | size, PAGE_SIZE))
		return -EINVAL;
	for (pa = base; pa - base < size; pa += PAGE_SIZE) {
		struct fake_page *page = fake_page(pa);

		if (!page || page->owner != FAKE_HOST || page->shared || page->pins)
			return -EPERM;
	}

	fake_give(base, size, FAKE_EL2);
	/* What isn't cleaned is not what EL2 would have it be */
	if (fake->cache != fake->ram)
		memset(fake_va(base), 0xff, size);
	*va = fake->cache + ram_offset(base);
	memset(*va, 0, size);
	hyp_clean(*va, size);
	return 0;
}

void hyp_pool_count_in(struct pkvm_smmu_pool_counts *counts)
{
	fake->pool_counts = counts;
}

static void count_pool(void)
{
	fake->pool_counts->all = fake->pool_pages;
	fake->pool_counts->used = fake->pool_used;
	fake->pool_counts->peak = fake->pool_peak;
}

int hyp_pool_add(phys_addr_t base, size_t size)
{
	phys_addr_t pa;

	for (pa = base; pa - base < size; pa += PAGE_SIZE) {
		el2_mem(pa, "a pool of memory that is not EL2's");
		fake_page(pa)->in_pool = true;
		fake->pool_pages++;
	}
	count_pool();

	return 0;
}

void *hyp_pages_alloc(u8 order)
{
	unsigned int i, j, n = 1U << order;
	void *va;

	if (fake->pool_left < n)
		return NULL;

	for (i = 0; i + n <= fake->nr_pages; i++) {
		if (!IS_ALIGNED(fake_page_pa(i) >> PAGE_SHIFT, n))
			continue;
		for (j = 0; j < n && fake->pages[i + j].in_pool; j++)
			;
		if (j < n)
			continue;

		for (j = 0; j < n; j++)
			fake->pages[i + j].in_pool = false;
		fake->pool_used += n;
		fake->pool_peak = max(fake->pool_peak, fake->pool_used);
		fake->pool_left -= n;
		count_pool();
		va = fake->cache + ((size_t)i << PAGE_SHIFT);
		memset(va, 0, (size_t)n << PAGE_SHIFT);
		hyp_clean(va, (size_t)n << PAGE_SHIFT);
		return va;
	}

	return NULL;
}

void *hyp_page_alloc(void)
{
	fake_step();
	return hyp_pages_alloc(0);
}

void hyp_page_free(void *page)
{
	struct fake_page *p = fake_page(hyp_virt_to_phys(page));

	if (!p || p->in_pool || offset_in_page((u8 *)page - fake->cache)) {
		fake_complain("freed what was not out");
		return;
	}
	p->in_pool = true;
	fake->pool_used--;
	fake->pool_left++;
	count_pool();
	fake_step();
}

int hyp_host_pin(phys_addr_t base, size_t size, void **va)
{
	phys_addr_t start = ALIGN_DOWN(base, PAGE_SIZE), end = ALIGN(base + size, PAGE_SIZE);
	struct fake_page *page;
	phys_addr_t pa;
	int ret = 0;

	fake_own_lock();
	for (pa = start; pa < end && !ret; pa += PAGE_SIZE) {
		page = fake_page(pa);
		if (!page || page->owner != FAKE_HOST || page->shared || page->pins)
			ret = -EPERM;
	}
	for (pa = start; pa < end && !ret; pa += PAGE_SIZE) {
		fake_page(pa)->shared = true;
		fake_page(pa)->pins++;
		fake->pins++;
	}
	fake_own_unlock();

	if (!ret)
		*va = fake->cache + ram_offset(base);
	return ret;
}

void hyp_host_unpin(phys_addr_t base, size_t size)
{
	phys_addr_t pa = ALIGN_DOWN(base, PAGE_SIZE), end = ALIGN(base + size, PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		struct fake_smmu *s = &fake->smmu[i];
		u32 enabled = fake_reg(s, ARM_SMMU_CR0) | fake_reg(s, ARM_SMMU_CR0ACK);
		size_t evtq_size;
		phys_addr_t evtq = evtq_base(s, &evtq_size);

		if ((enabled & CR0_EVTQEN) && evtq < end && evtq + evtq_size > pa)
			fake_complain("unpinned while the SMMU still writes there");
	}

	fake_own_lock();
	for (; pa < end; pa += PAGE_SIZE) {
		struct fake_page *page = fake_page(pa);

		if (!page || !page->pins) {
			fake_complain("unpinned what was not pinned");
			continue;
		}
		page->pins--;
		page->shared = false;
		fake->pins--;
	}
	fake_own_unlock();
}

u64 hyp_host_read(const __le64 *word)
{
	__le64 *at = (__le64 *)(fake->ram + ((const u8 *)word - fake->cache));
	u64 val = le64_to_cpu(*at);

	check_order();
	if (fake->flip)
		*at = ~*at;

	return val;
}

static bool any_snoops(void)
{
	u32 i;

	for (i = 0; i < fake->config.nr_smmus; i++) {
		if (fake->config.smmus[i].coherent)
			return true;
	}

	return false;
}

void hyp_host_write(__le32 *word, u32 val)
{
	size_t off = (const u8 *)word - fake->cache;

	if (off >> PAGE_SHIFT >= fake->nr_pages || off % sizeof(*word) ||
	    fake->pages[off >> PAGE_SHIFT].owner != FAKE_HOST ||
	    !fake->pages[off >> PAGE_SHIFT].pins)
		fake_complain("EL2 writes to what is not pinned");
	else if (!any_snoops())
		fake_complain("EL2 writes to what the host may be writing to, in its cache");
	else
		*word = cpu_to_le32(val);
}

int hyp_host_put(phys_addr_t dst, u32 val)
{
	struct fake_page *page = fake_page(dst);
	int ret = -EPERM;

	if (!IS_ALIGNED(dst, 4))
		return -EINVAL;

	fake_own_lock();
	if (page && page->owner == FAKE_HOST && !page->shared) {
		*(__le32 *)fake_va(dst) = cpu_to_le32(val);
		ret = 0;
	}
	fake_own_unlock();

	return ret;
}

int hyp_host_copy(void *dst, phys_addr_t src, size_t size)
{
	struct fake_page *page = fake_page(src);
	u64 *from, *to = dst;
	int ret = -EPERM;

	if (!IS_ALIGNED(src | size, 8) || offset_in_page(src) + size > PAGE_SIZE)
		fake_complain("a copy across a page, or of half a word");

	fake->copies++;
	check_order();
	fake_own_lock();
	if (page && page->owner == FAKE_HOST && !page->shared) {
		for (from = fake_va(src); size; size -= 8, from++) {
			*to++ = *from;
			if (fake->flip)
				*from = ~*from;
		}
		ret = 0;
	}
	fake_own_unlock();

	return ret;
}

bool hyp_ram_region(unsigned int i, phys_addr_t *base, phys_addr_t *end)
{
	if (i >= FAKE_NR_REGIONS || !fake->region[i].end)
		return false;

	*base = fake->region[i].base;
	*end = fake->region[i].end;
	return true;
}

bool hyp_host_ram_next(phys_addr_t pa, phys_addr_t end, phys_addr_t *from, phys_addr_t *to)
{
	for (; pa < end; pa += PAGE_SIZE) {
		if (fake_page(pa)->owner == FAKE_HOST)
			break;
	}
	*from = pa;
	for (; pa < end; pa += PAGE_SIZE) {
		if (fake_page(pa)->owner != FAKE_HOST)
			break;
	}
	*to = pa;

	return *from < end;
}

/* The machine */

int fake_init(unsigned int nr_pages)
{
	unsigned int i;

	fake = vzalloc(sizeof(*fake));
	if (!fake)
		return -ENOMEM;
	fake->pages = vzalloc(nr_pages * sizeof(*fake->pages));
	fake->ram = vzalloc((size_t)nr_pages << PAGE_SHIFT);
	fake->cache = fake->ram;
	if (fake_incoherent)
		fake->cache = vzalloc((size_t)nr_pages << PAGE_SHIFT);
	if (!fake->pages || !fake->ram || !fake->cache) {
		fake_exit();
		return -ENOMEM;
	}

	fake->nr_pages = nr_pages;
	fake->region[0].base = FAKE_RAM_A;
	fake->region[0].end = FAKE_RAM_A + (nr_pages - FAKE_RAM_B_PAGES) * PAGE_SIZE;
	fake->region[1].base = FAKE_RAM_B;
	fake->region[1].end = FAKE_RAM_B + FAKE_RAM_B_PAGES * PAGE_SIZE;
	fake->pool_left = nr_pages;
	fake->sid_bits = 12;
	fake->config.nr_smmus = 1;
	fake->pool_counts = &fake->uncounted;
	fake->config.nr_chunks = 1;

	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		struct fake_smmu *s = &fake->smmu[i];

		s->bad_code = CMDQ_ERR_CERROR_ILL_IDX;
		fake->config.smmus[i].mmio.base = FAKE_MMIO(i);
		fake->config.smmus[i].mmio.size = PKVM_SMMU_MIN_MMIO_SIZE;
		fake->config.smmus[i].coherent = !fake_incoherent;
		/* Both stages, AArch64, coherent, CD2L, ASID16, no stalls, 2-level */
		fake_set_reg(s, ARM_SMMU_IDR0, 0x0948101b);
		/* 4096 commands, 8192 events, 8 bits of SSID, 12 bits of SID */
		fake_set_reg(s, ARM_SMMU_IDR1, 12 << 21 | 13 << 16 | 8 << 6 | 12);
		/* RIL, BBM level 2, HAD */
		fake_set_reg(s, ARM_SMMU_IDR3, 0x1404);
		/* All granules, 40 bits */
		fake_set_reg(s, ARM_SMMU_IDR5, 0x72);
		fake_set_reg(s, ARM_SMMU_GBPA, 0x1000);
		s->gbpa = 0x1000;
	}

	return 0;
}

void fake_exit(void)
{
	unsigned int i;

	/* As if EL2 had never started: its state is static, and starts as zeros */
	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		if (fake->smmu[i].smmu)
			memset(fake->smmu[i].smmu, 0, sizeof(*fake->smmu[i].smmu));
	}
	own_lock.val = 0;
	hyp_incoherent = false;

	if (fake->cache != fake->ram)
		vfree(fake->cache);
	vfree(fake->ram);
	vfree(fake->pages);
	vfree(fake);
	fake = NULL;
}

/* What EL1 sets aside, unless the test has done so */
static void set_aside(struct pkvm_smmu_mem *mem, size_t size)
{
	if (mem->size)
		return;
	mem->size = max_t(size_t, size, PAGE_SIZE);
	mem->base = fake_alloc(mem->size, FAKE_HOST);
}

int fake_boot(void)
{
	struct pkvm_smmu_config *cfg = &fake->config;
	unsigned int i;
	int ret;

	set_aside(&cfg->pool[0], 64 * PAGE_SIZE);
	set_aside(&cfg->shared, sizeof(struct pkvm_smmu_shared));
	for (i = 0; i < cfg->nr_smmus && i < FAKE_NR_SMMUS; i++) {
		u32 idr0 = fake_reg(&fake->smmu[i], ARM_SMMU_IDR0);

		set_aside(&cfg->smmus[i].cmdq, 16 << PKVM_SMMU_CMDQ_SHIFT);
		if (((idr0 >> 27) & 3) == 1 && fake->sid_bits > PKVM_SMMU_STRTAB_SPLIT)
			set_aside(&cfg->smmus[i].strtab,
				  8ULL << (fake->sid_bits - PKVM_SMMU_STRTAB_SPLIT));
		else
			set_aside(&cfg->smmus[i].strtab, 64ULL << fake->sid_bits);
	}

	ret = pkvm_smmu_init(cfg);
	/* Those of cfg->shared stay for good */
	fake->pins = 0;
	for (i = 0; i < FAKE_NR_SMMUS; i++) {
		struct fake_smmu *s = &fake->smmu[i];

		s->armed = !ret && s->taken;
		if (!ret && s->armed)
			check_table(s);
	}

	return ret;
}
