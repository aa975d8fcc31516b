// SPDX-License-Identifier: GPL-2.0-only
/*
 * s2.c: an identity map of what is the host's, and of nothing else.
 *
 * It is looked at through mock_s2_walk(), which starts from what an STE says as
 * the hardware does, and knows nothing of how the map was made.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>

#include "test.h"

#define PAGE_ATTR	0x7ffULL
/* Valid, inner shareable, read and write, accessed; Device-nGnRE or write-back */
#define LEAF_DEVICE	0x7c5ULL
#define LEAF_RAM	0x7fdULL

/* Sizes of an address, and the root's level for each of them */
#if PAGE_SHIFT == 12
static const u8 oas[] = { 32, 36, 40, 42, 44, 48 };
static const s8 levels[] = { 2, 1, 1, 1, 0, 0 };
#elif PAGE_SHIFT == 14
static const u8 oas[] = { 32, 36, 40, 42, 44, 48 };
static const s8 levels[] = { 2, 2, 2, 1, 1, 1 };
#else
static const u8 oas[] = { 32, 36, 40, 42, 44, 48, 52 };
static const s8 levels[] = { 2, 2, 2, 2, 2, 1, 1 };
#endif

static struct smmu_s2 s2;
static bool split;
static u64 ste[2];

/* What init.c does before */
static int s2_init(u8 ia_bits, bool can_split)
{
	hyp_incoherent = mock_incoherent;
	return smmu_s2_init(&s2, ia_bits, can_split);
}

static void s2_geometry(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oas); i++) {
		KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&s2, oas[i]), 0);
		KUNIT_EXPECT_EQ(test, s2.ia_bits, oas[i]);
		KUNIT_EXPECT_EQ_MSG(test, s2.level, levels[i], "%u bits", oas[i]);
	}

	KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&s2, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&s2, 31), -EINVAL);
	KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&s2, PAGE_SHIFT == 16 ? 53 : 49), -EINVAL);
	KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&s2, 255), -EINVAL);
}

static void s2_dwords(struct kunit *test)
{
	phys_addr_t pgd = mock_alloc(16 * PAGE_SIZE, MOCK_EL2);
	u64 tg = PAGE_SHIFT == 12 ? 0 : PAGE_SHIFT == 14 ? 2 : 1, vtcr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oas); i++) {
		KUNIT_ASSERT_EQ(test, smmu_s2_geometry(&s2, oas[i]), 0);
		s2.pgd = hyp_phys_to_virt(pgd);
		smmu_s2_ste_dwords(&s2, !mock_incoherent, ste);
		/* S2T0SZ, S2SL0, S2TG, S2PS; write-back, inner shareable, or outer and not */
		vtcr = (64 - oas[i]) | ((PAGE_SHIFT == 12 ? 2 : 3) - levels[i]) << 6 |
		       tg << 14 | i << 16;
		vtcr |= mock_incoherent ? 2 << 12 : 1 << 8 | 1 << 10 | 3 << 12;
		/* S2AA64, S2PTW, S2R; no S2S, S2ENDI, S2HD, S2HA; VMID 0 */
		KUNIT_EXPECT_EQ(test, ste[0], vtcr << 32 | BIT_ULL(51) | BIT_ULL(54) | BIT_ULL(58));
		KUNIT_EXPECT_EQ(test, ste[1], pgd);
	}
}

static void s2_leaf(struct kunit *test)
{
	phys_addr_t pa = 0xffffffffffffULL & PAGE_MASK;

	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 3, false), pa | LEAF_RAM | 2);
	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 3, true), pa | LEAF_DEVICE | 2);
	pa = 0xfff000000000ULL;
	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 2, false), pa | LEAF_RAM);
	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 1, true), pa | LEAF_DEVICE);
	if (PAGE_SHIFT == 16)
		KUNIT_EXPECT_EQ(test, smmu_s2_leaf(0xa123456780000ULL, 3, false),
				0x12345678a000ULL | LEAF_RAM | 2);
}

