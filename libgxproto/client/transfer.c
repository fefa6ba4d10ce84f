/* SPDX-License-Identifier: Apache-2.0 */
/* Streams from the server and to it, buffer by buffer. [MS-OXCFXICS] 3.3.4.2 */
#include <config.h>
#include <string.h>
#include "libgxproto/client/sync.h"

enum { SIZE_ELSEWHERE = 0xbabe, BUFFER = 0x7b00, PUT_MAX = 0x7000, UNICODE_AND_FORCE = GX_FTX_SEND_UNICODE | GX_FTX_SEND_FORCE_UNICODE };

/* ---- Down ---- */

struct getting {
	struct gx_mapi_obj *o;
	mc_stream_cb take;
	void *ctx;
	bool done;
};

static gx_ec take_one(struct getting *g, const struct gx_rop_fast_transfer_source_get_buffer_res *r)
{
	if (g->done && r->transfer_buffer.len > 0)
		return gx_mapi__fail(g->o->c, GX_EC(ecCorruptData), "the stream goes on behind its end");
	if (r->transfer_status == GX_FTX_STATUS_ERROR)
		return gx_mapi__fail(g->o->c, GX_EC(ecError), "the server has broken off the stream");
	g->done = r->transfer_status == GX_FTX_STATUS_DONE;
	return g->take(r->transfer_buffer.data, r->transfer_buffer.len, r->in_progress_count, r->total_step_count, g->ctx);
}

/* 0x480: the server is busy, and says for how long. */
static gx_ec busy(struct gx_mapi *c, const struct mc_rop *q)
{
	const struct gx_rop_fast_transfer_source_get_buffer_fail_480 *f = q->r.body;
	return gx_mapi__sleep(c, f == NULL || f->backoff_time == 0 ? 1000 : f->backoff_time);
}

static gx_ec get_some(struct getting *g)
{
	static const struct gx_rop_fast_transfer_source_get_buffer_req q = {SIZE_ELSEWHERE, BUFFER};
	struct gx_mapi *c = g->o->c;
	void *r;
	gx_mapi__enter(c);
	struct mc_batch *b = gx_mapi__begin(c, c->scratch);
	unsigned i = gx_mapi__add(b, g->o->store, RopFastTransferSourceGetBuffer, gx_mapi__slot(b, g->o->handle), 0, &q, NULL);
	b->chain = true;
	gx_ec ec = gx_mapi__run(b);
	if (!gx_ec_failed(ec) && b->rops[i].r.return_value == ecServerBusy)
		return busy(c, &b->rops[i]);
	if (!gx_ec_failed(ec))
		ec = gx_mapi__answer(b, i, &r);
	if (!gx_ec_failed(ec))
		ec = take_one(g, r);
	for (size_t k = 0; k < b->more_n && !gx_ec_failed(ec); ++k)
		ec = take_one(g, b->more[k]);
	return ec;
}

gx_ec gx_mapi__get_stream(struct gx_mapi_obj *o, mc_stream_cb take, void *ctx)
{
	struct getting g = {o, take, ctx, false};
	gx_ec ec = MC_OK;
	while (!g.done && !gx_ec_failed(ec))
		ec = get_some(&g);
	return ec;
}

/* ---- Copies of objects ---- */

struct copying {
	gx_ec (*take)(const void *data, size_t n, void *ctx);
	void *ctx;
};

static gx_ec pass_on(const void *data, size_t n, uint32_t done, uint32_t total, void *ctx)
{
	const struct copying *y = ctx;
	(void)done;
	(void)total;
	return n == 0 ? MC_OK : y->take(data, n, y->ctx);
}

static gx_ec copy_out(struct gx_mapi_obj *o, uint8_t rop, const void *q, gx_ec (*take)(const void *data, size_t n, void *ctx), void *ctx)
{
	struct copying y = {take, ctx};
	struct gx_mapi_obj *source;
	gx_ec ec = gx_mapi__make(o, rop, q, MC_SYNC, o->c->scratch, &source, NULL);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi__get_stream(source, pass_on, &y);
	gx_mapi_close(source);
	return ec;
}

