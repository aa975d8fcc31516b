// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMUs that EL2 owns: the part for all vendors.
 *
 * - EL2 takes MMIO from the host. When the host accesses it, the driver
 *   emulates the access. If the syndrome does not describe the access
 *   completely, the host gets an abort. Cache maintenance has no effect.
 * - The host's stage 2 never maps such MMIO. The ranges are kept here: the
 *   host's stage 2 loses its annotations of MMIO when it runs out of memory
 *   (host_stage2_unmap_dev_all()).
 * - A page leaves the host only after the driver has made it unreachable for
 *   devices. If the driver fails, the page stays.
 * - A page becomes reachable for devices after it has returned to the host.
 */
#include <linux/nospec.h>

#include <asm/barrier.h>
#include <asm/debug-monitors.h>
#include <asm/esr.h>
#include <asm/kvm_arm.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>

#include <hyp/adjust_pc.h>

#include <nvhe/iommu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/mm.h>
#include <nvhe/trap_handler.h>

const struct kvm_iommu_ops *kvm_iommu_ops __ro_after_init;

/* @init of the driver has succeeded */
static bool kvm_iommu_live;

/* In this hypercall a page could not leave the host in time */
static DEFINE_PER_CPU(bool, kvm_iommu_again);

/*
 * In ascending order, and none overlaps another. Constant after @init of the
 * driver.
 */
static struct kvm_iommu_mmio *mmio_ranges;
static unsigned int nr_mmio_ranges;
static unsigned int max_mmio_ranges;

/*
 * The number of ranges that begin at or below @addr. The host chooses @addr. If
 * the CPU mispredicts the loop, it still compares @addr with ranges only, and
 * not with what follows them in EL2's memory.
 */
