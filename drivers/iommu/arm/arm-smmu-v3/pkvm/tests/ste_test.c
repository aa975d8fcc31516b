// SPDX-License-Identifier: GPL-2.0-only
/*
 * ste.c: whatever 512 bits the host writes, streams pass through EL2's stage 2
 * or not at all. The host's driver gets what it asks for.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "test.h"

#define CTXPTR		T_STE_S1CTXPTR
#define S1FMT(n)	((u64)(n) << 4)
#define S1CDMAX(n)	T_S1CDMAX(n)
#define S1_FIELDS	(S1FMT(3) | CTXPTR | S1CDMAX(31))
#define S1STALLD	T_STE_S1STALLD
/*
 * S1DSS, S1CIR, S1COR, S1CSH; MEV; MemAttr, MTCFG, ALLOCCFG; SHCFG; PRIVCFG,
 * INSTCFG
 */
#define ATTRS		(GENMASK_ULL(7, 0) | T_STE_MEV | GENMASK_ULL(40, 32) | \
			 T_STE_SHCFG | GENMASK_ULL(51, 48))
/* A hint */
#define CONT		GENMASK_ULL(16, 13)

static const struct smmu_features feat = {
	.s2_ste = { 0x1122334455667788ULL, 0x99aabbccddeeff00ULL },
	.ssid_bits = 8,
	.stalls = true,
};

/* Does this STE let nothing pass around stage 2 (section 5.2)? */
static bool is_safe(const struct smmu_features *f, const u64 *hw)
{
	u64 allowed1 = ATTRS | (f->stalls ? S1STALLD : 0);

	if (hw[2] != f->s2_ste[0] || hw[3] != f->s2_ste[1] ||
	    hw[4] || hw[5] || hw[6] || hw[7])
		return false;
	if (!(hw[0] & T_STE_V))
		return !hw[0];
	switch (hw[0] & T_STE_VCONFIG) {
	case T_STE_ABORT:
	case T_STE_S2:
		return !(hw[0] & ~T_STE_VCONFIG) && !(hw[1] & ~allowed1);
	case T_STE_NESTED:
		return !(hw[0] & ~(T_STE_VCONFIG | S1_FIELDS)) &&
		       !(hw[1] & ~allowed1) &&
		       FIELD_GET(T_STE_S1CDMAX, hw[0]) <= f->ssid_bits;
	default:
		return false;
	}
}

static void translate(struct kunit *test, const struct smmu_features *f,
		      const u64 *ste, u64 *hw)
{
	u64 copy[STRTAB_STE_DWORDS];

	memcpy(copy, ste, sizeof(copy));
	memset(hw, 0x5a, sizeof(copy));
	smmu_ste_from_host(f, copy, hw);
	KUNIT_EXPECT_TRUE_MSG(test, is_safe(f, hw), "%llx %llx -> %llx %llx",
			      (unsigned long long)ste[0],
			      (unsigned long long)ste[1],
			      (unsigned long long)hw[0],
			      (unsigned long long)hw[1]);
	KUNIT_EXPECT_MEMEQ(test, copy, ste, sizeof(copy));
}

static void expect_dwords(struct kunit *test, const struct smmu_features *f,
			  u64 dword0, u64 dword1, u64 hw0, u64 hw1)
{
	u64 ste[STRTAB_STE_DWORDS] = { dword0, dword1 }, hw[STRTAB_STE_DWORDS];

	translate(test, f, ste, hw);
	KUNIT_EXPECT_EQ(test, hw[0], hw0);
	KUNIT_EXPECT_EQ(test, hw[1], hw1);
}

static void ste_configs(struct kunit *test)
{
	u64 s1 = CTXPTR | S1CDMAX(8) | S1FMT(2), config;

	expect_dwords(test, &feat, 0, 0, 0, 0);
	expect_dwords(test, &feat, STE_ABORT0, 0, T_STE_ABORT, 0);
	expect_dwords(test, &feat, STE_BYPASS0, STE_BYPASS1, T_STE_S2,
		      STE_BYPASS1);
	expect_dwords(test, &feat, T_STE_S1 | s1, ATTRS, T_STE_NESTED | s1,
		      ATTRS);
	/* Fields of another Config: the hardware gets those of dword 1 */
	expect_dwords(test, &feat, STE_ABORT0 | s1, ATTRS, T_STE_ABORT, ATTRS);
	expect_dwords(test, &feat, STE_BYPASS0 | s1, ATTRS, T_STE_S2, ATTRS);

	/* EL2 drops the hint */
	expect_dwords(test, &feat, T_STE_S1 | s1, ATTRS | CONT,
		      T_STE_NESTED | s1, ATTRS);

	/* Each Config without V; and those that the host may not use */
	for (config = 0; config < 8; config++) {
		if (config == 1 || config == 2 || config == 3 || config > 5)
			expect_dwords(test, &feat, 1 | config << 1 | s1, ATTRS,
				      0, 0);
		expect_dwords(test, &feat, config << 1 | s1, ATTRS, 0, 0);
	}
}

