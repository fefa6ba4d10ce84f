/* SPDX-License-Identifier: Apache-2.0 */
/* RopSetMessageReadFlag, [MS-OXCMSG] 2.2.3.11 and 3.2.5.11: at once, whether the message is saved or not. */
#include <config.h>
#include <string.h>
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { READ_FLAGS = 0x7f }; /* [MS-OXCMSG] 2.2.3.10.1 */

/* A message that is not in the store, or in an attachment, has its state in memory; nobody is owed a receipt for it. */
static gx_ec mark_in_memory(struct gx_rop_call *c, struct gx_ems_message *m, uint8_t flags)
{
	struct gx_propval v = {PidTagRead, {.b = !(flags & GX_RF_CLEAR_READ)}};
	const struct gx_proplist l = {&v, 1, 1};
	struct gx_problems p = {0};
	if (flags & (GX_RF_RECEIPT_ONLY | GX_RF_CLEAR_NOTIFY_READ | GX_RF_CLEAR_NOTIFY_UNREAD))
		return EMS_OK;
	return gx_inst_set_props(m->inst, &l, GX_SET_TRUSTED, c->a, &p);
}

gx_ec gx_rop__set_message_read_flag(struct gx_rop_call *c, const struct gx_rop_set_message_read_flag_req *q,
	struct gx_rop_set_message_read_flag_res *r)
{
	struct gx_ems_owing due = {0};
	bool changed = false;
	struct gx_txn *t;
	struct gx_ems_message *m = gx_ems__message(c->in);
	if (m == NULL)
		return GX_EC(ecNullObject);
	if (q->read_flags & ~READ_FLAGS)
		return gx_rop__fail(c, ecInvalidParam, "flags 0x%02x", q->read_flags);
	if (m->mid == 0)
		return mark_in_memory(c, m, q->read_flags);
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_ems__set_read(c, t, m->mid, q->read_flags, &due, &changed);
	if (!gx_ec_failed(ec))
		ec = gx_inst_see_flags(t, m->inst);
	ec = gx_ems__end_owing(c, t, &due, ec);
	if (gx_ec_failed(ec) || !c->logon->is_public || !changed)
		return ec;
	/* readers of public folders keep the state themselves, too */
	r->read_status_changed = true;
	r->logon_id = c->logon_id;
	memcpy(r->client_data, q->client_data, sizeof(r->client_data));
	return EMS_OK;
}
