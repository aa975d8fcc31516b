/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected guests, and where the hypervisor's own memory is.
 *
 * A protected guest has some pages of data, which it fills with a secret and
 * then checks. A page belongs to the guest from the guest's first access on,
 * until the guest is destroyed. KVM pins the page, so its physical address does
 * not change. Meanwhile the process must not touch the page, nor have the
 * kernel touch it: Linux would kill the process, or take the page by force.
 *
 * What cannot be done at all fails the test by TEST_ASSERT().
 */
#ifndef SELFTEST_KVM_PKVM_H
#define SELFTEST_KVM_PKVM_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

struct kvm_vcpu;
struct kvm_vm;

/* Copies of the secret fill the data. Every page size is a multiple of it. */
#define PKVM_SECRET_SIZE	2048

/* The smallest page size, of which all other sizes are multiples */
#define PKVM_PAGE_SIZE		4096

struct pkvm_guest {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

/*
 * Create a guest with @size bytes at @data, which are whole pages of
 * own_pages(), as its data. When it returns, the guest has started and has not
 * accessed its data.
 */
void pkvm_guest_create(struct pkvm_guest *guest, void *data, size_t size,
		       const void *secret);

/*
 * Run the guest until it reports. The first report is that all of its data is
 * the secret, and is 0. Each later report is the number of words that are not
 * what the guest wrote.
 */
u64 pkvm_guest_run(struct pkvm_guest *guest);

/* As pkvm_guest_run(). Returns 0 and the report, or -errno of KVM_RUN. */
int pkvm_guest_try_run(struct pkvm_guest *guest, u64 *report);

/* When it returns the guest is gone, and its pages are the host's and empty. */
void pkvm_guest_destroy(struct pkvm_guest *guest);

/*
 * The hypervisor's memory.
 * @data: an address where some bytes are not zero
 * @end: the address behind the last byte, in a page that nothing uses
 * @text: the address of the hypervisor's text, or 0 if kallsyms has none
 * @text_end: the address behind it; the 16 bytes before are padding
 */
struct pkvm_hyp_memory {
	u64 data, end;
	u64 text, text_end;
};

/* Returns false if KVM is not protected. */
bool pkvm_find_hyp_memory(struct pkvm_hyp_memory *mem);

/*
 * Returns the value of one of EL2's counters in debugfs, or 0 if it is not
 * there.
 */
u64 pkvm_smmu_count(const char *file, const char *name);

#endif /* SELFTEST_KVM_PKVM_H */
