// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the IORT says of the SMMUv3s of a protected KVM host (Arm DEN 0049).
 *
 * - pkvm_smmu_iort_fault() checks the whole table. Protected KVM does not start
 *   with a malformed table: the kernel may have missed an SMMU in it.
 * - All other functions take a table without a fault. They read nothing outside
 *   of it.
 * - The functions have no state. The table does not change.
 */
#include <linux/acpi.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/sprintf.h>

#include "arm-smmu-v3-pkvm.h"

/* The smallest node of a type, with the fields that the kernel reads */
static size_t __init iort_min_size(u8 type, u8 revision)
{
	size_t size = sizeof(struct acpi_iort_node);

	switch (type) {
	case ACPI_IORT_NODE_SMMU_V3:
		return size + offsetofend(struct acpi_iort_smmu_v3, sync_gsiv);
	case ACPI_IORT_NODE_PMCG:
		return size + (revision ?
			       sizeof(struct acpi_iort_pmcg) :
			       offsetofend(struct acpi_iort_pmcg, node_reference));
	case ACPI_IORT_NODE_RMR:
		return size + sizeof(struct acpi_iort_rmr);
	default:
		return size;
	}
}

/* Are @n structures of @size bytes from @offset on within @length bytes? */
static bool __init iort_fits(u32 length, u32 offset, u32 n, size_t size)
{
	return offset <= length && n <= (length - offset) / size;
}

/*
 * Mappings lead from devices to SMMUs, and from both to interrupt controllers.
 * The kernel follows them: with a mapping in another direction it may not end.
 */
static int __init iort_rank(u8 type)
{
	switch (type) {
	case ACPI_IORT_NODE_ITS_GROUP:
		return 0;
	case ACPI_IORT_NODE_SMMU:
	case ACPI_IORT_NODE_SMMU_V3:
		return 1;
	default:
		return 2;
	}
}

/* Does a mapping lead to a node of a lower rank? */
static bool __init iort_target_is_sound(const struct acpi_table_iort *iort,
					const struct acpi_iort_node *from,
					u32 offset)
{
	const struct acpi_iort_node *node;
	u32 i;

	for_each_iort_node(iort, node, i) {
		if ((const void *)node - (const void *)iort == offset)
			return iort_rank(node->type) < iort_rank(from->type);
	}

	return false;
}

static const char * __init iort_mappings_fault(const struct acpi_table_iort *iort,
					       const struct acpi_iort_node *node)
{
	const struct acpi_iort_id_mapping *map;
	u32 i;

	if (!node->mapping_count)
		return NULL;
	if (node->mapping_offset < sizeof(*node) ||
	    !iort_fits(node->length, node->mapping_offset, node->mapping_count,
		       sizeof(*map)))
		return "its mappings are outside of the node";

	map = (const void *)node + node->mapping_offset;
	for (i = 0; i < node->mapping_count; i++, map++) {
		/* The kernel skips a mapping without a target */
		if (map->output_reference &&
		    !iort_target_is_sound(iort, node, map->output_reference))
			return "a mapping leads to a wrong node";
		if (map->input_base > U32_MAX - map->id_count ||
		    map->output_base > U32_MAX - map->id_count)
			return "a mapping has identifiers of more than 32 bits";
	}

	return NULL;
}

static bool __init iort_rmr_is_sound(const struct acpi_iort_node *node)
{
	const struct acpi_iort_rmr *rmr = (const void *)node->node_data;

	return iort_fits(node->length, rmr->rmr_offset, rmr->rmr_count,
			 sizeof(struct acpi_iort_rmr_desc));
}

/* Check that all nodes are in the table. Sets *@at to the first that is not */
static bool __init iort_nodes_are_sound(const struct acpi_table_iort *iort,
					u32 *at)
{
	u32 length = iort->header.length, offset = iort->node_offset, i;
	const struct acpi_iort_node *node;

	if (offset < sizeof(*iort))
		return false;

	for (i = 0; i < iort->node_count; i++) {
		*at = offset;
		if (!iort_fits(length, offset, 1, sizeof(*node)))
			return false;
		node = (const void *)iort + offset;
		if (node->length < iort_min_size(node->type, node->revision) ||
		    !iort_fits(length, offset, 1, node->length))
			return false;
		offset += node->length;
	}

	return true;
}

