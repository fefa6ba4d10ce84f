/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that change messages, and what other sessions see of it. */
#include <config.h>
#include "libgxproto/imap/imaptest.h"

static struct imaptest_server srv;
static struct imaptest_client c, d;

static void setup(void)
{
	imaptest_start(&srv);
	imaptest_connect(&srv, &c);
	imaptest_login(&c, "anna");
	for (int i = 1; i <= 5; ++i)
		imaptest_append(&c, "INBOX", "", "Subject: x\n\nbody\n");
	imaptest_say(&c, "s SELECT INBOX", "(\\*.*\n)*s OK .*\n");
	imaptest_connect(&srv, &d);
	imaptest_login(&d, "anna");
	imaptest_say(&d, "s SELECT INBOX", "(\\*.*\n)*s OK .*\n");
}

static void teardown(void)
{
	imaptest_close(&d);
	imaptest_close(&c);
	imaptest_stop(&srv);
}

START_TEST(store_flags)
{
	imaptest_say(&c, "a STORE 1:2 +FLAGS (\\Seen work)", "\\* 1 FETCH \\(UID 1 FLAGS \\(\\\\Seen work\\)\\)\n\\* 2 FETCH \\(UID 2 FLAGS \\(\\\\Seen work\\)\\)\na OK .*\n");
	imaptest_say(&c, "b STORE 1 -FLAGS (work)", "\\* 1 FETCH \\(UID 1 FLAGS \\(\\\\Seen\\)\\)\nb OK .*\n");
	imaptest_say(&c, "c STORE 1 FLAGS \\Flagged \\Answered", "\\* 1 FETCH \\(UID 1 FLAGS \\(\\\\Answered \\\\Flagged\\)\\)\nc OK .*\n");
	imaptest_say(&c, "d UID STORE 3 +FLAGS.SILENT (\\Draft)", "d OK .*\n");
	imaptest_say(&c, "e FETCH 1:3 FLAGS", "\\* 1 FETCH \\(FLAGS \\(\\\\Answered \\\\Flagged\\)\\)\n\\* 2 FETCH \\(FLAGS \\(\\\\Seen work\\)\\)\n"
		"\\* 3 FETCH \\(FLAGS \\(\\\\Draft\\)\\)\ne OK .*\n");
	imaptest_say(&c, "f STORE 1 +FLAGS (\\Recent)", "f BAD .*\n");
	imaptest_say(&c, "g STORE 1 FLAGS ()", "\\* 1 FETCH \\(UID 1 FLAGS \\(\\)\\)\ng OK .*\n");
	imaptest_say(&c, "h STORE 1 FLAGS ()", "\\* 1 FETCH \\(UID 1 FLAGS \\(\\)\\)\nh OK .*\n");
	imaptest_say(&c, "i STORE 9 +FLAGS (\\Seen)", "i BAD .*\n");
	/* the other session hears of everything at its next command */
	imaptest_say(&d, "j NOOP", "(\\* 1 FETCH \\(UID 1 FLAGS \\(\\)\\)\n)?\\* 2 FETCH \\(UID 2 FLAGS \\(\\\\Seen work\\)\\)\n\\* 3 FETCH \\(UID 3 FLAGS \\(\\\\Draft\\)\\)\nj OK .*\n");
	imaptest_say(&d, "k NOOP", "k OK .*\n");
}
END_TEST

