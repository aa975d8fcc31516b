// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmdq.c and queue.c: commands go from the host's queue to the hardware's, and
 * the host sees the completion. What both queues of the host have in common.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

static void set_cmdqs(u8 shift)
{
	mock_change_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1_CMDQS,
			FIELD_PREP(T_IDR1_CMDQS, shift));
}

static void order(struct kunit *test, u8 hw_shift, u8 host_shift, bool slow)
{
	unsigned int n, pending = 0;

	mock_test_again(test, MOCK_NR_PAGES);
	set_cmdqs(hw_shift);
	mock_test_boot_cached(test);
	SMMU0->slow = slow;
	/* The host sees the hardware's size, but at most 10 */
	KUNIT_ASSERT_EQ(test,
			FIELD_GET(T_IDR1_CMDQS, host_readl(ARM_SMMU_IDR1)),
			min(hw_shift, (u8)10));
	host_cmdq_start(min(host_shift, hw_shift));
	for (n = 0; n < 1000; n++) {
		/* Up to a whole queue at a time */
		host_put_tlbi(n);
		if (++pending < 1U << mock_host.shift && test_random() % 8)
			continue;
		host_tell();
		KUNIT_ASSERT_TRUE(test, host_cmdq_is_empty());
		pending = 0;
	}
	host_tell();
	host_cmd_sync();
	expect_tlbis(test, 1000);
	KUNIT_EXPECT_GE(test, mock_count_runs(T_CMD_SYNC), 1);
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	for (n = 0; n < PKVM_SMMU_TRAPS; n++)
		KUNIT_EXPECT_EQ(test, host_count(n), 0);
}

/* Any number of commands runs in order, around the ends of both queues */
static void queue_order(struct kunit *test)
{
	static const u8 hw_shifts[] = { 0, 1, 3, 12 };
	static const u8 host_shifts[] = { 0, 1, 4, 10 };
	unsigned int i;

	for (i = 0; i < 2 * 16; i++)
		order(test, hw_shifts[i % 4], host_shifts[i / 4 % 4], i / 16);
}

/* A CMD_SYNC completes after the commands before it. No other command waits */
static void queue_sync_waits(struct kunit *test)
{
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	SMMU0->slow = true;
	host_put_tlbi(0);
	host_tell();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	KUNIT_EXPECT_EQ(test, mock_count_runs(T_TLBI_NH_VA), 0);
	host_put_tlbi(1);
	host_tell();
	host_cmd_sync();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	expect_tlbis(test, 2);
	KUNIT_EXPECT_EQ(test, mock_count_runs(T_CMD_SYNC), 1);

	/* The SMMU gets a command without a CMD_SYNC, too */
	host_put_tlbi(2);
	host_tell();
	mock_run_all(SMMU0);
	expect_tlbis(test, 3);
}

static void catch_up(void)
{
	if (host_count(PKVM_SMMU_FAILED_TIMEOUT))
		mock_run_all(SMMU0);
}

/* The hardware is late by one command, and then catches up */
static void queue_sync_late(struct kunit *test)
{
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	SMMU0->slow = true;
	SMMU0->delay = 51 * SMMU_TRAP_US / 100;
	host_put_tlbi(0);
	host_put_tlbi(1);
	host_cmd_put(T_SYNC_MSI(0xcafef00d), mock_host.cmdq + 0x80);
	host_put_tlbi(2);
	mock->step = catch_up;
	host_tell();
	mock->step = NULL;
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq + 0x80), 0);
	KUNIT_EXPECT_EQ(test, mock_count_runs(T_CMD_SYNC), 1);
	SMMU0->delay = 0;
	/* EL2 repeats the CMD_SYNC, and none of the commands before it */
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	if (host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI)
		KUNIT_EXPECT_EQ(test, (u32)mock_get(mock_host.cmdq + 0x80),
				0xcafef00d);
	KUNIT_EXPECT_EQ(test, mock_count_runs(T_CMD_SYNC), 2);
	mock_run_all(SMMU0);
	expect_tlbis(test, 3);
}

