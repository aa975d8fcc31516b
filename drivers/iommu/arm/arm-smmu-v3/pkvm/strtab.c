// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream table that the hardware walks. It is EL2's, both levels.
 *
 * It holds what the host's table held when the host last invalidated an entry,
 * as ste.c translates it, which is what a real SMMU may have cached. What can't be
 * read from the host, or for which EL2 has no page, aborts. While the host has its
 * SMMU disabled the table is empty, and every stream aborts. The hardware is then
 * enabled as well, except while EL2 clears SMMUEN to terminate stalled transactions:
 * GBPA aborts meanwhile.
 *
 * The hardware never sees a foreign stage 2: dwords 2 and 3 of every STE are
 * written before the STE can be reached, and never again.
 *
 * The host's table is copied, never walked by the hardware, so it needs no
 * pinning: if the host gives such a page away, the copy fails.
 *
 * All functions are called with emu_lock held. See "Stream table" in the SMMUv3
 * architecture (Arm IHI 0070), section 3.3, and for the order of stores, 3.21.3.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "smmu.h"

#define STE_SIZE		sizeof(struct arm_smmu_ste)
#define STRTAB_L2_STES		BIT(PKVM_SMMU_STRTAB_SPLIT)

/* The splits that the architecture has; any other value behaves as the first */
#define HOST_SPLIT_MIN		6
#define HOST_SPLIT_MID		8
#define HOST_SPLIT_MAX		10

/* Streams whose STEs are in one piece, whatever the split: in the host's table too */
#define STRTAB_GROUP		BIT(HOST_SPLIT_MIN)

static const u64 ste_invalid[STRTAB_STE_DWORDS];

/* One store, of which the hardware sees all or nothing */
static void strtab_write(__le64 *at, u64 val)
{
	WRITE_ONCE(*at, cpu_to_le64(val));
	hal_clean(at, sizeof(*at));
}

/* As ste.c has it for an STE of the host's with V=0 */
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
	hal_clean(ste, n * STE_SIZE);
}

/* The STE of a stream, or NULL if it has none and therefore aborts */
static __le64 *strtab_ste(struct pkvm_smmu *smmu, u32 sid)
{
	__le64 *stes;
	u64 desc;

	/* The host chooses it, and EL2 reads what the level-1 descriptor points to */
	sid = array_index_nospec(sid, BIT(smmu->feat.sid_bits));

	if (!smmu->strtab.two_level)
		return &smmu->strtab.tab[(u64)sid * STRTAB_STE_DWORDS];

	desc = le64_to_cpu(smmu->strtab.tab[sid >> PKVM_SMMU_STRTAB_SPLIT]);
	if (!FIELD_GET(STRTAB_L1_DESC_SPAN, desc))
		return NULL;

	stes = hal_phys_to_virt(desc & STRTAB_L1_DESC_L2PTR_MASK);
	return &stes[(sid % STRTAB_L2_STES) * STRTAB_STE_DWORDS];
}

/*
 * Where the host keeps the STEs of a group of streams. The table's base and size
 * were latched when the host enabled its SMMU, but nothing in memory is: a level-1
 * descriptor is read once for each use.
 *
 * Returns how many streams of the group have an STE, from the first on.
 */
static u32 host_group(struct pkvm_smmu *smmu, u32 sid, phys_addr_t *stes)
{
	u32 cfg = smmu->host.strtab_cfg;
	phys_addr_t base = smmu->host.strtab_base & STRTAB_BASE_ADDR_MASK;
	u8 bits = FIELD_GET(STRTAB_BASE_CFG_LOG2SIZE, cfg);
	u8 split = FIELD_GET(STRTAB_BASE_CFG_SPLIT, cfg);
	u64 desc, span;
	__le64 l1_desc;

	bits = min(bits, smmu->feat.sid_bits);
	if (sid >> bits)
		return 0;

	switch (FIELD_GET(STRTAB_BASE_CFG_FMT, cfg)) {
	case STRTAB_BASE_CFG_FMT_LINEAR:
		*stes = ALIGN_DOWN(base, STE_SIZE << bits) + (u64)sid * STE_SIZE;
		return min(BIT(bits) - sid, STRTAB_GROUP);
	case STRTAB_BASE_CFG_FMT_2LVL:
		if (smmu->strtab.two_level)
			break;
		fallthrough;
	default:
		return 0;
	}

	if (split != HOST_SPLIT_MID && split != HOST_SPLIT_MAX)
		split = HOST_SPLIT_MIN;

	base = ALIGN_DOWN(base, max(sizeof(l1_desc) << max(bits - split, 0), STE_SIZE));
	if (hal_host_copy(&l1_desc, base + (sid >> split) * sizeof(l1_desc),
			  sizeof(l1_desc)))
		return 0;

	/* Span is log2 of the number of STEs, plus one; 0 is "no table" */
	desc = le64_to_cpu(l1_desc);
	span = FIELD_GET(STRTAB_L1_DESC_SPAN, desc);
	sid &= BIT(split) - 1;
	if (!span || span > split + 1 || sid >> (span - 1))
		return 0;

	base = ALIGN_DOWN(desc & STRTAB_L1_DESC_L2PTR_MASK, STE_SIZE << (span - 1));
	*stes = base + (u64)sid * STE_SIZE;

	return min(BIT(span - 1) - sid, STRTAB_GROUP);
}

