// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the host's stream table entry (STE) to the hardware's.
 *
 * - The host can ask for abort, bypass or stage 1. The hardware's STE then
 *   aborts, translates with stage 2 only, or translates with stage 1 and stage
 *   2.
 * - For anything else the hardware's STE is invalid (V=0), and the SMMU reports
 *   C_BAD_STE to the host.
 * - In every STE, valid or not, dwords 2 and 3 hold EL2's stage 2, and dwords 4
 *   to 7 are 0. ATS is off, and StreamWorld is NS-EL1.
 *
 * The function has no state, takes no lock and accesses only its arguments. See
 * section 5.2 of the SMMUv3 architecture (Arm IHI 0070).
 */
#include "ste.h"

/* Not in arm-smmu-v3.h */
#define STE_1_CONT	GENMASK_ULL(16, 13)
#define STE_1_MEMATTR	GENMASK_ULL(35, 32)
#define STE_1_MTCFG	BIT_ULL(36)
#define STE_1_ALLOCCFG	GENMASK_ULL(40, 37)
#define STE_1_PRIVCFG	GENMASK_ULL(49, 48)
#define STE_1_INSTCFG	GENMASK_ULL(51, 50)

/*
 * The host chooses these with stage 1. S1ContextPtr is an IPA here. They are the
 * fields of STRTAB_STE_0_NESTING_ALLOWED. The host of EL2 has more in dword 1
 * than STRTAB_STE_1_NESTING_ALLOWED, and no EATS: that mask is not used.
 */
#define STE_0_S1	(STRTAB_STE_0_S1FMT | STRTAB_STE_0_S1CTXPTR_MASK | \
			 STRTAB_STE_0_S1CDMAX)

/*
 * The host chooses these in any valid STE. Abort and bypass ignore them, but
 * the host's driver sets fields that the current Config ignores before it
 * changes Config. EL2 copies them with any Config: if the host changes its STE
 * with one 64-bit store, EL2 changes the hardware's STE with one store, without
 * a hit.
 */
#define STE_1_HOST	(STRTAB_STE_1_S1DSS | STRTAB_STE_1_S1CIR |	\
			 STRTAB_STE_1_S1COR | STRTAB_STE_1_S1CSH |	\
			 STRTAB_STE_1_MEV | STRTAB_STE_1_SHCFG |	\
			 STE_1_MEMATTR | STE_1_MTCFG | STE_1_ALLOCCFG |	\
			 STE_1_PRIVCFG | STE_1_INSTCFG)

/* The host may set this hint. EL2 clears it: its STEs may not be contiguous */
#define STE_1_HINTS	STE_1_CONT

static bool ste_has_foreign_bits(const u64 *host, u64 allowed0, u64 allowed1)
{
	int i;

	if (host[0] & ~allowed0 || host[1] & ~allowed1)
		return true;

	for (i = 2; i < STRTAB_STE_DWORDS; i++) {
		if (host[i])
			return true;
	}

	return false;
}

static bool ste_s1_is_valid(const struct smmu_features *feat, u64 dword0)
{
	u64 fmt = FIELD_GET(STRTAB_STE_0_S1FMT, dword0);

	return fmt <= STRTAB_STE_0_S1FMT_64K_L2 &&
	       FIELD_GET(STRTAB_STE_0_S1CDMAX, dword0) <= feat->ssid_bits;
}

/**
 * smmu_ste_from_host() - build the hardware's STE
 * @feat:	the SMMU, and EL2's stage 2
 * @host:	EL2's copy of the host's STE, in CPU byte order
 * @hw:		set to the hardware's STE, in CPU byte order
 */
void smmu_ste_from_host(const struct smmu_features *feat, const u64 *host,
			u64 *hw)
{
	u64 allowed0 = STRTAB_STE_0_V | STRTAB_STE_0_CFG | STE_0_S1;
	u64 allowed1 = STE_1_HOST | STE_1_HINTS;
	int i;

	hw[0] = 0;
	hw[1] = 0;
	hw[2] = feat->s2_ste[0];
	hw[3] = feat->s2_ste[1];
	for (i = 4; i < STRTAB_STE_DWORDS; i++)
		hw[i] = 0;

	if (!(host[0] & STRTAB_STE_0_V))
		return;

	if (feat->stalls)
		allowed1 |= STRTAB_STE_1_S1STALLD;
	if (ste_has_foreign_bits(host, allowed0, allowed1))
		return;

	switch (FIELD_GET(STRTAB_STE_0_CFG, host[0])) {
	case STRTAB_STE_0_CFG_ABORT:
		hw[0] = STRTAB_STE_0_V |
			FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_ABORT);
		break;
	case STRTAB_STE_0_CFG_BYPASS:
		hw[0] = STRTAB_STE_0_V |
			FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_S2_TRANS);
		break;
	case STRTAB_STE_0_CFG_S1_TRANS:
		if (!ste_s1_is_valid(feat, host[0]))
			return;
		hw[0] = STRTAB_STE_0_V |
			FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_NESTED) |
			(host[0] & STE_0_S1);
		break;
	default:
		return;
	}

	hw[1] = host[1] & ~STE_1_HINTS;
}
