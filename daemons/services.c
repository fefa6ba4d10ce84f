/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/bodyconv.h>
#include <gx/exmdb-tls.h>
#include "daemons/services.h"

enum { TICK_MS = 5000 };

static bool fail(struct services *s, const char *what, int err, const char *why)
{
	gx_log(s->log, GX_LOG_CRIT, "%s%s%s", what, *what == '\0' ? "" : ": ", why != NULL && *why != '\0' ? why : gx_strerror(err));
	return false;
}

static const char *str(const struct services *s, const char *key)
{
	return gx_conf_str(s->conf, key);
}

static uint32_t milliseconds(const struct services *s, const char *key)
{
	uint64_t sec = gx_conf_uint(s->conf, key);
	return sec > UINT32_MAX / 1000 ? UINT32_MAX : (uint32_t)(sec * 1000);
}

bool services_begin(struct services *s, struct daemon *d)
{
	*s = (struct services){.d = d, .conf = d->conf, .arena = d->arena, .log = &d->log};
	atomic_init(&s->stores_open, 1);
	s->host = gx_directives_host(s->conf, s->arena);
	struct gx_net_opts o = GX_NET_OPTS_INIT;
	o.log = s->log;
	o.loops = (unsigned)gx_conf_uint(s->conf, "event_loops");
	o.workers = (unsigned)gx_conf_uint(s->conf, "worker_threads_max");
	int ret = gx_net_new(&o, &s->net);
	return ret == 0 || fail(s, "event loops", ret, NULL);
}

/* ---- Listeners ---- */

bool services_open_tls(struct services *s, const struct service *v, struct gx_tls **ret_tls)
{
	struct gx_tls_opts o = GX_TLS_OPTS_INIT;
	const char *why = NULL;
	bool own = *str(s, v->cert) != '\0';
	o.cert_path = str(s, own ? v->cert : "tls_certificate_path");
	o.key_path = str(s, own ? v->key : "tls_private_key_path");
	o.key_password = str(s, own ? v->passwd : "tls_certificate_passwd");
	if (*o.key_password == '\0')
		o.key_password = NULL;
	o.min_proto = str(s, "tls_min_proto");
	o.client_ca_path = v->client_ca;
	if (*o.cert_path == '\0' && !v->tls_wanted)
		return true;
	if (*o.cert_path == '\0' || *o.key_path == '\0') {
		gx_log(s->log, GX_LOG_CRIT, "TLS for %s needs a certificate: set %s and %s, or tls_certificate_path and tls_private_key_path",
		       v->name, v->cert, v->key);
		return false;
	}
	int ret = gx_tls_new(&o, ret_tls, s->arena, &why);
	return ret == 0 || fail(s, v->name, ret, why);
}

bool services_listen_at(struct services *s, const struct service *v, const char *directive, const char *addrs, struct gx_tls *tls, bool implicit)
{
	const char *const *w = gx_conf_words(s->arena, addrs);
	struct gx_listen_opts o = GX_LISTEN_OPTS_INIT;
	o.factory = v->factory;
	o.tls = tls;
	o.implicit_tls = implicit;
	o.haproxy = v->haproxy != NULL && gx_conf_uint(s->conf, v->haproxy) == 2;
	o.max_conns = (unsigned)gx_conf_uint(s->conf, "context_num");
	o.write_stall_ms = v->stall_ms;
	o.busy_text = v->busy;
	for (; w != NULL && *w != NULL; ++w) {
		const char *why = NULL;
		uint16_t port = 0;
		o.addr = *w;
		/* programs of this host are not told apart */
		o.max_conns_per_ip = **w == '/' ? 0 : (unsigned)gx_conf_uint(s->conf, "conns_per_host");
		int ret = gx_net_listen(s->net, &o, &port, s->arena, &why);
		if (ret != 0) {
			gx_log(s->log, GX_LOG_CRIT, "%s (directive %s, %s)", why != NULL ? why : gx_strerror(ret), directive,
			       gx_conf_origin(s->conf, directive));
			return false;
		}
		daemon_announce(s->d, v->name, *w, port);
	}
	return w != NULL;
}

bool services_listen_on(struct services *s, const struct service *v, const char *directive, struct gx_tls *tls, bool implicit)
{
	return services_listen_at(s, v, directive, str(s, directive), tls, implicit);
}

