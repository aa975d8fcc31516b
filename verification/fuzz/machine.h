/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests/mock.h lacks of a machine: devices that do DMA, and SMMUs that cache
 * what they have fetched for as long as the architecture lets them.
 *
 * An SMMU here keeps level-1 descriptors, STEs, CDs, stage-2 translations, and
 * translations through both stages as one entry. What a command invalidates goes
 * when the next CMD_SYNC completes, and not before. What was fetched after the
 * command stays.
 *
 * All of this looks at the mock machine only, and knows nothing of how the emulator
 * works. What must never happen is a complaint (mock.h).
 */
#ifndef __PKVM_SMMU_MACHINE_H
#define __PKVM_SMMU_MACHINE_H

#include "tests/mock.h"

/* What became of an access of a device's */
enum machine_dma {
	MACHINE_ABORTED,	/* the stream aborts, or has no translation */
	MACHINE_NOWHERE,	/* it went to where there is nothing */
	MACHINE_DONE,		/* it reached the host's memory */
};

/* After mock_init(), before mock_boot() */
void machine_init(void);

/* The stream's device reads or writes 8 bytes */
enum machine_dma machine_dma(struct mock_smmu *s, u32 sid, u64 addr, bool write, u64 *val);

/* Has anything been cached that leads to memory that isn't the host's? */
void machine_check_caches(void);
/* Is anything mapped that isn't the host's? */
void machine_check_stage2(void);

#endif /* __PKVM_SMMU_MACHINE_H */
