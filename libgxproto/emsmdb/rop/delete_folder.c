/* SPDX-License-Identifier: Apache-2.0 */
/* RopDeleteFolder, [MS-OXCFOLD] 2.2.1.3 and 3.2.5.3 */
#include <config.h>
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { DEL_MESSAGES = 0x01, DEL_FOLDERS = 0x04, DELETE_HARD_DELETE = 0x10 };

/* What the flags do not allow to go with the folder keeps it. */
static gx_ec delete(struct gx_rop_call *c, struct gx_txn *t, uint64_t parent, uint64_t fid, uint8_t flags, bool *ret_stays)
{
	struct gx_folder_info f;
	gx_ec ec = gx_folder_get(t, fid, c->a, &f);
	if (!gx_ec_failed(ec) && f.parent != parent)
		ec = GX_EC(ecNotFound);
	if (gx_ec_failed(ec))
		return ec;
	*ret_stays = (!(flags & DEL_MESSAGES) && f.total + f.fai != 0) || (!(flags & DEL_FOLDERS) && f.subfolders != 0);
	return *ret_stays ? EMS_OK : gx_folder_delete(t, fid, (flags & DELETE_HARD_DELETE) || gx_rop__folders_go(c, t));
}

gx_ec gx_rop__delete_folder(struct gx_rop_call *c, const struct gx_rop_delete_folder_req *q, struct gx_rop_delete_folder_res *r)
{
	struct gx_ems_owing due = {0};
	struct gx_ems_unread unread;
	struct gx_txn *t;
	uint64_t fid;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNotSupported);
	if (q->delete_folder_flags & ~(DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE))
		return GX_EC(ecInvalidParam);
	gx_ec ec = gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	gx_ems__watch_unread(c, t, &due, &unread);
	return gx_ems__end_owing(c, t, &due, delete(c, t, f->fid, fid, q->delete_folder_flags, &r->partial_completion));
}
