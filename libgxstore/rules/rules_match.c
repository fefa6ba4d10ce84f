/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/propcodec.h>
#include "libgxstore/rules/rules-int.h"

/* Extended rules, kept as associated messages, and the evaluation of conditions, [MS-OXORULE] 2.2.4, 3.2.5. */

#define NAMES_MAX 1024U

/* ---- Named properties of an extended condition: their ids hold for its author's store, [MS-OXORULE] 2.2.4.2 ---- */

struct names {
	size_t n;
	uint16_t *theirs, *ours;
};

/* [MS-OXCDATA] 2.6.1 */
static void pull_name(struct gx_pull *c, struct gx_arena *a, struct gx_propname *ret_n)
{
	uint8_t kind = gx_pull_u8(c);
	*ret_n = (struct gx_propname){0};
	ret_n->set = gx_pull_guid(c);
	if (kind == 0) {
		ret_n->lid = gx_pull_u32(c);
		return;
	}
	size_t len = gx_pull_u8(c);
	struct gx_pull sub = gx_pull_child(c, len);
	const struct gx_px wide = GX_PX_ROP(a, 1252);
	ret_n->by_name = true;
	ret_n->name = gx_px_pull_str(&sub, &wide, PtypString);
	gx_pull_close(c, &sub, false);
	if (kind != 1)
		gx_pull_fail(c, GX_E_FORMAT);
}

static int pull_names(struct gx_txn *t, struct gx_pull *c, struct gx_arena *a, struct names *m)
{
	size_t n = gx_pull_count(c, gx_pull_u16(c), 2);
	*m = (struct names){.n = n};
	if (n == 0 || c->err != 0)
		return c->err;
	struct gx_propname *v = gx_arena_new_array(a, struct gx_propname, n);
	m->theirs = gx_arena_new_array(a, uint16_t, n);
	m->ours = gx_arena_new_array(a, uint16_t, n);
	if (n > NAMES_MAX || v == NULL || m->theirs == NULL || m->ours == NULL)
		return n > NAMES_MAX ? GX_E_LIMIT : GX_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		m->theirs[i] = gx_pull_u16(c);
	struct gx_pull sub = gx_pull_child(c, gx_pull_u32(c));
	for (size_t i = 0; i < n && sub.err == 0; i++)
		pull_name(&sub, a, &v[i]);
	gx_pull_close(c, &sub, false);
	return c->err != 0 ? c->err : gx_named__ids(t, false, v, n, m->ours);
}

/* A name that the store does not know has no value anywhere: an id nobody has stands for it. */
static gx_proptag_t our_tag(gx_proptag_t tag, void *ctx)
{
	const struct names *m = ctx;
	for (size_t i = 0; i < m->n; i++)
		if (GX_PROP_ID(tag) == m->theirs[i])
			return GX_PROP_TAG(m->ours[i] == 0 ? 0xfffe : m->ours[i], GX_PROP_TYPE(tag));
	return tag;
}

static int extended_condition(struct gx_txn *t, struct gx_bin b, struct gx_arena *a, const struct gx_restr **ret_r)
{
	const struct gx_px x = {.wide = true, .utf16 = true, .cp = 1252, .a = a};
	struct names m;
	struct gx_pull c;
	*ret_r = NULL;
	if (b.len == 0)
		return 0;
	gx_pull_init(&c, b.data, b.len);
	int err = pull_names(t, &c, a, &m);
	const struct gx_restr *r = err == 0 ? gx_px_pull_restr(&c, &x) : NULL;
	if (err != 0 || c.err != 0)
		return err != 0 ? err : c.err;
	err = gx_restr_retag(a, r, our_tag, &m, &r);
	return err != 0 ? err : gx_restr_plain_ids(a, r, ret_r); /* what the message says is as its author sent it */
}

/* ---- Reading them ---- */

static struct gx_bin bin_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	return pv == NULL ? (struct gx_bin){0} : pv->v.bin;
}

static const gx_proptag_t tags[] = {
	PidTagMessageClass, PidTagRuleMessageName, PidTagRuleMessageProvider, PidTagRuleMessageProviderData, PidTagRuleMessageState,
	PidTagRuleMessageSequence, PidTagRuleMessageLevel, PidTagRuleMessageUserFlags, PidTagExtendedRuleMessageActions,
	PidTagExtendedRuleMessageCondition,
};

