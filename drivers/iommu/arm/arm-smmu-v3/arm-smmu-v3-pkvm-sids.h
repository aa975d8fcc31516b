/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ARM_SMMU_V3_PKVM_SIDS_H
#define _ARM_SMMU_V3_PKVM_SIDS_H

#include <linux/init.h>
#include <linux/types.h>

struct acpi_iort_node;
struct acpi_table_iort;
struct device_node;

/**
 * struct pkvm_smmu_sids - the StreamIDs of an SMMU that firmware describes
 * @bits:	log2 of the number of StreamIDs that EL2 can cover
 * @end:	the highest one that is described, plus one; may be above @bits
 * @groups:	a bit for each second-level table that the shadow table can
 *		have: set if one of its streams is described
 */
struct pkvm_smmu_sids {
	u8		bits;
	u64		end;
	unsigned long	*groups;
};

int __init pkvm_smmu_sids_init(struct pkvm_smmu_sids *sids, u8 bits);
void __init pkvm_smmu_sids_free(struct pkvm_smmu_sids *sids);
void __init pkvm_smmu_sids_add(struct pkvm_smmu_sids *sids, u64 first, u64 n);
void __init pkvm_smmu_sids_add_of(struct pkvm_smmu_sids *sids,
				  const struct device_node *smmu);
void __init pkvm_smmu_sids_add_iort(struct pkvm_smmu_sids *sids,
				    const struct acpi_table_iort *iort,
				    const struct acpi_iort_node *smmu);
u8 __init pkvm_smmu_sids_bits(const struct pkvm_smmu_sids *sids);
u32 __init pkvm_smmu_sids_nr_l2(const struct pkvm_smmu_sids *sids);

#endif /* _ARM_SMMU_V3_PKVM_SIDS_H */
