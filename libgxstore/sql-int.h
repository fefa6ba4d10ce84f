/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_SQL_INT_H
#define GXSTORE_SQL_INT_H
/*
 * One SQLite connection with its prepared statements. Used by one thread at a time.
 *
 * Statements have a sticky error, as the cursors have: a statement that could not be prepared or
 * bound takes every call and answers the error when stepped. A statement is taken, stepped, and
 * given back; the same text may be taken again while the first is in use.
 */
#include <sqlite3.h>
#include <gx/arena.h>
#include <gx/base.h>
#include <gx/log.h>

#define GX_DB_NAME "gx.sqlite3"

struct gx_stmt;

struct gx_sql {
	sqlite3 *db;
	const char *dir;           /* of the store; lives as long as the connection */
	const struct gx_log *log;  /* may be NULL */
	bool writer;
	int err;                   /* of the last failure, GX_E_* */
	char why[512];             /* its text, names the file */
	struct gx_stmt **bucket;   /* statement cache, by address of the literal */
	struct gx_stmt *broken;    /* what gx_sql__stmt() gives when it has no memory */
	unsigned nstmt;
	sqlite3_stmt *begin, *begin_write, *commit, *rollback;
	bool in_txn;
	int ended;                 /* GX_E_*: SQLite has given the transaction up; all that follows answers this until it is rolled back */
};

struct gx_sql_open {
	const char *file;          /* full path of the database */
	const char *dir;
	const char *vfs;           /* NULL: SQLite's default */
	const struct gx_log *log;
	bool writer, create;
	/* Somebody else's: @file is a URI, @name its path; nothing is written, not even at close. */
	bool foreign, exclusive;
	const char *name;
	unsigned cache_kib;
	bool trace; /* statements go to the log */
};
/* On failure @why (size bytes) holds the reason. */
int gx_sql__open(const struct gx_sql_open *o, struct gx_sql **ret_q, char *why, size_t size) GX_MUST_CHECK;
void gx_sql__close(struct gx_sql *q); /* accepts NULL */
/* One without a database, in @a: every statement fails with @err and @why. NULL: no memory. */
struct gx_sql *gx_sql__none(struct gx_arena *a, int err, const char *why);

/* Records a failure; returns err. */
int gx_sql__fail(struct gx_sql *q, int err, const char *fmt, ...) GX_PRINTF(3, 4);
/* The same for a result of SQLite; SQLITE_OK, ROW, DONE give 0. */
int gx_sql__rc(struct gx_sql *q, int rc);
/* A line of PRAGMA integrity_check: did it want memory, so that it says nothing about the file? */
bool gx_sql__unchecked(const char *line);
/* Several statements without parameters. */
int gx_sql__exec(struct gx_sql *q, const char *sql) GX_MUST_CHECK;

/*
 * Transactions by statements that were prepared when the connection was opened: giving one up takes no
 * memory. One that could not be given up is when the next begins. Rollback without a transaction is no error.
 */
int gx_sql__begin(struct gx_sql *q, bool write) GX_MUST_CHECK;
int gx_sql__commit(struct gx_sql *q) GX_MUST_CHECK;
int gx_sql__rollback(struct gx_sql *q) GX_MUST_CHECK;

/* @sql is a string literal: the cache goes by its address. Never NULL. */
struct gx_stmt *gx_sql__stmt(struct gx_sql *q, const char *sql);
/* Gives it back; what the columns borrowed dies. Accepts NULL. */
void gx_sql__done(struct gx_stmt *st);

/* Parameters from 1. Text and bytes are borrowed until the statement is given back or bound again. */
void gx_sql__bind_int(struct gx_stmt *st, int i, int64_t v);
void gx_sql__bind_text(struct gx_stmt *st, int i, const char *s);           /* NULL gives NULL */
void gx_sql__bind_blob(struct gx_stmt *st, int i, const void *p, size_t n); /* n 0 gives an empty blob */
void gx_sql__bind_null(struct gx_stmt *st, int i);

/* 1 a row, 0 the end, or GX_E_*. */
int gx_sql__step(struct gx_stmt *st) GX_MUST_CHECK;
/* Steps to the end and resets: it may be bound and run again. 0 or GX_E_*. */
int gx_sql__run(struct gx_stmt *st) GX_MUST_CHECK;
/* Ready to be bound and stepped again; bound values stay. */
void gx_sql__reset(struct gx_stmt *st);

/* Columns from 0 of the current row. */
int64_t gx_sql__int(struct gx_stmt *st, int col);
uint64_t gx_sql__u64(struct gx_stmt *st, int col);
bool gx_sql__is_null(struct gx_stmt *st, int col);
const char *gx_sql__text(struct gx_stmt *st, int col); /* "" for NULL */
struct gx_bin gx_sql__blob(struct gx_stmt *st, int col);
double gx_sql__f64(struct gx_stmt *st, int col);
int gx_sql__type(struct gx_stmt *st, int col); /* SQLITE_INTEGER ... */

/* Rows changed by the last statement that was run; rowid of the last insert. */
int gx_sql__changes(struct gx_sql *q);
int64_t gx_sql__rowid(struct gx_sql *q);

static inline void gx_sql__done_at(struct gx_stmt **st)
{
	gx_sql__done(*st);
}
/* Declares st, gives it back at the end of the block. */
#define GX_STMT(st, q, sql) \
	__attribute__((cleanup(gx_sql__done_at))) struct gx_stmt *st = gx_sql__stmt((q), (sql))

#endif
