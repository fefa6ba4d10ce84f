/* SPDX-License-Identifier: Apache-2.0 */
/* How answers look, [MS-OXCMAPIHTTP] 2.2.2.2 and 2.2.7: headers, then lines of state, then the body. */
#include <config.h>
#include <string.h>
#include "libgxproto/mapihttp/mapihttp-int.h"

#define TYPE "application/mapi-http"
#define PROCESSING "PROCESSING\r\n"
#define PENDING "PENDING\r\n"

static const char *const texts[] = {
	[GX_MHC_SUCCESS] = "", [GX_MHC_UNKNOWN_FAILURE] = "the request has failed", [GX_MHC_INVALID_VERB] = "only POST is understood",
	[GX_MHC_INVALID_PATH] = "there is nothing at this path", [GX_MHC_INVALID_HEADER] = "a header is not what it should be",
	[GX_MHC_INVALID_REQUEST_TYPE] = "no such request type here", [GX_MHC_INVALID_CONTEXT_COOKIE] = "this is no session cookie",
	[GX_MHC_MISSING_HEADER] = "a header is missing", [GX_MHC_ANONYMOUS_NOT_ALLOWED] = "log on first",
	[GX_MHC_TOO_LARGE] = "the body is too large", [GX_MHC_CONTEXT_NOT_FOUND] = "there is no such session",
	[GX_MHC_NO_PRIVILEGE] = "the session is another user's", [GX_MHC_INVALID_REQUEST_BODY] = "the body is not what it should be",
	[GX_MHC_MISSING_COOKIE] = "a cookie is missing", [GX_MHC_RESERVED] = "", [GX_MHC_INVALID_SEQUENCE] = "a request came out of turn",
	[GX_MHC_ENDPOINT_DISABLED] = "not served here", [GX_MHC_INVALID_RESPONSE] = "the answer could not be made",
	[GX_MHC_ENDPOINT_SHUTTING_DOWN] = "the server is going down",
};

static int echo(struct gx_mh_call *c, const char *name)
{
	const char *v = gx_http_header(c->r, name);
	return v == NULL ? 0 : gx_http_set(c->r, name, v);
}

static int number(struct gx_mh_call *c, const char *name, uint32_t n)
{
	const char *v = gx_arena_printf(c->r->arena, "%u", (unsigned)n);
	return v == NULL ? GX_E_NOMEM : gx_http_set(c->r, name, v);
}

static int cookie(struct gx_mh_call *c, const char *name, const struct gx_guid *g)
{
	char id[37];
	gx_guid_print(g, id);
	const char *v = gx_arena_printf(c->r->arena, "%s=%s; path=%s; secure; HttpOnly", name, id, c->end->path);
	return v == NULL ? GX_E_NOMEM : gx_http_set(c->r, "Set-Cookie", v);
}

/* The form is fixed by [MS-OXCMAPIHTTP] 2.2.3.3.7. */
static int server_application(struct gx_mh_call *c)
{
	const char *v = gx_arena_printf(c->r->arena, "Exchange/%s", c->m->o.server_version);
	return v == NULL ? GX_E_NOMEM : gx_http_set(c->r, "X-ServerApplication", v);
}

static int headers(struct gx_mh_call *c, unsigned code)
{
	int err = echo(c, "X-RequestType");
	if (err == 0)
		err = echo(c, "X-RequestId");
	if (err == 0)
		err = echo(c, "X-ClientInfo");
	if (err == 0)
		err = number(c, "X-ResponseCode", code);
	if (err == 0)
		err = number(c, "X-PendingPeriod", c->m->o.pending_ms);
	if (err == 0)
		err = number(c, "X-ExpirationInfo", c->m->o.expiration_ms);
	if (err == 0)
		err = server_application(c);
	if (err == 0)
		err = gx_http_set(c->r, "Cache-Control", "private");
	const struct gx_guid *session = c->promised != NULL ? c->promised : c->end->session(c);
	if (err == 0 && session != NULL)
		err = cookie(c, "MapiContext", session);
	return err == 0 && session != NULL ? cookie(c, "MapiSequence", &c->sequence) : err;
}

/* How an answer ends that has begun, [MS-OXCMAPIHTTP] 2.2.7: what its headers could not say stands here. */
static void put_done(struct gx_push *out, const struct gx_mh_call *c, unsigned code)
{
	char date[30];
	gx_http_print_date(c->begun_unix, date);
	gx_push_printf(out, "DONE\r\nX-ResponseCode: %u\r\nX-ElapsedTime: %lld\r\nX-StartTime: %s\r\n\r\n", code,
		(long long)(gx_clock_mono_ms(c->m->o.clock) - c->begun_ms), date);
}

