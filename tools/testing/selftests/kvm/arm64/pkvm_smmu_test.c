// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host against a hypervisor that owns the host's SMMUv3: one test for
 * each way to reach memory that is not the host's, or to stop the hypervisor.
 *
 * For machines with QEMU's edu device behind an SMMUv3, protected KVM, and
 * iommu.passthrough=1, where no other device does DMA meanwhile. Elsewhere it
 * is skipped. The kernel needs KVM, ARM_SMMU_V3_PKVM, ARM_SMMU_V3_IOMMUFD,
 * VFIO_PCI, HUGETLBFS, KEXEC, PROC_PAGE_MONITOR, and DEVMEM without
 * STRICT_DEVMEM.
 *
 * The test accesses the registers through /dev/mem, while the host's driver is
 * bound to the SMMU. That driver suppresses unbinding from sysfs, and the tests
 * need its configuration for a last access to the host's memory. The driver has
 * no work as long as no device maps memory. smmu_take() waits for that,
 * disables its interrupts and its queues, and smmu_give_back() restores its
 * registers. An access through /dev/mem traps as an access by the kernel does.
 *
 * Each test has a protected guest with a secret, and the hypervisor's own
 * memory, as its victims. The test fails if the device has read a byte of
 * either, if the guest finds its page changed, if the hypervisor does not
 * answer, or if DMA does not work after the driver has its SMMU back.
 * FIXTURE_TEARDOWN() checks the last three.
 *
 * A read that the SMMU stops returns zeros, and a write that it stops is lost.
 * Only an observer outside of the machine can know that the hypervisor's memory
 * has bytes that are not zero, and that no write has landed there. The lines
 *
 *	# LOOK test what address size
 *
 * ask the observer: are there "data" bytes that are not zero; are all "zero"?
 */
#include <asm/hwcap.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/auxvec.h>
#include <linux/iommufd.h>
#include <linux/kexec.h>
#include <linux/mman.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "edu.h"
#include "kselftest_harness.h"
#include "pkvm.h"
#include "smmu_v3.h"

/* The device writes this. It is at the start of the device's buffer. */
#define PATTERN		"pKVM-DMA-ATTACK!"
#define PATTERN_SIZE	16

/*
 * The device's buffer has four parts: for what the device reads of the
 * hypervisor (behind the pattern), of the guest, of the host, and elsewhere.
 */
#define PIECE		1024
#define HYP_SIZE	(PIECE - PATTERN_SIZE)
#define OTHER_PIECE	(3 * PIECE)
#define OWN_BYTE	0x3c

#define F_TRANSLATION	0x10
#define EVENT_S2	0x8000000000
#define EVENT_CLASS	0x30000000000		/* 0: a CD was fetched */
#define C_BAD_STE	0x04

/* Linux's, and EL2's */
static u64 page_size;
/* Where to read of the hypervisor, and where to write */
static u64 hyp_data, hyp_end;
static unsigned int sid;

static bool find_hyp(void)
{
	struct pkvm_hyp_memory mem;

	if (!pkvm_find_hyp_memory(&mem))
		return false;
	hyp_data = mem.data;
	hyp_end = mem.end - PATTERN_SIZE;
	return true;
}

/* Returns what this machine lacks, or NULL. */
static const char *missing(void)
{
	glob_t g;

	if (geteuid())
		return "not root";
	if (!edu_exists())
		return "no edu device";
	if (smmu_missing())
		return smmu_missing();
	if (access("/dev/kvm", R_OK | W_OK) || !find_hyp())
		return "KVM is not protected";
	/* Else the tests would write to the hypervisor's memory. */
	if (glob("/sys/bus/platform/drivers/arm-smmu-v3-pkvm/*smmu*v3*", 0,
		 NULL, &g))
		return "the SMMU is not the hypervisor's";
	globfree(&g);
	edu_open();
	if (!edu_uses_physical_addresses())
		return "edu does not use physical addresses";
	return NULL;
}

/*
 * The secret is a table of bypass STEs. If the SMMU reads its STEs there, a
 * stream bypasses.
 */
static void new_guest(struct pkvm_guest *guest, void *page)
{
	static const u64 ste[8] = { STE_BYPASS, STE_BYPASS_1 };
	u64 secret[PKVM_SECRET_SIZE / sizeof(ste)][8];
	int i;

	for (i = 0; i < ARRAY_SIZE(secret); i++)
		memcpy(secret[i], ste, sizeof(ste));
	pkvm_guest_create(guest, page, PKVM_PAGE_SIZE, secret);
}

FIXTURE(smmu)
{
	struct smmu_page own;		/* the host's */
	struct smmu_page page;		/* was, and is the guest's */
	struct pkvm_guest guest;
	u32 idr0;
	unsigned char buf[EDU_BUF_SIZE];
};

/* Load the pattern from a page of the host, which the device must reach. */
static void load_pattern(const struct smmu_page *own)
{
	memcpy(own->va, PATTERN, PATTERN_SIZE);
	edu_load(own->pa, PATTERN_SIZE);
	memset(own->va, OWN_BYTE, EDU_BUF_SIZE);
}

/* The kernel's log says which test its messages belong to. */
static void log_test(const char *name)
{
	FILE *kmsg = fopen("/dev/kmsg", "w");

	if (!kmsg)
		return;
	fprintf(kmsg, "pkvm_smmu_test: %s\n", name);
	fclose(kmsg);
}

/*
 * The test takes the SMMU and disables it. The device's buffer has the pattern.
 */
FIXTURE_SETUP(smmu)
{
	log_test(_metadata->name);
	ASSERT_TRUE(find_hyp());
	edu_open();
	sid = edu_sid();
	smmu_open();
	self->idr0 = smmu_read(IDR0);
	self->own = smmu_new_page();
	self->page = smmu_new_page();
	new_guest(&self->guest, self->page.va);
	ASSERT_EQ(0, pkvm_guest_run(&self->guest));
	load_pattern(&self->own);
	smmu_take();
}

FIXTURE_TEARDOWN(smmu)
{
	smmu_give_back();
	EXPECT_EQ(self->idr0, smmu_read(IDR0));
	EXPECT_EQ(0, pkvm_guest_run(&self->guest));
	pkvm_guest_destroy(&self->guest);
	EXPECT_EQ(0, count_nonzero(self->page.va, PKVM_PAGE_SIZE));
	EXPECT_TRUE(edu_works());
}

/*
 * The device writes to the victims and reads from all of these addresses. The
 * data stays in its buffer until got() reads that.
 */
static void strike(u64 hyp, u64 hyp_write, u64 guest, u64 own)
{
	edu_store(hyp_write, PATTERN_SIZE);
	edu_store(guest, PATTERN_SIZE);
	edu_load_at(PATTERN_SIZE, hyp, HYP_SIZE);
	edu_load_at(PIECE, guest, PIECE);
	edu_load_at(2 * PIECE, own, PIECE);
}

struct got {
	size_t hyp, guest;	/* bytes that are not zero */
	bool own;		/* it has read the host's page */
	bool armed;		/* it had something to write */
};

/* When this returns, the host's driver has its SMMU back. */
static struct got got(unsigned char *buf)
{
	struct got got = { .own = true };
	int i;

	smmu_give_back();
	if (!edu_get(buf, EDU_BUF_SIZE))
		ksft_exit_fail_msg("the device can't reach the host's memory any more\n");
	got.armed = !memcmp(buf, PATTERN, PATTERN_SIZE);
	got.hyp = count_nonzero(buf + PATTERN_SIZE, HYP_SIZE);
	got.guest = count_nonzero(buf + PIECE, PIECE);
	for (i = 2 * PIECE; i < 3 * PIECE; i++)
		got.own &= buf[i] == OWN_BYTE;

	return got;
}

#define STRIKE() strike(hyp_data, hyp_end, self->page.pa, self->own.pa)