/* Every page where it is to be: @attr, or nowhere at all if that is 0 */
static void expect_page(struct kunit *test, phys_addr_t pa, u64 attr)
{
	struct mock_leaf leaf = {};
	bool mapped = mock_s2_walk(ste, pa, &leaf);

	KUNIT_EXPECT_EQ_MSG(test, mapped, !!attr, "%llx", (unsigned long long)pa);
	if (!mapped || !attr)
		return;
	KUNIT_EXPECT_EQ(test, leaf.pa, pa);
	KUNIT_EXPECT_EQ_MSG(test, leaf.desc & PAGE_ATTR & ~2ULL, attr, "%llx",
			    (unsigned long long)pa);
	/* Unless blocks can be split, RAM is mapped in pages, so that one can leave */
	if (attr == LEAF_RAM && !split)
		KUNIT_EXPECT_EQ(test, leaf.level, 3);
	/* Nothing else is said: no XN, no contiguous hint, no software bits */
	KUNIT_EXPECT_EQ(test, leaf.desc & ~(GENMASK_ULL(47, 12) | PAGE_ATTR), 0ULL);
}

static void expect_ram(struct kunit *test)
{
	phys_addr_t pa, end;
	unsigned int i;

	for (i = 0; i < MOCK_NR_REGIONS; i++) {
		pa = ALIGN(mock->region[i].base, PAGE_SIZE);
		end = ALIGN_DOWN(mock->region[i].end, PAGE_SIZE);
		for (; pa < end; pa += PAGE_SIZE)
			expect_page(test, pa,
				    mock_page(pa)->owner == MOCK_HOST ? LEAF_RAM : 0);
	}
}

/*
 * A machine in which pages of all owners alternate, and the pool has the rest. @end
 * is where the first region ends, if not 0. With addresses of 52 @bits the second one is
 * behind 48.
 */
static void setup(struct kunit *test, unsigned int pages, unsigned int pool, u8 bits,
		  phys_addr_t end)
{
	void __iomem *base;
	phys_addr_t mem;
	unsigned int i;

	mock_test_again(test, pages + pool);
	if (bits == 52) {
		/* All four of the bits that are elsewhere in a descriptor */
		mock->region[1].base += 0xaULL << 48;
		mock->region[1].end += 0xaULL << 48;
	}
	if (end) {
		mock->region[0].base += end - mock->region[0].end;
		mock->region[0].end = end;
	}
	KUNIT_ASSERT_EQ(test, hyp_mmio_take(MOCK_MMIO(0), PKVM_SMMU_MIN_MMIO_SIZE, NULL, &base), 0);
	KUNIT_ASSERT_EQ(test, hyp_mmio_take(MOCK_MMIO(1), PKVM_SMMU_MIN_MMIO_SIZE, NULL, &base), 0);
	mem = mock_alloc(pool * PAGE_SIZE, MOCK_EL2);
	KUNIT_ASSERT_NE(test, mem, 0);
	hyp_pool_add(mem, pool * PAGE_SIZE);
	for (i = 0; i < mock->nr_pages; i++) {
		if (!mock->pages[i].allocated)
			mock->pages[i].owner = "\0\0\1\0\2\2\0"[i % 7];
	}
}

static void check_whole(struct kunit *test, u8 bits, phys_addr_t end)
{
	/* One table for each entry of the root that has MMIO in blocks, at most */
	u64 block = 1ULL << (PAGE_SHIFT == 12 ? 30 : bits == 52 ? 42 : 2 * PAGE_SHIFT - 3);
	unsigned int i, pool = (1ULL << bits) / block / (PAGE_SIZE / 8) * 2 + 64;
	phys_addr_t pa;

	if (pool > 2048)
		return;
	/* So few that they are behind 48 bits */
	if (bits == 52)
		pool = 32;
	setup(test, MOCK_NR_PAGES, roundup_pow_of_two(pool), bits, end);
	/* What is behind 32 bits isn't everywhere */
	if (bits == 32) {
		mock->region[1].base = 0;
		mock->region[1].end = 0;
		mock->nr_pages -= MOCK_RAM_B_PAGES;
	}
	KUNIT_ASSERT_EQ_MSG(test, s2_init(bits, split), 0, "%u bits", bits);
	smmu_s2_ste_dwords(&s2, !mock_incoherent, ste);
	if (bits == 52)
		KUNIT_EXPECT_GT(test, ste[1], 1ULL << 48);

	expect_ram(test);
	/* The registers that EL2 took, and what is beside them */
	end = MOCK_MMIO(1) + PKVM_SMMU_MIN_MMIO_SIZE;
	for (pa = MOCK_MMIO(0); pa < end; pa += PAGE_SIZE)
		expect_page(test, pa, 0);
	expect_page(test, MOCK_MMIO(0) - PAGE_SIZE, LEAF_DEVICE);
	expect_page(test, end, LEAF_DEVICE);
	/* The ends of the address space, and of the regions */
	expect_page(test, 0, LEAF_DEVICE);
	expect_page(test, (1ULL << bits) - PAGE_SIZE, LEAF_DEVICE);
	for (i = 0; i < 2 && mock->region[i].end; i++) {
		expect_page(test, mock->region[i].base - PAGE_SIZE, LEAF_DEVICE);
		expect_page(test, mock->region[i].end, LEAF_DEVICE);
	}
	/* And somewhere, 1000 times */
	for (i = 0; i < 1000; i++) {
		pa = test_random() & ((1ULL << bits) - 1) & PAGE_MASK;
		if (!mock_page(pa) && (pa < MOCK_MMIO(0) || pa >= end))
			expect_page(test, pa, LEAF_DEVICE);
	}
}

