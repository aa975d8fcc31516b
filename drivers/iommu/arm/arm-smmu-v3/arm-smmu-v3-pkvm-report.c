// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the SMMUs that EL2 owns do not isolate: a file in debugfs that lists the
 * devices, and a line in the log that counts them.
 *
 * - The file is arm-smmu-v3-pkvm/not_isolated. It exists if EL2 owns an SMMU.
 *   Each line has a bus, a device, its driver or "-", and the reason.
 * - The devices are looked up when the file is read, so it follows hotplug.
 * - pkvm_smmu_report_note() adds a line for what is no device: an SMMU that
 *   firmware has disabled, or a performance monitor that EL2 does not own.
 * - The log has a line after the drivers that are built in have probed. If the
 *   count is another one PKVM_REPORT_AGAIN later, after user space has loaded
 *   modules, then the log has a second line.
 *
 * All this is what EL1 knows. Firmware's description is trusted, as it is by
 * EL2. A host that has been taken over can make the file say anything.
 *
 * A device is isolated if firmware puts all its streams behind SMMUs that EL2
 * owns, including the requester IDs of bridges that a PCI function appears as.
 * If the IOMMU core has configured the device, then its fwspec says so. Else the
 * device tree does: its streams abort until the host's driver attaches them.
 * For ACPI, only the fwspec is known.
 *
 * These devices do DMA for sure:
 *
 * - All PCI functions, and all devices on the buses of fsl-mc and CDX. Bridges
 *   are no exception: they send MSIs, and can have DMA engines.
 * - With ACPI, platform and AMBA devices with registers and with _CCA, which
 *   the specification demands of a device that does DMA. _CCA is inherited.
 * - With a device tree, platform and AMBA devices with registers, and with one
 *   of the properties of dma_properties.
 * - Platform and AMBA devices whose driver has asked for more than the default
 *   DMA mask of 32 bits, or has created a DMA pool. All platform devices have a
 *   dma_mask, and the kernel keeps no record of mappings.
 *
 * The device tree does not say of each device whether it does DMA, and a driver
 * for 32 bits need not say it either. To miss a device is worse than to list one
 * too many. So a platform or AMBA device counts that may do DMA: it has registers
 * and an interrupt, does not use another device's DMA engine ("dmas"), and the
 * name of its node is not one of other_names. Whether it has a driver makes no
 * difference, as a hostile host can bring its own.
 *
 * Devices that the list can miss:
 *
 * - a device that firmware does not describe, or calls disabled; one below a
 *   bus whose driver is not there; and a device of a PCI bus not scanned yet;
 * - a device tree's device with no interrupt, or with a name of other_names, for
 *   which neither a property nor its driver says that it does DMA;
 * - DMA that is not a device's own: the tables of a GIC, a debug port, firmware
 *   on another processor, and a DMA engine in a PCI host bridge. The functions
 *   below the bridge are listed in its place.
 */
#define pr_fmt(fmt) "arm-smmu-v3-pkvm: " fmt

#include <linux/acpi.h>
#include <linux/amba/bus.h>
#include <linux/cdx/cdx_bus.h>
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/device/driver.h>
#include <linux/dma-mapping.h>
#include <linux/fsl/mc.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mod_devicetable.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_device.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <uapi/linux/virtio_mmio.h>
#include <linux/workqueue.h>

#include <kunit/visibility.h>

#include "../../iommu-priv.h"
#include "arm-smmu-v3-pkvm-report.h"

/* Some time after the default deferred_probe_timeout of 10 seconds */
#define PKVM_REPORT_AGAIN	(30 * HZ)

#define PKVM_REPORT_WHY_LEN	160

struct pkvm_smmu_owned {
	struct list_head	entry;
	struct fwnode_handle	*fwnode;
};

struct pkvm_smmu_note {
	struct list_head	entry;
	const char		*kind;
	const char		*name;
	const char		*reason;
};

/*
 * Protects the lists, to which entries are only added. It is taken after any
 * device_lock().
 */
static DEFINE_MUTEX(report_mutex);
static LIST_HEAD(report_owned);
static LIST_HEAD(report_notes);

static const struct bus_type * const report_buses[] = {
#ifdef CONFIG_PCI
	&pci_bus_type,
#endif
#ifdef CONFIG_FSL_MC_BUS
	&fsl_mc_bus_type,
#endif
#ifdef CONFIG_CDX_BUS
	&cdx_bus_type,
#endif
#ifdef CONFIG_ARM_AMBA
	&amba_bustype,
#endif
	&platform_bus_type,
};

/* In the node of a device, these say that it does DMA */
static const char * const dma_properties[] = {
	"dma-coherent", "dma-noncoherent", "iommus", "memory-region",
	"#dma-cells",
};

