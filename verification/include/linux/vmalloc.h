/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_VMALLOC_H
#define __PKVM_SMMU_VMALLOC_H

#include <stdlib.h>

#define vzalloc(size)	calloc(1, size)
#define vfree(p)	free(p)

#endif /* __PKVM_SMMU_VMALLOC_H */
