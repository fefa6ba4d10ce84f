/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what in a folder, and its rules: as tables, and changed. */
#include <config.h>
#include <gx/entryid.h>
#include <gx/rules.h>
#include <gx/acl.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, FOLDER = 1, TABLE = 2, MESSAGE = 3 };
enum { ADD = 1, MODIFY = 2, REMOVE = 4 };

static void setup(void)
{
	et_setup();
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_CALENDAR), 0}, NULL));
}

/* ---- Tables ---- */

static struct gx_rop_query_rows_res *rows(const gx_proptag_t *tags, uint32_t n)
{
	struct gx_rop_query_rows_res *r;
	const struct gx_rop_set_columns_req cols = {.property_tags = tags, .property_tags_count = n};
	et_columns = (struct gx_columns){tags, n};
	ST_OK(et_do(RopSetColumns, TABLE, 0, &cols, NULL));
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){0, 0, false}, NULL));
	ST_OK(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 100}, (void **)&r));
	return r;
}

/* What every table can be asked. */
static void looked_at(uint32_t count)
{
	struct gx_rop_query_position_res *p;
	struct gx_rop_query_columns_all_res *all;
	struct gx_rop_find_row_res *f;
	const struct gx_restr any = {.type = RES_NULL};
	const struct gx_rop_find_row_req find = {0, &any, 0, {NULL, 0}};
	ST_OK(et_do(RopSeekRow, TABLE, 0, &(struct gx_rop_seek_row_req){2, -1, true}, NULL));
	ST_OK(et_do(RopQueryPosition, TABLE, 0, NULL, (void **)&p));
	ck_assert_uint_eq(p->numerator, count - 1);
	ck_assert_uint_eq(p->denominator, count);
	ST_OK(et_do(RopQueryColumnsAll, TABLE, 0, NULL, (void **)&all));
	ck_assert_uint_ge(all->property_tags_count, 4);
	ST_OK(et_do(RopFindRow, TABLE, 0, &find, (void **)&f));
	ST_OK(et_do(RopGetStatus, TABLE, 0, NULL, NULL));
	ST_IS(et_do(RopAbort, TABLE, 0, NULL, NULL), ecNotSupported); /* [MS-OXCTABL] 3.2.5.6: of contents and hierarchies */
	ST_OK(et_do(RopSeekRowFractional, TABLE, 0, &(struct gx_rop_seek_row_fractional_req){0, 1}, NULL));
	const struct gx_sort s = {PidTagMemberName, 0};
	ST_IS(et_do(RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){0, {&s, 1, 0, 0}}, NULL), ecNotSupported);
	ST_IS(et_do(RopExpandRow, TABLE, 0, &(struct gx_rop_expand_row_req){0, 1}, NULL), ecNotSupported);
	ST_OK(et_do(RopResetTable, TABLE, 0, NULL, NULL));
	ST_IS(et_do(RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 1}, NULL), ecNullObject);
}

/* ---- Permissions ---- */

static struct gx_permission_data *row(uint8_t op, int64_t id, const char *dn, int32_t rights)
{
	struct gx_permission_data *d = gx_arena_new_obj(et_a, struct gx_permission_data);
	struct gx_bin eid;
	d->permission_data_flags = op;
	if (dn != NULL) {
		ck_assert_int_eq(strchr(dn, '/') == NULL ? gx_entryid_oneoff(et_a, dn, "SMTP", dn, &eid) : gx_entryid_addressbook(et_a, 0, dn, &eid), 0);
		ck_assert_int_eq(gx_proplist_set_bin(&d->property_values, et_a, PidTagEntryId, eid.data, eid.len), 0);
	} else {
		ck_assert_int_eq(gx_proplist_set_i64(&d->property_values, et_a, PidTagMemberId, id), 0);
	}
	if (rights >= 0)
		ck_assert_int_eq(gx_proplist_set_i32(&d->property_values, et_a, PidTagMemberRights, rights), 0);
	return d;
}

static gx_ec modify(uint8_t flags, const struct gx_permission_data *d)
{
	return et_do(RopModifyPermissions, FOLDER, 0, &(struct gx_rop_modify_permissions_req){flags, d, 1}, NULL);
}

