// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidation when a page leaves the host, or a table leaves the stage 2.
 *
 * - If no stream was enabled, there is nothing to invalidate.
 * - If only stage 2 translates, EL2 invalidates by address.
 * - A combined entry of both stages is tagged with the input address of stage
 *   1, which TLBI_S2_IPA does not match (Arm IHI 0070, section 4.4.3). If a
 *   stream with stage 1 was enabled, EL2 invalidates everything of its VMID.
 * - The CMD_SYNC also waits for accesses that were already translated.
 * - If EL2 invalidates nothing on an SMMU, it still checks the SMMU: after a
 *   reset, streams may bypass it.
 *
 * EL2 notes what an SMMU may cache before it makes a valid STE reachable. A
 * stream with stage 1 may be noted while an invalidation is under way. The SMMU
 * may then combine an entry of stage 2 that the commands have not reached yet.
 * So EL2 compares the note again at the end, and repeats the invalidation if it
 * covered less. Later entries come from tables without the page.
 *
 * The ownership path calls smmu_tlbi_range() with the ownership locks held.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"
#include "tlbi.h"
#include "trap.h"

/* If a range needs more commands, EL2 invalidates everything instead */
#define TLBI_MAX_CMDS		8

/**
 * smmu_tlbi_all() - the command that invalidates everything of EL2's VMID
 *
 * Return: the command.
 */
struct arm_smmu_cmd smmu_tlbi_all(void)
{
	return arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_S12_VMALL, 0, SMMU_VMID);
}

static void tlbi_set_cached(struct pkvm_smmu *smmu, enum smmu_cached cached)
{
	hyp_lock(&smmu->hwq.lock);
	WRITE_ONCE(smmu->tlbi.cached, cached);
	hyp_unlock(&smmu->hwq.lock);
}

/**
 * smmu_tlbi_note_ste() - note that a stream is about to be enabled
 * @smmu:	the SMMU; emu_lock held
 * @dword0:	dword 0 of the stream's STE, which the SMMU cannot reach yet
 */
void smmu_tlbi_note_ste(struct pkvm_smmu *smmu, u64 dword0)
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

	if (cached > smmu->tlbi.cached)
		tlbi_set_cached(smmu, cached);
}

/**
 * smmu_tlbi_note_clean() - note that the SMMU has nothing cached
 * @smmu:	the SMMU; emu_lock held. No STE is valid, and smmu_tlbi_all()
 *		has completed since
 */
void smmu_tlbi_note_clean(struct pkvm_smmu *smmu)
{
	tlbi_set_cached(smmu, SMMU_CACHED_NOTHING);
}

/*
 * Invalidate one page, or with RIL a range of up to 31 times a power of two
 * pages. Returns the number of pages.
 */
static u64 tlbi_ipa(const struct pkvm_smmu *smmu, struct arm_smmu_cmd *cmd,
		    phys_addr_t ipa, u64 pages)
{
	u8 scale, num;

	*cmd = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_S2_IPA, 0, SMMU_VMID);
	cmd->data[1] |= ipa & CMDQ_TLBI_1_IPA_MASK;
	/* A range of one page is reserved (section 4.4.1.1) */
	if (!smmu->feat.ril || (pages & CMDQ_TLBI_RANGE_NUM_MAX) == 1)
		return 1;

	scale = __ffs(pages);
	num = (pages >> scale) & CMDQ_TLBI_RANGE_NUM_MAX;
	cmd->data[0] |= FIELD_PREP(CMDQ_TLBI_0_SCALE, scale) |
			FIELD_PREP(CMDQ_TLBI_0_NUM, num - 1);
	cmd->data[1] |= FIELD_PREP(CMDQ_TLBI_1_TG, (PAGE_SHIFT - 10) / 2);

	return (u64)num << scale;
}

