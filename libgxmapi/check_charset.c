/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/charset.h>

static const struct {
	const char *name;
	uint32_t cp;
} names[] = {
	{"utf-8", 65001}, {"UTF8", 65001}, {"us-ascii", 20127}, {"ISO-8859-1", 28591}, {"iso8859_1", 28591},
	{"latin1", 28591}, {"cp1252", 1252}, {"Windows-1252", 1252}, {"x-cp1250", 1250}, {"win-1251", 1251},
	{"x-sjis", 932}, {"Shift_JIS", 932}, {"GB2312", 936}, {"gbk", 936}, {"ks_c_5601-1987", 949},
	{"EUC-KR", 51949}, {"unicode-1-1-utf-7", 65000}, {"iso-8859-8-i", 38598}, {"iso-8859-8", 28598},
	{"iso-8859-15", 28605}, {"ISO-8859-16", 28606}, {"iso-8859-11", 874}, {"koi8-r", 20866}, {"iso-2022-jp", 50220},
	{"big5", 950}, {"gb18030", 54936}, {"hz-gb-2312", 52936}, {"utf-16", 1200}, {"UTF-16BE", 1201}, {"ibm850", 850},
	{"'utf-8'", 65001}, {"tis-620", 874}, {"macintosh", 10000}, {"x-unknown", 0}, {"unknown-8bit", 0}, {"", 0},
	{"default", 0}, {"cp99999", 0}, {"cp", 0}, {"---", 0}, {"windows-1252x", 0},
	{"a-name-that-is-far-longer-than-any-character-set-has-ever-been-given", 0}, {NULL, 0},
};

START_TEST(names_of_mail)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		ck_assert_msg(gx_cp_from_charset(names[i].name) == names[i].cp, "%s: %u", names[i].name,
			gx_cp_from_charset(names[i].name));
	ck_assert_str_eq(gx_cp_to_charset(28591), "iso-8859-1");
	ck_assert_str_eq(gx_cp_to_charset(65001), "utf-8");
	ck_assert_ptr_null(gx_cp_to_charset(4711));
	ck_assert_ptr_null(gx_cp_to_charset(0));
}
END_TEST

#define R "\xef\xbf\xbd"
#define CASE(cp, in, out, bad) {cp, in, sizeof(in) - 1, out, bad}

