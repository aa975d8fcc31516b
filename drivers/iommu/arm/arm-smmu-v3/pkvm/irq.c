// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMU's interrupts: which are enabled, and where it writes MSIs.
 *
 * An MSI is a write to a physical address of the host's choice that no stage 2
 * translates. It may reach MMIO that EL2 hasn't taken, which the host could as well write
 * itself, and no memory, whoever owns it. Such a target is checked, and the hardware told
 * of it, when the host enables the interrupt, and can't change until it disables it. The
 * write is one to a device, whatever attributes the host asks for.
 *
 * All functions are called with emu_lock held. See sections 3.18, 6.3.15 and 6.3.20 of
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
		smmu_denied(smmu, PKVM_SMMU_DENIED_MMIO, reg, addr);
		addr = 0;
	}

	hal_writeq(addr, smmu->base + reg);
	hal_writel(msi->data, smmu->base + reg + IRQ_CFG1);
	hal_writel(FIELD_PREP(MSI_CFG2_MEMATTR, ARM_SMMU_MEMATTR_DEVICE_nGnRE),
		   smmu->base + reg + IRQ_CFG2);
}

/**
 * smmu_irq_ctrl() - the host enables and disables interrupts
 * @smmu:	the SMMU; emu_lock held
 * @irqs:	bits of IRQ_CTRL
 */
void smmu_irq_ctrl(struct pkvm_smmu *smmu, u32 irqs)
{
	u32 on = irqs & ~smmu->host.irq_ctrl;

	/*
	 * A target must not change while the hardware may use it. An interrupt for which
	 * that doesn't come to an end keeps the one that is there, which is legal, too.
	 */
	if (on && smmu->msis) {
		smmu_hw_wait(smmu, ARM_SMMU_IRQ_CTRLACK, on, 0);
		on &= ~hal_readl(smmu->base + ARM_SMMU_IRQ_CTRLACK);
		if (on & IRQ_CTRL_GERROR_IRQEN)
			irq_set_msi(smmu, ARM_SMMU_GERROR_IRQ_CFG0, &smmu->host.gerror_msi);
		if (on & IRQ_CTRL_EVTQ_IRQEN)
			irq_set_msi(smmu, ARM_SMMU_EVTQ_IRQ_CFG0, &smmu->host.evtq_msi);
	}

	smmu->host.irq_ctrl = irqs;
	hal_writel(irqs, smmu->base + ARM_SMMU_IRQ_CTRL);
}
