/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/search.h>
#include "libgxstore/table/table-sort.h"

/*
 * Reading a list anew: every message of the folder is looked at. An order that serves gives them their
 * places when there is one, else they are sorted once by keys that are thrown away after (table_sort.c).
 */

struct filling {
	struct gx_table *tb;
	struct gx_msgsrc x;
	struct gx_arena *a;
	struct gx_orderkeys made;
	struct gx_sorter sorter;
	/* Messages that were found, as entries without instance. */
	uint64_t *held;
	size_t nheld, cap_held;
};

static int add_item(struct filling *f, struct gx_bin key, uint64_t entry)
{
	return f->sorter.total >= GX_TABLE_ROWS_MAX ? GX_E_LIMIT : gx_sorter__add(&f->sorter, key, entry);
}

/* The message that the source stands at: 1 it is the table's, *ret_unread whether it is unread. 0, GX_E_*. */
static int holds(struct filling *f, bool *ret_unread)
{
	int r = gx_table__holds(f->tb, &f->x);
	int unread = r <= 0 ? r : gx_table__unread(f->tb, &f->x);
	*ret_unread = unread > 0;
	return unread < 0 ? unread : r;
}

/* With all of its instances. */
static int take_keys(struct filling *f, bool unread)
{
	int err = gx_orderkeys__make(&f->tb->seq.spec, &f->x, &f->made);
	for (unsigned i = 0; err == 0 && i < f->made.n; i++) {
		uint64_t mid;
		uint32_t inst;
		gx_order__id(gx_orderkeys__at(&f->made, i), &mid, &inst);
		err = add_item(f, gx_orderkeys__at(&f->made, i), GX_ENTRY(mid, unread, inst));
	}
	return err;
}

static int take(struct filling *f, uint64_t mid)
{
	bool unread;
	int err = gx_msgsrc__set_mid(&f->x, mid);
	int r = err == GX_E_NOTFOUND ? 0 : err != 0 ? err : holds(f, &unread);
	if (r > 0)
		r = take_keys(f, unread);
	gx_arena_reset(f->a);
	return r < 0 ? r : 0;
}

static int take_whole(struct filling *f)
{
	bool unread;
	int r = holds(f, &unread);
	return r <= 0 ? r : take_keys(f, unread);
}

/* ---- Looking at every message ---- */

/* Can it be answered by the narrow row? What it is not clever about it says no to. */
static bool asks_row(const struct gx_restr *r)
{
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		for (uint32_t i = 0; i < r->u.list.count; i++)
			if (!asks_row(&r->u.list.v[i]))
				return false;
		return true;
	case RES_NOT:
		return r->u.not_.sub != NULL && asks_row(r->u.not_.sub);
	case RES_PROPERTY:
		return gx_msg__is_by_row(r->u.prop.tag);
	case RES_BITMASK:
		return gx_msg__is_by_row(r->u.bitmask.tag);
	default:
		return false;
	}
}

static bool needs_bodies(const struct gx_table *tb)
{
	return !gx_orderspec__by_row(&tb->seq.spec) || (tb->restr != NULL && !asks_row(tb->restr));
}

static int scan(struct filling *f, struct gx_txn *t, int (*cb)(struct filling *f))
{
	static_assert((int)GX_SCAN_FOUND == (int)GX_ORDER_FOUND && (int)GX_SCAN_STORE == (int)GX_ORDER_STORE, "kinds");
	struct gx_msgscan s;
	int r = 0, err = 0;
	gx_msgscan__begin(&s, t, f->tb->seq.kind, f->tb->fid, 0, needs_bodies(f->tb));
	while (err == 0 && (r = gx_msgscan__next(&s, &f->x)) > 0) {
		err = cb(f);
		gx_arena_reset(f->a);
	}
	gx_msgscan__end(&s);
	return err != 0 ? err : r;
}

static int put_last(struct gx_bin key, uint64_t entry, void *ctx)
{
	struct gx_table *tb = ctx;
	return gx_list__insert(tb, tb->seq.n, key, entry);
}

static int keep_sorted(struct filling *f)
{
	int err = gx_list__reserve(f->tb, (size_t)f->sorter.total);
	return err != 0 ? err : gx_sorter__each(&f->sorter, put_last, f->tb);
}

static int take_row(struct filling *f, const struct gx_orderrow *row)
{
	struct gx_table *tb = f->tb;
	bool unread = false;
	int err = gx_msgsrc__set_mid(&f->x, row->mid);
	int r = err == GX_E_NOTFOUND ? 0 : err != 0 ? err : holds(f, &unread);
	if (r > 0)
		r = gx_list__insert(tb, tb->seq.n, row->key, GX_ENTRY(row->mid, unread, row->inst));
	gx_arena_reset(f->a);
	return r;
}

