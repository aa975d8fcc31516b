// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware's command queue, CR0 and GERRORN.
 *
 * - The queue is EL2's, and enabled from take-over on. The host cannot withhold
 *   an invalidation.
 * - A caller submits commands and gets a ticket. It waits with the ticket until
 *   the SMMU has consumed them. EL2 never holds hw_lock while it waits.
 * - Each wait ends with its caller's clock.
 * - If the SMMU reports an illegal command, EL2 replaces the command by a
 *   CMD_SYNC, and the queue continues. A ticket tells whether EL2 has replaced
 *   a command since.
 * - If a wait times out, later waits that are not longer fail at once, until
 *   the SMMU has consumed all commands that were pending then.
 * - EL2 marks the SMMU as broken if it has an error that EL2 cannot repair, or
 *   if an enable that EL2 has set is clear, as after a reset. Then every call
 *   fails with -EIO, and no page leaves the host.
 *
 * No function is called with a hw_lock held. See sections 3.5, 6.3.9 and 7.1 of
 * the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "report.h"
#include "smmu.h"
#include "trap.h"

/* Reserved: the SMMU reports CERROR_ILL */
#define CMD_OP_RESERVED		0

#define HWQ_ENTRIES(q)		(1U << (q)->shift)
/* An index with its wrap bit */
#define HWQ_POS(q, p)		((p) & (2 * HWQ_ENTRIES(q) - 1))

/* Enables that EL2 depends on */
#define HWQ_ENABLES		(CR0_SMMUEN | CR0_CMDQEN)

static __le64 *hwq_entry(struct smmu_hwq *q, u32 pos)
{
	return &q->base[(pos & (HWQ_ENTRIES(q) - 1)) * CMDQ_ENT_DWORDS];
}

static void hwq_write(__le64 *ent, const struct arm_smmu_cmd *cmd)
{
	WRITE_ONCE(ent[0], cpu_to_le64(cmd->data[0]));
	WRITE_ONCE(ent[1], cpu_to_le64(cmd->data[1]));
	hyp_clean(ent, sizeof(cmd->data));
}

static noinline void hwq_break(struct pkvm_smmu *smmu, u32 reg)
{
	if (!smmu->hwq.broken)
		smmu_report(smmu, PKVM_SMMU_FAILED_BROKEN, reg,
			    hyp_readl(smmu->base + reg));
	smmu->hwq.broken = true;
}

/*
 * A reset clears CR0. Then GBPA may let streams bypass the SMMU, and CMDQ_CONS
 * says nothing about EL2's commands.
 */
static bool hwq_check_enabled(struct pkvm_smmu *smmu)
{
	u32 ack = hyp_readl(smmu->base + ARM_SMMU_CR0ACK);
	struct smmu_hwq *q = &smmu->hwq;

	if (q->acked & ~ack)
		hwq_break(smmu, ARM_SMMU_CR0ACK);
	q->acked |= ack & q->cr0 & HWQ_ENABLES;

	return !q->broken;
}

static int hwq_check(struct pkvm_smmu *smmu)
{
	if (!(hyp_readl(smmu->base + ARM_SMMU_GBPA) & GBPA_ABORT))
		hwq_break(smmu, ARM_SMMU_GBPA);

	return hwq_check_enabled(smmu) ? 0 : -EIO;
}

/* The SMMU has stopped at a command: replace it and let the queue continue */
static void hwq_recover(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd sync = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	u32 cons = hyp_readl(smmu->base + ARM_SMMU_CMDQ_CONS), gerrorn;
	__le64 *ent = hwq_entry(&smmu->hwq, cons);
	u64 op = FIELD_GET(CMDQ_0_OP, le64_to_cpu(*ent));

	/* A CMD_SYNC of EL2 is legal, and nothing can replace it */
	if (FIELD_GET(CMDQ_CONS_ERR, cons) != CMDQ_ERR_CERROR_ILL_IDX ||
	    op == CMDQ_OP_CMD_SYNC) {
		hwq_break(smmu, ARM_SMMU_CMDQ_CONS);
		return;
	}

	smmu->hwq.skipped++;
	hwq_write(ent, &sync);
	hyp_wmb();
	gerrorn = hyp_readl(smmu->base + ARM_SMMU_GERRORN);
	hyp_writel(gerrorn ^ GERROR_CMDQ_ERR, smmu->base + ARM_SMMU_GERRORN);
}

