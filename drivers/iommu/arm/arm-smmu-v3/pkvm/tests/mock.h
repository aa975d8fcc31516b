/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mock machine behind hyp.h: RAM whose pages have owners, two SMMUv3s, and
 * PMCGs where a test describes them.
 *
 * The SMMUs read what their registers point to, run commands, acknowledge, and
 * record. An SMMU can be slow (it works in hyp_relax() only), be stuck (it
 * never works), or call a command illegal. mock_complain() records the first
 * thing that should never happen, and the test fails. Its comment lists what
 * the mock always checks.
 *
 * The mock does not depend on how the emulator works, and calls it in
 * mock_boot() only. It has one thread.
 */
#ifndef __PKVM_SMMU_MOCK_H
#define __PKVM_SMMU_MOCK_H

#include <linux/types.h>

#include "../check.h"
#include "../cmd.h"
#include "../init.h"
#include "../pmcg.h"
#include "../run.h"
#include "../s2.h"
#include "../smmu.h"
#include "../ste.h"
#include "../tlbi.h"
#include "../trap.h"
#include "arch.h"

/* So many SMMUs are there, unless a test sets mock_nr_smmus */
#define MOCK_NR_SMMUS		2
#define MOCK_MAX_SMMUS		128
#define MOCK_MAX_CHUNKS		512
#define MOCK_NR_RUNS		4096
#define MOCK_NR_WRITES		4096
#define MOCK_NR_REGIONS		4
#define MOCK_NR_PMCGS		4
#define MOCK_NR_TAKEN		(MOCK_MAX_SMMUS + 16)

/* RAM is in two regions: around 1 GiB, and above 4 GiB */
#define MOCK_NR_PAGES		256U
#define MOCK_RAM_A		(0x40000000ULL - 64 * PAGE_SIZE)
#define MOCK_RAM_B		(0x100000000ULL + 3 * PAGE_SIZE)
#define MOCK_RAM_B_PAGES	64U

/* The SMMUs' registers are next to each other, not at the start of a block */
#define MOCK_MMIO_SIZE		PKVM_SMMU_MIN_MMIO_SIZE
#define MOCK_MMIO(i)		(0x9050000ULL + (i) * PKVM_SMMU_MIN_MMIO_SIZE)

/* The last SMMU has more registers, if EL1 describes them */
#define MOCK_MMIO_MAX_SIZE	0x30000U

/* MMIO that is no SMMU's, where PMCGs can be */
#define MOCK_OTHER		0x10000000ULL
#define MOCK_OTHER_SIZE		0x40000U

/* Second-level tables of each SMMU for which EL1 sets pages aside */
#define MOCK_NR_L2		64

/* Bytes that EL2 needs for a range of MMIO */
#define MOCK_MMIO_KEPT		24

/* GBPA as firmware has left it: incoming attributes, and no abort */
#define MOCK_GBPA		0x1000U

#define MOCK_EVTQ_PROD		(0x10000 + ARM_SMMU_EVTQ_PROD)
#define MOCK_EVTQ_CONS		(0x10000 + ARM_SMMU_EVTQ_CONS)

enum mock_owner {
	MOCK_HOST,
	MOCK_EL2,
	MOCK_GUEST,
};

/* @dirty: the cache has data that memory does not have, see mock_store() */
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
 * @ste:	the STE of mock->watch_sid at that time; 0 if there was none
 * @ste_found:	there was one
 * @mapped:	stage 2 mapped mock->watch_ipa at that time
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
 * struct mock_pmcg - a PMCG, and how it behaves
 * @armed:	EL2 has taken over, and the mock checks everything
 * @stuck:	it acknowledges nothing
 * @slow:	it acknowledges in hyp_relax() only
 * @keeps_msi:	the target of its MSI does not change
 * @dies_after:	if not 0: it gets stuck after so many writes
 * @irq_target:	the value that IRQ_CTRLACK will have
 * @nr_reads:	number of registers read; a test may set it to 0
 * @nr_writes:	number of registers written; a test may set it to 0
 * @last:	the last write; the offset has MOCK_PMCG_PAGE1 for page 1, and
 *		MOCK_PMCG_WIDE for 8 bytes
 */
struct mock_pmcg {
	bool			armed;
	bool			stuck;
	bool			slow;
	bool			keeps_msi;
	unsigned int		dies_after;
	u32			irq_target;
	unsigned int		nr_reads;
	unsigned int		nr_writes;
	struct mock_write	last;
};

#define MOCK_PMCG_PAGE1		0x1000
#define MOCK_PMCG_WIDE		0x2000

