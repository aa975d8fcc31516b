// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware's command queue, and waiting for the hardware.
 *
 * The queue is EL2's and is never off while streams can pass, so that an
 * invalidation of EL2's can't be withheld. Commands of the host's go into it
 * after cmd.c has passed them. Every wait is bounded.
 *
 * If the hardware calls a command illegal, EL2 puts a CMD_SYNC in its place and
 * goes on: the host can't stop the queue. It may get an interrupt for that, with
 * no error to be seen. EL2's own commands must not be lost that way, so
 * smmu_hwq_run() fails if anything was replaced meanwhile. If the hardware can't
 * be made to go on, the queue is broken for good.
 *
 * If it is merely late, with one command or with all that the host has put into the
 * queue, it is waited for once, and tried again when it has caught up. Till then
 * every call fails at once, so pages stay with who has them.
 *
 * See "Command queue errors" in the SMMUv3 architecture (Arm IHI 0070),
 * section 7.1.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

/* Reserved: calls for CERROR_ILL */
#define CMD_OP_RESERVED		0

#define HWQ_ENTRIES(q)		(1U << (q)->shift)
/* An index with its wrap bit */
#define HWQ_POS(q, p)		((p) & (q)->pos_mask)

/**
 * smmu_hw_wait() - wait until a register has a value
 * @smmu:	the SMMU
 * @reg:	offset of a 32-bit register
 * @mask:	the bits to look at
 * @val:	what they are to be
 *
 * Return: 0, or -ETIMEDOUT.
 */
int smmu_hw_wait(struct pkvm_smmu *smmu, u32 reg, u32 mask, u32 val)
{
	u64 deadline = smmu_deadline(), now;

	/* Time first: the last look is after the end */
	do {
		now = hal_now();
		if ((hal_readl(smmu->base + reg) & mask) == val)
			return 0;
		hal_relax();
	} while (!smmu_is_over(deadline, now));

	return -ETIMEDOUT;
}

static void hwq_write(struct smmu_hwq *q, u32 pos, const struct arm_smmu_cmd *cmd)
{
	__le64 *ent = &q->base[(pos & (q->pos_mask >> 1)) * CMDQ_ENT_DWORDS];

	WRITE_ONCE(ent[0], cpu_to_le64(cmd->data[0]));
	WRITE_ONCE(ent[1], cpu_to_le64(cmd->data[1]));
	hal_clean(ent, sizeof(cmd->data));
}

/* The hardware has stopped at a command: replace it and let it go on */
static int hwq_recover(struct pkvm_smmu *smmu, u32 cons)
{
	struct arm_smmu_cmd sync = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	u32 gerrorn;

	if (FIELD_GET(CMDQ_CONS_ERR, cons) != CMDQ_ERR_CERROR_ILL_IDX)
		return -EIO;

	hwq_write(&smmu->hwq, cons, &sync);
	smmu->hwq.skipped++;
	hal_wmb();
	gerrorn = hal_readl(smmu->base + ARM_SMMU_GERRORN);
	hal_writel(gerrorn ^ GERROR_CMDQ_ERR, smmu->base + ARM_SMMU_GERRORN);

	return 0;
}

static void hwq_kick(struct pkvm_smmu *smmu)
{
	hal_wmb();
	hal_writel(smmu->hwq.prod, smmu->base + ARM_SMMU_CMDQ_PROD);
}

/* How many commands have not been consumed? */
static u32 hwq_pending(struct pkvm_smmu *smmu)
{
	struct smmu_hwq *q = &smmu->hwq;

	q->cons = HWQ_POS(q, hal_readl(smmu->base + ARM_SMMU_CMDQ_CONS));

	return HWQ_POS(q, q->prod - q->cons);
}

