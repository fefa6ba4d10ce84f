/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that go on behind RopProgress: a portion each time they are asked. */
#include <config.h>
#include <gx/folder.h>
#include <gx/search.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, ROOT = 1, A = 2, B = 3, MESSAGE = 4, TABLE = 5, PUBLIC = 6, SHARED = 7, INNER = 8, OTHER = 9 };
enum { P = 1, MESSAGES = 3 };

static uint64_t fid_a, fid_b, mids[MESSAGES];

static uint64_t create_at(uint8_t parent, uint8_t h, const char *name)
{
	struct gx_rop_create_folder_res *r;
	const struct gx_rop_create_folder_req q = {.folder_type = 1, .use_unicode_strings = true, .display_name = name, .comment = ""};
	ST_OK(et_do(RopCreateFolder, parent, h, &q, (void **)&r));
	return r->folder_id;
}

static uint64_t add_message(uint64_t fid)
{
	et_new_message(LOGON, MESSAGE, gx_eid_counter(fid));
	et_set_str(MESSAGE, PidTagSubject, "x");
	return et_save(MESSAGE);
}

/* A with three messages, and a subfolder with one; B is empty. */
static void setup(void)
{
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	o.async_ms = 0;
	et_setup_with(&o);
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, ROOT, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_IPMSUBTREE), 0}, NULL));
	fid_a = create_at(ROOT, A, "a");
	add_message(create_at(A, INNER, "inner"));
	for (unsigned i = 0; i < MESSAGES; ++i)
		mids[i] = add_message(fid_a);
	fid_b = create_at(ROOT, B, "b");
}

static uint32_t rows(uint8_t folder)
{
	struct gx_rop_get_contents_table_res *r;
	ST_OK(et_do(RopGetContentsTable, folder, TABLE, &(struct gx_rop_get_contents_table_req){0}, (void **)&r));
	return r->row_count;
}

static uint32_t subfolders(uint8_t folder)
{
	struct gx_rop_get_hierarchy_table_res *r;
	ST_OK(et_do(RopGetHierarchyTable, folder, TABLE, &(struct gx_rop_get_hierarchy_table_req){4}, (void **)&r));
	return r->row_count;
}

/* Asks for it; it is answered with how far it is. */
static void begin(uint8_t id, uint8_t h0, uint8_t h1, const void *q, struct gx_rop_progress_res *ret_p)
{
	struct gx_pull c;
	void *p;
	et_add(id, h0, h1, q);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ST_OK(et_answer(&c, RopProgress, &p));
	*ret_p = *(struct gx_rop_progress_res *)p;
	ck_assert_uint_eq(ret_p->logon_id, 0);
	ck_assert_uint_le(ret_p->completed_task_count, ret_p->total_task_count);
}

/* True: it is answered as operation @id; else as RopProgress. */
static bool poll(uint8_t h, uint8_t id, bool cancel, struct gx_rop_progress_res *io_p, gx_ec *ret_ec, void **ret_body)
{
	struct gx_pull c, look;
	void *p;
	et_add(RopProgress, h, 0, &(struct gx_rop_progress_req){cancel});
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	look = c;
	if (gx_pull_u8(&look) == id) {
		*ret_ec = et_answer(&c, id, ret_body);
		return true;
	}
	ST_OK(et_answer(&c, RopProgress, &p));
	ck_assert_uint_ge(((struct gx_rop_progress_res *)p)->completed_task_count, io_p->completed_task_count);
	*io_p = *(struct gx_rop_progress_res *)p;
	return false;
}

/* To the end, which is the answer of operation @id. */
static gx_ec await(uint8_t h, uint8_t id, struct gx_rop_progress_res *p, void **ret_body)
{
	gx_ec ec = GX_EC(ecError);
	for (unsigned i = 0; i < 100; ++i)
		if (poll(h, id, false, p, &ec, ret_body))
			return ec;
	ck_abort_msg("it does not end");
}

