/* SPDX-License-Identifier: Apache-2.0 */
/* Names, folders, LIST, STATUS, SELECT. */
#include <config.h>
#include "libgxproto/imap/imaptest.h"
#include "libgxproto/imap/imap-int.h"

static struct imaptest_server srv;
static struct imaptest_client c;

static void setup(void)
{
	imaptest_start(&srv);
	imaptest_connect(&srv, &c);
	imaptest_login(&c, "anna");
}

static void teardown(void)
{
	imaptest_close(&c);
	imaptest_stop(&srv);
}

START_TEST(names_map_one_to_one)
{
	static const struct {
		const char *display, *part;
		bool top;
	} t[] = {
		{"Plain", "Plain", true}, {"a/b", "a%2Fb", false}, {"100%", "100%", true}, {"a%2Fb", "a%252Fb", true},
		{"a%252Fb", "a%25252Fb", true}, {"%25", "%25", true}, {"%", "%", true}, {"/", "%2F", true}, {"%2", "%2", false},
		{"Inbox", "%Inbox", true}, {"inbox", "inbox", false}, {"%INBOX", "%%INBOX", true}, {"//", "%2F%2F", false},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); ++i) {
		char *s;
		ck_assert_int_eq(gx_imap__name_encode(srv.arena, t[i].display, t[i].top, &s), 0);
		ck_assert_str_eq(s, t[i].part);
		ck_assert_int_eq(gx_imap__name_decode(srv.arena, t[i].part, strlen(t[i].part), t[i].top, &s), 0);
		ck_assert_str_eq(s, t[i].display);
	}
}
END_TEST

/* The definition, read aloud. */
static bool by_definition(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p != '*' && *p != '%')
		return *p == *s && by_definition(p + 1, s + 1);
	return by_definition(p + 1, s) || (*s != '\0' && (*p == '*' || *s != '/') && by_definition(p, s + 1));
}

START_TEST(random_patterns)
{
	char p[7], s[8];
	uint32_t r = 1;
	for (unsigned i = 0; i < 200000; ++i) {
		size_t np = r % 7, ns = r / 7 % 8;
		for (size_t k = 0; k < np; ++k)
			p[k] = "ab/**%%"[(r = r * 1664525 + 1013904223) >> 8 & 7 ? (r >> 12) % 7 : 3];
		for (size_t k = 0; k < ns; ++k)
			s[k] = "aab/"[(r = r * 1664525 + 1013904223) >> 20 & 3];
		p[np] = s[ns] = '\0';
		ck_assert_msg(gx_imap__pattern_match(p, s) == by_definition(p, s), "%s %s", p, s);
		r = (r * 1664525 + 1013904223) ^ r >> 9;
	}
}
END_TEST

START_TEST(patterns)
{
	static const struct {
		const char *pattern, *name;
		bool yes;
	} t[] = {
		{"*", "a/b", true}, {"%", "a/b", false}, {"%", "a", true}, {"%/%", "a/b", true}, {"a*b", "a/x/b", true}, {"a%b", "a/b", false},
		{"*%", "a/b", true}, {"%*", "a/b", true}, {"", "", true}, {"a", "A", false}, {"**%%**", "x/y/z", true}, {"a/%", "a/b/c", false},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); ++i)
		ck_assert_msg(gx_imap__pattern_match(t[i].pattern, t[i].name) == t[i].yes, "%s %s", t[i].pattern, t[i].name);
}
END_TEST

START_TEST(list_built_in)
{
	imaptest_say(&c, "a LIST \"\" \"\"", "\\* LIST \\(\\\\Noselect\\) \"/\" \"\"\na OK .*\n");
	imaptest_say(&c, "b LIST \"\" INBOX", "\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"INBOX\"\nb OK .*\n");
	imaptest_say(&c, "c LIST \"\" inbox", "\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"INBOX\"\nc OK .*\n");
	imaptest_say(&c, "d LIST (SPECIAL-USE) \"\" *",
		"(\\* LIST \\(\\\\HasNoChildren \\\\(Sent|Trash|Drafts|Junk)\\) \"/\" \"[A-Za-z ]+\"\n){4}d OK .*\n");
	imaptest_say(&c, "e LIST \"\" *", "(\\* LIST .*\n)+e OK .*\n");
	imaptest_say(&c, "f LIST \"\" (Calendar Contacts Tasks Notes Journal)", "f OK .*\n");
}
END_TEST

