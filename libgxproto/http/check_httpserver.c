/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>
#include "libgxproto/http/httptest.h"

/* The same behind real sockets, with loops and workers. */

struct server {
	struct site s;
	struct gx_net *net;
	uint16_t port;
};

static void serve(struct server *s, struct gx_http_opts *o)
{
	const char *why = "";
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	no.loops = 2;
	no.workers = 3;
	site_open(&s->s, o);
	ck_assert_int_eq(gx_net_new(&no, &s->net), 0);
	lo.addr = "127.0.0.1:0";
	ck_assert_msg(gx_http_listen(s->s.h, s->net, &lo, &s->port, s->s.a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(s->net), 0);
}

static void end_server(struct server *s)
{
	gx_net_stop(s->net, 5000);
	gx_net_free(s->net);
	site_close(&s->s);
}

/* Reads until @p text has come. */
static void await(int fd, const char *text)
{
	char buf[4000];
	size_t n = 0;
	while (n < sizeof(buf) - 1) {
		ssize_t got = sock_recv(fd, buf + n, sizeof(buf) - 1 - n);
		ck_assert_msg(got > 0, "waiting for \"%s\", after \"%.*s\": %s", text, (int)n, buf, got == 0 ? "the end" : strerror(errno));
		n += (size_t)got;
		buf[n] = '\0';
		if (strstr(buf, text) != NULL)
			return;
	}
	ck_abort_msg("no \"%s\" in \"%s\"", text, buf);
}

/* Counts what comes until the end. */
static size_t drain(int fd)
{
	static char buf[65536];
	size_t n = 0;
	for (ssize_t got; (got = sock_recv(fd, buf, sizeof(buf))) > 0;)
		n += (size_t)got;
	return n;
}

static unsigned count(struct server *s, const unsigned *p)
{
	pthread_mutex_lock(&s->s.lock);
	unsigned n = *p;
	pthread_mutex_unlock(&s->s.lock);
	return n;
}

static void await_count(struct server *s, const unsigned *p, unsigned n)
{
	for (unsigned i = 0; i < 60000 && count(s, p) < n; ++i)
		usleep(1000);
	ck_assert_uint_eq(count(s, p), n);
}

START_TEST(keep_alive_and_pipelines)
{
	struct server s;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	serve(&s, &o);
	int fd = http_dial(s.port);
	for (unsigned i = 0; i < 100; ++i) {
		http_put(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
		await(fd, "hello\n");
	}
	for (unsigned i = 0; i < 100; ++i)
		http_put(fd, i < 99 ? "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" : "GET /hello HTTP/1.0\r\n\r\n");
	ck_assert_uint_gt(drain(fd), 100 * 60);
	close(fd);
	end_server(&s);
}
END_TEST

START_TEST(big_bodies)
{
	enum { SIZE = 3000000 };
	struct server s;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	char head[200], *data = malloc(SIZE + 1);
	memset(data, 'x', SIZE);
	data[SIZE] = '\0';
	serve(&s, &o);
	static const char *const targets[] = {"/echo", "/sink"};
	for (unsigned i = 0; i < 4; ++i) {
		int fd = http_dial(s.port);
		snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s", targets[i % 2],
			i < 2 ? "Content-Length: 3000000\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n2dc6c0\r\n");
		http_put(fd, head);
		http_put(fd, data);
		if (i >= 2)
			http_put(fd, "\r\n0\r\n\r\n");
		if (i % 2 == 1)
			await(fd, "3000000 bytes");
		else
			ck_assert_uint_gt(drain(fd), SIZE);
		close(fd);
	}
	/* One that reads slowly. */
	int fd = http_dial(s.port);
	http_put(fd, "GET /source?n=3000000 HTTP/1.0\r\n\r\n");
	usleep(20000);
	ck_assert_uint_gt(drain(fd), SIZE);
	close(fd);
	free(data);
	end_server(&s);
}
END_TEST

START_TEST(answer_reaches_one_that_still_sends)
{
	struct server s;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	o.body_max = 1000;
	char *data = calloc(1, 1000001);
	memset(data, 'x', 1000000);
	serve(&s, &o);
	int fd = http_dial(s.port);
	http_put(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
	http_put(fd, data);
	await(fd, "413 Content Too Large\r\n");
	close(fd);
	free(data);
	end_server(&s);
}
END_TEST

START_TEST(a_thousand_held)
{
	enum { N = 1000 };
	struct server s;
	struct rlimit lim;
	static int fds[N];
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	serve(&s, &o);
	size_t before = mallinfo2().uordblks;
	for (unsigned i = 0; i < N; ++i) {
		fds[i] = http_dial(s.port);
		http_put(fds[i], "GET /hold HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nX-RequestType: NotificationWait\r\n\r\n");
	}
	await_count(&s, &s.s.nheld, N);
	printf("# held request: %zu bytes of heap each\n", (mallinfo2().uordblks - before) / N);
	/* One half hangs up, the other is answered. */
	for (unsigned i = 0; i < N; i += 2)
		close(fds[i]);
	await_count(&s, &s.s.events[GX_HTTP_EV_DONE], N / 2);
	ck_assert_uint_eq(count(&s, &s.s.events[GX_HTTP_EV_GONE]), N / 2);
	/* they are given up soon after their last event */
	struct gx_http_stats st;
	do {
		usleep(1000);
		gx_http_stats(s.s.h, &st);
	} while (st.requests > N / 2);
	ck_assert_uint_eq(st.requests, N / 2);
	gx_net_stop(s.net, 600000);
	ck_assert_uint_eq(s.s.events[GX_HTTP_EV_STOP], N / 2);
	ck_assert_uint_eq(s.s.events[GX_HTTP_EV_DONE], N);
	for (unsigned i = 1; i < N; i += 2) {
		await(fds[i], "503 Service Unavailable");
		close(fds[i]);
	}
	end_server(&s);
}
END_TEST

static void *answer_later(void *ctx)
{
	struct gx_http_req *r = ctx;
	usleep(1000);
	gx_http_reply(r, 200, NULL, "later\n", 6);
	return NULL;
}

START_TEST(answers_of_other_threads)
{
	struct server s;
	pthread_t t;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	serve(&s, &o);
	for (unsigned i = 0; i < 30; ++i) {
		int fd = http_dial(s.port);
		http_put(fd, "GET /hold?keep HTTP/1.1\r\nHost: a\r\n\r\n");
		await_count(&s, &s.s.nheld, i + 1);
		ck_assert_int_eq(pthread_create(&t, NULL, answer_later, s.s.held[i]), 0);
		/* The answer and the end of the client meet in every order. */
		if (i % 3 == 0)
			await(fd, "later\n");
		else if (i % 3 == 1)
			usleep(1000);
		close(fd);
		pthread_join(t, NULL);
	}
	await_count(&s, &s.s.events[GX_HTTP_EV_DONE], 30);
	end_server(&s);
}
END_TEST

/* Who has not said a word in time is told nothing; then it was this side that was slow, and tries again. */
static void await_timeout(struct server *s, const char *text)
{
	char buf[4000];
	size_t n = 0;
	for (unsigned tries = 0; n == 0 && tries < 100; ++tries) {
		int fd = http_dial(s->port);
		sock_try(fd, text);
		ssize_t got = sock_recv(fd, buf, sizeof(buf) - 1); /* which is made in one piece */
		n = got > 0 ? (size_t)got : 0;
		close(fd);
	}
	buf[n] = '\0';
	ck_assert_msg(strstr(buf, "408 Request Timeout") != NULL, "\"%s\"", buf);
}

START_TEST(slow_clients)
{
	struct server s;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	o.head_ms = 50;
	o.idle_ms = 60;
	o.body_ms = 50;
	serve(&s, &o);
	int c = http_dial(s.port);
	await_timeout(&s, "GET /hel");
	await_timeout(&s, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx");
	ck_assert_uint_eq(drain(c), 0);
	close(c);
	end_server(&s);
}
END_TEST

START_TEST(connections_are_limited)
{
	struct server s;
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	o.max_conns = 2;
	serve(&s, &o);
	int a = http_dial(s.port), b = http_dial(s.port);
	http_put(a, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	http_put(b, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	await(a, "hello");
	await(b, "hello");
	int c = http_dial(s.port);
	ck_assert_uint_eq(drain(c), 0);
	close(a);
	close(b);
	close(c);
	end_server(&s);
}
END_TEST

static Suite *httpserver_suite(void)
{
	Suite *s = suite_create("httpserver");
	TCase *t = tcase_create("httpserver");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, keep_alive_and_pipelines);
	tcase_add_test(t, big_bodies);
	tcase_add_test(t, answer_reaches_one_that_still_sends);
	tcase_add_test(t, a_thousand_held);
	tcase_add_test(t, answers_of_other_threads);
	tcase_add_test(t, slow_clients);
	tcase_add_test(t, connections_are_limited);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(httpserver_suite)
