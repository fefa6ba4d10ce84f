/* SPDX-License-Identifier: Apache-2.0 */
/* RopSaveChangesAttachment, [MS-OXCMSG] 2.2.3.15 and 3.2.5.15: into the message, which is saved by itself. */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { KEEP_OPEN_READ_ONLY = 0x01, KEEP_OPEN_READ_WRITE = 0x02, FORCE_SAVE = 0x04 };

gx_ec gx_rop__save_changes_attachment(struct gx_rop_call *c, const struct gx_rop_save_changes_attachment_req *q, void *r)
{
	struct gx_txn *t;
	struct gx_ems_attachment *a = gx_ems__attachment(c->in);
	uint8_t mode = q->save_flags & (KEEP_OPEN_READ_ONLY | KEEP_OPEN_READ_WRITE);
	(void)r;
	if (a == NULL)
		return GX_EC(ecNullObject);
	uint32_t flags = (q->save_flags & FORCE_SAVE ? GX_SAVE_FORCE : 0U) | (mode == KEEP_OPEN_READ_ONLY ? GX_SAVE_READONLY : 0U);
	gx_ec ec = gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_inst_save(t, a->inst, flags, NULL));
}
