/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proofs by CBMC: each file here has functions prove_*(), whose inputs are anything at
 * all, and CBMC looks for one for which an assertion fails. They look at the
 * emulator's own files, and take nothing from them that they are about: masks and
 * numbers here are from the architecture (Arm IHI 0070).
 */
#ifndef __PKVM_SMMU_PROOF_H
#define __PKVM_SMMU_PROOF_H

#include "smmu.h"

/* CBMC's: any value */
u64 nondet_u64(void);
u32 nondet_u32(void);
u8 nondet_u8(void);
bool nondet_bool(void);

#define PROVE(cond, what)	__CPROVER_assert(cond, what)
#define SUPPOSE(cond)		__CPROVER_assume(cond)

#endif /* __PKVM_SMMU_PROOF_H */
