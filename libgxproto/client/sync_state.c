/* SPDX-License-Identifier: Apache-2.0 */
/* What a client has, as sets of ids; kept as the stream that the server itself gives it as. [MS-OXCFXICS] 2.2.1.1 */
#include <config.h>
#include "libgxproto/client/sync.h"

enum { PIECE = 0x6000 };

static const gx_proptag_t tags[MC_SETS] = {MetaTagIdsetGiven, MetaTagCnsetSeen, MetaTagCnsetSeenFAI, MetaTagCnsetRead};

void gx_mapi__state_init(struct mc_state *s)
{
	for (int i = 0; i < MC_SETS; ++i)
		s->set[i] = (struct gx_idset)GX_IDSET_INIT(GX_IDSET_REPLGUID);
}

void gx_mapi__state_release(struct mc_state *s)
{
	for (int i = 0; i < MC_SETS; ++i)
		gx_idset_release(&s->set[i]);
}

gx_proptag_t gx_mapi__state_tag(int which)
{
	return tags[which];
}

int gx_mapi__state_of_tag(gx_proptag_t tag)
{
	for (int i = 0; i < MC_SETS; ++i)
		if (tags[i] == tag)
			return i;
	return -1;
}

/* ---- From a stream ---- */

static int on_marker(gx_proptag_t marker, void *ctx)
{
	(void)ctx;
	return marker == (gx_proptag_t)IncrSyncStateBegin || marker == (gx_proptag_t)IncrSyncStateEnd ? 0 : GX_E_FORMAT;
}

static int on_prop(const struct gx_ftx_prop *p, void *ctx)
{
	struct mc_state *s = ctx;
	struct gx_pull c;
	int which = gx_mapi__state_of_tag(p->tag);
	if (which < 0)
		return GX_E_FORMAT;
	gx_pull_init(&c, p->v.bin.data, p->v.bin.len);
	return gx_idset_pull(&c, &s->set[which]);
}

int gx_mapi__state_parse(struct gx_bin blob, struct mc_state *io_s)
{
	static const struct gx_ftx_in_ops ops = {.marker = on_marker, .prop = on_prop};
	const struct gx_ftx_in_opts o = {.root = GX_FTX_STATE, .max_whole = INT32_MAX};
	if (blob.len == 0)
		return 0;
	struct gx_ftx_in *in = gx_ftx_in_new(&o, &ops, io_s);
	int err = in == NULL ? GX_E_NOMEM : gx_ftx_in_write(in, blob.data, blob.len, NULL);
	if (err == 0)
		err = gx_ftx_in_end(in);
	gx_ftx_in_free(in);
	return err;
}

/* ---- To one ---- */

static int put_set(struct gx_ftx_out *out, int which, const struct gx_idset *set)
{
	struct gx_push bytes = GX_PUSH_INIT;
	gx_idset_push(&bytes, set);
	int err = bytes.err != 0 ? bytes.err : gx_ftx_out_bin(out, tags[which], bytes.data, bytes.len);
	gx_push_release(&bytes);
	return err;
}

static int read_all(struct gx_ftx_out *out, struct gx_arena *a, struct gx_bin *ret_blob)
{
	struct gx_push all = GX_PUSH_INIT;
	int err = 0;
	while (err == 0 && !gx_ftx_out_done(out)) {
		size_t n = 0;
		uint8_t *p = gx_push_reserve(&all, PIECE);
		err = p == NULL ? GX_E_NOMEM : gx_ftx_out_read(out, p, PIECE, &n);
		gx_push_added(&all, n);
	}
	if (err == 0)
		err = gx_push_finish(&all, a, ret_blob);
	gx_push_release(&all);
	return err;
}

int gx_mapi__state_make(const struct mc_state *s, bool contents, struct gx_arena *a, struct gx_bin *ret_blob)
{
	const struct gx_ftx_out_opts o = {.root = GX_FTX_STATE};
	struct gx_ftx_out *out = gx_ftx_out_new(&o);
	int err = out == NULL ? GX_E_NOMEM : gx_ftx_out_marker(out, IncrSyncStateBegin);
	for (int i = 0; err == 0 && i < (contents ? MC_SETS : MC_SEEN + 1); ++i)
		err = put_set(out, i, &s->set[i]);
	if (err == 0)
		err = gx_ftx_out_marker(out, IncrSyncStateEnd);
	if (err == 0)
		err = gx_ftx_out_end(out);
	if (err == 0)
		err = read_all(out, a, ret_blob);
	gx_ftx_out_free(out);
	return err;
}

/* ---- To the server ---- */

static gx_ec send_set(struct gx_mapi_obj *o, int which, struct gx_bin bytes)
{
	const struct gx_rop_synchronization_upload_state_stream_begin_req begin = {tags[which], (uint32_t)bytes.len};
	struct gx_mapi *c = o->c;
	gx_ec ec = gx_mapi__do(o, RopSynchronizationUploadStateStreamBegin, &begin, c->scratch, NULL, NULL);
	for (size_t at = 0; at < bytes.len && !gx_ec_failed(ec); at += PIECE) {
		const struct gx_rop_synchronization_upload_state_stream_continue_req q = {{bytes.data + at, bytes.len - at < PIECE ? bytes.len - at : PIECE}};
		ec = gx_mapi__do(o, RopSynchronizationUploadStateStreamContinue, &q, c->scratch, NULL, NULL);
	}
	return gx_ec_failed(ec) ? ec : gx_mapi__do(o, RopSynchronizationUploadStateStreamEnd, NULL, c->scratch, NULL, NULL);
}

gx_ec gx_mapi__state_send(struct gx_mapi_obj *o, const struct mc_state *s, bool contents)
{
	gx_ec ec = MC_OK;
	for (int i = 0; i < (contents ? MC_SETS : MC_SEEN + 1) && !gx_ec_failed(ec); ++i) {
		struct gx_push bytes = GX_PUSH_INIT;
		gx_idset_push(&bytes, &s->set[i]);
		ec = bytes.err != 0 ? gx_mapi__nomem(o->c) : send_set(o, i, (struct gx_bin){bytes.data, bytes.len});
		gx_push_release(&bytes);
	}
	return ec;
}
