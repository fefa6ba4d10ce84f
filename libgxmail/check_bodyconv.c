/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/bodyconv.h>
#include <gx/charset.h>
#include <gx/rtfcp.h>
#include "tests/gxtest.h"

/* Plain text, HTML and RTF, each made of the others. */

typedef int (*convert_fn)(const void *p, size_t n, struct gx_push *out);

static int rtf_html(const void *p, size_t n, struct gx_push *out)
{
	return gx_rtf_to_html(p, n, NULL, out);
}

static int html_rtf(const void *p, size_t n, struct gx_push *out)
{
	return gx_html_to_rtf(p, n, out);
}

static int text_rtf(const void *p, size_t n, struct gx_push *out)
{
	return gx_text_to_rtf(p, n, out);
}

static int text_html(const void *p, size_t n, struct gx_push *out)
{
	return gx_text_to_html(p, n, NULL, out);
}

/* The result as a string, in a buffer that the next call uses again. */
static const char *with(convert_fn f, const char *s, size_t n)
{
	static struct gx_push out;
	char *exact = gxtest_exact(s, n);
	gx_push_clear(&out);
	ck_assert_int_eq(f(exact, n, &out), 0);
	gx_push_u8(&out, 0);
	free(exact);
	return (const char *)out.data;
}

static void same(convert_fn f, const char *in, const char *want)
{
	ck_assert_str_eq(with(f, in, strlen(in)), want);
}

/* The body of a document of our own. */
static void body(convert_fn f, const char *in, const char *want)
{
	const char *s = with(f, in, strlen(in)), *from = strstr(s, "<body>");
	ck_assert_ptr_nonnull(from);
	ck_assert_msg(strstr(from, want) != NULL, "%s: %s", in, from);
}

#define HEAD "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fswiss\\fcharset0 Arial;}{\\f1\\fnil\\fcharset204 Arial Cyr;}" \
	"{\\f2\\fnil\\fcharset128 MS Mincho;}{\\f3\\fnil\\fcharset2 Wingdings;}}{\\colortbl;\\red255\\green0\\blue1;}"

