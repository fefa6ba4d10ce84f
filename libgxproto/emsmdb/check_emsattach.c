/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments, their table, and messages in them. */
#include <config.h>
#include <gx/instance.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, MESSAGE = 2, ATT = 3, TABLE = 4, INNER = 5, OTHER = 6 };

static const struct gx_rop_save_changes_attachment_req keep = {2};

static void setup(void)
{
	et_setup();
	et_logon(et_dn[0]);
	et_new_message(LOGON, MESSAGE, GX_FID_DRAFTS);
	et_set_str(MESSAGE, PidTagSubject, "with attachments");
}

static uint32_t create(const char *name)
{
	struct gx_rop_create_attachment_res *r;
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, (void **)&r));
	et_set_str(ATT, PidTagAttachLongFilename, name);
	return r->attachment_id;
}

static void add(const char *name)
{
	(void)create(name);
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
}

static uint32_t valid(uint8_t h)
{
	struct gx_rop_get_valid_attachments_res *r;
	ST_OK(et_do(RopGetValidAttachments, h, 0, NULL, (void **)&r));
	return r->attachment_id_array_count;
}

START_TEST(made_saved_and_opened)
{
	struct gx_rop_create_attachment_res *r;
	uint32_t first = create("a.txt");
	ck_assert_uint_eq(valid(MESSAGE), 0);
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
	ck_assert_uint_eq(valid(MESSAGE), 1);
	add("b.txt");
	uint64_t mid = et_save(MESSAGE);
	ST_OK(et_open_message(LOGON, OTHER, mid, 0));
	ck_assert_uint_eq(valid(OTHER), 2);
	ck_assert(et_value(OTHER, PidTagHasAttachments)->v.b);
	ST_OK(et_do(RopOpenAttachment, OTHER, ATT, &(struct gx_rop_open_attachment_req){0, first}, NULL));
	ck_assert_str_eq(et_value(ATT, PidTagAttachLongFilename)->v.str, "a.txt");
	ck_assert_int_eq(et_value(ATT, PidTagRenderingPosition)->v.i32, -1);
	/* what may only be read */
	ST_IS(et_do(RopSaveChangesAttachment, OTHER, ATT, &keep, NULL), ecAccessDenied);
	ST_IS(et_do(RopOpenAttachment, OTHER, ATT, &(struct gx_rop_open_attachment_req){1, first}, NULL), ecAccessDenied);
	ST_OK(et_do(RopOpenAttachment, OTHER, ATT, &(struct gx_rop_open_attachment_req){3, first}, NULL));
	ST_IS(et_do(RopCreateAttachment, OTHER, ATT, NULL, (void **)&r), ecAccessDenied);
	ST_IS(et_do(RopOpenAttachment, OTHER, ATT, &(struct gx_rop_open_attachment_req){0, 77}, NULL), ecNotFound);
	/* what is no message, what is no attachment */
	ST_IS(et_do(RopCreateAttachment, LOGON, ATT, NULL, (void **)&r), ecNullObject);
	ST_IS(et_do(RopOpenAttachment, LOGON, ATT, &(struct gx_rop_open_attachment_req){0, 0}, NULL), ecNullObject);
	ST_IS(et_do(RopSaveChangesAttachment, OTHER, MESSAGE, &keep, NULL), ecNullObject);
	ST_IS(et_do(RopGetValidAttachments, LOGON, 0, NULL, NULL), ecNullObject);
}
END_TEST

START_TEST(one_that_outlives_its_message)
{
	(void)create("a");
	et_release(MESSAGE);
	ST_OK(et_do(RopSaveChangesAttachment, ATT, ATT, &(struct gx_rop_save_changes_attachment_req){1}, NULL));
	ST_IS(et_do(RopSaveChangesAttachment, ATT, ATT, &keep, NULL), ecAccessDenied);
}
END_TEST

START_TEST(deleted)
{
	add("a");
	add("b");
	ST_IS(et_do(RopDeleteAttachment, MESSAGE, 0, &(struct gx_rop_delete_attachment_req){9}, NULL), ecNotFound);
	ST_OK(et_do(RopDeleteAttachment, MESSAGE, 0, &(struct gx_rop_delete_attachment_req){0}, NULL));
	ST_IS(et_do(RopDeleteAttachment, ATT, 0, &(struct gx_rop_delete_attachment_req){1}, NULL), ecNullObject);
	uint64_t mid = et_save(MESSAGE);
	ST_OK(et_open_message(LOGON, OTHER, mid, 0));
	ck_assert_uint_eq(valid(OTHER), 1);
	ST_IS(et_do(RopDeleteAttachment, OTHER, 0, &(struct gx_rop_delete_attachment_req){0}, NULL), ecAccessDenied);
}
END_TEST

