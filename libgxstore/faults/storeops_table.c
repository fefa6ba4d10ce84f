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

/* To rows by other ways: a fraction, an instance, what others have changed meanwhile. */
static gx_ec seek(struct so_world *w, struct gx_txn *t, struct gx_table *tb)
{
	static const gx_proptag_t cols[] = {PidTagSubject, PidTagMid};
	struct gx_table_row row;
	uint32_t pos, inst;
	uint64_t id;
	uint8_t type;
	gx_ec ec = gx_table_seek_fraction(tb, t, 1, 2, &pos);
	if (!gx_ec_failed(ec))
		ec = gx_table_mark(tb, t, pos, &id, &inst, &type);
	if (gx_ec_is(ec, ecNotFound)) /* it is empty */
		return GX_OK_EC;
	if (!gx_ec_failed(ec))
		ec = gx_table_locate(tb, t, id, inst, &pos, &type);
	if (!gx_ec_failed(ec))
		ec = gx_table_read(tb, t, id, inst, cols, 2, w->a, &row);
	return gx_ec_failed(ec) ? ec : gx_table_reload(tb, t);
}

static gx_ec run_kind(struct so_world *w, struct gx_txn *t, unsigned kind)
{
	struct gx_table *tb = NULL;
	gx_ec ec = open_one(w, t, kind, &tb);
	if (!gx_ec_failed(ec))
		ec = use(w, t, tb);
	if (!gx_ec_failed(ec))
		ec = seek(w, t, tb);
	gx_table_close(tb);
	return ec;
}

/* A row each: all calls of one fail, again and again from the beginning. */
#define KIND(name, kind) \
	static gx_ec run_##name(struct so_world *w, struct gx_txn *t) \
	{ \
		return run_kind(w, t, kind); \
	}
KIND(by_subject, 0)
KIND(groups, 1)
KIND(restricted, 2)
KIND(by_time, 3)
KIND(existing, 4)
KIND(hierarchy, 5)
KIND(permissions, 6)
KIND(rules, 7)

/* As if every page came from the disk: what looks ahead may fail, and rows are read all the same. */
static gx_ec run_ahead(struct so_world *w, struct gx_txn *t)
{
	w->s->ahead.always = true;
	gx_ec ec = run_kind(w, t, 0);
	w->s->ahead.always = false;
	return ec;
}

static gx_ec run_sums(struct so_world *w, struct gx_txn *t)
{
	uint32_t n;
	gx_ec ec = gx_table_sum_folders(t, GX_FID_ROOT, true, &n);
	return gx_ec_failed(ec) ? ec : gx_table_sum_messages(t, w->x.fid, false, false, &n);
}

static int fill(struct gx_table *tb, struct gx_txn *t, void *ctx)
{
	const struct so_world *w = ctx;
	int err = 0;
	(void)t;
	for (size_t i = 0; err == 0 && i < w->x.n; i++)
		err = gx_table_add_row(tb, w->x.mids[i], &w->x.props);
	return err;
}

static bool pick_rows(struct so_world *w)
{
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagSubject, "of somebody else"), 0);
	return pick(w);
}

static gx_ec run_rows(struct so_world *w, struct gx_txn *t)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb = NULL;
	uint32_t n = 0;
	o.restr = &with_subject;
	gx_ec ec = gx_table_open_rows(t, &o, fill, w, &tb);
	if (!gx_ec_failed(ec))
		ec = gx_table_count(tb, t, &n);
	if (!gx_ec_failed(ec) && n != w->x.n)
		ec = GX_EC(ecError);
	if (!gx_ec_failed(ec))
		ec = use(w, t, tb);
	if (!gx_ec_failed(ec))
		ec = gx_table_reload(tb, t);
	gx_table_close(tb);
	return ec;
}

/* Open, close, and back to how it was. */
static gx_ec run_restore(struct so_world *w, struct gx_txn *t)
{
	struct gx_table *tb = NULL;
	struct gx_table_row *v;
	uint32_t state, pos, below;
	size_t n = 0;
	gx_ec ec = open_one(w, t, 1, &tb);
	if (!gx_ec_failed(ec))
		ec = gx_table_save_state(tb, t, w->x.mids[0], 0, &state);
	if (!gx_ec_failed(ec))
		ec = gx_table_query(tb, t, 0, 1, NULL, 0, w->a, &v, &n);
	if (!gx_ec_failed(ec) && n > 0)
		ec = v[0].type == GX_ROW_COLLAPSED ? gx_table_expand(tb, t, v[0].id, &pos, &below) : gx_table_collapse(tb, t, v[0].id, &pos, &below);
	if (!gx_ec_failed(ec))
		ec = gx_table_restore_state(tb, t, state, &pos);
	gx_table_close(tb);
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
	{"table_by_subject", SO_READ, pick, run_by_subject, NULL},
	{"table_ahead", SO_READ, pick, run_ahead, NULL},
	{"table_groups", SO_READ, pick, run_groups, NULL},
	{"table_restricted", SO_READ, pick, run_restricted, NULL},
	{"table_by_time", SO_READ, pick, run_by_time, NULL},
	{"table_existing", SO_READ, pick, run_existing, NULL},
	{"table_hierarchy", SO_READ, pick, run_hierarchy, NULL},
	{"table_permissions", SO_READ, pick, run_permissions, NULL},
	{"table_rules", SO_READ, pick, run_rules, NULL},
	{"table_sums", SO_READ, pick, run_sums, NULL},
	{"table_rows", SO_READ, pick_rows, run_rows, NULL},
	{"table_restore", SO_WRITE, pick, run_restore, NULL},
	{"table_state", SO_WRITE, pick, run_state, NULL},
	{"tables_watched", SO_OWN, pick, run_watched, NULL},
};
SO_OPS(so_table_ops, rows);
