// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of stage 2, for any address and size. PAGE_SHIFT is the build's.
 */
#include "../../../../drivers/iommu/arm/arm-smmu-v3/pkvm/s2.c"

#include "proof.h"

/* Never more than what may be mapped, and to where it is */
void prove_leaf_is_exact(void)
{
	u64 pa = nondet_u64(), size = nondet_u64(), leaf, bytes;
	s8 min_level = nondet_u8() & 3, level;

	SUPPOSE(pa < BIT_ULL(48) && size <= BIT_ULL(48) - pa);
	SUPPOSE(!(pa % PAGE_SIZE) && size >= PAGE_SIZE && !(size % PAGE_SIZE));
	level = smmu_s2_best_level(pa, size, min_level);
	PROVE(level >= 0 && level <= 3 && level >= min_level, "a level that is wanted");
	PROVE(level >= (PAGE_SHIFT == 12 ? 1 : 2), "one that can have leaves");
	bytes = 1ULL << (PAGE_SHIFT + (3 - level) * (PAGE_SHIFT - 3));
	PROVE(bytes <= size, "not more than may be mapped");
	PROVE(!(pa & (bytes - 1)), "aligned");

	leaf = smmu_s2_leaf(pa, level, nondet_bool());
	PROVE((leaf & GENMASK_ULL(47, PAGE_SHIFT)) == pa, "to where it is");
	PROVE((leaf & 3) == (level == 3 ? 3 : 1), "a leaf of its level");
	PROVE(!(leaf >> 48), "no other bits");
	PROVE(leaf >> 10 & 1, "access flag");
}

/* Any root that there can be covers its addresses, with at most 16 tables */
void prove_root_covers(void)
{
	u8 ia_bits = nondet_u8();
	struct smmu_s2 s2;
	u64 dwords_t0sz;
	unsigned int shift;

	if (smmu_s2_geometry(&s2, ia_bits)) {
		PROVE(ia_bits < 32 || ia_bits > 48, "what is refused has no format");
		return;
	}
	shift = PAGE_SHIFT + (3 - s2.level) * (PAGE_SHIFT - 3);
	PROVE(s2.ia_bits == ia_bits, "the size that was asked for");
	PROVE(s2.level >= 0 && s2.level <= 2, "a level that can be a root");
	PROVE(ia_bits > shift, "more than one entry");
	PROVE(ia_bits - shift <= PAGE_SHIFT - 3 + 4, "no more than 16 tables");
	dwords_t0sz = 64 - s2.ia_bits;
	PROVE(dwords_t0sz >= 16 && dwords_t0sz <= 32, "T0SZ is in its range");
}

/* A run of entries stays within one table, and makes progress */
void prove_run_stays_in_table(void)
{
	u64 pa = nondet_u64(), left, table;
	s8 level = nondet_u8() & 3;
	struct smmu_s2 s2;

	SUPPOSE(!smmu_s2_geometry(&s2, nondet_u8()));
	SUPPOSE(level >= s2.level && pa < BIT_ULL(s2.ia_bits));
	SUPPOSE(!(pa & (s2_level_size(level) - 1)));
	left = s2_entries_left(&s2, pa, level);
	table = level == s2.level ? BIT_ULL(s2.ia_bits) : s2_level_size(level - 1);
	PROVE(left > 0, "progress");
	PROVE(pa / table == (pa + (left - 1) * s2_level_size(level)) / table, "in one table");
	PROVE((pa + left * s2_level_size(level)) % table == 0, "up to its end");
}
