// SPDX-License-Identifier: GPL-2.0-only
/*
 * strtab.c: what the hardware can fetch, at every moment.
 *
 * The host changes its STEs as its driver does, store by store. mock.c keeps what
 * the STE for the hardware was at each command that the SMMU has run; between two
 * CMD_SYNCs an SMMU may fetch any mixture of old and new dwords, so there at most
 * one may change, or what changes isn't looked at.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

#define SID	5

/* An STE that, were it ever taken, would be seen */
#define BAIT	STE_BYPASS0

static void boot(struct kunit *test, bool two_level)
{
	mock_test_again(test, MOCK_NR_PAGES);
	if (!two_level) {
		mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_ST_LEVEL, 0);
		mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 8, 7));
		mock->sid_bits = 7;
	}
	mock->watch_sid = SID;
	mock_test_boot(test);
	KUNIT_ASSERT_EQ(test, SMMU0->smmu->strtab.two_level, two_level);
	host_cmdq_start(4);
	host_strtab_start();
}

/* The host's driver: which bits of an STE does the SMMU look at? */
static void get_used(const u64 *ste, u64 *used)
{
	unsigned int config = HW_CONFIG(ste[0]);

	memset(used, 0, STRTAB_STE_DWORDS * sizeof(u64));
	used[0] = T_STE_V;
	if (!(ste[0] & T_STE_V))
		return;
	used[0] = T_STE_VCONFIG;
	if (config & 1) {
		used[0] |= T_STE_S1CDMAX | T_STE_S1CTXPTR | T_STE_S1FMT;
		used[1] |= T_STE_STRW | T_STE_EATS | T_STE_S1STALLD |
			   T_STE_MEV | GENMASK_ULL(7, 0);
	}
	if (config & 2) {
		used[1] |= T_STE_S2FWB | T_STE_EATS | T_STE_SHCFG | T_STE_MEV;
		used[2] = ~0ULL;
		used[3] = ~0ULL;
	}
	if (config == 4)
		used[1] |= T_STE_SHCFG;
}

static bool is_cfgi(const u64 *cmd, u32 sid)
{
	unsigned int range = FIELD_GET(T_CMD_RANGE, cmd[1]);

	switch (T_OP(cmd)) {
	case T_CFGI_STE:
		return FIELD_GET(T_CMD_SID, cmd[0]) == sid;
	case T_CFGI_RANGE:
		return FIELD_GET(T_CMD_SID, cmd[0]) >> (range + 1) == (u64)sid >> (range + 1);
	default:
		return false;
	}
}

/*
 * Look at all that the SMMU could have fetched for SID since @nr_runs was 0, when
 * it had @before. Returns false if the stream was cut off at any time.
 */
static bool check_stores(struct kunit *test, const u64 *before)
{
	u64 last[STRTAB_STE_DWORDS], now[STRTAB_STE_DWORDS];
	bool found = mock_ste(SMMU0, SID, now), last_found = before[2] || before[3];
	bool synced = true, known = true, passed = before[0] & 1;
	unsigned int i, j, changed;

	KUNIT_EXPECT_LT(test, SMMU0->nr_runs, MOCK_NR_RUNS);
	memcpy(last, before, sizeof(last));
	for (i = 0; i < SMMU0->nr_runs; i++) {
		const struct mock_run *run = &SMMU0->runs[i];

		changed = 0;
		for (j = 0; j < STRTAB_STE_DWORDS; j++)
			changed += run->ste[j] != last[j];
		if (changed && last_found) {
			KUNIT_EXPECT_EQ(test, changed, 1);
			KUNIT_EXPECT_TRUE(test, synced);
			/* From live to live only if no other dword has to change */
			if (last[0] & run->ste[0] & 1)
				KUNIT_EXPECT_TRUE(test, now[0] == before[0] || now[1] == before[1]);
		}
		if (run->ste_found)
			KUNIT_EXPECT_TRUE(test, mock_ste_is_safe(SMMU0, run->ste));
		passed &= run->ste[0] & 1;

		if (changed)
			known = false;
		known |= is_cfgi(run->cmd, SID);
		synced = known && (!changed || T_OP(run->cmd) == T_CMD_SYNC);
		memcpy(last, run->ste, sizeof(last));
		last_found = run->ste_found;
	}
	/* The SMMU was told of the last one, too, and has said that it knows */
	KUNIT_EXPECT_EQ(test, found, last_found);
	KUNIT_EXPECT_MEMEQ(test, now, last, sizeof(now));
	KUNIT_EXPECT_TRUE(test, known);
	if (SMMU0->nr_runs)
		KUNIT_EXPECT_EQ(test, SMMU0->runs[SMMU0->nr_runs - 1].cmd[0], T_CMD_SYNC);

	return passed;
}

