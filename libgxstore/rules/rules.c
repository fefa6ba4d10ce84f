/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/propcodec.h>
#include "libgxstore/rules/rules-int.h"

/* Classic rules: rows of a table, [MS-OXORULE] 2.2.1. */

#define TEXT_MAX 4096U
#define BLOB_MAX (1U << 20)

static int damaged(struct gx_txn *t, uint64_t id)
{
	return gx_sql__fail(t->q, GX_E_FORMAT, "%s: rule %llx is damaged", t->s->file, (unsigned long long)id);
}

static struct gx_bin keep(struct gx_arena *a, struct gx_bin b, int *io_err)
{
	uint8_t *p = gx_arena_memdup(a, b.data, b.len);
	if (p == NULL)
		*io_err = GX_E_NOMEM;
	return (struct gx_bin){p, b.len};
}

static int condition_of(struct gx_arena *a, struct gx_bin b, const struct gx_restr **ret_r)
{
	const struct gx_px x = GX_PX_EXT(a);
	struct gx_pull c;
	*ret_r = NULL;
	if (b.len == 0)
		return 0;
	gx_pull_init(&c, b.data, b.len);
	*ret_r = gx_px_pull_restr(&c, &x);
	return c.err;
}

#define COLUMNS "id,sequence,state,level,user_flags,name,provider,provider_data,condition,actions"

static int from_row(struct gx_txn *t, struct gx_stmt *st, struct gx_arena *a, struct gx_rule *ret_r)
{
	int err = 0;
	struct gx_rule r = {
		.id = gx_sql__u64(st, 0), .sequence = (int32_t)gx_sql__int(st, 1), .state = (uint32_t)gx_sql__int(st, 2),
		.level = (uint32_t)gx_sql__int(st, 3), .user_flags = (uint32_t)gx_sql__int(st, 4),
		.name = gx_arena_strdup(a, gx_sql__text(st, 5)), .provider = gx_arena_strdup(a, gx_sql__text(st, 6)),
		.provider_data = keep(a, gx_sql__blob(st, 7), &err), .actions = keep(a, gx_sql__blob(st, 9), &err),
	};
	struct gx_bin condition = keep(a, gx_sql__blob(st, 8), &err); /* the restriction borrows it */
	if (r.name == NULL || r.provider == NULL || err != 0)
		return GX_E_NOMEM;
	err = condition_of(a, condition, &r.condition);
	if (err != 0 && err != GX_E_NOMEM)
		return damaged(t, r.id);
	*ret_r = r;
	return err;
}

int gx_rules__read(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_rules *l)
{
	GX_STMT(st, t->q, "SELECT " COLUMNS " FROM rules WHERE fid=?1 ORDER BY sequence,id");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_rule *rule = gx_rules__add(a, l);
		int err = rule == NULL ? GX_E_NOMEM : from_row(t, st, a, rule);
		if (err != 0)
			return err;
	}
	return r;
}

struct gx_rule *gx_rules__add(struct gx_arena *a, struct gx_rules *l)
{
	l->v = gx_arena_grow(a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	if (l->v == NULL)
		return NULL;
	memset(&l->v[l->n], 0, sizeof(*l->v));
	return &l->v[l->n++];
}

gx_ec gx_rules_list(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_rule **ret_v, size_t *ret_n)
{
	struct gx_folder_row row;
	struct gx_rules l = {0};
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, gx_rules__read(t, fid, a, &l));
	if (gx_ec_failed(ec))
		return ec;
	*ret_v = l.v;
	*ret_n = l.n;
	return ec;
}

int gx_rule_to_props(struct gx_arena *a, const struct gx_rule *r, struct gx_proplist *ret_l)
{
	struct gx_proplist l = {0};
	int err = gx_proplist_set_i64(&l, a, PidTagRuleId, (int64_t)r->id);
	err = err != 0 ? err : gx_proplist_set_i32(&l, a, PidTagRuleSequence, r->sequence);
	err = err != 0 ? err : gx_proplist_set_i32(&l, a, PidTagRuleState, (int32_t)r->state);
	err = err != 0 ? err : gx_proplist_set_i32(&l, a, PidTagRuleLevel, (int32_t)r->level);
	err = err != 0 ? err : gx_proplist_set_i32(&l, a, PidTagRuleUserFlags, (int32_t)r->user_flags);
	err = err != 0 ? err : gx_proplist_set_str(&l, a, PidTagRuleName, r->name);
	err = err != 0 ? err : gx_proplist_set_str(&l, a, PidTagRuleProvider, r->provider);
	if (err == 0 && r->provider_data.len > 0)
		err = gx_proplist_set_bin(&l, a, PidTagRuleProviderData, r->provider_data.data, r->provider_data.len);
	if (err == 0 && r->condition != NULL)
		err = gx_proplist_set(&l, a, PidTagRuleCondition, (union gx_value){.restr = r->condition});
	if (err == 0 && r->actions.len > 0)
		err = gx_proplist_set(&l, a, PidTagRuleActions, (union gx_value){.bin = r->actions});
	if (err == 0)
		*ret_l = l;
	return err;
}

