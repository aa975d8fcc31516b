/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __BOARDS_IOPORT_H
#define __BOARDS_IOPORT_H

#include <linux/types.h>

struct resource {
	u64	start;
	u64	end;
};

static inline u64 resource_size(const struct resource *res)
{
	return res->end - res->start + 1;
}

static inline bool resource_contains(const struct resource *r1,
				     const struct resource *r2)
{
	return r1->start <= r2->start && r1->end >= r2->end;
}

#endif /* __BOARDS_IOPORT_H */
