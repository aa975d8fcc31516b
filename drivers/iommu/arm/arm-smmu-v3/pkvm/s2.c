// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity stage 2 under everything that the host configures.
 *
 * - RAM is mapped if the host may access it. Everything else is mapped once, at
 *   init, except the registers that EL2 has taken.
 * - RAM is mapped in the largest blocks that ownership allows. When a page
 *   leaves the host, EL2 splits the blocks around it. Each split is one store,
 *   and all other pages of the block stay mapped.
 * - If an SMMU needs break-before-make for that (IDR3.BBML below 2), RAM is
 *   mapped in pages.
 * - When a table has only leaves of RAM, a block can replace it again.
 * - The format is one that the SMMUs have: VMSAv8-64 with addresses of up to 48
 *   bits, or 52 bits with pages of 64K. It does not depend on the CPU's: an
 *   SMMU without IDR5.DS cannot read LPA2 tables.
 *
 * The tables are EL2's memory. The ownership locks are held wherever they
 * change, or the host has not lost its privileges yet. The caller invalidates
 * (tlbi.c).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "feat.h"
#include "hyp.h"
#include "s2.h"
#include "sizes.h"

#define S2_LAST_LEVEL		3
#define S2_MAX_CONCAT_BITS	4
#define S2_ENTRIES		BIT(S2_BITS_PER_LEVEL)

#define S2_PTE_VALID		BIT_ULL(0)
#define S2_PTE_TABLE_OR_PAGE	BIT_ULL(1)
#define S2_PTE_MEMATTR		GENMASK_ULL(5, 2)
#define S2_PTE_MEMATTR_DEVICE	0x1ULL		/* Device-nGnRE */
#define S2_PTE_MEMATTR_NORMAL	0xfULL		/* Inner and outer Write-Back */
#define S2_PTE_S2AP		GENMASK_ULL(7, 6)
#define S2_PTE_S2AP_RW		3ULL
#define S2_PTE_SH		GENMASK_ULL(9, 8)
#define S2_PTE_SH_INNER		3ULL
#define S2_PTE_AF		BIT_ULL(10)
#define S2_PTE_ADDR		GENMASK_ULL(47, PAGE_SHIFT)
/* With pages of 64K: bits 51:48 of the address */
#define S2_PTE_ADDR_HI		GENMASK_ULL(15, 12)
#define S2_ADDR_HI_SHIFT	48

/* What to map in a range */
enum s2_what {
	S2_NOTHING,
	S2_RAM,
	S2_DEVICE,
};

static unsigned int s2_shift(s8 level)
{
	return PAGE_SHIFT + (S2_LAST_LEVEL - level) * S2_BITS_PER_LEVEL;
}

static u64 s2_level_size(s8 level)
{
	return BIT_ULL(s2_shift(level));
}

static u64 s2_addr_to_pte(phys_addr_t pa)
{
	u64 pte = pa & S2_PTE_ADDR;

	if (PAGE_SHIFT == 16)
		pte |= FIELD_PREP(S2_PTE_ADDR_HI, pa >> S2_ADDR_HI_SHIFT);

	return pte;
}

static phys_addr_t s2_pte_to_addr(u64 pte)
{
	phys_addr_t pa = pte & S2_PTE_ADDR;

	if (PAGE_SHIFT == 16)
		pa |= FIELD_GET(S2_PTE_ADDR_HI, pte) << S2_ADDR_HI_SHIFT;

	return pa;
}

static bool s2_pte_is_table(u64 pte, s8 level)
{
	return level < S2_LAST_LEVEL && (pte & S2_PTE_VALID) &&
	       (pte & S2_PTE_TABLE_OR_PAGE);
}

static bool s2_pte_is_ram(u64 pte, s8 level)
{
	return (pte & S2_PTE_VALID) && !s2_pte_is_table(pte, level) &&
	       FIELD_GET(S2_PTE_MEMATTR, pte) == S2_PTE_MEMATTR_NORMAL;
}

static u64 s2_table_pte(u64 *table)
{
	return s2_addr_to_pte(hyp_virt_to_phys(table)) | S2_PTE_VALID |
	       S2_PTE_TABLE_OR_PAGE;
}

static u64 *s2_pte_table(u64 pte)
{
	return hyp_phys_to_virt(s2_pte_to_addr(pte));
}

