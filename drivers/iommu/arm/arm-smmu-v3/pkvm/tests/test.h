/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests share: a machine for each test, and a host that drives SMMU 0
 * through its registers, as a driver would.
 *
 * The same files are a KUnit module and a program for user space; they use of
 * KUnit what tools/testing/pkvm-smmu has.
 */
#ifndef __PKVM_SMMU_TEST_H
#define __PKVM_SMMU_TEST_H

#include <kunit/test.h>

#include "mock.h"

#define SMMU0		(&mock->smmu[0])

/* STEs of the host's, dwords 0 and 1, as its driver makes them */
#define STE_ABORT0	0x1ULL
#define STE_BYPASS0	0x9ULL
#define STE_BYPASS1	BIT_ULL(44)			/* SHCFG incoming */
#define STE_S1_0(ptr)	(0xbULL | (ptr))		/* linear, one CD */
#define STE_S1_1	0xd6ULL				/* S1DSS, WBWA, ISH */

/* What the hardware is to have for them */
#define HW_CONFIG(dword0)	(((dword0) >> 1) & 7)
#define HW_S2		6
#define HW_NESTED	7

/* A suite's .init and .exit; .exit fails the test if there was a complaint */
int mock_test_init(struct kunit *test);
void mock_test_exit(struct kunit *test);
/* Replace the machine: for a test that needs another, or more of them */
void mock_test_again(struct kunit *test, unsigned int nr_pages);
/* EL2 takes over */
void mock_test_boot(struct kunit *test);

u32 host_readl(u32 offset);
u64 host_readq(u32 offset);
void host_writel(u32 offset, u32 val);
void host_writeq(u32 offset, u64 val);
/* What EL2 counts, in memory that is the host's too; and of SMMU 0 */
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

/* How often it looks before it gives up */
#define HOST_PATIENCE	200

/* Has what was written to CR0 been acknowledged, if one waits? */
bool host_wait_cr0(void);
/* A new queue of this size, enabled */
void host_cmdq_start(u8 shift);
/* Put a command into it; and tell the SMMU, and wait while it consumes */
void host_cmd_put(u64 dword0, u64 dword1);
void host_cmd(u64 dword0, u64 dword1);
void host_cmd_sync(void);
void host_cfgi_ste(u32 sid);
void host_cfgi_all(void);
bool host_cmdq_is_empty(void);

/* An empty stream table, two-level for the host if it is for EL2; enabled */
void host_strtab_start(void);
/* Where its STE of one of the first streams is, and four dwords of it */
phys_addr_t host_ste(u32 sid);
void host_put_ste(u32 sid, const u64 *dwords);

/* Numbers that look random, the same in each run */
u64 test_random(void);

#endif /* __PKVM_SMMU_TEST_H */
