// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd.c: which commands are the host's to give, bit by bit.
 *
 * The table here is made from the architecture (Arm IHI 0070, chapter 4) and from
 * what the host may do, not from cmd.c: bits are numbers.
 */
#include <linux/kernel.h>

#include "test.h"

#define SSEC		BIT_ULL(10)
#define SID		GENMASK_ULL(63, 32)
#define VMID_MASK		GENMASK_ULL(47, 32)
#define ASID_MASK		GENMASK_ULL(63, 48)
/* Bit 25 is reserved: IDR5.DS is hidden from the host */
#define NUM_SCALE	(GENMASK_ULL(16, 12) | GENMASK_ULL(24, 20))
#define TTL_TG		(GENMASK_ULL(9, 8) | GENMASK_ULL(11, 10))
#define ADDR		GENMASK_ULL(63, 12)
#define LEAF		BIT_ULL(0)

/**
 * struct cmd_expect - an opcode that the host may use
 * @opcode:	bits 7 to 0
 * @action:	what becomes of it
 * @allowed:	bits that it may set
 * @alone:	bits that are allowed, but not without others
 * @any:	bits that mean nothing: it may be illegal to set them, or not
 */
struct cmd_expect {
	u8			opcode;
	enum smmu_cmd_action	action;
	u64			allowed[2];
	u64			alone[2];
	u64			any[2];
};

static const struct cmd_expect expects[] = {
	/* Hints. Whatever they say, they go nowhere */
	{ 0x01, SMMU_CMD_DROP, {}, {}, { ~SSEC, ~0ULL } },
	{ 0x02, SMMU_CMD_DROP, {}, {}, { ~SSEC, ~0ULL } },
	/* CFGI_STE, CFGI_STE_RANGE and _ALL, CFGI_CD, CFGI_CD_ALL */
	{ 0x03, SMMU_CMD_STES, { SID, LEAF } },
	{ 0x04, SMMU_CMD_STES, { SID, GENMASK_ULL(4, 0) } },
	{ 0x05, SMMU_CMD_FORWARD, { SID | GENMASK_ULL(31, 12), LEAF } },
	{ 0x06, SMMU_CMD_FORWARD, { SID, 0 } },
	/* TLBI_NH_ALL, _ASID, _VA, _VAA, TLBI_NSNH_ALL */
	{ 0x10, SMMU_CMD_FORWARD, { VMID_MASK, 0 } },
	{ 0x11, SMMU_CMD_FORWARD, { VMID_MASK | ASID_MASK, 0 } },
	{ 0x12, SMMU_CMD_FORWARD, { VMID_MASK | ASID_MASK, LEAF | ADDR }, { NUM_SCALE, TTL_TG } },
	{ 0x13, SMMU_CMD_FORWARD, { VMID_MASK, LEAF | ADDR }, { NUM_SCALE, TTL_TG } },
	{ 0x30, SMMU_CMD_FORWARD, { 0, 0 } },
	/* RESUME: StreamID, RESP; STAG */
	{ 0x44, SMMU_CMD_FORWARD, { SID | GENMASK_ULL(13, 12), GENMASK_ULL(15, 0) } },
	/* SYNC: CS = SIG_SEV, MSH, MSIAttr; MSIAddress. CS = SIG_IRQ, MSIData */
	{ 0x46, SMMU_CMD_SYNC,
	  { BIT_ULL(13) | GENMASK_ULL(23, 22) | GENMASK_ULL(27, 24), GENMASK_ULL(51, 2) },
	  {}, { BIT_ULL(12) | GENMASK_ULL(63, 32), 0 } },
};

static const struct smmu_features all_features = {
	.sid_bits = 32, .ssid_bits = 20, .ril = true, .asid16 = true, .stalls = true,
};

static enum smmu_cmd_action run(const struct smmu_features *feat, u64 dword0, u64 dword1,
				struct arm_smmu_cmd *hw, struct smmu_sid_range *sids)
{
	struct arm_smmu_cmd cmd = { .data = { dword0, dword1 } };

	return smmu_cmd_from_host(feat, &cmd, hw, sids);
}

static enum smmu_cmd_action action_of(const struct smmu_features *feat, u64 dword0, u64 dword1)
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
		/* STALL_TERM has a test of its own */
		if (op == 0x45)
			continue;
		expect = expect_find(op);
		KUNIT_EXPECT_EQ_MSG(test, action_of(&all_features, op, 0),
				    expect ? expect->action : SMMU_CMD_ILLEGAL, "0x%x", op);
		if (op != 0x44)
			KUNIT_EXPECT_EQ_MSG(test, action_of(&few, op, 0),
					    action_of(&all_features, op, 0), "0x%x", op);
	}
	KUNIT_EXPECT_EQ(test, action_of(&few, 0x44, 0), SMMU_CMD_ILLEGAL);
}

