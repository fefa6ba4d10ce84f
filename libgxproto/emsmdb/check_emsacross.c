/* SPDX-License-Identifier: Apache-2.0 */
/* What is copied between the objects of two stores: messages, attachments, messages in them, folders, streams. */
#include <config.h>
#include <gx/guids.h>
#include <gx/instance.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, MESSAGE = 1, ATT = 2, INNER = 3, FOLDER = 4, PUBLIC = 5, SHARED = 6, COPY = 7, ATT2 = 8, INNER2 = 9, STREAM = 10, STREAM2 = 11, TABLE = 12 };
enum { P = 1 /* the logon to the public store */ };
static const struct gx_rop_save_changes_attachment_req keep = {2};
static gx_proptag_t here, there; /* the second name */
static uint64_t shared;

static gx_proptag_t tag_of(uint8_t logon, uint8_t h)
{
	const struct gx_propname names[] = {{PSETID_Common, false, 0x8503, NULL}, {PS_PUBLIC_STRINGS, true, 0, "of my own"}};
	struct gx_rop_get_property_ids_from_names_res *r;
	ST_OK(et_do_at(logon, RopGetPropertyIdsFromNames, h, 0, &(struct gx_rop_get_property_ids_from_names_req){2, names, 2}, (void **)&r));
	return GX_PROP_TAG(r->property_ids[1], PtypString);
}

static void new_message(uint8_t h)
{
	ST_OK(et_do_at(P, RopCreateMessage, PUBLIC, h, &(struct gx_rop_create_message_req){.code_page_id = 1252, .folder_id = gx_eid_make(1, shared)}, NULL));
}

/* With an attachment that is a message. */
static void setup(void)
{
	const struct gx_propname padding[] = {{PS_PUBLIC_STRINGS, true, 0, "first"}, {PS_PUBLIC_STRINGS, true, 0, "second"}};
	et_setup();
	et_logon(et_dn[0]);
	ST_OK(et_do(RopGetPropertyIdsFromNames, LOGON, 0, &(struct gx_rop_get_property_ids_from_names_req){2, padding, 2}, NULL));
	here = tag_of(0, LOGON);
	et_new_message(LOGON, MESSAGE, GX_FID_DRAFTS);
	et_set_str(MESSAGE, PidTagSubject, "RE: here");
	et_set_str(MESSAGE, PidTagBody, "text");
	et_set_str(MESSAGE, here, "named");
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, NULL));
	ST_OK(et_do(RopOpenEmbeddedMessage, ATT, INNER, &(struct gx_rop_open_embedded_message_req){1252, 2}, NULL));
	et_set_str(INNER, PidTagSubject, "inner");
	et_set_str(INNER, here, "named within");
	(void)et_save(INNER);
	et_set_str(ATT, here, "named, too");
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
	shared = et_open_shared(PUBLIC, SHARED, GX_RIGHTS_ALL);
	new_message(COPY);
}

static gx_ec copy_to(uint8_t src, uint8_t dst, uint8_t sub, uint8_t flags, const gx_proptag_t *but, uint32_t n, struct gx_rop_copy_to_res **ret_r)
{
	return et_do(RopCopyTo, src, dst, &(struct gx_rop_copy_to_req){true, sub, flags, but, n}, (void **)ret_r);
}

static gx_ec copy_props(uint8_t src, uint8_t dst, uint8_t flags, const gx_proptag_t *tags, uint32_t n, struct gx_rop_copy_properties_res **ret_r)
{
	return et_do(RopCopyProperties, src, dst, &(struct gx_rop_copy_properties_req){false, flags, tags, n}, (void **)ret_r);
}

static const char *text(uint8_t logon, uint8_t h, gx_proptag_t tag)
{
	const struct gx_propval *v = et_value_at(logon, h, tag);
	return GX_PROP_TYPE(v->tag) == PtypString ? v->v.str : "";
}

static uint32_t atts(uint8_t logon, uint8_t h)
{
	struct gx_rop_get_valid_attachments_res *r;
	ST_OK(et_do_at(logon, RopGetValidAttachments, h, 0, NULL, (void **)&r));
	return r->attachment_id_array_count;
}