/* The device read nothing of the victims. It read the host's page if @reach. */
#define EXPECT_BLOCKED(reach)                      \
	do {                                       \
		struct got __got = got(self->buf); \
		EXPECT_TRUE(__got.armed);          \
		EXPECT_EQ(0, __got.hyp);           \
		EXPECT_EQ(0, __got.guest);         \
		EXPECT_EQ(reach, __got.own);       \
	} while (0)

/* Between two rounds of a test: check the last round, and disable the SMMU. */
#define NEXT_ROUND(reach)              \
	do {                           \
		EXPECT_BLOCKED(reach); \
		smmu_take();           \
	} while (0)

/*
 * As STRIKE(), for a stage 1 that maps the pages of those addresses from 0 on.
 */
#define STRIKE_S1() \
	strike(hyp_data % 4096, 0x1000 | hyp_end % 4096, 0x2000, 0x3000)

static struct smmu_page map_stage1(const u64 *pages, int n)
{
	struct smmu_page cd = smmu_new_page(), table[3];
	u64 *desc = cd.va;
	int i;

	for (i = 0; i < 3; i++)
		table[i] = smmu_new_page();
	*(u64 *)table[0].va = table[1].pa | 3;
	*(u64 *)table[1].va = table[2].pa | 3;
	/* AF, inner shareable, read-write for all */
	for (i = 0; i < n; i++)
		((u64 *)table[2].va)[i] = (pages[i] & ~0xfffULL) | 0x743;

	/*
	 * TTB0, 39 bits, 4K, WBWA, inner shareable; no TTB1; 44 bits; AArch64;
	 * ASID 1
	 */
	desc[0] = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1ULL << 30 | 1ULL << 31 |
		  4ULL << 32 | 1ULL << 41 | 1ULL << 45 | 1ULL << 46 |
		  1ULL << 47 | 1ULL << 48;
	desc[1] = table[0].pa;
	desc[3] = 0xff;
	/* Tests find the last table here, to change a mapping. */
	desc[64] = (unsigned long)table[2].va;

	return cd;
}

static struct smmu_page map_victims(u64 guest, u64 own)
{
	const u64 pages[] = { hyp_data, hyp_end, guest, own };

	return map_stage1(pages, 4);
}

/* Returns the type of the next event, or 0, and stores its second word here. */
static u64 event_word1;

static unsigned int next_event(unsigned int shift)
{
	u32 cons = smmu_read(EVTQ_CONS), idx = cons & ((1 << shift) - 1);
	u64 *ev = smmu_evtq.va;

	if ((smmu_read(EVTQ_PROD) & 0xfffff) == (cons & 0xfffff))
		return 0;
	smmu_write(EVTQ_CONS, (cons + 1) & ((2 << shift) - 1));
	event_word1 = ev[4 * idx + 1];
	return ev[4 * idx] & 0xff;
}

TEST_F(smmu, bypass_ste_reaches_host_memory_only)
{
	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	STRIKE();
	EXPECT_BLOCKED(true);
}

TEST_F(smmu, stage1_reaches_host_memory_only)
{
	struct smmu_page cd = map_victims(self->page.pa, self->own.pa);

	smmu_on(sid);
	smmu_set_ste(sid, STE_S1(cd.pa), STE_S1_1);
	STRIKE_S1();
	EXPECT_BLOCKED(true);
}

/* Stage 2 stops the fetch of the CD. */
TEST_F(smmu, foreign_cd_is_not_fetched)
{
	const u64 at[] = { hyp_data & ~0x3fULL, self->page.pa, smmu_phys() };
	int i, j;

	for (i = 0; i < 3; i++) {
		smmu_on(sid);
		smmu_evtq_on(smmu_evtq.pa, 7);
		smmu_set_ste(sid, STE_S1(at[i]), STE_S1_1);
		STRIKE();
		for (j = 0; j < 5; j++) {
			EXPECT_EQ(F_TRANSLATION, next_event(7));
			EXPECT_EQ(EVENT_S2,
				  event_word1 & (EVENT_S2 | EVENT_CLASS));
		}
		NEXT_ROUND(false);
	}
}

/* A valid stage 2: the tables of map_stage1() have its format (39 bits, 4K). */
static void stage2_ste(u64 *ste, const struct smmu_page *cd)
{
	/* VMID 1; from level 1, 44 bits; AArch64, S2R */
	ste[2] = 1 | 25ULL << 32 | 1ULL << 38 | 1ULL << 40 | 1ULL << 42 |
		 3ULL << 44 | 4ULL << 48 | 1ULL << 51 | 1ULL << 58;
	ste[3] = ((u64 *)cd->va)[1];
}

TEST_F(smmu, host_stage2_is_refused)
{
	struct smmu_page cd = map_victims(self->page.pa, self->own.pa);

	smmu_on(sid);
	smmu_evtq_on(smmu_evtq.pa, 7);
	stage2_ste(smmu_ste(sid), &cd);
	smmu_set_ste(sid, STE_S2, 0);
	STRIKE_S1();
	EXPECT_EQ(C_BAD_STE, next_event(7));
	NEXT_ROUND(false);

	/* A bypass STE with the words of a stage 2 */
	smmu_on(sid);
	smmu_evtq_on(smmu_evtq.pa, 7);
	stage2_ste(smmu_ste(sid), &cd);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	STRIKE();
	EXPECT_EQ(C_BAD_STE, next_event(7));
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, foreign_stream_table_is_not_read)
{
	const u64 at[] = { hyp_data, self->page.pa, smmu_phys(), 0 };
	int i;

	for (i = 0; i < 8; i++) {
		smmu_write64(STRTAB_BASE, at[i / 2] & ~0x3fULL);
		smmu_write(STRTAB_BASE_CFG,
			   i % 2 << 16 | STRTAB_SPLIT << 6 | 8);
		EXPECT_TRUE(smmu_cr0(CR0_SMMUEN));
		STRIKE();
		NEXT_ROUND(false);
	}
}

/* The other threads run while this is set. */
static bool flipping;

static bool is_flipping(void)
{
	return __atomic_load_n(&flipping, __ATOMIC_RELAXED);
}

static void set_flipping(bool on)
{
	__atomic_store_n(&flipping, on, __ATOMIC_RELAXED);
}

/* Another CPU, or the SMMU, reads what this stores. */
static void put(u64 *at, u64 val)
{
	__atomic_store_n(at, val, __ATOMIC_RELAXED);
}

struct flips {
	u64 *ste;
	u64 good[4], bad[4];
};

/* Store whole STEs, dword 0 last. */
static void *flip(void *arg)
{
	struct flips *flips = arg;
	unsigned int i, j;

	for (i = 0; is_flipping(); i++) {
		const u64 *to = i % 2 ? flips->bad : flips->good;

		for (j = 4; j--; )
			put(&flips->ste[j], to[j]);
	}
	return NULL;
}

/* Another CPU switches between a valid STE and one with a stage 2. */
TEST_F_TIMEOUT(smmu, changing_ste_is_checked_as_copied, 60)
{
	struct smmu_page cd = map_victims(self->page.pa, self->own.pa);
	struct flips flips = {
		.ste = smmu_ste(sid),
		.good = { STE_BYPASS, STE_BYPASS_1 },
		.bad = { STE_S2 },
	};
	u64 denied = pkvm_smmu_count("denied", "ste");
	struct got had;
	pthread_t thread;
	int i, round;

	stage2_ste(flips.bad, &cd);
	set_flipping(true);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flip, &flips));
	for (round = 0; round < 6; round++) {
		smmu_on(sid);
		for (i = 0; i < 500; i++)
			EXPECT_EQ(0, smmu_cmd(CMD_CFGI_STE | CMD_SID(sid), 1));
		if (round % 2)
			STRIKE_S1();
		else
			STRIKE();
		/* The other CPU decides which of the two is in force. */
		had = got(self->buf);
		EXPECT_EQ(0, had.hyp);
		EXPECT_EQ(0, had.guest);
		smmu_take();
	}
	set_flipping(false);
	pthread_join(thread, NULL);
	/* EL2 has seen both. */
	denied = pkvm_smmu_count("denied", "ste") - denied;
	EXPECT_LT(0, denied);
	EXPECT_GT(6 * 500, denied);
}

