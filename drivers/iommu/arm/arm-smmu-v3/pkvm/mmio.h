/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_MMIO_H
#define __PKVM_SMMU_MMIO_H

#include <linux/types.h>

struct pkvm_smmu;

/**
 * struct smmu_host_msi - registers of one interrupt
 * @addr:	*_IRQ_CFG0
 * @data:	*_IRQ_CFG1
 * @attr:	*_IRQ_CFG2, which EL2 does not use
 */
struct smmu_host_msi {
	u64	addr;
	u32	data;
	u32	attr;
};

/**
 * struct smmu_host_regs - registers as the host wrote them
 * @cr0:	CR0
 * @cr0ack:	CR0ACK as the host reads it
 * @cr1:	CR1, which EL2 does not use
 * @cr2:	CR2, which EL2 does not use
 * @gerror_msi:	GERROR_IRQ_CFG*
 * @evtq_msi:	EVTQ_IRQ_CFG*
 * @strtab_base: STRTAB_BASE
 * @strtab_cfg:	STRTAB_BASE_CFG
 * @cmdq_base:	CMDQ_BASE
 * @evtq_base:	EVTQ_BASE
 *
 * The emu_lock protects it. mmio.c writes it.
 */
struct smmu_host_regs {
	u32			cr0;
	u32			cr0ack;
	u32			cr1;
	u32			cr2;
	struct smmu_host_msi	gerror_msi;
	struct smmu_host_msi	evtq_msi;
	u64			strtab_base;
	u32			strtab_cfg;
	u64			cmdq_base;
	u64			evtq_base;
};

u64 smmu_mmio_read(struct pkvm_smmu *smmu, u32 offset, unsigned int size);
void smmu_mmio_write(struct pkvm_smmu *smmu, u32 offset, unsigned int size,
		     u64 val);

#endif /* __PKVM_SMMU_MMIO_H */
