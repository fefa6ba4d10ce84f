/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_FAULTVFS_H
#define GXSTORE_FAULTVFS_H
/*
 * Tests: the file system below a store, both the part SQLite sees (a VFS) and the calls of the store
 * itself (struct gx_fs), in one place where calls are counted, made to fail, and followed by a
 * model of what is safe (faultdisk.h). Files are real ones; nothing is ever really flushed.
 *
 *	struct fault *f = fault_new(dir, true);
 *	gx_store__open_on(&f->fs, dir, ...);
 *	fault_arm(f, 7, FAULT_EIO, FAULT_ANY, false);   the 7th call from now fails
 *
 * One thread at a time.
 */
#include <sqlite3.h>
#include "libgxstore/faults/faultdisk.h"
#include "libgxstore/fs-int.h"

/* Kinds of calls. */
enum {
	FAULT_READ = 1, FAULT_WRITE = 2, FAULT_SYNC = 4, FAULT_TRUNCATE = 8, FAULT_OPEN = 16, FAULT_DELETE = 32,
	FAULT_SHM = 64, FAULT_NAME = 128 /* mkdir, rename */, FAULT_LOCK = 256, FAULT_STAT = 512,
	FAULT_ANY = 1023,
	FAULT_SPACE = FAULT_WRITE | FAULT_SYNC | FAULT_SHM | FAULT_NAME, /* those that need space */
};
/* What the call answers. */
enum {
	FAULT_EIO,
	FAULT_ENOSPC,
	FAULT_SHORT,  /* a write does half its work, then there is no space */
};

#define FAULT_FDS 1024
struct fault {
	struct gx_fs fs;            /* first: the table's functions come here by it */
	sqlite3_vfs vfs, *real;
	char name[32], boot[32];
	struct fdisk *disk;         /* NULL: not followed */
	unsigned long calls;        /* all so far */
	unsigned long changes;      /* those that changed what a loss may leave */
	/* the fault to come */
	unsigned long in;           /* with the in-th call from now; 0 none */
	int kind;
	unsigned mask;
	bool sticky;
	unsigned hits;              /* since it was armed */
	unsigned long left;         /* what was left of in when it was disarmed */
	int last_errno;
	/* after each change of what a loss may leave; NULL none */
	void (*changed)(struct fault *f, void *ctx);
	void *ctx;
	struct fnode *node[FAULT_FDS]; /* by descriptor of the store's own */
	bool half[FAULT_FDS];       /* it had its short write: the next one fails */
};

/* @root: the store's directory; with @follow what is in there counts as safe. */
struct fault *fault_new(const char *root, bool follow);
/* No store may be open on it. */
void fault_free(struct fault *f);
void fault_arm(struct fault *f, unsigned long in, int kind, unsigned mask, bool sticky);
/* @return whether it had come. */
bool fault_disarm(struct fault *f);

#endif
