/* SPDX-License-Identifier: Apache-2.0 */
/* Out of LZX DELTA, [MS-PATCH] 2.3 to 2.7 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/lzx/lzx_code.h"

struct unpack {
	const uint8_t *p, *end;
	uint32_t bits;             /* left-aligned */
	unsigned have;             /* of them */
	const uint8_t *ref;
	size_t ref_len;
	uint8_t *dst;
	size_t at, size;
	size_t chunk_end;          /* of the chunk that at is in */
	uint32_t repeat[LZX_REPEATS];
	unsigned type, slots;
	size_t block_left;
	bool odd;                  /* a byte follows the uncompressed block */
	int err;
	uint8_t main_len[LZX_MAIN_MOST], length_len[LZX_LENGTHS];
	struct gx_lzx_reader main, length, aligned, pre;
};

/* ---- Bits ---- */

/* Words of 16 bits. Behind the end zeros are read, and more than a word of them is an error. */
static void need(struct unpack *u, unsigned n)
{
	while (u->have < n) {
		uint32_t word = 0;
		if (u->end - u->p >= 2)
			word = (uint32_t)(u->p[0] | u->p[1] << 8);
		else if (u->err == 0)
			u->err = GX_E_TRUNC;
		u->p += u->end - u->p >= 2 ? 2 : 0;
		u->bits |= word << (16 - u->have);
		u->have += 16;
	}
}

static uint32_t take(struct unpack *u, unsigned n)
{
	if (n == 0)
		return 0;
	need(u, n);
	uint32_t v = u->bits >> (32 - n);
	u->bits <<= n;
	u->have -= n;
	return v;
}

/* As much of a code as there may be, without asking for more input than there is. */
static uint32_t peek16(struct unpack *u)
{
	if (u->have < LZX_CODE_MOST && u->end - u->p >= 2)
		need(u, LZX_CODE_MOST);
	return u->bits >> 16;
}

static unsigned symbol(struct unpack *u, const struct gx_lzx_reader *r)
{
	uint32_t v = peek16(u);
	unsigned sym, len = 1;
	if (r->empty) {
		u->err = u->err == 0 ? GX_E_FORMAT : u->err;
		return 0;
	}
	uint16_t fast = r->fast[v >> (LZX_CODE_MOST - LZX_FAST)];
	if (fast != 0) {
		sym = fast >> 4;
		len = fast & 15;
	} else {
		while (v >= r->limit[len])
			++len;
		sym = r->sorted[r->first[len] + ((v - r->limit[len - 1]) >> (LZX_CODE_MOST - len))];
	}
	(void)take(u, len);
	return sym;
}

static void align(struct unpack *u)
{
	unsigned odd = u->have & 15;
	u->bits <<= odd;
	u->have -= odd;
}

/* ---- Blocks ---- */

static void fail(struct unpack *u)
{
	if (u->err == 0)
		u->err = GX_E_FORMAT;
}

/* Lengths as differences from those of the block before, [MS-PATCH] 2.5 */
static void lengths(struct unpack *u, uint8_t *len, unsigned from, unsigned to)
{
	uint8_t pre[LZX_PRETREE];
	for (unsigned i = 0; i < LZX_PRETREE; ++i)
		pre[i] = (uint8_t)take(u, 4);
	if (!gx_lzx__reader(&u->pre, pre, LZX_PRETREE))
		fail(u);
	while (from < to && u->err == 0) {
		unsigned sym = symbol(u, &u->pre), n = 1;
		uint8_t v;
		if (sym == 17 || sym == 18) {
			n = sym == 17 ? 4 + take(u, 4) : 20 + take(u, 5);
			v = 0;
		} else {
			if (sym == 19) {
				n = 4 + take(u, 1);
				sym = symbol(u, &u->pre);
			}
			if (sym > 16)
				fail(u);
			v = (uint8_t)((len[from] + 17 - sym % 17) % 17);
		}
		if (n > to - from)
			fail(u);
		for (; n > 0 && u->err == 0; --n)
			len[from++] = v;
	}
}

static void trees(struct unpack *u)
{
	uint8_t aligned[LZX_ALIGNED];
	unsigned main = LZX_CHARS + u->slots * 8;
	for (unsigned i = 0; u->type == LZX_ALIGNED_OFFSETS && i < LZX_ALIGNED; ++i)
		aligned[i] = (uint8_t)take(u, 3);
	if (u->type == LZX_ALIGNED_OFFSETS && !gx_lzx__reader(&u->aligned, aligned, LZX_ALIGNED))
		fail(u);
	lengths(u, u->main_len, 0, LZX_CHARS);
	lengths(u, u->main_len, LZX_CHARS, main);
	lengths(u, u->length_len, 0, LZX_LENGTHS);
	if (u->err == 0 && (!gx_lzx__reader(&u->main, u->main_len, main) || u->main.empty || !gx_lzx__reader(&u->length, u->length_len, LZX_LENGTHS)))
		fail(u);
}

