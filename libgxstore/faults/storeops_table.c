/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on sort orders and tables. What tables answer is compared by their own tests. */
#include <config.h>
#include "libgxstore/faults/storeops.h"
#include "libgxstore/table/table-int.h"

static const struct gx_sort by_subject[] = {
	{PidTagSubject, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_sort by_time[] = {{PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
static const struct gx_restr with_subject = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
static const struct gx_restr digit = {.type = RES_CONTENT,
	.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "message 1"}}}};

static bool pick(struct so_world *w)
{
	w->x.on = so_one_in(w, 2);
	return so_msgs(w, 4, false);
}

/* ---- Orders ---- */

static gx_ec ensure(struct so_world *w, struct gx_txn *t)
{
	struct gx_sortset s = {w->x.on ? by_subject : by_time, w->x.on ? 2 : 1, 0, 0};
	struct gx_orderspec spec;
	uint64_t view;
	bool back;
	int err = gx_orderspec__make(&s, &spec, &back);
	if (err == 0)
		err = gx_order__ensure(t, w->x.fid, GX_ORDER_NORMAL, &spec, 1000, &view);
	return gx_txn__ec(t, err);
}

static gx_ec drop(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_txn__ec(t, gx_order__rebuild(t));
}

/* ---- Tables ---- */

static gx_ec open_one(struct so_world *w, struct gx_txn *t, unsigned kind, struct gx_table **ret_tb)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_sortset s = {kind == 3 ? by_time : by_subject, kind == 3 ? 1 : 2, kind == 1, 0};
	o.fid = w->x.fid;
	o.sort = &s;
	o.restr = kind == 2 ? &digit : kind == 4 ? &with_subject : NULL;
	switch (kind) {
	case 5:
		o.fid = GX_FID_ROOT;
		o.flags = GX_TABLE_DEPTH;
		return gx_table_open_hierarchy(t, &o, ret_tb);
	case 6:
		return gx_table_open_permissions(t, &o, ret_tb);
	case 7:
		return gx_table_open_rules(t, &o, ret_tb);
	default:
		return gx_table_open_contents(t, &o, ret_tb);
	}
}

static gx_ec use(struct so_world *w, struct gx_txn *t, struct gx_table *tb)
{
	static const gx_proptag_t cols[] = {PidTagSubject, PidTagMid, PidTagDisplayName, PidTagMemberName};
	struct gx_table_row *v = NULL;
	gx_proptag_t *tags;
	size_t n = 0, ncols;
	uint32_t bm, pos, found;
	bool gone;
	gx_ec ec = gx_table_query(tb, t, 0, 30, cols, 4, w->a, &v, &n);
	if (!gx_ec_failed(ec))
		ec = gx_table_bookmark(tb, t, (uint32_t)n / 2, &bm);
	if (!gx_ec_failed(ec))
		ec = gx_table_bookmark_pos(tb, t, bm, &pos, &gone);
	if (!gx_ec_failed(ec))
		ec = gx_table_columns(tb, t, w->a, &tags, &ncols);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_table_find(tb, t, 0, true, &digit, &found);
	if (gx_ec_is(ec, ecNotFound))
		ec = GX_OK_EC;
	if (!gx_ec_failed(ec) && n > 0 && v[0].type == GX_ROW_COLLAPSED)
		ec = gx_table_expand(tb, t, v[0].id, &pos, &found);
	return ec;
}

static gx_ec run_tables(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = GX_OK_EC;
	for (unsigned kind = 0; !gx_ec_failed(ec) && kind < 8; kind++) {
		struct gx_table *tb = NULL;
		ec = open_one(w, t, kind, &tb);
		if (!gx_ec_failed(ec))
			ec = use(w, t, tb);
		gx_table_close(tb);
	}
	return ec;
}

static gx_ec run_state(struct so_world *w, struct gx_txn *t)
{
	struct gx_table *tb = NULL;
	uint32_t state;
	gx_ec ec = open_one(w, t, 1, &tb);
	if (!gx_ec_failed(ec))
		ec = gx_table_save_state(tb, t, w->x.mids[0], 0, &state);
	gx_table_close(tb);
	return ec;
}

static void hear(struct gx_table *tb, const struct gx_table_event *ev, void *ctx)
{
	(void)tb;
	(void)ev;
	++*(unsigned *)ctx;
}

static gx_ec open_watched(struct so_world *w, struct gx_table **tb, unsigned *heard)
{
	struct gx_txn *t;
	int err = gx_txn_begin(w->s, &sys_actor, GX_TXN_READ, 1000, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	gx_ec ec = GX_OK_EC;
	for (unsigned kind = 0; !gx_ec_failed(ec) && kind < 6; kind++) {
		ec = open_one(w, t, kind, &tb[kind]);
		if (!gx_ec_failed(ec))
			ec = gx_table_watch(tb[kind], hear, heard);
	}
	gx_txn_abort(t);
	return ec;
}

/* What goes wrong while tables are told is their trouble, not the commit's. */
static gx_ec change(struct so_world *w)
{
	struct gx_flag_change c = {w->x.on ? GX_FLAGS_ADD : GX_FLAGS_REMOVE, GX_MSGF_READ, NULL, UINT64_MAX};
	struct gx_txn *t;
	int err = gx_txn_begin(w->s, &sys_actor, GX_TXN_WRITE, 1000, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	gx_ec ec = gx_msg_change_flags(t, w->x.fid, w->x.mids, w->x.n, &c, NULL, NULL, NULL);
	if (gx_ec_failed(ec)) {
		gx_txn_abort(t);
		return ec;
	}
	return gx_ec_from_err(gx_txn_commit(t, w->sync));
}

static gx_ec run_watched(struct so_world *w, struct gx_txn *none)
{
	struct gx_table *tb[6] = {NULL};
	unsigned heard = 0;
	(void)none;
	gx_ec ec = open_watched(w, tb, &heard);
	if (!gx_ec_failed(ec))
		ec = change(w);
	for (unsigned i = 0; i < 6; i++)
		gx_table_close(tb[i]);
	return ec;
}

static const struct so_op rows[] = {
	{"order_make", SO_WRITE, pick, ensure, NULL},
	{"order_make_apart", SO_READ, pick, ensure, NULL},
	{"order_drop", SO_WRITE, pick, drop, NULL},
	{"tables", SO_READ, pick, run_tables, NULL},
	{"table_state", SO_WRITE, pick, run_state, NULL},
	{"tables_watched", SO_OWN, pick, run_watched, NULL},
};
SO_OPS(so_table_ops, rows);
