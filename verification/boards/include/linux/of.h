/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel's device trees as arm-smmu-v3-pkvm-of.c uses, over
 * libfdt. A node is its offset in the tree, plus one: the root is not NULL.
 */
#ifndef __BOARDS_OF_H
#define __BOARDS_OF_H

#include <linux/types.h>

struct device_node;

struct of_phandle_iterator {
	struct device_node	*node;
	const char		*cells;
	const u32		*cur;
	const u32		*end;
};

bool of_device_is_available(const struct device_node *np);
bool of_device_is_compatible(const struct device_node *np, const char *name);
bool of_property_read_bool(const struct device_node *np, const char *name);
#define of_property_present	of_property_read_bool
struct device_node *of_find_compatible_node(struct device_node *from,
					    const char *type, const char *name);
struct device_node *of_get_next_parent(struct device_node *np);
int of_phandle_iterator_init(struct of_phandle_iterator *it,
			     const struct device_node *np, const char *list,
			     const char *cells, int cell_count);
int of_phandle_iterator_next(struct of_phandle_iterator *it);

static inline struct device_node *of_node_get(struct device_node *np)
{
	return np;
}

static inline void of_node_put(struct device_node *np)
{
}

#define of_for_each_phandle(it, err, np, list, cells, count)		\
	for (of_phandle_iterator_init((it), (np), (list), (cells), (count)), \
	     (err) = of_phandle_iterator_next(it);			\
	     (err) == 0; (err) = of_phandle_iterator_next(it))

#define for_each_compatible_node(np, type, name)				\
	for (np = of_find_compatible_node(NULL, type, name); np;	\
	     np = of_find_compatible_node(np, type, name))

#endif /* __BOARDS_OF_H */
