/* SPDX-License-Identifier: Apache-2.0 */
/* RopQueryPosition, RopGetStatus, RopAbort and RopQueryColumnsAll, [MS-OXCTABL] 2.2.2.6 to 2.2.2.8 and 2.2.2.13 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { TBLSTAT_COMPLETE = 0 };

gx_ec gx_rop__query_position(struct gx_rop_call *c, const void *q, struct gx_rop_query_position_res *r)
{
	struct gx_txn *t;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	(void)q;
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_table_count(tb->tb, t, &r->denominator));
	r->numerator = tb->pos < r->denominator ? tb->pos : r->denominator;
	return ec;
}

gx_ec gx_rop__get_status(struct gx_rop_call *c, const void *q, struct gx_rop_get_status_res *r)
{
	(void)q;
	if (gx_ems__table(c->in) == NULL)
		return GX_EC(ecNotSupported);
	r->table_status = TBLSTAT_COMPLETE;
	return EMS_OK;
}

/*
 * Columns, orders and restrictions are set before the operation is answered, TBL_ASYNC or not ([MS-OXCTABL] 3.2.5.1), so nothing goes on
 * that could be ended (3.2.5.6).
 */
gx_ec gx_rop__abort(struct gx_rop_call *c, const void *q, struct gx_rop_abort_res *r)
{
	const struct gx_ems_table *tb = gx_ems__table(c->in);
	(void)q;
	(void)r;
	return tb == NULL || (tb->what != GX_EMS_CONTENTS && tb->what != GX_EMS_HIERARCHY) ? GX_EC(ecNotSupported) : GX_EC(ecUnableToAbort);
}

gx_ec gx_rop__query_columns_all(struct gx_rop_call *c, const void *q, struct gx_rop_query_columns_all_res *r)
{
	struct gx_txn *t;
	gx_proptag_t *v = NULL;
	size_t n = 0;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	(void)q;
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_table_columns(tb->tb, t, c->a, &v, &n));
	r->property_tags = v;
	r->property_tags_count = (uint32_t)n;
	return ec;
}
