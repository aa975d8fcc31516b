/* SPDX-License-Identifier: GPL-2.0-only */
/* What arm-smmu-v3.h uses of it, so that it compiles; no program here does */
#ifndef __PKVM_SMMU_IOMMUFD_H
#define __PKVM_SMMU_IOMMUFD_H

enum iommu_hw_info_type { IOMMU_HW_INFO_TYPE_NONE };
enum iommu_viommu_type { IOMMU_VIOMMU_TYPE_DEFAULT };
struct iommufd_viommu { int unused; };

#endif /* __PKVM_SMMU_IOMMUFD_H */
