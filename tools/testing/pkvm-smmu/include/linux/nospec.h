/* SPDX-License-Identifier: GPL-2.0-only */
/* There is no speculation to look at here, but an index that is out of bounds */
#ifndef __SHIM_NOSPEC_H
#define __SHIM_NOSPEC_H

#define array_index_nospec(index, size)	((index) < (size) ? (index) : 0)

#endif
