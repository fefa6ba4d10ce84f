/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetValidAttachments, [MS-OXCMSG] 2.2.3.18 and 3.2.5.18 */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__get_valid_attachments(struct gx_rop_call *c, const void *q, struct gx_rop_get_valid_attachments_res *r)
{
	static const gx_proptag_t tag = PidTagAttachNumber;
	struct gx_txn *t;
	struct gx_proplist *v = NULL;
	size_t n = 0;
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)q;
	if (m == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_inst_att_rows(t, m->inst, &tag, 1, 0, INT32_MAX, c->a, &v, &n));
	uint32_t *ids = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, uint32_t, n);
	if (ids == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		ids[i] = (uint32_t)gx_proplist_i32(&v[i], PidTagAttachNumber, 0);
	r->attachment_id_array = ids;
	r->attachment_id_array_count = (uint32_t)n;
	return EMS_OK;
}
