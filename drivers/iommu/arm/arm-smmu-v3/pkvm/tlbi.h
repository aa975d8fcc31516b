/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_TLBI_H
#define __PKVM_SMMU_TLBI_H

#include <linux/types.h>

#include "../arm-smmu-v3.h"
#include "hwq.h"

/**
 * enum smmu_cached - what an SMMU may have cached of EL2's stage 2, in order
 * @SMMU_CACHED_NOTHING:	nothing: no stream was enabled since EL2 last
 *				invalidated all of it
 * @SMMU_CACHED_S2:		stage 2 entries, which TLBI_S2_IPA invalidates
 * @SMMU_CACHED_NESTED:		also combined entries of both stages, which
 *				TLBI_S2_IPA does not invalidate
 */
enum smmu_cached {
	SMMU_CACHED_NOTHING,
	SMMU_CACHED_S2,
	SMMU_CACHED_NESTED,
};

/**
 * struct smmu_tlbi - invalidation of what an SMMU may have cached of stage 2
 * @cached:	what the SMMU may have cached; emu_lock and hw_lock for writing
 * @ticket:	of the commands under way; the ownership locks
 * @covers:	the value of @cached that these commands invalidate;
 *		SMMU_CACHED_NOTHING if there are none; the ownership locks
 */
struct smmu_tlbi {
	enum smmu_cached	cached;
	struct smmu_ticket	ticket;
	enum smmu_cached	covers;
};

struct arm_smmu_cmd smmu_tlbi_all(void);
void smmu_tlbi_note_ste(struct pkvm_smmu *smmu, u64 dword0);
void smmu_tlbi_note_clean(struct pkvm_smmu *smmu);
int smmu_tlbi_range(struct pkvm_smmu *smmus, u32 nr, phys_addr_t start,
		    phys_addr_t end, const struct smmu_clock *clock);

#endif /* __PKVM_SMMU_TLBI_H */
