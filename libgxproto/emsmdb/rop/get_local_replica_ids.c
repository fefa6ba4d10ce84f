/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetLocalReplicaIds, [MS-OXCFXICS] 2.2.3.2.4.7 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__get_local_replica_ids(struct gx_rop_call *c, const struct gx_rop_get_local_replica_ids_req *q,
	struct gx_rop_get_local_replica_ids_res *r)
{
	struct gx_txn *t;
	uint64_t first = 0;
	if (gx_ems__logon(c->in) == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__write(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_store_reserve_ids(t, q->id_count, &first));
	r->repl_guid = *gx_store_replica(c->logon->store);
	for (unsigned i = 0; i < sizeof(r->global_count); ++i)
		r->global_count[i] = (uint8_t)(first >> 8 * (sizeof(r->global_count) - 1 - i));
	return ec;
}
