// SPDX-License-Identifier: GPL-2.0-only
/*
 * hwq.c: the hardware's command queue, with hardware that is slow, that calls
 * commands illegal, or that has stopped.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "test.h"

static void hwq_stuck(struct kunit *test)
{
	u32 cons;

	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_strtab_start();
	mock_put(host_ste(5), STE_BYPASS0);
	SMMU0->stuck = true;
	mock->relaxed = 0;
	host_put_tlbi(0);
	host_cmd_sync();
	/* The host sees that the CMD_SYNC has not completed */
	cons = host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, cons, 1);
	KUNIT_EXPECT_GT(test, mock->relaxed, 100);
	mock->relaxed = 0;
	host_cfgi_ste(5);
	host_cfgi_all();
	host_writel(ARM_SMMU_CR0, 0);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), cons);
	KUNIT_EXPECT_LT(test, mock->relaxed, 10);
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, mock->pins, 0);
	/* EL2 does not know yet whether the streams abort */
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_SMMUEN);
	/* The SMMU was late */
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
}

/* The hardware calls a command of the host illegal: EL2 goes on */
static void hwq_illegal(struct kunit *test)
{
	unsigned int slow;
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);

	mock_test_boot_cached(test);
	host_cmdq_start(4);
	for (slow = 0; slow < 2; slow++) {
		SMMU0->slow = slow;
		SMMU0->nr_runs = 0;
		SMMU0->bad_op = T_TLBI_NH_ASID;
		SMMU0->bad_times = 3;
		host_put_tlbi(0);
		host_cmd_put(T_TLBI_NH_ASID, 0);
		host_cmd_put(T_TLBI_NH_ASID, 0);
		host_put_tlbi(1);
		host_cmd_put(T_TLBI_NH_ASID, 0);
		host_cmd_sync();
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		expect_tlbis(test, 2);
		KUNIT_EXPECT_EQ(test, mock_count_runs(T_TLBI_NH_ASID), 0);
		KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
		/* EL2 acknowledges the error, and the host does not see it */
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERROR),
				mock_reg(SMMU0, ARM_SMMU_GERRORN));
		KUNIT_EXPECT_FALSE(test, host_cmdq_error());
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	}

	/* A page can leave with such a command in front */
	mock_return(pa, PAGE_SIZE);
	SMMU0->bad_times = 1;
	host_cmd_put(T_TLBI_NH_ASID, 0);
	host_tell();
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
	KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, pa));
	mock_return(pa, PAGE_SIZE);

	/* A command of EL2 is illegal twice: EL2 gives up */
	SMMU0->bad_op = T_TLBI_S12_VMALL;
	SMMU0->bad_times = 2;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EAGAIN);
	KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, pa));
}

/* EL2 does not wait after an error that it can't repair */
static void hwq_broken(struct kunit *test)
{
	phys_addr_t pa;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_test_boot_cached(test);
		if (i) {
			/* An abort of the fetch, and a reserved code */
			SMMU0->bad_op = T_TLBI_S12_VMALL;
			SMMU0->bad_code = i == 1 ? T_ERR_ABT : T_ERR_NONE;
			SMMU0->bad_times = 1;
		} else {
			/* Each CMD_SYNC is illegal */
			SMMU0->bad_op = T_CMD_SYNC;
			SMMU0->bad_times = ~0U;
		}
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EIO);
		KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
		/* EL2 does not use the SMMU again */
		KUNIT_EXPECT_TRUE(test, SMMU0->smmu->hwq.broken);
		KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_BROKEN), 1);
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EIO);
		KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
		/* The host sees a queue that does not move */
		host_cmdq_start(4);
		host_put_tlbi(0);
		host_tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 0);
	}
}

/* A wait is right whatever the clock says at its beginning */
static void hwq_clock(struct kunit *test)
{
	static const u64 starts[] = { 0, -1000000ULL - 300, -1000000ULL,
				      -500000ULL, -300ULL };
	phys_addr_t pa;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_test_boot_cached(test);
		SMMU0->slow = true;
		mock->now = starts[i];
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);

		SMMU0->stuck = true;
		mock->now = starts[i];
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EAGAIN);
		KUNIT_EXPECT_GE(test, mock->now - starts[i], SMMU_LEAVE_US);
		KUNIT_EXPECT_LT(test, mock->now - starts[i], 2 * SMMU_LEAVE_US);
	}
}

