// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream table that the hardware walks. It is EL2's, both levels.
 *
 * It holds what the host's table held when the host last invalidated an entry,
 * as ste.c translates it, which is what a real SMMU may have cached. While the
 * host has its SMMU disabled it is empty, and every stream aborts; the hardware
 * stays enabled. What can't be read from the host, or for which EL2 has no page,
 * aborts.
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
#include <linux/string.h>

#include "smmu.h"

#define STE_SIZE		sizeof(struct arm_smmu_ste)
#define STRTAB_L2_STES		BIT(PKVM_SMMU_STRTAB_SPLIT)

/* The splits that the architecture has; any other value behaves as the first */
#define HOST_SPLIT_MIN		6
#define HOST_SPLIT_MID		8
#define HOST_SPLIT_MAX		10

static void strtab_init_stes(struct pkvm_smmu *smmu, __le64 *ste, u32 n)
{
	for (; n; n--, ste += STRTAB_STE_DWORDS) {
		WRITE_ONCE(ste[2], cpu_to_le64(smmu->feat.s2_ste[0]));
		WRITE_ONCE(ste[3], cpu_to_le64(smmu->feat.s2_ste[1]));
	}
}

/* The STE of a stream, or NULL if it has none and therefore aborts */
static __le64 *strtab_ste(struct pkvm_smmu *smmu, u32 sid)
{
	__le64 *stes;
	u64 desc;

	if (!smmu->strtab.two_level)
		return &smmu->strtab.tab[(u64)sid * STRTAB_STE_DWORDS];

	desc = le64_to_cpu(smmu->strtab.tab[sid >> PKVM_SMMU_STRTAB_SPLIT]);
	if (!desc)
		return NULL;

	stes = hal_phys_to_virt(desc & STRTAB_L1_DESC_L2PTR_MASK);
	return &stes[(sid % STRTAB_L2_STES) * STRTAB_STE_DWORDS];
}

/*
 * Where the host keeps the STE of a stream. The table's base and size were
 * latched when the host enabled its SMMU, but nothing in memory is: a level-1
 * descriptor is read once for each use.
 */
static int host_ste_addr(struct pkvm_smmu *smmu, u32 sid, phys_addr_t *pa)
{
	u32 cfg = smmu->host.strtab_cfg;
	phys_addr_t base = smmu->host.strtab_base & STRTAB_BASE_ADDR_MASK;
	u8 bits = FIELD_GET(STRTAB_BASE_CFG_LOG2SIZE, cfg);
	u8 split = FIELD_GET(STRTAB_BASE_CFG_SPLIT, cfg);
	__le64 l1_desc;
	u64 desc, span;
	int ret;

	bits = min(bits, smmu->feat.sid_bits);
	if (sid >> bits)
		return -ENOENT;

	switch (FIELD_GET(STRTAB_BASE_CFG_FMT, cfg)) {
	case STRTAB_BASE_CFG_FMT_LINEAR:
		*pa = ALIGN_DOWN(base, STE_SIZE << bits) + (u64)sid * STE_SIZE;
		return 0;
	case STRTAB_BASE_CFG_FMT_2LVL:
		if (smmu->strtab.two_level)
			break;
		fallthrough;
	default:
		return -EINVAL;
	}

	if (split != HOST_SPLIT_MID && split != HOST_SPLIT_MAX)
		split = HOST_SPLIT_MIN;

	base = ALIGN_DOWN(base, max(BIT_ULL(max(bits - split, 0)) * sizeof(l1_desc),
				    (u64)STE_SIZE));
	ret = hal_host_copy(&l1_desc, base + (sid >> split) * sizeof(l1_desc),
			    sizeof(l1_desc));
	if (ret)
		return ret;

	/* Span is log2 of the number of STEs, plus one; 0 is "no table" */
	desc = le64_to_cpu(l1_desc);
	span = FIELD_GET(STRTAB_L1_DESC_SPAN, desc);
	sid &= BIT(split) - 1;
	if (!span || span > split + 1 || sid >> (span - 1))
		return -ENOENT;

	base = ALIGN_DOWN(desc & STRTAB_L1_DESC_L2PTR_MASK, STE_SIZE << (span - 1));
	*pa = base + (u64)sid * STE_SIZE;

	return 0;
}

/* What the hardware is to do with a stream, as the host's table has it now */
static void strtab_translate(struct pkvm_smmu *smmu, u32 sid, u64 *hw)
{
	struct arm_smmu_ste ste;
	u64 host[STRTAB_STE_DWORDS];
	phys_addr_t pa;
	int i;

	/* V=0 if there is nothing to be read */
	if (host_ste_addr(smmu, sid, &pa) || hal_host_copy(&ste, pa, sizeof(ste)))
		memset(&ste, 0, sizeof(ste));

	for (i = 0; i < STRTAB_STE_DWORDS; i++)
		host[i] = le64_to_cpu(ste.data[i]);

	smmu_ste_from_host(&smmu->feat, host, hw);
}

/* Streams are never left live on a stale STE: if this fails nothing else works */
static void strtab_sync_ste(struct pkvm_smmu *smmu, u32 sid)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_ste(sid, true);

	smmu_hwq_run(smmu, &cmd);
}

