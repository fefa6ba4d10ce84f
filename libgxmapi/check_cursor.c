/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/cursor.h>

START_TEST(round_trip)
{
	struct gx_push w = GX_PUSH_INIT;
	struct gx_guid g;
	ck_assert_int_eq(gx_guid_parse("{00062004-0000-0000-c000-000000000046}", &g), 0);
	gx_push_u8(&w, 0xab);
	gx_push_u16(&w, 0x1234);
	gx_push_u32(&w, 0xdeadbeef);
	gx_push_u64(&w, UINT64_C(0x0123456789abcdef));
	gx_push_u48be(&w, UINT64_C(0x0000123456789abc));
	gx_push_f64(&w, -2.5);
	gx_push_varint(&w, UINT64_MAX);
	gx_push_varint(&w, 0);
	gx_push_guid(&w, &g);
	gx_push_strz(&w, "text");
	ck_assert_int_eq(w.err, 0);
	for (size_t cut = 0; cut <= w.len; ++cut) {
		uint8_t *copy = gxtest_exact(w.data, cut);
		struct gx_pull r;
		gx_pull_init(&r, copy, cut);
		uint8_t a = gx_pull_u8(&r);
		uint16_t b = gx_pull_u16(&r);
		uint32_t c = gx_pull_u32(&r);
		uint64_t d = gx_pull_u64(&r);
		uint64_t e = gx_pull_u48be(&r);
		double f = gx_pull_f64(&r);
		uint64_t h = gx_pull_varint(&r), i = gx_pull_varint(&r);
		struct gx_guid k = gx_pull_guid(&r);
		const char *s = gx_pull_strz(&r);
		if (cut < w.len) {
			ck_assert_int_ne(r.err, 0);
			ck_assert_str_eq(s, "");
		} else {
			ck_assert_int_eq(r.err, 0);
			ck_assert_uint_eq(a, 0xab);
			ck_assert_uint_eq(b, 0x1234);
			ck_assert_uint_eq(c, 0xdeadbeef);
			ck_assert_uint_eq(d, UINT64_C(0x0123456789abcdef));
			ck_assert_uint_eq(e, UINT64_C(0x123456789abc));
			ck_assert(f == -2.5);
			ck_assert(h == UINT64_MAX && i == 0);
			ck_assert_int_eq(gx_guid_cmp(&k, &g), 0);
			ck_assert_str_eq(s, "text");
			ck_assert_uint_eq(r.left, 0);
		}
		free(copy);
	}
	gx_push_release(&w);
}
END_TEST

START_TEST(counts_and_children_are_bounded)
{
	uint8_t raw[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct gx_pull r;
	gx_pull_init(&r, raw, sizeof(raw));
	ck_assert_uint_eq(gx_pull_count(&r, 4, 2), 4);
	struct gx_pull k = gx_pull_child(&r, 3);
	ck_assert_uint_eq(gx_pull_u16(&k), 0x0201);
	ck_assert_uint_eq(gx_pull_u8(&r), 4);
	gx_pull_close(&r, &k, true);
	ck_assert_int_eq(r.err, GX_E_FORMAT);
	gx_pull_init(&r, raw, sizeof(raw));
	ck_assert_uint_eq(gx_pull_count(&r, UINT64_MAX, 2), 0);
	ck_assert_int_eq(r.err, GX_E_TRUNC);
	gx_pull_init(&r, raw, sizeof(raw));
	for (unsigned i = 0; i < r.max_depth; ++i)
		ck_assert(gx_pull_enter(&r));
	ck_assert(!gx_pull_enter(&r));
	ck_assert_int_eq(r.err, GX_E_DEPTH);
}
END_TEST

START_TEST(push_limit_is_sticky)
{
	struct gx_push w;
	gx_push_init(&w, 4);
	gx_push_u32(&w, 1);
	gx_push_u8(&w, 1);
	ck_assert_int_eq(w.err, GX_E_LIMIT);
	gx_push_u8(&w, 1);
	ck_assert_uint_eq(w.len, 4);
	gx_push_clear(&w);
	gx_push_str(&w, "ab");
	gx_push_patch_u16(&w, 0, 0x4443);
	ck_assert_int_eq(w.err, 0);
	ck_assert_int_eq(memcmp(w.data, "CD", 2), 0);
	gx_push_release(&w);
}
END_TEST

START_TEST(nothing_pushed_into_nothing)
{
	struct gx_push p = GX_PUSH_INIT;
	ck_assert_ptr_nonnull(gx_push_reserve(&p, 0));
	gx_push_bytes(&p, NULL, 0);
	ck_assert_int_eq(p.err, 0);
	ck_assert_uint_eq(p.len, 0);
	gx_push_release(&p);
}
END_TEST

static Suite *cursor_suite(void)
{
	Suite *s = suite_create("cursor");
	TCase *t = tcase_create("cursor");
	tcase_add_test(t, round_trip);
	tcase_add_test(t, counts_and_children_are_bounded);
	tcase_add_test(t, push_limit_is_sticky);
	tcase_add_test(t, nothing_pushed_into_nothing);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(cursor_suite)
