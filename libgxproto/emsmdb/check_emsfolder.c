/* SPDX-License-Identifier: Apache-2.0 */
/* Folders moved, copied and emptied, in one store and between two; searches; where public folders are. */
#include <config.h>
#include <gx/entryid.h>
#include <gx/folder.h>
#include <gx/search.h>
#include <gx/table.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, ROOT = 1, A = 2, B = 3, MESSAGE = 4, TABLE = 5, PUBLIC = 6, SHARED = 7 };
enum { LOGON2 = 1 };

static uint64_t fid_a, fid_b;

static uint64_t create_at(uint8_t parent, uint8_t h, const char *name, uint8_t type)
{
	struct gx_rop_create_folder_res *r;
	const struct gx_rop_create_folder_req q = {.folder_type = type, .use_unicode_strings = true, .display_name = name, .comment = "seen"};
	ST_OK(et_do(RopCreateFolder, parent, h, &q, (void **)&r));
	return r->folder_id;
}

static uint64_t add_message(uint8_t folder, uint64_t fid, const char *subject, bool fai)
{
	struct gx_rop_save_changes_message_res *s;
	struct gx_proplist l = {0};
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = fid, .associated_flag = fai};
	ST_OK(et_do(RopCreateMessage, folder, MESSAGE, &q, NULL));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, subject), 0);
	ST_OK(et_do(RopSetProperties, MESSAGE, 0, &(struct gx_rop_set_properties_req){l}, NULL));
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){0}, (void **)&s));
	return s->message_id;
}

static uint32_t rows(uint8_t folder, uint8_t flags)
{
	struct gx_rop_get_contents_table_res *r;
	ST_OK(et_do(RopGetContentsTable, folder, TABLE, &(struct gx_rop_get_contents_table_req){flags}, (void **)&r));
	return r->row_count;
}

static uint32_t subfolders(uint8_t folder)
{
	struct gx_rop_get_hierarchy_table_res *r;
	ST_OK(et_do(RopGetHierarchyTable, folder, TABLE, &(struct gx_rop_get_hierarchy_table_req){4}, (void **)&r));
	return r->row_count;
}

/* A with a message, an associated one and a subfolder that has a message; B is empty. */
static void setup(void)
{
	et_setup();
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, ROOT, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_IPMSUBTREE), 0}, NULL));
	fid_a = create_at(ROOT, A, "a", 1);
	fid_b = create_at(A, B, "inner", 1);
	add_message(B, fid_b, "inner", false);
	add_message(A, fid_a, "outer", false);
	add_message(A, fid_a, "hidden", true);
	fid_b = create_at(ROOT, B, "b", 1);
}

/* Ann may do everything in a folder of the public store, which is open as SHARED. */
static void open_public(uint32_t rights)
{
	(void)et_open_shared(PUBLIC, SHARED, rights);
}

static uint32_t shared_rows(uint8_t flags)
{
	struct gx_rop_get_contents_table_res *r;
	ST_OK(et_do_at(LOGON2, RopGetContentsTable, SHARED, TABLE, &(struct gx_rop_get_contents_table_req){flags}, (void **)&r));
	return r->row_count;
}

/* ---- Move and copy ---- */

START_TEST(a_folder_moved)
{
	struct gx_rop_move_folder_res *r;
	struct gx_rop_move_folder_fail_503 *f;
	struct gx_rop_move_folder_req q = {.want_asynchronous = true, .use_unicode = true, .folder_id = fid_a, .new_folder_name = "moved"};
	ST_OK(et_do(RopMoveFolder, ROOT, B, &q, (void **)&r));
	ck_assert(!r->partial_completion);
	ck_assert_uint_eq(subfolders(B), 2);
	ST_IS(et_do(RopMoveFolder, ROOT, B, &q, NULL), ecNotFound); /* it is not there any more */
	ST_IS(et_do(RopMoveFolder, ROOT, 15, &q, (void **)&f), ecDstNullObject);
	ck_assert_uint_eq(f->dest_handle_index, 15);
	ST_IS(et_do(RopMoveFolder, LOGON, B, &q, NULL), ecNotSupported);
	q.folder_id = fid_b;
	ST_IS(et_do(RopMoveFolder, ROOT, A, &q, NULL), ecFolderCycle);
	q.folder_id = gx_eid_make(1, GX_FID_INBOX);
	ST_IS(et_do(RopMoveFolder, ROOT, B, &q, NULL), ecAccessDenied);
}
END_TEST

