/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own description of the IORT, without the rest of ACPICA */
#ifndef __PKVM_SMMU_ACPI_H
#define __PKVM_SMMU_ACPI_H

#include <linux/types.h>

#define ACPI_MACHINE_WIDTH		64
#define ACPI_USE_SYSTEM_INTTYPES
#define COMPILER_DEPENDENT_INT64	long long
#define COMPILER_DEPENDENT_UINT64	unsigned long long
#define ACPI_SYSTEM_XFACE
#define ACPI_INTERNAL_VAR_XFACE
/* A flexible array alone in a structure, or in a union */
#define ACPI_FLEX_ARRAY(type, name)	struct { struct { } empty; type name[]; }
#include <acpi/actypes.h>
#include <acpi/actbl.h>

#endif /* __PKVM_SMMU_ACPI_H */
