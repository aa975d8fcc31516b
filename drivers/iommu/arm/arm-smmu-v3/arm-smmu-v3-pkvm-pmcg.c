// SPDX-License-Identifier: GPL-2.0-only
/*
 * The performance monitors (PMCGs) of a protected KVM host's SMMUv3s: the half
 * at EL1.
 *
 * - Each PMCG that firmware describes is described to EL2. EL2 owns it, and
 *   forwards the accesses of the host's driver ("arm-smmu-v3-pmcg").
 * - Until the host has lost its privileges, its accesses do not trap. So a
 *   driver in this file keeps the PMCGs: the host's driver must not see that
 *   the hardware has MSIs, and set one up.
 * - EL2 takes pages of the CPU. If such a page has registers of another device,
 *   then protected KVM does not start: the driver of that device would lose
 *   them.
 * - A PMCG that firmware has disabled is not touched.
 */
#define pr_fmt(fmt) "arm-smmu-v3-pkvm: " fmt

#include <linux/align.h>
#include <linux/amba/bus.h>
#include <linux/bitfield.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/platform_device.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/stringify.h>

#include "arm-smmu-v3.h"
#include "arm-smmu-v3-pkvm-pmcg.h"
#include "arm-smmu-v3-pkvm-report.h"
#include "pkvm/config.h"

#define PMCG_COMPATIBLE		"arm,smmu-v3-pmcg"
/* What the IORT code calls it */
#define PMCG_NAME		"arm-smmu-v3-pmcg"

#define IIDR_IMPLEMENTER_ARM	0x43b

static const struct of_device_id pkvm_pmcg_of_match[] = {
	{ .compatible = PMCG_COMPATIBLE, },
	{ },
};

static const struct platform_device_id pkvm_pmcg_id_match[] = {
	{ .name = PMCG_NAME, },
	{ },
};

static bool __init is_pmcg(const struct platform_device *pdev)
{
	return of_device_is_compatible(pdev->dev.of_node, PMCG_COMPATIBLE) ||
	       !strcmp(pdev->name, PMCG_NAME);
}

static bool __init is_smmu(const struct platform_device *pdev)
{
	return of_device_is_compatible(pdev->dev.of_node, "arm,smmu-v3") ||
	       !strcmp(pdev->name, "arm-smmu-v3");
}

/* EL2 looks whether the registers of SMMUs and PMCGs can be where they are */
static int __init overlaps_platform(struct device *dev, void *data)
{
	struct platform_device *pdev = to_platform_device(dev);
	unsigned int i;

	if (is_pmcg(pdev) || is_smmu(pdev))
		return 0;

	for (i = 0; i < pdev->num_resources; i++) {
		if (resource_type(&pdev->resource[i]) == IORESOURCE_MEM &&
		    resource_overlaps(&pdev->resource[i], data))
			return 1;
	}

	return 0;
}

static int __init overlaps_amba(struct device *dev, void *data)
{
	return resource_overlaps(&to_amba_device(dev)->res, data);
}

static const char * __init pkvm_pmcg_add_page(struct pkvm_smmu_mem *page,
					      const struct resource *res)
{
	struct resource taken = DEFINE_RES_MEM(0, 0);

	if (resource_type(res) != IORESOURCE_MEM || resource_size(res) < SZ_4K)
		return "its registers are not MMIO, or too few";

	taken.start = ALIGN_DOWN(res->start, PAGE_SIZE);
	taken.end = ALIGN(res->end + 1, PAGE_SIZE) - 1;
	if (bus_for_each_dev(&platform_bus_type, NULL, &taken,
			     overlaps_platform) ||
	    bus_for_each_dev(&amba_bustype, NULL, &taken, overlaps_amba))
		return "its registers share a page with those of another device";

	page->base = res->start;
	page->size = resource_size(res);
	return NULL;
}

/**
 * pkvm_pmcg_add() - describe a PMCG to EL2
 * @cfg:	the description of all SMMUs
 * @page0:	page 0 of its registers
 * @page1:	page 1; NULL, at address 0, or at that of @page0, if there is
 *		none
 *
 * Return: NULL; else why protected KVM must not start.
 */