/* In the table that @pte leads to, the entry of @level for @pa */
static u64 *s2_entry(u64 pte, s8 level, phys_addr_t pa)
{
	return &s2_pte_table(pte)[(pa >> s2_shift(level)) & (S2_ENTRIES - 1)];
}

static void s2_store(u64 *ptep, u64 pte)
{
	WRITE_ONCE(*ptep, pte);
	hyp_clean(ptep, sizeof(*ptep));
}

/**
 * smmu_s2_geometry() - choose the level of the root table
 * @s2:		@ia_bits and @level are set
 * @ia_bits:	address size, in bits
 *
 * Concatenated root tables save a level (Arm DDI 0487, D8.2).
 *
 * Return: 0; -EINVAL if no format has this address size.
 */
int smmu_s2_geometry(struct smmu_s2 *s2, u8 ia_bits)
{
	s8 level;

	if (ia_bits < 32 || ia_bits > PKVM_SMMU_MAX_OAS_BITS)
		return -EINVAL;

	for (level = 2; level >= 0; level--) {
		if (ia_bits <=
		    s2_shift(level) + S2_BITS_PER_LEVEL + S2_MAX_CONCAT_BITS) {
			s2->ia_bits = ia_bits;
			s2->level = level;
			return 0;
		}
	}

	return -EINVAL;
}

/**
 * smmu_s2_leaf() - the descriptor that maps @pa to itself
 * @pa:		aligned to the size of an entry of @level
 * @level:	a level that can have leaves
 * @device:	not RAM
 *
 * Return: the descriptor.
 */
u64 smmu_s2_leaf(phys_addr_t pa, s8 level, bool device)
{
	u64 attr = device ? S2_PTE_MEMATTR_DEVICE : S2_PTE_MEMATTR_NORMAL;

	return s2_addr_to_pte(pa) | S2_PTE_VALID | S2_PTE_AF |
	       (level == S2_LAST_LEVEL ? S2_PTE_TABLE_OR_PAGE : 0) |
	       FIELD_PREP(S2_PTE_MEMATTR, attr) |
	       FIELD_PREP(S2_PTE_S2AP, S2_PTE_S2AP_RW) |
	       FIELD_PREP(S2_PTE_SH, S2_PTE_SH_INNER);
}

/**
 * smmu_s2_ste_dwords() - the stage 2 fields of every STE
 * @s2:		the stage 2
 * @coherent:	the SMMU snoops the CPUs' caches
 * @dwords:	dwords 2 and 3, in CPU byte order
 */
void smmu_s2_ste_dwords(const struct smmu_s2 *s2, bool coherent, u64 *dwords)
{
	/* Section 5.2: SL0 counts from level 2 with 4K, else from level 3 */
	u64 sl0 = (PAGE_SHIFT == 12 ? 2 : 3) - s2->level;
	u64 tg = PAGE_SHIFT == 12 ? 0 : PAGE_SHIFT == 16 ? 1 : 2;
	/* An SMMU that does not snoop must fetch descriptors from memory */
	u64 cache = coherent ? STRTAB_STE_1_S1C_CACHE_WBRA :
			       STRTAB_STE_1_S1C_CACHE_NC;
	u64 sh = coherent ? ARM_SMMU_SH_ISH : ARM_SMMU_SH_OSH;
	u64 ps = pkvm_smmu_bits_to_oas(s2->ia_bits);
	u64 vtcr;

	vtcr = FIELD_PREP(STRTAB_STE_2_VTCR_S2T0SZ, 64 - s2->ia_bits) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SL0, sl0) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2IR0, cache) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2OR0, cache) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SH0, sh) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2TG, tg) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2PS, ps);

	dwords[0] = FIELD_PREP(STRTAB_STE_2_S2VMID, SMMU_VMID) |
		    FIELD_PREP(STRTAB_STE_2_VTCR, vtcr) |
		    STRTAB_STE_2_S2AA64 | STRTAB_STE_2_S2PTW | STRTAB_STE_2_S2R;
	dwords[1] = hyp_virt_to_phys(s2->pgd) & STRTAB_STE_3_S2TTB_MASK;
}

/*
 * Replace an entry of @level that maps @base by a table that maps the same, one
 * level further down. Returns the table, or NULL if the pool is empty.
 */