/* Store some dwords, and let the SMMU know if any was new */
static bool store(struct kunit *test, const u64 *to, unsigned int first, unsigned int nr)
{
	u64 before[STRTAB_STE_DWORDS];
	bool changed = false;
	unsigned int i;

	for (i = first; i < first + nr; i++) {
		changed |= mock_get(host_ste(SID) + i * 8) != to[i];
		mock_put(host_ste(SID) + i * 8, to[i]);
	}
	if (!changed)
		return true;

	mock_ste(SMMU0, SID, before);
	SMMU0->nr_runs = 0;
	host_cfgi_ste(SID);
	return check_stores(test, before);
}

/*
 * As arm_smmu_write_entry() does it. If that can be done without cutting the
 * stream off, then it must not be cut off here.
 */
static void host_write_ste(struct kunit *test, const u64 *target)
{
	u64 used[STRTAB_STE_DWORDS], target_used[STRTAB_STE_DWORDS], unused[STRTAB_STE_DWORDS];
	unsigned int i, critical = 0, diff = 0;
	u64 ste[STRTAB_STE_DWORDS];
	bool live, passed = true;

	for (i = 0; i < STRTAB_STE_DWORDS; i++)
		ste[i] = mock_get(host_ste(SID) + i * 8);
	get_used(ste, used);
	get_used(target, target_used);
	for (i = 0; i < STRTAB_STE_DWORDS; i++) {
		unused[i] = (ste[i] & used[i]) | (target[i] & ~used[i]);
		if ((unused[i] & target_used[i]) != target[i]) {
			critical = i;
			diff++;
		}
	}

	if (diff > 1) {
		unused[0] = 0;
		store(test, unused, 0, 1);
		store(test, target, 1, STRTAB_STE_DWORDS - 1);
		store(test, target, 0, 1);
		return;
	}

	live = mock_hw_config(SID) >= 0;
	if (diff) {
		unused[critical] = ste[critical];
		passed &= store(test, unused, 0, STRTAB_STE_DWORDS);
		passed &= store(test, target, critical, 1);
	}
	passed &= store(test, target, 0, STRTAB_STE_DWORDS);
	if (live && mock_hw_config(SID) >= 0)
		KUNIT_EXPECT_TRUE(test, passed);
}

static const struct {
	u64	host[4];
	int	config;
} states[] = {
	{ { 0 }, -1 },
	{ { STE_ABORT0 }, 0 },
	{ { STE_BYPASS0, STE_BYPASS1 }, HW_S2 },
	{ { STE_S1_0(0x1000ULL), STE_S1_1 }, HW_NESTED },
	{ { STE_S1_0(0x2000ULL) | T_S1CDMAX(3), STE_S1_1 }, HW_NESTED },
	{ { STE_S1_0(0x1000ULL), STE_S1_1 & ~T_STE_S1DSS }, HW_NESTED },
	{ { STE_S1_0(0x2000ULL), (STE_S1_1 & ~T_STE_S1DSS) | T_STE_MEV }, HW_NESTED },
	/* S1DSS = bypass makes SHCFG count */
	{ { STE_S1_0(0x1000ULL), (STE_S1_1 & ~T_STE_S1DSS) | 1 | STE_BYPASS1 }, HW_NESTED },
	/* The host may not: stage 2 of its own, both stages, ATS */
	{ { T_STE_S2, STE_BYPASS1, BIT_ULL(51) | 0x1900000000ULL, MOCK_RAM_A }, -1 },
	{ { T_STE_NESTED | 0x1000, STE_S1_1, BIT_ULL(51) | 0x1900000000ULL, MOCK_RAM_A }, -1 },
	{ { STE_S1_0(0x1000ULL), STE_S1_1 | T_STE_EATS_FULL }, -1 },
};

#define NR_STATES	((unsigned int)ARRAY_SIZE(states))

static void transitions(struct kunit *test, bool two_level, bool slow)
{
	u64 target[STRTAB_STE_DWORDS] = {}, now[STRTAB_STE_DWORDS];
	unsigned int i, j, state[2];

	boot(test, two_level);
	SMMU0->slow = slow;
	for (i = 0; i < NR_STATES * NR_STATES; i++) {
		state[0] = i / NR_STATES;
		state[1] = i % NR_STATES;
		for (j = 0; j < 2; j++) {
			memcpy(target, states[state[j]].host, sizeof(states[0].host));
			host_write_ste(test, target);
			KUNIT_ASSERT_TRUE(test, host_cmdq_is_empty());
			KUNIT_ASSERT_EQ_MSG(test, mock_hw_config(SID), states[state[j]].config,
					    "%u to %u", state[0], state[1]);
		}
		if (states[state[1]].config >= 0) {
			mock_ste(SMMU0, SID, now);
			KUNIT_EXPECT_EQ(test, now[0] & ~0xfULL, target[0] & ~0xfULL);
			KUNIT_EXPECT_EQ(test, now[1], target[1]);
		}
	}
}

static void strtab_transitions(struct kunit *test)
{
	transitions(test, false, false);
	transitions(test, true, false);
	transitions(test, true, true);
}

