/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content objects too large for the database: files cid/xx/<hash>. A file is complete and synced
 * before the row that names it can be committed, and goes only when the removal of the row is
 * durable; so a crash leaves at most files that nobody names.
 */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <gx/time.h>
#include "libgxstore/content/cio-int.h"

static int io_fail(struct gx_cio *cio, const char *path, const char *what)
{
	int e = errno;
	return gx_cio__fail(cio, gx_fs__err(e), "%s: %s: %s", path, what, strerror(e));
}

static int sync_dir(struct gx_cio *cio, const char *path)
{
	return gx_fs__sync_dir(cio->fs, path) == 0 ? 0 : io_fail(cio, path, "fsync");
}

/* Whoever may read and write the store may read and write what it has made. */
static int make_dir(struct gx_cio *cio, const char *path)
{
	struct stat st;
	mode_t mode = stat(cio->dir, &st) == 0 ? st.st_mode & 0777 : 0770;
	return cio->fs->mkdir(cio->fs, path, mode);
}

/* Makes the directory of @path's file; its parent is synced when it is new. */
static int make_dirs(struct gx_cio *cio, char *path)
{
	char *end = strrchr(path, '/');
	*end = '\0';
	char *mid = strrchr(path, '/');
	int err = 0;
	if (make_dir(cio, path) == 0) {
		*mid = '\0';
		err = sync_dir(cio, path);
		*mid = '/';
	} else if (errno == ENOENT) {
		*mid = '\0';
		if (make_dir(cio, path) != 0 && errno != EEXIST)
			err = io_fail(cio, path, "mkdir");
		else
			err = sync_dir(cio, cio->dir);
		*mid = '/';
		if (err == 0 && make_dir(cio, path) != 0 && errno != EEXIST)
			err = io_fail(cio, path, "mkdir");
		*mid = '\0';
		if (err == 0)
			err = sync_dir(cio, path);
		*mid = '/';
	} else if (errno != EEXIST) {
		err = io_fail(cio, path, "mkdir");
	}
	*end = '/';
	return err;
}

/* 0, or -1 with errno. */
static int copy_file(const struct gx_fs *fs, int from, uint64_t size, int to)
{
	uint8_t buf[32768];
	for (uint64_t off = 0; off < size;) {
		size_t want = size - off < sizeof(buf) ? (size_t)(size - off) : sizeof(buf);
		ssize_t n = fs->pread(fs, from, buf, want, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0 || gx_fs__write_all(fs, to, buf, (size_t)n) != 0)
			return -1;
		off += (uint64_t)n;
	}
	return 0;
}

