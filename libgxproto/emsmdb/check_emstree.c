/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that keeps a copy of the tree of folders, while folders are made, renamed, moved, described and deleted at random, on the
 * server and by the client itself: after each synchronisation the copy is the tree.
 */
#include <config.h>
#include <time.h>
#include <gx/entryid.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/icsclient.h"

#define FOLDERS 200
#define ROOT GX_FID_IPMSUBTREE
#define BUILT_IN 0x100 /* ids below are of folders that cannot be moved */

struct node {
	uint64_t fid, parent;
	char name[40], comment[40];
};
static struct {
	struct gx_store *s;
	struct gx_bin set[GX_SYNCIN_SETS];
	struct node v[FOLDERS];
	size_t n;
	uint64_t seed, next_id, versions;
	unsigned text, interrupted, compared, uploads;
	bool ended;
} w;

static uint32_t rnd(uint32_t n)
{
	w.seed = w.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w.seed >> 33) % n;
}

/* ---- The client's copy ---- */

static struct node *find(uint64_t fid)
{
	for (size_t i = 0; i < w.n; i++)
		if (w.v[i].fid == fid)
			return &w.v[i];
	return NULL;
}

static void drop(uint64_t fid)
{
	struct node *x = find(fid);
	if (x != NULL)
		*x = w.v[--w.n];
}

static int on_folder(const struct gx_proplist *l, void *ctx)
{
	struct gx_bin up = ic_bin(l, PidTagParentSourceKey);
	uint64_t fid = ic_number(ic_bin(l, PidTagSourceKey)), parent = up.len == 0 ? ROOT : ic_number(up);
	struct node *x = find(fid);
	(void)ctx;
	ck_assert_msg(parent == ROOT || find(parent) != NULL, "a folder came before its parent");
	if (x == NULL) {
		ck_assert_uint_lt(w.n, FOLDERS);
		x = &w.v[w.n++];
	}
	*x = (struct node){.fid = fid, .parent = parent};
	snprintf(x->name, sizeof(x->name), "%s", gx_proplist_str(l, PidTagDisplayName, ""));
	snprintf(x->comment, sizeof(x->comment), "%s", gx_proplist_str(l, PidTagComment, ""));
	return 0;
}

static int on_gone(gx_proptag_t why, const struct gx_idset *ids, void *ctx)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	(void)ctx;
	ck_assert_uint_eq(why, MetaTagIdsetDeleted);
	gx_globset_iter(gx_idset_get(ids, 1), &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t fid = r.lo; fid <= r.hi; fid++)
			drop(fid);
	return 0;
}

static int on_state(const struct gx_syncin_state *s, void *ctx)
{
	(void)ctx;
	ck_assert_ptr_null(s->set[GX_SYNCIN_READ].data);
	ic_state_copy(w.set, s->set);
	w.ended = true;
	return 0;
}

static const struct gx_syncin_ops ops = {.folder = on_folder, .gone = on_gone, .state = on_state};

static void compare(void)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_folder_info *v;
	struct gx_proplist l;
	size_t n;
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	ST_OK(gx_folder_list(t, ROOT, true, et_a, &v, &n));
	ck_assert_uint_eq(n, w.n);
	for (size_t i = 0; i < n; i++) {
		const struct node *x = find(v[i].fid);
		ck_assert_msg(x != NULL, "%s was lost", v[i].name);
		ck_assert_uint_eq(x->parent, v[i].parent);
		ck_assert_str_eq(x->name, v[i].name);
		ST_OK(gx_folder_get_props(t, v[i].fid, &tag, 1, et_a, &l));
		ck_assert_str_eq(x->comment, gx_proplist_str(&l, tag, ""));
	}
	gx_txn_abort(t);
	w.compared++;
}

static void synchronise(void)
{
	const struct gx_rop_synchronization_configure_req q = {.synchronization_type = GX_SYNC_HIERARCHY,
		.synchronization_flags = GX_SYNC_UNICODE, .send_options = GX_FTX_SEND_UNICODE, .synchronization_extra_flags = rnd(8)};
	struct gx_rop_fast_transfer_source_get_buffer_res *r;
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_syncin *in;
	unsigned buffers = rnd(2) == 0 ? 1 + rnd(5) : UINT32_MAX;
	w.ended = false;
	o.hierarchy = true;
	ST_OK(ic_try_configure(&q));
	ic_upload_state(IC_SYNC, w.set);
	ck_assert_int_eq(gx_syncin_new(&o, &ops, NULL, &in), 0);
	do {
		ST_OK(ic_get(IC_SYNC, (uint16_t)(80 + rnd(200)), &r));
		ck_assert_msg(gx_syncin_write(in, r->transfer_buffer.data, r->transfer_buffer.len) == 0, "%s", gx_syncin_text(in));
	} while (r->transfer_status == GX_FTX_STATUS_PARTIAL && --buffers > 0);
	gx_syncin_free(in);
	if (w.ended) {
		compare();
	} else {
		ic_fetch_state(IC_SYNC, w.set); /* it goes on from there */
		w.interrupted++;
	}
	ic_release(IC_SYNC);
}

/* ---- What happens ---- */

static const char *name(void)
{
	return gx_arena_printf(et_a, "folder %u", w.text++);
}

