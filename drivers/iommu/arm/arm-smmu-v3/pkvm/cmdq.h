/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_CMDQ_H
#define __PKVM_SMMU_CMDQ_H

#include "queue.h"

struct pkvm_smmu;
struct smmu_trap;

/**
 * struct smmu_cmdq - the host's command queue
 * @q:		pinned while the queue is enabled
 * @prod:	CMDQ_PROD
 * @cons:	CMDQ_CONS, with its ERR field
 *
 * The emu_lock protects it.
 */
struct smmu_cmdq {
	struct smmu_host_queue	q;
	u32			prod;
	u32			cons;
};

void smmu_cmdq_enable(struct smmu_trap *trap);
void smmu_cmdq_disable(struct pkvm_smmu *smmu);
void smmu_cmdq_consume(struct smmu_trap *trap);
u64 smmu_cmdq_read_cons(struct smmu_trap *trap);
void smmu_cmdq_write_prod(struct smmu_trap *trap, u64 val);
void smmu_cmdq_write_cons(struct smmu_trap *trap, u64 val);

#endif /* __PKVM_SMMU_CMDQ_H */
