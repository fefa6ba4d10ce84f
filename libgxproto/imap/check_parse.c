/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/charset.h>
#include "libgxproto/imap/parse.h"

static struct gx_arena *arena;

static void setup(void)
{
	arena = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(arena);
}

static struct imap_parse parser(const char *text)
{
	struct imap_parse c;
	gx_imap__parse_init(&c, text, strlen(text), arena);
	return c;
}

START_TEST(strings)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} t[] = {
		{"abc", "abc"}, {"a.b-c]", "a.b-c]"}, {"\"\"", ""}, {"\"a b\"", "a b"}, {"\"a\\\"b\\\\\"", "a\"b\\"},
		{"{3}\r\na b", "a b"}, {"{3+}\r\nabc", "abc"}, {"{0}\r\n", ""}, {"\"abc", NULL}, {"\"a\\\"", NULL}, {"\"a\\\n\"", NULL}, {"\"a\\\r\"", NULL},
		{"{4}\r\nabc", NULL}, {"{}\r\n", NULL}, {"{99999999999}\r\n", NULL}, {"{3\r\nabc", NULL}, {"(", NULL}, {"", NULL},
		{"\"a\rb\"", NULL}, {"%", NULL},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); ++i) {
		char *in = gxtest_exact(t[i].in, strlen(t[i].in));
		struct imap_parse c;
		struct imap_str s;
		gx_imap__parse_init(&c, in, strlen(t[i].in), arena);
		bool ok = gx_imap__astring(&c, &s);
		ck_assert_msg(ok == (t[i].out != NULL), "%s", t[i].in);
		if (ok)
			ck_assert_str_eq(s.s, t[i].out);
		else
			ck_assert_ptr_nonnull(c.err);
		free(in);
	}
}
END_TEST

START_TEST(nul_in_literal_is_refused)
{
	char in[] = "{3}\r\na\0b";
	struct imap_parse c;
	struct imap_str s;
	gx_imap__parse_init(&c, in, sizeof(in) - 1, arena);
	ck_assert(!gx_imap__astring(&c, &s));
}
END_TEST

START_TEST(numbers)
{
	uint64_t n;
	struct imap_parse c = parser("4294967295 4294967296");
	ck_assert(gx_imap__number(&c, UINT32_MAX, &n));
	ck_assert_uint_eq(n, UINT32_MAX);
	ck_assert(gx_imap__sp(&c));
	ck_assert(!gx_imap__number(&c, UINT32_MAX, &n));
	c = parser("18446744073709551615");
	ck_assert(gx_imap__number(&c, UINT64_MAX, &n));
	ck_assert_uint_eq(n, UINT64_MAX);
	c = parser("18446744073709551616");
	ck_assert(!gx_imap__number(&c, UINT64_MAX, &n));
	c = parser("x");
	ck_assert(!gx_imap__number(&c, 9, &n));
}
END_TEST

START_TEST(words)
{
	struct imap_parse c = parser("FLAGS.SILENT (x");
	ck_assert(!gx_imap__accept_word(&c, "FLAGS"));
	ck_assert(gx_imap__accept_word(&c, "flags.silent"));
	ck_assert(gx_imap__sp(&c));
	ck_assert(gx_imap__expect(&c, '('));
	ck_assert(gx_imap__accept_word(&c, "X"));
	ck_assert(!gx_imap__expect(&c, ')'));
	ck_assert_ptr_nonnull(c.err);
}
END_TEST

