// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SMMUv3s of a protected KVM host: the half of the driver at EL1.
 *
 * - With kvm-arm.mode=protected this driver binds to every SMMUv3 that firmware
 *   offers to the kernel, before the host's SMMUv3 driver ("arm-smmu-v3") is
 *   registered.
 * - When KVM initialises, it describes the SMMUs to EL2 and sets memory aside
 *   for EL2's tables and queues. The description is final from then on. If
 *   this driver is not bound to such an SMMU, or if EL2 can't isolate one, then
 *   protected KVM does not start. The parameter "require" can ask for more, or
 *   for less.
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
 * If protected KVM was asked for and no DMA is isolated, one line in the log
 * gives the reason. arm-smmu-v3-pkvm-report.c lists devices that are not behind
 * an SMMUv3. A kernel that was booted at EL1 logs neither: it cannot tell what
 * EL2 isolates. A crash kernel is such a kernel.
 * What EL2 could not do later on is logged for each SMMU.
 */
#define pr_fmt(fmt) "arm-smmu-v3-pkvm: " fmt

#include <linux/acpi.h>
#include <linux/amba/bus.h>
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/device/faux.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_device.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <linux/stringify.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include <asm/kvm_pkvm.h>
#include <asm/virt.h>

#include <kvm/arm_iommu.h>

#include "arm-smmu-v3.h"
#include "arm-smmu-v3-pkvm.h"
#include "arm-smmu-v3-pkvm-pmcg.h"
#include "arm-smmu-v3-pkvm-report.h"
#include "arm-smmu-v3-pkvm-sids.h"
#include "pkvm/config.h"
#include "pkvm/smmu.h"

/* Which SMMUs must be isolated for protected KVM to start */
enum pkvm_smmu_require {
	REQUIRE_AVAILABLE,	/* each that the kernel can use */
	REQUIRE_ALL,		/* each that firmware describes, at least one */
	REQUIRE_NONE,		/* the SMMUs stay with the host */
	REQUIRE_UNKNOWN,	/* protected KVM does not start */
};

static const char * const require_str[] = { "available", "all", "none" };

static enum pkvm_smmu_require pkvm_smmu_require;

/* A word that is not known must not be taken for the default */
static int require_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(require_str, val);

	pkvm_smmu_require = i < 0 ? REQUIRE_UNKNOWN : i;
	return 0;
}

static int require_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", pkvm_smmu_require == REQUIRE_UNKNOWN ?
			  "unknown" : require_str[pkvm_smmu_require]);
}

static const struct kernel_param_ops require_ops = {
	.set	= require_set,
	.get	= require_get,
};
module_param_cb(require, &require_ops, NULL, 0444);
MODULE_PARM_DESC(require, "SMMUv3s without which protected KVM does not start: available, all, none");

enum pkvm_smmu_state {
	PKVM_SMMU_CLAIMING,	/* an SMMU that probes is described to EL2 */
	PKVM_SMMU_FROZEN,	/* the description is final */
	PKVM_SMMU_DECLINED,	/* protected KVM did not start */
};

/**
 * struct pkvm_smmu_claim - an SMMU that is described to EL2
 * @entry:	in pkvm_smmu_claims
 * @pdev:	its device, whose driver data this is
 * @iort:	its node in the IORT; NULL with a device tree
 * @index:	its place in EL2's configuration, once that is final
 * @desc:	how it is described to EL2 there
 * @oas_bits:	its output address size
 * @iidr:	its IIDR
 * @msis:	the hardware can signal interrupts by MSIs
 * @host:	the SMMU that the host gets, or NULL
 * @logged:	the counts of failures that are in the log
 * @debugfs:	its directory
 */
