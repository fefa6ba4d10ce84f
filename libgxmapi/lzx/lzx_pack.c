/* SPDX-License-Identifier: Apache-2.0 */
/* Into LZX DELTA, [MS-PATCH] 2.2 to 2.7: blocks of some chunks, each chunk ending at a whole match. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/lzx/lzx_code.h"
#include "libgxmapi/lzx/lzx_match.h"

enum {
	BLOCK = 4 * LZX_CHUNK,
	FAR = 1 << 15, VERY_FAR = 1 << 20, /* further back a match of 3 or 4 bytes costs more than it saves */
	LAZY_MOST = 32,                    /* a longer match is taken without looking at the next place */
};

/* A literal (len 1, slot 0, extra the byte), or a match. */
struct item {
	uint16_t len;
	uint16_t slot;
	uint32_t extra;                    /* bits behind the slot */
};

struct pack {
	struct gx_push *out;
	struct gx_lzx_finder f;
	size_t at, size;                   /* in f.data */
	size_t from;                       /* where the reference ends */
	unsigned slots;
	uint32_t repeat[LZX_REPEATS];
	struct item *items;                /* of the block */
	size_t count;
	size_t chunk_head;                 /* of the chunk that is written, in out */
	uint32_t bits;
	unsigned have;
	uint32_t main_freq[LZX_MAIN_MOST], length_freq[LZX_LENGTHS], aligned_freq[LZX_ALIGNED];
	uint8_t main_len[LZX_MAIN_MOST], length_len[LZX_LENGTHS], aligned_len[LZX_ALIGNED];
	uint8_t main_before[LZX_MAIN_MOST], length_before[LZX_LENGTHS];
	uint16_t main_code[LZX_MAIN_MOST], length_code[LZX_LENGTHS], aligned_code[LZX_ALIGNED];
};

/* ---- Bits ---- */

static void put(struct pack *k, uint32_t v, unsigned n)
{
	for (; n > 16; n -= 16)
		put(k, v >> (n - 16) & 0xffff, 16);
	v &= (1U << n) - 1;
	k->bits = k->bits << n | v;
	k->have += n;
	if (k->have >= 16) {
		k->have -= 16;
		gx_push_u16(k->out, (uint16_t)(k->bits >> k->have));
		k->bits &= (1U << k->have) - 1;
	}
}

static void begin_chunk(struct pack *k)
{
	k->chunk_head = k->out->len;
	gx_push_u16(k->out, 0);
}

static void end_chunk(struct pack *k)
{
	if (k->have > 0)
		put(k, 0, 16 - k->have);
	size_t n = k->out->len - k->chunk_head - 2;
	if (k->out->err != 0)
		return;
	k->out->data[k->chunk_head] = (uint8_t)n;
	k->out->data[k->chunk_head + 1] = (uint8_t)(n >> 8);
}

/* ---- What a block consists of ---- */

static void add_literal(struct pack *k)
{
	uint8_t c = k->f.data[k->at];
	k->items[k->count++] = (struct item){1, 0, c};
	++k->main_freq[c];
	gx_lzx__finder_add(&k->f, k->at++);
}

/* Slot and bits of a distance; those used last have slots of their own. */
static struct item match_item(struct pack *k, size_t len, uint32_t back)
{
	uint32_t *r = k->repeat;
	struct item x = {(uint16_t)len, 0, 0};
	while (x.slot < LZX_REPEATS && r[x.slot] != back)
		++x.slot;
	if (x.slot < LZX_REPEATS) {
		r[x.slot] = r[0];
	} else {
		x.slot = (uint16_t)gx_lzx__slot_of(back + 2);
		x.extra = back + 2 - gx_lzx__base(x.slot);
		r[2] = r[1];
		r[1] = r[0];
	}
	r[0] = back;
	return x;
}

static unsigned footer(size_t len)
{
	size_t plain = len < LZX_MATCH_PLAIN ? len : LZX_MATCH_PLAIN;
	return (unsigned)(plain - LZX_MATCH_LEAST);
}

static unsigned main_symbol(const struct item *x)
{
	unsigned n = footer(x->len);
	return LZX_CHARS + x->slot * 8U + (n < LZX_PRIMARY ? n : LZX_PRIMARY);
}

static void add_match(struct pack *k, size_t len, uint32_t back)
{
	struct item x = match_item(k, len, back);
	unsigned n = footer(len);
	k->items[k->count++] = x;
	++k->main_freq[main_symbol(&x)];
	if (n >= LZX_PRIMARY)
		++k->length_freq[n - LZX_PRIMARY];
	if (gx_lzx__extra_bits(x.slot) >= 3)
		++k->aligned_freq[x.extra & 7];
	for (; len > 0; --len)
		gx_lzx__finder_add(&k->f, k->at++);
}

static bool worth(size_t len, uint32_t back)
{
	return len >= 5 || (len == 4 && back < VERY_FAR) || (len == 3 && back < FAR);
}

