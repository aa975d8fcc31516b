// SPDX-License-Identifier: GPL-2.0-only
/*
 * See test.h.
 */
#include <linux/align.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "test.h"

struct mock_host mock_host;
struct smmu_s2 test_s2;
u64 test_s2_ste[2];
bool test_s2_blocks;

static u64 seed;

u64 test_random(void)
{
	/* xorshift64 */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

int mock_test_init(struct kunit *test)
{
	seed = 0x9e3779b97f4a7c15ULL;
	memset(&mock_host, 0, sizeof(mock_host));
	return mock_init(MOCK_NR_PAGES);
}

void mock_test_exit(struct kunit *test)
{
	if (!mock)
		return;
	if (mock->complaint)
		KUNIT_FAIL(test, "%s", mock->complaint);
	if (mock->nr_held)
		KUNIT_FAIL(test, "a lock is still held");
	mock_exit();
}

void mock_test_again(struct kunit *test, unsigned int nr_pages)
{
	mock_test_exit(test);
	memset(&mock_host, 0, sizeof(mock_host));
	KUNIT_ASSERT_EQ(test, mock_init(nr_pages), 0);
}

void mock_test_boot(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, mock_boot(), 0);
}

void mock_test_boot_cached(struct kunit *test)
{
	unsigned int i;

	mock_test_boot(test);
	for (i = 0; i < mock->config.nr_smmus; i++)
		smmu_tlbi_note_ste(mock->smmu[i].smmu, T_STE_NESTED);
	SMMU0->nr_runs = 0;
}

bool mock_test_boot_msis(struct kunit *test)
{
	mock_test_again(test, MOCK_NR_PAGES);
	mock_change_reg(SMMU0, ARM_SMMU_IDR0, 0, T_IDR0_MSI);
	mock_test_boot(test);

	return host_readl(ARM_SMMU_IDR0) & T_IDR0_MSI;
}

unsigned int mock_count_runs(u8 opcode)
{
	unsigned int i, n = 0;

	for (i = 0; i < SMMU0->nr_runs && i < MOCK_NR_RUNS; i++)
		n += T_OP(SMMU0->runs[i].cmd) == opcode;

	return n;
}

unsigned int mock_count_pins(phys_addr_t pa, size_t size)
{
	phys_addr_t end = pa + size;
	unsigned int n = 0;

	for (pa = ALIGN_DOWN(pa, PAGE_SIZE); pa < end; pa += PAGE_SIZE)
		n += mock_page(pa) && mock_page(pa)->pins;

	return n;
}

bool mock_is_mapped(const struct mock_smmu *s, phys_addr_t pa)
{
	struct mock_leaf leaf;

	return mock_s2_walk(s->smmu->feat.s2_ste, pa, &leaf) && leaf.pa == pa;
}

s8 mock_s2_level(const u64 *s2, phys_addr_t pa)
{
	struct mock_leaf leaf = {};

	return mock_s2_walk(s2, pa, &leaf) ? leaf.level : -1;
}

int mock_hw_config(u32 sid)
{
	u64 ste[STRTAB_STE_DWORDS];

	if (!mock_ste(SMMU0, sid, ste) || !(ste[0] & T_STE_V))
		return -1;

	return HW_CONFIG(ste[0]);
}

int mock_leave(phys_addr_t pa, size_t size)
{
	int ret;

	mock_own_lock();
	ret = smmu_run_pages_leave(pa, pa + size);
	mock_own_unlock();

	return ret;
}

void mock_return(phys_addr_t pa, size_t size)
{
	mock_own_lock();
	smmu_run_pages_return(pa, pa + size);
	mock_own_unlock();
}

u32 host_readl(u32 offset)
{
	return smmu_mmio_read(SMMU0->smmu, offset, 4);
}

u64 host_readq(u32 offset)
{
	return smmu_mmio_read(SMMU0->smmu, offset, 8);
}

void host_writel(u32 offset, u32 val)
{
	smmu_mmio_write(SMMU0->smmu, offset, 4, val);
	smmu_check(SMMU0->smmu);
}

