/* SPDX-License-Identifier: Apache-2.0 */
/* RopSeekStream, RopSetStreamSize and RopGetStreamSize, [MS-OXCPRPT] 2.2.19 to 2.2.21 and 3.2.5.16 to 3.2.5.18 */
#include <config.h>
#include "libgxproto/emsmdb/stream.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__seek_stream(struct gx_rop_call *c, const struct gx_rop_seek_stream_req *q, struct gx_rop_seek_stream_res *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	if (s == NULL)
		return GX_EC(ecNotSupported);
	uint64_t size = gx_bytes__size(s->b), from = q->origin == GX_EMS_BEGINNING ? 0 : q->origin == GX_EMS_CURRENT ? s->pos : size;
	if (q->origin > GX_EMS_END)
		return gx_rop__fail(c, ecStorageInvalidParameter, "origin %u", q->origin);
	if (q->offset < -(int64_t)from || q->offset > (int64_t)(EMS_OBJECT_MOST - from))
		return gx_rop__fail(c, GX_EMS_STREAM_SEEK_ERROR, "%lld bytes from %llu", (long long)q->offset, (unsigned long long)from);
	uint64_t to = from + (uint64_t)q->offset;
	gx_ec ec = to > size && s->b->writable ? gx_bytes__set_size(c, s->b, to) : EMS_OK;
	if (!gx_ec_failed(ec))
		r->new_position = s->pos = to;
	return ec;
}

gx_ec gx_rop__set_stream_size(struct gx_rop_call *c, const struct gx_rop_set_stream_size_req *q, void *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	(void)r;
	if (s == NULL)
		return GX_EC(ecNotSupported);
	uint64_t most = gx_rop__object_max(c);
	if (q->stream_size > most)
		return gx_rop__fail(c, ecStreamSizeError, "a stream has at most %llu bytes", (unsigned long long)most);
	return gx_bytes__set_size(c, s->b, q->stream_size);
}

gx_ec gx_rop__get_stream_size(struct gx_rop_call *c, const void *q, struct gx_rop_get_stream_size_res *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	(void)q;
	if (s == NULL)
		return GX_EC(ecNotSupported);
	r->stream_size = (uint32_t)gx_bytes__size(s->b);
	return EMS_OK;
}
