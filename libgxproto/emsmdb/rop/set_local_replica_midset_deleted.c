/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RopSetLocalReplicaMidsetDeleted, [MS-OXCFXICS] 2.2.3.2.4.8 and 3.2.5.9.4.8: ids that the client had set aside and will not use in
 * the folder. Ids that were set aside are never given to anybody else here, used or not, so there is nothing to keep.
 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__set_local_replica_midset_deleted(struct gx_rop_call *c, const struct gx_rop_set_local_replica_midset_deleted_req *q, void *r)
{
	const struct gx_guid *own = gx_store_replica(c->logon->store);
	(void)r;
	if (gx_ems__folder(c->in) == NULL)
		return GX_EC(ecNotSupported);
	for (uint32_t i = 0; i < q->long_term_id_ranges_count; ++i) {
		const struct gx_long_term_id_range *x = &q->long_term_id_ranges[i];
		if (gx_guid_cmp(&x->min_long_term_id.database_guid, own) != 0 || gx_guid_cmp(&x->max_long_term_id.database_guid, own) != 0)
			return gx_rop__fail(c, ecInvalidParam, "range %u is of another replica", (unsigned)i);
		if (x->min_long_term_id.global_counter > x->max_long_term_id.global_counter)
			return gx_rop__fail(c, ecInvalidParam, "range %u ends before it begins", (unsigned)i);
	}
	return EMS_OK;
}
