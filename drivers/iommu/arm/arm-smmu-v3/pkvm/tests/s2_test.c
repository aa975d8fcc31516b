// SPDX-License-Identifier: GPL-2.0-only
/*
 * s2.c: the stage 2 maps what the host owns to itself, and nothing else.
 *
 * mock_s2_walk() walks it from an STE, as the hardware does.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>

#include "test.h"

/* Sizes of an address, and the level of the first table for each of them */
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

/* As init.c does */
static int s2_init(u8 ia_bits, bool can_split)
{
	hyp_incoherent = mock_incoherent;
	return smmu_s2_init(&test_s2, ia_bits, can_split);
}

static void s2_geometry(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oas); i++) {
		KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&test_s2, oas[i]), 0);
		KUNIT_EXPECT_EQ(test, test_s2.ia_bits, oas[i]);
		KUNIT_EXPECT_EQ_MSG(test, test_s2.level, levels[i], "%u bits",
				    oas[i]);
	}

	KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&test_s2, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&test_s2, 31), -EINVAL);
	KUNIT_EXPECT_EQ(test,
			smmu_s2_geometry(&test_s2, PAGE_SHIFT == 16 ? 53 : 49),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, smmu_s2_geometry(&test_s2, 255), -EINVAL);
}

static void s2_dwords(struct kunit *test)
{
	phys_addr_t pgd = mock_alloc(16 * PAGE_SIZE, MOCK_EL2);
	u64 tg = PAGE_SHIFT == 12 ? 0 : PAGE_SHIFT == 14 ? 2 : 1, vtcr;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(oas); i++) {
		KUNIT_ASSERT_EQ(test, smmu_s2_geometry(&test_s2, oas[i]), 0);
		test_s2.pgd = hyp_phys_to_virt(pgd);
		smmu_s2_ste_dwords(&test_s2, !mock_incoherent, test_s2_ste);
		/* S2T0SZ, S2SL0, S2TG, S2PS; S2IR0, S2OR0, S2SH0 */
		vtcr = (64 - oas[i]) |
		       ((PAGE_SHIFT == 12 ? 2 : 3) - levels[i]) << 6 |
		       tg << 14 | i << 16;
		vtcr |= mock_incoherent ? 2 << 12 : 1 << 8 | 1 << 10 | 3 << 12;
		/* S2AA64, S2PTW, S2R; VMID 0 */
		KUNIT_EXPECT_EQ(test, test_s2_ste[0],
				vtcr << 32 | BIT_ULL(51) | BIT_ULL(54) |
					BIT_ULL(58));
		KUNIT_EXPECT_EQ(test, test_s2_ste[1], pgd);
	}
}

static void s2_leaf(struct kunit *test)
{
	phys_addr_t pa = 0xffffffffffffULL & PAGE_MASK;

	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 3, false),
			pa | S2_LEAF_RAM | S2_LEAF_PAGE);
	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 3, true),
			pa | S2_LEAF_DEVICE | S2_LEAF_PAGE);
	pa = 0xfff000000000ULL;
	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 2, false), pa | S2_LEAF_RAM);
	KUNIT_EXPECT_EQ(test, smmu_s2_leaf(pa, 1, true), pa | S2_LEAF_DEVICE);
	if (PAGE_SHIFT == 16)
		KUNIT_EXPECT_EQ(test,
				smmu_s2_leaf(0xa123456780000ULL, 3, false),
				0x12345678a000ULL | S2_LEAF_RAM | S2_LEAF_PAGE);
}

static void expect_ram(struct kunit *test)
{
	phys_addr_t pa, end;
	unsigned int i;

	for (i = 0; i < MOCK_NR_REGIONS; i++) {
		pa = ALIGN(mock->region[i].base, PAGE_SIZE);
		end = ALIGN_DOWN(mock->region[i].end, PAGE_SIZE);
		for (; pa < end; pa += PAGE_SIZE) {
			bool host = mock_page(pa)->owner == MOCK_HOST;

			s2_expect_page(test, pa, host ? S2_LEAF_RAM : 0);
		}
	}
}

/*
 * A machine in which pages of all owners alternate, and the pool has the rest.
 * If @end is not 0, the first region ends there. With addresses of 52 @bits the
 * second region is above 48 bits.
 */