static void s2_whole(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(oas); i++) {
		split = i % 2;
		check_whole(test, oas[i / 2], 0);
		/* What follows starts where the largest block does */
		check_whole(test, oas[i / 2], SZ_2G);
	}
	split = false;
}

/* A page that is RAM only in part is neither mapped as RAM nor as MMIO */
static void s2_partial_pages(struct kunit *test)
{
	split = false;
	setup(test, MOCK_NR_PAGES, 64, 40, 0);
	mock->region[0].base += 0x800;
	mock->region[0].end -= 0x800;
	KUNIT_ASSERT_EQ(test, s2_init(40, split), 0);
	smmu_s2_ste_dwords(&s2, !mock_incoherent, ste);
	expect_page(test, mock->region[0].base - 0x800, 0);
	expect_page(test, mock->region[0].end - PAGE_SIZE + 0x800, 0);
	expect_page(test, mock->region[0].base - 0x800 - PAGE_SIZE, LEAF_DEVICE);
	expect_page(test, mock->region[0].end + 0x800, LEAF_DEVICE);
	expect_ram(test);
}

/* Pages come and go, in ranges that begin and end anywhere */
static void s2_map_unmap(struct kunit *test)
{
	unsigned int i, j, r, nr, from, to;
	phys_addr_t base;
	bool more;

	split = false;
	/* Enough for a block, where that is not too much */
	setup(test, PAGE_SHIFT == 12 ? 768 : MOCK_NR_PAGES, 64, 40, 0);
	for (i = 0; i < mock->nr_pages; i++) {
		if (!mock->pages[i].allocated)
			mock->pages[i].owner = MOCK_HOST;
	}
	KUNIT_ASSERT_EQ(test, s2_init(40, split), 0);
	smmu_s2_ste_dwords(&s2, !mock_incoherent, ste);
	/* The first 32 pages of either region, and 64 around 1 GiB */
	for (i = 0; i < 200; i++) {
		r = i % 3;
		base = r == 2 ? SZ_1G - 32 * PAGE_SIZE : mock->region[r].base;
		nr = r == 2 ? 64 : 32;
		from = test_random() % nr;
		to = from + test_random() % (nr - from + 1);
		more = false;
		for (j = from; j < to; j++) {
			if (mock_page(base + j * PAGE_SIZE)->allocated)
				to = j;
			else
				more |= mock_page(base + j * PAGE_SIZE)->owner != MOCK_HOST;
		}
		mock_give(base + from * PAGE_SIZE, (to - from) * PAGE_SIZE,
			  i % 2 ? MOCK_HOST : MOCK_GUEST);
		if (i % 2)
			KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, base + from * PAGE_SIZE,
							  base + to * PAGE_SIZE), more);
		else
			KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, base + from * PAGE_SIZE,
							    base + to * PAGE_SIZE), 0);
		expect_ram(test);
	}

	/* A page comes back although there is no more memory for tables */
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, MOCK_RAM_A, MOCK_RAM_A + 32 * PAGE_SIZE), 0);
	mock_give(MOCK_RAM_A, 32 * PAGE_SIZE, MOCK_HOST);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, MOCK_RAM_A, MOCK_RAM_A + 32 * PAGE_SIZE), 1);
	expect_ram(test);
}

#define S2_BLOCK_PAGES	(PAGE_SIZE / 8)
#define S2_BLOCK_SIZE	(S2_BLOCK_PAGES * PAGE_SIZE)

static s8 level_of(phys_addr_t pa)
{
	struct mock_leaf leaf = {};

	return mock_s2_walk(ste, pa, &leaf) ? leaf.level : -1;
}

