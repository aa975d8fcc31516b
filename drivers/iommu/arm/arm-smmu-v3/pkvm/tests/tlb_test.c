// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages change hands while devices do DMA, and the SMMU caches all that it may.
 *
 * A model of SMMU 0 runs at each step of EL2. It caches STEs, level-1
 * descriptors, table descriptors, leaves, and combined entries of both stages.
 * An entry can be for any part of what its descriptor maps. A walk reads one
 * descriptor at a time. A translated access can take until a CMD_SYNC to reach
 * memory. An invalidation has no effect before the next CMD_SYNC, and then on
 * nothing but what it names. See sections 4.3, 4.4 and 16.2 of the SMMUv3
 * architecture (Arm IHI 0070).
 *
 * An access must reach a page that is the host's, and a walk must not read a
 * free table. The page tables of stage 1 are not modelled.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

#define TABLE_BITS	(PAGE_SHIFT - 3)
#define LEVEL_SHIFT(n)	(PAGE_SHIFT + (3 - (n)) * TABLE_BITS)

/* How much SMMU 0 caches, and does at a time */
#define NR_ENTRIES	96
#define NR_STES		8
#define NR_WALKS	6
#define NR_INVALS	64

/**
 * enum tlb_kind - by what an entry, a walk or an access has been translated
 * @TLB_UNUSED:	there is none
 * @TLB_S2:	stage 2 alone: an invalidation by IPA reaches it
 * @TLB_BOTH:	both stages together: it does not (section 4.4.3.1)
 * @TLB_TABLE:	of an entry: the address of a table of stage 2
 */
enum tlb_kind {
	TLB_UNUSED,
	TLB_S2,
	TLB_BOTH,
	TLB_TABLE,
};

/**
 * struct tlb_entry - a cached descriptor of stage 2, or part of what it maps
 * @kind:	what it is
 * @base:	the first IPA that it is for
 * @size:	for how many bytes from there on
 * @out:	the address that @base is mapped to, or that of the table
 * @level:	of the table
 * @time:	when the walk that read it began
 */
struct tlb_entry {
	enum tlb_kind	kind;
	u64		base;
	u64		size;
	u64		out;
	int		level;
	u64		time;
};

/**
 * struct tlb_ste - a cached STE
 * @used:	there is one
 * @sid:	whose
 * @ste:	the STE
 * @time:	when it, or what led to it, was read
 */
struct tlb_ste {
	bool	used;
	u32	sid;
	u64	ste[STRTAB_STE_DWORDS];
	u64	time;
};

/**
 * struct tlb_l1 - a cached level-1 descriptor
 * @used:	there is one
 * @index:	in the table
 * @desc:	the descriptor
 * @time:	when it was read
 */
struct tlb_l1 {
	bool	used;
	u32	index;
	u64	desc;
	u64	time;
};

/**
 * struct tlb_walk - a walk of stage 2, or the access that it was for
 * @kind:	how the result may be cached
 * @sid:	the stream
 * @ipa:	the address
 * @s1_size:	what the leaf of stage 1 maps, if there is stage 1
 * @table:	the table that is read next
 * @level:	its level
 * @bits:	log2 of its entries
 * @time:	when the walk began
 * @ste_time:	when the STE was read
 */
struct tlb_walk {
	enum tlb_kind	kind;
	u32		sid;
	u64		ipa;
	u64		s1_size;
	u64		table;
	int		level;
	unsigned int	bits;
	u64		time;
	u64		ste_time;
};

/**
 * struct tlb_inval - an invalidation that no CMD_SYNC has completed yet
 * @op:		the command's opcode
 * @leaf:	level-1 descriptors need not go
 * @first:	the first IPA or SID, if it names any
 * @last:	the last one
 * @time:	when the command was run
 */
struct tlb_inval {
	u8	op;
	bool	leaf;
	u64	first;
	u64	last;
	u64	time;
};

/**
 * struct tlb - SMMU 0
 * @on:		its devices do DMA
 * @busy:	they are doing DMA just now
 * @time:	goes up with each access and each command
 * @entries:	what is cached of stage 2
 * @stes:	the STEs that are cached
 * @l1s:	the level-1 descriptors that are cached
 * @walks:	the walks that have not ended
 * @accesses:	the accesses that have been translated, and are on their way
 * @invals:	the invalidations that have not completed
 * @nr_invals:	how many
 * @nr_landed:	how many accesses have reached memory
 */
