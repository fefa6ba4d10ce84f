/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: greeting, login, states, limits, literals, malformed input. */
#include <config.h>
#include "libgxproto/imap/imaptest.h"

static struct imaptest_server srv;
static struct imaptest_client c;

static void setup(void)
{
	imaptest_start(&srv);
	imaptest_connect(&srv, &c);
}

static void teardown(void)
{
	imaptest_close(&c);
	imaptest_stop(&srv);
}

START_TEST(greeting_and_simple_commands)
{
	imaptest_expect(&c, "greeting", "\\* OK \\[CAPABILITY IMAP4rev1 LITERAL\\+ SASL-IR ENABLE IDLE AUTH=PLAIN\\] mail.example.org ready\n");
	imaptest_say(&c, "a CAPABILITY", "\\* CAPABILITY IMAP4rev1 .*\na OK .*\n");
	imaptest_say(&c, "b noop", "b OK .*\n");
	imaptest_say(&c, "c ID NIL", "c BAD .*\n");
	imaptest_say(&c, "d SELECT INBOX", "d BAD Log in first\n");
	imaptest_say(&c, "e STARTTLS", "e BAD .*\n");
	imaptest_say(&c, "f LOGOUT", "\\* BYE .*\nf OK .*\n");
	ck_assert(c.closed);
}
END_TEST

START_TEST(login)
{
	imaptest_say(&c, "a LOGIN anna@example.org secret", "a OK \\[CAPABILITY IMAP4rev1 .* CONDSTORE .*\\] .*\n");
	imaptest_say(&c, "b LOGIN anna@example.org secret", "b BAD Already logged in\n");
	imaptest_say(&c, "c NAMESPACE", "\\* NAMESPACE \\(\\(\"\" \"/\"\\)\\) NIL NIL\nc OK .*\n");
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&srv.log_text), "login: service=imap user=<anna@example.org>"));
}
END_TEST

START_TEST(login_with_literals)
{
	imaptest_say(&c, "a LOGIN {16}", "\\+ .*\n");
	imaptest_say(&c, "anna@example.org {6}", "\\+ .*\n");
	imaptest_say(&c, "secret", "a OK .*\n");
}
END_TEST

START_TEST(wrong_password_waits)
{
	imaptest_say(&c, "a LOGIN anna@example.org wrong", "");
	ck_assert_int_eq(c.want, GX_WANT_WAIT);
	imaptest_wait(&c, 1999);
	imaptest_expect(&c, "still waiting", "");
	imaptest_wait(&c, 2);
	imaptest_expect(&c, "refused", "a NO \\[AUTHENTICATIONFAILED\\] .*\n");
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&srv.log_text),
		"auth failed: service=imap rhost=[192.0.2.7] user=anna@example.org login rejected: wrong password"));
	imaptest_say(&c, "b LOGIN nobody@example.org secret", "");
	imaptest_wait(&c, 2000);
	imaptest_expect(&c, "refused", "b NO \\[AUTHENTICATIONFAILED\\] .*\n");
	imaptest_say(&c, "c LOGIN anna@example.org secret", "c OK .*\n");
}
END_TEST

START_TEST(too_many_wrong_passwords)
{
	srv.srv.max_auth_tries = 2;
	imaptest_say(&c, "a LOGIN anna@example.org wrong", "");
	imaptest_wait(&c, 2000);
	imaptest_say(&c, "b LOGIN anna@example.org wrong", "");
	imaptest_wait(&c, 2000);
	imaptest_expect(&c, "end", "b NO .*\n\\* BYE .*\n");
	ck_assert(c.closed);
}
END_TEST

START_TEST(banned_after_failures)
{
	struct gx_authlimit_opts o = GX_AUTHLIMIT_OPTS_INIT;
	o.clock = &srv.clock;
	o.max_bans = 10;
	o.ban_after = 1;
	ck_assert_int_eq(gx_authlimit_new(&o, &srv.srv.authlimit), 0);
	imaptest_say(&c, "a LOGIN anna@example.org wrong", "");
	imaptest_wait(&c, 2000);
	imaptest_expect(&c, "refused", "a NO \\[AUTHENTICATIONFAILED\\] .*\n");
	imaptest_say(&c, "b LOGIN anna@example.org secret", "");
	imaptest_wait(&c, 2000);
	imaptest_expect(&c, "banned", "b NO \\[LIMIT\\] .*\n");
	imaptest_wait(&c, 61000);
	imaptest_say(&c, "c LOGIN anna@example.org secret", "c OK .*\n");
	gx_authlimit_free(srv.srv.authlimit);
}
END_TEST

