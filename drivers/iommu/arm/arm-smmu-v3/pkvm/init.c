// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes the SMMUs over from the host.
 *
 * - This runs once, before the host loses its privileges. EL1 describes the
 *   SMMUs (config.h).
 * - EL2 takes all SMMUs or none. It writes to no SMMU before it has checked all
 *   of them. If an SMMU does not respond after that, EL2 refuses to start. The
 *   SMMUs that it has enabled by then (PKVM_SMMU_OK) let nothing through.
 * - After take-over each SMMU is enabled with EL2's stream table and command
 *   queue. All streams abort until the host asks for more. Those that firmware
 *   reserves (RMR) reach the memory that the host owns.
 * - GBPA aborts. The SMMU takes no part in broadcast TLB maintenance (CR2.PTM).
 *   Interrupts are off, and no MSI has a target, nor has one of a PMCG.
 *
 * See section 3.11 of the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>

#include "init.h"
#include "pmcg.h"
#include "trap.h"

/* Not in arm-smmu-v3.h: Arm's SMMUs with errata of nested translation */
#define IMPLEMENTER_ARM		0x43b
#define PRODUCTID_MMU_600	0x483
#define PRODUCTID_MMU_700	0x487

/* Not in arm-smmu-v3.h: fields of the ID registers */
#define IDR0_TERM_MODEL			BIT(26)
#define IDR0_STALL_MODEL_NONE		1
#define IDR1_ECMDQ			BIT(31)
#define IDR3_HAD			BIT(2)
#define IDR3_E0PD			BIT(13)

/*
 * The fields that the host sees. All others read as 0: stage 2, which is EL2's;
 * ATS and PRI, with which a device bypasses stage 2; broadcast TLB maintenance;
 * fields that are unknown here.
 */
#define IDR0_HOST	(IDR0_ST_LVL | IDR0_STALL_MODEL | IDR0_TTENDIAN | \
			 IDR0_CD2L | IDR0_ASID16 | IDR0_HTTU | IDR0_COHACC | \
			 IDR0_TTF | IDR0_S1P | IDR0_TERM_MODEL)
#define IDR3_HOST	(IDR3_RIL | IDR3_BBM | IDR3_HAD | IDR3_E0PD)
#define IDR5_HOST	(IDR5_STALL_MAX | IDR5_VAX | IDR5_GRAN64K | \
			 IDR5_GRAN16K | IDR5_GRAN4K)

struct pkvm_smmu *pkvm_smmus;
u32 pkvm_nr_smmus;
struct smmu_s2 pkvm_smmu_s2;

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

/* EL2 pins a queue of the host page by page: limit the cost of one enable */
#define SMMU_HOST_CMDQ_SHIFT	10
#define SMMU_HOST_EVTQ_SHIFT	12

/* Can EL2 add a stage 2 to each translation of this SMMU? */
static enum pkvm_smmu_refusal smmu_check_features(const u32 *idr, u32 iidr)
{
	u32 gran = PAGE_SHIFT == 12 ? IDR5_GRAN4K :
		   PAGE_SHIFT == 14 ? IDR5_GRAN16K : IDR5_GRAN64K;
	u32 endian = FIELD_GET(IDR0_TTENDIAN, idr[0]);

