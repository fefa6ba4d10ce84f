/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_PROP_INT_H
#define GX_PROP_INT_H
/* What the property modules know about types, [MS-OXCDATA] 2.11.1. */
#include <gx/prop.h>

/* How a value is held in union gx_value. */
enum gx_prop_kind {
	GX_KIND_NONE, GX_KIND_I16, GX_KIND_I32, GX_KIND_I64, GX_KIND_F32, GX_KIND_F64, GX_KIND_BOOL,
	GX_KIND_ERR, GX_KIND_TIME, GX_KIND_STR, GX_KIND_GUID, GX_KIND_BIN, GX_KIND_RESTR, GX_KIND_BAD,
};

/* Of the element for multiple types (also with the instance bits); GX_KIND_BAD when unknown. */
uint8_t gx_prop__kind(uint16_t type);
/* Bytes of such a value; 0 where they vary. */
size_t gx_prop__kind_size(uint8_t kind);
/*
 * Is it one of PtypMultiple*? A multi-value instance is a single value, and so is the reference
 * to a value held elsewhere.
 */
static inline bool gx_prop__is_multi(uint16_t type)
{
	return (type & (GX_MVI_FLAG | GX_PROW_EXTERN)) == GX_MV_FLAG;
}
/* Are values of the two types held alike, so that gx_value_cmp() makes sense? */
static inline bool gx_prop__comparable(uint16_t x, uint16_t y)
{
	return gx_prop__kind(x) == gx_prop__kind(y) && gx_prop__is_multi(x) == gx_prop__is_multi(y);
}
/* The type of one element. */
static inline uint16_t gx_prop__single(uint16_t type)
{
	return type & (uint16_t)~GX_MVI_FLAG;
}
/*
 * Does a property stored as @have answer a question for @want? Same id, and same type or
 * PtypUnspecified asked; GX_PROW_EXTERN is not looked at.
 */
bool gx_prop__matches(gx_proptag_t have, gx_proptag_t want);
/* The canonical name, or the number in hexadecimal. */
void gx_prop__print_tag(struct gx_strbuf *b, gx_proptag_t tag);

#endif
