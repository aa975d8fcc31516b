// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking over the SMMUs, and what the hypervisor asks of them afterwards.
 *
 * Runs once, before the host loses its privileges, on a description that the host
 * gave. Either every SMMU is taken or none: on any failure EL2 refuses to start. No
 * SMMU is written to before all have been found fit. Those enabled by then, if one
 * does not respond, let nothing pass; EL1 knows them by PKVM_SMMU_OK.
 *
 * From take-over on the hardware is enabled with a stream table and a command
 * queue of EL2's, in which no stream passes until the host has asked for it.
 * GBPA aborts, broadcast TLB maintenance is not taken part in (CR2.PTM: the
 * CPU's VMID 0 is another one), and the hardware writes no MSI but as irq.c lets it.
 *
 * See section 3.11 of the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "smmu.h"

/* Not in arm-smmu-v3.h: Arm's implementations with errata in nested translation */
#define IMPLEMENTER_ARM		0x43b
#define PRODUCTID_MMU_600	0x483
#define PRODUCTID_MMU_700	0x487

/* Fields of the ID registers that arm-smmu-v3.h has no use for */
#define IDR0_TERM_MODEL			BIT(26)
#define IDR0_STALL_MODEL_NONE		1
#define IDR1_ECMDQ			BIT(31)
#define IDR3_HAD			BIT(2)
#define IDR3_E0PD			BIT(13)

/*
 * What the host sees of the ID registers. The rest is 0: stage 2 and its
 * features, because stage 2 is EL2's; ATS and PRI, because a device could then
 * bypass it; broadcast TLB maintenance, and whatever is not known here.
 */
#define IDR0_HOST	(IDR0_ST_LVL | IDR0_STALL_MODEL | IDR0_TTENDIAN |	\
			 IDR0_CD2L | IDR0_ASID16 | IDR0_HTTU | IDR0_COHACC |	\
			 IDR0_TTF | IDR0_S1P | IDR0_TERM_MODEL)
#define IDR3_HOST	(IDR3_RIL | IDR3_BBM | IDR3_HAD | IDR3_E0PD)
#define IDR5_HOST	(IDR5_STALL_MAX | IDR5_VAX | IDR5_GRAN64K |		\
			 IDR5_GRAN16K | IDR5_GRAN4K)

/* Constant once the host has lost its privileges */
static struct pkvm_smmu smmus[PKVM_SMMU_MAX_DEVICES];
static u32 nr_smmus;

static struct smmu_s2 smmu_s2;

static bool smmu_has_nesting_erratum(u32 iidr)
{
	u32 variant = FIELD_GET(IIDR_VARIANT, iidr);

	if (FIELD_GET(IIDR_IMPLEMENTER, iidr) != IMPLEMENTER_ARM)
		return false;

	switch (FIELD_GET(IIDR_PRODUCTID, iidr)) {
	case PRODUCTID_MMU_600:
		/* 1209401 */
		return variant < 2;
	case PRODUCTID_MMU_700:
		/* 2268618, 2812531 */
		return variant < 1 || FIELD_GET(IIDR_REVISION, iidr) < 1;
	default:
		return false;
	}
}

/* Can EL2 put a stage 2 under what this one translates? */
static enum pkvm_smmu_refusal smmu_check_features(const u32 *idr, u32 iidr)
{
	u32 gran = PAGE_SHIFT == 12 ? IDR5_GRAN4K :
		   PAGE_SHIFT == 14 ? IDR5_GRAN16K : IDR5_GRAN64K;
	u32 endian = FIELD_GET(IDR0_TTENDIAN, idr[0]);

