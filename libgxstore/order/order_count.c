/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/order/order-int.h"

/*
 * Numbers of groups: how many rows of an order begin with the same columns, and how many of those are
 * unread. With them the headers of a categorised table cost by the number of groups. They are counted when
 * a table first asks, in steps as orders are built, and kept by whoever changes rows from then on:
 * those below the point that the counting has reached.
 */

#define STEP 32768U       /* rows a transaction */
#define FEW_ROWS 4096U    /* of an order: they are looked at in no time */
#define WORTH 4U          /* rows of a group on average */
#define DECIDED 16384U    /* rows after which one knows whether it is worth it */

static struct gx_bin bin_of(const struct gx_push *p)
{
	return (struct gx_bin){p->len == 0 ? (const uint8_t *)"" : p->data, p->len};
}

static int keep(struct gx_push *p, struct gx_bin b)
{
	gx_push_clear(p);
	gx_push_bytes(p, b.data, b.len);
	return p->err;
}

/* ---- Rows of the tables ---- */

static int drop_groups(struct gx_txn *t, uint64_t view, unsigned depth)
{
	GX_STMT(st, t->q, "DELETE FROM sgroup WHERE view=?1 AND depth=?2");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_int(st, 2, depth);
	return gx_sql__run(st);
}

int gx_order__drop_counts(struct gx_txn *t, uint64_t view)
{
	GX_STMT(groups, t->q, "DELETE FROM sgroup WHERE view=?1");
	gx_sql__bind_int(groups, 1, (int64_t)view);
	int err = gx_sql__run(groups);
	if (err != 0)
		return err;
	GX_STMT(counts, t->q, "DELETE FROM scount WHERE view=?1");
	gx_sql__bind_int(counts, 1, (int64_t)view);
	return gx_sql__run(counts);
}

/* @upto may be NULL. */
static int write_state(struct gx_txn *t, uint64_t view, unsigned depth, int state, const struct gx_push *upto)
{
	GX_STMT(st, t->q, "REPLACE INTO scount(view,depth,state,upto) VALUES(?1,?2,?3,?4)");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_int(st, 2, depth);
	gx_sql__bind_int(st, 3, state);
	if (upto == NULL)
		gx_sql__bind_null(st, 4);
	else
		gx_sql__bind_blob(st, 4, upto->data, upto->len);
	return gx_sql__run(st);
}

/* @upto may be NULL. */
static int read_state(struct gx_txn *t, uint64_t view, unsigned depth, int *ret_state, struct gx_push *upto)
{
	GX_STMT(st, t->q, "SELECT state,upto FROM scount WHERE view=?1 AND depth=?2");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_int(st, 2, depth);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	*ret_state = (int)gx_sql__int(st, 0);
	return upto == NULL ? 0 : keep(upto, gx_sql__blob(st, 1));
}

int gx_order__count_state(struct gx_txn *t, uint64_t view, unsigned depth, int *ret_state)
{
	return read_state(t, view, depth, ret_state, NULL);
}

static int add_to_group(
	struct gx_txn *t, uint64_t view, unsigned depth, struct gx_bin prefix, int64_t total, int64_t unread)
{
	GX_STMT(st, t->q, "INSERT INTO sgroup(view,depth,key,total,unread) VALUES(?1,?2,?3,?4,?5)"
		" ON CONFLICT DO UPDATE SET total=total+excluded.total, unread=unread+excluded.unread");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_int(st, 2, depth);
	gx_sql__bind_blob(st, 3, prefix.data, prefix.len);
	gx_sql__bind_int(st, 4, total);
	gx_sql__bind_int(st, 5, unread);
	int err = gx_sql__run(st);
	if (err != 0 || total >= 0)
		return err;
	GX_STMT(gone, t->q, "DELETE FROM sgroup WHERE view=?1 AND depth=?2 AND key=?3 AND total=0");
	gx_sql__bind_int(gone, 1, (int64_t)view);
	gx_sql__bind_int(gone, 2, depth);
	gx_sql__bind_blob(gone, 3, prefix.data, prefix.len);
	return gx_sql__run(gone);
}

/* ---- Changes ---- */

