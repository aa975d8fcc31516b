// SPDX-License-Identifier: GPL-2.0-only
/*
 * Performance monitor counter groups (PMCGs) of SMMUs.
 *
 * - A PMCG has one or two pages of registers, of 4 KiB. EL2 owns those that
 *   firmware describes, wherever they are: they can also be among the registers
 *   of an SMMU.
 * - EL2 takes whole pages of the CPU. Several PMCGs can share one. What is in
 *   such a page and is no register of a PMCG reads as zero and ignores writes.
 * - A PMCG writes its MSI to a physical address, without translation. At
 *   take-over EL2 clears the address, which means no MSI. The host can neither
 *   change the address nor see that there are MSIs (CFGR.MSI).
 * - The host has the counters, and the wired interrupt. EL2 forwards accesses
 *   to the registers that pmcg_regs[] lists. All others read as zero and ignore
 *   writes.
 * - Accesses of 4 and 8 bytes, naturally aligned, have an effect. A 64-bit
 *   register can be accessed as two halves.
 * - The reset value of the address is not known. So EL2 reads the address
 *   whenever the host enables the interrupt. If it is not 0, then the interrupt
 *   stays off.
 * - EL2 keeps no state of the host, needs no lock, and waits at take-over only.
 *
 * See chapter 10 of the SMMUv3 architecture (Arm IHI 0070).
 */
#include <linux/align.h>
#include <linux/bitfield.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "hyp.h"
#include "pmcg.h"
#include "smmu.h"
#include "trap.h"

/* Offsets of the registers in page 0, or at the same offset in page 1 */
#define PMCG_EVCNTR		0x000
#define PMCG_EVTYPER		0x400
#define PMCG_SVR		0x600
#define PMCG_SMR		0xa00
#define PMCG_CNTENSET0		0xc00
#define PMCG_CNTENCLR0		0xc20
#define PMCG_INTENSET0		0xc40
#define PMCG_INTENCLR0		0xc60
#define PMCG_OVSCLR0		0xc80
#define PMCG_OVSSET0		0xcc0
#define PMCG_CAPR		0xd88
#define PMCG_CFGR		0xe00
#define PMCG_CR			0xe04
#define PMCG_IIDR		0xe08
#define PMCG_CEID0		0xe20
#define PMCG_CEID1		0xe28
#define PMCG_IRQ_CTRL		0xe50
#define PMCG_IRQ_CTRLACK	0xe54
#define PMCG_IRQ_CFG0		0xe58
#define PMCG_IRQ_CFG1		0xe60
#define PMCG_IRQ_CFG2		0xe64
#define PMCG_AIDR		0xe70
#define PMCG_PMDEVARCH		0xfbc
#define PMCG_PMDEVTYPE		0xfcc
#define PMCG_PIDR4		0xfd0
#define PMCG_PIDR0		0xfe0
#define PMCG_PIDR1		0xfe4
#define PMCG_PIDR2		0xfe8
#define PMCG_PIDR3		0xfec
#define PMCG_CIDR0		0xff0
#define PMCG_CIDR1		0xff4
#define PMCG_CIDR2		0xff8
#define PMCG_CIDR3		0xffc

#define EVTYPER_OVFCAP		BIT(31)
#define EVTYPER_SID_SPAN	BIT(29)
#define EVTYPER_EVENT		GENMASK(15, 0)
#define CAPR_CAPTURE		BIT(0)
#define CFGR_SID_FILTER_TYPE	BIT(23)
#define CFGR_CAPTURE		BIT(22)
#define CFGR_MSI		BIT(21)
#define CFGR_RELOC_CTRS		BIT(20)
#define CFGR_SIZE		GENMASK(13, 8)
#define CFGR_NCTR		GENMASK(5, 0)
#define CR_E			BIT(0)
#define IRQ_CTRL_IRQEN		BIT(0)

/*
 * The fields that the host sees. MPAM, and filters by the Security state, are
 * not among them.
 */
#define EVTYPER_HOST	(EVTYPER_OVFCAP | EVTYPER_SID_SPAN | EVTYPER_EVENT)
#define CFGR_HOST	(CFGR_SID_FILTER_TYPE | CFGR_CAPTURE | \
			 CFGR_RELOC_CTRS | CFGR_SIZE | CFGR_NCTR)

/**
 * struct pmcg_reg - a register that EL2 forwards
 * @offset:	of the register, or of that of counter 0
 * @size:	4 or 8 bytes; 0 if it is as wide as a counter
 * @counters:	there is one for each counter
 * @moves:	it is in page 1, if the PMCG has one
 * @access:	PMCG_READ, PMCG_WRITE
 * @mask:	the bits that the host can read and write
 */
struct pmcg_reg {
	u16	offset;
	u8	size;
	bool	counters;
	bool	moves;
	u8	access;
	u64	mask;
};