gx_ec gx_mapi_copy_out(struct gx_mapi_obj *o, gx_ec (*take)(const void *data, size_t n, void *ctx), void *ctx)
{
	const struct gx_rop_fast_transfer_source_copy_to_req q = {.send_options = UNICODE_AND_FORCE};
	if (!gx_mapi__is(o, 1U << MC_FOLDER | 1U << MC_MESSAGE | 1U << MC_ATTACHMENT))
		return o->c->error.ec;
	return copy_out(o, RopFastTransferSourceCopyTo, &q, take, ctx);
}

gx_ec gx_mapi_copy_messages_out(struct gx_mapi_obj *folder, const uint64_t *mids, size_t n,
	gx_ec (*take)(const void *data, size_t n, void *ctx), void *ctx)
{
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	if (n > 4000)
		return gx_mapi__fail(folder->c, GX_EC(ecInvalidParam), "at most 4000 messages at once");
	const struct gx_rop_fast_transfer_source_copy_messages_req q = {mids, (uint32_t)n, 0, UNICODE_AND_FORCE};
	return copy_out(folder, RopFastTransferSourceCopyMessages, &q, take, ctx);
}

/* ---- Up ---- */

gx_ec gx_mapi__put_stream(struct gx_mapi_obj *dest, const void *data, size_t n)
{
	const uint8_t *p = data;
	while (n > 0) {
		const struct gx_rop_fast_transfer_destination_put_buffer_req q = {{p, n < PUT_MAX ? n : PUT_MAX}};
		struct gx_rop_fast_transfer_destination_put_buffer_res *r;
		gx_mapi__enter(dest->c);
		gx_ec ec = gx_mapi__do(dest, RopFastTransferDestinationPutBuffer, &q, dest->c->scratch, NULL, (void **)&r);
		if (gx_ec_failed(ec))
			return ec;
		if (r->buffer_used_size == 0 || r->buffer_used_size > q.transfer_data.len)
			return gx_mapi__fail(dest->c, GX_EC(ecCorruptData), "the server has taken %u of %zu bytes", r->buffer_used_size,
				q.transfer_data.len);
		p += r->buffer_used_size;
		n -= r->buffer_used_size;
	}
	return MC_OK;
}

gx_ec gx_mapi__open_dest(struct gx_mapi_obj *o, unsigned source_operation, struct gx_mapi_obj **ret_dest)
{
	const struct gx_rop_fast_transfer_destination_configure_req q = {(uint8_t)source_operation, 0};
	static const struct gx_rop_tell_version_req version = {{15, 0, 0}};
	if (!gx_mapi__is(o, 1U << MC_FOLDER | 1U << MC_MESSAGE | 1U << MC_ATTACHMENT))
		return o->c->error.ec;
	gx_ec ec = gx_mapi__make(o, RopFastTransferDestinationConfigure, &q, MC_SYNC, o->c->scratch, ret_dest, NULL);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi__do(*ret_dest, RopTellVersion, &version, o->c->scratch, NULL, NULL);
	if (gx_ec_failed(ec))
		gx_mapi_close(*ret_dest);
	return ec;
}

gx_ec gx_mapi_copy_in(struct gx_mapi_obj *o, unsigned source_operation,
	gx_ec (*give)(void *buf, size_t size, size_t *ret_n, void *ctx), void *ctx)
{
	uint8_t buf[PUT_MAX];
	size_t n = 1;
	struct gx_mapi_obj *dest;
	gx_ec ec = gx_mapi__open_dest(o, source_operation, &dest);
	if (gx_ec_failed(ec))
		return ec;
	while (!gx_ec_failed(ec) && n > 0) {
		ec = give(buf, sizeof(buf), &n, ctx);
		if (!gx_ec_failed(ec))
			ec = gx_mapi__put_stream(dest, buf, n);
	}
	gx_mapi_close(dest);
	return ec;
}
