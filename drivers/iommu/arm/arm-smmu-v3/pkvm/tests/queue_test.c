// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmdq.c, evtq.c, hwq.c and tlbi.c: the host's queues, the hardware's, and a page
 * that leaves while they are at work; with an SMMU that is quick, slow, that calls
 * commands illegal, or that has stopped.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

/* CMDQ_CONS.ERR */
#define ILL		0x1000000U
#define ABT		0x2000000U

/* Both halves of it are different for each */
static u64 tlbi_va(unsigned int n)
{
	return 0x100001000ULL * n;
}

/* An invalidation that can be told from others: ASID 1, page @n */
static void put_tlbi(unsigned int n)
{
	host_cmd_put(0x12 | 1ULL << 48, tlbi_va(n));
}

static void tell(void)
{
	host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
}

/* The errors that are active */
static u32 gerror(void)
{
	return host_readl(ARM_SMMU_GERROR) ^ host_readl(ARM_SMMU_GERRORN);
}

static bool cmdq_error(void)
{
	return gerror() & GERROR_CMDQ_ERR;
}

static void acknowledge(void)
{
	host_writel(ARM_SMMU_GERRORN, host_readl(ARM_SMMU_GERROR));
}

/* How many commands with this opcode the hardware has run */
static unsigned int count_runs(u8 opcode)
{
	unsigned int i, n = 0;

	for (i = 0; i < SMMU0->nr_runs && i < MOCK_NR_RUNS; i++)
		n += (SMMU0->runs[i].cmd[0] & 0xff) == opcode;

	return n;
}

/* The hardware has run what put_tlbi() makes for 0 to @nr - 1, in this order */
static void expect_tlbis(struct kunit *test, unsigned int nr)
{
	unsigned int i, n = 0;

	for (i = 0; i < SMMU0->nr_runs && i < MOCK_NR_RUNS; i++) {
		const u64 *cmd = SMMU0->runs[i].cmd;

		if ((cmd[0] & 0xff) != 0x12)
			continue;
		KUNIT_EXPECT_EQ(test, cmd[0], 0x12 | 1ULL << 48);
		KUNIT_EXPECT_EQ(test, cmd[1], tlbi_va(n));
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, nr);
}

static void boot(struct kunit *test)
{
	unsigned int i;

	mock_test_boot(test);
	/* As if there had been streams with both stages, so that there is something to forget */
	for (i = 0; i < mock->config.nr_smmus; i++)
		smmu_tlbi_note_ste(mock->smmu[i].smmu, 0xf);
	SMMU0->nr_runs = 0;
}

/* Any number of commands, in order, around the ends of both queues */
static void queue_order(struct kunit *test)
{
	static const u8 hw_shifts[] = { 0, 1, 3, 12 }, host_shifts[] = { 0, 1, 4, 10 };
	unsigned int i, n, pending;

	for (i = 0; i < 2 * 16; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_set_reg(SMMU0, ARM_SMMU_IDR1,
			     (mock_reg(SMMU0, ARM_SMMU_IDR1) & ~(0x1fU << 21)) |
			     hw_shifts[i % 4] << 21);
		boot(test);
		SMMU0->slow = i / 16;
		/* The driver sees what the hardware has, and not more than 10 */
		KUNIT_ASSERT_EQ(test, (host_readl(ARM_SMMU_IDR1) >> 21) & 0x1f,
				min(hw_shifts[i % 4], (u8)10));
		host_cmdq_start(min(host_shifts[i / 4 % 4], hw_shifts[i % 4]));
		pending = 0;
		for (n = 0; n < 1000; n++) {
			/* Up to a whole queue at a time */
			put_tlbi(n);
			if (++pending < 1U << mock_host.shift && test_random() % 8)
				continue;
			tell();
			KUNIT_ASSERT_TRUE(test, host_cmdq_is_empty());
			pending = 0;
		}
		tell();
		host_cmd_sync();
		expect_tlbis(test, 1000);
		KUNIT_EXPECT_GE(test, count_runs(0x46), 1);
		KUNIT_EXPECT_FALSE(test, cmdq_error());
		/* Nothing was denied */
		for (n = 0; n < PKVM_SMMU_TRAPS; n++)
			KUNIT_EXPECT_EQ(test, host_count(n), 0);
	}
}

/* The host's CMD_SYNC completes after what was before it; without, no one waits */
static void queue_sync_waits(struct kunit *test)
{
	boot(test);
	host_cmdq_start(4);
	SMMU0->slow = true;
	put_tlbi(0);
	tell();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, count_runs(0x12), 0);
	put_tlbi(1);
	tell();
	host_cmd_sync();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	expect_tlbis(test, 2);
	KUNIT_EXPECT_EQ(test, count_runs(0x46), 1);

	/* And without a sync, the SMMU hears of it nonetheless */
	put_tlbi(2);
	tell();
	mock_run_all(SMMU0);
	expect_tlbis(test, 3);
}

static void catch_up(void)
{
	if (host_count(PKVM_SMMU_FAILED_TIMEOUT))
		mock_run_all(SMMU0);
}

/* It is late by one command, and has caught up before anyone looks again */
static void queue_sync_late(struct kunit *test)
{
	boot(test);
	host_cmdq_start(4);
	SMMU0->slow = true;
	SMMU0->delay = 51 * SMMU_TRAP_US / 100;
	put_tlbi(0);
	put_tlbi(1);
	host_cmd_put(0x46 | 1ULL << 12 | 0xcafef00dULL << 32, mock_host.cmdq + 0x80);
	put_tlbi(2);
	mock->step = catch_up;
	tell();
	mock->step = NULL;
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq + 0x80), 0);
	KUNIT_EXPECT_EQ(test, count_runs(0x46), 1);
	SMMU0->delay = 0;
	/* The CMD_SYNC once more, and nothing that was in front of it */
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	if (host_readl(ARM_SMMU_IDR0) & IDR0_MSI)
		KUNIT_EXPECT_EQ(test, (u32)mock_get(mock_host.cmdq + 0x80), 0xcafef00d);
	KUNIT_EXPECT_EQ(test, count_runs(0x46), 2);
	mock_run_all(SMMU0);
	expect_tlbis(test, 3);
}

/* Of what the hardware has no room for, CONS says what it has taken */
static void queue_part(struct kunit *test)
{
	unsigned int hint, n;

	for (hint = 0; hint < 2; hint++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_set_reg(SMMU0, ARM_SMMU_IDR1,
			     (mock_reg(SMMU0, ARM_SMMU_IDR1) & ~(0x1fU << 21)) | 2 << 21);
		boot(test);
		host_cmdq_start(2);
		SMMU0->stuck = true;
		for (n = 0; n < 3; n++)
			put_tlbi(n);
		tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 3);
		put_tlbi(3);
		put_tlbi(4);
		/* One that is dropped, and an opcode that there isn't */
		if (hint)
			host_cmd_put(0x1, 0);
		host_cmd_put(0x99, 0);
		tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 4);
		KUNIT_EXPECT_FALSE(test, cmdq_error());
		SMMU0->stuck = false;
		mock_run_all(SMMU0);
		/* The error is seen when all in front of the offender has been given on */
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), (5 + hint) | ILL);
		KUNIT_EXPECT_TRUE(test, cmdq_error());
		mock_run_all(SMMU0);
		expect_tlbis(test, 5);
	}
}

static void expect_config(struct kunit *test, u32 sid, unsigned int config)
{
	u64 ste[STRTAB_STE_DWORDS];

	KUNIT_EXPECT_TRUE(test, mock_ste(SMMU0, sid, ste));
	KUNIT_EXPECT_EQ_MSG(test, HW_CONFIG(ste[0]), config, "stream %u", sid);
}

