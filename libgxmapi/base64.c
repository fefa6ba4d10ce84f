/* SPDX-License-Identifier: Apache-2.0 */
/* base64, [RFC 2045] 6.8 and [RFC 4648] 4: the state machine, and the groups without vectors. */
#include <config.h>
#include <string.h>
#include "libgxmapi/base64-simd.h"
#include "libgxmapi/codec-int.h"

#define NO 0xff
#define LINE_CHARS 76
#define LINE_BYTES (LINE_CHARS / 4 * 3)

const char gx_b64__alphabet[65] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const uint8_t gx_b64__value[256] = {
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
	NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
	NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};

static bool is_blank(uint8_t c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

static size_t decode_groups_scalar(const uint8_t *in, size_t len, uint8_t *out, size_t *ret_used)
{
	const uint8_t *p = in, *end = in + len;
	uint8_t *o = out;
	while (p < end) {
		if (is_blank(*p)) {
			++p;
			continue;
		}
		if (end - p < 4)
			break;
		uint8_t a = gx_b64__value[p[0]], b = gx_b64__value[p[1]], c = gx_b64__value[p[2]], d = gx_b64__value[p[3]];
		if ((a | b | c | d) == NO)
			break;
		uint32_t v = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
		o[0] = (uint8_t)(v >> 16);
		o[1] = (uint8_t)(v >> 8);
		o[2] = (uint8_t)v;
		o += 3;
		p += 4;
	}
	*ret_used = (size_t)(p - in);
	return (size_t)(o - out);
}

size_t gx_b64__decode_groups(enum gx_b64__level level, const uint8_t *in, size_t len, uint8_t *out,
	size_t *ret_used)
{
	size_t used = 0, n = 0, more;
#ifdef GX_B64__HAVE_SIMD
	if (level == GX_B64__AVX2)
		n = gx_b64__decode_avx2(in, len, out, &used);
	else if (level == GX_B64__SSSE3)
		n = gx_b64__decode_ssse3(in, len, out, &used);
#endif
	n += decode_groups_scalar(in + used, len - used, out + n, &more);
	*ret_used = used + more;
	return n;
}

static void encode_group(const uint8_t *in, uint8_t *out)
{
	uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
	out[0] = (uint8_t)gx_b64__alphabet[v >> 18];
	out[1] = (uint8_t)gx_b64__alphabet[v >> 12 & 63];
	out[2] = (uint8_t)gx_b64__alphabet[v >> 6 & 63];
	out[3] = (uint8_t)gx_b64__alphabet[v & 63];
}

void gx_b64__encode_groups(enum gx_b64__level level, const uint8_t *in, size_t n, size_t avail, uint8_t *out)
{
	size_t done = 0;
#ifdef GX_B64__HAVE_SIMD
	if (level == GX_B64__AVX2)
		done = gx_b64__encode_avx2(in, n, avail, out);
	else if (level == GX_B64__SSSE3)
		done = gx_b64__encode_ssse3(in, n, avail, out);
#endif
	for (; done < n; done += 3)
		encode_group(in + done, out + done / 3 * 4);
}

enum gx_b64__level gx_b64__level(void)
{
#ifdef GX_B64__HAVE_SIMD
	if (__builtin_cpu_supports("avx2"))
		return GX_B64__AVX2;
	if (__builtin_cpu_supports("ssse3"))
		return GX_B64__SSSE3;
#endif
	return GX_B64__SCALAR;
}

/* The bits of an unfinished group: what padding or the end of input leaves of it. */
static size_t flush_group(struct gx_decoder *d, uint8_t *out)
{
	size_t n = 0;
	if (d->n == 1)
		d->bad = true;
	if (d->n >= 2)
		out[n++] = (uint8_t)(d->n == 2 ? d->acc >> 4 : d->acc >> 10);
	if (d->n == 3)
		out[n++] = (uint8_t)(d->acc >> 2);
	d->n = 0;
	d->acc = 0;
	return n;
}

/*
 * Real mail holds base64 texts glued together (a signature added by a list server, an attachment
 * encoded in pieces): padding ends a group, not the text.
 */
static size_t decode_char(struct gx_decoder *d, uint8_t c, uint8_t *out)
{
	uint8_t v = gx_b64__value[c];
	if (v == NO) {
		if (c == '=') {
			d->done = true;
			return flush_group(d, out);
		}
		if (!is_blank(c))
			d->bad = true;
		return 0;
	}
	if (d->done) {
		d->done = false;
		d->bad = true;
	}
	d->acc = d->acc << 6 | v;
	if (++d->n < 4)
		return 0;
	out[0] = (uint8_t)(d->acc >> 16);
	out[1] = (uint8_t)(d->acc >> 8);
	out[2] = (uint8_t)d->acc;
	d->n = 0;
	d->acc = 0;
	return 3;
}

size_t gx_b64__decode(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out)
{
	enum gx_b64__level level = gx_b64__level();
	size_t i = 0, o = 0;
	while (i < len) {
		if (d->n == 0 && !d->done) {
			size_t used;
			o += gx_b64__decode_groups(level, in + i, len - i, out + o, &used);
			i += used;
			if (i == len)
				break;
		}
		do
			o += decode_char(d, in[i++], out + o);
		while (i < len && d->n != 0);
	}
	if (last) {
		if (d->n != 0)
			d->bad = true;
		o += flush_group(d, out + o);
	}
	return o;
}

size_t gx_base64_enc_len(size_t len)
{
	return len / 3 * 4 + (len % 3 != 0 ? 4 : 0);
}

size_t gx_base64_enc(const uint8_t *in, size_t len, char *out)
{
	uint8_t *o = (uint8_t *)out;
	size_t whole = len - len % 3;
	gx_b64__encode_groups(gx_b64__level(), in, whole, len, o);
	if (whole != len) {
		uint8_t rest[3] = {in[whole], whole + 1 < len ? in[whole + 1] : 0, 0};
		o += whole / 3 * 4;
		encode_group(rest, o);
		o[3] = '=';
		if (len - whole == 1)
			o[2] = '=';
	}
	return gx_base64_enc_len(len);
}

int gx_base64_dec(struct gx_arena *a, const char *in, size_t len, struct gx_bin *ret_bin)
{
	const uint8_t *p = (const uint8_t *)in;
	if (len % 4 != 0)
		return GX_E_FORMAT;
	size_t pad = 0;
	while (pad < 2 && pad < len && p[len - 1 - pad] == '=')
		++pad;
	for (size_t i = 0; i < len - pad; ++i)
		if (gx_b64__value[p[i]] == NO)
			return GX_E_FORMAT;
	/* The bits below the last byte must be zero, [RFC 4648] 3.5. */
	uint8_t spare = pad == 0 ? 0 : gx_b64__value[p[len - 1 - pad]];
	if ((pad == 1 && (spare & 3) != 0) || (pad == 2 && (spare & 15) != 0))
		return GX_E_FORMAT;
	return gx_decode(a, GX_CTE_BASE64, in, len, ret_bin);
}

void gx_base64_enc_lines(struct gx_push *out, const uint8_t *in, size_t len)
{
	for (size_t off = 0; off < len; off += LINE_BYTES) {
		size_t n = len - off < LINE_BYTES ? len - off : LINE_BYTES;
		uint8_t *p = gx_push_reserve(out, LINE_CHARS + 2);
		if (p == NULL)
			return;
		size_t chars = gx_base64_enc(in + off, n, (char *)p);
		memcpy(p + chars, "\r\n", 2);
		gx_push_added(out, chars + 2);
	}
}
