/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SMMUv3 that EL2 owns, and the one that the host believes in.
 *
 * Calls go down this list, never up: el2.c, check.c, probe.c, mmio.c, irq.c, cmdq.c,
 * queues.c, strtab.c, gerror.c, tlbi.c, hwq.c, s2.c, cmd.c, ste.c, hal.h.
 *
 * Locks, outermost first:
 *	emu_lock	one per SMMU; what the host believes, the shadow table
 *	the host's ownership lock, and EL2's (of mem_protect.c); the stage 2
 *	hw_lock		one per SMMU; the hardware's command queue and GERRORN
 *	the pool's, and that of its count, under any of them (hal.c)
 * A trap of the host takes emu_lock. Under it EL2 takes the ownership locks to pin
 * or read the host's memory, and at other times hw_lock. The path of a page that
 * changes hands is entered with the ownership locks held. It takes one hw_lock at
 * a time, and never emu_lock. No hw_lock is held while EL2 waits for the hardware.
 */
#ifndef __PKVM_SMMU_H
#define __PKVM_SMMU_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "../arm-smmu-v3.h"
#include "config.h"
#include "hal.h"

/* Page 1 of the registers */
#define SMMU_PAGE1		SZ_64K

/*
 * How much work one trap does, beside a full command queue. These cost a unit
 * each: an STE that is shadowed, a group of STEs that is looked up, an event that
 * is counted, a wait for an STE. A new second-level table costs SMMU_WORK_PER_L2,
 * whatever the size of a page: one trap can fill all that an SMMU may have.
 * Waits end with the trap's clock as well. The rest of the work waits for the
 * host's next read of CMDQ_CONS or CR0ACK.
 */
#define SMMU_WORK_PER_TRAP	1024
#define SMMU_WORK_PER_L2	(SMMU_WORK_PER_TRAP / PKVM_SMMU_L2_TABLES - 3)

/* The host's queues are pinned page by page: cap what one enable can cost */
#define SMMU_HOST_CMDQ_SHIFT	10
#define SMMU_HOST_EVTQ_SHIFT	12

/* EL2's VMID. The CPU uses 0 as well, so that broadcast TLBIs stay off (CR2.PTM) */
#define SMMU_VMID		0

/* Commands of the host's that go to the hardware's queue at a time */
#define SMMU_CMD_BATCH		16
/* To invalidate more by address isn't worth it; a CMD_SYNC comes on top */
#define SMMU_TLBI_CMDS		8

/*
 * How long a trap waits for the hardware: Linux waits as long for a CMD_SYNC whose
 * completion it looks for in memory, and does not trap meanwhile
 */
#define SMMU_TRAP_US		1000000
/*
 * How long EL2 waits in all for SMMUs and hw_locks with host_mmu.lock held: for a page
 * that leaves the host, after which EL1 tries again, or for blocks that take the place
 * of tables when pages come back, which are then not made.
 */
#define SMMU_LEAVE_US		20000

/**
 * struct smmu_s2 - the identity stage 2 that all SMMUs share
 * @pgd:	the root, EL2's address; concatenated if it is more than a page
 * @ia_bits:	input (and output) address size, in bits
 * @level:	level of the root
 * @ram_level:	the lowest level (the largest leaves) at which RAM can be mapped
 *
 * Written with the ownership lock held, or at init.
 */
struct smmu_s2 {
	u64	*pgd;
	u8	ia_bits;
	s8	level;
	s8	ram_level;
};

/* What the smallest table maps */
#define SMMU_S2_JOIN_SIZE	(PAGE_SIZE << (PAGE_SHIFT - 3))

/**
 * struct smmu_s2_join - a block that takes the place of a table
 * @ptep:	the entry
 * @table:	what it was
 * @parent:	the entry of the table that it is in; NULL if that is the root
 * @start:	the first address that the block maps
 * @end:	and the one behind its last
 */
struct smmu_s2_join {
	u64		*ptep;
	u64		table;
	u64		*parent;
	phys_addr_t	start;
	phys_addr_t	end;
};

/**
 * struct smmu_features - what the pure parts need to know
 * @s2_ste:	dwords 2 and 3 of every STE
 * @ssid_bits:	IDR1.SSIDSIZE
 * @sid_bits:	log2 of the stream IDs that the shadow table covers
 * @ril:	range invalidation (IDR3.RIL)
 * @asid16:	ASIDs have 16 bits (IDR0.ASID16)
 * @stalls:	the stall model is offered (IDR0.STALL_MODEL)
 */
