/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_FS_INT_H
#define GXSTORE_FS_INT_H
/*
 * The file-system calls the store makes itself, beside those of SQLite: content files, the flush of
 * the log, making a store. Behind a table so that tests can make each of them fail and can lose
 * what was not flushed. Results and errno as of the system's calls of those names.
 */
#include <dirent.h>
#include <sys/types.h>
#include <gx/base.h>

struct gx_fs {
	int (*open)(const struct gx_fs *fs, const char *path, int flags, mode_t mode);
	int (*close)(const struct gx_fs *fs, int fd);
	ssize_t (*write)(const struct gx_fs *fs, int fd, const void *p, size_t n);
	ssize_t (*pread)(const struct gx_fs *fs, int fd, void *p, size_t n, off_t off);
	ssize_t (*pwrite)(const struct gx_fs *fs, int fd, const void *p, size_t n, off_t off);
	int (*fsync)(const struct gx_fs *fs, int fd);
	int (*fdatasync)(const struct gx_fs *fs, int fd);
	int (*mkdir)(const struct gx_fs *fs, const char *path, mode_t mode);
	int (*rename)(const struct gx_fs *fs, const char *from, const char *to);
	int (*unlink)(const struct gx_fs *fs, const char *path);
	DIR *(*opendir)(const struct gx_fs *fs, const char *path);
	/** Names this life of the system: another one after every start. "" unknown. */
	void (*boot_id)(const struct gx_fs *fs, char *buf, size_t size);
	const char *vfs; /**< the VFS that SQLite takes, by name; NULL its default */
};

extern const struct gx_fs gx_fs__system;

/** GX_E_* for the errno of a failed call. */
int gx_fs__err(int e);
/** A file without a name in that directory, to be written and read. Its descriptor or GX_E_*. */
int gx_fs__unnamed(const struct gx_fs *fs, const char *dir) GX_MUST_CHECK;
/** All of it. 0 or -1 with errno. */
int gx_fs__write_all(const struct gx_fs *fs, int fd, const void *p, size_t n) GX_MUST_CHECK;
/** All of it, at that place. 0 or GX_E_*; GX_E_IO also when the file ends too early. */
int gx_fs__pwrite_all(const struct gx_fs *fs, int fd, const void *p, size_t n, uint64_t off) GX_MUST_CHECK;
int gx_fs__pread_all(const struct gx_fs *fs, int fd, void *p, size_t n, uint64_t off) GX_MUST_CHECK;
/** Flushes a directory's entries. 0 or -1 with errno. */
int gx_fs__sync_dir(const struct gx_fs *fs, const char *path) GX_MUST_CHECK;

#endif
