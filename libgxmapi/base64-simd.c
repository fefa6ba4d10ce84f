/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 in vectors of 16 and 32 characters. The approach is Wojciech Mula's and Daniel Lemire's
 * ("Faster Base64 Encoding and Decoding using AVX2 Instructions", 2018): a character's class is
 * found from its two halves by byte shuffles, and 6-bit values are joined by multiply-add.
 */
#include <config.h>
#include "libgxmapi/base64-simd.h"

#ifdef GX_B64__HAVE_SIMD
#include <immintrin.h>
#include <string.h>

#define SSSE3 __attribute__((target("ssse3")))
#define AVX2 __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline))

/*
 * A character is bad when the class bit of its high half meets the same bit at its low half.
 * Classes by high half: 01 is 2 ('+' and '/'), 02 is 3 (digits), 04 is 4 and 6 (no '@', no '`'),
 * 08 is 5 and 7 (up to 'Z' and 'z'), 10 is the rest (never good).
 */
#define CLASS_HI 0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10
#define CLASS_LO 0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a
/* What to add to a character to get its value, by its high half; '/' counts as high half 1. */
#define TO_VALUE 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
/* Four 6-bit values were joined in each 32-bit lane: its three low bytes, in big-endian order. */
#define JOIN 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1
/* Spreads 12 bytes so that each 32-bit lane has the bytes b a c b of one group. */
#define SPREAD 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10
/* What to add to a value to get its character; the index is made in to_chars. */
#define TO_CHAR 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, \
	'0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0

/* Good characters at the front of a vector, from the mask of the bad ones. */
INLINE unsigned good_front(uint32_t bad, unsigned width)
{
	return bad == 0 ? width : (unsigned)__builtin_ctz(bad);
}

/* Past the line break (or blanks) that stopped a vector; stays when something else stopped it. */
INLINE const uint8_t *skip_blanks(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (*p == '\r' || *p == '\n' || *p == ' ' || *p == '\t'))
		++p;
	return p;
}

SSSE3 INLINE uint32_t values16(__m128i c, __m128i *ret_values)
{
	const __m128i half = _mm_set1_epi8(0x0f);
	__m128i hi = _mm_and_si128(_mm_srli_epi16(c, 4), half), lo = _mm_and_si128(c, half);
	__m128i bad = _mm_and_si128(_mm_shuffle_epi8(_mm_setr_epi8(CLASS_HI), hi),
		_mm_shuffle_epi8(_mm_setr_epi8(CLASS_LO), lo));
	__m128i slash = _mm_cmpeq_epi8(c, _mm_set1_epi8('/'));
	__m128i add = _mm_shuffle_epi8(_mm_setr_epi8(TO_VALUE), _mm_add_epi8(hi, slash));
	*ret_values = _mm_add_epi8(c, add);
	uint32_t good = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bad, _mm_setzero_si128()));
	return ~good & 0xffff;
}

SSSE3 INLINE __m128i join16(__m128i v)
{
	__m128i pairs = _mm_maddubs_epi16(v, _mm_set1_epi32(0x01400140));
	__m128i quads = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
	return _mm_shuffle_epi8(quads, _mm_setr_epi8(JOIN));
}

SSSE3 size_t gx_b64__decode_ssse3(const uint8_t *in, size_t len, uint8_t *out, size_t *ret_used)
{
	const uint8_t *p = in, *end = in + len;
	uint8_t *o = out;
	while (end - p >= 16) {
		__m128i v;
		uint32_t bad = values16(_mm_loadu_si128((const __m128i *)p), &v);
		unsigned take = good_front(bad, 16) & ~3U;
		_mm_storeu_si128((__m128i *)o, join16(v));
		o += take / 4 * 3;
		p += take;
		if (bad == 0)
			continue;
		const uint8_t *next = skip_blanks(p, end);
		if (next == p)
			break;
		p = next;
	}
	*ret_used = (size_t)(p - in);
	return (size_t)(o - out);
}

AVX2 INLINE uint32_t values32(__m256i c, __m256i *ret_values)
{
	const __m256i half = _mm256_set1_epi8(0x0f);
	__m256i hi = _mm256_and_si256(_mm256_srli_epi16(c, 4), half), lo = _mm256_and_si256(c, half);
	__m256i bad = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_setr_epi8(CLASS_HI, CLASS_HI), hi),
		_mm256_shuffle_epi8(_mm256_setr_epi8(CLASS_LO, CLASS_LO), lo));
	__m256i slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
	__m256i add = _mm256_shuffle_epi8(_mm256_setr_epi8(TO_VALUE, TO_VALUE), _mm256_add_epi8(hi, slash));
	*ret_values = _mm256_add_epi8(c, add);
	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bad, _mm256_setzero_si256()));
}

