/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that is in use. Content files never change and stay for a minute after their last row is
 * gone, so they are shared before the database is copied, and once more what it names and was not there yet.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include "libgxstore/search/fts-int.h"
#include "libgxstore/snapshot/sn-int.h"
#include "libgxstore/store-int.h"

enum { TRIES = 4 };
#define DB "/" GX_DB_SUBDIR "/" GX_DB_NAME
#define FTS "/" GX_DB_SUBDIR "/" GX_FTS_NAME

bool gx_sn__is_store(const char *dir)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s" DB, dir);
	return n > 0 && n < PATH_MAX && access(path, F_OK) == 0;
}

/* ---- Content files ---- */

struct fan {
	const char *to;
	struct gx_sql *q;
};

static int share_one(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	const struct fan *f = ctx;
	char from[PATH_MAX], to[PATH_MAX];
	uint8_t hash[GX_HASH_LEN];
	if (gx_content__file_name(name, hash) != GX_CFILE_OBJECT)
		return 0;
	int err = gx_sn__join(x, from, dir, name);
	if (err == 0)
		err = gx_sn__join(x, to, f->to, name);
	return err != 0 ? err : gx_sn__link(x, from, to);
}

static int make_dir(struct gx_sn *x, const char *from, const char *to)
{
	struct stat st;
	if (mkdir(to, 0700) != 0)
		return errno == EEXIST ? 0 : gx_sn__errno(x, to);
	return stat(from, &st) == 0 ? gx_sn__attributes(x, to, &st) : 0;
}

static int share_dir(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	const struct fan *f = ctx;
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	int err = gx_sn__join(x, from, dir, name);
	if (err == 0)
		err = gx_sn__join(x, to, f->to, name);
	if (err != 0 || stat(from, &st) != 0 || !S_ISDIR(st.st_mode))
		return err;
	err = make_dir(x, from, to);
	struct fan sub = {.to = to};
	return err != 0 ? err : gx_sn__each(x, from, share_one, &sub);
}

static int is_named(struct gx_sql *q, const uint8_t *hash)
{
	GX_STMT(st, q, "SELECT 1 FROM content WHERE hash=?1 AND data IS NULL");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	return gx_sql__step(st);
}

static int tidy_one(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	const struct fan *f = ctx;
	char path[PATH_MAX];
	uint8_t hash[GX_HASH_LEN];
	int kind = gx_content__file_name(name, hash);
	int r = kind == GX_CFILE_OBJECT ? is_named(f->q, hash) : kind == GX_CFILE_OTHER;
	if (r < 0)
		return gx_sn__fail(x, r, "%s", f->q->why);
	if (r == 1)
		return 0;
	int err = gx_sn__join(x, path, dir, name);
	return err != 0 || unlink(path) == 0 || errno == ENOENT ? err : gx_sn__errno(x, path);
}

static int tidy_dir(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	char path[PATH_MAX];
	struct stat st;
	int err = gx_sn__join(x, path, dir, name);
	return err != 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode) ? err : gx_sn__each(x, path, tidy_one, ctx);
}

/* ---- The copy's database ---- */

/* One that it names: there, or shared now from the original. @return 1 it is nowhere. */
static int fetch(struct gx_sn *x, const char *from, const char *to, const uint8_t *hash)
{
	char hex[2 * GX_HASH_LEN + 1], rest[2 * GX_HASH_LEN + 8], there[PATH_MAX], here[PATH_MAX];
	gx_cio__hex(hash, hex);
	snprintf(rest, sizeof(rest), "cid/%.2s/%s", hex, hex);
	int err = gx_sn__join(x, here, to, rest);
	if (err != 0 || access(here, F_OK) == 0)
		return err;
	if (from == NULL)
		return 1;
	err = gx_sn__join(x, there, from, rest);
	char *name = strrchr(here, '/'), *orig = strrchr(there, '/');
	*name = *orig = '\0';
	if (err == 0)
		err = make_dir(x, there, here);
	*name = *orig = '/';
	if (err == 0)
		err = gx_sn__link(x, there, here);
	return err != 0 ? err : access(here, F_OK) != 0;
}

static int fetch_all(struct gx_sn *x, struct gx_sql *q, const char *from, const char *to, uint64_t *ret_missing)
{
	GX_STMT(st, q, "SELECT hash FROM content WHERE data IS NULL AND length(hash)=32");
	uint64_t missing = 0;
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int n = fetch(x, from, to, gx_sql__blob(st, 0).data);
		if (n < 0)
			return n;
		missing += (uint64_t)n;
	}
	*ret_missing = missing;
	return r < 0 ? gx_sn__fail(x, r, "%s", q->why) : 0;
}

