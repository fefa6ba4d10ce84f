/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_PROP_H
#define GX_PROP_H
/**
 * @file prop.h
 * Property tags, values, lists, and the packed row in which the store keeps them.
 *
 * Text in values is UTF-8, NUL-terminated, whether the tag says PtypString or PtypString8.
 * Values are plain structs that borrow what they point to; who allocated it says how long it
 * lives (usually an arena). Thread class: confined, or immutable when nobody writes.
 */
#include <gx/arena.h>
#include <gx/cursor.h>
#include <gx/proptag.h> /* generated from facts/proptags.tsv: PidTagSubject ... */
#include <gx/strbuf.h>
#include <gx/time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t gx_proptag_t;

/** [MS-OXCDATA] 2.11.1 */
enum {
	PtypUnspecified = 0x0000, PtypNull = 0x0001, PtypInteger16 = 0x0002, PtypInteger32 = 0x0003,
	PtypFloating32 = 0x0004, PtypFloating64 = 0x0005, PtypCurrency = 0x0006, PtypFloatingTime = 0x0007,
	PtypErrorCode = 0x000A, PtypBoolean = 0x000B, PtypObject = 0x000D, PtypInteger64 = 0x0014,
	PtypString8 = 0x001E, PtypString = 0x001F, PtypTime = 0x0040, PtypGuid = 0x0048,
	PtypServerId = 0x00FB, PtypRestriction = 0x00FD, PtypRuleAction = 0x00FE, PtypBinary = 0x0102,
	PtypMultipleInteger16 = 0x1002, PtypMultipleInteger32 = 0x1003, PtypMultipleFloating32 = 0x1004,
	PtypMultipleFloating64 = 0x1005, PtypMultipleCurrency = 0x1006, PtypMultipleFloatingTime = 0x1007,
	PtypMultipleInteger64 = 0x1014, PtypMultipleString8 = 0x101E, PtypMultipleString = 0x101F,
	PtypMultipleTime = 0x1040, PtypMultipleGuid = 0x1048, PtypMultipleBinary = 0x1102,
};

#define GX_PROP_ID(tag) ((uint16_t)((tag) >> 16))
#define GX_PROP_TYPE(tag) ((uint16_t)((tag) & 0xffff))
#define GX_PROP_TAG(id, type) ((gx_proptag_t)(id) << 16 | (uint16_t)(type))
#define GX_PROP_RETYPE(tag, type) (((tag) & 0xffff0000U) | (uint16_t)(type))
#define GX_PROP_IS_NAMED(tag) ((tag) >= 0x80000000U)
#define GX_MV_FLAG 0x1000
#define GX_MVI_FLAG 0x3000 /**< multi-value instance, in tables only */

struct gx_restr;
struct gx_value_array;

/** The value; which member holds is decided by the type in the tag. */
union gx_value {
	int16_t i16;                    /**< PtypInteger16 */
	int32_t i32;                    /**< PtypInteger32 */
	int64_t i64;                    /**< PtypInteger64, PtypCurrency */
	uint32_t err;                   /**< PtypErrorCode */
	float f32;
	double f64;                     /**< PtypFloating64, PtypFloatingTime */
	bool b;                         /**< PtypBoolean */
	gx_nttime_t time;               /**< PtypTime */
	const char *str;                /**< PtypString, PtypString8: UTF-8 */
	struct gx_guid guid;            /**< PtypGuid */
	struct gx_bin bin;              /**< PtypBinary, PtypObject, PtypServerId, PtypRuleAction (wire form) */
	const struct gx_restr *restr;   /**< PtypRestriction */
	struct {
		const union gx_value *v; /**< elements of the single type */
		uint32_t count;
	} mv;                           /**< PtypMultiple* */
};

struct gx_propval {
	gx_proptag_t tag;
	union gx_value v;
};

/** A growing list in an arena; at most one value a property id. Not sorted. */
struct gx_proplist {
	struct gx_propval *v;
	size_t count, cap;
};

/** Fixed size of a type's value in bytes, 0 for variable ones. */
GX_API size_t gx_ptype_size(uint16_t type);
GX_API bool gx_ptype_known(uint16_t type);
/** "PtypString"; NULL when unknown. */
GX_API const char *gx_ptype_name(uint16_t type);

/** Canonical name of a tagged property ("PidTagSubject"), NULL when unknown; types are ignored when no exact row exists. */
GX_API const char *gx_proptag_name(gx_proptag_t tag);
/** "PR_SUBJECT" style name or NULL. */
GX_API const char *gx_proptag_alias(gx_proptag_t tag);
/** Finds a tag by PidTag or PR_ name (case as written); 0 when unknown. */
GX_API gx_proptag_t gx_proptag_by_name(const char *name);