static const gx_proptag_t columns[] = {PidTagMemberId, PidTagMemberName, PidTagMemberRights, PidTagEntryId};

static struct gx_rop_query_rows_res *permissions(uint8_t flags)
{
	ST_OK(et_do(RopGetPermissionsTable, FOLDER, TABLE, &(struct gx_rop_get_permissions_table_req){flags}, NULL));
	return rows(columns, 4);
}

START_TEST(rights_as_a_table)
{
	ST_OK(modify(0, row(ADD, 0, et_dn[1], GX_RIGHT_READ | GX_RIGHT_VISIBLE)));
	struct gx_rop_query_rows_res *r = permissions(2);
	ck_assert_uint_eq(r->row_data_count, 3);
	ck_assert_int_eq(r->row_data[0].v[0].v.i64, GX_MEMBER_DEFAULT);
	ck_assert_str_eq(r->row_data[0].v[1].v.str, "");
	ck_assert_int_eq(r->row_data[1].v[0].v.i64, GX_MEMBER_ANONYMOUS);
	ck_assert_str_eq(r->row_data[1].v[1].v.str, "Anonymous");
	ck_assert_str_eq(r->row_data[2].v[1].v.str, "bob@example.org");
	ck_assert_int_eq(r->row_data[2].v[2].v.i32, GX_RIGHT_READ | GX_RIGHT_VISIBLE);
	ck_assert_uint_gt(r->row_data[2].v[3].v.bin.len, strlen(et_dn[1])); /* of the address book */
	looked_at(3);
	ST_IS(et_do(RopGetPermissionsTable, FOLDER, TABLE, &(struct gx_rop_get_permissions_table_req){0x80}, NULL), ecInvalidParam);
	ST_IS(et_do(RopGetPermissionsTable, LOGON, TABLE, &(struct gx_rop_get_permissions_table_req){0}, NULL), ecNotSupported);
}
END_TEST

START_TEST(rights_changed)
{
	ST_OK(modify(0, row(ADD, 0, et_dn[1], GX_RIGHT_READ)));
	ST_OK(modify(2, row(MODIFY, GX_MEMBER_DEFAULT, NULL, GX_RIGHT_FB_DETAILED | GX_RIGHT_READ)));
	int64_t bob = permissions(2)->row_data[2].v[0].v.i64;
	ck_assert_int_eq(permissions(2)->row_data[0].v[2].v.i32, GX_RIGHT_FB_DETAILED | GX_RIGHT_READ);
	ck_assert_int_eq(permissions(0)->row_data[0].v[2].v.i32, GX_RIGHT_READ);
	ST_OK(modify(0, row(MODIFY, GX_MEMBER_DEFAULT, NULL, 0))); /* the free/busy rights were not meant */
	ck_assert_int_eq(permissions(2)->row_data[0].v[2].v.i32, GX_RIGHT_FB_DETAILED);
	ST_OK(modify(0, row(REMOVE, bob, NULL, -1)));
	ck_assert_uint_eq(permissions(2)->row_data_count, 2);
	ST_IS(modify(0, row(MODIFY, 77777, NULL, 0)), ecNotFound);
	ST_OK(modify(0, row(ADD, 0, et_dn[1], GX_RIGHT_READ)));
	ST_OK(modify(3, row(ADD, 0, "carl@elsewhere.org", GX_RIGHT_CREATE)));
	struct gx_rop_query_rows_res *r = permissions(2);
	ck_assert_uint_eq(r->row_data_count, 3);
	ck_assert_int_eq(r->row_data[0].v[2].v.i32, 0);
	ck_assert_str_eq(r->row_data[2].v[1].v.str, "carl@elsewhere.org");
	ST_OK(modify(3, row(ADD, GX_MEMBER_ANONYMOUS, NULL, GX_RIGHT_VISIBLE)));
	r = permissions(0);
	ck_assert_uint_eq(r->row_data_count, 2);
	ck_assert_int_eq(r->row_data[1].v[2].v.i32, GX_RIGHT_VISIBLE);
}
END_TEST