START_TEST(clients_that_take_no_progress)
{
	const struct gx_rop_logon_req plain = {.logon_flags = 1, .essdn = et_dn[0]};
	const struct gx_rop_empty_folder_req q = {.want_asynchronous = true};
	struct gx_rop_progress_res p;
	struct gx_rop_empty_folder_res *r;
	begin(RopEmptyFolder, A, 0, &q, &p);
	ST_OK(et_do(RopLogon, LOGON, 0, &plain, NULL));
	ST_OK(et_do(RopOpenFolder, LOGON, A, &(struct gx_rop_open_folder_req){fid_a, 0}, NULL));
	ck_assert_uint_gt(rows(A) + subfolders(A), 0);
	/* it is done in whole, however many portions that takes */
	ST_OK(et_do(RopEmptyFolder, A, 0, &q, (void **)&r));
	ck_assert(!r->partial_completion);
	ck_assert_uint_eq(rows(A) + subfolders(A), 0);
	ST_IS(et_do(RopProgress, A, 0, &(struct gx_rop_progress_req){false}, NULL), ecNotSupported);
}
END_TEST

START_TEST(a_folder_copied)
{
	struct gx_rop_progress_res p;
	struct gx_rop_copy_folder_res *r;
	const struct gx_rop_copy_folder_req q = {.want_asynchronous = true, .want_recursive = true, .folder_id = fid_a, .new_folder_name = ""};
	begin(RopCopyFolder, ROOT, B, &q, &p);
	ck_assert_uint_eq(p.total_task_count, 5); /* messages, and the folder below */
	ST_OK(await(ROOT, RopCopyFolder, &p, (void **)&r));
	ck_assert_uint_gt(p.completed_task_count, 0);
	ck_assert(!r->partial_completion);
	ST_IS(et_do(RopProgress, ROOT, 0, &(struct gx_rop_progress_req){false}, NULL), ecNotSupported);
	ck_assert_uint_eq(subfolders(B), 2);
	/* what cannot be is told at once */
	ST_IS(et_do(RopCopyFolder, ROOT, B, &q, NULL), ecDuplicateName);
	ST_IS(et_do(RopCopyFolder, ROOT, A, &q, NULL), ecFolderCycle);
}
END_TEST

START_TEST(all_marked_as_read)
{
	struct gx_rop_progress_res p;
	struct gx_rop_set_read_flags_res *r;
	gx_ec ec;
	begin(RopSetReadFlags, A, 0, &(struct gx_rop_set_read_flags_req){true, 4, NULL, 0}, &p);
	ck_assert_uint_eq(p.total_task_count, MESSAGES);
	ST_OK(await(A, RopSetReadFlags, &p, (void **)&r));
	ck_assert(!r->partial_completion);
	begin(RopSetReadFlags, A, 0, &(struct gx_rop_set_read_flags_req){true, 1, mids, MESSAGES}, &p);
	ck_assert(poll(A, RopSetReadFlags, true, &p, &ec, (void **)&r));
	ST_OK(ec);
	ck_assert(r->partial_completion);
}
END_TEST

START_TEST(what_is_in_a_folder)
{
	struct gx_rop_progress_res p;
	struct gx_rop_copy_to_res *r;
	static const gx_proptag_t but[] = {PidTagDisplayName};
	et_set_str(A, PidTagComment, "of a");
	begin(RopCopyTo, A, B, &(struct gx_rop_copy_to_req){true, true, 0, but, 1}, &p);
	ST_OK(await(A, RopCopyTo, &p, (void **)&r));
	ck_assert_uint_eq(r->property_problems_count, 0);
	ck_assert_str_eq(et_value(B, PidTagComment)->v.str, "of a");
	ck_assert_uint_eq(rows(B), MESSAGES);
	/* again: the folder below is there */
	begin(RopCopyTo, A, B, &(struct gx_rop_copy_to_req){true, true, 0, but, 1}, &p);
	ST_IS(await(A, RopCopyTo, &p, (void **)&r), ecPartiallyComplete);
	ck_assert_uint_eq(rows(B), 2 * MESSAGES);
}
END_TEST

