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

/* Any number of commands, in order, around the ends of both queues */
static void queue_order(struct kunit *test)
{
	static const u8 hw_shifts[] = { 0, 1, 3, 12 }, host_shifts[] = { 0, 1, 4, 10 };
	unsigned int i, n, pending;

	for (i = 0; i < 2 * 16; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_change_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1_CMDQS, FIELD_PREP(T_IDR1_CMDQS, hw_shifts[i % 4]));
		mock_test_boot_cached(test);
		SMMU0->slow = i / 16;
		/* The driver sees what the hardware has, and not more than 10 */
		KUNIT_ASSERT_EQ(test, FIELD_GET(T_IDR1_CMDQS, host_readl(ARM_SMMU_IDR1)),
				min(hw_shifts[i % 4], (u8)10));
		host_cmdq_start(min(host_shifts[i / 4 % 4], hw_shifts[i % 4]));
		pending = 0;
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
		/* Nothing was denied */
		for (n = 0; n < PKVM_SMMU_TRAPS; n++)
			KUNIT_EXPECT_EQ(test, host_count(n), 0);
	}
}

/* The host's CMD_SYNC completes after what was before it; without, no one waits */
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

	/* And without a sync, the SMMU hears of it nonetheless */
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

/* It is late by one command, and has caught up before anyone looks again */
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
	/* The CMD_SYNC once more, and nothing that was in front of it */
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
	if (host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI)
		KUNIT_EXPECT_EQ(test, (u32)mock_get(mock_host.cmdq + 0x80), 0xcafef00d);
	KUNIT_EXPECT_EQ(test, mock_count_runs(T_CMD_SYNC), 2);
	mock_run_all(SMMU0);
	expect_tlbis(test, 3);
}

/* Of what the hardware has no room for, CONS says what it has taken */
static void queue_part(struct kunit *test)
{
	unsigned int hint, n;

	for (hint = 0; hint < 2; hint++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_change_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1_CMDQS, FIELD_PREP(T_IDR1_CMDQS, 2));
		mock_test_boot_cached(test);
		host_cmdq_start(2);
		SMMU0->stuck = true;
		for (n = 0; n < 3; n++)
			host_put_tlbi(n);
		host_tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 3);
		host_put_tlbi(3);
		host_put_tlbi(4);
		/* One that is dropped, and an opcode that there isn't */
		if (hint)
			host_cmd_put(T_PREFETCH_CONFIG, 0);
		host_cmd_put(T_CMD_NONE, 0);
		host_tell();
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 4);
		KUNIT_EXPECT_FALSE(test, host_cmdq_error());
		SMMU0->stuck = false;
		mock_run_all(SMMU0);
		/* The error is seen when all in front of the offender has been given on */
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), (5 + hint) | T_CONS_ERR(T_ERR_ILL));
		KUNIT_EXPECT_TRUE(test, host_cmdq_error());
		mock_run_all(SMMU0);
		expect_tlbis(test, 5);
	}
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
		mock_change_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1_CMDQS, FIELD_PREP(T_IDR1_CMDQS, shift));
		mock_test_boot_cached(test);
		host_cmdq_start(shift);
		host_strtab_start();
		SMMU0->nr_runs = 0;
		SMMU0->stuck = true;
		for (n = 0; queues[i].full && n < 1U << shift; n++)
			host_put_tlbi(n);
		host_tell();
		KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
		used = host_readl(ARM_SMMU_CMDQ_CONS);
		if (shift) {
			for (; n < 52; n++)
				host_put_tlbi(n);
		} else {
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
	mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_ST_LEVEL, 0);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(12, 7, 8, mock->sid_bits));
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_strtab_start();
	for (i = 0; i < 16; i++)
		host_put_cfgi_all();
	SMMU0->nr_runs = 0;
	mock->copies = 0;
	host_tell();
	KUNIT_EXPECT_LE(test, mock->copies, most);
	mock->copies = 0;
	for (i = 0; host_readl(ARM_SMMU_CMDQ_CONS) != mock_host.prod; i++) {
		KUNIT_EXPECT_LE(test, mock->copies, most);
		mock->copies = 0;
		KUNIT_ASSERT_GT(test, 16 * (1U << mock->sid_bits) / SMMU_WORK_PER_TRAP, i);
	}
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, mock_count_runs(T_CFGI_RANGE), 16);

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
	host_put_cfgi_all();
	host_tell();
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
	host_put_cfgi_ste(1);
	host_tell();
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
			host_put_cfgi_all();
			host_tell();
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
		host_put_cfgi_all();
	last = SMMU0->smmu->cmdq.cons;
	host_tell();
	KUNIT_EXPECT_EQ(test, SMMU0->smmu->cmdq.cons, last);
	for (i = 0; i < HOST_PATIENCE && !host_cmdq_is_empty(); i++)
		;
	KUNIT_EXPECT_GE(test, i, 8 * ((1U << mock->sid_bits) / SMMU_WORK_PER_TRAP - 1));
	KUNIT_EXPECT_TRUE(test, host_cmdq_is_empty());
}

