/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_CHECK_H
#define __PKVM_SMMU_CHECK_H

struct pkvm_smmu;

void smmu_check(struct pkvm_smmu *smmu);

#endif /* __PKVM_SMMU_CHECK_H */
