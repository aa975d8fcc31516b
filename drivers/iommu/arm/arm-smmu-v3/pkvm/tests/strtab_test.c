// SPDX-License-Identifier: GPL-2.0-only
/*
 * strtab.c: what the hardware can fetch at every moment.
 *
 * The host changes its STEs as its driver does, store by store. mock.c records
 * the hardware's STE at each command that the SMMU runs. Between two CMD_SYNCs
 * an SMMU may fetch any mixture of old and new dwords. So at most one dword may
 * change between them, unless the SMMU ignores those that change.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

#define SID	5

/* The first dword of an STE that EL2 must never take */
#define BAIT	STE_BYPASS0

static void make_machine(struct kunit *test, bool two_level)
{
	mock_test_again(test, MOCK_NR_PAGES);
	if (!two_level) {
		mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_ST_LEVEL, 0);
		mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 8, 7));
		mock->sid_bits = 7;
	}
	mock->watch_sid = SID;
}

static void boot(struct kunit *test, bool two_level)
{
	make_machine(test, two_level);
	mock_test_boot(test);
	KUNIT_ASSERT_EQ(test, SMMU0->smmu->strtab.two_level, two_level);
	host_cmdq_start(4);
	host_strtab_start();
}

/* Which bits of an STE does the SMMU use? As the host's driver computes it */
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
		return FIELD_GET(T_CMD_SID, cmd[0]) >> (range + 1) ==
		       (u64)sid >> (range + 1);
	default:
		return false;
	}
}

/**
 * struct ste_watch - what the SMMU could have fetched for SID
 * @before:	its STE at first
 * @now:	its STE in the end
 * @last:	its STE at the last command
 * @last_found:	there was one
 * @synced:	the SMMU knows @last
 * @known:	the SMMU was told of @last
 * @passed:	the STE was valid all the time
 */
struct ste_watch {
	const u64	*before;
	u64		now[STRTAB_STE_DWORDS];
	u64		last[STRTAB_STE_DWORDS];
	bool		last_found;
	bool		synced;
	bool		known;
	bool		passed;
};

/* Compare the STE at the next command with @w->last */
static void check_run(struct kunit *test, const struct mock_run *run,
		      struct ste_watch *w)
{
	unsigned int j, changed = 0;
	bool one;

	for (j = 0; j < STRTAB_STE_DWORDS; j++)
		changed += run->ste[j] != w->last[j];
	if (changed && w->last_found) {
		KUNIT_EXPECT_EQ(test, changed, 1);
		KUNIT_EXPECT_TRUE(test, w->synced);
	}
	/* From live to live only if no other dword has to change */
	one = w->now[0] == w->before[0] || w->now[1] == w->before[1];
	if (changed && w->last_found && w->last[0] & run->ste[0] & T_STE_V)
		KUNIT_EXPECT_TRUE(test, one);
	if (run->ste_found)
		KUNIT_EXPECT_TRUE(test, mock_ste_is_safe(SMMU0, run->ste));
	w->passed &= run->ste[0] & T_STE_V;

	if (changed)
		w->known = false;
	w->known |= is_cfgi(run->cmd, SID);
	w->synced = w->known && (!changed || T_OP(run->cmd) == T_CMD_SYNC);
	memcpy(w->last, run->ste, sizeof(w->last));
	w->last_found = run->ste_found;
}

/*
 * Look at all that the SMMU could have fetched for SID since @nr_runs was 0,
 * when it was @before. Returns false if the stream was cut off at any time.
 */
static bool check_stores(struct kunit *test, const u64 *before)
{
	struct ste_watch w = {
		.before = before,
		.last_found = before[2] || before[3],
		.synced = true,
		.known = true,
		.passed = before[0] & T_STE_V,
	};
	bool found = mock_ste(SMMU0, SID, w.now);
	unsigned int i;

	KUNIT_EXPECT_LT(test, SMMU0->nr_runs, MOCK_NR_RUNS);
	memcpy(w.last, before, sizeof(w.last));
	for (i = 0; i < SMMU0->nr_runs; i++)
		check_run(test, &SMMU0->runs[i], &w);
	/* The SMMU was told of the last store, too, and has acknowledged it */
	KUNIT_EXPECT_EQ(test, found, w.last_found);
	KUNIT_EXPECT_MEMEQ(test, w.now, w.last, sizeof(w.now));
	KUNIT_EXPECT_TRUE(test, w.known);
	if (SMMU0->nr_runs)
		KUNIT_EXPECT_EQ(test, SMMU0->runs[SMMU0->nr_runs - 1].cmd[0],
				T_CMD_SYNC);

	return w.passed;
}

