/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/acl.h>
#include <gx/propcodec.h>
#include <gx/rules.h>
#include "libgxstore/fixtxntest.h"

/* Permissions as a table, and rules: kept, changed, matched. */

/* ---- Permissions ---- */

static size_t acl(struct gx_member **ret_v)
{
	size_t n;
	ST_OK(gx_acl_list(t, GX_FID_CALENDAR, a, ret_v, &n));
	return n;
}

START_TEST(acl_rows)
{
	struct gx_member *v;
	int64_t id;
	ck_assert_uint_eq(acl(&v), 2);
	ck_assert(v[0].id == GX_MEMBER_DEFAULT && (v[0].rights & GX_RIGHT_FB_SIMPLE) != 0);
	ck_assert(v[1].id == GX_MEMBER_ANONYMOUS && v[1].rights == 0);
	const struct gx_acl_change c[] = {
		{.op = GX_ACL_ADD, .address = "Bob@Example.org", .rights = GX_RIGHT_READ | GX_RIGHT_FB_DETAILED},
		{.op = GX_ACL_ADD, .address = "amy@example.org", .rights = GX_RIGHT_CREATE},
		{.op = GX_ACL_MODIFY, .id = GX_MEMBER_ANONYMOUS, .rights = GX_RIGHT_VISIBLE},
	};
	ST_OK(gx_acl_modify(t, GX_FID_CALENDAR, c, 3, GX_ACL_FREEBUSY));
	ck_assert_uint_eq(acl(&v), 4);
	ck_assert_str_eq(v[2].address, "amy@example.org");
	ck_assert_str_eq(v[3].address, "bob@example.org");
	ck_assert_uint_eq(v[3].rights, GX_RIGHT_READ | GX_RIGHT_FB_DETAILED);
	ck_assert_uint_eq(v[1].rights, GX_RIGHT_VISIBLE);
	ST_OK(gx_acl_member_id(t, "BOB@example.org", &id));
	ck_assert_int_eq(id, v[3].id);
	ST_IS(gx_acl_member_id(t, "nobody@example.org", &id), ecNotFound);
	/* The same person has the same number elsewhere. */
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "bob@example.org", GX_RIGHT_READ, false));
	struct gx_member *w;
	size_t n;
	ST_OK(gx_acl_list(t, GX_FID_INBOX, a, &w, &n));
	ck_assert(n == 3 && w[2].id == v[3].id);
}
END_TEST

START_TEST(acl_changes)
{
	struct gx_member *v;
	const struct gx_acl_change add = {.op = GX_ACL_ADD, .address = "bob@example.org", .rights = GX_RIGHT_READ | GX_RIGHT_FB_SIMPLE};
	ST_OK(gx_acl_modify(t, GX_FID_CALENDAR, &add, 1, GX_ACL_FREEBUSY));
	acl(&v);
	/* Without the flag the free/busy rights are not touched. */
	struct gx_acl_change c = {.op = GX_ACL_MODIFY, .id = v[2].id, .rights = GX_RIGHT_CREATE | GX_RIGHT_FB_DETAILED};
	ST_OK(gx_acl_modify(t, GX_FID_CALENDAR, &c, 1, 0));
	acl(&v);
	ck_assert_uint_eq(v[2].rights, GX_RIGHT_CREATE | GX_RIGHT_FB_SIMPLE);
	c = (struct gx_acl_change){.op = GX_ACL_REMOVE, .id = v[2].id};
	ST_OK(gx_acl_modify(t, GX_FID_CALENDAR, &c, 1, 0));
	ck_assert_uint_eq(acl(&v), 2);
	ST_IS(gx_acl_modify(t, GX_FID_CALENDAR, &c, 1, 0), ecNotFound);
	c = (struct gx_acl_change){.op = GX_ACL_REMOVE, .id = GX_MEMBER_DEFAULT};
	ST_OK(gx_acl_modify(t, GX_FID_CALENDAR, &c, 1, 0));
	ck_assert(acl(&v) == 2 && v[0].rights == 0);
}
END_TEST

