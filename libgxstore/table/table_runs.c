/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * Ranges of leaf rows with the same category columns, ascending. When the order on disk has no numbers of
 * groups it is read, without looking at the rows of runs that lie in one range; a few changes are merged
 * into the ranges of before.
 */

#define MANY 16U /* rows of a range that are looked at before the others are counted */

static struct gx_bin bin_of(const struct gx_push *p)
{
	return (struct gx_bin){p->len == 0 ? (const uint8_t *)"" : p->data, p->len};
}

void gx_runs__release(struct gx_runs *x)
{
	gx_push_release(&x->bytes);
	free(x->v);
	*x = (struct gx_runs){.tb = x->tb};
}

struct gx_bin gx_runs__prefix(const struct gx_runs *x, const struct gx_run *r)
{
	return (struct gx_bin){x->bytes.data + r->off, r->len};
}

int gx_runs__add(struct gx_runs *x, struct gx_bin prefix, uint64_t count, uint64_t unread)
{
	if (count == 0)
		return 0;
	struct gx_run *last = x->n == 0 ? NULL : &x->v[x->n - 1];
	if (last == NULL || gx_order__cmp(gx_runs__prefix(x, last), prefix) != 0) {
		struct gx_run *v = gx_table__grow(x->v, &x->cap, x->n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		x->v = v;
		last = &x->v[x->n++];
		*last = (struct gx_run){.off = x->bytes.len, .len = prefix.len};
		gx_push_bytes(&x->bytes, prefix.data, prefix.len);
	}
	last->count += count;
	last->unread += unread;
	return x->bytes.err;
}

int gx_runs__read_list(struct gx_runs *x)
{
	const struct gx_seq *q = &x->tb->seq;
	int err = 0;
	for (size_t i = 0; err == 0 && i < q->n; i++)
		err = gx_runs__add(x, gx_seq__prefix(q, i), 1, GX_ENTRY_UNREAD(q->v[i]));
	return err;
}

static struct gx_bin cut(const struct gx_table *tb, struct gx_bin key)
{
	return (struct gx_bin){key.data, gx_orderspec__prefix(&tb->seq.spec, key, tb->groups.depth)};
}

/*
 * Rows of one group from @lo to below @hi (NULL: the end) at once; *ret_next is where the next group begins, empty
 * when there is none.
 */
static int count_group(
	struct gx_runs *x, struct gx_txn *t, struct gx_bin lo, const struct gx_push *hi, struct gx_push *next)
{
	const struct gx_seq *q = &x->tb->seq;
	struct gx_bin prefix = cut(x->tb, lo);
	bool more = gx_order__after(prefix, next),
	     inside = more && (hi == NULL || gx_order__cmp(bin_of(next), bin_of(hi)) < 0);
	GX_STMT(st, t->q,
		"SELECT COUNT(*),COALESCE(SUM(unread),0) FROM srow WHERE view=?1 AND key>=?2 AND "
		"key<COALESCE(?3,x'ff')");
	gx_sql__bind_int(st, 1, (int64_t)q->view);
	gx_sql__bind_blob(st, 2, lo.data, lo.len);
	if (inside || hi != NULL)
		gx_sql__bind_blob(st, 3, inside ? next->data : hi->data, inside ? next->len : hi->len);
	else
		gx_sql__bind_null(st, 3);
	int r = gx_sql__step(st);
	uint64_t all = r > 0 ? gx_sql__u64(st, 0) : 0, unread = r > 0 ? gx_sql__u64(st, 1) : 0;
	if (!inside)
		gx_push_clear(next);
	return r < 0 ? r : next->err != 0 ? next->err : gx_runs__add(x, prefix, q->unread_only ? unread : all, unread);
}

/* Row by row, until there are many of the same group: the rest of it is counted. @return 1 when @next was set. */
static int read_some(
	struct gx_runs *x, struct gx_txn *t, struct gx_bin lo, const struct gx_push *hi, struct gx_push *next)
{
	const struct gx_seq *q = &x->tb->seq;
	struct gx_push from = GX_PUSH_INIT;
	struct gx_orderwalk w;
	struct gx_orderrow row;
	unsigned same = 0;
	size_t groups = x->n;
	int r;
	gx_orderwalk__from(&w, t, q->view, lo, q->unread_only ? GX_WALK_UNREAD : 0);
	while ((r = gx_orderwalk__next(&w, &row)) > 0) {
		if (hi != NULL && gx_order__cmp(row.key, bin_of(hi)) >= 0)
			break;
		if (same == MANY) {
			gx_push_bytes(&from, row.key.data, row.key.len);
			break;
		}
		r = gx_runs__add(x, cut(x->tb, row.key), 1, row.unread);
		if (r != 0)
			break;
		same = x->n == groups ? same + 1 : 0;
		groups = x->n;
	}
	gx_orderwalk__end(&w);
	if (r >= 0 && from.len > 0)
		r = count_group(x, t, bin_of(&from), hi, next);
	gx_push_release(&from);
	return r < 0 ? r : next->len > 0;
}

static int read_rows(struct gx_runs *x, struct gx_txn *t, struct gx_bin lo, const struct gx_push *hi)
{
	struct gx_push at = GX_PUSH_INIT, next = GX_PUSH_INIT;
	int r = read_some(x, t, lo, hi, &next);
	while (r > 0) {
		struct gx_push swap = at;
		at = next;
		next = swap;
		gx_push_clear(&next);
		r = read_some(x, t, bin_of(&at), hi, &next);
	}
	gx_push_release(&at);
	gx_push_release(&next);
	return r;
}

/* One run of the order: at once when it begins and ends in the same group. */
static int read_run(struct gx_runs *x, struct gx_txn *t, const struct gx_push *lo, const struct gx_push *hi,
	uint64_t total, uint64_t unread)
{
	struct gx_bin from = bin_of(lo);
	if (hi != NULL && lo->len > 0) {
		struct gx_bin a = cut(x->tb, from), b = cut(x->tb, bin_of(hi));
		if (a.len > 0 && gx_order__cmp(a, b) == 0)
			return gx_runs__add(x, a, x->tb->seq.unread_only ? unread : total, unread);
	}
	return read_rows(x, t, from, hi);
}

static int read_rows_of_order(struct gx_runs *x, struct gx_txn *t)
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

/* As they were counted. @return 1 done, 0 they were not. */
static int read_counts(struct gx_runs *x, struct gx_txn *t)
{
	const struct gx_seq *q = &x->tb->seq;
	unsigned depth = x->tb->groups.depth;
	int state, err = gx_order__count_state(t, q->view, depth, &state);
	if (err != 0 || state != GX_COUNT_DONE)
		return err == GX_E_NOTFOUND ? 0 : err;
	GX_STMT(st, t->q, "SELECT key,total,unread FROM sgroup WHERE view=?1 AND depth=?2 ORDER BY key");
	gx_sql__bind_int(st, 1, (int64_t)q->view);
	gx_sql__bind_int(st, 2, depth);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		uint64_t total = gx_sql__u64(st, 1), unread = gx_sql__u64(st, 2);
		err = gx_runs__add(x, gx_sql__blob(st, 0), q->unread_only ? unread : total, unread);
		if (err != 0)
			return err;
	}
	return r < 0 ? r : 1;
}