#define PMCG_READ	BIT(0)
#define PMCG_WRITE	BIT(1)

#define REG(name, bytes, how, bits, ...)	{			\
		.offset = PMCG_##name, .size = (bytes),			\
		.access = (how), .mask = (bits), __VA_ARGS__ }
#define RO		PMCG_READ
#define WO		PMCG_WRITE
#define RW		(RO | WO)
#define PER_COUNTER	.counters = true
#define MOVES		.moves = true

static const struct pmcg_reg pmcg_regs[] = {
	REG(EVCNTR,	0, RW, U64_MAX, PER_COUNTER, MOVES),
	REG(EVTYPER,	4, RW, EVTYPER_HOST, PER_COUNTER),
	REG(SVR,	0, RO, U64_MAX, PER_COUNTER, MOVES),
	REG(SMR,	4, RW, U32_MAX, PER_COUNTER),
	REG(CNTENSET0,	8, RW, U64_MAX),
	REG(CNTENCLR0,	8, RW, U64_MAX),
	REG(INTENSET0,	8, RW, U64_MAX),
	REG(INTENCLR0,	8, RW, U64_MAX),
	REG(OVSCLR0,	8, RW, U64_MAX, MOVES),
	REG(OVSSET0,	8, RW, U64_MAX, MOVES),
	REG(CAPR,	4, WO, CAPR_CAPTURE, MOVES),
	/* SCR, and its alias: Secure */
	REG(CFGR,	4, RO, CFGR_HOST),
	REG(CR,		4, RW, CR_E),
	REG(IIDR,	4, RO, U32_MAX),
	REG(CEID0,	8, RO, U64_MAX),
	REG(CEID1,	8, RO, U64_MAX),
	/* ROOTCR: Root */
	REG(IRQ_CTRL,	4, RW, IRQ_CTRL_IRQEN),
	REG(IRQ_CTRLACK, 4, RO, IRQ_CTRL_IRQEN),
	/* IRQ_CFG0 to IRQ_CFG2, IRQ_STATUS: CFGR.MSI is hidden */
	/* GMPAM, MPAMIDR, S_MPAMIDR: CFGR.MPAM is hidden */
	REG(AIDR,	4, RO, U32_MAX),
	/* IMPLEMENTATION DEFINED registers, 0xe80 to 0xeff */
	REG(PMDEVARCH,	4, RO, U32_MAX),
	REG(PMDEVTYPE,	4, RO, U32_MAX),
	REG(PIDR4,	4, RO, U32_MAX),
	REG(PIDR0,	4, RO, U32_MAX),
	REG(PIDR1,	4, RO, U32_MAX),
	REG(PIDR2,	4, RO, U32_MAX),
	REG(PIDR3,	4, RO, U32_MAX),
	REG(CIDR0,	4, RO, U32_MAX),
	REG(CIDR1,	4, RO, U32_MAX),
	REG(CIDR2,	4, RO, U32_MAX),
	REG(CIDR3,	4, RO, U32_MAX),
};

struct smmu_pmcgs pkvm_pmcgs;

/*
 * The register of an access. NULL if it reads as zero and ignores writes. @page
 * is 0 or 1, and @offset is below 4 KiB.
 */
static const struct pmcg_reg *pmcg_find(u32 cfgr, unsigned int page, u32 offset,
					unsigned int size)
{
	u32 nr = FIELD_GET(CFGR_NCTR, cfgr) + 1, width, end;
	u32 counter = FIELD_GET(CFGR_SIZE, cfgr) < 32 ? 4 : 8;
	bool relocated = cfgr & CFGR_RELOC_CTRS;
	unsigned int i;

	if ((size != 4 && size != 8) || !IS_ALIGNED(offset, size))
		return NULL;

	for (i = 0; i < ARRAY_SIZE(pmcg_regs); i++) {
		const struct pmcg_reg *reg = &pmcg_regs[i];

		width = reg->size ?: counter;
		end = reg->offset + (reg->counters ? nr : 1) * width;
		if (page == (relocated && reg->moves) && size <= width &&
		    offset >= reg->offset && offset < end)
			return reg;
	}

	return NULL;
}

/* The page of a PMCG that has this address, or NULL */
static const struct smmu_pmcg_page *page_find(phys_addr_t pa,
					      const struct smmu_pmcg **pmcg)
{
	const struct smmu_pmcg_page *page;
	u32 i, n;

	for (i = 0; i < pkvm_pmcgs.nr; i++) {
		for (n = 0; n < 2; n++) {
			page = &pkvm_pmcgs.pmcg[i].page[n];
			if (!page->base || pa - page->pa >= SZ_4K)
				continue;
			*pmcg = &pkvm_pmcgs.pmcg[i];
			return page;
		}
	}

	return NULL;
}

