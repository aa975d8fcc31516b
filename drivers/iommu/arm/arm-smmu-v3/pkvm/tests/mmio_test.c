// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmio.c and gerror.c: which registers the host reads and writes, and which
 * writes get to the hardware. The table has the registers of chapter 6 of the
 * architecture (Arm IHI 0070) that the host may use, as numbers.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "test.h"

/* @msi: the register exists only if the SMMU has MSIs */
struct reg_expect {
	u32	offset;
	u32	size;
	bool	writable;
	bool	msi;
};

static const struct reg_expect regs[] = {
	{ 0x00, 4 },
	{ 0x04, 4 },
	{ 0x08, 4 },
	{ 0x0c, 4 }, /* IDR0 to IDR5 */
	{ 0x10, 4 },
	{ 0x14, 4 },
	{ 0x18, 4 },
	{ 0x1c, 4 }, /* IIDR, AIDR */
	{ 0x20, 4, true },
	{ 0x24, 4 }, /* CR0, CR0ACK */
	{ 0x28, 4, true },
	{ 0x2c, 4, true }, /* CR1, CR2 */
	{ 0x40, 4 },
	{ 0x44, 4 },
	{ 0x48, 4 }, /* STATUSR, GBPA, AGBPA */
	{ 0x50, 4, true },
	{ 0x54, 4 }, /* IRQ_CTRL, _ACK */
	{ 0x60, 4 },
	{ 0x64, 4, true }, /* GERROR, GERRORN */
	{ 0x68, 8, true, true },
	{ 0x70, 4, true, true }, /* GERROR_IRQ_CFG* */
	{ 0x74, 4, true, true },
	{ 0x80, 8, true },
	{ 0x88, 4, true }, /* STRTAB_BASE, _CFG */
	{ 0x90, 8, true },
	{ 0x98, 4, true },
	{ 0x9c, 4, true }, /* CMDQ_* */
	{ 0xa0, 8, true }, /* EVTQ_BASE */
	{ 0xb0, 8, true, true },
	{ 0xb8, 4, true, true }, /* EVTQ_IRQ_CFG* */
	{ 0xbc, 4, true, true },
	{ 0x190, 4 }, /* IDR6 */
	{ 0x100a8, 4, true },
	{ 0x100ac, 4, true }, /* EVTQ_PROD, _CONS */
};

static const struct reg_expect *reg_find(u32 offset)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (offset >= regs[i].offset &&
		    offset - regs[i].offset < regs[i].size)
			return regs[i].msi && !SMMU0->smmu->msis ? NULL :
								   &regs[i];
	}

	return NULL;
}

/* An access has 4 bytes, or 8 for a register of 8, and is aligned */
static bool may_access(const struct reg_expect *reg, u32 offset,
		       unsigned int size)
{
	return reg && (size == 4 || size == 8) && size <= reg->size &&
	       !(offset % size);
}

/* The host's state before an access, and EL2's count of denied ones */
struct quiet {
	struct pkvm_smmu	smmu;
	u64			denied;
};

static struct quiet quiet;

static void quiet_begin(void)
{
	quiet.smmu = *SMMU0->smmu;
	quiet.denied = host_count(PKVM_SMMU_DENIED_MMIO);
	SMMU0->nr_writes = 0;
}

/* A register that is not the host's to write: nothing changes but the count */
static void expect_quiet(struct kunit *test, bool may, u32 offset,
			 unsigned int size)
{
	struct pkvm_smmu *smmu = SMMU0->smmu;
	u64 denied;

	smmu_mmio_write(smmu, offset, size, ~0ULL);
	smmu_mmio_write(smmu, offset, size, 0);
	denied = quiet.denied + (may ? 2 : 3);
	if (host_count(PKVM_SMMU_DENIED_MMIO) != denied)
		KUNIT_FAIL(test, "%u bytes at 0x%x: denied or not?", size,
			   offset);
	if (SMMU0->nr_writes || memcmp(&quiet.smmu, smmu, sizeof(*smmu)))
		KUNIT_FAIL(test, "%u bytes at 0x%x do something", size, offset);
	quiet_begin();
}

/* Access one offset. Returns true if that is allowed */
static bool access_one(struct kunit *test, u32 offset, unsigned int size)
{
	const struct reg_expect *reg = reg_find(offset);
	bool may = may_access(reg, offset, size);
	u64 val = smmu_mmio_read(SMMU0->smmu, offset, size);

	if (!may && val)
		KUNIT_FAIL(test, "%u bytes at 0x%x are 0x%llx", size, offset,
			   (unsigned long long)val);
	if (!may || !reg->writable)
		expect_quiet(test, may, offset, size);

	return may;
}

