/* SPDX-License-Identifier: Apache-2.0 */
/* RopFastTransferSourceGetBuffer, [MS-OXCFXICS] 2.2.3.1.1.5 and 3.2.5.8.1.5 */
#include <config.h>
#include "libgxproto/emsmdb/fasttransfer.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { SERVER_DECIDES = 0xbabe, AROUND = 9 /* what stands in front of the bytes */ };

/* Steps as 16 bits, in the same proportion. */
static void say_progress(const struct gx_ems_source *s, struct gx_rop_fast_transfer_source_get_buffer_res *r)
{
	uint64_t total = s->total == 0 ? 1 : s->total, done = gx_ftx_out_done(s->out) ? total : s->done;
	if (total > UINT16_MAX) {
		done = done * UINT16_MAX / total;
		total = UINT16_MAX;
	}
	r->in_progress_count = (uint16_t)done;
	r->total_step_count = (uint16_t)total;
}

gx_ec gx_rop__fast_transfer_source_get_buffer(struct gx_rop_call *c, const struct gx_rop_fast_transfer_source_get_buffer_req *q,
	struct gx_rop_fast_transfer_source_get_buffer_res *r)
{
	struct gx_ems_source *s = gx_ems__source(c->in);
	size_t most = q->buffer_size == SERVER_DECIDES ? q->maximum_buffer_size : q->buffer_size, n = 0;
	size_t room = c->room > AROUND ? c->room - AROUND : 0;
	if (s == NULL)
		return GX_EC(ecNotSupported);
	most = most < room ? most : room;
	uint8_t *buf = gx_arena_alloc(c->a, most);
	if (buf == NULL)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = gx_ems__source_read(c, s, buf, most, &n);
	if (gx_ec_failed(ec)) {
		r->transfer_status = GX_FTX_STATUS_ERROR;
		return ec;
	}
	say_progress(s, r);
	r->transfer_status = gx_ftx_out_done(s->out) ? GX_FTX_STATUS_DONE : GX_FTX_STATUS_PARTIAL;
	r->transfer_buffer = (struct gx_bin){buf, n};
	return EMS_OK;
}
