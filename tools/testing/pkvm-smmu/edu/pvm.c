// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a device reach the memory of a protected guest?
 *
 *	pvm [--expect block|leak]
 *
 * Starts a protected guest that writes a secret into a page, aims QEMU's edu
 * device at the page, and lets the guest see whether its page is intact. Then
 * destroys the guest, and sees the page come back to the host empty. Runs
 * under iommu.passthrough=1, where a bus address is a physical address.
 *
 * All of it is done twice. In the first run no device touches the page before
 * the guest has it. In the second one the device reads the page right before,
 * so that the SMMU has the translation in its TLB: if only that run leaks,
 * nobody invalidated it when the page changed hands (pvm-stale-tlb). If both
 * do, it may be either, as a page can have been a device's in an earlier life.
 *
 * Prints a line "PASS name: evidence" or "FAIL name: evidence" for each
 * result, and exits with EXIT_BLOCKED if all are as expected, EXIT_REACHED if
 * not, EXIT_BROKEN if there is no protected guest to be had (edu.h). --expect
 * leak is for kernels that don't protect the guest from devices: there the
 * secret has to be seen, and the guest to find its page overwritten.
 *
 * A page is the guest's from the guest's first access on until the guest is
 * gone. In between the process must not touch it, nor ask the kernel to: Linux
 * would either kill the process or take the page from the guest by force.
 * KVM pins it, so that it stays at its physical address.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "pvm-guest.h"

/* New in the 7.x uapi headers, which the C library may not have yet. */
#ifndef KVM_VM_TYPE_ARM_PROTECTED
#define KVM_VM_TYPE_ARM_PROTECTED	0x80000000UL
#endif

#define GUEST_CODE	0x80000000
#define GUEST_DATA	0x80010000
#define GUEST_DOORBELL	0x90000000

#define SECRET		0x5ec2e75ec2e75ec2

#define PAGE		GUEST_PAGE_SIZE
#define WORDS		(PAGE / sizeof(__u64))

#define CORE_REG(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |	\
			 KVM_REG_ARM_CORE_REG(name))

struct vm {
	int kvm, vm, vcpu;
	struct kvm_run *run;
	size_t run_size;
	void *code;
};

static int do_ioctl(int fd, unsigned long request, unsigned long arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		err(EXIT_BROKEN, "%s", what);
	return ret;
}

static void vm_set_reg(struct vm *vm, __u64 id, __u64 val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)&val };

	do_ioctl(vm->vcpu, KVM_SET_ONE_REG, (unsigned long)&reg, "KVM_SET_ONE_REG");
}

static void vm_map(struct vm *vm, __u32 slot, __u64 ipa, void *page)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = ipa,
		.memory_size = sysconf(_SC_PAGESIZE),
		.userspace_addr = (unsigned long)page,
	};

	do_ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, (unsigned long)&region, "memslot");
}

/* A guest that has not run yet, with @page as its data. */
static void vm_create(struct vm *vm, void *page)
{
	struct kvm_vcpu_init init;

	vm->kvm = open("/dev/kvm", O_RDWR);
	if (vm->kvm < 0)
		err(EXIT_BROKEN, "/dev/kvm");
	vm->vm = do_ioctl(vm->kvm, KVM_CREATE_VM, KVM_VM_TYPE_ARM_PROTECTED,
			  "no protected guests here");

	vm->code = own_page();
	memcpy(vm->code, guest_start, guest_end - guest_start);
	__builtin___clear_cache(vm->code, (char *)vm->code + PAGE);
	vm_map(vm, 0, GUEST_CODE, vm->code);
	vm_map(vm, 1, GUEST_DATA, page);

	vm->vcpu = do_ioctl(vm->vm, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU");
	memset(&init, 0, sizeof(init));
	do_ioctl(vm->vm, KVM_ARM_PREFERRED_TARGET, (unsigned long)&init,
		 "KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	do_ioctl(vm->vcpu, KVM_ARM_VCPU_INIT, (unsigned long)&init, "KVM_ARM_VCPU_INIT");

	vm->run_size = do_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0,
				"KVM_GET_VCPU_MMAP_SIZE");
	vm->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->vcpu, 0);
	if (vm->run == MAP_FAILED)
		err(EXIT_BROKEN, "kvm_run");

	vm_set_reg(vm, CORE_REG(regs.pc), GUEST_CODE);
	vm_set_reg(vm, CORE_REG(regs.regs[0]), GUEST_DATA);
	vm_set_reg(vm, CORE_REG(regs.regs[1]), GUEST_DOORBELL);
	vm_set_reg(vm, CORE_REG(regs.regs[2]), SECRET);
}

/* Runs the guest until it rings, and returns what it says. */
static __u64 vm_run(struct vm *vm)
{
	__u64 data;

	do_ioctl(vm->vcpu, KVM_RUN, 0, "KVM_RUN");
	if (vm->run->exit_reason != KVM_EXIT_MMIO || !vm->run->mmio.is_write ||
	    vm->run->mmio.phys_addr != GUEST_DOORBELL)
		errx(EXIT_BROKEN, "the guest left with exit %u, MMIO at %#llx",
		     vm->run->exit_reason, vm->run->mmio.phys_addr);
	memcpy(&data, vm->run->mmio.data, sizeof(data));
	return data;
}

