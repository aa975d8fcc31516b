/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_SLAB_H
#define __PKVM_SMMU_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL		0

#define kmalloc(size, gfp)	malloc(size)
#define kzalloc(size, gfp)	calloc(1, size)

static inline void pkvm_smmu_kfree(const void *ptr)
{
	free((void *)ptr);
}

#define kfree			pkvm_smmu_kfree

#endif /* __PKVM_SMMU_SLAB_H */
