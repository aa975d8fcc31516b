// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlbi.c: a page leaves the host once no SMMU has a translation of it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "test.h"

/* Does this command reach a page that only stage 2 has translated? */
static bool tlbi_reaches(const u64 *cmd, phys_addr_t pa)
{
	u64 ipa = cmd[1] & T_CMD_IPA, pages = 1;

	if (T_OP(cmd) == T_TLBI_S12_VMALL)
		return true;
	if (T_OP(cmd) != T_TLBI_S2_IPA)
		return false;
	/* TG, and then NUM and SCALE */
	if (cmd[1] & T_CMD_TG)
		pages = (FIELD_GET(T_CMD_NUM, cmd[0]) + 1) <<
			FIELD_GET(T_CMD_SCALE, cmd[0]);

	return pa >= ipa && pa - ipa < pages * PAGE_SIZE;
}

static void expect_page_leaves(struct kunit *test, const struct mock_smmu *s,
			       phys_addr_t pa, size_t pages,
			       enum smmu_cached cached)
{
	unsigned int i, j, n = s->nr_runs;

	for (j = 0; j < pages; j++)
		KUNIT_EXPECT_FALSE(test, mock_is_mapped(s, pa + j * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, mock_is_mapped(s, pa + pages * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, mock_is_mapped(s, pa - PAGE_SIZE));
	if (cached == SMMU_CACHED_NOTHING) {
		KUNIT_EXPECT_EQ(test, n, 0);
		return;
	}

	/* One batch, and one CMD_SYNC */
	KUNIT_ASSERT_GE(test, n, 2);
	KUNIT_EXPECT_LE(test, n, 9);
	KUNIT_EXPECT_EQ(test, s->runs[--n].cmd[0], T_CMD_SYNC);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_FALSE(test, s->runs[i].mapped);
		/* Leaf = 0 and TTL = 0: tables, and all levels */
		KUNIT_EXPECT_EQ(test,
				s->runs[i].cmd[1] & (T_CMD_LEAF | T_CMD_TTL),
				0);
		if (cached == SMMU_CACHED_NESTED)
			KUNIT_EXPECT_EQ(test, s->runs[i].cmd[0],
					T_TLBI_S12_VMALL);
	}
	for (j = 0; j < pages; j++) {
		for (i = 0;
		     i < n && !tlbi_reaches(s->runs[i].cmd, pa + j * PAGE_SIZE);
		     i++)
			;
		KUNIT_EXPECT_LT(test, i, n);
	}
}

/* @cached is what the SMMUs may have cached */
static void leave_and_return(struct kunit *test, phys_addr_t pa, size_t pages,
			     enum smmu_cached cached, bool slow)
{
	static const u64 ste[] = { T_STE_ABORT, T_STE_S2, T_STE_NESTED };
	size_t size = pages * PAGE_SIZE;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		smmu_tlbi_note_ste(mock->smmu[i].smmu, ste[cached]);
		mock->smmu[i].slow = slow;
		mock->smmu[i].nr_runs = 0;
	}
	KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
	KUNIT_EXPECT_EQ(test, mock_leave(pa, size), 0);
	for (i = 0; i < 2; i++)
		expect_page_leaves(test, &mock->smmu[i], pa, pages, cached);
	mock_return(pa, size);
	for (i = 0; i < pages; i++)
		KUNIT_EXPECT_TRUE(test,
				  mock_is_mapped(SMMU0, pa + i * PAGE_SIZE));
}

/* EL2 changes the stage 2, and then sends the right invalidations */
static void tlbi_page_leaves(struct kunit *test)
{
	static const u8 sizes[] = { 1, 2, 8, 9, 31, 32, 33, 63 };
	enum smmu_cached cached;
	unsigned int i, j;
	phys_addr_t pa;

	for (i = 0; i < 2 * 2 * ARRAY_SIZE(sizes); i++) {
		size_t pages = sizes[i / 4];

		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.nr_smmus = 2;
		for (j = 0; j < 2; j++)
			mock_change_reg(&mock->smmu[j], ARM_SMMU_IDR3,
					T_IDR3_RIL, i & 1 ? T_IDR3_RIL : 0);
		pa = mock_alloc((2 + pages) * PAGE_SIZE, MOCK_HOST) + PAGE_SIZE;
		mock_test_boot(test);
		mock->watch_ipa = pa;
		KUNIT_EXPECT_EQ(test, mock_leave(pa, 0), 0);
		for (cached = SMMU_CACHED_NOTHING;
		     cached <= SMMU_CACHED_NESTED; cached++)
			leave_and_return(test, pa, pages, cached, i & 2);
	}
}

