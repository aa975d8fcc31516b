/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A protected guest with some pages of data, which it fills with a secret, and then
 * looks after. What can't be done at all ends the program with EXIT_BROKEN (edu.h).
 *
 * A page is the guest's from the guest's first access on until the guest is
 * gone. In between the process must not touch it, nor ask the kernel to: Linux
 * would either kill the process or take the page from the guest by force. KVM
 * pins it, so that it stays at its physical address.
 */
#ifndef GUEST_H
#define GUEST_H

/* What there is in any page, whatever its size */
#define GUEST_PAGE_SIZE	4096

/* Copies of the secret fill the data */
#define GUEST_SECRET_SIZE	2048

#ifndef __ASSEMBLER__
#include <stddef.h>

#include <linux/types.h>

struct kvm_run;

struct guest {
	int kvm, vm, vcpu;
	struct kvm_run *run;
	size_t run_size;
	void *code;
};

/* A guest that has not run yet, with @size bytes of own_pages(), and so whole pages, as its data */
void guest_create(struct guest *guest, void *data, size_t size, const void *secret);

/*
 * Let it run until it has something to say: that the secret is in its data, when
 * it runs for the first time (0); then, how many words of it have changed.
 */
__u64 guest_run(struct guest *guest);

/* As guest_run(), if it can run. Returns 0 and what it says, or -errno. */
int guest_try_run(struct guest *guest, __u64 *says);

/* The guest is gone when this returns, and its pages are the host's, empty. */
void guest_destroy(struct guest *guest);

/* The program that runs in it, guest-code.S */
extern const char guest_code[], guest_code_end[];
#endif

#endif /* GUEST_H */
