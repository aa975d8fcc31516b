// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMUs that EL2 owns: who owns which MMIO, and who hears of a page that
 * changes hands. Knows no vendor.
 *
 * The host can access MMIO that EL2 took, and gets what the driver emulates; an
 * access that the syndrome doesn't describe in full gets an abort. Cache
 * maintenance has no effect. The host never gets such MMIO mapped: the ranges
 * are kept here and not in the host's stage 2, which drops what it knows of MMIO
 * when it runs out of memory (host_stage2_unmap_dev_all()).
 *
 * A page leaves the host only after the driver has said that no device reaches
 * it, and is mapped for devices only after it has come to the host.
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

/* Its @init has succeeded */
static bool kvm_iommu_live;

/* A page could not leave in this hypercall (-EAGAIN) */
static DEFINE_PER_CPU(bool, kvm_iommu_again);

struct kvm_iommu_mmio {
	phys_addr_t	base;
	phys_addr_t	end;
	void		*cookie;
};

/* Filled in by @init, and constant from then on */
static struct kvm_iommu_mmio mmio_ranges[KVM_IOMMU_MAX_MMIO];
static unsigned int nr_mmio_ranges;

static const struct kvm_iommu_mmio *mmio_find(u64 addr)
{
	unsigned int i;

	for (i = 0; i < nr_mmio_ranges; i++) {
		if (addr >= mmio_ranges[i].base && addr < mmio_ranges[i].end)
			return &mmio_ranges[i];
	}

	return NULL;
}

/* Not RAM, not taken yet, and nothing is known of it in the host's stage 2 */
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
 * @cookie:	given back to mmio_read() and mmio_write()
 * @va:		where EL2 finds it
 *
 * For @init only, while the host has no stage 2.
 *
 * Return: 0; -EPERM if it isn't MMIO of the host's, -EBUSY if the host's stage 2
 * has anything there, -ENOSPC, -EINVAL.
 */
int kvm_iommu_take_mmio(phys_addr_t base, size_t size, void *cookie, void __iomem **va)
{
	unsigned long addr;
	phys_addr_t pa;
	int ret = 0;

	/* mmio_read() and mmio_write() have 32 bits for the offset */
	if (!size || upper_32_bits(size) || !PAGE_ALIGNED(base | size) || base + size < base ||
	    (base + size - 1) >> kvm_phys_shift(&host_mmu.arch.mmu))
		return -EINVAL;
	if (nr_mmio_ranges == KVM_IOMMU_MAX_MMIO)
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

	mmio_ranges[nr_mmio_ranges++] = (struct kvm_iommu_mmio) {
		.base	= base,
		.end	= base + size,
		.cookie	= cookie,
	};
	*va = (void __iomem *)addr;

	return 0;
}

/**
 * kvm_iommu_next_mmio() - iterate over what kvm_iommu_take_mmio() took
 * @pa:		physical address
 * @base:	of the lowest range that ends above @pa
 * @end:	of that range
 *
 * Return: false if there is none.
 */
bool kvm_iommu_next_mmio(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end)
{
	const struct kvm_iommu_mmio *next = NULL;
	unsigned int i;

	for (i = 0; i < nr_mmio_ranges; i++) {
		const struct kvm_iommu_mmio *range = &mmio_ranges[i];

		if (range->end > pa && (!next || range->base < next->base))
			next = range;
	}
	if (!next)
		return false;

	*base = next->base;
	*end = next->end;
	return true;
}

/**
 * kvm_iommu_trim_mmio() - keep EL2's MMIO out of a mapping of the host's
 * @addr:	an address of MMIO that the host needs mapped
 * @start:	of a range around @addr; raised as needed
 * @end:	of that range; lowered as needed
 *
 * Return: false if @addr itself is EL2's.
 */
bool kvm_iommu_trim_mmio(u64 addr, u64 *start, u64 *end)
{
	unsigned int i;

	for (i = 0; i < nr_mmio_ranges; i++) {
		const struct kvm_iommu_mmio *range = &mmio_ranges[i];

		if (addr >= range->end)
			*start = max(*start, range->end);
		else if (addr < range->base)
			*end = min(*end, range->base);
		else
			return false;
	}

	return true;
}

