/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that a reader gives. The length stands in front, so text is converted twice: once to
 * know it, once to send it, in the same pieces both times.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/ftx/out-int.h"
#include "libgxmapi/prop-int.h"

/* The next piece of UTF-8, of whole characters; held says how much of it there is. */
static int read_chunk(struct gx_ftx__large *l, size_t *ret_n)
{
	while (l->held < FTX_CHUNK && l->off < l->r.size) {
		size_t want = FTX_CHUNK - l->held, got = 0;
		if (want > l->r.size - l->off)
			want = (size_t)(l->r.size - l->off);
		int err = l->r.read(l->off, l->chunk + l->held, want, &got, l->r.ctx);
		if (err != 0)
			return err;
		if (got == 0 || got > want)
			return GX_E_STATE;
		l->off += got;
		l->held += got;
	}
	*ret_n = l->off < l->r.size ? gx_ftx__text_cut(GX_CP_UTF8, l->chunk, l->held) : l->held;
	return 0;
}

/* Converts the next piece into l->part, which is empty at the end. */
static int next_part(struct gx_ftx__large *l)
{
	size_t n;
	l->part = (struct gx_bin){0};
	gx_arena_reset(l->a);
	if (l->held == 0 && l->off == l->r.size)
		return 0;
	int err = read_chunk(l, &n);
	if (err != 0)
		return err;
	const char *s = gx_arena_strndup(l->a, (const char *)l->chunk, n);
	err = s == NULL ? GX_E_NOMEM : gx_ftx__encode(l->a, l->cp, s, n, &l->part);
	if (err != 0)
		return err;
	l->held -= n;
	memmove(l->chunk, l->chunk + n, l->held);
	return 0;
}

static unsigned zeros(const struct gx_ftx__large *l)
{
	return l->cp == GX_CP_UTF16 ? 2 : 1;
}

static bool more(const struct gx_ftx__large *l)
{
	return l->held != 0 || l->off < l->r.size;
}

static int measure(struct gx_ftx__large *l, uint64_t *ret_n)
{
	uint64_t n = zeros(l);
	int err;
	do {
		err = next_part(l);
		n += l->part.len;
	} while (err == 0 && more(l));
	l->off = 0;
	l->held = 0;
	l->part = (struct gx_bin){0};
	*ret_n = n;
	return err;
}

static int read_raw(struct gx_ftx__large *l, uint8_t *buf, size_t n, size_t *ret_n)
{
	size_t got = 0;
	int err = n == 0 ? 0 : l->r.read(l->off, buf, n, &got, l->r.ctx);
	if (err == 0 && n != 0 && (got == 0 || got > n))
		err = GX_E_STATE;
	*ret_n = err == 0 ? got : 0;
	l->off += *ret_n;
	return err;
}

static int read_text(struct gx_ftx__large *l, uint8_t *buf, size_t n, size_t left, size_t *ret_n)
{
	int err = 0;
	while (err == 0 && l->part.len == 0 && more(l))
		err = next_part(l);
	if (err != 0)
		return err;
	/* the text must end where it did when it was measured */
	if ((l->part.len == 0) != (left <= zeros(l)) || l->part.len > left - zeros(l))
		return GX_E_STATE;
	if (l->part.len == 0) {
		memset(buf, 0, n);
	} else {
		if (n > l->part.len)
			n = l->part.len;
		memcpy(buf, l->part.data, n);
		l->part.data += n;
		l->part.len -= n;
	}
	*ret_n = n;
	return 0;
}

int gx_ftx__large_read(struct gx_ftx__large *l, uint8_t *buf, size_t n, size_t left, size_t *ret_n)
{
	return l->cp == 0 || n == 0 ? read_raw(l, buf, n, ret_n) : read_text(l, buf, n, left, ret_n);
}

bool gx_ftx__large_busy(const struct gx_ftx_out *out)
{
	for (size_t i = out->head; i < out->nsegs; ++i)
		if (out->segs[i].kind == FTX_READER)
			return true;
	return false;
}

static int prepare(struct gx_ftx_out *out, const struct gx_ftx_reader *r, uint32_t cp, uint64_t *ret_n)
{
	if (out->large == NULL) {
		out->large = calloc(1, sizeof(*out->large));
		if (out->large == NULL)
			return GX_E_NOMEM;
		out->large->a = gx_arena_new(0);
		if (out->large->a == NULL)
			return GX_E_NOMEM;
	}
	struct gx_ftx__large *l = out->large;
	l->r = *r;
	l->cp = cp;
	l->off = 0;
	l->held = 0;
	l->part = (struct gx_bin){0};
	*ret_n = r->size;
	return cp == 0 ? 0 : measure(l, ret_n);
}

static int put(struct gx_ftx_out *out, gx_proptag_t tag, uint16_t wire_type, const struct gx_propname *name, uint64_t n)
{
	size_t len = out->bytes.len, nsegs = out->nsegs;
	int err = n > UINT32_MAX ? GX_E_RANGE : gx_ftx__definition(out, tag, wire_type, name);
	gx_arena_reset(out->a);
	if (err == 0) {
		gx_ftx__length(out, (size_t)n);
		err = gx_ftx__seg_add(out, FTX_READER, (uint32_t)n);
	}
	if (err == 0)
		err = out->bytes.err;
	if (err != 0) {
		out->bytes.err = 0;
		out->bytes.len = len;
		out->nsegs = nsegs;
	}
	return err;
}

int gx_ftx_out_large(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_propname *name,
	const struct gx_ftx_reader *r)
{
	uint16_t type = GX_PROP_TYPE(tag);
	uint64_t n;
	uint32_t cp;
	if ((type != PtypBinary && type != PtypObject && type != PtypString && type != PtypString8) ||
	    gx_ftx__special(GX_PROP_ID(tag)) != NULL)
		return GX_E_INVAL;
	/* its state is kept once */
	if (gx_ftx__large_busy(out))
		return GX_E_STATE;
	uint16_t wire_type = gx_ftx__wire_type(out, type, &cp);
	struct gx_ftx_grammar before = out->g;
	int err = gx_ftx__admit(out, tag);
	if (err != 0)
		return err;
	err = prepare(out, r, cp, &n);
	if (err == 0)
		err = put(out, tag, wire_type, name, n);
	if (err != 0)
		out->g = before;
	return err;
}
