// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shadow stream table: the one that the hardware walks.
 *
 * - All memory of the table is EL2's. Dwords 2 and 3 of each STE are EL2's
 *   stage 2. They are written before the SMMU can reach the STE, and never
 *   again.
 * - EL2 copies the host's STE when the host invalidates it, translates the copy
 *   (ste.c) and stores the result. A real SMMU would fetch the STE at that
 *   time.
 * - If EL2 cannot read the host's STE, or has no page for a table, the stream
 *   aborts. The host's table needs no pin: if the host donates a page of it,
 *   the copy fails.
 * - If the host changes an STE in one store, so does EL2, and no transaction
 *   aborts.
 *
 * States of the table:
 *
 *	initial		The host has not set CR0.SMMUEN yet. Only the STEs of
 *			streams that firmware reserves (RMR) are valid.
 *	disabled	CR0.SMMUEN of the host is 0. No STE is valid, and the SMMU
 *			has nothing cached (@clean).
 *	enabling	The host has set SMMUEN. EL2 shadows all STEs, one after
 *			the other (@live, and a job is not complete).
 *	enabled		All STEs are shadowed, and CR0ACK.SMMUEN is set (@live).
 *	disabling	The host has cleared SMMUEN. EL2 invalidates all STEs,
 *			then all cached translations (not @live, not @clean).
 *			Then EL2 terminates stalled transactions (@may_stall):
 *			it clears the hardware's SMMUEN, and sets it again. GBPA
 *			aborts meanwhile.
 *
 * A trap ends when its budget or its time is spent, or when a command may not
 * have completed. The function then fails, and the next trap calls it again:
 *
 * - For a command, CONS stays at the command. For SMMUEN, CR0ACK stays as it
 *   is.
 * - The job remembers which streams are left. A call with the same arguments
 *   continues there. A call with others starts a new job: the old one is
 *   incomplete, and so is the host's request for it.
 *
 * The emu_lock is held. See section 3.3 of the SMMUv3 architecture (Arm IHI
 * 0070), and section 3.21.3 for the order of stores.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "report.h"
#include "smmu.h"
#include "ste.h"
#include "strtab.h"
#include "tlbi.h"
#include "trap.h"

#define STE_SIZE		sizeof(struct arm_smmu_ste)
#define STRTAB_L2_STES		BIT(PKVM_SMMU_STRTAB_SPLIT)

/* STRTAB_BASE_CFG.SPLIT. Any other value behaves as 6 */
#define HOST_SPLIT_MIN		6
#define HOST_SPLIT_MID		8
#define HOST_SPLIT_MAX		10

/* The STEs of so many streams are contiguous, with each split */
#define STRTAB_GROUP		BIT(HOST_SPLIT_MIN)

/**
 * struct host_stes - STEs of a group of streams, in the host's memory
 * @pa:		physical address of the first one
 * @n:		number of streams that have an STE, from the first one on
 */
struct host_stes {
	phys_addr_t	pa;
	u32		n;
};

static const u64 ste_invalid[STRTAB_STE_DWORDS];

/* The SMMU sees all of the store, or nothing */
static void strtab_write(__le64 *at, u64 val)
{
	WRITE_ONCE(*at, cpu_to_le64(val));
	hyp_clean(at, sizeof(*at));
}

/* Invalid STEs, which hold EL2's stage 2 as well */
static void strtab_init_stes(struct pkvm_smmu *smmu, __le64 *ste, u32 n)
{
	__le64 *at = ste, *end = ste + (size_t)n * STRTAB_STE_DWORDS;
	u64 hw[STRTAB_STE_DWORDS];
	int i;

	smmu_ste_from_host(&smmu->feat, ste_invalid, hw);
	for (; at < end; at += STRTAB_STE_DWORDS) {
		for (i = 0; i < STRTAB_STE_DWORDS; i++)
			WRITE_ONCE(at[i], cpu_to_le64(hw[i]));
	}
	hyp_clean(ste, n * STE_SIZE);
}

/* The STE of a stream. NULL if its second-level table does not exist */
static __le64 *strtab_ste(struct pkvm_smmu *smmu, u32 sid)
{
	__le64 *stes;
	u64 desc;

	/* The host chooses the StreamID. EL2 loads through the descriptor */
	sid = array_index_nospec(sid, BIT(smmu->feat.sid_bits));

	if (!smmu->strtab.two_level)
		return &smmu->strtab.tab[(u64)sid * STRTAB_STE_DWORDS];

	desc = le64_to_cpu(smmu->strtab.tab[sid >> PKVM_SMMU_STRTAB_SPLIT]);
	if (!FIELD_GET(STRTAB_L1_DESC_SPAN, desc))
		return NULL;

	stes = hyp_phys_to_virt(desc & STRTAB_L1_DESC_L2PTR_MASK);
	return &stes[(sid % STRTAB_L2_STES) * STRTAB_STE_DWORDS];
}