struct tlb {
	bool			on;
	bool			busy;
	u64			time;
	struct tlb_entry	entries[NR_ENTRIES];
	struct tlb_ste		stes[NR_STES];
	struct tlb_l1		l1s[NR_STES];
	struct tlb_walk		walks[NR_WALKS];
	struct tlb_walk		accesses[NR_WALKS];
	struct tlb_inval	invals[NR_INVALS];
	unsigned int		nr_invals;
	unsigned int		nr_landed;
};

static struct tlb tlb;

#define MAX_GIVEN	128
#define NR_RECENT	16

/**
 * struct arena - the RAM that changes hands
 * @start:	its first page
 * @end:	the end of its last page
 * @base:	where the blocks begin that it is in
 * @top:	where they end
 * @recent:	pages that have changed hands
 * @nr_recent:	how many
 * @given:	ranges that are not the host's
 * @nr_given:	how many
 */
struct arena {
	phys_addr_t	start;
	phys_addr_t	end;
	phys_addr_t	base;
	phys_addr_t	top;
	phys_addr_t	recent[NR_RECENT];
	unsigned int	nr_recent;
	struct {
		phys_addr_t	start;
		phys_addr_t	end;
	}		given[MAX_GIVEN];
	unsigned int	nr_given;
};

static struct arena arena;

/* The streams that do DMA. The host has no STE for the last one */
static const u32 sids[] = { 0, 1, 5, 64, 70, 300 };

static bool one_in(unsigned int n)
{
	return test_random() % n == 0;
}

static phys_addr_t random_page(phys_addr_t start, phys_addr_t end)
{
	u64 pages = (end - start) >> PAGE_SHIFT;

	return start + (test_random() % pages << PAGE_SHIFT);
}

/* The SMMU and its devices */

/* A word of a table that the SMMU walks */
static u64 tlb_read(u64 pa)
{
	struct mock_page *page = mock_page(pa);

	if (!page || page->owner != MOCK_EL2 || page->in_pool) {
		mock_complain("the SMMU reads a table that is free");
		return 0;
	}

	return mock_get(pa);
}

/* An access reaches memory. RAM without a mock page stays the host's */
static void tlb_land(struct tlb_walk *access)
{
	struct mock_page *page = mock_page(access->ipa);

	if (page && page->owner != MOCK_HOST)
		mock_complain("a device has reached a foreign page");
	access->kind = TLB_UNUSED;
	tlb.nr_landed++;
}

static void tlb_access(const struct tlb_walk *walk, u64 pa)
{
	struct tlb_walk *access = &tlb.accesses[test_random() % NR_WALKS];

	if (pa != walk->ipa)
		mock_complain("a device has reached another page");
	if (access->kind)
		tlb_land(access);
	*access = *walk;
	if (!one_in(3))
		tlb_land(access);
}

/* The part of an entry's range that is cached */
static u64 tlb_part(u64 size)
{
	u64 part = (u64)PAGE_SIZE << (test_random() % 10);

	return one_in(2) ? size : min(size, part);
}

/* Cache that @walk->ipa maps to @pa, or that the next table is at @pa */
static void tlb_insert(enum tlb_kind kind, u64 size, u64 pa,
		       const struct tlb_walk *walk)
{
	struct tlb_entry *e = &tlb.entries[test_random() % NR_ENTRIES];

	e->kind = kind;
	e->base = ALIGN_DOWN(walk->ipa, size);
	e->size = size;
	e->out = kind == TLB_TABLE ? pa : pa - (walk->ipa - e->base);
	e->level = walk->level;
	e->time = walk->time;
}

static bool tlb_find_l1(u32 index, u64 base, struct tlb_l1 *l1)
{
	unsigned int i;

	for (i = 0; i < NR_STES; i++) {
		*l1 = tlb.l1s[i];
		if (l1->used && l1->index == index && !one_in(4))
			return l1->desc & T_L1_SPAN;
	}

	l1->used = true;
	l1->index = index;
	l1->desc = tlb_read(base + index * 8);
	l1->time = tlb.time;
	tlb.l1s[test_random() % NR_STES] = *l1;

	return l1->desc & T_L1_SPAN;
}

