/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetRulesTable and RopModifyRules, [MS-OXORULE] 2.2.1, 2.2.2, 3.2.5.1, 3.2.5.2 */
#include <config.h>
#include <gx/rules.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { UNICODE = 0x40, REPLACE = 0x01 };

gx_ec gx_rop__get_rules_table(struct gx_rop_call *c, const struct gx_rop_get_rules_table_req *q, void *r)
{
	uint32_t rows;
	(void)r;
	if (q->table_flags & ~UNICODE)
		return GX_EC(ecInvalidParam);
	return gx_ems__give_table(c, GX_EMS_RULES, 0, false, false, &rows);
}

/* As the store keeps them: plain ids, and texts that know no code page. */
static gx_ec plain(struct gx_rop_call *c, const struct gx_proplist *l, struct gx_proplist *ret_l)
{
	for (size_t i = 0; i < l->count; ++i) {
		struct gx_propval pv = l->v[i];
		uint64_t id = 0;
		gx_ec ec = gx_eid_holds(pv.tag) ? gx_ems__plain(c, (uint64_t)pv.v.i64, &id) : EMS_OK;
		if (gx_eid_holds(pv.tag))
			pv.v.i64 = (int64_t)id;
		if (!gx_ec_failed(ec) && GX_PROP_TYPE(pv.tag) == PtypRestriction)
			ec = gx_ems__plain_restr(c, pv.v.restr, &pv.v.restr);
		if (GX_PROP_TYPE(pv.tag) == PtypString8)
			pv.tag = GX_PROP_RETYPE(pv.tag, PtypString);
		if (!gx_ec_failed(ec))
			ec = gx_ec_from_err(gx_proplist_set(ret_l, c->a, pv.tag, pv.v));
		if (gx_ec_failed(ec))
			return ec;
	}
	return EMS_OK;
}

static gx_ec change(struct gx_rop_call *c, const struct gx_rule_data *d, bool replace, struct gx_rule_change *ret_x)
{
	uint8_t op = d->rule_data_flags;
	struct gx_proplist *l = gx_arena_new_obj(c->a, struct gx_proplist);
	if (l == NULL)
		return GX_EC(ecMAPIOOM);
	if ((op != GX_RULE_ADD && op != GX_RULE_MODIFY && op != GX_RULE_REMOVE) || (replace && op != GX_RULE_ADD))
		return gx_rop__fail(c, ecInvalidParam, "RuleDataFlags 0x%x", op);
	*ret_x = (struct gx_rule_change){op, l};
	return plain(c, &d->property_values, l);
}

gx_ec gx_rop__modify_rules(struct gx_rop_call *c, const struct gx_rop_modify_rules_req *q, void *r)
{
	struct gx_txn *t;
	bool exceeded = false, replace = q->modify_rules_flags & REPLACE;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	struct gx_rule_change *v = gx_arena_new_array(c->a, struct gx_rule_change, q->rules_data_count);
	gx_ec ec = v == NULL ? GX_EC(ecMAPIOOM) : EMS_OK;
	(void)r;
	if (f == NULL)
		return GX_EC(ecNotSupported);
	if (q->modify_rules_flags & ~REPLACE)
		return GX_EC(ecInvalidParam);
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < q->rules_data_count; ++i)
		ec = change(c, &q->rules_data[i], replace, &v[i]);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_rules_modify(t, f->fid, v, q->rules_data_count, replace, &exceeded));
	/* what clients know as the end of the room for rules */
	return gx_ec_failed(ec) || !exceeded ? ec : gx_rop__fail(c, ecMAPIOOM, "more rules than a folder may have (max_rule_number)");
}
