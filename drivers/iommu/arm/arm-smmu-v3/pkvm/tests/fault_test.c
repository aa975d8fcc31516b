// SPDX-License-Identifier: GPL-2.0-only
/*
 * hwq.c and tlbi.c with hardware that fails: an SMMU was reset, or is slow. EL2
 * reports it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>

#include "test.h"

static u64 count(unsigned int smmu, enum pkvm_smmu_count what)
{
	return host_shared()->smmu[smmu].n[what];
}

static void expect_stays(struct kunit *test, phys_addr_t pa, int err)
{
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), err);
	KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
}

/* Two SMMUs. If @cached, a stream passes SMMU 0 */
static phys_addr_t two_smmus(struct kunit *test, bool cached)
{
	phys_addr_t pa;

	mock_test_again(test, MOCK_NR_PAGES);
	pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	mock->config.nr_smmus = 2;
	mock_test_boot(test);
	host_cmdq_start(4);
	host_strtab_start();
	mock_put(host_ste(5), STE_BYPASS0);
	if (cached)
		host_cfgi_ste(5);

	return pa;
}

/* SMMU @which loses these bits of CR0 */
static void expect_reset(struct kunit *test, u32 loses, bool cached,
			 unsigned int which)
{
	phys_addr_t pa = two_smmus(test, cached);
	struct mock_smmu *s = &mock->smmu[which];

	mock_reset(s, loses);
	expect_stays(test, pa, -EIO);
	expect_stays(test, pa, -EIO);
	KUNIT_EXPECT_EQ(test, count(which, PKVM_SMMU_FAILED_BROKEN), 1);
	KUNIT_EXPECT_EQ(test, count(!which, PKVM_SMMU_FAILED_BROKEN), 0);
	KUNIT_EXPECT_NE(test, host_readl(ARM_SMMU_IDR0), 0);
	/* EL2 does not use it again, even if it is enabled again */
	mock_set_reg(s, ARM_SMMU_CR0, CR0_SMMUEN | CR0_CMDQEN);
	mock_set_reg(s, ARM_SMMU_CR0ACK, CR0_SMMUEN | CR0_CMDQEN);
	expect_stays(test, pa, -EIO);
}

/*
 * An SMMU was reset, while streams pass or not. No page leaves any more. EL2
 * reports the SMMU once, and the host's other accesses work.
 */
static void fault_reset(struct kunit *test)
{
	static const u32 loses[] = {
		CR0_SMMUEN, CR0_CMDQEN, CR0_SMMUEN | CR0_CMDQEN,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(loses) * 4; i++)
		expect_reset(test, loses[i / 4], i & 1, (i & 2) >> 1);
}

/* Firmware has enabled the SMMU again after the reset. GBPA shows the reset */
static void fault_reset_gbpa(struct kunit *test)
{
	phys_addr_t pa = two_smmus(test, false);

	mock_reset(SMMU0, 0);
	expect_stays(test, pa, -EIO);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_BROKEN), 1);
}

/* EL2 finds the reset when it handles a command of the host */
static void fault_reset_trap(struct kunit *test)
{
	phys_addr_t pa = two_smmus(test, true);

	mock_reset(SMMU0, CR0_SMMUEN | CR0_CMDQEN);
	host_put_sync();
	host_tell();
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_BROKEN), 1);
	/* CONS does not move, as with an SMMU that does not answer */
	KUNIT_EXPECT_FALSE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR), 0);
	expect_stays(test, pa, -EIO);
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0), 0);
}

/* EL2 does not hide a reset by enabling the SMMU for another reason */
static void fault_reset_cr0(struct kunit *test)
{
	phys_addr_t pa, evtq;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_STALL_MODEL, 0);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		evtq = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_test_boot(test);
		host_writeq(ARM_SMMU_EVTQ_BASE, evtq | 4);
		if (i) {
			host_cmdq_start(4);
			host_strtab_start();
			SMMU0->slow = true;
		}
		/* EL2 has cleared SMMUEN to end stalls, or will */
		if (i == 2)
			host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
		mock_reset(SMMU0, ~0U);
		host_writel(ARM_SMMU_CR0, i ? CR0_CMDQEN : CR0_EVTQEN);
		KUNIT_EXPECT_FALSE(test, host_wait_cr0());
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR0), 0);
		KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_BROKEN), 1);
		expect_stays(test, pa, -EIO);
	}
}

static void reset_stuck(void)
{
	if (mock_reg(SMMU0, ARM_SMMU_CR0ACK))
		mock_reset(SMMU0, CR0_SMMUEN | CR0_CMDQEN);
}

/* The registers look as if the SMMU had consumed all commands */
static void reset_meanwhile(void)
{
	reset_stuck();
	mock_set_reg(SMMU0, ARM_SMMU_CMDQ_CONS,
		     mock_reg(SMMU0, ARM_SMMU_CMDQ_PROD));
}