static void raw_head(struct unpack *u)
{
	if ((u->have & 15) == 0) /* at a word already: a whole one is padding */
		(void)take(u, 16);
	align(u);
	if (u->have > 0) {       /* words that were read ahead are bytes of the block */
		u->p -= u->have / 8;
		u->have = 0;
		u->bits = 0;
	}
	for (unsigned i = 0; i < LZX_REPEATS; ++i) {
		if (u->end - u->p < 4) {
			u->err = GX_E_TRUNC;
			return;
		}
		u->repeat[i] = (uint32_t)u->p[0] | (uint32_t)u->p[1] << 8 | (uint32_t)u->p[2] << 16 | (uint32_t)u->p[3] << 24;
		u->p += 4;
	}
}

static void begin_block(struct unpack *u)
{
	if (u->odd) {
		u->p += u->p < u->end;
		u->odd = false;
	}
	u->type = take(u, LZX_TYPE_BITS);
	u->block_left = take(u, 16) << 8;
	u->block_left |= take(u, 8);
	if (u->block_left == 0 || u->block_left > u->size - u->at)
		fail(u);
	if (u->type == LZX_UNCOMPRESSED) {
		raw_head(u);
		u->odd = u->block_left & 1;
	} else if (u->type == LZX_VERBATIM || u->type == LZX_ALIGNED_OFFSETS) {
		trees(u);
	} else {
		fail(u);
	}
}

/* ---- What is in them ---- */

static uint32_t new_offset(struct unpack *u, unsigned slot)
{
	unsigned extra = gx_lzx__extra_bits(slot);
	uint32_t v = gx_lzx__base(slot);
	if (u->type == LZX_ALIGNED_OFFSETS && extra >= 3)
		v += (take(u, extra - 3) << 3) + symbol(u, &u->aligned);
	else
		v += take(u, extra);
	return v - 2;
}

static uint32_t offset(struct unpack *u, unsigned slot)
{
	uint32_t *r = u->repeat, v = slot < LZX_REPEATS ? r[slot] : new_offset(u, slot);
	if (slot >= LZX_REPEATS) {
		r[2] = r[1];
		r[1] = r[0];
	} else {
		r[slot] = r[0];
	}
	r[0] = v;
	return v;
}

static size_t more_length(struct unpack *u)
{
	if (take(u, 1) == 0)
		return take(u, 8);
	if (take(u, 1) == 0)
		return LZX_EXTRA1 + take(u, 10);
	return take(u, 1) == 0 ? LZX_EXTRA2 + take(u, 12) : take(u, 15);
}

static void copy(struct unpack *u, size_t back, size_t n)
{
	if (back == 0 || back > u->at + u->ref_len || n > u->block_left || n > u->chunk_end - u->at) {
		fail(u);
		return;
	}
	u->block_left -= n;
	for (; n > 0; --n, ++u->at)
		u->dst[u->at] = back > u->at ? u->ref[u->ref_len - (back - u->at)] : u->dst[u->at - back];
}

static void item(struct unpack *u)
{
	unsigned sym = symbol(u, &u->main);
	if (sym < LZX_CHARS) {
		u->dst[u->at++] = (uint8_t)sym;
		--u->block_left;
		return;
	}
	sym -= LZX_CHARS;
	size_t n = sym & 7;
	if (n == LZX_PRIMARY)
		n += symbol(u, &u->length);
	n += LZX_MATCH_LEAST;
	uint32_t back = offset(u, sym >> 3);
	if (n == LZX_MATCH_PLAIN)
		n += more_length(u);
	if (u->err == 0)
		copy(u, back, n);
}

static void raw(struct unpack *u, size_t n)
{
	if ((size_t)(u->end - u->p) < n) {
		u->err = GX_E_TRUNC;
		return;
	}
	memcpy(u->dst + u->at, u->p, n);
	u->p += n;
	u->at += n;
	u->block_left -= n;
}

/* Its size goes before it and says nothing that the rest does not say. */
static void chunk(struct unpack *u)
{
	bool first = u->at == 0;
	u->chunk_end = u->size - u->at < LZX_CHUNK ? u->size : u->at + LZX_CHUNK;
	(void)take(u, 16);
	if (first && take(u, 1) != 0) /* calls in programs would be translated, [MS-PATCH] 2.2 */
		fail(u);
	while (u->at < u->chunk_end && u->err == 0) {
		if (u->block_left == 0)
			begin_block(u);
		if (u->err == 0 && u->type == LZX_UNCOMPRESSED)
			raw(u, u->block_left < u->chunk_end - u->at ? u->block_left : u->chunk_end - u->at);
		else if (u->err == 0)
			item(u);
	}
	align(u);
}

int gx_lzx_decompress(const void *ref, size_t ref_len, const void *src, size_t len, void *dst, size_t size)
{
	if (ref_len > GX_LZX_MOST || size > GX_LZX_MOST - ref_len)
		return GX_E_RANGE;
	struct unpack *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return GX_E_NOMEM;
	u->p = src;
	u->end = len == 0 ? u->p : u->p + len;
	u->ref = ref;
	u->ref_len = ref_len;
	u->dst = dst;
	u->size = size;
	u->slots = gx_lzx__slots(ref_len, size);
	for (unsigned i = 0; i < LZX_REPEATS; ++i)
		u->repeat[i] = 1;
	while (u->at < size && u->err == 0)
		chunk(u);
	int err = u->err;
	free(u);
	return err;
}