/* The host tells of nothing but the last store, or of every second one */
static void strtab_late_cfgi(struct kunit *test)
{
	u64 before[STRTAB_STE_DWORDS], ste[STRTAB_STE_DWORDS];
	unsigned int i, to;

	boot(test, true);
	for (i = 0; i < 500; i++) {
		to = test_random() % NR_STATES;
		host_put_ste(SID, states[to].host);
		/* What isn't invalidated stays as it is */
		mock_ste(SMMU0, SID, before);
		host_cfgi_ste(SID ^ 1);
		host_cmd_sync();
		mock_ste(SMMU0, SID, ste);
		if (before[2])
			KUNIT_EXPECT_MEMEQ(test, before, ste, sizeof(ste));

		mock_ste(SMMU0, SID, before);
		SMMU0->nr_runs = 0;
		host_cfgi_ste(SID);
		check_stores(test, before);
		KUNIT_EXPECT_EQ(test, mock_hw_config(SID), states[to].config);
	}
}

/* All streams of a range are taken anew; the others keep what they had */
static void strtab_cfgi_range(struct kunit *test)
{
	unsigned int level, range;
	u32 sid;

	for (level = 0; level < 2; level++) {
		boot(test, level);
		for (range = 0; range < 8; range++) {
			u32 first = (40 >> (range + 1)) << (range + 1);
			u32 last = min(first + (2U << range), 128U) - 1;

			for (sid = 0; sid < 128; sid++)
				mock_put(host_ste(sid), STE_BYPASS0);
			host_cfgi_all();
			for (sid = 0; sid < 128; sid++)
				mock_put(host_ste(sid), STE_ABORT0);
			host_cmd_put(T_CFGI_RANGE | T_SID(40), range);
			host_cmd_sync();
			for (sid = 0; sid < 128; sid++)
				KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid),
						    sid >= first && sid <= last ? 0 : HW_S2,
						    "range %u, stream %u", range, sid);
		}
	}
}

/* Level 1 says how many STEs level 2 has */
static void strtab_spans(struct kunit *test)
{
	static const u8 splits[][2] = {
		{ 6, 6 }, { 8, 8 }, { 10, 10 }, { 0, 6 }, { 7, 6 }, { 9, 6 }, { 31, 6 },
	};
	unsigned int i, span;
	phys_addr_t l2;
	u32 sid;

	boot(test, true);
	l2 = mock_alloc(64 << 10, MOCK_HOST);
	for (sid = 0; sid < 1024; sid++)
		mock_put(l2 + sid * 64ULL, STE_BYPASS0);

	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		u8 split = splits[i][1];

		for (span = 0; span < 32; span++) {
			u32 end = span && span <= split + 1U ? 1U << (span - 1) : 0;

			mock_put(mock_host.strtab, l2 | span);
			host_set_strtab(mock_host.strtab, 1, splits[i][0], 12);
			for (sid = 0; sid < 1U << split; sid++) {
				KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid), sid < end ? HW_S2 : -1,
						    "split %u, span %u", split, span);
			}
		}
	}
}

static void fill_with_bait(phys_addr_t pa, size_t size)
{
	for (; size; size -= 64, pa += 64)
		mock_put(pa, BAIT);
}

static void expect_no_stream(struct kunit *test, const char *what)
{
	u32 sid;

	for (sid = 0; sid < 1U << mock->sid_bits; sid++) {
		if (mock_hw_config(sid) >= 0) {
			KUNIT_FAIL(test, "stream %u has an STE: %s", sid, what);
			return;
		}
	}
}

/* Tables, of either level, in memory that isn't the host's, or that isn't */
static void strtab_foreign_memory(struct kunit *test)
{
	static const u64 nowhere[] = {
		0, MOCK_MMIO(0), MOCK_RAM_A - SZ_64K, MOCK_RAM_B - SZ_64K, 1ULL << 40,
		1ULL << 47, GENMASK_ULL(51, 6) & ~0xffffULL,
	};
	phys_addr_t bad[ARRAY_SIZE(nowhere) + 2];
	unsigned int i, level;

	for (level = 0; level < 2; level++) {
		boot(test, level);
		bad[0] = mock_alloc(SZ_64K, MOCK_EL2);
		bad[1] = mock_alloc(SZ_64K, MOCK_GUEST);
		fill_with_bait(bad[0], SZ_64K);
		fill_with_bait(bad[1], SZ_64K);
		for (i = 0; i < ARRAY_SIZE(nowhere); i++)
			bad[2 + i] = nowhere[i];

		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			if (level) {
				mock_put(mock_host.strtab, bad[i] | 9);
				host_set_strtab(mock_host.strtab, 1, 8, 12);
				expect_no_stream(test, "level 2");
				host_cfgi_ste(SID);
				expect_no_stream(test, "level 2, CFGI");
				mock_put(bad[0], bad[1] | 9);
				host_set_strtab(bad[i], 1, 8, 12);
				expect_no_stream(test, "level 1");
				fill_with_bait(bad[0], 64);
			}
			/* No larger than what is bad */
			host_set_strtab(bad[i], 0, 0, 7);
			expect_no_stream(test, "linear");
			host_cfgi_all();
			expect_no_stream(test, "linear, CFGI_ALL");
			KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		}
		/* And the same in the host's memory does pass */
		mock_give(bad[0], SZ_64K, MOCK_HOST);
		fill_with_bait(bad[0], SZ_64K);
		host_set_strtab(bad[0], 0, 0, 7);
		KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_S2);
	}
}