/*
 * Generic names of nodes (Devicetree Specification, 2.2.2) of functions that do
 * not do DMA, and the names of QEMU's nodes for PrimeCells
 */
static const char * const other_names[] = {
	"adc", "clock-controller", "efuse", "flash", "gpio", "hwlock", "i2c",
	"interrupt-controller", "keypad", "mailbox", "memory-controller", "phy",
	"pinctrl", "pl011", "pl031", "pl061", "pmu", "power-controller",
	"power-management", "pwm", "reset-controller", "rng", "rtc", "serial",
	"sram", "syscon", "system-controller", "temperature-sensor", "thermal",
	"thermal-sensor", "timer", "tsadc", "usb-phy", "usb2phy", "watchdog",
};

static bool is_owned(const struct list_head *owned,
		     const struct fwnode_handle *fwnode)
{
	const struct pkvm_smmu_owned *smmu;

	guard(mutex)(&report_mutex);
	list_for_each_entry(smmu, owned, entry) {
		if (smmu->fwnode == fwnode)
			return true;
	}

	return false;
}

/* Is the host's driver bound to all SMMUs that EL2 owns? */
static bool drivers_are_bound(void)
{
	const struct pkvm_smmu_owned *smmu;

	guard(mutex)(&report_mutex);
	list_for_each_entry(smmu, &report_owned, entry) {
		if (!iommu_ops_from_fwnode(smmu->fwnode))
			return false;
	}

	return true;
}

static bool has_memory(struct device *dev)
{
	if (dev->bus != &platform_bus_type)
		return true;

	return platform_get_resource(to_platform_device(dev), IORESOURCE_MEM, 0);
}

static bool driver_says_dma(const struct device *dev)
{
	u64 mask = dev->dma_mask ? *dev->dma_mask : 0;

	return dev->driver && (max(mask, dev->coherent_dma_mask) > DMA_BIT_MASK(32) ||
			       !list_empty(&dev->dma_pools));
}

static bool of_says_dma(const struct device_node *np)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dma_properties); i++) {
		if (of_property_present(np, dma_properties[i]))
			return true;
	}

	return false;
}

static bool of_may_do_dma(const struct device_node *np)
{
	unsigned int i;

	if (of_property_present(np, "dmas") ||
	    (!of_property_present(np, "interrupts") &&
	     !of_property_present(np, "interrupts-extended")))
		return false;

	for (i = 0; i < ARRAY_SIZE(other_names); i++) {
		if (of_node_name_eq(np, other_names[i]))
			return false;
	}

	return true;
}

/**
 * pkvm_smmu_does_dma() - does a device do DMA, for all that is known?
 * @dev:	a device of one of report_buses, locked
 * @sure:	set to false if this is only possible
 *
 * Return: true if the device does DMA, or may do so.
 */
VISIBLE_IF_KUNIT bool pkvm_smmu_does_dma(struct device *dev, bool *sure)
{
	const struct fwnode_handle *fwnode = dev_fwnode(dev);

	*sure = true;
	if (dev->bus != &platform_bus_type && !dev_is_amba(dev))
		return true;

	/* The device that a node is borrowed from is in the list itself */
	if (dev_of_node_reused(dev))
		return false;

	if (is_acpi_device_node(fwnode))
		return driver_says_dma(dev) ||
		       (has_memory(dev) && acpi_get_dma_attr(ACPI_COMPANION(dev)) !=
					   DEV_DMA_NOT_SUPPORTED);

	/* The functions below a PCI host bridge are listed, the bridge is not */
	if (!is_of_node(fwnode) || of_node_is_type(dev->of_node, "pci"))
		return false;

	if (driver_says_dma(dev))
		return true;
	if (!of_property_present(dev->of_node, "reg"))
		return false;
	if (of_says_dma(dev->of_node))
		return true;

	*sure = false;
	return of_may_do_dma(dev->of_node);
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_smmu_does_dma);

/* How a device reaches memory, and a buffer for what is said of that */
struct dma_path {
	const struct list_head	*owned;
	struct device_node	*np;
	char			*why;
	size_t			size;
};

static bool of_isolates(struct dma_path *path, struct device_node *iommu)
{
	if (is_owned(path->owned, of_fwnode_handle(iommu)))
		return true;

	snprintf(path->why, path->size, "behind %pOF, which EL2 does not own",
		 iommu);
	return false;
}

static bool of_isolates_node(struct dma_path *path)
{
	struct of_phandle_args spec;
	unsigned int i;
	bool isolated;
	int ret;

	for (i = 0;; i++) {
		ret = of_parse_phandle_with_args(path->np, "iommus",
						 "#iommu-cells", i, &spec);
		if (ret)
			break;
		isolated = of_isolates(path, spec.np);
		of_node_put(spec.np);
		if (!isolated)
			return false;
	}

	if (ret != -ENOENT)
		snprintf(path->why, path->size, "iommus of its node is malformed");
	else if (!i)
		snprintf(path->why, path->size, "its node has no iommus");

	return i && ret == -ENOENT;
}

