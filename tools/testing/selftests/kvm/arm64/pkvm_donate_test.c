// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many pages are donated to protected guests and come back, while devices
 * access memory in the same blocks.
 *
 *	pkvm_donate_test split DISK ROUNDS
 *		One page of a block of RAM is donated and comes back, while the
 *		disk's DMA accesses the rest of the block.
 *	pkvm_donate_test stress DISK ROUNDS PAGES
 *		Guests of so many pages are created and destroyed, while the
 *		disk's DMA accesses other pages.
 *	pkvm_donate_test time PAGES
 *		How long a guest takes to write to so many pages first.
 *
 * DISK is a block device that reads by DMA, such as an NVMe drive. "split" and
 * "stress" need iommu.passthrough=1, where a bus address is a physical address.
 * "stress" needs QEMU's edu as well.
 *
 * The test reads from the disk into a page to show that DMA reaches the page.
 * It reads EL2's count of the pages in its tables, in debugfs, to show that EL2
 * loses no page and what a block takes that is split.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edu.h"
#include "pkvm.h"
#include "test_util.h"

/* Where blocks are looked for, and what a reader reads at once */
#define AREA		(64 << 20)
#define READ_SIZE	(512 << 10)

/* What is measured is many times a few of them, or so many */
#define MEASURED_PAGES	32

/* Of a page, and of what a full table of pages maps */
static size_t page_size, block_size;

static int disk;
/* What is on it */
static unsigned char *wanted;

#define result(cond, name, fmt, ...)                   \
	do {                                           \
		ksft_print_msg(fmt "\n", __VA_ARGS__); \
		ksft_test_result(cond, "%s\n", name);  \
	} while (0)

static void disk_open(const char *path)
{
	disk = open(path, O_RDONLY | O_DIRECT);
	if (disk < 0)
		TEST_FAIL("%s", path);
	wanted = own_pages(READ_SIZE);
	if (pread(disk, wanted, READ_SIZE, 0) != READ_SIZE)
		TEST_FAIL("%s", path);
	if (count_nonzero(wanted, READ_SIZE) < READ_SIZE / 2)
		TEST_FAIL("%s has nothing to be read", path);
}

/* Does the disk's DMA reach memory of ours? */
static bool disk_reaches(unsigned char *buf, size_t size)
{
	size_t done, piece;

	memset(buf, 0, size);
	for (done = 0; done < size; done += piece) {
		piece = size - done < READ_SIZE ? size - done : READ_SIZE;
		if (pread(disk, buf + done, piece, 0) != (ssize_t)piece ||
		    memcmp(buf + done, wanted, piece))
			return false;
	}
	return true;
}

static unsigned int el2_stat(const char *name)
{
	return pkvm_smmu_count("stats", name);
}

/* One that reads all the time, into one or two places in turn */
static struct reader {
	unsigned char		*to[2];
	atomic_bool		stop;
	unsigned int		reads;
	unsigned int		wrong;
	pthread_t		thread;
} reader;

static void *reader_runs(void *unused)
{
	(void)unused;
	while (!reader.stop) {
		if (!disk_reaches(reader.to[reader.reads++ % 2], READ_SIZE))
			reader.wrong++;
	}
	return NULL;
}

static void reader_start(void *to, void *then)
{
	reader = (struct reader) { .to = { to, then } };
	if (pthread_create(&reader.thread, NULL, reader_runs, NULL))
		TEST_FAIL("no thread");
}

static void reader_stop(void)
{
	reader.stop = true;
	pthread_join(reader.thread, NULL);
}

static void new_guest(struct pkvm_guest *guest, void *data, size_t size)
{
	u64 secret[PKVM_SECRET_SIZE / sizeof(u64)];
	size_t i;

	for (i = 0; i < PKVM_SECRET_SIZE / sizeof(u64); i++)
		secret[i] = 0x5ec2e75ec2e75ec2 ^ i;
	pkvm_guest_create(guest, data, size, secret);
}

/* A block of RAM, all of which is ours */
static unsigned char *own_block(unsigned char *area)
{
	size_t i, run = 0;
	u64 prev = 0;

	for (i = 0; i < AREA / page_size; i++) {
		u64 phys = phys_addr(area + i * page_size);

		if (run && phys == prev + page_size)
			run++;
		else
			run = !(phys % block_size);
		if (run == block_size / page_size)
			return area + (i + 1) * page_size - block_size;
		prev = phys;
	}
	TEST_FAIL("no block of RAM to be had");
}

static bool overlap(const unsigned char *a, const unsigned char *b,
		    size_t b_size)
{
	return a < b + b_size && b < a + READ_SIZE;
}

