/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A protected guest with one page of data, which it fills with a secret, and then
 * looks after. What can't be done at all ends the program with EXIT_BROKEN (edu.h).
 *
 * The page is the guest's from the guest's first access on until the guest is
 * gone. In between the process must not touch it, nor ask the kernel to: Linux
 * would either kill the process or take the page from the guest by force. KVM
 * pins it, so that it stays at its physical address.
 */
#ifndef GUEST_H
#define GUEST_H

#define GUEST_PAGE_SIZE	4096

/* Copies of the secret fill the page */
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

/* A guest that has not run yet, with @page (of own_page()) as its data. */
void guest_create(struct guest *guest, void *page, const void *secret);

/*
 * Let it run until it has something to say: that the secret is in the page, when
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
