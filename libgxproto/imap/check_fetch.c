/* SPDX-License-Identifier: Apache-2.0 */
/* FETCH and SEARCH. */
#include <config.h>
#include "libgxproto/imap/imaptest.h"
#include "libgxproto/imap/fetch-int.h"
#include "libgxproto/imap/search-int.h"

static struct imaptest_server srv;
static struct imaptest_client c;

static const char plain[] =
	"From: Anna <anna@example.org>\n"
	"To: ben@example.org\n"
	"Subject: Plain one\n"
	"Date: Sun, 22 Nov 2026 17:10:32 +0100\n"
	"Message-ID: <1@example.org>\n"
	"X-Long: a\n b\n"
	"\n"
	"Hello Ben\nsecond line\n";

static const char mixed[] =
	"From: =?UTF-8?Q?J=C3=B6rg?= <joerg@example.org>\n"
	"Subject: =?UTF-8?B?R3LDvMOfZQ==?= aus Wien\n"
	"Date: Fri, 20 Nov 2026 01:00:00 +0000\n"
	"MIME-Version: 1.0\n"
	"Content-Type: multipart/mixed; boundary=b1\n"
	"\n"
	"preamble\n"
	"--b1\n"
	"Content-Type: text/plain; charset=iso-8859-1\n"
	"Content-Transfer-Encoding: quoted-printable\n"
	"\n"
	"Sch=F6ne Gr=FC=DFe\n"
	"--b1\n"
	"Content-Type: message/rfc822\n"
	"\n"
	"Subject: inner\n"
	"From: x@example.net\n"
	"\n"
	"inner text\n"
	"--b1\n"
	"Content-Type: application/octet-stream\n"
	"Content-Transfer-Encoding: base64\n"
	"\n"
	"AAEC\n"
	"--b1--\n";

static void setup(void)
{
	imaptest_start(&srv);
	imaptest_connect(&srv, &c);
	imaptest_login(&c, "anna");
	imaptest_append(&c, "INBOX", "(\\Seen) \" 1-Feb-2024 10:00:00 +0200\" ", plain);
	imaptest_append(&c, "INBOX", "(\\Flagged custom) \"20-Nov-2026 10:00:00 +0000\" ", mixed);
	imaptest_append(&c, "INBOX", "", "Subject: third\n\n");
	imaptest_say(&c, "s SELECT INBOX", "(\\*.*\n)*s OK .*\n");
}

static void teardown(void)
{
	imaptest_close(&c);
	imaptest_stop(&srv);
}

START_TEST(attributes)
{
	unsigned before = c.works;
	imaptest_say(&c, "a FETCH 1:* (FLAGS UID RFC822.SIZE)", "\\* 1 FETCH \\(FLAGS \\(\\\\Seen\\) UID 1 RFC822.SIZE [0-9]+\\)\n"
		"\\* 2 FETCH \\(FLAGS \\(\\\\Flagged custom\\) UID 2 RFC822.SIZE [0-9]+\\)\n\\* 3 FETCH \\(FLAGS \\(\\) UID 3 RFC822.SIZE 18\\)\na OK .*\n");
	imaptest_say(&c, "a FETCH 1:* FLAGS", "(\\* . FETCH .*\n){3}a OK .*\n");
	ck_assert_uint_le(c.works, before + 2); /* once for the name of the keyword */
	imaptest_say(&c, "b UID FETCH 2 FLAGS", "\\* 2 FETCH \\(FLAGS \\(\\\\Flagged custom\\) UID 2\\)\nb OK .*\n");
	imaptest_say(&c, "c FETCH 1 INTERNALDATE", "\\* 1 FETCH \\(INTERNALDATE \" 1-Feb-2024 08:00:00 \\+0000\"\\)\nc OK .*\n");
	imaptest_say(&c, "d FETCH 1 ENVELOPE", "\\* 1 FETCH \\(ENVELOPE \\(\"Sun, 22 Nov 2026 17:10:32 \\+0100\" \"Plain one\" "
		"\\(\\(\"Anna\" NIL \"anna\" \"example.org\"\\)\\) .* \"<1@example.org>\"\\)\\)\nd OK .*\n");
	imaptest_say(&c, "e FETCH 1 FAST", "\\* 1 FETCH \\(FLAGS .* INTERNALDATE .* RFC822.SIZE .*\\)\ne OK .*\n");
	imaptest_say(&c, "f FETCH 1 ALL", "\\* 1 FETCH \\(FLAGS .* ENVELOPE \\(.*\\)\\)\nf OK .*\n");
	imaptest_say(&c, "g FETCH 1 FULL", "\\* 1 FETCH \\(FLAGS .* BODY \\(\"text\" \"plain\" .*\\)\\)\ng OK .*\n");
	imaptest_say(&c, "h FETCH 4 FLAGS", "h BAD .*\n");
	imaptest_say(&c, "i UID FETCH 400 FLAGS", "i OK .*\n");
	imaptest_say(&c, "j UID FETCH 400:* UID", "\\* 3 FETCH \\(UID 3\\)\nj OK .*\n");
	imaptest_say(&c, "k FETCH 3,1 UID", "\\* 1 FETCH \\(UID 1\\)\n\\* 3 FETCH \\(UID 3\\)\nk OK .*\n");
	imaptest_say(&c, "l FETCH * UID", "\\* 3 FETCH \\(UID 3\\)\nl OK .*\n");
	imaptest_say(&c, "m FETCH 1 MODSEQ", "\\* OK \\[HIGHESTMODSEQ [0-9]+\\] .*\n\\* 1 FETCH \\(MODSEQ \\([0-9]+\\)\\)\nm OK .*\n");
}
END_TEST