START_TEST(sets)
{
	struct imap_set s;
	struct imap_parse c = parser("5,1:3,*:7,2,10:8");
	ck_assert(gx_imap__set(&c, &s));
	ck_assert_uint_eq(s.n, 5);
	ck_assert_uint_eq(s.v[2].lo, UINT32_MAX);
	s.v[2].lo = 9;
	gx_imap__ranges_normalize(s.v, &s.n);
	ck_assert_uint_eq(s.n, 3); /* 1-3 5 7-10 */
	ck_assert_uint_eq(s.v[0].hi, 3);
	ck_assert_uint_eq(s.v[1].lo, 5);
	ck_assert_uint_eq(s.v[2].lo, 7);
	ck_assert_uint_eq(s.v[2].hi, 10);
	ck_assert(gx_imap__ranges_has(s.v, s.n, 9));
	ck_assert(!gx_imap__ranges_has(s.v, s.n, 6));
	ck_assert(!gx_imap__ranges_has(s.v, s.n, 11));
	static const char *const bad[] = {"", "0", "1:", ":1", "1,", "a", "1::2", "4294967296", "1:*:2x,"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
		c = parser(bad[i]);
		ck_assert_msg(!gx_imap__set(&c, &s) || !gx_imap__end(&c), "%s", bad[i]);
	}
	c = parser("$");
	ck_assert(gx_imap__set(&c, &s));
	ck_assert(s.saved);
}
END_TEST

START_TEST(endless_sets_are_refused)
{
	size_t n = 0, cap = IMAP_MAX_RANGES * 2 + 10;
	char *text = malloc(cap);
	while (n + 2 < cap) {
		text[n++] = '1';
		text[n++] = ',';
	}
	text[n++] = '1';
	struct imap_set s;
	struct imap_parse c;
	gx_imap__parse_init(&c, text, n, arena);
	ck_assert(!gx_imap__set(&c, &s));
	free(text);
}
END_TEST

START_TEST(flags)
{
	struct imap_flags f;
	struct imap_parse c = parser("(\\seen $Forwarded foo \\DELETED Bar)");
	ck_assert(gx_imap__flags(&c, false, &f));
	ck_assert_uint_eq(f.flags, GX_MSGF_READ | GX_MSGF_FORWARDED | GX_MSGF_DELETED);
	ck_assert_str_eq(f.keywords[0], "foo");
	ck_assert_str_eq(f.keywords[1], "Bar");
	ck_assert_ptr_null(f.keywords[2]);
	c = parser("()");
	ck_assert(gx_imap__flags(&c, false, &f));
	ck_assert_uint_eq(f.flags, 0);
	c = parser("\\Seen \\Flagged");
	ck_assert(gx_imap__flags(&c, true, &f));
	static const char *const bad[] = {"(\\Recent)", "(\\foo)", "(\\Seen", "(a,)b", "( \\Seen )", "(\xff)", "\\", "(\"x\")"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
		c = parser(bad[i]);
		ck_assert_msg(!gx_imap__flags(&c, false, &f) || !gx_imap__end(&c), "%s", bad[i]);
	}
}
END_TEST

START_TEST(dates)
{
	int64_t t;
	char out[28];
	struct imap_parse c = parser("1-Jan-1970");
	ck_assert(gx_imap__date(&c, &t));
	ck_assert_int_eq(t, 0);
	c = parser("\"29-feb-2024\"");
	ck_assert(gx_imap__date(&c, &t));
	ck_assert_int_eq(t, 19782);
	c = parser("\" 7-Feb-1994 21:52:25 -0800\"");
	ck_assert(gx_imap__date_time(&c, &t));
	ck_assert_int_eq(t, 760686745);
	gx_imap__date_time_print(t, out);
	ck_assert_str_eq(out, " 8-Feb-1994 05:52:25 +0000");
	gx_imap__date_time_print(-1, out);
	ck_assert_str_eq(out, "31-Dec-1969 23:59:59 +0000");
	gx_imap__date_time_print(INT64_C(253402300800), out);
	ck_assert_str_eq(out, " 1-Jan-1970 00:00:00 +0000");
	static const char *const bad[] = {"29-Feb-2023", "0-Jan-2000", "32-Jan-2000", "1-Foo-2000", "1-Jan-99999", "1 Jan 2000", "\"1-Jan-2000", ""};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
		c = parser(bad[i]);
		ck_assert_msg(!gx_imap__date(&c, &t), "%s", bad[i]);
	}
	static const char *const bad_times[] = {"\"7-Feb-1994 24:00:00 +0000\"", "\"7-Feb-1994 1:00:00 +0000\"", "\"7-Feb-1994 01:00:00 0000\"",
		"\"7-Feb-1994 01:00:00 +000\"", "\"7-Feb-1994 01:60:00 +0000\"", "7-Feb-1994 01:00:00 +0000"};
	for (size_t i = 0; i < sizeof(bad_times) / sizeof(*bad_times); ++i) {
		c = parser(bad_times[i]);
		ck_assert_msg(!gx_imap__date_time(&c, &t), "%s", bad_times[i]);
	}
}
END_TEST

