/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/strbuf.h>
#include "tests/gxtest.h"

START_TEST(grows)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	ck_assert_str_eq(gx_strbuf_cstr(&b), "");
	gx_strbuf_adds(&b, "one");
	gx_strbuf_addc(&b, ' ');
	gx_strbuf_add(&b, "two three", 3);
	gx_strbuf_printf(&b, " %d%s", 3, "!");
	ck_assert_str_eq(gx_strbuf_cstr(&b), "one two 3!");
	for (unsigned i = 0; i < 5000; ++i)
		gx_strbuf_printf(&b, "%u,", i);
	ck_assert_uint_eq(b.len, strlen(b.s));
	ck_assert_str_eq(b.s + b.len - 10, "4998,4999,");
	gx_strbuf_truncate(&b, 3);
	gx_strbuf_truncate(&b, 30); /* does not make it longer */
	ck_assert_str_eq(gx_strbuf_cstr(&b), "one");
	char *s = gx_strbuf_take(&b);
	ck_assert_str_eq(s, "one");
	free(s);
	s = gx_strbuf_take(&b);
	ck_assert_str_eq(s, "");
	free(s);
}
END_TEST

START_TEST(keeps_an_error)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "one");
	b.err = GX_E_NOMEM;
	gx_strbuf_adds(&b, "two");
	gx_strbuf_printf(&b, "%d", 3);
	ck_assert_str_eq(gx_strbuf_cstr(&b), "one");
	ck_assert_ptr_null(gx_strbuf_take(&b));
	ck_assert_ptr_null(b.s);
	gx_strbuf_clear(&b);
	gx_strbuf_adds(&b, "again");
	ck_assert_str_eq(gx_strbuf_cstr(&b), "again");
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(lists)
{
	static const char *const none[] = {NULL}, *const some[] = {"a", "", "long enough for a block of its own", NULL};
	char **v;
	ck_assert_int_eq(gx_strv_copy(NULL, &v), 0);
	ck_assert_ptr_null(v);
	gx_strv_free(v);
	ck_assert_int_eq(gx_strv_copy(none, &v), 0);
	ck_assert_ptr_null(v[0]);
	gx_strv_free(v);
	ck_assert_int_eq(gx_strv_copy(some, &v), 0);
	for (size_t i = 0; i < 3; ++i) {
		ck_assert_str_eq(v[i], some[i]);
		ck_assert_ptr_ne(v[i], some[i]);
	}
	ck_assert_ptr_null(v[3]);
	gx_strv_free(v);
}
END_TEST

static Suite *strbuf_suite(void)
{
	Suite *s = suite_create("strbuf");
	TCase *t = tcase_create("strbuf");
	tcase_add_test(t, grows);
	tcase_add_test(t, keeps_an_error);
	tcase_add_test(t, lists);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(strbuf_suite)