START_TEST(messages)
{
	struct gx_rop_progress_res p;
	struct gx_rop_move_copy_messages_res *m;
	struct gx_rop_delete_messages_res *d;
	struct gx_rop_hard_delete_messages_res *h;
	const struct gx_rop_move_copy_messages_req copy = {mids, MESSAGES, true, true}, move = {mids, 1, true, false};
	begin(RopMoveCopyMessages, A, B, &copy, &p);
	ck_assert_uint_eq(p.total_task_count, MESSAGES);
	ST_OK(await(A, RopMoveCopyMessages, &p, (void **)&m));
	ck_assert(!m->partial_completion);
	ck_assert_uint_eq(rows(B), MESSAGES);
	begin(RopMoveCopyMessages, A, B, &move, &p);
	ST_OK(await(A, RopMoveCopyMessages, &p, (void **)&m));
	ck_assert_uint_eq(rows(A), MESSAGES - 1);
	begin(RopDeleteMessages, A, 0, &(struct gx_rop_delete_messages_req){true, false, mids + 1, 1}, &p);
	ST_OK(await(A, RopDeleteMessages, &p, (void **)&d));
	begin(RopHardDeleteMessages, A, 0, &(struct gx_rop_hard_delete_messages_req){true, false, mids + 2, 1}, &p);
	ST_OK(await(A, RopHardDeleteMessages, &p, (void **)&h));
	ck_assert(!d->partial_completion && !h->partial_completion);
	ck_assert_uint_eq(rows(A), 0);
}
END_TEST

START_TEST(emptied)
{
	struct gx_rop_progress_res p;
	struct gx_rop_hard_delete_messages_and_subfolders_res *h;
	struct gx_rop_empty_folder_res *e;
	begin(RopHardDeleteMessagesAndSubfolders, A, 0, &(struct gx_rop_hard_delete_messages_and_subfolders_req){true, true}, &p);
	ck_assert_uint_eq(p.completed_task_count, 0);
	ck_assert_uint_eq(p.total_task_count, MESSAGES + 1);
	ST_OK(await(A, RopHardDeleteMessagesAndSubfolders, &p, (void **)&h));
	ck_assert(!h->partial_completion);
	ck_assert_uint_eq(rows(A) + subfolders(A), 0);
	begin(RopEmptyFolder, A, 0, &(struct gx_rop_empty_folder_req){true, true}, &p);
	ST_OK(await(A, RopEmptyFolder, &p, (void **)&e));
}
END_TEST

/* By the client, by another operation, and with what it works on. */
START_TEST(ended_before_its_end)
{
	struct gx_rop_progress_res p;
	struct gx_rop_copy_folder_res *r;
	struct gx_rop_copy_folder_req q = {.want_asynchronous = true, .want_recursive = true, .folder_id = fid_a, .new_folder_name = "1"};
	gx_ec ec;
	begin(RopCopyFolder, ROOT, B, &q, &p);
	ck_assert(poll(ROOT, RopCopyFolder, true, &p, &ec, (void **)&r));
	ST_OK(ec);
	ck_assert(r->partial_completion);
	q.new_folder_name = "2";
	begin(RopCopyFolder, ROOT, B, &q, &p);
	ST_IS(et_do(RopProgress, A, 0, &(struct gx_rop_progress_req){false}, NULL), ecNotSupported); /* of another object */
	ck_assert(!poll(ROOT, RopCopyFolder, false, &p, &ec, (void **)&r));
	(void)rows(A);
	ST_IS(et_do(RopProgress, ROOT, 0, &(struct gx_rop_progress_req){false}, NULL), ecNotSupported);
	ST_IS(et_do(RopAbort, TABLE, 0, NULL, NULL), ecUnableToAbort); /* of tables nothing goes on */
	/* into another store, whose logon goes */
	(void)et_open_shared(PUBLIC, SHARED, GX_RIGHTS_ALL);
	begin(RopCopyFolder, ROOT, SHARED, &q, &p);
	struct gx_pull c;
	et_add_at(P, RopRelease, PUBLIC, 0, NULL);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ST_IS(et_do(RopProgress, ROOT, 0, &(struct gx_rop_progress_req){false}, NULL), ecNotSupported);
	/* the source goes between two portions */
	q.new_folder_name = "3";
	begin(RopCopyFolder, ROOT, B, &q, &p);
	et_release(ROOT);
	ST_IS(et_do(RopProgress, ROOT, 0, &(struct gx_rop_progress_req){false}, NULL), ecNullObject);
}
END_TEST