static unsigned int mmio_count_below(u64 addr)
{
	unsigned int lo = 0, hi = nr_mmio_ranges, mid;

	while (lo < hi) {
		mid = array_index_nospec(lo + (hi - lo) / 2, nr_mmio_ranges);
		if (mmio_ranges[mid].base <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}

	return lo;
}

static const struct kvm_iommu_mmio *mmio_find(u64 addr)
{
	const struct kvm_iommu_mmio *range;
	unsigned int n = mmio_count_below(addr);

	if (!n)
		return NULL;

	range = &mmio_ranges[array_index_nospec(n - 1, nr_mmio_ranges)];

	return addr < range->end ? range : NULL;
}

/**
 * kvm_iommu_provide_mmio() - provide memory to keep ranges of MMIO in
 * @ranges:	EL2's memory, for good
 * @nr:		number of ranges that it has room for
 *
 * Only @init of the driver may call it, before kvm_iommu_take_mmio().
 */
void kvm_iommu_provide_mmio(struct kvm_iommu_mmio *ranges, unsigned int nr)
{
	mmio_ranges = ranges;
	max_mmio_ranges = nr;
}

/* Is the page MMIO, not taken yet, and without an entry in the host's stage 2? */
static int mmio_check_host_page(phys_addr_t pa)
{
	kvm_pte_t pte;
	int ret;

	if (addr_is_memory(pa) || mmio_find(pa))
		return -EPERM;

	ret = kvm_pgtable_get_leaf(&host_mmu.pgt, pa, &pte, NULL);
	if (ret)
		return ret;

	return pte ? -EBUSY : 0;
}

/**
 * kvm_iommu_take_mmio() - take MMIO from the host, for good
 * @base:	physical address, page aligned
 * @size:	in bytes, page aligned
 * @cookie:	passed to mmio_read() and mmio_write()
 * @va:		set to EL2's mapping
 *
 * Only @init of the driver may call it, while the host has no stage 2.
 *
 * Return: 0; -EPERM if it is not MMIO that the host owns; -EBUSY if the host's
 * stage 2 has an entry there; -ENOSPC; -EINVAL.
 */
int kvm_iommu_take_mmio(phys_addr_t base, size_t size, void *cookie,
			void __iomem **va)
{
	unsigned long addr;
	unsigned int i;
	phys_addr_t pa;
	int ret = 0;

	/* mmio_read() and mmio_write() have 32 bits for the offset */
	if (!size || upper_32_bits(size) || !PAGE_ALIGNED(base | size) ||
	    base + size < base ||
	    (base + size - 1) >> kvm_phys_shift(&host_mmu.arch.mmu))
		return -EINVAL;
	if (nr_mmio_ranges == max_mmio_ranges)
		return -ENOSPC;

	hyp_spin_lock(&host_mmu.lock);
	for (pa = base; pa < base + size && !ret; pa += PAGE_SIZE)
		ret = mmio_check_host_page(pa);
	hyp_spin_unlock(&host_mmu.lock);
	if (ret)
		return ret;

	ret = __pkvm_create_private_mapping(base, size, PAGE_HYP_DEVICE, &addr);
	if (ret)
		return ret;

	for (i = nr_mmio_ranges++; i && mmio_ranges[i - 1].base > base; i--)
		mmio_ranges[i] = mmio_ranges[i - 1];
	mmio_ranges[i] = (struct kvm_iommu_mmio) {
		.base	= base,
		.end	= base + size,
		.cookie	= cookie,
	};
	*va = (void __iomem *)addr;

	return 0;
}

/**
 * kvm_iommu_next_mmio() - find MMIO that kvm_iommu_take_mmio() has taken
 * @pa:		physical address
 * @base:	set to the start of the lowest range that ends above @pa
 * @end:	set to its end
 *
 * Return: false if there is none.
 */
bool kvm_iommu_next_mmio(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end)
{
	unsigned int i = mmio_count_below(pa);

	if (i && mmio_ranges[i - 1].end > pa)
		i--;
	if (i == nr_mmio_ranges)
		return false;

	*base = mmio_ranges[i].base;
	*end = mmio_ranges[i].end;
	return true;
}

/**
 * kvm_iommu_trim_mmio() - keep EL2's MMIO out of the host's stage 2
 * @addr:	an address of MMIO that is about to be mapped for the host
 * @start:	start of a range around @addr; raised if necessary
 * @end:	end of that range; lowered if necessary
 *
 * Return: false if @addr itself is EL2's.
 */
bool kvm_iommu_trim_mmio(u64 addr, u64 *start, u64 *end)
{
	unsigned int i = mmio_count_below(addr);

	if (i) {
		if (addr < mmio_ranges[i - 1].end)
			return false;
		*start = max(*start, mmio_ranges[i - 1].end);
	}
	if (i < nr_mmio_ranges)
		*end = min(*end, mmio_ranges[i].base);

	return true;
}

/*
 * RAM that EL2 may map if the host owns it. Firmware uses MEMBLOCK_NOMAP ranges
 */
static bool is_usable_memory(u64 addr)
{
	unsigned int i;

	for (i = 0; i < hyp_memblock_nr; i++) {
		const struct memblock_region *reg = &hyp_memory[i];

		if (addr >= reg->base && addr - reg->base < reg->size)
			return !(reg->flags & MEMBLOCK_NOMAP);
	}

	return false;
}

/*
 * The host chooses @pa, and the CPU can mispredict is_usable_memory(). It could
 * then load the state of a page from any address of EL2, and branch on the
 * value. It cannot access the memory of @pa, which EL2 has not mapped. The
 * regions are in ascending order, and hyp_vmemmap covers all of them.
 */
static phys_addr_t memory_nospec(phys_addr_t pa)
{
	const struct memblock_region *last = &hyp_memory[hyp_memblock_nr - 1];

	return array_index_nospec(pa, last->base + last->size);
}

/**
 * kvm_iommu_copy_from_host() - copy from memory that the host owns exclusively
 * @dst:	EL2's buffer
 * @src:	physical address, aligned to 8 bytes; any value is safe
 * @size:	in bytes, a multiple of 8; does not cross a page
 * @cached:	true to read through the caches. False to clean and invalidate
 *		them first, and read what a device reads that does not snoop.
 *		The caller has executed a DMB since the host last ran on this
 *		CPU
 *
 * The host can change the memory at the same time. Each 64-bit word is read
 * once. Takes host_mmu.lock.
 *
 * Return: 0; -EPERM if the host does not own the page exclusively; -EINVAL.
 */
int kvm_iommu_copy_from_host(void *dst, phys_addr_t src, size_t size,
			     bool cached)
{
	const u64 *from;
	u64 *to = dst;
	int ret = 0;

	if (!IS_ALIGNED(src | size, sizeof(u64)) ||
	    offset_in_page(src) + size > PAGE_SIZE)
		return -EINVAL;
	if (!is_usable_memory(src) || !is_usable_memory(src + size - 1))
		return -EPERM;

	src = memory_nospec(src);

	hyp_spin_lock(&host_mmu.lock);
	/* EL2 may not be able to read a page that the host shares */
	if (get_host_state(hyp_phys_to_page(src)) != PKVM_PAGE_OWNED) {
		ret = -EPERM;
		goto unlock;
	}

	from = hyp_fixmap_map(src);
	if (!cached)
		kvm_flush_dcache_to_poc(from, size);
	for (; size; size -= sizeof(u64))
		*to++ = READ_ONCE(*from++);
	hyp_fixmap_unmap();
unlock:
	hyp_spin_unlock(&host_mmu.lock);

	return ret;
}

/**
 * kvm_iommu_write_to_host() - write to memory that the host owns exclusively
 * @dst:	physical address, aligned to 4 bytes; any value is safe
 * @val:	the word
 *
 * Takes host_mmu.lock.
 *
 * Return: 0; -EPERM if the host does not own the page exclusively; -EINVAL.
 */
int kvm_iommu_write_to_host(phys_addr_t dst, u32 val)
{
	int ret = -EPERM;
	__le32 *to;

	if (!IS_ALIGNED(dst, sizeof(val)))
		return -EINVAL;
	if (!is_usable_memory(dst))
		return -EPERM;
	dst = memory_nospec(dst);

	hyp_spin_lock(&host_mmu.lock);
	if (get_host_state(hyp_phys_to_page(dst)) == PKVM_PAGE_OWNED) {
		to = hyp_fixmap_map(dst);
		WRITE_ONCE(*to, cpu_to_le32(val));
		hyp_fixmap_unmap();
		ret = 0;
	}
	hyp_spin_unlock(&host_mmu.lock);

	return ret;
}

/*
 * EL2 emulates a data abort if ESR_EL2 has only these bits set (Arm DDI 0487,
 * D24.2.46): one mask is for cache maintenance, one for loads and stores. With
 * any other bit the host gets an abort:
 *
 *	EA, FnV		an external abort
 *	S1PTW		a walk of the host's stage 1
 *	VNCR		an access to a register of nested virtualization
 *	LST, ISS2.Xs	LD64B, ST64B, ST64BV, ST64BV0: 64 bytes, with ISV set
 *	ISS2		GCS and tag accesses, permission faults; not with ISV
 *			and a translation fault
 *	all others	reserved
 *
 * The host also gets an abort if ISV is clear: for pairs, write-back,
 * exclusives, atomics, SIMD and SVE, memory copy and set, tags, and DC ZVA,
 * which is a store.
 */
#define DABT_ANY	(ESR_ELx_EC_MASK | ESR_ELx_IL | ESR_ELx_WNR | ESR_ELx_FSC)
#define DABT_CM		(DABT_ANY | ESR_ELx_CM)
#define DABT_ACCESS	(DABT_ANY | ESR_ELx_ISV | ESR_ELx_SAS | ESR_ELx_SSE |	\
			 ESR_ELx_SRT_MASK | ESR_ELx_SF | ESR_ELx_AR)

