/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * Groups of a categorised table. Rows of a group stand together in the sequence, so a group is a range of
 * it: its leaf rows are never held. An order on disk has the numbers of its groups (order_count.c): reading
 * them costs by the number of groups, not of messages.
 *
 * A group is known by the bytes of its category columns; by them it is found again when groups are read
 * anew, and keeps its id and whether it is open.
 */

static struct gx_bin bin_of(const struct gx_push *p)
{
	return (struct gx_bin){p->len == 0 ? (const uint8_t *)"" : p->data, p->len};
}

struct making {
	struct gx_table *tb;
	struct gx_runs runs;
	struct gx_groups old;
	size_t *by_prefix; /* of the old ones, sorted */
	bool merged;       /* only ranges that are touched have changed */
};

void gx_groups__clear(struct gx_groups *g)
{
	gx_push_release(&g->bytes);
	free(g->v);
	free(g->shown);
	free(g->at);
	g->bytes = (struct gx_push)GX_PUSH_INIT;
	g->v = NULL;
	g->shown = NULL;
	g->at = NULL;
	g->n = g->cap = g->nshown = 0;
	g->total = 0;
}

static void turn_round(struct gx_runs *x)
{
	for (size_t i = 0, k = x->n; i + 1 < k; i++) {
		struct gx_run r = x->v[i];
		x->v[i] = x->v[--k];
		x->v[k] = r;
	}
}

/* ---- Groups of before ---- */

static int by_prefix(const void *a, const void *b, void *ctx)
{
	const struct gx_groups *g = ctx;
	const struct gx_group *x = &g->v[*(const size_t *)a], *y = &g->v[*(const size_t *)b];
	return gx_order__cmp(
		(struct gx_bin){g->bytes.data + x->off, x->len}, (struct gx_bin){g->bytes.data + y->off, y->len});
}

static int index_old(struct making *x)
{
	x->old = x->tb->groups;
	x->by_prefix = malloc((x->old.n + 1) * sizeof(*x->by_prefix));
	if (x->by_prefix == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < x->old.n; i++)
		x->by_prefix[i] = i;
	qsort_r(x->by_prefix, x->old.n, sizeof(*x->by_prefix), by_prefix, &x->old);
	return 0;
}