/* Translate the host's STE at @pa. If it can't be read then it has V=0 */
static void strtab_translate(struct pkvm_smmu *smmu, u32 sid, phys_addr_t pa, u64 *hw)
{
	u64 host[STRTAB_STE_DWORDS] = {};
	struct arm_smmu_ste ste;
	int i;

	if (!hal_host_copy(&ste, pa, sizeof(ste))) {
		for (i = 0; i < STRTAB_STE_DWORDS; i++)
			host[i] = le64_to_cpu(ste.data[i]);
	}

	smmu_ste_from_host(&smmu->feat, host, hw);
	smmu_tlbi_note(smmu, hw[0]);
	if ((host[0] & STRTAB_STE_0_V) && !(hw[0] & STRTAB_STE_0_V))
		smmu_report(smmu, PKVM_SMMU_DENIED_STE, sid, host[0]);
}

/* The hardware has not cached the STE, or has it with V=0 */
static void strtab_store(__le64 *ste, const u64 *hw)
{
	strtab_write(&ste[1], hw[1]);
	hal_wmb();
	strtab_write(&ste[0], hw[0]);
}

/* Returns false if the hardware may not have seen it */
static bool strtab_sync_ste(struct pkvm_smmu *smmu, u32 sid, bool leaf)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_ste(sid, leaf);
	int ret = smmu_hwq_run(smmu, &cmd, 1);

	smmu_spend(smmu, 1);

	return !ret;
}

/*
 * Dwords 0 and 1 are all that ever changes. If one does, that is one store, and
 * hitless. If both do, the stream aborts in between: V is cleared and seen to be
 * before dword 1 changes, and dword 1 is seen before V is set.
 *
 * Returns false if it is to be called again, and will go on where it stopped.
 */
static bool strtab_publish(struct pkvm_smmu *smmu, u32 sid, __le64 *ste, const u64 *hw)
{
	u64 dword0 = le64_to_cpu(ste[0]), dword1 = le64_to_cpu(ste[1]);

	if (dword1 != hw[1]) {
		if (dword0 != hw[0] && (dword0 & STRTAB_STE_0_V)) {
			strtab_write(&ste[0], 0);
			if (!strtab_sync_ste(smmu, sid, true))
				return false;
			dword0 = 0;
		}
		strtab_write(&ste[1], hw[1]);
		if (!strtab_sync_ste(smmu, sid, true))
			return false;
	}

	if (dword0 != hw[0]) {
		strtab_write(&ste[0], hw[0]);
		return strtab_sync_ste(smmu, sid, true);
	}

	return true;
}

/* What the hardware is to have for a stream, of whose group @n have an STE at @stes */
static void strtab_shadow(struct pkvm_smmu *smmu, u32 sid, phys_addr_t stes, u32 n, u64 *hw)
{
	u32 idx = sid % STRTAB_GROUP;

	if (idx < n)
		strtab_translate(smmu, sid, stes + idx * STE_SIZE, hw);
	else
		smmu_ste_from_host(&smmu->feat, ste_invalid, hw);
}

/*
 * Take the STEs of streams of one group anew, from *@sid on, whose STE is @ste. Returns
 * false if it is to be called again, and will go on at *@sid.
 */
static bool strtab_refresh_group(struct pkvm_smmu *smmu, u32 *sid, u32 last, __le64 *ste,
				 bool cached)
{
	u64 hw[STRTAB_STE_DWORDS];
	phys_addr_t stes = 0;
	u32 n;

	smmu_spend(smmu, 1);
	n = host_group(smmu, ALIGN_DOWN(*sid, STRTAB_GROUP), &stes);
	for (; *sid <= last; (*sid)++, ste += STRTAB_STE_DWORDS) {
		smmu_spend(smmu, 1);
		strtab_shadow(smmu, *sid, stes, n, hw);
		if (!cached)
			strtab_store(ste, hw);
		else if (!strtab_publish(smmu, *sid, ste, hw))
			return false;
	}

	return true;
}

