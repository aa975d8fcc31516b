// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd.c: which commands the host may give, bit by bit.
 *
 * The table here is written from the architecture (Arm IHI 0070, chapter 4) and
 * from what the host may do, not from cmd.c.
 */
#include <linux/kernel.h>

#include "test.h"

/* What a range has besides a granule: NUM and SCALE, TTL */
#define NUM_SCALE	(T_CMD_NUM | T_CMD_SCALE)
#define TTL_TG		(T_CMD_TTL | T_CMD_TG)

/**
 * struct cmd_expect - an opcode that the host may use
 * @opcode:	bits 7 to 0
 * @action:	what EL2 does with it
 * @allowed:	bits that may be set
 * @alone:	bits that are legal only together with others
 * @any:	bits that may be illegal or ignored
 */
struct cmd_expect {
	u8			opcode;
	enum smmu_cmd_action	action;
	u64			allowed[2];
	u64			alone[2];
	u64			any[2];
};

static const struct cmd_expect expects[] = {
	/* Hints: EL2 drops them, whatever they say */
	{ T_PREFETCH_CONFIG, SMMU_CMD_DROP, {}, {}, { ~T_CMD_SSEC, ~0ULL } },
	{ T_PREFETCH_ADDR, SMMU_CMD_DROP, {}, {}, { ~T_CMD_SSEC, ~0ULL } },
	{ T_CFGI_STE, SMMU_CMD_STES, { T_CMD_SID, T_CMD_LEAF } },
	{ T_CFGI_RANGE, SMMU_CMD_STES, { T_CMD_SID, T_CMD_RANGE } },
	{ T_CFGI_CD, SMMU_CMD_FORWARD, { T_CMD_SID | T_CMD_SSID, T_CMD_LEAF } },
	{ T_CFGI_CD_ALL, SMMU_CMD_FORWARD, { T_CMD_SID, 0 } },
	{ T_TLBI_NH_ALL, SMMU_CMD_FORWARD, { T_CMD_VMID, 0 } },
	{ T_TLBI_NH_ASID, SMMU_CMD_FORWARD, { T_CMD_VMID | T_CMD_ASID, 0 } },
	{ T_TLBI_NH_VA,
	  SMMU_CMD_FORWARD,
	  { T_CMD_VMID | T_CMD_ASID, T_CMD_LEAF | T_CMD_ADDR },
	  { NUM_SCALE, TTL_TG } },
	{ T_TLBI_NH_VAA,
	  SMMU_CMD_FORWARD,
	  { T_CMD_VMID, T_CMD_LEAF | T_CMD_ADDR },
	  { NUM_SCALE, TTL_TG } },
	{ T_TLBI_NSNH_ALL, SMMU_CMD_FORWARD, { 0, 0 } },
	{ T_RESUME,
	  SMMU_CMD_FORWARD,
	  { T_CMD_SID | T_RESUME_RESP, T_RESUME_STAG } },
	{ T_CMD_SYNC,
	  SMMU_CMD_SYNC,
	  { T_CS(T_SYNC_CS_SEV) | T_SYNC_MSH | T_SYNC_MSIATTR, T_SYNC_MSIADDR },
	  {},
	  { T_CS(T_SYNC_CS_IRQ) | T_SYNC_MSIDATA, 0 } },
};

static const struct smmu_features all_features = {
	.sid_bits = 32,
	.ssid_bits = 20,
	.ril = true,
	.asid16 = true,
	.stalls = true,
};

static enum smmu_cmd_action run(const struct smmu_features *feat, u64 dword0,
				u64 dword1, struct arm_smmu_cmd *hw,
				struct smmu_sid_range *sids)
{
	struct arm_smmu_cmd cmd = { .data = { dword0, dword1 } };

	return smmu_cmd_from_host(feat, &cmd, hw, sids);
}

static enum smmu_cmd_action action_of(const struct smmu_features *feat,
				      u64 dword0, u64 dword1)
{
	struct smmu_sid_range sids;
	struct arm_smmu_cmd hw;

	return run(feat, dword0, dword1, &hw, &sids);
}

static const struct cmd_expect *expect_find(u8 opcode)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(expects); i++) {
		if (expects[i].opcode == opcode)
			return &expects[i];
	}

	return NULL;
}

