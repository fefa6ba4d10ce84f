/* SPDX-License-Identifier: Apache-2.0 */
/* What a session is told: subscriptions, tables, waiting; and answers of more than one buffer. */
#include <config.h>
#include <stdatomic.h>
#include <gx/entryid.h>
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/emsmdb/notify.h"

enum { LOGON = 0, FOLDER = 1, TABLE = 2, SUB = 3, SECOND = 4, MESSAGE_SIZE = 500 };

static const gx_proptag_t tags[] = {PidTagMid, PidTagSubject};
static struct gx_store *store; /* ann's, in other hands */

static void begin_with(const struct gx_ems_opts *o)
{
	const char *why = "";
	et_setup_with(o);
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/ann", et_dir), &store, et_a, &why), 0);
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_INBOX), 0}, NULL));
}

static void setup(void)
{
	begin_with(NULL);
}

static void teardown(void)
{
	gx_store_pool_put(et_pool, store);
	et_teardown();
}

/* Messages that somebody else brings; ids go to @ret_mids unless it is NULL. */
static void bring(unsigned n, uint64_t *ret_mids)
{
	for (unsigned i = 0; i < n; ++i) {
		struct gx_txn *t = st_begin(store, GX_TXN_WRITE);
		struct gx_msg_ids ids = st_insert(t, GX_FID_INBOX, i, MESSAGE_SIZE, 0);
		st_commit(t);
		if (ret_mids != NULL)
			ret_mids[i] = ids.mid;
	}
}

static void take_away(uint64_t mid)
{
	struct gx_txn *t = st_begin(store, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true));
	st_commit(t);
}

static void subscribe(uint16_t types, bool whole, uint64_t fid)
{
	const struct gx_rop_register_notification_req q = {.notification_types = types, .want_whole_store = whole, .folder_id = fid};
	ST_OK(et_do(RopRegisterNotification, LOGON, SUB, &q, NULL));
}

/* What there is to tell, asked for with no operation at all. */
struct told {
	struct gx_rop_notify_res *v[600];
	unsigned n;
	bool pending;
};

static void listen_to(struct gx_ems_session *s, size_t room, struct told *ret_t)
{
	struct gx_pull c;
	ret_t->n = 0;
	ret_t->pending = false;
	ST_OK(et_send_to(s, 0, room, &c));
	while (c.left > 0) {
		struct gx_rop_response r;
		gx_rop_pull_response_head(&c, &r);
		gx_rop_pull_response_body(&c, &et_x, &r);
		ck_assert_int_eq(c.err, 0);
		ck_assert(!ret_t->pending);
		if (r.desc->id == RopPending)
			ret_t->pending = true;
		else {
			ck_assert_uint_eq(r.desc->id, RopNotify);
			ret_t->v[ret_t->n++] = r.body;
		}
	}
}

static struct told hear(void)
{
	static struct told t;
	listen_to(et_s, 32768, &t);
	return t;
}

START_TEST(of_a_folder)
{
	uint64_t mid;
	subscribe(GX_FN_CREATED | GX_FN_DELETED | GX_FN_MODIFIED, false, gx_eid_make(1, GX_FID_INBOX));
	bring(1, &mid);
	struct told t = hear();
	ck_assert_uint_eq(t.n, 2);
	ck_assert_uint_eq(t.v[0]->notification_handle, et_handles[SUB]);
	ck_assert_uint_eq(t.v[0]->notification_flags, GX_FN_CREATED | GX_FN_OF_MESSAGE);
	ck_assert_uint_eq(t.v[0]->folder_id, gx_eid_make(1, GX_FID_INBOX));
	ck_assert_uint_eq(t.v[0]->message_id, gx_eid_wire(mid));
	ck_assert_uint_eq(t.v[1]->notification_flags, GX_FN_MODIFIED | GX_FN_HAS_TOTAL | GX_FN_HAS_UNREAD);
	ck_assert_uint_eq(t.v[1]->total_message_count, 1);
	ck_assert_uint_eq(t.v[1]->unread_message_count, 1);
	ck_assert_uint_eq(hear().n, 0);
	take_away(mid);
	t = hear();
	ck_assert_uint_eq(t.n, 2);
	ck_assert_uint_eq(t.v[0]->notification_flags, GX_FN_DELETED | GX_FN_OF_MESSAGE);
	ck_assert_uint_eq(t.v[1]->total_message_count, 0);
	/* nothing any more when it is closed */
	bring(1, NULL);
	et_add(RopRelease, SUB, 0, NULL);
	ck_assert_uint_eq(hear().n, 0);
}
END_TEST

