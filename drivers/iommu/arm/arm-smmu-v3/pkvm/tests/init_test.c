// SPDX-License-Identifier: GPL-2.0-only
/*
 * init.c: EL2 takes over every SMMU or none, and EL1 learns why.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "test.h"

/* GBPA as EL2 finds it */
#define FOUND_GBPA	MOCK_GBPA

/* Registers that the host's driver does not use */
#define REG_IDR2	0x08
#define REG_IDR4	0x10

/* Index of the first write that sets these bits of a register, or -1 */
static int first_write(const struct mock_smmu *s, u32 offset, u64 mask)
{
	unsigned int i;

	for (i = 0; i < s->nr_writes && i < MOCK_NR_WRITES; i++) {
		if (s->writes[i].offset == offset &&
		    (s->writes[i].val & mask) == mask)
			return i;
	}

	return -1;
}

/* Firmware, or a kernel before this one, may have left an SMMU like this */
static void leave_in_use(struct mock_smmu *s)
{
	phys_addr_t mem = mock_alloc(PAGE_SIZE, MOCK_HOST);
	u32 cr0 = CR0_SMMUEN | CR0_CMDQEN | CR0_EVTQEN | CR0_PRIQEN |
		  CR0_ATSCHK;

	mock_set_reg(s, ARM_SMMU_IDR0,
		     mock_reg(s, ARM_SMMU_IDR0) | IDR0_MSI | IDR0_PRI |
			     IDR0_HYP | IDR0_ATS);
	mock_set_reg(s, ARM_SMMU_STRTAB_BASE, mem);
	mock_set_reg(s, ARM_SMMU_STRTAB_BASE_CFG, 3);
	mock_set_reg(s, ARM_SMMU_CMDQ_BASE, mem | 4);
	mock_set_reg(s, ARM_SMMU_CMDQ_PROD, 0x13);
	mock_set_reg(s, ARM_SMMU_CMDQ_CONS, 0x13);
	mock_set_reg(s, ARM_SMMU_EVTQ_BASE, mem | 4);
	mock_set_reg(s, ARM_SMMU_GERROR_IRQ_CFG0, mem);
	mock_set_reg(s, ARM_SMMU_EVTQ_IRQ_CFG0, mem);
	mock_set_reg(s, ARM_SMMU_PRIQ_IRQ_CFG0, mem);
	mock_set_reg(s, ARM_SMMU_IRQ_CTRL, 7);
	mock_set_reg(s, ARM_SMMU_IRQ_CTRLACK, 7);
	mock_set_reg(s, ARM_SMMU_GERROR, T_GERROR_EVTQ_ABT | T_GERROR_CMDQ);
	mock_set_reg(s, ARM_SMMU_CR2, CR2_E2H);
	mock_set_reg(s, ARM_SMMU_CR0, cr0);
	mock_set_reg(s, ARM_SMMU_CR0ACK, cr0);
}

static bool aborts(const struct mock_smmu *s, const u64 *ste)
{
	return mock_ste_is_safe(s, ste) && !(ste[0] & T_STE_V);
}

