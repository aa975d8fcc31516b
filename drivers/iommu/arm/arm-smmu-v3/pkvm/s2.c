// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity stage 2 that stands under everything the host configures.
 *
 * RAM is mapped where the host may access it, and all else except the registers that
 * EL2 took: that never changes. Both are mapped in the largest blocks that fit. When a
 * page leaves, the blocks that it is in are split, by one store for each: all else that
 * they map stays mapped. If any SMMU wants a block to be taken away before it is changed
 * (IDR3.BBML below 2), RAM is mapped in pages.
 *
 * A table descriptor has, in bits that the hardware ignores, how many entries of the
 * table are leaves of RAM. When they all are, a block can take its place again.
 *
 * The format is the SMMU's, VMSAv8-64 with addresses of up to 48 bits, or 52 where
 * pages of 64K leave room for them, whatever the CPU uses: an SMMU without IDR5.DS
 * doesn't read the CPU's LPA2 tables.
 *
 * Tables come from EL2's pool and hold nothing of the host's. All that changes them is
 * called with the ownership lock held, or at init. Invalidation is the caller's (tlbi.c).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

#define S2_LAST_LEVEL		3
#ifndef S2_BITS_PER_LEVEL
#define S2_BITS_PER_LEVEL	(PAGE_SHIFT - 3)
#endif
#define S2_MAX_CONCAT_BITS	4

#define S2_PTE_VALID		BIT_ULL(0)
#define S2_PTE_TABLE_OR_PAGE	BIT_ULL(1)
#define S2_PTE_MEMATTR		GENMASK_ULL(5, 2)
#define S2_PTE_MEMATTR_DEVICE	0x1ULL		/* Device-nGnRE */
#define S2_PTE_MEMATTR_NORMAL	0xfULL		/* Write-back, inner and outer */
#define S2_PTE_S2AP		GENMASK_ULL(7, 6)
#define S2_PTE_S2AP_RW		3ULL
#define S2_PTE_SH		GENMASK_ULL(9, 8)
#define S2_PTE_SH_INNER		3ULL
#define S2_PTE_AF		BIT_ULL(10)
#define S2_PTE_ADDR		GENMASK_ULL(47, PAGE_SHIFT)
/* With pages of 64K: bits 51:48 of the address */
#define S2_PTE_ADDR_HI		GENMASK_ULL(15, 12)
#define S2_ADDR_HI_SHIFT	48
/* Ignored in the descriptor of a table, and 0 in all others */
#define S2_TABLE_COUNT_LO	GENMASK_ULL(11, 2)
#define S2_TABLE_COUNT_HI	GENMASK_ULL(55, 52)
#define S2_TABLE_COUNT_SHIFT	10

#define S2_ENTRIES		BIT(S2_BITS_PER_LEVEL)

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
	return (pa & S2_PTE_ADDR) |
	       (PAGE_SHIFT == 16 ? FIELD_PREP(S2_PTE_ADDR_HI, pa >> S2_ADDR_HI_SHIFT) : 0);
}

static phys_addr_t s2_pte_to_addr(u64 pte)
{
	return (pte & S2_PTE_ADDR) |
	       (PAGE_SHIFT == 16 ? FIELD_GET(S2_PTE_ADDR_HI, pte) << S2_ADDR_HI_SHIFT : 0);
}

/* Is @pte, which is not of the last level, the descriptor of a table? */
static bool s2_pte_leads_on(u64 pte)
{
	return (pte & S2_PTE_VALID) && (pte & S2_PTE_TABLE_OR_PAGE);
}

static bool s2_pte_is_table(u64 pte, s8 level)
{
	return level < S2_LAST_LEVEL && s2_pte_leads_on(pte);
}

static bool s2_pte_is_ram(u64 pte, s8 level)
{
	return (pte & S2_PTE_VALID) && !s2_pte_is_table(pte, level) &&
	       FIELD_GET(S2_PTE_MEMATTR, pte) == S2_PTE_MEMATTR_NORMAL;
}

static u64 s2_count_to_pte(u32 count)
{
	return FIELD_PREP(S2_TABLE_COUNT_LO, count) |
	       FIELD_PREP(S2_TABLE_COUNT_HI, count >> S2_TABLE_COUNT_SHIFT);
}

static u64 s2_table_pte(u64 *table, u32 count)
{
	return s2_addr_to_pte(hal_virt_to_phys(table)) | S2_PTE_VALID | S2_PTE_TABLE_OR_PAGE |
	       s2_count_to_pte(count);
}

static u64 *s2_pte_table(u64 pte)
{
	return hal_phys_to_virt(s2_pte_to_addr(pte));
}

