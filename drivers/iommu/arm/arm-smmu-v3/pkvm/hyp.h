/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything of EL2 and of the hardware that the emulator uses: MMIO, barriers,
 * memory, locks, time.
 *
 * All other files of this directory are plain C on top of these functions. They
 * are compiled three times: for EL2 (hyp.c, and the inline functions below),
 * for a KUnit module and for a user-space program, which implement them with a
 * mock.
 *
 * hyp_host_pin(), hyp_host_unpin(), hyp_host_copy() and hyp_host_put() take the
 * ownership locks (smmu.h). Call them with neither these nor a hw_lock held.
 */
#ifndef __PKVM_SMMU_HYP_H
#define __PKVM_SMMU_HYP_H

#include <linux/types.h>

/* The order in which locks are taken (smmu.h) */
enum hyp_lock_rank {
	HYP_LOCK_OUTER,
	HYP_LOCK_OWNERSHIP,
	HYP_LOCK_INNER,
};

/* @val has the shape of a hyp_spinlock_t. Zeroes are an unlocked outer lock */
struct hyp_lock {
	u32			val;
	enum hyp_lock_rank	rank;
};

/*
 * True if an SMMU does not snoop the CPUs' caches. It is set at init, before
 * any SMMU gets memory. Such an SMMU sees a store to EL2's memory once
 * hyp_clean() has returned, and EL2 reads the host's memory as that SMMU would.
 * Memory that hyp_mem_take(), hyp_page_alloc() and hyp_pages_alloc() return is
 * clean.
 */
extern bool hyp_incoherent;

void hyp_clean_to_memory(const void *va, size_t size);

static inline void hyp_clean(const void *va, size_t size)
{
	if (hyp_incoherent)
		hyp_clean_to_memory(va, size);
}

/**
 * hyp_clean_ram() - write RAM that the host gets back to memory
 * @start:	physical address, page aligned
 * @end:	physical address, page aligned
 *
 * For devices that do not snoop. EL2 or a guest owned these pages before. The
 * ownership locks are held.
 */
void hyp_clean_ram(phys_addr_t start, phys_addr_t end);

/**
 * hyp_trace() - write an event to EL2's trace
 * @what:	one of enum pkvm_smmu_count
 * @smmu:	physical address of the SMMU's registers
 * @arg0:	depends on @what
 * @arg1:	depends on @what
 */
void hyp_trace(u8 what, phys_addr_t smmu, u64 arg0, u64 arg1);

/**
 * hyp_mmio_provide() - provide memory to keep ranges of MMIO in
 * @mem:	EL2's memory
 * @size:	in bytes; sizeof(struct kvm_iommu_mmio) for each range
 *
 * Before the first hyp_mmio_take().
 */
void hyp_mmio_provide(void *mem, size_t size);

/**
 * hyp_mmio_take() - take a range of MMIO from the host, for good
 * @base:	physical address, page aligned
 * @size:	in bytes, page aligned
 * @cookie:	passed to the handlers of the host's accesses
 * @va:		set to EL2's mapping of the registers
 *
 * Return: 0; a negative error if the range is not MMIO that the host owns.
 */
int hyp_mmio_take(phys_addr_t base, size_t size, void *cookie,
		  void __iomem **va);

/**
 * hyp_mem_take() - take memory from the host, for good, and zero it
 * @base:	physical address, page aligned
 * @size:	in bytes, page aligned
 * @va:		set to EL2's mapping
 *
 * Return: 0; a negative error if the host does not own all of it.
 */
int hyp_mem_take(phys_addr_t base, size_t size, void **va);

/**
 * hyp_pool_add() - add memory to the pool of pages
 * @base:	physical address, page aligned; hyp_mem_take() has taken it
 * @size:	in bytes, page aligned; no later call has a larger one
 *
 * Return: 0, or a negative error.
 */
int hyp_pool_add(phys_addr_t base, size_t size);

/**
 * hyp_pages_alloc() - allocate pages of the pool
 * @order:	log2 of the number of pages
 *
 * Return: zeroed pages, aligned to their size; NULL if the pool has none.
 */
void *hyp_pages_alloc(u8 order);
void *hyp_page_alloc(void);
void hyp_page_free(void *page);

