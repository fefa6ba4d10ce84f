/* SPDX-License-Identifier: Apache-2.0 */
/* Properties copied from object to object, problems with them, names of them. */
#include <config.h>
#include <gx/guids.h>
#include <gx/instance.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, FOLDER = 1, MESSAGE = 2, OTHER = 3, ATT = 4, ATT2 = 5, INNER = 6, FOLDER2 = 7, NOTHING = 9 };
static const struct gx_rop_save_changes_attachment_req keep = {2};

static void setup(void)
{
	et_setup();
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_NOTES), 0}, NULL));
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER2, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_TASKS), 0}, NULL));
	et_new_message(LOGON, MESSAGE, GX_FID_DRAFTS);
	et_new_message(LOGON, OTHER, GX_FID_DRAFTS);
	et_set_str(MESSAGE, PidTagSubject, "RE: here");
	et_set_str(MESSAGE, PidTagBody, "text");
}

static gx_ec copy_to(uint8_t src, uint8_t dst, uint8_t sub, uint8_t flags, const gx_proptag_t *but, uint32_t n, struct gx_rop_copy_to_res **ret_r)
{
	return et_do(RopCopyTo, src, dst, &(struct gx_rop_copy_to_req){true, sub, flags, but, n}, (void **)ret_r);
}

static gx_ec copy_props(uint8_t src, uint8_t dst, uint8_t flags, const gx_proptag_t *tags, uint32_t n, struct gx_rop_copy_properties_res **ret_r)
{
	return et_do(RopCopyProperties, src, dst, &(struct gx_rop_copy_properties_req){false, flags, tags, n}, (void **)ret_r);
}

static bool has(uint8_t h, gx_proptag_t tag)
{
	return GX_PROP_TYPE(et_value(h, tag)->tag) != PtypErrorCode;
}

static uint32_t atts(uint8_t h)
{
	struct gx_rop_get_valid_attachments_res *r;
	ST_OK(et_do(RopGetValidAttachments, h, 0, NULL, (void **)&r));
	return r->attachment_id_array_count;
}

static void attach(void)
{
	struct gx_rop_create_attachment_res *r;
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, (void **)&r));
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT, INNER, &(struct gx_rop_open_embedded_message_req){1252, 2}, NULL));
	et_set_str(INNER, PidTagSubject, "inner");
	(void)et_save(INNER);
	et_set_str(ATT, PidTagDisplayName, "x");
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
}

START_TEST(all_of_a_message)
{
	static const gx_proptag_t but[] = {PidTagBody, PidTagMessageRecipients};
	struct gx_rop_copy_to_res *r;
	attach();
	ST_OK(copy_to(MESSAGE, OTHER, 1, 0, but, 2, &r));
	ck_assert_uint_eq(r->property_problems_count, 0);
	ck_assert_str_eq(et_value(OTHER, PidTagSubject)->v.str, "RE: here");
	ck_assert_str_eq(et_value(OTHER, PidTagNormalizedSubject)->v.str, "here");
	ck_assert(!has(OTHER, PidTagBody));
	ck_assert_uint_eq(atts(OTHER), 1);
	uint64_t mid = et_save(OTHER);
	ST_OK(et_open_message(LOGON, OTHER, mid, 1));
	ck_assert_str_eq(et_value(OTHER, PidTagSubject)->v.str, "RE: here");
	/* without what is in it */
	et_new_message(LOGON, OTHER, GX_FID_DRAFTS);
	ST_OK(copy_to(MESSAGE, OTHER, 0, 0, NULL, 0, &r));
	ck_assert_str_eq(et_value(OTHER, PidTagBody)->v.str, "text");
	ck_assert_uint_eq(atts(OTHER), 0);
	/* what is there stays */
	et_set_str(OTHER, PidTagBody, "mine");
	et_set_str(MESSAGE, PidTagComment, "new");
	ST_OK(copy_to(MESSAGE, OTHER, 1, 2, NULL, 0, &r));
	ck_assert_str_eq(et_value(OTHER, PidTagBody)->v.str, "mine");
	ck_assert_str_eq(et_value(OTHER, PidTagComment)->v.str, "new");
	/* moved */
	ST_OK(copy_to(MESSAGE, OTHER, 1, 1, NULL, 0, &r));
	ck_assert(!has(MESSAGE, PidTagComment) && !has(MESSAGE, PidTagBody));
	ck_assert_str_eq(et_value(OTHER, PidTagBody)->v.str, "text");
	ck_assert_uint_eq(atts(MESSAGE), 0);
	ck_assert_uint_eq(atts(OTHER), 1);
}
END_TEST