static void queue_illegal(struct kunit *test)
{
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_put_tlbi(0);
	host_cmd_put(T_ATC_INV, 0);
	host_put_tlbi(1);
	host_cmd_sync();

	/* What was before it has run; it stays, and says why */
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 1 | T_CONS_ERR(T_ERR_ILL));
	mock_run_all(SMMU0);
	expect_tlbis(test, 1);

	/* One interrupt, if the host has asked for it */
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 0);

	/* Nothing runs before the host has acknowledged, whatever it does */
	host_put_tlbi(9);
	host_tell();
	mock_host.prod--;
	host_tell();
	host_writel(ARM_SMMU_GERRORN, 0);
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, 1);
	expect_tlbis(test, 1);

	/* EL2's queue isn't stopped at all */
	mock_own_lock();
	KUNIT_EXPECT_EQ(test, smmu_run_pages_leave(MOCK_RAM_A, MOCK_RAM_A + PAGE_SIZE), 0);
	mock_own_unlock();

	/* The driver puts a CMD_SYNC in its place, and acknowledges */
	mock_put(mock_host.cmdq + 16, T_CMD_SYNC);
	mock_put(mock_host.cmdq + 16 + 8, 0);
	host_tell();
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, 1);
	host_ack_gerror();
	KUNIT_EXPECT_FALSE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS) & 0xff, mock_host.prod);
	expect_tlbis(test, 2);

	/* It can be done again, and is a new error */
	host_writel(ARM_SMMU_IRQ_CTRL, 1);
	host_cmd(T_STALL_TERM | T_CMD_SSEC, 0);
	KUNIT_EXPECT_TRUE(test, host_cmdq_error());
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	host_tell();
	KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, 1);
	/* That was EL2's way to have it signalled, and is not an error of its own */
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
 * No error, and no denial: commands for what is out of range have no effect
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

	/* Stalls, too */
	mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_STALL_MODEL, 0);
	mock_test_boot_cached(test);
	host_cmdq_start(4);
	host_strtab_start();
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		SMMU0->nr_runs = 0;
		host_cmd(cmds[i][0], cmds[i][1]);
		KUNIT_EXPECT_EQ_MSG(test, host_cmdq_error(), false, "command %u", i);
		KUNIT_EXPECT_EQ_MSG(test, host_cmdq_is_empty(), true, "command %u", i);
		/* Those that have an effect are the last three */
		KUNIT_EXPECT_EQ_MSG(test, SMMU0->nr_runs, i < ARRAY_SIZE(cmds) - 3 ? 0 : 1,
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
	/* A full queue, and bits above the index that mean nothing */
	host_writel(ARM_SMMU_CMDQ_PROD, 0xabcd0010);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CMDQ_CONS), 16);
	expect_tlbis(test, 16);
}

