// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a host's command to the hardware's.
 *
 * The host can invalidate configuration and its own stage 1, prefetch, and wait.
 * Each opcode has a mask of the bits that it may set; any other opcode, and any
 * other bit, makes the command illegal. VMIDs are EL2's, and no physical address
 * gets through: CMD_SYNC, which can name one, is EL2's own.
 *
 * A StreamID or SubstreamID that is out of range is not an error: the command
 * has no effect (section 4.1.7).
 *
 * Pure: no locks, no memory but the arguments. See "Commands" in the SMMUv3
 * architecture (Arm IHI 0070), chapter 4.
 */
#include <linux/kernel.h>

#include "smmu.h"

#define CMD_OP_PREFETCH_ADDR	0x2
#define CMD_OP_STALL_TERM	0x45
#define CMD_TG_16K		2

#define PREFETCH_0		(CMDQ_0_OP | CMDQ_0_SSV | CMDQ_CFGI_0_SSID | \
				 CMDQ_PREFETCH_0_SID)
#define PREFETCH_1		(CMDQ_PREFETCH_1_SIZE | CMDQ_PREFETCH_1_ADDR_MASK)
#define CFGI_0_SID		(CMDQ_0_OP | CMDQ_CFGI_0_SID)
#define TLBI_0			(CMDQ_0_OP | CMDQ_TLBI_0_VMID)
/* SCALE has a sixth bit with IDR5.DS only, which is hidden from the host */
#define TLBI_0_SCALE		GENMASK_ULL(24, 20)
#define TLBI_0_RANGE		(CMDQ_TLBI_0_NUM | TLBI_0_SCALE)
/* Reserved without IDR0.ASID16 */
#define TLBI_0_ASID_HIGH	GENMASK_ULL(63, 56)
#define TLBI_1_RANGE		(CMDQ_TLBI_1_TTL | CMDQ_TLBI_1_TG)
#define TLBI_1_VA		(CMDQ_TLBI_1_LEAF | TLBI_1_RANGE | CMDQ_TLBI_1_VA_MASK)

/* Any CS completes when the command does; cmdq.c has what CS=IRQ does */
#define SYNC_0			(CMDQ_0_OP | CMDQ_SYNC_0_CS | CMDQ_SYNC_0_MSH | \
				 CMDQ_SYNC_0_MSIATTR | CMDQ_SYNC_0_MSIDATA)

/**
 * struct cmd_rule - what the host may set in a command
 * @action:	what becomes of it if it sets nothing else
 * @allowed:	the bits that it may set
 */
struct cmd_rule {
	enum smmu_cmd_action	action;
	u64			allowed[CMDQ_ENT_DWORDS];
};

static_assert(SMMU_CMD_ILLEGAL == 0, "what isn't listed is illegal");

/* Indexed by opcode, the bits CMDQ_0_OP of a command, which begin at 0 */
static const struct cmd_rule cmd_rules[CMDQ_0_OP + 1] = {
	[CMDQ_OP_PREFETCH_CFG]	= { SMMU_CMD_DROP,	{ PREFETCH_0, PREFETCH_1 } },
	[CMD_OP_PREFETCH_ADDR]	= { SMMU_CMD_DROP,	{ PREFETCH_0, PREFETCH_1 } },
	[CMDQ_OP_CFGI_STE]	= { SMMU_CMD_STES,	{ CFGI_0_SID, CMDQ_CFGI_1_LEAF } },
	[CMDQ_OP_CFGI_ALL]	= { SMMU_CMD_STES,	{ CFGI_0_SID, CMDQ_CFGI_1_RANGE } },
	[CMDQ_OP_CFGI_CD]	= { SMMU_CMD_FORWARD,
				    { CFGI_0_SID | CMDQ_CFGI_0_SSID, CMDQ_CFGI_1_LEAF } },
	[CMDQ_OP_CFGI_CD_ALL]	= { SMMU_CMD_FORWARD,	{ CFGI_0_SID, 0 } },
	[CMDQ_OP_TLBI_NH_ALL]	= { SMMU_CMD_FORWARD,	{ TLBI_0, 0 } },
	[CMDQ_OP_TLBI_NH_ASID]	= { SMMU_CMD_FORWARD,	{ TLBI_0 | CMDQ_TLBI_0_ASID, 0 } },
	[CMDQ_OP_TLBI_NH_VA]	= { SMMU_CMD_FORWARD,
				    { TLBI_0 | CMDQ_TLBI_0_ASID | TLBI_0_RANGE, TLBI_1_VA } },
	[CMDQ_OP_TLBI_NH_VAA]	= { SMMU_CMD_FORWARD,	{ TLBI_0 | TLBI_0_RANGE, TLBI_1_VA } },
	[CMDQ_OP_TLBI_NSNH_ALL]	= { SMMU_CMD_FORWARD,	{ CMDQ_0_OP, 0 } },
	[CMDQ_OP_RESUME]	= { SMMU_CMD_FORWARD,
				    { CFGI_0_SID | CMDQ_RESUME_0_RESP, CMDQ_RESUME_1_STAG } },
	[CMD_OP_STALL_TERM]	= { SMMU_CMD_FORWARD,	{ CFGI_0_SID, 0 } },
	[CMDQ_OP_CMD_SYNC]	= { SMMU_CMD_SYNC,	{ SYNC_0, CMDQ_SYNC_1_MSIADDR_MASK } },
};

