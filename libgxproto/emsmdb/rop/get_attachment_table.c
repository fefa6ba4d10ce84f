/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetAttachmentTable, [MS-OXCMSG] 2.2.3.17 and 3.2.5.17 */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { USE_UNICODE = 0x40 };

gx_ec gx_rop__get_attachment_table(struct gx_rop_call *c, const struct gx_rop_get_attachment_table_req *q, void *r)
{
	uint32_t rows;
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)r;
	if (m == NULL)
		return GX_EC(ecNullObject);
	if (q->table_flags & ~USE_UNICODE)
		return gx_rop__fail(c, ecInvalidParam, "flags 0x%02x", q->table_flags);
	struct gx_ems_table *tb = gx_ems__table_new(GX_EMS_ATTACHMENTS, m->fid, 0);
	if (tb == NULL)
		return GX_EC(ecMAPIOOM);
	tb->inst = gx_inst_hold(m->inst);
	return gx_ems__give_new_table(c, tb, &rows);
}
