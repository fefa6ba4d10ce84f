/* SPDX-License-Identifier: Apache-2.0 */
/* A front and an owner in one process, over real sockets; and owners that behave badly. */
#include <config.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>
#include "libgxproto/http/httptest.h"
#include "libgxproto/http/relay.h"

struct owner {
	struct site s;
	struct gx_net *net;
};

struct front {
	struct gx_arena *a;
	struct gx_http *h;
	struct gx_http_auth *auth;
	struct gx_net *net;
	struct gx_http_relay *x;
	uint16_t port;
	int absent;              /* the last error that was answered, 0 none */
	atomic_uint cuts;        /* tried */
	struct gx_log log;
	struct gx_clock clock;   /* of the relay's log */
	int64_t now_ms;
	unsigned lines;
	char line[500];          /* the last one */
};

static void write_down(int level, const char *text, void *ctx)
{
	struct front *f = ctx;
	++f->lines;
	snprintf(f->line, sizeof(f->line), "%s", text);
}

static int64_t front_now(void *ctx)
{
	return ((struct front *)ctx)->now_ms * 1000000;
}

static char path[100];

static void name_socket(void)
{
	snprintf(path, sizeof(path), "/tmp/check_relay.%d.sock", (int)getpid());
}

/* ---- Owners ---- */

