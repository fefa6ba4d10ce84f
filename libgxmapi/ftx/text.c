/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of streams: UTF-16LE or a code page on the wire, UTF-8 here. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmapi/ftx/ftx-int.h"

static uint16_t unit_at(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* Most strings are ASCII. NULL when this one is not. */
static char *narrow(char *s, const uint8_t *p, size_t units)
{
	unsigned bad = 0;
	for (size_t i = 0; i < units; ++i) {
		uint16_t u = unit_at(p + 2 * i);
		bad |= (u & 0xff80U) | (u == 0);
		s[i] = (char)u;
	}
	s[units] = '\0';
	return bad == 0 ? s : NULL;
}

static int from_utf16(struct gx_arena *a, const uint8_t *p, size_t n, const char **ret_s)
{
	if (n % 2 != 0)
		return GX_E_FORMAT;
	char *s = gx_arena_alloc(a, n / 2 + 1);
	if (s == NULL)
		return GX_E_NOMEM;
	if (narrow(s, p, n / 2) == NULL) {
		int err = gx_utf16le_to_utf8(a, p, n, &s);
		if (err != 0)
			return err;
	}
	*ret_s = s;
	return 0;
}

/* Do bytes below 0x80 stand for themselves? Not where they switch between sets: UTF-7, ISO-2022, HZ. */
static bool has_ascii(uint32_t cp)
{
	return cp != GX_CP_UTF7 && (cp < 50220 || cp > 50229) && cp != 52936;
}

int gx_ftx__text(struct gx_arena *a, uint32_t cp, const uint8_t *p, size_t n, const char **ret_s)
{
	if (n == 0) {
		*ret_s = "";
		return 0;
	}
	if (cp == GX_CP_UTF16)
		return from_utf16(a, p, n, ret_s);
	char *s;
	if (has_ascii(cp) && gx_ascii_only((const char *)p, n)) {
		*ret_s = gx_arena_strndup(a, (const char *)p, n);
		return *ret_s != NULL ? 0 : GX_E_NOMEM;
	}
	int err = gx_cp_to_utf8(a, cp, p, n, &s, NULL, NULL);
	if (err == 0)
		*ret_s = s;
	return err;
}

/*
 * In code pages of several bytes a character, no space or control is the second one of a character; and
 * those that switch between sets are back in the first one at the end of a line.
 */
static size_t cut_bytes(const uint8_t *p, size_t n)
{
	size_t i = n;
	while (i > 0 && p[i - 1] != '\n')
		--i;
	if (i != 0)
		return i;
	for (i = n; i > 0; --i)
		if (p[i - 1] <= ' ')
			return i;
	return n;
}

static size_t cut_utf8(const uint8_t *p, size_t n)
{
	size_t i = n;
	while (i > 0 && n - i < 3 && (p[i - 1] & 0xc0) == 0x80)
		--i;
	/* what begins a character that may go on is left for the next part */
	return i > 0 && p[i - 1] >= 0xc0 ? i - 1 : n;
}

size_t gx_ftx__text_cut(uint32_t cp, const uint8_t *p, size_t n)
{
	if (cp == GX_CP_UTF8)
		return cut_utf8(p, n);
	if (cp != GX_CP_UTF16)
		return cut_bytes(p, n);
	n -= n % 2;
	if (n >= 2 && (unit_at(p + n - 2) & 0xfc00) == 0xd800)
		n -= 2;
	return n;
}

static int to_utf16(struct gx_arena *a, const char *s, size_t n, struct gx_bin *ret_b)
{
	if (!gx_ascii_only(s, n))
		return gx_utf8_to_utf16le(a, s, false, ret_b);
	uint8_t *out = gx_arena_alloc(a, 2 * n);
	if (out == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; ++i) {
		out[2 * i] = (uint8_t)s[i];
		out[2 * i + 1] = 0;
	}
	*ret_b = (struct gx_bin){out, 2 * n};
	return 0;
}

int gx_ftx__encode(struct gx_arena *a, uint32_t cp, const char *s, size_t n, struct gx_bin *ret_b)
{
	if (cp == GX_CP_UTF16)
		return to_utf16(a, s, n, ret_b);
	if (cp == GX_CP_UTF8 || (has_ascii(cp) && gx_ascii_only(s, n))) {
		*ret_b = (struct gx_bin){(const uint8_t *)s, n};
		return 0;
	}
	return gx_cp_from_utf8(a, cp, s, n, false, ret_b);
}
