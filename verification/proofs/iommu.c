// SPDX-License-Identifier: GPL-2.0-only
/*
 * The neutral layer: what the host's accesses do, for any syndrome and any address, what
 * of the host's memory EL2 reads, and which MMIO is whose. As many loops as there may be
 * ranges, pages or words here:
 *
 * CBMC: --unwind 4 --unwindset any_abort.0:32
 */
#include "el2.h"

#define NR_RANGES	2

/* And there is memory for no more */
static struct kvm_iommu_mmio ranges[NR_RANGES];

/* Any ranges that EL2 may have taken: apart from each other, in order */
static void any_ranges(void)
{
	unsigned int i;

	kvm_iommu_provide_mmio(ranges, NR_RANGES);
	nr_mmio_ranges = nondet_u8() % (NR_RANGES + 1);
	for (i = 0; i < NR_RANGES; i++) {
		struct kvm_iommu_mmio *r = &ranges[i];

		*r = (struct kvm_iommu_mmio) { nondet_u64(), nondet_u64(), (void *)(u64)i };
		SUPPOSE(PAGE_ALIGNED(r->base | r->end) && r->base < r->end &&
			r->end <= BIT_ULL(52) && r->end - r->base < BIT_ULL(32));
		SUPPOSE(!i || ranges[i - 1].end <= r->base);
	}
}

static bool is_el2s(u64 addr)
{
	bool is = false;
	unsigned int i;

	for (i = 0; i < nr_mmio_ranges; i++)
		is |= addr >= mmio_ranges[i].base && addr < mmio_ranges[i].end;

	return is;
}

/* The driver: what it is asked for */
static struct {
	unsigned int	reads;
	unsigned int	writes;
	u64		range;
	u32		offset;
	unsigned int	size;
	u64		val;
	unsigned int	barriers;
} asked;

static u64 driver_read(void *cookie, u32 offset, unsigned int size)
{
	asked.reads++;
	asked.range = (u64)cookie;
	asked.offset = offset;
	asked.size = size;
	asked.barriers = el2_barriers;
	asked.val = nondet_u64();
	SUPPOSE(size == 8 || !(asked.val >> (8 * size)));

	return asked.val;
}

static void driver_write(void *cookie, u32 offset, unsigned int size, u64 val)
{
	asked.writes++;
	asked.range = (u64)cookie;
	asked.offset = offset;
	asked.size = size;
	asked.barriers = el2_barriers;
	asked.val = val;
}

static const struct kvm_iommu_ops driver = {
	.mmio_read	= driver_read,
	.mmio_write	= driver_write,
};

/*
 * Numbers are the architecture's (Arm DDI 0487, D24.2.46: ESR_EL2, and the ISS and ISS2
 * of a data abort). A translation fault, at AArch64, in a syndrome with no other bit set
 * than the one of its kind, @known.
 */
static bool is_fault_with(u64 esr, u64 known)
{
	unsigned int dfsc = esr & 0x3f;

	known |= 0x3fULL << 26 | 1 << 25 | 1 << 6 | 0x3f;
	return (esr >> 26 & 0x3f) == 0x24 && !(el2_spsr >> 4 & 1) &&
	       ((dfsc >= 4 && dfsc <= 7) || dfsc == 0x2b) && !(esr & ~known);
}

/*
 * ISV says that ISS[23:14] are valid: SAS, SSE, SRT, SF, AR. They tell all of an access
 * if nothing else does: LST, VNCR, FnV, EA, CM, S1PTW and ISS2 are 0, and the order of
 * the bytes, SCTLR_EL1.EE or E0E, is EL2's.
 */
static bool is_access(u64 esr)
{
	bool big_endian = el2_host_sctlr >> (el2_spsr & 0xf ? 25 : 24) & 1;

	return is_fault_with(esr, 0x1ffULL << 15 | 1 << 24 | 1 << 14) && esr >> 24 & 1 &&
	       !big_endian;
}

/* CM; not the walk for an address translation, S1PTW. DC ZVA and its like have no CM */
static bool is_cache_maintenance(u64 esr)
{
	return is_fault_with(esr, 1 << 8) && esr >> 8 & 1;
}

