/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the HTTP server share: handlers of every kind, and a connection without a socket. */
#ifndef GX_HTTP_HTTPTEST_H
#define GX_HTTP_HTTPTEST_H
#include <gx/strbuf.h>
#include "libgxproto/http/http-int.h"
#include "libgxproto/net/socktest.h"
#include "tests/gxtest.h"

struct site {
	struct gx_http *h;
	struct gx_http_auth *auth;
	struct gx_arena *a;
	pthread_mutex_t lock;
	struct gx_http_req *held[1100];
	unsigned nheld, events[32], dones;
	uint64_t sunk;
	struct gx_http_record last;
	char target[200];
	int64_t now_ms;          /* of the test's clock */
	/* of handlers that last: until the gate is opened, once for each */
	pthread_cond_t gate;
	unsigned passes, returned;
};

static inline int64_t site_now(void *ctx)
{
	return ((struct site *)ctx)->now_ms * 1000000;
}

static inline void do_hello(struct gx_http_req *r, void *ctx)
{
	gx_http_reply(r, 200, "text/plain", "hello\n", 6);
}

static inline void do_echo(struct gx_http_req *r, void *ctx)
{
	struct gx_push out = GX_PUSH_INIT;
	const char *q = gx_http_query(r, "q"), *c = gx_http_cookie(r, "c");
	if (gx_http_query(r, "anew") != NULL) {
		ck_assert_int_eq(gx_http_set(r, "X-Dropped", "1"), 0);
		gx_http_unset(r);
	}
	gx_push_printf(&out, "%s %s host=%s q=%s c=%s peer=%s user=%s body=", r->method, r->path, r->host, q == NULL ? "-" : q,
		c == NULL ? "-" : c, r->peer, r->user == NULL ? "-" : r->user);
	gx_push_bytes(&out, r->body.data, r->body.len);
	gx_push_str(&out, "\n");
	gx_http_reply_take(r, 200, "text/plain", &out);
}

static inline size_t number_of(struct gx_http_req *r, const char *name)
{
	const char *s = gx_http_query(r, name);
	return s == NULL ? 0 : strtoul(s, NULL, 10);
}

static inline void do_big(struct gx_http_req *r, void *ctx)
{
	size_t n = number_of(r, "n");
	struct gx_push out = GX_PUSH_INIT;
	uint8_t *p = gx_push_reserve(&out, n);
	for (size_t i = 0; i < n; ++i)
		p[i] = (uint8_t)('a' + i % 26);
	gx_push_added(&out, n);
	gx_http_reply_take(r, 200, "text/plain", &out);
}

struct letters {
	size_t at, n, fail;
	struct site *site;
};

static inline int64_t letters_read(void *ctx, uint8_t *out, size_t size)
{
	struct letters *l = ctx;
	size_t n = 0;
	if (l->fail != 0 && l->at >= l->fail)
		return GX_E_IO;
	for (; n < size && n < 10000 && l->at < l->n; ++n)
		out[n] = (uint8_t)('a' + l->at++ % 26);
	return (int64_t)n;
}

static inline void letters_close(void *ctx)
{
	struct letters *l = ctx;
	pthread_mutex_lock(&l->site->lock);
	++l->site->dones;
	pthread_mutex_unlock(&l->site->lock);
	free(l);
}

static inline void do_source(struct gx_http_req *r, void *ctx)
{
	struct letters *l = calloc(1, sizeof(*l));
	*l = (struct letters){.n = number_of(r, "n"), .fail = number_of(r, "fail"), .site = ctx};
	const struct gx_http_source s = {gx_http_query(r, "known") != NULL ? (int64_t)l->n : -1, letters_read, letters_close, l};
	gx_http_reply_source(r, 200, "text/plain", &s);
}