/* Does any stream of a second level pass? */
static bool strtab_l2_passes(const __le64 *stes)
{
	u64 dword0;
	u32 i;

	for (i = 0; i < STRTAB_L2_STES; i++) {
		dword0 = le64_to_cpu(stes[i * STRTAB_STE_DWORDS]);
		if (dword0 & STRTAB_STE_0_V &&
		    FIELD_GET(STRTAB_STE_0_CFG, dword0) != STRTAB_STE_0_CFG_ABORT)
			return true;
	}

	return false;
}

/* Shadow a group of STEs that the hardware can't reach yet */
static void strtab_fill_group(struct pkvm_smmu *smmu, u32 group, __le64 *ste)
{
	u64 hw[STRTAB_STE_DWORDS];
	phys_addr_t stes = 0;
	u32 n = host_group(smmu, group, &stes), i;

	for (i = 0; i < n; i++, ste += STRTAB_STE_DWORDS) {
		strtab_shadow(smmu, group + i, stes, n, hw);
		strtab_store(ste, hw);
	}
}

/*
 * Give a page of streams a second level, which holds what the host's table holds:
 * a real SMMU would fetch any of them from now on. A table whose STEs all abort, or are
 * invalid, gets none of the last half of the pages. The rest of the pool is for the stage 2.
 */
static void strtab_add_l2(struct pkvm_smmu *smmu, u32 sid)
{
	u32 first = ALIGN_DOWN(sid, STRTAB_L2_STES), i;
	__le64 *stes;
	u64 desc;

	smmu_spend(smmu, SMMU_WORK_PER_L2);
	stes = smmu->strtab.nr_l2 < PKVM_SMMU_L2_TABLES ? hal_page_alloc() : NULL;
	if (!stes) {
		smmu_report(smmu, PKVM_SMMU_FAILED_TABLE, sid, 0);
		return;
	}

	strtab_init_stes(smmu, stes, STRTAB_L2_STES);
	for (i = 0; i < STRTAB_L2_STES; i += STRTAB_GROUP)
		strtab_fill_group(smmu, first + i, &stes[i * STRTAB_STE_DWORDS]);
	if (smmu->strtab.nr_l2 >= PKVM_SMMU_L2_TABLES / 2 && !strtab_l2_passes(stes)) {
		hal_page_free(stes);
		return;
	}
	smmu->strtab.nr_l2++;

	desc = hal_virt_to_phys(stes) |
	       FIELD_PREP(STRTAB_L1_DESC_SPAN, PKVM_SMMU_STRTAB_SPLIT + 1);
	hal_wmb();
	strtab_write(&smmu->strtab.tab[sid >> PKVM_SMMU_STRTAB_SPLIT], desc);
	/* If it isn't seen: the host's own command has yet to come, for all levels */
	strtab_sync_ste(smmu, sid, false);
}

/*
 * Level 1 doesn't lead to a second level any more, once the caller has cleaned it and the
 * hardware has seen this. EL2 still finds it there: with Span 0 the hardware doesn't look
 * at the pointer.
 */
static void strtab_unlink_l2(struct pkvm_smmu *smmu, u32 idx)
{
	__le64 *desc = &smmu->strtab.tab[idx];

	WRITE_ONCE(*desc, *desc & cpu_to_le64(STRTAB_L1_DESC_L2PTR_MASK));
	smmu->strtab.dropped = true;
}

/* Free what has been unlinked. The hardware has seen that */
static void strtab_free_l2(struct pkvm_smmu *smmu)
{
	__le64 *tab = smmu->strtab.tab;
	u64 desc;
	u32 i;

	for (i = 0; i < BIT(smmu->feat.sid_bits) / STRTAB_L2_STES; i++) {
		desc = le64_to_cpu(tab[i]);
		if (!desc || FIELD_GET(STRTAB_L1_DESC_SPAN, desc))
			continue;
		hal_page_free(hal_phys_to_virt(desc));
		/* Nor does the hardware look at this: Span is 0 already */
		WRITE_ONCE(tab[i], cpu_to_le64(0));
		smmu->strtab.nr_l2--;
	}
	smmu->strtab.dropped = false;
}

