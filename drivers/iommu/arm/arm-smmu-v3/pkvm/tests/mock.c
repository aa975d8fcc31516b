// SPDX-License-Identifier: GPL-2.0-only
/*
 * See mock.h. Opcodes and fields are those of arch.h, not of arm-smmu-v3.h.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "mock.h"

/* EL2 never polls so often, unless it waits without end */
#define MOCK_FOREVER	300000
#define MOCK_TICKS	100

/* EVTQ_PROD.OVFLG and EVTQ_CONS.OVACKFLG */
#define MOCK_OVFLG	T_EVTQ_OVFLG

/* Both stages, AArch64, coherent, CD2L, ASID16, no stalls, 2-level */
#define MOCK_IDR0	0x0948101b

#define CR0_ON		(CR0_SMMUEN | CR0_CMDQEN)

/* Size of a cache line */
#define MOCK_LINE	64

struct mock *mock;
bool mock_incoherent;
unsigned int mock_nr_smmus = MOCK_NR_SMMUS;

bool hyp_incoherent;

static struct hyp_lock own_lock;

/**
 * mock_complain() - something has happened that never should
 * @what:	a string literal
 *
 * The mock always checks:
 *
 * - the order of locks;
 * - that whoever uses a page owns it, and that pages are freed and pinned once;
 * - that waits end;
 * - that the hardware's tables and queues are EL2's memory, and that its event
 *   queue is pinned until the hardware has acknowledged that it is off;
 * - after take-over: each STE that the hardware can reach, each command that it
 *   runs, and each write of a register;
 * - after take-over: that no PMCG can write an MSI.
 */
void mock_complain(const char *what)
{
	if (!mock->complaint)
		mock->complaint = what;
}

static void mock_step(void)
{
	if (mock->step)
		mock->step();
}

/* RAM */

struct mock_page *mock_page(phys_addr_t pa)
{
	unsigned int i, first = 0;

	for (i = 0; i < MOCK_NR_REGIONS; i++) {
		phys_addr_t base = ALIGN_DOWN(mock->region[i].base, PAGE_SIZE);
		unsigned int n =
			(ALIGN(mock->region[i].end, PAGE_SIZE) - base) >>
			PAGE_SHIFT;
		phys_addr_t off = pa - base;

		if (pa >= base && off >> PAGE_SHIFT < n)
			return &mock->pages[first + (off >> PAGE_SHIFT)];
		first += n;
	}

	return NULL;
}

static size_t ram_offset(phys_addr_t pa)
{
	struct mock_page *page = mock_page(pa);

	if (!page) {
		mock_complain("an address that is not RAM");
		return 0;
	}

	return ((page - mock->pages) << PAGE_SHIFT) + offset_in_page(pa);
}

void *mock_va(phys_addr_t pa)
{
	return mock->ram + ram_offset(pa);
}

u64 mock_get(phys_addr_t pa)
{
	return le64_to_cpu(*(__le64 *)mock_va(pa));
}

static void ram_put(phys_addr_t pa, u64 val)
{
	*(__le64 *)mock_va(pa) = cpu_to_le64(val);
}

void mock_put(phys_addr_t pa, u64 val)
{
	ram_put(pa, val);
	mock->unordered = true;
}

void mock_store(phys_addr_t pa, u64 val)
{
	*(__le64 *)(mock->cache + ram_offset(pa)) = cpu_to_le64(val);
	mock_page(pa)->dirty = mock->cache != mock->ram;
}

/* Memory that must be EL2's, through EL2's cache */
static void *el2_mem(phys_addr_t pa, const char *what)
{
	struct mock_page *page = mock_page(pa);

	if (!page || page->owner != MOCK_EL2)
		mock_complain(what);
	else if (page->in_pool)
		mock_complain("a page is used that is free");

	return mock->cache + ram_offset(pa);
}

static u64 el2_get(phys_addr_t pa, const char *what)
{
	el2_mem(pa, what);
	return mock_get(pa);
}

phys_addr_t mock_page_pa(unsigned int nr)
{
	unsigned int i, n;

	for (i = 0; i < MOCK_NR_REGIONS; i++) {
		phys_addr_t base = ALIGN_DOWN(mock->region[i].base, PAGE_SIZE);

		n = (ALIGN(mock->region[i].end, PAGE_SIZE) - base) >>
		    PAGE_SHIFT;
		if (nr < n)
			return base + ((phys_addr_t)nr << PAGE_SHIFT);
		nr -= n;
	}

	return 0;
}

phys_addr_t mock_alloc(size_t size, enum mock_owner owner)
{
	unsigned int n = ALIGN(size, PAGE_SIZE) >> PAGE_SHIFT, align = 1, i, j;

	while (align < n)
		align *= 2;

	/* From the top, so that pages of both regions remain */
	for (i = mock->nr_pages - n + 1; i-- > 0;) {
		phys_addr_t pa = mock_page_pa(i);

		if (!IS_ALIGNED(pa >> PAGE_SHIFT, align) ||
		    mock_page_pa(i + n - 1) - pa != (phys_addr_t)(n - 1)
							    << PAGE_SHIFT)
			continue;
		for (j = 0; j < n && !mock->pages[i + j].allocated; j++)
			;
		if (j < n)
			continue;

		for (j = 0; j < n; j++)
			mock->pages[i + j].allocated = true;
		mock_give(pa, size, owner);
		return pa;
	}

	mock_complain("the test needs more RAM");
	return 0;
}