static void setup(struct kunit *test, unsigned int pages, unsigned int pool,
		  u8 bits, phys_addr_t end)
{
	void __iomem *base;
	phys_addr_t mem;
	unsigned int i;

	mock_test_again(test, pages + pool);
	if (bits == 52) {
		/* Bits 51:48 are elsewhere in a descriptor */
		mock->region[1].base += 0xaULL << 48;
		mock->region[1].end += 0xaULL << 48;
	}
	if (end) {
		mock->region[0].base += end - mock->region[0].end;
		mock->region[0].end = end;
	}
	KUNIT_ASSERT_EQ(test,
			hyp_mmio_take(MOCK_MMIO(0), PKVM_SMMU_MIN_MMIO_SIZE,
				      NULL, &base),
			0);
	KUNIT_ASSERT_EQ(test,
			hyp_mmio_take(MOCK_MMIO(1), PKVM_SMMU_MIN_MMIO_SIZE,
				      NULL, &base),
			0);
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
	/* Tables that blocks of MMIO need at most */
	u64 block = 1ULL << (PAGE_SHIFT == 12 ? 30 :
			     bits == 52	      ? 42 :
						2 * PAGE_SHIFT - 3);
	unsigned int i,
		pool = (1ULL << bits) / block / (PAGE_SIZE / 8) * 2 + 64;
	phys_addr_t pa;

	if (pool > 2048)
		return;
	/* So few that they lie above 48 bits */
	if (bits == 52)
		pool = 32;
	setup(test, MOCK_NR_PAGES, roundup_pow_of_two(pool), bits, end);
	/* The second region is above 32 bits */
	if (bits == 32) {
		mock->region[1].base = 0;
		mock->region[1].end = 0;
		mock->nr_pages -= MOCK_RAM_B_PAGES;
	}
	KUNIT_ASSERT_EQ_MSG(test, s2_init(bits, test_s2_blocks), 0, "%u bits",
			    bits);
	smmu_s2_ste_dwords(&test_s2, !mock_incoherent, test_s2_ste);
	if (bits == 52)
		KUNIT_EXPECT_GT(test, test_s2_ste[1], 1ULL << 48);

	expect_ram(test);
	/* The registers that EL2 took, and their neighbours */
	end = MOCK_MMIO(1) + PKVM_SMMU_MIN_MMIO_SIZE;
	for (pa = MOCK_MMIO(0); pa < end; pa += PAGE_SIZE)
		s2_expect_page(test, pa, 0);
	s2_expect_page(test, MOCK_MMIO(0) - PAGE_SIZE, S2_LEAF_DEVICE);
	s2_expect_page(test, end, S2_LEAF_DEVICE);
	/* The ends of the address space, and of the regions */
	s2_expect_page(test, 0, S2_LEAF_DEVICE);
	s2_expect_page(test, (1ULL << bits) - PAGE_SIZE, S2_LEAF_DEVICE);
	for (i = 0; i < 2 && mock->region[i].end; i++) {
		s2_expect_page(test, mock->region[i].base - PAGE_SIZE,
			       S2_LEAF_DEVICE);
		s2_expect_page(test, mock->region[i].end, S2_LEAF_DEVICE);
	}
	/* 1000 other pages */
	for (i = 0; i < 1000; i++) {
		pa = test_random() & ((1ULL << bits) - 1) & PAGE_MASK;
		if (!mock_page(pa) && (pa < MOCK_MMIO(0) || pa >= end))
			s2_expect_page(test, pa, S2_LEAF_DEVICE);
	}
}

static void s2_whole(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(oas); i++) {
		test_s2_blocks = i % 2;
		check_whole(test, oas[i / 2], 0);
		/* The second region starts where the largest block does */
		check_whole(test, oas[i / 2], SZ_2G);
	}
	test_s2_blocks = false;
}

