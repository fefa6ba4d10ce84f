/* SPDX-License-Identifier: Apache-2.0 */
/* Internet messages rebuilt from their skeletons, whole or in ranges. */
#include <config.h>
#include "libgxstore/content/cio-int.h"

/* Content bytes encoded at a time: bounds the memory of a read, whatever the size of the message. */
enum { WINDOW = 192 * 1024 };
/* Sizes in a skeleton are believed so far; beyond it memory is taken as contents prove to be there. */
#define TRUSTED_SIZE ((uint64_t)16 << 20)

struct reader {
	struct gx_cio *cio;
	struct gx_sql *q;
	struct gx_skel s;
	bool unpacked;
};

/* @err: how it was found out. */
static int damaged(struct gx_cio *cio, int err)
{
	if (err == GX_E_NOMEM)
		return gx_cio__fail(cio, err, "out of memory");
	return gx_cio__fail(cio, GX_E_FORMAT, "%s: a message skeleton is damaged", cio->dir);
}

static int read_literal(struct reader *r, const struct gx_skel_seg *g, uint64_t from, size_t n, struct gx_push *out)
{
	struct gx_cio *cio = r->cio;
	if (!r->unpacked) {
		gx_push_clear(&cio->literals);
		int err = gx_pack__unpack(cio->dctx, r->s.lit_comp, r->s.lit, r->s.lit_len, &cio->literals);
		if (err != 0)
			return damaged(cio, err);
		r->unpacked = true;
	}
	gx_push_bytes(out, cio->literals.data + g->lit_off + from, n);
	return out->err;
}

/* Characters [from, from+n) of base64 text, encoded window by window. */
static int encode(struct gx_content_ref *c, const struct gx_b64_shape *shape, uint64_t from, size_t n, uint8_t *out)
{
	/* A window begins where a line begins and a group of four characters too, and ends at the content's end or
	 * at least a line behind what is asked for, so that its text is that of the whole. */
	uint64_t width = shape->width == 0 ? 4 : shape->width;
	uint64_t stride = shape->width == 0 ? 4 : (uint64_t)shape->width + shape->eol;
	uint64_t lines = width % 4 == 0 ? 1 : width % 2 == 0 ? 2 : 4;
	uint64_t unit_bytes = width * lines / 4 * 3, unit_text = stride * lines;
	while (n > 0) {
		uint64_t unit = from / unit_text;
		/* The line ends behind the last character belong to the last window. */
		if (unit > 0 && unit * unit_bytes >= c->size)
			unit = (c->size - 1) / unit_bytes;
		uint64_t start = unit * unit_bytes, skip = from - unit * unit_text;
		uint64_t units = WINDOW / unit_bytes + 1, left = c->size - start;
		bool last = left <= (units + 1) * unit_bytes;
		uint64_t len = last ? left : (units + 1) * unit_bytes;
		uint64_t text = last ? gx_b64_shape_len(shape, c->size) - unit * unit_text : units * unit_text;
		size_t take = n < text - skip ? n : (size_t)(text - skip);
		struct gx_b64_shape part = *shape;
		if (!last)
			part.tail = 0;
		const uint8_t *data;
		int err = gx_content__peek(c, start, (size_t)len, &data);
		if (err != 0)
			return err;
		gx_b64_shape_write(&part, data, len, skip, take, out);
		out += take;
		from += take;
		n -= take;
	}
	return 0;
}

static int read_content(struct reader *r, const struct gx_skel_seg *g, uint64_t from, size_t n, struct gx_push *out)
{
	struct gx_content_ref c;
	const struct gx_skel_content *want = &r->s.contents[g->content];
	int err = gx_content__open(r->cio, r->q, want->hash, &c);
	if (err != 0)
		return err;
	if (c.size != want->size)
		err = damaged(r->cio, GX_E_FORMAT);
	uint8_t *p = err == 0 ? gx_push_reserve(out, n) : NULL;
	if (err == 0 && p == NULL)
		err = out->err;
	else if (err == 0)
		err = g->kind == GX_SEG_IDENTITY ? gx_content__get(&c, from, n, p) : encode(&c, &g->shape, from, n, p);
	if (err == 0)
		gx_push_added(out, n);
	gx_content__close(&c);
	return err;
}

static int read_range(struct reader *r, uint64_t off, uint64_t n, struct gx_push *out)
{
	for (size_t i = gx_skel__find(&r->s, off); n > 0; ++i) {
		const struct gx_skel_seg *g = &r->s.segs[i];
		uint64_t from = off - g->off, take = n < g->len - from ? n : g->len - from;
		int err = take > SIZE_MAX ? gx_push_fail(out, GX_E_LIMIT)
			: g->kind == GX_SEG_LITERAL ? read_literal(r, g, from, (size_t)take, out)
			: read_content(r, g, from, (size_t)take, out);
		if (err != 0)
			return err;
		off += take;
		n -= take;
	}
	return 0;
}

int gx_original__size(struct gx_bin skeleton, uint64_t *ret_size)
{
	struct gx_pull c;
	gx_pull_init(&c, skeleton.data, skeleton.len);
	gx_pull_skip(&c, 1);
	uint64_t size = gx_pull_varint(&c);
	if (c.err == 0)
		*ret_size = size;
	return c.err;
}

int gx_original__read(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton, uint64_t off, uint64_t n, struct gx_push *out)
{
	struct reader r = {.cio = cio, .q = q};
	gx_arena_reset(cio->arena);
	int err = gx_skel__parse(cio->arena, skeleton, &r.s);
	if (err != 0)
		return damaged(cio, err);
	if (off >= r.s.size)
		return out->err;
	n = n < r.s.size - off ? n : r.s.size - off;
	/* Nearly every message: one run of literals, asked for as a whole, goes straight into the output. */
	if (r.s.seg_count == 1 && r.s.segs[0].kind == GX_SEG_LITERAL && n == r.s.size) {
		size_t before = out->len;
		err = gx_pack__unpack(cio->dctx, r.s.lit_comp, r.s.lit, r.s.lit_len, out);
		if (err == GX_E_FORMAT) {
			out->len = before;
			return damaged(cio, err);
		}
		return err;
	}
	size_t before = out->len;
	if (gx_push_reserve(out, (size_t)(n < TRUSTED_SIZE ? n : TRUSTED_SIZE)) == NULL)
		return out->err;
	err = read_range(&r, off, n, out);
	if (err != 0 && out->err == 0)
		out->len = before;
	return err;
}
