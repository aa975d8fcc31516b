// SPDX-License-Identifier: GPL-2.0-only
/*
 * No command of the host's becomes one that it may not give.
 */
#include "proof.h"

void prove_cmd_is_safe(void)
{
	struct smmu_features feat = {
		.ssid_bits = nondet_u8(), .sid_bits = nondet_u8(), .ril = nondet_bool(),
		.asid16 = nondet_bool(), .stalls = nondet_bool(),
	};
	struct arm_smmu_cmd host = { .data = { nondet_u64(), nondet_u64() } }, hw = {};
	struct smmu_sid_range sids = { .first = 1 };
	enum smmu_cmd_action action;
	u64 op, sid;

	SUPPOSE(feat.sid_bits <= 25 && feat.ssid_bits <= 20);
	action = smmu_cmd_from_host(&feat, &host, &hw, &sids);
	if (action == SMMU_CMD_ILLEGAL || action == SMMU_CMD_DROP)
		return;

	op = hw.data[0] & 0xff;
	sid = hw.data[0] >> 32;
	PROVE(action == SMMU_CMD_FORWARD || action == SMMU_CMD_STES || action == SMMU_CMD_SYNC,
	      "an action that there is");
	PROVE(op == 0x03 || op == 0x04 || op == 0x05 || op == 0x06 || op == 0x10 || op == 0x11 ||
	      op == 0x12 || op == 0x13 || op == 0x44 || op == 0x45 || op == 0x46,
	      "a command that the host may give");
	PROVE(!(hw.data[0] & BIT_ULL(10)), "not for the secure state");

	if (op >= 0x10 && op <= 0x13)
		PROVE(!((hw.data[0] >> 32) & 0xffff), "EL2's VMID");
	if (op == 0x11 || op == 0x12)
		PROVE(feat.asid16 || !(hw.data[0] >> 56), "an ASID that there can be");
	if (op == 0x12 || op == 0x13) {
		u64 tg = hw.data[1] >> 10 & 3, ttl = hw.data[1] >> 8 & 3;
		u64 num_scale = hw.data[0] & (GENMASK_ULL(16, 12) | GENMASK_ULL(25, 20));

		PROVE(feat.ril || !(tg | ttl | num_scale), "no ranges where there are none");
		PROVE(tg || !(ttl | num_scale), "no reserved encoding: a range without granule");
		PROVE(!tg || ttl || num_scale, "no reserved encoding: granule without range");
		PROVE(tg != 2 || ttl != 1, "nor a level that has leaves with DS only");
		PROVE(!(hw.data[0] & BIT_ULL(25)), "nor a scale");
	}
	if (op == 0x03 || op == 0x05 || op == 0x06 || op == 0x44 || op == 0x45)
		PROVE(!(sid >> feat.sid_bits), "a stream of the table");
	if (op == 0x05)
		PROVE(!((hw.data[0] >> 12 & GENMASK_ULL(19, 0)) >> feat.ssid_bits),
		      "a substream that there can be");
	if (op == 0x44 || op == 0x45)
		PROVE(feat.stalls, "stalls where there are any");
	if (op == 0x46)
		PROVE(hw.data[0] == 0x46 && !hw.data[1], "EL2's own CMD_SYNC: it names no address");
	PROVE((action == SMMU_CMD_SYNC) == (op == 0x46), "CMD_SYNC is waited for");

	PROVE((action == SMMU_CMD_STES) == (op == 0x03 || op == 0x04),
	      "what names STEs has them taken anew");
	if (action == SMMU_CMD_STES) {
		PROVE(sids.first <= sids.last && !((u64)sids.last >> feat.sid_bits),
		      "streams of the table");
		if (op == 0x03) {
			PROVE(sids.first == sid && sids.last == sid, "that one");
		} else {
			u64 span = 2ULL << (hw.data[1] & 0x1f);

			PROVE(sids.first == (sid & ~(span - 1)), "from the first of the range");
			PROVE(sids.last == min((u64)sids.first + span, 1ULL << feat.sid_bits) - 1,
			      "to the last that there is");
		}
	}
}

/* What the host's driver sends goes through as it is */
void prove_cmd_serves(void)
{
	struct smmu_features feat = {
		.ssid_bits = 20, .sid_bits = 16, .ril = true, .asid16 = true,
	};
	u64 tg = nondet_u8() & 3, level = 1 + nondet_u8() % 3, range = nondet_u64();
	u64 asid = nondet_u64() << 48, va = nondet_u64() & ~GENMASK_ULL(11, 0);
	u64 sid = (nondet_u64() & 0xffff) << 32, leaf = nondet_u64() & 1;
	static const struct { u64 op, with_sid, with_asid, with_va; } cmds[] = {
		{ 0x03, 1, 0, 0 }, { 0x05, 1, 0, 0 }, { 0x06, 1, 0, 0 },
		{ 0x10, 0, 0, 0 }, { 0x11, 0, 1, 0 }, { 0x12, 0, 1, 1 }, { 0x46, 0, 0, 0 },
	};
	enum smmu_cmd_action action;
	struct smmu_sid_range sids;
	struct arm_smmu_cmd host, hw;
	unsigned int i = nondet_u32();

	SUPPOSE(i < ARRAY_SIZE(cmds));
	host.data[0] = cmds[i].op | (cmds[i].with_sid ? sid : 0) | (cmds[i].with_asid ? asid : 0);
	host.data[1] = cmds[i].with_va ? va | leaf : 0;
	/* A range of leaves, of a level that has them */
	if (cmds[i].with_va && tg) {
		SUPPOSE(level > 1 || tg != 2);
		host.data[0] |= range & (GENMASK_ULL(16, 12) | GENMASK_ULL(24, 20));
		host.data[1] |= tg << 10 | level << 8;
	}
	action = smmu_cmd_from_host(&feat, &host, &hw, &sids);
	PROVE(action != SMMU_CMD_ILLEGAL && action != SMMU_CMD_DROP, "it is legal");
	PROVE(hw.data[0] == host.data[0] && hw.data[1] == host.data[1], "and unchanged");
}
