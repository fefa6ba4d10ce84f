/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection as an engine: heads and bodies in, answers out. A step does one thing in the state it finds and says
 * whether to go on or what it waits for. Owners are called in work() alone.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/conn.h"

enum { LINGER_MS = 2000, LINGER_MOST = 4 << 20, RATE = 1024 };

static struct gx_bin input(const struct http_conn *c)
{
	return (struct gx_bin){gx_iobuf_head(&c->io->in), gx_iobuf_left(&c->io->in)};
}

static int64_t now_ms(const struct http_conn *c)
{
	return gx_clock_mono_ms(c->io->clock);
}

/* Ends the loop of steps with a want. */
static bool wait_for(struct http_conn *c, enum gx_want want, int64_t deadline)
{
	c->want = want;
	c->io->deadline_ms = deadline;
	c->io->late_ms = 0;
	return false;
}

static bool go(struct http_conn *c, uint8_t state)
{
	c->state = state;
	return true;
}

static bool is_late(const struct http_conn *c, int64_t deadline)
{
	return (c->io->events & GX_IO_TIMEOUT) != 0 && now_ms(c) >= deadline;
}

/* ---- Refusals before there is an owner ---- */

static void own_answer(struct http_conn *c, unsigned status)
{
	gx_http_reply_status(&c->req->pub, status, NULL);
	c->state = ST_ANSWER;
}

static bool refuse(struct http_conn *c, unsigned status)
{
	gx_http__put_refusal(c->h, &c->io->out, status);
	if (c->req != NULL) {
		gx_http__req_record(c->req, status);
		gx_http__req_leave(c->req);
		c->req = NULL;
	}
	c->linger_at = 0;
	return go(c, ST_LINGER);
}

/* ---- Heads ---- */

static bool idle(struct http_conn *c)
{
	if ((c->io->events & (GX_IO_EOF | GX_IO_SHUTDOWN)) != 0)
		return go(c, ST_CLOSE);
	if (c->deadline == 0)
		c->deadline = now_ms(c) + c->h->o.idle_ms;
	else if (is_late(c, c->deadline))
		return go(c, ST_CLOSE);
	return wait_for(c, GX_WANT_INPUT, c->deadline);
}

static bool await_head(struct http_conn *c, struct gx_bin in)
{
	if (in.len > c->h->o.head_max)
		return refuse(c, c->line == 0 ? 414 : 431);
	if ((c->io->events & GX_IO_EOF) != 0)
		return go(c, ST_CLOSE);
	if (!c->head_begun) {
		c->head_begun = true;
		c->deadline = now_ms(c) + c->h->o.head_ms;
	} else if (is_late(c, c->deadline)) {
		return refuse(c, 408);
	}
	return wait_for(c, GX_WANT_INPUT, c->deadline);
}

static void fill_request(struct http_conn *c, const struct http_head *head)
{
	struct gx_http_req *p = &c->req->pub;
	p->method = head->method;
	p->method_bit = head->method_bit;
	p->version = head->version;
	p->target = head->target;
	p->host = head->host;
	p->fields = head->fields;
	p->nfields = head->nfields;
	p->content_length = head->content_length;
	p->peer_port = c->io->peer_port;
	p->tls = (c->io->events & GX_IO_TLS) != 0;
	const char *peer = gx_http__peer_of(c->h, c->io, head, p->arena);
	const char *kept = peer == c->io->peer ? gx_arena_strdup(p->arena, peer) : peer;
	p->peer = kept == NULL ? "" : kept;
	const char *local = gx_arena_strdup(p->arena, c->io->local);
	p->local = local == NULL ? "" : local;
}