/* What the hardware gets of a command that passes */
static void check_hw(struct kunit *test, const u64 *host, const struct arm_smmu_cmd *hw)
{
	u8 opcode = host[0];
	u64 dword0 = host[0], dword1 = host[1];

	switch (opcode) {
	case 0x03:
		/* For all levels: Leaf is cleared */
		dword1 &= ~1ULL;
		break;
	case 0x10: case 0x11: case 0x12: case 0x13:
		dword0 &= ~VMID_MASK;
		break;
	case 0x30:
		/* All of the host's, and of nobody else's: NH_ALL */
		dword0 = 0x10;
		break;
	case 0x46:
		dword0 = 0x46;
		dword1 = 0;
		break;
	}
	KUNIT_EXPECT_EQ_MSG(test, hw->data[0], dword0, "0x%x", opcode);
	KUNIT_EXPECT_EQ_MSG(test, hw->data[1], dword1, "0x%x", opcode);
}

static void cmd_every_bit(struct kunit *test)
{
	const struct cmd_expect *e;
	struct smmu_sid_range sids;
	enum smmu_cmd_action action;
	struct arm_smmu_cmd hw;
	unsigned int bit;

	for (e = expects; e < expects + ARRAY_SIZE(expects); e++) {
		for (bit = 8; bit < 128; bit++) {
			unsigned int i = bit / 64;
			u64 cmd[2] = { e->opcode, 0 }, mask = 1ULL << (bit % 64);

			cmd[i] |= mask;
			action = run(&all_features, cmd[0], cmd[1], &hw, &sids);
			if (e->any[i] & mask && action == SMMU_CMD_ILLEGAL)
				continue;
			/* A granule alone has a test of its own */
			if (e->alone[i] & mask && (i ? mask & GENMASK_ULL(11, 10) : 0))
				continue;
			/* As has the secure state */
			if (!i && mask == SSEC)
				continue;
			KUNIT_EXPECT_EQ_MSG(test, action,
					    (e->allowed[i] | e->any[i]) & mask ?
					    e->action : SMMU_CMD_ILLEGAL,
					    "0x%x, bit %u", e->opcode, bit);
			if (action != SMMU_CMD_ILLEGAL && action != SMMU_CMD_DROP)
				check_hw(test, cmd, &hw);
		}
	}
}

/* All that is allowed, at once: the host's fields arrive, its VMID does not */
static void cmd_rewritten(struct kunit *test)
{
	static const u64 cmds[][2] = {
		{ 0x03 | SID, LEAF },
		{ 0x04 | SID, 31 },
		{ 0x05 | SID | GENMASK_ULL(31, 12), LEAF },
		{ 0x06 | SID, 0 },
		{ 0x10 | VMID_MASK, 0 },
		{ 0x11 | VMID_MASK | ASID_MASK, 0 },
		{ 0x12 | VMID_MASK | ASID_MASK | NUM_SCALE, LEAF | ADDR | GENMASK_ULL(10, 8) },
		{ 0x13 | VMID_MASK | NUM_SCALE, LEAF | ADDR | GENMASK_ULL(10, 8) },
		{ 0x30, 0 },
		{ 0x44 | SID | BIT_ULL(13), 0xffff },
		{ 0x46 | BIT_ULL(13) | GENMASK_ULL(23, 22) | GENMASK_ULL(27, 24),
		  GENMASK_ULL(51, 2) },
	};
	struct smmu_sid_range sids;
	struct arm_smmu_cmd hw;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		KUNIT_EXPECT_EQ(test, run(&all_features, cmds[i][0], cmds[i][1], &hw, &sids),
				expect_find(cmds[i][0])->action);
		check_hw(test, cmds[i], &hw);
	}
}

static void cmd_ssec(struct kunit *test)
{
	unsigned int op;

	for (op = 0; op < 256; op++)
		KUNIT_EXPECT_EQ_MSG(test, action_of(&all_features, op | SSEC, 0),
				    SMMU_CMD_ILLEGAL, "0x%x", op);
}

