// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation when a page leaves the host, or a table of the stage 2 does.
 *
 * Where only stage 2 translates it is by address. Combined stage-1 and stage-2
 * entries are tagged with what the host maps, so an invalidation by IPA doesn't reach
 * them (Arm IHI 0070, section 4.4.3): there all of EL2's VMID goes. An SMMU through
 * which no stream has passed has nothing to forget. The CMD_SYNC that follows also
 * waits for accesses that were already translated.
 *
 * What an SMMU may have cached only grows while its streams can pass, and it is noted
 * before a stream can. An invalidation holds hw_lock from its look at that until it has
 * completed: no stream starts to pass unnoted meanwhile, and caches a combined entry of
 * the old translation. A stream that is noted later finds the page unmapped.
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

/* Leaves hw_lock to tlbi_finish() if there is something to wait for */
static int tlbi_start(struct pkvm_smmu *smmu, phys_addr_t start, phys_addr_t end, u64 *deadline)
{
	struct arm_smmu_cmd *cmds = smmu->tlbi;
	unsigned int n;
	int ret = 0;

	hal_lock(&smmu->hw_lock);
	n = tlbi_cmds(smmu, start, end, cmds);
	if (n) {
		cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
		ret = smmu_hwq_start(smmu, cmds, n, deadline);
	}
	smmu->hwq.waiting = n && !ret;
	if (!smmu->hwq.waiting)
		hal_unlock(&smmu->hw_lock);

	return ret;
}

/* Wait for what tlbi_start() has started, and release hw_lock, if it has left that */
static int tlbi_finish(struct pkvm_smmu *smmu, u64 *deadline)
{
	struct arm_smmu_cmd all = smmu_tlbi_all();
	int ret;

	if (!smmu->hwq.waiting)
		return 0;

	ret = smmu_hwq_finish(smmu, &all, deadline);
	smmu->hwq.waiting = false;
	hal_unlock(&smmu->hw_lock);

	return ret;
}

/**
 * smmu_tlbi_range() - let SMMUs forget what they have cached of a range
 * @smmus:	an array of them; takes the hw_locks, in its order
 * @nr:		how many
 * @start:	page aligned
 * @end:	page aligned, not @start
 * @deadline:	when all waits are to end; if 0, the first wait sets it to smmu_deadline()
 *
 * Tables that led to the range are forgotten, too. All are started before the end of it is
 * waited for with any of them, and each lock is held until then. With the ownership lock
 * held.
 *
 * Return: 0; -EIO if one can't be made to.
 */
int smmu_tlbi_range(struct pkvm_smmu *smmus, u32 nr, phys_addr_t start, phys_addr_t end,
		    u64 *deadline)
{
	struct pkvm_smmu *smmu = smmus;
	int ret = 0;

	while (smmu < smmus + nr && !ret)
		ret = tlbi_start(smmu++, start, end, deadline);
	while (smmu > smmus) {
		if (tlbi_finish(--smmu, deadline))
			ret = -EIO;
	}

	return ret;
}
