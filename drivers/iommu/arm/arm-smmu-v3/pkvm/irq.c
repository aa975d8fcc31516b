// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMU's interrupts: which are enabled, and where it writes MSIs.
 *
 * - The host can enable the interrupts of GERROR and of the event queue.
 * - The SMMU writes an MSI to a physical address, without translation. If the
 *   hardware has MSIs, the host chooses the address. It must be neither RAM nor
 *   EL2's MMIO. EL2 checks it when it writes it to the hardware.
 * - The write has a device memory type, whatever the host asks for.
 * - IRQ_CTRL has the update rules of CR0 (section 6.3.9): a bit must not change
 *   before its last change is acknowledged. An address must not change before
 *   the interrupt is acknowledged to be off. EL2 changes only what is
 *   acknowledged, keeps what the host asked for, and continues in later traps.
 * - The host's IRQ_CTRLACK follows when the hardware has acknowledged what the
 *   host asked for. Until then the host cannot write the address.
 *
 * The emu_lock is held. See sections 3.18, 6.3.16 and 6.3.21 of the SMMUv3
 * architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/kernel.h>

#include "irq.h"
#include "report.h"
#include "smmu.h"
#include "trap.h"

/* Registers of an interrupt, from its *_IRQ_CFG0 on */
#define IRQ_CFG1		0x8
#define IRQ_CFG2		0xc

static bool irq_target_is_legal(const struct pkvm_smmu *smmu, phys_addr_t addr)
{
	phys_addr_t base, end;
	unsigned int i;

	if (addr >> smmu->oas_bits)
		return false;

	for (i = 0; hyp_ram_region(i, &base, &end); i++) {
		if (addr >= ALIGN_DOWN(base, PAGE_SIZE) &&
		    addr < ALIGN(end, PAGE_SIZE))
			return false;
	}

	return !hyp_mmio_next(addr, &base, &end) || addr < base;
}

/* @reg is the offset of the interrupt's *_IRQ_CFG0. Address 0 means no MSI */
static void irq_set_msi(struct pkvm_smmu *smmu, u32 reg,
			const struct smmu_host_msi *msi)
{
	u64 addr = msi->addr;

	if (addr && !irq_target_is_legal(smmu, addr)) {
		smmu_report(smmu, PKVM_SMMU_DENIED_MMIO, reg, addr);
		addr = 0;
	}

	hyp_writeq(addr, smmu->base + reg);
	hyp_writel(msi->data, smmu->base + reg + IRQ_CFG1);
	hyp_writel(FIELD_PREP(MSI_CFG2_MEMATTR, ARM_SMMU_MEMATTR_DEVICE_nGnRE),
		   smmu->base + reg + IRQ_CFG2);
}

/* @bit is the interrupt's bit of IRQ_CTRL. The hardware has acknowledged it */
static void irq_update(struct pkvm_smmu *smmu, u32 bit, u32 reg,
		       const struct smmu_host_msi *msi)
{
	struct smmu_irq *irq = &smmu->irq;

	if (!((irq->ctrl ^ irq->hw) & bit))
		return;

	irq->hw ^= bit;
	if (irq->hw & bit && smmu->msis)
		irq_set_msi(smmu, reg, msi);
	hyp_writel(irq->hw, smmu->base + ARM_SMMU_IRQ_CTRL);
}

/* Bits that the hardware has acknowledged */
static u32 irq_acked(struct pkvm_smmu *smmu)
{
	return ~(hyp_readl(smmu->base + ARM_SMMU_IRQ_CTRLACK) ^ smmu->irq.hw);
}

/**
 * smmu_irq_update() - continue what the host has written to IRQ_CTRL
 * @smmu:	the SMMU
 */
void smmu_irq_update(struct pkvm_smmu *smmu)
{
	struct smmu_irq *irq = &smmu->irq;
	u32 acked;

	if (irq->ctrl == irq->ack)
		return;

	acked = irq_acked(smmu);
	if (acked & IRQ_CTRL_GERROR_IRQEN)
		irq_update(smmu, IRQ_CTRL_GERROR_IRQEN,
			   ARM_SMMU_GERROR_IRQ_CFG0, &smmu->host.gerror_msi);
	if (acked & IRQ_CTRL_EVTQ_IRQEN)
		irq_update(smmu, IRQ_CTRL_EVTQ_IRQEN, ARM_SMMU_EVTQ_IRQ_CFG0,
			   &smmu->host.evtq_msi);

	acked = irq_acked(smmu) & ~(irq->ctrl ^ irq->hw);
	irq->ack ^= (irq->ctrl ^ irq->ack) & acked;
}

/**
 * smmu_irq_read_ack() - read IRQ_CTRLACK for the host
 * @trap:	the trap
 *
 * Return: the register.
 */
u64 smmu_irq_read_ack(struct smmu_trap *trap)
{
	return trap->smmu->irq.ack;
}

/**
 * smmu_irq_write_ctrl() - the host has written IRQ_CTRL
 * @trap:	the trap
 * @val:	the value, bits that the host can enable
 */
void smmu_irq_write_ctrl(struct smmu_trap *trap, u64 val)
{
	struct smmu_irq *irq = &trap->smmu->irq;
	u32 changed = irq->ctrl ^ val;

	/*
	 * An interrupt is on until the hardware has acknowledged that it is off
	 */
	irq->ack |= changed & ~val;
	irq->ack &= ~(changed & val);
	irq->ctrl = val;
	smmu_irq_update(trap->smmu);
}