static void hwq_check_error(struct pkvm_smmu *smmu)
{
	u32 err = hyp_readl(smmu->base + ARM_SMMU_GERROR) ^
		  hyp_readl(smmu->base + ARM_SMMU_GERRORN);

	/* CMDQ_CONS.ERR is only valid while this error is active */
	if (hwq_check_enabled(smmu) && err & GERROR_CMDQ_ERR)
		hwq_recover(smmu);
}

/* How many commands has the SMMU not consumed? */
static u32 hwq_pending(struct pkvm_smmu *smmu)
{
	struct smmu_hwq *q = &smmu->hwq;

	q->cons = HWQ_POS(q, hyp_readl(smmu->base + ARM_SMMU_CMDQ_CONS));

	return HWQ_POS(q, q->prod - q->cons);
}

/* Has the SMMU consumed all commands before @end? */
static bool hwq_has_passed(struct pkvm_smmu *smmu, u32 end)
{
	u32 consumed = smmu->hwq.added - hwq_pending(smmu);

	return (s32)(consumed - end) >= 0;
}

/* CMDQ_CONS is valid only if the SMMU has been enabled all the time */
static bool hwq_is_done(struct pkvm_smmu *smmu,
			const struct smmu_ticket *ticket)
{
	if (!hwq_has_passed(smmu, ticket->end) || !hwq_check_enabled(smmu))
		return false;

	hyp_rmb();
	return true;
}

/*
 * The number of free entries when EL2 last read CMDQ_CONS. None if CMDQ_CONS
 * claims more pending commands than there are entries.
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

/* May EL2 use the queue, and wait with this clock? */
static bool hwq_is_usable(struct pkvm_smmu *smmu,
			  const struct smmu_clock *clock)
{
	if (smmu->hwq.timed_out)
		hwq_check_timed_out(smmu);

	return !smmu->hwq.broken && smmu->hwq.timed_out < clock->limit;
}

/* Let other CPUs take hw_lock. Returns false if the time is over */
static bool hwq_pause(struct pkvm_smmu *smmu, const struct smmu_clock *clock)
{
	bool over;

	hyp_unlock(&smmu->hwq.lock);
	hyp_relax();
	/* The caller reads CMDQ_CONS once more after the time is over */
	over = smmu_clock_is_over(clock);
	hyp_lock(&smmu->hwq.lock);

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
	hyp_wmb();
	hyp_writel(smmu->hwq.prod, smmu->base + ARM_SMMU_CMDQ_PROD);
}

