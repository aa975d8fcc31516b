/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#define scnprintf	snprintf
