/* SPDX-License-Identifier: Apache-2.0 */
/* Text compared without regard to case. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxmapi/charset-int.h"
#include "libgxmapi/fold-table.h"

#define FOLD_CHUNK 4096

uint32_t gx_utf8_fold(uint32_t c)
{
	if (c >= FOLD_END)
		return c;
	return (uint32_t)((int32_t)c + fold_delta[fold_index[c >> 8]][c & 0xff]);
}

int gx_ascii_tolower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int gx_ascii_ncasecmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; ++i) {
		int d = gx_ascii_tolower((unsigned char)a[i]) - gx_ascii_tolower((unsigned char)b[i]);
		if (d != 0 || a[i] == '\0')
			return d;
	}
	return 0;
}

int gx_ascii_casecmp(const char *a, const char *b)
{
	return gx_ascii_ncasecmp(a, b, SIZE_MAX);
}

static uint32_t next_folded(const char **io_s, const char *end)
{
	unsigned char c = (unsigned char)**io_s;
	if (c < 0x80) {
		++*io_s;
		return (uint32_t)gx_ascii_tolower(c);
	}
	return gx_utf8_fold(gx_utf8_next(io_s, end));
}

int gx_utf8_casecmp(const char *a, const char *b)
{
	const char *a_end = a + strlen(a), *b_end = b + strlen(b);
	while (a < a_end && b < b_end) {
		uint32_t x = next_folded(&a, a_end), y = next_folded(&b, b_end);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a < a_end) - (b < b_end);
}

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
	for (const char *at = hay; at < hay_end; next_folded(&at, hay_end)) {
		const char *h = at, *n = needle;
		while (n < needle_end && h < hay_end && next_folded(&h, hay_end) == next_folded(&n, needle_end))
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

bool gx_utf8_casestr(const char *hay, size_t hay_len, const char *needle, size_t needle_len)
{
	if (needle_len == 0)
		return true;
	return search_folded(hay, hay + hay_len, needle, needle_len);
}
