// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's command queue.
 *
 * - EL2 consumes the queue when the host writes CMDQ_PROD, when it reads
 *   CMDQ_CONS and when it acknowledges an error. It copies each command, checks
 *   and rewrites the copy (cmd.c), and adds it to the hardware's queue (hwq.c).
 * - EL2 waits for the completion of a CMD_SYNC before it consumes more. The
 *   host never sees CONS after a command that has not completed.
 * - An illegal command stops the host's queue with CERROR_ILL. The hardware
 *   never gets it. A queue whose pages the host does not own stops with
 *   CERROR_ABT.
 * - If PROD is further ahead of CONS than the queue is long, EL2 consumes
 *   nothing.
 * - If the hardware times out, CONS stays at the first command that has to be
 *   repeated.
 * - A trap consumes at most one full queue, and less if its commands need more
 *   work than SMMU_WORK_PER_TRAP. The next read of CMDQ_CONS continues, also in
 *   the middle of a command.
 * - If the host polls memory for the MSI of a CMD_SYNC, one trap is enough,
 *   unless the commands before it need more work, or the hardware needs more
 *   time, than one trap has.
 * - If the host asks for an interrupt with a CMD_SYNC, EL2 writes the MSI, to
 *   memory that the host owns. The hardware raises the wired interrupt, unless
 *   the host asks for an MSI and the hardware has none.
 *
 * The emu_lock is held. See section 3.5 and chapter 4 of the SMMUv3
 * architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/kernel.h>

#include "cmd.h"
#include "cmdq.h"
#include "gerror.h"
#include "report.h"
#include "smmu.h"
#include "strtab.h"
#include "trap.h"

/* Commands that EL2 adds to the hardware's queue at a time */
#define CMDQ_BATCH		16

/**
 * struct cmdq_run - how far a trap has consumed the host's queue
 * @next:	index of the next entry, with its wrap bit
 * @n:		number of commands in @batch; they are before @next
 * @left:	number of commands before @next that the hardware has not taken
 * @batch:	rewritten commands
 */
struct cmdq_run {
	u32			next;
	unsigned int		n;
	unsigned int		left;
	struct arm_smmu_cmd	batch[CMDQ_BATCH];
};

/* Where the host wants the MSI of a CMD_SYNC; 0 means no MSI */
static phys_addr_t cmdq_msi_addr(const struct arm_smmu_cmd *sync)
{
	return sync->data[1] & CMDQ_SYNC_1_MSIADDR_MASK;
}

static bool cmdq_wants_irq(const struct arm_smmu_cmd *sync)
{
	return FIELD_GET(CMDQ_SYNC_0_CS, sync->data[0]) == CMDQ_SYNC_0_CS_IRQ;
}

/*
 * Without an address the hardware raises the wired interrupt (section 4.7.3).
 * If the hardware has no MSIs and the host asks for one, EL2 writes the MSI,
 * and the hardware must not raise the wire as well: the host may share it.
 */
static bool cmdq_wants_wire(const struct pkvm_smmu *smmu,
			    const struct arm_smmu_cmd *sync)
{
	return cmdq_wants_irq(sync) && (smmu->msis || !cmdq_msi_addr(sync));
}

/*
 * The CMD_SYNC has completed. Pages of the queue are pinned, and EL2's to write
 */
static void cmdq_write_msi(struct smmu_trap *trap,
			   const struct arm_smmu_cmd *sync)
{
	phys_addr_t addr = cmdq_msi_addr(sync);
	u32 data = FIELD_GET(CMDQ_SYNC_0_MSIDATA, sync->data[0]);
	struct pkvm_smmu *smmu = trap->smmu;
	struct smmu_host_queue *q = &smmu->cmdq.q;

	if (!(smmu->idr[0] & IDR0_MSI) || !cmdq_wants_irq(sync) || !addr)
		return;

	if (addr >= ALIGN_DOWN(q->base, PAGE_SIZE) &&
	    addr < ALIGN(q->base + q->size, PAGE_SIZE)) {
		hyp_host_write((void *)q->va + (s64)(addr - q->base), data);
	} else if (hyp_host_put(addr, data)) {
		smmu_report(smmu, PKVM_SMMU_FAILED_IRQ, ARM_SMMU_CMDQ_CONS,
			    addr);
		smmu_gerror_raise(trap, GERROR_MSI_CMDQ_ABT_ERR);
	}
}

/* Is there an error that the host has not acknowledged? */
static bool cmdq_is_stopped(const struct pkvm_smmu *smmu)
{
	return smmu->gerror.active & GERROR_CMDQ_ERR;
}

/* CONS stays at the command that has the error */
static void cmdq_stop(struct smmu_trap *trap, u32 cerror)
{
	struct smmu_cmdq *cmdq = &trap->smmu->cmdq;

	cmdq->cons &= ~CMDQ_CONS_ERR;
	cmdq->cons |= FIELD_PREP(CMDQ_CONS_ERR, cerror);
	smmu_gerror_raise(trap, GERROR_CMDQ_ERR);
}

/* Give the batch to the hardware. Returns false if the hardware times out */
static bool cmdq_flush(struct smmu_trap *trap, struct cmdq_run *run)
{
	struct smmu_ticket ticket;

	if (run->n)
		run->left = run->n - smmu_hwq_submit(trap->smmu, run->batch,
						     run->n, &ticket,
						     &trap->clock);
	run->n = 0;

	return !run->left;
}

/* As cmdq_flush(). The last command is a CMD_SYNC: wait for it */
static bool cmdq_flush_sync(struct smmu_trap *trap, struct cmdq_run *run)
{
	run->left = smmu_hwq_forward_sync(trap->smmu, run->batch, run->n,
					  &trap->clock);
	run->n = 0;

	return !run->left;
}