/* A batch for which there is no room at all, and an STE in a queue of one entry */
static void queue_no_room(struct kunit *test)
{
	static const struct {
		u8	shift;
		bool	full;
	} queues[] = { { 0, false }, { 0, true }, { 5, true } };
	unsigned int i, n, used;

	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		u8 shift = queues[i].shift;

		mock_test_again(test, MOCK_NR_PAGES);
		mock_set_reg(SMMU0, ARM_SMMU_IDR1,
			     (mock_reg(SMMU0, ARM_SMMU_IDR1) & ~(0x1fU << 21)) | shift << 21);
		boot(test);
		host_cmdq_start(shift);
		host_strtab_start();
		SMMU0->nr_runs = 0;
		SMMU0->stuck = true;
		for (n = 0; queues[i].full && n < 1U << shift; n++)
			put_tlbi(n);
		tell();
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		used = host_readl(ARM_SMMU_CMDQ_CONS);
		if (shift) {
			for (; n < 52; n++)
				put_tlbi(n);
		} else {
			mock_put(host_ste(5), STE_BYPASS0);
			host_cmd_put(0x3 | 5ULL << 32, 1);
		}
		tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), used);
		SMMU0->stuck = false;
		mock_run_all(SMMU0);
		host_cmd_sync();
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		expect_tlbis(test, n);
		if (!shift)
			expect_config(test, 5, HW_S2);
	}
}

/* An interrupt that the hardware was late with is part of what the next trap takes */
static void queue_owed(struct kunit *test)
{
	unsigned int n;
	u64 start;

	boot(test);
	host_cmdq_start(4);
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	SMMU0->stuck = true;
	host_writeq(ARM_SMMU_EVTQ_BASE, 0xff0000000000ULL | 4);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_EVTQEN);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	/* EL2 sees what the hardware has stopped at, and lets it go on */
	host_readl(ARM_SMMU_CR2);
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, SMMU0->smmu->gerror.irq_pending);
	SMMU0->slow = true;
	SMMU0->delay = 3 * SMMU_TRAP_US / 10;
	for (n = 0; n < 4; n++) {
		put_tlbi(n);
		host_cmd_put(0x46, 0);
	}
	start = mock->now;
	tell();
	KUNIT_EXPECT_FALSE(test, SMMU0->smmu->gerror.irq_pending);
	KUNIT_EXPECT_LT(test, mock->now - start, 18 * SMMU_TRAP_US / 10);
}

/* Another CPU has the hardware's queue again and again */
static void queue_contended(struct kunit *test)
{
	unsigned int n, traps = 1;
	u64 start;

	boot(test);
	host_cmdq_start(6);
	for (n = 0; n < 32; n++)
		host_cmd_put(0x46, 0);
	mock->lock_takes = 9 * SMMU_TRAP_US / 10;
	start = mock->now;
	tell();
	/* One lock more than the trap takes: smmu_check() */
	KUNIT_EXPECT_LT(test, mock->now - start, 41 * SMMU_TRAP_US / 10);
	while (!host_cmdq_is_empty() && traps++ < 100)
		;
	KUNIT_EXPECT_GT(test, traps, 8);
	KUNIT_EXPECT_LT(test, traps, 33);
	mock->lock_takes = 0;
}

static void expect_all_s2(struct kunit *test)
{
	u32 sid;

	for (sid = 0; sid < BIT(mock->sid_bits); sid++)
		expect_config(test, sid, HW_S2);
}

/* Commands that make EL2 read whole tables: a trap ends, the rest comes later */
static void queue_long_commands(struct kunit *test)
{
	/* A page of the shadow table is the least there is; each of its STEs is a copy */
	unsigned int most = SMMU_WORK_PER_TRAP + 2 * (1U << PKVM_SMMU_STRTAB_SPLIT);
	unsigned int i;
	u32 last;

	/* A linear table is all there. No larger than need be: the mock looks at all of it */
	mock->sid_bits = 11;
	mock_set_reg(SMMU0, ARM_SMMU_IDR0, 0x0148101b);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, 12 << 21 | 7 << 16 | 8 << 6 | mock->sid_bits);
	boot(test);
	host_cmdq_start(4);
	host_strtab_start();
	for (i = 0; i < 16; i++)
		host_cmd_put(0x4, 31);
	SMMU0->nr_runs = 0;
	mock->copies = 0;
	tell();
	KUNIT_EXPECT_LE(test, mock->copies, most);
	mock->copies = 0;
	for (i = 0; host_readl(ARM_SMMU_CMDQ_CONS) != mock_host.prod; i++) {
		KUNIT_EXPECT_LE(test, mock->copies, most);
		mock->copies = 0;
		KUNIT_ASSERT_GT(test, 16 * (1U << mock->sid_bits) / SMMU_WORK_PER_TRAP, i);
	}
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, count_runs(0x4), 16);

	/* All of the table is taken, by a CFGI and by an enable */
	for (i = 0; i < BIT(mock->sid_bits); i++)
		mock_put(host_ste(i), STE_BYPASS0);
	host_cfgi_all();
	expect_all_s2(test);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	mock->copies = 0;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_LE(test, mock->copies, most);
	mock->copies = 0;
	/* Not acknowledged before it is done */
	for (i = 0; host_readl(ARM_SMMU_CR0ACK) != (CR0_CMDQEN | CR0_SMMUEN); i++) {
		KUNIT_EXPECT_LE(test, mock->copies, most);
		mock->copies = 0;
		KUNIT_ASSERT_GT(test, (1U << mock->sid_bits) / SMMU_WORK_PER_TRAP, i);
	}
	KUNIT_EXPECT_GE(test, i, (1U << mock->sid_bits) / SMMU_WORK_PER_TRAP - 2);
	expect_all_s2(test);

	/* Begun, and then not gone on with: the next one begins at the beginning */
	host_cmd_put(0x4, 31);
	tell();
	host_writel(ARM_SMMU_CR0, CR0_SMMUEN);
	host_writel(ARM_SMMU_CMDQ_CONS, mock_host.prod);
	mock_put(host_ste(1), STE_ABORT0);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	host_cfgi_all();
	expect_config(test, 1, 0);

	/* So does an enable */
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	mock_put(host_ste(1), STE_BYPASS0);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	expect_all_s2(test);

	/* And a CFGI of other streams is no part of it */
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	mock_put(host_ste(1), STE_ABORT0);
	host_cmd_put(0x3 | 1ULL << 32, 1);
	tell();
	expect_config(test, 1, 0);
	mock_put(host_ste(1), STE_BYPASS0);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	expect_all_s2(test);

	/* Nor is one of all of them */
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	mock_put(host_ste(1), STE_ABORT0);
	host_cfgi_all();
	expect_config(test, 1, 0);
	mock_put(host_ste(1), STE_BYPASS0);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	expect_all_s2(test);

	/* Work that isn't copying: each STE changes, in a way that takes three waits */
	for (i = 0; i < BIT(mock->sid_bits); i++) {
		mock_put(host_ste(i), STE_ABORT0);
		mock_put(host_ste(i) + 8, STE_BYPASS1);
	}
	for (i = 0; i < 100; i++) {
		SMMU0->nr_runs = 0;
		if (!i) {
			host_cmd_put(0x4, 31);
			tell();
		} else {
			host_readl(ARM_SMMU_CMDQ_CONS);
		}
		KUNIT_EXPECT_LE(test, SMMU0->nr_runs, 3 * SMMU_WORK_PER_TRAP);
	}
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());

	/* And nothing at all to be found */
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, 0);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	for (i = 0; i < 8; i++)
		host_cmd_put(0x4, 31);
	last = SMMU0->smmu->cmdq.cons;
	tell();
	KUNIT_EXPECT_EQ(test, SMMU0->smmu->cmdq.cons, last);
	for (i = 0; i < HOST_PATIENCE && !host_cmdq_is_empty(); i++)
		;
	KUNIT_EXPECT_GE(test, i, 8 * ((1U << mock->sid_bits) / SMMU_WORK_PER_TRAP - 1));
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
}