static bool tlb_find_ste(u32 sid, struct tlb_ste *found)
{
	u64 at = mock_reg64(SMMU0, ARM_SMMU_STRTAB_BASE) & T_STRTAB_ADDR;
	u32 cfg = mock_reg(SMMU0, ARM_SMMU_STRTAB_BASE_CFG);
	u32 split = FIELD_GET(T_STRTAB_SPLIT, cfg), index = sid;
	struct tlb_l1 l1 = { .time = tlb.time };
	unsigned int i;

	for (i = 0; i < NR_STES; i++) {
		*found = tlb.stes[i];
		if (found->used && found->sid == sid && !one_in(4))
			return true;
	}

	if (FIELD_GET(T_STRTAB_FMT, cfg) == T_STRTAB_2LVL) {
		if (!tlb_find_l1(sid >> split, at, &l1))
			return false;
		at = l1.desc & T_STRTAB_ADDR;
		index = sid & ((1U << split) - 1);
	}

	found->used = true;
	found->sid = sid;
	found->time = l1.time;
	for (i = 0; i < STRTAB_STE_DWORDS; i++)
		found->ste[i] = tlb_read(at + index * 64ULL + i * 8);
	tlb.stes[test_random() % NR_STES] = *found;

	return true;
}

/* With 64K, bits 15:12 of a descriptor are bits 51:48 of the address */
static u64 desc_addr(u64 desc)
{
	u64 pa = desc & GENMASK_ULL(47, PAGE_SHIFT);

	return PAGE_SHIFT == 16 ? pa | (desc & 0xf000) << 36 : pa;
}

/* Cache a leaf as one of stage 2, of both stages, as both, or not */
static void tlb_leaf(struct tlb_walk *walk, u64 desc, u64 size)
{
	u64 pa = desc_addr(desc) + (walk->ipa & (size - 1));

	size = tlb_part(size);
	if (walk->kind == TLB_S2 || one_in(2))
		tlb_insert(TLB_S2, size, pa, walk);
	if (walk->kind == TLB_BOTH && one_in(2))
		tlb_insert(TLB_BOTH, min(size, walk->s1_size), pa, walk);
	tlb_access(walk, pa);
	walk->kind = TLB_UNUSED;
}

/* A walk goes on by one level */
static void tlb_walk(struct tlb_walk *walk)
{
	unsigned int shift = LEVEL_SHIFT(walk->level);
	u64 index = (walk->ipa >> shift) & ((1ULL << walk->bits) - 1);
	u64 desc = tlb_read(walk->table + index * 8);

	if (!(desc & 1)) {
		walk->kind = TLB_UNUSED;
	} else if (walk->level == 3 || !(desc & 2)) {
		tlb_leaf(walk, desc, 1ULL << shift);
	} else {
		walk->table = desc_addr(desc);
		walk->level++;
		walk->bits = TABLE_BITS;
		tlb_insert(TLB_TABLE, tlb_part(1ULL << shift), walk->table,
			   walk);
	}
}

/* Does an entry translate for a walk that has just begun? */
static bool tlb_hit(const struct tlb_walk *walk)
{
	unsigned int i;

	for (i = 0; i < NR_ENTRIES; i++) {
		const struct tlb_entry *e = &tlb.entries[i];
		struct tlb_walk hit = *walk;
		u64 pa = e->out + (walk->ipa - e->base);

		if ((e->kind != TLB_S2 && e->kind != walk->kind) ||
		    walk->ipa - e->base >= e->size || one_in(3))
			continue;
		hit.time = e->time;
		if (walk->kind == TLB_BOTH && e->kind == TLB_S2 && one_in(2))
			tlb_insert(TLB_BOTH, PAGE_SIZE, pa, &hit);
		tlb_access(&hit, pa);
		return true;
	}

	return false;
}

/* Start a walk at the root, or at a cached table */
static void tlb_begin(struct tlb_walk *walk, const u64 *s2)
{
	unsigned int t0sz = (s2[0] >> 32) & 0x3f, sl0 = (s2[0] >> 38) & 3, i;

	walk->level = (PAGE_SHIFT == 12 ? 2 : 3) - sl0;
	walk->bits = 64 - t0sz - LEVEL_SHIFT(walk->level);
	walk->table = s2[1] & GENMASK_ULL(51, 4);
	walk->s1_size = (u64)PAGE_SIZE << (test_random() % 3 * TABLE_BITS);
	for (i = 0; i < NR_ENTRIES; i++) {
		const struct tlb_entry *e = &tlb.entries[i];

		if (e->kind != TLB_TABLE || e->level <= walk->level ||
		    walk->ipa - e->base >= e->size || one_in(4))
			continue;
		walk->table = e->out;
		walk->level = e->level;
		walk->bits = TABLE_BITS;
		walk->time = e->time;
	}
}

/* An address, mostly where pages change hands */
static phys_addr_t random_target(void)
{
	if (arena.nr_recent && !one_in(4))
		return arena.recent[test_random() % arena.nr_recent] +
		       (one_in(8) ? PAGE_SIZE : 0);
	if (one_in(4))
		return mock_page_pa(test_random() % mock->nr_pages);

	return one_in(2) ? random_page(arena.start, arena.end) :
			   random_page(arena.base, arena.top);
}

