/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's edu device (1234:11e8) as a DMA master that goes where it is told.
 *
 * The device has a buffer of EDU_BUF_SIZE bytes and copies between it and a
 * bus address, which is handed to it as it is: under iommu.passthrough=1 that
 * is a physical address. It never says whether a copy worked. A read that the
 * SMMU stops fills the buffer with zeros, a write that it stops is lost. The
 * CPU can't see the buffer, so its contents go in and out through a page of
 * the calling process.
 *
 * What can't be done at all (no device, no privilege, no answer in time) ends
 * the program with EXIT_BROKEN and one line on stderr.
 */
#ifndef EDU_H
#define EDU_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define EDU_BUF_SIZE	4096

/* What the programs of this directory exit with. */
#define EXIT_BLOCKED	0	/* the device was stopped, or all is as expected */
#define EXIT_REACHED	1	/* the device got through, or something is not */
#define EXIT_BROKEN	99	/* nothing can be said; no test takes it for a result */

/*
 * Registers, of edu and of others. One plain load or store each, which is what
 * a hypervisor can emulate if the registers are its own.
 */
static inline __u32 mmio_read32(const void *reg)
{
	__u32 val;

	asm volatile("ldr %w0, [%1]" : "=r" (val) : "r" (reg) : "memory");
	return val;
}

static inline void mmio_write32(void *reg, __u32 val)
{
	asm volatile("str %w0, [%1]" : : "r" (val), "r" (reg) : "memory");
}

static inline void mmio_write64(void *reg, __u64 val)
{
	asm volatile("str %0, [%1]" : : "r" (val), "r" (reg) : "memory");
}

/* Is there one? */
bool edu_exists(void);

/* Find the device and enable its memory and bus mastering. Call it first. */
void edu_open(void);

/* Its stream ID, if that is the PCI requester ID; its address, as in sysfs. */
unsigned int edu_sid(void);
const char *edu_bdf(void);

/* Device copies @len bytes at @bus into its buffer, or out of it. */
void edu_load(__u64 bus, size_t len);
void edu_store(__u64 bus, size_t len);
/* The same, to and from @offset in its buffer. */
void edu_load_at(size_t offset, __u64 bus, size_t len);
void edu_store_at(size_t offset, __u64 bus, size_t len);

/* The same from the beginning of it, some 100 ms from now, whoever is alive then. */
void edu_store_later(__u64 bus, size_t len);

/* Fill the buffer with bytes that no test looks for. */
void edu_poison(void);

/*
 * Copy the first @len bytes of the buffer to @dst. Returns false if the device
 * could not write to a page of ours.
 */
bool edu_get(void *dst, size_t len);

/* What the device finds at @bus, and what it is made to write there. */
void edu_read(__u64 bus, void *dst, size_t len);
void edu_write(__u64 bus, const void *src, size_t len);

/* True if the device can copy from one page of ours to another. */
bool edu_works(void);

/* Zeroed pages of our own that stay where they are; one; where one is. */
void *own_pages(size_t size);
void *own_page(void);
__u64 phys_addr(const void *page);

/* How many of the @len bytes at @buf are not zero. */
size_t count_nonzero(const void *buf, size_t len);

#endif /* EDU_H */
