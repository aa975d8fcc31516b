/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of hal.h that is inline at EL2, on what the nVHE hypervisor offers. Included by
 * hal.h, which says what each does.
 */
#ifndef __PKVM_SMMU_HAL_EL2_H
#define __PKVM_SMMU_HAL_EL2_H

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
/* The locks that a CPU holds, a bit for each rank; it doesn't leave EL2 with any */
DECLARE_PER_CPU(unsigned long, hal_ranks);

/* One lock of each rank at a time, in their order */
static inline void hal_rank_acquire(enum hal_lock_rank rank)
{
	unsigned long *held = this_cpu_ptr(&hal_ranks);

	WARN_ON(*held >> rank);
	*held |= BIT(rank);
}

static inline void hal_rank_release(enum hal_lock_rank rank)
{
	*this_cpu_ptr(&hal_ranks) &= ~BIT(rank);
}
#else
static inline void hal_rank_acquire(enum hal_lock_rank rank) { }
static inline void hal_rank_release(enum hal_lock_rank rank) { }
#endif

static inline hyp_spinlock_t *hal_to_hyp_lock(struct hal_lock *lock)
{
	BUILD_BUG_ON(sizeof(lock->val) != sizeof(hyp_spinlock_t));
	return (hyp_spinlock_t *)&lock->val;
}

static inline void hal_lock(struct hal_lock *lock)
{
	hal_rank_acquire(lock->rank);
	hyp_spin_lock(hal_to_hyp_lock(lock));
}

static inline void hal_unlock(struct hal_lock *lock)
{
	hyp_spin_unlock(hal_to_hyp_lock(lock));
	hal_rank_release(lock->rank);
}

static inline void hal_ownership_begin(void)
{
	hal_rank_acquire(HAL_LOCK_OWNERSHIP);
}

static inline void hal_ownership_end(void)
{
	hal_rank_release(HAL_LOCK_OWNERSHIP);
}

static inline u32 hal_readl(const void __iomem *addr)
{
	return readl_relaxed(addr);
}

static inline void hal_writel(u32 val, void __iomem *addr)
{
	writel_relaxed(val, addr);
}

static inline void hal_writeq(u64 val, void __iomem *addr)
{
	writeq_relaxed(val, addr);
}

static inline void hal_wmb(void)
{
	dsb(st);
}

static inline void hal_rmb(void)
{
	dsb(ld);
}

static inline void hal_relax(void)
{
	cpu_relax();
}

static inline u64 hal_now(void)
{
	/* Not the virtual one, whose offset is the host's to choose */
	return __arch_counter_get_cntpct();
}

static inline u64 hal_ticks(u64 us)
{
	return us * read_sysreg(cntfrq_el0) / 1000000;
}

static inline phys_addr_t hal_virt_to_phys(const void *va)
{
	return hyp_virt_to_phys((void *)va);
}

static inline void *hal_phys_to_virt(phys_addr_t pa)
{
	return hyp_phys_to_virt(pa);
}

/*
 * The driver of an SMMU that doesn't snoop stores with Non-cacheable attributes, and
 * EL2 loads with Write-Back ones. Between the two there has to be a DMB for loads
 * and stores (Arm DDI 0487, B2.11). Without it the DC CIVAC before the load may come
 * before the store as well (D7.5.9.15). Neither the trap nor a lock is a barrier, and
 * the driver has none for loads: it needs its stores ordered against each other.
 */
static inline void hal_host_mb(void)
{
	if (hal_incoherent)
		dma_mb();
}

static inline u64 hal_host_read(const __le64 *word)
{
	hal_clean(word, sizeof(*word));
	return le64_to_cpu(READ_ONCE(*word));
}

static inline void hal_host_write(__le32 *word, u32 val)
{
	WRITE_ONCE(*word, cpu_to_le32(val));
}

#endif /* __PKVM_SMMU_HAL_EL2_H */
