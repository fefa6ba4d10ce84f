/* SPDX-License-Identifier: Apache-2.0 */
/* Directory, stores, and the mail that goes into them. */
#include <config.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <gx/bodyconv.h>
#include "daemons/services.h"

/* Is this program on this host the one that upgrades the directory by itself? */
static bool may_upgrade(const struct services *s)
{
	const char *who = services_str(s, "schema_upgrade");
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
	return ret == 0 || services_fail(s, "login limits", ret, NULL);
}

bool services_open_directory(struct services *s)
{
	const char *why = NULL;
	int ret = open_directory(s, &why);
	if (ret != 0)
		return services_fail(s, "", ret, why);
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
	const char *path = services_str(s, "exmdb_ics_log_file");
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
	o.store.people = gx_dir_people_of;
	o.store.people_ctx = s->dir;
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
	return s->pool != NULL || services_fail(s, "stores", GX_E_NOMEM, NULL);
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
	const char *dir = services_str(s, "lda_journal_path");
	if (*dir != '\0')
		return dir;
	/* Only the last element is made: a missing parent is more likely a wrong path. */
	const char *queue = services_str(s, "dequeue_path");
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
	return ret == 0 || services_fail(s, "", ret, why);
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
	o.recipient_delimiter = services_str(s, "lda_recipient_delimiter");
	o.host_id = s->host;
	o.hold.max_bytes = gx_conf_uint(s->conf, "lda_hold_max");
	o.hold.max_messages = gx_conf_uint(s->conf, "lda_hold_max_messages");
	o.hold.min_free = gx_conf_uint(s->conf, "lda_hold_min_free");
	int ret = gx_delivery_new(&o, &s->delivery, s->arena, &why);
	return ret == 0 || services_fail(s, "", ret, why);
}
