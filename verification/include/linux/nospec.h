/* SPDX-License-Identifier: GPL-2.0-only */
/* The mask of include/linux/nospec.h; see proofs/ for where it has to be */
#ifndef __SHIM_NOSPEC_H
#define __SHIM_NOSPEC_H

static inline unsigned long array_index_nospec(unsigned long index, unsigned long size)
{
	return index < size ? index : 0;
}

#endif
