/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in header fields: encoded words, parameters, addresses, dates. */
#include <config.h>
#include "tests/gxtest.h"
#include <stdio.h>
#include <gx/charset.h>
#include <gx/mime.h>

static struct gx_arena *arena;

static void setup(void)
{
	arena = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(arena);
}

static const char *decode(const char *s, uint32_t cp)
{
	char *exact = gxtest_exact(s, strlen(s) + 1), *out = NULL;
	ck_assert_int_eq(gx_mime_decode_text(arena, exact, cp, &out), 0);
	free(exact);
	return out;
}

START_TEST(encoded_words_are_decoded)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"plain", "plain"},
		{"", ""},
		{"=?utf-8?Q?caf=C3=A9?=", "caf\u00e9"},
		{"=?UTF-8?B?Y2Fmw6k=?=", "caf\u00e9"},
		{"=?iso-8859-1?q?a_b=E9?= c", "a b\u00e9 c"},
		{"a =?utf-8?Q?b?= =?utf-8?Q?c?= d", "a bc d"},
		{"=?utf-8?Q?b?=\t =?iso-8859-1?Q?=E9?=", "b\u00e9"},
		{"=?utf-8?Q?b?= x =?utf-8?Q?c?=", "b x c"},
		{"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "\u00e9"},            /* a character cut in two */
		{"=?utf-8?B?w6k=?= =?utf-8?B?w6k=?=", "\u00e9\u00e9"},
		{"=?utf-8?Q?what?" "?=", "what?"},
		{"=?utf-8?Q?" "?=", ""},
		{"=?utf-8*en?Q?x?=", "x"},
		{"x=?utf-8?Q?y?=z", "xyz"},
		{"=?utf-8?Q?with space?=", "with space"},
		{"=?utf-8?Q?unfinished", "=?utf-8?Q?unfinished"},
		{"=?utf-8?X?what?=", "=?utf-8?X?what?="},
		{"=?=?=?=?=?", "=?=?=?=?=?"},
		{"=??Q?x?=", "=??Q?x?="},
		{"=?utf-8?Q?a=0D=0ABcc:_x?=", "a  Bcc: x"},
		{"=?utf-8?Q?=4?=", "=4"},
		{"=?unknown-8bit?Q?=C3=A9?=", "\u00e9"},
		{"=?gb2312?B?xOO6ww==?=", "\u4f60\u597d"},
		{"=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=", "\u30c6\u30b9\u30c8"},
		{"raw \xc3\xa9", "raw \u00e9"},
		{"raw \xe9", "raw \u00e9"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i)
		ck_assert_str_eq(decode(t[i].in, 0), t[i].out);
	ck_assert_str_eq(decode("\xd4\xc5\xd3\xd4", gx_cp_from_charset("koi8-r")), "\u0442\u0435\u0441\u0442");
}
END_TEST

START_TEST(hostile_words_take_linear_time)
{
	static char big[1 << 20];
	for (size_t i = 0; i < sizeof(big) - 1; ++i)
		big[i] = "=?utf-8?Q?"[i % 10];
	ck_assert_uint_ge(strlen(decode(big, 0)), sizeof(big) / 2);
	for (size_t i = 0; i < sizeof(big) - 1; ++i)
		big[i] = "=?utf-8?Q?x"[i % 11];
	ck_assert_uint_ge(strlen(decode(big, 0)), sizeof(big) / 2);
	for (size_t i = 0; i < sizeof(big) - 1; ++i)
		big[i] = "=?"[i % 2];
	ck_assert_uint_eq(strlen(decode(big, 0)), sizeof(big) - 1);
}
END_TEST

/* Line ends and what a first empty line leaves taken out, as a reader does. */
static char *unfold(const char *s)
{
	s += strncmp(s, "\r\n ", 3) == 0 ? 3 : 0;
	char *out = gx_arena_alloc(arena, strlen(s) + 1), *o = out;
	for (; *s != '\0'; ++s)
		if (*s != '\r' && *s != '\n')
			*o++ = *s;
	*o = '\0';
	return out;
}

static void check_lines(const char *s, size_t column)
{
	for (size_t n; *s != '\0'; s += n) {
		n = strcspn(s, "\n");
		ck_assert_uint_le(column + n, 76 + 1);
		column = 0;
		for (size_t i = 0; i < n; ++i)
			ck_assert(s[i] == '\r' || ((unsigned char)s[i] >= ' ' && (unsigned char)s[i] < 0x7f));
		if (s[n] != '\n')
			break;
		ck_assert(n >= 1 && s[n - 1] == '\r' && s[n + 1] == ' ');
		++n;
	}
}