START_TEST(rtf_as_text)
{
	same(gx_rtf_to_text, "{\\rtf1 hello}", "hello");
	same(gx_rtf_to_text, "{\\rtf1 a\\par b\\line c\\tab d}", "a\r\nb\r\nc\td");
	same(gx_rtf_to_text, "{\\rtf1 a\r\nb\\\r\nc}", "ab\r\nc"); /* an escaped end of line is one; \r\n after it is none */
	same(gx_rtf_to_text, "{\\rtf1 \\{\\}\\\\}", "{}\\");
	same(gx_rtf_to_text, "{\\rtf1\\ansi \\'e4\\'80}", "\xc3\xa4\xe2\x82\xac");
	same(gx_rtf_to_text, HEAD "\\f1 \\'cf\\'f0\\f0 \\'cf}", "\xd0\x9f\xd1\x80\xc3\x8f");
	same(gx_rtf_to_text, HEAD "{\\f2 \\'83A\\'83\\'41}b}", "\xe3\x82\xa2\xe3\x82\xa2" "b"); /* the second byte may be a letter */
	same(gx_rtf_to_text, HEAD "\\f3 J\\'a7\\f0 J}", "\xe2\x98\xba\xe2\x80\xa2J");
	same(gx_rtf_to_text, "{\\rtf1\\ansicpg1251 \\'cf}", "\xd0\x9f");
	same(gx_rtf_to_text, "{\\rtf1 \\u8211?x\\u8211\\'96y\\uc2\\u228ab{\\uc0\\u228}\\u228\\'61bz}", "\xe2\x80\x93x\xe2\x80\x93y\xc3\xa4\xc3\xa4\xc3\xa4z");
	same(gx_rtf_to_text, "{\\rtf1 \\u-10179?\\u-8704?}", "\xf0\x9f\x98\x80");
	same(gx_rtf_to_text, "{\\rtf1 \\u-8704?x}", "\xef\xbf\xbdx"); /* half of a pair */
	same(gx_rtf_to_text, "{\\rtf1 {\\*\\unknown text{more}}a{\\info{\\title t}}{\\pict 0011}b{\\*\\bkmkstart x}c}", "abc");
	same(gx_rtf_to_text, "{\\rtf1 {\\pntext\\f0\\'b7\\tab}item\\par{\\stylesheet{\\s1 h;}}}", "\xc2\xb7\titem\r\n");
	same(gx_rtf_to_text, "{\\rtf1 a{\\v hidden}b\\v h\\v0 c}", "abc");
	same(gx_rtf_to_text, "{\\rtf1 a\\~b\\-c\\_d\\bullet\\emdash\\lquote}", "a\xc2\xa0" "b\xc2\xad" "c\xe2\x80\x91" "d\xe2\x80\xa2\xe2\x80\x94\xe2\x80\x98");
	same(gx_rtf_to_text, "{\\rtf1 a\\bin3 {{{b}", "ab");
	same(gx_rtf_to_text, "{\\rtf1 1\\cell 2\\cell\\row 3}", "1\t2\t\r\n3");
	same(gx_rtf_to_text, "{\\rtf1 {\\field{\\*\\fldinst HYPERLINK \"http://x/\"}{\\fldrslt here}} b}", "here <http://x/> b");
	same(gx_rtf_to_text, "{\\rtf1 {\\field{\\*\\fldinst{HYPERLINK \"mailto:a@b\"}}{\\fldrslt{\\ul a@b}}}}", "a@b");
	same(gx_rtf_to_text, "{\\rtf1 {\\field{\\*\\fldinst PAGE}{\\fldrslt 3}}}", "3");
	same(gx_rtf_to_text, "{\\rtf1 never closed", "never closed");
	same(gx_rtf_to_text, "{\\rtf1 a}trailing{\\rtf1 b}", "a");
	same(gx_rtf_to_text, "{\\rtf1 a\\'4", "a");
	same(gx_rtf_to_text, "{\\rtf1 a\\", "a");
	same(gx_rtf_to_text, "{\\rtf1 a\\u", "a\xef\xbf\xbd");
	same(gx_rtf_to_text, "{\\rtf1\\b99999999999 x\\u99999999999 ?}", "x\xef\xbf\xbd");
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_rtf_to_text("hello", 5, &out), GX_E_FORMAT);
	ck_assert_int_eq(gx_rtf_to_text("", 0, &out), GX_E_FORMAT);
	ck_assert_int_eq(gx_rtf_to_html("{\\rt", 4, NULL, &out), GX_E_FORMAT);
	gx_push_release(&out);
}
END_TEST

/* Groups as deep as one likes cost no more than their bytes. */
START_TEST(deep)
{
	enum { N = 200000 };
	char *s = malloc(N * 2 + 100);
	size_t n = (size_t)snprintf(s, 100, "{\\rtf1 a");
	memset(s + n, '{', N);
	n += N;
	s[n++] = 'b';
	memset(s + n, '}', N);
	n += N;
	s[n++] = 'c';
	s[n++] = '}';
	ck_assert_str_eq(with(gx_rtf_to_text, s, n), "abc");
	free(s);
}
END_TEST

