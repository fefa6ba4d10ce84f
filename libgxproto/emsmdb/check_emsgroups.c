/* SPDX-License-Identifier: Apache-2.0 */
/* Tables with groups: opened, closed, kept. */
#include <config.h>
#include <gx/entryid.h>
#include <gx/table.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, FOLDER = 1, TABLE = 2, MESSAGE = 3, GROUPS = 3, EACH = 4 };

static const gx_proptag_t tags[] = {PidTagInstID, PidTagRowType, PidTagSubject, PidTagInstanceNum};
static struct gx_rop_query_rows_res *seen;

static void add_message(int i)
{
	struct gx_proplist l = {0};
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_make(1, GX_FID_DRAFTS)};
	ST_OK(et_do(RopCreateMessage, FOLDER, MESSAGE, &q, NULL));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, gx_arena_printf(et_a, "subject %02d", i)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagImportance, i % GROUPS), 0);
	ST_OK(et_do(RopSetProperties, MESSAGE, 0, &(struct gx_rop_set_properties_req){l}, NULL));
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){0}, NULL));
}

static void setup(void)
{
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = 4};
	const struct gx_sort v[] = {{PidTagImportance, 0}, {PidTagSubject, 0}};
	et_setup();
	et_logon(et_dn[0]);
	et_columns = (struct gx_columns){tags, 4};
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_DRAFTS), 0}, NULL));
	for (int i = 0; i < GROUPS * EACH; ++i)
		add_message(i);
	ST_OK(et_do(RopGetContentsTable, FOLDER, TABLE, &(struct gx_rop_get_contents_table_req){0}, NULL));
	ST_OK(et_do(RopSetColumns, TABLE, 0, &cols, NULL));
	ST_OK(et_do(RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){0, {v, 2, 1, 0}}, NULL));
}

static void seek(uint32_t pos)
{
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){0, (int32_t)pos, false}, NULL));
}

static uint32_t read_all(void)
{
	seek(0);
	ST_OK(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 100}, (void **)&seen));
	return seen->row_data_count;
}

static uint64_t header(uint32_t i)
{
	ck_assert_int_ne(seen->row_data[i].v[1].v.i32, GX_ROW_LEAF);
	return (uint64_t)seen->row_data[i].v[0].v.i64;
}

static uint32_t position(void)
{
	struct gx_rop_query_position_res *p;
	ST_OK(et_do(RopQueryPosition, TABLE, 0, NULL, (void **)&p));
	return p->numerator;
}

static gx_ec expand(uint64_t id, uint16_t most, struct gx_rop_expand_row_res **ret_r)
{
	return et_do(RopExpandRow, TABLE, 0, &(struct gx_rop_expand_row_req){most, id}, (void **)ret_r);
}

START_TEST(opened_and_closed)
{
	struct gx_rop_expand_row_res *x;
	struct gx_rop_collapse_row_res *k;
	ck_assert_uint_eq(read_all(), GROUPS);
	uint64_t first = header(0), second = header(1);
	seek(2);
	ST_OK(expand(second, 2, &x));
	ck_assert_uint_eq(x->expanded_row_count, EACH);
	ck_assert_uint_eq(x->row_data_count, 2);
	ck_assert_str_eq(x->row_data[0].v[2].v.str, "subject 01");
	ck_assert_uint_eq(position(), 2 + EACH); /* still at the third group */
	ST_IS(expand(second, 2, NULL), ecNotCollapsed);
	ST_IS(expand(0x1234, 2, NULL), ecNotFound);
	ST_OK(expand(first, 0, &x));
	ck_assert_uint_eq(x->row_data_count, 0);
	ck_assert_uint_eq(read_all(), GROUPS + 2 * EACH);
	ck_assert_int_eq(seen->row_data[0].v[1].v.i32, GX_ROW_EXPANDED);
	ck_assert_int_eq(seen->row_data[1].v[1].v.i32, GX_ROW_LEAF);
	seek(3);
	ST_OK(et_do(RopCollapseRow, TABLE, 0, &(struct gx_rop_collapse_row_req){first}, (void **)&k));
	ck_assert_uint_eq(k->collapsed_row_count, EACH);
	ck_assert_uint_eq(position(), 1);
	seek(6);
	ST_OK(et_do(RopCollapseRow, TABLE, 0, &(struct gx_rop_collapse_row_req){second}, NULL));
	ck_assert_uint_eq(position(), 2);
	ST_IS(et_do(RopCollapseRow, TABLE, 0, &(struct gx_rop_collapse_row_req){second}, NULL), ecNotExpanded);
}
END_TEST

START_TEST(kept)
{
	struct gx_rop_get_collapse_state_res *g;
	struct gx_rop_set_collapse_state_res *s;
	struct gx_rop_seek_row_bookmark_res *b;
	read_all();
	uint64_t second = header(1);
	ST_OK(expand(second, 0, NULL));
	ck_assert_uint_eq(read_all(), GROUPS + EACH);
	uint64_t leaf = (uint64_t)seen->row_data[3].v[0].v.i64;
	ST_OK(et_do(RopGetCollapseState, TABLE, 0, &(struct gx_rop_get_collapse_state_req){leaf, 0}, (void **)&g));
	const struct gx_bin state = g->collapse_state;
	ST_OK(et_do(RopCollapseRow, TABLE, 0, &(struct gx_rop_collapse_row_req){second}, NULL));
	ck_assert_uint_eq(read_all(), GROUPS);
	ST_OK(et_do(RopSetCollapseState, TABLE, 0, &(struct gx_rop_set_collapse_state_req){state}, (void **)&s));
	ck_assert_uint_eq(read_all(), GROUPS + EACH);
	ST_OK(et_do(RopSeekRowBookmark, TABLE, 0, &(struct gx_rop_seek_row_bookmark_req){s->bookmark, 0, true}, (void **)&b));
	ck_assert_uint_eq(position(), 3);
	ST_IS(et_do(RopSetCollapseState, TABLE, 0, &(struct gx_rop_set_collapse_state_req){{(const uint8_t *)"xy", 2}}, NULL), ecInvalidParam);
	ST_IS(et_do(RopSetCollapseState, TABLE, 0, &(struct gx_rop_set_collapse_state_req){{(const uint8_t *)"wxyz", 4}}, NULL), ecNotFound);
}
END_TEST

START_TEST(without_groups)
{
	const struct gx_sort plain = {PidTagSubject, 0};
	ST_OK(et_do(RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){0, {&plain, 1, 0, 0}}, NULL));
	ST_IS(expand(1, 0, NULL), ecNotSupported);
	ST_IS(et_do(RopCollapseRow, TABLE, 0, &(struct gx_rop_collapse_row_req){1}, NULL), ecNotSupported);
	ST_IS(et_do(RopGetCollapseState, TABLE, 0, &(struct gx_rop_get_collapse_state_req){1, 0}, NULL), ecNotSupported);
	ST_IS(et_do(RopSetCollapseState, FOLDER, 0, &(struct gx_rop_set_collapse_state_req){{NULL, 0}}, NULL), ecNotSupported);
}
END_TEST

static Suite *emsgroups_suite(void)
{
	Suite *s = suite_create("emsgroups");
	TCase *t = tcase_create("emsgroups");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, opened_and_closed);
	tcase_add_test(t, kept);
	tcase_add_test(t, without_groups);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsgroups_suite)