/* EL2 does not map a page that is RAM in part */
static void s2_partial_pages(struct kunit *test)
{
	test_s2_blocks = false;
	setup(test, MOCK_NR_PAGES, 64, 40, 0);
	mock->region[0].base += 0x800;
	mock->region[0].end -= 0x800;
	KUNIT_ASSERT_EQ(test, s2_init(40, test_s2_blocks), 0);
	smmu_s2_ste_dwords(&test_s2, !mock_incoherent, test_s2_ste);
	s2_expect_page(test, mock->region[0].base - 0x800, 0);
	s2_expect_page(test, mock->region[0].end - PAGE_SIZE + 0x800, 0);
	s2_expect_page(test, mock->region[0].base - 0x800 - PAGE_SIZE,
		       S2_LEAF_DEVICE);
	s2_expect_page(test, mock->region[0].end + 0x800, S2_LEAF_DEVICE);
	expect_ram(test);
}

/* Pages leave, or come back, in @nr pages from @base */
static void random_range(struct kunit *test, phys_addr_t base, unsigned int nr,
			 bool back)
{
	unsigned int from = test_random() % nr, j;
	unsigned int to = from + test_random() % (nr - from + 1);
	phys_addr_t start = base + from * PAGE_SIZE, end;
	bool more = false;

	for (j = from; j < to; j++) {
		struct mock_page *page = mock_page(base + j * PAGE_SIZE);

		if (page->allocated)
			break;
		more |= page->owner != MOCK_HOST;
	}
	end = base + j * PAGE_SIZE;
	mock_give(start, end - start, back ? MOCK_HOST : MOCK_GUEST);
	if (back)
		KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, start, end), more);
	else
		KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, start, end), 0);
	expect_ram(test);
}

/* Pages leave and come back, in ranges of any size */
static void s2_map_unmap(struct kunit *test)
{
	phys_addr_t start = MOCK_RAM_A, end = start + 32 * PAGE_SIZE;
	unsigned int i;

	test_s2_blocks = false;
	/* With pages of 4K, the RAM is larger than a block */
	setup(test, PAGE_SHIFT == 12 ? 768 : MOCK_NR_PAGES, 64, 40, 0);
	for (i = 0; i < mock->nr_pages; i++) {
		if (!mock->pages[i].allocated)
			mock->pages[i].owner = MOCK_HOST;
	}
	KUNIT_ASSERT_EQ(test, s2_init(40, test_s2_blocks), 0);
	smmu_s2_ste_dwords(&test_s2, !mock_incoherent, test_s2_ste);
	/* The first 32 pages of both regions, and 64 around 1 GiB */
	for (i = 0; i < 200; i++) {
		if (i % 3 == 2)
			random_range(test, SZ_1G - 32 * PAGE_SIZE, 64, i % 2);
		else
			random_range(test, mock->region[i % 3].base, 32, i % 2);
	}

	/* Pages come back without memory for tables */
	mock->pool_left = 0;
	KUNIT_EXPECT_EQ(test, smmu_s2_unmap(&test_s2, start, end), 0);
	mock_give(start, end - start, MOCK_HOST);
	KUNIT_EXPECT_EQ(test, smmu_s2_map(&test_s2, start, end), 1);
	expect_ram(test);
}

static void s2_out_of_memory(struct kunit *test)
{
	unsigned int pool, used;

	setup(test, MOCK_NR_PAGES, 64, 40, 0);
	KUNIT_ASSERT_EQ(test, s2_init(40, test_s2_blocks), 0);
	used = mock->pool_used;
	KUNIT_ASSERT_GT(test, used, 3);
	for (pool = 0; pool < used; pool++) {
		setup(test, MOCK_NR_PAGES, 64, 40, 0);
		mock->pool_left = pool;
		KUNIT_EXPECT_EQ(test, s2_init(40, test_s2_blocks), -ENOMEM);
	}
}

static void s2_ram_out_of_reach(struct kunit *test)
{
	setup(test, MOCK_NR_PAGES, 64, 40, 0);
	KUNIT_EXPECT_EQ(test, s2_init(32, test_s2_blocks), -ERANGE);
	KUNIT_EXPECT_EQ(test,
			s2_init(PAGE_SHIFT == 16 ? 56 : 52, test_s2_blocks),
			-EINVAL);
}

static struct kunit_case s2_cases[] = {
	KUNIT_CASE(s2_geometry),
	KUNIT_CASE(s2_dwords),
	KUNIT_CASE(s2_leaf),
	KUNIT_CASE(s2_whole),
	KUNIT_CASE(s2_partial_pages),
	KUNIT_CASE(s2_map_unmap),
	KUNIT_CASE(s2_out_of_memory),
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