START_TEST(sections)
{
	imaptest_say(&c, "a FETCH 1 BODY.PEEK[TEXT]", "\\* 1 FETCH \\(BODY\\[TEXT\\] \\{24\\}\nHello Ben\nsecond line\n\\)\na OK .*\n");
	imaptest_say(&c, "b FETCH 1 BODY[TEXT]<6.3>", "\\* 1 FETCH \\(BODY\\[TEXT\\]<6> \\{3\\}\nBen\\)\nb OK .*\n");
	imaptest_say(&c, "c FETCH 1 BODY[TEXT]<600.3>", "\\* 1 FETCH \\(BODY\\[TEXT\\]<600> \\{0\\}\n\\)\nc OK .*\n");
	imaptest_say(&c, "d FETCH 1 BODY[HEADER.FIELDS (subject x-long)]",
		"\\* 1 FETCH \\(BODY\\[HEADER.FIELDS \\(\"subject\" \"x-long\"\\)\\] \\{[0-9]+\\}\nSubject: Plain one\nX-Long: a\n b\n\n\\)\nd OK .*\n");
	imaptest_say(&c, "e FETCH 1 BODY[HEADER.FIELDS.NOT (from to date message-id x-long)]",
		"\\* 1 FETCH \\(BODY\\[HEADER.FIELDS.NOT \\(.*\\)\\] \\{22\\}\nSubject: Plain one\n\n\\)\ne OK .*\n");
	imaptest_say(&c, "f FETCH 1 RFC822.HEADER", "\\* 1 FETCH \\(RFC822.HEADER \\{[0-9]+\\}\nFrom: Anna .*\n\n\\)\nf OK .*\n");
	imaptest_say(&c, "g FETCH 1 BODY[1]", "\\* 1 FETCH \\(BODY\\[1\\] \\{24\\}\nHello Ben\nsecond line\n\\)\ng OK .*\n");
	imaptest_say(&c, "h FETCH 2 BODY.PEEK[1]", "\\* 2 FETCH \\(BODY\\[1\\] \\{18\\}\nSch=F6ne Gr=FC=DFe\\)\nh OK .*\n");
	imaptest_say(&c, "i FETCH 2 BODY.PEEK[1.MIME]", "\\* 2 FETCH \\(BODY\\[1.MIME\\] \\{[0-9]+\\}\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\\)\ni OK .*\n");
	imaptest_say(&c, "j FETCH 2 BODY.PEEK[2.HEADER]", "\\* 2 FETCH \\(BODY\\[2.HEADER\\] \\{[0-9]+\\}\nSubject: inner\nFrom: x@example.net\n\n\\)\nj OK .*\n");
	imaptest_say(&c, "k FETCH 2 BODY.PEEK[2.TEXT]", "\\* 2 FETCH \\(BODY\\[2.TEXT\\] \\{10\\}\ninner text\\)\nk OK .*\n");
	imaptest_say(&c, "l FETCH 2 BODY.PEEK[2.HEADER.FIELDS (SUBJECT)]", "\\* 2 FETCH \\(BODY\\[2.HEADER.FIELDS \\(\"SUBJECT\"\\)\\] \\{18\\}\nSubject: inner\n\n\\)\nl OK .*\n");
	imaptest_say(&c, "m FETCH 2 BODY.PEEK[3]<1.2>", "\\* 2 FETCH \\(BODY\\[3\\]<1> \\{2\\}\nAE\\)\nm OK .*\n");
	imaptest_say(&c, "n FETCH 2 (BODY.PEEK[9] BODY.PEEK[1.TEXT])", "\\* 2 FETCH \\(BODY\\[9\\] NIL BODY\\[1.TEXT\\] NIL\\)\nn OK .*\n");
	imaptest_say(&c, "o FETCH 2 (BODY.PEEK[2.1] UID)", "\\* 2 FETCH \\(BODY\\[2.1\\] \\{10\\}\ninner text UID 2\\)\no OK .*\n");
	imaptest_say(&c, "p FETCH 3 (BODY.PEEK[] ENVELOPE)", "\\* 3 FETCH \\(BODY\\[\\] \\{18\\}\nSubject: third\n\n ENVELOPE \\(NIL \"third\" .*\\)\\)\np OK .*\n");
	static const char *const bad[] = {"BODY[", "BODY[0]", "BODY[1", "BODY[1.]x", "BODY[MIME]", "BODY[]<1>", "BODY[]<1.0>", "BODY[HEADER.FIELDS]",
		"BODY[HEADER.FIELDS ()]", "FOO", "()", "(FLAGS", "FLAGS UID", "BODY[FOO]", "BODY.PEEK", "RFC822.PEEK"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
		imaptest_say(&c, gx_arena_printf(srv.arena, "z FETCH 1 %s", bad[i]), "z BAD .*\n");
		if (i % 10 == 9)
			break;
	}
}
END_TEST

