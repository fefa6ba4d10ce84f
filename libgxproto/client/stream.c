/* SPDX-License-Identifier: Apache-2.0 */
/* Large values, in pieces. [MS-OXCPRPT] 3.1.4.3 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxproto/client/client-int.h"

enum {
	HAVE_STREAMS = 1U << MC_STORE | 1U << MC_FOLDER | 1U << MC_MESSAGE | 1U << MC_ATTACHMENT,
	PIECE = 0x7000, CHAINED = 0x30000, LENGTH_ELSEWHERE = 0xbabe,
};

gx_ec gx_mapi_open_stream(struct gx_mapi_obj *o, gx_proptag_t tag, unsigned mode,
	struct gx_mapi_obj **ret_stream, uint32_t *ret_size)
{
	const struct gx_rop_open_stream_req q = {tag, (uint8_t)mode};
	struct gx_rop_open_stream_res *r;
	if (!gx_mapi__is(o, HAVE_STREAMS))
		return o->c->error.ec;
	gx_ec ec = gx_mapi__make(o, RopOpenStream, &q, MC_STREAM, o->c->scratch, ret_stream, (void **)&r);
	if (!gx_ec_failed(ec) && ret_size != NULL)
		*ret_size = r->stream_size;
	return ec;
}

static gx_ec add_piece(struct gx_mapi *c, const struct gx_rop_read_stream_res *r, uint8_t *buf, size_t n, size_t *io_got)
{
	if (r->data.len > n - *io_got)
		return gx_mapi__fail(c, GX_EC(ecCorruptData), "RopReadStream: more came than was asked for");
	if (r->data.len > 0)
		memcpy(buf + *io_got, r->data.data, r->data.len);
	*io_got += r->data.len;
	return MC_OK;
}

/* One request, which may bring several answers. */
static gx_ec read_some(struct gx_mapi_obj *s, uint8_t *buf, size_t n, size_t *io_got)
{
	struct gx_rop_read_stream_res *r;
	size_t want = n - *io_got < CHAINED ? n - *io_got : CHAINED;
	const struct gx_rop_read_stream_req q = {.byte_count = want > PIECE ? LENGTH_ELSEWHERE : (uint16_t)want, .maximum_byte_count = (uint32_t)want};
	gx_arena_reset(s->c->scratch);
	struct mc_batch *b = gx_mapi__begin(s->c, s->c->scratch);
	unsigned i = gx_mapi__add(b, s->store, RopReadStream, gx_mapi__slot(b, s->handle), 0, &q, NULL);
	b->chain = want > PIECE;
	gx_ec ec = gx_mapi__run(b);
	if (!gx_ec_failed(ec))
		ec = gx_mapi__answer(b, i, (void **)&r);
	if (!gx_ec_failed(ec))
		ec = add_piece(s->c, r, buf, n, io_got);
	for (size_t k = 0; k < b->more_n && !gx_ec_failed(ec); ++k)
		ec = add_piece(s->c, b->more[k], buf, n, io_got);
	return ec;
}

gx_ec gx_mapi_stream_read(struct gx_mapi_obj *s, void *buf, size_t n, size_t *ret_n)
{
	size_t got = 0, before = SIZE_MAX;
	gx_ec ec = MC_OK;
	if (!gx_mapi__is(s, 1U << MC_STREAM))
		return s->c->error.ec;
	while (got < n && got != before && !gx_ec_failed(ec)) {
		before = got;
		ec = read_some(s, buf, n, &got);
	}
	if (!gx_ec_failed(ec))
		*ret_n = got;
	return ec;
}

gx_ec gx_mapi_stream_write(struct gx_mapi_obj *s, const void *data, size_t n)
{
	const uint8_t *p = data;
	if (!gx_mapi__is(s, 1U << MC_STREAM))
		return s->c->error.ec;
	while (n > 0) {
		const struct gx_rop_write_stream_req q = {{p, n < PIECE ? n : PIECE}};
		struct gx_rop_write_stream_res *r;
		gx_arena_reset(s->c->scratch);
		gx_ec ec = gx_mapi__do(s, RopWriteStream, &q, s->c->scratch, NULL, (void **)&r);
		if (gx_ec_failed(ec))
			return ec;
		if (r->written_size == 0 || r->written_size > q.data.len)
			return gx_mapi__fail(s->c, GX_EC(ecCorruptData), "RopWriteStream: %u of %zu bytes were written", r->written_size, q.data.len);
		p += r->written_size;
		n -= r->written_size;
	}
	return MC_OK;
}

