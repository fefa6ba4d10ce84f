/* SPDX-License-Identifier: Apache-2.0 */
/* base64 text as its content and the way its lines were broken: the same bytes from much less. */
#include <config.h>
#include <string.h>
#include "libgxmapi/codec-int.h"

#define VERIFY_CHUNK 8192

enum { EOL_LF = 1, EOL_CRLF = 2 };

static uint64_t enc_len(uint64_t len)
{
	return len / 3 * 4 + (len % 3 != 0 ? 4 : 0);
}

uint64_t gx_b64_shape_len(const struct gx_b64_shape *s, uint64_t len)
{
	uint64_t chars = enc_len(len);
	uint64_t breaks = s->width != 0 && chars != 0 ? (chars - 1) / s->width : 0;
	return chars + (breaks + s->tail) * s->eol;
}

/* A line end at the end of the text? Its length, or 0. */
static size_t eol_before(const uint8_t *in, size_t len)
{
	if (len == 0 || in[len - 1] != '\n')
		return 0;
	return len >= 2 && in[len - 2] == '\r' ? EOL_CRLF : EOL_LF;
}

/* The shape as the first line and the end suggest it; whether it is true is checked later. */
static int guess(const uint8_t *in, size_t len, struct gx_b64_shape *s)
{
	*s = (struct gx_b64_shape){.eol = EOL_CRLF};
	const uint8_t *nl = len == 0 ? NULL : memchr(in, '\n', len);
	if (nl == NULL)
		return 0;
	size_t first = (size_t)(nl - in);
	s->eol = (uint8_t)eol_before(in, first + 1);
	size_t body = len, tail = 0;
	while (eol_before(in, body) == s->eol && tail < UINT8_MAX) {
		body -= s->eol;
		++tail;
	}
	s->tail = (uint8_t)tail;
	first -= (size_t)s->eol - 1;
	if (first >= body)
		return 0;
	if (first == 0 || first > UINT32_MAX)
		return GX_E_FORMAT;
	s->width = (uint32_t)first;
	return 0;
}

static bool verify(const struct gx_b64_shape *s, const uint8_t *in, size_t len, const struct gx_bin *content)
{
	uint8_t chunk[VERIFY_CHUNK];
	if (gx_b64_shape_len(s, content->len) != len)
		return false;
	for (size_t off = 0; off < len; off += VERIFY_CHUNK) {
		size_t n = len - off < VERIFY_CHUNK ? len - off : VERIFY_CHUNK;
		gx_b64_shape_write(s, content->data, content->len, off, n, chunk);
		if (memcmp(chunk, in + off, n) != 0)
			return false;
	}
	return true;
}

int gx_b64_shape_decode(struct gx_arena *a, const uint8_t *in, size_t len, struct gx_b64_shape *ret_shape,
	struct gx_bin *ret_bin)
{
	int err = guess(in, len, ret_shape);
	if (err == 0)
		err = gx_decode(a, GX_CTE_BASE64, in, len, ret_bin);
	if (err != 0)
		return err;
	return verify(ret_shape, in, len, ret_bin) ? 0 : GX_E_FORMAT;
}

/* Some characters of one group of four, the last of which may be padded. */
static void write_group_part(const uint8_t *data, uint64_t len, uint64_t group, size_t from, size_t n, uint8_t *out)
{
	uint64_t at = group * 3;
	char four[4];
	gx_base64_enc(data + at, len - at < 3 ? (size_t)(len - at) : 3, four);
	memcpy(out, four + from, n);
}

/* The characters [off, off + n) of the encoding, without line breaks. */
static void write_chars(enum gx_b64__level level, const uint8_t *data, uint64_t len, uint64_t off, size_t n,
	uint8_t *out)
{
	size_t from = (size_t)(off % 4);
	if (from != 0 && n != 0) {
		size_t part = n < 4 - from ? n : 4 - from;
		write_group_part(data, len, off / 4, from, part, out);
		off += part;
		out += part;
		n -= part;
	}
	uint64_t at = off / 4 * 3, full = at < len ? (len - at) / 3 : 0;
	size_t groups = n / 4 < full ? n / 4 : (size_t)full;
	if (groups != 0)
		gx_b64__encode_groups(level, data + at, groups * 3, (size_t)(len - at), out);
	if (n > groups * 4)
		write_group_part(data, len, off / 4 + groups, 0, n - groups * 4, out + groups * 4);
}

/* n bytes of a run of line ends, beginning skip bytes into it. */
static void write_eols(uint8_t eol, uint64_t skip, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; ++i)
		out[i] = eol == EOL_CRLF && (skip + i) % 2 == 0 ? '\r' : '\n';
}

void gx_b64_shape_write(const struct gx_b64_shape *s, const uint8_t *data, uint64_t len, uint64_t off, size_t n,
	uint8_t *out)
{
	enum gx_b64__level level = gx_b64__level();
	uint64_t chars = enc_len(len), width = s->width != 0 ? s->width : chars + 1, stride = width + s->eol;
	uint64_t body = gx_b64_shape_len(s, len) - (uint64_t)s->tail * s->eol;
	uint64_t line = off / stride, col = off % stride;
	while (n != 0 && off < body) {
		size_t take;
		if (col < width) {
			uint64_t left = width - col < body - off ? width - col : body - off;
			take = n < left ? n : (size_t)left;
			write_chars(level, data, len, line * width + col, take, out);
		} else {
			take = n < stride - col ? n : (size_t)(stride - col);
			write_eols(s->eol, col - width, take, out);
		}
		off += take;
		out += take;
		n -= take;
		col += take;
		if (col == stride) {
			col = 0;
			++line;
		}
	}
	if (n != 0)
		write_eols(s->eol, off - body, n, out);
}
