/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, handles, buffers, and the first operations, from the client's side. */
#include <config.h>
#include <gx/entryid.h>
#include "libgxproto/emsmdb/emstest.h"

/* ---- Sessions ---- */

static gx_ec connect_as(const char *user, const char *dn, uint32_t cp)
{
	struct gx_ems_connect c = GX_EMS_CONNECT_INIT;
	struct gx_ems_connected r;
	struct gx_ems_session *s = NULL;
	c.user = user;
	c.user_dn = dn;
	c.code_page = cp;
	gx_ec ec = gx_ems_session_new(et_ems, &c, et_a, &s, &r);
	if (!gx_ec_failed(ec)) {
		gx_ems_session_end(s);
		gx_ems_session_put(s);
	}
	return ec;
}

START_TEST(who_may_connect)
{
	ST_OK(connect_as("ann@example.org", et_dn[0], 1252));
	ST_OK(connect_as("ANN@example.org", et_dn[0], 65001));
	ST_IS(connect_as("ann@example.org", et_dn[1], 1252), ecAccessDenied);
	ST_IS(connect_as("ann@example.org", "/o=x", 1252), ecUnknownUser);
	ST_IS(connect_as("ann@example.org", "", 1252), ecUnknownUser);
	ST_IS(connect_as("ann@example.org", et_dn[0], 1200), ecUnknownCodePage);
	ST_IS(connect_as("ann@example.org", et_dn[0], 4711), ecUnknownCodePage);
}
END_TEST

START_TEST(sessions_are_found_by_their_owners)
{
	struct gx_guid other = et_s->sess.id;
	other.d1 ^= 1;
	struct gx_ems_session *s = gx_ems_session_get(et_ems, &et_s->sess.id, "Ann@example.org", NULL);
	ck_assert_ptr_eq(s, et_s);
	ck_assert_ptr_null(gx_ems_session_get(et_ems, &et_s->sess.id, "bob@example.org", NULL));
	ck_assert_ptr_null(gx_ems_session_get(et_ems, &other, "ann@example.org", NULL));
	/* one that has ended lives for those who hold it */
	gx_ems_session_end(s);
	gx_ems_session_end(s);
	ck_assert_ptr_null(gx_ems_session_get(et_ems, &et_s->sess.id, "ann@example.org", NULL));
	et_logon(et_dn[0]);
	gx_ems_session_put(s);
	ck_assert_uint_eq(gx_ems_tick(et_ems), 0);
}
END_TEST

START_TEST(limits_of_sessions)
{
	struct gx_ems_session *s[3];
	et_ems->o.max_user_sessions = 3;
	s[0] = et_connect("ann@example.org", et_dn[0]);
	s[1] = et_connect("ann@example.org", et_dn[0]);
	ST_IS(connect_as("ann@example.org", et_dn[0], 1252), ecOutOfResources);
	s[2] = et_connect("bob@example.org", et_dn[1]);
	gx_ems_session_end(s[0]);
	ST_OK(connect_as("ann@example.org", et_dn[0], 1252));
	et_ems->o.max_user_sessions = 0;
	et_ems->o.max_users = 1;
	gx_ems_session_end(s[2]);
	ST_IS(connect_as("bob@example.org", et_dn[1], 1252), ecOutOfResources);
	ST_OK(connect_as("ann@example.org", et_dn[0], 1252));
	et_ems->o.max_sessions = 2;
	ST_IS(connect_as("ann@example.org", et_dn[0], 1252), ecOutOfResources);
	for (int i = 0; i < 3; ++i)
		gx_ems_session_put(s[i]);
}
END_TEST

static unsigned lines;

static void count_line(const char *text, void *ctx)
{
	(void)ctx;
	ck_assert_ptr_nonnull(strstr(text, "user=ann@example.org"));
	++lines;
}

START_TEST(idle_sessions_end)
{
	struct gx_ems_session *s = et_connect("ann@example.org", et_dn[0]);
	struct gx_guid id = s->sess.id;
	lines = 0;
	gx_ems_dump(et_ems, count_line, NULL);
	ck_assert_uint_eq(lines, 2);
	gx_ems_session_put(s);
	ck_assert_uint_eq(gx_ems_tick(et_ems), 2);
	s->sess.used_ms -= 2000 * 1000 + 1000;
	ck_assert_uint_eq(gx_ems_tick(et_ems), 1); /* the other one is held */
	ck_assert_ptr_null(gx_ems_session_get(et_ems, &id, "ann@example.org", NULL));
}
END_TEST

