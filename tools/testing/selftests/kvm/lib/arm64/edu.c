// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drives QEMU's edu device from user space. See edu.h for the contract, and
 * docs/specs/edu.rst in QEMU for the registers.
 *
 * A copy takes the device 100 ms, whatever its size: tests are cheap in bytes
 * and dear in copies.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "test_util.h"

#define EDU_BAR_SIZE		0x100000
#define EDU_DMA_SRC		0x80
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define EDU_DMA_CMD_RUN		0x1
#define EDU_DMA_CMD_TO_MEM	0x2
#define EDU_BUF			0x40000

#define PCI_COMMAND		0x04
#define PCI_COMMAND_MEMORY	0x2
#define PCI_COMMAND_MASTER	0x4

#define PAGEMAP_PRESENT		0x8000000000000000
#define PAGEMAP_PFN		0x007fffffffffffff

#define TIMEOUT_MS		10000

/* Two bytes that tell "nothing was copied" from what a copy can bring. */
#define POISON			0x5a
#define UNTOUCHED		0xa5

static char *regs;
static char bdf[16];
static unsigned char *bounce;
static u64 bounce_phys;

static unsigned int read_hex(const char *dir, const char *file)
{
	char path[128];
	unsigned int val;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%x", &val) != 1)
		TEST_FAIL("can't read %s", path);
	fclose(f);
	return val;
}

static int open_in(const char *dir, const char *file)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		TEST_FAIL("%s", path);
	return fd;
}

/* Its directory in sysfs, or nothing. Sets @bdf. */
static void edu_find(char *dir, size_t size)
{
	const char *wanted = getenv("EDU");
	glob_t devs;
	size_t i;

	dir[0] = 0;
	if (glob("/sys/bus/pci/devices/*", 0, NULL, &devs))
		return;
	for (i = 0; i < devs.gl_pathc && !dir[0]; i++) {
		if (wanted && strcmp(strrchr(devs.gl_pathv[i], '/') + 1, wanted))
			continue;
		if (read_hex(devs.gl_pathv[i], "vendor") == 0x1234 &&
		    read_hex(devs.gl_pathv[i], "device") == 0x11e8)
			snprintf(dir, size, "%s", devs.gl_pathv[i]);
	}
	globfree(&devs);
	if (dir[0])
		snprintf(bdf, sizeof(bdf), "%s", strrchr(dir, '/') + 1);
}

bool edu_exists(void)
{
	char dir[64];

	edu_find(dir, sizeof(dir));
	return dir[0];
}

void edu_open(void)
{
	u16 command;
	char dir[64];
	int fd;

	edu_find(dir, sizeof(dir));
	if (!dir[0])
		TEST_FAIL("no edu device");

	/* No driver has enabled the bridges above it. */
	fd = open_in(dir, "enable");
	if (write(fd, "1", 1) != 1)
		TEST_FAIL("can't enable %s", bdf);
	close(fd);
	fd = open_in(dir, "config");
	if (pread(fd, &command, sizeof(command), PCI_COMMAND) !=
	    sizeof(command))
		TEST_FAIL("PCI command");
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(fd, &command, sizeof(command), PCI_COMMAND) !=
	    sizeof(command))
		TEST_FAIL("PCI command");
	close(fd);

	fd = open_in(dir, "resource0");
	regs = mmap(NULL, EDU_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    0);
	if (regs == MAP_FAILED)
		TEST_FAIL("resource0");
	close(fd);

	bounce = own_page();
	bounce_phys = phys_addr(bounce);
}

const char *edu_bdf(void)
{
	return bdf;
}

unsigned int edu_sid(void)
{
	unsigned int bus, dev, fn;

	if (sscanf(bdf, "%*x:%x:%x.%x", &bus, &dev, &fn) != 3)
		TEST_FAIL("edu is at '%s'", bdf);
	return bus << 8 | dev << 3 | fn;
}

bool edu_uses_physical_addresses(void)
{
	char path[128], type[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/type",
		 bdf);
	file = fopen(path, "r");
	if (!file)
		return true;
	if (!fgets(type, sizeof(type), file))
		type[0] = 0;
	fclose(file);
	return !strcmp(type, "identity\n");
}