static void queue_illegal(struct kunit *test)
{
	boot(test);
	host_cmdq_start(4);
	put_tlbi(0);
	host_cmd_put(0x40, 0);
	put_tlbi(1);
	host_cmd_sync();

	/* What was before it has run; it stays, and says why */
	KUNIT_EXPECT_TRUE(test, cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 1 | ILL);
	mock_run_all(SMMU0);
	expect_tlbis(test, 1);

	/* One interrupt, if the host has asked for it */
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 0);

	/* Nothing runs before the host has acknowledged, whatever it does */
	put_tlbi(9);
	tell();
	mock_host.prod--;
	tell();
	host_writel(ARM_SMMU_GERRORN, 0);
	KUNIT_EXPECT_TRUE(test, cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, 1);
	expect_tlbis(test, 1);

	/* EL2's queue isn't stopped at all */
	mock_own_lock();
	KUNIT_EXPECT_EQ(test, smmu_run_pages_leave(MOCK_RAM_A, MOCK_RAM_A + PAGE_SIZE), 0);
	mock_own_unlock();

	/* The driver puts a CMD_SYNC in its place, and acknowledges */
	mock_put(mock_host.cmdq + 16, 0x46);
	mock_put(mock_host.cmdq + 16 + 8, 0);
	tell();
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, 1);
	acknowledge();
	KUNIT_EXPECT_FALSE(test, cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, mock_host.prod);
	expect_tlbis(test, 2);

	/* It can be done again, and is a new error */
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	host_cmd(0x45 | BIT_ULL(10), 0);
	KUNIT_EXPECT_TRUE(test, cmdq_error());
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	tell();
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	/* That was EL2's way to have it signalled, and is not an error of its own */
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERROR),
			mock_reg(SMMU0, ARM_SMMU_GERRORN));
	host_writel(ARM_SMMU_CR0, 0);
	host_writel(ARM_SMMU_CMDQ_CONS, mock_host.prod);
	acknowledge();
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	put_tlbi(2);
	tell();
	KUNIT_EXPECT_FALSE(test, cmdq_error());
	expect_tlbis(test, 3);
}

/*
 * No error, and no denial: commands for what is out of range have no effect
 * (section 4.1.7). Level 1 of a 16K granule counts as any level, and that of a
 * 64K granule is legal (4.4.1.1).
 */
static void queue_out_of_range(struct kunit *test)
{
	static const u64 cmds[][2] = {
		{ 0x3 | 1ULL << 52, 1 },		/* CFGI_STE */
		{ 0x4 | 1ULL << 52, 3 },		/* CFGI_STE_RANGE */
		{ 0x5 | 1ULL << 52, 1 },		/* CFGI_CD */
		{ 0x5 | 1ULL << 31, 1 },		/* its SubstreamID */
		{ 0x6 | 1ULL << 50, 0 },		/* CFGI_CD_ALL */
		{ 0x44 | 1ULL << 44, 1 },		/* RESUME */
		{ 0x45 | 1ULL << 63, 0 },		/* STALL_TERM */
		{ 0x12 | 1ULL << 48 | 1 << 12, 2 << 10 | 1 << 8 },
		{ 0x12 | 1ULL << 48 | 1 << 12, 3 << 10 | 1 << 8 },
		{ 0x11 | 0xffffULL << 48, 0 },
	};
	unsigned int i;

	/* Stalls, too */
	mock_set_reg(SMMU0, ARM_SMMU_IDR0, mock_reg(SMMU0, ARM_SMMU_IDR0) & ~(3U << 24));
	boot(test);
	host_cmdq_start(4);
	host_strtab_start();
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		SMMU0->nr_runs = 0;
		host_cmd(cmds[i][0], cmds[i][1]);
		KUNIT_EXPECT_EQ_MSG(test, cmdq_error(), false, "command %u", i);
		KUNIT_EXPECT_EQ_MSG(test, host_cmdq_is_empty(), true, "command %u", i);
		/* Those that have an effect are the last three */
		KUNIT_EXPECT_EQ_MSG(test, SMMU0->nr_runs, i < ARRAY_SIZE(cmds) - 3 ? 0 : 1,
				    "command %u", i);
		if (cmdq_error())
			return;
	}
	KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_CMD], 0);
}

static void queue_far_prod(struct kunit *test)
{
	unsigned int prod;

	boot(test);
	host_cmdq_start(4);
	for (prod = 0; prod < 16; prod++)
		put_tlbi(prod);

	for (prod = 17; prod < 32; prod++) {
		host_writel(ARM_SMMU_CMDQ_PROD, prod);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_PROD), prod);
	}
	expect_tlbis(test, 0);
	/* A full queue, and bits above the index that mean nothing */
	host_writel(ARM_SMMU_CMDQ_PROD, 0xabcd0010);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 16);
	expect_tlbis(test, 16);
}

/* Pages of [pa, pa + size) that are pinned */
static unsigned int pinned(phys_addr_t pa, size_t size)
{
	phys_addr_t end = pa + size;
	unsigned int n = 0;

	for (pa = ALIGN_DOWN(pa, PAGE_SIZE); pa < end; pa += PAGE_SIZE)
		n += mock_page(pa) && mock_page(pa)->pins;

	return n;
}

static void set_queue(u32 reg, u64 base, u32 enable)
{
	host_writel(ARM_SMMU_CR0, 0);
	host_writeq(reg, base);
	host_writel(ARM_SMMU_CR0, enable);
}

/* As large as the ID register says, whatever LOG2SIZE says; aligned to its size */
static void queue_sizes(struct kunit *test)
{
	unsigned int few, shift, cmdqs, evtqs;
	phys_addr_t mem;

	for (few = 0; few < 2; few++) {
		mock_test_again(test, MOCK_NR_PAGES);
		if (few)
			mock_set_reg(SMMU0, ARM_SMMU_IDR1, 8 << 21 | 9 << 16 | 12);
		boot(test);
		cmdqs = (host_readl(ARM_SMMU_IDR1) >> 21) & 0x1f;
		evtqs = (host_readl(ARM_SMMU_IDR1) >> 16) & 0x1f;
		KUNIT_EXPECT_EQ(test, cmdqs, few ? 8 : 10);
		KUNIT_EXPECT_EQ(test, evtqs, few ? 9 : 12);

		mem = mock_alloc(max(SZ_128K, 2 * PAGE_SIZE), MOCK_HOST);
		for (shift = 0; shift < 32; shift++) {
			size_t size = 16ULL << min(shift, cmdqs);

			set_queue(ARM_SMMU_CMDQ_BASE, mem | 0xfe0 | shift, CR0_CMDQEN);
			KUNIT_EXPECT_EQ_MSG(test, mock->pins, DIV_ROUND_UP(size, PAGE_SIZE),
					    "%u", shift);
			KUNIT_EXPECT_EQ(test, pinned(mem, size), mock->pins);

			size = 32ULL << min(shift, evtqs);
			set_queue(ARM_SMMU_EVTQ_BASE, mem | 0xfe0 | shift, CR0_EVTQEN);
			KUNIT_EXPECT_EQ_MSG(test, mock->pins, DIV_ROUND_UP(size, PAGE_SIZE),
					    "%u", shift);
			KUNIT_EXPECT_EQ(test, pinned(mem, size), mock->pins);
			KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, ARM_SMMU_EVTQ_BASE),
					((mem | 0xfe0) & ~(u64)(size - 1)) | min(shift, evtqs));
			KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 0x1234));
		}
	}
}