START_TEST(expunge)
{
	imaptest_say(&c, "a STORE 2,4 +FLAGS.SILENT (\\Deleted)", "a OK .*\n");
	imaptest_say(&c, "b EXPUNGE", "\\* 2 EXPUNGE\n\\* 3 EXPUNGE\nb OK .*\n");
	imaptest_say(&c, "c FETCH 1:* UID", "\\* 1 FETCH \\(UID 1\\)\n\\* 2 FETCH \\(UID 3\\)\n\\* 3 FETCH \\(UID 5\\)\nc OK .*\n");
	/* the other session keeps its numbers while FETCH, STORE, SEARCH run, [RFC 3501] 7.4.1 */
	imaptest_say(&d, "d FETCH 5 UID", "(\\* [24] FETCH .*\n)*\\* 5 FETCH \\(UID 5\\)\n(\\* [24] FETCH .*\n)*d OK .*\n");
	imaptest_say(&d, "e FETCH 2 BODY.PEEK[TEXT]", "(\\* 2 FETCH .*\n\\)\n)?e (OK|NO \\[EXPUNGEISSUED\\]) .*\n");
	imaptest_say(&d, "f SEARCH ALL", "\\* SEARCH 1 2 3 4 5\nf OK .*\n");
	imaptest_say(&d, "g STORE 2 +FLAGS (\\Seen)", "(\\* 2 FETCH .*\n)?g (OK|NO) .*\n");
	imaptest_say(&d, "h NOOP", "\\* 2 EXPUNGE\n\\* 3 EXPUNGE\nh OK .*\n");
	imaptest_say(&d, "i FETCH 1:* UID", "\\* 1 FETCH \\(UID 1\\)\n\\* 2 FETCH \\(UID 3\\)\n\\* 3 FETCH \\(UID 5\\)\ni OK .*\n");
}
END_TEST

START_TEST(uid_expunge_and_close)
{
	imaptest_say(&c, "a STORE 1:3 +FLAGS.SILENT (\\Deleted)", "a OK .*\n");
	imaptest_say(&c, "b UID EXPUNGE 2:9", "\\* 2 EXPUNGE\n\\* 2 EXPUNGE\nb OK .*\n");
	imaptest_say(&c, "c CLOSE", "c OK .*\n");
	imaptest_say(&c, "d STATUS INBOX (MESSAGES)", "\\* STATUS \"INBOX\" \\(MESSAGES 2\\)\nd OK .*\n");
	imaptest_say(&d, "e NOOP", "(\\* 1 EXPUNGE\n){3}e OK .*\n");
	imaptest_say(&d, "f STORE 1 +FLAGS.SILENT (\\Deleted)", "f OK .*\n");
	imaptest_say(&d, "g UNSELECT", "g OK .*\n");
	imaptest_say(&d, "h STATUS INBOX (MESSAGES)", "\\* STATUS \"INBOX\" \\(MESSAGES 2\\)\nh OK .*\n");
}
END_TEST

START_TEST(copy_and_move)
{
	imaptest_say(&c, "a CREATE box", "a OK .*\n");
	imaptest_say(&c, "b COPY 1:2,4 box", "b OK \\[COPYUID [0-9]+ 1:2,4 1:3\\] .*\n");
	imaptest_say(&c, "c UID MOVE 3:4 box", "\\* OK \\[COPYUID [0-9]+ 3:4 4:5\\] .*\n\\* 3 EXPUNGE\n\\* 3 EXPUNGE\nc OK .*\n");
	imaptest_say(&c, "d STATUS box (MESSAGES)", "\\* STATUS \"box\" \\(MESSAGES 5\\)\nd OK .*\n");
	imaptest_say(&c, "e COPY 1 nothing", "e NO \\[TRYCREATE\\] .*\n");
	imaptest_say(&c, "f MOVE 1 nothing", "f NO \\[TRYCREATE\\] .*\n");
	imaptest_say(&c, "g UID COPY 99 box", "g OK .*\n");
	imaptest_say(&c, "h COPY 99 box", "h BAD .*\n");
	imaptest_say(&c, "i COPY 1 INBOX", "(\\* 4 EXISTS\n)?i OK \\[COPYUID [0-9]+ 1 6\\] .*\n");
	imaptest_say(&d, "j NOOP", "\\* 3 EXPUNGE\n\\* 3 EXPUNGE\n\\* 4 EXISTS\nj OK .*\n");
	imaptest_say(&c, "k SELECT box", "(\\*.*\n)*\\* 5 EXISTS\n(\\*.*\n)*k OK .*\n");
	imaptest_say(&c, "l FETCH 5 BODY.PEEK[]", "\\* 5 FETCH \\(BODY\\[\\] \\{20\\}\nSubject: x\n\nbody\n\\)\nl OK .*\n");
}
END_TEST

