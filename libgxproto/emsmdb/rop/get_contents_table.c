/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetContentsTable, [MS-OXCFOLD] 2.2.1.14 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { ASSOCIATED = 0x02, DEFERRED_ERRORS = 0x08, NO_NOTIFICATIONS = 0x10, SOFT_DELETES = 0x20, USE_UNICODE = 0x40, CONVERSATION = 0x80 };

gx_ec gx_rop__get_contents_table(struct gx_rop_call *c, const struct gx_rop_get_contents_table_req *q,
	struct gx_rop_get_contents_table_res *r)
{
	if (q->table_flags & ~(ASSOCIATED | DEFERRED_ERRORS | NO_NOTIFICATIONS | SOFT_DELETES | USE_UNICODE | CONVERSATION))
		return GX_EC(ecInvalidParam);
	uint32_t flags = (q->table_flags & ASSOCIATED ? GX_TABLE_ASSOCIATED : 0U) | (q->table_flags & SOFT_DELETES ? GX_TABLE_DELETED : 0U) |
		(q->table_flags & CONVERSATION ? GX_TABLE_CONVERSATIONS : 0U);
	return gx_ems__give_table(c, GX_EMS_CONTENTS, flags, !(q->table_flags & NO_NOTIFICATIONS), false, &r->row_count);
}
