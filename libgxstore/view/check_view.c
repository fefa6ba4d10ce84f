/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/fixtest.h"
#include "libgxstore/view/viewtest.h"

/* ---- Roots alone, against a plain array ---- */

#define UIDS 6000

static bool have[UIDS + 1];
static struct gx_uid_entry is[UIDS + 1];

/* Most of them as messages that came one after the other, others with anything. */
static struct gx_uid_entry entry(uint32_t uid)
{
	struct gx_uid_entry e = {.uid = uid, .flags = (uint16_t)(random() & 7), .mid = uid + 100000, .modseq = uid + 200000,
		.size32 = 2000 + (uint32_t)random() % 3000};
	if (random() % 400 == 0)
		e.size32 = UINT32_MAX;
	if (random() % 400 == 0)
		e.kwset = (uint32_t)random();
	if (random() % 400 == 0)
		e.flags = (uint16_t)random();
	if (random() % 400 == 0)
		e.mid = random() % 2 == 0 ? uid : UINT64_MAX - uid;
	if (random() % 100 == 0)
		e.modseq = 1 + (uint64_t)random() % UINT64_C(0xffffffffffff);
	return e;
}

static bool same(const struct gx_uid_entry *x, const struct gx_uid_entry *y)
{
	return x->uid == y->uid && x->flags == y->flags && x->kwset == y->kwset && x->size32 == y->size32 &&
		x->mid == y->mid && x->modseq == y->modseq;
}

static void check_root(const struct gx_root *r, uint32_t raw_max)
{
	uint32_t i = 0, unseen = 0, raw = 0;
	struct gx_uid_entry e;
	for (uint32_t uid = 1; uid <= UIDS; uid++) {
		ck_assert_uint_eq(gx_root__lower(r, uid), i);
		if (!have[uid])
			continue;
		ck_assert(gx_root__get(r, i++, &e));
		ck_assert(same(&e, &is[uid]));
		unseen += !(e.flags & GX_MSGF_READ);
	}
	ck_assert_uint_eq(r->count, i);
	ck_assert(!gx_root__get(r, i, &e) && e.uid == 0);
	for (uint32_t k = 0; k < r->nchunks; k++) {
		ck_assert_uint_gt(r->c[k]->n, 0);
		unseen -= r->c[k]->unseen;
		raw += r->c[k]->cap > 0;
	}
	ck_assert_uint_eq(unseen, 0);
	ck_assert_uint_eq(r->raw, raw);
	ck_assert_uint_le(raw, raw_max + 1); /* one more may be split before it is looked at */
}

static void random_edit(struct gx_rootbuild *b)
{
	uint32_t uid = 1 + (uint32_t)random() % UIDS;
	switch (random() % 4) {
	case 0:
		have[uid] = false;
		gx_rootbuild__remove(b, uid);
		break;
	case 1:
		if (have[uid])
			is[uid] = entry(uid);
		gx_rootbuild__update(b, have[uid] ? &is[uid] : &(struct gx_uid_entry){.uid = uid});
		break;
	default:
		have[uid] = true;
		is[uid] = entry(uid);
		gx_rootbuild__put(b, &is[uid]);
	}
}

/* What the comparison says turns the old root into the new one. */
static void check_diff(const struct gx_root *old, const struct gx_root *new)
{
	struct gx_rootdiff d;
	struct gx_uid_entry e;
	struct gx_rootbuild b;
	int k;
	gx_rootbuild__init(&b);
	gx_rootdiff__init(&d, old, new);
	while ((k = gx_rootdiff__next(&d)) != GX_DIFF_END) {
		if (k == GX_DIFF_SHARED)
			gx_rootbuild__share(&b, d.shared);
		else if (k != GX_DIFF_REMOVED)
			gx_rootbuild__append(&b, d.n);
		if (k == GX_DIFF_BOTH)
			ck_assert_uint_eq(d.o->uid, d.n->uid);
		if (k == GX_DIFF_REMOVED)
			ck_assert(gx_root__get(old, d.opos, &e) && same(&e, d.o));
		if (k == GX_DIFF_ADDED || k == GX_DIFF_BOTH)
			ck_assert(gx_root__get(new, d.npos, &e) && same(&e, d.n));
	}
	struct gx_root *r = gx_rootbuild__finish(&b);
	check_root(r, GX_CHUNKS_RAW);
	gx_root__unref(r);
}

