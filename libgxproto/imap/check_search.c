/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <glob.h>
#include <stdlib.h>
#include <gx/bodyconv.h>
#include <gx/delivery.h>
#include <gx/rtfcp.h>
#include "libgxproto/imap/imaptest.h"

/* SEARCH with the full-text index finds what SEARCH without it finds. */

enum { NEEDLES = 60, NEEDLE_MAX = 14, MESSAGE_MAX = 400000 };

static const char *const mails[] = {
	"From: A <a@example.org>\nTo: \"Bob, the\" <bob@example.net>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= und\n mehr\n"
	"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nr=C3=A9sum=C3=A9 wor=\nds\n",
	"From: =?iso-8859-1?q?J=F6rg?= <j@example.org>, second@example.org\nSubject: two authors\nX-Odd: =?utf-8?b?c2VjcmV0IGhlYWRlcg==?=\n\nplain\n",
	"From: c@example.org\nSubject: html\nMIME-Version: 1.0\nContent-Type: text/html; charset=iso-8859-1\n\n<p>visi<b>ble</b> w&ouml;rds\n here</p><!--x-->\n",
	"From: d@example.org\nSubject: parts\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nfirst part\n"
	"--b\nContent-Type: text/plain\n\nsecond part\n--b\nContent-Type: text/csv; charset=utf-16le\nContent-Transfer-Encoding: base64\n\n"
	"YwBvAGwAdQBtAG4AIAB3AG8AcgBkAHMA\n--b\nContent-Type: message/rfc822\n\nSubject: =?utf-8?q?inn=65r?= one\n\ninner body\n--b--\n",
	"From: e@example.org\nSubject: alternative\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
	"plain version\n--b\nContent-Type: text/html\n\n<i>html version</i> only here\n--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n--b--\n",
};

static const char *const words[] = {
	("Gr\xc3\xbc\xc3\x9f" "e und"), "r\xc3\xa9sum\xc3\xa9", "words", "J\xc3\xb6rg", "second@", "secret head", "visible", "w\xc3\xb6rds", "first part",
	"second part", "column words", "inner one", "inner body", "plain version", "html version", "VCALENDAR", "Bob, the", "example.org", "the", "ing",
};

static struct imaptest_server server;
static struct imaptest_client c;
static char *needles[NEEDLES];
static size_t needle_count;
static uint32_t seed = 99;

static uint32_t next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* A piece of a line, as a quoted string can say it. */
static void add_needle(const char *text, size_t len)
{
	size_t n = 3 + next() % (NEEDLE_MAX - 3), at = len > n ? next() % (len - n) : 0;
	if (needle_count == gxtest_rounds(NEEDLES) || len <= n)
		return;
	for (size_t i = at; i < at + n; i++)
		if ((uint8_t)text[i] < 0x20 || (uint8_t)text[i] > 0x7e || strchr("\"\\{", text[i]) != NULL)
			return;
	needles[needle_count] = strndup(text + at, n);
	needle_count += needles[needle_count] != NULL;
}

static void append_raw(const char *data, size_t len)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "ap APPEND INBOX {%zu+}\r\n", len);
	gx_strbuf_add(&b, data, len);
	gx_strbuf_adds(&b, "\r\n");
	gx_strbuf_clear(&c.got);
	imaptest_send(&c, b.s, b.len);
	gx_strbuf_release(&b);
	for (int i = 0; i < 6; i++)
		add_needle(data, len);
}

static void append_file(const char *path)
{
	static char buf[MESSAGE_MAX];
	FILE *f = fopen(path, "rb");
	size_t n = f == NULL ? 0 : fread(buf, 1, sizeof(buf), f);
	if (f != NULL)
		fclose(f);
	if (n > 0 && n < sizeof(buf) && memchr(buf, '\0', n) == NULL)
		append_raw(buf, n);
}

static void append_corpus(void)
{
	const char *top = getenv("top_srcdir");
	glob_t g;
	struct gx_strbuf pattern = GX_STRBUF_INIT;
	gx_strbuf_printf(&pattern, "%s/../shared/corpus/*/*.eml", top == NULL ? "." : top);
	if (glob(gx_strbuf_cstr(&pattern), 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			append_file(g.gl_pathv[i]);
		globfree(&g);
	}
	gx_strbuf_release(&pattern);
}

static void client(void)
{
	imaptest_connect(&server, &c);
	imaptest_login(&c, "anna");
}

/* The same server over the same stores, opened with or without index. */
static void reopen(bool no_index)
{
	struct gx_store_pool_opts p = GX_STORE_POOL_OPTS_INIT;
	imaptest_close(&c);
	gx_store_pool_free(server.pool);
	p.store = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	p.store.log = &server.log;
	p.store.clock = &server.clock;
	p.store.no_index = no_index;
	p.store.render = gx_mail_render;
	p.store.convert = gx_bodyconv;
	server.pool = gx_store_pool_new(&p);
	server.srv.pool = server.pool;
	client();
	imaptest_say(&c, "s SELECT INBOX", "(\\*[^\n]*\n)*s OK [^\n]*\n");
}

static char *search(const char *key, const char *text)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "q SEARCH CHARSET UTF-8 %s {%zu+}\r\n%s\r\n", key, strlen(text), text);
	gx_strbuf_clear(&c.got);
	imaptest_send(&c, b.s, b.len);
	gx_strbuf_release(&b);
	return strdup(gx_strbuf_cstr(&c.got));
}