/* A table that leaves the host while it is in use: what isn't cached, aborts */
static void strtab_donated(struct kunit *test)
{
	boot(test, true);
	mock_put(host_ste(SID), STE_BYPASS0);
	host_cfgi_ste(SID);
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_S2);
	mock_give(mock_host.l2, 64 << HOST_SPLIT, MOCK_GUEST);
	host_cfgi_ste(SID);
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), -1);
	mock_give(mock_host.l2, 64 << HOST_SPLIT, MOCK_HOST);
	host_cfgi_ste(SID);
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_S2);
	mock_put(host_ste(SID + 1), STE_BYPASS0);
	host_cfgi_ste(SID + 1);
	mock_give(mock_host.strtab, PAGE_SIZE, MOCK_GUEST);
	host_cfgi_ste(SID);
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), -1);
	/* Its neighbour has not been invalidated */
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID + 1), HW_S2);
}

static void strtab_sizes(struct kunit *test)
{
	unsigned int level, bits;
	phys_addr_t tab;
	u32 sid;

	for (level = 0; level < 2; level++) {
		boot(test, level);
		tab = mock_alloc(64 << 7, MOCK_HOST);
		fill_with_bait(tab, 64 << 7);
		for (bits = 0; bits < 64; bits++) {
			/* Past what the ID register offers, it is what that offers */
			if (bits > 7 && (level || bits < 32))
				continue;
			host_set_strtab(tab, 0, 0, bits);
			for (sid = 0; sid < 128; sid++) {
				KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid),
						    sid >> min(bits, 7U) ? -1 : HW_S2,
						    "%u bits, stream %u", bits, sid);
			}
		}
		/* A reserved format */
		for (bits = 2; bits < 4; bits++) {
			host_set_strtab(tab, bits, 0, 7);
			expect_no_stream(test, "format");
		}
	}
}

/* The host writes to what EL2 reads, all the time: EL2 reads it once */
static void strtab_flip(struct kunit *test)
{
	u64 ste[STRTAB_STE_DWORDS];

	boot(test, false);
	host_put_ste(SID, states[3].host);
	mock->flip = true;
	host_cfgi_ste(SID);
	mock->flip = false;
	KUNIT_EXPECT_EQ(test, mock_get(host_ste(SID)), ~states[3].host[0]);
	mock_ste(SMMU0, SID, ste);
	KUNIT_EXPECT_EQ(test, ste[0], states[3].host[0] | 4);
	KUNIT_EXPECT_EQ(test, ste[1], states[3].host[1]);
}

/* The host's SMMUEN: off, every stream aborts; on again, nothing is as it was */
static void strtab_off_and_on(struct kunit *test)
{
	unsigned int level, i, cleared, invalidated, used, on;
	u64 ste[STRTAB_STE_DWORDS];
	u32 sid;

	for (level = 0; level < 2; level++) {
		boot(test, level);
		for (on = 0; on < 3; on++) {
			for (sid = 0; sid < 100; sid++)
				host_put_ste(sid, states[2 + sid % 4].host);
			host_cfgi_all();
			KUNIT_EXPECT_EQ(test, mock_hw_config(99), states[2 + 99 % 4].config);
			used = mock->pool_used;

			SMMU0->nr_runs = 0;
			host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
			expect_no_stream(test, "off");
			/* CFGI_ALL and TLBI, both with SID's STE gone, and a sync */
			cleared = 0;
			invalidated = 0;
			for (i = 0; i < SMMU0->nr_runs; i++) {
				const struct mock_run *run = &SMMU0->runs[i];

				if (!(run->ste[0] & 1) && is_cfgi(run->cmd, 0) &&
				    is_cfgi(run->cmd, ~0U))
					cleared = i + 1;
				if (!(run->ste[0] & 1) && T_OP(run->cmd) == T_TLBI_S12_VMALL)
					invalidated = i + 1;
			}
			KUNIT_EXPECT_NE(test, cleared, 0);
			KUNIT_EXPECT_NE(test, invalidated, 0);
			KUNIT_EXPECT_LT(test, cleared, SMMU0->nr_runs);
			KUNIT_EXPECT_LT(test, invalidated, SMMU0->nr_runs);

			/* Commands do nothing meanwhile */
			host_cfgi_all();
			expect_no_stream(test, "off, CFGI_ALL");

			memset(mock_va(host_ste(0)), 0, 100 * 64);
			host_put_ste(SID, states[3].host);
			mock_ste(SMMU0, SID, ste);
			SMMU0->nr_runs = 0;
			host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
			KUNIT_EXPECT_TRUE(test, host_wait_cr0());
			/* The SMMU may have looked before */
			i = SMMU0->nr_runs;
			KUNIT_ASSERT_GE(test, i, 2);
			KUNIT_EXPECT_TRUE(test, is_cfgi(SMMU0->runs[i - 2].cmd, SID));
			KUNIT_EXPECT_EQ(test, SMMU0->runs[i - 1].cmd[0], T_CMD_SYNC);
			mock_ste(SMMU0, SID, ste);
			KUNIT_EXPECT_MEMEQ(test, ste, SMMU0->runs[i - 2].ste, sizeof(ste));
			for (sid = 0; sid < 100; sid++)
				KUNIT_EXPECT_EQ(test, mock_hw_config(sid), sid == SID ? HW_NESTED : -1);
			KUNIT_EXPECT_LE(test, mock->pool_used, used);
		}
	}
}

