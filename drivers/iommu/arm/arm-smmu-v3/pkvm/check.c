// SPDX-License-Identifier: GPL-2.0-only
/*
 * For kernels with EL2's assertions: is what the hardware walks as it has to be?
 *
 * After a trap that has told the hardware anything, looks at its registers and at each
 * STE that it can reach, and not at what the emulator believes. Whatever the host has
 * done, no stream may pass but through EL2's stage 2. A warning is EL2's panic, and names
 * the line of what doesn't hold.
 */
#include <linux/bug.h>
#include <linux/kernel.h>

#include "smmu.h"

static void check_ste(const struct pkvm_smmu *smmu, const __le64 *ste)
{
	u64 dword0 = le64_to_cpu(ste[0]), dword1 = le64_to_cpu(ste[1]);
	u64 cfg = FIELD_GET(STRTAB_STE_0_CFG, dword0);
	int i;

	/* As soon as an STE can be reached, whether or not it is valid */
	WARN_ON(le64_to_cpu(ste[2]) != smmu->feat.s2_ste[0]);
	WARN_ON(le64_to_cpu(ste[3]) != smmu->feat.s2_ste[1]);
	for (i = 4; i < STRTAB_STE_DWORDS; i++)
		WARN_ON(ste[i]);
	if (!(dword0 & STRTAB_STE_0_V))
		return;

	WARN_ON(cfg != STRTAB_STE_0_CFG_ABORT && cfg != STRTAB_STE_0_CFG_S2_TRANS &&
		cfg != STRTAB_STE_0_CFG_NESTED);
	WARN_ON(dword1 & STRTAB_STE_1_EATS);
}

static void check_registers(const struct pkvm_smmu *smmu)
{
	const void __iomem *base = smmu->base;
	u32 cr0 = hal_readl(base + ARM_SMMU_CR0ACK);

	WARN_ON(!(cr0 & CR0_CMDQEN));
	WARN_ON(!(cr0 & CR0_SMMUEN) && !smmu->hwq.smmu_off);
	WARN_ON(!(hal_readl(base + ARM_SMMU_GBPA) & GBPA_ABORT));
	WARN_ON(!(hal_readl(base + ARM_SMMU_CR2) & CR2_PTM));
	WARN_ON((hal_readl(base + ARM_SMMU_STRTAB_BASE) & STRTAB_BASE_ADDR_MASK) !=
		lower_32_bits(hal_virt_to_phys(smmu->strtab.tab)));
	WARN_ON((hal_readl(base + ARM_SMMU_CMDQ_BASE) & Q_BASE_ADDR_MASK) !=
		lower_32_bits(hal_virt_to_phys(smmu->hwq.base)));
	/* The host's, and pinned, or off */
	WARN_ON(cr0 & CR0_EVTQEN && !smmu->evtq.va);
}

/**
 * smmu_check() - does what EL2 promises hold?
 * @smmu:	the SMMU; takes its emu_lock
 */
void smmu_check(struct pkvm_smmu *smmu)
{
	u32 per_table = BIT(PKVM_SMMU_STRTAB_SPLIT), n = BIT(smmu->feat.sid_bits), i, j, added;
	const __le64 *tab = smmu->strtab.tab, *stes;
	bool broken;
	u64 desc;

	hal_lock(&smmu->emu_lock);
	/* No STE changes without a command; others may be adding theirs, which is no matter */
	added = READ_ONCE(smmu->hwq.added);
	if (added == smmu->checked)
		goto unlock;
	smmu->checked = added;
	/* After a reset nothing is as it has to be, and the host may have caused it */
	hal_lock(&smmu->hw_lock);
	broken = smmu_hwq_check(smmu);
	hal_unlock(&smmu->hw_lock);
	if (broken)
		goto unlock;
	check_registers(smmu);
	for (i = 0; !smmu->strtab.two_level && i < n; i++)
		check_ste(smmu, &tab[i * STRTAB_STE_DWORDS]);
	for (i = 0; smmu->strtab.two_level && i < n / per_table; i++) {
		desc = le64_to_cpu(tab[i]);
		if (!FIELD_GET(STRTAB_L1_DESC_SPAN, desc))
			continue;
		WARN_ON(FIELD_GET(STRTAB_L1_DESC_SPAN, desc) != PKVM_SMMU_STRTAB_SPLIT + 1);
		stes = hal_phys_to_virt(desc & STRTAB_L1_DESC_L2PTR_MASK);
		for (j = 0; j < per_table; j++)
			check_ste(smmu, &stes[j * STRTAB_STE_DWORDS]);
	}
unlock:
	hal_unlock(&smmu->emu_lock);
}
