/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __PKVM_SMMU_RUN_H
#define __PKVM_SMMU_RUN_H

#include <linux/types.h>

int smmu_run_pages_leave(phys_addr_t start, phys_addr_t end);
void smmu_run_pages_return(phys_addr_t start, phys_addr_t end);
bool smmu_run_page_is_reachable(phys_addr_t pa);
u64 smmu_run_read(void *cookie, u32 offset, unsigned int size);
void smmu_run_write(void *cookie, u32 offset, unsigned int size, u64 val);

#endif /* __PKVM_SMMU_RUN_H */
