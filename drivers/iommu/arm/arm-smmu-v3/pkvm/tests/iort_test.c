// SPDX-License-Identifier: GPL-2.0-only
/*
 * arm-smmu-v3-pkvm-iort.c: a table from firmware is read within its bounds, or
 * refused.
 */
#include <linux/acpi.h>
#include <linux/align.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "test.h"

/* The tests run when the memory of __init functions has been freed */
#undef __init
#define __init

/* The device of a CMDQV, by its _UID; NULL if there is none */
static const char *cmdqv_uid;

static bool test_has_cmdqv(const char *hid, const char *uid)
{
	return cmdqv_uid && !strcmp(hid, "NVDA200C") && !strcmp(uid, cmdqv_uid);
}

#define acpi_dev_present(hid, uid, hrv)	test_has_cmdqv(hid, uid)
#include "../../arm-smmu-v3-pkvm-iort.c"

#define TABLE_SIZE	1024

/* An ITS group, two SMMUs, a root complex, a PMCG and an RMR node */
struct iort {
	struct acpi_table_iort	*table;
	u32			its;
	u32			smmu[2];
	u32			rc;
	u32			pmcg;
	u32			rmr;
};

static struct iort iort;

static struct acpi_iort_node *node_at(u32 offset)
{
	return (void *)iort.table + offset;
}

static struct acpi_iort_id_mapping *map_of(u32 offset)
{
	return (void *)node_at(offset) + node_at(offset)->mapping_offset;
}

static struct acpi_iort_rmr *rmr_data(void)
{
	return (void *)node_at(iort.rmr)->node_data;
}

/* Append a node with so much data of its type, and a mapping */
static u32 add_node(u8 type, size_t data, u32 target)
{
	u32 offset = iort.table->header.length;
	struct acpi_iort_node *node = node_at(offset);

	node->type = type;
	node->length = ALIGN(sizeof(*node) + data, sizeof(u32));
	if (target) {
		node->mapping_count = 1;
		node->mapping_offset = node->length;
		node->length += sizeof(struct acpi_iort_id_mapping);
		map_of(offset)->id_count = 0xff;
		map_of(offset)->output_reference = target;
	}
	iort.table->header.length += node->length;
	iort.table->node_count++;

	return offset;
}

/* Move the table to memory of just its length, so that KASAN sees what is read */
static const char *fault(u32 *at)
{
	const char *reason;
	void *copy;
	u32 none;

	copy = kmalloc(iort.table->header.length, GFP_KERNEL);
	memcpy(copy, iort.table, iort.table->header.length);
	reason = pkvm_smmu_iort_fault(copy, at ?: &none);
	kfree(copy);

	return reason;
}

static void expect_fault(struct kunit *test, u32 offset)
{
	u32 at = U32_MAX;

	KUNIT_EXPECT_TRUE(test, fault(&at));
	KUNIT_EXPECT_EQ(test, at, offset);
}

static int iort_test_init(struct kunit *test)
{
	int ret = mock_test_init(test);

	if (ret)
		return ret;

	iort.table = kzalloc(TABLE_SIZE, GFP_KERNEL);
	iort.table->header.length = sizeof(*iort.table);
	iort.table->header.revision = 5;
	iort.table->node_offset = sizeof(*iort.table);
	iort.its = add_node(ACPI_IORT_NODE_ITS_GROUP, 8, 0);
	iort.smmu[0] = add_node(ACPI_IORT_NODE_SMMU_V3,
				sizeof(struct acpi_iort_smmu_v3), iort.its);
	iort.smmu[1] = add_node(ACPI_IORT_NODE_SMMU_V3,
				sizeof(struct acpi_iort_smmu_v3), iort.its);
	iort.rc = add_node(ACPI_IORT_NODE_PCI_ROOT_COMPLEX,
			   sizeof(struct acpi_iort_root_complex), iort.smmu[0]);
	iort.pmcg = add_node(ACPI_IORT_NODE_PMCG, sizeof(struct acpi_iort_pmcg),
			     iort.its);
	iort.rmr = add_node(ACPI_IORT_NODE_RMR,
			    sizeof(struct acpi_iort_rmr) +
				    sizeof(struct acpi_iort_rmr_desc),
			    iort.smmu[1]);
	rmr_data()->rmr_count = 1;
	rmr_data()->rmr_offset = sizeof(struct acpi_iort_node) +
				 sizeof(struct acpi_iort_rmr);

	return 0;
}

static void iort_test_exit(struct kunit *test)
{
	kfree(iort.table);
	mock_test_exit(test);
}

