/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outlook's sessions live in the process that has the stores: in gromoxd or http itself, or in istore, to which these hand requests on;
 * istore again hands them on where it has a process for each store.
 */
#include <config.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "daemons/services.h"

/* ---- Mail that they send ---- */

/* gromoxd has the journal of what it delivers itself; with the daemons apart the agent brings such mail back. */
static int send_mail(const struct gx_ems_mail *m, void *ctx)
{
	struct services *s = ctx;
	return gx_outgoing_send(s->web.outgoing, s->journal, m->envelope, m->data, m->fates);
}

static const char *outbox_dir(struct services *s)
{
	const char *dir = services_str(s, "emsmdb_outbox_path"), *data = services_str(s, "data_path");
	if (*dir != '\0')
		return dir;
	if (mkdir(data, 0755) != 0 && errno != EEXIST) {
		gx_log(s->log, GX_LOG_CRIT, "cannot make the directory %s: %s; create it, or set data_path or emsmdb_outbox_path", data, strerror(errno));
		return NULL;
	}
	return gx_arena_printf(s->arena, "%s/outbox", data);
}

static bool open_outgoing(struct services *s, struct gx_ems_opts *o)
{
	struct gx_outgoing_opts out = GX_OUTGOING_OPTS_INIT;
	const char *why = NULL;
	out.log = s->log;
	out.dir = s->dir;
	out.url = services_str(s, "outgoing_smtp_url");
	out.host = s->host;
	out.delimiter = services_str(s, "lda_recipient_delimiter");
	out.starttls = gx_conf_bool(s->conf, "outgoing_smtp_starttls");
	out.ca_file = services_str(s, "outgoing_smtp_ca_file");
	out.password_file = services_str(s, "outgoing_smtp_password_file");
	o->submit = send_mail;
	o->submit_ctx = s;
	o->submit_dir = outbox_dir(s);
	if (o->submit_dir == NULL)
		return false;
	int err = gx_outgoing_new(&out, &s->web.outgoing, s->arena, &why);
	return err == 0 || services_fail(s, "sessions", err, why);
}

/* ---- Here ---- */

static bool make_endpoint(struct services *s, struct gx_mh_opts *m)
{
	m->log = s->log;
	m->server_version = gx_directives_server_version(s->conf, s->log);
	m->ems = s->web.ems;
	m->nsp = s->web.nsp;
	int err = m->server_version == NULL ? GX_E_INVAL : gx_mh_new(m, s->web.http, &s->web.mh);
	return err == 0 || services_fail(s, "sessions", err, NULL);
}

static bool have_sessions(struct services *s, struct gx_mh_opts *m)
{
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	o.pool = s->pool;
	o.dir = s->dir;
	o.log = s->log;
	o.only = s->d->worker.store;
	o.host = s->host;
	if (gx_directives_ems(s->conf, s->log, &o) != 0 || !open_outgoing(s, &o))
		return false;
	int err = gx_ems_new(&o, &s->web.ems);
	return err == 0 ? make_endpoint(s, m) : services_fail(s, "sessions", err, NULL);
}

/* ---- In istore, for those who know the users ---- */

static const char *socket_path(struct services *s)
{
	const char *path = services_str(s, "istore_http_listen");
	if (s->d->worker.store != NULL)
		return gx_arena_printf(s->arena, "%s" GX_WORKERS_HTTP, s->d->worker.socket);
	return *path != '\0' ? path : gx_arena_printf(s->arena, "%s/istore-http.sock", services_str(s, "data_path"));
}

bool services_listen_sessions(struct services *s)
{
	struct gx_http_opts o = GX_HTTP_OPTS_INIT;
	const char *why = NULL;
	struct service v = {
		.name = "sessions",
		.busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 10\r\n\r\n",
	};
	if (!services_istore_apart(s))
		return true;
	o.log = s->log;
	o.remote_host_hdr = GX_HTTP_RELAY_PEER;
	s->web.uids = services_user_ids(s, "exmdb_users_allow", &s->web.nuids);
	s->web.at = socket_path(s);
	if (s->web.uids == NULL || s->web.at == NULL)
		return false;
	if (*s->web.at != '/') {
		gx_log(s->log, GX_LOG_CRIT, "%s: istore_http_listen = %s: expected the path of a Unix socket; who connects is known by his user there",
		       gx_conf_origin(s->conf, "istore_http_listen"), s->web.at);
		return false;
	}
	int err = gx_http_new(&o, &s->web.http, s->arena, &why);
	if (err != 0)
		return services_fail(s, "sessions", err, why);
	v.factory = gx_http_factory(s->web.http);
	return services_listen_at(s, &v, "istore_http_listen", s->web.at, NULL, false);
}

/* ---- Somewhere else ---- */

static int at_istore(struct gx_http_req *r, const char **ret_addr, void *ctx)
{
	const struct services *s = ctx;
	*ret_addr = s->web.at;
	return 0;
}

static void absent(struct gx_http_req *r, int err, void *ctx)
{
	const struct services *s = ctx;
	gx_mh_absent(s->web.mh, r, err);
}

static bool cut(struct gx_http_req *r, struct gx_bin last, void *ctx)
{
	const struct services *s = ctx;
	return gx_mh_cut(s->web.mh, r, last);
}

static bool hand_on(struct gx_http_req *r, void *ctx)
{
	const struct services *s = ctx;
	gx_http_relay_serve(s->web.relay, r);
	return true;
}

/* The mailbox that the URL names, as autodiscover gives it out, else the user's own. */
static int box_of(const struct services *s, struct gx_http_req *r, struct gx_disco_box *ret_box)
{
	return gx_disco_box(s->web.boxes, gx_http_query(r, "MailboxId"), r->user, r->arena, ret_box);
}