START_TEST(some_of_a_message)
{
	static const gx_proptag_t tags[] = {PidTagBody, PidTagSubject, PidTagComment, PidTagMessageSize, PidTagMessageAttachments};
	struct gx_rop_copy_properties_res *r;
	attach();
	ST_OK(copy_props(MESSAGE, OTHER, 0, tags, 5, &r));
	ck_assert_uint_eq(r->property_problems_count, 2);
	ck_assert(r->property_problems[0].index == 2 && r->property_problems[0].property_tag == PidTagComment && r->property_problems[0].error_code == ecNotFound);
	ck_assert(r->property_problems[1].index == 3 && r->property_problems[1].error_code == ecComputedValue);
	ck_assert_str_eq(et_value(OTHER, PidTagBody)->v.str, "text");
	ck_assert_str_eq(et_value(OTHER, PidTagSubject)->v.str, "RE: here");
	ck_assert_uint_eq(atts(OTHER), 1);
	ST_OK(copy_props(MESSAGE, OTHER, 1, tags, 1, &r));
	ck_assert(!has(MESSAGE, PidTagBody));
}
END_TEST

START_TEST(attachments)
{
	static const gx_proptag_t both[] = {PidTagAttachDataObject, PidTagDisplayName}, name[] = {PidTagDisplayName};
	struct gx_rop_copy_to_res *t;
	struct gx_rop_copy_properties_res *r;
	attach();
	ST_OK(et_do(RopCreateAttachment, OTHER, ATT2, NULL, NULL));
	ST_OK(copy_to(ATT, ATT2, 0, 0, NULL, 0, &t));
	ck_assert_str_eq(et_value(ATT2, PidTagDisplayName)->v.str, "x");
	ST_IS(et_do(RopOpenEmbeddedMessage, ATT2, INNER, &(struct gx_rop_open_embedded_message_req){1252, 0}, NULL), ecNotFound);
	ST_OK(copy_to(ATT, ATT2, 1, 0, NULL, 0, &t));
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT2, INNER, &(struct gx_rop_open_embedded_message_req){1252, 0}, NULL));
	ck_assert_str_eq(et_value(INNER, PidTagSubject)->v.str, "inner");
	ST_OK(et_do(RopCreateAttachment, OTHER, ATT2, NULL, NULL));
	ST_OK(copy_props(ATT, ATT2, 0, name, 1, &r));
	ST_IS(et_do(RopOpenEmbeddedMessage, ATT2, INNER, &(struct gx_rop_open_embedded_message_req){1252, 0}, NULL), ecNotFound);
	ST_OK(copy_props(ATT, ATT2, 0, both, 2, &r));
	ck_assert_uint_eq(r->property_problems_count, 0);
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT2, INNER, &(struct gx_rop_open_embedded_message_req){1252, 0}, NULL));
	/* into what is in it */
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT, INNER, &(struct gx_rop_open_embedded_message_req){1252, 1}, NULL));
	ST_IS(copy_to(MESSAGE, INNER, 1, 0, NULL, 0, &t), ecMsgCycle);
}
END_TEST

START_TEST(large_values_are_shared)
{
	struct gx_rop_copy_to_res *r;
	static uint8_t bytes[30000];
	ST_OK(et_do(RopOpenStream, MESSAGE, ATT, &(struct gx_rop_open_stream_req){PidTagHtml, 2}, NULL));
	for (unsigned i = 0; i < 100; ++i)
		ST_OK(et_do(RopWriteStream, ATT, 0, &(struct gx_rop_write_stream_req){{bytes, sizeof(bytes)}}, NULL));
	/* what was written is copied, and what is written later is not */
	ST_OK(copy_to(MESSAGE, OTHER, 0, 0, NULL, 0, &r));
	ST_OK(et_do(RopWriteStream, ATT, 0, &(struct gx_rop_write_stream_req){{bytes, 5}}, NULL));
	uint64_t mid = et_save(OTHER);
	(void)et_save(MESSAGE);
	ST_OK(et_open_message(LOGON, OTHER, mid, 0));
	struct gx_rop_open_stream_res *s;
	ST_OK(et_do(RopOpenStream, OTHER, ATT, &(struct gx_rop_open_stream_req){PidTagHtml, 0}, (void **)&s));
	ck_assert_uint_eq(s->stream_size, 100 * sizeof(bytes));
}
END_TEST