static void blocks_while_split(int rounds)
{
	unsigned char *area = own_pages(AREA), *block = own_block(area);
	unsigned char *other = overlap(area, block, block_size) ?
				       area + AREA - READ_SIZE :
				       area;
	unsigned int before, during = -1U, most = 0, after, changed = 0;
	struct pkvm_guest guest;
	int i;

	if (overlap(other, block, block_size))
		TEST_FAIL("with pages of this size a block leaves no room");
	before = el2_stat("pool_used");
	/*
	 * Through this block of 2 MiB, and through one of 1 GiB, if it is in
	 * one
	 */
	reader_start(block, other);
	for (i = 0; i < rounds; i++) {
		unsigned char *page =
			block + READ_SIZE +
			i * 37 % ((block_size - READ_SIZE) / page_size) *
				page_size;
		unsigned int used;

		new_guest(&guest, page, page_size);
		changed += pkvm_guest_run(&guest);
		used = el2_stat("pool_used");
		during = used < during ? used : during;
		most = used > most ? used : most;
		changed += pkvm_guest_run(&guest);
		pkvm_guest_destroy(&guest);
	}
	reader_stop();
	after = el2_stat("pool_used");

	result(!reader.wrong && reader.reads > (unsigned int)rounds && !changed,
	       "dma_works_while_block_is_split",
	       "%u reads of %u KiB, %u of them wrong, through the block at %#lx while %d of its pages came and went",
	       reader.reads, READ_SIZE >> 10, reader.wrong, phys_addr(block),
	       rounds);
	result(before && during > before && after == before,
	       "split_block_returns_its_tables",
	       "EL2 has %u tables, %u to %u while a page is away, then %u",
	       before, during, most, after);
	result(disk_reaches(area, AREA), "dma_works_after_split",
	       "DMA reaches all %u MiB", AREA >> 20);
}

static long long kernel_counts(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	long long val = -1;
	char key[64];

	while (file && fscanf(file, "%63s %lld", key, &val) == 2 &&
	       strcmp(key, name))
		val = -1;
	if (file)
		fclose(file);
	return val;
}

static long long pinned_pages(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);

	/*
	 * Each CPU keeps some of what it has counted to itself, until it is
	 * asked
	 */
	if (fd < 0 || write(fd, "1", 1) != 1 ||
	    kernel_counts("nr_foll_pin_acquired") < 0)
		TEST_FAIL("no count of pins");
	close(fd);
	return kernel_counts("nr_foll_pin_acquired") -
	       kernel_counts("nr_foll_pin_released");
}

static void many_guests(int rounds, size_t pages)
{
	size_t size = pages * page_size, left = 0, leaked = 0;
	unsigned int before, after, lost = 0, peak;
	unsigned char got[EDU_BUF_SIZE], *data;
	unsigned long long changed = 0;
	struct pkvm_guest guest;
	long long pinned;
	int i;

	edu_open();
	pinned = pinned_pages();
	before = el2_stat("pool_used");
	reader_start(own_pages(READ_SIZE), own_pages(READ_SIZE));
	for (i = 0; i < rounds; i++) {
		data = own_pages(size);
		/* The device's TLB has them */
		lost += !disk_reaches(data, size);
		new_guest(&guest, data, size);
		changed += pkvm_guest_run(&guest);
		edu_read(phys_addr(data + i * 37 % pages * page_size), got,
			 sizeof(got));
		leaked += count_nonzero(got, sizeof(got));
		changed += pkvm_guest_run(&guest);
		pkvm_guest_destroy(&guest);
		left += count_nonzero(data, size);
		lost += !disk_reaches(data, size);
		munmap(data, size);
	}
	reader_stop();
	after = el2_stat("pool_used");
	peak = el2_stat("pool_peak");

	result(!reader.wrong && reader.reads,
	       "dma_works_while_guests_come_and_go",
	       "%u reads of %u KiB, %u of them wrong, while %d guests of %zu pages came and went",
	       reader.reads, READ_SIZE >> 10, reader.wrong, rounds, pages);
	result(!leaked && !changed, "guests_are_not_reached",
	       "the device read %zu bytes of theirs, they found %llu words changed",
	       leaked, changed);
	result(!left && !lost, "pages_come_back_empty_and_reachable",
	       "%zu bytes of theirs are left, %u times DMA did not reach all pages",
	       left, lost);
	result(before && before == after, "el2_loses_no_table",
	       "EL2 has %u tables, then %u, %u at most", before, after, peak);
	result(pinned_pages() == pinned, "no_page_stays_pinned",
	       "%lld pages are pinned, then %lld", pinned, pinned_pages());
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The first access to each page is what gives it to the guest */
static void measure(size_t pages)
{
	size_t rounds = pages < MEASURED_PAGES ? MEASURED_PAGES / pages : 1, i;
	void *data = own_pages(pages * page_size);
	long long took = 0, start;
	struct pkvm_guest guest;

	for (i = 0; i < rounds; i++) {
		new_guest(&guest, data, pages * page_size);
		start = now_ns();
		pkvm_guest_run(&guest);
		took += now_ns() - start;
		pkvm_guest_destroy(&guest);
	}
	result(true, "time", "%zu pages take %lld ns", pages,
	       took / (long long)rounds);
}

int main(int argc, char **argv)
{
	page_size = getpagesize();
	block_size = page_size / sizeof(u64) * page_size;

	ksft_print_header();
	if (argc == 4 && !strcmp(argv[1], "split")) {
		ksft_set_plan(3);
		disk_open(argv[2]);
		blocks_while_split(atoi(argv[3]));
	} else if (argc == 5 && !strcmp(argv[1], "stress")) {
		ksft_set_plan(5);
		disk_open(argv[2]);
		many_guests(atoi(argv[3]), atoi(argv[4]));
	} else if (argc == 3 && !strcmp(argv[1], "time")) {
		ksft_set_plan(1);
		measure(atoi(argv[2]));
	} else {
		ksft_exit_skip("split DISK ROUNDS | stress DISK ROUNDS PAGES | time PAGES\n");
	}
	ksft_finished();
}