/* The best at a place, at most @most bytes: a distance used before is cheap. */
static size_t best(struct pack *k, size_t at, size_t most, uint32_t *ret_back)
{
	size_t again = 0;
	uint32_t back = 0;
	size_t found = gx_lzx__find(&k->f, at, most, &back);
	for (unsigned i = 0; i < LZX_REPEATS; ++i) {
		size_t n = k->repeat[i] > at ? 0 : gx_lzx__same(k->f.data + at - k->repeat[i], k->f.data + at, most);
		if (n > again) {
			again = n;
			*ret_back = k->repeat[i];
		}
	}
	if (again >= LZX_MATCH_LEAST && again + 2 >= found)
		return again;
	*ret_back = back;
	return found >= 3 && worth(found, back) ? found : 0;
}

/* To the end of the chunk. */
static void parse(struct pack *k, size_t end)
{
	while (k->at < end) {
		uint32_t back = 0, next_back = 0;
		size_t most = end - k->at < LZX_MATCH_MOST ? end - k->at : LZX_MATCH_MOST, n = best(k, k->at, most, &back);
		if (n == 0) {
			add_literal(k);
			continue;
		}
		if (n < LAZY_MOST && n < most) {
			size_t here = k->at;
			size_t later = best(k, here + 1, most - 1, &next_back);
			if (later > n + 1) {
				add_literal(k);
				continue;
			}
		}
		add_match(k, n, back);
	}
}

/* ---- Trees, [MS-PATCH] 2.5 ---- */

enum { ZEROS = 17, MANY_ZEROS = 18, SAME = 19 };
struct run {
	uint8_t sym, extra, extra_bits, then; /* then: what SAME repeats */
};

static size_t equal_ones(const uint8_t *len, unsigned at, unsigned to, size_t most)
{
	size_t n = 1;
	while (n < most && at + n < to && len[at + n] == len[at])
		++n;
	return n;
}

static unsigned runs_of(const uint8_t *len, const uint8_t *before, unsigned from, unsigned to, struct run *v)
{
	unsigned n = 0;
	while (from < to) {
		size_t same = equal_ones(len, from, to, len[from] == 0 ? 51 : 5);
		uint8_t diff = (uint8_t)((before[from] + 17 - len[from]) % 17);
		if (len[from] == 0 && same >= 20)
			v[n++] = (struct run){MANY_ZEROS, (uint8_t)(same - 20), 5, 0};
		else if (len[from] == 0 && same >= 4)
			v[n++] = (struct run){ZEROS, (uint8_t)(same - 4), 4, 0};
		else if (same >= 4)
			v[n++] = (struct run){SAME, (uint8_t)(same - 4), 1, diff};
		else {
			v[n++] = (struct run){diff, 0, 0, 0};
			same = 1;
		}
		from += (unsigned)same;
	}
	return n;
}

static void put_lengths(struct pack *k, const uint8_t *len, uint8_t *before, unsigned from, unsigned to)
{
	struct run v[LZX_MAIN_MOST];
	uint32_t freq[LZX_PRETREE] = {0};
	uint8_t pre[LZX_PRETREE];
	uint16_t code[LZX_PRETREE];
	unsigned n = runs_of(len, before, from, to, v);
	for (unsigned i = 0; i < n; ++i) {
		++freq[v[i].sym];
		freq[v[i].then] += v[i].sym == SAME;
	}
	gx_lzx__lengths(freq, LZX_PRETREE, 15, pre);
	gx_lzx__codes(pre, LZX_PRETREE, code);
	for (unsigned i = 0; i < LZX_PRETREE; ++i)
		put(k, pre[i], 4);
	for (unsigned i = 0; i < n; ++i) {
		put(k, code[v[i].sym], pre[v[i].sym]);
		put(k, v[i].extra, v[i].extra_bits);
		if (v[i].sym == SAME)
			put(k, code[v[i].then], pre[v[i].then]);
	}
	memcpy(before + from, len + from, to - from);
}

/* Do the lowest three bits of distances have a skew that pays for a tree? */
static bool aligned_pays(struct pack *k)
{
	uint64_t plain = 0, coded = LZX_ALIGNED * 3;
	for (unsigned i = 0; i < LZX_ALIGNED; ++i) {
		plain += k->aligned_freq[i] * UINT64_C(3);
		coded += k->aligned_freq[i] * (uint64_t)k->aligned_len[i];
	}
	return coded < plain;
}

