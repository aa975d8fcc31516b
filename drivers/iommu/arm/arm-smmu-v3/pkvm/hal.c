// SPDX-License-Identifier: GPL-2.0-only
/*
 * hal.h at EL2, on what the nVHE hypervisor offers.
 */
#include <linux/kvm_host.h>

#include <asm/kvm_hypevents.h>
#include <asm/kvm_pkvm.h>

#include <nvhe/gfp.h>
#include <nvhe/iommu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>

#include "config.h"
#include "hal.h"

static struct hyp_pool smmu_pool;

/* The host can write to it, so nothing depends on what is there */
static struct pkvm_smmu_pool_counts *smmu_pool_counts;
static DEFINE_HYP_SPINLOCK(smmu_pool_counts_lock);

bool hal_incoherent;

#ifdef CONFIG_NVHE_EL2_DEBUG
DEFINE_PER_CPU(unsigned long, hal_ranks);
#endif

void hal_clean_to_memory(const void *va, size_t size)
{
	kvm_flush_dcache_to_poc(va, size);
}

/* EL2 has unmapped them by now, or never had them mapped */
void hal_clean_ram(phys_addr_t start, phys_addr_t end)
{
	void *va;

	for (; start < end; start += PAGE_SIZE) {
		va = hyp_fixmap_map(start);
		kvm_flush_dcache_to_poc(va, PAGE_SIZE);
		hyp_fixmap_unmap();
	}
}

void hal_trace(u8 what, phys_addr_t smmu, u64 arg0, u64 arg1)
{
	trace_iommu_report(what, smmu, arg0, arg1);
}

int hal_mmio_take(phys_addr_t base, size_t size, void *cookie, void __iomem **va)
{
	return kvm_iommu_take_mmio(base, size, cookie, va);
}

int hal_mem_take(phys_addr_t base, size_t size, void **va)
{
	int ret;

	if (!size || !PAGE_ALIGNED(base | size))
		return -EINVAL;

	ret = __pkvm_host_donate_hyp(hyp_phys_to_pfn(base), size >> PAGE_SHIFT);
	if (ret)
		return ret;

	*va = hyp_phys_to_virt(base);
	memset(*va, 0, size);
	hal_clean(*va, size);

	return 0;
}

void hal_pool_count_in(struct pkvm_smmu_pool_counts *counts)
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

int hal_pool_add(phys_addr_t base, size_t size)
{
	u64 pfn = hyp_phys_to_pfn(base), end = pfn + (size >> PAGE_SHIFT);

	count_pages(size >> PAGE_SHIFT, 0);
	if (!smmu_pool.range_end)
		return hyp_pool_init(&smmu_pool, pfn, size >> PAGE_SHIFT, 0);

	/* Pages from elsewhere join one by one */
	for (; pfn < end; pfn++) {
		struct hyp_page *page = hyp_phys_to_page(hyp_pfn_to_phys(pfn));

		hyp_set_page_refcounted(page);
		hyp_put_page(&smmu_pool, hyp_page_to_virt(page));
	}

	return 0;
}

void *hal_pages_alloc(u8 order)
{
	void *va;

	/* Not filled yet, or for good */
	if (!smmu_pool.range_end)
		return NULL;

	va = hyp_alloc_pages(&smmu_pool, order);
	if (va) {
		count_pages(0, 1 << order);
		hal_clean(va, PAGE_SIZE << order);
	}

	return va;
}

void *hal_page_alloc(void)
{
	return hal_pages_alloc(0);
}

void hal_page_free(void *page)
{
	count_pages(0, -1);
	hyp_put_page(&smmu_pool, page);
}

/* The host may do this as well, at any time that a page isn't pinned */
static void unshare(phys_addr_t from, phys_addr_t to)
{
	for (; from < to; from += PAGE_SIZE)
		__pkvm_host_unshare_hyp(hyp_phys_to_pfn(from));
}

int hal_host_pin(phys_addr_t base, size_t size, void **va)
{
	phys_addr_t start = ALIGN_DOWN(base, PAGE_SIZE), end = PAGE_ALIGN(base + size);
	phys_addr_t pa;
	int ret;

	hal_ownership_begin();
	for (pa = start; pa < end; pa += PAGE_SIZE) {
		ret = __pkvm_host_share_hyp(hyp_phys_to_pfn(pa));
		if (ret)
			goto err_unshare;
	}

	ret = hyp_pin_shared_mem(hyp_phys_to_virt(start), hyp_phys_to_virt(end));
	if (ret)
		goto err_unshare;

	hal_ownership_end();
	*va = hyp_phys_to_virt(base);
	return 0;

err_unshare:
	unshare(start, pa);
	hal_ownership_end();
	return ret;
}

void hal_host_unpin(phys_addr_t base, size_t size)
{
	phys_addr_t start = ALIGN_DOWN(base, PAGE_SIZE), end = PAGE_ALIGN(base + size);

	hal_ownership_begin();
	hyp_unpin_shared_mem(hyp_phys_to_virt(start), hyp_phys_to_virt(end));
	unshare(start, end);
	hal_ownership_end();
}

int hal_host_copy(void *dst, phys_addr_t src, size_t size)
{
	int ret;

	hal_ownership_begin();
	ret = kvm_iommu_copy_from_host(dst, src, size, !hal_incoherent);
	hal_ownership_end();

	return ret;
}

int hal_host_put(phys_addr_t dst, u32 val)
{
	int ret;

	hal_ownership_begin();
	ret = kvm_iommu_write_to_host(dst, val);
	hal_ownership_end();

	return ret;
}

bool hal_ram_region(unsigned int i, phys_addr_t *base, phys_addr_t *end)
{
	if (i >= hyp_memblock_nr)
		return false;

	*base = hyp_memory[i].base;
	*end = hyp_memory[i].base + hyp_memory[i].size;
	return true;
}

/*
 * May the host access the page at @pa? @next is where that may be different, @end at most.
 * Above the level of pages its stage 2 says so: what is mapped, and what isn't yet, but
 * not what it has an owner for. That is what host_stage2_adjust_range() goes by, too.
 */
static bool ram_is_hosts(phys_addr_t pa, phys_addr_t end, phys_addr_t *next)
{
	bool hosts;
	kvm_pte_t pte;
	u64 size;
	s8 level;

	if (!kvm_pgtable_get_leaf(&host_mmu.pgt, pa, &pte, &level) &&
	    level < KVM_PGTABLE_LAST_LEVEL) {
		size = kvm_granule_size(level);
		*next = min(ALIGN_DOWN(pa, size) + size, end);
		return !pte || kvm_pte_valid(pte);
	}

	/* To look at the state of a page is faster */
	hosts = get_host_state(hyp_phys_to_page(pa)) != PKVM_NOPAGE;
	end = min(ALIGN_DOWN(pa, PMD_SIZE) + PMD_SIZE, end);
	for (pa += PAGE_SIZE; pa < end; pa += PAGE_SIZE) {
		if (hosts != (get_host_state(hyp_phys_to_page(pa)) != PKVM_NOPAGE))
			break;
	}
	*next = pa;

	return hosts;
}

bool hal_ram_next(phys_addr_t pa, phys_addr_t end, phys_addr_t *from, phys_addr_t *to)
{
	phys_addr_t next;

	*to = 0;
	for (; pa < end; pa = next) {
		if (!ram_is_hosts(pa, end, &next)) {
			if (*to)
				break;
			continue;
		}
		if (!*to)
			*from = pa;
		*to = next;
	}

	return *to;
}

bool hal_mmio_next(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end)
{
	return kvm_iommu_next_mmio(pa, base, end);
}