static void everywhere(struct kunit *test, bool msis)
{
	struct pkvm_smmu *smmu = SMMU0->smmu;
	unsigned int i, size, nr = 0;
	u32 offset;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (regs[i].offset != ARM_SMMU_CR0)
			smmu_mmio_write(smmu, regs[i].offset, regs[i].size,
					~0ULL);
	}

	/* A register of zeros would look like one that reads as zero */
	for (offset = 0; offset < PKVM_SMMU_MIN_MMIO_SIZE; offset += 4) {
		if (!mock_reg(SMMU0, offset))
			mock_set_reg(SMMU0, offset, 0xa5a5a5a5);
	}

	quiet_begin();
	for (offset = 0; offset < PKVM_SMMU_MIN_MMIO_SIZE + 64; offset++) {
		for (size = 1; size <= 8; size *= 2)
			nr += access_one(test, offset, size);
	}
	KUNIT_EXPECT_GT(test, mock->traced[PKVM_SMMU_DENIED_MMIO],
			PKVM_SMMU_MIN_MMIO_SIZE);
	/* A register of 4 bytes allows one access, one of 8 bytes three */
	KUNIT_EXPECT_EQ(test, nr,
			ARRAY_SIZE(regs) + 3 * 2 + (msis ? 2 * 2 : -6));

	KUNIT_EXPECT_EQ(test, smmu_mmio_read(smmu, 0xfffffffc, 4), 0ULL);
	KUNIT_EXPECT_EQ(test, smmu_mmio_read(smmu, 0x20000, 8), 0ULL);
	KUNIT_EXPECT_EQ(test, smmu_mmio_read(smmu, 0, 0), 0ULL);
	KUNIT_EXPECT_EQ(test, smmu_mmio_read(smmu, 0x80, 16), 0ULL);
	KUNIT_EXPECT_EQ(test, smmu_mmio_read(smmu, 0x80, ~0U), 0ULL);
}

static void mmio_everywhere(struct kunit *test)
{
	mock_test_boot(test);
	everywhere(test, false);
	everywhere(test, mock_test_boot_msis(test));
}

/* The host writes anything. mock.c checks that nothing opens */
static void mmio_anything(struct kunit *test)
{
	unsigned int i;

	mock_test_boot_msis(test);
	for (i = 0; i < 20000; i++) {
		const struct reg_expect *reg =
			&regs[test_random() % ARRAY_SIZE(regs)];
		u64 val = test_random();

		/* Plausible values get further */
		if (i % 2)
			val = (val & 0x1f) |
			      (MOCK_RAM_A + (val >> 32) % 64 * PAGE_SIZE);
		if (reg->size == 8 && i % 3)
			host_writeq(reg->offset, val);
		else
			host_writel(reg->offset +
					    (reg->size == 8 ? i % 2 * 4 : 0),
				    val);
		host_readl(reg->offset);
	}
	KUNIT_EXPECT_EQ(test, SMMU0->gbpa & GBPA_ABORT, GBPA_ABORT);
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, mock->pins, 0);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR0ACK),
			CR0_SMMUEN | CR0_CMDQEN);
}

static void mmio_halves(struct kunit *test)
{
	static const u32 wide[] = {
		ARM_SMMU_STRTAB_BASE, ARM_SMMU_CMDQ_BASE, ARM_SMMU_EVTQ_BASE
	};
	u64 a = 0x4000123456789000ULL, b = 0x0003210fedcba9c0ULL;
	unsigned int i;

	mock_test_boot(test);
	for (i = 0; i < ARRAY_SIZE(wide); i++) {
		host_writeq(wide[i], a);
		KUNIT_EXPECT_EQ(test, host_readq(wide[i]), a);
		KUNIT_EXPECT_EQ(test, host_readl(wide[i]), lower_32_bits(a));
		KUNIT_EXPECT_EQ(test, host_readl(wide[i] + 4),
				upper_32_bits(a));
		/* Low half first, then high half first */
		host_writel(wide[i], lower_32_bits(b));
		KUNIT_EXPECT_EQ(test, host_readq(wide[i]),
				(a & ~0xffffffffULL) | lower_32_bits(b));
		host_writel(wide[i] + 4, upper_32_bits(b));
		KUNIT_EXPECT_EQ(test, host_readq(wide[i]), b);
		host_writel(wide[i] + 4, upper_32_bits(a));
		KUNIT_EXPECT_EQ(test, host_readq(wide[i]),
				(a & ~0xffffffffULL) | lower_32_bits(b));
		host_writel(wide[i], lower_32_bits(a));
		KUNIT_EXPECT_EQ(test, host_readq(wide[i]), a);
		/* A 4-byte access has 32 bits only */
		smmu_mmio_write(SMMU0->smmu, wide[i], 4, ~0ULL << 32);
		KUNIT_EXPECT_EQ(test, host_readq(wide[i]), a & ~0xffffffffULL);
	}
}