/* Returns how many of the commands there was room for */
static unsigned int hwq_append(struct pkvm_smmu *smmu,
			       const struct arm_smmu_cmd *cmds, unsigned int n)
{
	struct smmu_hwq *q = &smmu->hwq;
	unsigned int i;

	n = min(n, hwq_room(q));
	for (i = 0; i < n; i++)
		hwq_write(hwq_entry(q, q->prod + i), &cmds[i]);
	q->prod = HWQ_POS(q, q->prod + n);
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
					     const struct smmu_clock *clock)
{
	unsigned int i = 0;
	bool more = true;

	/* Another wait has used up the time: do not record a timeout here */
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

static unsigned int hwq_submit(struct pkvm_smmu *smmu,
			       const struct arm_smmu_cmd *cmds, unsigned int n,
			       struct smmu_ticket *ticket,
			       const struct smmu_clock *clock)
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

static noinline int hwq_wait_long(struct pkvm_smmu *smmu,
				  const struct smmu_ticket *ticket,
				  const struct smmu_clock *clock)
{
	bool more = true;

	/* Another wait has used up the time: do not record a timeout here */
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

static int hwq_wait(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket,
		    const struct smmu_clock *clock)
{
	/* The SMMU has usually consumed the commands by now */
	return hwq_is_done(smmu, ticket) ? 0 :
					   hwq_wait_long(smmu, ticket, clock);
}

/**
 * smmu_hwq_init() - set up the queue, before the SMMU is enabled
 * @smmu:	the SMMU
 * @base:	EL2's memory for the entries, zeroed
 * @shift:	log2 of the number of entries
 */
void smmu_hwq_init(struct pkvm_smmu *smmu, void *base, u8 shift)
{
	smmu->hwq.lock.rank = HYP_LOCK_INNER;
	smmu->hwq.base = base;
	smmu->hwq.shift = shift;
}

/**
 * smmu_hwq_submit() - add commands to the hardware's queue
 * @smmu:	the SMMU
 * @cmds:	the commands
 * @n:		number of commands
 * @ticket:	set, for smmu_hwq_wait()
 * @clock:	limits the wait for free entries
 *
 * Return: the number of commands that EL2 has added.
 */
unsigned int smmu_hwq_submit(struct pkvm_smmu *smmu,
			     const struct arm_smmu_cmd *cmds, unsigned int n,
			     struct smmu_ticket *ticket,
			     const struct smmu_clock *clock)
{
	hyp_lock(&smmu->hwq.lock);
	n = hwq_submit(smmu, cmds, n, ticket, clock);
	hyp_unlock(&smmu->hwq.lock);

	return n;
}

/**
 * smmu_hwq_wait() - wait until the SMMU has consumed commands
 * @smmu:	the SMMU
 * @ticket:	set by smmu_hwq_submit()
 * @clock:	limits the wait
 *
 * Return: 0; -EAGAIN if the time is over; -EIO if the SMMU is broken.
 */
int smmu_hwq_wait(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket,
		  const struct smmu_clock *clock)
{
	int ret;

	hyp_lock(&smmu->hwq.lock);
	ret = hwq_wait(smmu, ticket, clock);
	hyp_unlock(&smmu->hwq.lock);

	return ret;
}

/**
 * smmu_hwq_lost() - may EL2 have replaced one of the commands as illegal?
 * @smmu:	the SMMU
 * @ticket:	set by smmu_hwq_submit(); smmu_hwq_wait() has returned 0
 *
 * Return: true if EL2 has replaced any command since @ticket was set.
 */
bool smmu_hwq_lost(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket)
{
	return READ_ONCE(smmu->hwq.skipped) != ticket->skipped;
}

/* Commands and a CMD_SYNC after them */
static int hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
		   unsigned int n, struct smmu_ticket *ticket,
		   const struct smmu_clock *clock)
{
	struct arm_smmu_cmd sync = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	struct smmu_ticket last;

	if (hwq_submit(smmu, cmds, n, ticket, clock) != n ||
	    !hwq_submit(smmu, &sync, 1, &last, clock))
		return smmu->hwq.broken ? -EIO : -EAGAIN;

	return hwq_wait(smmu, &last, clock);
}

/**
 * smmu_hwq_run() - run commands of EL2 and wait for their completion
 * @smmu:	the SMMU
 * @cmds:	the commands, without a CMD_SYNC at the end
 * @n:		number of commands
 * @clock:	limits all waits
 *
 * Return: 0 if all have completed; -EAGAIN if some may not have; -EIO if the
 * SMMU is broken.
 */
int smmu_hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
		 unsigned int n, const struct smmu_clock *clock)
{
	struct smmu_ticket ticket;
	int ret;

	hyp_lock(&smmu->hwq.lock);
	ret = hwq_run(smmu, cmds, n, &ticket, clock);
	if (!ret && smmu_hwq_lost(smmu, &ticket))
		ret = -EAGAIN;
	hyp_unlock(&smmu->hwq.lock);

	return ret;
}

/**
 * smmu_hwq_forward_sync() - add commands of the host, and wait for a CMD_SYNC
 * @smmu:	the SMMU
 * @cmds:	the commands; the last one is a CMD_SYNC
 * @n:		number of commands
 * @clock:	limits all waits
 *
 * Return: how many of the last commands have to be repeated; 0 if the CMD_SYNC
 * has completed.
 */
unsigned int smmu_hwq_forward_sync(struct pkvm_smmu *smmu,
				   const struct arm_smmu_cmd *cmds,
				   unsigned int n,
				   const struct smmu_clock *clock)
{
	struct smmu_ticket ticket;

	hyp_lock(&smmu->hwq.lock);
	n -= hwq_submit(smmu, cmds, n, &ticket, clock);
	if (!n && hwq_wait(smmu, &ticket, clock))
		n = 1;
	hyp_unlock(&smmu->hwq.lock);

	return n;
}

/**
 * smmu_hwq_check() - is the SMMU as EL2 left it?
 * @smmu:	the SMMU
 *
 * For a caller that has no command to wait for.
 *
 * Return: 0; -EIO if the SMMU is broken.
 */
