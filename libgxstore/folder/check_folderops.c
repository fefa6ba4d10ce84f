/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include <gx/folder.h>
#include <gx/pr-names.h>
#include "libgxstore/fixtxntest.h"

/* Copying, emptying, purging, undeleting folders; receive folders; names in other languages. */

static uint64_t folder(uint64_t parent, const char *name)
{
	uint64_t fid;
	ST_OK(gx_folder_create(t, parent, name, "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid));
	return fid;
}

static struct gx_folder_info info(uint64_t fid)
{
	struct gx_folder_info i;
	ST_OK(gx_folder_get(t, fid, a, &i));
	return i;
}

static uint64_t child(uint64_t parent, const char *name)
{
	uint64_t fid = 0;
	ST_OK(gx_folder_by_name(t, parent, name, &fid));
	return fid;
}

/* a/ with 5 messages, 2 associated; a/b/ with 3; a/b/c/ with 1. */
static uint64_t make_tree(void)
{
	uint64_t x = folder(GX_FID_IPMSUBTREE, "a"), b = folder(x, "b"), c = folder(b, "c");
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagComment, "of a"), 0);
	ST_OK(gx_folder_set_props(t, x, &l));
	for (unsigned i = 0; i < 5; i++)
		st_insert(t, x, i, 500, i == 0 ? GX_MSGF_READ : 0);
	for (unsigned i = 0; i < 2; i++)
		st_insert(t, x, i, 500, GX_MSGF_FAI);
	for (unsigned i = 0; i < 3; i++)
		st_insert(t, b, i, 500, 0);
	st_insert(t, c, 9, 500, 0);
	return x;
}

START_TEST(copy_of_a_tree)
{
	uint64_t x = make_tree(), to = folder(GX_FID_IPMSUBTREE, "to"), copy, none;
	bool partial = true;
	ST_OK(gx_folder_copy(t, x, to, "copy of a", &copy, &partial));
	ck_assert(!partial);
	struct gx_folder_info i = info(copy);
	ck_assert_str_eq(i.name, "copy of a");
	ck_assert(i.total == 5 && i.unread == 4 && i.fai == 2 && i.subfolders == 1);
	ck_assert_uint_eq(info(child(child(copy, "b"), "c")).total, 1);
	struct gx_proplist l;
	const gx_proptag_t comment = PidTagComment;
	ST_OK(gx_folder_get_props(t, copy, &comment, 1, a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagComment, ""), "of a");
	ck_assert_uint_eq(info(x).total, 5);
	ST_IS(gx_folder_copy(t, x, to, "copy of a", &none, NULL), ecDuplicateName);
	ST_IS(gx_folder_copy(t, x, child(x, "b"), NULL, &none, NULL), ecFolderCycle);
	ST_IS(gx_folder_copy(t, x, x, "in itself", &none, NULL), ecFolderCycle);
	ST_OK(gx_folder_copy_part(t, x, to, "flat", GX_CONTENT_NORMAL | GX_CONTENT_FAI, &copy, &partial));
	ck_assert_uint_eq(info(copy).subfolders, 0);
	ck_assert_uint_eq(info(copy).total, info(x).total);
}
END_TEST

START_TEST(copy_of_contents)
{
	uint64_t x = make_tree(), to = folder(GX_FID_IPMSUBTREE, "to");
	bool partial;
	ST_OK(gx_folder_copy_contents(t, x, to, GX_CONTENT_NORMAL, &partial));
	ck_assert(info(to).total == 5 && info(to).fai == 0 && info(to).subfolders == 0 && !partial);
	ST_OK(gx_folder_copy_contents(t, x, to, GX_CONTENT_FAI | GX_CONTENT_FOLDERS, &partial));
	ck_assert(info(to).total == 5 && info(to).fai == 2 && info(to).subfolders == 1 && !partial);
	ST_OK(gx_folder_copy_contents(t, x, to, GX_CONTENT_FOLDERS, &partial)); /* the name is taken */
	ck_assert(partial);
	ST_OK(gx_folder_copy_contents(t, x, x, GX_CONTENT_NORMAL, &partial)); /* ends */
	ck_assert_uint_eq(info(x).total, 10);
	as("bob@example.org");
	ST_IS(gx_folder_copy_contents(t, x, to, GX_CONTENT_NORMAL, &partial), ecAccessDenied);
	as(NULL);
}
END_TEST