/* The SMMU is late when it is to forget a table: it isn't given another before it has */
static void strtab_late_off(struct kunit *test)
{
	unsigned int level, used;

	for (level = 0; level < 2; level++) {
		boot(test, level);
		host_put_ste(SID, states[3].host);
		host_cfgi_ste(SID);
		KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_NESTED);
		used = mock->pool_used;

		SMMU0->stuck = true;
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_CMDQEN | CR0_SMMUEN);
		SMMU0->stuck = false;
		SMMU0->slow = true;

		host_put_ste(SID, states[4].host);
		SMMU0->nr_runs = 0;
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
		KUNIT_EXPECT_EQ(test, mock_hw_config(SID), -1);
		KUNIT_EXPECT_EQ(test, mock->pool_used, used);

		mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_NESTED);
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		KUNIT_EXPECT_EQ(test, mock->pool_used < used, level);
	}
}

/* No memory for a second level: that stream aborts, and no other */
static void strtab_no_memory(struct kunit *test)
{
	u32 other = 1U << PKVM_SMMU_STRTAB_SPLIT;
	phys_addr_t l2;
	unsigned int i;

	boot(test, true);
	/* Every descriptor of the host's names the same table */
	l2 = mock_alloc(64 << HOST_SPLIT, MOCK_HOST);
	fill_with_bait(l2, 64 << HOST_SPLIT);
	mock_put(host_ste(SID), STE_BYPASS0);
	host_cfgi_ste(SID);
	mock->pool_left = 0;
	for (i = 1; i < 1U << (12 - HOST_SPLIT); i++)
		mock_put(mock_host.strtab + i * 8, l2 | (HOST_SPLIT + 1));
	host_cfgi_all();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_S2);
	other = max(other, 1U << HOST_SPLIT);
	KUNIT_EXPECT_EQ(test, mock_hw_config(other), -1);

	mock->pool_left = 1;
	host_cfgi_ste(other);
	KUNIT_EXPECT_EQ(test, mock_hw_config(other), HW_S2);
}

/* As many tables as there are may not leave the stage 2 without memory */
static void strtab_quota(struct kunit *test)
{
	unsigned int i, used, live = 0;
	u32 nr = 2 * PKVM_SMMU_L2_TABLES;
	phys_addr_t linear;

	mock_test_again(test, 2 * MOCK_NR_PAGES);
	mock->sid_bits = PKVM_SMMU_STRTAB_SPLIT + ilog2(nr);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 0, mock->sid_bits));
	mock->config.pool[0].size = 2 * nr * PAGE_SIZE;
	mock->config.pool[0].base = mock_alloc(2 * nr * PAGE_SIZE, MOCK_HOST);
	mock_test_boot(test);
	used = mock->pool_used;
	mock_host.l2 = mock_alloc(64, MOCK_HOST);
	mock_put(host_ste(0), STE_BYPASS0);
	mock_host.strtab = mock_alloc(8ULL << (mock->sid_bits - 6), MOCK_HOST);
	for (i = 0; i < 1U << (mock->sid_bits - 6); i++)
		mock_put(mock_host.strtab + i * 8, mock_host.l2 | 1);
	host_set_strtab(mock_host.strtab, 1, 6, mock->sid_bits);
	for (i = 0; i < nr; i++)
		live += mock_hw_config(i << PKVM_SMMU_STRTAB_SPLIT) == HW_S2;
	KUNIT_EXPECT_EQ(test, live, PKVM_SMMU_L2_TABLES);
	KUNIT_EXPECT_EQ(test, mock->pool_used - used, PKVM_SMMU_L2_TABLES);

	/* What one table of the host's needed doesn't count against its next one */
	for (i = 0; i < PKVM_SMMU_L2_TABLES << (PKVM_SMMU_STRTAB_SPLIT - 6); i++)
		mock_put(mock_host.strtab + i * 8, 0);
	host_set_strtab(mock_host.strtab, 1, 6, mock->sid_bits);
	for (i = PKVM_SMMU_L2_TABLES; i < nr; i++)
		KUNIT_EXPECT_EQ(test, mock_hw_config(i << PKVM_SMMU_STRTAB_SPLIT), HW_S2);
	linear = mock_alloc(64, MOCK_HOST);
	mock_put(linear, STE_BYPASS0);
	host_set_strtab(linear, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, mock_hw_config(0), HW_S2);
	KUNIT_EXPECT_EQ(test, mock->pool_used - used, 1);
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);
}