static void expect_taken_over(struct kunit *test, struct mock_smmu *s)
{
	u32 cr0 = CR0_SMMUEN | CR0_CMDQEN;
	unsigned int i, cfgi = 0, tlbi = 0;
	u64 ste[STRTAB_STE_DWORDS];
	u32 sid;

	/* Requests that a device calls translated obey the STE, too */
	if (mock_reg(s, ARM_SMMU_IDR0) & IDR0_ATS)
		cr0 |= CR0_ATSCHK;
	KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_CR0), cr0);
	KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_CR0ACK), cr0);
	KUNIT_EXPECT_EQ(test, s->gbpa, FOUND_GBPA | GBPA_ABORT);
	KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_CR1),
			mock_incoherent ? T_CR1_NC_OSH : T_CR1_WB_ISH);
	KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_CR2), T_CR2);
	KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_IRQ_CTRL), 0);
	KUNIT_EXPECT_EQ(test, mock_reg64(s, ARM_SMMU_GERROR_IRQ_CFG0), 0ULL);
	KUNIT_EXPECT_EQ(test, mock_reg64(s, ARM_SMMU_EVTQ_IRQ_CFG0), 0ULL);
	KUNIT_EXPECT_EQ(test, mock_reg64(s, ARM_SMMU_PRIQ_IRQ_CFG0), 0ULL);
	KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_GERROR),
			mock_reg(s, ARM_SMMU_GERRORN));

	/* All streams abort, and the table covers those that the host sees */
	KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_STRTAB_BASE_CFG) & 0x3f,
			mock->sid_bits);
	for (sid = 0; sid < 1U << mock->sid_bits; sid++) {
		if (mock_ste(s, sid, ste))
			KUNIT_EXPECT_TRUE(test, aborts(s, ste));
	}

	/* At no time could anything pass */
	KUNIT_EXPECT_EQ(test, s->writes[0].offset, ARM_SMMU_GBPA);
	KUNIT_EXPECT_EQ(test, s->writes[0].val & GBPA_ABORT, GBPA_ABORT);
	KUNIT_EXPECT_EQ(test, s->writes[1].offset, ARM_SMMU_CR0);
	KUNIT_EXPECT_EQ(test, s->writes[1].val, 0);
	KUNIT_EXPECT_LT(test, first_write(s, ARM_SMMU_STRTAB_BASE, 0),
			first_write(s, ARM_SMMU_CR0, CR0_CMDQEN));
	KUNIT_EXPECT_EQ(test, first_write(s, ARM_SMMU_CR0, CR0_SMMUEN),
			(int)s->nr_writes - 1);
	/* EL2 invalidates everything before it enables the SMMU */
	for (i = 0; i < s->nr_runs; i++) {
		if (s->runs[i].cmd[0] == T_CFGI_RANGE &&
		    s->runs[i].cmd[1] == 31)
			cfgi++;
		tlbi += s->runs[i].cmd[0] == T_TLBI_NSNH_ALL;
	}
	KUNIT_EXPECT_EQ(test, cfgi, 1);
	KUNIT_EXPECT_EQ(test, tlbi, 1);
}

/* @how: bits for a second SMMU, linear tables, SMMUs in use, and slow ones */
static void take_over(struct kunit *test, unsigned int how)
{
	unsigned int i;

	mock_test_again(test, MOCK_NR_PAGES);
	mock->config.nr_smmus = how & 1 ? 2 : 1;
	if (how & 2)
		mock->sid_bits = 7;
	for (i = 0; i < mock->config.nr_smmus; i++) {
		struct mock_smmu *s = &mock->smmu[i];

		if (how & 2) {
			mock_change_reg(s, ARM_SMMU_IDR0, T_IDR0_ST_LEVEL, 0);
			mock_set_reg(s, ARM_SMMU_IDR1, T_IDR1(8, 8, 0, 7));
		}
		if (how & 4)
			leave_in_use(s);
		s->slow = how & 8;
	}
	mock_test_boot(test);
	for (i = 0; i < mock->config.nr_smmus; i++) {
		expect_taken_over(test, &mock->smmu[i]);
		KUNIT_EXPECT_EQ(test, mock->config.smmus[i].refusal,
				PKVM_SMMU_OK);
	}
}

static void init_take_over(struct kunit *test)
{
	unsigned int how;

	for (how = 0; how < 16; how++)
		take_over(test, how);
}

/* The host does not see errors from before take-over */
static void init_old_errors(struct kunit *test)
{
	leave_in_use(SMMU0);
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_GERROR),
			host_readl(ARM_SMMU_GERRORN));
}

