// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers that the host sees: one table, and what it doesn't list is
 * read-as-zero, write-ignored.
 *
 * Accesses are of 4 or 8 bytes and naturally aligned. A 64-bit register may be
 * accessed as two halves. Anything else is RAZ/WI too.
 *
 * What the host writes goes no further than smmu->host, except through the
 * handlers named in the table. The hardware's enables, table and command queue
 * stay as EL2 set them. See chapter 6 of the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "smmu.h"

/* Registers that arm-smmu-v3.h has no use for */
#define SMMU_IDR2		0x8
#define SMMU_IDR4		0x10
#define SMMU_STATUSR		0x40
#define SMMU_AGBPA		0x48
#define SMMU_IDR6		0x190

/* What the host can enable; the rest of CR0 is hidden by the ID registers */
#define CR0_HOST	(CR0_SMMUEN | CR0_EVTQEN | CR0_CMDQEN)
#define CR1_HOST	(CR1_TABLE_SH | CR1_TABLE_OC | CR1_TABLE_IC | \
			 CR1_QUEUE_SH | CR1_QUEUE_OC | CR1_QUEUE_IC)
#define CR2_HOST	(CR2_PTM | CR2_RECINVSID)
#define IRQ_CTRL_HOST	(IRQ_CTRL_EVTQ_IRQEN | IRQ_CTRL_GERROR_IRQEN)
#define IRQ_CFG2_HOST	(MSI_CFG2_SH | MSI_CFG2_MEMATTR)
#define Q_BASE_HOST	(Q_BASE_RWA | Q_BASE_ADDR_MASK | Q_BASE_LOG2SIZE)
/* Index and wrap bit of the largest queue there is (2^19 entries) */
#define Q_INDEX_MASK	GENMASK(19, 0)

/**
 * struct smmu_reg - a register that the host sees
 * @offset:	from the base of page 0, in bytes
 * @size:	4 or 8 bytes
 * @state:	where its value is kept, from the start of struct pkvm_smmu, if there
 *		is no @read
 * @mask:	the bits that the host can write
 * @locked_by:	while one of these is set in the host's CR0 or CR0ACK, writes are ignored
 * @irq:	the same for IRQ_CTRL and IRQ_CTRLACK; and the register is there only if the
 *		host can use MSIs
 * @read:	what the host reads, if it isn't in @state; emu_lock held
 * @write:	what a write does, instead of changing @state; emu_lock held
 */
struct smmu_reg {
	u32	offset;
	u32	size;
	size_t	state;
	u64	mask;
	u32	locked_by;
	u32	irq;
	u64	(*read)(struct pkvm_smmu *smmu);
	void	(*write)(struct pkvm_smmu *smmu, u64 val);
};

static bool cr0_is_done(struct pkvm_smmu *smmu, u32 bit)
{
	bool on = smmu->host.cr0 & bit;

	if (bit == CR0_SMMUEN)
		return !(on ? smmu_strtab_enable(smmu) : smmu_strtab_disable(smmu));

	return !(on ? smmu_evtq_enable(smmu) : smmu_evtq_disable(smmu));
}

/* The host's table may be too large for one trap, or the hardware late */
static void update_cr0ack(struct pkvm_smmu *smmu)
{
	static const u32 bits[] = { CR0_SMMUEN, CR0_EVTQEN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if ((smmu->host.cr0 ^ smmu->host.cr0ack) & bits[i] &&
		    cr0_is_done(smmu, bits[i]))
			smmu->host.cr0ack ^= bits[i];
	}
}

/*
 * A bit is acknowledged when what it asks for has been done. What the hardware
 * did not do in time is not acknowledged, and the host sees what it would see of
 * such an SMMU.
 */
static void write_cr0(struct pkvm_smmu *smmu, u64 val)
{
	u32 off = smmu->host.cr0 & ~val, on = val & ~smmu->host.cr0;
	u32 ack = smmu->host.cr0ack;

	smmu->host.cr0 = val;

	/* Whether or not they had been enabled in full */
	ack |= off & (CR0_SMMUEN | CR0_EVTQEN);
	if (off & CR0_CMDQEN) {
		smmu_cmdq_disable(smmu);
		ack &= ~CR0_CMDQEN;
	}

	if (on & CR0_CMDQEN) {
		smmu_cmdq_enable(smmu);
		ack |= CR0_CMDQEN;
	}
	if (on & CR0_SMMUEN)
		smmu->strtab.next = 0;
	ack &= ~(on & (CR0_SMMUEN | CR0_EVTQEN));

	smmu->host.cr0ack = ack;
	update_cr0ack(smmu);
}

static u64 read_cr0ack(struct pkvm_smmu *smmu)
{
	update_cr0ack(smmu);
	return smmu->host.cr0ack;
}