static void mmio_not_the_hosts(struct kunit *test)
{
	u32 cr1, cr2;

	mock_test_boot(test);
	cr1 = mock_reg(SMMU0, ARM_SMMU_CR1);
	cr2 = mock_reg(SMMU0, ARM_SMMU_CR2);
	SMMU0->nr_writes = 0;

	/* GBPA aborts, is never updating, and can't be changed */
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GBPA), T_GBPA_ABORT);
	host_writel(ARM_SMMU_GBPA, 1U << 31);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GBPA), T_GBPA_ABORT);
	/* CR1 and CR2 are read back */
	host_writel(ARM_SMMU_CR1, 0xd75);
	host_writel(ARM_SMMU_CR2, 0x6);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR1), 0xd75);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR2), 0x6);

	KUNIT_EXPECT_EQ(test, SMMU0->nr_writes, 0);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR1), cr1);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR2), cr2);
	KUNIT_EXPECT_EQ(test, cr2, CR2_PTM | CR2_RECINVSID);
}

static void mmio_cr0(struct kunit *test)
{
	unsigned int i;

	mock_test_boot(test);
	for (i = 0; i < 2000; i++) {
		u32 val = test_random();

		host_writel(ARM_SMMU_CR0, val);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0), val & 0xd);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_CR0ACK), val & 0xd);
		KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_CR0) & 0x9, 0x9);
	}
}

/* The host can't change what an enable has latched (section 6.3) */
static void mmio_locked_while_enabled(struct kunit *test)
{
	static const struct {
		u32	enable;
		u32	offset;
		u64	val;
	} locked[] = {
		{ CR0_SMMUEN, ARM_SMMU_STRTAB_BASE, 0x12340000 },
		{ CR0_SMMUEN, ARM_SMMU_STRTAB_BASE_CFG, 0x10208 },
		{ CR0_CMDQEN, ARM_SMMU_CMDQ_BASE, 0x12340004 },
		{ CR0_CMDQEN, ARM_SMMU_CMDQ_CONS, 1 },
		{ CR0_EVTQEN, ARM_SMMU_EVTQ_BASE, 0x12340004 },
	};
	unsigned int i;

	mock_test_boot(test);
	for (i = 0; i < ARRAY_SIZE(locked); i++) {
		u32 offset = locked[i].offset;

		host_writel(ARM_SMMU_CR0, locked[i].enable);
		host_writel(offset, locked[i].val);
		smmu_mmio_write(SMMU0->smmu, offset, reg_find(offset)->size,
				locked[i].val);
		KUNIT_EXPECT_EQ_MSG(test, host_readl(offset), 0, "0x%x",
				    offset);
		host_writel(ARM_SMMU_CR0, 0);
		host_writel(offset, locked[i].val);
		KUNIT_EXPECT_EQ_MSG(test, host_readl(offset),
				    (u32)locked[i].val, "0x%x", offset);
		host_writel(offset, 0);
	}
}

static void mmio_irq_ctrl(struct kunit *test)
{
	mock_test_boot(test);
	host_writel(ARM_SMMU_IRQ_CTRL, ~0U);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_IRQ_CTRL), 0x5);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRL), 0x5);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0x5);

	/* The host sees the acknowledgment when the hardware has given it */
	SMMU0->slow = true;
	host_writel(ARM_SMMU_IRQ_CTRL, 0x4);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0x5);
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IRQ_CTRLACK), 0x4);
}

