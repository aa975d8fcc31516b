/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tools/include lacks of what the emulator and its tests use. Comes before
 * everything else.
 */
#ifndef __PKVM_SMMU_SHIM_H
#define __PKVM_SMMU_SHIM_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/types.h>

#define PAGE_SIZE		BIT(PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

#define __uninitialized

#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))

#define U16_MAX			((u16)~0U)
#define U32_MAX			((u32)~0U)
#define U64_MAX			((u64)~0ULL)
#define lower_32_bits(n)	((u32)((n) & 0xffffffff))
#define upper_32_bits(n)	((u32)((n) >> 32))

/* EL2 must not */
void mock_complain(const char *what);
#undef WARN_ON
#define WARN_ON(cond) ({							\
	bool _warns = !!(cond);							\
	if (_warns)								\
		mock_complain("EL2 warns: " #cond);				\
	_warns;									\
})

/* As in the kernel; a branch for each size is not wanted in what coverage counts */
#undef READ_ONCE
#undef WRITE_ONCE
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))

/* As in the kernel: of different types, if only their signs agree */
#undef min
#undef max
#undef min_t
#undef max_t
#define min(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define max(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))

#endif /* __PKVM_SMMU_SHIM_H */
