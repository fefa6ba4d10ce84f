/* SPDX-License-Identifier: Apache-2.0 */
/* RopOpenEmbeddedMessage, [MS-OXCMSG] 2.2.3.16 and 3.2.5.16 */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { READ_WRITE = 0x01, CREATE = 0x02 };

static gx_ec open_or_create(struct gx_txn *t, struct gx_inst *att, uint8_t mode, struct gx_inst **ret_msg)
{
	uint32_t flags = mode & (READ_WRITE | CREATE) ? GX_INST_WRITE : GX_INST_READ;
	gx_ec ec = gx_inst_embedded_open(t, att, false, flags, ret_msg);
	return gx_ec_is(ec, ecNotFound) && (mode & CREATE) ? gx_inst_embedded_open(t, att, true, flags, ret_msg) : ec;
}

gx_ec gx_rop__open_embedded_message(struct gx_rop_call *c, const struct gx_rop_open_embedded_message_req *q,
	struct gx_rop_open_embedded_message_res *r)
{
	struct gx_txn *t;
	struct gx_inst *msg = NULL;
	struct gx_ems_opened o;
	struct gx_ems_attachment *a = gx_ems__attachment(c->in);
	if (a == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = open_or_create(t, a->inst, q->open_mode_flags, &msg);
	if (!gx_ec_failed(ec))
		ec = gx_ems__opened(c, t, msg, &o);
	ec = gx_rop__end(c, t, ec);
	if (gx_ec_failed(ec)) {
		gx_inst_free(msg);
		return ec;
	}
	GX_EMS_SAY_OPENED(r, &o);
	r->message_id = gx_ems__embedded_id(msg);
	return gx_ems__give_opened(c, 0, 0, msg, &o); /* it is in no folder, and its id is for the client alone */
}