/** Deep copy into the arena. */
GX_API int gx_value_copy(struct gx_arena *a, uint16_t type, const union gx_value *src, union gx_value *ret_v) GX_MUST_CHECK;
/** Order for sorting and comparison restrictions: strings caseless first, then by bytes; binary by bytes then length. */
GX_API int gx_value_cmp(uint16_t type, const union gx_value *x, const union gx_value *y);
/** Same value, strings case-sensitive. */
GX_API bool gx_value_equal(uint16_t type, const union gx_value *x, const union gx_value *y);
/** Appends a readable form. */
GX_API void gx_value_print(struct gx_strbuf *b, uint16_t type, const union gx_value *v);

/**
 * Borrowed; by id and type, or by id alone when the type of @p tag is PtypUnspecified; string
 * types match each other; a value held elsewhere is found only when @p tag has GX_PROW_EXTERN.
 * NULL when absent.
 */
GX_API const struct gx_propval *gx_proplist_get(const struct gx_proplist *l, gx_proptag_t tag);
/** Adds or replaces, shallow: @p v's pointers must live as long as the list. */
GX_API int gx_proplist_set(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, union gx_value v) GX_MUST_CHECK;
GX_API int gx_proplist_set_str(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s) GX_MUST_CHECK;
GX_API int gx_proplist_set_i32(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, int32_t n) GX_MUST_CHECK;
GX_API int gx_proplist_set_i64(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, int64_t n) GX_MUST_CHECK;
GX_API int gx_proplist_set_bool(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, bool b) GX_MUST_CHECK;
GX_API int gx_proplist_set_time(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, gx_nttime_t t) GX_MUST_CHECK;
GX_API int gx_proplist_set_bin(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const void *p, size_t n) GX_MUST_CHECK;
GX_API void gx_proplist_remove(struct gx_proplist *l, gx_proptag_t tag);
/** Shorthands: the value or the default when absent or of another type. */
GX_API const char *gx_proplist_str(const struct gx_proplist *l, gx_proptag_t tag, const char *dflt);
GX_API int32_t gx_proplist_i32(const struct gx_proplist *l, gx_proptag_t tag, int32_t dflt);
GX_API int gx_proplist_copy(struct gx_arena *a, const struct gx_proplist *src, struct gx_proplist *ret_l) GX_MUST_CHECK;

/*
 * Packed row: version byte 1, then entries sorted by tag: u32 tag, then the value. Fixed types
 * have their plain little-endian bytes; strings varint length + bytes + NUL; binaries varint
 * length + bytes; multi-values varint count + elements. Bit 15 of the type (0x8000, never a
 * real type) marks a value held elsewhere: varint length + bytes that the store understands.
 * Read in place.
 */
#define GX_PROW_VERSION 1
#define GX_PROW_EXTERN 0x8000

/** Packs sorted by tag. @param out appended to. GX_E_INVAL for values that no type describes. */
GX_API int gx_prow_pack(struct gx_push *out, const struct gx_proplist *l) GX_MUST_CHECK;
struct gx_prow_iter {
	struct gx_pull c;
	gx_proptag_t tag;   /**< as stored, with GX_PROW_EXTERN */
};
GX_API int gx_prow_begin(struct gx_prow_iter *it, const void *row, size_t len) GX_MUST_CHECK;
/**
 * Next entry. Strings and binaries are borrowed from the row; multi-values come from @p a.
 * An extern value arrives as bin under its tag with GX_PROW_EXTERN set.
 * @return 1 an entry, 0 the end, or GX_E_*.
 */
GX_API int gx_prow_next(struct gx_prow_iter *it, struct gx_arena *a, struct gx_propval *ret_pv) GX_MUST_CHECK;
/**
 * Finds one; same rules as gx_proplist_get(), but a value held elsewhere is found by its plain
 * tag too: look for GX_PROW_EXTERN in ret_pv->tag. @return 0, GX_E_NOTFOUND, or a decoding error.
 */
GX_API int gx_prow_find(const void *row, size_t len, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv) GX_MUST_CHECK;
/**
 * Next entry as it lies in the row, tag and value; it->tag says which. Rows are put together of such
 * pieces behind a version byte. @return 1 an entry, 0 the end, or GX_E_*.
 */
GX_API int gx_prow_raw(struct gx_prow_iter *it, struct gx_bin *ret_entry) GX_MUST_CHECK;
/** The value of such a piece; borrowed as by gx_prow_next(). */
GX_API int gx_prow_entry(struct gx_bin entry, struct gx_arena *a, struct gx_propval *ret_pv) GX_MUST_CHECK;
/** Everything as a list; strings and binaries still borrow the row. */
GX_API int gx_prow_unpack(struct gx_arena *a, const void *row, size_t len, struct gx_proplist *ret_l) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