/* Registers of a PMCG that the mock knows (10.5.1) */
#define T_PMCG_CFGR		0xe00
#define T_PMCG_IRQ_CTRL		0xe50
#define T_PMCG_IRQ_CTRLACK	0xe54
#define T_PMCG_IRQ_CFG0		0xe58

/* MMIO that EL2 has taken */
struct mock_taken {
	phys_addr_t	base;
	phys_addr_t	end;
	void		*cookie;
};

/**
 * struct mock_smmu - an SMMUv3, and how it behaves
 * @regs:	its registers
 * @mmio_size:	their size, as EL2 has taken them
 * @gbpa:	the value of GBPA that is in force
 * @smmu:	the emulator's state, once it has taken the registers
 * @taken:	it has
 * @armed:	EL2 has taken over, and the mock checks everything
 * @stuck:	it acknowledges nothing and runs no command
 * @slow:	it does one thing in each hyp_relax()
 * @delay:	if slow: microseconds that a command takes
 * @rest:	if slow: calls of hyp_relax() between two things
 * @resting:	how many of these calls are left
 * @dies_after:	if not 0: it gets stuck after so many writes
 * @bad_op:	the opcode that it calls illegal, if @bad_times is not 0
 * @bad_times:	how often it still does so
 * @bad_code:	CMDQ_CONS.ERR that it reports then
 * @nr_gerror_irqs: GERROR interrupts that it has signalled
 * @irq_target:	the value that IRQ_CTRLACK will have
 * @stalled:	stalled transactions
 * @barriers:	mock->barriers at the last write of CMDQ_PROD
 * @nr_runs:	number of commands run; a test may set it to 0
 * @runs:	the first ones
 * @nr_writes:	number of registers written; a test may set it to 0
 * @writes:	the first ones
 */
