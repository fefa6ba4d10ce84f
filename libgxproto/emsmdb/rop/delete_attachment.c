/* SPDX-License-Identifier: Apache-2.0 */
/* RopDeleteAttachment, [MS-OXCMSG] 2.2.3.14 and 3.2.5.14: of the message in memory; the store has it until that is saved. */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__delete_attachment(struct gx_rop_call *c, const struct gx_rop_delete_attachment_req *q, void *r)
{
	struct gx_txn *t;
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)r;
	if (m == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_inst_att_delete(t, m->inst, q->attachment_id));
}