static void put_body(struct gx_push *out, const struct gx_mh_call *c, const void *res)
{
	const struct gx_dctx x = {.px = c->end->form(c)};
	put_done(out, c, GX_MHC_SUCCESS);
	if (res != NULL)
		gx_desc_push(out, &x, c->type->res, res);
}

static void end_with(struct gx_mh_call *c, const struct gx_push *out)
{
	c->end->put(c);
	if (out->err == 0)
		gx_http_stream_end_with(c->r, out->data, out->len);
	else
		gx_http_stream_abort(c->r);
}

static void end_failed(struct gx_mh_call *c, unsigned code)
{
	struct gx_push out = GX_PUSH_INIT;
	put_done(&out, c, code);
	end_with(c, &out);
	gx_push_release(&out);
}

/* @return the answer has begun; else nothing of it is left. */
static bool has_begun(struct gx_mh_call *c)
{
	bool begun = c->announced && gx_http_announced(c->r);
	if (!begun)
		gx_http_unset(c->r);
	c->announced = begun;
	return begun;
}

void gx_mh__refuse(struct gx_mh_call *c, unsigned code, const char *why)
{
	if (has_begun(c)) {
		end_failed(c, code);
		return;
	}
	const char *text = gx_arena_printf(c->r->arena, "<html><body>MAPI/HTTP: %s</body></html>\n", why != NULL ? why : texts[code]);
	c->promised = NULL;
	c->end->put(c);
	if (text == NULL || headers(c, code) != 0)
		gx_http_reply_status(c->r, 500, NULL);
	else
		gx_http_reply(c->r, 200, "text/html", text, strlen(text));
}

/* [MS-OXCMAPIHTTP] 3.2.5.3: a sign of life every X-PendingPeriod, once the client knows that it is at work. */
static void keep_alive(struct gx_mh_call *c)
{
	gx_http_stream_pulse(c->r, PENDING, c->m->o.pending_ms);
}

static bool begin_stream(struct gx_mh_call *c)
{
	return gx_http_stream_begin(c->r, 200, TYPE, -1) == 0 && gx_http_stream_write(c->r, PROCESSING, sizeof(PROCESSING) - 1) == 0;
}

bool gx_mh__begin(struct gx_mh_call *c)
{
	keep_alive(c);
	return headers(c, GX_MHC_SUCCESS) == 0 && begin_stream(c);
}

static bool ends_with(struct gx_bin b, const char *text, size_t n)
{
	return b.len >= n && memcmp(b.data + b.len - n, text, n) == 0;
}

bool gx_mh__between(struct gx_bin last)
{
	return ends_with(last, PROCESSING, sizeof(PROCESSING) - 1) || ends_with(last, PENDING, sizeof(PENDING) - 1);
}

void gx_mh__finish(struct gx_mh_call *c, const void *res)
{
	struct gx_push out = GX_PUSH_INIT;
	put_body(&out, c, res);
	if (out.err != 0 && out.err != GX_E_NOMEM)
		end_failed(c, GX_MHC_INVALID_RESPONSE);
	else
		end_with(c, &out);
	gx_push_release(&out);
}

bool gx_mh__announce(struct gx_mh_call *c)
{
	keep_alive(c);
	if (headers(c, GX_MHC_SUCCESS) == 0 && gx_http_announce(c->r, 200, TYPE, PROCESSING) == 0) {
		c->announced = true;
		return true;
	}
	c->end->put(c);
	gx_http_reply_status(c->r, 500, NULL);
	return false;
}

/* What was announced stands in the headers, unless no session came of it. */
static int final_headers(struct gx_mh_call *c)
{
	if (c->promised == NULL || c->end->session(c) != NULL)
		return 0;
	c->promised = NULL;
	gx_http_unset(c->r);
	return headers(c, GX_MHC_SUCCESS);
}

void gx_mh__answer_in_chunks(struct gx_mh_call *c, const void *res)
{
	if (!gx_http_announced(c->r))
		(void)(final_headers(c) == 0 && begin_stream(c)); /* what failed shows at the end */
	gx_mh__finish(c, res);
}

void gx_mh__answer(struct gx_mh_call *c, const void *res)
{
	struct gx_push out = GX_PUSH_INIT;
	if (gx_http_announced(c->r)) {
		gx_mh__finish(c, res);
		return;
	}
	gx_push_str(&out, PROCESSING);
	put_body(&out, c, res);
	int err = out.err != 0 ? 0 : final_headers(c);
	if (out.err != 0) {
		gx_mh__refuse(c, GX_MHC_INVALID_RESPONSE, NULL);
	} else {
		c->end->put(c);
		if (err == 0)
			gx_http_reply_take(c->r, 200, TYPE, &out);
		else
			gx_http_reply_status(c->r, 500, NULL);
	}
	gx_push_release(&out);
}
