/* SPDX-License-Identifier: Apache-2.0 */
/* Sort orders that tables ask for. Once they are there all other operations keep them. */
#include <config.h>
#include <limits.h>
#include <gx/table.h>
#include "libgxstore/order/order-int.h"
#include "libgxstore/faults/storeops.h"

static struct {
	struct gx_sort cols[3];
	struct gx_sortset set;
	unsigned depth;
	uint64_t view;
	int counted;
} u;

static bool pick(struct so_world *w)
{
	static const struct gx_sort cols[][3] = {
		{{PidTagMessageClass, GX_SORT_ASCEND}, {PidTagImportance, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}},
		{{PidTagRead, GX_SORT_ASCEND}, {PidTagMessageSize, GX_SORT_DESCEND}, {PidTagSubject, GX_SORT_ASCEND}},
		{{PidTagSenderName, GX_SORT_ASCEND}, {PidTagHasAttachments, GX_SORT_ASCEND}, {PidTagSubject, GX_SORT_ASCEND}},
	};
	memcpy(u.cols, cols[so_rand(w, 3)], sizeof(u.cols));
	u.set = (struct gx_sortset){.v = u.cols, .count = 3};
	u.depth = 1 + so_rand(w, 2);
	w->x.fid = so_folder(w, false);
	return w->x.fid != 0;
}

static int make(struct so_world *w, struct gx_txn *t)
{
	struct gx_orderspec spec;
	struct gx_order *o;
	bool back;
	int err = gx_orderspec__make(&u.set, &spec, &back);
	if (err == 0)
		err = gx_order__ensure(t, w->x.fid, GX_ORDER_NORMAL, &spec, 0, &u.view);
	if (err == 0)
		err = gx_orders__by_id(t, u.view, &o);
	if (err == 0)
		err = o == NULL ? GX_E_NOTFOUND : gx_order__count_more(t, o, u.depth, 40, &u.counted);
	return err;
}

static gx_ec run(struct so_world *w, struct gx_txn *t)
{
	return gx_txn__ec(t, make(w, t));
}

static void check(struct so_world *w)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	struct gx_orderspec spec;
	int state;
	ck_assert_int_eq(gx_order__spec(t, u.view, &spec), 0);
	ck_assert_int_eq(gx_order__count_state(t, u.view, u.depth, &state), 0);
	ck_assert_int_eq(state, u.counted);
	gx_txn_abort(t);
}

/* ---- In bulk, as orders of large folders are made: several commits, and readers go on in between ---- */

static bool pick_bulk(struct so_world *w)
{
	if (!pick(w) || !so_msgs(w, 1, false))
		return false;
	if (so_number(w, gx_arena_printf(w->a, "SELECT total FROM fstate WHERE fid=%llu", (unsigned long long)w->x.fid)) == 0)
		return false; /* associated ones alone: there is nothing to sort */
	struct gx_txn *t = st_begin(w->s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_order__rebuild(t), 0); /* or it may be there already */
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	return true;
}

static int step_bulk(struct so_world *w, struct gx_orderbulk *b)
{
	struct gx_txn *t = NULL;
	int wait_ms = 1000, err = gx_txn_begin(w->s, &sys_actor, GX_TXN_READ, 1000, &t);
	if (err != 0)
		return err;
	err = gx_orderbulk__step(b, t, &wait_ms);
	gx_txn_abort(t);
	return err;
}

/* At most @n steps; what is left then is for the background. */
static gx_ec make_in_bulk(struct so_world *w, unsigned n)
{
	static const struct gx_orderbulk_limits small = {0, 3, 4, 2};
	struct gx_orderspec spec;
	struct gx_orderbulk *b = NULL;
	int wait_ms = 1000;
	bool back;
	w->s->orders->limits = &small;
	int err = gx_orderspec__make(&u.set, &spec, &back);
	if (err == 0)
		err = gx_orderbulk__begin(w->s, w->x.fid, GX_ORDER_NORMAL, &spec, &wait_ms, &b);
	w->s->orders->limits = NULL;
	if (b == NULL)
		return gx_ec_from_err(err);
	do
		err = step_bulk(w, b);
	while (err > 0 && --n > 0);
	if (err > 0) {
		gx_orderbulk__leave(b);
		err = gx_store_sort(w->s, 100000, &w->x.on);
	} else {
		gx_orderbulk__end(b);
	}
	return gx_ec_from_err(err);
}

static gx_ec run_bulk(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	return make_in_bulk(w, UINT_MAX);
}

static gx_ec run_left(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	return make_in_bulk(w, 3);
}

static void check_bulk(struct so_world *w)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	struct gx_orderspec spec;
	bool back;
	ck_assert_int_eq(gx_orderspec__make(&u.set, &spec, &back), 0);
	ck_assert_int_eq(gx_order__find(t, w->x.fid, GX_ORDER_NORMAL, &spec, 0, &u.view), 0);
	gx_txn_abort(t);
}

static const struct so_op rows[] = {
	{"order_bulk", SO_OWN | SO_STEPS, pick_bulk, run_bulk, check_bulk},
	{"order_left", SO_OWN | SO_STEPS, pick_bulk, run_left, check_bulk},
	{"sort_order", SO_WRITE, pick, run, check},
};

extern const struct so_ops so_order_ops;
SO_OPS(so_order_ops, rows);