TEST_F(smmu, foreign_l2_table_is_not_read)
{
	const u64 at[] = { hyp_data & ~0xfffULL, self->page.pa, ~0xfffULL, 0 };
	u64 *l1 = smmu_l1_desc(sid);
	struct smmu_page l2;
	int i, span;

	for (i = 0; i < 4; i++) {
		smmu_on(sid);
		for (span = 1; span < 32; span += 6) {
			*l1 = at[i] | span;
			EXPECT_EQ(0, smmu_cmd(CMD_CFGI_STE | CMD_SID(sid), 0));
		}
		*l1 = at[i] | (STRTAB_SPLIT + 1);
		EXPECT_EQ(0, smmu_cmd(CMD_CFGI_STE | CMD_SID(sid), 0));
		STRIKE();
		NEXT_ROUND(false);
	}
	/* A table of the host, with a span above the split */
	do {
		l2 = smmu_new_page();
	} while (l2.pa % (2 * PKVM_PAGE_SIZE));
	smmu_on(sid);
	((u64 *)l2.va)[STE_DWORDS * (sid % L2_STES) + 1] = STE_BYPASS_1;
	((u64 *)l2.va)[STE_DWORDS * (sid % L2_STES)] = STE_BYPASS;
	*l1 = l2.pa | (STRTAB_SPLIT + 2);
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_ALL, 31));
	STRIKE();
	NEXT_ROUND(false);
	/* With a valid span the same table works. */
	smmu_on(sid);
	smmu_ste(sid)[1] = STE_BYPASS_1;
	*smmu_ste(sid) = STE_BYPASS;
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_ALL, 31));
	STRIKE();
	EXPECT_BLOCKED(true);
}

TEST_F(smmu, stream_beyond_table_aborts)
{
	const u64 sids[] = { 1ULL << (smmu_read(IDR1) & 0x3f), 0x80000000,
			     0xffffffff };
	int i;

	smmu_on(sid);
	for (i = 0; i < 3; i++) {
		/* No effect (Arm IHI 0070, section 4.1.7) */
		EXPECT_EQ(0, smmu_cmd(CMD_CFGI_STE | CMD_SID(sids[i]), 1));
		EXPECT_EQ(0, smmu_cmd(CMD_CFGI_ALL | CMD_SID(sids[i]), 3));
	}
	/* The SMMU has this stream, and the host's table does not. */
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_STE | CMD_SID(1 << STRTAB_BITS), 1));
	smmu_cr0(CR0_CMDQEN);
	*smmu_ste(sid) = STE_BYPASS;
	smmu_write64(STRTAB_BASE, smmu_l2.pa);
	smmu_write(STRTAB_BASE_CFG, 2);
	EXPECT_TRUE(smmu_cr0(CR0_CMDQEN | CR0_SMMUEN));
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_ALL, 31));
	STRIKE();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, live_table_does_not_move)
{
	u64 base;
	u32 cfg;

	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	base = smmu_read64(STRTAB_BASE);
	cfg = smmu_read(STRTAB_BASE_CFG);
	smmu_write64(STRTAB_BASE, hyp_data & ~0x3fULL);
	smmu_write(STRTAB_BASE, 0);
	smmu_write(STRTAB_BASE_CFG, 0x1f);
	EXPECT_EQ(base, smmu_read64(STRTAB_BASE));
	EXPECT_EQ(cfg, smmu_read(STRTAB_BASE_CFG));
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_ALL, 31));
	STRIKE();
	EXPECT_BLOCKED(true);
}

TEST_F(smmu, gbpa_bypass_has_no_effect)
{
	smmu_write(GBPA, 0x80000000);
	smmu_write(GBPA, 0x80001000);
	STRIKE();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, disabled_smmu_aborts)
{
	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	smmu_write(GBPA, 0x80000000);
	EXPECT_TRUE(smmu_cr0(0));
	STRIKE();
	EXPECT_BLOCKED(false);
}

/*
 * Donate a page to a guest right after the device read the page. The host sends
 * no command.
 */
static u64 donate_live(struct smmu_page *page, u64 bus, void (*before)(void),
		       struct pkvm_guest *guest)
{
	*page = smmu_new_page();
	memset(page->va, OWN_BYTE, PKVM_PAGE_SIZE);
	new_guest(guest, page->va);
	edu_load_at(OTHER_PIECE, bus ? bus : page->pa, PIECE);
	if (before)
		before();
	pkvm_guest_run(guest);
	edu_load_at(PIECE, bus ? bus : page->pa, PIECE);
	edu_store(bus ? bus : page->pa, PATTERN_SIZE);
	return pkvm_guest_run(guest);
}

static void cmdq_off(void)
{
	smmu_write(CR0, CR0_SMMUEN);
}

#define EXPECT_DONATED()                                           \
	do {                                                       \
		struct got __got = got(self->buf);                 \
		int __i;                                           \
		EXPECT_TRUE(__got.armed);                          \
		EXPECT_EQ(0, __got.guest);                         \
		/* The device read the page before the donation. */                     \
		for (__i = OTHER_PIECE; __i < EDU_BUF_SIZE; __i++) \
			EXPECT_EQ(OWN_BYTE, self->buf[__i]);       \
	} while (0)

TEST_F(smmu, donation_invalidates_without_command_queue)
{
	struct smmu_page page;
	struct pkvm_guest guest;

	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	EXPECT_EQ(0, donate_live(&page, 0, cmdq_off, &guest));
	EXPECT_DONATED();
	pkvm_guest_destroy(&guest);
}

TEST_F(smmu, foreign_event_queue_is_not_written)
{
	const u64 at[] = { self->page.pa, (hyp_end & ~0xfffULL), smmu_phys(),
			   0 };
	int i;

	smmu_on(sid);
	for (i = 0; i < 4; i++) {
		smmu_evtq_on(at[i], 4);
		EXPECT_EQ(GERROR_EVTQ_ABT, smmu_errors() & GERROR_EVTQ_ABT);
		smmu_ack_errors();
		EXPECT_EQ(0, smmu_errors());
		edu_load_at(OTHER_PIECE, self->own.pa, 64);
		EXPECT_EQ(0, smmu_read(EVTQ_PROD));
	}
	/* There is no PRI queue. */
	smmu_write64(PRIQ_BASE, self->page.pa | 4);
	EXPECT_EQ(0, smmu_read64(PRIQ_BASE));
	/* A queue in the host's memory works. */
	smmu_evtq_on(smmu_evtq.pa, 7);
	edu_load_at(OTHER_PIECE, self->own.pa, 64);
	EXPECT_NE(0, next_event(7));
	STRIKE();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, live_queue_is_not_donated)
{
	struct smmu_page queue = smmu_new_page();
	struct pkvm_guest guest;
	u64 says;

	smmu_on(sid);
	smmu_evtq_on(queue.pa, 7);
	new_guest(&guest, queue.va);
	EXPECT_GT(0, pkvm_guest_try_run(&guest, &says));
	edu_load_at(OTHER_PIECE, hyp_data, 64);
	EXPECT_NE(0, smmu_read(EVTQ_PROD));
	/* When the queue is disabled, EL2 unpins the page. */
	EXPECT_TRUE(smmu_cr0(CR0_SMMUEN | CR0_CMDQEN));
	EXPECT_EQ(0, pkvm_guest_try_run(&guest, &says));
	EXPECT_EQ(0, says);
	/* The guest's page cannot be a queue. */
	smmu_write(CR0, CR0_SMMUEN | CR0_CMDQEN | CR0_EVTQEN);
	STRIKE();
	EXPECT_EQ(0, pkvm_guest_run(&guest));
	EXPECT_BLOCKED(false);
	pkvm_guest_destroy(&guest);
}

