/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/table/table-int.h"

/*
 * The leaf rows of a contents table in order, from an order on disk or a list in memory. Both ascend as
 * keys do; a table that descends reads them from the end.
 */

int gx_seq__make_key(const struct gx_orderspec *o, struct gx_msgsrc *x, uint32_t inst, struct gx_orderkeys *k,
	struct gx_bin *ret_key)
{
	int err = gx_orderkeys__make(o, x, k);
	if (err != 0)
		return err;
	unsigned i = inst == 0 ? 0 : inst - 1;
	if (i >= k->n)
		return GX_E_NOTFOUND;
	*ret_key = gx_orderkeys__at(k, i);
	uint64_t mid;
	uint32_t have;
	gx_order__id(*ret_key, &mid, &have);
	return have == inst ? 0 : GX_E_NOTFOUND;
}

/*
 * All rows of the order. A folder's own messages have a row each when no column makes rows of its values: their number is
 * the folder's, and the directory of runs, which is long in a large folder, need not be read for it.
 */
static int all_rows(const struct gx_table *tb, struct gx_txn *t, struct gx_ordersum *ret_s)
{
	struct gx_fstate *f;
	if (tb->seq.kind != GX_ORDER_NORMAL || tb->seq.spec.mvi >= 0)
		return gx_order__total(t, tb->seq.view, ret_s);
	int err = gx_fstate__get(t, tb->fid, &f);
	if (err == 0)
		*ret_s = (struct gx_ordersum){f->total, f->unread};
	return err;
}

int gx_seq__total(struct gx_table *tb, struct gx_txn *t, uint64_t *ret_n)
{
	struct gx_ordersum sum;
	if (tb->seq.listed) {
		*ret_n = tb->seq.n;
		return 0;
	}
	int err = all_rows(tb, t, &sum);
	if (err == 0)
		*ret_n = tb->seq.unread_only ? sum.unread : sum.total;
	return err;
}

/* ---- From an order ---- */

static unsigned walk_flags(const struct gx_seq *q)
{
	return (q->back ? GX_WALK_BACK : 0) | (q->unread_only ? GX_WALK_UNREAD : 0);
}

static int order_window(struct gx_table *tb, struct gx_txn *t, uint64_t pos, size_t n, struct gx_trow *v, size_t *ret_n)
{
	const struct gx_seq *q = &tb->seq;
	struct gx_push key = GX_PUSH_INIT;
	struct gx_orderwalk w;
	struct gx_orderrow row;
	unsigned flags = walk_flags(q);
	size_t k = 0;
	int err = n == 0 ? GX_E_NOTFOUND : gx_order__at(t, q->view, pos, flags, &key), r = 1;
	*ret_n = 0;
	if (err != 0) {
		gx_push_release(&key);
		return err == GX_E_NOTFOUND ? 0 : err;
	}
	gx_orderwalk__from(&w, t, q->view, (struct gx_bin){key.data, key.len}, flags);
	while (k < n && (r = gx_orderwalk__next(&w, &row)) > 0)
		v[k++] = (struct gx_trow){row.mid, row.inst, GX_ROW_LEAF, (uint8_t)tb->groups.depth};
	gx_orderwalk__end(&w);
	gx_push_release(&key);
	*ret_n = k;
	return r < 0 ? r : 0;
}

/* Rows before the key in the table's direction. */
static int order_rank(struct gx_table *tb, struct gx_txn *t, struct gx_bin key, uint64_t *ret_pos)
{
	const struct gx_seq *q = &tb->seq;
	struct gx_push above = GX_PUSH_INIT;
	struct gx_ordersum sum, all;
	int err = all_rows(tb, t, &all);
	gx_push_bytes(&above, key.data, key.len);
	if (q->back)
		gx_push_u8(&above, 0); /* the least key above it */
	if (err == 0)
		err = above.err;
	if (err == 0)
		err = gx_order__rank(t, q->view, (struct gx_bin){above.data, above.len}, &sum);
	gx_push_release(&above);
	if (err != 0)
		return err;
	uint64_t before = q->unread_only ? sum.unread : sum.total;
	uint64_t total = q->unread_only ? all.unread : all.total;
	*ret_pos = !q->back ? before : before < total ? total - before : 0;
	return 0;
}

/* ---- From a list ---- */

static size_t list_index(const struct gx_seq *q, uint64_t pos)
{
	return (size_t)(q->back ? q->n - 1 - pos : pos);
}

static void list_window(struct gx_table *tb, uint64_t pos, size_t n, struct gx_trow *v, size_t *ret_n)
{
	const struct gx_seq *q = &tb->seq;
	size_t k = 0;
	for (; k < n && pos < q->n; k++, pos++) {
		uint64_t e = q->v[list_index(q, pos)];
		v[k] = (struct gx_trow){GX_ENTRY_MID(e), GX_ENTRY_INST(e), GX_ROW_LEAF, (uint8_t)tb->groups.depth};
	}
	*ret_n = k;
}