START_TEST(rights_that_cannot_be)
{
	ST_IS(modify(0x40, row(ADD, 0, et_dn[1], 1)), ecInvalidParam);
	ST_IS(modify(0, row(3, 0, et_dn[1], 1)), ecInvalidParam);
	ST_IS(modify(1, row(MODIFY, 0, NULL, 1)), ecInvalidParam);
	ST_IS(modify(0, row(ADD, 0, et_dn[1], -1)), ecInvalidParam);
	ST_IS(modify(0, row(ADD, 5, NULL, 1)), ecInvalidParam);
	ST_IS(modify(0, row(ADD, 0, "/o=x/cn=recipients/cn=0100000009000000-zoe", 1)), ecUnknownUser);
	ST_IS(et_do(RopModifyPermissions, LOGON, 0, &(struct gx_rop_modify_permissions_req){0}, NULL), ecNotSupported);
}
END_TEST

/* Another's calendar with rights to read it: that is not enough. */
START_TEST(rights_of_others)
{
	ST_OK(modify(0, row(ADD, 0, et_dn[1], GX_RIGHT_READ | GX_RIGHT_VISIBLE)));
	struct gx_ems_session *mine = et_s;
	et_s = et_connect("bob@example.org", et_dn[1]);
	et_logon(et_dn[0]);
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_CALENDAR), 0}, NULL));
	ST_IS(modify(0, row(ADD, 0, et_dn[1], GX_RIGHTS_ALL)), ecAccessDenied);
	ST_IS(et_do(RopGetPermissionsTable, FOLDER, TABLE, &(struct gx_rop_get_permissions_table_req){0}, NULL), ecAccessDenied);
	ST_IS(et_do(RopGetRulesTable, FOLDER, TABLE, &(struct gx_rop_get_rules_table_req){0}, NULL), ecAccessDenied);
	ST_IS(et_do(RopModifyRules, FOLDER, 0, &(struct gx_rop_modify_rules_req){1, NULL, 0}, NULL), ecAccessDenied);
	gx_ems_session_put(et_s);
	et_s = mine;
}
END_TEST

/* ---- Rules ---- */

static const uint8_t actions[] = {1, 0, 9, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0}; /* OP_MARK_AS_READ */
static const gx_proptag_t rule_columns[] = {PidTagRuleId, PidTagRuleSequence, PidTagRuleState, PidTagRuleName, PidTagRuleCondition,
	PidTagRuleActions};

static struct gx_rule_data *rule(uint8_t op, int64_t id, const char *name, int32_t sequence)
{
	struct gx_rule_data *d = gx_arena_new_obj(et_a, struct gx_rule_data);
	struct gx_proplist *l = &d->property_values;
	struct gx_restr *r = gx_arena_new_obj(et_a, struct gx_restr);
	*r = (struct gx_restr){.type = RES_EXIST, .u.exist = {PidTagSubject}};
	d->rule_data_flags = op;
	if (id != 0)
		ck_assert_int_eq(gx_proplist_set_i64(l, et_a, PidTagRuleId, id), 0);
	if (name == NULL)
		return d;
	ck_assert_int_eq(gx_proplist_set(l, et_a, GX_PROP_RETYPE(PidTagRuleName, PtypString8), (union gx_value){.str = name}), 0);
	ck_assert_int_eq(gx_proplist_set_i32(l, et_a, PidTagRuleSequence, sequence), 0);
	ck_assert_int_eq(gx_proplist_set_i32(l, et_a, PidTagRuleState, ST_ENABLED), 0);
	ck_assert_int_eq(gx_proplist_set_str(l, et_a, PidTagRuleProvider, "RuleOrganizer"), 0);
	ck_assert_int_eq(gx_proplist_set(l, et_a, PidTagRuleCondition, (union gx_value){.restr = r}), 0);
	ck_assert_int_eq(gx_proplist_set(l, et_a, PidTagRuleActions, (union gx_value){.bin = {actions, sizeof(actions)}}), 0);
	return d;
}

static gx_ec change(uint8_t flags, const struct gx_rule_data *d)
{
	return et_do(RopModifyRules, FOLDER, 0, &(struct gx_rop_modify_rules_req){flags, d, 1}, NULL);
}

static struct gx_rop_query_rows_res *rules(void)
{
	ST_OK(et_do(RopGetRulesTable, FOLDER, TABLE, &(struct gx_rop_get_rules_table_req){0x40}, NULL));
	return rows(rule_columns, 6);
}