static const struct gx_group *find_old(const struct making *x, struct gx_bin prefix)
{
	size_t lo = 0, hi = x->old.n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct gx_group *g = &x->old.v[x->by_prefix[mid]];
		int d = gx_order__cmp((struct gx_bin){x->old.bytes.data + g->off, g->len}, prefix);
		if (d == 0)
			return g;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* ---- Making them ---- */

static int add_group(
	struct making *x, const struct gx_run *r, unsigned depth, size_t len, uint32_t parent, uint64_t start)
{
	struct gx_groups *g = &x->tb->groups;
	if (g->n >= GX_TABLE_ROWS_MAX)
		return GX_E_LIMIT;
	struct gx_group *v = gx_table__grow(g->v, &g->cap, g->n + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	g->v = v;
	struct gx_bin prefix = {x->runs.bytes.data + r->off, len};
	const struct gx_group *old = find_old(x, prefix);
	g->v[g->n++] = (struct gx_group){.id = old != NULL ? old->id : GX_TABLE_HEADER_ID | ++g->last_id,
		.off = r->off, .len = len, .parent = parent, .depth = (uint8_t)depth,
		.open = old != NULL ? old->open : depth < g->open, .start = start};
	return 0;
}

/* The first column in which two ranges differ, and where each column ends. */
static unsigned first_difference(
	const struct making *x, const struct gx_run *last, const struct gx_run *r, size_t *ends)
{
	const struct gx_table *tb = x->tb;
	struct gx_bin p = gx_runs__prefix(&x->runs, r);
	unsigned same = 0;
	for (unsigned k = 0; k < tb->groups.depth; k++) {
		ends[k] = gx_orderspec__prefix(&tb->seq.spec, p, k + 1);
		if (last != NULL && same == k && ends[k] <= last->len &&
			memcmp(x->runs.bytes.data + last->off, p.data, ends[k]) == 0)
			same++;
	}
	return same;
}

static int make_groups(struct making *x)
{
	struct gx_groups *g = &x->tb->groups;
	uint32_t path[8] = {0};
	size_t ends[8];
	uint64_t start = 0;
	for (size_t i = 0; i < x->runs.n; i++) {
		const struct gx_run *r = &x->runs.v[i];
		for (unsigned k = first_difference(x, i == 0 ? NULL : &x->runs.v[i - 1], r, ends); k < g->depth; k++) {
			int err = add_group(x, r, k, ends[k], k == 0 ? UINT32_MAX : path[k - 1], start);
			if (err != 0)
				return err;
			path[k] = (uint32_t)(g->n - 1);
		}
		for (unsigned k = 0; k < g->depth; k++) {
			g->v[path[k]].count += r->count;
			g->v[path[k]].unread += r->unread;
		}
		start += r->count;
	}
	return 0;
}

/* The first of a range of keys in an order, by a probe rather than by its position. */
static int first_key(const struct gx_table *tb, struct gx_txn *t, struct gx_bin prefix, struct gx_push *out)
{
	const struct gx_seq *q = &tb->seq;
	struct gx_push after = GX_PUSH_INIT;
	struct gx_orderwalk w;
	struct gx_orderrow row;
	struct gx_bin from = prefix;
	if (q->back) {
		gx_order__after(prefix, &after);
		from = bin_of(&after);
	}
	gx_orderwalk__from(&w, t, q->view, from, (q->back ? GX_WALK_BACK : 0) | (q->unread_only ? GX_WALK_UNREAD : 0));
	int r = after.err != 0 ? after.err : gx_orderwalk__next(&w, &row);
	gx_push_clear(out);
	if (r > 0)
		gx_push_bytes(out, row.key.data, row.key.len);
	gx_orderwalk__end(&w);
	gx_push_release(&after);
	return r < 0 ? r : r == 0 ? GX_E_NOTFOUND : out->err;
}

int gx_groups__first_key(struct gx_table *tb, struct gx_txn *t, size_t i, struct gx_push *out)
{
	const struct gx_groups *g = &tb->groups;
	if (tb->seq.listed)
		return gx_seq__key(tb, t, g->v[i].start, out);
	return first_key(tb, t, (struct gx_bin){g->bytes.data + g->v[i].off, g->v[i].len}, out);
}

/* The value of the column behind the categories in the group's first row. */
static int read_extremum(struct making *x, struct gx_txn *t, struct gx_group *v, struct gx_push *key)
{
	const struct gx_seq *q = &x->tb->seq;
	unsigned depth = x->tb->groups.depth;
	int err = q->listed ? gx_seq__key(x->tb, t, v->start, key) :
		first_key(x->tb, t, (struct gx_bin){x->runs.bytes.data + v->off, v->len}, key);
	if (err != 0)
		return err;
	struct gx_bin k = {key->data, key->len};
	size_t from = gx_orderspec__prefix(&q->spec, k, depth), to = gx_orderspec__prefix(&q->spec, k, depth + 1);
	v->ext_off = x->runs.bytes.len;
	v->ext_len = to - from;
	gx_push_bytes(&x->runs.bytes, key->data + from, v->ext_len);
	return x->runs.bytes.err;
}

/* Of a group whose rows did not change it is known. */
static bool known_extremum(struct making *x, const struct gx_run *r, struct gx_group *v)
{
	const struct gx_group *old = r->touched ? NULL : find_old(x, gx_runs__prefix(&x->runs, r));
	if (old == NULL)
		return false;
	v->ext_off = x->runs.bytes.len;
	v->ext_len = old->ext_len;
	gx_push_bytes(&x->runs.bytes, x->old.bytes.data + old->ext_off, old->ext_len);
	return true;
}

static int read_extrema(struct making *x, struct gx_txn *t)
{
	struct gx_groups *g = &x->tb->groups;
	struct gx_push key = GX_PUSH_INIT;
	size_t k = 0;
	int err = 0;
	for (size_t i = 0; err == 0 && g->extremum && i < g->n; i++) {
		if (g->v[i].depth + 1U != g->depth)
			continue;
		const struct gx_run *r = &x->runs.v[k++];
		if (!x->merged || !known_extremum(x, r, &g->v[i]))
			err = read_extremum(x, t, &g->v[i], &key);
	}
	gx_push_release(&key);
	return err != 0 ? err : x->runs.bytes.err;
}

static int make(struct making *x, struct gx_txn *t, struct gx_groupops *ops)
{
	struct gx_table *tb = x->tb;
	int err = index_old(x);
	if (err == 0)
		err = ops != NULL      ? gx_runs__merge(&x->runs, ops)
		      : tb->seq.listed ? gx_runs__read_list(&x->runs)
				       : gx_runs__read_order(&x->runs, t);
	if (err != 0)
		return err;
	struct gx_groups *g = &tb->groups;
	*g = (struct gx_groups){.depth = g->depth, .open = g->open, .extremum = g->extremum, .last_id = g->last_id};
	if (tb->seq.back)
		turn_round(&x->runs);
	err = make_groups(x);
	if (err == 0)
		err = read_extrema(x, t);
	g->bytes = x->runs.bytes;
	x->runs.bytes = (struct gx_push)GX_PUSH_INIT;
	if (err == 0)
		err = gx_groups__show(tb);
	if (err != 0) { /* those of before keep their ids for the next try */
		uint64_t last = g->last_id;
		gx_groups__clear(g);
		*g = x->old;
		g->last_id = last;
	} else {
		gx_groups__clear(&x->old);
	}
	return err;
}

static int make_from(struct gx_table *tb, struct gx_txn *t, struct gx_groupops *ops)
{
	struct making x = {.tb = tb, .runs = {.tb = tb}, .merged = ops != NULL};
	int err = make(&x, t, ops);
	gx_runs__release(&x.runs);
	free(x.by_prefix);
	return err;
}

int gx_groups__fill(struct gx_table *tb, struct gx_txn *t)
{
	return make_from(tb, t, NULL);
}

int gx_groups__update(struct gx_table *tb, struct gx_txn *t, struct gx_groupops *ops)
{
	int err = make_from(tb, t, ops);
	return err == GX_E_RANGE ? make_from(tb, t, NULL) : err;
}