START_TEST(folders)
{
	static const gx_proptag_t but[] = {PidTagDisplayName}, tags[] = {PidTagComment, PidTagContentCount, 0x6f02001f};
	struct gx_rop_copy_to_res *t;
	struct gx_rop_copy_properties_res *r;
	et_set_str(FOLDER, PidTagComment, "mine");
	et_new_message(LOGON, MESSAGE, GX_FID_NOTES);
	(void)et_save(MESSAGE);
	ST_OK(copy_to(FOLDER, FOLDER2, 1, 0, but, 1, &t));
	ck_assert_str_eq(et_value(FOLDER2, PidTagComment)->v.str, "mine");
	ck_assert_str_eq(et_value(FOLDER2, PidTagDisplayName)->v.str, "Tasks");
	ck_assert_int_eq(et_value(FOLDER2, PidTagContentCount)->v.i32, 1);
	/* with the name, which its sibling has */
	ST_OK(copy_to(FOLDER, FOLDER2, 0, 0, NULL, 0, &t));
	ck_assert_uint_eq(t->property_problems_count, 1);
	ck_assert_uint_eq(t->property_problems[0].property_tag, PidTagDisplayName);
	et_set_str(FOLDER, PidTagComment, "other");
	ST_OK(copy_props(FOLDER, FOLDER2, 2, tags, 3, &r));
	ck_assert_uint_eq(r->property_problems_count, 2);
	ck_assert(r->property_problems[0].index == 1 && r->property_problems[0].error_code == ecComputedValue);
	ck_assert(r->property_problems[1].index == 2 && r->property_problems[1].error_code == ecNotFound);
	ck_assert_str_eq(et_value(FOLDER2, PidTagComment)->v.str, "mine");
	ST_OK(copy_props(FOLDER, FOLDER2, 0, tags, 1, &r));
	ck_assert_str_eq(et_value(FOLDER2, PidTagComment)->v.str, "other");
	ST_IS(copy_props(FOLDER, FOLDER2, 1, tags, 1, &r), ecNotSupported);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_IPMSUBTREE), 0}, NULL));
	ST_IS(copy_to(FOLDER, FOLDER2, 1, 0, but, 1, &t), ecFolderCycle);
}
END_TEST

START_TEST(what_cannot_be_copied)
{
	static const gx_proptag_t tag = PidTagSubject;
	struct gx_rop_copy_to_res *t;
	struct gx_rop_copy_properties_res *r;
	struct gx_rop_copy_to_fail_503 *f;
	ST_IS(copy_to(MESSAGE, FOLDER, 1, 0, NULL, 0, &t), ecNotSupported);
	ST_IS(copy_to(LOGON, LOGON, 1, 0, NULL, 0, &t), ecNotSupported);
	ST_IS(copy_props(MESSAGE, OTHER, 4, &tag, 1, &r), ecInvalidParam);
	ST_IS(copy_to(MESSAGE, OTHER, 0, 8, NULL, 0, &t), ecInvalidParam);
	et_handles[NOTHING] = GX_ROP_NO_HANDLE;
	ST_IS(et_do(RopCopyTo, MESSAGE, NOTHING, &(struct gx_rop_copy_to_req){0}, (void **)&f), ecDstNullObject);
	ck_assert_uint_eq(f->dest_handle_index, NOTHING);
	uint64_t mid = et_save(OTHER);
	ST_OK(et_open_message(LOGON, OTHER, mid, 0));
	ST_IS(copy_to(MESSAGE, OTHER, 0, 0, NULL, 0, &t), ecAccessDenied);
	ST_IS(copy_props(OTHER, MESSAGE, 1, &tag, 1, &r), ecAccessDenied);
	ST_OK(copy_to(MESSAGE, MESSAGE, 1, 1, NULL, 0, &t));
	ck_assert(has(MESSAGE, PidTagSubject));
	ST_IS(et_do(RopProgress, MESSAGE, 0, &(struct gx_rop_progress_req){true}, NULL), ecNotSupported);
}
END_TEST

