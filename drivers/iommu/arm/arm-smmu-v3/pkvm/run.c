// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hypervisor calls while the host runs.
 *
 * - A page leaves the host: EL2 removes it from the stage 2, and invalidates
 *   what the SMMUs have cached. If an SMMU does not complete that in time, the
 *   page stays with the host.
 * - A page returns to the host: EL2 maps it for devices. If tables have become
 *   full, blocks replace them, unless an SMMU takes too long.
 * - The host accesses the registers of an SMMU, or of a PMCG.
 */
#include <linux/align.h>
#include <linux/kconfig.h>
#include <linux/kernel.h>

#include "check.h"
#include "init.h"
#include "pmcg.h"
#include "report.h"
#include "run.h"
#include "tlbi.h"
#include "trap.h"

/* Returns 1 if a page was mapped that was not before */
static int run_map(phys_addr_t start, phys_addr_t end)
{
	int ret = smmu_s2_map(&pkvm_smmu_s2, start, end);
	u32 i;

	/* It is safe if devices cannot reach a page of the host */
	for (i = 0; i < pkvm_nr_smmus && ret < 0; i++)
		smmu_report(&pkvm_smmus[i], PKVM_SMMU_FAILED_MAP, start, end);

	return ret;
}

/**
 * smmu_run_pages_leave() - pages are about to leave the host
 * @start:	physical address, page aligned
 * @end:	physical address, page aligned
 *
 * The ownership locks are held, and nothing else of the transition has
 * happened. Takes at most SMMU_LEAVE_US, whatever the SMMUs and other CPUs do.
 *
 * Return: 0 if no device can reach the pages any more. A negative error if the
 * host has to keep them: -EAGAIN if an SMMU needs more time, or if EL2 had to
 * replace commands twice; -EIO if an SMMU is broken; -ENOMEM.
 */
int smmu_run_pages_leave(phys_addr_t start, phys_addr_t end)
{
	struct smmu_clock clock;
	int ret;

	if (start == end)
		return 0;

	hyp_ownership_begin();
	clock = smmu_clock_start(SMMU_LEAVE_US);
	ret = smmu_s2_unmap(&pkvm_smmu_s2, start, end);
	if (!ret)
		ret = smmu_tlbi_range(pkvm_smmus, pkvm_nr_smmus, start, end,
				      &clock);
	if (ret)
		run_map(start, end);
	hyp_ownership_end();

	return ret;
}

/* Returns false if the table has to stay, because an SMMU may use it */
static bool run_join(phys_addr_t pa, const struct smmu_clock *clock)
{
	struct smmu_s2_join join;

	while (smmu_s2_join(&pkvm_smmu_s2, pa, &join)) {
		if (smmu_tlbi_range(pkvm_smmus, pkvm_nr_smmus, join.start,
				    join.end, clock)) {
			smmu_s2_join_undo(&join);
			return false;
		}
		smmu_s2_join_done(&join);
	}

	return true;
}

/**
 * smmu_run_pages_return() - pages have returned to the host
 * @start:	physical address, page aligned
 * @end:	physical address, page aligned
 *
 * The ownership locks are held. Pages that are mapped already cost nothing: a
 * guest had shared them with the host.
 */
void smmu_run_pages_return(phys_addr_t start, phys_addr_t end)
{
	struct smmu_clock clock;
	phys_addr_t pa = start;

	hyp_ownership_begin();
	/*
	 * Stores of EL2 to the pages, such as zeroes, may be in caches only. A
	 * device that does not snoop would read the old content. Its own stores
	 * would be lost when a cache writes back the line.
	 */
	if (hyp_incoherent)
		hyp_clean_ram(start, end);

	if (run_map(start, end)) {
		clock = smmu_clock_start(SMMU_LEAVE_US);
		while (pa < end && run_join(pa, &clock))
			pa = ALIGN_DOWN(pa, SMMU_S2_JOIN_SIZE) +
			     SMMU_S2_JOIN_SIZE;
	}
	hyp_ownership_end();
}

/**
 * smmu_run_page_is_reachable() - can devices reach a page?
 * @pa:		physical address; the ownership locks are held
 */
bool smmu_run_page_is_reachable(phys_addr_t pa)
{
	return smmu_s2_maps(&pkvm_smmu_s2, pa);
}

/* Is the access for a PMCG? Else it is for an SMMU */
static bool run_is_pmcg(const void *cookie, u32 offset, phys_addr_t *pa)
{
	const struct pkvm_smmu *smmu = cookie;

	if (smmu_pmcg_is_cookie(cookie, pa)) {
		*pa += offset;
		return true;
	}

	*pa = smmu->base_pa + offset;
	return smmu_pmcg_can_be_at(offset) && smmu_pmcg_is_at(*pa);
}

/**
 * smmu_run_read() - the host reads a register
 * @cookie:	the SMMU, or of a PMCG
 * @offset:	from the start of the MMIO; any value
 * @size:	of the access in bytes; any value
 *
 * Return: the value that the host gets.
 */
u64 smmu_run_read(void *cookie, u32 offset, unsigned int size)
{
	phys_addr_t pa;
	u64 val;

	if (run_is_pmcg(cookie, offset, &pa))
		return smmu_pmcg_read(pa, size);

	val = smmu_mmio_read(cookie, offset, size);
	if (IS_ENABLED(CONFIG_NVHE_EL2_DEBUG))
		smmu_check(cookie);

	return val;
}

/**
 * smmu_run_write() - the host writes a register
 * @cookie:	the SMMU, or of a PMCG
 * @offset:	from the start of the MMIO; any value
 * @size:	of the access in bytes; any value
 * @val:	the value
 */
void smmu_run_write(void *cookie, u32 offset, unsigned int size, u64 val)
{
	phys_addr_t pa;

	if (run_is_pmcg(cookie, offset, &pa)) {
		smmu_pmcg_write(pa, size, val);
		return;
	}

	smmu_mmio_write(cookie, offset, size, val);
	if (IS_ENABLED(CONFIG_NVHE_EL2_DEBUG))
		smmu_check(cookie);
}
