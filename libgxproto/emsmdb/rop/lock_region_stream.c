/* SPDX-License-Identifier: Apache-2.0 */
/* RopLockRegionStream and RopUnlockRegionStream, [MS-OXCPRPT] 2.2.24, 2.2.25, 3.2.5.21 and 3.2.5.22 */
#include <config.h>
#include "libgxproto/emsmdb/stream.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__lock_region_stream(struct gx_rop_call *c, const struct gx_rop_lock_region_stream_req *q, void *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	(void)r;
	return s == NULL ? GX_EC(ecNotSupported) : gx_lock__add(c, s->b, q->region_offset, q->region_size, q->lock_flags);
}

gx_ec gx_rop__unlock_region_stream(struct gx_rop_call *c, const struct gx_rop_unlock_region_stream_req *q, void *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	(void)r;
	if (s == NULL)
		return GX_EC(ecNotSupported);
	gx_lock__remove(c, s->b, q->region_offset, q->region_size, q->lock_flags);
	return EMS_OK;
}
