/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of objects, messages made, saved and opened again, and names of properties. */
#include <config.h>
#include <gx/entryid.h>
#include <gx/guids.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, FOLDER = 1, MESSAGE = 2, OTHER = 3 };

static const gx_proptag_t tags[] = {PidTagSubject, PidTagImportance, PidTagMessageClass & 0xffff0000, PidTagMid};

static void setup(void)
{
	et_setup();
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_DRAFTS), 0}, NULL));
}

static uint64_t new_message(const char *subject)
{
	struct gx_rop_save_changes_message_res *s;
	struct gx_proplist l = {0};
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_make(1, GX_FID_DRAFTS)};
	ST_OK(et_do(RopCreateMessage, FOLDER, MESSAGE, &q, NULL));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, subject), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagImportance, 2), 0);
	ck_assert_uint_eq(et_set(MESSAGE, &l)->property_problems_count, 0);
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){2}, (void **)&s));
	ck_assert_uint_eq(s->input_handle_index, MESSAGE);
	return s->message_id;
}

START_TEST(a_message_saved_and_opened)
{
	struct gx_rop_get_properties_specific_res *p;
	struct gx_rop_open_message_res *o;
	uint64_t mid = new_message("RE: Gr\303\274\303\237e");
	struct gx_rop_open_message_req q = {1252, gx_eid_make(1, GX_FID_DRAFTS), 0, mid};
	ST_OK(et_do(RopOpenMessage, FOLDER, OTHER, &q, (void **)&o));
	ck_assert_str_eq(o->subject_prefix, "RE: ");
	ck_assert_str_eq(o->normalized_subject, "Gr\303\274\303\237e");
	ck_assert_uint_eq(o->recipient_count, 0);
	ST_OK(et_get(OTHER, tags, 4, &p));
	ck_assert_str_eq(p->row_data.v[0].v.str, "RE: Gr\303\274\303\237e");
	ck_assert_int_eq(p->row_data.v[1].v.i32, 2);
	ck_assert_uint_eq(p->row_data.v[2].tag, PidTagMessageClass);
	ck_assert_uint_eq((uint64_t)p->row_data.v[3].v.i64, mid);
	/* read only: it cannot be changed, and cannot be saved */
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, "x"), 0);
	ck_assert(gx_ec_failed(et_do(RopSetProperties, OTHER, 0, &(struct gx_rop_set_properties_req){l}, NULL)));
	q.message_id = gx_eid_make(1, 0x777777);
	ST_IS(et_do(RopOpenMessage, FOLDER, OTHER, &q, NULL), ecNotFound);
	q.message_id = gx_eid_make(3, 3);
	ST_IS(et_do(RopOpenMessage, FOLDER, OTHER, &q, NULL), ecNotFound);
}
END_TEST

START_TEST(what_two_have_changed)
{
	const struct gx_rop_save_changes_message_req keep = {2}, force = {6};
	struct gx_rop_open_message_req q = {1252, gx_eid_make(1, GX_FID_DRAFTS), 1, new_message("a")};
	struct gx_proplist l = {0};
	ST_OK(et_do(RopOpenMessage, FOLDER, OTHER, &q, NULL));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, "b"), 0);
	(void)et_set(MESSAGE, &l);
	(void)et_set(OTHER, &l);
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &keep, NULL));
	ST_IS(et_do(RopSaveChangesMessage, OTHER, OTHER, &keep, NULL), ecObjectModified);
	ST_OK(et_do(RopSaveChangesMessage, OTHER, OTHER, &force, NULL));
	ST_IS(et_do(RopSaveChangesMessage, FOLDER, FOLDER, &keep, NULL), ecNullObject);
}
END_TEST

