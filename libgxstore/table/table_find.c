/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/table/table-int.h"

/*
 * Finding rows. Rows are looked at one after the other from the position on, in batches. Two questions that
 * clients ask often need no walk: for a certain message, and for the first row whose first sort column
 * is not below a value, as when somebody types the beginning of a name.
 */

#define BATCH 256U

static int matches(struct gx_rowsrc *x, const struct gx_trow *row, const struct gx_restr *r, bool *ret_match)
{
	int err = gx_rowsrc__set(x, row);
	*ret_match = false;
	if (err == 0)
		err = gx_restr_eval(r, &x->src, ret_match);
	gx_arena_reset(x->a);
	return err == GX_E_NOTFOUND ? 0 : err;
}

static int find_in(struct gx_rowsrc *x, const struct gx_trow *rows, size_t n, bool forward, const struct gx_restr *r,
	size_t *ret_i)
{
	*ret_i = SIZE_MAX;
	for (size_t k = 0; k < n; k++) {
		size_t i = forward ? k : n - 1 - k;
		bool match;
		int err = matches(x, &rows[i], r, &match);
		if (err != 0)
			return err;
		if (match) {
			*ret_i = i;
			return 0;
		}
	}
	return 0;
}

static int walk(
	struct gx_rowsrc *x, uint64_t pos, uint64_t total, bool forward, const struct gx_restr *r, uint64_t *ret_pos)
{
	struct gx_trow rows[BATCH];
	while (forward ? pos < total : true) {
		uint64_t first = forward ? pos : pos < BATCH ? 0 : pos + 1 - BATCH;
		size_t n = forward ? BATCH : (size_t)(pos + 1 - first), i;
		int err = gx_table__window(x->tb, x->t, first, n, rows, &n);
		if (err == 0)
			err = find_in(x, rows, n, forward, r, &i);
		if (err != 0)
			return err;
		if (i != SIZE_MAX) {
			*ret_pos = first + i;
			return 0;
		}
		if (n == 0 || (!forward && first == 0))
			break;
		pos = forward ? pos + n : first - 1;
	}
	return GX_E_NOTFOUND;
}

/* ---- Without a walk ---- */

static int id_in(const struct gx_table *tb, const struct gx_restr *r, uint64_t *ret_id)
{
	if (r->type != RES_PROPERTY || r->u.prop.relop != RELOP_EQ || r->u.prop.tag != r->u.prop.val.tag ||
		tb->seq.want.mvi >= 0)
		return GX_E_NOTFOUND;
	if (r->u.prop.tag != PidTagMid && r->u.prop.tag != PidTagInstID)
		return GX_E_NOTFOUND;
	*ret_id = (uint64_t)r->u.prop.val.v.i64;
	return 0;
}

/* GX_E_UNSUP: not such a question. */
static int by_id(struct gx_table *tb, struct gx_txn *t, uint64_t pos, bool forward, const struct gx_restr *r,
	uint64_t *ret_pos)
{
	struct gx_trow row;
	uint64_t id, at;
	if (tb->what != GX_T_CONTENTS || id_in(tb, r, &id) != 0)
		return GX_E_UNSUP;
	if (r->u.prop.tag == PidTagMid && id >> 48 != 0)
		return GX_E_NOTFOUND;
	int err = gx_table__place(tb, t, id, 0, &at, &row);
	if (err != 0)
		return err;
	*ret_pos = at;
	return forward == (at >= pos) || at == pos ? 0 : GX_E_NOTFOUND;
}

/*
 * Forward in a flat table that ascends: where rows not below the value begin. The walk goes on from
 * there, since keys hold the beginning of long texts only.
 */
static int skip_below(struct gx_table *tb, struct gx_txn *t, const struct gx_restr *r, uint64_t *io_pos)
{
	const struct gx_seq *q = &tb->seq;
	struct gx_push key = GX_PUSH_INIT;
	uint64_t at = 0;
	if (tb->what != GX_T_CONTENTS || tb->groups.depth > 0 || q->back || q->spec.mvi == 0 || r->type != RES_PROPERTY)
		return 0;
	if ((r->u.prop.relop != RELOP_EQ && r->u.prop.relop != RELOP_GE && r->u.prop.relop != RELOP_GT) ||
	    r->u.prop.tag != q->spec.col[0].tag || r->u.prop.val.tag != q->spec.col[0].tag)
		return 0;
	gx_order__column(&key, &q->spec.col[0], &r->u.prop.val);
	int err = key.err != 0 ? key.err : gx_seq__rank(tb, t, (struct gx_bin){key.data, key.len}, &at);
	gx_push_release(&key);
	if (err == 0 && at > *io_pos)
		*io_pos = at;
	return err;
}