START_TEST(rules_as_a_table)
{
	ST_OK(change(0, rule(ADD, 0, "second", 20)));
	ST_OK(change(0, rule(ADD, 0, "first", 10)));
	struct gx_rop_query_rows_res *r = rules();
	ck_assert_uint_eq(r->row_data_count, 2);
	ck_assert_str_eq(r->row_data[0].v[3].v.str, "first");
	ck_assert_uint_eq(gx_eid_replica((uint64_t)r->row_data[0].v[0].v.i64), 1);
	ck_assert_int_eq(r->row_data[1].v[1].v.i32, 20);
	ck_assert_uint_eq(r->row_data[1].v[4].v.restr->type, RES_EXIST);
	ck_assert_uint_eq(r->row_data[1].v[5].v.bin.len, sizeof(actions));
	looked_at(2);
	ST_IS(et_do(RopGetRulesTable, FOLDER, TABLE, &(struct gx_rop_get_rules_table_req){1}, NULL), ecInvalidParam);
	ST_IS(et_do(RopGetRulesTable, LOGON, TABLE, &(struct gx_rop_get_rules_table_req){0}, NULL), ecNotSupported);
}
END_TEST

START_TEST(rules_changed)
{
	ST_OK(change(0, rule(ADD, 0, "one", 10)));
	int64_t id = rules()->row_data[0].v[0].v.i64;
	ST_OK(change(0, rule(MODIFY, id, "uno", 11)));
	struct gx_rop_query_rows_res *r = rules();
	ck_assert_uint_eq(r->row_data_count, 1);
	ck_assert_int_eq(r->row_data[0].v[0].v.i64, id);
	ck_assert_str_eq(r->row_data[0].v[3].v.str, "uno");
	ST_OK(change(1, rule(ADD, 0, "alone", 1)));
	ck_assert_str_eq(rules()->row_data[0].v[3].v.str, "alone");
	ST_IS(change(0, rule(REMOVE, id, NULL, 0)), ecNotFound);
	id = rules()->row_data[0].v[0].v.i64;
	ST_OK(change(0, rule(REMOVE, id, NULL, 0)));
	ck_assert_uint_eq(rules()->row_data_count, 0);
}
END_TEST

