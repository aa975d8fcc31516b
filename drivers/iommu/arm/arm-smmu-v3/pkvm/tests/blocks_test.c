// SPDX-License-Identifier: GPL-2.0-only
/*
 * s2.c and tlbi.c: blocks of the stage 2 are split and joined.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>

#include "test.h"

/* An empty stage 2 that may have blocks */
static void setup_blocks(struct kunit *test)
{
	phys_addr_t mem;

	mock_test_again(test, 128);
	mem = mock_alloc(64 * PAGE_SIZE, MOCK_EL2);
	hyp_pool_add(mem, 64 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, smmu_s2_geometry(&test_s2, 40), 0);
	test_s2_blocks = true;
	test_s2.ram_level = PAGE_SHIFT == 12 ? 1 : 2;
	hyp_incoherent = mock_incoherent;
	test_s2.pgd = hyp_pages_alloc(2);
	smmu_s2_ste_dwords(&test_s2, !mock_incoherent, test_s2_ste);
}

#define BLOCK(n)	(SZ_4G + (n) * S2_BLOCK_SIZE)

/* Three blocks. They need not be the mock's RAM. Returns used pages */
static unsigned int setup_three(struct kunit *test)
{
	unsigned int i;

	setup_blocks(test);
	KUNIT_ASSERT_EQ(test, smmu_s2_map(&test_s2, BLOCK(0), BLOCK(3)), 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, BLOCK(i)), 2);

	return mock->pool_used;
}

/* Pages from @pa on leave the block in the middle, and come back */
static void split_and_join(struct kunit *test, phys_addr_t pa, unsigned int n,
			   bool undo)
{
	phys_addr_t next = pa + PAGE_SIZE, end = pa + n * PAGE_SIZE;
	unsigned int used = mock->pool_used;
	struct smmu_s2_join join;

	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, pa, end), 0);
	s2_expect_range(test, BLOCK(1), S2_BLOCK_PAGES, pa, n);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, BLOCK(0)), 2);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, BLOCK(2)), 2);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 1);

	/* There is no join before the last page is back */
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, next, end), n > 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, next, end), 0);
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&test_s2, pa, &join));
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, pa, next), 1);
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&test_s2, BLOCK(0), &join));
	KUNIT_ASSERT_TRUE(test, smmu_s2_join(&test_s2, pa, &join));
	KUNIT_EXPECT_EQ(test, join.start, BLOCK(1));
	KUNIT_EXPECT_EQ(test, join.end, BLOCK(2));
	/* The table stays if an SMMU may still read it */
	if (undo) {
		smmu_s2_join_undo(&join);
		KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, pa), 3);
		s2_expect_range(test, BLOCK(1), S2_BLOCK_PAGES, 0, 0);
		KUNIT_ASSERT_TRUE(test, smmu_s2_join(&test_s2, pa, &join));
	}
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, pa), 2);
	smmu_s2_join_done(&join);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, pa), 2);
	s2_expect_range(test, BLOCK(1), S2_BLOCK_PAGES, 0, 0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);
}

/* A block is split when a page of it leaves, and joined when all are back */
static void blocks_split_and_join(struct kunit *test)
{
	struct smmu_s2_join join;
	unsigned int i, n;

	setup_three(test);
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&test_s2, BLOCK(0), &join));
	for (i = 0; i < 40; i++) {
		phys_addr_t pa = BLOCK(1);

		n = 1 + test_random() % 4;
		pa += test_random() % (S2_BLOCK_PAGES - n) * PAGE_SIZE;
		split_and_join(test, pa, n, i % 2);
	}
}

/* A range leaves that has parts of two blocks, and a whole one between them */
static void blocks_across(struct kunit *test)
{
	unsigned int used = setup_three(test), i;
	struct smmu_s2_join join;
	phys_addr_t pa;

	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, BLOCK(0) + PAGE_SIZE,
					    BLOCK(3) - PAGE_SIZE), 0);
	s2_expect_range(test, BLOCK(0), 3 * S2_BLOCK_PAGES,
			BLOCK(0) + PAGE_SIZE, 3 * S2_BLOCK_PAGES - 2);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 2);
	/* The pages come back one by one */
	for (pa = BLOCK(0) + PAGE_SIZE; pa < BLOCK(3) - PAGE_SIZE;
	     pa += PAGE_SIZE)
		KUNIT_EXPECT_EQ(test,
				smmu_s2_map(&test_s2, pa, pa + PAGE_SIZE), 1);
	s2_expect_range(test, BLOCK(0), 3 * S2_BLOCK_PAGES, 0, 0);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_TRUE(test,
				  smmu_s2_join(&test_s2, BLOCK(i), &join));
		smmu_s2_join_done(&join);
	}
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);
}