/* Returns the number of commands, at most TLBI_MAX_CMDS */
static unsigned int tlbi_cmds(const struct pkvm_smmu *smmu,
			      enum smmu_cached cached, phys_addr_t start,
			      phys_addr_t end, struct arm_smmu_cmd *cmds)
{
	unsigned int n = 0;

	switch (cached) {
	case SMMU_CACHED_NOTHING:
		return 0;
	case SMMU_CACHED_S2:
		while (start < end && n < TLBI_MAX_CMDS)
			start += tlbi_ipa(smmu, &cmds[n++], start,
					  (end - start) >> PAGE_SHIFT)
				 << PAGE_SHIFT;
		if (start >= end)
			return n;
		break;
	case SMMU_CACHED_NESTED:
		break;
	}

	cmds[0] = smmu_tlbi_all();
	return 1;
}

/* Invalidate the range and what is cached of the tables that lead to it */
static int tlbi_submit(struct pkvm_smmu *smmu, phys_addr_t start,
		       phys_addr_t end, const struct smmu_clock *clock)
{
	struct arm_smmu_cmd cmds[TLBI_MAX_CMDS + 1] __uninitialized;
	struct smmu_tlbi *tlbi = &smmu->tlbi;
	unsigned int n;

	tlbi->covers = READ_ONCE(tlbi->cached);
	n = tlbi_cmds(smmu, tlbi->covers, start, end, cmds);
	if (!n)
		return 0;

	cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
	if (smmu_hwq_submit(smmu, cmds, n, &tlbi->ticket, clock) == n)
		return 0;

	return smmu_hwq_check(smmu) ?: -EAGAIN;
}

/* Returns 0 if everything of the range is invalid, 1 to repeat, or an error */
static int tlbi_wait(struct pkvm_smmu *smmu, const struct smmu_clock *clock,
		     bool *lost)
{
	struct smmu_tlbi *tlbi = &smmu->tlbi;
	int ret;

	*lost = false;
	if (tlbi->covers == SMMU_CACHED_NOTHING) {
		ret = smmu_hwq_check(smmu);
	} else {
		ret = smmu_hwq_wait(smmu, &tlbi->ticket, clock);
		*lost = !ret && smmu_hwq_lost(smmu, &tlbi->ticket);
	}
	if (ret)
		return ret;

	return *lost || READ_ONCE(tlbi->cached) > tlbi->covers;
}

/*
 * If a command was replaced, it may have been one of these. Try once more,
 * here; EL1 can try again later.
 */
static int tlbi_finish(struct pkvm_smmu *smmu, phys_addr_t start,
		       phys_addr_t end, const struct smmu_clock *clock)
{
	bool lost, was_lost = false;
	int ret;

	while ((ret = tlbi_wait(smmu, clock, &lost)) > 0) {
		if (lost && was_lost)
			return -EAGAIN;
		was_lost |= lost;
		ret = tlbi_submit(smmu, start, end, clock);
		if (ret)
			break;
	}

	return ret;
}

/**
 * smmu_tlbi_range() - invalidate what SMMUs may have cached of a range
 * @smmus:	an array of SMMUs
 * @nr:		number of SMMUs
 * @start:	page aligned
 * @end:	page aligned, greater than @start
 * @clock:	limits the waits for all SMMUs together
 *
 * Also invalidates cached entries of the tables that lead to the range. The
 * ownership locks are held.
 *
 * Return: 0; -EAGAIN if the time is over, or if EL2 has replaced commands
 * twice;
 * -EIO if an SMMU is broken.
 */
int smmu_tlbi_range(struct pkvm_smmu *smmus, u32 nr, phys_addr_t start,
		    phys_addr_t end, const struct smmu_clock *clock)
{
	int ret = 0;
	u32 i, n;

	for (n = 0; n < nr && !ret; n++)
		ret = tlbi_submit(&smmus[n], start, end, clock);
	for (i = 0; i < n && !ret; i++)
		ret = tlbi_finish(&smmus[i], start, end, clock);

	return ret;
}