/* Store dwords of SID's STE. If any of them changes, send a CFGI_STE */
static bool store(struct kunit *test, const u64 *to, unsigned int first,
		  unsigned int nr)
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
 * Change SID's STE as arm_smmu_write_entry() does. If that keeps the stream
 * passing, so must EL2.
 */
static void host_write_ste(struct kunit *test, const u64 *target)
{
	u64 used[STRTAB_STE_DWORDS], target_used[STRTAB_STE_DWORDS],
		unused[STRTAB_STE_DWORDS];
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
	{ { STE_S1_0(0x2000ULL), (STE_S1_1 & ~T_STE_S1DSS) | T_STE_MEV },
	  HW_NESTED },
	/* With S1DSS = bypass, SHCFG counts */
	{ { STE_S1_0(0x1000ULL), (STE_S1_1 & ~T_STE_S1DSS) | 1 | STE_BYPASS1 },
	  HW_NESTED },
	/* Not allowed: a stage 2 of the host, both stages, ATS */
	{ { T_STE_S2, STE_BYPASS1, BIT_ULL(51) | 0x1900000000ULL, MOCK_RAM_A },
	  -1 },
	{ { T_STE_NESTED | 0x1000, STE_S1_1, BIT_ULL(51) | 0x1900000000ULL,
	    MOCK_RAM_A },
	  -1 },
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
			memcpy(target, states[state[j]].host,
			       sizeof(states[0].host));
			host_write_ste(test, target);
			KUNIT_ASSERT_TRUE(test, host_cmdq_is_empty());
			KUNIT_ASSERT_EQ_MSG(test, mock_hw_config(SID),
					    states[state[j]].config, "%u to %u",
					    state[0], state[1]);
		}
		if (states[state[1]].config >= 0) {
			mock_ste(SMMU0, SID, now);
			KUNIT_EXPECT_EQ(test, now[0] & ~0xfULL,
					target[0] & ~0xfULL);
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

/* The host changes the whole STE, and then sends one CFGI_STE */
static void strtab_late_cfgi(struct kunit *test)
{
	u64 before[STRTAB_STE_DWORDS], ste[STRTAB_STE_DWORDS];
	unsigned int i, to;

	boot(test, true);
	for (i = 0; i < 500; i++) {
		to = test_random() % NR_STATES;
		host_put_ste(SID, states[to].host);
		/* A CFGI_STE of another stream does not change this one */
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

/* All streams pass, and then their STEs change: CFGI_STE_RANGE names some */
static void cfgi_range(struct kunit *test, unsigned int range)
{
	u32 first = (40 >> (range + 1)) << (range + 1);
	u32 last = min(first + (2U << range), 128U) - 1, sid;

	for (sid = 0; sid < 128; sid++)
		mock_put(host_ste(sid), STE_BYPASS0);
	host_cfgi_all();
	for (sid = 0; sid < 128; sid++)
		mock_put(host_ste(sid), STE_ABORT0);
	host_cmd_put(T_CFGI_RANGE | T_SID(40), range);
	host_cmd_sync();
	for (sid = 0; sid < 128; sid++)
		KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid),
				    sid >= first && sid <= last ? HW_ABORT :
								  HW_S2,
				    "range %u, stream %u", range, sid);
}

/* EL2 takes the STEs of the streams in the range, and of no others */
static void strtab_cfgi_range(struct kunit *test)
{
	unsigned int level, range;

	for (level = 0; level < 2; level++) {
		boot(test, level);
		for (range = 0; range < 8; range++)
			cfgi_range(test, range);
	}
}

/* All streams of a table with this STRTAB_BASE_CFG.SPLIT, which means @split */
static void expect_span(struct kunit *test, phys_addr_t l2, u32 cfg_split,
			u32 split, u32 span)
{
	u32 end = span && span <= split + 1 ? 1U << (span - 1) : 0, sid;

	mock_put(mock_host.strtab, l2 | span);
	host_set_strtab(mock_host.strtab, T_STRTAB_2LVL, cfg_split, 12);
	for (sid = 0; sid < 1U << split; sid++)
		KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid),
				    sid < end ? HW_S2 : -1,
				    "split %u, span %u", split, span);
}

