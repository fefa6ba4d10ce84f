/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that last, [MS-OXCMAPIHTTP] 2.2.7 and 3.2.5.3: held back by locks that the test holds until it has heard that they go on. */
#include <config.h>
#include "libgxproto/mapihttp/mhtest.h"
#include "libgxproto/nsp/nsp-int.h"
#include "libgxstore/directory/dir-int.h"

static void do_connect(void)
{
	const struct gx_mh_connect_req q = {.user_dn = et_dn[0], .default_code_page = 1252};
	struct gx_mh_connect_res res;
	ck_assert_int_eq(call("Connect", &q, &res).code, 0);
	ck_assert_uint_eq(res.error_code, 0);
	ck_assert_str_ne(cookies, "");
}

/* No operation at all, but it waits for its turn. */
static struct gx_mh_execute_req nothing(void)
{
	static uint32_t handle = GX_ROP_NO_HANDLE;
	struct gx_push buffer = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	struct gx_rop_buffer b = {{NULL, 0}, &handle, 1};
	struct gx_mh_execute_req q = {.flags = 3, .max_rop_out = 32768};
	gx_rop_buffer_push(&buffer, &b);
	gx_ext_push(&ext, (struct gx_bin){buffer.data, buffer.len}, GX_EXT_LAST, NULL);
	ck_assert_int_eq(gx_push_finish(&ext, et_a, &q.rop_buffer), 0);
	gx_push_release(&buffer);
	gx_push_release(&ext);
	return q;
}

/* The session that the cookies name. */
static struct gx_ems_session *held(void)
{
	struct gx_guid id;
	ck_assert_int_eq(gx_guid_parse(gx_arena_strndup(et_a, strchr(cookies, '=') + 1, 36), &id), 0);
	struct gx_ems_session *s = gx_ems_session_get(et_ems, &id, "ann@example.org", NULL);
	ck_assert_ptr_nonnull(s);
	return s;
}

/* A call that waits for @lock until it has told the client twice that it goes on. */
static struct reply slow_call(const char *type, const void *q, void *res, pthread_mutex_t *lock)
{
	struct gx_push in = GX_PUSH_INIT;
	pthread_mutex_lock(lock);
	int fd = begin_call(type, q);
	hear(fd, &in, "\r\n\r\nc\r\nPROCESSING\r\n\r\n9\r\nPENDING\r\n\r\n9\r\nPENDING\r\n\r\n");
	pthread_mutex_unlock(lock);
	hear(fd, &in, NULL);
	struct reply r = end_call(type, &in, res);
	ck_assert_uint_eq(r.status, 200);
	ck_assert_int_eq(r.code, 0);
	ck_assert_ptr_nonnull(strstr((const char *)r.body.data, "DONE\r\nX-ResponseCode: 0\r\n"));
	return r;
}

START_TEST(an_execute)
{
	const struct gx_mh_execute_req q = nothing();
	struct gx_mh_execute_res res;
	do_connect();
	struct gx_ems_session *s = held();
	struct reply r = slow_call("Execute", &q, &res, &s->lock);
	ck_assert_uint_eq(res.error_code, 0);
	ck_assert_str_eq(field(r.head, "X-PendingPeriod"), "50");
	ck_assert_int_eq(call("Execute", &q, &res).code, 0);
	gx_ems_session_put(s);
}
END_TEST

START_TEST(an_execute_whose_client_hangs_up)
{
	const struct gx_mh_execute_req q = nothing();
	struct gx_push in = GX_PUSH_INIT;
	struct gx_http_stats st;
	do_connect();
	struct gx_ems_session *s = held();
	pthread_mutex_lock(&s->lock);
	int fd = begin_call("Execute", &q);
	hear(fd, &in, "PENDING\r\n");
	close(fd);
	do
		gx_http_stats(server.http, &st);
	while (st.conns > 0);
	ck_assert_uint_eq(st.requests, 1);
	pthread_mutex_unlock(&s->lock);
	gx_ems_session_put(s);
	do
		gx_http_stats(server.http, &st);
	while (st.requests > 0);
	ck_assert_int_eq(call("PING", NULL, NULL).code, 0);
	gx_push_release(&in);
}
END_TEST

START_TEST(a_connect)
{
	const struct gx_mh_connect_req q = {.user_dn = et_dn[0], .default_code_page = 1252};
	struct gx_mh_connect_res res;
	do_connect(); /* and the password is known from now on */
	cookies[0] = '\0';
	slow_call("Connect", &q, &res, &et_people->cache.lock);
	ck_assert_uint_eq(res.error_code, 0);
	/* the cookies that came first are those of the session */
	struct gx_mh_execute_res done;
	const struct gx_mh_execute_req x = nothing();
	ck_assert_int_eq(call("Execute", &x, &done).code, 0);
	ck_assert_int_eq(call("Execute", &x, &done).code, 0);
}
END_TEST

START_TEST(a_connect_that_fails)
{
	const struct gx_mh_connect_req q = {.user_dn = et_dn[1], .default_code_page = 1252};
	struct gx_mh_connect_res res;
	do_connect();
	cookies[0] = '\0';
	slow_call("Connect", &q, &res, &et_people->cache.lock);
	ck_assert_uint_eq(res.error_code, ecAccessDenied);
	ck_assert_int_eq(call("PING", NULL, NULL).code, GX_MHC_CONTEXT_NOT_FOUND);
}
END_TEST

START_TEST(the_address_book)
{
	struct gx_stat st = {.code_page = 1252};
	const struct gx_mh_bind_req bind = {.state = &st};
	const struct gx_mh_query_rows_req q = {.state = &st, .row_count = 10};
	struct gx_mh_bind_res bound;
	struct gx_mh_query_rows_res rows;
	path = "/mapi/nspi";
	ck_assert_int_eq(call("Bind", &bind, &bound).code, 0);
	et_x = (struct gx_dctx){.px = GX_PX_AB(et_a, 1252)};
	struct reply quick;
	unsigned tries = 0;
	do
		quick = call("QueryRows", &q, &rows);
	while (strstr(quick.head, "Content-Length") == NULL && ++tries < 100);
	ck_assert_uint_lt(tries, 100);
	uint32_t n = rows.rows.count;
	ck_assert_uint_gt(n, 0);
	struct reply r = slow_call("QueryRows", &q, &rows, &nsp->lock);
	ck_assert_ptr_nonnull(strstr(r.head, "Transfer-Encoding"));
	ck_assert_uint_eq(rows.error_code, 0);
	ck_assert_uint_eq(rows.rows.count, n);
	/* what it says of sessions is true for later ones */
	ck_assert_int_eq(call("QueryRows", &q, &rows).code, 0);
	path = "/mapi/emsmdb";
}
END_TEST

static void setup_late(void)
{
	late_ms = 50;
	setup();
}

static Suite *mhpending_suite(void)
{
	Suite *s = suite_create("mhpending");
	TCase *t = tcase_create("mhpending");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup_late, teardown);
	tcase_add_test(t, an_execute);
	tcase_add_test(t, an_execute_whose_client_hangs_up);
	tcase_add_test(t, a_connect);
	tcase_add_test(t, a_connect_that_fails);
	tcase_add_test(t, the_address_book);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mhpending_suite)
