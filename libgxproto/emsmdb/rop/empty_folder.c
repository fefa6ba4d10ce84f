/* SPDX-License-Identifier: Apache-2.0 */
/* RopEmptyFolder and RopHardDeleteMessagesAndSubfolders, [MS-OXCFOLD] 2.2.1.9 and 2.2.1.10 */
#include <config.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { AT_ONCE = 4096 };

/* The folders in it may have to go for good though the messages do not. */
static gx_ec portion(struct gx_rop_call *c, struct gx_txn *t, uint64_t fid, uint32_t what, bool *ret_partial, bool *ret_more)
{
	bool partial = false, none;
	uint32_t apart = gx_rop__folders_go(c, t) ? what & GX_CONTENT_FOLDERS : 0;
	gx_ec ec = gx_folder_empty(t, fid, what & ~apart, AT_ONCE, &partial, ret_more);
	*ret_partial = partial;
	if (!gx_ec_failed(ec) && apart != 0)
		ec = gx_folder_empty(t, fid, apart | GX_CONTENT_HARD, AT_ONCE, &partial, &none);
	*ret_partial = *ret_partial || partial;
	return ec;
}

/* In portions: others want to write, too. */
static gx_ec empty(struct gx_rop_call *c, uint32_t what, bool *ret_partial)
{
	struct gx_txn *t;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	bool more = true;
	gx_ec ec = f == NULL ? GX_EC(ecNotSupported) : EMS_OK;
	while (!gx_ec_failed(ec) && more) {
		struct gx_ems_owing due = {0};
		struct gx_ems_unread unread;
		bool partial = false;
		ec = gx_rop__write(c, &t);
		if (gx_ec_failed(ec))
			break;
		gx_ems__watch_unread(c, t, &due, &unread);
		ec = gx_ems__end_owing(c, t, &due, portion(c, t, f->fid, what, &partial, &more));
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
