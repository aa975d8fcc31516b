// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of stage 2, for any address and size. PAGE_SHIFT is the build's.
 */
#include "pkvm/s2.c"

#include "proof.h"

#define MAX_BITS	(PAGE_SHIFT == 16 ? 52 : 48)

/* The address in a descriptor; with pages of 64K its upper four bits are in 15:12 */
static u64 address(u64 pte)
{
	u64 pa = pte & GENMASK_ULL(47, PAGE_SHIFT);

	return PAGE_SHIFT == 16 ? pa | (pte & 0xf000) << 36 : pa;
}

/* To where it is, and nothing else */
void prove_leaf_is_exact(void)
{
	u64 pa = nondet_u64(), leaf, bytes;
	s8 level = nondet_u8() & 3;
	bool device = nondet_bool();

	SUPPOSE(level >= (PAGE_SHIFT == 14 ? 2 : 1) && pa < BIT_ULL(MAX_BITS));
	bytes = 1ULL << (PAGE_SHIFT + (3 - level) * (PAGE_SHIFT - 3));
	PROVE(bytes == s2_level_size(level), "the size of a leaf");
	SUPPOSE(!(pa & (bytes - 1)));

	leaf = smmu_s2_leaf(pa, level, device);
	PROVE(address(leaf) == pa, "to where it is");
	PROVE((leaf & 3) == (level == 3 ? 3 : 1), "a leaf of its level");
	PROVE(!(leaf >> 48), "no other bits");
	PROVE(leaf >> 10 & 1, "access flag");
	PROVE(!s2_pte_is_table(leaf, level), "EL2 doesn't take it for a table");
	PROVE(s2_pte_is_ram(leaf, level) == !device, "EL2 knows what it maps");
}

static u64 table_pa;

phys_addr_t hyp_virt_to_phys(const void *va)
{
	return table_pa;
}

/* The descriptor of a table points to it */
void prove_table_is_found(void)
{
	s8 level = nondet_u8() % 3;
	u64 pte;

	table_pa = nondet_u64();
	SUPPOSE(table_pa < BIT_ULL(MAX_BITS) && !(table_pa % PAGE_SIZE));
	pte = s2_table_pte(NULL);
	PROVE(s2_pte_is_table(pte, level), "a table");
	PROVE(!s2_pte_is_ram(pte, level), "and no leaf");
	PROVE(address(pte) == table_pa, "to where the table is");
	PROVE(s2_pte_to_addr(pte) == table_pa, "where EL2 finds it again");
	/* APTable and the like are none of stage 2 */
	PROVE(!(pte >> 48) && !(pte & GENMASK_ULL(11, 2)), "no other bits");
}

/* Any root that there can be covers its addresses, with at most 16 tables */
void prove_root_covers(void)
{
	u8 ia_bits = nondet_u8();
	struct smmu_s2 s2;
	u64 dwords_t0sz;
	unsigned int shift;

	if (smmu_s2_geometry(&s2, ia_bits)) {
		PROVE(ia_bits < 32 || ia_bits > MAX_BITS, "what is refused has no format");
		return;
	}
	shift = PAGE_SHIFT + (3 - s2.level) * (PAGE_SHIFT - 3);
	PROVE(s2.ia_bits == ia_bits, "the size that was asked for");
	PROVE(s2.level >= 0 && s2.level <= 2, "a level that can be a root");
	PROVE(ia_bits > shift, "more than one entry");
	PROVE(ia_bits - shift <= PAGE_SHIFT - 3 + 4, "no more than 16 tables");
	dwords_t0sz = 64 - s2.ia_bits;
	PROVE(dwords_t0sz >= 64 - MAX_BITS && dwords_t0sz <= 32, "T0SZ is in its range");
}
