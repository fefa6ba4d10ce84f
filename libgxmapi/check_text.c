/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/htmltext.h>
#include <gx/restr.h>
#include "tests/gxtest.h"

/* Text for searching: out of HTML, and the form without case and marks. */

START_TEST(html)
{
	static const struct {
		const char *in, *out;
	} v[] = {
		{"plain", "plain"}, {"", ""}, {"<p>one</p><p>two</p>", " one  two "}, {"hel<b>lo</b>", "hello"}, {"a<br>b", "a b"},
		{"&lt;x&gt; &amp; &auml;&#228;&#xE4; &nbsp;|", "<x> & \xc3\xa4\xc3\xa4\xc3\xa4  |"}, {"so&shy;ft", "soft"},
		{"&unknown; & &#0; &#xd800; &", "&unknown; & &#0; &#xd800; &"}, {"&auml", "\xc3\xa4"},
		{"<script>var a = '<b>';</script>x", " x"}, {"<STYLE type='a>b'>p{}</style >y", " y"}, {"<style>never closed", " "},
		{"<!-- a > b -->z", "z"}, {"<!-- open", ""}, {"<a href=\"x>y\">link</a>", "link"}, {"1 < 2", "1 < 2"}, {"<", "<"},
		{"<b", ""}, {"<!DOCTYPE html><html>t", "  t"}, {"<o:p>w</o:p>", "w"}, {"&thetasym;", "\xcf\x91"}, {"</p", " "},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct gx_push out = GX_PUSH_INIT;
		size_t n = strlen(v[i].in);
		char *exact = malloc(n == 0 ? 1 : n); /* so that a byte too many is seen */
		memcpy(exact, v[i].in, n);
		gx_html_text(exact, n, &out);
		gx_push_u8(&out, 0);
		ck_assert_str_eq((const char *)out.data, v[i].out);
		gx_push_release(&out);
		free(exact);
	}
}
END_TEST

/* As one reads it. */
START_TEST(plain)
{
	static const struct {
		const char *in, *out;
	} v[] = {
		{"", ""}, {"one", "one"}, {"  a \n b  ", "a b"}, {"<p>one</p><p>two</p>", "one\r\n\r\ntwo\r\n"},
		{"<p class=MsoNormal>a</p><p class=\"MsoNormal\">b", "a\r\nb"}, {"a<br>b<br/><br>c", "a\r\nb\r\n\r\nc"},
		{"<div>a</div><div><br></div><div>b</div>", "a\r\n\r\nb\r\n"}, {"a<br><div>b</div>", "a\r\nb\r\n"},
		{"<br>a", "a"}, {"hel<b>lo</b> <i>you</i>", "hello you"}, {"a <b> b</b>", "a b"}, {"x&nbsp;\xc2\xa0y &lt;z&gt;", "x  y <z>"},
		{"<ul><li>a<li>b<ul><li>c</ul></ul>d", "* a\r\n* b\r\n  * c\r\nd"}, {"<ol><li> a</li><li>b</li></ol>", "1. a\r\n2. b\r\n"},
		{"<table><tr><td>a</td><td>b</td></tr><tr><th>c</th><th></th><th>d", "a\tb\r\nc\t\td"},
		{"<pre>a\r\n  b</pre>c", "a\r\n  b\r\n\r\nc"}, {"a<hr>b", "a\r\n________________________________\r\nb"},
		{"<a href=\"http://x.y/?a=1&amp;b\">here</a>", "here <http://x.y/?a=1&b>"}, {"<a href=http://x.y/>http://x.y</a>!", "http://x.y!"},
		{"<a href='mailto:a@b.c'>a@b.c</a>", "a@b.c"}, {"<a href=\"http://x.y\">x.y</a>", "x.y"}, {"<a href=\"#top\">up</a>", "up"},
		{"<a name=x>b</a>", "b"}, {"<a href='http://x'></a>", ""}, {"<img alt='a &amp; b' src=x>", "a & b"}, {"<img src=x>", ""},
		{"<style>p{}</style><title>t</title>x<!-- c -->y", "xy"}, {"1 < 2", "1 < 2"}, {"<", "<"}, {"<b", ""}, {"<a href", ""},
		{"<a href=", ""}, {"<a href=\"http://", ""}, {"<a href=\"http://q\">t", "t"}, {"</ul></ol></pre></a>x", "x"}, {"&#10;a&#9;b", "a b"},
		{"so&shy;ft &bogus; &", "soft &bogus; &"}, {"<blockquote>q</blockquote>r", "q\r\n\r\nr"}, {"<h1>t</h1>b", "t\r\n\r\nb"},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct gx_push out = GX_PUSH_INIT;
		size_t n = strlen(v[i].in);
		char *exact = gxtest_exact(v[i].in, n);
		gx_html_plain(exact, n, &out);
		gx_push_u8(&out, 0);
		ck_assert_str_eq((const char *)out.data, v[i].out);
		gx_push_release(&out);
		free(exact);
	}
}
END_TEST

static const char *form(struct gx_push *out, const char *s)
{
	gx_push_clear(out);
	gx_fuzzy_form(s, strlen(s), out);
	gx_push_u8(out, 0);
	return (const char *)out->data;
}

START_TEST(forms)
{
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_str_eq(form(&out, "R\xc3\xa9sum\xc3\xa9 XY"), "resume xy");
	ck_assert_str_eq(form(&out, "re\xcc\x81sume\xcc\x81"), "resume");
	ck_assert_str_eq(form(&out, "\xce\xa3\xcf\x83\xcf\x82"), "\xcf\x83\xcf\x83\xcf\x83"); /* sigma has one form */
	ck_assert_str_eq(form(&out, ""), "");
	gx_push_clear(&out);
	gx_fuzzy_form(NULL, 0, &out); /* an empty value has no bytes to point at */
	gx_html_text(NULL, 0, &out);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_str_eq(form(&out, "a \r\n\t b\xc2\xa0\xc2\xa0" "c "), "a b c ");
	gx_push_release(&out);
}
END_TEST

/* What compares equal without case has one form: else an index would miss it. */
START_TEST(equal_letters_have_one_form)
{
	struct gx_push x = GX_PUSH_INIT, y = GX_PUSH_INIT;
	for (uint32_t c = 1; c < 0x20000; c++) {
		struct gx_strbuf a = GX_STRBUF_INIT, b = GX_STRBUF_INIT;
		if (c >= 0xd800 && c < 0xe000)
			continue;
		gx_utf8_put(&a, c);
		gx_utf8_put(&b, gx_utf8_fold(c));
		ck_assert_msg(strcmp(form(&x, gx_strbuf_cstr(&a)), form(&y, gx_strbuf_cstr(&b))) == 0, "U+%04X", c);
		gx_strbuf_release(&a);
		gx_strbuf_release(&b);
	}
	gx_push_release(&x);
	gx_push_release(&y);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("text");
	TCase *c = tcase_create("text");
	tcase_add_test(c, html);
	tcase_add_test(c, plain);
	tcase_add_test(c, forms);
	tcase_add_test(c, equal_letters_have_one_form);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