int gx_runs__read_order(struct gx_runs *x, struct gx_txn *t)
{
	int r = read_counts(x, t);
	return r != 0 ? r < 0 ? r : 0 : read_rows_of_order(x, t);
}

/* ---- Ranges of before, and what commits changed ---- */

void gx_groupops__clear(struct gx_groupops *ops)
{
	gx_push_release(&ops->bytes);
	free(ops->v);
	*ops = (struct gx_groupops){.bytes = GX_PUSH_INIT};
}

void gx_groupops__add(struct gx_groupops *ops, uint64_t view, struct gx_bin prefix, int total, int unread)
{
	if (ops->n >= GX_TABLE_PENDING_MAX)
		ops->many = true;
	struct gx_groupop *v = ops->many ? NULL : gx_table__grow(ops->v, &ops->cap, ops->n + 1, sizeof(*v));
	if (v == NULL) {
		ops->many = true;
		return;
	}
	ops->v = v;
	v[ops->n++] = (struct gx_groupop){view, ops->bytes.len, prefix.len, total, unread};
	gx_push_bytes(&ops->bytes, prefix.data, prefix.len);
	ops->many = ops->bytes.err != 0;
}

static int by_prefix(const void *a, const void *b, void *ctx)
{
	const struct gx_groupop *x = a, *y = b;
	const uint8_t *bytes = ctx;
	return gx_order__cmp((struct gx_bin){bytes + x->off, x->len}, (struct gx_bin){bytes + y->off, y->len});
}

