/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below a store's directory that mail programs of the original keep there: messages as they came
 * in, and what was found out about them. The store itself has no use for them.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libgxstore/calls/call-int.h"

enum { NAME_MOST = 255, FILE_MOST = 1 << 30 };

static bool known_type(const char *type)
{
	return strcmp(type, "eml") == 0 || strcmp(type, "ext") == 0 || strcmp(type, "tmp/imap.rfc822") == 0;
}

/* May lie in a subdirectory, but never outside, nor be hidden. */
static gx_ec path_of(struct gx_call_ctx *c, const char *type, const char *name, char **ret_path)
{
	size_t n = strlen(name);
	if (!known_type(type))
		return gx_call__fail(c, ecInvalidParam, "there are no files of type \"%s\"", type);
	if (n == 0 || n > NAME_MOST || name[0] == '.' || name[0] == '/' || name[n - 1] == '/' || strstr(name, "/.") != NULL ||
	    strstr(name, "//") != NULL)
		return gx_call__fail(c, ecInvalidParam, "\"%s\" cannot be the name of a file", name);
	*ret_path = gx_arena_printf(c->a, "%s/%s/%s", c->dir, type, name);
	return *ret_path == NULL ? gx_call__err(c, GX_E_NOMEM) : GX_OK_EC;
}

static gx_ec failed(struct gx_call_ctx *c, const char *path, const char *what)
{
	int err = errno;
	return gx_call__fail(c, err == ENOENT || err == ENOTDIR ? ecNotFound : err == ENOSPC || err == EDQUOT ? ecOutOfDisk : ecDiskError,
		"%s: cannot %s it: %s", path, what, strerror(err));
}

static gx_ec read_all(struct gx_call_ctx *c, int fd, const char *path, struct gx_bin *ret_b)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return failed(c, path, "read");
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MOST)
		return gx_call__fail(c, ecTooBig, "%s: no file, or one of more than %d bytes", path, FILE_MOST);
	uint8_t *p = gx_arena_alloc(c->a, (size_t)st.st_size);
	if (p == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	size_t n = 0;
	while (n < (size_t)st.st_size) {
		ssize_t got = pread(fd, p + n, (size_t)st.st_size - n, (off_t)n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(c, path, "read");
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_b = (struct gx_bin){p, n};
	return GX_OK_EC;
}

gx_ec gx_call__imapfile_read(struct gx_call_ctx *c, const struct gx_x_imapfile_read_req *req, struct gx_x_imapfile_read_ans *ans)
{
	char *path;
	gx_ec ec = path_of(c, req->type, req->mid, &path);
	if (gx_ec_failed(ec))
		return ec;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return failed(c, path, "open");
	ec = read_all(c, fd, path, &ans->content);
	close(fd);
	return ec;
}

/* The directories of a path that may not be there yet; the parent of a new one is flushed. */
static gx_ec make_dirs(struct gx_call_ctx *c, char *path)
{
	const struct gx_fs *fs = c->s->fs;
	char *up = path + strlen(c->dir);
	for (char *p = strchr(up + 1, '/'); p != NULL; up = p, p = strchr(p + 1, '/')) {
		*p = '\0';
		int r = fs->mkdir(fs, path, 0770);
		if (r == 0) {
			*up = '\0';
			r = gx_fs__sync_dir(fs, path);
			*up = '/';
		}
		if (r != 0 && errno != EEXIST)
			return failed(c, path, "make");
		*p = '/';
	}
	return GX_OK_EC;
}

static bool write_synced(const struct gx_fs *fs, int fd, const struct gx_bin *b)
{
	bool ok = gx_fs__write_all(fs, fd, b->data, b->len) == 0 && fs->fsync(fs, fd) == 0;
	return fs->close(fs, fd) == 0 && ok;
}

/* Whole or not at all, and there after a power loss. */
static gx_ec put_file(struct gx_call_ctx *c, char *path, const struct gx_bin *b)
{
	const struct gx_fs *fs = c->s->fs;
	struct gx_guid g;
	char text[37];
	if (gx_guid_random(&g) != 0)
		return gx_call__err(c, GX_E_IO);
	gx_guid_print(&g, text);
	const char *tmp = gx_arena_printf(c->a, "%s/.new-%s", c->dir, text);
	if (tmp == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	int fd = fs->open(fs, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
	if (fd < 0)
		return failed(c, tmp, "make");
	if (!write_synced(fs, fd, b) || fs->rename(fs, tmp, path) != 0) {
		gx_ec ec = failed(c, path, "write");
		(void)!fs->unlink(fs, tmp);
		return ec;
	}
	*strrchr(path, '/') = '\0';
	return gx_fs__sync_dir(fs, path) == 0 ? GX_OK_EC : failed(c, path, "flush");
}

gx_ec gx_call__imapfile_write(struct gx_call_ctx *c, const struct gx_x_imapfile_write_req *req)
{
	char *path;
	gx_ec ec = path_of(c, req->type, req->mid, &path);
	if (!gx_ec_failed(ec))
		ec = make_dirs(c, path);
	return gx_ec_failed(ec) ? ec : put_file(c, path, &req->content);
}

gx_ec gx_call__imapfile_delete(struct gx_call_ctx *c, const struct gx_x_imapfile_delete_req *req)
{
	char *path;
	gx_ec ec = path_of(c, req->type, req->mid, &path);
	if (!gx_ec_failed(ec) && unlink(path) != 0 && errno != ENOENT)
		ec = failed(c, path, "remove");
	return ec;
}
