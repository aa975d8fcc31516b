// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware's command queue, and waiting for the hardware.
 *
 * The queue is EL2's and is never off while streams can pass, so that an
 * invalidation of EL2's can't be withheld. Commands of the host's go into it
 * after cmd.c has passed them. Every wait is bounded.
 *
 * If the hardware calls a command illegal, EL2 puts a CMD_SYNC in its place and
 * goes on: the host can't stop the queue. EL2's own commands must not be lost
 * that way, so smmu_hwq_run() fails if anything was replaced meanwhile. If the
 * hardware can't be made to go on, the queue is broken for good: every later
 * call fails at once, so pages stay with who has them.
 *
 * See "Command queue errors" in the SMMUv3 architecture (Arm IHI 0070),
 * section 7.1.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

#define HWQ_ENTRIES(q)		(1U << (q)->shift)
/* An index with its wrap bit */
#define HWQ_POS(q, p)		((p) & (2 * HWQ_ENTRIES(q) - 1))

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
	u64 now = hal_now(), end = now + hal_ticks(SMMU_TIMEOUT_US);

	/* Time first: the last look is after the end */
	do {
		now = hal_now();
		if ((hal_readl(smmu->base + reg) & mask) == val)
			return 0;
		hal_relax();
	} while (now < end);

	return -ETIMEDOUT;
}

static __le64 *hwq_entry(struct smmu_hwq *q, u32 pos)
{
	return &q->base[(pos & (HWQ_ENTRIES(q) - 1)) * CMDQ_ENT_DWORDS];
}

static void hwq_write(struct smmu_hwq *q, u32 pos, const struct arm_smmu_cmd *cmd)
{
	__le64 *ent = hwq_entry(q, pos);

	WRITE_ONCE(ent[0], cpu_to_le64(cmd->data[0]));
	WRITE_ONCE(ent[1], cpu_to_le64(cmd->data[1]));
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
	struct smmu_hwq *q = &smmu->hwq;

	if (q->kicked == q->prod)
		return;

	q->kicked = q->prod;
	hal_wmb();
	hal_writel(q->prod, smmu->base + ARM_SMMU_CMDQ_PROD);
}

/* Wait until at most @pending commands have not been consumed */
static int hwq_wait(struct pkvm_smmu *smmu, u32 pending)
{
	u64 limit = hal_ticks(SMMU_TIMEOUT_US), now = hal_now(), end = now + limit;
	struct smmu_hwq *q = &smmu->hwq;
	u32 cons, err, last = U32_MAX;

	while (!q->broken) {
		/* Time first: the last look is after the end */
		now = hal_now();
		cons = hal_readl(smmu->base + ARM_SMMU_CMDQ_CONS);
		q->cons = HWQ_POS(q, cons);
		if (HWQ_POS(q, q->prod - q->cons) <= pending) {
			hal_rmb();
			return 0;
		}

		if (q->cons != last) {
			/* It moves: the bound is on one command, not on all */
			last = q->cons;
			end = now + limit;
			continue;
		}

		err = hal_readl(smmu->base + ARM_SMMU_GERROR) ^
		      hal_readl(smmu->base + ARM_SMMU_GERRORN);
		if (now > end) {
			q->broken = true;
		} else if (err & GERROR_CMDQ_ERR) {
			/* CONS.ERR is valid only now */
			cons = hal_readl(smmu->base + ARM_SMMU_CMDQ_CONS);
			q->broken = hwq_recover(smmu, cons);
		}
		hal_relax();
	}

	return -EIO;
}

static int hwq_add_locked(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmd)
{
	struct smmu_hwq *q = &smmu->hwq;
	int ret;

	if (HWQ_POS(q, q->prod - q->cons) >= HWQ_ENTRIES(q)) {
		hwq_kick(smmu);
		ret = hwq_wait(smmu, HWQ_ENTRIES(q) / 2);
		if (ret)
			return ret;
	}
	if (q->broken)
		return -EIO;

	hwq_write(q, q->prod, cmd);
	q->prod = HWQ_POS(q, q->prod + 1);

	return 0;
}

static int hwq_sync_locked(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd sync = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	int ret;

	ret = hwq_add_locked(smmu, &sync);
	if (ret)
		return ret;

	hwq_kick(smmu);
	return hwq_wait(smmu, 0);
}

/**
 * smmu_hwq_add() - append a command
 * @smmu:	the SMMU; takes its hw_lock
 * @cmd:	one that may run, whoever it comes from
 *
 * The hardware need not hear of it before smmu_hwq_kick() or smmu_hwq_sync().
 *
 * Return: 0, or -EIO if the queue is broken.
 */
int smmu_hwq_add(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmd)
{
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = hwq_add_locked(smmu, cmd);
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_hwq_kick() - let the hardware run what has been appended
 * @smmu:	the SMMU; takes its hw_lock
 */
void smmu_hwq_kick(struct pkvm_smmu *smmu)
{
	hal_lock(&smmu->hw_lock);
	hwq_kick(smmu);
	hal_unlock(&smmu->hw_lock);
}

/**
 * smmu_hwq_sync() - wait until all commands have completed
 * @smmu:	the SMMU; takes its hw_lock
 *
 * Return: 0, or -EIO if the queue is broken.
 */
int smmu_hwq_sync(struct pkvm_smmu *smmu)
{
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = hwq_sync_locked(smmu);
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_hwq_run() - run a command of EL2's and wait for its completion
 * @smmu:	the SMMU; takes its hw_lock
 * @cmd:	the command
 *
 * Return: 0 if it is sure to have completed; else -EIO.
 */
int smmu_hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmd)
{
	u32 skipped;
	int ret;

	hal_lock(&smmu->hw_lock);
	skipped = smmu->hwq.skipped;
	ret = hwq_add_locked(smmu, cmd);
	if (!ret)
		ret = hwq_sync_locked(smmu);
	if (!ret && smmu->hwq.skipped != skipped)
		ret = -EIO;
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_hw_ack_gerror() - acknowledge errors for the host
 * @smmu:	the SMMU; takes its hw_lock
 * @gerrorn:	what the host wrote; only active errors are acknowledged, and
 *		CMDQ_ERR is EL2's
 */
void smmu_hw_ack_gerror(struct pkvm_smmu *smmu, u32 gerrorn)
{
	u32 hw, active;

	hal_lock(&smmu->hw_lock);
	hw = hal_readl(smmu->base + ARM_SMMU_GERRORN);
	active = hw ^ hal_readl(smmu->base + ARM_SMMU_GERROR);
	active &= GERROR_ERR_MASK & ~GERROR_CMDQ_ERR;
	hal_writel(hw ^ ((gerrorn ^ hw) & active), smmu->base + ARM_SMMU_GERRORN);
	hal_unlock(&smmu->hw_lock);
}