/* The hardware's queue has room for some commands. CONS says for which */
static void queue_part(struct kunit *test)
{
	unsigned int hint, n;

	for (hint = 0; hint < 2; hint++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_change_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1_CMDQS,
				FIELD_PREP(T_IDR1_CMDQS, 2));
		mock_test_boot_cached(test);
		host_cmdq_start(2);
		SMMU0->stuck = true;
		for (n = 0; n < 3; n++)
			host_put_tlbi(n);
		host_tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 3);
		host_put_tlbi(3);
		host_put_tlbi(4);
		/* A hint, which EL2 drops, and an unknown opcode */
		if (hint)
			host_cmd_put(T_PREFETCH_CONFIG, 0);
		host_cmd_put(T_CMD_NONE, 0);
		host_tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 4);
		KUNIT_EXPECT_FALSE(test, host_cmdq_error());
		SMMU0->stuck = false;
		mock_run_all(SMMU0);
		/* The host sees the error after all commands before it */
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS),
				(5 + hint) | T_CONS_ERR(T_ERR_ILL));
		KUNIT_EXPECT_TRUE(test, host_cmdq_error());
		mock_run_all(SMMU0);
		expect_tlbis(test, 5);
	}
}

/* The hardware's queue of @shift is stuck, and full or not */
static void no_room(struct kunit *test, u8 shift, bool full)
{
	unsigned int n, used;

	mock_test_again(test, MOCK_NR_PAGES);
	set_cmdqs(shift);
	mock_test_boot_cached(test);
	host_cmdq_start(shift);
	host_strtab_start();
	SMMU0->nr_runs = 0;
	SMMU0->stuck = true;
	for (n = 0; full && n < 1U << shift; n++)
		host_put_tlbi(n);
	host_tell();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	used = host_readl(ARM_SMMU_CMDQ_CONS);
	for (; shift && n < 52; n++)
		host_put_tlbi(n);
	if (!shift) {
		mock_put(host_ste(5), STE_BYPASS0);
		host_put_cfgi_ste(5);
	}
	host_tell();
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), used);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	host_cmd_sync();
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	expect_tlbis(test, n);
	if (!shift)
		expect_config(test, 5, HW_S2);
}

/* There is no room for a batch; and an STE changes with a queue of one entry */
static void queue_no_room(struct kunit *test)
{
	no_room(test, 0, false);
	no_room(test, 0, true);
	no_room(test, 5, true);
}

static void expect_all_s2(struct kunit *test)
{
	u32 sid;

	for (sid = 0; sid < BIT(mock->sid_bits); sid++)
		expect_config(test, sid, HW_S2);
}

/* EL2 finishes a page of the shadow table, and copies each of its STEs */
#define MOST_COPIES	\
	(SMMU_WORK_PER_TRAP + 2 * (1U << PKVM_SMMU_STRTAB_SPLIT))

/* Traps that it takes to read all of the stream table */
#define TRAPS_PER_TABLE	((1U << mock->sid_bits) / SMMU_WORK_PER_TRAP)

/* EL2 reads whole linear tables of the host, and does not do it in one trap */
static void boot_long(struct kunit *test)
{
	/* No larger than necessary: the mock looks at all of it */
	mock->sid_bits = 11;
	mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_ST_LEVEL, 0);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 8, mock->sid_bits));
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_strtab_start();
	SMMU0->nr_runs = 0;
	mock->copies = 0;
}

/* The same, and all streams pass */
static void boot_long_s2(struct kunit *test)
{
	unsigned int i;

	boot_long(test);
	for (i = 0; i < BIT(mock->sid_bits); i++)
		mock_put(host_ste(i), STE_BYPASS0);
	host_cfgi_all();
	expect_all_s2(test);
}

/* The host's SMMUEN is 0, and then an enable has begun */
static void enable_begins(struct kunit *test)
{
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	mock->copies = 0;
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
}

static void queue_long_cfgi(struct kunit *test)
{
	unsigned int i;

	boot_long(test);
	for (i = 0; i < 16; i++)
		host_put_cfgi_all();
	host_tell();
	KUNIT_EXPECT_LE(test, mock->copies, MOST_COPIES);
	mock->copies = 0;
	for (i = 0; !host_cmdq_is_empty(); i++) {
		KUNIT_EXPECT_LE(test, mock->copies, MOST_COPIES);
		mock->copies = 0;
		KUNIT_ASSERT_GT(test, 16 * TRAPS_PER_TABLE, i);
	}
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, mock_count_runs(T_CFGI_RANGE), 16);
}