START_TEST(authenticate_plain)
{
	/* NUL anna@example.org NUL secret */
	imaptest_say(&c, "a AUTHENTICATE PLAIN", "\\+ \n");
	imaptest_say(&c, "AGFubmFAZXhhbXBsZS5vcmcAc2VjcmV0", "a OK .*\n");
}
END_TEST

START_TEST(authenticate_plain_initial_and_errors)
{
	imaptest_say(&c, "a AUTHENTICATE CRAM-MD5", "a NO .*\n");
	imaptest_say(&c, "b AUTHENTICATE PLAIN", "\\+ \n");
	imaptest_say(&c, "*", "b BAD Cancelled\n");
	imaptest_say(&c, "c AUTHENTICATE PLAIN", "\\+ \n");
	imaptest_say(&c, "!!!", "c BAD .*\n");
	imaptest_say(&c, "d AUTHENTICATE PLAIN AGFubmE=", "d BAD .*\n");
	imaptest_say(&c, "e AUTHENTICATE PLAIN =", "e BAD .*\n");
	imaptest_say(&c, "f AUTHENTICATE PLAIN AGFubmFAZXhhbXBsZS5vcmcAc2VjcmV0", "f OK .*\n");
}
END_TEST

START_TEST(impersonation)
{
	struct gx_store *s;
	struct gx_txn *t;
	const char *why;
	const struct gx_actor system = GX_ACTOR_SYSTEM;
	imaptest_say(&c, "a LOGIN anna@example.org!ben@example.org secret", "");
	imaptest_wait(&c, 2000);
	imaptest_expect(&c, "refused", "a NO \\[AUTHORIZATIONFAILED\\] .*\n");
	char *dir = gx_arena_printf(srv.arena, "%s/ben", srv.root);
	ck_assert_int_eq(gx_store_pool_get(srv.pool, dir, &s, srv.arena, &why), 0);
	ck_assert_int_eq(gx_txn_begin(s, &system, GX_TXN_WRITE, 1000, &t), 0);
	ck_assert(!gx_ec_failed(gx_folder_set_permission(t, GX_FID_IPMSUBTREE, "anna@example.org", GX_RIGHTS_ALL, false)));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	gx_store_pool_put(srv.pool, s);
	imaptest_say(&c, "b LOGIN anna@example.org!ben@example.org wrong", "");
	imaptest_wait(&c, 2000);
	imaptest_expect(&c, "refused", "b NO .*\n");
	imaptest_say(&c, "c LOGIN anna@example.org!ben@example.org secret", "c OK .*\n");
	imaptest_append(&c, "INBOX", "", "Subject: for Ben\n\nx\n");
	struct imaptest_client ben;
	imaptest_connect(&srv, &ben);
	imaptest_login(&ben, "ben");
	imaptest_say(&ben, "s STATUS INBOX (MESSAGES)", "\\* STATUS \"INBOX\" \\(MESSAGES 1\\)\ns OK .*\n");
	imaptest_close(&ben);
}
END_TEST

START_TEST(tls_required)
{
	imaptest_close(&c);
	srv.srv.offer_starttls = srv.srv.require_tls = true;
	imaptest_connect(&srv, &c);
	imaptest_expect(&c, "greeting", "\\* OK \\[CAPABILITY .* STARTTLS LOGINDISABLED\\] .*\n");
	imaptest_say(&c, "a LOGIN anna@example.org secret", "a NO \\[PRIVACYREQUIRED\\] .*\n");
	imaptest_say(&c, "b AUTHENTICATE PLAIN AGFubmFAZXhhbXBsZS5vcmcAc2VjcmV0", "b NO \\[PRIVACYREQUIRED\\] .*\n");
	/* what a third party slips in behind STARTTLS must not be run */
	imaptest_say(&c, "c STARTTLS\r\nd LOGIN anna@example.org secret", "c OK .*\n");
	imaptest_say(&c, "e CAPABILITY", "\\* CAPABILITY .* AUTH=PLAIN\ne OK .*\n");
	imaptest_say(&c, "f LOGIN anna@example.org secret", "f OK .*\n");
}
END_TEST