TEST_F(smmu, address_above_oas_aborts)
{
	u64 high = 1ULL << 51;

	smmu_cr0(0);
	smmu_write64(CMDQ_BASE, high | smmu_cmdq.pa | 8);
	smmu_write(CMDQ_PROD, 1);
	smmu_write(CMDQ_CONS, 0);
	EXPECT_TRUE(smmu_cr0(CR0_CMDQEN));
	EXPECT_EQ(GERROR_CMDQ, smmu_errors() & GERROR_CMDQ);
	EXPECT_EQ(CERROR_ABT, smmu_read(CMDQ_CONS) >> 24);
	smmu_cr0(0);
	smmu_write(CMDQ_PROD, 0);
	smmu_ack_errors();

	smmu_evtq_on(high | smmu_evtq.pa, 7);
	EXPECT_EQ(GERROR_EVTQ_ABT, smmu_errors());
	smmu_on(sid);
	smmu_cr0(0);
	smmu_write64(STRTAB_BASE, high | smmu_l1.pa);
	*smmu_ste(sid) = STE_BYPASS;
	EXPECT_TRUE(smmu_cr0(CR0_SMMUEN));
	STRIKE();
	EXPECT_BLOCKED(false);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != strlen(text))
		ksft_exit_fail_msg("can't write '%s' to %s\n", text, path);
	close(fd);
}

#define HUGE_SIZE	0x200000
/* Every page size has huge pages of 2M, but not as its default. */
#define HUGE_PAGES	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

TEST_F(smmu, oversized_queues_are_capped)
{
	u32 shift = smmu_read(IDR1) >> 21 & 0x1f, entries = 1 << shift;
	u64 *ent;

	/* The queue has the SMMU's largest size, and wraps there. */
	write_file(HUGE_PAGES, "1");
	ent = mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_HUGETLB |
			   MAP_HUGE_2MB,
		   -1, 0);
	ASSERT_NE(MAP_FAILED, ent);
	ent[2 * (entries - 1)] = CMD_SYNC;
	ent[0] = CMD_SYNC;
	ent[2 * entries] = CMD_ATC_INV;
	smmu_cr0(0);
	smmu_write64(CMDQ_BASE, phys_addr(ent) | 31);
	smmu_write(CMDQ_CONS, entries - 1);
	smmu_write(CMDQ_PROD, entries - 1);
	EXPECT_TRUE(smmu_cr0(CR0_CMDQEN));
	smmu_write(CMDQ_PROD, entries + 1);
	EXPECT_EQ(entries + 1, smmu_read(CMDQ_CONS));
	EXPECT_EQ(0, smmu_errors());
	smmu_cr0(0);
	munmap(ent, HUGE_SIZE);
	write_file(HUGE_PAGES, "0");

	smmu_write64(CMDQ_BASE, smmu_cmdq.pa | 31);
	/*
	 * The event queue includes pages around this one. Do not write there.
	 */
	smmu_write64(EVTQ_BASE, self->page.pa | 31);
	smmu_write64(STRTAB_BASE, hyp_data & ~0x3fULL);
	smmu_write(STRTAB_BASE_CFG, 1 << 16 | 31 << 6 | 63);
	smmu_write(CMDQ_PROD, 0xfffff);
	smmu_write(CMDQ_CONS, 0x80001);
	EXPECT_TRUE(smmu_cr0(CR0_SMMUEN | CR0_CMDQEN | CR0_EVTQEN));
	EXPECT_EQ(GERROR_EVTQ_ABT, smmu_errors() & GERROR_EVTQ_ABT);
	/*
	 * PROD is further ahead than a queue is long, so nothing is consumed.
	 * CONS has no bit above the wrap bit.
	 */
	EXPECT_EQ(1, smmu_read(CMDQ_CONS) & 0xfffff);
	STRIKE();
	smmu_cr0(0);
	smmu_write(CMDQ_PROD, 0);
	smmu_write(CMDQ_CONS, 0);
	smmu_ack_errors();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, prod_too_far_ahead_consumes_nothing)
{
	u64 *ent = smmu_cmdq.va;
	int i;

	/* Each of these commands would stop the queue. */
	for (i = 0; i < 512; i++)
		ent[i] = CMD_ATC_INV;
	smmu_on(sid);
	smmu_write(CMDQ_PROD, 0x101);
	EXPECT_EQ(0, smmu_read(CMDQ_CONS));
	smmu_write(CMDQ_PROD, 0x1ff);
	EXPECT_EQ(0, smmu_read(CMDQ_CONS));
	EXPECT_EQ(0, smmu_errors());
	smmu_write(CMDQ_PROD, 0);
	EXPECT_EQ(0, smmu_cmd(CMD_SYNC, 0));
	STRIKE();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, msi_registers_are_ignored)
{
	const unsigned int cfg[] = { GERROR_IRQ_CFG0, EVTQ_IRQ_CFG0, 0xd0 };
	u32 before;
	int i;

	for (i = 0; i < 3; i++) {
		smmu_write64(cfg[i], self->page.pa);
		smmu_write(cfg[i] + 8, 0xa77ac4);
		smmu_write(cfg[i] + 12, 0xf);
		EXPECT_EQ(0, smmu_read64(cfg[i]));
		EXPECT_EQ(0, smmu_read(cfg[i] + 8));
	}
	/*
	 * The interrupt has the host's driver read its event queue. So the
	 * events must be there.
	 */
	smmu_on(sid);
	smmu_host_evtq_on();
	smmu_write(IRQ_CTRL, 7);
	/* The interrupt of the PRI queue does not exist. */
	EXPECT_EQ(5, smmu_read(IRQ_CTRL));
	/*
	 * Leave out the interrupt of errors: the host's driver would repair the
	 * error in its own queue, and get the same interrupt for ever.
	 */
	smmu_write(IRQ_CTRL, 4);
	before = smmu_read(EVTQ_PROD);
	STRIKE();
	EXPECT_NE(before, smmu_read(EVTQ_PROD));
	EXPECT_TRUE(smmu_evtq_is_consumed());
	smmu_write(IRQ_CTRL, 0);
	EXPECT_BLOCKED(false);
}