/* One that cannot be takes all with it. */
START_TEST(acl_all_or_nothing)
{
	struct gx_member *v;
	const struct gx_acl_change c[] = {
		{.op = GX_ACL_ADD, .address = "bob@example.org", .rights = GX_RIGHT_READ},
		{.op = GX_ACL_ADD, .address = "amy@example.org", .rights = 0x40000000},
	}, no = {.op = 3, .address = "x@y"}, nobody = {.op = GX_ACL_ADD};
	ST_IS(gx_acl_modify(t, GX_FID_CALENDAR, c, 2, GX_ACL_REPLACE), ecInvalidParam);
	ck_assert(acl(&v) == 2 && v[0].rights != 0);
	ST_IS(gx_acl_modify(t, GX_FID_CALENDAR, &no, 1, 0), ecInvalidParam);
	ST_IS(gx_acl_modify(t, GX_FID_CALENDAR, &nobody, 1, 0), ecInvalidParam);
	ST_OK(gx_acl_modify(t, GX_FID_CALENDAR, c, 1, GX_ACL_REPLACE));
	ck_assert(acl(&v) == 3 && v[0].rights == 0);
	as("bob@example.org");
	ST_IS(gx_acl_modify(t, GX_FID_CALENDAR, c, 1, 0), ecAccessDenied);
	size_t n;
	ST_IS(gx_acl_list(t, GX_FID_CALENDAR, a, &v, &n), ecAccessDenied);
	as(NULL);
}
END_TEST

/* ---- Rules ---- */

static const uint8_t some_actions[] = {1, 0, 9, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0};

static const struct gx_restr *subject_has(const char *word)
{
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr);
	r->type = RES_CONTENT;
	r->u.content.level = FL_SUBSTRING;
	r->u.content.flags = FL_IGNORECASE;
	r->u.content.tag = PidTagSubject;
	r->u.content.val = (struct gx_propval){.tag = PidTagSubject, .v = {.str = word}};
	return r;
}

static struct gx_proplist *rule(const char *name, int32_t sequence, int32_t state, const struct gx_restr *cond)
{
	struct gx_proplist *l = gx_arena_new_obj(a, struct gx_proplist);
	ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagRuleName, name), 0);
	ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagRuleProvider, "RuleOrganizer"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(l, a, PidTagRuleSequence, sequence), 0);
	ck_assert_int_eq(gx_proplist_set_i32(l, a, PidTagRuleState, state), 0);
	ck_assert_int_eq(gx_proplist_set(l, a, PidTagRuleActions, (union gx_value){.bin = {some_actions, sizeof(some_actions)}}), 0);
	if (cond != NULL)
		ck_assert_int_eq(gx_proplist_set(l, a, PidTagRuleCondition, (union gx_value){.restr = cond}), 0);
	return l;
}

static void add_rule(const char *name, int32_t sequence, int32_t state, const struct gx_restr *cond)
{
	const struct gx_rule_change c = {.op = GX_RULE_ADD, .props = rule(name, sequence, state, cond)};
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, &c, 1, false, NULL));
}

static struct gx_rule *rules(size_t want)
{
	struct gx_rule *v = NULL;
	size_t n;
	ST_OK(gx_rules_list(t, GX_FID_INBOX, a, &v, &n));
	ck_assert_uint_eq(n, want);
	return v;
}

START_TEST(rules_kept)
{
	add_rule("second", 20, ST_ENABLED, subject_has("money"));
	add_rule("first", 10, ST_ENABLED | ST_EXIT_LEVEL, NULL);
	struct gx_rule *v = rules(2);
	ck_assert_str_eq(v[0].name, "first");
	ck_assert(v[0].condition == NULL && v[0].state == (ST_ENABLED | ST_EXIT_LEVEL));
	ck_assert_int_eq(gx_restr_cmp(v[1].condition, subject_has("money")), 0);
	ck_assert_mem_eq(v[1].actions.data, some_actions, sizeof(some_actions));
	struct gx_proplist l, change = {0};
	ck_assert_int_eq(gx_rule_to_props(a, &v[1], &l), 0);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagRuleName, ""), "second");
	/* Only what a change names changes. */
	ck_assert_int_eq(gx_proplist_set_i64(&change, a, PidTagRuleId, (int64_t)v[1].id), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&change, a, PidTagRuleSequence, 5), 0);
	const struct gx_rule_change m = {.op = GX_RULE_MODIFY, .props = &change};
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, &m, 1, false, NULL));
	v = rules(2);
	ck_assert_str_eq(v[0].name, "second");
	ck_assert(v[0].condition != NULL && v[0].sequence == 5);
	ST_OK(gx_rules_set_state(t, GX_FID_INBOX, v[0].id, ST_ERROR, ST_ENABLED));
	ck_assert_uint_eq(rules(2)[0].state, ST_ERROR);
	ST_IS(gx_rules_set_state(t, GX_FID_SENT, v[0].id, ST_ERROR, 0), ecNotFound);
	const struct gx_rule_change r = {.op = GX_RULE_REMOVE, .props = &change};
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, &r, 1, false, NULL));
	rules(1);
	ST_IS(gx_rules_modify(t, GX_FID_INBOX, &r, 1, false, NULL), ecNotFound);
}
END_TEST