/*
 * A host that gives and takes away second-level tables without end uses up no
 * more than what it has at a time: a stream that comes later gets its own.
 */
static void strtab_endless_tables(struct kunit *test)
{
	u32 nr_l1 = 1U << (12 - HOST_SPLIT), i, j;
	bool known;

	boot(test, true);
	mock_put(mock_host.strtab, 0);
	mock_put(host_ste(0), STE_BYPASS0);
	mock->pool_left = 2;
	for (i = 0; i < nr_l1; i++) {
		u32 sid = i << HOST_SPLIT;

		mock_put(mock_host.strtab + i * 8, mock_host.l2 | (HOST_SPLIT + 1));
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_cmd_sync();
		KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid), HW_S2, "stream %u", sid);
		mock_put(mock_host.strtab + i * 8, 0);
		mock->watch_sid = sid;
		SMMU0->nr_runs = 0;
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_cmd_sync();
		KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid), -1, "stream %u", sid);
		/* For all its streams, the SMMU has seen that it is gone */
		for (j = 0, known = false; j < SMMU0->nr_runs; j++)
			known |= !SMMU0->runs[j].ste_found &&
				 is_cfgi(SMMU0->runs[j].cmd, sid) &&
				 is_cfgi(SMMU0->runs[j].cmd, sid + 63);
		KUNIT_EXPECT_TRUE(test, known);
	}
}

/* The SMMU is late each time that a table goes: they all come back once it isn't */
static void strtab_lost_tables(struct kunit *test)
{
	u32 nr_l1 = (1U << (12 - HOST_SPLIT)) - 1, i;
	unsigned int used;

	boot(test, true);
	mock_put(mock_host.strtab, 0);
	mock_put(host_ste(0), STE_BYPASS0);
	host_cfgi_all();
	used = mock->pool_used;
	for (i = 1; i < nr_l1; i++) {
		u64 sid = (u64)i << HOST_SPLIT;

		mock_put(mock_host.strtab + i * 8, mock_host.l2 | (HOST_SPLIT + 1));
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_cmd_sync();
		KUNIT_EXPECT_GT(test, mock->pool_used, used);
		/* Nothing is left in it, so that its going is all there is to do */
		mock_put(host_ste(0), 0);
		host_cfgi_ste(sid);
		mock_put(host_ste(0), STE_BYPASS0);
		mock_put(mock_host.strtab + i * 8, 0);
		SMMU0->stuck = true;
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_tell();
		SMMU0->stuck = false;
		SMMU0->slow = true;
		/* Not while the SMMU may be looking */
		KUNIT_EXPECT_GT(test, mock->pool_used, used);
		mock_run_all(SMMU0);
		SMMU0->slow = false;
		host_cmd_sync();

		/* Every other stream gets its own back */
		if (i % 2) {
			mock_put(mock_host.strtab + i * 8, mock_host.l2 | (HOST_SPLIT + 1));
			host_cfgi_ste(sid);
			KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_S2);
			mock_put(mock_host.strtab + i * 8, 0);
			host_cfgi_ste(sid);
			KUNIT_EXPECT_EQ(test, mock->pool_used, used);
		}
	}
	/* The last one's is all that there is */
	KUNIT_EXPECT_GT(test, mock->pool_used, used);
	mock->pool_left = 0;
	mock_put(mock_host.strtab, mock_host.l2 | (HOST_SPLIT + 1));
	host_cfgi_ste(0);
	KUNIT_EXPECT_EQ(test, mock_hw_config(0), HW_S2);
	mock_put(mock_host.strtab, 0);
	host_cfgi_ste(0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);
}

/*
 * All STEs of a group change, in both words: neither a trap of a slow SMMU's takes much
 * longer than a second, nor is anything lost by that.
 */
static void strtab_crawls(struct kunit *test)
{
	static const u64 to[][2] = {
		{ STE_S1_0(0x1000), STE_S1_1 }, { STE_S1_0(0x2000), STE_S1_1 & ~T_STE_S1DSS },
	};
	unsigned int tenths, i;
	u32 sid;
	u64 start;

	for (tenths = 0; tenths < 10; tenths++) {
		boot(test, tenths % 2);
		for (i = 0; i < 2; i++) {
			for (sid = 0; sid < 64; sid++) {
				mock_put(host_ste(sid) + 8, to[i][1]);
				mock_put(host_ste(sid), to[i][0]);
			}
			if (!i)
				host_cfgi_all();
		}
		SMMU0->slow = true;
		SMMU0->delay = tenths * SMMU_TRAP_US / 20 + 1;
		host_cmd_put(T_CFGI_RANGE, 5);
		host_put_sync();
		start = mock->now;
		host_tell();
		KUNIT_EXPECT_LT(test, mock->now - start, 22 * SMMU_TRAP_US / 10);
		SMMU0->delay = 0;
		for (i = 0; i < 1000 && !host_cmdq_is_empty(); i++)
			mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		for (sid = 0; sid < 64; sid++)
			KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_NESTED);
	}
}

