// SPDX-License-Identifier: GPL-2.0-only
/*
 * An index that the host chooses, on a CPU that mispredicts: no load is outside of
 * the table. The CPU takes either side of each if, but array_index_nospec() holds.
 * iommu.c has proofs of its own for this.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "proof.h"

static bool speculates;

static inline bool mispredicts(void)
{
	return speculates && nondet_bool();
}

#define if(cond)	if (!!(cond) != mispredicts())
#include "../../../../drivers/iommu/arm/arm-smmu-v3/pkvm/mmio.c"
#include "../../../../drivers/iommu/arm/arm-smmu-v3/pkvm/strtab.c"
#undef if

/* CBMC itself looks at the bounds of smmu_reg_index[] and smmu_regs[] */
void prove_register_when_mispredicted(void)
{
	PROVE(!smmu_mmio_init(), "the table is as it has to be");
	speculates = true;
	smmu_reg_find(nondet_u32(), nondet_u32());
}

/* And here of a level-1 table, and of a linear one */
void prove_stream_when_mispredicted(void)
{
	static __le64 tab[4 * STRTAB_STE_DWORDS];
	struct pkvm_smmu smmu = { .strtab.tab = tab };
	u32 sid = nondet_u32();
	__le64 *ste;

	speculates = true;
	smmu.strtab.two_level = nondet_bool();
	smmu.feat.sid_bits = smmu.strtab.two_level ? PKVM_SMMU_STRTAB_SPLIT + 2 : 2;
	ste = strtab_ste(&smmu, sid);
	if (__CPROVER_same_object(ste, tab))
		PROVE(ste >= tab && ste < tab + ARRAY_SIZE(tab), "within the table");
}
