/* SPDX-License-Identifier: Apache-2.0 */
/* Dated snapshots: what is due is made under another name and gets its own when it is whole. */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include "libgxstore/snapshot/sn-int.h"
#include "libgxstore/store-int.h"

#define LOCK ".lock"
#define NEW ".new-"
#define OLD ".old-"

struct run {
	const struct gx_snapshot_opts *o;
	struct gx_copy_opts copy;
	struct gx_copy_result r;
	struct gx_sn x;          /* for messages and removals */
	struct gx_arena *a;
	int64_t local;
	char (*names)[32];       /* snapshots that are there, in order of their age */
	size_t n, cap;
	char latest[PATH_MAX];   /* the youngest, "" none */
};

static void tell(struct run *u, int what, const char *name, const struct gx_copy_result *r)
{
	if (u->o->told != NULL)
		u->o->told(what, name, r, u->o->ctx);
}

/* ---- What is there ---- */

static int64_t begin_of(const char *name)
{
	struct gx_sn_name n;
	return gx_sn__name_parse(name, &n) ? n.begin : 0;
}

static int by_age(const void *a, const void *b)
{
	int64_t x = begin_of(a), y = begin_of(b);
	return x < y ? -1 : x > y ? 1 : strcmp(a, b);
}

static int note_name(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	struct run *u = ctx;
	struct gx_sn_name n;
	(void)dir;
	if (!gx_sn__name_parse(name, &n))
		return 0;
	u->names = gx_arena_grow(u->a, u->names, &u->cap, u->n + 1, sizeof(*u->names));
	if (u->names == NULL)
		return gx_sn__fail(x, GX_E_NOMEM, "out of memory");
	gx_sn__name_print(&n, u->names[u->n++]);
	return 0;
}

static bool is_there(const struct run *u, const char *name)
{
	for (size_t i = 0; i < u->n; ++i)
		if (strcmp(u->names[i], name) == 0)
			return true;
	return false;
}

/* ---- Removing ---- */

static int remove_tree(struct run *u, const char *path)
{
	const struct gx_snapshot_fs *fs = u->o->fs;
	int err = fs != NULL ? fs->remove(path, fs->ctx) : GX_E_UNSUP;
	if (err == GX_E_UNSUP)
		return gx_sn__remove(&u->x, path);
	return err != 0 ? gx_sn__fail(&u->x, err, "%s: cannot be removed", path) : 0;
}

static int remove_rest(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	char path[PATH_MAX];
	if (strncmp(name, NEW, strlen(NEW)) != 0 && strncmp(name, OLD, strlen(OLD)) != 0)
		return 0;
	int err = gx_sn__join(x, path, dir, name);
	return err != 0 ? err : remove_tree(ctx, path);
}

static int place(struct run *u, const char *prefix, const char *name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s%s", u->o->archive, prefix, name);
	return n < 0 || n >= PATH_MAX ? gx_sn__fail(&u->x, GX_E_LIMIT, "%s: path too long", u->o->archive) : 0;
}

static int rename_it(struct run *u, const char *from, const char *to)
{
	return rename(from, to) == 0 ? 0 : gx_sn__errno(&u->x, from);
}

static int remove_expired(struct run *u)
{
	char path[PATH_MAX], gone[PATH_MAX];
	int err = 0;
	for (size_t i = 0; err == 0 && i < u->n; ++i) {
		struct gx_sn_name n;
		gx_sn__name_parse(u->names[i], &n);
		unsigned keep = u->o->keep[n.kind];
		if (keep == 0 || !gx_sn__name_expired(&n, keep, u->local)) {
			tell(u, GX_SNAPSHOT_KEPT, u->names[i], NULL);
			continue;
		}
		err = place(u, "", u->names[i], path);
		if (err == 0 && !u->o->dry_run) {
			err = place(u, OLD, u->names[i], gone);
			if (err == 0)
				err = rename_it(u, path, gone);
			if (err == 0)
				err = remove_tree(u, gone);
		}
		if (err == 0)
			tell(u, GX_SNAPSHOT_REMOVED, u->names[i], NULL);
	}
	return err;
}

/* ---- Making ---- */

static int fill(struct run *u, const char *to)
{
	const struct gx_snapshot_fs *fs = u->o->fs;
	const char *why = u->x.why;
	int err;
	if (fs != NULL) {
		err = fs->make(u->o->root, to, fs->ctx);
		if (err != 0)
			return gx_sn__fail(&u->x, err, "%s: the file system made no snapshot", to);
		err = gx_tree_settle(to, &u->copy, &u->r, u->a, &why);
	} else {
		err = gx_tree_copy(u->o->root, to, &u->copy, &u->r, u->a, &why);
	}
	return err != 0 ? gx_sn__fail(&u->x, err, "%s", why) : 0;
}