static void any_abort(u64 sas)
{
	u64 esr = (nondet_u64() & ~(3ULL << 22)) | sas << 22, ipa = nondet_u64(), old, want;
	unsigned int rt = esr >> 16 & 31, bytes = 1U << sas, i;
	struct kvm_cpu_context before, after;
	bool write = esr >> 6 & 1, access, maintenance;
	u64 spsr = nondet_u64();
	int ret;

	any_ranges();
	kvm_iommu_ops = &driver;
	el2_spsr = spsr;
	el2_host_sctlr = nondet_u64();
	for (i = 0; i < 31; i++)
		before.regs[i] = nondet_u64();
	access = is_access(esr);
	maintenance = is_cache_maintenance(esr);
	after = before;
	ret = kvm_iommu_host_abort(&after, esr, ipa);

	i = nondet_u32();
	SUPPOSE(i < 31);
	old = before.regs[i];
	if (!is_el2s(ipa) || !access) {
		PROVE(!asked.reads && !asked.writes, "the driver doesn't hear of it");
		PROVE(after.regs[i] == old, "nor does a register change");
	}
	if (!is_el2s(ipa) || (!access && !maintenance)) {
		PROVE(ret == (is_el2s(ipa) ? -EPERM : -ENOENT), "it is not emulated");
		PROVE(!el2_skipped && el2_spsr == spsr, "nor is it skipped");
		return;
	}

	PROVE(!ret && el2_skipped == 1, "it is emulated");
	PROVE(el2_spsr == (spsr & ~(1ULL << 21 | 3ULL << 10)), "as one step, and no branch");
	if (maintenance)
		return;

	PROVE(asked.reads == !write && asked.writes == write, "by the driver, once");
	PROVE(asked.range < nr_mmio_ranges, "of that SMMU");
	PROVE(ipa == mmio_ranges[asked.range].base + asked.offset &&
	      ipa < mmio_ranges[asked.range].end, "where it was");
	PROVE(asked.size == bytes, "as wide as it was");
	PROVE(!(esr >> 14 & 1) || (asked.barriers == 1 && el2_barriers == 2),
	      "acquire and release order it");
	if (write) {
		want = rt == 31 ? 0 : before.regs[rt];
		if (bytes < 8)
			want &= (1ULL << (8 * bytes)) - 1;
		PROVE(asked.val == want, "what the register has, and 31 is zero");
		PROVE(after.regs[i] == old, "a write changes no register");
		return;
	}
	want = asked.val;
	if (esr >> 21 & 1 && bytes < 8 && want >> (8 * bytes - 1) & 1)
		want |= ~0ULL << (8 * bytes);
	if (!(esr >> 15 & 1))
		want &= 0xffffffff;
	PROVE(after.regs[i] == (i == rt ? want : old), "that register, and no other");
}

void prove_abort_of_a_byte(void)
{
	any_abort(0);
}

void prove_abort_of_2_bytes(void)
{
	any_abort(1);
}

void prove_abort_of_4_bytes(void)
{
	any_abort(2);
}

void prove_abort_of_8_bytes(void)
{
	any_abort(3);
}

/* Any RAM that there may be */
static void any_memory(void)
{
	unsigned int i;

	hyp_memblock_nr = NR_MEMBLOCKS;
	for (i = 0; i < NR_MEMBLOCKS; i++) {
		hyp_memory[i] = (struct memblock_region) { nondet_u64(), nondet_u64(),
							   nondet_u32() };
		SUPPOSE(hyp_memory[i].base < BIT_ULL(52) && hyp_memory[i].size < BIT_ULL(52) &&
			PAGE_ALIGNED(hyp_memory[i].base) && PAGE_ALIGNED(hyp_memory[i].size));
		SUPPOSE(!i || hyp_memory[0].base + hyp_memory[0].size <= hyp_memory[1].base);
	}
}

/* EL2 reads what is the host's alone, be the address what it may: see hyp_fixmap_map() */
void prove_copy_is_hosts(void)
{
	u64 src = nondet_u64(), buffer[3], size = nondet_u64();
	bool cached = nondet_bool();
	unsigned int i;
	int ret;

	any_memory();
	el2_state = PKVM_NOPAGE;
	el2_flushed = 0;
	SUPPOSE(size && size <= sizeof(buffer));
	ret = kvm_iommu_copy_from_host(buffer, src, size, cached);
	PROVE(!host_mmu.lock.held, "no lock is left");
	if (ret)
		return;

	PROVE(el2_flushed == (cached ? 0 : size), "as a device sees them, if that is asked for");
	PROVE(!(src & 7) && !(size & 7), "whole words");
	PROVE((src & PAGE_MASK) == ((src + size - 1) & PAGE_MASK), "of one page");
	for (i = 0; i < NR_MEMBLOCKS; i++) {
		if (src >= hyp_memory[i].base && src - hyp_memory[i].base < hyp_memory[i].size)
			PROVE(!(hyp_memory[i].flags & 4), "that the firmware hasn't kept");
	}
}

