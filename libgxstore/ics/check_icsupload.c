/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clients that change their copies of a folder while they are offline, and somebody who works on the
 * server: each synchronises up and down after random steps. No change may be lost without a
 * conflict, none may be called one that is not, and in the end everybody has the same.
 */
#include <config.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/ics/icstest.h"
#include "libgxstore/ics/offline.h"

static char dir[512];
static struct sets {
	struct gx_globset given, seen, seen_fai, read;
} sets_of[CLIENTS];

static struct sets *sets(const struct client *c)
{
	return &sets_of[c - w.c];
}

/* ---- Up ---- */

static uint64_t cn_now(struct gx_txn *t, uint64_t mid)
{
	struct gx_msg_info info;
	gx_ec ec = gx_msg_get(t, mid, &info);
	return gx_ec_failed(ec) || (info.flags & GX_MSGF_SOFTDEL) ? 0 : info.cn;
}

static struct gx_msgobj *object(const struct item *i)
{
	struct gx_msgobj *m = gx_msgobj_new(w.a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w.a, PidTagSubject, i->subject), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w.a, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w.a, PidTagBody, i->subject), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, w.a, PidTagMessageFlags, i->read), 0); /* counts for new ones */
	return m;
}

/* @return whether the client still has it. */
static bool upload(struct client *c, struct item *i)
{
	struct gx_ics_message m = GX_ICS_MESSAGE_INIT;
	struct gx_ics_import how;
	struct gx_msg_ids ids;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t now = cn_now(t, i->mid);
	m.source_key = source_key(i->mid);
	m.version = version_of(i);
	m.fai = i->fai;
	gx_ec ec = gx_ics_import_message(t, w.fid, &m, object(i), &how, &ids);
	if (gx_ec_is(ec, ecSyncObjectDeleted)) {
		ck_assert_uint_eq(now, 0);
		gx_txn_abort(t);
		return false;
	}
	ST_OK(ec);
	st_commit(t);
	c->uploads++;
	i->dirty = false;
	if (how.how == GX_ICS_RESOLVE) {
		ck_assert(now != 0 && now != i->cn); /* somebody else was there */
		c->conflicts++;
		return true; /* it has to fetch the result */
	}
	ck_assert_int_eq(how.how, now == 0 ? GX_ICS_CREATE : GX_ICS_REPLACE);
	ck_assert(now == 0 || now == i->cn);
	i->cn = ids.cn;
	i->known = true;
	ck_assert_int_eq(gx_globset_add(i->fai ? &sets(c)->seen_fai : &sets(c)->seen, ids.cn), 0);
	ck_assert_int_eq(gx_globset_add(&sets(c)->given, i->mid), 0);
	return true;
}

static void upload_reads(struct client *c)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (size_t k = 0; k < c->n; k++) {
		struct item *i = &c->v[k];
		const struct gx_ics_read v = {source_key(i->mid), i->read};
		if (!i->read_dirty)
			continue;
		ST_OK(gx_ics_import_reads(t, w.fid, &v, 1, &sets(c)->read, w.a, NULL));
		i->read_dirty = false;
		i->read = i->fai ? false : i->read;
	}
	st_commit(t);
}

static void up(struct client *c)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (size_t i = 0; i < c->ngone; i++) {
		struct gx_bin key = source_key(c->gone[i]);
		ST_OK(gx_ics_import_delete(t, w.fid, &key, 1, rnd(2) != 0));
		ck_assert_int_eq(gx_globset_remove(&sets(c)->given, c->gone[i]), 0);
	}
	c->ngone = 0;
	st_commit(t);
	for (size_t i = 0; i < c->n;) {
		uint64_t mid = c->v[i].mid;
		if (!c->v[i].dirty || upload(c, &c->v[i])) {
			i++;
			continue;
		}
		drop(c, mid);
		ck_assert_int_eq(gx_globset_remove(&sets(c)->given, mid), 0);
	}
	upload_reads(c);
}

/* ---- Down ---- */

static void read_item(struct gx_txn *t, uint64_t mid, struct item *i)
{
	static const gx_proptag_t tag = PidTagSubject;
	struct gx_ics_version v;
	struct gx_msg_info info;
	struct gx_proplist l;
	ST_OK(gx_msg_get(t, mid, &info));
	ST_OK(gx_msg_get_props(t, mid, &tag, 1, w.a, &l));
	ST_OK(gx_ics__version(t, mid, w.a, &v));
	*i = (struct item){.mid = mid, .cn = info.cn, .known = true, .fai = (info.flags & GX_MSGF_FAI) != 0, .read = (info.flags & GX_MSGF_READ) != 0};
	snprintf(i->subject, sizeof(i->subject), "%s", gx_proplist_str(&l, tag, ""));
	set_version(i, v.change_key, v.pcl, v.modified);
}

