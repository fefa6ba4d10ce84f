/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three bytes say what the rest is and how much room it has: something compressed, read like the plain reader reads it,
 * or something to compress, which comes back.
 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/lzxref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *room(size_t n)
{
	void *p = malloc(n == 0 ? 1 : n);
	if (p == NULL)
		abort();
	return p;
}

static void read_both_ways(const uint8_t *p, size_t n, size_t size)
{
	uint8_t *fast = room(size), *plain = room(size);
	int err = gx_lzxpress_decompress(p, n, fast, size);
	assert(err == lzxref_decompress(p, n, plain, size));
	assert(err != 0 || memcmp(fast, plain, size) == 0);
	free(fast);
	free(plain);
}

static void there_and_back(const uint8_t *p, size_t n, size_t cap)
{
	static struct gx_lzxpress work;
	size_t whole = 0, part = 0;
	uint8_t *packed = room(GX_LZXPRESS_BOUND(n)), *tight = room(cap), *back = room(n);
	int err = gx_lzxpress_compress(&work, p, n, packed, GX_LZXPRESS_BOUND(n), &whole);
	assert(err == 0);
	err = gx_lzxpress_decompress(packed, whole, back, n);
	assert(err == 0 && memcmp(back, p, n) == 0);
	err = gx_lzxpress_compress(&work, p, n, tight, cap, &part);
	assert(err == (cap < whole ? GX_E_LIMIT : 0));
	assert(err != 0 || (part == whole && memcmp(tight, packed, whole) == 0));
	free(packed);
	free(tight);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	size_t n = (size_t)data[1] << 8 | data[2];
	if (data[0] & 1)
		there_and_back(data + 3, size - 3, n);
	else
		read_both_ways(data + 3, size - 3, n << (data[0] >> 4 & 3));
	return 0;
}