/* Whoever begins a session with a mailbox of another host is sent to the front there, [MS-OXCMAPIHTTP] 2.2.2.2. */
static bool send_away(struct gx_http_req *r, void *ctx)
{
	const struct services *s = ctx;
	const char *type = gx_http_header(r, "X-RequestType"), *host;
	struct gx_disco_box box;
	struct gx_server there;
	if (type == NULL || strcmp(type, "Connect") != 0 || box_of(s, r, &box) != 0 || gx_dir_server_of(s->dir, box.homeserver, r->arena, &host) != 0 ||
	    strcmp(host, "local") == 0 || gx_dir_server(s->dir, box.homeserver, r->arena, &there) != 0)
		return false;
	const char *url = gx_arena_printf(r->arena, "https://%s%s", *there.extname != '\0' ? there.extname : there.hostname,
		*r->target == '/' ? r->target : "/mapi/emsmdb/");
	if (url == NULL || gx_http_set(r, "Location", url) != 0)
		return false;
	gx_http_reply_status(r, 302, NULL);
	return true;
}

static bool send_away_or_hand_on(struct gx_http_req *r, void *ctx)
{
	return send_away(r, ctx) || hand_on(r, ctx);
}

static bool know_boxes(struct services *s)
{
	int err = gx_disco_boxes_new(s->dir, 0, &s->web.boxes);
	return err == 0 || services_fail(s, "sessions", err, NULL);
}

bool services_have_sessions(struct services *s)
{
	struct gx_mh_opts m = GX_MH_OPTS_INIT;
	m.hand_on = send_away;
	m.hand_on_ctx = s;
	return know_boxes(s) && have_sessions(s, &m);
}

static bool make_relay(struct services *s, int (*locate)(struct gx_http_req *r, const char **ret_addr, void *ctx))
{
	struct gx_http_relay_opts o = GX_HTTP_RELAY_OPTS_INIT;
	o.log = s->log;
	o.net = s->net;
	o.locate = locate;
	o.absent = absent;
	o.cut = cut;
	o.ctx = s;
	o.answer_ms = (uint32_t)(gx_conf_uint(s->conf, "istore_http_timeout") * 1000);
	int err = gx_http_relay_new(&o, &s->web.relay);
	return err == 0 || services_fail(s, "sessions", err, NULL);
}

bool services_relay_sessions(struct services *s)
{
	struct gx_mh_opts m = GX_MH_OPTS_INIT;
	m.hand_on = send_away_or_hand_on;
	m.hand_on_ctx = s;
	s->web.at = socket_path(s);
	if (s->web.at == NULL)
		return services_fail(s, "sessions", GX_E_NOMEM, NULL);
	return know_boxes(s) && make_relay(s, at_istore) && make_endpoint(s, &m);
}

/* ---- A process for each store ---- */

/* A session lives in the process that has the mailbox. */
static int store_of(const struct services *s, struct gx_http_req *r, const char **ret_dir)
{
	struct gx_disco_box box = {0};
	int err = box_of(s, r, &box);
	*ret_dir = box.dir;
	return err == GX_E_NOTFOUND ? GX_E_INVAL : err;
}

static int at_worker(struct gx_http_req *r, const char **ret_addr, void *ctx)
{
	const struct services *s = ctx;
	const char *dir, *socket;
	int err = store_of(s, r, &dir);
	if (err == 0)
		err = gx_workers_locate(dir, r->arena, &socket, s->workers);
	if (err == 0)
		*ret_addr = gx_arena_printf(r->arena, "%s" GX_WORKERS_HTTP, socket);
	return err == 0 && *ret_addr == NULL ? GX_E_NOMEM : err;
}

static bool hand_on_to_worker(struct gx_http_req *r, void *ctx)
{
	const struct services *s = ctx;
	const char *dir;
	if (s->workers_only != NULL && (store_of(s, r, &dir) != 0 || strcmp(dir, s->workers_only) != 0))
		return false;
	return hand_on(r, ctx);
}

static bool open_director(struct services *s)
{
	struct gx_mh_opts m = GX_MH_OPTS_INIT;
	m.hand_on = hand_on_to_worker;
	m.hand_on_ctx = s;
	if (!know_boxes(s) || !make_relay(s, at_worker))
		return false;
	s->web.outbox = outbox_dir(s);
	if (s->web.outbox == NULL)
		return false;
	return s->workers_only != NULL ? have_sessions(s, &m) : make_endpoint(s, &m);
}

static void start_worker(const char *store, void *ctx)
{
	struct services *s = ctx;
	const char *socket;
	struct gx_arena *a = gx_arena_new(0);
	if (a != NULL && (s->workers_only == NULL || strcmp(store, s->workers_only) == 0))
		(void)!gx_workers_locate(store, a, &socket, s->workers);
	gx_arena_free(a);
}

void services_tick_sessions(struct services *s)
{
	if (s->web.outbox != NULL)
		gx_ems_list_waiting(s->web.outbox, start_worker, s);
}

bool services_open_sessions(struct services *s)
{
	struct gx_http_auth_opts o = GX_HTTP_AUTH_OPTS_INIT;
	struct gx_mh_opts m = GX_MH_OPTS_INIT;
	if (s->web.http == NULL)
		return true;
	o.log = s->log;
	o.fronts_only = true;
	o.front_uids = s->web.uids;
	o.front_count = s->web.nuids;
	int err = gx_http_auth_new(&o, &s->web.auth);
	if (err != 0)
		return services_fail(s, "sessions", err, NULL);
	gx_http_set_auth(s->web.http, s->web.auth);
	return s->workers != NULL ? open_director(s) : have_sessions(s, &m);
}
