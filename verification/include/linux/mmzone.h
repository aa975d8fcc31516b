/* SPDX-License-Identifier: GPL-2.0-only */
/* arm-smmu-v3.h includes it, and uses nothing of it */
