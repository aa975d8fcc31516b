// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity stage 2 that stands under everything the host configures.
 *
 * RAM is mapped where the host may access it, page by page, so that a page can
 * leave without touching its neighbours. All else is mapped in the largest
 * blocks that fit, except the registers that EL2 took: that never changes.
 *
 * The format is the SMMU's, VMSAv8-64 with addresses of up to 48 bits, whatever
 * the CPU uses: an SMMU without IDR5.DS doesn't read the CPU's LPA2 tables.
 *
 * Tables come from EL2's pool and hold nothing of the host's. smmu_s2_map() and
 * smmu_s2_unmap() are called with the ownership lock held, or at init. Leaves
 * change by single 64-bit stores. Invalidation is the caller's (tlbi.c).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>

#include "smmu.h"

#define S2_LAST_LEVEL		3
#define S2_BITS_PER_LEVEL	(PAGE_SHIFT - 3)
#define S2_MAX_CONCAT_BITS	4
#define S2_MAX_IA_BITS		48

/* Level 1 blocks (1 GiB) exist with the 4K granule only */
#define S2_MIN_BLOCK_LEVEL	(PAGE_SHIFT == 12 ? 1 : 2)

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
#define S2_PTE_ADDR		GENMASK_ULL(S2_MAX_IA_BITS - 1, PAGE_SHIFT)

static unsigned int s2_shift(s8 level)
{
	return PAGE_SHIFT + (S2_LAST_LEVEL - level) * S2_BITS_PER_LEVEL;
}

static u64 s2_level_size(s8 level)
{
	return BIT_ULL(s2_shift(level));
}

/* Entries from @pa to the end of the table that maps it at @level */
static u64 s2_entries_left(const struct smmu_s2 *s2, phys_addr_t pa, s8 level)
{
	u64 span = level == s2->level ? BIT_ULL(s2->ia_bits) :
					s2_level_size(level - 1);

	return (span - (pa & (span - 1))) >> s2_shift(level);
}

static bool s2_pte_is_table(u64 pte, s8 level)
{
	return level < S2_LAST_LEVEL && (pte & S2_PTE_VALID) &&
	       (pte & S2_PTE_TABLE_OR_PAGE);
}

/**
 * smmu_s2_geometry() - choose the root's level
 * @s2:		@ia_bits and @level are set
 * @ia_bits:	address size, in bits
 *
 * The fewest levels that concatenation (section 3.4.4) allows.
 *
 * Return: 0, or -EINVAL if there is no such format.
 */
int smmu_s2_geometry(struct smmu_s2 *s2, u8 ia_bits)
{
	s8 level;

	if (ia_bits < 32 || ia_bits > S2_MAX_IA_BITS)
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
	return (pa & S2_PTE_ADDR) | S2_PTE_VALID | S2_PTE_AF |
	       (level == S2_LAST_LEVEL ? S2_PTE_TABLE_OR_PAGE : 0) |
	       FIELD_PREP(S2_PTE_MEMATTR, device ? S2_PTE_MEMATTR_DEVICE :
						   S2_PTE_MEMATTR_NORMAL) |
	       FIELD_PREP(S2_PTE_S2AP, S2_PTE_S2AP_RW) |
	       FIELD_PREP(S2_PTE_SH, S2_PTE_SH_INNER);
}

/**
 * smmu_s2_best_level() - the level of the largest leaf that starts at @pa
 * @pa:		page aligned
 * @size:	bytes from there that may be mapped, at least a page
 * @min_level:	the lowest level (the largest leaf) that is wanted
 *
 * Return: the level.
 */
s8 smmu_s2_best_level(phys_addr_t pa, u64 size, s8 min_level)
{
	s8 level;

	for (level = max_t(s8, min_level, S2_MIN_BLOCK_LEVEL); level < S2_LAST_LEVEL; level++) {
		if (IS_ALIGNED(pa, s2_level_size(level)) && size >= s2_level_size(level))
			break;
	}

	return level;
}

/**
 * smmu_s2_ste_dwords() - what every STE of EL2's says of stage 2
 * @s2:		the stage 2
 * @dwords:	dwords 2 and 3, in CPU byte order
 */
void smmu_s2_ste_dwords(const struct smmu_s2 *s2, u64 *dwords)
{
	/* Section 5.2: SL0 counts up from level 2 with 4K, from level 3 else */
	u64 sl0 = (PAGE_SHIFT == 12 ? 2 : 3) - s2->level;
	u64 tg = PAGE_SHIFT == 12 ? 0 : PAGE_SHIFT == 16 ? 1 : 2;
	u64 vtcr;

	vtcr = FIELD_PREP(STRTAB_STE_2_VTCR_S2T0SZ, 64 - s2->ia_bits) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SL0, sl0) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2IR0, STRTAB_STE_1_S1C_CACHE_WBRA) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2OR0, STRTAB_STE_1_S1C_CACHE_WBRA) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SH0, ARM_SMMU_SH_ISH) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2TG, tg) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2PS, pkvm_smmu_bits_to_oas(s2->ia_bits));

	dwords[0] = FIELD_PREP(STRTAB_STE_2_S2VMID, SMMU_VMID) |
		    FIELD_PREP(STRTAB_STE_2_VTCR, vtcr) |
		    STRTAB_STE_2_S2AA64 | STRTAB_STE_2_S2PTW | STRTAB_STE_2_S2R;
	dwords[1] = hal_virt_to_phys(s2->pgd) & STRTAB_STE_3_S2TTB_MASK;
}

