/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: Plain LZ77 read one item at a time, as [MS-XCA] 2.4.4 tells it. What it says of an input is right. */
#ifndef GX_LZXREF_H
#define GX_LZXREF_H
#include <gx/lzxpress.h>

struct lzxref {
	const uint8_t *in;
	size_t len, at, nibble_at; /* nibble_at: 0 when there is none */
	bool short_input;
};

static inline uint32_t lzxref_number(struct lzxref *r, unsigned bytes)
{
	uint32_t v = 0;
	if (r->len - r->at < bytes) {
		r->short_input = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)r->in[r->at++] << 8 * i;
	return v;
}

/* Length - 3 of a match whose three bits are full; SIZE_MAX: there is no such length. */
static inline size_t lzxref_long(struct lzxref *r)
{
	size_t n;
	if (r->nibble_at != 0) {
		n = r->in[r->nibble_at] >> 4;
		r->nibble_at = 0;
	} else {
		r->nibble_at = r->at;
		n = lzxref_number(r, 1) & 15;
	}
	if (n < 15)
		return n + 7;
	n = lzxref_number(r, 1);
	if (n < 255)
		return n + 15 + 7;
	n = lzxref_number(r, 2);
	if (n == 0)
		n = lzxref_number(r, 4);
	return n < 15 + 7 ? SIZE_MAX : n;
}

/* As gx_lzxpress_decompress(). */
static inline int lzxref_decompress(const uint8_t *in, size_t len, uint8_t *out, size_t size)
{
	struct lzxref r = {.in = in, .len = len};
	uint32_t flags = 0;
	size_t pos = 0;
	for (unsigned left = 0; r.at < len;) {
		if (left == 0) {
			flags = lzxref_number(&r, 4);
			left = 32;
			if (r.short_input)
				return GX_E_TRUNC;
			continue;
		}
		if (!(flags >> --left & 1)) {
			if (pos == size)
				return GX_E_FORMAT;
			out[pos++] = in[r.at++];
			continue;
		}
		uint32_t word = lzxref_number(&r, 2);
		size_t n = r.short_input || word % 8 < 7 ? word % 8 : lzxref_long(&r), back = word / 8 + 1;
		if (r.short_input)
			return GX_E_TRUNC;
		if (n == SIZE_MAX || back > pos || size - pos < 3 || n > size - pos - 3)
			return GX_E_FORMAT;
		for (n += 3; n > 0; n--, pos++)
			out[pos] = out[pos - back];
	}
	return pos == size ? 0 : GX_E_TRUNC;
}

#endif