START_TEST(create_rename_delete)
{
	imaptest_say(&c, "a CREATE a/b/c", "a OK .*\n");
	imaptest_say(&c, "b LIST \"\" a*", "\\* LIST \\(\\\\HasChildren\\) \"/\" \"a\"\n\\* LIST \\(\\\\HasChildren\\) \"/\" \"a/b\"\n"
		"\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"a/b/c\"\nb OK .*\n");
	imaptest_say(&c, "c CREATE a/b", "c NO \\[ALREADYEXISTS\\] .*\n");
	imaptest_say(&c, "d CREATE inbox", "d NO .*\n");
	imaptest_say(&c, "e DELETE a/b", "e NO \\[HASCHILDREN\\] .*\n");
	imaptest_say(&c, "f RENAME a/b x/y", "f OK .*\n");
	imaptest_say(&c, "g LIST \"\" x/*", "\\* LIST \\(\\\\HasChildren\\) \"/\" \"x/y\"\n\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"x/y/c\"\ng OK .*\n");
	imaptest_say(&c, "h DELETE x/y/c", "h OK .*\n");
	imaptest_say(&c, "i DELETE x/y/c", "i NO \\[NONEXISTENT\\] .*\n");
	imaptest_say(&c, "j DELETE INBOX", "j NO .*\n");
	imaptest_say(&c, "k CREATE trailing/", "k OK .*\n");
	imaptest_say(&c, "l SELECT trailing", "(\\*.*\n)*l OK .*\n");
	imaptest_say(&c, "m DELETE trailing", "\\* OK \\[CLOSED\\] .*\nm OK .*\n");
	imaptest_say(&c, "n FETCH 1 FLAGS", "n BAD Select a mailbox first\n");
	imaptest_say(&c, "o RENAME a INBOX", "o NO .*\n");
	imaptest_say(&c, "p RENAME nothing a2", "p NO \\[NONEXISTENT\\] .*\n");
	imaptest_say(&c, "q CREATE \"\"", "q NO .*\n");
	imaptest_say(&c, "r CREATE a//b", "r NO .*\n");
	imaptest_say(&c, "s DELETE \"Sent Items\"", "s NO .*\n");
}
END_TEST

START_TEST(inbox_children_and_rename)
{
	imaptest_say(&c, "a CREATE INBOX/sub", "a OK .*\n");
	imaptest_say(&c, "b LIST \"\" inbox*", "\\* LIST \\(\\\\HasChildren\\) \"/\" \"INBOX\"\n\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"INBOX/sub\"\nb OK .*\n");
	imaptest_append(&c, "INBOX", "", "Subject: 1\n\none\n");
	imaptest_append(&c, "INBOX", "", "Subject: 2\n\ntwo\n");
	imaptest_say(&c, "c RENAME INBOX old", "c OK .*\n");
	imaptest_say(&c, "d STATUS old (MESSAGES)", "\\* STATUS \"old\" \\(MESSAGES 2\\)\nd OK .*\n");
	imaptest_say(&c, "e STATUS inbox (MESSAGES)", "\\* STATUS \"INBOX\" \\(MESSAGES 0\\)\ne OK .*\n");
	imaptest_say(&c, "f STATUS INBOX/sub (MESSAGES)", "\\* STATUS \"INBOX/sub\" \\(MESSAGES 0\\)\nf OK .*\n");
}
END_TEST

START_TEST(international_names)
{
	imaptest_say(&c, "a CREATE &AMQ-rger", "a OK .*\n");
	imaptest_say(&c, "b LIST \"\" &AMQ-*", "\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"&AMQ-rger\"\nb OK .*\n");
	imaptest_say(&c, "c SELECT \"\xc3\x84rger\"", "(\\*.*\n)*c OK .*\n");
	imaptest_say(&c, "d SELECT &AM", "d BAD .*\n");
	imaptest_say(&c, "e CREATE \"a%2Fb\"", "e OK .*\n");
	imaptest_say(&c, "f LIST \"\" \"a*\"", "\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"a%2Fb\"\nf OK .*\n");
}
END_TEST

START_TEST(subscriptions)
{
	imaptest_say(&c, "a CREATE x/y", "a OK .*\n");
	imaptest_say(&c, "b SUBSCRIBE x/y", "b OK .*\n");
	imaptest_say(&c, "c LSUB \"\" x*", "\\* LSUB \\(\\) \"/\" \"x/y\"\nc OK .*\n");
	imaptest_say(&c, "d LSUB \"\" %", "(\\* LSUB .*\n)*\\* LSUB \\(\\\\Noselect\\) \"/\" \"x\"\n(\\* LSUB .*\n)*d OK .*\n");
	imaptest_say(&c, "e LIST (SUBSCRIBED) \"\" x*", "\\* LIST \\(\\\\HasNoChildren \\\\Subscribed\\) \"/\" \"x/y\"\ne OK .*\n");
	imaptest_say(&c, "f LIST (SUBSCRIBED RECURSIVEMATCH) \"\" x", "\\* LIST \\(\\\\HasChildren\\) \"/\" \"x\" \\(\"CHILDINFO\" \\(\"SUBSCRIBED\"\\)\\)\nf OK .*\n");
	imaptest_say(&c, "g LIST \"\" x* RETURN (SUBSCRIBED CHILDREN)", "\\* LIST \\(\\\\HasChildren\\) \"/\" \"x\"\n"
		"\\* LIST \\(\\\\HasNoChildren \\\\Subscribed\\) \"/\" \"x/y\"\ng OK .*\n");
	imaptest_say(&c, "h UNSUBSCRIBE x/y", "h OK .*\n");
	imaptest_say(&c, "i LSUB \"\" x*", "i OK .*\n");
	imaptest_say(&c, "j SUBSCRIBE nothing", "j NO .*\n");
}
END_TEST

