/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_CMD_H
#define __PKVM_SMMU_CMD_H

#include "feat.h"

/**
 * enum smmu_cmd_action - what EL2 does with a command of the host
 * @SMMU_CMD_ILLEGAL:	stop the host's queue with CERROR_ILL
 * @SMMU_CMD_DROP:	nothing: it is a hint, or its StreamID is out of range
 * @SMMU_CMD_FORWARD:	give the rewritten command to the hardware
 * @SMMU_CMD_STES:	shadow the STEs that it names, then as SMMU_CMD_FORWARD
 * @SMMU_CMD_SYNC:	wait until all commands before it have completed
 */
enum smmu_cmd_action {
	SMMU_CMD_ILLEGAL,
	SMMU_CMD_DROP,
	SMMU_CMD_FORWARD,
	SMMU_CMD_STES,
	SMMU_CMD_SYNC,
};

/**
 * struct smmu_sid_range - StreamIDs that a command names
 * @first:	the first one
 * @last:	the last one, inclusive
 */
struct smmu_sid_range {
	u32	first;
	u32	last;
};

enum smmu_cmd_action smmu_cmd_from_host(const struct smmu_features *feat,
					const struct arm_smmu_cmd *host,
					struct arm_smmu_cmd *hw,
					struct smmu_sid_range *sids);

#endif /* __PKVM_SMMU_CMD_H */