static bool check_haproxy(struct services *s, const char *directive)
{
	if (gx_conf_uint(s->conf, directive) != 1)
		return true;
	gx_log(s->log, GX_LOG_CRIT, "%s: %s = 1: only version 2 of the PROXY protocol is understood; use 2, or 0 for none",
	       gx_conf_origin(s->conf, directive), directive);
	return false;
}

bool services_listen_imap(struct services *s)
{
	struct service v = {
		.name = "imap", .listen = "imap_listen", .listen_tls = "imap_listen_tls", .haproxy = "imap_accept_haproxy",
		.cert = "imap_certificate_path", .key = "imap_private_key_path", .passwd = "imap_certificate_passwd",
		.busy = "* BYE too many connections, try later\r\n", .stall_ms = milliseconds(s, "imap_conn_timeout"),
		.tls_wanted = gx_conf_bool(s->conf, "imap_support_tls"),
	};
	struct gx_imap_server *i = &s->imap;
	*i = (struct gx_imap_server)GX_IMAP_SERVER_INIT;
	i->hostname = s->host;
	i->offer_starttls = v.tls_wanted;
	i->require_tls = gx_conf_bool(s->conf, "imap_force_tls");
	i->enable_id = gx_conf_bool(s->conf, "enable_rfc2971_commands");
	i->rfc9051 = gx_conf_bool(s->conf, "imap_rfc9051");
	i->cmd_debug = (int)gx_conf_uint(s->conf, "imap_cmd_debug");
	i->conn_timeout_ms = milliseconds(s, "imap_conn_timeout");
	i->autologout_ms = milliseconds(s, "imap_autologout_time");
	i->max_auth_tries = (uint32_t)gx_conf_uint(s->conf, "imap_auth_times");
	i->max_literal = gx_conf_uint(s->conf, "mail_max_length");
	gx_imap_factory(&v.factory, i);
	if (i->require_tls && !v.tls_wanted) {
		gx_log(s->log, GX_LOG_CRIT, "imap_force_tls is on, but imap_support_tls is off: nobody could log in; set imap_support_tls = yes");
		return false;
	}
	if (!check_haproxy(s, v.haproxy))
		return false;
	if (v.tls_wanted && !services_open_tls(s, &v, &s->imap_tls))
		return false;
	return services_listen_on(s, &v, v.listen, s->imap_tls, false) && (!v.tls_wanted || services_listen_on(s, &v, v.listen_tls, s->imap_tls, true));
}

static bool set_protocol(struct services *s)
{
	const char *p = str(s, "command_protocol");
	s->smtp.lmtp = strcmp(p, "lmtp") == 0 || strcmp(p, "both") == 0;
	s->smtp.smtp = strcmp(p, "smtp") == 0 || strcmp(p, "both") == 0;
	if (s->smtp.lmtp || s->smtp.smtp)
		return true;
	gx_log(s->log, GX_LOG_CRIT, "%s: command_protocol = %s: expected lmtp, smtp or both", gx_conf_origin(s->conf, "command_protocol"), p);
	return false;
}

bool services_listen_smtp(struct services *s)
{
	struct service v = {
		.name = "lmtp", .listen = "lda_listen", .listen_tls = "lda_listen_tls", .haproxy = "lda_support_haproxy",
		.cert = "smtp_certificate_path", .key = "smtp_private_key_path", .passwd = "smtp_certificate_passwd",
		.busy = "421 4.3.2 Too many connections, try later\r\n", .stall_ms = milliseconds(s, "smtp_conn_timeout"),
	};
	struct gx_smtp_server *m = &s->smtp;
	*m = (struct gx_smtp_server)GX_SMTP_SERVER_INIT;
	m->hostname = s->host;
	m->offer_starttls = gx_conf_bool(s->conf, "smtp_support_starttls");
	m->require_tls = gx_conf_bool(s->conf, "smtp_force_starttls");
	m->offer_pipelining = gx_conf_bool(s->conf, "smtp_support_pipeline");
	m->max_message = gx_conf_uint(s->conf, "mail_max_length");
	m->max_rcpts = (uint32_t)gx_conf_uint(s->conf, "smtp_max_recipients");
	m->timeout_ms = milliseconds(s, "smtp_conn_timeout");
	m->recipient_delimiter = str(s, "lda_recipient_delimiter");
	gx_smtp_factory(&v.factory, m);
	/* Port 465 is a default that needs no certificate until somebody asks for it. */
	bool implicit = gx_conf_is_set(s->conf, "lda_listen_tls") && *str(s, "lda_listen_tls") != '\0';
	v.tls_wanted = m->offer_starttls || m->require_tls || implicit;
	if (!set_protocol(s) || !check_haproxy(s, v.haproxy) || !services_open_tls(s, &v, &s->smtp_tls))
		return false;
	return services_listen_on(s, &v, v.listen, s->smtp_tls, false) && (s->smtp_tls == NULL || services_listen_on(s, &v, v.listen_tls, s->smtp_tls, true));
}

