// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of an access of the host's to EL2's MMIO: instructions, by the syndromes
 * that the architecture gives them (Arm DDI 0487, D24.2.46), and how many of all syndromes
 * are emulated. The proofs say more (../proofs/iommu.c), but want CBMC.
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/kernel.h>

#define __CPROVER_assert(cond, what)	((cond) ? (void)0 : fail(what))
#define __CPROVER_assume(cond)		((void)(cond))

static void fail(const char *what)
{
	printf("# %s\n", what);
	exit(1);
}

#include "../proofs/el2.h"

/* Nothing here is up to anybody */
u64 nondet_u64(void) { return 0; }
u32 nondet_u32(void) { return 0; }
u8 nondet_u8(void) { return 0; }
bool nondet_bool(void) { return false; }

#define MMIO		0x9050000ULL
#define OFFSET		0x80
#define VALUE		0x8899aabbccddeeffULL
#define REG(n)		(0x1111111111111111ULL * ((n) + 1))

/* From a lower exception level, of 32 bits, translation fault at level 3 */
#define DABT		(0x24ULL << 26 | BIT_ULL(25) | 7)
#define IABT		(0x20ULL << 26 | BIT_ULL(25) | 7)
#define ISV(sas, rt)	(BIT_ULL(24) | (sas) << 22 | (rt) << 16)
#define SSE		BIT_ULL(21)
#define SF		BIT_ULL(15)
#define AR		BIT_ULL(14)
#define VNCR		BIT_ULL(13)
#define LST(n)		((n) << 11)
#define FNV		BIT_ULL(10)
#define EA		BIT_ULL(9)
#define CM		BIT_ULL(8)
#define S1PTW		BIT_ULL(7)
#define WNR		BIT_ULL(6)
#define XS(n)		((u64)(n) << 32)
#define GCS		BIT_ULL(40)

#define EL0		0x0
#define EL0_32		0x10
#define EL1		0x5
#define SS		BIT_ULL(21)
#define BTYPE		(3ULL << 10)
#define E0E		BIT_ULL(24)
#define EE		BIT_ULL(25)

enum outcome {
	ABORTS,
	READS,
	WRITES,
	NOTHING,
};

/* @val is what the register gets, or the driver; @rt 31 is none */
static const struct {
	const char	*insn;
	u64		esr;
	enum outcome	outcome;
	unsigned int	rt;
	u64		val;
	u64		mode;
	u64		sctlr;
} cases[] = {
	{ "LDR X2", DABT | ISV(3, 2) | SF, READS, 2, VALUE, EL1 },
	{ "LDR W2", DABT | ISV(2, 2), READS, 2, 0xccddeeff, EL1 },
	{ "LDRH W3", DABT | ISV(1, 3), READS, 3, 0xeeff, EL1 },
	{ "LDRSW X30", DABT | ISV(2, 30) | SSE | SF, READS, 30, ~0ULL << 32 | 0xccddeeff, EL1 },
	{ "LDRSB W0", DABT | ISV(0, 0) | SSE, READS, 0, 0xffffffff, EL1 },
	{ "LDR XZR", DABT | ISV(3, 31) | SF, READS, 31, 0, EL1 },
	{ "LDAR X2", DABT | ISV(3, 2) | SF | AR, READS, 2, VALUE, EL1 },
	{ "LDTR X2", DABT | ISV(3, 2) | SF, READS, 2, VALUE, EL0 },
	{ "STR X2", DABT | ISV(3, 2) | SF | WNR, WRITES, 2, REG(2), EL1 },
	{ "STRB W2", DABT | ISV(0, 2) | WNR, WRITES, 2, REG(2) & 0xff, EL1 },
	{ "STLR W2", DABT | ISV(2, 2) | AR | WNR, WRITES, 2, REG(2) & 0xffffffff, EL1 },
	{ "STR XZR", DABT | ISV(3, 31) | SF | WNR, WRITES, 31, 0, EL1 },

	/* 64 bytes, from or to eight registers, and a result */
	{ "LD64B", DABT | ISV(3, 2) | SF | LST(2), ABORTS },
	{ "ST64B", DABT | ISV(3, 2) | SF | LST(2) | WNR, ABORTS },
	{ "ST64BV", DABT | ISV(3, 2) | SF | LST(1) | WNR | XS(12), ABORTS },
	{ "ST64BV0", DABT | ISV(3, 2) | SF | LST(3) | WNR | XS(12), ABORTS },

	/* LDP, LDR with write-back, LDXR, LDADD, LDR Q0, LD1D, CPYM, LDG: no syndrome */
	{ "LDP and the like", DABT, ABORTS, .mode = EL1 },
	{ "STP and the like", DABT | WNR, ABORTS, .mode = EL1 },
	{ "DC ZVA", DABT | WNR, ABORTS, .mode = EL1 },
	{ "GCSPUSHM", DABT | WNR | GCS, ABORTS, .mode = EL1 },
	{ "an instruction", IABT, ABORTS, .mode = EL1 },

	{ "DC CIVAC, IC IVAU", DABT | CM | WNR, NOTHING, .mode = EL1 },
	{ "DC CVAU at EL0", DABT | CM | WNR, NOTHING, .mode = EL0 },
	{ "AT S1E1R", DABT | CM | WNR | S1PTW, ABORTS, .mode = EL1 },

	{ "a walk", DABT | S1PTW, ABORTS, .mode = EL1 },
	{ "LDR in AArch32", DABT | ISV(2, 2), ABORTS, .mode = EL0_32 },
	{ "VNCR_EL2", DABT | ISV(3, 2) | SF | VNCR, ABORTS, .mode = EL1 },
	{ "an external abort", (DABT & ~0x3fULL) | 0x10 | ISV(3, 2) | SF, ABORTS, .mode = EL1 },
	{ "its class", DABT | ISV(3, 2) | SF | EA, ABORTS, .mode = EL1 },
	{ "without an address", DABT | ISV(3, 2) | SF | FNV, ABORTS, .mode = EL1 },
	{ "a permission fault", DABT | 0xf | ISV(3, 2) | SF, ABORTS, .mode = EL1 },

	{ "LDR, big-endian", DABT | ISV(3, 2) | SF, ABORTS, .mode = EL1, .sctlr = EE },
	{ "LDR, big-endian at EL0", DABT | ISV(3, 2) | SF, ABORTS, .mode = EL0, .sctlr = E0E },
	{ "LDR, while EL0 is", DABT | ISV(3, 2) | SF, READS, 2, VALUE, EL1, E0E },
};