struct smmu_features {
	u64	s2_ste[2];
	u8	ssid_bits;
	u8	sid_bits;
	bool	ril;
	bool	asid16;
	bool	stalls;
};

/**
 * enum smmu_cached - what an SMMU may have cached of stage 2, from less to more
 * @SMMU_CACHED_NOTHING:	no stream was enabled since all of it was invalidated
 * @SMMU_CACHED_S2:	entries of stage 2 by itself, which TLBI_S2_IPA reaches
 * @SMMU_CACHED_NESTED:	entries of both stages together as well, which it doesn't
 */
enum smmu_cached {
	SMMU_CACHED_NOTHING,
	SMMU_CACHED_S2,
	SMMU_CACHED_NESTED,
};

/**
 * struct smmu_clock - how long a trap, or the path of a page, may take
 * @limit:	in microseconds
 * @end:	when it is over, in units of hal_now(); 0 until somebody asks
 */
struct smmu_clock {
	u64	limit;
	u64	end;
};

static inline struct smmu_clock smmu_clock(u64 limit)
{
	return (struct smmu_clock) { .limit = limit };
}

/* The first call starts the clock, and returns false */
static inline bool smmu_clock_is_over(struct smmu_clock *clock)
{
	u64 now = hal_now();

	if (!clock->end)
		clock->end = now + hal_ticks(clock->limit);

	return (s64)(now - clock->end) > 0;
}

/**
 * struct smmu_ticket - commands under way
 * @end:	smmu_hwq.added behind the last of them
 * @skipped:	smmu_hwq.skipped before the first of them
 */
struct smmu_ticket {
	u32	end;
	u32	skipped;
};

/**
 * struct smmu_tlbi - an invalidation that is under way; with the ownership lock
 * @cmds:	its commands
 * @n:		how many; 0 if there was nothing to invalidate
 * @ticket:	of them
 * @cached:	what they invalidate
 */
struct smmu_tlbi {
	struct arm_smmu_cmd	cmds[SMMU_TLBI_CMDS + 1];
	unsigned int		n;
	struct smmu_ticket	ticket;
	enum smmu_cached	cached;
};

/**
 * struct smmu_hwq - the hardware's command queue
 * @base:	the entries, EL2's memory
 * @prod:	index and wrap bit of the next entry to be written
 * @cons:	what the hardware was seen to have consumed last
 * @shift:	log2 of the number of entries
 * @added:	commands that were put into it
 * @skipped:	commands that the hardware called illegal and EL2 replaced
 * @timed_out:	the longest limit of a clock that ran out, until the hardware has
 *		consumed @timed_out_at
 * @timed_out_at: @added when a clock ran out last
 * @smmu_off:	CR0ACK.SMMUEN may be 0: GBPA aborts all streams
 * @broken:	the SMMU is not used again
 */
struct smmu_hwq {
	__le64	*base;
	u32	prod;
	u32	cons;
	u8	shift;
	u32	added;
	u32	skipped;
	u64	timed_out;
	u32	timed_out_at;
	bool	smmu_off;
	bool	broken;
};

/**
 * struct smmu_sid_range - stream IDs that a CFGI command names
 * @first:	the first one
 * @last:	the last one, inclusive
 */
struct smmu_sid_range {
	u32	first;
	u32	last;
};

/**
 * struct smmu_strtab - the shadow stream table
 * @tab:	the STEs of a linear table, or the level-1 descriptors; EL2's memory
 * @two_level:	which of the two
 * @nr_l2:	second-level tables, up to PKVM_SMMU_L2_TABLES
 * @live:	the host has its SMMU enabled: streams follow its table
 * @forgotten:	not @live, and the hardware has nothing cached
 * @may_stall:	the host had its SMMU enabled, and transactions may be stalled since
 * @dropped:	there are level-1 descriptors with Span 0 whose table is not free yet
 * @taking:	the streams whose STEs are being taken anew, over several traps
 * @next:	the first of them that has yet to be; 0 when they all have
 * @cached:	the hardware may have cached them with V=1
 * @enabling:	it is because the host has enabled its SMMU, and not for a command
 */
