/* SPDX-License-Identifier: Apache-2.0 */
/* RopModifyRecipients and RopRemoveAllRecipients, [MS-OXCMSG] 2.2.3.4, 2.2.3.5, 3.2.5.4 and 3.2.5.5 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec one(struct gx_rop_call *c, const struct gx_columns *cols, const struct gx_modify_recipient_row *row, struct gx_proplist *l)
{
	gx_ec ec = gx_ec_from_err(gx_proplist_set_i32(l, c->a, PidTagRowid, (int32_t)row->row_id));
	if (gx_ec_failed(ec) || row->recipient_row.len == 0) /* it goes */
		return ec;
	ec = gx_ec_from_err(gx_proplist_set_i32(l, c->a, PidTagRecipientType, row->recipient_type));
	return gx_ec_failed(ec) ? ec : gx_ems__recipient_props(c, cols, row, l);
}

gx_ec gx_rop__modify_recipients(struct gx_rop_call *c, const struct gx_rop_modify_recipients_req *q, void *r)
{
	const struct gx_columns cols = {q->recipient_columns, q->recipient_columns_count};
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)r;
	if (m == NULL)
		return GX_EC(ecNullObject);
	struct gx_proplist *v = gx_arena_calloc(c->a, q->recipient_rows_count + (size_t)1, sizeof(*v));
	gx_ec ec = v == NULL ? GX_EC(ecMAPIOOM) : EMS_OK;
	for (uint32_t i = 0; i < q->recipient_rows_count && !gx_ec_failed(ec); ++i)
		ec = one(c, &cols, &q->recipient_rows[i], &v[i]);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_rcpts(m->inst, v, q->recipient_rows_count);
	/* of a message that was not opened, so that nobody was told of columns, these are what both know */
	return gx_ec_failed(ec) || m->rcpt_cols != NULL ? ec : gx_ems__keep_columns(m, &cols);
}

gx_ec gx_rop__remove_all_recipients(struct gx_rop_call *c, const struct gx_rop_remove_all_recipients_req *q, void *r)
{
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)q;
	(void)r;
	return m == NULL ? GX_EC(ecNullObject) : gx_inst_clear_rcpts(m->inst);
}
