/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_INIT_H
#define __PKVM_SMMU_INIT_H

#include "config.h"
#include "s2.h"
#include "smmu.h"

/* Constant once the host has lost its privileges. init.c writes them */
extern struct pkvm_smmu *pkvm_smmus;
extern u32 pkvm_nr_smmus;
/* The ownership locks protect its tables */
extern struct smmu_s2 pkvm_smmu_s2;

int pkvm_smmu_init(struct pkvm_smmu_config *cfg);

#endif /* __PKVM_SMMU_INIT_H */