static u64 *s2_make_table(u64 *ptep, phys_addr_t base, s8 level)
{
	u64 size = s2_level_size(level + 1), leaf, *table = hyp_page_alloc();
	unsigned int i;

	if (!table)
		return NULL;

	if (*ptep & S2_PTE_VALID) {
		leaf = smmu_s2_leaf(base, level + 1,
				    !s2_pte_is_ram(*ptep, level));
		for (i = 0; i < S2_ENTRIES; i++, leaf += size)
			table[i] = leaf;
	}
	hyp_clean(table, PAGE_SIZE);
	hyp_wmb();
	s2_store(ptep, s2_table_pte(table));

	return table;
}

static u64 s2_leaf(phys_addr_t pa, s8 level, enum s2_what what)
{
	if (what == S2_NOTHING)
		return 0;

	return smmu_s2_leaf(pa, level, what == S2_DEVICE);
}

/* Does the entry of @level map what it is to map, in whole? */
static bool s2_is_done(u64 pte, s8 level, enum s2_what what)
{
	return what == S2_RAM ? s2_pte_is_ram(pte, level) :
	       what == S2_NOTHING ? !(pte & S2_PTE_VALID) : false;
}

/*
 * Set the entries of @level for a range; the first one is *@ptep. Returns 1 if
 * an entry has changed, here or further down; 0 if none has; -ENOMEM, and then
 * only part of the range may be set.
 */
static int s2_set(const struct smmu_s2 *s2, u64 *ptep, s8 level,
		  phys_addr_t start, phys_addr_t end, enum s2_what what)
{
	s8 top = what == S2_RAM ? s2->ram_level :
				  pkvm_smmu_block_level(s2->ia_bits);
	u64 size = s2_level_size(level), *first = ptep, *table;
	phys_addr_t base, next;
	int changed = 0, ret;

	for (; start < end; start = next, ptep++) {
		base = ALIGN_DOWN(start, size);
		next = min(base + size, end);
		if (s2_is_done(*ptep, level, what))
			continue;

		if (next - start == size && level >= top &&
		    !s2_pte_is_table(*ptep, level)) {
			WRITE_ONCE(*ptep, s2_leaf(base, level, what));
			changed = 1;
			continue;
		}

		table = s2_pte_is_table(*ptep, level) ?
			s2_pte_table(*ptep) : s2_make_table(ptep, base, level);
		if (!table) {
			changed = -ENOMEM;
			break;
		}
		ret = s2_set(s2, &table[(start - base) >> s2_shift(level + 1)],
			     level + 1, start, next, what);
		if (ret < 0) {
			changed = ret;
			break;
		}
		changed |= ret;
	}
	hyp_clean(first, (ptep - first) * sizeof(*ptep));

	return changed;
}

static int s2_set_range(const struct smmu_s2 *s2, phys_addr_t start,
			phys_addr_t end, enum s2_what what)
{
	u64 *ptep = &s2->pgd[start >> s2_shift(s2->level)];
	int ret = s2_set(s2, ptep, s2->level, start, end, what);

	hyp_wmb();

	return ret;
}

/**
 * smmu_s2_map() - map RAM to itself
 * @s2:		the stage 2
 * @start:	page aligned
 * @end:	page aligned
 *
 * Return: 1; 0 if all of it was mapped already, and nothing has changed;
 * -ENOMEM, and then only part of it may be mapped.
 */
int smmu_s2_map(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	return s2_set_range(s2, start, end, S2_RAM);
}

/**
 * smmu_s2_unmap() - unmap RAM
 * @s2:		the stage 2
 * @start:	page aligned
 * @end:	page aligned
 *
 * The SMMUs may still have it cached.
 *
 * Return: 0; -ENOMEM, and then part of it may still be mapped.
 */
int smmu_s2_unmap(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	return min(s2_set_range(s2, start, end, S2_NOTHING), 0);
}

/**
 * smmu_s2_maps() - does the stage 2 map a page?
 * @s2:		the stage 2
 * @pa:		the page
 */
bool smmu_s2_maps(const struct smmu_s2 *s2, phys_addr_t pa)
{
	u64 pte = s2->pgd[pa >> s2_shift(s2->level)];
	s8 level;

	for (level = s2->level; s2_pte_is_table(pte, level); level++)
		pte = *s2_entry(pte, level + 1, pa);

	return pte & S2_PTE_VALID;
}

/* Has the table of @level only leaves of RAM? Most tables have not at an end */
static bool s2_is_full(const u64 *table, s8 level)
{
	unsigned int i;

	if (!s2_pte_is_ram(table[S2_ENTRIES - 1], level))
		return false;

	for (i = 0; i < S2_ENTRIES; i++) {
		if (!s2_pte_is_ram(table[i], level))
			return false;
	}

	return true;
}

