/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/view/view-int.h"

/* An entry comes (1) or goes (UINT32_MAX, modulo 2^32). */
static void tally(struct gx_chunk *c, const struct gx_uid_entry *e, uint32_t one)
{
	if (!(e->flags & GX_MSGF_READ))
		c->unseen += one;
	if (e->flags & GX_MSGF_RECENT)
		c->recent += one;
}

static void recount(struct gx_chunk *c)
{
	c->unseen = c->recent = 0;
	for (uint32_t i = 0; i < c->n; i++)
		tally(c, &gx_chunk__raw(c)[i], 1);
}

void gx_root__ref(struct gx_root *r)
{
	atomic_fetch_add(&r->refs, 1);
}

void gx_root__unref(struct gx_root *r)
{
	if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	for (uint32_t i = 0; i < r->nchunks; i++)
		gx_chunk__unref(r->c[i]);
	free(r->c);
	free(r->start);
	free(r);
}

/* The chunk of entry @i. As long as nothing was removed all chunks but the last are full. */
static uint32_t chunk_of(const struct gx_root *r, uint32_t i)
{
	uint32_t lo = i / GX_CHUNK_MAX, hi = r->nchunks;
	if (lo < hi && i - r->start[lo] < r->c[lo]->n)
		return lo;
	lo = 0;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (r->start[mid] <= i)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

bool gx_root__get(const struct gx_root *r, uint32_t i, struct gx_uid_entry *ret_e)
{
	if (i >= r->count) {
		*ret_e = (struct gx_uid_entry){0};
		return false;
	}
	uint32_t k = chunk_of(r, i);
	gx_chunk__get(r->c[k], i - r->start[k], ret_e);
	return true;
}

/* The last chunk that begins at or before the UID; 0 when none does. */
static uint32_t chunk_for(struct gx_chunk *const *c, uint32_t n, uint32_t uid)
{
	uint32_t lo = 0, hi = n;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (gx_chunk__uid(c[mid], 0) <= uid)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

uint32_t gx_root__lower(const struct gx_root *r, uint32_t uid)
{
	if (r->nchunks == 0)
		return 0;
	uint32_t i = chunk_for(r->c, r->nchunks, uid);
	return r->start[i] + gx_chunk__lower(r->c[i], uid);
}

/* ---- Building ---- */

void gx_rootbuild__init(struct gx_rootbuild *b)
{
	*b = (struct gx_rootbuild){.raw_max = GX_CHUNKS_RAW};
}

static bool room(struct gx_rootbuild *b, uint32_t more)
{
	if (b->err != 0)
		return false;
	if (b->n + more <= b->cap)
		return true;
	uint32_t cap = b->cap * 2 < b->n + more ? b->n + more + 8 : b->cap * 2;
	struct gx_chunk **c = realloc(b->c, cap * sizeof(*c));
	if (c == NULL) {
		b->err = GX_E_NOMEM;
		return false;
	}
	b->c = c;
	b->cap = cap;
	return true;
}

uint32_t gx_rootbuild__count(const struct gx_rootbuild *b)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < b->n; i++)
		n += b->c[i]->n;
	return n;
}

void gx_rootbuild__share(struct gx_rootbuild *b, struct gx_chunk *c)
{
	if (!room(b, 1))
		return;
	atomic_fetch_add(&c->refs, 1);
	b->raw += c->cap > 0;
	b->c[b->n++] = c;
}

void gx_rootbuild__from(struct gx_rootbuild *b, struct gx_root *r)
{
	gx_rootbuild__init(b);
	if (r == NULL)
		return;
	if (atomic_load(&r->refs) == 1) { /* nobody else looks: its chunks become ours */
		b->c = r->c;
		b->n = b->cap = r->nchunks;
		b->raw = r->raw;
		free(r->start);
		free(r);
		return;
	}
	if (room(b, r->nchunks))
		for (uint32_t i = 0; i < r->nchunks; i++)
			gx_rootbuild__share(b, r->c[i]);
	gx_root__unref(r);
}

/* Too many are not packed: all are but @keep, which is being edited. Without memory they stay as they are. */
static void pack_others(struct gx_rootbuild *b, uint32_t keep)
{
	if (b->raw <= b->raw_max)
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		struct gx_chunk *c = b->c[i], *p = i == keep || c->cap == 0 ? NULL : gx_chunk__packed(c);
		if (p == NULL)
			continue;
		gx_chunk__unref(c);
		b->c[i] = p;
		b->raw--;
	}
}