/* A device begins an access */
static void tlb_dma(void)
{
	struct tlb_walk *walk = &tlb.walks[test_random() % NR_WALKS];
	struct tlb_walk begun = { .ipa = random_target(), .time = tlb.time };
	struct tlb_ste found;

	begun.sid = sids[test_random() % ARRAY_SIZE(sids)];
	if (walk->kind || !tlb_find_ste(begun.sid, &found) ||
	    !(found.ste[0] & T_STE_V))
		return;
	if (!mock_ste_is_safe(SMMU0, found.ste))
		mock_complain("the SMMU has an STE that lets something pass");

	switch (HW_CONFIG(found.ste[0])) {
	case HW_S2:
		begun.kind = TLB_S2;
		break;
	case HW_NESTED:
		begun.kind = TLB_BOTH;
		break;
	default:
		return;
	}

	begun.ste_time = found.time;
	if (tlb_hit(&begun))
		return;
	tlb_begin(&begun, found.ste + 2);
	*walk = begun;
}

static void tlb_do_one(void)
{
	struct tlb_walk *walk = &tlb.walks[test_random() % NR_WALKS];
	struct tlb_walk *access = &tlb.accesses[test_random() % NR_WALKS];

	tlb.time++;
	switch (test_random() % 5) {
	case 0:
	case 1:
		tlb_dma();
		break;
	case 2:
	case 3:
		if (walk->kind)
			tlb_walk(walk);
		break;
	case 4:
		if (access->kind)
			tlb_land(access);
		break;
	}
}

/* Devices and the SMMU do some of what they may between two steps of EL2 */
static void tlb_step(void)
{
	unsigned int n;

	if (tlb.busy || !tlb.on || mock->complaint)
		return;

	tlb.busy = true;
	for (n = test_random() % 6; n > 0; n--)
		tlb_do_one();
	tlb.busy = false;
}

static void tlb_steps(unsigned int n)
{
	while (n--)
		tlb_step();
}

/* Invalidation */

static bool inval_is_cfgi(const struct tlb_inval *inval)
{
	return inval->op == T_CFGI_STE || inval->op == T_CFGI_RANGE;
}

static bool inval_has(const struct tlb_inval *inval, u64 first, u64 last)
{
	return first <= inval->last && last >= inval->first;
}

static bool inval_hits(const struct tlb_inval *inval, enum tlb_kind kind,
		       u64 base, u64 size)
{
	switch (inval->op) {
	case T_TLBI_S12_VMALL:
		return true;
	case T_TLBI_NH_ALL:
		return kind == TLB_BOTH;
	case T_TLBI_S2_IPA:
		return kind != TLB_BOTH &&
		       inval_has(inval, base, base + size - 1);
	}

	return false;
}

static bool inval_hits_walk(const struct tlb_inval *inval,
			    const struct tlb_walk *walk)
{
	if (!walk->kind)
		return false;
	if (inval_is_cfgi(inval))
		return walk->ste_time < inval->time &&
		       inval_has(inval, walk->sid, walk->sid);

	return walk->time < inval->time &&
	       inval_hits(inval, walk->kind, walk->ipa, PAGE_SIZE);
}

static void tlb_drop_config(const struct tlb_inval *inval)
{
	u32 split = FIELD_GET(T_STRTAB_SPLIT,
			      mock_reg(SMMU0, ARM_SMMU_STRTAB_BASE_CFG));
	unsigned int i;

	for (i = 0; i < NR_STES; i++) {
		if (tlb.stes[i].time < inval->time &&
		    inval_has(inval, tlb.stes[i].sid, tlb.stes[i].sid))
			tlb.stes[i].used = false;
	}
	for (i = 0; i < NR_STES; i++) {
		u64 first = (u64)tlb.l1s[i].index << split;

		if (!inval->leaf && tlb.l1s[i].time < inval->time &&
		    inval_has(inval, first, first + (1ULL << split) - 1))
			tlb.l1s[i].used = false;
	}
}

static void tlb_drop(const struct tlb_inval *inval)
{
	unsigned int i;

	if (inval_is_cfgi(inval))
		tlb_drop_config(inval);
	for (i = 0; i < NR_ENTRIES; i++) {
		struct tlb_entry *e = &tlb.entries[i];

		if (e->time < inval->time &&
		    inval_hits(inval, e->kind, e->base, e->size))
			e->kind = TLB_UNUSED;
	}
	for (i = 0; i < NR_WALKS; i++) {
		if (inval_hits_walk(inval, &tlb.walks[i]))
			tlb.walks[i].kind = TLB_UNUSED;
	}
	/* These accesses must complete before the CMD_SYNC */
	for (i = 0; i < NR_WALKS; i++) {
		if (inval_hits_walk(inval, &tlb.accesses[i]))
			tlb_land(&tlb.accesses[i]);
	}
}