static unsigned put_head(struct pack *k, size_t len)
{
	unsigned main = LZX_CHARS + k->slots * 8;
	gx_lzx__lengths(k->main_freq, main, LZX_CODE_MOST, k->main_len);
	gx_lzx__lengths(k->length_freq, LZX_LENGTHS, LZX_CODE_MOST, k->length_len);
	gx_lzx__lengths(k->aligned_freq, LZX_ALIGNED, 7, k->aligned_len);
	gx_lzx__codes(k->main_len, main, k->main_code);
	gx_lzx__codes(k->length_len, LZX_LENGTHS, k->length_code);
	gx_lzx__codes(k->aligned_len, LZX_ALIGNED, k->aligned_code);
	unsigned type = aligned_pays(k) ? LZX_ALIGNED_OFFSETS : LZX_VERBATIM;
	put(k, type, LZX_TYPE_BITS);
	put(k, (uint32_t)len, LZX_BLOCK_BITS);
	for (unsigned i = 0; type == LZX_ALIGNED_OFFSETS && i < LZX_ALIGNED; ++i)
		put(k, k->aligned_len[i], 3);
	put_lengths(k, k->main_len, k->main_before, 0, LZX_CHARS);
	put_lengths(k, k->main_len, k->main_before, LZX_CHARS, main);
	put_lengths(k, k->length_len, k->length_before, 0, LZX_LENGTHS);
	return type;
}

/* ---- Written ---- */

static void put_more_length(struct pack *k, unsigned v)
{
	if (v < LZX_EXTRA1)
		put(k, v, 1 + 8);
	else if (v < LZX_EXTRA2)
		put(k, 2U << 10 | (v - LZX_EXTRA1), 2 + 10);
	else if (v < LZX_EXTRA3)
		put(k, 6U << 12 | (v - LZX_EXTRA2), 3 + 12);
	else
		put(k, 7U << 15 | v, 3 + 15);
}

static void put_item(struct pack *k, const struct item *x, unsigned type)
{
	if (x->len == 1) {
		put(k, k->main_code[x->extra], k->main_len[x->extra]);
		return;
	}
	unsigned sym = main_symbol(x), n = footer(x->len), extra = gx_lzx__extra_bits(x->slot);
	put(k, k->main_code[sym], k->main_len[sym]);
	if (n >= LZX_PRIMARY)
		put(k, k->length_code[n - LZX_PRIMARY], k->length_len[n - LZX_PRIMARY]);
	if (x->slot >= LZX_REPEATS && type == LZX_ALIGNED_OFFSETS && extra >= 3) {
		put(k, x->extra >> 3, extra - 3);
		put(k, k->aligned_code[x->extra & 7], k->aligned_len[x->extra & 7]);
	} else if (x->slot >= LZX_REPEATS) {
		put(k, x->extra, extra);
	}
	if (x->len >= LZX_MATCH_PLAIN)
		put_more_length(k, x->len - LZX_MATCH_PLAIN);
}

static void block(struct pack *k)
{
	size_t from = k->at, end = k->size - from < BLOCK ? k->size : from + BLOCK, done = 0;
	k->count = 0;
	memset(k->main_freq, 0, sizeof(k->main_freq));
	memset(k->length_freq, 0, sizeof(k->length_freq));
	memset(k->aligned_freq, 0, sizeof(k->aligned_freq));
	while (k->at < end)
		parse(k, end - k->at < LZX_CHUNK ? end : k->at + LZX_CHUNK);
	begin_chunk(k);
	if (from == k->from)
		put(k, 0, 1); /* no programs in it */
	unsigned type = put_head(k, end - from);
	for (size_t i = 0; i < k->count; ++i) {
		if (done == LZX_CHUNK) {
			end_chunk(k);
			begin_chunk(k);
			done = 0;
		}
		put_item(k, &k->items[i], type);
		done += k->items[i].len;
	}
	end_chunk(k);
}

static void pack_all(struct pack *k, struct gx_push *out)
{
	k->out = out;
	for (unsigned i = 0; i < LZX_REPEATS; ++i)
		k->repeat[i] = 1;
	while (k->at < k->from)
		gx_lzx__finder_add(&k->f, k->at++);
	while (k->at < k->size && out->err == 0)
		block(k);
}

void gx_lzx_compress(struct gx_push *out, const void *ref, size_t ref_len, const void *data, size_t len)
{
	if (ref_len > GX_LZX_MOST || len > GX_LZX_MOST - ref_len) {
		gx_push_fail(out, GX_E_RANGE);
		return;
	}
	struct pack *k = calloc(1, sizeof(*k));
	uint8_t *both = malloc(ref_len + len + 1);
	if (k != NULL && both != NULL) {
		k->items = malloc(BLOCK * sizeof(*k->items));
		k->size = ref_len + len;
		k->from = ref_len;
		k->slots = gx_lzx__slots(ref_len, len);
	}
	if (k == NULL || both == NULL || k->items == NULL || gx_lzx__finder_init(&k->f, both, k->size) != 0) {
		gx_push_fail(out, GX_E_NOMEM);
	} else {
		if (ref_len > 0)
			memcpy(both, ref, ref_len);
		if (len > 0)
			memcpy(both + ref_len, data, len);
		pack_all(k, out);
		gx_lzx__finder_free(&k->f);
	}
	if (k != NULL)
		free(k->items);
	free(k);
	free(both);
}
