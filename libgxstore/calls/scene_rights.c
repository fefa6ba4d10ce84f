/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions and rules. */
#include <config.h>
#include "libgxstore/calls/scenario-int.h"

static uint32_t rights(struct scene *s, uint64_t fid, const char *who)
{
	struct gx_x_get_folder_perm_req q = {fid, who};
	struct gx_x_get_folder_perm_ans ans;
	OK2(s, get_folder_perm, &q, &ans);
	return ans.permission;
}

void scene_permission(struct scene *s)
{
	uint64_t inbox = EID(GX_FID_INBOX);
	struct gx_propval add[] = {{PidTagSmtpAddress, {.str = "friend@example.org"}}, {PidTagMemberRights, {.i32 = 0x401}}};
	struct gx_propval all[] = {{PidTagMemberId, {.i64 = 0}}, {PidTagMemberRights, {.i32 = 0x400}}};
	struct gx_x_row_change v[] = {{GX_X_ROW_ADD, PROPS(add)}, {GX_X_ROW_MODIFY, PROPS(all)}};
	struct gx_x_update_folder_permission_req q = {.folder_id = inbox, .changes = v, .changes_count = 2};
	OK_REQ(s, update_folder_permission, &q);
	ck_assert_uint_eq(rights(s, inbox, "friend@example.org"), 0x401);
	ck_assert_uint_eq(rights(s, inbox, "other@example.org"), 0x400);
	struct gx_x_get_mbox_perm_req mq = {"friend@example.org"};
	struct gx_x_get_mbox_perm_ans m;
	OK2(s, get_mbox_perm, &mq, &m);
	ck_assert_uint_eq(m.permission & 0x401, 0x401);
	/* who may read reads, who may not does not */
	uint64_t mid = scene_make_message(s, inbox, "for friends");
	gx_proptag_t tag = PidTagSubject;
	struct gx_x_get_message_properties_req pq = {.username = "friend@example.org", .message_id = mid, .tags = &tag, .tags_count = 1};
	struct gx_x_get_message_properties_ans got;
	OK2(s, get_message_properties, &pq, &got);
	pq.username = "other@example.org";
	FAILS2(s, get_message_properties, &pq, &got, ecAccessDenied);
	/* one by a one-off entry id, one by the id of nobody */
	struct gx_bin eid;
	ck_assert_int_eq(gx_entryid_oneoff(s->a, NULL, "SMTP", "eid@example.org", &eid), 0);
	add[0] = (struct gx_propval){PidTagEntryId, {.bin = eid}};
	q.changes_count = 1;
	OK_REQ(s, update_folder_permission, &q);
	ck_assert_uint_eq(rights(s, inbox, "eid@example.org"), 0x401);
	v[0].props.count = 0;
	FAILS_REQ(s, update_folder_permission, &q, ecInvalidParam);
	struct gx_x_empty_folder_permission_req e = {inbox};
	OK_REQ(s, empty_folder_permission, &e);
	ck_assert_uint_eq(rights(s, inbox, "friend@example.org"), 0);
}

void scene_rule(struct scene *s)
{
	static const struct gx_restr always = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
	uint64_t inbox = EID(GX_FID_INBOX);
	struct gx_propval v[] = {
		{PidTagRuleSequence, {.i32 = 10}}, {PidTagRuleState, {.i32 = 1}}, {PidTagRuleName, {.str = "all"}},
		{PidTagRuleProvider, {.str = "RuleOrganizer"}}, {PidTagRuleLevel, {.i32 = 0}}, {PidTagRuleCondition, {.restr = &always}},
		{PidTagRuleActions, {.bin = {(const uint8_t *)"\1\0\x9\0\xb\0\0\0\0\0\0\0\0", 13}}},
	};
	struct gx_x_row_change c = {GX_X_ROW_ADD, PROPS(v)};
	struct gx_x_update_folder_rule_req q = {.folder_id = inbox, .changes = &c, .changes_count = 1};
	struct gx_x_update_folder_rule_ans ans;
	OK2(s, update_folder_rule, &q, &ans);
	ck_assert(!ans.exceed);
	/* a change of a rule that is not there */
	struct gx_propval id[] = {{PidTagRuleId, {.i64 = (int64_t)EID(0x777777)}}};
	c = (struct gx_x_row_change){GX_X_ROW_REMOVE, PROPS(id)};
	FAILS2(s, update_folder_rule, &q, &ans, ecNotFound);
	struct gx_x_empty_folder_rule_req e = {inbox};
	OK_REQ(s, empty_folder_rule, &e);
	OK_REQ(s, empty_folder_rule, &e);
}