static void tlb_sync(void)
{
	unsigned int i;

	tlb_step();
	for (i = 0; i < tlb.nr_invals; i++)
		tlb_drop(&tlb.invals[i]);
	tlb.nr_invals = 0;
}

/* An SMMU has run a command */
static void tlb_ran(struct mock_smmu *s, const u64 *cmd)
{
	u64 num = FIELD_GET(T_CMD_NUM, cmd[0]);
	u64 scale = FIELD_GET(T_CMD_SCALE, cmd[0]);
	u64 pages = cmd[1] & T_CMD_TG ? (num + 1) << scale : 1;
	u64 sids_in_range = 2ULL << FIELD_GET(T_CMD_RANGE, cmd[1]);
	struct tlb_inval inval = { .op = T_OP(cmd) };

	if (s != SMMU0)
		return;

	inval.time = ++tlb.time;
	switch (inval.op) {
	case T_CFGI_STE:
		inval.first = FIELD_GET(T_CMD_SID, cmd[0]);
		inval.last = inval.first;
		inval.leaf = cmd[1] & T_CMD_LEAF;
		break;
	case T_CFGI_RANGE:
		inval.first =
			ALIGN_DOWN(FIELD_GET(T_CMD_SID, cmd[0]), sids_in_range);
		inval.last = inval.first + sids_in_range - 1;
		break;
	case T_TLBI_NH_ALL:
	case T_TLBI_S12_VMALL:
		break;
	case T_TLBI_S2_IPA:
		inval.first = cmd[1] & T_CMD_IPA;
		inval.last = inval.first + (pages << PAGE_SHIFT) - 1;
		break;
	case T_CMD_SYNC:
		tlb_sync();
		return;
	default:
		return;
	}
	if (tlb.nr_invals < NR_INVALS)
		tlb.invals[tlb.nr_invals++] = inval;
	else
		mock_complain("more invalidations than the model can keep");
}

/* The host and its guests */

/* Its command queue has room for what is put into it at once */
static bool host_has_room(void)
{
	u32 entries = 1U << mock_host.shift;
	u32 cons = host_readl(ARM_SMMU_CMDQ_CONS) & (2 * entries - 1);

	return ((mock_host.prod - cons) & (2 * entries - 1)) < entries - 2;
}

static void host_change_ste(bool nested)
{
	u32 sid = sids[test_random() % (ARRAY_SIZE(sids) - 1)];
	phys_addr_t cd = mock_page_pa(3);
	u64 ste[4] = {};

	switch (test_random() % (nested ? 5 : 3)) {
	case 0:
		break;
	case 1:
		ste[0] = STE_BYPASS0;
		ste[1] = STE_BYPASS1;
		break;
	case 2:
		/* SHCFG */
		ste[0] = STE_BYPASS0;
		ste[1] = test_random() & T_STE_SHCFG;
		break;
	case 3:
		ste[0] = STE_ABORT0;
		ste[1] = STE_BYPASS1;
		break;
	case 4:
		ste[0] = STE_S1_0(cd);
		ste[1] = STE_S1_1;
		break;
	}
	host_put_ste(sid, ste);
	host_cfgi_ste(sid);
}

/* The host removes the second level of its table, or adds it again */
static void host_change_table(void)
{
	if (mock_host.l2 == mock_host.strtab)
		return;
	mock_put(mock_host.strtab,
		 one_in(4) ? 0 : mock_host.l2 | (HOST_SPLIT + 1));
	host_cfgi_all();
}

static void host_set_smmuen(u32 smmuen)
{
	u32 cr0 = host_readl(ARM_SMMU_CR0) & ~CR0_SMMUEN;

	host_writel(ARM_SMMU_CR0, cr0 | smmuen);
	if (one_in(2))
		host_wait_cr0();
}

static void host_step(bool nested)
{
	if (!host_has_room())
		return;

	if (!(host_readl(ARM_SMMU_CR0) & CR0_SMMUEN) && one_in(2)) {
		host_set_smmuen(CR0_SMMUEN);
		return;
	}

	switch (test_random() % 12) {
	default:
		host_change_ste(nested);
		break;
	case 7:
		host_cfgi_all();
		break;
	case 8:
		host_change_table();
		break;
	case 9:
		host_cmd_put(T_TLBI_NH_ALL, 0);
		host_cmd_sync();
		break;
	case 10:
		host_set_smmuen(0);
		break;
	}
}

