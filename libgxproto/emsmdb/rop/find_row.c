/* SPDX-License-Identifier: Apache-2.0 */
/* RopFindRow, [MS-OXCTABL] 2.2.2.14 and 3.2.5.14 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { BACKWARD = 0x01, CUSTOM = 3 };

static gx_ec begin(struct gx_rop_call *c, struct gx_ems_table *tb, struct gx_txn *t, const struct gx_rop_find_row_req *q, uint32_t *ret_pos,
	bool *ret_gone)
{
	uint32_t bm;
	if (q->origin != CUSTOM)
		return gx_ems__origin(c, tb, t, q->origin, ret_pos);
	gx_ec ec = gx_ems__bookmark(c, q->bookmark, &bm);
	return gx_ec_failed(ec) ? ec : gx_table_bookmark_pos(tb->tb, t, bm, ret_pos, ret_gone);
}

static gx_ec find(struct gx_rop_call *c, struct gx_ems_table *tb, struct gx_txn *t, const struct gx_rop_find_row_req *q,
	struct gx_rop_find_row_res *r, const struct gx_columns *cols)
{
	static const struct gx_restr all = {.type = RES_NULL};
	const struct gx_restr *restr;
	struct gx_table_row *v;
	size_t n;
	uint32_t pos = 0;
	bool forward = !(q->find_row_flags & BACKWARD);
	gx_ec ec = begin(c, tb, t, q, &pos, &r->row_no_longer_visible);
	if (!gx_ec_failed(ec) && !forward && pos-- == 0)
		ec = GX_EC(ecNotFound);
	if (!gx_ec_failed(ec))
		ec = gx_ems__plain_restr(c, q->restriction_data != NULL ? q->restriction_data : &all, &restr);
	if (!gx_ec_failed(ec))
		ec = gx_table_find(tb->tb, t, pos, forward, restr, &pos);
	if (!gx_ec_failed(ec))
		ec = gx_table_query(tb->tb, t, pos, 1, cols->v, cols->count, c->a, &v, &n);
	if (gx_ec_failed(ec) || n == 0)
		return gx_ec_failed(ec) ? ec : GX_EC(ecNotFound);
	tb->pos = pos;
	gx_ems__send_ids(c->a, v->v, cols->count);
	r->has_row_data = true;
	r->row_data = (struct gx_proprow){v->v, cols->count};
	return ec;
}

gx_ec gx_rop__find_row(struct gx_rop_call *c, const struct gx_rop_find_row_req *q, struct gx_rop_find_row_res *r)
{
	struct gx_txn *t;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	struct gx_columns *cols = gx_arena_new_obj(c->a, struct gx_columns);
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	if (tb->cols == NULL)
		return GX_EC(ecNullObject);
	if (cols == NULL)
		return GX_EC(ecMAPIOOM);
	*cols = (struct gx_columns){tb->cols, tb->col_count};
	c->x->custom = cols;
	gx_ec ec = gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, find(c, tb, t, q, r, cols));
}
