// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq.c and cmdq.c: MSIs of the SMMU, and of CMD_SYNC. EL2 emulates those of
 * CMD_SYNC, and the hardware sends the others.
 */
#include <linux/align.h>
#include <linux/kernel.h>

#include "test.h"

static const struct {
	u32	irqen;
	u32	cfg0;
} irqs[] = {
	{ T_IRQ_GERROR, ARM_SMMU_GERROR_IRQ_CFG0 },
	{ T_IRQ_EVTQ, ARM_SMMU_EVTQ_IRQ_CFG0 },
};

static void set_msi(unsigned int i, u64 addr, u32 data)
{
	host_writel(ARM_SMMU_IRQ_CTRL, 0);
	host_writeq(irqs[i].cfg0, addr);
	host_writel(irqs[i].cfg0 + 8, data);
	/* Write-back, inner shareable */
	host_writel(irqs[i].cfg0 + 12, 0x3f);
	host_writel(ARM_SMMU_IRQ_CTRL, irqs[i].irqen);
}

static void expect_msi(struct kunit *test, unsigned int i, u64 addr, u32 data)
{
	KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, irqs[i].cfg0), addr);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, irqs[i].cfg0 + 8), data);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, irqs[i].cfg0 + 12), 1);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_IRQ_CTRL), irqs[i].irqen);
}

/* An MSI goes where the host could write itself, and is a write to a device */
static void msi_targets(struct kunit *test)
{
	const u64 doorbell = 0x8090040;
	unsigned int i, j;

	/* With none there is nothing but lines */
	if (!mock_test_boot_msis(test)) {
		set_msi(0, doorbell, 1);
		KUNIT_EXPECT_EQ(test, host_readq(ARM_SMMU_GERROR_IRQ_CFG0), 0);
		return;
	}

	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		const u64 bad[] = {
			mock->region[0].base, mock->region[0].end - 4,
			mock->region[1].base, mock->region[1].end - 4,
			MOCK_MMIO(0), MOCK_MMIO(1) - 4,
			1ULL << SMMU0->smmu->oas_bits, 1ULL << 51,
		};
		const u64 good[] = {
			doorbell, mock->region[0].base - PAGE_SIZE, MOCK_MMIO(0) - 4,
			MOCK_MMIO(mock->config.nr_smmus),
			(1ULL << SMMU0->smmu->oas_bits) - 4,
		};

		for (j = 0; j < ARRAY_SIZE(good); j++) {
			set_msi(i, good[j], 0x1234567 + j);
			expect_msi(test, i, good[j], 0x1234567 + j);
			KUNIT_EXPECT_EQ(test, host_readl(irqs[i].cfg0 + 12), 0x3f);
		}
		/* Not while it is on */
		host_writeq(irqs[i].cfg0, doorbell);
		host_writel(irqs[i].cfg0 + 8, 1);
		KUNIT_EXPECT_EQ(test, host_readq(irqs[i].cfg0), good[j - 1]);
		expect_msi(test, i, good[j - 1], 0x1234567 + j - 1);

		mock->traced[PKVM_SMMU_DENIED_MMIO] = 0;
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			set_msi(i, bad[j], j);
			expect_msi(test, i, 0, j);
			KUNIT_EXPECT_EQ(test, host_readq(irqs[i].cfg0), bad[j]);
			KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_MMIO], j + 1);
		}
		set_msi(i, 0, 0);
		expect_msi(test, i, 0, 0);
		KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_MMIO], j);
	}

	/* A host that waits for IRQ_CTRLACK gets what it wants from slow hardware, too */
	SMMU0->slow = true;
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		set_msi(i, doorbell + 8, 3);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), irqs[i].irqen);
		expect_msi(test, i, doorbell + 8, 3);
	}
}

/*
 * IRQ_CTRL changes while its last change is under way: the hardware never sees that, and
 * no target changes before the interrupt is known to be off. See mock.c.
 */
