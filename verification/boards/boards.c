// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver decides for the SMMUv3s of a board:
 *
 *	boards FILE.dtb...
 *
 * prints a line for each file, with tabs between: its name, the number of SMMUs
 * that EL2 takes, of those that firmware keeps, and of those that EL2 refuses;
 * and the node and the reason of the first refusal, or of the first SMMU that
 * firmware keeps.
 *
 * The decision is arm-smmu-v3-pkvm-of.c, as it is. What the hardware can do is
 * not in a device tree.
 */
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/of.h>
#include <linux/of_address.h>

#include "arm-smmu-v3-pkvm.h"

static void *fdt;

static int offset(const struct device_node *np)
{
	return (intptr_t)np - 1;
}

static struct device_node *node(int offset)
{
	return offset < 0 ? NULL : (struct device_node *)(intptr_t)(offset + 1);
}

static int cells(const struct device_node *np, const char *name, int otherwise)
{
	const fdt32_t *prop = fdt_getprop(fdt, offset(np), name, NULL);

	return prop ? (int)fdt32_to_cpu(*prop) : otherwise;
}

struct device_node *of_find_compatible_node(struct device_node *from,
					    const char *type, const char *name)
{
	return node(fdt_node_offset_by_compatible(fdt, from ? offset(from) : -1,
						  name));
}

bool of_device_is_available(const struct device_node *np)
{
	const char *status = fdt_getprop(fdt, offset(np), "status", NULL);

	return !status || !strcmp(status, "okay") || !strcmp(status, "ok");
}

bool of_device_is_compatible(const struct device_node *np, const char *name)
{
	return !fdt_node_check_compatible(fdt, offset(np), name);
}

bool of_property_read_bool(const struct device_node *np, const char *name)
{
	return fdt_getprop(fdt, offset(np), name, NULL);
}

struct device_node *of_get_next_parent(struct device_node *np)
{
	return node(fdt_parent_offset(fdt, offset(np)));
}

int of_phandle_iterator_init(struct of_phandle_iterator *it,
			     const struct device_node *np, const char *list,
			     const char *cells, int cell_count)
{
	int len = 0;

	it->cells = cells;
	it->cur = fdt_getprop(fdt, offset(np), list, &len);
	it->end = it->cur ? it->cur + len / sizeof(*it->cur) : NULL;

	return it->cur ? 0 : -ENOENT;
}

int of_phandle_iterator_next(struct of_phandle_iterator *it)
{
	int n = 0;

	if (it->cur >= it->end)
		return -ENOENT;

	it->node = node(fdt_node_offset_by_phandle(fdt, fdt32_to_cpu(*it->cur)));
	if (*it->cur) {
		n = it->node ? cells(it->node, it->cells, -1) : -1;
		if (n < 0 || it->cur + 1 + n > it->end)
			return -EINVAL;
	}
	it->cur += 1 + n;

	return 0;
}

/* Addresses are those of the bus: only their size matters here */
int of_address_to_resource(struct device_node *np, int index,
			   struct resource *res)
{
	int len = 0, i, n_addr, n_size;
	const fdt32_t *reg = fdt_getprop(fdt, offset(np), "reg", &len);
	struct device_node *bus = of_get_next_parent(np);
	u64 addr = 0, size = 0;

	n_addr = cells(bus, "#address-cells", 2);
	n_size = cells(bus, "#size-cells", 1);
	if (!reg || index || len < (n_addr + n_size) * (int)sizeof(*reg))
		return -EINVAL;

	for (i = 0; i < n_addr; i++)
		addr = addr << 32 | fdt32_to_cpu(*reg++);
	for (i = 0; i < n_size; i++)
		size = size << 32 | fdt32_to_cpu(*reg++);
	res->start = addr;
	res->end = addr + size - 1;

	return size ? 0 : -EINVAL;
}

static void *read_file(const char *name)
{
	FILE *file = fopen(name, "r");
	void *data = NULL;
	long size = -1;

	if (file && !fseek(file, 0, SEEK_END))
		size = ftell(file);
	if (size < (long)sizeof(struct fdt_header))
		return NULL;

	rewind(file);
	data = malloc(size);
	if (!data || fread(data, 1, size, file) != (size_t)size ||
	    fdt_check_header(data) || fdt_totalsize(data) > size)
		return NULL;
	fclose(file);

	return data;
}

static int decide(const char *name)
{
	struct device_node *np, *culprit, *why_node = NULL;
	unsigned int n[PKVM_SMMU_REFUSE + 1] = {};
	const char *reason, *why = "", *base;
	enum pkvm_smmu_verdict verdict;
	char path[256] = "";

	fdt = read_file(name);
	if (!fdt)
		return -1;

	for_each_compatible_node(np, NULL, "arm,smmu-v3") {
		verdict = pkvm_smmu_of_verdict(np, &culprit, &reason);
		if (verdict != PKVM_SMMU_TAKE &&
		    (!why_node || (verdict == PKVM_SMMU_REFUSE &&
				   !n[PKVM_SMMU_REFUSE]))) {
			why_node = culprit;
			why = reason;
		}
		n[verdict]++;
	}

	if (why_node && fdt_get_path(fdt, offset(why_node), path, sizeof(path)))
		return -1;
	base = strrchr(name, '/');
	free(fdt);
	printf("%s\t%u\t%u\t%u\t%s\t%s\n", base ? base + 1 : name,
	       n[PKVM_SMMU_TAKE], n[PKVM_SMMU_LEAVE], n[PKVM_SMMU_REFUSE],
	       path, why);

	return 0;
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (decide(argv[i])) {
			fprintf(stderr, "error: %s is no device tree\n", argv[i]);
			return 1;
		}
	}

	return 0;
}