	if (!(idr[0] & IDR0_S1P))
		return PKVM_SMMU_NO_STAGE1;
	if (!(idr[0] & IDR0_S2P))
		return PKVM_SMMU_NO_STAGE2;
	if (!(FIELD_GET(IDR0_TTF, idr[0]) & IDR0_TTF_AARCH64) || !(idr[5] & gran) ||
	    (endian != IDR0_TTENDIAN_MIXED && endian != IDR0_TTENDIAN_LE))
		return PKVM_SMMU_FORMAT;
	if (idr[1] & (IDR1_TABLES_PRESET | IDR1_QUEUES_PRESET | IDR1_REL))
		return PKVM_SMMU_PRESET;
	if (idr[1] & IDR1_ECMDQ)
		return PKVM_SMMU_EXTRA_QUEUES;
	if (FIELD_GET(IDR0_STALL_MODEL, idr[0]) == IDR0_STALL_MODEL_FORCE)
		return PKVM_SMMU_STALL_FORCE;
	if (smmu_has_nesting_erratum(iidr))
		return PKVM_SMMU_ERRATUM;

	return PKVM_SMMU_OK;
}

static void smmu_host_idrs(struct pkvm_smmu *smmu, const u32 *hw, u8 ia_bits)
{
	u32 cmdqs = min_t(u32, FIELD_GET(IDR1_CMDQS, hw[1]), SMMU_HOST_CMDQ_SHIFT);
	u32 evtqs = min_t(u32, FIELD_GET(IDR1_EVTQS, hw[1]), SMMU_HOST_EVTQ_SHIFT);

	smmu->idr[0] = hw[0] & IDR0_HOST;
	/*
	 * For CMD_SYNC, which EL2 emulates. Not through its cache, as the host may be writing
	 * to the same line. And not where firmware has the host use MSIs for interrupts,
	 * which EL2 can't emulate.
	 */
	if (smmu->coherent && (hw[0] & IDR0_MSI || !smmu->msi_parent))
		smmu->idr[0] |= IDR0_MSI;
	smmu->msis = smmu->idr[0] & hw[0] & IDR0_MSI;
	if (!smmu->strtab.two_level)
		smmu->idr[0] &= ~IDR0_ST_LVL;
	smmu->idr[1] = (hw[1] & (IDR1_SSIDSIZE | IDR1_ATTR_TYPES_OVR)) |
		       FIELD_PREP(IDR1_CMDQS, cmdqs) | FIELD_PREP(IDR1_EVTQS, evtqs) |
		       FIELD_PREP(IDR1_SIDSIZE, smmu->feat.sid_bits);
	smmu->idr[3] = hw[3] & IDR3_HOST;
	smmu->idr[5] = (hw[5] & IDR5_HOST) |
		       FIELD_PREP(IDR5_OAS, pkvm_smmu_bits_to_oas(ia_bits));
}

static void smmu_read_idrs(struct pkvm_smmu *smmu, u32 *idr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(smmu->idr); i++)
		idr[i] = hal_readl(smmu->base + ARM_SMMU_IDR0 + i * sizeof(u32));
}

