/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases that others write to. A read transaction holds still what is copied: as long as it runs, no
 * checkpoint writes pages of commits behind it into the database, and the log is only appended to; or the
 * whole log is in the database already, no checkpoint writes, and the log may start anew. Two files cloned under
 * it, the database first, make up a moment: that of the transaction or one after it. Where blocks cannot be
 * cloned SQLite copies what the transaction sees.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/snapshot/sn-int.h"
#include "libgxstore/store-int.h"

#define PAGES_AT_ONCE 1024

bool gx_sn__is_database(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[16];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool is = fd >= 0 && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0;
	if (fd >= 0)
		close(fd);
	return is;
}

struct source {
	struct gx_sql *q;
	const char *file;
	char *uri;
	int fd, log;             /* closing one ends the locks that this process has on it: not before the connection */
};

static void log_name(const char *file, char out[PATH_MAX + 8])
{
	snprintf(out, PATH_MAX + 8, "%s-wal", file);
}

static void close_source(struct source *s)
{
	gx_sql__close(s->q);
	free(s->uri);
	if (s->fd >= 0)
		close(s->fd);
	if (s->log >= 0)
		close(s->log);
}

/* A log that nobody has open is left as it is; without one a connection that could write leaves nothing behind. */
static int open_source(struct gx_sn *x, struct source *s)
{
	char log[PATH_MAX + 8], why[512];
	struct stat st;
	log_name(s->file, log);
	struct gx_sql_open o = {.file = s->file, .dir = x->from};
	if (stat(log, &st) == 0 && st.st_size > 0) {
		o.foreign = true;
		o.name = s->file;
		o.file = s->uri = gx_store__uri(s->file, "mode=ro");
		if (o.file == NULL)
			return GX_E_NOMEM;
	}
	int err = gx_sql__open(&o, &s->q, why, sizeof(why));
	if (err != 0)
		return gx_sn__fail(x, err, "%s", why);
	err = gx_sql__begin(s->q, false);
	if (err == 0)
		err = gx_sql__exec(s->q, "SELECT 1 FROM sqlite_schema");
	return err != 0 ? gx_sn__fail(x, err, "%s", s->q->why) : 0;
}

static int clone_one(struct gx_sn *x, int from, const char *to)
{
	int out = gx_sn__create(to);
	if (out < 0)
		return gx_sn__errno(x, to);
	int r = gx_sn__clone(from, out);
	close(out);
	if (r == 0)
		return 0;
	return unlink(to) == 0 ? GX_E_UNSUP : gx_sn__errno(x, to);
}

