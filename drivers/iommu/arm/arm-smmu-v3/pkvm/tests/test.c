// SPDX-License-Identifier: GPL-2.0-only
/*
 * See test.h.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "test.h"

struct fake_host fake_host;

static u64 seed;

u64 test_random(void)
{
	/* xorshift64 */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

int fake_test_init(struct kunit *test)
{
	seed = 0x9e3779b97f4a7c15ULL;
	memset(&fake_host, 0, sizeof(fake_host));
	return fake_init(FAKE_NR_PAGES);
}

void fake_test_exit(struct kunit *test)
{
	if (!fake)
		return;
	if (fake->complaint)
		KUNIT_FAIL(test, "%s", fake->complaint);
	if (fake->nr_held)
		KUNIT_FAIL(test, "a lock is still held");
	fake_exit();
}

void fake_test_again(struct kunit *test, unsigned int nr_pages)
{
	fake_test_exit(test);
	memset(&fake_host, 0, sizeof(fake_host));
	KUNIT_ASSERT_EQ(test, fake_init(nr_pages), 0);
}

void fake_test_boot(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, fake_boot(), 0);
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
	size_t off = (u8 *)fake_va(fake->config.shared.base) - fake->ram;

	return (void *)(fake->cache + off);
}

u64 host_count(enum pkvm_smmu_count what)
{
	return host_shared()->smmu[0].n[what];
}

void host_cmdq_start(u8 shift)
{
	fake_host.shift = shift;
	fake_host.prod = 0;
	fake_host.cmdq = fake_alloc(16ULL << shift, FAKE_HOST);
	host_writeq(ARM_SMMU_CMDQ_BASE, fake_host.cmdq | shift);
	host_writel(ARM_SMMU_CMDQ_PROD, 0);
	host_writel(ARM_SMMU_CMDQ_CONS, 0);
	host_writel(ARM_SMMU_CR0, host_readl(ARM_SMMU_CR0) | CR0_CMDQEN);
}

void host_cmd_put(u64 dword0, u64 dword1)
{
	u32 entries = 1U << fake_host.shift;
	phys_addr_t pa = fake_host.cmdq + (fake_host.prod & (entries - 1)) * 16ULL;

	fake_put(pa, dword0);
	fake_put(pa + 8, dword1);
	fake_host.prod = (fake_host.prod + 1) & (2 * entries - 1);
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
	host_writel(ARM_SMMU_CMDQ_PROD, fake_host.prod);
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
	return host_readl(ARM_SMMU_CMDQ_CONS) == fake_host.prod;
}

void host_strtab_start(void)
{
	bool two_level = SMMU0->smmu->strtab.two_level;
	u8 bits = fake->sid_bits;
	u32 cfg = bits;

	if (two_level) {
		fake_host.strtab = fake_alloc(8ULL << (bits - HOST_SPLIT), FAKE_HOST);
		fake_host.l2 = fake_alloc(64ULL << HOST_SPLIT, FAKE_HOST);
		fake_put(fake_host.strtab, fake_host.l2 | (HOST_SPLIT + 1));
		cfg |= 1 << 16 | HOST_SPLIT << 6;
	} else {
		fake_host.strtab = fake_alloc(64ULL << bits, FAKE_HOST);
		fake_host.l2 = fake_host.strtab;
	}

	host_writeq(ARM_SMMU_STRTAB_BASE, fake_host.strtab | STRTAB_BASE_RA);
	host_writel(ARM_SMMU_STRTAB_BASE_CFG, cfg);
	host_writel(ARM_SMMU_CR0, host_readl(ARM_SMMU_CR0) | CR0_SMMUEN);
	host_wait_cr0();
}

phys_addr_t host_ste(u32 sid)
{
	return fake_host.l2 + sid * 64ULL;
}

void host_put_ste(u32 sid, const u64 *dwords)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		fake_put(host_ste(sid) + i * 8, dwords[i]);
}

/* All tests, on a machine whose SMMUs do not snoop */
module_param_named(incoherent, fake_incoherent, bool, 0444);
MODULE_DESCRIPTION("Tests of DMA isolation for protected KVM");
MODULE_LICENSE("GPL");
