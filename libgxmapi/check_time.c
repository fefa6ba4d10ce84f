/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/time.h>

static const struct {
	int64_t sec;
	uint32_t nsec;
	gx_nttime_t nt;
	const char *text;
} times[] = {
	{0, 0, GX_NTTIME_UNIX_EPOCH, "1970-01-01T00:00:00.000Z"},
	{-INT64_C(11644473600), 0, 0, "1601-01-01T00:00:00.000Z"},
	{-1, 999999900, GX_NTTIME_UNIX_EPOCH - 1, "1969-12-31T23:59:59.999Z"},
	{1795367432, 123000000, UINT64_C(134398410321230000), "2026-11-22T17:10:32.123Z"},
	{951782400, 0, UINT64_C(125962560000000000), "2000-02-29T00:00:00.000Z"},
};

START_TEST(both_ways_and_printed)
{
	uint32_t nsec;
	char text[32];
	ck_assert_uint_eq(gx_nttime_from_unix(times[_i].sec, times[_i].nsec), times[_i].nt);
	ck_assert_int_eq(gx_nttime_to_unix(times[_i].nt, &nsec), times[_i].sec);
	ck_assert_uint_eq(nsec, times[_i].nsec);
	gx_nttime_print(times[_i].nt, text);
	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

START_TEST(ends_of_the_range)
{
	char text[32];
	ck_assert_uint_eq(gx_nttime_from_unix(INT64_MIN, 0), 0);
	ck_assert_uint_eq(gx_nttime_from_unix(-INT64_C(11644473601), 0), 0);
	ck_assert_uint_eq(gx_nttime_from_unix(INT64_MAX, 0), UINT64_MAX);
	ck_assert_uint_eq(gx_nttime_from_unix(INT64_C(1833029933770), 955161500), UINT64_MAX);
	ck_assert_uint_eq(gx_nttime_from_unix(INT64_C(1833029933770), 955161700), UINT64_MAX);
	ck_assert_int_eq(gx_nttime_to_unix(UINT64_MAX, NULL), INT64_C(1833029933770));
	gx_nttime_print(UINT64_MAX, text);
	ck_assert_str_eq(text, "60056-05-28T05:36:10.955Z");
}
END_TEST

static int64_t moved(void *ctx)
{
	return *(int64_t *)ctx;
}

START_TEST(clocks)
{
	int64_t now = -1;
	struct gx_clock c = {moved, moved, &now};
	ck_assert_int_eq(gx_clock_unix(&c), -1);
	ck_assert_uint_eq(gx_clock_nttime(&c), GX_NTTIME_UNIX_EPOCH - 1);
	now = INT64_C(1500000000123456789);
	ck_assert_int_eq(gx_clock_unix(&c), 1500000000);
	ck_assert_uint_eq(gx_clock_nttime(&c), GX_NTTIME_UNIX_EPOCH + UINT64_C(15000000001234567));
	ck_assert_int_eq(gx_clock_mono_ms(&c), INT64_C(1500000000123));
	int64_t before = gx_clock_mono_ms(gx_clock_system());
	ck_assert_int_ge(gx_clock_mono_ms(gx_clock_system()), before);
	ck_assert_int_gt(gx_clock_unix(gx_clock_system()), 1600000000);
}
END_TEST

static Suite *time_suite(void)
{
	Suite *s = suite_create("time");
	TCase *t = tcase_create("time");
	tcase_add_loop_test(t, both_ways_and_printed, 0, (int)(sizeof(times) / sizeof(times[0])));
	tcase_add_test(t, ends_of_the_range);
	tcase_add_test(t, clocks);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(time_suite)
