/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/pr-names.h>
#include <gx/storeset.h>
#include "libgxstore/fixtest.h"

/* What a store is set to, and its upkeep. */

static struct gx_txn *as(const char *user, int mode)
{
	static struct gx_actor actor;
	struct gx_txn *t = NULL;
	actor = (struct gx_actor){.user = user};
	ck_assert_int_eq(gx_txn_begin(s, &actor, mode, 1000, &t), 0);
	return t;
}

START_TEST(properties_small_and_large)
{
	const size_t big = 300000;
	struct gx_proplist l = {0}, got;
	char *text = gx_arena_alloc(a, big + 1);
	memset(text, 'j', big);
	text[big] = '\0';
	ck_assert_int_eq(gx_proplist_set_str(&l, a, GX_PROP_TAG(0x6772, PtypString), text), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagComment, "small"), 0);
	ck_assert_int_eq(gx_proplist_set_i64(&l, a, PidTagMessageSizeExtended, 77), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_store_set_props(t, &l));
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_store_get_props(t, NULL, 0, a, &got));
	ck_assert_uint_eq(strlen(gx_proplist_str(&got, GX_PROP_TAG(0x6772, PtypString), "")), big);
	ck_assert_str_eq(gx_proplist_str(&got, PidTagComment, ""), "small");
	ck_assert_int_eq(gx_proplist_get(&got, PidTagMessageSizeExtended)->v.i64, 0);
	const gx_proptag_t one[] = {GX_PROP_TAG(0x6772, PtypString8)};
	ST_OK(gx_store_get_props(t, one, 1, a, &got));
	ck_assert_uint_eq(got.count, 1);
	/* From large to small, and gone. */
	l = (struct gx_proplist){0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, GX_PROP_TAG(0x6772, PtypString), "tiny"), 0);
	ST_OK(gx_store_set_props(t, &l));
	ST_OK(gx_store_get_props(t, one, 1, a, &got));
	ck_assert_str_eq(got.v[0].v.str, "tiny");
	ST_OK(gx_store_remove_props(t, one, 1));
	ST_OK(gx_store_get_props(t, one, 1, a, &got));
	ck_assert_uint_eq(got.count, 0);
	st_commit(t);
	t = as("eve@example.org", GX_TXN_WRITE);
	ST_IS(gx_store_set_props(t, &l), ecAccessDenied);
	ST_IS(gx_store_remove_props(t, one, 1), ecAccessDenied);
	gx_txn_abort(t);
}
END_TEST

START_TEST(out_of_office)
{
	struct gx_oof o = {.state = GX_OOF_SCHEDULED, .from = 1000, .until = 2000, .subject = "away", .message = "<p>gone</p>",
		.external = true, .known_only = true, .external_message = "gone"}, got;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_proplist l;
	const gx_proptag_t state = PidTagOutOfOfficeState;
	ST_OK(gx_oof_get(t, a, &got));
	ck_assert(got.state == GX_OOF_DISABLED && got.message == NULL && !gx_oof_active(&got, 1500));
	ST_OK(gx_oof_set(t, &o));
	ST_OK(gx_oof_get(t, a, &got));
	ck_assert_str_eq(got.message, "<p>gone</p>");
	ck_assert(got.external_subject == NULL && got.known_only && got.external);
	ck_assert(!gx_oof_active(&got, 999) && gx_oof_active(&got, 1000) && !gx_oof_active(&got, 2000));
	ST_OK(gx_store_get_props(t, &state, 1, a, &l));
	ck_assert(l.count == 1 && l.v[0].v.b);
	o = (struct gx_oof){.state = GX_OOF_ENABLED};
	ST_OK(gx_oof_set(t, &o));
	ST_OK(gx_oof_get(t, a, &got));
	ck_assert(got.message == NULL && !got.external && gx_oof_active(&got, 1));
	o.state = 3;
	ST_IS(gx_oof_set(t, &o), ecInvalidParam);
	st_commit(t);
}
END_TEST

START_TEST(replies_are_noted)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t ago;
	ST_OK(gx_replied_ago(t, "Bob@Example.org", &ago));
	ck_assert_uint_eq(ago, UINT64_MAX);
	ST_OK(gx_replied_note(t, "Bob@Example.org"));
	ST_OK(gx_replied_ago(t, "bob@example.ORG", &ago));
	ck_assert_uint_lt(ago, 60);
	ST_IS(gx_replied_note(t, ""), ecInvalidParam);
	st_commit(t);
}
END_TEST

