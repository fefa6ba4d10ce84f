/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CHARSET_INT_H
#define GX_CHARSET_INT_H
#include <gx/charset.h>

struct gx_utf8__out;

struct gx_cp__page {
	uint32_t cp;
	const char *charset;
	const char *iconv;
	const uint16_t *table; /* 256 code points of a single-byte code page, U+FFFD where there is none */
};

/* NULL when unknown. */
const struct gx_cp__page *gx_cp__find(uint32_t cp);
/* As gx_cp_append_utf8(); returns the number of replacements. */
size_t gx_cp__append(struct gx_strbuf *b, uint32_t cp, const void *data, size_t len);

/* Bytes of a code page that iconv knows. */
void gx_cp__from_iconv(struct gx_utf8__out *o, const struct gx_cp__page *page, const uint8_t *p, size_t len);
/* ISO-2022-JP, [RFC 1468], with what Windows and old mailers add to it. */
void gx_cp__from_jis(struct gx_utf8__out *o, const uint8_t *p, size_t len);
/* HZ, [RFC 1843]. */
void gx_cp__from_hz(struct gx_utf8__out *o, const uint8_t *p, size_t len);

/* Joins the lines of paragraphs, in place; [RFC 3676] 4. */
void gx_cp__unflow(struct gx_strbuf *b, bool delsp);

/* Length of the well-formed UTF-8 at the front. */
size_t gx_utf8__valid_front(const uint8_t *s, size_t len);
/* Writes a character of 1 to 4 bytes; surrogates and beyond Unicode become U+FFFD. */
size_t gx_utf8__encode(uint32_t c, uint8_t out[4]);

/* One character, folded; *io_s < end. */
uint32_t gx_utf8__next_folded(const char **io_s, const char *end);

/* Text on its way into a string buffer, in which NUL must not be. */
struct gx_utf8__out {
	struct gx_strbuf *b;
	size_t n, bad;
	uint8_t buf[1024];
};

void gx_utf8__out_init(struct gx_utf8__out *o, struct gx_strbuf *b);
void gx_utf8__out_flush(struct gx_utf8__out *o);
/* One character; NUL becomes U+FFFD and counts as bad. */
void gx_utf8__out_put(struct gx_utf8__out *o, uint32_t c);
/* Well-formed UTF-8. */
void gx_utf8__out_bytes(struct gx_utf8__out *o, const uint8_t *p, size_t n);
void gx_utf8__out_bad(struct gx_utf8__out *o);

#endif