AVX2 INLINE __m256i join32(__m256i v)
{
	__m256i pairs = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
	__m256i quads = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
	__m256i bytes = _mm256_shuffle_epi8(quads, _mm256_setr_epi8(JOIN, JOIN));
	return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

AVX2 size_t gx_b64__decode_avx2(const uint8_t *in, size_t len, uint8_t *out, size_t *ret_used)
{
	const uint8_t *p = in, *end = in + len;
	uint8_t *o = out;
	while (end - p >= 32) {
		__m256i v;
		uint32_t bad = values32(_mm256_loadu_si256((const __m256i *)p), &v);
		unsigned take = good_front(bad, 32) & ~3U;
		_mm256_storeu_si256((__m256i *)o, join32(v));
		o += take / 4 * 3;
		p += take;
		if (bad == 0)
			continue;
		const uint8_t *next = skip_blanks(p, end);
		if (next == p)
			break;
		p = next;
	}
	*ret_used = (size_t)(p - in);
	return (size_t)(o - out);
}

SSSE3 INLINE __m128i to_chars16(__m128i bytes)
{
	__m128i s = _mm_shuffle_epi8(bytes, _mm_setr_epi8(SPREAD));
	__m128i even = _mm_mulhi_epu16(_mm_and_si128(s, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
	__m128i odd = _mm_mullo_epi16(_mm_and_si128(s, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
	__m128i v = _mm_or_si128(even, odd);
	/* 0 for a-z, 1..10 for digits, 11 '+', 12 '/', and 13 for A-Z. */
	__m128i index = _mm_subs_epu8(v, _mm_set1_epi8(51));
	__m128i upper = _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), v), _mm_set1_epi8(13));
	return _mm_add_epi8(v, _mm_shuffle_epi8(_mm_setr_epi8(TO_CHAR), _mm_or_si128(index, upper)));
}

/* Inlined into both callers: 128-bit code of the older form inside the AVX2 one stalls for long. */
SSSE3 INLINE size_t encode16(const uint8_t *in, size_t n, size_t avail, uint8_t *out)
{
	size_t i = 0;
	for (; n - i >= 12 && avail - i >= 16; i += 12)
		_mm_storeu_si128((__m128i *)(out + i / 3 * 4), to_chars16(_mm_loadu_si128((const __m128i *)(in + i))));
	if (n - i == 9 && avail - i >= 16) { /* what a line of 57 bytes leaves */
		__m128i c = to_chars16(_mm_loadu_si128((const __m128i *)(in + i)));
		uint8_t chars[16];
		_mm_storeu_si128((__m128i *)chars, c);
		memcpy(out + i / 3 * 4, chars, 12);
		i += 9;
	}
	return i;
}

SSSE3 size_t gx_b64__encode_ssse3(const uint8_t *in, size_t n, size_t avail, uint8_t *out)
{
	return encode16(in, n, avail, out);
}

AVX2 INLINE __m256i to_chars32(__m256i bytes)
{
	__m256i s = _mm256_shuffle_epi8(bytes, _mm256_setr_epi8(SPREAD, SPREAD));
	__m256i even = _mm256_mulhi_epu16(_mm256_and_si256(s, _mm256_set1_epi32(0x0fc0fc00)),
		_mm256_set1_epi32(0x04000040));
	__m256i odd = _mm256_mullo_epi16(_mm256_and_si256(s, _mm256_set1_epi32(0x003f03f0)),
		_mm256_set1_epi32(0x01000010));
	__m256i v = _mm256_or_si256(even, odd);
	__m256i index = _mm256_subs_epu8(v, _mm256_set1_epi8(51));
	__m256i upper = _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), v), _mm256_set1_epi8(13));
	return _mm256_add_epi8(v,
		_mm256_shuffle_epi8(_mm256_setr_epi8(TO_CHAR, TO_CHAR), _mm256_or_si256(index, upper)));
}

AVX2 size_t gx_b64__encode_avx2(const uint8_t *in, size_t n, size_t avail, uint8_t *out)
{
	size_t i = 0;
	for (; n - i >= 24 && avail - i >= 28; i += 24) {
		__m256i bytes = _mm256_inserti128_si256(
			_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(in + i))),
			_mm_loadu_si128((const __m128i *)(in + i + 12)), 1);
		_mm256_storeu_si256((__m256i *)(out + i / 3 * 4), to_chars32(bytes));
	}
	return i + encode16(in + i, n - i, avail - i, out + i / 3 * 4);
}
#else
typedef int gx_b64__no_simd;
#endif