/* ---- Stores for others ---- */

bool services_istore_apart(const struct services *s)
{
	return (gx_conf_uint(s->conf, "istore_standalone") & 1) != 0;
}

bool services_may_have_stores(struct services *s)
{
	if (gx_conf_uint(s->conf, "istore_standalone") != 2)
		return true;
	gx_log(s->log, GX_LOG_CRIT, "%s: istore_standalone = 2: %s has its stores itself; for a process for each store run istore and set 3 (see istore(8))",
	       gx_conf_origin(s->conf, "istore_standalone"), s->d->spec->program);
	return false;
}

const uint32_t *services_user_ids(struct services *s, const char *directive, size_t *ret_n)
{
	const char *const *w = gx_conf_words(s->arena, str(s, directive));
	size_t n = 0;
	while (w != NULL && w[n] != NULL)
		++n;
	uint32_t *v = w == NULL ? NULL : gx_arena_new_array(s->arena, uint32_t, n);
	for (size_t i = 0; v != NULL && i < n; ++i) {
		const struct passwd *pw = getpwnam(w[i]);
		if (pw == NULL) {
			gx_log(s->log, GX_LOG_CRIT, "%s: %s: this system has no user %s", gx_conf_origin(s->conf, directive), directive, w[i]);
			return NULL;
		}
		v[i] = pw->pw_uid;
	}
	*ret_n = n;
	return v;
}

/* NULL for an empty list. */
static const char *const *words_or_null(struct services *s, const char *directive)
{
	const char *text = str(s, directive);
	return *text == '\0' ? NULL : gx_conf_words(s->arena, text);
}

static bool make_exmdb_server(struct services *s)
{
	struct gx_exmdb_server_opts o = GX_EXMDB_SERVER_OPTS_INIT;
	o.hosts_allow = gx_conf_words(s->arena, str(s, "exmdb_hosts_allow"));
	o.certs_allow = words_or_null(s, "exmdb_certs_allow");
	o.uids_allow = services_user_ids(s, "exmdb_users_allow", &o.uid_count);
	o.max_data = (unsigned)gx_conf_uint(s->conf, "max_rpc_stub_threads");
	o.max_events = (unsigned)gx_conf_uint(s->conf, "max_router_connections");
	o.max_request = (uint32_t)gx_conf_uint(s->conf, "exmdb_request_max");
	o.debug = (int)gx_conf_uint(s->conf, "exrpc_debug");
	if (o.uids_allow == NULL)
		return false;
	int ret = gx_exmdb_server_new(&o, &s->exmdb);
	return ret == 0 || fail(s, "exmdb", ret, NULL);
}

bool services_listen_exmdb(struct services *s)
{
	struct service v = {
		.name = "exmdb", .listen_tls = "exmdb_listen_tls", .cert = "exmdb_certificate_path", .key = "exmdb_private_key_path",
		.passwd = "exmdb_certificate_passwd", .stall_ms = 60000, .tls_wanted = *str(s, "exmdb_listen_tls") != '\0',
	};
	const char *addr, *directive;
	if (s->d->worker.store != NULL) {
		v.tls_wanted = false;
		directive = "--socket";
		addr = s->d->worker.socket;
	} else {
		addr = gx_directives_exmdb(s->conf, s->arena, &directive);
	}
	if (addr == NULL)
		return fail(s, "exmdb", GX_E_NOMEM, NULL);
	v.client_ca = str(s, "exmdb_client_ca_path");
	if (v.tls_wanted && *v.client_ca == '\0') {
		gx_log(s->log, GX_LOG_CRIT, "exmdb_listen_tls is set, but exmdb_client_ca_path is not: anybody could connect; name the file with "
		       "the authorities of your clients' certificates");
		return false;
	}
	if (!make_exmdb_server(s))
		return false;
	gx_exmdb_server_factory(&v.factory, s->exmdb);
	if (v.tls_wanted && !services_open_tls(s, &v, &s->exmdb_tls))
		return false;
	return services_listen_at(s, &v, directive, addr, NULL, false) &&
	       (!v.tls_wanted || services_listen_on(s, &v, v.listen_tls, s->exmdb_tls, true));
}