static void mmio_gerror(struct kunit *test)
{
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR), 0);

	/* The hardware raises EVTQ_ABT, and the host acknowledges it */
	mock_set_reg(SMMU0, ARM_SMMU_GERROR, T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR), T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERRORN), 0);
	host_writel(ARM_SMMU_GERRORN, T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERRORN), T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERRORN),
			T_GERROR_EVTQ_ABT);

	/* The host neither sees nor acknowledges CMDQ_ERR of EL2's queue */
	mock_set_reg(SMMU0, ARM_SMMU_GERROR, T_GERROR_EVTQ_ABT | T_GERROR_CMDQ);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR), T_GERROR_EVTQ_ABT);
	host_writel(ARM_SMMU_GERRORN, ~0U);
	/* A bit that is no error does not get to the hardware */
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERRORN),
			T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERRORN), T_GERROR_ALL);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR), T_GERROR_ALL);

	/* The host sees one error if both the hardware and EL2 raise it */
	host_writeq(ARM_SMMU_EVTQ_BASE, 0);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR),
			T_GERROR_ALL & ~T_GERROR_EVTQ_ABT);
	mock_set_reg(SMMU0, ARM_SMMU_GERROR, T_GERROR_CMDQ);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR),
			T_GERROR_ALL & ~T_GERROR_EVTQ_ABT);
	host_writel(ARM_SMMU_GERRORN, T_GERROR_ALL & ~T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR),
			T_GERROR_ALL & ~T_GERROR_EVTQ_ABT);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERRORN), 0);

	/* SFM_ERR and MSI_GERROR_ABT_ERR come from the hardware */
	host_writel(ARM_SMMU_GERRORN, 0);
	host_writel(ARM_SMMU_CR0, 0);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN | CR0_CMDQEN);
	host_writel(ARM_SMMU_CMDQ_PROD, 1);
	mock_set_reg(SMMU0, ARM_SMMU_GERROR, 0x180);
	mock_set_reg(SMMU0, ARM_SMMU_GERRORN, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR), 0x185);
	/* CMDQ_ERR is back at once, as the queue still is not memory */
	host_writel(ARM_SMMU_GERRORN, 0x101);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR) ^ 0x101, 0x85);
	KUNIT_EXPECT_EQ(test, mock_reg(SMMU0, ARM_SMMU_GERRORN), 0x100);
	host_writel(ARM_SMMU_GERRORN, 0x105);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR) ^ 0x105, 0x81);
}

/* EL2 counts and traces each denied access once */
static void mmio_denied(struct kunit *test)
{
	u64 bad_ste[4] = { STE_ABORT0, T_STE_EATS_FULL };
	phys_addr_t evtq;
	unsigned int i;

	mock_test_boot(test);
	host_cmdq_start(4);
	host_strtab_start();
	evtq = mock_alloc(32 << 4, MOCK_HOST);
	host_writeq(ARM_SMMU_EVTQ_BASE, evtq | 4);
	host_writel(ARM_SMMU_CR0, CR0_SMMUEN | CR0_CMDQEN | CR0_EVTQEN);
	for (i = 0; i < PKVM_SMMU_TRAPS; i++)
		KUNIT_EXPECT_EQ(test, host_count(i), 0);

	/* Unknown, not aligned, read-only, and locked by SMMUEN */
	host_readl(0x100);
	smmu_mmio_read(SMMU0->smmu, 1, 4);
	host_writel(ARM_SMMU_IDR0, 0);
	host_writeq(ARM_SMMU_STRTAB_BASE, 0);
	/* The host's queue stops at this command */
	host_cmd(T_TLBI_S_EL2_ALL, 0);
	host_writel(ARM_SMMU_CR0, CR0_SMMUEN | CR0_EVTQEN);
	host_writel(ARM_SMMU_CMDQ_CONS, mock_host.prod);
	host_ack_gerror();
	host_writel(ARM_SMMU_CR0, CR0_SMMUEN | CR0_CMDQEN | CR0_EVTQEN);
	host_put_ste(3, bad_ste);
	host_cfgi_ste(3);

	/* The second one is a fault of stage 1 */
	for (i = 0; i < 4; i++) {
		static const u8 ids[] = {
			T_F_TRANSLATION, T_F_TRANSLATION, T_C_BAD_STE,
			T_F_PERMISSION,
		};

		mock_put(evtq + i * 32 + 8, i == 1 ? 0 : T_EVT_S2);
		KUNIT_EXPECT_TRUE(test, mock_event(SMMU0, ids[i] | T_SID(3)));
	}
	host_writel(MOCK_EVTQ_CONS, 4);
	host_writel(MOCK_EVTQ_CONS, 4);
	/* An index that is impossible */
	host_writel(MOCK_EVTQ_CONS, 3);

	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_DENIED_MMIO), 4);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_DENIED_CMD), 1);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_DENIED_STE), 1);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_DENIED_DMA), 2);
	for (i = 0; i < PKVM_SMMU_TRAPS; i++)
		KUNIT_EXPECT_EQ(test, host_count(i), mock->traced[i]);
}

