/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronisation: what clients fetch, and what they bring. */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/faults/storeops.h"

/* What the present operation works on, besides w->x. */
static struct {
	struct gx_globset given, seen, reads; /* released by the next one */
	struct gx_ics_content_opts content;
	struct gx_ics_version version;
	struct gx_ics_move move;
	struct gx_bin keys[SO_PICK];
	struct gx_ics_read read[SO_PICK];
	struct gx_proplist folder;
	uint64_t id, cn;
} u;

static void fresh(void)
{
	gx_globset_release(&u.given);
	gx_globset_release(&u.seen);
	gx_globset_release(&u.reads);
	memset(&u, 0, sizeof(u));
}

static struct gx_bin gid(struct so_world *w, const struct gx_guid *g, uint64_t id)
{
	struct gx_bin b = {0};
	ck_assert_int_eq(gx_entryid_gid(w->a, g, id, &b), 0);
	return b;
}

static struct gx_bin source_key(struct so_world *w, uint64_t id)
{
	return gid(w, gx_store_replica(w->s), id);
}

static void make_version(struct so_world *w)
{
	static const struct gx_guid client = {.d1 = 0xc11e0000};
	u.version.change_key = gid(w, &client, ++w->serial);
	u.version.modified = 5;
	ck_assert_int_eq(gx_pcl_add_key(w->a, (struct gx_bin){0}, u.version.change_key, &u.version.pcl), 0);
}

/* ---- Down ---- */

static bool pick_content(struct so_world *w)
{
	fresh();
	w->x.fid = so_folder(w, false);
	u.content = (struct gx_ics_content_opts)GX_ICS_CONTENT_OPTS_INIT;
	u.content.given = &u.given;
	u.content.seen = u.content.seen_fai = u.content.read = &u.seen;
	return w->x.fid != 0;
}

/* A client that was here before. */
static bool pick_content_again(struct so_world *w)
{
	struct gx_ics_content *c;
	if (!pick_content(w))
		return false;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_ics_content_open(t, w->x.fid, &u.content, &c));
	ck_assert_int_eq(gx_globset_union(&u.given, gx_ics_content_set(c, GX_ICS_GIVEN)), 0);
	ck_assert_int_eq(gx_globset_add_range(&u.seen, 1, gx_ics_content_summary(c)->last_cn - so_rand(w, 20) % 20), 0);
	gx_ics_content_free(c);
	gx_txn_abort(t);
	return true;
}

static gx_ec run_content(struct so_world *w, struct gx_txn *t)
{
	struct gx_ics_content *c;
	gx_ec ec = gx_ics_content_open(t, w->x.fid, &u.content, &c);
	if (!gx_ec_failed(ec))
		gx_ics_content_free(c);
	return ec;
}

/* One by one, twice from the middle on, and all at once. */
static gx_ec run_changes(struct so_world *w, struct gx_txn *t)
{
	struct gx_ics_content *c = NULL;
	struct gx_ics_content_answer all;
	struct gx_ics_change x;
	bool more = true;
	gx_ec ec = gx_ics_content_open(t, w->x.fid, &u.content, &c);
	for (int round = 0; !gx_ec_failed(ec) && round < 2; round++) {
		for (more = true; !gx_ec_failed(ec) && more;)
			ec = gx_ics_content_next(c, &x, &more);
		gx_ics_content_seek(c, gx_ics_content_count(c) / 2);
	}
	gx_ics_content_free(c);
	return gx_ec_failed(ec) ? ec : gx_ics_content_answer(t, w->x.fid, &u.content, w->a, &all);
}

static bool pick_hierarchy(struct so_world *w)
{
	fresh();
	w->x.fid = so_subtree(w);
	return true;
}

static gx_ec run_hierarchy(struct so_world *w, struct gx_txn *t)
{
	struct gx_ics_hierarchy_answer r;
	return gx_ics_hierarchy_answer(t, w->x.fid, NULL, NULL, w->a, &r);
}

static gx_ec run_folders(struct so_world *w, struct gx_txn *t)
{
	struct gx_ics_hierarchy *h = NULL;
	struct gx_proplist l;
	bool more = true;
	gx_ec ec = gx_ics_hierarchy_open(t, w->x.fid, &u.given, &u.seen, &h);
	while (!gx_ec_failed(ec) && more)
		ec = gx_ics_hierarchy_next(h, t, w->a, &l, &more);
	gx_ics_hierarchy_free(h);
	return ec;
}

/* ---- Up ---- */

static bool pick_version(struct so_world *w)
{
	fresh();
	make_version(w);
	return so_msgs(w, 1, false);
}

static gx_ec run_version(struct so_world *w, struct gx_txn *t)
{
	return gx_ics_set_version(t, w->x.mids[0], &u.version, &u.cn);
}

static void expect_version(struct so_world *w, uint64_t mid)
{
	struct gx_ics_version v = {0};
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_ics__version(t, mid, w->a, &v));
	gx_txn_abort(t);
	ck_assert_uint_eq(v.change_key.len, u.version.change_key.len);
	ck_assert_mem_eq(v.change_key.data, u.version.change_key.data, v.change_key.len);
}

static void check_version(struct so_world *w)
{
	expect_version(w, w->x.mids[0]);
}