START_TEST(rules_that_cannot_be)
{
	struct gx_proplist *l = rule("x", 1, 1, NULL), none = {0};
	bool exceeded;
	add_rule("kept", 1, ST_ENABLED, NULL);
	gx_proplist_remove(l, PidTagRuleActions);
	const struct gx_rule_change bad[] = {{GX_RULE_ADD, rule("y", 2, 1, NULL)}, {GX_RULE_ADD, l}};
	ST_IS(gx_rules_modify(t, GX_FID_INBOX, bad, 2, true, &exceeded), ecInvalidParam);
	ck_assert_str_eq(rules(1)[0].name, "kept");
	const struct gx_rule_change noid = {GX_RULE_MODIFY, &none}, op = {7, l};
	ST_IS(gx_rules_modify(t, GX_FID_INBOX, &noid, 1, false, &exceeded), ecNotFound);
	ST_IS(gx_rules_modify(t, GX_FID_INBOX, &op, 1, false, &exceeded), ecInvalidParam);
	struct gx_rule_change *many = gx_arena_new_array(a, struct gx_rule_change, GX_RULES_MAX);
	for (size_t i = 0; i < GX_RULES_MAX; i++)
		many[i] = (struct gx_rule_change){GX_RULE_ADD, rule("z", 3, 1, NULL)};
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, many, GX_RULES_MAX, false, &exceeded));
	ck_assert(exceeded);
	rules(1);
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, many, GX_RULES_MAX, true, &exceeded));
	ck_assert(!exceeded);
	rules(GX_RULES_MAX);
	as("bob@example.org");
	ST_IS(gx_rules_modify(t, GX_FID_INBOX, many, 1, true, &exceeded), ecAccessDenied);
	as(NULL);
}
END_TEST

struct seen {
	char names[200];
	int stop_at;
	int n;
};

static int see(const struct gx_rule *r, void *ctx)
{
	struct seen *x = ctx;
	size_t len = strlen(x->names);
	snprintf(x->names + len, sizeof(x->names) - len, "%s ", r->name);
	return ++x->n == x->stop_at;
}

static const char *matched(const char *subject, const struct gx_rules_env *env, int stop_at)
{
	static struct seen x;
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, subject), 0);
	struct gx_propsrc src = gx_propsrc_list(&l);
	x = (struct seen){.stop_at = stop_at};
	ST_OK(gx_rules_match(t, GX_FID_INBOX, &src, env, a, see, &x));
	return x.names;
}