static void queue_long_enable(struct kunit *test)
{
	unsigned int i;

	boot_long_s2(test);
	enable_begins(test);
	KUNIT_EXPECT_LE(test, mock->copies, MOST_COPIES);
	mock->copies = 0;
	/* The host sees SMMUEN acknowledged when all is done */
	for (i = 0; host_readl(ARM_SMMU_CR0ACK) != (CR0_CMDQEN | CR0_SMMUEN);
	     i++) {
		KUNIT_EXPECT_LE(test, mock->copies, MOST_COPIES);
		mock->copies = 0;
		KUNIT_ASSERT_GT(test, TRAPS_PER_TABLE, i);
	}
	KUNIT_EXPECT_GE(test, i, TRAPS_PER_TABLE - 2);
	expect_all_s2(test);
}

/* The host gives up in the middle: the next one starts from the beginning */
static void queue_long_again(struct kunit *test)
{
	boot_long_s2(test);
	host_put_cfgi_all();
	host_tell();
	host_writel(ARM_SMMU_CR0, CR0_SMMUEN);
	host_writel(ARM_SMMU_CMDQ_CONS, mock_host.prod);
	mock_put(host_ste(1), STE_ABORT0);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	host_cfgi_all();
	expect_config(test, 1, HW_ABORT);

	/* So does an enable */
	enable_begins(test);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	mock_put(host_ste(1), STE_BYPASS0);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	expect_all_s2(test);
}

/* While an enable goes on, CFGI_STE and CFGI_ALL are commands of their own */
static void queue_long_mixed(struct kunit *test)
{
	unsigned int all;

	boot_long_s2(test);
	for (all = 0; all < 2; all++) {
		enable_begins(test);
		mock_put(host_ste(1), STE_ABORT0);
		if (all) {
			host_cfgi_all();
		} else {
			host_put_cfgi_ste(1);
			host_tell();
		}
		expect_config(test, 1, HW_ABORT);
		mock_put(host_ste(1), STE_BYPASS0);
		KUNIT_EXPECT_TRUE(test, host_wait_cr0());
		expect_all_s2(test);
	}
}

/* Each STE changes, in a way that takes three waits */
static void queue_long_changes(struct kunit *test)
{
	unsigned int i;

	boot_long_s2(test);
	for (i = 0; i < BIT(mock->sid_bits); i++) {
		mock_put(host_ste(i), STE_ABORT0);
		mock_put(host_ste(i) + 8, STE_BYPASS1);
	}
	host_put_cfgi_all();
	SMMU0->nr_runs = 0;
	host_tell();
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_LE(test, SMMU0->nr_runs, 3 * SMMU_WORK_PER_TRAP);
		SMMU0->nr_runs = 0;
		host_readl(ARM_SMMU_CMDQ_CONS);
	}
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
}

/* The host's table has no STE: EL2 still has to look at all of its own */
static void queue_long_empty(struct kunit *test)
{
	unsigned int i;
	u32 last;

	boot_long_s2(test);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, 0);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	KUNIT_EXPECT_TRUE(test, host_wait_cr0());
	for (i = 0; i < 8; i++)
		host_put_cfgi_all();
	last = SMMU0->smmu->cmdq.cons;
	host_tell();
	KUNIT_EXPECT_EQ(test, SMMU0->smmu->cmdq.cons, last);
	for (i = 0; i < HOST_PATIENCE && !host_cmdq_is_empty(); i++)
		;
	KUNIT_EXPECT_GE(test, i, 8 * (TRAPS_PER_TABLE - 1));
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
}

/* Four commands, of which the second one is illegal */
static void put_illegal(struct kunit *test)
{
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_put_tlbi(0);
	host_cmd_put(T_ATC_INV, 0);
	host_put_tlbi(1);
	host_cmd_sync();
}

static void queue_illegal(struct kunit *test)
{
	put_illegal(test);
	/* The command before it runs. CONS stays, and says why */
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS),
			1 | T_CONS_ERR(T_ERR_ILL));
	mock_run_all(SMMU0);
	expect_tlbis(test, 1);
	/* IRQ_CTRL has no interrupt enabled */
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 0);

	/* Nothing runs before the host acknowledges, whatever it does */
	host_put_tlbi(9);
	host_tell();
	mock_host.prod--;
	host_tell();
	host_writel(ARM_SMMU_GERRORN, 0);
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, 1);
	expect_tlbis(test, 1);

	/* EL2's queue has not stopped */
	KUNIT_EXPECT_EQ(test, mock_leave(MOCK_RAM_A, PAGE_SIZE), 0);
}