static void open_parts(uint8_t h)
{
	ST_OK(et_do_at(P, RopOpenAttachment, h, ATT2, &(struct gx_rop_open_attachment_req){0, 0}, NULL));
	ST_OK(et_do_at(P, RopOpenEmbeddedMessage, ATT2, INNER2, &(struct gx_rop_open_embedded_message_req){1252, 0}, NULL));
}

START_TEST(all_of_a_message)
{
	static const gx_proptag_t but[] = {PidTagBody};
	struct gx_rop_copy_to_res *r;
	struct gx_rop_save_changes_message_res *s;
	ST_OK(copy_to(MESSAGE, COPY, 1, 0, but, 1, &r));
	ck_assert_uint_eq(r->property_problems_count, 0);
	there = tag_of(P, PUBLIC);
	ck_assert_uint_ne(here, there);
	ST_OK(et_do_at(P, RopSaveChangesMessage, COPY, COPY, &(struct gx_rop_save_changes_message_req){2}, (void **)&s));
	ST_OK(et_do_at(P, RopOpenMessage, PUBLIC, COPY, &(struct gx_rop_open_message_req){.code_page_id = 1252,
		.folder_id = gx_eid_make(1, shared), .message_id = s->message_id}, NULL));
	ck_assert_str_eq(text(P, COPY, PidTagNormalizedSubject), "here");
	ck_assert_str_eq(text(P, COPY, PidTagBody), "");
	ck_assert_str_eq(text(P, COPY, there), "named");
	open_parts(COPY);
	ck_assert_str_eq(text(P, ATT2, there), "named, too");
	ck_assert_str_eq(text(P, INNER2, PidTagSubject), "inner");
	ck_assert_str_eq(text(P, INNER2, there), "named within");
	/* a message that is one of ours is the same one: nothing of it is of the other store */
	ck_assert_uint_eq(atts(0, MESSAGE), 1);
	ST_IS(copy_to(MESSAGE, COPY, 1, 0, NULL, 0, &r), ecAccessDenied); /* it is open to be read */
	ST_IS(copy_to(MESSAGE, COPY, 1, 8, NULL, 0, &r), ecInvalidParam);
	ST_IS(copy_to(MESSAGE, SHARED, 1, 0, NULL, 0, &r), ecNotSupported);
}
END_TEST

START_TEST(moved_or_kept)
{
	struct gx_rop_copy_to_res *r;
	struct gx_propval v = {PidTagSubject, {.str = "mine"}};
	const struct gx_rop_set_properties_req q = {{&v, 1, 1}};
	ST_OK(et_do_at(P, RopSetProperties, COPY, 0, &q, NULL));
	ST_OK(copy_to(MESSAGE, COPY, 0, 2, NULL, 0, &r));
	ck_assert_str_eq(text(P, COPY, PidTagSubject), "mine");
	ck_assert_str_eq(text(P, COPY, PidTagBody), "text");
	ck_assert_uint_eq(atts(P, COPY), 0);
	ST_OK(copy_to(MESSAGE, COPY, 1, 1, NULL, 0, &r));
	ck_assert_str_eq(text(P, COPY, PidTagSubject), "RE: here");
	ck_assert_str_eq(text(0, MESSAGE, PidTagBody), "");
	ck_assert_str_eq(text(0, MESSAGE, here), "");
	ck_assert_uint_eq(atts(0, MESSAGE), 0);
	ck_assert_uint_eq(atts(P, COPY), 1);
}
END_TEST

START_TEST(some_of_a_message)
{
	const gx_proptag_t tags[] = {here, PidTagMessageSize, GX_PROP_TAG(0x9100, PtypString), PidTagMessageAttachments};
	struct gx_rop_copy_properties_res *r;
	ST_OK(copy_props(MESSAGE, COPY, 1, tags, 4, &r));
	there = tag_of(P, PUBLIC);
	ck_assert_str_eq(text(P, COPY, there), "named");
	ck_assert_str_eq(text(0, MESSAGE, here), "");
	ck_assert_uint_eq(atts(P, COPY), 1);
	ck_assert_uint_eq(atts(0, MESSAGE), 0);
	ck_assert_uint_eq(r->property_problems_count, 2);
	ck_assert(r->property_problems[0].index == 1 && r->property_problems[0].error_code == ecComputedValue);
	ck_assert(r->property_problems[1].index == 2 && r->property_problems[1].property_tag == tags[2] && r->property_problems[1].error_code == ecNotFound);
}
END_TEST

