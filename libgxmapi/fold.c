/* SPDX-License-Identifier: Apache-2.0 */
/* Text compared without regard to case. */
#include <config.h>
#include <string.h>
#include "libgxmapi/charset-int.h"
#include "libgxmapi/fold-table.h"

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

uint32_t gx_utf8__next_folded(const char **io_s, const char *end)
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
		uint32_t x = gx_utf8__next_folded(&a, a_end), y = gx_utf8__next_folded(&b, b_end);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a < a_end) - (b < b_end);
}
