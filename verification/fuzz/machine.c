// SPDX-License-Identifier: GPL-2.0-only
/*
 * See machine.h. Fields are numbers here, from the architecture (Arm IHI 0070):
 * what the emulator gets wrong must not be wrong here in the same way.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "machine.h"

#define NR_STES		16
#define NR_L1		4
#define NR_CDS		8
#define NR_TLB		32
#define NR_PENDING	64

#define MAX_LEVELS	4

struct cached_ste {
	u64	born;
	u32	sid;
	u64	ste[8];
};

struct cached_l1 {
	u64	born;
	u32	index;
	u64	desc;
};

struct cached_cd {
	u64	born;
	u32	sid;
	u64	cd[8];
};

/* @combined: from @in (a virtual address) to @out; else from an IPA to @out */
struct cached_tlb {
	u64	born;
	bool	combined;
	u16	vmid;
	u16	asid;
	u64	in;
	u64	out;
	u64	size;
	bool	writable;
};

struct pending {
	u64	born;
	u64	cmd[2];
};

/* One for each of mock->smmu[]; @born is 0 where there is nothing */
static struct caches {
	struct cached_ste	stes[NR_STES];
	struct cached_l1	l1[NR_L1];
	struct cached_cd	cds[NR_CDS];
	struct cached_tlb	tlb[NR_TLB];
	struct pending		pending[NR_PENDING];
	unsigned int		nr_pending;
	unsigned int		victim;
} caches[MOCK_NR_SMMUS];

static u64 now;

static struct caches *caches_of(struct mock_smmu *s)
{
	return &caches[s - mock->smmu];
}

/* Commands */

static bool cfgi_covers(const u64 *cmd, u32 sid)
{
	switch (cmd[0] & 0xff) {
	case 0x03:
	case 0x05:
	case 0x06:
		return cmd[0] >> 32 == sid;
	case 0x04:
		return (cmd[0] >> 32) >> ((cmd[1] & 0x1f) + 1) ==
		       (u64)sid >> ((cmd[1] & 0x1f) + 1);
	default:
		return false;
	}
}

static bool tlbi_covers(const u64 *cmd, const struct cached_tlb *e)
{
	u16 vmid = cmd[0] >> 32, asid = cmd[0] >> 48;
	unsigned int tg = (cmd[1] >> 10) & 3;
	u64 first, last;

	switch (cmd[0] & 0xff) {
	case 0x10: /* NH_ALL */
		return e->combined && e->vmid == vmid;
	case 0x11: /* NH_ASID */
		return e->combined && e->vmid == vmid && e->asid == asid;
	case 0x12: /* NH_VA */
	case 0x13: /* NH_VAA */
	case 0x2a: /* S2_IPA: stage 2 only */
		if (e->combined == ((cmd[0] & 0xff) == 0x2a) || e->vmid != vmid ||
		    ((cmd[0] & 0xff) == 0x12 && e->asid != asid))
			return false;
		/* Of EL2's pages, or of the host's, which are of 4K here */
		first = cmd[1] & ~GENMASK_ULL(11, 0);
		last = first + (e->combined ? 4096 : PAGE_SIZE) - 1;
		if (tg)
			last = first + ((((cmd[0] >> 12) & 0x1f) + 1)
					<< ((cmd[0] >> 20) & 0x1f) << (2 * tg + 10)) - 1;
		return first < e->in + e->size && last >= e->in;
	case 0x28: /* S12_VMALL */
		return e->vmid == vmid;
	case 0x30: /* NSNH_ALL */
		return true;
	default:
		return false;
	}
}

static void invalidate(struct mock_smmu *s, const struct pending *p)
{
	struct caches *c = caches_of(s);
	u32 split = (mock_reg(s, ARM_SMMU_STRTAB_BASE_CFG) >> 6) & 0x1f;
	unsigned int op = p->cmd[0] & 0xff, i;

	for (i = 0; i < NR_STES; i++) {
		if (c->stes[i].born <= p->born && op < 0x05 && cfgi_covers(p->cmd, c->stes[i].sid))
			c->stes[i].born = 0;
	}
	for (i = 0; i < NR_L1; i++) {
		/* Leaf leaves it alone; a range is a hint about STEs, unless it is all */
		if (c->l1[i].born <= p->born &&
		    ((op == 0x03 && !(p->cmd[1] & 1) &&
		      (p->cmd[0] >> 32) >> split == c->l1[i].index) ||
		     (op == 0x04 && (p->cmd[1] & 0x1f) == 31)))
			c->l1[i].born = 0;
	}
	for (i = 0; i < NR_CDS; i++) {
		if (c->cds[i].born <= p->born && cfgi_covers(p->cmd, c->cds[i].sid))
			c->cds[i].born = 0;
	}
	for (i = 0; i < NR_TLB; i++) {
		if (c->tlb[i].born <= p->born && tlbi_covers(p->cmd, &c->tlb[i]))
			c->tlb[i].born = 0;
	}
}