/* What the host sees of an SMMU that has all features */
static void init_id_registers(struct kunit *test)
{
	mock_set_reg(SMMU0, ARM_SMMU_IDR0, 0x0d5fffff);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1,
		     T_IDR1(0x1f, 0x1f, 8, 12) | T_IDR1_PRIQS | 1U << 26);
	mock_set_reg(SMMU0, REG_IDR2, ~0U);
	mock_set_reg(SMMU0, ARM_SMMU_IDR3, ~0U);
	mock_set_reg(SMMU0, REG_IDR4, ~0U);
	mock_set_reg(SMMU0, ARM_SMMU_IDR5, 0xfffffff0 | 2);
	mock_set_reg(SMMU0, ARM_SMMU_IIDR, 0x12345678);
	mock_set_reg(SMMU0, ARM_SMMU_AIDR, 0x3);
	mock_test_boot(test);

	/*
	 * Hidden: S2P, BTM, DORMHINT, HYP, ATS, NS1ATS, MSI, SEV, ATOS, PRI,
	 * VMW, VMID16, VATOS. Kept: S1P, TTF, COHACC, HTTU, ASID16, CD2L,
	 * TTENDIAN, STALL_MODEL, TERM_MODEL, ST_LEVEL
	 */
	KUNIT_EXPECT_EQ(test,
			host_readl(ARM_SMMU_IDR0) |
				(mock_incoherent ? BIT(13) : 0),
			0x0d5fffff & ~0x0017cf21U);
	KUNIT_EXPECT_EQ(test,
			FIELD_GET(T_IDR1_SIDSIZE, host_readl(ARM_SMMU_IDR1)),
			12);
	KUNIT_EXPECT_EQ(test,
			FIELD_GET(T_IDR1_SSIDSIZE, host_readl(ARM_SMMU_IDR1)),
			8);
	KUNIT_EXPECT_EQ(test,
			FIELD_GET(T_IDR1_PRIQS, host_readl(ARM_SMMU_IDR1)), 0);
	KUNIT_EXPECT_EQ(test,
			FIELD_GET(T_IDR1_EVENTQS, host_readl(ARM_SMMU_IDR1)),
			12);
	KUNIT_EXPECT_EQ(test,
			FIELD_GET(T_IDR1_CMDQS, host_readl(ARM_SMMU_IDR1)), 10);
	/* Nothing is preset, and there are no more queues */
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR1) >> 28, 0);
	KUNIT_EXPECT_EQ(test, host_readl(REG_IDR2), 0);
	/* RIL, BBML, HAD and E0PD at most */
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR3) & ~0x3c04U, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR3) & 0x1400, 0x1400);
	KUNIT_EXPECT_EQ(test, host_readl(REG_IDR4), 0);
	/* OAS is the SMMU's, and DS is hidden */
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR5) & 0x7, 2);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR5) & 0x80, 0);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IIDR), 0x12345678);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_AIDR), 0x3);
}

/* The host sees of each SMMU the address bits that both have */
static void init_common_size(struct kunit *test)
{
	u64 *s2_ste;

	mock->config.nr_smmus = 2;
	mock_set_reg(&mock->smmu[0], ARM_SMMU_IDR5, T_IDR5(T_OAS_44));
	mock_set_reg(&mock->smmu[1], ARM_SMMU_IDR5, T_IDR5(T_OAS_36));
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR5) & 7, 1);
	s2_ste = SMMU0->smmu->feat.s2_ste;
	KUNIT_EXPECT_EQ(test, (s2_ste[0] >> 32) & 0x3f, 64 - 36);
	KUNIT_EXPECT_MEMEQ(test, s2_ste, mock->smmu[1].smmu->feat.s2_ste, 16);
}

/* With pages of 64K, the host and the stage 2 have 52 bits */
static void init_52_bits(struct kunit *test)
{
	u64 *s2_ste;

	if (PAGE_SHIFT != 16)
		return;

	mock_set_reg(&mock->smmu[0], ARM_SMMU_IDR5, T_IDR5(T_OAS_52));
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR5) & 7, 6);
	s2_ste = SMMU0->smmu->feat.s2_ste;
	KUNIT_EXPECT_EQ(test, (s2_ste[0] >> 32) & 0x3f, 64 - 52);
	KUNIT_EXPECT_EQ(test, (s2_ste[0] >> 48) & 7, 6);
}

