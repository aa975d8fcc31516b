/* SPDX-License-Identifier: GPL-2.0-only */
/* arm-smmu-v3-pkvm.h has structures of the IORT. Boards have none */
struct acpi_table_iort;

struct acpi_iort_node {
	char	type;
	char	node_data[];
};