static void drain(struct mock_smmu *s)
{
	struct caches *c = caches_of(s);
	unsigned int i;

	for (i = 0; i < c->nr_pending; i++)
		invalidate(s, &c->pending[i]);
	c->nr_pending = 0;
}

static void ran(struct mock_smmu *s, const u64 *cmd)
{
	struct caches *c = caches_of(s);

	if ((cmd[0] & 0xff) == 0x46 || c->nr_pending == NR_PENDING)
		drain(s);
	if ((cmd[0] & 0xff) == 0x46)
		return;
	c->pending[c->nr_pending].born = ++now;
	memcpy(c->pending[c->nr_pending++].cmd, cmd, sizeof(c->pending[0].cmd));
}

void machine_init(void)
{
	memset(caches, 0, sizeof(caches));
	now = 0;
	mock->ran = ran;
}

/* What an SMMU fetches */

static u64 fetch_el2(phys_addr_t pa)
{
	struct mock_page *page = mock_page(pa);

	if (!page || page->owner != MOCK_EL2)
		mock_complain("the stream table is not in EL2's memory");
	else if (page->in_pool)
		mock_complain("the SMMU follows a pointer to a page that is free");

	return mock_get(pa);
}

static u64 level1(struct mock_smmu *s, u64 base, u32 index)
{
	struct caches *c = caches_of(s);
	struct cached_l1 *e;
	unsigned int i;

	for (i = 0; i < NR_L1; i++) {
		if (c->l1[i].born && c->l1[i].index == index)
			return c->l1[i].desc;
	}

	e = &c->l1[c->victim++ % NR_L1];
	e->born = ++now;
	e->index = index;
	e->desc = fetch_el2(base + index * 8ULL);
	return e->desc;
}

static bool get_ste(struct mock_smmu *s, u32 sid, u64 *ste)
{
	u64 base = mock_reg64(s, ARM_SMMU_STRTAB_BASE) & GENMASK_ULL(51, 6), desc;
	u32 cfg = mock_reg(s, ARM_SMMU_STRTAB_BASE_CFG);
	u32 bits = cfg & 0x3f, split = (cfg >> 6) & 0x1f, span, index = sid;
	struct caches *c = caches_of(s);
	struct cached_ste *e;
	unsigned int i;

	for (i = 0; i < NR_STES; i++) {
		if (c->stes[i].born && c->stes[i].sid == sid) {
			memcpy(ste, c->stes[i].ste, sizeof(c->stes[i].ste));
			return true;
		}
	}

	if ((u64)sid >> bits)
		return false;
	if (((cfg >> 16) & 3) == 1) {
		base = ALIGN_DOWN(base, max(8ULL << (bits - split), 64ULL));
		desc = level1(s, base, sid >> split);
		span = desc & 0x1f;
		index = sid & ((1U << split) - 1);
		if (!span || span > split + 1 || index >> (span - 1))
			return false;
		base = desc & GENMASK_ULL(51, 6);
		bits = span - 1;
	}
	base = ALIGN_DOWN(base, 64ULL << bits);

	e = &c->stes[c->victim++ % NR_STES];
	e->born = ++now;
	e->sid = sid;
	for (i = 0; i < 8; i++)
		e->ste[i] = fetch_el2(base + index * 64ULL + i * 8);
	memcpy(ste, e->ste, sizeof(e->ste));
	return true;
}

static struct cached_tlb *tlb_find(struct caches *c, bool combined, u16 vmid, u16 asid, u64 in)
{
	unsigned int i;

	for (i = 0; i < NR_TLB; i++) {
		struct cached_tlb *e = &c->tlb[i];

		if (e->born && e->combined == combined && e->vmid == vmid &&
		    (!combined || e->asid == asid) && in >= e->in && in - e->in < e->size)
			return e;
	}

	return NULL;
}

