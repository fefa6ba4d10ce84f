/* SPDX-License-Identifier: Apache-2.0 */
/* RopOpenAttachment and RopCreateAttachment, [MS-OXCMSG] 2.2.3.12, 2.2.3.13, 3.2.5.12 and 3.2.5.13 */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__open_attachment(struct gx_rop_call *c, const struct gx_rop_open_attachment_req *q, void *r)
{
	struct gx_txn *t;
	struct gx_inst *att = NULL;
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)r;
	if (m == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_inst_att_open(t, m->inst, q->attachment_id, gx_ems__open_mode(q->open_attachment_flags), &att));
	return gx_ec_failed(ec) ? ec : gx_ems__give_attachment(c, att);
}

gx_ec gx_rop__create_attachment(struct gx_rop_call *c, const void *q, struct gx_rop_create_attachment_res *r)
{
	struct gx_txn *t;
	struct gx_inst *att = NULL;
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)q;
	if (m == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_inst_att_new(t, m->inst, &r->attachment_id, &att));
	return gx_ec_failed(ec) ? ec : gx_ems__give_attachment(c, att);
}
