/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads of clients that worked offline: messages, folders and their removal. */
#include <config.h>
#include <gx/entryid.h>
#include <gx/instance.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/faults/storeops.h"

enum { IN_CONFLICT = 0x800 }; /* of PidTagMessageStatus */

static struct {
	struct gx_ics_message m;
	struct gx_ics_import how;
	struct gx_proplist folder;
	struct gx_bin keys[2];
	uint64_t id, cn;
	int expect;
} u;

static struct gx_bin gid(struct so_world *w, const struct gx_guid *g, uint64_t id)
{
	struct gx_bin b = {0};
	ck_assert_int_eq(gx_entryid_gid(w->a, g, id, &b), 0);
	return b;
}

/* A new version of what had the list @pcl. */
static void make_version(struct so_world *w, struct gx_bin pcl, struct gx_ics_version *v)
{
	unsigned n = ++w->serial;
	const struct gx_guid client = {.d1 = 0xc11e0001, .d2 = (uint16_t)n, .d3 = (uint16_t)(n >> 16)}; /* knows of no other's changes */
	v->change_key = gid(w, &client, n);
	v->modified = so_one_in(w, 2) ? 5 : INT64_C(0x1f0000000000000);
	ck_assert_int_eq(gx_pcl_add_key(w->a, pcl, v->change_key, &v->pcl), 0);
}

static void make_object(struct so_world *w)
{
	struct gx_msgobj *m = gx_msgobj_new(w->a);
	unsigned n = ++w->serial;
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagSubject, gx_arena_printf(w->a, "uploaded %u", n)), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagInternetMessageId, gx_arena_printf(w->a, "<%u@example.org>", n)), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagBody, "text of the client"), 0);
	ck_assert_int_eq(gx_proplist_set_str(gx_msgobj_add_rcpt(m, w->a), w->a, PidTagSmtpAddress, "v@example.org"), 0);
	struct gx_attach *x = gx_msgobj_add_attach(m, w->a);
	uint64_t rng = 1 + so_rand(w, 3), *p = gx_arena_alloc(w->a, 6000);
	for (size_t i = 0; i < 6000 / 8; i++)
		p[i] = fdisk_random(&rng);
	ck_assert_int_eq(gx_proplist_set_bin(&x->props, w->a, PidTagAttachDataBinary, p, 6000), 0);
	w->x.obj = m;
}

/* ---- Messages ---- */

static void fresh(void)
{
	memset(&u, 0, sizeof(u));
	u.m = (struct gx_ics_message)GX_ICS_MESSAGE_INIT;
}

static bool pick_create(struct so_world *w)
{
	fresh();
	w->x.fid = so_folder(w, false);
	u.id = so_fresh_id(w);
	u.m.source_key = gid(w, gx_store_replica(w->s), u.id);
	u.m.fai = so_one_in(w, 4);
	u.expect = GX_ICS_CREATE;
	make_version(w, (struct gx_bin){0}, &u.m.version);
	make_object(w);
	return true;
}

static bool pick_stored(struct so_world *w)
{
	fresh();
	if (!so_msgs(w, 1, false))
		return false;
	struct gx_msg_info m;
	ck_assert(so_msg_now(w, w->x.mids[0], &m));
	u.id = w->x.mids[0];
	u.m.fai = m.flags & GX_MSGF_FAI;
	u.m.source_key = gid(w, gx_store_replica(w->s), u.id);
	make_object(w);
	return true;
}

static bool pick_replace(struct so_world *w)
{
	struct gx_ics_version v = {0};
	if (!pick_stored(w))
		return false;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_ics__version(t, u.id, w->a, &v));
	gx_txn_abort(t);
	make_version(w, v.pcl, &u.m.version);
	u.expect = GX_ICS_REPLACE;
	return true;
}

/* Conflicts of conflicts now and then only: they grow, and what is tried costs more and more. */
static bool too_many_versions(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagMessageStatus;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_msg_get_props(t, u.id, &tag, 1, w->a, &l));
	gx_txn_abort(t);
	return (gx_proplist_i32(&l, tag, 0) & IN_CONFLICT) && !so_one_in(w, 8);
}

/* The client has never seen the version that is there. */
static bool pick_conflict(struct so_world *w)
{
	if (!pick_stored(w) || too_many_versions(w))
		return false;
	make_version(w, (struct gx_bin){0}, &u.m.version);
	u.expect = GX_ICS_RESOLVE;
	return true;
}

static gx_ec run_import(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = gx_ics_import_message(t, w->x.fid, &u.m, w->x.obj, &u.how, &w->x.ids[0]);
	if (gx_ec_failed(ec))
		w->x.commit_failed = false; /* what fails in memory only does not spoil the transaction */
	return ec;
}

/* What is told of a message in conflict, and what it is sent as. */
static gx_ec run_versions(struct so_world *w, struct gx_txn *t)
{
	const struct gx_msgobj **v;
	struct gx_msgobj *m, *notice;
	struct gx_inst *i = NULL;
	size_t n = 0;
	gx_ec ec = gx_inst_open(t, 0, u.id, GX_INST_READ, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_read(t, i, w->a, &m);
	gx_inst_free(i);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_ics_versions(w->a, m, &v, &n));
	return gx_ec_failed(ec) ? ec : gx_ics_conflict_notice(t, u.id, w->a, &notice);
}

static bool pick_versions(struct so_world *w)
{
	if (!pick_conflict(w))
		return false;
	struct gx_txn *t = st_begin(w->s, GX_TXN_WRITE);
	ST_OK(run_import(w, t));
	st_commit(t);
	return true;
}