START_TEST(append)
{
	imaptest_say(&c, "a APPEND nothing {3+}\r\na\r\n", "a NO \\[TRYCREATE\\] .*\n");
	imaptest_say(&c, "b APPEND INBOX (\\Seen \\Answered red $Forwarded) \"01-Jan-2020 00:00:00 +0000\" {14+}\r\nSubject: y\r\n\r\n",
		"\\* 6 EXISTS\nb OK \\[APPENDUID [0-9]+ 6\\] .*\n");
	imaptest_say(&c, "c FETCH 6 (FLAGS INTERNALDATE)", "\\* 6 FETCH \\(FLAGS \\(\\\\Answered \\\\Seen \\$Forwarded red\\) INTERNALDATE \" 1-Jan-2020 00:00:00 \\+0000\"\\)\nc OK .*\n");
	/* two messages in one command are not offered */
	imaptest_say(&c, "d APPEND INBOX {3+}\r\na\r\n {3+}\r\nb\r\n", "d BAD .*\n");
	imaptest_say(&c, "e NOOP", "e OK .*\n");
	imaptest_say(&c, "f APPEND {5+}\r\nINBOX {3+}\r\na\r\n", "\\* 7 EXISTS\nf OK \\[APPENDUID .*\n");
	imaptest_say(&c, "g FETCH 7 BODY[]", "\\* 7 FETCH \\(BODY\\[\\] \\{3\\}\na\n FLAGS \\(\\\\Seen\\)\\)\ng OK .*\n");
}
END_TEST

START_TEST(idle)
{
	imaptest_say(&c, "a IDLE", "\\+ .*\n");
	imaptest_append(&d, "INBOX", "", "Subject: new\n\n");
	ck_assert(atomic_load(&c.woken));
	imaptest_pump(&c);
	imaptest_expect(&c, "new message", "\\* 6 EXISTS\n");
	imaptest_say(&d, "b STORE 2 +FLAGS.SILENT (\\Seen)", "b OK .*\n");
	imaptest_pump(&c);
	imaptest_expect(&c, "flags", "\\* 2 FETCH \\(UID 2 FLAGS \\(\\\\Seen\\)\\)\n");
	imaptest_say(&d, "c STORE 1 +FLAGS.SILENT (\\Deleted)", "c OK .*\n");
	imaptest_say(&d, "d EXPUNGE", "\\* 1 EXPUNGE\nd OK .*\n");
	imaptest_pump(&c);
	imaptest_expect(&c, "expunge", "(\\* 1 FETCH .*\n)?\\* 1 EXPUNGE\n");
	imaptest_say(&c, "DONE", "a OK .*\n");
	imaptest_say(&c, "e NOOP", "e OK .*\n");
	imaptest_append(&d, "INBOX", "", "Subject: newer\n\n");
	imaptest_expect(&c, "not idle any more", "");
	imaptest_say(&c, "f IDLE", "\\+ .*\n\\* 6 EXISTS\n");
	imaptest_say(&c, "x", "f BAD .*\n");
}
END_TEST