/* Without memory for a table the block stays as it is */
static void blocks_no_memory(struct kunit *test)
{
	setup_three(test);
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, BLOCK(0),
					    BLOCK(0) + PAGE_SIZE), -ENOMEM);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, BLOCK(0)), 2);
}

/*
 * EL2 maps pages that are mapped already. Blocks and tables stay as they are,
 * and that takes no memory.
 */
static void blocks_mapped_already(struct kunit *test)
{
	phys_addr_t base = SZ_4G, end = base + 3 * S2_BLOCK_SIZE;
	phys_addr_t hole, from, to;
	struct smmu_s2_join join;
	unsigned int i, n, pages;

	setup_blocks(test);
	/* With pages of 4K, a block of 1 GiB is in front of the others */
	if (PAGE_SHIFT == 12)
		base -= SZ_1G;
	pages = (end - base) >> PAGE_SHIFT;
	KUNIT_ASSERT_EQ(test, smmu_s2_map(&test_s2, base, end), 1);
	mock->pool_left = 0;
	for (i = 0; i < 100; i++) {
		n = 1 + test_random() % (2 * S2_BLOCK_PAGES);
		from = base + test_random() % (pages - n) * PAGE_SIZE;
		to = from + n * PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, from, to), 0);
		KUNIT_EXPECT_FALSE(test, smmu_s2_join(&test_s2, from, &join));
	}
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, base),
			PAGE_SHIFT == 12 ? 1 : 2);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, end - 1), 2);

	/* Map around a page that is not mapped, and then that page */
	mock->pool_left = 1;
	hole = end - 2 * S2_BLOCK_SIZE + 5 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, hole, hole + PAGE_SIZE),
			0);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, base, hole), 0);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, hole + PAGE_SIZE, end), 0);
	s2_expect_page(test, hole, 0);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, base, end), 1);
	s2_expect_page(test, hole, S2_LEAF_RAM);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, base, end), 0);
	KUNIT_EXPECT_TRUE(test, smmu_s2_join(&test_s2, hole, &join));
	smmu_s2_join_done(&join);
}

/* Blocks of 1 GiB or 4 TiB are split and joined in two steps */
static void blocks_level_1(struct kunit *test)
{
	const u64 block = S2_BLOCK_SIZE * S2_BLOCK_PAGES;
	/* With pages of 64K, use more than 48 bits */
	phys_addr_t base = (PAGE_SHIFT == 12 ? 4 : 70) * block, mem;
	phys_addr_t pa = base + 5 * S2_BLOCK_SIZE + 7 * PAGE_SIZE;
	struct smmu_s2_join join;
	unsigned int used, i;

	/* With pages of 16K there are no such blocks */
	if (PAGE_SHIFT == 14)
		return;

	mock_test_again(test, 128);
	mem = mock_alloc(64 * PAGE_SIZE, MOCK_EL2);
	hyp_pool_add(mem, 64 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test,
			smmu_s2_geometry(&test_s2, PAGE_SHIFT == 12 ? 40 : 52),
			0);
	test_s2_blocks = true;
	test_s2.ram_level = 1;
	hyp_incoherent = mock_incoherent;
	test_s2.pgd = hyp_pages_alloc(PAGE_SHIFT == 12 ? 2 : 0);
	smmu_s2_ste_dwords(&test_s2, !mock_incoherent, test_s2_ste);
	KUNIT_ASSERT_EQ(test, smmu_s2_map(&test_s2, base, base + 2 * block), 1);
	used = mock->pool_used;
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, pa), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, pa, pa + PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 2);
	s2_expect_range(test, base + 5 * S2_BLOCK_SIZE, S2_BLOCK_PAGES, pa, 1);
	for (i = 0; i < S2_BLOCK_PAGES; i++)
		s2_expect_page(test, base + i * S2_BLOCK_SIZE, S2_LEAF_RAM);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, base), 2);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, base + block), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, pa, pa + PAGE_SIZE), 1);
	for (i = 2; i > 0; i--) {
		KUNIT_ASSERT_TRUE(test, smmu_s2_join(&test_s2, pa, &join));
		KUNIT_EXPECT_EQ(test, join.start,
				base + (i - 1) * 5 * S2_BLOCK_SIZE);
		KUNIT_EXPECT_EQ(test, join.end - join.start,
				i == 1 ? block : S2_BLOCK_SIZE);
		smmu_s2_join_done(&join);
		KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, pa), i);
	}
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&test_s2, pa, &join));
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);

	/* Memory for one of two tables: the same pages stay mapped */
	mock->pool_left = 1;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, pa, pa + PAGE_SIZE),
			-ENOMEM);
	s2_expect_range(test, base + 5 * S2_BLOCK_SIZE, S2_BLOCK_PAGES, 0, 0);
	KUNIT_ASSERT_TRUE(test, smmu_s2_join(&test_s2, pa, &join));
	smmu_s2_join_done(&join);
	KUNIT_EXPECT_EQ(test, mock_s2_level(test_s2_ste, pa), 1);
}

