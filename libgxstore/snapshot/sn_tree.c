/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of a copy. */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/snapshot/sn-int.h"
#include "libgxstore/store-int.h"

#define DEPTH_MAX 64

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int gx_sn__each(struct gx_sn *x, const char *dir, gx_sn_entry_fn *fn, void *ctx)
{
	DIR *d = opendir(dir);
	int err = 0;
	if (d == NULL) {
		if (errno != ENOENT)
			gx_sn__left(x, "%s: %s", dir, strerror(errno));
		return 0;
	}
	for (struct dirent *e; err == 0 && (e = readdir(d)) != NULL;)
		if (!is_dots(e->d_name))
			err = fn(x, dir, e->d_name, ctx);
	closedir(d);
	return err;
}

struct level {
	const char *to;
	const char *const *without;
	unsigned depth;
};

static bool excepted(const struct gx_sn *x, const struct stat *st)
{
	return x->has_except && st->st_dev == x->except_dev && st->st_ino == x->except_ino;
}

static int note_store(struct gx_sn *x, const char *from, const char *to)
{
	x->stores = gx_arena_grow(x->a, x->stores, &x->cap, x->nstores + 1, sizeof(*x->stores));
	struct gx_sn_store s = {gx_arena_strdup(x->a, from), gx_arena_strdup(x->a, to)};
	if (x->stores == NULL || s.from == NULL || s.to == NULL)
		return gx_sn__fail(x, GX_E_NOMEM, "out of memory");
	x->stores[x->nstores++] = s;
	return 0;
}

static int copy_symlink(struct gx_sn *x, const char *from, const char *to, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t n = readlink(from, text, sizeof(text) - 1);
	if (n < 0)
		return 0; /* it is gone */
	text[n] = '\0';
	if (symlink(text, to) != 0)
		return gx_sn__errno(x, to);
	int err = gx_sn__attributes(x, to, st);
	return err != 0 ? err : gx_sn__count(x, (uint64_t)n, false);
}

/* Of a database the log and what belongs to it: they go with it. */
static bool goes_along(const char *path)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	char base[PATH_MAX];
	size_t n = strlen(path);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); ++i) {
		size_t len = strlen(suffixes[i]);
		if (n > len && strcmp(path + n - len, suffixes[i]) == 0) {
			snprintf(base, sizeof(base), "%.*s", (int)(n - len), path);
			return gx_sn__is_database(base);
		}
	}
	return false;
}

static int copy_file(struct gx_sn *x, const char *from, const char *to)
{
	if (goes_along(from))
		return 0;
	return gx_sn__is_database(from) ? gx_sn__database(x, from, to) : gx_sn__copy(x, from, to);
}

static int entry(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	const struct level *l = ctx;
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	for (const char *const *w = l->without; w != NULL && *w != NULL; ++w)
		if (strcmp(name, *w) == 0)
			return 0;
	int err = gx_sn__join(x, from, dir, name);
	if (err == 0)
		err = gx_sn__join(x, to, l->to, name);
	if (err != 0 || lstat(from, &st) != 0 || excepted(x, &st))
		return err;
	if (S_ISDIR(st.st_mode))
		return gx_sn__is_store(from) ? note_store(x, from, to) : gx_sn__tree(x, from, to, NULL, l->depth + 1);
	if (S_ISLNK(st.st_mode))
		return copy_symlink(x, from, to, &st);
	return S_ISREG(st.st_mode) ? copy_file(x, from, to) : 0; /* sockets are made by who listens */
}

int gx_sn__tree(struct gx_sn *x, const char *from, const char *to, const char *const *without, unsigned depth)
{
	struct level l = {.to = to, .without = without, .depth = depth};
	struct stat st;
	if (depth > DEPTH_MAX)
		return gx_sn__fail(x, GX_E_DEPTH, "%s: more than %d levels", from, DEPTH_MAX);
	if (stat(from, &st) != 0)
		return depth == 0 ? gx_sn__fail(x, errno == ENOENT ? GX_E_NOTFOUND : GX_E_IO, "%s: %s", from, strerror(errno)) : 0;
	if (mkdir(to, 0700) != 0)
		return gx_sn__errno(x, to);
	int err = gx_sn__each(x, from, entry, &l);
	return err != 0 ? err : gx_sn__attributes(x, to, &st);
}

static int remove_entry(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	char path[PATH_MAX];
	struct stat st;
	(void)ctx;
	int err = gx_sn__join(x, path, dir, name);
	if (err != 0 || lstat(path, &st) != 0)
		return err;
	if (S_ISDIR(st.st_mode))
		return gx_sn__remove(x, path);
	return unlink(path) == 0 || errno == ENOENT ? 0 : gx_sn__errno(x, path);
}

int gx_sn__remove(struct gx_sn *x, const char *path)
{
	/* A directory without the right to write keeps what is in it. */
	if (chmod(path, 0700) != 0)
		return errno == ENOENT ? 0 : gx_sn__errno(x, path);
	int err = gx_sn__each(x, path, remove_entry, NULL);
	if (err != 0)
		return err;
	return rmdir(path) == 0 || errno == ENOENT ? 0 : gx_sn__errno(x, path);
}
