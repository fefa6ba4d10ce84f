/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that send the client elsewhere: where it goes, and where its password does not. */
#include <config.h>
#include "libgxproto/client/clienttest.h"

#define SENT_ON(to) "HTTP/1.1 302 Found\r\nLocation: " to "\r\nContent-Length: 0\r\n\r\n"

static struct gx_mapi *client_of(uint16_t port, const char *const *hosts, size_t n, bool stay)
{
	struct gx_mapi_opts o = GX_MAPI_OPTS_INIT;
	struct gx_mapi *c;
	o.url = gx_arena_printf(et_a, "http://127.0.0.1:%u/mapi/emsmdb/?MailboxId=1", port);
	o.user = "ann@example.org";
	o.password = "x";
	o.user_dn = et_dn[0];
	o.hosts = hosts;
	o.host_count = n;
	o.stay = stay;
	ck_assert_int_eq(gx_mapi_new(&o, &c, NULL), 0);
	return c;
}

static const char *sent_on_to(const char *to)
{
	return gx_arena_printf(et_a, SENT_ON("%s"), to);
}

START_TEST(follows_to_named_hosts)
{
	const char *there = gx_arena_printf(et_a, "127.0.0.1:%u", ct_server.port);
	const char *to = gx_arena_printf(et_a, "http://%s/mapi/emsmdb/?MailboxId=1", there);
	const char *answers[] = {SENT_ON("/mapi/emsmdb/?MailboxId=2"), sent_on_to(to), NULL};
	struct ct_liar l;
	struct gx_mapi_obj *store;
	ct_liar_start(&l, answers);
	struct gx_mapi *c = client_of(l.port, &there, 1, false);
	ck_assert_str_ne(gx_mapi_url(c), to);
	gx_ec ec = gx_mapi_connect(c, NULL);
	ck_assert_msg(gx_ec_is(ec, ecSuccess), "%s", gx_mapi_error(c)->text);
	ck_assert_str_eq(gx_mapi_url(c), to);
	ck_assert(gx_ec_is(gx_mapi_logon(c, NULL, &store), ecSuccess));
	gx_mapi_close(store);
	gx_mapi_free(c);
	pthread_join(l.thread, NULL);
	ck_assert_ptr_nonnull(strstr(l.heads[1], "MailboxId=2"));
	ct_liar_release(&l);
}
END_TEST

/* Nothing is sent to the place: nobody listens there, and the failure would be another. */
START_TEST(goes_nowhere_else)
{
	static const struct {
		const char *to, *text;
		bool stay;
	} t[] = {
		{"https://127.0.0.1:1/mapi/emsmdb/", "redirections are not followed", true},
		{"http://mail.example.org/mapi/emsmdb/", "without TLS", false},
		{"ftp://127.0.0.1/", "without TLS", false},
		{"https://127.0.0.1:1@mail.example.org/", "no URL", false},
		{"https://", "no URL", false},
		{"https://127.0.0.1:1/mapi/emsmdb/", "only to hosts that were named", false},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		const char *answers[] = {sent_on_to(t[i].to), NULL};
		struct gx_mapi_opts o = GX_MAPI_OPTS_INIT;
		struct gx_mapi *c;
		struct ct_liar l;
		ct_liar_start(&l, answers);
		o.url = gx_arena_printf(et_a, "http://127.0.0.1:%u/mapi/emsmdb/?MailboxId=1", l.port);
		o.bearer = "token"; /* autodiscover is not asked with one */
		o.user_dn = et_dn[0];
		o.stay = t[i].stay;
		ck_assert_int_eq(gx_mapi_new(&o, &c, NULL), 0);
		gx_ec ec = gx_mapi_connect(c, NULL);
		ck_assert_msg(gx_ec_is(ec, ecWrongServer), "%zu: %s: %s", i, gx_ec_name(ec), gx_mapi_error(c)->text);
		ck_assert_msg(strstr(gx_mapi_error(c)->text, t[i].text) != NULL, "%zu: %s", i, gx_mapi_error(c)->text);
		gx_mapi_free(c);
		ct_liar_stop(&l);
	}
}
END_TEST

START_TEST(comes_to_an_end)
{
	static const char *const answers[] = {SENT_ON("/a"), SENT_ON("/b"), SENT_ON("/a"), SENT_ON("/b"), NULL};
	struct ct_liar l;
	ct_liar_start(&l, answers);
	struct gx_mapi *c = client_of(l.port, NULL, 0, false);
	ck_assert(gx_ec_is(gx_mapi_connect(c, NULL), ecWrongServer));
	ck_assert_msg(strstr(gx_mapi_error(c)->text, "sent on 4 times") != NULL, "%s", gx_mapi_error(c)->text);
	gx_mapi_free(c);
	ct_liar_stop(&l);
	ck_assert_uint_eq(l.n, 4);
}
END_TEST

