/* SPDX-License-Identifier: GPL-2.0-only */
#define MODULE_DESCRIPTION(s)	extern int module_description
#define MODULE_LICENSE(s)	extern int module_license
