/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxmapi/lzxpress-int.h"

/*
 * Two loops over the same state: one takes a run of literals and the match after it at once and copies more than it needs
 * to, as long as both buffers have room for that; the other takes item by item and does the rest.
 *
 * This is the one reader here that keeps pointers of its own instead of a gx_pull: its inner loop has a few nanoseconds.
 */

/* No round of the fast loop goes further: a run of 32 literals, then a match in two pieces of 8, or the next flags. */
#define MARGIN 48
#define NO_FLAGS ((uint64_t)1 << 63) /* but the end mark */

struct reader {
	const uint8_t *in, *in_end;
	const uint8_t *nibble;  /* its upper half is the next length that needs one; NULL: a new byte is */
	uint8_t *out;
	size_t pos, size;       /* how much of it is written, and has to be */
	uint64_t flags;         /* those left, the next one highest, and an end mark below them */
};

LZ_INLINE void take_flags(struct reader *r)
{
	r->flags = (uint64_t)lz_get32(r->in) << 32 | (uint64_t)1 << 31;
	r->in += 4;
}

/* What follows four full bits. */
static int longer(struct reader *r, size_t *ret_len)
{
	if (r->in == r->in_end)
		return GX_E_TRUNC;
	size_t n = *r->in++;
	if (n < LZ_IN_BYTE) {
		*ret_len = n + LZ_LONGER;
		return 0;
	}
	if (r->in_end - r->in < 2)
		return GX_E_TRUNC;
	n = lz_get16(r->in);
	r->in += 2;
	if (n == 0) {
		if (r->in_end - r->in < 4)
			return GX_E_TRUNC;
		n = lz_get32(r->in);
		r->in += 4;
	}
	if (n < LZ_IN_WORD + LZ_IN_NIBBLE || n > SIZE_MAX - LZ_MIN) /* it would have fitted before; it fits nowhere */
		return GX_E_FORMAT;
	*ret_len = n + LZ_MIN;
	return 0;
}

LZ_INLINE int long_length(struct reader *r, size_t *ret_len)
{
	unsigned n;
	if (r->nibble != NULL) {
		n = *r->nibble >> 4;
		r->nibble = NULL;
	} else if (r->in != r->in_end) {
		r->nibble = r->in;
		n = *r->in++ & 15;
	} else {
		return GX_E_TRUNC;
	}
	if (LZ_RARELY(n == LZ_IN_NIBBLE)) {
		struct reader copy = *r; /* so that only this call has to have it in memory */
		int err = longer(&copy, ret_len);
		r->in = copy.in;
		return err;
	}
	*ret_len = n + LZ_LONG;
	return 0;
}

LZ_INLINE void copy_bytes(uint8_t *to, size_t dist, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (to - dist)[i];
}

LZ_INLINE void copy8(uint8_t *to, const uint8_t *from)
{
	uint64_t v;
	memcpy(&v, from, sizeof(v));
	memcpy(to, &v, sizeof(v));
}

/* A match of any length; @p room: how far may be written. */
LZ_INLINE void copy_match(uint8_t *to, size_t dist, size_t len, size_t room)
{
	const uint8_t *end = to + len;
	if (LZ_RARELY(room - len < 24)) {
		copy_bytes(to, dist, len);
		return;
	}
	if (LZ_RARELY(dist < 8)) {
		/* Its first bytes one by one; then as if it came from a multiple of the distance that is long enough. */
		copy_bytes(to, dist, 8);
		to += 8;
		dist *= (7 + dist) / dist;
	}
	do { /* once for all lengths without a byte of their own */
		copy8(to, to - dist);
		copy8(to + 8, to + 8 - dist);
		copy8(to + 16, to + 16 - dist);
		to += 24;
	} while (LZ_RARELY(to < end));
}