/* A level-1 descriptor says how many STEs the second level has */
static void strtab_spans(struct kunit *test)
{
	/* Reserved values of SPLIT mean 6 */
	static const u8 splits[][2] = {
		{ 6, 6 }, { 8, 8 }, { 10, 10 },
		{ 0, 6 }, { 7, 6 }, { 9, 6 }, { 31, 6 },
	};
	unsigned int i, span;
	phys_addr_t l2;
	u32 sid;

	boot(test, true);
	l2 = mock_alloc(64 << 10, MOCK_HOST);
	for (sid = 0; sid < 1024; sid++)
		mock_put(l2 + sid * 64ULL, STE_BYPASS0);

	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		for (span = 0; span < 32; span++)
			expect_span(test, l2, splits[i][0], splits[i][1], span);
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

/* A second-level table at @bad; a first level at @bad, of which @el2 is one */
static void bad_two_level(struct kunit *test, phys_addr_t bad, phys_addr_t el2,
			  phys_addr_t guest)
{
	mock_put(mock_host.strtab, bad | (HOST_SPLIT + 1));
	host_set_strtab(mock_host.strtab, T_STRTAB_2LVL, HOST_SPLIT, 12);
	expect_no_stream(test, "level 2");
	host_cfgi_ste(SID);
	expect_no_stream(test, "level 2, CFGI");
	mock_put(el2, guest | (HOST_SPLIT + 1));
	host_set_strtab(bad, T_STRTAB_2LVL, HOST_SPLIT, 12);
	expect_no_stream(test, "level 1");
	fill_with_bait(el2, 64);
}

/* A linear table at @bad, of the size of what is there */
static void bad_linear(struct kunit *test, phys_addr_t bad)
{
	host_set_strtab(bad, 0, 0, 7);
	expect_no_stream(test, "linear");
	host_cfgi_all();
	expect_no_stream(test, "linear, CFGI_ALL");
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
}

static void foreign_memory(struct kunit *test, bool two_level)
{
	static const u64 nowhere[] = {
		0, MOCK_MMIO(0), MOCK_RAM_A - SZ_64K, MOCK_RAM_B - SZ_64K,
		1ULL << 40, 1ULL << 47, T_STRTAB_ADDR & ~0xffffULL,
	};
	phys_addr_t bad[ARRAY_SIZE(nowhere) + 2];
	unsigned int i;

	boot(test, two_level);
	bad[0] = mock_alloc(SZ_64K, MOCK_EL2);
	bad[1] = mock_alloc(SZ_64K, MOCK_GUEST);
	fill_with_bait(bad[0], SZ_64K);
	fill_with_bait(bad[1], SZ_64K);
	for (i = 0; i < ARRAY_SIZE(nowhere); i++)
		bad[2 + i] = nowhere[i];

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (two_level)
			bad_two_level(test, bad[i], bad[0], bad[1]);
		bad_linear(test, bad[i]);
	}
	/* In the host's memory, the same table works */
	mock_give(bad[0], SZ_64K, MOCK_HOST);
	fill_with_bait(bad[0], SZ_64K);
	host_set_strtab(bad[0], 0, 0, 7);
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), HW_S2);
}

/* Tables of both levels in memory that is not the host's, or not memory */
static void strtab_foreign_memory(struct kunit *test)
{
	foreign_memory(test, false);
	foreign_memory(test, true);
}

/* A table leaves the host while it is in use: its streams abort */
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
	/* There was no CFGI_STE for this one */
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID + 1), HW_S2);
}

/* A linear table with 128 STEs, of which 2^@bits count */
static void expect_size(struct kunit *test, phys_addr_t tab, unsigned int bits)
{
	u32 sid;

	host_set_strtab(tab, 0, 0, bits);
	for (sid = 0; sid < 128; sid++)
		KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid),
				    sid >> min(bits, 7U) ? -1 : HW_S2,
				    "%u bits, stream %u", bits, sid);
}

