/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: order, restriction, cursor, bookmarks. */
#include <config.h>
#include <gx/entryid.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, FOLDER = 1, TABLE = 2, MESSAGE = 3, ROWS = 12 };

static const gx_proptag_t tags[] = {PidTagSubject, PidTagImportance};

static uint64_t add_message(int i)
{
	struct gx_proplist l = {0};
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_make(1, GX_FID_DRAFTS)};
	ST_OK(et_do(RopCreateMessage, FOLDER, MESSAGE, &q, NULL));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, gx_arena_printf(et_a, "subject %02d", (i * 7) % ROWS)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagImportance, i % 3), 0);
	ST_OK(et_do(RopSetProperties, MESSAGE, 0, &(struct gx_rop_set_properties_req){l}, NULL));
	struct gx_rop_save_changes_message_res *r;
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){0}, (void **)&r));
	return r->message_id;
}

static void sort_by(gx_proptag_t tag, uint8_t order)
{
	const struct gx_sort s = {tag, order};
	const struct gx_rop_sort_table_req q = {0, {&s, 1, 0, 0}};
	ST_OK(et_do(RopSortTable, TABLE, 0, &q, NULL));
}

static void setup(void)
{
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = 2};
	et_setup();
	et_logon(et_dn[0]);
	et_columns = (struct gx_columns){tags, 2};
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_DRAFTS), 0}, NULL));
	for (int i = 0; i < ROWS; ++i)
		(void)add_message(i);
	ST_OK(et_do(RopGetContentsTable, FOLDER, TABLE, &(struct gx_rop_get_contents_table_req){0}, NULL));
	ST_OK(et_do(RopSetColumns, TABLE, 0, &cols, NULL));
	sort_by(PidTagSubject, 0);
}

/* Numbers in the subjects of the next rows. */
static uint32_t numbers(uint16_t want, int *ret_v)
{
	struct gx_rop_query_rows_res *r;
	ST_OK(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, want}, (void **)&r));
	for (uint32_t i = 0; i < r->row_data_count; ++i)
		ret_v[i] = (int)strtol(r->row_data[i].v[0].v.str + 8, NULL, 10);
	return r->row_data_count;
}

START_TEST(orders)
{
	int v[ROWS];
	ck_assert_uint_eq(numbers(100, v), ROWS);
	for (int i = 0; i < ROWS; ++i)
		ck_assert_int_eq(v[i], i);
	sort_by(PidTagSubject, 1);
	ck_assert_uint_eq(numbers(100, v), ROWS);
	for (int i = 0; i < ROWS; ++i)
		ck_assert_int_eq(v[i], ROWS - 1 - i);
	const struct gx_sort bad = {PidTagSubject, 9};
	ST_IS(et_do(RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){0, {&bad, 1, 0, 0}}, NULL), ecInvalidParam);
	ST_IS(et_do(RopSortTable, FOLDER, 0, &(struct gx_rop_sort_table_req){0}, NULL), ecNotSupported);
}
END_TEST

START_TEST(restrictions)
{
	int v[ROWS];
	const struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagImportance, {PidTagImportance, {.i32 = 1}}}};
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){0, &r}, NULL));
	ck_assert_uint_eq(numbers(100, v), ROWS / 3);
	for (int i = 1; i < ROWS / 3; ++i) /* and the order stays */
		ck_assert_int_lt(v[i - 1], v[i]);
	sort_by(PidTagSubject, 1);
	ck_assert_uint_eq(numbers(100, v), ROWS / 3);
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){0, NULL}, NULL));
	ck_assert_uint_eq(numbers(100, v), ROWS);
	ST_OK(et_do(RopResetTable, TABLE, 0, NULL, NULL));
	ST_IS(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 1}, NULL), ecNullObject);
}
END_TEST

