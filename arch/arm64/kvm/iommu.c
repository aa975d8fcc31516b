// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMUs that EL2 takes from a protected KVM host: the half at EL1.
 *
 * All but kvm_iommu_retry() runs while the host still has all its privileges.
 * See arch/arm64/kvm/hyp/nvhe/iommu/iommu.c for what holds afterwards.
 */
#define pr_fmt(fmt) "kvm: " fmt

#include <linux/init.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>

#include <asm/kvm_asm.h>
#include <asm/kvm_mmu.h>

#include <kvm/arm_iommu.h>

/* Used only while the kernel initialises */
static const struct kvm_iommu_driver *iommu_driver;

/**
 * kvm_iommu_register_driver() - register the driver of the machine's IOMMUs
 * @driver:	the driver; there can be one
 *
 * To be called before KVM initialises, that is, before device_initcall().
 */
void __init kvm_iommu_register_driver(const struct kvm_iommu_driver *driver)
{
	if (WARN_ON(iommu_driver))
		return;
	iommu_driver = driver;
}

/**
 * kvm_iommu_prepare() - describe the machine's IOMMUs to EL2
 *
 * To be called right before EL2 is initialised.
 *
 * Return: 0, or a negative error if protected KVM must not start.
 */
int __init kvm_iommu_prepare(void)
{
	int ret;

	if (!iommu_driver)
		return 0;

	ret = iommu_driver->prepare();
	if (ret)
		return ret == -ENODEV ? 0 : ret;

	kvm_nvhe_sym(kvm_iommu_ops) =
		kern_hyp_va(lm_alias(iommu_driver->el2_ops));

	return 0;
}

/**
 * kvm_iommu_finalise() - tell the driver whether the IOMMUs isolate
 * @err:	see struct kvm_iommu_driver
 *
 * The driver logs what is not isolated. If protected KVM has started without a
 * driver, for instance because of initcall_blacklist=, this logs it.
 */
void __init kvm_iommu_finalise(int err)
{
	if (iommu_driver)
		iommu_driver->finalise(err);
	else if (!err)
		pr_warn("DMA is not isolated: no IOMMU driver is registered\n");
}

/**
 * kvm_iommu_retry() - is a hypercall that donates memory to be made again?
 * @ret:	what it has returned
 *
 * It returns -EAGAIN if an IOMMU needed more time than EL2 can wait with
 * host_mmu.lock held. This sleeps for a tick, so that the IOMMU can catch up.
 *
 * Return: true if the hypercall is to be repeated; false if it has returned
 * anything but -EAGAIN, or if the caller has been killed.
 */
bool kvm_iommu_retry(int ret)
{
	if (ret != -EAGAIN)
		return false;

	schedule_timeout_killable(1);
	return !fatal_signal_pending(current);
}