START_TEST(delegates)
{
	static const char *const v[] = {"a@x.org", "", "A@X.org", "b@x.org"}, *const bad[] = {"a\nb"};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	const char *const *got;
	size_t n;
	ST_OK(gx_delegates_get(t, GX_DELEGATE_SEND_AS, a, &got, &n));
	ck_assert_uint_eq(n, 0);
	ST_OK(gx_delegates_set(t, GX_DELEGATE_SEND_AS, v, 4));
	ST_OK(gx_delegates_get(t, GX_DELEGATE_SEND_AS, a, &got, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(got[0], "a@x.org");
	ck_assert_str_eq(got[1], "b@x.org");
	ST_OK(gx_delegates_get(t, GX_DELEGATE_ON_BEHALF, a, &got, &n));
	ck_assert_uint_eq(n, 0);
	ST_IS(gx_delegates_set(t, GX_DELEGATE_SEND_AS, bad, 1), ecInvalidParam);
	ST_IS(gx_delegates_set(t, 2, v, 1), ecInvalidParam);
	ST_OK(gx_delegates_set(t, GX_DELEGATE_SEND_AS, NULL, 0));
	ST_OK(gx_delegates_get(t, GX_DELEGATE_SEND_AS, a, &got, &n));
	ck_assert_uint_eq(n, 0);
	st_commit(t);
	t = as("eve@example.org", GX_TXN_WRITE);
	ST_IS(gx_delegates_set(t, GX_DELEGATE_SEND_AS, v, 1), ecAccessDenied);
	gx_txn_abort(t);
}
END_TEST

START_TEST(replicas)
{
	const struct gx_guid mine = {0x11223344, 1, 2, {1, 2, 3, 4, 5, 6, 7, 8}}, other = {5, 6, 7, {0}};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_guid g;
	uint16_t id = 0;
	ST_OK(gx_replica_guid(t, 1, &g));
	ck_assert_int_eq(gx_guid_cmp(&g, gx_store_replica(s)), 0);
	ST_OK(gx_replica_id(t, &g, false, &id));
	ck_assert_uint_eq(id, 1);
	ST_IS(gx_replica_guid(t, 6, &g), ecNotFound);
	ST_IS(gx_replica_id(t, &mine, false, &id), ecNotFound);
	ST_OK(gx_replica_id(t, &mine, true, &id));
	ck_assert_uint_eq(id, 6);
	ST_OK(gx_replica_id(t, &other, true, &id));
	ck_assert_uint_eq(id, 7);
	ST_OK(gx_replica_id(t, &mine, true, &id));
	ck_assert_uint_eq(id, 6);
	ST_OK(gx_replica_guid(t, 7, &g));
	ck_assert_int_eq(gx_guid_cmp(&g, &other), 0);
	for (uint16_t i = 2; i < 5; i++) {
		ST_OK(gx_replica_guid(t, i, &g));
		ST_OK(gx_replica_id(t, &g, false, &id));
		ck_assert_uint_eq(id, i);
	}
	ST_IS(gx_replica_guid(t, 5, &g), ecNotFound);
	st_commit(t);
}
END_TEST

START_TEST(quota_and_rights)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_proplist l = {0};
	struct gx_quota q;
	uint32_t rights;
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PR_STORAGE_QUOTA_LIMIT, 10), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PidTagProhibitReceiveQuota, 30), 0);
	ST_OK(gx_store_set_props(t, &l));
	st_insert(t, GX_FID_INBOX, 1, 5000, 0);
	ST_OK(gx_store_quota(t, &q));
	ck_assert(q.warn == 10240 && q.send == 0 && q.receive == 30720 && q.used == 5000);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "bob@example.org", GX_RIGHT_READ, false));
	ST_OK(gx_folder_set_permission(t, GX_FID_SENT, "bob@example.org", GX_RIGHT_CREATE, false));
	st_commit(t);
	t = as("bob@example.org", GX_TXN_READ);
	ST_OK(gx_store_rights(t, &rights));
	ck_assert_uint_eq(rights & (GX_RIGHT_READ | GX_RIGHT_CREATE | GX_RIGHT_OWNER), GX_RIGHT_READ | GX_RIGHT_CREATE);
	gx_txn_abort(t);
}
END_TEST

