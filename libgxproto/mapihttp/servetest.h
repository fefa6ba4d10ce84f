/* SPDX-License-Identifier: Apache-2.0 */
/* A server with the endpoints of MAPI/HTTP on a port of its own: users are those of a directory, by Basic. */
#ifndef GX_SERVETEST_H
#define GX_SERVETEST_H
#include <check.h>
#include <gx/httpauth.h>
#include <gx/mapihttp-server.h>

struct serve {
	struct gx_net *net;
	struct gx_tls *tls;
	struct gx_http *http;
	struct gx_http_auth *auth;
	struct gx_http_dircheck check;
	struct gx_mh *mh;
	uint16_t port;
};

/* @p tls: of the server from now on, or NULL for plain text. */
static inline void serve_start(struct serve *v, struct gx_arena *a, struct gx_dir *people, const struct gx_mh_opts *mo, struct gx_tls *tls)
{
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_http_opts ho = GX_HTTP_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	const char *why = "";
	no.loops = 1;
	no.workers = 2;
	ck_assert_int_eq(gx_net_new(&no, &v->net), 0);
	ck_assert_int_eq(gx_http_new(&ho, &v->http, a, &why), 0);
	v->check.dir = people;
	ao.basic = true;
	ao.check = gx_http_check_directory;
	ao.check_ctx = &v->check;
	ao.cache_seconds = 60;
	ck_assert_int_eq(gx_http_auth_new(&ao, &v->auth), 0);
	gx_http_set_auth(v->http, v->auth);
	ck_assert_int_eq(gx_mh_new(mo, v->http, &v->mh), 0);
	lo.addr = "127.0.0.1:0";
	lo.tls = v->tls = tls;
	lo.implicit_tls = tls != NULL;
	ck_assert_msg(gx_http_listen(v->http, v->net, &lo, &v->port, a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_net_start(v->net), 0);
}

/* Before what its options named. */
static inline void serve_stop(struct serve *v)
{
	gx_net_stop(v->net, 2000);
	gx_net_free(v->net);
	gx_http_free(v->http);
	gx_http_auth_free(v->auth);
	gx_mh_free(v->mh);
	gx_tls_free(v->tls);
	*v = (struct serve){.net = NULL};
}

#endif