static const struct {
	uint32_t cp;
	const char *in;
	size_t len;
	const char *out;
	size_t bad;
} decoded[] = {
	CASE(65001, "", "", 0),
	CASE(65001, "plain", "plain", 0),
	CASE(65001, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 0),
	CASE(65001, "a\0b", "a" R "b", 1),
	CASE(65001, "a\xff" "b\xe2\x82" "c\xc0\xaf" "d\xed\xa0\x80", "a" R "b" R "c" R R "d" R R R, 7),
	CASE(65001, "\xf0\x9f\x98", R, 1),
	CASE(0, "\xc3\xbc", "\xc3\xbc", 0),
	CASE(0, "\xfc\x80", "\xc3\xbc\xe2\x82\xac", 0),
	CASE(4711, "\xfc", "\xc3\xbc", 0),
	CASE(709, "\xfc", "\xc3\xbc", 0),
	CASE(20127, "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f", 0),
	CASE(20127, "gr\xc3\xbc", "gr\xc3\xbc", 0),
	CASE(28591, "0123456789 gr\xfc\x80", "0123456789 gr\xc3\xbc\xe2\x82\xac", 0),
	CASE(1252, "12345678\x81\x99", "12345678" R "\xe2\x84\xa2", 1),
	CASE(1252, "1234567\0" "1234567\x80", "1234567" R "1234567\xe2\x82\xac", 1),
	CASE(28605, "\xa4", "\xe2\x82\xac", 0),
	CASE(20866, "\xf0\xd2\xc9\xd7\xc5\xd4", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 0),
	CASE(37, "\xc8\x85\x93\x93\x96", "Hello", 0),
	CASE(1047, "\xc8\x85\x93\x93\x96", "Hello", 0),
	CASE(1200, "a\0\xfc\0\x3d\xd8\x00\xde", "a\xc3\xbc\xf0\x9f\x98\x80", 0),
	CASE(1200, "\xfe\xff\0a", "a", 0),
	CASE(1200, "\xff\xfe" "a\0", "a", 0),
	CASE(1200, "a\0\x3d\xd8" "b\0\0\xde\0\0c", "a" R "b" R R R, 4),
	CASE(1201, "\0a\xd8\x3d\xde\x00\xd8\x3d", "a\xf0\x9f\x98\x80" R, 1),
	CASE(12000, "a\0\0\0\0\0\x11\0b\0\0\0", "a" R "b", 1),
	CASE(932, "\x93\xfa\x96\x7b\xb1", "\xe6\x97\xa5\xe6\x9c\xac\xef\xbd\xb1", 0),
	CASE(932, "\x93\xfa\xff\x41\x93", "\xe6\x97\xa5" R "A" R, 2),
	CASE(936, "\xc4\xe3\xba\xc3", "\xe4\xbd\xa0\xe5\xa5\xbd", 0),
	CASE(950, "\xa7\x41\xa6\x6e", "\xe4\xbd\xa0\xe5\xa5\xbd", 0),
	CASE(949, "\xb0\xa1", "\xea\xb0\x80", 0),
	CASE(51932, "\xc6\xfc", "\xe6\x97\xa5", 0),
	CASE(54936, "\x94\x39\xda\x33", "\xf0\x9f\x92\xa9", 0),
	CASE(50220, "\x1b$BF|\x1b(B!", "\xe6\x97\xa5!", 0),
	CASE(50225, "\x1b$)C\x0e\x30\x21\x0f", "\xea\xb0\x80", 0),
	CASE(50220, "\x1b$B-!\x1b(I1\x1b(J\\\x1b(B", "\xe2\x91\xa0\xef\xbd\xb1\\", 0),
	CASE(50221, "\x1b$@F|K\\\nA\x0e" "1\x0f" "B", "\xe6\x97\xa5\xe6\x9c\xac\nA\xef\xbd\xb1" "B", 0),
	CASE(50222, "a\x1b$BF\x1b(Bb\x1b\x1b$BF", "a" R "b" R R, 3),
	CASE(50220, "\x1b$(DF|\x1b(Bx\x81\x1b$B\xc6\xfc" "F|", R "x" R R R "\xe6\x97\xa5", 4),
	CASE(52936, "~{VPND~}!~~~\nx\n", "\xe4\xb8\xad\xe6\x96\x87!~x\n", 0),
	CASE(52936, "~{VP\nab~x\x80~{V", "\xe4\xb8\xad\nab" R "x" R R, 3),
	CASE(51932, "\xad\xa1", "\xe2\x91\xa0", 0),
	CASE(65000, "Hi +AOQ-!", "Hi \xc3\xa4!", 0),
};

START_TEST(decoding)
{
	struct gx_arena *a = gx_arena_new(0);
	char *s;
	size_t len, bad;
	char *in = gxtest_exact(decoded[_i].in, decoded[_i].len);
	ck_assert_int_eq(gx_cp_to_utf8(a, decoded[_i].cp, in, decoded[_i].len, &s, &len, &bad), 0);
	ck_assert_msg(strcmp(s, decoded[_i].out) == 0, "cp %u: %s", decoded[_i].cp, s);
	ck_assert_uint_eq(len, strlen(s));
	ck_assert_msg(bad == decoded[_i].bad, "cp %u: %zu bad", decoded[_i].cp, bad);
	free(in);
	gx_arena_free(a);
}
END_TEST

static const struct {
	uint32_t cp;
	const char *in;
	const char *lenient; /* the result, NUL stands for itself in the first len bytes */
	size_t len;
	int strict;
} encoded[] = {
	{65001, "\xc3\xbc", "\xc3\xbc", 2, 0},
	{65001, "a\xff", "a" R, 4, GX_E_ENCODING},
	{0, "\xc3\xbc", "\xc3\xbc", 2, 0},
	{20127, "a\xc3\xbc", "a?", 2, GX_E_ENCODING},
	{28591, "\xc3\xbc", "\xfc", 1, 0},
	{28591, "\xe2\x82\xac", "?", 1, GX_E_ENCODING},
	{1252, "\xe2\x82\xac", "\x80", 1, 0},
	{1252, R, "?", 1, GX_E_ENCODING},
	{20866, "\xd0\x9f", "\xf0", 1, 0},
	{37, "A\xe2\x82\xac", "\xc1\x6f", 2, GX_E_ENCODING},
	{1200, "a\xf0\x9f\x98\x80", "a\0\x3d\xd8\x00\xde", 6, 0},
	{932, "\xe6\x97\xa5", "\x93\xfa", 2, 0},
	{932, "\xf0\x9f\x98\x80x", "?x", 2, GX_E_ENCODING},
	{50220, "\xe6\x97\xa5", "\x1b$BF|\x1b(B", 8, 0},
	{709, "a", NULL, 0, GX_E_UNSUP},
	{4711, "a", NULL, 0, GX_E_UNSUP},
};