static void ste_s1_fields(struct kunit *test)
{
	struct smmu_features few = feat;
	unsigned int fmt, cdmax;

	few.ssid_bits = 5;
	for (fmt = 0; fmt < 4; fmt++) {
		for (cdmax = 1; cdmax < 32; cdmax++) {
			u64 dword0 = T_STE_S1 | S1FMT(fmt) | S1CDMAX(cdmax) |
				     0x1234567000ULL;

			expect_dwords(test, &few, dword0, STE_S1_1,
				      fmt < 3 && cdmax <= 5 ? dword0 | 4 : 0,
				      fmt < 3 && cdmax <= 5 ? STE_S1_1 : 0);
		}
	}

	few.ssid_bits = 0;
	expect_dwords(test, &few, STE_S1_0(0x1000ULL), 0, T_STE_NESTED | 0x1000,
		      0);
	expect_dwords(test, &few, STE_S1_0(0x1000ULL) | S1CDMAX(1), 0, 0, 0);

	expect_dwords(test, &feat, STE_S1_0(0x1000ULL), S1STALLD,
		      T_STE_NESTED | 0x1000, S1STALLD);
	few.stalls = false;
	expect_dwords(test, &few, STE_S1_0(0x1000ULL), S1STALLD, 0, 0);
}

/* Flip bit @a of a valid STE, and then each other bit of the first 128 */
static void flip(struct kunit *test, const u64 *valid, unsigned int a)
{
	static const u64 may[2] = {
		T_STE_VCONFIG | S1_FIELDS,
		ATTRS | CONT | S1STALLD,
	};
	u64 ste[STRTAB_STE_DWORDS] = { valid[0], valid[1] };
	u64 hw[STRTAB_STE_DWORDS];
	unsigned int b;

	ste[a / 64] ^= 1ULL << (a % 64);
	translate(test, &feat, ste, hw);
	/* A bit that no rule names makes the STE invalid */
	if (a >= 128 || !((may[a / 64] >> (a % 64)) & 1))
		KUNIT_EXPECT_EQ_MSG(test, hw[0] | hw[1], 0, "bit %u", a);
	for (b = a + 1; b < 128; b++) {
		ste[b / 64] ^= 1ULL << (b % 64);
		translate(test, &feat, ste, hw);
		ste[b / 64] ^= 1ULL << (b % 64);
	}
}

/* From each valid STE, flip each of the 512 bits, and pairs of bits */
static void ste_every_bit(struct kunit *test)
{
	static const u64 valid[][2] = {
		{ STE_ABORT0, 0 },
		{ STE_BYPASS0, STE_BYPASS1 },
		{ STE_S1_0(0x123456780c0ULL) | S1CDMAX(8) | S1FMT(2),
		  STE_S1_1 },
	};
	unsigned int i, a;

	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		for (a = 0; a < 512; a++)
			flip(test, valid[i], a);
	}
}

static void ste_anything(struct kunit *test)
{
	u64 ste[STRTAB_STE_DWORDS], hw[STRTAB_STE_DWORDS];
	unsigned int i, j, live = 0;

	for (i = 0; i < 50000; i++) {
		for (j = 0; j < STRTAB_STE_DWORDS; j++)
			ste[j] = test_random() & test_random() & test_random();
		ste[0] |= 1;
		/* EL2 looks at most fields only if the others are plausible */
		if (i % 8)
			memset(&ste[2], 0, 6 * sizeof(u64));
		if (i % 4)
			ste[0] &= T_STE_VCONFIG | S1_FIELDS;
		if (i % 2)
			ste[1] &= ATTRS | S1STALLD;
		translate(test, &feat, ste, hw);
		live += hw[0] & 1;
	}
	/* Enough of them were valid */
	KUNIT_EXPECT_GT(test, live, 1000);
}

/* Dword @a becomes @to: only that dword of the hardware's STE changes */
static void change_dword(struct kunit *test, const u64 *host, unsigned int a,
			 u64 to)
{
	u64 ste[STRTAB_STE_DWORDS] = { host[0], host[1] };
	u64 before[STRTAB_STE_DWORDS], after[STRTAB_STE_DWORDS];
	unsigned int b;

	translate(test, &feat, ste, before);
	ste[a] = to;
	translate(test, &feat, ste, after);
	for (b = 0; b < STRTAB_STE_DWORDS; b++) {
		if (b != a)
			KUNIT_EXPECT_EQ(test, before[b], after[b]);
	}
}

/*
 * The host's driver changes an STE by one 64-bit store where it can, so that
 * the device does not notice. The hardware's STE must change in one dword, too.
 */
static void ste_one_dword(struct kunit *test)
{
	static const u64 dwords[2][4] = {
		{ STE_ABORT0, STE_BYPASS0, STE_S1_0(0x1000ULL),
		  STE_S1_0(0x2000ULL) | S1CDMAX(8) },
		{ 0, STE_BYPASS1, STE_S1_1, STE_S1_1 | S1STALLD | T_STE_MEV },
	};
	unsigned int i, a;

	for (i = 0; i < 4 * 4 * 4; i++) {
		for (a = 0; a < 2; a++) {
			u64 ste[2];

			ste[!a] = dwords[!a][i % 4];
			ste[a] = dwords[a][i / 4 % 4];
			change_dword(test, ste, a, dwords[a][i / 16]);
		}
	}
}

static struct kunit_case ste_cases[] = {
	KUNIT_CASE(ste_configs),
	KUNIT_CASE(ste_s1_fields),
	KUNIT_CASE(ste_every_bit),
	KUNIT_CASE(ste_anything),
	KUNIT_CASE(ste_one_dword),
	{}
};

static struct kunit_suite ste_suite = {
	.name = "pkvm-smmu-ste",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = ste_cases,
};

kunit_test_suite(ste_suite);
