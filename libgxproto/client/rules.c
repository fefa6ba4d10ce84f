/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a folder, [MS-OXORULE] 2.2.1 and 2.2.2, and who may do what in it, [MS-OXCPERM] 2.2.1 and 2.2.2: tables, and changes of rows. */
#include <config.h>
#include <string.h>
#include "libgxproto/client/client-int.h"

enum { UNICODE = 0x40, FREE_BUSY = 0x02, REPLACE = 0x01, ROWS_MAX = 10000, ROWS_AT_ONCE = 500 };

/* ---- All rows of a table ---- */

static gx_ec read_all(struct gx_mapi_obj *t, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n)
{
	struct gx_proplist *v = NULL, *rows;
	size_t n = 0, cap = 0, more = 1;
	while (more > 0) {
		gx_ec ec = gx_mapi_rows(t, ROWS_AT_ONCE, a, &rows, &more);
		if (gx_ec_failed(ec))
			return ec;
		if (n + more > ROWS_MAX)
			return gx_mapi__fail(t->c, GX_EC(ecTooBig), "the table has more than %d rows", ROWS_MAX);
		v = gx_arena_grow(a, v, &cap, n + more + 1, sizeof(*v));
		if (v == NULL)
			return gx_mapi__nomem(t->c);
		if (more > 0)
			memcpy(v + n, rows, more * sizeof(*v));
		n += more;
	}
	*ret_v = v;
	*ret_n = n;
	return MC_OK;
}

static gx_ec table(struct gx_mapi_obj *folder, uint8_t id, const void *q, const gx_proptag_t *cols, size_t col_n, struct gx_arena *a,
	struct gx_proplist **ret_v, size_t *ret_n)
{
	struct gx_mapi_obj *t;
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	gx_ec ec = gx_mapi__make(folder, id, q, MC_TABLE, folder->c->scratch, &t, NULL);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi_set_columns(t, cols, col_n);
	if (!gx_ec_failed(ec))
		ec = read_all(t, a, ret_v, ret_n);
	gx_mapi_close(t);
	return ec;
}

static const union gx_value *value(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *v = gx_proplist_get(l, tag);
	return v != NULL ? &v->v : NULL;
}

static struct gx_bin bin_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const union gx_value *v = value(l, tag);
	return v != NULL ? v->bin : (struct gx_bin){0};
}

/* ---- Rules ---- */

gx_ec gx_mapi_rules(struct gx_mapi_obj *folder, struct gx_arena *a, struct gx_mapi_rule **ret_v, size_t *ret_n)
{
	static const struct gx_rop_get_rules_table_req q = {UNICODE};
	static const gx_proptag_t cols[] = {PidTagRuleId, PidTagRuleSequence, PidTagRuleState, PidTagRuleLevel, PidTagRuleUserFlags,
		PidTagRuleName, PidTagRuleProvider, PidTagRuleProviderData, PidTagRuleCondition, PidTagRuleActions};
	struct gx_proplist *rows;
	size_t n;
	gx_ec ec = table(folder, RopGetRulesTable, &q, cols, sizeof(cols) / sizeof(cols[0]), a, &rows, &n);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_mapi_rule *v = gx_arena_new_array(a, struct gx_mapi_rule, n + 1);
	if (v == NULL)
		return gx_mapi__nomem(folder->c);
	for (size_t i = 0; i < n; ++i) {
		const struct gx_proplist *l = &rows[i];
		const union gx_value *id = value(l, PidTagRuleId), *condition = value(l, PidTagRuleCondition);
		v[i] = (struct gx_mapi_rule){.id = id != NULL ? (uint64_t)id->i64 : 0, .sequence = gx_proplist_i32(l, PidTagRuleSequence, 0),
			.state = (uint32_t)gx_proplist_i32(l, PidTagRuleState, 0), .level = (uint32_t)gx_proplist_i32(l, PidTagRuleLevel, 0),
			.user_flags = (uint32_t)gx_proplist_i32(l, PidTagRuleUserFlags, 0), .name = gx_proplist_str(l, PidTagRuleName, ""),
			.provider = gx_proplist_str(l, PidTagRuleProvider, ""), .provider_data = bin_of(l, PidTagRuleProviderData),
			.condition = condition != NULL ? condition->restr : NULL, .actions = bin_of(l, PidTagRuleActions)};
	}
	*ret_v = v;
	*ret_n = n;
	return MC_OK;
}

static int rule_props(struct gx_arena *a, unsigned op, const struct gx_mapi_rule *r, struct gx_proplist *l)
{
	int err = op == GX_MAPI_ROW_ADD ? 0 : gx_proplist_set(l, a, PidTagRuleId, (union gx_value){.i64 = (int64_t)r->id});
	if (err != 0 || op == GX_MAPI_ROW_REMOVE)
		return err;
	err = gx_proplist_set_i32(l, a, PidTagRuleSequence, r->sequence);
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagRuleState, (int32_t)r->state);
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagRuleLevel, (int32_t)r->level);
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagRuleUserFlags, (int32_t)r->user_flags);
	err = err != 0 ? err : gx_proplist_set(l, a, PidTagRuleName, (union gx_value){.str = r->name != NULL ? r->name : ""});
	err = err != 0 ? err : gx_proplist_set(l, a, PidTagRuleProvider, (union gx_value){.str = r->provider != NULL ? r->provider : ""});
	if (err == 0 && r->provider_data.len > 0)
		err = gx_proplist_set(l, a, PidTagRuleProviderData, (union gx_value){.bin = r->provider_data});
	if (err == 0 && r->condition != NULL)
		err = gx_proplist_set(l, a, PidTagRuleCondition, (union gx_value){.restr = r->condition});
	return err == 0 && r->actions.len > 0 ? gx_proplist_set(l, a, PidTagRuleActions, (union gx_value){.bin = r->actions}) : err;
}