/* If the hardware has stopped then let it go on */
static void hwq_check_error(struct pkvm_smmu *smmu)
{
	u32 err = hal_readl(smmu->base + ARM_SMMU_GERROR) ^
		  hal_readl(smmu->base + ARM_SMMU_GERRORN);

	/* CONS.ERR is valid only now */
	if (err & GERROR_CMDQ_ERR &&
	    hwq_recover(smmu, hal_readl(smmu->base + ARM_SMMU_CMDQ_CONS)))
		smmu->hwq.broken = true;
}

static bool hwq_is_done(struct pkvm_smmu *smmu, u32 pending)
{
	if (hwq_pending(smmu) > pending)
		return false;

	hal_rmb();
	return true;
}

static int hwq_wait_long(struct pkvm_smmu *smmu, u32 pending, u64 *deadline)
{
	struct smmu_hwq *q = &smmu->hwq;
	bool had_time;
	u64 now;

	if (!*deadline)
		*deadline = smmu_deadline();
	had_time = !smmu_is_over(*deadline, hal_now());
	while (!q->broken && !q->late) {
		/* Time first: the last look is after the end */
		now = hal_now();
		if (hwq_is_done(smmu, pending))
			return 0;

		hwq_check_error(smmu);
		/* It isn't late if others have taken all the time */
		if (!had_time)
			break;
		q->late = smmu_is_over(*deadline, now);
		hal_relax();
	}

	return -EIO;
}

/*
 * Wait until at most @pending commands have not been consumed. A *@deadline of 0 becomes
 * that of a wait that begins now.
 */
static inline int hwq_wait(struct pkvm_smmu *smmu, u32 pending, u64 *deadline)
{
	/* Mostly there is nothing to wait for, and what time it is doesn't matter */
	return hwq_is_done(smmu, pending) ? 0 : hwq_wait_long(smmu, pending, deadline);
}

/* Whoever was waiting when it was late has given up, so it may have caught up since */
static bool hwq_is_still_late(struct pkvm_smmu *smmu)
{
	smmu->hwq.late = hwq_pending(smmu) != 0;
	if (smmu->hwq.late)
		hwq_check_error(smmu);

	return smmu->hwq.late;
}

static inline bool hwq_is_usable(struct pkvm_smmu *smmu)
{
	return !(smmu->hwq.late && hwq_is_still_late(smmu)) && !smmu->hwq.broken;
}

/*
 * How many commands there is room for, by what is known of the hardware's progress. None if
 * it claims to have more to do than there are entries.
 */
static u32 hwq_room(const struct smmu_hwq *q, u32 prod)
{
	u32 pending = HWQ_POS(q, prod - q->cons);

	return pending < HWQ_ENTRIES(q) ? HWQ_ENTRIES(q) - pending : 0;
}

/*
 * Returns how many have been appended: all of them, unless the hardware doesn't answer.
 * Always inline for smmu_hwq_forward()'s sake, which is part of every CMD_SYNC of the host's.
 */
static __always_inline unsigned int
hwq_append(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds, unsigned int n,
	   u64 *deadline)
{
	struct smmu_hwq *q = &smmu->hwq;
	u32 prod = q->prod, room;
	unsigned int i;

	if (!hwq_is_usable(smmu))
		return 0;

	room = hwq_room(q, prod);
	for (i = 0; i < n; i++, room--) {
		if (!room) {
			WRITE_ONCE(q->prod, prod);
			hwq_kick(smmu);
			/* Half of it, or each command of a full queue would be waited for */
			if (hwq_wait(smmu, HWQ_ENTRIES(q) / 2, deadline))
				break;
			room = hwq_room(q, prod);
		}
		hwq_write(q, prod, &cmds[i]);
		prod = HWQ_POS(q, prod + 1);
	}
	WRITE_ONCE(q->prod, prod);
	WRITE_ONCE(q->added, q->added + i);

	return i;
}

/* Commands and a CMD_SYNC behind them; waits for both */
static int hwq_run_synced(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
			  unsigned int n, u64 *deadline)
{
	struct arm_smmu_cmd sync = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	bool all;

	all = hwq_append(smmu, cmds, n, deadline) == n &&
	      hwq_append(smmu, &sync, 1, deadline);
	hwq_kick(smmu);

	return all ? hwq_wait(smmu, 0, deadline) : -EIO;
}

