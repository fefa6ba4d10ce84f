/* SPDX-License-Identifier: Apache-2.0 */
/* RopCopyToStream, [MS-OXCPRPT] 2.2.22 and 3.2.5.19 */
#include <config.h>
#include "libgxproto/emsmdb/stream.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { CHUNK = 256 * 1024 };

gx_ec gx_rop__copy_to_stream(struct gx_rop_call *c, const struct gx_rop_copy_to_stream_req *q, struct gx_rop_copy_to_stream_res *r)
{
	struct gx_push some = GX_PUSH_INIT;
	struct gx_ems_stream *from = gx_ems__stream(c->in), *to = gx_ems__stream(c->dst);
	if (from == NULL || to == NULL)
		return GX_EC(ecNotSupported);
	/* bound once: a stream may be copied into itself */
	uint64_t size = gx_bytes__size(from->b), left = from->pos < size ? size - from->pos : 0;
	gx_ec ec = EMS_OK;
	for (left = left < q->byte_count ? left : q->byte_count; left > 0 && !gx_ec_failed(ec); left -= some.len) {
		gx_push_clear(&some);
		ec = gx_bytes__read(c, from->b, from->pos, left < CHUNK ? left : CHUNK, &some);
		if (gx_ec_failed(ec) || some.len == 0)
			break;
		from->pos += some.len;
		r->read_byte_count += some.len;
		ec = gx_bytes__write(c, to->b, to->pos, (struct gx_bin){some.data, some.len});
		if (!gx_ec_failed(ec)) {
			to->pos += some.len;
			r->written_byte_count += some.len;
		}
	}
	gx_push_release(&some);
	return ec;
}