void host_writeq(u32 offset, u64 val)
{
	smmu_mmio_write(SMMU0->smmu, offset, 8, val);
	smmu_check(SMMU0->smmu);
}

struct pkvm_smmu_shared *host_shared(void)
{
	size_t off = (u8 *)mock_va(mock->config.shared.base) - mock->ram;

	return (void *)(mock->cache + off);
}

u64 host_count(enum pkvm_smmu_count what)
{
	return host_shared()->smmu[0].n[what];
}

void host_cmdq_start(u8 shift)
{
	mock_host.shift = shift;
	mock_host.prod = 0;
	mock_host.cmdq = mock_alloc(16ULL << shift, MOCK_HOST);
	host_writeq(ARM_SMMU_CMDQ_BASE, mock_host.cmdq | shift);
	host_writel(ARM_SMMU_CMDQ_PROD, 0);
	host_writel(ARM_SMMU_CMDQ_CONS, 0);
	host_writel(ARM_SMMU_CR0, host_readl(ARM_SMMU_CR0) | CR0_CMDQEN);
}

void host_set_queue(u32 reg, u64 base, u32 enable)
{
	host_writel(ARM_SMMU_CR0, 0);
	host_writeq(reg, base);
	host_writel(ARM_SMMU_CR0, enable);
}

void host_cmd_put(u64 dword0, u64 dword1)
{
	u32 entries = 1U << mock_host.shift;
	phys_addr_t pa =
		mock_host.cmdq + (mock_host.prod & (entries - 1)) * 16ULL;

	mock_put(pa, dword0);
	mock_put(pa + 8, dword1);
	mock_host.prod = (mock_host.prod + 1) & (2 * entries - 1);
}

bool host_wait_cr0(void)
{
	unsigned int i;

	for (i = 0; i < HOST_PATIENCE; i++) {
		if (host_readl(ARM_SMMU_CR0ACK) == host_readl(ARM_SMMU_CR0))
			return true;
		hyp_relax();
	}

	return false;
}

void host_tell(void)
{
	host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
}

void host_cmd(u64 dword0, u64 dword1)
{
	unsigned int i;

	host_cmd_put(dword0, dword1);
	host_tell();
	for (i = 0; i < HOST_PATIENCE && !host_cmdq_is_empty(); i++)
		;
}

void host_put_sync(void)
{
	host_cmd_put(T_CMD_SYNC, 0);
}

void host_put_cfgi_ste(u32 sid)
{
	host_cmd_put(T_CFGI_STE | T_SID(sid), T_CMD_LEAF);
}

void host_put_cfgi_all(void)
{
	host_cmd_put(T_CFGI_RANGE, T_ALL_SIDS);
}

void host_cmd_sync(void)
{
	host_cmd(T_CMD_SYNC, 0);
}

void host_cfgi_ste(u32 sid)
{
	host_put_cfgi_ste(sid);
	host_cmd_sync();
}

void host_cfgi_all(void)
{
	host_put_cfgi_all();
	host_cmd_sync();
}

bool host_cmdq_is_empty(void)
{
	return host_readl(ARM_SMMU_CMDQ_CONS) == mock_host.prod;
}

/* Both halves of the address depend on @n */
u64 host_tlbi_va(unsigned int n)
{
	return 0x100001000ULL * n;
}

void host_put_tlbi(unsigned int n)
{
	host_cmd_put(T_TLBI_NH_VA | T_ASID(1), host_tlbi_va(n));
}

void expect_tlbis(struct kunit *test, unsigned int nr)
{
	unsigned int i, n = 0;

	for (i = 0; i < SMMU0->nr_runs && i < MOCK_NR_RUNS; i++) {
		const u64 *cmd = SMMU0->runs[i].cmd;

		if (T_OP(cmd) != T_TLBI_NH_VA)
			continue;
		KUNIT_EXPECT_EQ(test, cmd[0], T_TLBI_NH_VA | T_ASID(1));
		KUNIT_EXPECT_EQ(test, cmd[1], host_tlbi_va(n));
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, nr);
}

u32 host_gerror(void)
{
	return host_readl(ARM_SMMU_GERROR) ^ host_readl(ARM_SMMU_GERRORN);
}

