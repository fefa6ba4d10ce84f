/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_LZXPRESS_INT_H
#define GX_LZXPRESS_INT_H
#include <string.h>
#include <gx/lzxpress.h>

/*
 * The format: 32 flags, highest bit first, then what they announce: a literal byte for 0, a match for 1. A match is 16
 * bits, distance - 1 in the upper 13, its length - 3 in the lower 3. What does not fit there is continued in four bits
 * (two matches share a byte, the first takes the lower half), a byte, 16 bits, 32 bits. Numbers are little-endian.
 */
enum {
	LZ_FLAGS = 32,
	LZ_WINDOW = 8192,
	LZ_MIN = 3,               /* shortest match */
	LZ_IN_WORD = 7,           /* in the 16 bits: from here on four more follow */
	LZ_IN_NIBBLE = 15,        /* in those: from here on a byte follows */
	LZ_IN_BYTE = 255,         /* in that: 16 bits follow that hold the whole of it */
	LZ_LONG = LZ_MIN + LZ_IN_WORD,
	LZ_LONGER = LZ_LONG + LZ_IN_NIBBLE,
};

#define LZ_INLINE static inline __attribute__((always_inline))
#define LZ_RARELY(x) __builtin_expect(!!(x), 0)

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LZ_LE16(v) __builtin_bswap16(v)
#define LZ_LE32(v) __builtin_bswap32(v)
#define LZ_LE64(v) __builtin_bswap64(v)
#else
#define LZ_LE16(v) (v)
#define LZ_LE32(v) (v)
#define LZ_LE64(v) (v)
#endif

LZ_INLINE uint16_t lz_get16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return LZ_LE16(v);
}

LZ_INLINE uint32_t lz_get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return LZ_LE32(v);
}

LZ_INLINE uint64_t lz_get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return LZ_LE64(v);
}

LZ_INLINE void lz_put16(uint8_t *p, uint16_t v)
{
	v = LZ_LE16(v);
	memcpy(p, &v, sizeof(v));
}

LZ_INLINE void lz_put32(uint8_t *p, uint32_t v)
{
	v = LZ_LE32(v);
	memcpy(p, &v, sizeof(v));
}

#endif
