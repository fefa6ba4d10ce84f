/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationImportMessageMove, [MS-OXCFXICS] 2.2.3.2.4.4 and 3.2.5.9.4.4 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec is_associated(struct gx_txn *t, uint64_t mid, bool *ret_fai)
{
	struct gx_msg_info info;
	gx_ec ec = gx_msg_get(t, mid, &info);
	*ret_fai = !gx_ec_failed(ec) && (info.flags & GX_MSGF_FAI) != 0;
	return ec;
}

gx_ec gx_rop__synchronization_import_message_move(struct gx_rop_call *c, const struct gx_rop_synchronization_import_message_move_req *q,
	struct gx_rop_synchronization_import_message_move_res *r)
{
	struct gx_ems_collector *u = gx_ems__collector(c->in);
	struct gx_ics_move m = {.source_key = q->source_message_id, .dst_source_key = q->destination_message_id,
		.version = {.change_key = q->change_number, .pcl = q->predecessor_change_list}};
	struct gx_msg_ids ids = {0};
	struct gx_txn *t;
	bool fai = false;
	if (u == NULL || !u->contents)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__source_id(c, q->source_folder_id, &m.src_fid), moved = EMS_OK;
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	moved = gx_ics_import_move(t, u->fid, &m, &ids);
	ec = gx_rop__end(c, t, gx_ec_failed(moved) ? moved : is_associated(t, ids.mid, &fai));
	r->message_id = 0; /* [MS-OXCFXICS] 2.2.3.2.4.4.2: always */
	if (!gx_ec_failed(ec))
		ec = gx_ems__collected(u, ids.mid, fai ? GX_EMS_SEEN_FAI : GX_EMS_SEEN, ids.cn);
	return gx_ec_failed(ec) ? ec : moved;
}