START_TEST(attachments_and_messages_in_them)
{
	struct gx_rop_copy_to_res *r;
	ST_OK(et_do_at(P, RopCreateAttachment, COPY, ATT2, NULL, NULL));
	ST_OK(copy_to(ATT, ATT2, 1, 0, NULL, 0, &r));
	there = tag_of(P, PUBLIC);
	ck_assert_str_eq(text(P, ATT2, there), "named, too");
	ST_OK(et_do_at(P, RopOpenEmbeddedMessage, ATT2, INNER2, &(struct gx_rop_open_embedded_message_req){1252, 1}, NULL));
	ck_assert_str_eq(text(P, INNER2, there), "named within");
	/* the outer one into the inner one of the other store */
	ST_OK(copy_to(MESSAGE, INNER2, 1, 0, NULL, 0, &r));
	ck_assert_str_eq(text(P, INNER2, PidTagSubject), "RE: here");
	ck_assert_uint_eq(atts(P, INNER2), 1);
	ST_IS(copy_to(ATT, COPY, 1, 0, NULL, 0, &r), ecNotSupported);
}
END_TEST

START_TEST(streams)
{
	static uint8_t bytes[30000];
	struct gx_rop_copy_to_stream_res *r;
	struct gx_rop_copy_to_res *k;
	ST_OK(et_do(RopOpenStream, MESSAGE, STREAM, &(struct gx_rop_open_stream_req){PidTagHtml, 2}, NULL));
	for (unsigned i = 0; i < 100; ++i)
		ST_OK(et_do(RopWriteStream, STREAM, 0, &(struct gx_rop_write_stream_req){{bytes, sizeof(bytes)}}, NULL));
	ST_OK(et_do(RopSeekStream, STREAM, 0, &(struct gx_rop_seek_stream_req){0, 0}, NULL));
	ST_OK(et_do_at(P, RopOpenStream, COPY, STREAM2, &(struct gx_rop_open_stream_req){PidTagRtfCompressed, 2}, NULL));
	ST_OK(et_do(RopCopyToStream, STREAM, STREAM2, &(struct gx_rop_copy_to_stream_req){100000}, (void **)&r));
	ck_assert(r->read_byte_count == 100000 && r->written_byte_count == 100000);
	ST_IS(et_do(RopCopyToStream, STREAM, COPY, &(struct gx_rop_copy_to_stream_req){100000}, NULL), ecNotSupported);
	/* what is in them is copied, too */
	ST_OK(copy_to(MESSAGE, COPY, 0, 0, NULL, 0, &k));
	struct gx_rop_open_stream_res *o;
	ST_OK(et_do_at(P, RopOpenStream, COPY, STREAM2, &(struct gx_rop_open_stream_req){PidTagHtml, 0}, (void **)&o));
	ck_assert_uint_eq(o->stream_size, 100 * sizeof(bytes));
}
END_TEST

static uint32_t rows(uint8_t id)
{
	if (id == RopGetContentsTable) {
		struct gx_rop_get_contents_table_res *r;
		ST_OK(et_do_at(P, id, SHARED, TABLE, &(struct gx_rop_get_contents_table_req){0}, (void **)&r));
		return r->row_count;
	}
	struct gx_rop_get_hierarchy_table_res *r;
	ST_OK(et_do_at(P, id, SHARED, TABLE, &(struct gx_rop_get_hierarchy_table_req){4}, (void **)&r));
	return r->row_count;
}

