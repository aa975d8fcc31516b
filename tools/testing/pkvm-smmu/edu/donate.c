// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages go to protected guests and come back, many of them, while devices are at work.
 *
 *	donate split DISK ROUNDS	one page of a block of RAM comes and goes, while the
 *					disk's DMA goes through the rest of the block
 *	donate stress DISK ROUNDS PAGES	guests of so many pages each come and go, while the
 *					disk's DMA goes elsewhere
 *	donate time PAGES		how long a guest takes to write to so many pages for
 *					the first time
 *
 * DISK is a block device that reads by DMA, such as an NVMe drive. "split" and "stress"
 * run under iommu.passthrough=1, where a bus address is a physical address; "stress"
 * wants QEMU's edu as well.
 *
 * That a page is the device's again is seen by reading from the disk into it. That no
 * page of EL2's is lost, and what a block takes that is split, is seen by EL2's own
 * count of the pages that its tables take (stats in debugfs).
 *
 * Prints lines "PASS name: evidence" or "FAIL name: evidence", and exits with
 * EXIT_BLOCKED if all passed, EXIT_REACHED if not, EXIT_BROKEN if nothing can be said.
 */
#include <err.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "edu.h"
#include "guest.h"

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

static bool ok = true;

#define result(cond, name, fmt, ...) do {					\
	bool __ok = (cond);							\
	printf("%s %s: " fmt "\n", __ok ? "PASS" : "FAIL", name, __VA_ARGS__);	\
	ok &= __ok;								\
} while (0)

static void disk_open(const char *path)
{
	disk = open(path, O_RDONLY | O_DIRECT);
	if (disk < 0)
		err(EXIT_BROKEN, "%s", path);
	wanted = own_pages(READ_SIZE);
	if (pread(disk, wanted, READ_SIZE, 0) != READ_SIZE)
		err(EXIT_BROKEN, "%s", path);
	if (count_nonzero(wanted, READ_SIZE) < READ_SIZE / 2)
		errx(EXIT_BROKEN, "%s has nothing to be read", path);
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

/* One of EL2's counters, or 0 if it has none */
static unsigned int el2_stat(const char *name)
{
	unsigned int val = 0;
	char line[64], fmt[32];
	FILE *file;
	glob_t g;

	if (glob("/sys/kernel/debug/arm-smmu-v3-pkvm/*/stats", 0, NULL, &g))
		return 0;
	file = fopen(g.gl_pathv[0], "r");
	snprintf(fmt, sizeof(fmt), "%s %%u", name);
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, fmt, &val) == 1)
			break;
	}
	if (file)
		fclose(file);
	globfree(&g);
	return val;
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
		errx(EXIT_BROKEN, "no thread");
}

static void reader_stop(void)
{
	reader.stop = true;
	pthread_join(reader.thread, NULL);
}

static void new_guest(struct guest *guest, void *data, size_t size)
{
	__u64 secret[GUEST_SECRET_SIZE / sizeof(__u64)];
	size_t i;

	for (i = 0; i < GUEST_SECRET_SIZE / sizeof(__u64); i++)
		secret[i] = 0x5ec2e75ec2e75ec2 ^ i;
	guest_create(guest, data, size, secret);
}

/* A block of RAM, all of which is ours */
static unsigned char *own_block(unsigned char *area)
{
	size_t i, run = 0;
	__u64 prev = 0;

	for (i = 0; i < AREA / page_size; i++) {
		__u64 phys = phys_addr(area + i * page_size);

		if (run && phys == prev + page_size)
			run++;
		else
			run = !(phys % block_size);
		if (run == block_size / page_size)
			return area + (i + 1) * page_size - block_size;
		prev = phys;
	}
	errx(EXIT_BROKEN, "no block of RAM to be had");
}

static bool overlap(const unsigned char *a, const unsigned char *b, size_t b_size)
{
	return a < b + b_size && b < a + READ_SIZE;
}

