// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation when a page leaves the host, or a table of the stage 2 does.
 *
 * - If only stage 2 translates, EL2 invalidates by address.
 * - A combined entry of both stages is tagged with the host's input address, which
 *   TLBI_S2_IPA does not match (Arm IHI 0070, section 4.4.3). If a stream with stage 1
 *   is enabled, or was, EL2 invalidates all of its VMID.
 * - If no stream was enabled, there is nothing to invalidate.
 *
 * The CMD_SYNC also waits for accesses that were already translated.
 *
 * What an SMMU may have cached is noted before a stream can pass. An invalidation
 * chooses its commands by that. If a stream that both stages translate is noted before
 * the commands have completed, then it may have made a combined entry from an entry of
 * stage 2 that they had not reached yet: EL2 looks at the note again in the end, and
 * invalidates again. What is cached after that comes from tables without the page.
 *
 * An SMMU with nothing to invalidate must still be as EL2 left it: after a reset, its
 * streams may bypass it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

/**
 * smmu_tlbi_all() - the command that drops all that an SMMU may have cached of stage 2
 *
 * Return: the command.
 */
struct arm_smmu_cmd smmu_tlbi_all(void)
{
	return arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_S12_VMALL, 0, SMMU_VMID);
}

static void tlbi_set_cached(struct pkvm_smmu *smmu, enum smmu_cached cached)
{
	hal_lock(&smmu->hw_lock);
	smmu->cached = cached;
	hal_unlock(&smmu->hw_lock);
}

/**
 * smmu_tlbi_note() - a stream is about to pass
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 * @dword0:	of its STE, which can't be reached yet
 */
void smmu_tlbi_note(struct pkvm_smmu *smmu, u64 dword0)
{
	enum smmu_cached cached = SMMU_CACHED_NOTHING;

	if (dword0 & STRTAB_STE_0_V) {
		switch (FIELD_GET(STRTAB_STE_0_CFG, dword0)) {
		case STRTAB_STE_0_CFG_ABORT:
			break;
		case STRTAB_STE_0_CFG_S2_TRANS:
			cached = SMMU_CACHED_S2;
			break;
		default:
			cached = SMMU_CACHED_NESTED;
		}
	}

	if (cached > smmu->cached)
		tlbi_set_cached(smmu, cached);
}

/**
 * smmu_tlbi_forgotten() - no stream can pass, and the SMMU has forgotten all
 * @smmu:	the SMMU; emu_lock held, takes its hw_lock
 */
void smmu_tlbi_forgotten(struct pkvm_smmu *smmu)
{
	tlbi_set_cached(smmu, SMMU_CACHED_NOTHING);
}

/* One page, or (with RIL) up to 31 times a power of two of them; returns how many */
static u64 tlbi_ipa(const struct pkvm_smmu *smmu, struct arm_smmu_cmd *cmd, phys_addr_t ipa,
		    u64 pages)
{
	u8 scale, num;

	*cmd = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_S2_IPA, 0, SMMU_VMID);
	cmd->data[1] |= ipa & CMDQ_TLBI_1_IPA_MASK;
	/* Not if the lowest range would be of one page: that is reserved (section 4.4.1.1) */
	if (!smmu->feat.ril || (pages & CMDQ_TLBI_RANGE_NUM_MAX) == 1)
		return 1;

	scale = __ffs(pages);
	num = (pages >> scale) & CMDQ_TLBI_RANGE_NUM_MAX;
	cmd->data[0] |= FIELD_PREP(CMDQ_TLBI_0_SCALE, scale) |
			FIELD_PREP(CMDQ_TLBI_0_NUM, num - 1);
	cmd->data[1] |= FIELD_PREP(CMDQ_TLBI_1_TG, (PAGE_SHIFT - 10) / 2);

	return (u64)num << scale;
}

