/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the SMMUs that EL2 owns do not isolate: see arm-smmu-v3-pkvm-report.c
 */
#ifndef _ARM_SMMU_V3_PKVM_REPORT_H
#define _ARM_SMMU_V3_PKVM_REPORT_H

#include <linux/types.h>

struct device;
struct fwnode_handle;

void pkvm_smmu_report_owned(struct fwnode_handle *smmu);
void pkvm_smmu_report_note(const char *kind, const char *name,
			   const char *reason);

#if IS_ENABLED(CONFIG_KUNIT)
struct list_head;

bool pkvm_smmu_does_dma(struct device *dev, bool *sure);
bool pkvm_smmu_isolates(const struct list_head *owned, struct device *dev,
			char *why, size_t size);
int pkvm_smmu_add_owned(struct list_head *owned, struct fwnode_handle *smmu);
void pkvm_smmu_free_owned(struct list_head *owned);
#endif

#endif /* _ARM_SMMU_V3_PKVM_REPORT_H */
