/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_PMCG_H
#define __PKVM_SMMU_PMCG_H

#include <linux/sizes.h>
#include <linux/types.h>

#include "config.h"

struct pkvm_smmu;

/**
 * struct smmu_pmcg_page - a page of registers of a PMCG, of 4 KiB
 * @pa:		physical address
 * @base:	EL2's mapping of it; NULL if there is no such page
 * @start:	physical address of the MMIO that EL2 took together with it
 * @size:	of that MMIO
 */
struct smmu_pmcg_page {
	phys_addr_t	pa;
	void __iomem	*base;
	phys_addr_t	start;
	u64		size;
};

/**
 * struct smmu_pmcg - a performance monitor counter group
 * @page:	page 0 and page 1 of its registers
 * @cfgr:	CFGR of the hardware
 */
struct smmu_pmcg {
	struct smmu_pmcg_page	page[2];
	u32			cfgr;
};

/**
 * struct smmu_pmcgs - all PMCGs
 * @nr:		number of entries in @pmcg
 * @pmcg:	in the order of struct pkvm_smmu_config
 *
 * Constant after take-over. pmcg.c writes it.
 */
struct smmu_pmcgs {
	u32			nr;
	struct smmu_pmcg	pmcg[PKVM_SMMU_MAX_PMCGS];
};

extern struct smmu_pmcgs pkvm_pmcgs;

/*
 * Can a PMCG have a page at this offset of an SMMU's registers? In page 0 it is
 * among the IMPLEMENTATION DEFINED registers (section 6.2). In all other pages
 * of 64 KiB the first 4 KiB can have registers of the SMMU. Page 1 of the SMMU
 * has none of a PMCG.
 */
static inline bool smmu_pmcg_can_be_at(u64 offset)
{
	if (offset < PKVM_SMMU_MIN_MMIO_SIZE)
		return offset >= SZ_4K && offset < SZ_16K;

	return offset % SZ_64K >= SZ_4K;
}

enum pkvm_smmu_refusal smmu_pmcg_take(const struct pkvm_pmcg_desc *desc,
				      const struct pkvm_smmu *smmus,
				      u32 nr_smmus);
enum pkvm_smmu_refusal smmu_pmcg_silence(u32 index);
bool smmu_pmcg_is_cookie(const void *cookie, phys_addr_t *start);
bool smmu_pmcg_is_at(phys_addr_t pa);
u64 smmu_pmcg_read(phys_addr_t pa, unsigned int size);
void smmu_pmcg_write(phys_addr_t pa, unsigned int size, u64 val);

#endif /* __PKVM_SMMU_PMCG_H */
