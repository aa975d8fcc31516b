/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_EVTQ_H
#define __PKVM_SMMU_EVTQ_H

#include "queue.h"

struct pkvm_smmu;
struct smmu_trap;

/**
 * struct smmu_evtq - the host's event queue
 * @q:		pinned while the SMMU can write to it
 * @prod:	EVTQ_PROD while the queue is not pinned
 * @cons:	EVTQ_CONS while the queue is not pinned
 *
 * The emu_lock protects it.
 */
struct smmu_evtq {
	struct smmu_host_queue	q;
	u32			prod;
	u32			cons;
};

int smmu_evtq_enable(struct smmu_trap *trap);
int smmu_evtq_disable(struct pkvm_smmu *smmu);
u64 smmu_evtq_read_prod(struct smmu_trap *trap);
u64 smmu_evtq_read_cons(struct smmu_trap *trap);
void smmu_evtq_write_prod(struct smmu_trap *trap, u64 val);
void smmu_evtq_write_cons(struct smmu_trap *trap, u64 val);

#endif /* __PKVM_SMMU_EVTQ_H */