START_TEST(values_that_do_not_fit)
{
	static const gx_proptag_t two[] = {PidTagSubject, PidTagBody};
	struct gx_rop_get_properties_specific_res *p;
	struct gx_proplist l = {0};
	char *text = gx_arena_alloc(et_a, 20001);
	memset(text, 'x', 20000);
	text[20000] = '\0';
	(void)new_message("short");
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagBody, text), 0);
	(void)et_set(MESSAGE, &l);
	ST_OK(et_get(MESSAGE, two, 2, &p));
	ck_assert_str_eq(p->row_data.v[0].v.str, "short");
	ck_assert_uint_eq(p->row_data.v[1].v.err, ecMAPIOOM);
	/* with a limit of the client's */
	const struct gx_rop_get_properties_specific_req limited = {10000, true, two, 2};
	ST_OK(et_do(RopGetPropertiesSpecific, MESSAGE, 0, &limited, (void **)&p));
	ck_assert_str_eq(p->row_data.v[0].v.str, "short");
	ck_assert_uint_eq(p->row_data.v[1].v.err, ecMAPIOOM);
	/* all of them: the large one is told, too */
	struct gx_rop_get_properties_all_res *all;
	struct gx_rop_get_properties_list_res *list;
	ST_OK(et_do(RopGetPropertiesAll, MESSAGE, 0, &(struct gx_rop_get_properties_all_req){0, true}, (void **)&all));
	ck_assert_ptr_nonnull(gx_proplist_get(&all->property_values, PidTagSubject));
	ST_OK(et_do(RopGetPropertiesList, MESSAGE, 0, NULL, (void **)&list));
	bool body = false;
	for (uint32_t i = 0; i < list->property_tags_count; ++i)
		body = body || list->property_tags[i] == PidTagBody;
	ck_assert(body);
}
END_TEST

START_TEST(folders_and_stores_have_properties)
{
	static const gx_proptag_t names[] = {PidTagDisplayName, PidTagFolderId, PidTagComment};
	struct gx_rop_get_properties_specific_res *p;
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagComment, "mine"), 0);
	ck_assert_uint_eq(et_set(FOLDER, &l)->property_problems_count, 0);
	ST_OK(et_get(FOLDER, names, 3, &p));
	ck_assert_str_eq(p->row_data.v[0].v.str, "Drafts");
	ck_assert_uint_eq((uint64_t)p->row_data.v[1].v.i64, gx_eid_make(1, GX_FID_DRAFTS));
	ck_assert_str_eq(p->row_data.v[2].v.str, "mine");
	const gx_proptag_t comment = PidTagComment;
	ST_OK(et_do(RopDeleteProperties, FOLDER, 0, &(struct gx_rop_delete_properties_req){&comment, 1}, NULL));
	ST_OK(et_get(FOLDER, names, 3, &p));
	ck_assert_uint_eq(GX_PROP_TYPE(p->row_data.v[2].tag), PtypErrorCode);
	ck_assert_uint_eq(p->row_data.v[2].v.err, ecNotFound);
	(void)et_set(LOGON, &l);
	ST_OK(et_get(LOGON, &comment, 1, &p));
	ck_assert_str_eq(p->row_data.v[0].v.str, "mine");
	ST_OK(et_get(LOGON, NULL, 0, &p));
	ST_OK(et_do(RopGetHierarchyTable, FOLDER, OTHER, &(struct gx_rop_get_hierarchy_table_req){0}, NULL));
	ST_IS(et_get(OTHER, names, 3, &p), ecNotSupported);
}
END_TEST

/* A rule that is kept in a message. */
static gx_ec save_rule(const uint8_t *actions, size_t n)
{
	struct gx_proplist l = {0};
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_make(1, GX_FID_DRAFTS), .associated_flag = true};
	ST_OK(et_do(RopCreateMessage, FOLDER, MESSAGE, &q, NULL));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagMessageClass, "IPM.ExtendedRule.Message"), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, et_a, PidTagExtendedRuleMessageActions, actions, n), 0);
	ck_assert_uint_eq(et_set(MESSAGE, &l)->property_problems_count, 0);
	return et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){.save_flags = 0x02}, NULL);
}

/* max_ext_rule_number: one that is there can be changed, another one not be added. */
START_TEST(number_of_extended_rules)
{
	struct gx_store *s;
	const char *why;
	struct gx_proplist l = {0};
	static const uint8_t actions[9];
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/ann", et_dir), &s, et_a, &why), 0);
	s->o.max_ext_rules = 1;
	ST_OK(save_rule(actions, sizeof(actions)));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagRuleMessageName, "x"), 0);
	ck_assert_uint_eq(et_set(MESSAGE, &l)->property_problems_count, 0);
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){.save_flags = 0x02}, NULL));
	ST_IS(save_rule(actions, sizeof(actions)), ecMAPIOOM);
	s->o.max_ext_rules = 2;
	ST_OK(save_rule(actions, sizeof(actions)));
	gx_store_pool_put(et_pool, s);
}
END_TEST