static bool all_host(phys_addr_t start, phys_addr_t end)
{
	if (start < arena.start || end > arena.end)
		return false;
	for (; start < end; start += PAGE_SIZE) {
		if (mock_page(start)->owner != MOCK_HOST)
			return false;
	}

	return true;
}

static void pages_leave(void)
{
	unsigned int n = 1 + test_random() % (one_in(4) ? 40 : 3);
	phys_addr_t start = random_page(arena.start, arena.end), end;

	if (arena.nr_recent && one_in(2))
		start = arena.recent[test_random() % arena.nr_recent] +
			test_random() % 5 * PAGE_SIZE;
	/* A block as a whole, where there is enough RAM for one */
	if (one_in(10)) {
		start = ALIGN_DOWN(start, SMMU_S2_JOIN_SIZE);
		n = SMMU_S2_JOIN_SIZE >> PAGE_SHIFT;
	}
	end = start + n * PAGE_SIZE;
	if (arena.nr_given == MAX_GIVEN || !all_host(start, end))
		return;

	mock_own_lock();
	if (!smmu_run_pages_leave(start, end)) {
		mock_give(start, end - start, MOCK_GUEST);
		arena.given[arena.nr_given].start = start;
		arena.given[arena.nr_given++].end = end;
	}
	mock_own_unlock();

	if (arena.nr_recent < NR_RECENT)
		arena.nr_recent++;
	arena.recent[test_random() % arena.nr_recent] = start;
	tlb_steps(20);
}

static void pages_return(unsigned int i)
{
	phys_addr_t start = arena.given[i].start, end = arena.given[i].end;

	arena.given[i] = arena.given[--arena.nr_given];
	mock_own_lock();
	mock_give(start, end - start, MOCK_HOST);
	smmu_run_pages_return(start, end);
	/* Shared by the guest, and reclaimed later */
	if (one_in(4))
		smmu_run_pages_return(start, end);
	mock_own_unlock();
	tlb_steps(10);
}

/* SMMUs are slow or stuck, and the pool is empty */
static void trouble(void)
{
	struct mock_smmu *s = &mock->smmu[test_random() % MOCK_NR_SMMUS];

	if (one_in(2)) {
		mock->pool_left = mock->pool_pages - mock->pool_used;
		if (one_in(3))
			mock->pool_left = test_random() % 3;
		return;
	}

	s->slow = one_in(2);
	s->stuck = one_in(4);
	s->delay = one_in(3) ? SMMU_LEAVE_US / 5 : 0;
	if (!s->slow && !s->stuck)
		mock_run_all(s);
}

/* A slow SMMU goes on while EL2 does not wait */
static void catch_up(void)
{
	struct mock_smmu *s = &mock->smmu[test_random() % MOCK_NR_SMMUS];

	if (!s->stuck && one_in(4))
		mock_run_all(s);
}

static void no_trouble(void)
{
	unsigned int i;

	for (i = 0; i < MOCK_NR_SMMUS; i++) {
		mock->smmu[i].slow = false;
		mock->smmu[i].stuck = false;
		mock_run_all(&mock->smmu[i]);
	}
	mock->pool_left = mock->pool_pages - mock->pool_used;
}

/* The whole machine */

/**
 * struct tlb_mode - how the model is run
 * @pages:	RAM that changes hands
 * @block:	the size of the blocks that map it; 0 if pages do
 * @linear:	SMMUs have no 2-level stream tables
 * @ril:	SMMUs have range invalidation
 * @nested:	the host has stage 1
 * @trouble:	SMMUs fail, and memory is short
 */
struct tlb_mode {
	unsigned int	pages;
	u64		block;
	bool		linear;
	bool		ril;
	bool		nested;
	bool		trouble;
};

#define ALL_PAGES	512
#define POOL_PAGES	128

/* Pages of the second region change hands. A smallest block ends in it */
static void make_arena(const struct tlb_mode *mode)
{
	u64 size = mode->pages * PAGE_SIZE;
	phys_addr_t pa;

	memset(&arena, 0, sizeof(arena));
	/* Blocks of 4 TiB need addresses of 52 bits: use all of the bits */
	arena.base = mode->block > SZ_4G ? 70 * mode->block : SZ_4G;
	arena.start = arena.base + SMMU_S2_JOIN_SIZE - 70 * PAGE_SIZE;
	arena.end = arena.start + size;
	arena.top = ALIGN(arena.end, max_t(u64, mode->block, PAGE_SIZE));
	if (!mode->block) {
		arena.base = arena.start;
		arena.top = arena.end;
	}

	mock->region[0].end -= size - MOCK_RAM_B_PAGES * PAGE_SIZE;
	mock->region[1].base = arena.start;
	mock->region[1].end = arena.end;
	for (pa = arena.start; pa < arena.end; pa += PAGE_SIZE)
		mock_page(pa)->allocated = true;
}

