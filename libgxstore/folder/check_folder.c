/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/fixtest.h"

static uint64_t make(struct gx_txn *t, uint64_t parent, const char *name)
{
	uint64_t fid = 0;
	ST_OK(gx_folder_create(t, parent, name, "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid));
	return fid;
}

START_TEST(names_are_unique_without_case)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = make(t, GX_FID_IPMSUBTREE, "Ärger"), found = 0, other;
	ST_IS(gx_folder_create(t, GX_FID_IPMSUBTREE, "äRGER", NULL, GX_FOLDER_GENERIC, NULL, &other), ecDuplicateName);
	ST_IS(gx_folder_create(t, GX_FID_IPMSUBTREE, "inbox", NULL, GX_FOLDER_GENERIC, NULL, &other), ecDuplicateName);
	ST_OK(gx_folder_by_name(t, GX_FID_IPMSUBTREE, "ÄRGER", &found));
	ck_assert_uint_eq(found, fid);
	ST_IS(gx_folder_by_name(t, GX_FID_INBOX, "ÄRGER", &found), ecNotFound);
	other = make(t, GX_FID_INBOX, "ärger");
	ck_assert_uint_ne(other, fid);
	st_commit(t);
}
END_TEST

START_TEST(bad_names_are_refused)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid;
	char *big = gx_arena_alloc(a, 2000);
	memset(big, 'x', 1999);
	big[1999] = '\0';
	ST_IS(gx_folder_create(t, GX_FID_INBOX, "", NULL, GX_FOLDER_GENERIC, NULL, &fid), ecInvalidParam);
	ST_IS(gx_folder_create(t, GX_FID_INBOX, "\xff\xfe", NULL, GX_FOLDER_GENERIC, NULL, &fid), ecInvalidParam);
	ST_IS(gx_folder_create(t, GX_FID_INBOX, big, NULL, GX_FOLDER_GENERIC, NULL, &fid), ecInvalidParam);
	ST_IS(gx_folder_create(t, GX_FID_INBOX, "x", NULL, 7, NULL, &fid), ecInvalidParam);
	ST_IS(gx_folder_create(t, 0x8888, "x", NULL, GX_FOLDER_GENERIC, NULL, &fid), ecNotFound);
	ST_IS(gx_folder_create(t, GX_FID_SPOOLER, "x", NULL, GX_FOLDER_GENERIC, NULL, &fid), ecInvalidParam);
	st_commit(t);
}
END_TEST

START_TEST(folders_move)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t x = make(t, GX_FID_INBOX, "x"), y = make(t, x, "y"), z = make(t, y, "z");
	ST_IS(gx_folder_move(t, x, z, NULL), ecFolderCycle);
	ST_IS(gx_folder_move(t, x, x, NULL), ecFolderCycle);
	ST_IS(gx_folder_move(t, GX_FID_SENT, x, NULL), ecAccessDenied);
	ST_IS(gx_folder_move(t, GX_FID_SENT, GX_FID_IPMSUBTREE, "gone"), ecAccessDenied);
	ST_OK(gx_folder_move(t, z, GX_FID_INBOX, "Z2"));
	ST_OK(gx_folder_get(t, z, a, &i));
	ck_assert_str_eq(i.name, "Z2");
	ck_assert_uint_eq(i.parent, GX_FID_INBOX);
	ST_IS(gx_folder_move(t, y, GX_FID_INBOX, "z2"), ecDuplicateName);
	ST_OK(gx_folder_move(t, z, GX_FID_INBOX, "z2")); /* only the case changes */
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &i));
	ck_assert_uint_eq(i.subfolders, 2);
	st_commit(t);
}
END_TEST

START_TEST(nesting_has_an_end)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = GX_FID_INBOX;
	gx_ec ec = GX_EC(0);
	int n = 0;
	for (; n < 400 && !gx_ec_failed(ec); n++)
		ec = gx_folder_create(t, fid, "deeper", NULL, GX_FOLDER_GENERIC, NULL, &fid);
	ck_assert(gx_ec_is(ec, ecTooComplex));
	ck_assert_int_gt(n, 200);
	st_commit(t);
	struct gx_folder_info *v;
	size_t k;
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_list(t, GX_FID_INBOX, true, a, &v, &k));
	ck_assert_uint_eq(k, n - 1);
	gx_txn_abort(t);
}
END_TEST

START_TEST(deletion_takes_everything)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t x = make(t, GX_FID_INBOX, "x"), y = make(t, x, "y");
	uint32_t validity;
	uint64_t mid = st_insert(t, y, 1, 50000, 0).mid;
	st_insert(t, y, 2, 500, GX_MSGF_FAI);
	ST_OK(gx_msg_copy(t, y, &mid, 1, GX_FID_INBOX, false, NULL));
	mid = st_insert(t, x, 3, 500, 0).mid;
	ST_OK(gx_msg_delete(t, x, &mid, 1, false));
	ST_OK(gx_folder_get(t, x, a, &i));
	validity = i.uidvalidity;
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_folder_delete(t, GX_FID_INBOX, true), ecAccessDenied);
	ST_OK(gx_folder_delete(t, x, true));
	ST_IS(gx_folder_get(t, y, a, &i), ecNotFound);
	st_commit(t);
	st_verify(s);
	t = st_begin(s, GX_TXN_WRITE);
	x = make(t, GX_FID_INBOX, "x");
	ST_OK(gx_folder_get(t, x, a, &i));
	ck_assert_uint_gt(i.uidvalidity, validity); /* [RFC 3501] 2.3.1.1 */
	st_commit(t);
}
END_TEST