/*
 * Nor does a CPU that mispredicts load from what the host has named: see el2_speculates
 * and hyp_phys_to_page()
 */
void prove_copy_when_mispredicted(void)
{
	u64 src = nondet_u64(), buffer[3], size = nondet_u64();
	unsigned int i;

	any_memory();
	for (i = 0; i < NR_MEMBLOCKS; i++)
		SUPPOSE(hyp_memory[i].size);
	/* Which is EL2's to choose */
	SUPPOSE(size <= sizeof(buffer) && !(size & 7));
	el2_speculates = true;
	kvm_iommu_copy_from_host(buffer, src, size, nondet_bool());
}

/* Nor does it compare what the host has named with anything but ranges */
void prove_find_when_mispredicted(void)
{
	const struct kvm_iommu_mmio *range;

	any_ranges();
	SUPPOSE(nr_mmio_ranges);
	el2_speculates = true;
	range = mmio_find(nondet_u64());
	PROVE(!range || (range >= ranges && range < ranges + nr_mmio_ranges), "a range");
}

/* What the host gets mapped of MMIO has nothing in it that EL2 took */
void prove_trim_leaves_el2s(void)
{
	u64 addr = nondet_u64(), start = nondet_u64(), end = nondet_u64(), any = nondet_u64();
	u64 from = start, to = end;

	any_ranges();
	SUPPOSE(start <= addr && addr < end);
	if (!kvm_iommu_trim_mmio(addr, &start, &end)) {
		PROVE(is_el2s(addr), "what is refused is EL2's");
		return;
	}
	PROVE(!is_el2s(addr), "what is EL2's is refused");
	PROVE(start <= addr && addr < end, "the page that was asked for is in it");
	PROVE(from <= start && end <= to, "and it has not grown");
	SUPPOSE(any >= start && any < end);
	PROVE(!is_el2s(any), "nothing in it is EL2's");
	/* And what was cut off did not have to be: the first byte outside is EL2's */
	PROVE(start == from || is_el2s(start - 1), "the most that there can be, below");
	PROVE(end == to || is_el2s(end), "and above");
}

void prove_next_skips_nothing(void)
{
	u64 pa = nondet_u64(), base, end, any = nondet_u64();

	any_ranges();
	SUPPOSE(any >= pa);
	if (!kvm_iommu_next_mmio(pa, &base, &end)) {
		PROVE(!is_el2s(any), "none means none");
		return;
	}
	PROVE(base < end && end > pa, "it ends above");
	if (any >= base && any < end)
		PROVE(is_el2s(any), "it is EL2's");
	else if (any < base)
		PROVE(!is_el2s(any), "there is none before it");
}

/* No range of RAM, none twice, and none that the host has mapped or annotated */
void prove_take_is_mmio(void)
{
	u64 base = nondet_u64(), any = nondet_u64();
	size_t size = nondet_u64();
	unsigned int had;
	void __iomem *va;
	bool was_el2s;

	/* One that was taken already will do, or as many as there is memory for */
	any_ranges();
	nr_mmio_ranges = 1 + nondet_bool();
	had = nr_mmio_ranges;
	hyp_memblock_nr = 1;
	hyp_memory[0] = (struct memblock_region) { nondet_u64(), nondet_u64(), 0 };
	SUPPOSE(hyp_memory[0].base < BIT_ULL(52) && hyp_memory[0].size < BIT_ULL(52) &&
		PAGE_ALIGNED(hyp_memory[0].base) && PAGE_ALIGNED(hyp_memory[0].size));
	host_mmu.arch.mmu.phys_shift = 48;
	/* So many pages that the loop over them ends here */
	SUPPOSE(size <= 2 * PAGE_SIZE || size >= BIT_ULL(32));
	was_el2s = is_el2s(any);

	if (kvm_iommu_take_mmio(base, size, NULL, &va)) {
		PROVE(nr_mmio_ranges == had, "what fails takes nothing");
		PROVE(!host_mmu.lock.held, "no lock is left");
		return;
	}
	PROVE(!host_mmu.lock.held, "no lock is left");
	PROVE(had < NR_RANGES, "for which there was memory");
	PROVE(nr_mmio_ranges == had + 1, "one more");
	PROVE(size < BIT_ULL(32), "whose offsets have 32 bits");
	PROVE(!el2_maps_mmio, "of which the host has nothing mapped");
	PROVE(base + size <= BIT_ULL(48), "within reach of the host");
	if (any >= base && any - base < size) {
		PROVE(is_el2s(any), "now it is EL2's");
		PROVE(!was_el2s, "and was not before");
		PROVE(!addr_is_memory(any), "and is no RAM");
	} else {
		PROVE(is_el2s(any) == was_el2s, "and nothing else");
	}
	PROVE(ranges[0].end <= ranges[1].base, "in order");
}

