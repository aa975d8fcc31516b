/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/build_bug.h>

/* The program sets it from its command line */
#define module_param_named(n, v, t, p)	static_assert(sizeof(#n) && sizeof(v) == sizeof(t) && (p))

#define MODULE_DESCRIPTION(s)	extern char module_info[sizeof(s) ? 1 : 0]
#define MODULE_LICENSE(s)	extern char module_info[sizeof(s) ? 1 : 0]