/*
 * The hardware is late, or finds fault with a command of the host's, while an STE
 * changes: the host's command is not over before the STE is.
 */
static void strtab_half_changed(struct kunit *test)
{
	unsigned int i, j;

	for (i = 0; i < 4; i++) {
		boot(test, true);
		mock_put(host_ste(SID) + 8, STE_S1_1);
		mock_put(host_ste(SID), STE_S1_0(0x1000));
		host_cfgi_ste(SID);
		mock_put(host_ste(SID) + 8, STE_S1_1 & ~T_STE_S1DSS);
		mock_put(host_ste(SID), STE_S1_0(0x2000));
		SMMU0->stuck = i < 2;
		SMMU0->bad_op = T_TLBI_NH_ASID;
		SMMU0->bad_times = 1;
		if (i >= 2)
			host_cmd_put(T_TLBI_NH_ASID, 0);
		if (i % 2)
			host_put_cfgi_all();
		else
			host_put_cfgi_ste(SID);
		host_put_sync();
		host_tell();
		SMMU0->stuck = false;
		for (j = 0; j < 100 && !host_cmdq_is_empty(); j++)
			mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_NESTED);
	}
}

/*
 * A second level that went while the SMMU was late is to come back first, and that fails
 * because of a command of the host's: its stream is not forgotten.
 */
static void strtab_lost_and_illegal(struct kunit *test)
{
	u64 sid = 2 << HOST_SPLIT;

	boot(test, true);
	mock_put(host_ste(0), 0);
	host_cfgi_ste(0);
	mock_put(mock_host.strtab, 0);
	SMMU0->stuck = true;
	host_cmd_put(T_CFGI_STE, 0);
	host_tell();
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_TRUE(test, SMMU0->smmu->strtab.unlinked);

	mock_put(host_ste(0), STE_BYPASS0);
	mock_put(mock_host.strtab + 2 * 8, mock_host.l2 | (HOST_SPLIT + 1));
	SMMU0->bad_op = T_TLBI_NH_ASID;
	SMMU0->bad_times = 1;
	host_cmd_put(T_TLBI_NH_ASID, 0);
	host_put_cfgi_ste(sid);
	host_cmd_sync();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
	KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_S2);
}

/* The host disables its SMMU, which is late: what it has cached still counts */
static void strtab_late_disable(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);

	boot(test, true);
	mock_put(host_ste(0), STE_BYPASS0);
	host_cfgi_ste(0);
	SMMU0->stuck = true;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	mock_own_lock();
	KUNIT_EXPECT_NE(test, smmu_run_pages_leave(pa, pa + PAGE_SIZE), 0);
	mock_own_unlock();
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	mock_own_lock();
	KUNIT_EXPECT_EQ(test, smmu_run_pages_leave(pa, pa + PAGE_SIZE), 0);
	mock_own_unlock();
}

/* A table that is new to EL2 while the SMMU is late: it is told of level 1 later */
static void strtab_late_level1(struct kunit *test)
{
	u32 sid = 1 << HOST_SPLIT;
	unsigned int i, told = 0;
	phys_addr_t pa;

	pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	boot(test, true);
	mock_put(host_ste(0), STE_BYPASS0);
	host_cfgi_ste(0);
	SMMU0->stuck = true;
	mock_own_lock();
	KUNIT_EXPECT_NE(test, smmu_run_pages_leave(pa, pa + PAGE_SIZE), 0);
	mock_own_unlock();
	mock_put(mock_host.strtab + 8, mock_host.l2 | (HOST_SPLIT + 1));
	SMMU0->nr_runs = 0;
	host_put_cfgi_ste(sid);
	host_put_sync();
	host_tell();
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	for (i = 0; i < 100 && !host_cmdq_is_empty(); i++)
		;
	for (i = 0; i < SMMU0->nr_runs; i++)
		told += T_OP(SMMU0->runs[i].cmd) == T_CFGI_STE && !(SMMU0->runs[i].cmd[1] & 1);
	KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_S2);
	KUNIT_EXPECT_GT(test, told, 0);
}