void mock_give(phys_addr_t pa, size_t size, enum mock_owner owner)
{
	phys_addr_t end = pa + size;

	for (; pa < end; pa += PAGE_SIZE) {
		struct mock_page *page = mock_page(pa);

		if (!page || page->pins)
			mock_complain("the test gives a page it can't give");
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

	for (i = 0; i < mock->nr_smmus; i++) {
		struct pkvm_smmu *smmu = mock->smmu[i].smmu;

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

	if (!rank || lock->val || mock->nr_held >= ARRAY_SIZE(mock->held) ||
	    (mock->nr_held && mock->held[mock->nr_held - 1] >= rank)) {
		mock_complain("lock order");
		return;
	}

	mock_step();
	/* Other CPUs hold it first */
	if (rank >= 3)
		mock->now += mock->lock_takes;
	lock->val = 1;
	mock->held[mock->nr_held++] = rank;
}

void hyp_unlock(struct hyp_lock *lock)
{
	if (!mock->nr_held ||
	    mock->held[mock->nr_held - 1] != lock_rank(lock)) {
		mock_complain("unlock order");
		return;
	}

	lock->val = 0;
	mock->nr_held--;
	mock_step();
}

void hyp_ownership_begin(void)
{
	if (!own_lock.val)
		mock_complain("the ownership lock is not held");
}

void hyp_ownership_end(void)
{
	hyp_ownership_begin();
}

void mock_own_lock(void)
{
	hyp_lock(&own_lock);
}

void mock_own_unlock(void)
{
	hyp_unlock(&own_lock);
}

/* The SMMU */

u32 mock_reg(const struct mock_smmu *s, u32 offset)
{
	return s->regs[offset / sizeof(u32)];
}

u64 mock_reg64(const struct mock_smmu *s, u32 offset)
{
	return mock_reg(s, offset) | (u64)mock_reg(s, offset + 4) << 32;
}

void mock_set_reg(struct mock_smmu *s, u32 offset, u32 val)
{
	s->regs[offset / sizeof(u32)] = val;
	if (offset == ARM_SMMU_IRQ_CTRL)
		s->irq_target = val;
}

void mock_change_reg(struct mock_smmu *s, u32 offset, u32 clear, u32 set)
{
	mock_set_reg(s, offset, (mock_reg(s, offset) & ~clear) | set);
}

bool mock_ste(struct mock_smmu *s, u32 sid, u64 *ste)
{
	u64 base = mock_reg64(s, ARM_SMMU_STRTAB_BASE) & T_STRTAB_ADDR;
	u32 cfg = mock_reg(s, ARM_SMMU_STRTAB_BASE_CFG);
	u32 bits = FIELD_GET(T_STRTAB_LOG2SIZE, cfg),
	    split = FIELD_GET(T_STRTAB_SPLIT, cfg), span;
	const __le64 *at;
	u64 desc;
	int i;

	memset(ste, 0, STRTAB_STE_DWORDS * sizeof(u64));
	if ((u64)sid >> bits)
		return false;

	if (FIELD_GET(T_STRTAB_FMT, cfg) == T_STRTAB_2LVL) {
		base = ALIGN_DOWN(base, max(8ULL << (bits - split), 64ULL));
		desc = el2_get(base + (sid >> split) * 8,
			       "level 1 of the table is not EL2's");
		span = desc & T_L1_SPAN;
		sid &= (1U << split) - 1;
		if (!span || span > split + 1 || sid >> (span - 1))
			return false;
		base = desc & T_STRTAB_ADDR;
		bits = span - 1;
	}

	base = ALIGN_DOWN(base, 64ULL << bits) + sid * 64ULL;
	el2_mem(base, "an STE is not in EL2's memory");
	at = mock_va(base);
	for (i = 0; i < STRTAB_STE_DWORDS; i++)
		ste[i] = le64_to_cpu(at[i]);

	return true;
}

bool mock_ste_is_safe(const struct mock_smmu *s, const u64 *ste)
{
	unsigned int config = FIELD_GET(T_STE_CONFIG, ste[0]);

	/* In each state the stage 2 is EL2's, and the last dwords are 0 */
	if (ste[2] != s->smmu->feat.s2_ste[0] ||
	    ste[3] != s->smmu->feat.s2_ste[1] || ste[4] || ste[5] || ste[6] ||
	    ste[7])
		return false;

	if (!(ste[0] & 1))
		return true;
	/* Abort, stage 2, or both stages */
	if (config != 0 && config != 6 && config != 7)
		return false;
	/* STRW, EATS, S2FWB */
	return !(ste[1] & (T_STE_STRW | T_STE_EATS | T_STE_S2FWB));
}

static u32 stall_model(const struct mock_smmu *s)
{
	return FIELD_GET(T_IDR0_STALL_MODEL, mock_reg(s, ARM_SMMU_IDR0));
}

/* Returns the last stream that the same level-1 descriptor is for */
static u32 check_stream(struct mock_smmu *s, u32 cfg, u32 sid)
{
	u64 ste[STRTAB_STE_DWORDS];

	if (mock_ste(s, sid, ste)) {
		if (!mock_ste_is_safe(s, ste))
			mock_complain("an STE that lets something pass");
	} else if (FIELD_GET(T_STRTAB_FMT, cfg) == T_STRTAB_2LVL) {
		sid |= (1U << FIELD_GET(T_STRTAB_SPLIT, cfg)) - 1;
	}

	return sid;
}

static void check_table(struct mock_smmu *s)
{
	u32 cfg = mock_reg(s, ARM_SMMU_STRTAB_BASE_CFG), sid;

	for (sid = 0; !((u64)sid >> FIELD_GET(T_STRTAB_LOG2SIZE, cfg)); sid++)
		sid = check_stream(s, cfg, sid);
}

/* With pages of 64K, bits 15:12 of a descriptor are address bits 51:48 */
static u64 desc_addr(u64 desc, unsigned int page)
{
	return page == 16 ?
		       (desc & GENMASK_ULL(47, 16)) | (desc >> 12 & 15) << 48 :
		       desc & GENMASK_ULL(47, 12);
}

bool mock_s2_walk(const u64 *s2, u64 ipa, struct mock_leaf *leaf)
{
	static const u8 page_shifts[] = { 12, 16, 14, 0 };
	unsigned int t0sz = (s2[0] >> 32) & 0x3f, sl0 = (s2[0] >> 38) & 3;
	unsigned int tg = (s2[0] >> 46) & 3, page = page_shifts[tg], shift,
		     bits;
	int level = (tg ? 3 : 2) - sl0;
	u64 table = s2[1] & GENMASK_ULL(51, 4), desc;
	bool has_52_bits = page == 16 && (s2[0] >> 48 & 7) == 6;

	if (!page || t0sz < (has_52_bits ? 12 : 16) || t0sz > 32 || level < 0 ||
	    ipa >> (64 - t0sz))
		return false;

	shift = page + (3 - level) * (page - 3);
	bits = 64 - t0sz - shift;
	if (bits > page - 3 + 4 || (table & ((8ULL << bits) - 1)))
		return false;

	for (;; level++) {
		desc = el2_get(table + ((ipa >> shift) & ((1ULL << bits) - 1)) *
					       8,
			       "stage 2 is not in EL2's memory");
		if (!(desc & 1))
			return false;
		if (level == 3 || !(desc & 2))
			break;
		table = desc_addr(desc, page);
		bits = page - 3;
		shift -= bits;
	}

	/* A leaf is at a level that allows it, and its address is aligned */
	if ((level == 3 && !(desc & 2)) ||
	    level < (page == 12 || has_52_bits ? 1 : 2) ||
	    (desc_addr(desc, page) & ((1ULL << shift) - 1)))
		return false;

	leaf->level = level;
	leaf->desc = desc;
	leaf->pa = desc_addr(desc, page) | (ipa & ((1ULL << shift) - 1));
	return true;
}

/* May EL2 give this command? */
static void check_cmd(const struct mock_smmu *s, const u64 *cmd)
{
	bool ril = mock_reg(s, ARM_SMMU_IDR3) & T_IDR3_RIL;
	u64 ttl_num_scale =
		(cmd[1] & T_CMD_TTL) |
		(cmd[0] & (T_CMD_NUM | T_CMD_SCALE | T_CMD_SCALE_DS));
	u64 tg = FIELD_GET(T_CMD_TG, cmd[1]),
	    ttl = FIELD_GET(T_CMD_TTL, cmd[1]);
	u64 sid_bits = mock_reg(s, ARM_SMMU_IDR1) & T_IDR1_SIDSIZE;
	bool asid16 = mock_reg(s, ARM_SMMU_IDR0) & T_IDR0_ASID16;

	switch (T_OP(cmd)) {
	case T_CFGI_RANGE:
		break;
	case T_RESUME:
	case T_STALL_TERM:
		if (stall_model(s) == T_STALL_MODEL_NONE)
			mock_complain("stalls of an SMMU that has none");
		fallthrough;
	case T_CFGI_STE:
	case T_CFGI_CD:
	case T_CFGI_CD_ALL:
		if (FIELD_GET(T_CMD_SID, cmd[0]) >> sid_bits)
			mock_complain("a stream that is out of range");
		break;
	case T_TLBI_NH_VA:
	case T_TLBI_NH_VAA:
	case T_TLBI_S2_IPA:
		if (!!tg != !!ttl_num_scale || (tg && !ril))
			mock_complain("a reserved encoding of a range");
		/* The host does not see IDR5.DS */
		if ((tg == 2 && ttl == 1) || cmd[0] & T_CMD_SCALE_DS)
			mock_complain("a range that differs with DS");
		fallthrough;
	case T_TLBI_NH_ALL:
	case T_TLBI_NH_ASID:
	case T_TLBI_S12_VMALL:
		if (!asid16 && cmd[0] & T_CMD_ASID_HI)
			mock_complain("an ASID that is out of range");
		if (cmd[0] & T_CMD_VMID)
			mock_complain("a VMID that is not EL2's");
		break;
	case T_CMD_SYNC:
		/* CS = SIG_IRQ without an address is the wired interrupt */
		if ((cmd[0] & ~T_CS(T_SYNC_CS_IRQ)) != T_CMD_SYNC || cmd[1])
			mock_complain("a CMD_SYNC that is not EL2's");
		break;
	default:
		if (s->armed)
			mock_complain("a command that is not for the host");
	}
	if (cmd[0] & T_CMD_SSEC)
		mock_complain("a command for the secure state");
}

static bool run_one(struct mock_smmu *s)
{
	u64 base = mock_reg64(s, ARM_SMMU_CMDQ_BASE);
	u32 entries = 1U << (base & T_Q_LOG2SIZE), wrap = 2 * entries - 1;
	u32 prod = mock_reg(s, ARM_SMMU_CMDQ_PROD) & wrap;
	u32 cons = mock_reg(s, ARM_SMMU_CMDQ_CONS), idx = cons & (entries - 1);
	struct mock_leaf leaf;
	struct mock_run run;

	if (!(mock_reg(s, ARM_SMMU_CR0ACK) & CR0_CMDQEN) ||
	    prod == (cons & wrap) ||
	    ((mock_reg(s, ARM_SMMU_GERROR) ^ mock_reg(s, ARM_SMMU_GERRORN)) &
	     1))
		return false;

	if (((prod - cons) & wrap) > entries)
		mock_complain("CMDQ_PROD is too far ahead");

	base = ALIGN_DOWN(base & T_Q_ADDR,
			  max(16ULL << (base & T_Q_LOG2SIZE), 32ULL));
	run.cmd[0] =
		el2_get(base + idx * 16ULL, "the command queue is not EL2's");
	run.cmd[1] = el2_get(base + idx * 16ULL + 8,
			     "the command queue is not EL2's");

	/* EL2 uses opcode 0, which is illegal, without operands */
	if (s->armed && !T_OP(run.cmd) && (run.cmd[0] || run.cmd[1]))
		mock_complain("a command that is not for the host");
	if (!T_OP(run.cmd) || (s->bad_times && T_OP(run.cmd) == s->bad_op)) {
		if T_OP(run.cmd)
			s->bad_times--;
		if (mock_reg(s, ARM_SMMU_IRQ_CTRL) & 1)
			s->nr_gerror_irqs++;
		mock_set_reg(s, ARM_SMMU_CMDQ_CONS,
			     (cons & wrap) |
				     T_CONS_ERR(T_OP(run.cmd) ? s->bad_code :
								T_ERR_ILL));
		mock_set_reg(s, ARM_SMMU_GERROR,
			     mock_reg(s, ARM_SMMU_GERROR) ^ 1);
		return false;
	}

	check_cmd(s, run.cmd);
	if (s->armed)
		check_table(s);
	run.ste_found = mock_ste(s, mock->watch_sid, run.ste);
	run.mapped = s->armed &&
		     mock_s2_walk(s->smmu->feat.s2_ste, mock->watch_ipa, &leaf);
	if (s->nr_runs < MOCK_NR_RUNS)
		s->runs[s->nr_runs] = run;
	s->nr_runs++;
	if (mock->ran)
		mock->ran(s, run.cmd);
	mock_set_reg(s, ARM_SMMU_CMDQ_CONS, (cons + 1) & wrap);

	return true;
}

static void acknowledge(struct mock_smmu *s)
{
	u32 gbpa = mock_reg(s, ARM_SMMU_GBPA);

	if (gbpa & GBPA_UPDATE) {
		s->gbpa = gbpa & ~GBPA_UPDATE;
		mock_set_reg(s, ARM_SMMU_GBPA, s->gbpa);
		return;
	}
	mock_set_reg(s, ARM_SMMU_CR0ACK, mock_reg(s, ARM_SMMU_CR0));
	mock_set_reg(s, ARM_SMMU_IRQ_CTRLACK, s->irq_target);
	if (!(mock_reg(s, ARM_SMMU_CR0ACK) & CR0_SMMUEN))
		s->stalled = 0;
}

void mock_reset(struct mock_smmu *s, u32 cr0)
{
	mock_set_reg(s, ARM_SMMU_CR0, mock_reg(s, ARM_SMMU_CR0) & ~cr0);
	mock_set_reg(s, ARM_SMMU_CR0ACK, mock_reg(s, ARM_SMMU_CR0ACK) & ~cr0);
	mock_set_reg(s, ARM_SMMU_IRQ_CTRL, 0);
	mock_set_reg(s, ARM_SMMU_IRQ_CTRLACK, 0);
	mock_set_reg(s, ARM_SMMU_GBPA, MOCK_GBPA);
	s->gbpa = MOCK_GBPA;
}

void mock_run_all(struct mock_smmu *s)
{
	/* GBPA, and the others */
	acknowledge(s);
	acknowledge(s);
	while (run_one(s))
		;
}

static phys_addr_t evtq_base(const struct mock_smmu *s, size_t *size)
{
	u64 base = mock_reg64(s, ARM_SMMU_EVTQ_BASE);

	*size = 32ULL << (base & T_Q_LOG2SIZE);
	return ALIGN_DOWN(base & T_Q_ADDR, *size);
}

static void check_evtq(const struct mock_smmu *s)
{
	size_t size;
	phys_addr_t pa = evtq_base(s, &size), end = pa + size;

	if ((mock_reg(s, ARM_SMMU_EVTQ_BASE) & T_Q_LOG2SIZE) >
	    (FIELD_GET(T_IDR1_EVENTQS, mock_reg(s, ARM_SMMU_IDR1))))
		mock_complain("an event queue that is too large");

	for (pa = ALIGN_DOWN(pa, PAGE_SIZE); pa < end; pa += PAGE_SIZE) {
		struct mock_page *page = mock_page(pa);

		if (!page || page->owner != MOCK_HOST || !page->pins) {
			mock_complain("an event queue that is not pinned");
			return;
		}
	}
}

bool mock_event(struct mock_smmu *s, u64 dword0)
{
	u32 prod = mock_reg(s, MOCK_EVTQ_PROD), wrap;
	size_t size;
	phys_addr_t pa = evtq_base(s, &size);

	wrap = 2 * (size / 32) - 1;
	if (!(mock_reg(s, ARM_SMMU_CR0ACK) & CR0_EVTQEN))
		return false;
	if (((prod - mock_reg(s, MOCK_EVTQ_CONS)) & wrap) >= size / 32) {
		/* OVFLG toggles once, until CONS has the same value */
		if (!((prod ^ mock_reg(s, MOCK_EVTQ_CONS)) & MOCK_OVFLG))
			mock_set_reg(s, MOCK_EVTQ_PROD, prod ^ MOCK_OVFLG);
		return false;
	}

	check_evtq(s);
	ram_put(pa + (prod & (wrap / 2)) * 32ULL, dword0);
	mock_set_reg(s, MOCK_EVTQ_PROD,
		     ((prod + 1) & wrap) | (prod & MOCK_OVFLG));
	return true;
}

/* An MSI goes to MMIO of the host. @irq: its enable in IRQ_CTRL */
static void check_msi(const struct mock_smmu *s, u32 irq, u64 addr)
{
	u32 on = mock_reg(s, ARM_SMMU_IRQ_CTRL) |
		 mock_reg(s, ARM_SMMU_IRQ_CTRLACK) | s->irq_target;
	unsigned int i;

	if (!(mock_reg(s, ARM_SMMU_IDR0) & T_IDR0_MSI))
		mock_complain("an MSI of an SMMU that has none");
	if (on & irq)
		mock_complain("an MSI is changed while it is on");

	for (i = 0; i < MOCK_NR_REGIONS; i++) {
		if (addr && addr >= mock->region[i].base &&
		    addr < mock->region[i].end)
			mock_complain("an MSI to memory");
	}
	for (i = 0; i < mock->nr_smmus; i++) {
		if (mock->smmu[i].taken && addr >= MOCK_MMIO(i) &&
		    addr < MOCK_MMIO(i + 1))
			mock_complain("an MSI to an SMMU");
	}
}

/* EL2 clears SMMUEN only to end stalls, while all streams abort */
static void check_may_be_off(struct mock_smmu *s)
{
	u64 ste[STRTAB_STE_DWORDS];
	u32 sid;

	if (stall_model(s) || !(s->gbpa & T_GBPA_ABORT))
		mock_complain("SMMUEN is cleared");
	for (sid = 0; sid < 64; sid++) {
		if (mock_ste(s, sid, ste) && ste[0] & 1)
			mock_complain("SMMUEN is cleared, and an STE is valid");
	}
}

/* After take-over no write may let a stream pass */
static void check_write(struct mock_smmu *s, u32 offset, u64 val)
{
	u32 enabled = mock_reg(s, ARM_SMMU_CR0) | mock_reg(s, ARM_SMMU_CR0ACK);
	u32 ats = mock_reg(s, ARM_SMMU_IDR0) & IDR0_ATS ? CR0_ATSCHK : 0;

	switch (offset) {
	case ARM_SMMU_CR0:
		if ((val & ~CR0_EVTQEN & ~CR0_SMMUEN) != (CR0_CMDQEN | ats))
			mock_complain("CR0 is not as EL2 wants it");
		if (!(val & CR0_SMMUEN))
			check_may_be_off(s);
		if (!(mock_reg(s, ARM_SMMU_CR0) & CR0_CMDQEN))
			mock_complain("EL2 enables a reset SMMU");
		if (val & CR0_EVTQEN)
			check_evtq(s);
		break;
	case ARM_SMMU_EVTQ_BASE:
	case MOCK_EVTQ_PROD:
		if (enabled & CR0_EVTQEN)
			mock_complain("the event queue is on and changes");
		break;
	case ARM_SMMU_IRQ_CTRL:
		if (val & ~(u64)(T_IRQ_GERROR | T_IRQ_EVTQ))
			mock_complain("an interrupt that is not for the host");
		break;
	case ARM_SMMU_GERROR_IRQ_CFG0:
		check_msi(s, T_IRQ_GERROR, val);
		break;
	case ARM_SMMU_EVTQ_IRQ_CFG0:
		check_msi(s, T_IRQ_EVTQ, val);
		break;
	case ARM_SMMU_GERROR_IRQ_CFG1:
		check_msi(s, T_IRQ_GERROR, 0);
		break;
	case ARM_SMMU_EVTQ_IRQ_CFG1:
		check_msi(s, T_IRQ_EVTQ, 0);
		break;
	case ARM_SMMU_GERROR_IRQ_CFG2:
	case ARM_SMMU_EVTQ_IRQ_CFG2:
		if (val != 1)
			mock_complain("an MSI that isn't a write to a device");
		break;
	case ARM_SMMU_CMDQ_PROD:
	case ARM_SMMU_GERRORN:
	case MOCK_EVTQ_CONS:
		break;
	default:
		mock_complain("a register that is EL2's is written");
	}
}

/* PMCGs */

u32 *mock_mmio(phys_addr_t pa)
{
	unsigned int i;
	u64 off;

	/* Of the last SMMU that begins below it */
	for (i = mock->nr_smmus; i-- > 0;) {
		off = pa - MOCK_MMIO(i);
		if (pa >= MOCK_MMIO(i) && off < MOCK_MMIO_MAX_SIZE)
			return &mock->smmu[i].regs[off / sizeof(u32)];
	}

	off = pa - MOCK_OTHER;
	return pa >= MOCK_OTHER && off < MOCK_OTHER_SIZE ?
		       &mock->other[off / sizeof(u32)] : NULL;
}

const struct mock_taken *mock_taken(phys_addr_t pa)
{
	unsigned int i;

	for (i = 0; i < mock->nr_taken; i++) {
		if (pa >= mock->taken[i].base && pa < mock->taken[i].end)
			return &mock->taken[i];
	}

	return NULL;
}

/* A register of page 0 */
static u32 *pmcg_reg(const struct mock_pmcg *p, u32 offset)
{
	return mock_mmio(mock->config.pmcgs[p - mock->pmcg].page[0].base +
			 offset);
}

static void pmcg_acknowledge(struct mock_pmcg *p)
{
	u32 *ack = pmcg_reg(p, T_PMCG_IRQ_CTRLACK);

	if (!ack || p->stuck)
		return;
	*ack = p->irq_target;
}

/* The physical address of what EL2 accesses; 0 if it has not taken it */
static phys_addr_t mmio_pa(const void __iomem *addr)
{
	uintptr_t off = (uintptr_t)addr - (uintptr_t)mock->other;
	unsigned int i;

	if (off < sizeof(mock->other))
		return mock_taken(MOCK_OTHER + off) ? MOCK_OTHER + off : 0;

	for (i = 0; i < mock->nr_smmus; i++) {
		off = (uintptr_t)addr - (uintptr_t)mock->smmu[i].regs;
		if (off < mock->smmu[i].mmio_size)
			return MOCK_MMIO(i) + off;
	}

	return 0;
}

/* The PMCG whose register EL2 accesses, or NULL */
static struct mock_pmcg *pmcg_find(const void __iomem *addr,
				   unsigned int size, u32 *offset)
{
	phys_addr_t pa = mmio_pa(addr);
	unsigned int i, n;

	for (i = 0; pa && i < mock->config.nr_pmcgs && i < MOCK_NR_PMCGS; i++) {
		for (n = 0; n < 2; n++) {
			const struct pkvm_smmu_mem *page =
				&mock->config.pmcgs[i].page[n];

			if (!page->size || pa - page->base >= SZ_4K)
				continue;
			if (!IS_ALIGNED(pa, size))
				mock_complain("an access that is misaligned");
			*offset = (pa - page->base) |
				  (n ? MOCK_PMCG_PAGE1 : 0);
			return &mock->pmcg[i];
		}
	}

	return NULL;
}

/* The target of its MSI, and what only EL2 or firmware may change */
static void pmcg_check_write(const struct mock_pmcg *p, u32 offset)
{
	u32 on = p->irq_target | *pmcg_reg(p, T_PMCG_IRQ_CTRLACK);

	switch (offset & (SZ_4K - 1)) {
	case 0xe58 ... 0xe67:
		if (p->armed)
			mock_complain("the MSI of a PMCG is changed");
		if (on & 1)
			mock_complain("a PMCG's MSI is changed while it is on");
		break;
	case T_PMCG_IRQ_CTRL:
		if (!p->armed &&
		    p->irq_target != *pmcg_reg(p, T_PMCG_IRQ_CTRLACK))
			mock_complain("a PMCG's IRQ_CTRL changes in an Update");
		break;
	case 0xdf8 ... 0xdff:
	case 0xe40 ... 0xe4f:
	case 0xe68 ... 0xeff:
		mock_complain("a register of a PMCG that nobody writes");
		break;
	default:
		if (!p->armed)
			mock_complain("EL2 writes to a PMCG");
	}
}

static void pmcg_write(struct mock_pmcg *p, u32 offset, unsigned int size,
		       u64 val, u32 *reg)
{
	pmcg_check_write(p, offset);
	p->nr_writes++;
	p->last.offset = offset | (size == 8 ? MOCK_PMCG_WIDE : 0);
	p->last.val = val;
	if (p->keeps_msi && offset == T_PMCG_IRQ_CFG0)
		return;
	reg[0] = val;
	if (size == 8)
		reg[1] = val >> 32;
	if (p->dies_after && p->nr_writes >= p->dies_after)
		p->stuck = true;
	if (offset == T_PMCG_IRQ_CTRL) {
		p->irq_target = val & 1;
		if (!p->slow)
			pmcg_acknowledge(p);
	}

	reg = pmcg_reg(p, T_PMCG_IRQ_CFG0);
	if (p->armed && *pmcg_reg(p, T_PMCG_IRQ_CTRL) & 1 && (reg[0] | reg[1]))
		mock_complain("a PMCG writes MSIs");
}

static struct mock_smmu *mmio_find(const void __iomem *addr, unsigned int size,
				   u32 *offset)
{
	unsigned int i;

	for (i = 0; i < mock->nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];
		uintptr_t off = (uintptr_t)addr - (uintptr_t)s->regs;

		if (off >= s->mmio_size)
			continue;
		if (!s->taken || !IS_ALIGNED(off, size))
			break;
		*offset = off;
		return s;
	}

	mock_complain("an access to registers that aren't there");
	*offset = 0;
	return &mock->smmu[0];
}

static void mmio_write(void __iomem *addr, unsigned int size, u64 val)
{
	u32 offset, busy = 0;
	struct mock_pmcg *p = pmcg_find(addr, size, &offset);
	struct mock_smmu *s;

	if (p) {
		pmcg_write(p, offset, size, val, (__force u32 *)addr);
		return;
	}

	s = mmio_find(addr, size, &offset);
	if (s->armed)
		check_write(s, offset, val);
	/* Before the SMMU fetches commands, a barrier must order the stores */
	if (offset == ARM_SMMU_CMDQ_PROD ||
	    (offset == ARM_SMMU_GERRORN &&
	     (val ^ mock_reg(s, offset)) & T_GERROR_CMDQ)) {
		if (s->armed && s->barriers == mock->barriers)
			mock_complain("a barrier is missing before PROD");
		s->barriers = mock->barriers;
	}
	if (s->nr_writes < MOCK_NR_WRITES) {
		s->writes[s->nr_writes].offset = offset;
		s->writes[s->nr_writes].val = val;
	}
	s->nr_writes++;
	if (s->dies_after && s->nr_writes > s->dies_after)
		s->stuck = true;

	/*
	 * A field must not change while its last Update is under way (6.3.9,
	 * 6.3.16). An SMMUv3.2 may ignore the new value.
	 */
	if (offset == ARM_SMMU_CR0 &&
	    (val ^ mock_reg(s, ARM_SMMU_CR0)) &
	    (mock_reg(s, ARM_SMMU_CR0) ^ mock_reg(s, ARM_SMMU_CR0ACK)))
		mock_complain("CR0 changes during an Update");
	if (offset == ARM_SMMU_IRQ_CTRL) {
		busy = s->irq_target ^ mock_reg(s, ARM_SMMU_IRQ_CTRLACK);
		if ((val ^ s->irq_target) & busy)
			mock_complain("IRQ_CTRL changes during an Update");
		busy &= val ^ s->irq_target;
	}
	mock_set_reg(s, offset, val);
	s->irq_target ^= busy;
	if (size == 8)
		mock_set_reg(s, offset + 4, val >> 32);
	if (!s->slow && !s->stuck)
		mock_run_all(s);
}

u32 hyp_readl(const void __iomem *addr)
{
	u32 offset;
	struct mock_pmcg *p = pmcg_find(addr, 4, &offset);
	struct mock_smmu *s;

	if (p) {
		p->nr_reads++;
		return *(__force const u32 *)addr;
	}

	s = mmio_find(addr, 4, &offset);
	return mock_reg(s, offset);
}

u64 hyp_readq(const void __iomem *addr)
{
	const u32 *reg = (__force const u32 *)addr;
	u32 offset;
	struct mock_pmcg *p = pmcg_find(addr, 8, &offset);

	if (!p) {
		mock_complain("EL2 reads 64 bits of an SMMU");
		return 0;
	}
	p->nr_reads++;
	return reg[0] | (u64)reg[1] << 32;
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
	if (what >= PKVM_SMMU_TRAPS || !mock_taken(smmu))
		mock_complain("something strange is traced");
	else
		mock->traced[what]++;
}

void hyp_wmb(void)
{
	mock_step();
	mock->barriers++;
}

void hyp_clean_to_memory(const void *va, size_t size)
{
	size_t off = (const u8 *)va - mock->cache;
	size_t end = ALIGN(off + size, MOCK_LINE);

	off = ALIGN_DOWN(off, MOCK_LINE);
	if (end > (size_t)mock->nr_pages << PAGE_SHIFT ||
	    mock->pages[off >> PAGE_SHIFT].owner != MOCK_EL2)
		mock_complain("EL2 cleans what isn't its own");
	else if (mock->cache != mock->ram)
		memcpy(mock->ram + off, mock->cache + off, end - off);
	mock_step();
}

void hyp_clean_ram(phys_addr_t start, phys_addr_t end)
{
	struct mock_leaf leaf;
	size_t off;

	if (!mock->nr_held ||
	    mock->held[mock->nr_held - 1] != lock_rank(&own_lock))
		mock_complain("RAM is cleaned that others may be giving away");

	for (; start < end; start += PAGE_SIZE) {
		struct mock_page *page = mock_page(start);

		if (!page || !page->dirty)
			continue;
		off = ram_offset(start);
		if (mock_s2_walk(mock->smmu[0].smmu->feat.s2_ste, start, &leaf))
			mock_complain("devices reach a page that isn't clean");
		memcpy(mock->ram + off, mock->cache + off, PAGE_SIZE);
		page->dirty = false;
	}
}

void hyp_rmb(void)
{
}

void hyp_host_mb(void)
{
	mock->unordered = false;
}

/* Before EL2 reads the host's stores, hyp_host_mb() must order them */
static void check_order(void)
{
	if (hyp_incoherent && mock->unordered)
		mock_complain("EL2 reads without hyp_host_mb()");
}

void hyp_relax(void)
{
	unsigned int i;
	u64 took = 0;

	mock_step();
	if (mock->relaxed++ == MOCK_FOREVER)
		mock_complain("waiting without end");
	if (mock->meanwhile)
		mock->meanwhile();

	for (i = 0; i < mock->config.nr_pmcgs && i < MOCK_NR_PMCGS; i++) {
		/* The test has failed: let it end */
		if (mock->relaxed > MOCK_FOREVER)
			mock->pmcg[i].stuck = false;
		pmcg_acknowledge(&mock->pmcg[i]);
	}
	for (i = 0; i < mock->nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];

		/* The test has failed: let it end */
		if (mock->relaxed > MOCK_FOREVER) {
			s->stuck = false;
			s->bad_times = 0;
		}
		if (s->stuck || !s->taken)
			continue;
		if (s->resting) {
			s->resting--;
			continue;
		}
		/* Each SMMU does one thing, and all of them at the same time */
		if (run_one(s))
			took = max(took, s->delay);
		else
			acknowledge(s);
		s->resting = s->rest;
	}
	mock->now += took;
}

