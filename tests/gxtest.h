/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test needs: one main over a libcheck suite, answers in TAP for the test driver. */
#ifndef GX_TESTS_GXTEST_H
#define GX_TESTS_GXTEST_H
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * libcheck writes down each assertion that held, so that it can say behind which one a test died, and
 * reads all of them again: of tests with many that took nine tenths of the time. The first of each
 * test are enough to find one that crashes, together with what the sanitizers say.
 */
#define GXTEST_MARKS 200U

static inline void gxtest_mark(const char *file, int line)
{
	static unsigned marks; /* of this process: each test is one of its own */
	unsigned n = __atomic_load_n(&marks, __ATOMIC_RELAXED);
	if (n >= GXTEST_MARKS)
		return;
	__atomic_store_n(&marks, n + 1, __ATOMIC_RELAXED);
	_mark_point(file, line);
}
#define _mark_point(file, line) gxtest_mark(file, line)

/* Under AddressSanitizer everything takes several times as long, and the other pass of ./check is without. */
#if defined(__SANITIZE_ADDRESS__)
#define GXTEST_ASAN true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GXTEST_ASAN true
#endif
#endif
#ifndef GXTEST_ASAN
#define GXTEST_ASAN false
#endif

/* make soak, and who looks for something: all of it. */
static inline bool gxtest_soaking(void)
{
	return getenv("GX_SOAK_SECONDS") != NULL;
}

/* How many of n rounds of the same with other numbers: under ASan a third, if the result is no other there. */
static inline unsigned gxtest_rounds(unsigned n)
{
	return GXTEST_ASAN && !gxtest_soaking() ? (n + 2) / 3 : n;
}

static inline int gxtest_run(Suite *s)
{
	SRunner *r = srunner_create(s);
	srunner_set_tap(r, "-");
	srunner_run_all(r, CK_SILENT);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A copy of the bytes in a block of exactly their size, so that ASan sees the first byte past them. */
static inline void *gxtest_exact(const void *p, size_t n)
{
	void *q = malloc(n == 0 ? 1 : n);
	ck_assert_ptr_nonnull(q);
	if (n != 0)
		memcpy(q, p, n);
	return q;
}

#define GXTEST_MAIN(suite_fn) \
	int main(void) \
	{ \
		return gxtest_run(suite_fn()); \
	}
#endif