START_TEST(binary)
{
	imaptest_say(&c, "a FETCH 2 (BINARY.SIZE[1] BINARY.PEEK[1])", "\\* 2 FETCH \\(BINARY.SIZE\\[1\\] 12 BINARY\\[1\\] \\{12\\}\nSch\xf6ne Gr\xfc\xdf" "e\\)\na OK .*\n");
	imaptest_say(&c, "b FETCH 2 BINARY.PEEK[3]<1.9>", "\\* 2 FETCH \\(BINARY\\[3\\]<1> \\{2\\}\n\x01\x02\\)\nb OK .*\n");
	imaptest_send(&c, "c FETCH 2 BINARY.PEEK[3]\r\n", 26);
	ck_assert_uint_ge(c.got.len, 37);
	ck_assert_int_eq(memcmp(c.got.s, "* 2 FETCH (BINARY[3] ~{3}\r\n\0\x01\x02)\r\nc OK", 37), 0);
	imaptest_say(&c, "d FETCH 2 BINARY.PEEK[7]", "\\* 2 FETCH \\(BINARY\\[7\\] NIL\\)\nd OK .*\n");
	imaptest_say(&c, "e FETCH 3 BINARY[]", "\\* 3 FETCH \\(BINARY\\[\\] \\{18\\}\nSubject: third\n\n FLAGS \\(\\\\Seen\\)\\)\ne OK .*\n");
	imaptest_say(&c, "f FETCH 3 BINARY[TEXT]", "f BAD .*\n");
	imaptest_append(&c, "INBOX", "", "Content-Transfer-Encoding: x-own\n\nx\n");
	imaptest_say(&c, "g FETCH 4 BINARY.PEEK[1]", "\\* 4 FETCH \\(BINARY\\[1\\] NIL\\)\ng NO \\[UNKNOWN-CTE\\] .*\n");
}
END_TEST