START_TEST(status_and_list_status)
{
	imaptest_append(&c, "INBOX", "(\\Seen) ", "Subject: 1\n\none\n");
	imaptest_append(&c, "INBOX", "", "Subject: 2\n\ntwo\n");
	imaptest_say(&c, "a STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE)",
		"\\* STATUS \"INBOX\" \\(MESSAGES 2 RECENT 0 UIDNEXT 3 UIDVALIDITY [1-9][0-9]* UNSEEN 1 SIZE 38\\)\na OK .*\n");
	imaptest_say(&c, "b LIST \"\" INBOX RETURN (STATUS (MESSAGES UNSEEN))",
		"\\* LIST \\(\\\\HasNoChildren\\) \"/\" \"INBOX\"\n\\* STATUS \"INBOX\" \\(MESSAGES 2 UNSEEN 1\\)\nb OK .*\n");
	imaptest_say(&c, "c STATUS nothing (MESSAGES)", "c NO \\[NONEXISTENT\\] .*\n");
	imaptest_say(&c, "d STATUS INBOX (HIGHESTMODSEQ)", "\\* STATUS \"INBOX\" \\(HIGHESTMODSEQ [1-9][0-9]*\\)\nd OK .*\n");
}
END_TEST

START_TEST(select_and_examine)
{
	imaptest_append(&c, "INBOX", "(\\Seen) ", "Subject: 1\n\none\n");
	imaptest_append(&c, "INBOX", "", "Subject: 2\n\ntwo\n");
	imaptest_say(&c, "a SELECT INBOX", "\\* FLAGS \\(.*\\)\n\\* OK \\[PERMANENTFLAGS \\(.*\\\\\\*\\)\\] .*\n\\* 2 EXISTS\n\\* 0 RECENT\n"
		"\\* OK \\[UNSEEN 2\\] .*\n\\* OK \\[UIDVALIDITY [1-9][0-9]*\\] .*\n\\* OK \\[UIDNEXT 3\\] .*\n"
		"\\* OK \\[HIGHESTMODSEQ [1-9][0-9]*\\] .*\na OK \\[READ-WRITE\\] .*\n");
	imaptest_say(&c, "b EXAMINE INBOX", "\\* OK \\[CLOSED\\] .*\n(\\*.*\n)*b OK \\[READ-ONLY\\] .*\n");
	imaptest_say(&c, "c STORE 1 +FLAGS (\\Deleted)", "c NO \\[READ-ONLY\\] .*\n");
	imaptest_say(&c, "d EXPUNGE", "d NO .*\n");
	imaptest_say(&c, "e MOVE 1 INBOX", "e NO .*\n");
	imaptest_say(&c, "f FETCH 2 BODY[TEXT]", "\\* 2 FETCH \\(BODY\\[TEXT\\] \\{5\\}\ntwo\n\\)\nf OK .*\n");
	imaptest_say(&c, "g FETCH 2 FLAGS", "\\* 2 FETCH \\(FLAGS \\(\\)\\)\ng OK .*\n");
	imaptest_say(&c, "h SELECT nothing", "\\* OK \\[CLOSED\\] .*\nh NO \\[NONEXISTENT\\] .*\n");
	imaptest_say(&c, "i FETCH 1 FLAGS", "i BAD .*\n");
	imaptest_say(&c, "j SELECT INBOX (CONDSTORE)", "(\\*.*\n)*j OK .*\n");
	imaptest_say(&c, "k UNSELECT", "k OK .*\n");
	imaptest_say(&c, "l UNSELECT", "l BAD .*\n");
}
END_TEST

static Suite *mailbox_suite(void)
{
	Suite *s = suite_create("imap_mailbox");
	TCase *t = tcase_create("mailbox");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, names_map_one_to_one);
	tcase_add_test(t, patterns);
	tcase_add_test(t, random_patterns);
	tcase_add_test(t, list_built_in);
	tcase_add_test(t, create_rename_delete);
	tcase_add_test(t, inbox_children_and_rename);
	tcase_add_test(t, international_names);
	tcase_add_test(t, subscriptions);
	tcase_add_test(t, status_and_list_status);
	tcase_add_test(t, select_and_examine);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mailbox_suite)
