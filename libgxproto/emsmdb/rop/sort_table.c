/* SPDX-License-Identifier: Apache-2.0 */
/* RopSortTable, [MS-OXCTABL] 2.2.2.3 and 3.2.5.3 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { TBL_ASYNC = 1, TBLSTAT_COMPLETE = 0 };

gx_ec gx_rop__sort_table(struct gx_rop_call *c, const struct gx_rop_sort_table_req *q, struct gx_rop_sort_table_res *r)
{
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (tb == NULL || tb->what != GX_EMS_CONTENTS)
		return GX_EC(ecNotSupported);
	if (q->sort_table_flags & ~TBL_ASYNC)
		return gx_rop__fail(c, ecInvalidParam, "flags 0x%02x", q->sort_table_flags);
	r->table_status = TBLSTAT_COMPLETE;
	if (gx_sortset_check(&q->sort_orders) != 0)
		return gx_rop__fail(c, ecInvalidParam, "an order that cannot be");
	return gx_ems__reopen_table(c, tb, tb->restr, q->sort_orders.count == 0 ? NULL : &q->sort_orders);
}