START_TEST(soft_deletion_hides)
{
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t x = make(t, GX_FID_INBOX, "x"), y = make(t, x, "y"), again;
	st_insert(t, y, 1, 500, 0);
	ST_OK(gx_folder_delete(t, x, false));
	ST_IS(gx_folder_get(t, x, a, &i), ecNotFound);
	ST_IS(gx_folder_get(t, y, a, &i), ecNotFound);
	again = make(t, GX_FID_INBOX, "x");
	ck_assert_uint_ne(again, x);
	ST_IS(gx_folder_delete(t, x, false), ecNotFound);
	ST_OK(gx_folder_delete(t, x, true));
	st_commit(t);
}
END_TEST

START_TEST(properties_of_folders)
{
	struct gx_proplist l = {0}, r;
	gx_proptag_t tags[] = {PidTagDisplayName, PidTagComment, PidTagContentCount};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t x;
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagComment, "hello"), 0);
	ck_assert_int_eq(gx_proplist_set_bool(&l, a, PidTagAttributeHidden, true), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PidTagContentCount, 99), 0);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "p", "IPF.Note", GX_FOLDER_GENERIC, &l, &x));
	st_insert(t, x, 1, 500, 0);
	ST_OK(gx_folder_get_props(t, x, tags, 3, a, &r));
	ck_assert_uint_eq(r.count, 3);
	ck_assert_str_eq(gx_proplist_str(&r, PidTagComment, ""), "hello");
	ck_assert_int_eq(gx_proplist_i32(&r, PidTagContentCount, 0), 1);
	struct gx_folder_info i;
	ST_OK(gx_folder_get(t, x, a, &i));
	ck_assert(i.hidden);
	l = (struct gx_proplist){0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagDisplayName, "q"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagContainerClass, "IPF.Task"), 0);
	ST_OK(gx_folder_set_props(t, x, &l));
	ST_OK(gx_folder_get(t, x, a, &i));
	ck_assert_str_eq(i.name, "q");
	ck_assert_str_eq(i.container_class, "IPF.Task");
	ST_OK(gx_folder_set_subscribed(t, x, true));
	ST_OK(gx_folder_get(t, x, a, &i));
	ck_assert(i.subscribed && i.hidden);
	ST_OK(gx_folder_get_props(t, x, NULL, 0, a, &r));
	ck_assert_ptr_nonnull(gx_proplist_get(&r, PidTagChangeKey));
	st_commit(t);
}
END_TEST

/* ---- Rights ---- */

static const char *const groups[] = {"team@example.org", NULL};
static const struct gx_actor bob = {.user = "Bob@example.org"}, member = {.user = "m@example.org", .groups = groups},
	nobody = {.user = ""};

static struct gx_txn *as(const struct gx_actor *who, int mode)
{
	struct gx_txn *t;
	ck_assert_int_eq(gx_txn_begin(s, who, mode, 10000, &t), 0);
	return t;
}

static void grant(const char *who, uint32_t rights)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, who, rights, false));
	st_commit(t);
}

static uint32_t rights_of(const struct gx_actor *who)
{
	struct gx_txn *t = as(who, GX_TXN_READ);
	uint32_t r = 0;
	ST_OK(gx_folder_rights(t, GX_FID_INBOX, &r));
	gx_txn_abort(t);
	return r;
}

START_TEST(rights_are_found)
{
	ck_assert_uint_eq(rights_of(&bob), 0);
	grant("default", GX_RIGHT_VISIBLE);
	grant("team@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE);
	grant("bob@EXAMPLE.org", GX_RIGHT_CREATE);
	ck_assert_uint_eq(rights_of(&bob), GX_RIGHT_CREATE);
	ck_assert_uint_eq(rights_of(&member), GX_RIGHT_READ | GX_RIGHT_VISIBLE);
	ck_assert_uint_eq(rights_of(&nobody), 0);
	grant("", GX_RIGHT_READ);
	ck_assert_uint_eq(rights_of(&nobody), GX_RIGHT_READ);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_folder_set_permission(t, GX_FID_INBOX, "x", 0x80000, false), ecInvalidParam);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "bob@example.org", 0, true));
	st_commit(t);
	ck_assert_uint_eq(rights_of(&bob), GX_RIGHT_VISIBLE);
}
END_TEST