/* EL2 knows from the STEs what the SMMU may have cached */
static void tlbi_streams(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	static const struct { u64 ste; unsigned int s2, all;
	} steps[] = {
		{ STE_ABORT0, 0, 0 },
		{ STE_BYPASS0, 1, 0 },
		{ STE_S1_0(0x1000), 0, 1 },
		/* The SMMU may still have entries of the last STE */
		{ STE_BYPASS0, 0, 1 },
		{ 0, 0, 1 },
	};
	unsigned int i;

	mock_test_boot(test);
	host_cmdq_start(4);
	host_strtab_start();
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		mock_put(host_ste(7), steps[i].ste);
		host_cfgi_ste(7);
		host_writel(ARM_SMMU_CR0, CR0_SMMUEN);
		SMMU0->nr_runs = 0;
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, mock_count_runs(T_TLBI_S2_IPA),
				steps[i].s2);
		KUNIT_EXPECT_EQ(test, mock_count_runs(T_TLBI_S12_VMALL),
				steps[i].all);
		host_writel(ARM_SMMU_CR0, CR0_SMMUEN | CR0_CMDQEN);
	}

	/* With SMMUEN cleared, EL2 invalidates STEs first, and then TLBs */
	SMMU0->nr_runs = 0;
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_ASSERT_EQ(test, SMMU0->nr_runs, 4);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0], T_CFGI_RANGE);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[1].cmd[0], T_CMD_SYNC);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[2].cmd[0], T_TLBI_S12_VMALL);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[3].cmd[0], T_CMD_SYNC);
	SMMU0->nr_runs = 0;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
}

/* Another CPU has held the lock for all of the time */
static void tlbi_no_time(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	struct smmu_clock clock = smmu_clock_start(SMMU_LEAVE_US);

	mock_test_boot_cached(test);
	SMMU0->slow = true;
	KUNIT_EXPECT_FALSE(test, smmu_clock_is_over(&clock));
	mock->now += 2 * SMMU_LEAVE_US;
	KUNIT_EXPECT_EQ(test,
			smmu_tlbi_range(SMMU0->smmu, 1, pa, pa + PAGE_SIZE,
					&clock),
			-EAGAIN);
	/* EL2 does not report the SMMU for that */
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_TIMEOUT), 0);
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
}

/* An SMMU has stopped: the wait ends, and the page stays */
static void tlbi_page_stays(struct kunit *test)
{
	phys_addr_t pa;
	unsigned int i;

	for (i = 0; i < MOCK_NR_SMMUS; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.nr_smmus = 2;
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_test_boot_cached(test);
		mock->smmu[i].stuck = true;
		mock->relaxed = 0;
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EAGAIN);
		KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
		KUNIT_EXPECT_GT(test, mock->relaxed, 50);
		KUNIT_EXPECT_EQ(test,
				host_shared()
					->smmu[i]
					.n[PKVM_SMMU_FAILED_TIMEOUT],
				1);
		/* EL2 does not wait for it again */
		mock->relaxed = 0;
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EAGAIN);
		KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
		KUNIT_EXPECT_LT(test, mock->relaxed, 10);
		/* EL2 uses it again when it has caught up */
		mock->smmu[i].stuck = false;
		mock_run_all(&mock->smmu[i]);
		mock->watch_ipa = pa;
		mock->smmu[i].nr_runs = 0;
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
		KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, pa));
		KUNIT_ASSERT_EQ(test, mock->smmu[i].nr_runs, 2);
		KUNIT_EXPECT_EQ(test, mock->smmu[i].runs[0].cmd[0],
				T_TLBI_S12_VMALL);
		KUNIT_EXPECT_FALSE(test, mock->smmu[i].runs[0].mapped);
	}
}

/* Two slow SMMUs invalidate at the same time */
static void tlbi_two_slow(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	unsigned int i;
	u64 start;

	mock->config.nr_smmus = 2;
	mock_test_boot_cached(test);
	for (i = 0; i < 2; i++) {
		mock->smmu[i].slow = true;
		mock->smmu[i].delay = 4 * SMMU_LEAVE_US / 10;
	}
	start = mock->now;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_LT(test, mock->now - start, SMMU_LEAVE_US);
}

static struct kunit_case tlbi_cases[] = {
	KUNIT_CASE(tlbi_page_leaves),
	KUNIT_CASE(tlbi_streams),
	KUNIT_CASE(tlbi_no_time),
	KUNIT_CASE(tlbi_page_stays),
	KUNIT_CASE(tlbi_two_slow),
	{}
};

static struct kunit_suite tlbi_suite = {
	.name = "pkvm-smmu-tlbi",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = tlbi_cases,
};

kunit_test_suite(tlbi_suite);