struct pkvm_smmu_claim {
	struct list_head	entry;
	struct platform_device	*pdev;
	const struct acpi_iort_node *iort;
	unsigned int		index;
	struct pkvm_smmu_desc	desc;
	u8			oas_bits;
	u32			iidr;
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

/* EL2 gets a copy. EL1 cannot read that one after EL2 has taken over */
static struct pkvm_smmu_config pkvm_smmu_config __initdata;

/* By index: what EL1 describes to EL2, and EL2's answers; NULL if not there yet */
static struct pkvm_smmu_desc *pkvm_smmu_descs __initdata;

/* With ACPI: the table. It stays mapped, as claims point to its nodes */
static const struct acpi_table_iort *pkvm_smmu_iort;

/* What EL2 counts */
static struct pkvm_smmu_shared *pkvm_smmu_shared;

static bool pkvm_smmu_registered __initdata;

/* Why protected KVM did not start, and what is the reason, or NULL */
static const char *pkvm_smmu_obstacle;
static char *pkvm_smmu_culprit;

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

/* Keep the first reason. Takes over @culprit, which is from kasprintf() */
static int pkvm_smmu_refuse(char *culprit, const char *reason)
{
	if (pkvm_smmu_obstacle) {
		kfree(culprit);
	} else {
		pkvm_smmu_culprit = culprit;
		pkvm_smmu_obstacle = reason;
	}

	return -EINVAL;
}

static char *pkvm_smmu_of_name(const struct device_node *np)
{
	return kasprintf(GFP_KERNEL, "%pOF", np);
}

static char *pkvm_smmu_iort_name(const struct acpi_iort_node *node)
{
	return kasprintf(GFP_KERNEL, "SMMUv3 at %#llx in the IORT",
			 pkvm_smmu_iort_smmu(node)->base_address);
}

static char *pkvm_smmu_pmcg_name(u64 base)
{
	return kasprintf(GFP_KERNEL, "PMCG at %#llx", base);
}

static char *pkvm_smmu_name(const struct pkvm_smmu_claim *claim)
{
	return claim->iort ? pkvm_smmu_iort_name(claim->iort) :
			     pkvm_smmu_of_name(claim->pdev->dev.of_node);
}

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

/* Memory that EL1 writes to, zeroed */
static void * __init pkvm_smmu_zalloc(struct pkvm_smmu_mem *mem, size_t size)
{
	if (pkvm_smmu_alloc(mem, size))
		return NULL;

	return memset(phys_to_virt(mem->base), 0, mem->size);
}

/* What the shadow stream table has to cover */
static int __init pkvm_smmu_size_strtab(struct pkvm_smmu_claim *claim,
					struct pkvm_smmu_desc *desc,
					u32 idr0, u32 idr1)
{
	struct device *dev = &claim->pdev->dev;
	struct pkvm_smmu_sids sids;
	bool two_level;
	u64 size;
	u8 bits;
	int ret;

	pkvm_smmu_strtab_size(idr0, idr1, U8_MAX, &bits, &two_level);
	/* A linear table is in one piece */
	if (!two_level)
		bits = min_t(u8, bits, PAGE_SHIFT + MAX_PAGE_ORDER -
				       ilog2(sizeof(struct arm_smmu_ste)));
	ret = pkvm_smmu_sids_init(&sids, bits);
	if (ret)
		return ret;

	if (claim->iort)
		pkvm_smmu_sids_add_iort(&sids, pkvm_smmu_iort, claim->iort);
	else
		pkvm_smmu_sids_add_of(&sids, dev->of_node);
	if (sids.end > BIT_ULL(bits))
		dev_warn(dev, "streams from %#lx on abort: EL2 covers %u bits of StreamID\n",
			 BIT(bits), bits);
	desc->sid_bits = pkvm_smmu_sids_bits(&sids);
	size = pkvm_smmu_strtab_size(idr0, idr1, desc->sid_bits, &bits,
				     &two_level);
	if (two_level)
		desc->nr_l2 = pkvm_smmu_sids_nr_l2(&sids);
	pkvm_smmu_sids_free(&sids);

	return pkvm_smmu_alloc(&desc->strtab, size);
}

/* EL1 only sizes EL2's memory: EL2 reads the ID registers again */
static int __init pkvm_smmu_size(struct pkvm_smmu_claim *claim,
				 struct pkvm_smmu_desc *desc)
{
	void __iomem *base = ioremap(desc->mmio.base, ARM_SMMU_REG_SZ);
	u32 idr0, idr1, idr5;
	int ret;

	if (!base)
		return pkvm_smmu_refuse(pkvm_smmu_name(claim),
					refusal_str[PKVM_SMMU_BAD_MMIO]);

