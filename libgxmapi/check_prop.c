/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <math.h>
#include <gx/prop.h>
#include "libgxmapi/proprand.h"

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

START_TEST(types)
{
	ck_assert_str_eq(gx_ptype_name(PtypString), "PtypString");
	ck_assert_str_eq(gx_ptype_name(PtypMultipleBinary), "PtypMultipleBinary");
	ck_assert_ptr_null(gx_ptype_name(0x1234));
	ck_assert_uint_eq(gx_ptype_size(PtypInteger32), 4);
	ck_assert_uint_eq(gx_ptype_size(PtypGuid), 16);
	ck_assert_uint_eq(gx_ptype_size(PtypBoolean), 1);
	ck_assert_uint_eq(gx_ptype_size(PtypString), 0);
	ck_assert_uint_eq(gx_ptype_size(PtypMultipleInteger32), 0);
	ck_assert_uint_eq(gx_ptype_size(GX_MVI_FLAG | PtypInteger32), 4);
	ck_assert(gx_ptype_known(GX_MVI_FLAG | PtypString));
	ck_assert(!gx_ptype_known(GX_MVI_FLAG | PtypBoolean));
	ck_assert(!gx_ptype_known(0x8003));
}
END_TEST

START_TEST(names_both_ways)
{
	ck_assert_uint_eq(PidTagSubject, 0x0037001F);
	ck_assert_str_eq(gx_proptag_name(PidTagSubject), "PidTagSubject");
	ck_assert_str_eq(gx_proptag_name(GX_PROP_RETYPE(PidTagSubject, PtypString8)), "PidTagSubject");
	ck_assert_str_eq(gx_proptag_alias(PidTagSubject), "PR_SUBJECT");
	/* the specification's name wins where a tag has two */
	ck_assert_str_eq(gx_proptag_name(0x39FE001F), "PidTagSmtpAddress");
	ck_assert_str_eq(gx_proptag_name(0x663B0102), "PidTagAddressBookEntryId");
	ck_assert_str_eq(gx_proptag_name(0x0FFF0102), "PidTagEntryId");
	/* an exact row without a canonical name has none, whatever shares its id */
	ck_assert_ptr_null(gx_proptag_name(0x00020102));
	ck_assert_ptr_null(gx_proptag_name(0xFFF00003));
	ck_assert_ptr_null(gx_proptag_alias(0xFFF00003));
	ck_assert_uint_eq(gx_proptag_by_name("PidTagSubject"), PidTagSubject);
	ck_assert_uint_eq(gx_proptag_by_name("PR_SUBJECT"), PidTagSubject);
	ck_assert_uint_eq(gx_proptag_by_name("PR_CONTACT_ADDRTYPES"), 0x3A54101F);
	ck_assert_uint_eq(gx_proptag_by_name("pidtagsubject"), 0);
	ck_assert_uint_eq(gx_proptag_by_name(""), 0);
	ck_assert_uint_eq(gx_proptag_by_name("PidTagZzz"), 0);
}
END_TEST

START_TEST(copies_are_deep_and_equal)
{
	struct rnd r = {.s = 1, .a = a};
	for (int i = 0; i < 5000; ++i) {
		struct gx_arena *other = gx_arena_new(0);
		uint16_t type = rnd_type(&r);
		struct rnd again = {.s = r.s, .a = other};
		union gx_value v = rnd_value(&again, type, 0), w, twin = rnd_value(&r, type, 0);
		ck_assert_int_eq(gx_value_copy(a, type, &v, &w), 0);
		ck_assert(gx_value_equal(type, &v, &w));
		ck_assert_int_eq(gx_value_cmp(type, &v, &w), 0);
		gx_arena_free(other); /* under sanitizers every borrowed byte would be caught now */
		ck_assert(gx_value_equal(type, &w, &twin));
	}
}
END_TEST

START_TEST(order_is_total)
{
	struct rnd r = {.s = 2, .a = a};
	for (int i = 0; i < 3000; ++i) {
		uint16_t type = rnd_type(&r);
		union gx_value v[3];
		for (int k = 0; k < 3; ++k)
			v[k] = rnd_value(&r, type, 3);
		int xy = gx_value_cmp(type, &v[0], &v[1]), yx = gx_value_cmp(type, &v[1], &v[0]);
		int yz = gx_value_cmp(type, &v[1], &v[2]), xz = gx_value_cmp(type, &v[0], &v[2]);
		ck_assert((xy < 0) == (yx > 0) && (xy == 0) == (yx == 0));
		if (xy <= 0 && yz <= 0)
			ck_assert_int_le(xz, 0);
		if (xy >= 0 && yz >= 0)
			ck_assert_int_ge(xz, 0);
	}
}
END_TEST

static int cmp_str(const char *x, const char *y)
{
	return gx_value_cmp(PtypString, &(union gx_value){.str = x}, &(union gx_value){.str = y});
}

START_TEST(order_of_particular_values)
{
	ck_assert_int_lt(cmp_str("abc", "ABD"), 0);
	ck_assert_int_ne(cmp_str("abc", "ABC"), 0);
	ck_assert_int_eq(cmp_str("abc", "abc"), 0);
	ck_assert(!gx_value_equal(PtypString, &(union gx_value){.str = "a"}, &(union gx_value){.str = "A"}));
	union gx_value nan = {.f64 = NAN}, big = {.f64 = INFINITY};
	ck_assert_int_gt(gx_value_cmp(PtypFloating64, &nan, &big), 0);
	ck_assert_int_eq(gx_value_cmp(PtypFloating64, &nan, &nan), 0);
	union gx_value neg = {.i32 = -1}, one = {.i32 = 1};
	ck_assert_int_lt(gx_value_cmp(PtypInteger32, &neg, &one), 0);
	union gx_value b1 = {.bin = {(const uint8_t *)"a", 1}}, b2 = {.bin = {(const uint8_t *)"ab", 2}}, b0 = {0};
	ck_assert_int_lt(gx_value_cmp(PtypBinary, &b1, &b2), 0);
	ck_assert_int_lt(gx_value_cmp(PtypBinary, &b0, &b1), 0);
}
END_TEST

