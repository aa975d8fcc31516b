// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers that the host sees.
 *
 * - smmu_regs[] lists them. All others read as zero and ignore writes.
 * - Accesses of 4 and 8 bytes, naturally aligned, have an effect. A 64-bit
 *   register can be accessed as two halves. Any other access reads as zero or
 *   is ignored.
 * - Most registers only keep what the host writes. The others have functions.
 * - The hardware's CR1, CR2, GBPA, stream table and command queue stay as EL2
 *   set them at take-over.
 * - A bit of CR0ACK follows when EL2 has done what the bit of CR0 asks for. If
 *   the hardware does not respond, CR0ACK stays as it is, as on such an SMMU.
 * - Each access also continues what an earlier one has left: IRQ_CTRL,
 *   interrupts.
 *
 * See chapter 6 of the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "cmdq.h"
#include "evtq.h"
#include "gerror.h"
#include "irq.h"
#include "mmio.h"
#include "report.h"
#include "smmu.h"
#include "strtab.h"
#include "trap.h"

/* Not in arm-smmu-v3.h */
#define SMMU_IDR2		0x8
#define SMMU_IDR4		0x10
#define SMMU_STATUSR		0x40
#define SMMU_AGBPA		0x48
#define SMMU_IDR6		0x190

/* What the host can write; the ID registers hide the rest */
#define CR0_HOST	(CR0_SMMUEN | CR0_EVTQEN | CR0_CMDQEN)
#define CR1_HOST	(CR1_TABLE_SH | CR1_TABLE_OC | CR1_TABLE_IC | \
			 CR1_QUEUE_SH | CR1_QUEUE_OC | CR1_QUEUE_IC)
#define CR2_HOST	(CR2_PTM | CR2_RECINVSID)
#define IRQ_CTRL_HOST	(IRQ_CTRL_EVTQ_IRQEN | IRQ_CTRL_GERROR_IRQEN)
#define IRQ_CFG2_HOST	(MSI_CFG2_SH | MSI_CFG2_MEMATTR)
#define STRTAB_HOST	(STRTAB_BASE_RA | STRTAB_BASE_ADDR_MASK)
#define STRTAB_CFG_HOST	(STRTAB_BASE_CFG_FMT | STRTAB_BASE_CFG_SPLIT | \
			 STRTAB_BASE_CFG_LOG2SIZE)
#define Q_BASE_HOST	(Q_BASE_RWA | Q_BASE_ADDR_MASK | Q_BASE_LOG2SIZE)
/* Index and wrap bit of a queue with 2^19 entries, the largest */
#define Q_INDEX_HOST	GENMASK(19, 0)
#define EVTQ_HOST	(Q_OVERFLOW_FLAG | Q_INDEX_HOST)

/**
 * struct smmu_reg - a register that the host sees
 * @size:	4 or 8 bytes; 0 if there is no register
 * @page1:	it is in page 1 of the registers
 * @state:	without @read, offset of its value in struct pkvm_smmu
 * @mask:	the bits that the host can write
 * @locked_by:	bits of CR0; while the host's CR0 or CR0ACK has one, writes are
 *		ignored
 * @irq:	a bit of IRQ_CTRL, likewise; without MSIs there is no such
 *		register
 * @read:	returns the value
 * @write:	writes the value
 */
struct smmu_reg {
	u8	size;
	bool	page1;
	u16	state;
	u32	locked_by;
	u32	irq;
	u64	mask;
	u64	(*read)(struct smmu_trap *trap);
	void	(*write)(struct smmu_trap *trap, u64 val);
};

static bool cr0_is_done(struct smmu_trap *trap, u32 bit)
{
	bool on = trap->smmu->host.cr0 & bit;

	if (bit == CR0_SMMUEN)
		return !(on ? smmu_strtab_enable(trap) :
			      smmu_strtab_disable(trap));

	return !(on ? smmu_evtq_enable(trap) : smmu_evtq_disable(trap->smmu));
}

