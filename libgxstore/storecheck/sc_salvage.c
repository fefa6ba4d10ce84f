/* SPDX-License-Identifier: Apache-2.0 */
/* A store gets a new database; what the new one lacks to be a store at all is made. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libgxstore/search/fts-int.h"
#include "libgxstore/storecheck/salvage-int.h"
#include "libgxstore/storecheck/sc-int.h"

struct job {
	const char *dir, *file, *tmp;
	const struct gx_store_salvage_opts *o;
	struct gx_salvage x;
	struct gx_store_salvage_result r;
	const char **ret_why;
};

static int fail(struct job *j, int err, const char *what, const char *why)
{
	gx_store__why(j->x.a, j->ret_why, "%s: %s", what, why);
	return err;
}

/* ---- What a store must have ---- */

static int is_public(struct job *j, bool *ret_public)
{
	int64_t v;
	int err = gx_meta__get_int(j->x.dst, "public", &v);
	*ret_public = err == 0 && v != 0;
	if (err != GX_E_NOTFOUND)
		return err;
	GX_STMT(st, j->x.dst, "SELECT COUNT(*) FROM folders WHERE fid BETWEEN 5 AND 29");
	int r = gx_sql__step(st);
	*ret_public = r > 0 && gx_sql__int(st, 0) == 0;
	return r < 0 ? r : 0;
}

static int need_replica(struct job *j, bool public_store)
{
	struct gx_bin b;
	struct gx_guid g;
	uint8_t bytes[16];
	int err = gx_meta__get_blob(j->x.dst, "replica", j->x.a, &b);
	if (err != GX_E_NOTFOUND && (err != 0 || b.len == 16))
		return err;
	if (j->o->owner_id == 0)
		return fail(j, GX_E_FORMAT, j->file, "whose store it is cannot be read any more; name its owner");
	gx_store__replica_guid(public_store, j->o->owner_id, &g);
	gx_guid_put(&g, bytes);
	return gx_meta__set_blob(j->x.dst, "replica", bytes, 16);
}

/* The full-text index knows it too. 1 found, 0 not. */
static int guid_from_index(struct job *j, uint8_t bytes[16])
{
	char path[4096];
	sqlite3 *db;
	sqlite3_stmt *st = NULL;
	int n = snprintf(path, sizeof(path), "%s/" GX_DB_SUBDIR "/" GX_FTS_NAME, j->dir), found = 0;
	if (n < 0 || (size_t)n >= sizeof(path) || access(path, F_OK) != 0)
		return 0;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "SELECT mailbox FROM state", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 16) {
		memcpy(bytes, sqlite3_column_blob(st, 0), 16);
		found = 1;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return gx_salvage__no_memory(rc) ? GX_E_NOMEM : found;
}

static int need_mailbox(struct job *j)
{
	struct gx_bin b;
	struct gx_guid g;
	uint8_t bytes[16];
	int err = gx_meta__get_blob(j->x.dst, "mailbox", j->x.a, &b);
	if (err != GX_E_NOTFOUND && (err != 0 || b.len == 16))
		return err;
	int r = guid_from_index(j, bytes);
	if (r == 0) {
		r = gx_guid_random(&g);
		gx_guid_put(&g, bytes);
	}
	return r < 0 ? r : gx_meta__set_blob(j->x.dst, "mailbox", bytes, 16);
}

