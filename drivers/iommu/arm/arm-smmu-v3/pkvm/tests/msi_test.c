// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq.c and cmdq.c: MSIs of the SMMU, and of CMD_SYNC. EL2 emulates those of
 * CMD_SYNC, and the hardware sends the others.
 */
#include <linux/align.h>
#include <linux/kernel.h>

#include "test.h"

/* The GIC's, in MMIO of the host */
#define DOORBELL	0x8090040ULL

#define IRQ_CTRL_BOTH	(T_IRQ_GERROR | T_IRQ_EVTQ)

#define MSI_DATA	0xcafef00dU
#define OTHER_DATA	0x4646464646ULL

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
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_IRQ_CTRL),
			irqs[i].irqen);
}

/* Where an MSI must not go, and where it may */
static void bad_and_good_targets(struct kunit *test, unsigned int i)
{
	const u64 end = 1ULL << SMMU0->smmu->oas_bits;
	const u64 bad[] = {
		mock->region[0].base, mock->region[0].end - 4,
		mock->region[1].base, mock->region[1].end - 4,
		MOCK_MMIO(0), MOCK_MMIO(1) - 4, end, 1ULL << 51,
	};
	const u64 good[] = {
		DOORBELL, mock->region[0].base - PAGE_SIZE, MOCK_MMIO(0) - 4,
		MOCK_MMIO(mock->config.nr_smmus), end - 4,
	};
	unsigned int j;

	for (j = 0; j < ARRAY_SIZE(good); j++) {
		set_msi(i, good[j], 0x1234567 + j);
		expect_msi(test, i, good[j], 0x1234567 + j);
		KUNIT_EXPECT_EQ(test, host_readl(irqs[i].cfg0 + 12), 0x3f);
	}
	/* The host can't change the target of an interrupt that is enabled */
	host_writeq(irqs[i].cfg0, DOORBELL);
	host_writel(irqs[i].cfg0 + 8, 1);
	KUNIT_EXPECT_EQ(test, host_readq(irqs[i].cfg0), good[j - 1]);
	expect_msi(test, i, good[j - 1], 0x1234567 + j - 1);

	mock->traced[PKVM_SMMU_DENIED_MMIO] = 0;
	for (j = 0; j < ARRAY_SIZE(bad); j++) {
		set_msi(i, bad[j], j);
		expect_msi(test, i, 0, j);
		KUNIT_EXPECT_EQ(test, host_readq(irqs[i].cfg0), bad[j]);
		KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_MMIO],
				j + 1);
	}
	set_msi(i, 0, 0);
	expect_msi(test, i, 0, 0);
	KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_MMIO], j);
}

/* An MSI goes where the host could write itself, and is a write to a device */
static void msi_targets(struct kunit *test)
{
	unsigned int i;

	/* An SMMU without MSIs has wired interrupts only */
	if (!mock_test_boot_msis(test)) {
		set_msi(0, DOORBELL, 1);
		KUNIT_EXPECT_EQ(test, host_readq(ARM_SMMU_GERROR_IRQ_CFG0), 0);
		return;
	}

	for (i = 0; i < ARRAY_SIZE(irqs); i++)
		bad_and_good_targets(test, i);
}

/* A host that waits for IRQ_CTRLACK gets its MSIs from slow hardware, too */
static void msi_slow(struct kunit *test)
{
	unsigned int i;

	if (!mock_test_boot_msis(test))
		return;

	SMMU0->slow = true;
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		set_msi(i, DOORBELL + 8, 3);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK),
				irqs[i].irqen);
		expect_msi(test, i, DOORBELL + 8, 3);
	}
}

/*
 * The host changes IRQ_CTRL while its last change is under way. mock.c checks
 * that the hardware never sees that, and that no target changes before the
 * interrupt is known to be off.
 */