/* Does the syndrome describe the access completely? */
static bool is_described(u64 esr, u64 spsr)
{
	bool el0 = (spsr & PSR_MODE_MASK) == PSR_MODE_EL0t;
	u64 big_endian = el0 ? SCTLR_EL1_E0E : SCTLR_ELx_EE;

	/* The host's stage 2 never maps this MMIO: it has no other fault */
	if (ESR_ELx_EC(esr) != ESR_ELx_EC_DABT_LOW ||
	    !esr_fsc_is_translation_fault(esr) || spsr & PSR_MODE32_BIT)
		return false;

	if (esr & ESR_ELx_CM)
		return !(esr & ~DABT_CM);

	return esr & ESR_ELx_ISV && !(esr & ~DABT_ACCESS) &&
	       !(read_sysreg_el1(SYS_SCTLR) & big_endian);
}

static u64 mmio_extend(u64 esr, u64 val, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	if (esr & ESR_ELx_SSE)
		val = (s64)(val << shift) >> shift;

	return esr & ESR_ELx_SF ? val : lower_32_bits(val);
}

static void mmio_access(struct kvm_cpu_context *host_ctxt, u64 esr,
			const struct kvm_iommu_mmio *range, u32 offset)
{
	unsigned int size = BIT(FIELD_GET(ESR_ELx_SAS, esr));
	unsigned int rt = FIELD_GET(ESR_ELx_SRT_MASK, esr);
	u64 val;

	/* LDAR and STLR: order the emulation as well */
	if (esr & ESR_ELx_AR)
		dma_mb();

	/*
	 * Register 31 is the zero register here. If the CPU mispredicts that,
	 * it reads the field after the registers in @host_ctxt: the host's as
	 * well.
	 */
	if (esr & ESR_ELx_WNR) {
		val = rt == 31 ? 0 : cpu_reg(host_ctxt, rt);
		if (size < sizeof(val))
			val &= BIT(8 * size) - 1;
		kvm_iommu_ops->mmio_write(range->cookie, offset, size, val);
	} else {
		val = kvm_iommu_ops->mmio_read(range->cookie, offset, size);
		if (rt != 31)
			cpu_reg(host_ctxt, rt) = mmio_extend(esr, val, size);
	}

	if (esr & ESR_ELx_AR)
		dma_mb();
}