/* The guest is gone when the last reference to it is, and so are its pages. */
static void vm_destroy(struct vm *vm)
{
	munmap(vm->run, vm->run_size);
	close(vm->vcpu);
	close(vm->vm);
	close(vm->kvm);
	munmap(vm->code, sysconf(_SC_PAGESIZE));
}

/* What came of one guest. */
struct outcome {
	bool dma_before;	/* the device read the host's page */
	size_t read;		/* bytes, not zero, that it read of the guest's */
	bool leaked;		/* they are the secret, all of it */
	bool landed;		/* what it wrote there, it reads back */
	__u64 changed;		/* words that the guest finds changed */
	size_t left;		/* bytes, not zero, that the host gets back */
	bool dma_after;		/* the device reads and writes the host's page */
};

static void run_guest(bool warm, struct outcome *out)
{
	__u64 secret[WORDS], junk[WORDS], got[WORDS];
	__u64 *page = own_page(), phys = phys_addr(page);
	struct vm vm;
	size_t i;

	for (i = 0; i < WORDS; i++)
		secret[i] = SECRET ^ (i * sizeof(__u64));
	memset(junk, 0xb6, sizeof(junk));

	vm_create(&vm, page);
	if (warm) {
		memset(page, 0x3c, PAGE);
		edu_read(phys, got, PAGE);
		out->dma_before = !memcmp(got, page, PAGE);
	}

	vm_run(&vm);

	edu_read(phys, got, PAGE);
	out->read = count_nonzero(got, PAGE);
	out->leaked = !memcmp(got, secret, PAGE);

	edu_write(phys, junk, PAGE);
	edu_read(phys, got, PAGE);
	out->landed = !memcmp(got, junk, PAGE);

	out->changed = vm_run(&vm);

	vm_destroy(&vm);

	if (phys_addr(page) != phys)
		errx(EXIT_BROKEN, "the page moved");
	out->left = count_nonzero(page, PAGE);

	memset(page, 0x96, PAGE);
	edu_read(phys, got, PAGE);
	out->dma_after = !memcmp(got, page, PAGE);
	edu_write(phys, junk, PAGE);
	out->dma_after &= !memcmp(page, junk, PAGE);
	munmap(page, sysconf(_SC_PAGESIZE));
}

#define result(ok, name, fmt, ...) ({						\
	bool __ok = (ok);							\
	printf("%s %s: " fmt "\n", __ok ? "PASS" : "FAIL", name, __VA_ARGS__);	\
	__ok;									\
})

static bool report(const struct outcome *cold, const struct outcome *warm, bool leak)
{
	bool ok = true;

	ok &= result(leak ? cold->leaked : !cold->read,
		     leak ? "pvm-read-leaks" : "pvm-read-blocked",
		     "the device read %zu of %u bytes of the guest's page%s", cold->read,
		     PAGE, cold->leaked ? ", its secret" : "");
	ok &= result(leak == cold->landed, leak ? "pvm-write-lands" : "pvm-write-blocked",
		     "what the device wrote %s there", cold->landed ? "is" : "is not");
	ok &= result(leak ? cold->changed == WORDS : !cold->changed,
		     leak ? "pvm-overwritten" : "pvm-intact",
		     "the guest finds %llu of %zu words changed", cold->changed, WORDS);
	ok &= result(warm->dma_before, "pvm-dma-before",
		     "the device %s the page while it is the host's",
		     warm->dma_before ? "reads" : "can't read");
	ok &= result(leak ? warm->leaked && warm->landed && warm->changed == WORDS :
			    !warm->read && !warm->landed && !warm->changed,
		     "pvm-stale-tlb",
		     "after that, it read %zu bytes and changed %llu words of the guest's",
		     warm->read, warm->changed);
	ok &= result(!cold->left && !warm->left, "pvm-scrubbed",
		     "%zu bytes are left for the host", cold->left + warm->left);
	ok &= result(cold->dma_after && warm->dma_after, "pvm-dma-after",
		     "the device %s the page when it is the host's again",
		     cold->dma_after && warm->dma_after ? "reaches" : "can't reach");
	return ok;
}

int main(int argc, char **argv)
{
	struct outcome cold = {}, warm = {};
	bool leak = false;

	if (argc == 3 && !strcmp(argv[1], "--expect") &&
	    (!strcmp(argv[2], "leak") || !strcmp(argv[2], "block")))
		leak = !strcmp(argv[2], "leak");
	else if (argc != 1)
		errx(EXIT_BROKEN, "usage: pvm [--expect block|leak]");

	edu_open();
	run_guest(false, &cold);
	run_guest(true, &warm);
	return report(&cold, &warm, leak) ? EXIT_BLOCKED : EXIT_REACHED;
}