/* RAM that EL2 may map if the host owns it; what is MEMBLOCK_NOMAP is firmware's */
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
 * The host chooses @pa, and a CPU can mispredict is_usable_memory(). It would then
 * load the state of a page from any address of EL2, and branch on the value. To
 * access the memory itself it would need a mapping, and has none. The regions are in
 * ascending order, and hyp_vmemmap is as long as they need it.
 */
static phys_addr_t memory_nospec(phys_addr_t pa)
{
	const struct memblock_region *last = &hyp_memory[hyp_memblock_nr - 1];

	return array_index_nospec(pa, last->base + last->size);
}

/**
 * kvm_iommu_copy_from_host() - copy out of memory that is the host's alone
 * @dst:	EL2's buffer
 * @src:	physical address, aligned to 8 bytes; any value is safe
 * @size:	in bytes, a multiple of 8; must not cross a page
 * @cached:	what the CPUs see, be it in their caches only. Else what a device does that
 *		does not snoop them. The caller has then executed a DMB since the host
 *		last ran on this CPU
 *
 * The host can change the memory, but not its owner, meanwhile. Each 64-bit word
 * is read once. Takes host_mmu.lock.
 *
 * Return: 0; -EPERM if it isn't, -EINVAL.
 */
int kvm_iommu_copy_from_host(void *dst, phys_addr_t src, size_t size, bool cached)
{
	const u64 *from;
	u64 *to = dst;
	int ret = 0;

	if (!IS_ALIGNED(src | size, sizeof(u64)) || offset_in_page(src) + size > PAGE_SIZE)
		return -EINVAL;
	if (!is_usable_memory(src) || !is_usable_memory(src + size - 1))
		return -EPERM;

	src = memory_nospec(src);

	hyp_spin_lock(&host_mmu.lock);
	/* What the host shares, with the secure world perhaps, may not be readable */
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
 * kvm_iommu_write_to_host() - write a word to memory that is the host's alone
 * @dst:	physical address, aligned to 4 bytes; any value is safe
 * @val:	the word
 *
 * Takes host_mmu.lock.
 *
 * Return: 0; -EPERM if it isn't, -EINVAL.
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
 * The bits of ESR_EL2 that a data abort can have set and EL2 still emulates it
 * (Arm DDI 0487, D24.2.46), for cache maintenance and for loads and stores. With
 * any other bit set the host gets an abort:
 *
 *	EA, FnV		an external abort
 *	S1PTW		a walk of the host's stage 1
 *	VNCR		an access to a register of nested virtualization
 *	LST, ISS2.Xs	LD64B, ST64B, ST64BV, ST64BV0: 64 bytes, with ISV set
 *	ISS2		GCS and tag accesses, faults of permissions: nothing of
 *			which comes with ISV and a translation fault
 *	all else	reserved
 *
 * ISV is clear, and the host gets an abort, for: pairs, write-back, exclusives,
 * atomics, SIMD and SVE, memory copy and set, tags, and DC ZVA, which is a store
 * and no cache maintenance.
 */
#define DABT_ANY	(ESR_ELx_EC_MASK | ESR_ELx_IL | ESR_ELx_WNR | ESR_ELx_FSC)
#define DABT_CM		(DABT_ANY | ESR_ELx_CM)
#define DABT_ACCESS	(DABT_ANY | ESR_ELx_ISV | ESR_ELx_SAS | ESR_ELx_SSE |	\
			 ESR_ELx_SRT_MASK | ESR_ELx_SF | ESR_ELx_AR)