static void strtab_sizes(struct kunit *test)
{
	unsigned int level, bits;
	phys_addr_t tab;

	for (level = 0; level < 2; level++) {
		boot(test, level);
		tab = mock_alloc(64 << 7, MOCK_HOST);
		fill_with_bait(tab, 64 << 7);
		for (bits = 0; bits <= 7; bits++)
			expect_size(test, tab, bits);
		/* More than IDR1 has count as what IDR1 has */
		for (bits = 32; !level && bits < 64; bits++)
			expect_size(test, tab, bits);
		/* Reserved formats */
		for (bits = 2; bits < 4; bits++) {
			host_set_strtab(tab, bits, 0, 7);
			expect_no_stream(test, "format");
		}
	}
}

/* The host overwrites each word that EL2 reads: EL2 reads it once */
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

/* The host clears SMMUEN */
static void switch_off(struct kunit *test)
{
	unsigned int i, cleared = 0, invalidated = 0;

	SMMU0->nr_runs = 0;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	expect_no_stream(test, "off");
	/* CFGI_ALL and TLBI, both when SID's STE is gone, and a CMD_SYNC */
	for (i = 0; i < SMMU0->nr_runs; i++) {
		const struct mock_run *run = &SMMU0->runs[i];

		if (run->ste[0] & T_STE_V)
			continue;
		if (is_cfgi(run->cmd, 0) && is_cfgi(run->cmd, ~0U))
			cleared = i + 1;
		if (T_OP(run->cmd) == T_TLBI_S12_VMALL)
			invalidated = i + 1;
	}
	KUNIT_EXPECT_NE(test, cleared, 0);
	KUNIT_EXPECT_NE(test, invalidated, 0);
	KUNIT_EXPECT_LT(test, cleared, SMMU0->nr_runs);
	KUNIT_EXPECT_LT(test, invalidated, SMMU0->nr_runs);

	/* Commands do nothing meanwhile */
	host_cfgi_all();
	expect_no_stream(test, "off, CFGI_ALL");
}

/* The host sets SMMUEN, with a table that has an STE for SID only */
static void switch_on(struct kunit *test)
{
	u64 ste[STRTAB_STE_DWORDS];
	unsigned int i;
	u32 sid;

	memset(mock_va(host_ste(0)), 0, 100 * 64);
	host_put_ste(SID, states[3].host);
	SMMU0->nr_runs = 0;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	/* The SMMU may have cached the STE before */
	i = SMMU0->nr_runs;
	KUNIT_ASSERT_GE(test, i, 2);
	KUNIT_EXPECT_TRUE(test, is_cfgi(SMMU0->runs[i - 2].cmd, SID));
	KUNIT_EXPECT_EQ(test, SMMU0->runs[i - 1].cmd[0], T_CMD_SYNC);
	mock_ste(SMMU0, SID, ste);
	KUNIT_EXPECT_MEMEQ(test, ste, SMMU0->runs[i - 2].ste, sizeof(ste));
	for (sid = 0; sid < 100; sid++)
		expect_config(test, sid, sid == SID ? HW_NESTED : -1);
}

/* With SMMUEN cleared every stream aborts. With SMMUEN set, the table is new */
static void strtab_off_and_on(struct kunit *test)
{
	unsigned int i, used;
	u32 sid;

	for (i = 0; i < 2 * 3; i++) {
		if (i % 3 == 0)
			boot(test, i / 3);
		for (sid = 0; sid < 100; sid++)
			host_put_ste(sid, states[2 + sid % 4].host);
		host_cfgi_all();
		expect_config(test, 99, states[2 + 99 % 4].config);
		used = mock->pool_used;
		switch_off(test);
		switch_on(test);
		KUNIT_EXPECT_LE(test, mock->pool_used, used);
	}
}

/* The SMMU is late with invalidations: EL2 keeps the old tables until then */
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
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK),
				CR0_CMDQEN | CR0_SMMUEN);
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

static bool interrupted, torn;
static u64 reserved_ste[STRTAB_STE_DWORDS];

static void watch_reserved(struct mock_smmu *s, const u64 *cmd)
{
	u64 ste[STRTAB_STE_DWORDS] = {};

	interrupted |= mock_hw_config(SID) != HW_S2;
	/* The SMMU may have the last one cached */
	mock_ste(SMMU0, SID, ste);
	torn |= ste[0] != reserved_ste[0] && ste[1] != reserved_ste[1];
	memcpy(reserved_ste, ste, sizeof(ste));
}