START_TEST(rtf_as_html)
{
	body(rtf_html, "{\\rtf1 a<b>&c}", ">a&lt;b&gt;&amp;c</span></p>");
	body(rtf_html, "{\\rtf1 \\b b\\i bi\\b0 i\\plain n}", "<b>b</b></span><span style=\"\"><b><i>bi</i></b></span><span style=\"\"><i>i</i></span><span style=\"\">n</span>");
	body(rtf_html, "{\\rtf1 \\ul u\\ulnone\\strike s\\strike0 x\\super 2\\nosupersub y\\sub 3}",
		"<u>u</u></span><span style=\"\"><s>s</s></span><span style=\"\">x</span><span style=\"\"><sup>2</sup></span><span style=\"\">y</span><span style=\"\"><sub>3</sub>");
	body(rtf_html, HEAD "\\cf1\\fs25 x}", "<span style=\"font-family:'Arial';font-size:12.5pt;color:#ff0001;\">x</span>");
	body(rtf_html, "{\\rtf1 \\qc a\\par\\par\\pard b\\line c}", "text-align:center\"><span style=\"\">a</span></p>\r\n<p style=\"margin:0;text-align:center\">&nbsp;</p>");
	body(rtf_html, "{\\rtf1 a  b\\tab c}", "a&nbsp; b&nbsp;&nbsp;&nbsp; c</span>");
	body(rtf_html, "{\\rtf1 {\\field{\\*\\fldinst HYPERLINK \"http://x/?a&b\"}{\\fldrslt h}}t}", "<a href=\"http://x/?a&amp;b\"><span style=\"\">h</span></a><span style=\"\">t");
	body(rtf_html, "{\\rtf1 {\\field{\\*\\fldinst HYPERLINK \"javascript:x\"}{\\fldrslt h}}}", "<a href=\"\">");
	body(rtf_html, "{\\rtf1 \\trowd\\intbl 1\\cell 2\\cell\\row\\intbl 3\\cell\\cell\\row\\pard after}",
		"<table border=\"1\"><tr><td><span style=\"\">1</span></td><td><span style=\"\">2</span></td></tr>\r\n"
		"<tr><td><span style=\"\">3</span></td><td></td></tr>\r\n</table>\r\n<p style=\"margin:0\"><span style=\"\">after</span></p>");
	body(rtf_html, "{\\rtf1\\fromtext\\pard a <b>\\par c}", "<div>a &lt;b&gt;<br>\r\nc</div>");
	body(rtf_html, "{\\rtf1{\\fonttbl{\\f0 A\"B;}}x}", "<span style=\"\">x"); /* a name that would leave its quotes */
}
END_TEST

