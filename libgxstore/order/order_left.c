/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <gx/table.h>
#include "libgxstore/far-int.h"
#include "libgxstore/order/bulk-int.h"

/*
 * Which orders are being made in bulk, in memory. One at a time works on each; a reader who would have to
 * wait for a writer leaves it here with all he has, sorts his rows in memory meanwhile, and whoever has time in the
 * background, or asks for the same order when the writer is free, goes on where he stopped.
 */

#define DIRTY_MAX 262144U
#define LEFT_MAX 4U    /* each may hold a batch of keys; the one left longest ago goes */
#define READER_MS 1000

int gx_orderbulk__grow(void **io_v, size_t *io_cap, size_t want, size_t size)
{
	if (want <= *io_cap)
		return 0;
	size_t cap = *io_cap == 0 ? 256 : *io_cap * 2;
	void *v = realloc(*io_v, cap * size);
	if (v == NULL)
		return GX_E_NOMEM;
	*io_v = v;
	*io_cap = cap;
	return 0;
}

static void bulk_free(struct gx_orderbulk *b)
{
	gx_push_release(&b->keys);
	free(b->v);
	free(b->dirty);
	free(b);
}

/* ---- Told by the hub; all of this with the lock held, which the statics find ---- */

static struct gx_orderbulk *find(const struct gx_orders *o, uint64_t view)
{
	struct gx_orderbulk *b = o->bulks;
	while (b != NULL && b->view != view)
		b = b->next;
	return b;
}

static void unlink_bulk(struct gx_orders *o, const struct gx_orderbulk *b)
{
	struct gx_orderbulk **p = &o->bulks;
	while (*p != NULL && *p != b)
		p = &(*p)->next;
	if (*p != NULL)
		*p = b->next;
}

uint64_t gx_orderbulk__from(struct gx_orders *o, uint64_t view)
{
	pthread_mutex_lock(&o->lock);
	const struct gx_orderbulk *b = find(o, view);
	uint64_t from = b == NULL ? 0 : b->from;
	pthread_mutex_unlock(&o->lock);
	return from;
}

static void add_dirty(struct gx_orderbulk *b, uint64_t mid)
{
	if (b->ndirty > 0 && b->dirty[b->ndirty - 1] == mid)
		return;
	if (b->ndirty >= DIRTY_MAX ||
		gx_orderbulk__grow((void **)&b->dirty, &b->cap_dirty, b->ndirty + 1, sizeof(mid)) != 0)
		b->gone = true;
	else
		b->dirty[b->ndirty++] = mid;
}

void gx_orderbulk__note(struct gx_orders *o, uint64_t view, uint64_t place, uint64_t mid)
{
	pthread_mutex_lock(&o->lock);
	struct gx_orderbulk *b = find(o, view);
	if (b != NULL && !b->gone && place > b->from)
		add_dirty(b, mid);
	pthread_mutex_unlock(&o->lock);
}

void gx_orderbulk__gone(struct gx_orders *o, uint64_t view)
{
	pthread_mutex_lock(&o->lock);
	for (struct gx_orderbulk *b = o->bulks, *next; b != NULL; b = next) {
		next = b->next;
		if (view != 0 && b->view != view)
			continue;
		b->gone = true;
		if (b->left) {
			unlink_bulk(o, b);
			bulk_free(b);
		}
	}
	pthread_mutex_unlock(&o->lock);
}

/* ---- By who works on one ---- */

void gx_orderbulk__set_from(struct gx_orderbulk *b, uint64_t view, uint64_t from)
{
	struct gx_orders *o = b->s->orders;
	pthread_mutex_lock(&o->lock);
	b->view = view;
	b->from = from;
	pthread_mutex_unlock(&o->lock);
}

bool gx_orderbulk__is_gone(struct gx_orderbulk *b)
{
	struct gx_orders *o = b->s->orders;
	pthread_mutex_lock(&o->lock);
	bool gone = b->gone;
	pthread_mutex_unlock(&o->lock);
	return gone;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

size_t gx_orderbulk__take_dirty(struct gx_orderbulk *b, uint64_t **ret_v)
{
	struct gx_orders *all = b->s->orders;
	size_t k = 0;
	pthread_mutex_lock(&all->lock);
	uint64_t *v = b->dirty;
	size_t n = b->ndirty;
	b->dirty = NULL;
	b->ndirty = b->cap_dirty = 0;
	pthread_mutex_unlock(&all->lock);
	if (n > 0)
		qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || v[i] != v[i - 1])
			v[k++] = v[i];
	*ret_v = v;
	return k;
}

static bool is_for(const struct gx_orderbulk *b, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec)
{
	return b->fid == fid && b->kind == kind && b->spec.len == spec->len && gx_orderspec__serves(&b->spec, spec);
}

static struct gx_orderbulk *find_for(
	const struct gx_orders *o, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec)
{
	struct gx_orderbulk *b = o->bulks;
	while (b != NULL && !is_for(b, fid, kind, spec))
		b = b->next;
	return b;
}