START_TEST(revision_two)
{
	imaptest_say(&c, "a ENABLE IMAP4rev2", "\\* ENABLED\na OK .*\n");
	srv.srv.rfc9051 = true;
	imaptest_say(&c, "b CAPABILITY", "\\* CAPABILITY IMAP4rev1 IMAP4rev2 .*\nb OK .*\n");
	imaptest_say(&c, "c SEARCH ALL", "\\* SEARCH 1 2 3\nc OK .*\n");
	imaptest_say(&c, "d ENABLE IMAP4rev2", "\\* ENABLED IMAP4rev2\nd OK .*\n");
	imaptest_say(&c, "e SEARCH ALL", "\\* ESEARCH \\(TAG \"e\"\\) ALL 1:3\ne OK .*\n");
	imaptest_say(&c, "f CREATE \"T&\xc3\x84-\"", "f OK .*\n");
	imaptest_say(&c, "g LIST \"\" T*", "\\* LIST \\([^)]*\\) \"/\" \"T&\xc3\x84-\"\ng OK .*\n");
	imaptest_say(&c, "h SELECT inbox", "\\* OK \\[CLOSED\\] .*\n\\* FLAGS .*\n\\* OK .*\n\\* 3 EXISTS\n(\\* OK .*\n)*\\* LIST \\(\\) \"/\" \"INBOX\"\nh OK .*\n");
	imaptest_say(&c, "i STORE 1 +FLAGS.SILENT (\\Deleted)", "i OK .*\n");
	imaptest_say(&c, "j STATUS INBOX (DELETED)", "\\* STATUS \"INBOX\" \\(DELETED 1\\)\nj OK .*\n");
	imaptest_say(&c, "k SELECT \"\xff\"", "k BAD .*\n");
	imaptest_say(&c, "l APPEND INBOX ~{3+}\r\na\r\n", "\\* 4 EXISTS\nl OK .*\n");
}
END_TEST

START_TEST(body_without_extensions)
{
	static const struct {
		const char *structure, *body;
	} t[] = {
		{"(\"text\" \"plain\" (\"charset\" \"a)b\") NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)", "(\"text\" \"plain\" (\"charset\" \"a)b\") NIL NIL \"7bit\" 5 1)"},
		{"(\"image\" \"png\" NIL NIL {3}\r\na)( \"base64\" 5 NIL NIL NIL NIL)", "(\"image\" \"png\" NIL NIL {3}\r\na)( \"base64\" 5)"},
		{"((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)(\"text\" \"html\" NIL NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL) \"alternative\" (\"boundary\" \"x\") NIL NIL NIL)",
			"((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)(\"text\" \"html\" NIL NIL NIL \"7bit\" 5 1) \"alternative\")"},
		{"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 50 (NIL \"(\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)",
			"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 50 (NIL \"(\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1) 3)"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); ++i) {
		struct gx_push out = GX_PUSH_INIT;
		size_t n = strlen(t[i].structure);
		char *exact = gxtest_exact(t[i].structure, n);
		gx_imap__put_body(&out, &(struct gx_bin){(const uint8_t *)exact, n});
		gx_push_u8(&out, 0);
		ck_assert_str_eq((char *)out.data, t[i].body);
		free(exact);
		for (size_t cut = 0; cut < n; ++cut) { /* never looks past the end */
			exact = gxtest_exact(t[i].structure, cut);
			gx_push_clear(&out);
			gx_imap__put_body(&out, &(struct gx_bin){(const uint8_t *)exact, cut});
			free(exact);
		}
		gx_push_release(&out);
	}
	imaptest_say(&c, "a FETCH 2 (BODY BODYSTRUCTURE)", "\\* 2 FETCH \\(BODY \\(\\(\"text\" \"plain\" \\(\"charset\" \"iso-8859-1\"\\) NIL NIL \"quoted-printable\" 18 [01]\\)"
		"\\(\"message\" \"rfc822\" .*\\)\\(\"application\" \"octet-stream\" .*\\) \"mixed\"\\) BODYSTRUCTURE .*\\)\na OK .*\n");
}
END_TEST

START_TEST(reading_marks_as_seen)
{
	imaptest_say(&c, "a FETCH 3 BODY.PEEK[]", "\\* 3 FETCH \\(BODY\\[\\] \\{18\\}\nSubject: third\n\n\\)\na OK .*\n");
	imaptest_say(&c, "b FETCH 3 FLAGS", "\\* 3 FETCH \\(FLAGS \\(\\)\\)\nb OK .*\n");
	imaptest_say(&c, "c FETCH 1:3 BODY[HEADER.FIELDS (SUBJECT)]", "\\* 1 FETCH \\(BODY\\[.*\\)\n\\* 2 FETCH \\(BODY\\[.* FLAGS \\(\\\\Flagged \\\\Seen custom\\)\\)\n"
		"\\* 3 FETCH \\(BODY\\[.* FLAGS \\(\\\\Seen\\)\\)\nc OK .*\n");
	imaptest_say(&c, "d FETCH 3 RFC822", "\\* 3 FETCH \\(RFC822 \\{18\\}\nSubject: third\n\n\\)\nd OK .*\n");
	imaptest_say(&c, "e STATUS INBOX (UNSEEN)", "\\* STATUS \"INBOX\" \\(UNSEEN 0\\)\ne OK .*\n");
}
END_TEST

