/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs in the protected guest: it fills its data with its secret, tells the
 * host, and whenever the host lets it run again, counts the words of the data
 * that are not what it wrote, and tells the host.
 *
 * Entered at EL1 with the MMU off, position independent, and with
 *
 *	x0	the data
 *	x1	the doorbell: an address without memory, so that a store to it
 *		leaves the guest with KVM_EXIT_MMIO and its 64 bits of data
 *	x2	the secret, GUEST_SECRET_SIZE bytes, of which copies fill the data
 *	x3	the size of the data
 */
#include "guest.h"

	.text
	.balign	4
	.globl	guest_code, guest_code_end
guest_code:
	mov	x7, x3
	mov	x3, #0
0:	and	x4, x3, #GUEST_SECRET_SIZE - 1
	ldr	x4, [x2, x4]
	str	x4, [x0, x3]
	add	x3, x3, #8
	cmp	x3, x7
	b.lo	0b
	str	xzr, [x1]

check:	mov	x3, #0
	mov	x5, #0
1:	and	x6, x3, #GUEST_SECRET_SIZE - 1
	ldr	x6, [x2, x6]
	ldr	x4, [x0, x3]
	cmp	x4, x6
	cinc	x5, x5, ne
	add	x3, x3, #8
	cmp	x3, x7
	b.lo	1b
	str	x5, [x1]
	b	check
guest_code_end:

	.section .note.GNU-stack, "", %progbits
