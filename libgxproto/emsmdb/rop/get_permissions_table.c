/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetPermissionsTable and RopModifyPermissions, [MS-OXCPERM] 2.2.1, 2.2.2, 3.2.5.1, 3.2.5.2 */
#include <config.h>
#include <gx/acl.h>
#include "libgxproto/emsmdb/people.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { TABLE_FREEBUSY = 0x02, REPLACE_ROWS = 0x01, INCLUDE_FREEBUSY = 0x02 };

gx_ec gx_rop__get_permissions_table(struct gx_rop_call *c, const struct gx_rop_get_permissions_table_req *q, void *r)
{
	uint32_t rows;
	(void)r;
	if (q->table_flags & ~TABLE_FREEBUSY)
		return GX_EC(ecInvalidParam);
	return gx_ems__give_table(c, GX_EMS_PERMISSIONS, q->table_flags & TABLE_FREEBUSY ? GX_TABLE_FREEBUSY : 0, false, false, &rows);
}

/* Whom a row is about: a member by its id, or somebody new by his entry id. The two that every folder has are never new. */
static gx_ec who(struct gx_rop_call *c, const struct gx_permission_data *d, struct gx_acl_change *ret_x)
{
	const struct gx_propval *id = gx_proplist_get(&d->property_values, PidTagMemberId);
	const struct gx_propval *eid = gx_proplist_get(&d->property_values, PidTagEntryId);
	bool built_in = id != NULL && (id->v.i64 == GX_MEMBER_DEFAULT || id->v.i64 == GX_MEMBER_ANONYMOUS);
	ret_x->id = id == NULL ? 0 : id->v.i64;
	if (ret_x->op != GX_ACL_ADD)
		return id != NULL ? EMS_OK : gx_rop__fail(c, ecInvalidParam, "a row without PidTagMemberId");
	if (eid != NULL && eid->v.bin.len > 0)
		return gx_ems__smtp_of_entryid(c, eid->v.bin, &ret_x->address);
	if (!built_in)
		return gx_rop__fail(c, ecInvalidParam, "a new row without PidTagEntryId");
	ret_x->op = GX_ACL_MODIFY;
	return EMS_OK;
}

static gx_ec change(struct gx_rop_call *c, const struct gx_permission_data *d, bool replace, struct gx_acl_change *ret_x)
{
	const struct gx_propval *rights = gx_proplist_get(&d->property_values, PidTagMemberRights);
	uint8_t op = d->permission_data_flags;
	if ((op != GX_ACL_ADD && op != GX_ACL_MODIFY && op != GX_ACL_REMOVE) || (replace && op != GX_ACL_ADD))
		return gx_rop__fail(c, ecInvalidParam, "PermissionDataFlags 0x%x", op);
	if (rights == NULL && op != GX_ACL_REMOVE)
		return gx_rop__fail(c, ecInvalidParam, "a row without PidTagMemberRights");
	*ret_x = (struct gx_acl_change){.op = op, .rights = rights == NULL ? 0 : (uint32_t)rights->v.i32};
	return who(c, d, ret_x);
}

gx_ec gx_rop__modify_permissions(struct gx_rop_call *c, const struct gx_rop_modify_permissions_req *q, void *r)
{
	struct gx_txn *t;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	struct gx_acl_change *v = gx_arena_new_array(c->a, struct gx_acl_change, q->permissions_data_count);
	unsigned flags = (q->modify_flags & REPLACE_ROWS ? GX_ACL_REPLACE : 0U) | (q->modify_flags & INCLUDE_FREEBUSY ? GX_ACL_FREEBUSY : 0U);
	gx_ec ec = v == NULL ? GX_EC(ecMAPIOOM) : EMS_OK;
	(void)r;
	if (f == NULL)
		return GX_EC(ecNotSupported);
	if (q->modify_flags & ~(REPLACE_ROWS | INCLUDE_FREEBUSY))
		return GX_EC(ecInvalidParam);
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < q->permissions_data_count; ++i)
		ec = change(c, &q->permissions_data[i], flags & GX_ACL_REPLACE, &v[i]);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_acl_modify(t, f->fid, v, q->permissions_data_count, flags));
}