START_TEST(condstore)
{
	imaptest_say(&c, "a ENABLE CONDSTORE FOO", "\\* ENABLED CONDSTORE\n\\* OK \\[HIGHESTMODSEQ [0-9]+\\] .*\na OK .*\n");
	imaptest_say(&c, "b STORE 1 +FLAGS (\\Seen)", "\\* 1 FETCH \\(UID 1 FLAGS \\(\\\\Seen\\) MODSEQ \\([0-9]+\\)\\)\nb OK .*\n");
	imaptest_send(&c, "x FETCH 1 MODSEQ\r\n", 18);
	const char *p = strstr(gx_strbuf_cstr(&c.got), "MODSEQ (");
	ck_assert_ptr_nonnull(p);
	unsigned long long mod = strtoull(p + 8, NULL, 10);
	gx_strbuf_clear(&c.got);
	/* the other session changes message 2: ours is refused where it is newer */
	imaptest_say(&d, "c STORE 2 +FLAGS.SILENT (\\Flagged)", "(\\* 1 FETCH .*\n)?c OK .*\n");
	imaptest_say(&c, gx_arena_printf(srv.arena, "d STORE 1:2 (UNCHANGEDSINCE %llu) +FLAGS.SILENT (\\Answered)", mod),
		"(\\* 2 FETCH .*\n)?\\* 1 FETCH \\(UID 1 MODSEQ \\([0-9]+\\)\\)\n(\\* 2 FETCH .*\n)?d OK \\[MODIFIED 2\\] .*\n");
	imaptest_say(&c, gx_arena_printf(srv.arena, "e FETCH 1:* (FLAGS) (CHANGEDSINCE %llu)", mod),
		"(\\* 2 FETCH .*\n)?\\* 1 FETCH \\(FLAGS \\(\\\\Answered \\\\Seen\\) MODSEQ \\([0-9]+\\)\\)\n\\* 2 FETCH \\(FLAGS \\(\\\\Flagged\\) MODSEQ \\([0-9]+\\)\\)\ne OK .*\n");
	imaptest_say(&c, gx_arena_printf(srv.arena, "f SEARCH MODSEQ \"/flags/\\\\draft\" all %llu", mod + 1), "\\* SEARCH 1 2 \\(MODSEQ [0-9]+\\)\nf OK .*\n");
	imaptest_say(&c, gx_arena_printf(srv.arena, "g UID STORE 3 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)"), "g OK \\[MODIFIED 3\\] .*\n");
	imaptest_say(&c, "h STORE 3 +FLAGS.SILENT (\\Deleted)", "\\* 3 FETCH \\(UID 3 MODSEQ \\([0-9]+\\)\\)\nh OK .*\n");
	imaptest_say(&c, "i EXPUNGE", "\\* 3 EXPUNGE\ni OK \\[HIGHESTMODSEQ [0-9]+\\] .*\n");
}
END_TEST

START_TEST(deleted_mailbox)
{
	imaptest_say(&c, "a CREATE gone", "a OK .*\n");
	imaptest_say(&d, "b SELECT gone", "(\\*.*\n)*b OK .*\n");
	imaptest_say(&c, "c DELETE gone", "c OK .*\n");
	imaptest_send(&d, "d NOOP\r\n", 8);
	ck_assert(d.closed);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&d.got), "* BYE The selected mailbox was deleted"));
}
END_TEST

START_TEST(cut_anywhere)
{
	static const char script[] = "a STORE 1 +FLAGS (\\Seen)\r\nb APPEND INBOX {4+}\r\nx\r\n\r\n\r\nc SEARCH SUBJECT {1+}\r\nx\r\nd FETCH 1 (FLAGS)\r\n";
	for (size_t i = 1; i < sizeof(script) - 1; ++i) {
		gx_strbuf_clear(&c.got);
		imaptest_send(&c, script, i);
		imaptest_send(&c, script + i, sizeof(script) - 1 - i);
		imaptest_expect(&c, "cut", "(\\*.*\n)*a OK .*\n(\\*.*\n)*b OK .*\n(\\*.*\n)*c OK .*\n(\\*.*\n)*d OK .*\n");
	}
}
END_TEST

static void setup_full(void)
{
	imaptest_most_messages = 5;
	setup();
}

static void teardown_full(void)
{
	teardown();
	imaptest_most_messages = 0;
}

/* max_store_message_count */
START_TEST(a_store_with_all_messages)
{
	imaptest_say(&c, "a CREATE box", "a OK .*\n");
	imaptest_say(&c, "b APPEND INBOX {3+}\r\na\r\n", "b NO \\[OVERQUOTA\\] .*\n");
	imaptest_say(&c, "c COPY 1:2 box", "c NO \\[OVERQUOTA\\] .*\n");
	ck_assert_ptr_null(strstr(gx_strbuf_cstr(&srv.log_text), "ecQuotaExceeded"));
	imaptest_say(&c, "d MOVE 1:2 box", "(\\*.*\n)*d OK .*\n");
	imaptest_say(&c, "e STATUS box (MESSAGES)", "\\* STATUS \"box\" \\(MESSAGES 2\\)\ne OK .*\n");
}
END_TEST