/*
 * Find the host's STEs of the group that begins with @sid. STRTAB_BASE and
 * STRTAB_BASE_CFG do not change while the host's SMMU is enabled. A level-1
 * descriptor may change at any time: EL2 reads it once.
 */
static struct host_stes strtab_find_host(struct pkvm_smmu *smmu, u32 sid)
{
	u32 cfg = smmu->host.strtab_cfg;
	phys_addr_t base = smmu->host.strtab_base & STRTAB_BASE_ADDR_MASK;
	u8 bits = FIELD_GET(STRTAB_BASE_CFG_LOG2SIZE, cfg);
	u8 split = FIELD_GET(STRTAB_BASE_CFG_SPLIT, cfg);
	struct host_stes none = {}, stes;
	u64 desc, span;
	__le64 l1_desc;

	bits = min(bits, smmu->feat.sid_bits);
	if (sid >> bits)
		return none;

	switch (FIELD_GET(STRTAB_BASE_CFG_FMT, cfg)) {
	case STRTAB_BASE_CFG_FMT_LINEAR:
		base = ALIGN_DOWN(base, STE_SIZE << bits);
		stes.pa = base + (u64)sid * STE_SIZE;
		stes.n = min(BIT(bits) - sid, STRTAB_GROUP);
		return stes;
	case STRTAB_BASE_CFG_FMT_2LVL:
		if (smmu->strtab.two_level)
			break;
		fallthrough;
	default:
		return none;
	}

	if (split != HOST_SPLIT_MID && split != HOST_SPLIT_MAX)
		split = HOST_SPLIT_MIN;

	base = ALIGN_DOWN(base, max(sizeof(l1_desc) << max(bits - split, 0),
				    STE_SIZE));
	if (hyp_host_copy(&l1_desc, base + (sid >> split) * sizeof(l1_desc),
			  sizeof(l1_desc)))
		return none;

	/* Span is log2 of the number of STEs, plus one; 0 means no table */
	desc = le64_to_cpu(l1_desc);
	span = FIELD_GET(STRTAB_L1_DESC_SPAN, desc);
	sid &= BIT(split) - 1;
	if (!span || span > split + 1 || sid >> (span - 1))
		return none;

	base = ALIGN_DOWN(desc & STRTAB_L1_DESC_L2PTR_MASK,
			  STE_SIZE << (span - 1));
	stes.pa = base + (u64)sid * STE_SIZE;
	stes.n = min(BIT(span - 1) - sid, STRTAB_GROUP);

	return stes;
}

/* Build the hardware's STE for a stream of a group. Without a host STE, V=0 */
static void strtab_translate(struct pkvm_smmu *smmu, u32 sid,
			     const struct host_stes *stes, u64 *hw)
{
	u64 host[STRTAB_STE_DWORDS] = {};
	u32 idx = sid % STRTAB_GROUP;
	struct arm_smmu_ste ste;
	int i;

	if (idx < stes->n &&
	    !hyp_host_copy(&ste, stes->pa + idx * STE_SIZE, sizeof(ste))) {
		for (i = 0; i < STRTAB_STE_DWORDS; i++)
			host[i] = le64_to_cpu(ste.data[i]);
	}

	smmu_ste_from_host(&smmu->feat, host, hw);
	smmu_tlbi_note_ste(smmu, hw[0]);
	if ((host[0] & STRTAB_STE_0_V) && !(hw[0] & STRTAB_STE_0_V))
		smmu_report(smmu, PKVM_SMMU_DENIED_STE, sid, host[0]);
}

/* The SMMU does not have the STE cached as valid */
static void strtab_store(__le64 *ste, const u64 *hw)
{
	strtab_write(&ste[1], hw[1]);
	hyp_wmb();
	strtab_write(&ste[0], hw[0]);
}

/* Returns false if the SMMU may still use a cached STE */
static bool strtab_sync_ste(struct smmu_trap *trap, u32 sid, bool leaf)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_ste(sid, leaf);

	smmu_trap_spend(trap, 1);

	return !smmu_hwq_run(trap->smmu, &cmd, 1, &trap->clock);
}

