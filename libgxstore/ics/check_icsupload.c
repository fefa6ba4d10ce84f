/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clients that change their copies of a folder while they are offline, and somebody who works on the
 * server: each synchronises up and down after random steps. No change may be lost without a
 * conflict, none may be called one that is not, and in the end everybody has the same.
 */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/ics/icstest.h"

#define ITEMS 800
#define KEY 22
#define PCL 200

struct item {
	uint64_t mid, cn; /* cn: of the server's version that it has, 0 none */
	bool fai, read, dirty, read_dirty;
	char subject[32];
	uint8_t key[KEY], pcl[PCL];
	size_t pcl_len;
	gx_nttime_t modified;
};
struct client {
	struct gx_guid space;
	uint64_t keys, next_id, last_id;
	struct gx_globset given, seen, seen_fai, read;
	struct item v[ITEMS];
	uint64_t gone[ITEMS];
	size_t n, ngone;
	unsigned conflicts, uploads;
};
static struct {
	struct gx_store *s;
	struct gx_arena *a;
	char dir[512];
	struct client c[2];
	uint64_t seed;
	unsigned text;
	gx_nttime_t now;
} w;

#define FID GX_FID_INBOX

static uint32_t rnd(uint32_t n)
{
	w.seed = w.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w.seed >> 33) % n;
}

static struct item *find(struct client *c, uint64_t mid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].mid == mid)
			return &c->v[i];
	return NULL;
}

static void drop(struct client *c, uint64_t mid)
{
	struct item *i = find(c, mid);
	if (i != NULL)
		*i = c->v[--c->n];
}

static struct gx_bin source_key(uint64_t id)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_entryid_gid(w.a, gx_store_replica(w.s), id, &b), 0);
	return b;
}

static struct gx_ics_version version_of(const struct item *i)
{
	return (struct gx_ics_version){.change_key = {i->key, KEY}, .pcl = {i->pcl, i->pcl_len}, .modified = i->modified};
}

/* ---- At the client, offline ---- */

static void edit(struct client *c, struct item *i)
{
	struct gx_bin key, pcl;
	ck_assert_int_eq(gx_entryid_gid(w.a, &c->space, ++c->keys, &key), 0);
	ck_assert_int_eq(gx_pcl_add_key(w.a, (struct gx_bin){i->pcl, i->pcl_len}, key, &pcl), 0);
	ck_assert_uint_le(pcl.len, PCL);
	memcpy(i->key, key.data, KEY);
	memcpy(i->pcl, pcl.data, pcl.len);
	i->pcl_len = pcl.len;
	i->modified = w.now += 1 + rnd(3);
	i->dirty = true;
	snprintf(i->subject, sizeof(i->subject), "client %d: %u", c == &w.c[1], w.text++);
}

static void work_offline(struct client *c)
{
	uint32_t what = rnd(10);
	if (what < 3 && c->n < ITEMS && c->next_id < c->last_id) {
		struct item *i = &c->v[c->n++];
		*i = (struct item){.mid = c->next_id++, .fai = rnd(6) == 0};
		edit(c, i);
		return;
	}
	if (c->n == 0)
		return;
	struct item *i = &c->v[rnd((uint32_t)c->n)];
	if (what < 7) {
		edit(c, i);
	} else if (what < 9) {
		i->read = !i->read;
		i->read_dirty = true;
	} else {
		if (i->cn != 0)
			c->gone[c->ngone++] = i->mid;
		drop(c, i->mid);
	}
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
	gx_ec ec = gx_ics_import_message(t, FID, &m, object(i), &how, &ids);
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
	ck_assert_int_eq(gx_globset_add(i->fai ? &c->seen_fai : &c->seen, ids.cn), 0);
	ck_assert_int_eq(gx_globset_add(&c->given, i->mid), 0);
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
		ST_OK(gx_ics_import_reads(t, FID, &v, 1, &c->read, w.a, NULL));
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
		ST_OK(gx_ics_import_delete(t, FID, &key, 1, rnd(2) != 0));
		ck_assert_int_eq(gx_globset_remove(&c->given, c->gone[i]), 0);
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
		ck_assert_int_eq(gx_globset_remove(&c->given, mid), 0);
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
	*i = (struct item){.mid = mid, .cn = info.cn, .fai = (info.flags & GX_MSGF_FAI) != 0, .read = (info.flags & GX_MSGF_READ) != 0,
		.modified = v.modified, .pcl_len = v.pcl.len};
	snprintf(i->subject, sizeof(i->subject), "%s", gx_proplist_str(&l, tag, ""));
	ck_assert(v.change_key.len == KEY && v.pcl.len <= PCL);
	memcpy(i->key, v.change_key.data, KEY);
	memcpy(i->pcl, v.pcl.data, v.pcl.len);
}

static void each(struct client *c, const struct gx_globset *set, int what)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	gx_globset_iter(set, &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t mid = r.lo; mid <= r.hi; mid++) {
			if (what == GX_ICS_DELETED)
				drop(c, mid);
			else
				find(c, mid)->read = what == GX_ICS_READ;
		}
}

