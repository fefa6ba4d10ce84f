/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-sort.h"

/*
 * Keys that are sorted once and thrown away. What is more than a batch goes to a file without a name in sorted
 * runs, which are merged in the end: the memory does not depend on the number of rows. What lies in the file is read by
 * nobody else. Nobody is refused rows because the disk is full: then it takes memory.
 */

#define BATCH (4U << 20)  /* bytes of keys, and what belongs to them */
#define BUFFER 16384U     /* of a run that is read, and of what is written */

struct head {
	uint64_t entry;
	uint32_t len;
};
#define HEAD 12U /* of it, in the file */

void gx_sorter__init(struct gx_sorter *s, const struct gx_fs *fs, const char *dir, size_t batch)
{
	*s = (struct gx_sorter){.fs = fs, .dir = dir, .batch = batch == 0 ? BATCH : batch, .fd = -1};
}

void gx_sorter__release(struct gx_sorter *s)
{
	if (s->fd >= 0)
		s->fs->close(s->fs, s->fd);
	gx_push_release(&s->keys);
	free(s->v);
	free(s->run);
	s->fd = -1;
	s->v = NULL;
	s->run = NULL;
}

/* ---- Adding ---- */

static struct gx_bin key_of(const struct gx_sorter *s, const struct gx_sortitem *x)
{
	return (struct gx_bin){s->keys.data + x->off, x->len};
}

static int by_key(const void *a, const void *b, void *ctx)
{
	return gx_order__cmp(key_of(ctx, a), key_of(ctx, b));
}

static void sort_batch(struct gx_sorter *s)
{
	if (s->n > 0)
		qsort_r(s->v, s->n, sizeof(*s->v), by_key, s);
}

static int write_out(struct gx_sorter *s, struct gx_push *buf, uint64_t *io_end)
{
	int err = buf->err != 0 ? buf->err : gx_fs__pwrite_all(s->fs, s->fd, buf->data, buf->len, *io_end);
	*io_end += buf->len;
	gx_push_clear(buf);
	return err;
}

static int write_batch(struct gx_sorter *s, uint64_t *io_end)
{
	struct gx_push buf = GX_PUSH_INIT;
	int err = 0;
	for (size_t i = 0; err == 0 && i < s->n; i++) {
		gx_push_bytes(&buf, &s->v[i].entry, sizeof(s->v[i].entry));
		gx_push_bytes(&buf, &s->v[i].len, sizeof(s->v[i].len));
		gx_push_bytes(&buf, s->keys.data + s->v[i].off, s->v[i].len);
		if (buf.len >= BUFFER)
			err = write_out(s, &buf, io_end);
	}
	if (err == 0)
		err = write_out(s, &buf, io_end);
	gx_push_release(&buf);
	return err;
}

/* The batch goes to the end of the file, or stays where it is from now on. */
static int file_batch(struct gx_sorter *s)
{
	uint64_t end = s->end, *run = gx_table__grow(s->run, &s->cap_run, s->nrun + 1, sizeof(*run));
	if (run == NULL)
		return GX_E_NOMEM;
	s->run = run;
	if (s->fd < 0)
		s->fd = gx_fs__unnamed(s->fs, s->dir);
	sort_batch(s);
	if (s->fd < 0 || write_batch(s, &end) != 0) {
		s->stuck = true;
		return 0;
	}
	s->run[s->nrun++] = s->end;
	s->end = end;
	s->n = 0;
	gx_push_clear(&s->keys);
	return 0;
}