int smmu_hwq_check(struct pkvm_smmu *smmu)
{
	int ret;

	hyp_lock(&smmu->hwq.lock);
	ret = hwq_check(smmu);
	hyp_unlock(&smmu->hwq.lock);

	return ret;
}

/**
 * smmu_hwq_write_cr0() - change the hardware's CR0
 * @smmu:	the SMMU; emu_lock held, or at init
 * @bits:	the bits to change; the SMMU has acknowledged their last change
 *		(section 6.3.9)
 * @val:	their new values
 *
 * If the SMMU was reset, a write would enable it again, with an arbitrary table
 * and queue, and would hide the reset. Then EL2 does not write.
 *
 * Return: 0; -EIO if the SMMU is broken.
 */
int smmu_hwq_write_cr0(struct pkvm_smmu *smmu, u32 bits, u32 val)
{
	struct smmu_hwq *q = &smmu->hwq;
	int ret;

	hyp_lock(&q->lock);
	ret = hwq_check(smmu);
	if (!ret) {
		q->cr0 = (q->cr0 & ~bits) | val;
		q->acked &= q->cr0;
		hyp_writel(q->cr0, smmu->base + ARM_SMMU_CR0);
	}
	hyp_unlock(&q->lock);

	return ret;
}

/**
 * smmu_hwq_cr0_is_set() - has EL2 set an enable of the hardware's CR0?
 * @smmu:	the SMMU; emu_lock held, or at init
 * @bit:	the enable
 */
bool smmu_hwq_cr0_is_set(struct pkvm_smmu *smmu, u32 bit)
{
	return smmu->hwq.cr0 & bit;
}

/**
 * smmu_hwq_cr0_is_acked() - has the SMMU acknowledged an enable, or its
 * clearing?
 * @smmu:	the SMMU; emu_lock held, or at init
 * @bit:	the enable
 */
bool smmu_hwq_cr0_is_acked(struct pkvm_smmu *smmu, u32 bit)
{
	u32 ack = hyp_readl(smmu->base + ARM_SMMU_CR0ACK);

	return !((ack ^ smmu->hwq.cr0) & bit);
}

/**
 * smmu_hwq_raise_gerror() - make the SMMU signal its GERROR interrupt
 * @smmu:	the SMMU; emu_lock held
 * @clock:	limits the wait
 *
 * Only an error raises the interrupt. EL2 adds an illegal command. The next
 * wait on the queue replaces it.
 *
 * Return: 0 if the SMMU has signalled it; else as smmu_hwq_run().
 */
int smmu_hwq_raise_gerror(struct pkvm_smmu *smmu,
			  const struct smmu_clock *clock)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_op(CMD_OP_RESERVED);
	struct smmu_ticket ticket;
	int ret;

	hyp_lock(&smmu->hwq.lock);
	ret = hwq_run(smmu, &cmd, 1, &ticket, clock);
	hyp_unlock(&smmu->hwq.lock);

	return ret;
}

/**
 * smmu_hwq_errors() - read the active errors of the hardware
 * @smmu:	the SMMU
 *
 * Return: bits of GERROR without CMDQ_ERR, which is EL2's.
 */
u32 smmu_hwq_errors(struct pkvm_smmu *smmu)
{
	u32 active = hyp_readl(smmu->base + ARM_SMMU_GERROR) ^
		     hyp_readl(smmu->base + ARM_SMMU_GERRORN);

	return active & GERROR_ERR_MASK & ~GERROR_CMDQ_ERR;
}

/**
 * smmu_hwq_ack_errors() - acknowledge active errors of the hardware
 * @smmu:	the SMMU
 * @errors:	bits of GERROR; those that smmu_hwq_errors() does not return
 *		have no effect
 */
void smmu_hwq_ack_errors(struct pkvm_smmu *smmu, u32 errors)
{
	u32 gerrorn;

	hyp_lock(&smmu->hwq.lock);
	gerrorn = hyp_readl(smmu->base + ARM_SMMU_GERRORN);
	gerrorn ^= errors & smmu_hwq_errors(smmu);
	hyp_writel(gerrorn, smmu->base + ARM_SMMU_GERRORN);
	hyp_unlock(&smmu->hwq.lock);
}