/* A stream that firmware reserves passes until the host decides, without a gap */
static void reserved(struct kunit *test, bool two_level, bool slow,
		     const u64 *ste, int config)
{
	static const struct pkvm_smmu_rmr rmrs[] = {
		{ .sid = SID }, { .sid = U32_MAX }, { .smmu = 1, .sid = SID + 1 },
	};
	u32 sid;

	make_machine(test, two_level);
	memcpy(mock->config.rmrs, rmrs, sizeof(rmrs));
	mock->config.nr_rmrs = ARRAY_SIZE(rmrs);
	mock_test_boot(test);
	for (sid = 0; sid < 100; sid++)
		expect_config(test, sid, sid == SID ? HW_S2 : -1);

	/* The host's driver fills its table before it sets SMMUEN */
	host_cmdq_start(4);
	host_strtab_make();
	host_put_ste(SID, ste);
	host_put_ste(SID + 1, states[3].host);
	SMMU0->slow = slow;
	interrupted = false;
	torn = false;
	mock_ste(SMMU0, SID, reserved_ste);
	mock->ran = watch_reserved;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	KUNIT_EXPECT_EQ(test, interrupted, config != HW_S2);
	KUNIT_EXPECT_FALSE(test, torn);
	expect_config(test, SID, config);
	expect_config(test, SID + 1, HW_NESTED);

	/* From then on it is a stream like all others */
	mock->ran = NULL;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	expect_config(test, SID, -1);
}

static void strtab_reserved(struct kunit *test)
{
	static const u64 none[STRTAB_STE_DWORDS];
	static const u64 bypass[STRTAB_STE_DWORDS] = { STE_BYPASS0, STE_BYPASS1 };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		reserved(test, i & 1, i & 2, bypass, HW_S2);
		reserved(test, i & 1, i & 2, none, -1);
		reserved(test, i & 1, i & 2, states[3].host, HW_NESTED);
	}
}

/* No memory for the STE of such a stream; more of them than there may be */
static void strtab_reserved_fails(struct kunit *test)
{
	make_machine(test, true);
	mock->config.nr_rmrs = 1;
	mock->pool_left = 0;
	KUNIT_EXPECT_NE(test, mock_boot(), 0);

	make_machine(test, true);
	mock->config.nr_rmrs = PKVM_SMMU_MAX_RMRS;
	KUNIT_EXPECT_EQ(test, mock_boot(), 0);
	make_machine(test, true);
	mock->config.nr_rmrs = PKVM_SMMU_MAX_RMRS + 1;
	KUNIT_EXPECT_NE(test, mock_boot(), 0);
}

/* Without memory for a second-level table its streams abort, and no others */
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

/* Second-level tables do not use up the pool, which stage 2 needs */
static void strtab_quota(struct kunit *test)
{
	unsigned int i, used, live = 0;
	u32 nr = 2 * MOCK_NR_L2;
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
	KUNIT_EXPECT_EQ(test, live, MOCK_NR_L2);
	KUNIT_EXPECT_EQ(test, mock->pool_used - used, MOCK_NR_L2);
	KUNIT_EXPECT_GT(test, host_count(PKVM_SMMU_FAILED_TABLE), 0);

	/* With a new table of the host, all of them are available again */
	for (i = 0; i < MOCK_NR_L2 << (PKVM_SMMU_STRTAB_SPLIT - 6);
	     i++)
		mock_put(mock_host.strtab + i * 8, 0);
	host_set_strtab(mock_host.strtab, 1, 6, mock->sid_bits);
	for (i = MOCK_NR_L2; i < nr; i++)
		KUNIT_EXPECT_EQ(test,
				mock_hw_config(i << PKVM_SMMU_STRTAB_SPLIT),
				HW_S2);
	linear = mock_alloc(64, MOCK_HOST);
	mock_put(linear, STE_BYPASS0);
	host_set_strtab(linear, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, mock_hw_config(0), HW_S2);
	KUNIT_EXPECT_EQ(test, mock->pool_used - used, 1);
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);
}

