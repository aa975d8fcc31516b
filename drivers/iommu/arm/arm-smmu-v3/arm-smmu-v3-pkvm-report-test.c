// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which devices does the list of arm-smmu-v3-pkvm-report.c have?
 *
 * The devices and nodes are made by hand, and registered nowhere. What phandles
 * of a device tree lead to is not tested here.
 */
#include <kunit/test.h>
#include <kunit/visibility.h>

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/fwnode.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include "arm-smmu-v3-pkvm-report.h"

#define MAX_PROPERTIES	4

struct fake {
	struct platform_device	pdev;
	struct device_node	np;
	struct property		props[MAX_PROPERTIES];
	struct device_driver	driver;
	struct dev_iommu	iommu;
	struct iommu_fwspec	fwspec;
};

static struct fake *make_device(struct kunit *test, const char *node,
				const char * const *props)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->np.full_name = node;
	fwnode_init(&fake->np.fwnode, &of_fwnode_ops);
	for (i = 0; i < MAX_PROPERTIES && props[i]; i++) {
		fake->props[i].name = (char *)props[i];
		/* device_type is the only one whose value matters */
		fake->props[i].value = "pci";
		fake->props[i].length = sizeof("pci");
		fake->props[i].next = fake->np.properties;
		fake->np.properties = &fake->props[i];
	}

	fake->pdev.dev.bus = &platform_bus_type;
	fake->pdev.dev.coherent_dma_mask = DMA_BIT_MASK(32);
	fake->pdev.dev.dma_mask = &fake->pdev.dev.coherent_dma_mask;
	INIT_LIST_HEAD(&fake->pdev.dev.dma_pools);
	device_set_node(&fake->pdev.dev, &fake->np.fwnode);

	return fake;
}

struct dma_case {
	const char	*node;
	const char	*props[MAX_PROPERTIES + 1];
	bool		dma;
	bool		sure;
};

static const struct dma_case dma_cases[] = {
	/* The device tree says so */
	{ "fw-cfg@0", { "reg", "dma-coherent" }, true, true },
	{ "usb@0", { "reg", "interrupts", "dma-noncoherent" }, true, true },
	{ "gpu@0", { "reg", "iommus" }, true, true },
	{ "dma-controller@0", { "reg", "#dma-cells" }, true, true },
	{ "dsp@0", { "reg", "memory-region" }, true, true },
	/* Whatever its name is, or whose engine it uses as well */
	{ "serial@0", { "reg", "interrupts", "iommus" }, true, true },
	{ "audio@0", { "reg", "dmas", "iommus" }, true, true },
	/* The device tree does not say */
	{ "mmc@0", { "reg", "interrupts" }, true, false },
	{ "spi@0", { "reg", "interrupts-extended" }, true, false },
	{ "serial-engine@0", { "reg", "interrupts" }, true, false },
	/* Unlikely */
	{ "spi@0", { "reg", "interrupts", "dmas" }, false },
	{ "qos@0", { "reg" }, false },
	{ "serial@0", { "reg", "interrupts" }, false },
	{ "pl061@0", { "reg", "interrupts" }, false },
	{ "leds", { "interrupts", "dma-coherent" }, false },
	/* Its functions are devices */
	{ "pcie@0", { "reg", "interrupts", "dma-coherent", "device_type" }, false },
};

static void dma_of_nodes(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dma_cases); i++) {
		const struct dma_case *c = &dma_cases[i];
		struct fake *fake = make_device(test, c->node, c->props);
		bool sure;

		KUNIT_EXPECT_EQ_MSG(test, c->dma,
				    pkvm_smmu_does_dma(&fake->pdev.dev, &sure),
				    "case %u, %s", i, c->node);
		if (c->dma)
			KUNIT_EXPECT_EQ_MSG(test, c->sure, sure, "case %u, %s",
					    i, c->node);
	}
}

static const char * const no_props[] = { NULL };

static void dma_of_driver(struct kunit *test)
{
	struct fake *fake = make_device(test, "qos@0", no_props);
	struct device *dev = &fake->pdev.dev;
	LIST_HEAD(pool);
	bool sure;

	/* What firmware has set is not what a driver has asked for */
	dev->coherent_dma_mask = DMA_BIT_MASK(40);
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_does_dma(dev, &sure));

	dev->driver = &fake->driver;
	KUNIT_EXPECT_TRUE(test, pkvm_smmu_does_dma(dev, &sure));
	KUNIT_EXPECT_TRUE(test, sure);

	dev->coherent_dma_mask = DMA_BIT_MASK(32);
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_does_dma(dev, &sure));

	list_add(&pool, &dev->dma_pools);
	KUNIT_EXPECT_TRUE(test, pkvm_smmu_does_dma(dev, &sure));
}

