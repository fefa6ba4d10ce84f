/* SPDX-License-Identifier: Apache-2.0 */
/* One file of a copy. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include "libgxstore/snapshot/sn-int.h"

int gx_sn__fail(struct gx_sn *x, int err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(x->why, sizeof(x->why), fmt, ap);
	va_end(ap);
	return err;
}

int gx_sn__errno(struct gx_sn *x, const char *path)
{
	int e = errno;
	return gx_sn__fail(x, e == EEXIST ? GX_E_EXISTS : gx_fs__err(e), "%s: %s", path, strerror(e));
}

void gx_sn__left(struct gx_sn *x, const char *fmt, ...)
{
	char text[PATH_MAX + 256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	x->r->left++;
	if (x->o->left != NULL)
		x->o->left(text, x->o->ctx);
}

int gx_sn__join(struct gx_sn *x, char *out, const char *dir, const char *name)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);
	return n < 0 || n >= PATH_MAX ? gx_sn__fail(x, GX_E_LIMIT, "%s: path too long", dir) : 0;
}

int gx_sn__progress(struct gx_sn *x)
{
	bool stop = x->o->progress != NULL && x->o->progress(x->r->files, x->r->bytes, x->o->ctx) != 0;
	return stop ? gx_sn__fail(x, GX_E_STATE, "%s: stopped", x->to) : 0;
}

int gx_sn__count(struct gx_sn *x, uint64_t bytes, bool shared)
{
	x->r->files++;
	x->r->shared += shared;
	x->r->bytes += shared ? 0 : bytes;
	return x->r->files % 64 == 0 || bytes > GX_SN_BUF ? gx_sn__progress(x) : 0;
}

int gx_sn__create(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int gx_sn__clone(int from, int to)
{
	return ioctl(to, FICLONE, from) == 0 ? 0 : -1;
}

/* Whose it is matters to those who may give files away; to others everything is theirs. */
int gx_sn__attributes(struct gx_sn *x, const char *path, const struct stat *st)
{
	struct timespec t[2] = {st->st_atim, st->st_mtim};
	if (lchown(path, st->st_uid, st->st_gid) != 0 && errno != EPERM)
		return gx_sn__errno(x, path);
	if (S_ISLNK(st->st_mode))
		return 0;
	if (chmod(path, st->st_mode & 07777) != 0 || utimensat(AT_FDCWD, path, t, 0) != 0)
		return gx_sn__errno(x, path);
	return 0;
}

/* @return 1 it cannot be read. */
static int copy_bytes(struct gx_sn *x, int in, int out, const char *from, const char *to)
{
	for (;;) {
		ssize_t n = read(in, x->buf, GX_SN_BUF);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			gx_sn__left(x, "%s: %s", from, strerror(errno));
			return 1;
		}
		if (n == 0)
			return 0;
		if (gx_fs__write_all(&gx_fs__system, out, x->buf, (size_t)n) != 0)
			return gx_sn__errno(x, to);
		x->r->bytes += (uint64_t)n;
		int err = gx_sn__progress(x);
		if (err != 0)
			return err;
	}
}

static int fill(struct gx_sn *x, int in, const char *from, const char *to)
{
	int out = gx_sn__create(to);
	if (out < 0)
		return gx_sn__errno(x, to);
	bool shared = gx_sn__clone(in, out) == 0;
	int err = shared ? 0 : copy_bytes(x, in, out, from, to);
	if (close(out) != 0 && err == 0)
		err = gx_sn__errno(x, to);
	if (err > 0) /* half of it is not a copy */
		return unlink(to) == 0 ? 1 : gx_sn__errno(x, to);
	return err != 0 ? err : gx_sn__count(x, 0, shared);
}

int gx_sn__copy(struct gx_sn *x, const char *from, const char *to)
{
	struct stat st;
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err = 0;
	if (in < 0 || fstat(in, &st) != 0) {
		if (errno != ENOENT)
			gx_sn__left(x, "%s: %s", from, strerror(errno));
	} else {
		err = fill(x, in, from, to);
		if (err == 0)
			err = gx_sn__attributes(x, to, &st);
	}
	if (in >= 0)
		close(in);
	return err > 0 ? 0 : err;
}

/* The file of that name in the copy before this one. It may have been packed otherwise; its name says what it holds. */
static bool link_earlier(struct gx_sn *x, const char *to)
{
	char path[PATH_MAX];
	size_t n = strlen(x->to);
	return x->o->earlier != NULL && strncmp(to, x->to, n) == 0 && gx_sn__join(x, path, x->o->earlier, to + n) == 0 &&
		link(path, to) == 0;
}

int gx_sn__link(struct gx_sn *x, const char *from, const char *to)
{
	if (link(from, to) == 0)
		return gx_sn__count(x, 0, true);
	if (errno == ENOENT || errno == EEXIST)
		return 0;
	return link_earlier(x, to) ? gx_sn__count(x, 0, true) : gx_sn__copy(x, from, to);
}
