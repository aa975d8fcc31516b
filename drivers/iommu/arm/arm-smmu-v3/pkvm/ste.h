/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_STE_H
#define __PKVM_SMMU_STE_H

#include "feat.h"

void smmu_ste_from_host(const struct smmu_features *feat, const u64 *host,
			u64 *hw);

#endif /* __PKVM_SMMU_STE_H */
