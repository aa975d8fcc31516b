/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine behind hyp.h: some RAM, two SMMUv3s, and who owns what.
 *
 * The SMMUs read what their registers point to, run commands, acknowledge, and
 * keep a record. They can be slow (nothing happens but in hyp_relax()), stuck
 * (nothing ever happens), and call a command illegal. Whatever should never
 * happen, be it by the emulator's fault or the SMMU's, is a complaint: the first
 * one is kept, and a test that has one fails. See mock_complain() for what is
 * looked at all the time, without a test asking for it.
 *
 * Nothing here knows how the emulator does its work, nor calls it, but for
 * mock_boot(). Not for more than one thread.
 */
#ifndef __PKVM_SMMU_MOCK_H
#define __PKVM_SMMU_MOCK_H

#include <linux/types.h>

#include "../check.h"
#include "../cmd.h"
#include "../init.h"
#include "../run.h"
#include "../s2.h"
#include "../smmu.h"
#include "../ste.h"
#include "../tlbi.h"
#include "../trap.h"
#include "arch.h"

#define MOCK_NR_SMMUS		2
#define MOCK_NR_RUNS		4096
#define MOCK_NR_WRITES		4096
#define MOCK_NR_REGIONS		4

/* The host's RAM in two regions: around 1 GiB, and behind 4 GiB */
#define MOCK_NR_PAGES		256U
#define MOCK_RAM_A		(0x40000000ULL - 64 * PAGE_SIZE)
#define MOCK_RAM_B		(0x100000000ULL + 3 * PAGE_SIZE)
#define MOCK_RAM_B_PAGES	64U

/* One behind the other, and not where a block starts */
#define MOCK_MMIO_SIZE		PKVM_SMMU_MIN_MMIO_SIZE
#define MOCK_MMIO(i)		(0x9050000ULL + (i) * PKVM_SMMU_MIN_MMIO_SIZE)

/* GBPA as firmware has left it: incoming attributes, and no abort */
#define MOCK_GBPA		0x1000U

#define MOCK_EVTQ_PROD		(0x10000 + ARM_SMMU_EVTQ_PROD)
#define MOCK_EVTQ_CONS		(0x10000 + ARM_SMMU_EVTQ_CONS)

enum mock_owner {
	MOCK_HOST,
	MOCK_EL2,
	MOCK_GUEST,
};

/* @dirty: the cache has what memory does not have yet, see mock_store() */
struct mock_page {
	enum mock_owner		owner;
	bool			shared;
	bool			allocated;
	bool			in_pool;
	bool			dirty;
	u8			pins;
};

/**
 * struct mock_run - a command that the SMMU has run
 * @cmd:	the command
 * @ste:	mock->watch_sid's STE at that time; 0 if there is none
 * @ste_found:	there is one
 * @mapped:	mock->watch_ipa was mapped by that STE's stage 2 at that time
 */
struct mock_run {
	u64	cmd[2];
	u64	ste[STRTAB_STE_DWORDS];
	bool	ste_found;
	bool	mapped;
};

struct mock_write {
	u32	offset;
	u64	val;
};

/**
 * struct mock_smmu - an SMMUv3, and how it behaves
 * @regs:	its registers
 * @gbpa:	GBPA as it is in force
 * @smmu:	the emulator's state, once it has taken the registers
 * @taken:	it has
 * @armed:	EL2 has taken over: from now on the host must not get through
 * @stuck:	nothing is acknowledged and no command is run
 * @slow:	things happen one by one, in hyp_relax()
 * @delay:	how many microseconds it takes for a command, if it is slow
 * @rest:	and how many hyp_relax() it lets pass between two of them
 * @resting:	how many of those are left
 * @dies_after:	gets stuck after so many writes, if not 0
 * @bad_op:	an opcode that it calls illegal, if not 0
 * @bad_times:	how often it does
 * @bad_code:	what CMDQ_CONS.ERR it says
 * @nr_gerror_irqs: how often it has signalled the GERROR interrupt
 * @irq_target:	what IRQ_CTRLACK will be
 * @stalled:	transactions that are stalled
 * @barriers:	mock->barriers when it was told of commands last
 * @nr_runs:	number of commands run; a test may set it to 0
 * @runs:	the first ones
 * @nr_writes:	number of registers written; a test may set it to 0
 * @writes:	the first ones
 */
struct mock_smmu {
	u32			regs[PKVM_SMMU_MIN_MMIO_SIZE / sizeof(u32)];
	u32			gbpa;
	struct pkvm_smmu	*smmu;
	bool			taken;
	bool			armed;
	bool			stuck;
	bool			slow;
	u64			delay;
	unsigned int		rest;
	unsigned int		resting;
	unsigned int		dies_after;
	u8			bad_op;
	unsigned int		bad_times;
	u8			bad_code;
	unsigned int		nr_gerror_irqs;
	u32			irq_target;
	unsigned int		stalled;
	unsigned int		barriers;
	unsigned int		nr_runs;
	struct mock_run		runs[MOCK_NR_RUNS];
	unsigned int		nr_writes;
	struct mock_write	writes[MOCK_NR_WRITES];
};

