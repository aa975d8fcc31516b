/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_GERROR_H
#define __PKVM_SMMU_GERROR_H

#include <linux/types.h>

struct pkvm_smmu;
struct smmu_trap;

/**
 * struct smmu_gerror - the errors that the host sees
 * @active:	active errors that EL2 emulates, as bits of GERROR
 * @acked:	the host's GERRORN
 * @irq_pending: the hardware has not signalled the interrupt of @active yet
 *
 * The emu_lock protects it.
 */
struct smmu_gerror {
	u32	active;
	u32	acked;
	bool	irq_pending;
};

void smmu_gerror_init(struct pkvm_smmu *smmu);
u64 smmu_gerror_read(struct smmu_trap *trap);
void smmu_gerror_ack(struct pkvm_smmu *smmu, u32 gerrorn);
void smmu_gerror_raise(struct smmu_trap *trap, u32 err);
void smmu_gerror_retry_irq(struct smmu_trap *trap);

#endif /* __PKVM_SMMU_GERROR_H */
