/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The emulator's only door to the world: MMIO, barriers, memory, locks, time.
 *
 * Everything else in this directory is plain C over these functions, so that
 * the same files run at EL2 (hal.c, hal-el2.h), in a KUnit module and in a user-space
 * program, where a fake SMMU stands behind the door.
 *
 * hal_host_pin(), hal_host_unpin(), hal_host_copy() and hal_host_put() take the
 * ownership locks. Call them with neither these nor a hw_lock held. smmu.h has the
 * order.
 */
#ifndef __PKVM_SMMU_HAL_H
#define __PKVM_SMMU_HAL_H

#include <linux/types.h>

/* The order in which locks are taken: emu_lock, the ownership locks, hw_lock (smmu.h) */
enum hal_lock_rank {
	HAL_LOCK_OUTER,
	HAL_LOCK_OWNERSHIP,
	HAL_LOCK_INNER,
};

/* @val has the shape of a hyp_spinlock_t; zero is unlocked, and HAL_LOCK_OUTER */
struct hal_lock {
	u32			val;
	enum hal_lock_rank	rank;
};

/*
 * Some SMMU does not snoop the CPUs' caches; to be set at init, before it is given any
 * memory. It sees what is stored in EL2's memory when hal_clean() returns, and EL2 reads
 * the host's memory as it does. What hal_mem_take(), hal_page_alloc() and
 * hal_pages_alloc() return has been cleaned.
 */
extern bool hal_incoherent;

void hal_clean_to_memory(const void *va, size_t size);

static inline void hal_clean(const void *va, size_t size)
{
	if (hal_incoherent)
		hal_clean_to_memory(va, size);
}

/**
 * hal_clean_ram() - write RAM that comes to the host back to memory
 * @start:	physical address, page aligned
 * @end:	physical address, page aligned
 *
 * For devices that do not snoop, of pages that EL2 or a guest had. With the
 * ownership lock held.
 */
void hal_clean_ram(phys_addr_t start, phys_addr_t end);

/* Trace what smmu_report() counts; @what is one of enum pkvm_smmu_count */
void hal_trace(u8 what, phys_addr_t smmu, u64 arg0, u64 arg1);

/**
 * hal_mmio_take() - take a range of MMIO from the host, for good
 * @base:	physical address, page aligned
 * @size:	in bytes, page aligned
 * @cookie:	given back with each access of the host's that traps
 * @va:		where EL2 finds the registers
 *
 * Return: 0, or a negative error if the range is not MMIO of the host's.
 */
int hal_mmio_take(phys_addr_t base, size_t size, void *cookie, void __iomem **va);

/**
 * hal_mem_take() - take memory from the host, for good, and zero it
 * @base:	physical address, page aligned
 * @size:	in bytes, page aligned
 * @va:		where EL2 finds it
 *
 * Return: 0, or a negative error if the host does not own all of it.
 */
int hal_mem_take(phys_addr_t base, size_t size, void **va);

/* Add memory that has been taken to the pool; the first call must be the biggest */
int hal_pool_add(phys_addr_t base, size_t size);
/* One page, or 1 << @order pages aligned to their size; zeroed; NULL if none is left */
void *hal_page_alloc(void);
void *hal_pages_alloc(u8 order);
void hal_page_free(void *page);

struct pkvm_smmu_pool_counts;
/* Count the pool's pages there from now on, before any is added to it */
void hal_pool_count_in(struct pkvm_smmu_pool_counts *counts);

/**
 * hal_host_pin() - keep pages with the host and readable for EL2
 * @base:	physical address
 * @size:	in bytes, not 0; every page that is touched is pinned
 * @va:		where EL2 finds @base
 *
 * Until hal_host_unpin() with the same arguments, no page of the range can be
 * given to EL2 or to a guest. Fails without a trace if any page isn't the host's
 * alone, isn't memory, or is pinned or shared with EL2 already.
 *
 * Return: 0, or a negative error.
 */
int hal_host_pin(phys_addr_t base, size_t size, void **va);
void hal_host_unpin(phys_addr_t base, size_t size);

/**
 * hal_host_copy() - copy out of memory that is the host's alone
 * @dst:	EL2's buffer
 * @src:	physical address, aligned to 8 bytes
 * @size:	in bytes, a multiple of 8; must not cross a page
 *
 * Each 64-bit word is read exactly once.
 *
 * Return: 0, or a negative error if the page isn't, or is shared with anyone.
 */
int hal_host_copy(void *dst, phys_addr_t src, size_t size);

/**
 * hal_host_put() - write a word to memory that is the host's alone
 * @dst:	physical address, aligned to 4 bytes; any value is safe
 * @val:	the word
 *
 * Return: 0, or a negative error if the page isn't, or is shared with anyone.
 */
int hal_host_put(phys_addr_t dst, u32 val);

/**
 * hal_ram_region() - the machine's memory map
 * @i:		index of the region, from 0, in ascending order of address
 * @base:	physical address of the region
 * @end:	first address behind it
 *
 * Return: false if there are fewer regions than that.
 */
bool hal_ram_region(unsigned int i, phys_addr_t *base, phys_addr_t *end);

/**
 * hal_ram_next() - RAM that the host's devices may reach
 * @pa:		where to begin, page aligned
 * @end:	where to end, page aligned; all in between is RAM
 * @from:	where the next run of such pages begins
 * @to:		where it ends, @end at most
 *
 * With the ownership lock held, or at init.
 *
 * Return: false if there is none.
 */
bool hal_ram_next(phys_addr_t pa, phys_addr_t end, phys_addr_t *from, phys_addr_t *to);

/* The next range of MMIO that EL2 took and that ends above @pa; false if none does */
bool hal_mmio_next(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end);

/* On the way of every trap, command and page: inline at EL2, functions elsewhere */
#ifdef __KVM_NVHE_HYPERVISOR__
#include "hal-el2.h"
#else
void hal_lock(struct hal_lock *lock);
void hal_unlock(struct hal_lock *lock);
/* Around what holds, or takes, the ownership lock; for CONFIG_NVHE_EL2_DEBUG */
void hal_ownership_begin(void);
void hal_ownership_end(void);

/* Registers. Ordered against each other, not against memory: see hal_wmb() */
u32 hal_readl(const void __iomem *addr);
void hal_writel(u32 val, void __iomem *addr);
void hal_writeq(u64 val, void __iomem *addr);

/* Stores before it are seen by the SMMU before any store after it */
void hal_wmb(void);
/* Accesses after it are done after the register reads before it */
void hal_rmb(void);
/* Let another CPU run, or the fake hardware make progress */
void hal_relax(void);

/*
 * Time for bounded waits: a counter that only goes up, and the number of its
 * ticks in @us microseconds.
 */
u64 hal_now(void);
u64 hal_ticks(u64 us);

/*
 * Translation between an address at EL2 and a physical one. Only for memory that
 * EL2 owns: what hal_mem_take(), hal_page_alloc() or hal_pages_alloc() returned.
 */
phys_addr_t hal_virt_to_phys(const void *va);
void *hal_phys_to_virt(phys_addr_t pa);

/*
 * Once in a trap, before any hal_host_read() and hal_host_copy(): what the host has
 * stored before the trap is what they read. See hal_incoherent
 */
void hal_host_mb(void);
/* A word of what is pinned, read once: the host may be writing to it. See hal_incoherent */
u64 hal_host_read(const __le64 *word);
/* And one of 32 bits written */
void hal_host_write(__le32 *word, u32 val);
#endif

#endif /* __PKVM_SMMU_HAL_H */