u64 hyp_now(void)
{
	return mock->now += MOCK_TICKS;
}

u64 hyp_ticks(u64 us)
{
	return us;
}

/* Memory */

phys_addr_t hyp_virt_to_phys(const void *va)
{
	size_t off = (const u8 *)va - mock->cache;
	phys_addr_t pa;

	if (off >> PAGE_SHIFT >= mock->nr_pages) {
		mock_complain("a physical address that is not RAM");
		return 0;
	}

	pa = mock_page_pa(off >> PAGE_SHIFT) + offset_in_page(off);
	el2_mem(pa, "the physical address of something that is not EL2's");
	return pa;
}

void *hyp_phys_to_virt(phys_addr_t pa)
{
	return el2_mem(pa, "EL2 goes to memory that it doesn't own");
}

void hyp_mmio_provide(void *mem, size_t size)
{
	el2_mem(hyp_virt_to_phys(mem), "EL2 keeps its MMIO in others' memory");
	mock->mmio_left = size / MOCK_MMIO_KEPT;
}

int hyp_mmio_take(phys_addr_t base, size_t size, void *cookie,
		  void __iomem **va)
{
	phys_addr_t end = base + size;
	unsigned int i;

	if (!size || !IS_ALIGNED(base | size, PAGE_SIZE) || end < base)
		return -EINVAL;
	if (!mock->mmio_left || mock->nr_taken == MOCK_NR_TAKEN)
		return -ENOSPC;
	mock->mmio_left--;
	for (i = 0; i < mock->nr_taken; i++) {
		if (base < mock->taken[i].end && mock->taken[i].base < end)
			return -EPERM;
	}

	for (i = 0; i < mock->nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];

		if (base != MOCK_MMIO(i) || size < PKVM_SMMU_MIN_MMIO_SIZE ||
		    size > (i == mock->nr_smmus - 1 ? MOCK_MMIO_MAX_SIZE :
						     PKVM_SMMU_MIN_MMIO_SIZE))
			continue;
		s->taken = true;
		s->smmu = cookie;
		s->mmio_size = size;
		*va = (void __iomem *)s->regs;
		goto taken;
	}

	if (base < MOCK_OTHER || end > MOCK_OTHER + MOCK_OTHER_SIZE)
		return -EINVAL;
	*va = (void __iomem *)&mock->other[(base - MOCK_OTHER) / sizeof(u32)];