static void edu_start(u64 src, u64 dst, size_t len, u64 cmd)
{
	mmio_write64(regs + EDU_DMA_SRC, src);
	mmio_write64(regs + EDU_DMA_DST, dst);
	mmio_write64(regs + EDU_DMA_COUNT, len);
	/* Our stores are seen before the device is told to go. */
	asm volatile("dsb sy" : : : "memory");
	mmio_write64(regs + EDU_DMA_CMD, cmd | EDU_DMA_CMD_RUN);
}

static void edu_copy(u64 src, u64 dst, size_t len, u64 cmd)
{
	int ms;

	edu_start(src, dst, len, cmd);
	for (ms = 0; mmio_read32(regs + EDU_DMA_CMD) & EDU_DMA_CMD_RUN; ms++) {
		if (ms == TIMEOUT_MS)
			TEST_FAIL("edu does not finish a copy");
		usleep(1000);
	}
	/* And the device's, before what we read next. */
	asm volatile("dsb sy" : : : "memory");
}

void edu_load_at(size_t offset, u64 bus, size_t len)
{
	edu_copy(bus, EDU_BUF + offset, len, 0);
}

void edu_load(u64 bus, size_t len)
{
	edu_load_at(0, bus, len);
}

void edu_store_at(size_t offset, u64 bus, size_t len)
{
	edu_copy(EDU_BUF + offset, bus, len, EDU_DMA_CMD_TO_MEM);
}

void edu_store(u64 bus, size_t len)
{
	edu_store_at(0, bus, len);
}

void edu_store_later(u64 bus, size_t len)
{
	edu_start(EDU_BUF, bus, len, EDU_DMA_CMD_TO_MEM);
}

static bool all_equal(const unsigned char *buf, unsigned char byte, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (buf[i] != byte)
			return false;
	}
	return true;
}

void edu_poison(void)
{
	memset(bounce, POISON, EDU_BUF_SIZE);
	edu_load(bounce_phys, EDU_BUF_SIZE);
}

bool edu_get(void *dst, size_t len)
{
	memset(bounce, UNTOUCHED, EDU_BUF_SIZE);
	edu_store(bounce_phys, len);
	memcpy(dst, bounce, len);
	if (all_equal(dst, POISON, len))
		TEST_FAIL("edu copied nothing into its buffer");
	return !all_equal(dst, UNTOUCHED, len);
}

void edu_read(u64 bus, void *dst, size_t len)
{
	edu_poison();
	edu_load(bus, len);
	if (!edu_get(dst, len))
		TEST_FAIL("edu can't reach our own memory");
}

void edu_write(u64 bus, const void *src, size_t len)
{
	memcpy(bounce, src, len);
	edu_load(bounce_phys, len);
	edu_store(bus, len);
}

bool edu_works(void)
{
	unsigned char data[EDU_BUF_SIZE], *page = own_page();
	bool same;
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + (i >> 8);
	edu_write(phys_addr(page), data, sizeof(data));
	same = !memcmp(page, data, sizeof(data));
	munmap(page, sysconf(_SC_PAGESIZE));
	return same;
}

void *own_pages(size_t size)
{
	void *pages;

	pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (pages == MAP_FAILED || mlock(pages, size))
		TEST_FAIL("memory");
	return pages;
}

void *own_page(void)
{
	return own_pages(sysconf(_SC_PAGESIZE));
}

u64 phys_addr(const void *page)
{
	size_t size = sysconf(_SC_PAGESIZE);
	u64 entry;
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0)
		TEST_FAIL("/proc/self/pagemap");
	if (pread(fd, &entry, sizeof(entry),
		  (unsigned long)page / size * sizeof(entry)) !=
		    sizeof(entry) ||
	    !(entry & PAGEMAP_PRESENT) || !(entry & PAGEMAP_PFN))
		TEST_FAIL("/proc/self/pagemap does not tell");
	close(fd);
	return (entry & PAGEMAP_PFN) * size;
}

size_t count_nonzero(const void *buf, size_t len)
{
	const unsigned char *bytes = buf;
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += bytes[i] != 0;
	return n;
}
