/* SPDX-License-Identifier: Apache-2.0 */
/* The back end on SQLite: one connection to one file. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <unistd.h>
#include <sys/stat.h>
#include <time.h>
#include "libgxstore/directory/dir-int.h"

enum { BUSY_MS = 10000 };

struct stmt {
	struct gx_dirstmt base;
	sqlite3_stmt *h;
	struct stmt *own; /* the statement itself when it was allocated for one call */
};

struct conn {
	struct gx_dirconn base;
	sqlite3 *db;
	struct stmt st[GX_DIRBACK_STMTS];
};

static int from_rc(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return 0;
	case SQLITE_ROW:
		return 1;
	case SQLITE_CONSTRAINT:
		return GX_E_EXISTS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return GX_E_BUSY;
	case SQLITE_NOMEM:
		return GX_E_NOMEM;
	case SQLITE_FULL:
		return GX_E_NOSPACE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return GX_E_FORMAT;
	default:
		return GX_E_IO;
	}
}

static int result(struct conn *c, int rc)
{
	int err = from_rc(rc);
	if (err < 0 && err != GX_E_EXISTS)
		snprintf(c->base.why.text, sizeof(c->base.why.text), "%s", sqlite3_errmsg(c->db));
	return err;
}

static int fail(struct gx_dirwhy *why, int err, const char *fmt, ...) GX_PRINTF(3, 4);
static int fail(struct gx_dirwhy *why, int err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

/*
 * The file holds password hashes: nobody but owner and group may read it. Made by root, it goes
 * to whom the directory belongs, so that the service can open it.
 */
static int make_file(const char *path)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return GX_E_NOMEM;
	const char *parent = dirname(copy);
	struct stat sb;
	int err = 0;
	if (stat(parent, &sb) != 0 && (mkdir(parent, 0750) != 0 || stat(parent, &sb) != 0))
		err = GX_E_IO;
	free(copy);
	if (err != 0)
		return err;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return GX_E_IO;
	if (geteuid() == 0 && fchown(fd, sb.st_uid, sb.st_gid) != 0)
		err = GX_E_IO;
	close(fd);
	return err;
}

/* Of two that turn to the log at once SQLite lets one wait and refuses the other, whatever its busy timeout. */
static int set_up(sqlite3 *db)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int64_t until = gx_clock_mono_ms(gx_clock_system()) + BUSY_MS;
	for (;;) {
		int rc = sqlite3_exec(db, "PRAGMA busy_timeout=10000; PRAGMA foreign_keys=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
			NULL, NULL, NULL);
		if ((rc & 0xff) != SQLITE_BUSY || gx_clock_mono_ms(gx_clock_system()) >= until)
			return rc;
		nanosleep(&pause, NULL);
	}
}

static int open_file(const char *path, sqlite3 **ret_db)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = set_up(db);
	if (rc == SQLITE_OK) {
		*ret_db = db;
		return 0;
	}
	int err = from_rc(rc), sys = db == NULL ? 0 : sqlite3_system_errno(db);
	sqlite3_close(db);
	if (sys == ENOSPC || sys == EDQUOT)
		return GX_E_NOSPACE;
	return err == GX_E_FORMAT || err == GX_E_NOMEM || err == GX_E_NOSPACE ? err : GX_E_IO;
}

static int connect_file(const struct gx_dir_opts *o, unsigned flags, struct gx_dirconn **ret_c, struct gx_dirwhy *why)
{
	int err = (flags & GX_DIRBACK_CREATE) != 0 ? make_file(o->path) : 0;
	if (err != 0)
		return fail(why, err, "cannot make the file: %s", err == GX_E_IO ? strerror(errno) : gx_strerror(err));
	if (access(o->path, F_OK) != 0) {
		bool missing = errno == ENOENT;
		return fail(why, missing ? GX_E_NOTFOUND : GX_E_IO, "%s%s", strerror(errno), missing ? "; \"gromox-dbop -C\" makes it" : "");
	}
	struct conn *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return fail(why, GX_E_NOMEM, "out of memory");
	err = open_file(o->path, &c->db);
	if (err != 0) {
		free(c);
		return fail(why, err, "%s", err == GX_E_FORMAT ? "this is no SQLite database; name another file (directory_path) or move it away"
			: err == GX_E_NOSPACE ? "the disk is full; free some space on that file system"
			: "cannot be opened for writing; file and folder must be writable for this user");
	}
	c->base.back = &gx_dir__sqlite;
	*ret_c = &c->base;
	return 0;
}

