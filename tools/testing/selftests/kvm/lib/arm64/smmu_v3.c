// SPDX-License-Identifier: GPL-2.0-only
/*
 * See smmu_v3.h.
 */
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "pkvm.h"
#include "smmu_v3.h"
#include "test_util.h"

#define TIMEOUT_MS	1000
#define CMDQ_WRAP	((2 << CMDQ_SHIFT) - 1)

struct smmu_page smmu_cmdq, smmu_evtq, smmu_l1, smmu_l2;

static char *regs;
static u64 phys;

/* What the host's driver has put there. */
static struct {
	u64 strtab, cmdq, evtq;
	u32 strtab_cfg, cmdq_prod, cmdq_cons, evtq_prod, evtq_cons, cr0,
		irq_ctrl;
	bool taken;
} found;

u32 smmu_read(unsigned int reg)
{
	return mmio_read32(regs + reg);
}

u64 smmu_read64(unsigned int reg)
{
	u64 val;

	asm volatile("ldr %0, [%1]" : "=r" (val) : "r" (regs + reg) : "memory");
	return val;
}

void smmu_write(unsigned int reg, u32 val)
{
	/* What is in memory is seen first. */
	asm volatile("dsb sy" : : : "memory");
	mmio_write32(regs + reg, val);
}

void smmu_write64(unsigned int reg, u64 val)
{
	asm volatile("dsb sy" : : : "memory");
	mmio_write64(regs + reg, val);
}

char *smmu_regs(void)
{
	return regs;
}

u64 smmu_phys(void)
{
	return phys;
}

struct smmu_page smmu_new_page(void)
{
	struct smmu_page page = { .va = own_page() };

	page.pa = phys_addr(page.va);
	return page;
}

/* The next test is to find the host's driver in its place. */
static void on_fatal(int sig)
{
	(void)sig;
	smmu_give_back();
	_exit(KSFT_FAIL);
}

/* The host's driver names its IOMMU "smmu3." and the physical address. */
static bool smmu_parse(const char *path)
{
	const char *name = strstr(path, "/smmu3.");

	phys = name ? strtoull(name + strlen("/smmu3."), NULL, 16) : 0;
	return phys;
}

/* Set @phys: what SMMU= says, or the one that edu is behind, or the only one. */
static bool smmu_find(void)
{
	char path[128], iommu[256];
	bool found;
	glob_t all;
	ssize_t len;

	if (getenv("SMMU")) {
		phys = strtoull(getenv("SMMU"), NULL, 16);
		return phys;
	}
	if (edu_exists()) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu",
			 edu_bdf());
		len = readlink(path, iommu, sizeof(iommu) - 1);
		if (len > 0) {
			iommu[len] = 0;
			return smmu_parse(iommu);
		}
	}
	found = !glob("/sys/class/iommu/smmu3.*", 0, NULL, &all) &&
		all.gl_pathc == 1 && smmu_parse(all.gl_pathv[0]);
	if (!found) {
		globfree(&all);
		found = !glob("/sys/bus/platform/devices/*.smmuv3", 0, NULL,
			      &all) && all.gl_pathc == 1;
		if (found)
			phys = strtoull(strrchr(all.gl_pathv[0], '/') + 1,
					NULL, 16);
	}
	globfree(&all);
	return found;
}

const char *smmu_missing(void)
{
	if (!smmu_find())
		return "edu is behind no SMMUv3";
	if (access("/dev/mem", R_OK | W_OK))
		return "no /dev/mem";
	return NULL;
}

void smmu_open(void)
{
	static const int fatal[] = { SIGILL,  SIGBUS,  SIGSEGV, SIGFPE,
				     SIGABRT, SIGTERM, 0 };
	unsigned int i;
	int fd;

	if (!smmu_find())
		TEST_FAIL("no SMMUv3");

	fd = open("/dev/mem", O_RDWR | O_SYNC);
	if (fd < 0)
		TEST_FAIL("/dev/mem");
	regs = mmap(NULL, SMMU_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    phys);
	if (regs == MAP_FAILED)
		TEST_FAIL("/dev/mem at %#lx", phys);
	close(fd);

	smmu_cmdq = smmu_new_page();
	smmu_evtq = smmu_new_page();
	smmu_l1 = smmu_new_page();
	smmu_l2 = smmu_new_page();
	atexit(smmu_give_back);
	for (i = 0; fatal[i]; i++)
		signal(fatal[i], on_fatal);
}

static bool wait_for(unsigned int reg, u32 mask, u32 val)
{
	int ms;

	for (ms = 0; (smmu_read(reg) & mask) != val; ms++) {
		if (ms == TIMEOUT_MS)
			return false;
		usleep(1000);
	}
	return true;
}

bool smmu_cr0(u32 val)
{
	smmu_write(CR0, val);
	return wait_for(CR0ACK, ~0U, val);
}

void smmu_take(void)
{
	found.cr0 = smmu_read(CR0);
	found.irq_ctrl = smmu_read(IRQ_CTRL);
	found.taken = true;
	/* The host's driver is not to hear of what is none of its business. */
	smmu_write(IRQ_CTRL, 0);
	if (!wait_for(IRQ_CTRLACK, ~0U, 0) || !smmu_cr0(0))
		TEST_FAIL("the SMMU can't be disabled");
	found.strtab = smmu_read64(STRTAB_BASE);
	found.strtab_cfg = smmu_read(STRTAB_BASE_CFG);
	found.cmdq = smmu_read64(CMDQ_BASE);
	found.cmdq_prod = smmu_read(CMDQ_PROD);
	found.cmdq_cons = smmu_read(CMDQ_CONS);
	found.evtq = smmu_read64(EVTQ_BASE);
	found.evtq_prod = smmu_read(EVTQ_PROD);
	found.evtq_cons = smmu_read(EVTQ_CONS);
	if (found.cmdq_prod != (found.cmdq_cons & 0xfffff))
		TEST_FAIL("the host's driver is busy");
}