/* Does a range map nothing but what it is to, page for page? */
static void expect_range(struct kunit *test, phys_addr_t base, unsigned int pages,
			 phys_addr_t gone, unsigned int nr_gone)
{
	unsigned int i;

	for (i = 0; i < pages; i++) {
		phys_addr_t pa = base + i * PAGE_SIZE;

		expect_page(test, pa, pa - gone < nr_gone * PAGE_SIZE ? 0 : LEAF_RAM);
	}
}

/* An empty stage 2 that has blocks. What it is to map need not be there */
static void setup_blocks(struct kunit *test)
{
	phys_addr_t mem;

	mock_test_again(test, 128);
	mem = mock_alloc(64 * PAGE_SIZE, MOCK_EL2);
	hyp_pool_add(mem, 64 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, smmu_s2_geometry(&s2, 40), 0);
	split = true;
	s2.ram_level = PAGE_SHIFT == 12 ? 1 : 2;
	hyp_incoherent = mock_incoherent;
	s2.pgd = hyp_pages_alloc(2);
	smmu_s2_ste_dwords(&s2, !mock_incoherent, ste);
}

/* A block is split when a page of it leaves, and is one again when it has come back */
static void s2_split_and_join(struct kunit *test)
{
	phys_addr_t base = 4ULL << 30;
	struct smmu_s2_join join;
	unsigned int i, n, used;

	setup_blocks(test);
	/* Nothing but whole blocks: of RAM that there need not be */
	KUNIT_ASSERT_EQ(test, smmu_s2_map(&s2, base, base + 3 * S2_BLOCK_SIZE), 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, level_of(base + i * S2_BLOCK_SIZE), 2);
	used = mock->pool_used;
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&s2, base, &join));
	for (i = 0; i < 40; i++) {
		phys_addr_t pa = base + S2_BLOCK_SIZE;

		n = 1 + test_random() % 4;
		pa += test_random() % (S2_BLOCK_PAGES - n) * PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, pa, pa + n * PAGE_SIZE), 0);
		expect_range(test, base + S2_BLOCK_SIZE, S2_BLOCK_PAGES, pa, n);
		KUNIT_EXPECT_EQ(test, level_of(base), 2);
		KUNIT_EXPECT_EQ(test, level_of(base + 2 * S2_BLOCK_SIZE), 2);
		KUNIT_EXPECT_EQ(test, mock->pool_used, used + 1);

		/* Not before the last one is back; twice is no better than once */
		KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, pa + PAGE_SIZE, pa + n * PAGE_SIZE), n > 1);
		KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, pa + PAGE_SIZE, pa + n * PAGE_SIZE), 0);
		KUNIT_EXPECT_FALSE(test, smmu_s2_join(&s2, pa, &join));
		KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, pa, pa + PAGE_SIZE), 1);
		KUNIT_EXPECT_FALSE(test, smmu_s2_join(&s2, base, &join));
		KUNIT_ASSERT_TRUE(test, smmu_s2_join(&s2, pa, &join));
		KUNIT_EXPECT_EQ(test, join.start, base + S2_BLOCK_SIZE);
		KUNIT_EXPECT_EQ(test, join.end, base + 2 * S2_BLOCK_SIZE);
		/* If an SMMU may be looking at the table then it stays */
		if (i % 2) {
			smmu_s2_join_undo(&join);
			KUNIT_EXPECT_EQ(test, level_of(pa), 3);
			expect_range(test, base + S2_BLOCK_SIZE, S2_BLOCK_PAGES, 0, 0);
			KUNIT_ASSERT_TRUE(test, smmu_s2_join(&s2, pa, &join));
		}
		KUNIT_EXPECT_EQ(test, level_of(pa), 2);
		smmu_s2_join_done(&join);
		KUNIT_EXPECT_EQ(test, level_of(pa), 2);
		expect_range(test, base + S2_BLOCK_SIZE, S2_BLOCK_PAGES, 0, 0);
		KUNIT_EXPECT_EQ(test, mock->pool_used, used);
	}

	/* Across blocks: the one in the middle goes as a whole */
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, base + PAGE_SIZE,
					    base + 3 * S2_BLOCK_SIZE - PAGE_SIZE), 0);
	expect_range(test, base, 3 * S2_BLOCK_PAGES, base + PAGE_SIZE, 3 * S2_BLOCK_PAGES - 2);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 2);
	/* Its pages come back one by one */
	for (i = 1; i < 3 * S2_BLOCK_PAGES - 1; i++)
		KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, base + i * PAGE_SIZE,
						  base + (i + 1) * PAGE_SIZE), 1);
	expect_range(test, base, 3 * S2_BLOCK_PAGES, 0, 0);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_TRUE(test, smmu_s2_join(&s2, base + i * S2_BLOCK_SIZE, &join));
		smmu_s2_join_done(&join);
	}
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);

	/* No memory to split: nothing has changed */
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, base, base + PAGE_SIZE), -ENOMEM);
	KUNIT_EXPECT_EQ(test, level_of(base), 2);
}

