/* SPDX-License-Identifier: Apache-2.0 */
/* What an owner answers in one call, and how the head of an answer looks. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/http/http-int.h"

bool gx_http__status_has_no_body(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

static bool is_text(const char *s)
{
	for (; *s != '\0'; ++s)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

int gx_http_set(struct gx_http_req *pub, const char *name, const char *value)
{
	struct http_req *r = http_req_of(pub);
	static const char *const ours[] = {"content-length", "transfer-encoding", "connection", "date"};
	if (name == NULL || value == NULL || !gx_http__is_token(name, strlen(name)) || !is_text(value))
		return GX_E_INVAL;
	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); ++i)
		if (gx_ascii_casecmp(name, ours[i]) == 0)
			return GX_E_INVAL;
	if (r->kind != ANSWER_NONE)
		return GX_E_STATE;
	struct gx_http_field *f = gx_arena_grow(pub->arena, r->set, &r->set_cap, r->nset + 1, sizeof(*f));
	const char *n = gx_arena_strdup(pub->arena, name), *v = gx_arena_strdup(pub->arena, value);
	if (f == NULL || n == NULL || v == NULL)
		return GX_E_NOMEM;
	r->set = f;
	f[r->nset++] = (struct gx_http_field){n, v};
	return 0;
}

void gx_http_unset(struct gx_http_req *pub)
{
	struct http_req *r = http_req_of(pub);
	if (r->kind == ANSWER_NONE)
		r->nset = r->nkept;
}

/* With the lock taken: @return false when an answer has begun before; then it breaks off here. */
static bool begin(struct http_req *r, uint8_t kind, unsigned status, const char *type)
{
	pthread_mutex_lock(&r->lock);
	if (r->finished || r->kind != ANSWER_NONE) {
		r->aborted |= !r->finished;
		r->finished = true;
		return false;
	}
	r->kind = kind;
	r->status = status;
	r->type = type == NULL ? NULL : gx_arena_strdup(r->pub.arena, type);
	r->finished = true;
	return true;
}

void gx_http_reply(struct gx_http_req *pub, unsigned status, const char *type, const void *data, size_t len)
{
	struct http_req *r = http_req_of(pub);
	if (begin(r, ANSWER_WHOLE, status, type))
		r->data = (struct gx_bin){data, len};
	gx_http__req_post(r);
}

void gx_http_reply_take(struct gx_http_req *pub, unsigned status, const char *type, struct gx_push *body)
{
	struct http_req *r = http_req_of(pub);
	if (body->err != 0) {
		gx_push_release(body);
		gx_http_reply_status(pub, 500, NULL);
		return;
	}
	if (begin(r, ANSWER_WHOLE, status, type)) {
		r->taken = *body;
		r->data = (struct gx_bin){r->taken.data, r->taken.len};
	} else {
		gx_push_release(body);
	}
	*body = (struct gx_push)GX_PUSH_INIT;
	gx_http__req_post(r);
}

void gx_http_reply_status(struct gx_http_req *pub, unsigned status, const char *why)
{
	if (gx_http__status_has_no_body(status)) {
		gx_http_reply(pub, status, NULL, NULL, 0);
		return;
	}
	const char *text = gx_arena_printf(pub->arena, "%u %s\n%s%s", status, gx_http_reason(status), why == NULL ? "" : why,
		why == NULL ? "" : "\n");
	gx_http_reply(pub, status, "text/plain; charset=utf-8", text, text == NULL ? 0 : strlen(text));
}

void gx_http_reply_source(struct gx_http_req *pub, unsigned status, const char *type, const struct gx_http_source *s)
{
	struct http_req *r = http_req_of(pub);
	bool taken = begin(r, ANSWER_SOURCE, status, type);
	if (taken) {
		r->source = *s;
		r->length = s->length;
	}
	gx_http__req_post(r);
	if (!taken && s->close != NULL)
		s->close(s->ctx);
}

struct file {
	int fd;
	uint64_t off, left;
};

static int64_t file_read(void *ctx, uint8_t *out, size_t size)
{
	struct file *f = ctx;
	ssize_t got;
	if (size > f->left)
		size = (size_t)f->left;
	if (size == 0)
		return 0;
	do
		got = pread(f->fd, out, size, (off_t)f->off);
	while (got < 0 && errno == EINTR);
	/* A file that became shorter cannot keep what its length has promised. */
	if (got <= 0)
		return GX_E_IO;
	f->off += (uint64_t)got;
	f->left -= (uint64_t)got;
	return got;
}

static void file_close(void *ctx)
{
	struct file *f = ctx;
	close(f->fd);
	free(f);
}

void gx_http_reply_file(struct gx_http_req *pub, unsigned status, const char *type, int fd, uint64_t off, uint64_t len)
{
	struct file *f = malloc(sizeof(*f));
	if (f == NULL) {
		close(fd);
		gx_http_reply_status(pub, 503, NULL);
		return;
	}
	*f = (struct file){fd, off, len};
	const struct gx_http_source s = {.length = (int64_t)len, .read = file_read, .close = file_close, .ctx = f};
	gx_http_reply_source(pub, status, type, &s);
}

/* ---- The head ---- */

static void put_common(const struct gx_http *h, struct gx_push *out, unsigned version, unsigned status)
{
	char date[30];
	gx_http_print_date(gx_clock_unix(h->clock), date);
	gx_push_printf(out, "HTTP/1.%u %u %s\r\nDate: %s\r\n", version == 10 ? 0 : 1, status, gx_http_reason(status), date);
	if (h->server_name != NULL)
		gx_push_printf(out, "Server: %s\r\n", h->server_name);
}

void gx_http__put_head(struct http_req *r, struct gx_push *out, bool close)
{
	put_common(r->h, out, r->pub.version, r->status);
	if (r->type != NULL)
		gx_push_printf(out, "Content-Type: %s\r\n", r->type);
	for (size_t i = 0; i < r->nset; ++i)
		gx_push_printf(out, "%s: %s\r\n", r->set[i].name, r->set[i].value);
	int64_t length = r->kind == ANSWER_WHOLE ? (int64_t)r->data.len : r->length;
	if (!gx_http__status_has_no_body(r->status) || (r->status == 304 && length > 0)) {
		if (length >= 0)
			gx_push_printf(out, "Content-Length: %lld\r\n", (long long)length);
		else if (r->chunked_out)
			gx_push_str(out, "Transfer-Encoding: chunked\r\n");
	}
	if (close)
		gx_push_str(out, "Connection: close\r\n");
	else if (r->pub.version == 10)
		gx_push_str(out, "Connection: keep-alive\r\n");
	gx_push_str(out, "\r\n");
}

void gx_http__put_refusal(const struct gx_http *h, struct gx_push *out, unsigned status)
{
	const char *reason = gx_http_reason(status);
	put_common(h, out, 11, status);
	gx_push_printf(out, "Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%u %s\n", strlen(reason) + 5,
		status, reason);
}
