/* SPDX-License-Identifier: Apache-2.0 */
/* RopEmptyFolder and RopHardDeleteMessagesAndSubfolders, [MS-OXCFOLD] 2.2.1.9 and 2.2.1.10 */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { AT_ONCE = 4096 };

/* In portions: others want to write, too. */
static gx_ec empty(struct gx_rop_call *c, uint32_t what, bool *ret_partial)
{
	struct gx_txn *t;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	bool more = true;
	gx_ec ec = f == NULL ? GX_EC(ecNotSupported) : EMS_OK;
	while (!gx_ec_failed(ec) && more) {
		bool partial = false;
		ec = gx_rop__write(c, &t);
		if (!gx_ec_failed(ec))
			ec = gx_rop__end(c, t, gx_folder_empty(t, f->fid, what, AT_ONCE, &partial, &more));
		*ret_partial = *ret_partial || partial;
	}
	return ec;
}

gx_ec gx_rop__empty_folder(struct gx_rop_call *c, const struct gx_rop_empty_folder_req *q, struct gx_rop_empty_folder_res *r)
{
	return empty(c, GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS | (q->want_delete_associated ? GX_CONTENT_FAI : 0), &r->partial_completion);
}

gx_ec gx_rop__hard_delete_messages_and_subfolders(struct gx_rop_call *c, const struct gx_rop_hard_delete_messages_and_subfolders_req *q,
	struct gx_rop_hard_delete_messages_and_subfolders_res *r)
{
	return empty(c, GX_CONTENT_NORMAL | GX_CONTENT_FOLDERS | GX_CONTENT_HARD | (q->want_delete_associated ? GX_CONTENT_FAI : 0),
		&r->partial_completion);
}