START_TEST(text_survives_encoding)
{
	static const char *const t[] = {
		"", "plain", "a  b   c", " leading", "trailing ", "caf\u00e9", "one caf\u00e9 two", "=?utf-8?Q?x?=",
		"x =? y", "tab\there", "line\r\nBcc: evil", "\u4f60\u597d\u4e16\u754c\u4f60\u597d\u4e16\u754c\u4f60\u597d",
		"a rather long subject that has to be folded because it does not fit into one line of a header at all",
		"ein ziemlich langer Betreff mit Umlauten wie \u00e4\u00f6\u00fc, der auf mehrere Zeilen verteilt werden mu\u00df, \u00e4h",
		"\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600\U0001F600 x",
		"\u00e9 \u00e9  \u00e9", "x  \u00e9  y",
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		for (size_t column = 0; column < 76; column += 9) {
			struct gx_strbuf b = GX_STRBUF_INIT;
			gx_mime_encode_text(&b, t[i], column);
			const char *s = gx_strbuf_cstr(&b);
			check_lines(s, column);
			const char *want = i == 10 ? "line  Bcc: evil" : t[i];
			ck_assert_msg(strcmp(decode(unfold(s), 0), want) == 0, "column %zu: %s", column, s);
			gx_strbuf_release(&b);
		}
	}
}
END_TEST

START_TEST(endless_words_are_encoded)
{
	static char big[5000];
	memset(big, 'x', sizeof(big) - 1);
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_mime_encode_text(&b, big, 9);
	check_lines(gx_strbuf_cstr(&b), 9);
	ck_assert_str_eq(decode(unfold(gx_strbuf_cstr(&b)), 0), big);
	gx_strbuf_release(&b);
}
END_TEST

static const struct gx_mime_part *with_type(const char *params)
{
	char *msg = gx_arena_printf(arena, "Content-Type: a/b%s\r\n\r\n", params);
	struct gx_mime_part *root = NULL;
	ck_assert_int_eq(gx_mime_parse(arena, NULL, msg, strlen(msg), &root), 0);
	return root;
}

START_TEST(parameters_are_decoded)
{
	static const struct {
		const char *in, *name;
	} t[] = {
		{"; name=x", "x"}, {";name=\"x y\"", "x y"}, {"; NAME = \"x\"", "x"}, {"; name=\"a\\\"b\"", "a\"b"},
		{"; name*=utf-8''%c3%a9", "\u00e9"}, {"; name*=iso-8859-1'fr'%E9", "\u00e9"},
		{"; name*0=ab; name*1=cd", "abcd"}, {"; name*1=cd; name*0=ab", "abcd"}, {"; name*1=ab; name*2=cd", "abcd"},
		{"; name*0*=utf-8''%c3; name*1*=%a9; name*2=\"%41\"", "\u00e9%41"},
		{"; name*0=a; name*2=c", "a"}, {"; name=plain; name*=utf-8''better", "better"},
		{"; name==?utf-8?Q?=C3=A9?=", "\u00e9"}, {"; name=\"=?utf-8?B?w6k=?=\"", "\u00e9"},
		{"; name=bare words.txt; x=y", "bare words.txt"}, {"; name=one x=y", "one"},
		{"; name=x (comment)", "x"}, {" (c) ; (c) name (c) = (c) x", "x"}, {"; name=\"unfinished", "unfinished"},
		{";;; ; name=x;;", "x"}, {"; name*=%41%zz", "A%zz"}, {"; name*=bad'%41", "bad'A"}, {"; name=", ""},
		{"; name", NULL}, {"; =x", NULL}, {"; name*99999999999=x", NULL}, {" name=x", "x"},
		{"; name=\"\xe9\"", "\u00e9"}, {"; name=x; name=y", "x"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		const char *v = gx_mime_param(with_type(t[i].in)->params, "Name");
		if (t[i].name == NULL)
			ck_assert_msg(v == NULL, "%s: %s", t[i].in, v == NULL ? "" : v);
		else
			ck_assert_msg(v != NULL && strcmp(v, t[i].name) == 0, "%s: %s", t[i].in, v == NULL ? "NULL" : v);
	}
}
END_TEST

START_TEST(many_parameters_are_bounded)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (int i = 0; i < 20000; ++i)
		gx_strbuf_printf(&b, "; name*%d=\"%d\"", 20000 - i, i);
	unsigned n = 0;
	for (const struct gx_mime_param *m = with_type(gx_strbuf_cstr(&b))->params; m != NULL; m = m->next)
		++n;
	ck_assert_uint_le(n, 256);
	ck_assert_uint_ge(n, 1);
	gx_strbuf_release(&b);
}
END_TEST

