// SPDX-License-Identifier: GPL-2.0-only
/*
 * See test.h.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "test.h"

struct mock_host mock_host;

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

void host_cmd_put(u64 dword0, u64 dword1)
{
	u32 entries = 1U << mock_host.shift;
	phys_addr_t pa = mock_host.cmdq + (mock_host.prod & (entries - 1)) * 16ULL;

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

void host_cmd(u64 dword0, u64 dword1)
{
	unsigned int i;

	host_cmd_put(dword0, dword1);
	host_writel(ARM_SMMU_CMDQ_PROD, mock_host.prod);
	for (i = 0; i < HOST_PATIENCE && !host_cmdq_is_empty(); i++)
		;
}

void host_cmd_sync(void)
{
	host_cmd(0x46, 0);
}

void host_cfgi_ste(u32 sid)
{
	host_cmd_put(0x3 | (u64)sid << 32, 1);
	host_cmd_sync();
}

void host_cfgi_all(void)
{
	host_cmd_put(0x4, 31);
	host_cmd_sync();
}

bool host_cmdq_is_empty(void)
{
	return host_readl(ARM_SMMU_CMDQ_CONS) == mock_host.prod;
}

void host_strtab_start(void)
{
	bool two_level = SMMU0->smmu->strtab.two_level;
	u8 bits = mock->sid_bits;
	u32 cfg = bits;

	if (two_level) {
		mock_host.strtab = mock_alloc(8ULL << (bits - HOST_SPLIT), MOCK_HOST);
		mock_host.l2 = mock_alloc(64ULL << HOST_SPLIT, MOCK_HOST);
		mock_put(mock_host.strtab, mock_host.l2 | (HOST_SPLIT + 1));
		cfg |= 1 << 16 | HOST_SPLIT << 6;
	} else {
		mock_host.strtab = mock_alloc(64ULL << bits, MOCK_HOST);
		mock_host.l2 = mock_host.strtab;
	}

	host_writeq(ARM_SMMU_STRTAB_BASE, mock_host.strtab | STRTAB_BASE_RA);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, cfg);
	host_writel(ARM_SMMU_CR0, host_readl(ARM_SMMU_CR0) | CR0_SMMUEN);
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

/* All tests, on a machine whose SMMUs do not snoop */
module_param_named(incoherent, mock_incoherent, bool, 0444);
MODULE_DESCRIPTION("Tests of DMA isolation for protected KVM");
MODULE_LICENSE("GPL");
