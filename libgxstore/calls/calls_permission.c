/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on permission lists and rules. */
#include <config.h>
#include <gx/acl.h>
#include <gx/rules.h>
#include "libgxstore/calls/call-int.h"

/* ---- Permissions ---- */

gx_ec gx_call__empty_folder_permission(struct gx_call_ctx *c, const struct gx_x_empty_folder_permission_req *req)
{
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_acl_modify(c->t, fid, NULL, 0, GX_ACL_REPLACE | GX_ACL_FREEBUSY);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

/* Who is added stands in PidTagSmtpAddress or in an entry id. */
static gx_ec added(struct gx_call_ctx *c, const struct gx_proplist *l, const char **ret_address)
{
	const struct gx_propval *eid = gx_proplist_get(l, PidTagEntryId);
	const char *type = "", *address = gx_proplist_str(l, PidTagSmtpAddress, NULL), *name;
	if (address == NULL && eid != NULL && gx_entryid_address(c->a, eid->v.bin, &type, &address, &name) != 0)
		address = NULL;
	if (address == NULL)
		return gx_call__fail(c, ecInvalidParam, "a new member needs PidTagSmtpAddress or the entry id of a person");
	*ret_address = address;
	return strcmp(type, "EX") == 0 ? gx_call__user_of_dn(c, address, ret_address) : GX_OK_EC;
}

static gx_ec to_change(struct gx_call_ctx *c, const struct gx_x_row_change *in, struct gx_acl_change *out)
{
	const struct gx_propval *id = gx_proplist_get(&in->props, PidTagMemberId);
	*out = (struct gx_acl_change){.op = in->flags, .id = id != NULL ? id->v.i64 : 0,
		.rights = (uint32_t)gx_proplist_i32(&in->props, PidTagMemberRights, 0)};
	if (in->flags == GX_X_ROW_ADD)
		return added(c, &in->props, &out->address);
	return id != NULL ? GX_OK_EC : gx_call__fail(c, ecInvalidParam, "a change of permissions needs PidTagMemberId");
}

gx_ec gx_call__update_folder_permission(struct gx_call_ctx *c, const struct gx_x_update_folder_permission_req *req)
{
	uint64_t fid;
	struct gx_acl_change *v = gx_arena_new_array(c->a, struct gx_acl_change, req->changes_count);
	gx_ec ec = v == NULL ? gx_call__err(c, GX_E_NOMEM) : gx_call__id(c, req->folder_id, &fid);
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < req->changes_count; ++i)
		ec = to_change(c, &req->changes[i], &v[i]);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_acl_modify(c->t, fid, v, req->changes_count, req->freebusy ? GX_ACL_FREEBUSY : 0);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

/* ---- Rules ---- */

gx_ec gx_call__empty_folder_rule(struct gx_call_ctx *c, const struct gx_x_empty_folder_rule_req *req)
{
	uint64_t fid;
	bool exceeded;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_rules_modify(c->t, fid, NULL, 0, true, &exceeded);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__update_folder_rule(struct gx_call_ctx *c, const struct gx_x_update_folder_rule_req *req, struct gx_x_update_folder_rule_ans *ans)
{
	uint64_t fid;
	struct gx_rule_change *v = gx_arena_new_array(c->a, struct gx_rule_change, req->changes_count);
	struct gx_proplist *l = gx_arena_new_array(c->a, struct gx_proplist, req->changes_count);
	gx_ec ec = v == NULL || l == NULL ? gx_call__err(c, GX_E_NOMEM) : gx_call__id(c, req->folder_id, &fid);
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < req->changes_count; ++i) {
		ec = gx_call__props_in(c, 0, &req->changes[i].props, &l[i]);
		v[i] = (struct gx_rule_change){.op = req->changes[i].flags, .props = &l[i]};
	}
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_rules_modify(c->t, fid, v, req->changes_count, false, &ans->exceed);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}
