// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMUv3s of a protected KVM host: the half of the driver at EL1.
 *
 * - With kvm-arm.mode=protected this driver binds to every SMMUv3, before the
 *   host's SMMUv3 driver ("arm-smmu-v3") is registered.
 * - When KVM initialises, it describes the SMMUs to EL2 and sets memory aside
 *   for EL2's tables and queues. The description is final from then on. If the
 *   device tree has an SMMU that this driver is not bound to, or one that EL2
 *   can't isolate, then protected KVM does not start.
 * - Once EL2 has taken the SMMUs and the host has lost its privileges, each
 *   SMMU gets a faux device as its child, for the SMMU that EL2 emulates. The
 *   faux device has a child in turn: a platform device with the node and the
 *   registers of the SMMU. The host's driver binds to that by name, now or when
 *   its module is loaded.
 * - If protected KVM does not start, this driver is unregistered. The host's
 *   driver binds to the SMMUs, as it does without this one.
 * - If protected KVM starts, but some CPUs keep their privileges, then EL2
 *   keeps the SMMUs, none gets a child, and every stream aborts.
 * - An SMMU that appears after KVM has initialised is bound and gets no child.
 *
 * If protected KVM was asked for and DMA is not isolated, one line in the log
 * gives the reason. A kernel that was booted at EL1 says nothing: it can't tell
 * what EL2 isolates. A crash kernel is one.
 * What EL2 could not do later on is logged for each SMMU.
 */
#define pr_fmt(fmt) "arm-smmu-v3-pkvm: " fmt

#include <linux/acpi.h>
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/device/faux.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <asm/kvm_pkvm.h>
#include <asm/virt.h>

#include <kvm/arm_iommu.h>

#include "arm-smmu-v3.h"
#include "pkvm/config.h"

enum pkvm_smmu_state {
	PKVM_SMMU_CLAIMING,	/* an SMMU that probes is described to EL2 */
	PKVM_SMMU_FROZEN,	/* the description is final */
	PKVM_SMMU_DECLINED,	/* protected KVM did not start */
};

/**
 * struct pkvm_smmu_claim - an SMMU that is described to EL2
 * @entry:	in pkvm_smmu_claims
 * @pdev:	its device, whose driver data this is
 * @index:	its place in EL2's configuration
 * @oas_bits:	its output address size
 * @two_level:	its shadow stream table has two levels
 * @msis:	the hardware can signal interrupts by MSIs
 * @host:	the SMMU that the host gets, or NULL
 * @logged:	the counts of failures that are in the log
 * @debugfs:	its directory
 */
struct pkvm_smmu_claim {
	struct list_head	entry;
	struct platform_device	*pdev;
	unsigned int		index;
	u8			oas_bits;
	bool			two_level;
	bool			msis;
	struct faux_device	*host;
	u64			logged[PKVM_SMMU_NR_COUNTS];
	struct dentry		*debugfs;
};

/*
 * Protects the state, the list and what is in it. The device_lock() of an SMMU
 * is taken before it, those of the devices below are taken after it.
 */
static DEFINE_MUTEX(pkvm_smmu_mutex);
static enum pkvm_smmu_state pkvm_smmu_state;
static LIST_HEAD(pkvm_smmu_claims);

/* What EL2 counts */
static struct pkvm_smmu_shared *pkvm_smmu_shared;

/* Why protected KVM did not start, and the node that is the reason, or NULL */
static const char *pkvm_smmu_obstacle;
static struct device_node *pkvm_smmu_culprit;

