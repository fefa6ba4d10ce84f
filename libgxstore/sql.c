/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/sql-int.h"

#define BUCKETS 256U

struct gx_stmt {
	struct gx_stmt *next;
	struct gx_sql *q;
	const char *sql;
	sqlite3_stmt *h; /* NULL when it could not be prepared */
	int err;         /* sticky */
	bool used;
};

static int from_rc(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return GX_E_NOMEM;
	case SQLITE_FULL:
		return GX_E_NOSPACE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return GX_E_FORMAT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return GX_E_BUSY;
	case SQLITE_CONSTRAINT:
		return GX_E_EXISTS;
	case SQLITE_TOOBIG:
		return GX_E_LIMIT;
	case SQLITE_INTERRUPT:
		return GX_E_TIMEOUT;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_PROTOCOL:
		return GX_E_IO;
	default:
		return GX_E_INTERNAL;
	}
}

bool gx_sql__unchecked(const char *line)
{
	static const char code[] = "error code=";
	const char *at = strstr(line, code);
	long rc = at == NULL ? 0 : strtol(at + sizeof(code) - 1, NULL, 10);
	return rc == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM;
}

/* Pages of a store can be mended; a file that is no database at all, and other databases, cannot. */
static const char *remedy(int rc, int err, const char *file)
{
	size_t n = strlen(file), len = strlen(GX_DB_NAME);
	switch (err) {
	case GX_E_FORMAT:
		return (rc & 0xff) == SQLITE_CORRUPT && n > len && strcmp(file + n - len, GX_DB_NAME) == 0
			? "; gromox-mbck -p saves what can be read of it, or restore it from a backup"
			: "; restore it from a backup";
	case GX_E_NOSPACE:
		return "; free some space on that file system";
	default:
		return "";
	}
}

static void describe(sqlite3 *db, int rc, int err, char *why, size_t size, const char *file)
{
	int sys = db == NULL ? 0 : sqlite3_system_errno(db);
	const char *text = db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(db);
	if (err == GX_E_IO && sys != 0)
		snprintf(why, size, "%s: %s (%s)%s", file, text, strerror(sys), remedy(rc, sys == ENOSPC || sys == EDQUOT ? GX_E_NOSPACE : err, file));
	else
		snprintf(why, size, "%s: %s%s", file, text, remedy(rc, err, file));
}

static const char *file_of(struct gx_sql *q)
{
	const char *f = q->db == NULL ? NULL : sqlite3_db_filename(q->db, "main");
	return f == NULL || *f == '\0' ? "database" : f;
}

/*
 * For want of memory or space, or when the disk fails, SQLite rolls back all of a transaction, not the statement alone. Who
 * can do without the statement and goes on would write without a transaction, and read another state.
 */
static void note_end(struct gx_sql *q, int err)
{
	if (q->in_txn && q->ended == 0 && sqlite3_get_autocommit(q->db) != 0)
		q->ended = err;
}

int gx_sql__rc(struct gx_sql *q, int rc)
{
	int err = from_rc(rc);
	if (err == 0)
		return 0;
	q->err = err;
	int sys = sqlite3_system_errno(q->db);
	describe(q->db, rc, err, q->why, sizeof(q->why), file_of(q));
	if (err == GX_E_IO) {
		if (sys == ENOSPC || sys == EDQUOT)
			err = q->err = GX_E_NOSPACE;
		errno = sys != 0 ? sys : EIO;
	}
	note_end(q, err);
	return err;
}

int gx_sql__fail(struct gx_sql *q, int err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(q->why, sizeof(q->why), fmt, ap);
	va_end(ap);
	q->err = err;
	return err;
}

int gx_sql__exec(struct gx_sql *q, const char *sql)
{
	if (q->ended != 0)
		return q->ended;
	return gx_sql__rc(q, sqlite3_exec(q->db, sql, NULL, NULL, NULL));
}

/* Values that every connection has; those of the file itself are set when it is made. */
static int configure(struct gx_sql *q, const struct gx_sql_open *o)
{
	char sql[256];
	sqlite3_extended_result_codes(q->db, 1);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_busy_timeout(q->db, 10000);
	/* NORMAL leaves the flush of the log to us (sync.c); checkpoints flush by themselves. */
	snprintf(sql, sizeof(sql), "PRAGMA cache_size=-%u; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"
		"PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF; PRAGMA journal_size_limit=4194304;", o->cache_kib == 0 ? 2048 : o->cache_kib);
	int err = gx_sql__exec(q, sql);
	if (err == 0 && !o->writer)
		err = gx_sql__exec(q, "PRAGMA query_only=ON");
	return err;
}

