/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_VIEWTEST_H
#define GXSTORE_VIEWTEST_H
/* Views of folders, whoever owns the store; the file that includes it has `s` and `a`. */
#include "libgxstore/storetest.h"
#include "libgxstore/view/view-int.h"

struct seen {
	uint32_t expunged[64], changed[64], exists, recent;
	size_t nexpunged, nchanged, nexists;
};

static void on_expunged(uint32_t seq, uint32_t uid, void *ctx)
{
	struct seen *x = ctx;
	(void)uid;
	x->expunged[x->nexpunged++] = seq;
}

static void on_changed(uint32_t seq, const struct gx_uid_entry *e, void *ctx)
{
	struct seen *x = ctx;
	(void)e;
	x->changed[x->nchanged++] = seq;
}

static void on_exists(uint32_t count, uint32_t recent, void *ctx)
{
	struct seen *x = ctx;
	x->exists = count;
	x->recent = recent;
	x->nexists++;
}

static struct seen refresh(struct gx_imapview *v, bool expunge)
{
	struct seen x = {0};
	struct gx_imapview_sink sink = {on_expunged, on_changed, on_exists, &x};
	ST_OK(gx_imapview_refresh(v, expunge, &sink));
	return x;
}

static void insert(uint64_t mids[], unsigned n, uint32_t f)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < n; i++)
		mids[i] = st_insert(t, GX_FID_INBOX, i, 500, f).mid;
	st_commit(t);
}

START_TEST(views_follow)
{
	uint64_t mids[10], more[2];
	struct gx_flag_change c = {GX_FLAGS_ADD, GX_MSGF_READ, NULL, UINT64_MAX};
	uint32_t n, first;
	insert(mids, 10, 0);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX), *w = st_view(s, GX_FID_INBOX);
	ck_assert_uint_eq(gx_imapview_count(v), 10);
	ck_assert_uint_eq(gx_imapview_uidnext(v), 11);
	ck_assert(!gx_imapview_stale(v));
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids + 1, 2, &c, a, NULL, NULL));
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids, 1, &c, a, NULL, NULL));
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, (uint64_t[]){mids[4], mids[7]}, 2, true));
	st_commit(t);
	insert(more, 2, GX_MSGF_RECENT);
	ck_assert(gx_imapview_stale(v));
	struct seen x = refresh(v, true);
	ck_assert_uint_eq(x.nexpunged, 2);
	ck_assert(x.expunged[0] == 5 && x.expunged[1] == 7);
	ck_assert_uint_eq(x.nchanged, 3);
	ck_assert(x.changed[0] == 1 && x.changed[2] == 3);
	ck_assert_uint_eq(x.exists, 10);
	ck_assert_uint_eq(x.recent, 2);
	ck_assert(!gx_imapview_stale(v));
	gx_imapview_unseen(v, &n, &first);
	ck_assert_uint_eq(n, 7);
	ck_assert_uint_eq(first, 4);
	ck_assert_uint_eq(gx_imapview_at(w, 5).uid, 5); /* the other session has its own time */
	ck_assert_uint_eq(gx_imapview_at(v, 5).uid, 6);
	ck_assert_uint_eq(gx_imapview_lower(v, 5), 5);
	ck_assert_uint_eq(gx_imapview_lower(v, 99), 11);
	ck_assert_uint_eq(gx_imapview_at(v, 0).uid, 0);
	ck_assert_uint_eq(gx_imapview_at(v, 11).uid, 0);
	x = refresh(v, true);
	ck_assert_uint_eq(x.nexpunged + x.nchanged + x.nexists, 0);
	gx_imapview_close(v);
	gx_imapview_close(w);
}
END_TEST

START_TEST(expunges_wait)
{
	uint64_t mids[5], more[1];
	insert(mids, 5, 0);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mids + 1, 2, true));
	st_commit(t);
	insert(more, 1, 0);
	struct seen x = refresh(v, false);
	ck_assert_uint_eq(x.nexpunged, 0);
	ck_assert_uint_eq(x.exists, 6);
	ck_assert(gx_imapview_stale(v));
	x = refresh(v, false);
	ck_assert_uint_eq(x.nexists, 0);
	x = refresh(v, true);
	ck_assert_uint_eq(x.nexpunged, 2);
	ck_assert(x.expunged[0] == 2 && x.expunged[1] == 2);
	ck_assert_uint_eq(gx_imapview_count(v), 4);
	ck_assert(!gx_imapview_stale(v));
	gx_imapview_close(v);
}
END_TEST

START_TEST(a_deleted_folder_is_told)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_imapview *v;
	uint64_t fid;
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "x", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	st_insert(t, fid, 1, 500, 0);
	st_commit(t);
	v = st_view(s, fid);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, fid, true));
	st_commit(t);
	ck_assert(gx_imapview_stale(v));
	ST_IS(gx_imapview_refresh(v, true, NULL), ecNotFound);
	ck_assert_uint_eq(gx_imapview_count(v), 1);
	gx_imapview_close(v);
	ST_IS(gx_imapview_open(s, &sys_actor, fid, &v), ecNotFound);
}
END_TEST

START_TEST(associated_messages_are_not_seen)
{
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	uint64_t mids[1];
	insert(mids, 1, GX_MSGF_FAI);
	struct seen x = refresh(v, true);
	ck_assert_uint_eq(x.nexists, 0);
	gx_imapview_close(v);
	gx_views__trim(s);
	v = st_view(s, GX_FID_INBOX);
	ck_assert_uint_eq(gx_imapview_count(v), 0);
	gx_imapview_close(v);
}
END_TEST

START_TEST(recent_moves_no_modseq)
{
	uint64_t mids[2];
	struct gx_flag_change c = {GX_FLAGS_REMOVE, GX_MSGF_RECENT, NULL, UINT64_MAX};
	insert(mids, 2, GX_MSGF_RECENT);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	uint64_t modseq = gx_imapview_modseq(v);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids, 2, &c, a, NULL, NULL));
	st_commit(t);
	struct seen x = refresh(v, true);
	ck_assert_uint_eq(x.nchanged, 0);
	ck_assert_uint_eq(gx_imapview_modseq(v), modseq);
	ck_assert_uint_eq(gx_imapview_at(v, 1).flags & GX_MSGF_RECENT, 0);
	gx_imapview_close(v);
}
END_TEST

static inline void viewtest_add(TCase *c)
{
	tcase_add_test(c, views_follow);
	tcase_add_test(c, expunges_wait);
	tcase_add_test(c, a_deleted_folder_is_told);
	tcase_add_test(c, associated_messages_are_not_seen);
	tcase_add_test(c, recent_moves_no_modseq);
}

#endif
