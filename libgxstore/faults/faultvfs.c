/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/gxtest.h"
#include "libgxstore/faults/faultvfs.h"

/* Is this call the one? 0 no, else the errno to give. */
static int due(struct fault *f, unsigned class)
{
	f->calls++;
	if (f->in == 0 || !(f->mask & class))
		return 0;
	if (f->in > 1) {
		f->in--;
		return 0;
	}
	f->in = f->sticky ? 1 : 0;
	f->hits++;
	f->last_errno = f->kind == FAULT_EIO ? EIO : ENOSPC;
	return f->last_errno;
}

static void changed(struct fault *f)
{
	f->changes++;
	if (f->changed != NULL)
		f->changed(f, f->ctx);
}

/* ---- What SQLite sees ---- */

struct ffile {
	sqlite3_file base;
	struct fault *f;
	struct fnode *node, *dir; /* dir: to be flushed with the file's first flush, as the unix VFS does */
	sqlite3_file *real;
};

#define X(file) ((struct ffile *)(file))
#define REAL(file, call, ...) (X(file)->real->pMethods->call(X(file)->real, ##__VA_ARGS__))

static int v_close(sqlite3_file *file)
{
	return X(file)->real->pMethods == NULL ? SQLITE_OK : REAL(file, xClose);
}

static int v_read(sqlite3_file *file, void *p, int n, sqlite3_int64 off)
{
	return due(X(file)->f, FAULT_READ) != 0 ? SQLITE_IOERR_READ : REAL(file, xRead, p, n, off);
}

static int write_part(struct ffile *x, const void *p, int n, sqlite3_int64 off)
{
	int rc = x->real->pMethods->xWrite(x->real, p, n, off);
	if (rc == SQLITE_OK && x->node != NULL) {
		fdisk_write(x->f->disk, x->node, p, (size_t)n, (uint64_t)off);
		changed(x->f);
	}
	return rc;
}

static int v_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 off)
{
	struct ffile *x = X(file);
	int e = due(x->f, FAULT_WRITE);
	if (e == 0)
		return write_part(x, p, n, off);
	if (x->f->kind == FAULT_SHORT && n > 1)
		(void)!write_part(x, p, n / 2, off);
	return e == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int v_truncate(sqlite3_file *file, sqlite3_int64 n)
{
	struct ffile *x = X(file);
	if (due(x->f, FAULT_TRUNCATE) != 0)
		return SQLITE_IOERR_TRUNCATE;
	int rc = REAL(file, xTruncate, n);
	if (rc == SQLITE_OK && x->node != NULL) {
		fdisk_truncate(x->f->disk, x->node, (uint64_t)n);
		changed(x->f);
	}
	return rc;
}

static int v_sync(sqlite3_file *file, int flags)
{
	struct ffile *x = X(file);
	(void)flags;
	if (due(x->f, FAULT_SYNC) != 0) {
		if (x->node != NULL)
			fdisk_sync_failed(x->node);
		return SQLITE_IOERR_FSYNC;
	}
	if (x->node == NULL)
		return SQLITE_OK;
	fdisk_sync(x->node);
	changed(x->f);
	if (x->dir != NULL) {
		fdisk_sync(x->dir);
		x->dir = NULL;
		changed(x->f);
	}
	return SQLITE_OK;
}

static int v_size(sqlite3_file *file, sqlite3_int64 *n)
{
	return due(X(file)->f, FAULT_STAT) != 0 ? SQLITE_IOERR_FSTAT : REAL(file, xFileSize, n);
}

static int v_lock(sqlite3_file *file, int level)
{
	return due(X(file)->f, FAULT_LOCK) != 0 ? SQLITE_IOERR_LOCK : REAL(file, xLock, level);
}

static int v_unlock(sqlite3_file *file, int level)
{
	return REAL(file, xUnlock, level);
}

static int v_reserved(sqlite3_file *file, int *r)
{
	return REAL(file, xCheckReservedLock, r);
}

static int v_control(sqlite3_file *file, int op, void *p)
{
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_OK; /* would change the file behind the model's back */
	return REAL(file, xFileControl, op, p);
}

static int v_sector(sqlite3_file *file)
{
	return REAL(file, xSectorSize);
}

static int v_device(sqlite3_file *file)
{
	return REAL(file, xDeviceCharacteristics);
}

static int v_shmmap(sqlite3_file *file, int i, int n, int extend, void volatile **p)
{
	return due(X(file)->f, FAULT_SHM) != 0 ? SQLITE_IOERR_SHMMAP : REAL(file, xShmMap, i, n, extend, p);
}

static int v_shmlock(sqlite3_file *file, int off, int n, int flags)
{
	/* Giving one back does not fail. */
	if ((flags & SQLITE_SHM_LOCK) && due(X(file)->f, FAULT_LOCK) != 0)
		return SQLITE_IOERR_SHMLOCK;
	return REAL(file, xShmLock, off, n, flags);
}

static void v_barrier(sqlite3_file *file)
{
	REAL(file, xShmBarrier);
}

static int v_unmap(sqlite3_file *file, int d)
{
	return REAL(file, xShmUnmap, d);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, .xClose = v_close, .xRead = v_read, .xWrite = v_write, .xTruncate = v_truncate, .xSync = v_sync,
	.xFileSize = v_size, .xLock = v_lock, .xUnlock = v_unlock, .xCheckReservedLock = v_reserved, .xFileControl = v_control,
	.xSectorSize = v_sector, .xDeviceCharacteristics = v_device, .xShmMap = v_shmmap, .xShmLock = v_shmlock,
	.xShmBarrier = v_barrier, .xShmUnmap = v_unmap,
};

/* A file that was opened: followed, and created in the model when it is new. */
static void follow(struct ffile *x, const char *name, int flags)
{
	struct fault *f = x->f;
	if (f->disk == NULL || name == NULL)
		return;
	x->node = fdisk_find(f->disk, name);
	if (x->node != NULL || fdisk_parent(f->disk, name) == NULL)
		return;
	x->node = fdisk_create(f->disk, name, false);
	if (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL))
		x->dir = fdisk_parent(f->disk, name);
	changed(f);
}

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct ffile *x = X(file);
	memset(x, 0, sizeof(*x));
	x->f = v->pAppData;
	x->real = (sqlite3_file *)(x + 1);
	if (due(x->f, FAULT_OPEN) != 0)
		return SQLITE_CANTOPEN;
	int rc = x->f->real->xOpen(x->f->real, name, x->real, flags, out);
	if (rc != SQLITE_OK)
		return rc;
	x->base.pMethods = &methods;
	follow(x, name, flags);
	return SQLITE_OK;
}

