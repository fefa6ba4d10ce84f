/* SPDX-License-Identifier: Apache-2.0 */
/* RopIdFromLongTermId, [MS-OXCSTOR] 2.2.1.9 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__id_from_long_term_id(struct gx_rop_call *c, const struct gx_rop_id_from_long_term_id_req *q,
	struct gx_rop_id_from_long_term_id_res *r)
{
	if (gx_guid_cmp(&q->long_term_id.database_guid, gx_store_replica(c->logon->store)) != 0 || q->long_term_id.global_counter == 0)
		return gx_rop__fail(c, ecNotFound, "it is no id of this store");
	r->object_id = gx_eid_wire(q->long_term_id.global_counter);
	return EMS_OK;
}
