/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/ics/ics-list.h"

/*
 * Sorting what is not to be in memory. Runs that follow on each other, as those of a folder do that is read in the
 * order of its change numbers, make one sequence; several sequences are merged. What lies in the file is read by nobody
 * else, so that it is written as it is in memory.
 */

#define READ_AHEAD 256U /* changes: 10 KiB */

void gx_icslist__init(struct gx_icslist *l, gx_icslist_cmp cmp, const struct gx_fs *fs, const char *dir, size_t run)
{
	*l = (struct gx_icslist){.cmp = cmp, .fs = fs, .dir = dir, .run = run == 0 ? GX_ICSLIST_RUN : run, .fd = -1};
}

void gx_icslist__release(struct gx_icslist *l)
{
	if (l->fd >= 0)
		l->fs->close(l->fs, l->fd);
	free(l->v);
	l->fd = -1;
	l->v = NULL;
}

void gx_icslist__clear(struct gx_icslist *l)
{
	gx_icslist__release(l);
	gx_icslist__init(l, l->cmp, l->fs, l->dir, l->run);
}

size_t gx_icslist__count(const struct gx_icslist *l)
{
	return l->filed + l->nv;
}

/* ---- Reading ---- */

void gx_icsreader__init(struct gx_icsreader *r, const struct gx_icslist *l)
{
	*r = (struct gx_icsreader){.l = l, .end = gx_icslist__count(l)};
}

void gx_icsreader__release(struct gx_icsreader *r)
{
	free(r->buf);
}

void gx_icsreader__seek(struct gx_icsreader *r, size_t n)
{
	r->at = n;
}

static int read_ahead(struct gx_icsreader *r)
{
	const struct gx_icslist *l = r->l;
	size_t n = (r->end < l->filed ? r->end : l->filed) - r->at;
	if (r->buf == NULL)
		r->buf = malloc(READ_AHEAD * sizeof(*r->buf));
	if (r->buf == NULL)
		return GX_E_NOMEM;
	n = n < READ_AHEAD ? n : READ_AHEAD;
	r->n = 0;
	int err = gx_fs__pread_all(l->fs, l->fd, r->buf, n * sizeof(*r->buf), (uint64_t)r->at * sizeof(*r->buf));
	if (err != 0)
		return err;
	r->from = r->at;
	r->n = n;
	return 0;
}

int gx_icsreader__next(struct gx_icsreader *r, struct gx_ics_change *ret_c, bool *ret_more)
{
	const struct gx_icslist *l = r->l;
	*ret_more = r->at < r->end;
	if (!*ret_more)
		return 0;
	if (r->at >= l->filed) {
		*ret_c = l->v[r->at++ - l->filed];
		return 0;
	}
	int err = r->at - r->from < r->n ? 0 : read_ahead(r);
	if (err == 0)
		*ret_c = r->buf[r->at++ - r->from];
	return err;
}

/* ---- Adding ---- */

static void sort_run(struct gx_icslist *l)
{
	for (size_t i = 1; i < l->nv; i++)
		if (l->cmp(&l->v[i - 1], &l->v[i]) > 0) {
			qsort(l->v, l->nv, sizeof(*l->v), l->cmp);
			return;
		}
}

/* Does the sorted run, which is not empty, go on where the file ends? */
static bool goes_on(const struct gx_icslist *l)
{
	return l->filed > 0 && l->cmp(&l->last, &l->v[0]) <= 0;
}

/*
 * The sorted run goes to the end of the file. A synchronisation is not refused because the disk is full: then
 * it takes memory.
 */
static void file_run(struct gx_icslist *l)
{
	if (l->fd < 0)
		l->fd = gx_fs__unnamed(l->fs, l->dir);
	const uint64_t at = (uint64_t)l->filed * sizeof(*l->v);
	if (l->fd < 0 || gx_fs__pwrite_all(l->fs, l->fd, l->v, l->nv * sizeof(*l->v), at) != 0) {
		l->stuck = true;
		return;
	}
	if (!goes_on(l))
		l->seq[l->seqs++] = l->filed;
	l->last = l->v[l->nv - 1];
	l->filed += l->nv;
	l->nv = 0;
}