static void update_cr0ack(struct smmu_trap *trap)
{
	static const u32 bits[] = { CR0_SMMUEN, CR0_EVTQEN };
	struct smmu_host_regs *host = &trap->smmu->host;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if ((host->cr0 ^ host->cr0ack) & bits[i] &&
		    cr0_is_done(trap, bits[i]))
			host->cr0ack ^= bits[i];
	}
}

static void write_cr0(struct smmu_trap *trap, u64 val)
{
	struct smmu_host_regs *host = &trap->smmu->host;
	u32 off = host->cr0 & ~val, on = val & ~host->cr0;
	u32 ack = host->cr0ack;

	host->cr0 = val;

	/* Also disable what has not been enabled completely */
	ack |= off & (CR0_SMMUEN | CR0_EVTQEN);
	if (off & CR0_CMDQEN) {
		smmu_cmdq_disable(trap->smmu);
		ack &= ~CR0_CMDQEN;
	}

	if (on & CR0_CMDQEN) {
		smmu_cmdq_enable(trap);
		ack |= CR0_CMDQEN;
	}
	if (on & CR0_SMMUEN)
		smmu_strtab_restart(trap->smmu);
	ack &= ~(on & (CR0_SMMUEN | CR0_EVTQEN));

	host->cr0ack = ack;
	update_cr0ack(trap);
}

static u64 read_cr0ack(struct smmu_trap *trap)
{
	update_cr0ack(trap);
	return trap->smmu->host.cr0ack;
}

static u64 read_gbpa(struct smmu_trap *trap)
{
	return GBPA_ABORT;
}

static u64 read_zero(struct smmu_trap *trap)
{
	return 0;
}

static void write_gerrorn(struct smmu_trap *trap, u64 val)
{
	smmu_gerror_ack(trap->smmu, val);
	smmu_cmdq_consume(trap);
}

#define REG(offset, bytes, ...)	[(offset) / sizeof(u32)] = {		\
		.size = (bytes), __VA_ARGS__ }
#define REG32(offset, ...)	REG(ARM_SMMU_##offset, 4, __VA_ARGS__)
#define REG64(offset, ...)	REG(ARM_SMMU_##offset, 8, __VA_ARGS__)

#define ON_READ(fn)		.read = (fn)
#define ON_WRITE(writable, fn)	.mask = (writable), .write = (fn)
#define STATE(field)		.state = offsetof(struct pkvm_smmu, field)
/* Keeps what the host writes */
#define KEEP(field, writable)	STATE(field), .mask = (writable)
#define LOCKED_BY(bits)		.locked_by = (bits)
#define IRQ(bit)		.irq = IRQ_CTRL_##bit##_IRQEN