START_TEST(many_bytes_in_slices)
{
	size_t n = 9 * 1024 * 1024;
	char *m = malloc(n + 100), *reply = NULL;
	int head = snprintf(m, 100, "Subject: large\r\n\r\n");
	for (size_t i = (size_t)head; i < n; ++i)
		m[i] = i % 71 == 70 ? '\n' : (char)('a' + i * 7 % 23);
	char cmd[64];
	int k = snprintf(cmd, sizeof(cmd), "a APPEND INBOX {%zu}\r\n", n);
	gx_strbuf_clear(&c.got);
	imaptest_send(&c, cmd, (size_t)k);
	imaptest_expect(&c, "large", "\\+ .*\n");
	imaptest_send(&c, m, n);
	imaptest_send(&c, "\r\n", 2);
	imaptest_expect(&c, "large", "(\\*.*\n)*a OK \\[APPENDUID .*\n");
	c.most_out = 0;
	imaptest_send(&c, "b FETCH 4 BODY.PEEK[]\r\n", 23);
	ck_assert_uint_le(c.most_out, 3 * 1024 * 1024);
	reply = strstr(c.got.s, "}\r\n");
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_ge(c.got.len, n);
	ck_assert_int_eq(memcmp(reply + 3, m, n), 0);
	ck_assert_int_eq(memcmp(reply + 3 + n, ")\r\nb OK", 7), 0);
	imaptest_say(&c, "c FETCH 4 BODY.PEEK[TEXT]<5000000.4>", "\\* 4 FETCH \\(BODY\\[TEXT\\]<5000000> \\{4\\}\n....\\)\nc OK .*\n");
	free(m);
}
END_TEST

START_TEST(search_keys)
{
	static const struct {
		const char *keys, *found;
	} t[] = {
		{"ALL", " 1 2 3"}, {"SEEN", " 1"}, {"UNSEEN", " 2 3"}, {"FLAGGED", " 2"}, {"KEYWORD custom", " 2"}, {"UNKEYWORD CUSTOM", " 1 3"},
		{"KEYWORD $Forwarded", ""}, {"NEW", ""}, {"OLD", " 1 2 3"}, {"RECENT", ""}, {"1,3", " 1 3"}, {"UID 2:*", " 2 3"}, {"NOT 2", " 1 3"},
		{"OR 1 FLAGGED", " 1 2"}, {"(1:2 UNSEEN)", " 2"}, {"NOT (OR SEEN FLAGGED)", " 3"}, {"LARGER 100", " 1 2"}, {"SMALLER 100", " 3"},
		{"SUBJECT plain", " 1"}, {"SUBJECT \"\"", " 1 2 3"}, {"CHARSET UTF-8 SUBJECT \"gr\xc3\xbc\xc3\x9f" "E\"", " 2"},
		{"CHARSET ISO-8859-1 SUBJECT {6+}\r\nGr\xfc\xdf" "e ", " 2"}, {"FROM anna@example.org", " 1"}, {"FROM j\xc3\xb6rg", " 2"},
		{"TO ben", " 1"}, {"CC x", ""}, {"BCC x", ""}, {"HEADER X-Long \"a b\"", " 1"}, {"HEADER x-long \"\"", " 1"}, {"HEADER Message-ID 1@ex", " 1"},
		{"HEADER X-None \"\"", ""}, {"BODY hello", " 1"}, {"BODY \"sch\xc3\xb6ne gr\xc3\xbc\xc3\x9f" "e\"", " 2"}, {"BODY inner", " 2"}, {"TEXT \"plain one\"", " 1"},
		{"BODY \"plain one\"", ""}, {"TEXT joerg@", " 2"}, {"BEFORE 2-Feb-2024", " 1"}, {"ON 20-Nov-2026", " 2"}, {"SINCE 20-Nov-2026", " 2 3"},
		{"SENTON 22-Nov-2026", " 1"}, {"SENTBEFORE 22-Nov-2026", " 2"}, {"SENTSINCE 1-Jan-2020", " 1 2"}, {"OLDER 100000", " 1 2"}, {"YOUNGER 3600", " 3"},
		{"UNDELETED UNDRAFT UNANSWERED", " 1 2 3"},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); ++i) {
		char *cmd = gx_arena_printf(srv.arena, "a SEARCH %s", t[i].keys);
		imaptest_say(&c, cmd, gx_arena_printf(srv.arena, "\\* SEARCH%s\na OK .*\n", t[i].found));
	}
	imaptest_say(&c, "b UID SEARCH 2", "\\* SEARCH 2\nb OK .*\n");
	imaptest_say(&c, "c SEARCH CHARSET X-NONE ALL", "c NO \\[BADCHARSET .*\\] .*\n");
	imaptest_say(&c, "d SEARCH MODSEQ 1", "\\* OK \\[HIGHESTMODSEQ .*\n\\* SEARCH 1 2 3 \\(MODSEQ [0-9]+\\)\nd OK .*\n");
	imaptest_say(&c, "e SEARCH FOO", "e BAD .*\n");
	imaptest_say(&c, "f SEARCH", "f BAD .*\n");
	imaptest_say(&c, "g SEARCH OR 1", "g BAD .*\n");
	imaptest_say(&c, "h SEARCH 9", "h BAD .*\n");
	imaptest_say(&c, "i SEARCH (ALL", "i BAD .*\n");
	imaptest_say(&c, "j SEARCH BEFORE yesterday", "j BAD .*\n");
}
END_TEST

