/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMUs that EL2 owns: the part for all vendors.
 */
#ifndef __ARM64_KVM_NVHE_IOMMU_H__
#define __ARM64_KVM_NVHE_IOMMU_H__

#include <linux/errno.h>
#include <linux/kvm_host.h>
#include <linux/types.h>

#include <kvm/arm_iommu.h>

/**
 * struct kvm_iommu_ops - the driver of EL2's IOMMUs
 * @init:	take the IOMMUs, before the host loses its privileges. Return: 0
 *		if devices reach memory only through EL2's tables; a negative
 *		error, and then protected KVM does not start
 * @pages_leave: make pages unreachable for devices. host_mmu.lock is held:
 *		return soon. Return: 0; a negative error, and then the host
 *		keeps the pages.
 * @pages_return: make pages reachable for devices; host_mmu.lock is held. The
 *		content of the pages may be in the CPUs' caches only
 * @page_is_reachable: does a table of EL2's map the page for devices?
 *		host_mmu.lock is held
 * @mmio_read:	the host reads MMIO that @init took, @offset bytes into the
 *		range with this cookie. Return: the value
 * @mmio_write:	the host writes it
 */
struct kvm_iommu_ops {
	int (*init)(void);
	int (*pages_leave)(phys_addr_t start, phys_addr_t end);
	void (*pages_return)(phys_addr_t start, phys_addr_t end);
	bool (*page_is_reachable)(phys_addr_t pa);
	u64 (*mmio_read)(void *cookie, u32 offset, unsigned int size);
	void (*mmio_write)(void *cookie, u32 offset, unsigned int size,
			   u64 val);
};

#ifdef CONFIG_PKVM_IOMMU

/*
 * EL1 sets it before the host loses its privileges; NULL if there is no driver
 */
extern const struct kvm_iommu_ops *kvm_iommu_ops;

int kvm_iommu_init(void);
bool kvm_iommu_is_live(void);
int kvm_iommu_pages_leave(phys_addr_t start, u64 size);
void kvm_iommu_pages_return(phys_addr_t start, u64 size);
void kvm_iommu_assert_reachable(phys_addr_t start, u64 size, bool reachable);
int kvm_iommu_host_abort(struct kvm_cpu_context *host_ctxt, u64 esr, u64 ipa);
bool kvm_iommu_trim_mmio(u64 addr, u64 *start, u64 *end);
void kvm_iommu_hcall_exit(struct kvm_cpu_context *host_ctxt);

void kvm_iommu_provide_mmio(struct kvm_iommu_mmio *ranges, unsigned int nr);
int kvm_iommu_take_mmio(phys_addr_t base, size_t size, void *cookie,
			void __iomem **va);
bool kvm_iommu_next_mmio(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end);
bool kvm_iommu_next_host_ram(phys_addr_t pa, phys_addr_t end, phys_addr_t *from,
			     phys_addr_t *to);
int kvm_iommu_copy_from_host(void *dst, phys_addr_t src, size_t size,
			     bool cached);
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

static inline int kvm_iommu_pages_leave(phys_addr_t start, u64 size)
{
	return 0;
}

static inline void kvm_iommu_pages_return(phys_addr_t start, u64 size) { }

static inline void kvm_iommu_assert_reachable(phys_addr_t start, u64 size,
					      bool reachable)
{
}

static inline int kvm_iommu_host_abort(struct kvm_cpu_context *host_ctxt,
				       u64 esr, u64 ipa)
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