START_TEST(reading_and_writing_need_rights)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids = st_insert(t, GX_FID_INBOX, 1, 500, 0), own;
	struct gx_msg_info info;
	struct gx_folder_info f, *v;
	struct gx_imapview *view;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_msg_mime mime;
	struct gx_msg_prepared *p = st_message(a, 2, 500);
	struct gx_flag_change read = {GX_FLAGS_ADD, GX_MSGF_READ, NULL, UINT64_MAX}, star = {GX_FLAGS_ADD, GX_MSGF_FLAGGED, NULL, UINT64_MAX};
	uint64_t fid;
	size_t n;
	st_commit(t);
	t = as(&bob, GX_TXN_WRITE);
	ST_IS(gx_folder_get(t, GX_FID_INBOX, a, &f), ecAccessDenied);
	ST_IS(gx_msg_get(t, ids.mid, &info), ecAccessDenied);
	ST_IS(gx_msg_mime(t, ids.mid, &mime), ecAccessDenied);
	ST_IS(gx_msg_original(t, ids.mid, 0, 9, &out), ecAccessDenied);
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &own), ecAccessDenied);
	ST_IS(gx_msg_delete(t, GX_FID_INBOX, &ids.mid, 1, true), ecAccessDenied);
	ST_IS(gx_msg_copy(t, GX_FID_INBOX, &ids.mid, 1, GX_FID_DRAFTS, false, NULL), ecAccessDenied);
	ST_IS(gx_msg_change_flags(t, GX_FID_INBOX, &ids.mid, 1, &read, a, NULL, NULL), ecAccessDenied);
	ST_IS(gx_folder_create(t, GX_FID_INBOX, "x", NULL, GX_FOLDER_GENERIC, NULL, &fid), ecAccessDenied);
	ST_IS(gx_folder_set_permission(t, GX_FID_INBOX, "bob@example.org", GX_RIGHTS_ALL, false), ecAccessDenied);
	ST_OK(gx_folder_list(t, GX_FID_ROOT, true, a, &v, &n));
	ck_assert_uint_eq(n, 0); /* the calendar is visible, but not its parents */
	gx_txn_abort(t);
	ST_IS(gx_imapview_open(s, &bob, GX_FID_INBOX, &view), ecAccessDenied);
	grant("bob@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE | GX_RIGHT_CREATE | GX_RIGHT_EDIT_OWN | GX_RIGHT_DELETE_OWN | GX_RIGHT_CREATE_SUB);
	t = as(&bob, GX_TXN_WRITE);
	ST_OK(gx_msg_get(t, ids.mid, &info));
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &ids.mid, 1, &read, a, NULL, NULL));
	ST_IS(gx_msg_change_flags(t, GX_FID_INBOX, &ids.mid, 1, &star, a, NULL, NULL), ecAccessDenied);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &own));
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &own.mid, 1, &star, a, NULL, NULL));
	ST_IS(gx_msg_delete(t, GX_FID_INBOX, &ids.mid, 1, true), ecAccessDenied);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &own.mid, 1, true));
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "bobs", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_delete(t, fid, true)); /* its maker owns it */
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	ST_OK(gx_imapview_open(s, &bob, GX_FID_INBOX, &view));
	gx_imapview_close(view);
	gx_msg_prepared_release(p);
}
END_TEST

START_TEST(languages_and_public_stores)
{
	char d[600];
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_folder_info i, *v;
	const char *why = "";
	size_t n;
	snprintf(d, sizeof(d), "%s/second", dir);
	o.lang = "de_AT.UTF-8";
	ck_assert_int_eq(gx_store_create(d, &o, a, &why), 0);
	ck_assert_int_eq(gx_store_create(d, &o, a, &why), GX_E_EXISTS);
	struct gx_store *x = st_open(d);
	struct gx_txn *t = st_begin(x, GX_TXN_READ);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &i));
	ck_assert_str_eq(i.name, "Posteingang");
	gx_txn_abort(t);
	ck_assert_int_eq(gx_store_create(d, &o, a, &why), GX_E_BUSY);
	gx_store_close(x);
	o.overwrite = o.public_store = true;
	o.lang = "pt_BR";
	ck_assert_int_eq(gx_store_create(d, &o, a, &why), 0);
	x = st_open(d);
	ck_assert(gx_store_is_public(x));
	ck_assert_uint_eq(gx_store_replica(x)->d2, 0x0afb);
	ck_assert_int_eq(gx_txn_begin(x, &bob, GX_TXN_READ, 1000, &t), 0);
	ST_OK(gx_folder_list(t, GX_FID_PUB_ROOT, true, a, &v, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(v[0].fid, GX_FID_PUB_IPMSUBTREE);
	gx_txn_abort(t);
	st_verify(x);
	gx_store_close(x);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("folder");
	TCase *c = tcase_create("folders");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, fix_setup, fix_teardown);
	tcase_add_test(c, names_are_unique_without_case);
	tcase_add_test(c, bad_names_are_refused);
	tcase_add_test(c, folders_move);
	tcase_add_test(c, nesting_has_an_end);
	tcase_add_test(c, deletion_takes_everything);
	tcase_add_test(c, soft_deletion_hides);
	tcase_add_test(c, properties_of_folders);
	tcase_add_test(c, rights_are_found);
	tcase_add_test(c, reading_and_writing_need_rights);
	tcase_add_test(c, languages_and_public_stores);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
