// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the host's command to the hardware's.
 *
 * - The host can prefetch, invalidate configuration and its stage 1, resume and
 *   terminate stalled transactions, and wait (CMD_SYNC).
 * - Each of these opcodes has a mask of the bits that the host may set. With
 *   any other opcode or bit the command is illegal.
 * - A command for a StreamID or SubstreamID that is out of range has no effect
 *   and is no error (section 4.1.7).
 * - The hardware's command has EL2's VMID and no physical address. EL2 builds
 *   its own CMD_SYNC, without the host's MSI address.
 *
 * The function has no state, takes no lock and accesses only its arguments. See
 * chapter 4 of the SMMUv3 architecture (Arm IHI 0070).
 *
 * arm_vsmmu_validate_user_cmd() has some of these rules for user space. It
 * cannot be shared: it works on the host driver's structures, fails with an
 * error where EL2 has to do nothing, and does not know the commands that only a
 * driver uses.
 */
#include <linux/kernel.h>

#include "cmd.h"

#define CMD_OP_PREFETCH_ADDR	0x2
#define CMD_OP_STALL_TERM	0x45
#define CMD_TG_16K		2

#define PREFETCH_0		(CMDQ_0_OP | CMDQ_0_SSV | CMDQ_CFGI_0_SSID | \
				 CMDQ_PREFETCH_0_SID)
#define PREFETCH_1		(CMDQ_PREFETCH_1_SIZE | \
				 CMDQ_PREFETCH_1_ADDR_MASK)
#define CFGI_0_SID		(CMDQ_0_OP | CMDQ_CFGI_0_SID)
#define TLBI_0			(CMDQ_0_OP | CMDQ_TLBI_0_VMID)
/* SCALE has a sixth bit only with IDR5.DS, which EL2 hides from the host */
#define TLBI_0_SCALE		GENMASK_ULL(24, 20)
#define TLBI_0_RANGE		(CMDQ_TLBI_0_NUM | TLBI_0_SCALE)
/* Reserved without IDR0.ASID16 */
#define TLBI_0_ASID_HIGH	GENMASK_ULL(63, 56)
#define TLBI_1_RANGE		(CMDQ_TLBI_1_TTL | CMDQ_TLBI_1_TG)
#define TLBI_1_VA		(CMDQ_TLBI_1_LEAF | TLBI_1_RANGE | \
				 CMDQ_TLBI_1_VA_MASK)

/* EL2 signals the completion itself, also with CS=IRQ (cmdq.c) */
#define SYNC_0			(CMDQ_0_OP | CMDQ_SYNC_0_CS | \
				 CMDQ_SYNC_0_MSH | CMDQ_SYNC_0_MSIATTR | \
				 CMDQ_SYNC_0_MSIDATA)

/**
 * struct cmd_rule - a command that the host may use
 * @action:	what EL2 does with it
 * @allowed:	the bits that the host may set; with any other the command is
 *		illegal
 */
struct cmd_rule {
	enum smmu_cmd_action	action;
	u64			allowed[CMDQ_ENT_DWORDS];
};

static_assert(SMMU_CMD_ILLEGAL == 0, "opcodes without a rule are illegal");

#define DROP(...)	{ SMMU_CMD_DROP, { __VA_ARGS__ } }
#define FORWARD(...)	{ SMMU_CMD_FORWARD, { __VA_ARGS__ } }
#define STES(...)	{ SMMU_CMD_STES, { __VA_ARGS__ } }
#define SYNC(...)	{ SMMU_CMD_SYNC, { __VA_ARGS__ } }

/* By opcode. CMDQ_0_OP is a mask from bit 0 on */
static const struct cmd_rule cmd_rules[CMDQ_0_OP + 1] = {
	[CMDQ_OP_PREFETCH_CFG]	= DROP(PREFETCH_0, PREFETCH_1),
	[CMD_OP_PREFETCH_ADDR]	= DROP(PREFETCH_0, PREFETCH_1),
	[CMDQ_OP_CFGI_STE]	= STES(CFGI_0_SID, CMDQ_CFGI_1_LEAF),
	[CMDQ_OP_CFGI_ALL]	= STES(CFGI_0_SID, CMDQ_CFGI_1_RANGE),
	[CMDQ_OP_CFGI_CD]	= FORWARD(CFGI_0_SID | CMDQ_CFGI_0_SSID,
					  CMDQ_CFGI_1_LEAF),
	[CMDQ_OP_CFGI_CD_ALL]	= FORWARD(CFGI_0_SID),
	[CMDQ_OP_TLBI_NH_ALL]	= FORWARD(TLBI_0),
	[CMDQ_OP_TLBI_NH_ASID]	= FORWARD(TLBI_0 | CMDQ_TLBI_0_ASID),
	[CMDQ_OP_TLBI_NH_VA]	= FORWARD(TLBI_0 | CMDQ_TLBI_0_ASID |
					  TLBI_0_RANGE, TLBI_1_VA),
	[CMDQ_OP_TLBI_NH_VAA]	= FORWARD(TLBI_0 | TLBI_0_RANGE, TLBI_1_VA),
	[CMDQ_OP_TLBI_NSNH_ALL]	= FORWARD(CMDQ_0_OP),
	[CMDQ_OP_RESUME]	= FORWARD(CFGI_0_SID | CMDQ_RESUME_0_RESP,
					  CMDQ_RESUME_1_STAG),
	[CMD_OP_STALL_TERM]	= FORWARD(CFGI_0_SID),
	[CMDQ_OP_CMD_SYNC]	= SYNC(SYNC_0, CMDQ_SYNC_1_MSIADDR_MASK),
};

/*
 * Section 4.4.1.1: without a granule (TG) the command names one address, and
 * NUM, SCALE and TTL are reserved. With a granule, not all of them may be 0.
 *
 * Without IDR5.DS a 16K granule has no leaves at level 1, and TTL = 1 means the
 * same as TTL = 0. The host sees no IDR5.DS. Hardware that has it would limit
 * the invalidation to level 1, so EL2 clears TTL.
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
 * @feat:	the SMMU
 * @host:	EL2's copy of the host's command
 * @hw:		set to the command for the hardware
 * @sids:	with SMMU_CMD_STES, set to the StreamIDs that the command names,
 *		limited to those that the shadow stream table covers
 *
 * Return: what EL2 does with the command.
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
		/* The SMMU must also read EL2's level-1 descriptor again */
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
		/* The same opcode as CFGI_STE_RANGE; a range of 31 names all */
		span = 2ULL << FIELD_GET(CMDQ_CFGI_1_RANGE, dword1);
		sids->first = sid & ~(span - 1);
		span += sids->first;
		sids->last = min(span, 1ULL << feat->sid_bits) - 1;
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