/* Queues in memory that isn't the host's, or isn't memory */
static void queue_foreign_memory(struct kunit *test)
{
	phys_addr_t bad[11], good;
	unsigned int i;

	boot(test);
	good = mock_alloc(SZ_16K, MOCK_HOST);
	bad[0] = mock_alloc(SZ_16K, MOCK_EL2);
	bad[1] = mock_alloc(SZ_16K, MOCK_GUEST);
	/* All but the last page */
	bad[2] = mock_alloc(SZ_16K, MOCK_HOST);
	mock_give(bad[2] + max(PAGE_SIZE, SZ_16K) - PAGE_SIZE, PAGE_SIZE, MOCK_GUEST);
	/* Before memory, or before it and in it, and MMIO */
	bad[3] = MOCK_RAM_A - SZ_16K;
	bad[4] = MOCK_RAM_B - 3 * PAGE_SIZE;
	bad[5] = 0;
	bad[6] = MOCK_MMIO(0);
	/* Above OAS: at the edge, as an alias of memory, and at the end of all */
	bad[7] = 1ULL << 40;
	bad[8] = 1ULL << 40 | good;
	bad[9] = 1ULL << 51 | good;
	bad[10] = GENMASK_ULL(51, 14);

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		SMMU0->nr_runs = 0;
		host_writel(ARM_SMMU_CMDQ_PROD, 0);
		host_writel(ARM_SMMU_CMDQ_CONS, 0);
		host_writel(ARM_SMMU_IRQ_CTRL, 0);
		set_queue(ARM_SMMU_CMDQ_BASE, bad[i] | 10, CR0_CMDQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_CMDQEN);
		KUNIT_EXPECT_EQ_MSG(test, mock->pins, 0, "%u", i);
		KUNIT_EXPECT_FALSE(test, cmdq_error());
		host_writel(ARM_SMMU_CMDQ_PROD, 1);
		KUNIT_EXPECT_TRUE(test, cmdq_error());
		KUNIT_EXPECT_EQ_MSG(test, host_readl(ARM_SMMU_CMDQ_CONS), ABT, "%u", i);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
		host_writel(ARM_SMMU_CR0, 0);
		acknowledge();

		host_writel(ARM_SMMU_IRQ_CTRL, 1);
		set_queue(ARM_SMMU_EVTQ_BASE, bad[i] | 9, CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
		KUNIT_EXPECT_EQ_MSG(test, mock->pins, 0, "%u", i);
		KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));
		/* The host hears of it, once until it acknowledges */
		KUNIT_EXPECT_EQ(test, gerror(), GERROR_EVTQ_ABT_ERR);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
		host_writel(ARM_SMMU_CR0, 0);
		host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, gerror(), GERROR_EVTQ_ABT_ERR);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
		acknowledge();
		KUNIT_EXPECT_EQ(test, gerror(), 0);
	}
	SMMU0->nr_runs = 0;
	host_writel(ARM_SMMU_IRQ_CTRL, 0);

	/* Both in the same page: the host gets what comes first */
	set_queue(ARM_SMMU_CMDQ_BASE, good | 4, CR0_CMDQEN);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writeq(ARM_SMMU_EVTQ_BASE, good | 4);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_EVTQEN);
	KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));
	KUNIT_EXPECT_EQ(test, mock->pins, 1);
	/* And alone */
	set_queue(ARM_SMMU_EVTQ_BASE, good | 4, CR0_EVTQEN);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 0xabcd));
	KUNIT_EXPECT_EQ(test, mock_get(good), 0xabcd);
}

/* Enabled and disabled in any order: what is on is pinned, and what is off is not */
static void queue_pins(struct kunit *test)
{
	unsigned int i;

	boot(test);
	host_cmdq_start(8);
	host_strtab_start();
	host_writeq(ARM_SMMU_EVTQ_BASE, mock_alloc(32 << 8, MOCK_HOST) | 8);
	for (i = 0; i < 2000; i++) {
		u32 cr0 = test_random() % 16;
		unsigned int want = 0;

		SMMU0->slow = test_random() % 2;
		host_writel(ARM_SMMU_CR0, cr0);
		KUNIT_ASSERT_TRUE(test, host_wait_cr0());
		if (cr0 & CR0_CMDQEN)
			want += DIV_ROUND_UP(16 << 8, PAGE_SIZE);
		if (cr0 & CR0_EVTQEN)
			want += DIV_ROUND_UP(32 << 8, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, mock->pins, want);
		KUNIT_EXPECT_EQ(test, mock_event(SMMU0, i), !!(cr0 & CR0_EVTQEN));
		if (cr0 & CR0_EVTQEN)
			host_writel(MOCK_EVTQ_CONS, host_readl(MOCK_EVTQ_PROD));
	}
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_ASSERT_TRUE(test, host_wait_cr0());
	KUNIT_EXPECT_EQ(test, mock->pins, 0);
	for (i = 0; i < mock->nr_pages; i++)
		KUNIT_EXPECT_EQ(test, mock->pages[i].shared,
				mock_page_pa(i) == mock->config.shared.base);
}

static void evtq_indices(struct kunit *test)
{
	phys_addr_t mem;
	unsigned int i;

	boot(test);
	mem = mock_alloc(32 << 4, MOCK_HOST);
	host_writeq(ARM_SMMU_EVTQ_BASE, mem | 4 | Q_BASE_RWA);
	/* Both are the host's to write while the queue is off, with its overflow flag */
	host_writel(MOCK_EVTQ_PROD, 0x80000012);
	host_writel(MOCK_EVTQ_CONS, 0x80000012);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000012);
	KUNIT_EXPECT_EQ(test, SMMU0->writes[SMMU0->nr_writes - 1].offset, ARM_SMMU_CR0);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_PROD), 0x80000012);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_CONS), 0x80000012);
	KUNIT_EXPECT_EQ(test, mock_reg64(SMMU0, ARM_SMMU_EVTQ_BASE), mem | 4 | Q_BASE_RWA);

	mock_set_reg(SMMU0, MOCK_EVTQ_PROD, 0x12);
	mock_set_reg(SMMU0, MOCK_EVTQ_CONS, 0x12);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 100 + i));
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 2);
	/* One too many: the host sees the flag, and acknowledges it */
	KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 0));
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000002);
	KUNIT_EXPECT_EQ(test, mock_get(mem + 2 * 32), 100);
	KUNIT_EXPECT_EQ(test, mock_get(mem + 1 * 32), 115);
	/* PROD is the SMMU's now; CONS is the host's, and has no other bits */
	host_writel(MOCK_EVTQ_PROD, 7);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000002);
	host_writel(MOCK_EVTQ_CONS, 0xffff0002);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_CONS), 0x80000002);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));

	/* Off: the host still sees where it was; on: it goes on from there */
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), 0x80000003);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_CONS), 0x80000002);
	mock_set_reg(SMMU0, MOCK_EVTQ_PROD, 0x55);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, MOCK_EVTQ_PROD), 0x80000003);
}

/* The SMMU does not say that it has let go: the queue stays pinned until it does */
static void evtq_not_let_go(struct kunit *test)
{
	phys_addr_t mem, other;

	boot(test);
	mem = mock_alloc(PAGE_SIZE, MOCK_HOST);
	other = mock_alloc(PAGE_SIZE, MOCK_HOST);
	set_queue(ARM_SMMU_EVTQ_BASE, mem | 4, CR0_EVTQEN);
	SMMU0->stuck = true;
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, pinned(mem, PAGE_SIZE), 1);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));

	/* Till then the host can't have another one: EVTQ_BASE is read-only (6.3.29) */
	host_writeq(ARM_SMMU_EVTQ_BASE, other | 4);
	KUNIT_EXPECT_EQ(test, host_readq(ARM_SMMU_EVTQ_BASE), mem | 4);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
	KUNIT_EXPECT_EQ(test, pinned(mem, PAGE_SIZE), 1);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, pinned(mem, PAGE_SIZE), 1);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
	KUNIT_EXPECT_EQ(test, mock->pins, 0);
	host_writeq(ARM_SMMU_EVTQ_BASE, other | 4);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, pinned(mem, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, pinned(other, PAGE_SIZE), 1);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 1));
}

/* Acknowledged is what is done: an enable that is late is seen when it has come */
static void evtq_not_enabled(struct kunit *test)
{
	phys_addr_t mem = mock_alloc(PAGE_SIZE, MOCK_HOST);
	unsigned int i, writes;

	/* It waits; gives up; tries again */
	for (i = 0; i < 3; i++) {
		boot(test);
		host_writeq(ARM_SMMU_EVTQ_BASE, mem | 4);
		SMMU0->stuck = true;
		host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0), CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
		KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));

		/* While one change is on its way there is no other one, and no more waiting */
		writes = SMMU0->nr_writes;
		mock->relaxed = 0;
		if (i) {
			host_writel(ARM_SMMU_CR0, 0);
			KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
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
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), i == 1 ? 0 : CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, mock_event(SMMU0, 1), i != 1);
		KUNIT_EXPECT_EQ(test, pinned(mem, PAGE_SIZE), i != 1);
		host_writel(ARM_SMMU_CR0, 0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), 0);
		KUNIT_EXPECT_EQ(test, mock->pins, 0);
		mock_test_again(test, MOCK_NR_PAGES);
		mem = mock_alloc(PAGE_SIZE, MOCK_HOST);
	}
}

static void map(phys_addr_t pa, size_t size)
{
	mock_own_lock();
	smmu_run_pages_return(pa, pa + size);
	mock_own_unlock();
}

static int unmap(phys_addr_t pa, size_t size)
{
	int ret;

	mock_own_lock();
	ret = smmu_run_pages_leave(pa, pa + size);
	mock_own_unlock();

	return ret;
}

static bool is_mapped(const struct mock_smmu *s, phys_addr_t pa)
{
	struct mock_leaf leaf;

	return mock_s2_walk(s->smmu->feat.s2_ste, pa, &leaf) && leaf.pa == pa;
}

