// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMUv3s of a protected KVM host.
 *
 * This driver claims every SMMUv3 before the ordinary driver can, describes them
 * to EL2, and sets memory aside for it. Once EL2 has taken them and the host has
 * lost its privileges, each gets a faux device as its child, on which the ordinary
 * driver probes: same registers, which now trap, same interrupts, same DMA
 * properties. The ordinary driver may come later, as a module.
 *
 * Without protected KVM, or if it does not come up, the devices are given back and
 * the ordinary driver binds to them as ever. A line in the log says so.
 *
 * If it does come up, but not all CPUs lose their privileges, then EL2 keeps the
 * SMMUs, there is no child, and every stream aborts.
 *
 * What is described to EL2 is frozen when KVM initialises: an SMMU that the device
 * tree has and that isn't known by then makes protected KVM fail, and one that
 * appears later gets no driver.
 */
#define pr_fmt(fmt) "arm-smmu-v3-pkvm: " fmt

#include <linux/acpi.h>
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/device/devres.h>
#include <linux/device/faux.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_device.h>
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
	PKVM_SMMU_CLAIMING,	/* until EL2 is told of them */
	PKVM_SMMU_FROZEN,	/* EL2 has its chance */
	PKVM_SMMU_ISOLATED,	/* EL2 has them all */
	PKVM_SMMU_DECLINED,	/* EL2 has none */
};

/**
 * struct pkvm_smmu_claim - an SMMU that this driver is bound to
 * @pdev:	the SMMU; NULL if the device has gone since
 * @child:	where the ordinary driver probes, or NULL
 * @oas_bits:	its output address size
 * @two_level:	its shadow stream table has two levels
 * @msis:	it can signal its interrupts by MSIs
 * @seen:	what EL2 had counted of its failures when the log said so last
 *
 * Slots have the same index as in EL2's configuration.
 */
struct pkvm_smmu_claim {
	struct platform_device	*pdev;
	struct faux_device	*child;
	u8			oas_bits;
	bool			two_level;
	bool			msis;
	u64			seen[PKVM_SMMU_NR_COUNTS];
};

static struct pkvm_smmu_claim claims[PKVM_SMMU_MAX_DEVICES];
static unsigned int nr_claims;
static enum pkvm_smmu_state pkvm_smmu_state;
static const struct arm_smmu_pkvm_host *pkvm_smmu_host;
static bool pkvm_smmu_registered;
static struct pkvm_smmu_shared *pkvm_smmu_shared;

/*
 * Serialises all of the above. Taken with the device_lock() of an SMMU held, and
 * never the other way round; that of a child is taken with this one held.
 */
static DEFINE_MUTEX(pkvm_smmu_mutex);

/* Why EL1 would not hand an SMMU to EL2 */
static const char *pkvm_smmu_obstacle;
/* The node or the device that it is about, if it is about one */
static const char *pkvm_smmu_culprit;

static const char * const refusal_str[PKVM_SMMU_NR_REFUSALS] = {
	[PKVM_SMMU_NOT_TRIED]		= "not tried",
	[PKVM_SMMU_NO_MEMORY]		= "not enough memory was set aside",
	[PKVM_SMMU_BAD_MMIO]		= "its registers are not MMIO of the host's, or too few",
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

static int pkvm_smmu_alloc(struct pkvm_smmu_mem *mem, size_t size)
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

static void pkvm_smmu_free(struct pkvm_smmu_mem *mem)
{
	if (mem->size)
		free_pages_exact(phys_to_virt(mem->base), mem->size);
	*mem = (struct pkvm_smmu_mem) {};
}

/* EL2 looks at the registers itself: this is only about how much memory it needs */
static int __init pkvm_smmu_size(struct pkvm_smmu_claim *claim, struct pkvm_smmu_desc *desc)
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
	strtab_size = pkvm_smmu_strtab_size(idr0, idr1, &sid_bits, &claim->two_level);
	ret = pkvm_smmu_alloc(&desc->strtab, strtab_size);
	if (ret)
		return ret;

	return pkvm_smmu_alloc(&desc->cmdq, BIT(PKVM_SMMU_CMDQ_SHIFT + CMDQ_ENT_SZ_SHIFT));
}

/*
 * Pages for the stage 2 in the worst case, which is all RAM mapped page by page,
 * and for second levels of stream tables.
 */