static int of_pci_alias(struct pci_dev *pdev, u16 alias, void *data)
{
	struct of_phandle_args spec = {};
	struct dma_path *path = data;
	bool isolated;

	if (of_map_iommu_id(path->np, alias, &spec)) {
		snprintf(path->why, path->size, "iommu-map of %pOF is malformed",
			 path->np);
		return -EINVAL;
	}
	if (!spec.np) {
		snprintf(path->why, path->size,
			 "iommu-map of %pOF leaves out ID %#x", path->np, alias);
		return -ENODEV;
	}

	isolated = of_isolates(path, spec.np);
	of_node_put(spec.np);
	return isolated ? 0 : -ENODEV;
}

static bool of_isolates_pci(struct dma_path *path, struct pci_dev *pdev)
{
	if (!of_property_present(path->np, "iommu-map")) {
		snprintf(path->why, path->size, "%pOF has no iommu-map", path->np);
		return false;
	}

	return !pci_for_each_dma_alias(pdev, of_pci_alias, path);
}

/* The device that the host bridge of a PCI function is a child of */
static struct device *pci_host_parent(struct pci_dev *pdev)
{
	return pci_find_host_bridge(pdev->bus)->dev.parent;
}

/**
 * pkvm_smmu_isolates() - are all streams of a device behind SMMUs of EL2?
 * @owned:	the SMMUs
 * @dev:	the device, locked
 * @why:	if not, what is the reason
 * @size:	of @why
 *
 * Return: true if all are.
 */
VISIBLE_IF_KUNIT bool pkvm_smmu_isolates(const struct list_head *owned,
					 struct device *dev, char *why,
					 size_t size)
{
	struct dma_path path = { .owned = owned, .why = why, .size = size };
	struct pci_dev *pdev = dev_is_pci(dev) ? to_pci_dev(dev) : NULL;

	scoped_guard(mutex, &iommu_probe_device_lock) {
		struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);

		if (fwspec && is_owned(owned, fwspec->iommu_fwnode))
			return true;
		if (fwspec) {
			snprintf(why, size, "behind %pfw, which EL2 does not own",
				 fwspec->iommu_fwnode);
			return false;
		}
	}

	path.np = dev->of_node;
	if (pdev)
		path.np = pci_host_parent(pdev) ? pci_host_parent(pdev)->of_node : NULL;
	if (path.np && (pdev || dev->bus == &platform_bus_type || dev_is_amba(dev)))
		return pdev ? of_isolates_pci(&path, pdev) : of_isolates_node(&path);

	if (!drivers_are_bound())
		snprintf(why, size, "not known before the drivers of all SMMUs are bound");
	else if (pdev && !acpi_disabled)
		snprintf(why, size, "the IORT has no SMMUv3 for ID %#x", pci_dev_id(pdev));
	else if (!acpi_disabled)
		snprintf(why, size, "the IORT has no SMMUv3 for it");
	else
		snprintf(why, size, "firmware names no SMMUv3 for it");

	return false;
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_smmu_isolates);

static const struct of_device_id virtio_of_match[] = {
	{ .compatible = "virtio,mmio" },
	{ }
};

static const struct acpi_device_id virtio_acpi_match[] = {
	{ .id = "LNRO0005" },
	{ }
};

/* A virtual machine has slots for virtio devices, most of which are empty */
static bool is_empty_slot(struct device *dev)
{
	struct resource *res;
	void __iomem *base;
	bool empty;

	if (dev->driver || dev->bus != &platform_bus_type ||
	    (!of_match_device(virtio_of_match, dev) &&
	     !acpi_match_device(virtio_acpi_match, dev)))
		return false;

	res = platform_get_resource(to_platform_device(dev), IORESOURCE_MEM, 0);
	base = res ? ioremap(res->start, VIRTIO_MMIO_CONFIG) : NULL;
	if (!base)
		return false;

	/* To read these has no side effect (Virtio 1.3, 4.2.2) */
	empty = readl(base + VIRTIO_MMIO_MAGIC_VALUE) ==
			('v' | 'i' << 8 | 'r' << 16 | 't' << 24) &&
		!readl(base + VIRTIO_MMIO_DEVICE_ID);
	iounmap(base);

	return empty;
}

/* Counts, and writes the lines of a file if there is one */
struct report {
	struct seq_file	*m;
	unsigned int	devices;
	unsigned int	notes;
};

