/* SPDX-License-Identifier: Apache-2.0 */
/* How answers look, [MS-OXCMAPIHTTP] 2.2.2.2 and 2.2.7: headers, then lines of state, then the body. */
#include <config.h>
#include <string.h>
#include "libgxproto/mapihttp/mapihttp-int.h"

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
	const struct gx_guid *session = c->end->session(c);
	if (err == 0 && session != NULL)
		err = cookie(c, "MapiContext", session);
	return err == 0 && session != NULL ? cookie(c, "MapiSequence", &c->sequence) : err;
}

void gx_mh__refuse(struct gx_mh_call *c, unsigned code, const char *why)
{
	const char *text = gx_arena_printf(c->r->arena, "<html><body>MAPI/HTTP: %s</body></html>\n", why != NULL ? why : texts[code]);
	c->end->put(c);
	if (text == NULL || headers(c, code) != 0)
		gx_http_reply_status(c->r, 500, NULL);
	else
		gx_http_reply(c->r, 200, "text/html", text, strlen(text));
}

bool gx_mh__begin(struct gx_mh_call *c)
{
	return headers(c, GX_MHC_SUCCESS) == 0 && gx_http_stream_begin(c->r, 200, "application/mapi-http", -1) == 0 &&
	       gx_http_stream_write(c->r, "PROCESSING\r\n", 12) == 0;
}

static void put_body(struct gx_push *out, const struct gx_mh_call *c, const void *res)
{
	const struct gx_dctx x = {.px = c->end->form(c)};
	char date[30];
	gx_http_print_date(c->begun_unix, date);
	gx_push_printf(out, "DONE\r\nX-ResponseCode: 0\r\nX-ElapsedTime: %lld\r\nX-StartTime: %s\r\n\r\n",
		(long long)(gx_clock_mono_ms(c->m->o.clock) - c->begun_ms), date);
	if (res != NULL)
		gx_desc_push(out, &x, c->type->res, res);
}

void gx_mh__finish(struct gx_mh_call *c, const void *res)
{
	struct gx_push out = GX_PUSH_INIT;
	put_body(&out, c, res);
	c->end->put(c);
	if (out.err == 0)
		gx_http_stream_end_with(c->r, out.data, out.len);
	else
		gx_http_stream_abort(c->r);
	gx_push_release(&out);
}

void gx_mh__answer(struct gx_mh_call *c, const void *res)
{
	struct gx_push out = GX_PUSH_INIT;
	gx_push_str(&out, "PROCESSING\r\n");
	put_body(&out, c, res);
	if (out.err != 0) {
		gx_push_release(&out);
		gx_mh__refuse(c, GX_MHC_INVALID_RESPONSE, NULL);
		return;
	}
	int err = headers(c, GX_MHC_SUCCESS);
	c->end->put(c);
	if (err == 0) {
		gx_http_reply_take(c->r, 200, "application/mapi-http", &out);
		return;
	}
	gx_push_release(&out);
	gx_http_reply_status(c->r, 500, NULL);
}