static enum pkvm_smmu_refusal smmu_take(struct pkvm_smmu *smmu,
					const struct pkvm_smmu_desc *desc)
{
	enum pkvm_smmu_refusal refusal;
	void *tab, *cmdq;
	u64 tab_size, cmdq_size;
	u8 cmdq_shift;
	u32 idr[6];

	if (desc->mmio.size < PKVM_SMMU_MIN_MMIO_SIZE ||
	    hal_mmio_take(desc->mmio.base, desc->mmio.size, smmu, &smmu->base))
		return PKVM_SMMU_BAD_MMIO;
	smmu->base_pa = desc->mmio.base;
	smmu->hw_lock.rank = HAL_LOCK_INNER;

	smmu_read_idrs(smmu, idr);
	smmu->iidr = hal_readl(smmu->base + ARM_SMMU_IIDR);
	smmu->aidr = hal_readl(smmu->base + ARM_SMMU_AIDR);
	refusal = smmu_check_features(idr, smmu->iidr);
	if (refusal)
		return refusal;
	smmu->msi_parent = desc->msi_parent;
	smmu->coherent = idr[0] & IDR0_COHACC && desc->coherent;
	if (!smmu->coherent)
		hal_incoherent = true;

	cmdq_shift = min_t(u8, FIELD_GET(IDR1_CMDQS, idr[1]), PKVM_SMMU_CMDQ_SHIFT);
	cmdq_size = BIT_ULL(cmdq_shift + CMDQ_ENT_SZ_SHIFT);
	tab_size = pkvm_smmu_strtab_size(idr[0], idr[1], &smmu->feat.sid_bits,
					 &smmu->strtab.two_level);
	if (desc->strtab.size < tab_size || !IS_ALIGNED(desc->strtab.base, tab_size) ||
	    desc->cmdq.size < cmdq_size || !IS_ALIGNED(desc->cmdq.base, cmdq_size) ||
	    hal_mem_take(desc->strtab.base, desc->strtab.size, &tab) ||
	    hal_mem_take(desc->cmdq.base, desc->cmdq.size, &cmdq))
		return PKVM_SMMU_NO_MEMORY;

	smmu->strtab.tab = tab;
	smmu->hwq.base = cmdq;
	smmu->hwq.shift = cmdq_shift;
	smmu->oas_bits = pkvm_smmu_oas_to_bits(FIELD_GET(IDR5_OAS, idr[5]));
	smmu->feat.ssid_bits = FIELD_GET(IDR1_SSIDSIZE, idr[1]);
	smmu->splits_blocks = FIELD_GET(IDR3_BBM, idr[3]) == 2;
	smmu->feat.ril = idr[3] & IDR3_RIL;
	smmu->feat.asid16 = idr[0] & IDR0_ASID16;
	smmu->feat.stalls = FIELD_GET(IDR0_STALL_MODEL, idr[0]) != IDR0_STALL_MODEL_NONE;

	return PKVM_SMMU_OK;
}

/* Wait until a register has a value. Return: 0, or -ETIMEDOUT */
static int smmu_wait(struct pkvm_smmu *smmu, u32 reg, u32 mask, u32 val)
{
	struct smmu_clock clock = smmu_clock(SMMU_TRAP_US);
	bool over;

	/* Read the clock first, so that the register is read once more after the end */
	do {
		over = smmu_clock_is_over(&clock);
		if ((hal_readl(smmu->base + reg) & mask) == val)
			return 0;
		hal_relax();
	} while (!over);

	return -ETIMEDOUT;
}

/*
 * The enables in CR0 and IRQ_CTRL must not change before their last change is
 * acknowledged (section 6.3.9), and somebody may have changed them right before.
 */
static int smmu_set_acked(struct pkvm_smmu *smmu, u32 reg, u32 ack, u32 enables, u32 val)
{
	if (smmu_wait(smmu, ack, enables, hal_readl(smmu->base + reg) & enables))
		return -ETIMEDOUT;
	hal_writel(val, smmu->base + reg);

	return smmu_wait(smmu, ack, ~0U, val);
}

static int smmu_set_cr0(struct pkvm_smmu *smmu, u32 cr0)
{
	smmu->hw_cr0 = cr0;

	return smmu_set_acked(smmu, ARM_SMMU_CR0, ARM_SMMU_CR0ACK,
			      CR0_SMMUEN | CR0_EVTQEN | CR0_CMDQEN, cr0);
}

static int smmu_set_gbpa(struct pkvm_smmu *smmu, u32 gbpa)
{
	int ret = smmu_wait(smmu, ARM_SMMU_GBPA, GBPA_UPDATE, 0);

	if (ret)
		return ret;

	hal_writel(gbpa | GBPA_UPDATE, smmu->base + ARM_SMMU_GBPA);
	return smmu_wait(smmu, ARM_SMMU_GBPA, GBPA_UPDATE, 0);
}