static void own(struct owner *w)
{
	const char *why = "";
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	o.enforce_auth = true;
	o.remote_host_hdr = GX_HTTP_RELAY_PEER;
	site_open(&w->s, &o);
	ao.fronts_only = true;
	ck_assert_int_eq(gx_http_auth_new(&ao, &w->s.auth), 0);
	gx_http_set_auth(w->s.h, w->s.auth);
	no.loops = 1;
	no.workers = 2;
	ck_assert_int_eq(gx_net_new(&no, &w->net), 0);
	lo.addr = path;
	lo.out_high = 64 << 10;
	ck_assert_msg(gx_http_listen(w->s.h, w->net, &lo, NULL, w->s.a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(w->net), 0);
}

static void disown(struct owner *w)
{
	gx_net_stop(w->net, 5000);
	gx_net_free(w->net);
	site_close(&w->s);
}

/* ---- The front ---- */

static int anybody(const char *login, const char *password, struct gx_arena *a, const char **ret_user, void *ctx)
{
	*ret_user = gx_arena_printf(a, "%s@example.org", login);
	return 0;
}

static int locate(struct gx_http_req *r, const char **ret_addr, void *ctx)
{
	*ret_addr = path;
	return gx_http_query(r, "lost") != NULL ? GX_E_NOTFOUND : 0;
}

static void absent(struct gx_http_req *r, int err, void *ctx)
{
	struct front *f = ctx;
	f->absent = err;
	gx_http_relay_absent(r, err);
}

static bool with_cut;

static bool cut(struct gx_http_req *r, struct gx_bin last, void *ctx)
{
	struct front *f = ctx;
	bool between = last.len >= 5 && memcmp(last.data + last.len - 5, "cut\r\n", 5) == 0;
	if (between)
		gx_http_stream_end_with(r, "here", 4);
	atomic_fetch_add(&f->cuts, 1);
	return between;
}

static void hand_on(struct gx_http_req *r, void *ctx)
{
	struct front *f = ctx;
	gx_http_relay_serve(f->x, r);
}

static void open_front(struct front *f, uint32_t answer_ms)
{
	const char *why = "";
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	struct gx_http_relay_opts xo = GX_HTTP_RELAY_OPTS_INIT;
	struct gx_http_route route = GX_HTTP_ROUTE_INIT;
	*f = (struct front){.a = gx_arena_new(0)};
	ck_assert_int_eq(gx_http_new(&o, &f->h, f->a, &why), 0);
	ao.basic = true;
	ao.check = anybody;
	ck_assert_int_eq(gx_http_auth_new(&ao, &f->auth), 0);
	gx_http_set_auth(f->h, f->auth);
	route.methods = GX_HTTP_ANY;
	route.path = "/";
	route.flags = GX_HTTP_PREFIX | GX_HTTP_AUTH;
	route.handle = hand_on;
	route.ctx = f;
	ck_assert_int_eq(gx_http_route(f->h, &route), 0);
	no.loops = 1;
	no.workers = 2;
	ck_assert_int_eq(gx_net_new(&no, &f->net), 0);
	f->log = (struct gx_log){write_down, f, GX_LOG_WARN};
	f->clock = (struct gx_clock){front_now, front_now, f};
	xo.log = &f->log;
	xo.clock = &f->clock;
	xo.net = f->net;
	xo.locate = locate;
	xo.absent = absent;
	xo.cut = with_cut ? cut : NULL;
	xo.ctx = f;
	xo.answer_ms = answer_ms;
	ck_assert_int_eq(gx_http_relay_new(&xo, &f->x), 0);
	lo.addr = "127.0.0.1:0";
	lo.out_high = 64 << 10;
	ck_assert_msg(gx_http_listen(f->h, f->net, &lo, &f->port, f->a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(f->net), 0);
}

static void close_front(struct front *f)
{
	struct gx_http_relay_stats st;
	gx_net_stop(f->net, 60000);
	gx_net_free(f->net);
	gx_http_relay_stats(f->x, &st);
	ck_assert_uint_eq(st.busy, 0);
	ck_assert_uint_eq(st.idle, 0);
	gx_http_relay_free(f->x);
	gx_http_free(f->h);
	gx_http_auth_free(f->auth);
	gx_arena_free(f->a);
}

static struct gx_http_relay_stats stats(struct front *f)
{
	struct gx_http_relay_stats st;
	gx_http_relay_stats(f->x, &st);
	return st;
}

/* The client may have its answer a little before. */
static void await_idle(struct front *f, unsigned n)
{
	for (unsigned i = 0; i < 60000 && stats(f).idle != n; ++i)
		usleep(1000);
	ck_assert_uint_eq(stats(f).idle, n);
}

/* ---- Clients ---- */

/* "ann", no password */
#define WHO "Host: h\r\nAuthorization: Basic YW5uOg==\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" WHO "\r\n"

static void await_count(struct owner *w, const unsigned *p, unsigned n)
{
	unsigned v = 0;
	for (unsigned i = 0; i < 60000 && v < n; ++i) {
		pthread_mutex_lock(&w->s.lock);
		v = *p;
		pthread_mutex_unlock(&w->s.lock);
		if (v < n)
			usleep(1000);
	}
	ck_assert_uint_eq(v, n);
}

/* ---- Tests ---- */

START_TEST(requests_go_through)
{
	struct owner w;
	struct front f;
	own(&w);
	open_front(&f, 0);
	int fd = http_dial(f.port);
	/* nobody but the front says who asks, and nothing of the connection goes along */
	http_put(fd, "POST /echo/%41?q=1%202 HTTP/1.1\r\n" WHO "Cookie: c=7\r\nX-Gx-User: root\r\nX-Gx-Peer: 9.9.9.9\r\nContent-Length: 4\r\n\r\nbody");
	const char *got = sock_await(fd, "body=body\n");
	ck_assert_ptr_nonnull(strstr(got, "POST /echo/A host=h q=1 2 c=7 peer=127.0.0.1 user=ann@example.org body=body"));
	ck_assert_ptr_nonnull(strstr(got, "Content-Type: text/plain\r\n"));
	await_idle(&f, 1);
	http_put(fd, "POST /echo HTTP/1.1\r\n" WHO "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	sock_await(fd, "body=abc\n");
	await_idle(&f, 1);
	http_put(fd, "HEAD /big?n=500 HTTP/1.1\r\n" WHO "\r\n");
	ck_assert_ptr_nonnull(strstr(sock_await(fd, "\r\n\r\n"), "Content-Length: 500\r\n"));
	await_idle(&f, 1);
	http_put(fd, GET("/nothing"));
	ck_assert_ptr_nonnull(strstr(sock_await(fd, "Not Found\n"), " 404 "));
	await_idle(&f, 1);
	http_put(fd, GET("/source?n=3000"));
	sock_await(fd, "0\r\n\r\n");
	/* one after the other needs one connection */
	ck_assert_uint_eq(stats(&f).total, 5);
	ck_assert_uint_eq(stats(&f).dialled, 1);
	ck_assert_int_eq(f.absent, 0);
	close(fd);
	close_front(&f);
	disown(&w);
}
END_TEST

START_TEST(pieces_come_at_once)
{
	struct owner w;
	struct front f;
	own(&w);
	open_front(&f, 0);
	int fd = http_dial(f.port), other = http_dial(f.port);
	http_put(fd, GET("/hold?poll"));
	sock_await(fd, "PROCESSING\r\n");
	await_count(&w, &w.s.nheld, 1);
	/* meanwhile another one is served */
	http_put(other, GET("/hello"));
	sock_await(other, "hello\n");
	struct gx_http_req *r = w.s.held[0];
	for (unsigned i = 0; i < 3; ++i) {
		char text[20];
		snprintf(text, sizeof(text), "PENDING %u\r\n", i);
		ck_assert_int_eq(gx_http_stream_write(r, text, strlen(text)), 0);
		sock_await(fd, text);
	}
	gx_http_stream_end(r);
	sock_await(fd, "0\r\n\r\n");
	ck_assert_uint_eq(stats(&f).dialled, 2);
	close(fd);
	close(other);
	close_front(&f);
	disown(&w);
}
END_TEST

START_TEST(signs_of_life_come_through)
{
	static const char *const targets[] = {GET("/last"), GET("/last?announce"), "GET /last HTTP/1.0\r\n" WHO "\r\n"};
	struct owner w;
	struct front f;
	own(&w);
	open_front(&f, 0);
	int fd = http_dial(f.port);
	for (unsigned i = 0; i < 3; ++i) {
		http_put(fd, targets[i]);
		const char *got = sock_await(fd, "PENDING\r\n");
		ck_assert_ptr_nonnull(strstr(got, "PROCESSING\r\n"));
		sock_await(fd, "PENDING\r\n");
		open_gate(&w.s);
		sock_await(fd, i < 2 ? "0\r\n\r\n" : "DONE\r\n");
		await_idle(&f, 1);
	}
	close(fd);
	/* the owner's handler goes on when the client has gone */
	fd = http_dial(f.port);
	http_put(fd, GET("/last?hold"));
	sock_await(fd, "PENDING\r\n");
	close(fd);
	open_gate(&w.s);
	await_count(&w, &w.s.events[GX_HTTP_EV_DONE], 1);
	ck_assert_uint_eq(w.s.events[GX_HTTP_EV_GONE], 1);
	close_front(&f);
	disown(&w);
}
END_TEST

START_TEST(the_owner_hears_of_clients_that_hang_up)
{
	struct owner w;
	struct front f;
	own(&w);
	open_front(&f, 0);
	int fd = http_dial(f.port), silent = http_dial(f.port);
	http_put(fd, GET("/hold?poll"));
	sock_await(fd, "PROCESSING\r\n");
	http_put(silent, GET("/hold"));
	await_count(&w, &w.s.nheld, 2);
	close(fd);
	close(silent);
	await_count(&w, &w.s.events[GX_HTTP_EV_GONE], 2);
	await_count(&w, &w.s.events[GX_HTTP_EV_DONE], 2);
	close_front(&f);
	disown(&w);
}
END_TEST

START_TEST(a_front_that_ends_lets_go)
{
	struct owner w;
	struct front f;
	own(&w);
	open_front(&f, 0);
	int fd = http_dial(f.port);
	http_put(fd, GET("/hold?poll"));
	sock_await(fd, "PROCESSING\r\n");
	close_front(&f);
	ck_assert_ptr_null(strstr(sock_await(fd, NULL), "0\r\n\r\n"));
	await_count(&w, &w.s.events[GX_HTTP_EV_GONE], 1);
	close(fd);
	disown(&w);
}
END_TEST

static void *end_front(void *ctx)
{
	close_front(ctx);
	return NULL;
}

START_TEST(a_front_that_ends_cuts_answers_where_it_can)
{
	struct owner w;
	struct front f;
	pthread_t t;
	own(&w);
	with_cut = true;
	open_front(&f, 0);
	with_cut = false;
	int fd = http_dial(f.port);
	http_put(fd, GET("/hold?poll"));
	sock_await(fd, "PROCESSING\r\n");
	ck_assert_int_eq(pthread_create(&t, NULL, end_front, &f), 0);
	while (atomic_load(&f.cuts) == 0)
		usleep(1000);
	/* not there; but here, whatever the pieces are */
	ck_assert_int_eq(gx_http_stream_write(w.s.held[0], "something else before it is cu", 30), 0);
	sock_await(fd, "cu");
	ck_assert_int_eq(gx_http_stream_write(w.s.held[0], "t\r\n", 3), 0);
	sock_await(fd, "t\r\n\r\n4\r\nhere\r\n0\r\n\r\n");
	pthread_join(t, NULL);
	await_count(&w, &w.s.events[GX_HTTP_EV_GONE], 1);
	ck_assert_int_eq(f.absent, 0);
	close(fd);
	disown(&w);
}
END_TEST

START_TEST(slow_readers_hold_the_owner_back)
{
	enum { SIZE = 24000000 };
	struct owner w;
	struct front f;
	char buf[65536];
	size_t n = 0, head = 0;
	own(&w);
	open_front(&f, 0);
	int fd = http_dial(f.port), other = http_dial(f.port);
	http_put(fd, GET("/source?n=24000000&known"));
	/* The other one is served all the same, and the stream has not gone into somebody's memory. */
	for (unsigned i = 0; i < 50; ++i) {
		http_put(other, GET("/hello"));
		sock_await(other, "hello\n");
	}
	pthread_mutex_lock(&w.s.lock);
	ck_assert_uint_eq(w.s.dones, 0);
	pthread_mutex_unlock(&w.s.lock);
	for (ssize_t got; n < SIZE + head && (got = sock_recv(fd, buf, sizeof(buf))) > 0; n += (size_t)got)
		if (n == 0)
			head = (size_t)(strstr(buf, "\r\n\r\n") + 4 - buf);
	ck_assert_uint_eq(n, SIZE + head);
	await_count(&w, &w.s.dones, 1);
	/* Gone in the middle of it. */
	http_put(fd, GET("/source?n=24000000&known"));
	ck_assert_int_gt(sock_recv(fd, buf, sizeof(buf)), 0);
	close(fd);
	await_count(&w, &w.s.dones, 2);
	close(other);
	close_front(&f);
	disown(&w);
}
END_TEST

START_TEST(the_log_is_not_flooded)
{
	struct front f;
	open_front(&f, 0);
	int fd = http_dial(f.port);
	for (unsigned i = 0; i < 12; ++i) {
		if (i == 10)
			f.now_ms += 59999;
		if (i == 11)
			f.now_ms += 1;
		http_put(fd, GET("/hello"));
		sock_await(fd, "Service Unavailable\n");
		ck_assert_uint_eq(f.lines, i < 11 ? 1 : 2);
		ck_assert_ptr_nonnull(strstr(f.line, i < 11 ? " (0 more since" : " (10 more since"));
	}
	close(fd);
	close_front(&f);
}
END_TEST

START_TEST(owners_come_and_go)
{
	struct owner w;
	struct front f;
	open_front(&f, 0);
	int fd = http_dial(f.port);
	http_put(fd, GET("/hello"));
	ck_assert_ptr_nonnull(strstr(sock_await(fd, "Service Unavailable\n"), "Retry-After: 10\r\n"));
	ck_assert_int_eq(f.absent, GX_E_NOTFOUND);
	own(&w);
	http_put(fd, GET("/hello"));
	sock_await(fd, "hello\n");
	/* the kept connection is none any more; nobody is told */
	await_idle(&f, 1);
	disown(&w);
	own(&w);
	f.absent = 0;
	http_put(fd, GET("/hello"));
	sock_await(fd, "hello\n");
	ck_assert_int_eq(f.absent, 0);
	http_put(fd, GET("/hello?lost"));
	sock_await(fd, "Service Unavailable\n");
	ck_assert_int_eq(f.absent, GX_E_NOTFOUND);
	/* in the middle of an answer it is seen that it is not all */
	http_put(fd, GET("/hold?poll"));
	sock_await(fd, "PROCESSING\r\n");
	gx_http_stream_abort(w.s.held[0]);
	ck_assert_ptr_null(strstr(sock_await(fd, NULL), "0\r\n\r\n"));
	close(fd);
	close_front(&f);
	disown(&w);
}
END_TEST

/* ---- Owners that behave badly ---- */

struct bad {
	int fd;
	const char *says;        /* NULL: nothing, until the other side hangs up */
};

static void *behave_badly(void *ctx)
{
	struct bad *b = ctx;
	char buf[4000];
	int c = accept(b->fd, NULL, NULL);
	ck_assert_int_ge(c, 0);
	ck_assert(sock_recv(c, buf, sizeof(buf)) > 0 || b->says == NULL);
	if (b->says == NULL)
		while (sock_recv(c, buf, sizeof(buf)) > 0)
			;
	else
		ck_assert_int_eq(send(c, b->says, strlen(b->says), MSG_NOSIGNAL), (ssize_t)strlen(b->says));
	close(c);
	return NULL;
}

START_TEST(bad_owners)
{
	static const struct {
		const char *says, *gets;  /* gets: the end of an answer that has begun */
		unsigned status;
		int err;
	} t[] = {
		{"", NULL, 503, GX_E_IO},
		{"HTTP/1.1 200 OK\r\nContent-Le", NULL, 503, GX_E_IO},
		{"nonsense\r\n\r\n", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 100 Continue\r\n\r\n", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 200 OK\r\n\r\n", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 200 OK\r\nbad header\r\nContent-Length: 0\r\n\r\n", NULL, 502, GX_E_FORMAT},
		{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "\r\n\r\nabc", 200, 0},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "\r\n3\r\nabc\r\n", 200, 0},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz", "\r\n3\r\nabc\r\n", 200, 0},
		{NULL, NULL, 504, GX_E_TIMEOUT},
	};
	struct front f;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct bad b = {.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(bind(b.fd, (struct sockaddr *)&un, sizeof(un)), 0);
	ck_assert_int_eq(listen(b.fd, 10), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		pthread_t other;
		b.says = t[i].says;
		open_front(&f, t[i].says == NULL ? 50 : 0);
		ck_assert_int_eq(pthread_create(&other, NULL, behave_badly, &b), 0);
		int fd = http_dial(f.port);
		http_put(fd, "GET /x HTTP/1.1\r\n" WHO "Connection: close\r\n\r\n");
		const char *got = sock_await(fd, NULL);
		pthread_join(other, NULL);
		ck_assert_msg(strtoul(got + 9, NULL, 10) == t[i].status, "%zu: \"%s\"", i, got);
		ck_assert_int_eq(f.absent, t[i].err);
		if (t[i].gets != NULL) {
			size_t n = strlen(got), k = strlen(t[i].gets);
			ck_assert_msg(n >= k && strcmp(got + n - k, t[i].gets) == 0, "%zu: \"%s\"", i, got);
		}
		close(fd);
		close_front(&f);
	}
	close(b.fd);
	unlink(path);
}
END_TEST

/* ---- Whom an owner believes ---- */

START_TEST(fronts_are_known_by_their_user)
{
	static const uint32_t known[] = {4711};
	static const struct {
		bool unix_socket;
		int uid;                 /* -1: this process's */
		const char *name;
		bool passes;
	} t[] = {
		{true, -1, "ann@example.org", true}, {true, 0, "ann@example.org", true}, {true, 4711, "ann@example.org", true},
		{true, 4712, "ann@example.org", false}, {false, -1, "ann@example.org", false}, {true, -1, NULL, false}, {true, -1, "", false},
	};
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	struct rig g;
	ck_assert_int_eq(gx_http_auth_new(&ao, &g.s.auth), GX_E_INVAL);
	rig_open(&g, &o);
	ao.fronts_only = true;
	ao.front_uids = known;
	ao.front_count = 1;
	ck_assert_int_eq(gx_http_auth_new(&ao, &g.s.auth), 0);
	gx_http_set_auth(g.s.h, g.s.auth);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		char text[300] = "";
		rig_again(&g);
		g.io.has_peer_uid = t[i].unix_socket;
		g.io.peer_uid = t[i].uid < 0 ? geteuid() : (uint32_t)t[i].uid;
		if (t[i].name != NULL)
			snprintf(text, sizeof(text), "x-gx-user: %s\r\n", t[i].name);
		rig_say(&g, "GET /who HTTP/1.1\r\nHost: a\r\n");
		rig_say(&g, text);
		/* a password changes nothing */
		rig_say(&g, "Authorization: Basic YW5uOg==\r\n\r\n");
		ck_assert_msg(rig_got(&g, " 200 OK") == t[i].passes && rig_got(&g, " 403 ") == !t[i].passes, "%zu: %s", i, gx_strbuf_cstr(&g.got));
		ck_assert(rig_got(&g, "user=ann@example.org") == t[i].passes);
	}
	rig_close(&g);
}
END_TEST

static Suite *relay_suite(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("relay");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, name_socket, NULL);
	tcase_add_test(t, requests_go_through);
	tcase_add_test(t, pieces_come_at_once);
	tcase_add_test(t, signs_of_life_come_through);
	tcase_add_test(t, the_owner_hears_of_clients_that_hang_up);
	tcase_add_test(t, a_front_that_ends_lets_go);
	tcase_add_test(t, a_front_that_ends_cuts_answers_where_it_can);
	tcase_add_test(t, slow_readers_hold_the_owner_back);
	tcase_add_test(t, the_log_is_not_flooded);
	tcase_add_test(t, owners_come_and_go);
	tcase_add_test(t, bad_owners);
	tcase_add_test(t, fronts_are_known_by_their_user);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(relay_suite)
