// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the suites in the order of their names and prints a line for each test, as
 * KTAP has it: "ok 1 suite.case-12" or "not ok ...", and before the latter what
 * was expected. Writes "passed failed" to descriptor 3.
 *
 *	check NAME [WORD [incoherent]]
 *
 * NAME is what sets these tests apart from the same ones with other pages. The last
 * argument is the tests' module parameter. With FIRST in the environment it ends after
 * the first test that fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kunit/test.h>

extern bool mock_incoherent;

/* Of one test; the rest is more of the same */
#define MAX_REPORTS	5

static struct kunit_suite *suites;
static unsigned int reports;
static jmp_buf end_of_test;

void kunit_add_suite(struct kunit_suite *suite)
{
	struct kunit_suite **pos = &suites;

	while (*pos && strcmp((*pos)->name, suite->name) < 0)
		pos = &(*pos)->next;
	suite->next = *pos;
	*pos = suite;
}

void kunit_failed(struct kunit *test, const char *file, int line, bool end,
		  const char *what, long long left, long long right, const char *fmt, ...)
{
	va_list args;

	test->failed = true;
	if (reports++ < MAX_REPORTS) {
		printf("# %s: %s:%d: %s", test->name, strrchr(file, '/') ? strrchr(file, '/') + 1 :
		       file, line, what);
		if (left != right)
			printf(" (0x%llx, 0x%llx)", left, right);
		if (fmt) {
			printf(": ");
			va_start(args, fmt);
			vprintf(fmt, args);
			va_end(args);
		}
		printf("\n");
	}
	if (end)
		longjmp(end_of_test, 1);
}

static bool run(struct kunit_suite *suite, struct kunit_case *c)
{
	struct kunit test = { .name = c->name };

	reports = 0;
	if (suite->init && suite->init(&test))
		return false;
	if (!setjmp(end_of_test))
		c->run_case(&test);
	if (suite->exit && !setjmp(end_of_test))
		suite->exit(&test);

	return !test.failed;
}

int main(int argc, char **argv)
{
	bool first = getenv("FIRST") && *getenv("FIRST");
	unsigned int passed = 0, failed = 0;
	struct kunit_suite *suite;
	struct kunit_case *c;
	char name[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	mock_incoherent = argc > 3 && !strcmp(argv[3], "incoherent");
	for (suite = suites; suite; suite = suite->next) {
		for (c = suite->test_cases; c->run_case && !(first && failed); c++) {
			bool ok;

			snprintf(name, sizeof(name), "%s.%s-%s", suite->name, c->name,
				 argc > 1 ? argv[1] : "");
			if (argc > 2 && !strstr(name, argv[2]))
				continue;
			ok = run(suite, c);
			passed += ok;
			failed += !ok;
			printf("%s %u %s\n", ok ? "ok" : "not ok", passed + failed, name);
		}
	}

	/* A name that nothing has is not a success */
	if (!passed && !failed) {
		fprintf(stderr, "error: no test has '%s' in its name\n", argc > 2 ? argv[2] : "");
		failed++;
	}
	dprintf(3, "%u %u\n", passed, failed);
	return 0;
}