/* What was replaced meanwhile may have been one of them, or not */
static int hwq_run_locked(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
			  unsigned int n, u64 *deadline)
{
	u32 skipped = smmu->hwq.skipped;
	int ret;

	ret = hwq_run_synced(smmu, cmds, n, deadline);
	if (!ret && smmu->hwq.skipped != skipped)
		ret = -EIO;

	return ret;
}

/**
 * smmu_hwq_forward() - run commands of the host's
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 * @cmds:	ones that may run
 * @n:		how many
 * @sync:	the last one is a CMD_SYNC; wait for it
 *
 * The first wait of a trap starts the trap's clock.
 *
 * Return: how many of the last ones have to be tried again; 0 unless the hardware doesn't
 * answer.
 */
unsigned int smmu_hwq_forward(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
			      unsigned int n, bool sync)
{
	u64 deadline = 0;

	hal_lock(&smmu->hw_lock);
	n -= hwq_append(smmu, cmds, n, &deadline);
	hwq_kick(smmu);
	if (!n && sync && hwq_wait(smmu, 0, &deadline))
		n = 1;
	hal_unlock(&smmu->hw_lock);

	if (!smmu->deadline)
		smmu->deadline = deadline;

	return n;
}

/**
 * smmu_hwq_run() - run commands of EL2's and wait for their completion
 * @smmu:	the SMMU; takes its hw_lock
 * @cmds:	the commands
 * @n:		how many
 *
 * Return: 0 if they are sure to have completed; else -EIO.
 */
int smmu_hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds, unsigned int n)
{
	u64 deadline = 0;
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = hwq_run_locked(smmu, cmds, n, &deadline);
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_hwq_start() - run commands of EL2's
 * @smmu:	the SMMU; hw_lock held
 * @cmds:	the commands, the last of them a CMD_SYNC
 * @n:		how many
 * @deadline:	when all waits are to end; if 0, the first wait sets it to smmu_deadline()
 *
 * To be followed by smmu_hwq_finish(), so that several SMMUs can be at it.
 *
 * Return: 0, or -EIO, and then there is nothing to finish.
 */
int smmu_hwq_start(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds, unsigned int n,
		   u64 *deadline)
{
	bool all;

	smmu->hwq.started = smmu->hwq.skipped;
	all = hwq_append(smmu, cmds, n, deadline) == n;
	hwq_kick(smmu);

	return all ? 0 : -EIO;
}

/**
 * smmu_hwq_finish() - wait for what smmu_hwq_start() has begun
 * @smmu:	the SMMU; hw_lock held ever since
 * @again:	does what those commands do, should one of them have been lost
 * @deadline:	what smmu_hwq_start() was given
 *
 * Return: 0 if they are sure to have completed; else -EIO.
 */
int smmu_hwq_finish(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *again, u64 *deadline)
{
	int ret;

	ret = hwq_wait(smmu, 0, deadline);
	/* What was replaced may have been the host's. Now there is none in front */
	if (!ret && smmu->hwq.skipped != smmu->hwq.started)
		ret = hwq_run_locked(smmu, again, 1, deadline);

	return ret;
}

/**
 * smmu_hwq_raise_gerror() - have the SMMU signal its GERROR interrupt
 * @smmu:	the SMMU; takes its hw_lock
 *
 * The only way to have a wired interrupt raised is an error. An illegal command of
 * EL2's makes one, which is acknowledged before anyone else can use the queue.
 *
 * Return: 0 if it has been signalled; -EIO if the hardware doesn't answer.
 */
int smmu_hwq_raise_gerror(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_op(CMD_OP_RESERVED);
	u64 deadline = 0;
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = hwq_run_synced(smmu, &cmd, 1, &deadline);
	hal_unlock(&smmu->hw_lock);

	return ret;
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
