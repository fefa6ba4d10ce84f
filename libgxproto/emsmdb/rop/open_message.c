/* SPDX-License-Identifier: Apache-2.0 */
/* RopOpenMessage, [MS-OXCMSG] 2.2.3.1 and 3.2.5.1 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { READ_WRITE = 0x01, BEST_ACCESS = 0x03, OPEN_SOFT_DELETED = 0x04, AROUND_ROW = 7, ROWS_MOST = 255 };

static uint32_t inst_flags(uint8_t mode)
{
	uint32_t flags = (mode & BEST_ACCESS) == BEST_ACCESS ? GX_INST_BEST : mode & READ_WRITE ? GX_INST_WRITE : GX_INST_READ;
	return flags | (mode & OPEN_SOFT_DELETED ? GX_INST_SOFTDELETED : 0);
}

static gx_ec head(struct gx_rop_call *c, struct gx_txn *t, struct gx_inst *inst, struct gx_rop_open_message_res *r)
{
	static const gx_proptag_t tags[] = {PidTagSubjectPrefix, PidTagNormalizedSubject};
	struct gx_proplist l = {0};
	gx_proptag_t *all;
	size_t n;
	gx_ec ec = gx_inst_get_props(t, inst, tags, 2, c->room / 4, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_inst_all_tags(t, inst, c->a, &all, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		r->has_named_properties = r->has_named_properties || GX_PROP_IS_NAMED(all[i]);
	r->subject_prefix = gx_proplist_str(&l, PidTagSubjectPrefix, NULL);
	r->normalized_subject = gx_proplist_str(&l, PidTagNormalizedSubject, NULL);
	return ec;
}

static gx_ec recipients(struct gx_rop_call *c, struct gx_inst *inst, struct gx_rop_open_message_res *r)
{
	struct gx_ems_rcpts l;
	gx_ec ec = gx_ems__recipients(c, inst, 0, ROWS_MOST, c->room / 2, AROUND_ROW, &l);
	struct gx_open_recipient_row *v = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, struct gx_open_recipient_row, l.count);
	if (v == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < l.count; ++i)
		v[i] = (struct gx_open_recipient_row){l.types[i], (uint16_t)c->s->code_page, 0, l.rows[i]};
	r->recipient_count = (uint16_t)(l.total > UINT16_MAX ? UINT16_MAX : l.total);
	r->recipient_columns = l.cols.v;
	r->recipient_columns_count = l.cols.count;
	r->recipient_rows = v;
	r->recipient_rows_count = l.count;
	return EMS_OK;
}

gx_ec gx_rop__open_message(struct gx_rop_call *c, const struct gx_rop_open_message_req *q, struct gx_rop_open_message_res *r)
{
	struct gx_txn *t;
	struct gx_inst *inst = NULL;
	uint64_t fid, mid;
	if (gx_ems__logon(c->in) == NULL && gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = q->folder_id == 0 ? (fid = 0, EMS_OK) : gx_ems__plain(c, q->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_ems__plain(c, q->message_id, &mid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_inst_open(t, fid, mid, inst_flags(q->open_mode_flags), &inst);
	if (!gx_ec_failed(ec))
		ec = head(c, t, inst, r);
	if (!gx_ec_failed(ec))
		ec = recipients(c, inst, r);
	ec = gx_rop__end(c, t, ec);
	if (!gx_ec_failed(ec))
		return gx_ems__give_message(c, fid, mid, inst);
	gx_inst_free(inst);
	return ec;
}