/* Does a range that EL2 has taken at @base contain all of @page's? */
static bool page_shares(struct smmu_pmcg_page *page, phys_addr_t start,
			u64 size, void __iomem *base)
{
	u64 offset = page->start - start;

	if (page->start < start || offset >= size ||
	    page->size > size - offset)
		return false;

	page->base = base + (page->pa - start);
	return true;
}

/* Is the page among the registers of an SMMU, and none of the SMMU's own? */
static int page_share_with_smmu(struct smmu_pmcg_page *page,
				const struct pkvm_smmu *smmus, u32 nr_smmus)
{
	u32 i;

	for (i = 0; i < nr_smmus; i++) {
		if (page_shares(page, smmus[i].base_pa, smmus[i].mmio_size,
				smmus[i].base))
			return smmu_pmcg_can_be_at(page->pa -
						   smmus[i].base_pa) ?
				       0 : -EPERM;
	}

	return -ENOENT;
}

static bool page_share_with_pmcg(struct smmu_pmcg_page *page)
{
	const struct smmu_pmcg_page *other;
	u32 i, n;

	/* Also with page 0 of the same PMCG */
	for (i = 0; i < pkvm_pmcgs.nr; i++) {
		for (n = 0; n < 2; n++) {
			other = &pkvm_pmcgs.pmcg[i].page[n];
			if (other->base &&
			    page_shares(page, other->start, other->size,
					other->base -
					(other->pa - other->start)))
				return true;
		}
	}

	return false;
}

static int page_take(struct smmu_pmcg_page *page,
		     const struct pkvm_smmu_mem *mem,
		     const struct pkvm_smmu *smmus, u32 nr_smmus)
{
	phys_addr_t end = ALIGN(mem->base + mem->size, PAGE_SIZE);
	const struct smmu_pmcg *pmcg;
	void __iomem *va;
	int ret;

	page->pa = mem->base;
	page->start = ALIGN_DOWN(mem->base, PAGE_SIZE);
	if (!IS_ALIGNED(mem->base, SZ_4K) || mem->size < SZ_4K ||
	    end <= page->start || page_find(mem->base, &pmcg))
		return -EINVAL;
	page->size = end - page->start;

	ret = page_share_with_smmu(page, smmus, nr_smmus);
	if (ret == -ENOENT && page_share_with_pmcg(page))
		ret = 0;
	if (ret == -ENOENT) {
		ret = hyp_mmio_take(page->start, page->size, page, &va);
		if (!ret)
			page->base = va + (page->pa - page->start);
	}
	/* It is none of a PMCG */
	if (ret)
		page->base = NULL;

	return ret;
}

/**
 * smmu_pmcg_take() - take the registers of a PMCG from the host
 * @desc:	EL1's description
 * @smmus:	all SMMUs, whose registers EL2 has taken
 * @nr_smmus:	number of @smmus
 *
 * Writes nothing to the PMCG. Page 1 can lead to the registers of page 0. If
 * the PMCG has MSIs and a page 1, then firmware has to describe both pages.
 *
 * Return: PKVM_SMMU_OK; PKVM_SMMU_BAD_MMIO.
 */
enum pkvm_smmu_refusal smmu_pmcg_take(const struct pkvm_pmcg_desc *desc,
				      const struct pkvm_smmu *smmus,
				      u32 nr_smmus)
{
	struct smmu_pmcg *pmcg = &pkvm_pmcgs.pmcg[pkvm_pmcgs.nr];

	if (page_take(&pmcg->page[0], &desc->page[0], smmus, nr_smmus))
		return PKVM_SMMU_BAD_MMIO;
	pkvm_pmcgs.nr++;

	pmcg->cfgr = hyp_readl(pmcg->page[0].base + PMCG_CFGR);
	if (desc->page[1].size)
		return page_take(&pmcg->page[1], &desc->page[1], smmus,
				 nr_smmus) ? PKVM_SMMU_BAD_MMIO : PKVM_SMMU_OK;

	return pmcg->cfgr & CFGR_RELOC_CTRS && pmcg->cfgr & CFGR_MSI ?
		       PKVM_SMMU_BAD_MMIO : PKVM_SMMU_OK;
}

/* Wait until IRQEN is acknowledged to be as IRQ_CTRL has it */
static int pmcg_wait_ack(const void __iomem *base)
{
	struct smmu_clock clock = smmu_clock_start(SMMU_TRAP_US);
	bool over;

	/* Read the register once more after the time is over */
	do {
		over = smmu_clock_is_over(&clock);
		if (!((hyp_readl(base + PMCG_IRQ_CTRLACK) ^
		       hyp_readl(base + PMCG_IRQ_CTRL)) & IRQ_CTRL_IRQEN))
			return 0;
		hyp_relax();
	} while (!over);

	return -ETIMEDOUT;
}