/* Returns how many commands it takes */
static unsigned int tlbi_cmds(const struct pkvm_smmu *smmu, phys_addr_t start,
			      phys_addr_t end, struct arm_smmu_cmd *cmds)
{
	unsigned int n = 0;

	switch (smmu->cached) {
	case SMMU_CACHED_NOTHING:
		return 0;
	case SMMU_CACHED_S2:
		while (start < end && n < SMMU_TLBI_CMDS)
			start += tlbi_ipa(smmu, &cmds[n++], start,
					  (end - start) >> PAGE_SHIFT) << PAGE_SHIFT;
		if (start >= end)
			return n;
		break;
	case SMMU_CACHED_NESTED:
		break;
	}

	cmds[0] = smmu_tlbi_all();
	return 1;
}

/* hw_lock held */
static int tlbi_submit(struct pkvm_smmu *smmu, unsigned int n, struct smmu_clock *clock)
{
	struct smmu_tlbi *tlbi = &smmu->tlbi;

	tlbi->cached = smmu->cached;
	tlbi->n = n;
	if (!n)
		return 0;

	tlbi->cmds[tlbi->n++] = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	if (smmu_hwq_submit(smmu, tlbi->cmds, tlbi->n, &tlbi->ticket, clock) == tlbi->n)
		return 0;

	return smmu_hwq_check(smmu) ?: -EAGAIN;
}

/* All that the SMMU may have cached of stage 2, or nothing; hw_lock held */
static int tlbi_submit_all(struct pkvm_smmu *smmu, struct smmu_clock *clock)
{
	smmu->tlbi.cmds[0] = smmu_tlbi_all();

	return tlbi_submit(smmu, smmu->cached != SMMU_CACHED_NOTHING, clock);
}

static int tlbi_start(struct pkvm_smmu *smmu, phys_addr_t start, phys_addr_t end,
		      struct smmu_clock *clock)
{
	int ret;

	hal_lock(&smmu->hw_lock);
	ret = tlbi_submit(smmu, tlbi_cmds(smmu, start, end, smmu->tlbi.cmds), clock);
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/* hw_lock held */
static int tlbi_wait(struct pkvm_smmu *smmu, struct smmu_clock *clock)
{
	if (!smmu->tlbi.n)
		return smmu_hwq_check(smmu);

	return smmu_hwq_wait(smmu, &smmu->tlbi.ticket, clock);
}

/*
 * A command that was replaced may have been the host's, so try once more, within this
 * call. EL1 can try again after that.
 */
static int tlbi_finish(struct pkvm_smmu *smmu, struct smmu_clock *clock)
{
	struct smmu_tlbi *tlbi = &smmu->tlbi;
	bool lost, again = true;
	int ret;

	hal_lock(&smmu->hw_lock);
	while (!(ret = tlbi_wait(smmu, clock))) {
		lost = tlbi->n && smmu_hwq_lost(smmu, &tlbi->ticket);
		if (!lost && smmu->cached <= tlbi->cached)
			break;
		ret = lost && !again ? -EAGAIN : tlbi_submit_all(smmu, clock);
		if (ret)
			break;
		again &= !lost;
	}
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_tlbi_range() - invalidate what SMMUs have cached of a range
 * @smmus:	an array of them; takes their hw_locks, one at a time
 * @nr:		how many
 * @start:	page aligned
 * @end:	page aligned, not @start
 * @clock:	for all of them together
 *
 * Entries for the tables that led to the range are invalidated, too. With the
 * ownership lock held.
 *
 * Return: 0; -EAGAIN if the time did not suffice, or if commands were replaced twice;
 * -EIO if an SMMU is broken.
 */
int smmu_tlbi_range(struct pkvm_smmu *smmus, u32 nr, phys_addr_t start, phys_addr_t end,
		    struct smmu_clock *clock)
{
	int ret = 0;
	u32 i, n;

	for (n = 0; n < nr && !ret; n++)
		ret = tlbi_start(&smmus[n], start, end, clock);
	for (i = 0; i < n && !ret; i++)
		ret = tlbi_finish(&smmus[i], clock);

	return ret;
}