static unsigned long __init pkvm_smmu_pool_pages(void)
{
	unsigned long pages = __hyp_pgtable_total_pages();
	u8 ia_bits = PKVM_SMMU_MAX_OAS_BITS;
	unsigned int i, block_table_bits;

	for (i = 0; i < nr_claims; i++) {
		ia_bits = min(ia_bits, claims[i].oas_bits);
		if (claims[i].two_level)
			pages += PKVM_SMMU_L2_TABLES;
	}

	/* What isn't RAM is mapped in blocks: a table of them covers this many bits */
	block_table_bits = PAGE_SHIFT + (4 - pkvm_smmu_block_level(ia_bits)) * (PAGE_SHIFT - 3);
	if (ia_bits > block_table_bits)
		pages += BIT(ia_bits - block_table_bits);

	/* Two levels of table at both ends of each region and of each hole for an SMMU */
	pages += 4 * (kvm_nvhe_sym(hyp_memblock_nr) + nr_claims);

	/* A concatenated root, and what it takes to have it aligned */
	return pages + 2 * BIT(4);
}

static int __init pkvm_smmu_fill_pool(struct pkvm_smmu_config *cfg)
{
	unsigned long pages = pkvm_smmu_pool_pages();
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

static struct pkvm_smmu_claim *pkvm_smmu_find(const struct device_node *np)
{
	unsigned int i;

	for (i = 0; i < nr_claims; i++) {
		if (claims[i].pdev && claims[i].pdev->dev.of_node == np)
			return &claims[i];
	}

	return NULL;
}

/*
 * Never half: devices behind an SMMU that EL2 doesn't hear of would reach all
 * memory. The device tree is asked, as a device may not exist yet. That a node is
 * disabled doesn't mean that the hardware isn't there: an SMMU that nobody has
 * configured lets everything pass.
 */
static const char * __init pkvm_smmu_find_obstacle(void)
{
	/* The IORT is not looked at yet */
	if (!acpi_disabled)
		return "machines with ACPI are not supported";

	for_each_compatible_node_scoped(np, NULL, "arm,smmu-v3") {
		pkvm_smmu_culprit = np->full_name;
		if (!of_device_is_available(np))
			return "it is disabled by firmware";
		/* Invalidations have to be repeated, and CMDQV's queues are elsewhere */
		if (of_device_is_compatible(np, "nvidia,tegra264-smmu"))
			return refusal_str[PKVM_SMMU_ERRATUM];
		/* Page 1 of the registers is not where it should be */
		if (of_property_read_bool(np, "cavium,cn9900-broken-page1-regspace"))
			return refusal_str[PKVM_SMMU_BAD_MMIO];
		if (!pkvm_smmu_find(np))
			return "it could not be claimed";
	}

	/* They write MSIs to any address, and their registers may be elsewhere */
	for_each_compatible_node_scoped(np, NULL, "arm,smmu-v3-pmcg") {
		pkvm_smmu_culprit = np->full_name;
		return "a performance monitor of an SMMUv3 can write to memory";
	}

	pkvm_smmu_culprit = NULL;
	return NULL;
}

static int __init pkvm_smmu_prepare(void)
{
	struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	unsigned int i;
	int ret;

	guard(mutex)(&pkvm_smmu_mutex);
	pkvm_smmu_state = PKVM_SMMU_FROZEN;

	pkvm_smmu_obstacle = pkvm_smmu_find_obstacle();
	if (pkvm_smmu_obstacle)
		return -EINVAL;
	if (!nr_claims)
		return -ENODEV;

	for (i = 0; i < nr_claims; i++) {
		ret = pkvm_smmu_size(&claims[i], &cfg->smmus[i]);
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

	guard(mutex)(&pkvm_smmu_mutex);
	if (pkvm_smmu_state == PKVM_SMMU_DECLINED)
		return -ENODEV;
	if (pkvm_smmu_state != PKVM_SMMU_CLAIMING) {
		/* Bound, so that the ordinary driver doesn't come, and with no child */
		dev_err(&pdev->dev, "came too late for EL2, and gets no driver\n");
		return 0;
	}
	if (nr_claims == PKVM_SMMU_MAX_DEVICES || !res)
		return -ENODEV;

	cfg->smmus[nr_claims] = (struct pkvm_smmu_desc) {
		.mmio.base	= res->start,
		.mmio.size	= resource_size(res),
		.coherent	= of_dma_is_coherent(pdev->dev.of_node),
		.msi_parent	= of_property_present(pdev->dev.of_node, "msi-parent") ||
				  of_property_present(pdev->dev.of_node, "msi-map"),
		.refusal	= PKVM_SMMU_NOT_TRIED,
	};
	claims[nr_claims].pdev = to_platform_device(get_device(&pdev->dev));
	cfg->nr_smmus = ++nr_claims;

	return 0;
}

/* The SMMU stays EL2's, and so does the slot */
static void pkvm_smmu_remove(struct platform_device *pdev)
{
	struct pkvm_smmu_claim *claim;

	guard(mutex)(&pkvm_smmu_mutex);
	claim = pkvm_smmu_find(pdev->dev.of_node);
	if (!claim)
		return;

	if (claim->child)
		faux_device_destroy(claim->child);
	claim->child = NULL;
	claim->pdev = NULL;
	put_device(&pdev->dev);
}

static void pkvm_smmu_shutdown(struct platform_device *pdev)
{
	struct pkvm_smmu_claim *claim;

	guard(mutex)(&pkvm_smmu_mutex);
	claim = pkvm_smmu_find(pdev->dev.of_node);
	/* The faux bus has no shutdown of its own */
	if (claim && claim->child)
		pkvm_smmu_host->shutdown(pdev);
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
	.shutdown	= pkvm_smmu_shutdown,
};

static void pkvm_smmu_put_of_node(void *dev)
{
	device_remove_of_node(dev);
}

static int pkvm_smmu_child_probe(struct faux_device *fdev)
{
	struct device *dev = &fdev->dev;
	struct platform_device *pdev = to_platform_device(dev->parent);
	struct pkvm_smmu_claim *claim = pkvm_smmu_find(pdev->dev.of_node);
	int ret;

	/* A faux device is born without any of this */
	device_set_of_node_from_dev(dev, &pdev->dev);
	ret = devm_add_action_or_reset(dev, pkvm_smmu_put_of_node, dev);
	if (ret)
		return ret;
	dev->coherent_dma_mask = DMA_BIT_MASK(32);
	dev->dma_mask = &dev->coherent_dma_mask;
	/* The host sees IDR0.MSI in any case, for CMD_SYNC (pkvm/probe.c) */
	if (claim->msis)
		dev_set_msi_domain(dev, dev_get_msi_domain(&pdev->dev));
	ret = of_dma_configure(dev, dev->of_node, true);
	if (!ret) {
		/* See arm_smmu_pkvm_dev(). A faux device is never tried again later */
		claim->child = fdev;
		ret = pkvm_smmu_host->probe(pdev);
	}
	/* What it has left there goes with the child */
	if (ret)
		platform_set_drvdata(pdev, NULL);

	return ret;
}

static void pkvm_smmu_child_remove(struct faux_device *fdev)
{
	struct platform_device *pdev = to_platform_device(fdev->dev.parent);

	pkvm_smmu_host->remove(pdev);
	platform_set_drvdata(pdev, NULL);
}

static const struct faux_device_ops pkvm_smmu_child_ops = {
	.probe	= pkvm_smmu_child_probe,
	.remove	= pkvm_smmu_child_remove,
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
	return READ_ONCE(pkvm_smmu_shared->smmu[claim - claims].n[what]);
}

static void show_counts(struct seq_file *m, unsigned int from, unsigned int to)
{
	for (; from <= to; from++)
		seq_printf(m, "%s %llu\n", count_str[from], pkvm_smmu_count(m->private, from));
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
		   READ_ONCE(pool->all), READ_ONCE(pool->used), READ_ONCE(pool->peak));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static void __init pkvm_smmu_init_debugfs(void)
{
	struct dentry *root = debugfs_create_dir("arm-smmu-v3-pkvm", NULL);
	unsigned int i;

	for (i = 0; i < nr_claims; i++) {
		struct pkvm_smmu_claim *claim = &claims[i];
		struct dentry *dir;

		if (!claim->pdev)
			continue;
		dir = debugfs_create_dir(dev_name(&claim->pdev->dev), root);
		debugfs_create_file("denied", 0444, dir, claim, &denied_fops);
		debugfs_create_file("failed", 0444, dir, claim, &failed_fops);
		debugfs_create_file("stats", 0444, dir, claim, &stats_fops);
	}
}

static const char * const failure_str[PKVM_SMMU_NR_COUNTS] = {
	[PKVM_SMMU_FAILED_TIMEOUT]	= "it did not complete commands in time",
	[PKVM_SMMU_FAILED_BROKEN]	= "it was reset or has an error, so no page can leave the host",
	[PKVM_SMMU_FAILED_TABLE]	= "streams abort, as EL2 has no more second-level stream tables",
	[PKVM_SMMU_FAILED_MAP]		= "devices can't reach all memory, as EL2 has no more pages for tables",
	[PKVM_SMMU_FAILED_IRQ]		= "EL2 could not raise an interrupt",
};

/* EL2 can't log, nor interrupt EL1. So look now and then; it costs no trap */
#define PKVM_SMMU_WATCH_PERIOD	(2 * HZ)

static void pkvm_smmu_watch(struct work_struct *work)
{
	unsigned int i, what;

	guard(mutex)(&pkvm_smmu_mutex);
	for (i = 0; i < nr_claims; i++) {
		struct pkvm_smmu_claim *claim = &claims[i];

		for (what = PKVM_SMMU_FAILED_TIMEOUT; what <= PKVM_SMMU_FAILED_IRQ; what++) {
			u64 n = pkvm_smmu_count(claim, what);

			if (claim->pdev && n != claim->seen[what])
				dev_warn_ratelimited(&claim->pdev->dev, "%s (%llu times)\n",
						     failure_str[what], n);
			claim->seen[what] = n;
		}
	}
	queue_delayed_work(system_power_efficient_wq, to_delayed_work(work),
			   PKVM_SMMU_WATCH_PERIOD);
}

static DECLARE_DEFERRABLE_WORK(pkvm_smmu_watch_work, pkvm_smmu_watch);

static void pkvm_smmu_create_children(void)
{
	unsigned int i;

	lockdep_assert_held(&pkvm_smmu_mutex);
	if (!pkvm_smmu_host || pkvm_smmu_state != PKVM_SMMU_ISOLATED)
		return;

	for (i = 0; i < nr_claims; i++) {
		struct device *dev;
		char *name;

		if (!claims[i].pdev)
			continue;
		dev = &claims[i].pdev->dev;
		name = kasprintf(GFP_KERNEL, "%s-host", dev_name(dev));
		if (name)
			claims[i].child = faux_device_create(name, dev, &pkvm_smmu_child_ops);
		if (!claims[i].child)
			dev_err(dev, "the host's driver did not probe\n");
		kfree(name);
	}
}

/**
 * arm_smmu_pkvm_dev() - the device that the ordinary driver lives on
 * @pdev:	the SMMU
 *
 * Return: the child that is being probed, or the SMMU's own device if EL2 doesn't
 * own it.
 */
struct device *arm_smmu_pkvm_dev(struct platform_device *pdev)
{
	if (pdev->dev.driver != &pkvm_smmu_driver.driver)
		return &pdev->dev;

	lockdep_assert_held(&pkvm_smmu_mutex);
	return &pkvm_smmu_find(pdev->dev.of_node)->child->dev;
}
EXPORT_SYMBOL_GPL(arm_smmu_pkvm_dev);

/**
 * arm_smmu_pkvm_register() - the ordinary driver has arrived
 * @host:	its entry points
 *
 * It probes on a child of each SMMU that EL2 owns, now or once EL2 does.
 */
void arm_smmu_pkvm_register(const struct arm_smmu_pkvm_host *host)
{
	guard(mutex)(&pkvm_smmu_mutex);
	pkvm_smmu_host = host;
	pkvm_smmu_create_children();
}
EXPORT_SYMBOL_GPL(arm_smmu_pkvm_register);

/**
 * arm_smmu_pkvm_unregister() - the ordinary driver is about to go
 *
 * Its children are removed. EL2 keeps the SMMUs, and every stream aborts.
 */
void arm_smmu_pkvm_unregister(void)
{
	unsigned int i;

	guard(mutex)(&pkvm_smmu_mutex);
	for (i = 0; i < nr_claims; i++) {
		if (claims[i].child)
			faux_device_destroy(claims[i].child);
		claims[i].child = NULL;
	}
	pkvm_smmu_host = NULL;
}
EXPORT_SYMBOL_GPL(arm_smmu_pkvm_unregister);

/* Both before a change of GBPA and after it */
static int pkvm_smmu_wait_gbpa(void __iomem *base)
{
	u32 reg;

	return readl_relaxed_poll_timeout(base + ARM_SMMU_GBPA, reg, !(reg & GBPA_UPDATE), 1,
					  ARM_SMMU_POLL_TIMEOUT_US);
}

/*
 * Protected KVM did not come up. If EL2 has enabled the SMMU, and has not undone
 * that, then leave it disabled, with GBPA as it was found. Returns false if it may
 * still use EL2's memory.
 */
static bool pkvm_smmu_quiesce(const struct pkvm_smmu_desc *desc)
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

static const char *pkvm_smmu_why_not(void)
{
	struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	unsigned int i;

	if (pkvm_smmu_obstacle)
		return pkvm_smmu_obstacle;

	for (i = 0; i < cfg->nr_smmus; i++) {
		u32 refusal = cfg->smmus[i].refusal;

		if (refusal > PKVM_SMMU_NOT_TRIED && refusal < PKVM_SMMU_NR_REFUSALS) {
			if (claims[i].pdev)
				pkvm_smmu_culprit = dev_name(&claims[i].pdev->dev);
			return refusal_str[refusal];
		}
	}

	return "protected KVM did not initialise";
}

static int pkvm_smmu_give_back(struct device *dev, void *unused)
{
	/* Deferred is fine: it will be tried again. Others are none of our business */
	if (of_match_node(pkvm_smmu_of_match, dev->of_node)) {
		int ret = device_attach(dev);

		if (ret < 0 && ret != -EPROBE_DEFER)
			dev_warn(dev, "could not be given back\n");
	}

	return 0;
}

static void __init pkvm_smmu_decline(void)
{
	struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	const char *why_not = pkvm_smmu_why_not();
	bool quiet = true;
	unsigned int i;

	if (pkvm_smmu_culprit)
		pr_warn("DMA is not isolated: %s: %s\n", pkvm_smmu_culprit, why_not);
	else
		pr_warn("DMA is not isolated: %s\n", why_not);

	/* No more claims: an SMMU that probes from now on is the ordinary driver's */
	scoped_guard(mutex, &pkvm_smmu_mutex)
		pkvm_smmu_state = PKVM_SMMU_DECLINED;

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

	if (pkvm_smmu_registered)
		platform_driver_unregister(&pkvm_smmu_driver);
	bus_for_each_dev(&platform_bus_type, NULL, NULL, pkvm_smmu_give_back);
}

static void __init pkvm_smmu_finalise(int err)
{
	unsigned int i;

	if (!is_protected_kvm_enabled()) {
		pr_info("DMA is not isolated: protected KVM is not enabled\n");
		return;
	}
	if (!is_pkvm_initialized()) {
		pkvm_smmu_decline();
		return;
	}

	guard(mutex)(&pkvm_smmu_mutex);
	/* Every stream aborts, but a CPU that has all privileges can change that */
	if (err) {
		pr_err("DMA is not isolated: protected KVM did not finalise\n");
		return;
	}
	if (!nr_claims) {
		pr_warn("DMA is not isolated: there is no SMMUv3\n");
		return;
	}

	pkvm_smmu_state = PKVM_SMMU_ISOLATED;
	for (i = 0; i < nr_claims; i++) {
		if (claims[i].pdev)
			dev_info(&claims[i].pdev->dev, "taken over by EL2, DMA is isolated\n");
	}
	pkvm_smmu_init_debugfs();
	queue_delayed_work(system_power_efficient_wq, &pkvm_smmu_watch_work, 0);
	pkvm_smmu_create_children();
}

static const struct kvm_iommu_driver pkvm_smmu_iommu_driver __initconst = {
	.el2_ops	= &kvm_nvhe_sym(pkvm_smmu_ops),
	.prepare	= pkvm_smmu_prepare,
	.finalise	= pkvm_smmu_finalise,
};

static int __init pkvm_smmu_driver_init(void)
{
	int ret;

	kvm_iommu_register_driver(&pkvm_smmu_iommu_driver);
	if (!is_protected_kvm_enabled())
		return 0;

	ret = platform_driver_register(&pkvm_smmu_driver);
	pkvm_smmu_registered = !ret;

	return ret;
}

/* After the devices have been created, before KVM and before any driver of theirs */
subsys_initcall(pkvm_smmu_driver_init);