static void check_import(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagSubject;
	struct gx_proplist l;
	struct gx_msg_info m;
	ck_assert_int_eq(u.how.how, u.expect);
	ck_assert(so_msg_now(w, u.id, &m));
	ck_assert(u.m.fai == ((m.flags & GX_MSGF_FAI) != 0) && m.fid == w->x.fid && m.cn == w->x.ids[0].cn);
	if (u.how.how == GX_ICS_RESOLVE)
		return;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_msg_get_props(t, u.id, &tag, 1, w->a, &l));
	gx_txn_abort(t);
	ck_assert_str_eq(gx_proplist_str(&l, tag, ""), gx_proplist_str(&w->x.obj->props, tag, "x"));
}

/* Ids that were set aside and will never be used. */
static bool pick_never(struct so_world *w)
{
	fresh();
	w->x.n = 1 + so_rand(w, 9);
	return true;
}

static gx_ec run_never(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = gx_store_reserve_ids(t, 10, &u.id);
	const uint64_t ids[] = {u.id + w->x.n, u.id + 3, u.id};
	return gx_ec_failed(ec) ? ec : gx_ics__never(t, ids, 3);
}

static void check_never(struct so_world *w)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	for (uint64_t i = 0; i < 10; i++)
		ck_assert_int_eq(gx_txn__is_spent(t, u.id + i), i == w->x.n || i == 3 || i == 0);
	gx_txn_abort(t);
}

/* ---- Folders ---- */

static void set_bin(struct so_world *w, gx_proptag_t tag, struct gx_bin b)
{
	ck_assert_int_eq(gx_proplist_set_bin(&u.folder, w->a, tag, b.data, b.len), 0);
}

/* A folder that is there, under another name and in another place. */
static bool pick_folder(struct so_world *w)
{
	static const gx_proptag_t tag = PidTagPredecessorChangeList;
	struct gx_ics_version v;
	struct gx_proplist l;
	fresh();
	w->x.fid = so_folder(w, true);
	w->x.fid2 = so_folder(w, true);
	if (w->x.fid == 0 || so_below(w, w->x.fid2, w->x.fid) || !so_below(w, w->x.fid2, so_subtree(w)))
		return false;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get_props(t, w->x.fid, &tag, 1, w->a, &l));
	gx_txn_abort(t);
	make_version(w, l.count == 0 ? (struct gx_bin){0} : l.v[0].v.bin, &v);
	w->x.name = gx_arena_printf(w->a, "offline %u", ++w->serial);
	set_bin(w, PidTagSourceKey, gid(w, gx_store_replica(w->s), w->x.fid));
	set_bin(w, PidTagParentSourceKey, gid(w, gx_store_replica(w->s), w->x.fid2));
	set_bin(w, PidTagChangeKey, v.change_key);
	set_bin(w, PidTagPredecessorChangeList, v.pcl);
	ck_assert_int_eq(gx_proplist_set_time(&u.folder, w->a, PidTagLastModificationTime, v.modified), 0);
	ck_assert_int_eq(gx_proplist_set_str(&u.folder, w->a, PidTagDisplayName, w->x.name), 0);
	return true;
}

static gx_ec run_folder(struct so_world *w, struct gx_txn *t)
{
	return gx_ics_import_folder(t, so_subtree(w), &u.folder, &w->x.found, &u.cn);
}

static void check_folder(struct so_world *w)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, w->x.fid, w->a, &i));
	gx_txn_abort(t);
	ck_assert_str_eq(i.name, w->x.name);
	ck_assert_uint_eq(i.parent, w->x.fid2);
	ck_assert_uint_eq(i.cn, u.cn);
}

static bool pick_folder_delete(struct so_world *w)
{
	fresh();
	w->x.fid = so_folder(w, true);
	w->x.hard = so_one_in(w, 2);
	if (w->x.fid == 0 || !so_below(w, w->x.fid, so_subtree(w)))
		return false;
	u.keys[0] = gid(w, gx_store_replica(w->s), w->x.fid);
	u.keys[1] = gid(w, gx_store_replica(w->s), UINT64_C(0x7fff00000000)); /* never was */
	return true;
}

static gx_ec run_folder_delete(struct so_world *w, struct gx_txn *t)
{
	bool more;
	return gx_ics_import_folder_delete(t, so_subtree(w), u.keys, 2, w->x.hard, 0, &more);
}

static void check_folder_delete(struct so_world *w)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_IS(gx_folder_get(t, w->x.fid, w->a, &i), ecNotFound);
	gx_txn_abort(t);
}

static gx_ec run_ask(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = gx_ics_check_message(t, w->x.fid, &u.m, w->a, &u.how);
	return !gx_ec_failed(ec) && u.how.how != u.expect ? GX_EC(ecError) : ec;
}

static const struct so_op rows[] = {
	{"upload_create", SO_WRITE, pick_create, run_import, check_import},
	{"upload_replace", SO_WRITE, pick_replace, run_import, check_import},
	{"upload_conflict", SO_WRITE, pick_conflict, run_import, check_import},
	{"upload_ask", SO_READ, pick_replace, run_ask, NULL},
	{"upload_never", SO_WRITE, pick_never, run_never, check_never},
	{"upload_versions", SO_READ, pick_versions, run_versions, NULL},
	{"upload_folder", SO_WRITE, pick_folder, run_folder, check_folder},
	{"upload_folder_delete", SO_WRITE, pick_folder_delete, run_folder_delete, check_folder_delete},
};
SO_OPS(so_upload_ops, rows);
