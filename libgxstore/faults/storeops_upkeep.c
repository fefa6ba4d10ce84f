/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a store in order: repairs of damage, contents compressed once more. */
#include <config.h>
#include <gx/recompress.h>
#include <gx/storecheck.h>
#include "libgxstore/faults/storeops.h"

/* ---- Rows that belong to nothing ---- */

static const char *const damage =
	"INSERT OR IGNORE INTO timers(mid,timer) VALUES(0x7fff0001,1);"
	"INSERT OR IGNORE INTO permissions(fid,member,rights) VALUES(0x7fff0001,'u@example.org',1);"
	"INSERT OR IGNORE INTO tstate(id,fid,state) VALUES(0x7fff0001,0x7fff0001,x'00')";
static const char *const cure = "DELETE FROM timers WHERE mid=0x7fff0001; DELETE FROM permissions WHERE fid=0x7fff0001;"
	"DELETE FROM tstate WHERE fid=0x7fff0001";

static void write_rows(struct so_world *w, const char *sql)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_sql__exec(t->q, sql), 0);
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
}

static bool damaged(struct so_world *w)
{
	return so_number(w, "SELECT (SELECT COUNT(*) FROM timers WHERE mid=0x7fff0001)+(SELECT COUNT(*) FROM permissions WHERE fid=0x7fff0001)"
			    "+(SELECT COUNT(*) FROM tstate WHERE fid=0x7fff0001)") != 0;
}

void so_verify(struct so_world *w)
{
	if (damaged(w)) /* left by a repair that did not come to its end */
		write_rows(w, cure);
	st_verify(w->s);
}

static bool pick_repair(struct so_world *w)
{
	write_rows(w, damage);
	return true;
}

static gx_ec run_repair(struct so_world *w, struct gx_txn *t)
{
	static const char *const only[] = {"timer", NULL}; /* with those of its group */
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	(void)t;
	o.repair = true;
	o.only = only;
	int err = gx_store_check(w->s, &o, &r);
	w->x.n = err == 0 ? r.left : 1;
	return gx_ec_from_err(err);
}

static void check_repair(struct so_world *w)
{
	ck_assert_uint_eq(w->x.n, 0);
	ck_assert(!damaged(w));
}

/* ---- Contents ---- */

static bool pick_recompress(struct so_world *w)
{
	w->x.n = 1 + so_rand(w, 9);
	return true;
}

static gx_ec run_recompress(struct so_world *w, struct gx_txn *t)
{
	struct gx_recompress_opts o = GX_RECOMPRESS_OPTS_INIT;
	struct gx_recompress_result r = {0};
	(void)t;
	o.level = (int)w->x.n;
	return gx_ec_from_err(gx_recompress_store(w->s, &o, &r));
}

static void check_recompress(struct so_world *w)
{
	so_check_originals(w->s);
}

static const struct so_op rows[] = {
	{"repair", SO_OWN | SO_STEPS, pick_repair, run_repair, check_repair},
	{"recompress", SO_OWN | SO_STEPS, pick_recompress, run_recompress, check_recompress},
};
SO_OPS(so_upkeep_ops, rows);