static int v_delete(sqlite3_vfs *v, const char *name, int sync_dir)
{
	struct fault *f = v->pAppData;
	if (due(f, FAULT_DELETE) != 0)
		return SQLITE_IOERR_DELETE;
	int rc = f->real->xDelete(f->real, name, 0);
	if (rc != SQLITE_OK || f->disk == NULL)
		return rc;
	fdisk_unlink(f->disk, name);
	changed(f);
	struct fnode *dir = fdisk_parent(f->disk, name);
	if (sync_dir && dir != NULL) {
		fdisk_sync(dir);
		changed(f);
	}
	return SQLITE_OK;
}

static int v_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	struct fault *f = v->pAppData;
	return due(f, FAULT_STAT) != 0 ? SQLITE_IOERR_ACCESS : f->real->xAccess(f->real, name, flags, out);
}

static int v_error(sqlite3_vfs *v, int n, char *s)
{
	struct fault *f = v->pAppData;
	return f->hits > 0 ? f->last_errno : f->real->xGetLastError(f->real, n, s);
}

/* ---- What the store calls itself ---- */

static struct fault *of(const struct gx_fs *fs)
{
	return (struct fault *)(uintptr_t)fs;
}

/* Sets errno; true when the call fails. */
static bool refused(struct fault *f, unsigned class)
{
	int e = due(f, class);
	if (e != 0)
		errno = e;
	return e != 0;
}

static int f_open(const struct gx_fs *fs, const char *path, int flags, mode_t mode)
{
	struct fault *f = of(fs);
	if (refused(f, flags & O_CREAT ? FAULT_OPEN | FAULT_NAME : FAULT_OPEN))
		return -1;
	int fd = open(path, flags, mode);
	if (fd < 0)
		return -1;
	assert(fd < FAULT_FDS);
	f->node[fd] = NULL;
	f->half[fd] = false;
	if (f->disk == NULL)
		return fd;
	f->node[fd] = fdisk_find(f->disk, path);
	if (f->node[fd] == NULL && (flags & O_CREAT)) {
		f->node[fd] = fdisk_create(f->disk, path, false);
		changed(f);
	} else if (f->node[fd] != NULL && (flags & O_TRUNC)) {
		fdisk_truncate(f->disk, f->node[fd], 0);
		changed(f);
	}
	return fd;
}

/* It is closed even when it fails. */
static int f_close(const struct gx_fs *fs, int fd)
{
	(void)fs;
	return close(fd);
}

static void wrote(struct fault *f, int fd, const void *p, ssize_t n, uint64_t off)
{
	if (n <= 0 || f->node[fd] == NULL)
		return;
	fdisk_write(f->disk, f->node[fd], p, (size_t)n, off);
	changed(f);
}

/* How much of a write is done: n, half of it, or -1 with errno. */
static ssize_t allowed(struct fault *f, int fd, size_t n)
{
	if (f->half[fd]) {
		f->half[fd] = false;
		errno = ENOSPC;
		return -1;
	}
	if (!refused(f, FAULT_WRITE))
		return (ssize_t)n;
	if (f->kind != FAULT_SHORT || n < 2)
		return -1;
	f->half[fd] = true;
	return (ssize_t)(n / 2);
}

