/* SPDX-License-Identifier: Apache-2.0 */
/* RopCreateFolder, [MS-OXCFOLD] 2.2.1.2 and 3.2.5.2 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec create(struct gx_rop_call *c, struct gx_txn *t, uint64_t parent, const struct gx_rop_create_folder_req *q,
	struct gx_rop_create_folder_res *r, uint64_t *ret_fid)
{
	struct gx_proplist l = {0};
	struct gx_folder_info info;
	if (*q->comment != '\0' && gx_proplist_set_str(&l, c->a, PidTagComment, q->comment) != 0)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = gx_folder_create(t, parent, q->display_name, NULL, q->folder_type, &l, ret_fid);
	if (!gx_ec_is(ec, ecDuplicateName) || !q->open_existing)
		return ec;
	ec = gx_folder_by_name(t, parent, q->display_name, ret_fid);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get(t, *ret_fid, c->a, &info);
	if (!gx_ec_failed(ec) && info.type != q->folder_type)
		ec = gx_rop__fail(c, ecDuplicateName, "a folder of another kind has the name");
	r->is_existing_folder = !gx_ec_failed(ec);
	return ec;
}

gx_ec gx_rop__create_folder(struct gx_rop_call *c, const struct gx_rop_create_folder_req *q, struct gx_rop_create_folder_res *r)
{
	struct gx_txn *t;
	uint64_t fid = 0;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNotSupported);
	if ((q->folder_type != GX_FOLDER_GENERIC && q->folder_type != GX_FOLDER_SEARCH) || *q->display_name == '\0')
		return gx_rop__fail(c, ecInvalidParam, "no name, or a type that is none");
	gx_ec ec = gx_rop__write(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, create(c, t, f->fid, q, r, &fid));
	r->folder_id = gx_eid_wire(fid);
	return gx_ec_failed(ec) ? ec : gx_ems__give_folder(c, fid, false);
}