/* Folders below that somebody may not see are not copied, and do not stop the rest. */
START_TEST(copy_leaves_out_what_is_closed)
{
	uint64_t x = make_tree(), to = folder(GX_FID_IPMSUBTREE, "to"), copy;
	bool partial = false;
	ST_OK(gx_folder_set_permission(t, x, "bob@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	ST_OK(gx_folder_set_permission(t, child(x, "b"), "bob@example.org", GX_RIGHT_VISIBLE, false));
	ST_OK(gx_folder_set_permission(t, to, "bob@example.org", GX_RIGHTS_ALL, false));
	as("bob@example.org");
	ST_OK(gx_folder_copy(t, x, to, NULL, &copy, &partial));
	ck_assert(partial);
	ck_assert(info(copy).total == 5);
	as(NULL);
}
END_TEST

START_TEST(empty_in_portions)
{
	uint64_t x = make_tree();
	bool partial, more;
	ST_OK(gx_folder_empty(t, x, GX_CONTENT_NORMAL, 2, &partial, &more));
	ck_assert(more && !partial && info(x).total == 3 && info(x).deleted_count == 2);
	ST_OK(gx_folder_empty(t, x, GX_CONTENT_NORMAL, 3, &partial, &more));
	ST_OK(gx_folder_empty(t, x, GX_CONTENT_NORMAL | GX_CONTENT_HARD, 3, &partial, &more));
	ck_assert(!more && info(x).total == 0 && info(x).fai == 2 && info(x).deleted_count == 5 && info(x).removed == 5);
	ST_OK(gx_folder_empty(t, x, GX_CONTENT_FAI | GX_CONTENT_FOLDERS | GX_CONTENT_HARD, 0, &partial, &more));
	ck_assert(!more && info(x).fai == 0 && info(x).subfolders == 0);
}
END_TEST

START_TEST(deleted_in_portions)
{
	uint64_t x = make_tree(), b = child(x, "b"), mids[9];
	bool more = false, partial;
	struct gx_folder_info i;
	uint32_t after = 0;
	size_t n;
	ST_OK(gx_folder_next_messages(t, x, false, info(x).uidnext, &after, 3, mids, &n));
	ck_assert_uint_eq(n, 3);
	ST_OK(gx_msg_delete(t, x, mids, 1, false)); /* what was deleted softly counts, too */
	ST_OK(gx_folder_delete_some(t, x, true, 4, NULL, &more)); /* the innermost, and of the next two messages */
	ck_assert(more && info(b).total == 1 && info(b).subfolders == 0 && info(x).total == 4);
	ST_OK(gx_folder_delete_some(t, x, true, 4, NULL, &more));
	ck_assert(more && info(x).subfolders == 0 && info(x).total + info(x).fai + info(x).deleted_count == 5);
	ST_OK(gx_folder_delete_some(t, x, true, 5, NULL, &more));
	ck_assert(more && info(x).total + info(x).fai + info(x).deleted_count == 0);
	ST_OK(gx_folder_delete_some(t, x, true, 4, NULL, &more));
	ck_assert(!more);
	ST_IS(gx_folder_get(t, x, a, &i), ecNotFound);
	ST_IS(gx_folder_get(t, b, a, &i), ecNotFound);
	ST_IS(gx_folder_delete_some(t, x, true, 4, NULL, &more), ecNotFound);
	ST_IS(gx_folder_delete_some(t, GX_FID_INBOX, true, 4, NULL, &more), ecAccessDenied);
	/* the same when a folder is emptied */
	x = make_tree();
	ST_OK(gx_folder_empty(t, x, GX_CONTENT_FOLDERS | GX_CONTENT_HARD, 1, &partial, &more));
	ck_assert(more && info(x).subfolders == 1);
	for (unsigned k = 0; more && k < 9; ++k)
		ST_OK(gx_folder_empty(t, x, GX_CONTENT_FOLDERS | GX_CONTENT_HARD, 1, &partial, &more));
	ck_assert(!more && info(x).subfolders == 0 && info(x).total == 5);
}
END_TEST

/* Three folders with 5, 3 and one message, the last of which is somebody else's; bob owns the others. */
static uint64_t make_shared_tree(void)
{
	uint64_t x = make_tree(), b = child(x, "b"), c = child(b, "c");
	(void)folder(c, "below c");
	(void)folder(x, "also bob's");
	ST_OK(gx_folder_set_permission(t, x, "bob@example.org", GX_RIGHTS_ALL, false));
	ST_OK(gx_folder_set_permission(t, b, "bob@example.org", GX_RIGHTS_ALL, false));
	ST_OK(gx_folder_set_permission(t, child(x, "also bob's"), "bob@example.org", GX_RIGHTS_ALL, false));
	ST_OK(gx_folder_set_permission(t, child(c, "below c"), "bob@example.org", GX_RIGHTS_ALL, false));
	return x;
}

/* What is not the actor's stays, and what it is in, but for the messages. */
START_TEST(deleted_with_folders_of_others)
{
	for (int hard = 0; hard < 2; hard++) {
		uint64_t x = make_shared_tree(), b = child(x, "b"), c = child(b, "c"), own = child(x, "also bob's");
		bool partial = false, more = true, gone = false;
		as("bob@example.org");
		ST_IS(gx_folder_delete(t, x, hard), ecAccessDenied);
		ST_IS(gx_folder_delete_some(t, x, hard, 2, NULL, &more), ecAccessDenied);
		ck_assert_uint_eq(info(x).total, 5);
		for (unsigned i = 0; more && i < 20; i++)
			ST_OK(gx_folder_delete_some(t, x, hard, 2, &partial, &more));
		ck_assert(partial && !more);
		as(NULL);
		ck_assert(info(x).total == 0 && info(x).fai == 0 && info(b).total == 0 && info(x).subfolders == 1);
		ck_assert(info(c).total == 1 && info(c).subfolders == 1);
		ck_assert_uint_eq(info(x).deleted_count, hard ? 0 : 7);
		ck_assert(gx_ec_is(gx_folder_is_deleted(t, own, &gone), hard ? ecNotFound : ecSuccess) && gone == !hard);
		ST_OK(hard ? GX_OK_EC : gx_folder_undelete(t, own));
		ST_OK(gx_folder_delete(t, x, true));
	}
}
END_TEST

START_TEST(messages_in_portions)
{
	uint64_t x = make_tree(), mids[9], one;
	uint32_t after = 0, end = info(x).uidnext;
	size_t n;
	struct gx_msg_ids ids;
	ST_OK(gx_folder_next_messages(t, x, false, end, &after, 2, mids, &n));
	ck_assert_uint_eq(n, 2);
	one = mids[1];
	ST_OK(gx_msg_copy(t, x, &one, 1, x, false, &ids)); /* comes too late */
	ST_OK(gx_folder_next_messages(t, x, false, end, &after, 9, mids, &n));
	ck_assert_uint_eq(n, 3);
	for (size_t i = 0; i < n; ++i)
		ck_assert(mids[i] != one && mids[i] != ids.mid);
	ST_OK(gx_folder_next_messages(t, x, false, end, &after, 9, mids, &n));
	ck_assert_uint_eq(n, 0);
	after = 0;
	ST_OK(gx_folder_next_messages(t, x, true, end, &after, 9, mids, &n));
	ck_assert_uint_eq(n, 2);
	as("bob@example.org");
	ST_IS(gx_folder_next_messages(t, x, true, end, &after, 9, mids, &n), ecAccessDenied);
	as(NULL);
}
END_TEST

START_TEST(empty_by_somebody_who_owns_some)
{
	uint64_t x = make_tree();
	bool partial = false, more = true;
	ST_OK(gx_folder_set_permission(t, x, "bob@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE | GX_RIGHT_CREATE | GX_RIGHT_DELETE_OWN, false));
	as("bob@example.org");
	st_insert(t, x, 50, 400, 0);
	st_insert(t, x, 51, 400, 0);
	ST_OK(gx_folder_empty(t, x, GX_CONTENT_NORMAL, 0, &partial, &more));
	ck_assert(partial && !more && info(x).total == 5);
	as(NULL);
}
END_TEST

START_TEST(soft_delete_and_back)
{
	uint64_t x = make_tree(), b = child(x, "b"), c = child(b, "c");
	bool gone = false;
	ST_OK(gx_folder_delete(t, c, false)); /* on its own, before */
	ST_OK(gx_folder_delete(t, x, false));
	ST_OK(gx_folder_is_deleted(t, x, &gone));
	ck_assert(gone);
	ST_OK(gx_folder_is_deleted(t, b, &gone));
	ck_assert(gone);
	ST_IS(gx_folder_undelete(t, b), ecNotFound); /* it went with the one above */
	uint64_t usurper = folder(GX_FID_IPMSUBTREE, "a");
	ST_IS(gx_folder_undelete(t, x), ecDuplicateName);
	ST_OK(gx_folder_move(t, usurper, GX_FID_IPMSUBTREE, "other"));
	ST_OK(gx_folder_undelete(t, x));
	ck_assert_uint_eq(info(x).total, 5);
	ck_assert_uint_eq(info(b).total, 3);
	ST_OK(gx_folder_is_deleted(t, c, &gone));
	ck_assert(gone); /* it stays where it was put */
	ST_OK(gx_folder_undelete(t, c));
	ck_assert_uint_eq(info(c).total, 1);
	ST_OK(gx_folder_undelete(t, c)); /* once more does nothing */
	ST_IS(gx_folder_is_deleted(t, 0xabcdef, &gone), ecNotFound);
}
END_TEST

START_TEST(purging)
{
	uint64_t x = make_tree();
	struct gx_purged p = {0};
	bool partial, more;
	ST_OK(gx_folder_empty(t, x, GX_CONTENT_NORMAL | GX_CONTENT_FAI | GX_CONTENT_FOLDERS, 0, &partial, &more));
	ck_assert(info(x).deleted_count == 7 && info(x).subfolders == 0);
	ST_OK(gx_folder_purge(t, x, GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS, 1000, 0, &p)); /* nothing is that old */
	ck_assert(p.messages == 0 && p.folders == 0 && !p.more);
	p = (struct gx_purged){0};
	ST_OK(gx_folder_purge(t, x, GX_CONTENT_NORMAL, 0, 3, &p));
	ck_assert(p.messages == 3 && p.more && info(x).deleted_count == 4);
	ST_OK(gx_folder_purge(t, x, GX_CONTENT_NORMAL, 0, 0, &p));
	ck_assert(p.messages == 7 && p.folders == 0 && p.bytes_normal == 2500 && p.bytes_fai == 1000);
	p = (struct gx_purged){0};
	ST_OK(gx_folder_purge(t, x, GX_CONTENT_FOLDERS, 0, 2, &p));
	ck_assert(p.more && p.folders == 0);
	ST_OK(gx_folder_purge(t, x, GX_CONTENT_FOLDERS, 0, 0, &p));
	ck_assert(p.messages == 0 && p.folders == 1);
	ck_assert_uint_eq(info(x).deleted_count, 0);
	as("bob@example.org");
	ST_IS(gx_folder_purge(t, x, GX_CONTENT_NORMAL, 0, 0, &p), ecAccessDenied);
	as(NULL);
}
END_TEST

START_TEST(properties_of_place)
{
	uint64_t x = make_tree(), b = child(x, "b");
	struct gx_proplist l;
	struct gx_bin want;
	ST_OK(gx_folder_get_props(t, b, NULL, 0, a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagFolderPath, ""), "\\Top of Information Store\\a\\b");
	ck_assert_int_eq(gx_entryid_folder(a, &s->mailbox, &s->replica, b, &want), 0);
	ck_assert_mem_eq(gx_proplist_get(&l, PidTagEntryId)->v.bin.data, want.data, 46);
	ck_assert_int_eq(gx_entryid_gid(a, &s->replica, x, &want), 0);
	ck_assert_mem_eq(gx_proplist_get(&l, PidTagParentSourceKey)->v.bin.data, want.data, 22);
	ck_assert(!gx_proplist_get(&l, PidTagHasRules)->v.b);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagAccess, 0), 0x3f);
	ck_assert_int_eq(gx_proplist_i32(&l, PR_DELETED_FOLDER_COUNT, -1), 0);
	ck_assert_uint_gt(gx_proplist_get(&l, PidTagLocalCommitTimeMax)->v.time, 0);
	ST_OK(gx_folder_delete(t, child(b, "c"), false));
	const gx_proptag_t tags[] = {PR_DELETED_FOLDER_COUNT, PidTagMessageSize};
	ST_OK(gx_folder_get_props(t, b, tags, 2, a, &l));
	ck_assert_uint_eq(l.count, 2);
	ck_assert_int_eq(gx_proplist_i32(&l, PR_DELETED_FOLDER_COUNT, -1), 1);
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagMessageSize, -1), 1500);
}
END_TEST