/*
 * As kvm_skip_instr() for a guest. The instruction has executed: it completes a
 * single step (Arm DDI 0487, D2.11), and the next one is no branch target
 * (D1.4).
 */
static void skip_host_instr(u64 spsr)
{
	write_sysreg_el2(spsr & ~(PSR_BTYPE_MASK | DBG_SPSR_SS), SYS_SPSR);
	kvm_skip_host_instr();
}

/**
 * kvm_iommu_host_abort() - handle a fault of the host in its stage 2
 * @host_ctxt:	the host's registers
 * @esr:	the syndrome
 * @ipa:	the address, to the byte
 *
 * Return: 0 if the access is emulated; -ENOENT if the address is not EL2's
 * MMIO;
 * -EPERM if the host has to get an abort.
 */
int kvm_iommu_host_abort(struct kvm_cpu_context *host_ctxt, u64 esr, u64 ipa)
{
	const struct kvm_iommu_mmio *range = mmio_find(ipa);
	u64 spsr = read_sysreg_el2(SYS_SPSR);

	if (!range)
		return -ENOENT;

	if (!is_described(esr, spsr))
		return -EPERM;

	/* No cache holds a register: maintenance has no effect */
	if (!(esr & ESR_ELx_CM))
		mmio_access(host_ctxt, esr, range, ipa - range->base);
	skip_host_instr(spsr);

	return 0;
}

/*
 * An IOMMU rarely times out. With CONFIG_NVHE_EL2_DEBUG, fail every eighth
 * call, to test all callers. The ownership selftest expects success: not before
 * it.
 */
static bool kvm_iommu_inject_again(void)
{
	static unsigned int n;

	return IS_ENABLED(CONFIG_NVHE_EL2_DEBUG) && is_pkvm_initialized() &&
	       !(++n % 8);
}

/**
 * kvm_iommu_pages_leave() - make pages unreachable for devices
 * @start:	physical address, page aligned
 * @size:	in bytes, page aligned
 *
 * Pages are about to leave the host. host_mmu.lock is held, and the host's
 * stage 2 is unchanged.
 *
 * Return: 0; a negative error, and then the pages have to stay with the host.
 */
int kvm_iommu_pages_leave(phys_addr_t start, u64 size)
{
	int ret;

	hyp_assert_lock_held(&host_mmu.lock);
	if (!kvm_iommu_live)
		return 0;

	ret = kvm_iommu_inject_again() ? -EAGAIN :
	      kvm_iommu_ops->pages_leave(start, start + size);
	if (ret == -EAGAIN)
		*this_cpu_ptr(&kvm_iommu_again) = true;

	return ret;
}

/**
 * kvm_iommu_pages_return() - make pages reachable for devices
 * @start:	physical address, page aligned
 * @size:	in bytes, page aligned
 *
 * The pages have returned to the host, and EL2 has zeroed them if it has to.
 * host_mmu.lock is held. If an IOMMU does not snoop, the driver cleans the
 * pages: not all callers do.
 */
