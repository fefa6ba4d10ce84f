/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetHierarchyTable, [MS-OXCFOLD] 2.2.1.13 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { DEPTH = 0x04, DEFERRED_ERRORS = 0x08, NO_NOTIFICATIONS = 0x10, SOFT_DELETES = 0x20, USE_UNICODE = 0x40, SUPPRESSES = 0x80 };

gx_ec gx_rop__get_hierarchy_table(struct gx_rop_call *c, const struct gx_rop_get_hierarchy_table_req *q,
	struct gx_rop_get_hierarchy_table_res *r)
{
	if (q->table_flags & ~(DEPTH | DEFERRED_ERRORS | NO_NOTIFICATIONS | SOFT_DELETES | USE_UNICODE | SUPPRESSES))
		return GX_EC(ecInvalidParam);
	uint32_t flags = (q->table_flags & DEPTH ? GX_TABLE_DEPTH : 0U) | (q->table_flags & SOFT_DELETES ? GX_TABLE_DELETED : 0U);
	return gx_ems__give_table(c, GX_EMS_HIERARCHY, flags, !(q->table_flags & NO_NOTIFICATIONS), q->table_flags & SUPPRESSES, &r->row_count);
}
