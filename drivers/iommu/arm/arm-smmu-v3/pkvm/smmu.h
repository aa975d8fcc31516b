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
 * An access of the host's takes emu_lock, and under it the ownership locks where
 * it pins or reads the host's memory, and at other times hw_lock. A page that
 * changes hands comes with the ownership locks held and takes the hw_lock of every
 * SMMU, in their order, and holds each until that one, and those behind it, have
 * completed: it waits for what is in the hardware's queues, and never for the emulation.
 * Meanwhile commands of the host's wait, to any SMMU that has something to forget, for
 * the slowest of them.
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
 * How much work one trap does, beside a full command queue: a unit for each STE that is
 * taken anew, each group of them that is looked for, each event that is counted, and
 * each time that an STE is waited for. Nothing is left once the trap has taken, from its
 * first unit or the beginning of its first wait on, as long as the hardware may take for
 * anything. The rest waits for the host's next look at CMDQ_CONS or CR0ACK. The last wait
 * of a trap may take as long again, and a page of the shadow table is filled in one go.
 * Locks that other CPUs have are waited for as long as it takes them, which is bounded by
 * the same; the first wait for one may not count.
 */
#define SMMU_WORK_PER_TRAP	1024

/* The host's queues are pinned page by page: cap what one enable can cost */
#define SMMU_HOST_CMDQ_SHIFT	10
#define SMMU_HOST_EVTQ_SHIFT	12

/* EL2's VMID. The CPU uses 0 as well, so that broadcast TLBIs stay off (CR2.PTM) */
#define SMMU_VMID		0

/* Commands of the host's that go to the hardware's queue at a time */
#define SMMU_CMD_BATCH		16
/* To invalidate more by address isn't worth it; a CMD_SYNC comes on top */
#define SMMU_TLBI_CMDS		8

/* Generous for any change that the architecture lets software wait for */
#define SMMU_TIMEOUT_US		1000000

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
 */
struct smmu_s2_join {
	u64	*ptep;
	u64	table;
	u64	*parent;
};

/**
 * struct smmu_features - what the pure parts need to know
 * @s2_ste:	dwords 2 and 3 of every STE
 * @ssid_bits:	IDR1.SSIDSIZE
 * @sid_bits:	log2 of the stream IDs that the shadow table covers
 * @ril:	range invalidation (IDR3.RIL)
 * @big_64k:	the host's stage 1 may have leaves of the 64K granule at level 1, of 4 TiB, as
 *		addresses have 52 bits
 * @stalls:	the stall model is offered (IDR0.STALL_MODEL)
 */
struct smmu_features {
	u64	s2_ste[2];
	u8	ssid_bits;
	u8	sid_bits;
	bool	ril;
	bool	big_64k;
	bool	stalls;
};

/**
 * enum smmu_cached - what an SMMU may have cached of stage 2, from less to more
 * @SMMU_CACHED_NOTHING:	no stream has passed since it was told to forget all
 * @SMMU_CACHED_S2:	entries of stage 2 by itself, which TLBI_S2_IPA reaches
 * @SMMU_CACHED_NESTED:	entries of both stages together as well, which it doesn't
 */
enum smmu_cached {
	SMMU_CACHED_NOTHING,
	SMMU_CACHED_S2,
	SMMU_CACHED_NESTED,
};

/**
 * struct smmu_hwq - the hardware's command queue
 * @base:	the entries, EL2's memory
 * @prod:	index and wrap bit of the next entry to be written
 * @cons:	what the hardware was seen to have consumed last
 * @shift:	log2 of the number of entries
 * @pos_mask:	the bits of an index with its wrap bit
 * @added:	commands that were put into it
 * @skipped:	commands that the hardware would not take and EL2 replaced
 * @started:	of them, those before smmu_hwq_start()
 * @waiting:	something has been started, and not finished; with the ownership lock (tlbi.c)
 * @late:	the hardware did not answer in time; it is not waited for until it has
 * @broken:	the hardware has an error that EL2 can't mend; it is not used again
 */
struct smmu_hwq {
	__le64	*base;
	u32	prod;
	u32	cons;
	u8	shift;
	u32	pos_mask;
	u32	added;
	u32	skipped;
	u32	started;
	bool	waiting;
	bool	late;
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
	bool	dropped;
	struct smmu_sid_range taking;
	u32	next;
	bool	cached;
	bool	enabling;
};

/**
 * struct smmu_host_queue - a queue of the host's
 * @va:		where EL2 finds it; NULL while it isn't pinned
 * @reg:	the base register that it was pinned for
 * @base:	physical address, aligned as the architecture aligns it
 * @size:	in bytes
 * @shift:	log2 of the number of entries
 * @prod:	as the host believes
 * @cons:	as the host believes; for the command queue with CMDQ_CONS.ERR
 */