/* A comment stands in the place of registers that the host cannot access */
static const struct smmu_reg smmu_regs[] = {
	REG32(IDR0,	STATE(idr[0])),
	REG32(IDR1,	STATE(idr[1])),
	REG(SMMU_IDR2,	4, ON_READ(read_zero)),
	REG32(IDR3,	STATE(idr[3])),
	REG(SMMU_IDR4,	4, ON_READ(read_zero)),
	REG32(IDR5,	STATE(idr[5])),
	REG32(IIDR,	STATE(iidr)),
	REG32(AIDR,	STATE(aidr)),
	REG32(CR0,	STATE(host.cr0), ON_WRITE(CR0_HOST, write_cr0)),
	/* A read continues to shadow the stream table */
	REG32(CR0ACK,	ON_READ(read_cr0ack)),
	REG32(CR1,	KEEP(host.cr1, CR1_HOST)),
	REG32(CR2,	KEEP(host.cr2, CR2_HOST), LOCKED_BY(CR0_SMMUEN)),
	/* S2PII: stage 2 is EL2's */
	REG(SMMU_STATUSR, 4, ON_READ(read_zero)),
	REG32(GBPA,	ON_READ(read_gbpa)),
	REG(SMMU_AGBPA,	4, ON_READ(read_zero)),
	REG32(IRQ_CTRL,	STATE(irq.ctrl),
			ON_WRITE(IRQ_CTRL_HOST, smmu_irq_write_ctrl)),
	REG32(IRQ_CTRLACK, ON_READ(smmu_irq_read_ack)),
	REG32(GERROR,	ON_READ(smmu_gerror_read)),
	REG32(GERRORN,	STATE(gerror.acked),
			ON_WRITE(GERROR_ERR_MASK, write_gerrorn)),
	REG64(GERROR_IRQ_CFG0, KEEP(host.gerror_msi.addr, MSI_CFG0_ADDR_MASK),
			IRQ(GERROR)),
	REG32(GERROR_IRQ_CFG1, KEEP(host.gerror_msi.data, U32_MAX),
			IRQ(GERROR)),
	REG32(GERROR_IRQ_CFG2, KEEP(host.gerror_msi.attr, IRQ_CFG2_HOST),
			IRQ(GERROR)),
	REG64(STRTAB_BASE, KEEP(host.strtab_base, STRTAB_HOST),
			LOCKED_BY(CR0_SMMUEN)),
	REG32(STRTAB_BASE_CFG, KEEP(host.strtab_cfg, STRTAB_CFG_HOST),
			LOCKED_BY(CR0_SMMUEN)),
	REG64(CMDQ_BASE, KEEP(host.cmdq_base, Q_BASE_HOST),
			LOCKED_BY(CR0_CMDQEN)),
	/*
	 * A write consumes the command queue, and so does a read of CMDQ_CONS
	 */
	REG32(CMDQ_PROD, STATE(cmdq.prod),
			ON_WRITE(Q_INDEX_HOST, smmu_cmdq_write_prod)),
	REG32(CMDQ_CONS, ON_READ(smmu_cmdq_read_cons),
			ON_WRITE(Q_INDEX_HOST, smmu_cmdq_write_cons),
			LOCKED_BY(CR0_CMDQEN)),
	REG64(EVTQ_BASE, KEEP(host.evtq_base, Q_BASE_HOST),
			LOCKED_BY(CR0_EVTQEN)),
	REG32(EVTQ_PROD, ON_READ(smmu_evtq_read_prod),
			ON_WRITE(EVTQ_HOST, smmu_evtq_write_prod),
			LOCKED_BY(CR0_EVTQEN), .page1 = true),
	REG32(EVTQ_CONS, ON_READ(smmu_evtq_read_cons),
			ON_WRITE(EVTQ_HOST, smmu_evtq_write_cons),
			.page1 = true),
	REG64(EVTQ_IRQ_CFG0, KEEP(host.evtq_msi.addr, MSI_CFG0_ADDR_MASK),
			IRQ(EVTQ)),
	REG32(EVTQ_IRQ_CFG1, KEEP(host.evtq_msi.data, U32_MAX), IRQ(EVTQ)),
	REG32(EVTQ_IRQ_CFG2, KEEP(host.evtq_msi.attr, IRQ_CFG2_HOST),
			IRQ(EVTQ)),
	/* PRIQ_*: IDR0.PRI is hidden */
	/* GATOS_*, VATOS_*: they translate addresses for the host */
	/* MPAMIDR, GMPAM, GBPMPAM: IDR3.MPAM is hidden */
	REG(SMMU_IDR6,	4, ON_READ(read_zero)),
	/* DPT_*, MECIDR, GMECID: IDR3.DPT and IDR3.MEC are hidden */
	/* IMPLEMENTATION DEFINED registers, 0xe00 to 0xeff */
	/* CMDQ_CONTROL_PAGE_*: EL2 refuses an SMMU with IDR1.ECMDQ */
	/* S_*: the Secure interface */
};

/* The register of an access. NULL if it reads as zero and ignores writes */
static const struct smmu_reg *reg_find(const struct pkvm_smmu *smmu, u32 offset,
				       unsigned int size)
{
	u32 idx = (offset & (SMMU_PAGE1 - 1)) / sizeof(u32);
	const struct smmu_reg *reg;

	if ((size != 4 && size != 8) || !IS_ALIGNED(offset, size) ||
	    idx >= ARRAY_SIZE(smmu_regs) || offset >= 2 * SMMU_PAGE1)
		return NULL;

	/* The host chooses the offset, and EL2 branches through the entry */
	idx = array_index_nospec(idx, ARRAY_SIZE(smmu_regs));
	/* Is it the upper half of a 64-bit register? */
	if (!smmu_regs[idx].size && smmu_regs[idx & ~1].size == 8)
		idx &= ~1;
	reg = &smmu_regs[idx];
	if (size > reg->size || reg->page1 != !!(offset & SMMU_PAGE1))
		return NULL;

	return reg->irq && !smmu->msis ? NULL : reg;
}

