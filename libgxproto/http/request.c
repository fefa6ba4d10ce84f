/* SPDX-License-Identifier: Apache-2.0 */
/* A request between its connection and its owner. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/http-int.h"

struct http_req *gx_http__req_new(struct gx_http *h, struct gx_io *io)
{
	struct http_req *r = calloc(1, sizeof(*r));
	struct gx_arena *a = gx_arena_new(0);
	if (r == NULL || a == NULL) {
		free(r);
		gx_arena_free(a);
		return NULL;
	}
	*r = (struct http_req){.pub = {.id = atomic_fetch_add(&h->last_id, 1) + 1, .arena = a, .method = "-", .target = "-", .path = "",
		.query = "", .host = ""}, .h = h, .io = io, .length = -1, .since_ns = h->clock->monotonic_ns(h->clock->ctx)};
	pthread_mutex_init(&r->lock, NULL);
	gx_http__ref(h);
	atomic_fetch_add(&h->requests, 1);
	return r;
}

static void destroy(struct http_req *r)
{
	if (r->source.close != NULL)
		r->source.close(r->source.ctx);
	if (r->held)
		r->on_event(&r->pub, GX_HTTP_EV_DONE, r->event_ctx);
	struct gx_http *h = r->h;
	gx_push_release(&r->taken);
	gx_push_release(&r->body);
	gx_arena_free(r->pub.arena);
	pthread_mutex_destroy(&r->lock);
	free(r);
	atomic_fetch_sub(&h->requests, 1);
	gx_http__unref(h);
}

void gx_http__req_tell(struct http_req *r)
{
	pthread_mutex_lock(&r->lock);
	r->busy = true;
	while (r->events != 0 && r->held && !r->finished) {
		uint32_t event = r->events & -r->events;
		r->events &= ~event;
		pthread_mutex_unlock(&r->lock);
		r->on_event(&r->pub, event, r->event_ctx);
		pthread_mutex_lock(&r->lock);
	}
	r->events = 0;
	r->busy = false;
	pthread_mutex_unlock(&r->lock);
}

void gx_http__req_leave(struct http_req *r)
{
	pthread_mutex_lock(&r->lock);
	r->io = NULL;
	bool tell = !r->finished;
	if (tell) {
		r->gone = true;
		r->events = GX_HTTP_EV_GONE;
	}
	bool apart = r->apart;
	if (apart)
		r->left = true;
	pthread_mutex_unlock(&r->lock);
	if (apart) /* the handler's thread does the rest */
		return;
	if (tell)
		gx_http__req_tell(r);
	pthread_mutex_lock(&r->lock);
	r->left = true;
	/* Without having been held it has no owner besides its handler, which has returned. */
	bool last = r->finished || !r->held;
	pthread_mutex_unlock(&r->lock);
	if (last)
		destroy(r);
}

void gx_http__req_post(struct http_req *r)
{
	bool last = r->left && r->finished && !r->apart;
	if (r->io != NULL && !r->busy)
		gx_io_wake(r->io);
	pthread_mutex_unlock(&r->lock);
	if (last)
		destroy(r);
}

void gx_http__req_return(struct http_req *r)
{
	pthread_mutex_lock(&r->lock);
	bool lost = !r->finished && !r->held;
	pthread_mutex_unlock(&r->lock);
	if (lost) {
		gx_log(r->h->o.log, GX_LOG_ERROR, "[%llu] http: the handler of %s has not ended its answer",
			(unsigned long long)r->pub.id, r->route->path);
		gx_http_stream_abort(&r->pub);
	}
	pthread_mutex_lock(&r->lock);
	while (r->left && !r->finished && r->events != 0) {
		pthread_mutex_unlock(&r->lock);
		gx_http__req_tell(r);
		pthread_mutex_lock(&r->lock);
	}
	r->apart = false;
	gx_http__req_post(r); /* events have waited */
}

int gx_http_hold(struct gx_http_req *pub, void (*on_event)(struct gx_http_req *r, unsigned event, void *ctx), void *ctx)
{
	struct http_req *r = http_req_of(pub);
	if (on_event == NULL)
		return GX_E_INVAL;
	pthread_mutex_lock(&r->lock);
	int ret = r->held || r->finished || !(r->busy || r->apart) ? GX_E_STATE : 0;
	if (ret == 0) {
		r->held = true;
		r->on_event = on_event;
		r->event_ctx = ctx;
	}
	pthread_mutex_unlock(&r->lock);
	return ret;
}

void gx_http_timer(struct gx_http_req *pub, uint32_t ms)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	r->timer_at = ms == 0 || r->io == NULL ? 0 : gx_clock_mono_ms(r->io->clock) + ms;
	gx_http__req_post(r);
}

int gx_http_read_body(struct gx_http_req *pub, int (*fn)(struct gx_http_req *r, const void *p, size_t n, bool last, void *ctx),
	void *ctx)
{
	struct http_req *r = http_req_of(pub);
	if (fn == NULL)
		return GX_E_INVAL;
	pthread_mutex_lock(&r->lock);
	bool ok = r->busy && r->held && !r->finished && r->on_body == NULL && (r->route->flags & GX_HTTP_STREAM_BODY) != 0;
	if (ok) {
		r->on_body = fn;
		r->body_ctx = ctx;
	}
	pthread_mutex_unlock(&r->lock);
	return ok ? 0 : GX_E_STATE;
}

int64_t gx_http__lasted_ms(const struct gx_http_req *pub)
{
	const struct http_req *r = (const struct http_req *)pub;
	return (r->h->clock->monotonic_ns(r->h->clock->ctx) - r->since_ns) / 1000000;
}

void gx_http__req_record(const struct http_req *r, unsigned status)
{
	const struct gx_http *h = r->h;
	const struct gx_http_record rec = {.id = r->pub.id, .peer = r->pub.peer, .user = r->pub.user == NULL ? "-" : r->pub.user,
		.method = r->pub.method, .target = r->pub.target, .status = status, .bytes_in = r->bytes_in, .bytes_out = r->bytes_out,
		.us = (uint64_t)(h->clock->monotonic_ns(h->clock->ctx) - r->since_ns) / 1000};
	if (h->o.request_log_level != 0)
		gx_log(h->o.log, h->o.request_log_level, "[%llu] http %s %s %s %.1000s %u in=%llu out=%llu us=%llu",
			(unsigned long long)rec.id, rec.peer, rec.user, rec.method, rec.target, status, (unsigned long long)rec.bytes_in,
			(unsigned long long)rec.bytes_out, (unsigned long long)rec.us);
	if (h->o.on_record != NULL)
		h->o.on_record(&rec, h->o.record_ctx);
}
