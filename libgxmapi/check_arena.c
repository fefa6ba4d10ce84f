/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/arena.h>

START_TEST(allocations_are_apart_and_aligned)
{
	struct gx_arena *a = gx_arena_new(0);
	uint8_t *prev = NULL;
	for (size_t n = 0; n < 5000; n += 37) {
		uint8_t *p = gx_arena_alloc(a, n);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		memset(p, (int)n, n);
		ck_assert_ptr_ne(p, prev);
		prev = p;
	}
	gx_arena_free(a);
}
END_TEST

START_TEST(limit_holds_and_reset_gives_back)
{
	struct gx_arena *a = gx_arena_new(1000);
	ck_assert_ptr_nonnull(gx_arena_alloc(a, 600));
	ck_assert_ptr_null(gx_arena_alloc(a, 600));
	ck_assert_ptr_nonnull(gx_arena_alloc(a, 400));
	gx_arena_reset(a);
	ck_assert_uint_eq(gx_arena_used(a), 0);
	ck_assert_ptr_nonnull(gx_arena_alloc(a, 1000));
	ck_assert_ptr_null(gx_arena_calloc(a, SIZE_MAX / 2, 4));
	gx_arena_free(a);
	gx_arena_free(NULL);
}
END_TEST

START_TEST(strings_and_grow)
{
	struct gx_arena *a = gx_arena_new(0);
	ck_assert_str_eq(gx_arena_printf(a, "%d-%s", 7, "x"), "7-x");
	ck_assert_str_eq(gx_arena_strndup(a, "abcdef", 3), "abc");
	ck_assert_str_eq(gx_arena_strndup(a, NULL, 0), "");
	ck_assert_ptr_null(gx_arena_strdup(a, NULL));
	int *v = NULL;
	size_t cap = 0;
	for (int i = 0; i < 1000; ++i) {
		v = gx_arena_grow(a, v, &cap, (size_t)i + 1, sizeof(*v));
		v[i] = i;
	}
	for (int i = 0; i < 1000; ++i)
		ck_assert_int_eq(v[i], i);
	gx_arena_free(a);
}
END_TEST

static Suite *arena_suite(void)
{
	Suite *s = suite_create("arena");
	TCase *t = tcase_create("arena");
	tcase_add_test(t, allocations_are_apart_and_aligned);
	tcase_add_test(t, limit_holds_and_reset_gives_back);
	tcase_add_test(t, strings_and_grow);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(arena_suite)