/* ---- Logons ---- */

START_TEST(logon_to_ones_own_mailbox)
{
	const struct gx_rop_logon_req q = {.logon_flags = 1, .essdn = et_dn[0]};
	struct gx_rop_logon_res *r;
	ST_OK(et_do(RopLogon, 0, 0, &q, (void **)&r));
	ck_assert_uint_eq(r->logon_flags, 1);
	ck_assert_uint_eq(r->response_flags, 7);
	ck_assert_uint_eq(r->folder_ids[4], gx_eid_make(1, GX_FID_INBOX));
	ck_assert_uint_eq(r->folder_ids[12], gx_eid_make(1, GX_FID_SHORTCUTS));
	ck_assert_uint_eq(r->repl_id, 1);
	ck_assert_uint_ge(r->logon_time.year, 2024);
	ck_assert_uint_ne(et_handles[0], GX_ROP_NO_HANDLE);
}
END_TEST

START_TEST(logon_to_the_public_store)
{
	struct gx_rop_logon_req q = {.open_flags = 2};
	struct gx_rop_logon_res *r;
	ST_OK(et_do(RopLogon, 0, 0, &q, (void **)&r));
	ck_assert_uint_eq(r->logon_flags, 0);
	ck_assert_uint_eq(r->folder_ids[1], gx_eid_make(1, GX_FID_PUB_IPMSUBTREE));
	ck_assert_uint_eq(r->folder_ids[9], 0);
	q.logon_flags = 1;
	ST_IS(et_do(RopLogon, 0, 0, &q, NULL), ecInvalidParam);
}
END_TEST

static void permit_bob_s_inbox(void)
{
	struct gx_store *s;
	struct gx_txn *t;
	const char *why;
	const struct gx_actor sys = GX_ACTOR_SYSTEM;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/bob", et_dir), &s, et_a, &why), 0);
	ck_assert_int_eq(gx_txn_begin(s, &sys, GX_TXN_WRITE, 5000, &t), 0);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "ann@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	gx_store_pool_put(et_pool, s);
}

START_TEST(logon_to_another_mailbox)
{
	struct gx_rop_logon_req q = {.logon_flags = 1, .essdn = et_dn[1]};
	struct gx_rop_logon_res *r;
	ST_IS(et_do(RopLogon, 0, 0, &q, NULL), ecLoginPerm);
	ck_assert_uint_eq(et_handles[0], GX_ROP_NO_HANDLE);
	permit_bob_s_inbox();
	ST_OK(et_do(RopLogon, 0, 0, &q, (void **)&r));
	ck_assert_uint_eq(r->response_flags, 1);
	const struct gx_rop_logon_req admin = {.logon_flags = 1, .open_flags = 1, .essdn = et_dn[1]}, own = {.logon_flags = 1, .open_flags = 1, .essdn = et_dn[0]};
	ST_IS(et_do(RopLogon, 0, 0, &admin, NULL), ecLoginPerm);
	ST_OK(et_do(RopLogon, 0, 0, &own, NULL));
	ST_OK(et_do(RopLogon, 0, 0, &q, NULL));
	const struct gx_rop_open_folder_req inbox = {gx_eid_make(1, GX_FID_INBOX), 0}, sent = {gx_eid_make(1, GX_FID_SENT), 0};
	ST_OK(et_do(RopOpenFolder, 0, 1, &inbox, NULL));
	ST_IS(et_do(RopOpenFolder, 0, 1, &sent, NULL), ecAccessDenied);
	ck_assert_uint_eq(et_handles[1], GX_ROP_NO_HANDLE);
	const struct gx_rop_create_folder_req f = {.folder_type = 1, .display_name = "x", .comment = ""};
	ST_OK(et_do(RopOpenFolder, 0, 1, &inbox, NULL));
	ST_IS(et_do(RopCreateFolder, 1, 2, &f, NULL), ecAccessDenied);
	q.essdn = "/o=x/cn=recipients/cn=0100000009000000-zoe";
	ST_IS(et_do(RopLogon, 0, 0, &q, NULL), ecUnknownUser);
	q.essdn = NULL;
	ST_IS(et_do(RopLogon, 0, 0, &q, NULL), ecUnknownUser);
}
END_TEST