static int smmu_program(struct pkvm_smmu *smmu, const u32 *idr)
{
	u32 sh = smmu->coherent ? ARM_SMMU_SH_ISH : ARM_SMMU_SH_OSH;
	u32 cache = smmu->coherent ? CR1_CACHE_WB : CR1_CACHE_NC;
	void __iomem *base = smmu->base;
	u32 cfg, gerror;

	hal_writel(FIELD_PREP(CR1_TABLE_SH, sh) | FIELD_PREP(CR1_TABLE_OC, cache) |
		   FIELD_PREP(CR1_TABLE_IC, cache) | FIELD_PREP(CR1_QUEUE_SH, sh) |
		   FIELD_PREP(CR1_QUEUE_OC, cache) | FIELD_PREP(CR1_QUEUE_IC, cache),
		   base + ARM_SMMU_CR1);
	hal_writel(CR2_PTM | CR2_RECINVSID, base + ARM_SMMU_CR2);

	cfg = FIELD_PREP(STRTAB_BASE_CFG_LOG2SIZE, smmu->feat.sid_bits);
	if (smmu->strtab.two_level)
		cfg |= FIELD_PREP(STRTAB_BASE_CFG_FMT, STRTAB_BASE_CFG_FMT_2LVL) |
		       FIELD_PREP(STRTAB_BASE_CFG_SPLIT, PKVM_SMMU_STRTAB_SPLIT);
	hal_writeq(hal_virt_to_phys(smmu->strtab.tab) | STRTAB_BASE_RA,
		   base + ARM_SMMU_STRTAB_BASE);
	hal_writel(cfg, base + ARM_SMMU_STRTAB_BASE_CFG);

	hal_writeq(hal_virt_to_phys(smmu->hwq.base) | Q_BASE_RWA |
		   FIELD_PREP(Q_BASE_LOG2SIZE, smmu->hwq.shift),
		   base + ARM_SMMU_CMDQ_BASE);
	hal_writel(0, base + ARM_SMMU_CMDQ_PROD);
	hal_writel(0, base + ARM_SMMU_CMDQ_CONS);

	/*
	 * No interrupt, and no MSI to an address that somebody left there, which
	 * can't be changed before interrupts are known to be off.
	 */
	if (smmu_set_acked(smmu, ARM_SMMU_IRQ_CTRL, ARM_SMMU_IRQ_CTRLACK,
			   IRQ_CTRL_EVTQ_IRQEN | IRQ_CTRL_GERROR_IRQEN, 0))
		return -ETIMEDOUT;
	if (idr[0] & IDR0_MSI) {
		hal_writeq(0, base + ARM_SMMU_GERROR_IRQ_CFG0);
		hal_writeq(0, base + ARM_SMMU_EVTQ_IRQ_CFG0);
		if (idr[0] & IDR0_PRI)
			hal_writeq(0, base + ARM_SMMU_PRIQ_IRQ_CFG0);
	}

	/* Old errors are nobody's, and the host begins with none */
	gerror = hal_readl(base + ARM_SMMU_GERROR) & GERROR_ERR_MASK;
	hal_writel(gerror, base + ARM_SMMU_GERRORN);
	smmu->host.gerrorn = gerror & ~GERROR_CMDQ_ERR;

	return 0;
}

/* From whatever state it was found in to one in which no stream passes */
static enum pkvm_smmu_refusal smmu_enable(struct pkvm_smmu *smmu, u32 *found_gbpa)
{
	struct arm_smmu_cmd cmds[3];
	unsigned int n = 0;
	u32 idr[6], cr0;

	smmu_read_idrs(smmu, idr);
	smmu_host_idrs(smmu, idr, smmu_s2.ia_bits);
	smmu_s2_ste_dwords(&smmu_s2, smmu->coherent, smmu->feat.s2_ste);
	smmu_strtab_init(smmu);

	*found_gbpa = hal_readl(smmu->base + ARM_SMMU_GBPA) & ~GBPA_UPDATE;
	if (smmu_set_gbpa(smmu, *found_gbpa | GBPA_ABORT) || smmu_set_cr0(smmu, 0))
		return PKVM_SMMU_NO_ANSWER;

	if (smmu_program(smmu, idr))
		return PKVM_SMMU_NO_ANSWER;
	hal_wmb();

	/*
	 * Without ATSCHK, what a device says it has translated itself passes by
	 * the STE, and so by EATS and stage 2 (section 6.3.9).
	 */
	cr0 = CR0_CMDQEN;
	if (idr[0] & IDR0_ATS)
		cr0 |= CR0_ATSCHK;
	smmu_hwq_set_smmu_off(smmu, true);
	if (smmu_set_cr0(smmu, cr0))
		return PKVM_SMMU_NO_ANSWER;

