/* SPDX-License-Identifier: Apache-2.0 */
/* RopReadRecipients and RopReloadCachedInformation, [MS-OXCMSG] 2.2.3.6, 2.2.3.7, 3.2.5.6 and 3.2.5.7 */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { AROUND_ROW = 11, COUNT = 1, ROWS_MOST = 255 };

/* Rows go on behind gaps, which deleted ones leave. */
gx_ec gx_rop__read_recipients(struct gx_rop_call *c, const struct gx_rop_read_recipients_req *q, struct gx_rop_read_recipients_res *r)
{
	struct gx_ems_rcpts l = {0};
	struct gx_proplist *first;
	size_t n = 0;
	struct gx_ems_message *m = gx_ems__message(c->in);
	if (m == NULL)
		return GX_EC(ecNullObject);
	const struct gx_columns cols = {m->rcpt_cols, m->rcpt_col_count};
	gx_ec ec = gx_inst_rcpts(m->inst, q->row_id, 1, c->a, &first, &n);
	if (!gx_ec_failed(ec) && n == 0)
		ec = gx_rop__fail(c, ecNotFound, "no recipient %u", (unsigned)q->row_id);
	if (!gx_ec_failed(ec))
		ec = gx_ems__recipients(c, m->inst, &cols, q->row_id, ROWS_MOST, c->room - COUNT, AROUND_ROW, &l);
	if (!gx_ec_failed(ec) && l.count == 0)
		ec = gx_rop__fail(c, ecBufferTooSmall, "recipient %u is larger than the answer may be", (unsigned)q->row_id);
	struct gx_read_recipient_row *v = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, struct gx_read_recipient_row, l.count);
	if (v == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < l.count; ++i)
		v[i] = (struct gx_read_recipient_row){l.row_ids[i], l.types[i], (uint16_t)c->s->code_page, 0, l.rows[i]};
	r->recipient_rows = v;
	r->recipient_rows_count = l.count;
	return EMS_OK;
}

gx_ec gx_rop__reload_cached_information(struct gx_rop_call *c, const struct gx_rop_reload_cached_information_req *q,
	struct gx_rop_reload_cached_information_res *r)
{
	struct gx_txn *t;
	struct gx_ems_opened o;
	struct gx_ems_message *m = gx_ems__message(c->in);
	(void)q;
	if (m == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_ems__opened(c, t, m->inst, &o));
	if (gx_ec_failed(ec))
		return ec;
	GX_EMS_SAY_OPENED(r, &o);
	return gx_ems__keep_columns(m, &o.cols);
}
