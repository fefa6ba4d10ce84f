/* SPDX-License-Identifier: Apache-2.0 */
/* ENVELOPE and BODYSTRUCTURE as they go to IMAP clients. */
#include <config.h>
#include "tests/gxtest.h"
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

static const struct gx_mime_part *parse(const char *msg)
{
	struct gx_mime_part *root = NULL;
	ck_assert_int_eq(gx_mime_parse(arena, NULL, msg, strlen(msg), &root), 0);
	return root;
}

static const char *keep(struct gx_strbuf *b)
{
	ck_assert_int_eq(b->err, 0);
	const char *s = gx_arena_strdup(arena, gx_strbuf_cstr(b));
	gx_strbuf_release(b);
	return s;
}

static const char *envelope(const char *msg)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_mime_envelope(&b, parse(msg), arena);
	return keep(&b);
}

static const char *structure(const char *msg, bool ext)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_mime_bodystructure(&b, parse(msg), ext, arena);
	return keep(&b);
}

#define FROM "((NIL NIL \"a\" \"b\"))"

START_TEST(envelopes)
{
	static const struct {
		const char *msg, *out;
	} t[] = {
		{"", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"From: a@b\r\n\r\n", "(NIL NIL " FROM " " FROM " " FROM " NIL NIL NIL NIL NIL)"},
		{"From: a@b\r\nSender:\r\nReply-To: ,\r\n\r\n", "(NIL NIL " FROM " " FROM " " FROM " NIL NIL NIL NIL NIL)"},
		{"Date: today\r\nSubject: a \"quoted\" \\ word\r\nFrom: a@b\r\nSender: S <s@s>\r\nReply-To: r@r\r\n"
		 "To: t@t, u@u\r\nCc: c@c\r\nBcc: d@d\r\nIn-Reply-To: <1@2>\r\nMessage-Id: <3@4>\r\n\r\n",
		 "(\"today\" \"a \\\"quoted\\\" \\\\ word\" " FROM " ((\"S\" NIL \"s\" \"s\")) ((NIL NIL \"r\" \"r\"))"
		 " ((NIL NIL \"t\" \"t\")(NIL NIL \"u\" \"u\")) ((NIL NIL \"c\" \"c\")) ((NIL NIL \"d\" \"d\")) \"<1@2>\" \"<3@4>\")"},
		{"To: g: a@b;\r\nTo: a@b\r\n\r\n",
		 "(NIL NIL NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)(NIL NIL \"a\" \"b\")) NIL NIL NIL NIL)"},
		{"Subject: first\r\nSubject: second\r\n\r\n", "(NIL \"first\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"Subject:\r\n\r\n", "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"Subject: caf\xc3\xa9\r\n\r\n", "(NIL {5}\r\ncaf\xc3\xa9 NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"Subject: a\rb\r\n\r\n", "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"Subject: folded\r\n line\r\n\r\n", "(NIL \"folded line\" NIL NIL NIL NIL NIL NIL NIL NIL)"},
		{"From: root\r\n\r\n", "(NIL NIL ((NIL NIL \"root\" \"\")) ((NIL NIL \"root\" \"\")) ((NIL NIL \"root\" \"\")) NIL NIL NIL NIL NIL)"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i)
		ck_assert_str_eq(envelope(t[i].msg), t[i].out);
}
END_TEST

START_TEST(long_strings_are_literals)
{
	char *big = gx_arena_alloc(arena, 3000);
	memset(big, 'x', 2999);
	big[2999] = '\0';
	const char *want = gx_arena_printf(arena, "(NIL {2999}\r\n%s NIL NIL NIL NIL NIL NIL NIL NIL)", big);
	ck_assert_str_eq(envelope(gx_arena_printf(arena, "Subject: %s\r\n\r\n", big)), want);
}
END_TEST

START_TEST(structures)
{
	static const struct {
		const char *msg, *body, *ext;
	} t[] = {
		{"", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)", " NIL NIL NIL NIL"},
		{"Content-Type: Text/Html; Charset=\"UTF-8\"; x=y\r\nContent-ID: <i>\r\nContent-Description: some\r\n text\r\n"
		 "Content-Transfer-Encoding: Base64\r\nContent-MD5: m==\r\nContent-Disposition: Attachment; filename=f\r\n"
		 "Content-Language: en, de\r\nContent-Location: http://x/\r\n\r\nQQ==\r\nQQ==\r\n",
		 "(\"text\" \"html\" (\"charset\" \"UTF-8\" \"x\" \"y\") \"<i>\" \"some text\" \"Base64\" 12 2)",
		 " \"m==\" (\"attachment\" (\"filename\" \"f\")) (\"en\" \"de\") \"http://x/\""},
		{"Content-Type: image/png; name*0*=utf-8''%c3; name*1*=%a9\r\nContent-Disposition: inline\r\n\r\nx",
		 "(\"image\" \"png\" (\"name*\" \"utf-8''%c3%a9\") NIL NIL \"7bit\" 1)", " NIL (\"inline\" NIL) NIL NIL"},
		{"Content-Type: image/png; name=\"a\"; name*0=b; name*1=c\r\n\r\n",
		 "(\"image\" \"png\" (\"name\" \"a\" \"name\" \"bc\") NIL NIL \"7bit\" 0)", " NIL NIL NIL NIL"},
		{"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
		 "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")", NULL},
		{"Content-Type: message/delivery-status\r\n\r\nA: b\r\n",
		 "(\"message\" \"delivery-status\" NIL NIL NIL \"7bit\" 6)", " NIL NIL NIL NIL"},
		{"Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
		 "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL)"
		 " (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1) 3)", NULL},
		{"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n",
		 "(\"message\" \"rfc822\" NIL NIL NIL \"base64\" 6 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
		 " (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) 1)", NULL},
		{"Content-Type: text/plain; name=\"\xc3\xa9\"\r\n\r\n",
		 "(\"text\" \"plain\" (\"name\" {2}\r\n\xc3\xa9 \"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)", " NIL NIL NIL NIL"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		ck_assert_str_eq(structure(t[i].msg, false), t[i].body);
		if (t[i].ext == NULL)
			continue;
		const char *want = gx_arena_printf(arena, "%.*s%s)", (int)strlen(t[i].body) - 1, t[i].body, t[i].ext);
		ck_assert_str_eq(structure(t[i].msg, true), want);
	}
}
END_TEST

START_TEST(multiparts_nest)
{
	const char *msg = "Content-Type: multipart/mixed; boundary=b\r\nContent-Disposition: inline\r\n\r\n"
		"--b\r\nContent-Type: multipart/alternative; boundary=c; x=y\r\n\r\n--c\r\n\r\none\r\n--c\r\n"
		"Content-Type: text/html\r\n\r\n<p>\r\n\r\n--c--\r\n"
		"--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n--b--\r\n";
	ck_assert_str_eq(structure(msg, false),
		"(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0)"
		"(\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 1) \"alternative\")"
		"(\"application\" \"pdf\" NIL NIL NIL \"7bit\" 1) \"mixed\")");
	ck_assert_str_eq(structure(msg, true),
		"(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0 NIL NIL NIL NIL)"
		"(\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)"
		" \"alternative\" (\"boundary\" \"c\" \"x\" \"y\") NIL NIL NIL)"
		"(\"application\" \"pdf\" NIL NIL NIL \"7bit\" 1 NIL NIL NIL NIL)"
		" \"mixed\" (\"boundary\" \"b\") (\"inline\" NIL) NIL NIL)");
}
END_TEST

START_TEST(memory_running_out_is_noted)
{
	const struct gx_mime_part *root = parse("From: a@b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\n\r\n");
	struct gx_arena *small = gx_arena_new(1);
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_mime_envelope(&b, root, small);
	ck_assert_int_eq(b.err, GX_E_NOMEM);
	gx_strbuf_release(&b);
	gx_mime_bodystructure(&b, root, true, small);
	ck_assert_int_eq(b.err, GX_E_NOMEM);
	gx_strbuf_release(&b);
	gx_arena_free(small);
}
END_TEST

START_TEST(hostile_messages_have_bounded_structures)
{
	struct gx_strbuf b = GX_STRBUF_INIT, out = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int part = 0; part < 2000; ++part) {
		gx_strbuf_adds(&b, "--b\r\nContent-Type: message/rfc822");
		for (int i = 0; i < 200; ++i)
			gx_strbuf_adds(&b, "; n*1*=%41");
		gx_strbuf_adds(&b, "\r\n\r\nTo: ");
		for (int i = 0; i < 1000; ++i)
			gx_strbuf_adds(&b, "a,");
		gx_strbuf_adds(&b, "\r\n\r\nx\r\n");
	}
	const struct gx_mime_part *root = parse(b.s);
	size_t used = gx_arena_used(arena);
	ck_assert_uint_lt(used, 3 * b.len);
	gx_mime_bodystructure(&out, root, true, arena);
	ck_assert_int_eq(out.err, 0);
	ck_assert_uint_lt(out.len, 6U << 20);
	ck_assert_uint_lt(gx_arena_used(arena) - used, 40U << 20);
	gx_strbuf_release(&b);
	gx_strbuf_release(&out);
}
END_TEST

static Suite *mime_struct_suite(void)
{
	Suite *s = suite_create("mime_struct");
	TCase *t = tcase_create("imap");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, envelopes);
	tcase_add_test(t, long_strings_are_literals);
	tcase_add_test(t, structures);
	tcase_add_test(t, multiparts_nest);
	tcase_add_test(t, memory_running_out_is_noted);
	tcase_add_test(t, hostile_messages_have_bounded_structures);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mime_struct_suite)