static const char * const refusal_str[PKVM_SMMU_NR_REFUSALS] = {
	[PKVM_SMMU_NOT_TRIED]		= "not tried",
	[PKVM_SMMU_NO_MEMORY]		= "not enough memory was set aside",
	[PKVM_SMMU_BAD_MMIO]		= "its registers are not MMIO, or too few",
	[PKVM_SMMU_NO_STAGE1]		= "it has no stage 1 translation",
	[PKVM_SMMU_NO_STAGE2]		= "it has no stage 2 translation",
	[PKVM_SMMU_FORMAT]		= "it does not support the CPU's page size and byte order",
	[PKVM_SMMU_PRESET]		= "its tables or queues are at fixed addresses",
	[PKVM_SMMU_EXTRA_QUEUES]	= "it has command queues that EL2 does not control",
	[PKVM_SMMU_OUTPUT_SIZE]		= "it can't address all memory",
	[PKVM_SMMU_STALL_FORCE]		= "it stalls every fault",
	[PKVM_SMMU_ERRATUM]		= "an erratum breaks nested translation or invalidation",
	[PKVM_SMMU_NO_ANSWER]		= "it does not respond",
};

static int __init pkvm_smmu_alloc(struct pkvm_smmu_mem *mem, size_t size)
{
	void *va;

	size = roundup_pow_of_two(PAGE_ALIGN(size));
	va = alloc_pages_exact(size, GFP_KERNEL | __GFP_NOWARN);
	if (!va)
		return -ENOMEM;

	mem->base = virt_to_phys(va);
	mem->size = size;
	return 0;
}

static void __init pkvm_smmu_free(struct pkvm_smmu_mem *mem)
{
	if (mem->size)
		free_pages_exact(phys_to_virt(mem->base), mem->size);
	*mem = (struct pkvm_smmu_mem) {};
}

/* EL1 only sizes EL2's memory: EL2 reads the ID registers again */
static int __init pkvm_smmu_size(struct pkvm_smmu_claim *claim,
				 struct pkvm_smmu_desc *desc)
{
	void __iomem *base = ioremap(desc->mmio.base, ARM_SMMU_REG_SZ);
	u32 idr0, idr1, idr5;
	u64 strtab_size;
	u8 sid_bits;
	int ret;

	if (!base)
		return -ENOMEM;

	idr0 = readl_relaxed(base + ARM_SMMU_IDR0);
	idr1 = readl_relaxed(base + ARM_SMMU_IDR1);
	idr5 = readl_relaxed(base + ARM_SMMU_IDR5);
	iounmap(base);

	claim->oas_bits = pkvm_smmu_oas_to_bits(FIELD_GET(IDR5_OAS, idr5));
	claim->msis = idr0 & IDR0_MSI;
	strtab_size = pkvm_smmu_strtab_size(idr0, idr1, &sid_bits,
					    &claim->two_level);
	ret = pkvm_smmu_alloc(&desc->strtab, strtab_size);
	if (ret)
		return ret;

	return pkvm_smmu_alloc(&desc->cmdq,
			       BIT(PKVM_SMMU_CMDQ_SHIFT + CMDQ_ENT_SZ_SHIFT));
}

/*
 * Pages for the stage 2 in the worst case, in which all RAM is mapped in pages,
 * and for second-level stream tables.
 */
static unsigned long __init
pkvm_smmu_pool_pages(const struct pkvm_smmu_config *cfg)
{
	unsigned long pages = __hyp_pgtable_total_pages();
	u8 ia_bits = PKVM_SMMU_MAX_OAS_BITS;
	struct pkvm_smmu_claim *claim;
	unsigned int table_bits;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		ia_bits = min(ia_bits, claim->oas_bits);
		if (claim->two_level)
			pages += PKVM_SMMU_L2_TABLES;
	}

	/* Everything else is mapped in blocks: what one table of blocks covers */
	table_bits = PAGE_SHIFT + (4 - pkvm_smmu_block_level(ia_bits)) *
		     (PAGE_SHIFT - 3);
	if (ia_bits > table_bits)
		pages += BIT(ia_bits - table_bits);

	/* Two levels of table at both ends of each region and of each SMMU */
	pages += 4 * (kvm_nvhe_sym(hyp_memblock_nr) + cfg->nr_smmus);

	/* A concatenated root, and what it takes to have it aligned */
	return pages + 2 * BIT(4);
}

