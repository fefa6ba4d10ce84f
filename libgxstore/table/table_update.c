/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/* Some messages of a list are looked at again: their entries are taken out, and put where they belong by halving. */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static size_t sorted_once(const uint64_t *mids, size_t n, uint64_t *out)
{
	size_t k = 0;
	memcpy(out, mids, n * sizeof(*out));
	qsort(out, n, sizeof(*out), by_number);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || out[i] != out[i - 1])
			out[k++] = out[i];
	return k;
}

static void take_out(struct gx_table *tb, const uint64_t *mids, size_t n, struct gx_listchange *c)
{
	struct gx_seq *q = &tb->seq;
	size_t k = 0;
	for (size_t i = 0; i < q->n; i++) {
		uint64_t mid = GX_ENTRY_MID(q->v[i]);
		if (mid >= mids[0] && mid <= mids[n - 1] && bsearch(&mid, mids, n, sizeof(*mids), by_number) != NULL) {
			c->many = c->many || c->ngone == GX_TABLE_TOLD_MAX;
			if (!c->many)
				c->gone[c->ngone++] = q->v[i];
			continue;
		}
		q->v[k] = q->v[i];
		if (tb->groups.depth > 0)
			q->prefix[k] = q->prefix[i];
		k++;
	}
	q->n = k;
}

struct update {
	struct gx_table *tb;
	struct gx_msgsrc x;      /* the message that comes */
	struct gx_orderkeys made;
	struct gx_msgsrc probe;  /* those that are there */
	struct gx_orderkeys probed;
	struct gx_arena *a, *probe_a;
};

/* The key of entry @i against @key. */
static int compare(struct update *u, size_t i, struct gx_bin key, int *ret_d)
{
	const struct gx_seq *q = &u->tb->seq;
	struct gx_bin have;
	int err = gx_msgsrc__set_mid(&u->probe, GX_ENTRY_MID(q->v[i]));
	if (err == 0)
		err = gx_seq__make_key(&q->spec, &u->probe, GX_ENTRY_INST(q->v[i]), &u->probed, &have);
	if (err == 0)
		*ret_d = gx_order__cmp(have, key);
	gx_arena_reset(u->probe_a);
	return err;
}

/* Most of what comes belongs to one of the ends. */
static int find_place(struct update *u, struct gx_bin key, size_t *ret_i)
{
	size_t lo = 0, hi = u->tb->seq.n, at = hi == 0 ? 0 : hi - 1;
	int d, err = 0;
	while (err == 0 && lo < hi) {
		err = compare(u, at, key, &d);
		if (err == 0 && d < 0)
			lo = at + 1;
		else
			hi = at;
		at = lo + (hi - lo) / 2;
	}
	*ret_i = lo;
	return err;
}

static void note_put(struct gx_listchange *c, uint64_t entry, size_t at)
{
	for (size_t i = 0; i < c->nput; i++)
		if (c->put[i].at >= at)
			c->put[i].at++;
	c->many = c->many || c->nput == GX_TABLE_TOLD_MAX;
	if (!c->many) {
		c->put[c->nput].entry = entry;
		c->put[c->nput++].at = at;
	}
}

static int put_keys(struct update *u, int unread, struct gx_listchange *c)
{
	int err = gx_orderkeys__make(&u->tb->seq.spec, &u->x, &u->made);
	for (unsigned i = 0; err == 0 && i < u->made.n; i++) {
		struct gx_bin key = gx_orderkeys__at(&u->made, i);
		uint64_t mid, entry;
		uint32_t inst;
		size_t at = 0;
		gx_order__id(key, &mid, &inst);
		entry = GX_ENTRY(mid, unread, inst);
		err = find_place(u, key, &at);
		if (err == 0)
			err = gx_list__insert(u->tb, at, key, entry);
		if (err == 0)
			note_put(c, entry, at);
	}
	return err;
}

static int put_one(struct update *u, uint64_t mid, struct gx_listchange *c)
{
	int err = gx_msgsrc__set_mid(&u->x, mid);
	int r = err == GX_E_NOTFOUND ? 0 : err != 0 ? err : gx_table__holds(u->tb, &u->x);
	int unread = r <= 0 ? r : gx_table__unread(u->tb, &u->x);
	if (r > 0 && unread >= 0)
		r = put_keys(u, unread, c);
	gx_arena_reset(u->a);
	return unread < 0 ? unread : r < 0 ? r : 0;
}

static int put_all(struct gx_table *tb, struct gx_txn *t, const uint64_t *mids, size_t n, struct gx_listchange *c)
{
	struct update u = {.tb = tb, .a = gx_arena_new(0), .probe_a = gx_arena_new(0)};
	int err = u.a == NULL || u.probe_a == NULL ? GX_E_NOMEM : 0;
	if (err == 0) {
		gx_msgsrc__init(&u.x, t, u.a);
		gx_msgsrc__init(&u.probe, t, u.probe_a);
		for (size_t i = 0; err == 0 && i < n; i++)
			err = put_one(&u, mids[i], c);
		gx_msgsrc__release(&u.x);
		gx_msgsrc__release(&u.probe);
	}
	gx_push_release(&u.made.bytes);
	gx_push_release(&u.probed.bytes);
	gx_arena_free(u.a);
	gx_arena_free(u.probe_a);
	return err;
}

int gx_list__update(struct gx_table *tb, struct gx_txn *t, const uint64_t *mids, size_t n, struct gx_listchange *ret_c)
{
	struct gx_listchange none;
	struct gx_listchange *c = ret_c == NULL ? &none : ret_c;
	c->ngone = c->nput = 0;
	c->many = tb->limit != UINT32_MAX; /* one that goes lets another one in */
	if (n == 0)
		return 0;
	if (c->many)
		return gx_list__fill(tb, t);
	uint64_t *v = malloc(n * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	n = sorted_once(mids, n, v);
	take_out(tb, v, n, c);
	int err = put_all(tb, t, v, n, c);
	free(v);
	return err;
}