/* Where stalls are offered, so is the command that ends them all */
static void cmd_stall_term(struct kunit *test)
{
	struct smmu_features few = { .sid_bits = 8 };

	KUNIT_EXPECT_EQ(test, action_of(&few, 0x45, 0), SMMU_CMD_ILLEGAL);
	/* Not even for a stream that there is not (section 4.1.3) */
	KUNIT_EXPECT_EQ(test, action_of(&few, 0x44 | 256ULL << 32, 0), SMMU_CMD_ILLEGAL);
	KUNIT_EXPECT_EQ(test, action_of(&few, 0x45 | 256ULL << 32, 0), SMMU_CMD_ILLEGAL);
	few.stalls = true;
	KUNIT_EXPECT_EQ(test, action_of(&few, 0x45 | 255ULL << 32, 0), SMMU_CMD_FORWARD);
}

/* Section 4.7.1: Ac and Ab are a bit each, and Ab is ignored if Ac is 1 */
static void cmd_resume(struct kunit *test)
{
	struct smmu_features feat = { .sid_bits = 8, .stalls = true };
	unsigned int resp;

	for (resp = 0; resp < 4; resp++)
		KUNIT_EXPECT_EQ(test, action_of(&feat, 0x44 | resp << 12, 0), SMMU_CMD_FORWARD);
}

/* Section 4.1.7: what is out of range has no effect, and is no error */
static void cmd_sid_bounds(struct kunit *test)
{
	static const u8 opcodes[] = { 0x03, 0x05, 0x06, 0x44, 0x45 };
	static const u8 bits[] = { 0, 1, 6, 16, 23, 31 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		u64 op = opcodes[i];

		for (j = 0; j < ARRAY_SIZE(bits); j++) {
			struct smmu_features feat = { .sid_bits = bits[j], .stalls = true };
			u64 end = 1ULL << bits[j];

			KUNIT_EXPECT_EQ(test, action_of(&feat, op | (end - 1) << 32, 0),
					op == 0x03 ? SMMU_CMD_STES : SMMU_CMD_FORWARD);
			KUNIT_EXPECT_EQ(test, action_of(&feat, op | end << 32, 0),
					SMMU_CMD_DROP);
			KUNIT_EXPECT_EQ(test, action_of(&feat, op | SID, 0), SMMU_CMD_DROP);
			/* A reserved bit is an error all the same */
			KUNIT_EXPECT_EQ(test, action_of(&feat, op | SID | BIT(8), 0),
					SMMU_CMD_ILLEGAL);
		}
	}

	/* CFGI_CD names a substream as well */
	for (i = 0; i <= 20; i++) {
		struct smmu_features feat = { .sid_bits = 8, .ssid_bits = i };

		KUNIT_EXPECT_EQ(test, action_of(&feat, 0x05 | ((1ULL << i) - 1) << 12, 0),
				SMMU_CMD_FORWARD);
		if (i < 20)
			KUNIT_EXPECT_EQ(test, action_of(&feat, 0x05 | 1ULL << (i + 12), 0),
					SMMU_CMD_DROP);
	}
}

/* CFGI_STE_RANGE names the streams that agree with its SID above bit "range" */
static void cmd_sid_ranges(struct kunit *test)
{
	struct smmu_features feat = { .sid_bits = 6 };
	static const u32 sids[] = { 0, 1, 31, 32, 62, 63, 64, 127, 1U << 31, ~0U };
	struct smmu_sid_range got;
	struct arm_smmu_cmd hw;
	unsigned int i, range;
	u64 sid, first, last;

	for (i = 0; i < ARRAY_SIZE(sids); i++) {
		for (range = 0; range < 32; range++) {
			enum smmu_cmd_action action;

			first = ~0ULL;
			last = 0;
			for (sid = 0; sid < 64; sid++) {
				if (sid >> (range + 1) != (u64)sids[i] >> (range + 1))
					continue;
				first = min(first, sid);
				last = sid;
			}
			action = run(&feat, 0x4 | (u64)sids[i] << 32, range, &hw, &got);
			if (first == ~0ULL) {
				KUNIT_EXPECT_EQ(test, action, SMMU_CMD_DROP);
				continue;
			}
			KUNIT_EXPECT_EQ(test, action, SMMU_CMD_STES);
			KUNIT_EXPECT_EQ_MSG(test, got.first, first, "%x/%u", sids[i], range);
			KUNIT_EXPECT_EQ_MSG(test, got.last, last, "%x/%u", sids[i], range);
		}
	}

	feat.sid_bits = 32;
	KUNIT_EXPECT_EQ(test, run(&feat, 0x4 | SID, 31, &hw, &got), SMMU_CMD_STES);
	KUNIT_EXPECT_EQ(test, got.first, 0);
	KUNIT_EXPECT_EQ(test, got.last, ~0U);

	KUNIT_EXPECT_EQ(test, run(&feat, 0x3 | 5ULL << 32, 0, &hw, &got), SMMU_CMD_STES);
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
	u64 dword1 = 0x1000 | tg << 10 | ttl << 8;
	struct smmu_sid_range sids;
	struct arm_smmu_cmd hw;

	no_ril.ril = false;
	KUNIT_EXPECT_EQ(test, action_of(&no_ril, dword0, dword1),
			legal && !tg ? SMMU_CMD_FORWARD : SMMU_CMD_ILLEGAL);
	KUNIT_EXPECT_EQ_MSG(test, run(&all_features, dword0, dword1, &hw, &sids),
			    legal ? SMMU_CMD_FORWARD : SMMU_CMD_ILLEGAL,
			    "0x%llx, TG %u TTL %u", (unsigned long long)dword0, tg, ttl);
	if (!legal)
		return;
	/* An SMMU with DS would take level 1 of 16K for what it says */
	KUNIT_EXPECT_EQ(test, hw.data[0], dword0);
	KUNIT_EXPECT_EQ(test, hw.data[1], 0x1000 | tg << 10 | effective_ttl(tg, ttl) << 8);
}

