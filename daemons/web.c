/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP: its listeners, who may log in, and what the paths lead to. */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemons/services.h"

static const char *str_or_null(const struct services *s, const char *key)
{
	const char *text = services_str(s, key);
	return *text == '\0' ? NULL : text;
}

/* ---- While the program may still be root ---- */

static void print_traffic(const char *line, void *ctx)
{
	dprintf(STDERR_FILENO, "%s\n", line);
}

static bool make_server(struct services *s)
{
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	const char *why = NULL;
	o.log = s->log;
	o.server_name = gx_arena_printf(s->arena, "gromox-http/%s", gx_version());
	o.idle_ms = (uint32_t)(gx_conf_uint(s->conf, "http_conn_timeout") * 1000);
	o.max_conns = (uint32_t)gx_conf_uint(s->conf, "context_num");
	o.remote_host_hdr = services_str(s, "http_remote_host_hdr");
	o.fronts = services_str(s, "http_fronts");
	o.enforce_auth = gx_conf_bool(s->conf, "http_enforce_auth");
	o.request_log_level = gx_conf_bool(s->conf, "http_request_log") ? GX_LOG_NOTICE : 0;
	o.trace = gx_conf_bool(s->conf, "http_debug") ? print_traffic : NULL;
	int err = gx_http_new(&o, &s->web.http, s->arena, &why);
	return err == 0 || services_fail(s, "http", err, why);
}

static bool load_token_keys(struct services *s)
{
	struct gx_jwt_opts o = GX_JWT_OPTS_INIT;
	const char *why = NULL;
	o.key_path = str_or_null(s, "http_bearer_key_path");
	o.issuer = str_or_null(s, "http_bearer_issuer");
	o.audience = str_or_null(s, "http_bearer_audience");
	o.user_claim = str_or_null(s, "http_bearer_user_claim");
	int err = o.key_path == NULL ? 0 : gx_jwt_new(&o, &s->web.jwt, s->arena, &why);
	return err == 0 || services_fail(s, "http", err, why);
}

bool services_listen_http(struct services *s)
{
	struct service v = {
		.name = "http", .listen = "http_listen", .listen_tls = "http_listen_tls",
		.cert = "http_certificate_path", .key = "http_private_key_path", .passwd = "http_certificate_passwd",
		.busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 10\r\n\r\n",
		.stall_ms = (uint32_t)(gx_conf_uint(s->conf, "http_conn_timeout") * 1000),
		.tls_wanted = gx_conf_bool(s->conf, "http_support_tls"),
	};
	if (!make_server(s) || !load_token_keys(s))
		return false;
	v.factory = gx_http_factory(s->web.http);
	if (v.tls_wanted && !services_open_tls(s, &v, &s->web.tls))
		return false;
	if (!services_listen_on(s, &v, v.listen, NULL, false))
		return false;
	v.name = "https";
	return !v.tls_wanted || services_listen_on(s, &v, v.listen_tls, s->web.tls, true);
}

/* ---- Logins ---- */

static bool open_negotiate(struct services *s)
{
	const char *program = services_str(s, "gss_program");
	if (!gx_conf_bool(s->conf, "http_auth_spnego"))
		return true;
	if (*program == '\0' || strcmp(program, "internal-gss") == 0)
		return services_fail(s, "http", 0,
			"http_auth_spnego is on, but gss_program names no program; for example /usr/lib/squid/negotiate_kerberos_auth "
			"-s GSS_C_NO_NAME");
	int err = gx_http_helper_new(program, s->log, &s->web.helper);
	return err == 0 || services_fail(s, "http", err, "gss_program: expected a program with up to 31 arguments");
}

static bool open_auth(struct services *s)
{
	struct gx_http_auth_opts o = GX_HTTP_AUTH_OPTS_INIT;
	struct web *w = &s->web;
	if (!services_make_limit(s, "http_auth_times", &w->limit) || !open_negotiate(s))
		return false;
	w->check.dir = s->dir;
	o.log = s->log;
	o.basic = gx_conf_bool(s->conf, "http_auth_basic");
	o.check = gx_http_check_directory;
	o.check_ctx = &w->check;
	o.cache_seconds = (uint32_t)gx_conf_uint(s->conf, "http_basic_auth_cred_caching");
	o.limit = w->limit;
	o.jwt = w->jwt;
	o.negotiate = w->helper != NULL ? gx_http_helper_ops(w->helper) : NULL;
	if (!o.basic && o.jwt == NULL && o.negotiate == NULL)
		return services_fail(s, "http", 0,
			"nobody could log in: http_auth_basic and http_auth_spnego are off, and http_bearer_key_path is empty; set one of them");
	int err = gx_http_auth_new(&o, &w->auth);
	if (err == 0)
		gx_http_set_auth(w->http, w->auth);
	return err == 0 || services_fail(s, "http", err, NULL);
}