	if (!(idr[0] & IDR0_S1P))
		return PKVM_SMMU_NO_STAGE1;
	if (!(idr[0] & IDR0_S2P))
		return PKVM_SMMU_NO_STAGE2;
	if (!(FIELD_GET(IDR0_TTF, idr[0]) & IDR0_TTF_AARCH64) ||
	    !(idr[5] & gran) ||
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

/*
 * IDR0.MSI for the host. EL2 writes the MSI of a CMD_SYNC itself, but only if
 * the SMMU is coherent: the host may be writing to the same cache line. If
 * firmware gives the SMMU an MSI controller, the host uses MSIs for all
 * interrupts. Then the hardware must have them as well.
 */
static bool smmu_host_msi(const struct pkvm_smmu *smmu, u32 idr0,
			  bool msi_parent)
{
	return smmu->coherent && (idr0 & IDR0_MSI || !msi_parent);
}

static void smmu_host_idrs(struct pkvm_smmu *smmu, const u32 *hw,
			   bool msi_parent)
{
	u32 oas = pkvm_smmu_bits_to_oas(pkvm_smmu_s2.ia_bits);
	u32 cmdqs = FIELD_GET(IDR1_CMDQS, hw[1]);
	u32 evtqs = FIELD_GET(IDR1_EVTQS, hw[1]);

	cmdqs = min_t(u32, cmdqs, SMMU_HOST_CMDQ_SHIFT);
	evtqs = min_t(u32, evtqs, SMMU_HOST_EVTQ_SHIFT);

	smmu->idr[0] = hw[0] & IDR0_HOST;
	if (smmu_host_msi(smmu, hw[0], msi_parent))
		smmu->idr[0] |= IDR0_MSI;
	smmu->msis = smmu->idr[0] & hw[0] & IDR0_MSI;
	if (!smmu->strtab.two_level)
		smmu->idr[0] &= ~IDR0_ST_LVL;
	smmu->idr[1] = (hw[1] & (IDR1_SSIDSIZE | IDR1_ATTR_TYPES_OVR)) |
		       FIELD_PREP(IDR1_CMDQS, cmdqs) |
		       FIELD_PREP(IDR1_EVTQS, evtqs) |
		       FIELD_PREP(IDR1_SIDSIZE, smmu->feat.sid_bits);
	smmu->idr[3] = hw[3] & IDR3_HOST;
	smmu->idr[5] = (hw[5] & IDR5_HOST) | FIELD_PREP(IDR5_OAS, oas);
}

static void smmu_read_idrs(struct pkvm_smmu *smmu, u32 *idr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(smmu->idr); i++)
		idr[i] = hyp_readl(smmu->base + ARM_SMMU_IDR0 +
				   i * sizeof(u32));
}

/*
 * Take the registers and the memory, and look at the SMMU. Writes nothing to it
 */
static enum pkvm_smmu_refusal smmu_take(struct pkvm_smmu *smmu,
					const struct pkvm_smmu_desc *desc)
{
	enum pkvm_smmu_refusal refusal;
	struct smmu_features *feat = &smmu->feat;
	u64 tab_size, cmdq_size;
	void *tab, *cmdq;
	bool two_level;
	u8 cmdq_shift;
	u32 idr[6];

	if (desc->mmio.size < PKVM_SMMU_MIN_MMIO_SIZE ||
	    hyp_mmio_take(desc->mmio.base, desc->mmio.size, smmu, &smmu->base))
		return PKVM_SMMU_BAD_MMIO;
	smmu->base_pa = desc->mmio.base;
	smmu->mmio_size = desc->mmio.size;

	smmu_read_idrs(smmu, idr);
	smmu->iidr = hyp_readl(smmu->base + ARM_SMMU_IIDR);
	smmu->aidr = hyp_readl(smmu->base + ARM_SMMU_AIDR);
	refusal = smmu_check_features(idr, smmu->iidr);
	if (refusal)
		return refusal;
	smmu->coherent = idr[0] & IDR0_COHACC && desc->coherent;
	if (!smmu->coherent)
		hyp_incoherent = true;

	smmu->oas_bits = pkvm_smmu_oas_to_bits(FIELD_GET(IDR5_OAS, idr[5]));
	smmu->splits_blocks = FIELD_GET(IDR3_BBM, idr[3]) == 2;
	feat->ssid_bits = FIELD_GET(IDR1_SSIDSIZE, idr[1]);
	feat->ril = idr[3] & IDR3_RIL;
	feat->asid16 = idr[0] & IDR0_ASID16;
	feat->stalls = FIELD_GET(IDR0_STALL_MODEL, idr[0]) !=
		       IDR0_STALL_MODEL_NONE;

	cmdq_shift = FIELD_GET(IDR1_CMDQS, idr[1]);
	cmdq_shift = min_t(u8, cmdq_shift, PKVM_SMMU_CMDQ_SHIFT);
	cmdq_size = BIT_ULL(cmdq_shift + CMDQ_ENT_SZ_SHIFT);
	tab_size = pkvm_smmu_strtab_size(idr[0], idr[1], desc->sid_bits,
					 &feat->sid_bits, &two_level);
	if (desc->strtab.size < tab_size ||
	    !IS_ALIGNED(desc->strtab.base, tab_size) ||
	    desc->cmdq.size < cmdq_size ||
	    !IS_ALIGNED(desc->cmdq.base, cmdq_size) ||
	    hyp_mem_take(desc->strtab.base, desc->strtab.size, &tab) ||
	    hyp_mem_take(desc->cmdq.base, desc->cmdq.size, &cmdq))
		return PKVM_SMMU_NO_MEMORY;

	smmu_strtab_init(smmu, tab, two_level, desc->nr_l2);
	smmu_hwq_init(smmu, cmdq, cmdq_shift);

	return PKVM_SMMU_OK;
}

/* Wait until a register has a value. Returns 0 or -ETIMEDOUT */
static int smmu_wait(struct pkvm_smmu *smmu, u32 reg, u32 mask, u32 val)
{
	struct smmu_clock clock = smmu_clock_start(SMMU_TRAP_US);
	bool over;

	/* Read the register once more after the time is over */
	do {
		over = smmu_clock_is_over(&clock);
		if ((hyp_readl(smmu->base + reg) & mask) == val)
			return 0;
		hyp_relax();
	} while (!over);

	return -ETIMEDOUT;
}

/*
 * An enable in CR0 or IRQ_CTRL must not change before its last change is
 * acknowledged (section 6.3.9), and the host may just have changed it.
 */
static int smmu_wait_ack(struct pkvm_smmu *smmu, u32 reg, u32 ack, u32 enables)
{
	u32 val = hyp_readl(smmu->base + reg) & enables;

	return smmu_wait(smmu, ack, enables, val);
}

static int smmu_set_cr0(struct pkvm_smmu *smmu, u32 cr0)
{
	if (smmu_wait_ack(smmu, ARM_SMMU_CR0, ARM_SMMU_CR0ACK,
			  CR0_SMMUEN | CR0_EVTQEN | CR0_CMDQEN) ||
	    smmu_hwq_write_cr0(smmu, U32_MAX, cr0))
		return -ETIMEDOUT;

	return smmu_wait(smmu, ARM_SMMU_CR0ACK, U32_MAX, cr0);
}

static int smmu_set_gbpa(struct pkvm_smmu *smmu, u32 gbpa)
{
	int ret = smmu_wait(smmu, ARM_SMMU_GBPA, GBPA_UPDATE, 0);

	if (ret)
		return ret;

	hyp_writel(gbpa | GBPA_UPDATE, smmu->base + ARM_SMMU_GBPA);
	return smmu_wait(smmu, ARM_SMMU_GBPA, GBPA_UPDATE, 0);
}

/*
 * Disable interrupts, then clear the targets that the host left for MSIs: they
 * must not change while an interrupt is on.
 */
static int smmu_disable_irqs(struct pkvm_smmu *smmu, u32 idr0)
{
	void __iomem *base = smmu->base;

	if (smmu_wait_ack(smmu, ARM_SMMU_IRQ_CTRL, ARM_SMMU_IRQ_CTRLACK,
			  IRQ_CTRL_EVTQ_IRQEN | IRQ_CTRL_GERROR_IRQEN))
		return -ETIMEDOUT;
	hyp_writel(0, base + ARM_SMMU_IRQ_CTRL);
	if (smmu_wait(smmu, ARM_SMMU_IRQ_CTRLACK, U32_MAX, 0))
		return -ETIMEDOUT;

	if (idr0 & IDR0_MSI) {
		hyp_writeq(0, base + ARM_SMMU_GERROR_IRQ_CFG0);
		hyp_writeq(0, base + ARM_SMMU_EVTQ_IRQ_CFG0);
		if (idr0 & IDR0_PRI)
			hyp_writeq(0, base + ARM_SMMU_PRIQ_IRQ_CFG0);
	}

	return 0;
}

/* The SMMU is disabled. Write all registers that EL2 does not change later */
static void smmu_program(struct pkvm_smmu *smmu)
{
	u32 sh = smmu->coherent ? ARM_SMMU_SH_ISH : ARM_SMMU_SH_OSH;
	u32 cache = smmu->coherent ? CR1_CACHE_WB : CR1_CACHE_NC;
	void __iomem *base = smmu->base;
	u32 cr1, cfg;

	cr1 = FIELD_PREP(CR1_TABLE_SH, sh) |
	      FIELD_PREP(CR1_TABLE_OC, cache) |
	      FIELD_PREP(CR1_TABLE_IC, cache) |
	      FIELD_PREP(CR1_QUEUE_SH, sh) |
	      FIELD_PREP(CR1_QUEUE_OC, cache) |
	      FIELD_PREP(CR1_QUEUE_IC, cache);
	hyp_writel(cr1, base + ARM_SMMU_CR1);
	hyp_writel(CR2_PTM | CR2_RECINVSID, base + ARM_SMMU_CR2);

	cfg = FIELD_PREP(STRTAB_BASE_CFG_LOG2SIZE, smmu->feat.sid_bits);
	if (smmu->strtab.two_level)
		cfg |= FIELD_PREP(STRTAB_BASE_CFG_FMT,
				  STRTAB_BASE_CFG_FMT_2LVL) |
		       FIELD_PREP(STRTAB_BASE_CFG_SPLIT,
				  PKVM_SMMU_STRTAB_SPLIT);
	hyp_writeq(hyp_virt_to_phys(smmu->strtab.tab) | STRTAB_BASE_RA,
		   base + ARM_SMMU_STRTAB_BASE);
	hyp_writel(cfg, base + ARM_SMMU_STRTAB_BASE_CFG);

	hyp_writeq(hyp_virt_to_phys(smmu->hwq.base) | Q_BASE_RWA |
		   FIELD_PREP(Q_BASE_LOG2SIZE, smmu->hwq.shift),
		   base + ARM_SMMU_CMDQ_BASE);
	hyp_writel(0, base + ARM_SMMU_CMDQ_PROD);
	hyp_writel(0, base + ARM_SMMU_CMDQ_CONS);
}

/*
 * Enable the SMMU, whatever state it is in, with a table in which streams abort
 */
static enum pkvm_smmu_refusal smmu_enable(struct pkvm_smmu *smmu,
					  const struct pkvm_smmu_config *cfg,
					  u32 which, struct pkvm_smmu_desc *desc)
{
	struct arm_smmu_cmd cmds[3];
	struct smmu_clock clock;
	unsigned int n = 0;
	u32 idr[6], cr0, i;

	smmu_read_idrs(smmu, idr);
	smmu_host_idrs(smmu, idr, desc->msi_parent);
	smmu_s2_ste_dwords(&pkvm_smmu_s2, smmu->coherent, smmu->feat.s2_ste);
	smmu_strtab_make_empty(smmu);
	for (i = 0; i < cfg->nr_rmrs; i++) {
		if (cfg->rmrs[i].smmu == which &&
		    smmu_strtab_pass(smmu, cfg->rmrs[i].sid))
			return PKVM_SMMU_NO_MEMORY;
	}

	desc->found_gbpa = hyp_readl(smmu->base + ARM_SMMU_GBPA) & ~GBPA_UPDATE;
	if (smmu_set_gbpa(smmu, desc->found_gbpa | GBPA_ABORT) ||
	    smmu_set_cr0(smmu, 0))
		return PKVM_SMMU_NO_ANSWER;

	smmu_program(smmu);
	if (smmu_disable_irqs(smmu, idr[0]))
		return PKVM_SMMU_NO_ANSWER;
	smmu_gerror_init(smmu);
	hyp_wmb();

	/*
	 * Without ATSCHK, a transaction that a device has translated itself
	 * bypasses the STE, and so EATS and stage 2 (section 6.3.9).
	 */
	cr0 = CR0_CMDQEN;
	if (idr[0] & IDR0_ATS)
		cr0 |= CR0_ATSCHK;
	if (smmu_set_cr0(smmu, cr0))
		return PKVM_SMMU_NO_ANSWER;

	cmds[n++] = arm_smmu_make_cmd_cfgi_all();
	if (idr[0] & IDR0_HYP)
		cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_TLBI_EL2_ALL);
	cmds[n++] = arm_smmu_make_cmd_op(CMDQ_OP_TLBI_NSNH_ALL);
	clock = smmu_clock_start(SMMU_TRAP_US);
	if (smmu_hwq_run(smmu, cmds, n, &clock))
		return PKVM_SMMU_NO_ANSWER;