START_TEST(a_folder_copied)
{
	struct gx_rop_copy_folder_fail_503 *f;
	struct gx_rop_copy_folder_req q = {.want_recursive = true, .folder_id = fid_a, .new_folder_name = ""};
	ST_OK(et_do(RopCopyFolder, ROOT, B, &q, NULL));
	ck_assert_uint_eq(subfolders(B), 2);
	ST_IS(et_do(RopCopyFolder, ROOT, B, &q, NULL), ecDuplicateName);
	q.new_folder_name = "flat";
	q.want_recursive = false;
	ST_OK(et_do(RopCopyFolder, ROOT, B, &q, NULL));
	ck_assert_uint_eq(subfolders(B), 3);
	ST_IS(et_do(RopCopyFolder, ROOT, A, &q, NULL), ecFolderCycle);
	ST_IS(et_do(RopCopyFolder, ROOT, 15, &q, (void **)&f), ecDstNullObject);
	q.folder_id = fid_b;
	q.new_folder_name = "a";
	ST_IS(et_do(RopCopyFolder, ROOT, ROOT, &q, NULL), ecDuplicateName);
	q.folder_id = 0x7fff000000000002;
	ST_IS(et_do(RopCopyFolder, ROOT, B, &q, NULL), ecNotFound);
}
END_TEST

START_TEST(folders_into_another_store)
{
	struct gx_rop_move_folder_res *r;
	struct gx_rop_copy_folder_req copy = {.want_recursive = true, .folder_id = fid_a, .new_folder_name = "copy"};
	const struct gx_rop_move_folder_req move = {.folder_id = fid_a, .new_folder_name = ""};
	open_public(GX_RIGHTS_ALL);
	ST_OK(et_do(RopCopyFolder, ROOT, SHARED, &copy, NULL));
	copy.want_recursive = false;
	ST_IS(et_do(RopCopyFolder, ROOT, SHARED, &copy, NULL), ecDuplicateName);
	copy.new_folder_name = "flat";
	ST_OK(et_do(RopCopyFolder, ROOT, SHARED, &copy, NULL));
	uint32_t before = subfolders(ROOT);
	ST_OK(et_do(RopMoveFolder, ROOT, SHARED, &move, (void **)&r));
	ck_assert(!r->partial_completion);
	ck_assert_uint_eq(subfolders(ROOT), before - 2);
	struct gx_rop_get_hierarchy_table_res *h;
	ST_OK(et_do_at(LOGON2, RopGetHierarchyTable, SHARED, TABLE, &(struct gx_rop_get_hierarchy_table_req){4}, (void **)&h));
	ck_assert_uint_eq(h->row_count, 5);
	const struct gx_rop_copy_folder_req back = {.want_recursive = true, .folder_id = fid_b, .new_folder_name = "x"};
	ST_IS(et_do_at(LOGON2, RopCopyFolder, SHARED, ROOT, &back, NULL), ecNotFound);
}
END_TEST

START_TEST(messages_into_another_store)
{
	uint64_t ids[3] = {add_message(A, fid_a, "one", false), add_message(A, fid_a, "two", false), gx_eid_make(1, 0x7fffff)};
	struct gx_rop_move_copy_messages_res *r;
	struct gx_rop_move_copy_messages_req q = {.message_ids = ids, .message_ids_count = 2, .want_copy = true};
	open_public(GX_RIGHTS_ALL);
	ST_OK(et_do(RopMoveCopyMessages, A, SHARED, &q, (void **)&r));
	ck_assert(!r->partial_completion);
	ck_assert_uint_eq(shared_rows(0), 2);
	ck_assert_uint_eq(rows(A, 0), 3);
	q.want_copy = false;
	q.message_ids_count = 3;
	ST_OK(et_do(RopMoveCopyMessages, A, SHARED, &q, (void **)&r));
	ck_assert(r->partial_completion);
	ck_assert_uint_eq(shared_rows(0), 4);
	ck_assert_uint_eq(rows(A, 0), 1);
}
END_TEST