static void cmd_ranges(struct kunit *test)
{
	static const u8 values[] = { 0, 1, 2, 31 };
	unsigned int op, tg, ttl, i, j;

	for (op = 0x12; op <= 0x13; op++) {
		for (i = 0; i < 4 * 4 * ARRAY_SIZE(values) * ARRAY_SIZE(values); i++) {
			unsigned int num = values[i / 16 % 4], scale = values[i / 64];
			u64 dword0 = op | num << 12 | scale << 20;

			tg = i % 4;
			ttl = i / 4 % 4;
			expect_range(test, dword0, tg, ttl, range_is_legal(tg, ttl, num, scale));
			/* SCALE is of five bits */
			expect_range(test, dword0 | BIT(25), tg, ttl, false);
		}
	}

	/* In what is no invalidation by address, these are other bits */
	for (j = 0; j < 256; j++) {
		if (j != 0x12 && j != 0x13 && j > 2)
			KUNIT_EXPECT_EQ_MSG(test, action_of(&all_features, j, 0xf00),
					    j == 0x44 || j == 0x46 ? expect_find(j)->action :
					    SMMU_CMD_ILLEGAL, "0x%x", j);
	}
}

/* Section 4.4: the upper half of an ASID is reserved if they are of 8 bits */
static void cmd_asid_bounds(struct kunit *test)
{
	struct smmu_features feat = { .sid_bits = 8 };
	unsigned int op, bit;

	for (op = 0x11; op <= 0x12; op++) {
		for (bit = 48; bit < 64; bit++) {
			KUNIT_EXPECT_EQ(test, action_of(&feat, op | 1ULL << bit, 0),
					bit < 56 ? SMMU_CMD_FORWARD : SMMU_CMD_ILLEGAL);
			KUNIT_EXPECT_EQ(test, action_of(&all_features, op | 1ULL << bit, 0),
					SMMU_CMD_FORWARD);
		}
	}
	/* Where those bits are of something else there is no ASID */
	KUNIT_EXPECT_EQ(test, action_of(&feat, 0x46 | 1ULL << 12 | 0xffULL << 56, 0),
			SMMU_CMD_SYNC);
}

/* No interrupt is raised, and no word is written, by a CMD_SYNC of the host's */
static void cmd_sync_forms(struct kunit *test)
{
	u64 msi = 0xfULL << 24 | 3 << 22, addr = 0x40000000;
	struct smmu_sid_range sids;
	enum smmu_cmd_action action;
	struct arm_smmu_cmd hw;
	unsigned int cs;

	for (cs = 0; cs < 4; cs++) {
		action = run(&all_features, 0x46 | cs << 12 | msi, addr, &hw, &sids);
		/* SIG_IRQ: not offered, be it that it is illegal or that it is silent */
		if (cs == 3 || (cs == 1 && action == SMMU_CMD_ILLEGAL)) {
			KUNIT_EXPECT_EQ(test, action, SMMU_CMD_ILLEGAL);
			continue;
		}
		KUNIT_EXPECT_EQ(test, action, SMMU_CMD_SYNC);
		KUNIT_EXPECT_EQ(test, hw.data[0], 0x46);
		KUNIT_EXPECT_EQ(test, hw.data[1], 0);
	}
}

static struct kunit_case cmd_cases[] = {
	KUNIT_CASE(cmd_every_opcode),
	KUNIT_CASE(cmd_every_bit),
	KUNIT_CASE(cmd_rewritten),
	KUNIT_CASE(cmd_ssec),
	KUNIT_CASE(cmd_stall_term),
	KUNIT_CASE(cmd_resume),
	KUNIT_CASE(cmd_sid_bounds),
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