/* [MS-OXRTFEX] 4: what was not in the HTML is left out. */
START_TEST(unpacking)
{
	static const char doc[] =
		"{\\rtf1\\ANSI\\ansicpg1251\\fromhtml1 \\deff0\r\n{\\fonttbl {\\f0\\fmodern Courier New;}{\\f1\\fswiss Arial;}"
		"{\\f2\\fswiss\\fcharset0 Arial;}}\r\n{\\colortbl\\red0\\green0\\blue0;\\red0\\green0\\blue255;}\r\n"
		"{\\*\\htmltag64}\r\n\\uc1\\pard\\plain\\deftab360 \\f0\\fs24\r\n{\\*\\htmltag <HTML><head>\\par\r\n<style>\\par\r\n"
		"<!--\\par\r\n /* Style Definitions */\\par\r\n p.MsoNormal, li.MsoNormal \\{font-family:Arial;\\}\\par\r\n-->\\par\r\n"
		"</style>\\par\r\n\\tab <!-- This is a HTML comment.\\par\r\nThere is a horizontal tab (%x09) character before the comment, \\par\r\n"
		"and some new line inside the comment. -->\\par\r\n</head>\\par\r\n<body>\\par\r\n<p\\par\r\nclass=\"MsoNormal\">}"
		"{\\htmlrtf \\f1 \\htmlrtf0 Note the line break inside a P tag. {\\*\\htmltag <b>}{\\htmlrtf \\b \\htmlrtf0 This is bold text"
		"{\\*\\htmltag </b>}} \\htmlrtf\\par\\htmlrtf0}\r\n\\htmlrtf \\par \\htmlrtf0\r\n{\\*\\htmltag </p>\\par\r\n"
		"<p class=\"MsoNormal\">\\par\r\n}{\\htmlrtf \\f1 \\htmlrtf0 This is a normal text with a character references:"
		"{\\*\\htmltag &nbsp;}\\htmlrtf \\'a0\\htmlrtf0  {\\*\\htmltag &lt;}\\htmlrtf <\\htmlrtf0  {\\*\\htmltag &uml;}\\htmlrtf {\\f2\\'a8}\\htmlrtf0{\\*\\htmltag <br>\\par\r\n}"
		"\\htmlrtf\\line\\htmlrtf0 characters which have special meaning in RTF: \\{\\}\\\\{\\*\\htmltag <br>\\par\r\n}\\htmlrtf\\line\\htmlrtf0\\htmlrtf\\par\\htmlrtf0}"
		"{\\*\\htmltag </p>\\par\r\n</body>\\par\r\n</HTML>\\par }}";
	static const char html[] =
		"<HTML><head>\r\n<style>\r\n<!--\r\n /* Style Definitions */\r\n p.MsoNormal, li.MsoNormal {font-family:Arial;}\r\n-->\r\n</style>\r\n"
		"\t<!-- This is a HTML comment.\r\nThere is a horizontal tab (%x09) character before the comment, \r\nand some new line inside the comment. -->\r\n"
		"</head>\r\n<body>\r\n<p\r\nclass=\"MsoNormal\">Note the line break inside a P tag. <b>This is bold text</b> </p>\r\n"
		"<p class=\"MsoNormal\">\r\nThis is a normal text with a character references:&nbsp; &lt; &uml;<br>\r\n"
		"characters which have special meaning in RTF: {}\\<br>\r\n</p>\r\n</body>\r\n</HTML>\r\n";
	same(rtf_html, doc, html);
	ck_assert_int_eq(gx_rtf_native(doc, strlen(doc)), GX_BODY_HTML);
	/* Text that is shared is text: it cannot become a tag. */
	same(rtf_html, "{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag <p>}a < b &{\\*\\mhtmltag <x>}}", "<p>a &lt; b &amp;");
	same(rtf_html, "{\\rtf1\\ansi\\fromhtml1 a\\htmlrtf b{c\\htmlrtf0 d}e\\htmlrtf0 f}", "adf");
	ck_assert_int_eq(gx_rtf_native("{\\rtf1\\ansi a\\fromhtml1}", 24), GX_BODY_RTF);
	ck_assert_int_eq(gx_rtf_native("{\\rtf1\\tab\\u32?\\fromtext}", 25), GX_BODY_RTF);
	ck_assert_int_eq(gx_rtf_native("{\\rtf1\\ansi\\fromtext x}", 22), GX_BODY_PLAIN);
	ck_assert_int_eq(gx_rtf_native("x", 1), 0);
}
END_TEST

/* ---- There and back ---- */

static void back(convert_fn there, convert_fn again, const char *in, const char *want)
{
	struct gx_push rtf = GX_PUSH_INIT;
	ck_assert_int_eq(there(in, strlen(in), &rtf), 0);
	ck_assert_str_eq(with(again, (const char *)rtf.data, rtf.len), want);
	gx_push_release(&rtf);
}