/* A log without its index is read alone, with the index in memory: files of others stay as they are. */
static int configure_foreign(struct gx_sql *q, const struct gx_sql_open *o)
{
	sqlite3_extended_result_codes(q->db, 1);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(q->db, 10000);
	int err = o->exclusive ? gx_sql__exec(q, "PRAGMA locking_mode=EXCLUSIVE") : 0;
	return err != 0 ? err : gx_sql__exec(q, "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON;"
		"PRAGMA cache_size=-16384");
}

/* Without the values: they are mail. */
static int on_statement(unsigned what, void *ctx, void *st, void *sql)
{
	const struct gx_sql *q = ctx;
	(void)st;
	if (what == SQLITE_TRACE_STMT)
		gx_log(q->log, GX_LOG_DEBUG, "%s: %s", q->dir, (const char *)sql);
	return 0;
}

static int prepare(struct gx_sql *q, const char *sql, sqlite3_stmt **ret_st)
{
	return gx_sql__rc(q, sqlite3_prepare_v3(q->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_st, NULL));
}

static int prepare_transactions(struct gx_sql *q)
{
	int err = prepare(q, "BEGIN", &q->begin);
	if (err == 0)
		err = prepare(q, "BEGIN IMMEDIATE", &q->begin_write);
	if (err == 0)
		err = prepare(q, "COMMIT", &q->commit);
	return err != 0 ? err : prepare(q, "ROLLBACK", &q->rollback);
}

int gx_sql__open(const struct gx_sql_open *o, struct gx_sql **ret_q, char *why, size_t size)
{
	struct gx_sql *q = calloc(1, sizeof(*q));
	if (q != NULL) {
		q->bucket = calloc(BUCKETS, sizeof(struct gx_stmt *));
		q->broken = calloc(1, sizeof(*q->broken));
	}
	if (q == NULL || q->bucket == NULL || q->broken == NULL) {
		gx_sql__close(q);
		snprintf(why, size, "%s: out of memory", o->file);
		return GX_E_NOMEM;
	}
	q->dir = o->dir;
	q->log = o->log;
	q->writer = o->writer;
	*q->broken = (struct gx_stmt){.q = q, .err = GX_E_NOMEM, .used = true};
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (o->foreign ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE);
	int rc = sqlite3_open_v2(o->file, &q->db, flags | (o->create ? SQLITE_OPEN_CREATE : 0), o->vfs);
	int err = from_rc(rc);
	if (err != 0)
		describe(q->db, rc, err, why, size, o->foreign ? o->name : o->file);
	else if ((err = o->foreign ? configure_foreign(q, o) : configure(q, o)) != 0 || (err = prepare_transactions(q)) != 0)
		snprintf(why, size, "%s", q->why);
	if (err != 0) {
		gx_sql__close(q);
		return err;
	}
	if (o->trace)
		sqlite3_trace_v2(q->db, SQLITE_TRACE_STMT, on_statement, q);
	*ret_q = q;
	return 0;
}

void gx_sql__close(struct gx_sql *q)
{
	if (q == NULL)
		return;
	for (unsigned i = 0; q->bucket != NULL && i < BUCKETS; i++)
		for (struct gx_stmt *st = q->bucket[i], *next; st != NULL; st = next) {
			next = st->next;
			sqlite3_finalize(st->h);
			free(st);
		}
	sqlite3_finalize(q->begin);
	sqlite3_finalize(q->begin_write);
	sqlite3_finalize(q->commit);
	sqlite3_finalize(q->rollback);
	sqlite3_close(q->db);
	free(q->bucket);
	free(q->broken);
	free(q);
}

struct gx_sql *gx_sql__none(struct gx_arena *a, int err, const char *why)
{
	struct gx_sql *q = gx_arena_new_obj(a, struct gx_sql);
	if (q == NULL || (q->broken = gx_arena_new_obj(a, struct gx_stmt)) == NULL)
		return NULL;
	*q->broken = (struct gx_stmt){.q = q, .err = err, .used = true};
	q->err = err;
	snprintf(q->why, sizeof(q->why), "%s", why);
	return q;
}

/* ---- Transactions ---- */

static int run_now(struct gx_sql *q, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st), err = gx_sql__rc(q, rc);
	sqlite3_reset(st);
	return err;
}

int gx_sql__begin(struct gx_sql *q, bool write)
{
	int err = gx_sql__rollback(q);
	if (err == 0)
		err = run_now(q, write ? q->begin_write : q->begin);
	q->in_txn = err == 0;
	return err;
}

int gx_sql__commit(struct gx_sql *q)
{
	if (q->ended != 0)
		return q->ended;
	int err = run_now(q, q->commit);
	if (err == 0)
		q->in_txn = false;
	return err;
}

/* A failure may have ended it already. */
int gx_sql__rollback(struct gx_sql *q)
{
	int err = sqlite3_get_autocommit(q->db) != 0 ? 0 : run_now(q, q->rollback);
	if (sqlite3_get_autocommit(q->db) != 0) {
		q->in_txn = false;
		q->ended = 0;
	}
	return err;
}

