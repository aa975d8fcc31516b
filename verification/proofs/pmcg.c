// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's accesses do to a PMCG: any access of any PMCG.
 *
 * CBMC: --unwind 34
 */
#include <linux/kernel.h>

#include "proof.h"
#include "pkvm/pmcg.c"

/* Both pages, of which only the addresses matter */
static u8 regs[2 * SZ_4K];
static unsigned int nr_writes;
static u64 target;

/* SCR, its alias, ROOTCR; the MSI; MPAM; IMPLEMENTATION DEFINED registers */
static bool is_nobodys(u32 offset)
{
	return (offset >= 0xdf8 && offset < 0xe00) || (offset >= 0xe40 && offset < 0xe50) ||
	       (offset >= 0xe58 && offset < 0xe70) || (offset >= 0xe74 && offset < 0xf00);
}

static u32 check_access(const void *addr, unsigned int size)
{
	u32 offset = (const u8 *)addr - regs;

	PROVE(offset < sizeof(regs), "a register of the PMCG");
	PROVE(!(offset % size), "aligned");

	return offset;
}

static void check_write(void *addr, unsigned int size, u64 val)
{
	u32 offset = check_access(addr, size);

	nr_writes++;
	/* Page 1 may be page 0 once more */
	PROVE(!is_nobodys(offset % SZ_4K), "a register that the host may write");
	PROVE(offset != 0xe50 || !(val & 1) || !target, "no interrupt that is an MSI");
}

u32 hyp_readl(const void *addr)
{
	check_access(addr, 4);
	return nondet_u32();
}

u64 hyp_readq(const void *addr)
{
	return check_access(addr, 8) == 0xe58 ? target : nondet_u64();
}

void hyp_writel(u32 val, void *addr)
{
	check_write(addr, 4, val);
}

void hyp_writeq(u64 val, void *addr)
{
	check_write(addr, 8, val);
}

void hyp_trace(u8 what, phys_addr_t smmu, u64 arg0, u64 arg1)
{
}

/* One PMCG, with a page 1 or without, anywhere */
static void any_pmcg(void)
{
	struct smmu_pmcg *pmcg = &pkvm_pmcgs.pmcg[0];

	pkvm_pmcgs.nr = 1;
	pmcg->cfgr = nondet_u32();
	pmcg->page[0].base = regs;
	pmcg->page[0].pa = nondet_u64() << 12;
	pmcg->page[1].base = nondet_bool() ? regs + SZ_4K : NULL;
	pmcg->page[1].pa = nondet_u64() << 12;
	SUPPOSE(pmcg->page[0].pa != pmcg->page[1].pa);
	target = nondet_u64();
}

void prove_pmcg_writes_no_msi(void)
{
	any_pmcg();
	smmu_pmcg_write(nondet_u64(), nondet_u32(), nondet_u64());
	PROVE(nr_writes <= 1, "one access of the host's, and at most one of EL2's");
}

void prove_pmcg_hides_msis(void)
{
	phys_addr_t pa = nondet_u64();
	unsigned int size = nondet_u32();
	u64 val;
	u32 offset;

	any_pmcg();
	val = smmu_pmcg_read(pa, size);
	PROVE(!nr_writes, "a read is no write");
	offset = pa - pkvm_pmcgs.pmcg[0].page[0].pa;
	if (pa < pkvm_pmcgs.pmcg[0].page[0].pa || pa - pkvm_pmcgs.pmcg[0].page[0].pa >= SZ_4K)
		return;
	PROVE(!is_nobodys(offset) || !val, "what is nobody's reads as zero");
	PROVE(offset != 0xe00 || !(val & (1U << 21 | 3U << 24)), "neither MSIs nor MPAM");
	PROVE(size == 8 || !(val >> 32), "no more bits than the access has");
}
