/* SPDX-License-Identifier: Apache-2.0 */
/* RopLongTermIdFromId, [MS-OXCSTOR] 2.2.1.8 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__long_term_id_from_id(struct gx_rop_call *c, const struct gx_rop_long_term_id_from_id_req *q,
	struct gx_rop_long_term_id_from_id_res *r)
{
	uint64_t counter;
	gx_ec ec = gx_ems__plain(c, q->object_id, &counter);
	if (gx_ec_failed(ec))
		return ec;
	r->long_term_id = (struct gx_long_term_id){*gx_store_replica(c->logon->store), counter};
	return EMS_OK;
}
