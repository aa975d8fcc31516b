/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What nvhe/iommu/iommu.c asks of the rest of EL2, for the proofs about it: who owns a
 * page, and what is mapped, is anything at all, and what is done is looked at.
 */
#ifndef __PKVM_SMMU_EL2_H
#define __PKVM_SMMU_EL2_H

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/nospec.h>

#include "proof.h"

#define CONFIG_PKVM_IOMMU

#define __iomem
#define __ro_after_init

#define PAGE_ALIGNED(addr)	IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)
#define PSR_MODE_MASK		0xf
#define PSR_MODE_EL0t		0x0
#define PSR_MODE32_BIT		0x10
#define PSR_BTYPE_MASK		0xc00
#define DBG_SPSR_SS		BIT(21)
#define SCTLR_EL1_E0E		BIT(24)
#define SCTLR_ELx_EE		BIT(25)
#define MEMBLOCK_NOMAP		0x4
#define PAGE_HYP_DEVICE		0
#define KVM_PGTABLE_LAST_LEVEL	3
#define PMD_SHIFT		(2 * PAGE_SHIFT - 3)
#define PMD_SIZE		BIT(PMD_SHIFT)

typedef u64 kvm_pte_t;

#define kvm_pte_valid(pte)	((pte) & 1)
#define kvm_granule_size(level)	BIT(PAGE_SHIFT + (3 - (level)) * (PAGE_SHIFT - 3))

enum pkvm_page_state {
	PKVM_PAGE_OWNED,
	PKVM_PAGE_SHARED_OWNED,
	PKVM_PAGE_SHARED_BORROWED,
	PKVM_NOPAGE,
};

struct memblock_region {
	phys_addr_t	base;
	phys_addr_t	size;
	unsigned int	flags;
};

struct kvm_cpu_context {
	u64	regs[31];
};

struct hyp_page {
	u64	pa;
};

struct el2_lock {
	bool	held;
};

struct kvm_s2_mmu {
	u8	phys_shift;
};

static struct {
	struct el2_lock lock;
	struct {
		struct kvm_s2_mmu mmu;
	} arch;
	int pgt;
} host_mmu;

#define kvm_phys_shift(mmu)		((mmu)->phys_shift)
#define cpu_reg(ctxt, r)		((ctxt)->regs[r])

/* RAM, of which a proof says what there is */
#define NR_MEMBLOCKS	2
static struct memblock_region hyp_memory[NR_MEMBLOCKS];
static unsigned int hyp_memblock_nr;

static u64 el2_spsr, el2_host_sctlr;
static unsigned int el2_skipped, el2_barriers;

#define SYS_SPSR		(&el2_spsr)
#define SYS_SCTLR		(&el2_host_sctlr)
#define read_sysreg_el1(reg)	(*(reg))
#define read_sysreg_el2(reg)	(*(reg))
#define write_sysreg_el2(val, reg) (*(reg) = (val))
#define dma_mb()		((void)el2_barriers++)

/* One CPU */
#define this_cpu_ptr(ptr)	(ptr)

static inline bool is_pkvm_initialized(void)
{
	return nondet_bool();
}

static inline void kvm_skip_host_instr(void)
{
	el2_skipped++;
}

/*
 * A CPU that mispredicts takes either side of a branch, whatever its condition: each if in
 * iommu.c (see below), but not array_index_nospec(). What it stores then nobody
 * sees, so that nothing gets mapped.
 */
static bool el2_speculates;

static inline bool el2_mispredicts(void)
{
	return el2_speculates && nondet_bool();
}

static inline void hyp_spin_lock(struct el2_lock *lock)
{
	PROVE(el2_speculates || !lock->held, "no lock is taken twice");
	lock->held = true;
}

static inline void hyp_spin_unlock(struct el2_lock *lock)
{
	PROVE(el2_speculates || lock->held, "what is let go of is held");
	lock->held = false;
}

