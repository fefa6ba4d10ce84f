/* SPDX-License-Identifier: Apache-2.0 */
/* Mail that comes in, and rules at work. */
#include <config.h>
#include <gx/pr-names.h>
#include "libgxstore/calls/scenario-int.h"

enum { RULES = 1, NOTIFY = 2, JUNK = 8 };

static struct gx_x_deliver_message_ans deliver(struct scene *s, const char *subject, uint32_t flags)
{
	struct gx_propval v[] = {{PidTagMessageClass, {.str = "IPM.Note"}}, {PidTagSubject, {.str = subject}}, {PidTagBody, {.str = "text"}}};
	struct gx_x_deliver_message_req q = {.from_address = "from@example.net", .account = "u@example.org", .dlflags = flags,
		.content = {.props = PROPS(v)}, .digest = ""};
	struct gx_x_deliver_message_ans ans;
	OK2(s, deliver_message, &q, &ans);
	return ans;
}

static void add_rule(struct scene *s, const char *word, struct gx_x_action action)
{
	struct gx_dctx x = {.px = GX_PX_EXT(s->a)};
	struct gx_x_action_block block = {action};
	struct gx_x_actions all = {&block, 1};
	struct gx_restr has = {.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = word}}}};
	struct gx_bin actions;
	ck_assert_int_eq(gx_desc_encode(&x, gx_exmdb_desc(GX_EXMDB_X_ACTIONS), &all, &actions), 0);
	struct gx_propval v[] = {
		{PidTagRuleSequence, {.i32 = 10}}, {PidTagRuleState, {.i32 = 1}}, {PidTagRuleName, {.str = word}},
		{PidTagRuleProvider, {.str = "RuleOrganizer"}}, {PidTagRuleLevel, {.i32 = 0}}, {PidTagRuleCondition, {.restr = &has}},
		{PidTagRuleActions, {.bin = actions}},
	};
	struct gx_x_row_change c = {GX_X_ROW_ADD, PROPS(v)};
	struct gx_x_update_folder_rule_req q = {.folder_id = EID(GX_FID_INBOX), .changes = &c, .changes_count = 1};
	struct gx_x_update_folder_rule_ans ans;
	OK2(s, update_folder_rule, &q, &ans);
}

/* PtypServerId of a folder of ours. */
static struct gx_bin server_id(struct scene *s, uint64_t fid)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	gx_push_u8(&out, 1);
	gx_push_u64(&out, fid);
	gx_push_u64(&out, 0);
	gx_push_u32(&out, 0);
	ck_assert_int_eq(gx_push_finish(&out, s->a, &b), 0);
	gx_push_release(&out);
	return b;
}

static bool is_read(struct scene *s, uint64_t mid)
{
	gx_proptag_t tag = PidTagMessageFlags;
	struct gx_x_get_message_properties_req q = {.message_id = mid, .tags = &tag, .tags_count = 1};
	struct gx_x_get_message_properties_ans ans;
	OK2(s, get_message_properties, &q, &ans);
	return gx_proplist_i32(&ans.props, tag, 0) & 1;
}

void scene_deliver(struct scene *s)
{
	uint64_t inbox = EID(GX_FID_INBOX), sorted = scene_make_folder(s, inbox, "sorted");
	struct gx_x_notification n;
	struct gx_x_subscribe_notification_req sub = {2, false, inbox, 0};
	struct gx_x_subscribe_notification_ans id;
	OK2(s, subscribe_notification, &sub, &id);
	struct gx_x_deliver_message_ans ans = deliver(s, "plain", NOTIFY | RULES);
	ck_assert_uint_eq(ans.result, 0);
	ck_assert_uint_eq(ans.folder_id, inbox);
	ck_assert_int_eq(gx_exmdb_event(s->x, 20000, s->a, &n), GX_XEV_EVENT);
	ck_assert_uint_eq(n.event, GX_X_EV_NEW_MAIL);
	ck_assert_uint_eq(EID(n.message_id), ans.message_id);
	ans = deliver(s, "spam", JUNK);
	ck_assert_uint_eq(ans.folder_id, EID(GX_FID_JUNK));
	/* moved, read, tagged, deleted by rules; in their order */
	add_rule(s, "seen", (struct gx_x_action){.type = GX_X_OP_MARK_READ});
	add_rule(s, "high", (struct gx_x_action){.type = GX_X_OP_TAG, .tag = {PidTagImportance, {.i32 = 2}}});
	add_rule(s, "sort", (struct gx_x_action){.type = GX_X_OP_MOVE, .same_store = 1, .folder_id = server_id(s, sorted)});
	add_rule(s, "drop", (struct gx_x_action){.type = GX_X_OP_DELETE});
	add_rule(s, "copy", (struct gx_x_action){.type = GX_X_OP_COPY, .same_store = 1, .folder_id = server_id(s, sorted)});
	add_rule(s, "lost", (struct gx_x_action){.type = GX_X_OP_MOVE, .same_store = 1, .folder_id = server_id(s, EID(0x999999))});
	add_rule(s, "send", (struct gx_x_action){.type = GX_X_OP_BOUNCE, .bounce = 13});
	ans = deliver(s, "seen and sort", RULES);
	ck_assert_uint_eq(ans.folder_id, sorted);
	ck_assert(is_read(s, ans.message_id));
	ck_assert_int_eq(scene_count(s, sorted, PidTagContentCount), 1);
	ans = deliver(s, "drop it", RULES);
	ck_assert_uint_eq(ans.result, 0);
	ck_assert_uint_eq(ans.message_id, 0);
	ans = deliver(s, "copy of it, to send", RULES);
	ck_assert_uint_eq(ans.folder_id, inbox);
	ck_assert_int_eq(scene_count(s, sorted, PidTagContentCount), 2);
	/* a rule whose folder is gone loses nothing */
	ans = deliver(s, "lost and found", RULES);
	ck_assert_uint_eq(ans.folder_id, inbox);
	/* the same on what is there already */
	ans = deliver(s, "sort later", 0);
	ck_assert_uint_eq(ans.folder_id, inbox);
	struct gx_x_rule_new_message_req again = {.account = "", .folder_id = inbox, .message_id = ans.message_id};
	OK_REQ(s, rule_new_message, &again);
	ck_assert_int_eq(scene_count(s, sorted, PidTagContentCount), 3);
	again.message_id = EID(0x999999);
	FAILS_REQ(s, rule_new_message, &again, ecNotFound);
}

void scene_quota(struct scene *s)
{
	struct gx_propval v[] = {{PR_STORAGE_QUOTA_LIMIT, {.i32 = 1}}, {PidTagProhibitReceiveQuota, {.i32 = 1}}};
	struct gx_x_set_store_properties_req q = {.props = PROPS(v)};
	struct gx_x_set_store_properties_ans problems;
	char *text = gx_arena_calloc(s->a, 1, 3001);
	memset(text, 's', 3000);
	OK2(s, set_store_properties, &q, &problems);
	for (int i = 0; i < 4; ++i) {
		struct gx_x_deliver_message_ans ans = deliver(s, text, 0);
		if (ans.result != 0) {
			ck_assert_uint_eq(ans.result, 3);
			ck_assert_uint_eq(ans.message_id, 0);
			return;
		}
	}
	ck_abort_msg("a mailbox of a kilobyte took twelve");
}
