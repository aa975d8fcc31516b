/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An SMMUv3 that EL2 owns, and the one that the host sees in its place.
 *
 * Each file has a struct of its own. Only that file writes its fields. Calls go
 * down this list, never up:
 *
 *	run.c		what the hypervisor calls: a trap, a page
 *	check.c		assertions (CONFIG_NVHE_EL2_DEBUG)
 *	init.c		takes the SMMUs over
 *	pmcg.c		the performance monitors
 *	mmio.c		the registers that the host sees
 *	cmdq.c		the host's command queue
 *	evtq.c		the host's event queue
 *	strtab.c	the shadow stream table
 *	gerror.c	the errors that the host sees
 *	irq.c		interrupts, and the targets of their MSIs
 *	queue.c		pins the host's queues
 *	tlbi.c		invalidates when a page leaves
 *	hwq.c		the hardware's command queue, CR0 and GERRORN
 *	s2.c		the stage 2
 *	cmd.c, ste.c	one command, one STE; no state
 *	hyp.h		EL2 and the hardware
 *
 * Locks, in the order in which they are taken:
 *
 *	emu_lock	one for each SMMU; what the host sees, the shadow table
 *	ownership locks	host_mmu.lock and EL2's pkvm_pgd_lock; the stage 2
 *	hw_lock		one for each SMMU, in hwq.c
 *	pool locks	in hyp.c
 *
 * A trap of the host takes emu_lock. Under it EL2 takes the ownership locks to
 * pin or to read the host's memory, or a hw_lock. The path of a page that
 * changes owner holds the ownership locks. It takes one hw_lock at a time and
 * never an emu_lock. EL2 holds no hw_lock while it waits for the hardware.
 */
#ifndef __PKVM_SMMU_H
#define __PKVM_SMMU_H

#include <linux/sizes.h>
#include <linux/types.h>

#include "../arm-smmu-v3.h"
#include "cmdq.h"
#include "counts.h"
#include "evtq.h"
#include "feat.h"
#include "gerror.h"
#include "hwq.h"
#include "hyp.h"
#include "irq.h"
#include "mmio.h"
#include "strtab.h"
#include "tlbi.h"

/* Page 1 of the registers */
#define SMMU_PAGE1		SZ_64K

/**
 * struct pkvm_smmu - one SMMUv3
 * @base:	EL2's mapping of its registers
 * @base_pa:	their physical address
 * @mmio_size:	their size
 * @idr:	IDR0 to IDR5 as the host sees them
 * @iidr:	IIDR
 * @aidr:	AIDR
 * @oas_bits:	output address size of the hardware
 * @coherent:	the SMMU snoops the CPUs' caches
 * @msis:	the host can let the hardware write MSIs
 * @splits_blocks: one store can split a block of the stage 2, or join it
 * @feat:	for the functions that have no state
 * @counts:	shared with EL1; EL2 does not use the values
 * @emu_lock:	see above
 * @host:	registers as the host wrote them
 * @cmdq:	the host's command queue
 * @evtq:	the host's event queue
 * @strtab:	the shadow stream table
 * @gerror:	the errors that the host sees
 * @irq:	interrupts
 * @tlbi:	what the hardware may have cached
 * @hwq:	the hardware's command queue
 * @checked:	hwq.added when check.c last looked; emu_lock
 *
 * All fields before @emu_lock are constant after take-over.
 */
struct pkvm_smmu {
	void __iomem		*base;
	phys_addr_t		base_pa;
	u64			mmio_size;
	u32			idr[6];
	u32			iidr;
	u32			aidr;
	u8			oas_bits;
	bool			coherent;
	bool			msis;
	bool			splits_blocks;
	struct smmu_features	feat;
	struct pkvm_smmu_counts	*counts;

	struct hyp_lock		emu_lock;
	struct smmu_host_regs	host;
	struct smmu_cmdq	cmdq;
	struct smmu_evtq	evtq;
	struct smmu_strtab	strtab;
	struct smmu_gerror	gerror;
	struct smmu_irq		irq;
	struct smmu_tlbi	tlbi;
	struct smmu_hwq		hwq;
	u32			checked;
};

#endif /* __PKVM_SMMU_H */