static const char *addrs(const char *s)
{
	char *exact = gxtest_exact(s, strlen(s) + 1);
	struct gx_mime_addr *l = NULL;
	struct gx_strbuf b = GX_STRBUF_INIT;
	ck_assert_int_eq(gx_mime_addrs(arena, exact, &l), 0);
	free(exact);
	for (; l != NULL; l = l->next)
		gx_strbuf_printf(&b, "[%s|%s|%s]", l->name == NULL ? "-" : l->name, l->local == NULL ? "-" : l->local,
			l->domain == NULL ? "-" : l->domain);
	char *out = gx_arena_strdup(arena, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return out;
}

START_TEST(addresses_are_read)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{"", ""}, {" , ,;", ""}, {"a@b", "[-|a|b]"}, {"<a@b>", "[-|a|b]"}, {"A B <a@b>", "[A B|a|b]"},
		{"\"B, A\" <a@b>", "[B, A|a|b]"}, {"\"q \\\"x\\\"\" <a@b>", "[q \"x\"|a|b]"},
		{"a@b, c@d", "[-|a|b][-|c|d]"}, {"a@b; c@d", "[-|a|b][-|c|d]"}, {"a@b (Name)", "[Name|a|b]"},
		{"(c) A (d) <a@b> (e)", "[A|a|b]"}, {"<@x,@y:a@b>", "[-|a|b]"}, {"\"a b\"@c", "[-|a b|c]"},
		{"<\"a@b\"@c>", "[-|a@b|c]"}, {"<a@b@c>", "[-|a@b|c]"}, {"g: a@b, c@d;", "[-|g|-][-|a|b][-|c|d][-|-|-]"},
		{"undisclosed-recipients:;", "[-|undisclosed-recipients|-][-|-|-]"},
		{"g: a@b;, c@d", "[-|g|-][-|a|b][-|-|-][-|c|d]"}, {"g: a@b", "[-|g|-][-|a|b][-|-|-]"},
		{"root", "[-|root|]"}, {"John Doe", "[John Doe||]"}, {"<>", "[-||]"}, {"John <>", "[John||]"},
		{"<a@b", "[-|a|b]"}, {"<a@b, c@d", "[-|a|b][-|c|d]"}, {"a@b>", "[-|a|b>]"}, {"<<a@b>>", "[-|a|b]"},
		{"a@b <c@d>", "[a@b|c|d]"}, {"John a@b", "[John|a|b]"}, {"a@b John", "[John|a|b]"},
		{"=?utf-8?Q?Doe,_J?= <a@b>", "[=?utf-8?Q?Doe,_J?=|a|b]"}, {"a@[1.2.3.4]", "[-|a|[1.2.3.4]]"},
		{"a@[IPv6:::1]", "[-|a|[IPv6:::1]]"}, {"a @ b", "[-|a|b]"}, {"a@b . c", "[-|a|b.c]"},
		{"< a @ b . c >", "[-|a|b.c]"}, {"\"unfinished <a@b>", "[unfinished|a|b]"},
		{"A (b <c@d>", "[A (b|c|d]"}, {"A (b (c) <d@e>", "[A (b|d|e]"}, {"\"a\\\" <c@d>", "[a\\|c|d]"}, {"@b", "[-||b]"}, {"a@", "[-|a|]"},
		{"(only a comment)", ""}, {"\xc3\xa9 <\xc3\xa9@\xc3\xa9>", "[\u00e9|\u00e9|\u00e9]"}, {"A\tB  C <a@b>", "[A B C|a|b]"},
		{"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "[Pete|pete|silly.test]"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i)
		ck_assert_msg(strcmp(addrs(t[i].in), t[i].out) == 0, "%s: want %s got %s", t[i].in, t[i].out, addrs(t[i].in));
}
END_TEST

START_TEST(hostile_address_lists_end)
{
	static const char *const units[] = {"(", "<", "<@", "\"", "=?", "=?b", "@", ":", "a:;", ",a", "()", "<>,", "(a)", "\\", "g:a,"};
	static char big[300000];
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); ++u) {
		size_t n = strlen(units[u]);
		for (size_t i = 0; i < sizeof(big) - 1; ++i)
			big[i] = units[u][i % n];
		(void)addrs(big);
	}
}
END_TEST

