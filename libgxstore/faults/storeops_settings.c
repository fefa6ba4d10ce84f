/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on what belongs to a store as a whole, and its upkeep. */
#include <config.h>
#include <gx/owed.h>
#include <gx/peruser.h>
#include <gx/pr-names.h>
#include <gx/storeset.h>
#include "libgxstore/faults/storeops.h"

static struct {
	struct gx_oof oof;
	const char *v[3];
	struct gx_guid guid;
	uint16_t replid;
	uint32_t mode;
	uint64_t id, cn;
	size_t fixed;
	struct gx_peruser peruser;
	uint8_t *note;
} u;

/* ---- Quotas, properties ---- */

static bool pick_quota(struct so_world *w)
{
	ck_assert_int_eq(gx_proplist_set_i32(&w->x.props, w->a, PR_STORAGE_QUOTA_LIMIT, 1000000 + (int32_t)so_rand(w, 1000)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&w->x.props, w->a, PidTagProhibitReceiveQuota, 2000000000), 0);
	return true;
}

static gx_ec run_quota(struct so_world *w, struct gx_txn *t)
{
	return gx_store_set_props(t, &w->x.props);
}

static void check_quota(struct so_world *w)
{
	struct gx_quota q;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_store_quota(t, &q));
	gx_txn_abort(t);
	ck_assert_uint_eq(q.warn, 1024 * (uint64_t)w->x.props.v[0].v.i32);
}

static gx_ec run_remove(struct so_world *w, struct gx_txn *t)
{
	static const gx_proptag_t tags[] = {PidTagComment, 0x66750003, PR_STORAGE_QUOTA_LIMIT};
	(void)w;
	return gx_store_remove_props(t, tags, 3);
}

static void check_remove(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_store_get_props(t, &tag, 1, w->a, &l));
	gx_txn_abort(t);
	ck_assert_uint_eq(l.count, 0);
}

/* ---- Out of office, delegates ---- */

static bool pick_oof(struct so_world *w)
{
	u.oof = (struct gx_oof){.state = so_rand(w, 3), .from = 1000, .until = 2000, .subject = gx_arena_printf(w->a, "away %u", ++w->serial),
		.message = so_one_in(w, 2) ? NULL : "gone", .external = so_one_in(w, 2)};
	return !w->public;
}

static gx_ec run_oof(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_oof_set(t, &u.oof);
}

static void check_oof(struct so_world *w)
{
	struct gx_oof o;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_oof_get(t, w->a, &o));
	gx_txn_abort(t);
	ck_assert_uint_eq(o.state, u.oof.state);
	ck_assert_str_eq(o.subject, u.oof.subject);
	ck_assert((o.message == NULL) == (u.oof.message == NULL) && o.external == u.oof.external);
}

static bool pick_reply(struct so_world *w)
{
	w->x.name = gx_arena_printf(w->a, "peer%u@example.org", so_rand(w, 20));
	return true;
}

static gx_ec run_reply(struct so_world *w, struct gx_txn *t)
{
	return gx_replied_note(t, w->x.name);
}

static void check_reply(struct so_world *w)
{
	uint64_t ago;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_replied_ago(t, w->x.name, &ago));
	gx_txn_abort(t);
	ck_assert_uint_lt(ago, 3600);
}

static bool pick_delegates(struct so_world *w)
{
	u.mode = so_one_in(w, 2) ? GX_DELEGATE_ON_BEHALF : GX_DELEGATE_SEND_AS;
	w->x.n = so_rand(w, 4);
	for (size_t i = 0; i < w->x.n; i++)
		u.v[i] = gx_arena_printf(w->a, "d%u@example.org", ++w->serial);
	return !w->public;
}

static gx_ec run_delegates(struct so_world *w, struct gx_txn *t)
{
	return gx_delegates_set(t, u.mode, u.v, w->x.n);
}

static void check_delegates(struct so_world *w)
{
	const char *const *v;
	size_t n;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_delegates_get(t, u.mode, w->a, &v, &n));
	gx_txn_abort(t);
	ck_assert_uint_eq(n, w->x.n);
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(v[i], u.v[i]);
}

/* ---- Numbers ---- */

static bool pick_replica(struct so_world *w)
{
	u.guid = (struct gx_guid){.d1 = 0x5e9a0000 + so_rand(w, 40)};
	return true;
}

static gx_ec run_replica(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_replica_id(t, &u.guid, true, &u.replid);
}

static void check_replica(struct so_world *w)
{
	struct gx_guid g;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_replica_guid(t, u.replid, &g));
	gx_txn_abort(t);
	ck_assert_int_eq(gx_guid_cmp(&g, &u.guid), 0);
}

static gx_ec run_new_numbers(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	gx_ec ec = gx_store_new_id(t, &u.id);
	return gx_ec_failed(ec) ? ec : gx_store_new_cn(t, &u.cn);
}

static gx_ec run_renumber(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_store_renumber(t);
}

static void check_renumber(struct so_world *w)
{
	const char *sql = "SELECT COUNT(*) FROM (SELECT uid, ROW_NUMBER() OVER (PARTITION BY fid ORDER BY uid) AS n FROM msg"
		" WHERE uid>0) WHERE uid<>n";
	ck_assert_int_eq(so_number(w, sql), 0);
}

