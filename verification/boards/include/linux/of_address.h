/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/ioport.h>
#include <linux/of.h>

int of_address_to_resource(struct device_node *np, int index,
			   struct resource *res);