struct mock_smmu {
	u32			regs[MOCK_MMIO_MAX_SIZE / sizeof(u32)];
	size_t			mmio_size;
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
 * struct mock_config - what EL1 describes
 * @nr_smmus:	see struct pkvm_smmu_config
 * @nr_chunks:	see struct pkvm_smmu_config
 * @nr_rmrs:	see struct pkvm_smmu_config
 * @nr_pmcgs:	see struct pkvm_smmu_config
 * @rmrs:	see struct pkvm_smmu_config
 * @pmcgs:	the descriptions, also with EL2's answers
 * @smmus:	the descriptions, also with EL2's answers
 * @pool:	the chunks
 * @descs:	@smmus of struct pkvm_smmu_config
 * @chunks:	@pool of struct pkvm_smmu_config
 * @shared:	see struct pkvm_smmu_config
 * @state:	see struct pkvm_smmu_config
 * @mmio:	see struct pkvm_smmu_config
 */
struct mock_config {
	u32			nr_smmus;
	u32			nr_chunks;
	u32			nr_rmrs;
	u32			nr_pmcgs;
	struct pkvm_smmu_rmr	rmrs[PKVM_SMMU_MAX_RMRS];
	struct pkvm_pmcg_desc	pmcgs[PKVM_SMMU_MAX_PMCGS];
	struct pkvm_smmu_desc	smmus[MOCK_MAX_SMMUS];
	struct pkvm_smmu_mem	pool[MOCK_MAX_CHUNKS];
	struct pkvm_smmu_mem	descs;
	struct pkvm_smmu_mem	chunks;
	struct pkvm_smmu_mem	shared;
	struct pkvm_smmu_mem	state;
	struct pkvm_smmu_mem	mmio;
};

/**
 * struct mock - the machine
 * @complaint:	the first one, or NULL
 * @nr_smmus:	number of SMMUs
 * @smmu:	the SMMUs
 * @pmcg:	the PMCGs, which are where @config says
 * @other:	registers at MOCK_OTHER
 * @taken:	MMIO that EL2 has taken
 * @nr_taken:	number of entries in @taken
 * @config:	what EL1 describes; mock_init() fills in what works
 * @sid_bits:	for mock_boot(): size of the table that EL1 sets aside
 * @region:	the memory map, base and end
 * @sparse:	base and end of RAM above all regions that is the host's and has no
 *		content; page aligned
 * @nr_pages:	pages of RAM
 * @pages:	one for each
 * @ram:	their contents, as the host and its devices see them
 * @cache:	their contents as EL2 sees them: @ram, unless mock_incoherent.
 *		Then EL2's stores get to @ram when EL2 cleans them
 * @mmio_left:	ranges of MMIO that EL2 has memory for
 * @pool_left:	pages that the pool can still give; a test may lower it
 * @pool_used:	pages that the pool has given
 * @pool_peak:	the most that it had given at any time
 * @pool_pages:	pages that EL2 has added to the pool
 * @unordered:	the host has stored something since the last hyp_host_mb()
 * @copies:	how often EL2 has read the host's memory; a test may set it to 0
 * @flip:	the host overwrites each word that EL2 has just read
 * @watch_sid:	see struct mock_run
 * @watch_ipa:	see struct mock_run
 * @barriers:	how often hyp_wmb() was called
 * @traced:	how often EL2 has traced something, by kind
 * @pool_counts: where EL2 counts the pool's pages
 * @uncounted:	the counts before hyp_pool_count_in()
 * @pins:	pinned pages, without those that EL2 counts in
 * @now:	the time
 * @relaxed:	how often hyp_relax() was called; a test may set it to 0
 * @ran:	if not NULL: called for each command that an SMMU has run
 * @meanwhile:	if not NULL: called while EL2 waits
 * @step:	if not NULL: called between EL2's steps, where others can act
 * @lock_takes: microseconds that others hold a hw_lock
 * @nr_held:	number of locks held
 * @held:	their ranks
 */
struct mock {
	const char		*complaint;
	unsigned int		nr_smmus;
	struct mock_smmu	*smmu;
	struct mock_pmcg	pmcg[MOCK_NR_PMCGS];
	u32			other[MOCK_OTHER_SIZE / sizeof(u32)];
	struct mock_taken	taken[MOCK_NR_TAKEN];
	unsigned int		nr_taken;
	struct mock_config	config;
	u8			sid_bits;
	struct {
		phys_addr_t	base;
		phys_addr_t	end;
	}			region[MOCK_NR_REGIONS], sparse;
	unsigned int		nr_pages;
	struct mock_page	*pages;
	u8			*ram;
	u8			*cache;
	unsigned int		mmio_left;
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
	int			held[4];
};

/* The leaf of stage 2 for an address */
struct mock_leaf {
	u64	pa;
	u64	desc;
	int	level;
};

extern struct mock *mock;
/* For mock_init(): no SMMU snoops the CPUs' caches */
extern bool mock_incoherent;
/* For mock_init(): number of SMMUs, up to MOCK_MAX_SMMUS */
extern unsigned int mock_nr_smmus;

int mock_init(unsigned int nr_pages);
void mock_exit(void);
int mock_boot(void);
void mock_complain(const char *what);

/* Unused RAM, aligned to its size rounded up; 0 if there is none */
phys_addr_t mock_alloc(size_t size, enum mock_owner owner);
void mock_give(phys_addr_t pa, size_t size, enum mock_owner owner);
struct mock_page *mock_page(phys_addr_t pa);
/* The address of a page by its number, below mock->nr_pages */
phys_addr_t mock_page_pa(unsigned int nr);
void *mock_va(phys_addr_t pa);
/* One little-endian word of it */
u64 mock_get(phys_addr_t pa);
void mock_put(phys_addr_t pa, u64 val);
/* Store by EL2 or a guest, which stays in the cache */
void mock_store(phys_addr_t pa, u64 val);

/* The lock of who owns what */
void mock_own_lock(void);
void mock_own_unlock(void);

u32 mock_reg(const struct mock_smmu *s, u32 offset);
u64 mock_reg64(const struct mock_smmu *s, u32 offset);
void mock_set_reg(struct mock_smmu *s, u32 offset, u32 val);
void mock_change_reg(struct mock_smmu *s, u32 offset, u32 clear, u32 set);
/* The register at a physical address; NULL if there is none */
u32 *mock_mmio(phys_addr_t pa);
/* The MMIO that EL2 has taken with this address, or NULL */
const struct mock_taken *mock_taken(phys_addr_t pa);
/* The SMMU does everything that is pending */
void mock_run_all(struct mock_smmu *s);
/* It is reset: these bits of CR0 are cleared, and GBPA lets streams pass */
void mock_reset(struct mock_smmu *s, u32 cr0);
/* It writes an event; false if its queue is off or full */
bool mock_event(struct mock_smmu *s, u64 dword0);
/* The STE that it would fetch for a stream; false if there is none */
bool mock_ste(struct mock_smmu *s, u32 sid, u64 *ste);
/* Does this STE let nothing pass around EL2's stage 2? */
bool mock_ste_is_safe(const struct mock_smmu *s, const u64 *ste);
/* Walk the stage 2 of dwords 2 and 3 of an STE; false if there is no leaf */
bool mock_s2_walk(const u64 *s2, u64 ipa, struct mock_leaf *leaf);

#endif /* __PKVM_SMMU_MOCK_H */
