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
 * smmu_tlbi_all() - the command that drops all that an SMMU may have cached of stage 2
 *
 * Return: the command.
 */
struct arm_smmu_cmd smmu_tlbi_all(void)
{
	return arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_S12_VMALL, 0, SMMU_VMID);
}

/**
 * smmu_tlbi_start() - pages have left the stage 2: let an SMMU forget them
 * @smmu:	the SMMU; takes its hw_lock
 * @deadline:	of smmu_deadline()
 *
 * To be followed by smmu_tlbi_finish(), when all SMMUs have started.
 *
 * Return: 0; -EIO if it can't be made to.
 */
int smmu_tlbi_start(struct pkvm_smmu *smmu, u64 deadline)
{
	struct arm_smmu_cmd cmd = smmu_tlbi_all();

	return smmu_hwq_start(smmu, &cmd, 1, deadline);
}

/**
 * smmu_tlbi_finish() - wait for smmu_tlbi_start()
 * @smmu:	the SMMU; takes its hw_lock
 * @deadline:	the same
 *
 * Return: 0 if no device reaches what has left the stage 2; else -EIO.
 */
int smmu_tlbi_finish(struct pkvm_smmu *smmu, u64 deadline)
{
	struct arm_smmu_cmd cmd = smmu_tlbi_all();

	return smmu_hwq_finish(smmu, &cmd, 1, deadline);
}
