/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_FEAT_H
#define __PKVM_SMMU_FEAT_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

#include "../arm-smmu-v3.h"

/*
 * The VMID of EL2's stage 2. The CPU uses VMID 0 for another stage 2: the SMMU
 * must not take part in broadcast TLB maintenance (CR2.PTM).
 */
#define SMMU_VMID		0

/**
 * struct smmu_features - an SMMU, for the functions that have no state
 * @s2_ste:	dwords 2 and 3 of every STE
 * @ssid_bits:	IDR1.SSIDSIZE
 * @sid_bits:	log2 of the number of StreamIDs that the shadow table covers
 * @ril:	range invalidation (IDR3.RIL)
 * @asid16:	ASIDs have 16 bits (IDR0.ASID16)
 * @stalls:	the host can use the stall model (IDR0.STALL_MODEL)
 *
 * Constant after take-over.
 */
struct smmu_features {
	u64	s2_ste[2];
	u8	ssid_bits;
	u8	sid_bits;
	bool	ril;
	bool	asid16;
	bool	stalls;
};

#endif /* __PKVM_SMMU_FEAT_H */