struct pkvm_smmu_pool_counts;

/**
 * hyp_pool_count_in() - count the pool's pages in shared memory
 * @counts:	pinned memory of the host
 *
 * Before the first hyp_pool_add().
 */
void hyp_pool_count_in(struct pkvm_smmu_pool_counts *counts);

/**
 * hyp_host_pin() - share pages of the host with EL2, and pin them
 * @base:	physical address
 * @size:	in bytes, not 0; every page that the range touches is pinned
 * @va:		set to EL2's mapping of @base
 *
 * Until hyp_host_unpin() with the same arguments the host can donate none of
 * the pages to EL2 or to a guest.
 *
 * Return: 0; a negative error, with nothing changed, if a page is not memory,
 * is not owned exclusively by the host, or is pinned already.
 */
int hyp_host_pin(phys_addr_t base, size_t size, void **va);
void hyp_host_unpin(phys_addr_t base, size_t size);

/**
 * hyp_host_copy() - copy from memory that the host owns exclusively
 * @dst:	EL2's buffer
 * @src:	physical address, aligned to 8 bytes; any value is safe
 * @size:	in bytes, a multiple of 8; does not cross a page
 *
 * Each 64-bit word is read once.
 *
 * Return: 0; a negative error if the host does not own the page exclusively.
 */
int hyp_host_copy(void *dst, phys_addr_t src, size_t size);

/**
 * hyp_host_put() - write a word to memory that the host owns exclusively
 * @dst:	physical address, aligned to 4 bytes; any value is safe
 * @val:	the word
 *
 * Return: 0; a negative error if the host does not own the page exclusively.
 */
int hyp_host_put(phys_addr_t dst, u32 val);

/**
 * hyp_ram_region() - look up a region of the machine's memory map
 * @i:		index of the region, in ascending order of address
 * @base:	set to the region's physical address
 * @end:	set to the first address after the region
 *
 * Return: false if there are not more than @i regions.
 */
bool hyp_ram_region(unsigned int i, phys_addr_t *base, phys_addr_t *end);

/**
 * hyp_host_ram_next() - find RAM that the host may access
 * @pa:		first address, page aligned
 * @end:	page aligned; there is only RAM from @pa to @end
 * @from:	set to the start of the first such run of pages
 * @to:		set to the end of the run, at most @end
 *
 * The ownership locks are held, or the host has not lost its privileges yet.
 *
 * Return: false if there is none.
 */
bool hyp_host_ram_next(phys_addr_t pa, phys_addr_t end, phys_addr_t *from,
		       phys_addr_t *to);

/**
 * hyp_mmio_next() - find MMIO that hyp_mmio_take() has taken
 * @pa:		any address
 * @base:	set to the start of the lowest range that ends above @pa
 * @end:	set to its end
 *
 * Return: false if there is none.
 */
bool hyp_mmio_next(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end);

#ifndef __KVM_NVHE_HYPERVISOR__

void hyp_lock(struct hyp_lock *lock);
void hyp_unlock(struct hyp_lock *lock);
/* Around everything that holds or takes the ownership locks, for lock checks */
void hyp_ownership_begin(void);
void hyp_ownership_end(void);

/* Registers. Ordered among themselves; hyp_wmb() orders them after stores */
u32 hyp_readl(const void __iomem *addr);
u64 hyp_readq(const void __iomem *addr);
void hyp_writel(u32 val, void __iomem *addr);
void hyp_writeq(u64 val, void __iomem *addr);

/* The SMMU observes the stores before it ahead of the stores after it */
void hyp_wmb(void);
/* Orders a register read before the accesses after it */
void hyp_rmb(void);
/* In a loop that waits for the hardware */
void hyp_relax(void);

/* A counter that never goes back, and its ticks in @us microseconds */
u64 hyp_now(void);
u64 hyp_ticks(u64 us);

/* For memory of hyp_mem_take(), hyp_page_alloc() and hyp_pages_alloc() only */
phys_addr_t hyp_virt_to_phys(const void *va);
void *hyp_phys_to_virt(phys_addr_t pa);

/*
 * Once in a trap, before hyp_host_read() and hyp_host_copy(): orders what the
 * host has stored before the trap, if an SMMU does not snoop.
 */