	idr0 = readl_relaxed(base + ARM_SMMU_IDR0);
	idr1 = readl_relaxed(base + ARM_SMMU_IDR1);
	idr5 = readl_relaxed(base + ARM_SMMU_IDR5);
	claim->iidr = readl_relaxed(base + ARM_SMMU_IIDR);
	iounmap(base);

	claim->oas_bits = pkvm_smmu_oas_to_bits(FIELD_GET(IDR5_OAS, idr5));
	claim->msis = idr0 & IDR0_MSI;
	ret = pkvm_smmu_size_strtab(claim, desc, idr0, idr1);
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
		pages += claim->desc.nr_l2;
	}

	/* Everything else is mapped in blocks: what one table of blocks covers */
	table_bits = PAGE_SHIFT + (4 - pkvm_smmu_block_level(ia_bits)) *
		     (PAGE_SHIFT - 3);
	if (ia_bits > table_bits)
		pages += BIT(ia_bits - table_bits);

	/* Two levels of table at both ends of each region and of each SMMU */
	pages += 4 * (kvm_nvhe_sym(hyp_memblock_nr) + cfg->nr_smmus);

	/* The same for each page of a PMCG. Its two ends are in one table */
	pages += 2 * 2 * cfg->nr_pmcgs;

	/* A concatenated root, and what it takes to have it aligned */
	return pages + 2 * BIT(4);
}

/* Add a chunk to the array of chunks, which grows */
static int __init pkvm_smmu_add_chunk(struct pkvm_smmu_config *cfg,
				      const struct pkvm_smmu_mem *chunk)
{
	struct pkvm_smmu_mem old = cfg->pool, *chunks;
	size_t used = cfg->nr_chunks * sizeof(*chunk);

	if (used + sizeof(*chunk) > old.size) {
		chunks = pkvm_smmu_zalloc(&cfg->pool, used + sizeof(*chunk));
		if (!chunks) {
			cfg->pool = old;
			return -ENOMEM;
		}
		if (used)
			memcpy(chunks, phys_to_virt(old.base), used);
		pkvm_smmu_free(&old);
	}

	chunks = phys_to_virt(cfg->pool.base);
	chunks[cfg->nr_chunks++] = *chunk;
	return 0;
}

static int __init pkvm_smmu_fill_pool(struct pkvm_smmu_config *cfg)
{
	unsigned long pages = pkvm_smmu_pool_pages(cfg);
	unsigned int order = min_t(unsigned int, MAX_PAGE_ORDER, ilog2(pages));
	struct pkvm_smmu_mem chunk;

	while (pages) {
		order = min_t(unsigned int, order, ilog2(pages));
		if (pkvm_smmu_alloc(&chunk, PAGE_SIZE << order)) {
			if (!order--)
				return -ENOMEM;
			continue;
		}
		if (pkvm_smmu_add_chunk(cfg, &chunk)) {
			pkvm_smmu_free(&chunk);
			return -ENOMEM;
		}
		pages -= BIT(order);
	}

	return 0;
}

#define PKVM_SMMU_HOST_NAME	"arm-smmu-v3"

static const struct of_device_id pkvm_smmu_of_match[] = {
	{ .compatible = "arm,smmu-v3", },
	{ },
};

/* What the IORT code calls them */
static const struct platform_device_id pkvm_smmu_id_match[] = {
	{ .name = PKVM_SMMU_HOST_NAME, },
	{ },
};

/* The driver core did not call pkvm_smmu_probe() */
static const char pkvm_smmu_unclaimed[] =
	"it has no device, or depends on one that has no driver yet";

static const char pkvm_smmu_many_rmrs[] =
	"firmware reserves more than " __stringify(PKVM_SMMU_MAX_RMRS) " streams (RMR)";

static struct platform_driver pkvm_smmu_driver;

static struct pkvm_smmu_claim * __init
pkvm_smmu_find_claim(const struct device_node *np,
		     const struct acpi_iort_node *node)
{
	struct pkvm_smmu_claim *claim;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		if (np ? claim->pdev->dev.of_node == np : claim->iort == node)
			return claim;
	}

	return NULL;
}