static void work_at_server(void)
{
	struct gx_folder_info *v;
	struct gx_proplist l = {0};
	size_t n;
	uint64_t made;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_folder_list(t, ROOT, true, et_a, &v, &n));
	const struct gx_folder_info *x = &v[rnd((uint32_t)n)], *to = &v[rnd((uint32_t)n)];
	uint32_t what = rnd(10);
	if (what < 3 && n < FOLDERS / 2) {
		ST_OK(gx_folder_create(t, rnd(3) == 0 ? ROOT : x->fid, name(), NULL, GX_FOLDER_GENERIC, NULL, &made));
	} else if (what < 5) {
		ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagComment, gx_arena_printf(et_a, "says %u", w.text++)), 0);
		ST_OK(gx_folder_set_props(t, x->fid, &l));
	} else if (x->fid >= BUILT_IN && what < 8) {
		gx_ec ec = gx_folder_move(t, x->fid, what == 5 ? x->parent : to->fid, what == 7 ? NULL : name());
		ck_assert(!gx_ec_failed(ec) || gx_ec_is(ec, ecFolderCycle));
	} else if (x->fid >= BUILT_IN) {
		ST_OK(gx_folder_delete(t, x->fid, rnd(2) != 0));
	}
	st_commit(t);
}

static struct gx_bin key(uint64_t id)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_entryid_gid(et_a, gx_store_replica(w.s), id, &b), 0);
	return b;
}

/* A new folder, made offline and brought; the client's state hears of it. */
static void bring(void)
{
	const struct gx_guid space = {.d1 = 0xc11e0000};
	const struct gx_rop_synchronization_open_collector_req open = {false};
	struct gx_rop_synchronization_import_hierarchy_change_req q = {0};
	const struct node *under = w.n > 0 && rnd(2) == 0 ? &w.v[rnd((uint32_t)w.n)] : NULL;
	struct node x = {.fid = w.next_id++, .parent = under == NULL ? ROOT : under->fid};
	struct gx_bin self = key(x.fid), up = under == NULL ? (struct gx_bin){0} : key(under->fid), change, pcl;
	ck_assert_int_eq(gx_entryid_gid(et_a, &space, ++w.versions, &change), 0);
	ck_assert_int_eq(gx_pcl_add_key(et_a, (struct gx_bin){0}, change, &pcl), 0);
	snprintf(x.name, sizeof(x.name), "%s", name());
	ck_assert_int_eq(gx_proplist_set_bin(&q.hierarchy_values, et_a, PidTagParentSourceKey, up.data, up.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&q.hierarchy_values, et_a, PidTagSourceKey, self.data, self.len), 0);
	ck_assert_int_eq(gx_proplist_set_time(&q.hierarchy_values, et_a, PidTagLastModificationTime, 1000 + w.versions), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&q.hierarchy_values, et_a, PidTagChangeKey, change.data, change.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&q.hierarchy_values, et_a, PidTagPredecessorChangeList, pcl.data, pcl.len), 0);
	ck_assert_int_eq(gx_proplist_set_str(&q.hierarchy_values, et_a, PidTagDisplayName, x.name), 0);
	ST_OK(et_do(RopSynchronizationOpenCollector, IC_FOLDER, IC_COLLECTOR, &open, NULL));
	ic_upload_state(IC_COLLECTOR, w.set);
	gx_ec ec = et_do(RopSynchronizationImportHierarchyChange, IC_COLLECTOR, 0, &q, NULL);
	if (!gx_ec_failed(ec)) {
		w.v[w.n++] = x;
		w.uploads++;
		ic_fetch_state(IC_COLLECTOR, w.set);
	} else { /* the one above went meanwhile */
		ck_assert_msg(gx_ec_is(ec, ecNoParentFolder) || gx_ec_is(ec, ecSyncObjectDeleted) || gx_ec_is(ec, ecNotFound), "%s", gx_ec_name(ec));
	}
	ic_release(IC_COLLECTOR);
}

static void run(unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		ic_reset();
		uint32_t what = rnd(10);
		if (what < 6)
			work_at_server();
		else if (what < 7 && w.n < FOLDERS / 2)
			bring();
		else if (what < 9)
			synchronise();
	}
}

static void setup(void)
{
	ic_setup();
	w.s = et_s->logons[0]->store;
	ic_open(IC_FOLDER, ROOT);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	ST_OK(gx_store_reserve_ids(t, 1000000, &w.next_id));
	st_commit(t);
}

static void teardown(void)
{
	ic_state_free(w.set);
	st_verify(w.s);
	ic_teardown();
}

START_TEST(the_copy_is_the_tree)
{
	const char *seconds = getenv("GX_SOAK_SECONDS");
	time_t until = time(NULL) + (seconds == NULL ? 0 : strtol(seconds, NULL, 10));
	w.seed = 1 + (uint64_t)_i;
	do {
		run(400);
	} while (time(NULL) < until);
	ck_assert_uint_gt(w.interrupted, 5);
	ck_assert_uint_gt(w.compared, 20);
	ck_assert_uint_gt(w.uploads, 5);
}
END_TEST

static Suite *emstree_suite(void)
{
	Suite *suite = suite_create("emstree");
	TCase *t = tcase_create("emstree");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 3600);
	tcase_add_loop_test(t, the_copy_is_the_tree, 0, (int)gxtest_rounds(3));
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(emstree_suite)
