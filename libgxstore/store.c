/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/rules.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/fts-int.h"
#include "libgxstore/search/search-int.h"
#include "libgxstore/table/table-int.h"

void gx_store__why(struct gx_arena *a, const char **ret_why, const char *fmt, ...)
{
	if (a == NULL || ret_why == NULL)
		return;
	va_list ap;
	va_start(ap, fmt);
	const char *s = gx_arena_vprintf(a, fmt, ap);
	va_end(ap);
	*ret_why = s == NULL ? "out of memory" : s;
}

int64_t gx_store__now_unix(const struct gx_store *s)
{
	return gx_clock_unix(s->clock);
}

gx_nttime_t gx_store__now(const struct gx_store *s)
{
	return gx_clock_nttime(s->clock);
}

static char *join(const char *dir, const char *rest)
{
	size_t n = strlen(dir) + strlen(rest) + 2;
	char *p = malloc(n);
	if (p != NULL)
		snprintf(p, n, "%s/%s", dir, rest);
	return p;
}

/* What only the log has for certain must not be moved when the last connection goes. */
static void keep_log(struct gx_store *s)
{
	if (s->writer != NULL)
		sqlite3_db_config(s->writer->q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	for (struct gx_conn *c = s->idle; c != NULL; c = c->next)
		sqlite3_db_config(c->q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static void free_memory(struct gx_store *s)
{
	gx_orders__free(s->orders);
	gx_searches__free(s->searches);
	gx_tables__free(s->tables);
	free(s->dir);
	free(s->file);
	free(s->program);
	free(s->uri);
	free(s);
}

static void free_store(struct gx_store *s)
{
	if (gx_flush__kept(s) || (s->observe && gx_flush__log_left(s))) /* an empty log may be taken away with the last one out */
		keep_log(s);
	gx_conn__close(s->writer);
	for (struct gx_conn *c = s->idle, *next; c != NULL; c = next) {
		next = c->next;
		gx_conn__close(c);
	}
	if (s->lockfd >= 0)
		close(s->lockfd);
	gx_ahead__release(&s->ahead);
	gx_pins__release(&s->pins);
	gx_people__release(&s->people);
	gx_views__release(&s->views);
	gx_fts__release(&s->fts_ask);
	gx_fts__release(&s->fts);
	gx_subs__release(&s->subs);
	gx_flush__release(s);
	pthread_cond_destroy(&s->cond);
	pthread_mutex_destroy(&s->lock);
	free_memory(s);
}

static bool init_locks(struct gx_store *s)
{
	pthread_condattr_t attr;
	if (pthread_mutex_init(&s->lock, NULL) != 0)
		return false;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* deadlines do not move with the date */
	int r = pthread_cond_init(&s->cond, &attr);
	pthread_condattr_destroy(&attr);
	return r == 0 && gx_flush__init(&s->flush) == 0 && gx_views__init(&s->views) == 0 && gx_subs__init(&s->subs) == 0 &&
		gx_orders__new(&s->orders) == 0 && gx_searches__new(&s->searches) == 0 && gx_tables__new(&s->tables) == 0 &&
		gx_fts__init(&s->fts) == 0 && gx_fts__init(&s->fts_ask) == 0 && gx_pins__init(&s->pins) == 0 &&
		gx_ahead__init(&s->ahead) == 0 && gx_people__init(&s->people) == 0;
}

/* Of the directives that are not set. */
static void complete_opts(struct gx_store_opts *o)
{
	if (o->search_pacing == 0)
		o->search_pacing = 250;
	if (o->search_pacing_ms == 0)
		o->search_pacing_ms = 2000;
	if (o->max_rules == 0)
		o->max_rules = GX_RULES_MAX;
	if (o->max_ext_rules == 0)
		o->max_ext_rules = 20;
}

static struct gx_store *new_store(const struct gx_fs *fs, const char *dir, const struct gx_store_opts *o)
{
	struct gx_store *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->fs = fs;
	s->lockfd = -1;
	s->wait_tail = &s->wait_head;
	s->log = o->log;
	s->clock = o->clock == NULL ? gx_clock_system() : o->clock;
	s->render = o->render;
	s->render_ctx = o->render_ctx;
	s->no_index = o->no_index || o->observe;
	s->convert = o->convert;
	s->convert_ctx = o->convert_ctx;
	s->observe = o->observe;
	s->max_readers = o->max_readers == 0 ? 4 : o->max_readers;
	s->cache_kib = o->cache_kib == 0 ? 2048 : o->cache_kib;
	memcpy(&s->o, o, o->size < sizeof(*o) ? o->size : sizeof(*o)); /* what an older caller does not know stays 0 */
	complete_opts(&s->o);
	s->dir = strdup(dir);
	s->file = join(dir, GX_DB_SUBDIR "/" GX_DB_NAME);
	s->program = strdup(o->owner_program == NULL ? "?" : o->owner_program);
	if (s->dir != NULL && s->file != NULL && s->program != NULL && init_locks(s))
		return s;
	free_memory(s);
	return NULL;
}

struct gx_store *gx_store__new_far(const char *dir, const struct gx_store_opts *o, const struct gx_far_ops *ops)
{
	struct gx_store *s = new_store(&gx_fs__system, dir, o);
	if (s != NULL) {
		s->ops = ops;
		s->no_index = true;
	}
	return s;
}

void gx_store__free_far(struct gx_store *s)
{
	free_store(s);
}

void gx_store__read_holder(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);
	buf[n < 0 ? 0 : n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (*buf == '\0')
		snprintf(buf, size, "unknown");
}

static int lock_store(struct gx_store *s, struct gx_arena *a, const char **ret_why)
{
	char holder[128], *path = join(s->dir, GX_LOCK_NAME);
	if (path == NULL)
		return GX_E_NOMEM;
	s->lockfd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (s->lockfd < 0) {
		gx_store__why(a, ret_why, "%s: %s", path, strerror(errno));
		free(path);
		return GX_E_IO;
	}
	if (flock(s->lockfd, LOCK_EX | LOCK_NB) != 0) {
		gx_store__read_holder(s->lockfd, holder, sizeof(holder));
		gx_store__why(a, ret_why, "%s: the store is open in another process (%s); stop it, or reach the store through it",
			path, holder);
		free(path);
		return GX_E_BUSY;
	}
	int n = snprintf(holder, sizeof(holder), "pid %ld, %.80s\n", (long)getpid(), s->program);
	if (ftruncate(s->lockfd, 0) != 0 || pwrite(s->lockfd, holder, (size_t)n, 0) != n)
		gx_log(s->log, GX_LOG_NOTICE, "%s: %s", path, strerror(errno));
	free(path);
	return 0;
}

int gx_store__load_meta(struct gx_store *s, struct gx_sql *q, struct gx_arena *a)
{
	struct gx_bin b;
	int64_t v;
	int err = gx_meta__get_blob(q, "replica", a, &b);
	if (err == 0 && b.len == 16)
		gx_guid_get(b.data, &s->replica);
	if (err == 0)
		err = gx_meta__get_blob(q, "mailbox", a, &b);
	if (err == 0 && b.len == 16)
		gx_guid_get(b.data, &s->mailbox);
	if (err == 0)
		err = gx_meta__get_int(q, "public", &v);
	if (err == 0)
		s->is_public = v != 0;
	s->o.folders_go = s->o.folders_go && !s->is_public;
	s->o.one_read_state = s->o.one_read_state && s->is_public;
	s->o.pf_reads = s->is_public ? s->o.pf_reads : GX_PF_COUNTED;
	if (err == GX_E_NOTFOUND)
		err = gx_sql__fail(q, GX_E_FORMAT, "%s: incomplete store; restore it from a backup", s->file);
	return err;
}

static int on_wal(void *ctx, sqlite3 *db, const char *name, int frames)
{
	struct gx_store *s = ctx;
	(void)db;
	(void)name;
	atomic_store(&s->flush.frames, (unsigned)frames);
	return SQLITE_OK;
}

static int open_db(struct gx_store *s, struct gx_arena *a, const char **ret_why)
{
	char why[512];
	int err = gx_conn__open(s, true, &s->writer, why, sizeof(why));
	if (err != 0) {
		gx_store__why(a, ret_why, "%s", why);
		return err;
	}
	struct gx_sql *q = s->writer->q;
	sqlite3_wal_hook(q->db, on_wal, s);
	err = s->o.no_upgrade ? gx_schema__look(q) : gx_schema__open(q);
	if (err == 0)
		err = gx_store__load_meta(s, q, a);
	if (err == 0)
		err = gx_store__recover(s);
	if (err == 0)
		err = gx_store__load_maintenance(s);
	if (err == 0)
		err = gx_search__resume(s);
	if (err != 0)
		gx_store__why(a, ret_why, "%s", q->why);
	return err;
}

int gx_store__no_file(struct gx_arena *a, const char *file, const char **ret_why)
{
	bool absent = errno == ENOENT || errno == ENOTDIR;
	gx_store__why(a, ret_why, absent ? "%s: there is no store here (%s); create one with gromox-mkprivate or gromox-mkpublic" :
		"%s: %s", file, strerror(errno));
	return absent ? GX_E_NOTFOUND : GX_E_IO;
}

static int open_parts(struct gx_store *s, struct gx_arena *a, const char **ret_why)
{
	struct stat st;
	if (stat(s->file, &st) != 0)
		return gx_store__no_file(a, s->file, ret_why);
	if (s->observe)
		return gx_store__observe(s, a, ret_why);
	int err = lock_store(s, a, ret_why);
	return err != 0 ? err : open_db(s, a, ret_why);
}

int gx_store__open_on(const struct gx_fs *fs, const char *dir, const struct gx_store_opts *o, struct gx_store **ret_store,
	struct gx_arena *a, const char **ret_why)
{
	static const struct gx_store_opts none = GX_STORE_OPTS_INIT;
	if (dir == NULL || ret_store == NULL)
		return GX_E_INVAL;
	struct gx_arena *own = a == NULL ? gx_arena_new(0) : NULL;
	const char *dummy;
	struct gx_store *s = new_store(fs, dir, o == NULL ? &none : o);
	if (s == NULL || (a == NULL && own == NULL)) {
		if (s != NULL)
			free_store(s);
		gx_arena_free(own);
		return GX_E_NOMEM;
	}
	int err = open_parts(s, own != NULL ? own : a, ret_why != NULL ? ret_why : &dummy);
	gx_arena_free(own);
	if (err != 0) {
		free_store(s);
		return err;
	}
	*ret_store = s;
	return 0;
}

int gx_store_open(const char *dir, const struct gx_store_opts *o, struct gx_store **ret_store,
	struct gx_arena *a, const char **ret_why)
{
	return gx_store__open_on(&gx_fs__system, dir, o, ret_store, a, ret_why);
}

static int close_in_order(struct gx_store *s)
{
	struct gx_sql *q = s->writer->q;
	while (gx_pins__sweep(s) > 0)
		continue;
	int err = gx_store_sync(s);
	if (err != 0)
		return gx_sql__fail(q, err, "%s-wal: %s", s->file, gx_strerror(err));
	gx_store__sweep(s, 0);
	err = gx_content__sync_removed(s->writer->cio);
	if (err != 0)
		return gx_sql__fail(q, err, "%s", gx_cio__why(s->writer->cio));
	if (!s->marked)
		return 0;
	if (!gx_content__all_swept(s->writer->cio)) /* the mark lets the next opening look for them */
		return gx_sql__fail(q, GX_E_IO, "%s/cid: files are left to be removed", s->dir);
	err = gx_flush__move(s, q, SQLITE_CHECKPOINT_TRUNCATE);
	return err != 0 ? err : gx_store__unmark(s, q);
}

void gx_store_close(struct gx_store *s)
{
	if (s == NULL)
		return;
	if (s->ops != NULL) {
		s->ops->close(s);
		return;
	}
	gx_conn__wait_idle(s);
	if (!s->observe && close_in_order(s) != 0)
		gx_log(s->log, GX_LOG_WARN, "%s: not closed in order: %s", s->file, s->writer->q->why);
	free_store(s);
}

const char *gx_store_dir(const struct gx_store *s)
{
	return s->dir;
}

bool gx_store_is_public(const struct gx_store *s)
{
	return s->is_public;
}

uint64_t gx_store_most_messages(const struct gx_store *s)
{
	return s->o.max_messages;
}

const struct gx_guid *gx_store_replica(const struct gx_store *s)
{
	return &s->replica;
}

const struct gx_guid *gx_store_mailbox_guid(const struct gx_store *s)
{
	return &s->mailbox;
}