START_TEST(mailboxes_of_other_servers)
{
	const struct gx_rop_logon_req q = {.logon_flags = 1, .essdn = et_dn[0]};
	struct gx_rop_logon_fail_478 *r;
	uint32_t id;
	ck_assert_int_eq(gx_dir_add_server(et_people, "mail2.example.org", NULL, &id), 0);
	ck_assert_int_eq(gx_dir_set_homeserver(et_people, "ann@example.org", id), 0);
	ST_IS(et_do(RopLogon, 0, 0, &q, (void **)&r), ecWrongServer);
	ck_assert_str_eq(r->server_name, "mail2.example.org");
}
END_TEST

START_TEST(where_each_store_has_a_process)
{
	struct gx_rop_logon_req q = {.logon_flags = 1, .essdn = et_dn[0]};
	struct gx_rop_logon_fail_478 *r;
	et_ems->o.only = gx_arena_printf(et_a, "%s/ann", et_dir);
	et_ems->o.host = "here.example.org";
	ST_OK(et_do(RopLogon, 0, 0, &q, NULL));
	q.essdn = et_dn[1];
	ST_IS(et_do(RopLogon, 0, 0, &q, (void **)&r), ecWrongServer);
	ck_assert_str_eq(r->server_name, "here.example.org");
	q = (struct gx_rop_logon_req){.open_flags = 2};
	ST_IS(et_do_at(1, RopLogon, 0, 0, &q, (void **)&r), ecWrongServer);
	ck_assert_str_eq(r->server_name, "here.example.org");
}
END_TEST

START_TEST(a_logon_s_number_used_anew)
{
	const struct gx_rop_open_folder_req q = {gx_eid_make(1, GX_FID_INBOX), 0};
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, 0, 1, &q, NULL));
	et_logon(et_dn[0]);
	/* what belonged to the old one is gone */
	ST_IS(et_do(RopGetHierarchyTable, 1, 2, &(struct gx_rop_get_hierarchy_table_req){0}, NULL), ecNullObject);
	ST_OK(et_do(RopOpenFolder, 0, 1, &q, NULL));
}
END_TEST

/* ---- Buffers ---- */

START_TEST(several_at_once)
{
	static const gx_proptag_t tags[] = {PidTagDisplayName, PidTagFolderId};
	const struct gx_rop_logon_req logon = {.logon_flags = 1, .essdn = et_dn[0]};
	const struct gx_rop_open_folder_req folder = {gx_eid_make(1, GX_FID_IPMSUBTREE), 0};
	const struct gx_rop_get_hierarchy_table_req table = {0};
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = 2};
	const struct gx_rop_query_rows_req rows = {.forward_read = true, .row_count = 100};
	struct gx_rop_get_hierarchy_table_res *count;
	struct gx_rop_query_rows_res *r;
	struct gx_pull c;
	bool seen = false;
	et_add(RopLogon, 0, 0, &logon);
	et_add(RopOpenFolder, 0, 1, &folder);
	et_add(RopGetHierarchyTable, 1, 2, &table);
	et_add(RopSetColumns, 2, 0, &cols);
	et_add(RopQueryRows, 2, 0, &rows);
	et_add(RopRelease, 2, 0, NULL);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	et_columns = (struct gx_columns){tags, 2};
	ST_OK(et_answer(&c, RopLogon, NULL));
	ST_OK(et_answer(&c, RopOpenFolder, NULL));
	ST_OK(et_answer(&c, RopGetHierarchyTable, (void **)&count));
	ST_OK(et_answer(&c, RopSetColumns, NULL));
	ST_OK(et_answer(&c, RopQueryRows, (void **)&r));
	ck_assert_uint_eq(c.left, 0);
	ck_assert_uint_gt(count->row_count, 5);
	ck_assert_uint_eq(r->row_data_count, count->row_count);
	ck_assert_uint_eq(r->origin, 2);
	for (uint32_t i = 0; i < r->row_data_count; ++i)
		seen = seen || (strcmp(r->row_data[i].v[0].v.str, "Inbox") == 0 && (uint64_t)r->row_data[i].v[1].v.i64 == gx_eid_make(1, GX_FID_INBOX));
	ck_assert(seen);
	ck_assert_uint_eq(et_handles[2], GX_ROP_NO_HANDLE);
}
END_TEST

