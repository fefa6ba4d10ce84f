/* SPDX-License-Identifier: Apache-2.0 */
/* RopDeleteMessages and RopHardDeleteMessages, [MS-OXCFOLD] 2.2.1.11 and 2.2.1.12 */
#include <config.h>
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

/* @tells: senders who want to know that it was not read. */
static gx_ec delete(struct gx_rop_call *c, const uint64_t *ids, uint32_t n, bool tells, bool hard)
{
	struct gx_txn *t;
	struct gx_ems_owing due = {0};
	struct gx_ems_unread unread;
	const uint64_t *mids;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__plain_list(c, ids, n, &mids);
	if (!gx_ec_failed(ec) && n > 0)
		ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec) || n == 0)
		return ec;
	if (tells)
		gx_ems__watch_unread(c, t, &due, &unread);
	return gx_ems__end_owing(c, t, &due, gx_msg_delete(t, f->fid, mids, n, hard));
}

gx_ec gx_rop__delete_messages(struct gx_rop_call *c, const struct gx_rop_delete_messages_req *q, struct gx_rop_delete_messages_res *r)
{
	(void)r; /* all or nothing */
	return delete(c, q->message_ids, q->message_ids_count, q->notify_non_read, false);
}

gx_ec gx_rop__hard_delete_messages(struct gx_rop_call *c, const struct gx_rop_hard_delete_messages_req *q,
	struct gx_rop_hard_delete_messages_res *r)
{
	(void)r;
	return delete(c, q->message_ids, q->message_ids_count, q->notify_non_read, true);
}
