// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the stage 2 maps after any change of any range, whatever it mapped before: with
 * tables of four entries (S2_BITS_PER_LEVEL of s2.h), two levels, a
 * root of three, and so twelve pages, all there is can be tried.
 *
 * All pages are looked at after each store, as the hardware may. A model for SAT of the
 * same is too large: every store may be to any entry of any table.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smmu.h"

static void look(void);
#undef WRITE_ONCE
#define WRITE_ONCE(x, val)	do { (x) = (val); look(); } while (0)

#include "s2.h"

#undef S2_BITS_PER_LEVEL
#define S2_BITS_PER_LEVEL	2
#include "pkvm/s2.c"

static_assert(S2_ENTRIES == 4);

#define NR_BLOCKS	3
#define NR_PAGES	(NR_BLOCKS * 4)
/* A root, all that can be below it, and as many new ones */
#define NR_TABLES	(1 + 2 * NR_BLOCKS)
#define TABLES_PA	0x123450000000ULL

bool hyp_incoherent;

static u64 tables[NR_TABLES][4], before[NR_TABLES][4];
static unsigned int nr_tables, nr_allowed;
static unsigned long nr_cases;

void hyp_clean_to_memory(const void *va, size_t size) { }
void hyp_wmb(void) { }

phys_addr_t hyp_virt_to_phys(const void *va)
{
	return TABLES_PA + ((const u64 *)va - tables[0]) / 4 * PAGE_SIZE;
}

void *hyp_phys_to_virt(phys_addr_t pa)
{
	return tables[(pa - TABLES_PA) / PAGE_SIZE];
}

void *hyp_page_alloc(void)
{
	return nr_tables < nr_allowed ? memset(tables[nr_tables++], 0, sizeof(tables[0])) : NULL;
}

void *hyp_pages_alloc(u8 order) { return NULL; }
void hyp_page_free(void *va) { }
bool hyp_ram_region(unsigned int i, phys_addr_t *base, phys_addr_t *end) { return false; }
bool hyp_mmio_next(phys_addr_t pa, phys_addr_t *base, phys_addr_t *end) { return false; }
void mock_complain(const char *what) { }

bool hyp_host_ram_next(phys_addr_t pa, phys_addr_t end, phys_addr_t *from, phys_addr_t *to)
{
	return false;
}

/* The format, once more: the descriptor of a page, or 0 if it isn't mapped */
static u64 walk(unsigned int page)
{
	u64 desc = tables[0][page / 4];

	if (!(desc & 1))
		return 0;
	/* A block: the address is the page's own, and bit 1 is the only other difference */
	if (!(desc & 2))
		return (desc + ((page & 3) << 12)) | 2;
	desc = tables[((desc & GENMASK_ULL(47, 12)) - TABLES_PA) / PAGE_SIZE][page & 3];
	return desc & 1 ? desc : 0;
}

static u64 was[NR_PAGES], may_be[NR_PAGES];

static void fail(const char *what)
{
	printf("# %s\n", what);
	exit(1);
}

/* What is not meant to change is there all the time; the rest is as it was, or is to be */
static void look(void)
{
	unsigned int i;
	u64 is;

	for (i = 0; i < NR_PAGES; i++) {
		is = walk(i);
		if (is != was[i] && is != may_be[i])
			fail("a page is touched, be it for a moment");
	}
}

/* Attributes of RAM: write-back */
static bool is_ram(u64 desc)
{
	return desc & 1 && (desc >> 2 & 15) == 15;
}

static unsigned int count_ram(const u64 *table)
{
	return is_ram(table[0]) + is_ram(table[1]) + is_ram(table[2]) + is_ram(table[3]);
}

/* 0 to 15: a table with those pages of RAM; then a block of RAM, one of MMIO, and nothing */
#define NR_KINDS	19
#define ALL_KINDS	(NR_KINDS * NR_KINDS * NR_KINDS)

