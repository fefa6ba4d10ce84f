/* SPDX-License-Identifier: Apache-2.0 */
/* MAPI/HTTP over a socket: what a request must bring, sessions by cookie, and operations in them. */
#include <config.h>
#include <gx/auxbuf.h>
#include "libgxproto/mapihttp/mhtest.h"

static void do_connect(void)
{
	const struct gx_mh_connect_req q = {.user_dn = et_dn[0], .default_code_page = 1252};
	struct gx_mh_connect_res res;
	ck_assert_int_eq(call("Connect", &q, &res).code, 0);
	ck_assert_uint_eq(res.error_code, 0);
	ck_assert_uint_ne(res.polls_max, 0);
	ck_assert_uint_ne(res.auxiliary_buffer.len, 0);
	ck_assert_uint_ne(strlen(cookies), 0);
}

/* ---- Tests ---- */

START_TEST(a_session_from_connect_to_disconnect)
{
	const struct gx_rop_logon_req logon = {.logon_flags = 1, .essdn = et_dn[0]};
	struct gx_push rops = GX_PUSH_INIT, buffer = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	struct gx_mh_execute_res res;
	struct gx_rop_response answer;
	struct gx_bin payload;
	struct gx_pull c;
	bool last;
	do_connect();
	et_add(RopLogon, 0, 0, &logon);
	struct gx_rop_buffer b = {{et_out.data, et_out.len}, et_handles, 2};
	gx_rop_buffer_push(&buffer, &b);
	gx_ext_push(&ext, (struct gx_bin){buffer.data, buffer.len}, GX_EXT_LAST, NULL);
	const struct gx_mh_execute_req q = {.flags = 3, .rop_buffer = {ext.data, ext.len}, .max_rop_out = 32768};
	ck_assert_int_eq(call("Execute", &q, &res).code, 0);
	ck_assert_uint_eq(res.status_code, 0);
	ck_assert_uint_eq(res.error_code, 0);
	gx_pull_init(&c, res.rop_buffer.data, res.rop_buffer.len);
	gx_ext_pull(&c, et_a, &payload, &last);
	ck_assert_int_eq(gx_rop_buffer_pull(payload.data, payload.len, et_a, &b), 0);
	gx_pull_init(&c, b.rops.data, b.rops.len);
	gx_rop_pull_response_head(&c, &answer);
	gx_rop_pull_response_body(&c, &et_x, &answer);
	ck_assert_int_eq(c.err, 0);
	ck_assert_uint_eq(answer.desc->id, RopLogon);
	ck_assert_uint_eq(answer.return_value, 0);
	ck_assert_uint_ne(b.handles[0], GX_ROP_NO_HANDLE);
	/* another connection, the same session */
	ck_assert_int_eq(call("PING", NULL, NULL).code, 0);
	const struct gx_mh_execute_req bad = {.rop_buffer = {(const uint8_t *)"x", 1}, .max_rop_out = 32768};
	ck_assert_int_eq(call("Execute", &bad, &res).code, 0);
	ck_assert_uint_eq(res.error_code, ecRpcFormat);
	ck_assert_int_eq(call("Disconnect", &(struct gx_mh_disconnect_req){{NULL, 0}}, NULL).code, 0);
	ck_assert_int_eq(call("PING", NULL, NULL).code, GX_MHC_CONTEXT_NOT_FOUND);
	ck_assert_int_eq(call("NotificationWait", &(struct gx_mh_notification_wait_req){0}, NULL).code, GX_MHC_CONTEXT_NOT_FOUND);
	ck_assert_int_eq(call("Disconnect", &(struct gx_mh_disconnect_req){{NULL, 0}}, NULL).code, GX_MHC_CONTEXT_NOT_FOUND);
	gx_push_release(&rops);
	gx_push_release(&buffer);
	gx_push_release(&ext);
}
END_TEST