int gx_sorter__add(struct gx_sorter *s, struct gx_bin key, uint64_t entry)
{
	int err = 0;
	if (!s->stuck && s->n > 0 && s->keys.len + s->n * sizeof(*s->v) >= s->batch)
		err = file_batch(s);
	if (err != 0)
		return err;
	if (s->keys.len > UINT32_MAX - key.len)
		return GX_E_LIMIT;
	struct gx_sortitem *v = gx_table__grow(s->v, &s->cap, s->n + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	s->v = v;
	s->v[s->n++] = (struct gx_sortitem){entry, (uint32_t)s->keys.len, (uint32_t)key.len};
	gx_push_bytes(&s->keys, key.data, key.len);
	s->total++;
	return s->keys.err;
}

/* ---- Merging ---- */

struct source {
	bool filed;              /* else it is the batch */
	uint64_t at, end;        /* in the file: of the next entry, of the run */
	uint8_t *buf;
	size_t cap, n, pos;      /* the next entry is at pos */
	size_t next;             /* of the batch */
	struct gx_bin key;
	uint64_t entry;
};
struct merge {
	struct gx_sorter *s;
	struct source *v, **heap; /* the least on top */
	size_t n;
};

/* At least @want bytes of the entry, which the run has. */
static int read_ahead(struct merge *m, struct source *x, size_t want)
{
	if (x->n - x->pos >= want)
		return 0;
	if (want > x->cap) {
		size_t cap = want < BUFFER ? BUFFER : want;
		uint8_t *buf = realloc(x->buf, cap);
		if (buf == NULL)
			return GX_E_NOMEM;
		x->buf = buf;
		x->cap = cap;
	}
	x->pos = 0;
	x->n = x->end - x->at < x->cap ? (size_t)(x->end - x->at) : x->cap;
	return gx_fs__pread_all(m->s->fs, m->s->fd, x->buf, x->n, x->at);
}

static int read_filed(struct merge *m, struct source *x)
{
	struct head h;
	int err = read_ahead(m, x, HEAD);
	if (err != 0)
		return err;
	memcpy(&h.entry, x->buf + x->pos, sizeof(h.entry));
	memcpy(&h.len, x->buf + x->pos + sizeof(h.entry), sizeof(h.len));
	err = read_ahead(m, x, HEAD + h.len);
	x->entry = h.entry;
	x->key = (struct gx_bin){x->buf + x->pos + HEAD, h.len};
	x->pos += HEAD + h.len;
	x->at += HEAD + h.len;
	return err;
}

/* 1, 0 that was the last. */
static int next(struct merge *m, struct source *x)
{
	if (x->filed) {
		if (x->at == x->end)
			return 0;
		int err = read_filed(m, x);
		return err != 0 ? err : 1;
	}
	if (x->next == m->s->n)
		return 0;
	const struct gx_sortitem *i = &m->s->v[x->next++];
	x->key = key_of(m->s, i);
	x->entry = i->entry;
	return 1;
}

static void sink(struct merge *m, size_t i)
{
	struct source *s = m->heap[i];
	for (size_t k; (k = 2 * i + 1) < m->n; i = k) {
		if (k + 1 < m->n && gx_order__cmp(m->heap[k + 1]->key, m->heap[k]->key) < 0)
			k++;
		if (gx_order__cmp(s->key, m->heap[k]->key) <= 0)
			break;
		m->heap[i] = m->heap[k];
	}
	m->heap[i] = s;
}

static int begin(struct merge *m)
{
	const struct gx_sorter *s = m->s;
	for (size_t i = 0; i < s->nrun + 1; i++) {
		struct source *x = &m->v[i];
		x->filed = i < s->nrun;
		x->at = x->filed ? s->run[i] : 0;
		x->end = i + 1 < s->nrun ? s->run[i + 1] : s->end;
		int r = next(m, x);
		if (r < 0)
			return r;
		if (r > 0)
			m->heap[m->n++] = x;
	}
	for (size_t i = m->n / 2; i-- > 0;)
		sink(m, i);
	return 0;
}

static int run_merge(struct merge *m, gx_sorter_cb cb, void *ctx)
{
	int r = begin(m);
	while (r >= 0 && m->n > 0) {
		struct source *x = m->heap[0];
		r = cb(x->key, x->entry, ctx);
		if (r >= 0)
			r = next(m, x);
		if (r == 0)
			m->heap[0] = m->heap[--m->n];
		if (r >= 0 && m->n > 0)
			sink(m, 0);
	}
	return r < 0 ? r : 0;
}

int gx_sorter__each(struct gx_sorter *s, gx_sorter_cb cb, void *ctx)
{
	struct merge m = {.s = s, .v = calloc(s->nrun + 1, sizeof(*m.v)), .heap = calloc(s->nrun + 1, sizeof(*m.heap))};
	sort_batch(s);
	int err = m.v == NULL || m.heap == NULL ? GX_E_NOMEM : run_merge(&m, cb, ctx);
	for (size_t i = 0; m.v != NULL && i < s->nrun; i++)
		free(m.v[i].buf);
	free(m.v);
	free(m.heap);
	return err;
}
