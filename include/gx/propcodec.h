/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_PROPCODEC_H
#define GX_PROPCODEC_H
/**
 * @file propcodec.h
 * Property values, lists, restrictions and sort orders in wire form, [MS-OXCDATA] 2.11 to 2.13.
 *
 * One encoding with two switches: counts of 16 or 32 bits, and PtypString as UTF-16LE or UTF-8.
 * ROP buffers have the former of both, the flat buffers of exmdb and zcore the latter. The address book's
 * values over HTTP say besides whether they are there; one that is not is pulled as an empty one.
 *
 * Pulled strings and binaries are borrowed from the input where the forms agree, else they live
 * in the arena. Errors are sticky in the cursor; after one the results are zero.
 * Thread class: confined.
 */
#include <gx/cursor.h>
#include <gx/restr.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_px {
	bool wide;          /**< u32 counts of binaries and restriction lists, else u16 */
	bool utf16;         /**< PtypString is UTF-16LE, else UTF-8 */
	uint32_t cp;        /**< code page of PtypString8, see charset.h */
	struct gx_arena *a; /**< for what is pulled; scratch for what is pushed */
	bool marked;        /**< a byte in front of texts, binaries and lists says whether there is a value, [MS-OXCMAPIHTTP] 2.2.1.1 */
};

#define GX_PX_ROP(arena, codepage) ((struct gx_px){false, true, (codepage), (arena), false})
#define GX_PX_EXT(arena) ((struct gx_px){true, false, 65001, (arena), false})
/** In address book requests over HTTP, [MS-OXCMAPIHTTP] 2.2.1. */
#define GX_PX_AB(arena, codepage) ((struct gx_px){true, true, (codepage), (arena), true})

/** A string of that form with its terminator; PtypString or PtypString8 decides. */
GX_API const char *gx_px_pull_str(struct gx_pull *c, const struct gx_px *x, uint16_t type);
GX_API void gx_px_push_str(struct gx_push *c, const struct gx_px *x, uint16_t type, const char *s);
/** Length (u16 or u32) and bytes; borrowed. */
GX_API struct gx_bin gx_px_pull_bin(struct gx_pull *c, const struct gx_px *x);
/** GX_E_RANGE when the length does not fit. */
GX_API void gx_px_push_bin(struct gx_push *c, const struct gx_px *x, struct gx_bin b);

GX_API void gx_px_pull_value(struct gx_pull *c, const struct gx_px *x, uint16_t type, union gx_value *ret_v);
GX_API void gx_px_push_value(struct gx_push *c, const struct gx_px *x, uint16_t type, const union gx_value *v);
/** TaggedPropertyValue. A tag of PtypUnspecified brings its type along and gets it. */
GX_API void gx_px_pull_propval(struct gx_pull *c, const struct gx_px *x, struct gx_propval *ret_pv);
GX_API void gx_px_push_propval(struct gx_push *c, const struct gx_px *x, const struct gx_propval *pv);
/** u16 count and TaggedPropertyValues. */
GX_API void gx_px_pull_proplist(struct gx_pull *c, const struct gx_px *x, struct gx_proplist *ret_l);
GX_API void gx_px_push_proplist(struct gx_push *c, const struct gx_px *x, const struct gx_proplist *l);
/** NULL on failure. */
GX_API const struct gx_restr *gx_px_pull_restr(struct gx_pull *c, const struct gx_px *x);
GX_API void gx_px_push_restr(struct gx_push *c, const struct gx_px *x, const struct gx_restr *r);
/** SortOrderSet; fails with GX_E_FORMAT unless expanded <= categories <= count. */
GX_API void gx_px_pull_sortset(struct gx_pull *c, const struct gx_px *x, struct gx_sortset *ret_s);
GX_API void gx_px_push_sortset(struct gx_push *c, const struct gx_px *x, const struct gx_sortset *s);

#ifdef __cplusplus
}
#endif
#endif