/* Does the syndrome say all that EL2 has to know? */
static bool is_described(u64 esr, u64 spsr)
{
	u64 big_endian = (spsr & PSR_MODE_MASK) == PSR_MODE_EL0t ? SCTLR_EL1_E0E :
								    SCTLR_ELx_EE;

	/* The host's stage 2 has no other fault for this, as it never maps it */
	if (ESR_ELx_EC(esr) != ESR_ELx_EC_DABT_LOW || !esr_fsc_is_translation_fault(esr) ||
	    spsr & PSR_MODE32_BIT)
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

	/* LDAR and STLR: what they order, they order in the emulation */
	if (esr & ESR_ELx_AR)
		dma_mb();

	/*
	 * Register 31 is the zero register here. A CPU that mispredicts that reads
	 * what follows the registers in @host_ctxt, which is the host's as well.
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
 * As kvm_skip_instr() for a guest. The instruction has executed: a single step ends
 * behind it (Arm DDI 0487, D2.11), and the next one is no branch's target (D1.4).
 */
static void skip_host_instr(u64 spsr)
{
	write_sysreg_el2(spsr & ~(PSR_BTYPE_MASK | DBG_SPSR_SS), SYS_SPSR);
	kvm_skip_host_instr();
}

/**
 * kvm_iommu_host_abort() - the host's access faulted in its stage 2
 * @host_ctxt:	the host's registers
 * @esr:	the syndrome
 * @ipa:	the address, to the byte
 *
 * Return: 0 if it has been emulated, -ENOENT if EL2 doesn't own this, -EPERM if
 * the host is to get an abort.
 */
int kvm_iommu_host_abort(struct kvm_cpu_context *host_ctxt, u64 esr, u64 ipa)
{
	const struct kvm_iommu_mmio *range = mmio_find(ipa);
	u64 spsr = read_sysreg_el2(SYS_SPSR);

	if (!range)
		return -ENOENT;

	if (!is_described(esr, spsr))
		return -EPERM;

	/* No cache has a register, so its maintenance has no effect */
	if (!(esr & ESR_ELx_CM))
		mmio_access(host_ctxt, esr, range, ipa - range->base);
	skip_host_instr(spsr);

	return 0;
}

/*
 * An IOMMU rarely times out. With EL2's assertions, fail now and then, to test all
 * callers; but not before the ownership selftest, which expects its transitions to
 * succeed. host_mmu.lock held.
 */
static bool kvm_iommu_inject_again(void)
{
	static unsigned int n;

	return IS_ENABLED(CONFIG_NVHE_EL2_DEBUG) && is_pkvm_initialized() && !(++n % 8);
}

/**
 * kvm_iommu_host_unmap() - pages are about to leave the host
 * @start:	physical address, page aligned
 * @size:	in bytes, page aligned
 *
 * With host_mmu.lock held, before any other part of the transition.
 *
 * Return: 0, or a negative error: the transition must not happen.
 */
int kvm_iommu_host_unmap(phys_addr_t start, u64 size)
{
	int ret;

	hyp_assert_lock_held(&host_mmu.lock);
	if (!kvm_iommu_live)
		return 0;

	ret = kvm_iommu_inject_again() ? -EAGAIN :
	      kvm_iommu_ops->host_unmap(start, start + size);
	if (ret == -EAGAIN)
		*this_cpu_ptr(&kvm_iommu_again) = true;

	return ret;
}

/**
 * kvm_iommu_hcall_exit() - a hypercall of the host has been handled
 * @host_ctxt:	the host's registers, with the result
 *
 * If the hypercall failed, and a page could not leave the host in time, then the host
 * sees -EAGAIN, whatever the callers of kvm_iommu_host_unmap() have made of that.
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
 * kvm_iommu_host_map() - pages have come to the host
 * @start:	physical address, page aligned
 * @size:	in bytes, page aligned
 *
 * With host_mmu.lock held, after whatever scrubbing there is. The driver cleans them
 * for devices that do not snoop, as not all who give pages back do.
 */
void kvm_iommu_host_map(phys_addr_t start, u64 size)
{
	hyp_assert_lock_held(&host_mmu.lock);
	if (kvm_iommu_live)
		kvm_iommu_ops->host_map(start, start + size);
}

/**
 * kvm_iommu_is_live() - does the isolation of DMA depend on the IOMMUs' state?
 *
 * It is not restored if they lose power.
 *
 * Return: whether it does.
 */
bool kvm_iommu_is_live(void)
{
	return kvm_iommu_live;
}

/**
 * kvm_iommu_init() - take the IOMMUs, if EL1 has named a driver
 *
 * Return: 0, or a negative error, and protected KVM must not start.
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
