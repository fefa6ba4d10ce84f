/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a new store is put: its directories, the lock, the database made aside and moved into its
 * place. When it returns without error the store survives power loss, with every directory that was
 * made for it.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libgxstore/store-int.h"

struct place {
	const struct gx_fs *fs;
	const char *dir;
	const struct gx_store_create_opts *o;
	int mode;
	size_t made;           /* length of the shortest path among the new directories, SIZE_MAX none */
	struct gx_arena *a;
	const char **ret_why;
};

static int fail_errno(struct place *p, const char *path)
{
	int e = errno;
	gx_store__why(p->a, p->ret_why, "%s: %s", path, strerror(e));
	return gx_fs__err(e);
}

static int make_dir(struct place *p, const char *path)
{
	mode_t mode = (mode_t)(p->mode | (p->mode & 0444) >> 2); /* search where reading is allowed */
	if (p->fs->mkdir(p->fs, path, mode) != 0)
		return errno == EEXIST ? 0 : fail_errno(p, path);
	if (strlen(path) < p->made)
		p->made = strlen(path);
	return 0;
}

/* The directories above that are missing, the store's own, and that of the database. Others are made at first use. */
static int make_dirs(struct place *p)
{
	static const char *const sub[] = {"", ("/" GX_DB_SUBDIR)};
	char *path = gx_arena_strdup(p->a, p->dir);
	if (path == NULL)
		return GX_E_NOMEM;
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int err = make_dir(p, path);
		if (err != 0)
			return err;
		*slash = '/';
	}
	for (size_t i = 0; i < sizeof(sub) / sizeof(sub[0]); i++) {
		const char *s = gx_arena_printf(p->a, "%s%s", p->dir, sub[i]);
		int err = s == NULL ? GX_E_NOMEM : make_dir(p, s);
		if (err != 0)
			return err;
	}
	return 0;
}

static int sync_dir(struct place *p, const char *path)
{
	return gx_fs__sync_dir(p->fs, path) == 0 ? 0 : fail_errno(p, path);
}

/* One above the store that may not be read is left to the system: it has no call to flush an entry alone. */
static int sync_above(struct place *p, const char *path)
{
	return gx_fs__sync_dir(p->fs, path) == 0 || errno == EACCES ? 0 : fail_errno(p, path);
}

/* The entries of the store's directory and its own; those above as far as something was made there. */
static int sync_up(struct place *p)
{
	char *path = gx_arena_strdup(p->a, p->dir);
	if (path == NULL)
		return GX_E_NOMEM;
	size_t n = strlen(path), last = n < p->made ? n : p->made;
	int err = sync_dir(p, path);
	while (err == 0 && n >= last) {
		char *slash = memrchr(path, '/', n);
		n = slash == NULL ? 0 : (size_t)(slash - path);
		path[n] = '\0';
		err = sync_above(p, slash == NULL ? "." : n == 0 ? "/" : path);
		if (n == 0)
			break;
	}
	return err;
}

static int set_mode(struct place *p, const char *path)
{
	int fd = p->fs->open(p->fs, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(p, path);
	int err = fchmod(fd, (mode_t)p->mode) == 0 && p->fs->fsync(p->fs, fd) == 0 ? 0 : fail_errno(p, path);
	p->fs->close(p->fs, fd);
	return err;
}

static int remove_file(struct place *p, const char *path)
{
	return p->fs->unlink(p->fs, path) == 0 || errno == ENOENT ? 0 : fail_errno(p, path);
}

/* Puts the finished file in its place. An older store goes; its log must be gone before, or it would be taken for the new one's. */
static int settle(struct place *p, const char *sub, const char *tmp, const char *file)
{
	const char *wal = gx_arena_printf(p->a, "%s-wal", file), *shm = gx_arena_printf(p->a, "%s-shm", file);
	if (wal == NULL || shm == NULL)
		return GX_E_NOMEM;
	int err = set_mode(p, tmp);
	if (err == 0)
		err = remove_file(p, wal);
	if (err == 0)
		err = remove_file(p, shm);
	if (err == 0)
		err = sync_dir(p, sub);
	if (err == 0 && p->fs->rename(p->fs, tmp, file) != 0)
		err = fail_errno(p, file);
	if (err != 0)
		return err;
	err = sync_dir(p, sub);
	if (err == 0)
		err = sync_up(p);
	if (err != 0 && !p->o->overwrite) /* it may not be safe, and the caller is told so */
		p->fs->unlink(p->fs, file);
	return err;
}

/* Nobody may have the old one open while it is replaced. */
static int take_lock(struct place *p, int *ret_fd)
{
	const char *path = gx_arena_printf(p->a, "%s/" GX_LOCK_NAME, p->dir);
	if (path == NULL)
		return GX_E_NOMEM;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, p->mode);
	if (fd < 0)
		return fail_errno(p, path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		char holder[128];
		gx_store__read_holder(fd, holder, sizeof(holder));
		close(fd);
		gx_store__why(p->a, p->ret_why, "%s: the store is open in another process (%s); stop it first", path, holder);
		return GX_E_BUSY;
	}
	*ret_fd = fd;
	return 0;
}

static int create_in(struct place *p)
{
	const char *sub = gx_arena_printf(p->a, "%s/" GX_DB_SUBDIR, p->dir);
	const char *file = gx_arena_printf(p->a, "%s/" GX_DB_SUBDIR "/" GX_DB_NAME, p->dir);
	const char *tmp = gx_arena_printf(p->a, "%s/" GX_DB_SUBDIR "/." GX_DB_NAME ".new", p->dir);
	if (sub == NULL || file == NULL || tmp == NULL)
		return GX_E_NOMEM;
	struct stat st;
	if (stat(file, &st) == 0 && !p->o->overwrite) {
		gx_store__why(p->a, p->ret_why, "%s: exists already", file);
		return GX_E_EXISTS;
	}
	int err = remove_file(p, tmp);
	if (err == 0)
		err = gx_store__make_db(p->fs, tmp, p->o, p->a, p->ret_why);
	if (err == 0)
		err = settle(p, sub, tmp, file);
	if (err != 0)
		p->fs->unlink(p->fs, tmp); /* the failure before is the one to tell */
	return err;
}

int gx_store__create_on(const struct gx_fs *fs, const char *dir, const struct gx_store_create_opts *o, struct gx_arena *a,
	const char **ret_why)
{
	if (dir == NULL || *dir == '\0' || o == NULL || o->schema_version > GX_SCHEMA_VERSION)
		return GX_E_INVAL;
	struct gx_arena *own = gx_arena_new(0);
	const char *why = "";
	int lock = -1;
	if (own == NULL)
		return GX_E_NOMEM;
	struct place p = {.fs = fs, .dir = dir, .o = o, .mode = o->mode == 0 ? 0660 : o->mode, .made = SIZE_MAX, .a = own, .ret_why = &why};
	int err = make_dirs(&p);
	if (err == 0)
		err = take_lock(&p, &lock);
	if (err == 0)
		err = create_in(&p);
	if (lock >= 0)
		close(lock);
	if (err != 0)
		gx_store__why(a, ret_why, "%s", *why == '\0' ? gx_strerror(err) : why);
	gx_arena_free(own);
	return err;
}

int gx_store_create(const char *dir, const struct gx_store_create_opts *o, struct gx_arena *a, const char **ret_why)
{
	return gx_store__create_on(&gx_fs__system, dir, o, a, ret_why);
}
