/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How EL1 describes the SMMUv3s to EL2, and how EL2 answers.
 *
 * struct pkvm_smmu_config is in EL2's memory. What it leads to is the host's:
 * EL2 pins it while it takes the SMMUs over, and does not use it later. All this
 * is before the host loses its privileges. Addresses are physical, sizes are in
 * bytes.
 */
#ifndef __PKVM_SMMU_CONFIG_H
#define __PKVM_SMMU_CONFIG_H

#include <linux/types.h>

#include "counts.h"
#include "sizes.h"

/* Performance monitor counter groups (PMCGs) */
#define PKVM_SMMU_MAX_PMCGS		128

/* Streams that firmware wants to be left running */
#define PKVM_SMMU_MAX_RMRS		64

/* Page 0 and page 1 of the registers, of 64 KiB each */
#define PKVM_SMMU_MIN_MMIO_SIZE		0x20000

/**
 * enum pkvm_smmu_refusal - why EL2 refused an SMMU
 * @PKVM_SMMU_OK:		EL2 has enabled the SMMU, with its own tables
 * @PKVM_SMMU_NOT_TRIED:	EL2 stopped before it wrote to this SMMU
 * @PKVM_SMMU_NO_MEMORY:	EL1 set too little memory aside
 * @PKVM_SMMU_BAD_MMIO:		the registers are not MMIO, or too few
 * @PKVM_SMMU_NO_STAGE1:	no stage 1 for the host
 * @PKVM_SMMU_NO_STAGE2:	no stage 2 for EL2
 * @PKVM_SMMU_FORMAT:		no little-endian AArch64 tables, or not with the
 *				CPU's page size
 * @PKVM_SMMU_PRESET:		tables or queues are at fixed addresses
 * @PKVM_SMMU_EXTRA_QUEUES:	there are command queues that EL2 does not
 *		control
 * @PKVM_SMMU_OUTPUT_SIZE:	the SMMU cannot address all RAM
 * @PKVM_SMMU_STALL_FORCE:	every fault stalls, stage 2 faults as well
 * @PKVM_SMMU_ERRATUM:		an erratum breaks nested translation or
 *				invalidation
 * @PKVM_SMMU_NO_ANSWER:	the SMMU did not acknowledge a change in time
 * @PKVM_SMMU_NR_REFUSALS:	number of reasons
 */
enum pkvm_smmu_refusal {
	PKVM_SMMU_OK,
	PKVM_SMMU_NOT_TRIED,
	PKVM_SMMU_NO_MEMORY,
	PKVM_SMMU_BAD_MMIO,
	PKVM_SMMU_NO_STAGE1,
	PKVM_SMMU_NO_STAGE2,
	PKVM_SMMU_FORMAT,
	PKVM_SMMU_PRESET,
	PKVM_SMMU_EXTRA_QUEUES,
	PKVM_SMMU_OUTPUT_SIZE,
	PKVM_SMMU_STALL_FORCE,
	PKVM_SMMU_ERRATUM,
	PKVM_SMMU_NO_ANSWER,
	PKVM_SMMU_NR_REFUSALS,
};

/**
 * struct pkvm_smmu_mem - a range of physical addresses
 * @base:	physical address, page aligned unless stated otherwise
 * @size:	in bytes, likewise; 0 if there is none
 */
struct pkvm_smmu_mem {
	phys_addr_t	base;
	u64		size;
};

/**
 * struct pkvm_smmu_desc - one SMMUv3
 * @mmio:	all registers that firmware describes
 * @coherent:	firmware says that the SMMU's table walks are coherent
 * @msi_parent:	firmware names an interrupt controller for the SMMU's MSIs
 * @sid_bits:	the shadow stream table is to cover so many StreamIDs, log2, if
 *		the SMMU has them
 * @nr_l2:	second-level tables of it for which the pool has pages
 * @cmdq:	for EL2's command queue, aligned to its size
 * @strtab:	for the shadow stream table (linear, or the first level),
 *		aligned to its size
 * @refusal:	EL2's answer, one of enum pkvm_smmu_refusal
 * @found_gbpa:	the value of GBPA before EL2 wrote to it
 */
struct pkvm_smmu_desc {
	struct pkvm_smmu_mem	mmio;
	bool			coherent;
	bool			msi_parent;
	u8			sid_bits;
	u32			nr_l2;
	struct pkvm_smmu_mem	cmdq;
	struct pkvm_smmu_mem	strtab;
	u32			refusal;
	u32			found_gbpa;
};

/**
 * struct pkvm_smmu_rmr - a stream that firmware wants to be left running
 * @smmu:	index of the SMMU
 * @sid:	StreamID
 */
struct pkvm_smmu_rmr {
	u32			smmu;
	u32			sid;
};

/**
 * struct pkvm_pmcg_desc - a PMCG of an SMMUv3
 * @page:	page 0 of its registers; page 1, or size 0. Of any alignment
 * @refusal:	EL2's answer, one of enum pkvm_smmu_refusal
 */
struct pkvm_pmcg_desc {
	struct pkvm_smmu_mem	page[2];
	u32			refusal;
};

/**
 * struct pkvm_smmu_shared - what EL2 writes and EL1 reads
 * @pool:	pages for tables
 * @smmu:	in the order of the descriptions
 */
struct pkvm_smmu_shared {
	struct pkvm_smmu_pool_counts	pool;
	struct pkvm_smmu_counts		smmu[];
};

/**
 * struct pkvm_smmu_config - all that EL1 passes to EL2
 * @nr_smmus:	number of SMMUv3s
 * @nr_chunks:	number of chunks of memory for the pool
 * @nr_rmrs:	number of entries in @rmrs
 * @nr_pmcgs:	number of entries in @pmcgs
 * @smmus:	an array of struct pkvm_smmu_desc, one for each SMMUv3 of the
 *		machine; the host's
 * @pool:	an array of struct pkvm_smmu_mem, the chunks: pages for stage 2
 *		tables and second-level stream tables; no chunk is larger than
 *		the first one. The array is the host's, the chunks become EL2's
 * @rmrs:	streams that reach the host's memory from take-over on
 * @pmcgs:	one for each PMCG that firmware describes
 * @shared:	for struct pkvm_smmu_shared; the host keeps it
 * @state:	for an array of struct pkvm_smmu; becomes EL2's
 * @mmio:	for an array of struct kvm_iommu_mmio; becomes EL2's
 */
struct pkvm_smmu_config {
	u32			nr_smmus;
	u32			nr_chunks;
	u32			nr_rmrs;
	u32			nr_pmcgs;
	struct pkvm_smmu_mem	smmus;
	struct pkvm_smmu_mem	pool;
	struct pkvm_smmu_rmr	rmrs[PKVM_SMMU_MAX_RMRS];
	struct pkvm_pmcg_desc	pmcgs[PKVM_SMMU_MAX_PMCGS];
	struct pkvm_smmu_mem	shared;
	struct pkvm_smmu_mem	state;
	struct pkvm_smmu_mem	mmio;
};

#ifdef CONFIG_ARM_SMMU_V3_PKVM
#include <asm/hyp_image.h>

struct kvm_iommu_ops;

extern struct pkvm_smmu_config kvm_nvhe_sym(pkvm_smmu_config);
extern const struct kvm_iommu_ops kvm_nvhe_sym(pkvm_smmu_ops);
#endif

#endif /* __PKVM_SMMU_CONFIG_H */
