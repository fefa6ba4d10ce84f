/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxmapi/lzxpress-int.h"

/*
 * Candidates for a match come from two tables: the last place whose first three bytes hash to the same, and the last
 * with the same five. Two neighbouring places are looked up at once, and a match may start at the second when it is
 * longer there; which of the four is best is found without a jump, since no processor guesses such jumps right.
 */

#define TAIL 16        /* no match starts in these last bytes, so that eight at a time can be read everywhere */
#define ROOM 32        /* for a short run and a match of any length */
#define SHORT_RUN 16   /* copied in one piece */
#define LATER_GAIN 8   /* equal bits that make up for the literal before a later match */
#define STEP_MAX 64
#define MIN_BITS (LZ_MIN * 8)

struct writer {
	uint8_t *out, *end;
	uint8_t *flags_at;  /* where the word of flags goes */
	uint8_t *nibble;    /* its upper half is free for the next length that needs one; NULL: none is */
	uint32_t flags;
	unsigned count;     /* of flags, less than LZ_FLAGS */
};

struct match {
	ptrdiff_t from; /* minus the distance */
	unsigned bits;  /* equal ones, at most 63 */
};

/* ---- Looking for matches ---- */

LZ_INLINE unsigned hash3(uint64_t v)
{
	return ((uint32_t)v << 8) * 2654435761u >> 19;
}

LZ_INLINE unsigned hash5(uint64_t v)
{
	return (unsigned)((v << 24) * 0x9e3779b185ebca87u >> 51);
}

/*
 * Positions are kept modulo 2^16 and used modulo the window. That is exact for those in the window; others, and empty
 * entries, become some place in it, which is as good a guess: a match is what compares equal. No guess lies before the
 * input: as long as the window reaches so far, all positions are exact, and empty entries are its first byte.
 */
LZ_INLINE struct match candidate(const uint8_t *p, uint64_t v, size_t pos, uint16_t entry)
{
	struct match m = {.from = (ptrdiff_t)(entry - pos) | -LZ_WINDOW};
	uint64_t differ = lz_get64(p + m.from) ^ v;
	m.bits = (unsigned)__builtin_ctzll(differ | (uint64_t)1 << 63);
	return m;
}

/* The better candidate for @p, which is at @pos; it is in the tables from then on. */
LZ_INLINE struct match find(struct gx_lzxpress *w, const uint8_t *p, size_t pos)
{
	uint64_t v = lz_get64(p);
	unsigned h3 = hash3(v), h5 = hash5(v);
	uint16_t e3 = w->by3[h3], e5 = w->by5[h5];
	w->by3[h3] = w->by5[h5] = (uint16_t)pos;
	struct match a = candidate(p, v, pos, e3), b = candidate(p, v, pos, e5);
	a.from = b.bits > a.bits ? b.from : a.from;
	a.bits = b.bits > a.bits ? b.bits : a.bits;
	return a;
}

LZ_INLINE void enter(struct gx_lzxpress *w, const uint8_t *p, size_t pos)
{
	uint64_t v = lz_get64(p);
	w->by3[hash3(v)] = w->by5[hash5(v)] = (uint16_t)pos;
}

/* The length of a match at @p, of which the first 7 bytes are known to be equal. */
static size_t whole_length(const uint8_t *p, const uint8_t *from, const uint8_t *end)
{
	size_t n = 7, max = (size_t)(end - p);
	for (; max - n >= 8; n += 8) {
		uint64_t differ = lz_get64(p + n) ^ lz_get64(from + n);
		if (differ != 0)
			return n + (size_t)__builtin_ctzll(differ) / 8;
	}
	while (n < max && p[n] == from[n])
		n++;
	return n;
}

/* ---- Writing ---- */

LZ_INLINE bool has_room(const struct writer *o, size_t n)
{
	return (size_t)(o->end - o->out) >= n;
}

LZ_INLINE bool full_flags(struct writer *o)
{
	if (!has_room(o, 4))
		return false;
	lz_put32(o->flags_at, o->flags);
	o->flags_at = o->out;
	o->out += 4;
	o->count = 0;
	return true;
}

LZ_INLINE bool put_literals(struct writer *o, const uint8_t *p, size_t n)
{
	while (n > 0) {
		unsigned k = LZ_FLAGS - o->count;
		if (k > n)
			k = (unsigned)n;
		if (!has_room(o, k))
			return false;
		memcpy(o->out, p, k);
		o->out += k;
		p += k;
		n -= k;
		o->flags = (uint32_t)((uint64_t)o->flags << k);
		o->count += k;
		if (o->count == LZ_FLAGS && !full_flags(o))
			return false;
	}
	return true;
}

LZ_INLINE void put_nibble(struct writer *o, unsigned v)
{
	if (o->nibble != NULL) {
		*o->nibble = (uint8_t)(*o->nibble | v << 4);
		o->nibble = NULL;
	} else {
		o->nibble = o->out;
		*o->out++ = (uint8_t)v;
	}
}

/* What four full bits announce. */
LZ_INLINE void put_longer(struct writer *o, size_t len)
{
	if (len - LZ_LONGER < LZ_IN_BYTE) {
		*o->out++ = (uint8_t)(len - LZ_LONGER);
		return;
	}
	*o->out++ = LZ_IN_BYTE;
	len -= LZ_MIN;
	lz_put16(o->out, len <= UINT16_MAX ? (uint16_t)len : 0);
	o->out += 2;
	if (len > UINT16_MAX) {
		lz_put32(o->out, (uint32_t)len);
		o->out += 4;
	}
}

