// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stalled transactions: the host's commands end them one by one, and a disabled
 * SMMU ends all of them.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "test.h"

#define SID	5

static enum smmu_cmd_action action_of(const struct smmu_features *feat,
				      u64 dword0)
{
	struct arm_smmu_cmd cmd = { .data = { dword0, 0 } }, hw;
	struct smmu_sid_range sids;

	return smmu_cmd_from_host(feat, &cmd, &hw, &sids);
}

/* With stalls, the host may use STALL_TERM, which ends all of a stream */
static void stall_term(struct kunit *test)
{
	struct smmu_features few = { .sid_bits = 8 };

	KUNIT_EXPECT_EQ(test, action_of(&few, T_STALL_TERM), SMMU_CMD_ILLEGAL);
	/* Without stalls, illegal for a stream out of range, too (4.1.3) */
	KUNIT_EXPECT_EQ(test, action_of(&few, T_RESUME | T_SID(256)),
			SMMU_CMD_ILLEGAL);
	KUNIT_EXPECT_EQ(test, action_of(&few, T_STALL_TERM | T_SID(256)),
			SMMU_CMD_ILLEGAL);
	few.stalls = true;
	KUNIT_EXPECT_EQ(test, action_of(&few, T_STALL_TERM | T_SID(255)),
			SMMU_CMD_FORWARD);
}

/* Section 4.7.1: Ab is ignored if Ac is 1, so each response is legal */
static void stall_resume(struct kunit *test)
{
	struct smmu_features feat = { .sid_bits = 8, .stalls = true };
	unsigned int resp;

	for (resp = 0; resp < 4; resp++)
		KUNIT_EXPECT_EQ(test,
				action_of(&feat,
					  T_RESUME | FIELD_PREP(T_RESUME_RESP,
								resp)),
				SMMU_CMD_FORWARD);
}

/*
 * A disabled SMMU has no stalled transactions (6.3.9.6), not even of a stream
 * whose STE has changed. The host sees SMMUEN acknowledged when they are gone.
 * It may set SMMUEN again before.
 */
static void stall_disable(struct kunit *test)
{
	static const u64 ste[4] = { STE_S1_0(0x1000), STE_S1_1 };
	unsigned int slow, on;

	for (slow = 0; slow < 8; slow++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_STALL_MODEL, 0);
		mock->watch_sid = SID;
		mock_test_boot(test);
		host_cmdq_start(4);
		host_strtab_start();
		host_put_ste(SID, ste);
		host_cfgi_ste(SID);
		SMMU0->stalled = 3;
		mock_put(host_ste(SID), slow & 4 ? STE_ABORT0 : 0);
		host_cfgi_ste(SID);
		KUNIT_EXPECT_EQ(test, SMMU0->stalled, 3);

		SMMU0->slow = slow & 1;
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
		on = slow & 2 ? CR0_SMMUEN : 0;
		if (on)
			host_writel(ARM_SMMU_CR0, CR0_CMDQEN | on);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK),
				CR0_CMDQEN | on);
		KUNIT_EXPECT_EQ(test, SMMU0->stalled, 0);
		/* EL2 has enabled the hardware again */
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR0ACK),
				CR0_CMDQEN | CR0_SMMUEN);
		KUNIT_EXPECT_EQ(test, SMMU0->smmu->hwq.acked,
				CR0_CMDQEN | CR0_SMMUEN);
	}
}

/* SMMUEN of the hardware is 0 for a moment. EL2 does not take it for a reset */
static void stall_page(struct kunit *test)
{
	phys_addr_t pa;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_STALL_MODEL, 0);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_test_boot(test);
		host_cmdq_start(4);
		host_strtab_start();
		SMMU0->slow = true;
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
		KUNIT_EXPECT_FALSE(test,
				   mock_reg(SMMU0, ARM_SMMU_CR0) & CR0_SMMUEN);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_FALSE(test, mock_reg(SMMU0, ARM_SMMU_CR0ACK) &
						 CR0_SMMUEN);
		/* CMDQEN is 0 only after a reset */
		if (i)
			mock_reset(SMMU0, CR0_CMDQEN);
		mock_own_lock();
		KUNIT_EXPECT_EQ(test, smmu_run_pages_leave(pa, pa + PAGE_SIZE),
				i ? -EIO : 0);
		mock_own_unlock();
	}
}

/* Pages leave while the SMMU has not acknowledged that EL2 has set SMMUEN */
static void stall_late(struct kunit *test)
{
	phys_addr_t pa;
	unsigned int i;

	mock_test_again(test, MOCK_NR_PAGES);
	mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_STALL_MODEL, 0);
	pa = mock_alloc(2 * PAGE_SIZE, MOCK_HOST);
	mock_test_boot(test);
	host_cmdq_start(4);
	host_strtab_start();
	SMMU0->slow = true;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	mock_run_all(SMMU0);
	host_readl(ARM_SMMU_CR0ACK);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR0),
			CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR0ACK), CR0_CMDQEN);
	for (i = 0; i < 2; i++, pa += PAGE_SIZE)
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR0ACK), CR0_CMDQEN);
}

static struct kunit_case stall_cases[] = {
	KUNIT_CASE(stall_term),
	KUNIT_CASE(stall_resume),
	KUNIT_CASE(stall_disable),
	KUNIT_CASE(stall_page),
	KUNIT_CASE(stall_late),
	{}
};

static struct kunit_suite stall_suite = {
	.name = "pkvm-smmu-stall",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = stall_cases,
};

kunit_test_suite(stall_suite);
