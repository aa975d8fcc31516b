/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What EL1 tells EL2 about the SMMUv3s of a protected KVM host.
 *
 * It lives in EL2's memory. EL1 fills it in before it gives up its privileges, and
 * can't write to it from then on. Every address is physical, every size is in
 * bytes.
 */
#ifndef __PKVM_SMMU_CONFIG_H
#define __PKVM_SMMU_CONFIG_H

#include <linux/bitfield.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "../arm-smmu-v3.h"

#define PKVM_SMMU_MAX_DEVICES		16
/*
 * Of up to 4 MiB with 4K pages: tables for 512 GiB of RAM, at 2 MiB a GiB, and a fourth
 * of that for the rest, and for what can't be had in one piece
 */
#define PKVM_SMMU_MAX_POOL_CHUNKS	320

/* Page 0 and page 1 of the registers, of 64 KiB each */
#define PKVM_SMMU_MIN_MMIO_SIZE		0x20000

/*
 * EL2's own command queue: log2 of the number of 16-byte commands. What a full
 * queue of the host's holds fits in, so that a trap seldom waits for space.
 */
#define PKVM_SMMU_CMDQ_SHIFT		10

/* How many stream IDs a shadow table may cover, as a power of two */
#define PKVM_SMMU_MAX_SID_BITS_2LVL	20
#define PKVM_SMMU_MAX_SID_BITS_LINEAR	16

/* Pages set aside for the second level of one shadow stream table */
#define PKVM_SMMU_L2_TABLES		64

/**
 * enum pkvm_smmu_refusal - why EL2 would not take an SMMU
 * @PKVM_SMMU_OK:		it has been enabled, with EL2's tables
 * @PKVM_SMMU_NOT_TRIED:	EL2 did not get as far as this one, or has not written to it
 * @PKVM_SMMU_NO_MEMORY:	the memory that EL1 set aside does not suffice
 * @PKVM_SMMU_BAD_MMIO:		its registers are not where MMIO can be
 * @PKVM_SMMU_NO_STAGE1:	no stage 1 for the host
 * @PKVM_SMMU_NO_STAGE2:	no stage 2 for EL2
 * @PKVM_SMMU_FORMAT:		no AArch64 little-endian tables of the CPU's granule
 * @PKVM_SMMU_PRESET:		tables or queues at fixed addresses
 * @PKVM_SMMU_EXTRA_QUEUES:	command queues outside of the registers that EL2 takes
 * @PKVM_SMMU_OUTPUT_SIZE:	it can't address all of the machine's memory
 * @PKVM_SMMU_STALL_FORCE:	it stalls every fault, be it of stage 2
 * @PKVM_SMMU_ERRATUM:		an erratum breaks nested translation or invalidation
 * @PKVM_SMMU_NO_ANSWER:	it did not acknowledge a change in time
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
 * enum pkvm_smmu_count - what EL2 counts for each SMMU
 * @PKVM_SMMU_DENIED_MMIO:	accesses to registers, read as zero or ignored, and targets
 *				of MSIs that were refused. Traced with the offset and the
 *				value
 * @PKVM_SMMU_DENIED_CMD:	commands, which stopped the host's command queue with
 *				CERROR_ILL. Traced with dwords 0 and 1
 * @PKVM_SMMU_DENIED_STE:	stream table entries, taken as ones with V=0. Traced with
 *				the stream ID and dword 0
 * @PKVM_SMMU_DENIED_DMA:	accesses by devices that EL2's stage 2 stopped, of which the
 *				host has consumed the events. Traced with dword 0 of the
 *				event and the address
 * @PKVM_SMMU_FAILED_TIMEOUT:	waits for the hardware that timed out. Traced with the
 *				indices of the hardware's command queue
 * @PKVM_SMMU_FAILED_BROKEN:	1 once EL2 does not use the SMMU any more, and no page
 *				leaves the host. Traced with a register and its value
 * @PKVM_SMMU_FAILED_TABLE:	pages of streams for which EL2 had no second-level table.
 *				Traced with a stream ID
 * @PKVM_SMMU_FAILED_MAP:	ranges that came to the host and that devices can't reach, as
 *				EL2 had no page for a table. Traced with the range
 * @PKVM_SMMU_FAILED_IRQ:	interrupts that EL2 could not raise, or MSIs that it may not
 *				write. Traced with the register, and the errors or the
 *				address
 * @PKVM_SMMU_TRAPS:		accesses of the host to the registers
 * @PKVM_SMMU_CMDS:		commands that were consumed from the host's queue
 * @PKVM_SMMU_HW_CMDS:		commands that the hardware was given, EL2's own included
 * @PKVM_SMMU_NR_COUNTS:	number of kinds
 */
enum pkvm_smmu_count {
	PKVM_SMMU_DENIED_MMIO,
	PKVM_SMMU_DENIED_CMD,
	PKVM_SMMU_DENIED_STE,
	PKVM_SMMU_DENIED_DMA,
	PKVM_SMMU_FAILED_TIMEOUT,
	PKVM_SMMU_FAILED_BROKEN,
	PKVM_SMMU_FAILED_TABLE,
	PKVM_SMMU_FAILED_MAP,
	PKVM_SMMU_FAILED_IRQ,
	PKVM_SMMU_TRAPS,
	PKVM_SMMU_CMDS,
	PKVM_SMMU_HW_CMDS,
	PKVM_SMMU_NR_COUNTS,
};

/* Since take-over */
struct pkvm_smmu_counts {
	u64	n[PKVM_SMMU_NR_COUNTS];
};

/**
 * struct pkvm_smmu_pool_counts - pages for tables
 * @all:	pages that were set aside, for all SMMUs
 * @used:	of those, pages that are in use
 * @peak:	of those, the most that were in use at a time
 */
