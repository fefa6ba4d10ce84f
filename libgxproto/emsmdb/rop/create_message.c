/* SPDX-License-Identifier: Apache-2.0 */
/* RopCreateMessage, [MS-OXCMSG] 2.2.3.2 and 3.2.5.2 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__create_message(struct gx_rop_call *c, const struct gx_rop_create_message_req *q, struct gx_rop_create_message_res *r)
{
	struct gx_txn *t;
	struct gx_inst *inst = NULL;
	struct gx_inst_new_opts o = GX_INST_NEW_OPTS_INIT;
	uint64_t fid;
	(void)r; /* the id comes with the first save */
	if (gx_ems__logon(c->in) == NULL && gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	o.associated = q->associated_flag;
	ec = gx_rop__end(c, t, gx_inst_new(t, fid, &o, &inst));
	return gx_ec_failed(ec) ? ec : gx_ems__give_message(c, fid, 0, inst);
}