/* A device on each of many buses, as behind that many root ports */
static void strtab_many_buses(struct kunit *test)
{
	const u32 buses = 128;
	unsigned int i, live = 0;

	mock_test_again(test, 4 * MOCK_NR_PAGES);
	/* The SMMU has more bits than firmware describes */
	mock->sid_bits = 16;
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 0, 20));
	mock->config.smmus[0].nr_l2 = buses + PKVM_SMMU_SPARE_L2_TABLES;
	mock->config.pool[0].size = 2 * MOCK_NR_PAGES * PAGE_SIZE;
	mock->config.pool[0].base =
		mock_alloc(mock->config.pool[0].size, MOCK_HOST);
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test,
			FIELD_GET(T_IDR1_SIDSIZE, host_readl(ARM_SMMU_IDR1)),
			16);
	host_cmdq_start(8);
	mock_host.l2 = mock_alloc(64ULL << HOST_SPLIT, MOCK_HOST);
	mock_put(host_ste(0), STE_BYPASS0);
	for (i = 1; i < BIT(HOST_SPLIT); i++)
		mock_put(host_ste(i), STE_ABORT0);
	mock_host.strtab = mock_alloc(8ULL << (16 - HOST_SPLIT), MOCK_HOST);
	host_set_strtab(mock_host.strtab, 1, HOST_SPLIT, 16);
	/* As Linux does, one device after the other */
	for (i = 0; i < buses; i++) {
		mock_put(mock_host.strtab + i * 8,
			 mock_host.l2 | (HOST_SPLIT + 1));
		host_cfgi_ste(i << HOST_SPLIT);
	}
	for (i = 0; i < buses; i++)
		live += mock_hw_config(i << HOST_SPLIT) == HW_S2;
	KUNIT_EXPECT_EQ(test, live, buses);

	/* And all at once, when a driver enables an SMMU with its old table */
	host_set_strtab(mock_host.strtab, 1, HOST_SPLIT, 16);
	for (i = 0, live = 0; i < buses; i++)
		live += mock_hw_config(i << HOST_SPLIT) == HW_S2;
	KUNIT_EXPECT_EQ(test, live, buses);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_TABLE), 0);
}

/* The SMMU has 32 bits of StreamID. EL2 covers those that the host can use */
static void strtab_wide(struct kunit *test)
{
	const u8 bits = PKVM_SMMU_MAX_SID_BITS_2LVL;
	const size_t l1_size = 8ULL << (bits - HOST_SPLIT);
	u32 sid = BIT(bits) - BIT(HOST_SPLIT) + SID;
	unsigned int i;

	mock_test_again(test, MOCK_NR_PAGES + 2 * (5 * SZ_1M) / PAGE_SIZE);
	mock->sid_bits = bits;
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 0, 32));
	mock->config.smmus[0].sid_bits = 32;
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test,
			FIELD_GET(T_IDR1_SIDSIZE, host_readl(ARM_SMMU_IDR1)),
			bits);
	host_cmdq_start(4);
	mock_host.l2 = mock_alloc(64ULL << HOST_SPLIT, MOCK_HOST);
	mock_put(host_ste(SID), STE_BYPASS0);
	mock_host.strtab = mock_alloc(l1_size, MOCK_HOST);
	mock_put(mock_host.strtab + l1_size - 8,
		 mock_host.l2 | (HOST_SPLIT + 1));
	host_writeq(ARM_SMMU_STRTAB_BASE, mock_host.strtab);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG,
		    T_STRTAB_CFG(T_STRTAB_2LVL, HOST_SPLIT, bits));
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	for (i = 0; i < 1000 && !host_wait_cr0(); i++)
		;
	KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_S2);
	KUNIT_EXPECT_EQ(test, mock_hw_config(SID), -1);
	mock_put(host_ste(SID), STE_ABORT0);
	host_cfgi_ste(sid);
	KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_ABORT);
}

/*
 * The host adds and removes second-level tables without end. EL2 needs memory
 * for those that exist at a time only.
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

		mock_put(mock_host.strtab + i * 8,
			 mock_host.l2 | (HOST_SPLIT + 1));
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_cmd_sync();
		KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid), HW_S2,
				    "stream %u", sid);
		mock_put(mock_host.strtab + i * 8, 0);
		mock->watch_sid = sid;
		SMMU0->nr_runs = 0;
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_cmd_sync();
		KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid), -1, "stream %u",
				    sid);
		/* The SMMU has invalidated all streams of the removed table */
		for (j = 0, known = false; j < SMMU0->nr_runs; j++)
			known |= !SMMU0->runs[j].ste_found &&
				 is_cfgi(SMMU0->runs[j].cmd, sid) &&
				 is_cfgi(SMMU0->runs[j].cmd, sid + 63);
		KUNIT_EXPECT_TRUE(test, known);
	}
}

