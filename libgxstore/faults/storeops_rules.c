/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on rules, classic and extended ones. */
#include <config.h>
#include <gx/propcodec.h>
#include <gx/rules.h>
#include "libgxstore/faults/storeops.h"

static const uint8_t some_actions[] = {1, 0, 9, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0};
static const struct gx_restr with_digit = {.type = RES_CONTENT,
	.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "message 1"}}}};

static struct {
	struct gx_rule_change v[2];
	struct gx_proplist l[2];
	bool replace;
	uint64_t id;
	uint32_t set, clear;
	size_t matching, there;
} u;

static struct gx_rule *list(struct so_world *w, uint64_t fid, size_t *ret_n)
{
	struct gx_rule *v = NULL;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_rules_list(t, fid, w->a, &v, ret_n));
	gx_txn_abort(t);
	return v;
}

static void describe(struct so_world *w, struct gx_proplist *l)
{
	ck_assert_int_eq(gx_proplist_set_str(l, w->a, PidTagRuleName, gx_arena_printf(w->a, "rule %u", ++w->serial)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(l, w->a, PidTagRuleSequence, (int32_t)so_rand(w, 50)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(l, w->a, PidTagRuleState, ST_ENABLED), 0);
}

static bool pick_add(struct so_world *w)
{
	memset(&u, 0, sizeof(u));
	w->x.fid = so_folder(w, false);
	w->x.n = 1 + so_rand(w, 2);
	size_t there;
	list(w, w->x.fid, &there);
	u.replace = there > 6 || so_one_in(w, 4);
	for (size_t i = 0; i < w->x.n; i++) {
		describe(w, &u.l[i]);
		ck_assert_int_eq(gx_proplist_set_str(&u.l[i], w->a, PidTagRuleProvider, "RuleOrganizer"), 0);
		ck_assert_int_eq(gx_proplist_set(&u.l[i], w->a, PidTagRuleActions, (union gx_value){.bin = {some_actions, sizeof(some_actions)}}), 0);
		ck_assert_int_eq(gx_proplist_set(&u.l[i], w->a, PidTagRuleCondition, (union gx_value){.restr = &with_digit}), 0);
		u.v[i] = (struct gx_rule_change){GX_RULE_ADD, &u.l[i]};
	}
	return true;
}

static gx_ec run_modify(struct so_world *w, struct gx_txn *t)
{
	bool exceeded;
	return gx_rules_modify(t, w->x.fid, u.v, w->x.n, u.replace, &exceeded);
}

static bool has_name(const struct gx_rule *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return true;
	return false;
}

static void check_modify(struct so_world *w)
{
	size_t n;
	struct gx_rule *v = list(w, w->x.fid, &n);
	ck_assert(!u.replace || n == w->x.n);
	for (size_t i = 0; i < w->x.n; i++)
		ck_assert(has_name(v, n, gx_proplist_str(&u.l[i], PidTagRuleName, "")));
}

/* One that is there. */
static bool pick_one(struct so_world *w)
{
	memset(&u, 0, sizeof(u));
	for (size_t i = 0, start = so_rand(w, (unsigned)w->nfolders); i < w->nfolders; i++) {
		const struct so_folder *f = &w->folder[(start + i) % w->nfolders];
		const char *sql = gx_arena_printf(w->a, "SELECT COUNT(*) FROM rules WHERE fid=%llu", (unsigned long long)f->fid);
		if (!so_alive(w, f) || so_number(w, sql) == 0)
			continue;
		w->x.fid = f->fid;
		struct gx_rule *v = list(w, f->fid, &u.there);
		u.id = v[so_rand(w, (unsigned)u.there)].id;
		return true;
	}
	return false;
}

static bool pick_modify(struct so_world *w)
{
	if (!pick_one(w))
		return false;
	describe(w, &u.l[0]);
	ck_assert_int_eq(gx_proplist_set_i64(&u.l[0], w->a, PidTagRuleId, (int64_t)u.id), 0);
	u.v[0] = (struct gx_rule_change){GX_RULE_MODIFY, &u.l[0]};
	w->x.n = 1;
	return true;
}

static bool pick_remove(struct so_world *w)
{
	if (!pick_one(w))
		return false;
	ck_assert_int_eq(gx_proplist_set_i64(&u.l[0], w->a, PidTagRuleId, (int64_t)u.id), 0);
	u.v[0] = (struct gx_rule_change){GX_RULE_REMOVE, &u.l[0]};
	w->x.n = 1;
	return true;
}

static void check_remove(struct so_world *w)
{
	size_t n;
	struct gx_rule *v = list(w, w->x.fid, &n);
	ck_assert_uint_eq(n, u.there - 1);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_ne(v[i].id, u.id);
}

static bool pick_state(struct so_world *w)
{
	if (!pick_one(w))
		return false;
	u.set = so_one_in(w, 2) ? ST_ERROR : 0;
	u.clear = ST_ERROR & ~u.set;
	return true;
}

static gx_ec run_state(struct so_world *w, struct gx_txn *t)
{
	return gx_rules_set_state(t, w->x.fid, u.id, u.set, u.clear);
}

static void check_state(struct so_world *w)
{
	size_t n;
	struct gx_rule *v = list(w, w->x.fid, &n);
	for (size_t i = 0; i < n; i++)
		ck_assert(v[i].id != u.id || (v[i].state & ST_ERROR) == u.set);
}

/* ---- Extended ones are associated messages, [MS-OXORULE] 2.2.4 ---- */

static bool pick_extended(struct so_world *w)
{
	const struct gx_px x = {.wide = true, .utf16 = true, .cp = 1252, .a = w->a};
	struct gx_push c = GX_PUSH_INIT;
	struct gx_bin condition;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(w->a);
	gx_push_u16(&c, 0); /* no named properties */
	gx_px_push_restr(&c, &x, &with_digit);
	ck_assert_int_eq(gx_push_finish(&c, w->a, &condition), 0);
	gx_push_release(&c);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagMessageClass, "IPM.ExtendedRule.Message"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagRuleMessageName, gx_arena_printf(w->a, "ext %u", ++w->serial)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, w->a, PidTagRuleMessageSequence, 10), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, w->a, PidTagRuleMessageState, ST_ENABLED), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, w->a, PidTagExtendedRuleMessageCondition, condition.data, condition.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, w->a, PidTagExtendedRuleMessageActions, some_actions, sizeof(some_actions)), 0);
	w->x.src = (struct gx_msg_source)GX_MSG_SOURCE_INIT;
	w->x.src.obj = m;
	w->x.insert.flags = GX_MSGF_FAI;
	w->x.fid = so_folder(w, false);
	ck_assert_int_eq(gx_msg_prepare(w->a, &w->x.src, &p), 0);
	w->x.p = p;
	return true;
}

