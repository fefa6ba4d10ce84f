/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, permissions, and folders that go from one connection to another. */
#include <config.h>
#include <gx/rules.h>
#include "libgxproto/client/clienttest.h"

static struct gx_mapi_obj *store, *inbox;

static void setup(void)
{
	ct_setup_connected();
	CT_OK(gx_mapi_logon(ct_c, NULL, &store));
	CT_OK(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &inbox));
}

static void teardown(void)
{
	gx_mapi_close(inbox);
	gx_mapi_close(store);
	ct_teardown();
}

/* OP_MARK_AS_READ, [MS-OXORULE] 2.2.5.1: one block of nine bytes */
static const uint8_t mark_as_read[] = {1, 0, 9, 0, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0};

static struct gx_mapi_rule_change rule(const char *name, int32_t sequence, const struct gx_restr *r)
{
	return (struct gx_mapi_rule_change){GX_MAPI_ROW_ADD, {.name = name, .provider = "test", .sequence = sequence, .state = ST_ENABLED,
		.condition = r, .actions = {mark_as_read, sizeof(mark_as_read)}}};
}

START_TEST(rules)
{
	static const struct gx_restr has_subject = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
	const struct gx_mapi_rule_change two[] = {rule("second", 20, NULL), rule("first", 10, &has_subject)};
	struct gx_mapi_rule_change x = {0};
	struct gx_mapi_rule *v;
	size_t n;
	CT_OK(gx_mapi_rules(inbox, et_a, &v, &n));
	ck_assert_uint_eq(n, 0);
	CT_OK(gx_mapi_change_rules(inbox, two, 2, false));
	CT_OK(gx_mapi_rules(inbox, et_a, &v, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(v[0].name, "first");
	ck_assert_str_eq(v[0].provider, "test");
	ck_assert_int_eq(v[0].sequence, 10);
	ck_assert_uint_eq(v[0].state, ST_ENABLED);
	ck_assert_int_eq(gx_restr_cmp(v[0].condition, &has_subject), 0);
	ck_assert_uint_eq(v[0].actions.len, sizeof(mark_as_read));
	ck_assert_int_eq(memcmp(v[0].actions.data, mark_as_read, sizeof(mark_as_read)), 0);
	/* a change of one: what is not said stays */
	x = (struct gx_mapi_rule_change){GX_MAPI_ROW_MODIFY, {.id = v[0].id, .name = "third", .provider = "test", .sequence = 30}};
	CT_OK(gx_mapi_change_rules(inbox, &x, 1, false));
	CT_OK(gx_mapi_rules(inbox, et_a, &v, &n));
	ck_assert_str_eq(v[1].name, "third");
	ck_assert_uint_eq(v[1].state, 0);
	ck_assert_uint_eq(v[1].actions.len, sizeof(mark_as_read));
	/* all or nothing */
	struct gx_mapi_rule_change bad[] = {rule("fourth", 40, NULL), {GX_MAPI_ROW_REMOVE, {.id = v[0].id + 0x1230000}}};
	CT_IS(gx_mapi_change_rules(inbox, bad, 2, false), ecNotFound);
	bad[1].op = 7;
	CT_IS(gx_mapi_change_rules(inbox, bad, 2, false), ecInvalidParam);
	CT_IS(gx_mapi_change_rules(inbox, &x, 1, true), ecInvalidParam);
	x.op = GX_MAPI_ROW_REMOVE;
	CT_OK(gx_mapi_change_rules(inbox, &x, 1, false));
	CT_OK(gx_mapi_rules(inbox, et_a, &v, &n));
	ck_assert_uint_eq(n, 1);
	CT_OK(gx_mapi_change_rules(inbox, two, 1, true));
	CT_OK(gx_mapi_rules(inbox, et_a, &v, &n));
	ck_assert_uint_eq(n, 1);
	CT_OK(gx_mapi_change_rules(inbox, NULL, 0, true));
	CT_OK(gx_mapi_rules(inbox, et_a, &v, &n));
	ck_assert_uint_eq(n, 0);
	CT_IS(gx_mapi_rules(store, et_a, &v, &n), ecInvalidParam);
}
END_TEST

static const struct gx_mapi_permission *of_member(const struct gx_mapi_permission *v, size_t n, const char *address)
{
	for (size_t i = 0; i < n; ++i)
		if (strcmp(v[i].address, address) == 0)
			return &v[i];
	return NULL;
}

START_TEST(permissions)
{
	static const char *const bob = "bob@example.org";
	struct gx_mapi_permission_change x = {.op = GX_MAPI_ROW_ADD, .rights = GX_MAPI_MAY_READ | GX_MAPI_SEES_FOLDER | GX_MAPI_SEES_FREE_BUSY};
	struct gx_mapi_resolved who;
	struct gx_mapi_permission *v;
	size_t n, before;
	CT_OK(gx_mapi_permissions(inbox, true, et_a, &v, &before));
	ck_assert_ptr_null(of_member(v, before, bob));
	CT_OK(gx_mapi_resolve(ct_c, &bob, 1, et_a, &who));
	ck_assert_uint_eq(who.verdict, GX_MAPI_RESOLVED);
	x.entry_id = gx_proplist_get(&who.props, PidTagEntryId)->v.bin;
	CT_OK(gx_mapi_change_permissions(inbox, &x, 1, false, true));
	CT_OK(gx_mapi_permissions(inbox, true, et_a, &v, &n));
	ck_assert_uint_eq(n, before + 1);
	const struct gx_mapi_permission *p = of_member(v, n, bob);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(p->rights, x.rights);
	ck_assert_uint_gt(p->entry_id.len, 0);
	/* without free/busy those rights are not shown, and stay */
	x = (struct gx_mapi_permission_change){.op = GX_MAPI_ROW_MODIFY, .member = p->member, .rights = GX_MAPI_SEES_FOLDER};
	CT_OK(gx_mapi_change_permissions(inbox, &x, 1, false, false));
	CT_OK(gx_mapi_permissions(inbox, false, et_a, &v, &n));
	ck_assert_uint_eq(of_member(v, n, bob)->rights, GX_MAPI_SEES_FOLDER);
	CT_OK(gx_mapi_permissions(inbox, true, et_a, &v, &n));
	ck_assert_uint_eq(of_member(v, n, bob)->rights, GX_MAPI_SEES_FOLDER | GX_MAPI_SEES_FREE_BUSY);
	/* the default */
	struct gx_mapi_permission_change d = {.op = GX_MAPI_ROW_MODIFY, .member = GX_MAPI_MEMBER_DEFAULT, .rights = GX_MAPI_SEES_FOLDER};
	CT_OK(gx_mapi_change_permissions(inbox, &d, 1, false, false));
	x.op = GX_MAPI_ROW_REMOVE;
	CT_OK(gx_mapi_change_permissions(inbox, &x, 1, false, false));
	CT_IS(gx_mapi_change_permissions(inbox, &x, 1, false, false), ecNotFound);
	CT_OK(gx_mapi_permissions(inbox, true, et_a, &v, &n));
	ck_assert_ptr_null(of_member(v, n, bob));
	CT_IS(gx_mapi_permissions(store, true, et_a, &v, &n), ecInvalidParam);
	CT_IS(gx_mapi_change_permissions(inbox, &d, 1, true, false), ecInvalidParam);
}
END_TEST

/* ---- Trees ---- */

static void put(struct gx_mapi_obj *s, uint64_t fid, const char *subject)
{
	struct gx_proplist l = {0};
	struct gx_mapi_obj *m;
	CT_OK(gx_mapi_create_message(s, fid, false, &m));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, subject), 0);
	CT_OK(gx_mapi_set(m, &l));
	CT_OK(gx_mapi_save(m, false, NULL));
	gx_mapi_close(m);
}