/* ---- Maps ---- */

static const char *map_path(struct services *s, const char *name)
{
	const char *dir = services_str(s, "http_map_path");
	if (*dir != '\0')
		return gx_arena_printf(s->arena, "%s/%s", dir, name);
	const char *own = gx_arena_printf(s->arena, "%s/http/%s", GX_CONFDIR, name);
	return own == NULL || access(own, F_OK) == 0 ? own : gx_arena_printf(s->arena, "%s/%s", GX_CONFDIR, name);
}

static int open_fastcgi(struct services *s, const char *path, const char **ret_why)
{
	struct gx_http_fastcgi_opts o = GX_HTTP_FASTCGI_OPTS_INIT;
	o.log = s->log;
	o.map_path = path;
	o.spool_dir = getenv("TMPDIR");
	o.exec_seconds = (uint32_t)gx_conf_uint(s->conf, "fastcgi_exec_timeout");
	o.flush_size = gx_conf_uint(s->conf, "http_rqbody_flush_size");
	o.body_max = gx_conf_uint(s->conf, "http_rqbody_max_size");
	return gx_http_fastcgi_new(&o, &s->web.fastcgi, s->arena, ret_why);
}

/* What no other path takes: a script, or a file. */
static void serve_rest(struct gx_http_req *r, void *ctx)
{
	struct services *s = ctx;
	if (!gx_http_fastcgi_serve(s->web.fastcgi, r) && !gx_http_files_serve(s->web.files, r))
		gx_http_reply_status(r, 404, NULL);
}

static bool open_maps(struct services *s)
{
	struct gx_http_route route = GX_HTTP_ROUTE_INIT;
	struct web *w = &s->web;
	const char *why = NULL, *rewrite = map_path(s, "rewrite.txt"), *cache = map_path(s, "cache.txt"), *scripts = map_path(s, "fastcgi.txt");
	int err = rewrite == NULL || cache == NULL || scripts == NULL ? GX_E_NOMEM : gx_http_rewrite_new(rewrite, &w->rewrite, s->arena, &why);
	if (err == 0)
		err = gx_http_files_new(cache, &w->files, s->arena, &why);
	if (err == 0)
		err = open_fastcgi(s, scripts, &why);
	if (err != 0)
		return services_fail(s, "http", err, why);
	gx_http_set_rewrite(w->http, gx_http_rewrite_path, w->rewrite);
	route.methods = GX_HTTP_ANY;
	route.path = "/";
	route.flags = GX_HTTP_PREFIX | GX_HTTP_REWRITE | GX_HTTP_STREAM_BODY;
	route.handle = serve_rest;
	route.ctx = s;
	err = gx_http_route(w->http, &route);
	return err == 0 || services_fail(s, "http", err, NULL);
}

/* ---- Outlook ---- */

static int open_address_book(struct services *s)
{
	struct gx_nsp_opts o = GX_NSP_OPTS_INIT;
	o.dir = s->dir;
	o.pool = s->pool;
	o.log = s->log;
	o.host = s->host;
	o.template_dir = GX_DATADIR "/abkt";
	gx_directives_nsp(s->conf, &o);
	return gx_nsp_new(&o, &s->web.nsp);
}

/* The address book needs the directory, and of stores what they tell other processes too: it is served here wherever those are. */
static bool open_mailboxes(struct services *s)
{
	int err = open_address_book(s);
	if (err != 0)
		return services_fail(s, "http", err, NULL);
	return services_istore_apart(s) ? services_relay_sessions(s) : services_have_sessions(s);
}

static bool open_offline_book(struct services *s)
{
	struct gx_oab_opts o = GX_OAB_OPTS_INIT;
	o.nsp = s->web.nsp;
	o.log = s->log;
	o.dir = gx_arena_printf(s->arena, "%s/oab", gx_conf_str(s->conf, "data_path"));
	o.cache_ms = (uint32_t)gx_conf_uint(s->conf, "cache_interval") * 1000;
	int err = o.dir == NULL ? GX_E_NOMEM : gx_oab_new(&o, s->web.http, &s->web.oab);
	return err == 0 || services_fail(s, "http", err, NULL);
}