int gx_ordertally__begin(struct gx_ordertally *y, struct gx_txn *t, const struct gx_order *o)
{
	int err = 0;
	y->o = o != NULL && o->counted != 0 ? o : NULL;
	for (unsigned i = 0; err == 0 && y->o != NULL && i < GX_ORDER_DEPTHS; i++) {
		int state;
		if (!(o->counted >> i & 1))
			continue;
		y->depth[i].open = false;
		err = read_state(t, o->id, i + 1, &state, &y->depth[i].upto);
		y->depth[i].bounded = err == 0 && state == GX_COUNT_GOING;
	}
	return err;
}

static int write_group(struct gx_ordertally *y, struct gx_txn *t, unsigned i)
{
	int64_t total = y->depth[i].total, unread = y->depth[i].unread;
	if (!y->depth[i].open)
		return 0;
	y->depth[i].open = false;
	if (total == 0 && unread == 0)
		return 0;
	return add_to_group(t, y->o->id, i + 1, bin_of(&y->depth[i].prefix), total, unread);
}

static int add_at(struct gx_ordertally *y, struct gx_txn *t, unsigned i, struct gx_bin key, int64_t total, int64_t unread)
{
	struct gx_bin prefix = {key.data, gx_orderspec__prefix(&y->o->spec, key, i + 1)};
	if (y->depth[i].bounded && gx_order__cmp(key, bin_of(&y->depth[i].upto)) >= 0)
		return 0;
	if (!y->depth[i].open || gx_order__cmp(prefix, bin_of(&y->depth[i].prefix)) != 0) {
		int err = write_group(y, t, i);
		if (err == 0)
			err = keep(&y->depth[i].prefix, prefix);
		if (err != 0)
			return err;
		y->depth[i].open = true;
		y->depth[i].total = y->depth[i].unread = 0;
	}
	y->depth[i].total += total;
	y->depth[i].unread += unread;
	return 0;
}

int gx_ordertally__add(struct gx_ordertally *y, struct gx_txn *t, struct gx_bin key, int64_t total, int64_t unread)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && y->o != NULL && y->o->counted >> i != 0; i++)
		if (y->o->counted >> i & 1)
			err = add_at(y, t, i, key, total, unread);
	return err;
}

int gx_ordertally__end(struct gx_ordertally *y, struct gx_txn *t)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && y->o != NULL && i < GX_ORDER_DEPTHS; i++)
		err = write_group(y, t, i);
	y->o = NULL;
	return err;
}

void gx_ordertally__release(struct gx_ordertally *y)
{
	for (unsigned i = 0; i < GX_ORDER_DEPTHS; i++) {
		gx_push_release(&y->depth[i].upto);
		gx_push_release(&y->depth[i].prefix);
	}
}

/* ---- Counting ---- */

struct counting {
	struct gx_txn *t;
	const struct gx_order *o;
	unsigned depth;
	struct gx_push upto, prefix;
	int64_t total, unread; /* of the group at hand */
	uint64_t groups, rows; /* of this step */
};

static int write_counted(struct counting *k)
{
	if (k->total == 0)
		return 0;
	k->groups++;
	int err = add_to_group(k->t, k->o->id, k->depth, bin_of(&k->prefix), k->total, k->unread);
	k->total = k->unread = 0;
	return err;
}

static int count_row(struct counting *k, const struct gx_orderrow *row)
{
	struct gx_bin prefix = {row->key.data, gx_orderspec__prefix(&k->o->spec, row->key, k->depth)};
	int err = 0;
	if (k->total > 0 && gx_order__cmp(prefix, bin_of(&k->prefix)) != 0)
		err = write_counted(k);
	if (err == 0 && k->total == 0)
		err = keep(&k->prefix, prefix);
	k->total++;
	k->unread += row->unread;
	k->rows++;
	return err;
}

/* 1 there may be more, 0 that was the last row. */
static int count_rows(struct counting *k, unsigned n)
{
	struct gx_push last = GX_PUSH_INIT;
	struct gx_orderwalk w;
	struct gx_orderrow row;
	int r = 1, err = 0;
	gx_orderwalk__from(&w, k->t, k->o->id, bin_of(&k->upto), 0);
	while (err == 0 && k->rows < n && (r = gx_orderwalk__next(&w, &row)) > 0) {
		err = count_row(k, &row);
		if (err == 0 && k->rows == n)
			err = keep(&last, row.key);
	}
	gx_orderwalk__end(&w);
	if (err == 0 && r > 0) {
		gx_push_u8(&last, 0); /* the least key above it */
		err = last.err != 0 ? last.err : keep(&k->upto, bin_of(&last));
	}
	gx_push_release(&last);
	if (err == 0)
		err = r < 0 ? r : write_counted(k);
	return err != 0 ? err : r;
}

