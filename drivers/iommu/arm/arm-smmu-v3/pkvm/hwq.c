// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware's command queue.
 *
 * - The queue is EL2's. It is enabled from take-over on, so the host can't
 *   withhold an invalidation.
 * - A caller submits commands and gets a ticket, with which it can wait for
 *   them. hw_lock is not held while EL2 waits for the hardware.
 * - Every wait ends with its caller's clock.
 * - If the hardware calls a command illegal, EL2 replaces the command by a
 *   CMD_SYNC and lets the queue go on: the host can't stop it. A ticket tells
 *   whether a command was replaced since.
 * - A wait that times out is remembered until the hardware has consumed all
 *   that was pending then. Meanwhile a wait that is no longer than that one
 *   fails at once.
 * - An SMMU is broken if it has an error that EL2 can't mend, or if an enable
 *   that EL2 has set is clear, as after a reset. It is not used again, every
 *   call fails with -EIO, and no page leaves the host.
 *
 * See sections 3.5, 6.3.9 and 7.1 of the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

/* Reserved: calls for CERROR_ILL */
#define CMD_OP_RESERVED		0

#define HWQ_ENTRIES(q)		(1U << (q)->shift)
/* An index with its wrap bit */
#define HWQ_POS(q, p)		((p) & (2 * HWQ_ENTRIES(q) - 1))

static __le64 *hwq_entry(struct smmu_hwq *q, u32 pos)
{
	return &q->base[(pos & (HWQ_ENTRIES(q) - 1)) * CMDQ_ENT_DWORDS];
}

static void hwq_write(__le64 *ent, const struct arm_smmu_cmd *cmd)
{
	WRITE_ONCE(ent[0], cpu_to_le64(cmd->data[0]));
	WRITE_ONCE(ent[1], cpu_to_le64(cmd->data[1]));
	hal_clean(ent, sizeof(cmd->data));
}

static noinline void hwq_break(struct pkvm_smmu *smmu, u32 reg)
{
	if (!smmu->hwq.broken)
		smmu_report(smmu, PKVM_SMMU_FAILED_BROKEN, reg,
			    hal_readl(smmu->base + reg));
	smmu->hwq.broken = true;
}

/*
 * A reset clears CR0. GBPA may then let streams bypass the SMMU, and CMDQ_CONS
 * says nothing about EL2's commands.
 */
static inline bool hwq_check_enabled(struct pkvm_smmu *smmu)
{
	u32 on = CR0_CMDQEN | (smmu->hwq.smmu_off ? 0 : CR0_SMMUEN);

	if ((hal_readl(smmu->base + ARM_SMMU_CR0ACK) & on) != on)
		hwq_break(smmu, ARM_SMMU_CR0ACK);

	return !smmu->hwq.broken;
}

/* The hardware has stopped at a command: replace it and let the queue go on */
static void hwq_recover(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd sync = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	u32 cons = hal_readl(smmu->base + ARM_SMMU_CMDQ_CONS), gerrorn;
	__le64 *ent = hwq_entry(&smmu->hwq, cons);
	u64 op = FIELD_GET(CMDQ_0_OP, le64_to_cpu(*ent));

	/* There is nothing else to put in the place of a CMD_SYNC */
	if (FIELD_GET(CMDQ_CONS_ERR, cons) != CMDQ_ERR_CERROR_ILL_IDX ||
	    op == CMDQ_OP_CMD_SYNC) {
		hwq_break(smmu, ARM_SMMU_CMDQ_CONS);
		return;
	}

	smmu->hwq.skipped++;
	hwq_write(ent, &sync);
	hal_wmb();
	gerrorn = hal_readl(smmu->base + ARM_SMMU_GERRORN);
	hal_writel(gerrorn ^ GERROR_CMDQ_ERR, smmu->base + ARM_SMMU_GERRORN);
}

static void hwq_check_error(struct pkvm_smmu *smmu)
{
	u32 err = hal_readl(smmu->base + ARM_SMMU_GERROR) ^
		  hal_readl(smmu->base + ARM_SMMU_GERRORN);

	/* CMDQ_CONS.ERR is valid only now */
	if (hwq_check_enabled(smmu) && err & GERROR_CMDQ_ERR)
		hwq_recover(smmu);
}