/* If IDR0.ST_LEVEL says that there are 2-level tables, they work */
static void init_st_level(struct kunit *test)
{
	u8 bits;

	for (bits = PKVM_SMMU_STRTAB_SPLIT - 1;
	     bits < PKVM_SMMU_STRTAB_SPLIT + 2; bits++) {
		u64 ste[STRTAB_STE_DWORDS];
		phys_addr_t l1, l2;

		mock_test_again(test, MOCK_NR_PAGES);
		mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(8, 8, 0, bits));
		mock->sid_bits = bits;
		mock_test_boot(test);
		KUNIT_EXPECT_EQ(test, host_readl(ARM_SMMU_IDR1) & 0x3f, bits);
		if (!(host_readl(ARM_SMMU_IDR0) & T_IDR0_ST_LEVEL))
			continue;
		l1 = mock_alloc(PAGE_SIZE, MOCK_HOST);
		l2 = mock_alloc(PAGE_SIZE, MOCK_HOST);
		mock_put(l1, l2 | 7);
		mock_put(l2, STE_BYPASS0);
		host_writeq(ARM_SMMU_STRTAB_BASE, l1);
		host_writel(ARM_SMMU_STRTAB_BASE_CFG,
			    T_STRTAB_CFG(T_STRTAB_2LVL, 6, bits));
		host_writel(ARM_SMMU_CR0, CR0_SMMUEN);
		KUNIT_EXPECT_TRUE_MSG(test,
				      mock_ste(SMMU0, 0, ste) && (ste[0] & 1),
				      "%u bits", bits);
	}
}

/* EL2 refuses SMMU @which, and has written to none */
static void expect_refused(struct kunit *test, unsigned int which, u32 refusal)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, mock_boot(), -ENODEV);
	KUNIT_EXPECT_EQ(test, mock->config.smmus[which].refusal, refusal);
	for (i = 0; i < MOCK_NR_SMMUS; i++) {
		KUNIT_EXPECT_EQ(test, mock->smmu[i].nr_writes, 0);
		KUNIT_EXPECT_EQ(test, mock->smmu[i].gbpa, FOUND_GBPA);
	}
}

static void init_refusals(struct kunit *test)
{
	u32 gran = PAGE_SHIFT == 12 ? 0x10 : PAGE_SHIFT == 14 ? 0x20 : 0x40;
	const struct {
		u32	reg;
		u32	clear;
		u32	set;
		u32	refusal;
	} cases[] = {
		{ ARM_SMMU_IDR0, T_IDR0_S1P, 0, PKVM_SMMU_NO_STAGE1 },
		{ ARM_SMMU_IDR0, T_IDR0_S2P, 0, PKVM_SMMU_NO_STAGE2 },
		/* AArch32 only; big-endian only, and a reserved value */
		{ ARM_SMMU_IDR0, T_IDR0_TTF, T_IDR0_TTF_AARCH32,
		  PKVM_SMMU_FORMAT },
		{ ARM_SMMU_IDR0, 0, T_IDR0_TTENDIAN_BE, PKVM_SMMU_FORMAT },
		{ ARM_SMMU_IDR0, T_IDR0_TTENDIAN, T_IDR0_TTENDIAN_RES,
		  PKVM_SMMU_FORMAT },
		{ ARM_SMMU_IDR5, gran, 0, PKVM_SMMU_FORMAT },
		/* The SMMU would stall faults of stage 2 as well */
		{ ARM_SMMU_IDR0, T_IDR0_STALL_MODEL, T_IDR0_STALL_FORCE,
		  PKVM_SMMU_STALL_FORCE },
		{ ARM_SMMU_IDR1, 0, T_IDR1_TABLES_PRESET, PKVM_SMMU_PRESET },
		{ ARM_SMMU_IDR1, 0, T_IDR1_QUEUES_PRESET, PKVM_SMMU_PRESET },
		{ ARM_SMMU_IDR1, 0, T_IDR1_REL, PKVM_SMMU_PRESET },
		{ ARM_SMMU_IDR1, 0, T_IDR1_ECMDQ, PKVM_SMMU_EXTRA_QUEUES },
		/* Arm's MMU-600 before r2, and MMU-700 before r1p1 */
		{ ARM_SMMU_IIDR, 0, 0x4830043b, PKVM_SMMU_ERRATUM },
		{ ARM_SMMU_IIDR, 0, 0x4831243b, PKVM_SMMU_ERRATUM },
		{ ARM_SMMU_IIDR, 0, 0x4870143b, PKVM_SMMU_ERRATUM },
		{ ARM_SMMU_IIDR, 0, 0x4871043b, PKVM_SMMU_ERRATUM },
		/* Memory behind 4 GiB */
		{ ARM_SMMU_IDR5, T_IDR5_OAS, 0, PKVM_SMMU_OUTPUT_SIZE },
	};
	unsigned int i, which;

	for (i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		struct mock_smmu *s;

		which = i % 2;
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.nr_smmus = 2;
		mock->config.smmus[0].refusal = PKVM_SMMU_NOT_TRIED;
		mock->config.smmus[1].refusal = PKVM_SMMU_NOT_TRIED;
		s = &mock->smmu[which];
		mock_set_reg(s, cases[i / 2].reg,
			     (mock_reg(s, cases[i / 2].reg) &
			      ~cases[i / 2].clear) |
				     cases[i / 2].set);
		expect_refused(test, which, cases[i / 2].refusal);
		/* EL1 learns that EL2 did not write to the other SMMU */
		KUNIT_EXPECT_EQ(test, mock->config.smmus[!which].refusal,
				PKVM_SMMU_NOT_TRIED);
	}
}

