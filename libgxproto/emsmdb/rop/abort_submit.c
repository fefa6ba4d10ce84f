/* SPDX-License-Identifier: Apache-2.0 */
/* RopAbortSubmit, [MS-OXOMSG] 2.2.3.2 and 3.2.5.2 */
#include <config.h>
#include "libgxproto/emsmdb/submit.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec look(struct gx_rop_call *c, struct gx_txn *t, uint64_t fid, uint64_t mid)
{
	static const gx_proptag_t tag = PidTagSubmitFlags;
	struct gx_msg_info i;
	struct gx_proplist l = {0};
	gx_ec ec = gx_msg_get(t, mid, &i);
	if (!gx_ec_failed(ec) && i.fid != fid)
		ec = GX_EC(ecNotFound);
	if (!gx_ec_failed(ec) && !(i.flags & GX_MSGF_SUBMIT))
		ec = gx_rop__fail(c, MAPI_E_NOT_IN_QUEUE, "it was not submitted, or it is sent");
	if (!gx_ec_failed(ec))
		ec = gx_msg_get_props(t, mid, &tag, 1, c->a, &l);
	if (!gx_ec_failed(ec) && (gx_proplist_i32(&l, tag, 0) & GX_SUBMITFLAG_LOCKED))
		ec = gx_rop__fail(c, ecUnableToAbort, "a client is sending it");
	return ec;
}

/* The mark goes first: an entry without one is never sent. */
gx_ec gx_rop__abort_submit(struct gx_rop_call *c, const struct gx_rop_abort_submit_req *q, void *r)
{
	struct gx_txn *t;
	uint64_t fid, mid;
	bool busy = false;
	struct gx_ems_entry *x;
	(void)r;
	if (gx_ems__logon(c->in) == NULL || c->logon->is_public)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_ems__plain(c, q->message_id, &mid);
	if (gx_ec_failed(ec))
		return ec;
	x = gx_outbox__take(c->s->e, gx_store_mailbox_guid(c->logon->store), mid, &busy);
	if (busy)
		return gx_rop__fail(c, ecUnableToAbort, "it is being sent");
	ec = gx_rop__write(c, &t);
	if (!gx_ec_failed(ec)) {
		ec = look(c, t, fid, mid);
		ec = gx_rop__end(c, t, gx_ec_failed(ec) ? ec : gx_msg_clear_submit(t, mid, true));
	}
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_store_sync(c->logon->store));
	if (x != NULL && !gx_ec_failed(ec))
		gx_outbox__drop(c->s->e, x);
	else if (x != NULL)
		gx_outbox__keep(c->s->e, x, x->again);
	return ec;
}