/* All of it is on the disk before it has its name. */
static int flush(struct run *u, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || syncfs(fd) != 0 ? gx_sn__errno(&u->x, path) : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

static int make(struct run *u, const char *name)
{
	char path[PATH_MAX], whole[PATH_MAX];
	const struct gx_snapshot_fs *fs = u->o->fs;
	u->r = (struct gx_copy_result){0};
	u->copy.earlier = u->latest[0] != '\0' ? u->latest : NULL;
	int err = place(u, NEW, name, path);
	if (err == 0)
		err = place(u, "", name, whole);
	if (err == 0 && !u->o->dry_run) {
		err = fill(u, path);
		if (err == 0)
			err = flush(u, path);
		if (err == 0)
			err = rename_it(u, path, whole);
		if (err == 0 && fs != NULL && fs->seal(whole, fs->ctx) != 0)
			gx_sn__left(&u->x, "%s: can still be written to", whole);
		if (err == 0 && gx_fs__sync_dir(&gx_fs__system, u->o->archive) != 0)
			err = gx_sn__errno(&u->x, u->o->archive);
		if (err == 0)
			snprintf(u->latest, sizeof(u->latest), "%s", whole);
	}
	if (err == 0)
		tell(u, GX_SNAPSHOT_MADE, name, &u->r);
	return err;
}

static int make_due(struct run *u)
{
	int err = 0;
	for (int kind = 0; err == 0 && kind < GX_SNAPSHOT_KINDS; ++kind) {
		char name[32];
		struct gx_sn_name n = gx_sn__name_at(kind, u->local);
		gx_sn__name_print(&n, name);
		if (u->o->keep[kind] > 0 && !is_there(u, name))
			err = make(u, name);
	}
	return err;
}

/* ---- A run ---- */

/* Mail is in there: nobody else looks into a directory that we make. */
static int open_archive(struct run *u, int *ret_lock)
{
	char path[PATH_MAX];
	struct stat st;
	if (stat(u->o->root, &st) != 0)
		return gx_sn__fail(&u->x, errno == ENOENT ? GX_E_NOTFOUND : GX_E_IO, "%s: %s", u->o->root, strerror(errno));
	if (u->o->dry_run)
		return 0;
	if (mkdir(u->o->archive, 0700) != 0 && errno != EEXIST)
		return gx_sn__errno(&u->x, u->o->archive);
	int err = place(u, LOCK, "", path);
	if (err != 0)
		return err;
	*ret_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_lock < 0)
		return gx_sn__errno(&u->x, path);
	if (flock(*ret_lock, LOCK_EX | LOCK_NB) != 0)
		return gx_sn__fail(&u->x, GX_E_BUSY, "%s: another run is at it", u->o->archive);
	return 0;
}

/* Nothing goes before what is due is there: runs that fail must not end without any snapshot. */
static int work(struct run *u)
{
	int err = u->o->dry_run ? 0 : gx_sn__each(&u->x, u->o->archive, remove_rest, u);
	if (err == 0)
		err = gx_sn__each(&u->x, u->o->archive, note_name, u);
	if (err != 0)
		return err;
	if (u->n > 0)
		qsort(u->names, u->n, sizeof(*u->names), by_age);
	if (u->n > 0)
		err = place(u, "", u->names[u->n - 1], u->latest);
	if (err == 0)
		err = make_due(u);
	if (err == 0)
		err = remove_expired(u);
	if (err != 0 && !u->o->dry_run) {
		char why[sizeof(u->x.why)];
		memcpy(why, u->x.why, sizeof(why));
		if (gx_sn__each(&u->x, u->o->archive, remove_rest, u) == 0)
			memcpy(u->x.why, why, sizeof(why));
	}
	return err;
}

int gx_snapshot_run(const struct gx_snapshot_opts *o, struct gx_arena *a, const char **ret_why)
{
	int lock = -1;
	if (o == NULL || o->size < sizeof(*o) || o->root == NULL || o->archive == NULL || a == NULL)
		return GX_E_INVAL;
	struct run *u = gx_arena_calloc(a, 1, sizeof(*u));
	if (u == NULL)
		return GX_E_NOMEM;
	u->o = o;
	u->a = a;
	u->copy = (struct gx_copy_opts){.size = sizeof(u->copy),
		.except = o->archive,
		.progress = o->progress,
		.left = o->left,
		.ctx = o->ctx};
	u->x = (struct gx_sn){.o = &u->copy, .r = &u->r, .a = a, .from = o->root, .to = o->archive};
	u->local = gx_sn__local(gx_clock_unix(o->clock == NULL ? gx_clock_system() : o->clock));
	int err = open_archive(u, &lock);
	if (err == 0)
		err = work(u);
	if (lock >= 0)
		close(lock);
	if (err != 0 && ret_why != NULL)
		gx_store__why(a, ret_why, "%s", u->x.why);
	return err;
}
