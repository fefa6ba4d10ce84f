/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include "smtp-test.h"

static struct smtp_test t;

static void start(void)
{
	smtp_test_init(&t);
	smtp_test_run(&t);
}

static void say(const char *text)
{
	smtp_test_feed(&t, text, strlen(text));
}

/** The answers since the last call. */
static const char *heard(void)
{
	static char text[65536];
	ck_assert_uint_lt(t.out.len, sizeof(text));
	memcpy(text, gx_strbuf_cstr(&t.out), t.out.len + 1);
	gx_strbuf_clear(&t.out);
	return text;
}

static void expect(const char *command, const char *answer)
{
	say(command);
	const char *got = heard();
	ck_assert_msg(strncmp(got, answer, strlen(answer)) == 0, "'%s' gave '%s', not '%s'", command, got, answer);
}

static void lmtp_hello(void)
{
	start();
	expect("LHLO client.example.net\r\n", "220 mx.example.org ");
}

static const char conversation[] =
	"LHLO client.example.net\r\nMAIL FROM:<s@example.net> SIZE=20 BODY=8BITMIME\r\nRCPT TO:<a@example.org>\r\n"
	"RCPT TO:<nobody@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\n"
	"MAIL FROM:<>\r\nRCPT TO:<d@example.org>\r\nBDAT 4\r\nA\r\n.BDAT 4 LAST\r\n.\r\nBQUIT\r\n";
static const char conversation_answers[] =
	"220 mx.example.org ESMTP LMTP ready\r\n"
	"250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 4000000\r\n250-STARTTLS\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
	"250-CHUNKING\r\n250 ENHANCEDSTATUSCODES\r\n"
	"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 <nobody@example.org> No such user here\r\n250 2.1.5 Ok\r\n"
	"354 End with <CRLF>.<CRLF>\r\n250 2.0.0 <a@example.org> Ok, kept\r\n250 2.0.0 <c@example.org> Ok, kept\r\n"
	"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 4 bytes taken\r\n250 2.0.0 <d@example.org> Ok, kept\r\n221 2.0.0 Bye\r\n";
static const char conversation_kept[] =
	"s@example.net>a@example.org,c@example.org:Subject: x\r\n\r\n.dot\r\n>d@example.org:A\r\n..\r\nB";

START_TEST(pipelined_and_in_pieces)
{
	size_t n = strlen(conversation);
	for (size_t piece = 1; piece <= n; piece = piece < 20 ? piece + 1 : piece * 2) {
		start();
		for (size_t off = 0; off < n; off += piece) {
			size_t k = n - off < piece ? n - off : piece;
			char *p = gxtest_exact(conversation + off, k);
			smtp_test_feed(&t, p, k);
			free(p);
		}
		ck_assert_str_eq(gx_strbuf_cstr(&t.out), conversation_answers);
		ck_assert_str_eq(gx_strbuf_cstr(&t.kept), conversation_kept);
		ck_assert_int_eq(t.want, GX_WANT_CLOSE);
		smtp_test_release(&t);
	}
}
END_TEST

START_TEST(every_cut_is_survived)
{
	size_t n = strlen(conversation);
	for (size_t cut = 0; cut <= n; ++cut) {
		start();
		smtp_test_feed(&t, conversation, cut);
		t.io.events |= GX_IO_EOF;
		smtp_test_run(&t);
		ck_assert_int_eq(t.want, GX_WANT_CLOSE);
		ck_assert_mem_eq(gx_strbuf_cstr(&t.kept), conversation_kept, t.kept.len);
		smtp_test_release(&t);
	}
}
END_TEST

static void begin_to(const char *rcpt)
{
	char line[200];
	expect("MAIL FROM:<s@example.net>\r\n", "250 ");
	snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", rcpt);
	expect(line, "250 ");
}

static void send_message(const char *bytes, size_t n, const char *answer)
{
	begin_to("a@example.org");
	expect("DATA\r\n", "354 ");
	smtp_test_feed(&t, bytes, n);
	expect("", answer);
}

