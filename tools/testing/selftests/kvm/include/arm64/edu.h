/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's edu device (1234:11e8), a DMA master that accesses any address.
 *
 * The device has a buffer of EDU_BUF_SIZE bytes and copies between the buffer
 * and a bus address, which it does not check. Under iommu.passthrough=1 a bus
 * address is a physical address. The device does not report whether a copy
 * succeeded: if the SMMU stops a read, the buffer has zeros; if the SMMU stops
 * a write, the write is lost. The CPU cannot read the buffer. Its content goes
 * in and out through a page of the calling process.
 *
 * With several of these devices, EDU in the environment is the PCI address of the
 * one that is meant, as sysfs has it. Else it is the first one.
 *
 * What cannot be done at all (no device, no privilege, no answer in time) fails
 * the test by TEST_ASSERT().
 */
#ifndef SELFTEST_KVM_EDU_H
#define SELFTEST_KVM_EDU_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define EDU_BUF_SIZE	4096

/*
 * Registers, of edu and of others. One plain load or store each, which is what
 * a hypervisor can emulate if the registers are its own.
 */
static inline u32 mmio_read32(const void *reg)
{
	u32 val;

	asm volatile("ldr %w0, [%1]" : "=r" (val) : "r" (reg) : "memory");
	return val;
}

static inline void mmio_write32(void *reg, u32 val)
{
	asm volatile("str %w0, [%1]" : : "r" (val), "r" (reg) : "memory");
}

static inline void mmio_write64(void *reg, u64 val)
{
	asm volatile("str %0, [%1]" : : "r" (val), "r" (reg) : "memory");
}

/* Returns true if this machine has one. Then edu_bdf() knows its address. */
bool edu_exists(void);

/* Find the device and enable its memory and bus mastering. Call it first. */
void edu_open(void);

/* Its stream ID, if that is the PCI requester ID; its address, as in sysfs. */
unsigned int edu_sid(void);
const char *edu_bdf(void);

/*
 * Returns false if Linux translates the device's addresses. If the device has no
 * SMMU for Linux, it does not.
 */
bool edu_uses_physical_addresses(void);

/* Device copies @len bytes at @bus into its buffer, or out of it. */
void edu_load(u64 bus, size_t len);
void edu_store(u64 bus, size_t len);
/* The same, to and from @offset in its buffer. */
void edu_load_at(size_t offset, u64 bus, size_t len);
void edu_store_at(size_t offset, u64 bus, size_t len);

/* As edu_store(), but do not wait. The device stores 100 ms from now. */
void edu_store_later(u64 bus, size_t len);

/* Fill the buffer with bytes that no test expects. */
void edu_poison(void);

/*
 * Copy the first @len bytes of the buffer to @dst. Returns false if the device
 * could not write to a page of ours.
 */
bool edu_get(void *dst, size_t len);

/* Have the device read from @bus, and write to it. */
void edu_read(u64 bus, void *dst, size_t len);
void edu_write(u64 bus, const void *src, size_t len);

/* Returns true if the device copies from one page of ours to another. */
bool edu_works(void);

/* Zeroed pages of our own that do not move, one page, and its address */
void *own_pages(size_t size);
void *own_page(void);
u64 phys_addr(const void *page);

/* Returns how many of the @len bytes at @buf are not zero. */
size_t count_nonzero(const void *buf, size_t len);

#endif /* SELFTEST_KVM_EDU_H */
