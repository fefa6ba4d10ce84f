/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/search.h>
#include "libgxstore/table-int.h"

/*
 * Reading a list anew: every message of the folder is looked at, along an order that serves when there is
 * one, else they are sorted once by keys that are thrown away after.
 */

struct item {
	size_t off, len;
	uint64_t entry;
};
struct filling {
	struct gx_table *tb;
	struct gx_msgsrc x;
	struct gx_arena *a;
	struct gx_orderkeys made;
	/* Sorting in memory. */
	struct gx_push keys;
	struct item *item;
	size_t n, cap;
};

static int add_item(struct filling *f, struct gx_bin key, uint64_t entry)
{
	if (f->n >= GX_TABLE_ROWS_MAX)
		return GX_E_LIMIT;
	struct item *v = gx_table__grow(f->item, &f->cap, f->n + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	f->item = v;
	f->item[f->n++] = (struct item){f->keys.len, key.len, entry};
	gx_push_bytes(&f->keys, key.data, key.len);
	return f->keys.err;
}

/* One message with all of its instances. */
static int take(struct filling *f, uint64_t mid)
{
	int err = gx_msgsrc__set_mid(&f->x, mid);
	int r = err == GX_E_NOTFOUND ? 0 : err != 0 ? err : gx_table__holds(f->tb, &f->x);
	int unread = r <= 0 ? r : gx_table__unread(f->tb, &f->x);
	if (r > 0 && unread >= 0) {
		r = gx_orderkeys__make(&f->tb->seq.spec, &f->x, &f->made);
		for (unsigned i = 0; r == 0 && i < f->made.n; i++) {
			uint64_t id;
			uint32_t inst;
			gx_order__id(gx_orderkeys__at(&f->made, i), &id, &inst);
			r = add_item(f, gx_orderkeys__at(&f->made, i), GX_ENTRY(mid, unread, inst));
		}
	}
	gx_arena_reset(f->a);
	return unread < 0 ? unread : r < 0 ? r : 0;
}

static const char *members_sql(const struct gx_table *tb)
{
	switch (tb->seq.kind) {
	case 0:
		return "SELECT mid FROM msg WHERE fid=?1 AND uid=0";
	case GX_ORDER_NORMAL:
		return "SELECT mid FROM msg WHERE fid=?1 AND uid>0 AND NOT flags&256";
	case GX_ORDER_FAI:
		return "SELECT mid FROM msg WHERE fid=?1 AND uid>0 AND flags&256";
	case GX_ORDER_STORE:
		return "SELECT mid FROM msg WHERE uid>0 AND NOT flags&256";
	default:
		return "SELECT mid FROM found WHERE fid=?1";
	}
}

static int scan_folder(struct filling *f, struct gx_txn *t)
{
	GX_STMT(st, t->q, members_sql(f->tb));
	if (f->tb->seq.kind != GX_ORDER_STORE)
		gx_sql__bind_int(st, 1, (int64_t)f->tb->fid);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = take(f, gx_sql__u64(st, 0));
	return err != 0 ? err : r;
}

static int by_key(const void *a, const void *b, void *ctx)
{
	const struct item *x = a, *y = b;
	const uint8_t *keys = ctx;
	return gx_order__cmp((struct gx_bin){keys + x->off, x->len}, (struct gx_bin){keys + y->off, y->len});
}

static int keep_sorted(struct filling *f)
{
	int err = gx_list__reserve(f->tb, f->n);
	if (f->n > 0)
		qsort_r(f->item, f->n, sizeof(*f->item), by_key, f->keys.data);
	for (size_t i = 0; err == 0 && i < f->n; i++)
		err = gx_list__insert(
			f->tb, i, (struct gx_bin){f->keys.data + f->item[i].off, f->item[i].len}, f->item[i].entry);
	return err;
}

static int take_row(struct filling *f, const struct gx_orderrow *row)
{
	struct gx_table *tb = f->tb;
	int err = gx_msgsrc__set_mid(&f->x, row->mid);
	int r = err == GX_E_NOTFOUND ? 0 : err != 0 ? err : gx_table__holds(tb, &f->x);
	int unread = row->unread;
	if (r > 0 && tb->s->is_public) /* the mark of the order is nobody's */
		unread = gx_table__unread(tb, &f->x);
	if (r > 0)
		r = unread < 0 ? unread
			       : gx_list__insert(tb, tb->seq.n, row->key, GX_ENTRY(row->mid, unread, row->inst));
	gx_arena_reset(f->a);
	return r;
}

/* Along an order that is there anyway, as far as the restriction can hold in it. */
static int walk_order(struct filling *f, struct gx_txn *t, uint64_t view)
{
	struct gx_push lo = GX_PUSH_INIT, hi = GX_PUSH_INIT;
	struct gx_orderwalk w;
	struct gx_orderrow row;
	bool ends = gx_list__range(f->tb, &lo, &hi);
	int r = lo.err != 0 ? lo.err : hi.err;
	if (r == 0) {
		gx_orderwalk__from(&w, t, view, (struct gx_bin){lo.len == 0 ? (const uint8_t *)"" : lo.data, lo.len},
			f->tb->seq.unread_only ? GX_WALK_UNREAD : 0);
		while ((r = gx_orderwalk__next(&w, &row)) > 0) {
			if (ends && gx_order__cmp(row.key, (struct gx_bin){hi.data, hi.len}) >= 0)
				break;
			r = take_row(f, &row);
			if (r < 0)
				break;
		}
		gx_orderwalk__end(&w);
	}
	gx_push_release(&lo);
	gx_push_release(&hi);
	return r < 0 ? r : 0;
}

/* RES_COUNT: the first rows of the table, which are the last of the list when it is read backwards. */
static void cut_to_limit(struct gx_table *tb)
{
	struct gx_seq *q = &tb->seq;
	if (q->n <= tb->limit)
		return;
	size_t skip = q->back ? q->n - tb->limit : 0;
	memmove(q->v, q->v + skip, tb->limit * sizeof(*q->v));
	if (tb->groups.depth > 0)
		memmove(q->prefix, q->prefix + skip, tb->limit * sizeof(*q->prefix));
	q->n = tb->limit;
}

static int find_order(struct gx_table *tb, struct gx_txn *t, uint64_t *ret_view)
{
	struct gx_seq *q = &tb->seq;
	q->spec = q->want;
	if (q->kind == 0)
		return GX_E_NOTFOUND;
	int err = t->mode == GX_TXN_WRITE ? gx_order__flush(t) : 0;
	if (err == 0)
		err = gx_order__find(t, q->kind == GX_ORDER_STORE ? 0 : tb->fid, q->kind, &q->want, 0, ret_view);
	return err != 0 ? err : gx_order__spec(t, *ret_view, &q->spec);
}

/* The full-text index may know the few messages that can be meant; each is looked at all the same. @return 1 done. */
static int take_candidates(struct filling *f, struct gx_txn *t)
{
	struct gx_table *tb = f->tb;
	struct gx_candidates c = {.all = true};
	bool one_folder = tb->seq.kind == GX_ORDER_NORMAL || tb->seq.kind == GX_ORDER_FAI;
	if (tb->restr == NULL || tb->seq.kind == 0)
		return 0;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	gx_ec ec = gx_search_restr(t, one_folder ? tb->fid : 0, tb->restr, a, &c);
	int err = gx_ec_failed(ec) ? gx_ec_to_err(ec) : 0;
	for (size_t i = 0; err == 0 && !c.all && i < c.n; i++)
		err = take(f, c.mids[i]);
	gx_arena_free(a);
	if (err == 0 && !c.all)
		err = keep_sorted(f);
	return err != 0 ? err : !c.all;
}

static int fill(struct filling *f, struct gx_txn *t)
{
	uint64_t view = 0;
	int err = find_order(f->tb, t, &view);
	int done = err == 0 || err == GX_E_NOTFOUND ? take_candidates(f, t) : err;
	if (done != 0)
		return done < 0 ? done : 0;
	if (err == 0)
		return walk_order(f, t, view);
	if (err == GX_E_NOTFOUND)
		err = scan_folder(f, t);
	return err != 0 ? err : keep_sorted(f);
}

int gx_list__fill(struct gx_table *tb, struct gx_txn *t)
{
	struct filling f = {.tb = tb, .a = gx_arena_new(0)};
	if (f.a == NULL)
		return GX_E_NOMEM;
	gx_msgsrc__init(&f.x, t, f.a);
	tb->seq.n = tb->seq.nspan = 0;
	gx_push_clear(&tb->seq.prefix_bytes);
	int err = fill(&f, t);
	gx_msgsrc__release(&f.x);
	gx_push_release(&f.made.bytes);
	gx_push_release(&f.keys);
	free(f.item);
	gx_arena_free(f.a);
	cut_to_limit(tb);
	return err;
}