static void down(struct client *c)
{
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *x = NULL;
	struct gx_ics_change ch;
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	o.given = &c->given;
	o.seen = &c->seen;
	o.seen_fai = &c->seen_fai;
	o.read = &c->read;
	ST_OK(gx_ics_content_open(t, FID, &o, &x));
	while (ict_next(x, &ch)) {
		struct item *i = find(c, ch.mid);
		if (i == NULL) {
			ck_assert_uint_lt(c->n, ITEMS);
			i = &c->v[c->n++];
		}
		read_item(t, ch.mid, i);
	}
	gx_txn_abort(t);
	each(c, gx_ics_content_set(x, GX_ICS_DELETED), GX_ICS_DELETED);
	each(c, gx_ics_content_set(x, GX_ICS_READ), GX_ICS_READ);
	each(c, gx_ics_content_set(x, GX_ICS_UNREAD), GX_ICS_UNREAD);
	gx_globset_release(&c->given);
	ck_assert_int_eq(gx_globset_union(&c->given, gx_ics_content_set(x, GX_ICS_GIVEN)), 0);
	const struct gx_ics_summary *sum = gx_ics_content_summary(x);
	ck_assert_int_eq(gx_globset_add_range(&c->seen, 1, sum->last_cn), 0);
	ck_assert_int_eq(gx_globset_add_range(&c->seen_fai, 1, sum->last_cn), 0);
	ck_assert_int_eq(gx_globset_add_range(&c->read, 1, sum->last_readcn), 0);
	gx_ics_content_free(x);
}

/* The copy is the folder, item by item. */
static void compare(struct client *c)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	struct item now;
	ck_assert_uint_eq(c->n, c->given.count);
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
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM msg WHERE fid=?1 AND uid>0");
	gx_sql__bind_int(st, 1, FID);
	ck_assert_int_gt(gx_sql__step(st), 0);
	ck_assert_uint_eq(gx_sql__u64(st, 0), c->n);
	gx_sql__done(st);
	st = NULL;
	gx_txn_abort(t);
}

static void synchronise(struct client *c)
{
	gx_arena_reset(w.a);
	up(c);
	down(c);
	compare(c);
}

/* ---- At the server ---- */

static uint64_t any_message(struct gx_txn *t)
{
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>0 ORDER BY (mid*7919+?2)%1009 LIMIT 1");
	gx_sql__bind_int(st, 1, FID);
	gx_sql__bind_int(st, 2, rnd(1009));
	return gx_sql__step(st) > 0 ? gx_sql__u64(st, 0) : 0;
}

static void work_at_server(void)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	uint64_t mid = any_message(t);
	struct gx_proplist l = {0};
	uint32_t what = rnd(10);
	if (mid == 0 || what < 3) {
		st_insert(t, FID, w.text++, 200, rnd(5) == 0 ? GX_MSGF_FAI : 0);
	} else if (what < 6) {
		ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagSubject, gx_arena_printf(w.a, "server: %u", w.text++)), 0);
		ck_assert_int_eq(gx_proplist_set_time(&l, w.a, PidTagLastModificationTime, w.now += rnd(3)), 0);
		ST_OK(gx_msg_set_props(t, mid, &l));
	} else if (what < 8) {
		ST_OK(gx_msg_set_read(t, mid, rnd(2) ? GX_RF_CLEAR_READ : 0, NULL));
	} else {
		ST_OK(gx_msg_delete(t, FID, &mid, 1, rnd(2) != 0));
	}
	st_commit(t);
}

/* ---- All together ---- */

static void setup(void)
{
	snprintf(w.dir, sizeof(w.dir), "%s", st_dir());
	st_create(w.dir);
	w.s = st_open(w.dir);
	w.a = gx_arena_new(0);
	w.now = 1000;
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (int i = 0; i < 2; i++) {
		w.c[i].space = (struct gx_guid){.d1 = 0xc11e0000, .d2 = (uint16_t)i};
		ST_OK(gx_store_reserve_ids(t, 5000, &w.c[i].next_id));
		w.c[i].last_id = w.c[i].next_id + 5000;
	}
	st_commit(t);
}

static void teardown(void)
{
	st_verify(w.s);
	for (int i = 0; i < 2; i++) {
		gx_globset_release(&w.c[i].given);
		gx_globset_release(&w.c[i].seen);
		gx_globset_release(&w.c[i].seen_fai);
		gx_globset_release(&w.c[i].read);
	}
	gx_store_close(w.s);
	gx_arena_free(w.a);
	st_rmtree(w.dir);
}

static void same_copies(void)
{
	ck_assert_uint_eq(w.c[0].n, w.c[1].n);
	for (size_t i = 0; i < w.c[0].n; i++) {
		struct item *x = &w.c[0].v[i], *y = find(&w.c[1], x->mid);
		ck_assert_ptr_nonnull(y);
		ck_assert_str_eq(x->subject, y->subject);
		ck_assert_uint_eq(x->cn, y->cn);
	}
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
			work_at_server();
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