START_TEST(malformed)
{
	static const char *const bad[] = {
		"(", "a", "a ", "* NOOP", "a{ NOOP", "a FOO", "a UID", "a UID NOOP", "a NOOP x", "a LOGIN", "a LOGIN x", "a SELECT",
		"a FETCH 1 FLAGS", "a STORE 1 FLAGS (\\Seen)", "a STATUS INBOX", "a STATUS INBOX ()", "a STATUS INBOX (FOO)",
		"a LIST \"\"", "a LIST (FOO) \"\" *", "a LIST (RECURSIVEMATCH) \"\" *", "a CREATE", "a RENAME x", "a ENABLE",
		"a APPEND INBOX x", "a APPEND INBOX (\\Seen) \"x\" {1}", "a SELECT INBOX (FOO)",
	};
	imaptest_login(&c, "anna");
	unsigned n = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); ++i) {
		if (++n == 18) {
			imaptest_close(&c);
			imaptest_connect(&srv, &c);
			imaptest_login(&c, "anna");
			n = 0;
		}
		imaptest_say(&c, bad[i], "(\\+ .*\n)?([*a]|a\\{) (BAD|NO) .*\n|\\+ .*\n");
		if (strchr(bad[i], '{') != NULL && bad[i][strlen(bad[i]) - 1] == '}')
			imaptest_say(&c, "x", "a (BAD|NO) .*\n");
		ck_assert(!c.closed);
	}
}
END_TEST

START_TEST(garbage_ends_the_connection)
{
	for (int i = 0; i < 30 && !c.closed; ++i)
		imaptest_send(&c, "\x01\xff(((\r\n", 7);
	ck_assert(c.closed);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&c.got), "* BYE Too many invalid commands"));
}
END_TEST

START_TEST(endless_line)
{
	char *big = malloc(100000);
	memset(big, 'a', 100000);
	imaptest_send(&c, big, 100000);
	ck_assert(c.closed);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&c.got), "* BYE Command too large"));
	free(big);
}
END_TEST

START_TEST(huge_literals)
{
	imaptest_say(&c, "a LOGIN {99999999}", "a BAD .*\n");
	imaptest_say(&c, "b LOGIN {18446744073709551616}", "b BAD .*\n");
	imaptest_say(&c, "c FOO {5}", "c BAD .*\n");
	/* a refused literal that comes anyway is skipped */
	char *big = calloc(1, 100100);
	int n = snprintf(big, 100, "d LOGIN {100000+}\r\n");
	memset(big + n, 'x', 100000);
	memcpy(big + n + 100000, "\r\n", 2);
	gx_strbuf_clear(&c.got);
	imaptest_send(&c, big, (size_t)n + 100002);
	imaptest_expect(&c, "skipped", "d BAD .*\n");
	free(big);
	imaptest_say(&c, "e NOOP", "e OK .*\n");
	imaptest_say(&c, "f LOGIN {99999999999+}", "\\* BYE .*\n");
}
END_TEST

START_TEST(message_too_big)
{
	srv.srv.max_literal = 1000;
	imaptest_login(&c, "anna");
	imaptest_say(&c, "a APPEND INBOX {1001}", "a NO \\[TOOBIG\\] .*\n");
	imaptest_say(&c, "b APPEND INBOX {0}", "b NO .*\n");
	imaptest_say(&c, "c NOOP", "c OK .*\n");
	imaptest_say(&c, "d APPEND {5}", "\\+ .*\n");
	imaptest_say(&c, "INBOX {1001}", "d NO \\[TOOBIG\\] .*\n");
}
END_TEST

START_TEST(byte_by_byte_and_pipelined)
{
	static const char script[] = "a LOGIN {16+}\r\nanna@example.org \"secret\"\r\nb SELECT INBOX\r\nc NOOP\r\nd LOGOUT\r\n";
	gx_strbuf_clear(&c.got);
	for (size_t i = 0; i < sizeof(script) - 1; ++i)
		imaptest_send(&c, script + i, 1);
	imaptest_expect(&c, "bytes", "a OK .*\n(\\*.*\n)*b OK \\[READ-WRITE\\] .*\nc OK .*\n\\* BYE .*\nd OK .*\n");
	ck_assert(c.closed);
	imaptest_close(&c);
	imaptest_connect(&srv, &c);
	gx_strbuf_clear(&c.got);
	imaptest_send(&c, script, sizeof(script) - 1);
	imaptest_expect(&c, "at once", "a OK .*\n(\\*.*\n)*b OK \\[READ-WRITE\\] .*\nc OK .*\n\\* BYE .*\nd OK .*\n");
}
END_TEST

START_TEST(time_outs)
{
	imaptest_wait(&c, 179 * 1000);
	ck_assert(!c.closed);
	imaptest_login(&c, "anna");
	imaptest_wait(&c, 29 * 60 * 1000);
	ck_assert(!c.closed);
	imaptest_wait(&c, 61 * 1000);
	ck_assert(c.closed);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&c.got), "* BYE Autologout"));
}
END_TEST