START_TEST(the_cursor)
{
	int v[ROWS];
	struct gx_rop_seek_row_res *s;
	struct gx_rop_query_position_res *p;
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){0, 5, true}, (void **)&s));
	ck_assert(!s->has_sought_less);
	ck_assert_int_eq(s->rows_sought, 5);
	ST_OK(et_do(RopQueryPosition, TABLE, 0, NULL, (void **)&p));
	ck_assert_uint_eq(p->numerator, 5);
	ck_assert_uint_eq(p->denominator, ROWS);
	ck_assert_uint_eq(numbers(1, v), 1);
	ck_assert_int_eq(v[0], 5);
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){1, -100, true}, (void **)&s));
	ck_assert(s->has_sought_less);
	ck_assert_int_eq(s->rows_sought, -6);
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){2, -1, false}, NULL));
	ck_assert_uint_eq(numbers(5, v), 1);
	ST_IS(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){7, 0, false}, NULL), ecInvalidParam);
	ST_OK(et_do(RopSeekRowFractional, TABLE, 0, &(struct gx_rop_seek_row_fractional_req){1, 2}, NULL));
	ck_assert_uint_eq(numbers(1, v), 1);
	ck_assert_int_eq(v[0], ROWS / 2);
	ST_IS(et_do(RopSeekRowFractional, TABLE, 0, &(struct gx_rop_seek_row_fractional_req){1, 0}, NULL), ecInvalidParam);
	struct gx_rop_get_status_res *st;
	ST_OK(et_do(RopGetStatus, TABLE, 0, NULL, (void **)&st));
	ck_assert_uint_eq(st->table_status, 0);
	ST_IS(et_do(RopAbort, TABLE, 0, NULL, NULL), ecUnableToAbort);
	struct gx_rop_query_columns_all_res *all;
	ST_OK(et_do(RopQueryColumnsAll, TABLE, 0, NULL, (void **)&all));
	ck_assert_uint_gt(all->property_tags_count, 5);
}
END_TEST

/* Done before it is answered, also when the client would wait. */
START_TEST(asynchronously)
{
	static const gx_proptag_t two[] = {PidTagSubject, PidTagMid};
	const struct gx_sort by = {PidTagSubject, 0};
	const struct gx_restr any = {.type = RES_NULL};
	struct gx_rop_set_columns_res *c;
	struct gx_rop_sort_table_res *s;
	struct gx_rop_restrict_res *r;
	struct gx_rop_get_status_res *st;
	struct gx_rop_query_position_res *p;
	ST_OK(et_do(RopSetColumns, TABLE, 0, &(struct gx_rop_set_columns_req){1, two, 2}, (void **)&c));
	ST_OK(et_do(RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){1, {&by, 1, 0, 0}}, (void **)&s));
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){1, &any}, (void **)&r));
	ck_assert(c->table_status == 0 && s->table_status == 0 && r->table_status == 0);
	ST_OK(et_do(RopGetStatus, TABLE, 0, NULL, (void **)&st));
	ck_assert_uint_eq(st->table_status, 0);
	ST_IS(et_do(RopAbort, TABLE, 0, NULL, NULL), ecUnableToAbort);
	ST_OK(et_do(RopQueryPosition, TABLE, 0, NULL, (void **)&p)); /* the table is what it was */
	ck_assert_uint_eq(p->denominator, ROWS);
	ST_IS(et_do(RopSetColumns, TABLE, 0, &(struct gx_rop_set_columns_req){2, two, 2}, NULL), ecInvalidParam);
	ST_IS(et_do(RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){2, {&by, 1, 0, 0}}, NULL), ecInvalidParam);
	ST_IS(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){2, &any}, NULL), ecInvalidParam);
}
END_TEST

