/* SPDX-License-Identifier: GPL-2.0-only */
/* What pvm.c and its guest, pvm-guest.S, agree on. */
#ifndef PVM_GUEST_H
#define PVM_GUEST_H

#define GUEST_PAGE_SIZE	4096

#ifndef __ASSEMBLER__
extern const char guest_start[], guest_end[];
#endif

#endif /* PVM_GUEST_H */