/* Memory runs out two levels down. EL2 still counts the leaves right */
static void blocks_half_done(struct kunit *test)
{
	phys_addr_t end = 2ULL * SZ_1G, mem;
	struct smmu_s2_join join;

	/* With larger pages, blocks are larger than the mock's RAM */
	if (PAGE_SHIFT != 12)
		return;

	mem = mock_alloc(64 * PAGE_SIZE, MOCK_EL2);
	hyp_pool_add(mem, 64 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, smmu_s2_geometry(&test_s2, 40), 0);
	test_s2.ram_level = 1;
	hyp_incoherent = mock_incoherent;
	test_s2.pgd = hyp_pages_alloc(2);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, SZ_1G, end), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, end - SZ_2M, end), 0);
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test,
			smmu_s2_unmap(&test_s2, SZ_1G,
				      SZ_1G + SZ_2M + PAGE_SIZE),
			-ENOMEM);
	/* The first 2 MiB are not mapped yet, so there is no join */
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, end - SZ_2M, end), 1);
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&test_s2, SZ_1G, &join));
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, SZ_1G, SZ_1G + SZ_2M), 1);
	KUNIT_EXPECT_TRUE(test, smmu_s2_join(&test_s2, SZ_1G, &join));
	smmu_s2_join_done(&join);

	/* The same in the second one of two such tables */
	mock->pool_left = 8;
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, end, end + SZ_1G), 1);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, end - SZ_2M, end), 0);
	KUNIT_EXPECT_EQ(test,
			smmu_s2_unmap(&test_s2, end + SZ_2M, end + 2 * SZ_2M),
			0);
	/* EL2 does not count leaves a second time */
	KUNIT_EXPECT_EQ(test,
			smmu_s2_map(&test_s2, end + 2 * SZ_2M, end + 3 * SZ_2M),
			0);
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test,
			smmu_s2_unmap(&test_s2, end - 2 * SZ_2M,
				      end + 2 * SZ_2M + PAGE_SIZE),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test,
			smmu_s2_map(&test_s2, end + SZ_2M, end + 2 * SZ_2M), 1);
	KUNIT_EXPECT_FALSE(test, smmu_s2_join(&test_s2, end, &join));
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, end, end + SZ_2M), 1);
	KUNIT_EXPECT_TRUE(test, smmu_s2_join(&test_s2, end, &join));
	smmu_s2_join_done(&join);
}

/* The level of the leaf that SMMU 0 has for @pa */
static s8 level_of(phys_addr_t pa)
{
	return mock_s2_level(SMMU0->smmu->feat.s2_ste, pa);
}

