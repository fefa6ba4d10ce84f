/* SPDX-License-Identifier: Apache-2.0 */
/* RopCreateBookmark and RopFreeBookmark, [MS-OXCTABL] 2.2.2.12 and 2.2.2.15 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__create_bookmark(struct gx_rop_call *c, const void *q, struct gx_rop_create_bookmark_res *r)
{
	struct gx_txn *t;
	uint32_t bm = 0;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	(void)q;
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_table_bookmark(tb->tb, t, tb->pos, &bm));
	return gx_ec_failed(ec) ? ec : gx_ems__put_number(c, bm, &r->bookmark);
}

gx_ec gx_rop__free_bookmark(struct gx_rop_call *c, const struct gx_rop_free_bookmark_req *q, void *r)
{
	uint32_t bm;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	(void)r;
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__bookmark(c, q->bookmark, &bm);
	return gx_ec_failed(ec) ? ec : gx_table_bookmark_free(tb->tb, bm);
}