/*
 * Dwords 0 and 1 are all that ever changes. If one does, that is one store, and
 * hitless. If both do, the stream aborts in between: V is cleared and seen to be
 * before dword 1 changes, and dword 1 is seen before V is set.
 */
static void strtab_publish(struct pkvm_smmu *smmu, u32 sid, __le64 *ste, const u64 *hw)
{
	u64 dword0 = le64_to_cpu(ste[0]), dword1 = le64_to_cpu(ste[1]);

	if (dword1 != hw[1]) {
		if (dword0 != hw[0] && (dword0 & STRTAB_STE_0_V)) {
			WRITE_ONCE(ste[0], cpu_to_le64(0));
			strtab_sync_ste(smmu, sid);
			dword0 = 0;
		}
		WRITE_ONCE(ste[1], cpu_to_le64(hw[1]));
		strtab_sync_ste(smmu, sid);
	}

	if (dword0 != hw[0]) {
		WRITE_ONCE(ste[0], cpu_to_le64(hw[0]));
		strtab_sync_ste(smmu, sid);
	}
}

/*
 * Give a page of streams a second level, holding what the host's table holds: a
 * real SMMU would fetch any of them from now on.
 */
static void strtab_add_l2(struct pkvm_smmu *smmu, u32 sid)
{
	u32 first = ALIGN_DOWN(sid, STRTAB_L2_STES);
	u64 hw[STRTAB_STE_DWORDS], desc;
	struct arm_smmu_cmd cmd;
	__le64 *stes;
	u32 i;

	/* The rest of the pool is for the stage 2 */
	if (smmu->strtab.nr_l2 == PKVM_SMMU_L2_TABLES)
		return;
	stes = hal_page_alloc();
	if (!stes)
		return;
	smmu->strtab.nr_l2++;

	strtab_init_stes(smmu, stes, STRTAB_L2_STES);
	for (i = 0; i < STRTAB_L2_STES; i++) {
		strtab_translate(smmu, first + i, hw);
		WRITE_ONCE(stes[i * STRTAB_STE_DWORDS + 1], cpu_to_le64(hw[1]));
		WRITE_ONCE(stes[i * STRTAB_STE_DWORDS], cpu_to_le64(hw[0]));
	}

	desc = hal_virt_to_phys(stes) |
	       FIELD_PREP(STRTAB_L1_DESC_SPAN, PKVM_SMMU_STRTAB_SPLIT + 1);
	hal_wmb();
	WRITE_ONCE(smmu->strtab.tab[sid >> PKVM_SMMU_STRTAB_SPLIT], cpu_to_le64(desc));

	cmd = arm_smmu_make_cmd_cfgi_ste(sid, false);
	smmu_hwq_run(smmu, &cmd);
}

/**
 * smmu_strtab_refresh() - take STEs of the host's anew
 * @smmu:	the SMMU; emu_lock held
 * @sids:	the streams, within the table
 *
 * Bounded by the size of the table.
 */
void smmu_strtab_refresh(struct pkvm_smmu *smmu, const struct smmu_sid_range *sids)
{
	u64 hw[STRTAB_STE_DWORDS];
	phys_addr_t pa;
	__le64 *ste;
	u32 sid;

	if (!smmu->strtab.live)
		return;

	for (sid = sids->first; sid <= sids->last; sid++) {
		ste = strtab_ste(smmu, sid);
		if (!ste && host_ste_addr(smmu, sid, &pa)) {
			/* Neither has a table for it, nor for those behind it */
			sid |= BIT(HOST_SPLIT_MIN) - 1;
			continue;
		}

		strtab_translate(smmu, sid, hw);
		if (ste)
			strtab_publish(smmu, sid, ste, hw);
		else if (hw[0] & STRTAB_STE_0_V)
			strtab_add_l2(smmu, sid);
	}
}

/**
 * smmu_strtab_enable() - the host has enabled its SMMU
 * @smmu:	the SMMU; emu_lock held
 */
void smmu_strtab_enable(struct pkvm_smmu *smmu)
{
	struct smmu_sid_range sids = {
		.last = BIT(smmu->feat.sid_bits) - 1,
	};

	smmu->strtab.live = true;
	smmu_strtab_refresh(smmu, &sids);
}

/**
 * smmu_strtab_disable() - the host has disabled its SMMU
 * @smmu:	the SMMU; emu_lock held
 *
 * When it returns 0 every stream aborts, and nothing that the hardware has cached
 * outlives the next smmu_strtab_enable(). Second-level tables stay, empty, for
 * the streams that had one.
 *
 * Return: 0, or -EIO if the hardware can't be made to forget.
 */
int smmu_strtab_disable(struct pkvm_smmu *smmu)
{
	struct arm_smmu_cmd cmd = arm_smmu_make_cmd_cfgi_all();
	u32 sid;
	int ret;

	smmu->strtab.live = false;
	for (sid = 0; !(sid >> smmu->feat.sid_bits); sid++) {
		__le64 *ste = strtab_ste(smmu, sid);

		if (ste)
			WRITE_ONCE(ste[0], cpu_to_le64(0));
		else
			sid |= STRTAB_L2_STES - 1;
	}

	ret = smmu_hwq_run(smmu, &cmd);
	if (ret)
		return ret;

	return smmu_tlbi_all(smmu);
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