static inline void hyp_assert_lock_held(struct el2_lock *lock)
{
	PROVE(el2_speculates || lock->held, "the lock is held");
}

static inline bool addr_is_memory(phys_addr_t pa)
{
	unsigned int i;

	for (i = 0; i < hyp_memblock_nr; i++) {
		if (pa >= hyp_memory[i].base && pa - hyp_memory[i].base < hyp_memory[i].size)
			return true;
	}

	return false;
}

/* One page's state is looked at, and one page is mapped */
static struct hyp_page el2_page;
static enum pkvm_page_state el2_state;
static u64 el2_words[8];
static u64 el2_flushed;

static inline struct hyp_page *hyp_phys_to_page(phys_addr_t pa)
{
	unsigned int i, last = hyp_memblock_nr - 1;
	bool inside = el2_speculates && pa < hyp_memory[last].base + hyp_memory[last].size;

	/* There are pages without a state, but they are not mapped either */
	for (i = 0; i < hyp_memblock_nr; i++)
		inside |= pa >= hyp_memory[i].base &&
			  pa - hyp_memory[i].base < hyp_memory[i].size;
	PROVE(inside, "only RAM has a state");
	el2_page.pa = pa & PAGE_MASK;
	return &el2_page;
}

/* RAM whose owners do not change: an entry for each of two blocks, a state for each page */
static struct {
	bool			fixed;
	bool			no_entry[2];
	s8			level[2];
	kvm_pte_t		pte[2];
	enum pkvm_page_state	states[4];
} el2_ram;

static inline enum pkvm_page_state get_host_state(struct hyp_page *page)
{
	hyp_assert_lock_held(&host_mmu.lock);
	el2_state = nondet_u8() & 3;
	if (el2_ram.fixed)
		el2_state = el2_ram.states[(page->pa >> PAGE_SHIFT) % 4];
	return el2_state;
}

static inline void *hyp_fixmap_map(phys_addr_t pa)
{
	PROVE(el2_speculates ||
	      (el2_page.pa == (pa & PAGE_MASK) && el2_state == PKVM_PAGE_OWNED),
	      "EL2 maps what is the host's alone");
	hyp_assert_lock_held(&host_mmu.lock);
	return el2_words;
}

static inline void kvm_flush_dcache_to_poc(const void *va, size_t size)
{
	PROVE(el2_speculates || (el2_state == PKVM_PAGE_OWNED && va == el2_words),
	      "what is mapped");
	el2_flushed = size;
}

static inline void hyp_fixmap_unmap(void)
{
	hyp_assert_lock_held(&host_mmu.lock);
	el2_state = PKVM_NOPAGE;
}

static bool el2_maps_mmio;

static inline int kvm_pgtable_get_leaf(int *pgt, u64 addr, kvm_pte_t *ptep, s8 *level)
{
	unsigned int which = (addr >> PMD_SHIFT) & 1;

	hyp_assert_lock_held(&host_mmu.lock);
	if (el2_ram.fixed) {
		*ptep = el2_ram.pte[which];
		*level = el2_ram.level[which];
		return el2_ram.no_entry[which] ? -EINVAL : 0;
	}
	*ptep = nondet_u64();
	if (level)
		*level = nondet_u32() % 4;
	el2_maps_mmio |= *ptep != 0;
	return nondet_bool() ? -EINVAL : 0;
}

static inline int __pkvm_create_private_mapping(phys_addr_t phys, size_t size, int prot,
						unsigned long *haddr)
{
	*haddr = nondet_u64();
	return nondet_bool() ? -ENOMEM : 0;
}

#define DEFINE_PER_CPU(type, name)	type name

#include <asm/brk-imm.h>
#include <asm/esr.h>
#include <nvhe/iommu.h>

/* iommu.c with el2_mispredicts() in each if. What it includes is included above. */
#define if(cond)	if (!!(cond) != el2_mispredicts())
#include <nvhe/iommu/iommu.c>
#undef if

#endif /* __PKVM_SMMU_EL2_H */
