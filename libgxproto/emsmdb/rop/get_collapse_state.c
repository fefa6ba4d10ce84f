/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetCollapseState and RopSetCollapseState, [MS-OXCTABL] 2.2.2.19, 2.2.2.20, 3.2.5.19, 3.2.5.20: the store keeps the state, clients its number. */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static bool has_groups(const struct gx_ems_table *tb)
{
	return tb != NULL && tb->sort != NULL && tb->sort->categories > 0;
}

gx_ec gx_rop__get_collapse_state(struct gx_rop_call *c, const struct gx_rop_get_collapse_state_req *q, struct gx_rop_get_collapse_state_res *r)
{
	struct gx_txn *t;
	uint32_t state = 0;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (!has_groups(tb))
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__write(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_table_save_state(tb->tb, t, gx_eid_plain(q->row_id), q->row_instance_number, &state));
	return gx_ec_failed(ec) ? ec : gx_ems__put_number(c, state, &r->collapse_state);
}

gx_ec gx_rop__set_collapse_state(struct gx_rop_call *c, const struct gx_rop_set_collapse_state_req *q, struct gx_rop_set_collapse_state_res *r)
{
	struct gx_txn *t;
	struct gx_pull p;
	uint32_t pos = 0, bm = 0;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (!has_groups(tb))
		return GX_EC(ecNotSupported);
	gx_pull_init(&p, q->collapse_state.data, q->collapse_state.len);
	uint32_t state = gx_pull_u32(&p);
	if (p.err != 0 || p.left != 0)
		return gx_rop__fail(c, ecInvalidParam, "a state of %zu bytes", q->collapse_state.len);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_table_restore_state(tb->tb, t, state, &pos);
	if (!gx_ec_failed(ec))
		ec = gx_table_bookmark(tb->tb, t, pos, &bm);
	ec = gx_rop__end(c, t, ec);
	return gx_ec_failed(ec) ? ec : gx_ems__put_number(c, bm, &r->bookmark);
}