/* The driver replaces the command by a CMD_SYNC, and acknowledges */
static void queue_illegal_mended(struct kunit *test)
{
	put_illegal(test);
	mock_put(mock_host.cmdq + 16, T_CMD_SYNC);
	mock_put(mock_host.cmdq + 16 + 8, 0);
	host_tell();
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, 1);
	host_ack_gerror();
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff,
			mock_host.prod);
	expect_tlbis(test, 2);

	/* The next one is a new error, and a new interrupt */
	host_writel(ARM_SMMU_IRQ_CTRL, T_IRQ_GERROR);
	host_cmd(T_STALL_TERM | T_CMD_SSEC, 0);
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	host_tell();
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	/* The error that EL2 caused for the interrupt is over */
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERROR),
			mock_reg(SMMU0, ARM_SMMU_GERRORN));
	host_writel(ARM_SMMU_CR0, 0);
	host_writel(ARM_SMMU_CMDQ_CONS, mock_host.prod);
	host_ack_gerror();
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_put_tlbi(2);
	host_tell();
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	expect_tlbis(test, 3);
}

/*
 * A command for a stream that is out of range is no error and has no effect
 * (section 4.1.7). Level 1 of a 16K granule counts as any level, and that of a
 * 64K granule is legal (4.4.1.1).
 */
static void queue_out_of_range(struct kunit *test)
{
	static const u64 cmds[][2] = {
		{ T_CFGI_STE | T_SID(1 << 20), T_CMD_LEAF },
		{ T_CFGI_RANGE | T_SID(1 << 20), 3 },
		{ T_CFGI_CD | T_SID(1 << 20), T_CMD_LEAF },
		{ T_CFGI_CD | T_SSID(1 << 19), T_CMD_LEAF },
		{ T_CFGI_CD_ALL | T_SID(1 << 18), 0 },
		{ T_RESUME | T_SID(1 << 12), 1 },
		{ T_STALL_TERM | T_SID(1U << 31), 0 },
		/* These have an effect */
		{ T_TLBI_NH_VA | T_ASID(1) | T_NUM(1), T_TG(2) | T_TTL(1) },
		{ T_TLBI_NH_VA | T_ASID(1) | T_NUM(1), T_TG(3) | T_TTL(1) },
		{ T_TLBI_NH_ASID | T_ASID(0xffff), 0 },
	};
	unsigned int i;

	mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_STALL_MODEL, 0);
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_strtab_start();
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		SMMU0->nr_runs = 0;
		host_cmd(cmds[i][0], cmds[i][1]);
		KUNIT_EXPECT_EQ_MSG(test, host_cmdq_error(), false,
				    "command %u", i);
		KUNIT_EXPECT_EQ_MSG(test, host_cmdq_is_empty(), true,
				    "command %u", i);
		KUNIT_EXPECT_EQ_MSG(test, SMMU0->nr_runs,
				    i < ARRAY_SIZE(cmds) - 3 ? 0 : 1,
				    "command %u", i);
		if (host_cmdq_error())
			return;
	}
	KUNIT_EXPECT_EQ(test, mock->traced[PKVM_SMMU_DENIED_CMD], 0);
}

static void queue_far_prod(struct kunit *test)
{
	unsigned int prod;

	mock_test_boot_cached(test);
	host_cmdq_start(4);
	for (prod = 0; prod < 16; prod++)
		host_put_tlbi(prod);

	for (prod = 17; prod < 32; prod++) {
		host_writel(ARM_SMMU_CMDQ_PROD, prod);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 0);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_PROD), prod);
	}
	expect_tlbis(test, 0);
	/* A full queue. Bits above the index are ignored */
	host_writel(ARM_SMMU_CMDQ_PROD, 0xabcd0010);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 16);
	expect_tlbis(test, 16);
}