START_TEST(removing_properties)
{
	uint64_t x = make_tree();
	const gx_proptag_t tags[] = {PidTagComment, PidTagDisplayName, PidTagContainerClass, PidTagContentCount};
	struct gx_proplist l;
	ST_OK(gx_folder_remove_props(t, x, tags, 4));
	ST_OK(gx_folder_get_props(t, x, tags, 4, a, &l));
	ck_assert(gx_proplist_get(&l, PidTagComment) == NULL && gx_proplist_get(&l, PidTagContainerClass) == NULL);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagDisplayName, ""), "a");
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagContentCount, 0), 5);
	as("bob@example.org");
	ST_IS(gx_folder_remove_props(t, x, tags, 1), ecAccessDenied);
	as(NULL);
}
END_TEST

START_TEST(below)
{
	uint64_t x = make_tree(), b = child(x, "b");
	bool r;
	ST_OK(gx_folder_is_below(t, x, b, &r));
	ck_assert(r);
	ST_OK(gx_folder_is_below(t, x, x, &r));
	ck_assert(r);
	ST_OK(gx_folder_is_below(t, b, x, &r));
	ck_assert(!r);
	ST_OK(gx_folder_is_below(t, GX_FID_ROOT, b, &r));
	ck_assert(r);
}
END_TEST