/*
 * Firmware keeps an SMMU or a PMCG from the kernel: no device behind it is
 * expected. @what is not isolated
 */
static int __init pkvm_smmu_leave(const char *kind, char *name,
				  const char *reason, const char *what)
{
	if (pkvm_smmu_require == REQUIRE_ALL)
		return pkvm_smmu_refuse(name, reason);

	pr_notice("%s: %s: %s not isolated\n", name, reason, what);
	pkvm_smmu_report_note(kind, name, reason);
	kfree(name);
	return 0;
}

/*
 * Devices behind an SMMU that EL2 does not own would reach all memory. Search
 * the device tree: a node may have no device yet.
 */
static int __init pkvm_smmu_check_of_node(struct device_node *smmu)
{
	enum pkvm_smmu_verdict verdict;
	struct device_node *culprit;
	const char *reason;
	char *name;

	verdict = pkvm_smmu_of_verdict(smmu, &culprit, &reason);
	if (verdict == PKVM_SMMU_TAKE) {
		if (pkvm_smmu_find_claim(smmu, NULL))
			return 0;
		return pkvm_smmu_refuse(pkvm_smmu_of_name(smmu),
					pkvm_smmu_unclaimed);
	}

	name = pkvm_smmu_of_name(culprit);
	of_node_put(culprit);
	return verdict == PKVM_SMMU_LEAVE ?
		pkvm_smmu_leave("smmu", name, reason, "DMA through it is") :
		pkvm_smmu_refuse(name, reason);
}

/* A PMCG writes MSIs without translation: EL2 has to own it */
static int __init pkvm_smmu_add_of_pmcg(struct device_node *np)
{
	struct device_node *culprit;
	const char *reason;

	culprit = pkvm_smmu_of_pmcg_unavailable(np);
	if (culprit) {
		of_node_put(culprit);
		return pkvm_smmu_leave("pmcg", pkvm_smmu_of_name(np),
				       "it is disabled by firmware",
				       "its MSIs are");
	}

	reason = pkvm_smmu_of_switch(np, &culprit);
	if (!reason)
		reason = pkvm_pmcg_add_of(&pkvm_smmu_config, np);
	if (reason)
		pkvm_smmu_refuse(pkvm_smmu_of_name(culprit ?: np), reason);
	of_node_put(culprit);

	return reason ? -EINVAL : 0;
}

static int __init pkvm_smmu_check_of(void)
{
	for_each_compatible_node_scoped(np, NULL, "arm,smmu-v3") {
		int ret = pkvm_smmu_check_of_node(np);

		if (ret)
			return ret;
	}

	/* Without an SMMU there is nothing to isolate */
	if (list_empty(&pkvm_smmu_claims))
		return 0;

	for_each_compatible_node_scoped(np, NULL, "arm,smmu-v3-pmcg") {
		int ret = pkvm_smmu_add_of_pmcg(np);

		if (ret)
			return ret;
	}

	return 0;
}

/* Describe the streams that firmware wants to be left running */
static int __init pkvm_smmu_add_rmrs(const struct acpi_table_iort *iort,
				     const struct pkvm_smmu_claim *claim)
{
	struct pkvm_smmu_config *cfg = &pkvm_smmu_config;
	u32 sids[PKVM_SMMU_MAX_RMRS];
	u32 room = PKVM_SMMU_MAX_RMRS - cfg->nr_rmrs;
	u64 n, i;

	n = pkvm_smmu_iort_rmr_sids(iort, claim->iort, sids, room);
	for (i = 0; i < min(n, room); i++)
		cfg->rmrs[cfg->nr_rmrs++] = (struct pkvm_smmu_rmr) {
			.smmu	= claim->index,
			.sid	= sids[i],
		};

	return n > room ? pkvm_smmu_refuse(pkvm_smmu_name(claim),
					   pkvm_smmu_many_rmrs) : 0;
}