/* An extended rule: its condition names properties by ids of another store. */
static void add_extended(const char *name, int32_t sequence, const char *word, bool broken)
{
	const struct gx_px x = {.wide = true, .utf16 = true, .cp = 1252, .a = a};
	struct gx_push c = GX_PUSH_INIT;
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	const struct gx_guid set = {0x00062008, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
	struct gx_restr *both = gx_arena_new_obj(a, struct gx_restr), *v = gx_arena_new_array(a, struct gx_restr, 2);
	v[0] = *subject_has(word);
	v[1].type = RES_NOT;
	struct gx_restr *exist = gx_arena_new_obj(a, struct gx_restr);
	exist->type = RES_EXIST;
	exist->u.exist.tag = 0x80ff0003;
	v[1].u.not_.sub = exist;
	*both = (struct gx_restr){.type = RES_AND, .u = {.list = {v, 2}}};
	gx_push_u16(&c, 1);
	gx_push_u16(&c, 0x80ff);
	gx_push_u32(&c, 21);
	gx_push_u8(&c, 0);
	gx_push_guid(&c, &set);
	gx_push_u32(&c, 0x8510);
	gx_px_push_restr(&c, &x, both);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.ExtendedRule.Message"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagRuleMessageName, name), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, a, PidTagRuleMessageSequence, sequence), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, a, PidTagRuleMessageState, ST_ENABLED), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagExtendedRuleMessageCondition, c.data, broken ? c.len / 2 : c.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagExtendedRuleMessageActions, some_actions, sizeof(some_actions)), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	o.flags = GX_MSGF_FAI;
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, NULL));
	gx_push_release(&c);
}

START_TEST(matching)
{
	struct gx_rules_env oof = GX_RULES_ENV_INIT, safe = GX_RULES_ENV_INIT;
	oof.oof_active = true;
	safe.scl = -1;
	add_rule("money", 10, ST_ENABLED, subject_has("money"));
	add_rule("all", 20, ST_ENABLED, NULL);
	add_rule("off", 21, 0, NULL);
	add_rule("error", 22, ST_ENABLED | ST_ERROR, NULL);
	add_rule("oof", 30, ST_ENABLED | ST_ONLY_WHEN_OOF, NULL);
	add_rule("spam", 35, ST_ENABLED | ST_SKIP_IF_SCL_IS_SAFE, NULL);
	add_rule("last", 40, ST_ENABLED | ST_EXIT_LEVEL, subject_has("money"));
	add_rule("behind", 50, ST_ENABLED, NULL);
	add_extended("ext", 15, "MONEY", false);
	add_extended("broken", 1, "money", true);
	ck_assert_str_eq(matched("hello", NULL, 0), "all spam behind ");
	ck_assert_str_eq(matched("more Money", NULL, 0), "money ext all spam last ");
	ck_assert_str_eq(matched("hello", &oof, 0), "all oof spam behind ");
	ck_assert_str_eq(matched("hello", &safe, 0), "all behind ");
	ck_assert_str_eq(matched("money", NULL, 2), "money ext ");
	as("bob@example.org"); /* whoever sends it */
	ck_assert_str_eq(matched("money", NULL, 2), "money ext ");
	as(NULL);
}
END_TEST

START_TEST(rules_go_with_their_folder)
{
	uint64_t fid;
	const struct gx_rule_change c = {GX_RULE_ADD, rule("x", 1, 1, NULL)};
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "x", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_rules_modify(t, fid, &c, 1, false, NULL));
	ST_OK(gx_folder_delete(t, fid, true));
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM rules");
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), 0);
}
END_TEST

static void on_event(const struct gx_event *ev, void *ctx)
{
	*(struct gx_event *)ctx = *ev;
}

START_TEST(changes_are_told_with_their_number)
{
	struct gx_event got = {0};
	struct gx_folder_info f;
	uint64_t sub;
	ck_assert_int_eq(gx_store_subscribe(s, GX_FID_INBOX, GX_EV_FOLDER_CHANGED, on_event, &got, &sub), 0);
	add_rule("x", 1, ST_ENABLED, NULL);
	as(NULL);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	ck_assert_uint_eq(got.fid, GX_FID_INBOX);
	ck_assert_uint_eq(got.cn, f.cn);
	gx_store_unsubscribe(s, sub);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("rules");
	TCase *c = tcase_create("rules");
	tcase_add_checked_fixture(c, fix_setup_txn, fix_teardown_txn);
	tcase_add_test(c, acl_rows);
	tcase_add_test(c, acl_changes);
	tcase_add_test(c, acl_all_or_nothing);
	tcase_add_test(c, rules_kept);
	tcase_add_test(c, rules_that_cannot_be);
	tcase_add_test(c, matching);
	tcase_add_test(c, rules_go_with_their_folder);
	tcase_add_test(c, changes_are_told_with_their_number);
	suite_add_tcase(x, c);
	return x;
}

GXTEST_MAIN(suite)
