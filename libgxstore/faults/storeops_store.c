/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the store itself: names, properties, numbers, the log. */
#include <config.h>
#include "libgxstore/faults/storeops.h"

static bool pick_names(struct so_world *w)
{
	static const struct gx_guid set = {0x00020329, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
	for (unsigned i = 0; i < 3; i++) {
		struct gx_propname *n = &w->x.names[i];
		*n = (struct gx_propname){.set = set, .by_name = i != 0, .lid = i == 0 ? 0x8000 + so_rand(w, 200) : 0};
		if (n->by_name)
			n->name = gx_arena_printf(w->a, "name %u", i == 1 ? so_rand(w, 20) : ++w->serial);
	}
	return true;
}

static gx_ec run_names(struct so_world *w, struct gx_txn *t)
{
	return gx_store_named_ids(t, true, w->x.names, 3, w->x.name_ids);
}

static void check_names(struct so_world *w)
{
	struct gx_propname n[3];
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_store_named_names(t, w->x.name_ids, 3, w->a, n));
	gx_txn_abort(t);
	for (int i = 0; i < 3; i++)
		ck_assert(gx_propname_equal(&n[i], &w->x.names[i]));
}

static bool pick_props(struct so_world *w)
{
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagComment, gx_arena_printf(w->a, "store %u", ++w->serial)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&w->x.props, w->a, GX_PROP_TAG(0x666a, PtypInteger32), 1 << 30), 0);
	return true;
}

static gx_ec run_props(struct so_world *w, struct gx_txn *t)
{
	return gx_store_set_props(t, &w->x.props);
}

static void check_props(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_store_get_props(t, &tag, 1, w->a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, tag, ""), w->x.props.v[0].v.str);
	gx_txn_abort(t);
}

static bool pick_reserve(struct so_world *w)
{
	w->x.n = 1 + so_rand(w, 3) * 40000;
	return true;
}

static gx_ec run_reserve(struct so_world *w, struct gx_txn *t)
{
	return gx_store_reserve_ids(t, (uint32_t)w->x.n, &w->x.found);
}

static void check_reserve(struct so_world *w)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_store_check_reserved(t, w->x.found));
	ST_OK(gx_store_check_reserved(t, w->x.found + w->x.n - 1));
	gx_txn_abort(t);
}

static bool pick_raise(struct so_world *w)
{
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(w->raw, "SELECT uidnext,modseq FROM fstate WHERE fid=0", -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	w->x.fid = (uint64_t)sqlite3_column_int64(st, 0) + so_rand(w, 100000);
	w->x.fid2 = (uint64_t)sqlite3_column_int64(st, 1) + so_rand(w, 100000);
	sqlite3_finalize(st);
	return true;
}

static gx_ec run_raise(struct so_world *w, struct gx_txn *t)
{
	return gx_store_raise_numbers(t, w->x.fid, w->x.fid2);
}

static gx_ec run_checkpoint(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	gx_flush__checkpoint(w->s, 0);
	return GX_OK_EC;
}

static const struct so_op rows[] = {
	{"reserve_ids", SO_WRITE, pick_reserve, run_reserve, check_reserve},
	{"raise_numbers", SO_WRITE, pick_raise, run_raise, NULL},
	{"checkpoint", SO_OWN, NULL, run_checkpoint, NULL},
	{"named_ids", SO_WRITE, pick_names, run_names, check_names},
	{"store_set_props", SO_WRITE, pick_props, run_props, check_props},
};
SO_OPS(so_store_ops, rows);
