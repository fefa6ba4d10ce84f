/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies with a length and in chunks [RFC 9112] 6, 7. Extensions of chunks and trailers are read over, within limits. */
#include <config.h>
#include <string.h>
#include "libgxproto/http/http-int.h"

enum { SIZE_LINE_MOST = 1024, TRAILER_MOST = 16 << 10 };

void gx_http__body_begin(struct http_body *b, int64_t content_length)
{
	*b = (struct http_body){.chunked = content_length < 0};
	if (content_length >= 0) {
		b->left = (uint64_t)content_length;
		b->state = content_length == 0 ? BODY_END : BODY_DATA;
	}
}

static int digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int size_byte(struct http_body *b, int c)
{
	if (++b->line > SIZE_LINE_MOST)
		return GX_E_FORMAT;
	if (c == '\r') {
		b->state = BODY_SIZE_LF;
		return b->any_digit ? 0 : GX_E_FORMAT;
	}
	int d = b->in_ext ? -1 : digit(c);
	if (d >= 0) {
		if (b->left >> 56 != 0)
			return GX_E_FORMAT;
		b->left = b->left * 16 + (unsigned)d;
		b->any_digit = true;
		return 0;
	}
	if (!b->in_ext && (!b->any_digit || (c != ';' && c != ' ' && c != '\t')))
		return GX_E_FORMAT;
	b->in_ext = true;
	return c < ' ' && c != '\t' ? GX_E_FORMAT : 0;
}

static int size_end(struct http_body *b, int c)
{
	if (c != '\n')
		return GX_E_FORMAT;
	b->line = 0;
	b->any_digit = b->in_ext = false;
	b->state = b->left == 0 ? BODY_TRAILER : BODY_DATA;
	return 0;
}

/* Lines up to an empty one; b->line counts the bytes of the line. */
static int trailer_byte(struct http_body *b, int c)
{
	if (++b->trailer > TRAILER_MOST)
		return GX_E_FORMAT;
	if (b->crs == 1) {
		if (c != '\n')
			return GX_E_FORMAT;
		if (b->line == 0)
			b->state = BODY_END;
		b->crs = 0;
		b->line = 0;
		return 0;
	}
	if (c == '\r') {
		b->crs = 1;
		return 0;
	}
	++b->line;
	return c < ' ' && c != '\t' ? GX_E_FORMAT : 0;
}

static int one_byte(struct http_body *b, int c)
{
	switch (b->state) {
	case BODY_SIZE:
		return size_byte(b, c);
	case BODY_SIZE_LF:
		return size_end(b, c);
	case BODY_DATA_CR:
		b->state = BODY_DATA_LF;
		return c == '\r' ? 0 : GX_E_FORMAT;
	case BODY_DATA_LF:
		b->state = BODY_SIZE;
		return c == '\n' ? 0 : GX_E_FORMAT;
	default:
		return trailer_byte(b, c);
	}
}

int gx_http__body_next(struct http_body *b, struct gx_bin in, struct gx_bin *ret_data, size_t *ret_used)
{
	size_t i = 0;
	int ret = 0;
	*ret_data = (struct gx_bin){0};
	while (ret == 0 && i < in.len && b->state != BODY_END) {
		if (b->state != BODY_DATA) {
			ret = one_byte(b, in.data[i++]);
			continue;
		}
		size_t n = in.len - i < b->left ? in.len - i : (size_t)b->left;
		*ret_data = (struct gx_bin){in.data + i, n};
		i += n;
		b->left -= n;
		b->total += n;
		if (b->left == 0)
			b->state = b->chunked ? BODY_DATA_CR : BODY_END;
		break;
	}
	*ret_used = i;
	return ret;
}