static bool open_discovery(struct services *s)
{
	struct gx_disco_opts o = GX_DISCO_OPTS_INIT;
	const char *why = NULL;
	o.dir = s->dir;
	o.pool = s->pool;
	o.log = s->log;
	if (gx_directives_discover(s->conf, s->log, s->arena, &o) != 0)
		return false;
	int err = gx_disco_new(&o, s->web.http, &s->web.disco, s->arena, &why);
	return err == 0 || services_fail(s, "http", err, why);
}

bool services_open_web(struct services *s)
{
	return open_auth(s) && open_maps(s) && open_mailboxes(s) && open_offline_book(s) && open_discovery(s);
}

/* ---- Running ---- */

void services_tick_web(struct services *s)
{
	if (s->web.ems != NULL)
		atomic_store(&s->web.sessions, gx_ems_tick(s->web.ems));
}

/* Whoever takes the mail may be slow: nothing else waits for it. */
static void send_due(void *ctx)
{
	struct services *s = ctx;
	gx_ems_send_due(s->web.ems);
	atomic_store(&s->web.sending, false);
}

bool services_send_mail(struct services *s)
{
	bool mail = s->web.ems != NULL && gx_ems_has_mail(s->web.ems);
	if (mail && !atomic_exchange(&s->web.sending, true) && gx_net_run(s->net, send_due, s) != 0)
		atomic_store(&s->web.sending, false);
	return mail;
}

static void note(struct services *s, int err, const char **io_why)
{
	if (err != 0)
		gx_log(s->log, GX_LOG_ERROR, "http: stays as it was: %s", *io_why != NULL ? *io_why : gx_strerror(err));
	*io_why = NULL;
}

void services_reload_web(struct services *s, struct gx_arena *a)
{
	struct web *w = &s->web;
	const char *why = NULL;
	if (w->mh == NULL)
		return;
	if (w->rewrite == NULL) /* istore: it knows no users and no maps */
		return;
	gx_http_auth_forget(w->auth);
	gx_nsp_reload(w->nsp);
	if (w->jwt != NULL)
		note(s, gx_jwt_reload(w->jwt, a, &why), &why);
	note(s, gx_http_rewrite_reload(w->rewrite, a, &why), &why);
	note(s, gx_http_files_reload(w->files, a, &why), &why);
	note(s, gx_http_fastcgi_reload(w->fastcgi, a, &why), &why);
}

static void log_mailbox(const char *text, void *ctx)
{
	const struct services *s = ctx;
	gx_log(s->log, GX_LOG_NOTICE, "state: emsmdb %s", text);
}

static void log_book(const char *text, void *ctx)
{
	const struct services *s = ctx;
	gx_log(s->log, GX_LOG_NOTICE, "state: nsp %s", text);
}

void services_report_web(struct services *s)
{
	struct gx_http_stats st;
	struct gx_http_relay_stats rs;
	if (s->web.mh == NULL)
		return;
	gx_http_stats(s->web.http, &st);
	gx_log(s->log, GX_LOG_NOTICE, "state: http connections=%u requests=%u total=%llu", st.conns, st.requests, (unsigned long long)st.total);
	if (s->web.relay != NULL) {
		gx_http_relay_stats(s->web.relay, &rs);
		gx_log(s->log, GX_LOG_NOTICE, "state: handed on requests=%u idle=%u total=%llu connections=%llu", rs.busy, rs.idle,
		       (unsigned long long)rs.total, (unsigned long long)rs.dialled);
	}
	if (s->web.ems != NULL)
		gx_ems_dump(s->web.ems, log_mailbox, s);
	gx_mh_dump(s->web.mh, log_book, s);
}

void services_end_web(struct services *s)
{
	struct web *w = &s->web;
	gx_http_fastcgi_free(w->fastcgi);
	gx_http_relay_free(w->relay);
	gx_disco_boxes_free(w->boxes);
	gx_http_free(w->http);
	gx_http_auth_free(w->auth);
	gx_authlimit_free(w->limit);
	gx_jwt_free(w->jwt);
	gx_http_helper_free(w->helper);
	gx_http_files_free(w->files);
	gx_http_rewrite_free(w->rewrite);
	gx_disco_free(w->disco);
	gx_mh_free(w->mh);
	gx_oab_free(w->oab);
	gx_nsp_free(w->nsp);
	gx_ems_free(w->ems);
	gx_outgoing_free(w->outgoing);
	gx_tls_free(w->tls);
}
