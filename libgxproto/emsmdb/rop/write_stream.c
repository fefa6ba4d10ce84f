/* SPDX-License-Identifier: Apache-2.0 */
/* RopWriteStream, RopWriteStreamExtended, RopWriteAndCommitStream and RopCommitStream, [MS-OXCPRPT] 2.2.16 to 2.2.18 and 2.2.26 */
#include <config.h>
#include "libgxproto/emsmdb/stream.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec put(struct gx_rop_call *c, struct gx_bin data)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	if (s == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_bytes__write(c, s->b, s->pos, data);
	if (!gx_ec_failed(ec))
		s->pos += data.len;
	return ec;
}

gx_ec gx_rop__write_stream(struct gx_rop_call *c, const struct gx_rop_write_stream_req *q, struct gx_rop_write_stream_res *r)
{
	gx_ec ec = put(c, q->data);
	r->written_size = gx_ec_failed(ec) ? 0 : (uint16_t)q->data.len;
	return ec;
}

gx_ec gx_rop__write_stream_extended(struct gx_rop_call *c, const struct gx_rop_write_stream_extended_req *q,
	struct gx_rop_write_stream_extended_res *r)
{
	gx_ec ec = put(c, q->data);
	r->written_size = gx_ec_failed(ec) ? 0 : (uint32_t)q->data.len;
	return ec;
}

/* Not for folders, [MS-OXCPRPT] 2.2.26. */
gx_ec gx_rop__write_and_commit_stream(struct gx_rop_call *c, const struct gx_rop_write_and_commit_stream_req *q,
	struct gx_rop_write_and_commit_stream_res *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	gx_ec ec = s == NULL || s->b->is == NULL ? GX_EC(ecNotSupported) : put(c, q->data);
	r->written_size = gx_ec_failed(ec) ? 0 : (uint16_t)q->data.len;
	return gx_ec_failed(ec) ? ec : gx_bytes__commit(s->b);
}

gx_ec gx_rop__commit_stream(struct gx_rop_call *c, const void *q, void *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	(void)q;
	(void)r;
	if (s == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_lock__check(c, s->b, 0, gx_bytes__size(s->b), false);
	return gx_ec_is(ec, ecNetworkError) ? ec : gx_bytes__commit(s->b);
}