static uint32_t messages_in(struct gx_mapi_obj *s, const char *path)
{
	struct gx_mapi_obj *f, *t;
	uint64_t fid;
	uint32_t n;
	ck_assert_msg(gx_ec_is(gx_mapi_find_folder(s, path, &fid), ecSuccess), "%s", path);
	ck_assert(gx_ec_is(gx_mapi_open_folder(s, fid, 0, &f), ecSuccess));
	ck_assert(gx_ec_is(gx_mapi_contents(f, 0, &t, &n), ecSuccess));
	gx_mapi_close(t);
	gx_mapi_close(f);
	return n;
}

START_TEST(trees)
{
	struct gx_mapi_folder_new nf = GX_MAPI_FOLDER_NEW_INIT;
	struct gx_mapi_obj *top, *below, *other_store, *there;
	struct gx_mapi *other = ct_client(ct_server.port, 1, "x");
	uint64_t fid, made = 0;
	nf.name = "Projects";
	CT_OK(gx_mapi_create_folder(inbox, &nf, &top, NULL));
	put(store, gx_mapi_folder_id(top), "one");
	put(store, gx_mapi_folder_id(top), "two");
	nf.name = "Below";
	CT_OK(gx_mapi_create_folder(top, &nf, &below, &fid));
	put(store, fid, "three");
	ck_assert(gx_ec_is(gx_mapi_connect(other, NULL), ecSuccess));
	ck_assert(gx_ec_is(gx_mapi_logon(other, NULL, &other_store), ecSuccess));
	ck_assert(gx_ec_is(gx_mapi_open_folder(other_store, gx_mapi_special_folder(other_store, GX_MAPI_IPMSUBTREE), 0, &there), ecSuccess));
	CT_OK(gx_mapi_copy_tree(top, there, "Taken over", &made));
	ck_assert_uint_ne(made, 0);
	ck_assert_uint_eq(messages_in(other_store, "Taken over"), 2);
	ck_assert_uint_eq(messages_in(other_store, "Taken over/Below"), 1);
	ck_assert_uint_eq(messages_in(store, "Inbox/Projects"), 2);
	CT_IS(gx_mapi_copy_tree(top, there, "Taken over", &made), ecDuplicateName);
	CT_IS(gx_mapi_copy_tree(top, inbox, "Again", &made), ecInvalidParam);
	CT_IS(gx_mapi_copy_tree(store, there, "Again", &made), ecInvalidParam);
	gx_mapi_cancel(other);
	CT_IS(gx_mapi_copy_tree(top, there, "Again", &made), ecUserCanceled);
	gx_mapi_uncancel(other);
	gx_mapi_close(below);
	gx_mapi_close(top);
	gx_mapi_close(there);
	gx_mapi_close(other_store);
	gx_mapi_free(other);
}
END_TEST

static Suite *rules_suite(void)
{
	Suite *s = suite_create("mapirules");
	TCase *t = tcase_create("mapirules");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rules);
	tcase_add_test(t, permissions);
	tcase_add_test(t, trees);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(rules_suite)
