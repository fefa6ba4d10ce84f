/* SPDX-License-Identifier: Apache-2.0 */
/* RopReadStream, [MS-OXCPRPT] 2.2.15 and 3.2.5.12. What does not fit into this answer goes into further ones (chain.c). */
#include <config.h>
#include "libgxproto/emsmdb/stream.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { LENGTH_ELSEWHERE = 0xbabe, SIZE_FIELD = 2 };

gx_ec gx_rop__read_stream(struct gx_rop_call *c, const struct gx_rop_read_stream_req *q, struct gx_rop_read_stream_res *r)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	uint32_t n = q->byte_count == LENGTH_ELSEWHERE ? q->maximum_byte_count : q->byte_count;
	if (s == NULL)
		return GX_EC(ecNotSupported);
	if (n > EMS_OBJECT_MOST)
		return gx_rop__fail(c, ecRpcFormat, "%u bytes at once", (unsigned)n);
	size_t most = c->room < UINT16_MAX + SIZE_FIELD ? c->room - SIZE_FIELD : UINT16_MAX;
	gx_ec ec = gx_bytes__read(c, s->b, s->pos, n < most ? n : most, &out);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_push_finish(&out, c->a, &r->data));
	gx_push_release(&out);
	if (!gx_ec_failed(ec))
		s->pos += r->data.len;
	return ec;
}