static void blocks_while_split(int rounds)
{
	unsigned char *area = own_pages(AREA), *block = own_block(area);
	unsigned char *other = overlap(area, block, block_size) ? area + AREA - READ_SIZE : area;
	unsigned int before, during = -1U, most = 0, after, changed = 0;
	struct guest guest;
	int i;

	if (overlap(other, block, block_size))
		errx(EXIT_BROKEN, "with pages of this size a block leaves no room");
	before = el2_stat("pool_used");
	/* Through this block of 2 MiB, and through one of 1 GiB, if it is in one */
	reader_start(block, other);
	for (i = 0; i < rounds; i++) {
		unsigned char *page = block + READ_SIZE +
				      i * 37 % ((block_size - READ_SIZE) / page_size) * page_size;
		unsigned int used;

		new_guest(&guest, page, page_size);
		changed += guest_run(&guest);
		used = el2_stat("pool_used");
		during = used < during ? used : during;
		most = used > most ? used : most;
		changed += guest_run(&guest);
		guest_destroy(&guest);
	}
	reader_stop();
	after = el2_stat("pool_used");

	result(!reader.wrong && reader.reads > (unsigned int)rounds && !changed, "split-dma",
	       "%u reads of %u KiB, %u of them wrong, through the block at %#llx while %d of its pages came and went",
	       reader.reads, READ_SIZE >> 10, reader.wrong, phys_addr(block), rounds);
	result(before && during > before && after == before, "split-tables",
	       "EL2 has %u tables, %u to %u while a page is away, then %u", before, during,
	       most, after);
	result(disk_reaches(area, AREA), "split-after", "DMA reaches all %u MiB", AREA >> 20);
}

static long long kernel_counts(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	long long val = -1;
	char key[64];

	while (file && fscanf(file, "%63s %lld", key, &val) == 2 && strcmp(key, name))
		val = -1;
	if (file)
		fclose(file);
	return val;
}

static long long pinned_pages(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);

	/* Each CPU keeps some of what it has counted to itself, until it is asked */
	if (fd < 0 || write(fd, "1", 1) != 1 || kernel_counts("nr_foll_pin_acquired") < 0)
		err(EXIT_BROKEN, "no count of pins");
	close(fd);
	return kernel_counts("nr_foll_pin_acquired") - kernel_counts("nr_foll_pin_released");
}

static void many_guests(int rounds, size_t pages)
{
	size_t size = pages * page_size, left = 0, leaked = 0;
	unsigned int before, after, lost = 0, peak;
	unsigned char got[EDU_BUF_SIZE], *data;
	unsigned long long changed = 0;
	struct guest guest;
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
		changed += guest_run(&guest);
		edu_read(phys_addr(data + i * 37 % pages * page_size), got, sizeof(got));
		leaked += count_nonzero(got, sizeof(got));
		changed += guest_run(&guest);
		guest_destroy(&guest);
		left += count_nonzero(data, size);
		lost += !disk_reaches(data, size);
		munmap(data, size);
	}
	reader_stop();
	after = el2_stat("pool_used");
	peak = el2_stat("pool_peak");

	result(!reader.wrong && reader.reads, "stress-dma",
	       "%u reads of %u KiB, %u of them wrong, while %d guests of %zu pages came and went",
	       reader.reads, READ_SIZE >> 10, reader.wrong, rounds, pages);
	result(!leaked && !changed, "stress-guests",
	       "the device read %zu bytes of theirs, they found %llu words changed", leaked,
	       changed);
	result(!left && !lost, "stress-back",
	       "%zu bytes of theirs are left, %u times DMA did not reach all pages", left, lost);
	result(before && before == after, "stress-tables", "EL2 has %u tables, then %u, %u at most",
	       before, after, peak);
	result(pinned_pages() == pinned, "stress-pins", "%lld pages are pinned, then %lld", pinned,
	       pinned_pages());
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
	struct guest guest;

	for (i = 0; i < rounds; i++) {
		new_guest(&guest, data, pages * page_size);
		start = now_ns();
		guest_run(&guest);
		took += now_ns() - start;
		guest_destroy(&guest);
	}
	result(true, "time", "%zu pages take %lld ns", pages, took / (long long)rounds);
}

int main(int argc, char **argv)
{
	page_size = sysconf(_SC_PAGESIZE);
	block_size = page_size / sizeof(__u64) * page_size;
	if (argc == 4 && !strcmp(argv[1], "split")) {
		disk_open(argv[2]);
		blocks_while_split(atoi(argv[3]));
	} else if (argc == 5 && !strcmp(argv[1], "stress")) {
		disk_open(argv[2]);
		many_guests(atoi(argv[3]), atoi(argv[4]));
	} else if (argc == 3 && !strcmp(argv[1], "time")) {
		measure(atoi(argv[2]));
	} else {
		errx(EXIT_BROKEN,
		     "usage: donate split DISK ROUNDS | stress DISK ROUNDS PAGES | time PAGES");
	}
	return ok ? EXIT_BLOCKED : EXIT_REACHED;
}
