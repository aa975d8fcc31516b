/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMUs of a protected KVM host: how their driver at EL1 registers with KVM.
 */
#ifndef __KVM_ARM_IOMMU_H
#define __KVM_ARM_IOMMU_H

#include <linux/types.h>

#include <asm/hyp_image.h>

struct kvm_iommu_ops;

/* A variable of EL2, which EL1 writes before it loses its privileges */
extern const struct kvm_iommu_ops *kvm_nvhe_sym(kvm_iommu_ops);

/**
 * struct kvm_iommu_mmio - MMIO that EL2 has taken
 * @base:	physical address
 * @end:	first address after it
 * @cookie:	for the driver at EL2
 *
 * EL2 keeps the ranges in memory that the driver provides. The driver at EL1
 * sets it aside: one struct for each range.
 */
struct kvm_iommu_mmio {
	phys_addr_t	base;
	phys_addr_t	end;
	void		*cookie;
};

/**
 * struct kvm_iommu_driver - a driver whose IOMMUs EL2 takes
 * @el2_ops:	kvm_nvhe_sym() of its operations at EL2
 * @prepare:	describe the IOMMUs to EL2. Called at most once, right before
 *		EL2 is initialised, and only if protected KVM was asked for.
 *		Return: 0; -ENODEV if there are none; any other negative error
 *		if one can't be isolated, and protected KVM does not start
 * @finalise:	called once, when the outcome is known. 0: EL2 has the IOMMUs,
 *		and the host has lost its privileges. -ENODEV: protected KVM has
 *		not started, and the IOMMUs are the host's. Any other negative
 *		error: EL2 has the IOMMUs, but some CPUs may have kept their
 *		privileges
 */
struct kvm_iommu_driver {
	const struct kvm_iommu_ops *el2_ops;
	int (*prepare)(void);
	void (*finalise)(int err);
};

void kvm_iommu_register_driver(const struct kvm_iommu_driver *driver);

#ifdef CONFIG_PKVM_IOMMU
int kvm_iommu_prepare(void);
void kvm_iommu_finalise(int err);
bool kvm_iommu_retry(int ret);
#else
static inline int kvm_iommu_prepare(void)
{
	return 0;
}

static inline void kvm_iommu_finalise(int err)
{
}

static inline bool kvm_iommu_retry(int ret)
{
	return false;
}
#endif

#endif /* __KVM_ARM_IOMMU_H */