START_TEST(of_other_folders_and_types_nothing)
{
	subscribe(GX_FN_CREATED, false, gx_eid_make(1, GX_FID_DRAFTS));
	bring(1, NULL);
	ck_assert_uint_eq(hear().n, 0);
	subscribe(GX_FN_DELETED, true, 0);
	bring(1, NULL);
	ck_assert_uint_eq(hear().n, 0);
	const struct gx_rop_register_notification_req none = {.want_whole_store = true},
		absent = {.notification_types = GX_FN_CREATED, .folder_id = gx_eid_make(1, 0x7777)};
	ST_IS(et_do(RopRegisterNotification, LOGON, SECOND, &none, NULL), ecInvalidParam);
	ST_IS(et_do(RopRegisterNotification, LOGON, SECOND, &absent, NULL), ecNotFound);
}
END_TEST

START_TEST(others_hear_of_what_they_may_read)
{
	const struct gx_rop_logon_req q = {.logon_flags = 1, .essdn = et_dn[0]};
	const struct gx_rop_register_notification_req all = {.notification_types = GX_FN_CREATED, .want_whole_store = true};
	struct gx_ems_session *bob = et_connect("bob@example.org", et_dn[1]);
	struct told t;
	struct gx_pull c;
	struct gx_txn *w = st_begin(store, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(w, GX_FID_DRAFTS, "bob@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	st_commit(w);
	et_add(RopLogon, LOGON, 0, &q);
	ST_OK(et_send_to(bob, 0, 32768, &c));
	ST_OK(et_answer(&c, RopLogon, NULL));
	et_add(RopRegisterNotification, LOGON, SUB, &all);
	ST_OK(et_send_to(bob, 0, 32768, &c));
	ST_OK(et_answer(&c, RopRegisterNotification, NULL));
	bring(1, NULL);
	listen_to(bob, 32768, &t);
	ck_assert_uint_eq(t.n, 0);
	w = st_begin(store, GX_TXN_WRITE);
	(void)st_insert(w, GX_FID_DRAFTS, 9, MESSAGE_SIZE, 0);
	st_commit(w);
	listen_to(bob, 32768, &t);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.v[0]->folder_id, gx_eid_make(1, GX_FID_DRAFTS));
	const struct gx_rop_register_notification_req inbox = {.notification_types = GX_FN_CREATED, .folder_id = gx_eid_make(1, GX_FID_INBOX)};
	et_add(RopRegisterNotification, LOGON, SUB, &inbox);
	ST_OK(et_send_to(bob, 0, 32768, &c));
	ST_IS(et_answer(&c, RopRegisterNotification, NULL), ecAccessDenied);
	gx_ems_session_put(bob);
}
END_TEST

START_TEST(what_does_not_fit_comes_later)
{
	struct told t;
	subscribe(GX_FN_CREATED, true, 0);
	bring(20, NULL);
	listen_to(et_s, 320, &t);
	ck_assert_uint_gt(t.n, 0);
	ck_assert_uint_lt(t.n, 20);
	ck_assert(t.pending);
	unsigned n = t.n;
	t = hear();
	ck_assert_uint_eq(n + t.n, 20);
	ck_assert(!t.pending);
}
END_TEST

START_TEST(too_much_leaves_the_newest)
{
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	uint64_t mids[40];
	o.max_notes = 10;
	o.max_subscriptions = 1;
	begin_with(&o);
	subscribe(GX_FN_CREATED | GX_FN_NEW_MAIL, true, 0);
	bring(40, mids);
	struct told t = hear();
	ck_assert_uint_gt(t.n, 0);
	ck_assert_uint_le(t.n, 10);
	ck_assert_uint_eq(t.v[t.n - 1]->message_id, gx_eid_wire(mids[39]));
	const struct gx_rop_register_notification_req q = {.notification_types = GX_FN_CREATED, .want_whole_store = true};
	ST_IS(et_do(RopRegisterNotification, LOGON, SECOND, &q, NULL), ecTooManyOpenObjects);
	teardown();
}
END_TEST

/* ---- Tables ---- */

static void open_table(uint8_t flags)
{
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = 2};
	et_columns = (struct gx_columns){tags, 2};
	ST_OK(et_do(RopGetContentsTable, FOLDER, TABLE, &(struct gx_rop_get_contents_table_req){flags}, NULL));
	ST_OK(et_do(RopSetColumns, TABLE, 0, &cols, NULL));
}

static void look(void)
{
	ST_OK(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 100}, NULL));
}