static struct cached_tlb *tlb_add(struct caches *c, bool combined, u16 vmid, u16 asid,
				  u64 in, u64 out, u64 size, bool writable)
{
	struct cached_tlb *e = &c->tlb[c->victim++ % NR_TLB];

	*e = (struct cached_tlb) { ++now, combined, vmid, asid, in, out, size, writable };
	return e;
}

static bool stage2(struct mock_smmu *s, const u64 *ste, u64 ipa, u64 *pa, bool *writable)
{
	struct caches *c = caches_of(s);
	u16 vmid = ste[2];
	struct cached_tlb *e = tlb_find(c, false, vmid, 0, ipa);
	struct mock_leaf leaf;
	u64 size;

	if (!e) {
		if (!mock_s2_walk(&ste[2], ipa, &leaf))
			return false;
		size = 1ULL << (PAGE_SHIFT + (3 - leaf.level) * (PAGE_SHIFT - 3));
		e = tlb_add(c, false, vmid, 0, ALIGN_DOWN(ipa, size), ALIGN_DOWN(leaf.pa, size),
			    size, leaf.desc >> 7 & 1);
	}
	*pa = e->out + (ipa - e->in);
	*writable = e->writable;
	return true;
}

/* Where an access gets to. The memory is the host's, or that is all */
static u64 *reach(u64 pa)
{
	struct mock_page *page = mock_page(pa);
	unsigned int i;

	for (i = 0; i < MOCK_NR_SMMUS; i++) {
		if (mock->smmu[i].taken && pa - MOCK_MMIO(i) < MOCK_MMIO_SIZE)
			mock_complain("a device reaches an SMMU's registers");
	}
	if (!page)
		return NULL;
	if (page->owner != MOCK_HOST)
		mock_complain("a device reaches memory that is not the host's");

	return mock_va(ALIGN_DOWN(pa, 8));
}

static bool fetch_host(struct mock_smmu *s, const u64 *ste, u64 ipa, u64 *val)
{
	bool writable;
	u64 pa, *at;

	if (!stage2(s, ste, ipa, &pa, &writable))
		return false;
	at = reach(pa);
	if (!at)
		return false;
	*val = le64_to_cpu(*(__le64 *)at);
	return true;
}

/* 4K only, TTB0 only, substream 0 only: what is behind a stage 1 is what matters */
static bool stage1(struct mock_smmu *s, const u64 *ste, u32 sid, u64 va, u64 *pa,
		   bool *writable)
{
	struct caches *c = caches_of(s);
	u16 vmid = ste[2], asid;
	struct cached_cd *e = NULL;
	struct cached_tlb *t;
	u64 table, desc, size;
	unsigned int i, t0sz;
	int level;

	for (i = 0; i < NR_CDS; i++) {
		if (c->cds[i].born && c->cds[i].sid == sid)
			e = &c->cds[i];
	}
	if (!e) {
		u64 cd[8];

		for (i = 0; i < 8; i++) {
			if (!fetch_host(s, ste, (ste[0] & GENMASK_ULL(51, 6)) + i * 8, &cd[i]))
				return false;
		}
		e = &c->cds[c->victim++ % NR_CDS];
		e->born = ++now;
		e->sid = sid;
		memcpy(e->cd, cd, sizeof(cd));
	}

	t0sz = e->cd[0] & 0x3f;
	asid = e->cd[0] >> 48;
	/* V, AA64, a granule of 4K, a walk that is not disabled */
	if (!(e->cd[0] >> 31 & 1) || !(e->cd[0] >> 41 & 1) || e->cd[0] >> 6 & 3 ||
	    e->cd[0] >> 14 & 1 || t0sz < 16 || t0sz > 39 || va >> (64 - t0sz))
		return false;

	t = tlb_find(c, true, vmid, asid, va);
	if (!t) {
		u64 ipa, out;

		level = 4 - (64 - t0sz - 12 + 8) / 9;
		table = e->cd[1] & GENMASK_ULL(47, 4);
		for (;; level++) {
			unsigned int shift = 12 + (3 - level) * 9;

			if (!fetch_host(s, ste, table + ((va >> shift) & 0x1ff) * 8, &desc))
				return false;
			if (!(desc & 1) || (level == 3 && !(desc & 2)))
				return false;
			size = 1ULL << shift;
			if (level == 3 || !(desc & 2))
				break;
			table = desc & GENMASK_ULL(47, 12);
		}
		if (level == 0)
			return false;
		ipa = (desc & GENMASK_ULL(47, 12) & ~(size - 1)) | (va & (size - 1));
		if (!stage2(s, ste, ipa, &out, writable))
			return false;
		/* Of the smaller of the two sizes: a page will do */
		t = tlb_add(c, true, vmid, asid, ALIGN_DOWN(va, 4096), ALIGN_DOWN(out, 4096), 4096,
			    *writable && !(desc >> 7 & 1));
	}

	*pa = t->out + (va - t->in);
	*writable = t->writable;
	return true;
}

