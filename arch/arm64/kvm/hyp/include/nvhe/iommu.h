/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMUs that EL2 owns: the part that knows no vendor.
 */
#ifndef __ARM64_KVM_NVHE_IOMMU_H__
#define __ARM64_KVM_NVHE_IOMMU_H__

#include <linux/errno.h>
#include <linux/kvm_host.h>
#include <linux/types.h>

/* How many ranges of MMIO EL2 can take */
#define KVM_IOMMU_MAX_MMIO	16

/**
 * struct kvm_iommu_ops - what EL2 asks of the driver of its IOMMUs
 * @init:	take them, before the host loses its privileges. Return: 0 if no
 *		device reaches memory but through EL2's tables; else a negative
 *		error, and protected KVM does not start.
 * @host_unmap:	pages are about to leave the host; host_mmu.lock held, so it must be
 *		quick. Return: 0 if no device can reach them any more; else a negative
 *		error, and the host keeps them. -EAGAIN: EL1 is to try again.
 * @host_map:	pages have come to the host; host_mmu.lock held. What was stored to them
 *		may be in the CPUs' caches only.
 * @mmio_read:	the host reads MMIO that @init took, @offset bytes into the range
 *		with this cookie.
 * @mmio_write:	the host writes it.
 */
struct kvm_iommu_ops {
	int (*init)(void);
	int (*host_unmap)(phys_addr_t start, phys_addr_t end);
	void (*host_map)(phys_addr_t start, phys_addr_t end);
	u64 (*mmio_read)(void *cookie, u32 offset, unsigned int size);
	void (*mmio_write)(void *cookie, u32 offset, unsigned int size, u64 val);
};

#ifdef CONFIG_PKVM_IOMMU

/* The driver, from EL1, before it loses its privileges; NULL if there is none */
extern const struct kvm_iommu_ops *kvm_iommu_ops;

int kvm_iommu_init(void);
bool kvm_iommu_is_live(void);
int kvm_iommu_host_unmap(phys_addr_t start, u64 size);
void kvm_iommu_host_map(phys_addr_t start, u64 size);
int kvm_iommu_host_abort(struct kvm_cpu_context *host_ctxt, u64 esr, u64 ipa);
bool kvm_iommu_trim_mmio(u64 addr, u64 *start, u64 *end);
void kvm_iommu_hcall_exit(struct kvm_cpu_context *host_ctxt);

int kvm_iommu_take_mmio(phys_addr_t base, size_t size, void *cookie, void __iomem **va);
bool kvm_iommu_next_mmio(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end);
int kvm_iommu_copy_from_host(void *dst, phys_addr_t src, size_t size, bool cached);
int kvm_iommu_write_to_host(phys_addr_t dst, u32 val);

#else

static inline int kvm_iommu_init(void)
{
	return 0;
}

static inline bool kvm_iommu_is_live(void)
{
	return false;
}

static inline int kvm_iommu_host_unmap(phys_addr_t start, u64 size)
{
	return 0;
}

static inline void kvm_iommu_host_map(phys_addr_t start, u64 size) { }

static inline int kvm_iommu_host_abort(struct kvm_cpu_context *host_ctxt, u64 esr,
				       u64 ipa)
{
	return -ENOENT;
}

static inline bool kvm_iommu_trim_mmio(u64 addr, u64 *start, u64 *end)
{
	return true;
}

static inline void kvm_iommu_hcall_exit(struct kvm_cpu_context *host_ctxt) { }

#endif /* CONFIG_PKVM_IOMMU */

#endif /* __ARM64_KVM_NVHE_IOMMU_H__ */
