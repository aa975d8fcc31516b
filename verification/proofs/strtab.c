// SPDX-License-Identifier: GPL-2.0-only
/*
 * The STE of any stream is within the table, also on a CPU that mispredicts what
 * cmd.c has checked.
 */
#include "pkvm/strtab.c"

#include "proof.h"

/* CBMC itself looks at the bounds of a level-1 table */
void prove_ste_is_in_table(void)
{
	static __le64 tab[4 * STRTAB_STE_DWORDS];
	struct pkvm_smmu smmu = { .strtab.tab = tab };
	__le64 *ste;

	smmu.strtab.two_level = nondet_bool();
	smmu.feat.sid_bits = smmu.strtab.two_level ? PKVM_SMMU_STRTAB_SPLIT + 5 : 2;
	ste = strtab_ste(&smmu, nondet_u32());
	if (!smmu.strtab.two_level)
		PROVE(ste >= tab && ste <= tab + 3 * STRTAB_STE_DWORDS, "a linear table");
}