taken:
	mock->taken[mock->nr_taken++] =
		(struct mock_taken){ base, end, cookie };
	return 0;
}

bool hyp_mmio_next(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end)
{
	const struct mock_taken *t, *next = NULL;

	for (t = mock->taken; t < &mock->taken[mock->nr_taken]; t++) {
		if (t->end > pa && (!next || t->base < next->base))
			next = t;
	}
	if (!next)
		return false;

	*base = next->base;
	*end = next->end;
	return true;
}

int hyp_mem_take(phys_addr_t base, size_t size, void **va)
{
	phys_addr_t pa;

	if (!size || !IS_ALIGNED(base | size, PAGE_SIZE))
		return -EINVAL;
	for (pa = base; pa - base < size; pa += PAGE_SIZE) {
		struct mock_page *page = mock_page(pa);

		if (!page || page->owner != MOCK_HOST || page->shared ||
		    page->pins)
			return -EPERM;
	}

	mock_give(base, size, MOCK_EL2);
	/* Make memory that EL2 does not clean differ from zeroes */
	if (mock->cache != mock->ram)
		memset(mock_va(base), 0xff, size);
	*va = mock->cache + ram_offset(base);
	memset(*va, 0, size);
	hyp_clean(*va, size);
	return 0;
}

void hyp_pool_count_in(struct pkvm_smmu_pool_counts *counts)
{
	mock->pool_counts = counts;
}

