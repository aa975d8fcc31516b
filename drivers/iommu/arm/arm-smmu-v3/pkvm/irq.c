// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMU's interrupts: which are enabled, and where it writes MSIs.
 *
 * An MSI is a write to a physical address that the host chooses and that no stage 2
 * translates. It may go to MMIO that EL2 has not taken, which the host could as well
 * write itself, and to no memory, whoever owns it. EL2 checks such a target, and writes
 * it to the hardware, when it enables the interrupt. The write is one to a device,
 * whatever attributes the host asks for.
 *
 * IRQ_CTRL has the update rules of CR0 (section 6.3.9): a field must not change before
 * its last change is acknowledged, and a target only while the interrupt is known to be
 * off. So EL2 acts on what is settled. It keeps what the host wants, and goes on in later
 * traps. The host's IRQ_CTRLACK follows once the hardware has acknowledged what the host
 * wants. Until then the host can't write the target.
 *
 * All functions are called with emu_lock held. See sections 3.18, 6.3.16 and 6.3.21 of
 * the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/kernel.h>

#include "smmu.h"

/* Registers of one interrupt, from its *_IRQ_CFG0 on */
#define IRQ_CFG1		0x8
#define IRQ_CFG2		0xc

static bool irq_target_is_legal(const struct pkvm_smmu *smmu, phys_addr_t addr)
{
	phys_addr_t base, end;
	unsigned int i;

	if (addr >> smmu->oas_bits)
		return false;

	for (i = 0; hal_ram_region(i, &base, &end); i++) {
		if (addr >= ALIGN_DOWN(base, PAGE_SIZE) && addr < ALIGN(end, PAGE_SIZE))
			return false;
	}

	return !hal_mmio_next(addr, &base, &end) || addr < base;
}

/* @reg is the offset of its *_IRQ_CFG0. With an address of 0 there is no MSI */
static void irq_set_msi(struct pkvm_smmu *smmu, u32 reg, const struct smmu_host_msi *msi)
{
	u64 addr = msi->addr;

	if (addr && !irq_target_is_legal(smmu, addr)) {
		smmu_report(smmu, PKVM_SMMU_DENIED_MMIO, reg, addr);
		addr = 0;
	}

	hal_writeq(addr, smmu->base + reg);
	hal_writel(msi->data, smmu->base + reg + IRQ_CFG1);
	hal_writel(FIELD_PREP(MSI_CFG2_MEMATTR, ARM_SMMU_MEMATTR_DEVICE_nGnRE),
		   smmu->base + reg + IRQ_CFG2);
}

/* One interrupt: @irq is its bit in IRQ_CTRL, @reg the offset of its *_IRQ_CFG0 */
static void irq_update(struct pkvm_smmu *smmu, u32 irq, u32 reg,
		       const struct smmu_host_msi *msi)
{
	if (!((smmu->host.irq_ctrl ^ smmu->hw_irq_ctrl) & irq))
		return;

	smmu->hw_irq_ctrl ^= irq;
	if (smmu->hw_irq_ctrl & irq && smmu->msis)
		irq_set_msi(smmu, reg, msi);
	hal_writel(smmu->hw_irq_ctrl, smmu->base + ARM_SMMU_IRQ_CTRL);
}

static u32 irq_unsettled(struct pkvm_smmu *smmu)
{
	return hal_readl(smmu->base + ARM_SMMU_IRQ_CTRLACK) ^ smmu->hw_irq_ctrl;
}

/**
 * smmu_irq_update() - go on with what the host has written to IRQ_CTRL
 * @smmu:	the SMMU; emu_lock held
 */
void smmu_irq_update(struct pkvm_smmu *smmu)
{
	struct smmu_host_regs *host = &smmu->host;
	u32 settled = ~irq_unsettled(smmu);

	if (settled & IRQ_CTRL_GERROR_IRQEN)
		irq_update(smmu, IRQ_CTRL_GERROR_IRQEN, ARM_SMMU_GERROR_IRQ_CFG0,
			   &host->gerror_msi);
	if (settled & IRQ_CTRL_EVTQ_IRQEN)
		irq_update(smmu, IRQ_CTRL_EVTQ_IRQEN, ARM_SMMU_EVTQ_IRQ_CFG0,
			   &host->evtq_msi);

	settled = ~irq_unsettled(smmu) & ~(host->irq_ctrl ^ smmu->hw_irq_ctrl);
	host->irq_ctrlack ^= (host->irq_ctrl ^ host->irq_ctrlack) & settled;
}

/**
 * smmu_irq_write_ctrl() - the host enables and disables interrupts
 * @smmu:	the SMMU; emu_lock held
 * @irqs:	bits of IRQ_CTRL
 */
void smmu_irq_write_ctrl(struct pkvm_smmu *smmu, u32 irqs)
{
	struct smmu_host_regs *host = &smmu->host;
	u32 changed = host->irq_ctrl ^ irqs;

	/* It counts as enabled until the hardware's IRQ_CTRLACK is clear */
	host->irq_ctrlack |= changed & ~irqs;
	host->irq_ctrlack &= ~(changed & irqs);
	host->irq_ctrl = irqs;
	smmu_irq_update(smmu);
}