/* What comes to the source after it was copied is not lost: it stays. */
START_TEST(a_folder_moved_away)
{
	struct gx_rop_progress_res p;
	struct gx_rop_move_folder_res *r;
	struct gx_rop_move_folder_req q = {.want_asynchronous = true, .folder_id = fid_a, .new_folder_name = ""};
	gx_ec ec;
	(void)et_open_shared(PUBLIC, SHARED, GX_RIGHTS_ALL);
	begin(RopMoveFolder, ROOT, SHARED, &q, &p);
	while (p.completed_task_count < MESSAGES)
		ck_assert(!poll(ROOT, RopMoveFolder, false, &p, &ec, (void **)&r));
	struct gx_store *s;
	const char *why;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/ann", et_dir), &s, et_a, &why), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	(void)st_insert(t, gx_eid_counter(fid_a), 5, 900, 0);
	st_commit(t);
	ST_OK(await(ROOT, RopMoveFolder, &p, (void **)&r));
	ck_assert(r->partial_completion);
	ck_assert_uint_eq(rows(A), MESSAGES + 1);
	q.new_folder_name = "again";
	begin(RopMoveFolder, ROOT, SHARED, &q, &p);
	ST_OK(await(ROOT, RopMoveFolder, &p, (void **)&r));
	ck_assert(!r->partial_completion);
	ST_IS(et_do(RopOpenFolder, LOGON, OTHER, &(struct gx_rop_open_folder_req){fid_a, 0}, NULL), ecNotFound);
	st_verify(s);
	gx_store_pool_put(et_pool, s);
}
END_TEST

/* ---- Folders deleted ---- */

enum { MANY = 1100 };

static struct gx_store *store_of(const char *name)
{
	struct gx_store *s;
	const char *why;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/%s", et_dir, name), &s, et_a, &why), 0);
	return s;
}

static void fill(struct gx_store *s, uint64_t fid)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < MANY; ++i)
		(void)st_insert(t, gx_eid_counter(fid), i, 10, 0);
	st_commit(t);
}

static bool delete_folder(uint8_t parent, uint64_t fid, uint8_t flags)
{
	struct gx_rop_delete_folder_res *r;
	ST_OK(et_do(RopDeleteFolder, parent, 0, &(struct gx_rop_delete_folder_req){flags, fid}, (void **)&r));
	ST_IS(et_do(RopProgress, parent, 0, &(struct gx_rop_progress_req){false}, NULL), ecNotSupported);
	return r->partial_completion;
}

static void count_event(const struct gx_event *ev, void *ctx)
{
	(void)ev;
	++*(size_t *)ctx;
}

/* In one transaction no message would be told of. */
START_TEST(a_folder_deleted_for_good)
{
	struct gx_store *s = store_of("ann");
	size_t gone = 0, folders = 0;
	uint64_t sub[2];
	fill(s, fid_a);
	ck_assert_int_eq(gx_store_subscribe(s, gx_eid_counter(fid_a), GX_EV_MSG_DELETED, count_event, &gone, &sub[0]), 0);
	ck_assert_int_eq(gx_store_subscribe(s, 0, GX_EV_FOLDER_DELETED, count_event, &folders, &sub[1]), 0);
	ck_assert(delete_folder(ROOT, fid_a, 0x14)); /* the messages keep it */
	ck_assert(delete_folder(ROOT, fid_a, 0x11)); /* the folder in it does */
	ck_assert_uint_eq(rows(A), MANY + MESSAGES);
	ck_assert(!delete_folder(ROOT, fid_a, 0x15));
	ck_assert(gone > 0 && gone < MANY + MESSAGES);
	ck_assert_uint_eq(folders, 2);
	ST_IS(et_do(RopOpenFolder, LOGON, OTHER, &(struct gx_rop_open_folder_req){fid_a, 4}, NULL), ecNotFound);
	gx_store_unsubscribe(s, sub[0]);
	gx_store_unsubscribe(s, sub[1]);
	st_verify(s);
	gx_store_pool_put(et_pool, s);
}
END_TEST