/* Delivered mail keeps its bytes and its flags. */
START_TEST(mail_into_another_store)
{
	struct gx_store *s, *pub;
	const char *why;
	open_public(GX_RIGHTS_ALL);
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/ann", et_dir), &s, et_a, &why), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_ids ids = st_insert(t, gx_eid_counter(fid_a), 5, 900, GX_MSGF_FLAGGED);
	struct gx_push before = GX_PUSH_INIT, after = GX_PUSH_INIT;
	ST_OK(gx_msg_original(t, ids.mid, 0, UINT64_MAX, &before));
	st_commit(t);
	uint64_t mid = gx_eid_make(1, ids.mid);
	const struct gx_rop_move_copy_messages_req q = {.message_ids = &mid, .message_ids_count = 1};
	ST_OK(et_do(RopMoveCopyMessages, A, SHARED, &q, NULL));
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/public", et_dir), &pub, et_a, &why), 0);
	t = st_begin(pub, GX_TXN_READ);
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_table_row *row;
	struct gx_msg_info i;
	size_t n;
	ST_OK(gx_folder_by_name(t, GX_FID_PUB_IPMSUBTREE, "shared", &o.fid));
	ST_OK(gx_table_open_contents(t, &o, &tb));
	ST_OK(gx_table_query(tb, t, 0, 9, NULL, 0, et_a, &row, &n));
	ck_assert_uint_eq(n, 1);
	ST_OK(gx_msg_get(t, row->id, &i));
	ck_assert(i.flags & GX_MSGF_FLAGGED);
	ST_OK(gx_msg_original(t, row->id, 0, UINT64_MAX, &after));
	ck_assert_uint_eq(after.len, before.len);
	ck_assert_int_eq(memcmp(after.data, before.data, after.len), 0);
	gx_table_close(tb);
	gx_txn_abort(t);
	gx_push_release(&before);
	gx_push_release(&after);
	st_verify(pub);
	st_verify(s);
	gx_store_pool_put(et_pool, pub);
	gx_store_pool_put(et_pool, s);
}
END_TEST

START_TEST(another_store_that_is_closed)
{
	uint64_t id = add_message(A, fid_a, "one", false);
	const struct gx_rop_move_copy_messages_req q = {.message_ids = &id, .message_ids_count = 1};
	const struct gx_rop_move_folder_req move = {.folder_id = fid_a, .new_folder_name = ""};
	open_public(GX_RIGHT_READ | GX_RIGHT_VISIBLE);
	ST_IS(et_do(RopMoveCopyMessages, A, SHARED, &q, NULL), ecAccessDenied);
	ST_IS(et_do(RopMoveFolder, ROOT, SHARED, &move, NULL), ecAccessDenied);
	ck_assert_uint_eq(rows(A, 0), 2);
	ck_assert_uint_eq(shared_rows(0), 0);
}
END_TEST

/* ---- Emptying ---- */

START_TEST(a_folder_emptied)
{
	struct gx_rop_empty_folder_res *r;
	ST_OK(et_do(RopEmptyFolder, A, 0, &(struct gx_rop_empty_folder_req){true, false}, (void **)&r));
	ck_assert(!r->partial_completion);
	ck_assert_uint_eq(rows(A, 0), 0);
	ck_assert_uint_eq(rows(A, 2), 1);
	ck_assert_uint_eq(rows(A, 0x20), 1); /* softly */
	ck_assert_uint_eq(subfolders(A), 0);
	ST_OK(et_do(RopEmptyFolder, A, 0, &(struct gx_rop_empty_folder_req){false, true}, NULL));
	ck_assert_uint_eq(rows(A, 2), 0);
	ST_IS(et_do(RopEmptyFolder, LOGON, 0, &(struct gx_rop_empty_folder_req){false, false}, NULL), ecNotSupported);
}
END_TEST