static void disconnect(struct gx_dirconn *base)
{
	struct conn *c = (struct conn *)base;
	for (size_t i = 0; i < GX_DIRBACK_STMTS; ++i)
		sqlite3_finalize(c->st[i].h);
	sqlite3_close(c->db);
	free(c);
}

static int prepare(struct conn *c, unsigned slot, const char *sql, struct stmt **ret_st)
{
	bool once = slot >= GX_DIRBACK_STMTS;
	struct stmt *st = once ? calloc(1, sizeof(*st)) : &c->st[slot];
	if (st == NULL)
		return GX_E_NOMEM;
	if (st->h == NULL) {
		*st = (struct stmt){.base = {&c->base}, .own = once ? st : NULL};
		int err = result(c, sqlite3_prepare_v3(c->db, sql, -1, once ? 0 : SQLITE_PREPARE_PERSISTENT, &st->h, NULL));
		if (err != 0) {
			if (once)
				free(st);
			return err;
		}
	}
	*ret_st = st;
	return 0;
}

static void done(struct gx_dirstmt *base)
{
	struct stmt *st = (struct stmt *)base;
	if (st->own != NULL) {
		sqlite3_finalize(st->h);
		free(st->own);
		return;
	}
	/* A read snapshot must not stay open. */
	sqlite3_reset(st->h);
	sqlite3_clear_bindings(st->h);
}

static int run(struct gx_dirconn *base, unsigned slot, const char *sql, const struct gx_dirarg *v, unsigned n, struct gx_dirstmt **ret_st)
{
	struct conn *c = (struct conn *)base;
	struct stmt *st;
	int err = prepare(c, slot, sql, &st);
	if (err != 0)
		return err;
	for (unsigned i = 0; i < n && err == 0; ++i)
		err = result(c, v[i].kind == GX_DIRARG_NUM ? sqlite3_bind_int64(st->h, (int)i + 1, v[i].num)
			: v[i].kind == GX_DIRARG_BYTES ? sqlite3_bind_blob(st->h, (int)i + 1, v[i].text, (int)v[i].num, SQLITE_STATIC)
			: sqlite3_bind_text(st->h, (int)i + 1, v[i].text, -1, SQLITE_STATIC));
	if (err == 0)
		*ret_st = &st->base;
	else
		done(&st->base);
	return err;
}

static int step(struct gx_dirstmt *base)
{
	struct stmt *st = (struct stmt *)base;
	return result((struct conn *)base->conn, sqlite3_step(st->h));
}

static int64_t num(struct gx_dirstmt *base, unsigned col)
{
	return sqlite3_column_int64(((struct stmt *)base)->h, (int)col);
}

static const char *text(struct gx_dirstmt *base, unsigned col)
{
	return (const char *)sqlite3_column_text(((struct stmt *)base)->h, (int)col);
}

static int exec(struct gx_dirconn *base, const char *sql)
{
	struct conn *c = (struct conn *)base;
	return result(c, sqlite3_exec(c->db, sql, NULL, NULL, NULL));
}

static int64_t changes(struct gx_dirconn *base)
{
	return sqlite3_changes(((struct conn *)base)->db);
}

static int64_t last_id(struct gx_dirconn *base)
{
	return sqlite3_last_insert_rowid(((struct conn *)base)->db);
}

static int begin(struct gx_dirconn *base)
{
	return exec(base, "BEGIN IMMEDIATE");
}

static int commit(struct gx_dirconn *base)
{
	return exec(base, "COMMIT");
}

static void rollback(struct gx_dirconn *base)
{
	struct gx_dirwhy why = base->why; /* of what went wrong before */
	if (!sqlite3_get_autocommit(((struct conn *)base)->db))
		(void)exec(base, "ROLLBACK");
	base->why = why;
}

static int unlock_tables(struct gx_dirconn *base, bool keep)
{
	int err = keep ? commit(base) : 0;
	if (!keep || err != 0)
		rollback(base);
	return err;
}

static int changed(struct gx_dirconn *base, int64_t *ret_v)
{
	return gx_dir__ask(base, GX_DIRBACK_STMTS - 1, "PRAGMA data_version", NULL, 0, ret_v);
}

const struct gx_dirback gx_dir__sqlite = {
	.abi = GX_DIRBACK_ABI,
	.dialect = GX_DIRBACK_SQLITE,
	.max_connections = 1,
	.look_ms = 100,
	.connect = connect_file,
	.disconnect = disconnect,
	.run = run,
	.step = step,
	.num = num,
	.text = text,
	.done = done,
	.exec = exec,
	.changes = changes,
	.last_id = last_id,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.lock_tables = begin,
	.unlock_tables = unlock_tables,
	.changed = changed,
};