START_TEST(encoding)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin b;
	size_t n = strlen(encoded[_i].in);
	char *in = gxtest_exact(encoded[_i].in, n);
	ck_assert_int_eq(gx_cp_from_utf8(a, encoded[_i].cp, in, n, true, &b), encoded[_i].strict);
	int err = gx_cp_from_utf8(a, encoded[_i].cp, in, n, false, &b);
	if (encoded[_i].lenient == NULL) {
		ck_assert_int_eq(err, GX_E_UNSUP);
	} else {
		ck_assert_int_eq(err, 0);
		ck_assert_msg(b.len == encoded[_i].len && memcmp(b.data, encoded[_i].lenient, b.len) == 0, "case %d", _i);
	}
	free(in);
	gx_arena_free(a);
}
END_TEST

static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

/* Any bytes in any code page become valid UTF-8 without NUL, and never more than the bound. */
START_TEST(any_bytes_in_any_page)
{
	struct gx_arena *a = gx_arena_new(0);
	for (uint32_t cp = 0; cp <= 65001; ++cp) {
		if (cp != 0 && gx_cp_to_charset(cp) == NULL)
			continue;
		for (int round = 0; round < 20; ++round) {
			uint8_t data[300];
			size_t n = rnd(sizeof(data)), len;
			for (size_t i = 0; i < n; ++i)
				data[i] = rnd(3) == 0 ? (uint8_t)rnd(256) : "\x1b$B(J)CA~{+-\x0e\x0f\x81"[rnd(15)];
			uint8_t *exact = gxtest_exact(data, n);
			char *s;
			ck_assert_int_eq(gx_cp_to_utf8(a, cp, exact, n, &s, &len, NULL), 0);
			ck_assert_uint_eq(strlen(s), len);
			ck_assert(gx_utf8_valid(s, len));
			ck_assert_uint_le(len, n * 4 + 3);
			free(exact);
		}
		gx_arena_reset(a);
	}
	gx_arena_free(a);
}
END_TEST

/* All of Unicode through UTF-8 and UTF-16 and back. */
START_TEST(every_character)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_strbuf all = GX_STRBUF_INIT;
	for (uint32_t c = 1; c < 0x110000; ++c) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		size_t at = all.len;
		gx_utf8_put(&all, c);
		const char *s = all.s + at;
		ck_assert_uint_eq(gx_utf8_next(&s, all.s + all.len), c);
		ck_assert_ptr_eq(s, all.s + all.len);
	}
	ck_assert(gx_utf8_valid(all.s, all.len));
	struct gx_bin wide;
	char *back;
	ck_assert_int_eq(gx_utf8_to_utf16le(a, all.s, true, &wide), 0);
	ck_assert_uint_eq(wide.len, (0x10000 - 0x800 - 1 + 0x100000 * 2 + 1) * 2);
	ck_assert_int_eq(gx_utf16le_to_utf8(a, wide.data, wide.len - 2, &back), 0);
	ck_assert_uint_eq(strlen(back), all.len);
	ck_assert_int_eq(memcmp(back, all.s, all.len), 0);
	gx_strbuf_release(&all);
	gx_utf8_put(&all, 0xd800);
	gx_utf8_put(&all, 0x110000);
	ck_assert_str_eq(gx_strbuf_cstr(&all), R R);
	gx_strbuf_release(&all);
	gx_arena_free(a);
}
END_TEST

static bool plainly_valid(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t k = p[i] < 0x80 ? 1 : p[i] >= 0xf0 ? 4 : p[i] >= 0xe0 ? 3 : 2;
		uint32_t c = k == 1 ? p[i] : p[i] & (0xffU >> (k + 1));
		if ((p[i] & 0xc0) == 0x80 || p[i] >= 0xf8 || k > n - i)
			return false;
		for (size_t j = 1; j < k; ++j) {
			if ((p[i + j] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i + j] & 0x3f);
		}
		static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
		if (c < least[k] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		i += k;
	}
	return true;
}