/* How many commands has the hardware not consumed? */
static u32 hwq_pending(struct pkvm_smmu *smmu)
{
	struct smmu_hwq *q = &smmu->hwq;

	q->cons = HWQ_POS(q, hal_readl(smmu->base + ARM_SMMU_CMDQ_CONS));

	return HWQ_POS(q, q->prod - q->cons);
}

/* Has the hardware consumed all commands before @end? */
static bool hwq_has_passed(struct pkvm_smmu *smmu, u32 end)
{
	u32 consumed = smmu->hwq.added - hwq_pending(smmu);

	return (s32)(consumed - end) >= 0;
}

/* CMDQ_CONS is believed only if the SMMU has been enabled all the time */
static bool hwq_is_done(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket)
{
	if (!hwq_has_passed(smmu, ticket->end) || !hwq_check_enabled(smmu))
		return false;

	hal_rmb();
	return true;
}

/*
 * How many commands there is room for, by what is known of the hardware's
 * progress. None if CMDQ_CONS claims more commands than there are entries.
 */
static u32 hwq_room(const struct smmu_hwq *q)
{
	u32 pending = HWQ_POS(q, q->prod - q->cons);

	return pending < HWQ_ENTRIES(q) ? HWQ_ENTRIES(q) - pending : 0;
}

static noinline void hwq_check_timed_out(struct pkvm_smmu *smmu)
{
	struct smmu_hwq *q = &smmu->hwq;

	if (hwq_has_passed(smmu, q->timed_out_at))
		q->timed_out = 0;
	else
		hwq_check_error(smmu);
}

/* Is it worth waiting for the hardware with this clock? */
static inline bool hwq_is_usable(struct pkvm_smmu *smmu,
				 const struct smmu_clock *clock)
{
	if (smmu->hwq.timed_out)
		hwq_check_timed_out(smmu);

	return !smmu->hwq.broken && smmu->hwq.timed_out < clock->limit;
}

/* Other CPUs get hw_lock for a moment. Returns false if the time is over */
static bool hwq_pause(struct pkvm_smmu *smmu, struct smmu_clock *clock)
{
	bool over;

	hal_unlock(&smmu->hw_lock);
	hal_relax();
	/* Read the clock first, so that CMDQ_CONS is read once more after the end */
	over = smmu_clock_is_over(clock);
	hal_lock(&smmu->hw_lock);

	return !over;
}

static void hwq_time_out(struct pkvm_smmu *smmu, const struct smmu_clock *clock)
{
	struct smmu_hwq *q = &smmu->hwq;

	q->timed_out = max(q->timed_out, clock->limit);
	q->timed_out_at = q->added;
	smmu_report(smmu, PKVM_SMMU_FAILED_TIMEOUT, q->prod, q->cons);
}

static void hwq_kick(struct pkvm_smmu *smmu)
{
	hal_wmb();
	hal_writel(smmu->hwq.prod, smmu->base + ARM_SMMU_CMDQ_PROD);
}

/* Returns how many of the commands there was room for. Part of every trap */
static __always_inline unsigned int
hwq_append(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
	   unsigned int n)
{
	struct smmu_hwq *q = &smmu->hwq;
	u32 prod = q->prod, mask = HWQ_ENTRIES(q) - 1;
	__le64 *base = q->base;
	unsigned int i;

	n = min(n, hwq_room(q));
	for (i = 0; i < n; i++)
		hwq_write(&base[((prod + i) & mask) * CMDQ_ENT_DWORDS], &cmds[i]);
	q->prod = HWQ_POS(q, prod + n);
	WRITE_ONCE(q->added, q->added + n);
	if (n)
		hwq_kick(smmu);
	smmu_count(smmu, PKVM_SMMU_HW_CMDS, n);

	return n;
}

/* As hwq_append(), but waits for room */
static noinline unsigned int hwq_append_rest(struct pkvm_smmu *smmu,
					     const struct arm_smmu_cmd *cmds,
					     unsigned int n,
					     struct smmu_clock *clock)
{
	unsigned int i = 0;
	bool more = true;

	/* Another SMMU used up the time: do not record a timeout here */
	if (smmu_clock_is_over(clock))
		return 0;