static int __init pkvm_smmu_fill_pool(struct pkvm_smmu_config *cfg)
{
	unsigned long pages = pkvm_smmu_pool_pages(cfg);
	unsigned int order = min_t(unsigned int, MAX_PAGE_ORDER, ilog2(pages));

	while (pages) {
		order = min_t(unsigned int, order, ilog2(pages));
		if (cfg->nr_chunks == PKVM_SMMU_MAX_POOL_CHUNKS)
			return -E2BIG;
		if (pkvm_smmu_alloc(&cfg->pool[cfg->nr_chunks], PAGE_SIZE << order)) {
			if (!order--)
				return -ENOMEM;
			continue;
		}
		cfg->nr_chunks++;
		pages -= BIT(order);
	}

	return 0;
}

static const struct of_device_id pkvm_smmu_of_match[] = {
	{ .compatible = "arm,smmu-v3", },
	{ },
};

static bool __init pkvm_smmu_is_claimed(const struct device_node *np)
{
	struct pkvm_smmu_claim *claim;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		if (claim->pdev->dev.of_node == np)
			return true;
	}

	return false;
}

/*
 * With these properties the host can stop an SMMU. They are in the node of the
 * SMMU, or of a bus above it. An SMMU that has lost its registers may let
 * transactions bypass it, and EL2 does not restore the registers.
 */
static const struct {
	const char	*list;
	const char	*cells;
	const char	*reason;
} pkvm_smmu_switches[] = {
	{ "power-domains", "#power-domain-cells",
	  "the host can switch it off (power-domains)" },
	{ "resets", "#reset-cells", "the host can reset it (resets)" },
	{ "clocks", "#clock-cells", "the host can stop its clock (clocks)" },
};

/*
 * Does the list have a provider that the host can use? A disabled provider has
 * registers as well. A fixed clock has none. A list that cannot be parsed
 * counts.
 */
static bool __init pkvm_smmu_has_switch(const struct device_node *np,
					const char *list, const char *cells)
{
	struct of_phandle_iterator it;
	int ret;

	of_for_each_phandle(&it, ret, np, list, cells, -1) {
		if (of_device_is_compatible(it.node, "fixed-clock"))
			continue;
		of_node_put(it.node);
		return true;
	}

	return ret != -ENOENT;
}

static const char * __init pkvm_smmu_find_switch(struct device_node *smmu)
{
	struct device_node *np;
	unsigned int i;

	for (np = of_node_get(smmu); np; np = of_get_next_parent(np)) {
		for (i = 0; i < ARRAY_SIZE(pkvm_smmu_switches); i++) {
			if (!pkvm_smmu_has_switch(np, pkvm_smmu_switches[i].list,
						  pkvm_smmu_switches[i].cells))
				continue;
			of_node_put(pkvm_smmu_culprit);
			pkvm_smmu_culprit = np;
			return pkvm_smmu_switches[i].reason;
		}
	}

	return NULL;
}

/*
 * Devices behind an SMMU that EL2 does not own would reach all memory. Search
 * the device tree: a node may have no device yet. A disabled node counts: the
 * hardware may be there, and transactions bypass it until it is configured.
 */
static const char * __init pkvm_smmu_find_obstacle(void)
{
	const char *reason;

	/* The IORT is not looked at yet */
	if (!acpi_disabled)
		return "machines with ACPI are not supported";

	for_each_compatible_node_scoped(np, NULL, "arm,smmu-v3") {
		of_node_put(pkvm_smmu_culprit);
		pkvm_smmu_culprit = of_node_get(np);
		if (!of_device_is_available(np))
			return "it is disabled by firmware";
		/* Invalidations have to be repeated, and CMDQV's queues are elsewhere */
		if (of_device_is_compatible(np, "nvidia,tegra264-smmu"))
			return refusal_str[PKVM_SMMU_ERRATUM];
		/* Page 1 of the registers is not where it should be */
		if (of_property_read_bool(np, "cavium,cn9900-broken-page1-regspace"))
			return refusal_str[PKVM_SMMU_BAD_MMIO];
		reason = pkvm_smmu_find_switch(np);
		if (reason)
			return reason;
		if (!pkvm_smmu_is_claimed(np))
			return "it could not be claimed";
	}

	/* A PMCG writes MSIs without translation, and EL2 does not own it */
	for_each_compatible_node_scoped(np, NULL, "arm,smmu-v3-pmcg") {
		of_node_put(pkvm_smmu_culprit);
		pkvm_smmu_culprit = of_node_get(np);
		return "a performance monitor of an SMMUv3 can write to memory";
	}

	of_node_put(pkvm_smmu_culprit);
	pkvm_smmu_culprit = NULL;
	return NULL;
}