START_TEST(of_a_table)
{
	uint64_t mids[2];
	open_table(0);
	bring(1, NULL);
	ck_assert_uint_eq(hear().n, 0); /* nobody has looked at it */
	look();
	bring(2, mids);
	struct told t = hear();
	ck_assert_uint_eq(t.n, 2);
	for (unsigned i = 0; i < 2; ++i) {
		struct gx_pull c;
		struct gx_proprow row;
		ck_assert_uint_eq(t.v[i]->notification_handle, et_handles[TABLE]);
		ck_assert_uint_eq(t.v[i]->notification_flags, GX_FN_TABLE_MODIFIED | GX_FN_OF_MESSAGE);
		ck_assert_uint_eq(t.v[i]->table_event_type, 3);
		ck_assert_uint_eq(t.v[i]->table_row_message_id, gx_eid_wire(mids[i]));
		gx_pull_init(&c, t.v[i]->table_row_data.data, t.v[i]->table_row_data.len);
		gx_proprow_pull(&c, &et_x.px, &et_columns, &row);
		ck_assert_int_eq(c.err, 0);
		ck_assert_uint_eq(c.left, 0);
		ck_assert_uint_eq((uint64_t)row.v[0].v.i64, gx_eid_wire(mids[i]));
	}
	take_away(mids[0]);
	t = hear();
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.v[0]->table_event_type, 4);
	ck_assert_uint_eq(t.v[0]->table_row_message_id, gx_eid_wire(mids[0]));
	ST_OK(et_do(RopResetTable, TABLE, 0, NULL, NULL));
	bring(1, NULL);
	ck_assert_uint_eq(hear().n, 0);
}
END_TEST

START_TEST(a_row_that_is_gone_again)
{
	uint64_t mid;
	open_table(0);
	look();
	bring(1, &mid);
	take_away(mid);
	struct told t = hear();
	ck_assert_uint_ge(t.n, 1);
	ck_assert_uint_eq(t.v[0]->notification_flags, GX_FN_TABLE_MODIFIED);
	ck_assert_uint_eq(t.v[0]->table_event_type, 1);
}
END_TEST

START_TEST(much_of_a_table_is_read_again)
{
	open_table(0);
	look();
	bring(300, NULL);
	struct told t = hear();
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.v[0]->table_event_type, 1);
	bring(1, NULL);
	ck_assert_uint_eq(hear().n, 1);
}
END_TEST

START_TEST(tables_that_are_to_be_silent)
{
	enum { NO_NOTIFICATIONS = 0x10, NOT_OWN = 0x80 };
	open_table(NO_NOTIFICATIONS);
	look();
	bring(1, NULL);
	ck_assert_uint_eq(hear().n, 0);
	const struct gx_rop_create_folder_req made = {.folder_type = 1, .display_name = "a", .comment = ""},
		made_too = {.folder_type = 1, .display_name = "b", .comment = ""};
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = 1};
	struct gx_pull c;
	ST_OK(et_do(RopGetHierarchyTable, FOLDER, TABLE, &(struct gx_rop_get_hierarchy_table_req){NOT_OWN}, NULL));
	et_columns.count = 1;
	ST_OK(et_do(RopSetColumns, TABLE, 0, &cols, NULL));
	look();
	ST_OK(et_do(RopCreateFolder, FOLDER, SECOND, &made, NULL)); /* alone: no notification with it */
	ck_assert_uint_eq(hear().n, 0);
	ST_OK(et_do(RopGetHierarchyTable, FOLDER, TABLE, &(struct gx_rop_get_hierarchy_table_req){0}, NULL));
	ST_OK(et_do(RopSetColumns, TABLE, 0, &cols, NULL));
	look();
	et_add(RopCreateFolder, FOLDER, SECOND, &made_too);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ST_OK(et_answer(&c, RopCreateFolder, NULL));
	ck_assert_uint_gt(c.left, 0);
}
END_TEST

/* ---- Waiting ---- */

static void count(void *ctx)
{
	atomic_fetch_add((atomic_uint *)ctx, 1);
}

START_TEST(who_waits_is_woken)
{
	atomic_uint woken = 0;
	struct gx_ems_waiter w = {.wake = count, .ctx = &woken};
	subscribe(GX_FN_CREATED, true, 0);
	gx_ems_session_wait(et_s, &w);
	ck_assert_uint_eq(woken, 0);
	bring(1, NULL);
	ck_assert_uint_eq(woken, 1);
	ck_assert(gx_ems_session_unwait(et_s, &w));
	bring(1, NULL);
	ck_assert_uint_eq(woken, 1);
	gx_ems_session_wait(et_s, &w); /* there is something already */
	ck_assert_uint_eq(woken, 2);
	(void)hear();
	ck_assert(!gx_ems_session_unwait(et_s, &w));
	gx_ems_session_wait(et_s, &w);
	gx_ems_session_end(et_s);
	ck_assert_uint_eq(woken, 3);
	ck_assert(!gx_ems_session_unwait(et_s, &w));
}
END_TEST