static bool in_vain(const struct counting *k)
{
	return k->rows >= DECIDED && k->groups * WORTH > k->rows;
}

static int count_on(struct counting *k, unsigned n, int *io_state)
{
	int r = count_rows(k, n);
	if (r < 0)
		return r;
	*io_state = in_vain(k) ? GX_COUNT_VAIN : r > 0 ? GX_COUNT_GOING : GX_COUNT_DONE;
	int err = *io_state == GX_COUNT_VAIN ? drop_groups(k->t, k->o->id, k->depth) : 0;
	return err != 0 ? err
			: write_state(k->t, k->o->id, k->depth, *io_state,
				  *io_state == GX_COUNT_GOING ? &k->upto : NULL);
}

int gx_order__count_more(struct gx_txn *t, struct gx_order *o, unsigned depth, unsigned n, int *ret_state)
{
	struct counting k = {.t = t, .o = o, .depth = depth};
	int err = gx_order__flush(t);
	*ret_state = GX_COUNT_GOING;
	if (err == 0)
		err = gx_order__changing(t);
	if (err == 0)
		err = read_state(t, o->id, depth, ret_state, &k.upto);
	if (err == GX_E_NOTFOUND)
		err = 0;
	if (err == 0 && *ret_state == GX_COUNT_GOING)
		err = count_on(&k, n, ret_state);
	gx_push_release(&k.upto);
	gx_push_release(&k.prefix);
	if (err != 0)
		return err;
	uint8_t bit = (uint8_t)(1U << (depth - 1));
	o->counted = *ret_state == GX_COUNT_VAIN ? (uint8_t)(o->counted & ~bit) : o->counted | bit;
	return 0;
}

/* ---- On demand ---- */

/* One that went meanwhile, or is not complete, is none of ours. */
static int one_step(struct gx_txn *t, uint64_t view, unsigned depth, int *ret_state)
{
	struct gx_order *o;
	*ret_state = GX_COUNT_VAIN;
	int err = gx_orders__by_id(t, view, &o);
	return err != 0 || o == NULL || o->building ? err : gx_order__count_more(t, o, depth, STEP, ret_state);
}

static int count_here(struct gx_txn *t, uint64_t view, unsigned depth)
{
	int state = GX_COUNT_GOING, err = 0;
	while (err == 0 && state == GX_COUNT_GOING)
		err = one_step(t, view, depth, &state);
	return err;
}

static int count_apart(struct gx_store *s, uint64_t view, unsigned depth, int wait_ms)
{
	int state = GX_COUNT_GOING, err = 0;
	while (err == 0 && state == GX_COUNT_GOING) {
		struct gx_txn *w;
		err = gx_order__turn(s, &wait_ms, &w);
		if (err != 0)
			return err;
		err = one_step(w, view, depth, &state);
		if (err != 0)
			gx_txn_abort(w);
		else
			err = gx_txn_commit(w, GX_SYNC_LATER);
	}
	return err;
}

static int worth_asking(struct gx_txn *t, uint64_t view)
{
	struct gx_ordersum sum;
	int err = gx_order__total(t, view, &sum);
	return err != 0 ? err : sum.total < FEW_ROWS ? GX_E_NOTFOUND : 0;
}

int gx_order__ensure_counts(struct gx_txn *t, uint64_t view, unsigned depth, int deadline_ms)
{
	int state = GX_COUNT_GOING;
	int err = read_state(t, view, depth, &state, NULL);
	if (err == GX_E_NOTFOUND)
		err = t->s->observe ? GX_E_NOTFOUND : worth_asking(t, view);
	if (err == 0 && state == GX_COUNT_GOING) {
		if (t->mode == GX_TXN_WRITE)
			err = count_here(t, view, depth);
		else
			err = count_apart(t->s, view, depth, deadline_ms);
		if (err == 0 && t->mode == GX_TXN_READ)
			err = gx_txn__renew(t);
		if (err == 0)
			err = read_state(t, view, depth, &state, NULL);
	}
	return err != 0 ? err : state == GX_COUNT_DONE ? 0 : GX_E_NOTFOUND;
}