static void count_pool(void)
{
	mock->pool_counts->all = mock->pool_pages;
	mock->pool_counts->used = mock->pool_used;
	mock->pool_counts->peak = mock->pool_peak;
}

int hyp_pool_add(phys_addr_t base, size_t size)
{
	phys_addr_t pa;

	for (pa = base; pa - base < size; pa += PAGE_SIZE) {
		el2_mem(pa, "a pool of memory that is not EL2's");
		mock_page(pa)->in_pool = true;
		mock->pool_pages++;
	}
	count_pool();

	return 0;
}

void *hyp_pages_alloc(u8 order)
{
	unsigned int i, j, n = 1U << order;
	void *va;

	if (mock->pool_left < n)
		return NULL;

	for (i = 0; i + n <= mock->nr_pages; i++) {
		if (!IS_ALIGNED(mock_page_pa(i) >> PAGE_SHIFT, n))
			continue;
		for (j = 0; j < n && mock->pages[i + j].in_pool; j++)
			;
		if (j < n)
			continue;

		for (j = 0; j < n; j++)
			mock->pages[i + j].in_pool = false;
		mock->pool_used += n;
		mock->pool_peak = max(mock->pool_peak, mock->pool_used);
		mock->pool_left -= n;
		count_pool();
		va = mock->cache + ((size_t)i << PAGE_SHIFT);
		memset(va, 0, (size_t)n << PAGE_SHIFT);
		hyp_clean(va, (size_t)n << PAGE_SHIFT);
		return va;
	}

	return NULL;
}