/* ---- Chains ---- */

/* Rows of the answer to one RopQueryRows, and in how many buffers. */
static uint32_t rows_of(uint32_t flags, uint8_t query, uint16_t want, size_t max_out, unsigned *ret_buffers)
{
	const struct gx_rop_query_rows_req q = {query, true, want};
	struct gx_bin out, payload;
	struct gx_rop_buffer b;
	struct gx_pull c;
	uint32_t rows = 0;
	bool last = false;
	et_add(RopQueryRows, TABLE, 0, &q);
	ST_OK(et_execute(et_s, flags, max_out, &out));
	gx_pull_init(&c, out.data, out.len);
	for (*ret_buffers = 0; !last; ++*ret_buffers) {
		struct gx_rop_query_rows_res *r;
		struct gx_pull answers;
		gx_ext_pull(&c, et_a, &payload, &last);
		ck_assert_int_eq(c.err, 0);
		ck_assert_int_eq(gx_rop_buffer_pull(payload.data, payload.len, et_a, &b), 0);
		gx_pull_init(&answers, b.rops.data, b.rops.len);
		ST_OK(et_answer(&answers, RopQueryRows, (void **)&r));
		ck_assert_uint_eq(answers.left, 0);
		rows += r->row_data_count;
	}
	ck_assert_uint_eq(c.left, 0);
	return rows;
}

START_TEST(rows_in_several_buffers)
{
	enum { N = 400, PACKED = 2, BEGIN = 0 };
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	static const gx_proptag_t wide[] = {PidTagMid, PidTagSubject, PidTagEntryId, PidTagRecordKey, PidTagSearchKey, PidTagSourceKey,
		PidTagParentEntryId, PidTagChangeKey, PidTagPredecessorChangeList};
	const struct gx_rop_set_columns_req cols = {.property_tags = wide, .property_tags_count = 9};
	const struct gx_rop_seek_row_req top = {BEGIN, 0, false};
	unsigned buffers;
	o.rop_chaining = 2;
	begin_with(&o);
	bring(N, NULL);
	open_table(0);
	et_columns = (struct gx_columns){wide, 9};
	ST_OK(et_do(RopSetColumns, TABLE, 0, &cols, NULL));
	uint32_t alone = rows_of(0, PACKED, N, 0x40000, &buffers);
	ck_assert_uint_eq(buffers, 1);
	ck_assert_uint_lt(alone, N);
	ST_OK(et_do(RopSeekRow, TABLE, 0, &top, NULL));
	ck_assert_uint_eq(rows_of(GX_EXECUTE_CHAIN, PACKED, N, 0x40000, &buffers), N);
	ck_assert_uint_gt(buffers, 2);
	ST_OK(et_do(RopSeekRow, TABLE, 0, &top, NULL));
	ck_assert_uint_eq(rows_of(GX_EXECUTE_CHAIN, 0, N, 0x40000, &buffers), alone);
	ck_assert_uint_eq(buffers, 1);
	/* room for one only, and no more than was asked for */
	ST_OK(et_do(RopSeekRow, TABLE, 0, &top, NULL));
	ck_assert_uint_le(rows_of(GX_EXECUTE_CHAIN, PACKED, N, 0x9000, &buffers), alone);
	ck_assert_uint_eq(buffers, 1);
	ST_OK(et_do(RopSeekRow, TABLE, 0, &top, NULL));
	ck_assert_uint_eq(rows_of(GX_EXECUTE_CHAIN, PACKED, (uint16_t)(alone + 1), 0x40000, &buffers), alone + 1);
	ck_assert_uint_eq(buffers, 2);
	teardown();
}
END_TEST

static Suite *emsnotify_suite(void)
{
	Suite *s = suite_create("emsnotify");
	TCase *t = tcase_create("emsnotify"), *own = tcase_create("with options");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, of_a_folder);
	tcase_add_test(t, of_other_folders_and_types_nothing);
	tcase_add_test(t, others_hear_of_what_they_may_read);
	tcase_add_test(t, what_does_not_fit_comes_later);
	tcase_add_test(t, of_a_table);
	tcase_add_test(t, a_row_that_is_gone_again);
	tcase_add_test(t, much_of_a_table_is_read_again);
	tcase_add_test(t, tables_that_are_to_be_silent);
	tcase_add_test(t, who_waits_is_woken);
	tcase_add_test(own, too_much_leaves_the_newest);
	tcase_add_test(own, rows_in_several_buffers);
	suite_add_tcase(s, t);
	suite_add_tcase(s, own);
	return s;
}

GXTEST_MAIN(emsnotify_suite)
