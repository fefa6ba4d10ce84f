/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/lzx/lzx_match.h"

enum { START = 3, HASH_LEAST = 12, HASH_MOST = 18, LOOKS_MOST = 48, GOOD = 128 };

int gx_lzx__finder_init(struct gx_lzx_finder *f, const uint8_t *data, size_t size)
{
	*f = (struct gx_lzx_finder){.data = data, .size = size, .hash_bits = HASH_LEAST};
	while (f->hash_bits < HASH_MOST && (size_t)1 << f->hash_bits < size)
		++f->hash_bits;
	f->head = calloc((size_t)1 << f->hash_bits, sizeof(*f->head));
	f->prev = malloc((size == 0 ? 1 : size) * sizeof(*f->prev));
	if (f->head != NULL && f->prev != NULL)
		return 0;
	gx_lzx__finder_free(f);
	return GX_E_NOMEM;
}

void gx_lzx__finder_free(struct gx_lzx_finder *f)
{
	free(f->head);
	free(f->prev);
}

static uint32_t hash(const struct gx_lzx_finder *f, size_t at)
{
	const uint8_t *p = f->data + at;
	uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
	return v * 2654435761U >> (32 - f->hash_bits);
}

void gx_lzx__finder_add(struct gx_lzx_finder *f, size_t at)
{
	if (f->size - at < START)
		return;
	uint32_t *h = &f->head[hash(f, at)];
	f->prev[at] = *h;
	*h = (uint32_t)at + 1;
}

size_t gx_lzx__same(const uint8_t *x, const uint8_t *y, size_t most)
{
	size_t n = 0;
	while (n + 8 <= most && memcmp(x + n, y + n, 8) == 0)
		n += 8;
	while (n < most && x[n] == y[n])
		++n;
	return n;
}

size_t gx_lzx__find(const struct gx_lzx_finder *f, size_t at, size_t most, uint32_t *ret_back)
{
	size_t best = START - 1;
	if (most < START)
		return 0;
	uint32_t next = f->head[hash(f, at)];
	for (unsigned looks = 0; next != 0 && looks < LOOKS_MOST && best < GOOD && best < most; ++looks) {
		size_t there = next - 1;
		if (f->data[there + best] == f->data[at + best]) {
			size_t n = gx_lzx__same(f->data + there, f->data + at, most);
			if (n > best) {
				best = n;
				*ret_back = (uint32_t)(at - there);
			}
		}
		next = f->prev[there];
	}
	return best < START ? 0 : best;
}