START_TEST(limits_that_the_store_tells)
{
	static const gx_proptag_t limits[] = {PidTagMaximumSubmitMessageSize, PidTagExtendedRuleSizeLimit};
	static const uint8_t long_one[2000];
	struct gx_rop_get_properties_specific_res *p;
	struct gx_proplist l = {0};
	et_ems->o.max_object = 3 << 20;
	et_ems->o.max_ext_rule = sizeof(long_one) - 1;
	ST_OK(et_get(LOGON, limits, 2, &p));
	ck_assert_int_eq(p->row_data.v[0].v.i32, 3 << 10);
	ck_assert_int_eq(p->row_data.v[1].v.i32, sizeof(long_one) - 1);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, limits[1], 1 << 30), 0);
	ck_assert_uint_eq(et_set(LOGON, &l)->property_problems_count, 1);
	for (unsigned i = 0; i < 2; ++i) {
		gx_ec ec = save_rule(long_one, sizeof(long_one) - i);
		if (i == 0)
			ST_IS(ec, ecTooBig);
		else
			ST_OK(ec);
	}
}
END_TEST

START_TEST(names_of_properties)
{
	const struct gx_propname some[] = {{PSETID_Common, false, 0x8503, NULL}, {PS_PUBLIC_STRINGS, true, 0, "of my own"}, {PS_MAPI, false, 0x37, NULL},
		{PS_MAPI, false, 0x8001, NULL}};
	struct gx_rop_get_property_ids_from_names_req q = {0, some, 4};
	struct gx_rop_get_property_ids_from_names_res *r;
	struct gx_rop_get_names_from_property_ids_res *n;
	ST_IS(et_do(RopGetPropertyIdsFromNames, LOGON, 0, &q, (void **)&r), ecWarnWithErrors);
	ck_assert_uint_eq(r->property_ids_count, 4);
	ck_assert_uint_eq(r->property_ids[1], 0);
	ck_assert_uint_eq(r->property_ids[2], 0x37);
	ck_assert_uint_eq(r->property_ids[3], 0);
	q.flags = 2;
	q.property_names_count = 3;
	ST_OK(et_do(RopGetPropertyIdsFromNames, LOGON, 0, &q, (void **)&r));
	ck_assert_uint_ge(r->property_ids[0], 0x8001);
	ck_assert_uint_ge(r->property_ids[1], 0x8001);
	const uint16_t ids[] = {r->property_ids[1], 0x37, 0xfff0};
	ST_OK(et_do(RopGetNamesFromPropertyIds, LOGON, 0, &(struct gx_rop_get_names_from_property_ids_req){ids, 3}, (void **)&n));
	ck_assert_str_eq(n->property_names[0].name, "of my own");
	ck_assert_uint_eq(n->property_names[1].lid, 0x37);
	ck_assert(!n->property_names[2].by_name && n->property_names[2].lid == 0);
}
END_TEST

START_TEST(messages_moved_and_deleted)
{
	uint64_t mid = new_message("a"), none = gx_eid_make(1, 0x777777);
	struct gx_rop_move_copy_messages_res *m;
	struct gx_rop_get_message_status_res *st;
	ST_OK(et_do(RopOpenFolder, LOGON, OTHER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_NOTES), 0}, NULL));
	ST_OK(et_do(RopSetMessageStatus, FOLDER, 0, &(struct gx_rop_set_message_status_req){mid, 4, 4}, NULL));
	ST_OK(et_do(RopGetMessageStatus, FOLDER, 0, &(struct gx_rop_get_message_status_req){mid}, (void **)&st));
	ck_assert_uint_eq(st->message_status_flags & 4, 4);
	ST_OK(et_do(RopMoveCopyMessages, FOLDER, OTHER, &(struct gx_rop_move_copy_messages_req){&mid, 1, false, true}, (void **)&m));
	ck_assert(!m->partial_completion);
	const uint64_t two[] = {mid, none};
	ST_OK(et_do(RopMoveCopyMessages, FOLDER, OTHER, &(struct gx_rop_move_copy_messages_req){two, 2, false, false}, (void **)&m));
	ck_assert(m->partial_completion);
	ST_IS(et_do(RopOpenMessage, FOLDER, MESSAGE, &(struct gx_rop_open_message_req){1252, gx_eid_make(1, GX_FID_DRAFTS), 0, mid}, NULL), ecNotFound);
	/* no destination: the answer names the index */
	struct gx_rop_move_copy_messages_fail_503 *f;
	et_handles[9] = GX_ROP_NO_HANDLE;
	ST_IS(et_do(RopMoveCopyMessages, FOLDER, 9, &(struct gx_rop_move_copy_messages_req){two, 2, false, false}, (void **)&f), ecDstNullObject);
	ck_assert_uint_eq(f->dest_handle_index, 9);
	mid = new_message("b");
	ST_OK(et_do(RopDeleteMessages, FOLDER, 0, &(struct gx_rop_delete_messages_req){false, false, &mid, 1}, NULL));
	ST_IS(et_do(RopOpenMessage, FOLDER, MESSAGE, &(struct gx_rop_open_message_req){1252, gx_eid_make(1, GX_FID_DRAFTS), 0, mid}, NULL), ecNotFound);
	ST_OK(et_do(RopOpenMessage, FOLDER, MESSAGE, &(struct gx_rop_open_message_req){1252, gx_eid_make(1, GX_FID_DRAFTS), 4, mid}, NULL));
	const uint64_t other = gx_eid_make(5, 5);
	ST_IS(et_do(RopHardDeleteMessages, FOLDER, 0, &(struct gx_rop_hard_delete_messages_req){false, false, &other, 1}, NULL), ecNotFound);
	ST_IS(et_do(RopHardDeleteMessages, LOGON, 0, &(struct gx_rop_hard_delete_messages_req){false, false, &mid, 1}, NULL), ecNotSupported);
}
END_TEST