	if (smmu_set_cr0(smmu, cr0 | CR0_SMMUEN))
		return PKVM_SMMU_NO_ANSWER;

	return PKVM_SMMU_OK;
}

/* Does memory of the host hold @n elements of an array after a header? */
static bool mem_has_room(const struct pkvm_smmu_mem *mem, size_t header, u32 n,
			 size_t size)
{
	return IS_ALIGNED(mem->base | mem->size, PAGE_SIZE) &&
	       mem->size >= header + (u64)n * size;
}

/* The host keeps the memory of the counts. It stays pinned */
static enum pkvm_smmu_refusal
smmu_share_counts(const struct pkvm_smmu_config *cfg)
{
	struct pkvm_smmu_shared *shared;
	void *va;
	u32 i;

	if (!mem_has_room(&cfg->shared, sizeof(*shared), cfg->nr_smmus,
			  sizeof(shared->smmu[0])) ||
	    hyp_host_pin(cfg->shared.base, cfg->shared.size, &va))
		return PKVM_SMMU_NO_MEMORY;

	shared = va;
	for (i = 0; i < cfg->nr_smmus; i++)
		pkvm_smmus[i].counts = &shared->smmu[i];
	hyp_pool_count_in(&shared->pool);

	return PKVM_SMMU_OK;
}