struct pkvm_smmu_pool_counts {
	u64	all;
	u64	used;
	u64	peak;
};

/**
 * struct pkvm_smmu_shared - what EL2 writes for EL1 to read
 * @pool:	pages for tables
 * @smmu:	by index in struct pkvm_smmu_config
 *
 * EL1 shares this memory with EL2 for good, and reads it without a trap. The host
 * can write it as well, so EL2 makes no use of what is there.
 */
struct pkvm_smmu_shared {
	struct pkvm_smmu_pool_counts	pool;
	struct pkvm_smmu_counts		smmu[PKVM_SMMU_MAX_DEVICES];
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
 * @mmio:	its registers, all that firmware says is the SMMU's
 * @coherent:	what firmware says of its table walks
 * @msi_parent:	firmware names an interrupt controller for its MSIs
 * @cmdq:	for EL2's command queue, aligned to its size
 * @strtab:	for the shadow stream table (its first level, or all of a linear
 *		one), aligned to its size
 * @refusal:	EL2's answer, one of enum pkvm_smmu_refusal
 * @found_gbpa:	GBPA as EL2 found it, if it has touched it
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
 * struct pkvm_smmu_config - all that EL1 hands to EL2
 * @nr_smmus:	number of entries in @smmus
 * @nr_chunks:	number of entries in @pool
 * @smmus:	one for each SMMUv3 of the machine
 * @pool:	pages for stage-2 tables and second-level stream tables; the first
 *		one is the biggest
 * @shared:	for struct pkvm_smmu_shared; stays the host's
 */
struct pkvm_smmu_config {
	u32			nr_smmus;
	u32			nr_chunks;
	struct pkvm_smmu_desc	smmus[PKVM_SMMU_MAX_DEVICES];
	struct pkvm_smmu_mem	pool[PKVM_SMMU_MAX_POOL_CHUNKS];
	struct pkvm_smmu_mem	shared;
};

/*
 * A second-level shadow table is one page, whatever the size of a page: 64, 256
 * or 1024 STEs of 64 bytes, which are the three splits that the SMMU offers.
 */
#define PKVM_SMMU_STRTAB_SPLIT		(PAGE_SHIFT - 6)

/**
 * pkvm_smmu_strtab_size() - the shadow stream table of an SMMU
 * @idr0:	IDR0
 * @idr1:	IDR1
 * @sid_bits:	log2 of the streams that it covers
 * @two_level:	has it two levels?
 *
 * Return: the size in bytes of its first level, or of all of a linear one.
 */
static inline u64 pkvm_smmu_strtab_size(u32 idr0, u32 idr1, u8 *sid_bits, bool *two_level)
{
	u8 bits = FIELD_GET(IDR1_SIDSIZE, idr1);

	*two_level = FIELD_GET(IDR0_ST_LVL, idr0) == IDR0_ST_LVL_2LVL &&
		     bits > PKVM_SMMU_STRTAB_SPLIT;
	if (*two_level) {
		*sid_bits = min_t(u8, bits, PKVM_SMMU_MAX_SID_BITS_2LVL);
		return sizeof(struct arm_smmu_strtab_l1) <<
		       (*sid_bits - PKVM_SMMU_STRTAB_SPLIT);
	}

	*sid_bits = min_t(u8, bits, PKVM_SMMU_MAX_SID_BITS_LINEAR);
	return sizeof(struct arm_smmu_ste) << *sid_bits;
}

/* Without the SMMU's DS only descriptors of 64K have room for more than 48 bits */
#define PKVM_SMMU_MAX_OAS_BITS	(PAGE_SHIFT == 16 ? 52 : 48)
#define PKVM_SMMU_MAX_OAS	(PKVM_SMMU_MAX_OAS_BITS == 52 ? IDR5_OAS_52_BIT : IDR5_OAS_48_BIT)

/* IDR5.OAS and STE.S2PS, and the size of an address in EL2's stage 2 */
static inline u8 pkvm_smmu_oas_to_bits(u32 oas)
{
	static const u8 bits[] = {
		[IDR5_OAS_32_BIT] = 32, [IDR5_OAS_36_BIT] = 36, [IDR5_OAS_40_BIT] = 40,
		[IDR5_OAS_42_BIT] = 42, [IDR5_OAS_44_BIT] = 44, [IDR5_OAS_48_BIT] = 48,
		[IDR5_OAS_52_BIT] = 52,
	};

	return bits[min_t(u32, oas, PKVM_SMMU_MAX_OAS)];
}

static inline u32 pkvm_smmu_bits_to_oas(u8 bits)
{
	u32 oas = PKVM_SMMU_MAX_OAS;

	while (oas && pkvm_smmu_oas_to_bits(oas) > bits)
		oas--;

	return oas;
}

/*
 * The level of the largest blocks in EL2's stage 2: of 1 GiB with pages of 4K, 32 MiB with
 * 16K, 512 MiB with 64K, or 4 TiB if addresses have 52 bits.
 */
static inline s8 pkvm_smmu_block_level(u8 ia_bits)
{
	return PAGE_SHIFT == 12 || ia_bits > 48 ? 1 : 2;
}

#ifdef CONFIG_ARM_SMMU_V3_PKVM
#include <asm/hyp_image.h>

struct kvm_iommu_ops;

/* EL2's; EL1 fills in the configuration before it loses its privileges */
extern struct pkvm_smmu_config kvm_nvhe_sym(pkvm_smmu_config);
extern const struct kvm_iommu_ops kvm_nvhe_sym(pkvm_smmu_ops);
#endif

#endif /* __PKVM_SMMU_CONFIG_H */
