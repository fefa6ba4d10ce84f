/* SPDX-License-Identifier: Apache-2.0 */
/* What clients are told when the server goes down. */
#include <config.h>
#include "libgxproto/mapihttp/mhtest.h"

static const struct gx_mh_notification_wait_req wait_req;

static void do_connect(void)
{
	const struct gx_mh_connect_req q = {.user_dn = et_dn[0], .default_code_page = 1252};
	struct gx_mh_connect_res res;
	ck_assert_int_eq(call("Connect", &q, &res).code, 0);
	ck_assert_uint_eq(res.error_code, 0);
}

START_TEST(requests_and_waits)
{
	const struct gx_mh_execute_req x = {.rop_buffer = {(const uint8_t *)"x", 1}, .max_rop_out = 32768};
	const struct gx_mh_connect_req connect = {.user_dn = et_dn[0], .default_code_page = 1252};
	const struct gx_mh_bind_req bind = {0};
	struct gx_mh_notification_wait_res res;
	struct gx_push in = GX_PUSH_INIT;
	do_connect();
	int fd = begin_call("NotificationWait", &wait_req);
	hear(fd, &in, "PENDING\r\n");
	gx_mh_stop(server.mh);
	ck_assert_int_eq(call("PING", NULL, NULL).code, GX_MHC_ENDPOINT_SHUTTING_DOWN);
	ck_assert_int_eq(call("Execute", &x, NULL).code, GX_MHC_ENDPOINT_SHUTTING_DOWN);
	struct reply r = call("Connect", &connect, NULL);
	ck_assert_int_eq(r.code, GX_MHC_ENDPOINT_SHUTTING_DOWN);
	ck_assert_uint_eq(r.status, 200);
	ck_assert_str_eq(field(r.head, "Content-Type"), "text/html");
	path = "/mapi/nspi";
	ck_assert_int_eq(call("Bind", &bind, NULL).code, GX_MHC_ENDPOINT_SHUTTING_DOWN);
	path = "/mapi/emsmdb";
	/* the wait has not ended by that; it does with the net, by an answer as ever */
	gx_net_stop(server.net, 60000);
	hear(fd, &in, NULL);
	r = end_call("NotificationWait", &in, &res);
	ck_assert_int_eq(r.code, 0);
	ck_assert_uint_eq(res.error_code, 0);
	ck_assert_uint_eq(res.event_pending, 0);
}
END_TEST

/* ---- Of a front: it has handed the request on ---- */

static bool cut_at_once(struct gx_http_req *r, void *ctx)
{
	static const uint8_t processing[] = "PROCESSING\r\n", pending[] = "x\r\nPENDING\r\n", done[] = "DONE\r\n";
	if (strcmp(gx_http_header(r, "X-RequestType"), "Connect") == 0)
		return false;
	ck_assert_int_eq(gx_http_set(r, "X-ResponseCode", "0"), 0);
	ck_assert_int_eq(gx_http_stream_begin(r, 200, "application/mapi-http", -1), 0);
	ck_assert_int_eq(gx_http_stream_write(r, processing, 12), 0);
	ck_assert(!gx_mh_cut(server.mh, r, (struct gx_bin){done, 6}));
	ck_assert(!gx_mh_cut(server.mh, r, (struct gx_bin){processing, 11}));
	ck_assert(!gx_mh_cut(server.mh, r, (struct gx_bin){NULL, 0}));
	if (strcmp(gx_http_header(r, "X-RequestType"), "NotificationWait") == 0) {
		ck_assert(gx_mh_cut(server.mh, r, (struct gx_bin){pending, 12}));
		return true;
	}
	/* what changes something goes on where it is done: nobody can say how it ends */
	ck_assert(!gx_mh_cut(server.mh, r, (struct gx_bin){processing, 12}));
	gx_http_reply_status(r, 503, NULL);
	return true;
}

static void setup_front(void)
{
	hand_on = cut_at_once;
	setup();
}

START_TEST(waits_that_were_handed_on)
{
	const struct gx_mh_execute_req x = {.rop_buffer = {(const uint8_t *)"x", 1}, .max_rop_out = 32768};
	struct gx_mh_notification_wait_res res = {.event_pending = 1};
	struct gx_push in = GX_PUSH_INIT;
	do_connect();
	struct reply r = call("NotificationWait", &wait_req, &res);
	ck_assert_int_eq(r.code, 0);
	ck_assert_uint_eq(res.error_code, 0);
	ck_assert_uint_eq(res.event_pending, 0);
	hear(begin_call("Execute", &x), &in, NULL);
	gx_push_u8(&in, 0);
	ck_assert_ptr_null(strstr((const char *)in.data, "\r\n0\r\n\r\n"));
	gx_push_release(&in);
}
END_TEST

static void setup_patient(void)
{
	patience = 600000;
	setup();
}

static Suite *mhstop_suite(void)
{
	Suite *s = suite_create("mhstop");
	TCase *t = tcase_create("mhstop"), *f = tcase_create("front");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup_patient, teardown);
	tcase_add_test(t, requests_and_waits);
	suite_add_tcase(s, t);
	tcase_set_timeout(f, 60);
	tcase_add_checked_fixture(f, setup_front, teardown);
	tcase_add_test(f, waits_that_were_handed_on);
	suite_add_tcase(s, f);
	return s;
}

GXTEST_MAIN(mhstop_suite)