static int __init pkvm_smmu_add_iort_pmcg(const struct acpi_iort_node *node)
{
	const struct acpi_iort_pmcg *pmcg = (const void *)node->node_data;
	struct resource page0, page1;
	const char *reason;

	page0 = DEFINE_RES_MEM(pmcg->page0_base_address, SZ_4K);
	/* The first revision has no page 1 */
	page1 = DEFINE_RES_MEM(node->revision ? pmcg->page1_base_address : 0,
			       SZ_4K);
	reason = pkvm_pmcg_add(&pkvm_smmu_config, &page0, &page1);

	return reason ? pkvm_smmu_refuse(pkvm_smmu_pmcg_name(page0.start), reason) :
			0;
}

/* The same with ACPI. The IORT code has made a device for each SMMU */
static int __init pkvm_smmu_check_iort(void)
{
	const struct acpi_iort_node *node;
	const struct acpi_table_iort *iort;
	struct acpi_table_header *table;
	struct pkvm_smmu_claim *claim;
	const char *reason;
	acpi_status status;
	int ret;
	u32 i;

	status = acpi_get_table(ACPI_SIG_IORT, 0, &table);
	if (status == AE_NOT_FOUND)
		return 0;
	if (ACPI_FAILURE(status))
		return pkvm_smmu_refuse(NULL, "the IORT cannot be read");

	iort = (const struct acpi_table_iort *)table;
	pkvm_smmu_iort = iort;
	reason = pkvm_smmu_iort_fault(iort, &i);
	if (reason)
		return pkvm_smmu_refuse(kasprintf(GFP_KERNEL,
						  "node at %#x of the IORT", i),
					reason);

	for_each_iort_node(iort, node, i) {
		if (node->type == ACPI_IORT_NODE_PMCG &&
		    !list_empty(&pkvm_smmu_claims)) {
			ret = pkvm_smmu_add_iort_pmcg(node);
			if (ret)
				return ret;
		}
		if (node->type != ACPI_IORT_NODE_SMMU_V3)
			continue;
		claim = pkvm_smmu_find_claim(NULL, node);
		reason = pkvm_smmu_iort_obstacle(node);
		if (!reason && !claim)
			reason = pkvm_smmu_unclaimed;
		if (reason)
			return pkvm_smmu_refuse(pkvm_smmu_iort_name(node), reason);
		ret = pkvm_smmu_add_rmrs(iort, claim);
		if (ret)
			return ret;
	}

	return 0;
}

static bool __init pkvm_smmu_is_pmcg(struct platform_device *pdev)
{
	return of_device_is_compatible(pdev->dev.of_node, "arm,smmu-v3-pmcg") ||
	       !strcmp(pdev->name, "arm-smmu-v3-pmcg");
}

/* @data is the range of an SMMU's registers */
static int __init pkvm_smmu_overlaps_platform(struct device *dev, void *data)
{
	struct platform_device *pdev = to_platform_device(dev);
	struct resource *res;
	unsigned int i;

	if (pkvm_smmu_is_pmcg(pdev))
		return 0;

	for (i = 0; (res = platform_get_mem_or_io(pdev, i)); i++) {
		if (res != data && resource_type(res) == IORESOURCE_MEM &&
		    resource_overlaps(res, data))
			return 1;
	}

	return 0;
}

static int __init pkvm_smmu_overlaps_amba(struct device *dev, void *data)
{
	return resource_overlaps(&to_amba_device(dev)->res, data);
}

/*
 * EL2 takes all registers that firmware describes. If they overlap those of
 * another device, then its driver would lose them: the console's, perhaps.
 */
static int __init pkvm_smmu_check_overlaps(void)
{
	struct pkvm_smmu_claim *claim;
	struct resource *res;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		res = platform_get_resource(claim->pdev, IORESOURCE_MEM, 0);
		if (region_intersects(res->start, resource_size(res),
				      IORESOURCE_SYSTEM_RAM,
				      IORES_DESC_NONE) != REGION_DISJOINT)
			return pkvm_smmu_refuse(pkvm_smmu_name(claim),
						refusal_str[PKVM_SMMU_BAD_MMIO]);
		if (bus_for_each_dev(&platform_bus_type, NULL, res,
				     pkvm_smmu_overlaps_platform) ||
		    bus_for_each_dev(&amba_bustype, NULL, res,
				     pkvm_smmu_overlaps_amba))
			return pkvm_smmu_refuse(pkvm_smmu_name(claim),
						"its registers overlap those of another device");
	}

	return 0;
}