/* The old ones are deepest groups in the table's direction. */
static const struct gx_group *next_old(const struct gx_table *tb, size_t *io_i)
{
	const struct gx_groups *g = &tb->groups;
	while (*io_i < g->n) {
		const struct gx_group *v = &g->v[tb->seq.back ? g->n - 1 - *io_i : *io_i];
		++*io_i;
		if (v->depth + 1U == g->depth)
			return v;
	}
	return NULL;
}

/* All changes of one prefix summed up. */
static size_t sum_up(const struct gx_groupops *ops, size_t i, int64_t *ret_total, int64_t *ret_unread)
{
	struct gx_bin prefix = {ops->bytes.data + ops->v[i].off, ops->v[i].len};
	*ret_total = *ret_unread = 0;
	while (i < ops->n &&
		gx_order__cmp((struct gx_bin){ops->bytes.data + ops->v[i].off, ops->v[i].len}, prefix) == 0) {
		*ret_total += ops->v[i].total;
		*ret_unread += ops->v[i].unread;
		i++;
	}
	return i;
}

/* Counts that cannot be: what is known of the groups is wrong. */
static int add_sum(struct gx_runs *x, struct gx_bin prefix, int64_t total, int64_t unread)
{
	if (total < 0 || unread < 0 || unread > total)
		return GX_E_RANGE;
	int err = gx_runs__add(x, prefix, (uint64_t)total, (uint64_t)unread);
	if (err == 0 && total > 0)
		x->v[x->n - 1].touched = true;
	return err;
}

int gx_runs__merge(struct gx_runs *x, struct gx_groupops *ops)
{
	const struct gx_groups *g = &x->tb->groups;
	size_t i = 0, k = 0;
	int err = 0;
	qsort_r(ops->v, ops->n, sizeof(*ops->v), by_prefix, ops->bytes.data);
	const struct gx_group *old = next_old(x->tb, &i);
	while (err == 0 && (old != NULL || k < ops->n)) {
		struct gx_bin have = {old == NULL ? NULL : g->bytes.data + old->off, old == NULL ? 0 : old->len};
		struct gx_bin other = {
			k == ops->n ? NULL : ops->bytes.data + ops->v[k].off, k == ops->n ? 0 : ops->v[k].len};
		int d = old == NULL ? 1 : k == ops->n ? -1 : gx_order__cmp(have, other);
		int64_t total = 0, unread = 0;
		if (d < 0) {
			err = gx_runs__add(x, have, old->count, old->unread);
		} else {
			k = sum_up(ops, k, &total, &unread);
			if (x->tb->seq.unread_only)
				total = unread;
			err = d > 0 ? add_sum(x, other, total, unread)
				    : add_sum(x, have, total + (int64_t)old->count, unread + (int64_t)old->unread);
		}
		if (d <= 0)
			old = next_old(x->tb, &i);
	}
	return err;
}