static inline void on_event(struct gx_http_req *r, unsigned event, void *ctx)
{
	struct site *s = ctx;
	pthread_mutex_lock(&s->lock);
	++s->events[event];
	pthread_mutex_unlock(&s->lock);
	if (event == GX_HTTP_EV_GONE || event == GX_HTTP_EV_STOP) {
		if (gx_http_query(r, "keep") == NULL)
			gx_http_reply_status(r, 503, NULL);
	} else if (event == GX_HTTP_EV_TIMER) {
		gx_http_timer(r, 15000);
		(void)!gx_http_stream_write(r, "PENDING\r\n", 9);
	}
}

static inline void do_hold(struct gx_http_req *r, void *ctx)
{
	struct site *s = ctx;
	ck_assert_int_eq(gx_http_hold(r, on_event, s), 0);
	if (gx_http_query(r, "poll") != NULL) {
		ck_assert_int_eq(gx_http_stream_begin(r, 200, "text/plain", -1), 0);
		ck_assert_int_eq(gx_http_stream_write(r, "PROCESSING\r\n", 12), 0);
		gx_http_timer(r, 15000);
	}
	pthread_mutex_lock(&s->lock);
	s->held[s->nheld++] = r;
	pthread_mutex_unlock(&s->lock);
}

static inline int on_body(struct gx_http_req *r, const void *p, size_t n, bool last, void *ctx)
{
	struct site *s = ctx;
	s->sunk += n;
	if (memchr(n == 0 ? "" : p, '!', n) != NULL)
		return GX_E_LIMIT;
	if (gx_http_query(r, "both") != NULL) {
		ck_assert_int_eq(gx_http_stream_write(r, p, n), 0);
		if (last)
			gx_http_stream_end(r);
	} else if (last || gx_http_query(r, "early") != NULL) {
		char *text = gx_arena_printf(r->arena, "%llu bytes\n", (unsigned long long)s->sunk);
		gx_http_reply(r, 200, NULL, text, strlen(text));
	}
	return 0;
}

static inline void do_sink(struct gx_http_req *r, void *ctx)
{
	struct site *s = ctx;
	s->sunk = 0;
	ck_assert_int_eq(gx_http_read_body(r, on_body, s), GX_E_STATE);
	ck_assert_int_eq(gx_http_hold(r, on_event, s), 0);
	if (gx_http_query(r, "both") != NULL)
		ck_assert_int_eq(gx_http_stream_begin(r, 200, NULL, -1), 0);
	ck_assert_int_eq(gx_http_read_body(r, on_body, s), 0);
}

/* ---- Handlers that last as long as the test wants ---- */

static inline void open_gate(struct site *s)
{
	pthread_mutex_lock(&s->lock);
	++s->passes;
	pthread_cond_broadcast(&s->gate);
	pthread_mutex_unlock(&s->lock);
}

static inline void pass_gate(struct site *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->passes == 0)
		pthread_cond_wait(&s->gate, &s->lock);
	--s->passes;
	pthread_mutex_unlock(&s->lock);
}

static inline void last_announced(struct gx_http_req *r, struct site *s)
{
	static const char all[] = "PROCESSING\r\nDONE\r\n";
	ck_assert_int_eq(gx_http_set(r, "X-First", "1"), 0);
	ck_assert_int_eq(gx_http_announce(r, 200, "text/plain", "PROCESSING\r\n"), 0);
	pass_gate(s);
	if (gx_http_announced(r)) {
		gx_http_stream_end_with(r, "DONE\r\n", 6);
		return;
	}
	gx_http_unset(r);
	ck_assert_int_eq(gx_http_set(r, "X-Second", "1"), 0);
	gx_http_reply(r, 200, "text/plain", all, sizeof(all) - 1);
}

static inline void last_stream(struct gx_http_req *r, struct site *s)
{
	ck_assert_int_eq(gx_http_stream_begin(r, 200, "text/plain", -1), 0);
	ck_assert_int_eq(gx_http_stream_write(r, "PROCESSING\r\n", 12), 0);
	pass_gate(s);
	if (gx_http_query(r, "hold") != NULL)
		ck_assert_int_eq(gx_http_hold(r, on_event, s), 0);
	else if (gx_http_query(r, "lost") == NULL)
		gx_http_stream_end_with(r, "DONE\r\n", 6);
}

