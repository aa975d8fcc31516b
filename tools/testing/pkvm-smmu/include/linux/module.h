/* SPDX-License-Identifier: GPL-2.0-only */
#define MODULE_DESCRIPTION(s)	extern char module_info[sizeof(s) ? 1 : 0]
#define MODULE_LICENSE(s)	extern char module_info[sizeof(s) ? 1 : 0]
#define module_param_named(name, value, type, perm) extern type value