static const char *printed(uint16_t type, union gx_value v)
{
	static struct gx_strbuf b;
	gx_strbuf_clear(&b);
	gx_value_print(&b, type, &v);
	return gx_strbuf_cstr(&b);
}

START_TEST(print)
{
	static const union gx_value mv[] = {{.str = "a"}, {.str = "b\"c"}};
	static const uint8_t bytes[100] = {0xde, 0xad};
	ck_assert_str_eq(printed(PtypInteger32, (union gx_value){.i32 = -5}), "-5");
	ck_assert_str_eq(printed(PtypCurrency, (union gx_value){.i64 = -12345}), "-1.2345");
	ck_assert_str_eq(printed(PtypCurrency, (union gx_value){.i64 = INT64_MIN}), "-922337203685477.5808");
	ck_assert_str_eq(printed(PtypBoolean, (union gx_value){.b = true}), "true");
	ck_assert_str_eq(printed(PtypErrorCode, (union gx_value){.err = 0x8004010F}), "0x8004010f ecNotFound");
	ck_assert_str_eq(printed(PtypString, (union gx_value){.str = "a\n"}), "\"a\\x0a\"");
	ck_assert_str_eq(printed(PtypMultipleString, (union gx_value){.mv = {mv, 2}}), "{\"a\", \"b\\\"c\"}");
	ck_assert_str_eq(printed(PtypBinary, (union gx_value){.bin = {bytes, 2}}), "[2]dead");
	ck_assert_ptr_nonnull(strstr(printed(PtypBinary, (union gx_value){.bin = {bytes, 100}}), "..."));
	ck_assert_str_eq(printed(PtypTime, (union gx_value){.time = GX_NTTIME_UNIX_EPOCH}), "1970-01-01T00:00:00.000Z");
	ck_assert_str_eq(printed(0x4321, (union gx_value){0}), "(type 0x4321)");
}
END_TEST

START_TEST(list_get_set_remove)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, "one"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PidTagImportance, 2), 0);
	ck_assert_int_eq(gx_proplist_set_bool(&l, a, PidTagHasAttachments, true), 0);
	ck_assert_int_eq(gx_proplist_set_i64(&l, a, PidTagMessageSizeExtended, 1), 0);
	ck_assert_int_eq(gx_proplist_set_time(&l, a, PidTagCreationTime, 5), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagSearchKey, "ab", 2), 0);
	ck_assert_uint_eq(l.count, 6);
	/* one value an id: the type may change */
	ck_assert_int_eq(gx_proplist_set_str(&l, a, GX_PROP_RETYPE(PidTagSubject, PtypString8), "two"), 0);
	ck_assert_uint_eq(l.count, 6);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "two");
	ck_assert_ptr_nonnull(gx_proplist_get(&l, GX_PROP_RETYPE(PidTagSubject, PtypUnspecified)));
	ck_assert_ptr_null(gx_proplist_get(&l, GX_PROP_RETYPE(PidTagSubject, PtypBinary)));
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagImportance, 7), 2);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagPriority, 7), 7);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagSubject, 7), 7);
	gx_proplist_remove(&l, PidTagPriority);
	gx_proplist_remove(&l, PidTagImportance);
	ck_assert_uint_eq(l.count, 5);
	ck_assert_ptr_null(gx_proplist_get(&l, PidTagImportance));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagBody, "none"), "none");
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagBody, NULL), GX_E_INVAL);
}
END_TEST

START_TEST(a_reference_is_not_a_value)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagBody | GX_PROW_EXTERN, "ref", 3), 0);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagBody, "none"), "none");
	ck_assert_ptr_null(gx_proplist_get(&l, PidTagBody));
	ck_assert_ptr_nonnull(gx_proplist_get(&l, PidTagBody | GX_PROW_EXTERN));
	struct gx_proplist copy;
	ck_assert_int_eq(gx_proplist_copy(a, &l, &copy), 0);
	ck_assert_uint_eq(copy.v[0].v.bin.len, 3);
	gx_proplist_remove(&l, PidTagBody);
	ck_assert_uint_eq(l.count, 0);
}
END_TEST

START_TEST(list_out_of_memory)
{
	struct rnd r = {.s = 4, .a = a};
	struct gx_proplist l = rnd_proplist(&r, 40), copy;
	while (l.count < 10)
		l = rnd_proplist(&r, 40);
	int err = GX_E_NOMEM;
	for (size_t limit = 1; err != 0 && limit < 100000; limit += 37) {
		struct gx_arena *small = gx_arena_new(limit);
		err = gx_proplist_copy(small, &l, &copy);
		ck_assert(err == 0 || err == GX_E_NOMEM);
		gx_arena_free(small);
	}
	ck_assert_int_eq(err, 0);
}
END_TEST

static Suite *prop_suite(void)
{
	Suite *s = suite_create("prop");
	TCase *t = tcase_create("prop");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, types);
	tcase_add_test(t, names_both_ways);
	tcase_add_test(t, copies_are_deep_and_equal);
	tcase_add_test(t, order_is_total);
	tcase_add_test(t, order_of_particular_values);
	tcase_add_test(t, print);
	tcase_add_test(t, list_get_set_remove);
	tcase_add_test(t, a_reference_is_not_a_value);
	tcase_add_test(t, list_out_of_memory);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(prop_suite)