START_TEST(validity)
{
	int valid = 0;
	for (int round = 0; round < 100000; ++round) {
		static const uint8_t bytes[] = {'a', 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0x9f, 0xed, 0xf0, 0x90, 0x8f, 0xf4, 0xc1, 0xf5};
		size_t n = rnd(5), pad = rnd(70);
		uint8_t *p = malloc(pad + n + 1);
		memset(p, 'x', pad);
		for (size_t i = 0; i < n; ++i)
			p[pad + i] = bytes[rnd(sizeof(bytes))];
		uint8_t *exact = gxtest_exact(p, pad + n);
		bool want = plainly_valid(exact, pad + n);
		ck_assert_int_eq(gx_utf8_valid((char *)exact, pad + n), want);
		valid += want;
		free(exact);
		free(p);
	}
	ck_assert_int_gt(valid, 10000);
	ck_assert(gx_ascii_only("", 0));
	char text[200];
	memset(text, 'x', sizeof(text));
	ck_assert(gx_ascii_only(text, sizeof(text)));
	for (size_t i = 0; i < sizeof(text); ++i) {
		text[i] = '\0';
		ck_assert(!gx_ascii_only(text, sizeof(text)));
		text[i] = '\x80';
		ck_assert(!gx_ascii_only(text, sizeof(text)));
		text[i] = 'x';
	}
}
END_TEST

START_TEST(folding)
{
	static const struct {
		uint32_t c, folded;
	} t[] = {{'A', 'a'}, {'z', 'z'}, {'@', '@'}, {0xc4, 0xe4}, {0xdf, 0xdf}, {0x1e9e, 0xdf}, {0x130, 0x130},
		{0x3a3, 0x3c3}, {0x3c2, 0x3c3}, {0x410, 0x430}, {0x212a, 'k'}, {0x17f, 's'}, {0x10400, 0x10428},
		{0x13a0, 0x13a0}, {0xab70, 0x13a0}, {0x1f88, 0x1f80}, {0x10ffff, 0x10ffff}, {UINT32_MAX, UINT32_MAX}};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i)
		ck_assert_msg(gx_utf8_fold(t[i].c) == t[i].folded, "U+%04X", t[i].c);
	for (uint32_t c = 0; c < 0x110000; ++c)
		ck_assert_uint_eq(gx_utf8_fold(gx_utf8_fold(c)), gx_utf8_fold(c));
}
END_TEST

START_TEST(comparing)
{
	ck_assert_int_eq(gx_utf8_casecmp("", ""), 0);
	ck_assert_int_eq(gx_utf8_casecmp("Stra\xc3\x9f" "e", "STRA\xc3\x9f" "E"), 0);
	ck_assert_int_eq(gx_utf8_casecmp("\xc3\x84", "\xc3\xa4"), 0);
	ck_assert_int_lt(gx_utf8_casecmp("a", "B"), 0);
	ck_assert_int_gt(gx_utf8_casecmp("ab", "A"), 0);
	ck_assert_int_lt(gx_utf8_casecmp("a", "\xc3\xa4"), 0);
	ck_assert_int_lt(gx_utf8_casecmp("\xef\xbf\xbd", "\xf0\x9f\x98\x80"), 0);
	ck_assert_int_eq(gx_ascii_casecmp("INBOX", "inbox"), 0);
	ck_assert_int_ne(gx_ascii_casecmp("\xc3\x84", "\xc3\xa4"), 0);
	ck_assert_int_lt(gx_ascii_casecmp("a", "aa"), 0);
	ck_assert_int_lt(gx_ascii_casecmp("A", "\xff"), 0);
	ck_assert_int_eq(gx_ascii_ncasecmp("INBOX/x", "inbox", 5), 0);
	ck_assert_int_gt(gx_ascii_ncasecmp("INBOX/x", "inbox", 6), 0);
}
END_TEST