	cmds[n++] = arm_smmu_make_cmd_cfgi_all();
	if (idr[0] & IDR0_HYP)
		cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_TLBI_EL2_ALL);
	cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_TLBI_NSNH_ALL);
	smmu->clock = smmu_clock(SMMU_TRAP_US);
	if (smmu_hwq_run(smmu, cmds, n))
		return PKVM_SMMU_NO_ANSWER;

	if (smmu_set_cr0(smmu, cr0 | CR0_SMMUEN))
		return PKVM_SMMU_NO_ANSWER;
	smmu_hwq_set_smmu_off(smmu, false);

	return PKVM_SMMU_OK;
}

/* What EL1 can read stays with the host, and is pinned for good */
static enum pkvm_smmu_refusal smmu_share_counts(const struct pkvm_smmu_config *cfg)
{
	struct pkvm_smmu_shared *shared;
	void *va;
	u32 i;

	if (cfg->shared.size < sizeof(*shared) || !IS_ALIGNED(cfg->shared.base, PAGE_SIZE) ||
	    hal_host_pin(cfg->shared.base, sizeof(*shared), &va))
		return PKVM_SMMU_NO_MEMORY;

	shared = va;
	for (i = 0; i < cfg->nr_smmus; i++)
		smmus[i].counts = &shared->smmu[i];
	hal_pool_count_in(&shared->pool);

	return PKVM_SMMU_OK;
}

static enum pkvm_smmu_refusal smmu_fill_pool(const struct pkvm_smmu_config *cfg)
{
	void *va;
	u32 i;

	for (i = 0; i < cfg->nr_chunks; i++) {
		if (hal_mem_take(cfg->pool[i].base, cfg->pool[i].size, &va) ||
		    hal_pool_add(cfg->pool[i].base, cfg->pool[i].size))
			return PKVM_SMMU_NO_MEMORY;
	}

	return PKVM_SMMU_OK;
}

/* The SMMU that puts out the fewest address bits; the first one, if several do */
static u32 smmu_narrowest(const struct pkvm_smmu_config *cfg)
{
	u32 i, which = 0;

	for (i = 0; i < cfg->nr_smmus; i++) {
		if (smmus[i].oas_bits < smmus[which].oas_bits)
			which = i;
	}

	return which;
}

static enum pkvm_smmu_refusal smmu_build_s2(const struct pkvm_smmu_config *cfg)
{
	u8 ia_bits = smmus[smmu_narrowest(cfg)].oas_bits;
	bool split = true;
	u32 i;

	for (i = 0; i < cfg->nr_smmus; i++)
		split &= smmus[i].splits_blocks;

	switch (smmu_s2_init(&smmu_s2, ia_bits, split)) {
	case 0:
		return PKVM_SMMU_OK;
	case -ENOMEM:
		return PKVM_SMMU_NO_MEMORY;
	default:
		return PKVM_SMMU_OUTPUT_SIZE;
	}
}

/**
 * pkvm_smmu_init() - take every SMMU, or none
 * @cfg:	EL1's description; each @refusal in it is filled in
 *
 * Before the host loses its privileges; no lock is needed yet.
 *
 * Return: 0 if no stream of any SMMU reaches memory but through EL2's stage 2;
 * else a negative error, and EL2 must not start.
 */