void kvm_iommu_pages_return(phys_addr_t start, u64 size)
{
	hyp_assert_lock_held(&host_mmu.lock);
	if (kvm_iommu_live)
		kvm_iommu_ops->pages_return(start, start + size);
}

#ifdef CONFIG_NVHE_EL2_DEBUG
/**
 * kvm_iommu_assert_reachable() - check which pages devices can reach
 * @start:	physical address, page aligned
 * @size:	in bytes, page aligned
 * @reachable:	whether devices have to reach these pages, or none of them
 *
 * For the ownership selftest. host_mmu.lock is held.
 */
void kvm_iommu_assert_reachable(phys_addr_t start, u64 size, bool reachable)
{
	phys_addr_t pa;

	for (pa = start; kvm_iommu_live && pa < start + size; pa += PAGE_SIZE)
		WARN_ON(kvm_iommu_ops->page_is_reachable(pa) != reachable);
}
#endif

/*
 * May the host access the page at @pa? @next is set to the next address for
 * which the answer may differ, at most @end.
 *
 * An entry of the host's stage 2 above the level of pages decides for its
 * range, as in host_stage2_adjust_range(): it is valid, or empty, or has
 * another owner. For a page, hyp_vmemmap is faster.
 */
static bool host_may_access(phys_addr_t pa, phys_addr_t end, phys_addr_t *next)
{
	bool first;
	kvm_pte_t pte;
	u64 size;
	s8 level;

	if (!kvm_pgtable_get_leaf(&host_mmu.pgt, pa, &pte, &level) &&
	    level < KVM_PGTABLE_LAST_LEVEL) {
		size = kvm_granule_size(level);
		*next = min(ALIGN_DOWN(pa, size) + size, end);
		return !pte || kvm_pte_valid(pte);
	}

	first = get_host_state(hyp_phys_to_page(pa)) != PKVM_NOPAGE;
	end = min(ALIGN_DOWN(pa, PMD_SIZE) + PMD_SIZE, end);
	for (pa += PAGE_SIZE; pa < end; pa += PAGE_SIZE) {
		if (first !=
		    (get_host_state(hyp_phys_to_page(pa)) != PKVM_NOPAGE))
			break;
	}
	*next = pa;

	return first;
}

/**
 * kvm_iommu_next_host_ram() - find RAM that the host may access
 * @pa:		first address, page aligned
 * @end:	page aligned; there is only RAM from @pa to @end
 * @from:	set to the start of the first such run of pages
 * @to:		set to the end of the run, at most @end
 *
 * host_mmu.lock is held, or the host has not lost its privileges yet.
 *
 * Return: false if there is none.
 */
bool kvm_iommu_next_host_ram(phys_addr_t pa, phys_addr_t end, phys_addr_t *from,
			     phys_addr_t *to)
{
	phys_addr_t next;

	*to = 0;
	for (; pa < end; pa = next) {
		if (!host_may_access(pa, end, &next)) {
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

/**
 * kvm_iommu_hcall_exit() - a hypercall of the host has returned
 * @host_ctxt:	the host's registers, with the result
 *
 * If the hypercall failed, and a page could not leave the host in time, then
 * the host gets -EAGAIN. Callers of kvm_iommu_pages_leave() may return another
 * error.
 */
void kvm_iommu_hcall_exit(struct kvm_cpu_context *host_ctxt)
{
	bool *again = this_cpu_ptr(&kvm_iommu_again);

	if (!*again)
		return;

	*again = false;
	if ((int)cpu_reg(host_ctxt, 1) < 0)
		cpu_reg(host_ctxt, 1) = -EAGAIN;
}

/**
 * kvm_iommu_is_live() - does EL2 own IOMMUs?
 *
 * EL2 does not restore them if they lose power.
 */
bool kvm_iommu_is_live(void)
{
	return kvm_iommu_live;
}

/**
 * kvm_iommu_init() - take the IOMMUs, if EL1 has set a driver
 *
 * Return: 0; a negative error, and then protected KVM must not start.
 */
int kvm_iommu_init(void)
{
	int ret;

	if (!kvm_iommu_ops)
		return 0;

	ret = kvm_iommu_ops->init();
	kvm_iommu_live = !ret;

	return ret;
}
