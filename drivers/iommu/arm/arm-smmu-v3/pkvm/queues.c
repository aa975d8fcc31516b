// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's queues in memory, and its event queue in particular.
 *
 * The SMMU writes events to a physical address that the host chose, without
 * translation. So every page of the queue must be the host's and is pinned
 * before the hardware hears of it, and is let go only after the hardware has
 * acknowledged that the queue is off. A queue that can't be pinned stays empty, and
 * the host sees EVTQ_ABT_ERR.
 *
 * The PRI queue is not offered (IDR0.PRI).
 *
 * All functions are called with emu_lock held. See sections 3.5 and 7.2 of the
 * SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

#define EVTQ_ENT_SIZE		BIT(EVTQ_ENT_SZ_SHIFT)

/* An index of a queue with its wrap bit, and the overflow flag */
static u32 queue_index(u8 shift, u32 val)
{
	return val & (Q_OVERFLOW_FLAG | (BIT(shift + 1) - 1));
}

/**
 * smmu_queue_shift() - the size of one of the host's queues
 * @q_base:	the base register, as the host wrote it
 * @max_shift:	the size that the ID registers offer, log2
 *
 * A larger size than offered behaves as the one offered (6.3.26).
 *
 * Return: log2 of the number of entries.
 */
u8 smmu_queue_shift(u64 q_base, u8 max_shift)
{
	return min_t(u8, FIELD_GET(Q_BASE_LOG2SIZE, q_base), max_shift);
}

/**
 * smmu_queue_pin() - pin a queue of the host's
 * @q:		to be filled in but for its indices
 * @q_base:	the base register, as the host wrote it
 * @ent_size:	size of an entry in bytes
 * @max_shift:	the size that the ID registers offer, log2
 *
 * Return: 0, or a negative error, and nothing is pinned.
 */
int smmu_queue_pin(struct smmu_host_queue *q, u64 q_base, u32 ent_size, u8 max_shift)
{
	void *va;
	int ret;

	q->shift = smmu_queue_shift(q_base, max_shift);
	q->size = (size_t)ent_size << q->shift;
	q->base = ALIGN_DOWN(q_base & Q_BASE_ADDR_MASK, q->size);

	/* All RAM is within the SMMU's reach (s2.c), and nothing else can be pinned */
	ret = hal_host_pin(q->base, q->size, &va);
	if (ret)
		return ret;

	q->va = va;

	return 0;
}

/**
 * smmu_queue_unpin() - let go of a queue, if it was pinned
 * @q:	the queue; nothing reads or writes it any more
 */
void smmu_queue_unpin(struct smmu_host_queue *q)
{
	if (!q->va)
		return;

	hal_host_unpin(q->base, q->size);
	q->va = NULL;
}

static u8 evtq_shift(const struct pkvm_smmu *smmu)
{
	return smmu_queue_shift(smmu->host.evtq_base, FIELD_GET(IDR1_EVTQS, smmu->idr[1]));
}

/* Those whose record says which stage it was about (section 7.3) */
static bool evt_is_translation(u64 dword0)
{
	switch (FIELD_GET(EVTQ_0_ID, dword0)) {
	case EVT_ID_TRANSLATION_FAULT:
	case EVT_ID_ADDR_SIZE_FAULT:
	case EVT_ID_ACCESS_FAULT:
	case EVT_ID_PERMISSION_FAULT:
		return true;
	default:
		return false;
	}
}

/* Has the hardware acknowledged what CR0 says of the event queue? */
static bool evtq_is_settled(struct pkvm_smmu *smmu)
{
	return !((hal_readl(smmu->base + ARM_SMMU_CR0ACK) ^ smmu->hw_cr0) & CR0_EVTQEN);
}

/* Takes effect when evtq_is_settled(); or never, if the SMMU is broken */
static int evtq_set_enabled(struct pkvm_smmu *smmu, bool enable)
{
	u32 cr0 = smmu->hw_cr0 & ~CR0_EVTQEN;

	return smmu_hwq_write_cr0(smmu, enable ? cr0 | CR0_EVTQEN : cr0);
}

/**
 * smmu_evtq_disable() - the host has disabled its event queue
 * @smmu:	the SMMU; emu_lock held
 *
 * While one change of CR0 is not acknowledged there can't be another one (section
 * 6.3.9). The host waits for it in CR0ACK, so EL2 does not.
 *
 * Return: 0 if the queue is let go of; -EAGAIN if it stays pinned, as the hardware
 * has not acknowledged a change: to be called again.
 */
int smmu_evtq_disable(struct pkvm_smmu *smmu)
{
	struct smmu_host_queue *q = &smmu->evtq;

	if (!q->va)
		return 0;

	if (evtq_is_settled(smmu) && smmu->hw_cr0 & CR0_EVTQEN)
		evtq_set_enabled(smmu, false);
	if (smmu->hw_cr0 & CR0_EVTQEN || !evtq_is_settled(smmu))
		return -EAGAIN;

	q->prod = hal_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_PROD);
	q->cons = hal_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS);
	smmu_queue_unpin(q);

	return 0;
}