/* The SMMU is late each time that a table goes. Its page comes back later */
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

		mock_put(mock_host.strtab + i * 8,
			 mock_host.l2 | (HOST_SPLIT + 1));
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_cmd_sync();
		KUNIT_EXPECT_GT(test, mock->pool_used, used);
		/* The table is empty, so EL2 only has to unlink it */
		mock_put(host_ste(0), 0);
		host_cfgi_ste(sid);
		mock_put(host_ste(0), STE_BYPASS0);
		mock_put(mock_host.strtab + i * 8, 0);
		SMMU0->stuck = true;
		host_cmd_put(T_CFGI_STE | T_SID(sid), 0);
		host_tell();
		SMMU0->stuck = false;
		SMMU0->slow = true;
		/* Not while the SMMU may read it */
		KUNIT_EXPECT_GT(test, mock->pool_used, used);
		mock_run_all(SMMU0);
		SMMU0->slow = false;
		host_cmd_sync();

		/* Every other time, a new table gets the page */
		if (i % 2) {
			mock_put(mock_host.strtab + i * 8,
				 mock_host.l2 | (HOST_SPLIT + 1));
			host_cfgi_ste(sid);
			KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_S2);
			mock_put(mock_host.strtab + i * 8, 0);
			host_cfgi_ste(sid);
			KUNIT_EXPECT_EQ(test, mock->pool_used, used);
		}
	}
	/* There is no page but that of the last table */
	KUNIT_EXPECT_GT(test, mock->pool_used, used);
	mock->pool_left = 0;
	mock_put(mock_host.strtab, mock_host.l2 | (HOST_SPLIT + 1));
	host_cfgi_ste(0);
	KUNIT_EXPECT_EQ(test, mock_hw_config(0), HW_S2);
	mock_put(mock_host.strtab, 0);
	host_cfgi_ste(0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);
}

/* All STEs of a group are to change in both words */
static void put_group(const u64 *ste)
{
	u32 sid;

	for (sid = 0; sid < 64; sid++) {
		mock_put(host_ste(sid) + 8, ste[1]);
		mock_put(host_ste(sid), ste[0]);
	}
}

/*
 * All STEs of a group change in both words, and the SMMU is slow. A trap takes
 * little longer than SMMU_TRAP_US, and no change is lost.
 */
static void strtab_slow(struct kunit *test)
{
	static const u64 from[] = { STE_S1_0(0x1000), STE_S1_1 };
	static const u64 to[] = { STE_S1_0(0x2000), STE_S1_1 & ~T_STE_S1DSS };
	unsigned int tenths, i;
	u32 sid;
	u64 start;

	for (tenths = 0; tenths < 10; tenths++) {
		boot(test, tenths % 2);
		put_group(from);
		host_cfgi_all();
		put_group(to);
		SMMU0->slow = true;
		SMMU0->delay = tenths * SMMU_TRAP_US / 20 + 1;
		/* 64 streams */
		host_cmd_put(T_CFGI_RANGE, 5);
		host_put_sync();
		start = mock->now;
		host_tell();
		KUNIT_EXPECT_LT(test, mock->now - start,
				22 * SMMU_TRAP_US / 10);
		SMMU0->delay = 0;
		for (i = 0; i < 1000 && !host_cmdq_is_empty(); i++)
			mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		for (sid = 0; sid < 64; sid++)
			expect_config(test, sid, HW_NESTED);
	}
}

/*
 * While an STE changes the hardware is late, or calls a command of the host
 * illegal. CFGI completes when the STE has changed.
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
 * EL2 has unlinked a table while the SMMU was late. It has to reclaim it for
 * another one, and the hardware calls a command of the host illegal then.
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

/* The host clears SMMUEN and the SMMU is late: pages can't leave yet */
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

/* The host adds a table while the SMMU is late. EL2 sends the CFGI later */
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
		told += T_OP(SMMU0->runs[i].cmd) == T_CFGI_STE &&
			!(SMMU0->runs[i].cmd[1] & 1);
	KUNIT_EXPECT_EQ(test, mock_hw_config(sid), HW_S2);
	KUNIT_EXPECT_GT(test, told, 0);
}

/* The SMMU is late with an old table, and a new one needs its page */
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