START_TEST(shutdown_and_eof)
{
	imaptest_login(&c, "anna");
	c.io.events |= GX_IO_SHUTDOWN;
	imaptest_pump(&c);
	ck_assert(c.closed);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&c.got), "* BYE Server is going down"));
	imaptest_close(&c);
	imaptest_connect(&srv, &c);
	c.io.events |= GX_IO_EOF;
	gx_strbuf_clear(&c.got);
	imaptest_send(&c, "a NOOP\r\n", 8);
	imaptest_expect(&c, "eof", "a OK .*\n");
	ck_assert(c.closed);
}
END_TEST

START_TEST(nothing_is_said_inside_an_answer)
{
	char *m = calloc(1, 5000001);
	memset(m, 'x', 5000000);
	imaptest_login(&c, "anna");
	imaptest_append(&c, "INBOX", "", m);
	imaptest_say(&c, "a SELECT INBOX", "(\\*.*\n)*a OK .*\n");
	/* the peer takes nothing: the engine stops in the middle and waits */
	gx_strbuf_clear(&c.got);
	ck_assert_int_eq(gx_iobuf_add(&c.io.in, "b FETCH 1 BODY[]\r\nc FETCH 1 BODY[]\r\n", 36), 0);
	c.io.out_high = 1000;
	c.io.out_pending = 500;
	enum gx_want w = srv.factory.ops->step(c.engine, &c.io);
	for (int i = 0; i < 20 && w != GX_WANT_INPUT && w != GX_WANT_CLOSE; ++i) {
		c.io.out_pending += c.io.out.len;
		gx_push_clear(&c.io.out);
		w = w == GX_WANT_DRAIN ? srv.factory.ops->step(c.engine, &c.io) : srv.factory.ops->work(c.engine, &c.io);
	}
	ck_assert_int_ne(w, GX_WANT_INPUT);
	c.io.events |= GX_IO_TIMEOUT | GX_IO_SHUTDOWN;
	gx_push_clear(&c.io.out);
	w = srv.factory.ops->step(c.engine, &c.io);
	ck_assert_int_eq(w, GX_WANT_CLOSE);
	ck_assert_uint_eq(c.io.out.len, 0);
	free(m);
}
END_TEST

START_TEST(id_enabled)
{
	srv.srv.enable_id = true;
	imaptest_say(&c, "a ID (\"name\" \"x\" \"os\" NIL)", "\\* ID \\(\"name\" .*\\)\na OK .*\n");
	imaptest_say(&c, "b ID NIL", "\\* ID .*\nb OK .*\n");
	imaptest_say(&c, "c ID (\"x\")", "c BAD .*\n");
	imaptest_say(&c, "d ID ()", "\\* ID .*\nd OK .*\n");
}
END_TEST

START_TEST(noise_before_the_login_buys_no_time)
{
	for (int i = 0; i < 3; ++i) { /* three minutes are the default */
		imaptest_say(&c, "a NOOP", "a OK .*\n");
		imaptest_wait(&c, 55000);
		ck_assert(!c.closed);
	}
	imaptest_say(&c, "b NOOP", "b OK .*\n");
	imaptest_wait(&c, 15001);
	ck_assert(c.closed);
}
END_TEST

START_TEST(simple_commands_need_no_worker)
{
	imaptest_login(&c, "anna");
	unsigned before = c.works;
	imaptest_say(&c, "a NOOP", "a OK .*\n");
	imaptest_say(&c, "b CAPABILITY", "(.*\n)*b OK .*\n");
	ck_assert_uint_eq(c.works, before);
}
END_TEST

static Suite *session_suite(void)
{
	Suite *s = suite_create("imap_session");
	TCase *t = tcase_create("session");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, greeting_and_simple_commands);
	tcase_add_test(t, login);
	tcase_add_test(t, login_with_literals);
	tcase_add_test(t, wrong_password_waits);
	tcase_add_test(t, too_many_wrong_passwords);
	tcase_add_test(t, banned_after_failures);
	tcase_add_test(t, authenticate_plain);
	tcase_add_test(t, authenticate_plain_initial_and_errors);
	tcase_add_test(t, impersonation);
	tcase_add_test(t, tls_required);
	tcase_add_test(t, malformed);
	tcase_add_test(t, garbage_ends_the_connection);
	tcase_add_test(t, endless_line);
	tcase_add_test(t, huge_literals);
	tcase_add_test(t, message_too_big);
	tcase_add_test(t, byte_by_byte_and_pipelined);
	tcase_add_test(t, time_outs);
	tcase_add_test(t, shutdown_and_eof);
	tcase_add_test(t, nothing_is_said_inside_an_answer);
	tcase_add_test(t, id_enabled);
	tcase_add_test(t, noise_before_the_login_buys_no_time);
	tcase_add_test(t, simple_commands_need_no_worker);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(session_suite)
