/* SPDX-License-Identifier: Apache-2.0 */
/* Request types of MAPI/HTTP, and the address book's own form of values. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/mapihttp.h>

static struct gx_arena *a;
static struct gx_dctx x;

static void setup(void)
{
	a = gx_arena_new(0);
	x = (struct gx_dctx){.px = GX_PX_AB(a, 1252)};
}

static void teardown(void)
{
	gx_arena_free(a);
}

START_TEST(request_types)
{
	uint32_t n = 0;
	for (const struct gx_exchange_desc *d; (d = gx_mapihttp_exchange(n)) != NULL; ++n) {
		ck_assert_ptr_eq(gx_mapihttp_find(d->name), d);
		ck_assert_uint_eq(gx_mapihttp_number(d), n);
		ck_assert_int_eq(strncmp(d->section, "[MS-OXCMAPIHTTP] 2.2.", 21), 0);
	}
	ck_assert_uint_eq(n, GX_MH_TYPES);
	ck_assert_uint_eq(n, 24);
	ck_assert_uint_eq(gx_mapihttp_number(gx_mapihttp_find("Execute")), GX_MH_EXECUTE);
	ck_assert_uint_eq(gx_mapihttp_find("PING")->endpoint, GX_ENDPOINT_BOTH);
	ck_assert_uint_eq(gx_mapihttp_find("ResolveNames")->endpoint, GX_ENDPOINT_NSPI);
	ck_assert_ptr_null(gx_mapihttp_find("execute"));
	ck_assert_ptr_null(gx_mapihttp_find(""));
}
END_TEST

START_TEST(values_say_whether_they_are_there)
{
	static const char there[] = "\0\0\0\0" "\0\0\0\0" "\xe4\4\0\0" "\xff" "\2\0\0\0"
		"\x1f\0\1\x30" "\xff" "A\0\0\0" "\2\1\xff\x0f" "\xff" "\1\0\0\0" "z" "\0\0\0\0";
	struct gx_mh_get_props_res r;
	const struct gx_desc *d = gx_mapihttp_find("GetProps")->res;
	struct gx_bin out;
	ck_assert_int_eq(gx_desc_decode(&x, d, there, sizeof(there) - 1, &r), 0);
	ck_assert_uint_eq(r.code_page, 1252);
	ck_assert_uint_eq(r.property_values->values_count, 2);
	ck_assert_str_eq(r.property_values->values[0].v.str, "A");
	ck_assert_uint_eq(r.property_values->values[1].v.bin.len, 1);
	ck_assert_int_eq(gx_desc_encode(&x, d, &r, &out), 0);
	ck_assert_uint_eq(out.len, sizeof(there) - 1);
	/* any byte but 0 means yes to what is asked before a structure; we say 1 */
	((uint8_t *)out.data)[12] = 0xff;
	ck_assert_mem_eq(out.data, there, out.len);
	static const char absent[] = "\0\0\0\0" "\0\0\0\0" "\xe4\4\0\0" "\1" "\2\0\0\0"
		"\x1f\0\1\x30" "\0" "\x1f\x10\2\x30" "\0" "\0\0\0\0";
	ck_assert_int_eq(gx_desc_decode(&x, d, absent, sizeof(absent) - 1, &r), 0);
	ck_assert_str_eq(r.property_values->values[0].v.str, "");
	ck_assert_uint_eq(r.property_values->values[1].v.mv.count, 0);
}
END_TEST

START_TEST(failures_are_short)
{
	struct gx_mh_resolve_names_res r = {.status_code = 0x80040111};
	const struct gx_desc *d = gx_mapihttp_find("ResolveNames")->res;
	struct gx_bin out;
	ck_assert_int_eq(gx_desc_encode(&x, d, &r, &out), 0);
	ck_assert_uint_eq(out.len, 8);
	ck_assert_mem_eq(out.data, "\x11\1\4\x80\0\0\0\0", 8);
}
END_TEST

START_TEST(rows_bring_their_columns)
{
	static const gx_proptag_t tags[] = {PidTagDisplayName, PidTagObjectType};
	struct gx_propval one[] = {{PidTagDisplayName, {.str = "x"}}, {PidTagObjectType, {.i32 = 6}}};
	struct gx_propval two[] = {{GX_PROP_RETYPE(PidTagDisplayName, PtypErrorCode), {.err = 0x8004010f}}, {PidTagObjectType, {.i32 = 8}}};
	struct gx_proprow rows[] = {{one, 2}, {two, 2}};
	struct gx_mh_query_rows_res back, r = {.has_columns_and_rows = true, .rows = {{tags, 2}, rows, 2}};
	const struct gx_desc *d = gx_mapihttp_find("QueryRows")->res;
	struct gx_bin out;
	ck_assert_int_eq(gx_desc_encode(&x, d, &r, &out), 0);
	ck_assert_int_eq(gx_desc_decode(&x, d, out.data, out.len, &back), 0);
	ck_assert(gx_desc_equal(&x, d, &r, &back));
	ck_assert_uint_eq(back.rows.v[1].v[0].v.err, 0x8004010f);
}
END_TEST

static Suite *mapihttp_suite(void)
{
	Suite *s = suite_create("mapihttp");
	TCase *t = tcase_create("mapihttp");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, request_types);
	tcase_add_test(t, values_say_whether_they_are_there);
	tcase_add_test(t, failures_are_short);
	tcase_add_test(t, rows_bring_their_columns);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mapihttp_suite)