static bool reg_is_upper_half(const struct smmu_reg *reg, u32 offset)
{
	return offset % reg->size;
}

static u64 reg_read(struct smmu_trap *trap, const struct smmu_reg *reg)
{
	const void *state = (void *)trap->smmu + reg->state;

	if (reg->read)
		return reg->read(trap);

	return reg->size == 8 ? *(u64 *)state : *(u32 *)state;
}

static void reg_write(struct smmu_trap *trap, const struct smmu_reg *reg,
		      u64 val)
{
	void *state = (void *)trap->smmu + reg->state;

	val &= reg->mask;
	if (reg->write)
		reg->write(trap, val);
	else if (reg->size == 8)
		*(u64 *)state = val;
	else
		*(u32 *)state = val;
}

static bool reg_is_writable(const struct pkvm_smmu *smmu,
			    const struct smmu_reg *reg)
{
	const struct smmu_host_regs *host = &smmu->host;

	return reg && reg->mask &&
	       !((host->cr0 | host->cr0ack) & reg->locked_by) &&
	       !((smmu->irq.ctrl | smmu->irq.ack) & reg->irq);
}

static struct smmu_trap trap_begin(struct pkvm_smmu *smmu)
{
	struct smmu_trap trap = {
		.smmu	= smmu,
		.clock	= smmu_clock_start(SMMU_TRAP_US),
		.budget	= SMMU_WORK_PER_TRAP,
	};

	smmu_count(smmu, PKVM_SMMU_TRAPS, 1);
	hyp_host_mb();
	smmu_irq_update(smmu);
	smmu_gerror_retry_irq(&trap);

	return trap;
}

/**
 * smmu_mmio_read() - the host reads a register
 * @smmu:	the SMMU; takes its emu_lock
 * @offset:	from the start of page 0; any value
 * @size:	of the access in bytes; any value
 *
 * Return: the value that the host gets.
 */
u64 smmu_mmio_read(struct pkvm_smmu *smmu, u32 offset, unsigned int size)
{
	const struct smmu_reg *reg = reg_find(smmu, offset, size);
	struct smmu_trap trap;
	u64 val = 0;

	hyp_lock(&smmu->emu_lock);
	trap = trap_begin(smmu);
	if (reg)
		val = reg_read(&trap, reg);
	else
		smmu_report(smmu, PKVM_SMMU_DENIED_MMIO, offset, 0);
	hyp_unlock(&smmu->emu_lock);

	if (!reg || size == reg->size)
		return val;

	return reg_is_upper_half(reg, offset) ? upper_32_bits(val) :
						lower_32_bits(val);
}

/**
 * smmu_mmio_write() - the host writes a register
 * @smmu:	the SMMU; takes its emu_lock
 * @offset:	from the start of page 0; any value
 * @size:	of the access in bytes; any value
 * @val:	the value
 */
void smmu_mmio_write(struct pkvm_smmu *smmu, u32 offset, unsigned int size,
		     u64 val)
{
	const struct smmu_reg *reg = reg_find(smmu, offset, size);
	struct smmu_trap trap;
	u64 old;

	if (size == 4)
		val = lower_32_bits(val);

	hyp_lock(&smmu->emu_lock);
	trap = trap_begin(smmu);
	if (!reg_is_writable(smmu, reg)) {
		smmu_report(smmu, PKVM_SMMU_DENIED_MMIO, offset, val);
		hyp_unlock(&smmu->emu_lock);
		return;
	}
	if (size < reg->size) {
		old = reg_read(&trap, reg);
		if (reg_is_upper_half(reg, offset))
			val = (val << 32) | lower_32_bits(old);
		else
			val |= old & ~(u64)U32_MAX;
	}
	reg_write(&trap, reg, val);
	hyp_unlock(&smmu->emu_lock);
}
