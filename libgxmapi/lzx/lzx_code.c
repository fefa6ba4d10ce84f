/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/lzx/lzx_code.h"

/* ---- Made ---- */

struct leaf {
	uint32_t freq;
	uint16_t sym;
};

static int by_freq(const void *x, const void *y)
{
	const struct leaf *p = x, *q = y;
	return p->freq != q->freq ? (p->freq < q->freq ? -1 : 1) : (p->sym < q->sym ? -1 : 1);
}

/* Depths of the leaves, rarest first: two queues, one of leaves and one of joined nodes, both in ascending order. */
static void depths(const struct leaf *v, unsigned n, unsigned *count)
{
	uint64_t weight[LZX_MAIN_MOST];
	uint16_t up[2 * LZX_MAIN_MOST], depth[LZX_MAIN_MOST];
	unsigned leaf = 0, node = 0, made = 0;
	while (made + 1 < n) {
		uint64_t sum = 0;
		for (int side = 0; side < 2; ++side) {
			bool take_leaf = leaf < n && (node == made || v[leaf].freq <= weight[node]);
			sum += take_leaf ? v[leaf].freq : weight[node];
			up[take_leaf ? leaf : n + node] = (uint16_t)made;
			leaf += take_leaf;
			node += !take_leaf;
		}
		weight[made++] = sum;
	}
	depth[made - 1] = 0;
	for (unsigned i = made - 1; i-- > 0;)
		depth[i] = depth[up[n + i]] + 1;
	for (unsigned i = 0; i < n; ++i)
		++count[depth[up[i]] + 1 > 63 ? 63 : depth[up[i]] + 1];
}

/* Leaves that are too deep go up, and others down to make room: the sum of 2^-length stays 1. */
static void shorten(unsigned *count, unsigned most)
{
	uint64_t used = 0, whole = UINT64_C(1) << most;
	for (unsigned i = most + 1; i < 64; ++i) {
		count[most] += count[i];
		count[i] = 0;
	}
	for (unsigned i = 1; i <= most; ++i)
		used += (uint64_t)count[i] << (most - i);
	for (; used > whole; --used) {
		unsigned i = most - 1;
		while (count[i] == 0)
			--i;
		--count[most];
		--count[i];
		count[i + 1] += 2;
	}
}

void gx_lzx__lengths(const uint32_t *freq, unsigned n, unsigned most, uint8_t *ret_len)
{
	struct leaf v[LZX_MAIN_MOST];
	unsigned used = 0, count[64] = {0};
	memset(ret_len, 0, n);
	for (unsigned i = 0; i < n; ++i)
		if (freq[i] != 0)
			v[used++] = (struct leaf){freq[i], (uint16_t)i};
	if (used == 0)
		return;
	if (used == 1) {
		ret_len[v[0].sym] = 1;
		ret_len[v[0].sym == 0 ? 1 : 0] = 1;
		return;
	}
	qsort(v, used, sizeof(*v), by_freq);
	depths(v, used, count);
	shorten(count, most);
	unsigned at = 0;
	for (unsigned i = most; i > 0; --i)
		for (unsigned j = 0; j < count[i]; ++j)
			ret_len[v[at++].sym] = (uint8_t)i;
}

void gx_lzx__codes(const uint8_t *len, unsigned n, uint16_t *ret_code)
{
	uint32_t count[LZX_CODE_MOST + 1] = {0}, next[LZX_CODE_MOST + 1], code = 0;
	for (unsigned i = 0; i < n; ++i)
		++count[len[i]];
	count[0] = 0;
	for (unsigned i = 1; i <= LZX_CODE_MOST; ++i) {
		code = (code + count[i - 1]) << 1;
		next[i] = code;
	}
	for (unsigned i = 0; i < n; ++i)
		ret_code[i] = len[i] == 0 ? 0 : (uint16_t)next[len[i]]++;
}

/* ---- Read ---- */

static void fill_fast(struct gx_lzx_reader *r, const uint8_t *len, unsigned n)
{
	uint16_t code[LZX_MAIN_MOST];
	gx_lzx__codes(len, n, code);
	memset(r->fast, 0, sizeof(r->fast));
	for (unsigned i = 0; i < n; ++i)
		if (len[i] != 0 && len[i] <= LZX_FAST) {
			unsigned from = (unsigned)code[i] << (LZX_FAST - len[i]), many = 1U << (LZX_FAST - len[i]);
			for (unsigned j = 0; j < many; ++j)
				r->fast[from + j] = (uint16_t)(i << 4 | len[i]);
		}
}

bool gx_lzx__reader(struct gx_lzx_reader *r, const uint8_t *len, unsigned n)
{
	uint32_t count[LZX_CODE_MOST + 1] = {0}, limit = 0;
	uint16_t at = 0, next[LZX_CODE_MOST + 1];
	for (unsigned i = 0; i < n; ++i)
		++count[len[i]];
	r->empty = count[0] == n;
	if (r->empty)
		return true;
	r->limit[0] = 0;
	for (unsigned i = 1; i <= LZX_CODE_MOST; ++i) {
		limit += count[i] << (LZX_CODE_MOST - i);
		r->limit[i] = limit;
		r->first[i] = next[i] = at;
		at = (uint16_t)(at + count[i]);
	}
	if (limit != 1U << LZX_CODE_MOST)
		return false;
	for (unsigned i = 0; i < n; ++i)
		if (len[i] != 0)
			r->sorted[next[len[i]]++] = (uint16_t)i;
	fill_fast(r, len, n);
	return true;
}