/* A session stays where it is: when its mailbox has moved, it is over. */
START_TEST(a_session_is_not_sent_on)
{
	static const char *const answers[] = {SENT_ON("https://127.0.0.1:1/"), NULL};
	struct ct_liar l;
	struct gx_mapi_obj *store, *f;
	CT_OK(gx_mapi_connect(ct_c, NULL));
	CT_OK(gx_mapi_logon(ct_c, NULL, &store));
	ct_liar_start(&l, answers);
	ct_c->mailbox.url = gx_arena_printf(et_a, "http://127.0.0.1:%u/", l.port);
	CT_IS(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &f), ecEndOfSession);
	ck_assert_ptr_nonnull(strstr(gx_mapi_error(ct_c)->text, "https://127.0.0.1:1/"));
	ct_liar_stop(&l);
	gx_mapi_close(store);
}
END_TEST

/* RopLogon names a server: without anybody to ask for the way the client says so and stays usable. */
START_TEST(the_mailbox_is_elsewhere)
{
	struct gx_mapi_obj *store = NULL, *other = NULL;
	uint32_t id;
	ck_assert_int_eq(gx_dir_add_server(et_people, "other.example.org", NULL, &id), 0);
	ck_assert_int_eq(gx_dir_set_homeserver(et_people, "bob@example.org", id), 0);
	CT_OK(gx_mapi_connect(ct_c, NULL));
	CT_OK(gx_mapi_logon(ct_c, NULL, &store));
	CT_IS(gx_mapi_logon(ct_c, et_dn[1], &other), ecWrongServer);
	ck_assert_msg(strstr(gx_mapi_error(ct_c)->text, "the mailbox is at other.example.org; that takes a connection of its own") != NULL, "%s",
		gx_mapi_error(ct_c)->text);
	gx_mapi_close(store);
	ct_c->start_url = "https://127.0.0.1:1/mapi/emsmdb/";
	CT_IS(gx_mapi_logon(ct_c, et_dn[1], &other), ecWrongServer);
	ck_assert_msg(strstr(gx_mapi_error(ct_c)->text, "autodiscover does not help") != NULL, "%s", gx_mapi_error(ct_c)->text);
	CT_OK(gx_mapi_logon(ct_c, NULL, &store));
	gx_mapi_close(store);
}
END_TEST

/* Autodiscover that does not answer: whoever waits for it can go. */
static void *cancel_it(void *ctx)
{
	int fd = *(const int *)ctx, one = accept(fd, NULL, NULL);
	char byte;
	ck_assert_int_eq(read(one, &byte, 1), 1);
	gx_mapi_cancel(ct_c);
	(void)!read(one, &byte, 1);
	while (read(one, &byte, 1) > 0)
		;
	close(one);
	return NULL;
}

START_TEST(autodiscover_is_silent)
{
	const char *answers[] = {SENT_ON("https://127.0.0.1:1/"), NULL};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct ct_liar l;
	pthread_t who;
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	ct_liar_start(&l, answers);
	ct_c->mailbox.url = gx_arena_printf(et_a, "http://127.0.0.1:%u/mapi/emsmdb/", l.port);
	ct_c->start_url = gx_arena_printf(et_a, "https://127.0.0.1:%u/mapi/emsmdb/", ntohs(at.sin_port));
	ck_assert_int_eq(pthread_create(&who, NULL, cancel_it, &fd), 0);
	CT_IS(gx_mapi_connect(ct_c, NULL), ecUserCanceled);
	pthread_join(who, NULL);
	gx_mapi_uncancel(ct_c);
	gx_mapi_set_timeout(ct_c, 200);
	gx_mapi__enter(ct_c);
	ct_c->location = "https://127.0.0.1:1/";
	CT_IS(gx_mapi__follow(ct_c), ecTimeout);
	ct_liar_stop(&l);
	close(fd);
}
END_TEST

static Suite *redirect_suite(void)
{
	Suite *s = suite_create("mapiredirect");
	TCase *t = tcase_create("mapiredirect");
	tcase_add_checked_fixture(t, ct_setup, ct_teardown);
	tcase_add_test(t, follows_to_named_hosts);
	tcase_add_test(t, goes_nowhere_else);
	tcase_add_test(t, comes_to_an_end);
	tcase_add_test(t, a_session_is_not_sent_on);
	tcase_add_test(t, the_mailbox_is_elsewhere);
	tcase_add_test(t, autodiscover_is_silent);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(redirect_suite)