START_TEST(headers_of_an_answer)
{
	do_connect();
	struct reply r = call("PING", NULL, NULL);
	ck_assert_str_eq(field(r.head, "Content-Type"), "application/mapi-http");
	ck_assert_str_eq(field(r.head, "X-RequestType"), "PING");
	ck_assert_str_eq(field(r.head, "X-RequestId"), "{1}:1");
	ck_assert_str_eq(field(r.head, "X-ClientInfo"), "{2}:1");
	ck_assert_int_eq(strncmp(field(r.head, "X-ServerApplication"), "Exchange/15.", 12), 0);
	ck_assert_str_eq(field(r.head, "X-PendingPeriod"), "50");
	ck_assert_ptr_nonnull(field(r.head, "X-ExpirationInfo"));
}
END_TEST

START_TEST(requests_that_lack_something)
{
	static const struct {
		const char *method, *headers;
		int code;
	} t[] = {
		{"GET", USUAL "X-RequestType: PING\r\n", GX_MHC_INVALID_VERB},
		{"POST", USUAL, GX_MHC_MISSING_HEADER},
		{"POST", "Content-Type: application/mapi-http\r\nX-RequestType: PING\r\nX-RequestId: 1\r\n", GX_MHC_MISSING_HEADER},
		{"POST", "X-RequestType: PING\r\nX-RequestId: 1\r\nX-ClientApplication: a\r\n", GX_MHC_MISSING_HEADER},
		{"POST", "Content-Type: text/xml\r\nX-RequestType: PING\r\nX-RequestId: 1\r\nX-ClientApplication: a\r\n", GX_MHC_INVALID_HEADER},
		{"POST", USUAL "X-RequestType: ping\r\n", GX_MHC_INVALID_REQUEST_TYPE},
		{"POST", USUAL "X-RequestType: Bind\r\n", GX_MHC_INVALID_REQUEST_TYPE},
		{"POST", USUAL "X-RequestType: PING\r\n", GX_MHC_MISSING_COOKIE},
		{"POST", USUAL "X-RequestType: Connect\r\n", GX_MHC_INVALID_REQUEST_BODY},
		{"POST", USUAL "X-RequestType: PING\r\nCookie: MapiContext=x; MapiSequence=y\r\n", GX_MHC_INVALID_CONTEXT_COOKIE},
		{"POST", USUAL "X-RequestType: PING\r\nCookie: MapiContext=00000000-0000-0000-0000-000000000001; MapiSequence=00000000-0000-0000-0000-000000000001\r\n",
			GX_MHC_CONTEXT_NOT_FOUND},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct reply r = ask(t[i].method, "ann@example.org", t[i].headers, (struct gx_bin){0});
		ck_assert_uint_eq(r.status, 200);
		ck_assert_msg(r.code == t[i].code, "%zu: %d", i, r.code);
		ck_assert_str_eq(field(r.head, "Content-Type"), "text/html");
	}
	/* there is nothing below the endpoint, and much is too much */
	const struct gx_bin large = {gx_arena_calloc(et_a, 1, (1 << 20) + 1), (1 << 20) + 1};
	ck_assert_int_eq(ask("POST", "ann@example.org", USUAL "X-RequestType: Connect\r\n", large).code, GX_MHC_TOO_LARGE);
	path = "/mapi/emsmdb/x";
	ck_assert_int_eq(ask("POST", "ann@example.org", USUAL "X-RequestType: PING\r\n", (struct gx_bin){0}).code, GX_MHC_INVALID_PATH);
	path = "/MAPI/emsmdb";
	ck_assert_int_eq(ask("POST", "ann@example.org", USUAL "X-RequestType: PING\r\n", (struct gx_bin){0}).code, GX_MHC_MISSING_COOKIE);
	path = "/mapi/emsmdb";
	/* nobody has a session without a password */
	ck_assert_uint_eq(ask("POST", "zoe@example.org", USUAL "X-RequestType: PING\r\n", (struct gx_bin){0}).status, 401);
}
END_TEST