START_TEST(bookmarks)
{
	int v[ROWS];
	struct gx_rop_create_bookmark_res *b;
	struct gx_rop_seek_row_bookmark_res *s;
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){0, 4, false}, NULL));
	ST_OK(et_do(RopCreateBookmark, TABLE, 0, NULL, (void **)&b));
	const struct gx_bin bm = b->bookmark;
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){2, 0, false}, NULL));
	ST_OK(et_do(RopSeekRowBookmark, TABLE, 0, &(struct gx_rop_seek_row_bookmark_req){bm, 1, true}, (void **)&s));
	ck_assert_int_eq(s->rows_sought, 1);
	ck_assert_uint_eq(numbers(1, v), 1);
	ck_assert_int_eq(v[0], 5);
	ST_OK(et_do(RopFreeBookmark, TABLE, 0, &(struct gx_rop_free_bookmark_req){bm}, NULL));
	ST_IS(et_do(RopSeekRowBookmark, TABLE, 0, &(struct gx_rop_seek_row_bookmark_req){bm, 1, true}, NULL), ecInvalidBookmark);
	ST_IS(et_do(RopFreeBookmark, TABLE, 0, &(struct gx_rop_free_bookmark_req){{(const uint8_t *)"x", 1}}, NULL), ecInvalidBookmark);
}
END_TEST

START_TEST(rows_found)
{
	int v[ROWS];
	struct gx_rop_find_row_res *f;
	const struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagImportance, {PidTagImportance, {.i32 = 2}}}};
	struct gx_rop_find_row_req q = {0, &r, 0, {NULL, 0}};
	ST_OK(et_do(RopFindRow, TABLE, 0, &q, (void **)&f));
	ck_assert(f->has_row_data);
	ck_assert_int_eq(f->row_data.v[1].v.i32, 2);
	ck_assert_uint_eq(numbers(1, v), 1); /* the cursor is at it */
	ck_assert_int_eq(v[0], (int)strtol(f->row_data.v[0].v.str + 8, NULL, 10));
	q.find_row_flags = 1;
	q.origin = 2;
	ST_OK(et_do(RopFindRow, TABLE, 0, &q, (void **)&f));
	ck_assert_int_eq(f->row_data.v[1].v.i32, 2);
	q.origin = 0; /* before the first there is nothing */
	ST_IS(et_do(RopFindRow, TABLE, 0, &q, NULL), ecNotFound);
	q.origin = 3;
	ST_IS(et_do(RopFindRow, TABLE, 0, &q, NULL), ecInvalidBookmark);
}
END_TEST

/* Ids as clients have them, which is not how the store keeps them. */
START_TEST(restricted_by_id)
{
	int v[ROWS + 1];
	uint64_t mid = add_message(ROWS);
	struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagMid, {PidTagMid, {.i64 = (int64_t)mid}}}};
	const struct gx_restr other = {.type = RES_NOT, .u.not_ = {&r}};
	struct gx_rop_find_row_res *f;
	const struct gx_rop_find_row_req q = {0, &r, 0, {NULL, 0}};
	ST_OK(et_do(RopFindRow, TABLE, 0, &q, (void **)&f));
	ck_assert(f->has_row_data && f->row_data.v[1].v.i32 == ROWS % 3);
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){0, &r}, NULL));
	ck_assert_uint_eq(numbers(100, v), 1);
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){0, &other}, NULL));
	ck_assert_uint_eq(numbers(100, v), ROWS);
	r.u.prop.tag = r.u.prop.val.tag = PidTagParentFolderId;
	r.u.prop.val.v.i64 = (int64_t)gx_eid_make(1, GX_FID_DRAFTS);
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){0, &r}, NULL));
	ck_assert_uint_eq(numbers(100, v), ROWS + 1);
	r.u.prop.val.v.i64 = (int64_t)gx_eid_make(3, GX_FID_DRAFTS);
	ST_OK(et_do(RopRestrict, TABLE, 0, &(struct gx_rop_restrict_req){0, &r}, NULL));
	ck_assert_uint_eq(numbers(100, v), 0);
}
END_TEST

static Suite *emstable_suite(void)
{
	Suite *s = suite_create("emstable");
	TCase *t = tcase_create("emstable");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, orders);
	tcase_add_test(t, restrictions);
	tcase_add_test(t, restricted_by_id);
	tcase_add_test(t, the_cursor);
	tcase_add_test(t, asynchronously);
	tcase_add_test(t, bookmarks);
	tcase_add_test(t, rows_found);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emstable_suite)