/* All but the pool. From now on the number of SMMUs is final */
static int __init pkvm_smmu_describe(struct pkvm_smmu_config *cfg)
{
	struct pkvm_smmu_claim *claim;
	size_t n = 0;
	int ret;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry)
		n++;

	pkvm_smmu_descs = pkvm_smmu_zalloc(&cfg->smmus,
					   array_size(n, sizeof(*pkvm_smmu_descs)));
	pkvm_smmu_shared = pkvm_smmu_zalloc(&cfg->shared,
					    struct_size(pkvm_smmu_shared, smmu, n));
	if (!pkvm_smmu_descs || !pkvm_smmu_shared)
		return -ENOMEM;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		ret = pkvm_smmu_size(claim, &claim->desc);
		pkvm_smmu_descs[cfg->nr_smmus++] = claim->desc;
		if (ret)
			return ret;
	}

	ret = pkvm_smmu_alloc(&cfg->state, array_size(n, sizeof(struct pkvm_smmu)));
	if (ret)
		return ret;

	/* One range for each SMMU, two for each PMCG */
	return pkvm_smmu_alloc(&cfg->mmio,
			       array_size(n + 2 * cfg->nr_pmcgs,
					  sizeof(struct kvm_iommu_mmio)));
}

static int __init pkvm_smmu_prepare(void)
{
	struct pkvm_smmu_config *cfg = &pkvm_smmu_config;
	struct pkvm_smmu_claim *claim;
	unsigned int n = 0;
	int ret;

	guard(mutex)(&pkvm_smmu_mutex);
	pkvm_smmu_state = PKVM_SMMU_FROZEN;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry)
		claim->index = n++;

	if (pkvm_smmu_require == REQUIRE_NONE)
		return -ENODEV;

	ret = pkvm_smmu_obstacle ? -EINVAL :
	      acpi_disabled ? pkvm_smmu_check_of() : pkvm_smmu_check_iort();
	if (!ret)
		ret = pkvm_smmu_check_overlaps();
	if (ret)
		return ret;
	if (list_empty(&pkvm_smmu_claims))
		return pkvm_smmu_require != REQUIRE_ALL ? -ENODEV :
			pkvm_smmu_refuse(NULL, "no SMMUv3 is available");

	ret = pkvm_smmu_describe(cfg);
	if (!ret)
		ret = pkvm_smmu_fill_pool(cfg);
	if (ret)
		pkvm_smmu_refuse(NULL, "out of memory");
	else
		kvm_nvhe_sym(pkvm_smmu_config) = *cfg;

	return ret;
}

/* What firmware says; EL2 also looks at IDR0.COHACC */
static bool pkvm_smmu_is_coherent(const struct pkvm_smmu_claim *claim)
{
	if (claim->iort)
		return pkvm_smmu_iort_smmu(claim->iort)->flags &
		       ACPI_IORT_SMMU_V3_COHACC_OVERRIDE;

	return of_dma_is_coherent(claim->pdev->dev.of_node);
}

/* The SMMU that the host gets: below the faux device below the SMMU */
static bool pkvm_smmu_is_child(const struct device *dev)
{
	const struct device *smmu = dev->parent ? dev->parent->parent : NULL;

	return smmu && smmu->driver == &pkvm_smmu_driver.driver;
}