/*
 * The hardware takes almost too long for each command. A trap, and a page that
 * leaves, take little longer than one command may.
 */
static void hwq_slow(struct kunit *test)
{
	static const u64 cmds[] = {
		T_CMD_SYNC, T_TLBI_NH_ASID, T_CFGI_STE, T_CFGI_RANGE,
	};
	unsigned int i, j;
	phys_addr_t pa;
	u64 start;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		/* The hardware's queue is small, too */
		mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(3, 7, 0, 12));
		mock_test_boot_cached(test);
		host_cmdq_start(3);
		host_strtab_start();
		mock_put(host_ste(0), STE_BYPASS0);
		host_cfgi_all();
		SMMU0->slow = true;
		SMMU0->delay = 9 * SMMU_TRAP_US / 10;
		for (j = 0; j < 8; j++) {
			mock_put(host_ste(0), j % 2 ? STE_BYPASS0 : STE_ABORT0);
			host_cmd_put(cmds[i],
				     cmds[i] == T_CFGI_RANGE ? T_ALL_SIDS : 0);
		}
		start = mock->now;
		host_tell();
		KUNIT_EXPECT_LT(test, mock->now - start, 4 * SMMU_TRAP_US);
		start = mock->now;
		mock_leave(pa, PAGE_SIZE);
		KUNIT_EXPECT_LT(test, mock->now - start, 3 * SMMU_TRAP_US);

		/* All commands complete in the end */
		SMMU0->delay = 0;
		for (j = 0; j < 100 && !host_cmdq_is_empty(); j++)
			mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	}
}

/* The hardware is late, the host starts over, and EL2 emulates an error */
static void late_interrupt(struct kunit *test)
{
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_writel(ARM_SMMU_IRQ_CTRL, 5);
	SMMU0->stuck = true;
	host_put_sync();
	host_tell();
	host_writel(ARM_SMMU_CR0, 0);
	host_cmdq_start(4);
	host_cmd_put(T_CMD_NONE_2, 0);
	host_tell();
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 0);
}

/* EL2 signals the error when the hardware has caught up */
static void hwq_late_interrupt(struct kunit *test)
{
	late_interrupt(test);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
}

/* EL2 does not signal an error that the host has acknowledged */
static void hwq_late_acknowledged(struct kunit *test)
{
	late_interrupt(test);
	host_writel(ARM_SMMU_CR0, 0);
	host_ack_gerror();
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 0);
}

/* The hardware is late, and then calls that command illegal */
static void hwq_late_error(struct kunit *test)
{
	phys_addr_t pa;

	pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	mock_test_boot_cached(test);
	SMMU0->stuck = true;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EAGAIN);
	SMMU0->stuck = false;
	SMMU0->slow = true;
	SMMU0->bad_op = T_TLBI_S12_VMALL;
	SMMU0->bad_times = 1;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EAGAIN);
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, pa));
}

/* One write of CR0 asks for several things that EL2 has to wait for */
static void hwq_slow_cr0(struct kunit *test)
{
	phys_addr_t evtq = mock_alloc(PAGE_SIZE, MOCK_HOST);
	unsigned int tenths, i;
	u64 start;

	for (tenths = 1; tenths < 10; tenths++) {
		mock_test_again(test, MOCK_NR_PAGES);
		evtq = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_test_boot_cached(test);
		host_cmdq_start(4);
		host_strtab_start();
		host_writeq(ARM_SMMU_EVTQ_BASE, evtq | 4);
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN | CR0_EVTQEN);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		host_writel(ARM_SMMU_CR0, CR0_SMMUEN | CR0_EVTQEN);
		for (i = 0; i < 6; i++)
			host_put_sync();
		host_tell();
		SMMU0->slow = true;
		SMMU0->delay = tenths * SMMU_TRAP_US / 10;
		start = mock->now;
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
		KUNIT_EXPECT_LT(test, mock->now - start,
				22 * SMMU_TRAP_US / 10);
		SMMU0->delay = 0;
		mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_CMDQEN);
	}
}