static int find(struct gx_table *tb, struct gx_txn *t, uint64_t pos, bool forward, const struct gx_restr *r,
	uint64_t *ret_pos)
{
	uint64_t total;
	int err = gx_table__total(tb, t, &total);
	if (err != 0 || total == 0 || (forward && pos >= total))
		return err != 0 ? err : GX_E_NOTFOUND;
	if (!forward && pos >= total)
		pos = total - 1;
	err = by_id(tb, t, pos, forward, r, ret_pos);
	if (err != GX_E_UNSUP)
		return err;
	err = forward ? skip_below(tb, t, r, &pos) : 0;
	if (err != 0)
		return err;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_rowsrc x;
	if (a == NULL)
		return GX_E_NOMEM;
	gx_rowsrc__init(&x, tb, t, a);
	err = walk(&x, pos, total, forward, r, ret_pos);
	gx_rowsrc__release(&x);
	gx_arena_free(a);
	return err;
}

gx_ec gx_table_find(struct gx_table *tb, struct gx_txn *t, uint32_t pos, bool forward, const struct gx_restr *r,
	uint32_t *ret_pos)
{
	uint64_t at = 0;
	if (r == NULL)
		return gx_txn__fail(t, ecInvalidParam, "nothing to find");
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = find(tb, t, pos, forward, r, &at);
	gx_table__end(tb);
	if (err != 0)
		return err == GX_E_NOTFOUND ? GX_EC(ecNotFound) : gx_table__ec(t, err);
	*ret_pos = (uint32_t)at;
	return GX_OK_EC;
}

/* ---- All columns ---- */

struct tags {
	struct gx_arena *a;
	gx_proptag_t *v;
	size_t n, cap;
};

static int add_tag(struct tags *l, gx_proptag_t tag)
{
	for (size_t i = 0; i < l->n; i++)
		if (GX_PROP_ID(l->v[i]) == GX_PROP_ID(tag))
			return 0;
	gx_proptag_t *v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	l->v = v;
	l->v[l->n++] = tag;
	return 0;
}

static int add_list(struct tags *l, const struct gx_proplist *props)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < props->count; i++)
		err = add_tag(l, props->v[i].tag & ~(gx_proptag_t)GX_PROW_EXTERN);
	return err;
}

static int add_row_tags(struct gx_rowsrc *x, const struct gx_trow *row, struct tags *l)
{
	const struct gx_proplist *stored;
	struct gx_proplist computed = {0};
	int err = gx_rowsrc__set(x, row);
	if (err != 0)
		return err == GX_E_NOTFOUND ? 0 : err;
	if (x->tb->what == GX_T_FIXED)
		return add_list(l, x->fixed);
	if (x->tb->what == GX_T_FOLDERS) {
		struct gx_propval pv;
		int r = x->src.get(PidTagDisplayName, &pv, x->src.ctx); /* reads all of them */
		return r < 0 ? r : add_list(l, &x->folder);
	}
	if (row->type != GX_ROW_LEAF)
		return 0;
	err = gx_msgsrc__stored(&x->msg, &stored);
	if (err == 0)
		err = add_list(l, stored);
	if (err == 0)
		err = gx_msg__all_computed(&x->msg.view, &computed);
	return err != 0 ? err : add_list(l, &computed);
}

static int add_own_tags(const struct gx_table *tb, struct tags *l)
{
	static const gx_proptag_t own[] = {
		PidTagInstID, PidTagInstanceNum, PidTagRowType, PidTagDepth, PidTagInstanceKey};
	static const gx_proptag_t header[] = {PidTagContentCount, PidTagContentUnreadCount};
	int err = 0;
	for (size_t i = 0; err == 0 && tb->what != GX_T_FIXED && i < sizeof(own) / sizeof(own[0]); i++)
		err = add_tag(l, own[i]);
	for (size_t i = 0; err == 0 && tb->groups.depth > 0 && i < 2; i++)
		err = add_tag(l, header[i]);
	return err;
}

static int all_tags(struct gx_table *tb, struct gx_txn *t, struct tags *l)
{
	struct gx_trow rows[BATCH];
	struct gx_rowsrc x;
	size_t n = 0;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	gx_rowsrc__init(&x, tb, t, a);
	int err = add_own_tags(tb, l);
	if (err == 0)
		err = gx_table__window(tb, t, 0, BATCH, rows, &n);
	for (size_t i = 0; err == 0 && i < n; i++) {
		err = add_row_tags(&x, &rows[i], l);
		gx_arena_reset(a);
	}
	gx_rowsrc__release(&x);
	gx_arena_free(a);
	return err;
}

gx_ec gx_table_columns(
	struct gx_table *tb, struct gx_txn *t, struct gx_arena *a, gx_proptag_t **ret_tags, size_t *ret_n)
{
	struct tags l = {.a = a};
	gx_ec ec = gx_table__begin(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = all_tags(tb, t, &l);
	gx_table__end(tb);
	if (err == 0) {
		*ret_tags = l.v;
		*ret_n = l.n;
	}
	return gx_table__ec(t, err);
}
