/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SMMUv3s of a protected KVM host: between the files of the half at EL1.
 */
#ifndef __ARM_SMMU_V3_PKVM_H
#define __ARM_SMMU_V3_PKVM_H

#include <linux/acpi.h>
#include <linux/types.h>

struct device_node;

/**
 * enum pkvm_smmu_verdict - what becomes of an SMMUv3 that firmware describes
 * @PKVM_SMMU_TAKE:	EL2 takes it
 * @PKVM_SMMU_LEAVE:	no kernel is to use it
 * @PKVM_SMMU_REFUSE:	EL2 cannot isolate it
 */
enum pkvm_smmu_verdict {
	PKVM_SMMU_TAKE,
	PKVM_SMMU_LEAVE,
	PKVM_SMMU_REFUSE,
};

struct device_node *pkvm_smmu_of_unavailable(struct device_node *smmu);
struct device_node *pkvm_smmu_of_pmcg_unavailable(struct device_node *pmcg);
const char *pkvm_smmu_of_switch(struct device_node *smmu,
				struct device_node **culprit);
enum pkvm_smmu_verdict pkvm_smmu_of_verdict(struct device_node *smmu,
					    struct device_node **culprit,
					    const char **reason);

/* The nodes of an IORT that has no fault */
#define for_each_iort_node(iort, node, i)				\
	for ((i) = 0, (node) = (const void *)(iort) + (iort)->node_offset; \
	     (i) < (iort)->node_count;					\
	     (i)++, (node) = (const void *)(node) + (node)->length)

static inline const struct acpi_iort_smmu_v3 *
pkvm_smmu_iort_smmu(const struct acpi_iort_node *node)
{
	return (const void *)node->node_data;
}

const char *pkvm_smmu_iort_fault(const struct acpi_table_iort *iort, u32 *at);
const char *pkvm_smmu_iort_obstacle(const struct acpi_iort_node *node);
u64 pkvm_smmu_iort_rmr_sids(const struct acpi_table_iort *iort,
			    const struct acpi_iort_node *smmu,
			    u32 *sids, u32 max);

#endif /* __ARM_SMMU_V3_PKVM_H */