/* Other CPUs hold the lock of the hardware's queue again and again */
static void hwq_contended(struct kunit *test)
{
	unsigned int n, traps = 1;
	u64 start;

	mock_test_boot_cached(test);
	host_cmdq_start(6);
	for (n = 0; n < 32; n++)
		host_put_sync();
	mock->lock_takes = 9 * SMMU_TRAP_US / 10;
	start = mock->now;
	host_tell();
	/* smmu_check() takes the lock once more than the trap */
	KUNIT_EXPECT_LT(test, mock->now - start, 41 * SMMU_TRAP_US / 10);
	while (!host_cmdq_is_empty() && traps++ < 100)
		;
	KUNIT_EXPECT_GT(test, traps, 8);
	KUNIT_EXPECT_LT(test, traps, 33);
	mock->lock_takes = 0;
}

/* The time for an interrupt that was late counts for the next trap */
static void hwq_owed_interrupt(struct kunit *test)
{
	unsigned int n;
	u64 start;

	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	SMMU0->stuck = true;
	host_writeq(ARM_SMMU_EVTQ_BASE, 0xff0000000000ULL | 4);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_EVTQEN);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	/* EL2 acknowledges the error that it has caused */
	host_readl(ARM_SMMU_CR2);
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, SMMU0->smmu->gerror.irq_pending);
	SMMU0->slow = true;
	SMMU0->delay = 3 * SMMU_TRAP_US / 10;
	for (n = 0; n < 4; n++) {
		host_put_tlbi(n);
		host_put_sync();
	}
	start = mock->now;
	host_tell();
	KUNIT_EXPECT_FALSE(test, SMMU0->smmu->gerror.irq_pending);
	KUNIT_EXPECT_LT(test, mock->now - start, 18 * SMMU_TRAP_US / 10);
}

/*
 * Other CPUs fill the queue after EL2 has replaced a command. Soon after, the
 * queue is empty.
 */
static void others_fill(void)
{
	struct smmu_clock clock = smmu_clock_start(SMMU_TRAP_US);
	struct arm_smmu_cmd cmd = smmu_tlbi_all();
	struct pkvm_smmu *smmu = SMMU0->smmu;
	struct smmu_ticket ticket;
	unsigned int i;

	if (smmu->hwq.lock.val || !smmu->hwq.skipped)
		return;
	if (SMMU0->stuck && smmu->tlbi.ticket.end == smmu->hwq.added) {
		SMMU0->stuck = false;
		mock_run_all(SMMU0);
		mock->step = NULL;
	} else if (!SMMU0->stuck && smmu->hwq.cons == smmu->hwq.prod) {
		mock->step = NULL;
		SMMU0->stuck = true;
		for (i = 0; i < BIT(smmu->hwq.shift); i++)
			smmu_hwq_submit(smmu, &cmd, 1, &ticket, &clock);
		mock->now += hyp_ticks(SMMU_TRAP_US);
		mock->step = others_fill;
	}
}

/* An invalidation that has to be repeated finds no room: the page stays */
static void hwq_no_room_again(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);

	mock_test_boot_cached(test);
	SMMU0->bad_op = T_TLBI_S12_VMALL;
	SMMU0->bad_times = 1;
	mock->step = others_fill;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, mock->step);
	KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
}

static struct kunit_case hwq_cases[] = {
	KUNIT_CASE(hwq_stuck),
	KUNIT_CASE(hwq_illegal),
	KUNIT_CASE(hwq_broken),
	KUNIT_CASE(hwq_clock),
	KUNIT_CASE(hwq_slow),
	KUNIT_CASE(hwq_late_interrupt),
	KUNIT_CASE(hwq_late_acknowledged),
	KUNIT_CASE(hwq_late_error),
	KUNIT_CASE(hwq_slow_cr0),
	KUNIT_CASE(hwq_contended),
	KUNIT_CASE(hwq_owed_interrupt),
	KUNIT_CASE(hwq_no_room_again),
	{}
};

static struct kunit_suite hwq_suite = {
	.name = "pkvm-smmu-hwq",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = hwq_cases,
};

kunit_test_suite(hwq_suite);