/* Does this command reach a page that only stage 2 has translated? */
static bool tlbi_reaches(const u64 *cmd, phys_addr_t pa)
{
	u64 ipa = cmd[1] & GENMASK_ULL(51, 12), pages = 1;

	if ((cmd[0] & 0xff) == 0x28)
		return true;
	if ((cmd[0] & 0xff) != 0x2a)
		return false;
	/* TG, and then NUM and SCALE */
	if (cmd[1] >> 10 & 3)
		pages = ((cmd[0] >> 12 & 0x1f) + 1) << (cmd[0] >> 20 & 0x1f);

	return pa >= ipa && pa - ipa < pages * PAGE_SIZE;
}

static void expect_page_leaves(struct kunit *test, const struct mock_smmu *s, phys_addr_t pa,
			       size_t pages, enum smmu_cached cached)
{
	unsigned int i, j, n = s->nr_runs;

	for (j = 0; j < pages; j++)
		KUNIT_EXPECT_FALSE(test, is_mapped(s, pa + j * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, is_mapped(s, pa + pages * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, is_mapped(s, pa - PAGE_SIZE));
	if (cached == SMMU_CACHED_NOTHING) {
		KUNIT_EXPECT_EQ(test, n, 0);
		return;
	}

	/* One batch, and one sync */
	KUNIT_ASSERT_GE(test, n, 2);
	KUNIT_EXPECT_LE(test, n, 9);
	KUNIT_EXPECT_EQ(test, s->runs[--n].cmd[0], 0x46);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_FALSE(test, s->runs[i].mapped);
		/* Leaf=0: tables are forgotten, too; of any level */
		KUNIT_EXPECT_EQ(test, s->runs[i].cmd[1] & 0x301, 0);
		if (cached == SMMU_CACHED_NESTED)
			KUNIT_EXPECT_EQ(test, s->runs[i].cmd[0], 0x28);
	}
	for (j = 0; j < pages; j++) {
		for (i = 0; i < n && !tlbi_reaches(s->runs[i].cmd, pa + j * PAGE_SIZE); i++)
			;
		KUNIT_EXPECT_LT(test, i, n);
	}
}

/* What is sent, and that the map has changed before it is */
static void page_leaves(struct kunit *test)
{
	static const u8 sizes[] = { 1, 2, 8, 9, 31, 32, 33, 63 };
	enum smmu_cached cached;
	unsigned int i, j;
	phys_addr_t pa;

	for (i = 0; i < 2 * 2 * ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i / 4] * PAGE_SIZE;

		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.nr_smmus = 2;
		for (j = 0; j < 2; j++)
			mock_set_reg(&mock->smmu[j], ARM_SMMU_IDR3,
				     (mock_reg(SMMU0, ARM_SMMU_IDR3) & ~BIT(10)) | (i & 1) << 10);
		pa = mock_alloc(2 * PAGE_SIZE + size, MOCK_HOST) + PAGE_SIZE;
		mock_test_boot(test);
		mock->watch_ipa = pa;
		KUNIT_EXPECT_EQ(test, unmap(pa, 0), 0);
		for (cached = SMMU_CACHED_NOTHING; cached <= SMMU_CACHED_NESTED; cached++) {
			/* Abort, stage 2 only, both */
			static const u64 ste[] = { 0x1, 0xd, 0xf };

			for (j = 0; j < 2; j++) {
				smmu_tlbi_note_ste(mock->smmu[j].smmu, ste[cached]);
				mock->smmu[j].slow = i & 2;
				mock->smmu[j].nr_runs = 0;
			}
			KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa));
			KUNIT_EXPECT_EQ(test, unmap(pa, size), 0);
			for (j = 0; j < 2; j++)
				expect_page_leaves(test, &mock->smmu[j], pa, sizes[i / 4], cached);
			map(pa, size);
			for (j = 0; j < sizes[i / 4]; j++)
				KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa + j * PAGE_SIZE));
		}
	}
}

/* What there may be in caches, by what the host does; its queue doesn't matter */
static void page_leaves_streams(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	static const struct { u64 ste; unsigned int s2, all; } steps[] = {
		{ STE_ABORT0, 0, 0 }, { STE_BYPASS0, 1, 0 }, { 0xb | 0x1000, 0, 1 },
		/* It may still have something of before */
		{ STE_BYPASS0, 0, 1 }, { 0, 0, 1 },
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
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, count_runs(0x2a), steps[i].s2);
		KUNIT_EXPECT_EQ(test, count_runs(0x28), steps[i].all);
		host_writel(ARM_SMMU_CR0, CR0_SMMUEN | CR0_CMDQEN);
	}

	/* Off, and it has forgotten all: STEs first, and then what they led to */
	SMMU0->nr_runs = 0;
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_ASSERT_EQ(test, SMMU0->nr_runs, 4);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0], 0x4);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[1].cmd[0], 0x46);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[2].cmd[0], 0x28);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[3].cmd[0], 0x46);
	SMMU0->nr_runs = 0;
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
}

#if PAGE_SHIFT == 12
static s8 level_of(phys_addr_t pa)
{
	struct mock_leaf leaf = {};

	return mock_s2_walk(SMMU0->smmu->feat.s2_ste, pa, &leaf) ? leaf.level : -1;
}

/* There is RAM for one block, at 1 GiB; the SMMUs have these BBML */
static phys_addr_t boot_with_block(struct kunit *test, unsigned int bbml0, unsigned int bbml1)
{
	mock_test_again(test, 768);
	mock->config.nr_smmus = 2;
	mock_set_reg(&mock->smmu[0], ARM_SMMU_IDR3, bbml0 << 11);
	mock_set_reg(&mock->smmu[1], ARM_SMMU_IDR3, bbml1 << 11);
	boot(test);

	return SZ_1G;
}

/* A page leaves a block, and comes back: it is one again, if all SMMUs know */
static void page_block(struct kunit *test)
{
	phys_addr_t block, pa;
	unsigned int i, used;

	for (i = 0; i < 9; i++) {
		block = boot_with_block(test, i / 3, i % 3);
		KUNIT_EXPECT_EQ(test, level_of(block), i == 8 ? 2 : 3);
	}

	pa = block + 77 * PAGE_SIZE;
	used = mock->pool_used;
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, level_of(pa), -1);
		KUNIT_EXPECT_EQ(test, level_of(pa + PAGE_SIZE), 3);
		SMMU0->nr_runs = 0;
		map(pa, PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, level_of(pa), 2);
		KUNIT_EXPECT_EQ(test, count_runs(0x28), 1);
		KUNIT_EXPECT_EQ(test, mock->pool_used, used);
	}

	/* An SMMU is late: the table stays, and goes the next time */
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	mock->smmu[1].stuck = true;
	map(pa, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, level_of(pa), 3);
	KUNIT_EXPECT_EQ(test, level_of(pa + PAGE_SIZE), 3);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 1);
	mock->smmu[1].stuck = false;
	mock_run_all(&mock->smmu[1]);
	/* Which is not when all that is mapped was mapped already */
	SMMU0->nr_runs = 0;
	map(pa, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, level_of(pa), 3);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	map(pa, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, level_of(pa), 2);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);

	/* There is no memory to split it: the page stays */
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -ENOMEM);
	KUNIT_EXPECT_EQ(test, level_of(pa), 2);
}

/* Many blocks could be joined at once, and an SMMU is slow: some of them have to wait */
static void page_blocks(struct kunit *test)
{
	unsigned int blocks = 5, i, joined = 0;
	phys_addr_t pa = SZ_1G;
	u64 start;

	mock_test_again(test, 64 + 512 * blocks + 192);
	mock_set_reg(SMMU0, ARM_SMMU_IDR3, 2 << 11);
	boot(test);
	for (i = 0; i < blocks; i++)
		KUNIT_EXPECT_EQ(test, unmap(pa + i * SZ_2M, PAGE_SIZE), 0);
	SMMU0->stuck = true;
	for (i = 0; i < blocks; i++)
		map(pa + i * SZ_2M, PAGE_SIZE);
	for (i = 0; i < blocks; i++)
		KUNIT_EXPECT_EQ(test, level_of(pa + i * SZ_2M), 3);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	SMMU0->slow = true;
	SMMU0->delay = 2 * SMMU_LEAVE_US / 10;
	start = mock->now;
	map(pa, blocks * SZ_2M);
	KUNIT_EXPECT_LT(test, mock->now - start, 14 * SMMU_LEAVE_US / 10);
	for (i = 0; i < blocks; i++)
		joined += level_of(pa + i * SZ_2M) == 2;
	KUNIT_EXPECT_GT(test, joined, 0);
	KUNIT_EXPECT_LT(test, joined, blocks);
}
#endif

