/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_FAULTDISK_H
#define GXSTORE_FAULTDISK_H
/*
 * Tests: what a disk may hold after a power loss.
 *
 * The model follows a directory whose files are really written, and knows what of it is safe. Data
 * is safe when its file was flushed, a name when its directory was. The rest is kept in sectors of
 * 512 bytes, each with the contents it had in the meantime, and in changes of names. After a loss
 * any of these may have reached the disk, in any order: a page half, a later write and not the
 * earlier one, a file without its name.
 *
 * A flush that failed is the kernel's last word on those writes: they may be on the disk or not,
 * and a later flush that succeeds says nothing about them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fdisk;
struct fnode; /* file or directory; lives as long as the disk */

/* Takes what is in @root as safe. Files "*-shm" and the lock file are no part of it. */
struct fdisk *fdisk_new(const char *root);
void fdisk_free(struct fdisk *d);

/* By full path, as the running system sees it. NULL: none, or not below the root. */
struct fnode *fdisk_find(struct fdisk *d, const char *path);
/* The directory that holds the path. */
struct fnode *fdisk_parent(struct fdisk *d, const char *path);

/* What the running system did. Paths outside of the root are ignored. */
struct fnode *fdisk_create(struct fdisk *d, const char *path, bool dir);
void fdisk_write(struct fdisk *d, struct fnode *f, const void *p, size_t n, uint64_t off);
void fdisk_truncate(struct fdisk *d, struct fnode *f, uint64_t len);
uint64_t fdisk_size(const struct fnode *f);
void fdisk_sync(struct fnode *f);
void fdisk_sync_failed(struct fnode *f);
void fdisk_rename(struct fdisk *d, const char *from, const char *to);
void fdisk_unlink(struct fdisk *d, const char *path);

/* How much of what is not safe is there. */
enum {
	FDISK_NOTHING, /* only what is safe */
	FDISK_ALL,     /* everything, as after the kill of a process */
	FDISK_PREFIX,  /* all up to some moment, as with ordered writes */
	FDISK_FILES,   /* each file and directory all or nothing */
	FDISK_SECTORS, /* each sector and name by itself */
	FDISK_MODES
};
/* Writes one of the possible states into the empty directory @out. The model goes on unchanged. */
void fdisk_lose(struct fdisk *d, int mode, uint64_t seed, const char *out);
/* Is there anything that a loss could take? */
bool fdisk_dirty(const struct fdisk *d);

/* xorshift64*: the same numbers on every machine. */
uint64_t fdisk_random(uint64_t *state);

#endif