/* By the number alone: lists are short, or nobody would hold them in memory. */
static int list_place(const struct gx_seq *q, uint64_t mid, uint32_t inst, uint64_t *ret_pos)
{
	const uint64_t want = GX_ENTRY(mid, 0, inst), mask = ~GX_ENTRY(UINT64_C(0), 1, 0);
	for (size_t i = 0; i < q->n; i++)
		if ((q->v[i] & mask) == want) {
			*ret_pos = q->back ? q->n - 1 - i : i;
			return 0;
		}
	return GX_E_NOTFOUND;
}

/* A message's key, in an arena of its own. */
static int key_of(struct gx_txn *t, const struct gx_orderspec *o, uint64_t mid, uint32_t inst, struct gx_push *out)
{
	struct gx_orderkeys k = {0};
	struct gx_msgsrc x;
	struct gx_bin key;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	gx_msgsrc__init(&x, t, a);
	int err = gx_msgsrc__set_mid(&x, mid);
	if (err == 0)
		err = gx_seq__make_key(o, &x, inst, &k, &key);
	if (err == 0) {
		gx_push_clear(out);
		gx_push_bytes(out, key.data, key.len);
		err = out->err;
	}
	gx_msgsrc__release(&x);
	gx_push_release(&k.bytes);
	gx_arena_free(a);
	return err;
}

static int list_rank(struct gx_table *tb, struct gx_txn *t, struct gx_bin key, uint64_t *ret_pos)
{
	const struct gx_seq *q = &tb->seq;
	struct gx_push at = GX_PUSH_INIT;
	size_t lo = 0, hi = q->n;
	int err = 0;
	while (err == 0 && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		err = key_of(t, &q->spec, GX_ENTRY_MID(q->v[mid]), GX_ENTRY_INST(q->v[mid]), &at);
		int d = err != 0 ? 0 : gx_order__cmp((struct gx_bin){at.data, at.len}, key);
		if (q->back ? d <= 0 : d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	gx_push_release(&at);
	*ret_pos = q->back ? q->n - lo : lo;
	return err;
}

/* ---- Either ---- */

int gx_seq__window(struct gx_table *tb, struct gx_txn *t, uint64_t pos, size_t n, struct gx_trow *v, size_t *ret_n)
{
	if (!tb->seq.listed)
		return order_window(tb, t, pos, n, v, ret_n);
	list_window(tb, pos, n, v, ret_n);
	return 0;
}

int gx_seq__rank(struct gx_table *tb, struct gx_txn *t, struct gx_bin key, uint64_t *ret_pos)
{
	return tb->seq.listed ? list_rank(tb, t, key, ret_pos) : order_rank(tb, t, key, ret_pos);
}

int gx_seq__key(struct gx_table *tb, struct gx_txn *t, uint64_t pos, struct gx_push *out)
{
	const struct gx_seq *q = &tb->seq;
	if (q->listed) {
		if (pos >= q->n)
			return GX_E_NOTFOUND;
		uint64_t e = q->v[list_index(q, pos)];
		return key_of(t, &q->spec, GX_ENTRY_MID(e), GX_ENTRY_INST(e), out);
	}
	return gx_order__at(t, q->view, pos, walk_flags(q), out);
}

static int order_place(struct gx_table *tb, struct gx_txn *t, uint64_t mid, uint32_t inst, uint64_t *ret_pos)
{
	struct gx_push key = GX_PUSH_INIT;
	struct gx_orderwalk w;
	struct gx_orderrow row;
	int err = key_of(t, &tb->seq.spec, mid, inst, &key);
	if (err == 0) { /* it may be a message of another folder, or read */
		gx_orderwalk__from(&w, t, tb->seq.view, (struct gx_bin){key.data, key.len},
			tb->seq.unread_only ? GX_WALK_UNREAD : 0);
		int r = gx_orderwalk__next(&w, &row);
		err = r < 0                                                                       ? r
		      : r == 0 || gx_order__cmp(row.key, (struct gx_bin){key.data, key.len}) != 0 ? GX_E_NOTFOUND
												  : 0;
		gx_orderwalk__end(&w);
	}
	if (err == 0)
		err = order_rank(tb, t, (struct gx_bin){key.data, key.len}, ret_pos);
	gx_push_release(&key);
	return err;
}

int gx_seq__place(struct gx_table *tb, struct gx_txn *t, uint64_t mid, uint32_t inst, uint64_t *ret_pos)
{
	if (mid > GX_COUNTER_MAX || inst > GX_ORDER_INSTANCES)
		return GX_E_NOTFOUND;
	return tb->seq.listed ? list_place(&tb->seq, mid, inst, ret_pos) : order_place(tb, t, mid, inst, ret_pos);
}