/*
 * What is mapped is mapped again, in part or as a whole: a block stays a block,
 * whatever its level, and a table stays as it is. No memory is needed.
 */
static void s2_mapped_already(struct kunit *test)
{
	phys_addr_t base = 4ULL << 30, end = base + 3 * S2_BLOCK_SIZE, hole, from;
	struct smmu_s2_join join;
	unsigned int i, n;

	setup_blocks(test);
	/* With 4K and a block of 1 GiB in front of the others */
	if (PAGE_SHIFT == 12)
		base -= SZ_1G;
	KUNIT_ASSERT_EQ(test, smmu_s2_map(&s2, base, end), 1);
	mock->pool_left = 0;
	for (i = 0; i < 100; i++) {
		n = 1 + test_random() % (2 * S2_BLOCK_PAGES);
		from = base + test_random() % (((end - base) >> PAGE_SHIFT) - n) * PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, from, from + n * PAGE_SIZE), 0);
		KUNIT_EXPECT_FALSE(test, smmu_s2_join(&s2, from, &join));
	}
	KUNIT_EXPECT_EQ(test, level_of(base), PAGE_SHIFT == 12 ? 1 : 2);
	KUNIT_EXPECT_EQ(test, level_of(end - 1), 2);

	/* Beside a page that is not mapped, and with it */
	mock->pool_left = 1;
	hole = end - 2 * S2_BLOCK_SIZE + 5 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, hole, hole + PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, base, hole), 0);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, hole + PAGE_SIZE, end), 0);
	expect_page(test, hole, 0);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, base, end), 1);
	expect_page(test, hole, LEAF_RAM);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, base, end), 0);
	KUNIT_EXPECT_TRUE(test, smmu_s2_join(&s2, hole, &join));
	smmu_s2_join_done(&join);
}

/* The largest blocks, of 1 GiB or 4 TiB, are split and joined in two steps */
static void s2_split_level_1(struct kunit *test)
{
	const u64 block = S2_BLOCK_SIZE * S2_BLOCK_PAGES;
	/* The latter behind 48 bits */
	phys_addr_t base = (PAGE_SHIFT == 12 ? 4 : 70) * block, mem;
	phys_addr_t pa = base + 5 * S2_BLOCK_SIZE + 7 * PAGE_SIZE;
	struct smmu_s2_join join;
	unsigned int used, i;

	/* With pages of 16K there are none */
	if (PAGE_SHIFT == 14)
		return;

	mock_test_again(test, 128);
	mem = mock_alloc(64 * PAGE_SIZE, MOCK_EL2);
	hyp_pool_add(mem, 64 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, smmu_s2_geometry(&s2, PAGE_SHIFT == 12 ? 40 : 52), 0);
	split = true;
	s2.ram_level = 1;
	hyp_incoherent = mock_incoherent;
	s2.pgd = hyp_pages_alloc(PAGE_SHIFT == 12 ? 2 : 0);
	smmu_s2_ste_dwords(&s2, !mock_incoherent, ste);
	KUNIT_ASSERT_EQ(test, smmu_s2_map(&s2, base, base + 2 * block), 1);
	used = mock->pool_used;
	KUNIT_EXPECT_EQ(test, level_of(pa), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, pa, pa + PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 2);
	expect_range(test, base + 5 * S2_BLOCK_SIZE, S2_BLOCK_PAGES, pa, 1);
	for (i = 0; i < S2_BLOCK_PAGES; i++)
		expect_page(test, base + i * S2_BLOCK_SIZE, LEAF_RAM);
	KUNIT_EXPECT_EQ(test, level_of(base), 2);
	KUNIT_EXPECT_EQ(test, level_of(base + block), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, pa, pa + PAGE_SIZE), 1);
	for (i = 2; i > 0; i--) {
		KUNIT_ASSERT_TRUE(test, smmu_s2_join(&s2, pa, &join));
		KUNIT_EXPECT_EQ(test, join.start, base + (i - 1) * 5 * S2_BLOCK_SIZE);
		KUNIT_EXPECT_EQ(test, join.end - join.start, i == 1 ? block : S2_BLOCK_SIZE);
		smmu_s2_join_done(&join);
		KUNIT_EXPECT_EQ(test, level_of(pa), i);
	}
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&s2, pa, &join));
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);

	/* There is memory for one of the two tables: what is mapped is the same */
	mock->pool_left = 1;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, pa, pa + PAGE_SIZE), -ENOMEM);
	expect_range(test, base + 5 * S2_BLOCK_SIZE, S2_BLOCK_PAGES, 0, 0);
	KUNIT_ASSERT_TRUE(test, smmu_s2_join(&s2, pa, &join));
	smmu_s2_join_done(&join);
	KUNIT_EXPECT_EQ(test, level_of(pa), 1);
}