	while (more && hwq_is_usable(smmu, clock)) {
		more = hwq_pause(smmu, clock);
		hwq_pending(smmu);
		hwq_check_error(smmu);
		i += hwq_append(smmu, &cmds[i], n - i);
		if (i == n)
			return n;
	}
	if (!more)
		hwq_time_out(smmu, clock);

	return i;
}

static __always_inline unsigned int
hwq_submit(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
	   unsigned int n, struct smmu_ticket *ticket, struct smmu_clock *clock)
{
	unsigned int i = 0;

	ticket->skipped = smmu->hwq.skipped;
	if (hwq_is_usable(smmu, clock)) {
		i = hwq_append(smmu, cmds, n);
		if (i < n)
			i += hwq_append_rest(smmu, &cmds[i], n - i, clock);
	}
	ticket->end = smmu->hwq.added;

	return i;
}

/**
 * smmu_hwq_submit() - put commands into the hardware's queue
 * @smmu:	the SMMU; hw_lock held, and released while the queue is full
 * @cmds:	the commands
 * @n:		how many
 * @ticket:	for smmu_hwq_wait()
 * @clock:	the caller's; runs from the first wait on
 *
 * Return: how many were put there; @n unless the hardware does not make room.
 */
unsigned int smmu_hwq_submit(struct pkvm_smmu *smmu,
			     const struct arm_smmu_cmd *cmds, unsigned int n,
			     struct smmu_ticket *ticket,
			     struct smmu_clock *clock)
{
	return hwq_submit(smmu, cmds, n, ticket, clock);
}

static noinline int hwq_wait_long(struct pkvm_smmu *smmu,
				  const struct smmu_ticket *ticket,
				  struct smmu_clock *clock)
{
	bool more = true;

	/* Another SMMU used up the time: do not record a timeout here */
	if (!smmu_clock_is_over(clock)) {
		hwq_check_error(smmu);
		while (more && hwq_is_usable(smmu, clock)) {
			more = hwq_pause(smmu, clock);
			if (hwq_is_done(smmu, ticket))
				return 0;
			hwq_check_error(smmu);
		}
		if (!more)
			hwq_time_out(smmu, clock);
	}

	return smmu->hwq.broken ? -EIO : -EAGAIN;
}

/**
 * smmu_hwq_wait() - wait until commands have been consumed
 * @smmu:	the SMMU; hw_lock held, and released while EL2 waits
 * @ticket:	of smmu_hwq_submit()
 * @clock:	the caller's; runs from the first wait on
 *
 * Return: 0; -EAGAIN if the time is over; -EIO if the SMMU is broken.
 */
int smmu_hwq_wait(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket,
		  struct smmu_clock *clock)
{
	/* Mostly there is nothing to wait for */
	return hwq_is_done(smmu, ticket) ? 0 : hwq_wait_long(smmu, ticket, clock);
}

/**
 * smmu_hwq_lost() - may the hardware have called one of the commands illegal?
 * @smmu:	the SMMU; hw_lock held
 * @ticket:	of smmu_hwq_submit(); smmu_hwq_wait() has returned 0
 *
 * Return: whether a command was replaced since @ticket was issued.
 */
bool smmu_hwq_lost(const struct pkvm_smmu *smmu, const struct smmu_ticket *ticket)
{
	return smmu->hwq.skipped != ticket->skipped;
}

/* Commands and a CMD_SYNC behind them */
static int hwq_run_synced(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
			  unsigned int n, struct smmu_ticket *ticket)
{
	struct arm_smmu_cmd sync = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	struct smmu_ticket last;

	if (smmu_hwq_submit(smmu, cmds, n, ticket, &smmu->clock) != n ||
	    !smmu_hwq_submit(smmu, &sync, 1, &last, &smmu->clock))
		return smmu->hwq.broken ? -EIO : -EAGAIN;

	return smmu_hwq_wait(smmu, &last, &smmu->clock);
}

/**
 * smmu_hwq_forward() - run commands of the host
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 * @cmds:	commands that cmd.c has checked
 * @n:		how many
 * @sync:	the last one is a CMD_SYNC; wait for it
 *
 * Return: how many of the last ones must be tried again; 0 unless the hardware
 * does not answer.
 */
