// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's edu device, see docs/specs/edu.rst in QEMU.
 *
 * The device copies between an IOVA and a buffer of its own, in 100 ms whatever
 * the size is. It does not report whether a copy succeeded. By default it masks
 * IOVAs to 28 bits: start QEMU with -device edu,dma_mask=0xffffffffffffffff.
 */
#include <stdint.h>
#include <unistd.h>

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/sizes.h>

#include <libvfio.h>

#define PCI_VENDOR_ID_QEMU_OLD		0x1234
#define PCI_DEVICE_ID_QEMU_EDU		0x11e8

#define EDU_ID				0x00
#define EDU_ID_MASK			0xff
#define EDU_ID_VALUE			0xed
#define EDU_IRQ_STATUS			0x24
#define EDU_IRQ_RAISE			0x60
#define EDU_IRQ_ACK			0x64
#define EDU_DMA_SRC			0x80
#define EDU_DMA_DST			0x88
#define EDU_DMA_COUNT			0x90
#define EDU_DMA_CMD			0x98
#define EDU_DMA_CMD_RUN			BIT(0)
#define EDU_DMA_CMD_TO_MEM		BIT(1)

/* Where the buffer is for the DMA registers */
#define EDU_BUF				0x40000
#define EDU_BUF_SIZE			SZ_4K

/* The value that send_msi() raises. The device has no use of its own for it. */
#define EDU_IRQ_MSI			BIT(0)

/* Each copy is two transfers. */
#define EDU_MAX_MEMCPY_COUNT		8

#define EDU_POLL_US			1000
#define EDU_TIMEOUT_US			(10 * 1000 * 1000)

struct edu_state {
	/* The copy that memcpy_start() has begun */
	iova_t src;
	iova_t dst;
	u64 size;
	u64 count;
};

static inline struct edu_state *to_edu_state(struct vfio_pci_device *device)
{
	return device->driver.region.vaddr;
}

static int edu_probe(struct vfio_pci_device *device)
{
	u32 id;

	if (!vfio_pci_device_match(device, PCI_VENDOR_ID_QEMU_OLD,
				   PCI_DEVICE_ID_QEMU_EDU))
		return -EINVAL;

	VFIO_ASSERT_NOT_NULL(device->bars[0].vaddr);

	id = readl(device->bars[0].vaddr + EDU_ID);
	if ((id & EDU_ID_MASK) != EDU_ID_VALUE) {
		dev_err(device, "edu: Unsupported identification: 0x%x\n", id);
		return -EINVAL;
	}
	return 0;
}

static void edu_dma_wait(struct vfio_pci_device *device)
{
	void *bar0 = device->bars[0].vaddr;
	unsigned int us;

	for (us = 0; readl(bar0 + EDU_DMA_CMD) & EDU_DMA_CMD_RUN;
	     us += EDU_POLL_US) {
		VFIO_ASSERT_LT(us, EDU_TIMEOUT_US,
			       "edu does not finish a copy\n");
		usleep(EDU_POLL_US);
	}
}

/* Without an interrupt when it is done */
static void edu_dma_start(struct vfio_pci_device *device, u64 src, u64 dst,
			  u64 size, u64 cmd)
{
	void *bar0 = device->bars[0].vaddr;

	writeq(src, bar0 + EDU_DMA_SRC);
	writeq(dst, bar0 + EDU_DMA_DST);
	writeq(size, bar0 + EDU_DMA_COUNT);
	writeq(cmd | EDU_DMA_CMD_RUN, bar0 + EDU_DMA_CMD);
}

static void edu_read_start(struct vfio_pci_device *device)
{
	struct edu_state *edu = to_edu_state(device);

	edu_dma_start(device, edu->src, EDU_BUF, edu->size, 0);
}

static void edu_write_start(struct vfio_pci_device *device)
{
	struct edu_state *edu = to_edu_state(device);

	edu_dma_start(device, EDU_BUF, edu->dst, edu->size, EDU_DMA_CMD_TO_MEM);
}

static void edu_init(struct vfio_pci_device *device)
{
	VFIO_ASSERT_GE(device->driver.region.size, sizeof(struct edu_state));

	vfio_pci_cmd_set(device, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	edu_dma_wait(device);
	vfio_pci_msi_enable(device, 0, 1);

	device->driver.msi = 0;
	device->driver.max_memcpy_size = EDU_BUF_SIZE;
	device->driver.max_memcpy_count = EDU_MAX_MEMCPY_COUNT;
}

static void edu_remove(struct vfio_pci_device *device)
{
	edu_dma_wait(device);
	vfio_pci_msi_disable(device);
	vfio_pci_cmd_clear(device, PCI_COMMAND_MASTER);
}

/* Starts the first read. All other transfers are left to memcpy_wait(). */
static void edu_memcpy_start(struct vfio_pci_device *device, iova_t src,
			     iova_t dst, u64 size, u64 count)
{
	struct edu_state *edu = to_edu_state(device);

	edu->src = src;
	edu->dst = dst;
	edu->size = size;
	edu->count = count;
	edu_read_start(device);
}

static int edu_memcpy_wait(struct vfio_pci_device *device)
{
	struct edu_state *edu = to_edu_state(device);

	for (;;) {
		edu_dma_wait(device);
		edu_write_start(device);
		edu_dma_wait(device);
		if (!--edu->count)
			return 0;
		edu_read_start(device);
	}
}

static void edu_send_msi(struct vfio_pci_device *device)
{
	void *bar0 = device->bars[0].vaddr;

	writel(EDU_IRQ_MSI, bar0 + EDU_IRQ_RAISE);
	writel(readl(bar0 + EDU_IRQ_STATUS), bar0 + EDU_IRQ_ACK);
}

const struct vfio_pci_driver_ops edu_ops = {
	.name = "edu",
	.probe = edu_probe,
	.init = edu_init,
	.remove = edu_remove,
	.memcpy_start = edu_memcpy_start,
	.memcpy_wait = edu_memcpy_wait,
	.send_msi = edu_send_msi,
};
