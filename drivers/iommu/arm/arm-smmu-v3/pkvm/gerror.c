// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors that the host must see.
 *
 * GERROR is the hardware's, except for what EL2 emulates: CMDQ_ERR is the error of
 * the host's command queue. EVTQ_ABT_ERR is also raised if the event queue can't be
 * pinned, MSI_CMDQ_ABT_ERR if the MSI of a CMD_SYNC has a target that the host does not
 * own. The hardware's own CMDQ_ERR is EL2's (hwq.c): the host neither sees nor
 * acknowledges it.
 *
 * An error is active while GERROR and GERRORN differ. EL2 keeps which ones are, and
 * the host's GERRORN; the host's GERROR follows from those. All functions are called
 * with emu_lock held. See sections 6.3.19 and 7.1 of the SMMUv3 architecture (Arm
 * IHI 0070).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

/**
 * smmu_gerror() - GERROR as the host reads it
 * @smmu:	the SMMU; emu_lock held
 *
 * Return: the register.
 */
u32 smmu_gerror(struct pkvm_smmu *smmu)
{
	return smmu->host.gerrorn ^ (smmu->host.errors | smmu_hw_errors(smmu));
}

/**
 * smmu_gerror_raise() - an error that the hardware knows nothing of
 * @smmu:	the SMMU; emu_lock held
 * @err:	a bit of GERROR
 *
 * The host gets the interrupt, if it has enabled it, unless it has yet to acknowledge
 * the last such error.
 */
void smmu_gerror_raise(struct pkvm_smmu *smmu, u32 err)
{
	if ((smmu->host.errors | smmu_hw_errors(smmu)) & err)
		return;

	smmu->host.errors |= err;
	smmu_gerror_signal(smmu);
}

/**
 * smmu_gerror_signal() - raise the interrupt of an error that EL2 emulates
 * @smmu:	the SMMU; emu_lock held
 *
 * Called again in the next trap if the hardware did not respond in time. An error that
 * happens before the interrupt is enabled does not raise it (section 6.3.16).
 */
void smmu_gerror_signal(struct pkvm_smmu *smmu)
{
	struct smmu_host_regs *host = &smmu->host;
	int ret = 0;

	if (host->errors && host->irq_ctrlack & IRQ_CTRL_GERROR_IRQEN)
		ret = smmu_hwq_raise_gerror(smmu);
	if (ret && !host->irq_pending)
		smmu_report(smmu, PKVM_SMMU_FAILED_IRQ, ARM_SMMU_GERROR, host->errors);
	host->irq_pending = ret == -EAGAIN;
}

/**
 * smmu_cmdq_error() - stop the host's command queue
 * @smmu:	the SMMU; emu_lock held
 * @cerror:	CMDQ_ERR_CERROR_*
 *
 * CONS stays at the offender.
 */
void smmu_cmdq_error(struct pkvm_smmu *smmu, u32 cerror)
{
	smmu->cmdq.cons &= ~CMDQ_CONS_ERR;
	smmu->cmdq.cons |= FIELD_PREP(CMDQ_CONS_ERR, cerror);
	smmu_gerror_raise(smmu, GERROR_CMDQ_ERR);
}

/**
 * smmu_gerror_ack() - the host has written GERRORN
 * @smmu:	the SMMU; emu_lock held
 * @gerrorn:	what it wrote
 */
void smmu_gerror_ack(struct pkvm_smmu *smmu, u32 gerrorn)
{
	u32 acked = (gerrorn ^ smmu->host.gerrorn) & GERROR_ERR_MASK;

	smmu->host.gerrorn ^= acked;
	smmu->host.errors &= ~acked;
	smmu_hw_ack_errors(smmu, acked);
}
