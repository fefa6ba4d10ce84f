/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to an owner: a request goes out, its answer comes in and is written as it comes; then the next. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/relay.h"

enum { HEAD_MOST = 64 << 10 };

static int64_t now_ms(const struct relay_conn *c)
{
	return gx_clock_mono_ms(c->io->clock);
}

static void hurry(struct relay_conn *c)
{
	c->deadline = now_ms(c) + c->x->o.answer_ms;
}

/* Ready for the next request; whoever has that must not have to look at what is the engine's. */
static void clear(struct relay_conn *c)
{
	c->sent = c->any = c->begun = c->keep = c->no_body = false;
	c->line = c->pending = c->nlast = 0;
}

void *gx_relay__conn_new(struct gx_io *io, void *ctx)
{
	struct relay_job *j = ctx;
	struct relay_conn *c = calloc(1, sizeof(*c));
	char *addr = strdup(j->addr);
	if (c == NULL || addr == NULL) {
		free(c);
		free(addr);
		return NULL;
	}
	*c = (struct relay_conn){.x = j->x, .io = io, .addr = addr, .job = j};
	pthread_mutex_lock(&c->x->lock);
	j->c = c;
	++c->x->busy;
	pthread_mutex_unlock(&c->x->lock);
	return c;
}

/* The two do not know each other any more. */
static struct relay_job *part(struct relay_conn *c)
{
	struct gx_http_relay *x = c->x;
	pthread_mutex_lock(&x->lock);
	struct relay_job *j = c->job;
	if (j != NULL) {
		j->c = NULL;
		--x->busy;
	}
	c->job = NULL;
	gx_relay__unlist(x, c);
	pthread_mutex_unlock(&x->lock);
	return j;
}

static enum gx_want give_up(struct relay_conn *c, int err)
{
	struct relay_job *j = part(c);
	/* A kept connection may have been closed just then, before the request was read. */
	if (j != NULL)
		gx_relay__failed(j, c->begun, c->reused && !c->any && err == GX_E_IO, err);
	return GX_WANT_CLOSE;
}

/* ---- Between requests ---- */

/* With the lock. */
static enum gx_want rest(struct relay_conn *c)
{
	struct gx_io *io = c->io;
	bool over = (io->events & (GX_IO_EOF | GX_IO_SHUTDOWN)) != 0 || gx_iobuf_left(&io->in) > 0 || now_ms(c) >= c->deadline;
	if (over) {
		gx_relay__unlist(c->x, c);
		return GX_WANT_CLOSE;
	}
	io->deadline_ms = c->deadline;
	return GX_WANT_INPUT;
}

static enum gx_want finish(struct relay_conn *c)
{
	struct gx_http_relay *x = c->x;
	bool keep = c->keep && (c->io->events & (GX_IO_EOF | GX_IO_SHUTDOWN)) == 0 && gx_iobuf_left(&c->io->in) == 0;
	struct relay_job *j = part(c);
	gx_http_stream_end(j->r);
	if (!keep)
		return GX_WANT_CLOSE;
	clear(c);
	c->deadline = c->io->deadline_ms = now_ms(c) + x->o.idle_ms;
	pthread_mutex_lock(&x->lock);
	keep = x->nidle < x->o.max_idle;
	if (keep) {
		c->next = x->idle;
		x->idle = c;
		++x->nidle;
	}
	pthread_mutex_unlock(&x->lock);
	return keep ? GX_WANT_INPUT : GX_WANT_CLOSE;
}

/* ---- The answer ---- */

/* 0 with or without the head. */
static int take_head(struct relay_conn *c, struct gx_http_req *r)
{
	struct relay_answer an;
	struct gx_bin in = {gx_iobuf_head(&c->io->in), gx_iobuf_left(&c->io->in)};
	size_t len;
	if (in.len == 0)
		return 0;
	if (gx_http__head_end(in, &c->line, &len) != 0 || (len == 0 && in.len > HEAD_MOST))
		return GX_E_FORMAT;
	if (len == 0)
		return 0;
	char *text = gx_arena_memdup(r->arena, in.data, len);
	gx_iobuf_consume(&c->io->in, len);
	int err = text == NULL ? GX_E_NOMEM : gx_relay__parse_answer(r, text, len, &an);
	if (err != 0)
		return err;
	c->keep = !an.close;
	c->no_body = r->method_bit == GX_HTTP_HEAD || gx_http__status_has_no_body(an.status);
	gx_http__body_begin(&c->body, c->no_body ? 0 : an.length);
	c->begun = true;
	return gx_http_stream_begin(r, an.status, an.type, an.length);
}

