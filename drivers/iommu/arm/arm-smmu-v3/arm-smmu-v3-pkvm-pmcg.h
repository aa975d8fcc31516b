/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The performance monitors (PMCGs) of a protected KVM host's SMMUv3s: the half
 * at EL1.
 */
#ifndef __ARM_SMMU_V3_PKVM_PMCG_H
#define __ARM_SMMU_V3_PKVM_PMCG_H

#include <linux/types.h>

struct device;
struct device_node;
struct pkvm_smmu_config;
struct resource;

const char *pkvm_pmcg_add(struct pkvm_smmu_config *cfg,
			  const struct resource *page0,
			  const struct resource *page1);
const char *pkvm_pmcg_add_of(struct pkvm_smmu_config *cfg,
			     struct device_node *np);
bool pkvm_pmcg_is_missing(const struct pkvm_smmu_config *cfg, u32 smmu_iidr);
void pkvm_pmcg_log_missing(struct device *smmu);
int pkvm_pmcg_hold(void);
void pkvm_pmcg_release(void);

#endif /* __ARM_SMMU_V3_PKVM_PMCG_H */
