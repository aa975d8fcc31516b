/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How EL1 describes the SMMUv3s to EL2, and how EL2 answers.
 *
 * The description is in EL2's memory. EL1 fills it in before the host loses its
 * privileges; after that the host cannot write to it. Addresses are physical,
 * sizes are in bytes.
 */
#ifndef __PKVM_SMMU_CONFIG_H
#define __PKVM_SMMU_CONFIG_H

#include <linux/types.h>

#include "counts.h"
#include "sizes.h"

#define PKVM_SMMU_MAX_DEVICES		16

/*
 * With pages of 4K a chunk has up to 4 MiB. 512 GiB of RAM need 2 MiB of tables
 * for each GiB; a fourth is added for what cannot be had in large chunks.
 */
#define PKVM_SMMU_MAX_POOL_CHUNKS	320

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
 * @base:	physical address, page aligned
 * @size:	in bytes, page aligned; 0 if there is none
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
	struct pkvm_smmu_mem	cmdq;
	struct pkvm_smmu_mem	strtab;
	u32			refusal;
	u32			found_gbpa;
};

/**
 * struct pkvm_smmu_shared - what EL2 writes and EL1 reads
 * @pool:	pages for tables
 * @smmu:	by index in struct pkvm_smmu_config
 */
struct pkvm_smmu_shared {
	struct pkvm_smmu_pool_counts	pool;
	struct pkvm_smmu_counts		smmu[PKVM_SMMU_MAX_DEVICES];
};

/**
 * struct pkvm_smmu_config - all that EL1 passes to EL2
 * @nr_smmus:	number of entries in @smmus
 * @nr_chunks:	number of entries in @pool
 * @smmus:	one for each SMMUv3 of the machine
 * @pool:	pages for stage 2 tables and second-level stream tables; no
 *		chunk is larger than the first one
 * @shared:	for struct pkvm_smmu_shared; the host keeps it
 */
struct pkvm_smmu_config {
	u32			nr_smmus;
	u32			nr_chunks;
	struct pkvm_smmu_desc	smmus[PKVM_SMMU_MAX_DEVICES];
	struct pkvm_smmu_mem	pool[PKVM_SMMU_MAX_POOL_CHUNKS];
	struct pkvm_smmu_mem	shared;
};

#ifdef CONFIG_ARM_SMMU_V3_PKVM
#include <asm/hyp_image.h>

struct kvm_iommu_ops;

extern struct pkvm_smmu_config kvm_nvhe_sym(pkvm_smmu_config);
extern const struct kvm_iommu_ops kvm_nvhe_sym(pkvm_smmu_ops);
#endif

#endif /* __PKVM_SMMU_CONFIG_H */
