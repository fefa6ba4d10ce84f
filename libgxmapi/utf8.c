/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 [RFC 3629] and UTF-16LE. */
#include <config.h>
#include <string.h>
#include "libgxmapi/charset-int.h"

#define BAD_CHAR 0xfffd
#define HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t word_at(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

/* Length of the character at p when it is well-formed, else 0; *ret_skip: bytes to replace then. */
static size_t char_length(const uint8_t *p, size_t left, size_t *ret_skip)
{
	uint8_t c = p[0], low = 0x80, high = 0xbf;
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	*ret_skip = 1;
	if (n < 2)
		return n;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; ++i, low = 0x80, high = 0xbf) {
		if (i >= left || p[i] < low || p[i] > high) {
			*ret_skip = i;
			return 0;
		}
	}
	return n;
}

size_t gx_utf8__valid_front(const uint8_t *s, size_t len)
{
	size_t i = 0, skip;
	while (i < len) {
		if (s[i] < 0x80) {
			while (len - i >= 32 && ((word_at(s + i) | word_at(s + i + 8) | word_at(s + i + 16) |
				word_at(s + i + 24)) & HIGH_BITS) == 0)
				i += 32;
			while (i < len && s[i] < 0x80)
				++i;
			continue;
		}
		if (len - i >= 2 && s[i] >= 0xc2 && s[i] < 0xe0 && (s[i + 1] & 0xc0) == 0x80) {
			i += 2;
			continue;
		}
		size_t n = char_length(s + i, len - i, &skip);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

bool gx_utf8_valid(const char *s, size_t len)
{
	return gx_utf8__valid_front((const uint8_t *)s, len) == len;
}

bool gx_ascii_only(const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t i = 0;
	for (; len - i >= 32; i += 32)
		if (((word_at(p + i) | word_at(p + i + 8) | word_at(p + i + 16) | word_at(p + i + 24)) & HIGH_BITS) != 0)
			return false;
	for (; i < len; ++i)
		if (p[i] >= 0x80)
			return false;
	return len == 0 || memchr(s, '\0', len) == NULL;
}

uint32_t gx_utf8_next(const char **io_s, const char *end)
{
	const uint8_t *p = (const uint8_t *)*io_s;
	size_t left = (size_t)(end - *io_s), skip;
	if (left == 0)
		return BAD_CHAR;
	size_t n = char_length(p, left, &skip);
	*io_s += n == 0 ? skip : n;
	switch (n) {
	case 1:
		return p[0];
	case 2:
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	case 3:
		return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	case 4:
		return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 | (uint32_t)(p[2] & 0x3f) << 6 |
			(p[3] & 0x3f);
	default:
		return BAD_CHAR;
	}
}

size_t gx_utf8__encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		c = BAD_CHAR;
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

void gx_utf8_put(struct gx_strbuf *b, uint32_t c)
{
	uint8_t out[4];
	gx_strbuf_add(b, out, gx_utf8__encode(c, out));
}

void gx_utf8__out_init(struct gx_utf8__out *o, struct gx_strbuf *b)
{
	o->b = b;
	o->n = o->bad = 0;
}

void gx_utf8__out_flush(struct gx_utf8__out *o)
{
	gx_strbuf_add(o->b, o->buf, o->n);
	o->n = 0;
}

void gx_utf8__out_put(struct gx_utf8__out *o, uint32_t c)
{
	if (o->n > sizeof(o->buf) - 4)
		gx_utf8__out_flush(o);
	if (c == 0) {
		++o->bad;
		c = BAD_CHAR;
	}
	o->n += gx_utf8__encode(c, o->buf + o->n);
}

void gx_utf8__out_bad(struct gx_utf8__out *o)
{
	gx_utf8__out_put(o, 0);
}

void gx_utf8__out_bytes(struct gx_utf8__out *o, const uint8_t *p, size_t n)
{
	while (n != 0) {
		const uint8_t *nul = memchr(p, 0, n);
		size_t k = nul != NULL ? (size_t)(nul - p) : n;
		gx_utf8__out_flush(o);
		gx_strbuf_add(o->b, p, k);
		if (nul == NULL)
			break;
		gx_utf8__out_bad(o);
		p += k + 1;
		n -= k + 1;
	}
}

int gx_utf8_to_utf16le(struct gx_arena *a, const char *s, bool term, struct gx_bin *ret_bin)
{
	size_t len = strlen(s), n = 0;
	if (len > (SIZE_MAX - 2) / 2)
		return GX_E_NOMEM;
	uint8_t *out = gx_arena_alloc(a, len * 2 + 2); /* no character takes more units than bytes */
	if (out == NULL)
		return GX_E_NOMEM;
	for (const char *end = s + len; s < end;) {
		uint32_t c = (unsigned char)*s < 0x80 ? (unsigned char)*s++ : gx_utf8_next(&s, end);
		if (c >= 0x10000) {
			uint32_t high = 0xd7c0 + (c >> 10);
			out[n++] = (uint8_t)high;
			out[n++] = (uint8_t)(high >> 8);
			c = 0xdc00 | (c & 0x3ff);
		}
		out[n++] = (uint8_t)c;
		out[n++] = (uint8_t)(c >> 8);
	}
	if (term) {
		out[n++] = 0;
		out[n++] = 0;
	}
	*ret_bin = (struct gx_bin){out, n};
	return 0;
}
