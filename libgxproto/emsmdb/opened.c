/* SPDX-License-Identifier: Apache-2.0 */
/* What a client learns of a message when it opens it: its subject and as many recipients as fit. */
#include <config.h>
#include "libgxproto/emsmdb/attachment.h"

enum { AROUND_ROW = 7, ROWS_MOST = 255 };
enum { NO_REPLICA = 5 }; /* between those that are fixed and those of others: nothing in a store has such an id */

static gx_ec head(struct gx_rop_call *c, struct gx_txn *t, struct gx_inst *inst, struct gx_ems_opened *o)
{
	static const gx_proptag_t tags[] = {PidTagSubjectPrefix, PidTagNormalizedSubject};
	struct gx_proplist l = {0};
	gx_proptag_t *all;
	size_t n;
	gx_ec ec = gx_inst_get_props(t, inst, tags, 2, c->room / 4, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_inst_all_tags(t, inst, c->a, &all, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		o->has_named = o->has_named || GX_PROP_IS_NAMED(all[i]);
	o->prefix = gx_proplist_str(&l, PidTagSubjectPrefix, NULL);
	o->subject = gx_proplist_str(&l, PidTagNormalizedSubject, NULL);
	return ec;
}

static gx_ec recipients(struct gx_rop_call *c, struct gx_inst *inst, struct gx_ems_opened *o)
{
	struct gx_ems_rcpts l;
	gx_ec ec = gx_ems__recipients(c, inst, NULL, 0, ROWS_MOST, c->room / 2, AROUND_ROW, &l);
	o->rows = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, struct gx_open_recipient_row, l.count);
	if (o->rows == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < l.count; ++i)
		o->rows[i] = (struct gx_open_recipient_row){l.types[i], (uint16_t)c->s->code_page, 0, l.rows[i]};
	o->rcpt_count = (uint16_t)(l.total > UINT16_MAX ? UINT16_MAX : l.total);
	o->cols = l.cols;
	o->row_count = l.count;
	return EMS_OK;
}

gx_ec gx_ems__opened(struct gx_rop_call *c, struct gx_txn *t, struct gx_inst *inst, struct gx_ems_opened *ret_o)
{
	*ret_o = (struct gx_ems_opened){0};
	gx_ec ec = head(c, t, inst, ret_o);
	return gx_ec_failed(ec) ? ec : recipients(c, inst, ret_o);
}

uint64_t gx_ems__embedded_id(struct gx_inst *inst)
{
	struct gx_inst_info i;
	gx_inst_info(inst, &i);
	return i.place == 0 ? 0 : gx_eid_make(NO_REPLICA, i.place & GX_COUNTER_MAX);
}

gx_ec gx_ems__give_opened(struct gx_rop_call *c, uint64_t fid, uint64_t mid, struct gx_inst *inst, const struct gx_ems_opened *o)
{
	gx_ec ec = gx_ems__give_message(c, fid, mid, inst);
	return gx_ec_failed(ec) ? ec : gx_ems__keep_columns(gx_ems__message(c->made), &o->cols);
}