START_TEST(every_day_comes_back)
{
	for (int64_t day = -719162; day < 2932896; day += 97) {
		char text[28];
		int64_t back;
		gx_imap__date_time_print(day * 86400 + 12345, text);
		char *q = gx_arena_printf(arena, "\"%s\"", text);
		struct imap_parse c = parser(q);
		ck_assert(gx_imap__date_time(&c, &back));
		ck_assert_int_eq(back, day * 86400 + 12345);
		if (day % 31 == 0)
			gx_arena_reset(arena);
	}
}
END_TEST

START_TEST(mutf7)
{
	static const struct {
		const char *utf8, *enc;
	} t[] = {
		{"INBOX", "INBOX"}, {"Tom & Jerry", "Tom &- Jerry"}, {"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97", "~peter/mail/&U,BTFw-"},
		{"Entw\xc3\xbcrfe", "Entw&APw-rfe"}, {"\xf0\x9f\x98\x80", "&2D3eAA-"}, {"a\tb", "a&AAk-b"}, {"", ""},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); ++i) {
		char *s;
		ck_assert_int_eq(gx_imap__mutf7_encode(arena, t[i].utf8, &s), 0);
		ck_assert_str_eq(s, t[i].enc);
		ck_assert_int_eq(gx_imap__mutf7_decode(arena, t[i].enc, strlen(t[i].enc), &s), 0);
		ck_assert_str_eq(s, t[i].utf8);
	}
	static const char *const bad[] = {"&", "&A-", "&AA-", "&APw", "&AP.-", "&2D0-", "&3gA-", "&AAA-", "\xff", "&APwA-"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
		char *s;
		ck_assert_msg(gx_imap__mutf7_decode(arena, bad[i], strlen(bad[i]), &s) == GX_E_ENCODING, "%s", bad[i]);
	}
	char *s;
	ck_assert_int_eq(gx_imap__mutf7_decode(arena, "Entw\xc3\xbcrfe", 9, &s), 0);
	ck_assert_str_eq(s, "Entw\xc3\xbcrfe");
}
END_TEST

START_TEST(all_characters_survive_mutf7)
{
	for (uint32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 37) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		struct gx_strbuf b = GX_STRBUF_INIT;
		char *enc, *back;
		gx_strbuf_adds(&b, "x");
		gx_utf8_put(&b, c);
		gx_utf8_put(&b, c);
		ck_assert_int_eq(gx_imap__mutf7_encode(arena, gx_strbuf_cstr(&b), &enc), 0);
		ck_assert_int_eq(gx_imap__mutf7_decode(arena, enc, strlen(enc), &back), 0);
		ck_assert_str_eq(back, gx_strbuf_cstr(&b));
		gx_strbuf_release(&b);
		gx_arena_reset(arena);
	}
}
END_TEST

static Suite *parse_suite(void)
{
	Suite *s = suite_create("imap_parse");
	TCase *t = tcase_create("parse");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, strings);
	tcase_add_test(t, nul_in_literal_is_refused);
	tcase_add_test(t, numbers);
	tcase_add_test(t, words);
	tcase_add_test(t, sets);
	tcase_add_test(t, endless_sets_are_refused);
	tcase_add_test(t, flags);
	tcase_add_test(t, dates);
	tcase_add_test(t, every_day_comes_back);
	tcase_add_test(t, mutf7);
	tcase_add_test(t, all_characters_survive_mutf7);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(parse_suite)
