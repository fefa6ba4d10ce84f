/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of auxiliary buffers. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/auxbuf.h>
#include <gx/desc.h>

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

START_TEST(one_after_the_other)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_pull c;
	struct gx_aux_block b;
	const struct gx_aux_exorginfo org = {3};
	const uint8_t name[] = {'P', 0, 'C', 0, 0, 0};
	/* the head has 4 bytes, what has a fixed place 28 */
	const struct gx_aux_perf_clientinfo info = {.machine_name_offset = 32, .client_mode = GX_CLIENTMODE_CACHED, .rest = {name, sizeof(name)}};
	gx_aux_push(&out, 1, GX_AUX_EXORGINFO, &org);
	gx_aux_push(&out, 1, GX_AUX_CLIENTINFO, &info);
	gx_push_u16(&out, 6); /* one that nobody knows */
	gx_push_u32(&out, 0xffffffff);
	ck_assert_int_eq(out.err, 0);
	gx_pull_init(&c, out.data, out.len);
	gx_aux_pull(&c, a, &b);
	ck_assert_uint_eq(((const struct gx_aux_exorginfo *)b.body)->org_flags, 3);
	gx_aux_pull(&c, a, &b);
	ck_assert_uint_eq(b.type, GX_AUX_CLIENTINFO);
	const struct gx_aux_perf_clientinfo *got = b.body;
	ck_assert_uint_eq(got->client_mode, GX_CLIENTMODE_CACHED);
	ck_assert_str_eq(gx_aux_text(&b, got->machine_name_offset, a), "PC");
	ck_assert_ptr_null(gx_aux_text(&b, 0, a));
	ck_assert_str_eq(gx_aux_text(&b, 36, a), "");
	ck_assert_ptr_null(gx_aux_text(&b, 37, a));
	ck_assert_ptr_null(gx_aux_text(&b, 60000, a));
	gx_aux_pull(&c, a, &b);
	ck_assert_int_eq(c.err, 0);
	ck_assert_ptr_null(b.desc);
	ck_assert_ptr_null(b.body);
	ck_assert_uint_eq(c.left, 0);
	gx_push_release(&out);
}
END_TEST

START_TEST(versions_differ)
{
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_ptr_ne(gx_aux_find(1, GX_AUX_FAILURE), gx_aux_find(2, GX_AUX_FAILURE));
	ck_assert_ptr_eq(gx_aux_find(1, GX_AUX_FAILURE), gx_aux_find(1, GX_AUX_BG_FAILURE));
	ck_assert_ptr_null(gx_aux_find(3, GX_AUX_FAILURE));
	gx_aux_push(&out, 3, GX_AUX_FAILURE, NULL);
	ck_assert_int_eq(out.err, GX_E_INVAL);
	gx_push_release(&out);
}
END_TEST

START_TEST(bad_blocks)
{
	static const struct {
		uint8_t bytes[10];
		size_t len;
		int err;
	} t[] = {
		{{3, 0, 1, 0x17}, 4, GX_E_FORMAT}, {{8, 0, 1, 0x17, 0, 0}, 6, GX_E_TRUNC}, {{6, 0, 1, 0x17, 0, 0}, 6, GX_E_TRUNC},
		{{4, 0, 1}, 3, GX_E_TRUNC}, {{10, 0, 1, 0x17, 1, 2, 3, 4, 5, 6}, 10, 0},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct gx_pull c;
		struct gx_aux_block b;
		uint8_t *in = gxtest_exact(t[i].bytes, t[i].len);
		gx_pull_init(&c, in, t[i].len);
		gx_aux_pull(&c, a, &b);
		ck_assert_msg(c.err == t[i].err, "%zu: %d", i, c.err);
		free(in);
	}
}
END_TEST

static Suite *auxbuf_suite(void)
{
	Suite *s = suite_create("auxbuf");
	TCase *t = tcase_create("auxbuf");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_after_the_other);
	tcase_add_test(t, versions_differ);
	tcase_add_test(t, bad_blocks);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(auxbuf_suite)