START_TEST(sessions_of_others_and_out_of_turn)
{
	struct gx_mh_execute_res res;
	const struct gx_mh_execute_req q = {.rop_buffer = {(const uint8_t *)"x", 1}};
	char old[sizeof(cookies)];
	do_connect();
	ck_assert_int_eq(ask("POST", "bob@example.org", USUAL "X-RequestType: PING\r\n", (struct gx_bin){0}).code, GX_MHC_NO_PRIVILEGE);
	memcpy(old, cookies, sizeof(old));
	ck_assert_int_eq(call("Execute", &q, &res).code, 0);
	ck_assert_str_ne(old, cookies);
	memcpy(cookies, old, sizeof(old));
	ck_assert_int_eq(call("Execute", &q, &res).code, GX_MHC_INVALID_SEQUENCE);
	/* what takes no turn is not out of it */
	memcpy(cookies, old, sizeof(old));
	ck_assert_int_eq(call("PING", NULL, NULL).code, 0);
	ck_assert_int_eq(call("Execute", &q, &res).code, 0);
}
END_TEST

START_TEST(connect_says_why_not)
{
	const struct gx_mh_connect_req q = {.user_dn = et_dn[1], .default_code_page = 1252};
	struct gx_mh_connect_res res;
	ck_assert_int_eq(call("Connect", &q, &res).code, 0);
	ck_assert_uint_eq(res.status_code, 0);
	ck_assert_uint_eq(res.error_code, ecAccessDenied);
	ck_assert_str_eq(cookies, "");
}
END_TEST

static void look_for(const char *line, void *ctx)
{
	if (strstr(line, " machine=PC7 ") != NULL && strstr(line, " mode=cached ") != NULL && strstr(line, " failures=1 ") != NULL)
		*(bool *)ctx = true;
}

START_TEST(clients_say_who_they_are)
{
	static const uint8_t name[] = {'P', 0, 'C', 0, '7', 0, 0, 0};
	const struct gx_aux_perf_clientinfo info = {.machine_name_offset = 32, .client_mode = GX_CLIENTMODE_CACHED, .rest = {name, sizeof(name)}};
	const struct gx_aux_perf_failure_v2 failure = {.result_code = 5};
	struct gx_push blocks = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	struct gx_mh_connect_res res;
	struct gx_aux_block b;
	struct gx_bin payload;
	struct gx_pull c;
	bool last, seen = false;
	gx_aux_push(&blocks, 1, GX_AUX_CLIENTINFO, &info);
	gx_aux_push(&blocks, 2, GX_AUX_FG_FAILURE, &failure);
	gx_ext_push(&ext, (struct gx_bin){blocks.data, blocks.len}, GX_EXT_LAST | GX_EXT_XOR_MAGIC, NULL);
	const struct gx_mh_connect_req q = {.user_dn = et_dn[0], .default_code_page = 1252, .auxiliary_buffer = {ext.data, ext.len}},
		bad = {.user_dn = et_dn[0], .default_code_page = 1252, .auxiliary_buffer = {ext.data, 9}};
	ck_assert_int_eq(call("Connect", &q, &res).code, 0);
	gx_pull_init(&c, res.auxiliary_buffer.data, res.auxiliary_buffer.len);
	gx_ext_pull(&c, et_a, &payload, &last);
	gx_pull_init(&c, payload.data, payload.len);
	gx_aux_pull(&c, et_a, &b);
	ck_assert_int_eq(c.err, 0);
	ck_assert_uint_eq(b.type, GX_AUX_EXORGINFO);
	gx_ems_dump(et_ems, look_for, &seen);
	ck_assert(seen);
	/* and a bad one is no reason to refuse them */
	ck_assert_int_eq(call("Connect", &bad, &res).code, 0);
	ck_assert_uint_eq(res.error_code, 0);
	gx_push_release(&blocks);
	gx_push_release(&ext);
}
END_TEST