static bool pick_reset(struct so_world *w)
{
	u.mode = 1 + so_rand(w, 3);
	u.cn = (uint64_t)so_number(w, "SELECT modseq FROM fstate WHERE fid=0");
	return true;
}

static gx_ec run_reset(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_store_reset_changes(t, u.mode);
}

static void check_reset(struct so_world *w)
{
	if (u.mode & GX_CGK_MESSAGES)
		ck_assert_int_eq(so_number(w, gx_arena_printf(w->a, "SELECT COUNT(*) FROM msg WHERE cn<=%llu", (unsigned long long)u.cn)), 0);
}

static gx_ec run_recount(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_store_recount(t, &u.fixed);
}

static void check_recount(struct so_world *w)
{
	(void)w;
	ck_assert_uint_eq(u.fixed, 0);
}

/* ---- Upkeep ---- */

/* What holds others does not hold the system, which does all of this. */
static bool pick_maintenance(struct so_world *w)
{
	u.mode = so_rand(w, 3);
	return true;
}

static gx_ec run_maintenance(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	return gx_ec_from_err(gx_store_set_maintenance(w->s, (int)u.mode, true));
}

static void check_maintenance(struct so_world *w)
{
	ck_assert_int_eq(gx_store_maintenance(w->s), (int)u.mode);
	if (u.mode != GX_MAINT_USABLE) /* or those who are not the system would be in the way of what follows */
		ck_assert_int_eq(gx_store_set_maintenance(w->s, GX_MAINT_USABLE, false), 0);
}

/* What could not be flushed into the database stays in the log until the store is opened anew. */
static bool pick_vacuum(struct so_world *w)
{
	if (w->s->flush.kept)
		so_reopen(w);
	return true;
}

static gx_ec run_vacuum(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	return gx_ec_from_err(gx_store_vacuum(w->s, 1000));
}

static gx_ec run_purge_files(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	long n = gx_store_purge_files(w->s);
	return n < 0 ? gx_ec_from_err((int)n) : GX_OK_EC;
}

static void check_purge_files(struct so_world *w)
{
	ck_assert_uint_eq(so_stray_files(w), 0);
}

/* ---- What was read elsewhere ---- */

static bool pick_peruser(struct so_world *w)
{
	u.peruser = (struct gx_peruser){.folder_db = {.d1 = so_rand(w, 3)}, .folder = 5, .database = {.d1 = 7}, .data = {(const uint8_t *)"read", so_rand(w, 5)}};
	return !w->public;
}

static gx_ec run_peruser(struct so_world *w, struct gx_txn *t)
{
	(void)w;
	return gx_peruser_set(t, &u.peruser);
}

static void check_peruser(struct so_world *w)
{
	struct gx_peruser p = {0};
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	gx_ec ec = gx_peruser_get(t, &u.peruser.folder_db, 5, w->a, &p);
	gx_txn_abort(t);
	ck_assert(gx_ec_failed(ec) == (u.peruser.data.len == 0));
	ck_assert_uint_eq(p.data.len, u.peruser.data.len);
}

static bool pick_owed(struct so_world *w)
{
	w->x.n = 1 + so_rand(w, 200000);
	w->x.found = so_rand(w, 3);
	u.note = gx_arena_calloc(w->a, w->x.n, 1);
	return true;
}

static gx_ec run_owed(struct so_world *w, struct gx_txn *t)
{
	static const uint8_t batch[GX_OWED_BATCH] = {7};
	gx_ec ec = gx_owed_put(t, batch, (uint32_t)w->x.found, (struct gx_bin){u.note, w->x.n});
	return gx_ec_failed(ec) ? ec : gx_owed_drop(t, batch, (uint32_t)w->x.found + 1);
}

static void check_owed(struct so_world *w)
{
	static const uint8_t batch[GX_OWED_BATCH] = {7};
	struct gx_bin b;
	uint32_t n;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_owed_next(t, batch, (uint32_t)w->x.found, w->a, &n, &b));
	gx_txn_abort(t);
	ck_assert(n == w->x.found && b.len == w->x.n);
}

static const struct so_op rows[] = {
	{"owed", SO_WRITE, pick_owed, run_owed, check_owed},
	{"quota", SO_WRITE, pick_quota, run_quota, check_quota},
	{"store_remove_props", SO_WRITE, NULL, run_remove, check_remove},
	{"oof_set", SO_WRITE, pick_oof, run_oof, check_oof},
	{"replied_note", SO_WRITE, pick_reply, run_reply, check_reply},
	{"delegates_set", SO_WRITE, pick_delegates, run_delegates, check_delegates},
	{"peruser_set", SO_WRITE, pick_peruser, run_peruser, check_peruser},
	{"replica_id", SO_WRITE, pick_replica, run_replica, check_replica},
	{"new_numbers", SO_WRITE, NULL, run_new_numbers, NULL},
	{"renumber", SO_WRITE, NULL, run_renumber, check_renumber},
	{"reset_changes", SO_WRITE, pick_reset, run_reset, check_reset},
	{"recount", SO_WRITE, NULL, run_recount, check_recount},
	{"maintenance", SO_OWN, pick_maintenance, run_maintenance, check_maintenance},
	{"vacuum", SO_OWN, pick_vacuum, run_vacuum, NULL},
	{"purge_files", SO_OWN, NULL, run_purge_files, check_purge_files},
};
SO_OPS(so_settings_ops, rows);