static void init_good_revisions(struct kunit *test)
{
	static const u32 iidrs[] = {
		0x4832043b, 0x4871143b, 0x4830043a, 0x48a0043b, 0x4980043b, 0,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(iidrs); i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mock_set_reg(SMMU0, ARM_SMMU_IIDR, iidrs[i]);
		mock_test_boot(test);
	}
}

/* Tables of both endiannesses, and MSIs without a PRI queue */
static void init_good_features(struct kunit *test)
{
	u32 idr0 = mock_reg(SMMU0, ARM_SMMU_IDR0);

	leave_in_use(SMMU0);
	idr0 &= ~IDR0_TTENDIAN;
	mock_set_reg(SMMU0, ARM_SMMU_IDR0, idr0 | IDR0_MSI);
	mock_set_reg(SMMU0, ARM_SMMU_PRIQ_IRQ_CFG0, 0);
	mock_test_boot(test);
	expect_taken_over(test, SMMU0);
	KUNIT_EXPECT_LT(test, first_write(SMMU0, ARM_SMMU_PRIQ_IRQ_CFG0, 0), 0);
}

/* The linear stream table of SMMU 0 is two pages */
static void set_two_page_table(void)
{
	mock_change_reg(SMMU0, ARM_SMMU_IDR0, T_IDR0_ST_LEVEL, 0);
	mock_set_reg(SMMU0, ARM_SMMU_IDR1, T_IDR1(8, 8, 0, PAGE_SHIFT - 5));
}

/* EL1 describes MMIO that is not one SMMU's */
static void init_bad_mmio(struct kunit *test)
{
	struct pkvm_smmu_desc *desc;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		desc = mock->config.smmus;
		switch (i) {
		case 0:
			desc->mmio.base += SZ_64K;
			break;
		case 1:
			desc->mmio.size = SZ_64K;
			break;
		case 2:
			desc->mmio.base = mock_alloc(SZ_128K, MOCK_HOST);
			break;
		case 3:
			/* The same SMMU twice */
			mock->config.nr_smmus = 2;
			desc[1].mmio.base = desc[0].mmio.base;
			break;
		}
		expect_refused(test, i == 3, PKVM_SMMU_BAD_MMIO);
	}
}

