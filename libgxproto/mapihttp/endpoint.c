/* SPDX-License-Identifier: Apache-2.0 */
/* What a request must bring before it is looked at, [MS-OXCMAPIHTTP] 3.2.5.1 and 3.2.5.2. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/charset.h>
#include "libgxproto/emsmdb/emsmdb-int.h"
#include "libgxproto/http/http-int.h"
#include "libgxproto/mapihttp/mapihttp-int.h"

/* Exchange 2013 SP1, from which on clients know this protocol. */
#define SERVER_VERSION "15.00.0847.4040"

/* Answers are whole within LATE_MS, or begin then: long before a client that knows no X-PendingPeriod yet could miss a sign of life. */
enum { PENDING_MS = 15000, LATE_MS = 2000, WAIT_MS = 300000, EXPIRATION_MS = 900000 };
/* What is larger is told so as this protocol says, up to where the connection ends it. */
enum { BODY_MAX = 1 << 20, BODY_TOLD = 4 << 20 };

static void (*const functions[GX_MH_TYPES])(struct gx_mh_call *) = {
	[GX_MH_CONNECT] = gx_mh__connect, [GX_MH_EXECUTE] = gx_mh__execute, [GX_MH_DISCONNECT] = gx_mh__disconnect,
	[GX_MH_NOTIFICATION_WAIT] = gx_mh__wait, [GX_MH_PING] = gx_mh__ping,
};

static bool is_our_type(const char *type)
{
	static const char want[] = "application/mapi-http";
	return type != NULL && strncasecmp(type, want, sizeof(want) - 1) == 0 && strchr("; \t", type[sizeof(want) - 1]) != NULL;
}

static unsigned check_headers(struct gx_mh_call *c)
{
	static const char *const needed[] = {"X-RequestType", "X-RequestId", "X-ClientApplication", "Content-Type"};
	const char *rest = c->r->path + strlen(c->end->path);
	if (c->r->method_bit != GX_HTTP_POST)
		return GX_MHC_INVALID_VERB;
	if (*rest != '\0' && strcmp(rest, "/") != 0)
		return GX_MHC_INVALID_PATH;
	if (c->r->body.len > BODY_MAX)
		return GX_MHC_TOO_LARGE;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); ++i)
		if (gx_http_header(c->r, needed[i]) == NULL)
			return GX_MHC_MISSING_HEADER;
	if (!is_our_type(gx_http_header(c->r, "Content-Type")))
		return GX_MHC_INVALID_HEADER;
	c->type = gx_mapihttp_find(gx_http_header(c->r, "X-RequestType"));
	return c->type != NULL && (c->type->endpoint & c->end->bit) ? GX_MHC_SUCCESS : GX_MHC_INVALID_REQUEST_TYPE;
}

static unsigned decode(struct gx_mh_call *c)
{
	const struct gx_dctx x = {.px = c->end->form(c)};
	const struct gx_desc *d = c->type->req;
	if (d == NULL)
		return c->r->body.len == 0 ? GX_MHC_SUCCESS : GX_MHC_INVALID_REQUEST_BODY;
	void *q = gx_arena_alloc(c->r->arena, d->size);
	c->q = q;
	if (q == NULL)
		return GX_MHC_UNKNOWN_FAILURE;
	return gx_desc_decode(&x, d, c->r->body.data, c->r->body.len, q) == 0 ? GX_MHC_SUCCESS : GX_MHC_INVALID_REQUEST_BODY;
}

/* ---- Mailboxes ---- */

static bool is_served(const struct gx_mh *m)
{
	return m->o.ems != NULL;
}

static struct gx_px form(const struct gx_mh_call *c)
{
	return GX_PX_ROP(c->r->arena, GX_CP_8BIT);
}

/* A request changes what is asked for next, unless it only waits or keeps the session alive beside others. */
static bool takes_turn(uint32_t type)
{
	return type == GX_MH_EXECUTE || type == GX_MH_DISCONNECT;
}

static unsigned find(struct gx_mh_call *c, const struct gx_guid *id, const struct gx_guid *turn)
{
	bool others;
	c->s = gx_ems_session_get(c->m->o.ems, id, c->r->user, &others);
	if (c->s == NULL)
		return others ? GX_MHC_NO_PRIVILEGE : GX_MHC_CONTEXT_NOT_FOUND;
	return gx_ems_session_turn(c->s, turn, &c->sequence) == 0 ? GX_MHC_SUCCESS : GX_MHC_INVALID_SEQUENCE;
}

