/* SPDX-License-Identifier: GPL-2.0-only */
/* That of tools/include collides with its build_bug.h; shim.h has what is used of it */