START_TEST(roots_keep_order)
{
	struct gx_rootbuild b;
	const uint32_t raw_max = _i % 2 == 0 ? GX_CHUNKS_RAW : 2; /* that of stores, and one that packs all the time */
	srandom(_i + 1U);
	memset(have, 0, sizeof(have));
	gx_rootbuild__init(&b);
	struct gx_root *r = gx_rootbuild__finish(&b), *old;
	for (int round = 0; round < 12; round++) {
		old = r;
		bool shared = round % 2 == 0;
		if (shared)
			gx_root__ref(old);
		gx_rootbuild__from(&b, r);
		b.raw_max = raw_max;
		for (int i = 0; i < (round < 6 ? 1500 : 20); i++)
			random_edit(&b);
		r = gx_rootbuild__finish(&b);
		check_root(r, raw_max);
		if (shared) {
			check_diff(old, r);
			gx_root__unref(old);
		}
	}
	gx_root__unref(r);
}
END_TEST

/* ---- Notifications ---- */

struct got {
	struct gx_event ev[64];
	size_t n;
};

static void on_event(const struct gx_event *ev, void *ctx)
{
	struct got *g = ctx;
	g->ev[g->n++] = *ev;
}

START_TEST(events_come_in_order)
{
	struct got all = {0}, inbox = {0};
	uint64_t mids[2], sub1, sub2, fid;
	ck_assert_int_eq(gx_store_subscribe(s, 0, UINT32_MAX, on_event, &all, &sub1), 0);
	ck_assert_int_eq(gx_store_subscribe(s, GX_FID_INBOX, GX_EV_MSG_DELETED | GX_EV_MSG_MOVED, on_event, &inbox, &sub2), 0);
	ck_assert_int_eq(gx_store_subscribe(s, 0, 0, on_event, NULL, &sub2), GX_E_INVAL);
	insert(mids, 2, 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "x", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, mids, 1, fid, true, NULL));
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mids + 1, 1, true));
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	st_insert(t, fid, 1, 500, 0);
	gx_txn_abort(t);
	ck_assert_uint_eq(all.n, 5);
	ck_assert_uint_eq(all.ev[0].type, GX_EV_MSG_CREATED);
	ck_assert_uint_eq(all.ev[0].mid, mids[0]);
	ck_assert_uint_eq(all.ev[2].type, GX_EV_FOLDER_CREATED);
	ck_assert_uint_eq(all.ev[3].type, GX_EV_MSG_MOVED);
	ck_assert_uint_eq(all.ev[3].old_fid, GX_FID_INBOX);
	ck_assert_uint_eq(all.ev[4].type, GX_EV_MSG_DELETED);
	ck_assert_uint_eq(inbox.n, 2);
	gx_store_unsubscribe(s, sub1);
	insert(mids, 1, 0);
	ck_assert_uint_eq(all.n, 5);
}
END_TEST

/* ---- The change log ---- */