/* Set one of the SMMU's two pieces of memory to something that can't be */
static void set_bad_mem(unsigned int i, phys_addr_t mem)
{
	struct pkvm_smmu_desc *desc = &mock->config.smmus[0];
	const size_t cmdq_size = max(PAGE_SIZE, SZ_16K);

	switch (i) {
	case 0:
		/* A linear table of two pages doesn't fit */
		set_two_page_table();
		desc->strtab = (struct pkvm_smmu_mem){ mem, PAGE_SIZE };
		break;
	case 1:
		desc->cmdq = (struct pkvm_smmu_mem){ mem, SZ_8K };
		break;
	case 2:
		/* 1024 commands need an alignment of 16K */
		desc->cmdq.size = 2 * cmdq_size;
		desc->cmdq.base = mem + SZ_4K;
		break;
	case 3:
		desc->strtab = (struct pkvm_smmu_mem){ mem + SZ_2K, PAGE_SIZE };
		break;
	case 4:
		desc->strtab = (struct pkvm_smmu_mem){ mem, PAGE_SIZE };
		mock_give(mem, PAGE_SIZE, MOCK_GUEST);
		break;
	case 5:
		desc->cmdq = (struct pkvm_smmu_mem){ 0, SZ_64K };
		break;
	case 6:
		/* The same memory for two purposes */
		desc->cmdq = (struct pkvm_smmu_mem){ mem, cmdq_size };
		desc->strtab = (struct pkvm_smmu_mem){ mem, PAGE_SIZE };
		break;
	}
}

static void init_bad_memory(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 7; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		set_bad_mem(i, mock_alloc(8 * max(PAGE_SIZE, SZ_16K),
					  MOCK_HOST));
		expect_refused(test, 0, PKVM_SMMU_NO_MEMORY);
	}
}

/* The pool, and the memory for counts, which all SMMUs share */
static void init_bad_shared_memory(struct kunit *test)
{
	struct pkvm_smmu_mem *pool, *shared;
	phys_addr_t mem;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mem = mock_alloc(8 * max(PAGE_SIZE, SZ_16K), MOCK_HOST);
		pool = &mock->config.pool[0];
		shared = &mock->config.shared;
		switch (i) {
		case 0:
			*pool = (struct pkvm_smmu_mem){ mem, PAGE_SIZE };
			break;
		case 1:
			*pool = (struct pkvm_smmu_mem){ mem, PAGE_SIZE };
			mock_give(mem, PAGE_SIZE, MOCK_EL2);
			break;
		case 2:
			mock->pool_left = 0;
			break;
		case 3:
			*shared = (struct pkvm_smmu_mem){ mem, 64 };
			break;
		case 4:
			*shared = (struct pkvm_smmu_mem){ mem + 8, SZ_16K };
			break;
		case 5:
			*shared = (struct pkvm_smmu_mem){ mem, SZ_16K };
			mock_give(mem, PAGE_SIZE, MOCK_EL2);
			break;
		}
		expect_refused(test, 0, PKVM_SMMU_NO_MEMORY);
	}
}

/* Memory that grows with the machine: the first two become EL2's */
#define NR_STATE_MEMS	5

static struct pkvm_smmu_mem *state_mem(unsigned int i)
{
	struct pkvm_smmu_mem *mems[NR_STATE_MEMS] = {
		&mock->config.state,
		&mock->config.mmio,
		&mock->config.shared,
		&mock->config.chunks,
		&mock->config.descs,
	};

	return mems[i];
}

static void expect_bad_state_mem(struct kunit *test, unsigned int i)
{
	/* Without the descriptions, EL2 has no place for its answer */
	if (state_mem(i) == &mock->config.descs)
		KUNIT_EXPECT_LT(test, mock_boot(), 0);
	else
		expect_refused(test, 0, PKVM_SMMU_NO_MEMORY);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_writes, 0);
}

static void init_bad_state_memory(struct kunit *test)
{
	struct pkvm_smmu_mem *mem;
	unsigned int i;

	for (i = 0; i < 3 * NR_STATE_MEMS; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		mem = state_mem(i / 3);
		mem->base = mock_alloc(2 * PAGE_SIZE, MOCK_HOST);
		mem->size = PAGE_SIZE;
		if (i % 3 == 0)
			mem->base += 8;
		else if (i % 3 == 1)
			mem->size = PAGE_SIZE / 2;
		else
			mock_give(mem->base, PAGE_SIZE, MOCK_EL2);
		expect_bad_state_mem(test, i / 3);
	}
}