static inline void do_last(struct gx_http_req *r, void *ctx)
{
	struct site *s = ctx;
	gx_http_stream_pulse(r, "PENDING\r\n", 10);
	if (gx_http_query(r, "announce") != NULL) {
		last_announced(r, s);
	} else if (gx_http_query(r, "silent") != NULL) {
		pass_gate(s);
		gx_http_reply(r, 200, NULL, "whole\n", 6);
	} else {
		last_stream(r, s);
	}
	pthread_mutex_lock(&s->lock);
	++s->returned;
	pthread_mutex_unlock(&s->lock);
}

static inline void do_nothing(struct gx_http_req *r, void *ctx)
{
}

static inline void site_record(const struct gx_http_record *rec, void *ctx)
{
	struct site *s = ctx;
	pthread_mutex_lock(&s->lock);
	s->last = *rec;
	snprintf(s->target, sizeof(s->target), "%s %s", rec->method, rec->target);
	pthread_mutex_unlock(&s->lock);
}

/* @late_ms: of the route; 0 its handler does not last. */
static inline void add_route_late(struct site *s, uint32_t methods, const char *path, uint32_t flags, uint32_t late_ms,
	void (*fn)(struct gx_http_req *r, void *ctx), void *ctx)
{
	struct gx_http_route r = GX_HTTP_ROUTE_INIT;
	r.methods = methods;
	r.path = path;
	r.flags = flags;
	r.late_ms = late_ms;
	r.handle = fn;
	r.ctx = ctx;
	ck_assert_int_eq(gx_http_route(s->h, &r), 0);
}

static inline void add_route(struct site *s, uint32_t methods, const char *path, uint32_t flags,
	void (*fn)(struct gx_http_req *r, void *ctx), void *ctx)
{
	add_route_late(s, methods, path, flags, 0, fn, ctx);
}

static inline void add_lasting(struct site *s, const char *path, uint32_t late_ms)
{
	add_route_late(s, GX_HTTP_GET, path, 0, late_ms, do_last, s);
}

static inline void site_open(struct site *s, struct gx_http_opts *o)
{
	const char *why = "";
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->gate, NULL);
	s->a = gx_arena_new(0);
	s->now_ms = 1000000;
	o->on_record = site_record;
	o->record_ctx = s;
	ck_assert_msg(gx_http_new(o, &s->h, s->a, &why) == 0, "%s", why);
	add_route(s, GX_HTTP_GET, "/hello", 0, do_hello, s);
	add_route(s, GX_HTTP_ANY & ~(uint32_t)GX_HTTP_OPTIONS, "/echo", GX_HTTP_PREFIX | GX_HTTP_NOCASE, do_echo, s);
	add_route(s, GX_HTTP_GET | GX_HTTP_POST, "/who", GX_HTTP_AUTH, do_echo, s);
	add_route(s, GX_HTTP_GET, "/big", 0, do_big, s);
	add_route(s, GX_HTTP_GET, "/source", 0, do_source, s);
	add_route(s, GX_HTTP_GET, "/hold", 0, do_hold, s);
	add_route(s, GX_HTTP_POST, "/sink", GX_HTTP_STREAM_BODY, do_sink, s);
	add_route(s, GX_HTTP_GET, "/none", 0, do_nothing, s);
	add_route(s, GX_HTTP_GET, "/new", GX_HTTP_REWRITE, do_echo, s);
	add_lasting(s, "/last", 5);
	add_lasting(s, "/in-time", UINT32_MAX);
}

static inline void site_close(struct site *s)
{
	struct gx_http_stats st;
	gx_http_stats(s->h, &st);
	ck_assert_uint_eq(st.conns, 0);
	ck_assert_uint_eq(st.requests, 0);
	gx_http_free(s->h);
	gx_http_auth_free(s->auth);
	gx_arena_free(s->a);
	pthread_cond_destroy(&s->gate);
	pthread_mutex_destroy(&s->lock);
}

/* ---- A connection without a socket ---- */

