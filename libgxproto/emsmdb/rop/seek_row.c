/* SPDX-License-Identifier: Apache-2.0 */
/* RopSeekRow, RopSeekRowBookmark and RopSeekRowFractional, [MS-OXCTABL] 2.2.2.9 to 2.2.2.11 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__seek_row(struct gx_rop_call *c, const struct gx_rop_seek_row_req *q, struct gx_rop_seek_row_res *r)
{
	struct gx_txn *t;
	uint32_t from = 0;
	bool less;
	int32_t moved;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_ems__origin(c, tb, t, q->origin, &from);
	if (!gx_ec_failed(ec))
		ec = gx_ems__move(tb, t, from, q->row_count, &less, &moved);
	ec = gx_rop__end(c, t, ec);
	if (!gx_ec_failed(ec) && q->want_row_moved_count)
		*r = (struct gx_rop_seek_row_res){less, moved};
	return ec;
}

gx_ec gx_rop__seek_row_bookmark(struct gx_rop_call *c, const struct gx_rop_seek_row_bookmark_req *q, struct gx_rop_seek_row_bookmark_res *r)
{
	struct gx_txn *t;
	uint32_t bm, from = 0;
	bool less, gone = false;
	int32_t moved;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__bookmark(c, q->bookmark, &bm);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_table_bookmark_pos(tb->tb, t, bm, &from, &gone);
	if (!gx_ec_failed(ec))
		ec = gx_ems__move(tb, t, from, q->row_count, &less, &moved);
	ec = gx_rop__end(c, t, ec);
	if (gx_ec_failed(ec))
		return ec;
	r->row_no_longer_visible = gone;
	if (q->want_row_moved_count) {
		r->has_sought_less = less;
		r->rows_sought = moved;
	}
	return ec;
}

gx_ec gx_rop__seek_row_fractional(struct gx_rop_call *c, const struct gx_rop_seek_row_fractional_req *q, void *r)
{
	struct gx_txn *t;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	(void)r;
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_table_seek_fraction(tb->tb, t, q->numerator, q->denominator, &tb->pos));
}
