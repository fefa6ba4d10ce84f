/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams handed out in buffers. What was put waits as segments: atoms, which no buffer may cut
 * ([MS-OXCFXICS] 2.2.4.1), bytes of values, which it may cut anywhere, and a value that a reader gives.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/ftx/out-int.h"

/* Of an element that is put as a whole; large values have readers. */
#define ELEMENT_MAX (256U << 20)

struct gx_ftx_out *gx_ftx_out_new(const struct gx_ftx_out_opts *o)
{
	struct gx_ftx_out *out = calloc(1, sizeof(*out));
	if (out == NULL)
		return NULL;
	out->o = *o;
	if (out->o.cp == 0)
		out->o.cp = GX_CP_8BIT;
	out->a = gx_arena_new(0);
	gx_push_init(&out->bytes, ELEMENT_MAX);
	int root = o->root == GX_FTX_ANY ? 0 : gx_ftx_grammar_init(&out->g, o->root, o->send_options, 0);
	if (out->a == NULL || root != 0) {
		gx_ftx_out_free(out);
		return NULL;
	}
	return out;
}

void gx_ftx_out_free(struct gx_ftx_out *out)
{
	if (out == NULL)
		return;
	if (out->large != NULL)
		gx_arena_free(out->large->a);
	free(out->large);
	free(out->segs);
	gx_push_release(&out->bytes);
	gx_strbuf_release(&out->text);
	gx_arena_free(out->a);
	free(out);
}

uint64_t gx_ftx_out_offset(const struct gx_ftx_out *out)
{
	return out->offset;
}

const char *gx_ftx_out_text(const struct gx_ftx_out *out)
{
	return gx_strbuf_cstr(&out->text);
}

static bool waiting(const struct gx_ftx_out *out)
{
	return out->head < out->nsegs;
}

bool gx_ftx_out_done(const struct gx_ftx_out *out)
{
	return out->ended && !waiting(out) && out->err == 0;
}

int gx_ftx__seg_add(struct gx_ftx_out *out, uint8_t kind, uint32_t len)
{
	if (out->nsegs == out->cap) {
		size_t cap = out->cap == 0 ? 64 : out->cap * 2;
		struct gx_ftx__seg *s = reallocarray(out->segs, cap, sizeof(*s));
		if (s == NULL)
			return gx_push_fail(&out->bytes, GX_E_NOMEM);
		out->segs = s;
		out->cap = cap;
	}
	if (len != 0)
		out->segs[out->nsegs++] = (struct gx_ftx__seg){len, kind};
	return 0;
}

int gx_ftx__admit(struct gx_ftx_out *out, gx_proptag_t tag)
{
	gx_strbuf_clear(&out->text);
	if (out->err != 0)
		return out->err;
	if (out->ended)
		return GX_E_STATE;
	if (out->o.root == GX_FTX_ANY)
		return 0;
	int err = gx_ftx_grammar_step(&out->g, tag);
	if (err != 0)
		gx_ftx__unexpected(&out->text, &out->g, tag);
	return err;
}

int gx_ftx_out_marker(struct gx_ftx_out *out, gx_proptag_t marker)
{
	if (!gx_ftx_is_marker(marker))
		return GX_E_INVAL;
	int err = gx_ftx__admit(out, marker);
	if (err != 0)
		return err;
	gx_push_u32(&out->bytes, marker);
	(void)gx_ftx__seg_add(out, FTX_ATOM, 4);
	return out->err = out->bytes.err;
}

int gx_ftx_out_end(struct gx_ftx_out *out)
{
	if (out->err != 0)
		return out->err;
	gx_strbuf_clear(&out->text);
	if (!out->ended && out->o.root != GX_FTX_ANY && !gx_ftx_grammar_complete(&out->g)) {
		gx_strbuf_adds(&out->text, "expected ");
		gx_ftx_grammar_expected(&out->g, &out->text);
		gx_strbuf_adds(&out->text, ", found the end");
		return GX_E_FORMAT;
	}
	out->ended = true;
	return 0;
}

/* Whole segments as far as there is room, in one piece. */
static size_t copy_whole(struct gx_ftx_out *out, uint8_t *buf, size_t room)
{
	size_t n = 0;
	while (waiting(out)) {
		const struct gx_ftx__seg *s = &out->segs[out->head];
		if (s->kind == FTX_READER || s->len - out->taken > room - n)
			break;
		n += s->len - out->taken;
		out->taken = 0;
		++out->head;
	}
	if (n != 0)
		memcpy(buf, out->bytes.data + out->pos, n);
	out->pos += n;
	return n;
}

/* A part of the first segment, which does not fit or comes from a reader. */
static int copy_part(struct gx_ftx_out *out, uint8_t *buf, size_t room, size_t *ret_n)
{
	const struct gx_ftx__seg *s = &out->segs[out->head];
	size_t left = s->len - out->taken, n = left < room ? left : room;
	int err = 0;
	if (s->kind == FTX_READER) {
		err = gx_ftx__large_read(out->large, buf, n, left, &n);
	} else if (s->kind == FTX_BYTES && n != 0) {
		memcpy(buf, out->bytes.data + out->pos, n);
		out->pos += n;
	} else {
		n = 0;
	}
	out->taken += (uint32_t)n;
	if (err == 0 && out->taken == s->len) {
		out->taken = 0;
		++out->head;
	}
	*ret_n = n;
	return err;
}

/* More elements from the callback, when there is one. */
static int refill(struct gx_ftx_out *out)
{
	out->head = out->nsegs = 0;
	out->pos = 0;
	gx_push_clear(&out->bytes);
	while (!waiting(out) && !out->ended && out->o.next != NULL) {
		int r = out->o.next(out, out->o.ctx);
		if (r == 0)
			r = gx_ftx_out_end(out);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill(struct gx_ftx_out *out, uint8_t *buf, size_t size, size_t *ret_n)
{
	size_t n = 0, part;
	const uint64_t before = out->offset;
	for (;;) {
		out->offset = before + n; /* who is asked for more may want to know */
		int err = waiting(out) ? 0 : refill(out);
		if (err != 0)
			return err;
		if (!waiting(out))
			break;
		n += copy_whole(out, buf + n, size - n);
		if (!waiting(out))
			continue;
		err = copy_part(out, buf + n, size - n, &part);
		if (err != 0)
			return err;
		if (part == 0)
			break;
		n += part;
	}
	out->offset = before + n;
	*ret_n = n;
	return 0;
}

int gx_ftx_out_read(struct gx_ftx_out *out, void *buf, size_t size, size_t *ret_n)
{
	if (out->err != 0)
		return out->err;
	size_t n = 0;
	out->err = fill(out, buf, size, &n);
	if (out->err != 0)
		return out->err;
	if (n == 0 && waiting(out))
		return GX_E_LIMIT;
	*ret_n = n;
	return 0;
}