/* The SMMU writes to memory of the host only. */
TEST_F(smmu, cmd_sync_msi_writes_host_memory_only)
{
	u32 *last = (u32 *)smmu_cmdq.va + (16 << CMDQ_SHIFT) / 4 - 1;
	int i;

	smmu_on(sid);
	memset(smmu_evtq.va, 0, 4096);
	*last = 0;
	EXPECT_EQ(0, smmu_cmd(CMD_SYNC | 1 << 12 | 0xa77ac4ULL << 32,
			      smmu_cmdq.pa + (16 << CMDQ_SHIFT) - 4));
	EXPECT_EQ(0xa77ac4, *last);
	EXPECT_EQ(0, smmu_cmd(CMD_SYNC | 1 << 12 | 0xa77ac4ULL << 32,
			      smmu_evtq.pa));
	EXPECT_EQ(0xa77ac4, *(u32 *)smmu_evtq.va);
	EXPECT_EQ(0, smmu_errors());
	/* CS is IRQ, with MSIData and an address. The write aborts. */
	for (i = 0; i < 3; i++) {
		const u64 at[] = { self->page.pa, hyp_end & ~3ULL,
				   smmu_phys() + GBPA };

		EXPECT_EQ(0, smmu_cmd(CMD_SYNC | 1 << 12 | 3 << 22 |
					      0xa77ac4ULL << 32,
				      at[i]));
		EXPECT_EQ(GERROR_MSI_CMDQ_ABT, smmu_errors());
		smmu_ack_errors();
	}
	STRIKE();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, ats_is_refused)
{
	smmu_on(sid);
	smmu_evtq_on(smmu_evtq.pa, 7);
	/* EATS: full, and split-stage */
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1 | 1ULL << 28);
	STRIKE();
	EXPECT_EQ(C_BAD_STE, next_event(7));
	NEXT_ROUND(false);

	smmu_on(sid);
	smmu_evtq_on(smmu_evtq.pa, 7);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1 | 2ULL << 28);
	STRIKE();
	EXPECT_EQ(C_BAD_STE, next_event(7));
	EXPECT_EQ(CERROR_ILL, smmu_cmd(CMD_ATC_INV | CMD_SID(sid), 0));
	EXPECT_EQ(CERROR_ILL, smmu_cmd(CMD_PRI_RESP | CMD_SID(sid), 0));
	EXPECT_EQ(0, smmu_read(IDR0) & (1 << 10 | 1 << 16));
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, vmsptr_is_refused)
{
	smmu_on(sid);
	smmu_evtq_on(smmu_evtq.pa, 7);
	smmu_ste(sid)[5] = self->page.pa;
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	STRIKE();
	EXPECT_EQ(C_BAD_STE, next_event(7));
	/* CFGI_VMS_PIDM */
	EXPECT_EQ(CERROR_ILL, smmu_cmd(0x7, 0));
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, donation_invalidates_without_host_tlbi)
{
	struct smmu_page cd = map_victims(self->page.pa, self->own.pa), page;
	u64 *pte = (u64 *)((u64 *)cd.va)[64];
	struct pkvm_guest guest;

	/* Stage 1 does not change. The TLB has a combined entry. */
	page = smmu_new_page();
	memset(page.va, OWN_BYTE, PKVM_PAGE_SIZE);
	pte[4] = page.pa | 0x743;
	smmu_on(sid);
	smmu_set_ste(sid, STE_S1(cd.pa), STE_S1_1);
	new_guest(&guest, page.va);
	edu_load_at(OTHER_PIECE, 0x4000, PIECE);
	ASSERT_EQ(0, pkvm_guest_run(&guest));
	edu_load_at(PIECE, 0x4000, PIECE);
	edu_store(0x4000, PATTERN_SIZE);
	EXPECT_EQ(0, pkvm_guest_run(&guest));
	EXPECT_DONATED();
	pkvm_guest_destroy(&guest);
}

TEST_F(smmu, tlbi_ignores_host_vmid)
{
	struct smmu_page cd = map_victims(self->page.pa, self->own.pa),
			 other = smmu_new_page();
	u64 *pte = (u64 *)((u64 *)cd.va)[64];

	memset(other.va, 0x11, EDU_BUF_SIZE);
	smmu_on(sid);
	smmu_set_ste(sid, STE_S1(cd.pa), STE_S1_1);
	pte[3] = other.pa | 0x743;
	edu_load_at(2 * PIECE, 0x3000, PIECE);
	/*
	 * EL2 invalidates the host's translation, whatever VMID the host names.
	 */
	pte[3] = self->own.pa | 0x743;
	EXPECT_EQ(0, smmu_cmd(CMD_TLBI_NH_VA | 0x1234ULL << 32 | 1ULL << 48,
			      0x3001));
	EXPECT_EQ(0, smmu_cmd(CMD_SYNC, 0));
	STRIKE_S1();
	EXPECT_BLOCKED(true);
}

TEST_F(smmu, unknown_commands_are_illegal)
{
	/* The commands that the host may use without operands */
	static const u8 legal[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
				    0x10, 0x11, 0x12, 0x13, 0x30, 0x46 };
	unsigned int op, i;

	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	for (op = 0; op < 256; op++) {
		bool is_legal = false;

		for (i = 0; i < sizeof(legal); i++)
			is_legal |= legal[i] == op;
		EXPECT_EQ(is_legal ? 0 : CERROR_ILL, smmu_cmd(op, 0)) {
			TH_LOG("opcode %#x", op);
		}
		/* SSec, and bits that are reserved in all of them */
		EXPECT_EQ(CERROR_ILL, smmu_cmd(op | 1 << 10, 0)) {
			TH_LOG("opcode %#x", op);
		}
		EXPECT_EQ(CERROR_ILL, smmu_cmd(op | 1 << 8, 0)) {
			TH_LOG("opcode %#x", op);
		}
	}
	STRIKE();
	EXPECT_BLOCKED(true);
}

/* Returns how often the kernel's log has this. */
static int logged(const char *what)
{
	static char log[1 << 18];
	char *at = log;
	int n = 0;

	memset(log, 0, sizeof(log));
	if (klogctl(3, log, sizeof(log) - 1) < 0)
		return -1;
	while ((at = strstr(at, what))) {
		at++;
		n++;
	}
	return n;
}

/*
 * Put an illegal command into the queue of the host's driver. The interrupt
 * tells the driver, which repairs its queue.
 */
TEST_F(smmu, host_driver_recovers_from_illegal_command)
{
	u32 prod, next, cr0, wrap;
	u64 base, pa;
	int fd, ms, before = logged("CMDQ error");
	u64 *ent;
	char *page;

	smmu_give_back();
	cr0 = smmu_read(CR0);
	base = smmu_read64(CMDQ_BASE);
	wrap = (2 << (base & 0x1f)) - 1;
	prod = smmu_read(CMDQ_PROD) & wrap;
	next = (prod + 1) & wrap;
	pa = (base & 0x000fffffffffffe0) + (prod & (wrap >> 1)) * 16;

	/* This mapping is cacheable, as the kernel's is. */
	fd = open("/dev/mem", O_RDWR);
	ASSERT_LE(0, fd);
	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    pa & ~(page_size - 1));
	ASSERT_NE(MAP_FAILED, page);
	close(fd);
	ent = (u64 *)(page + pa % page_size);
	put(&ent[0], CMD_ATC_INV);
	put(&ent[1], 0);
	smmu_write(CMDQ_PROD, next);
	for (ms = 0; ms < 1000 && (smmu_read(CMDQ_CONS) & wrap) != next; ms++)
		usleep(1000);
	EXPECT_EQ(next, smmu_read(CMDQ_CONS) & wrap);
	EXPECT_EQ(0, smmu_errors());
	EXPECT_EQ(before + 1, logged("CMDQ error"));
	EXPECT_EQ(CMD_SYNC, ent[0] & 0xff);

	/* The driver has not inserted that command: restore the indices. */
	EXPECT_TRUE(smmu_cr0(cr0 & ~CR0_CMDQEN));
	smmu_write(CMDQ_PROD, prod);
	smmu_write(CMDQ_CONS, prod);
	EXPECT_TRUE(smmu_cr0(cr0));
	munmap(page, page_size);
}