/* What is not translated aborts, always */
static u64 read_gbpa(struct pkvm_smmu *smmu)
{
	return GBPA_ABORT;
}

static void write_irq_ctrl(struct pkvm_smmu *smmu, u64 val)
{
	smmu_irq_write_ctrl(smmu, val);
}

static u64 read_irq_ctrlack(struct pkvm_smmu *smmu)
{
	smmu_irq_update(smmu);
	return smmu->host.irq_ctrlack;
}

/* What is there on all SMMUs, and on this one says that nothing is */
static u64 read_zero(struct pkvm_smmu *smmu)
{
	return 0;
}

static u64 read_gerror(struct pkvm_smmu *smmu)
{
	return smmu_gerror(smmu);
}

static void write_gerrorn(struct pkvm_smmu *smmu, u64 val)
{
	smmu_gerror_ack(smmu, val);
	smmu_cmdq_consume(smmu);
}

static void write_cmdq_prod(struct pkvm_smmu *smmu, u64 val)
{
	smmu->cmdq.prod = val;
	smmu_cmdq_consume(smmu);
}

static u64 read_cmdq_cons(struct pkvm_smmu *smmu)
{
	smmu_cmdq_consume(smmu);
	return smmu_cmdq_cons(smmu);
}

static void write_cmdq_cons(struct pkvm_smmu *smmu, u64 val)
{
	smmu->cmdq.cons = val;
}

static u64 read_evtq_prod(struct pkvm_smmu *smmu)
{
	return smmu_evtq_prod(smmu);
}

static void write_evtq_prod(struct pkvm_smmu *smmu, u64 val)
{
	smmu_evtq_set_prod(smmu, val);
}

static u64 read_evtq_cons(struct pkvm_smmu *smmu)
{
	return smmu_evtq_cons(smmu);
}

static void write_evtq_cons(struct pkvm_smmu *smmu, u64 val)
{
	smmu_evtq_set_cons(smmu, val);
}

#define STATE(field)	.state = offsetof(struct pkvm_smmu, field)