/* The same of the one word that EL2 writes */
void prove_write_is_hosts(void)
{
	u64 dst = nondet_u64();
	u32 val = nondet_u32();
	unsigned int i;

	any_memory();
	el2_state = PKVM_NOPAGE;
	if (kvm_iommu_write_to_host(dst, val))
		return;

	PROVE(!host_mmu.lock.held, "no lock is left");
	PROVE(!(dst & 3), "a whole word");
	PROVE((u32)el2_words[0] == val, "it is written");
	for (i = 0; i < NR_MEMBLOCKS; i++) {
		if (dst >= hyp_memory[i].base && dst - hyp_memory[i].base < hyp_memory[i].size)
			PROVE(!(hyp_memory[i].flags & 4), "not what the firmware has kept");
	}
}

void prove_write_when_mispredicted(void)
{
	unsigned int i;

	any_memory();
	for (i = 0; i < NR_MEMBLOCKS; i++)
		SUPPOSE(hyp_memory[i].size);
	el2_speculates = true;
	kvm_iommu_write_to_host(nondet_u64(), nondet_u32());
}

static int leave_result;

static int any_leave(phys_addr_t start, phys_addr_t end)
{
	return leave_result;
}

/* A hypercall in which a page could not leave in time fails with -EAGAIN, or not at all */
void prove_again_is_seen(void)
{
	static const struct kvm_iommu_ops ops = { .pages_leave = any_leave };
	struct kvm_cpu_context ctxt = { .regs = { [1] = (int)nondet_u32() } };
	u64 was = ctxt.regs[1];
	int ret;

	kvm_iommu_ops = &ops;
	kvm_iommu_live = nondet_bool();
	leave_result = nondet_u32();
	hyp_spin_lock(&host_mmu.lock);
	ret = kvm_iommu_pages_leave(nondet_u64(), PAGE_SIZE);
	hyp_spin_unlock(&host_mmu.lock);
	PROVE(ret == (kvm_iommu_live ? leave_result : 0), "what the driver says");

	kvm_iommu_hcall_exit(&ctxt);
	PROVE(ctxt.regs[1] == (ret == -EAGAIN && (int)was < 0 ? (u64)-EAGAIN : was),
	      "an error that EL1 understands");
	ctxt.regs[1] = was;
	kvm_iommu_hcall_exit(&ctxt);
	PROVE(ctxt.regs[1] == was, "and the next hypercall has its own");
}

static bool may_access(phys_addr_t pa)
{
	unsigned int which = (pa >> PMD_SHIFT) & 1;

	if (!el2_ram.no_entry[which] && el2_ram.level[which] < 3)
		return !el2_ram.pte[which] || el2_ram.pte[which] & 1;

	return el2_ram.states[(pa >> PAGE_SHIFT) % 4] != PKVM_NOPAGE;
}

/* The first run of RAM that the host may access: up to 3 pages, on both sides of a block's end */
void prove_next_host_ram(void)
{
	u64 pa = nondet_u64(), end = nondet_u64(), any = nondet_u64(), from, to;
	unsigned int i;

	SUPPOSE(PAGE_ALIGNED(pa | end | any) && pa < BIT_ULL(52) && pa <= end &&
		end - pa <= 3 * PAGE_SIZE && any >= pa && any < end);
	el2_ram.fixed = true;
	for (i = 0; i < 2; i++) {
		el2_ram.no_entry[i] = nondet_bool();
		el2_ram.level[i] = nondet_bool() ? 2 : 3;
		el2_ram.pte[i] = nondet_u64();
	}
	for (i = 0; i < 3; i++)
		el2_ram.states[i] = nondet_u8() & 3;
	el2_ram.states[3] = nondet_u8() & 3;
	hyp_memblock_nr = 1;
	hyp_memory[0] = (struct memblock_region) { pa, end - pa, 0 };

	hyp_spin_lock(&host_mmu.lock);
	if (!kvm_iommu_next_host_ram(pa, end, &from, &to)) {
		PROVE(!may_access(any), "none means none");
		return;
	}
	PROVE(from >= pa && from < to && to <= end, "a run in the range");
	if (any >= from && any < to)
		PROVE(may_access(any), "all of it is the host's");
	else if (any <= to)
		PROVE(!may_access(any), "none is before it, and it ends where the host's RAM does");
}