/* Two CPUs: the other one has had the lock for all of the time */
static void page_leaves_no_time(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	struct smmu_clock clock = smmu_clock_start(SMMU_LEAVE_US);

	boot(test);
	SMMU0->slow = true;
	KUNIT_EXPECT_FALSE(test, smmu_clock_is_over(&clock));
	mock->now += 2 * SMMU_LEAVE_US;
	KUNIT_EXPECT_EQ(test, smmu_tlbi_range(SMMU0->smmu, 1, pa, pa + PAGE_SIZE, &clock),
			-EAGAIN);
	/* It is not the SMMU that has taken the time */
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_TIMEOUT), 0);
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
}

/* An SMMU that has stopped: the wait ends, and the page stays where it is */
static void page_stays(struct kunit *test)
{
	phys_addr_t pa;
	unsigned int i;

	for (i = 0; i < MOCK_NR_SMMUS; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.nr_smmus = 2;
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		boot(test);
		mock->smmu[i].stuck = true;
		mock->relaxed = 0;
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EAGAIN);
		KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa));
		KUNIT_EXPECT_GT(test, mock->relaxed, 50);
		KUNIT_EXPECT_EQ(test, host_shared()->smmu[i].n[PKVM_SMMU_FAILED_TIMEOUT], 1);
		/* It is not waited for again */
		mock->relaxed = 0;
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EAGAIN);
		KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa));
		KUNIT_EXPECT_LT(test, mock->relaxed, 10);
		/* And used again when it has caught up, with what it has to do */
		mock->smmu[i].stuck = false;
		mock_run_all(&mock->smmu[i]);
		mock->watch_ipa = pa;
		mock->smmu[i].nr_runs = 0;
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
		KUNIT_EXPECT_FALSE(test, is_mapped(SMMU0, pa));
		KUNIT_ASSERT_EQ(test, mock->smmu[i].nr_runs, 2);
		KUNIT_EXPECT_EQ(test, mock->smmu[i].runs[0].cmd[0], 0x28);
		KUNIT_EXPECT_FALSE(test, mock->smmu[i].runs[0].mapped);
	}
}

static void queue_stuck(struct kunit *test)
{
	u32 cons;

	boot(test);
	host_cmdq_start(4);
	host_strtab_start();
	mock_put(host_ste(5), STE_BYPASS0);
	SMMU0->stuck = true;
	mock->relaxed = 0;
	put_tlbi(0);
	host_cmd_sync();
	/* The sync has not completed, and the host sees that */
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
	KUNIT_EXPECT_FALSE(test, cmdq_error());
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, mock->pins, 0);
	/* SMMUEN: its streams are not known to be off */
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_SMMUEN);
	/* It was late: now they are */
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
}

/* The hardware calls a command of the host's illegal: no one else suffers */
static void queue_hw_illegal(struct kunit *test)
{
	unsigned int slow;
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);

	boot(test);
	host_cmdq_start(4);
	for (slow = 0; slow < 2; slow++) {
		SMMU0->slow = slow;
		SMMU0->nr_runs = 0;
		SMMU0->bad_op = 0x11;
		SMMU0->bad_times = 3;
		put_tlbi(0);
		host_cmd_put(0x11, 0);
		host_cmd_put(0x11, 0);
		put_tlbi(1);
		host_cmd_put(0x11, 0);
		host_cmd_sync();
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		expect_tlbis(test, 2);
		KUNIT_EXPECT_EQ(test, count_runs(0x11), 0);
		KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
		/* The hardware's error is neither left active nor the host's to see */
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERROR),
				mock_reg(SMMU0, ARM_SMMU_GERRORN));
		KUNIT_EXPECT_FALSE(test, cmdq_error());
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	}

	/* A page can leave, whatever the host has put in front */
	map(pa, PAGE_SIZE);
	SMMU0->bad_times = 1;
	host_cmd_put(0x11, 0);
	host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
	KUNIT_EXPECT_FALSE(test, is_mapped(SMMU0, pa));
	map(pa, PAGE_SIZE);

	/* If it was EL2's own, and is so again, then it has not been done */
	SMMU0->bad_op = 0x28;
	SMMU0->bad_times = 2;
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EAGAIN);
	KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa));
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, is_mapped(SMMU0, pa));
}

/* Errors that can't be repaired end in -EIO, not in waiting */
static void queue_hw_broken(struct kunit *test)
{
	phys_addr_t pa;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		boot(test);
		if (i) {
			/* An abort of the fetch, and what it was is not known */
			SMMU0->bad_op = 0x28;
			SMMU0->bad_code = i == 1 ? 2 : 0x7f;
			SMMU0->bad_times = 1;
		} else {
			/* Even CMD_SYNC is illegal, always */
			SMMU0->bad_op = 0x46;
			SMMU0->bad_times = ~0U;
		}
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EIO);
		KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa));
		/* Nor does it come back by itself */
		KUNIT_EXPECT_TRUE(test, SMMU0->smmu->hwq.broken);
		KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_BROKEN), 1);
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EIO);
		KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa));
		/* The host sees a queue that doesn't move */
		host_cmdq_start(4);
		put_tlbi(0);
		tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 0);
	}
}

/* The host overwrites each word as soon as EL2 has read it */
static void queue_flip(struct kunit *test)
{
	boot(test);
	host_cmdq_start(4);
	SMMU0->nr_runs = 0;
	mock->flip = true;
	host_cmd(0x11 | 7ULL << 48, 0);
	mock->flip = false;
	KUNIT_EXPECT_FALSE(test, cmdq_error());
	host_cmd_sync();
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 2);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0], 0x11 | 7ULL << 48);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[1], 0);
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq), ~(0x11 | 7ULL << 48));
}

/* Waits are as long as they should be whatever the clock says when they begin */
static void queue_clock(struct kunit *test)
{
	static const u64 starts[] = { 0, -1000000ULL - 300, -1000000ULL, -500000ULL, -300ULL };
	phys_addr_t pa;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		boot(test);
		SMMU0->slow = true;
		mock->now = starts[i];
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);

		SMMU0->stuck = true;
		mock->now = starts[i];
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EAGAIN);
		KUNIT_EXPECT_GE(test, mock->now - starts[i], SMMU_LEAVE_US);
		KUNIT_EXPECT_LT(test, mock->now - starts[i], 2 * SMMU_LEAVE_US);
	}
}

/*
 * Hardware that is just not late with any command: neither a trap nor a page that
 * leaves takes much longer than what the hardware may take for one thing.
 */
static void queue_crawls(struct kunit *test)
{
	static const u64 cmds[] = { 0x46, 0x11, 0x3, 0x4 };
	unsigned int i, j;
	phys_addr_t pa;
	u64 start;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
		/* The hardware's queue is a small one, too */
		mock_set_reg(SMMU0, ARM_SMMU_IDR1, 3 << 21 | 7 << 16 | 12);
		boot(test);
		host_cmdq_start(3);
		host_strtab_start();
		mock_put(host_ste(0), STE_BYPASS0);
		host_cfgi_all();
		SMMU0->slow = true;
		SMMU0->delay = 9 * SMMU_TRAP_US / 10;
		for (j = 0; j < 8; j++) {
			mock_put(host_ste(0), j % 2 ? STE_BYPASS0 : STE_ABORT0);
			host_cmd_put(cmds[i], cmds[i] == 0x4 ? 31 : 0);
		}
		start = mock->now;
		host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
		KUNIT_EXPECT_LT(test, mock->now - start, 4 * SMMU_TRAP_US);
		start = mock->now;
		unmap(pa, PAGE_SIZE);
		KUNIT_EXPECT_LT(test, mock->now - start, 3 * SMMU_TRAP_US);

		/* And it all comes to its end */
		SMMU0->delay = 0;
		for (j = 0; j < 100 && !host_cmdq_is_empty(); j++)
			mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		mock_run_all(SMMU0);
		KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	}
}