/* Sorted by offset. A comment is in the place of what the host gets none of */
static const struct smmu_reg smmu_regs[] = {
	{ ARM_SMMU_IDR0,		4, STATE(idr[0]) },
	{ ARM_SMMU_IDR1,		4, STATE(idr[1]) },
	{ SMMU_IDR2,			4, .read = read_zero },
	{ ARM_SMMU_IDR3,		4, STATE(idr[3]) },
	{ SMMU_IDR4,			4, .read = read_zero },
	{ ARM_SMMU_IDR5,		4, STATE(idr[5]) },
	{ ARM_SMMU_IIDR,		4, STATE(iidr) },
	{ ARM_SMMU_AIDR,		4, STATE(aidr) },
	{ ARM_SMMU_CR0,			4, STATE(host.cr0), .mask = CR0_HOST,
	  .write = write_cr0 },
	{ ARM_SMMU_CR0ACK,		4, .read = read_cr0ack },
	{ ARM_SMMU_CR1,			4, STATE(host.cr1), .mask = CR1_HOST },
	{ ARM_SMMU_CR2,			4, STATE(host.cr2), .mask = CR2_HOST,
	  .locked_by = CR0_SMMUEN },
	/* S2PII: stage 2 is EL2's */
	{ SMMU_STATUSR,			4, .read = read_zero },
	{ ARM_SMMU_GBPA,		4, .read = read_gbpa },
	{ SMMU_AGBPA,			4, .read = read_zero },
	{ ARM_SMMU_IRQ_CTRL,		4, STATE(host.irq_ctrl), .mask = IRQ_CTRL_HOST,
	  .write = write_irq_ctrl },
	{ ARM_SMMU_IRQ_CTRLACK,		4, .read = read_irq_ctrlack },
	{ ARM_SMMU_GERROR,		4, .read = read_gerror },
	{ ARM_SMMU_GERRORN,		4, STATE(host.gerrorn), .mask = GERROR_ERR_MASK,
	  .write = write_gerrorn },
	{ ARM_SMMU_GERROR_IRQ_CFG0,	8, STATE(host.gerror_msi.addr), .mask = MSI_CFG0_ADDR_MASK,
	  .irq = IRQ_CTRL_GERROR_IRQEN },
	{ ARM_SMMU_GERROR_IRQ_CFG1,	4, STATE(host.gerror_msi.data), .mask = U32_MAX,
	  .irq = IRQ_CTRL_GERROR_IRQEN },
	{ ARM_SMMU_GERROR_IRQ_CFG2,	4, STATE(host.gerror_msi.attr), .mask = IRQ_CFG2_HOST,
	  .irq = IRQ_CTRL_GERROR_IRQEN },
	{ ARM_SMMU_STRTAB_BASE,		8, STATE(host.strtab_base),
	  .mask = STRTAB_BASE_RA | STRTAB_BASE_ADDR_MASK, .locked_by = CR0_SMMUEN },
	{ ARM_SMMU_STRTAB_BASE_CFG,	4, STATE(host.strtab_cfg),
	  .mask = STRTAB_BASE_CFG_FMT | STRTAB_BASE_CFG_SPLIT | STRTAB_BASE_CFG_LOG2SIZE,
	  .locked_by = CR0_SMMUEN },
	{ ARM_SMMU_CMDQ_BASE,		8, STATE(host.cmdq_base), .mask = Q_BASE_HOST,
	  .locked_by = CR0_CMDQEN },
	{ ARM_SMMU_CMDQ_PROD,		4, STATE(cmdq.prod), .mask = Q_INDEX_MASK,
	  .write = write_cmdq_prod },
	{ ARM_SMMU_CMDQ_CONS,		4, .mask = Q_INDEX_MASK, .locked_by = CR0_CMDQEN,
	  .read = read_cmdq_cons, .write = write_cmdq_cons },
	{ ARM_SMMU_EVTQ_BASE,		8, STATE(host.evtq_base), .mask = Q_BASE_HOST,
	  .locked_by = CR0_EVTQEN },
	{ ARM_SMMU_EVTQ_IRQ_CFG0,	8, STATE(host.evtq_msi.addr), .mask = MSI_CFG0_ADDR_MASK,
	  .irq = IRQ_CTRL_EVTQ_IRQEN },
	{ ARM_SMMU_EVTQ_IRQ_CFG1,	4, STATE(host.evtq_msi.data), .mask = U32_MAX,
	  .irq = IRQ_CTRL_EVTQ_IRQEN },
	{ ARM_SMMU_EVTQ_IRQ_CFG2,	4, STATE(host.evtq_msi.attr), .mask = IRQ_CFG2_HOST,
	  .irq = IRQ_CTRL_EVTQ_IRQEN },
	/* PRIQ_*: IDR0.PRI is hidden */
	/* GATOS_*, VATOS_SEL, and the VATOS page: they translate addresses for the host */
	/* MPAMIDR, GMPAM, GBPMPAM: IDR3.MPAM is hidden */
	{ SMMU_IDR6,			4, .read = read_zero },
	/* DPT_*, MECIDR, GMECID: IDR3.DPT and IDR3.MEC are hidden */
	/* IMPLEMENTATION DEFINED registers, 0xe00 to 0xeff, among them PMCGs' */
	/* CMDQ_CONTROL_PAGE_*: IDR1.ECMDQ is hidden, and such an SMMU refused */
	/* S_*: the Secure interface */
	{ SMMU_PAGE1 + ARM_SMMU_EVTQ_PROD, 4, .mask = Q_OVERFLOW_FLAG | Q_INDEX_MASK,
	  .locked_by = CR0_EVTQEN, .read = read_evtq_prod, .write = write_evtq_prod },
	{ SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS, 4, .mask = Q_OVERFLOW_FLAG | Q_INDEX_MASK,
	  .read = read_evtq_cons, .write = write_evtq_cons },
};

/* Those that are accessed often, by offset */
#define SMMU_REGS_INDEXED	SZ_256
static const struct smmu_reg *smmu_reg_index[SMMU_REGS_INDEXED / sizeof(u32)];

static void *reg_state(struct pkvm_smmu *smmu, const struct smmu_reg *reg)
{
	return (void *)smmu + reg->state;
}

static u64 reg_read(struct pkvm_smmu *smmu, const struct smmu_reg *reg)
{
	if (reg->read)
		return reg->read(smmu);

	return reg->size == 8 ? *(u64 *)reg_state(smmu, reg) :
				*(u32 *)reg_state(smmu, reg);
}

static void reg_write(struct pkvm_smmu *smmu, const struct smmu_reg *reg, u64 val)
{
	val &= reg->mask;
	if (reg->write)
		reg->write(smmu, val);
	else if (reg->size == 8)
		*(u64 *)reg_state(smmu, reg) = val;
	else
		*(u32 *)reg_state(smmu, reg) = val;
}

/**
 * smmu_mmio_init() - index the table of registers
 *
 * Before that most registers are RAZ/WI.
 *
 * Return: 0; -EINVAL if the table is not sorted and aligned, or has overlaps, and then
 * the emulator must not be used.
 */
