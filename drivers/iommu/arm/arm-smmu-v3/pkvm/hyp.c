// SPDX-License-Identifier: GPL-2.0-only
/*
 * hyp.h at EL2: calls of the nVHE hypervisor's functions.
 */
#include <linux/kvm_host.h>

#include <asm/kvm_hypevents.h>
#include <asm/kvm_pkvm.h>

#include <nvhe/gfp.h>
#include <nvhe/iommu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>

#include "hyp.h"
#include "init.h"
#include "run.h"

static struct hyp_pool smmu_pool;

/* EL1 fills it in before the host loses its privileges */
struct pkvm_smmu_config pkvm_smmu_config;

/* The host can write to it: EL2 does not use the values */
static struct pkvm_smmu_pool_counts *smmu_pool_counts;
static DEFINE_HYP_SPINLOCK(smmu_pool_counts_lock);

bool hyp_incoherent;

#ifdef CONFIG_NVHE_EL2_DEBUG
DEFINE_PER_CPU(unsigned long, hyp_ranks);
#endif

void hyp_clean_to_memory(const void *va, size_t size)
{
	kvm_flush_dcache_to_poc(va, size);
}

/* EL2 has unmapped the pages by now, or never had them mapped */
void hyp_clean_ram(phys_addr_t start, phys_addr_t end)
{
	void *va;

	for (; start < end; start += PAGE_SIZE) {
		va = hyp_fixmap_map(start);
		kvm_flush_dcache_to_poc(va, PAGE_SIZE);
		hyp_fixmap_unmap();
	}
}

void hyp_trace(u8 what, phys_addr_t smmu, u64 arg0, u64 arg1)
{
	trace_iommu_report(what, smmu, arg0, arg1);
}

void hyp_mmio_provide(void *mem, size_t size)
{
	kvm_iommu_provide_mmio(mem, size / sizeof(struct kvm_iommu_mmio));
}

int hyp_mmio_take(phys_addr_t base, size_t size, void *cookie,
		  void __iomem **va)
{
	return kvm_iommu_take_mmio(base, size, cookie, va);
}

int hyp_mem_take(phys_addr_t base, size_t size, void **va)
{
	int ret;

	if (!size || !PAGE_ALIGNED(base | size))
		return -EINVAL;

	ret = __pkvm_host_donate_hyp(hyp_phys_to_pfn(base), size >> PAGE_SHIFT);
	if (ret)
		return ret;

	*va = hyp_phys_to_virt(base);
	memset(*va, 0, size);
	hyp_clean(*va, size);

	return 0;
}

void hyp_pool_count_in(struct pkvm_smmu_pool_counts *counts)
{
	smmu_pool_counts = counts;
}

static void count_pages(int all, int used)
{
	struct pkvm_smmu_pool_counts *counts = smmu_pool_counts;
	u64 now;

	hyp_spin_lock(&smmu_pool_counts_lock);
	now = READ_ONCE(counts->used) + used;
	WRITE_ONCE(counts->all, READ_ONCE(counts->all) + all);
	WRITE_ONCE(counts->used, now);
	WRITE_ONCE(counts->peak, max(READ_ONCE(counts->peak), now));
	hyp_spin_unlock(&smmu_pool_counts_lock);
}

int hyp_pool_add(phys_addr_t base, size_t size)
{
	u64 pfn = hyp_phys_to_pfn(base), end = pfn + (size >> PAGE_SHIFT);

	count_pages(size >> PAGE_SHIFT, 0);
	if (!smmu_pool.range_end)
		return hyp_pool_init(&smmu_pool, pfn, size >> PAGE_SHIFT, 0);

	/* The pool was initialised with another range: free each page to it */
	for (; pfn < end; pfn++) {
		struct hyp_page *page = hyp_phys_to_page(hyp_pfn_to_phys(pfn));

		hyp_set_page_refcounted(page);
		hyp_put_page(&smmu_pool, hyp_page_to_virt(page));
	}

	return 0;
}

void *hyp_pages_alloc(u8 order)
{
	void *va;

	/* The pool is not initialised */
	if (!smmu_pool.range_end)
		return NULL;

	va = hyp_alloc_pages(&smmu_pool, order);
	if (va) {
		count_pages(0, 1 << order);
		hyp_clean(va, PAGE_SIZE << order);
	}

	return va;
}

void *hyp_page_alloc(void)
{
	return hyp_pages_alloc(0);
}

void hyp_page_free(void *page)
{
	count_pages(0, -1);
	hyp_put_page(&smmu_pool, page);
}

/* The host may have unshared a page that is not pinned: ignore errors */
static void unshare(phys_addr_t from, phys_addr_t to)
{
	for (; from < to; from += PAGE_SIZE)
		__pkvm_host_unshare_hyp(hyp_phys_to_pfn(from));
}

int hyp_host_pin(phys_addr_t base, size_t size, void **va)
{
	phys_addr_t start = ALIGN_DOWN(base, PAGE_SIZE);
	phys_addr_t end = PAGE_ALIGN(base + size);
	phys_addr_t pa;
	int ret;

	hyp_ownership_begin();
	for (pa = start; pa < end; pa += PAGE_SIZE) {
		ret = __pkvm_host_share_hyp(hyp_phys_to_pfn(pa));
		if (ret)
			goto err_unshare;
	}

	ret = hyp_pin_shared_mem(hyp_phys_to_virt(start),
				 hyp_phys_to_virt(end));
	if (ret)
		goto err_unshare;

	hyp_ownership_end();
	*va = hyp_phys_to_virt(base);
	return 0;

err_unshare:
	unshare(start, pa);
	hyp_ownership_end();
	return ret;
}

void hyp_host_unpin(phys_addr_t base, size_t size)
{
	phys_addr_t start = ALIGN_DOWN(base, PAGE_SIZE);
	phys_addr_t end = PAGE_ALIGN(base + size);

	hyp_ownership_begin();
	hyp_unpin_shared_mem(hyp_phys_to_virt(start), hyp_phys_to_virt(end));
	unshare(start, end);
	hyp_ownership_end();
}

int hyp_host_copy(void *dst, phys_addr_t src, size_t size)
{
	int ret;

	hyp_ownership_begin();
	ret = kvm_iommu_copy_from_host(dst, src, size, !hyp_incoherent);
	hyp_ownership_end();

	return ret;
}

int hyp_host_put(phys_addr_t dst, u32 val)
{
	int ret;

	hyp_ownership_begin();
	ret = kvm_iommu_write_to_host(dst, val);
	hyp_ownership_end();

	return ret;
}

bool hyp_ram_region(unsigned int i, phys_addr_t *base, phys_addr_t *end)
{
	if (i >= hyp_memblock_nr)
		return false;

	*base = hyp_memory[i].base;
	*end = hyp_memory[i].base + hyp_memory[i].size;
	return true;
}

bool hyp_host_ram_next(phys_addr_t pa, phys_addr_t end, phys_addr_t *from,
		       phys_addr_t *to)
{
	return kvm_iommu_next_host_ram(pa, end, from, to);
}

bool hyp_mmio_next(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end)
{
	return kvm_iommu_next_mmio(pa, base, end);
}

static int init(void)
{
	return pkvm_smmu_init(&pkvm_smmu_config);
}

const struct kvm_iommu_ops pkvm_smmu_ops = {
	.init		= init,
	.pages_leave	= smmu_run_pages_leave,
	.pages_return	= smmu_run_pages_return,
	.page_is_reachable = smmu_run_page_is_reachable,
	.mmio_read	= smmu_run_read,
	.mmio_write	= smmu_run_write,
};
