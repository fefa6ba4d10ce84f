/* SPDX-License-Identifier: Apache-2.0 */
/* What a store owes: notes in batches, and who wants to know of messages that nobody has read. */
#include <config.h>
#include <gx/folder.h>
#include <gx/owed.h>
#include "libgxstore/fixtest.h"

static const uint8_t one[GX_OWED_BATCH] = {1, 0xab}, two[GX_OWED_BATCH] = {1, 0xac};

static struct gx_bin note(const char *s_)
{
	return (struct gx_bin){(const uint8_t *)s_, strlen(s_)};
}

/* Each as its number and text. */
static const char *all(struct gx_txn *t, const uint8_t *batch)
{
	const char *r = "";
	uint32_t n;
	struct gx_bin b;
	for (uint32_t from = 0; !gx_ec_failed(gx_owed_next(t, batch, from, a, &n, &b)); from = n + 1)
		r = gx_arena_printf(a, "%s%u=%.*s ", r, n, (int)b.len, (const char *)b.data);
	return r;
}

START_TEST(notes)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_owed_put(t, one, 0x20, note("b")));
	ST_OK(gx_owed_put(t, one, 3, note("x")));
	ST_OK(gx_owed_put(t, one, 3, note("a")));
	ST_OK(gx_owed_put(t, one, UINT32_MAX - 1, note("")));
	ST_OK(gx_owed_put(t, two, 1, note("other")));
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_owed_drop(t, one, 3));
	ck_assert_str_eq(all(t, one), "32=b 4294967294= ");
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_READ);
	ck_assert_str_eq(all(t, one), "3=a 32=b 4294967294= ");
	ck_assert_str_eq(all(t, two), "1=other ");
	ST_IS(gx_owed_put(t, one, 1, note("")), ecInvalidParam);
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_owed_put(t, one, 1, (struct gx_bin){(const uint8_t *)"", GX_OWED_MAX + 1}), ecTooBig);
	ST_OK(gx_owed_drop(t, one, 3));
	ST_OK(gx_owed_drop(t, one, 3));
	ck_assert_str_eq(all(t, one), "32=b 4294967294= ");
	st_commit(t);
}
END_TEST

/* ---- Messages that go unread ---- */

static struct {
	uint64_t mid[16];
	size_t n;
	gx_ec answer;
} told;

static gx_ec tell(struct gx_txn *t, uint64_t mid, void *ctx)
{
	struct gx_msg_info i;
	ck_assert_ptr_eq(ctx, &told);
	ST_OK(gx_msg_get(t, mid, &i)); /* it is still there */
	told.mid[told.n++] = mid;
	return told.answer;
}

static struct gx_txn *listen(void)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	memset(&told, 0, sizeof(told));
	gx_txn_on_unread(t, tell, &told);
	return t;
}

/* @flags that are wanted: owed, read, associated */
static uint64_t put(uint64_t fid, uint32_t flags)
{
	struct gx_msg_write_opts o = GX_MSG_WRITE_OPTS_INIT;
	struct gx_msgobj *m = gx_msgobj_new(a);
	struct gx_msg_ids ids;
	o.flags = flags & GX_MSGF_READ;
	o.associated = flags & GX_MSGF_FAI;
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note"), 0);
	if (flags & GX_MSGF_NRNPENDING)
		ck_assert_int_eq(gx_proplist_set_bool(&m->props, a, PidTagNonReceiptNotificationRequested, true), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_write(t, fid, m, &o, &ids));
	st_commit(t);
	return ids.mid;
}