void *hyp_page_alloc(void)
{
	mock_step();
	return hyp_pages_alloc(0);
}

void hyp_page_free(void *page)
{
	struct mock_page *p = mock_page(hyp_virt_to_phys(page));

	if (!p || p->in_pool || offset_in_page((u8 *)page - mock->cache)) {
		mock_complain("freed what was not out");
		return;
	}
	p->in_pool = true;
	mock->pool_used--;
	mock->pool_left++;
	count_pool();
	mock_step();
}

int hyp_host_pin(phys_addr_t base, size_t size, void **va)
{
	phys_addr_t start = ALIGN_DOWN(base, PAGE_SIZE),
		    end = ALIGN(base + size, PAGE_SIZE);
	struct mock_page *page;
	phys_addr_t pa;
	int ret = 0;

	mock_own_lock();
	for (pa = start; pa < end && !ret; pa += PAGE_SIZE) {
		page = mock_page(pa);
		if (!page || page->owner != MOCK_HOST || page->shared ||
		    page->pins)
			ret = -EPERM;
	}
	for (pa = start; pa < end && !ret; pa += PAGE_SIZE) {
		mock_page(pa)->shared = true;
		mock_page(pa)->pins++;
		mock->pins++;
	}
	mock_own_unlock();

	if (ret)
		return ret;

	*va = mock->cache + ram_offset(base);
	return 0;
}