static int pkvm_smmu_probe(struct platform_device *pdev)
{
	struct resource *res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	struct pkvm_smmu_claim *claim;

	if (pkvm_smmu_is_child(&pdev->dev))
		return -ENODEV;

	guard(mutex)(&pkvm_smmu_mutex);
	if (pkvm_smmu_state == PKVM_SMMU_DECLINED)
		return -ENODEV;
	if (pkvm_smmu_state == PKVM_SMMU_FROZEN) {
		/* Be bound, to keep the host's driver away from the hardware */
		dev_err(&pdev->dev, "not known to EL2: it gets no driver\n");
		return 0;
	}
	if (!res) {
		pkvm_smmu_refuse(kasprintf(GFP_KERNEL, "%s", dev_name(&pdev->dev)),
				 "it has no registers");
		return -ENODEV;
	}

	claim = devm_kzalloc(&pdev->dev, sizeof(*claim), GFP_KERNEL);
	if (!claim)
		return -ENOMEM;

	claim->pdev = pdev;
	/* As the IORT code has it for the host's driver */
	if (!pdev->dev.of_node)
		claim->iort = *(struct acpi_iort_node **)dev_get_platdata(&pdev->dev);
	claim->desc = (struct pkvm_smmu_desc) {
		.mmio.base	= res->start,
		.mmio.size	= resource_size(res),
		.coherent	= pkvm_smmu_is_coherent(claim),
		/* With ACPI the host gets MSIs only if the hardware has them */
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
	.id_table	= pkvm_smmu_id_match,
	.probe		= pkvm_smmu_probe,
	.remove		= pkvm_smmu_remove,
};

/* The child has the firmware's description of the SMMU */
static int pkvm_smmu_describe_child(struct platform_device *child,
				    const struct pkvm_smmu_claim *claim)
{
	struct platform_device *pdev = claim->pdev;
	int ret;

	if (!claim->iort) {
		platform_device_set_of_node_from_dev(child, &pdev->dev);
		return 0;
	}

	platform_device_set_fwnode(child, dev_fwnode(&pdev->dev));
	set_dev_node(&child->dev, dev_to_node(&pdev->dev));
	ret = platform_device_add_data(child, &claim->iort, sizeof(claim->iort));
	if (ret)
		return ret;

	return acpi_dma_configure(&child->dev, pkvm_smmu_is_coherent(claim) ?
				  DEV_DMA_COHERENT : DEV_DMA_NON_COHERENT);
}

/*
 * Publish the SMMU that the host gets, as the IORT code does with each of its
 * SMMUs. The host's driver matches the device by its name.
 */
static int pkvm_smmu_host_probe(struct faux_device *host)
{
	struct platform_device *pdev = to_platform_device(host->dev.parent);
	struct pkvm_smmu_claim *claim = platform_get_drvdata(pdev);
	struct platform_device *child;
	int ret;

	child = platform_device_alloc(PKVM_SMMU_HOST_NAME, PLATFORM_DEVID_AUTO);
	if (!child)
		return -ENOMEM;

	child->dev.parent = &host->dev;
	/* EL2 offers IDR0.MSI for CMD_SYNC, whatever the hardware has */
	if (claim->msis)
		dev_set_msi_domain(&child->dev, dev_get_msi_domain(&pdev->dev));
	ret = pkvm_smmu_describe_child(child, claim);
	if (!ret)
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

static void __init pkvm_smmu_find_refusal(void)
{
	const struct pkvm_smmu_config *cfg = &kvm_nvhe_sym(pkvm_smmu_config);
	struct pkvm_smmu_claim *claim;
	unsigned int i;

	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		u32 refusal = cfg->nr_smmus ?
			pkvm_smmu_descs[claim->index].refusal : 0;

		if (refusal > PKVM_SMMU_NOT_TRIED &&
		    refusal < PKVM_SMMU_NR_REFUSALS) {
			pkvm_smmu_refuse(pkvm_smmu_name(claim),
					 refusal_str[refusal]);
			return;
		}
	}

	for (i = 0; i < cfg->nr_pmcgs; i++) {
		u32 refusal = cfg->pmcgs[i].refusal;

		if (refusal > PKVM_SMMU_NOT_TRIED &&
		    refusal < PKVM_SMMU_NR_REFUSALS) {
			pkvm_smmu_refuse(pkvm_smmu_pmcg_name(cfg->pmcgs[i].page[0].base),
					 refusal_str[refusal]);
			return;
		}
	}

	pkvm_smmu_refuse(NULL, "protected KVM did not initialise");
}

/* Let the host's driver bind to the SMMU itself */
static int __init pkvm_smmu_give_back(struct device *dev, void *unused)
{
	int ret;

	if (!of_match_device(pkvm_smmu_of_match, dev) &&
	    strcmp(to_platform_device(dev)->name, PKVM_SMMU_HOST_NAME))
		return 0;

	ret = device_attach(dev);
	/* The driver core tries again where a probe was deferred */
	if (ret < 0 && ret != -EPROBE_DEFER)
		dev_warn(dev, "could not be given back\n");

	return 0;
}

/* EL2 uses it during take-over only */
static void __init pkvm_smmu_free_description(void)
{
	struct pkvm_smmu_config *cfg = &pkvm_smmu_config;

	pkvm_smmu_free(&cfg->smmus);
	pkvm_smmu_free(&cfg->pool);
}

static void __init pkvm_smmu_decline(void)
{
	struct pkvm_smmu_config *cfg = &pkvm_smmu_config;
	struct pkvm_smmu_mem *chunks;
	bool quiet = true;
	unsigned int i;

	scoped_guard(mutex, &pkvm_smmu_mutex) {
		if (!pkvm_smmu_obstacle)
			pkvm_smmu_find_refusal();
		/* An SMMU that probes from now on is the host's */
		pkvm_smmu_state = PKVM_SMMU_DECLINED;
	}
	if (pkvm_smmu_culprit)
		pr_warn("DMA is not isolated: %s: %s\n", pkvm_smmu_culprit,
			pkvm_smmu_obstacle);
	else
		pr_warn("DMA is not isolated: %s\n", pkvm_smmu_obstacle);
	kfree(pkvm_smmu_culprit);
	pkvm_smmu_culprit = NULL;

	for (i = 0; i < cfg->nr_smmus; i++)
		quiet &= pkvm_smmu_quiesce(&pkvm_smmu_descs[i]);
	if (quiet) {
		for (i = 0; i < cfg->nr_smmus; i++) {
			pkvm_smmu_free(&pkvm_smmu_descs[i].cmdq);
			pkvm_smmu_free(&pkvm_smmu_descs[i].strtab);
		}
		chunks = phys_to_virt(cfg->pool.base);
		for (i = 0; i < cfg->nr_chunks; i++)
			pkvm_smmu_free(&chunks[i]);
		pkvm_smmu_free(&cfg->shared);
		pkvm_smmu_free(&cfg->state);
		pkvm_smmu_free(&cfg->mmio);
	}
	pkvm_smmu_free_description();

	pkvm_pmcg_release();
	if (pkvm_smmu_registered)
		platform_driver_unregister(&pkvm_smmu_driver);
	bus_for_each_dev(&platform_bus_type, NULL, NULL, pkvm_smmu_give_back);
}

static void __init pkvm_smmu_finalise(int err)
{
	struct pkvm_smmu_config *cfg = &pkvm_smmu_config;
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

	pkvm_pmcg_release();

	guard(mutex)(&pkvm_smmu_mutex);
	pkvm_smmu_free_description();
	if (list_empty(&pkvm_smmu_claims))
		pr_warn("DMA is not isolated: %s\n",
			pkvm_smmu_require == REQUIRE_NONE ?
			"the SMMUs stay with the host (require=none)" :
			"no SMMUv3 is available");
	else
		queue_delayed_work(system_power_efficient_wq, &pkvm_smmu_log_work, 0);
	list_for_each_entry(claim, &pkvm_smmu_claims, entry) {
		dev_info(&claim->pdev->dev,
			 "taken over by EL2: DMA through it is isolated\n");
		if (pkvm_pmcg_is_missing(cfg, claim->iidr))
			pkvm_pmcg_log_missing(&claim->pdev->dev);
		pkvm_smmu_report_owned(dev_fwnode(&claim->pdev->dev));
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
	int ret;

	if (!is_protected_kvm_enabled())
		return 0;

	if (pkvm_smmu_require == REQUIRE_UNKNOWN)
		pkvm_smmu_refuse(NULL, "arm_smmu_v3_pkvm.require= must be available, all or none");

	kvm_iommu_register_driver(&pkvm_smmu_iommu_driver);
	if (pkvm_smmu_require == REQUIRE_NONE)
		return 0;

	ret = platform_driver_register(&pkvm_smmu_driver);
	pkvm_smmu_registered = !ret;
	if (!ret)
		ret = pkvm_pmcg_hold();
	if (ret)
		pkvm_smmu_refuse(NULL, "a driver could not be registered");

	return ret;
}

/* The devices exist. Neither KVM nor the host's driver is initialised yet. */
subsys_initcall(pkvm_smmu_driver_init);