/* Needs ROOM; the flag is another's. */
LZ_INLINE void put_match(struct writer *o, size_t dist, size_t len)
{
	unsigned in_word = len < LZ_LONG ? (unsigned)len - LZ_MIN : LZ_IN_WORD;
	lz_put16(o->out, (uint16_t)((dist - 1) << 3 | in_word));
	o->out += 2;
	if (LZ_RARELY(len >= LZ_LONG)) {
		put_nibble(o, len < LZ_LONGER ? (unsigned)len - LZ_LONG : LZ_IN_NIBBLE);
		if (LZ_RARELY(len >= LZ_LONGER))
			put_longer(o, len);
	}
}

/* Near the end of the room a match is written elsewhere first: it may just fit. */
LZ_INLINE bool put_match_exact(struct writer *o, size_t dist, size_t len)
{
	uint8_t bytes[ROOM];
	struct writer t = *o;
	if (has_room(o, ROOM)) {
		put_match(o, dist, len);
		return true;
	}
	t.out = bytes;
	put_match(&t, dist, len);
	size_t n = (size_t)(t.out - bytes);
	if (!has_room(o, n))
		return false;
	memcpy(o->out, bytes, n);
	if (o->nibble == NULL && t.nibble != NULL)
		t.nibble = o->out + (t.nibble - bytes);
	t.out = o->out + n;
	*o = t;
	return true;
}

/* The literals from @p run to @p p, then the match there. */
LZ_INLINE bool put_item(struct writer *o, const uint8_t *run, const uint8_t *p, size_t dist, size_t len)
{
	size_t n = (size_t)(p - run);
	if (!LZ_RARELY(n > SHORT_RUN || o->count + n + 1 >= LZ_FLAGS || !has_room(o, ROOM))) {
		memcpy(o->out, run, SHORT_RUN);
		o->out += n;
		o->flags = o->flags << n << 1 | 1;
		o->count += (unsigned)n + 1;
		put_match(o, dist, len);
		return true;
	}
	struct writer copy = *o; /* so that only this path has to have it in memory */
	bool ok = put_literals(&copy, run, n) && put_match_exact(&copy, dist, len);
	copy.flags = copy.flags << 1 | 1;
	ok = ok && (++copy.count < LZ_FLAGS || full_flags(&copy));
	*o = copy;
	return ok;
}

/*
 * How far to go when there is no match here or at the next place: the farther, the longer there was none, or none but of
 * three bytes. Those are found in what is not worth the time, such as base64, too. Never so far that the window would
 * hold too few places to see where compressible data begins again.
 */
LZ_INLINE size_t step(const uint8_t *run, const uint8_t *seen, const uint8_t *p)
{
	size_t n = ((size_t)(p - run) + (size_t)(p - seen)) / 256;
	return n < STEP_MAX - 2 ? 2 + n : STEP_MAX;
}

LZ_INLINE bool pack(struct gx_lzxpress *w, struct writer *o, const uint8_t *src, const uint8_t *end)
{
	const uint8_t *p = src + 1, *last = end - TAIL, *run = src, *seen = src;
	for (;;) {
		size_t pos = (size_t)(p - src);
		struct match m = find(w, p, pos), later = find(w, p + 1, pos + 1);
		if ((m.bits > later.bits ? m.bits : later.bits) < MIN_BITS) {
			size_t n = step(run, seen, p);
			if (LZ_RARELY(n > (size_t)(last - p)))
				break;
			p += n;
			continue;
		}
		bool second = later.bits > (m.bits < MIN_BITS ? 0 : m.bits + LATER_GAIN);
		p += second;
		m = second ? later : m;
		size_t len = LZ_RARELY(m.bits == 63) ? whole_length(p, p + m.from, end) : m.bits / 8;
		if (LZ_RARELY(!put_item(o, run, p, (size_t)-m.from, len)))
			return false;
		run = p += len;
		seen = len > LZ_MIN ? p : seen;
		if (LZ_RARELY(p > last))
			break;
		pos = (size_t)(p - src);
		enter(w, p - 2, pos - 2);
		enter(w, p - 1, pos - 1);
	}
	return put_literals(o, run, (size_t)(end - run));
}

int gx_lzxpress_compress(struct gx_lzxpress *work, const void *src, size_t len, void *dst, size_t cap, size_t *ret_len)
{
	if ((src == NULL && len != 0) || dst == NULL)
		return GX_E_INVAL;
	if (len > UINT32_MAX)
		return GX_E_RANGE;
	if (cap < 4)
		return GX_E_LIMIT;
	struct writer o = {.flags_at = dst, .out = (uint8_t *)dst + 4, .end = (uint8_t *)dst + cap};
	const uint8_t *in = src;
	if (len > TAIL) {
		memset(work, 0, sizeof(*work));
		if (!pack(work, &o, in, in + len))
			return GX_E_LIMIT;
	} else if (!put_literals(&o, in, len)) {
		return GX_E_LIMIT;
	}
	/* Flags that announce nothing are set: a match that does not follow is the end. [MS-XCA] 2.3.4 */
	uint64_t unused = (uint64_t)1 << (LZ_FLAGS - o.count);
	lz_put32(o.flags_at, (uint32_t)(o.flags * unused + unused - 1));
	*ret_len = (size_t)(o.out - (uint8_t *)dst);
	return 0;
}