bool host_cmdq_error(void)
{
	return host_gerror() & T_GERROR_CMDQ;
}

void host_ack_gerror(void)
{
	host_writel(ARM_SMMU_GERRORN, host_readl(ARM_SMMU_GERROR));
}

void host_strtab_make(void)
{
	bool two_level = SMMU0->smmu->strtab.two_level;
	u8 bits = mock->sid_bits;
	u32 cfg = T_STRTAB_CFG(0, 0, bits);

	if (two_level) {
		mock_host.strtab =
			mock_alloc(8ULL << (bits - HOST_SPLIT), MOCK_HOST);
		mock_host.l2 = mock_alloc(64ULL << HOST_SPLIT, MOCK_HOST);
		mock_put(mock_host.strtab, mock_host.l2 | (HOST_SPLIT + 1));
		cfg = T_STRTAB_CFG(T_STRTAB_2LVL, HOST_SPLIT, bits);
	} else {
		mock_host.strtab = mock_alloc(64ULL << bits, MOCK_HOST);
		mock_host.l2 = mock_host.strtab;
	}

	host_writeq(ARM_SMMU_STRTAB_BASE, mock_host.strtab | STRTAB_BASE_RA);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, cfg);
}

void host_strtab_start(void)
{
	host_strtab_make();
	host_writel(ARM_SMMU_CR0, host_readl(ARM_SMMU_CR0) | CR0_SMMUEN);
	host_wait_cr0();
}

void host_set_strtab(phys_addr_t base, u32 fmt, u32 split, u32 bits)
{
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN);
	host_writeq(ARM_SMMU_STRTAB_BASE, base);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, T_STRTAB_CFG(fmt, split, bits));
	host_writel(ARM_SMMU_CR0, CR0_CMDQEN | CR0_SMMUEN);
	host_wait_cr0();
}

phys_addr_t host_ste(u32 sid)
{
	return mock_host.l2 + sid * 64ULL;
}

void host_put_ste(u32 sid, const u64 *dwords)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		mock_put(host_ste(sid) + i * 8, dwords[i]);
}

void expect_config(struct kunit *test, u32 sid, int config)
{
	KUNIT_EXPECT_EQ_MSG(test, mock_hw_config(sid), config, "stream %u",
			    sid);
}

void s2_expect_page(struct kunit *test, phys_addr_t pa, u64 attr)
{
	struct mock_leaf leaf = {};
	bool mapped = mock_s2_walk(test_s2_ste, pa, &leaf);

	KUNIT_EXPECT_EQ_MSG(test, mapped, !!attr, "%llx",
			    (unsigned long long)pa);
	if (!mapped || !attr)
		return;
	KUNIT_EXPECT_EQ(test, leaf.pa, pa);
	KUNIT_EXPECT_EQ_MSG(test, leaf.desc & S2_LEAF_ATTR & ~2ULL, attr,
			    "%llx", (unsigned long long)pa);
	/* Without blocks, RAM is mapped in pages */
	if (attr == S2_LEAF_RAM && !test_s2_blocks)
		KUNIT_EXPECT_EQ(test, leaf.level, 3);
	/* XN, the contiguous hint and software bits are 0 */
	KUNIT_EXPECT_EQ(test, leaf.desc & ~(GENMASK_ULL(47, 12) | S2_LEAF_ATTR),
			0ULL);
}

void s2_expect_range(struct kunit *test, phys_addr_t base, unsigned int pages,
		     phys_addr_t gone, unsigned int nr_gone)
{
	unsigned int i;

	for (i = 0; i < pages; i++) {
		phys_addr_t pa = base + i * PAGE_SIZE;

		s2_expect_page(test, pa,
			       pa - gone < nr_gone * PAGE_SIZE ? 0 :
								 S2_LEAF_RAM);
	}
}

/* Run all tests on a machine whose SMMUs do not snoop */
module_param_named(incoherent, mock_incoherent, bool, 0444);
MODULE_DESCRIPTION("Tests of DMA isolation for protected KVM");
MODULE_LICENSE("GPL");