void hyp_host_unpin(phys_addr_t base, size_t size)
{
	phys_addr_t pa = ALIGN_DOWN(base, PAGE_SIZE),
		    end = ALIGN(base + size, PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < mock->nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];
		u32 enabled = mock_reg(s, ARM_SMMU_CR0) |
			      mock_reg(s, ARM_SMMU_CR0ACK);
		size_t evtq_size;
		phys_addr_t evtq = evtq_base(s, &evtq_size);

		if ((enabled & CR0_EVTQEN) && evtq < end &&
		    evtq + evtq_size > pa)
			mock_complain("unpinned, and the SMMU writes there");
	}

	mock_own_lock();
	for (; pa < end; pa += PAGE_SIZE) {
		struct mock_page *page = mock_page(pa);

		if (!page || !page->pins) {
			mock_complain("unpinned what was not pinned");
			continue;
		}
		page->pins--;
		page->shared = false;
		mock->pins--;
	}
	mock_own_unlock();
}

/* The host overwrites what EL2 has read */
static void flip_words(u64 *word, size_t size)
{
	for (; size; size -= sizeof(*word), word++)
		*word = ~*word;
}

u64 hyp_host_read(const __le64 *word)
{
	__le64 *at = (__le64 *)(mock->ram + ((const u8 *)word - mock->cache));
	u64 val = le64_to_cpu(*at);

	check_order();
	if (mock->flip)
		flip_words((u64 *)at, sizeof(*at));

	return val;
}

static bool any_snoops(void)
{
	u32 i;

	for (i = 0; i < mock->config.nr_smmus; i++) {
		if (mock->config.smmus[i].coherent)
			return true;
	}

	return false;
}

void hyp_host_write(__le32 *word, u32 val)
{
	size_t off = (const u8 *)word - mock->cache;

	if (off >> PAGE_SHIFT >= mock->nr_pages || off % sizeof(*word) ||
	    mock->pages[off >> PAGE_SHIFT].owner != MOCK_HOST ||
	    !mock->pages[off >> PAGE_SHIFT].pins)
		mock_complain("EL2 writes to what is not pinned");
	else if (!any_snoops())
		mock_complain("EL2 stores what the host can't see");
	else
		*word = cpu_to_le32(val);
}

int hyp_host_put(phys_addr_t dst, u32 val)
{
	struct mock_page *page = mock_page(dst);
	int ret = -EPERM;

	if (!IS_ALIGNED(dst, 4))
		return -EINVAL;

	mock_own_lock();
	if (page && page->owner == MOCK_HOST && !page->shared) {
		*(__le32 *)mock_va(dst) = cpu_to_le32(val);
		ret = 0;
	}
	mock_own_unlock();

	return ret;
}

int hyp_host_copy(void *dst, phys_addr_t src, size_t size)
{
	struct mock_page *page = mock_page(src);
	int ret = -EPERM;

	if (!IS_ALIGNED(src | size, 8) ||
	    offset_in_page(src) + size > PAGE_SIZE)
		mock_complain("a copy across a page, or of half a word");

	mock->copies++;
	check_order();
	mock_own_lock();
	if (page && page->owner == MOCK_HOST && !page->shared) {
		memcpy(dst, mock_va(src), size);
		if (mock->flip)
			flip_words(mock_va(src), size);
		ret = 0;
	}
	mock_own_unlock();

	return ret;
}

bool hyp_ram_region(unsigned int i, phys_addr_t *base, phys_addr_t *end)
{
	unsigned int n = 0;

	while (n < MOCK_NR_REGIONS && mock->region[n].end)
		n++;
	if (i > n || (i == n && !mock->sparse.end))
		return false;

	*base = i < n ? mock->region[i].base : mock->sparse.base;
	*end = i < n ? mock->region[i].end : mock->sparse.end;
	return true;
}

bool hyp_host_ram_next(phys_addr_t pa, phys_addr_t end, phys_addr_t *from,
		       phys_addr_t *to)
{
	if (mock->sparse.end && pa >= mock->sparse.base) {
		*from = pa;
		*to = end;
		return pa < end;
	}

	for (; pa < end; pa += PAGE_SIZE) {
		if (mock_page(pa)->owner == MOCK_HOST)
			break;
	}
	*from = pa;
	for (; pa < end; pa += PAGE_SIZE) {
		if (mock_page(pa)->owner != MOCK_HOST)
			break;
	}
	*to = pa;

	return *from < end;
}

/* The machine */