LZ_INLINE int long_match(struct reader *r, size_t dist)
{
	size_t len, room = r->size - r->pos;
	int err = long_length(r, &len);
	if (err != 0)
		return err;
	if (len > room)
		return GX_E_FORMAT;
	copy_match(r->out + r->pos, dist, len, room);
	r->pos += len;
	return 0;
}

LZ_INLINE int fast_match(struct reader *r)
{
	unsigned word = lz_get32(r->in), len = word & 7;
	size_t dist = (word >> 3 & (LZ_WINDOW - 1)) + 1, from = r->pos - dist;
	r->in += 2;
	if (LZ_RARELY(dist > r->pos))
		return GX_E_FORMAT;
	if (LZ_RARELY(len == LZ_IN_WORD))
		return long_match(r, dist);
	if (dist >= 8) {
		copy8(r->out + r->pos, r->out + from);
		copy8(r->out + r->pos + 8, r->out + from + 8);
	} else {
		copy_bytes(r->out + r->pos, dist, len + LZ_MIN);
	}
	r->pos += len + LZ_MIN;
	return 0;
}

/* The state is a copy so that it is in registers. */
static int fast(struct reader *state)
{
	struct reader r = *state;
	const uint8_t *in_last = r.in_end - MARGIN;
	size_t pos_last = r.size - MARGIN;
	unsigned run = 0;
	int err = 0;
	while (r.in <= in_last && r.pos <= pos_last) {
		memcpy(r.out + r.pos, r.in, 16);
		if (LZ_RARELY(run > 16))
			memcpy(r.out + r.pos + 16, r.in + 16, 16);
		r.in += run;
		r.pos += run;
		r.flags <<= run;
		if (LZ_RARELY(r.flags == NO_FLAGS)) {
			take_flags(&r);
			run = (unsigned)__builtin_clzll(r.flags);
			continue;
		}
		r.flags <<= 1;
		run = (unsigned)__builtin_clzll(r.flags);
		err = fast_match(&r);
		if (LZ_RARELY(err != 0))
			break;
	}
	*state = r;
	return err;
}

static int careful_match(struct reader *r)
{
	if (r->in_end - r->in < 2)
		return GX_E_TRUNC;
	unsigned word = lz_get16(r->in);
	size_t dist = (word >> 3) + 1, len = (word & 7) + LZ_MIN;
	r->in += 2;
	if (len == LZ_LONG) {
		int err = long_length(r, &len);
		if (err != 0)
			return err;
	}
	if (dist > r->pos || len > r->size - r->pos)
		return GX_E_FORMAT;
	copy_bytes(r->out + r->pos, dist, len);
	r->pos += len;
	return 0;
}

/*
 * The input ends where a match is announced that does not follow. That unused flags are set was not always so: older
 * encoders leave them clear, or leave out a last word that is all unused. So it is the input's end that counts.
 */
static int careful(struct reader *r)
{
	while (r->in != r->in_end) {
		if (r->flags == NO_FLAGS) {
			if (r->in_end - r->in < 4)
				return GX_E_TRUNC;
			take_flags(r);
			continue;
		}
		bool is_match = r->flags >> 63;
		r->flags <<= 1;
		if (is_match) {
			int err = careful_match(r);
			if (err != 0)
				return err;
		} else {
			if (r->pos == r->size)
				return GX_E_FORMAT;
			r->out[r->pos++] = *r->in++;
		}
	}
	return r->pos == r->size ? 0 : GX_E_TRUNC;
}

int gx_lzxpress_decompress(const void *src, size_t len, void *dst, size_t size)
{
	if ((src == NULL && len != 0) || (dst == NULL && size != 0))
		return GX_E_INVAL;
	if (len == 0)
		return size == 0 ? 0 : GX_E_TRUNC;
	struct reader r = {.in = src, .in_end = (const uint8_t *)src + len, .out = dst, .size = size, .flags = NO_FLAGS};
	int err = len >= MARGIN && size >= MARGIN ? fast(&r) : 0;
	return err != 0 ? err : careful(&r);
}