static void remember(struct relay_conn *c, const uint8_t *p, size_t n)
{
	size_t most = sizeof(c->last), keep = n < most ? most - n : 0;
	if (c->x->o.cut == NULL)
		return;
	if (keep > c->nlast)
		keep = c->nlast;
	if (n > most) {
		p += n - most;
		n = most;
	}
	memmove(c->last, c->last + c->nlast - keep, keep);
	memcpy(c->last + keep, p, n);
	c->nlast = keep + n;
}

/* GX_E_BUSY: the client does not take it now. */
static int take_body(struct relay_conn *c, struct gx_http_req *r)
{
	struct gx_iobuf *in = &c->io->in;
	for (;;) {
		if (c->pending > 0) {
			int err = gx_http_stream_write(r, gx_iobuf_head(in), c->pending);
			if (err != 0)
				return err;
			remember(c, gx_iobuf_head(in), c->pending);
			gx_iobuf_consume(in, c->pending);
			c->pending = 0;
		}
		struct gx_bin data, raw = {gx_iobuf_head(in), gx_iobuf_left(in)};
		size_t used;
		if (c->body.state == BODY_END || raw.len == 0)
			return 0;
		if (gx_http__body_next(&c->body, raw, &data, &used) != 0)
			return GX_E_FORMAT;
		/* Data is the last of what was used. */
		gx_iobuf_consume(in, used - data.len);
		c->pending = data.len;
	}
}

/* The server ends: what waits for nothing but news need not keep it. */
static bool cut_off(struct relay_conn *c, struct relay_job *j)
{
	struct gx_http_relay *x = c->x;
	pthread_mutex_lock(&x->lock);
	bool stopping = j->stopping;
	pthread_mutex_unlock(&x->lock);
	if (!stopping || x->o.cut == NULL || !c->begun || !c->body.chunked || c->body.state != BODY_SIZE || c->pending > 0)
		return false;
	/* once it is cut the job is nobody's */
	(void)part(c);
	if (x->o.cut(j->r, (struct gx_bin){c->last, c->nlast}, x->o.ctx))
		return true;
	pthread_mutex_lock(&x->lock);
	c->job = j;
	j->c = c;
	++x->busy;
	bool gone = j->gone;
	pthread_mutex_unlock(&x->lock);
	if (gone)
		gx_io_wake(c->io);
	return false;
}

static int send_request(struct relay_conn *c, const struct gx_http_req *r)
{
	c->sent = true;
	hurry(c);
	return gx_relay__put_request(r, &c->io->out);
}

static enum gx_want serve(struct relay_conn *c, struct relay_job *j)
{
	struct gx_io *io = c->io;
	size_t before = gx_iobuf_left(&io->in);
	int err = c->sent ? 0 : send_request(c, j->r);
	c->any |= before > 0;
	if (err == 0 && !c->begun)
		err = take_head(c, j->r);
	if (err == 0 && c->begun)
		err = take_body(c, j->r);
	if (err == 0 && c->begun && c->body.state == BODY_END)
		return finish(c);
	if (err == 0 && cut_off(c, j))
		return GX_WANT_CLOSE;
	if (gx_iobuf_left(&io->in) < before)
		hurry(c);
	if (err == 0 && (io->events & GX_IO_EOF) != 0)
		err = GX_E_IO;
	if (err != 0 && err != GX_E_BUSY)
		return give_up(c, err);
	if (now_ms(c) >= c->deadline)
		return give_up(c, GX_E_TIMEOUT);
	io->deadline_ms = c->deadline;
	return err == GX_E_BUSY ? GX_WANT_WAIT : GX_WANT_INPUT;
}

static enum gx_want relay_step(void *self, struct gx_io *io)
{
	struct relay_conn *c = self;
	struct gx_http_relay *x = c->x;
	enum gx_want want = GX_WANT_INPUT;
	pthread_mutex_lock(&x->lock);
	struct relay_job *j = c->job;
	bool gone = j != NULL && j->gone;
	if (j == NULL)
		want = rest(c);
	pthread_mutex_unlock(&x->lock);
	if (j == NULL)
		return want;
	return gone ? give_up(c, GX_E_STATE) : serve(c, j);
}

static void relay_free(void *self)
{
	struct relay_conn *c = self;
	(void)give_up(c, GX_E_IO);
	free(c->addr);
	free(c);
}

const struct gx_engine_ops gx_relay__ops = {.name = "relay", .step = relay_step, .free = relay_free};