/* Returns false if the hardware may still be looking at what has been unlinked */
static bool strtab_reclaim_l2(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_all();
	int ret;

	if (!smmu->strtab.dropped)
		return true;

	ret = smmu_hwq_run(smmu, &cmd, 1);
	smmu_spend(smmu, 1);
	if (!ret)
		strtab_free_l2(smmu);

	return !ret;
}

/* The host has taken its table away: if no stream is left here, so does EL2 */
static void strtab_drop_l2(struct pkvm_smmu *smmu, u32 sid)
{
	__le64 *stes = strtab_ste(smmu, ALIGN_DOWN(sid, STRTAB_L2_STES));
	u32 i;

	for (i = 0; i < STRTAB_L2_STES; i++) {
		if (stes[i * STRTAB_STE_DWORDS] & cpu_to_le64(STRTAB_STE_0_V))
			return;
	}

	strtab_unlink_l2(smmu, sid >> PKVM_SMMU_STRTAB_SPLIT);
	hal_clean(&smmu->strtab.tab[sid >> PKVM_SMMU_STRTAB_SPLIT], sizeof(*smmu->strtab.tab));
	strtab_reclaim_l2(smmu);
}

/*
 * Takes streams of one group anew, from *@sid on. Returns false if it is to be called
 * again, and will go on at *@sid.
 */
static bool strtab_refresh(struct pkvm_smmu *smmu, u32 *sid, u32 last, bool cached)
{
	u32 group = ALIGN_DOWN(*sid, STRTAB_GROUP);
	__le64 *ste = strtab_ste(smmu, *sid);
	phys_addr_t stes;

	smmu_spend(smmu, 1);
	if (ste) {
		if (!strtab_refresh_group(smmu, sid, last, ste, cached))
			return false;
		if (smmu->strtab.two_level && !host_group(smmu, group, &stes))
			strtab_drop_l2(smmu, group);
		return true;
	}

	if (host_group(smmu, group, &stes)) {
		if (!strtab_reclaim_l2(smmu))
			return false;
		strtab_add_l2(smmu, group);
	}
	*sid = last + 1;

	return true;
}

/*
 * As far as the budget and the hardware go. What was begun is gone on with, if it is
 * what is asked for again.
 */
static bool strtab_take(struct pkvm_smmu *smmu, const struct smmu_sid_range *sids,
			bool cached, bool enabling)
{
	struct smmu_strtab *tab = &smmu->strtab;
	u32 sid = sids->first, end;

	if (tab->next && tab->cached == cached && tab->enabling == enabling &&
	    tab->taking.first == sids->first && tab->taking.last == sids->last)
		sid = tab->next;

	tab->taking = *sids;
	tab->cached = cached;
	tab->enabling = enabling;
	while (sid <= sids->last) {
		end = min(sids->last, ALIGN_DOWN(sid, STRTAB_GROUP) + STRTAB_GROUP - 1);
		if (!smmu->budget || !strtab_refresh(smmu, &sid, end, cached)) {
			tab->next = sid;
			return false;
		}
	}
	tab->next = 0;

	return true;
}

/**
 * smmu_strtab_refresh() - take STEs of the host's anew
 * @smmu:	the SMMU; emu_lock held
 * @sids:	the streams, within the table
 *
 * Return: false if the budget did not suffice, or the hardware is not sure to have seen
 * it: to be called again, in another trap, with the same streams.
 */
bool smmu_strtab_refresh(struct pkvm_smmu *smmu, const struct smmu_sid_range *sids)
{
	return !smmu->strtab.live || strtab_take(smmu, sids, true, false);
}

/* Every stream aborts once the hardware has seen this */
static void strtab_clear(struct pkvm_smmu *smmu)
{
	u32 n = BIT(smmu->feat.sid_bits), i;

	if (smmu->strtab.two_level) {
		n /= STRTAB_L2_STES;
		for (i = 0; i < n; i++)
			strtab_unlink_l2(smmu, i);
		hal_clean(smmu->strtab.tab, n * sizeof(*smmu->strtab.tab));
		return;
	}

	for (i = 0; i < n; i++)
		WRITE_ONCE(smmu->strtab.tab[i * STRTAB_STE_DWORDS], cpu_to_le64(0));
	hal_clean(smmu->strtab.tab, n * STE_SIZE);
}