unsigned int smmu_hwq_forward(struct pkvm_smmu *smmu,
			      const struct arm_smmu_cmd *cmds, unsigned int n,
			      bool sync)
{
	struct smmu_ticket ticket;

	hal_lock(&smmu->hw_lock);
	n -= hwq_submit(smmu, cmds, n, &ticket, &smmu->clock);
	if (!n && sync && !hwq_is_done(smmu, &ticket) &&
	    hwq_wait_long(smmu, &ticket, &smmu->clock))
		n = 1;
	hal_unlock(&smmu->hw_lock);

	return n;
}

/**
 * smmu_hwq_run() - run commands of EL2 and wait for their completion
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 * @cmds:	the commands
 * @n:		how many
 *
 * Return: 0 if all have completed; -EAGAIN if that is not sure; -EIO if the
 * SMMU is broken.
 */
int smmu_hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
		 unsigned int n)
{
	struct smmu_ticket ticket;
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = hwq_run_synced(smmu, cmds, n, &ticket);
	if (!ret && smmu_hwq_lost(smmu, &ticket))
		ret = -EAGAIN;
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_hwq_raise_gerror() - have the SMMU signal its GERROR interrupt
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 *
 * Only an error raises the interrupt. An illegal command of EL2 makes one, and
 * whoever waits for the queue next replaces the command.
 *
 * Return: 0 if it has been signalled; -EAGAIN or -EIO as for smmu_hwq_run().
 */
int smmu_hwq_raise_gerror(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_op(CMD_OP_RESERVED);
	struct smmu_ticket ticket;
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = hwq_run_synced(smmu, &cmd, 1, &ticket);
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_hwq_check() - is the SMMU as EL2 left it?
 * @smmu:	the SMMU; hw_lock held
 *
 * For a caller that has no command to wait for.
 *
 * Return: 0; -EIO if the SMMU is broken.
 */
int smmu_hwq_check(struct pkvm_smmu *smmu)
{
	if (!(hal_readl(smmu->base + ARM_SMMU_GBPA) & GBPA_ABORT))
		hwq_break(smmu, ARM_SMMU_GBPA);

	return hwq_check_enabled(smmu) ? 0 : -EIO;
}

/**
 * smmu_hwq_write_cr0() - write the hardware's CR0
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 * @cr0:	the register; CMDQEN is set
 *
 * A write after a reset would enable the SMMU again, with whatever table and queue it
 * has then, and hide the reset.
 *
 * Return: 0; -EIO if the SMMU is broken.
 */
int smmu_hwq_write_cr0(struct pkvm_smmu *smmu, u32 cr0)
{
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = smmu_hwq_check(smmu);
	if (!ret) {
		smmu->hw_cr0 = cr0;
		hal_writel(cr0, smmu->base + ARM_SMMU_CR0);
	}
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_hwq_set_smmu_off() - CR0.SMMUEN is about to be cleared, or is set again
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 * @off:	CR0ACK.SMMUEN may be 0: GBPA aborts all streams
 */
void smmu_hwq_set_smmu_off(struct pkvm_smmu *smmu, bool off)
{
	hal_lock(&smmu->hw_lock);
	smmu->hwq.smmu_off = off;
	hal_unlock(&smmu->hw_lock);
}

/**
 * smmu_hw_errors() - the hardware's errors that are active
 * @smmu:	the SMMU
 *
 * Return: bits of GERROR, but CMDQ_ERR, which is EL2's.
 */
u32 smmu_hw_errors(struct pkvm_smmu *smmu)
{
	u32 active = hal_readl(smmu->base + ARM_SMMU_GERROR) ^
		     hal_readl(smmu->base + ARM_SMMU_GERRORN);

	return active & GERROR_ERR_MASK & ~GERROR_CMDQ_ERR;
}

/**
 * smmu_hw_ack_errors() - acknowledge errors of the hardware's
 * @smmu:	the SMMU; takes its hw_lock
 * @acked:	bits of GERROR; of those, what smmu_hw_errors() returns is acknowledged
 */
void smmu_hw_ack_errors(struct pkvm_smmu *smmu, u32 acked)
{
	u32 gerrorn;

	hal_lock(&smmu->hw_lock);
	gerrorn = hal_readl(smmu->base + ARM_SMMU_GERRORN);
	gerrorn ^= acked & smmu_hw_errors(smmu);
	hal_writel(gerrorn, smmu->base + ARM_SMMU_GERRORN);
	hal_unlock(&smmu->hw_lock);
}