static int from_message(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_rules *l)
{
	struct gx_proplist p;
	gx_ec ec = gx_msg_get_props(t, mid, tags, sizeof(tags) / sizeof(tags[0]), a, &p);
	if (gx_ec_failed(ec))
		return gx_ec_to_err(ec);
	if (gx_utf8_casecmp(gx_proplist_str(&p, PidTagMessageClass, ""), "IPM.ExtendedRule.Message") != 0)
		return 0;
	struct gx_rule r = {
		.id = mid, .extended = true, .sequence = gx_proplist_i32(&p, PidTagRuleMessageSequence, 0),
		.state = (uint32_t)gx_proplist_i32(&p, PidTagRuleMessageState, 0), .level = (uint32_t)gx_proplist_i32(&p, PidTagRuleMessageLevel, 0),
		.user_flags = (uint32_t)gx_proplist_i32(&p, PidTagRuleMessageUserFlags, 0),
		.name = gx_proplist_str(&p, PidTagRuleMessageName, ""), .provider = gx_proplist_str(&p, PidTagRuleMessageProvider, ""),
		.provider_data = bin_of(&p, PidTagRuleMessageProviderData), .actions = bin_of(&p, PidTagExtendedRuleMessageActions),
	};
	int err = extended_condition(t, bin_of(&p, PidTagExtendedRuleMessageCondition), a, &r.condition);
	if (err == GX_E_NOMEM || err == GX_E_IO)
		return err;
	if (err != 0 || r.actions.len == 0) {
		gx_log(t->s->log, GX_LOG_WARN, "%s: rule message %llx cannot be read and is passed over: %s", t->s->dir,
			(unsigned long long)mid, err != 0 ? gx_strerror(err) : "it has no actions");
		return 0;
	}
	struct gx_rule *slot = gx_rules__add(a, l);
	if (slot == NULL)
		return GX_E_NOMEM;
	*slot = r;
	return 0;
}

int gx_rules__read_extended(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_rules *l)
{
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND flags&256 AND uid>0");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = from_message(t, gx_sql__u64(st, 0), a, l);
		if (err != 0)
			return err;
	}
	return r;
}

gx_ec gx_rules_extended(struct gx_txn *t, uint64_t fid, size_t *ret_n, size_t *ret_most)
{
	struct gx_folder_row row;
	struct gx_rules l = {0};
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (!gx_ec_failed(ec))
		ec = gx_txn__ec(t, gx_rules__read_extended(t, fid, t->a, &l));
	if (gx_ec_failed(ec))
		return ec;
	*ret_n = l.n;
	*ret_most = t->s->o.max_ext_rules;
	return ec;
}

/* ---- Matching ---- */

static int by_sequence(const void *x, const void *y)
{
	const struct gx_rule *a = x, *b = y;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static bool in_force(const struct gx_rule *r, const struct gx_rules_env *env)
{
	if (!(r->state & ST_ENABLED) || (r->state & (ST_ERROR | ST_RULE_PARSE_ERROR)))
		return false;
	if ((r->state & ST_ONLY_WHEN_OOF) && !env->oof_active)
		return false;
	return !((r->state & ST_SKIP_IF_SCL_IS_SAFE) && env->scl == -1);
}

static int match_all(struct gx_txn *t, const struct gx_rules *l, const struct gx_propsrc *src, const struct gx_rules_env *env, gx_rule_cb cb, void *ctx)
{
	unsigned extended = 0;
	for (size_t i = 0; i < l->n; i++) {
		bool match = true;
		if (l->v[i].extended && ++extended > t->s->o.max_ext_rules)
			continue;
		if (!in_force(&l->v[i], env))
			continue;
		int err = l->v[i].condition == NULL ? 0 : gx_restr_eval(l->v[i].condition, src, &match);
		if (err == GX_E_UNSUP || err == GX_E_INVAL || err == GX_E_DEPTH) {
			gx_log(t->s->log, GX_LOG_WARN, "%s: rule %llx: condition cannot be evaluated: %s", t->s->dir,
				(unsigned long long)l->v[i].id, gx_strerror(err));
			continue;
		}
		if (err != 0)
			return err;
		if (!match)
			continue;
		if (cb(&l->v[i], ctx) != 0 || (l->v[i].state & ST_EXIT_LEVEL))
			return 0;
	}
	return 0;
}

gx_ec gx_rules_match(struct gx_txn *t, uint64_t fid, const struct gx_propsrc *src, const struct gx_rules_env *env,
	struct gx_arena *a, gx_rule_cb cb, void *ctx)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	static const struct gx_rules_env none = GX_RULES_ENV_INIT;
	struct gx_rules l = {0};
	const struct gx_actor *actor = t->actor;
	t->actor = &system; /* conditions are the owner's, whoever has the mail delivered */
	int err = gx_rules__read(t, fid, a, &l);
	if (err == 0)
		err = gx_rules__read_extended(t, fid, a, &l);
	if (err == 0 && l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_sequence);
	if (err == 0)
		err = match_all(t, &l, src, env == NULL ? &none : env, cb, ctx);
	t->actor = actor;
	return gx_txn__ec(t, err);
}