static void cmd_every_opcode(struct kunit *test)
{
	struct smmu_features few = { .sid_bits = 8 };
	const struct cmd_expect *expect;
	unsigned int op;

	for (op = 0; op < 256; op++) {
		/* See stall_test.c */
		if (op == T_STALL_TERM)
			continue;
		expect = expect_find(op);
		KUNIT_EXPECT_EQ_MSG(test, action_of(&all_features, op, 0),
				    expect ? expect->action : SMMU_CMD_ILLEGAL,
				    "0x%x", op);
		if (op != T_RESUME)
			KUNIT_EXPECT_EQ_MSG(test, action_of(&few, op, 0),
					    action_of(&all_features, op, 0),
					    "0x%x", op);
	}
	KUNIT_EXPECT_EQ(test, action_of(&few, T_RESUME, 0), SMMU_CMD_ILLEGAL);
}

/* Is this what the hardware must get for a command that passes? */
static void check_hw(struct kunit *test, const u64 *host,
		     const struct arm_smmu_cmd *hw)
{
	u8 opcode = host[0];
	u64 dword0 = host[0], dword1 = host[1];

	switch (opcode) {
	case T_CFGI_STE:
		/* EL2 clears Leaf, so that level-1 descriptors go, too */
		dword1 &= ~T_CMD_LEAF;
		break;
	case T_TLBI_NH_ALL:
	case T_TLBI_NH_ASID:
	case T_TLBI_NH_VA:
	case T_TLBI_NH_VAA:
		dword0 &= ~T_CMD_VMID;
		break;
	case T_TLBI_NSNH_ALL:
		/* TLBI_NH_ALL invalidates what is the host's only */
		dword0 = T_TLBI_NH_ALL;
		break;
	case T_CMD_SYNC:
		dword0 = T_CMD_SYNC;
		dword1 = 0;
		break;
	}
	KUNIT_EXPECT_EQ_MSG(test, hw->data[0], dword0, "0x%x", opcode);
	KUNIT_EXPECT_EQ_MSG(test, hw->data[1], dword1, "0x%x", opcode);
}

/* One bit of a command is set, besides its opcode */
static void expect_bit(struct kunit *test, const struct cmd_expect *e,
		       unsigned int bit)
{
	u64 cmd[2] = { e->opcode, 0 }, mask = 1ULL << (bit % 64);
	unsigned int i = bit / 64;
	enum smmu_cmd_action action;
	struct smmu_sid_range sids;
	struct arm_smmu_cmd hw;

	cmd[i] |= mask;
	/* cmd_ranges() tests a granule alone, and cmd_ssec() SSec */
	if (i && e->alone[i] & mask & T_CMD_TG)
		return;
	if (!i && mask == T_CMD_SSEC)
		return;

	action = run(&all_features, cmd[0], cmd[1], &hw, &sids);
	if (e->any[i] & mask && action == SMMU_CMD_ILLEGAL)
		return;
	KUNIT_EXPECT_EQ_MSG(test, action,
			    (e->allowed[i] | e->any[i]) & mask ?
			    e->action : SMMU_CMD_ILLEGAL,
			    "0x%x, bit %u", e->opcode, bit);
	if (action != SMMU_CMD_ILLEGAL && action != SMMU_CMD_DROP)
		check_hw(test, cmd, &hw);
}

static void cmd_every_bit(struct kunit *test)
{
	const struct cmd_expect *e;
	unsigned int bit;

	for (e = expects; e < expects + ARRAY_SIZE(expects); e++) {
		for (bit = 8; bit < 128; bit++)
			expect_bit(test, e, bit);
	}
}

