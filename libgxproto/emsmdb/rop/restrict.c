/* SPDX-License-Identifier: Apache-2.0 */
/* RopRestrict, [MS-OXCTABL] 2.2.2.4 and 3.2.5.4 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { TBL_ASYNC = 1, TBLSTAT_COMPLETE = 0 };

gx_ec gx_rop__restrict(struct gx_rop_call *c, const struct gx_rop_restrict_req *q, struct gx_rop_restrict_res *r)
{
	const struct gx_restr *restr;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	if (q->restrict_flags & ~TBL_ASYNC)
		return gx_rop__fail(c, ecInvalidParam, "flags 0x%02x", q->restrict_flags);
	r->table_status = TBLSTAT_COMPLETE;
	gx_ec ec = gx_ems__plain_restr(c, q->restriction_data, &restr);
	return gx_ec_failed(ec) ? ec : gx_ems__reopen_table(c, tb, restr, tb->sort);
}