START_TEST(answers_without_room)
{
	struct gx_pull c;
	struct gx_rop_buffer_too_small_res *small;
	unsigned done = 0;
	et_logon(et_dn[0]);
	for (unsigned i = 0; i < 60; ++i)
		et_add(RopGetStoreState, 0, 0, NULL);
	size_t one = et_out.len / 60;
	ST_OK(et_send_to(et_s, 0, 600, &c));
	while (c.p[0] == RopGetStoreState) {
		ST_OK(et_answer(&c, RopGetStoreState, NULL));
		++done;
	}
	(void)et_answer(&c, RopBufferTooSmall, (void **)&small);
	ck_assert_uint_gt(done, 0);
	ck_assert_uint_lt(done, 60);
	/* the rest comes back as it was sent */
	ck_assert_uint_eq(small->request_buffers.len, (60 - done) * one);
	ck_assert_uint_eq(small->request_buffers.data[0], RopGetStoreState);
	et_add(RopGetStoreState, 0, 0, NULL);
	ST_IS(et_send_to(et_s, 0, 60, &c), ecBufferTooSmall);
}
END_TEST

static gx_ec raw(const char *bytes, size_t n)
{
	struct gx_bin out;
	return gx_ems_execute(et_s, 0, (struct gx_bin){(const uint8_t *)bytes, n}, 32768, et_a, &out);
}

START_TEST(buffers_that_are_none)
{
	ST_IS(raw("", 0), ecRpcFormat);
	ST_IS(raw("\0\0\4\0\2\0\2\0", 8), ecRpcFormat);
	ST_IS(raw("\0\0\4\0\2\0\2\0\1\0", 10), ecRpcFormat);
	ST_OK(raw("\0\0\4\0\2\0\2\0\2\0", 10));
	ST_IS(raw("\1\0\4\0\2\0\2\0\2\0", 10), ecRpcFormat);       /* version */
	ST_IS(raw("\0\0\0\0\2\0\2\0\2\0", 10), ecRpcFormat);       /* another should follow */
	ST_IS(raw("\0\0\4\0\3\0\3\0\3\0\x28", 11), ecRpcFormat);   /* no such operation */
	ST_IS(raw("\0\0\4\0\4\0\4\0\4\0\2\0", 12), ecRpcFormat);   /* cut */
	ST_IS(raw("\0\0\5\0\2\0\x10\0\2\0", 10), ecRpcFormat);     /* not compressed */
	/* an index outside the table */
	ST_OK(raw("\0\0\4\0\x09\0\x09\0\5\0\1\0\7\0\0\0\0", 17));
	ST_IS(raw("\0\0\4\0\5\0\5\0\5\0\1\0\7", 13), ecSuccess);
}
END_TEST

START_TEST(handles_of_nothing)
{
	const struct gx_rop_open_folder_req q = {gx_eid_make(1, GX_FID_INBOX), 0};
	ST_IS(et_do(RopOpenFolder, 0, 1, &q, NULL), ecNullObject);
	et_logon(et_dn[0]);
	ST_IS(et_do(RopOpenFolder, 5, 1, &q, NULL), ecNullObject);
	ST_IS(et_do(RopGetHierarchyTable, 0, 1, &(struct gx_rop_get_hierarchy_table_req){0}, NULL), ecNotSupported);
	ST_IS(et_do(RopSetColumns, 0, 0, &(struct gx_rop_set_columns_req){0}, NULL), ecNotSupported);
	/* a handle that was released is not another object's */
	ST_OK(et_do(RopOpenFolder, 0, 1, &q, NULL));
	uint32_t old = et_handles[1];
	struct gx_pull c;
	et_add(RopRelease, 1, 0, NULL);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ST_OK(et_do(RopOpenFolder, 0, 1, &q, NULL));
	ck_assert_uint_ne(et_handles[1], old);
	et_handles[2] = old;
	ST_IS(et_do(RopGetHierarchyTable, 2, 3, &(struct gx_rop_get_hierarchy_table_req){0}, NULL), ecNullObject);
}
END_TEST

START_TEST(too_many_handles)
{
	const struct gx_rop_open_folder_req q = {gx_eid_make(1, GX_FID_INBOX), 0};
	et_ems->o.max_handles = 4;
	et_logon(et_dn[0]);
	for (uint8_t i = 1; i < 4; ++i)
		ST_OK(et_do(RopOpenFolder, 0, i, &q, NULL));
	ST_IS(et_do(RopOpenFolder, 0, 4, &q, NULL), ecTooManyOpenObjects);
	struct gx_pull c;
	et_add(RopRelease, 1, 0, NULL);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ST_OK(et_do(RopOpenFolder, 0, 4, &q, NULL));
}
END_TEST

