/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine behind hyp.h: some RAM, two SMMUv3s, and who owns what.
 *
 * The SMMUs read what their registers point to, run commands, acknowledge, and
 * keep a record. They can be slow (nothing happens but in hyp_relax()), stuck
 * (nothing ever happens), and call a command illegal. Whatever should never
 * happen, be it by the emulator's fault or the SMMU's, is a complaint: the first
 * one is kept, and a test that has one fails. See fake_complain() for what is
 * looked at all the time, without a test asking for it.
 *
 * Nothing here knows how the emulator does its work, nor calls it, but for
 * fake_boot(). Not for more than one thread.
 */
#ifndef __PKVM_SMMU_FAKE_H
#define __PKVM_SMMU_FAKE_H

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

#define FAKE_NR_SMMUS		2
#define FAKE_NR_RUNS		4096
#define FAKE_NR_WRITES		4096
#define FAKE_NR_REGIONS		4

/* The host's RAM in two regions: around 1 GiB, and behind 4 GiB */
#define FAKE_NR_PAGES		256U
#define FAKE_RAM_A		(0x40000000ULL - 64 * PAGE_SIZE)
#define FAKE_RAM_B		(0x100000000ULL + 3 * PAGE_SIZE)
#define FAKE_RAM_B_PAGES	64U

/* One behind the other, and not where a block starts */
#define FAKE_MMIO_SIZE		PKVM_SMMU_MIN_MMIO_SIZE
#define FAKE_MMIO(i)		(0x9050000ULL + (i) * PKVM_SMMU_MIN_MMIO_SIZE)

#define FAKE_EVTQ_PROD		(0x10000 + ARM_SMMU_EVTQ_PROD)
#define FAKE_EVTQ_CONS		(0x10000 + ARM_SMMU_EVTQ_CONS)

enum fake_owner {
	FAKE_HOST,
	FAKE_EL2,
	FAKE_GUEST,
};

/* @dirty: the cache has what memory does not have yet, see fake_store() */
struct fake_page {
	enum fake_owner		owner;
	bool			shared;
	bool			allocated;
	bool			in_pool;
	bool			dirty;
	u8			pins;
};

/**
 * struct fake_run - a command that the SMMU has run
 * @cmd:	the command
 * @ste:	fake->watch_sid's STE at that time; 0 if there is none
 * @ste_found:	there is one
 * @mapped:	fake->watch_ipa was mapped by that STE's stage 2 at that time
 */
struct fake_run {
	u64	cmd[2];
	u64	ste[STRTAB_STE_DWORDS];
	bool	ste_found;
	bool	mapped;
};

struct fake_write {
	u32	offset;
	u64	val;
};

/**
 * struct fake_smmu - an SMMUv3, and how it behaves
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
 * @barriers:	fake->barriers when it was told of commands last
 * @nr_runs:	number of commands run; a test may set it to 0
 * @runs:	the first ones
 * @nr_writes:	number of registers written; a test may set it to 0
 * @writes:	the first ones
 */
struct fake_smmu {
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
	struct fake_run		runs[FAKE_NR_RUNS];
	unsigned int		nr_writes;
	struct fake_write	writes[FAKE_NR_WRITES];
};

/**
 * struct fake - the machine
 * @complaint:	the first one, or NULL
 * @smmu:	the SMMUs
 * @config:	what EL1 says; fake_init() fills in something that works
 * @sid_bits:	for fake_boot(): size of the table that EL1 sets aside
 * @region:	the memory map, base and end
 * @nr_pages:	pages of RAM
 * @pages:	one for each
 * @ram:	their contents, as the host and its devices see them
 * @cache:	as EL2 does; the same, unless fake_incoherent. Then what EL2 stores gets to
 *		@ram when it is cleaned, and not before
 * @pool_left:	pages that the pool still gives out; a test may lower it
 * @pool_used:	pages that are out
 * @pool_peak:	and that were at most
 * @pool_pages:	pages that were put into it
 * @unordered:	the host has stored something, and EL2 has not waited for that
 * @copies:	how often EL2 has read the host's memory; a test may set it to 0
 * @flip:	the host overwrites what it is that EL2 has just read
 * @watch_sid:	see struct fake_run
 * @watch_ipa:	see struct fake_run
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
struct fake {
	const char		*complaint;
	struct fake_smmu	smmu[FAKE_NR_SMMUS];
	struct pkvm_smmu_config	config;
	u8			sid_bits;
	struct {
		phys_addr_t	base;
		phys_addr_t	end;
	}			region[FAKE_NR_REGIONS];
	unsigned int		nr_pages;
	struct fake_page	*pages;
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
	void			(*ran)(struct fake_smmu *s, const u64 *cmd);
	void			(*meanwhile)(void);
	void			(*step)(void);
	u64			lock_takes;
	unsigned int		nr_held;
	int			held[2 + FAKE_NR_SMMUS];
};

/* Where stage 2 takes an address: what the last descriptor says */
struct fake_leaf {
	u64	pa;
	u64	desc;
	int	level;
};

extern struct fake *fake;
/* For fake_init(): no SMMU snoops the CPUs' caches */
extern bool fake_incoherent;

int fake_init(unsigned int nr_pages);
void fake_exit(void);
int fake_boot(void);
void fake_complain(const char *what);

/* RAM: pages that nobody uses yet, aligned to their size rounded up; 0 if none */
phys_addr_t fake_alloc(size_t size, enum fake_owner owner);
void fake_give(phys_addr_t pa, size_t size, enum fake_owner owner);
struct fake_page *fake_page(phys_addr_t pa);
/* The address of a page by its number, below fake->nr_pages */
phys_addr_t fake_page_pa(unsigned int nr);
void *fake_va(phys_addr_t pa);
/* One little-endian word of it */
u64 fake_get(phys_addr_t pa);
void fake_put(phys_addr_t pa, u64 val);
/* The same of who is not the host: as fake->cache, and so not seen by the host's devices */
void fake_store(phys_addr_t pa, u64 val);

/* The lock of who owns what */
void fake_own_lock(void);
void fake_own_unlock(void);

u32 fake_reg(const struct fake_smmu *s, u32 offset);
u64 fake_reg64(const struct fake_smmu *s, u32 offset);
void fake_set_reg(struct fake_smmu *s, u32 offset, u32 val);
/* The SMMU does all that it has been told to do */
void fake_run_all(struct fake_smmu *s);
/* It loses power, or these bits of CR0 at least; GBPA lets everything pass */
void fake_reset(struct fake_smmu *s, u32 cr0);
/* It writes an event; false if its queue is off or full */
bool fake_event(struct fake_smmu *s, u64 dword0);
/* What it would fetch for a stream; false if there is no STE */
bool fake_ste(struct fake_smmu *s, u32 sid, u64 *ste);
/* Is this STE one that lets nothing pass but through EL2's stage 2? */
bool fake_ste_is_safe(const struct fake_smmu *s, const u64 *ste);
/* Where dwords 2 and 3 of an STE take an address; false if nowhere */
bool fake_s2_walk(const u64 *s2, u64 ipa, struct fake_leaf *leaf);

#endif /* __PKVM_SMMU_FAKE_H */