/* As large as the ID register says, whatever LOG2SIZE says; aligned to its size */
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

			host_set_queue(ARM_SMMU_CMDQ_BASE, mem | 0xfe0 | shift, CR0_CMDQEN);
			KUNIT_EXPECT_EQ_MSG(test, mock->pins, DIV_ROUND_UP(size, PAGE_SIZE),
					    "%u", shift);
			KUNIT_EXPECT_EQ(test, mock_count_pins(mem, size), mock->pins);

			size = 32ULL << min(shift, evtqs);
			host_set_queue(ARM_SMMU_EVTQ_BASE, mem | 0xfe0 | shift, CR0_EVTQEN);
			KUNIT_EXPECT_EQ_MSG(test, mock->pins, DIV_ROUND_UP(size, PAGE_SIZE),
					    "%u", shift);
			KUNIT_EXPECT_EQ(test, mock_count_pins(mem, size), mock->pins);
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

	mock_test_boot_cached(test);
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
		host_set_queue(ARM_SMMU_CMDQ_BASE, bad[i] | 10, CR0_CMDQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_CMDQEN);
		KUNIT_EXPECT_EQ_MSG(test, mock->pins, 0, "%u", i);
		KUNIT_EXPECT_FALSE(test, host_cmdq_error());
		host_writel(ARM_SMMU_CMDQ_PROD, 1);
		KUNIT_EXPECT_TRUE(test, host_cmdq_error());
		KUNIT_EXPECT_EQ_MSG(test, host_readl(ARM_SMMU_CMDQ_CONS), T_CONS_ERR(T_ERR_ABT), "%u", i);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
		host_writel(ARM_SMMU_CR0, 0);
		host_ack_gerror();

		host_writel(ARM_SMMU_IRQ_CTRL, 1);
		host_set_queue(ARM_SMMU_EVTQ_BASE, bad[i] | 9, CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), CR0_EVTQEN);
		KUNIT_EXPECT_EQ_MSG(test, mock->pins, 0, "%u", i);
		KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));
		/* The host hears of it, once until it acknowledges */
		KUNIT_EXPECT_EQ(test, host_gerror(), T_GERROR_EVTQ_ABT);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
		host_writel(ARM_SMMU_CR0, 0);
		host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
		KUNIT_EXPECT_EQ(test, host_gerror(), T_GERROR_EVTQ_ABT);
		KUNIT_EXPECT_EQ(test, SMMU0->nr_gerror_irqs, i + 1);
		host_ack_gerror();
		KUNIT_EXPECT_EQ(test, host_gerror(), 0);
	}
	SMMU0->nr_runs = 0;
	host_writel(ARM_SMMU_IRQ_CTRL, 0);

	/* Both in the same page: the host gets what comes first */
	host_set_queue(ARM_SMMU_CMDQ_BASE, good | 4, CR0_CMDQEN);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writeq(ARM_SMMU_EVTQ_BASE, good | 4);
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_EVTQEN);
	KUNIT_EXPECT_FALSE(test, mock_event(SMMU0, 1));
	KUNIT_EXPECT_EQ(test, mock->pins, 1);
	/* And alone */
	host_set_queue(ARM_SMMU_EVTQ_BASE, good | 4, CR0_EVTQEN);
	KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, 0xabcd));
	KUNIT_EXPECT_EQ(test, mock_get(good), 0xabcd);
}

/* Enabled and disabled in any order: what is on is mock_count_pins, and what is off is not */
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
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[0], T_TLBI_NH_ASID | T_ASID(7));
	KUNIT_EXPECT_EQ(test, SMMU0->runs[0].cmd[1], 0);
	KUNIT_EXPECT_EQ(test, mock_get(mock_host.cmdq), ~(T_TLBI_NH_ASID | T_ASID(7)));
}

/* Bits above the wrap bit of the queue are read as zero (6.3.28, 6.3.95) */
static void queue_index_bits(struct kunit *test)
{
	u32 shift;

	mock_test_boot_cached(test);
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
		mock_put(host_ste(test_random() % 8), test_random() % 2 ? STE_BYPASS0 : STE_ABORT0);
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

/* As the driver does, whose command was illegal. Returns CONS */
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
		mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(shift + test_random() % 3, 7, 8, 12));
		mock_test_boot_cached(test);
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

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_order),
	KUNIT_CASE(queue_sync_waits),
	KUNIT_CASE(queue_sync_late),
	KUNIT_CASE(queue_part),
	KUNIT_CASE(queue_no_room),
	KUNIT_CASE(queue_long_commands),
	KUNIT_CASE(queue_illegal),
	KUNIT_CASE(queue_out_of_range),
	KUNIT_CASE(queue_far_prod),
	KUNIT_CASE(queue_sizes),
	KUNIT_CASE(queue_foreign_memory),
	KUNIT_CASE(queue_pins),
	KUNIT_CASE(queue_flip),
	KUNIT_CASE(queue_index_bits),
	KUNIT_CASE(queue_random),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "pkvm-smmu-queue",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