static int grow(struct gx_icslist *l)
{
	size_t cap = l->cap == 0 ? 32 : l->cap * 2;
	if (l->cap < l->run && cap > l->run)
		cap = l->run;
	struct gx_ics_change *v = realloc(l->v, cap * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	l->v = v;
	l->cap = cap;
	return 0;
}

static int merge(struct gx_icslist *l) GX_MUST_CHECK;

/* Room for one more. */
static int room(struct gx_icslist *l)
{
	if (l->nv == l->run && !l->stuck) {
		sort_run(l);
		int err = l->seqs == GX_ICSLIST_SEQS - 1 && !goes_on(l) ? merge(l) : 0;
		if (err != 0)
			return err;
		if (l->nv == l->run && !l->stuck)
			file_run(l);
	}
	return l->nv < l->cap ? 0 : grow(l);
}

int gx_icslist__add(struct gx_icslist *l, const struct gx_ics_change *c)
{
	int err = room(l);
	if (err == 0)
		l->v[l->nv++] = *c;
	return err;
}

int gx_icslist__sort(struct gx_icslist *l)
{
	sort_run(l);
	if (l->seqs > 1 || (l->seqs == 1 && l->nv > 0 && !goes_on(l)))
		return merge(l);
	return 0;
}

/* ---- Merging ---- */

struct source {
	struct gx_icsreader r;
	struct gx_ics_change c; /* the next of them */
};
struct merge {
	struct source v[GX_ICSLIST_SEQS];
	struct source *heap[GX_ICSLIST_SEQS]; /* the least on top */
	size_t n, sources;
	gx_icslist_cmp cmp;
};

static void sink(struct merge *m, size_t i)
{
	struct source *s = m->heap[i];
	for (size_t k; (k = 2 * i + 1) < m->n; i = k) {
		if (k + 1 < m->n && m->cmp(&m->heap[k + 1]->c, &m->heap[k]->c) < 0)
			k++;
		if (m->cmp(&s->c, &m->heap[k]->c) <= 0)
			break;
		m->heap[i] = m->heap[k];
	}
	m->heap[i] = s;
}

static int add_source(struct merge *m, const struct gx_icslist *l, size_t from, size_t end)
{
	struct source *s = &m->v[m->sources++];
	bool more;
	gx_icsreader__init(&s->r, l);
	s->r.at = from;
	s->r.end = end;
	m->heap[m->n++] = s;
	return gx_icsreader__next(&s->r, &s->c, &more);
}

/* The sequences of the file, and the run. */
static int begin(struct merge *m, const struct gx_icslist *l)
{
	int err = 0;
	for (size_t i = 0; i < l->seqs && err == 0; i++)
		err = add_source(m, l, l->seq[i], i + 1 < l->seqs ? l->seq[i + 1] : l->filed);
	if (err == 0 && l->nv > 0)
		err = add_source(m, l, l->filed, l->filed + l->nv);
	for (size_t i = m->n / 2; i-- > 0;)
		sink(m, i);
	return err;
}

static int run_merge(struct merge *m, struct gx_icslist *out)
{
	int err = 0;
	while (m->n > 0 && err == 0) {
		struct source *s = m->heap[0];
		bool more = true;
		err = gx_icslist__add(out, &s->c);
		err = err != 0 ? err : gx_icsreader__next(&s->r, &s->c, &more);
		if (!more)
			m->heap[0] = m->heap[--m->n];
		if (m->n > 0)
			sink(m, 0);
	}
	return err;
}

/* Afterwards there is one sequence, and the run goes on with it. */
static int merge(struct gx_icslist *l)
{
	struct gx_icslist out;
	struct merge *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return GX_E_NOMEM;
	m->cmp = l->cmp;
	gx_icslist__init(&out, l->cmp, l->fs, l->dir, l->run);
	int err = begin(m, l);
	err = err != 0 ? err : run_merge(m, &out);
	for (size_t i = 0; i < m->sources; i++)
		gx_icsreader__release(&m->v[i].r);
	free(m);
	gx_icslist__release(err != 0 ? &out : l);
	if (err == 0)
		*l = out;
	return err;
}
