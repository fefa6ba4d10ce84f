/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/idset.h>

/*
 * Ranges are ascending and never touch. They lie in chunks, so that a range put between others
 * moves a few kilobytes at most, however many there are. No chunk is empty.
 */

#define CHUNK_MAX 512U

struct pos {
	size_t c;
	uint32_t i;
};

static bool at_end(const struct gx_globset *s, struct pos p)
{
	return p.c == s->nchunks;
}

static struct gx_idrange *at(const struct gx_globset *s, struct pos p)
{
	return &s->chunk[p.c].v[p.i];
}

static struct pos after(const struct gx_globset *s, struct pos p)
{
	return p.i + 1 < s->chunk[p.c].n ? (struct pos){p.c, p.i + 1} : (struct pos){p.c + 1, 0};
}

static uint64_t size_of(struct gx_idrange r)
{
	return r.hi - r.lo + 1;
}

/* The first range that ends at x or above. */
static struct pos lower(const struct gx_globset *s, uint64_t x)
{
	size_t lo = 0, n = s->nchunks;
	while (n > 0) {
		const struct gx_globset_chunk *k = &s->chunk[lo + n / 2];
		if (k->v[k->n - 1].hi < x) {
			lo += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	struct pos p = {lo, 0};
	for (uint32_t m = lo == s->nchunks ? 0 : s->chunk[lo].n; m > 0;) {
		if (s->chunk[lo].v[p.i + m / 2].hi < x) {
			p.i += m / 2 + 1;
			m -= m / 2 + 1;
		} else {
			m /= 2;
		}
	}
	return p;
}

void gx_globset_release(struct gx_globset *s)
{
	for (size_t i = 0; i < s->nchunks; ++i)
		free(s->chunk[i].v);
	free(s->chunk);
	*s = (struct gx_globset)GX_GLOBSET_INIT;
}

/* Room for n ranges in a chunk. */
static int room(struct gx_globset_chunk *k, uint32_t n)
{
	if (n <= k->cap)
		return 0;
	uint32_t cap = k->cap < 4 ? 4 : k->cap * 2;
	cap = cap < n ? n : cap > CHUNK_MAX ? CHUNK_MAX : cap;
	struct gx_idrange *v = realloc(k->v, cap * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	k->v = v;
	k->cap = cap;
	return 0;
}

/* A chunk with room for n ranges at place c. It has none yet: the caller puts one in. */
static int new_chunk(struct gx_globset *s, size_t c, uint32_t n)
{
	struct gx_globset_chunk k = {0};
	if (s->nchunks == s->cap_chunks) {
		size_t cap = s->cap_chunks < 2 ? 2 : s->cap_chunks * 2;
		struct gx_globset_chunk *v = realloc(s->chunk, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		s->chunk = v;
		s->cap_chunks = cap;
	}
	int err = room(&k, n);
	if (err != 0)
		return err;
	memmove(s->chunk + c + 1, s->chunk + c, (s->nchunks - c) * sizeof(k));
	s->chunk[c] = k;
	s->nchunks++;
	return 0;
}

static int split(struct gx_globset *s, struct pos *io_p)
{
	int err = new_chunk(s, io_p->c + 1, CHUNK_MAX);
	if (err != 0)
		return err;
	struct gx_globset_chunk *k = &s->chunk[io_p->c], *next = k + 1;
	uint32_t keep = k->n / 2;
	next->n = k->n - keep;
	memcpy(next->v, k->v + keep, next->n * sizeof(*k->v));
	k->n = keep;
	if (io_p->i > keep)
		*io_p = (struct pos){io_p->c + 1, io_p->i - keep};
	return 0;
}

/* A new range before the one at p, which may be the end. */
static int insert(struct gx_globset *s, struct pos p, struct gx_idrange r)
{
	int err = 0;
	if (s->ranges >= GX_GLOBSET_RANGES_MAX)
		return GX_E_LIMIT;
	if (at_end(s, p) && s->nchunks > 0 && s->chunk[p.c - 1].n < CHUNK_MAX)
		p = (struct pos){p.c - 1, s->chunk[p.c - 1].n};
	else if (at_end(s, p))
		err = new_chunk(s, p.c, s->nchunks == 0 ? 1 : CHUNK_MAX / 8);
	else if (s->chunk[p.c].n == CHUNK_MAX)
		err = split(s, &p);
	if (err == 0)
		err = room(&s->chunk[p.c], s->chunk[p.c].n + 1);
	if (err != 0)
		return err;
	struct gx_globset_chunk *k = &s->chunk[p.c];
	memmove(k->v + p.i + 1, k->v + p.i, (k->n - p.i) * sizeof(r));
	k->v[p.i] = r;
	k->n++;
	s->ranges++;
	s->count += size_of(r);
	return 0;
}

static void cut(struct gx_globset *s, struct gx_globset_chunk *k, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; ++i)
		s->count -= size_of(k->v[i]);
	s->ranges -= to - from;
	memmove(k->v + from, k->v + to, (k->n - to) * sizeof(*k->v));
	k->n -= to - from;
}

/* Ranges [from, to) go, and chunks that have none any more. */
static void erase(struct gx_globset *s, struct pos from, struct pos to)
{
	size_t keep = from.c, c = from.c;
	if (from.c == to.c && from.i == to.i)
		return;
	for (; c < s->nchunks && c <= to.c; ++c) {
		struct gx_globset_chunk *k = &s->chunk[c];
		cut(s, k, c == from.c ? from.i : 0, c == to.c ? to.i : k->n);
		if (k->n > 0)
			s->chunk[keep++] = *k;
		else
			free(k->v);
	}
	if (keep < c)
		memmove(s->chunk + keep, s->chunk + c, (s->nchunks - c) * sizeof(*s->chunk));
	s->nchunks -= c - keep;
}

int gx_globset_add_range(struct gx_globset *s, uint64_t lo, uint64_t hi)
{
	if (lo > hi || hi > GX_COUNTER_MAX)
		return GX_E_RANGE;
	if (s->nchunks == 0)
		return insert(s, (struct pos){0, 0}, (struct gx_idrange){lo, hi});
	const struct gx_globset_chunk *last = &s->chunk[s->nchunks - 1];
	struct pos p = {s->nchunks - 1, last->n - 1};
	if (lo > at(s, p)->hi + 1)
		return insert(s, (struct pos){s->nchunks, 0}, (struct gx_idrange){lo, hi});
	if (lo < at(s, p)->lo)
		p = lower(s, lo == 0 ? 0 : lo - 1);
	struct gx_idrange *r = at(s, p);
	if (hi + 1 < r->lo)
		return insert(s, p, (struct gx_idrange){lo, hi});
	/* It touches this one; those up to its end are taken in. */
	struct pos next = after(s, p), end = next;
	struct gx_idrange new = {lo < r->lo ? lo : r->lo, hi > r->hi ? hi : r->hi};
	while (!at_end(s, end) && at(s, end)->lo <= new.hi + 1) {
		new.hi = at(s, end)->hi > new.hi ? at(s, end)->hi : new.hi;
		end = after(s, end);
	}
	s->count += size_of(new) - size_of(*r);
	*r = new;
	erase(s, next, end);
	return 0;
}

int gx_globset_add(struct gx_globset *s, uint64_t counter)
{
	return gx_globset_add_range(s, counter, counter);
}

int gx_globset_remove_range(struct gx_globset *s, uint64_t lo, uint64_t hi)
{
	if (lo > hi || hi > GX_COUNTER_MAX)
		return GX_E_RANGE;
	struct pos p = lower(s, lo);
	if (at_end(s, p) || at(s, p)->lo > hi)
		return 0;
	struct gx_idrange *r = at(s, p), old = *r;
	if (old.lo < lo && old.hi > hi) {
		*r = (struct gx_idrange){hi + 1, old.hi};
		s->count -= size_of(old) - size_of(*r);
		int err = insert(s, p, (struct gx_idrange){old.lo, lo - 1});
		if (err != 0) {
			s->count += size_of(old) - size_of(*r);
			*r = old;
		}
		return err;
	}
	if (old.lo < lo) {
		s->count -= old.hi - lo + 1;
		r->hi = lo - 1;
		p = after(s, p);
	}
	struct pos end = p;
	while (!at_end(s, end) && at(s, end)->hi <= hi)
		end = after(s, end);
	if (!at_end(s, end) && at(s, end)->lo <= hi) {
		s->count -= hi + 1 - at(s, end)->lo;
		at(s, end)->lo = hi + 1;
	}
	erase(s, p, end);
	return 0;
}

int gx_globset_remove(struct gx_globset *s, uint64_t counter)
{
	return gx_globset_remove_range(s, counter, counter);
}

bool gx_globset_find(const struct gx_globset *s, uint64_t counter, struct gx_idrange *ret_r)
{
	struct pos p = lower(s, counter);
	if (at_end(s, p) || at(s, p)->lo > counter)
		return false;
	*ret_r = *at(s, p);
	return true;
}

bool gx_globset_contains(const struct gx_globset *s, uint64_t counter)
{
	struct gx_idrange r;
	return gx_globset_find(s, counter, &r);
}

void gx_globset_iter(const struct gx_globset *s, struct gx_globset_iter *ret_it)
{
	*ret_it = (struct gx_globset_iter){.set = s};
}

void gx_globset_iter_from(const struct gx_globset *s, uint64_t counter, struct gx_globset_iter *ret_it)
{
	struct pos p = lower(s, counter);
	*ret_it = (struct gx_globset_iter){.set = s, .chunk = p.c, .i = p.i};
}

bool gx_globset_next(struct gx_globset_iter *it, struct gx_idrange *ret_r)
{
	struct pos p = {it->chunk, it->i};
	if (at_end(it->set, p))
		return false;
	*ret_r = *at(it->set, p);
	p = after(it->set, p);
	it->chunk = p.c;
	it->i = p.i;
	return true;
}

bool gx_globset_equal(const struct gx_globset *a, const struct gx_globset *b)
{
	struct gx_globset_iter i, k;
	struct gx_idrange x, y;
	if (a->count != b->count || a->ranges != b->ranges)
		return false;
	gx_globset_iter(a, &i);
	gx_globset_iter(b, &k);
	while (gx_globset_next(&i, &x) && gx_globset_next(&k, &y))
		if (x.lo != y.lo || x.hi != y.hi)
			return false;
	return true;
}

/* Is it cheaper to go through both sets than to look for each range of b? */
static bool merge_pays(const struct gx_globset *a, const struct gx_globset *b)
{
	return b->ranges > 8 && b->ranges > a->ranges / 16;
}

static int merge(struct gx_globset *ret_s, const struct gx_globset *a, const struct gx_globset *b)
{
	struct gx_globset_iter i, k;
	struct gx_idrange x, y;
	int err = 0;
	gx_globset_iter(a, &i);
	gx_globset_iter(b, &k);
	bool more_x = gx_globset_next(&i, &x), more_y = gx_globset_next(&k, &y);
	while (err == 0 && (more_x || more_y)) {
		if (more_x && (!more_y || x.lo <= y.lo)) {
			err = gx_globset_add_range(ret_s, x.lo, x.hi);
			more_x = gx_globset_next(&i, &x);
		} else {
			err = gx_globset_add_range(ret_s, y.lo, y.hi);
			more_y = gx_globset_next(&k, &y);
		}
	}
	return err;
}

static int each(struct gx_globset *a, const struct gx_globset *b, int (*op)(struct gx_globset *s, uint64_t lo, uint64_t hi))
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	int err = 0;
	gx_globset_iter(b, &it);
	while (err == 0 && gx_globset_next(&it, &r))
		err = op(a, r.lo, r.hi);
	return err;
}

static int replace(struct gx_globset *s, struct gx_globset *by, int err)
{
	gx_globset_release(err == 0 ? s : by);
	if (err == 0)
		*s = *by;
	return err;
}

int gx_globset_union(struct gx_globset *a, const struct gx_globset *b)
{
	struct gx_globset new = GX_GLOBSET_INIT;
	if (a == b)
		return 0;
	if (!merge_pays(a, b))
		return each(a, b, gx_globset_add_range);
	int err = merge(&new, a, b);
	return replace(a, &new, err);
}

static int difference(struct gx_globset *ret_s, const struct gx_globset *a, const struct gx_globset *b)
{
	struct gx_globset_iter i, k;
	struct gx_idrange x, y;
	int err = 0;
	gx_globset_iter(a, &i);
	gx_globset_iter(b, &k);
	bool more = gx_globset_next(&k, &y);
	while (err == 0 && gx_globset_next(&i, &x)) {
		while (more && y.hi < x.lo)
			more = gx_globset_next(&k, &y);
		uint64_t from = x.lo;
		while (err == 0 && more && y.lo <= x.hi) {
			if (y.lo > from)
				err = gx_globset_add_range(ret_s, from, y.lo - 1);
			from = y.hi + 1;
			if (y.hi > x.hi)
				break;
			more = gx_globset_next(&k, &y);
		}
		if (err == 0 && from <= x.hi)
			err = gx_globset_add_range(ret_s, from, x.hi);
	}
	return err;
}

int gx_globset_subtract(struct gx_globset *a, const struct gx_globset *b)
{
	struct gx_globset new = GX_GLOBSET_INIT;
	if (a == b) {
		gx_globset_release(a);
		return 0;
	}
	if (!merge_pays(a, b))
		return each(a, b, gx_globset_remove_range);
	int err = difference(&new, a, b);
	return replace(a, &new, err);
}
