// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of registers: what an access of the host finds, and what it can change.
 *
 * CBMC: --unwind 102
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

static u32 reg_offset(const struct smmu_reg *reg)
{
	return (reg - smmu_regs) * 4 + (reg->page1 ? 0x10000 : 0);
}

/* The bytes of each register are its own: a search that finds one finds the right one */
void prove_regs_do_not_overlap(void)
{
	unsigned int i = nondet_u32();
	const struct smmu_reg *reg;

	SUPPOSE(i < ARRAY_SIZE(smmu_regs));
	reg = &smmu_regs[i];
	PROVE(!reg->size || reg->size == 4 || reg->size == 8, "32 or 64 bits");
	if (reg->size == 8)
		PROVE(i % 2 == 0 && i + 1 < ARRAY_SIZE(smmu_regs) && !reg[1].size,
		      "a register of 64 bits is aligned, and no other one is in its upper half");
	if (!reg->size)
		PROVE(!reg->mask && !reg->read && !reg->write && !reg->state,
		      "where no register is, nothing is");
}

/* Each access of each register is found, with either half of 64 bits, and nothing else is */
void prove_regs_are_found(void)
{
	struct pkvm_smmu smmu = { .msis = nondet_bool() };
	u32 offset = nondet_u32();
	unsigned int size = nondet_u32(), i, found = 0;
	const struct smmu_reg *reg = reg_find(&smmu, offset, size);

	for (i = 0; i < ARRAY_SIZE(smmu_regs); i++) {
		const struct smmu_reg *r = &smmu_regs[i];
		u32 at = reg_offset(r);
		bool inside = r->size && offset >= at && offset - at < r->size &&
			      (size == 4 || size == 8) && size <= r->size && !(offset % size) &&
			      (smmu.msis || !r->irq);

		found += inside;
		if (inside)
			PROVE(reg == r, "a register is found");
		if (inside && size < r->size)
			PROVE(reg_is_upper_half(r, offset) == (offset != at),
			      "and which half of it");
	}
	PROVE(found <= 1, "by one name only");
	PROVE(found || !reg, "and nothing else is");
}

/* Nothing that is not listed here can be written, or goes further than smmu->host */
void prove_regs_of_el2(void)
{
	unsigned int i = nondet_u32();
	const struct smmu_reg *reg;
	u32 offset;

	SUPPOSE(i < ARRAY_SIZE(smmu_regs));
	reg = &smmu_regs[i];
	offset = reg_offset(reg);
	if (reg->size)
		PROVE(!reg->state != !reg->read || (reg->state && reg->write),
		      "a value or a function that reads it");
	PROVE(reg->state + reg->size <= sizeof(struct pkvm_smmu), "a value of the SMMU's");
	if (reg->mask && !reg->write)
		PROVE(reg->state >= offsetof(struct pkvm_smmu, host) &&
		      reg->state + reg->size <= offsetof(struct pkvm_smmu, host) +
						sizeof(struct smmu_host_regs),
		      "a write without a handler changes what the host believes, and no more");
	if (offset == 0x80 || offset == 0x88)
		PROVE(reg->locked_by & 1, "the table stays while SMMUEN is set");
	if (offset == 0x90)
		PROVE(reg->locked_by & 8, "the command queue stays while CMDQEN is set");
	if (offset == 0xa0)
		PROVE(reg->locked_by & 4, "the event queue stays while EVTQEN is set");
	if (reg->size && offset >= 0x68 && offset <= 0x74)
		PROVE(reg->irq == 1, "the MSI of GERROR stays while it is on");
	if (reg->size && offset >= 0xb0 && offset <= 0xbc)
		PROVE(reg->irq == 4, "the MSI of the event queue stays while it is on");
}

/* The host chooses the offset: CBMC looks at the bounds of the table */
void prove_regs_when_mispredicted(void)
{
	struct pkvm_smmu smmu = { .msis = nondet_bool() };

	speculates = true;
	reg_find(&smmu, nondet_u32(), nondet_u32());
}