START_TEST(receive_folders_and_reserved_ids)
{
	struct gx_rop_get_receive_folder_res *g;
	struct gx_rop_get_receive_folder_table_res *t;
	struct gx_rop_get_local_replica_ids_res *l;
	static const gx_proptag_t cols[] = {PidTagFolderId, GX_PROP_RETYPE(PidTagMessageClass, PtypString8), PidTagLastModificationTime};
	ST_OK(et_do(RopGetReceiveFolder, LOGON, 0, &(struct gx_rop_get_receive_folder_req){"IPM.Note"}, (void **)&g));
	ck_assert_uint_eq(g->folder_id, gx_eid_make(1, GX_FID_INBOX));
	ST_OK(et_do(RopSetReceiveFolder, LOGON, 0, &(struct gx_rop_set_receive_folder_req){gx_eid_make(1, GX_FID_NOTES), "IPM.My"}, NULL));
	ST_OK(et_do(RopGetReceiveFolder, LOGON, 0, &(struct gx_rop_get_receive_folder_req){"IPM.My.Own"}, (void **)&g));
	ck_assert_uint_eq(g->folder_id, gx_eid_make(1, GX_FID_NOTES));
	ck_assert_str_eq(g->explicit_message_class, "IPM.My");
	et_columns = (struct gx_columns){cols, 3};
	ST_OK(et_do(RopGetReceiveFolderTable, LOGON, 0, NULL, (void **)&t));
	ck_assert_uint_ge(t->rows_count, 2);
	ST_IS(et_do(RopGetReceiveFolder, FOLDER, 0, &(struct gx_rop_get_receive_folder_req){""}, NULL), ecNotSupported);
	ST_OK(et_do(RopGetLocalReplicaIds, LOGON, 0, &(struct gx_rop_get_local_replica_ids_req){100}, (void **)&l));
	ck_assert_uint_ne(l->global_count[0] | l->global_count[1] | l->global_count[2] | l->global_count[3] | l->global_count[4] | l->global_count[5], 0);
	ck_assert(gx_ec_failed(et_do(RopGetLocalReplicaIds, LOGON, 0, &(struct gx_rop_get_local_replica_ids_req){UINT32_MAX}, NULL)));
}
END_TEST

static Suite *emsprops_suite(void)
{
	Suite *s = suite_create("emsprops");
	TCase *t = tcase_create("emsprops");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, a_message_saved_and_opened);
	tcase_add_test(t, what_two_have_changed);
	tcase_add_test(t, values_that_do_not_fit);
	tcase_add_test(t, folders_and_stores_have_properties);
	tcase_add_test(t, limits_that_the_store_tells);
	tcase_add_test(t, number_of_extended_rules);
	tcase_add_test(t, names_of_properties);
	tcase_add_test(t, messages_moved_and_deleted);
	tcase_add_test(t, receive_folders_and_reserved_ids);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsprops_suite)