/*
 * Only dwords 0 and 1 of an STE change. A change of one of them is one store,
 * and no transaction aborts. For a change of both, EL2 first makes the STE
 * invalid, then changes dword 1, then dword 0, and the SMMU sees each step
 * before the next.
 *
 * Returns false if it has to be called again. It then continues.
 */
static bool strtab_publish(struct smmu_trap *trap, u32 sid, __le64 *ste,
			   const u64 *hw)
{
	u64 dword0 = le64_to_cpu(ste[0]), dword1 = le64_to_cpu(ste[1]);

	if (dword1 != hw[1]) {
		if (dword0 != hw[0] && (dword0 & STRTAB_STE_0_V)) {
			strtab_write(&ste[0], 0);
			if (!strtab_sync_ste(trap, sid, true))
				return false;
			dword0 = 0;
		}
		strtab_write(&ste[1], hw[1]);
		if (!strtab_sync_ste(trap, sid, true))
			return false;
	}

	if (dword0 != hw[0]) {
		strtab_write(&ste[0], hw[0]);
		return strtab_sync_ste(trap, sid, true);
	}

	return true;
}

/*
 * Shadow streams of a group, from *@sid on; @ste is the STE of that stream.
 * Returns false if it has to be called again, from *@sid on.
 */
static bool strtab_shadow_stes(struct smmu_trap *trap, u32 *sid, u32 last,
			       __le64 *ste, const struct host_stes *stes)
{
	bool reachable = trap->smmu->strtab.job.reachable;
	u64 hw[STRTAB_STE_DWORDS];

	for (; *sid <= last; (*sid)++, ste += STRTAB_STE_DWORDS) {
		smmu_trap_spend(trap, 1);
		strtab_translate(trap->smmu, *sid, stes, hw);
		if (!reachable)
			strtab_store(ste, hw);
		else if (!strtab_publish(trap, *sid, ste, hw))
			return false;
	}

	return true;
}

/* Does a second-level table let any stream access memory? */
static bool strtab_l2_is_useful(const __le64 *stes)
{
	u64 dword0;
	u32 i;

	for (i = 0; i < STRTAB_L2_STES; i++) {
		dword0 = le64_to_cpu(stes[i * STRTAB_STE_DWORDS]);
		if (dword0 & STRTAB_STE_0_V &&
		    FIELD_GET(STRTAB_STE_0_CFG, dword0) !=
			    STRTAB_STE_0_CFG_ABORT)
			return true;
	}

	return false;
}

/* Shadow a group in a second-level table that the SMMU cannot reach yet */
static void strtab_fill_group(struct pkvm_smmu *smmu, u32 group, __le64 *ste,
			      const struct host_stes *stes)
{
	u64 hw[STRTAB_STE_DWORDS];
	u32 i;

	for (i = 0; i < stes->n; i++, ste += STRTAB_STE_DWORDS) {
		strtab_translate(smmu, group + i, stes, hw);
		strtab_store(ste, hw);
	}
}

/* Let the SMMU reach a second-level table for the streams around @sid */
static void strtab_link_l2(struct pkvm_smmu *smmu, u32 sid, __le64 *tab)
{
	u64 desc = hyp_virt_to_phys(tab) |
		   FIELD_PREP(STRTAB_L1_DESC_SPAN, PKVM_SMMU_STRTAB_SPLIT + 1);

	smmu->strtab.nr_l2++;
	hyp_wmb();
	strtab_write(&smmu->strtab.tab[sid >> PKVM_SMMU_STRTAB_SPLIT], desc);
}

/*
 * Add a second-level table for the streams around @group, whose host STEs are
 * @known. A real SMMU could fetch any of them from now on: shadow them all.
 * The pool has pages for @max_l2 tables; all others are for the stage 2. When
 * PKVM_SMMU_SPARE_L2_TABLES are in use, a table in which no stream can access
 * memory is not added. So there is one for each stream that firmware describes.
 */
