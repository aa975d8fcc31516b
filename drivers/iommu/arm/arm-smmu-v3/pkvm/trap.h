/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much time and work EL2 spends before it returns to the host.
 */
#ifndef __PKVM_SMMU_TRAP_H
#define __PKVM_SMMU_TRAP_H

#include <linux/kernel.h>
#include <linux/types.h>

#include "hyp.h"
#include "sizes.h"

/*
 * How long a trap waits for the hardware. Linux waits this long for a CMD_SYNC
 * that it polls in memory, and does not trap meanwhile.
 */
#define SMMU_TRAP_US		1000000

/*
 * How long EL2 waits for all SMMUs and hw_locks together with host_mmu.lock
 * held. It waits when a page leaves the host: then EL1 tries again. It also
 * waits before a block replaces a table: then the table stays.
 */
#define SMMU_LEAVE_US		20000

/*
 * How much work one trap does, in addition to one full command queue. An STE
 * that is shadowed, a host table that is looked up, an event that is counted
 * and a wait for an STE cost one unit each. A new second-level table costs
 * SMMU_WORK_PER_L2, and three units around it, with each page size: one trap
 * can fill SMMU_L2_PER_TRAP tables. A later read of CMDQ_CONS or CR0ACK
 * continues the work.
 */
#define SMMU_WORK_PER_TRAP	1024
#define SMMU_L2_PER_TRAP	64
#define SMMU_WORK_PER_L2	(SMMU_WORK_PER_TRAP / SMMU_L2_PER_TRAP - 3)

/**
 * struct smmu_clock - limits the waits of a trap, or of a page that leaves
 * @limit:	in microseconds
 * @end:	when the time is over, as hyp_now() counts
 */
struct smmu_clock {
	u64	limit;
	u64	end;
};

static inline struct smmu_clock smmu_clock_start(u64 limit)
{
	return (struct smmu_clock) {
		.limit	= limit,
		.end	= hyp_now() + hyp_ticks(limit),
	};
}

static inline bool smmu_clock_is_over(const struct smmu_clock *clock)
{
	return (s64)(hyp_now() - clock->end) > 0;
}

struct pkvm_smmu;

/**
 * struct smmu_trap - an access of the host to an SMMU's registers
 * @smmu:	the SMMU; its emu_lock is held
 * @clock:	for all waits of this trap
 * @budget:	units of work that are left
 */
struct smmu_trap {
	struct pkvm_smmu	*smmu;
	struct smmu_clock	clock;
	u32			budget;
};

static inline void smmu_trap_spend(struct smmu_trap *trap, u32 units)
{
	trap->budget -= min(units, trap->budget);
}

#endif /* __PKVM_SMMU_TRAP_H */
