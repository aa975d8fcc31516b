/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_STRTAB_H
#define __PKVM_SMMU_STRTAB_H

#include <linux/types.h>

#include "cmd.h"

struct pkvm_smmu;
struct smmu_trap;

/**
 * struct smmu_strtab_job - STEs that EL2 shadows, over several traps
 * @sids:	their streams
 * @next:	the first stream that is left; 0 if the job is complete
 * @enabling:	the job is a write of CR0.SMMUEN, not a command
 * @reachable:	the SMMU may have cached the STEs as valid
 */
struct smmu_strtab_job {
	struct smmu_sid_range	sids;
	u32			next;
	bool			enabling;
	bool			reachable;
};

/**
 * struct smmu_strtab - the shadow stream table
 * @tab:	the STEs of a linear table, or the level-1 descriptors; EL2's
 *		memory
 * @two_level:	the table has two levels; constant after take-over
 * @max_l2:	limit of @nr_l2; constant after take-over
 * @nr_l2:	number of second-level tables
 * @unlinked:	second-level tables may be unlinked and not free yet
 * @initial:	streams that firmware reserves pass, or did until the host
 *		enabled its SMMU for the first time
 * @live:	STEs follow the host's table
 * @clean:	no STE is valid, and the SMMU has nothing cached
 * @may_stall:	the host's SMMU was enabled, and stalled transactions may remain
 * @job:	the STEs that EL2 is shadowing
 *
 * The emu_lock protects it. strtab.c describes the states.
 */
struct smmu_strtab {
	__le64			*tab;
	bool			two_level;
	u32			max_l2;
	u32			nr_l2;
	bool			unlinked;
	bool			initial;
	bool			live;
	bool			clean;
	bool			may_stall;
	struct smmu_strtab_job	job;
};

void smmu_strtab_init(struct pkvm_smmu *smmu, void *tab, bool two_level,
		      u32 max_l2);
void smmu_strtab_make_empty(struct pkvm_smmu *smmu);
int smmu_strtab_pass(struct pkvm_smmu *smmu, u32 sid);
int smmu_strtab_enable(struct smmu_trap *trap);
int smmu_strtab_disable(struct smmu_trap *trap);
bool smmu_strtab_shadow(struct smmu_trap *trap,
			const struct smmu_sid_range *sids);
void smmu_strtab_restart(struct pkvm_smmu *smmu);

#endif /* __PKVM_SMMU_STRTAB_H */
