/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_FTX_INT_H
#define GX_FTX_INT_H
/* What both directions of FastTransfer streams share. */
#include <gx/ftx.h>

/* A tag with a meaning of its own: a marker, or a meta-property. */
struct gx_ftx__special {
	gx_proptag_t wire, held; /* as sent; with the type of the value */
	const char *name;
	uint8_t symbol;          /* of the grammar */
	bool marker;
};

/* By property id; NULL for all others. */
const struct gx_ftx__special *gx_ftx__special(uint16_t id);
/* May MetaTagFXDelProp have this value? */
bool gx_ftx__del_value(uint32_t tag);
/* "expected ..., found ..." */
void gx_ftx__unexpected(struct gx_strbuf *b, const struct gx_ftx_grammar *g, gx_proptag_t found);
void gx_ftx__print_tag(struct gx_strbuf *b, gx_proptag_t tag);

#define FTX_CP_FLAG 0x8000U /* of a type: the rest is a code page, [MS-OXCFXICS] 2.2.4.1.1.1 */

/* Text of a string value as sent, without the zero at its end. GX_E_FORMAT: half a UTF-16 unit; GX_E_NOMEM. */
int gx_ftx__text(struct gx_arena *a, uint32_t cp, const uint8_t *p, size_t n, const char **ret_s);
/* Bytes at the front of a part of such text that are whole characters. */
size_t gx_ftx__text_cut(uint32_t cp, const uint8_t *p, size_t n);
/* The bytes to be sent for text, without the zero; s[n] is NUL. May be s itself. */
int gx_ftx__encode(struct gx_arena *a, uint32_t cp, const char *s, size_t n, struct gx_bin *ret_b);

#endif
