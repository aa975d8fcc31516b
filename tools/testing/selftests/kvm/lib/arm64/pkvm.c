// SPDX-License-Identifier: GPL-2.0-only
/*
 * See pkvm.h.
 */
#include <glob.h>
#include <sys/klog.h>

#include "edu.h"
#include "kvm_util.h"
#include "pkvm.h"
#include "processor.h"
#include "ucall_common.h"

/* Above all that kvm_util allocates. Virtual and physical are the same. */
#define DATA_ADDR		0x80000000
#define DATA_SLOT		1

#define SECRET_WORDS		(PKVM_SECRET_SIZE / sizeof(u64))

/* Symbols in the hypervisor's text, and the first one of the kernel's */
#define HYP_TEXT_START		"__hyp_text_start"
#define HYP_TEXT_END		"__hyp_text_end"
#define KERNEL_TEXT_START	"_stext"

/* The kernel image is moved by multiples of this */
#define KIMAGE_ALIGN		(2UL << 20)

/* An entry of hyp_vmemmap, one for each page of RAM */
#define HYP_PAGE_SIZE		8

/* Of syslog(2). No header of user space has it. */
#define SYSLOG_ACTION_READ_ALL	3

/*
 * Reports are the address of a ucall, without a ucall: the host cannot read
 * the guest's memory, so a struct ucall would not reach it.
 */
static void guest_main(u64 *data, u64 words, const u64 *secret)
{
	u64 changed = 0, i;

	ucall_arch_do_ucall(0);
	for (i = 0; i < words; i++)
		WRITE_ONCE(data[i], secret[i % SECRET_WORDS]);
	for (;;) {
		ucall_arch_do_ucall(changed);
		changed = 0;
		for (i = 0; i < words; i++)
			changed += READ_ONCE(data[i]) !=
				   secret[i % SECRET_WORDS];
	}
}

void pkvm_guest_create(struct pkvm_guest *guest, void *data, size_t size,
		       const void *secret)
{
	struct vm_shape shape = VM_SHAPE_DEFAULT;
	struct userspace_mem_region *program;
	size_t page = getpagesize();
	struct kvm_vm *vm;
	gva_t copy;

	/* Protected guests have no KVM_CREATE_DEVICE. */
	test_disable_default_vgic();
	shape.type = KVM_VM_TYPE_ARM_PROTECTED;
	vm = __vm_create_shape_with_one_vcpu(shape, &guest->vcpu,
					     size / PKVM_PAGE_SIZE, guest_main);
	guest->vm = vm;

	copy = vm_alloc(vm, PKVM_SECRET_SIZE, KVM_UTIL_MIN_VADDR);
	memcpy(addr_gva2hva(vm, copy), secret, PKVM_SECRET_SIZE);

	/* Not a region of kvm_util, which would unmap it with the guest. */
	vm_set_user_memory_region(vm, DATA_SLOT, 0, DATA_ADDR,
				  align_up(size, page), data);
	virt_map(vm, DATA_ADDR, DATA_ADDR,
		 align_up(size, vm->page_size) / vm->page_size);
	vcpu_args_set(guest->vcpu, 3, DATA_ADDR, size / sizeof(u64), copy);

	/* KVM leaves the caches to the guest's own start, which it has not. */
	program = memslot2region(vm, 0);
	__builtin___clear_cache(program->host_mem,
				program->host_mem +
					program->region.memory_size);
	TEST_ASSERT(!pkvm_guest_run(guest), "The guest does not start");
}

int pkvm_guest_try_run(struct pkvm_guest *guest, u64 *report)
{
	struct kvm_run *run = guest->vcpu->run;

	if (__vcpu_run(guest->vcpu))
		return -errno;
	TEST_ASSERT(run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
		    run->mmio.phys_addr == guest->vm->ucall_mmio_addr,
		    "The guest exits with %s, MMIO at %#llx",
		    exit_reason_str(run->exit_reason), run->mmio.phys_addr);
	memcpy(report, run->mmio.data, sizeof(*report));
	return 0;
}

