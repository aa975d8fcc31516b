// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a host's command to the hardware's.
 *
 * The host can invalidate configuration and its own stage 1, prefetch, and wait.
 * Each opcode has a mask of the bits that it may set; any other opcode, and any
 * other bit, makes the command illegal. VMIDs are EL2's, and no physical address
 * gets through: CMD_SYNC, which can name one, is EL2's own.
 *
 * Pure: no locks, no memory but the arguments. See "Commands" in the SMMUv3
 * architecture (Arm IHI 0070), chapter 4.
 */
#include <linux/kernel.h>

#include "smmu.h"

#define CMD_OP_PREFETCH_ADDR	0x2
#define CMD_OP_STALL_TERM	0x45

#define PREFETCH_0		(CMDQ_0_OP | CMDQ_0_SSV | CMDQ_CFGI_0_SSID | \
				 CMDQ_PREFETCH_0_SID)
#define PREFETCH_1		(CMDQ_PREFETCH_1_SIZE | CMDQ_PREFETCH_1_ADDR_MASK)
#define CFGI_0_SID		(CMDQ_0_OP | CMDQ_CFGI_0_SID)
#define TLBI_0_ASID		(CMDQ_0_OP | CMDQ_TLBI_0_VMID | CMDQ_TLBI_0_ASID)
#define TLBI_0_RANGE		(CMDQ_TLBI_0_NUM | CMDQ_TLBI_0_SCALE)
#define TLBI_1_RANGE		(CMDQ_TLBI_1_TTL | CMDQ_TLBI_1_TG)
#define TLBI_1_VA		(CMDQ_TLBI_1_LEAF | TLBI_1_RANGE | CMDQ_TLBI_1_VA_MASK)

/* Any CS completes when the command does; cmdq.c has what CS=IRQ does */
#define SYNC_0			(CMDQ_0_OP | CMDQ_SYNC_0_CS | CMDQ_SYNC_0_MSH | \
				 CMDQ_SYNC_0_MSIATTR | CMDQ_SYNC_0_MSIDATA)

/**
 * struct cmd_rule - what the host may set in a command
 * @opcode:	CMDQ_0_OP
 * @action:	what becomes of it if it sets nothing else
 * @allowed:	the bits that it may set
 */
struct cmd_rule {
	u8			opcode;
	enum smmu_cmd_action	action;
	u64			allowed[CMDQ_ENT_DWORDS];
};

/* The ones that come most often come first */
static const struct cmd_rule cmd_rules[] = {
	{ CMDQ_OP_CMD_SYNC,	SMMU_CMD_SYNC,
	  { SYNC_0, CMDQ_SYNC_1_MSIADDR_MASK } },
	{ CMDQ_OP_TLBI_NH_VA,	SMMU_CMD_FORWARD,
	  { TLBI_0_ASID | TLBI_0_RANGE, TLBI_1_VA } },
	{ CMDQ_OP_PREFETCH_CFG,	SMMU_CMD_DROP,		{ PREFETCH_0, PREFETCH_1 } },
	{ CMD_OP_PREFETCH_ADDR,	SMMU_CMD_DROP,		{ PREFETCH_0, PREFETCH_1 } },
	{ CMDQ_OP_CFGI_STE,	SMMU_CMD_STES,
	  { CFGI_0_SID, CMDQ_CFGI_1_LEAF } },
	{ CMDQ_OP_CFGI_ALL,	SMMU_CMD_STES,
	  { CFGI_0_SID, CMDQ_CFGI_1_RANGE } },
	{ CMDQ_OP_CFGI_CD,	SMMU_CMD_FORWARD,
	  { CFGI_0_SID | CMDQ_CFGI_0_SSID, CMDQ_CFGI_1_LEAF } },
	{ CMDQ_OP_CFGI_CD_ALL,	SMMU_CMD_FORWARD,	{ CFGI_0_SID, 0 } },
	{ CMDQ_OP_TLBI_NH_ALL,	SMMU_CMD_FORWARD,
	  { CMDQ_0_OP | CMDQ_TLBI_0_VMID, 0 } },
	{ CMDQ_OP_TLBI_NH_ASID,	SMMU_CMD_FORWARD,	{ TLBI_0_ASID, 0 } },
	{ CMDQ_OP_TLBI_NH_VAA,	SMMU_CMD_FORWARD,
	  { CMDQ_0_OP | CMDQ_TLBI_0_VMID | TLBI_0_RANGE, TLBI_1_VA } },
	{ CMDQ_OP_TLBI_NSNH_ALL, SMMU_CMD_FORWARD,	{ CMDQ_0_OP, 0 } },
	{ CMDQ_OP_RESUME,	SMMU_CMD_FORWARD,
	  { CMDQ_0_OP | CMDQ_RESUME_0_RESP | CMDQ_RESUME_0_SID,
	    CMDQ_RESUME_1_STAG } },
	{ CMD_OP_STALL_TERM,	SMMU_CMD_FORWARD,	{ CFGI_0_SID, 0 } },
};