static enum pkvm_smmu_refusal smmu_fill_pool(const struct pkvm_smmu_config *cfg)
{
	enum pkvm_smmu_refusal refusal = PKVM_SMMU_OK;
	const struct pkvm_smmu_mem *chunk;
	void *chunks, *va;
	u32 i;

	if (!mem_has_room(&cfg->pool, 0, cfg->nr_chunks, sizeof(*chunk)) ||
	    hyp_host_pin(cfg->pool.base, cfg->pool.size, &chunks))
		return PKVM_SMMU_NO_MEMORY;

	chunk = chunks;
	for (i = 0; i < cfg->nr_chunks && !refusal; i++, chunk++) {
		if (hyp_mem_take(chunk->base, chunk->size, &va) ||
		    hyp_pool_add(chunk->base, chunk->size))
			refusal = PKVM_SMMU_NO_MEMORY;
	}
	hyp_host_unpin(cfg->pool.base, cfg->pool.size);

	return refusal;
}

/* Memory for the SMMUs themselves, and for what is known about their MMIO */
static enum pkvm_smmu_refusal smmu_take_state(const struct pkvm_smmu_config *cfg)
{
	void *state, *mmio;

	if (!mem_has_room(&cfg->state, 0, cfg->nr_smmus, sizeof(*pkvm_smmus)) ||
	    hyp_mem_take(cfg->state.base, cfg->state.size, &state) ||
	    hyp_mem_take(cfg->mmio.base, cfg->mmio.size, &mmio))
		return PKVM_SMMU_NO_MEMORY;

