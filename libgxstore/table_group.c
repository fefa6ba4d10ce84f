/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table-int.h"

/*
 * Groups of a categorised table. Rows of a group stand together in the sequence, so a group is a range of
 * it: its leaf rows are never held. Reading an order on disk passes over runs that lie in one group
 * without looking at their rows: it costs by the number of groups and runs, not of messages.
 *
 * A group is known by the bytes of its category columns; by them it is found again when groups are read
 * anew, and keeps its id and whether it is open.
 */

struct run {
	size_t off, len; /* prefix, all category columns */
	uint64_t count, unread;
};
struct reading {
	struct gx_table *tb;
	struct gx_push bytes;
	struct run *v;
	size_t n, cap;
	struct gx_groups old;
	size_t *by_prefix; /* of the old ones, sorted */
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

/* ---- Ranges of equal prefixes ---- */

static struct gx_bin run_prefix(const struct reading *x, const struct run *r)
{
	return (struct gx_bin){x->bytes.data + r->off, r->len};
}

static int add_rows(struct reading *x, struct gx_bin prefix, uint64_t count, uint64_t unread)
{
	if (count == 0)
		return 0;
	struct run *last = x->n == 0 ? NULL : &x->v[x->n - 1];
	if (last == NULL || gx_order__cmp(run_prefix(x, last), prefix) != 0) {
		struct run *v = gx_table__grow(x->v, &x->cap, x->n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		x->v = v;
		last = &x->v[x->n++];
		*last = (struct run){.off = x->bytes.len, .len = prefix.len};
		gx_push_bytes(&x->bytes, prefix.data, prefix.len);
	}
	last->count += count;
	last->unread += unread;
	return x->bytes.err;
}

static int read_list(struct reading *x)
{
	const struct gx_seq *q = &x->tb->seq;
	int err = 0;
	for (size_t i = 0; err == 0 && i < q->n; i++)
		err = add_rows(x, gx_seq__prefix(q, i), 1, GX_ENTRY_UNREAD(q->v[i]));
	return err;
}

static struct gx_bin cut(const struct gx_table *tb, struct gx_bin key)
{
	return (struct gx_bin){key.data, gx_orderspec__prefix(&tb->seq.spec, key, tb->groups.depth)};
}

/* Row by row from @lo to below @hi (NULL: the end). */
static int read_rows(struct reading *x, struct gx_txn *t, struct gx_bin lo, const struct gx_push *hi)
{
	const struct gx_seq *q = &x->tb->seq;
	struct gx_orderwalk w;
	struct gx_orderrow row;
	int r;
	gx_orderwalk__from(&w, t, q->view, lo, q->unread_only ? GX_WALK_UNREAD : 0);
	while ((r = gx_orderwalk__next(&w, &row)) > 0) {
		if (hi != NULL && gx_order__cmp(row.key, (struct gx_bin){hi->data, hi->len}) >= 0)
			break;
		r = add_rows(x, cut(x->tb, row.key), 1, row.unread);
		if (r != 0)
			break;
	}
	gx_orderwalk__end(&w);
	return r < 0 ? r : 0;
}

/* One run of the order: at once when it begins and ends in the same group. */
static int read_run(struct reading *x, struct gx_txn *t, const struct gx_push *lo, const struct gx_push *hi,
	uint64_t total, uint64_t unread)
{
	struct gx_bin from = {lo->len == 0 ? (const uint8_t *)"" : lo->data, lo->len};
	if (hi != NULL && lo->len > 0) {
		struct gx_bin a = cut(x->tb, from), b = cut(x->tb, (struct gx_bin){hi->data, hi->len});
		if (a.len > 0 && gx_order__cmp(a, b) == 0)
			return add_rows(x, a, x->tb->seq.unread_only ? unread : total, unread);
	}
	return read_rows(x, t, from, hi);
}

static int read_order(struct reading *x, struct gx_txn *t)
{
	struct gx_push lo = GX_PUSH_INIT, hi = GX_PUSH_INIT;
	uint64_t total = 0, unread = 0;
	bool have = false;
	GX_STMT(st, t->q, "SELECT key,total,unread FROM schunk WHERE view=?1 ORDER BY key");
	gx_sql__bind_int(st, 1, (int64_t)x->tb->seq.view);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_bin key = gx_sql__blob(st, 0);
		gx_push_clear(&hi);
		gx_push_bytes(&hi, key.data, key.len);
		err = hi.err;
		if (err == 0 && have)
			err = read_run(x, t, &lo, &hi, total, unread);
		total = gx_sql__u64(st, 1);
		unread = gx_sql__u64(st, 2);
		have = true;
		struct gx_push swap = lo;
		lo = hi;
		hi = swap;
	}
	if (err == 0 && r == 0 && have)
		err = read_run(x, t, &lo, NULL, total, unread);
	gx_push_release(&lo);
	gx_push_release(&hi);
	return err != 0 ? err : r;
}

static void turn_round(struct reading *x)
{
	for (size_t i = 0, k = x->n; i + 1 < k; i++) {
		struct run r = x->v[i];
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

static int index_old(struct reading *x)
{
	x->by_prefix = malloc((x->old.n + 1) * sizeof(*x->by_prefix));
	if (x->by_prefix == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < x->old.n; i++)
		x->by_prefix[i] = i;
	qsort_r(x->by_prefix, x->old.n, sizeof(*x->by_prefix), by_prefix, &x->old);
	return 0;
}

static const struct gx_group *find_old(const struct reading *x, struct gx_bin prefix)
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
	struct reading *x, const struct run *r, unsigned depth, size_t len, uint32_t parent, uint64_t start)
{
	struct gx_groups *g = &x->tb->groups;
	if (g->n >= GX_TABLE_ROWS_MAX)
		return GX_E_LIMIT;
	struct gx_group *v = gx_table__grow(g->v, &g->cap, g->n + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	g->v = v;
	struct gx_bin prefix = {x->bytes.data + r->off, len};
	const struct gx_group *old = find_old(x, prefix);
	g->v[g->n++] = (struct gx_group){.id = old != NULL ? old->id : GX_TABLE_HEADER_ID | ++g->last_id,
		.off = r->off, .len = len, .parent = parent, .depth = (uint8_t)depth,
		.open = old != NULL ? old->open : depth < g->open, .start = start};
	return 0;
}

/* The first column in which two ranges differ, and where each column ends. */
static unsigned first_difference(const struct reading *x, const struct run *last, const struct run *r, size_t *ends)
{
	const struct gx_table *tb = x->tb;
	struct gx_bin p = run_prefix(x, r);
	unsigned same = 0;
	for (unsigned k = 0; k < tb->groups.depth; k++) {
		ends[k] = gx_orderspec__prefix(&tb->seq.spec, p, k + 1);
		if (last != NULL && same == k && ends[k] <= last->len &&
			memcmp(x->bytes.data + last->off, p.data, ends[k]) == 0)
			same++;
	}
	return same;
}

static int make_groups(struct reading *x)
{
	struct gx_groups *g = &x->tb->groups;
	uint32_t path[8] = {0};
	size_t ends[8];
	uint64_t start = 0;
	for (size_t i = 0; i < x->n; i++) {
		const struct run *r = &x->v[i];
		for (unsigned k = first_difference(x, i == 0 ? NULL : &x->v[i - 1], r, ends); k < g->depth; k++) {
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

/* The value of the column behind the categories in the group's first row. */
static int read_extremum(struct reading *x, struct gx_txn *t, struct gx_group *v, struct gx_push *key)
{
	const struct gx_seq *q = &x->tb->seq;
	unsigned depth = x->tb->groups.depth;
	int err = gx_seq__key(x->tb, t, v->start, key);
	if (err != 0)
		return err;
	struct gx_bin k = {key->data, key->len};
	size_t from = gx_orderspec__prefix(&q->spec, k, depth), to = gx_orderspec__prefix(&q->spec, k, depth + 1);
	v->ext_off = x->bytes.len;
	v->ext_len = to - from;
	gx_push_bytes(&x->bytes, key->data + from, v->ext_len);
	return x->bytes.err;
}

static int read_extrema(struct reading *x, struct gx_txn *t)
{
	struct gx_groups *g = &x->tb->groups;
	struct gx_push key = GX_PUSH_INIT;
	int err = 0;
	for (size_t i = 0; err == 0 && g->extremum && i < g->n; i++)
		if (g->v[i].depth + 1U == g->depth)
			err = read_extremum(x, t, &g->v[i], &key);
	gx_push_release(&key);
	return err;
}

int gx_groups__fill(struct gx_table *tb, struct gx_txn *t)
{
	struct gx_groups *g = &tb->groups;
	struct reading x = {.tb = tb, .old = *g};
	*g = (struct gx_groups){.depth = g->depth, .open = g->open, .extremum = g->extremum, .last_id = g->last_id};
	int err = index_old(&x);
	if (err == 0)
		err = tb->seq.listed ? read_list(&x) : read_order(&x, t);
	if (err == 0 && tb->seq.back)
		turn_round(&x);
	if (err == 0)
		err = make_groups(&x);
	if (err == 0)
		err = read_extrema(&x, t);
	g->bytes = x.bytes;
	if (err == 0)
		err = gx_groups__show(tb);
	if (err != 0) { /* those of before keep their ids for the next try */
		uint64_t last = g->last_id;
		gx_groups__clear(g);
		*g = x.old;
		g->last_id = last;
	} else {
		gx_groups__clear(&x.old);
	}
	free(x.v);
	free(x.by_prefix);
	return err;
}
