// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device tree says of an SMMUv3 of a protected KVM host.
 *
 * - The file decides for one node at a time, and has no state.
 * - EL2 cannot isolate an SMMU that the host can stop: one that has lost its
 *   registers may let transactions bypass it, and EL2 does not restore the
 *   registers.
 * - What the hardware can do is not looked at here. EL2 reads the ID registers.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/of.h>
#include <linux/of_address.h>

#include "arm-smmu-v3-pkvm.h"
#include "pkvm/config.h"

/*
 * With these properties the host can stop an SMMU. They are in the node of the
 * SMMU, or of a bus above it.
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

/**
 * pkvm_smmu_of_switch() - can the host stop an SMMU or a PMCG?
 * @smmu:	its node
 * @culprit:	set to the node that lets the host, with a reference to it
 *
 * Return: NULL if it can't; else the reason.
 */
const char * __init pkvm_smmu_of_switch(struct device_node *smmu,
					struct device_node **culprit)
{
	struct device_node *np;
	unsigned int i;

	for (np = of_node_get(smmu); np; np = of_get_next_parent(np)) {
		for (i = 0; i < ARRAY_SIZE(pkvm_smmu_switches); i++) {
			if (!pkvm_smmu_has_switch(np, pkvm_smmu_switches[i].list,
						  pkvm_smmu_switches[i].cells))
				continue;
			*culprit = np;
			return pkvm_smmu_switches[i].reason;
		}
	}

	return NULL;
}

/**
 * pkvm_smmu_of_unavailable() - does firmware keep an SMMU or a PMCG?
 * @smmu:	its node
 *
 * Return: the node that is disabled or reserved, with a reference to it: that
 * of the SMMU, or of a bus above it. NULL if there is none.
 */
struct device_node * __init pkvm_smmu_of_unavailable(struct device_node *smmu)
{
	struct device_node *np;

	for (np = of_node_get(smmu); np; np = of_get_next_parent(np)) {
		if (!of_device_is_available(np))
			return np;
	}

	return NULL;
}

/**
 * pkvm_smmu_of_pmcg_unavailable() - is a PMCG to be left alone?
 * @pmcg:	its node
 *
 * A PMCG among the registers of an SMMU has the power and the clocks of the
 * SMMU.
 *
 * Return: the node that is disabled or reserved, with a reference to it; NULL
 * if there is none.
 */
struct device_node * __init
pkvm_smmu_of_pmcg_unavailable(struct device_node *pmcg)
{
	struct device_node *culprit = pkvm_smmu_of_unavailable(pmcg), *smmu;
	struct resource page, regs;

	if (culprit || of_address_to_resource(pmcg, 0, &page))
		return culprit;

	for_each_compatible_node(smmu, NULL, "arm,smmu-v3") {
		if (of_address_to_resource(smmu, 0, &regs) ||
		    !resource_contains(&regs, &page))
			continue;
		culprit = pkvm_smmu_of_unavailable(smmu);
		of_node_put(smmu);
		break;
	}

	return culprit;
}

/**
 * pkvm_smmu_of_verdict() - is an SMMUv3 to be isolated, by its node?
 * @smmu:	the node
 * @culprit:	set to the node that is the reason, with a reference to it; NULL
 *		if the SMMU is to be isolated
 * @reason:	set to the reason
 *
 * Return: PKVM_SMMU_TAKE if nothing in the tree is against it;
 * PKVM_SMMU_LEAVE if firmware keeps the SMMU from the kernel; PKVM_SMMU_REFUSE
 * if EL2 cannot isolate it.
 */
enum pkvm_smmu_verdict __init
pkvm_smmu_of_verdict(struct device_node *smmu, struct device_node **culprit,
		     const char **reason)
{
	struct resource res;

	*culprit = pkvm_smmu_of_unavailable(smmu);
	if (*culprit) {
		*reason = "it is disabled by firmware";
		return PKVM_SMMU_LEAVE;
	}

	*reason = NULL;
	/* Invalidations have to be repeated */
	if (of_device_is_compatible(smmu, "nvidia,tegra264-smmu"))
		*reason = "an erratum breaks nested translation or invalidation";
	/* The registers of CMDQV are elsewhere */
	else if (of_property_present(smmu, "nvidia,cmdqv"))
		*reason = "it has command queues that EL2 does not control";
	/* Page 1 of the registers is not where it should be */
	else if (of_property_read_bool(smmu, "cavium,cn9900-broken-page1-regspace") ||
		 of_address_to_resource(smmu, 0, &res) ||
		 resource_size(&res) < PKVM_SMMU_MIN_MMIO_SIZE)
		*reason = "its registers are not MMIO, or too few";
	if (*reason)
		*culprit = of_node_get(smmu);
	else
		*reason = pkvm_smmu_of_switch(smmu, culprit);

	return *reason ? PKVM_SMMU_REFUSE : PKVM_SMMU_TAKE;
}