static int __init pkvm_smmu_prepare(void)
{
	struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	struct pkvm_smmu_claim *claim;
	int ret = 0;

	guard(mutex)(&pkvm_smmu_mutex);
	pkvm_smmu_state = PKVM_SMMU_FROZEN;

	pkvm_smmu_obstacle = pkvm_smmu_find_obstacle();
	if (pkvm_smmu_obstacle)
		return -EINVAL;
	if (list_empty(&pkvm_smmu_claims))
		return -ENODEV;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		ret = pkvm_smmu_size(claim, &cfg->smmus[claim->index]);
		if (ret)
			break;
	}
	if (!ret)
		ret = pkvm_smmu_alloc(&cfg->shared, sizeof(*pkvm_smmu_shared));
	if (!ret) {
		pkvm_smmu_shared = phys_to_virt(cfg->shared.base);
		memset(pkvm_smmu_shared, 0, sizeof(*pkvm_smmu_shared));
		ret = pkvm_smmu_fill_pool(cfg);
	}
	if (ret == -E2BIG)
		pkvm_smmu_obstacle = "there is more RAM than EL2 has tables for";
	else if (ret)
		pkvm_smmu_obstacle = "out of memory";

	return ret;
}

static int pkvm_smmu_probe(struct platform_device *pdev)
{
	struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	struct resource *res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	struct pkvm_smmu_claim *claim;

	guard(mutex)(&pkvm_smmu_mutex);
	if (pkvm_smmu_state == PKVM_SMMU_DECLINED)
		return -ENODEV;
	if (pkvm_smmu_state == PKVM_SMMU_FROZEN) {
		/* Be bound, to keep the host's driver away from the hardware */
		dev_err(&pdev->dev, "not known to EL2: it gets no driver\n");
		return 0;
	}
	if (cfg->nr_smmus == PKVM_SMMU_MAX_DEVICES || !res)
		return -ENODEV;

	claim = devm_kzalloc(&pdev->dev, sizeof(*claim), GFP_KERNEL);
	if (!claim)
		return -ENOMEM;

	claim->pdev = pdev;
	claim->index = cfg->nr_smmus++;
	cfg->smmus[claim->index] = (struct pkvm_smmu_desc) {
		.mmio.base	= res->start,
		.mmio.size	= resource_size(res),
		.coherent	= of_dma_is_coherent(pdev->dev.of_node),
		.msi_parent	= of_property_present(pdev->dev.of_node, "msi-parent") ||
				  of_property_present(pdev->dev.of_node, "msi-map"),
		.refusal	= PKVM_SMMU_NOT_TRIED,
	};
	list_add_tail(&claim->entry, &pkvm_smmu_claims);
	platform_set_drvdata(pdev, claim);

	return 0;
}

/* EL2 keeps the SMMU, and its place in the configuration */
static void pkvm_smmu_remove(struct platform_device *pdev)
{
	struct pkvm_smmu_claim *claim = platform_get_drvdata(pdev);

	if (!claim)
		return;

	scoped_guard(mutex, &pkvm_smmu_mutex)
		list_del(&claim->entry);
	debugfs_remove(claim->debugfs);
	faux_device_destroy(claim->host);
}

static struct platform_driver pkvm_smmu_driver = {
	.driver	= {
		.name			= "arm-smmu-v3-pkvm",
		.of_match_table		= pkvm_smmu_of_match,
		.suppress_bind_attrs	= true,
		.probe_type		= PROBE_FORCE_SYNCHRONOUS,
	},
	.probe		= pkvm_smmu_probe,
	.remove		= pkvm_smmu_remove,
};

/*
 * Publish the SMMU that the host gets, as the IORT code does with each of its
 * SMMUs. The host's driver matches the device by its name; this driver does not
 * match it, as the node belongs to another device.
 */