START_TEST(compressed_answers)
{
	static const gx_proptag_t tags[] = {PidTagDisplayName, PidTagContainerClass, PidTagComment};
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = 3};
	const struct gx_rop_query_rows_req rows = {.forward_read = true, .row_count = 100};
	struct gx_pull c;
	et_ems->o.compress_threshold = 0;
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, 0, 1, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_IPMSUBTREE), 0}, NULL));
	ST_OK(et_do(RopGetHierarchyTable, 1, 2, &(struct gx_rop_get_hierarchy_table_req){4}, NULL));
	ST_OK(et_do(RopSetColumns, 2, 0, &cols, NULL));
	et_columns = (struct gx_columns){tags, 3};
	for (uint32_t flags = 0; flags < 4; ++flags) {
		et_add(RopQueryRows, 2, 0, &(struct gx_rop_query_rows_req){.query_rows_flags = 1, .forward_read = true, .row_count = rows.row_count});
		ST_OK(et_send_to(et_s, flags, 32768, &c));
		ST_OK(et_answer(&c, RopQueryRows, NULL));
	}
}
END_TEST

/* ---- Folders and ids ---- */

START_TEST(folders_made_and_deleted)
{
	struct gx_rop_create_folder_req q = {.folder_type = 1, .use_unicode_strings = true, .display_name = "Pl\303\244ne", .comment = "c"};
	struct gx_rop_create_folder_res *made, *again;
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, 0, 1, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_IPMSUBTREE), 0}, NULL));
	ST_OK(et_do(RopCreateFolder, 1, 2, &q, (void **)&made));
	ck_assert(!made->is_existing_folder);
	ST_IS(et_do(RopCreateFolder, 1, 3, &q, NULL), ecDuplicateName);
	q.open_existing = true;
	ST_OK(et_do(RopCreateFolder, 1, 3, &q, (void **)&again));
	ck_assert(again->is_existing_folder);
	ck_assert_uint_eq(again->folder_id, made->folder_id);
	q.display_name = "";
	ST_IS(et_do(RopCreateFolder, 1, 3, &q, NULL), ecInvalidParam);
	q.display_name = "below";
	ST_OK(et_do(RopCreateFolder, 2, 3, &q, NULL));
	struct gx_rop_delete_folder_req d = {0, made->folder_id};
	struct gx_rop_delete_folder_res *gone;
	ST_OK(et_do(RopDeleteFolder, 1, 0, &d, (void **)&gone));
	ck_assert(gone->partial_completion);
	d.delete_folder_flags = 4;
	ST_OK(et_do(RopDeleteFolder, 1, 0, &d, (void **)&gone));
	ck_assert(!gone->partial_completion);
	ST_IS(et_do(RopDeleteFolder, 1, 0, &d, NULL), ecNotFound);
	ST_IS(et_do(RopOpenFolder, 0, 5, &(struct gx_rop_open_folder_req){made->folder_id, 0}, NULL), ecNotFound);
	ST_OK(et_do(RopOpenFolder, 0, 5, &(struct gx_rop_open_folder_req){made->folder_id, 4}, NULL));
	d.folder_id = gx_eid_make(7, 7);
	ST_IS(et_do(RopDeleteFolder, 1, 0, &d, NULL), ecNotFound);
	struct gx_rop_delete_folder_req built_in = {4, gx_eid_make(1, GX_FID_INBOX)};
	ck_assert(gx_ec_failed(et_do(RopDeleteFolder, 1, 0, &built_in, NULL)));
}
END_TEST

START_TEST(ids_long_and_short)
{
	struct gx_rop_long_term_id_from_id_res *l;
	struct gx_rop_id_from_long_term_id_res *s;
	et_logon(et_dn[0]);
	const struct gx_rop_long_term_id_from_id_req q = {gx_eid_make(1, 0x123456)};
	ST_OK(et_do(RopLongTermIdFromId, 0, 0, &q, (void **)&l));
	struct gx_rop_id_from_long_term_id_req b = {l->long_term_id};
	ck_assert_uint_eq(l->long_term_id.global_counter, 0x123456);
	ST_OK(et_do(RopIdFromLongTermId, 0, 0, &b, (void **)&s));
	ck_assert_uint_eq(s->object_id, q.object_id);
	b.long_term_id.database_guid.d1 ^= 1;
	ST_IS(et_do(RopIdFromLongTermId, 0, 0, &b, NULL), ecNotFound);
	ST_IS(et_do(RopLongTermIdFromId, 0, 0, &(struct gx_rop_long_term_id_from_id_req){gx_eid_make(9, 1)}, NULL), ecNotFound);
	struct gx_rop_get_store_state_res *state;
	ST_OK(et_do(RopGetStoreState, 0, 0, NULL, (void **)&state));
	ck_assert_uint_eq(state->store_state, 0);
}
END_TEST