/* ---- The table ---- */

static struct gx_rop_query_rows_res *rows(void)
{
	struct gx_rop_query_rows_res *r;
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){0, 0, false}, NULL));
	ST_OK(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 100}, (void **)&r));
	return r;
}

START_TEST(the_table)
{
	static const gx_proptag_t cols[] = {PidTagAttachNumber, PidTagAttachLongFilename, PidTagAttachSize};
	struct gx_rop_query_position_res *p;
	struct gx_rop_find_row_res *f;
	struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagAttachNumber, {PidTagAttachNumber, {.i32 = 1}}}};
	const struct gx_rop_set_columns_req columns = {0, cols, 3};
	add("a");
	add("b");
	ST_OK(et_do(RopGetAttachmentTable, MESSAGE, TABLE, &(struct gx_rop_get_attachment_table_req){0x40}, NULL));
	ST_IS(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 100}, NULL), ecNullObject);
	et_columns = (struct gx_columns){cols, 3};
	ST_OK(et_do(RopSetColumns, TABLE, 0, &columns, NULL));
	ck_assert_uint_eq(rows()->row_data_count, 2);
	ck_assert_str_eq(rows()->row_data[1].v[1].v.str, "b");
	ck_assert_int_gt(rows()->row_data[1].v[2].v.i32, 0);
	/* it follows the message */
	add("c");
	ck_assert_uint_eq(rows()->row_data_count, 3);
	ST_OK(et_do(RopDeleteAttachment, MESSAGE, 0, &(struct gx_rop_delete_attachment_req){0}, NULL));
	ck_assert_uint_eq(rows()->row_data_count, 2);
	ck_assert_str_eq(rows()->row_data[0].v[1].v.str, "b");
	ST_OK(et_do(RopQueryPosition, TABLE, 0, NULL, (void **)&p));
	ck_assert(p->numerator == 2 && p->denominator == 2);
	ST_OK(et_do(RopFindRow, TABLE, 0, &(struct gx_rop_find_row_req){0, &r, 0, {0}}, (void **)&f));
	ck_assert(f->has_row_data);
	ck_assert_str_eq(f->row_data.v[1].v.str, "b");
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){0, &r}, NULL));
	ck_assert_uint_eq(rows()->row_data_count, 1);
	ST_IS(et_do(RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){0, {0}}, NULL), ecNotSupported);
	ST_OK(et_do(RopResetTable, TABLE, 0, NULL, NULL));
	ST_IS(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 100}, NULL), ecNullObject);
	/* it lives on without its message */
	ST_OK(et_do(RopSetColumns, TABLE, 0, &columns, NULL));
	et_save(MESSAGE);
	et_release(MESSAGE);
	ck_assert_uint_eq(rows()->row_data_count, 2);
	ST_IS(et_do(RopGetAttachmentTable, LOGON, OTHER, &(struct gx_rop_get_attachment_table_req){0}, NULL), ecNullObject);
	ST_IS(et_do(RopGetAttachmentTable, TABLE, OTHER, &(struct gx_rop_get_attachment_table_req){0}, NULL), ecNullObject);
}
END_TEST

START_TEST(a_table_of_many)
{
	static const gx_proptag_t cols[] = {PidTagAttachNumber};
	struct gx_rop_get_valid_attachments_res *r;
	for (int i = 0; i < 600; ++i) {
		struct gx_rop_create_attachment_res *a;
		ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, (void **)&a));
		ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
		et_release(ATT);
	}
	ST_OK(et_do(RopGetAttachmentTable, MESSAGE, TABLE, &(struct gx_rop_get_attachment_table_req){0}, NULL));
	et_columns = (struct gx_columns){cols, 1};
	ST_OK(et_do(RopSetColumns, TABLE, 0, &(struct gx_rop_set_columns_req){0, cols, 1}, NULL));
	struct gx_rop_query_rows_res *q;
	ST_OK(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 1000}, (void **)&q));
	ck_assert_uint_eq(q->row_data_count, 600);
	ck_assert_int_eq(q->row_data[599].v[0].v.i32, 599);
	ST_OK(et_do(RopGetValidAttachments, MESSAGE, 0, NULL, (void **)&r));
	ck_assert_uint_eq(r->attachment_id_array[599], 599);
}
END_TEST

/* ---- Messages in attachments ---- */

