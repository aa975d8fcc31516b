// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's event queue.
 *
 * - The SMMU writes events to a physical address that the host chooses, without
 *   translation. EL2 pins the pages of the queue before it writes the address
 *   to the hardware.
 * - EL2 unpins them after the hardware has acknowledged that the queue is off.
 * - If the pages cannot be pinned, the queue stays empty, and the host sees
 *   EVTQ_ABT_ERR.
 * - While the queue is enabled, PROD and CONS are the hardware's.
 * - EL2 does not offer a PRI queue (IDR0.PRI).
 *
 * The emu_lock is held. See sections 3.5 and 7.2 of the SMMUv3 architecture
 * (Arm IHI 0070).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "evtq.h"
#include "gerror.h"
#include "report.h"
#include "smmu.h"
#include "trap.h"

#define EVTQ_ENT_SIZE		BIT(EVTQ_ENT_SZ_SHIFT)

static u8 evtq_max_shift(const struct pkvm_smmu *smmu)
{
	return FIELD_GET(IDR1_EVTQS, smmu->idr[1]);
}

/**
 * smmu_evtq_disable() - the host has disabled its event queue
 * @smmu:	the SMMU
 *
 * EL2 does not wait for the hardware: the host waits for CR0ACK. A change of an
 * enable must be acknowledged before the next change (section 6.3.9).
 *
 * Return: 0 if the queue is disabled and not pinned; -EAGAIN if the hardware
 * has not acknowledged a change: call again.
 */
int smmu_evtq_disable(struct pkvm_smmu *smmu)
{
	struct smmu_evtq *evtq = &smmu->evtq;

	if (!evtq->q.va)
		return 0;

	if (smmu_hwq_cr0_is_acked(smmu, CR0_EVTQEN) &&
	    smmu_hwq_cr0_is_set(smmu, CR0_EVTQEN))
		smmu_hwq_write_cr0(smmu, CR0_EVTQEN, 0);
	if (smmu_hwq_cr0_is_set(smmu, CR0_EVTQEN) ||
	    !smmu_hwq_cr0_is_acked(smmu, CR0_EVTQEN))
		return -EAGAIN;

	evtq->prod = hyp_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_PROD);
	evtq->cons = hyp_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS);
	smmu_queue_unpin(&evtq->q);

	return 0;
}

/**
 * smmu_evtq_enable() - the host has enabled its event queue
 * @trap:	the trap
 *
 * If the hardware has not disabled the queue since the host did, then this is
 * the same queue: the host could not write EVTQ_BASE.
 *
 * Return: 0 if the host sees the queue enabled; -EAGAIN if the hardware has not
 * acknowledged a change: call again.
 */
int smmu_evtq_enable(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;
	struct smmu_evtq *evtq = &smmu->evtq;
	void __iomem *page1 = smmu->base + SMMU_PAGE1;

	if (!smmu_hwq_cr0_is_acked(smmu, CR0_EVTQEN))
		return -EAGAIN;
	if (smmu_hwq_cr0_is_set(smmu, CR0_EVTQEN))
		return 0;

	smmu_evtq_disable(smmu);
	if (smmu_queue_pin(&evtq->q, smmu->host.evtq_base, EVTQ_ENT_SIZE,
			   evtq_max_shift(smmu))) {
		smmu_gerror_raise(trap, GERROR_EVTQ_ABT_ERR);
		return 0;
	}

	hyp_writeq(evtq->q.base | FIELD_PREP(Q_BASE_LOG2SIZE, evtq->q.shift) |
		   (smmu->host.evtq_base & Q_BASE_RWA),
		   smmu->base + ARM_SMMU_EVTQ_BASE);
	hyp_writel(smmu_queue_index(evtq->q.shift, evtq->prod),
		   page1 + ARM_SMMU_EVTQ_PROD);
	hyp_writel(smmu_queue_index(evtq->q.shift, evtq->cons),
		   page1 + ARM_SMMU_EVTQ_CONS);
	if (smmu_hwq_write_cr0(smmu, CR0_EVTQEN, CR0_EVTQEN)) {
		smmu_queue_unpin(&evtq->q);
		return -EAGAIN;
	}

	return smmu_hwq_cr0_is_acked(smmu, CR0_EVTQEN) ? 0 : -EAGAIN;
}

/**
 * smmu_evtq_read_prod() - read EVTQ_PROD for the host
 * @trap:	the trap
 *
 * Return: the hardware's value while the queue is enabled; else the value that
 * the host wrote since, or the hardware's last one.
 */
u64 smmu_evtq_read_prod(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;
	u64 q_base = smmu->host.evtq_base;

	if (!smmu->evtq.q.va)
		return smmu_queue_index(smmu_queue_shift(q_base,
							 evtq_max_shift(smmu)),
					smmu->evtq.prod);

	return hyp_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_PROD);
}

/**
 * smmu_evtq_read_cons() - read EVTQ_CONS for the host
 * @trap:	the trap
 *
 * Return: as smmu_evtq_read_prod().
 */
u64 smmu_evtq_read_cons(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;

	if (!smmu->evtq.q.va)
		return smmu->evtq.cons;

	return hyp_readl(smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS);
}

/**
 * smmu_evtq_write_prod() - the host has written EVTQ_PROD
 * @trap:	the trap
 * @val:	the value
 *
 * The queue is disabled: the value is for the next enable.
 */
void smmu_evtq_write_prod(struct smmu_trap *trap, u64 val)
{
	trap->smmu->evtq.prod = val;
}

/* Does the record of the event say which stage it is about (section 7.3)? */
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

/*
 * Count the events of stage 2 that the host has consumed. The host's driver
 * consumes them one at a time. If there are more than the budget allows, EL2
 * looks at the first ones.
 */
static void evtq_count_denied(struct smmu_trap *trap, u32 from, u32 to)
{
	const struct smmu_host_queue *q = &trap->smmu->evtq.q;
	u32 entries = BIT(q->shift), n = (to - from) & (2 * entries - 1);

	if (n > entries)
		return;

	n = min(n, trap->budget);
	smmu_trap_spend(trap, n);
	for (; n; n--, from++) {
		const __le64 *ent =
			&q->va[(from & (entries - 1)) * EVTQ_ENT_DWORDS];
		u64 dword0 = hyp_host_read(&ent[0]);

		if (evt_is_translation(dword0) &&
		    hyp_host_read(&ent[1]) & EVTQ_1_S2)
			smmu_report(trap->smmu, PKVM_SMMU_DENIED_DMA, dword0,
				    hyp_host_read(&ent[2]));
	}
}

/**
 * smmu_evtq_write_cons() - the host has written EVTQ_CONS
 * @trap:	the trap
 * @val:	the value
 */
void smmu_evtq_write_cons(struct smmu_trap *trap, u64 val)
{
	struct pkvm_smmu *smmu = trap->smmu;

	if (!smmu->evtq.q.va) {
		smmu->evtq.cons = val;
		return;
	}

	evtq_count_denied(trap, smmu_evtq_read_cons(trap), val);
	hyp_writel(smmu_queue_index(smmu->evtq.q.shift, val),
		   smmu->base + SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS);
}
