// SPDX-License-Identifier: GPL-2.0-only
/*
 * evtq.c: the host's event queue is pinned while the hardware writes to it.
 */
#include <linux/kernel.h>

#include "test.h"

static void evtq_indices(struct kunit *test)
{
	phys_addr_t mem;
	unsigned int i;

	mock_test_boot_cached(test);
	mem = mock_alloc(32 << 4, MOCK_HOST);
	host_writeq(ARM_SMMU_EVTQ_BASE, mem | 4 | Q_BASE_RWA);
	/* The host may write both while the queue is off, OVFLG included */
	host_writel(MOCK_EVTQ_PROD, 0x80000012);
	host_writel(MOCK_EVTQ_CONS, 0x80000012);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000012);
	KUNIT_EXPECT_EQ(test, SMMU0->writes[SMMU0->nr_writes - 1].offset,
			ARM_SMMU_CR0);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_PROD), 0x80000012);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_CONS), 0x80000012);
	KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, ARM_SMMU_EVTQ_BASE),
			mem | 4 | Q_BASE_RWA);

	mock_set_reg(SMMU0, MOCK_EVTQ_PROD, 0x12);
	mock_set_reg(SMMU0, MOCK_EVTQ_CONS, 0x12);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 100 + i));
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 2);
	/* The queue is full: the host sees OVFLG, and acknowledges it */
	KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 0));
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000002);
	KUNIT_EXPECT_EQ(test, mock_get(mem + 2 * 32), 100);
	KUNIT_EXPECT_EQ(test, mock_get(mem + 1 * 32), 115);
	/* PROD is read-only now. CONS has no other bits */
	host_writel(MOCK_EVTQ_PROD, 7);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000002);
	host_writel(MOCK_EVTQ_CONS, 0xffff0002);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_CONS), 0x80000002);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));

	/* The host sees the index while the queue is off, and later on */
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000003);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_CONS), 0x80000002);
	mock_set_reg(SMMU0, MOCK_EVTQ_PROD, 0x55);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_PROD), 0x80000003);
}

/* The queue stays pinned until the SMMU acknowledges the disable */
static void evtq_not_let_go(struct kunit *test)
{
	phys_addr_t mem, other;

	mock_test_boot_cached(test);
	mem = mock_alloc(PAGE_SIZE, MOCK_HOST);
	other = mock_alloc(PAGE_SIZE, MOCK_HOST);
	host_set_queue(ARM_SMMU_EVTQ_BASE, mem | 4, CR0_EVTQEN);
	SMMU0->stuck = true;
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, mock_count_pins(mem, PAGE_SIZE), 1);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));

	/* Until then, EVTQ_BASE is read-only (6.3.29) */
	host_writeq(ARM_SMMU_EVTQ_BASE, other | 4);
	KUNIT_EXPECT_EQ(test, host_readq(ARM_SMMU_EVTQ_BASE), mem | 4);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
	KUNIT_EXPECT_EQ(test, mock_count_pins(mem, PAGE_SIZE), 1);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, mock_count_pins(mem, PAGE_SIZE), 1);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
	KUNIT_EXPECT_EQ(test, mock->pins, 0);
	host_writeq(ARM_SMMU_EVTQ_BASE, other | 4);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, mock_count_pins(mem, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mock_count_pins(other, PAGE_SIZE), 1);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));
}

/* The host sees an enable acknowledged when the hardware acknowledges it */
static void evtq_not_enabled(struct kunit *test)
{
	phys_addr_t mem = mock_alloc(PAGE_SIZE, MOCK_HOST);
	unsigned int i, writes;

	/* The host waits; gives up; tries again */
	for (i = 0; i < 3; i++) {
		mock_test_boot_cached(test);
		host_writeq(ARM_SMMU_EVTQ_BASE, mem | 4);
		SMMU0->stuck = true;
		host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0), CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
		KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));

		/* EL2 neither writes nor waits while a change is under way */
		writes = SMMU0->nr_writes;
		mock->relaxed = 0;
		if (i) {
			host_writel(ARM_SMMU_CR0, 0);
			KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK),
					CR0_EVTQEN);
		}
		if (i == 2) {
			host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
			KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
		}
		KUNIT_EXPECT_EQ(test, SMMU0->nr_writes, writes);
		KUNIT_EXPECT_EQ(test, mock->relaxed, 0);
		KUNIT_EXPECT_EQ(test, mock->pins, 1);

		SMMU0->stuck = false;
		mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK),
				i == 1 ? 0 : CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, mock_event(SMMU0, 1), i != 1);
		KUNIT_EXPECT_EQ(test, mock_count_pins(mem, PAGE_SIZE), i != 1);
		host_writel(ARM_SMMU_CR0, 0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
		KUNIT_EXPECT_EQ(test, mock->pins, 0);
		mock_test_again(test, MOCK_NR_PAGES);
		mem = mock_alloc(PAGE_SIZE, MOCK_HOST);
	}
}

static struct kunit_case evtq_cases[] = {
	KUNIT_CASE(evtq_indices),
	KUNIT_CASE(evtq_not_let_go),
	KUNIT_CASE(evtq_not_enabled),
	{}
};

static struct kunit_suite evtq_suite = {
	.name = "pkvm-smmu-evtq",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = evtq_cases,
};

kunit_test_suite(evtq_suite);