int smmu_mmio_init(void)
{
	u32 next = 0, at;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(smmu_regs); i++) {
		const struct smmu_reg *reg = &smmu_regs[i];

		if (reg->offset < next || (reg->size != 4 && reg->size != 8) ||
		    !IS_ALIGNED(reg->offset, reg->size) || !reg->state == !reg->read)
			return -EINVAL;
		next = reg->offset + reg->size;

		for (at = reg->offset; at < min_t(u32, next, SMMU_REGS_INDEXED); at += sizeof(u32))
			smmu_reg_index[at / sizeof(u32)] = reg;
	}

	return next <= PKVM_SMMU_MIN_MMIO_SIZE ? 0 : -EINVAL;
}

/* The register that an access falls into, or NULL if it is RAZ/WI */
static const struct smmu_reg *smmu_reg_find(u32 offset, unsigned int size)
{
	const struct smmu_reg *reg;

	if ((size != 4 && size != 8) || !IS_ALIGNED(offset, size))
		return NULL;

	if (offset < SMMU_REGS_INDEXED) {
		/* The host chooses the offset, and EL2 reads what the entry points to */
		offset = array_index_nospec(offset, SMMU_REGS_INDEXED);
		reg = smmu_reg_index[offset / sizeof(u32)];
		return reg && size <= reg->size ? reg : NULL;
	}

	for (reg = smmu_regs; reg < smmu_regs + ARRAY_SIZE(smmu_regs); reg++) {
		if (offset >= reg->offset && offset < reg->offset + reg->size)
			return size <= reg->size ? reg : NULL;
	}

	return NULL;
}

/* Some are there on some SMMUs only */
static const struct smmu_reg *smmu_reg_of(const struct pkvm_smmu *smmu, u32 offset,
					  unsigned int size)
{
	const struct smmu_reg *reg = smmu_reg_find(offset, size);

	return reg && reg->irq && !smmu->msis ? NULL : reg;
}

/* Writes of the host that a register ignores as something is enabled, or may be */
static bool smmu_reg_is_locked(const struct pkvm_smmu *smmu, const struct smmu_reg *reg)
{
	const struct smmu_host_regs *host = &smmu->host;

	return (host->cr0 | host->cr0ack) & reg->locked_by ||
	       (host->irq_ctrl | host->irq_ctrlack) & reg->irq;
}

static void smmu_trap_begins(struct pkvm_smmu *smmu)
{
	smmu_count(smmu, PKVM_SMMU_TRAPS, 1);
	smmu->budget = SMMU_WORK_PER_TRAP;
	smmu->clock = smmu_clock(SMMU_TRAP_US);
	hal_host_mb();
	if (smmu->host.irq_ctrl != smmu->host.irq_ctrlack)
		smmu_irq_update(smmu);
	if (smmu->host.irq_pending)
		smmu_gerror_signal(smmu);
}

/**
 * smmu_mmio_read() - the host reads a register
 * @smmu:	the SMMU; takes its emu_lock
 * @offset:	from the base of page 0
 * @size:	of the access in bytes, any
 *
 * Return: what the host reads.
 */
u64 smmu_mmio_read(struct pkvm_smmu *smmu, u32 offset, unsigned int size)
{
	const struct smmu_reg *reg = smmu_reg_of(smmu, offset, size);
	u64 val = 0;

	hal_lock(&smmu->emu_lock);
	smmu_trap_begins(smmu);
	if (reg)
		val = reg_read(smmu, reg);
	else
		smmu_report(smmu, PKVM_SMMU_DENIED_MMIO, offset, 0);
	hal_unlock(&smmu->emu_lock);

	if (!reg || size == reg->size)
		return val;

	return offset == reg->offset ? lower_32_bits(val) : upper_32_bits(val);
}

/**
 * smmu_mmio_write() - the host writes a register
 * @smmu:	the SMMU; takes its emu_lock
 * @offset:	from the base of page 0
 * @size:	of the access in bytes, any
 * @val:	what it writes
 */
void smmu_mmio_write(struct pkvm_smmu *smmu, u32 offset, unsigned int size, u64 val)
{
	const struct smmu_reg *reg = smmu_reg_of(smmu, offset, size);
	u64 old;

	if (size == 4)
		val = lower_32_bits(val);

	hal_lock(&smmu->emu_lock);
	smmu_trap_begins(smmu);
	if (!reg || !reg->mask || smmu_reg_is_locked(smmu, reg)) {
		smmu_report(smmu, PKVM_SMMU_DENIED_MMIO, offset, val);
		hal_unlock(&smmu->emu_lock);
		return;
	}
	if (size != reg->size) {
		old = reg_read(smmu, reg);
		if (offset == reg->offset)
			val |= old & ~(u64)U32_MAX;
		else
			val = (val << 32) | lower_32_bits(old);
	}
	reg_write(smmu, reg, val);
	hal_unlock(&smmu->emu_lock);
}