static gx_ec run_extended(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_insert(t, w->x.fid, w->x.p, &w->x.insert, &w->x.ids[0]);
}

/* ---- Conditions ---- */

static int one_more(const struct gx_rule *r, void *ctx)
{
	(void)r;
	++*(size_t *)ctx;
	return 0;
}

static int get(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	(void)ctx;
	if (GX_PROP_ID(tag) != GX_PROP_ID(PidTagSubject))
		return 0;
	*ret_pv = (struct gx_propval){.tag = PidTagSubject, .v = {.str = "message 1"}};
	return 1;
}

static gx_ec match(struct so_world *w, struct gx_txn *t, size_t *ret_n)
{
	const struct gx_propsrc src = {.get = get};
	*ret_n = 0;
	return gx_rules_match(t, w->x.fid, &src, NULL, w->a, one_more, ret_n);
}

static bool pick_match(struct so_world *w)
{
	if (!pick_one(w))
		return false;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(match(w, t, &u.matching));
	gx_txn_abort(t);
	return true;
}

static gx_ec run_match(struct so_world *w, struct gx_txn *t)
{
	return match(w, t, &w->x.n);
}

/* One that could not be read for a while does not count as one that says no. */
static void check_match(struct so_world *w)
{
	ck_assert_uint_eq(w->x.n, u.matching);
}

static const struct so_op rows[] = {
	{"rules_add", SO_WRITE, pick_add, run_modify, check_modify},
	{"rules_modify", SO_WRITE, pick_modify, run_modify, check_modify},
	{"rules_set_state", SO_WRITE, pick_state, run_state, check_state},
	{"rules_add_extended", SO_WRITE, pick_extended, run_extended, NULL},
	{"rules_match", SO_READ, pick_match, run_match, check_match},
	{"rules_delete", SO_WRITE, pick_remove, run_modify, check_remove},
};
SO_OPS(so_rules_ops, rows);
