/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share: a mock machine for each test, and a host that drives
 * SMMU 0 through its registers, as a driver would.
 *
 * The same files are built as a KUnit module and as a program for user space.
 * They use the part of KUnit that tools/testing/pkvm-smmu provides.
 */
#ifndef __PKVM_SMMU_TEST_H
#define __PKVM_SMMU_TEST_H

#include <kunit/test.h>

#include "mock.h"

#define SMMU0		(&mock->smmu[0])

/* Dwords 0 and 1 of the host's STEs, as its driver makes them */
#define STE_ABORT0	T_STE_ABORT
#define STE_BYPASS0	T_STE_BYPASS
#define STE_BYPASS1	T_STE_SHCFG_INCOMING
/* Stage 1: a linear table with one CD; S1DSS, write-back, inner shareable */
#define STE_S1_0(ptr)	(T_STE_S1 | (ptr))
#define STE_S1_1	0xd6ULL

/* Config of an STE, and the two that the hardware gets for streams that pass */
#define HW_CONFIG(dword0)	FIELD_GET(T_STE_CONFIG, dword0)
#define HW_ABORT	0
#define HW_S2		6
#define HW_NESTED	7

/* The mock machine */

/* A suite's .init and .exit. .exit fails the test if there was a complaint */
int mock_test_init(struct kunit *test);
void mock_test_exit(struct kunit *test);
/* Replace the machine by a new one with so many pages */
void mock_test_again(struct kunit *test, unsigned int nr_pages);
/* EL2 takes over */
void mock_test_boot(struct kunit *test);
/* And both SMMUs may have cached combined entries of both stages */
void mock_test_boot_cached(struct kunit *test);
/* A new machine, whose SMMU 0 has MSIs. False if the host does not see them */
bool mock_test_boot_msis(struct kunit *test);

/* Commands with this opcode that SMMU 0 has run */
unsigned int mock_count_runs(u8 opcode);
/* Pages of [pa, pa + size) that are pinned */
unsigned int mock_count_pins(phys_addr_t pa, size_t size);
/* Does the stage 2 of @s map this page to itself? */
bool mock_is_mapped(const struct mock_smmu *s, phys_addr_t pa);
/* The level of the leaf that stage 2 has for @pa; -1 if there is none */
s8 mock_s2_level(const u64 *s2, phys_addr_t pa);
/* Config of SMMU 0's STE for a stream; -1 if it has no valid one */
int mock_hw_config(u32 sid);

/* A page leaves the host, and comes back: what KVM does around it, too */
int mock_leave(phys_addr_t pa, size_t size);
void mock_return(phys_addr_t pa, size_t size);

/* Numbers that look random, the same in each run */
u64 test_random(void);

/* The host */

u32 host_readl(u32 offset);
u64 host_readq(u32 offset);
void host_writel(u32 offset, u32 val);
void host_writeq(u32 offset, u64 val);
/* What EL2 counts, in memory that the host shares; and a count of SMMU 0 */
struct pkvm_smmu_shared *host_shared(void);
u64 host_count(enum pkvm_smmu_count what);

/**
 * struct mock_host - the host's driver
 * @cmdq:	its command queue
 * @shift:	log2 of its entries
 * @prod:	CMDQ_PROD as it was written last
 * @strtab:	its stream table
 * @l2:		the second-level table of its first streams, or @strtab
 */
struct mock_host {
	phys_addr_t	cmdq;
	u8		shift;
	u32		prod;
	phys_addr_t	strtab;
	phys_addr_t	l2;
};

extern struct mock_host mock_host;

#define HOST_SPLIT	8

/* How often the host looks before it gives up */
#define HOST_PATIENCE	200

/* Wait for CR0ACK. False if it does not become what CR0 is */
bool host_wait_cr0(void);
/* Enable a new command queue of this size */
void host_cmdq_start(u8 shift);
/* Disable everything, set a queue's base, and enable these bits of CR0 */
void host_set_queue(u32 reg, u64 base, u32 enable);
/* Put a command into the queue; write CMDQ_PROD; both, and wait */
void host_cmd_put(u64 dword0, u64 dword1);
void host_tell(void);
void host_cmd(u64 dword0, u64 dword1);
/* Put: CMD_SYNC; CFGI_STE of a stream's STE only; CFGI_ALL */
void host_put_sync(void);
void host_put_cfgi_ste(u32 sid);
void host_put_cfgi_all(void);
/* Put, tell, and wait; CFGI with a CMD_SYNC after it */
void host_cmd_sync(void);
void host_cfgi_ste(u32 sid);
void host_cfgi_all(void);
bool host_cmdq_is_empty(void);

/*
 * Put TLBI_NH_VA number @n. Its fields differ from those of each other one. And
 * expect that the hardware has run those with numbers 0 to @nr - 1, in order.
 */
void host_put_tlbi(unsigned int n);
u64 host_tlbi_va(unsigned int n);
void expect_tlbis(struct kunit *test, unsigned int nr);

/* The errors that are active in GERROR; acknowledge them */
u32 host_gerror(void);
bool host_cmdq_error(void);
void host_ack_gerror(void);

/*
 * Set an empty stream table; and enable it. It has two levels if EL2's has.
 */
void host_strtab_make(void);
void host_strtab_start(void);
/* Use another one, with SMMUEN cleared meanwhile */
void host_set_strtab(phys_addr_t base, u32 fmt, u32 split, u32 bits);
/* The address of the STE of one of the first streams; set four dwords of it */
phys_addr_t host_ste(u32 sid);
void host_put_ste(u32 sid, const u64 *dwords);

/* The stage 2 that s2.c makes */

/* A leaf: valid, inner shareable, read and write, accessed, with two types */
#define S2_LEAF_ATTR	0x7ffULL
#define S2_LEAF_DEVICE	0x7c5ULL
#define S2_LEAF_RAM	0x7fdULL
/* A leaf of level 3 */
#define S2_LEAF_PAGE	BIT_ULL(1)

#define S2_BLOCK_PAGES	(PAGE_SIZE / 8)
#define S2_BLOCK_SIZE	(S2_BLOCK_PAGES * PAGE_SIZE)

/* A stage 2 that no SMMU uses; an STE's dwords for it; may it have blocks? */
extern struct smmu_s2 test_s2;
extern u64 test_s2_ste[2];
extern bool test_s2_blocks;

/* Expect that it maps @pa to itself with @attr; if @attr is 0, not at all */
void s2_expect_page(struct kunit *test, phys_addr_t pa, u64 attr);
/* Expect that it maps all of these pages but @nr_gone from @gone on */
void s2_expect_range(struct kunit *test, phys_addr_t base, unsigned int pages,
		     phys_addr_t gone, unsigned int nr_gone);

/* Expect this Config in the hardware's STE of a stream */
void expect_config(struct kunit *test, u32 sid, int config);

#endif /* __PKVM_SMMU_TEST_H */