static gx_ec undelete(uint64_t fid)
{
	struct gx_store *s;
	struct gx_txn *t;
	const char *why;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/ann", et_dir), &s, et_a, &why), 0);
	t = st_begin(s, GX_TXN_WRITE);
	gx_ec ec = gx_folder_undelete(t, gx_eid_counter(fid));
	gx_txn_abort(t);
	gx_store_pool_put(et_pool, s);
	return ec;
}

/* emsmdb_private_folder_softdelete = no: folders go, their messages with them; other messages as ever. */
START_TEST(folders_go_for_good)
{
	struct gx_rop_delete_folder_res *d;
	struct gx_rop_empty_folder_res *r;
	struct gx_rop_delete_folder_req q = {.delete_folder_flags = 5, .folder_id = fid_b};
	ST_OK(et_do(RopDeleteFolder, ROOT, 0, &q, (void **)&d));
	ST_OK(undelete(fid_b));
	et_ems->o.folders_go = true;
	q.folder_id = create_at(ROOT, B, "c", 1);
	ST_OK(et_do(RopDeleteFolder, ROOT, 0, &q, (void **)&d));
	ST_IS(undelete(q.folder_id), ecNotFound);
	uint64_t inner = create_at(A, B, "inner too", 1);
	ST_OK(et_do(RopEmptyFolder, A, 0, &(struct gx_rop_empty_folder_req){true, false}, (void **)&r));
	ck_assert(!r->partial_completion);
	ck_assert_uint_eq(subfolders(A), 0);
	ck_assert_uint_eq(rows(A, 0x20), 1);
	ST_IS(undelete(inner), ecNotFound);
}
END_TEST

START_TEST(a_folder_emptied_for_good)
{
	struct gx_rop_hard_delete_messages_and_subfolders_req q = {false, true};
	struct gx_rop_hard_delete_messages_and_subfolders_res *r;
	ST_OK(et_do(RopHardDeleteMessagesAndSubfolders, A, 0, &q, (void **)&r));
	ck_assert_uint_eq(rows(A, 0) + rows(A, 2) + rows(A, 0x20), 0);
	ST_OK(et_do(RopHardDeleteMessagesAndSubfolders, ROOT, 0, &q, (void **)&r));
	ck_assert(r->partial_completion); /* the built-in folders stay */
	ST_IS(et_do(RopHardDeleteMessagesAndSubfolders, LOGON, 0, &q, NULL), ecNotSupported);
}
END_TEST

/* ---- Searches ---- */

START_TEST(a_search)
{
	struct gx_rop_get_search_criteria_res *g;
	const struct gx_propval word = {PidTagSubject, {.str = "outer"}};
	const struct gx_restr r = {.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, word}};
	struct gx_rop_set_search_criteria_req q = {.restriction_data = &r, .folder_ids = &fid_a, .folder_ids_count = 1,
		.search_flags = RESTART_SEARCH | RECURSIVE_SEARCH | FOREGROUND_SEARCH};
	struct gx_rop_get_search_criteria_req all = {true, true, true};
	create_at(ROOT, B, "found", 2);
	ST_IS(et_do(RopGetSearchCriteria, B, 0, &all, NULL), ecNotInitialized);
	ST_OK(et_do(RopSetSearchCriteria, B, 0, &q, NULL));
	ck_assert_uint_eq(rows(B, 0), 1);
	ST_OK(et_do(RopGetSearchCriteria, B, 0, &all, (void **)&g));
	ck_assert_uint_eq(g->folder_ids_count, 1);
	ck_assert_uint_eq(g->folder_ids[0], fid_a);
	ck_assert_int_eq(gx_restr_cmp(g->restriction_data, &r), 0);
	ck_assert(g->search_flags & SEARCH_RECURSIVE);
	all = (struct gx_rop_get_search_criteria_req){false, true, false};
	ST_OK(et_do(RopGetSearchCriteria, B, 0, &all, (void **)&g));
	ck_assert_uint_eq(g->folder_ids_count, 0);
	ck_assert_uint_eq(GX_PROP_TYPE(g->restriction_data->u.content.tag), PtypString8);
	ck_assert_str_eq(g->restriction_data->u.content.val.v.str, "outer");
	q.search_flags = STOP_SEARCH | RESTART_SEARCH;
	ST_IS(et_do(RopSetSearchCriteria, B, 0, &q, NULL), ecInvalidParam);
	q.search_flags = RESTART_SEARCH;
	ST_IS(et_do(RopSetSearchCriteria, A, 0, &q, NULL), ecNotSearchFolder);
	ST_IS(et_do(RopGetSearchCriteria, A, 0, &all, NULL), ecNotSearchFolder);
	ST_IS(et_do(RopEmptyFolder, B, 0, &(struct gx_rop_empty_folder_req){false, false}, NULL), ecNotSupported);
}
END_TEST

