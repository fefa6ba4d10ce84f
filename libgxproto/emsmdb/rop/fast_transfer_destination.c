/* SPDX-License-Identifier: Apache-2.0 */
/* RopFastTransferDestinationConfigure, -PutBuffer and -PutBufferExtended, [MS-OXCFXICS] 2.2.3.1.2 and 3.2.5.8.2 */
#include <config.h>
#include "libgxproto/emsmdb/fasttransfer_dest.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { MOVE = 0x01, STEPS = 1 /* how many more buffers come only the client knows */ };

gx_ec gx_rop__fast_transfer_destination_configure(struct gx_rop_call *c, const struct gx_rop_fast_transfer_destination_configure_req *q,
	void *r)
{
	(void)r;
	if (q->copy_flags & ~MOVE)
		return gx_rop__fail(c, ecInvalidParam, "copy flags %#x", q->copy_flags);
	return gx_ems__give_dest(c, q->source_operation);
}

static gx_ec put(struct gx_rop_call *c, struct gx_bin data, uint16_t *ret_status, uint16_t *ret_used)
{
	struct gx_ems_dest *d = gx_ems__dest(c->in);
	if (d == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__dest_write(c, d, data);
	*ret_status = gx_ec_failed(ec) ? GX_FTX_STATUS_ERROR : GX_FTX_STATUS_PARTIAL;
	*ret_used = gx_ec_failed(ec) ? 0 : (uint16_t)data.len;
	return ec;
}

gx_ec gx_rop__fast_transfer_destination_put_buffer(struct gx_rop_call *c, const struct gx_rop_fast_transfer_destination_put_buffer_req *q,
	struct gx_rop_fast_transfer_destination_put_buffer_res *r)
{
	r->total_step_count = STEPS;
	return put(c, q->transfer_data, &r->transfer_status, &r->buffer_used_size);
}

gx_ec gx_rop__fast_transfer_destination_put_buffer_extended(struct gx_rop_call *c,
	const struct gx_rop_fast_transfer_destination_put_buffer_extended_req *q, struct gx_rop_fast_transfer_destination_put_buffer_extended_res *r)
{
	r->total_step_count = STEPS;
	return put(c, q->transfer_data, &r->transfer_status, &r->buffer_used_size);
}