static void msi_pending(struct kunit *test)
{
	unsigned int i;

	if (!mock_test_boot_msis(test))
		return;

	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		SMMU0->slow = true;
		set_msi(i, DOORBELL, 1);
		expect_msi(test, i, DOORBELL, 1);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		/* A host that does not wait */
		set_msi(i, DOORBELL + 4, 2);
		KUNIT_EXPECT_EQ(test, host_readq(irqs[i].cfg0), DOORBELL);
		expect_msi(test, i, DOORBELL, 1);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK),
				irqs[i].irqen);

		/* EL2 disables the interrupt, and enables it with the target */
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK),
				irqs[i].irqen);
		host_writel(ARM_SMMU_IRQ_CTRL, irqs[i].irqen);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
		mock_run_all(SMMU0);
		/* Any trap makes EL2 go on with it */
		host_readl(ARM_SMMU_IDR0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK),
				irqs[i].irqen);
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
	}
}

/* A change of one interrupt that is under way does not delay the other one */
static void msi_pending_other(struct kunit *test)
{
	unsigned int i;
	u64 target;

	if (!mock_test_boot_msis(test))
		return;

	SMMU0->slow = true;
	for (i = 0; i < ARRAY_SIZE(irqs); i++) {
		target = DOORBELL + 16 + 4 * i;
		SMMU0->stuck = true;
		host_writel(ARM_SMMU_IRQ_CTRL, irqs[i].irqen);
		host_writeq(irqs[!i].cfg0, target);
		host_writel(ARM_SMMU_IRQ_CTRL, IRQ_CTRL_BOTH);
		KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, irqs[!i].cfg0), target);
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_IRQ_CTRL),
				IRQ_CTRL_BOTH);
		mock_run_all(SMMU0);
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0);
	}
}

static void random_change(void)
{
	unsigned int i = test_random() % ARRAY_SIZE(irqs);

	switch (test_random() % 5) {
	case 0:
		mock_run_all(SMMU0);
		break;
	case 1:
		host_writeq(irqs[i].cfg0, DOORBELL + 4 * (test_random() % 8));
		break;
	case 2:
		host_readl(ARM_SMMU_IRQ_CTRLACK);
		break;
	default:
		host_writel(ARM_SMMU_IRQ_CTRL, test_random());
	}
}

/* Changes in any order: in the end the hardware has what the host wants */
static void msi_random(struct kunit *test)
{
	unsigned int i;

	if (!mock_test_boot_msis(test))
		return;

	SMMU0->slow = true;
	for (i = 0; i < 2000; i++)
		random_change();
	host_writel(ARM_SMMU_IRQ_CTRL, IRQ_CTRL_BOTH);
	for (i = 0; i < 3; i++) {
		mock_run_all(SMMU0);
		host_readl(ARM_SMMU_IRQ_CTRLACK);
	}
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), IRQ_CTRL_BOTH);
	for (i = 0; i < ARRAY_SIZE(irqs); i++)
		KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, irqs[i].cfg0),
				host_readq(irqs[i].cfg0));
}

/* The 32 bits at an address that is aligned to 4 */
static u32 get_word(phys_addr_t pa)
{
	return mock_get(ALIGN_DOWN(pa, 8)) >> (pa & 4 ? 32 : 0);
}

/* The first CMD_SYNC of the queue has this CS, and writes to @at or not */
static void sync_to(struct kunit *test, unsigned int cs, phys_addr_t at,
		    bool expect)
{
	bool in_queue = at >= mock_host.cmdq && at < mock_host.cmdq + (16 << 4);
	u64 sync = T_CMD_SYNC | T_CS(cs) | (u64)MSI_DATA << 32;

	while (mock_host.prod & 15)
		host_put_sync();
	host_tell();
	host_cmd_put(sync, at);
	/* The first command of the queue stays in place */
	if (mock_page(at) && at != mock_host.cmdq)
		mock_put(ALIGN_DOWN(at, 8), in_queue ? OTHER_DATA : 0);
	host_tell();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	if (mock_page(at))
		KUNIT_EXPECT_EQ(test, get_word(at) == MSI_DATA, expect);
}