void hyp_host_mb(void);
/* Read a pinned word once. The host may write to it at the same time */
u64 hyp_host_read(const __le64 *word);
void hyp_host_write(__le32 *word, u32 val);

#else

/*
 * Every trap, command and page goes through the functions below. Calls instead
 * of inline functions cost 5 % of an unmap.
 */
#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/percpu.h>

#include <asm/arch_timer.h>
#include <asm/barrier.h>

#include <nvhe/memory.h>
#include <nvhe/spinlock.h>

#ifdef CONFIG_NVHE_EL2_DEBUG
/* A bit for each rank of which this CPU holds a lock */
DECLARE_PER_CPU(unsigned long, hyp_ranks);

/* A CPU takes locks in the order of their ranks, one of each */
static inline void hyp_rank_acquire(enum hyp_lock_rank rank)
{
	unsigned long *held = this_cpu_ptr(&hyp_ranks);

	WARN_ON(*held >> rank);
	*held |= BIT(rank);
}

static inline void hyp_rank_release(enum hyp_lock_rank rank)
{
	*this_cpu_ptr(&hyp_ranks) &= ~BIT(rank);
}
#else
static inline void hyp_rank_acquire(enum hyp_lock_rank rank) { }
static inline void hyp_rank_release(enum hyp_lock_rank rank) { }
#endif

static inline hyp_spinlock_t *to_hyp_spinlock(struct hyp_lock *lock)
{
	BUILD_BUG_ON(sizeof(lock->val) != sizeof(hyp_spinlock_t));
	return (hyp_spinlock_t *)&lock->val;
}

static inline void hyp_lock(struct hyp_lock *lock)
{
	hyp_rank_acquire(lock->rank);
	hyp_spin_lock(to_hyp_spinlock(lock));
}

static inline void hyp_unlock(struct hyp_lock *lock)
{
	hyp_spin_unlock(to_hyp_spinlock(lock));
	hyp_rank_release(lock->rank);
}

static inline void hyp_ownership_begin(void)
{
	hyp_rank_acquire(HYP_LOCK_OWNERSHIP);
}

static inline void hyp_ownership_end(void)
{
	hyp_rank_release(HYP_LOCK_OWNERSHIP);
}

static inline u32 hyp_readl(const void __iomem *addr)
{
	return readl_relaxed(addr);
}

static inline u64 hyp_readq(const void __iomem *addr)
{
	return readq_relaxed(addr);
}

static inline void hyp_writel(u32 val, void __iomem *addr)
{
	writel_relaxed(val, addr);
}

static inline void hyp_writeq(u64 val, void __iomem *addr)
{
	writeq_relaxed(val, addr);
}

static inline void hyp_wmb(void)
{
	dsb(st);
}

static inline void hyp_rmb(void)
{
	dsb(ld);
}

static inline void hyp_relax(void)
{
	cpu_relax();
}

static inline u64 hyp_now(void)
{
	/* The host chooses the offset of the virtual counter */
	return __arch_counter_get_cntpct();
}

static inline u64 hyp_ticks(u64 us)
{
	return us * read_sysreg(cntfrq_el0) / 1000000;
}

/*
 * The driver of an SMMU that does not snoop stores with Non-cacheable
 * attributes. EL2 loads with Write-Back attributes. Between the two there has
 * to be a DMB for loads and stores (Arm DDI 0487, B2.11). Without it, the DC
 * CIVAC before the load may also be ordered before the store (D7.5.9.15).
 * Neither the trap nor a lock is a barrier, and the driver only orders its
 * stores against each other.
 */
static inline void hyp_host_mb(void)
{
	if (hyp_incoherent)
		dma_mb();
}

static inline u64 hyp_host_read(const __le64 *word)
{
	hyp_clean(word, sizeof(*word));
	return le64_to_cpu(READ_ONCE(*word));
}

static inline void hyp_host_write(__le32 *word, u32 val)
{
	WRITE_ONCE(*word, cpu_to_le32(val));
}

#endif /* __KVM_NVHE_HYPERVISOR__ */

#endif /* __PKVM_SMMU_HYP_H */
