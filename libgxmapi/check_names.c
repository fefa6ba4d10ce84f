/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/guids.h>
#include <gx/namedprop.h>

START_TEST(constants)
{
	static const struct gx_propname table[] = {GX_LID_INIT(PidLidFileUnder), GX_STR_INIT(PidNameKeywords)};
	ck_assert_uint_eq(table[0].lid, 0x8005);
	ck_assert(!table[0].by_name && table[1].by_name);
	ck_assert_str_eq(table[1].name, "Keywords");
	ck_assert_int_eq(gx_guid_cmp(&table[1].set, &PS_PUBLIC_STRINGS), 0);
	ck_assert_uint_eq(PidLidFileUnder_TYPE, PtypString);
	struct gx_propname n = GX_LID(PidLidFileUnder);
	ck_assert(gx_propname_equal(&n, &table[0]));
}
END_TEST

START_TEST(lookup_both_ways)
{
	const struct gx_named_info *i = gx_named_by_name("PidLidFileUnder");
	ck_assert_ptr_nonnull(i);
	struct gx_propname n = gx_named_propname(i);
	ck_assert_ptr_eq(gx_named_find(&n), i);
	ck_assert_ptr_null(gx_named_by_name("PidLidNonsense"));
	n.lid = 0x7fffffff;
	ck_assert_ptr_null(gx_named_find(&n));
	n = GX_STR(PidNameKeywords);
	ck_assert_str_eq(gx_named_find(&n)->name, "PidNameKeywords");
	n.name = "KEYWORDS"; /* case counts, but in header fields */
	ck_assert_ptr_null(gx_named_find(&n));
	n = (struct gx_propname){.set = PS_INTERNET_HEADERS, .by_name = true, .name = "CONTENT-Class"};
	ck_assert_str_eq(gx_named_find(&n)->name, "PidNameContentClass");
	n.set.d1 ^= 1;
	ck_assert_ptr_null(gx_named_find(&n));
}
END_TEST

START_TEST(sets)
{
	struct gx_guid g;
	ck_assert_str_eq(gx_propset_name(&PSETID_Common), "PSETID_Common");
	ck_assert_int_eq(gx_propset_by_name("PS_INTERNET_HEADERS", &g), 0);
	ck_assert_int_eq(gx_guid_cmp(&g, &PS_INTERNET_HEADERS), 0);
	ck_assert_int_eq(gx_propset_by_name("PSETID_Nothing", &g), GX_E_NOTFOUND);
	g.d1 = 1;
	ck_assert_ptr_null(gx_propset_name(&g));
	uint8_t wire[16];
	gx_guid_put(&muidEMSAB, wire);
	ck_assert_mem_eq(wire, "\xdc\xa7\x40\xc8\xc0\x42\x10\x1a\xb4\xb9\x08\x00\x2b\x2f\xe1\x82", 16);
}
END_TEST

START_TEST(message_objects)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_msgobj *m = gx_msgobj_new(a);
	for (int i = 0; i < 100; ++i) {
		struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
		ck_assert_uint_eq(r->count, 0);
		ck_assert_int_eq(gx_proplist_set_i32(r, a, PidTagRecipientType, i), 0);
		struct gx_attach *att = gx_msgobj_add_attach(m, a);
		ck_assert_ptr_null(att->embedded);
		ck_assert_int_eq(gx_proplist_set_i32(&att->props, a, PidTagAttachNumber, i), 0);
	}
	ck_assert_uint_eq(m->rcpt_count, 100);
	ck_assert_int_eq(gx_proplist_i32(&m->rcpts[42], PidTagRecipientType, -1), 42);
	ck_assert_int_eq(gx_proplist_i32(&m->atts[99].props, PidTagAttachNumber, -1), 99);
	struct gx_propname n = GX_LID(PidLidFileUnder), h = {.set = PS_INTERNET_HEADERS, .by_name = true, .name = "X-Mailer"};
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &n, PtypString, (union gx_value){.str = "a"}), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &h, PtypString, (union gx_value){.str = "b"}), 0);
	h.name = "x-mailer";
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &h, PtypString, (union gx_value){.str = "c"}), 0);
	ck_assert_uint_eq(m->named_count, 2);
	ck_assert_str_eq(gx_msgobj_get_named(m, &h)->v.str, "c");
	ck_assert_str_eq(gx_msgobj_get_named(m, &n)->v.str, "a");
	n.lid = 1;
	ck_assert_ptr_null(gx_msgobj_get_named(m, &n));
	h.name = NULL;
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &h, PtypString, (union gx_value){.str = "d"}), GX_E_INVAL);
	gx_arena_free(a);
}
END_TEST

static Suite *names_suite(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("names");
	tcase_add_test(t, constants);
	tcase_add_test(t, lookup_both_ways);
	tcase_add_test(t, sets);
	tcase_add_test(t, message_objects);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(names_suite)