static int walk(struct filling *f, struct gx_txn *t, uint64_t view, const struct gx_push *lo, const struct gx_push *hi,
	int (*cb)(struct filling *f, const struct gx_orderrow *row))
{
	struct gx_orderwalk w;
	struct gx_orderrow row;
	int r;
	gx_orderwalk__from(&w, t, view, (struct gx_bin){lo->len == 0 ? (const uint8_t *)"" : lo->data, lo->len},
		f->tb->seq.unread_only ? GX_WALK_UNREAD : 0);
	while ((r = gx_orderwalk__next(&w, &row)) > 0) {
		if (hi != NULL && gx_order__cmp(row.key, (struct gx_bin){hi->data, hi->len}) >= 0)
			break;
		r = cb(f, &row);
		if (r < 0)
			break;
	}
	gx_orderwalk__end(&w);
	return r < 0 ? r : 0;
}

/* ---- Which ones first, then their order ---- */

/* Rows of an order that are walked over for the price of making one key. */
#define ROWS_A_KEY 20U

static int note(struct filling *f)
{
	bool unread;
	int r = holds(f, &unread);
	if (r <= 0)
		return r;
	if (f->nheld >= GX_TABLE_ROWS_MAX)
		return GX_E_LIMIT;
	uint64_t *v = gx_table__grow(f->held, &f->cap_held, f->nheld + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	f->held = v;
	f->held[f->nheld++] = GX_ENTRY(f->x.row.mid, unread, 0);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int by_mid(const void *a, const void *b)
{
	uint64_t x = GX_ENTRY_MID(*(const uint64_t *)a), y = GX_ENTRY_MID(*(const uint64_t *)b);
	return (x > y) - (x < y);
}

static int place_row(struct filling *f, const struct gx_orderrow *row)
{
	const uint64_t want = GX_ENTRY(row->mid, 0, 0), *e = bsearch(&want, f->held, f->nheld, sizeof(*e), by_mid);
	return e == NULL ? 0 : gx_list__insert(f->tb, f->tb->seq.n, row->key,
		GX_ENTRY(row->mid, GX_ENTRY_UNREAD(*e), row->inst));
}

/*
 * Messages are read in the order in which they lie, which is much faster than in that of a subject. Their
 * places come from the order afterwards, or from their own keys when they are few.
 */
static int scan_then_place(struct filling *f, struct gx_txn *t, uint64_t view)
{
	const struct gx_push begin = GX_PUSH_INIT;
	struct gx_ordersum sum;
	int err = gx_order__total(t, view, &sum);
	if (err == 0)
		err = scan(f, t, note);
	if (err != 0)
		return err;
	if (f->nheld >= sum.total / ROWS_A_KEY) {
		qsort(f->held, f->nheld, sizeof(*f->held), by_number);
		return walk(f, t, view, &begin, NULL, place_row);
	}
	for (size_t i = 0; err == 0 && i < f->nheld; i++)
		err = take(f, GX_ENTRY_MID(f->held[i]));
	return err != 0 ? err : keep_sorted(f);
}

/* Along an order that is there anyway: the part of it in which the restriction can hold, or all messages. */
static int use_order(struct filling *f, struct gx_txn *t, uint64_t view)
{
	struct gx_push lo = GX_PUSH_INIT, hi = GX_PUSH_INIT;
	bool ends = gx_list__range(f->tb, &lo, &hi);
	int err = lo.err != 0 ? lo.err : hi.err;
	if (err == 0 && lo.len == 0 && !ends && !f->tb->seq.unread_only)
		err = scan_then_place(f, t, view);
	else if (err == 0)
		err = walk(f, t, view, &lo, ends ? &hi : NULL, take_row);
	gx_push_release(&lo);
	gx_push_release(&hi);
	return err;
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
		return use_order(f, t, view);
	if (err == GX_E_NOTFOUND)
		err = scan(f, t, take_whole);
	return err != 0 ? err : keep_sorted(f);
}

int gx_list__fill(struct gx_table *tb, struct gx_txn *t)
{
	struct filling f = {.tb = tb, .a = gx_arena_new(0)};
	if (f.a == NULL)
		return GX_E_NOMEM;
	gx_msgsrc__init(&f.x, t, f.a);
	gx_sorter__init(&f.sorter, t->s->fs, t->s->dir, t->s->tables->sort_batch);
	tb->seq.n = tb->seq.nspan = 0;
	gx_push_clear(&tb->seq.prefix_bytes);
	int err = fill(&f, t);
	gx_msgsrc__release(&f.x);
	gx_push_release(&f.made.bytes);
	gx_sorter__release(&f.sorter);
	free(f.held);
	gx_arena_free(f.a);
	cut_to_limit(tb);
	return err;
}