static uint64_t receives(const char *cls, const char *explicit_class)
{
	struct gx_receive r;
	ST_OK(gx_receive_get(t, cls, a, &r));
	ck_assert_str_eq(r.cls, explicit_class);
	return r.fid;
}

START_TEST(receive_folders)
{
	uint64_t x = folder(GX_FID_IPMSUBTREE, "faxes");
	struct gx_receive *v;
	size_t n;
	ck_assert_uint_eq(receives("IPM.Note.Fax", "IPM"), GX_FID_INBOX);
	ck_assert_uint_eq(receives("REPORT.IPM.Note.NDR", "REPORT.IPM"), GX_FID_INBOX);
	ck_assert_uint_eq(receives("Strange", ""), GX_FID_INBOX);
	ST_OK(gx_receive_set(t, "IPM.Note.Fax", x));
	ck_assert_uint_eq(receives("ipm.note.FAX.Colour", "IPM.Note.Fax"), x);
	ck_assert_uint_eq(receives("IPM.Note.Faxes", "IPM"), GX_FID_INBOX);
	ST_OK(gx_receive_list(t, a, &v, &n));
	ck_assert_uint_eq(n, 5);
	ST_OK(gx_receive_set(t, "ipm.note.fax", 0));
	ck_assert_uint_eq(receives("IPM.Note.Fax", "IPM"), GX_FID_INBOX);
	ST_IS(gx_receive_set(t, "IPM", x), ecAccessDenied);
	ST_IS(gx_receive_set(t, "", 0), ecInvalidParam);
	ST_IS(gx_receive_set(t, ".x", x), ecInvalidParam);
	ST_IS(gx_receive_set(t, "a..b", x), ecInvalidParam);
	ST_IS(gx_receive_set(t, "a\xc3\xa4", x), ecInvalidParam);
	ST_IS(gx_receive_set(t, "IPM.X", 0xdead), ecNotFound);
}
END_TEST