/* GX_E_UNSUP: the file system cannot do that. */
static int clone_both(struct gx_sn *x, struct source *s, const char *to)
{
	char log[PATH_MAX + 8];
	log_name(s->file, log);
	s->fd = open(s->file, O_RDONLY | O_CLOEXEC);
	s->log = open(log, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return GX_E_UNSUP;
	int err = clone_one(x, s->fd, to);
	if (err != 0 || s->log < 0)
		return err != 0 ? err : gx_sn__count(x, 0, true);
	log_name(to, log);
	err = clone_one(x, s->log, log);
	if (err == GX_E_UNSUP && unlink(to) != 0)
		return gx_sn__errno(x, to);
	return err != 0 ? err : gx_sn__count(x, 0, true);
}

static uint64_t page_size(struct source *s)
{
	GX_STMT(st, s->q, "PRAGMA page_size");
	return gx_sql__step(st) == 1 ? gx_sql__u64(st, 0) : 0;
}

/* What SQLite could not do: of the original when that is damaged, else of the copy. */
static int failed(struct gx_sn *x, struct source *s, sqlite3 *db, const char *to, int rc)
{
	int sys = db == NULL ? 0 : sqlite3_system_errno(db);
	bool bad = (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
	bool full = (rc & 0xff) == SQLITE_FULL || sys == ENOSPC || sys == EDQUOT;
	bool memory = (rc & 0xff) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM;
	int err = full ? GX_E_NOSPACE : bad ? GX_E_FORMAT : memory ? GX_E_NOMEM : GX_E_IO;
	return gx_sn__fail(x, err, "%s: %s", bad ? s->file : to, sqlite3_errstr(rc));
}

static int back_up_to(struct gx_sn *x, struct source *s, sqlite3 *db, const char *to)
{
	sqlite3_backup *b = sqlite3_backup_init(db, "main", s->q->db, "main");
	if (b == NULL)
		return failed(x, s, db, to, sqlite3_extended_errcode(db));
	int rc, err = 0;
	while (err == 0 && (rc = sqlite3_backup_step(b, PAGES_AT_ONCE)) == SQLITE_OK)
		err = gx_sn__progress(x);
	uint64_t pages = (uint64_t)sqlite3_backup_pagecount(b);
	int end = sqlite3_backup_finish(b);
	if (err != 0 || end == SQLITE_OK)
		return err != 0 ? err : gx_sn__count(x, pages * page_size(s), false);
	return failed(x, s, db, to, end);
}

static int back_up(struct gx_sn *x, struct source *s, const char *to)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(to, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF", NULL, NULL, NULL);
	int err = rc == SQLITE_OK ? back_up_to(x, s, db, to) : failed(x, s, db, to, rc);
	sqlite3_close(db);
	return err;
}

/* What cannot be read as a database may be mended from a copy of its bytes. */
static int as_it_is(struct gx_sn *x, const char *from, const char *to)
{
	char a[PATH_MAX + 8], b[PATH_MAX + 8];
	gx_sn__left(x, "%s; copied as it is", x->why);
	log_name(from, a);
	log_name(to, b);
	if ((unlink(to) != 0 && errno != ENOENT) || (unlink(b) != 0 && errno != ENOENT))
		return gx_sn__errno(x, to);
	int err = gx_sn__copy(x, from, to);
	return err != 0 ? err : gx_sn__copy(x, a, b);
}

int gx_sn__database(struct gx_sn *x, const char *from, const char *to)
{
	struct source s = {.file = from, .fd = -1, .log = -1};
	struct stat st;
	if (stat(from, &st) != 0) {
		if (errno != ENOENT)
			gx_sn__left(x, "%s: %s", from, strerror(errno));
		return 0;
	}
	int err = open_source(x, &s);
	bool readable = err == 0;
	if (err == 0)
		err = clone_both(x, &s, to);
	if (err == GX_E_UNSUP)
		err = back_up(x, &s, to);
	close_source(&s);
	if (err == GX_E_FORMAT || (err != 0 && err != GX_E_NOMEM && !readable))
		err = as_it_is(x, from, to);
	return err != 0 ? err : gx_sn__attributes(x, to, &st);
}

/* ---- In a copy ---- */

static int write_mark(struct gx_sql *q)
{
	int err = gx_sql__exec(q, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF");
	if (err == 0)
		err = gx_sql__begin(q, true);
	if (err != 0)
		return err;
	/* No system's: whoever opens it takes it for one that was open when the system went down. */
	err = gx_meta__set_blob(q, "open", "copy", 4);
	if (err == 0)
		err = gx_sql__commit(q);
	else if (gx_sql__rollback(q) != 0)
		return GX_E_IO;
	return err != 0 ? err
			: gx_sql__rc(q, sqlite3_wal_checkpoint_v2(q->db, "main",
						SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

int gx_sn__mark(struct gx_sn *x, const char *file, struct gx_sql **ret_q)
{
	char why[512];
	struct gx_sql_open o = {.file = file, .dir = x->to, .writer = true};
	struct gx_sql *q;
	int err = gx_sql__open(&o, &q, why, sizeof(why));
	if (err != 0)
		return gx_sn__fail(x, err, "%s", why);
	err = write_mark(q);
	if (err == 0) {
		*ret_q = q;
		return 0;
	}
	gx_sn__fail(x, err, "%s", q->why);
	gx_sql__close(q);
	return err;
}