/* The reset comes in the middle of an invalidation */
static void fault_reset_meanwhile(struct kunit *test)
{
	phys_addr_t pa = two_smmus(test, true);

	SMMU0->stuck = true;
	mock->meanwhile = reset_meanwhile;
	expect_stays(test, pa, -EIO);
	mock->meanwhile = NULL;
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_BROKEN), 1);
}

/* The SMMU has stopped, and its queue of two commands is full */
static phys_addr_t full_queue(struct kunit *test)
{
	phys_addr_t pa;

	mock_test_again(test, MOCK_NR_PAGES);
	pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(1, 7, 0, 12));
	mock_test_boot(test);
	smmu_tlbi_note_ste(SMMU0->smmu, T_STE_NESTED);
	host_cmdq_start(1);
	SMMU0->stuck = true;
	host_cmd_put(T_TLBI_NH_ASID, 0);
	host_cmd_put(T_TLBI_NH_ASID, 0);
	host_tell();

	return pa;
}

/* There is no room for an invalidation, and then a reset, or no time */
static void fault_no_room(struct kunit *test)
{
	phys_addr_t pa = full_queue(test);
	struct smmu_clock clock;

	mock->meanwhile = reset_meanwhile;
	expect_stays(test, pa, -EIO);
	pa = full_queue(test);
	mock->meanwhile = reset_stuck;
	expect_stays(test, pa, -EIO);

	pa = full_queue(test);
	clock = smmu_clock_start(SMMU_LEAVE_US);
	mock->now += 2 * SMMU_LEAVE_US;
	KUNIT_EXPECT_EQ(test,
			smmu_tlbi_range(SMMU0->smmu, 1, pa, pa + PAGE_SIZE,
					&clock),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_TIMEOUT), 0);
	expect_stays(test, pa, -EAGAIN);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
}

/**
 * struct slow_hw - hardware that takes its time
 * @rest:	how often EL2 polls between two commands
 * @delay:	microseconds that a command takes
 * @lock:	microseconds that others hold a hw_lock
 * @stuck:	it does nothing
 */
struct slow_hw {
	unsigned int	rest;
	u64		delay;
	u64		lock;
	bool		stuck;
};

static void set_slow(const struct slow_hw *hw)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		mock->smmu[i].stuck = hw->stuck;
		mock->smmu[i].delay = hw->delay;
		mock->smmu[i].rest = hw->rest;
		mock->smmu[i].resting = hw->rest;
	}
}

/* Try once. The last command, or lock, began before the time was over */
static int leave_in_time(struct kunit *test, phys_addr_t pa,
			 const struct slow_hw *hw)
{
	u64 start = mock->now;
	int ret;

	mock->lock_takes = hw->lock;
	ret = mock_leave(pa, PAGE_SIZE);
	mock->lock_takes = 0;
	KUNIT_EXPECT_LT(test, mock->now - start,
			SMMU_LEAVE_US + hw->delay + 4 * hw->lock + 1000);
	if (ret) {
		KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
		KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
	}

	return ret;
}

static void leave_slowly(struct kunit *test, const struct slow_hw *hw)
{
	struct slow_hw now = *hw, quick = {};
	phys_addr_t pa = two_smmus(test, true);
	unsigned int tries, i;
	int ret = -EAGAIN;

	for (i = 0; i < 2; i++) {
		smmu_tlbi_note_ste(mock->smmu[i].smmu, T_STE_NESTED);
		mock->smmu[i].slow = true;
	}
	set_slow(hw);
	for (tries = 0; tries < 100; tries++) {
		ret = leave_in_time(test, pa, &now);
		if (!ret)
			break;
		if (tries == 3) {
			now = quick;
			set_slow(&now);
		}
		/* EL1 sleeps, and the hardware goes on */
		for (i = 0; i < 3; i++)
			hyp_relax();
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, pa));
	if (hw->stuck)
		KUNIT_EXPECT_GE(test, tries, 3);
}

/*
 * The ownership lock is held for at most SMMU_LEAVE_US, whatever the hardware
 * does and however long others hold the other locks. The page leaves later.
 */
static void fault_leave_time(struct kunit *test)
{
	static const struct slow_hw hw[] = {
		{ .rest = 4500 },
		{ .delay = SMMU_LEAVE_US * 45 / 100 },
		{ .delay = SMMU_LEAVE_US * 45 / 100,
		  .lock = SMMU_LEAVE_US / 3 },
		{ .lock = SMMU_LEAVE_US / 3 },
		{ .stuck = true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hw); i++)
		leave_slowly(test, &hw[i]);
}

/* A page could not leave in time. A trap has more time, and completes */
static void fault_slow_trap(struct kunit *test)
{
	phys_addr_t pa = two_smmus(test, true);

	SMMU0->slow = true;
	SMMU0->delay = 3 * SMMU_LEAVE_US;
	expect_stays(test, pa, -EAGAIN);
	host_cmd_put(T_SYNC_MSI(0xcafef00d), mock_host.cmdq + 0x84);
	host_tell();
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), mock_host.prod);
	SMMU0->delay = 0;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
}