static unsigned read_head(struct http_conn *c, size_t len, struct http_head *head)
{
	struct gx_arena *a = c->req->pub.arena;
	/* Known to the log before it is looked at. */
	c->req->pub.peer = c->io->peer;
	char *text = gx_arena_memdup(a, gx_iobuf_head(&c->io->in), len);
	gx_iobuf_consume(&c->io->in, len);
	if (text == NULL)
		return 503;
	unsigned status = gx_http__head_parse(a, text, len, &c->h->o, head);
	if (status != 0)
		return status;
	fill_request(c, head);
	status = gx_http__target(a, head->target, &c->req->pub.path, &c->req->pub.query, &c->req->pub.host);
	c->close = head->close;
	c->expects = head->expects;
	return status;
}

static bool no_route(struct http_conn *c, uint32_t allow)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{GX_HTTP_GET, "GET"}, {GX_HTTP_HEAD, "HEAD"}, {GX_HTTP_POST, "POST"}, {GX_HTTP_PUT, "PUT"}, {GX_HTTP_DELETE, "DELETE"},
		{GX_HTTP_PATCH, "PATCH"}, {GX_HTTP_RPC_IN_DATA, "RPC_IN_DATA"}, {GX_HTTP_RPC_OUT_DATA, "RPC_OUT_DATA"},
	};
	struct gx_http_req *p = &c->req->pub;
	if (strcmp(p->path, "*") == 0 && p->method_bit == GX_HTTP_OPTIONS)
		allow = GX_HTTP_GET | GX_HTTP_HEAD | GX_HTTP_POST;
	if (allow == 0) {
		own_answer(c, 404);
		return true;
	}
	char list[100];
	size_t n = 0;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); ++i)
		if ((allow & names[i].bit) != 0)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s, ", names[i].name);
	snprintf(list + n, sizeof(list) - n, "OPTIONS");
	(void)!gx_http_set(p, "Allow", list);
	own_answer(c, p->method_bit == GX_HTTP_OPTIONS ? 204 : 405);
	return true;
}

static const struct gx_http_route *route_of(struct http_conn *c, uint32_t *ret_allow)
{
	struct gx_http_req *p = &c->req->pub;
	const char *other = c->h->rewrite == NULL ? NULL : c->h->rewrite(p, c->h->rewrite_ctx);
	const struct gx_http_route *r = gx_http__find_route(c->h, p->path, other == NULL ? p->path : other, p->method_bit, ret_allow);
	if (r != NULL && other != NULL && (r->flags & GX_HTTP_REWRITE) != 0)
		p->path = other;
	return r;
}

static bool enter_body(struct http_conn *c)
{
	c->deadline = now_ms(c) + c->h->o.body_ms;
	return go(c, ST_BODY);
}

static bool begin_request(struct http_conn *c)
{
	uint32_t allow;
	struct http_req *r = c->req;
	gx_http__body_begin(&c->body, r->pub.content_length);
	r->route = route_of(c, &allow);
	if (r->route == NULL)
		return no_route(c, allow);
	r->pub.ctx = r->route->ctx;
	bool streams = (r->route->flags & GX_HTTP_STREAM_BODY) != 0, asks = (r->route->flags & GX_HTTP_AUTH) != 0;
	c->body_max = r->route->body_max != 0 ? r->route->body_max : c->h->o.body_max;
	if (!streams && r->pub.content_length > 0 && (uint64_t)r->pub.content_length > c->body_max) {
		own_answer(c, 413);
		return true;
	}
	if (streams || c->body.state == BODY_END)
		return go(c, ST_RUN);
	/* A body that is not here yet is not waited for before it is known who sends it. */
	bool here = r->pub.content_length > 0 && input(c).len >= (uint64_t)r->pub.content_length;
	return asks && !here ? go(c, ST_AUTH) : enter_body(c);
}