struct smmu_strtab {
	__le64	*tab;
	u32	nr_l2;
	bool	two_level;
	bool	live;
	bool	forgotten;
	bool	may_stall;
	bool	dropped;
	struct smmu_sid_range taking;
	u32	next;
	bool	cached;
	bool	enabling;
};

/**
 * struct smmu_host_queue - a queue of the host's
 * @va:		where EL2 finds it; NULL while it isn't pinned
 * @base:	physical address, aligned as the architecture aligns it
 * @size:	in bytes
 * @shift:	log2 of the number of entries
 * @prod:	as the host believes
 * @cons:	as the host believes; for the command queue with CMDQ_CONS.ERR
 */
struct smmu_host_queue {
	__le64		*va;
	phys_addr_t	base;
	size_t		size;
	u8		shift;
	u32		prod;
	u32		cons;
};

/**
 * struct smmu_host_msi - an MSI as the host wants it
 * @addr:	*_IRQ_CFG0
 * @data:	*_IRQ_CFG1
 * @attr:	*_IRQ_CFG2, kept only
 */
struct smmu_host_msi {
	u64	addr;
	u32	data;
	u32	attr;
};

/**
 * struct smmu_host_regs - what the host has written, as it reads it back
 * @cr0:	CR0
 * @cr0ack:	CR0ACK
 * @cr1:	CR1, kept only
 * @cr2:	CR2, kept only
 * @errors:	the errors that EL2 emulates and that are active, as in GERROR
 * @gerrorn:	GERRORN
 * @irq_ctrl:	IRQ_CTRL
 * @irq_ctrlack: IRQ_CTRLACK
 * @gerror_msi:	GERROR_IRQ_CFG*
 * @evtq_msi:	EVTQ_IRQ_CFG*
 * @irq_pending: there is an error that the hardware could not signal yet
 * @strtab_base: STRTAB_BASE
 * @strtab_cfg:	STRTAB_BASE_CFG
 * @cmdq_base:	CMDQ_BASE
 * @evtq_base:	EVTQ_BASE
 */
struct smmu_host_regs {
	u32	cr0;
	u32	cr0ack;
	u32	cr1;
	u32	cr2;
	u32	errors;
	u32	gerrorn;
	u32	irq_ctrl;
	u32	irq_ctrlack;
	struct smmu_host_msi gerror_msi;
	struct smmu_host_msi evtq_msi;
	bool	irq_pending;
	u64	strtab_base;
	u32	strtab_cfg;
	u64	cmdq_base;
	u64	evtq_base;
};

/**
 * struct pkvm_smmu - one SMMUv3
 * @base:	its registers
 * @base_pa:	where they are, which is the SMMU's name
 * @idr:	IDR0 to IDR5 as the host sees them
 * @iidr:	IIDR
 * @aidr:	AIDR
 * @feat:	for the pure parts; constant after take-over
 * @hw_cr0:	the hardware's CR0 as EL2 wrote it; emu_lock
 * @hw_irq_ctrl: the hardware's IRQ_CTRL as EL2 wrote it; emu_lock
 * @oas_bits:	the hardware's output address size
 * @coherent:	it sees what is in the CPUs' caches
 * @msi_parent:	firmware names an interrupt controller for its MSIs
 * @msis:	the host may have it write MSIs
 * @splits_blocks: a block of the stage 2 may become a table, and the other way round, by
 *		one store
 * @emu_lock:	see the top of this file
 * @hw_lock:	see the top of this file
 * @host:	the host's registers; emu_lock
 * @cmdq:	the host's command queue; emu_lock
 * @evtq:	the host's event queue; emu_lock
 * @strtab:	the shadow stream table; emu_lock
 * @batch:	commands on their way from @cmdq to @hwq. Of smmu_cmdq_consume() only, but
 *		with CONFIG_INIT_STACK_ALL_ZERO the stack is zeroed on use; emu_lock
 * @clock:	of this trap; emu_lock
 * @budget:	what is left of SMMU_WORK_PER_TRAP in this trap; emu_lock
 * @checked:	what the hardware had been told when check.c looked last; emu_lock
 * @hwq:	the hardware's command queue; hw_lock
 * @cached:	what the hardware may have cached of stage 2; written with emu_lock and
 *		hw_lock
 * @tlbi:	an invalidation under way; the ownership lock
 * @counts:	what EL1 can read, in memory that the host may write; EL2 makes no use of it
 */