/* Somebody gives the message another subject. */
static void change_subject(uint32_t uid, const char *subject)
{
	struct gx_arena *a = gx_arena_new(0);
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct gx_imapview *v;
	struct gx_store *s;
	struct gx_txn *t;
	struct gx_proplist l = {0};
	const char *why;
	ck_assert_int_eq(gx_store_pool_get(srv.pool, gx_arena_printf(a, "%s/anna", srv.root), &s, a, &why), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, subject), 0);
	ck_assert(!gx_ec_failed(gx_imapview_open(s, &system, GX_FID_INBOX, &v)));
	uint64_t mid = gx_imapview_at(v, gx_imapview_lower(v, uid)).mid;
	gx_imapview_close(v);
	ck_assert_int_eq(gx_txn_begin(s, &system, GX_TXN_WRITE, 10000, &t), 0);
	ck_assert(!gx_ec_failed(gx_msg_set_props(t, mid, &l)));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	gx_store_pool_put(srv.pool, s);
	gx_arena_free(a);
}

/* What comes later is never shown under the UID of what was there, by a session that has not heard of it either. */
START_TEST(saved_anew)
{
	imaptest_say(&d, "a FETCH 2 BODY.PEEK[1]", "\\* 2 FETCH \\(BODY\\[1\\] \\{6\\}\nbody\n\\)\na OK .*\n");
	change_subject(2, "other");
	imaptest_say(&d, "b FETCH 2 BODY.PEEK[]", "(\\* [0-9]+ (EXISTS|RECENT)\n)*b NO \\[EXPUNGEISSUED\\] .*\n");
	imaptest_say(&d, "c FETCH 2 (UID ENVELOPE)", "(\\* [0-9]+ (EXISTS|RECENT)\n)*c NO \\[EXPUNGEISSUED\\] .*\n");
	imaptest_say(&d, "d FETCH 2 (BODY.PEEK[HEADER.FIELDS (SUBJECT)] FLAGS)", "(\\* [0-9]+ (EXISTS|RECENT)\n)*d NO \\[EXPUNGEISSUED\\] .*\n");
	imaptest_say(&d, "e FETCH 2 BINARY.PEEK[1]", "(\\* [0-9]+ (EXISTS|RECENT)\n)*e NO \\[EXPUNGEISSUED\\] .*\n");
	imaptest_say(&d, "f FETCH 2 BODY.PEEK[1]", "(\\* [0-9]+ (EXISTS|RECENT)\n)*f NO \\[EXPUNGEISSUED\\] .*\n");
	imaptest_say(&d, "g NOOP", "\\* 2 EXPUNGE\n(\\* .*\n)*g OK .*\n");
	imaptest_say(&d, "h FETCH 5 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "\\* 5 FETCH \\(UID 6 BODY.*\nSubject: other\n\n\\)\n(\\* 5 FETCH .*\n)*h OK .*\n");
	/* rendered, and saved once more */
	change_subject(6, "third");
	imaptest_say(&d, "i FETCH 5 BODY.PEEK[]", "(\\* [0-9]+ (EXISTS|RECENT)\n)*i NO \\[EXPUNGEISSUED\\] .*\n");
	imaptest_say(&d, "j NOOP", "\\* 5 EXPUNGE\n(\\* .*\n)*j OK .*\n");
	imaptest_say(&d, "k UID FETCH 7 ENVELOPE", "\\* 5 FETCH \\(ENVELOPE .*third.* UID 7\\)\n(\\* 5 FETCH .*\n)*k OK .*\n");
}
END_TEST

static Suite *change_suite(void)
{
	Suite *s = suite_create("imap_change");
	TCase *t = tcase_create("change");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, store_flags);
	tcase_add_test(t, expunge);
	tcase_add_test(t, uid_expunge_and_close);
	tcase_add_test(t, copy_and_move);
	tcase_add_test(t, append);
	tcase_add_test(t, saved_anew);
	tcase_add_test(t, idle);
	tcase_add_test(t, condstore);
	tcase_add_test(t, deleted_mailbox);
	tcase_add_test(t, cut_anywhere);
	suite_add_tcase(s, t);
	t = tcase_create("full");
	tcase_add_checked_fixture(t, setup_full, teardown_full);
	tcase_add_test(t, a_store_with_all_messages);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(change_suite)
