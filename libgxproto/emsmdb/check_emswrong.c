/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on objects of another kind, with ids of nothing, and on handles of nothing; and twins that do the same. */
#include <config.h>
#include <gx/entryid.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, FOLDER = 1, MESSAGE = 2, TABLE = 3, OUT = 4, NOTHING = 9 };
#define NO_MESSAGE gx_eid_make(1, 0x7fffff)
#define OTHERS gx_eid_make(7, 7)

static void setup(void)
{
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_make(1, GX_FID_DRAFTS)};
	et_setup();
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_DRAFTS), 0}, NULL));
	ST_OK(et_do(RopCreateMessage, FOLDER, MESSAGE, &q, NULL));
	ST_OK(et_do(RopGetContentsTable, FOLDER, TABLE, &(struct gx_rop_get_contents_table_req){0}, NULL));
}

START_TEST(objects_of_another_kind)
{
	static const gx_proptag_t tag = PidTagSubject;
	static const struct gx_propval value = {PidTagSubject, {.str = "s"}};
	static const struct gx_rop_set_properties_req set = {{(struct gx_propval *)&value, 1, 1}};
	static const struct gx_rop_delete_properties_req del = {&tag, 1};
	static const struct gx_rop_delete_messages_req no_messages = {0};
	const struct {
		uint8_t rop, handle;
		const void *body;
		bool of_messages;        /* [MS-OXCMSG] 3.2.5 has a code of its own */
	} t[] = {
		{RopGetContentsTable, LOGON, &(struct gx_rop_get_contents_table_req){0}},
		{RopCreateMessage, MESSAGE, &(struct gx_rop_create_message_req){.code_page_id = 1252}, true},
		{RopGetPropertiesAll, TABLE, &(struct gx_rop_get_properties_all_req){0}},
		{RopGetPropertiesList, TABLE, NULL},
		{RopSetProperties, TABLE, &set},
		{RopSetPropertiesNoReplicate, TABLE, &set},
		{RopDeleteProperties, TABLE, &del},
		{RopDeletePropertiesNoReplicate, TABLE, &del},
		{RopRestrict, FOLDER, &(struct gx_rop_restrict_req){0}},
		{RopResetTable, MESSAGE, NULL},
		{RopGetStatus, FOLDER, NULL},
		{RopQueryPosition, LOGON, NULL},
		{RopQueryColumnsAll, FOLDER, NULL},
		{RopAbort, FOLDER, NULL},
		{RopCreateBookmark, MESSAGE, NULL},
		{RopDeleteMessages, LOGON, &no_messages},
		{RopHardDeleteMessages, TABLE, &no_messages},
		{RopGetMessageStatus, MESSAGE, &(struct gx_rop_get_message_status_req){0}, true},
		{RopSetMessageStatus, LOGON, &(struct gx_rop_set_message_status_req){0}, true},
		{RopSetReceiveFolder, FOLDER, &(struct gx_rop_set_receive_folder_req){0, ""}},
		{RopGetReceiveFolderTable, FOLDER, NULL},
		{RopGetStoreState, FOLDER, NULL},
		{RopSynchronizationOpenCollector, LOGON, &(struct gx_rop_synchronization_open_collector_req){0}},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i)
		ST_IS(et_do(t[i].rop, t[i].handle, OUT, t[i].body, NULL), t[i].of_messages ? ecNullObject : ecNotSupported);
}
END_TEST