/* A queue is at most as large as IDR1 says, and aligned to its size */
static void queue_sizes(struct kunit *test)
{
	unsigned int few, shift, cmdqs, evtqs;
	phys_addr_t mem;

	for (few = 0; few < 2; few++) {
		mock_test_again(test, MOCK_NR_PAGES);
		if (few)
			mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(8, 9, 0, 12));
		mock_test_boot_cached(test);
		cmdqs = FIELD_GET(T_IDR1_CMDQS, host_readl(ARM_SMMU_IDR1));
		evtqs = FIELD_GET(T_IDR1_EVENTQS, host_readl(ARM_SMMU_IDR1));
		KUNIT_EXPECT_EQ(test, cmdqs, few ? 8 : 10);
		KUNIT_EXPECT_EQ(test, evtqs, few ? 9 : 12);

		mem = mock_alloc(max(SZ_128K, 2 * PAGE_SIZE), MOCK_HOST);
		for (shift = 0; shift < 32; shift++) {
			size_t size = 16ULL << min(shift, cmdqs);

			host_set_queue(ARM_SMMU_CMDQ_BASE, mem | 0xfe0 | shift,
				       CR0_CMDQEN);
			KUNIT_EXPECT_EQ_MSG(test, mock->pins,
					    DIV_ROUND_UP(size, PAGE_SIZE), "%u",
					    shift);
			KUNIT_EXPECT_EQ(test, mock_count_pins(mem, size),
					mock->pins);

			size = 32ULL << min(shift, evtqs);
			host_set_queue(ARM_SMMU_EVTQ_BASE, mem | 0xfe0 | shift,
				       CR0_EVTQEN);
			KUNIT_EXPECT_EQ_MSG(test, mock->pins,
					    DIV_ROUND_UP(size, PAGE_SIZE), "%u",
					    shift);
			KUNIT_EXPECT_EQ(test, mock_count_pins(mem, size),
					mock->pins);
			KUNIT_EXPECT_EQ(test,
					mock_reg64(SMMU0, ARM_SMMU_EVTQ_BASE),
					((mem | 0xfe0) & ~(u64)(size - 1)) |
						min(shift, evtqs));
			KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 0x1234));
		}
	}
}

static void bad_cmdq(struct kunit *test, unsigned int i, phys_addr_t bad)
{
	SMMU0->nr_runs = 0;
	host_writel(ARM_SMMU_CMDQ_PROD, 0);
	host_writel(ARM_SMMU_CMDQ_CONS, 0);
	host_writel(ARM_SMMU_IRQ_CTRL, 0);
	host_set_queue(ARM_SMMU_CMDQ_BASE, bad | 10, CR0_CMDQEN);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_CMDQEN);
	KUNIT_EXPECT_EQ_MSG(test, mock->pins, 0, "%u", i);
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	host_writel(ARM_SMMU_CMDQ_PROD, 1);
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ_MSG(test, host_readl(ARM_SMMU_CMDQ_CONS),
			    T_CONS_ERR(T_ERR_ABT), "%u", i);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
	host_writel(ARM_SMMU_CR0, 0);
	host_ack_gerror();
}

static void bad_evtq(struct kunit *test, unsigned int i, phys_addr_t bad)
{
	host_writel(ARM_SMMU_IRQ_CTRL, T_IRQ_GERROR);
	host_set_queue(ARM_SMMU_EVTQ_BASE, bad | 9, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
	KUNIT_EXPECT_EQ_MSG(test, mock->pins, 0, "%u", i);
	KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));
	/* One interrupt, until the host acknowledges */
	KUNIT_EXPECT_EQ(test, host_gerror(), T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
	host_writel(ARM_SMMU_CR0, 0);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, host_gerror(), T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
	host_ack_gerror();
	KUNIT_EXPECT_EQ(test, host_gerror(), 0);
}

/* Queues in memory that is not the host's, or not memory */
static void queue_foreign_memory(struct kunit *test)
{
	phys_addr_t bad[11], good;
	unsigned int i;

	mock_test_boot_cached(test);
	good = mock_alloc(SZ_16K, MOCK_HOST);
	bad[0] = mock_alloc(SZ_16K, MOCK_EL2);
	bad[1] = mock_alloc(SZ_16K, MOCK_GUEST);
	/* All but the last page is the host's */
	bad[2] = mock_alloc(SZ_16K, MOCK_HOST);
	mock_give(bad[2] + max(PAGE_SIZE, SZ_16K) - PAGE_SIZE, PAGE_SIZE,
		  MOCK_GUEST);
	/* Before RAM; before RAM and in it; MMIO */
	bad[3] = MOCK_RAM_A - SZ_16K;
	bad[4] = MOCK_RAM_B - 3 * PAGE_SIZE;
	bad[5] = 0;
	bad[6] = MOCK_MMIO(0);
	/* Above OAS, two of them with the low bits of an address in RAM */
	bad[7] = 1ULL << 40;
	bad[8] = 1ULL << 40 | good;
	bad[9] = 1ULL << 51 | good;
	bad[10] = GENMASK_ULL(51, 14);

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bad_cmdq(test, i, bad[i]);
		bad_evtq(test, i, bad[i]);
	}
}