static int report_device(struct device *dev, void *data)
{
	struct report *report = data;
	char why[PKVM_REPORT_WHY_LEN];
	bool sure;

	guard(device)(dev);
	if (!device_is_registered(dev) || is_owned(&report_owned, dev_fwnode(dev)) ||
	    !pkvm_smmu_does_dma(dev, &sure) ||
	    pkvm_smmu_isolates(&report_owned, dev, why, sizeof(why)) ||
	    is_empty_slot(dev))
		return 0;

	report->devices++;
	if (report->m)
		seq_printf(report->m, "%s %s %s %s%s\n", dev->bus->name,
			   dev_name(dev), dev->driver ? dev->driver->name : "-",
			   why, sure ? "" : " (it may do DMA)");

	return 0;
}

static void report_all(struct report *report)
{
	struct pkvm_smmu_note *note;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(report_buses); i++)
		bus_for_each_dev(report_buses[i], NULL, report, report_device);

	guard(mutex)(&report_mutex);
	list_for_each_entry(note, &report_notes, entry) {
		report->notes++;
		if (report->m)
			seq_printf(report->m, "%s %s - %s\n", note->kind,
				   note->name, note->reason);
	}
}

static int not_isolated_show(struct seq_file *m, void *v)
{
	struct report report = { .m = m };

	report_all(&report);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(not_isolated);

static void report_log(struct work_struct *work)
{
	static struct report logged = { .devices = UINT_MAX };
	struct report now = {};
	static bool again;

	/* What is built in, and what waits for it */
	wait_for_device_probe();
	report_all(&now);

	/* With ACPI nothing is known of the devices before */
	if ((drivers_are_bound() || acpi_disabled || again) &&
	    (now.devices != logged.devices || now.notes != logged.notes)) {
		if (now.devices || now.notes)
			pr_warn("DMA that is not isolated: %u devices, %u notes: see not_isolated in debugfs\n",
				now.devices, now.notes);
		else
			pr_info("no device is known whose DMA is not isolated\n");
		logged = now;
	}

	if (!again)
		queue_delayed_work(system_power_efficient_wq,
				   to_delayed_work(work), PKVM_REPORT_AGAIN);
	again = true;
}

static DECLARE_DELAYED_WORK(report_log_work, report_log);

VISIBLE_IF_KUNIT int pkvm_smmu_add_owned(struct list_head *owned,
					 struct fwnode_handle *smmu)
{
	struct pkvm_smmu_owned *entry = kzalloc_obj(*entry);

	if (!entry)
		return -ENOMEM;

	entry->fwnode = fwnode_handle_get(smmu);
	guard(mutex)(&report_mutex);
	list_add_tail(&entry->entry, owned);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_smmu_add_owned);

#if IS_ENABLED(CONFIG_KUNIT)
void pkvm_smmu_free_owned(struct list_head *owned)
{
	struct pkvm_smmu_owned *entry, *next;

	list_for_each_entry_safe(entry, next, owned, entry) {
		fwnode_handle_put(entry->fwnode);
		kfree(entry);
	}
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_smmu_free_owned);
#endif

/**
 * pkvm_smmu_report_owned() - EL2 owns an SMMU, which isolates what is behind it
 * @smmu:	its node
 *
 * To be called before late_initcall(). Without memory, the devices behind the
 * SMMU are in the list.
 */
void pkvm_smmu_report_owned(struct fwnode_handle *smmu)
{
	if (pkvm_smmu_add_owned(&report_owned, smmu))
		pr_warn("%pfw: out of memory: it counts as not owned\n", smmu);
}

/**
 * pkvm_smmu_report_note() - list what is not isolated, and is no device
 * @kind:	what it is, in one word: stays with the caller
 * @name:	its name, without spaces: copied
 * @reason:	why it is not isolated, and what to do: copied
 *
 * May sleep. May be called with a device locked, at any time.
 */
void pkvm_smmu_report_note(const char *kind, const char *name,
			   const char *reason)
{
	struct pkvm_smmu_note *note = kzalloc_obj(*note);

	if (note) {
		note->name = kstrdup_const(name, GFP_KERNEL);
		note->reason = kstrdup_const(reason, GFP_KERNEL);
	}
	if (!note || !note->name || !note->reason) {
		pr_warn("%s %s: %s\n", kind, name, reason);
		return;
	}

	note->kind = kind;
	guard(mutex)(&report_mutex);
	list_add_tail(&note->entry, &report_notes);
}

/* Deferred probes are tried again from late_initcall() on */
static int __init pkvm_smmu_report_init(void)
{
	struct dentry *root;

	if (list_empty(&report_owned))
		return 0;

	root = debugfs_lookup("arm-smmu-v3-pkvm", NULL);
	if (!IS_ERR_OR_NULL(root)) {
		debugfs_create_file("not_isolated", 0444, root, NULL,
				    &not_isolated_fops);
		dput(root);
	}
	queue_delayed_work(system_power_efficient_wq, &report_log_work, 0);

	return 0;
}
late_initcall_sync(pkvm_smmu_report_init);