/**
 * smmu_pmcg_silence() - see to it that a PMCG sends no MSI
 * @index:	its place in struct pkvm_smmu_config
 *
 * The address of the MSI must not change while the interrupt is on. When the
 * PMCG acknowledges that the interrupt is off, no MSI is under way (sections
 * 10.5.2.19 and 10.5.2.21).
 *
 * Return: PKVM_SMMU_OK; PKVM_SMMU_NO_ANSWER.
 */
enum pkvm_smmu_refusal smmu_pmcg_silence(u32 index)
{
	const struct smmu_pmcg *pmcg = &pkvm_pmcgs.pmcg[index];
	void __iomem *base = pmcg->page[0].base;

	if (!(pmcg->cfgr & CFGR_MSI))
		return PKVM_SMMU_OK;

	/* IRQEN must not change before its last change is acknowledged */
	if (pmcg_wait_ack(base))
		return PKVM_SMMU_NO_ANSWER;
	hyp_writel(0, base + PMCG_IRQ_CTRL);
	if (pmcg_wait_ack(base))
		return PKVM_SMMU_NO_ANSWER;

	hyp_writeq(0, base + PMCG_IRQ_CFG0);
	hyp_writel(0, base + PMCG_IRQ_CFG1);
	hyp_writel(0, base + PMCG_IRQ_CFG2);

	return hyp_readq(base + PMCG_IRQ_CFG0) ? PKVM_SMMU_NO_ANSWER :
						 PKVM_SMMU_OK;
}

/**
 * smmu_pmcg_is_cookie() - did smmu_pmcg_take() take the MMIO of an access?
 * @cookie:	of the MMIO
 * @start:	set to the physical address of the MMIO
 *
 * Return: false if the cookie is an SMMU.
 */
bool smmu_pmcg_is_cookie(const void *cookie, phys_addr_t *start)
{
	const struct smmu_pmcg_page *page = cookie;

	if (cookie < (void *)&pkvm_pmcgs || cookie >= (void *)(&pkvm_pmcgs + 1))
		return false;

	*start = page->start;
	return true;
}

/**
 * smmu_pmcg_is_at() - does a PMCG have a page of registers at an address?
 * @pa:		physical address
 */
bool smmu_pmcg_is_at(phys_addr_t pa)
{
	const struct smmu_pmcg *pmcg;

	return page_find(pa, &pmcg);
}

/*
 * The register of an access, or NULL; @addr is set to EL2's mapping. What the
 * host chooses selects neither a function nor an entry of a table.
 */
static const struct pmcg_reg *access_find(phys_addr_t pa, unsigned int size,
					  void __iomem **addr)
{
	const struct smmu_pmcg *pmcg;
	const struct smmu_pmcg_page *page = page_find(pa, &pmcg);
	u32 offset;

	if (!page)
		return NULL;

	offset = array_index_nospec(pa - page->pa, SZ_4K);
	*addr = page->base + offset;
	return pmcg_find(pmcg->cfgr, page - pmcg->page, offset, size);
}

/* PMCGs belong to no SMMU that counts what EL2 denies */
static void report(phys_addr_t pa, u64 val)
{
	hyp_trace(PKVM_SMMU_DENIED_MMIO, ALIGN_DOWN(pa, SZ_4K), pa % SZ_4K,
		  val);
}

/**
 * smmu_pmcg_read() - the host reads MMIO that EL2 has taken with a PMCG
 * @pa:		physical address; any value
 * @size:	of the access in bytes; any value
 *
 * Return: the value that the host gets.
 */
u64 smmu_pmcg_read(phys_addr_t pa, unsigned int size)
{
	void __iomem *addr;
	const struct pmcg_reg *reg = access_find(pa, size, &addr);

	if (!reg || !(reg->access & PMCG_READ)) {
		report(pa, 0);
		return 0;
	}

	return (size == 8 ? hyp_readq(addr) : hyp_readl(addr)) & reg->mask;
}

/**
 * smmu_pmcg_write() - the host writes MMIO that EL2 has taken with a PMCG
 * @pa:		physical address; any value
 * @size:	of the access in bytes; any value
 * @val:	the value
 */
void smmu_pmcg_write(phys_addr_t pa, unsigned int size, u64 val)
{
	void __iomem *addr;
	const struct pmcg_reg *reg = access_find(pa, size, &addr);

	if (!reg || !(reg->access & PMCG_WRITE)) {
		report(pa, val);
		return;
	}

	val &= reg->mask;
	/* The PMCG was reset, and would write an MSI somewhere */
	if (reg->offset == PMCG_IRQ_CTRL && val &&
	    hyp_readq(addr - PMCG_IRQ_CTRL + PMCG_IRQ_CFG0)) {
		report(pa, val);
		return;
	}

	if (size == 8)
		hyp_writeq(val, addr);
	else
		hyp_writel(val, addr);
}