/* Returns 0 once the hardware has nothing cached, and the second-level tables are free */
static int strtab_forget(struct pkvm_smmu *smmu)
{
	/* While an STE is still in use, what it leads to can be cached again */
	const struct arm_smmu_cmd cmds[] = {
		arm_smmu_make_cmd_cfgi_all(),
		arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC),
		smmu_tlbi_all(),
	};
	int ret;

	strtab_clear(smmu);
	ret = smmu_hwq_run(smmu, cmds, ARRAY_SIZE(cmds));
	if (ret)
		return ret;

	smmu_tlbi_forgotten(smmu);
	if (smmu->strtab.two_level)
		strtab_free_l2(smmu);
	smmu->strtab.forgotten = true;

	return 0;
}

static bool strtab_smmuen_is_settled(struct pkvm_smmu *smmu)
{
	return !((hal_readl(smmu->base + ARM_SMMU_CR0ACK) ^ smmu->hw_cr0) & CR0_SMMUEN);
}

static int strtab_set_smmuen(struct pkvm_smmu *smmu, bool enable)
{
	u32 cr0 = smmu->hw_cr0 & ~CR0_SMMUEN;

	return smmu_hwq_write_cr0(smmu, enable ? cr0 | CR0_SMMUEN : cr0);
}

/*
 * No transaction is stalled once SMMUEN has become 0 (section 6.3.9.6), and only the
 * hardware knows which are. So EL2 clears the hardware's SMMUEN, and sets it again. In
 * between GBPA aborts all streams, and no STE is valid anyway.
 *
 * Returns 0 when that is done, -EAGAIN while the hardware has not acknowledged it, and
 * -EIO if the SMMU is broken.
 */
static int strtab_end_stalls(struct pkvm_smmu *smmu)
{
	if (smmu->strtab.may_stall) {
		if (smmu->hw_cr0 & CR0_SMMUEN) {
			smmu_hwq_set_smmu_off(smmu, true);
			if (strtab_set_smmuen(smmu, false))
				return -EIO;
		}
		if (!strtab_smmuen_is_settled(smmu))
			return -EAGAIN;
		if (strtab_set_smmuen(smmu, true))
			return -EIO;
		smmu->strtab.may_stall = false;
	}
	if (!smmu->hwq.smmu_off)
		return 0;
	if (!strtab_smmuen_is_settled(smmu))
		return -EAGAIN;
	smmu_hwq_set_smmu_off(smmu, false);

	return 0;
}

/**
 * smmu_strtab_disable() - the host has disabled its SMMU
 * @smmu:	the SMMU; emu_lock held
 *
 * When it returns 0 every stream aborts, the hardware has nothing cached, no
 * transaction is stalled, and the second-level tables are free. Else it is to be
 * called again.
 *
 * Return: 0, or a negative error while the hardware has not answered.
 */
int smmu_strtab_disable(struct pkvm_smmu *smmu)
{
	int ret;

	smmu->strtab.live = false;
	if (!smmu->strtab.forgotten) {
		ret = strtab_forget(smmu);
		if (ret)
			return ret;
	}

	return strtab_end_stalls(smmu);
}

/**
 * smmu_strtab_enable() - the host has enabled its SMMU
 * @smmu:	the SMMU; emu_lock held
 *
 * Return: 0; -EAGAIN if the budget did not suffice, or another error if the hardware has not
 * answered: to be called again, in another trap.
 */
int smmu_strtab_enable(struct pkvm_smmu *smmu)
{
	struct smmu_sid_range all = { .last = BIT(smmu->feat.sid_bits) - 1 };
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_all();
	struct smmu_strtab *tab = &smmu->strtab;
	bool cached;
	int ret;

	/* The hardware may not have answered when the host disabled its SMMU */
	if (!tab->live) {
		ret = smmu_strtab_disable(smmu);
		if (ret)
			return ret;
	}

	/* At first all STEs have V=0. If a CFGI got in between then some may not */
	cached = tab->live && !(tab->next && !tab->cached);
	tab->forgotten = false;
	tab->may_stall = smmu->feat.stalls;
	tab->live = true;
	if (!strtab_take(smmu, &all, cached, true))
		return -EAGAIN;

	return smmu_hwq_run(smmu, &cmd, 1);
}

/**
 * smmu_strtab_init() - an empty table
 * @smmu:	the SMMU, with the table's memory zeroed and its format chosen
 */
void smmu_strtab_init(struct pkvm_smmu *smmu)
{
	if (!smmu->strtab.two_level)
		strtab_init_stes(smmu, smmu->strtab.tab, BIT(smmu->feat.sid_bits));
}
