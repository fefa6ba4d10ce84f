/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, and one request in XML from end to end, [MS-OXDISCO] 3.1. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/autodiscover/disco-int.h"

enum { BODY_MOST = 64 << 10, LOG_MOST = 1500 };

static void log_text(const struct gx_disco *d, const struct gx_http_req *r, const char *what, const char *text, size_t len)
{
	gx_log(d->o.log, GX_LOG_NOTICE, "[%llu] autodiscover: %s of %s: %.*s", (unsigned long long)r->id, what, r->user != NULL ? r->user : "-",
		(int)(len < LOG_MOST ? len : LOG_MOST), text);
}

/* Sends what was written, and lets go of it. */
static void send_xml(struct gx_disco *d, struct gx_http_req *r, struct disco_xml *x)
{
	int err = x->b.err;
	const void *data = err == 0 ? gx_arena_memdup(r->arena, gx_strbuf_cstr(&x->b), x->b.len) : NULL;
	size_t len = x->b.len;
	if (data != NULL && d->o.log_responses)
		log_text(d, r, "response", gx_strbuf_cstr(&x->b), len);
	gx_strbuf_release(&x->b);
	if (data == NULL)
		gx_http_reply_status(r, 500, NULL);
	else
		gx_http_reply(r, 200, "text/xml; charset=utf-8", data, len);
}

static void fail(struct gx_disco *d, struct gx_http_req *r, unsigned code, const char *message)
{
	struct disco_xml x;
	gx_disco__error(d, code, message, &x);
	send_xml(d, r, &x);
}

/* ---- What is asked by POST ---- */

static void not_now(struct gx_disco *d, struct gx_http_req *r, int err)
{
	gx_log(d->o.log, GX_LOG_ERROR, "[%llu] autodiscover: %s", (unsigned long long)r->id, gx_strerror(err));
	if (gx_http_set(r, "Retry-After", "30") == 0)
		gx_http_reply_status(r, 503, NULL);
	else
		gx_http_reply_status(r, 500, NULL);
}

static void answer(struct gx_disco *d, struct gx_http_req *r, const struct disco_request *q)
{
	struct disco_target t;
	struct disco_xml x;
	bool phone = strcmp(q->schema, NS_PHONE) == 0;
	int err = gx_disco__find(d, q->address, q->legacy_dn, r->user, r->arena, &t);
	if (err == 0) {
		err = gx_disco__may_see(d, &t, r->user, r->arena);
		if (err == GX_E_STATE)
			gx_log(d->o.log, GX_LOG_NOTICE, "[%llu] autodiscover: %s may do nothing in the mailbox of %s", (unsigned long long)r->id,
				r->user, t.address);
	}
	if (err == GX_E_NOTFOUND || err == GX_E_STATE || (err == 0 && phone && t.is_public)) {
		fail(d, r, DISCO_NOT_FOUND, "The email address can't be found.");
	} else if (err == GX_E_UNSUP) {
		fail(d, r, DISCO_NO_MAILBOX, "The email address has no mailbox.");
	} else if (err != 0) {
		not_now(d, r, err);
	} else {
		if (phone)
			gx_disco__phone(d, &t, &x);
		else
			gx_disco__outlook(d, r, &t, q->schema, &x);
		send_xml(d, r, &x);
	}
}

static void handle_post(struct gx_http_req *r, void *ctx)
{
	static const char *const schemas[] = {NS_OUTLOOK, NS_OUTLOOK_OLD, NS_PHONE};
	struct gx_disco *d = ctx;
	struct disco_request q;
	if (d->o.log_requests)
		log_text(d, r, "request", (const char *)r->body.data, r->body.len);
	int err = gx_disco__read(r->body, r->arena, &q);
	if (err == GX_E_FORMAT) {
		fail(d, r, DISCO_BAD_REQUEST, "Invalid Request");
		return;
	}
	if (err != 0) {
		not_now(d, r, err);
		return;
	}
	size_t i = 0, n = sizeof(schemas) / sizeof(*schemas);
	while (i < n && strcmp(q.schema, schemas[i]) != 0)
		++i;
	if (i == n || (strcmp(q.schema, NS_PHONE) == 0 && (d->o.services & GX_DISCO_EAS) == 0))
		fail(d, r, DISCO_BAD_SCHEMA, "Provider is not available");
	else
		answer(d, r, &q);
}

/* ---- What is asked by GET ---- */

static void redirect(struct gx_http_req *r, unsigned status, const char *to)
{
	if (to == NULL || gx_http_set(r, "Location", to) != 0)
		gx_http_reply_status(r, 500, NULL);
	else
		gx_http_reply_status(r, status, NULL);
}

/* Clients look for a redirection in the clear, [MS-OXDISCO] 3.1.5; nothing is asked there but by POST. */
static void handle_get(struct gx_http_req *r, void *ctx)
{
	struct gx_disco *d = ctx;
	if (r->tls)
		fail(d, r, DISCO_BAD_REQUEST, "Invalid Request");
	else
		redirect(r, 302, gx_arena_printf(r->arena, "https://%s/autodiscover/autodiscover.xml", d->o.exonym));
}

