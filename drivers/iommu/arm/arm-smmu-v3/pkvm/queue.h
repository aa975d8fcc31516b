/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_QUEUE_H
#define __PKVM_SMMU_QUEUE_H

#include <linux/types.h>

/**
 * struct smmu_host_queue - a queue in the host's memory
 * @va:		EL2's mapping; NULL while the queue is not pinned
 * @base:	physical address, aligned to @size
 * @size:	in bytes
 * @shift:	log2 of the number of entries
 *
 * The emu_lock protects it. queue.c writes it.
 */
struct smmu_host_queue {
	__le64		*va;
	phys_addr_t	base;
	size_t		size;
	u8		shift;
};

u8 smmu_queue_shift(u64 q_base, u8 max_shift);
u32 smmu_queue_index(u8 shift, u32 val);
int smmu_queue_pin(struct smmu_host_queue *q, u64 q_base, u32 ent_size,
		   u8 max_shift);
void smmu_queue_unpin(struct smmu_host_queue *q);

#endif /* __PKVM_SMMU_QUEUE_H */
