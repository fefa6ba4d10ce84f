/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_LZX_MATCH_H
#define GX_LZX_MATCH_H
/* Where the bytes at a place stood before. */
#include <stdbool.h>
#include "libgxmapi/lzx/lzx-int.h"

struct gx_lzx_finder {
	const uint8_t *data;       /* reference and what is compressed, one behind the other */
	size_t size;
	uint32_t *head, *prev;     /* place + 1 of the newest and of the one before with the same start; 0 none */
	unsigned hash_bits;
};

int gx_lzx__finder_init(struct gx_lzx_finder *f, const uint8_t *data, size_t size);
void gx_lzx__finder_free(struct gx_lzx_finder *f);
/* Makes @at one of the places that are found. */
void gx_lzx__finder_add(struct gx_lzx_finder *f, size_t at);
/* The longest, at most @most bytes; 0: none of at least 3 bytes. The nearest of equal ones. */
size_t gx_lzx__find(const struct gx_lzx_finder *f, size_t at, size_t most, uint32_t *ret_back);
size_t gx_lzx__same(const uint8_t *x, const uint8_t *y, size_t most);

#endif