/* CMD_SYNC writes to memory that the host owns, and nowhere else */
static void queue_sync_msi(struct kunit *test)
{
	static const u64 cs[] = { 0, 1, 2 };
	bool offers = !mock_incoherent;
	phys_addr_t other, at[8];
	unsigned int i, j;

	boot(test);
	other = mock_alloc(PAGE_SIZE, MOCK_HOST);
	host_cmdq_start(4);
	KUNIT_EXPECT_EQ(test, !!(host_readl(ARM_SMMU_IDR0) & IDR0_MSI), offers);
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
		for (; mock_host.prod & 15; host_cmd_put(0x46, 0))
			;
		tell();
		host_cmd_put(sync, at[j]);
		if (j < 3)
			mock_put(ALIGN_DOWN(at[j], 8), j ? 0x4646464646ULL : sync);
		if (j == 3 || j == 4)
			mock_put(ALIGN_DOWN(at[j], 8), 0);
		mock_put(other, 0);
		tell();
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
	host_cmd_put(0x3 | 7ULL << 32, 1);
	for (i = 0; i < 1022; i++)
		put_tlbi(i);
	host_cmd_put(0x46 | 1 << 12 | 0xcafef00dULL << 32, mock_host.cmdq + 16 * 1023 + 8);
	host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
	KUNIT_EXPECT_EQ(test, (u32)mock_get(mock_host.cmdq + 16 * 1023 + 8), 0xcafef00d);

	/* Not before all that is in front has completed */
	host_writel(ARM_SMMU_CR0, 0);
	host_cmdq_start(4);
	SMMU0->stuck = true;
	put_tlbi(0);
	host_cmd_put(0x46 | 1 << 12 | 0xcafef00dULL << 32, mock_host.cmdq + 0x84);
	mock_put(mock_host.cmdq + 0x80, 0);
	tell();
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq + 0x80), 0);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq + 0x80) >> 32, 0xcafef00dULL);
}

/* Where the MSI of a CMD_SYNC may not go, the host sees MSI_CMDQ_ABT_ERR (6.3.19) */
static void queue_sync_msi_abort(struct kunit *test)
{
	phys_addr_t bad[4];
	unsigned int i;

	boot(test);
	bad[0] = mock_alloc(PAGE_SIZE, MOCK_GUEST);
	bad[1] = mock_alloc(PAGE_SIZE, MOCK_EL2);
	bad[2] = MOCK_MMIO(0) + ARM_SMMU_GBPA;
	bad[3] = GENMASK_ULL(51, 2);
	host_cmdq_start(4);
	if (!(host_readl(ARM_SMMU_IDR0) & IDR0_MSI))
		return;
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		host_cmd(0x46 | 1 << 12 | 0xcafef00dULL << 32, bad[i]);
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		KUNIT_EXPECT_EQ(test, gerror(), BIT(4));
		KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
		host_writel(ARM_SMMU_GERRORN, host_readl(ARM_SMMU_GERROR));
		KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_FAILED_IRQ), i + 1);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, mock_get(bad[i]), 0);
}

/* The wired interrupt of a CMD_SYNC is the hardware's to raise (4.7.3) */
static void queue_sync_wire(struct kunit *test)
{
	unsigned int msis, cs, msi, i, wired;
	phys_addr_t other;

	for (msis = 0; msis < 2; msis++) {
		mock_test_again(test, MOCK_NR_PAGES);
		if (msis)
			mock_set_reg(SMMU0, ARM_SMMU_IDR0,
				     mock_reg(SMMU0, ARM_SMMU_IDR0) | IDR0_MSI);
		other = mock_alloc(PAGE_SIZE, MOCK_HOST);
		boot(test);
		host_cmdq_start(4);
		for (i = 0; i < 6; i++) {
			cs = i / 2;
			msi = i % 2;
			SMMU0->nr_runs = 0;
			host_cmd(0x46 | cs << 12, msi ? other : 0);
			KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
			KUNIT_ASSERT_EQ(test, SMMU0->nr_runs, 1);
			wired = cs == 1 && (!msi || SMMU0->smmu->msis);
			KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0], 0x46 | wired << 12);
			KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[1], 0);
		}
	}
}

/* Firmware has MSIs for an SMMU without: the host must not count on them (IDR0.MSI) */
static void queue_msi_parent(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.smmus[0].msi_parent = i & 1;
		if (i & 2)
			mock_set_reg(SMMU0, ARM_SMMU_IDR0,
				     mock_reg(SMMU0, ARM_SMMU_IDR0) | IDR0_MSI);
		boot(test);
		KUNIT_EXPECT_EQ(test, !!(host_readl(ARM_SMMU_IDR0) & IDR0_MSI),
				!mock_incoherent && i != 1);
	}
}

/* Bits above the wrap bit of the queue are read as zero (6.3.28, 6.3.95) */
static void queue_index_bits(struct kunit *test)
{
	u32 shift;

	boot(test);
	for (shift = 0; shift < 20; shift++) {
		u32 mask = (2U << min(shift, 12U)) - 1;

		host_writeq(ARM_SMMU_CMDQ_BASE, mock_host.cmdq | shift);
		host_writel(ARM_SMMU_CMDQ_CONS, ~0U);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), (2U << min(shift, 10U)) - 1);
		host_writeq(ARM_SMMU_EVTQ_BASE, shift);
		host_writel(MOCK_EVTQ_PROD, ~0U);
		KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD), BIT(31) | mask);
	}
}

/**
 * struct random_queue - a host's queue with any commands, and hardware at any pace
 * @put:	TLBIs that the host has put there, numbered
 * @ran:	and those that the hardware has run
 * @wrong:	one that the hardware has run too early, again, or never
 * @before:	for each entry with a CMD_SYNC that is not seen to have completed: TLBIs
 *		in front of it; else 0
 */
static struct random_queue {
	unsigned int	put;
	unsigned int	ran;
	bool		wrong;
	unsigned int	before[256];
} random_queue;

static void random_ran(struct mock_smmu *s, const u64 *cmd)
{
	if (s != SMMU0 || (cmd[0] & 0xff) != 0x12)
		return;
	random_queue.wrong |= cmd[1] != tlbi_va(random_queue.ran);
	random_queue.ran++;
}

static void random_cmd(u32 idx)
{
	switch (test_random() % 8) {
	case 0:
		host_cmd_put(0x1, 0);
		break;
	case 1:
		mock_put(host_ste(test_random() % 8), test_random() % 2 ? STE_BYPASS0 : STE_ABORT0);
		host_cmd_put(0x3 | (test_random() % 8) << 32, 1);
		break;
	case 2:
		random_queue.before[idx] = random_queue.put;
		host_cmd_put(0x46 | 1 << 12, mock_host.cmdq + 16 * idx);
		break;
	case 3:
		host_cmd_put(test_random() % 4 ? 0x46 : 0xff, 0);
		break;
	default:
		put_tlbi(random_queue.put++);
	}
}

/* As the driver does, whose command was illegal. Returns CONS */
static u32 random_mend(u32 entries)
{
	u32 cons = host_readl(ARM_SMMU_CMDQ_CONS) & (2 * entries - 1);

	if (!cmdq_error())
		return cons;

	mock_put(mock_host.cmdq + 16 * (cons & (entries - 1)), 0x46);
	mock_put(mock_host.cmdq + 16 * (cons & (entries - 1)) + 8, 0);
	host_writel(ARM_SMMU_GERRORN, host_readl(ARM_SMMU_GERROR));

	return host_readl(ARM_SMMU_CMDQ_CONS) & (2 * entries - 1);
}

static void random_round(struct kunit *test, u32 entries)
{
	u32 cons = random_mend(entries), wrap = 2 * entries - 1, room, i;

	room = entries - ((mock_host.prod - cons) & wrap);
	for (room = room ? test_random() % (room + 1) : 0; room; room--) {
		i = mock_host.prod & (entries - 1);
		random_queue.before[i] = 0;
		random_cmd(i);
	}
	tell();

	/* A CMD_SYNC that CONS has passed has waited for all TLBIs in front of it */
	cons = SMMU0->smmu->cmdq.cons & wrap;
	for (i = 0; i < entries; i++) {
		if (((i - cons) & (entries - 1)) < ((mock_host.prod - cons) & wrap))
			continue;
		KUNIT_EXPECT_GE(test, random_queue.ran, random_queue.before[i]);
		random_queue.before[i] = 0;
	}
	KUNIT_EXPECT_FALSE(test, random_queue.wrong);
}