static void down(struct client *c)
{
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *x = NULL;
	struct gx_ics_change ch;
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	o.given = &sets(c)->given;
	o.seen = &sets(c)->seen;
	o.seen_fai = &sets(c)->seen_fai;
	o.read = &sets(c)->read;
	ST_OK(gx_ics_content_open(t, w.fid, &o, &x));
	while (ict_next(x, &ch)) {
		read_item(t, ch.mid, find_or_add(c, ch.mid));
	}
	gx_txn_abort(t);
	apply(c, gx_ics_content_set(x, GX_ICS_DELETED), GX_ICS_DELETED);
	apply(c, gx_ics_content_set(x, GX_ICS_READ), GX_ICS_READ);
	apply(c, gx_ics_content_set(x, GX_ICS_UNREAD), GX_ICS_UNREAD);
	gx_globset_release(&sets(c)->given);
	ck_assert_int_eq(gx_globset_union(&sets(c)->given, gx_ics_content_set(x, GX_ICS_GIVEN)), 0);
	const struct gx_ics_summary *sum = gx_ics_content_summary(x);
	ck_assert_int_eq(gx_globset_add_range(&sets(c)->seen, 1, sum->last_cn), 0);
	ck_assert_int_eq(gx_globset_add_range(&sets(c)->seen_fai, 1, sum->last_cn), 0);
	ck_assert_int_eq(gx_globset_add_range(&sets(c)->read, 1, sum->last_readcn), 0);
	gx_ics_content_free(x);
}

/* The copy is the folder, item by item. */
static void compare(struct client *c)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	struct item now;
	ck_assert_uint_eq(c->n, sets(c)->given.count);
	for (size_t k = 0; k < c->n; k++) {
		struct item *i = &c->v[k];
		read_item(t, i->mid, &now);
		ck_assert_uint_eq(i->cn, now.cn);
		ck_assert_str_eq(i->subject, now.subject);
		ck_assert_mem_eq(i->key, now.key, KEY);
		ck_assert_uint_eq(i->pcl_len, now.pcl_len);
		ck_assert_mem_eq(i->pcl, now.pcl, now.pcl_len);
		ck_assert(i->fai == now.fai && (i->fai || i->read == now.read));
	}
	compare_count(c, t);
	gx_txn_abort(t);
}

static void synchronise(struct client *c)
{
	gx_arena_reset(w.a);
	up(c);
	down(c);
	compare(c);
}

/* ---- All together ---- */

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	st_create(dir);
	offline_begin(st_open(dir), gx_arena_new(0), GX_FID_INBOX, 5000);
}

static void teardown(void)
{
	st_verify(w.s);
	for (int i = 0; i < CLIENTS; i++) {
		gx_globset_release(&sets_of[i].given);
		gx_globset_release(&sets_of[i].seen);
		gx_globset_release(&sets_of[i].seen_fai);
		gx_globset_release(&sets_of[i].read);
	}
	gx_store_close(w.s);
	gx_arena_free(w.a);
	st_rmtree(dir);
}

START_TEST(two_clients)
{
	w.seed = 1 + (uint64_t)_i;
	for (int step = 0; step < 1200; step++) {
		uint32_t what = rnd(10);
		struct client *c = &w.c[rnd(2)];
		if (what < 5)
			work_offline(c);
		else if (what < 8)
			work_at_server(0);
		else
			synchronise(c);
	}
	for (int i = 0; i < 4; i++)
		synchronise(&w.c[i % 2]);
	same_copies();
	ck_assert_uint_gt(w.c[0].uploads, 20);
	ck_assert_uint_gt(w.c[0].conflicts + w.c[1].conflicts, 0);
}
END_TEST

/* Nobody else changes anything: there is no conflict, and nothing comes back. */
START_TEST(one_client)
{
	struct client *c = &w.c[0];
	w.seed = 100;
	for (int step = 0; step < 600; step++) {
		work_offline(c);
		if (rnd(4) == 0)
			synchronise(c);
	}
	synchronise(c);
	ck_assert_uint_eq(c->conflicts, 0);
	ck_assert_uint_gt(c->uploads, 20);
}
END_TEST

static Suite *icsupload_suite(void)
{
	Suite *suite = suite_create("icsupload");
	TCase *t = tcase_create("icsupload");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, one_client);
	tcase_add_loop_test(t, two_clients, 0, 4);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(icsupload_suite)