	pkvm_smmus = state;
	hyp_mmio_provide(mmio, cfg->mmio.size);

	return PKVM_SMMU_OK;
}

/* The SMMU with the smallest output address size; the first one of several */
static u32 smmu_narrowest(const struct pkvm_smmu_config *cfg)
{
	u32 i, which = 0;

	for (i = 0; i < cfg->nr_smmus; i++) {
		if (pkvm_smmus[i].oas_bits < pkvm_smmus[which].oas_bits)
			which = i;
	}

	return which;
}

static enum pkvm_smmu_refusal smmu_build_s2(const struct pkvm_smmu_config *cfg)
{
	u8 ia_bits = pkvm_smmus[smmu_narrowest(cfg)].oas_bits;
	bool split = true;
	u32 i;

	for (i = 0; i < cfg->nr_smmus; i++)
		split &= pkvm_smmus[i].splits_blocks;

	switch (smmu_s2_init(&pkvm_smmu_s2, ia_bits, split)) {
	case 0:
		return PKVM_SMMU_OK;
	case -ENOMEM:
		return PKVM_SMMU_NO_MEMORY;
	default:
		return PKVM_SMMU_OUTPUT_SIZE;
	}
}

/* Their pages can be among the registers of SMMUs, which EL2 has taken */
static int pmcgs_take(struct pkvm_smmu_config *cfg)
{
	u32 i;

	for (i = 0; i < cfg->nr_pmcgs; i++) {
		cfg->pmcgs[i].refusal = smmu_pmcg_take(&cfg->pmcgs[i],
						       pkvm_smmus,
						       cfg->nr_smmus);
		if (cfg->pmcgs[i].refusal)
			return -ENODEV;
	}

	return 0;
}