/*
 * The entry for @pa at @level. If a table on the way is missing it is made when
 * @alloc says so. Returns NULL if there is no such entry, or no memory for it.
 */
static u64 *s2_entry(struct smmu_s2 *s2, phys_addr_t pa, s8 level, bool alloc)
{
	u64 *table = s2->pgd, *ptep;
	u64 idx = pa >> s2_shift(s2->level);
	s8 l;

	for (l = s2->level; l < level; l++) {
		ptep = &table[idx];
		if (!(*ptep & S2_PTE_VALID) && alloc) {
			table = hal_page_alloc();
			if (!table)
				return NULL;
			hal_wmb();
			WRITE_ONCE(*ptep, hal_virt_to_phys(table) | S2_PTE_VALID |
					  S2_PTE_TABLE_OR_PAGE);
		}
		if (!s2_pte_is_table(*ptep, l))
			return NULL;

		table = hal_phys_to_virt(*ptep & S2_PTE_ADDR);
		idx = (pa >> s2_shift(l + 1)) & (BIT_ULL(S2_BITS_PER_LEVEL) - 1);
	}

	return &table[idx];
}

/**
 * smmu_s2_map() - map a range to itself
 * @s2:		the stage 2
 * @start:	page aligned
 * @end:	page aligned
 * @device:	not RAM; mapped in blocks
 *
 * Return: 0, or -ENOMEM, and then only part of it may be mapped.
 */
int smmu_s2_map(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end, bool device)
{
	while (start < end) {
		s8 level = smmu_s2_best_level(start, end - start,
					      device ? s2->level : S2_LAST_LEVEL);
		u64 size = s2_level_size(level);
		u64 n = min((end - start) >> s2_shift(level),
			    s2_entries_left(s2, start, level));
		u64 *ptep = s2_entry(s2, start, level, true);

		if (!ptep)
			return -ENOMEM;

		for (; n; n--, start += size)
			WRITE_ONCE(*ptep++, smmu_s2_leaf(start, level, device));
	}
	hal_wmb();

	return 0;
}

/**
 * smmu_s2_unmap() - take RAM out of the stage 2
 * @s2:		the stage 2
 * @start:	page aligned
 * @end:	page aligned
 *
 * What the SMMUs have cached of it stays until they are told (tlbi.c).
 */
void smmu_s2_unmap(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	while (start < end) {
		u64 n = min((end - start) >> PAGE_SHIFT,
			    s2_entries_left(s2, start, S2_LAST_LEVEL));
		u64 *ptep = s2_entry(s2, start, S2_LAST_LEVEL, false);

		start += n << PAGE_SHIFT;
		/* No table: nothing is mapped there, as RAM is mapped in pages */
		if (!ptep)
			continue;
		for (; n; n--)
			WRITE_ONCE(*ptep++, 0);
	}
	hal_wmb();
}

static int s2_map_mmio(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	phys_addr_t hole, hole_end;
	int ret;

	start = ALIGN(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);

	while (start < end) {
		if (!hal_mmio_next(start, &hole, &hole_end) || hole >= end)
			return smmu_s2_map(s2, start, end, true);

		if (hole > start) {
			ret = smmu_s2_map(s2, start, hole, true);
			if (ret)
				return ret;
		}
		start = hole_end;
	}

	return 0;
}

static int s2_map_ram(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end)
{
	phys_addr_t run;
	int ret;

	start = ALIGN(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);

	while (start < end) {
		for (run = start; run < end && hal_ram_is_hosts(run); run += PAGE_SIZE)
			;
		ret = smmu_s2_map(s2, start, run, false);
		if (ret)
			return ret;
		/* The page at the end of the run isn't the host's */
		start = run + PAGE_SIZE;
	}

	return 0;
}

/**
 * smmu_s2_init() - build the stage 2 from who owns what
 * @s2:		to be filled in
 * @ia_bits:	the largest address that all SMMUs can put out, in bits
 *
 * Every range of MMIO must have been taken, and every page of EL2's donated,
 * before this is called.
 *
 * Return: 0, -EINVAL if there is no such format, -ERANGE if not all RAM is within
 * reach, -ENOMEM.
 */
int smmu_s2_init(struct smmu_s2 *s2, u8 ia_bits)
{
	phys_addr_t base, end, pos = 0;
	int root_bits, ret;
	unsigned int i;

	ret = smmu_s2_geometry(s2, ia_bits);
	if (ret)
		return ret;

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