static void init_no_smmus(struct kunit *test)
{
	mock->config.nr_smmus = 0;
	KUNIT_EXPECT_LT(test, mock_boot(), 0);
}

static void again_with_all(struct kunit *test)
{
	mock_nr_smmus = MOCK_MAX_SMMUS;
	mock_test_again(test, 16 * MOCK_NR_PAGES);
	mock_nr_smmus = MOCK_NR_SMMUS;
	mock->config.nr_smmus = MOCK_MAX_SMMUS;
}

static void set_many_chunks(void)
{
	unsigned int i;

	mock->config.nr_chunks = MOCK_MAX_CHUNKS;
	for (i = 0; i < MOCK_MAX_CHUNKS; i++) {
		mock->config.pool[i].size = PAGE_SIZE;
		mock->config.pool[i].base = mock_alloc(PAGE_SIZE, MOCK_HOST);
	}
}

/* The last of many elements is beyond the memory that EL1 names */
static void init_no_room(struct kunit *test)
{
	const size_t needs[NR_STATE_MEMS] = {
		sizeof(struct pkvm_smmu) * MOCK_MAX_SMMUS,
		(MOCK_MAX_SMMUS - 1) * MOCK_MMIO_KEPT,
		sizeof(struct pkvm_smmu_shared) +
			sizeof(struct pkvm_smmu_counts) * MOCK_MAX_SMMUS,
		sizeof(struct pkvm_smmu_mem) * MOCK_MAX_CHUNKS,
		sizeof(struct pkvm_smmu_desc) * MOCK_MAX_SMMUS,
	};
	struct pkvm_smmu_mem *mem;
	unsigned int i;

	for (i = 0; i < NR_STATE_MEMS; i++) {
		if (needs[i] <= PAGE_SIZE)
			continue;
		again_with_all(test);
		set_many_chunks();
		mem = state_mem(i);
		mem->size = ALIGN_DOWN(needs[i] - 1, PAGE_SIZE);
		mem->base = mock_alloc(needs[i], MOCK_HOST);
		expect_bad_state_mem(test, i);
	}
}

/* EL2 takes all of many SMMUs, and each has registers and counts of its own */
static void init_many_smmus(struct kunit *test)
{
	phys_addr_t page;
	unsigned int i;

	again_with_all(test);
	page = mock_alloc(PAGE_SIZE, MOCK_HOST);
	mock_test_boot(test);
	KUNIT_ASSERT_EQ(test, pkvm_nr_smmus, MOCK_MAX_SMMUS);
	for (i = 0; i < MOCK_MAX_SMMUS; i++) {
		struct mock_smmu *s = &mock->smmu[i];

		KUNIT_EXPECT_EQ(test, mock_reg(s, ARM_SMMU_CR0ACK),
				CR0_SMMUEN | CR0_CMDQEN);
		KUNIT_EXPECT_TRUE(test, s->smmu == &pkvm_smmus[i]);
		KUNIT_EXPECT_TRUE(test, s->smmu->counts ==
					&host_shared()->smmu[i]);
		smmu_tlbi_note_ste(s->smmu, STE_BYPASS0);
		s->nr_runs = 0;
	}
	KUNIT_EXPECT_EQ(test, mock_leave(page, PAGE_SIZE), 0);
	for (i = 0; i < MOCK_MAX_SMMUS; i++)
		KUNIT_EXPECT_GT(test, mock->smmu[i].nr_runs, 0);
}

/* A linear table of two pages must be aligned to its size */
static void init_misaligned_table(struct kunit *test)
{
	struct pkvm_smmu_mem *strtab = &mock->config.smmus[0].strtab;

	set_two_page_table();
	strtab->size = 3 * PAGE_SIZE;
	strtab->base = mock_alloc(4 * PAGE_SIZE, MOCK_HOST) + PAGE_SIZE;
	expect_refused(test, 0, PKVM_SMMU_NO_MEMORY);
}