int pkvm_smmu_init(struct pkvm_smmu_config *cfg)
{
	enum pkvm_smmu_refusal refusal = PKVM_SMMU_OK;
	u32 i;

	if (smmu_mmio_init() || cfg->nr_smmus > PKVM_SMMU_MAX_DEVICES ||
	    cfg->nr_chunks > PKVM_SMMU_MAX_POOL_CHUNKS)
		return -EINVAL;

	/* Reads only: PKVM_SMMU_OK comes with smmu_enable() */
	for (i = 0; i < cfg->nr_smmus; i++) {
		refusal = smmu_take(&smmus[i], &cfg->smmus[i]);
		if (refusal) {
			cfg->smmus[i].refusal = refusal;
			return -ENODEV;
		}
	}

	refusal = smmu_share_counts(cfg);
	if (!refusal)
		refusal = smmu_fill_pool(cfg);
	if (!refusal)
		refusal = smmu_build_s2(cfg);
	if (refusal) {
		cfg->smmus[refusal == PKVM_SMMU_OUTPUT_SIZE ? smmu_narrowest(cfg) : 0].refusal =
			refusal;
		return -ENODEV;
	}

	for (i = 0; i < cfg->nr_smmus && !refusal; i++) {
		refusal = smmu_enable(&smmus[i], &cfg->smmus[i].found_gbpa);
		cfg->smmus[i].refusal = refusal;
	}
	if (refusal)
		return -EIO;

	nr_smmus = cfg->nr_smmus;
	return 0;
}

/* Returns whether anything has been mapped that was not */
static bool smmu_host_map(phys_addr_t start, phys_addr_t end)
{
	int ret = smmu_s2_map(&smmu_s2, start, end);
	u32 i;

	/* Devices can't reach all of it, which is safe */
	for (i = 0; i < nr_smmus && ret < 0; i++)
		smmu_report(&smmus[i], PKVM_SMMU_FAILED_MAP, start, end);

	return ret;
}

/**
 * pkvm_smmu_host_unmap() - pages are about to leave the host
 * @start:	physical address, page aligned
 * @end:	physical address, page aligned
 *
 * With the ownership lock held, before any other part of the transition. All SMMUs
 * together take no longer than SMMU_LEAVE_US, whatever the hardware and other CPUs do.
 *
 * Return: 0 if no device can reach them any more. Else the host keeps them, and the
 * caller must give up: -EAGAIN if the time did not suffice, or if commands were
 * replaced twice; -EIO if an SMMU is broken; -ENOMEM.
 */
int pkvm_smmu_host_unmap(phys_addr_t start, phys_addr_t end)
{
	struct smmu_clock clock = smmu_clock(SMMU_LEAVE_US);
	int ret;

	if (start == end)
		return 0;

	smmu_clock_is_over(&clock);
	ret = smmu_s2_unmap(&smmu_s2, start, end);
	if (!ret)
		ret = smmu_tlbi_range(smmus, nr_smmus, start, end, &clock);
	if (ret)
		smmu_host_map(start, end);

	return ret;
}

/* Returns false if the time is over or an SMMU is broken. Keeping the table is safe */
static bool smmu_join(phys_addr_t pa, struct smmu_clock *clock)
{
	struct smmu_s2_join join;
	int ret = 0;

	while (!ret && smmu_s2_join(&smmu_s2, pa, &join)) {
		ret = smmu_tlbi_range(smmus, nr_smmus, join.start, join.end, clock);
		smmu_s2_joined(&join, !ret);
	}

	return !ret;
}

/**
 * pkvm_smmu_host_map() - pages have come to the host
 * @start:	physical address, page aligned
 * @end:	physical address, page aligned
 *
 * With the ownership lock held. If all of them are mapped already then nothing
 * changes: so it is for pages that a guest has shared. The pool has room for the
 * tables of all RAM; if it hadn't, devices could not reach these pages.
 */
void pkvm_smmu_host_map(phys_addr_t start, phys_addr_t end)
{
	struct smmu_clock clock = smmu_clock(SMMU_LEAVE_US);
	phys_addr_t pa = start;

	/*
	 * What EL2 has stored to the pages, zeros perhaps, may be in caches only. A
	 * device that doesn't snoop would read what was there before. It would also
	 * lose what it writes when a cache writes back its line.
	 */
	if (hal_incoherent)
		hal_clean_ram(start, end);

	if (!smmu_host_map(start, end))
		return;

	smmu_clock_is_over(&clock);
	while (pa < end && smmu_join(pa, &clock))
		pa = ALIGN_DOWN(pa, SMMU_S2_JOIN_SIZE) + SMMU_S2_JOIN_SIZE;
}