/**
 * struct mock - the machine
 * @complaint:	the first one, or NULL
 * @smmu:	the SMMUs
 * @config:	what EL1 says; mock_init() fills in something that works
 * @sid_bits:	for mock_boot(): size of the table that EL1 sets aside
 * @region:	the memory map, base and end
 * @nr_pages:	pages of RAM
 * @pages:	one for each
 * @ram:	their contents, as the host and its devices see them
 * @cache:	as EL2 does; the same, unless mock_incoherent. Then what EL2 stores gets to
 *		@ram when it is cleaned, and not before
 * @pool_left:	pages that the pool still gives out; a test may lower it
 * @pool_used:	pages that are out
 * @pool_peak:	and that were at most
 * @pool_pages:	pages that were put into it
 * @unordered:	the host has stored something, and EL2 has not waited for that
 * @copies:	how often EL2 has read the host's memory; a test may set it to 0
 * @flip:	the host overwrites what it is that EL2 has just read
 * @watch_sid:	see struct mock_run
 * @watch_ipa:	see struct mock_run
 * @barriers:	how often hyp_wmb() was called
 * @traced:	how often EL2 has traced something, by kind
 * @pool_counts: where EL2 counts the pool's pages
 * @uncounted:	that, before take-over
 * @pins:	pages that are pinned, but for those that EL2 counts in
 * @now:	the time
 * @relaxed:	how often hyp_relax() was called; a test may set it to 0
 * @ran:	called for each command that an SMMU has run, if not NULL
 * @meanwhile:	called while EL2 waits, if not NULL
 * @step:	called where EL2 can be overtaken between two steps, if not NULL
 * @lock_takes: how many microseconds a hw_lock takes, as others have it
 * @nr_held:	number of locks held
 * @held:	their ranks
 */
struct mock {
	const char		*complaint;
	struct mock_smmu	smmu[MOCK_NR_SMMUS];
	struct pkvm_smmu_config	config;
	u8			sid_bits;
	struct {
		phys_addr_t	base;
		phys_addr_t	end;
	}			region[MOCK_NR_REGIONS];
	unsigned int		nr_pages;
	struct mock_page	*pages;
	u8			*ram;
	u8			*cache;
	unsigned int		pool_left;
	unsigned int		pool_used;
	unsigned int		pool_peak;
	unsigned int		pool_pages;
	bool			unordered;
	unsigned int		copies;
	bool			flip;
	u32			watch_sid;
	phys_addr_t		watch_ipa;
	unsigned int		barriers;
	u32			traced[PKVM_SMMU_NR_COUNTS];
	struct pkvm_smmu_pool_counts *pool_counts;
	struct pkvm_smmu_pool_counts uncounted;
	unsigned int		pins;
	u64			now;
	unsigned int		relaxed;
	void			(*ran)(struct mock_smmu *s, const u64 *cmd);
	void			(*meanwhile)(void);
	void			(*step)(void);
	u64			lock_takes;
	unsigned int		nr_held;
	int			held[2 + MOCK_NR_SMMUS];
};

/* Where stage 2 takes an address: what the last descriptor says */
struct mock_leaf {
	u64	pa;
	u64	desc;
	int	level;
};

extern struct mock *mock;
/* For mock_init(): no SMMU snoops the CPUs' caches */
extern bool mock_incoherent;

int mock_init(unsigned int nr_pages);
void mock_exit(void);
int mock_boot(void);
void mock_complain(const char *what);

/* RAM: pages that nobody uses yet, aligned to their size rounded up; 0 if none */
phys_addr_t mock_alloc(size_t size, enum mock_owner owner);
void mock_give(phys_addr_t pa, size_t size, enum mock_owner owner);
struct mock_page *mock_page(phys_addr_t pa);
/* The address of a page by its number, below mock->nr_pages */
phys_addr_t mock_page_pa(unsigned int nr);
void *mock_va(phys_addr_t pa);
/* One little-endian word of it */
u64 mock_get(phys_addr_t pa);
void mock_put(phys_addr_t pa, u64 val);
/* The same of who is not the host: as mock->cache, and so not seen by the host's devices */
void mock_store(phys_addr_t pa, u64 val);

/* The lock of who owns what */
void mock_own_lock(void);
void mock_own_unlock(void);

u32 mock_reg(const struct mock_smmu *s, u32 offset);
u64 mock_reg64(const struct mock_smmu *s, u32 offset);
void mock_set_reg(struct mock_smmu *s, u32 offset, u32 val);
void mock_change_reg(struct mock_smmu *s, u32 offset, u32 clear, u32 set);
/* The SMMU does all that it has been told to do */
void mock_run_all(struct mock_smmu *s);
/* It loses power, or these bits of CR0 at least; GBPA lets everything pass */
void mock_reset(struct mock_smmu *s, u32 cr0);
/* It writes an event; false if its queue is off or full */
bool mock_event(struct mock_smmu *s, u64 dword0);
/* What it would fetch for a stream; false if there is no STE */
bool mock_ste(struct mock_smmu *s, u32 sid, u64 *ste);
/* Is this STE one that lets nothing pass but through EL2's stage 2? */
bool mock_ste_is_safe(const struct mock_smmu *s, const u64 *ste);
/* Where dwords 2 and 3 of an STE take an address; false if nowhere */
bool mock_s2_walk(const u64 *s2, u64 ipa, struct mock_leaf *leaf);

#endif /* __PKVM_SMMU_MOCK_H */