/* Chunk @i for writing, with room for one more entry if it is not full. */
static struct gx_chunk *own(struct gx_rootbuild *b, uint32_t i, uint32_t more)
{
	struct gx_chunk *c = b->c[i];
	uint32_t want = c->n + more;
	if (c->cap > 0 && atomic_load(&c->refs) == 1 && want <= c->cap)
		return c;
	uint32_t cap = want <= c->cap ? c->cap : want * 2 > GX_CHUNK_MAX ? GX_CHUNK_MAX : want * 2;
	struct gx_chunk *d = gx_chunk__new(cap);
	if (d == NULL) {
		b->err = GX_E_NOMEM;
		return NULL;
	}
	d->n = c->n;
	d->unseen = c->unseen;
	d->recent = c->recent;
	gx_chunk__entries(c, gx_chunk__raw(d));
	b->raw += c->cap == 0;
	gx_chunk__unref(c);
	b->c[i] = d;
	pack_others(b, i);
	return d;
}

void gx_rootbuild__append(struct gx_rootbuild *b, const struct gx_uid_entry *e)
{
	if (b->err != 0)
		return;
	if (b->n == 0 || b->c[b->n - 1]->n >= GX_CHUNK_MAX) {
		struct gx_chunk *c = room(b, 1) ? gx_chunk__new(b->n == 0 ? 8 : GX_CHUNK_MAX) : NULL;
		if (c == NULL) {
			b->err = GX_E_NOMEM;
			return;
		}
		b->c[b->n++] = c;
		b->raw++;
		pack_others(b, b->n - 1);
	}
	struct gx_chunk *c = own(b, b->n - 1, 1);
	if (c == NULL)
		return;
	gx_chunk__raw(c)[c->n++] = *e;
	tally(c, e, 1);
}

/* The full chunk @i becomes two halves. */
static bool split(struct gx_rootbuild *b, uint32_t i)
{
	struct gx_chunk *c = room(b, 1) ? own(b, i, 0) : NULL, *d = c == NULL ? NULL : gx_chunk__new(GX_CHUNK_MAX);
	if (d == NULL) {
		b->err = GX_E_NOMEM;
		return false;
	}
	uint32_t half = c->n / 2;
	d->n = c->n - half;
	memcpy(gx_chunk__raw(d), gx_chunk__raw(c) + half, d->n * sizeof(struct gx_uid_entry));
	c->n = half;
	recount(c);
	recount(d);
	memmove(&b->c[i + 2], &b->c[i + 1], (b->n - i - 1) * sizeof(struct gx_chunk *));
	b->c[i + 1] = d;
	b->n++;
	b->raw++;
	pack_others(b, i);
	return true;
}

static void replace(struct gx_rootbuild *b, uint32_t i, uint32_t at, const struct gx_uid_entry *e)
{
	struct gx_chunk *c = own(b, i, 0);
	if (c == NULL)
		return;
	struct gx_uid_entry *v = gx_chunk__raw(c);
	tally(c, &v[at], UINT32_MAX);
	v[at] = *e;
	tally(c, e, 1);
}

static uint32_t last_uid(const struct gx_rootbuild *b)
{
	const struct gx_chunk *c = b->c[b->n - 1];
	return gx_chunk__uid(c, c->n - 1);
}

void gx_rootbuild__put(struct gx_rootbuild *b, const struct gx_uid_entry *e)
{
	if (b->err != 0)
		return;
	if (b->n == 0 || last_uid(b) < e->uid) {
		gx_rootbuild__append(b, e);
		return;
	}
	uint32_t i = chunk_for(b->c, b->n, e->uid), at = gx_chunk__lower(b->c[i], e->uid);
	if (at < b->c[i]->n && gx_chunk__uid(b->c[i], at) == e->uid) {
		replace(b, i, at, e);
		return;
	}
	if (b->c[i]->n >= GX_CHUNK_MAX) {
		if (split(b, i))
			gx_rootbuild__put(b, e);
		return;
	}
	struct gx_chunk *c = own(b, i, 1);
	if (c == NULL)
		return;
	struct gx_uid_entry *v = gx_chunk__raw(c);
	memmove(&v[at + 1], &v[at], (c->n - at) * sizeof(*v));
	v[at] = *e;
	c->n++;
	tally(c, e, 1);
}

void gx_rootbuild__update(struct gx_rootbuild *b, const struct gx_uid_entry *e)
{
	if (b->err != 0 || b->n == 0)
		return;
	uint32_t i = chunk_for(b->c, b->n, e->uid), at = gx_chunk__lower(b->c[i], e->uid);
	if (at < b->c[i]->n && gx_chunk__uid(b->c[i], at) == e->uid)
		replace(b, i, at, e);
}

