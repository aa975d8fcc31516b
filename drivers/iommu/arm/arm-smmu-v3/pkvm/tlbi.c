// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation when a page leaves the host.
 *
 * Combined stage-1 and stage-2 entries are tagged with what the host maps, so an
 * invalidation by IPA doesn't reach them (Arm IHI 0070, section 4.4.3). All of
 * EL2's VMID goes, and the CMD_SYNC that follows also waits for accesses that
 * were already translated.
 */
#include "smmu.h"

/**
 * smmu_tlbi_all() - drop every translation that an SMMU may have cached
 * @smmu:	the SMMU; takes its hw_lock
 *
 * Return: 0 if no device reaches what has left the stage 2; else -EIO.
 */
int smmu_tlbi_all(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd cmd;

	cmd = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_S12_VMALL, 0, SMMU_VMID);

	return smmu_hwq_run(smmu, &cmd);
}