static const struct {
	const char *hay, *needle;
	bool found;
} searched[] = {
	{"", "", true}, {"abc", "", true}, {"", "a", false}, {"abc", "C", true}, {"abc", "abcd", false},
	{"Die \xc3\x9c" "bung", "\xc3\xbc" "BUNG", true}, {"Die Ubung", "\xc3\xbc" "bung", false},
	{"273 \xe2\x84\xaa and more text behind it", "273 K", true}, {"Congre\xc5\xbf\xc5\xbf of many people", "congress", true},
	{"a long text of ASCII letters [and brackets]", "{AND", false}, {"a long text, its end is the NEEDLE", "the needle", true},
	{"a long text, its end is the NEEDL", "the needle", false}, {"x\xff\xfe", "\xef\xbf\xbd", true},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "AAAB", true},
};

START_TEST(searching)
{
	size_t hay_len = strlen(searched[_i].hay), n = strlen(searched[_i].needle);
	char *hay = gxtest_exact(searched[_i].hay, hay_len), *needle = gxtest_exact(searched[_i].needle, n);
	ck_assert_msg(gx_utf8_casestr(hay, hay_len, needle, n) == searched[_i].found, "%s", searched[_i].needle);
	free(hay);
	free(needle);
}
END_TEST

static bool plainly_found(const char *hay, size_t len, const char *needle, size_t n)
{
	for (size_t at = 0; at < len;) {
		const char *h = hay + at, *p = needle;
		while (p < needle + n && h < hay + len && gx_utf8_fold(gx_utf8_next(&h, hay + len)) ==
			gx_utf8_fold(gx_utf8_next(&p, needle + n)))
			if (p == needle + n)
				return true;
		h = hay + at;
		gx_utf8_next(&h, hay + len);
		at = (size_t)(h - hay);
	}
	return false;
}

START_TEST(searching_equals_the_plain_way)
{
	static const char *const letters[] = {"a", "A", "b", "k", "S", " ", "\xc3\x84", "\xc3\xa4", "\xe2\x84\xaa", "\xc5\xbf",
		"\xff", "a", "a", "a"};
	int found = 0;
	for (int round = 0; round < 20000; ++round) {
		uint32_t kinds = round % 2 == 0 ? 6 : 14;
		struct gx_strbuf hay = GX_STRBUF_INIT, needle = GX_STRBUF_INIT;
		for (uint32_t i = rnd(round % 50 == 0 ? 6000 : 90); i != 0; --i)
			gx_strbuf_adds(&hay, letters[rnd(kinds)]);
		for (uint32_t i = 1 + rnd(5); i != 0; --i)
			gx_strbuf_adds(&needle, letters[rnd(kinds)]);
		char *exact = gxtest_exact(gx_strbuf_cstr(&hay), hay.len);
		bool want = plainly_found(exact, hay.len, needle.s, needle.len);
		ck_assert_int_eq(gx_utf8_casestr(exact, hay.len, needle.s, needle.len), want);
		found += want;
		free(exact);
		gx_strbuf_release(&hay);
		gx_strbuf_release(&needle);
	}
	ck_assert_int_gt(found, 5000);
	ck_assert_int_lt(found, 15000);
}
END_TEST

/* Text against which comparing every candidate would take hours. */
START_TEST(searching_hostile_text)
{
	size_t n = 8 << 20, m = 1 << 20;
	char *hay = malloc(n), *needle = malloc(m);
	memset(hay, 'a', n);
	memset(needle, 'A', m);
	needle[m / 2] = 'b';
	ck_assert(!gx_utf8_casestr(NULL, 0, needle, m));
	ck_assert(!gx_utf8_casestr(hay, n, needle, m));
	hay[n - m / 2] = 'B';
	ck_assert(gx_utf8_casestr(hay, n, needle, m));
	free(hay);
	free(needle);
}
END_TEST

static Suite *charset_suite(void)
{
	Suite *s = suite_create("charset");
	TCase *t = tcase_create("charset");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, names_of_mail);
	tcase_add_loop_test(t, decoding, 0, (int)(sizeof(decoded) / sizeof(decoded[0])));
	tcase_add_loop_test(t, encoding, 0, (int)(sizeof(encoded) / sizeof(encoded[0])));
	tcase_add_test(t, any_bytes_in_any_page);
	tcase_add_test(t, every_character);
	tcase_add_test(t, validity);
	tcase_add_test(t, folding);
	tcase_add_test(t, comparing);
	tcase_add_loop_test(t, searching, 0, (int)(sizeof(searched) / sizeof(searched[0])));
	tcase_add_test(t, searching_equals_the_plain_way);
	tcase_add_test(t, searching_hostile_text);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(charset_suite)