static void strtab_add_l2(struct smmu_trap *trap, u32 group,
			  const struct host_stes *known)
{
	u32 first = ALIGN_DOWN(group, STRTAB_L2_STES), i;
	struct pkvm_smmu *smmu = trap->smmu;
	struct smmu_strtab *strtab = &smmu->strtab;
	struct host_stes stes;
	__le64 *tab;

	smmu_trap_spend(trap, SMMU_WORK_PER_L2);
	tab = strtab->nr_l2 < strtab->max_l2 ? hyp_page_alloc() : NULL;
	if (!tab) {
		smmu_report(smmu, PKVM_SMMU_FAILED_TABLE, group, 0);
		return;
	}

	strtab_init_stes(smmu, tab, STRTAB_L2_STES);
	for (i = 0; i < STRTAB_L2_STES; i += STRTAB_GROUP) {
		stes = first + i == group ? *known :
					    strtab_find_host(smmu, first + i);
		strtab_fill_group(smmu, first + i, &tab[i * STRTAB_STE_DWORDS],
				  &stes);
	}
	if (strtab->nr_l2 >= PKVM_SMMU_SPARE_L2_TABLES &&
	    !strtab_l2_is_useful(tab)) {
		hyp_page_free(tab);
		return;
	}
	strtab_link_l2(smmu, group, tab);
	/* This may time out: the host's command follows, for both levels */
	strtab_sync_ste(trap, group, false);
}

/*
 * With Span 0 the SMMU ignores the pointer to the second-level table. EL2 keeps
 * the pointer, to free the table later. The caller cleans the descriptor.
 */
static void strtab_unlink_l2(struct pkvm_smmu *smmu, u32 idx)
{
	__le64 *desc = &smmu->strtab.tab[idx];

	WRITE_ONCE(*desc, *desc & cpu_to_le64(STRTAB_L1_DESC_L2PTR_MASK));
	smmu->strtab.unlinked = true;
}

/* Free all unlinked tables. The SMMU has none of them cached */
static void strtab_free_l2(struct pkvm_smmu *smmu)
{
	__le64 *tab = smmu->strtab.tab;
	u64 desc;
	u32 i;

	for (i = 0; i < BIT(smmu->feat.sid_bits) / STRTAB_L2_STES; i++) {
		desc = le64_to_cpu(tab[i]);
		if (!desc || FIELD_GET(STRTAB_L1_DESC_SPAN, desc))
			continue;
		hyp_page_free(hyp_phys_to_virt(desc));
		/* The SMMU ignores this: Span is 0 */
		WRITE_ONCE(tab[i], cpu_to_le64(0));
		smmu->strtab.nr_l2--;
	}
	smmu->strtab.unlinked = false;
}

/* Returns false if the SMMU may have an unlinked table cached */
static bool strtab_reclaim_l2(struct smmu_trap *trap)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_all();
	struct pkvm_smmu *smmu = trap->smmu;

	if (!smmu->strtab.unlinked)
		return true;

	smmu_trap_spend(trap, 1);
	if (smmu_hwq_run(smmu, &cmd, 1, &trap->clock))
		return false;

	strtab_free_l2(smmu);
	return true;
}

/* The host has removed its table: remove EL2's if no STE in it is valid */
static void strtab_drop_l2(struct smmu_trap *trap, u32 group)
{
	struct pkvm_smmu *smmu = trap->smmu;
	__le64 *stes = strtab_ste(smmu, ALIGN_DOWN(group, STRTAB_L2_STES));
	u32 idx = group >> PKVM_SMMU_STRTAB_SPLIT, i;

	for (i = 0; i < STRTAB_L2_STES; i++) {
		if (stes[i * STRTAB_STE_DWORDS] & cpu_to_le64(STRTAB_STE_0_V))
			return;
	}

	strtab_unlink_l2(smmu, idx);
	hyp_clean(&smmu->strtab.tab[idx], sizeof(*smmu->strtab.tab));
	strtab_reclaim_l2(trap);
}

/*
 * Shadow streams of one group, from *@sid on. Returns false if it has to be
 * called again, from *@sid on.
 */
static bool strtab_shadow_group(struct smmu_trap *trap, u32 *sid, u32 last)
{
	u32 group = ALIGN_DOWN(*sid, STRTAB_GROUP);
	struct pkvm_smmu *smmu = trap->smmu;
	struct host_stes stes = strtab_find_host(smmu, group);
	__le64 *ste = strtab_ste(smmu, *sid);

	smmu_trap_spend(trap, 1);
	if (ste) {
		if (!strtab_shadow_stes(trap, sid, last, ste, &stes))
			return false;
		if (smmu->strtab.two_level && !stes.n)
			strtab_drop_l2(trap, group);
		return true;
	}

	if (stes.n) {
		if (!strtab_reclaim_l2(trap))
			return false;
		strtab_add_l2(trap, group, &stes);
	}
	*sid = last + 1;

	return true;
}