/* [RFC 6764] 5 */
static void handle_dav(struct gx_http_req *r, void *ctx)
{
	redirect(r, 301, "/dav/");
}

static int add_routes(struct gx_disco *d, struct gx_http *h)
{
	const uint32_t plain = GX_HTTP_NOCASE, below = GX_HTTP_NOCASE | GX_HTTP_PREFIX;
	const struct {
		uint32_t methods;
		const char *path;
		uint32_t flags;
		void (*handle)(struct gx_http_req *r, void *ctx);
	} v[] = {
		{GX_HTTP_POST, "/autodiscover/autodiscover.xml", plain | GX_HTTP_AUTH, handle_post},
		{GX_HTTP_GET, "/autodiscover/autodiscover.xml", plain, handle_get},
		{GX_HTTP_GET, "/autodiscover/autodiscover.json", below, gx_disco__json},
		{GX_HTTP_GET, "/mail/config-v1.1.xml", plain, gx_disco__autoconfig},
		{GX_HTTP_GET, "/.well-known/autoconfig/mail/config-v1.1.xml", plain, gx_disco__autoconfig},
		{GX_HTTP_ANY, "/.well-known/caldav", plain, handle_dav},
		{GX_HTTP_ANY, "/.well-known/carddav", plain, handle_dav},
	};
	int err = 0;
	for (size_t i = 0; err == 0 && i < sizeof(v) / sizeof(*v); ++i) {
		struct gx_http_route route = GX_HTTP_ROUTE_INIT;
		route.methods = v[i].methods;
		route.path = v[i].path;
		route.flags = v[i].flags;
		route.body_max = BODY_MOST;
		route.handle = v[i].handle;
		route.ctx = d;
		err = gx_http_route(h, &route);
	}
	return err;
}

/* ---- Options ---- */

/* "15.00.0847.4040" in the bits of ServerVersion, [MS-OXDSCLI] 2.2.4.1.1.2.5: four that are fixed, six, six, one, fifteen. */
static const char *encode_version(const char *text, struct gx_arena *a)
{
	char *p;
	unsigned long major = strtoul(text, &p, 10), minor = strtoul(*p == '.' ? p + 1 : p, &p, 10), build = strtoul(*p == '.' ? p + 1 : p, NULL, 10);
	return gx_arena_printf(a, "%08X", (unsigned)(7u << 28 | (major & 63) << 22 | (minor & 63) << 16 | 1u << 15 | (build & 0x7fff)));
}

static int fill(struct gx_disco *d, const struct gx_disco_opts *o, struct gx_arena *a, const char **ret_why)
{
	d->o = *o;
	d->o.clock = o->clock != NULL ? o->clock : gx_clock_system();
	d->o.org_name = gx_arena_strdup(d->a, o->org_name != NULL && *o->org_name != '\0' ? o->org_name : "Gromox default");
	d->o.exonym = gx_arena_strdup(d->a, o->exonym);
	d->version = encode_version(o->server_version != NULL ? o->server_version : "15.00.0847.4040", d->a);
	const char *guid = gx_disco__guid_of(o->exonym, d->a);
	if (d->o.org_name == NULL || d->o.exonym == NULL || d->version == NULL || guid == NULL)
		return GX_E_NOMEM;
	d->number = (unsigned)strtoul(guid, NULL, 16) & 0x7fffffff;
	return gx_disco__mail_parse(d, o->mail_servers == NULL ? "" : o->mail_servers, a, ret_why);
}

static bool is_host(const char *s)
{
	return *s != '\0' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") == strlen(s);
}

int gx_disco_new(const struct gx_disco_opts *o, struct gx_http *h, struct gx_disco **ret_d, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	if (ret_why == NULL)
		ret_why = &why;
	if (o == NULL || o->size < sizeof(*o) || o->dir == NULL || (o->validate_second && o->pool == NULL) || h == NULL || ret_d == NULL || a == NULL)
		return GX_E_INVAL;
	if (o->exonym == NULL || !is_host(o->exonym)) {
		*ret_why = gx_arena_printf(a, "%s: expected the name of a host, perhaps with a port", o->exonym == NULL ? "" : o->exonym);
		return GX_E_INVAL;
	}
	struct gx_disco *d = calloc(1, sizeof(*d));
	struct gx_arena *own = d == NULL ? NULL : gx_arena_new(0);
	if (own == NULL) {
		free(d);
		return GX_E_NOMEM;
	}
	d->a = own;
	int err = fill(d, o, a, ret_why);
	if (err == 0)
		err = add_routes(d, h);
	if (err != 0)
		gx_disco_free(d);
	else
		*ret_d = d;
	return err;
}

void gx_disco_free(struct gx_disco *d)
{
	if (d == NULL)
		return;
	gx_arena_free(d->a);
	free(d);
}