/* Both queues in the same page: the one that is enabled first gets it */
static void queue_same_page(struct kunit *test)
{
	phys_addr_t page;

	mock_test_boot_cached(test);
	page = mock_alloc(PAGE_SIZE, MOCK_HOST);
	host_set_queue(ARM_SMMU_CMDQ_BASE, page | 4, CR0_CMDQEN);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writeq(ARM_SMMU_EVTQ_BASE, page | 4);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_EVTQEN);
	KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));
	KUNIT_EXPECT_EQ(test, mock->pins, 1);

	host_set_queue(ARM_SMMU_EVTQ_BASE, page | 4, CR0_EVTQEN);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 0xabcd));
	KUNIT_EXPECT_EQ(test, mock_get(page), 0xabcd);
}

/* A queue is pinned if and only if it is enabled */
static void queue_pins(struct kunit *test)
{
	unsigned int i;

	mock_test_boot_cached(test);
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
		KUNIT_EXPECT_EQ(test, mock_event(SMMU0, i),
				!!(cr0 & CR0_EVTQEN));
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

/* The host overwrites each word as soon as EL2 has read it */
static void queue_flip(struct kunit *test)
{
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	SMMU0->nr_runs = 0;
	mock->flip = true;
	host_cmd(T_TLBI_NH_ASID | T_ASID(7), 0);
	mock->flip = false;
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	host_cmd_sync();
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 2);
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0],
			T_TLBI_NH_ASID | T_ASID(7));
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[1], 0);
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq),
			~(T_TLBI_NH_ASID | T_ASID(7)));
}

/* Bits above the wrap bit of the queue read as zero (6.3.28, 6.3.95) */
static void queue_index_bits(struct kunit *test)
{
	u32 shift;

	mock_test_boot_cached(test);
	for (shift = 0; shift < 20; shift++) {
		u32 mask = (2U << min(shift, 12U)) - 1;

		host_writeq(ARM_SMMU_CMDQ_BASE, mock_host.cmdq | shift);
		host_writel(ARM_SMMU_CMDQ_CONS, ~0U);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS),
				(2U << min(shift, 10U)) - 1);
		host_writeq(ARM_SMMU_EVTQ_BASE, shift);
		host_writel(MOCK_EVTQ_PROD, ~0U);
		KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_PROD),
				BIT(31) | mask);
	}
}

/**
 * struct random_queue - a host's queue with random commands
 * @put:	how many TLBIs the host has put
 * @ran:	how many TLBIs the hardware has run
 * @wrong:	the hardware has run a TLBI out of order
 * @before:	for each entry: how many TLBIs are before its CMD_SYNC; 0 if it
 *		is no CMD_SYNC, or a completed one
 */
static struct random_queue {
	unsigned int	put;
	unsigned int	ran;
	bool		wrong;
	unsigned int	before[256];
} random_queue;

static void random_ran(struct mock_smmu *s, const u64 *cmd)
{
	if (s != SMMU0 || T_OP(cmd) != T_TLBI_NH_VA)
		return;
	random_queue.wrong |= cmd[1] != host_tlbi_va(random_queue.ran);
	random_queue.ran++;
}

static void random_cmd(u32 idx)
{
	switch (test_random() % 8) {
	case 0:
		host_cmd_put(T_PREFETCH_CONFIG, 0);
		break;
	case 1:
		mock_put(host_ste(test_random() % 8),
			 test_random() % 2 ? STE_BYPASS0 : STE_ABORT0);
		host_put_cfgi_ste((test_random() % 8));
		break;
	case 2:
		random_queue.before[idx] = random_queue.put;
		host_cmd_put(T_SYNC_IRQ, mock_host.cmdq + 16 * idx);
		break;
	case 3:
		host_cmd_put(test_random() % 4 ? T_CMD_SYNC : T_CMD_NONE_2, 0);
		break;
	default:
		host_put_tlbi(random_queue.put++);
	}
}