/*
 * Section 4.4.1.1: without a granule (TG) the command names one address, and
 * NUM, SCALE and TTL are reserved. With a granule they must not all be 0.
 *
 * A 16K granule has no leaves at level 1 unless IDR5.DS is set. The host sees
 * IDR5.DS = 0, so TTL = 1 counts as TTL = 0. The hardware may have DS, and then
 * it would limit the invalidation to level 1. So clear TTL.
 */
static bool cmd_range_from_host(const struct smmu_features *feat,
				struct arm_smmu_cmd *hw)
{
	u64 tg = FIELD_GET(CMDQ_TLBI_1_TG, hw->data[1]);

	if (!tg)
		return !(hw->data[0] & TLBI_0_RANGE) &&
		       !(hw->data[1] & TLBI_1_RANGE);

	if (tg == CMD_TG_16K && FIELD_GET(CMDQ_TLBI_1_TTL, hw->data[1]) == 1)
		hw->data[1] &= ~CMDQ_TLBI_1_TTL;

	return feat->ril && (hw->data[0] & TLBI_0_RANGE ||
			     hw->data[1] & CMDQ_TLBI_1_TTL);
}

static bool cmd_sid_in_range(const struct smmu_features *feat, u32 sid)
{
	return !((u64)sid >> feat->sid_bits);
}

/**
 * smmu_cmd_from_host() - check and rewrite one command
 * @feat:	what the SMMU offers
 * @host:	EL2's copy of the host's command
 * @hw:		the command for the hardware, if there is one
 * @sids:	for SMMU_CMD_STES, the streams whose STEs are to be taken anew; the
 *		last one is within the table
 *
 * Return: what is to become of it.
 */
enum smmu_cmd_action smmu_cmd_from_host(const struct smmu_features *feat,
					const struct arm_smmu_cmd *host,
					struct arm_smmu_cmd *hw,
					struct smmu_sid_range *sids)
{
	u64 dword0 = host->data[0], dword1 = host->data[1], span;
	u8 opcode = FIELD_GET(CMDQ_0_OP, dword0);
	const struct cmd_rule *rule = &cmd_rules[opcode];
	u32 sid = FIELD_GET(CMDQ_CFGI_0_SID, dword0);

	hw->data[0] = dword0;
	hw->data[1] = dword1;

	if (dword0 & ~rule->allowed[0] || dword1 & ~rule->allowed[1])
		return SMMU_CMD_ILLEGAL;

	switch (opcode) {
	case CMDQ_OP_CFGI_STE:
		sids->first = sid;
		sids->last = sid;
		/* EL2 may have a new second level for it, though the host has not */
		hw->data[1] &= ~CMDQ_CFGI_1_LEAF;
		fallthrough;
	case CMDQ_OP_CFGI_CD_ALL:
		if (!cmd_sid_in_range(feat, sid))
			return SMMU_CMD_DROP;
		break;
	case CMDQ_OP_CFGI_CD:
		if (!cmd_sid_in_range(feat, sid) ||
		    FIELD_GET(CMDQ_CFGI_0_SSID, dword0) >> feat->ssid_bits)
			return SMMU_CMD_DROP;
		break;
	case CMDQ_OP_CFGI_ALL:
		/* Also CFGI_STE_RANGE; a range of 31 is all streams */
		span = 2ULL << FIELD_GET(CMDQ_CFGI_1_RANGE, dword1);
		sids->first = sid & ~(span - 1);
		sids->last = min(sids->first + span, 1ULL << feat->sid_bits) - 1;
		if (!cmd_sid_in_range(feat, sids->first))
			return SMMU_CMD_DROP;
		break;
	case CMDQ_OP_TLBI_NH_VA:
	case CMDQ_OP_TLBI_NH_VAA:
		if (!cmd_range_from_host(feat, hw))
			return SMMU_CMD_ILLEGAL;
		fallthrough;
	case CMDQ_OP_TLBI_NH_ALL:
	case CMDQ_OP_TLBI_NH_ASID:
		if (!feat->asid16 && dword0 & TLBI_0_ASID_HIGH)
			return SMMU_CMD_ILLEGAL;
		hw->data[0] &= ~CMDQ_TLBI_0_VMID;
		hw->data[0] |= FIELD_PREP(CMDQ_TLBI_0_VMID, SMMU_VMID);
		break;
	case CMDQ_OP_TLBI_NSNH_ALL:
		*hw = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_NH_ALL, 0, SMMU_VMID);
		break;
	case CMDQ_OP_RESUME:
	case CMD_OP_STALL_TERM:
		if (!feat->stalls)
			return SMMU_CMD_ILLEGAL;
		if (!cmd_sid_in_range(feat, sid))
			return SMMU_CMD_DROP;
		break;
	case CMDQ_OP_CMD_SYNC:
		if (FIELD_GET(CMDQ_SYNC_0_CS, dword0) > CMDQ_SYNC_0_CS_SEV)
			return SMMU_CMD_ILLEGAL;
		*hw = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
		break;
	}

	return rule->action;
}