static const struct cmd_rule *cmd_rule_find(u8 opcode)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmd_rules); i++) {
		if (cmd_rules[i].opcode == opcode)
			return &cmd_rules[i];
	}

	return NULL;
}

/*
 * Section 4.4.1.1: without a granule (TG) the command names one address, and the
 * fields of a range are reserved. With one, they can't all be 0, and level 1 has
 * leaves for 4K only.
 */
static bool cmd_range_is_legal(const struct smmu_features *feat,
			       const struct arm_smmu_cmd *cmd)
{
	u64 tg = FIELD_GET(CMDQ_TLBI_1_TG, cmd->data[1]);
	u64 ttl = FIELD_GET(CMDQ_TLBI_1_TTL, cmd->data[1]);

	if (!tg)
		return !(cmd->data[0] & TLBI_0_RANGE) &&
		       !(cmd->data[1] & TLBI_1_RANGE);

	return feat->ril && (ttl || (cmd->data[0] & TLBI_0_RANGE)) &&
	       !(tg != 1 && ttl == 1);
}

static bool cmd_sid_is_legal(const struct smmu_features *feat, u32 sid)
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
	u8 opcode = FIELD_GET(CMDQ_0_OP, host->data[0]);
	u32 sid = FIELD_GET(CMDQ_CFGI_0_SID, host->data[0]);
	const struct cmd_rule *rule = cmd_rule_find(opcode);
	u64 span;

	*hw = *host;

	if (!rule || host->data[0] & ~rule->allowed[0] ||
	    host->data[1] & ~rule->allowed[1])
		return SMMU_CMD_ILLEGAL;

	switch (opcode) {
	case CMDQ_OP_CFGI_STE:
		sids->first = sid;
		sids->last = sid;
		/* EL2 may have a new second level for it, though the host has not */
		hw->data[1] &= ~CMDQ_CFGI_1_LEAF;
		fallthrough;
	case CMDQ_OP_CFGI_CD_ALL:
		if (!cmd_sid_is_legal(feat, sid))
			return SMMU_CMD_ILLEGAL;
		break;
	case CMDQ_OP_CFGI_CD:
		if (!cmd_sid_is_legal(feat, sid) ||
		    FIELD_GET(CMDQ_CFGI_0_SSID, host->data[0]) >> feat->ssid_bits)
			return SMMU_CMD_ILLEGAL;
		break;
	case CMDQ_OP_CFGI_ALL:
		/* Also CFGI_STE_RANGE; a range of 31 is all streams */
		span = 2ULL << FIELD_GET(CMDQ_CFGI_1_RANGE, host->data[1]);
		sids->first = sid & ~(span - 1);
		sids->last = min(sids->first + span, 1ULL << feat->sid_bits) - 1;
		if (!cmd_sid_is_legal(feat, sids->first))
			return SMMU_CMD_ILLEGAL;
		break;
	case CMDQ_OP_TLBI_NH_VA:
	case CMDQ_OP_TLBI_NH_VAA:
		if (!cmd_range_is_legal(feat, host))
			return SMMU_CMD_ILLEGAL;
		fallthrough;
	case CMDQ_OP_TLBI_NH_ALL:
	case CMDQ_OP_TLBI_NH_ASID:
		hw->data[0] &= ~CMDQ_TLBI_0_VMID;
		hw->data[0] |= FIELD_PREP(CMDQ_TLBI_0_VMID, SMMU_VMID);
		break;
	case CMDQ_OP_TLBI_NSNH_ALL:
		*hw = arm_smmu_make_cmd_tlbi(CMDQ_OP_TLBI_NH_ALL, 0, SMMU_VMID);
		break;
	case CMDQ_OP_RESUME:
		if (FIELD_GET(CMDQ_RESUME_0_RESP, host->data[0]) >
		    CMDQ_RESUME_0_RESP_ABORT)
			return SMMU_CMD_ILLEGAL;
		fallthrough;
	case CMD_OP_STALL_TERM:
		if (!feat->stalls || !cmd_sid_is_legal(feat, sid))
			return SMMU_CMD_ILLEGAL;
		break;
	case CMDQ_OP_CMD_SYNC:
		if (FIELD_GET(CMDQ_SYNC_0_CS, host->data[0]) > CMDQ_SYNC_0_CS_SEV)
			return SMMU_CMD_ILLEGAL;
		*hw = arm_smmu_make_cmd_op(CMDQ_OP_CMD_SYNC);
		break;
	}

	return rule->action;
}
