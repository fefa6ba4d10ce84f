/* SPDX-License-Identifier: Apache-2.0 */
/* RopSetMessageStatus and RopGetMessageStatus, [MS-OXCMSG] 2.2.3.8 and 2.2.3.9 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

/* Answers with the status as it was. */
static gx_ec status(struct gx_rop_call *c, uint64_t id, uint32_t mask, uint32_t bits, uint32_t *ret_old)
{
	struct gx_txn *t;
	uint64_t mid;
	if (gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_ems__plain(c, id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_msg_set_status(t, mid, mask, bits, ret_old));
}

gx_ec gx_rop__set_message_status(struct gx_rop_call *c, const struct gx_rop_set_message_status_req *q, struct gx_rop_set_message_status_res *r)
{
	return status(c, q->message_id, q->message_status_mask, q->message_status_flags, &r->message_status_flags);
}

gx_ec gx_rop__get_message_status(struct gx_rop_call *c, const struct gx_rop_get_message_status_req *q, struct gx_rop_get_message_status_res *r)
{
	struct gx_txn *t;
	uint64_t mid;
	static const gx_proptag_t tag = PidTagMessageStatus;
	struct gx_proplist l = {0};
	if (gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_ems__plain(c, q->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_msg_get_props(t, mid, &tag, 1, c->a, &l));
	r->message_status_flags = (uint32_t)gx_proplist_i32(&l, PidTagMessageStatus, 0);
	return ec;
}
