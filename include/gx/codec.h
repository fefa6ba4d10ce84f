/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CODEC_H
#define GX_CODEC_H
/**
 * @file codec.h
 * Content transfer encodings of [RFC 2045] 6, uuencode, and hexadecimal.
 *
 * The decoders are streaming, forgiving, and write into memory of the caller. They are shared by
 * the MIME parser and by the store, which rebuilds original messages from decoded attachments.
 * Thread class: confined.
 */
#include <gx/arena.h>
#include <gx/cursor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Content-Transfer-Encoding. */
enum { GX_CTE_7BIT = 0, GX_CTE_8BIT, GX_CTE_BINARY, GX_CTE_QP, GX_CTE_BASE64, GX_CTE_UUENCODE, GX_CTE_UNKNOWN };

/** State of a decoder between calls; all zero plus cte is the start. */
struct gx_decoder {
	uint8_t cte;
	uint8_t n;          /**< bits or bytes kept from the last call */
	bool done;          /**< padding (base64) or end line (uuencode, the rest is ignored) seen */
	bool bad;           /**< something had to be skipped or guessed */
	uint32_t acc;
	uint8_t hold[96];   /**< trailing white space (QP), unfinished line (uuencode) */
};

GX_API void gx_decoder_init(struct gx_decoder *d, uint8_t cte);
/** Most bytes that gx_decoder_run() writes for @p len bytes of input. */
GX_API size_t gx_decoder_bound(const struct gx_decoder *d, size_t len);
/**
 * Decodes @p len bytes into @p out (room for gx_decoder_bound(), apart from @p in); bytes of that
 * room past the result may be written too. @p last: no more input follows. Identity encodings
 * copy. @return bytes written.
 */
GX_API size_t gx_decoder_run(struct gx_decoder *d, const uint8_t *in, size_t len, bool last, uint8_t *out);
/** All at once into the arena. @return 0, GX_E_NOMEM. */
GX_API int gx_decode(struct gx_arena *a, uint8_t cte, const void *in, size_t len, struct gx_bin *ret_bin) GX_MUST_CHECK;

/** Text of @p len encoded bytes without line breaks. */
GX_API size_t gx_base64_enc_len(size_t len);
/** @return bytes written; no NUL. */
GX_API size_t gx_base64_enc(const uint8_t *in, size_t len, char *out);
/** Strict decoding of one token (SASL, headers): GX_E_FORMAT on anything else. */
GX_API int gx_base64_dec(struct gx_arena *a, const char *in, size_t len, struct gx_bin *ret_bin) GX_MUST_CHECK;

/** How base64 text was broken into lines, enough to write the same bytes again. */
struct gx_b64_shape {
	uint32_t width;   /**< characters a line, 0: one line */
	uint8_t eol;      /**< 1 LF, 2 CRLF */
	uint8_t tail;     /**< line ends after the last character: 0, 1, 2 ... */
};
/**
 * Finds the shape from the text and decodes it. GX_E_FORMAT when encoding the result with the
 * shape does not give the very same bytes (then the text must be kept as it is).
 */
GX_API int gx_b64_shape_decode(struct gx_arena *a, const uint8_t *in, size_t len, struct gx_b64_shape *ret_shape,
	struct gx_bin *ret_bin) GX_MUST_CHECK;
/** Length of the text that the shape gives for @p len bytes. */
GX_API uint64_t gx_b64_shape_len(const struct gx_b64_shape *s, uint64_t len);
/**
 * Writes part of that text: the characters [off, off+n) of the encoding of a content of
 * @p len bytes at @p data. Random access; no state.
 */
GX_API void gx_b64_shape_write(const struct gx_b64_shape *s, const uint8_t *data, uint64_t len, uint64_t off, size_t n, uint8_t *out);

/** Quoted-printable text for a body; lines of at most 76 characters, CRLF ends. */
GX_API void gx_qp_enc(struct gx_push *out, const uint8_t *in, size_t len, bool text);
/** base64 lines of 76 characters with CRLF. */
GX_API void gx_base64_enc_lines(struct gx_push *out, const uint8_t *in, size_t len);

#ifdef __cplusplus
}
#endif
#endif