int gx_orderbulk__take(struct gx_store *s, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec,
	const struct gx_orderbulk_limits *limit, struct gx_orderbulk **ret_b)
{
	struct gx_orders *o = s->orders;
	struct gx_orderbulk *fresh = calloc(1, sizeof(*fresh));
	if (fresh == NULL)
		return GX_E_NOMEM;
	*fresh = (struct gx_orderbulk){.s = s, .fid = fid, .kind = kind, .spec = *spec, .limit = *limit};
	pthread_mutex_lock(&o->lock);
	struct gx_orderbulk *b = find_for(o, fid, kind, spec);
	int err = b != NULL && !b->left ? GX_E_BUSY : 0;
	if (b == NULL) {
		b = fresh;
		b->next = o->bulks;
		o->bulks = b;
	}
	if (err == 0)
		b->left = false;
	pthread_mutex_unlock(&o->lock);
	if (b != fresh)
		free(fresh);
	*ret_b = err == 0 ? b : NULL;
	return err;
}

/* The last in the list was begun first. */
static struct gx_orderbulk *longest_left(const struct gx_orders *o, unsigned *ret_n)
{
	struct gx_orderbulk *last = NULL;
	*ret_n = 0;
	for (struct gx_orderbulk *b = o->bulks; b != NULL; b = b->next)
		if (b->left) {
			last = b;
			++*ret_n;
		}
	return last;
}

void gx_orderbulk__leave(struct gx_orderbulk *b)
{
	struct gx_orders *o = b->s->orders;
	unsigned n = 0;
	pthread_mutex_lock(&o->lock);
	b->left = true;
	b->patient = false;
	struct gx_orderbulk *old = longest_left(o, &n);
	if (b->gone || n > LEFT_MAX) {
		old = b->gone ? b : old;
		unlink_bulk(o, old);
		bulk_free(old);
	}
	pthread_cond_broadcast(&o->cond);
	pthread_mutex_unlock(&o->lock);
}

void gx_orderbulk__end(struct gx_orderbulk *b)
{
	if (b == NULL)
		return;
	struct gx_orders *o = b->s->orders;
	pthread_mutex_lock(&o->lock);
	unlink_bulk(o, b);
	pthread_cond_broadcast(&o->cond);
	pthread_mutex_unlock(&o->lock);
	bulk_free(b);
}

void gx_orderbulk__free_all(struct gx_orders *o)
{
	for (struct gx_orderbulk *b = o->bulks, *next; b != NULL; b = next) {
		next = b->next;
		bulk_free(b);
	}
	o->bulks = NULL;
}

/* ---- By who waits for one ---- */

int gx_orderbulk__wait(struct gx_orders *o, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int work_ms,
	int writer_ms)
{
	struct timespec until, soon;
	const struct gx_orderbulk *b;
	int rc = 0;
	gx_conn__deadline(work_ms, &until);
	gx_conn__deadline(writer_ms, &soon);
	pthread_mutex_lock(&o->lock);
	while (rc == 0 && (b = find_for(o, fid, kind, spec)) != NULL && !b->left)
		rc = pthread_cond_timedwait(&o->cond, &o->lock, b->patient ? &soon : &until);
	bool left = find_for(o, fid, kind, spec) != NULL;
	pthread_mutex_unlock(&o->lock);
	return rc == 0 && !left ? 0 : GX_E_TIMEOUT;
}

/* ---- In the background ---- */

static struct gx_orderbulk *take_longest_left(struct gx_orders *o)
{
	unsigned n;
	pthread_mutex_lock(&o->lock);
	struct gx_orderbulk *b = longest_left(o, &n);
	if (b != NULL) {
		b->left = false;
		b->patient = true;
	}
	pthread_mutex_unlock(&o->lock);
	return b;
}

/* Nothing is read while the writer is waited for: that would keep the log from being cut. */
static int one_step(struct gx_orderbulk *b, int *io_wait_ms)
{
	struct gx_txn *t;
	if (b->phase != READING)
		return gx_orderbulk__step(b, NULL, io_wait_ms);
	int err = gx_txn__system(b->s, GX_TXN_READ, READER_MS, &t);
	if (err != 0)
		return err;
	int r = gx_orderbulk__step(b, t, io_wait_ms);
	gx_txn_abort(t);
	return r;
}

/* 1: it was left again; else it is done, or not wanted any more. */
static int work_on(struct gx_orderbulk *b, int64_t until)
{
	struct gx_store *s = b->s;
	int64_t now;
	int r = 1;
	while (r > 0 && (now = gx_clock_mono_ms(s->clock)) <= until) {
		int wait_ms = (int)(until - now);
		r = one_step(b, &wait_ms);
	}
	if (r > 0 || r == GX_E_TIMEOUT) {
		gx_orderbulk__leave(b);
		return 1;
	}
	gx_orderbulk__end(b);
	return r == GX_E_STATE || r == GX_E_NOTFOUND ? 0 : r;
}

int gx_store_sort(struct gx_store *s, int budget_ms, bool *ret_done)
{
	if (s == NULL || ret_done == NULL)
		return GX_E_INVAL;
	*ret_done = true;
	if (s->ops != NULL)
		return GX_E_UNSUP;
	int64_t until = gx_clock_mono_ms(s->clock) + budget_ms;
	struct gx_orderbulk *b;
	int r = 0;
	while (r == 0 && (b = take_longest_left(s->orders)) != NULL)
		r = work_on(b, until);
	*ret_done = r == 0;
	return r < 0 ? r : 0;
}
