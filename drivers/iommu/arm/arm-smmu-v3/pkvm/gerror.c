// SPDX-License-Identifier: GPL-2.0-only
/*
 * The errors that the host sees in GERROR.
 *
 * - An error is active while its bit differs in GERROR and GERRORN.
 * - Errors of the hardware are forwarded, except CMDQ_ERR: the hardware's
 *   command queue is EL2's (hwq.c).
 * - EL2 emulates CMDQ_ERR for the host's command queue, EVTQ_ABT_ERR for an
 *   event queue that cannot be pinned, and MSI_CMDQ_ABT_ERR for a CMD_SYNC
 *   whose MSI goes to memory that the host does not own.
 * - EL2 keeps the host's GERRORN and its emulated errors. GERROR is computed.
 *
 * The emu_lock is held. See sections 6.3.19 and 7.1 of the SMMUv3 architecture
 * (Arm IHI 0070).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "gerror.h"
#include "report.h"
#include "smmu.h"
#include "trap.h"

/**
 * smmu_gerror_init() - acknowledge the errors that are active at take-over
 * @smmu:	the SMMU
 */
void smmu_gerror_init(struct pkvm_smmu *smmu)
{
	u32 gerror = hyp_readl(smmu->base + ARM_SMMU_GERROR) & GERROR_ERR_MASK;

	hyp_writel(gerror, smmu->base + ARM_SMMU_GERRORN);
	smmu->gerror.acked = gerror & ~GERROR_CMDQ_ERR;
}

/**
 * smmu_gerror_read() - read GERROR for the host
 * @trap:	the trap
 *
 * Return: the register.
 */
u64 smmu_gerror_read(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;

	return smmu->gerror.acked ^
	       (smmu->gerror.active | smmu_hwq_errors(smmu));
}

/* An error does not raise an interrupt that is not enabled (section 6.3.16) */
static void gerror_signal(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;
	struct smmu_gerror *gerror = &smmu->gerror;
	int ret = 0;

	if (gerror->active && smmu->irq.ack & IRQ_CTRL_GERROR_IRQEN)
		ret = smmu_hwq_raise_gerror(smmu, &trap->clock);
	if (ret && !gerror->irq_pending)
		smmu_report(smmu, PKVM_SMMU_FAILED_IRQ, ARM_SMMU_GERROR,
			    gerror->active);
	gerror->irq_pending = ret == -EAGAIN;
}

/**
 * smmu_gerror_raise() - emulate an error
 * @trap:	the trap
 * @err:	a bit of GERROR
 *
 * Raises the host's interrupt, unless the same error is active already.
 */
void smmu_gerror_raise(struct smmu_trap *trap, u32 err)
{
	struct pkvm_smmu *smmu = trap->smmu;

	if ((smmu->gerror.active | smmu_hwq_errors(smmu)) & err)
		return;

	smmu->gerror.active |= err;
	gerror_signal(trap);
}

/**
 * smmu_gerror_retry_irq() - signal an interrupt that timed out in an earlier
 * trap
 * @trap:	the trap
 */
void smmu_gerror_retry_irq(struct smmu_trap *trap)
{
	if (trap->smmu->gerror.irq_pending)
		gerror_signal(trap);
}

/**
 * smmu_gerror_ack() - the host has written GERRORN
 * @smmu:	the SMMU
 * @gerrorn:	the value
 */
void smmu_gerror_ack(struct pkvm_smmu *smmu, u32 gerrorn)
{
	struct smmu_gerror *gerror = &smmu->gerror;
	u32 acked = (gerrorn ^ gerror->acked) & GERROR_ERR_MASK;

	gerror->acked ^= acked;
	gerror->active &= ~acked;
	smmu_hwq_ack_errors(smmu, acked);
}
