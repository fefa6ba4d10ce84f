/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that last: what there is of an answer goes out, signs of life follow, and the connection lives on without the handler. */
#include <config.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include "libgxproto/http/httptest.h"

struct server {
	struct site s;
	struct gx_net *net;
	uint16_t port;
};

static struct server v;

static void setup(void)
{
	const char *why = "";
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	no.loops = 2;
	no.workers = 4;
	site_open(&v.s, &o);
	ck_assert_int_eq(gx_net_new(&no, &v.net), 0);
	lo.addr = "127.0.0.1:0";
	ck_assert_msg(gx_http_listen(v.s.h, v.net, &lo, &v.port, v.s.a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(v.net), 0);
}

static void teardown(void)
{
	gx_net_stop(v.net, 5000);
	gx_net_free(v.net);
	site_close(&v.s);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void await_count(const unsigned *p, unsigned n)
{
	unsigned now = 0;
	while (now < n) {
		pthread_mutex_lock(&v.s.lock);
		now = *p;
		pthread_mutex_unlock(&v.s.lock);
		if (now < n)
			usleep(1000);
	}
	ck_assert_uint_eq(now, n);
}

static void await_no_requests(void)
{
	struct gx_http_stats st;
	do {
		usleep(1000);
		gx_http_stats(v.s.h, &st);
	} while (st.requests > 0);
}

START_TEST(goes_on_to_be_heard_of)
{
	static const char *const targets[] = {GET("/last"), GET("/last?announce")};
	int fd = http_dial(v.port);
	for (unsigned i = 0; i < 6; ++i) {
		http_put(fd, targets[i % 2]);
		const char *got = sock_await(fd, "9\r\nPENDING\r\n\r\n");
		ck_assert_ptr_nonnull(strstr(got, "Transfer-Encoding: chunked\r\n"));
		ck_assert_ptr_nonnull(strstr(got, "\r\n\r\nc\r\nPROCESSING\r\n\r\n9\r\nPENDING\r\n\r\n"));
		ck_assert_int_eq(strstr(got, "X-First: 1\r\n") != NULL, i % 2);
		sock_await(fd, "PENDING\r\n"); /* and again */
		open_gate(&v.s);
		sock_await(fd, "6\r\nDONE\r\n\r\n0\r\n\r\n");
		/* the connection is as it was */
		http_put(fd, GET("/hello"));
		sock_await(fd, "hello\n");
	}
	close(fd);
}
END_TEST

START_TEST(answers_in_time_look_as_ever)
{
	int fd = http_dial(v.port);
	for (unsigned i = 0; i < 3; ++i) {
		open_gate(&v.s);
		http_put(fd, GET("/in-time?announce"));
		const char *got = sock_await(fd, "DONE\r\n");
		ck_assert_ptr_nonnull(strstr(got, "Content-Length: 18\r\n"));
		ck_assert_ptr_nonnull(strstr(got, "X-Second: 1\r\n"));
		ck_assert_ptr_null(strstr(got, "X-First: 1\r\n"));
		open_gate(&v.s);
		http_put(fd, GET("/in-time"));
		sock_await(fd, "\r\n\r\nc\r\nPROCESSING\r\n\r\n6\r\nDONE\r\n\r\n0\r\n\r\n");
	}
	/* nothing can be said of this one, however long it takes */
	http_put(fd, GET("/last?silent"));
	usleep(30000);
	open_gate(&v.s);
	ck_assert_ptr_nonnull(strstr(sock_await(fd, "whole\n"), "Content-Length: 6\r\n"));
	close(fd);
}
END_TEST

START_TEST(old_clients)
{
	int fd = http_dial(v.port);
	http_put(fd, "GET /last?announce HTTP/1.0\r\n\r\n");
	const char *got = sock_await(fd, "PENDING\r\n");
	ck_assert_ptr_nonnull(strstr(got, "Connection: close\r\n"));
	ck_assert_ptr_nonnull(strstr(got, "\r\n\r\nPROCESSING\r\nPENDING\r\n"));
	open_gate(&v.s);
	got = sock_await(fd, NULL);
	ck_assert_ptr_nonnull(strstr(got, "DONE\r\n"));
	ck_assert_str_eq(strstr(got, "DONE\r\n"), "DONE\r\n");
	close(fd);
}
END_TEST

START_TEST(clients_that_hang_up)
{
	static const char *const targets[] = {GET("/last"), GET("/last?announce"), GET("/last?lost"), GET("/last?hold")};
	for (unsigned i = 0; i < 4; ++i) {
		struct gx_http_stats st;
		int fd = http_dial(v.port);
		http_put(fd, targets[i]);
		sock_await(fd, "PENDING\r\n");
		close(fd);
		do {
			usleep(1000);
			gx_http_stats(v.s.h, &st);
		} while (st.conns > 0);
		/* the handler still has it */
		ck_assert_uint_eq(st.requests, 1);
		open_gate(&v.s);
		await_count(&v.s.returned, i + 1);
		await_no_requests();
	}
	ck_assert_uint_eq(v.s.events[GX_HTTP_EV_GONE], 1);
	ck_assert_uint_eq(v.s.events[GX_HTTP_EV_DONE], 1);
	ck_assert_uint_eq(v.s.last.status, 499);
}
END_TEST

START_TEST(an_answer_that_is_not_ended_breaks_off)
{
	int fd = http_dial(v.port);
	http_put(fd, GET("/last?lost"));
	sock_await(fd, "PENDING\r\n");
	open_gate(&v.s);
	ck_assert_ptr_null(strstr(sock_await(fd, NULL), "0\r\n\r\n"));
	close(fd);
}
END_TEST

static void *stop(void *ctx)
{
	gx_net_stop(v.net, *(unsigned *)ctx);
	return NULL;
}

static void await_stop(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(v.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (int ret = 0; ret == 0; usleep(1000)) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		ret = connect(fd, (struct sockaddr *)&a, sizeof(a));
		close(fd);
	}
}

START_TEST(the_server_ends_meanwhile)
{
	/* with time to end, and without */
	unsigned ms = _i == 0 ? 60000 : 1;
	pthread_t t;
	int fd = http_dial(v.port);
	http_put(fd, GET("/last?announce"));
	sock_await(fd, "PENDING\r\n");
	ck_assert_int_eq(pthread_create(&t, NULL, stop, &ms), 0);
	await_stop();
	if (_i == 0) {
		open_gate(&v.s);
		ck_assert_ptr_nonnull(strstr(sock_await(fd, NULL), "6\r\nDONE\r\n\r\n0\r\n\r\n"));
	} else {
		ck_assert_ptr_null(strstr(sock_await(fd, NULL), "DONE\r\n"));
		open_gate(&v.s);
	}
	pthread_join(t, NULL);
	ck_assert_uint_eq(v.s.returned, 1);
	close(fd);
}
END_TEST

/* ---- Handlers that end just when they are late ---- */

static void *ask_often(void *ctx)
{
	unsigned seed = *(unsigned *)ctx;
	static const char *const targets[] = {GET("/last"), GET("/last?announce"), GET("/last?lost"), GET("/hello")};
	for (unsigned i = 0; i < 40; ++i) {
		char buf[4000];
		unsigned k = (unsigned)rand_r(&seed) % 4;
		int fd = http_dial(v.port);
		http_put(fd, targets[k]);
		if (k < 3) {
			usleep((unsigned)rand_r(&seed) % 8000);
			open_gate(&v.s);
		}
		if (rand_r(&seed) % 3 > 0) /* something of it, or nothing */
			(void)!recv(fd, buf, sizeof(buf), 0);
		close(fd);
	}
	return NULL;
}

START_TEST(ends_and_lateness_meet)
{
	enum { N = 4 };
	pthread_t t[N];
	unsigned seeds[N];
	for (unsigned i = 0; i < N; ++i) {
		seeds[i] = i + 1;
		ck_assert_int_eq(pthread_create(&t[i], NULL, ask_often, &seeds[i]), 0);
	}
	for (unsigned i = 0; i < N; ++i)
		pthread_join(t[i], NULL);
	await_no_requests();
}
END_TEST

static Suite *httplate_suite(void)
{
	Suite *s = suite_create("httplate");
	TCase *t = tcase_create("httplate");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, goes_on_to_be_heard_of);
	tcase_add_test(t, answers_in_time_look_as_ever);
	tcase_add_test(t, old_clients);
	tcase_add_test(t, clients_that_hang_up);
	tcase_add_test(t, an_answer_that_is_not_ended_breaks_off);
	tcase_add_loop_test(t, the_server_ends_meanwhile, 0, 2);
	tcase_add_test(t, ends_and_lateness_meet);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(httplate_suite)