/* Is there room for another node, which the kernel does not read? */
static bool __init iort_has_more(const struct acpi_table_iort *iort)
{
	const struct acpi_iort_node *node;
	u32 i;

	for_each_iort_node(iort, node, i)
		;

	return (const void *)iort + iort->header.length - (const void *)node >=
	       sizeof(*node);
}

/**
 * pkvm_smmu_iort_fault() - check the IORT
 * @iort:	the table, of header.length bytes
 * @at:		set to the offset of the node that is the reason
 *
 * Return: NULL if the table can be used; else the reason.
 */
const char * __init pkvm_smmu_iort_fault(const struct acpi_table_iort *iort,
					 u32 *at)
{
	const struct acpi_iort_node *node;
	const char *fault;
	u32 i;

	*at = 0;
	if (iort->header.length < sizeof(*iort) ||
	    !iort_nodes_are_sound(iort, at))
		return "a node is outside of the table, or too short";
	if (iort_has_more(iort))
		return "the table is longer than its nodes";

	for_each_iort_node(iort, node, i) {
		*at = (const void *)node - (const void *)iort;
		/* The kernel reads no node of another type */
		if (node->type > ACPI_IORT_NODE_IWB)
			continue;
		fault = iort_mappings_fault(iort, node);
		if (fault)
			return fault;
		if (node->type == ACPI_IORT_NODE_RMR &&
		    !iort_rmr_is_sound(node))
			return "its memory ranges are outside of the node";
	}

	return NULL;
}

/*
 * The queues of NVIDIA's CMDQV have registers elsewhere. Its device has the
 * identifier of the SMMU's node.
 */
static bool __init iort_smmu_has_cmdqv(const struct acpi_iort_node *node)
{
	char uid[sizeof("4294967295")];

	scnprintf(uid, sizeof(uid), "%u", node->identifier);

	return acpi_dev_present("NVDA200C", uid, -1);
}

/**
 * pkvm_smmu_iort_obstacle() - can EL2 not isolate an SMMUv3 of the IORT?
 * @node:	its node
 *
 * Return: NULL if nothing in the node is against it; else the reason.
 */
const char * __init pkvm_smmu_iort_obstacle(const struct acpi_iort_node *node)
{
	/* Page 1 of the registers is not where it should be */
	if (pkvm_smmu_iort_smmu(node)->model == ACPI_IORT_SMMU_V3_CAVIUM_CN99XX)
		return "its registers are not MMIO, or too few";
	if (iort_smmu_has_cmdqv(node))
		return "it has command queues that EL2 does not control";

	return NULL;
}

/**
 * pkvm_smmu_iort_rmr_sids() - streams that firmware wants to be left running
 * @iort:	the table
 * @smmu:	the node of an SMMUv3
 * @sids:	set to their StreamIDs; NULL to count them
 * @max:	length of @sids
 *
 * The IORT has such streams since revision 5 (E.d).
 *
 * Return: their number, which can be more than @max.
 */
u64 __init pkvm_smmu_iort_rmr_sids(const struct acpi_table_iort *iort,
				   const struct acpi_iort_node *smmu,
				   u32 *sids, u32 max)
{
	u32 at = (const void *)smmu - (const void *)iort, i, j, k;
	const struct acpi_iort_id_mapping *map;
	const struct acpi_iort_node *node;
	u64 n = 0;

	if (iort->header.revision < 5)
		return 0;

	for_each_iort_node(iort, node, i) {
		if (node->type != ACPI_IORT_NODE_RMR)
			continue;
		map = (const void *)node + node->mapping_offset;
		for (j = 0; j < node->mapping_count; j++, map++) {
			if (map->output_reference != at)
				continue;
			for (k = 0; sids && n + k < max && k <= map->id_count; k++)
				sids[n + k] = map->output_base + k;
			n += (u64)map->id_count + 1;
		}
	}

	return n;
}