void smmu_give_back(void)
{
	if (!found.taken)
		return;
	found.taken = false;

	smmu_write(IRQ_CTRL, 0);
	if (!smmu_cr0(0))
		TEST_FAIL("the SMMU can't be disabled any more");
	smmu_ack_errors();
	smmu_write64(STRTAB_BASE, found.strtab);
	smmu_write(STRTAB_BASE_CFG, found.strtab_cfg);
	smmu_write64(CMDQ_BASE, found.cmdq);
	smmu_write(CMDQ_PROD, found.cmdq_prod);
	smmu_write(CMDQ_CONS, found.cmdq_cons);
	/* If the queue was never replaced, the driver knows how far it is. */
	if (smmu_read64(EVTQ_BASE) != found.evtq) {
		smmu_write64(EVTQ_BASE, found.evtq);
		smmu_write(EVTQ_PROD, found.evtq_prod);
		smmu_write(EVTQ_CONS, found.evtq_cons);
	}
	if (!smmu_cr0(found.cr0))
		TEST_FAIL("the SMMU does not come back: CR0ACK %#x",
			  smmu_read(CR0ACK));
	smmu_write(IRQ_CTRL, found.irq_ctrl);
}

void smmu_cmdq_on(void)
{
	smmu_cr0(smmu_read(CR0) & ~CR0_CMDQEN);
	smmu_ack_errors();
	smmu_write64(CMDQ_BASE, smmu_cmdq.pa | CMDQ_SHIFT);
	smmu_write(CMDQ_PROD, 0);
	smmu_write(CMDQ_CONS, 0);
	if (!smmu_cr0(smmu_read(CR0) | CR0_CMDQEN))
		TEST_FAIL("the command queue can't be enabled");
}

u32 smmu_errors(void)
{
	return smmu_read(GERROR) ^ smmu_read(GERRORN);
}

void smmu_ack_errors(void)
{
	smmu_write(GERRORN, smmu_read(GERROR));
}

int smmu_cmd(u64 dword0, u64 dword1)
{
	u32 prod = smmu_read(CMDQ_PROD) & CMDQ_WRAP,
	    idx = prod & (CMDQ_WRAP >> 1);
	u64 *ent = smmu_cmdq.va;
	int err;

	ent[2 * idx] = dword0;
	ent[2 * idx + 1] = dword1;
	prod = (prod + 1) & CMDQ_WRAP;
	smmu_write(CMDQ_PROD, prod);
	/* CONS keeps the code of an error that is over. */
	if (!(smmu_errors() & GERROR_CMDQ))
		return wait_for(CMDQ_CONS, CMDQ_WRAP, prod) ? CERROR_NONE :
							      CMD_STUCK;

	err = smmu_read(CMDQ_CONS) >> 24 & 0x7f;
	ent[2 * idx] = CMD_SYNC;
	ent[2 * idx + 1] = 0;
	smmu_ack_errors();
	return wait_for(CMDQ_CONS, CMDQ_WRAP, prod) ? err : CMD_STUCK;
}

void smmu_evtq_on(u64 pa, unsigned int shift)
{
	smmu_cr0(smmu_read(CR0) & ~CR0_EVTQEN);
	smmu_write64(EVTQ_BASE, pa | shift);
	smmu_write(EVTQ_PROD, 0);
	smmu_write(EVTQ_CONS, 0);
	if (!smmu_cr0(smmu_read(CR0) | CR0_EVTQEN))
		TEST_FAIL("the event queue can't be enabled");
}

void smmu_host_evtq_on(void)
{
	if (!smmu_cr0(smmu_read(CR0) | CR0_EVTQEN))
		TEST_FAIL("the event queue can't be enabled");
}

bool smmu_evtq_is_consumed(void)
{
	return wait_for(EVTQ_CONS, ~0U, smmu_read(EVTQ_PROD));
}

u64 *smmu_l1_desc(unsigned int sid)
{
	return (u64 *)smmu_l1.va + (sid >> STRTAB_SPLIT) % L1_DESCS;
}

void smmu_on(unsigned int sid)
{
	memset(smmu_l1.va, 0, EDU_BUF_SIZE);
	memset(smmu_l2.va, 0, EDU_BUF_SIZE);
	*smmu_l1_desc(sid) = L1_DESC(smmu_l2.pa);
	smmu_write64(STRTAB_BASE, smmu_l1.pa);
	smmu_write(STRTAB_BASE_CFG, 1 << 16 | STRTAB_SPLIT << 6 | STRTAB_BITS);
	if (!smmu_cr0(smmu_read(CR0) | CR0_SMMUEN))
		TEST_FAIL("the SMMU can't be enabled");
	smmu_cmdq_on();
}

u64 *smmu_ste(unsigned int sid)
{
	return (u64 *)smmu_l2.va + STE_DWORDS * (sid % L2_STES);
}

void smmu_set_ste(unsigned int sid, u64 dword0, u64 dword1)
{
	u64 *ste = smmu_ste(sid);

	ste[1] = dword1;
	ste[0] = dword0;
	if (smmu_cmd(CMD_CFGI_STE | CMD_SID(sid), 1) || smmu_cmd(CMD_SYNC, 0))
		TEST_FAIL("CFGI_STE does not work");
}
