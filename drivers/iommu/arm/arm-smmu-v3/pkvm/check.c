// SPDX-License-Identifier: GPL-2.0-only
/*
 * Assertions, with CONFIG_NVHE_EL2_DEBUG.
 *
 * - After each trap in which EL2 has added commands, look at the registers of
 *   the hardware, and at each STE that the hardware can reach.
 * - Whatever the host has done, a stream reaches memory only through EL2's
 *   stage 2.
 * - A warning is a panic of EL2. It names the line of the assertion.
 */
#include <linux/bug.h>
#include <linux/kernel.h>

#include "check.h"
#include "sizes.h"
#include "smmu.h"

static void check_ste(const struct pkvm_smmu *smmu, const __le64 *ste)
{
	u64 dword0 = le64_to_cpu(ste[0]), dword1 = le64_to_cpu(ste[1]);
	u64 cfg = FIELD_GET(STRTAB_STE_0_CFG, dword0);
	int i;

	/* In each STE that the SMMU can reach, valid or not */
	WARN_ON(le64_to_cpu(ste[2]) != smmu->feat.s2_ste[0]);
	WARN_ON(le64_to_cpu(ste[3]) != smmu->feat.s2_ste[1]);
	for (i = 4; i < STRTAB_STE_DWORDS; i++)
		WARN_ON(ste[i]);
	if (!(dword0 & STRTAB_STE_0_V))
		return;

	WARN_ON(cfg != STRTAB_STE_0_CFG_ABORT &&
		cfg != STRTAB_STE_0_CFG_S2_TRANS &&
		cfg != STRTAB_STE_0_CFG_NESTED);
	WARN_ON(dword1 & STRTAB_STE_1_EATS);
}

static void check_registers(const struct pkvm_smmu *smmu)
{
	const void __iomem *base = smmu->base;
	u32 cr0 = hyp_readl(base + ARM_SMMU_CR0ACK);

	WARN_ON(!(cr0 & CR0_CMDQEN));
	WARN_ON(smmu->hwq.acked & ~cr0);
	WARN_ON(!(hyp_readl(base + ARM_SMMU_GBPA) & GBPA_ABORT));
	WARN_ON(!(hyp_readl(base + ARM_SMMU_CR2) & CR2_PTM));
	WARN_ON((hyp_readl(base + ARM_SMMU_STRTAB_BASE) &
		 STRTAB_BASE_ADDR_MASK) !=
		lower_32_bits(hyp_virt_to_phys(smmu->strtab.tab)));
	WARN_ON((hyp_readl(base + ARM_SMMU_CMDQ_BASE) & Q_BASE_ADDR_MASK) !=
		lower_32_bits(hyp_virt_to_phys(smmu->hwq.base)));
	/* An event queue that is enabled is pinned */
	WARN_ON(cr0 & CR0_EVTQEN && !smmu->evtq.q.va);
}

static void check_strtab(const struct pkvm_smmu *smmu)
{
	u32 per_table = BIT(PKVM_SMMU_STRTAB_SPLIT);
	u32 n = BIT(smmu->feat.sid_bits);
	const __le64 *tab = smmu->strtab.tab, *stes;
	u64 desc, span;
	u32 i, j;

	if (!smmu->strtab.two_level) {
		for (i = 0; i < n; i++)
			check_ste(smmu, &tab[i * STRTAB_STE_DWORDS]);
		return;
	}

	for (i = 0; i < n / per_table; i++) {
		desc = le64_to_cpu(tab[i]);
		span = FIELD_GET(STRTAB_L1_DESC_SPAN, desc);
		if (!span)
			continue;
		WARN_ON(span != PKVM_SMMU_STRTAB_SPLIT + 1);
		stes = hyp_phys_to_virt(desc & STRTAB_L1_DESC_L2PTR_MASK);
		for (j = 0; j < per_table; j++)
			check_ste(smmu, &stes[j * STRTAB_STE_DWORDS]);
	}
}

/**
 * smmu_check() - check that no stream bypasses EL2's stage 2
 * @smmu:	the SMMU; takes its emu_lock
 */
void smmu_check(struct pkvm_smmu *smmu)
{
	u32 added;

	hyp_lock(&smmu->emu_lock);
	/*
	 * An STE changes only together with a command. Other CPUs may add more
	 */
	added = READ_ONCE(smmu->hwq.added);
	/*
	 * The host may have caused a reset, after which nothing of this holds
	 */
	if (added != smmu->checked && !smmu_hwq_check(smmu)) {
		check_registers(smmu);
		check_strtab(smmu);
	}
	smmu->checked = added;
	hyp_unlock(&smmu->emu_lock);
}
