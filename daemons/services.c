/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <malloc.h>
#include <signal.h>
#include <gx/exmdb-tls.h>
#include "daemons/services.h"

enum { TICK_MS = 5000 };

bool services_fail(const struct services *s, const char *what, int err, const char *why)
{
	gx_log(s->log, GX_LOG_CRIT, "%s%s%s", what, *what == '\0' ? "" : ": ", why != NULL && *why != '\0' ? why : gx_strerror(err));
	return false;
}

const char *services_str(const struct services *s, const char *key)
{
	return gx_conf_str(s->conf, key);
}

uint32_t services_ms(const struct services *s, const char *key)
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
	return ret == 0 || services_fail(s, "event loops", ret, NULL);
}

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
	return ret == 0 || services_fail(s, "event loops", ret, NULL);
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
	gx_mh_stop(s->web.mh);
	if (s->net != NULL)
		gx_net_stop(s->net, services_ms(s, "shutdown_timeout"));
	gx_delivery_free(s->delivery);
	gx_journal_close(s->journal);
	gx_net_free(s->net);
	services_end_web(s);
	gx_exmdb_server_free(s->exmdb);
	gx_exmdb_host_free(s->exmdb_host);
	gx_workers_free(s->workers, services_ms(s, "shutdown_timeout"));
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