/* Consume one command. Returns false if the queue cannot continue */
static bool cmdq_run_one(struct smmu_trap *trap, struct cmdq_run *run,
			 u32 pos_mask)
{
	struct pkvm_smmu *smmu = trap->smmu;
	const __le64 *ent = &smmu->cmdq.q.va[(run->next & (pos_mask >> 1)) *
					     CMDQ_ENT_DWORDS];
	u32 next = (run->next + 1) & pos_mask;
	struct smmu_sid_range sids;
	struct arm_smmu_cmd host;

	/* The host can change the entry: use only the copy from here on */
	host.data[0] = hyp_host_read(&ent[0]);
	host.data[1] = hyp_host_read(&ent[1]);

	switch (smmu_cmd_from_host(&smmu->feat, &host, &run->batch[run->n],
				   &sids)) {
	case SMMU_CMD_STES:
		if (!smmu_strtab_shadow(trap, &sids))
			return false;
		fallthrough;
	case SMMU_CMD_FORWARD:
		run->next = next;
		return ++run->n < CMDQ_BATCH || cmdq_flush(trap, run);
	case SMMU_CMD_SYNC:
		if (cmdq_wants_wire(smmu, &host))
			run->batch[run->n].data[0] |=
				FIELD_PREP(CMDQ_SYNC_0_CS, CMDQ_SYNC_0_CS_IRQ);
		run->n++;
		run->next = next;
		if (!cmdq_flush_sync(trap, run))
			return false;
		cmdq_write_msi(trap, &host);
		return true;
	case SMMU_CMD_DROP:
		if (!cmdq_flush(trap, run))
			return false;
		run->next = next;
		return true;
	case SMMU_CMD_ILLEGAL:
		break;
	}

	/* If the batch has to be repeated, CONS stops before this command */
	if (!cmdq_flush(trap, run))
		return false;

	smmu_report(smmu, PKVM_SMMU_DENIED_CMD, host.data[0], host.data[1]);
	cmdq_stop(trap, CMDQ_ERR_CERROR_ILL_IDX);
	return false;
}

/*
 * Only a flush can take long: read the clock after one, before the next command
 */
static bool cmdq_has_time(struct smmu_trap *trap, const struct cmdq_run *run,
			  u32 first)
{
	return run->n || run->next == first ||
	       !smmu_clock_is_over(&trap->clock);
}

/**
 * smmu_cmdq_consume() - consume the commands that the host has added
 * @trap:	the trap
 */
void smmu_cmdq_consume(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;
	struct smmu_cmdq *cmdq = &smmu->cmdq;
	u32 entries = BIT(cmdq->q.shift), pos_mask = 2 * entries - 1;
	u32 cons = cmdq->cons & pos_mask, prod = cmdq->prod & pos_mask;
	struct cmdq_run run __uninitialized;

	if (!(smmu->host.cr0 & CR0_CMDQEN) || cmdq_is_stopped(smmu) ||
	    cons == prod)
		return;

	if (!cmdq->q.va) {
		cmdq_stop(trap, CMDQ_ERR_CERROR_ABT_IDX);
		return;
	}

	if (((prod - cons) & pos_mask) > entries)
		return;

	run.next = cons;
	run.n = 0;
	run.left = 0;
	/* The host has added at most one full queue, whatever budget is left */
	while (run.next != prod && cmdq_has_time(trap, &run, cons) &&
	       cmdq_run_one(trap, &run, pos_mask))
		;
	cmdq_flush(trap, &run);

	run.next = (run.next - run.left) & pos_mask;
	smmu_count(smmu, PKVM_SMMU_CMDS, (run.next - cons) & pos_mask);
	cmdq->cons = (cmdq->cons & CMDQ_CONS_ERR) | run.next;
}

/**
 * smmu_cmdq_write_prod() - the host has written CMDQ_PROD
 * @trap:	the trap
 * @val:	the value
 */
void smmu_cmdq_write_prod(struct smmu_trap *trap, u64 val)
{
	trap->smmu->cmdq.prod = val;
	smmu_cmdq_consume(trap);
}

/**
 * smmu_cmdq_write_cons() - the host has written CMDQ_CONS
 * @trap:	the trap
 * @val:	the value
 *
 * The queue is disabled.
 */
void smmu_cmdq_write_cons(struct smmu_trap *trap, u64 val)
{
	trap->smmu->cmdq.cons = val;
}

/**
 * smmu_cmdq_read_cons() - read CMDQ_CONS for the host
 * @trap:	the trap
 *
 * Consumes the queue first.
 *
 * Return: the register.
 */
u64 smmu_cmdq_read_cons(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;
	u8 shift = smmu_queue_shift(smmu->host.cmdq_base,
				    FIELD_GET(IDR1_CMDQS, smmu->idr[1]));

	smmu_cmdq_consume(trap);

	return smmu->cmdq.cons & (CMDQ_CONS_ERR | (BIT(shift + 1) - 1));
}

/**
 * smmu_cmdq_enable() - the host has enabled its command queue
 * @trap:	the trap
 *
 * If the pages cannot be pinned, the first command is an error.
 */
void smmu_cmdq_enable(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;

	/* The queue is a new one: no command of it has begun */
	smmu_strtab_restart(smmu);
	smmu_queue_pin(&smmu->cmdq.q, smmu->host.cmdq_base,
		       BIT(CMDQ_ENT_SZ_SHIFT),
		       FIELD_GET(IDR1_CMDQS, smmu->idr[1]));
	smmu_cmdq_consume(trap);
}

/**
 * smmu_cmdq_disable() - the host has disabled its command queue
 * @smmu:	the SMMU
 */
void smmu_cmdq_disable(struct pkvm_smmu *smmu)
{
	smmu_queue_unpin(&smmu->cmdq.q);
}