/* What is sent, what is kept in LMTP, and what SMTP says to it. */
static const struct {
	const char *sent, *kept, *smtp;
} bodies[] = {
	{".\r\n", "", "250 "},
	{"a\r\n.\r\n", "a\r\n", "250 "},
	{"..\r\n.\r\n", ".\r\n", "250 "},
	{".a\r\n.\r\n", "a\r\n", "250 "},
	{"\r\n\r\n.\r\n", "\r\n\r\n", "250 "},
	{"a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", "554 5.6.0"},
	{"a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "554 5.6.0"},
	{"a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "554 5.6.0"},
	{"a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "250 "},
	{"a\n..\nb\r\n.\r\n", "a\n..\nb\r\n", "250 "},
	{"a\n.b\n.c\r\n.\r\n", "a\n.b\n.c\r\n", "250 "},
	{"a\r.\r\r\n.\r\n", "a\r.\r\r\n", "250 "},
	{"bare\nlines\n\r\n.\r\n", "bare\nlines\n\r\n", "250 "},
	{"\n.\r\n\r\n.\r\n", "\n.\r\n\r\n", "554 5.6.0"},
};

START_TEST(only_crlf_dot_crlf_ends)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); ++i) {
		for (int smtp = 0; smtp < 2; ++smtp) {
			for (size_t piece = 1; piece < 9; piece += 3) {
				size_t n = strlen(bodies[i].sent);
				start();
				expect(smtp ? "EHLO c\r\n" : "LHLO c\r\n", "220 ");
				begin_to("a@example.org");
				expect("DATA\r\n", "354 ");
				for (size_t off = 0; off < n; off += piece)
					smtp_test_feed(&t, bodies[i].sent + off, n - off < piece ? n - off : piece);
				expect("", smtp ? bodies[i].smtp : "250 ");
				if (!smtp)
					ck_assert_str_eq(strchr(gx_strbuf_cstr(&t.kept), ':') + 1, bodies[i].kept);
				expect("NOOP\r\n", "250 ");
				smtp_test_release(&t);
			}
		}
	}
}
END_TEST

START_TEST(bytes_are_kept_as_they_are)
{
	static const char msg[] = "Sub\0ject: \xff\xfe\r\n\r\n\0\0\r\rx\n\n\t\x80\r\n.\r\n";
	lmtp_hello();
	send_message(msg, sizeof(msg) - 1, "250 ");
	const char *colon = strchr(gx_strbuf_cstr(&t.kept), ':');
	ck_assert_uint_eq(t.kept.len - (size_t)(colon + 1 - t.kept.s), sizeof(msg) - 1 - 3);
	ck_assert_mem_eq(colon + 1, msg, sizeof(msg) - 1 - 3);
	smtp_test_release(&t);
}
END_TEST

START_TEST(smtp_adds_a_trace)
{
	start();
	expect("EHLO client.example.net\r\n", "220 ");
	send_message("Subject: y\r\n\r\n.\r\n", 17, "250 2.0.0 Ok");
	ck_assert_str_eq(gx_strbuf_cstr(&t.kept), "s@example.net>a@example.org:Return-Path: <s@example.net>\r\n"
		"Received: from client.example.net ([192.0.2.7])\r\n\tby mx.example.org with ESMTP id 6553f100.7;\r\n"
		"\tTue, 14 Nov 2023 22:13:20 +0000\r\nSubject: y\r\n\r\n");
	smtp_test_release(&t);
}
END_TEST