struct pkvm_smmu {
	void __iomem		*base;
	phys_addr_t		base_pa;
	u32			idr[6];
	u32			iidr;
	u32			aidr;
	struct smmu_features	feat;
	u32			hw_cr0;
	u32			hw_irq_ctrl;
	u8			oas_bits;
	bool			coherent;
	bool			msi_parent;
	bool			msis;
	bool			splits_blocks;

	struct hal_lock		emu_lock;
	struct hal_lock		hw_lock;

	struct smmu_host_regs	host;
	struct smmu_host_queue	cmdq;
	struct smmu_host_queue	evtq;
	struct smmu_strtab	strtab;
	struct arm_smmu_cmd	batch[SMMU_CMD_BATCH];
	struct smmu_clock	clock;
	u32			budget;
	u32			checked;

	struct smmu_hwq		hwq;
	enum smmu_cached	cached;
	struct smmu_tlbi	tlbi;
	struct pkvm_smmu_counts	*counts;
};

/* Has this trap taken long enough? emu_lock held */
static inline bool smmu_trap_is_over(struct pkvm_smmu *smmu)
{
	return smmu_clock_is_over(&smmu->clock);
}

/* Units of the trap's budget; emu_lock held */
static inline void smmu_spend(struct pkvm_smmu *smmu, u32 units)
{
	smmu->budget -= min(units, smmu->budget);
}

/* Each kind is counted under one lock, which the caller holds */
static inline void smmu_count(struct pkvm_smmu *smmu, enum pkvm_smmu_count what, u64 n)
{
	u64 *count = &smmu->counts->n[what];

	WRITE_ONCE(*count, READ_ONCE(*count) + n);
}

/**
 * smmu_report() - EL2 has denied something, or has failed
 * @smmu:	the SMMU
 * @what:	what happened
 * @arg0:	see enum pkvm_smmu_count
 * @arg1:	see enum pkvm_smmu_count
 */
static inline void smmu_report(struct pkvm_smmu *smmu, enum pkvm_smmu_count what,
			       u64 arg0, u64 arg1)
{
	smmu_count(smmu, what, 1);
	hal_trace(what, smmu->base_pa, arg0, arg1);
}

/* Has the host's command queue an error that is not acknowledged? emu_lock held */
static inline bool smmu_cmdq_stopped(const struct pkvm_smmu *smmu)
{
	return smmu->host.errors & GERROR_CMDQ_ERR;
}

/* ste.c */
void smmu_ste_from_host(const struct smmu_features *feat, const u64 *host, u64 *hw);

/* cmd.c */

/**
 * enum smmu_cmd_action - what becomes of a command of the host's
 * @SMMU_CMD_ILLEGAL:	stops the host's queue with CERROR_ILL
 * @SMMU_CMD_DROP:	no effect: it is a hint, or its StreamID is out of range
 * @SMMU_CMD_FORWARD:	goes to the hardware as rewritten
 * @SMMU_CMD_STES:	the STEs that it names are taken anew, then it is forwarded
 * @SMMU_CMD_SYNC:	completes when all before it have
 */
enum smmu_cmd_action {
	SMMU_CMD_ILLEGAL,
	SMMU_CMD_DROP,
	SMMU_CMD_FORWARD,
	SMMU_CMD_STES,
	SMMU_CMD_SYNC,
};

enum smmu_cmd_action smmu_cmd_from_host(const struct smmu_features *feat,
					const struct arm_smmu_cmd *host,
					struct arm_smmu_cmd *hw,
					struct smmu_sid_range *sids);

/* s2.c */
int smmu_s2_geometry(struct smmu_s2 *s2, u8 ia_bits);
u64 smmu_s2_leaf(phys_addr_t pa, s8 level, bool device);
void smmu_s2_ste_dwords(const struct smmu_s2 *s2, bool coherent, u64 *dwords);
int smmu_s2_init(struct smmu_s2 *s2, u8 ia_bits, bool split);
int smmu_s2_map(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end);
int smmu_s2_unmap(struct smmu_s2 *s2, phys_addr_t start, phys_addr_t end);
bool smmu_s2_join(struct smmu_s2 *s2, phys_addr_t pa, struct smmu_s2_join *join);
void smmu_s2_joined(const struct smmu_s2_join *join, bool forgotten);