/**
 * smmu_s2_join() - replace a table by a block
 * @s2:		the stage 2
 * @pa:		an address in the table's range
 * @join:	for smmu_s2_join_done() and smmu_s2_join_undo()
 *
 * The lowest table that leads to @pa is replaced, if it has only leaves of RAM.
 * An SMMU may have cached its address and its entries. Invalidate all of it,
 * from
 * @join->start to @join->end, before smmu_s2_join_done().
 *
 * Return: false if there is no such table.
 */
bool smmu_s2_join(struct smmu_s2 *s2, phys_addr_t pa, struct smmu_s2_join *join)
{
	u64 *ptep = &s2->pgd[pa >> s2_shift(s2->level)], *next;
	s8 level = s2->level;

	if (!s2_pte_is_table(*ptep, level))
		return false;
	for (;; level++, ptep = next) {
		next = s2_entry(*ptep, level + 1, pa);
		if (!s2_pte_is_table(*next, level + 1))
			break;
	}
	if (level < s2->ram_level ||
	    !s2_is_full(s2_pte_table(*ptep), level + 1))
		return false;

	join->ptep = ptep;
	join->table = *ptep;
	join->start = ALIGN_DOWN(pa, s2_level_size(level));
	join->end = join->start + s2_level_size(level);
	s2_store(ptep, smmu_s2_leaf(join->start, level, false));
	hyp_wmb();

	return true;
}

/**
 * smmu_s2_join_done() - free the table that a block has replaced
 * @join:	set by smmu_s2_join(); no SMMU has the table cached
 */
void smmu_s2_join_done(const struct smmu_s2_join *join)
{
	hyp_page_free(s2_pte_table(join->table));
}

/**
 * smmu_s2_join_undo() - put the table back that a block has replaced
 * @join:	set by smmu_s2_join()
 */
void smmu_s2_join_undo(const struct smmu_s2_join *join)
{
	s2_store(join->ptep, join->table);
}

static int s2_map_mmio(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	phys_addr_t hole, hole_end;
	int ret;

	start = ALIGN(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);

	while (start < end) {
		if (!hyp_mmio_next(start, &hole, &hole_end) || hole >= end) {
			hole = end;
			hole_end = end;
		}

		if (hole > start) {
			ret = s2_set_range(s2, start, hole, S2_DEVICE);
			if (ret < 0)
				return ret;
		}
		start = hole_end;
	}

	return 0;
}

static int s2_map_ram(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	phys_addr_t from, to;
	int ret;

	start = ALIGN(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);

	for (; hyp_host_ram_next(start, end, &from, &to); start = to) {
		ret = smmu_s2_map(s2, from, to);
		if (ret < 0)
			return ret;
	}

	return 0;
}

/**
 * smmu_s2_init() - build the stage 2 from the ownership of pages
 * @s2:		to be initialised
 * @ia_bits:	the largest address size that all SMMUs can put out, in bits
 * @split:	all SMMUs allow a block to be split by one store
 *
 * EL2 has taken all its MMIO and memory before.
 *
 * Return: 0; -EINVAL if no format has this address size; -ERANGE if it does not
 * reach all RAM; -ENOMEM.
 */
int smmu_s2_init(struct smmu_s2 *s2, u8 ia_bits, bool split)
{
	phys_addr_t base, end, pos = 0;
	int root_bits, ret;
	unsigned int i;

	ret = smmu_s2_geometry(s2, ia_bits);
	if (ret)
		return ret;

	s2->ram_level = split ? pkvm_smmu_block_level(ia_bits) : S2_LAST_LEVEL;
	root_bits = s2->ia_bits - s2_shift(s2->level) + 3;
	s2->pgd = hyp_pages_alloc(max(root_bits - PAGE_SHIFT, 0));
	if (!s2->pgd)
		return -ENOMEM;

	for (i = 0; hyp_ram_region(i, &base, &end); i++) {
		if (end > BIT_ULL(ia_bits))
			return -ERANGE;

		ret = s2_map_mmio(s2, pos, base);
		if (ret)
			return ret;
		ret = s2_map_ram(s2, base, end);
		if (ret)
			return ret;
		pos = end;
	}

	return s2_map_mmio(s2, pos, BIT_ULL(ia_bits));
}