START_TEST(order_of_commands)
{
	start();
	expect("MAIL FROM:<a@b>\r\n", "220 mx.example.org ESMTP LMTP ready\r\n503 5.5.1");
	expect("RCPT TO:<a@b>\r\n", "503 5.5.1");
	expect("LHLO\r\n", "501 5.5.4");
	expect("LHLO c\r\n", "250-");
	expect("RCPT TO:<a@b>\r\n", "503 5.5.1 MAIL");
	expect("DATA\r\n", "503 5.5.1 MAIL");
	expect("MAIL FROM:<a@b>\r\n", "250 ");
	expect("MAIL FROM:<a@b>\r\n", "503 5.5.1");
	expect("DATA\r\n", "503 5.5.1 No valid");
	expect("RCPT TO:<n@b>\r\n", "550 5.1.1 <n@b>");
	expect("RCPT TO:<full@b>\r\n", "552 5.2.2");
	expect("RCPT TO:<s@b>\r\n", "550 5.2.1");
	expect("RCPT TO:<busy@b>\r\n", "451 4.3.0");
	expect("DATA\r\n", "503 5.5.1 No valid");
	expect("RSET\r\n", "250 ");
	expect("RCPT TO:<a@b>\r\n", "503 5.5.1");
	expect("NOOP x\r\n", "250 ");
	expect("VRFY a\r\n", "252 ");
	expect("EXPN a\r\n", "502 ");
	expect("HELP\r\n", "214 ");
	expect("FOO\r\n", "500 5.5.2");
	expect("DATAX\r\n", "500 5.5.2");
	expect("NOOP\n", "250 ");
	expect("quit\r\n", "221 ");
	ck_assert_int_eq(t.want, GX_WANT_CLOSE);
	smtp_test_release(&t);
}
END_TEST

START_TEST(protocols_are_kept_apart)
{
	start();
	t.srv.smtp = false;
	expect("EHLO c\r\n", "220 ");
	expect("HELO c\r\n", "500 5.5.1");
	expect("LHLO c\r\n", "250-");
	smtp_test_release(&t);
	start();
	t.srv.lmtp = false;
	expect("LHLO c\r\n", "220 mx.example.org ESMTP LMTP ready\r\n500 5.5.1");
	expect("HELO c\r\n", "250 mx.example.org\r\n");
	expect("MAIL FROM:<a@b> SIZE=3\r\n", "555 ");
	smtp_test_release(&t);
}
END_TEST

static const struct {
	const char *arg, *answer, *kept;
} paths[] = {
	{"<a@b.example>", "250 ", "a@b.example"},
	{" <a@b.example>", "250 ", "a@b.example"},
	{"<a@b.example.>", "250 ", "a@b.example"},
	{"<@x,@y:a@b.example>", "250 ", "a@b.example"},
	{"<\"a\"@b.example>", "250 ", "a@b.example"},
	{"<\"a b\\\"c\"@b.example>", "250 ", "\"a b\\\"c\"@b.example"},
	{"<a+x.y@[192.0.2.1]>", "250 ", "a+x.y@[192.0.2.1]"},
	{"<postmaster>", "250 ", "postmaster"},
	{"<a..b@c>", "250 ", "\"a..b\"@c"},
	{"<>", "501 ", NULL},
	{"<@>", "501 ", NULL},
	{"<a@>", "501 ", NULL},
	{"<a@b", "501 ", NULL},
	{"a@b", "501 ", NULL},
	{"<a@b>x", "555 ", NULL},
	{"<a b@c>", "501 ", NULL},
	{"<\"a@b>", "501 ", NULL},
	{"<\"a\\", "501 ", NULL},
	{"<@x:", "501 ", NULL},
	{"<a@[192>", "501 ", NULL},
	{"<a@-b>", "501 ", NULL},
	{"<a@b> NOTIFY=NEVER", "555 ", NULL},
	{"<\xc3\xa4@b>", "553 5.6.7", NULL},
};

START_TEST(addresses)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); ++i) {
		char line[200];
		lmtp_hello();
		expect("MAIL FROM:<>\r\n", "250 ");
		snprintf(line, sizeof(line), "RCPT TO:%s\r\n", paths[i].arg);
		expect(line, paths[i].answer);
		if (paths[i].kept != NULL) {
			expect("DATA\r\n.\r\n", "354 ");
			snprintf(line, sizeof(line), ">%s:", paths[i].kept);
			ck_assert_str_eq(gx_strbuf_cstr(&t.kept), line);
		}
		smtp_test_release(&t);
	}
}
END_TEST