static ssize_t f_write(const struct gx_fs *fs, int fd, const void *p, size_t n)
{
	struct fault *f = of(fs);
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t k = allowed(f, fd, n);
	if (k < 0)
		return -1;
	k = write(fd, p, (size_t)k);
	wrote(f, fd, p, k, (uint64_t)at);
	return k;
}

static ssize_t f_pread(const struct gx_fs *fs, int fd, void *p, size_t n, off_t off)
{
	return refused(of(fs), FAULT_READ) ? -1 : pread(fd, p, n, off);
}

static ssize_t f_pwrite(const struct gx_fs *fs, int fd, const void *p, size_t n, off_t off)
{
	struct fault *f = of(fs);
	ssize_t k = allowed(f, fd, n);
	if (k < 0)
		return -1;
	k = pwrite(fd, p, (size_t)k, off);
	wrote(f, fd, p, k, (uint64_t)off);
	return k;
}

static int f_fsync(const struct gx_fs *fs, int fd)
{
	struct fault *f = of(fs);
	bool no = refused(f, FAULT_SYNC);
	if (f->node[fd] != NULL && no)
		fdisk_sync_failed(f->node[fd]);
	if (f->node[fd] != NULL && !no) {
		fdisk_sync(f->node[fd]);
		changed(f);
	}
	return no ? -1 : 0;
}

static int f_mkdir(const struct gx_fs *fs, const char *path, mode_t mode)
{
	struct fault *f = of(fs);
	if (refused(f, FAULT_NAME) || mkdir(path, mode) != 0)
		return -1;
	if (f->disk != NULL) {
		fdisk_create(f->disk, path, true);
		changed(f);
	}
	return 0;
}

static int f_rename(const struct gx_fs *fs, const char *from, const char *to)
{
	struct fault *f = of(fs);
	if (refused(f, FAULT_NAME) || rename(from, to) != 0)
		return -1;
	if (f->disk != NULL) {
		fdisk_rename(f->disk, from, to);
		changed(f);
	}
	return 0;
}

static int f_unlink(const struct gx_fs *fs, const char *path)
{
	struct fault *f = of(fs);
	if (refused(f, FAULT_DELETE) || unlink(path) != 0)
		return -1;
	if (f->disk != NULL) {
		fdisk_unlink(f->disk, path);
		changed(f);
	}
	return 0;
}

static DIR *f_opendir(const struct gx_fs *fs, const char *path)
{
	return refused(of(fs), FAULT_OPEN) ? NULL : opendir(path);
}

static void f_boot_id(const struct gx_fs *fs, char *buf, size_t size)
{
	snprintf(buf, size, "%s", of(fs)->boot);
}

/* ---- Begin and end ---- */

struct fault *fault_new(const char *root, bool follow_it)
{
	static unsigned serial;
	struct fault *f = calloc(1, sizeof(*f));
	ck_assert_ptr_nonnull(f);
	snprintf(f->name, sizeof(f->name), "fault%u", ++serial);
	snprintf(f->boot, sizeof(f->boot), "boot %u", serial);
	f->real = sqlite3_vfs_find(NULL);
	f->vfs = *f->real;
	f->vfs.szOsFile = (int)sizeof(struct ffile) + f->real->szOsFile;
	f->vfs.zName = f->name;
	f->vfs.pNext = NULL;
	f->vfs.pAppData = f;
	f->vfs.xOpen = v_open;
	f->vfs.xDelete = v_delete;
	f->vfs.xAccess = v_access;
	f->vfs.xGetLastError = v_error;
	f->fs = (struct gx_fs){.open = f_open, .close = f_close, .write = f_write, .pread = f_pread, .pwrite = f_pwrite, .fsync = f_fsync,
		.fdatasync = f_fsync, .mkdir = f_mkdir, .rename = f_rename, .unlink = f_unlink, .opendir = f_opendir, .boot_id = f_boot_id,
		.vfs = f->name};
	if (follow_it)
		f->disk = fdisk_new(root);
	ck_assert_int_eq(sqlite3_vfs_register(&f->vfs, 0), SQLITE_OK);
	return f;
}

void fault_free(struct fault *f)
{
	if (f == NULL)
		return;
	sqlite3_vfs_unregister(&f->vfs);
	fdisk_free(f->disk);
	free(f);
}

void fault_arm(struct fault *f, unsigned long in, int kind, unsigned mask, bool sticky)
{
	f->in = in;
	f->kind = kind;
	f->mask = mask;
	f->sticky = sticky;
	f->hits = 0;
	memset(f->half, 0, sizeof(f->half));
}

bool fault_disarm(struct fault *f)
{
	bool hit = f->hits > 0;
	f->left = f->in;
	f->in = 0;
	f->hits = 0;
	return hit;
}