/* Start a job, or continue if it is the same one. False: call again */
static bool strtab_run_job(struct smmu_trap *trap,
			   const struct smmu_strtab_job *new)
{
	struct smmu_strtab_job *job = &trap->smmu->strtab.job;
	u32 sid = new->sids.first, last = new->sids.last, end;

	if (job->next && job->reachable == new->reachable &&
	    job->enabling == new->enabling &&
	    job->sids.first == new->sids.first && job->sids.last == last)
		sid = job->next;

	*job = *new;
	while (sid <= last) {
		end = min(last,
			  ALIGN_DOWN(sid, STRTAB_GROUP) + STRTAB_GROUP - 1);
		if (!trap->budget || !strtab_shadow_group(trap, &sid, end)) {
			job->next = sid;
			return false;
		}
	}
	job->next = 0;

	return true;
}

/**
 * smmu_strtab_shadow() - the host has invalidated STEs
 * @trap:	the trap
 * @sids:	their streams, limited to those that the table covers
 *
 * Return: true if the SMMU uses the new STEs; false to call again, with the
 * same
 * @sids, in a later trap.
 */
bool smmu_strtab_shadow(struct smmu_trap *trap,
			const struct smmu_sid_range *sids)
{
	struct smmu_strtab_job job = { .sids = *sids, .reachable = true };

	return !trap->smmu->strtab.live || strtab_run_job(trap, &job);
}

/**
 * smmu_strtab_restart() - drop the streams that are left
 * @smmu:	the SMMU
 *
 * The next job does not continue an earlier one, even if it is the same.
 */
void smmu_strtab_restart(struct pkvm_smmu *smmu)
{
	smmu->strtab.job.next = 0;
}

/* Make all STEs invalid. The SMMU may have them cached */
static void strtab_clear(struct pkvm_smmu *smmu)
{
	u32 n = BIT(smmu->feat.sid_bits), i;

	if (smmu->strtab.two_level) {
		n /= STRTAB_L2_STES;
		for (i = 0; i < n; i++)
			strtab_unlink_l2(smmu, i);
		hyp_clean(smmu->strtab.tab, n * sizeof(*smmu->strtab.tab));
		return;
	}

	for (i = 0; i < n; i++)
		WRITE_ONCE(smmu->strtab.tab[i * STRTAB_STE_DWORDS],
			   cpu_to_le64(0));
	hyp_clean(smmu->strtab.tab, n * STE_SIZE);
}

/**
 * smmu_strtab_pass() - let a stream reach the host's memory from take-over on
 * @smmu:	the SMMU, which is not enabled yet
 * @sid:	StreamID; without effect if the table does not cover it
 *
 * The stream aborts from the time at which the host enables its SMMU, unless
 * the host's STE lets it pass.
 *
 * Return: 0; -ENOMEM.
 */
int smmu_strtab_pass(struct pkvm_smmu *smmu, u32 sid)
{
	const u64 bypass[STRTAB_STE_DWORDS] = {
		STRTAB_STE_0_V |
			FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_BYPASS),
		FIELD_PREP(STRTAB_STE_1_SHCFG, STRTAB_STE_1_SHCFG_INCOMING),
	};
	u64 hw[STRTAB_STE_DWORDS];
	__le64 *ste, *tab;

	if (sid >> smmu->feat.sid_bits)
		return 0;

	ste = strtab_ste(smmu, sid);
	if (!ste) {
		tab = smmu->strtab.nr_l2 < smmu->strtab.max_l2 ?
		      hyp_page_alloc() : NULL;
		if (!tab)
			return -ENOMEM;
		strtab_init_stes(smmu, tab, STRTAB_L2_STES);
		strtab_link_l2(smmu, sid, tab);
		ste = strtab_ste(smmu, sid);
	}

	smmu_ste_from_host(&smmu->feat, bypass, hw);
	smmu_tlbi_note_ste(smmu, hw[0]);
	strtab_store(ste, hw);
	smmu->strtab.initial = true;

	return 0;
}

/* Returns 0 once the SMMU has nothing cached */
static int strtab_clean(struct smmu_trap *trap)
{
	/* Until no STE is cached, translations can be cached again */
	const struct arm_smmu_cmd cmds[] = {
		arm_smmu_make_cmd_cfgi_all(),
		arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC),
		smmu_tlbi_all(),
	};
	struct pkvm_smmu *smmu = trap->smmu;
	int ret;

	strtab_clear(smmu);
	ret = smmu_hwq_run(smmu, cmds, ARRAY_SIZE(cmds), &trap->clock);
	if (ret)
		return ret;

	smmu_tlbi_note_clean(smmu);
	if (smmu->strtab.two_level)
		strtab_free_l2(smmu);
	smmu->strtab.clean = true;

	return 0;
}