START_TEST(parameters_of_mail)
{
	static const char *const v[][2] = {
		{"<a@b> SIZE=4000000", "250 "}, {"<a@b> SIZE=4000001", "552 5.3.4"}, {"<a@b> SIZE=99999999999999999999", "552 "},
		{"<a@b> SIZE=", "501 "}, {"<a@b> SIZE", "501 "}, {"<a@b> SIZE=-1", "501 "}, {"<a@b> SIZE=999999999999999999999", "501 "},
		{"<a@b> BODY=7bit", "250 "}, {"<a@b> BODY=BINARYMIME", "501 "}, {"<a@b> FOO=1", "555 "}, {"<a@b>SIZE=1", "501 "},
		{"<\xc3\xa4@b> SMTPUTF8", "250 "}, {"<\xc3\xa4@b>", "553 "}, {"<\xc3@b> SMTPUTF8", "553 "}, {"<a@b> SMTPUTF8=1", "555 "},
		{"<\xed\xa0\x80@b> SMTPUTF8", "553 "}, {"<\xf4\x90\x80\x80@b> SMTPUTF8", "553 "}, {"", "501 "},
	};
	char line[200];
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); ++i) {
		lmtp_hello();
		snprintf(line, sizeof(line), "MAIL FROM:%s\r\n", v[i][0]);
		heard();
		expect(line, v[i][1]);
		smtp_test_release(&t);
	}
}
END_TEST

START_TEST(sizes_are_kept)
{
	lmtp_hello();
	t.srv.max_message = 1000;
	begin_to("a@example.org");
	expect("DATA\r\n", "354 ");
	for (int i = 0; i < 30; ++i)
		say("012345678901234567890123456789012345678901234567\r\n");
	expect(".\r\n", "552 5.3.4 <a@example.org>");
	begin_to("a@example.org");
	expect("BDAT 900\r\n", "");
	for (int i = 0; i < 90; ++i)
		say("0123456789");
	ck_assert_str_eq(heard(), "250 2.0.0 900 bytes taken\r\n");
	expect("BDAT 101 LAST\r\n", "");
	for (int i = 0; i < 101; ++i)
		say("x");
	expect("", "552 5.3.4");
	ck_assert_uint_eq(t.messages, 0);
	expect("RSET\r\n", "250 ");
	t.budget = 0;
	expect("MAIL FROM:<a@b>\r\n", "452 4.3.1");
	smtp_test_release(&t);
}
END_TEST

START_TEST(large_messages_go_to_a_file)
{
	static char line[1002];
	memset(line, 'l', 1000);
	line[998] = '\r';
	line[999] = '\n';
	for (int round = 0; round < 3; ++round) {
		lmtp_hello();
		t.budget = 3 << 20;
		t.no_spool = round == 1;
		begin_to("a@example.org");
		expect("DATA\r\n", "354 ");
		unsigned workers = t.workers;
		for (int i = 0; i < 3000; ++i)
			smtp_test_feed(&t, line, 1000);
		ck_assert(round == 1 || t.workers > workers);
		ck_assert_uint_le(t.reserved, GX_SMTP_SPOOL_ABOVE);
		if (round == 2)
			t.flush_err = GX_E_NOSPACE;
		expect(".\r\n", round == 0 ? "250 2.0.0" : round == 1 ? "45" : "452 4.3.1");
		if (round == 0)
			ck_assert_uint_eq(t.kept.len, strlen("s@example.net>a@example.org:") + 3000000);
		smtp_test_release(&t);
	}
}
END_TEST

START_TEST(failures_of_the_journal)
{
	lmtp_hello();
	t.submit_err = GX_E_NOSPACE;
	send_message(".\r\n", 3, "452 4.3.1 <a@example.org>");
	t.submit_err = 0;
	t.flush_err = GX_E_IO;
	send_message(".\r\n", 3, "451 4.3.0 <a@example.org>");
	t.flush_err = 0;
	send_message(".\r\n", 3, "250 2.0.0 <a@example.org>");
	smtp_test_release(&t);
	/* The connection goes away while the journal works. */
	lmtp_hello();
	t.hold = true;
	begin_to("a@example.org");
	expect("DATA\r\nx\r\n.\r\nNOOP\r\n", "354 ");
	ck_assert_int_eq(t.want, GX_WANT_WAIT);
	smtp_test_release(&t);
}
END_TEST