bool services_open_exmdb(struct services *s)
{
	struct gx_exmdb_host_opts o = GX_EXMDB_HOST_OPTS_INIT;
	if (s->exmdb == NULL)
		return true;
	o.pool = s->pool;
	o.dir = s->dir;
	o.log = s->log;
	const char *const own[] = {s->d->worker.store, NULL};
	o.prefixes = own[0] != NULL ? own : words_or_null(s, "exmdb_store_path");
	o.relay = s->workers != NULL ? services_relay : NULL;
	o.relay_ctx = s;
	o.relay_only = s->workers_only;
	o.org_name = str(s, "x500_org_name");
	o.describe = gx_exmdb_describe;
	int ret = gx_exmdb_host_new(&o, &s->exmdb_host);
	if (ret != 0)
		return fail(s, "exmdb", ret, NULL);
	gx_exmdb_server_set_host(s->exmdb, s->exmdb_host);
	return true;
}

/* ---- Data ---- */

/* Is this program on this host the one that upgrades the directory by itself? */
static bool may_upgrade(const struct services *s)
{
	const char *who = str(s, "schema_upgrade");
	if ((s->d->spec->groups & 1u << GX_DIRECTIVES_GROMOXD) == 0)
		return false;
	return *who == '\0' || (strncmp(who, "host:", 5) == 0 && strcasecmp(who + 5, s->host) == 0);
}

static int open_directory(struct services *s, const char **ret_why)
{
	struct gx_dir_opts o;
	unsigned from, to;
	int ret = gx_directives_directory(s->conf, s->log, s->arena, &o);
	if (ret == 0)
		ret = gx_dir_open(&o, &s->dir, s->arena, ret_why);
	if (ret != GX_E_STATE || !may_upgrade(s))
		return ret;
	ret = gx_dir_upgrade_tables(&o, s->arena, &from, &to, ret_why);
	if (ret != 0)
		return ret;
	gx_log(s->log, GX_LOG_NOTICE, "%s: upgraded from schema version %u to %u", gx_dir_opts_name(&o, s->arena), from, to);
	return gx_dir_open(&o, &s->dir, s->arena, ret_why);
}

bool services_make_limit(struct services *s, const char *times, struct gx_authlimit **ret_limit)
{
	struct gx_authlimit_opts l = GX_AUTHLIMIT_OPTS_INIT;
	l.max_bans = (uint32_t)gx_conf_uint(s->conf, "userfilter_maxbans");
	l.ban_after = (uint32_t)gx_conf_uint(s->conf, times);
	l.ban_seconds = (uint32_t)gx_conf_uint(s->conf, "block_interval_auths");
	l.max_users = (uint32_t)gx_conf_uint(s->conf, "userfilter_maxusers");
	l.rate_tries = (uint32_t)gx_conf_uint(s->conf, "userfilter_rl_maxtries");
	l.rate_seconds = (uint32_t)gx_conf_uint(s->conf, "userfilter_rl_window");
	l.icase = gx_conf_bool(s->conf, "userfilter_icase");
	int ret = gx_authlimit_new(&l, ret_limit);
	return ret == 0 || fail(s, "login limits", ret, NULL);
}

bool services_open_directory(struct services *s)
{
	const char *why = NULL;
	int ret = open_directory(s, &why);
	if (ret != 0)
		return fail(s, "", ret, why);
	if (!services_make_limit(s, "imap_auth_times", &s->limit))
		return false;
	s->imap.authlimit = s->limit;
	s->imap.dir = s->dir;
	s->smtp.dir = s->dir;
	return true;
}

static bool set_up_content(struct services *s)
{
	int level;
	if (gx_directives_compression(s->conf, s->log, &level) != 0)
		return false;
	gx_store_set_compression(level);
	return true;
}

static bool open_ics_log(struct services *s, struct gx_store_opts *o)
{
	const char *path = str(s, "exmdb_ics_log_file");
	if (*path == '\0')
		return true;
	s->ics_log.level = GX_LOG_NOTICE;
	o->ics_log = &s->ics_log;
	return logsink_open_ics(path, s->log, &s->ics_log);
}

