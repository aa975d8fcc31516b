/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_IRQ_H
#define __PKVM_SMMU_IRQ_H

#include <linux/types.h>

struct pkvm_smmu;
struct smmu_trap;

/**
 * struct smmu_irq - IRQ_CTRL
 * @ctrl:	IRQ_CTRL as the host wrote it
 * @ack:	IRQ_CTRLACK as the host reads it
 * @hw:		IRQ_CTRL as EL2 wrote it to the hardware
 *
 * The emu_lock protects it.
 */
struct smmu_irq {
	u32	ctrl;
	u32	ack;
	u32	hw;
};

u64 smmu_irq_read_ack(struct smmu_trap *trap);
void smmu_irq_write_ctrl(struct smmu_trap *trap, u64 val);
void smmu_irq_update(struct pkvm_smmu *smmu);

#endif /* __PKVM_SMMU_IRQ_H */