u64 pkvm_guest_run(struct pkvm_guest *guest)
{
	u64 report = 0;
	int ret = pkvm_guest_try_run(guest, &report);

	TEST_ASSERT(!ret, "KVM_RUN: %s", strerror(-ret));
	return report;
}

void pkvm_guest_destroy(struct pkvm_guest *guest)
{
	kvm_vm_free(guest->vm);
}

static u64 kernel_symbol(const char *name)
{
	unsigned long addr = 0, val;
	char symbol[64];
	FILE *file;

	file = fopen("/proc/kallsyms", "r");
	while (file && !addr &&
	       fscanf(file, "%lx %*c %63s%*[^\n]", &val, symbol) == 2) {
		if (!strcmp(symbol, name))
			addr = val;
	}
	if (file)
		fclose(file);
	return addr;
}

/* The first range of that name in /proc/iomem, or 0 */
static u64 iomem_start(const char *name)
{
	unsigned long start = 0;
	char line[128];
	FILE *file;

	file = fopen("/proc/iomem", "r");
	while (file && !start && fgets(line, sizeof(line), file)) {
		if (strstr(line, name))
			start = strtoul(line, NULL, 16);
	}
	if (file)
		fclose(file);
	return start;
}

static u64 symbol_phys(const char *name)
{
	u64 symbol = kernel_symbol(name),
	    stext = kernel_symbol(KERNEL_TEXT_START);
	u64 code = iomem_start("Kernel code");

	if (!symbol || !stext || !code)
		return 0;
	return code + (symbol - (stext & ~(KIMAGE_ALIGN - 1)));
}

/*
 * The log has "Reserved N MiB at ADDR". The memory there starts with
 * hyp_vmemmap, of which the entries of these very pages are not zero. With
 * NVHE_EL2_DEBUG other pages come first: HYP_SKIP in the environment is their
 * number.
 */
bool pkvm_find_hyp_memory(struct pkvm_hyp_memory *mem)
{
	const size_t size = 1 << 18;
	char *at, *log = calloc(1, size);
	u64 ram = iomem_start("System RAM");
	const char *skip = getenv("HYP_SKIP");
	unsigned long addr = 0, mib = 0;
	size_t page = getpagesize();

	TEST_ASSERT(log, "No memory");
	if (klogctl(SYSLOG_ACTION_READ_ALL, log, size - 1) < 0)
		log[0] = 0;
	at = strstr(log, "Reserved ");
	while (at && sscanf(at, "Reserved %lu MiB at %lx", &mib, &addr) != 2)
		at = strstr(at + 1, "Reserved ");
	free(log);
	if (!addr || !ram)
		return false;
	mem->data = addr + (addr - ram) / page * HYP_PAGE_SIZE;
	if (skip)
		mem->data += strtoul(skip, NULL, 0) * page;
	mem->end = addr + (mib << 20);
	mem->text = symbol_phys(HYP_TEXT_START);
	mem->text_end = symbol_phys(HYP_TEXT_END);
	return true;
}

u64 pkvm_smmu_count(const char *file, const char *name)
{
	char path[128], key[32];
	unsigned long val, sum = 0;
	FILE *counts;
	glob_t dirs;
	size_t i;

	snprintf(path, sizeof(path), "/sys/kernel/debug/arm-smmu-v3-pkvm/*/%s",
		 file);
	if (glob(path, 0, NULL, &dirs))
		return 0;
	for (i = 0; i < dirs.gl_pathc; i++) {
		counts = fopen(dirs.gl_pathv[i], "r");
		while (counts && fscanf(counts, "%31s %lu", key, &val) == 2)
			sum += strcmp(key, name) ? 0 : val;
		if (counts)
			fclose(counts);
	}
	globfree(&dirs);
	return sum;
}