/* hwq.c */
unsigned int smmu_hwq_submit(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
			     unsigned int n, struct smmu_ticket *ticket,
			     struct smmu_clock *clock);
int smmu_hwq_wait(struct pkvm_smmu *smmu, const struct smmu_ticket *ticket,
		  struct smmu_clock *clock);
bool smmu_hwq_lost(const struct pkvm_smmu *smmu, const struct smmu_ticket *ticket);
int smmu_hwq_check(struct pkvm_smmu *smmu);
int smmu_hwq_write_cr0(struct pkvm_smmu *smmu, u32 cr0);
unsigned int smmu_hwq_forward(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
			      unsigned int n, bool sync);
int smmu_hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds, unsigned int n);
int smmu_hwq_raise_gerror(struct pkvm_smmu *smmu);
void smmu_hwq_set_smmu_off(struct pkvm_smmu *smmu, bool off);
u32 smmu_hw_errors(struct pkvm_smmu *smmu);
void smmu_hw_ack_errors(struct pkvm_smmu *smmu, u32 acked);

/* tlbi.c */
struct arm_smmu_cmd smmu_tlbi_all(void);
void smmu_tlbi_note(struct pkvm_smmu *smmu, u64 dword0);
void smmu_tlbi_forgotten(struct pkvm_smmu *smmu);
int smmu_tlbi_range(struct pkvm_smmu *smmus, u32 nr, phys_addr_t start, phys_addr_t end,
		    struct smmu_clock *clock);

/* strtab.c */
void smmu_strtab_init(struct pkvm_smmu *smmu);
int smmu_strtab_enable(struct pkvm_smmu *smmu);
int smmu_strtab_disable(struct pkvm_smmu *smmu);
bool smmu_strtab_refresh(struct pkvm_smmu *smmu, const struct smmu_sid_range *sids);

/* irq.c */
void smmu_irq_write_ctrl(struct pkvm_smmu *smmu, u32 irqs);
void smmu_irq_update(struct pkvm_smmu *smmu);

/* cmdq.c */
void smmu_cmdq_enable(struct pkvm_smmu *smmu);
void smmu_cmdq_disable(struct pkvm_smmu *smmu);
void smmu_cmdq_consume(struct pkvm_smmu *smmu);
u32 smmu_cmdq_cons(struct pkvm_smmu *smmu);

/* queues.c */
u8 smmu_queue_shift(u64 q_base, u8 max_shift);
int smmu_queue_pin(struct smmu_host_queue *q, u64 q_base, u32 ent_size, u8 max_shift);
void smmu_queue_unpin(struct smmu_host_queue *q);
int smmu_evtq_enable(struct pkvm_smmu *smmu);
int smmu_evtq_disable(struct pkvm_smmu *smmu);
u32 smmu_evtq_prod(struct pkvm_smmu *smmu);
u32 smmu_evtq_cons(struct pkvm_smmu *smmu);
void smmu_evtq_set_prod(struct pkvm_smmu *smmu, u32 val);
void smmu_evtq_set_cons(struct pkvm_smmu *smmu, u32 val);

/* gerror.c */
u32 smmu_gerror(struct pkvm_smmu *smmu);
void smmu_gerror_ack(struct pkvm_smmu *smmu, u32 gerrorn);
void smmu_gerror_raise(struct pkvm_smmu *smmu, u32 err);
void smmu_gerror_signal(struct pkvm_smmu *smmu);
void smmu_cmdq_error(struct pkvm_smmu *smmu, u32 cerror);

/* mmio.c */
int smmu_mmio_init(void);
u64 smmu_mmio_read(struct pkvm_smmu *smmu, u32 offset, unsigned int size);
void smmu_mmio_write(struct pkvm_smmu *smmu, u32 offset, unsigned int size, u64 val);

/* check.c, with CONFIG_NVHE_EL2_DEBUG */
void smmu_check(struct pkvm_smmu *smmu);

/* probe.c */
int pkvm_smmu_init(struct pkvm_smmu_config *cfg);
int pkvm_smmu_host_unmap(phys_addr_t start, phys_addr_t end);
void pkvm_smmu_host_map(phys_addr_t start, phys_addr_t end);

#endif /* __PKVM_SMMU_H */
