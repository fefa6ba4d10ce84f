/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <regex.h>
#include <stdio.h>
#include <gx/authlimit.h>

static int64_t now_ns;

static int64_t fake_now(void *ctx)
{
	return now_ns;
}

static const struct gx_clock fake = {fake_now, fake_now, NULL};

static void pass(unsigned seconds)
{
	now_ns += (int64_t)seconds * 1000000000;
}

static struct gx_authlimit *make(uint32_t max_bans, uint32_t max_users)
{
	struct gx_authlimit_opts o = GX_AUTHLIMIT_OPTS_INIT;
	struct gx_authlimit *l = NULL;
	o.clock = &fake;
	o.max_bans = max_bans;
	o.ban_after = 3;
	o.ban_seconds = 60;
	o.max_users = max_users;
	o.rate_tries = 4;
	o.rate_seconds = 10;
	o.icase = true;
	ck_assert_int_eq(gx_authlimit_new(&o, &l), 0);
	return l;
}

START_TEST(three_failures_ban_for_a_minute)
{
	struct gx_authlimit *l = make(100, 0);
	for (unsigned i = 0; i < 3; ++i) {
		ck_assert_int_eq(gx_authlimit_check(l, "alice@example.com", "192.0.2.1"), 0);
		gx_authlimit_failed(l, i == 1 ? "ALICE@example.com" : "alice@example.com", "192.0.2.1");
	}
	ck_assert_int_eq(gx_authlimit_check(l, "Alice@Example.com", "192.0.2.1"), GX_E_BUSY);
	ck_assert_int_eq(gx_authlimit_check(l, "alice@example.com", "192.0.2.2"), 0);
	ck_assert_int_eq(gx_authlimit_check(l, "bob@example.com", "192.0.2.1"), 0);
	pass(59);
	ck_assert_int_eq(gx_authlimit_check(l, "alice@example.com", "192.0.2.1"), GX_E_BUSY);
	pass(1);
	ck_assert_int_eq(gx_authlimit_check(l, "alice@example.com", "192.0.2.1"), 0);
	gx_authlimit_free(l);
}
END_TEST

START_TEST(success_and_time_forgive)
{
	struct gx_authlimit *l = make(100, 0);
	for (unsigned i = 0; i < 20; ++i) {
		gx_authlimit_failed(l, "a", "1");
		gx_authlimit_failed(l, "a", "1");
		if (i % 2 == 0)
			gx_authlimit_succeeded(l, "a", "1");
		else
			pass(60);
		ck_assert_int_eq(gx_authlimit_check(l, "a", "1"), 0);
	}
	gx_authlimit_free(l);
	ck_assert_int_eq(gx_authlimit_check(NULL, "a", "1"), 0);
	gx_authlimit_failed(NULL, "a", "1");
	gx_authlimit_succeeded(NULL, "a", "1");
}
END_TEST

START_TEST(tables_are_bounded)
{
	struct gx_authlimit *l = make(50, 50);
	char name[500];
	for (unsigned i = 0; i < 3; ++i)
		gx_authlimit_failed(l, "victim", "1");
	for (unsigned i = 0; i < 49; ++i) {
		snprintf(name, sizeof(name), "%0*u", (int)(i * 10 + 1), i);
		gx_authlimit_failed(l, name, "1");
	}
	ck_assert_int_eq(gx_authlimit_check(l, "victim", "1"), GX_E_BUSY);
	for (unsigned i = 0; i < 5000; ++i) {
		snprintf(name, sizeof(name), "other%u", i);
		gx_authlimit_failed(l, name, "1");
		ck_assert_int_eq(gx_authlimit_check(l, name, "2"), 0);
	}
	ck_assert_int_eq(gx_authlimit_check(l, "victim", "1"), 0);
	gx_authlimit_free(l);
}
END_TEST

START_TEST(rate_counts_every_try)
{
	struct gx_authlimit *l = make(0, 10);
	for (unsigned i = 0; i < 4; ++i)
		ck_assert_int_eq(gx_authlimit_check(l, "a", i % 2 == 0 ? "1" : "2"), 0);
	ck_assert_int_eq(gx_authlimit_check(l, "a", "3"), GX_E_LIMIT);
	ck_assert_int_eq(gx_authlimit_check(l, "b", "3"), 0);
	pass(10);
	ck_assert_int_eq(gx_authlimit_check(l, "a", "3"), 0);
	gx_authlimit_failed(l, "a", "3");
	gx_authlimit_free(l);
}
END_TEST

static char line[2100];

static void keep(int level, const char *text, void *ctx)
{
	ck_assert_int_eq(level, GX_LOG_NOTICE);
	snprintf(line, sizeof(line), "%s", text);
}

/* The expression of the manual's section on fail2ban. */
START_TEST(log_line_matches_the_rules)
{
	struct gx_log log = {keep, NULL, GX_LOG_NOTICE};
	regex_t re;
	ck_assert_int_eq(regcomp(&re, "rhost=\\[([^] ]+)\\][^ ]* user=([^ ]+) .*(auth|login.*|logon) rejected:", REG_EXTENDED), 0);
	gx_log_auth_failure(&log, "imap", "alice@example.com", "192.0.2.1", "wrong password");
	ck_assert_str_eq(line, "auth failed: service=imap rhost=[192.0.2.1] user=alice@example.com login rejected: wrong password");
	ck_assert_int_eq(regexec(&re, line, 0, NULL, 0), 0);
	gx_log_auth_failure(&log, "imap", "x rhost=[198.51.100.7] user=y\r\n", "2001:db8::1", "no such user");
	regmatch_t m[3];
	ck_assert_int_eq(regexec(&re, line, 3, m, 0), 0);
	ck_assert_int_eq(strncmp(line + m[1].rm_so, "2001:db8::1]", 12), 0);
	ck_assert_ptr_null(strstr(line, "rhost=[198"));
	gx_log_auth_failure(&log, "imap", "", "::1", "no name");
	ck_assert_int_eq(regexec(&re, line, 0, NULL, 0), 0);
	regfree(&re);
}
END_TEST

static Suite *authlimit_suite(void)
{
	Suite *s = suite_create("authlimit");
	TCase *t = tcase_create("authlimit");
	tcase_add_test(t, three_failures_ban_for_a_minute);
	tcase_add_test(t, success_and_time_forgive);
	tcase_add_test(t, tables_are_bounded);
	tcase_add_test(t, rate_counts_every_try);
	tcase_add_test(t, log_line_matches_the_rules);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(authlimit_suite)
