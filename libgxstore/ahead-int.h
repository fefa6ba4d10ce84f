/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_AHEAD_INT_H
#define GXSTORE_AHEAD_INT_H
/*
 * Rows that will be read soon, when they have to come from the disk (ahead.c). Only a hint: whatever the file says or
 * fails to say, what is read afterwards is read by SQLite, and right.
 */
#include <pthread.h>
#include <gx/base.h>

struct gx_txn;
struct gx_ahead {
	pthread_mutex_t lock;
	int fd;             /* of the database, -1 not opened yet; stays open as long as SQLite has the file */
	bool always;        /* as if everything came from the disk */
};
int gx_ahead__init(struct gx_ahead *h) GX_MUST_CHECK;
/* After all connections are closed: closing any descriptor of a file takes away the process's locks on it. */
void gx_ahead__release(struct gx_ahead *h);

/* Has this thread waited for the disk since? */
struct gx_ahead_since {
	long blocks;
};
struct gx_ahead_since gx_ahead__since(void);
bool gx_ahead__waited(const struct gx_ahead *h, struct gx_ahead_since since);
/* The rows of messages are asked for, with what is stored with their bodies if @bodies. At most GX_AHEAD_MAX of them count. */
#define GX_AHEAD_MAX 512U
void gx_ahead__messages(struct gx_txn *t, const uint64_t *mids, size_t n, bool bodies);

/* ---- Tables of a database file (ahead_tree.c) ---- */

struct gx_ahead_want {
	uint64_t id;        /* rowid */
	uint32_t page;      /* where to look next; 0 it is known where the row is, or that it is not there */
	bool found;
};
struct gx_ahead_file {
	int fd;
	void (*ask)(uint32_t page, void *ctx); /* a page that will be read */
	void *ctx;
	uint8_t *buf;       /* for a page */
	uint32_t page_size;
	uint32_t usable;    /* bytes of a page without what is reserved at its end */
};
/* Reads the file's header. To be released. */
int gx_ahead__file(struct gx_ahead_file *f) GX_MUST_CHECK;
void gx_ahead__file_release(struct gx_ahead_file *f);
/*
 * Goes down from @root to the rows @v, level by level: all pages of a level are asked for before the first is looked at.
 * What cannot be read or is no page of a table is left alone. Sorts @v.
 */
void gx_ahead__walk(struct gx_ahead_file *f, uint32_t root, struct gx_ahead_want *v, size_t n);

#endif
