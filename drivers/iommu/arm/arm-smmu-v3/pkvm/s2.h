/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_S2_H
#define __PKVM_SMMU_S2_H

#include <linux/types.h>

/* Number of entries in a table, log2 */
#define S2_BITS_PER_LEVEL	(PAGE_SHIFT - 3)

/**
 * struct smmu_s2 - the identity stage 2 that all SMMUs share
 * @pgd:	the root table, at EL2's address; concatenated if larger than a
 *		page
 * @ia_bits:	size of input and output addresses, in bits
 * @level:	level of the root table
 * @ram_level:	lowest level (largest leaves) at which RAM can be mapped
 *
 * The ownership locks protect the tables. The fields are constant after init.
 */
struct smmu_s2 {
	u64	*pgd;
	u8	ia_bits;
	s8	level;
	s8	ram_level;
};

/* The range that a last-level table maps */
#define SMMU_S2_JOIN_SIZE	(PAGE_SIZE << (PAGE_SHIFT - 3))

/**
 * struct smmu_s2_join - a block that replaces a table
 * @ptep:	the entry
 * @table:	the descriptor of the table
 * @start:	first address that the block maps
 * @end:	first address after the block
 */
struct smmu_s2_join {
	u64		*ptep;
	u64		table;
	phys_addr_t	start;
	phys_addr_t	end;
};

int smmu_s2_geometry(struct smmu_s2 *s2, u8 ia_bits);
u64 smmu_s2_leaf(phys_addr_t pa, s8 level, bool device);
void smmu_s2_ste_dwords(const struct smmu_s2 *s2, bool coherent, u64 *dwords);
int smmu_s2_init(struct smmu_s2 *s2, u8 ia_bits, bool split);
int smmu_s2_map(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end);
int smmu_s2_unmap(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end);
bool smmu_s2_maps(const struct smmu_s2 *s2, phys_addr_t pa);
bool smmu_s2_join(struct smmu_s2 *s2, phys_addr_t pa,
		  struct smmu_s2_join *join);
void smmu_s2_join_done(const struct smmu_s2_join *join);
void smmu_s2_join_undo(const struct smmu_s2_join *join);

#endif /* __PKVM_SMMU_S2_H */
