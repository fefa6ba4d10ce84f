/* SPDX-License-Identifier: Apache-2.0 */
/* Dialog templates: bytes by hand, random ones there and back, and what is none. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/abkt.h>
#include <gx/charset.h>

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

/* A page "A&b" and an edit control of PidTagAccount. */
static const char bytes[] =
	"\1\0\0\0" "\2\0\0\0"
	"\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\x8\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\x50\0\0\0"
	"\x0c\0\0\0" "\x64\0\0\0" "\7\0\0\0" "\x0a\0\0\0" "\1\0\0\0" "\6\0\0\0" "\x1e\0\0\x3a" "\x40\0\0\0" "\x54\0\0\0"
	"A&b\0" "*";

START_TEST(by_hand)
{
	struct gx_abkt t;
	struct gx_bin out;
	ck_assert_int_eq(gx_abkt_read(a, bytes, sizeof(bytes), 1252, &t), 0);
	ck_assert_uint_eq(t.version, 1);
	ck_assert_uint_eq(t.count, 2);
	ck_assert_uint_eq(t.v[0].type, GX_DTCT_PAGE);
	ck_assert_str_eq(t.v[0].text, "A&b");
	ck_assert_uint_eq(t.v[1].x, 12);
	ck_assert_uint_eq(t.v[1].dy, 10);
	ck_assert_uint_eq(t.v[1].tag, 0x3a00001e);
	ck_assert_uint_eq(t.v[1].size, 64);
	ck_assert_str_eq(t.v[1].text, "*");
	ck_assert_int_eq(gx_abkt_write(a, &t, 1252, false, &out), 0);
	ck_assert_uint_eq(out.len, sizeof(bytes));
	ck_assert_mem_eq(out.data, bytes, sizeof(bytes));
	for (size_t n = 0; n < sizeof(bytes); ++n)
		ck_assert_int_ne(gx_abkt_read(a, gx_arena_memdup(a, bytes, n), n, 1252, &t), 0);
}
END_TEST

static uint32_t seed;

static uint32_t some(uint32_t below)
{
	seed = seed * 1664525U + 1013904223U;
	return (uint32_t)((uint64_t)(seed >> 4) * below >> 28);
}

START_TEST(there_and_back)
{
	static const char *const texts[] = {"*", "", "General", "N\xc3\xa4me:", ("&\xc3\x9c" "ber"), "[0-9]"};
	static const uint32_t pages[] = {1200, 1252, 65001};
	struct gx_abkt_control v[20];
	for (unsigned round = 0; round < 300; ++round) {
		struct gx_abkt t = {1 + some(2), v, some(20)}, back;
		struct gx_bin b;
		uint32_t cp = pages[some(3)];
		for (uint32_t i = 0; i < t.count; ++i)
			v[i] = (struct gx_abkt_control){some(300), some(300), some(300), some(300), some(13), some(128),
				t.version == 2 ? some(99) : 0, some(UINT32_MAX), some(99), texts[some(6)]};
		ck_assert_int_eq(gx_abkt_write(a, &t, cp, some(2) == 0, &b), 0);
		ck_assert_int_eq(gx_abkt_read(a, b.data, b.len, cp, &back), 0);
		ck_assert_uint_eq(back.version, t.version);
		ck_assert_uint_eq(back.count, t.count);
		for (uint32_t i = 0; i < t.count; ++i) {
			ck_assert_str_eq(back.v[i].text, v[i].text);
			ck_assert_mem_eq(&back.v[i], &v[i], 9 * sizeof(uint32_t)); /* all the numbers */
		}
		((uint8_t *)b.data)[some((uint32_t)b.len)] ^= (uint8_t)(1U << some(8));
		(void)!gx_abkt_read(a, b.data, b.len, cp, &back);
	}
}
END_TEST

START_TEST(found_out)
{
	static const struct gx_abkt_control v[] = {{.type = GX_DTCT_PAGE, .text = "General"}, {.type = GX_DTCT_EDIT, .text = "*"}};
	static const struct gx_abkt_control stars[] = {{.text = "*"}, {.text = "*"}};
	const struct gx_abkt t = {1, v, 2}, s = {1, stars, 2};
	struct gx_abkt back;
	struct gx_bin b;
	for (uint32_t cp = 1200; cp <= 1252; cp += 52) {
		ck_assert_int_eq(gx_abkt_write(a, &t, cp, false, &b), 0);
		ck_assert_int_eq(gx_abkt_read(a, b.data, b.len, 0, &back), 0);
		ck_assert_str_eq(back.v[0].text, "General");
		ck_assert_str_eq(back.v[1].text, "*");
		ck_assert_int_eq(gx_abkt_write(a, &s, cp, false, &b), 0);
		ck_assert_int_eq(gx_abkt_read(a, b.data, b.len, 0, &back), 0);
		ck_assert_str_eq(back.v[1].text, "*");
	}
}
END_TEST

START_TEST(what_is_none)
{
	struct gx_abkt t = {3, NULL, 0};
	struct gx_bin b;
	ck_assert_int_eq(gx_abkt_write(a, &t, 1252, false, &b), GX_E_UNSUP);
	ck_assert_int_eq(gx_abkt_read(a, "\3\0\0\0\0\0\0\0", 8, 0, &t), GX_E_UNSUP);
	ck_assert_int_eq(gx_abkt_read(a, "\1\0\0\0\xff\xff\xff\xff", 8, 0, &t), GX_E_LIMIT);
	ck_assert_int_eq(gx_abkt_read(a, "\1\0\0\0\1\0\0\0", 8, 0, &t), GX_E_TRUNC);
	ck_assert_int_eq(gx_abkt_read(a, "\1\0\0\0\0\0\0\0", 8, 0, &t), 0);
	uint32_t n;
	ck_assert_int_eq(gx_dtct_by_name("tabpage", &n), 0);
	ck_assert_str_eq(gx_dtct_name(n), "tabpage");
	ck_assert_ptr_null(gx_dtct_name(10));
	ck_assert_int_eq(gx_dtct_by_name("", &n), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_dt_flag_by_name("editable", &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_ptr_null(gx_dt_flag_name(3));
}
END_TEST

static Suite *abkt_suite(void)
{
	Suite *s = suite_create("abkt");
	TCase *t = tcase_create("abkt");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, by_hand);
	tcase_add_test(t, there_and_back);
	tcase_add_test(t, found_out);
	tcase_add_test(t, what_is_none);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(abkt_suite)