struct smmu_host_queue {
	__le64		*va;
	u64		reg;
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
 * @gerror_msi:	GERROR_IRQ_CFG*
 * @evtq_msi:	EVTQ_IRQ_CFG*
 * @irq_owed:	there is an error that the hardware could not signal yet
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
	struct smmu_host_msi gerror_msi;
	struct smmu_host_msi evtq_msi;
	bool	irq_owed;
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
 * @hw_cr0:	the hardware's CR0; emu_lock
 * @oas_bits:	the hardware's output address size
 * @coherent:	it sees what is in the CPUs' caches
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
 * @deadline:	when this trap has taken long enough; 0 until somebody asks; emu_lock
 * @budget:	what is left of SMMU_WORK_PER_TRAP in this trap; emu_lock
 * @denied:	how often something was stopped, by enum pkvm_smmu_denial; emu_lock
 * @traps:	accesses of the host's; emu_lock
 * @cmds:	commands that were consumed from the host's queue; emu_lock
 * @checked:	what the hardware had been told when check.c looked last; emu_lock
 * @hwq:	the hardware's command queue; hw_lock
 * @tlbi:	the same of smmu_tlbi_range()'s commands; hw_lock
 * @cached:	what the hardware may have cached of stage 2; written with emu_lock and
 *		hw_lock
 */
struct pkvm_smmu {
	void __iomem		*base;
	phys_addr_t		base_pa;
	u32			idr[6];
	u32			iidr;
	u32			aidr;
	struct smmu_features	feat;
	u32			hw_cr0;
	u8			oas_bits;
	bool			coherent;
	bool			msis;
	bool			splits_blocks;

	struct hal_lock		emu_lock;
	struct hal_lock		hw_lock;

	struct smmu_host_regs	host;
	struct smmu_host_queue	cmdq;
	struct smmu_host_queue	evtq;
	struct smmu_strtab	strtab;
	struct arm_smmu_cmd	batch[SMMU_CMD_BATCH];
	u64			deadline;
	u32			budget;
	u32			denied[PKVM_SMMU_NR_DENIALS];
	u32			traps;
	u32			cmds;
	u32			checked;

	struct smmu_hwq		hwq;
	struct arm_smmu_cmd	tlbi[SMMU_TLBI_CMDS + 1];
	enum smmu_cached	cached;
};

/* When the hardware has had enough time, from now on; in units of hal_now() */
static inline u64 smmu_deadline(void)
{
	return hal_now() + hal_ticks(SMMU_TIMEOUT_US);
}

static inline bool smmu_is_over(u64 deadline, u64 now)
{
	return (s64)(now - deadline) > 0;
}

/* A trap of which the clock isn't started has taken no time. emu_lock held */
static inline void smmu_start_clock(struct pkvm_smmu *smmu)
{
	if (!smmu->deadline)
		smmu->deadline = smmu_deadline();
}

/* Has this trap taken long enough? Starts the clock. emu_lock held */
static inline bool smmu_trap_is_over(struct pkvm_smmu *smmu)
{
	smmu_start_clock(smmu);

	return smmu_is_over(smmu->deadline, hal_now());
}

/* A unit of the trap's budget; emu_lock held */
static inline void smmu_spend(struct pkvm_smmu *smmu)
{
	if (smmu->budget)
		smmu->budget--;
	if (smmu_trap_is_over(smmu))
		smmu->budget = 0;
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
 * @SMMU_CMD_DROP:	nothing: it is a hint
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
unsigned int smmu_hwq_forward(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds,
			      unsigned int n, bool sync);
int smmu_hwq_run(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds, unsigned int n);
int smmu_hwq_start(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *cmds, unsigned int n,
		   u64 *deadline);
int smmu_hwq_finish(struct pkvm_smmu *smmu, const struct arm_smmu_cmd *again, u64 *deadline);
int smmu_hwq_raise_gerror(struct pkvm_smmu *smmu);
u32 smmu_hw_errors(struct pkvm_smmu *smmu);
void smmu_hw_ack_errors(struct pkvm_smmu *smmu, u32 acked);
int smmu_hw_wait(struct pkvm_smmu *smmu, u32 reg, u32 mask, u32 val);

/* tlbi.c */
struct arm_smmu_cmd smmu_tlbi_all(void);
void smmu_tlbi_note(struct pkvm_smmu *smmu, u64 dword0);
void smmu_tlbi_forgotten(struct pkvm_smmu *smmu);
int smmu_tlbi_range(struct pkvm_smmu *smmus, u32 nr, phys_addr_t start, phys_addr_t end,
		    u64 *deadline);

/* strtab.c */
void smmu_strtab_init(struct pkvm_smmu *smmu);
int smmu_strtab_enable(struct pkvm_smmu *smmu);
int smmu_strtab_disable(struct pkvm_smmu *smmu);
bool smmu_strtab_refresh(struct pkvm_smmu *smmu, const struct smmu_sid_range *sids);

/* irq.c */
void smmu_irq_ctrl(struct pkvm_smmu *smmu, u32 irqs);

/* cmdq.c */
void smmu_cmdq_enable(struct pkvm_smmu *smmu);
void smmu_cmdq_disable(struct pkvm_smmu *smmu);
void smmu_cmdq_consume(struct pkvm_smmu *smmu);

/* queues.c */
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
void smmu_denied(struct pkvm_smmu *smmu, enum pkvm_smmu_denial what, u64 arg0, u64 arg1);
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