static gx_ec embedded(uint8_t att, uint8_t h, uint8_t mode, struct gx_rop_open_embedded_message_res **ret_r)
{
	return et_do(RopOpenEmbeddedMessage, att, h, &(struct gx_rop_open_embedded_message_req){1252, mode}, (void **)ret_r);
}

START_TEST(a_message_in_an_attachment)
{
	struct gx_rop_open_embedded_message_res *r;
	(void)create("x");
	ST_IS(embedded(ATT, INNER, 0, &r), ecNotFound);
	ST_OK(embedded(ATT, INNER, 2, &r));
	et_set_str(INNER, PidTagSubject, "FW: inner");
	ck_assert_uint_eq(et_save(INNER), r->message_id);
	/* Create opens one that is there */
	ST_OK(embedded(ATT, OTHER, 2, &r));
	ck_assert_str_eq(r->normalized_subject, "inner");
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
	uint64_t mid = et_save(MESSAGE);
	ST_OK(et_open_message(LOGON, MESSAGE, mid, 0));
	ST_OK(et_do(RopOpenAttachment, MESSAGE, ATT, &(struct gx_rop_open_attachment_req){0, 0}, NULL));
	ck_assert_int_eq(et_value(ATT, PidTagAttachMethod)->v.i32, 5);
	ST_OK(embedded(ATT, INNER, 0, &r));
	ck_assert_str_eq(r->subject_prefix, "FW: ");
	ck_assert_str_eq(et_value(INNER, PidTagSubject)->v.str, "FW: inner");
	ST_IS(et_do(RopSaveChangesMessage, INNER, INNER, &(struct gx_rop_save_changes_message_req){2}, NULL), ecAccessDenied);
	ST_IS(embedded(ATT, OTHER, 1, &r), ecAccessDenied);
	ST_IS(embedded(MESSAGE, OTHER, 0, &r), ecNullObject);
}
END_TEST

START_TEST(as_deep_as_it_goes)
{
	struct gx_rop_create_attachment_res *a;
	struct gx_rop_open_embedded_message_res *r;
	gx_ec ec = EMS_OK;
	unsigned depth = 0;
	while (!gx_ec_failed(ec) && depth < 1000) {
		ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, (void **)&a));
		ec = embedded(ATT, MESSAGE, 2, &r);
		depth += !gx_ec_failed(ec);
	}
	ST_IS(ec, ecTooComplex);
	ck_assert_uint_eq(depth, GX_INST_DEPTH_MAX);
}
END_TEST

/* The same each time, another one for each, and none that a message has. */
START_TEST(ids_of_messages_in_attachments)
{
	struct gx_rop_create_attachment_res *a;
	struct gx_rop_open_embedded_message_res *r;
	uint64_t ids[3];
	(void)create("x");
	ST_OK(embedded(ATT, INNER, 2, &r));
	(void)et_save(INNER);
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, (void **)&a));
	ST_OK(embedded(ATT, INNER, 2, &r));
	ST_OK(et_do(RopCreateAttachment, INNER, OTHER, NULL, (void **)&a));
	ST_OK(embedded(OTHER, OTHER + 1, 2, &r));
	(void)et_save(OTHER + 1);
	ST_OK(et_do(RopSaveChangesAttachment, INNER, OTHER, &keep, NULL));
	(void)et_save(INNER);
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
	uint64_t mid = et_save(MESSAGE);
	for (unsigned pass = 0; pass < 2; ++pass) {
		ST_OK(et_open_message(LOGON, MESSAGE, mid, 0));
		for (unsigned k = 0; k < 3; ++k) {
			bool deep = k == 2;
			ST_OK(et_do(RopOpenAttachment, deep ? INNER : MESSAGE, ATT, &(struct gx_rop_open_attachment_req){0, deep ? 0 : k}, NULL));
			ST_OK(embedded(ATT, INNER, 0, &r));
			ck_assert(r->message_id != 0 && r->message_id != mid);
			ck_assert(pass == 0 || ids[k] == r->message_id);
			ids[k] = r->message_id;
			ST_IS(et_open_message(LOGON, OTHER, r->message_id, 0), ecNotFound);
		}
	}
	ck_assert(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
}
END_TEST

static Suite *emsattach_suite(void)
{
	Suite *s = suite_create("emsattach");
	TCase *t = tcase_create("emsattach");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, made_saved_and_opened);
	tcase_add_test(t, one_that_outlives_its_message);
	tcase_add_test(t, deleted);
	tcase_add_test(t, the_table);
	tcase_add_test(t, a_table_of_many);
	tcase_add_test(t, a_message_in_an_attachment);
	tcase_add_test(t, as_deep_as_it_goes);
	tcase_add_test(t, ids_of_messages_in_attachments);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsattach_suite)