START_TEST(administrative_connect)
{
	const struct gx_mh_connect_req q = {.user_dn = et_dn[1], .flags = 1, .default_code_page = 1252};
	struct gx_mh_connect_res res;
	struct gx_store *store;
	const char *why = "";
	ck_assert_int_eq(call("Connect", &q, &res).code, 0);
	ck_assert_uint_eq(res.error_code, ecLoginPerm);
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/bob", et_dir), &store, et_a, &why), 0);
	struct gx_txn *t = st_begin(store, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(t, GX_FID_IPMSUBTREE, "ann@example.org", GX_RIGHT_OWNER | GX_RIGHT_VISIBLE, false));
	st_commit(t);
	gx_store_pool_put(et_pool, store);
	ck_assert_int_eq(call("Connect", &q, &res).code, 0);
	ck_assert_uint_eq(res.error_code, 0);
}
END_TEST

START_TEST(waiting_for_nothing)
{
	struct gx_mh_notification_wait_res res;
	do_connect();
	struct reply r;
	unsigned tries = 0;
	do { /* the whole time may be over before anybody looks */
		r = call("NotificationWait", &(struct gx_mh_notification_wait_req){0}, &res);
		ck_assert_int_eq(r.code, 0);
		ck_assert_uint_eq(res.error_code, 0);
		ck_assert_uint_eq(res.event_pending, 0);
		ck_assert_int_eq(strncmp((const char *)r.body.data, "PROCESSING\r\n", 12), 0);
	} while (strncmp((const char *)r.body.data + 12, "PENDING\r\n", 9) != 0 && ++tries < 100);
	ck_assert_uint_lt(tries, 100);
}
END_TEST

static void *bring_later(void *ctx)
{
	const struct timespec soon = {0, 30 * 1000000};
	struct gx_store *store = ctx;
	nanosleep(&soon, NULL);
	struct gx_txn *t = st_begin(store, GX_TXN_WRITE);
	(void)st_insert(t, GX_FID_INBOX, 1, 100, 0);
	st_commit(t);
	return NULL;
}

START_TEST(waiting_for_something)
{
	struct gx_mh_notification_wait_res res;
	const struct gx_rop_logon_req logon = {.logon_flags = 1, .essdn = et_dn[0]};
	const struct gx_rop_register_notification_req reg = {.notification_types = 2 | 4, .want_whole_store = true};
	struct gx_ems_session *s;
	struct gx_store *store;
	struct gx_guid id;
	struct gx_pull c;
	pthread_t later;
	const char *why = "";
	do_connect();
	ck_assert_int_eq(gx_guid_parse(gx_arena_strndup(et_a, strchr(cookies, '=') + 1, 36), &id), 0);
	s = gx_ems_session_get(et_ems, &id, "ann@example.org", NULL);
	et_add(RopLogon, 0, 0, &logon);
	et_add(RopRegisterNotification, 0, 1, &reg);
	ST_OK(et_send_to(s, 0, 32768, &c));
	gx_ems_session_put(s);
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/ann", et_dir), &store, et_a, &why), 0);
	ck_assert_int_eq(pthread_create(&later, NULL, bring_later, store), 0);
	/* as often as the time is over before it comes */
	do {
		ck_assert_int_eq(call("NotificationWait", &(struct gx_mh_notification_wait_req){0}, &res).code, 0);
	} while (res.event_pending == 0);
	pthread_join(later, NULL);
	/* until it is fetched */
	ck_assert_int_eq(call("NotificationWait", &(struct gx_mh_notification_wait_req){0}, &res).code, 0);
	ck_assert_uint_eq(res.event_pending, 1);
	gx_store_pool_put(et_pool, store);
}
END_TEST

static Suite *mhserver_suite(void)
{
	Suite *s = suite_create("mhserver");
	TCase *t = tcase_create("mhserver");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_session_from_connect_to_disconnect);
	tcase_add_test(t, headers_of_an_answer);
	tcase_add_test(t, requests_that_lack_something);
	tcase_add_test(t, sessions_of_others_and_out_of_turn);
	tcase_add_test(t, connect_says_why_not);
	tcase_add_test(t, clients_say_who_they_are);
	tcase_add_test(t, administrative_connect);
	tcase_add_test(t, waiting_for_nothing);
	tcase_add_test(t, waiting_for_something);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mhserver_suite)