int mock_init(unsigned int nr_pages)
{
	unsigned int i;

	mock = vzalloc(sizeof(*mock));
	if (!mock)
		return -ENOMEM;
	mock->pages = vzalloc(nr_pages * sizeof(*mock->pages));
	mock->ram = vzalloc((size_t)nr_pages << PAGE_SHIFT);
	mock->cache = mock->ram;
	if (mock_incoherent)
		mock->cache = vzalloc((size_t)nr_pages << PAGE_SHIFT);
	mock->smmu = vzalloc(mock_nr_smmus * sizeof(*mock->smmu));
	if (!mock->pages || !mock->ram || !mock->cache || !mock->smmu) {
		mock_exit();
		return -ENOMEM;
	}

	mock->nr_pages = nr_pages;
	mock->nr_smmus = mock_nr_smmus;
	mock->mmio_left = mock_nr_smmus;
	mock->region[0].base = MOCK_RAM_A;
	mock->region[0].end =
		MOCK_RAM_A + (nr_pages - MOCK_RAM_B_PAGES) * PAGE_SIZE;
	mock->region[1].base = MOCK_RAM_B;
	mock->region[1].end = MOCK_RAM_B + MOCK_RAM_B_PAGES * PAGE_SIZE;
	mock->pool_left = nr_pages;
	mock->sid_bits = 12;
	mock->config.nr_smmus = 1;
	mock->pool_counts = &mock->uncounted;
	mock->config.nr_chunks = 1;

	for (i = 0; i < mock->nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];

		s->bad_code = CMDQ_ERR_CERROR_ILL_IDX;
		mock->config.smmus[i].mmio.base = MOCK_MMIO(i);
		mock->config.smmus[i].mmio.size = PKVM_SMMU_MIN_MMIO_SIZE;
		mock->config.smmus[i].coherent = !mock_incoherent;
		mock_set_reg(s, ARM_SMMU_IDR0, MOCK_IDR0);
		/* 4096 commands, 8192 events, 8 bits of SSID, 12 bits of SID */
		mock_set_reg(s, ARM_SMMU_IDR1, T_IDR1(12, 13, 8, 12));
		/* RIL, BBM level 2, HAD */
		mock_set_reg(s, ARM_SMMU_IDR3,
			     T_IDR3_RIL | T_IDR3_BBML(2) | T_IDR3_HAD);
		/* All granules, 40 bits */
		mock_set_reg(s, ARM_SMMU_IDR5, T_IDR5(T_OAS_40));
		mock_set_reg(s, ARM_SMMU_GBPA, MOCK_GBPA);
		s->gbpa = MOCK_GBPA;
	}

	return 0;
}

void mock_exit(void)
{
	memset(&pkvm_pmcgs, 0, sizeof(pkvm_pmcgs));
	own_lock.val = 0;
	hyp_incoherent = false;

	if (mock->cache != mock->ram)
		vfree(mock->cache);
	vfree(mock->ram);
	vfree(mock->pages);
	vfree(mock->smmu);
	vfree(mock);
	mock = NULL;
}

/* EL1 sets memory aside, unless the test has done so */
static void set_aside(struct pkvm_smmu_mem *mem, size_t size)
{
	if (mem->size)
		return;
	mem->size = max_t(size_t, ALIGN(size, PAGE_SIZE), PAGE_SIZE);
	mem->base = mock_alloc(mem->size, MOCK_HOST);
}

/* EL1 and EL2 use the arrays of the description through their caches */
static void *described(const struct pkvm_smmu_mem *mem)
{
	return mock->cache + ram_offset(mem->base);
}

int mock_boot(void)
{
	struct mock_config *cfg = &mock->config;
	size_t descs_size = cfg->nr_smmus * sizeof(cfg->smmus[0]);
	size_t chunks_size = cfg->nr_chunks * sizeof(cfg->pool[0]);
	/* Too large for the stack of a kernel */
	static struct pkvm_smmu_config el1;
	unsigned int i;
	int ret;

	memset(&el1, 0, sizeof(el1));
	set_aside(&cfg->pool[0], 64 * PAGE_SIZE);
	set_aside(&cfg->descs, descs_size);
	set_aside(&cfg->chunks, chunks_size);
	set_aside(&cfg->shared, sizeof(struct pkvm_smmu_shared) +
		  cfg->nr_smmus * sizeof(struct pkvm_smmu_counts));
	set_aside(&cfg->state, cfg->nr_smmus * sizeof(struct pkvm_smmu));
	set_aside(&cfg->mmio, (cfg->nr_smmus + 2 * cfg->nr_pmcgs) *
			      MOCK_MMIO_KEPT);
	for (i = 0; i < cfg->nr_smmus && i < mock->nr_smmus; i++) {
		u32 idr0 = mock_reg(&mock->smmu[i], ARM_SMMU_IDR0);

		if (!cfg->smmus[i].sid_bits)
			cfg->smmus[i].sid_bits = mock->sid_bits;
		if (!cfg->smmus[i].nr_l2)
			cfg->smmus[i].nr_l2 = MOCK_NR_L2;

		set_aside(&cfg->smmus[i].cmdq, 16 << PKVM_SMMU_CMDQ_SHIFT);
		if (FIELD_GET(T_IDR0_ST_LEVEL, idr0) == 1 &&
		    mock->sid_bits > PKVM_SMMU_STRTAB_SPLIT)
			set_aside(&cfg->smmus[i].strtab,
				  8ULL << (mock->sid_bits -
					   PKVM_SMMU_STRTAB_SPLIT));
		else
			set_aside(&cfg->smmus[i].strtab,
				  64ULL << mock->sid_bits);
	}

	el1.nr_smmus = cfg->nr_smmus;
	el1.nr_chunks = cfg->nr_chunks;
	el1.nr_rmrs = cfg->nr_rmrs;
	el1.nr_pmcgs = cfg->nr_pmcgs;
	memcpy(el1.rmrs, cfg->rmrs, sizeof(el1.rmrs));
	memcpy(el1.pmcgs, cfg->pmcgs, sizeof(el1.pmcgs));
	el1.smmus = cfg->descs;
	el1.pool = cfg->chunks;
	el1.shared = cfg->shared;
	el1.state = cfg->state;
	el1.mmio = cfg->mmio;
	memcpy(described(&cfg->descs), cfg->smmus, descs_size);
	memcpy(described(&cfg->chunks), cfg->pool, chunks_size);
	ret = pkvm_smmu_init(&el1);
	memcpy(cfg->smmus, described(&cfg->descs), descs_size);
	memcpy(cfg->pmcgs, el1.pmcgs, sizeof(cfg->pmcgs));
	if (mock_page(cfg->descs.base)->pins ||
	    mock_page(cfg->chunks.base)->pins)
		mock_complain("EL2 keeps the description");
	/* The pins of cfg->shared stay for good */
	mock->pins = 0;
	for (i = 0; i < mock->nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];

		s->armed = !ret && s->taken;
		if (!ret && s->armed)
			check_table(s);
	}
	for (i = 0; i < MOCK_NR_PMCGS; i++)
		mock->pmcg[i].armed = !ret;

	return ret;
}