bool services_make_pool(struct services *s, bool (*elsewhere)(const char *dir, void *ctx))
{
	struct gx_store_pool_opts o = {.size = sizeof(o), .store = GX_STORE_OPTS_INIT};
	o.store.log = s->log;
	o.store.render = gx_mail_render;
	o.store.render_ctx = s->dir;
	o.store.convert = gx_bodyconv;
	o.store.owner_program = s->d->spec->program;
	o.max_open = (unsigned)gx_conf_uint(s->conf, "table_size");
	o.idle_seconds = (unsigned)gx_conf_uint(s->conf, "cache_interval");
	o.owner = s->owner;
	o.elsewhere = elsewhere;
	o.elsewhere_ctx = s;
	gx_directives_store(s->conf, &o.store);
	if (!set_up_content(s) || !open_ics_log(s, &o.store))
		return false;
	s->pool = gx_store_pool_new(&o);
	s->imap.pool = s->pool;
	s->smtp.pool = s->pool;
	return s->pool != NULL || fail(s, "stores", GX_E_NOMEM, NULL);
}

/* A process for one store has been asked for that one, and a store server for those that it has. */
bool services_open_stores(struct services *s)
{
	if (s->d->worker.store != NULL)
		return services_open_one_store(s);
	bool mail = (s->d->spec->groups & 1u << GX_DIRECTIVES_HTTP) != 0; /* gromoxd too */
	return (!mail || services_make_owner(s)) && services_make_pool(s, mail ? services_is_elsewhere : NULL);
}

static const char *journal_dir(struct services *s)
{
	const char *dir = str(s, "lda_journal_path");
	if (*dir != '\0')
		return dir;
	/* Only the last element is made: a missing parent is more likely a wrong path. */
	const char *queue = str(s, "dequeue_path");
	if (mkdir(queue, 0750) != 0 && errno != EEXIST) {
		gx_log(s->log, GX_LOG_CRIT, "cannot make the queue directory %s: %s; create it or set dequeue_path", queue, strerror(errno));
		return NULL;
	}
	return gx_arena_printf(s->arena, "%s/journal", queue);
}

bool services_open_journal(struct services *s, bool external)
{
	struct gx_journal_opts o = GX_JOURNAL_OPTS_INIT;
	const char *why = NULL;
	o.dir = journal_dir(s);
	if (o.dir == NULL)
		return false;
	o.log = s->log;
	o.max_bytes = gx_conf_uint(s->conf, "lda_journal_max");
	o.max_inflight = gx_conf_uint(s->conf, "dequeue_max_mem");
	o.external = external;
	int ret = gx_journal_open(&o, &s->journal, s->arena, &why);
	s->smtp.journal = s->journal;
	return ret == 0 || fail(s, "", ret, why);
}

bool services_start_delivery(struct services *s)
{
	struct gx_delivery_opts o = GX_DELIVERY_OPTS_INIT;
	const char *why = NULL;
	o.journal = s->journal;
	if (s->journal == NULL && (o.journal_dir = journal_dir(s)) == NULL)
		return false;
	o.dir = s->dir;
	o.pool = s->pool;
	o.log = s->log;
	o.threads = (unsigned)gx_conf_uint(s->conf, "work_threads_max");
	o.recipient_delimiter = str(s, "lda_recipient_delimiter");
	o.host_id = s->host;
	o.hold.max_bytes = gx_conf_uint(s->conf, "lda_hold_max");
	o.hold.max_messages = gx_conf_uint(s->conf, "lda_hold_max_messages");
	o.hold.min_free = gx_conf_uint(s->conf, "lda_hold_min_free");
	int ret = gx_delivery_new(&o, &s->delivery, s->arena, &why);
	return ret == 0 || fail(s, "", ret, why);
}

/* ---- Running ---- */

static void keep_stores(void *ctx)
{
	struct services *s = ctx;
	/* flags and subscriptions, whose answers did not wait for the disk */
	int ret = s->delivery != NULL ? gx_delivery_sync_stores(s->delivery) : gx_store_pool_sync(s->pool);
	if (ret != 0)
		gx_log(s->log, GX_LOG_ERROR, "stores cannot be flushed: %s; trying again", gx_strerror(ret));
	if (s->exmdb_host != NULL)
		gx_exmdb_host_tick(s->exmdb_host);
	services_tick_workers(s);
	services_tick_web(s);
	unsigned open = gx_store_pool_tick(s->pool);
	if (atomic_exchange(&s->stores_open, open) > 0 && open == 0)
		malloc_trim(0);
	atomic_store(&s->ticking, false);
}

