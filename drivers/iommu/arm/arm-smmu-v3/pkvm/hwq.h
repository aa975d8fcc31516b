/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_HWQ_H
#define __PKVM_SMMU_HWQ_H

#include <linux/types.h>

#include "../arm-smmu-v3.h"
#include "hyp.h"

struct pkvm_smmu;
struct smmu_clock;

/**
 * struct smmu_hwq - the hardware's command queue, CR0 and GERRORN
 * @lock:	hw_lock (smmu.h); protects all fields
 * @base:	the entries, in EL2's memory
 * @prod:	index and wrap bit of the next entry to be written
 * @cons:	CMDQ_CONS when EL2 last read it
 * @shift:	log2 of the number of entries
 * @added:	number of commands that EL2 has added
 * @skipped:	number of illegal commands that EL2 has replaced
 * @timed_out:	the longest limit of a clock that ran out; 0 once the hardware
 *		has consumed @timed_out_at
 * @timed_out_at: @added when a clock last ran out
 * @cr0:	CR0 as EL2 wrote it
 * @acked:	enables of @cr0 that CR0ACK has had since
 * @broken:	EL2 no longer uses the SMMU
 */
struct smmu_hwq {
	struct hyp_lock	lock;
	__le64		*base;
	u32		prod;
	u32		cons;
	u8		shift;
	u32		added;
	u32		skipped;
	u64		timed_out;
	u32		timed_out_at;
	u32		cr0;
	u32		acked;
	bool		broken;
};

/**
 * struct smmu_ticket - commands that EL2 has added to the hardware's queue
 * @end:	smmu_hwq.added after the last of them
 * @skipped:	smmu_hwq.skipped before the first of them
 */
struct smmu_ticket {
	u32	end;
	u32	skipped;
};

void smmu_hwq_init(struct pkvm_smmu *smmu, void *base, u8 shift);
unsigned int smmu_hwq_submit(struct pkvm_smmu *smmu,
			     const struct arm_smmu_cmd *cmds, unsigned int n,
			     struct smmu_ticket *ticket,
			     const struct smmu_clock *clock);
int smmu_hwq_wait(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket,
		  const struct smmu_clock *clock);
bool smmu_hwq_lost(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket);
int smmu_hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
		 unsigned int n, const struct smmu_clock *clock);
unsigned int smmu_hwq_forward_sync(struct pkvm_smmu *smmu,
				   const struct arm_smmu_cmd *cmds,
				   unsigned int n,
				   const struct smmu_clock *clock);
int smmu_hwq_check(struct pkvm_smmu *smmu);

int smmu_hwq_write_cr0(struct pkvm_smmu *smmu, u32 bits, u32 val);
bool smmu_hwq_cr0_is_set(struct pkvm_smmu *smmu, u32 bit);
bool smmu_hwq_cr0_is_acked(struct pkvm_smmu *smmu, u32 bit);

int smmu_hwq_raise_gerror(struct pkvm_smmu *smmu,
			  const struct smmu_clock *clock);
u32 smmu_hwq_errors(struct pkvm_smmu *smmu);
void smmu_hwq_ack_errors(struct pkvm_smmu *smmu, u32 errors);

#endif /* __PKVM_SMMU_HWQ_H */
