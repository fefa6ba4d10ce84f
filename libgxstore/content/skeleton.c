/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The skeleton's bytes: version, size of the original, the content objects (hash, size), the
 * segments in order, and the run of all literals, packed.
 */
#include <config.h>
#include <assert.h>
#include "libgxstore/content/cio-int.h"

enum { SKELETON_VERSION = 1, MIN_CONTENT = GX_HASH_LEN + 1, MIN_SEGMENT = 2 };

static int pull_contents(struct gx_pull *c, struct gx_arena *a, struct gx_skel *s)
{
	if (gx_pull_u8(c) != SKELETON_VERSION)
		gx_pull_fail(c, GX_E_FORMAT);
	s->size = gx_pull_varint(c);
	if (s->size > GX_CONTENT_SIZE_MAX)
		gx_pull_fail(c, GX_E_FORMAT);
	uint64_t count = gx_pull_varint(c);
	s->content_count = gx_pull_count(c, count, MIN_CONTENT);
	if (s->content_count > UINT32_MAX)
		gx_pull_fail(c, GX_E_LIMIT);
	if (c->err != 0)
		return c->err;
	s->contents = gx_arena_new_array(a, struct gx_skel_content, s->content_count);
	if (s->contents == NULL)
		return gx_pull_fail(c, GX_E_NOMEM);
	for (size_t i = 0; i < s->content_count; ++i) {
		s->contents[i].hash = gx_pull_bytes(c, GX_HASH_LEN);
		s->contents[i].size = gx_pull_varint(c);
		if (s->contents[i].size > GX_CONTENT_SIZE_MAX)
			gx_pull_fail(c, GX_E_FORMAT);
	}
	return c->err;
}

/* One segment; its length follows from the content and the shape, or stands there for literals. */
static void pull_segment(struct gx_pull *c, const struct gx_skel *s, struct gx_skel_seg *g)
{
	g->kind = gx_pull_u8(c);
	if (g->kind == GX_SEG_LITERAL) {
		g->len = gx_pull_varint(c);
		return;
	}
	uint64_t i = gx_pull_varint(c);
	if (g->kind > GX_SEG_BASE64 || i >= s->content_count) {
		gx_pull_fail(c, GX_E_FORMAT);
		return;
	}
	g->content = (uint32_t)i;
	g->len = s->contents[i].size;
	if (g->kind == GX_SEG_IDENTITY)
		return;
	uint64_t width = gx_pull_varint(c);
	g->shape = (struct gx_b64_shape){.width = (uint32_t)width, .eol = gx_pull_u8(c), .tail = gx_pull_u8(c)};
	if (width > UINT32_MAX || g->shape.eol < 1 || g->shape.eol > 2 || g->len == 0)
		gx_pull_fail(c, GX_E_FORMAT);
	else
		g->len = gx_b64_shape_len(&g->shape, g->len);
}

int gx_skel__contents(struct gx_arena *a, struct gx_bin skeleton, struct gx_skel *ret_s)
{
	struct gx_pull c;
	gx_pull_init(&c, skeleton.data, skeleton.len);
	*ret_s = (struct gx_skel){0};
	return pull_contents(&c, a, ret_s);
}

int gx_skel__parse(struct gx_arena *a, struct gx_bin skeleton, struct gx_skel *ret_s)
{
	struct gx_skel s = {0};
	struct gx_pull c;
	gx_pull_init(&c, skeleton.data, skeleton.len);
	int err = pull_contents(&c, a, &s);
	if (err != 0)
		return err;
	uint64_t count = gx_pull_varint(&c), off = 0;
	s.seg_count = gx_pull_count(&c, count, MIN_SEGMENT);
	s.segs = c.err == 0 ? gx_arena_new_array(a, struct gx_skel_seg, s.seg_count) : NULL;
	if (s.segs == NULL)
		return c.err != 0 ? c.err : GX_E_NOMEM;
	for (size_t i = 0; i < s.seg_count && c.err == 0; ++i) {
		struct gx_skel_seg *g = &s.segs[i];
		pull_segment(&c, &s, g);
		g->off = off;
		if (g->len == 0 || g->len > s.size - off) {
			gx_pull_fail(&c, GX_E_FORMAT);
			break;
		}
		off += g->len;
		if (g->kind == GX_SEG_LITERAL) {
			g->lit_off = s.lit_len;
			s.lit_len += g->len;
		}
	}
	if (c.err == 0 && off != s.size)
		gx_pull_fail(&c, GX_E_FORMAT);
	s.lit_comp = gx_pull_u8(&c);
	s.lit.len = c.left;
	s.lit.data = gx_pull_bytes(&c, c.left);
	if (c.err == 0 && (s.lit_comp == GX_PACK_RAW ? s.lit.len != s.lit_len : s.lit.len / 4 < gx_pack__blocks(s.lit_len)))
		gx_pull_fail(&c, GX_E_FORMAT);
	*ret_s = s;
	return c.err;
}

int gx_skel__write(struct gx_arena *a, const struct gx_skel *s, struct gx_bin *ret_skeleton)
{
	struct gx_push out;
	gx_push_init(&out, 0);
	gx_push_u8(&out, SKELETON_VERSION);
	gx_push_varint(&out, s->size);
	gx_push_varint(&out, s->content_count);
	for (size_t i = 0; i < s->content_count; ++i) {
		gx_push_bytes(&out, s->contents[i].hash, GX_HASH_LEN);
		gx_push_varint(&out, s->contents[i].size);
	}
	gx_push_varint(&out, s->seg_count);
	for (size_t i = 0; i < s->seg_count; ++i) {
		const struct gx_skel_seg *g = &s->segs[i];
		gx_push_u8(&out, g->kind);
		gx_push_varint(&out, g->kind == GX_SEG_LITERAL ? g->len : g->content);
		if (g->kind == GX_SEG_BASE64) {
			gx_push_varint(&out, g->shape.width);
			gx_push_u8(&out, g->shape.eol);
			gx_push_u8(&out, g->shape.tail);
		}
	}
	gx_push_u8(&out, s->lit_comp);
	gx_push_bytes(&out, s->lit.data, s->lit.len);
	int err = gx_push_finish(&out, a, ret_skeleton);
	gx_push_release(&out);
	return err;
}

size_t gx_skel__find(const struct gx_skel *s, uint64_t off)
{
	size_t lo = 0, hi = s->seg_count;
	assert(off < s->size);
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->segs[mid].off <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}
