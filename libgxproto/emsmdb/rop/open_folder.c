/* SPDX-License-Identifier: Apache-2.0 */
/* RopOpenFolder, [MS-OXCFOLD] 2.2.1.1 */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { OPEN_SOFT_DELETED = 0x04 };

static gx_ec look(struct gx_rop_call *c, struct gx_txn *t, uint64_t fid, bool want_deleted, bool *ret_deleted, bool *ret_rules)
{
	static const gx_proptag_t rules = PidTagHasRules;
	struct gx_folder_info f;
	struct gx_proplist l = {0};
	gx_ec ec = gx_folder_is_deleted(t, fid, ret_deleted);
	if (gx_ec_failed(ec) || (*ret_deleted && want_deleted))
		return ec;
	ec = gx_folder_get(t, fid, c->a, &f);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get_props(t, fid, &rules, 1, c->a, &l);
	*ret_rules = !gx_ec_failed(ec) && l.count == 1 && l.v[0].v.b;
	return ec;
}

gx_ec gx_rop__open_folder(struct gx_rop_call *c, const struct gx_rop_open_folder_req *q, struct gx_rop_open_folder_res *r)
{
	struct gx_txn *t;
	uint64_t fid;
	bool deleted = false;
	if (gx_ems__logon(c->in) == NULL && gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = look(c, t, fid, q->open_mode_flags & OPEN_SOFT_DELETED, &deleted, &r->has_rules);
	ec = gx_rop__end(c, t, ec);
	return gx_ec_failed(ec) ? ec : gx_ems__give_folder(c, fid, deleted);
}