static u32 s2_pte_count(u64 pte)
{
	return FIELD_GET(S2_TABLE_COUNT_LO, pte) |
	       FIELD_GET(S2_TABLE_COUNT_HI, pte) << S2_TABLE_COUNT_SHIFT;
}

/* The same table with so many more leaves of RAM, or fewer */
static inline u64 s2_pte_add(u64 pte, int more)
{
	return (pte & ~(S2_TABLE_COUNT_LO | S2_TABLE_COUNT_HI)) |
	       s2_count_to_pte(s2_pte_count(pte) + more);
}

/* In the table that @ptep leads to, the entry for @pa; @shift is that of its level */
static u64 *s2_next(const u64 *ptep, unsigned int shift, phys_addr_t pa)
{
	return &s2_pte_table(*ptep)[(pa >> shift) & (S2_ENTRIES - 1)];
}

static void s2_store(u64 *ptep, u64 pte)
{
	WRITE_ONCE(*ptep, pte);
	hal_clean(ptep, sizeof(*ptep));
}

/**
 * smmu_s2_geometry() - choose the root's level
 * @s2:		@ia_bits and @level are set
 * @ia_bits:	address size, in bits
 *
 * The fewest levels that concatenated tables allow (Arm DDI 0487, D8.2).
 *
 * Return: 0, or -EINVAL if there is no such format.
 */
int smmu_s2_geometry(struct smmu_s2 *s2, u8 ia_bits)
{
	s8 level;

	if (ia_bits < 32 || ia_bits > PKVM_SMMU_MAX_OAS_BITS)
		return -EINVAL;

	for (level = 2; level >= 0; level--) {
		if (ia_bits <= s2_shift(level) + S2_BITS_PER_LEVEL + S2_MAX_CONCAT_BITS) {
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
 * @level:	one that can have leaves
 * @device:	not RAM
 *
 * Return: the descriptor.
 */
u64 smmu_s2_leaf(phys_addr_t pa, s8 level, bool device)
{
	return s2_addr_to_pte(pa) | S2_PTE_VALID | S2_PTE_AF |
	       (level == S2_LAST_LEVEL ? S2_PTE_TABLE_OR_PAGE : 0) |
	       FIELD_PREP(S2_PTE_MEMATTR, device ? S2_PTE_MEMATTR_DEVICE :
						   S2_PTE_MEMATTR_NORMAL) |
	       FIELD_PREP(S2_PTE_S2AP, S2_PTE_S2AP_RW) |
	       FIELD_PREP(S2_PTE_SH, S2_PTE_SH_INNER);
}

/**
 * smmu_s2_ste_dwords() - what every STE of EL2's says of stage 2
 * @s2:		the stage 2
 * @coherent:	the SMMU snoops the CPUs' caches
 * @dwords:	dwords 2 and 3, in CPU byte order
 */
void smmu_s2_ste_dwords(const struct smmu_s2 *s2, bool coherent, u64 *dwords)
{
	/* Section 5.2: SL0 counts up from level 2 with 4K, from level 3 else */
	u64 sl0 = (PAGE_SHIFT == 12 ? 2 : 3) - s2->level;
	u64 tg = PAGE_SHIFT == 12 ? 0 : PAGE_SHIFT == 16 ? 1 : 2;
	/* One that doesn't snoop is not to keep anything where EL2 can't reach it */
	u64 cache = coherent ? STRTAB_STE_1_S1C_CACHE_WBRA : STRTAB_STE_1_S1C_CACHE_NC;
	u64 vtcr;

	vtcr = FIELD_PREP(STRTAB_STE_2_VTCR_S2T0SZ, 64 - s2->ia_bits) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SL0, sl0) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2IR0, cache) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2OR0, cache) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SH0, coherent ? ARM_SMMU_SH_ISH : ARM_SMMU_SH_OSH) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2TG, tg) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2PS, pkvm_smmu_bits_to_oas(s2->ia_bits));

	dwords[0] = FIELD_PREP(STRTAB_STE_2_S2VMID, SMMU_VMID) |
		    FIELD_PREP(STRTAB_STE_2_VTCR, vtcr) |
		    STRTAB_STE_2_S2AA64 | STRTAB_STE_2_S2PTW | STRTAB_STE_2_S2R;
	dwords[1] = hal_virt_to_phys(s2->pgd) & STRTAB_STE_3_S2TTB_MASK;
}

/* What a range is to become */
enum s2_what {
	S2_NOTHING,
	S2_RAM,
	S2_DEVICE,
};