/* The store's own row, and numbers that go on above all that may have been given out. */
static int need_state(struct job *j)
{
	GX_STMT(add, j->x.dst,
		"INSERT OR IGNORE INTO fstate(fid,uidvalidity,uidnext,modseq,total,unread,fai,softdel,size,log_bytes,log_floor)"
		" VALUES(0,?1,256,256,0,0,0,0,0,0,0)");
	gx_sql__bind_int(add, 1, (int64_t)(uint32_t)gx_clock_unix(gx_clock_system()));
	int err = gx_sql__run(add);
	if (err != 0)
		return err;
	GX_STMT(high, j->x.dst,
		"UPDATE fstate SET"
		" uidnext=MAX(uidnext,1+(SELECT MAX(v) FROM (SELECT MAX(mid) v FROM msg UNION ALL SELECT MAX(id) FROM body "
		"UNION ALL SELECT MAX(fid) FROM folders))),"
		" modseq=MAX(modseq,(SELECT MAX(v) FROM (SELECT MAX(modseq) v FROM msg UNION ALL SELECT MAX(cn) FROM msg "
		"UNION ALL SELECT MAX(cn) FROM folders"
		" UNION ALL SELECT MAX(modseq) FROM log UNION ALL SELECT MAX(modseq) FROM fstate)))"
		" WHERE fid=0");
	err = gx_sql__run(high);
	if (err != 0)
		return err;
	GX_STMT(skip, j->x.dst, "UPDATE fstate SET uidnext=uidnext+?1, modseq=modseq+CASE fid WHEN 0 THEN ?1 ELSE 0 END,"
		" uidvalidity=uidvalidity+CASE fid WHEN 0 THEN ?1 ELSE 0 END");
	gx_sql__bind_int(skip, 1, GX_SKIP_AFTER_LOSS);
	err = gx_sql__run(skip);
	return err != 0 ? err :
		gx_sql__exec(j->x.dst, "UPDATE fstate SET log_floor=(SELECT modseq FROM fstate WHERE fid=0) WHERE fid<>0");
}

static int need_all(struct job *j)
{
	bool public_store;
	const char *owner = j->o->owner;
	int err = is_public(j, &public_store);
	err = err != 0 ? err : need_replica(j, public_store);
	err = err != 0 ? err : need_mailbox(j);
	err = err != 0 ? err : gx_meta__set_int(j->x.dst, "public", public_store);
	if (err == 0 && owner != NULL)
		err = gx_meta__set_blob(j->x.dst, "owner", owner, strlen(owner));
	err = err != 0 ? err : need_state(j);
	/* As if closed in order: files that lost their row are looked for by the check, not swept away. */
	return err != 0 ? err : gx_sql__exec(j->x.dst, "DELETE FROM meta WHERE key='open'");
}

/* ---- The rows ---- */

static int copy_table(struct job *j, const char *name)
{
	uint64_t rows, gaps;
	int err = gx_salvage__copy(&j->x, name, &rows, &gaps);
	if (err != 0)
		return err;
	j->r.rows += rows;
	j->r.gaps += gaps;
	if (j->o->table != NULL)
		j->o->table(name, rows, gaps, j->o->ctx);
	return 0;
}

/* Those that help to find others come first; sort orders are made again by themselves. */
static int copy_tables(struct job *j)
{
	GX_STMT(st, j->x.dst, "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT IN('sview','srow','schunk')"
		" AND name NOT LIKE 'sqlite_%' ORDER BY name NOT IN('folders','body'), rowid");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = copy_table(j, gx_sql__text(st, 0));
	return err != 0 ? err : r;
}

/* What earlier repairs have set aside. */
static int copy_aside(struct job *j)
{
	GX_STMT(st, j->x.src, "SELECT 1 FROM sqlite_schema WHERE name='set_aside'");
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == GX_E_NOMEM ? r : 0;
	int err = gx_sql__exec(j->x.dst, GX_SC_ASIDE);
	return err != 0 ? err : copy_table(j, "set_aside");
}

static int make_new(struct job *j)
{
	char why[512];
	int64_t version = 0;
	struct gx_sql_open o = {.file = j->tmp, .dir = j->dir, .writer = true, .create = true};
	int err = gx_schema__version(j->x.src, &version);
	if (err == GX_E_NOMEM)
		return err;
	if (err != 0 || version < 1 || version > GX_SCHEMA_VERSION)
		version = GX_SCHEMA_VERSION;
	if (unlink(j->tmp) != 0 && errno != ENOENT)
		return fail(j, GX_E_IO, j->tmp, strerror(errno));
	err = gx_sql__open(&o, &j->x.dst, why, sizeof(why));
	if (err != 0)
		return fail(j, err, j->tmp, why);
	err = gx_sql__exec(j->x.dst, "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN");
	err = err != 0 ? err : gx_schema__create(j->x.dst, (unsigned)version);
	err = err != 0 ? err : copy_tables(j);
	if (err == 0 && version >= 2)
		err = gx_schema__all_late(j->x.dst);
	err = err != 0 ? err : copy_aside(j);
	if (err == 0 && j->r.rows == 0)
		err = fail(j, GX_E_FORMAT, j->file, "nothing of it can be read; restore it from a backup");
	else if (err == 0)
		err = need_all(j);
	if (err == 0)
		err = gx_sql__exec(j->x.dst, "COMMIT; PRAGMA journal_mode=WAL");
	if (err != 0 && **j->ret_why == '\0')
		gx_store__why(j->x.a, j->ret_why, "%s", j->x.dst->why);
	return err;
}

