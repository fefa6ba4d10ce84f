/* SPDX-License-Identifier: Apache-2.0 */
/* Caseless search: IMAP SEARCH runs it over the bodies of whole folders. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/charset-int.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FOLD_CHUNK 4096

/* Folds what fits into [out, out + room); returns the bytes written and moves *io_s. */
static size_t fold_into(uint8_t *out, size_t room, const char **io_s, const char *end)
{
	size_t n = 0;
	while (*io_s < end && room - n >= 4) {
		unsigned char c = (unsigned char)**io_s;
		if (c < 0x80) {
			out[n++] = (uint8_t)gx_ascii_tolower(c);
			++*io_s;
		} else {
			n += gx_utf8__encode(gx_utf8_fold(gx_utf8_next(io_s, end)), out + n);
		}
	}
	return n;
}

/* Character by character, for when there is no memory for anything better. */
static bool search_slowly(const char *hay, const char *hay_end, const char *needle, const char *needle_end)
{
	for (const char *at = hay; at < hay_end; gx_utf8__next_folded(&at, hay_end)) {
		const char *h = at, *n = needle;
		while (n < needle_end && h < hay_end && gx_utf8__next_folded(&h, hay_end) == gx_utf8__next_folded(&n, needle_end))
			if (n == needle_end)
				return true;
	}
	return false;
}

/* Folds both and looks by memmem(), which is linear, in pieces that overlap by the needle's length. */
static bool search_folded(const char *hay, const char *hay_end, const char *needle, size_t needle_len)
{
	const char *needle_end = needle + needle_len, *s = needle;
	size_t needle_room = needle_len * 3 + 4; /* U+FFFD is the longest for a byte */
	size_t room = needle_room + FOLD_CHUNK;
	uint8_t *mem = malloc(needle_room + room);
	if (mem == NULL)
		return search_slowly(hay, hay_end, needle, needle_end);
	uint8_t *piece = mem + needle_room;
	size_t n = fold_into(mem, needle_room, &s, needle_end), have = 0;
	bool found = false;
	while (hay < hay_end && !found) {
		have += fold_into(piece + have, room - have, &hay, hay_end);
		found = memmem(piece, have, mem, n) != NULL;
		if (have >= n) {
			memmove(piece, piece + have - (n - 1), n - 1);
			have = n - 1;
		}
	}
	free(mem);
	return found;
}

#ifdef __SSE2__
static __m128i either_case(__m128i bytes, unsigned char c)
{
	int lower = gx_ascii_tolower(c), upper = lower >= 'a' && lower <= 'z' ? lower - 32 : lower;
	return _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)lower)),
		_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)upper)));
}

static bool equal_ascii(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; ++i)
		if (gx_ascii_tolower((unsigned char)a[i]) != gx_ascii_tolower((unsigned char)b[i]))
			return false;
	return true;
}

/*
 * Sixteen places at a time by the needle's first and last character. Stops where fewer are left, or
 * where the text is made so that comparing candidates costs more than folding everything would.
 */
static bool scan_ascii(const char *hay, size_t len, const char *needle, size_t n, size_t *ret_at,
	bool *ret_ascii)
{
	unsigned char first = (unsigned char)needle[0], last = (unsigned char)needle[n - 1];
	size_t i = 0, work = 0;
	int high = 0;
	for (; len - i >= n + 15 && work <= 4096 + i; i += 16) {
		__m128i front = _mm_loadu_si128((const __m128i *)(hay + i));
		__m128i back = _mm_loadu_si128((const __m128i *)(hay + i + n - 1));
		unsigned mask = (unsigned)_mm_movemask_epi8(_mm_and_si128(either_case(front, first), either_case(back, last)));
		high |= _mm_movemask_epi8(front);
		for (; mask != 0; mask &= mask - 1) {
			size_t at = i + (unsigned)__builtin_ctz(mask);
			if (equal_ascii(hay + at, needle, n))
				return true;
			work += n;
		}
	}
	*ret_at = i;
	*ret_ascii = high == 0;
	return false;
}

/* U+212A and U+017F fold to the ASCII letters k and s. */
static bool may_fold_to_ascii(const char *hay, size_t len, const char *needle, size_t n)
{
	bool k = memchr(needle, 'k', n) != NULL || memchr(needle, 'K', n) != NULL;
	bool s = memchr(needle, 's', n) != NULL || memchr(needle, 'S', n) != NULL;
	return (k && memmem(hay, len, "\xe2\x84\xaa", 3) != NULL) || (s && memmem(hay, len, "\xc5\xbf", 2) != NULL);
}

static bool search_ascii(const char *hay, size_t len, const char *needle, size_t n)
{
	size_t at;
	bool ascii;
	if (scan_ascii(hay, len, needle, n, &at, &ascii))
		return true;
	/* A match that begins before at may reach behind it, by three bytes a character at most. */
	size_t reach = len - at < n * 3 ? len : at + n * 3;
	if ((!ascii || !gx_ascii_only(hay + at, reach - at)) && may_fold_to_ascii(hay, reach, needle, n))
		at = 0;
	return search_folded(hay + at, hay + len, needle, n);
}
#endif

bool gx_utf8_casestr(const char *hay, size_t hay_len, const char *needle, size_t needle_len)
{
	if (needle_len == 0)
		return true;
	if (hay_len == 0)
		return false;
#ifdef __SSE2__
	if (hay_len >= needle_len + 15 && gx_ascii_only(needle, needle_len))
		return search_ascii(hay, hay_len, needle, needle_len);
#endif
	return search_folded(hay, hay + hay_len, needle, needle_len);
}