static void start_with(unsigned int kinds)
{
	unsigned int i, j, kind;

	memset(tables, 0, sizeof(tables));
	nr_tables = 1 + NR_BLOCKS;
	for (i = 0; i < NR_BLOCKS; i++, kinds /= NR_KINDS) {
		u64 pa = i * 4ULL << 12;

		kind = kinds % NR_KINDS;
		for (j = 0; j < 4; j++)
			tables[1 + i][j] = kind >> j & 1 ?
					   smmu_s2_leaf(pa + (j << 12), 3, false) : 0;
		if (kind == 16 || kind == 17)
			tables[0][i] = smmu_s2_leaf(pa, 2, kind == 17);
		else if (kind < 16)
			tables[0][i] = (TABLES_PA + (1 + i) * PAGE_SIZE) | 3;
	}
	for (i = 0; i < NR_PAGES; i++)
		was[i] = walk(i);
	memcpy(may_be, was, sizeof(was));
}

/* smmu_s2_map() says whether it has changed anything. If not, nothing has changed */
static void check_changed(unsigned int start, unsigned int end, int ret)
{
	bool changed = false;
	unsigned int i;

	for (i = start; i < end; i++)
		changed |= !is_ram(was[i]);
	if (ret != changed)
		fail("it says that RAM has changed, or that it hasn't");
	if (!changed && memcmp(tables, before, sizeof(tables)))
		fail("what is mapped already is mapped in another way");
}

static void try_range(struct smmu_s2 *s2, unsigned int kinds, unsigned int start,
		      unsigned int end, enum s2_what what)
{
	unsigned int i;
	int ret;

	start_with(kinds);
	memcpy(before, tables, sizeof(tables));
	for (i = start; i < end; i++)
		may_be[i] = what == S2_NOTHING ? 0 :
			    smmu_s2_leaf((u64)i << 12, 3, what == S2_DEVICE);
	ret = s2_set_range(s2, (u64)start << 12, (u64)end << 12, what);
	for (i = 0; ret >= 0 && i < NR_PAGES; i++) {
		if (walk(i) != may_be[i])
			fail("a page is not as it is to be");
	}
	if (ret < 0 && nr_tables < nr_allowed)
		fail("it fails, and there was memory");
	if (ret >= 0 && what == S2_RAM)
		check_changed(start, end, ret);
	nr_cases++;
}

static void try_join(struct smmu_s2 *s2, unsigned int kinds, unsigned int page, bool forgotten)
{
	struct smmu_s2_join join;
	bool full;

	start_with(kinds);
	full = tables[0][page / 4] & 2 && count_ram(tables[1 + page / 4]) == 4 &&
	       s2->ram_level < 3;
	if (smmu_s2_join(s2, (u64)page << 12, &join) != full)
		fail("a table that isn't full is joined, or one that is isn't");
	if (full && (join.start != (u64)(page & ~3) << 12 ||
		     join.end != join.start + (4 << 12)))
		fail("it isn't all of the table that is invalidated");
	if (full)
		forgotten ? smmu_s2_join_done(&join) : smmu_s2_join_undo(&join);
	if (full && !(tables[0][page / 4] & 2) != forgotten)
		fail("a table goes that may still be in use, or stays");
	look();
	nr_cases++;
}

int main(void)
{
	struct smmu_s2 s2 = { .pgd = tables[0], .ia_bits = 16, .level = 2 };
	unsigned int kinds, start, end, what;

	/* With as much memory as can be wanted, and with too little: none, or for one table */
	for (kinds = 0; kinds < 3 * ALL_KINDS; kinds++) {
		nr_allowed = 1 + NR_BLOCKS;
		nr_allowed += kinds < ALL_KINDS ? NR_BLOCKS : kinds / ALL_KINDS - 1;
		for (s2.ram_level = 2; s2.ram_level <= 3; s2.ram_level++) {
			for (start = 0; start < NR_PAGES; start++) {
				try_join(&s2, kinds % ALL_KINDS, start, false);
				try_join(&s2, kinds % ALL_KINDS, start, true);
				for (end = start + 1; end <= NR_PAGES; end++) {
					for (what = S2_NOTHING; what <= S2_DEVICE; what++)
						try_range(&s2, kinds % ALL_KINDS, start, end,
							  what);
				}
			}
		}
	}
	printf("# a small stage 2: %lu cases\n", nr_cases);
	return 0;
}
