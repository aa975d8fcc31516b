// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command queue that the host believes in.
 *
 * It is consumed while the host's write of CMDQ_PROD is trapped: each command is
 * copied out of the host's queue, checked and rewritten (cmd.c), and appended to
 * the hardware's queue. A CMD_SYNC of the host's is waited for there and then, so
 * CONS never runs ahead of what has completed.
 *
 * An illegal command stops the host's queue as the architecture says, and nothing
 * else: the hardware's queue never sees it. A queue whose memory isn't the host's
 * stops with CERROR_ABT. An index beyond the queue consumes nothing. If the
 * hardware doesn't answer, CONS stays where it is.
 *
 * One trap costs at most one full queue of the host's, and less if its commands
 * make EL2 read a lot of its tables: the rest, be it of one command, is consumed
 * when the host reads CMDQ_CONS, or puts in more. A host that looks in memory
 * for the completion of a CMD_SYNC sees it after one trap, unless the commands before
 * it need more work than SMMU_WORK_PER_TRAP, or the hardware takes longer than
 * SMMU_TRAP_US.
 *
 * If the host wants an interrupt for a CMD_SYNC, EL2 writes the MSI. The hardware raises
 * the wired interrupt, unless the host asked for an MSI and the hardware has none.
 *
 * All functions are called with emu_lock held. See section 3.5 and chapter 4 of
 * the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/kernel.h>

#include "smmu.h"

/**
 * struct cmdq_run - how far a look at the host's queue has come
 * @next:	index, with its wrap bit, of the next entry
 * @n:		how many of those before it are in smmu->batch
 * @left:	how many before @next the hardware had no time for: they stay in the queue
 */
struct cmdq_run {
	u32		next;
	unsigned int	n;
	unsigned int	left;
};

/**
 * smmu_cmdq_enable() - the host has enabled its command queue
 * @smmu:	the SMMU; emu_lock held
 */
void smmu_cmdq_enable(struct pkvm_smmu *smmu)
{
	/* Nothing is half done in a new queue */
	smmu->strtab.next = 0;
	/* If it can't be pinned then consuming from it reports so */
	smmu_queue_pin(&smmu->cmdq, smmu->host.cmdq_base, BIT(CMDQ_ENT_SZ_SHIFT),
		       FIELD_GET(IDR1_CMDQS, smmu->idr[1]));
	smmu_cmdq_consume(smmu);
}

/**
 * smmu_cmdq_disable() - the host has disabled its command queue
 * @smmu:	the SMMU; emu_lock held
 */
void smmu_cmdq_disable(struct pkvm_smmu *smmu)
{
	smmu_queue_unpin(&smmu->cmdq);
}

/* Where the host wants the MSI of a CMD_SYNC; 0 if it wants none */
static phys_addr_t cmdq_msi_addr(const struct arm_smmu_cmd *sync)
{
	return sync->data[1] & CMDQ_SYNC_1_MSIADDR_MASK;
}

static bool cmdq_wants_irq(const struct arm_smmu_cmd *sync)
{
	return FIELD_GET(CMDQ_SYNC_0_CS, sync->data[0]) == CMDQ_SYNC_0_CS_IRQ;
}

/*
 * Without an address the hardware writes no MSI, but raises the wired interrupt
 * (section 4.7.3). Where EL2 alone can write MSIs, and the host wants one, the wire is
 * left alone: the host may share it with other interrupts.
 */
static bool cmdq_wants_wire(const struct pkvm_smmu *smmu, const struct arm_smmu_cmd *sync)
{
	return cmdq_wants_irq(sync) && (smmu->msis || !cmdq_msi_addr(sync));
}

/*
 * The MSI of a CMD_SYNC that has completed goes to memory that the host owns: a page of its
 * queue, which is pinned, or any other page. Else it aborts.
 */
static void cmdq_write_msi(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *sync)
{
	phys_addr_t addr = cmdq_msi_addr(sync);
	u32 data = FIELD_GET(CMDQ_SYNC_0_MSIDATA, sync->data[0]);
	struct smmu_host_queue *q = &smmu->cmdq;

	if (!(smmu->idr[0] & IDR0_MSI) || !cmdq_wants_irq(sync) || !addr)
		return;

	if (addr >= ALIGN_DOWN(q->base, PAGE_SIZE) && addr < ALIGN(q->base + q->size, PAGE_SIZE)) {
		hal_host_write((void *)q->va + (s64)(addr - q->base), data);
	} else if (hal_host_put(addr, data)) {
		smmu_report(smmu, PKVM_SMMU_FAILED_IRQ, ARM_SMMU_CMDQ_CONS, addr);
		smmu_gerror_raise(smmu, GERROR_MSI_CMDQ_ABT_ERR);
	}
}

