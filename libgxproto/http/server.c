/* SPDX-License-Identifier: Apache-2.0 */
/* Options and routes; connections are in conn.c. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/http-int.h"

void gx_http__ref(struct gx_http *h)
{
	atomic_fetch_add(&h->refs, 1);
}

void gx_http__unref(struct gx_http *h)
{
	if (atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	for (size_t i = 0; i < h->nroutes; ++i)
		free((char *)h->routes[i].path);
	free(h->routes);
	free(h->fronts);
	free(h->server_name);
	free(h->remote_host_hdr);
	free(h);
}

static void set_defaults(struct gx_http_opts *o)
{
	if (o->body_max == 0)
		o->body_max = 50 << 20;
	if (o->head_max == 0)
		o->head_max = 64 << 10;
	if (o->target_max == 0)
		o->target_max = 8 << 10;
	if (o->fields_max == 0)
		o->fields_max = 100;
	if (o->idle_ms == 0)
		o->idle_ms = 180000;
	if (o->head_ms == 0)
		o->head_ms = 30000;
	if (o->body_ms == 0)
		o->body_ms = 60000;
}

static int copy_names(struct gx_http *h, const struct gx_http_opts *o)
{
	bool hdr = o->remote_host_hdr != NULL && *o->remote_host_hdr != '\0';
	if (hdr)
		h->remote_host_hdr = strdup(o->remote_host_hdr);
	if (o->server_name != NULL)
		h->server_name = strdup(o->server_name);
	return (hdr && h->remote_host_hdr == NULL) || (o->server_name != NULL && h->server_name == NULL) ? GX_E_NOMEM : 0;
}

static bool is_line(const char *s)
{
	for (; s != NULL && *s != '\0'; ++s)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

int gx_http_new(const struct gx_http_opts *o, struct gx_http **ret_h, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	if (ret_why == NULL)
		ret_why = &why;
	if (o == NULL || o->size < sizeof(*o) || a == NULL || !is_line(o->server_name))
		return GX_E_INVAL;
	struct gx_http *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return GX_E_NOMEM;
	h->o = *o;
	set_defaults(&h->o);
	atomic_init(&h->refs, 1);
	h->clock = o->clock != NULL ? o->clock : gx_clock_system();
	int ret = copy_names(h, o);
	if (ret == 0)
		ret = gx_http__fronts_parse(o->fronts, &h->fronts, &h->nfronts, a, ret_why);
	if (ret != 0)
		gx_http__unref(h);
	else
		*ret_h = h;
	return ret;
}

void gx_http_free(struct gx_http *h)
{
	if (h != NULL)
		gx_http__unref(h);
}

int gx_http_route(struct gx_http *h, const struct gx_http_route *route)
{
	if (h == NULL || route == NULL || route->size < sizeof(*route) || route->handle == NULL || route->path == NULL ||
	    (route->path[0] != '/' && strcmp(route->path, "*") != 0))
		return GX_E_INVAL;
	struct gx_http_route *more = realloc(h->routes, (h->nroutes + 1) * sizeof(*more));
	if (more == NULL)
		return GX_E_NOMEM;
	h->routes = more;
	struct gx_http_route *r = &h->routes[h->nroutes];
	*r = *route;
	char *path = strdup(route->path);
	if (path == NULL)
		return GX_E_NOMEM;
	size_t n = strlen(path);
	if ((r->flags & GX_HTTP_PREFIX) != 0 && n > 1 && path[n - 1] == '/')
		path[n - 1] = '\0';
	r->path = path;
	if (h->o.enforce_auth)
		r->flags |= GX_HTTP_AUTH;
	if (r->methods & GX_HTTP_GET)
		r->methods |= GX_HTTP_HEAD;
	++h->nroutes;
	return 0;
}

void gx_http_set_rewrite(struct gx_http *h, const char *(*fn)(const struct gx_http_req *r, void *ctx), void *ctx)
{
	h->rewrite = fn;
	h->rewrite_ctx = ctx;
}

void gx_http_set_auth(struct gx_http *h, struct gx_http_auth *auth)
{
	h->auth = auth;
}

static bool matches(const struct gx_http_route *r, size_t n, const char *path)
{
	int diff = (r->flags & GX_HTTP_NOCASE) != 0 ? gx_ascii_ncasecmp(r->path, path, n) : strncmp(r->path, path, n);
	if (diff != 0)
		return false;
	if (path[n] == '\0')
		return true;
	return (r->flags & GX_HTTP_PREFIX) != 0 && (path[n] == '/' || r->path[n - 1] == '/') && path[0] == '/';
}

const struct gx_http_route *gx_http__find_route(const struct gx_http *h, const char *path, const char *rewritten, uint32_t method,
	uint32_t *ret_allow)
{
	const struct gx_http_route *best = NULL;
	size_t best_len = 0;
	*ret_allow = 0;
	for (size_t i = 0; i < h->nroutes; ++i) {
		const struct gx_http_route *r = &h->routes[i];
		size_t n = strlen(r->path) * 2 + ((r->flags & GX_HTTP_PREFIX) == 0);
		if (n < best_len || !matches(r, n / 2, (r->flags & GX_HTTP_REWRITE) != 0 ? rewritten : path))
			continue;
		if (n > best_len) {
			/* What a longer path takes is not offered to a shorter one. */
			best = NULL;
			*ret_allow = 0;
		}
		best_len = n;
		*ret_allow |= r->methods;
		if (best == NULL && (r->methods & method) != 0)
			best = r;
	}
	return best;
}

int gx_http_listen(struct gx_http *h, struct gx_net *n, const struct gx_listen_opts *o, uint16_t *ret_port, struct gx_arena *a,
	const char **ret_why)
{
	struct gx_listen_opts lo = *o;
	lo.factory = gx_http_factory(h);
	/* A head has to fit into what is read before the engine takes it. */
	if (lo.in_max < h->o.head_max)
		lo.in_max = h->o.head_max;
	if (lo.busy_text == NULL)
		lo.busy_text = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 10\r\n\r\n";
	return gx_net_listen(n, &lo, ret_port, a, ret_why);
}

void gx_http_stats(struct gx_http *h, struct gx_http_stats *ret_s)
{
	*ret_s = (struct gx_http_stats){.conns = atomic_load(&h->conns), .requests = atomic_load(&h->requests),
		.total = atomic_load(&h->last_id)};
}
