/* SPDX-License-Identifier: Apache-2.0 */
/* RopOpenMessage, [MS-OXCMSG] 2.2.3.1 and 3.2.5.1 */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { OPEN_SOFT_DELETED = 0x04 };

gx_ec gx_rop__open_message(struct gx_rop_call *c, const struct gx_rop_open_message_req *q, struct gx_rop_open_message_res *r)
{
	struct gx_txn *t;
	struct gx_inst *inst = NULL;
	struct gx_ems_opened o;
	uint64_t fid, mid;
	uint32_t flags = gx_ems__open_mode(q->open_mode_flags) | (q->open_mode_flags & OPEN_SOFT_DELETED ? GX_INST_SOFTDELETED : 0U);
	if (gx_ems__logon(c->in) == NULL && gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = q->folder_id == 0 ? (fid = 0, EMS_OK) : gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_ems__plain(c, q->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_open(t, fid, mid, flags, &inst);
	if (!gx_ec_failed(ec))
		ec = gx_ems__opened(c, t, inst, &o);
	ec = gx_rop__end(c, t, ec);
	if (gx_ec_failed(ec)) {
		gx_inst_free(inst);
		return ec;
	}
	GX_EMS_SAY_OPENED(r, &o);
	return gx_ems__give_opened(c, fid, mid, inst, &o);
}