/* Returns false if the hardware doesn't answer */
static bool cmdq_flush(struct pkvm_smmu *smmu, struct cmdq_run *run, bool sync)
{
	if (run->n)
		run->left = smmu_hwq_forward(smmu, smmu->batch, run->n, sync);
	run->n = 0;

	return !run->left;
}

/* Returns false if the queue can't go on */
static bool cmdq_run_one(struct pkvm_smmu *smmu, struct cmdq_run *run, u32 pos_mask)
{
	const __le64 *ent = &smmu->cmdq.va[(run->next & (pos_mask >> 1)) * CMDQ_ENT_DWORDS];
	u32 next = (run->next + 1) & pos_mask;
	struct smmu_sid_range sids;
	struct arm_smmu_cmd host;

	/* From here on only the copy */
	host.data[0] = hal_host_read(&ent[0]);
	host.data[1] = hal_host_read(&ent[1]);

	switch (smmu_cmd_from_host(&smmu->feat, &host, &smmu->batch[run->n], &sids)) {
	case SMMU_CMD_STES:
		if (!smmu_strtab_refresh(smmu, &sids))
			return false;
		fallthrough;
	case SMMU_CMD_FORWARD:
		run->next = next;
		return ++run->n < SMMU_CMD_BATCH || cmdq_flush(smmu, run, false);
	case SMMU_CMD_SYNC:
		if (cmdq_wants_wire(smmu, &host))
			smmu->batch[run->n].data[0] |=
				FIELD_PREP(CMDQ_SYNC_0_CS, CMDQ_SYNC_0_CS_IRQ);
		run->n++;
		run->next = next;
		if (!cmdq_flush(smmu, run, true))
			return false;
		cmdq_write_msi(smmu, &host);
		return true;
	case SMMU_CMD_DROP:
		if (!cmdq_flush(smmu, run, false))
			return false;
		run->next = next;
		return true;
	case SMMU_CMD_ILLEGAL:
		break;
	}

	/* CONS is to stop here, not at one before it */
	if (!cmdq_flush(smmu, run, false))
		return false;

	smmu_report(smmu, PKVM_SMMU_DENIED_CMD, host.data[0], host.data[1]);
	smmu_cmdq_error(smmu, CMDQ_ERR_CERROR_ILL_IDX);
	return false;
}

/*
 * The clock matters only after commands went to the hardware: nothing else here takes
 * long. @cons: where this trap began.
 */
static bool cmdq_has_time(struct pkvm_smmu *smmu, const struct cmdq_run *run, u32 cons)
{
	return run->n || run->next == cons || !smmu_trap_is_over(smmu);
}

/**
 * smmu_cmdq_consume() - run what the host has put into its queue
 * @smmu:	the SMMU; emu_lock held
 */
void smmu_cmdq_consume(struct pkvm_smmu *smmu)
{
	struct smmu_host_queue *q = &smmu->cmdq;
	u32 entries = BIT(q->shift), pos_mask = 2 * entries - 1;
	u32 cons = q->cons & pos_mask, prod = q->prod & pos_mask;
	struct cmdq_run run = { .next = cons };

	if (!(smmu->host.cr0 & CR0_CMDQEN) || smmu_cmdq_stopped(smmu) || cons == prod)
		return;

	if (!q->va) {
		smmu_cmdq_error(smmu, CMDQ_ERR_CERROR_ABT_IDX);
		return;
	}

	if (((prod - cons) & pos_mask) > entries)
		return;

	/* There are no more than a queue of them, whatever the budget for tables is */
	while (run.next != prod && cmdq_has_time(smmu, &run, cons) &&
	       cmdq_run_one(smmu, &run, pos_mask))
		;
	cmdq_flush(smmu, &run, false);

	run.next = (run.next - run.left) & pos_mask;
	smmu_count(smmu, PKVM_SMMU_CMDS, (run.next - cons) & pos_mask);
	q->cons = (q->cons & CMDQ_CONS_ERR) | run.next;
}

/**
 * smmu_cmdq_cons() - CMDQ_CONS as the host reads it
 * @smmu:	the SMMU; emu_lock held
 *
 * Return: the register.
 */
u32 smmu_cmdq_cons(struct pkvm_smmu *smmu)
{
	u8 shift = smmu_queue_shift(smmu->host.cmdq_base, FIELD_GET(IDR1_CMDQS, smmu->idr[1]));

	return smmu->cmdq.cons & (CMDQ_CONS_ERR | (BIT(shift + 1) - 1));
}
