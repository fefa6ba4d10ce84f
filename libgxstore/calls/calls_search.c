/* SPDX-License-Identifier: Apache-2.0 */
/* Search folders. */
#include <config.h>
#include <gx/search.h>
#include "libgxstore/calls/call-int.h"

gx_ec gx_call__get_search_criteria(struct gx_call_ctx *c, const struct gx_x_get_search_criteria_req *req, struct gx_x_get_search_criteria_ans *ans)
{
	uint64_t fid;
	struct gx_search_info i;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_search_get(c->t, fid, c->a, &i);
	if (!gx_ec_failed(ec)) {
		ans->search_status = i.status;
		ans->folder_ids_count = (uint32_t)i.n;
		ec = gx_call__restr_out(c, i.restr, &ans->restriction);
	}
	if (!gx_ec_failed(ec))
		ec = gx_call__eids(c, i.folders, i.n, &ans->folder_ids);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__set_search_criteria(struct gx_call_ctx *c, const struct gx_x_set_search_criteria_req *req, struct gx_x_set_search_criteria_ans *ans)
{
	uint64_t fid;
	const struct gx_restr *r;
	const uint64_t *folders = NULL;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__restr_in(c, req->cpid, req->restriction, &r);
	if (!gx_ec_failed(ec))
		ec = gx_call__ids(c, req->folder_ids, req->folder_ids_count, &folders);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_search_set(c->t, fid, req->search_flags, r, folders, req->folder_ids_count);
	return gx_call__end_bool(c, ec, GX_SYNC_NOW, &ans->result);
}

typedef gx_ec (*link_fn)(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n);

static gx_ec change(struct gx_call_ctx *c, uint64_t folder, const uint64_t *eids, size_t n, link_fn fn)
{
	uint64_t fid;
	const uint64_t *mids;
	gx_ec ec = gx_call__id(c, folder, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__ids(c, eids, n, &mids);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	return gx_ec_failed(ec) ? ec : fn(c->t, fid, mids, n);
}

gx_ec gx_call__link_message(struct gx_call_ctx *c, const struct gx_x_link_message_req *req, struct gx_x_link_message_ans *ans)
{
	gx_ec ec = change(c, req->folder_id, &req->message_id, 1, gx_search_link);
	return gx_call__end_bool(c, ec, GX_SYNC_NOW, &ans->result);
}

gx_ec gx_call__link_messages(struct gx_call_ctx *c, const struct gx_x_link_messages_req *req, struct gx_x_link_messages_ans *ans)
{
	(void)ans; /* those that are gone are passed over */
	return gx_call__end(c, change(c, req->folder_id, req->message_ids, req->message_ids_count, gx_search_link), GX_SYNC_NOW);
}

gx_ec gx_call__unlink_message(struct gx_call_ctx *c, const struct gx_x_unlink_message_req *req)
{
	return gx_call__end(c, change(c, req->folder_id, &req->message_id, 1, gx_search_unlink), GX_SYNC_NOW);
}