/* All allowed bits at once: the hardware gets the fields, but not the VMID */
static void cmd_rewritten(struct kunit *test)
{
	static const u64 cmds[][2] = {
		{ T_CFGI_STE | T_CMD_SID, T_CMD_LEAF },
		{ T_CFGI_RANGE | T_CMD_SID, 31 },
		{ T_CFGI_CD | T_CMD_SID | T_CMD_SSID, T_CMD_LEAF },
		{ T_CFGI_CD_ALL | T_CMD_SID, 0 },
		{ T_TLBI_NH_ALL | T_CMD_VMID, 0 },
		{ T_TLBI_NH_ASID | T_CMD_VMID | T_CMD_ASID, 0 },
		{ T_TLBI_NH_VA | T_CMD_VMID | T_CMD_ASID | NUM_SCALE,
		  T_CMD_LEAF | T_CMD_ADDR | T_TTL(3) | T_TG(1) },
		{ T_TLBI_NH_VAA | T_CMD_VMID | NUM_SCALE,
		  T_CMD_LEAF | T_CMD_ADDR | T_TTL(3) | T_TG(1) },
		{ T_TLBI_NSNH_ALL, 0 },
		{ T_RESUME | T_CMD_SID | T_RESUME_RESP, T_RESUME_STAG },
		{ T_CMD_SYNC | T_CS(T_SYNC_CS_SEV) | T_SYNC_MSH |
			  T_SYNC_MSIATTR,
		  T_SYNC_MSIADDR },
	};
	struct smmu_sid_range sids;
	struct arm_smmu_cmd hw;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		KUNIT_EXPECT_EQ(test,
				run(&all_features, cmds[i][0], cmds[i][1], &hw,
				    &sids),
				expect_find(cmds[i][0])->action);
		check_hw(test, cmds[i], &hw);
	}
}

static void cmd_ssec(struct kunit *test)
{
	unsigned int op;

	for (op = 0; op < 256; op++)
		KUNIT_EXPECT_EQ_MSG(test,
				    action_of(&all_features, op | T_CMD_SSEC,
					      0),
				    SMMU_CMD_ILLEGAL, "0x%x", op);
}

static void expect_sid_bounds(struct kunit *test, u8 opcode, u8 bits)
{
	struct smmu_features feat = { .sid_bits = bits, .stalls = true };
	u64 op = opcode, end = 1ULL << bits;

	KUNIT_EXPECT_EQ(test, action_of(&feat, op | T_SID(end - 1), 0),
			op == T_CFGI_STE ? SMMU_CMD_STES : SMMU_CMD_FORWARD);
	KUNIT_EXPECT_EQ(test, action_of(&feat, op | T_SID(end), 0),
			SMMU_CMD_DROP);
	KUNIT_EXPECT_EQ(test, action_of(&feat, op | T_CMD_SID, 0),
			SMMU_CMD_DROP);
	/* A reserved bit still is an error */
	KUNIT_EXPECT_EQ(test, action_of(&feat, op | T_CMD_SID | BIT(8), 0),
			SMMU_CMD_ILLEGAL);
}

/* Section 4.1.7: a stream that is out of range is no error */
static void cmd_sid_bounds(struct kunit *test)
{
	static const u8 opcodes[] = {
		T_CFGI_STE, T_CFGI_CD, T_CFGI_CD_ALL, T_RESUME, T_STALL_TERM,
	};
	static const u8 bits[] = { 0, 1, 6, 16, 23, 31 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		for (j = 0; j < ARRAY_SIZE(bits); j++)
			expect_sid_bounds(test, opcodes[i], bits[j]);
	}
}

/* The same of the SubstreamID of CFGI_CD */
static void cmd_ssid_bounds(struct kunit *test)
{
	unsigned int i;
	u64 cmd;

	for (i = 0; i <= 20; i++) {
		struct smmu_features feat = { .sid_bits = 8, .ssid_bits = i };

		cmd = T_CFGI_CD | T_SSID((1 << i) - 1);
		KUNIT_EXPECT_EQ(test, action_of(&feat, cmd, 0),
				SMMU_CMD_FORWARD);
		cmd = T_CFGI_CD | T_SSID(1 << i);
		if (i < 20)
			KUNIT_EXPECT_EQ(test, action_of(&feat, cmd, 0),
					SMMU_CMD_DROP);
	}
}

/*
 * CFGI_STE_RANGE names the streams whose StreamID agrees with @sid above bit
 * @range. The SMMU has 64 streams.
 */