START_TEST(ids_of_nothing)
{
	const uint64_t none = NO_MESSAGE, others = OTHERS;
	const struct gx_rop_delete_messages_req del = {false, false, &others, 1};
	ST_IS(et_do(RopCreateMessage, FOLDER, OUT, &(struct gx_rop_create_message_req){.code_page_id = 1252, .folder_id = none}, NULL), ecNotFound);
	ST_IS(et_do(RopCreateMessage, FOLDER, OUT, &(struct gx_rop_create_message_req){.code_page_id = 1252, .folder_id = others}, NULL), ecNotFound);
	ST_IS(et_do(RopDeleteMessages, FOLDER, 0, &del, NULL), ecNotFound);
	ST_IS(et_do(RopGetMessageStatus, FOLDER, 0, &(struct gx_rop_get_message_status_req){none}, NULL), ecNotFound);
	ST_IS(et_do(RopSetMessageStatus, FOLDER, 0, &(struct gx_rop_set_message_status_req){none, 1, 1}, NULL), ecNotFound);
	ST_IS(et_do(RopSetMessageStatus, FOLDER, 0, &(struct gx_rop_set_message_status_req){others, 1, 1}, NULL), ecNotFound);
	ST_IS(et_do(RopSetReceiveFolder, LOGON, 0, &(struct gx_rop_set_receive_folder_req){none, "IPM.My"}, NULL), ecNotFound);
	ST_IS(et_do(RopGetContentsTable, FOLDER, OUT, &(struct gx_rop_get_contents_table_req){1}, NULL), ecInvalidParam);
}
END_TEST

START_TEST(handles_of_nothing)
{
	const struct gx_propname name = {.set = {1, 2, 3, {4}}, .lid = 0x8000};
	const uint16_t id = 0x8001;
	const struct gx_rop_get_property_ids_from_names_req ids = {2, &name, 1};
	const struct gx_rop_get_names_from_property_ids_req names = {&id, 1};
	ST_IS(et_do(RopGetPropertyIdsFromNames, NOTHING, 0, &ids, NULL), ecNullObject);
	ST_IS(et_do(RopGetNamesFromPropertyIds, NOTHING, 0, &names, NULL), ecNullObject);
	ST_IS(et_do(RopResetTable, NOTHING, 0, NULL, NULL), ecNullObject);
	/* of another logon than the operation names */
	struct gx_pull c;
	struct gx_rop_request q = {gx_rop_rop_desc(RopResetTable), 3, {TABLE}, NULL};
	gx_rop_push_request(&et_out, &et_x, &q);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ST_IS(et_answer(&c, RopResetTable, NULL), ecNullObject);
}
END_TEST

static bool has_comment(void)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_rop_get_properties_specific_res *r;
	const struct gx_rop_get_properties_specific_req q = {.want_unicode = true, .property_tags = &tag, .property_tags_count = 1};
	et_columns = (struct gx_columns){&tag, 1};
	ST_OK(et_do(RopGetPropertiesSpecific, FOLDER, 0, &q, (void **)&r));
	return r->row_data.v[0].tag == tag;
}

START_TEST(properties_that_do_not_replicate)
{
	static const gx_proptag_t tag = PidTagComment;
	struct gx_propval value = {PidTagComment, {.str = "seen"}};
	const struct gx_rop_set_properties_no_replicate_req set = {{&value, 1, 1}};
	const struct gx_rop_delete_properties_no_replicate_req del = {&tag, 1};
	ST_OK(et_do(RopSetPropertiesNoReplicate, FOLDER, 0, &set, NULL));
	ck_assert(has_comment());
	ST_OK(et_do(RopDeletePropertiesNoReplicate, FOLDER, 0, &del, NULL));
	ck_assert(!has_comment());
}
END_TEST

START_TEST(messages_gone_for_good)
{
	struct gx_rop_save_changes_message_res *s;
	struct gx_rop_get_contents_table_res *r;
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){0}, (void **)&s));
	const struct gx_rop_hard_delete_messages_req del = {false, false, &s->message_id, 1};
	ST_OK(et_do(RopHardDeleteMessages, FOLDER, 0, &del, NULL));
	for (uint8_t flags = 0; flags <= 0x20; flags += 0x20) { /* among the deleted neither */
		ST_OK(et_do(RopGetContentsTable, FOLDER, OUT, &(struct gx_rop_get_contents_table_req){flags}, (void **)&r));
		ck_assert_uint_eq(r->row_count, 0);
	}
}
END_TEST

static Suite *emswrong_suite(void)
{
	Suite *s = suite_create("emswrong");
	TCase *t = tcase_create("emswrong");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, objects_of_another_kind);
	tcase_add_test(t, ids_of_nothing);
	tcase_add_test(t, handles_of_nothing);
	tcase_add_test(t, properties_that_do_not_replicate);
	tcase_add_test(t, messages_gone_for_good);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emswrong_suite)