/* There is RAM for one block, at 1 GiB. The SMMUs have these levels of BBM */
static phys_addr_t boot_with_block(struct kunit *test, unsigned int bbml0,
				   unsigned int bbml1)
{
	mock_test_again(test, 768);
	mock->config.nr_smmus = 2;
	mock_set_reg(&mock->smmu[0], ARM_SMMU_IDR3, T_IDR3_BBML(bbml0));
	mock_set_reg(&mock->smmu[1], ARM_SMMU_IDR3, T_IDR3_BBML(bbml1));
	mock_test_boot_cached(test);

	return SZ_1G;
}

/* A page leaves a block and comes back. EL2 invalidates and joins */
static void blocks_page(struct kunit *test)
{
	phys_addr_t block, pa;
	unsigned int i, used;

	/* With larger pages, blocks are larger than the mock's RAM */
	if (PAGE_SHIFT != 12)
		return;

	for (i = 0; i < 9; i++) {
		block = boot_with_block(test, i / 3, i % 3);
		KUNIT_EXPECT_EQ(test, level_of(block), i == 8 ? 2 : 3);
	}

	pa = block + 77 * PAGE_SIZE;
	used = mock->pool_used;
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, level_of(pa), -1);
		KUNIT_EXPECT_EQ(test, level_of(pa + PAGE_SIZE), 3);
		SMMU0->nr_runs = 0;
		mock_return(pa, PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, level_of(pa), 2);
		KUNIT_EXPECT_EQ(test, mock_count_runs(T_TLBI_S12_VMALL), 1);
		KUNIT_EXPECT_EQ(test, mock->pool_used, used);
	}

	/* An SMMU is late: the table stays until the next time */
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	mock->smmu[1].stuck = true;
	mock_return(pa, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, level_of(pa), 3);
	KUNIT_EXPECT_EQ(test, level_of(pa + PAGE_SIZE), 3);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used + 1);
	mock->smmu[1].stuck = false;
	mock_run_all(&mock->smmu[1]);
	/* Mapping pages that are mapped already does not join */
	SMMU0->nr_runs = 0;
	mock_return(pa, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, level_of(pa), 3);
	KUNIT_EXPECT_EQ(test, SMMU0->nr_runs, 0);
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	mock_return(pa, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, level_of(pa), 2);
	KUNIT_EXPECT_EQ(test, mock->pool_used, used);

	/* Without memory for a table, the page stays */
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), -ENOMEM);
	KUNIT_EXPECT_EQ(test, level_of(pa), 2);
}

/* Many blocks could be joined at once. An SMMU is slow, so some are not */
static void blocks_many(struct kunit *test)
{
	unsigned int blocks = 5, i, joined = 0;
	phys_addr_t pa = SZ_1G;
	u64 start;

	/* With larger pages, blocks are larger than the mock's RAM */
	if (PAGE_SHIFT != 12)
		return;

	mock_test_again(test, 64 + 512 * blocks + 192);
	mock_set_reg(SMMU0, ARM_SMMU_IDR3, T_IDR3_BBML(2));
	mock_test_boot_cached(test);
	for (i = 0; i < blocks; i++)
		KUNIT_EXPECT_EQ(test, mock_leave(pa + i * SZ_2M, PAGE_SIZE), 0);
	SMMU0->stuck = true;
	for (i = 0; i < blocks; i++)
		mock_return(pa + i * SZ_2M, PAGE_SIZE);
	for (i = 0; i < blocks; i++)
		KUNIT_EXPECT_EQ(test, level_of(pa + i * SZ_2M), 3);
	SMMU0->stuck = false;
	mock_run_all(SMMU0);
	KUNIT_EXPECT_EQ(test, mock_leave(pa, PAGE_SIZE), 0);
	SMMU0->slow = true;
	SMMU0->delay = 2 * SMMU_LEAVE_US / 10;
	start = mock->now;
	mock_return(pa, blocks * SZ_2M);
	KUNIT_EXPECT_LT(test, mock->now - start, 14 * SMMU_LEAVE_US / 10);
	for (i = 0; i < blocks; i++)
		joined += level_of(pa + i * SZ_2M) == 2;
	KUNIT_EXPECT_GT(test, joined, 0);
	KUNIT_EXPECT_LT(test, joined, blocks);
}