static void expect_sid_range(struct kunit *test, u32 sid, unsigned int range)
{
	struct smmu_features feat = { .sid_bits = 6 };
	u64 n, first = ~0ULL, last = 0;
	enum smmu_cmd_action action;
	struct smmu_sid_range got;
	struct arm_smmu_cmd hw;

	for (n = 0; n < 64; n++) {
		if (n >> (range + 1) != (u64)sid >> (range + 1))
			continue;
		first = min(first, n);
		last = n;
	}
	action = run(&feat, T_CFGI_RANGE | T_SID(sid), range, &hw, &got);
	if (first == ~0ULL) {
		KUNIT_EXPECT_EQ(test, action, SMMU_CMD_DROP);
		return;
	}
	KUNIT_EXPECT_EQ(test, action, SMMU_CMD_STES);
	KUNIT_EXPECT_EQ_MSG(test, got.first, first, "%x/%u", sid, range);
	KUNIT_EXPECT_EQ_MSG(test, got.last, last, "%x/%u", sid, range);
}

static void cmd_sid_ranges(struct kunit *test)
{
	static const u32 sids[] = {
		0, 1, 31, 32, 62, 63, 64, 127, 1U << 31, ~0U,
	};
	struct smmu_features feat = { .sid_bits = 32 };
	struct smmu_sid_range got;
	struct arm_smmu_cmd hw;
	unsigned int i, range;

	for (i = 0; i < ARRAY_SIZE(sids); i++) {
		for (range = 0; range < 32; range++)
			expect_sid_range(test, sids[i], range);
	}

	KUNIT_EXPECT_EQ(test, run(&feat, T_CFGI_RANGE | T_CMD_SID, T_ALL_SIDS,
				  &hw, &got), SMMU_CMD_STES);
	KUNIT_EXPECT_EQ(test, got.first, 0);
	KUNIT_EXPECT_EQ(test, got.last, ~0U);

	feat.sid_bits = 6;
	KUNIT_EXPECT_EQ(test, run(&feat, T_CFGI_STE | T_SID(5), 0, &hw, &got),
			SMMU_CMD_STES);
	KUNIT_EXPECT_EQ(test, got.first, 5);
	KUNIT_EXPECT_EQ(test, got.last, 5);
}

/* Section 4.4.1.1, without IDR5.DS: for 16K, level 1 means any level */
static unsigned int effective_ttl(unsigned int tg, unsigned int ttl)
{
	return tg == 2 && ttl == 1 ? 0 : ttl;
}

/*
 * The same section. Without a granule there is no range. With one, a range of
 * one page at any level is reserved.
 */
static bool range_is_legal(unsigned int tg, unsigned int ttl, unsigned int num,
			   unsigned int scale)
{
	if (!tg)
		return !ttl && !num && !scale;
	return effective_ttl(tg, ttl) || num || scale;
}

static void expect_range(struct kunit *test, u64 dword0, unsigned int tg,
			 unsigned int ttl, bool legal)
{
	struct smmu_features no_ril = all_features;
	u64 dword1 = 0x1000 | T_TG(tg) | T_TTL(ttl);
	struct smmu_sid_range sids;
	struct arm_smmu_cmd hw;

	no_ril.ril = false;
	KUNIT_EXPECT_EQ(test, action_of(&no_ril, dword0, dword1),
			legal && !tg ? SMMU_CMD_FORWARD : SMMU_CMD_ILLEGAL);
	KUNIT_EXPECT_EQ_MSG(test,
			    run(&all_features, dword0, dword1, &hw, &sids),
			    legal ? SMMU_CMD_FORWARD : SMMU_CMD_ILLEGAL,
			    "0x%llx, TG %u TTL %u", (unsigned long long)dword0,
			    tg, ttl);
	if (!legal)
		return;
	/* With DS, level 1 of 16K would have another meaning */
	KUNIT_EXPECT_EQ(test, hw.data[0], dword0);
	KUNIT_EXPECT_EQ(test, hw.data[1],
			0x1000 | T_TG(tg) | T_TTL(effective_ttl(tg, ttl)));
}