START_TEST(the_log_answers_and_has_an_end)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_fstate *f;
	struct gx_log_item *v = gx_arena_new_array(a, struct gx_log_item, 20000), *r;
	size_t n;
	uint64_t start;
	ck_assert_int_eq(gx_fstate__get(t, GX_FID_INBOX, &f), 0);
	f->uidnext = 30000;
	f->dirty = true;
	start = t->store_state->modseq;
	for (unsigned i = 0; i < 20000; i++)
		v[i] = (struct gx_log_item){.mid = 500000 - i * 3, .uid = 20000 - i};
	f->modseq = gx_txn__new_cn(t);
	ck_assert_int_eq(gx_changelog__add(t, f, GX_LOG_EXPUNGED, f->modseq, v, 20000), 0);
	ck_assert_int_eq(gx_changelog__since(t, GX_FID_INBOX, GX_LOG_EXPUNGED, start, a, &r, &n), 0);
	ck_assert_uint_eq(n, 20000);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_eq(r[i].uid, i + 1);
		ck_assert_uint_eq(r[i].mid, 500000 - (19999 - i) * 3);
	}
	ck_assert_int_eq(gx_changelog__since(t, GX_FID_INBOX, GX_LOG_CHANGED, start, a, &r, &n), 0);
	ck_assert_uint_eq(n, 0);
	for (unsigned i = 0; i < 20; i++) {
		f->modseq = gx_txn__new_cn(t);
		ck_assert_int_eq(gx_changelog__add(t, f, GX_LOG_CHANGED, f->modseq, v, 20000), 0);
	}
	ck_assert_uint_lt(f->log_bytes, 600000);
	ck_assert_int_eq(gx_changelog__since(t, GX_FID_INBOX, GX_LOG_EXPUNGED, start, a, &r, &n), GX_E_RANGE);
	uint32_t *uids;
	ST_OK(gx_folder_vanished(t, GX_FID_INBOX, start, a, &uids, &n));
	ck_assert_uint_eq(n, 29999); /* all that are not there */
	st_commit(t);
}
END_TEST

/* More changes than are collected are written on the way, though all of them have one number. */
START_TEST(the_log_takes_a_long_transaction)
{
	struct gx_msg_row r;
	struct gx_fstate *f;
	struct gx_log_item *v;
	uint64_t mids[2];
	size_t n;
	insert(mids, 2, 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_fstate__get(t, GX_FID_INBOX, &f), 0);
	ck_assert_int_eq(gx_msg__row(t, mids[0], &r), 0);
	uint64_t start = f->modseq;
	const struct gx_msg_row old = r;
	r.modseq = gx_txn__new_cn(t);
	for (unsigned i = 0; i < 140000; i++)
		ck_assert_int_eq(gx_change__updated(t, f, &old, &r, GX_CH_FLAGS), 0);
	GX_STMT(st, t->q, "UPDATE msg SET modseq=?2 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r.mid);
	gx_sql__bind_int(st, 2, (int64_t)r.modseq);
	ck_assert_int_eq(gx_sql__run(st), 0);
	ck_assert_int_eq(gx_changelog__since(t, GX_FID_INBOX, GX_LOG_CHANGED, start, a, &v, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(v[0].mid, mids[0]);
	st_commit(t);
}
END_TEST

START_TEST(more_folders_than_operations_are_kept)
{
	struct gx_uid_entry e = {.uid = 1, .mid = 1};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 200000; i++)
		ck_assert_int_eq(gx_txn__vop(t, GX_FID_INBOX, GX_VOP_INSERT, &e), 0);
	for (unsigned i = 0; i < 70000; i++)
		ck_assert_int_eq(gx_txn__vop(t, 0x100000 + i, GX_VOP_DROP, NULL), 0);
	ck_assert_int_eq(gx_txn__vop(t, GX_FID_INBOX, GX_VOP_INSERT, &e), 0);
	ck_assert_uint_eq(t->nvops, 70001); /* the Inbox is read anew */
	ck_assert_uint_le(t->nvops, t->cap_vops);
	gx_txn_abort(t);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("view");
	TCase *c = tcase_create("views");
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, roots_keep_order, 0, 8);
	suite_add_tcase(su, c);
	c = tcase_create("stores");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, fix_setup, fix_teardown);
	viewtest_add(c);
	tcase_add_test(c, events_come_in_order);
	tcase_add_test(c, the_log_answers_and_has_an_end);
	tcase_add_test(c, the_log_takes_a_long_transaction);
	tcase_add_test(c, more_folders_than_operations_are_kept);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