/* A table that maps what the entry maps; NULL if there is no memory for it */
static u64 *s2_make_table(u64 *ptep, phys_addr_t base, s8 level)
{
	u64 size = s2_level_size(level + 1), leaf, *table = hal_page_alloc();
	bool ram = s2_pte_is_ram(*ptep, level);
	unsigned int i;

	if (!table)
		return NULL;

	if (*ptep & S2_PTE_VALID) {
		leaf = smmu_s2_leaf(base, level + 1, !ram);
		for (i = 0; i < S2_ENTRIES; i++, leaf += size)
			table[i] = leaf;
	}
	hal_clean(table, PAGE_SIZE);
	hal_wmb();
	s2_store(ptep, s2_table_pte(table, ram ? S2_ENTRIES : 0));

	return table;
}

/* Pages, of which the first one's entry is @ptep. Returns how many more of RAM there are */
static int s2_set_pages(u64 *ptep, phys_addr_t start, phys_addr_t end, enum s2_what what)
{
	u64 *first = ptep;
	int count = 0;

	for (; start < end; start += PAGE_SIZE, ptep++) {
		count += (what == S2_RAM) - s2_pte_is_ram(*ptep, S2_LAST_LEVEL);
		WRITE_ONCE(*ptep, what == S2_NOTHING ? 0 :
				  smmu_s2_leaf(start, S2_LAST_LEVEL, what == S2_DEVICE));
	}
	hal_clean(first, (ptep - first) * sizeof(*ptep));

	return count;
}

/* s2_set() above the last level, where it begins again for each table */
static int s2_set_blocks(struct smmu_s2 *s2, u64 *ptep, s8 level, phys_addr_t start,
			 phys_addr_t end, enum s2_what what, int *count);

/*
 * Entries of @level, of which the first one is @ptep and maps @start. *@count is
 * 0, and becomes how many more of these entries are leaves of RAM. Returns 1 if
 * leaves of RAM have changed here or below, 0 if not. Returns -ENOMEM if memory
 * has run out, and then part of it may be done.
 */
static int s2_set(struct smmu_s2 *s2, u64 *ptep, s8 level, phys_addr_t start,
		  phys_addr_t end, enum s2_what what, int *count)
{
	if (level < S2_LAST_LEVEL)
		return s2_set_blocks(s2, ptep, level, start, end, what, count);

	*count = s2_set_pages(ptep, start, end, what);
	return *count != 0;
}

static int s2_set_blocks(struct smmu_s2 *s2, u64 *ptep, s8 level, phys_addr_t start,
			 phys_addr_t end, enum s2_what what, int *count)
{
	s8 top = what == S2_RAM ? s2->ram_level : pkvm_smmu_block_level(s2->ia_bits);
	u64 size = s2_level_size(level), *table, *first = ptep;
	bool changed = false;
	int below, ret = 0;
	phys_addr_t next;

	for (; start < end; start = next, ptep++) {
		phys_addr_t base = ALIGN_DOWN(start, size);

		next = min(base + size, end);
		if (what == S2_NOTHING && !(*ptep & S2_PTE_VALID))
			continue;
		/* This block maps the range already: do not split it */
		if (what == S2_RAM && s2_pte_is_ram(*ptep, level))
			continue;

		if (next - start == size && level >= top && !s2_pte_is_table(*ptep, level)) {
			*count += (what == S2_RAM) - s2_pte_is_ram(*ptep, level);
			WRITE_ONCE(*ptep, what == S2_NOTHING ? 0 :
					  smmu_s2_leaf(base, level, what == S2_DEVICE));
			continue;
		}

		if (!s2_pte_is_table(*ptep, level)) {
			bool ram = s2_pte_is_ram(*ptep, level);

			table = s2_make_table(ptep, base, level);
			if (!table) {
				ret = -ENOMEM;
				break;
			}
			*count -= ram;
		} else {
			table = s2_pte_table(*ptep);
		}

		below = 0;
		ret = s2_set(s2, &table[(start - base) >> s2_shift(level + 1)], level + 1,
			     start, next, what, &below);
		if (below)
			WRITE_ONCE(*ptep, s2_pte_add(*ptep, below));
		if (ret < 0)
			break;
		changed |= ret;
	}
	hal_clean(first, (ptep - first) * sizeof(*ptep));

	return ret < 0 ? ret : changed || *count;
}

/* Returns what s2_set() does */
static int s2_set_range(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end,
			enum s2_what what)
{
	unsigned int shift = s2_shift(s2->level);
	/* Only an entry that maps that much (log2) has all of the range, and isn't a page's */
	unsigned int around = max(fls64(start ^ (end - 1)), PAGE_SHIFT + 1);
	u64 *ptep = &s2->pgd[start >> shift], *parent = NULL;
	s8 level = s2->level;
	int count = 0, ret;