void gx_rootbuild__remove(struct gx_rootbuild *b, uint32_t uid)
{
	if (b->err != 0 || b->n == 0)
		return;
	uint32_t i = chunk_for(b->c, b->n, uid), at = gx_chunk__lower(b->c[i], uid);
	if (at >= b->c[i]->n || gx_chunk__uid(b->c[i], at) != uid)
		return;
	struct gx_chunk *c = own(b, i, 0);
	if (c == NULL)
		return;
	struct gx_uid_entry *v = gx_chunk__raw(c);
	tally(c, &v[at], UINT32_MAX);
	memmove(&v[at], &v[at + 1], (c->n - at - 1) * sizeof(*v));
	if (--c->n > 0)
		return;
	gx_chunk__unref(c);
	b->raw--;
	memmove(&b->c[i], &b->c[i + 1], (b->n - i - 1) * sizeof(struct gx_chunk *));
	b->n--;
}

struct gx_root *gx_rootbuild__finish(struct gx_rootbuild *b)
{
	struct gx_root *r = b->err != 0 ? NULL : calloc(1, sizeof(*r));
	uint32_t *start = r == NULL ? NULL : malloc((b->n + 1) * sizeof(*start));
	if (start == NULL) {
		for (uint32_t i = 0; i < b->n; i++)
			gx_chunk__unref(b->c[i]);
		free(b->c);
		free(r);
		gx_rootbuild__init(b);
		return NULL;
	}
	atomic_init(&r->refs, 1);
	r->c = b->c;
	r->nchunks = b->n;
	r->raw = b->raw;
	r->start = start;
	for (uint32_t i = 0; i < b->n; i++) {
		start[i] = r->count;
		r->count += b->c[i]->n;
	}
	gx_rootbuild__init(b);
	return r;
}

/* ---- Comparing ---- */

void gx_rootdiff__init(struct gx_rootdiff *d, const struct gx_root *old, const struct gx_root *new)
{
	memset(d, 0, offsetof(struct gx_rootdiff, obuf));
	d->old = old;
	d->new = new;
}

static void step_old(struct gx_rootdiff *d)
{
	d->opos++;
	if (++d->oe == d->old->c[d->oc]->n) {
		d->oc++;
		d->oe = 0;
	}
}

static void step_new(struct gx_rootdiff *d)
{
	d->npos++;
	if (++d->ne == d->new->c[d->nc]->n) {
		d->nc++;
		d->ne = 0;
	}
}

/* Past what the last call reported. */
static void advance(struct gx_rootdiff *d)
{
	if (d->shared != NULL) {
		d->opos += d->shared->n;
		d->npos += d->shared->n;
		d->oc++;
		d->nc++;
	} else {
		if (d->o != NULL)
			step_old(d);
		if (d->n != NULL)
			step_new(d);
	}
	d->shared = NULL;
	d->o = d->n = NULL;
}

/* Entries of a chunk; of a packed one in @buf. */
static const struct gx_uid_entry *entries(const struct gx_chunk *c, struct gx_uid_entry *buf,
	const struct gx_chunk **buf_of)
{
	if (c->cap > 0)
		return gx_chunk__raw(c);
	if (*buf_of != c)
		gx_chunk__entries(c, buf);
	*buf_of = c;
	return buf;
}

int gx_rootdiff__next(struct gx_rootdiff *d)
{
	advance(d);
	bool old = d->oc < d->old->nchunks, new = d->nc < d->new->nchunks;
	if (!old && !new)
		return GX_DIFF_END;
	if (old && new && d->oe == 0 && d->ne == 0 && d->old->c[d->oc] == d->new->c[d->nc]) {
		d->shared = d->old->c[d->oc];
		return GX_DIFF_SHARED;
	}
	const struct gx_uid_entry *o = old ? entries(d->old->c[d->oc], d->obuf, &d->obuf_of) + d->oe : NULL;
	const struct gx_uid_entry *n = new ? entries(d->new->c[d->nc], d->nbuf, &d->nbuf_of) + d->ne : NULL;
	if (n == NULL || (o != NULL && o->uid < n->uid)) {
		d->o = o;
		return GX_DIFF_REMOVED;
	}
	d->n = n;
	if (o == NULL || n->uid < o->uid)
		return GX_DIFF_ADDED;
	d->o = o;
	return GX_DIFF_BOTH;
}