static bool tick(void *ctx)
{
	struct services *s = ctx;
	if (!atomic_exchange(&s->ticking, true) && gx_net_run(s->net, keep_stores, s) != 0)
		atomic_store(&s->ticking, false);
	bool mail = services_send_mail(s);
	return mail || s->tick_always || atomic_load(&s->stores_open) > 0 || atomic_load(&s->web.sessions) > 0;
}

bool services_start(struct services *s)
{
	int ret = s->pool == NULL ? 0 : gx_net_timer(s->net, TICK_MS, tick, s);
	if (ret == 0)
		ret = gx_net_start(s->net);
	return ret == 0 || fail(s, "event loops", ret, NULL);
}

static void reload_owner_tls(struct services *s, struct gx_arena *a)
{
	const char *why = NULL;
	int ret = s->owner_tls == NULL ? 0 : gx_exmdb_tls_reload(s->owner_tls, a, &why);
	if (ret != 0)
		gx_log(s->log, GX_LOG_ERROR, "exmdb_client_tls: certificates stay as they were: %s", why != NULL ? why : gx_strerror(ret));
}

static void reload(struct services *s)
{
	struct gx_tls *all[] = {s->imap_tls, s->smtp_tls, s->exmdb_tls, s->web.tls};
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return;
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); ++i) {
		const char *why = NULL;
		int ret = all[i] == NULL ? 0 : gx_tls_reload(all[i], a, &why);
		if (ret != 0)
			gx_log(s->log, GX_LOG_ERROR, "certificates stay as they were: %s", why != NULL ? why : gx_strerror(ret));
	}
	reload_owner_tls(s, a);
	services_reload_web(s, a);
	gx_arena_free(a);
	if (s->workers != NULL)
		gx_workers_signal(s->workers, SIGHUP);
	gx_log(s->log, GX_LOG_NOTICE, s->web.rewrite != NULL ? "certificates, maps and log file reloaded; other directives take effect at the next "
	       "start" : "certificates and log file reloaded; other directives take effect at the next start");
}

static void report(struct services *s)
{
	if (s->workers != NULL)
		gx_log(s->log, GX_LOG_NOTICE, "state: processes of stores=%u", gx_workers_tick(s->workers));
	struct gx_net_stats st;
	gx_net_stats(s->net, &st);
	gx_log(s->log, GX_LOG_NOTICE, "state: connections=%u accepted=%llu refused=%llu workers=%u busy=%u queued=%u stores=%u",
	       st.conns, (unsigned long long)st.accepted, (unsigned long long)st.refused, st.workers, st.workers_busy, st.queued,
	       s->pool == NULL ? 0 : atomic_load(&s->stores_open));
	services_report_web(s);
}

static void serve(struct services *s)
{
	daemon_ready(s->d);
	for (;;) {
		switch (daemon_wait(s->d)) {
		case ORDER_STOP:
			return;
		case ORDER_RELOAD:
			reload(s);
			break;
		case ORDER_STATS:
			report(s);
			break;
		}
	}
}

static void end(struct services *s)
{
	if (s->net != NULL)
		gx_net_stop(s->net, milliseconds(s, "shutdown_timeout"));
	gx_delivery_free(s->delivery);
	gx_journal_close(s->journal);
	gx_net_free(s->net);
	services_end_web(s);
	gx_exmdb_server_free(s->exmdb);
	gx_exmdb_host_free(s->exmdb_host);
	gx_workers_free(s->workers, milliseconds(s, "shutdown_timeout"));
	gx_store_pool_free(s->pool);
	gx_exmdb_free(s->owner);
	gx_exmdb_tls_free(s->owner_tls);
	gx_authlimit_free(s->limit);
	gx_dir_close(s->dir);
	gx_tls_free(s->imap_tls);
	gx_tls_free(s->smtp_tls);
	gx_tls_free(s->exmdb_tls);
}

int services_main(const struct daemon_spec *spec, bool (*start)(struct services *s, struct daemon *d), int argc, char **argv)
{
	struct daemon d;
	struct services s = {0};
	int code = daemon_begin(&d, spec, argc, argv);
	if (code != EXIT_STARTED)
		return code;
	code = start(&s, &d) ? EXIT_OK : EXIT_FAILED;
	if (code == EXIT_OK)
		serve(&s);
	end(&s);
	daemon_end(&d);
	return code;
}
