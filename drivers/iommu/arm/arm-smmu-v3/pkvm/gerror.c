// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors that the host must see.
 *
 * GERROR is the hardware's, but for CMDQ_ERR: that is about the host's command
 * queue, which is EL2's to stop. The hardware's own CMDQ_ERR is EL2's business
 * (hwq.c), and the host never sees nor acknowledges it.
 *
 * An error is active while GERROR and GERRORN differ. All functions are called
 * with emu_lock held. See sections 6.3.19 and 7.1 of the SMMUv3 architecture (Arm
 * IHI 0070).
 */
#include <linux/kernel.h>

#include "smmu.h"

u32 smmu_gerror(struct pkvm_smmu *smmu)
{
	u32 hw = hal_readl(smmu->base + ARM_SMMU_GERROR) & GERROR_ERR_MASK;

	return (hw & ~GERROR_CMDQ_ERR) | smmu->host.gerror_cmdq;
}

/**
 * smmu_cmdq_stopped() - has the host's queue an error that is not acknowledged?
 * @smmu:	the SMMU; emu_lock held
 *
 * Return: whether it has.
 */
bool smmu_cmdq_stopped(const struct pkvm_smmu *smmu)
{
	return (smmu->host.gerror_cmdq ^ smmu->host.gerrorn) & GERROR_CMDQ_ERR;
}

/**
 * smmu_cmdq_error() - stop the host's command queue
 * @smmu:	the SMMU; emu_lock held
 * @cerror:	CMDQ_ERR_CERROR_*
 *
 * CONS stays at the offender. The interrupt is not raised yet.
 */
void smmu_cmdq_error(struct pkvm_smmu *smmu, u32 cerror)
{
	smmu->cmdq.cons &= ~CMDQ_CONS_ERR;
	smmu->cmdq.cons |= FIELD_PREP(CMDQ_CONS_ERR, cerror);
	if (!smmu_cmdq_stopped(smmu))
		smmu->host.gerror_cmdq ^= GERROR_CMDQ_ERR;
}

/**
 * smmu_gerror_ack() - the host has written GERRORN
 * @smmu:	the SMMU; emu_lock held
 * @gerrorn:	what it wrote
 */
void smmu_gerror_ack(struct pkvm_smmu *smmu, u32 gerrorn)
{
	smmu->host.gerrorn = gerrorn & GERROR_ERR_MASK;
	smmu_hw_ack_gerror(smmu, gerrorn);
}