static void msi_pending(struct kunit *test)
{
	const u64 doorbell = 0x8090040;
	unsigned int i, round;

	if (!mock_test_boot_msis(test))
		return;

	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		SMMU0->slow = true;
		set_msi(i, doorbell, 1);
		expect_msi(test, i, doorbell, 1);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		/* A host that does not wait */
		set_msi(i, doorbell + 4, 2);
		KUNIT_EXPECT_EQ(test, host_readq(irqs[i].cfg0), doorbell);
		expect_msi(test, i, doorbell, 1);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), irqs[i].irqen);

		/* What it wants is done in the end: off, and with the next target on */
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), irqs[i].irqen);
		host_writel(ARM_SMMU_IRQ_CTRL, irqs[i].irqen);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		mock_run_all(SMMU0);
		/* Any trap goes on with it */
		host_readl(ARM_SMMU_IDR0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), irqs[i].irqen);
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
	}

	/* One that the hardware is still at does not keep the other one */
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		SMMU0->stuck = true;
		host_writel(ARM_SMMU_IRQ_CTRL, irqs[i].irqen);
		host_writeq(irqs[!i].cfg0, doorbell + 16 + 4 * i);
		host_writel(ARM_SMMU_IRQ_CTRL, 5);
		KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, irqs[!i].cfg0), doorbell + 16 + 4 * i);
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_IRQ_CTRL), 5);
		mock_run_all(SMMU0);
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
	}
	SMMU0->stuck = false;

	for (round = 0; round < 2000; round++) {
		i = test_random() % ARRAY_SIZE(irqs);
		switch (test_random() % 5) {
		case 0:
			mock_run_all(SMMU0);
			break;
		case 1:
			host_writeq(irqs[i].cfg0, doorbell + 4 * (test_random() % 8));
			break;
		case 2:
			host_readl(ARM_SMMU_IRQ_CTRLACK);
			break;
		default:
			host_writel(ARM_SMMU_IRQ_CTRL, test_random());
		}
	}
	host_writel(ARM_SMMU_IRQ_CTRL, 5);
	for (i = 0; i < 3; i++) {
		mock_run_all(SMMU0);
		host_readl(ARM_SMMU_IRQ_CTRLACK);
	}
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 5);
	for (i = 0; i < ARRAY_SIZE(irqs); i++)
		KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, irqs[i].cfg0), host_readq(irqs[i].cfg0));
}

/* CMD_SYNC writes to memory that the host owns, and nowhere else */
static void msi_sync(struct kunit *test)
{
	static const u64 cs[] = { 0, 1, 2 };
	bool offers = !mock_incoherent;
	phys_addr_t other, at[8];
	unsigned int i, j;

	mock_test_boot_cached(test);
	other = mock_alloc(PAGE_SIZE, MOCK_HOST);
	host_cmdq_start(4);
	KUNIT_EXPECT_EQ(test, !!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI), offers);
	for (i = 0; i < 3 * ARRAY_SIZE(at); i++) {
		u64 sync = 0x46 | cs[i / ARRAY_SIZE(at)] << 12 | 0xcafef00dULL << 32;

		/* The queue's first, middle and last word; what is around it; none at all */
		at[0] = mock_host.cmdq;
		at[1] = mock_host.cmdq + 0x84;
		at[2] = mock_host.cmdq + (16 << 4) - 4;
		at[3] = mock_host.cmdq - 4;
		at[4] = mock_host.cmdq + (16 << 4);
		at[5] = other;
		at[6] = MOCK_MMIO(0) + ARM_SMMU_GBPA;
		at[7] = 0;
		j = i % ARRAY_SIZE(at);
		for (; mock_host.prod & 15; host_put_sync())
			;
		host_tell();
		host_cmd_put(sync, at[j]);
		if (j < 3)
			mock_put(ALIGN_DOWN(at[j], 8), j ? 0x4646464646ULL : sync);
		if (j == 3 || j == 4)
			mock_put(ALIGN_DOWN(at[j], 8), 0);
		mock_put(other, 0);
		host_tell();
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		if (j < 3)
			KUNIT_EXPECT_EQ(test, (u32)(mock_get(ALIGN_DOWN(at[j], 8)) >>
						    (at[j] & 4 ? 32 : 0)) == 0xcafef00d,
					offers && cs[i / ARRAY_SIZE(at)] == 1);
		else if (j < 6)
			KUNIT_EXPECT_EQ(test, !!mock_get(ALIGN_DOWN(at[j], 8)),
					offers && cs[i / ARRAY_SIZE(at)] == 1 &&
					mock_page(at[j])->owner == MOCK_HOST);
	}

	if (!offers)
		return;

	/* A full queue, with a change of a table in front, in one trap */
	host_writel(ARM_SMMU_CR0, 0);
	host_cmdq_start(10);
	host_strtab_start();
	mock_put(host_ste(7), STE_BYPASS0);
	host_put_cfgi_ste(7);
	for (i = 0; i < 1022; i++)
		host_put_tlbi(i);
	host_cmd_put(T_SYNC_MSI(0xcafef00d), mock_host.cmdq + 16 * 1023 + 8);
	host_tell();
	KUNIT_EXPECT_EQ(test, (u32)mock_get(mock_host.cmdq + 16 * 1023 + 8), 0xcafef00d);

	/* Not before all that is in front has completed */
	host_writel(ARM_SMMU_CR0, 0);
	host_cmdq_start(4);
	SMMU0->stuck = true;
	host_put_tlbi(0);
	host_cmd_put(T_SYNC_MSI(0xcafef00d), mock_host.cmdq + 0x84);
	mock_put(mock_host.cmdq + 0x80, 0);
	host_tell();
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq + 0x80), 0);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq + 0x80) >> 32, 0xcafef00dULL);
}