/* The pool may have any number of pieces */
static void init_pool_chunks(struct kunit *test)
{
	unsigned int i;

	mock_test_again(test, 4 * MOCK_NR_PAGES);
	set_many_chunks();
	mock_test_boot(test);
	KUNIT_EXPECT_EQ(test, mock->pool_pages, MOCK_MAX_CHUNKS);
	for (i = 0; i < MOCK_MAX_CHUNKS; i++)
		KUNIT_EXPECT_EQ(test,
				mock_page(mock->config.pool[i].base)->owner,
				MOCK_EL2);
}

/*
 * An SMMU stops answering at some moment of take-over. EL2 gives up. EL1 learns
 * which SMMUs EL2 has written to.
 */
static void init_no_answer(struct kunit *test)
{
	unsigned int steps, i, which;

	mock->config.nr_smmus = 2;
	leave_in_use(SMMU0);
	mock_test_boot(test);
	steps = SMMU0->nr_writes;
	KUNIT_ASSERT_GT(test, steps, 10);

	for (i = 0; i < 2 * steps; i++) {
		struct mock_smmu *bad, *good;

		which = i % 2;
		mock_test_again(test, MOCK_NR_PAGES);
		mock->config.nr_smmus = 2;
		mock->config.smmus[0].refusal = PKVM_SMMU_NOT_TRIED;
		mock->config.smmus[1].refusal = PKVM_SMMU_NOT_TRIED;
		bad = &mock->smmu[which];
		good = &mock->smmu[!which];
		leave_in_use(bad);
		if (i / 2)
			bad->dies_after = i / 2;
		else
			bad->stuck = true;
		KUNIT_EXPECT_EQ_MSG(test, mock_boot(), -EIO, "after %u writes",
				    i / 2);
		KUNIT_EXPECT_EQ(test, mock->config.smmus[which].refusal,
				PKVM_SMMU_NO_ANSWER);
		if (which) {
			/* EL1 has to restore GBPA */
			KUNIT_EXPECT_EQ(test, mock->config.smmus[0].refusal,
					PKVM_SMMU_OK);
			KUNIT_EXPECT_EQ(test, mock->config.smmus[0].found_gbpa,
					FOUND_GBPA);
			KUNIT_EXPECT_EQ(test, good->gbpa,
					FOUND_GBPA | GBPA_ABORT);
		} else {
			KUNIT_EXPECT_EQ(test, mock->config.smmus[1].refusal,
					PKVM_SMMU_NOT_TRIED);
			KUNIT_EXPECT_EQ(test, good->nr_writes, 0);
		}
	}
}

/* An Update of CR0 or IRQ_CTRL is under way at take-over. See mock.c */
static void init_pending(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		mock_test_again(test, MOCK_NR_PAGES);
		leave_in_use(SMMU0);
		mock_set_reg(SMMU0,
			     i & 1 ? ARM_SMMU_CR0ACK : ARM_SMMU_IRQ_CTRLACK, 0);
		SMMU0->slow = true;
		SMMU0->stuck = i & 2;
		KUNIT_EXPECT_EQ(test, mock_boot(), i & 2 ? -EIO : 0);
	}
}

static struct kunit_case init_cases[] = {
	KUNIT_CASE(init_take_over),
	KUNIT_CASE(init_old_errors),
	KUNIT_CASE(init_id_registers),
	KUNIT_CASE(init_common_size),
	KUNIT_CASE(init_52_bits),
	KUNIT_CASE(init_st_level),
	KUNIT_CASE(init_refusals),
	KUNIT_CASE(init_good_revisions),
	KUNIT_CASE(init_good_features),
	KUNIT_CASE(init_bad_mmio),
	KUNIT_CASE(init_bad_memory),
	KUNIT_CASE(init_bad_shared_memory),
	KUNIT_CASE(init_bad_state_memory),
	KUNIT_CASE(init_no_smmus),
	KUNIT_CASE(init_no_room),
	KUNIT_CASE(init_many_smmus),
	KUNIT_CASE(init_misaligned_table),
	KUNIT_CASE(init_pool_chunks),
	KUNIT_CASE(init_no_answer),
	KUNIT_CASE(init_pending),
	{}
};

static struct kunit_suite init_suite = {
	.name = "pkvm-smmu-init",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = init_cases,
};

kunit_test_suite(init_suite);
