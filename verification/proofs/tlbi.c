// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation by address reaches what it is to, for any range. PAGE_SHIFT is the build's.
 */
#include "pkvm/tlbi.c"

#include "proof.h"

void prove_tlbi_covers(void)
{
	struct pkvm_smmu smmu = { .feat.ril = nondet_bool() };
	u64 ipa = nondet_u64(), pages = nondet_u64(), n, num, scale, tg;
	struct arm_smmu_cmd cmd;

	SUPPOSE(ipa < BIT_ULL(PKVM_SMMU_MAX_OAS_BITS) && !(ipa % PAGE_SIZE));
	SUPPOSE(pages && pages <= (BIT_ULL(PKVM_SMMU_MAX_OAS_BITS) - ipa) / PAGE_SIZE);
	n = tlbi_ipa(&smmu, &cmd, ipa, pages);
	PROVE(n > 0 && n <= pages, "progress, and not too far");
	PROVE((cmd.data[0] & 0xff) == 0x2a, "TLBI_S2_IPA");
	PROVE((cmd.data[1] & GENMASK_ULL(51, 12)) == ipa, "from the first page on");
	PROVE(!(cmd.data[0] >> 32), "EL2's VMID");
	PROVE(!(cmd.data[1] & 0x3ff), "all levels, tables too");
	PROVE(!(cmd.data[1] >> 52), "no other bits");
	PROVE(!(cmd.data[0] & GENMASK_ULL(31, 26)) && !(cmd.data[0] & GENMASK_ULL(11, 8)) &&
	      !(cmd.data[0] & GENMASK_ULL(19, 17)), "nor here");

	num = cmd.data[0] >> 12 & 0x1f;
	scale = cmd.data[0] >> 20 & 0x3f;
	tg = cmd.data[1] >> 10 & 3;
	if (!tg) {
		PROVE(n == 1 && !num && !scale, "one page");
		return;
	}
	PROVE(smmu.feat.ril, "a range only where there are ranges");
	PROVE(tg == (PAGE_SHIFT - 10) / 2, "in units of pages");
	PROVE(num || scale, "an encoding that isn't reserved");
	PROVE(scale <= 39, "nor is the scale");
	PROVE((num + 1) << scale == n, "all of it");
}
