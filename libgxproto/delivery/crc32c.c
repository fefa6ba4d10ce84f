/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <pthread.h>
#include <string.h>
#include "crc32c.h"

static uint32_t slices[4][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_slices(void)
{
	for (uint32_t i = 0; i < 256; ++i) {
		uint32_t c = i;
		for (int k = 0; k < 8; ++k)
			c = c & 1 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
		slices[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; ++i)
		for (int s = 1; s < 4; ++s)
			slices[s][i] = (slices[s-1][i] >> 8) ^ slices[0][slices[s-1][i] & 0xff];
}

uint32_t gx_crc32c__table(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;
	pthread_once(&once, make_slices);
	for (; n >= 4; n -= 4, p += 4) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		c = slices[3][c & 0xff] ^ slices[2][c >> 8 & 0xff] ^ slices[1][c >> 16 & 0xff] ^ slices[0][c >> 24];
	}
	for (; n > 0; --n)
		c = (c >> 8) ^ slices[0][(c ^ *p++) & 0xff];
	return ~c;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2")))
static uint32_t crc_sse42(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t c = (uint32_t)~crc;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t w;
		memcpy(&w, p, 8);
		c = _mm_crc32_u64(c, w);
	}
	uint32_t d = (uint32_t)c;
	for (; n > 0; --n)
		d = _mm_crc32_u8(d, *p++);
	return ~d;
}

uint32_t gx_crc32c__update(uint32_t crc, const void *data, size_t n)
{
	return __builtin_cpu_supports("sse4.2") ? crc_sse42(crc, data, n) : gx_crc32c__table(crc, data, n);
}
#else
uint32_t gx_crc32c__update(uint32_t crc, const void *data, size_t n)
{
	return gx_crc32c__table(crc, data, n);
}
#endif
