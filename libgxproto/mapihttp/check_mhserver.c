/* SPDX-License-Identifier: Apache-2.0 */
/* MAPI/HTTP over a socket: what a request must bring, sessions by cookie, and operations in them. */
#include <config.h>
#include <arpa/inet.h>
#include <gx/auxbuf.h>
#include <gx/codec.h>
#include <gx/entryid.h>
#include <gx/httpauth.h>
#include <gx/mapihttp.h>
#include <gx/mapihttp-server.h>
#include "libgxproto/emsmdb/emstest.h"

static struct gx_net *net;
static struct gx_http *http;
static struct gx_http_auth *auth;
static struct gx_mh *mh;
static uint16_t port;
static struct gx_http_dircheck dircheck;
static char cookies[400];

static void setup(void)
{
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_http_opts ho = GX_HTTP_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct gx_mh_opts mo = GX_MH_OPTS_INIT;
	const char *why = "";
	et_setup();
	no.loops = 1;
	no.workers = 2;
	ck_assert_int_eq(gx_net_new(&no, &net), 0);
	ck_assert_int_eq(gx_http_new(&ho, &http, et_a, &why), 0);
	dircheck.dir = et_people;
	ao.basic = true;
	ao.check = gx_http_check_directory;
	ao.check_ctx = &dircheck;
	ao.cache_seconds = 60;
	ck_assert_int_eq(gx_http_auth_new(&ao, &auth), 0);
	gx_http_set_auth(http, auth);
	mo.ems = et_ems;
	mo.pending_ms = 50;
	mo.wait_ms = 120;
	ck_assert_int_eq(gx_mh_new(&mo, http, &mh), 0);
	lo.addr = "127.0.0.1:0";
	ck_assert_msg(gx_http_listen(http, net, &lo, &port, et_a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(net), 0);
	cookies[0] = '\0';
}

static void teardown(void)
{
	gx_net_stop(net, 2000);
	gx_net_free(net);
	gx_http_free(http);
	gx_http_auth_free(auth);
	gx_mh_free(mh);
	et_teardown();
}

/* ---- A client that reads to the end ---- */

struct reply {
	unsigned status;
	int code;               /* X-ResponseCode, -1: none */
	const char *head;
	struct gx_bin body;     /* without chunks */
};

static struct gx_bin dechunk(const char *p, const char *end)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	for (;;) {
		char *next;
		size_t n = strtoul(p, &next, 16);
		ck_assert_msg(next != p && end - next >= 4, "bad chunk");
		if (n == 0)
			break;
		gx_push_bytes(&out, next + 2, n);
		p = next + 2 + n + 2;
	}
	ck_assert_int_eq(gx_push_finish(&out, et_a, &b), 0);
	gx_push_release(&out);
	return b;
}

static const char *field(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);
	return at == NULL ? NULL : gx_arena_strndup(et_a, at + strlen(name) + 2, strcspn(at + strlen(name) + 2, "\r"));
}

static void keep_cookies(const char *head)
{
	const char *context = strstr(head, "MapiContext="), *turn = strstr(head, "MapiSequence=");
	if (context != NULL && turn != NULL)
		snprintf(cookies, sizeof(cookies), "Cookie: %.*s; %.*s\r\n", (int)strcspn(context, ";"), context, (int)strcspn(turn, ";"), turn);
}

static struct reply talk(const struct gx_push *request)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct gx_push in = GX_PUSH_INIT;
	struct reply r = {.code = -1};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_eq(write(fd, request->data, request->len), (ssize_t)request->len);
	for (;;) {
		uint8_t *p = gx_push_reserve(&in, 65536);
		ssize_t n = read(fd, p, 65536);
		ck_assert_int_ge(n, 0);
		if (n == 0)
			break;
		gx_push_added(&in, (size_t)n);
	}
	close(fd);
	gx_push_u8(&in, 0);
	char *all = gx_arena_memdup(et_a, in.data, in.len), *body = strstr(all, "\r\n\r\n");
	const char *end = all + in.len - 1;
	gx_push_release(&in);
	ck_assert_ptr_nonnull(body);
	*body = '\0';
	body += 4;
	r.head = all;
	r.status = (unsigned)strtoul(all + 9, NULL, 10);
	const char *code = field(r.head, "X-ResponseCode");
	if (code != NULL)
		r.code = (int)strtol(code, NULL, 10);
	if (strcasestr(r.head, "Transfer-Encoding: chunked") != NULL)
		r.body = dechunk(body, end);
	else
		r.body = (struct gx_bin){(uint8_t *)body, strlen(body)};
	keep_cookies(r.head);
	return r;
}

static struct reply ask(const char *method, const char *user, const char *headers, struct gx_bin body)
{
	struct gx_push out = GX_PUSH_INIT;
	const char *pair = gx_arena_printf(et_a, "%s:x", user);
	char b64[100] = {0};
	(void)gx_base64_enc((const uint8_t *)pair, strlen(pair), b64);
	gx_push_printf(&out, "%s /mapi/emsmdb/?MailboxId=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Basic %s\r\n%s%sContent-Length: %zu\r\n\r\n",
		method, b64, cookies, headers, body.len);
	gx_push_bytes(&out, body.data, body.len);
	struct reply r = talk(&out);
	gx_push_release(&out);
	return r;
}

#define USUAL "Content-Type: application/mapi-http\r\nX-RequestId: {1}:1\r\nX-ClientInfo: {2}:1\r\nX-ClientApplication: Outlook/16.0.4266.1001\r\n"

/* One request type with its usual headers; @res gets the decoded answer. */
static struct reply call(const char *type, const void *q, void *res)
{
	const struct gx_exchange_desc *d = gx_mapihttp_find(type);
	struct gx_bin body = {0};
	if (d->req != NULL)
		ck_assert_int_eq(gx_desc_encode(&et_x, d->req, q, &body), 0);
	struct reply r = ask("POST", "ann@example.org", gx_arena_printf(et_a, USUAL "X-RequestType: %s\r\n", type), body);
	if (r.code != 0)
		return r;
	ck_assert_int_eq(strncmp((const char *)r.body.data, "PROCESSING\r\n", 12), 0);
	const char *text = gx_arena_strndup(et_a, (const char *)r.body.data, r.body.len), *done = strstr(text, "DONE\r\n");
	ck_assert_ptr_nonnull(done);
	const char *end = strstr(done, "\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(done, "X-ElapsedTime: "));
	ck_assert_ptr_nonnull(strstr(done, "X-StartTime: "));
	size_t off = (size_t)(end - text) + 4;
	if (d->res != NULL && res != NULL)
		ck_assert_int_eq(gx_desc_decode(&et_x, d->res, r.body.data + off, r.body.len - off, res), 0);
	return r;
}

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
	struct reply r = call("NotificationWait", &(struct gx_mh_notification_wait_req){0}, &res);
	ck_assert_int_eq(r.code, 0);
	ck_assert_uint_eq(res.error_code, 0);
	ck_assert_uint_eq(res.event_pending, 0);
	ck_assert_int_eq(strncmp((const char *)r.body.data, "PROCESSING\r\nPENDING\r\n", 21), 0);
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