/* CMD_SYNC writes to memory that the host owns, and nowhere else */
static void msi_sync(struct kunit *test)
{
	bool offers = !mock_incoherent;
	phys_addr_t queue, other;
	unsigned int cs;

	mock_test_boot_cached(test);
	other = mock_alloc(PAGE_SIZE, MOCK_HOST);
	host_cmdq_start(4);
	queue = mock_host.cmdq;
	KUNIT_EXPECT_EQ(test, !!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI),
			offers);
	for (cs = 0; cs < 3; cs++) {
		bool writes = offers && cs == T_SYNC_CS_IRQ;
		phys_addr_t before = queue - 4, after = queue + (16 << 4);

		/* First, middle and last word of the queue; its neighbours */
		sync_to(test, cs, queue, writes);
		sync_to(test, cs, queue + 0x84, writes);
		sync_to(test, cs, after - 4, writes);
		sync_to(test, cs, before, writes &&
			mock_page(before)->owner == MOCK_HOST);
		sync_to(test, cs, after, writes &&
			mock_page(after)->owner == MOCK_HOST);
		sync_to(test, cs, other, writes);
		sync_to(test, cs, MOCK_MMIO(0) + ARM_SMMU_GBPA, false);
		sync_to(test, cs, 0, false);
	}
}

/* A full queue, with a change of a table at its front, completes in one trap */
static void msi_sync_full(struct kunit *test)
{
	phys_addr_t at;
	unsigned int i;

	mock_test_boot_cached(test);
	host_cmdq_start(10);
	if (!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI))
		return;

	host_strtab_start();
	mock_put(host_ste(7), STE_BYPASS0);
	while (mock_host.prod & 1023)
		host_cmd_sync();
	host_put_cfgi_ste(7);
	for (i = 0; i < 1022; i++)
		host_put_tlbi(i);
	at = mock_host.cmdq + 16 * 1023 + 8;
	host_cmd_put(T_SYNC_MSI(MSI_DATA), at);
	host_tell();
	KUNIT_EXPECT_EQ(test, get_word(at), MSI_DATA);
}

/* EL2 does not write before all commands in front have completed */
static void msi_sync_late(struct kunit *test)
{
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	if (!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI))
		return;

	SMMU0->stuck = true;
	host_put_tlbi(0);
	host_cmd_put(T_SYNC_MSI(MSI_DATA), mock_host.cmdq + 0x84);
	mock_put(mock_host.cmdq + 0x80, 0);
	host_tell();
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq + 0x80), 0);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, get_word(mock_host.cmdq + 0x84), MSI_DATA);
}

/* Where CMD_SYNC must not write the host sees MSI_CMDQ_ABT_ERR (6.3.19) */
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
		host_cmd(T_SYNC_MSI(MSI_DATA), bad[i]);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		KUNIT_EXPECT_EQ(test, host_gerror(), T_GERROR_MSI_CMDQ_ABT);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
		host_ack_gerror();
		KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_IRQ), i + 1);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, mock_get(bad[i]), 0);
}

/* The hardware raises the wired interrupt of a CMD_SYNC (4.7.3) */
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
			KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0],
					T_CMD_SYNC | T_CS(wired));
			KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[1], 0);
		}
	}
}

/* EL2 offers IDR0.MSI unless firmware has an MSI parent for an SMMU without */
static void msi_parent(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.smmus[0].msi_parent = i & 1;
		if (i & 2)
			mock_change_reg(SMMU0, ARM_SMMU_IDR0, 0, T_IDR0_MSI);
		mock_test_boot_cached(test);
		KUNIT_EXPECT_EQ(test,
				!!(host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI),
				!mock_incoherent && i != 1);
	}
}

/*
 * One write of CMDQ_PROD creates SMMU_L2_PER_TRAP second-level tables, each
 * with a CMD_SYNC that writes to memory. The host does not trap again.
 */
static void msi_sync_new_tables(struct kunit *test)
{
	u32 nr = SMMU_L2_PER_TRAP, sid, i;
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

	/* All of the host's second-level tables are the same */
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
	KUNIT_EXPECT_EQ(test, mock_hw_config((i - 1) << PKVM_SMMU_STRTAB_SPLIT),
			HW_S2);
}

static struct kunit_case msi_cases[] = {
	KUNIT_CASE(msi_targets),
	KUNIT_CASE(msi_slow),
	KUNIT_CASE(msi_pending),
	KUNIT_CASE(msi_pending_other),
	KUNIT_CASE(msi_random),
	KUNIT_CASE(msi_sync),
	KUNIT_CASE(msi_sync_full),
	KUNIT_CASE(msi_sync_late),
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