/* Of many events at once, EL2 looks at the first ones only */
static void mmio_denied_at_once(struct kunit *test)
{
	phys_addr_t evtq;
	unsigned int i;

	mock_test_boot(test);
	evtq = mock_alloc(32 << 11, MOCK_HOST);
	host_writeq(ARM_SMMU_EVTQ_BASE, evtq | 11);
	host_writel(ARM_SMMU_CR0, CR0_EVTQEN);
	for (i = 0; i < 2048; i++) {
		mock_put(evtq + i * 32, T_F_TRANSLATION);
		mock_put(evtq + i * 32 + 8, T_EVT_S2);
	}
	host_writel(MOCK_EVTQ_CONS, 2048);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_DENIED_DMA),
			SMMU_WORK_PER_TRAP);
	KUNIT_EXPECT_EQ(test, host_readl(MOCK_EVTQ_CONS), 2048);
	host_writel(MOCK_EVTQ_CONS, 2048 + 7);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_DENIED_DMA),
			SMMU_WORK_PER_TRAP + 7);
}

/* EL2 counts traps, commands and pages in memory that the host reads */
static void mmio_stats(struct kunit *test)
{
	u64 ste[4] = { STE_BYPASS0, STE_BYPASS1 }, traps, hw_cmds, used, most;
	const struct pkvm_smmu_pool_counts *pool;

	mock_test_boot(test);
	pool = &host_shared()->pool;
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_TRAPS), 0);
	host_readl(ARM_SMMU_IDR0);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_TRAPS), 1);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_CMDS), 0);
	KUNIT_EXPECT_EQ(test, pool->all, 64);
	used = pool->used;
	KUNIT_EXPECT_NE(test, used, 0);
	KUNIT_EXPECT_EQ(test, used, mock->pool_used);
	KUNIT_EXPECT_EQ(test, pool->peak, used);

	host_cmdq_start(4);
	host_strtab_start();
	traps = host_count(PKVM_SMMU_TRAPS);
	hw_cmds = host_count(PKVM_SMMU_HW_CMDS);
	/* EL2 drops a hint, forwards a command, and replaces CMD_SYNC */
	host_cmd_put(T_PREFETCH_CONFIG, 0);
	host_cmd_put(T_TLBI_NH_ALL, 0);
	host_cmd_sync();
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_CMDS), 3);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_HW_CMDS), hw_cmds + 2);
	/* PROD, CONS */
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_TRAPS), traps + 2);

	/* Second-level tables come and go */
	host_put_ste(3, ste);
	host_cfgi_ste(3);
	most = pool->used;
	KUNIT_EXPECT_GT(test, most, used);
	KUNIT_EXPECT_EQ(test, most, mock->pool_used);
	host_writel(ARM_SMMU_CR0, 0);
	KUNIT_EXPECT_EQ(test, pool->used, used);
	KUNIT_EXPECT_EQ(test, pool->peak, most);

	/* The host may overwrite the counts, which changes nothing else */
	memset(host_shared(), 0xff, mock->config.shared.size);
	host_readl(ARM_SMMU_IDR0);
	KUNIT_EXPECT_EQ(test, host_count(PKVM_SMMU_TRAPS), 0);
}

static struct kunit_case mmio_cases[] = {
	KUNIT_CASE(mmio_everywhere),
	KUNIT_CASE(mmio_anything),
	KUNIT_CASE(mmio_halves),
	KUNIT_CASE(mmio_not_the_hosts),
	KUNIT_CASE(mmio_cr0),
	KUNIT_CASE(mmio_locked_while_enabled),
	KUNIT_CASE(mmio_irq_ctrl),
	KUNIT_CASE(mmio_gerror),
	KUNIT_CASE(mmio_denied),
	KUNIT_CASE(mmio_denied_at_once),
	KUNIT_CASE(mmio_stats),
	{}
};

static struct kunit_suite mmio_suite = {
	.name = "pkvm-smmu-mmio",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = mmio_cases,
};

kunit_test_suite(mmio_suite);