/* Properties, messages with what is in them, subfolders. */
START_TEST(folders)
{
	static const gx_proptag_t but[] = {PidTagDisplayName};
	const gx_proptag_t tags[] = {PidTagComment, PidTagContentCount, here};
	struct gx_rop_copy_to_res *t;
	struct gx_rop_copy_properties_res *r;
	const struct gx_rop_create_folder_req sub = {.folder_type = 1, .use_unicode_strings = true, .display_name = "sub", .comment = ""};
	et_new_message(LOGON, MESSAGE, GX_FID_NOTES);
	ST_OK(et_do(RopCreateAttachment, MESSAGE, ATT, NULL, NULL));
	et_set_str(ATT, here, "named, too");
	ST_OK(et_do(RopSaveChangesAttachment, MESSAGE, ATT, &keep, NULL));
	(void)et_save(MESSAGE);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_NOTES), 0}, NULL));
	ST_OK(et_do(RopCreateFolder, FOLDER, INNER, &sub, NULL));
	et_set_str(FOLDER, PidTagComment, "mine");
	et_set_str(FOLDER, here, "named");
	ST_OK(copy_to(FOLDER, SHARED, 1, 0, but, 1, &t));
	ck_assert_uint_eq(t->property_problems_count, 0);
	there = tag_of(P, PUBLIC);
	ck_assert_str_eq(text(P, SHARED, PidTagComment), "mine");
	ck_assert_str_eq(text(P, SHARED, PidTagDisplayName), "shared");
	ck_assert_str_eq(text(P, SHARED, there), "named");
	ck_assert_uint_eq(rows(RopGetContentsTable), 1);
	ck_assert_uint_eq(rows(RopGetHierarchyTable), 1);
	/* again: the subfolder's name is in use, which leaves it out */
	ST_IS(copy_to(FOLDER, SHARED, 1, 0, but, 1, &t), ecPartiallyComplete);
	ck_assert_uint_eq(rows(RopGetContentsTable), 2);
	et_set_str(FOLDER, PidTagComment, "other");
	et_set_str(FOLDER, here, "other");
	ST_OK(copy_props(FOLDER, SHARED, 2, tags, 3, &r));
	ck_assert_uint_eq(r->property_problems_count, 1);
	ck_assert(r->property_problems[0].index == 1 && r->property_problems[0].error_code == ecComputedValue);
	ck_assert_str_eq(text(P, SHARED, there), "named");
	ST_OK(copy_props(FOLDER, SHARED, 0, tags, 3, &r));
	ck_assert_str_eq(text(P, SHARED, there), "other");
	ST_IS(copy_props(FOLDER, SHARED, 1, tags, 3, &r), ecNotSupported);
}
END_TEST

/* Attachments of messages that go into another store keep the names of their properties. */
START_TEST(messages_with_names)
{
	uint64_t mid = et_save(MESSAGE);
	struct gx_rop_query_rows_res *q;
	static const gx_proptag_t cols[] = {PidTagMid};
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_DRAFTS), 0}, NULL));
	ST_OK(et_do(RopMoveCopyMessages, FOLDER, SHARED, &(struct gx_rop_move_copy_messages_req){.message_ids = &mid, .message_ids_count = 1}, NULL));
	there = tag_of(P, PUBLIC);
	ck_assert_uint_eq(rows(RopGetContentsTable), 1);
	ST_OK(et_do_at(P, RopSetColumns, TABLE, 0, &(struct gx_rop_set_columns_req){.property_tags = cols, .property_tags_count = 1}, NULL));
	et_columns = (struct gx_columns){cols, 1};
	ST_OK(et_do_at(P, RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){.forward_read = true, .row_count = 1}, (void **)&q));
	ST_OK(et_do_at(P, RopOpenMessage, PUBLIC, COPY, &(struct gx_rop_open_message_req){.code_page_id = 1252,
		.folder_id = gx_eid_make(1, shared), .message_id = (uint64_t)q->row_data[0].v[0].v.i64}, NULL));
	ck_assert_str_eq(text(P, COPY, there), "named");
	open_parts(COPY);
	ck_assert_str_eq(text(P, ATT2, there), "named, too");
	ck_assert_str_eq(text(P, INNER2, there), "named within");
}
END_TEST

static Suite *emsacross_suite(void)
{
	Suite *s = suite_create("emsacross");
	TCase *t = tcase_create("emsacross");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, all_of_a_message);
	tcase_add_test(t, moved_or_kept);
	tcase_add_test(t, some_of_a_message);
	tcase_add_test(t, attachments_and_messages_in_them);
	tcase_add_test(t, streams);
	tcase_add_test(t, folders);
	tcase_add_test(t, messages_with_names);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsacross_suite)
