/* SPDX-License-Identifier: Apache-2.0 */
/* RopSetColumns, [MS-OXCTABL] 2.2.2.2 and 3.2.5.2 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { TBL_ASYNC = 1, TBLSTAT_COMPLETE = 0 };

static bool is_column(gx_proptag_t tag)
{
	uint16_t type = gx_column_type(tag);
	return type == PtypUnspecified || gx_ptype_known(type) || gx_ptype_known(type | GX_MV_FLAG);
}

gx_ec gx_rop__set_columns(struct gx_rop_call *c, const struct gx_rop_set_columns_req *q, struct gx_rop_set_columns_res *r)
{
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	if (q->property_tags_count == 0 || (q->set_columns_flags & ~TBL_ASYNC))
		return GX_EC(ecInvalidParam);
	for (uint32_t i = 0; i < q->property_tags_count; ++i)
		if (!is_column(q->property_tags[i]))
			return gx_rop__fail(c, ecInvalidParam, "0x%08x is no column", (unsigned)q->property_tags[i]);
	gx_proptag_t *v = malloc(q->property_tags_count * sizeof(*v));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	memcpy(v, q->property_tags, q->property_tags_count * sizeof(*v));
	free(tb->cols);
	tb->cols = v;
	tb->col_count = q->property_tags_count;
	r->table_status = TBLSTAT_COMPLETE;
	return EMS_OK;
}