static void iort_sound(struct kunit *test)
{
	const struct acpi_iort_node *node;
	u32 i;

	KUNIT_EXPECT_FALSE(test, fault(NULL));

	for_each_iort_node(iort.table, node, i)
		;
	KUNIT_EXPECT_EQ(test, i, 6);
	KUNIT_EXPECT_EQ(test, (void *)node - (void *)iort.table,
			iort.table->header.length);

	/* The kernel reads no more nodes than the count says */
	iort.table->node_count = 5;
	KUNIT_EXPECT_TRUE(test, fault(NULL));
	/* A mapping without a target, and identifiers of 32 bits */
	iort.table->node_count = 6;
	/* Padding is no node */
	iort.table->header.length += sizeof(struct acpi_iort_node) - 1;
	KUNIT_EXPECT_FALSE(test, fault(NULL));
	iort.table->header.length++;
	KUNIT_EXPECT_TRUE(test, fault(NULL));
	iort.table->header.length -= sizeof(struct acpi_iort_node);
	map_of(iort.rc)->output_reference = 0;
	map_of(iort.rc)->id_count = U32_MAX;
	KUNIT_EXPECT_FALSE(test, fault(NULL));
	/* The kernel knows no such node, and follows none of its mappings */
	node_at(iort.rc)->type = ACPI_IORT_NODE_IWB + 1;
	map_of(iort.rc)->output_reference = 4;
	KUNIT_EXPECT_FALSE(test, fault(NULL));
}

/* Each length of the table: all but the last one cut a node */
static void iort_short_table(struct kunit *test)
{
	u32 length = iort.table->header.length;

	while (iort.table->header.length--) {
		KUNIT_EXPECT_TRUE_MSG(test, fault(NULL), "%u bytes",
				      iort.table->header.length);
		if (iort.table->header.length == sizeof(iort.table->header))
			break;
	}

	iort.table->header.length = length;
	iort.table->node_count++;
	expect_fault(test, length);
}

static void iort_node_offset(struct kunit *test)
{
	static const u32 offsets[] = { 0, 47, 1 << 20, U32_MAX - 15, U32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		iort.table->node_offset = offsets[i];
		KUNIT_EXPECT_TRUE_MSG(test, fault(NULL), "%x", offsets[i]);
	}
}

/* Each length of each node: none but the right one fits */
static void iort_node_length(struct kunit *test)
{
	const struct acpi_iort_node *it;
	struct acpi_iort_node *node;
	u32 i, length, right;

	for_each_iort_node(iort.table, it, i) {
		node = (struct acpi_iort_node *)it;
		right = node->length;
		for (length = 0; length <= U16_MAX; length += 1 + length / 512) {
			node->length = length;
			if (length < sizeof(*node) || length > TABLE_SIZE)
				expect_fault(test, (void *)node -
						   (void *)iort.table);
			else
				fault(NULL);
		}
		node->length = right;
	}
	KUNIT_EXPECT_FALSE(test, fault(NULL));

	node_at(iort.smmu[1])->length = sizeof(*node) +
		offsetof(struct acpi_iort_smmu_v3, sync_gsiv);
	expect_fault(test, iort.smmu[1]);
}

static void iort_mapping_bounds(struct kunit *test)
{
	struct acpi_iort_node *rc = node_at(iort.rc);
	u32 right = rc->mapping_offset;

	rc->mapping_offset = 0;
	expect_fault(test, iort.rc);
	rc->mapping_offset = right + 1;
	expect_fault(test, iort.rc);
	rc->mapping_offset = U32_MAX;
	expect_fault(test, iort.rc);
	rc->mapping_offset = right;
	rc->mapping_count = 2;
	expect_fault(test, iort.rc);
	rc->mapping_count = U32_MAX;
	expect_fault(test, iort.rc);
	rc->mapping_count = 1;
	KUNIT_EXPECT_FALSE(test, fault(NULL));

	map_of(iort.rc)->input_base = U32_MAX - 0xfe;
	expect_fault(test, iort.rc);
	map_of(iort.rc)->input_base = U32_MAX - 0xff;
	KUNIT_EXPECT_FALSE(test, fault(NULL));
	map_of(iort.rc)->output_base = U32_MAX;
	expect_fault(test, iort.rc);
}

/* A mapping to nowhere, to itself, in a circle */
static void iort_mapping_target(struct kunit *test)
{
	u32 *target = &map_of(iort.rc)->output_reference;
	u32 at;

	for (at = 1; at < TABLE_SIZE; at++) {
		*target = at;
		if (at == iort.its || at == iort.smmu[0] || at == iort.smmu[1])
			KUNIT_EXPECT_FALSE(test, fault(NULL));
		else
			expect_fault(test, iort.rc);
	}

	*target = iort.smmu[0];
	map_of(iort.smmu[0])->output_reference = iort.smmu[1];
	map_of(iort.smmu[1])->output_reference = iort.smmu[0];
	expect_fault(test, iort.smmu[0]);
}