static void s2_out_of_memory(struct kunit *test)
{
	unsigned int pool, used;

	setup(test, MOCK_NR_PAGES, 64, 40, 0);
	KUNIT_ASSERT_EQ(test, s2_init(40, split), 0);
	used = mock->pool_used;
	KUNIT_ASSERT_GT(test, used, 3);
	for (pool = 0; pool < used; pool++) {
		setup(test, MOCK_NR_PAGES, 64, 40, 0);
		mock->pool_left = pool;
		KUNIT_EXPECT_EQ(test, s2_init(40, split), -ENOMEM);
	}
}

#if PAGE_SHIFT == 12
/* Memory is gone when part is done, two levels down: the leaves are still counted */
static void s2_half_done(struct kunit *test)
{
	phys_addr_t end = 2ULL * SZ_1G, mem;
	struct smmu_s2_join join;

	mem = mock_alloc(64 * PAGE_SIZE, MOCK_EL2);
	hyp_pool_add(mem, 64 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, smmu_s2_geometry(&s2, 40), 0);
	s2.ram_level = 1;
	hyp_incoherent = mock_incoherent;
	s2.pgd = hyp_pages_alloc(2);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, SZ_1G, end), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, end - SZ_2M, end), 0);
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, SZ_1G, SZ_1G + SZ_2M + PAGE_SIZE), -ENOMEM);
	/* All but the first 2 MiB comes back, and so there is no block of 1 GiB */
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, end - SZ_2M, end), 1);
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&s2, SZ_1G, &join));
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, SZ_1G, SZ_1G + SZ_2M), 1);
	KUNIT_EXPECT_TRUE(test, smmu_s2_join(&s2, SZ_1G, &join));
	smmu_s2_join_done(&join);

	/* The same in the second one of two such tables */
	mock->pool_left = 8;
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, end, end + SZ_1G), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, end - SZ_2M, end), 0);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, end + SZ_2M, end + 2 * SZ_2M), 0);
	/* What is there already isn't counted again */
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, end + 2 * SZ_2M, end + 3 * SZ_2M), 0);
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&s2, end - 2 * SZ_2M, end + 2 * SZ_2M + PAGE_SIZE),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, end + SZ_2M, end + 2 * SZ_2M), 1);
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&s2, end, &join));
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&s2, end, end + SZ_2M), 1);
	KUNIT_EXPECT_TRUE(test, smmu_s2_join(&s2, end, &join));
	smmu_s2_join_done(&join);
}
#endif

static void s2_ram_out_of_reach(struct kunit *test)
{
	setup(test, MOCK_NR_PAGES, 64, 40, 0);
	KUNIT_EXPECT_EQ(test, s2_init(32, split), -ERANGE);
	KUNIT_EXPECT_EQ(test, s2_init(PAGE_SHIFT == 16 ? 56 : 52, split), -EINVAL);
}

static struct kunit_case s2_cases[] = {
	KUNIT_CASE(s2_geometry),
	KUNIT_CASE(s2_dwords),
	KUNIT_CASE(s2_leaf),
	KUNIT_CASE(s2_whole),
	KUNIT_CASE(s2_partial_pages),
	KUNIT_CASE(s2_map_unmap),
	KUNIT_CASE(s2_split_and_join),
	KUNIT_CASE(s2_mapped_already),
	KUNIT_CASE(s2_split_level_1),
	KUNIT_CASE(s2_out_of_memory),
#if PAGE_SHIFT == 12
	KUNIT_CASE(s2_half_done),
#endif
	KUNIT_CASE(s2_ram_out_of_reach),
	{}
};

static struct kunit_suite s2_suite = {
	.name = "pkvm-smmu-s2",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = s2_cases,
};

kunit_test_suite(s2_suite);