START_TEST(limits_end_in_answers)
{
	static char big[GX_SMTP_MAX_LINE * 3];
	memset(big, 'A', sizeof(big) - 1);
	lmtp_hello();
	say(big);
	expect("\r\n", "500 5.5.2 Line too long");
	expect("MAIL FROM:<a@b>\r\n", "250 ");
	for (int i = 0; i < 5; ++i)
		expect("RCPT TO:<a@b>\r\n", "250 ");
	expect("RCPT TO:<a@b>\r\n", "452 4.5.3");
	for (int i = 0; i < 19; ++i)
		expect("NONSENSE\r\n", "500 ");
	expect("NONSENSE\r\nNOOP\r\n", "500 5.5.2 Unknown command\r\n421 4.7.0");
	ck_assert_int_eq(t.want, GX_WANT_CLOSE);
	smtp_test_release(&t);
	lmtp_hello();
	heard();
	expect("BDAT 99999999999999999999999\r\n", "501 ");
	ck_assert_int_eq(t.want, GX_WANT_CLOSE);
	smtp_test_release(&t);
	lmtp_hello();
	expect("BDAT 5\r\nQUIT\nBDAT 2 LAST\r\nxx", "503 5.5.1 MAIL comes first\r\n503 5.5.1");
	smtp_test_release(&t);
}
END_TEST

START_TEST(timeout_and_shutdown)
{
	lmtp_hello();
	ck_assert_int_eq(t.io.deadline_ms, INT64_C(1700000000000) + 1000);
	t.io.events |= GX_IO_TIMEOUT;
	expect("", "421 4.4.2");
	ck_assert_int_eq(t.want, GX_WANT_CLOSE);
	smtp_test_release(&t);
	lmtp_hello();
	begin_to("a@example.org");
	t.io.events |= GX_IO_SHUTDOWN;
	expect("DATA\r\nx\r\n.\r\n", "354 End with <CRLF>.<CRLF>\r\n250 2.0.0 <a@example.org> Ok, kept\r\n421 4.3.2");
	ck_assert_int_eq(t.want, GX_WANT_CLOSE);
	smtp_test_release(&t);
}
END_TEST

START_TEST(starttls)
{
	start();
	t.srv.require_tls = true;
	expect("EHLO c\r\n", "220 ");
	expect("MAIL FROM:<a@b>\r\n", "530 5.7.0");
	/* What was sent along in the clear is dropped. */
	expect("STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b>\r\n", "220 2.0.0");
	ck_assert(t.io.events & GX_IO_TLS);
	ck_assert_str_eq(heard(), "");
	expect("MAIL FROM:<a@b>\r\n", "503 5.5.1 Say EHLO");
	say("EHLO c\r\n");
	ck_assert_ptr_null(strstr(heard(), "STARTTLS"));
	expect("STARTTLS\r\n", "503 ");
	expect("MAIL FROM:<a@b>\r\n", "250 ");
	smtp_test_release(&t);
}
END_TEST

static Suite *smtp_suite(void)
{
	Suite *s = suite_create("smtp");
	TCase *c = tcase_create("smtp");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, pipelined_and_in_pieces);
	tcase_add_test(c, every_cut_is_survived);
	tcase_add_test(c, only_crlf_dot_crlf_ends);
	tcase_add_test(c, bytes_are_kept_as_they_are);
	tcase_add_test(c, smtp_adds_a_trace);
	tcase_add_test(c, order_of_commands);
	tcase_add_test(c, protocols_are_kept_apart);
	tcase_add_test(c, addresses);
	tcase_add_test(c, parameters_of_mail);
	tcase_add_test(c, sizes_are_kept);
	tcase_add_test(c, large_messages_go_to_a_file);
	tcase_add_test(c, failures_of_the_journal);
	tcase_add_test(c, limits_end_in_answers);
	tcase_add_test(c, timeout_and_shutdown);
	tcase_add_test(c, starttls);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(smtp_suite)