/* @from: NULL when the copy has what there was. A database that is damaged stays what it is. */
static int finish(struct gx_sn *x, const char *from, const char *to, uint64_t *ret_missing)
{
	char file[PATH_MAX], cid[PATH_MAX];
	struct gx_sql *q;
	struct stat st;
	*ret_missing = 0;
	int err = gx_sn__join(x, file, to, GX_DB_SUBDIR "/" GX_DB_NAME);
	if (err == 0)
		err = gx_sn__join(x, cid, to, "cid");
	if (err != 0 || stat(file, &st) != 0)
		return err;
	err = gx_sn__mark(x, file, &q);
	if (err == 0) {
		struct fan f = {.to = cid, .q = q};
		err = fetch_all(x, q, from, to, ret_missing);
		if (err == 0)
			err = gx_sn__each(x, cid, tidy_dir, &f);
		gx_sql__close(q);
	}
	if (err != 0 && err != GX_E_NOSPACE && err != GX_E_NOMEM && err != GX_E_STATE) {
		gx_sn__left(x, "%s", x->why);
		err = 0;
	}
	return err != 0 ? err : gx_sn__attributes(x, file, &st);
}

static int copy_database(struct gx_sn *x, const char *from, const char *to, uint64_t *ret_missing)
{
	char file[PATH_MAX], copy[PATH_MAX];
	int err = gx_sn__join(x, file, from, GX_DB_SUBDIR "/" GX_DB_NAME);
	if (err == 0)
		err = gx_sn__join(x, copy, to, GX_DB_SUBDIR "/" GX_DB_NAME);
	if (err == 0 && unlink(copy) != 0 && errno != ENOENT)
		err = gx_sn__errno(x, copy);
	if (err == 0)
		err = gx_sn__database(x, file, copy);
	return err != 0 ? err : finish(x, from, to, ret_missing);
}

/* Closing a file ends all locks that a process has on it, also those of the store that it has open. */
static int not_ours(struct gx_sn *x, const char *dir)
{
	char path[PATH_MAX], holder[128];
	int err = gx_sn__join(x, path, dir, GX_LOCK_NAME);
	int fd = err == 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0)
		return err;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
		gx_store__read_holder(fd, holder, sizeof(holder));
		if (strncmp(holder, "pid ", 4) == 0 && strtol(holder + 4, NULL, 10) == (long)getpid())
			err = gx_sn__fail(x, GX_E_STATE, "%s: the store is open in this process; copy it from another one", path);
	}
	close(fd);
	return err;
}

int gx_sn__store(struct gx_sn *x, const char *from, const char *to)
{
	static const char *const ours[] = {GX_DB_SUBDIR, "cid", GX_LOCK_NAME, NULL};
	static const char *const dbs[] = {GX_DB_NAME, GX_FTS_NAME, NULL};
	char there[PATH_MAX], here[PATH_MAX];
	uint64_t missing = 0, before;
	unsigned tries = 0;
	int err = not_ours(x, from);
	if (err == 0)
		err = gx_sn__tree(x, from, to, ours, 0);
	if (err == 0)
		err = gx_sn__join(x, there, from, GX_DB_SUBDIR);
	if (err == 0)
		err = gx_sn__join(x, here, to, GX_DB_SUBDIR);
	if (err == 0)
		err = gx_sn__tree(x, there, here, dbs, 1);
	if (err == 0)
		err = gx_sn__join(x, there, from, "cid");
	if (err == 0)
		err = gx_sn__join(x, here, to, "cid");
	if (err == 0 && access(there, F_OK) == 0)
		err = make_dir(x, there, here);
	struct fan f = {.to = here};
	if (err == 0)
		err = gx_sn__each(x, there, share_dir, &f);
	/* What went between the two looks is not needed by a later moment. */
	do {
		before = missing;
		err = err == 0 ? copy_database(x, from, to, &missing) : err;
	} while (err == 0 && missing > 0 && missing != before && ++tries < TRIES);
	if (err == 0 && missing > 0)
		gx_sn__left(x, "%s: %llu content files are missing", from, (unsigned long long)missing);
	x->r->stores += err == 0;
	return err;
}

/* ---- Copies by the file system ---- */

static int drop(struct gx_sn *x, const char *dir, const char *rest, const char *suffix)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s%s%s", dir, rest, suffix);
	if (n < 0 || n >= PATH_MAX)
		return gx_sn__fail(x, GX_E_LIMIT, "%s: path too long", dir);
	return unlink(path) == 0 || errno == ENOENT ? 0 : gx_sn__errno(x, path);
}

int gx_sn__settle(struct gx_sn *x, const char *dir)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	uint64_t missing;
	int err = drop(x, dir, "/" GX_LOCK_NAME, "");
	for (size_t i = 0; err == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); ++i)
		err = drop(x, dir, FTS, suffixes[i]);
	if (err == 0)
		err = drop(x, dir, DB, "-shm");
	if (err == 0)
		err = finish(x, NULL, dir, &missing);
	if (err == 0 && missing > 0)
		gx_sn__left(x, "%s: %llu content files are missing", dir, (unsigned long long)missing);
	x->r->stores += err == 0;
	return err == 0 ? gx_sn__progress(x) : err;
}
