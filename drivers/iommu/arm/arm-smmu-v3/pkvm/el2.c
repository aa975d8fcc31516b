// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator as the hypervisor's IOMMU driver: from void pointers to types.
 */
#include <nvhe/iommu.h>

#include "smmu.h"

/* Filled in by EL1 before it loses its privileges */
struct pkvm_smmu_config pkvm_smmu_config;

static int el2_init(void)
{
	BUILD_BUG_ON(KVM_IOMMU_MAX_MMIO < PKVM_SMMU_MAX_DEVICES);

	return pkvm_smmu_init(&pkvm_smmu_config);
}

static int el2_host_unmap(phys_addr_t start, phys_addr_t end)
{
	int ret;

	hal_ownership_begin();
	ret = pkvm_smmu_host_unmap(start, end);
	hal_ownership_end();

	return ret;
}

static void el2_host_map(phys_addr_t start, phys_addr_t end)
{
	hal_ownership_begin();
	pkvm_smmu_host_map(start, end);
	hal_ownership_end();
}

static u64 el2_mmio_read(void *cookie, u32 offset, unsigned int size)
{
	u64 val = smmu_mmio_read(cookie, offset, size);

	if (IS_ENABLED(CONFIG_NVHE_EL2_DEBUG))
		smmu_check(cookie);

	return val;
}

static void el2_mmio_write(void *cookie, u32 offset, unsigned int size, u64 val)
{
	smmu_mmio_write(cookie, offset, size, val);
	if (IS_ENABLED(CONFIG_NVHE_EL2_DEBUG))
		smmu_check(cookie);
}

const struct kvm_iommu_ops pkvm_smmu_ops = {
	.init		= el2_init,
	.host_unmap	= el2_host_unmap,
	.host_map	= el2_host_map,
	.mmio_read	= el2_mmio_read,
	.mmio_write	= el2_mmio_write,
};
