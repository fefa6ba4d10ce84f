/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationUploadStateStreamBegin, -Continue and -End, [MS-OXCFXICS] 2.2.3.2.2 and 3.2.5.9.2 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

/* A download that has begun goes by the state that it began with. */
static gx_ec find(struct gx_rop_call *c, struct gx_ems_state **ret_st)
{
	bool contents;
	struct gx_ems_sync *d = gx_ems__sync(c->in);
	*ret_st = gx_ems__state(c->in, &contents);
	if (*ret_st == NULL)
		return GX_EC(ecNotSupported);
	return d != NULL && d->src.out != NULL ? gx_rop__fail(c, ecNotSupported, "the download has begun") : EMS_OK;
}

gx_ec gx_rop__synchronization_upload_state_stream_begin(struct gx_rop_call *c,
	const struct gx_rop_synchronization_upload_state_stream_begin_req *q, void *r)
{
	struct gx_ems_state *st;
	(void)r;
	gx_ec ec = find(c, &st);
	return gx_ec_failed(ec) ? ec : gx_ems__state_begin(c, st, q->state_property, q->transfer_buffer_size);
}

gx_ec gx_rop__synchronization_upload_state_stream_continue(struct gx_rop_call *c,
	const struct gx_rop_synchronization_upload_state_stream_continue_req *q, void *r)
{
	struct gx_ems_state *st;
	(void)r;
	gx_ec ec = find(c, &st);
	return gx_ec_failed(ec) ? ec : gx_ems__state_continue(c, st, q->stream_data);
}

gx_ec gx_rop__synchronization_upload_state_stream_end(struct gx_rop_call *c,
	const void *q, void *r)
{
	struct gx_ems_state *st;
	(void)q;
	(void)r;
	gx_ec ec = find(c, &st);
	return gx_ec_failed(ec) ? ec : gx_ems__state_end(c, st);
}