/* What a rule says is read as it was written; what the store keeps are its own ids. */
START_TEST(rules_about_ids)
{
	const struct gx_restr in_inbox = {.type = RES_PROPERTY, .u.prop = {RELOP_NE, PidTagParentFolderId,
		{PidTagParentFolderId, {.i64 = (int64_t)gx_eid_make(1, GX_FID_INBOX)}}}};
	const struct gx_restr sub = {.type = RES_SUBRESTRICTION, .u.sub = {PidTagMessageAttachments, &in_inbox}};
	const struct gx_restr both[] = {in_inbox, sub}, r = {.type = RES_OR, .u.list = {both, 2}};
	struct gx_rule_data *d = rule(ADD, 0, "ids", 1);
	ck_assert_int_eq(gx_proplist_set(&d->property_values, et_a, PidTagRuleCondition, (union gx_value){.restr = &r}), 0);
	ST_OK(change(0, d));
	struct gx_rop_query_rows_res *t = rules();
	ck_assert_uint_eq(t->row_data_count, 1);
	ck_assert_int_eq(gx_restr_cmp(t->row_data[0].v[4].v.restr, &r), 0);
	ck_assert_uint_eq(t->row_data[0].v[5].v.bin.len, sizeof(actions));
	ck_assert_mem_eq(t->row_data[0].v[5].v.bin.data, actions, sizeof(actions));
	/* in the store */
	struct gx_store *s;
	struct gx_rule *v;
	size_t n;
	const char *why;
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/ann", et_dir), &s, et_a, &why), 0);
	struct gx_txn *x = st_begin(s, GX_TXN_READ);
	ST_OK(gx_rules_list(x, GX_FID_CALENDAR, et_a, &v, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(v[0].condition->u.list.v[0].u.prop.val.v.i64, GX_FID_INBOX);
	gx_txn_abort(x);
	gx_store_pool_put(et_pool, s);
}
END_TEST

START_TEST(rules_that_cannot_be)
{
	ST_IS(change(2, rule(ADD, 0, "x", 1)), ecInvalidParam);
	ST_IS(change(0, rule(9, 0, "x", 1)), ecInvalidParam);
	ST_IS(change(1, rule(MODIFY, 0, "x", 1)), ecInvalidParam);
	ST_IS(change(0, rule(MODIFY, (int64_t)gx_eid_make(7, 5), "x", 1)), ecNotFound);
	struct gx_rule_data *d = rule(ADD, 0, "without actions", 1);
	gx_proplist_remove(&d->property_values, PidTagRuleActions);
	ST_IS(change(0, d), ecInvalidParam);
	ST_IS(et_do(RopModifyRules, LOGON, 0, &(struct gx_rop_modify_rules_req){0}, NULL), ecNotSupported);
	const uint32_t n = GX_RULES_MAX + 1;
	struct gx_rule_data *many = gx_arena_new_array(et_a, struct gx_rule_data, n);
	struct gx_proplist *l = &rule(ADD, 0, "", 1)->property_values;
	gx_proplist_remove(l, PidTagRuleProvider);
	gx_proplist_remove(l, PidTagRuleCondition);
	gx_proplist_remove(l, PidTagRuleSequence);
	gx_proplist_remove(l, PidTagRuleState);
	for (uint32_t i = 0; i < n; ++i)
		many[i] = (struct gx_rule_data){ADD, *l};
	ST_IS(et_do(RopModifyRules, FOLDER, 0, &(struct gx_rop_modify_rules_req){0, many, n}, NULL), ecMAPIOOM);
	ck_assert_uint_eq(rules()->row_data_count, 0);
}
END_TEST

/* ---- Deferred actions ---- */

START_TEST(deferred_actions_found_again)
{
	static const gx_proptag_t tags[] = {PidTagDamOriginalEntryId, PidTagDamBackPatched};
	const struct gx_bin server = {(const uint8_t *)"server", 6}, client = {(const uint8_t *)"client's", 8};
	const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_make(1, GX_FID_DEFERRED)};
	struct gx_proplist l = {0};
	ST_OK(et_do(RopCreateMessage, LOGON, MESSAGE, &q, NULL));
	ck_assert_int_eq(gx_proplist_set_bin(&l, et_a, tags[0], server.data, server.len), 0);
	ST_OK(et_do(RopSetProperties, MESSAGE, 0, &(struct gx_rop_set_properties_req){l}, NULL));
	ST_OK(et_do(RopSaveChangesMessage, MESSAGE, MESSAGE, &(struct gx_rop_save_changes_message_req){0}, NULL));
	ST_OK(et_do(RopUpdateDeferredActionMessages, LOGON, 0, &(struct gx_rop_update_deferred_action_messages_req){client, client}, NULL));
	ST_OK(et_do(RopUpdateDeferredActionMessages, LOGON, 0, &(struct gx_rop_update_deferred_action_messages_req){server, client}, NULL));
	ST_OK(et_do(RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){q.folder_id, 0}, NULL));
	ST_OK(et_do(RopGetContentsTable, FOLDER, TABLE, &(struct gx_rop_get_contents_table_req){0}, NULL));
	struct gx_rop_query_rows_res *r = rows(tags, 2);
	ck_assert_uint_eq(r->row_data_count, 1);
	ck_assert_uint_eq(r->row_data[0].v[0].v.bin.len, client.len);
	ck_assert(r->row_data[0].v[1].v.b);
	ST_IS(et_do(RopUpdateDeferredActionMessages, FOLDER, 0, &(struct gx_rop_update_deferred_action_messages_req){server, client}, NULL),
		ecNotSupported);
}
END_TEST

static Suite *emsrights_suite(void)
{
	Suite *s = suite_create("emsrights");
	TCase *t = tcase_create("emsrights");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, rights_as_a_table);
	tcase_add_test(t, rights_changed);
	tcase_add_test(t, rights_that_cannot_be);
	tcase_add_test(t, rights_of_others);
	tcase_add_test(t, rules_as_a_table);
	tcase_add_test(t, rules_changed);
	tcase_add_test(t, rules_about_ids);
	tcase_add_test(t, rules_that_cannot_be);
	tcase_add_test(t, deferred_actions_found_again);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsrights_suite)