/*
 * No transaction is stalled once SMMUEN has become 0 (section 6.3.9.6). Only
 * the hardware knows which ones are. No STE is valid, and GBPA aborts
 * meanwhile.
 *
 * Returns 0 when it is done, -EAGAIN while the hardware has not acknowledged a
 * change, and -EIO if the SMMU is broken.
 */
static int strtab_end_stalls(struct pkvm_smmu *smmu)
{
	if (smmu->strtab.may_stall) {
		if (smmu_hwq_cr0_is_set(smmu, CR0_SMMUEN) &&
		    smmu_hwq_write_cr0(smmu, CR0_SMMUEN, 0))
			return -EIO;
		if (!smmu_hwq_cr0_is_acked(smmu, CR0_SMMUEN))
			return -EAGAIN;
		if (smmu_hwq_write_cr0(smmu, CR0_SMMUEN, CR0_SMMUEN))
			return -EIO;
		smmu->strtab.may_stall = false;
	}

	return smmu_hwq_cr0_is_acked(smmu, CR0_SMMUEN) ? smmu_hwq_check(smmu) :
							 -EAGAIN;
}

/**
 * smmu_strtab_disable() - the host has disabled its SMMU
 * @trap:	the trap
 *
 * Return: 0 if every stream aborts, the SMMU has nothing cached and no
 * transaction is stalled; a negative error to call again, in a later trap.
 */
int smmu_strtab_disable(struct smmu_trap *trap)
{
	struct smmu_strtab *strtab = &trap->smmu->strtab;
	int ret;

	strtab->live = false;
	strtab->initial = false;
	if (!strtab->clean) {
		ret = strtab_clean(trap);
		if (ret)
			return ret;
	}

	return strtab_end_stalls(trap->smmu);
}

/**
 * smmu_strtab_enable() - the host has enabled its SMMU
 * @trap:	the trap
 *
 * Return: 0 if all STEs follow the host's table; a negative error to call
 * again, in a later trap.
 */
int smmu_strtab_enable(struct smmu_trap *trap)
{
	struct pkvm_smmu *smmu = trap->smmu;
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_all();
	struct smmu_strtab *strtab = &smmu->strtab;
	struct smmu_strtab_job job = {
		.sids.last	= BIT(smmu->feat.sid_bits) - 1,
		.enabling	= true,
	};
	int ret;

	/* The host may have enabled it again before it was disabled */
	if (!strtab->live && !strtab->initial) {
		ret = smmu_strtab_disable(trap);
		if (ret)
			return ret;
	}

	/*
	 * In a linear table the SMMU has no STE cached as valid while this is
	 * the first job. After a job for a command it may have some. With two
	 * levels each second-level table has been added in this job, and the
	 * SMMU can reach all of it. Streams that firmware reserves are not
	 * interrupted.
	 */
	job.reachable = strtab->two_level || strtab->initial ||
			(strtab->live &&
			 !(strtab->job.next && !strtab->job.reachable));
	strtab->clean = false;
	strtab->may_stall = smmu->feat.stalls;
	strtab->live = true;
	if (!strtab_run_job(trap, &job))
		return -EAGAIN;

	return smmu_hwq_run(smmu, &cmd, 1, &trap->clock);
}

/**
 * smmu_strtab_init() - set the table's memory
 * @smmu:	the SMMU
 * @tab:	EL2's memory, zeroed
 * @two_level:	the table has two levels
 * @max_l2:	second-level tables for which the pool has pages
 */
void smmu_strtab_init(struct pkvm_smmu *smmu, void *tab, bool two_level,
		      u32 max_l2)
{
	smmu->strtab.tab = tab;
	smmu->strtab.two_level = two_level;
	smmu->strtab.max_l2 = max_l2;
}

/**
 * smmu_strtab_make_empty() - make all STEs invalid, before the SMMU is enabled
 * @smmu:	the SMMU, with its features set
 */
void smmu_strtab_make_empty(struct pkvm_smmu *smmu)
{
	if (!smmu->strtab.two_level)
		strtab_init_stes(smmu, smmu->strtab.tab,
				 BIT(smmu->feat.sid_bits));
}