START_TEST(deleted_messages)
{
	const uint64_t m[] = {put(GX_FID_INBOX, 0), put(GX_FID_INBOX, GX_MSGF_NRNPENDING), put(GX_FID_INBOX, GX_MSGF_NRNPENDING | GX_MSGF_READ),
		put(GX_FID_INBOX, GX_MSGF_NRNPENDING | GX_MSGF_FAI)};
	struct gx_msg_info i;
	struct gx_txn *t = listen();
	told.answer = GX_EC(ecMAPIOOM);
	ck_assert(gx_ec_failed(gx_msg_delete(t, GX_FID_INBOX, m, 4, false)));
	gx_txn_abort(t);
	t = listen();
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, m, 4, false));
	ck_assert(told.n == 1 && told.mid[0] == m[1]);
	st_commit(t);
	t = listen(); /* once */
	ST_OK(gx_msg_get(t, m[1], &i));
	ck_assert_uint_eq(i.flags & GX_MSGF_NRNPENDING, 0);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, m, 4, true));
	ck_assert_uint_eq(told.n, 0);
	st_commit(t);
	const uint64_t last[] = {put(GX_FID_INBOX, GX_MSGF_NRNPENDING), put(GX_FID_INBOX, GX_MSGF_NRNPENDING)};
	t = listen();
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, last, 1, true));
	gx_txn_on_unread(t, NULL, NULL);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, last + 1, 1, true));
	ck_assert(told.n == 1 && told.mid[0] == last[0]);
	st_commit(t);
}
END_TEST

/* With their folder, which is hidden or removed, and by emptying. */
START_TEST(folders_with_messages)
{
	for (int hard = 0; hard < 2; hard++) {
		uint64_t top, sub;
		bool more;
		struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
		ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, "top", NULL, GX_FOLDER_GENERIC, NULL, &top));
		ST_OK(gx_folder_create(t, top, "sub", NULL, GX_FOLDER_GENERIC, NULL, &sub));
		st_commit(t);
		put(sub, GX_MSGF_NRNPENDING | GX_MSGF_READ);
		uint64_t in_sub[] = {put(sub, GX_MSGF_NRNPENDING), put(sub, GX_MSGF_NRNPENDING)};
		uint64_t in_top[] = {put(top, GX_MSGF_NRNPENDING), put(top, GX_MSGF_NRNPENDING)};
		t = listen();
		ST_OK(gx_folder_empty(t, top, GX_CONTENT_NORMAL | (hard ? GX_CONTENT_HARD : 0), 1, NULL, &more));
		ck_assert(more && told.n == 1 && told.mid[0] == in_top[0]);
		st_commit(t);
		t = listen();
		ST_OK(gx_folder_delete(t, top, hard));
		ck_assert_uint_eq(told.n, 3);
		ck_assert(told.mid[0] == in_sub[0] && told.mid[1] == in_sub[1] && told.mid[2] == in_top[1]);
		st_commit(t);
		t = listen();
		ck_assert(hard || gx_ec_is(gx_folder_delete(t, top, true), ecSuccess));
		ck_assert_uint_eq(told.n, 0);
		st_commit(t);
	}
}
END_TEST

/* So many at once, of what is hidden afterwards. */
START_TEST(a_folder_in_portions)
{
	uint64_t top;
	struct gx_folder_info f;
	bool more = true;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, "top", NULL, GX_FOLDER_GENERIC, NULL, &top));
	st_commit(t);
	for (unsigned i = 0; i < 5; i++)
		put(top, i % 4 != 3 ? GX_MSGF_NRNPENDING : 0);
	for (unsigned k = 0; k < 3; k++) {
		t = listen();
		ck_assert(more);
		ST_OK(gx_folder_get(t, top, a, &f));
		ck_assert_uint_eq(f.total, 5);
		ST_OK(gx_folder_delete_some(t, top, false, 2, NULL, &more));
		ck_assert_uint_eq(told.n, k < 2 ? 2 : 0);
		st_commit(t);
	}
	t = listen();
	ck_assert(!more);
	ST_IS(gx_folder_get(t, top, a, &f), ecNotFound);
	ST_OK(gx_folder_undelete(t, top));
	ST_OK(gx_folder_delete(t, top, true));
	ck_assert_uint_eq(told.n, 0);
	st_commit(t);
}
END_TEST

static Suite *owed_suite(void)
{
	Suite *suite = suite_create("owed");
	TCase *t = tcase_create("owed");
	tcase_add_checked_fixture(t, fix_setup, fix_teardown);
	tcase_add_test(t, notes);
	tcase_add_test(t, deleted_messages);
	tcase_add_test(t, folders_with_messages);
	tcase_add_test(t, a_folder_in_portions);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(owed_suite)