START_TEST(packed_text_comes_back)
{
	static const char *const v[] = {
		"", "a", "a\r\nb", "\r\n\r\n", "tab\there", "{\\rtf1 \\par}", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc2\xa0.", "  two  blanks ", "?x",
		"12\xe2\x80\x93,34",
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		back(text_rtf, gx_rtf_to_text, v[i], v[i]);
	back(text_rtf, gx_rtf_to_text, "a\nb\rc", "a\r\nb\r\nc");
}
END_TEST

START_TEST(packed_html_comes_back)
{
	static const char *const v[] = {
		"", "<html><head><title>t & u</title><style>p {a: b}</style></head><body><p>x</p></body></html>", "a<br>b&nbsp;&lt;c&#8364;&bogus;",
		"<!-- c {} \\ -->\r\n<p class=\"a>b\">caf\xc3\xa9\xf0\x9f\x98\x80</p>\r\n\r\n<ul><li>x</ul>", "<script>if (a < b) { c = '\\\\'; }</script>",
		"<b><i>x</b></i>\xc2\xa0y", "<?xml x?><!DOCTYPE html>", "<p", "&", "<style>open",
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		back(html_rtf, rtf_html, v[i], v[i]);
	back(html_rtf, rtf_html, "a\nb", "a\r\nb");
	/* and is readable by those who pass over the groups */
	const char *rtf = with(html_rtf, "<p>a <b>c</b> &lt;&auml;</p>", 29);
	ck_assert_ptr_nonnull(strstr(rtf, "{\\*\\htmltag116 <b>}\\htmlrtf \\b \\htmlrtf0 c{"));
	ck_assert_ptr_nonnull(strstr(rtf, "\\htmlrtf \\u228?\\htmlrtf0 "));
}
END_TEST

START_TEST(text_as_html)
{
	body(text_html, "a <b>\r\n  c\td\ne", "<div>a &lt;b&gt;<br>\r\n&nbsp; c&nbsp;&nbsp;&nbsp; d<br>\r\ne</div>");
}
END_TEST

/* ---- All in one ---- */

static struct gx_arena *a;

static struct gx_bin conv(int from, int to, const void *p, size_t n, uint32_t cp)
{
	struct gx_bin out;
	uint8_t *exact = gxtest_exact(p, n);
	ck_assert_int_eq(gx_bodyconv(from, to, (struct gx_bin){exact, n}, cp, a, &out, NULL), 0);
	free(exact);
	return out;
}

static bool holds(struct gx_bin b, const char *s)
{
	return memmem(b.data, b.len, s, strlen(s)) != NULL;
}

START_TEST(all_formats)
{
	a = gx_arena_new(0);
	struct gx_bin b = conv(GX_BODY_PLAIN, GX_BODY_RTF, "h\xc3\xa4", 3, GX_CP_UTF8);
	b = conv(GX_BODY_RTF, GX_BODY_PLAIN, b.data, b.len, 0);
	ck_assert(b.len == 3 && memcmp(b.data, "h\xc3\xa4", 3) == 0);
	b = conv(GX_BODY_PLAIN, GX_BODY_HTML, "h\xc3\xa4", 3, 1252);
	ck_assert(holds(b, "h\xe4<") && holds(b, "charset=windows-1252"));
	/* what the code page does not have is a reference */
	b = conv(GX_BODY_PLAIN, GX_BODY_HTML, "\xd0\x9f", 2, 1252);
	ck_assert(holds(b, "&#1055;"));
	b = conv(GX_BODY_PLAIN, GX_BODY_HTML, "\xd0\x9f", 2, 20127);
	ck_assert(holds(b, "&#1055;"));
	b = conv(GX_BODY_HTML, GX_BODY_PLAIN, "<p>\xcf", 4, 1251);
	ck_assert(b.len == 2 && memcmp(b.data, "\xd0\x9f", 2) == 0);
	b = conv(GX_BODY_HTML, GX_BODY_RTF, "<p>\xcf", 4, 1251);
	b = conv(GX_BODY_RTF, GX_BODY_HTML, b.data, b.len, 1251);
	ck_assert(b.len == 4 && memcmp(b.data, "<p>\xcf", 4) == 0);
	b = conv(GX_BODY_RTF, GX_BODY_PLAIN, "{\\rtf1 x}", 9, 0); /* not compressed at all */
	ck_assert(b.len == 1 && b.data[0] == 'x');
	ck_assert_int_eq(gx_bodyconv(GX_BODY_RTF, GX_BODY_PLAIN, (struct gx_bin){(const uint8_t *)"xyz", 3}, 0, a, &b, NULL), GX_E_UNSUP);
	ck_assert_int_eq(gx_bodyconv(GX_BODY_HTML, 4, (struct gx_bin){(const uint8_t *)"xyz", 3}, 0, a, &b, NULL), GX_E_UNSUP);
	gx_arena_free(a);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("bodyconv");
	TCase *c = tcase_create("bodyconv");
	tcase_add_test(c, rtf_as_text);
	tcase_add_test(c, deep);
	tcase_add_test(c, rtf_as_html);
	tcase_add_test(c, unpacking);
	tcase_add_test(c, packed_text_comes_back);
	tcase_add_test(c, packed_html_comes_back);
	tcase_add_test(c, text_as_html);
	tcase_add_test(c, all_formats);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