START_TEST(computed_and_large_ones)
{
	static const gx_proptag_t gone[] = {PidTagComment, PidTagDisplayName, PidTagFolderId}, big = PidTagComment;
	struct gx_propval v[] = {{PidTagComment, {.str = "a longer text than that"}}, {PidTagContentCount, {.i32 = 5}}};
	const struct gx_proplist l = {v, 2, 2};
	struct gx_rop_delete_properties_res *d;
	struct gx_rop_get_properties_specific_res *g;
	const struct gx_rop_get_properties_specific_req q = {.property_size_limit = 10, .want_unicode = true, .property_tags = &big, .property_tags_count = 1};
	static const uint8_t at[] = {FOLDER, LOGON};
	for (unsigned i = 0; i < 2; ++i) {
		struct gx_rop_set_properties_res *r = et_set(at[i], &l);
		ck_assert_uint_eq(r->property_problems_count, 1);
		ck_assert(r->property_problems[0].index == 1 && r->property_problems[0].property_tag == PidTagContentCount);
		ck_assert_uint_eq(r->property_problems[0].error_code, ecComputedValue);
		et_columns = (struct gx_columns){&big, 1};
		ST_OK(et_do(RopGetPropertiesSpecific, at[i], 0, &q, (void **)&g));
		ck_assert_uint_eq(g->row_data.v[0].v.err, ecMAPIOOM);
		ck_assert_str_eq(et_value(at[i], PidTagComment)->v.str, v[0].v.str);
	}
	ST_OK(et_do(RopDeleteProperties, FOLDER, 0, &(struct gx_rop_delete_properties_req){gone, 3}, (void **)&d));
	ck_assert_uint_eq(d->property_problems_count, 2);
	ck_assert(d->property_problems[0].index == 1 && d->property_problems[1].index == 2);
	ck_assert(!has(FOLDER, PidTagComment));
}
END_TEST

START_TEST(names_in_use)
{
	const struct gx_propname some[] = {{PSETID_Common, false, 0x8503, NULL}, {PS_PUBLIC_STRINGS, true, 0, "of my own"}};
	struct gx_rop_get_property_ids_from_names_res *ids;
	struct gx_rop_query_named_properties_res *r;
	struct gx_rop_query_named_properties_req q = {0};
	ST_OK(et_do(RopGetPropertyIdsFromNames, LOGON, 0, &(struct gx_rop_get_property_ids_from_names_req){2, some, 2}, (void **)&ids));
	ST_OK(et_do(RopQueryNamedProperties, MESSAGE, 0, &q, (void **)&r));
	ck_assert_uint_eq(r->property_ids_count, 0);
	et_set_str(MESSAGE, GX_PROP_TAG(ids->property_ids[1], PtypString), "x");
	ST_OK(et_do(RopQueryNamedProperties, MESSAGE, 0, &q, (void **)&r));
	ck_assert_uint_eq(r->property_ids_count, 1);
	ck_assert_str_eq(r->property_names[0].name, "of my own");
	q.query_flags = 1;
	ST_OK(et_do(RopQueryNamedProperties, MESSAGE, 0, &q, (void **)&r));
	ck_assert_uint_eq(r->property_ids_count, 0);
	q = (struct gx_rop_query_named_properties_req){.query_flags = 0, .has_guid = true, .property_guid = PSETID_Common};
	ST_OK(et_do(RopQueryNamedProperties, LOGON, 0, &q, (void **)&r));
	bool found = false;
	for (uint32_t i = 0; i < r->property_ids_count; ++i) {
		ck_assert(gx_guid_cmp(&r->property_names[i].set, &PSETID_Common) == 0);
		found = found || (r->property_ids[i] == ids->property_ids[0] && r->property_names[i].lid == 0x8503);
	}
	ck_assert(found);
	ST_OK(et_do(RopGetHierarchyTable, FOLDER, OTHER, &(struct gx_rop_get_hierarchy_table_req){0}, NULL));
	ST_IS(et_do(RopQueryNamedProperties, OTHER, 0, &q, (void **)&r), ecNotSupported);
}
END_TEST

static Suite *emscopy_suite(void)
{
	Suite *s = suite_create("emscopy");
	TCase *t = tcase_create("emscopy");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, all_of_a_message);
	tcase_add_test(t, some_of_a_message);
	tcase_add_test(t, attachments);
	tcase_add_test(t, large_values_are_shared);
	tcase_add_test(t, folders);
	tcase_add_test(t, what_cannot_be_copied);
	tcase_add_test(t, computed_and_large_ones);
	tcase_add_test(t, names_in_use);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emscopy_suite)