/* All of it at once, and what searches show of it afterwards. */
START_TEST(a_folder_deleted_softly)
{
	static const struct gx_restr sized = {.type = RES_EXIST, .u.exist.tag = PidTagMessageSize};
	static const uint64_t scope[] = {GX_FID_IPMSUBTREE};
	struct gx_store *s = store_of("ann");
	struct gx_folder_info f;
	uint64_t search;
	bool done = false;
	fill(s, fid_a);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_FINDER, "all", NULL, GX_FOLDER_SEARCH, NULL, &search));
	ST_OK(gx_search_set(t, search, RECURSIVE_SEARCH, &sized, scope, 1));
	st_commit(t);
	while (!done)
		ck_assert_int_eq(gx_search_run(s, 100, &done), 0);
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, search, et_a, &f));
	ck_assert_uint_eq(f.total, MANY + MESSAGES + 1);
	gx_txn_abort(t);
	ck_assert(!delete_folder(ROOT, fid_a, 5));
	ST_OK(et_do(RopOpenFolder, LOGON, OTHER, &(struct gx_rop_open_folder_req){fid_a, 4}, NULL));
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_get(t, search, et_a, &f));
	ck_assert_uint_eq(f.total, 0);
	ST_OK(gx_folder_undelete(t, gx_eid_counter(fid_a)));
	st_commit(t);
	ck_assert_uint_eq(rows(A), MANY + MESSAGES);
	st_verify(s);
	gx_store_pool_put(et_pool, s);
}
END_TEST

/* A folder in it that belongs to others stays, and what it is in. */
START_TEST(a_folder_deleted_in_part)
{
	struct gx_rop_delete_folder_res *r;
	struct gx_folder_info f;
	uint64_t top, inner, other, shared = et_open_shared(PUBLIC, SHARED, GX_RIGHTS_ALL);
	struct gx_store *s = store_of("public");
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, shared, "top", NULL, GX_FOLDER_GENERIC, NULL, &top));
	ST_OK(gx_folder_create(t, top, "inner", NULL, GX_FOLDER_GENERIC, NULL, &inner));
	ST_OK(gx_folder_create(t, top, "other", NULL, GX_FOLDER_GENERIC, NULL, &other));
	(void)st_insert(t, top, 1, 10, 0);
	(void)st_insert(t, inner, 1, 10, 0);
	ST_OK(gx_folder_set_permission(t, inner, "ann@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	st_commit(t);
	for (unsigned hard = 0; hard < 2; ++hard) {
		const struct gx_rop_delete_folder_req q = {hard ? 0x15 : 5, gx_eid_make(1, top)};
		ST_OK(et_do_at(P, RopDeleteFolder, SHARED, 0, &q, (void **)&r));
		ck_assert(r->partial_completion);
	}
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, top, et_a, &f));
	ck_assert(f.total == 0 && f.subfolders == 1);
	ST_OK(gx_folder_get(t, inner, et_a, &f));
	ck_assert_uint_eq(f.total, 1);
	gx_txn_abort(t);
	st_verify(s);
	gx_store_pool_put(et_pool, s);
}
END_TEST

static Suite *emsjob_suite(void)
{
	Suite *s = suite_create("emsjob");
	TCase *t = tcase_create("emsjob");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, clients_that_take_no_progress);
	tcase_add_test(t, a_folder_copied);
	tcase_add_test(t, all_marked_as_read);
	tcase_add_test(t, what_is_in_a_folder);
	tcase_add_test(t, messages);
	tcase_add_test(t, emptied);
	tcase_add_test(t, ended_before_its_end);
	tcase_add_test(t, a_folder_moved_away);
	tcase_add_test(t, a_folder_deleted_for_good);
	tcase_add_test(t, a_folder_deleted_softly);
	tcase_add_test(t, a_folder_deleted_in_part);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsjob_suite)
