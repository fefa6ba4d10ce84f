/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MSGOBJ_H
#define GX_MSGOBJ_H
/**
 * @file msgobj.h
 * A whole message as data: properties, recipients, attachments, embedded messages. What the
 * converters make and read, and what the store takes and gives. Lives in one arena.
 * Thread class: confined.
 */
#include <gx/codec.h>
#include <gx/prop.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Formats of a message's text, as PidTagNativeBody has them. */
enum { GX_BODY_PLAIN = 1, GX_BODY_RTF = 2, GX_BODY_HTML = 3 };

/**
 * A piece of an original internet message that a property's value can be derived from: decode
 * bytes [off, off+len) by cte, then, for string properties, convert from code page cp to UTF-8
 * (gx_cp_to_utf8). The store may keep the slice instead of the value.
 */
struct gx_slice {
	uint64_t off, len; /**< len 0: no slice */
	uint32_t cp;       /**< 0 for binary properties */
	uint8_t cte;       /**< GX_CTE_* */
};

/** A large property whose value may come from a slice instead of standing in the list. */
struct gx_slice_prop {
	gx_proptag_t tag;  /**< PidTagBody, PidTagHtml, PidTagAttachDataBinary, PidTagTransportMessageHeaders */
	struct gx_slice slice;
};

struct gx_msgobj;

struct gx_attach {
	struct gx_proplist props;
	struct gx_slice_prop data;      /**< tag 0: no slice; data stands in props or is an embedded message */
	struct gx_msgobj *embedded;     /**< PidTagAttachMethod afEmbeddedMessage, else NULL */
};

/** Properties named by GUID and LID or name that have no id yet: the store gives them one. */
struct gx_propname {
	struct gx_guid set;
	bool by_name;
	uint32_t lid;
	const char *name; /**< UTF-8 */
};
struct gx_named_propval {
	struct gx_propname name;
	uint16_t type;
	union gx_value v;
};

struct gx_msgobj {
	struct gx_proplist props;
	struct gx_named_propval *named;
	size_t named_count, named_cap;
	struct gx_slice_prop slices[4]; /**< values to be had from the original; tag 0 ends */
	struct gx_proplist *rcpts;      /**< one list a recipient, in order */
	size_t rcpt_count, rcpt_cap;
	struct gx_attach *atts;         /**< in order; PidTagAttachNumber is the index */
	size_t att_count, att_cap;
};

/**
 * Length of a subject's prefix, "RE: " or "AW: ": up to three characters that are no digits, a colon, a space.
 * 0 when there is none or nothing follows. [MS-OXCMSG] 2.2.1.9
 */
GX_API size_t gx_subject_prefix(const char *subject);
GX_API struct gx_msgobj *gx_msgobj_new(struct gx_arena *a);
/** @return a new, empty recipient (valid until the next add), NULL when out of memory. */
GX_API struct gx_proplist *gx_msgobj_add_rcpt(struct gx_msgobj *m, struct gx_arena *a);
GX_API struct gx_attach *gx_msgobj_add_attach(struct gx_msgobj *m, struct gx_arena *a);
/** Adds or replaces a named property. */
GX_API int gx_msgobj_set_named(struct gx_msgobj *m, struct gx_arena *a, const struct gx_propname *n, uint16_t type, union gx_value v) GX_MUST_CHECK;
/** Equal: set and lid, or set and name (caseless in PS_INTERNET_HEADERS). */
GX_API bool gx_propname_equal(const struct gx_propname *x, const struct gx_propname *y);
GX_API const struct gx_named_propval *gx_msgobj_get_named(const struct gx_msgobj *m, const struct gx_propname *n);

#ifdef __cplusplus
}
#endif
#endif
