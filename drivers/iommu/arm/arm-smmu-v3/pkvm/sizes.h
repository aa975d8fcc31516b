/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sizes that EL1 and EL2 compute from an SMMU's ID registers: EL1 to set memory
 * aside, EL2 to use it.
 */
#ifndef __PKVM_SMMU_SIZES_H
#define __PKVM_SMMU_SIZES_H

#include <linux/bitfield.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "../arm-smmu-v3.h"

/*
 * EL2's own command queue: log2 of the number of 16-byte commands. A full queue
 * of the host fits into it, so that a trap seldom waits for space.
 */
#define PKVM_SMMU_CMDQ_SHIFT		10

/*
 * How many StreamIDs a shadow stream table covers at most, log2. With two
 * levels as many as the host's driver can use: STRTAB_MAX_L1_ENTRIES tables of
 * STRTAB_NUM_L2_STES. A linear table of 64 MiB is as large as EL2 can clear in
 * one trap.
 */
#define PKVM_SMMU_MAX_SID_BITS_2LVL	25
#define PKVM_SMMU_MAX_SID_BITS_LINEAR	20

/*
 * A second-level stream table is one page: 64, 256 or 1024 STEs of 64 bytes,
 * which are the three values that STRTAB_BASE_CFG.SPLIT can have.
 */
#define PKVM_SMMU_STRTAB_SPLIT		(PAGE_SHIFT - 6)

/*
 * EL1 sets second-level tables aside for all streams that firmware describes,
 * and these in addition. While more are in use, EL2 adds no table in which all
 * streams abort.
 */
#define PKVM_SMMU_SPARE_L2_TABLES	32

/**
 * pkvm_smmu_strtab_size() - size of an SMMU's shadow stream table
 * @idr0:	IDR0
 * @idr1:	IDR1
 * @max_bits:	limit of @sid_bits
 * @sid_bits:	set to log2 of the number of StreamIDs that it covers
 * @two_level:	set to true if it has two levels
 *
 * Return: size in bytes of the first level, or of a linear table.
 */
static inline u64 pkvm_smmu_strtab_size(u32 idr0, u32 idr1, u8 max_bits,
					u8 *sid_bits, bool *two_level)
{
	u8 bits = min_t(u8, FIELD_GET(IDR1_SIDSIZE, idr1), max_bits);

	*two_level = FIELD_GET(IDR0_ST_LVL, idr0) == IDR0_ST_LVL_2LVL &&
		     bits > PKVM_SMMU_STRTAB_SPLIT;
	if (*two_level) {
		*sid_bits = min_t(u8, bits, PKVM_SMMU_MAX_SID_BITS_2LVL);
		return sizeof(struct arm_smmu_strtab_l1) <<
		       (*sid_bits - PKVM_SMMU_STRTAB_SPLIT);
	}

	*sid_bits = min_t(u8, bits, PKVM_SMMU_MAX_SID_BITS_LINEAR);
	return sizeof(struct arm_smmu_ste) << *sid_bits;
}

/* EL2's tables do not use DS: only pages of 64K have room for 52 bits */
#define PKVM_SMMU_MAX_OAS_BITS	(PAGE_SHIFT == 16 ? 52 : 48)
#define PKVM_SMMU_MAX_OAS	(PAGE_SHIFT == 16 ? IDR5_OAS_52_BIT :	\
						    IDR5_OAS_48_BIT)

/* From IDR5.OAS or STE.S2PS to the number of bits that EL2's stage 2 can use */
static inline u8 pkvm_smmu_oas_to_bits(u32 oas)
{
	static const u8 bits[] = {
		[IDR5_OAS_32_BIT] = 32, [IDR5_OAS_36_BIT] = 36,
		[IDR5_OAS_40_BIT] = 40, [IDR5_OAS_42_BIT] = 42,
		[IDR5_OAS_44_BIT] = 44, [IDR5_OAS_48_BIT] = 48,
		[IDR5_OAS_52_BIT] = 52,
	};

	return bits[min_t(u32, oas, PKVM_SMMU_MAX_OAS)];
}

static inline u32 pkvm_smmu_bits_to_oas(u8 bits)
{
	u32 oas = PKVM_SMMU_MAX_OAS;

	while (oas && pkvm_smmu_oas_to_bits(oas) > bits)
		oas--;

	return oas;
}

/*
 * The level of the largest blocks of EL2's stage 2: 1 GiB with pages of 4K,
 * 32 MiB with 16K, 512 MiB with 64K, or 4 TiB with 64K and 52 bits.
 */
static inline s8 pkvm_smmu_block_level(u8 ia_bits)
{
	return PAGE_SHIFT == 12 || ia_bits > 48 ? 1 : 2;
}

#endif /* __PKVM_SMMU_SIZES_H */
