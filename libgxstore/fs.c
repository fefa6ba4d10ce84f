/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libgxstore/fs-int.h"

static int sys_open(const struct gx_fs *fs, const char *path, int flags, mode_t mode)
{
	(void)fs;
	return open(path, flags, mode);
}

static int sys_close(const struct gx_fs *fs, int fd)
{
	(void)fs;
	return close(fd);
}

static ssize_t sys_write(const struct gx_fs *fs, int fd, const void *p, size_t n)
{
	(void)fs;
	return write(fd, p, n);
}

static ssize_t sys_pread(const struct gx_fs *fs, int fd, void *p, size_t n, off_t off)
{
	(void)fs;
	return pread(fd, p, n, off);
}

static ssize_t sys_pwrite(const struct gx_fs *fs, int fd, const void *p, size_t n, off_t off)
{
	(void)fs;
	return pwrite(fd, p, n, off);
}

static int sys_fsync(const struct gx_fs *fs, int fd)
{
	(void)fs;
	return fsync(fd);
}

static int sys_fdatasync(const struct gx_fs *fs, int fd)
{
	(void)fs;
	return fdatasync(fd);
}

static int sys_mkdir(const struct gx_fs *fs, const char *path, mode_t mode)
{
	(void)fs;
	return mkdir(path, mode);
}

static int sys_rename(const struct gx_fs *fs, const char *from, const char *to)
{
	(void)fs;
	return rename(from, to);
}

static int sys_unlink(const struct gx_fs *fs, const char *path)
{
	(void)fs;
	return unlink(path);
}

static DIR *sys_opendir(const struct gx_fs *fs, const char *path)
{
	(void)fs;
	return opendir(path);
}

static void sys_boot_id(const struct gx_fs *fs, char *buf, size_t size)
{
	(void)fs;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

const struct gx_fs gx_fs__system = {
	.open = sys_open, .close = sys_close, .write = sys_write, .pread = sys_pread, .pwrite = sys_pwrite, .fsync = sys_fsync,
	.fdatasync = sys_fdatasync, .mkdir = sys_mkdir, .rename = sys_rename, .unlink = sys_unlink, .opendir = sys_opendir,
	.boot_id = sys_boot_id,
};

int gx_fs__err(int e)
{
	return e == ENOSPC || e == EDQUOT ? GX_E_NOSPACE : e == ENOMEM ? GX_E_NOMEM : GX_E_IO;
}

int gx_fs__unnamed(const struct gx_fs *fs, const char *dir)
{
	char path[PATH_MAX], name[37];
	struct gx_guid g;
	if (gx_guid_random(&g) != 0)
		return GX_E_IO;
	gx_guid_print(&g, name);
	int n = snprintf(path, sizeof(path), "%s/tmp-%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return GX_E_LIMIT;
	int fd = fs->open(fs, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return gx_fs__err(errno);
	if (fs->unlink(fs, path) == 0)
		return fd;
	int err = gx_fs__err(errno);
	fs->close(fs, fd);
	return err;
}

int gx_fs__write_all(const struct gx_fs *fs, int fd, const void *p, size_t n)
{
	const uint8_t *b = p;
	while (n > 0) {
		ssize_t k = fs->write(fs, fd, b, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		b += k;
		n -= (size_t)k;
	}
	return 0;
}

int gx_fs__pwrite_all(const struct gx_fs *fs, int fd, const void *p, size_t n, uint64_t off)
{
	const uint8_t *b = p;
	while (n > 0) {
		ssize_t k = fs->pwrite(fs, fd, b, n, (off_t)off);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return gx_fs__err(k < 0 ? errno : ENOSPC);
		b += k;
		off += (uint64_t)k;
		n -= (size_t)k;
	}
	return 0;
}

int gx_fs__pread_all(const struct gx_fs *fs, int fd, void *p, size_t n, uint64_t off)
{
	uint8_t *b = p;
	while (n > 0) {
		ssize_t k = fs->pread(fs, fd, b, n, (off_t)off);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? gx_fs__err(errno) : GX_E_IO;
		b += k;
		off += (uint64_t)k;
		n -= (size_t)k;
	}
	return 0;
}

int gx_fs__sync_dir(const struct gx_fs *fs, const char *path)
{
	int fd = fs->open(fs, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int r = fs->fsync(fs, fd), e = errno;
	fs->close(fs, fd);
	errno = e;
	return r;
}