/* Of the message as it is here, or of one that others have changed since: then the client is to be told of it. */
static bool pick_move(struct so_world *w)
{
	struct gx_ics_version v = {0};
	if (!pick_version(w))
		return false;
	w->x.on = so_one_in(w, 2);
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_ics__version(t, w->x.mids[0], w->a, &v));
	gx_txn_abort(t);
	if (w->x.on)
		u.version.pcl = v.pcl;
	u.id = so_fresh_id(w);
	w->x.fid2 = so_folder(w, false);
	u.move = (struct gx_ics_move){.src_fid = w->x.fid, .source_key = source_key(w, w->x.mids[0]), .dst_source_key = source_key(w, u.id),
		.version = u.version};
	return true;
}

static gx_ec run_move(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = gx_ics_import_move(t, w->x.fid2, &u.move, w->x.ids);
	return gx_ec_failed(ec) ? ec : GX_OK_EC;
}

static void check_move(struct so_world *w)
{
	struct gx_msg_info m;
	ck_assert(!so_msg_now(w, w->x.mids[0], &m));
	ck_assert(so_msg_now(w, u.id, &m));
	ck_assert_uint_eq(m.fid, w->x.fid2);
	ck_assert(w->x.ids[0].cn == m.cn || (!w->x.on && w->x.ids[0].cn == 0));
	expect_version(w, u.id);
}

static bool pick_keys(struct so_world *w)
{
	fresh();
	if (!so_msgs(w, 5, false))
		return false;
	for (size_t i = 0; i < w->x.n; i++) {
		u.keys[i] = source_key(w, w->x.mids[i]);
		u.read[i] = (struct gx_ics_read){u.keys[i], i % 2 == 0};
	}
	return true;
}

static gx_ec run_delete(struct so_world *w, struct gx_txn *t)
{
	return gx_ics_import_delete(t, w->x.fid, u.keys, w->x.n, true);
}

static void check_delete(struct so_world *w)
{
	struct gx_msg_info m;
	for (size_t i = 0; i < w->x.n; i++)
		ck_assert(!so_msg_now(w, w->x.mids[i], &m));
}

static gx_ec run_reads(struct so_world *w, struct gx_txn *t)
{
	return gx_ics_import_reads(t, w->x.fid, u.read, w->x.n, &u.reads, w->a, NULL);
}

static void check_reads(struct so_world *w)
{
	struct gx_msg_info m;
	for (size_t i = 0; i < w->x.n; i++) {
		ck_assert(so_msg_now(w, w->x.mids[i], &m));
		ck_assert((m.flags & GX_MSGF_FAI) || ((m.flags & GX_MSGF_READ) != 0) == u.read[i].read);
	}
}

static void set_bin(struct so_world *w, gx_proptag_t tag, struct gx_bin b)
{
	ck_assert_int_eq(gx_proplist_set_bin(&u.folder, w->a, tag, b.data, b.len), 0);
}

static bool pick_folder(struct so_world *w)
{
	fresh();
	make_version(w);
	u.id = so_fresh_id(w);
	set_bin(w, PidTagSourceKey, source_key(w, u.id));
	set_bin(w, PidTagParentSourceKey, (struct gx_bin){0});
	set_bin(w, PidTagChangeKey, u.version.change_key);
	set_bin(w, PidTagPredecessorChangeList, u.version.pcl);
	ck_assert_int_eq(gx_proplist_set_time(&u.folder, w->a, PidTagLastModificationTime, 5), 0);
	ck_assert_int_eq(gx_proplist_set_str(&u.folder, w->a, PidTagDisplayName, gx_arena_printf(w->a, "synced %u", ++w->serial)), 0);
	ck_assert_int_eq(gx_proplist_set_str(&u.folder, w->a, PidTagComment, "from a client"), 0);
	return true;
}

static gx_ec run_folder(struct so_world *w, struct gx_txn *t)
{
	return gx_ics_import_folder(t, so_subtree(w), &u.folder, &w->x.found, &u.cn);
}

static void check_folder(struct so_world *w)
{
	struct gx_folder_info info;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ck_assert_uint_eq(w->x.found, u.id);
	ST_OK(gx_folder_get(t, u.id, w->a, &info));
	ck_assert_uint_eq(info.cn, u.cn);
	gx_txn_abort(t);
}

static const struct so_op rows[] = {
	{"ics_content", SO_READ, pick_content, run_content, NULL},
	{"ics_content_again", SO_READ, pick_content_again, run_content, NULL},
	{"ics_hierarchy", SO_READ, pick_hierarchy, run_hierarchy, NULL},
	{"ics_changes", SO_READ, pick_content_again, run_changes, NULL},
	{"ics_folders", SO_READ, pick_hierarchy, run_folders, NULL},
	{"ics_set_version", SO_WRITE, pick_version, run_version, check_version},
	{"ics_import_move", SO_WRITE, pick_move, run_move, check_move},
	{"ics_import_delete", SO_WRITE, pick_keys, run_delete, check_delete},
	{"ics_import_reads", SO_WRITE, pick_keys, run_reads, check_reads},
	{"ics_import_folder", SO_WRITE, pick_folder, run_folder, check_folder},
};

extern const struct so_ops so_ics_ops;
SO_OPS(so_ics_ops, rows);