static int pkvm_smmu_host_probe(struct faux_device *host)
{
	struct platform_device *pdev = to_platform_device(host->dev.parent);
	struct pkvm_smmu_claim *claim = platform_get_drvdata(pdev);
	struct platform_device *child;
	int ret;

	child = platform_device_alloc("arm-smmu-v3", PLATFORM_DEVID_AUTO);
	if (!child)
		return -ENOMEM;

	child->dev.parent = &host->dev;
	platform_device_set_of_node_from_dev(child, &pdev->dev);
	/* EL2 offers IDR0.MSI for CMD_SYNC, whatever the hardware has */
	if (claim->msis)
		dev_set_msi_domain(&child->dev, dev_get_msi_domain(&pdev->dev));
	ret = platform_device_add_resources(child, pdev->resource,
					    pdev->num_resources);
	if (!ret)
		ret = platform_device_add(child);
	if (ret) {
		platform_device_put(child);
		return ret;
	}

	faux_device_set_drvdata(host, child);
	return 0;
}

static void pkvm_smmu_host_remove(struct faux_device *host)
{
	platform_device_unregister(faux_device_get_drvdata(host));
}

static const struct faux_device_ops pkvm_smmu_host_ops = {
	.probe	= pkvm_smmu_host_probe,
	.remove	= pkvm_smmu_host_remove,
};

static const char * const count_str[PKVM_SMMU_NR_COUNTS] = {
	[PKVM_SMMU_DENIED_MMIO]		= "mmio",
	[PKVM_SMMU_DENIED_CMD]		= "command",
	[PKVM_SMMU_DENIED_STE]		= "ste",
	[PKVM_SMMU_DENIED_DMA]		= "dma",
	[PKVM_SMMU_FAILED_TIMEOUT]	= "timeout",
	[PKVM_SMMU_FAILED_BROKEN]	= "broken",
	[PKVM_SMMU_FAILED_TABLE]	= "table",
	[PKVM_SMMU_FAILED_MAP]		= "map",
	[PKVM_SMMU_FAILED_IRQ]		= "irq",
	[PKVM_SMMU_TRAPS]		= "traps",
	[PKVM_SMMU_CMDS]		= "commands",
	[PKVM_SMMU_HW_CMDS]		= "hw_commands",
};

static u64 pkvm_smmu_count(const struct pkvm_smmu_claim *claim, unsigned int what)
{
	return READ_ONCE(pkvm_smmu_shared->smmu[claim->index].n[what]);
}

static void show_counts(struct seq_file *m, unsigned int from, unsigned int to)
{
	for (; from <= to; from++)
		seq_printf(m, "%s %llu\n", count_str[from],
			   pkvm_smmu_count(m->private, from));
}