static void set_up(struct kunit *test, const struct tlb_mode *mode)
{
	unsigned int i;

	mock_test_again(test, ALL_PAGES + mode->pages);
	memset(&tlb, 0, sizeof(tlb));
	make_arena(mode);

	mock->config.nr_smmus = 2;
	mock->sid_bits = 9;
	for (i = 0; i < 2; i++) {
		struct mock_smmu *s = &mock->smmu[i];
		u32 idr0 = mock_reg(s, ARM_SMMU_IDR0);
		u32 idr1 = mock_reg(s, ARM_SMMU_IDR1) & ~T_IDR1_SIDSIZE;

		mock_set_reg(s, ARM_SMMU_IDR1, idr1 | mock->sid_bits);
		if (mode->linear)
			mock_set_reg(s, ARM_SMMU_IDR0,
				     idr0 & ~T_IDR0_ST_LEVEL);
		/* BBM level 1 or 2, RIL */
		mock_set_reg(s, ARM_SMMU_IDR3,
			     T_IDR3_BBML(mode->block ? 2 : 1) |
			     (mode->ril ? T_IDR3_RIL : 0));
		if (arena.top > BIT_ULL(40))
			mock_set_reg(s, ARM_SMMU_IDR5, T_IDR5(T_OAS_52));
	}

	mock->config.pool[0].size = POOL_PAGES * PAGE_SIZE;
	mock->config.pool[0].base = mock_alloc(mock->config.pool[0].size,
					       MOCK_HOST);
	mock_test_boot(test);
	mock_own_lock();
	smmu_run_pages_return(arena.base, arena.start);
	smmu_run_pages_return(arena.end, arena.top);
	mock_own_unlock();

	host_cmdq_start(6);
	host_strtab_start();
}

static void expect_mapped(struct kunit *test, const struct tlb_mode *mode,
			  phys_addr_t pa)
{
	const u64 *s2 = SMMU0->smmu->feat.s2_ste;
	struct mock_leaf leaf = {};

	KUNIT_ASSERT_TRUE(test, mock_s2_walk(s2, pa, &leaf));
	KUNIT_ASSERT_EQ(test, leaf.pa, pa);
	KUNIT_ASSERT_EQ(test, 1ULL << LEVEL_SHIFT(leaf.level),
			mode->block ?: PAGE_SIZE);
}

/* The host has all pages again. They are mapped, and in blocks if possible */
static void expect_whole(struct kunit *test, const struct tlb_mode *mode)
{
	phys_addr_t pa;

	for (pa = arena.start; pa < arena.end; pa += PAGE_SIZE)
		expect_mapped(test, mode, pa);
	for (pa = arena.base; pa < arena.top; pa += SMMU_S2_JOIN_SIZE)
		expect_mapped(test, mode, pa);
}

/* An emulated CPU takes twenty times as long for each round */
#ifdef CONFIG_ARM64
#define MODEL_ROUNDS	300
#else
#define MODEL_ROUNDS	1000
#endif

static void run_model(struct kunit *test, const struct tlb_mode *mode)
{
	unsigned int what, i;

	set_up(test, mode);
	mock->ran = tlb_ran;
	mock->step = tlb_step;
	tlb.on = true;
	for (i = 0; i < MODEL_ROUNDS && !mock->complaint; i++) {
		mock->relaxed = 0;
		tlb_step();
		catch_up();
		what = test_random() % 100;
		if (what < 22)
			host_step(mode->nested);
		else if (what < 26 && mode->trouble)
			trouble();
		else if (what < 62 || !arena.nr_given)
			pages_leave();
		else
			pages_return(test_random() % arena.nr_given);
	}

	no_trouble();
	while (arena.nr_given && !mock->complaint)
		pages_return(0);
	tlb.on = false;
	KUNIT_EXPECT_GT(test, tlb.nr_landed, 0);
	KUNIT_EXPECT_EQ_MSG(test, !!mock->complaint, false,
			    "blocks of %llu, %snested, %strouble",
			    (unsigned long long)mode->block,
			    mode->nested ? "" : "not ",
			    mode->trouble ? "" : "no ");
	if (!mock->complaint && !mode->trouble)
		expect_whole(test, mode);
}

