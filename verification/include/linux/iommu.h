/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU_NO_PASID, and for the driver's own structures in arm-smmu-v3.h, which no program
 * here uses, as much as lets them compile.
 */
#ifndef __PKVM_SMMU_IOMMU_H
#define __PKVM_SMMU_IOMMU_H

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/types.h>

#define IOMMU_NO_PASID			0U
#define IOMMU_FWSPEC_PCI_RC_CANWBS	0

#define SMP_CACHE_BYTES			64
#define ____cacheline_aligned_in_smp
#define __rcu
#define __counted_by(member)

typedef struct { int unused; } rwlock_t, spinlock_t;
typedef s64 ktime_t;
typedef unsigned int ioasid_t;
typedef u64 dma_addr_t;

struct ida { int unused; };
struct iommu_device { int unused; };
struct iommu_domain { int unused; };
struct iommu_fwspec { u32 flags; };
struct mmu_notifier { int unused; };
struct mutex { int unused; };
struct rb_node { int unused; };
struct rb_root { int unused; };
struct rcu_head { int unused; };
struct device;
struct iommu_user_data;

void kfree(const void *p);
struct iommu_fwspec *dev_iommu_fwspec_get(struct device *dev);

#define kzalloc_flex(obj, member, n)		NULL
#define rcu_dereference_protected(p, cond)	(p)
#define rwlock_init(lock)			((void)(lock))

#endif /* __PKVM_SMMU_IOMMU_H */
