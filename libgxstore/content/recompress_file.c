/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content files, without the database that names them. The name is the hash of what a file holds, so
 * each can be understood alone; and what replaces it holds the same, so that whoever opens either of
 * the two is right.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "libgxstore/content/recompress.h"

/* A content file that is read. */
struct source {
	struct gx_rec *x;
	int fd;
	struct stat st;
	uint64_t size;           /* of the content */
	bool packed;
	size_t blocks;
	uint32_t *entry;         /* of packed ones */
	uint64_t *at;
};

static void close_source(struct source *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->entry);
	free(f->at);
}

/*
 * Is there a number of blocks whose table and lengths make up the file? There is at most one. The
 * table is read in pieces of many entries.
 */
static int count_blocks(const struct source *f, size_t *ret_n)
{
	uint64_t len = (uint64_t)f->st.st_size, sum = 0;
	uint8_t buf[4096];
	for (uint64_t off = 0; off < len && sum < len;) {
		size_t n = len - off < sizeof(buf) ? (size_t)(len - off) / 4 * 4 : sizeof(buf);
		struct gx_pull c;
		int err = n == 0 ? GX_E_FORMAT : gx_fs__pread_all(&gx_fs__system, f->fd, buf, n, off);
		if (err != 0)
			return err;
		gx_pull_init(&c, buf, n);
		for (; c.left > 0 && sum < len; off += 4) {
			uint32_t part = gx_pull_u32(&c) & ~GX_PACK_RAW_BLOCK;
			if (part == 0 || part > ZSTD_COMPRESSBOUND(GX_PACK_BLOCK))
				return GX_E_FORMAT;
			sum += part + 4;
		}
		*ret_n = (size_t)(off / 4);
	}
	return sum == len && len > 0 ? 0 : GX_E_FORMAT;
}

static int read_table(struct source *f)
{
	int err = count_blocks(f, &f->blocks);
	if (err != 0)
		return err;
	size_t n = f->blocks;
	uint8_t *table = malloc(4 * n);
	f->entry = calloc(n, sizeof(*f->entry));
	f->at = calloc(n, sizeof(*f->at));
	err = table == NULL || f->entry == NULL || f->at == NULL ? GX_E_NOMEM
		: gx_fs__pread_all(&gx_fs__system, f->fd, table, 4 * n, 0);
	struct gx_pull c;
	gx_pull_init(&c, table, err == 0 ? 4 * n : 0);
	uint64_t at = 4 * (uint64_t)n;
	for (size_t i = 0; err == 0 && i < n; ++i) {
		f->entry[i] = gx_pull_u32(&c);
		f->at[i] = at;
		at += f->entry[i] & ~GX_PACK_RAW_BLOCK;
	}
	free(table);
	return err;
}

static int load_packed(struct source *f, size_t i, const uint8_t **ret_p, size_t *ret_n)
{
	size_t n = f->entry[i] & ~GX_PACK_RAW_BLOCK;
	gx_push_clear(&f->x->packed);
	uint8_t *p = gx_push_reserve(&f->x->packed, n);
	*ret_p = p;
	*ret_n = n;
	return p == NULL ? GX_E_NOMEM : gx_fs__pread_all(&gx_fs__system, f->fd, p, n, f->at[i]);
}

/* A packed file does not say how much it holds: all blocks but the last are full. */
static int find_size(struct source *f)
{
	const uint8_t *p;
	size_t n;
	int err = load_packed(f, f->blocks - 1, &p, &n);
	if (err != 0)
		return err;
	unsigned long long last = n;
	if (!(f->entry[f->blocks - 1] & GX_PACK_RAW_BLOCK))
		last = ZSTD_getFrameContentSize(p, n);
	if (last == 0 || last > GX_PACK_BLOCK)
		return GX_E_FORMAT;
	f->size = (uint64_t)(f->blocks - 1) * GX_PACK_BLOCK + last;
	f->packed = true;
	return 0;
}

