// SPDX-License-Identifier: GPL-2.0-only
/*
 * No STE of the host's becomes one that passes without EL2's stage 2.
 */
#include "proof.h"

static void any_ste(struct smmu_features *feat, u64 *host)
{
	int i;

	for (i = 0; i < 8; i++)
		host[i] = nondet_u64();
	feat->s2_ste[0] = nondet_u64();
	feat->s2_ste[1] = nondet_u64();
	feat->ssid_bits = nondet_u8();
	feat->sid_bits = nondet_u8();
	feat->ril = nondet_bool();
	feat->stalls = nondet_bool();
}

void prove_ste_is_safe(void)
{
	struct smmu_features feat;
	u64 host[8], hw[8], config;

	any_ste(&feat, host);
	smmu_ste_from_host(&feat, host, hw);
	config = hw[0] >> 1 & 7;

	PROVE(hw[2] == feat.s2_ste[0] && hw[3] == feat.s2_ste[1], "stage 2 is EL2's");
	PROVE(!hw[4] && !hw[5] && !hw[6] && !hw[7], "VMSPtr and the secure half are 0");
	PROVE(!(hw[0] & 1) || config == 0 || config == 6 || config == 7,
	      "abort, stage 2, or both stages");
	/* EATS, S2FWB, STRW */
	PROVE(!(hw[1] & (GENMASK_ULL(29, 28) | BIT_ULL(25) | GENMASK_ULL(31, 30))),
	      "no translated traffic, no other cacheability, no other exception level");
	PROVE(feat.stalls || !(hw[1] & BIT_ULL(27)), "S1STALLD where there are stalls only");
	/* What the SMMU looks at, and nothing that later versions may give a meaning */
	PROVE(!(hw[0] & ~(GENMASK_ULL(51, 0) | GENMASK_ULL(63, 59))) &&
	      !(hw[1] & ~(GENMASK_ULL(7, 0) | BIT_ULL(19) | BIT_ULL(27) |
			  GENMASK_ULL(40, 32) | GENMASK_ULL(51, 44) | BIT_ULL(41) | BIT_ULL(42))),
	      "no unknown bits");
	PROVE(!(hw[0] & 1) || config != 7 ||
	      ((hw[0] >> 59) <= feat.ssid_bits && (hw[0] >> 4 & 3) != 3),
	      "as many contexts as there are substreams, of a format that exists");
	PROVE((host[0] & 1) || !(hw[0] & 1), "what the host has not made valid is not");
}

/* A host that does what its driver does gets what it asks for */
void prove_ste_serves(void)
{
	struct smmu_features feat;
	u64 host[8], hw[8], config;

	any_ste(&feat, host);
	config = host[0] >> 1 & 7;
	SUPPOSE(host[0] & 1);
	SUPPOSE(!host[2] && !host[3] && !host[4] && !host[5] && !host[6] && !host[7]);
	SUPPOSE(!(host[0] & ~(GENMASK_ULL(5, 0) | GENMASK_ULL(51, 6) | GENMASK_ULL(63, 59))));
	/* S1DSS, S1CIR, S1COR, S1CSH, MEV, SHCFG */
	SUPPOSE(!(host[1] & ~(GENMASK_ULL(7, 0) | BIT_ULL(19) | GENMASK_ULL(45, 44))));
	SUPPOSE((host[0] >> 59) <= feat.ssid_bits && (host[0] >> 4 & 3) != 3);
	smmu_ste_from_host(&feat, host, hw);

	if (config == 0)
		PROVE((hw[0] & 0xf) == 0x1, "abort is abort");
	if (config == 4)
		PROVE((hw[0] & 0xf) == 0xd, "bypass is stage 2");
	if (config == 5)
		PROVE((hw[0] & 0xf) == 0xf && (hw[0] & ~0xfULL) == (host[0] & ~0xfULL),
		      "stage 1 is both stages, with the host's CD");
	if (config == 0 || config == 4 || config == 5)
		PROVE(hw[1] == host[1], "and with its attributes");
}