const char * __init pkvm_pmcg_add(struct pkvm_smmu_config *cfg,
				  const struct resource *page0,
				  const struct resource *page1)
{
	struct pkvm_pmcg_desc *desc = &cfg->pmcgs[cfg->nr_pmcgs];
	const char *reason;

	if (cfg->nr_pmcgs == PKVM_SMMU_MAX_PMCGS)
		return "there are more performance monitors than "
		       __stringify(PKVM_SMMU_MAX_PMCGS);

	*desc = (struct pkvm_pmcg_desc) { .refusal = PKVM_SMMU_NOT_TRIED };
	reason = pkvm_pmcg_add_page(&desc->page[0], page0);
	if (!reason && page1 && page1->start && page1->start != page0->start)
		reason = pkvm_pmcg_add_page(&desc->page[1], page1);
	if (!reason)
		cfg->nr_pmcgs++;

	return reason;
}

/**
 * pkvm_pmcg_add_of() - describe a PMCG of the device tree to EL2
 * @cfg:	the description of all SMMUs
 * @np:		its node, which is available
 *
 * Return: NULL; else why protected KVM must not start.
 */
const char * __init pkvm_pmcg_add_of(struct pkvm_smmu_config *cfg,
				     struct device_node *np)
{
	struct resource page[2];

	if (of_address_to_resource(np, 0, &page[0]))
		return "it has no registers";

	return pkvm_pmcg_add(cfg, &page[0],
			     of_address_to_resource(np, 1, &page[1]) ?
				     NULL : &page[1]);
}

/**
 * pkvm_pmcg_is_missing() - can an SMMU have PMCGs that EL2 does not own?
 * @cfg:	the description of all SMMUs
 * @smmu_iidr:	IIDR of the SMMU
 *
 * The registers of an SMMU say neither whether there are PMCGs nor where
 * (section 10.1 of the architecture). Arm's SMMUs have some.
 *
 * Return: true if it is one of Arm's, and firmware describes no PMCG at all.
 */
bool __init pkvm_pmcg_is_missing(const struct pkvm_smmu_config *cfg,
				 u32 smmu_iidr)
{
	return !cfg->nr_pmcgs &&
	       FIELD_GET(IIDR_IMPLEMENTER, smmu_iidr) == IIDR_IMPLEMENTER_ARM;
}

/**
 * pkvm_pmcg_log_missing() - an SMMU may have PMCGs that EL2 does not own
 * @smmu:	the SMMU
 */
void __init pkvm_pmcg_log_missing(struct device *smmu)
{
	dev_notice(smmu, "firmware describes no performance monitors: if it has any, their MSIs are not isolated\n");
	pkvm_smmu_report_note("pmcg", dev_name(smmu),
			      "firmware describes no performance monitors of it");
}

static bool pkvm_pmcg_held __initdata;

/* It keeps the devices, and does nothing with them */
static struct platform_driver pkvm_pmcg_driver = {
	.driver	= {
		.name			= "arm-smmu-v3-pkvm-pmcg",
		.of_match_table		= pkvm_pmcg_of_match,
		.suppress_bind_attrs	= true,
		.probe_type		= PROBE_FORCE_SYNCHRONOUS,
	},
	.id_table	= pkvm_pmcg_id_match,
};

/**
 * pkvm_pmcg_hold() - keep the PMCGs from the host's driver
 *
 * Before the host's driver is registered.
 *
 * Return: 0; a negative error.
 */
int __init pkvm_pmcg_hold(void)
{
	int ret = platform_driver_register(&pkvm_pmcg_driver);

	pkvm_pmcg_held = !ret;
	return ret;
}

static int __init attach_pmcg(struct device *dev, void *data)
{
	int ret = 0;

	if (is_pmcg(to_platform_device(dev)))
		ret = device_attach(dev);
	/* The driver core tries again where a probe was deferred */
	if (ret < 0 && ret != -EPROBE_DEFER)
		dev_warn(dev, "could not be given back\n");

	return 0;
}

/**
 * pkvm_pmcg_release() - give the PMCGs to the host's driver
 *
 * Either EL2 owns them, and the host has lost its privileges, or protected KVM
 * does not start.
 */
void __init pkvm_pmcg_release(void)
{
	if (!pkvm_pmcg_held)
		return;

	platform_driver_unregister(&pkvm_pmcg_driver);
	bus_for_each_dev(&platform_bus_type, NULL, NULL, attach_pmcg);
}