/**
 * smmu_evtq_enable() - the host has enabled its event queue
 * @smmu:	the SMMU; emu_lock held
 *
 * A queue that can't be pinned stays empty, and the host sees EVTQ_ABT_ERR. If the
 * hardware has not let go of a queue that the host has disabled, then that is this one:
 * the host could not write EVTQ_BASE since.
 *
 * Return: 0 if the host is to see it enabled; -EAGAIN if the hardware has not
 * acknowledged a change: to be called again.
 */
int smmu_evtq_enable(struct pkvm_smmu *smmu)
{
	struct smmu_host_queue *q = &smmu->evtq;
	void __iomem *page1 = smmu->base + SMMU_PAGE1;

	if (!evtq_is_settled(smmu))
		return -EAGAIN;
	if (smmu->hw_cr0 & CR0_EVTQEN)
		return 0;

	smmu_evtq_disable(smmu);
	if (smmu_queue_pin(q, smmu->host.evtq_base, EVTQ_ENT_SIZE,
			   FIELD_GET(IDR1_EVTQS, smmu->idr[1]))) {
		smmu_gerror_raise(smmu, GERROR_EVTQ_ABT_ERR);
		return 0;
	}

	hal_writeq(q->base | FIELD_PREP(Q_BASE_LOG2SIZE, q->shift) |
		   (smmu->host.evtq_base & Q_BASE_RWA),
		   smmu->base + ARM_SMMU_EVTQ_BASE);
	hal_writel(queue_index(q->shift, q->prod), page1 + ARM_SMMU_EVTQ_PROD);
	hal_writel(queue_index(q->shift, q->cons), page1 + ARM_SMMU_EVTQ_CONS);
	if (evtq_set_enabled(smmu, true)) {
		smmu_queue_unpin(q);
		return -EAGAIN;
	}

	return evtq_is_settled(smmu) ? 0 : -EAGAIN;
}

/**
 * smmu_evtq_prod() - EVTQ_PROD as the host reads it
 * @smmu:	the SMMU; emu_lock held
 *
 * Return: the hardware's while it has the queue; else what the host wrote, or what it had
 * last.
 */
u32 smmu_evtq_prod(struct pkvm_smmu *smmu)
{
	if (!smmu->evtq.va)
		return queue_index(evtq_shift(smmu), smmu->evtq.prod);

	return hal_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_PROD);
}

/**
 * smmu_evtq_cons() - EVTQ_CONS as the host reads it
 * @smmu:	the SMMU; emu_lock held
 *
 * Return: as smmu_evtq_prod().
 */
u32 smmu_evtq_cons(struct pkvm_smmu *smmu)
{
	if (!smmu->evtq.va)
		return smmu->evtq.cons;

	return hal_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS);
}

/**
 * smmu_evtq_set_prod() - the host writes EVTQ_PROD
 * @smmu:	the SMMU; emu_lock held
 * @val:	what it wrote
 *
 * For the queue that it is about to enable.
 */
void smmu_evtq_set_prod(struct pkvm_smmu *smmu, u32 val)
{
	smmu->evtq.prod = val;
}

/*
 * The host has consumed events: count those that are about EL2's stage 2. The host's
 * driver consumes them one by one; of many at once the first are looked at.
 */
static void evtq_count_denied(struct pkvm_smmu *smmu, u32 from, u32 to)
{
	const struct smmu_host_queue *q = &smmu->evtq;
	u32 entries = BIT(q->shift), n = (to - from) & (2 * entries - 1);

	if (n > entries)
		return;

	n = min(n, smmu->budget);
	smmu->budget -= n;
	for (; n; n--, from++) {
		const __le64 *ent = &q->va[(from & (entries - 1)) * EVTQ_ENT_DWORDS];
		u64 dword0 = hal_host_read(&ent[0]);

		if (evt_is_translation(dword0) && hal_host_read(&ent[1]) & EVTQ_1_S2)
			smmu_report(smmu, PKVM_SMMU_DENIED_DMA, dword0,
				    hal_host_read(&ent[2]));
	}
}

/**
 * smmu_evtq_set_cons() - the host has consumed events
 * @smmu:	the SMMU; emu_lock held
 * @val:	what it wrote to EVTQ_CONS
 *
 * Counts those that are about what EL2 keeps from devices.
 */
void smmu_evtq_set_cons(struct pkvm_smmu *smmu, u32 val)
{
	if (!smmu->evtq.va) {
		smmu->evtq.cons = val;
		return;
	}

	evtq_count_denied(smmu, smmu_evtq_cons(smmu), val);
	hal_writel(queue_index(smmu->evtq.shift, val),
		   smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS);
}