/* What the assertions of the ownership selftest see of a block and of its pages */
static void blocks_maps(struct kunit *test)
{
	phys_addr_t base = BLOCK(0), hole = base + 5 * PAGE_SIZE;

	setup_blocks(test);
	KUNIT_EXPECT_FALSE(test, smmu_s2_maps(&test_s2, hole));
	KUNIT_ASSERT_EQ(test, smmu_s2_map(&test_s2, base, BLOCK(2)), 1);
	KUNIT_EXPECT_TRUE(test, smmu_s2_maps(&test_s2, hole));
	KUNIT_ASSERT_EQ(test, smmu_s2_unmap(&test_s2, hole, hole + PAGE_SIZE), 0);
	KUNIT_EXPECT_FALSE(test, smmu_s2_maps(&test_s2, hole));
	KUNIT_EXPECT_TRUE(test, smmu_s2_maps(&test_s2, hole + PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, smmu_s2_maps(&test_s2, BLOCK(1)));
}

/* To unmap what is not mapped takes no memory, and splits nothing */
static void blocks_unmapped_already(struct kunit *test)
{
	phys_addr_t base = BLOCK(0);

	setup_blocks(test);
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, base, base + PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, base, BLOCK(2)), 0);
}

/*
 * RAM of 1 and 4 TiB. It takes a few tables, and two more for a page that leaves,
 * wherever the page is.
 */
static void blocks_much_ram(struct kunit *test)
{
	static const u64 size[] = { BIT_ULL(40), BIT_ULL(42) };
	phys_addr_t base = BIT_ULL(40), end, pages[3];
	unsigned int i, j, used;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		/* With pages of 16K, all addresses take 256 tables of blocks */
		mock_test_again(test, 4 * MOCK_NR_PAGES);
		end = base + size[i];
		mock->sparse.base = base;
		mock->sparse.end = end;
		mock_set_reg(SMMU0, ARM_SMMU_IDR5, T_IDR5(T_OAS_44));
		mock->config.pool[0].size = 2 * MOCK_NR_PAGES * PAGE_SIZE;
		mock->config.pool[0].base =
			mock_alloc(mock->config.pool[0].size, MOCK_HOST);
		mock_test_boot_cached(test);
		used = mock->pool_used;
		KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, BIT_ULL(44)));

		pages[0] = base;
		pages[1] = base + size[i] / 2 + 5 * PAGE_SIZE;
		pages[2] = end - PAGE_SIZE;
		for (j = 0; j < ARRAY_SIZE(pages); j++) {
			KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pages[j]));
			mock_own_lock();
			KUNIT_EXPECT_EQ(test,
					smmu_run_pages_leave(pages[j], pages[j] +
								       PAGE_SIZE),
					0);
			mock_own_unlock();
			KUNIT_EXPECT_FALSE(test, mock_is_mapped(SMMU0, pages[j]));
			KUNIT_EXPECT_LE(test, mock->pool_used - used, 2);
			mock_own_lock();
			smmu_run_pages_return(pages[j], pages[j] + PAGE_SIZE);
			mock_own_unlock();
			KUNIT_EXPECT_TRUE(test, mock_is_mapped(SMMU0, pages[j]));
			KUNIT_EXPECT_EQ(test, mock->pool_used, used);
		}
	}
}

static struct kunit_case blocks_cases[] = {
	KUNIT_CASE(blocks_much_ram),
	KUNIT_CASE(blocks_page),
	KUNIT_CASE(blocks_many),
	KUNIT_CASE(blocks_split_and_join),
	KUNIT_CASE(blocks_across),
	KUNIT_CASE(blocks_no_memory),
	KUNIT_CASE(blocks_mapped_already),
	KUNIT_CASE(blocks_level_1),
	KUNIT_CASE(blocks_half_done),
	KUNIT_CASE(blocks_maps),
	KUNIT_CASE(blocks_unmapped_already),
	{}
};

static struct kunit_suite blocks_suite = {
	.name = "pkvm-smmu-blocks",
	.init = mock_test_init,
	.exit = mock_test_exit,
	.test_cases = blocks_cases,
};

kunit_test_suite(blocks_suite);