START_TEST(dates_are_read)
{
	static const struct {
		const char *in;
		int64_t sec;
		int offset;
	} t[] = {
		{"Sun, 22 Nov 2026 17:10:32 +0000", 1795367432, 0}, {"22 Nov 2026 18:10:32 +0100", 1795367432, 60},
		{"Sun, 22 Nov 2026 12:10:32 EST", 1795367432, -300}, {"Thu, 1 Jan 1970 00:00:00 GMT", 0, 0},
		{"Thu, 01 Jan 70 00:00 Z", 0, 0}, {"1 Jan 1970 00:00:00 -0130 (comment)", 5400, -90},
		{"Thu Jan  1 00:00:10 1970", 10, 0}, {"Thu Jan  1 00:00:10 UTC 1970", 10, 0},
		{"1970-01-01T00:00:05Z", 5, 0}, {"1970-01-01 01:00:05.123 +01:00", 5, 60},
		{"Thu, 1 Jan 1970 01:00:00 PM", 46800, 0}, {"Thu, 1 Jan 1970 12:00:00 am +0000", 0, 0},
		{"(c) Thu (c) , 1 (c) Jan 1970 00 : 00 : 00 +0000", 0, 0}, {"1-Jan-1970 00:00:00 +0000", 0, 0},
		{"29 Feb 2000 00:00:00 +0000", 951782400, 0}, {"1 Mar 2000 00:00:00 +0000", 951868800, 0},
		{"31 Dec 1969 23:59:59 +0000", -1, 0}, {"1 Jan 1900 00:00:00 +0000", -2208988800, 0},
		{"1 Jan 105 00:00:00 +0000", 1104537600, 0}, {"1 Jan 05 00:00:00 +0000", 1104537600, 0},
		{"Thu, 1 January 1970 00:00:00 GMT+0100", -3600, 60}, {"1 Jan 1970 00:00:00 +9999", 0, 0},
		{"Thu, 1 Jan 1970", 0, 0}, {"01 Jan 1970 00.00.07 +0000", 7, 0},
	};
	static const char *const bad[] = {"", "yesterday", "32 Jan 2000 00:00:00", "1 Foo 2000 00:00:00", "1 Jan 2000 25:00:00",
		"1 Jan 2000 00:60:00", "1 Jan 99999 00:00:00", "Jan 2000", "0 Jan 2000", "2000-13-01", "::::", "-----", "((((("};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		int64_t sec = -7;
		int off = -7;
		int r = gx_mime_date(t[i].in, &sec, &off);
		ck_assert_msg(r == 0 && sec == t[i].sec && off == t[i].offset, "%s: %d %lld %d", t[i].in, r, (long long)sec, off);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		int64_t sec;
		int off;
		ck_assert_msg(gx_mime_date(bad[i], &sec, &off) == GX_E_FORMAT, "%s", bad[i]);
	}
}
END_TEST

START_TEST(dates_survive_printing)
{
	char out[40];
	gx_mime_date_print(1795367432, 0, out);
	ck_assert_str_eq(out, "Sun, 22 Nov 2026 17:10:32 +0000");
	gx_mime_date_print(0, -90, out);
	ck_assert_str_eq(out, "Wed, 31 Dec 1969 22:30:00 -0130");
	gx_mime_date_print(INT64_MAX, 100000, out);
	ck_assert_str_eq(out, "Fri, 31 Dec 9999 23:59:59 +0000");
	gx_mime_date_print(INT64_MIN, 0, out);
	ck_assert_str_eq(out, "Mon, 1 Jan 1601 00:00:00 +0000");
	for (int64_t t = 0; t < INT64_C(200000000000); t += 86399 * 1237) {
		int64_t back;
		int off, want = (int)(t % 1440) - 720;
		gx_mime_date_print(t, want, out);
		ck_assert_int_eq(gx_mime_date(out, &back, &off), 0);
		ck_assert_int_eq(back, t);
		ck_assert_int_eq(off, want);
	}
}
END_TEST

static Suite *mime_text_suite(void)
{
	Suite *s = suite_create("mime_text");
	TCase *t = tcase_create("text");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, encoded_words_are_decoded);
	tcase_add_test(t, hostile_words_take_linear_time);
	tcase_add_test(t, text_survives_encoding);
	tcase_add_test(t, endless_words_are_encoded);
	tcase_add_test(t, parameters_are_decoded);
	tcase_add_test(t, many_parameters_are_bounded);
	tcase_add_test(t, addresses_are_read);
	tcase_add_test(t, hostile_address_lists_end);
	tcase_add_test(t, dates_are_read);
	tcase_add_test(t, dates_survive_printing);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mime_text_suite)