/* Of all that is below, the messages of one folder. */
START_TEST(a_search_by_ids)
{
	struct gx_rop_get_search_criteria_res *g;
	const struct gx_propval in_a = {PidTagParentFolderId, {.i64 = (int64_t)fid_a}};
	const struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagParentFolderId, in_a}};
	const struct gx_restr not_ = {.type = RES_NOT, .u.not_ = {&r}};
	struct gx_rop_set_search_criteria_req q = {.restriction_data = &r, .folder_ids = &fid_a, .folder_ids_count = 1,
		.search_flags = RESTART_SEARCH | RECURSIVE_SEARCH | FOREGROUND_SEARCH};
	create_at(ROOT, B, "found", 2);
	ST_OK(et_do(RopSetSearchCriteria, B, 0, &q, NULL));
	ck_assert_uint_eq(rows(B, 0), 1);
	ST_OK(et_do(RopGetSearchCriteria, B, 0, &(struct gx_rop_get_search_criteria_req){true, true, true}, (void **)&g));
	ck_assert_int_eq(gx_restr_cmp(g->restriction_data, &r), 0);
	ck_assert_uint_eq(g->folder_ids[0], fid_a);
	q.restriction_data = &not_;
	ST_OK(et_do(RopSetSearchCriteria, B, 0, &q, NULL));
	ck_assert_uint_eq(rows(B, 0), 1);
	ST_OK(et_do(RopGetSearchCriteria, B, 0, &(struct gx_rop_get_search_criteria_req){true, true, false}, (void **)&g));
	ck_assert_int_eq(gx_restr_cmp(g->restriction_data, &not_), 0);
}
END_TEST

static void read_flags(uint8_t folder, uint8_t flags, const uint64_t *mids, uint16_t n, bool partial)
{
	struct gx_rop_set_read_flags_res *r;
	ST_OK(et_do(RopSetReadFlags, folder, 0, &(struct gx_rop_set_read_flags_req){false, flags, mids, n}, (void **)&r));
	ck_assert(r->partial_completion == partial);
}

static bool is_read(uint64_t mid)
{
	ST_OK(et_open_message(LOGON, MESSAGE, mid, 0));
	return (et_value(MESSAGE, PidTagMessageFlags)->v.i32 & 1) != 0;
}