/* Each command runs once, in order, and a CMD_SYNC completes behind what it is to wait for */
static void queue_random(struct kunit *test)
{
	unsigned int round, i;
	u32 shift;

	for (round = 0; round < 30; round++) {
		mock_test_again(test, MOCK_NR_PAGES);
		shift = 1 + test_random() % 8;
		mock_set_reg(SMMU0, ARM_SMMU_IDR1, (shift + test_random() % 3) << 21 | 7 << 16 |
			     8 << 6 | 12);
		boot(test);
		host_cmdq_start(shift);
		host_strtab_start();
		memset(&random_queue, 0, sizeof(random_queue));
		mock->ran = random_ran;
		SMMU0->slow = test_random() % 2;
		SMMU0->delay = test_random() % (test_random() % 3 ? 1000 : SMMU_TRAP_US * 3 / 2);
		SMMU0->rest = test_random() % 3;
		for (i = 0; i < 200; i++) {
			mock->relaxed = 0;
			SMMU0->stuck = !(test_random() % 6);
			random_round(test, BIT(shift));
		}

		SMMU0->stuck = false;
		SMMU0->slow = false;
		for (i = 0; i < 1000; i++) {
			mock_run_all(SMMU0);
			if (random_mend(BIT(shift)) == mock_host.prod)
				break;
		}
		KUNIT_EXPECT_EQ(test, random_queue.ran, random_queue.put);
		KUNIT_EXPECT_FALSE(test, random_queue.wrong);
	}
}

/* With two SMMUs, each of them slow: they are at it at the same time */
static void queue_two_crawl(struct kunit *test)
{
	phys_addr_t pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	unsigned int i;
	u64 start;

	mock->config.nr_smmus = 2;
	boot(test);
	for (i = 0; i < 2; i++) {
		mock->smmu[i].slow = true;
		mock->smmu[i].delay = 4 * SMMU_LEAVE_US / 10;
	}
	start = mock->now;
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_LT(test, mock->now - start, SMMU_LEAVE_US);
}

/* One write of CR0 that asks for everything that has to be waited for */
static void queue_cr0_crawls(struct kunit *test)
{
	phys_addr_t evtq = mock_alloc(PAGE_SIZE, MOCK_HOST);
	unsigned int tenths, i;
	u64 start;

	for (tenths = 1; tenths < 10; tenths++) {
		mock_test_again(test, MOCK_NR_PAGES);
		evtq = mock_alloc(PAGE_SIZE, MOCK_HOST);
		boot(test);
		host_cmdq_start(4);
		host_strtab_start();
		host_writeq(ARM_SMMU_EVTQ_BASE, evtq | 4);
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN | CR0_EVTQEN);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		host_writel(ARM_SMMU_CR0, CR0_SMMUEN | CR0_EVTQEN);
		for (i = 0; i < 6; i++)
			host_cmd_put(0x46, 0);
		host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
		SMMU0->slow = true;
		SMMU0->delay = tenths * SMMU_TRAP_US / 10;
		start = mock->now;
		host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
		KUNIT_EXPECT_LT(test, mock->now - start, 22 * SMMU_TRAP_US / 10);
		SMMU0->delay = 0;
		mock_run_all(SMMU0);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_CMDQEN);
	}
}

/* The hardware is late with what the host gives up on; then EL2 emulates an error */
static void late_interrupt(struct kunit *test)
{
	boot(test);
	host_cmdq_start(4);
	host_writel(ARM_SMMU_IRQ_CTRL, 5);
	SMMU0->stuck = true;
	host_cmd_put(0x46, 0);
	host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
	/* The host gives up on it, and starts over */
	host_writel(ARM_SMMU_CR0, 0);
	host_cmdq_start(4);
	host_cmd_put(0xff, 0);
	host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
	KUNIT_EXPECT_TRUE(test, cmdq_error());
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 0);
}

/* It is signalled when the hardware isn't late any more */
static void queue_late_interrupt(struct kunit *test)
{
	late_interrupt(test);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
}

/* There is nothing to signal if the host has acknowledged it meanwhile */
static void queue_late_acknowledged(struct kunit *test)
{
	late_interrupt(test);
	host_writel(ARM_SMMU_CR0, 0);
	host_writel(ARM_SMMU_GERRORN, host_readl(ARM_SMMU_GERROR));
	KUNIT_EXPECT_FALSE(test, cmdq_error());
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	host_readl(ARM_SMMU_CMDQ_CONS);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 0);
}

/* Late, and then it calls illegal what it was late with */
static void queue_late_error(struct kunit *test)
{
	phys_addr_t pa;

	pa = mock_alloc(PAGE_SIZE, MOCK_HOST);
	boot(test);
	SMMU0->stuck = true;
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EAGAIN);
	SMMU0->stuck = false;
	SMMU0->slow = true;
	SMMU0->bad_op = 0x28;
	SMMU0->bad_times = 1;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, SMMU0->bad_times, 0);
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), -EAGAIN);
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, unmap(pa, PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, is_mapped(SMMU0, pa));
}

/* What EL2 has scrubbed is so for devices that do not snoop, before they reach it */
static void page_comes_clean(struct kunit *test)
{
	const size_t size = 2 * PAGE_SIZE;
	phys_addr_t pa = mock_alloc(size, MOCK_HOST), at;

	boot(test);
	KUNIT_ASSERT_EQ(test, unmap(pa, size), 0);
	mock_give(pa, size, MOCK_EL2);
	for (at = pa; at < pa + size; at += sizeof(u64)) {
		mock_put(at, 0x5ec2e7);
		mock_store(at, 0);
	}
	mock_give(pa, size, MOCK_HOST);
	map(pa, size);

	KUNIT_EXPECT_TRUE(test, is_mapped(SMMU0, pa));
	for (at = pa; at < pa + size; at += sizeof(u64))
		KUNIT_EXPECT_EQ(test, mock_get(at), 0);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_order),
	KUNIT_CASE(queue_sync_waits),
	KUNIT_CASE(queue_sync_late),
	KUNIT_CASE(queue_part),
	KUNIT_CASE(queue_no_room),
	KUNIT_CASE(queue_contended),
	KUNIT_CASE(queue_owed),
	KUNIT_CASE(queue_long_commands),
	KUNIT_CASE(queue_illegal),
	KUNIT_CASE(queue_out_of_range),
	KUNIT_CASE(queue_far_prod),
	KUNIT_CASE(queue_sizes),
	KUNIT_CASE(queue_foreign_memory),
	KUNIT_CASE(queue_pins),
	KUNIT_CASE(queue_stuck),
	KUNIT_CASE(queue_hw_illegal),
	KUNIT_CASE(queue_hw_broken),
	KUNIT_CASE(evtq_indices),
	KUNIT_CASE(evtq_not_let_go),
	KUNIT_CASE(evtq_not_enabled),
	KUNIT_CASE(page_leaves),
	KUNIT_CASE(page_leaves_streams),
	KUNIT_CASE(page_leaves_no_time),
#if PAGE_SHIFT == 12
	KUNIT_CASE(page_block),
	KUNIT_CASE(page_blocks),
#endif
	KUNIT_CASE(page_stays),
	KUNIT_CASE(page_comes_clean),
	KUNIT_CASE(queue_flip),
	KUNIT_CASE(queue_clock),
	KUNIT_CASE(queue_crawls),
	KUNIT_CASE(queue_sync_msi),
	KUNIT_CASE(queue_sync_msi_abort),
	KUNIT_CASE(queue_sync_wire),
	KUNIT_CASE(queue_msi_parent),
	KUNIT_CASE(queue_index_bits),
	KUNIT_CASE(queue_random),
	KUNIT_CASE(queue_two_crawl),
	KUNIT_CASE(queue_cr0_crawls),
	KUNIT_CASE(queue_late_interrupt),
	KUNIT_CASE(queue_late_acknowledged),
	KUNIT_CASE(queue_late_error),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "pkvm-smmu-queue",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