/* The registers that the host can read. All others are 0. */
static bool is_register(unsigned int off)
{
	static const struct { u32 first, last; } regs[] = {
		{ IDR0, IDR1 }, { 0x0c, 0x0c }, { IDR5, 0x2c }, { GBPA, GBPA },
		{ IRQ_CTRL, GERRORN }, { STRTAB_BASE, EVTQ_BASE + 4 },
		{ EVTQ_PROD, EVTQ_CONS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (off / 4 * 4 >= regs[i].first && off / 4 * 4 <= regs[i].last)
			return true;
	}
	return false;
}

TEST_F_TIMEOUT(smmu, unknown_registers_read_as_zero, 180)
{
	unsigned int off, val, wrong = 0;

	for (off = 0; off < SMMU_SIZE; off++) {
		char *reg = smmu_regs() + off;

		asm volatile("ldrb %w0, [%1]"
			     : "=r" (val)
			     : "r" (reg)
			     : "memory");
		wrong += val != 0;
		asm volatile("strb %w0, [%1]"
			     :
			     : "r" (0xff), "r" (reg)
			     : "memory");
		if (off % 2 == 0) {
			asm volatile("ldrh %w0, [%1]"
				     : "=r" (val)
				     : "r" (reg)
				     : "memory");
			wrong += val != 0;
			asm volatile("strh %w0, [%1]"
				     :
				     : "r" (0xffff), "r" (reg)
				     : "memory");
		}
		if (off % 4 == 0) {
			smmu_write(off, 0xffffffff);
			wrong += smmu_read(off) && !is_register(off);
			smmu_write(off, 0);
		}
		if (off % 8 == 0) {
			smmu_write64(off, ~0ULL);
			wrong += smmu_read64(off) && !is_register(off);
			smmu_write64(off, 0);
		}
	}
	EXPECT_EQ(0, wrong);
	smmu_write(GBPA, 0x80000000);
	STRIKE();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, register_halves_add_up)
{
	static const unsigned int regs[] = { STRTAB_BASE, CMDQ_BASE,
					     EVTQ_BASE };
	int i;

	for (i = 0; i < 3; i++) {
		smmu_write64(regs[i], 0);
		smmu_write(regs[i], 0x40000000);
		smmu_write(regs[i] + 4, 0x8);
		EXPECT_EQ(0x840000000, smmu_read64(regs[i]));
		smmu_write(regs[i] + 4, 0x1);
		smmu_write(regs[i], 0x20000000);
		EXPECT_EQ(0x120000000, smmu_read64(regs[i]));
		EXPECT_EQ(0x1, smmu_read(regs[i] + 4));
	}
	/* A register of 32 bits is no half of one of 64 bits. */
	smmu_write64(CR0, 0x900000000);
	EXPECT_EQ(0, smmu_read(CR0));
	/* Two halves make a foreign address, and it has no effect. */
	smmu_write(STRTAB_BASE + 4, hyp_data >> 32);
	smmu_write(STRTAB_BASE, hyp_data & ~0x3fU);
	smmu_write(STRTAB_BASE_CFG, 8);
	EXPECT_TRUE(smmu_cr0(CR0_SMMUEN));
	STRIKE();
	EXPECT_BLOCKED(false);
}

static sigjmp_buf fault;

static void on_fault(int sig)
{
	siglongjmp(fault, sig);
}

/* Replace the handlers of smmu_open(). */
static void catch_faults(bool on)
{
	static const int sigs[] = { SIGSEGV, SIGBUS };
	static void (*was[2])(int sig);
	int i;

	for (i = 0; i < 2; i++) {
		if (on)
			was[i] = signal(sigs[i], on_fault);
		else
			signal(sigs[i], was[i]);
	}
}

/* Returns the signal, or 0. */
#define FAULTS(insn, ...)                                 \
	({                                                \
		int __sig = sigsetjmp(fault, 1);          \
		if (!__sig)                               \
			asm volatile(insn : __VA_ARGS__); \
		__sig;                                    \
	})

TEST_F(smmu, undecoded_instructions_abort)
{
	char *reg = smmu_regs() + STRTAB_BASE, *at;
	u64 a = 0, b = 0;

	catch_faults(true);
	smmu_write64(STRTAB_BASE, 0x40000000);

	/* An access that the syndrome does not describe aborts. */
	EXPECT_NE(0, FAULTS("ldp %0, %1, [%2]", "=&r" (a), "=&r" (b)
			    : "r" (reg)
			    : "memory"));
	EXPECT_NE(0, FAULTS("stp %0, %1, [%2]",
			    : "r" (a), "r" (b), "r" (reg)
			    : "memory"));
	at = reg;
	EXPECT_NE(0, FAULTS("ldr %0, [%1], #8", "=&r" (a), "+r" (at)
			    :
			    : "memory"));
	at = reg;
	EXPECT_NE(0, FAULTS("str %1, [%0, #0]!", "+r" (at) : "r" (a) : "memory"));
	EXPECT_NE(0, FAULTS("ldr q0, [%0]", : "r" (reg) : "memory", "v0"));
	EXPECT_NE(0, FAULTS("ldxr %0, [%1]", "=&r" (a) : "r" (reg) : "memory"));
	/* This has no effect. */
	EXPECT_EQ(0, FAULTS("dc civac, %0", : "r" (reg) : "memory"));
	EXPECT_EQ(0x40000000, smmu_read64(STRTAB_BASE));

	/*
	 * Accesses that it describes: sign extension, two widths, the zero
	 * register
	 */
	smmu_write64(STRTAB_BASE, 0x80000000);
	EXPECT_EQ(0, FAULTS("ldrsw %0, [%1]", "=&r" (a) : "r" (reg) : "memory"));
	EXPECT_EQ(0xffffffff80000000, a);
	EXPECT_EQ(0, FAULTS("ldr xzr, [%0]", : "r" (reg) : "memory"));
	EXPECT_EQ(0, FAULTS("ldar %w0, [%1]", "=&r" (a) : "r" (reg) : "memory"));
	EXPECT_EQ(0x80000000, a);
	EXPECT_EQ(0, FAULTS("str xzr, [%0]", : "r" (reg) : "memory"));
	EXPECT_EQ(0, smmu_read64(STRTAB_BASE));
	catch_faults(false);
	STRIKE();
	EXPECT_BLOCKED(false);
}

TEST_F(smmu, registers_are_no_dma_target)
{
	static const u32 off, bypass = 0x80000000;
	u32 cr0;

	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	cr0 = smmu_read(CR0);
	memcpy(self->own.va, &bypass, 4);
	edu_load_at(OTHER_PIECE, self->own.pa, 4);
	edu_store_at(OTHER_PIECE, smmu_phys() + GBPA, 4);
	memcpy(self->own.va, &off, 4);
	edu_load_at(OTHER_PIECE, self->own.pa, 4);
	edu_store_at(OTHER_PIECE, smmu_phys() + CR0, 4);
	edu_store_at(OTHER_PIECE, smmu_phys() + STRTAB_BASE, 4);
	memset(self->own.va, OWN_BYTE, EDU_BUF_SIZE);
	EXPECT_EQ(cr0, smmu_read(CR0));
	STRIKE();
	/* ID registers are never 0. */
	edu_load_at(OTHER_PIECE, smmu_phys() + IDR0, 4);
	edu_load_at(OTHER_PIECE + 4, smmu_phys() + IDR1, 4);
	EXPECT_BLOCKED(true);
	EXPECT_EQ(0, count_nonzero(self->buf + OTHER_PIECE, 8));
}

/* A user of a device can read the SMMU's registers, as the host sees them. */
TEST_F(smmu, hw_info_shows_emulated_smmu)
{
	struct iommu_hw_info_arm_smmuv3 info = {};
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct iommu_hw_info get = {
		.size = sizeof(get),
		.data_len = sizeof(info),
		.data_uptr = (unsigned long)&info,
	};
	char path[128];
	int dev, i;
	glob_t g;

	smmu_give_back();
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override",
		 edu_bdf());
	write_file(path, "vfio-pci");
	write_file("/sys/bus/pci/drivers_probe", edu_bdf());
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio*",
		 edu_bdf());
	ASSERT_EQ(0, glob(path, 0, NULL, &g));
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s",
		 strrchr(g.gl_pathv[0], '/') + 1);
	globfree(&g);
	dev = open(path, O_RDWR);
	ASSERT_LE(0, dev);
	bind.iommufd = open("/dev/iommu", O_RDWR);
	ASSERT_LE(0, bind.iommufd);
	ASSERT_EQ(0, ioctl(dev, VFIO_DEVICE_BIND_IOMMUFD, &bind));
	get.dev_id = bind.out_devid;
	EXPECT_EQ(0, ioctl(bind.iommufd, IOMMU_GET_HW_INFO, &get));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_ARM_SMMUV3, get.out_data_type);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(smmu_read(IDR0 + 4 * i), info.idr[i]);
	/* The SMMU has a stage 1 and no stage 2. */
	EXPECT_EQ(2, info.idr[0] & 3);
	close(dev);
	close(bind.iommufd);
	write_file("/sys/bus/pci/drivers/vfio-pci/unbind", edu_bdf());
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override",
		 edu_bdf());
	write_file(path, "\n");
	edu_open();
	load_pattern(&self->own);
	STRIKE();
	EXPECT_BLOCKED(true);
}

