/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What EL2 counts and traces.
 */
#ifndef __PKVM_SMMU_REPORT_H
#define __PKVM_SMMU_REPORT_H

#include "counts.h"
#include "hyp.h"
#include "smmu.h"

/**
 * smmu_count() - add to a count
 * @smmu:	the SMMU
 * @what:	the count; a lock that the caller holds protects it
 * @n:		how much to add
 */
static inline void smmu_count(struct pkvm_smmu *smmu, enum pkvm_smmu_count what,
			      u64 n)
{
	u64 *count = &smmu->counts->n[what];

	WRITE_ONCE(*count, READ_ONCE(*count) + n);
}

/**
 * smmu_report() - count and trace what EL2 has denied, or failed to do
 * @smmu:	the SMMU
 * @what:	the count; a lock that the caller holds protects it
 * @arg0:	see enum pkvm_smmu_count
 * @arg1:	see enum pkvm_smmu_count
 */
static inline void smmu_report(struct pkvm_smmu *smmu,
			       enum pkvm_smmu_count what, u64 arg0, u64 arg1)
{
	smmu_count(smmu, what, 1);
	hyp_trace(what, smmu->base_pa, arg0, arg1);
}

#endif /* __PKVM_SMMU_REPORT_H */
