// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues in the host's memory.
 *
 * - The host chooses base and size of a queue. Each of its pages must be owned
 *   by the host, and stays pinned until the queue is disabled.
 * - A size that is larger than the ID registers offer is the largest size that
 *   they offer (section 6.3.26 of Arm IHI 0070).
 *
 * The emu_lock is held. The functions take the ownership locks.
 */
#include <linux/align.h>
#include <linux/kernel.h>

#include "../arm-smmu-v3.h"
#include "hyp.h"
#include "queue.h"

/**
 * smmu_queue_shift() - the size of a queue
 * @q_base:	the base register, as the host wrote it
 * @max_shift:	the size that the ID registers offer, log2
 *
 * Return: log2 of the number of entries.
 */
u8 smmu_queue_shift(u64 q_base, u8 max_shift)
{
	return min_t(u8, FIELD_GET(Q_BASE_LOG2SIZE, q_base), max_shift);
}

/**
 * smmu_queue_index() - the bits of PROD or CONS that a queue uses
 * @shift:	log2 of the number of entries
 * @val:	the register
 *
 * Return: the index with its wrap bit, and the overflow flag.
 */
u32 smmu_queue_index(u8 shift, u32 val)
{
	return val & (Q_OVERFLOW_FLAG | (BIT(shift + 1) - 1));
}

/**
 * smmu_queue_pin() - pin the pages of a queue
 * @q:		set
 * @q_base:	the base register, as the host wrote it
 * @ent_size:	size of an entry in bytes
 * @max_shift:	the size that the ID registers offer, log2
 *
 * Return: 0; a negative error, and then nothing is pinned.
 */
int smmu_queue_pin(struct smmu_host_queue *q, u64 q_base, u32 ent_size,
		   u8 max_shift)
{
	void *va;
	int ret;

	q->shift = smmu_queue_shift(q_base, max_shift);
	q->size = (size_t)ent_size << q->shift;
	q->base = ALIGN_DOWN(q_base & Q_BASE_ADDR_MASK, q->size);

	/* Only RAM can be pinned, and the SMMU can address all RAM (s2.c) */
	ret = hyp_host_pin(q->base, q->size, &va);
	if (ret)
		return ret;

	q->va = va;

	return 0;
}

/**
 * smmu_queue_unpin() - unpin the pages of a queue, if it is pinned
 * @q:		the queue; neither the SMMU nor EL2 accesses it any more
 */
void smmu_queue_unpin(struct smmu_host_queue *q)
{
	if (!q->va)
		return;

	hyp_host_unpin(q->base, q->size);
	q->va = NULL;
}