/* Tables without streams that pass use at most half of the tables of EL2 */
static void strtab_empty_tables(struct kunit *test)
{
	unsigned int i, live = 0;
	phys_addr_t strtab, empty, l2;

	mock_test_again(test, 2 * MOCK_NR_PAGES);
	mock->sid_bits = 14;
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(8, 8, 8, 14));
	mock->config.pool[0].size = 2 * MOCK_NR_L2 * PAGE_SIZE;
	mock->config.pool[0].base =
		mock_alloc(mock->config.pool[0].size, MOCK_HOST);
	strtab = mock_alloc(8 << 8, MOCK_HOST);
	empty = mock_alloc(64 << 6, MOCK_HOST);
	l2 = mock_alloc(64 << 6, MOCK_HOST);
	mock_test_boot(test);
	host_cmdq_start(4);
	mock_put(empty, STE_ABORT0);
	mock_put(l2, STE_BYPASS0);
	/* With 4K, four times what EL2 has. Streams pass in one of eight */
	for (i = 0; i < 256; i++)
		mock_put(strtab + i * 8, (i % 8 == 7 ? l2 : empty) | 7);
	host_writeq(ARM_SMMU_STRTAB_BASE, strtab);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG,
		    T_STRTAB_CFG(T_STRTAB_2LVL, 6, 14));
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	for (i = 7; i < 256; i += 8)
		live += mock_hw_config(i << 6) == HW_S2;
	KUNIT_EXPECT_EQ(test, live, 32);
}

/* CFGI_ALL comes while EL2 still takes the STEs after an enable */
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
	/* The SMMU may have cached STEs now */
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

/* A command for other streams does not continue a job that is half done */
static void strtab_other_job(struct kunit *test)
{
	static const struct smmu_sid_range all = { 0, 127 };
	static const struct smmu_sid_range others[] = { { 0, 126 }, { 1, 127 } };
	struct smmu_trap trap;
	unsigned int i;

	boot(test, false);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		trap = (struct smmu_trap) {
			.smmu	= SMMU0->smmu,
			.clock	= smmu_clock_start(SMMU_TRAP_US),
			.budget	= 1,
		};
		hyp_host_mb();
		KUNIT_EXPECT_FALSE(test, smmu_strtab_shadow(&trap, &all));
		mock_put(host_ste(1), i ? STE_ABORT0 : STE_BYPASS0);
		trap.budget = SMMU_WORK_PER_TRAP;
		hyp_host_mb();
		KUNIT_EXPECT_TRUE(test, smmu_strtab_shadow(&trap, &others[i]));
		KUNIT_EXPECT_EQ(test, mock_hw_config(1), i ? 0 : HW_S2);
	}
}

/* The host overwrites its level-1 descriptor as soon as EL2 has read it */
static void strtab_flip_level1(struct kunit *test)
{
	u64 ste[STRTAB_STE_DWORDS];

	boot(test, true);
	host_put_ste(SID, states[3].host);
	mock->flip = true;
	host_cfgi_ste(SID);
	mock->flip = false;
	KUNIT_EXPECT_TRUE(test, mock_ste(SMMU0, SID, ste));
	KUNIT_EXPECT_EQ(test, HW_CONFIG(ste[0]), HW_NESTED);
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
	KUNIT_CASE(strtab_reserved),
	KUNIT_CASE(strtab_reserved_fails),
	KUNIT_CASE(strtab_late_off),
	KUNIT_CASE(strtab_no_memory),
	KUNIT_CASE(strtab_quota),
	KUNIT_CASE(strtab_many_buses),
	KUNIT_CASE(strtab_wide),
	KUNIT_CASE(strtab_endless_tables),
	KUNIT_CASE(strtab_lost_tables),
	KUNIT_CASE(strtab_slow),
	KUNIT_CASE(strtab_half_changed),
	KUNIT_CASE(strtab_lost_and_illegal),
	KUNIT_CASE(strtab_late_disable),
	KUNIT_CASE(strtab_late_level1),
	KUNIT_CASE(strtab_late_reclaim),
	KUNIT_CASE(strtab_empty_tables),
	KUNIT_CASE(strtab_enabling),
	KUNIT_CASE(strtab_other_job),
	KUNIT_CASE(strtab_flip_level1),
	{}
};

static struct kunit_suite strtab_suite = {
	.name = "pkvm-smmu-strtab",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = strtab_cases,
};

kunit_test_suite(strtab_suite);