static int denied_show(struct seq_file *m, void *v)
{
	show_counts(m, PKVM_SMMU_DENIED_MMIO, PKVM_SMMU_DENIED_DMA);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(denied);

static int failed_show(struct seq_file *m, void *v)
{
	show_counts(m, PKVM_SMMU_FAILED_TIMEOUT, PKVM_SMMU_FAILED_IRQ);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(failed);

static int stats_show(struct seq_file *m, void *v)
{
	const struct pkvm_smmu_pool_counts *pool = &pkvm_smmu_shared->pool;

	show_counts(m, PKVM_SMMU_TRAPS, PKVM_SMMU_HW_CMDS);
	seq_printf(m, "pool_pages %llu\npool_used %llu\npool_peak %llu\n",
		   READ_ONCE(pool->all), READ_ONCE(pool->used),
		   READ_ONCE(pool->peak));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static void __init pkvm_smmu_init_debugfs(struct pkvm_smmu_claim *claim)
{
	static struct dentry *root __initdata;

	if (!root)
		root = debugfs_create_dir("arm-smmu-v3-pkvm", NULL);
	claim->debugfs = debugfs_create_dir(dev_name(&claim->pdev->dev), root);
	debugfs_create_file("denied", 0444, claim->debugfs, claim, &denied_fops);
	debugfs_create_file("failed", 0444, claim->debugfs, claim, &failed_fops);
	debugfs_create_file("stats", 0444, claim->debugfs, claim, &stats_fops);
}

static const char * const failure_str[PKVM_SMMU_NR_COUNTS] = {
	[PKVM_SMMU_FAILED_TIMEOUT]	= "commands did not complete in time",
	[PKVM_SMMU_FAILED_BROKEN]	= "reset or in error: no page can leave the host",
	[PKVM_SMMU_FAILED_TABLE]	= "no more second-level stream tables: streams abort",
	[PKVM_SMMU_FAILED_MAP]		= "no more pages for tables: devices lack memory",
	[PKVM_SMMU_FAILED_IRQ]		= "an interrupt could not be raised",
};

static void pkvm_smmu_log_failures(struct pkvm_smmu_claim *claim)
{
	unsigned int what;

	for (what = PKVM_SMMU_FAILED_TIMEOUT; what <= PKVM_SMMU_FAILED_IRQ; what++) {
		u64 n = pkvm_smmu_count(claim, what);

		if (n == claim->logged[what])
			continue;
		dev_warn(&claim->pdev->dev, "%s (%llu times)\n",
			 failure_str[what], n);
		claim->logged[what] = n;
	}
}

/*
 * EL2 can neither log nor interrupt EL1. Look at its counts, which is no trap. So
 * there is at most one line for each SMMU and failure in a period.
 */
#define PKVM_SMMU_LOG_PERIOD	(2 * HZ)

static void pkvm_smmu_log(struct work_struct *work)
{
	struct pkvm_smmu_claim *claim;

	scoped_guard(mutex, &pkvm_smmu_mutex) {
		list_for_each_entry(claim, &pkvm_smmu_claims, entry)
			pkvm_smmu_log_failures(claim);
	}
	queue_delayed_work(system_power_efficient_wq, to_delayed_work(work),
			   PKVM_SMMU_LOG_PERIOD);
}

static DECLARE_DEFERRABLE_WORK(pkvm_smmu_log_work, pkvm_smmu_log);

static void __init pkvm_smmu_create_host(struct pkvm_smmu_claim *claim)
{
	struct device *dev = &claim->pdev->dev;
	char *name = kasprintf(GFP_KERNEL, "%s-host", dev_name(dev));

	if (name)
		claim->host = faux_device_create(name, dev, &pkvm_smmu_host_ops);
	if (!claim->host)
		dev_err(dev, "no device for the host's driver\n");
	kfree(name);
}

/* GBPA must not be written while UPDATE is set (IHI 0070, 6.3.14) */
static int __init pkvm_smmu_wait_gbpa(void __iomem *base)
{
	u32 reg;

	return readl_relaxed_poll_timeout(base + ARM_SMMU_GBPA, reg,
					  !(reg & GBPA_UPDATE), 1,
					  ARM_SMMU_POLL_TIMEOUT_US);
}

/*
 * If EL2 has enabled the SMMU and left it so, disable it, and restore GBPA.
 * Returns false if the SMMU may still use the memory set aside for EL2.
 */
static bool __init pkvm_smmu_quiesce(const struct pkvm_smmu_desc *desc)
{
	void __iomem *base;
	u32 reg;
	int ret;

	if (desc->refusal != PKVM_SMMU_OK && desc->refusal != PKVM_SMMU_NO_ANSWER)
		return true;

	base = ioremap(desc->mmio.base, ARM_SMMU_REG_SZ);
	if (!base)
		return false;

	writel_relaxed(0, base + ARM_SMMU_CR0);
	ret = readl_relaxed_poll_timeout(base + ARM_SMMU_CR0ACK, reg, !reg, 1,
					 ARM_SMMU_POLL_TIMEOUT_US);
	if (!ret && !pkvm_smmu_wait_gbpa(base)) {
		writel_relaxed(desc->found_gbpa | GBPA_UPDATE, base + ARM_SMMU_GBPA);
		pkvm_smmu_wait_gbpa(base);
	}
	iounmap(base);

	return !ret;
}

static const char * __init pkvm_smmu_find_refusal(void)
{
	struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	struct pkvm_smmu_claim *claim;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		u32 refusal = cfg->smmus[claim->index].refusal;

		if (refusal > PKVM_SMMU_NOT_TRIED &&
		    refusal < PKVM_SMMU_NR_REFUSALS) {
			pkvm_smmu_culprit = of_node_get(claim->pdev->dev.of_node);
			return refusal_str[refusal];
		}
	}

	return "protected KVM did not initialise";
}

/* Let the host's driver bind to the SMMU itself */
static void __init pkvm_smmu_give_back(struct device_node *np)
{
	struct platform_device *pdev = of_find_device_by_node(np);
	int ret;

	if (!pdev)
		return;

	ret = device_attach(&pdev->dev);
	/* The driver core tries again where a probe was deferred */
	if (ret < 0 && ret != -EPROBE_DEFER)
		dev_warn(&pdev->dev, "could not be given back\n");
	platform_device_put(pdev);
}

static void __init pkvm_smmu_decline(void)
{
	struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	bool quiet = true;
	unsigned int i;

	scoped_guard(mutex, &pkvm_smmu_mutex) {
		if (!pkvm_smmu_obstacle)
			pkvm_smmu_obstacle = pkvm_smmu_find_refusal();
		/* An SMMU that probes from now on is the host's */
		pkvm_smmu_state = PKVM_SMMU_DECLINED;
	}
	if (pkvm_smmu_culprit)
		pr_warn("DMA is not isolated: %pOF: %s\n", pkvm_smmu_culprit,
			pkvm_smmu_obstacle);
	else
		pr_warn("DMA is not isolated: %s\n", pkvm_smmu_obstacle);
	of_node_put(pkvm_smmu_culprit);

	for (i = 0; i < cfg->nr_smmus; i++)
		quiet &= pkvm_smmu_quiesce(&cfg->smmus[i]);
	if (quiet) {
		for (i = 0; i < cfg->nr_smmus; i++) {
			pkvm_smmu_free(&cfg->smmus[i].cmdq);
			pkvm_smmu_free(&cfg->smmus[i].strtab);
		}
		for (i = 0; i < cfg->nr_chunks; i++)
			pkvm_smmu_free(&cfg->pool[i]);
		pkvm_smmu_free(&cfg->shared);
	}

	platform_driver_unregister(&pkvm_smmu_driver);
	for_each_compatible_node_scoped(np, NULL, "arm,smmu-v3")
		pkvm_smmu_give_back(np);
}

static void __init pkvm_smmu_finalise(int err)
{
	struct pkvm_smmu_claim *claim;

	if (err == -ENODEV) {
		pkvm_smmu_decline();
		return;
	}

	/* Every stream aborts, but a CPU that kept its privileges can undo that */
	if (err) {
		pr_err("DMA is not isolated: protected KVM did not finalise\n");
		return;
	}

	guard(mutex)(&pkvm_smmu_mutex);
	if (list_empty(&pkvm_smmu_claims))
		pr_warn("DMA is not isolated: there is no SMMUv3\n");
	else
		queue_delayed_work(system_power_efficient_wq, &pkvm_smmu_log_work, 0);
	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		dev_info(&claim->pdev->dev,
			 "taken over by EL2, DMA is isolated\n");
		pkvm_smmu_init_debugfs(claim);
		pkvm_smmu_create_host(claim);
	}
}

static const struct kvm_iommu_driver pkvm_smmu_iommu_driver __initconst = {
	.el2_ops	= &kvm_nvhe_sym(pkvm_smmu_ops),
	.prepare	= pkvm_smmu_prepare,
	.finalise	= pkvm_smmu_finalise,
};

static int __init pkvm_smmu_driver_init(void)
{
	if (!is_protected_kvm_enabled())
		return 0;

	kvm_iommu_register_driver(&pkvm_smmu_iommu_driver);
	return platform_driver_register(&pkvm_smmu_driver);
}

/* The devices exist. Neither KVM nor the host's driver is initialised yet. */
subsys_initcall(pkvm_smmu_driver_init);