/* Pages, and blocks of the smallest size */
static void tlb_model(struct kunit *test)
{
	/* With 4K there is more than a block, so that a block can leave */
	struct tlb_mode mode = { .pages = PAGE_SHIFT == 12 ? 640 : 160 };
	unsigned int i;

	for (i = 0; i < 8 && !mock->complaint; i++) {
		mode.block = i & 1 ? SMMU_S2_JOIN_SIZE : 0;
		mode.nested = i & 2;
		mode.trouble = i & 4;
		mode.linear = one_in(3);
		mode.ril = one_in(2);
		run_model(test, &mode);
	}
}

/* Blocks of 1 GiB, or of 4 TiB, which are split and joined in two steps */
static void tlb_model_level_1(struct kunit *test)
{
	struct tlb_mode mode = {
		.pages = 160, .block = 1ULL << LEVEL_SHIFT(1),
	};
	unsigned int i;

	/* With pages of 16K there are no such blocks */
	if (PAGE_SHIFT == 14)
		return;

	for (i = 0; i < 4 && !mock->complaint; i++) {
		mode.nested = i & 1;
		mode.trouble = i & 2;
		mode.linear = one_in(3);
		mode.ril = one_in(2);
		run_model(test, &mode);
	}
}

/* The host has a stream that passes, with stage 1 or without */
static void set_up_stream(struct kunit *test, const struct tlb_mode *mode)
{
	u64 ste[4] = { STE_BYPASS0, STE_BYPASS1 };

	set_up(test, mode);
	if (mode->nested) {
		ste[0] = STE_S1_0(mock_page_pa(3));
		ste[1] = STE_S1_1;
	}
	host_put_ste(1, ste);
	host_cfgi_ste(1);
	SMMU0->nr_runs = 0;
}

/*
 * The host reclaims pages that a guest has shared. They are mapped already. EL2
 * does not split the block, and sends no invalidation.
 */
static void tlb_map_mapped(struct kunit *test)
{
	struct tlb_mode mode = { .pages = 160, .block = SMMU_S2_JOIN_SIZE };
	unsigned int used;
	phys_addr_t pa;

	set_up_stream(test, &mode);
	used = mock->pool_used;
	mock->pool_peak = used;
	mock_own_lock();
	for (pa = arena.base; pa < arena.top; pa += PAGE_SIZE)
		smmu_run_pages_return(pa, pa + PAGE_SIZE);
	mock_own_unlock();
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);
	KUNIT_EXPECT_EQ(test, mock->pool_peak, used);
	expect_whole(test, &mode);
}

/* When a block replaces a table, one command invalidates all of its range */
static void tlb_join(struct kunit *test)
{
	struct tlb_mode mode = { .pages = 160, .block = SMMU_S2_JOIN_SIZE };
	phys_addr_t start, end;
	unsigned int i;
	u64 *cmd;

	for (i = 0; i < 4; i++) {
		mode.ril = i & 1;
		mode.nested = i & 2;
		set_up_stream(test, &mode);
		start = arena.start;
		end = start + PAGE_SIZE;
		mock_own_lock();
		KUNIT_EXPECT_EQ(test, smmu_run_pages_leave(start, end), 0);
		SMMU0->nr_runs = 0;
		smmu_run_pages_return(start, end);
		mock_own_unlock();
		expect_whole(test, &mode);

		KUNIT_ASSERT_EQ(test, SMMU0->nr_runs, 2);
		cmd = SMMU0->runs[0].cmd;
		if (i == 1) {
			/* NUM = 0, SCALE, the granule, no level */
			KUNIT_EXPECT_EQ(test, cmd[0],
					T_TLBI_S2_IPA | T_SCALE(TABLE_BITS));
			start = ALIGN_DOWN(start, SMMU_S2_JOIN_SIZE);
			KUNIT_EXPECT_EQ(test, cmd[1],
					start | T_TG((PAGE_SHIFT - 10) / 2));
		} else {
			KUNIT_EXPECT_EQ(test, cmd[0], T_TLBI_S12_VMALL);
		}
		KUNIT_EXPECT_EQ(test, SMMU0->runs[1].cmd[0], T_CMD_SYNC);
	}
}

static struct kunit_case tlb_cases[] = {
	KUNIT_CASE(tlb_model),
	KUNIT_CASE(tlb_model_level_1),
	KUNIT_CASE(tlb_map_mapped),
	KUNIT_CASE(tlb_join),
	{}
};

static struct kunit_suite tlb_suite = {
	.name = "pkvm-smmu-tlb",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = tlb_cases,
};

kunit_test_suite(tlb_suite);