START_TEST(receive_folders_that_go)
{
	struct gx_receive *v;
	size_t n;
	for (int hard = 0; hard < 2; hard++) {
		uint64_t x = folder(GX_FID_IPMSUBTREE, hard ? "faxes" : "more faxes"), y = folder(x, "below");
		ST_OK(gx_receive_set(t, "IPM.Note.Fax", y));
		ST_OK(gx_receive_set(t, "", x));
		ST_OK(gx_folder_delete(t, x, hard));
		ck_assert_uint_eq(receives("IPM.Note.Fax", "IPM"), GX_FID_INBOX);
		ck_assert_uint_eq(receives("Strange", ""), GX_FID_INBOX);
		ST_OK(gx_receive_list(t, a, &v, &n));
		ck_assert_uint_eq(n, 4);
	}
}
END_TEST

START_TEST(other_languages)
{
	uint64_t mine = folder(GX_FID_IPMSUBTREE, "Postausgang");
	ST_OK(gx_store_localise(t, "de_AT.UTF-8", NULL));
	ck_assert_str_eq(info(GX_FID_INBOX).name, "Posteingang");
	ck_assert_str_eq(info(GX_FID_OUTBOX).name, "Outbox"); /* the name was taken */
	ck_assert_str_eq(info(mine).name, "Postausgang");
	ck_assert_str_eq(gx_folder_name_in("de_AT.UTF-8", GX_FID_INBOX), "Posteingang");
	ck_assert_str_eq(gx_folder_name_in("en_GB", GX_FID_INBOX), "Inbox");
	ck_assert_str_ne(gx_folder_name_in("pt_BR", GX_FID_DELETED), gx_folder_name_in("pt_PT", GX_FID_DELETED));
	ck_assert_ptr_null(gx_folder_name_in("xx", GX_FID_INBOX));
	ck_assert_ptr_null(gx_folder_name_in("", GX_FID_INBOX));
	ck_assert_ptr_null(gx_folder_name_in("de", GX_FID_ROOT));
	ck_assert_ptr_null(gx_folder_name_in("de", 0x100));
	ST_OK(gx_store_localise(t, "xx", NULL));
	ck_assert_str_eq(info(GX_FID_INBOX).name, "Inbox");
	as("bob@example.org");
	ST_IS(gx_store_localise(t, "de", NULL), ecAccessDenied);
	as(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("folderops");
	TCase *c = tcase_create("folderops");
	tcase_add_checked_fixture(c, fix_setup_txn, fix_teardown_txn);
	tcase_add_test(c, copy_of_a_tree);
	tcase_add_test(c, copy_of_contents);
	tcase_add_test(c, copy_leaves_out_what_is_closed);
	tcase_add_test(c, empty_in_portions);
	tcase_add_test(c, deleted_in_portions);
	tcase_add_test(c, deleted_with_folders_of_others);
	tcase_add_test(c, messages_in_portions);
	tcase_add_test(c, empty_by_somebody_who_owns_some);
	tcase_add_test(c, soft_delete_and_back);
	tcase_add_test(c, purging);
	tcase_add_test(c, properties_of_place);
	tcase_add_test(c, removing_properties);
	tcase_add_test(c, below);
	tcase_add_test(c, receive_folders);
	tcase_add_test(c, receive_folders_that_go);
	tcase_add_test(c, other_languages);
	suite_add_tcase(x, c);
	return x;
}

GXTEST_MAIN(suite)