static int pmcgs_silence(struct pkvm_smmu_config *cfg)
{
	u32 i;

	for (i = 0; i < cfg->nr_pmcgs; i++) {
		cfg->pmcgs[i].refusal = smmu_pmcg_silence(i);
		if (cfg->pmcgs[i].refusal)
			return -EIO;
	}

	return 0;
}

/*
 * Sets @refusal and @found_gbpa of each SMMU in @descs, and @refusal of each
 * PMCG
 */
static int smmu_take_all(struct pkvm_smmu_config *cfg, struct pkvm_smmu_desc *descs)
{
	enum pkvm_smmu_refusal refusal = smmu_take_state(cfg);
	int ret;
	u32 i;

	if (refusal) {
		descs[0].refusal = refusal;
		return -ENODEV;
	}

	/* Do not set PKVM_SMMU_OK yet: EL1 disables those SMMUs on an error */
	for (i = 0; i < cfg->nr_smmus; i++) {
		refusal = smmu_take(&pkvm_smmus[i], &descs[i]);
		if (refusal) {
			descs[i].refusal = refusal;
			return -ENODEV;
		}
	}

	ret = pmcgs_take(cfg);
	if (ret)
		return ret;

	refusal = smmu_share_counts(cfg);
	if (!refusal)
		refusal = smmu_fill_pool(cfg);
	if (!refusal)
		refusal = smmu_build_s2(cfg);
	if (refusal) {
		i = refusal == PKVM_SMMU_OUTPUT_SIZE ? smmu_narrowest(cfg) : 0;
		descs[i].refusal = refusal;
		return -ENODEV;
	}

	ret = pmcgs_silence(cfg);
	if (ret)
		return ret;

	for (i = 0; i < cfg->nr_smmus && !refusal; i++) {
		refusal = smmu_enable(&pkvm_smmus[i], cfg, i, &descs[i]);
		descs[i].refusal = refusal;
	}

	return refusal ? -EIO : 0;
}

/**
 * pkvm_smmu_init() - take every SMMU, or none
 * @cfg:	EL1's description; sets @refusal of each PMCG
 *
 * Before the host loses its privileges. No lock is needed.
 *
 * Return: 0 if every stream of every SMMU reaches memory only through EL2's
 * stage 2; a negative error, and then EL2 must not start.
 */
int pkvm_smmu_init(struct pkvm_smmu_config *cfg)
{
	void *descs;
	int ret;

	if (!cfg->nr_smmus || cfg->nr_pmcgs > PKVM_SMMU_MAX_PMCGS ||
	    cfg->nr_rmrs > PKVM_SMMU_MAX_RMRS ||
	    !mem_has_room(&cfg->smmus, 0, cfg->nr_smmus,
			  sizeof(struct pkvm_smmu_desc)))
		return -EINVAL;

	ret = hyp_host_pin(cfg->smmus.base, cfg->smmus.size, &descs);
	if (ret)
		return ret;

	ret = smmu_take_all(cfg, descs);
	hyp_host_unpin(cfg->smmus.base, cfg->smmus.size);
	if (!ret)
		pkvm_nr_smmus = cfg->nr_smmus;

	return ret;
}