/* A table that is gone can't be forgotten, and the next one wants its page */
static void strtab_late_reclaim(struct kunit *test)
{
	const u64 gone = 1ULL << HOST_SPLIT, new = 2ULL << HOST_SPLIT;
	unsigned int i, used;

	boot(test, true);
	mock_put(mock_host.strtab, 0);
	host_cfgi_all();
	used = mock->pool_used;
	mock_put(mock_host.strtab + 8, mock_host.l2 | (HOST_SPLIT + 1));
	host_cfgi_ste(gone);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 1);
	mock_put(mock_host.strtab + 8, 0);
	mock_put(mock_host.strtab + 16, mock_host.l2 | (HOST_SPLIT + 1));
	mock_put(host_ste(0), STE_BYPASS0);
	SMMU0->stuck = true;
	host_cmd_put(T_CFGI_STE | T_SID(gone), 0);
	host_cmd_put(T_CFGI_STE | T_SID(new), 0);
	host_tell();
	KUNIT_EXPECT_FALSE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_NE(test, mock_hw_config(new), HW_S2);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	for (i = 0; i < 100 && !host_cmdq_is_empty(); i++)
		;
	KUNIT_EXPECT_EQ(test, mock_hw_config(new), HW_S2);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 1);
}

/* Tables in which nothing passes leave half of what EL2 has to those in which something does */
static void strtab_empty_tables(struct kunit *test)
{
	unsigned int i, live = 0;
	phys_addr_t strtab, empty, l2;

	mock_test_again(test, 2 * MOCK_NR_PAGES);
	mock->sid_bits = 14;
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(8, 8, 8, 14));
	mock->config.pool[0].size = 2 * PKVM_SMMU_L2_TABLES * PAGE_SIZE;
	mock->config.pool[0].base = mock_alloc(mock->config.pool[0].size, MOCK_HOST);
	strtab = mock_alloc(8 << 8, MOCK_HOST);
	empty = mock_alloc(64 << 6, MOCK_HOST);
	l2 = mock_alloc(64 << 6, MOCK_HOST);
	mock_test_boot(test);
	host_cmdq_start(4);
	mock_put(empty, STE_ABORT0);
	mock_put(l2, STE_BYPASS0);
	/* With 4K pages four times what EL2 has, but one in eight is all that matters */
	for (i = 0; i < 256; i++)
		mock_put(strtab + i * 8, (i % 8 == 7 ? l2 : empty) | 7);
	host_writeq(ARM_SMMU_STRTAB_BASE, strtab);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, T_STRTAB_CFG(T_STRTAB_2LVL, 6, 14));
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	for (i = 7; i < 256; i += 8)
		live += mock_hw_config(i << 6) == HW_S2;
	KUNIT_EXPECT_EQ(test, live, 32);
}

/* A command for all streams, while not all have been taken since the SMMU was enabled */
static void strtab_enabling(struct kunit *test)
{
	unsigned int i;
	phys_addr_t tab;

	mock_test_again(test, MOCK_NR_PAGES + (64 << 14) / PAGE_SIZE);
	mock->sid_bits = 14;
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 8, mock->sid_bits));
	tab = mock_alloc(64ULL << 14, MOCK_HOST);
	mock_test_boot(test);
	host_cmdq_start(4);
	for (i = 0; i < 1 << 14; i++)
		mock_put(tab + i * 64, STE_ABORT0);
	host_writeq(ARM_SMMU_STRTAB_BASE, tab);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, 14);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	/* Now there may be STEs in caches */
	host_cmd(T_CFGI_STE | T_SID(1), 1);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK) & CR0_SMMUEN, 0);
	mock_put(tab + SID * 64, STE_BYPASS0);
	host_cfgi_all();
	for (i = 0; i < 200 && !host_cmdq_is_empty(); i++)
		;
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_S2);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_S2);
}

static struct kunit_case strtab_cases[] = {
	KUNIT_CASE(strtab_transitions),
	KUNIT_CASE(strtab_late_cfgi),
	KUNIT_CASE(strtab_cfgi_range),
	KUNIT_CASE(strtab_spans),
	KUNIT_CASE(strtab_foreign_memory),
	KUNIT_CASE(strtab_donated),
	KUNIT_CASE(strtab_sizes),
	KUNIT_CASE(strtab_flip),
	KUNIT_CASE(strtab_off_and_on),
	KUNIT_CASE(strtab_late_off),
	KUNIT_CASE(strtab_no_memory),
	KUNIT_CASE(strtab_quota),
	KUNIT_CASE(strtab_endless_tables),
	KUNIT_CASE(strtab_lost_tables),
	KUNIT_CASE(strtab_crawls),
	KUNIT_CASE(strtab_half_changed),
	KUNIT_CASE(strtab_lost_and_illegal),
	KUNIT_CASE(strtab_late_disable),
	KUNIT_CASE(strtab_late_level1),
	KUNIT_CASE(strtab_late_reclaim),
	KUNIT_CASE(strtab_empty_tables),
	KUNIT_CASE(strtab_enabling),
	{}
};

static struct kunit_suite strtab_suite = {
	.name = "pkvm-smmu-strtab",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = strtab_cases,
};

kunit_test_suite(strtab_suite);