/* A page can leave although the hardware's queue is never empty */
static void fault_busy_queue(struct kunit *test)
{
	phys_addr_t pa = two_smmus(test, true);
	unsigned int i;

	SMMU0->stuck = true;
	expect_stays(test, pa, -EAGAIN);
	/* The host keeps the hardware busy */
	SMMU0->stuck = false;
	SMMU0->slow = true;
	host_cmd_put(T_TLBI_NH_ASID, 0);
	host_cmd_put(T_TLBI_NH_ASID, 0);
	host_tell();
	mock->relaxed = 0;
	expect_stays(test, pa, -EAGAIN);
	KUNIT_EXPECT_EQ(test, mock->relaxed, 0);
	/* The hardware takes one command at a time */
	for (i = 0; i < 2; i++) {
		hyp_relax();
		host_cmd_put(T_TLBI_NH_ASID, 0);
		host_tell();
	}
	KUNIT_EXPECT_NE(test, mock_reg(SMMU0, ARM_SMMU_CMDQ_CONS),
			mock_reg(SMMU0, ARM_SMMU_CMDQ_PROD));
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
}

static unsigned int nested_later;

/* Another CPU gives a stream a stage 1 */
static void nest_meanwhile(struct mock_smmu *s, const u64 *cmd)
{
	if (T_OP(cmd) == T_TLBI_S2_IPA && !nested_later++)
		s->smmu->tlbi.cached = SMMU_CACHED_NESTED;
}

/*
 * While the hardware invalidates by IPA, a stream with stage 1 begins to pass.
 * The SMMU may have made a combined entry from a cached one of stage 2.
 */
static void fault_nested_meanwhile(struct kunit *test)
{
	phys_addr_t pa = two_smmus(test, true);
	unsigned int i, n28 = 0;

	nested_later = 0;
	mock->ran = nest_meanwhile;
	SMMU0->slow = true;
	SMMU0->nr_runs = 0;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	for (i = 0; i < SMMU0->nr_runs; i++)
		n28 += T_OP(SMMU0->runs[i].cmd) == T_TLBI_S12_VMALL;
	KUNIT_EXPECT_EQ(test, nested_later, 1);
	KUNIT_EXPECT_EQ(test, n28, 1);
}

/* A command of EL2 that the hardware calls illegal has not completed */
static void fault_lost(struct kunit *test)
{
	/* CFGI_ALL at take-over */
	SMMU0->bad_op = T_CFGI_RANGE;
	SMMU0->bad_times = 1;
	KUNIT_EXPECT_EQ(test, mock_boot(), -EIO);

	/* TLBI_S12_VMALL when the host disables its SMMU */
	two_smmus(test, true);
	SMMU0->bad_op = T_TLBI_S12_VMALL;
	SMMU0->bad_times = 1;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
	KUNIT_EXPECT_TRUE(test, SMMU0->smmu->host.cr0ack & CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
}

/* EL2 counts each kind of failure */
static void fault_reports(struct kunit *test)
{
	phys_addr_t pa = SZ_1G;
	unsigned int i;

	/* No page for a table: devices can't reach a page that came back */
	mock_test_again(test, 64 + 2 * 512 + 192);
	mock->config.nr_smmus = 2;
	mock_test_boot(test);
	if (PAGE_SHIFT == 12) {
		mock_own_lock();
		KUNIT_EXPECT_EQ(test, smmu_run_pages_leave(pa, pa + SZ_2M), 0);
		mock_own_unlock();
		mock->pool_left = 0;
		mock_return(pa, PAGE_SIZE);
		KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, pa));
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_EQ(test, count(i, PKVM_SMMU_FAILED_MAP),
					1);
	}

	/* No page for a second-level table */
	mock_test_again(test, MOCK_NR_PAGES);
	mock_test_boot(test);
	mock->pool_left = 0;
	host_cmdq_start(4);
	host_strtab_start();
	KUNIT_EXPECT_EQ(test, !!host_count(PKVM_SMMU_FAILED_TABLE),
			SMMU0->smmu->strtab.two_level);

	/* EL2 can't raise an interrupt */
	two_smmus(test, false);
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	SMMU0->stuck = true;
	host_cmd_put(T_CMD_NONE_2, 0);
	host_tell();
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_IRQ), 1);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_TIMEOUT), 1);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fault_reset),
	KUNIT_CASE(fault_reset_gbpa),
	KUNIT_CASE(fault_reset_trap),
	KUNIT_CASE(fault_reset_cr0),
	KUNIT_CASE(fault_reset_meanwhile),
	KUNIT_CASE(fault_no_room),
	KUNIT_CASE(fault_leave_time),
	KUNIT_CASE(fault_slow_trap),
	KUNIT_CASE(fault_busy_queue),
	KUNIT_CASE(fault_nested_meanwhile),
	KUNIT_CASE(fault_lost),
	KUNIT_CASE(fault_reports),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "pkvm-smmu-fault",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);