START_TEST(extended_search)
{
	imaptest_say(&c, "a SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN", "\\* ESEARCH \\(TAG \"a\"\\) MIN 2 MAX 3 COUNT 2 ALL 2:3\na OK .*\n");
	imaptest_say(&c, "b UID SEARCH RETURN () 1", "\\* ESEARCH \\(TAG \"b\"\\) UID ALL 1\nb OK .*\n");
	imaptest_say(&c, "c SEARCH RETURN (COUNT) BODY nothing", "\\* ESEARCH \\(TAG \"c\"\\) COUNT 0\nc OK .*\n");
	imaptest_say(&c, "d SEARCH RETURN (SAVE) UNSEEN", "d OK .*\n");
	imaptest_say(&c, "e FETCH $ UID", "\\* 2 FETCH \\(UID 2\\)\n\\* 3 FETCH \\(UID 3\\)\ne OK .*\n");
	imaptest_say(&c, "f SEARCH RETURN (SAVE MIN) ALL", "\\* ESEARCH \\(TAG \"f\"\\) MIN 1\nf OK .*\n");
	imaptest_say(&c, "g UID SEARCH $", "\\* SEARCH 1\ng OK .*\n");
	imaptest_say(&c, "h SEARCH RETURN (SAVE) KEYWORD nothing", "h OK .*\n");
	imaptest_say(&c, "i FETCH $ UID", "i OK .*\n");
}
END_TEST

START_TEST(nested_too_deeply)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "a SEARCH ");
	for (int i = 0; i < 20000; ++i)
		gx_strbuf_addc(&b, '(');
	imaptest_say(&c, gx_strbuf_cstr(&b), "a BAD Nested too deeply\n");
	gx_strbuf_clear(&b);
	gx_strbuf_adds(&b, "b SEARCH");
	for (int i = 0; i < 10000; ++i)
		gx_strbuf_adds(&b, " NOT");
	imaptest_say(&c, gx_strbuf_cstr(&b), "b BAD .*\n");
	gx_strbuf_release(&b);
}
END_TEST

static Suite *fetch_suite(void)
{
	Suite *s = suite_create("imap_fetch");
	TCase *t = tcase_create("fetch");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, attributes);
	tcase_add_test(t, sections);
	tcase_add_test(t, binary);
	tcase_add_test(t, revision_two);
	tcase_add_test(t, body_without_extensions);
	tcase_add_test(t, reading_marks_as_seen);
	tcase_add_test(t, many_bytes_in_slices);
	tcase_add_test(t, search_keys);
	tcase_add_test(t, extended_search);
	tcase_add_test(t, nested_too_deeply);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(fetch_suite)
