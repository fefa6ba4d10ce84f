/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXMAIL_HEADERMAP_H
#define GXMAIL_HEADERMAP_H
/*
 * Header fields that correspond to one property each, [MS-OXCMAIL] 2.1.3 and 2.2.3. One table for
 * both directions; addresses, subject, dates of the message itself and MIME fields are not in it.
 */
#include <gx/prop.h>

enum gx_hdr_kind {
	GX_HDR_TEXT,    /* RFC 2047 text */
	GX_HDR_RAW,     /* taken and written as it stands: message ids, URL lists */
	GX_HDR_TIME,    /* RFC 5322 date-time, PtypTime */
	GX_HDR_INT,     /* decimal, PtypInteger32 */
	GX_HDR_BASE64,  /* PtypBinary */
	GX_HDR_ENUM,    /* words, PtypInteger32 */
};
enum { GX_HDR_IMPORT = 1, GX_HDR_EXPORT = 2, GX_HDR_BOTH = 3 };

struct gx_hdr_word {
	const char *word; /* compared caseless; the first row of a value is the one written */
	int32_t value;
	bool not_written; /* the value is the default: no field */
};

struct gx_hdr_map {
	const char *name;
	uint8_t kind, dir;
	gx_proptag_t tag;
	const struct gx_hdr_word *words; /* GX_HDR_ENUM, ended by word NULL */
};

/* Ended by name NULL; in the order in which the fields are written. */
extern const struct gx_hdr_map gx_hdr__map[];
/* Row of a field name (caseless) that is imported, or NULL. */
const struct gx_hdr_map *gx_hdr__find(const char *name);
/*
 * Is what the field says in properties already, or about the way of the message or its MIME
 * structure? Then it is no named property.
 */
bool gx_hdr__is_own(const char *name);

#endif