/* A full queue takes some ms, on a machine that has other work as well. */
#define MAX_STALL_NS	2000000000

struct hammer {
	pthread_t thread;
	unsigned int seed;
	u64 accesses, longest;
};

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void *hammer(void *arg)
{
	static const u32 cr0[] = {
		0xd, 0, 0x9, 0x8, 0x1, 0xc, 0xffffffff, 0x5
	};
	struct hammer *hammer = arg;
	unsigned int seed = hammer->seed;

	while (is_flipping()) {
		u64 start = now_ns(), took;

		seed = seed * 1103515245 + 12345;
		switch (seed >> 16 & 7) {
		case 0:
			smmu_write(CR0, cr0[seed >> 20 & 7]);
			break;
		case 1:
			smmu_write(GERRORN, seed);
			break;
		case 2:
			smmu_write64(EVTQ_BASE,
				     smmu_evtq.pa | (seed >> 20 & 7));
			break;
		case 3:
			smmu_read(CMDQ_CONS);
			smmu_read(CR0ACK);
			break;
		default:
			smmu_write(CMDQ_PROD, seed >> 8 & 0x1ff);
		}
		took = now_ns() - start;
		if (took > hammer->longest)
			hammer->longest = took;
		hammer->accesses++;
	}
	return NULL;
}

/* How long guests are created and destroyed */
#define RACE_NS		20000000000ULL

TEST_F_TIMEOUT(smmu, races_break_nothing, 300)
{
	struct hammer hammers[3] = {};
	u64 *ent = smmu_cmdq.va;
	struct pkvm_guest guest;
	struct smmu_page page;
	struct got had;
	u64 start;
	int i, guests;

	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	/* Commands of all kinds */
	for (i = 0; i < 256; i++) {
		static const u8 ops[] = { 0x03, 0x04, 0x12, 0x46,
					  0x46, 0x10, 0x05, 0x40 };

		ent[2 * i] = ops[i % 8] | (i % 8 ? 0 : CMD_SID(sid));
		ent[2 * i + 1] = i % 8 == 1 ? 31 : 0;
	}
	set_flipping(true);
	for (i = 0; i < 3; i++) {
		hammers[i].seed = i + 1;
		ASSERT_EQ(0, pthread_create(&hammers[i].thread, NULL, hammer,
					    &hammers[i]));
	}
	start = now_ns();
	for (guests = 0; now_ns() - start < RACE_NS; guests++) {
		page = smmu_new_page();
		new_guest(&guest, page.va);
		EXPECT_EQ(0, pkvm_guest_run(&guest));
		EXPECT_EQ(0, pkvm_guest_run(&guest));
		pkvm_guest_destroy(&guest);
		EXPECT_EQ(0, count_nonzero(page.va, PKVM_PAGE_SIZE));
		munmap(page.va, PKVM_PAGE_SIZE);
	}
	STRIKE();
	set_flipping(false);
	TH_LOG("%d guests came and went", guests);
	EXPECT_LT(1, guests);
	for (i = 0; i < 3; i++) {
		pthread_join(hammers[i].thread, NULL);
		TH_LOG("%lu accesses, of which the longest took %lu us",
		       hammers[i].accesses, hammers[i].longest / 1000);
		EXPECT_LT(100, hammers[i].accesses);
		EXPECT_GT(MAX_STALL_NS, hammers[i].longest);
	}
	smmu_write(IRQ_CTRL, 0);
	smmu_cr0(0);
	smmu_write(CMDQ_PROD, 0);
	smmu_write(CMDQ_CONS, 0);
	had = got(self->buf);
	/* The hammers decide whether the stream was enabled at that moment. */
	EXPECT_EQ(0, had.hyp);
	EXPECT_EQ(0, had.guest);
}

/* Make EL2 map a physical address. Returns false if Linux does not map it. */
static bool touch_phys(int fd, u64 addr, unsigned int *there)
{
	void *page = mmap(NULL, page_size, PROT_READ, MAP_SHARED, fd, addr);

	if (page == MAP_FAILED)
		return false;
	if (!sigsetjmp(fault, 1)) {
		mmio_read32(page);
		++*there;
	}
	munmap(page, page_size);
	return true;
}

/*
 * KVM unmaps all MMIO from the host's stage 2 when its pool of tables is empty.
 * The SMMU must stay EL2's. The pool has pages for all RAM and for 1 GiB of
 * MMIO (host_s2_pgtable_pages()). An access maps at most a block, which is 1
 * GiB if pages are 4K, so the test accesses one block for each table. With 48
 * bits of physical address the pool may be large enough for all of them.
 */
TEST_F_TIMEOUT(smmu, smmu_stays_owned_when_tables_run_out, 120)
{
	u64 entries = page_size / 8, table = page_size * entries * entries;
	u64 pool =
		(sysconf(_SC_PHYS_PAGES) + (1ULL << 30) / page_size) / entries +
		64;
	unsigned int there = 0, tables = 0;
	int fd = open("/dev/mem", O_RDONLY | O_SYNC);
	u64 addr;

	ASSERT_LE(0, fd);
	if (page_size == 4096)
		table *= entries;
	catch_faults(true);
	/* Below RAM in steps of 64K, and the window of PCI, in steps of 64M */
	for (addr = 0x9100000; addr < 0x40000000; addr += 0x10000)
		touch_phys(fd, addr, &there);
	for (addr = 0x8000000000; addr < 1ULL << 40; addr += 0x4000000)
		touch_phys(fd, addr, &there);
	EXPECT_NE(0, there);
	for (addr = 1ULL << 40;
	     tables < 2 * pool && touch_phys(fd, addr, &there); addr += table)
		tables++;
	close(fd);
	catch_faults(false);
	TH_LOG("%u tables of MMIO, where there are %lu for all that there is",
	       tables, pool);
	EXPECT_TRUE(tables == 2 * pool || addr == 1ULL << 48);
	EXPECT_EQ(self->idr0, smmu_read(IDR0));
	smmu_write(GBPA, 0x80000000);
	EXPECT_EQ(1U << 20, smmu_read(GBPA));
	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	STRIKE();
	EXPECT_BLOCKED(true);
}

TEST_F(smmu, donation_invalidates_cached_translation)
{
	struct smmu_page page;
	struct pkvm_guest guest;

	smmu_on(sid);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	EXPECT_EQ(0, donate_live(&page, 0, NULL, &guest));
	EXPECT_DONATED();
	pkvm_guest_destroy(&guest);
}

/*
 * Another kernel would find EL2, and its SMMU with live queues. So Linux loads
 * none but for a crash.
 */
TEST_F(smmu, kexec_is_refused)
{
	struct kexec_segment segment = {
		.buf = self->own.va, .bufsz = page_size,
		.mem = (void *)self->own.pa, .memsz = page_size,
	};

	smmu_on(sid);
	smmu_evtq_on(smmu_evtq.pa, 7);
	smmu_set_ste(sid, STE_BYPASS, STE_BYPASS_1);
	EXPECT_EQ(-1, syscall(__NR_kexec_load, segment.mem, 1, &segment,
			      KEXEC_ARCH_AARCH64));
	EXPECT_EQ(EBUSY, errno);
	STRIKE();
	EXPECT_BLOCKED(true);
}