/* ---- Changing ---- */

/* 1 there, 0 not. */
static int read_one(struct gx_txn *t, uint64_t fid, uint64_t id, struct gx_rule *ret_r)
{
	GX_STMT(st, t->q, "SELECT " COLUMNS " FROM rules WHERE fid=?1 AND id=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)id);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	int err = from_row(t, st, t->a, ret_r);
	return err != 0 ? err : 1;
}

static void take_bin(const struct gx_proplist *l, gx_proptag_t tag, struct gx_bin *io_b)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	if (pv != NULL)
		*io_b = pv->v.bin;
}

static void take_props(const struct gx_proplist *l, struct gx_rule *r)
{
	const struct gx_propval *cond = gx_proplist_get(l, PidTagRuleCondition);
	r->sequence = gx_proplist_i32(l, PidTagRuleSequence, r->sequence);
	r->state = (uint32_t)gx_proplist_i32(l, PidTagRuleState, (int32_t)r->state);
	r->level = (uint32_t)gx_proplist_i32(l, PidTagRuleLevel, (int32_t)r->level);
	r->user_flags = (uint32_t)gx_proplist_i32(l, PidTagRuleUserFlags, (int32_t)r->user_flags);
	r->name = gx_proplist_str(l, PidTagRuleName, r->name);
	r->provider = gx_proplist_str(l, PidTagRuleProvider, r->provider);
	take_bin(l, PidTagRuleProviderData, &r->provider_data);
	take_bin(l, PidTagRuleActions, &r->actions);
	if (cond != NULL)
		r->condition = cond->v.restr;
}

static gx_ec check_rule(struct gx_txn *t, const struct gx_rule *r)
{
	const struct gx_restr *copy;
	if (strlen(r->name) > TEXT_MAX || strlen(r->provider) > TEXT_MAX || r->provider_data.len > BLOB_MAX || r->actions.len > BLOB_MAX)
		return gx_txn__fail(t, ecTooBig, "a rule's name, data or actions are too large");
	if (r->actions.len == 0)
		return gx_txn__fail(t, ecInvalidParam, "a rule without actions");
	int err = r->condition == NULL ? 0 : gx_restr_copy(t->a, r->condition, &copy);
	if (err != 0 && err != GX_E_NOMEM)
		return gx_txn__fail(t, ecInvalidParam, "the condition of rule \"%.100s\" is none", r->name);
	return gx_txn__ec(t, err);
}

static int write_rule(struct gx_txn *t, uint64_t fid, const struct gx_rule *r)
{
	const struct gx_px x = GX_PX_EXT(t->a);
	struct gx_push cond = GX_PUSH_INIT;
	if (r->condition != NULL)
		gx_px_push_restr(&cond, &x, r->condition);
	GX_STMT(st, t->q, "REPLACE INTO rules(fid," COLUMNS ") VALUES(?11,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)");
	gx_sql__bind_int(st, 1, (int64_t)r->id);
	gx_sql__bind_int(st, 2, r->sequence);
	gx_sql__bind_int(st, 3, r->state);
	gx_sql__bind_int(st, 4, r->level);
	gx_sql__bind_int(st, 5, r->user_flags);
	gx_sql__bind_text(st, 6, r->name);
	gx_sql__bind_text(st, 7, r->provider);
	gx_sql__bind_blob(st, 8, r->provider_data.data, r->provider_data.len);
	gx_sql__bind_blob(st, 9, cond.data, cond.len);
	gx_sql__bind_blob(st, 10, r->actions.data, r->actions.len);
	gx_sql__bind_int(st, 11, (int64_t)fid);
	int err = cond.err != 0 ? cond.err : gx_schema__late(t->q, GX_LATE_RULES);
	if (err == 0)
		err = gx_sql__run(st);
	gx_push_release(&cond);
	return err;
}