static int write_synced(struct gx_cio *cio, const char *path, const struct gx_content_new *c)
{
	const struct gx_fs *fs = cio->fs;
	int fd = fs->open(fs, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (fd < 0)
		return io_fail(cio, path, "open");
	int err = 0;
	if ((c->packed.data == NULL ? copy_file(fs, c->fd, c->file_len, fd) : gx_fs__write_all(fs, fd, c->packed.data, c->packed.len)) != 0)
		err = io_fail(cio, path, "write");
	else if (fs->fsync(fs, fd) != 0)
		err = io_fail(cio, path, "fsync");
	if (fs->close(fs, fd) != 0 && err == 0)
		err = io_fail(cio, path, "close");
	if (err != 0)
		fs->unlink(fs, path);
	return err;
}

static int remember(struct gx_cio_wait **io_v, size_t *io_n, size_t *io_cap, const uint8_t *hash)
{
	if (*io_n == *io_cap) {
		size_t cap = *io_cap == 0 ? 16 : *io_cap * 2;
		struct gx_cio_wait *v = realloc(*io_v, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		*io_v = v;
		*io_cap = cap;
	}
	struct gx_cio_wait *w = &(*io_v)[(*io_n)++];
	w->since_ms = gx_clock_mono_ms(gx_clock_system());
	memcpy(w->hash, hash, GX_HASH_LEN);
	return 0;
}

int gx_content__write_file(struct gx_cio *cio, const struct gx_content_new *c)
{
	char path[PATH_MAX], tmp[PATH_MAX];
	if (gx_cio__path(cio, c->hash, "", path) != 0 || gx_cio__path(cio, c->hash, ".new", tmp) != 0)
		return gx_cio__fail(cio, GX_E_LIMIT, "%s: path too long", cio->dir);
	int err = make_dirs(cio, path);
	if (err == 0 && (err = remember(&cio->made, &cio->made_n, &cio->made_cap, c->hash)) != 0)
		return gx_cio__fail(cio, err, "%s: out of memory", cio->dir);
	if (err == 0)
		err = write_synced(cio, tmp, c);
	if (err != 0)
		return err;
	if (cio->fs->rename(cio->fs, tmp, path) != 0) {
		err = io_fail(cio, path, "rename");
		cio->fs->unlink(cio->fs, tmp);
		return err;
	}
	*strrchr(path, '/') = '\0';
	return sync_dir(cio, path);
}

static int unlink_one(struct gx_cio *cio, const uint8_t *hash, const char *suffix)
{
	char path[PATH_MAX];
	if (gx_cio__path(cio, hash, suffix, path) != 0)
		return gx_cio__fail(cio, GX_E_LIMIT, "%s: path too long", cio->dir);
	if (cio->fs->unlink(cio->fs, path) != 0)
		return errno == ENOENT ? 0 : io_fail(cio, path, "unlink");
	cio->removed[hash[0]] = true;
	return 0;
}

/* Also one that was not finished, and could not be removed then. */
int gx_content__unlink_file(struct gx_cio *cio, const uint8_t hash[GX_HASH_LEN])
{
	int err = unlink_one(cio, hash, "");
	return err != 0 ? err : unlink_one(cio, hash, ".new");
}

int gx_content__sync_removed(struct gx_cio *cio)
{
	for (unsigned i = 0; i < 256; ++i) {
		char path[PATH_MAX];
		int n = cio->removed[i] ? snprintf(path, sizeof(path), "%s/cid/%02x", cio->dir, i) : 0;
		if (n == 0)
			continue;
		int err = n < 0 || (size_t)n >= sizeof(path) ? GX_E_LIMIT : sync_dir(cio, path);
		if (err != 0)
			return err;
		cio->removed[i] = false;
	}
	return 0;
}

int gx_content__file_unused(struct gx_cio *cio, const uint8_t hash[GX_HASH_LEN])
{
	int err = remember(&cio->now, &cio->now_n, &cio->now_cap, hash);
	return err == 0 ? 0 : gx_cio__fail(cio, err, "%s: out of memory", cio->dir);
}

/* Without memory they stay; gx_content__collect() finds them. */
static void wait_for_sweep(struct gx_cio *cio, const struct gx_cio_wait *v, size_t n)
{
	for (size_t i = 0; i < n; ++i)
		if (remember(&cio->later, &cio->later_n, &cio->later_cap, v[i].hash) != 0)
			cio->forgot = true;
}

bool gx_content__all_swept(const struct gx_cio *cio)
{
	return cio->later_n == 0 && !cio->forgot;
}

void gx_content__committed(struct gx_cio *cio)
{
	wait_for_sweep(cio, cio->now, cio->now_n);
	cio->now_n = cio->made_n = 0;
}

void gx_content__aborted(struct gx_cio *cio)
{
	wait_for_sweep(cio, cio->made, cio->made_n);
	cio->now_n = cio->made_n = 0;
}

bool gx_content__sweep_due(const struct gx_cio *cio, int64_t min_age_ms)
{
	return cio->later_n > 0 && gx_clock_mono_ms(gx_clock_system()) - cio->later[0].since_ms >= min_age_ms;
}

static int is_known(struct gx_cio *cio, struct gx_sql *q, const uint8_t *hash)
{
	GX_STMT(st, q, "SELECT 1 FROM content WHERE hash=?1");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	int r = gx_sql__step(st);
	return r < 0 ? gx_cio__sql_fail(cio, q, r) : r;
}

int gx_content__sweep(struct gx_cio *cio, struct gx_sql *q, int64_t min_age_ms)
{
	int64_t now = gx_clock_mono_ms(gx_clock_system());
	size_t i = 0;
	int err = 0;
	for (; i < cio->later_n && now - cio->later[i].since_ms >= min_age_ms; ++i) {
		int known = is_known(cio, q, cio->later[i].hash);
		err = known < 0 ? known : known == 1 ? 0 : gx_content__unlink_file(cio, cio->later[i].hash);
		if (err != 0) /* stays in the list */
			break;
	}
	memmove(cio->later, cio->later + i, (cio->later_n - i) * sizeof(*cio->later));
	cio->later_n -= i;
	return err;
}

static bool parse_name(const char *name, uint8_t hash[GX_HASH_LEN])
{
	if (strlen(name) != 2 * GX_HASH_LEN || strspn(name, "0123456789abcdef") != 2 * GX_HASH_LEN)
		return false;
	for (size_t i = 0; i < GX_HASH_LEN; ++i) {
		unsigned v = 0;
		for (size_t k = 0; k < 2; ++k) {
			char c = name[2 * i + k];
			v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		hash[i] = (uint8_t)v;
	}
	return true;
}

int gx_content__hold_file(int dirfd, const char *name, bool *ret_in_use)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	*ret_in_use = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	return fd;
}

static int remove_stray(struct gx_cio *cio, const char *dir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return gx_cio__fail(cio, GX_E_LIMIT, "%s: path too long", dir);
	if (cio->fs->unlink(cio->fs, path) == 0)
		return 1;
	return errno == ENOENT ? 0 : io_fail(cio, path, "unlink");
}

/* Unless gromox-compress is at it; which must not find it gone, and another one's in its place. */
static int remove_unfinished(struct gx_cio *cio, int dirfd, const char *dir, const char *name)
{
	bool in_use;
	int fd = gx_content__hold_file(dirfd, name, &in_use);
	int n = in_use ? 0 : remove_stray(cio, dir, name);
	if (fd >= 0)
		close(fd);
	return n;
}

int gx_content__file_name(const char *name, uint8_t hash[GX_HASH_LEN])
{
	size_t len = strlen(name);
	if (parse_name(name, hash))
		return GX_CFILE_OBJECT;
	const char *suffix = len > 2 * GX_HASH_LEN ? name + 2 * GX_HASH_LEN : "";
	return strcmp(suffix, ".new") == 0 || strcmp(suffix, GX_CFILE_REPACKED) == 0 ? GX_CFILE_UNFINISHED : GX_CFILE_OTHER;
}

static long collect_dir(struct gx_cio *cio, struct gx_sql *q, const char *path)
{
	DIR *d = cio->fs->opendir(cio->fs, path);
	if (d == NULL)
		return errno == ENOENT ? 0 : io_fail(cio, path, "opendir");
	long n = 0;
	for (struct dirent *e; n >= 0 && (e = readdir(d)) != NULL;) {
		uint8_t hash[GX_HASH_LEN];
		int kind = gx_content__file_name(e->d_name, hash);
		int r = kind == GX_CFILE_OBJECT ? is_known(cio, q, hash) : 0;
		if (kind == GX_CFILE_OBJECT && r >= 0)
			r = r == 0 ? remove_stray(cio, path, e->d_name) : 0;
		else if (kind == GX_CFILE_UNFINISHED)
			r = remove_unfinished(cio, dirfd(d), path, e->d_name);
		n = r < 0 ? r : n + r;
	}
	closedir(d);
	/* Also what an earlier life removed and did not flush. */
	int err = n < 0 ? 0 : sync_dir(cio, path);
	return err != 0 ? err : n;
}

long gx_content__collect(struct gx_cio *cio, struct gx_sql *q)
{
	long total = 0;
	for (unsigned i = 0; i < 256; ++i) {
		char path[PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s/cid/%02x", cio->dir, i);
		if (len < 0 || (size_t)len >= sizeof(path))
			return gx_cio__fail(cio, GX_E_LIMIT, "%s: path too long", cio->dir);
		long n = collect_dir(cio, q, path);
		if (n < 0)
			return n;
		total += n;
	}
	return total;
}
