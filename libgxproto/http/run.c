/* SPDX-License-Identifier: Apache-2.0 */
/* Owners of requests are called here, on workers. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include "libgxproto/http/conn.h"

/* Around calls of the owner: what it changes is looked at afterwards, nobody needs to be woken. */
static void enter(struct http_req *r)
{
	pthread_mutex_lock(&r->lock);
	r->busy = true;
	pthread_mutex_unlock(&r->lock);
}

/* @return the state that follows from what the owner has done; ST_APART: the connection must not be touched. */
static uint8_t after_owner(struct http_conn *c, struct http_req *r)
{
	pthread_mutex_lock(&r->lock);
	bool apart = r->apart;
	r->busy = false;
	bool answered = r->kind != ANSWER_NONE || r->finished, lost = !answered && !r->held;
	pthread_mutex_unlock(&r->lock);
	if (apart) {
		gx_http__req_return(r);
		return ST_APART;
	}
	if (answered)
		return ST_ANSWER;
	if (lost) {
		gx_log(c->h->o.log, GX_LOG_ERROR, "[%llu] http: the handler of %s has given no answer",
			(unsigned long long)r->pub.id, r->route->path);
		gx_http_reply_status(&r->pub, 500, NULL);
		return ST_ANSWER;
	}
	return r->on_body != NULL ? ST_SINK : ST_WAIT;
}

uint8_t gx_http__run(struct http_conn *c)
{
	struct http_req *r = c->req;
	bool body_next = c->state == ST_AUTH;
	enter(r);
	if (!r->passed)
		r->passed = (r->route->flags & GX_HTTP_AUTH) == 0 || gx_http__authenticate(c->h->auth, r, &c->x);
	if (r->passed && body_next) {
		pthread_mutex_lock(&r->lock);
		r->busy = false;
		pthread_mutex_unlock(&r->lock);
		return ST_BODY;
	}
	if (r->passed) {
		r->nkept = r->nset;
		r->route->handle(&r->pub, r->route->ctx);
	}
	return after_owner(c, r);
}

bool gx_http__late(void *self, struct gx_io *io)
{
	struct http_conn *c = self;
	struct http_req *r = c->req;
	pthread_mutex_lock(&r->lock);
	bool yes = r->busy && !r->finished && (r->kind == ANSWER_STREAM || r->announced != NULL);
	if (yes) {
		r->busy = false;
		r->apart = true;
		if (r->kind == ANSWER_NONE)
			gx_http__stream_announced(r);
	}
	pthread_mutex_unlock(&r->lock);
	if (yes)
		c->state = ST_WAIT;
	return yes;
}

static void fail_body(struct http_conn *c, int err)
{
	struct http_req *r = c->req;
	pthread_mutex_lock(&r->lock);
	bool open = r->kind == ANSWER_NONE && !r->finished;
	pthread_mutex_unlock(&r->lock);
	if (open)
		gx_http_reply_status(&r->pub, err == GX_E_LIMIT ? 413 : err == GX_E_FORMAT ? 400 : 500, NULL);
	else
		gx_http_stream_abort(&r->pub);
}

/* All pieces that are here. After the last one the owner is waited for. */
uint8_t gx_http__run_sink(struct http_conn *c)
{
	struct http_req *r = c->req;
	struct gx_iobuf *in = &c->io->in;
	gx_http__req_tell(r);
	enter(r);
	bool over = false, open = true;
	while (!over && open) {
		struct gx_bin data;
		size_t used;
		struct gx_bin raw = {gx_iobuf_head(in), gx_iobuf_left(in)};
		int ret = gx_http__body_next(&c->body, raw, &data, &used);
		r->bytes_in = c->body.total;
		over = c->fed = c->body.state == BODY_END;
		if (ret == 0 && (data.len > 0 || over))
			ret = r->on_body(&r->pub, data.data, data.len, over, r->body_ctx);
		gx_iobuf_consume(in, used);
		if (ret != 0) {
			fail_body(c, ret);
			c->close = true;
		}
		pthread_mutex_lock(&r->lock);
		open = !r->finished;
		pthread_mutex_unlock(&r->lock);
		if (used == 0 && !over)
			break;
	}
	uint8_t next = after_owner(c, r);
	return next == ST_SINK && over ? ST_WAIT : next;
}

/* One piece of a source, framed. Bytes, 0 at the end, or GX_E_*. */
static int64_t put_piece(struct http_conn *c)
{
	enum { FRAME = 8 };
	struct http_req *r = c->req;
	struct gx_push *out = &c->io->out;
	size_t front = r->chunked_out ? FRAME : 0, most = HTTP_PIECE;
	if (r->length >= 0 && (uint64_t)r->length - r->bytes_out < most)
		most = (size_t)((uint64_t)r->length - r->bytes_out);
	if (most == 0)
		return 0;
	uint8_t *p = gx_push_reserve(out, most + 2 * FRAME);
	int64_t n = p == NULL ? GX_E_NOMEM : r->source.read(r->source.ctx, p + front, most);
	if (n <= 0 || (uint64_t)n > most)
		return n < 0 ? n : n == 0 && r->length < 0 ? 0 : GX_E_TRUNC;
	if (front > 0) {
		char size[FRAME + 1];
		snprintf(size, sizeof(size), "%06x\r\n", (unsigned)n & 0xffffff);
		memcpy(p, size, FRAME);
		memcpy(p + front + n, "\r\n", 2);
	}
	gx_push_added(out, front + (size_t)n + (front > 0 ? 2 : 0));
	r->bytes_out += (uint64_t)n;
	return n;
}

enum gx_want gx_http__run_source(struct http_conn *c)
{
	struct http_req *r = c->req;
	int64_t n = r->no_body ? 0 : 1;
	while (n > 0 && c->io->out.len < HTTP_PIECE)
		n = put_piece(c);
	if (n > 0)
		return GX_WANT_AGAIN;
	if (n < 0) {
		gx_log(c->h->o.log, GX_LOG_WARN, "[%llu] http: answer broken off after %llu bytes: %s", (unsigned long long)r->pub.id,
			(unsigned long long)r->bytes_out, gx_strerror((int)n));
		c->close = true;
	} else if (r->chunked_out && !r->no_body) {
		gx_push_str(&c->io->out, "0\r\n\r\n");
	}
	gx_http__req_record(r, r->status);
	c->told = true;
	c->state = ST_LEAVE;
	return GX_WANT_INPUT;
}

/* The client hung up, or is too slow: the owner is told and may finish later. */
void gx_http__run_gone(struct http_conn *c)
{
	struct http_req *r = c->req;
	gx_http__req_record(r, 499);
	c->told = true;
	c->req = NULL;
	c->state = ST_CLOSE;
	gx_http__req_leave(r);
}