static const struct gx_guid *session(const struct gx_mh_call *c)
{
	return c->s == NULL ? NULL : gx_ems_session_id(c->s);
}

static void put(struct gx_mh_call *c)
{
	gx_ems_session_put(c->s);
	c->s = NULL;
}

const struct gx_mh_endpoint gx_mh__mailboxes = {GX_ENDPOINT_MAILBOX, "/mapi/emsmdb", GX_MH_CONNECT, functions, is_served, form, find,
	takes_turn, session, put};

/* ---- Both ---- */

static unsigned find_session(struct gx_mh_call *c)
{
	struct gx_guid id, turn;
	const char *context = gx_http_cookie(c->r, "MapiContext"), *sequence = gx_http_cookie(c->r, "MapiSequence");
	if (context == NULL || sequence == NULL)
		return GX_MHC_MISSING_COOKIE;
	if (gx_guid_parse(context, &id) != 0 || gx_guid_parse(sequence, &turn) != 0)
		return GX_MHC_INVALID_CONTEXT_COOKIE;
	return c->end->find(c, &id, c->end->takes_turn(gx_mapihttp_number(c->type)) ? &turn : NULL);
}

static struct gx_mh_call *new_call(struct gx_http_req *r, struct gx_mh *m, const struct gx_mh_endpoint *end)
{
	struct gx_mh_call *c = gx_arena_new_obj(r->arena, struct gx_mh_call);
	if (c != NULL)
		*c = (struct gx_mh_call){.m = m, .end = end, .r = r, .begun_ms = gx_clock_mono_ms(m->o.clock), .begun_unix = gx_clock_unix(m->o.clock)};
	return c;
}

/* NULL: it was answered. */
static struct gx_mh_call *begin(struct gx_http_req *r, struct gx_mh *m, const struct gx_mh_endpoint *end)
{
	struct gx_mh_call *c = new_call(r, m, end);
	if (c == NULL)
		gx_http_reply_status(r, 500, NULL);
	return c;
}

static void handle(struct gx_http_req *r, struct gx_mh *m, const struct gx_mh_endpoint *end)
{
	struct gx_mh_call *c = begin(r, m, end);
	if (c == NULL)
		return;
	unsigned code = atomic_load(&m->ending) ? GX_MHC_ENDPOINT_SHUTTING_DOWN : end->is_served(m) ? check_headers(c) : GX_MHC_ENDPOINT_DISABLED;
	if (code == GX_MHC_SUCCESS)
		code = decode(c);
	if (code == GX_MHC_SUCCESS && gx_mapihttp_number(c->type) != end->opens)
		code = find_session(c);
	if (code != GX_MHC_SUCCESS)
		gx_mh__refuse(c, code, NULL);
	else
		end->functions[gx_mapihttp_number(c->type)](c);
}

static void handle_mailbox(struct gx_http_req *r, void *ctx)
{
	struct gx_mh *m = ctx;
	if (m->o.hand_on == NULL || atomic_load(&m->ending) || !m->o.hand_on(r, m->o.hand_on_ctx))
		handle(r, m, &gx_mh__mailboxes);
}

void gx_mh_absent(struct gx_mh *m, struct gx_http_req *r, int err)
{
	struct gx_mh_call *c = begin(r, m, &gx_mh__mailboxes);
	if (c == NULL)
		return;
	unsigned code = err == GX_E_STATE ? GX_MHC_ENDPOINT_SHUTTING_DOWN : check_headers(c);
	if (code != GX_MHC_SUCCESS)
		gx_mh__refuse(c, code, NULL);
	else if (err == GX_E_NOTFOUND && gx_mapihttp_number(c->type) != GX_MH_CONNECT)
		gx_mh__refuse(c, gx_http_cookie(r, "MapiContext") == NULL ? GX_MHC_MISSING_COOKIE : GX_MHC_CONTEXT_NOT_FOUND, NULL);
	else if (err == GX_E_INVAL)
		gx_mh__refuse(c, GX_MHC_NO_PRIVILEGE, NULL);
	else
		gx_http_relay_absent(r, err);
}

void gx_mh_stop(struct gx_mh *m)
{
	if (m != NULL)
		atomic_store(&m->ending, true);
}