static bool is_op(unsigned op, bool replace)
{
	return op == GX_MAPI_ROW_ADD || (!replace && (op == GX_MAPI_ROW_MODIFY || op == GX_MAPI_ROW_REMOVE));
}

gx_ec gx_mapi_change_rules(struct gx_mapi_obj *folder, const struct gx_mapi_rule_change *v, size_t n, bool replace)
{
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	struct gx_arena *a = folder->c->scratch;
	struct gx_rule_data *rows = gx_arena_new_array(a, struct gx_rule_data, n + 1);
	if (rows == NULL)
		return gx_mapi__nomem(folder->c);
	for (size_t i = 0; i < n; ++i) {
		if (!is_op(v[i].op, replace) || n > UINT16_MAX)
			return gx_mapi__fail(folder->c, GX_EC(ecInvalidParam), "a change of rules that there is not");
		rows[i] = (struct gx_rule_data){.rule_data_flags = (uint8_t)v[i].op};
		if (rule_props(a, v[i].op, &v[i].rule, &rows[i].property_values) != 0)
			return gx_mapi__nomem(folder->c);
	}
	const struct gx_rop_modify_rules_req q = {replace ? REPLACE : 0, rows, (uint32_t)n};
	return gx_mapi__do(folder, RopModifyRules, &q, a, NULL, NULL);
}

/* ---- Permissions ---- */

gx_ec gx_mapi_permissions(struct gx_mapi_obj *folder, bool free_busy, struct gx_arena *a, struct gx_mapi_permission **ret_v, size_t *ret_n)
{
	const struct gx_rop_get_permissions_table_req q = {free_busy ? FREE_BUSY : 0};
	static const gx_proptag_t cols[] = {PidTagMemberId, PidTagMemberName, PidTagMemberRights, PidTagEntryId, PidTagSmtpAddress};
	struct gx_proplist *rows;
	size_t n;
	gx_ec ec = table(folder, RopGetPermissionsTable, &q, cols, sizeof(cols) / sizeof(cols[0]), a, &rows, &n);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_mapi_permission *v = gx_arena_new_array(a, struct gx_mapi_permission, n + 1);
	if (v == NULL)
		return gx_mapi__nomem(folder->c);
	for (size_t i = 0; i < n; ++i) {
		const union gx_value *id = value(&rows[i], PidTagMemberId);
		v[i] = (struct gx_mapi_permission){.member = id != NULL ? id->i64 : 0, .name = gx_proplist_str(&rows[i], PidTagMemberName, ""),
			.address = gx_proplist_str(&rows[i], PidTagSmtpAddress, ""), .entry_id = bin_of(&rows[i], PidTagEntryId),
			.rights = (uint32_t)gx_proplist_i32(&rows[i], PidTagMemberRights, 0)};
	}
	*ret_v = v;
	*ret_n = n;
	return MC_OK;
}

static int permission_props(struct gx_arena *a, const struct gx_mapi_permission_change *x, struct gx_proplist *l)
{
	int err = 0;
	if (x->entry_id.len > 0 && x->op == GX_MAPI_ROW_ADD)
		err = gx_proplist_set(l, a, PidTagEntryId, (union gx_value){.bin = x->entry_id});
	else
		err = gx_proplist_set(l, a, PidTagMemberId, (union gx_value){.i64 = x->member});
	return err == 0 && x->op != GX_MAPI_ROW_REMOVE ? gx_proplist_set_i32(l, a, PidTagMemberRights, (int32_t)x->rights) : err;
}

gx_ec gx_mapi_change_permissions(struct gx_mapi_obj *folder, const struct gx_mapi_permission_change *v, size_t n, bool replace, bool free_busy)
{
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	struct gx_arena *a = folder->c->scratch;
	struct gx_permission_data *rows = gx_arena_new_array(a, struct gx_permission_data, n + 1);
	if (rows == NULL)
		return gx_mapi__nomem(folder->c);
	for (size_t i = 0; i < n; ++i) {
		if (!is_op(v[i].op, replace) || n > UINT16_MAX)
			return gx_mapi__fail(folder->c, GX_EC(ecInvalidParam), "a change of permissions that there is not");
		rows[i] = (struct gx_permission_data){.permission_data_flags = (uint8_t)v[i].op};
		if (permission_props(a, &v[i], &rows[i].property_values) != 0)
			return gx_mapi__nomem(folder->c);
	}
	const struct gx_rop_modify_permissions_req q = {(uint8_t)((replace ? REPLACE : 0) | (free_busy ? FREE_BUSY : 0)), rows, (uint32_t)n};
	return gx_mapi__do(folder, RopModifyPermissions, &q, a, NULL, NULL);
}