TEST_F(smmu, event_flood_is_harmless)
{
	int i;

	smmu_on(sid);
	smmu_evtq_on(smmu_evtq.pa, 2);
	for (i = 0; i < 6; i++)
		edu_store(self->page.pa, PATTERN_SIZE);
	/* The queue has four events. QEMU does not set the overflow flag. */
	EXPECT_EQ(4, smmu_read(EVTQ_PROD) & 0x7fffffff);
	smmu_write(EVTQ_CONS, smmu_read(EVTQ_PROD));
	edu_store(hyp_end, 4);
	EXPECT_EQ(5, smmu_read(EVTQ_PROD) & 0x7fffffff);
	/* Write any index, many times. */
	for (i = 0; i < 2000; i++)
		smmu_write(EVTQ_CONS, i * 0x9e3779b1);
	STRIKE();
	EXPECT_BLOCKED(false);
}

/* One table of EL2 covers at most so many of the host's. */
#define OWN_L1_DESCS	16

/* Write the descriptors of all streams of other tables of EL2. */
static void fill_l1(u64 desc)
{
	u64 *l1 = smmu_l1.va;
	int i, own = (smmu_l1_desc(sid) - l1) / OWN_L1_DESCS;

	for (i = 0; i < L1_DESCS; i++) {
		if (i / OWN_L1_DESCS != own)
			l1[i] = desc;
	}
}

/* Give them a table, and then take it away. */
static bool fill_and_clear_l1(void)
{
	fill_l1(L1_DESC(smmu_l2.pa));
	if (smmu_cmd(CMD_CFGI_ALL, 31))
		return false;
	fill_l1(0);
	return !smmu_cmd(CMD_CFGI_ALL, 31);
}

/*
 * The host asks for more tables than EL2 has, unless pages are 64K. The
 * device's stream gets no table then.
 */
TEST_F_TIMEOUT(smmu, endless_tables_run_out_and_come_back, 120)
{
	u64 *l1 = smmu_l1_desc(sid);
	int i, round;

	smmu_on(sid);
	for (i = 0; i < 64; i++) {
		smmu_ste(i)[1] = STE_BYPASS_1;
		*smmu_ste(i) = STE_BYPASS;
	}
	*l1 = 0;
	fill_l1(L1_DESC(smmu_l2.pa));
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_ALL, 31));
	*l1 = L1_DESC(smmu_l2.pa);
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_STE | CMD_SID(sid), 0));
	STRIKE();
	NEXT_ROUND(page_size == 0x10000);

	/* EL2 has its tables back after each round. */
	smmu_on(sid);
	*l1 = 0;
	for (i = 0; i < 64; i++) {
		smmu_ste(i)[1] = STE_BYPASS_1;
		*smmu_ste(i) = STE_BYPASS;
	}
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_ALL, 31));
	for (round = 0; round < 4; round++)
		EXPECT_TRUE(fill_and_clear_l1());
	*l1 = L1_DESC(smmu_l2.pa);
	EXPECT_EQ(0, smmu_cmd(CMD_CFGI_STE | CMD_SID(sid), 0));
	STRIKE();
	EXPECT_BLOCKED(true);
}

/* It shares the memory of the test, and so finds the registers. */
static int spin(void *forever)
{
	while (forever)
		asm volatile("");
	return 0;
}

/*
 * Single step the instruction at @insn, with @reg in x1. Returns the number of
 * bytes that the PC moves, or -1. Not by fork(), which would copy the guest's
 * page.
 */
static int single_step(const void *insn, const char *reg)
{
	/* Aligned to 16 bytes */
	static __uint128_t stack[1024];
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	int pid = clone(spin, stack + 1024, CLONE_VM | SIGCHLD, stack),
	    bytes = -1;

	if (pid < 0)
		return -1;
	if (!ptrace(PTRACE_ATTACH, pid, NULL, NULL) &&
	    waitpid(pid, NULL, 0) == pid &&
	    !ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov)) {
		regs.pc = (unsigned long)insn;
		regs.regs[1] = (unsigned long)reg;
		if (!ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov) &&
		    !ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) &&
		    waitpid(pid, NULL, 0) == pid &&
		    !ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov))
			bytes = regs.pc - (unsigned long)insn;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return bytes;
}

/* Instructions to step over, each with a NOP behind */
extern const char step_nop[], step_load[], step_store[];

#define STEP_OVER(name, insn)                               \
	asm(".pushsection .text\n"                          \
	    ".globl " #name "\n" #name ": " insn "\n nop\n" \
	    ".popsection\n")

STEP_OVER(step_nop, "nop");
STEP_OVER(step_load, "ldr w0, [x1]");
STEP_OVER(step_store, "str wzr, [x1]");

TEST_F(smmu, accesses_without_syndrome_abort)
{
	char *reg = smmu_regs() + STRTAB_BASE;
	u64 a = 1, b = 2;

	catch_faults(true);
	smmu_write64(STRTAB_BASE, 0x40000000);

	/* LD64B and ST64B of x0 to x7 and [x8] have ISV set. */
	if (getauxval(AT_HWCAP3) & HWCAP3_LS64) {
		EXPECT_NE(0, FAULTS("mov x8, %0\n .inst 0xf83fd100",
				    : "r" (reg)
				    : "memory", "x0", "x1", "x2", "x3", "x4",
				      "x5", "x6", "x7", "x8"));
		EXPECT_NE(0, FAULTS("mov x8, %0\n .inst 0xf83f9100",
				    : "r" (reg) : "memory", "x8"));
	} else {
		ksft_print_msg("this CPU has no LD64B\n");
	}

	/* These are a load and a store. */
	if (getauxval(AT_HWCAP) & HWCAP_ATOMICS) {
		EXPECT_NE(0, FAULTS(".arch_extension lse\n ldadd %0, %0, [%1]",
				    "+r" (a) : "r" (reg) : "memory"));
		EXPECT_NE(0, FAULTS(".arch_extension lse\n stadd %0, [%1]",
				    : "r" (b), "r" (reg) : "memory"));
		EXPECT_NE(0, FAULTS(".arch_extension lse\n cas %0, %0, [%1]",
				    "+r" (b) : "r" (reg) : "memory"));
	}
	EXPECT_EQ(1, a);
	EXPECT_EQ(0x40000000, smmu_read64(STRTAB_BASE));

	/* These are ordered loads and stores. */
	EXPECT_EQ(0, FAULTS("stlr %0, [%1]",
			    : "r" (0x80000000UL), "r" (reg)
			    : "memory"));
	EXPECT_EQ(0, FAULTS("ldar %0, [%1]", "=&r" (a) : "r" (reg) : "memory"));
	EXPECT_EQ(0x80000000, a);
	catch_faults(false);

	/* One step is one instruction, also if EL2 has emulated it. */
	EXPECT_EQ(4, single_step(step_nop, reg));
	EXPECT_EQ(4, single_step(step_load, reg));
	EXPECT_EQ(4, single_step(step_store, reg));
	EXPECT_EQ(0, smmu_read(STRTAB_BASE));
	STRIKE();
	EXPECT_BLOCKED(false);
}

int main(int argc, char **argv)
{
	const char *what;

	page_size = sysconf(_SC_PAGESIZE);
	what = missing();
	if (what) {
		ksft_print_header();
		ksft_exit_skip("%s\n", what);
	}
	ksft_print_msg("LOOK hyp_memory_has_data_to_read data %#lx %d\n",
		       hyp_data, HYP_SIZE);
	ksft_print_msg("LOOK hyp_memory_is_not_written zero %#lx %d\n",
		       hyp_end & ~0xfffUL, 4096);
	fflush(stdout);
	return test_harness_run(argc, argv);
}
