/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte 0: which decoder; byte 1: how the input is cut. Decoding in pieces must equal decoding at
 * once, text of a base64 shape must come back exactly, and any code page must give valid UTF-8.
 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/codec.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t decode_cut(uint8_t cte, uint8_t cut, const uint8_t *in, size_t len, uint8_t *out)
{
	struct gx_decoder d;
	size_t n = 0, i = 0;
	gx_decoder_init(&d, cte);
	for (unsigned step = cut; i < len; step = step * 5 + 3) {
		size_t k = cut == 0 ? 1 : 1 + step % (cut + 1U);
		if (k > len - i)
			k = len - i;
		size_t bound = gx_decoder_bound(&d, k);
		uint8_t *piece = malloc(bound + 1);
		size_t got = gx_decoder_run(&d, in + i, k, false, piece);
		assert(got <= bound);
		memcpy(out + n, piece, got);
		free(piece);
		n += got;
		i += k;
	}
	return n + gx_decoder_run(&d, NULL, 0, true, out + n);
}

static void check_decoder(struct gx_arena *a, uint8_t cte, uint8_t cut, const uint8_t *in, size_t len)
{
	struct gx_bin whole;
	if (gx_decode(a, cte, in, len, &whole) != 0)
		abort();
	uint8_t *out = malloc(len * 2 + 512);
	size_t n = decode_cut(cte, cut, in, len, out);
	assert(n == whole.len);
	assert(n == 0 || memcmp(out, whole.data, n) == 0);
	free(out);
}

static void check_shape(struct gx_arena *a, const uint8_t *in, size_t len)
{
	struct gx_b64_shape s;
	struct gx_bin content;
	if (gx_b64_shape_decode(a, in, len, &s, &content) != 0)
		return;
	assert(gx_b64_shape_len(&s, content.len) == len);
	uint8_t *out = malloc(len + 1);
	gx_b64_shape_write(&s, content.data, content.len, 0, len, out);
	assert(len == 0 || memcmp(out, in, len) == 0);
	size_t off = len / 3;
	gx_b64_shape_write(&s, content.data, content.len, off, len - off, out);
	assert(len == off || memcmp(out, in + off, len - off) == 0);
	free(out);
}

static void check_encoders(struct gx_arena *a, const uint8_t *in, size_t len)
{
	struct gx_push p = GX_PUSH_INIT;
	struct gx_bin back;
	gx_qp_enc(&p, in, len, false);
	if (p.err != 0 || gx_decode(a, GX_CTE_QP, p.data, p.len, &back) != 0)
		abort();
	assert(back.len == len && (len == 0 || memcmp(back.data, in, len) == 0));
	gx_push_release(&p);
}

static void check_charset(struct gx_arena *a, const uint8_t *in, size_t len)
{
	if (len < 2)
		return;
	uint32_t cp = (uint32_t)in[0] | (uint32_t)in[1] << 8;
	char *s;
	size_t n;
	struct gx_bin b;
	if (gx_cp_to_utf8(a, cp, in + 2, len - 2, &s, &n, NULL) != 0)
		abort();
	assert(gx_utf8_valid(s, n) && strlen(s) == n);
	if (gx_cp_from_utf8(a, cp, (const char *)in + 2, len - 2, false, &b) == 0)
		assert(b.len <= len * 8);
	size_t half = n / 2;
	while (half < n && (s[half] & 0xc0) == 0x80)
		++half;
	assert(gx_utf8_casestr(s, n, s, half));
	gx_utf8_casestr((const char *)in, len, s, half);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct gx_arena *a = gx_arena_new(0);
	const uint8_t *in = data + 2;
	size_t len = size - 2;
	switch (data[0] % 6) {
	case 0: check_decoder(a, GX_CTE_BASE64, data[1], in, len); break;
	case 1: check_decoder(a, GX_CTE_QP, data[1], in, len); break;
	case 2: check_decoder(a, GX_CTE_UUENCODE, data[1], in, len); break;
	case 3: check_shape(a, in, len); break;
	case 4: check_encoders(a, in, len); break;
	case 5: check_charset(a, in, len); break;
	}
	gx_arena_free(a);
	return 0;
}