static void iort_rmr_bounds(struct kunit *test)
{
	struct acpi_iort_rmr *rmr = rmr_data();

	rmr->rmr_count = 3;
	expect_fault(test, iort.rmr);
	rmr->rmr_count = U32_MAX;
	expect_fault(test, iort.rmr);
	rmr->rmr_count = 1;
	rmr->rmr_offset = node_at(iort.rmr)->length -
			  sizeof(struct acpi_iort_rmr_desc) + 1;
	expect_fault(test, iort.rmr);
	rmr->rmr_offset = U32_MAX;
	expect_fault(test, iort.rmr);
}

static u64 rmr_sids(unsigned int smmu, u32 *sids, u32 max)
{
	return pkvm_smmu_iort_rmr_sids(iort.table, node_at(iort.smmu[smmu]),
				       sids, max);
}

static void iort_rmr_sids(struct kunit *test)
{
	u32 sids[4] = {};

	map_of(iort.rmr)->output_base = 0x100;
	map_of(iort.rmr)->id_count = 2;
	KUNIT_EXPECT_EQ(test, 0, rmr_sids(0, sids, 4));
	KUNIT_EXPECT_EQ(test, 3, rmr_sids(1, sids, 4));
	KUNIT_EXPECT_EQ(test, sids[0], 0x100);
	KUNIT_EXPECT_EQ(test, sids[2], 0x102);
	KUNIT_EXPECT_EQ(test, sids[3], 0);

	/* No more than there is room for, but all are counted */
	map_of(iort.rmr)->output_base = 0;
	map_of(iort.rmr)->id_count = U32_MAX;
	sids[3] = 0x5a;
	KUNIT_EXPECT_EQ(test, 1ULL << 32, rmr_sids(1, sids, 3));
	KUNIT_EXPECT_EQ(test, sids[2], 2);
	KUNIT_EXPECT_EQ(test, sids[3], 0x5a);
	KUNIT_EXPECT_EQ(test, 1ULL << 32, rmr_sids(1, NULL, 0));

	/* Before revision E.d the node had another meaning */
	iort.table->header.revision = 3;
	KUNIT_EXPECT_EQ(test, 0, rmr_sids(1, sids, 3));
}

static void iort_models(struct kunit *test)
{
	struct acpi_iort_node *node = node_at(iort.smmu[0]);
	struct acpi_iort_smmu_v3 *smmu = (void *)node->node_data;

	KUNIT_EXPECT_FALSE(test, pkvm_smmu_iort_obstacle(node));
	smmu->model = ACPI_IORT_SMMU_V3_HISILICON_HI161X;
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_iort_obstacle(node));
	smmu->model = ACPI_IORT_SMMU_V3_CAVIUM_CN99XX;
	KUNIT_EXPECT_TRUE(test, pkvm_smmu_iort_obstacle(node));

	/* A device of ACPI has the identifier of the node */
	smmu->model = ACPI_IORT_SMMU_V3_GENERIC;
	node->identifier = U32_MAX;
	cmdqv_uid = "429496729";
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_iort_obstacle(node));
	cmdqv_uid = "4294967295";
	KUNIT_EXPECT_TRUE(test, pkvm_smmu_iort_obstacle(node));
	cmdqv_uid = NULL;
}

/* Whatever is in a table, nothing outside of it is read */
static void iort_random(struct kunit *test)
{
	u32 length = iort.table->header.length, n, i;
	u8 *bytes = (u8 *)iort.table;
	u8 *good = kmalloc(length, GFP_KERNEL);
	unsigned int faults = 0;

	memcpy(good, bytes, length);
	for (n = 0; n < 20000; n++) {
		memcpy(bytes, good, length);
		/* Not the length of the table */
		for (i = 0; i < 1 + n % 4; i++)
			bytes[36 + test_random() % (length - 36)] =
				n % 2 ? test_random() : test_random() % 8;
		faults += !!fault(NULL);
	}
	KUNIT_EXPECT_GT(test, faults, 5000);
	KUNIT_EXPECT_LT(test, faults, 20000);
	kfree(good);
}

static struct kunit_case iort_cases[] = {
	KUNIT_CASE(iort_sound),
	KUNIT_CASE(iort_short_table),
	KUNIT_CASE(iort_node_offset),
	KUNIT_CASE(iort_node_length),
	KUNIT_CASE(iort_mapping_bounds),
	KUNIT_CASE(iort_mapping_target),
	KUNIT_CASE(iort_rmr_bounds),
	KUNIT_CASE(iort_rmr_sids),
	KUNIT_CASE(iort_models),
	KUNIT_CASE(iort_random),
	{}
};

static struct kunit_suite iort_suite = {
	.name = "pkvm-smmu-iort",
	.init = iort_test_init,
	.exit = iort_test_exit,
	.test_cases = iort_cases,
};

kunit_test_suite(iort_suite);