static int remove_rule(struct gx_txn *t, uint64_t fid, uint64_t id)
{
	GX_STMT(st, t->q, "DELETE FROM rules WHERE fid=?1 AND id=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)id);
	return gx_sql__run(st);
}

static gx_ec change_one(struct gx_txn *t, uint64_t fid, const struct gx_rule_change *c)
{
	struct gx_rule r = {.name = "", .provider = ""};
	const struct gx_propval *id = gx_proplist_get(c->props, PidTagRuleId);
	if (c->op != GX_RULE_ADD && c->op != GX_RULE_MODIFY && c->op != GX_RULE_REMOVE)
		return gx_txn__fail(t, ecInvalidParam, "%u is no change of a rule", c->op);
	if (c->op == GX_RULE_ADD) {
		r.id = gx_txn__new_id(t);
	} else {
		int there = id == NULL ? 0 : read_one(t, fid, (uint64_t)id->v.i64, &r);
		if (there <= 0)
			return there < 0 ? gx_txn__ec(t, there) : gx_txn__fail(t, ecNotFound, "no such rule in folder %llx", (unsigned long long)fid);
	}
	if (c->op == GX_RULE_REMOVE)
		return gx_txn__ec(t, remove_rule(t, fid, r.id));
	take_props(c->props, &r);
	gx_ec ec = check_rule(t, &r);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, write_rule(t, fid, &r));
}

int gx_rules__drop(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "DELETE FROM rules WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__run(st);
}

/* What exceeds a limit that was higher once may stay, but nothing comes to it. */
static gx_ec change_all(struct gx_txn *t, uint64_t fid, const struct gx_rule_change *v, size_t n, bool replace, bool *ret_exceeded)
{
	bool added = false;
	gx_ec ec = gx_txn__ec(t, replace ? gx_rules__drop(t, fid) : 0);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++) {
		added = added || v[i].op == GX_RULE_ADD;
		ec = change_one(t, fid, &v[i]);
	}
	if (gx_ec_failed(ec))
		return ec;
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM rules WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	if (r < 0)
		return gx_txn__ec(t, r);
	*ret_exceeded = added && gx_sql__int(st, 0) > t->s->o.max_rules;
	return GX_OK_EC;
}

static gx_ec check_owner(struct gx_txn *t, uint64_t fid, struct gx_folder_row *ret_row)
{
	gx_ec ec = gx_txn__writable(t);
	return gx_ec_failed(ec) ? ec : gx_folder__need(t, fid, GX_RIGHT_OWNER, ret_row);
}

gx_ec gx_rules_modify(struct gx_txn *t, uint64_t fid, const struct gx_rule_change *v, size_t n, bool replace, bool *ret_exceeded)
{
	struct gx_folder_row row;
	bool exceeded = false;
	gx_ec ec = check_owner(t, fid, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_txn__save(t);
	if (err != 0)
		return gx_txn__ec(t, err);
	ec = change_all(t, fid, v, n, replace, &exceeded);
	err = gx_txn__end_save(t, gx_ec_failed(ec) || exceeded);
	if (gx_ec_failed(ec) || err != 0)
		return gx_ec_failed(ec) ? ec : gx_txn__ec(t, err);
	if (ret_exceeded != NULL)
		*ret_exceeded = exceeded;
	if (exceeded)
		return ret_exceeded != NULL ? GX_OK_EC : gx_txn__fail(t, ecTooBig, "a folder has at most %u rules (max_rule_number)", t->s->o.max_rules);
	return gx_txn__ec(t, gx_folder__changed(t, &row));
}

gx_ec gx_rules_set_state(struct gx_txn *t, uint64_t fid, uint64_t id, uint32_t set, uint32_t clear)
{
	struct gx_folder_row row;
	gx_ec ec = check_owner(t, fid, &row);
	if (gx_ec_failed(ec))
		return ec;
	GX_STMT(st, t->q, "UPDATE rules SET state=(state|?3)&~?4 WHERE fid=?1 AND id=?2");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)id);
	gx_sql__bind_int(st, 3, set);
	gx_sql__bind_int(st, 4, clear);
	int err = gx_sql__run(st);
	if (err == 0 && gx_sql__changes(t->q) == 0)
		return gx_txn__fail(t, ecNotFound, "no rule %llx", (unsigned long long)id);
	return gx_txn__ec(t, err);
}