/* ---- Its place ---- */

static int flush(struct job *j, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd), e = errno;
	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : fail(j, gx_fs__err(e), path, strerror(e));
}

static int move(struct job *j, const char *from, const char *to)
{
	return rename(from, to) == 0 || errno == ENOENT ? 0 : fail(j, gx_fs__err(errno), from, strerror(errno));
}

static int settle(struct job *j)
{
	struct stat st;
	struct gx_arena *a = j->x.a;
	const char *sub = gx_arena_printf(a, "%s/" GX_DB_SUBDIR, j->dir);
	const char *wal = gx_arena_printf(a, "%s-wal", j->file), *kept_wal = gx_arena_printf(a, "%s-wal", j->r.kept);
	const char *shm = gx_arena_printf(a, "%s-shm", j->file);
	if (sub == NULL || wal == NULL || kept_wal == NULL || shm == NULL)
		return GX_E_NOMEM;
	if (stat(j->file, &st) != 0 || chmod(j->tmp, st.st_mode & 07777) != 0)
		return fail(j, GX_E_IO, j->file, strerror(errno));
	int err = flush(j, j->tmp);
	err = err != 0 ? err : move(j, wal, kept_wal);
	err = err != 0 ? err : move(j, j->file, j->r.kept);
	err = err != 0 ? err : move(j, j->tmp, j->file);
	if (err == 0 && unlink(shm) != 0 && errno != ENOENT)
		err = fail(j, GX_E_IO, shm, strerror(errno));
	return err != 0 ? err : flush(j, sub);
}

static int lock(struct job *j, int *ret_fd)
{
	char holder[128];
	const char *path = gx_arena_printf(j->x.a, "%s/" GX_LOCK_NAME, j->dir);
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0)
		return path == NULL ? GX_E_NOMEM : fail(j, GX_E_IO, path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = fd;
		return 0;
	}
	gx_store__read_holder(fd, holder, sizeof(holder));
	close(fd);
	gx_store__why(j->x.a, j->ret_why, "%s: the store is open in another process (%s); stop it first", path, holder);
	return GX_E_BUSY;
}

static int name_files(struct job *j)
{
	char when[32];
	time_t now = (time_t)gx_clock_unix(gx_clock_system());
	struct tm tm;
	if (gmtime_r(&now, &tm) == NULL || strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0)
		return GX_E_RANGE;
	j->file = gx_arena_printf(j->x.a, "%s/" GX_DB_SUBDIR "/" GX_DB_NAME, j->dir);
	j->tmp = gx_arena_printf(j->x.a, "%s/" GX_DB_SUBDIR "/." GX_DB_NAME ".salvage", j->dir);
	j->r.kept = gx_arena_printf(j->x.a, "%s/" GX_DB_SUBDIR "/" GX_DB_NAME ".damaged-%s", j->dir, when);
	return j->file == NULL || j->tmp == NULL || j->r.kept == NULL ? GX_E_NOMEM : 0;
}

static int work(struct job *j)
{
	int err = gx_store__open_foreign(j->x.a, j->dir, &j->x.src, j->ret_why);
	if (err != 0)
		return err;
	err = make_new(j);
	gx_sql__close(j->x.src);
	gx_sql__close(j->x.dst);
	if (err == 0)
		err = settle(j);
	if (err != 0)
		unlink(j->tmp);
	return err;
}

int gx_store_salvage(const char *dir, const struct gx_store_salvage_opts *o, struct gx_store_salvage_result *ret_r,
	struct gx_arena *a, const char **ret_why)
{
	const char *dummy;
	if (dir == NULL || o == NULL || ret_r == NULL || a == NULL)
		return GX_E_INVAL;
	struct job j = {.dir = dir, .o = o, .x = {.a = a}, .ret_why = ret_why != NULL ? ret_why : &dummy};
	int fd = -1;
	*j.ret_why = "";
	int err = name_files(&j);
	if (err == 0)
		err = lock(&j, &fd);
	if (err == 0)
		err = work(&j);
	if (fd >= 0)
		close(fd);
	if (err == 0)
		*ret_r = j.r;
	return err;
}