static int get_block(void *ctx, size_t i, size_t n, uint8_t *out)
{
	struct source *f = ctx;
	if (!f->packed)
		return gx_fs__pread_all(&gx_fs__system, f->fd, out, n, (uint64_t)i * GX_PACK_BLOCK);
	const uint8_t *p;
	size_t len;
	int err = load_packed(f, i, &p, &len);
	return err != 0 ? err : gx_pack__unpack_block(f->x->d, p, f->entry[i], out, n);
}

/*
 * The file that will take the place of path, under a lock: two of us must not write one file. A file
 * that is left from a run that was killed is taken over. -1 with errno; EAGAIN somebody has it.
 */
static int open_beside(const char *tmp, mode_t mode)
{
	struct stat mine, there;
	int fd = open(tmp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode & 0777);
	if (fd < 0)
		return -1;
	/* Between opening and locking, another one may have put it to its place. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &mine) != 0 || stat(tmp, &there) != 0 ||
		mine.st_ino != there.st_ino || mine.st_dev != there.st_dev) {
		close(fd);
		errno = EAGAIN;
		return -1;
	}
	if (ftruncate(fd, 0) == 0 && fchmod(fd, mode & 0777) == 0)
		return fd;
	int e = errno;
	close(fd);
	errno = e;
	return -1;
}

static int sync_parent(const char *path)
{
	char dir[PATH_MAX];
	snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (slash == dir)
		slash[1] = '\0';
	else if (slash != NULL)
		*slash = '\0';
	return gx_fs__sync_dir(&gx_fs__system, slash == NULL ? "." : dir);
}

/* @return 0, or -1 with errno. The file may have gone meanwhile, and must not come back then. */
static int take_place(const struct source *f, int fd, const char *tmp, const char *path)
{
	struct stat now;
	if (fchown(fd, f->st.st_uid, f->st.st_gid) != 0 || fsync(fd) != 0 || stat(path, &now) != 0)
		return -1;
	if (now.st_ino != f->st.st_ino || now.st_dev != f->st.st_dev || now.st_size != f->st.st_size) {
		errno = EAGAIN;
		return -1;
	}
	return rename(tmp, path) != 0 ? -1 : sync_parent(path);
}

struct outcome {
	bool sound, replaced;
	uint64_t len;
};

/* Writes it anew beside itself. */
static int repack(struct source *f, const uint8_t *want, const char *path, struct outcome *ret_o)
{
	char tmp[PATH_MAX];
	uint8_t hash[GX_HASH_LEN], comp = GX_PACK_RAW;
	uint64_t len = 0;
	int n = snprintf(tmp, sizeof(tmp), "%s" GX_CFILE_REPACKED, path), fd = -1;
	*ret_o = (struct outcome){.sound = true, .len = (uint64_t)f->st.st_size};
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return GX_E_LIMIT;
	fd = open_beside(tmp, f->st.st_mode);
	if (fd < 0) {
		if (errno != EAGAIN)
			gx_rec__left(f->x, "%s: %s", tmp, strerror(errno));
		return errno == EAGAIN ? 0 : gx_fs__err(errno);
	}
	int err = gx_pack__pack_blocks(&f->x->c, &gx_fs__system, get_block, f, f->size, fd, hash, &comp, &len);
	ret_o->sound = err == 0 && memcmp(hash, want, GX_HASH_LEN) == 0;
	bool better = ret_o->sound && comp == GX_PACK_BLOCKS && len < (uint64_t)f->st.st_size;
	if (better && take_place(f, fd, tmp, path) == 0) {
		ret_o->replaced = true;
		ret_o->len = len;
	} else {
		int e = errno;
		if (better && e != EAGAIN && e != ENOENT) {
			gx_rec__left(f->x, "%s: %s", path, strerror(e));
			err = gx_fs__err(e);
		}
		unlink(tmp);
	}
	close(fd);
	return err;
}

static int process(struct source *f, const uint8_t *hash, const char *path, struct outcome *ret_o)
{
	int err = read_table(f);
	if (err == 0)
		err = find_size(f);
	if (err == 0)
		err = repack(f, hash, path, ret_o);
	if (err != GX_E_FORMAT && (err != 0 || ret_o->sound))
		return err;
	/* What looks like packed blocks may be anything. */
	f->packed = false;
	f->size = (uint64_t)f->st.st_size;
	return repack(f, hash, path, ret_o);
}

static int one_file(struct gx_rec *x, const char *path, const uint8_t *hash)
{
	struct source f = {.x = x, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
	struct outcome o = {.sound = true};
	int err = 0;
	if (f.fd < 0 || fstat(f.fd, &f.st) != 0) {
		if (errno != ENOENT) /* it was in use until now */
			gx_rec__left(x, "%s: %s", path, strerror(errno));
		close_source(&f);
		return 0;
	}
	o.len = (uint64_t)f.st.st_size;
	if (!x->o->dry_run && f.st.st_size > 0)
		err = process(&f, hash, path, &o);
	if (err == 0 && !o.sound)
		gx_rec__left(x, "%s: its bytes have another hash; restore it from a backup", path);
	x->r->replaced += o.replaced;
	close_source(&f);
	return err == 0 ? gx_rec__counted(x, (uint64_t)f.st.st_size, o.len) : err;
}

/* ---- Directories ---- */

typedef int file_fn(const char *path, const uint8_t *hash, void *ctx);

static int wanted(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int walk(const char *path, int depth, file_fn *fn, void *ctx);

static int entry(const char *path, const char *name, int depth, file_fn *fn, void *ctx)
{
	char sub[PATH_MAX];
	uint8_t hash[GX_HASH_LEN];
	struct stat st;
	int n = snprintf(sub, sizeof(sub), "%s/%s", path, name);
	if (n < 0 || (size_t)n >= sizeof(sub))
		return GX_E_LIMIT;
	if (lstat(sub, &st) != 0)
		return 0; /* it was in use until now */
	if (S_ISDIR(st.st_mode) && depth > 0)
		return walk(sub, depth - 1, fn, ctx);
	return S_ISREG(st.st_mode) && gx_content__file_name(name, hash) == GX_CFILE_OBJECT ? fn(sub, hash, ctx) : 0;
}

/*
 * Calls fn for each content file in path and below, so many levels deep. Names are read before anything is
 * renamed: a directory may show the new one, too.
 */
static int walk(const char *path, int depth, file_fn *fn, void *ctx)
{
	struct dirent **list;
	int n = scandir(path, &list, wanted, alphasort), err = 0;
	if (n < 0)
		return errno == ENOENT ? GX_E_NOTFOUND : gx_fs__err(errno);
	for (int i = 0; i < n; ++i) {
		if (err == 0)
			err = entry(path, list[i]->d_name, depth, fn, ctx);
		err = err == GX_E_NOTFOUND ? 0 : err;
		free(list[i]);
	}
	free(list);
	return err;
}

/* A file, or all of a directory: /STORE/cid, a single subdirectory of it, or the store itself. */
static int each(const char *path, file_fn *fn, void *ctx)
{
	struct stat st;
	uint8_t hash[GX_HASH_LEN];
	const char *slash = strrchr(path, '/');
	if (stat(path, &st) != 0)
		return errno == ENOENT ? GX_E_NOTFOUND : gx_fs__err(errno);
	if (S_ISDIR(st.st_mode))
		return walk(path, 2, fn, ctx);
	if (!S_ISREG(st.st_mode) || gx_content__file_name(slash == NULL ? path : slash + 1, hash) != GX_CFILE_OBJECT)
		return GX_E_INVAL;
	return fn(path, hash, ctx);
}

static int add_size(const char *path, const uint8_t *hash, void *ctx)
{
	struct stat st;
	(void)hash;
	*(uint64_t *)ctx += stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
	return 0;
}

int gx_rec__measure(const char *path, uint64_t *io_total)
{
	return each(path, add_size, io_total);
}

static int work_on(const char *path, const uint8_t *hash, void *ctx)
{
	return one_file(ctx, path, hash);
}

int gx_rec__path(struct gx_rec *x, const char *path)
{
	return each(path, work_on, x);
}
