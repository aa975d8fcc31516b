// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest VMM of a protected guest, see guest.h.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "guest.h"

/* New in the 7.x uapi headers, which the C library may not have yet. */
#ifndef KVM_VM_TYPE_ARM_PROTECTED
#define KVM_VM_TYPE_ARM_PROTECTED	0x80000000UL
#endif

#define GUEST_CODE	0x80000000
/* Behind the program, in the same page */
#define GUEST_SECRET	(GUEST_CODE + GUEST_PAGE_SIZE - GUEST_SECRET_SIZE)
#define GUEST_DATA	0x80010000
#define GUEST_DOORBELL	0x90000000

#define CORE_REG(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |	\
			 KVM_REG_ARM_CORE_REG(name))

static int do_ioctl(int fd, unsigned long request, unsigned long arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		err(EXIT_BROKEN, "%s", what);
	return ret;
}

static void set_reg(struct guest *guest, __u64 id, __u64 val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)&val };

	do_ioctl(guest->vcpu, KVM_SET_ONE_REG, (unsigned long)&reg, "KVM_SET_ONE_REG");
}

static void map_pages(struct guest *guest, __u32 slot, __u64 ipa, void *pages, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = ipa,
		.memory_size = (size + page - 1) & ~(page - 1),
		.userspace_addr = (unsigned long)pages,
	};

	do_ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, (unsigned long)&region, "memslot");
}

void guest_create(struct guest *guest, void *data, size_t size, const void *secret)
{
	struct kvm_vcpu_init init;

	guest->kvm = open("/dev/kvm", O_RDWR);
	if (guest->kvm < 0)
		err(EXIT_BROKEN, "/dev/kvm");
	guest->vm = do_ioctl(guest->kvm, KVM_CREATE_VM, KVM_VM_TYPE_ARM_PROTECTED,
			     "no protected guests here");

	guest->code = own_page();
	memcpy(guest->code, guest_code, guest_code_end - guest_code);
	memcpy((char *)guest->code + (GUEST_SECRET - GUEST_CODE), secret, GUEST_SECRET_SIZE);
	__builtin___clear_cache(guest->code, (char *)guest->code + GUEST_PAGE_SIZE);
	map_pages(guest, 0, GUEST_CODE, guest->code, GUEST_PAGE_SIZE);
	map_pages(guest, 1, GUEST_DATA, data, size);

	guest->vcpu = do_ioctl(guest->vm, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU");
	memset(&init, 0, sizeof(init));
	do_ioctl(guest->vm, KVM_ARM_PREFERRED_TARGET, (unsigned long)&init,
		 "KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	do_ioctl(guest->vcpu, KVM_ARM_VCPU_INIT, (unsigned long)&init, "KVM_ARM_VCPU_INIT");

	guest->run_size = do_ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0,
				   "KVM_GET_VCPU_MMAP_SIZE");
	guest->run = mmap(NULL, guest->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			  guest->vcpu, 0);
	if (guest->run == MAP_FAILED)
		err(EXIT_BROKEN, "kvm_run");

	set_reg(guest, CORE_REG(regs.pc), GUEST_CODE);
	set_reg(guest, CORE_REG(regs.regs[0]), GUEST_DATA);
	set_reg(guest, CORE_REG(regs.regs[1]), GUEST_DOORBELL);
	set_reg(guest, CORE_REG(regs.regs[2]), GUEST_SECRET);
	set_reg(guest, CORE_REG(regs.regs[3]), size);
}

int guest_try_run(struct guest *guest, __u64 *says)
{
	if (ioctl(guest->vcpu, KVM_RUN, 0) < 0)
		return -errno;
	if (guest->run->exit_reason != KVM_EXIT_MMIO || !guest->run->mmio.is_write ||
	    guest->run->mmio.phys_addr != GUEST_DOORBELL)
		errx(EXIT_BROKEN, "the guest left with exit %u, MMIO at %#llx",
		     guest->run->exit_reason, guest->run->mmio.phys_addr);
	memcpy(says, guest->run->mmio.data, sizeof(*says));
	return 0;
}

__u64 guest_run(struct guest *guest)
{
	__u64 says = 0;
	int ret = guest_try_run(guest, &says);

	if (ret) {
		errno = -ret;
		err(EXIT_BROKEN, "KVM_RUN");
	}
	return says;
}

/* The last reference to it goes with the last of its file descriptors. */
void guest_destroy(struct guest *guest)
{
	munmap(guest->run, guest->run_size);
	close(guest->vcpu);
	close(guest->vm);
	close(guest->kvm);
	munmap(guest->code, sysconf(_SC_PAGESIZE));
}