/* ---- Statements ---- */

static unsigned bucket_of(const char *sql)
{
	uintptr_t p = (uintptr_t)sql;
	return (unsigned)((p ^ p >> 8 ^ p >> 16) % BUCKETS);
}

/* One that failed to be prepared is tried again when it is taken again: the cause may be gone. */
static void reprepare(struct gx_stmt *st)
{
	if (sqlite3_prepare_v3(st->q->db, st->sql, -1, SQLITE_PREPARE_PERSISTENT, &st->h, NULL) == SQLITE_OK)
		st->err = 0;
}

struct gx_stmt *gx_sql__stmt(struct gx_sql *q, const char *sql)
{
	unsigned b = bucket_of(sql);
	if (q->db == NULL)
		return q->broken;
	for (struct gx_stmt *st = q->bucket[b]; st != NULL; st = st->next)
		if (st->sql == sql && !st->used) {
			if (st->h == NULL)
				reprepare(st);
			st->used = true;
			return st;
		}
	struct gx_stmt *st = calloc(1, sizeof(*st));
	if (st == NULL) {
		gx_sql__fail(q, GX_E_NOMEM, "out of memory");
		return q->broken;
	}
	st->q = q;
	st->sql = sql;
	st->used = true;
	st->err = gx_sql__rc(q, sqlite3_prepare_v3(q->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->h, NULL));
	st->next = q->bucket[b];
	q->bucket[b] = st;
	q->nstmt++;
	return st;
}

void gx_sql__reset(struct gx_stmt *st)
{
	if (st->h != NULL)
		sqlite3_reset(st->h);
}

void gx_sql__done(struct gx_stmt *st)
{
	if (st == NULL || st == st->q->broken || !st->used)
		return;
	if (st->h != NULL) {
		sqlite3_reset(st->h);
		sqlite3_clear_bindings(st->h);
		st->err = 0;
	}
	st->used = false;
}

static void bound(struct gx_stmt *st, int rc)
{
	if (rc != SQLITE_OK && st->err == 0)
		st->err = gx_sql__rc(st->q, rc);
}

void gx_sql__bind_int(struct gx_stmt *st, int i, int64_t v)
{
	if (st->h != NULL)
		bound(st, sqlite3_bind_int64(st->h, i, v));
}

void gx_sql__bind_text(struct gx_stmt *st, int i, const char *s)
{
	if (st->h != NULL)
		bound(st, sqlite3_bind_text(st->h, i, s, -1, SQLITE_STATIC));
}

void gx_sql__bind_blob(struct gx_stmt *st, int i, const void *p, size_t n)
{
	if (st->h != NULL)
		bound(st, sqlite3_bind_blob64(st->h, i, n == 0 ? "" : p, n, SQLITE_STATIC));
}

void gx_sql__bind_null(struct gx_stmt *st, int i)
{
	if (st->h != NULL)
		bound(st, sqlite3_bind_null(st->h, i));
}

int gx_sql__step(struct gx_stmt *st)
{
	if (st->err != 0 || st->q->ended != 0)
		return st->err != 0 ? st->err : st->q->ended;
	int rc = sqlite3_step(st->h);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	st->err = gx_sql__rc(st->q, rc);
	return st->err;
}

int gx_sql__run(struct gx_stmt *st)
{
	int r;
	do
		r = gx_sql__step(st);
	while (r > 0);
	gx_sql__reset(st);
	return r;
}

int64_t gx_sql__int(struct gx_stmt *st, int col)
{
	return sqlite3_column_int64(st->h, col);
}

uint64_t gx_sql__u64(struct gx_stmt *st, int col)
{
	return (uint64_t)sqlite3_column_int64(st->h, col);
}

bool gx_sql__is_null(struct gx_stmt *st, int col)
{
	return sqlite3_column_type(st->h, col) == SQLITE_NULL;
}

const char *gx_sql__text(struct gx_stmt *st, int col)
{
	const char *s = (const char *)sqlite3_column_text(st->h, col);
	return s == NULL ? "" : s;
}

struct gx_bin gx_sql__blob(struct gx_stmt *st, int col)
{
	const void *p = sqlite3_column_blob(st->h, col);
	return (struct gx_bin){p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(st->h, col)};
}

double gx_sql__f64(struct gx_stmt *st, int col)
{
	return sqlite3_column_double(st->h, col);
}

int gx_sql__type(struct gx_stmt *st, int col)
{
	return sqlite3_column_type(st->h, col);
}

int gx_sql__changes(struct gx_sql *q)
{
	return sqlite3_changes(q->db);
}

int64_t gx_sql__rowid(struct gx_sql *q)
{
	return sqlite3_last_insert_rowid(q->db);
}