struct rig {
	struct site s;
	struct gx_clock clock;
	struct gx_engine_factory f;
	struct gx_io io;
	void *engine;
	struct gx_strbuf got;
	bool closed;
	atomic_bool woken;
	enum gx_want want;
};

static inline void rig_wake(struct gx_io *io)
{
	((struct rig *)io->driver)->woken = true;
}

static inline void rig_connect(struct rig *g)
{
	g->io = (struct gx_io){.out_high = 256 << 10, .in_max = 64 << 10, .clock = &g->clock, .peer = "127.0.0.1", .local = "127.0.0.2",
		.peer_is_loopback = true, .wake = rig_wake, .driver = g, .id = 1};
	g->closed = false;
	g->woken = false;
	g->engine = g->f.new_engine(&g->io, g->f.ctx);
}

static inline void rig_open(struct rig *g, struct gx_http_opts *o)
{
	memset(g, 0, sizeof(*g));
	g->clock = (struct gx_clock){site_now, site_now, &g->s};
	o->clock = &g->clock;
	site_open(&g->s, o);
	g->f = gx_http_factory(g->s.h);
	rig_connect(g);
	ck_assert_ptr_nonnull(g->engine);
}

static inline void rig_hang_up(struct rig *g)
{
	g->io.wake = NULL;
	if (g->engine != NULL)
		g->f.ops->free(g->engine);
	g->engine = NULL;
	gx_iobuf_release(&g->io.in);
	gx_push_release(&g->io.out);
	gx_strbuf_clear(&g->got);
}

static inline void rig_close(struct rig *g)
{
	rig_hang_up(g);
	gx_strbuf_release(&g->got);
	site_close(&g->s);
}

/* As the driver does it: until the engine waits for something. */
static inline void rig_run(struct rig *g)
{
	bool work = false;
	while (!g->closed) {
		g->woken = false;
		g->want = work ? g->f.ops->work(g->engine, &g->io) : g->f.ops->step(g->engine, &g->io);
		gx_strbuf_add(&g->got, g->io.out.data, g->io.out.len);
		gx_push_clear(&g->io.out);
		g->io.events &= ~(unsigned)(GX_IO_TIMEOUT | GX_IO_WOKEN);
		bool worked = work;
		work = g->want == GX_WANT_WORKER || g->want == GX_WANT_AGAIN;
		g->closed = g->want == GX_WANT_CLOSE;
		if (work || (worked && g->want == GX_WANT_INPUT) || g->want == GX_WANT_DRAIN || g->woken)
			continue;
		break;
	}
}

static inline void rig_give(struct rig *g, const void *p, size_t n)
{
	ck_assert_int_eq(gx_iobuf_add(&g->io.in, p, n), 0);
	rig_run(g);
}

static inline void rig_say(struct rig *g, const char *text)
{
	rig_give(g, text, strlen(text));
}

static inline void rig_event(struct rig *g, unsigned event)
{
	g->io.events |= event;
	rig_run(g);
}

/* Time passes up to the deadline that the engine has set. */
static inline void rig_wait(struct rig *g)
{
	ck_assert_int_ne(g->io.deadline_ms, 0);
	g->s.now_ms = g->io.deadline_ms;
	rig_event(g, GX_IO_TIMEOUT);
}

static inline void rig_forget(struct rig *g)
{
	gx_strbuf_clear(&g->got);
}

static inline bool rig_got(const struct rig *g, const char *text)
{
	return strstr(gx_strbuf_cstr(&g->got), text) != NULL;
}

static inline void rig_expect(const struct rig *g, const char *text)
{
	ck_assert_msg(rig_got(g, text), "no \"%s\" in \"%s\"", text, gx_strbuf_cstr(&g->got));
}

/* A new connection for each case. */
static inline void rig_again(struct rig *g)
{
	rig_hang_up(g);
	rig_connect(g);
}

/* ---- A client with a socket ---- */

static inline int http_dial(uint16_t port)
{
	return sock_dial(port);
}

static inline void http_put(int fd, const char *text)
{
	sock_put(fd, text);
}

#endif