START_TEST(maintenance)
{
	static const struct gx_actor bob = {.user = "bob@example.org"};
	struct gx_txn *t;
	ck_assert_int_eq(gx_store_set_maintenance(s, 3, false), GX_E_INVAL);
	ck_assert_int_eq(gx_store_set_maintenance(s, GX_MAINT_REJECT, true), 0);
	ck_assert_int_eq(gx_txn_begin(s, &bob, GX_TXN_READ, 1000, &t), GX_E_BUSY);
	gx_txn_abort(st_begin(s, GX_TXN_WRITE)); /* the system works on */
	gx_store_close(s);
	s = st_open(dir);
	ck_assert_int_eq(gx_store_maintenance(s), GX_MAINT_REJECT);
	ck_assert_int_eq(gx_store_set_maintenance(s, GX_MAINT_HOLD, true), 0);
	ck_assert_int_eq(gx_txn_begin(s, &bob, GX_TXN_READ, 20, &t), GX_E_TIMEOUT);
	ck_assert_int_eq(gx_store_set_maintenance(s, GX_MAINT_USABLE, true), 0);
	ck_assert_int_eq(gx_txn_begin(s, &bob, GX_TXN_READ, 20, &t), 0);
	gx_txn_abort(t);
}
END_TEST

static void *thaw(void *arg)
{
	usleep(50000);
	ck_assert_int_eq(gx_store_set_maintenance(arg, GX_MAINT_USABLE, false), 0);
	return NULL;
}

START_TEST(held_work_goes_on_after_the_thaw)
{
	static const struct gx_actor bob = {.user = "bob@example.org"};
	struct gx_txn *t;
	pthread_t th;
	ck_assert_int_eq(gx_store_set_maintenance(s, GX_MAINT_HOLD, true), 0);
	ck_assert_int_eq(pthread_create(&th, NULL, thaw, s), 0);
	ck_assert_int_eq(gx_txn_begin(s, &bob, GX_TXN_WRITE, 30000, &t), 0);
	gx_txn_abort(t);
	pthread_join(th, NULL);
}
END_TEST

START_TEST(vacuum_shrinks_under_readers)
{
	struct stat before, after;
	char *file = gx_arena_printf(a, "%s/exmdb/gx.sqlite3", dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mids[400];
	for (unsigned i = 0; i < 400; i++)
		mids[i] = st_insert(t, GX_FID_INBOX, i, 3000, 0).mid;
	st_commit(t);
	ck_assert_int_eq(gx_store_vacuum(s, 1000), 0);
	ck_assert_int_eq(stat(file, &before), 0);
	struct gx_txn *old = st_begin(s, GX_TXN_READ);
	struct gx_msg_info info;
	ST_OK(gx_msg_get(old, mids[0], &info));
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mids, 390, true));
	st_commit(t);
	ck_assert_int_eq(gx_store_vacuum(s, 1000), 0);
	ST_OK(gx_msg_get(old, mids[0], &info)); /* its snapshot stands */
	gx_txn_abort(old);
	ck_assert_int_eq(gx_store_vacuum(s, 1000), 0);
	ck_assert_int_eq(stat(file, &after), 0);
	ck_assert_int_lt(after.st_size, before.st_size - 390 * 300); /* a message takes more than that */
}
END_TEST

START_TEST(recount_finds_what_is_wrong)
{
	size_t fixed = 99;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 10; i++)
		st_insert(t, GX_FID_INBOX, i, 500, i % 2 ? GX_MSGF_READ : 0);
	uint64_t fai = st_insert(t, GX_FID_INBOX, 11, 500, GX_MSGF_FAI).mid, soft = st_insert(t, GX_FID_INBOX, 12, 500, 0).mid;
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &soft, 1, false));
	ST_OK(gx_store_recount(t, &fixed));
	ck_assert_uint_eq(fixed, 0);
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(gx_sql__exec(t->q, "UPDATE fstate SET total=total+3, size=1, fai_size=9 WHERE fid=13"), 0);
	ST_OK(gx_store_recount(t, &fixed));
	ck_assert_uint_eq(fixed, 1);
	struct gx_folder_info i;
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &i));
	ck_assert(i.total == 10 && i.unread == 5 && i.fai == 1 && i.deleted_count == 1 && i.size == 5000);
	ck_assert(fai != 0);
	st_commit(t);
}
END_TEST

