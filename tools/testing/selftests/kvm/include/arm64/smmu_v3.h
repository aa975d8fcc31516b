/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile driver of the host's SMMUv3.
 *
 * smmu_take() takes the SMMU from the host's own driver while that is idle. The
 * test then accesses the registers through /dev/mem. smmu_give_back() restores
 * what it found. EL2 traps an access from EL0 as it traps one from EL1.
 * Offsets, fields and opcodes are those of the SMMUv3 architecture (Arm IHI
 * 0070).
 *
 * Tables and queues are single pages: a command queue of 256 entries, a first
 * level for 2^15 streams, of which 64 have a second level.
 *
 * With several SMMUs, SMMU in the environment is the physical address of the one
 * that is meant. Else it is the one that edu (edu.h) is behind.
 *
 * What cannot be done at all fails the test by TEST_ASSERT().
 */
#ifndef SELFTEST_KVM_SMMU_V3_H
#define SELFTEST_KVM_SMMU_V3_H

#include <stdbool.h>

#include <linux/types.h>

#define SMMU_SIZE		0x20000

#define IDR0			0x00
#define IDR1			0x04
#define IDR5			0x14
#define CR0			0x20
#define CR0_SMMUEN		0x1
#define CR0_EVTQEN		0x4
#define CR0_CMDQEN		0x8
#define CR0ACK			0x24
#define GBPA			0x44
#define IRQ_CTRL		0x50
#define IRQ_CTRLACK		0x54
#define GERROR			0x60
#define GERROR_CMDQ		0x1
#define GERROR_EVTQ_ABT		0x4
#define GERROR_MSI_CMDQ_ABT	0x10
#define GERRORN			0x64
#define GERROR_IRQ_CFG0		0x68
#define STRTAB_BASE		0x80
#define STRTAB_BASE_CFG		0x88
#define CMDQ_BASE		0x90
#define CMDQ_PROD		0x98
#define CMDQ_CONS		0x9c
#define EVTQ_BASE		0xa0
#define EVTQ_IRQ_CFG0		0xb0
#define PRIQ_BASE		0xc0
#define EVTQ_PROD		0x100a8
#define EVTQ_CONS		0x100ac

/* CMDQ_CONS.ERR, and what smmu_cmd() adds to that */
#define CERROR_NONE		0
#define CERROR_ILL		1
#define CERROR_ABT		2
#define CMD_STUCK		-1

#define CMD_CFGI_STE		0x03
#define CMD_CFGI_ALL		0x04
#define CMD_TLBI_NH_VA		0x12
#define CMD_ATC_INV		0x40
#define CMD_PRI_RESP		0x41
#define CMD_SYNC		0x46
#define CMD_SID(sid)		((u64)(sid) << 32)

#define CMDQ_SHIFT		8

#define STE_BYPASS		0x9
#define STE_BYPASS_1		0x100000000000		/* SHCFG: incoming */
#define STE_S1(cd)		(0xb | (cd))
#define STE_S1_1		0xd4	/* WBWA, inner shareable */
#define STE_S2			0xd
#define STE_DWORDS		8

#define STRTAB_BITS		15
#define STRTAB_SPLIT		6
#define L1_DESC(l2)		((l2) | (STRTAB_SPLIT + 1))
#define L1_DESCS		(1 << (STRTAB_BITS - STRTAB_SPLIT))
#define L2_STES			(0x1000 / sizeof(u64) / STE_DWORDS)

/* What it uses, a page each. */
struct smmu_page {
	void *va;
	u64 pa;
};

extern struct smmu_page smmu_cmdq, smmu_evtq, smmu_l1, smmu_l2;

/* Why there is nothing to play with here, or NULL. */
const char *smmu_missing(void);

/* Find the SMMU. Call it first. */
void smmu_open(void);

/* Access a register by one load or store. */
u32 smmu_read(unsigned int reg);
u64 smmu_read64(unsigned int reg);
void smmu_write(unsigned int reg, u32 val);
void smmu_write64(unsigned int reg, u64 val);
/* The registers' virtual and physical address */
char *smmu_regs(void);
u64 smmu_phys(void);

/*
 * Take the SMMU from the host's driver, and disable it. Give it back, if the
 * test has it.
 */
void smmu_take(void);
void smmu_give_back(void);

/* Write CR0. Returns false if the SMMU does not acknowledge in a second. */
bool smmu_cr0(u32 val);

/* Enable an empty command queue. */
void smmu_cmdq_on(void);
/*
 * Insert a command and wait for it. On an error, replace the command and
 * acknowledge the error, as a driver does. Returns CERROR_* or CMD_STUCK.
 */
int smmu_cmd(u64 dword0, u64 dword1);
/* Enable an event queue of 2^@shift entries at @pa. */
void smmu_evtq_on(u64 pa, unsigned int shift);

/* Enable the event queue of the host's driver. */
void smmu_host_evtq_on(void);
/* Returns false if the driver does not read all events in a second. */
bool smmu_evtq_is_consumed(void);

/*
 * Enable the SMMU, with a stream table of invalid STEs, and a command queue.
 * The 64 streams around @sid have a second level.
 */
void smmu_on(unsigned int sid);
/* The descriptor of that second level */
u64 *smmu_l1_desc(unsigned int sid);
/* Write the STE of one of these streams, and invalidate the cached one. */
void smmu_set_ste(unsigned int sid, u64 dword0, u64 dword1);
u64 *smmu_ste(unsigned int sid);

/* Returns the active errors of GERROR. */
u32 smmu_errors(void);
void smmu_ack_errors(void);

struct smmu_page smmu_new_page(void);

#endif /* SELFTEST_KVM_SMMU_V3_H */