enum machine_dma machine_dma(struct mock_smmu *s, u32 sid, u64 addr, bool write, u64 *val)
{
	unsigned int config;
	u64 ste[8], pa, *at;
	bool writable;

	addr = ALIGN_DOWN(addr, 8);
	if (!(mock_reg(s, ARM_SMMU_CR0ACK) & CR0_SMMUEN)) {
		/* To end stalls, and GBPA aborts */
		if (s->armed && !(s->gbpa & BIT(20)))
			mock_complain("the SMMU is off");
		return MACHINE_ABORTED;
	}
	if (!get_ste(s, sid, ste) || !(ste[0] & 1))
		return MACHINE_ABORTED;

	config = ste[0] >> 1 & 7;
	switch (config) {
	case 0:
		return MACHINE_ABORTED;
	case 6:
		if (!stage2(s, ste, addr, &pa, &writable))
			return MACHINE_ABORTED;
		break;
	case 7:
		if (!stage1(s, ste, sid, addr, &pa, &writable))
			return MACHINE_ABORTED;
		break;
	default:
		mock_complain("a stream passes without a stage 2");
		return MACHINE_NOWHERE;
	}

	if (write && !writable)
		return MACHINE_ABORTED;
	at = reach(pa);
	if (!at)
		return MACHINE_NOWHERE;
	if (write)
		*(__le64 *)at = cpu_to_le64(*val);
	else
		*val = le64_to_cpu(*(__le64 *)at);
	return MACHINE_DONE;
}

/* The oracle */

static bool overlaps(u64 start, u64 size, u64 other, u64 other_size)
{
	return start < other + other_size && other < start + size;
}

void machine_check_caches(void)
{
	unsigned int i, j, k;

	for (i = 0; i < MOCK_NR_SMMUS; i++) {
		for (j = 0; j < NR_TLB; j++) {
			const struct cached_tlb *e = &caches[i].tlb[j];

			if (!e->born)
				continue;
			for (k = 0; e->size > PAGE_SIZE && k < mock->nr_pages; k++) {
				if (mock->pages[k].owner != MOCK_HOST &&
				    overlaps(e->out, e->size, mock_page_pa(k), PAGE_SIZE))
					mock_complain("a TLB has what is not the host's");
			}
			if (mock_page(e->out) && mock_page(e->out)->owner != MOCK_HOST)
				mock_complain("a TLB has what is not the host's");
			for (k = 0; k < MOCK_NR_SMMUS; k++) {
				if (mock->smmu[k].taken &&
				    overlaps(e->out, e->size, MOCK_MMIO(k), MOCK_MMIO_SIZE))
					mock_complain("a TLB has an SMMU's registers");
			}
		}
		for (j = 0; j < NR_STES; j++) {
			struct cached_ste *e = &caches[i].stes[j];

			if (e->born && mock->smmu[i].armed &&
			    !mock_ste_is_safe(&mock->smmu[i], e->ste))
				mock_complain("a cached STE lets something pass");
		}
	}
}

void machine_check_stage2(void)
{
	struct mock_smmu *s = &mock->smmu[0];
	struct mock_leaf leaf;
	unsigned int k;
	u64 off;

	for (k = 0; k < mock->nr_pages; k++) {
		if (mock->pages[k].owner != MOCK_HOST &&
		    mock_s2_walk(s->smmu->feat.s2_ste, mock_page_pa(k), &leaf))
			mock_complain("stage 2 maps what is not the host's");
	}
	for (k = 0; k < MOCK_NR_SMMUS; k++) {
		for (off = 0; off < MOCK_MMIO_SIZE && mock->smmu[k].taken; off += PAGE_SIZE) {
			if (mock_s2_walk(s->smmu->feat.s2_ste, MOCK_MMIO(k) + off, &leaf))
				mock_complain("stage 2 maps an SMMU's registers");
		}
	}
}
