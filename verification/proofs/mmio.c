// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of registers: no overlap, no hole, and a search that finds exactly what is
 * in it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "proof.h"

/* A CPU that mispredicts takes either side of an if, but array_index_nospec() holds */
static bool speculates;

static inline bool mispredicts(void)
{
	return speculates && nondet_bool();
}

/* mmio.c with mispredicts() in each if. What it includes is included above. */
#define if(cond)	if (!!(cond) != mispredicts())
#include "pkvm/mmio.c"
#undef if

void prove_regs_are_found(void)
{
	u32 offset = nondet_u32();
	unsigned int size = nondet_u32(), i, found = 0;
	const struct smmu_reg *reg;

	PROVE(!smmu_mmio_init(), "sorted, aligned, no overlap");
	reg = smmu_reg_find(offset, size);
	for (i = 0; i < ARRAY_SIZE(smmu_regs); i++) {
		const struct smmu_reg *r = &smmu_regs[i];
		bool inside = offset >= r->offset && offset - r->offset < r->size &&
			      (size == 4 || size == 8) && size <= r->size && !(offset % size);

		found += inside;
		if (inside)
			PROVE(reg == r, "a register is found");
	}
	PROVE(found <= 1, "by one name only");
	PROVE(found || !reg, "and nothing else is");
}

/* Nothing that is not listed here can be written, or goes further than smmu->host */
void prove_regs_of_el2(void)
{
	unsigned int i = nondet_u32();
	const struct smmu_reg *reg;

	SUPPOSE(i < ARRAY_SIZE(smmu_regs));
	reg = &smmu_regs[i];
	if (reg->mask && !reg->write)
		PROVE(reg->state >= offsetof(struct pkvm_smmu, host) &&
		      reg->state + reg->size <= offsetof(struct pkvm_smmu, host) +
						sizeof(struct smmu_host_regs),
		      "a write without a handler changes what the host believes, and no more");
	if (reg->offset == 0x80 || reg->offset == 0x88)
		PROVE(reg->locked_by & 1, "the table stays while SMMUEN is set");
	if (reg->offset == 0x90)
		PROVE(reg->locked_by & 8, "the command queue stays while CMDQEN is set");
	if (reg->offset == 0xa0)
		PROVE(reg->locked_by & 4, "the event queue stays while EVTQEN is set");
}

/* The host chooses the offset: CBMC looks at the bounds of the tables */
void prove_regs_when_mispredicted(void)
{
	PROVE(!smmu_mmio_init(), "the table is as it has to be");
	speculates = true;
	smmu_reg_find(nondet_u32(), nondet_u32());
}
