/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are written piece by piece. What was written waits in r->taken, framed, until the connection takes it. */
#include <config.h>
#include <string.h>
#include "libgxproto/http/http-int.h"

/* With the lock taken. */
static void begin(struct http_req *r, int64_t length)
{
	r->kind = ANSWER_STREAM;
	r->length = length;
	r->no_body = r->pub.method_bit == GX_HTTP_HEAD || gx_http__status_has_no_body(r->status);
	r->chunked_out = length < 0 && r->pub.version >= 11;
}

int gx_http_stream_begin(struct gx_http_req *pub, unsigned status, const char *type, int64_t length)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	int ret = r->finished || r->kind != ANSWER_NONE ? GX_E_STATE : 0;
	if (ret == 0) {
		r->status = status;
		r->type = type == NULL ? NULL : gx_arena_strdup(pub->arena, type);
		begin(r, length);
		if (r->gone)
			ret = GX_E_STATE;
	}
	gx_http__req_post(r);
	return ret;
}

static int check_write(const struct http_req *r, size_t n)
{
	if (r->gone || r->finished || r->kind != ANSWER_STREAM)
		return GX_E_STATE;
	if (r->length >= 0 && n > (uint64_t)r->length - r->written)
		return GX_E_RANGE;
	if (r->taken.len > 0 && n > HTTP_STREAM_MOST - (r->taken.len < HTTP_STREAM_MOST ? r->taken.len : HTTP_STREAM_MOST))
		return GX_E_BUSY;
	return 0;
}

/* With the lock taken. */
static int put(struct http_req *r, const void *p, size_t n)
{
	r->written += n;
	if (r->no_body)
		return 0;
	if (r->chunked_out)
		gx_push_printf(&r->taken, "%zx\r\n", n);
	gx_push_bytes(&r->taken, p, n);
	if (r->chunked_out)
		gx_push_str(&r->taken, "\r\n");
	return r->taken.err;
}

int gx_http_stream_write(struct gx_http_req *pub, const void *p, size_t n)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	int ret = check_write(r, n);
	r->want_room |= ret == GX_E_BUSY;
	if (ret == 0 && n > 0) {
		size_t before = r->taken.len;
		ret = put(r, p, n);
		/* One wake-up is enough for all that waits. */
		if (before > 0 && ret == 0) {
			pthread_mutex_unlock(&r->lock);
			return 0;
		}
	}
	gx_http__req_post(r);
	return ret;
}

/* With the lock taken, which it gives back. */
static void finish(struct http_req *r, bool abort)
{
	if (!r->finished) {
		r->finished = true;
		r->aborted = abort || r->kind != ANSWER_STREAM || r->taken.err != 0 ||
			(r->length >= 0 && r->written != (uint64_t)r->length && !r->no_body);
		if (r->chunked_out && !r->no_body && !r->aborted)
			gx_push_str(&r->taken, "0\r\n\r\n");
	}
	gx_http__req_post(r);
}

void gx_http_stream_end(struct gx_http_req *pub)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	finish(r, false);
}

void gx_http_stream_end_with(struct gx_http_req *pub, const void *p, size_t n)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	int err = check_write(r, n);
	if (n > 0 && (err == 0 || err == GX_E_BUSY))
		err = put(r, p, n);
	finish(r, err != 0);
}

void gx_http_stream_abort(struct gx_http_req *pub)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	finish(r, true);
}

/* ---- What the server writes by itself ---- */

void gx_http_stream_pulse(struct gx_http_req *pub, const char *text, uint32_t ms)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	r->pulse = text;
	r->pulse_ms = text == NULL ? 0 : ms;
	r->pulse_at = 0;
	gx_http__req_post(r);
}

void gx_http__stream_beat(struct http_req *r, int64_t now)
{
	if (r->pulse_ms == 0 || r->finished || r->length >= 0) {
		r->pulse_at = 0;
		return;
	}
	if (r->taken.len == 0 && r->pulse_at != 0 && now >= r->pulse_at)
		(void)put(r, r->pulse, strlen(r->pulse)); /* without memory the end says so */
	if (r->taken.len > 0 || r->pulse_at == 0)
		r->pulse_at = now + r->pulse_ms;
}

int gx_http_announce(struct gx_http_req *pub, unsigned status, const char *type, const char *first)
{
	struct http_req *r = http_req_of(pub);
	const char *kept = type == NULL ? NULL : gx_arena_strdup(pub->arena, type);
	if (type != NULL && kept == NULL)
		return GX_E_NOMEM;
	pthread_mutex_lock(&r->lock);
	int ret = r->finished || r->kind != ANSWER_NONE ? GX_E_STATE : 0;
	if (ret == 0) {
		r->status = status;
		r->type = kept;
		r->announced = first;
	}
	pthread_mutex_unlock(&r->lock);
	return ret;
}

void gx_http__stream_announced(struct http_req *r)
{
	begin(r, -1);
	(void)put(r, r->announced, strlen(r->announced));
	r->announced = NULL;
}

bool gx_http_announced(struct gx_http_req *pub)
{
	struct http_req *r = http_req_of(pub);
	pthread_mutex_lock(&r->lock);
	bool begun = r->kind != ANSWER_NONE;
	r->announced = NULL;
	pthread_mutex_unlock(&r->lock);
	return begun;
}
