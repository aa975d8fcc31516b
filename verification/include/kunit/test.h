/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of KUnit as the emulator's tests use. An expectation that fails marks
 * the test and goes on; an assertion ends it.
 */
#ifndef __PKVM_SMMU_KUNIT_H
#define __PKVM_SMMU_KUNIT_H

#include <stdbool.h>
#include <string.h>

struct kunit {
	const char	*name;
	bool		failed;
};

struct kunit_case {
	void		(*run_case)(struct kunit *test);
	const char	*name;
};

struct kunit_suite {
	const char		*name;
	int			(*init)(struct kunit *test);
	void			(*exit)(struct kunit *test);
	struct kunit_case	*test_cases;
	struct kunit_suite	*next;
};

void kunit_add_suite(struct kunit_suite *suite);
void kunit_failed(struct kunit *test, const char *file, int line, bool end,
		  const char *what, long long left, long long right, const char *fmt, ...);

#define KUNIT_CASE(fn)		{ .run_case = fn, .name = #fn }
#define kunit_test_suite(suite)						\
	static void __attribute__((constructor)) suite##_add(void)	\
	{								\
		kunit_add_suite(&(suite));				\
	}								\
	extern struct kunit_suite suite##_end

#define KUNIT_CHECK(test, end, what, cond, left, right, ...)		\
do {									\
	if (!(cond))							\
		kunit_failed(test, __FILE__, __LINE__, end, what,	\
			     (long long)(left), (long long)(right), __VA_ARGS__); \
} while (0)

#define KUNIT_BINARY(test, end, a, op, b, ...)				\
do {									\
	typeof(a) __l = (a);						\
	typeof(b) __r = (b);						\
	KUNIT_CHECK(test, end, #a " " #op " " #b, __l op __r, __l, __r, __VA_ARGS__); \
} while (0)

#define KUNIT_FAIL(test, ...)	KUNIT_CHECK(test, false, "failed", false, 0, 0, __VA_ARGS__)

#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_BINARY(test, false, a, ==, b, NULL)
#define KUNIT_EXPECT_NE(test, a, b)	KUNIT_BINARY(test, false, a, !=, b, NULL)
#define KUNIT_EXPECT_LT(test, a, b)	KUNIT_BINARY(test, false, a, <, b, NULL)
#define KUNIT_EXPECT_LE(test, a, b)	KUNIT_BINARY(test, false, a, <=, b, NULL)
#define KUNIT_EXPECT_GT(test, a, b)	KUNIT_BINARY(test, false, a, >, b, NULL)
#define KUNIT_EXPECT_GE(test, a, b)	KUNIT_BINARY(test, false, a, >=, b, NULL)
#define KUNIT_EXPECT_TRUE(test, a)	KUNIT_CHECK(test, false, #a, a, 0, 1, NULL)
#define KUNIT_EXPECT_FALSE(test, a)	KUNIT_CHECK(test, false, "!" #a, !(a), 1, 0, NULL)
#define KUNIT_EXPECT_MEMEQ(test, a, b, n) \
	KUNIT_CHECK(test, false, #a " is " #b, !memcmp(a, b, n), 0, 0, NULL)

#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)	KUNIT_BINARY(test, false, a, ==, b, __VA_ARGS__)
#define KUNIT_EXPECT_TRUE_MSG(test, a, ...)	KUNIT_CHECK(test, false, #a, a, 0, 1, __VA_ARGS__)

#define KUNIT_ASSERT_EQ(test, a, b)	KUNIT_BINARY(test, true, a, ==, b, NULL)
#define KUNIT_ASSERT_NE(test, a, b)	KUNIT_BINARY(test, true, a, !=, b, NULL)
#define KUNIT_ASSERT_GT(test, a, b)	KUNIT_BINARY(test, true, a, >, b, NULL)
#define KUNIT_ASSERT_GE(test, a, b)	KUNIT_BINARY(test, true, a, >=, b, NULL)
#define KUNIT_ASSERT_TRUE(test, a)	KUNIT_CHECK(test, true, #a, a, 0, 1, NULL)
#define KUNIT_ASSERT_EQ_MSG(test, a, b, ...)	KUNIT_BINARY(test, true, a, ==, b, __VA_ARGS__)

#endif /* __PKVM_SMMU_KUNIT_H */