gx_ec gx_mapi_stream_seek(struct gx_mapi_obj *s, unsigned origin, int64_t offset, uint64_t *ret_at)
{
	const struct gx_rop_seek_stream_req q = {(uint8_t)origin, offset};
	struct gx_rop_seek_stream_res *r;
	if (!gx_mapi__is(s, 1U << MC_STREAM))
		return s->c->error.ec;
	gx_ec ec = gx_mapi__do(s, RopSeekStream, &q, s->c->scratch, NULL, (void **)&r);
	if (!gx_ec_failed(ec) && ret_at != NULL)
		*ret_at = r->new_position;
	return ec;
}

gx_ec gx_mapi_stream_resize(struct gx_mapi_obj *s, uint64_t size)
{
	const struct gx_rop_set_stream_size_req q = {size};
	return gx_mapi__is(s, 1U << MC_STREAM) ? gx_mapi__do(s, RopSetStreamSize, &q, s->c->scratch, NULL, NULL) : s->c->error.ec;
}

gx_ec gx_mapi_stream_commit(struct gx_mapi_obj *s)
{
	return gx_mapi__is(s, 1U << MC_STREAM) ? gx_mapi__do(s, RopCommitStream, NULL, s->c->scratch, NULL, NULL) : s->c->error.ec;
}

/* ---- Whole values ---- */

static gx_ec value_of(struct gx_mapi *c, gx_proptag_t tag, uint8_t *data, size_t n, struct gx_arena *a,
	union gx_value *ret_v)
{
	char *text;
	int err = 0;
	switch (GX_PROP_TYPE(tag)) {
	case PtypString:
		err = gx_utf16le_to_utf8(a, data, n, &text);
		ret_v->str = text;
		break;
	case PtypString8:
		err = gx_cp_to_utf8(a, c->o.code_page, data, n, &text, NULL, NULL);
		ret_v->str = text;
		break;
	default:
		ret_v->bin = (struct gx_bin){data, n};
	}
	return err == 0 ? MC_OK : gx_mapi__nomem(c);
}

gx_ec gx_mapi_read_value(struct gx_mapi_obj *o, gx_proptag_t tag, size_t most, struct gx_arena *a,
	union gx_value *ret_v)
{
	struct gx_mapi_obj *s = NULL;
	uint32_t size = 0;
	size_t n = 0;
	gx_ec ec = gx_mapi_open_stream(o, tag, GX_MAPI_READ_ONLY, &s, &size);
	if (gx_ec_failed(ec))
		return ec;
	uint8_t *data = NULL;
	if (size > most)
		ec = gx_mapi__fail(o->c, GX_EC(ecTooBig), "the value has %u bytes", (unsigned)size);
	else if ((data = gx_arena_alloc(a, size)) == NULL)
		ec = gx_mapi__nomem(o->c);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_stream_read(s, data, size, &n);
	if (!gx_ec_failed(ec))
		ec = value_of(o->c, tag, data, n, a, ret_v);
	gx_mapi_close(s);
	return ec;
}

gx_ec gx_mapi__write_value(struct gx_mapi_obj *o, const struct gx_propval *v)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_mapi_obj *s = NULL;
	struct gx_bin data = v->v.bin;
	int err = a == NULL ? GX_E_NOMEM : GX_PROP_TYPE(v->tag) == PtypString ? gx_utf8_to_utf16le(a, v->v.str, false, &data) : 0;
	gx_ec ec = err != 0 ? gx_mapi__nomem(o->c) : gx_mapi_open_stream(o, v->tag, GX_MAPI_STREAM_CREATE, &s, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_stream_write(s, data.data, data.len);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_stream_commit(s);
	gx_mapi_close(s);
	gx_arena_free(a);
	return ec;
}
