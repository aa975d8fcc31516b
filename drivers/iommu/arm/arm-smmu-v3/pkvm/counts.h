/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What EL2 counts, in memory that EL1 shares with EL2 for good.
 *
 * EL1 reads the counts without a trap. The host can also write to them: EL2
 * only increments them.
 */
#ifndef __PKVM_SMMU_COUNTS_H
#define __PKVM_SMMU_COUNTS_H

#include <linux/types.h>

/**
 * enum pkvm_smmu_count - what EL2 counts for each SMMU
 * @PKVM_SMMU_DENIED_MMIO:	accesses to registers that read as zero or were
 *				ignored, and MSI targets that EL2 refused.
 *				Trace: offset of the register, value
 * @PKVM_SMMU_DENIED_CMD:	commands that stopped the host's command queue
 *				with CERROR_ILL. Trace: dwords 0 and 1
 * @PKVM_SMMU_DENIED_STE:	valid stream table entries that EL2 made
 *				invalid. Trace: StreamID, dword 0
 * @PKVM_SMMU_DENIED_DMA:	accesses of devices that EL2's stage 2 aborted,
 *				and of which the host has consumed the event.
 *				Trace: dword 0 of the event, input address
 * @PKVM_SMMU_FAILED_TIMEOUT:	waits for the hardware that timed out. Trace:
 *				PROD and CONS of the hardware's command queue
 * @PKVM_SMMU_FAILED_BROKEN:	1 if EL2 no longer uses the SMMU. No page leaves
 *				the host then. Trace: a register, its value
 * @PKVM_SMMU_FAILED_TABLE:	times that EL2 had no second-level stream table
 *				for a stream. Trace: StreamID, 0
 * @PKVM_SMMU_FAILED_MAP:	ranges that the host owns and that devices
 *				cannot reach, because EL2 had no page for a
 *				table. Trace: start and end of the range
 * @PKVM_SMMU_FAILED_IRQ:	interrupts that EL2 could not raise, and MSIs of
 *				CMD_SYNC to memory that the host does not own.
 *				Trace: a register, the errors or the address
 * @PKVM_SMMU_TRAPS:		accesses of the host to the registers
 * @PKVM_SMMU_CMDS:		commands that EL2 consumed from the host's queue
 * @PKVM_SMMU_HW_CMDS:		commands that EL2 added to the hardware's queue
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
 * struct pkvm_smmu_pool_counts - pages for tables of all SMMUs
 * @all:	pages that were set aside
 * @used:	pages in use
 * @peak:	the most pages that were in use at a time
 */
struct pkvm_smmu_pool_counts {
	u64	all;
	u64	used;
	u64	peak;
};

#endif /* __PKVM_SMMU_COUNTS_H */
