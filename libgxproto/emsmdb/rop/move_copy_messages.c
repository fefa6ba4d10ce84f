/* SPDX-License-Identifier: Apache-2.0 */
/* RopMoveCopyMessages, [MS-OXCFOLD] 2.2.1.6 and 3.2.5.6 */
#include <config.h>
#include "libgxproto/emsmdb/carry.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec elsewhere(struct gx_rop_call *c, const uint64_t *mids, uint32_t n, bool move, bool *ret_partial)
{
	struct gx_ems_folder *src = gx_ems__folder(c->in), *dst = gx_ems__folder(c->dst);
	struct gx_ems_carry x = {c, src->obj.logon, dst->obj.logon, move, false};
	gx_ec ec = gx_ems__carry_messages(&x, src->fid, mids, n, dst->fid);
	*ret_partial = x.partial;
	return ec;
}

gx_ec gx_rop__move_copy_messages(struct gx_rop_call *c, const struct gx_rop_move_copy_messages_req *q, struct gx_rop_move_copy_messages_res *r)
{
	struct gx_txn *t;
	const uint64_t *mids;
	uint32_t n = q->message_ids_count;
	struct gx_ems_folder *src = gx_ems__folder(c->in), *dst = gx_ems__folder(c->dst);
	if (src == NULL || dst == NULL)
		return GX_EC(ecNotSupported);
	struct gx_msg_ids *made = gx_arena_new_array(c->a, struct gx_msg_ids, n);
	gx_ec ec = made == NULL ? GX_EC(ecMAPIOOM) : gx_ems__plain_list(c, q->message_ids, n, &mids);
	if (!gx_ec_failed(ec) && src->obj.logon->store != dst->obj.logon->store)
		return elsewhere(c, mids, n, !q->want_copy, &r->partial_completion);
	if (!gx_ec_failed(ec) && n > 0)
		ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec) || n == 0)
		return ec;
	ec = gx_rop__end(c, t, gx_msg_copy(t, src->fid, mids, n, dst->fid, !q->want_copy, made));
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		r->partial_completion = r->partial_completion || made[i].mid == 0;
	return ec;
}