/* What a search folder shows is marked, copied, moved and deleted where it is. */
START_TEST(work_in_a_search)
{
	enum { FOUND = 8 };
	struct gx_rop_move_copy_messages_res *m;
	struct gx_rop_delete_messages_res *d;
	const struct gx_propval word = {PidTagSubject, {.str = "look"}};
	const struct gx_restr r = {.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, word}};
	const uint64_t scope[] = {fid_a, fid_b};
	const struct gx_rop_set_search_criteria_req q = {.restriction_data = &r, .folder_ids = scope, .folder_ids_count = 2,
		.search_flags = RESTART_SEARCH | FOREGROUND_SEARCH};
	uint64_t mids[] = {add_message(A, fid_a, "look 1", false), add_message(B, fid_b, "look 2", false), add_message(A, fid_a, "look 3", false),
		add_message(A, fid_a, "other", false)};
	create_at(ROOT, FOUND, "found", 2);
	ST_OK(et_do(RopSetSearchCriteria, FOUND, 0, &q, NULL));
	read_flags(FOUND, 4, NULL, 0, false);
	ck_assert(!is_read(mids[0]) && !is_read(mids[1]) && is_read(mids[3]));
	read_flags(FOUND, 1, mids, 2, false);
	ck_assert(is_read(mids[0]) && is_read(mids[1]) && !is_read(mids[2]));
	read_flags(FOUND, 4, mids + 2, 2, true); /* the last is not shown */
	ck_assert(is_read(mids[3]));
	ST_OK(et_do(RopMoveCopyMessages, FOUND, ROOT, &(struct gx_rop_move_copy_messages_req){mids, 2, false, true}, (void **)&m));
	ck_assert(!m->partial_completion);
	ck_assert_uint_eq(rows(ROOT, 0), 2);
	ST_OK(et_do(RopMoveCopyMessages, FOUND, ROOT, &(struct gx_rop_move_copy_messages_req){mids, 2, false, false}, (void **)&m));
	ck_assert_uint_eq(rows(ROOT, 0), 4);
	ck_assert_uint_eq(rows(B, 0), 0);
	ck_assert_uint_eq(rows(FOUND, 0), 1);
	ST_OK(et_do(RopDeleteMessages, FOUND, 0, &(struct gx_rop_delete_messages_req){false, false, mids + 2, 2}, (void **)&d));
	ck_assert_uint_eq(rows(FOUND, 0), 0);
	ck_assert_uint_eq(rows(A, 0), 2); /* the other one stays, and what was there before */
}
END_TEST

/* ---- Where public folders are ---- */

START_TEST(servers_of_public_folders)
{
	struct gx_rop_get_owning_servers_res *o;
	struct gx_rop_public_folder_is_ghosted_res *g;
	struct gx_rop_get_owning_servers_req q = {gx_eid_make(1, GX_FID_PUB_IPMSUBTREE)};
	struct gx_rop_public_folder_is_ghosted_req p = {q.folder_id};
	open_public(GX_RIGHTS_ALL);
	ST_OK(et_do_at(LOGON2, RopGetOwningServers, PUBLIC, 0, &q, (void **)&o));
	ck_assert_uint_eq(o->owning_servers_count, 1);
	ck_assert_uint_eq(o->cheap_servers_count, 1);
	ck_assert_ptr_nonnull(strstr(o->owning_servers[0], "public.folder.root"));
	ST_OK(et_do_at(LOGON2, RopPublicFolderIsGhosted, PUBLIC, 0, &p, (void **)&g));
	ck_assert(!g->is_ghosted);
	p.folder_id = q.folder_id = gx_eid_make(1, 0x7fffff);
	ST_IS(et_do_at(LOGON2, RopGetOwningServers, PUBLIC, 0, &q, NULL), ecNotFound);
	ST_IS(et_do_at(LOGON2, RopPublicFolderIsGhosted, PUBLIC, 0, &p, NULL), ecNotFound);
	ST_IS(et_do(RopGetOwningServers, LOGON, 0, &q, NULL), ecNotSupported);
	ST_OK(et_do(RopPublicFolderIsGhosted, LOGON, 0, &p, NULL));
	ST_IS(et_do(RopPublicFolderIsGhosted, ROOT, 0, &p, NULL), ecNotSupported);
}
END_TEST

static Suite *emsfolder_suite(void)
{
	Suite *s = suite_create("emsfolder");
	TCase *t = tcase_create("emsfolder");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, a_folder_moved);
	tcase_add_test(t, a_folder_copied);
	tcase_add_test(t, folders_into_another_store);
	tcase_add_test(t, messages_into_another_store);
	tcase_add_test(t, mail_into_another_store);
	tcase_add_test(t, another_store_that_is_closed);
	tcase_add_test(t, a_folder_emptied);
	tcase_add_test(t, a_folder_emptied_for_good);
	tcase_add_test(t, folders_go_for_good);
	tcase_add_test(t, a_search);
	tcase_add_test(t, a_search_by_ids);
	tcase_add_test(t, work_in_a_search);
	tcase_add_test(t, servers_of_public_folders);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsfolder_suite)
