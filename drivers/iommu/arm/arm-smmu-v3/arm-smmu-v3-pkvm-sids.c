// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which StreamIDs of an SMMU can be in use, and so how much memory EL2 needs for
 * the shadow stream table.
 *
 * - The host's driver uses the StreamIDs that firmware describes, and no other:
 *   "iommus" of a device, "iommu-map" of a bus, and the mappings of the IORT.
 *   Devices that appear later on a bus have StreamIDs of that map.
 * - If a description cannot be parsed, all StreamIDs of a PCI segment count.
 * - A device tree overlay can add others. They share the spare second-level
 *   tables, and the first level covers at least 16 bits.
 */
#include <linux/acpi.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/of.h>

#include "arm-smmu-v3-pkvm.h"
#include "arm-smmu-v3-pkvm-sids.h"
#include "pkvm/sizes.h"

/* Bus, device and function */
#define PCI_SEGMENT_BITS	16

/**
 * pkvm_smmu_sids_init() - begin with none
 * @sids:	to be initialised
 * @bits:	log2 of the number of StreamIDs that EL2 can cover
 *
 * Return: 0 or -ENOMEM.
 */
int __init pkvm_smmu_sids_init(struct pkvm_smmu_sids *sids, u8 bits)
{
	sids->bits = bits;
	sids->end = 0;
	sids->groups = bitmap_zalloc(BIT(max(bits, PKVM_SMMU_STRTAB_SPLIT) -
					 PKVM_SMMU_STRTAB_SPLIT), GFP_KERNEL);

	return sids->groups ? 0 : -ENOMEM;
}

void __init pkvm_smmu_sids_free(struct pkvm_smmu_sids *sids)
{
	bitmap_free(sids->groups);
}

/**
 * pkvm_smmu_sids_add() - firmware describes StreamIDs
 * @sids:	where to add them
 * @first:	the first one
 * @n:		their number
 */
void __init pkvm_smmu_sids_add(struct pkvm_smmu_sids *sids, u64 first, u64 n)
{
	u64 end = first + n, last;

	if (!n)
		return;

	sids->end = max(sids->end, end);
	if (first >> sids->bits)
		return;

	last = min(end, BIT_ULL(sids->bits)) - 1;
	first >>= PKVM_SMMU_STRTAB_SPLIT;
	last >>= PKVM_SMMU_STRTAB_SPLIT;
	bitmap_set(sids->groups, first, last - first + 1);
}

/* The StreamIDs of one device. Returns false if they cannot be parsed */
static bool __init add_iommus(struct pkvm_smmu_sids *sids,
			      const struct device_node *smmu,
			      const struct device_node *np)
{
	struct of_phandle_args args;
	int i, ret;

	for (i = 0;; i++) {
		ret = of_parse_phandle_with_args(np, "iommus", "#iommu-cells",
						 i, &args);
		if (ret)
			return ret == -ENOENT;
		of_node_put(args.np);
		if (args.np != smmu)
			continue;
		if (args.args_count != 1)
			return false;
		pkvm_smmu_sids_add(sids, args.args[0], 1);
	}
}

/*
 * The StreamIDs of a bus: entries of the first ID, the IOMMU, its first
 * StreamID, and the number of IDs. Another IOMMU may have more or fewer cells.
 */
static bool __init add_map(struct pkvm_smmu_sids *sids,
			   const struct device_node *smmu,
			   const struct device_node *np)
{
	int len = of_property_count_u32_elems(np, "iommu-map"), i;
	u32 entry[4], cells;

	for (i = 0; i < len; i += 3 + cells) {
		struct device_node *iommu;

		if (of_property_read_u32_index(np, "iommu-map", i + 1, &entry[1]))
			return false;
		iommu = of_find_node_by_phandle(entry[1]);
		if (of_property_read_u32(iommu, "#iommu-cells", &cells))
			cells = 1;
		of_node_put(iommu);
		if (!iommu || cells > MAX_PHANDLE_ARGS)
			return false;
		if (iommu != smmu)
			continue;
		if (cells != 1 ||
		    of_property_read_u32_index(np, "iommu-map", i + 2, &entry[2]) ||
		    of_property_read_u32_index(np, "iommu-map", i + 3, &entry[3]))
			return false;
		pkvm_smmu_sids_add(sids, entry[2], entry[3]);
	}

	return len >= 0;
}

/**
 * pkvm_smmu_sids_add_of() - add what the device tree describes
 * @sids:	where to add the StreamIDs
 * @smmu:	the SMMU's node
 */
void __init pkvm_smmu_sids_add_of(struct pkvm_smmu_sids *sids,
				  const struct device_node *smmu)
{
	struct device_node *np;
	bool known = true;

	for_each_node_with_property(np, "iommus")
		known &= add_iommus(sids, smmu, np);
	for_each_node_with_property(np, "iommu-map")
		known &= add_map(sids, smmu, np);

	if (!known)
		pkvm_smmu_sids_add(sids, 0, BIT(PCI_SEGMENT_BITS));
}

/**
 * pkvm_smmu_sids_add_iort() - add what the IORT describes
 * @sids:	where to add the StreamIDs
 * @iort:	the table, without a fault
 * @smmu:	the SMMU's node in it
 */
void __init pkvm_smmu_sids_add_iort(struct pkvm_smmu_sids *sids,
				    const struct acpi_table_iort *iort,
				    const struct acpi_iort_node *smmu)
{
	u32 at = (const void *)smmu - (const void *)iort, i, j;
	const struct acpi_iort_id_mapping *map;
	const struct acpi_iort_node *node;

	for_each_iort_node(iort, node, i) {
		/* The kernel reads no node of another type */
		if (node->type > ACPI_IORT_NODE_IWB)
			continue;
		map = (const void *)node + node->mapping_offset;
		for (j = 0; j < node->mapping_count; j++, map++) {
			if (map->output_reference == at)
				pkvm_smmu_sids_add(sids, map->output_base,
						   (u64)map->id_count + 1);
		}
	}
}

/**
 * pkvm_smmu_sids_bits() - size of the shadow stream table
 * @sids:	the StreamIDs
 *
 * Return: log2 of the number of StreamIDs that it has to cover.
 */
u8 __init pkvm_smmu_sids_bits(const struct pkvm_smmu_sids *sids)
{
	u8 bits = sids->end ? fls64(sids->end - 1) : 0;

	return min(max(bits, PCI_SEGMENT_BITS), sids->bits);
}

/**
 * pkvm_smmu_sids_nr_l2() - second-level tables of the shadow stream table
 * @sids:	the StreamIDs
 *
 * Return: how many to set aside, if it has two levels.
 */
u32 __init pkvm_smmu_sids_nr_l2(const struct pkvm_smmu_sids *sids)
{
	u8 bits = max(pkvm_smmu_sids_bits(sids), PKVM_SMMU_STRTAB_SPLIT);
	u32 all = BIT(bits - PKVM_SMMU_STRTAB_SPLIT);

	return min(bitmap_weight(sids->groups, all) + PKVM_SMMU_SPARE_L2_TABLES,
		   all);
}