START_TEST(rows_in_portions)
{
	static const gx_proptag_t tags[] = {PidTagDisplayName};
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = 1};
	struct gx_rop_create_folder_req f = {.folder_type = 1, .comment = ""};
	struct gx_rop_query_rows_res *r;
	struct gx_pull c;
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, 0, 1, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_NOTES), 0}, NULL));
	for (int i = 0; i < 90; ++i) {
		f.display_name = gx_arena_printf(et_a, "folder %02d", i);
		ST_OK(et_do(RopCreateFolder, 1, 2, &f, NULL));
	}
	ST_OK(et_do(RopGetHierarchyTable, 1, 2, &(struct gx_rop_get_hierarchy_table_req){0}, NULL));
	ST_IS(et_do(RopQueryRows, 2, 0, &(struct gx_rop_query_rows_req){0, true, 5}, NULL), ecNullObject);
	ST_IS(et_do(RopSetColumns, 2, 0, &(struct gx_rop_set_columns_req){0}, NULL), ecInvalidParam);
	ST_OK(et_do(RopSetColumns, 2, 0, &cols, NULL));
	et_columns = (struct gx_columns){tags, 1};
	uint32_t seen = 0;
	do { /* as much as fits each time, and no row twice */
		et_add(RopQueryRows, 2, 0, &(struct gx_rop_query_rows_req){0, true, 1000});
		ST_OK(et_send_to(et_s, 0, 512, &c));
		ST_OK(et_answer(&c, RopQueryRows, (void **)&r));
		for (uint32_t i = 0; i < r->row_data_count; ++i)
			ck_assert_str_eq(r->row_data[i].v[0].v.str, gx_arena_printf(et_a, "folder %02u", seen++));
	} while (r->origin != 2);
	ck_assert_uint_eq(seen, 90);
	ST_OK(et_do(RopQueryRows, 2, 0, &(struct gx_rop_query_rows_req){0, false, 70}, (void **)&r));
	ck_assert_uint_eq(r->row_data_count, 70);
	ck_assert_str_eq(r->row_data[0].v[0].v.str, "folder 89");
	ck_assert_str_eq(r->row_data[69].v[0].v.str, "folder 20");
	ST_OK(et_do(RopQueryRows, 2, 0, &(struct gx_rop_query_rows_req){1, true, 1}, (void **)&r));
	ck_assert_str_eq(r->row_data[0].v[0].v.str, "folder 20");
	ST_OK(et_do(RopQueryRows, 2, 0, &(struct gx_rop_query_rows_req){0, false, 100}, (void **)&r));
	ck_assert_uint_eq(r->row_data_count, 20);
	ck_assert_uint_eq(r->origin, 0);
}
END_TEST

static Suite *emsmdb_suite(void)
{
	Suite *s = suite_create("emsmdb");
	TCase *t = tcase_create("emsmdb");
	tcase_add_checked_fixture(t, et_setup, et_teardown);
	tcase_add_test(t, who_may_connect);
	tcase_add_test(t, sessions_are_found_by_their_owners);
	tcase_add_test(t, limits_of_sessions);
	tcase_add_test(t, idle_sessions_end);
	tcase_add_test(t, logon_to_ones_own_mailbox);
	tcase_add_test(t, logon_to_the_public_store);
	tcase_add_test(t, logon_to_another_mailbox);
	tcase_add_test(t, mailboxes_of_other_servers);
	tcase_add_test(t, where_each_store_has_a_process);
	tcase_add_test(t, a_logon_s_number_used_anew);
	tcase_add_test(t, several_at_once);
	tcase_add_test(t, answers_without_room);
	tcase_add_test(t, buffers_that_are_none);
	tcase_add_test(t, handles_of_nothing);
	tcase_add_test(t, too_many_handles);
	tcase_add_test(t, compressed_answers);
	tcase_add_test(t, folders_made_and_deleted);
	tcase_add_test(t, ids_long_and_short);
	tcase_add_test(t, rows_in_portions);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsmdb_suite)