/* As the driver, replace an illegal command by a CMD_SYNC. Returns CONS */
static u32 random_mend(u32 entries)
{
	u32 cons = host_readl(ARM_SMMU_CMDQ_CONS) & (2 * entries - 1);

	if (!host_cmdq_error())
		return cons;

	mock_put(mock_host.cmdq + 16 * (cons & (entries - 1)), T_CMD_SYNC);
	mock_put(mock_host.cmdq + 16 * (cons & (entries - 1)) + 8, 0);
	host_ack_gerror();

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
	host_tell();

	/* A CMD_SYNC that CONS has passed has waited for all TLBIs before it */
	cons = SMMU0->smmu->cmdq.cons & wrap;
	for (i = 0; i < entries; i++) {
		if (((i - cons) & (entries - 1)) <
		    ((mock_host.prod - cons) & wrap))
			continue;
		KUNIT_EXPECT_GE(test, random_queue.ran, random_queue.before[i]);
		random_queue.before[i] = 0;
	}
	KUNIT_EXPECT_FALSE(test, random_queue.wrong);
}

/* All that the host has put comes to an end */
static void random_end(struct kunit *test, u32 entries)
{
	unsigned int i;

	SMMU0->stuck = false;
	SMMU0->slow = false;
	for (i = 0; i < 1000; i++) {
		mock_run_all(SMMU0);
		if (random_mend(entries) == mock_host.prod)
			break;
	}
	KUNIT_EXPECT_EQ(test, random_queue.ran, random_queue.put);
	KUNIT_EXPECT_FALSE(test, random_queue.wrong);
}

static void random_machine(struct kunit *test)
{
	u64 most = test_random() % 3 ? 1000 : SMMU_TRAP_US * 3 / 2;
	u32 shift = 1 + test_random() % 8;
	unsigned int i;

	mock_test_again(test, MOCK_NR_PAGES);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1,
		     T_IDR1(shift + test_random() % 3, 7, 8, 12));
	mock_test_boot_cached(test);
	host_cmdq_start(shift);
	host_strtab_start();
	memset(&random_queue, 0, sizeof(random_queue));
	mock->ran = random_ran;
	SMMU0->slow = test_random() % 2;
	SMMU0->delay = test_random() % most;
	SMMU0->rest = test_random() % 3;
	for (i = 0; i < 200; i++) {
		mock->relaxed = 0;
		SMMU0->stuck = !(test_random() % 6);
		random_round(test, BIT(shift));
	}
	random_end(test, BIT(shift));
}

/* Each command runs once, in order, and a CMD_SYNC waits for those before it */
static void queue_random(struct kunit *test)
{
	unsigned int round;

	for (round = 0; round < 30; round++)
		random_machine(test);
}

/* There is no room for a part of a batch, and there is before EL2 looks again */
static void queue_part_late(struct kunit *test)
{
	unsigned int n;

	set_cmdqs(2);
	mock_test_boot_cached(test);
	host_cmdq_start(2);
	SMMU0->slow = true;
	SMMU0->delay = 2 * SMMU_TRAP_US;
	for (n = 0; n < 3; n++)
		host_put_tlbi(n);
	host_tell();
	for (; n < 6; n++)
		host_put_tlbi(n);
	/* EL2 drops this one, and does not add it to the batch */
	host_cmd_put(T_PREFETCH_CONFIG, 0);
	mock->step = catch_up;
	host_tell();
	mock->step = NULL;
	KUNIT_EXPECT_EQ(test, SMMU0->smmu->cmdq.cons, 5);
	SMMU0->delay = 0;
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	mock_run_all(SMMU0);
	expect_tlbis(test, 6);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_order),
	KUNIT_CASE(queue_sync_waits),
	KUNIT_CASE(queue_sync_late),
	KUNIT_CASE(queue_part),
	KUNIT_CASE(queue_no_room),
	KUNIT_CASE(queue_long_cfgi),
	KUNIT_CASE(queue_long_enable),
	KUNIT_CASE(queue_long_again),
	KUNIT_CASE(queue_long_mixed),
	KUNIT_CASE(queue_long_changes),
	KUNIT_CASE(queue_long_empty),
	KUNIT_CASE(queue_illegal),
	KUNIT_CASE(queue_illegal_mended),
	KUNIT_CASE(queue_out_of_range),
	KUNIT_CASE(queue_far_prod),
	KUNIT_CASE(queue_sizes),
	KUNIT_CASE(queue_foreign_memory),
	KUNIT_CASE(queue_same_page),
	KUNIT_CASE(queue_pins),
	KUNIT_CASE(queue_flip),
	KUNIT_CASE(queue_index_bits),
	KUNIT_CASE(queue_random),
	KUNIT_CASE(queue_part_late),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "pkvm-smmu-queue",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