static const char *const keys[] = {"BODY", "TEXT", "SUBJECT", "FROM", "TO", "NOT BODY", "OR BODY xyzzy SUBJECT"};
enum { KEYS = sizeof(keys) / sizeof(keys[0]), WORDS = sizeof(words) / sizeof(words[0]) };

START_TEST(index_or_not)
{
	imaptest_start(&server);
	client();
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++)
		imaptest_append(&c, "INBOX", "", mails[i]);
	append_corpus();
	size_t total = needle_count + WORDS;
	char **with = calloc(total * KEYS, sizeof(*with));
	reopen(false);
	for (size_t i = 0; i < total; i++)
		for (size_t k = 0; k < KEYS; k++)
			with[i * KEYS + k] = search(keys[k], i < WORDS ? words[i] : needles[i - WORDS]);
	ck_assert_msg(strstr(with[9 * KEYS], "* SEARCH 4\r\n") != NULL, "second part: %s", with[9 * KEYS]);
	reopen(true);
	for (size_t i = 0; i < total; i++)
		for (size_t k = 0; k < KEYS; k++) {
			const char *text = i < WORDS ? words[i] : needles[i - WORDS];
			char *without = search(keys[k], text);
			ck_assert_msg(strcmp(with[i * KEYS + k], without) == 0, "%s \"%s\"\nwith index: %s\nwithout: %s", keys[k], text,
				with[i * KEYS + k], without);
			free(without);
			free(with[i * KEYS + k]);
		}
	free(with);
	for (size_t i = 0; i < needle_count; i++)
		free(needles[i]);
	imaptest_close(&c);
	imaptest_stop(&server);
}
END_TEST

static void put_rtf(struct gx_arena *a, const char *rtf)
{
	static const struct gx_actor me = GX_ACTOR_SYSTEM;
	char *dir = gx_arena_printf(a, "%s/anna", server.root);
	struct gx_push packed = GX_PUSH_INIT;
	struct gx_msgobj *m = gx_msgobj_new(a);
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_store *s;
	struct gx_txn *t;
	ck_assert_int_eq(gx_rtfcp_encode(rtf, strlen(rtf), &packed), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagRtfCompressed, packed.data, packed.len), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note"), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ck_assert_int_eq(gx_store_pool_get(server.pool, dir, &s, a, NULL), 0);
	ck_assert_int_eq(gx_txn_begin(s, &me, GX_TXN_WRITE, 1000, &t), 0);
	ck_assert(!gx_ec_failed(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids)));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	gx_store_pool_put(server.pool, s);
	gx_msg_prepared_release(p);
	gx_push_release(&packed);
}

/* A message that is RTF only is text and HTML for IMAP, and is found by what one sees. */
START_TEST(rtf_only)
{
	struct gx_arena *a = gx_arena_new(0);
	imaptest_start(&server);
	client();
	reopen(false);
	put_rtf(a, "{\\rtf1\\ansi Gr\\'fc\\'df" "e \\b from\\b0  RTF\\par}");
	imaptest_say(&c, "n NOOP", "(\\*[^\n]*\n)*n OK [^\n]*\n");
	for (int k = 0; k < 2; k++) {
		static const char *const there[] = {"Gr\xc3\xbc\xc3\x9f" "e fr", "from RTF"};
		for (size_t i = 0; i < 2; i++) {
			char *got = search("BODY", there[i]);
			ck_assert_msg(strstr(got, "* SEARCH 1\r\n") != NULL, "%s: %s", there[i], got);
			free(got);
		}
		char *got = search("BODY", "ansi");
		ck_assert_msg(strstr(got, "* SEARCH 1") == NULL, "%s", got);
		free(got);
		imaptest_say(&c, "f FETCH 1 BODY.PEEK[1]", "\\* 1 FETCH [^\n]*\nR3LDvMOfZSBmcm9tIFJURg0K[^\n]*\n[^\n]*\nf OK [^\n]*\n");
		reopen(true);
	}
	imaptest_close(&c);
	imaptest_stop(&server);
	gx_arena_free(a);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("search");
	TCase *t = tcase_create("search");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, index_or_not);
	tcase_add_test(t, rtf_only);
	suite_add_tcase(x, t);
	return x;
}

GXTEST_MAIN(suite)