static unsigned int reads, writes;
static u64 written;

static u64 driver_read(void *cookie, u32 offset, unsigned int size)
{
	reads++;
	if (offset != OFFSET)
		fail("the driver gets another offset");
	return size < 8 ? VALUE & (BIT_ULL(8 * size) - 1) : VALUE;
}

static void driver_write(void *cookie, u32 offset, unsigned int size, u64 val)
{
	writes++;
	written = val;
}

static enum outcome outcome(struct kvm_cpu_context *ctxt, u64 esr, u64 spsr)
{
	el2_spsr = spsr;
	el2_skipped = 0;
	el2_barriers = 0;
	reads = 0;
	writes = 0;
	if (kvm_iommu_host_abort(ctxt, esr, MMIO + OFFSET)) {
		if (reads || writes || el2_skipped || el2_spsr != spsr)
			fail("an abort, and not only that");
		return ABORTS;
	}

	if (el2_skipped != 1)
		fail("not one instruction is skipped");
	/* Stepped, and not the target of a branch; nothing else */
	if (el2_spsr != (spsr & ~(SS | BTYPE)))
		fail("SPSR_EL2 is not that of the next instruction");

	if (reads + writes > 1 || el2_barriers != ((reads || writes) && esr & AR ? 2 : 0))
		fail("an access is ordered as its instruction is not");

	return reads ? READS : writes ? WRITES : NOTHING;
}

int main(void)
{
	static const struct kvm_iommu_ops driver = {
		.mmio_read	= driver_read,
		.mmio_write	= driver_write,
	};
	struct kvm_iommu_mmio range = { MMIO, MMIO + 0x20000 };
	unsigned long n[NOTHING + 1] = { 0 }, iss;
	struct kvm_cpu_context ctxt;
	unsigned int i, r;

	kvm_iommu_ops = &driver;
	kvm_iommu_provide_mmio(&range, 1);
	nr_mmio_ranges = 1;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (r = 0; r < 31; r++)
			ctxt.regs[r] = REG(r);
		el2_host_sctlr = cases[i].sctlr;
		if (outcome(&ctxt, cases[i].esr, cases[i].mode | SS | BTYPE) != cases[i].outcome ||
		    (cases[i].outcome == WRITES && written != cases[i].val))
			fail(cases[i].insn);
		for (r = 0; r < 31; r++) {
			u64 want = REG(r);

			if (cases[i].outcome == READS && cases[i].rt == r)
				want = cases[i].val;
			if (ctxt.regs[r] != want)
				fail(cases[i].insn);
		}
	}

	/* SAS, SSE, SRT, SF and AR may be anything, and there are five levels; WNR, too */
	el2_host_sctlr = 0;
	for (iss = 0; iss < 1UL << 25; iss++)
		n[outcome(&ctxt, 0x24ULL << 26 | BIT_ULL(25) | iss, EL1)]++;
	if (n[READS] != 1024 * 5 || n[WRITES] != 1024 * 5 || n[NOTHING] != 2 * 5)
		fail("syndromes that say too little are emulated, or others are not");
	/* And nothing outside of ISS may be set that is not known */
	for (i = 32; i < 64; i++) {
		if (outcome(&ctxt, DABT | ISV(3, 2) | SF | BIT_ULL(i), EL1) != ABORTS ||
		    outcome(&ctxt, DABT | CM | WNR | BIT_ULL(i), EL1) != ABORTS)
			fail("a bit that is not known");
	}

	printf("# aborts: %zu instructions, and all syndromes\n", ARRAY_SIZE(cases));
	return 0;
}
