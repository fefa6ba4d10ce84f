/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include "libgxstore/store-int.h"

/*
 * Fifty rows of a table sorted by subject are a hundred pages and more all over the file. SQLite reads one after the
 * other, and when none is in the system's cache the disk is waited for each time. So who reads many rows and sees that he
 * waits for the disk has all others looked up in the file at once, a level of the tree at a time: disks answer a
 * hundred questions in the time of a few.
 *
 * While nothing comes from the disk, all this costs is the question whether it did.
 */

int gx_ahead__init(struct gx_ahead *h)
{
	h->fd = -1;
	return pthread_mutex_init(&h->lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

void gx_ahead__release(struct gx_ahead *h)
{
	if (h->fd >= 0)
		close(h->fd);
	pthread_mutex_destroy(&h->lock);
}

struct gx_ahead_since gx_ahead__since(void)
{
	struct rusage u;
	return (struct gx_ahead_since){getrusage(RUSAGE_THREAD, &u) == 0 ? u.ru_inblock : 0};
}

bool gx_ahead__waited(const struct gx_ahead *h, struct gx_ahead_since since)
{
	return h->always || gx_ahead__since().blocks > since.blocks;
}

/* -1: it cannot be had. */
static int file_of(struct gx_store *s)
{
	struct gx_ahead *h = &s->ahead;
	if (s->ops != NULL || s->uri != NULL)
		return -1;
	pthread_mutex_lock(&h->lock);
	if (h->fd < 0)
		h->fd = open(s->file, O_RDONLY | O_CLOEXEC);
	int fd = h->fd;
	pthread_mutex_unlock(&h->lock);
	return fd;
}

static uint32_t root_of(struct gx_txn *t, const char *table)
{
	GX_STMT(st, t->q, "SELECT rootpage FROM sqlite_master WHERE type='table' AND name=?1");
	gx_sql__bind_text(st, 1, table);
	return gx_sql__step(st) > 0 ? (uint32_t)gx_sql__u64(st, 0) : 0;
}

static void ask(uint32_t page, void *ctx)
{
	const struct gx_ahead_file *f = ctx;
	(void)posix_fadvise(f->fd, (off_t)(page - 1) * f->page_size, f->page_size, POSIX_FADV_WILLNEED);
}

static void walk(struct gx_txn *t, struct gx_ahead_file *f, const char *table, struct gx_ahead_want *v, size_t n)
{
	uint32_t root = root_of(t, table);
	if (root != 0)
		gx_ahead__walk(f, root, v, n);
}

/* Where their bodies are; a message that is gone has none. */
static size_t bodies_of(struct gx_txn *t, struct gx_ahead_want *v, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		struct gx_msg_row r;
		if (gx_msg__row(t, v[i].id, &r) == 0)
			v[k++] = (struct gx_ahead_want){.id = r.body};
	}
	return k;
}

void gx_ahead__messages(struct gx_txn *t, const uint64_t *mids, size_t n, bool bodies)
{
	struct gx_ahead_want v[GX_AHEAD_MAX];
	struct gx_ahead_file f = {.fd = file_of(t->s), .ask = ask};
	f.ctx = &f;
	n = n < GX_AHEAD_MAX ? n : GX_AHEAD_MAX;
	if (f.fd < 0 || gx_ahead__file(&f) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		v[i] = (struct gx_ahead_want){.id = mids[i]};
	walk(t, &f, "msg", v, n);
	if (bodies)
		walk(t, &f, "body", v, bodies_of(t, v, n));
	gx_ahead__file_release(&f);
}
