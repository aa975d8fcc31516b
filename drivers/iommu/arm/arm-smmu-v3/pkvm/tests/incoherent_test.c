// SPDX-License-Identifier: GPL-2.0-only
/*
 * SMMUs that do not snoop the CPUs' caches. All other suites run on a machine
 * with such SMMUs, too (see the module parameter in test.c).
 */
#include <linux/kernel.h>

#include "test.h"

/* EL2 writes a page back to memory before devices reach it again */
static void incoherent_page_returns(struct kunit *test)
{
	const size_t size = 2 * PAGE_SIZE;
	phys_addr_t pa = mock_alloc(size, MOCK_HOST), at;

	mock_test_boot_cached(test);
	KUNIT_ASSERT_EQ(test, mock_leave(pa, size), 0);
	mock_give(pa, size, MOCK_EL2);
	for (at = pa; at < pa + size; at += sizeof(u64)) {
		mock_put(at, 0x5ec2e7);
		mock_store(at, 0);
	}
	mock_give(pa, size, MOCK_HOST);
	mock_return(pa, size);

	KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pa));
	for (at = pa; at < pa + size; at += sizeof(u64))
		KUNIT_EXPECT_EQ(test, mock_get(at), 0);
}

/* One SMMU snoops and the other does not, by EL1's description or by IDR0 */
static void incoherent_mixed(struct kunit *test)
{
	bool incoherent = mock_incoherent;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		mock_incoherent = i != 2;
		mock_test_again(test, MOCK_NR_PAGES);
		mock_incoherent = incoherent;
		mock->config.nr_smmus = 2;
		mock->config.smmus[0].coherent = i != 0;
		mock->config.smmus[1].coherent = true;
		if (i == 1)
			mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_COHACC, 0);
		mock_test_boot(test);
		KUNIT_EXPECT_EQ(test, hyp_incoherent, i != 2);
		KUNIT_EXPECT_EQ(test,
				!!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI),
				i == 2);
		KUNIT_EXPECT_TRUE(test, smmu_mmio_read(mock->smmu[1].smmu,
						       ARM_SMMU_IDR0, 4) &
						T_IDR0_MSI);
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR1),
				i == 2 ? T_CR1_WB_ISH : T_CR1_NC_OSH);
		KUNIT_EXPECT_EQ(test, mock_reg(&mock->smmu[1], ARM_SMMU_CR1),
				T_CR1_WB_ISH);
	}
}

static struct kunit_case incoherent_cases[] = {
	KUNIT_CASE(incoherent_mixed),
	KUNIT_CASE(incoherent_page_returns),
	{}
};

static struct kunit_suite incoherent_suite = {
	.name = "pkvm-smmu-incoherent",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = incoherent_cases,
};

kunit_test_suite(incoherent_suite);