static bool step_head(struct http_conn *c)
{
	if (c->io->out_pending + c->io->out.len >= c->io->out_high)
		return wait_for(c, GX_WANT_DRAIN, 0);
	struct gx_bin in = input(c);
	/* Empty lines before a request are passed over [RFC 9112] 2.2. */
	while (c->line == 0 && in.len >= 2 && in.data[0] == '\r' && in.data[1] == '\n') {
		gx_iobuf_consume(&c->io->in, 2);
		in = input(c);
	}
	if (in.len == 0)
		return idle(c);
	size_t len;
	unsigned status = gx_http__head_end(in, &c->line, &len);
	if (status == 0 && len == 0)
		return await_head(c, in);
	if (status != 0 || len > c->h->o.head_max)
		return refuse(c, status != 0 ? status : 431);
	struct http_head head;
	c->req = gx_http__req_new(c->h, c->io);
	if (c->req == NULL)
		return refuse(c, 503);
	c->line = 0;
	c->head_begun = c->continued = c->fed = false;
	c->deadline = 0;
	c->done = 0;
	status = read_head(c, len, &head);
	return status != 0 ? refuse(c, status) : begin_request(c);
}

/* ---- Bodies ---- */

static void say_continue(struct http_conn *c)
{
	if (!c->expects || c->continued || c->body.total > 0 || input(c).len > 0)
		return;
	c->continued = true;
	gx_push_str(&c->io->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

static int64_t body_deadline(const struct http_conn *c)
{
	return c->deadline + (int64_t)(c->body.total * 1000 / RATE);
}

static bool body_complete(struct http_conn *c)
{
	struct http_req *r = c->req;
	r->pub.body = (struct gx_bin){r->body.data, r->body.len};
	return go(c, ST_RUN);
}

static bool step_body(struct http_conn *c)
{
	struct gx_bin data;
	size_t used;
	say_continue(c);
	for (;;) {
		int ret = gx_http__body_next(&c->body, input(c), &data, &used);
		if (ret != 0)
			return refuse(c, 400);
		if (c->body.total > c->body_max) {
			own_answer(c, 413);
			return true;
		}
		gx_push_bytes(&c->req->body, data.data, data.len);
		gx_iobuf_consume(&c->io->in, used);
		c->req->bytes_in = c->body.total;
		if (c->req->body.err != 0)
			return refuse(c, 503);
		if (c->body.state == BODY_END)
			return body_complete(c);
		if (input(c).len == 0)
			break;
	}
	if ((c->io->events & GX_IO_EOF) != 0)
		return go(c, ST_GONE);
	if (is_late(c, body_deadline(c)))
		return refuse(c, 408);
	return wait_for(c, GX_WANT_INPUT, body_deadline(c));
}

/* What is left of a body that nobody reads, before the next request. */
static bool step_drain(struct http_conn *c)
{
	struct gx_bin data;
	size_t used;
	while (c->body.state != BODY_END && input(c).len > 0) {
		if (gx_http__body_next(&c->body, input(c), &data, &used) != 0)
			return go(c, ST_CLOSE);
		gx_iobuf_consume(&c->io->in, used);
	}
	if (c->body.state == BODY_END) {
		c->deadline = 0;
		return go(c, ST_HEAD);
	}
	if ((c->io->events & GX_IO_EOF) != 0 || is_late(c, body_deadline(c)))
		return go(c, ST_CLOSE);
	return wait_for(c, GX_WANT_INPUT, body_deadline(c));
}

/*
 * The answer says that the connection closes, but the client may still be sending: a close at once would become a reset
 * that overtakes the answer.
 */
static bool step_linger(struct http_conn *c)
{
	size_t n = input(c).len;
	if (c->linger_at == 0) {
		c->linger_at = now_ms(c) + LINGER_MS;
		c->lingered = 0;
	}
	c->lingered += n;
	gx_iobuf_consume(&c->io->in, n);
	bool over = (c->io->events & (GX_IO_EOF | GX_IO_SHUTDOWN)) != 0 || c->lingered > LINGER_MOST || now_ms(c) >= c->linger_at;
	return over ? go(c, ST_CLOSE) : wait_for(c, GX_WANT_INPUT, c->linger_at);
}

/* ---- Requests that have an owner ---- */

static bool run_handler(struct http_conn *c)
{
	wait_for(c, GX_WANT_WORKER, 0);
	c->io->late_ms = c->req->route->late_ms;
	return false;
}

/* Is there something to tell the owner? Its timer becomes the deadline. */
static bool has_news(struct http_conn *c, int64_t *ret_deadline)
{
	struct http_req *r = c->req;
	pthread_mutex_lock(&r->lock);
	if ((c->io->events & GX_IO_SHUTDOWN) != 0 && !r->stopping) {
		r->stopping = true;
		r->events |= GX_HTTP_EV_STOP;
	}
	if (r->timer_at != 0 && now_ms(c) >= r->timer_at) {
		r->timer_at = 0;
		r->events |= GX_HTTP_EV_TIMER;
	}
	*ret_deadline = r->timer_at;
	if (r->pulse_at != 0 && (r->timer_at == 0 || r->pulse_at < r->timer_at))
		*ret_deadline = r->pulse_at;
	bool news = r->events != 0 && r->held && !r->finished && !r->apart;
	pthread_mutex_unlock(&r->lock);
	return news;
}

static bool is_answered(struct http_conn *c)
{
	pthread_mutex_lock(&c->req->lock);
	bool yes = c->req->kind != ANSWER_NONE || c->req->finished;
	pthread_mutex_unlock(&c->req->lock);
	return yes;
}

/* Input behind the request waits; with much of it the end of the connection is not seen any more. */
static bool rest(struct http_conn *c, int64_t deadline)
{
	return wait_for(c, input(c).len < c->io->in_max ? GX_WANT_INPUT : GX_WANT_WAIT, deadline);
}

static bool step_wait(struct http_conn *c)
{
	int64_t deadline;
	if (is_answered(c))
		return go(c, ST_ANSWER);
	if ((c->io->events & GX_IO_EOF) != 0)
		return go(c, ST_GONE);
	return has_news(c, &deadline) ? wait_for(c, GX_WANT_WORKER, 0) : rest(c, deadline);
}

/* What an owner reads piece by piece: there is a piece for it, or more input has to come. */
static bool feed_sink(struct http_conn *c)
{
	int64_t deadline;
	if (has_news(c, &deadline) || input(c).len > 0 || c->body.state == BODY_END)
		return wait_for(c, GX_WANT_WORKER, 0);
	if ((c->io->events & GX_IO_EOF) != 0)
		return go(c, ST_GONE);
	say_continue(c);
	if ((c->req->route->flags & GX_HTTP_PATIENT) == 0) {
		if (is_late(c, body_deadline(c)))
			return go(c, ST_GONE);
		if (deadline == 0 || deadline > body_deadline(c))
			deadline = body_deadline(c);
	}
	return wait_for(c, GX_WANT_INPUT, deadline);
}

static bool step_sink(struct http_conn *c)
{
	return is_answered(c) ? go(c, ST_ANSWER) : feed_sink(c);
}

/* ---- Answers ---- */

static bool end_request(struct http_conn *c)
{
	gx_http__req_record(c->req, c->req->status);
	c->told = true;
	return go(c, ST_LEAVE);
}

static bool leave(struct http_conn *c)
{
	gx_http__req_leave(c->req);
	c->req = NULL;
	c->told = false;
	if (c->close) {
		c->linger_at = 0;
		return go(c, c->body.state == BODY_END ? ST_CLOSE : ST_LINGER);
	}
	c->deadline = now_ms(c) + c->h->o.body_ms;
	return go(c, ST_DRAIN);
}

/* Does the connection end after this answer? */
static bool must_close(const struct http_conn *c)
{
	const struct http_req *r = c->req;
	if (c->close || (c->io->events & GX_IO_SHUTDOWN) != 0)
		return true;
	/* Requests that came before the client closed its side are still answered. */
	if ((c->io->events & GX_IO_EOF) != 0 && input(c).len == 0)
		return true;
	if (r->kind != ANSWER_WHOLE && r->length < 0 && r->pub.version < 11)
		return true;
	if (c->body.state == BODY_END)
		return false;
	/* A client that waits for 100 may or may not send the body now; the next bytes could be either. */
	bool unsure = c->expects && !c->continued && c->body.total == 0;
	return unsure || c->body.chunked || c->body.left > HTTP_DRAIN_MOST;
}

static bool step_answer(struct http_conn *c)
{
	struct http_req *r = c->req;
	pthread_mutex_lock(&r->lock);
	uint8_t kind = r->kind;
	if (kind == ANSWER_SOURCE) {
		r->no_body = r->pub.method_bit == GX_HTTP_HEAD || gx_http__status_has_no_body(r->status);
		r->chunked_out = r->length < 0 && r->pub.version >= 11;
	} else if (kind == ANSWER_WHOLE) {
		r->no_body = r->pub.method_bit == GX_HTTP_HEAD || gx_http__status_has_no_body(r->status);
	}
	c->close = must_close(c);
	if (kind != ANSWER_NONE)
		gx_http__put_head(r, &c->io->out, c->close);
	pthread_mutex_unlock(&r->lock);
	static const uint8_t next[] = {[ANSWER_NONE] = ST_CLOSE, [ANSWER_WHOLE] = ST_DATA, [ANSWER_SOURCE] = ST_SOURCE,
		[ANSWER_STREAM] = ST_STREAM};
	return go(c, next[kind]);
}

static bool step_data(struct http_conn *c)
{
	const struct http_req *r = c->req;
	size_t left = r->no_body ? 0 : r->data.len - c->done;
	while (left > 0) {
		if (c->io->out_pending + c->io->out.len >= c->io->out_high)
			return wait_for(c, GX_WANT_DRAIN, 0);
		size_t n = left < HTTP_PIECE ? left : HTTP_PIECE;
		gx_push_bytes(&c->io->out, r->data.data + c->done, n);
		c->done += n;
		left -= n;
	}
	c->req->bytes_out = c->done;
	return end_request(c);
}

/* With the lock held: what the stream has goes out. */
static void take_stream(struct http_conn *c, struct http_req *r)
{
	if (r->pulse_ms != 0)
		gx_http__stream_beat(r, now_ms(c));
	gx_push_bytes(&c->io->out, r->taken.data, r->taken.len);
	gx_push_release(&r->taken);
	if (r->want_room && !r->finished)
		r->events |= GX_HTTP_EV_ROOM;
	r->want_room = false;
}

static bool step_stream(struct http_conn *c)
{
	struct http_req *r = c->req;
	int64_t deadline;
	if (c->io->out_pending + c->io->out.len >= c->io->out_high)
		return wait_for(c, GX_WANT_DRAIN, 0);
	pthread_mutex_lock(&r->lock);
	take_stream(c, r);
	r->bytes_out = r->no_body ? 0 : r->written;
	bool finished = r->finished, aborted = r->aborted;
	pthread_mutex_unlock(&r->lock);
	if (finished && aborted)
		c->close = true;
	if (finished)
		return end_request(c);
	/* An answer may begin while the body is still being read. */
	if (r->on_body != NULL && !c->fed)
		return feed_sink(c);
	if ((c->io->events & GX_IO_EOF) != 0)
		return go(c, ST_GONE);
	return has_news(c, &deadline) ? wait_for(c, GX_WANT_WORKER, 0) : rest(c, deadline);
}

/* Nobody is there any more, or has given up. */
static bool step_gone(struct http_conn *c)
{
	return c->told ? go(c, ST_CLOSE) : wait_for(c, GX_WANT_WORKER, 0);
}

static bool step_leave(struct http_conn *c)
{
	/* The last event may block. */
	return c->req->held ? wait_for(c, GX_WANT_WORKER, 0) : leave(c);
}

static bool one_step(struct http_conn *c)
{
	switch (c->state) {
	case ST_HEAD: return step_head(c);
	case ST_BODY: return step_body(c);
	case ST_WAIT: return step_wait(c);
	case ST_SINK: return step_sink(c);
	case ST_ANSWER: return step_answer(c);
	case ST_DATA: return step_data(c);
	case ST_STREAM: return step_stream(c);
	case ST_GONE: return step_gone(c);
	case ST_LEAVE: return step_leave(c);
	case ST_DRAIN: return step_drain(c);
	case ST_LINGER: return step_linger(c);
	case ST_CLOSE: return wait_for(c, GX_WANT_CLOSE, 0);
	case ST_RUN: return run_handler(c);
	default: return wait_for(c, GX_WANT_WORKER, 0); /* AUTH, SOURCE */
	}
}

static enum gx_want http_step(void *self, struct gx_io *io)
{
	struct http_conn *c = self;
	size_t before = io->out.len;
	if (c->h->o.trace != NULL)
		gx_http__trace_in(c);
	while (one_step(c))
		;
	if (c->h->o.trace != NULL)
		gx_http__trace_out(c, before);
	return c->want;
}

static enum gx_want run_work(struct http_conn *c)
{
	uint8_t next = gx_http__run(c);
	if (next == ST_APART)
		return GX_WANT_NOTHING;
	c->state = next;
	if (next == ST_BODY)
		enter_body(c);
	if (next == ST_SINK)
		c->deadline = now_ms(c) + c->h->o.body_ms;
	return GX_WANT_INPUT;
}

enum gx_want gx_http__conn_work(struct http_conn *c)
{
	switch (c->state) {
	case ST_AUTH:
	case ST_RUN:
		return run_work(c);
	case ST_SINK:
		c->state = gx_http__run_sink(c);
		return GX_WANT_INPUT;
	case ST_STREAM:
		if (c->req->on_body != NULL && !c->fed)
			gx_http__run_sink(c);
		else
			gx_http__req_tell(c->req);
		return GX_WANT_INPUT;
	case ST_SOURCE:
		return gx_http__run_source(c);
	case ST_GONE:
		gx_http__run_gone(c);
		return GX_WANT_INPUT;
	case ST_LEAVE:
		leave(c);
		return GX_WANT_INPUT;
	default:
		gx_http__req_tell(c->req);
		return GX_WANT_INPUT;
	}
}

static enum gx_want http_work(void *self, struct gx_io *io)
{
	struct http_conn *c = self;
	size_t before = io->out.len;
	if (c->h->o.trace == NULL)
		return gx_http__conn_work(c);
	gx_http__trace_in(c);
	enum gx_want want = gx_http__conn_work(c);
	if (want != GX_WANT_NOTHING)
		gx_http__trace_out(c, before);
	return want;
}

/* ---- Beginning and end ---- */

static void *http_new(struct gx_io *io, void *ctx)
{
	struct gx_http *h = ctx;
	unsigned n = atomic_fetch_add(&h->conns, 1);
	struct http_conn *c = h->o.max_conns != 0 && n >= h->o.max_conns ? NULL : calloc(1, sizeof(*c));
	if (c == NULL) {
		atomic_fetch_sub(&h->conns, 1);
		return NULL;
	}
	*c = (struct http_conn){.h = h, .io = io, .state = ST_HEAD};
	gx_http__ref(h);
	return c;
}

static void http_free(void *self)
{
	struct http_conn *c = self;
	struct gx_http *h = c->h;
	if (c->req != NULL) {
		if (!c->told)
			gx_http__req_record(c->req, 499);
		gx_http__req_leave(c->req);
	}
	gx_http__exchange_end(&c->x);
	free(c->trace);
	free(c);
	atomic_fetch_sub(&h->conns, 1);
	gx_http__unref(h);
}

struct gx_engine_factory gx_http_factory(struct gx_http *h)
{
	static const struct gx_engine_ops ops = {"http", http_step, http_work, http_free, gx_http__late};
	return (struct gx_engine_factory){&ops, http_new, h};
}