/* Only devices that firmware describes, and each once */
static void dma_of_others(struct kunit *test)
{
	static const char * const props[] = { "reg", "dma-coherent", NULL };
	struct fake *fake = make_device(test, "mmc@0", props);
	struct device *dev = &fake->pdev.dev;
	bool sure;

	KUNIT_EXPECT_TRUE(test, pkvm_smmu_does_dma(dev, &sure));
	dev_set_of_node_reused(dev);
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_does_dma(dev, &sure));

	fake = make_device(test, "none", no_props);
	dev = &fake->pdev.dev;
	device_set_node(dev, NULL);
	dev->driver = &fake->driver;
	dev->coherent_dma_mask = DMA_BIT_MASK(64);
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_does_dma(dev, &sure));
}

static void dma_of_pci(struct kunit *test)
{
	struct pci_dev *pdev;
	bool sure;

	if (!IS_ENABLED(CONFIG_PCI))
		kunit_skip(test, "no PCI");

	pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pdev->dev.bus = &pci_bus_type;
	KUNIT_EXPECT_TRUE(test, pkvm_smmu_does_dma(&pdev->dev, &sure));
	KUNIT_EXPECT_TRUE(test, sure);
}

/* The IOMMU core has configured the device: which SMMU is it behind? */
static void isolated_by_fwspec(struct kunit *test)
{
	struct fake *smmu1 = make_device(test, "smmu@1", no_props);
	struct fake *smmu2 = make_device(test, "smmu@2", no_props);
	struct fake *other = make_device(test, "iommu@3", no_props);
	struct fake *fake = make_device(test, "mmc@0", no_props);
	char why[80] = "";
	LIST_HEAD(owned);

	fake->iommu.fwspec = &fake->fwspec;
	fake->pdev.dev.iommu = &fake->iommu;
	fake->fwspec.iommu_fwnode = &smmu2->np.fwnode;
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_isolates(&owned, &fake->pdev.dev, why,
						    sizeof(why)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(why, "which EL2 does not own"));

	KUNIT_ASSERT_EQ(test, 0, pkvm_smmu_add_owned(&owned, &smmu1->np.fwnode));
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_isolates(&owned, &fake->pdev.dev, why,
						    sizeof(why)));
	KUNIT_ASSERT_EQ(test, 0, pkvm_smmu_add_owned(&owned, &smmu2->np.fwnode));
	KUNIT_EXPECT_TRUE(test, pkvm_smmu_isolates(&owned, &fake->pdev.dev, why,
						   sizeof(why)));

	fake->fwspec.iommu_fwnode = &other->np.fwnode;
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_isolates(&owned, &fake->pdev.dev, why,
						    sizeof(why)));
	pkvm_smmu_free_owned(&owned);
}

/* The IOMMU core knows of no IOMMU, nor does the node */
static void not_isolated_without_iommu(struct kunit *test)
{
	struct fake *smmu = make_device(test, "smmu@1", no_props);
	struct fake *fake = make_device(test, "mmc@0", no_props);
	char why[80] = "";
	LIST_HEAD(owned);

	KUNIT_ASSERT_EQ(test, 0, pkvm_smmu_add_owned(&owned, &smmu->np.fwnode));
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_isolates(&owned, &fake->pdev.dev, why,
						    sizeof(why)));
	KUNIT_EXPECT_STREQ(test, why, "its node has no iommus");

	/* The device is configured, but no SMMU is named */
	fake->pdev.dev.iommu = &fake->iommu;
	KUNIT_EXPECT_FALSE(test, pkvm_smmu_isolates(&owned, &fake->pdev.dev, why,
						    sizeof(why)));
	pkvm_smmu_free_owned(&owned);
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(dma_of_nodes),
	KUNIT_CASE(dma_of_driver),
	KUNIT_CASE(dma_of_others),
	KUNIT_CASE(dma_of_pci),
	KUNIT_CASE(isolated_by_fwspec),
	KUNIT_CASE(not_isolated_without_iommu),
	{}
};

static struct kunit_suite report_suite = {
	.name		= "arm-smmu-v3-pkvm-report",
	.test_cases	= report_cases,
};

kunit_test_suite(report_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the list of what EL2 does not isolate");
MODULE_LICENSE("GPL");
