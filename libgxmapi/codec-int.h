/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CODEC_INT_H
#define GX_CODEC_INT_H
#include <gx/codec.h>

/* What each decoder may write past the bytes it decoded: one vector. gx_decoder_bound() counts it. */
#define GX_CODEC__SLACK 32

/* Which machine code does the bulk work; the tests run each of them against GX_B64__SCALAR. */
enum gx_b64__level { GX_B64__SCALAR, GX_B64__SSSE3, GX_B64__AVX2 };

/* The best this processor can do. */
enum gx_b64__level gx_b64__level(void);

/*
 * Decodes whole groups of four characters, skipping CR, LF and blanks between groups, until the
 * input ends or something else comes. May write GX_CODEC__SLACK bytes past its result.
 * Returns bytes written; *ret_used: characters consumed.
 */
size_t gx_b64__decode_groups(enum gx_b64__level level, const uint8_t *in, size_t len, uint8_t *out,
	size_t *ret_used);
/*
 * Encodes n bytes, a multiple of 3, to exactly n / 3 * 4 characters. The machine code may read up
 * to in + avail, avail >= n.
 */
void gx_b64__encode_groups(enum gx_b64__level level, const uint8_t *in, size_t n, size_t avail, uint8_t *out);

/* Value of a character 0-63, or 0xff. */
extern const uint8_t gx_b64__value[256];
extern const char gx_b64__alphabet[65];

size_t gx_b64__decode(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out);
size_t gx_qp__decode(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out);
size_t gx_uu__decode(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out);

#endif