/* Where the MSI of a CMD_SYNC may not go, the host sees MSI_CMDQ_ABT_ERR (6.3.19) */
static void msi_sync_abort(struct kunit *test)
{
	phys_addr_t bad[4];
	unsigned int i;

	mock_test_boot_cached(test);
	bad[0] = mock_alloc(PAGE_SIZE, MOCK_GUEST);
	bad[1] = mock_alloc(PAGE_SIZE, MOCK_EL2);
	bad[2] = MOCK_MMIO(0) + ARM_SMMU_GBPA;
	bad[3] = GENMASK_ULL(51, 2);
	host_cmdq_start(4);
	if (!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI))
		return;
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		host_cmd(T_SYNC_MSI(0xcafef00d), bad[i]);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		KUNIT_EXPECT_EQ(test, host_gerror(), T_GERROR_MSI_CMDQ_ABT);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
		host_ack_gerror();
		KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_IRQ), i + 1);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, mock_get(bad[i]), 0);
}

/* The wired interrupt of a CMD_SYNC is the hardware's to raise (4.7.3) */
static void msi_sync_wire(struct kunit *test)
{
	unsigned int msis, cs, msi, i, wired;
	phys_addr_t other;

	for (msis = 0; msis < 2; msis++) {
		mock_test_again(test, MOCK_NR_PAGES);
		if (msis)
			mock_change_reg(SMMU0, ARM_SMMU_IDR0, 0, T_IDR0_MSI);
		other = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_test_boot_cached(test);
		host_cmdq_start(4);
		for (i = 0; i < 6; i++) {
			cs = i / 2;
			msi = i % 2;
			SMMU0->nr_runs = 0;
			host_cmd(T_CMD_SYNC | T_CS(cs), msi ? other : 0);
			KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
			KUNIT_ASSERT_EQ(test, SMMU0->nr_runs, 1);
			wired = cs == 1 && (!msi || SMMU0->smmu->msis);
			KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0], T_CMD_SYNC | T_CS(wired));
			KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[1], 0);
		}
	}
}

/* Firmware has MSIs for an SMMU without: the host must not count on them (IDR0.MSI) */
static void msi_parent(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.smmus[0].msi_parent = i & 1;
		if (i & 2)
			mock_change_reg(SMMU0, ARM_SMMU_IDR0, 0, T_IDR0_MSI);
		mock_test_boot_cached(test);
		KUNIT_EXPECT_EQ(test, !!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI),
				!mock_incoherent && i != 1);
	}
}

/*
 * One write of CMDQ_PROD, and all second-level tables that there can be, each with a
 * CMD_SYNC that the host looks for in memory: it does not trap again.
 */
static void msi_sync_new_tables(struct kunit *test)
{
	u32 nr = PKVM_SMMU_L2_TABLES, sid, i;
	phys_addr_t l2, last = 0;

	mock_test_again(test, 2 * MOCK_NR_PAGES);
	mock->sid_bits = 16;
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 8, mock->sid_bits));
	mock->config.pool[0].size = 2 * nr * PAGE_SIZE;
	mock->config.pool[0].base = mock_alloc(2 * nr * PAGE_SIZE, MOCK_HOST);
	mock_test_boot(test);
	host_cmdq_start(8);
	if (!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI))
		return;

	/* One page of STEs for all of the host's tables, with a split of 6 */
	l2 = mock_alloc(64ULL << 6, MOCK_HOST);
	mock_put(l2, STE_BYPASS0);
	mock_host.strtab = mock_alloc(8ULL << (mock->sid_bits - 6), MOCK_HOST);
	host_set_strtab(mock_host.strtab, 1, 6, mock->sid_bits);
	for (i = 0; i < nr; i++) {
		sid = i << PKVM_SMMU_STRTAB_SPLIT;
		if (sid >> mock->sid_bits)
			break;
		mock_put(mock_host.strtab + 8 * (sid >> 6), l2 | 7);
		host_put_cfgi_ste(sid);
		last = mock_host.cmdq + 16 * (mock_host.prod & 255);
		host_cmd_put(T_SYNC_IRQ, last);
	}
	host_tell();
	KUNIT_EXPECT_EQ(test, (u32)mock_get(last), 0);
	KUNIT_EXPECT_EQ(test, mock_hw_config((i - 1) << PKVM_SMMU_STRTAB_SPLIT), HW_S2);
}

static struct kunit_case msi_cases[] = {
	KUNIT_CASE(msi_targets),
	KUNIT_CASE(msi_pending),
	KUNIT_CASE(msi_sync),
	KUNIT_CASE(msi_sync_abort),
	KUNIT_CASE(msi_sync_wire),
	KUNIT_CASE(msi_parent),
	KUNIT_CASE(msi_sync_new_tables),
	{}
};

static struct kunit_suite msi_suite = {
	.name = "pkvm-smmu-msi",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = msi_cases,
};

kunit_test_suite(msi_suite);