START_TEST(uids_begin_anew)
{
	static const char *const words[] = {"Red", NULL};
	struct gx_flag_change c = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_FLAGGED, .keywords = words, .unchanged_since = UINT64_MAX};
	struct gx_folder_info before, after;
	uint64_t mid[6];
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 6; i++)
		mid[i] = st_insert(t, GX_FID_INBOX, i, 300, i == 4 ? GX_MSGF_FAI : 0).mid;
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mid, 1, true));
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mid + 2, 1, false));
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mid + 3, 1, &c, a, NULL, NULL));
	st_commit(t);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	t = as("x@example.org", GX_TXN_WRITE);
	ST_IS(gx_store_renumber(t), ecAccessDenied);
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &before));
	ST_OK(gx_store_renumber(t));
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &after));
	st_commit(t);
	ck_assert_uint_gt(after.uidvalidity, before.uidvalidity);
	ck_assert_uint_eq(after.uidnext, 5);
	ck_assert_uint_gt(after.highest_modseq, before.highest_modseq);
	gx_imapview_close(v);
	v = st_view(s, GX_FID_INBOX);
	ck_assert_uint_eq(gx_imapview_uidvalidity(v), after.uidvalidity);
	ck_assert_uint_eq(gx_imapview_count(v), 3);
	ck_assert(gx_imapview_at(v, 1).uid == 1 && gx_imapview_at(v, 1).mid == mid[1]);
	ck_assert(gx_imapview_at(v, 2).uid == 2 && gx_imapview_at(v, 2).mid == mid[3]);
	ck_assert(gx_imapview_at(v, 2).kwset != 0 && (gx_imapview_at(v, 2).flags & GX_MSGF_FLAGGED) != 0);
	ck_assert(gx_imapview_at(v, 3).uid == 4 && gx_imapview_at(v, 3).mid == mid[5]); /* 3 is associated */
	gx_imapview_close(v);
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(st_insert(t, GX_FID_INBOX, 9, 300, 0).uid, 5);
	st_commit(t);
}
END_TEST

START_TEST(changes_reset)
{
	struct gx_folder_info was, is;
	struct gx_msg_info m;
	uint64_t mids[5];
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 5; i++)
		mids[i] = st_insert(t, GX_FID_INBOX, i, 500, 0).mid;
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	uint64_t top = t->store_state->modseq;
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &was));
	ST_OK(gx_store_reset_changes(t, GX_CGK_FOLDERS | GX_CGK_MESSAGES));
	ST_OK(gx_msg_get(t, mids[0], &m));
	ck_assert_uint_gt(m.cn, top);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &is));
	ck_assert(is.cn > top && is.uidvalidity == was.uidvalidity && is.highest_modseq > top);
	ST_IS(gx_store_reset_changes(t, GX_CGK_ZERO_LAST), ecInvalidParam);
	ST_OK(gx_store_reset_changes(t, GX_CGK_FOLDERS | GX_CGK_MESSAGES | GX_CGK_ZERO_LAST));
	ST_OK(gx_msg_get(t, mids[4], &m));
	ck_assert_uint_lt(m.cn, top);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &is));
	ck_assert_uint_gt(is.uidvalidity, was.uidvalidity);
	st_commit(t);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	ck_assert_uint_eq(gx_imapview_count(v), 5);
	gx_imapview_close(v);
}
END_TEST

START_TEST(pool_unloads)
{
	struct gx_store_pool *p = gx_store_pool_new(NULL);
	struct gx_store *x;
	gx_store_close(s);
	ck_assert_int_eq(gx_store_pool_unload(p, dir), 0);
	ck_assert_int_eq(gx_store_pool_get(p, dir, &x, a, NULL), 0);
	ck_assert_int_eq(gx_store_pool_unload(p, dir), GX_E_BUSY);
	gx_store_pool_put(p, x);
	ck_assert_int_eq(gx_store_pool_unload(p, dir), 0);
	s = st_open(dir); /* the lock is free */
	gx_store_pool_free(p);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("settings");
	TCase *c = tcase_create("settings");
	tcase_add_checked_fixture(c, fix_setup, fix_teardown);
	tcase_add_test(c, properties_small_and_large);
	tcase_add_test(c, out_of_office);
	tcase_add_test(c, replies_are_noted);
	tcase_add_test(c, delegates);
	tcase_add_test(c, replicas);
	tcase_add_test(c, quota_and_rights);
	tcase_add_test(c, maintenance);
	tcase_add_test(c, held_work_goes_on_after_the_thaw);
	tcase_add_test(c, vacuum_shrinks_under_readers);
	tcase_add_test(c, recount_finds_what_is_wrong);
	tcase_add_test(c, uids_begin_anew);
	tcase_add_test(c, changes_reset);
	tcase_add_test(c, pool_unloads);
	suite_add_tcase(x, c);
	return x;
}

GXTEST_MAIN(suite)