bool gx_mh_cut(struct gx_mh *m, struct gx_http_req *r, struct gx_bin last)
{
	static const struct gx_mh_notification_wait_res nothing;
	const struct gx_exchange_desc *type = gx_mapihttp_find(gx_http_header(r, "X-RequestType"));
	if (!gx_mh__between(last) || type == NULL || gx_mapihttp_number(type) != GX_MH_NOTIFICATION_WAIT)
		return false;
	struct gx_mh_call *c = new_call(r, m, &gx_mh__mailboxes);
	if (c == NULL)
		return false;
	c->type = type;
	c->begun_ms -= gx_http__lasted_ms(r);
	c->begun_unix -= gx_http__lasted_ms(r) / 1000;
	gx_mh__finish(c, &nothing);
	return true;
}

static void handle_address_book(struct gx_http_req *r, void *ctx)
{
	handle(r, ctx, &gx_mh__address_book);
}

static int add_route(struct gx_mh *m, struct gx_http *h, const char *path, void (*fn)(struct gx_http_req *r, void *ctx))
{
	struct gx_http_route route = GX_HTTP_ROUTE_INIT;
	route.methods = GX_HTTP_ANY;
	route.path = path;
	route.flags = GX_HTTP_PREFIX | GX_HTTP_NOCASE | GX_HTTP_AUTH;
	route.body_max = BODY_TOLD;
	route.late_ms = m->o.late_ms;
	route.handle = fn;
	route.ctx = m;
	return gx_http_route(h, &route);
}

static void free_session(struct gx_sess *s)
{
	free(s);
}

static int open_sessions(struct gx_mh *m)
{
	const struct gx_sess_kind kind = {"nsp", m->o.expiration_ms, free_session};
	int err = 0;
	m->own_sessions = m->o.ems == NULL;
	if (m->own_sessions)
		err = gx_sessions__new(m->o.clock, m->o.log, &m->sessions);
	else
		m->sessions = gx_ems__sessions(m->o.ems);
	if (err == 0)
		gx_sessions__declare(m->sessions, GX_SESS_ADDRESS_BOOK, &kind);
	return err;
}

int gx_mh_new(const struct gx_mh_opts *o, struct gx_http *h, struct gx_mh **ret_m)
{
	if (o == NULL || o->size != sizeof(*o) || h == NULL || ret_m == NULL)
		return GX_E_INVAL;
	struct gx_mh *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return GX_E_NOMEM;
	m->o = *o;
	if (m->o.clock == NULL)
		m->o.clock = gx_clock_system();
	if (m->o.pending_ms == 0)
		m->o.pending_ms = PENDING_MS;
	if (m->o.late_ms == 0)
		m->o.late_ms = m->o.pending_ms < LATE_MS ? m->o.pending_ms : LATE_MS;
	if (m->o.wait_ms == 0)
		m->o.wait_ms = WAIT_MS;
	if (m->o.expiration_ms == 0)
		m->o.expiration_ms = EXPIRATION_MS;
	if (m->o.server_version == NULL)
		m->o.server_version = SERVER_VERSION;
	int err = add_route(m, h, gx_mh__mailboxes.path, handle_mailbox);
	if (err == 0)
		err = open_sessions(m);
	if (err == 0)
		err = add_route(m, h, gx_mh__address_book.path, handle_address_book);
	if (err != 0)
		gx_mh_free(m);
	else
		*ret_m = m;
	return err;
}

void gx_mh_free(struct gx_mh *m)
{
	if (m == NULL)
		return;
	if (m->own_sessions)
		gx_sessions__free(m->sessions);
	else if (m->sessions != NULL)
		gx_sessions__drop(m->sessions, GX_SESS_ADDRESS_BOOK);
	free(m);
}

struct dump {
	void (*line)(const char *text, void *ctx);
	void *ctx;
};

static void print_session(const struct gx_sess *s, int64_t idle_ms, void *ctx)
{
	const struct dump *d = ctx;
	char text[512], id[37];
	gx_guid_print(&s->id, id);
	snprintf(text, sizeof(text), "session %s user=%s idle=%llds used_by=%u", id, gx_sessions__user(s), (long long)idle_ms / 1000, (unsigned)s->refs);
	d->line(text, d->ctx);
}

void gx_mh_dump(struct gx_mh *m, void (*line)(const char *text, void *ctx), void *ctx)
{
	struct dump d = {line, ctx};
	gx_sessions__each(m->sessions, GX_SESS_ADDRESS_BOOK, print_session, &d);
}