	/* Mostly it is one page: go straight to the table that all of it is in */
	while (shift >= around && s2_pte_leads_on(*ptep)) {
		parent = ptep;
		level++;
		shift -= S2_BITS_PER_LEVEL;
		ptep = s2_next(ptep, shift, start);
	}

	ret = s2_set(s2, ptep, level, start, end, what, &count);
	if (parent && count)
		s2_store(parent, s2_pte_add(*parent, count));
	hal_wmb();

	return ret;
}

/**
 * smmu_s2_map() - map RAM to itself
 * @s2:		the stage 2
 * @start:	page aligned
 * @end:	page aligned
 *
 * A page that is mapped already stays as it is, in a block or not.
 *
 * Return: 1; 0 if all of it was mapped already, and nothing has changed;
 * -ENOMEM, and then only part of it may be mapped.
 */
int smmu_s2_map(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	return s2_set_range(s2, start, end, S2_RAM);
}

/**
 * smmu_s2_unmap() - take RAM out of the stage 2
 * @s2:		the stage 2
 * @start:	page aligned
 * @end:	page aligned
 *
 * What the SMMUs have cached of it stays until they are told (tlbi.c).
 *
 * Return: 0, or -ENOMEM, and then part of it may still be mapped.
 */
int smmu_s2_unmap(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	return min(s2_set_range(s2, start, end, S2_NOTHING), 0);
}

/**
 * smmu_s2_join() - put a block in the place of a table
 * @s2:		the stage 2
 * @pa:		an address that the block maps
 * @join:	for smmu_s2_joined()
 *
 * Any SMMU may have cached the table's address, and what it maps. Invalidate
 * all of it, from @join->start to @join->end, before smmu_s2_joined().
 *
 * Return: false if no table on the way to @pa is full of RAM.
 */
bool smmu_s2_join(struct smmu_s2 *s2, phys_addr_t pa, struct smmu_s2_join *join)
{
	u64 *ptep = &s2->pgd[pa >> s2_shift(s2->level)];
	s8 level;

	join->parent = NULL;
	for (level = s2->level; s2_pte_is_table(*ptep, level); level++) {
		if (level >= s2->ram_level && s2_pte_count(*ptep) == S2_ENTRIES) {
			join->ptep = ptep;
			join->table = *ptep;
			join->start = ALIGN_DOWN(pa, s2_level_size(level));
			join->end = join->start + s2_level_size(level);
			s2_store(ptep, smmu_s2_leaf(join->start, level, false));
			hal_wmb();
			return true;
		}
		join->parent = ptep;
		ptep = s2_next(ptep, s2_shift(level + 1), pa);
	}

	return false;
}

/**
 * smmu_s2_joined() - a block has taken the place of a table, or not
 * @join:	of smmu_s2_join()
 * @forgotten:	no SMMU looks at the table any more
 */
void smmu_s2_joined(const struct smmu_s2_join *join, bool forgotten)
{
	u64 *parent = join->parent;

	if (!forgotten) {
		s2_store(join->ptep, join->table);
		return;
	}

	hal_page_free(s2_pte_table(join->table));
	if (parent)
		s2_store(parent, s2_pte_add(*parent, 1));
}

static int s2_map_mmio(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	phys_addr_t hole, hole_end;
	int ret;

	start = ALIGN(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);

	while (start < end) {
		if (!hal_mmio_next(start, &hole, &hole_end) || hole >= end)
			return s2_set_range(s2, start, end, S2_DEVICE);

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

	for (; hal_ram_next(start, end, &from, &to); start = to) {
		ret = smmu_s2_map(s2, from, to);
		if (ret < 0)
			return ret;
	}

	return 0;
}

/**
 * smmu_s2_init() - build the stage 2 from who owns what
 * @s2:		to be filled in
 * @ia_bits:	the largest address that all SMMUs can put out, in bits
 * @split:	all SMMUs let a block be split in place
 *
 * Every range of MMIO must have been taken, and every page of EL2's donated,
 * before this is called.
 *
 * Return: 0, -EINVAL if there is no such format, -ERANGE if not all RAM is within
 * reach, -ENOMEM.
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
	s2->pgd = hal_pages_alloc(max(root_bits - PAGE_SHIFT, 0));
	if (!s2->pgd)
		return -ENOMEM;

	for (i = 0; hal_ram_region(i, &base, &end); i++) {
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