/* All granules and levels, with some values of NUM and SCALE */
static void expect_ranges(struct kunit *test, u8 op)
{
	static const u8 values[] = { 0, 1, 2, 31 };
	unsigned int i;

	for (i = 0; i < 4 * 4 * ARRAY_SIZE(values) * ARRAY_SIZE(values); i++) {
		unsigned int num = values[i / 16 % 4], scale = values[i / 64];
		unsigned int tg = i % 4, ttl = i / 4 % 4;
		u64 dword0 = op | T_NUM(num) | T_SCALE(scale);

		expect_range(test, dword0, tg, ttl,
			     range_is_legal(tg, ttl, num, scale));
		/* SCALE has five bits */
		expect_range(test, dword0 | T_CMD_SCALE_DS, tg, ttl, false);
	}
}

static void cmd_ranges(struct kunit *test)
{
	unsigned int op;

	expect_ranges(test, T_TLBI_NH_VA);
	expect_ranges(test, T_TLBI_NH_VAA);

	/* In other commands these bits are others, or reserved */
	for (op = 0; op < 256; op++) {
		bool known = op == T_RESUME || op == T_CMD_SYNC;

		if (op == T_TLBI_NH_VA || op == T_TLBI_NH_VAA ||
		    op <= T_PREFETCH_ADDR)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, action_of(&all_features, op, TTL_TG),
				    known ? expect_find(op)->action :
				    SMMU_CMD_ILLEGAL, "0x%x", op);
	}
}

/* Section 4.4: with ASIDs of 8 bits, the upper half of the field is reserved */
static void cmd_asid_bounds(struct kunit *test)
{
	struct smmu_features feat = { .sid_bits = 8 };
	unsigned int op, bit;

	for (op = T_TLBI_NH_ASID; op <= T_TLBI_NH_VA; op++) {
		for (bit = 48; bit < 64; bit++) {
			KUNIT_EXPECT_EQ(test,
					action_of(&feat, op | 1ULL << bit, 0),
					bit < 56 ? SMMU_CMD_FORWARD :
						   SMMU_CMD_ILLEGAL);
			KUNIT_EXPECT_EQ(test,
					action_of(&all_features,
						  op | 1ULL << bit, 0),
					SMMU_CMD_FORWARD);
		}
	}
	/* CMD_SYNC has no ASID in these bits */
	KUNIT_EXPECT_EQ(test, action_of(&feat, T_SYNC_IRQ | T_CMD_ASID_HI, 0),
			SMMU_CMD_SYNC);
}

/* The hardware gets a CMD_SYNC that neither writes nor interrupts */
static void cmd_sync_forms(struct kunit *test)
{
	u64 msi = T_SYNC_MSIATTR | T_SYNC_MSH, addr = 0x40000000;
	struct smmu_sid_range sids;
	enum smmu_cmd_action action;
	struct arm_smmu_cmd hw;
	unsigned int cs;

	for (cs = 0; cs < 4; cs++) {
		action = run(&all_features, T_CMD_SYNC | T_CS(cs) | msi, addr,
			     &hw, &sids);
		/* CS = SIG_IRQ may be illegal. CS = 3 is reserved */
		if (cs == 3 || (cs == 1 && action == SMMU_CMD_ILLEGAL)) {
			KUNIT_EXPECT_EQ(test, action, SMMU_CMD_ILLEGAL);
			continue;
		}
		KUNIT_EXPECT_EQ(test, action, SMMU_CMD_SYNC);
		KUNIT_EXPECT_EQ(test, hw.data[0], T_CMD_SYNC);
		KUNIT_EXPECT_EQ(test, hw.data[1], 0);
	}
}

static struct kunit_case cmd_cases[] = {
	KUNIT_CASE(cmd_every_opcode),
	KUNIT_CASE(cmd_every_bit),
	KUNIT_CASE(cmd_rewritten),
	KUNIT_CASE(cmd_ssec),
	KUNIT_CASE(cmd_sid_bounds),
	KUNIT_CASE(cmd_ssid_bounds),
	KUNIT_CASE(cmd_sid_ranges),
	KUNIT_CASE(cmd_ranges),
	KUNIT_CASE(cmd_asid_bounds),
	KUNIT_CASE(cmd_sync_forms),
	{}
};

static struct kunit_suite cmd_suite = {
	.name = "pkvm-smmu-cmd",
	.test_cases = cmd_cases,
};

kunit_test_suite(cmd_suite);
