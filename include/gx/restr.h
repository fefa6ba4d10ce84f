/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RESTR_H
#define GX_RESTR_H
/**
 * @file restr.h
 * Restrictions ([MS-OXCDATA] 2.12) and sort orders (2.13) as data, with evaluation.
 *
 * Evaluation asks a gx_propsrc for properties, so that it runs on a packed row, on a list, or on
 * whatever else has properties. Thread class: immutable when nobody writes.
 */
#include <gx/prop.h>

#ifdef __cplusplus
extern "C" {
#endif

/** [MS-OXCDATA] 2.12: RestrictType */
enum {
	RES_AND = 0x00, RES_OR = 0x01, RES_NOT = 0x02, RES_CONTENT = 0x03, RES_PROPERTY = 0x04,
	RES_COMPAREPROPS = 0x05, RES_BITMASK = 0x06, RES_SIZE = 0x07, RES_EXIST = 0x08,
	RES_SUBRESTRICTION = 0x09, RES_COMMENT = 0x0A, RES_COUNT = 0x0B, RES_ANNOTATION = 0x0C,
	RES_NULL = 0xFF,
};
/** [MS-OXCDATA] 2.12.5.1 */
enum {
	RELOP_LT = 0, RELOP_LE = 1, RELOP_GT = 2, RELOP_GE = 3, RELOP_EQ = 4, RELOP_NE = 5, RELOP_RE = 6,
	RELOP_MEMBER_OF_DL = 0x64,
};
/** [MS-OXCDATA] 2.12.4: FuzzyLevelLow and FuzzyLevelHigh */
enum {
	FL_FULLSTRING = 0, FL_SUBSTRING = 1, FL_PREFIX = 2,
	FL_IGNORECASE = 1, FL_IGNORENONSPACE = 2, FL_LOOSE = 4,
};
/** [MS-OXCDATA] 2.12.7.1 */
enum { BMR_EQZ = 0, BMR_NEZ = 1 };

/** Deepest nesting that is copied, decoded and evaluated. */
#define GX_RESTR_MAX_DEPTH 64

struct gx_restr {
	uint8_t type; /**< RES_*; says which member of u holds */
	union {
		struct {
			const struct gx_restr *v;
			uint32_t count;
		} list;                           /**< RES_AND, RES_OR */
		struct {
			const struct gx_restr *sub;
		} not_;                           /**< RES_NOT */
		struct {
			uint16_t level, flags;    /**< FL_FULLSTRING..., FL_IGNORECASE... */
			gx_proptag_t tag;
			struct gx_propval val;
		} content;                        /**< RES_CONTENT */
		struct {
			uint8_t relop;
			gx_proptag_t tag;
			struct gx_propval val;
		} prop;                           /**< RES_PROPERTY */
		struct {
			uint8_t relop;
			gx_proptag_t tag1, tag2;
		} cmp;                            /**< RES_COMPAREPROPS */
		struct {
			uint8_t relop;            /**< BMR_* */
			gx_proptag_t tag;
			uint32_t mask;
		} bitmask;                        /**< RES_BITMASK */
		struct {
			uint8_t relop;
			gx_proptag_t tag;
			uint32_t size;
		} size;                           /**< RES_SIZE */
		struct {
			gx_proptag_t tag;
		} exist;                          /**< RES_EXIST */
		struct {
			gx_proptag_t subobject;   /**< PidTagMessageRecipients, PidTagMessageAttachments */
			const struct gx_restr *sub;
		} sub;                            /**< RES_SUBRESTRICTION */
		struct {
			const struct gx_propval *v;
			uint8_t count;
			const struct gx_restr *sub; /**< may be NULL */
		} comment;                        /**< RES_COMMENT, RES_ANNOTATION */
		struct {
			uint32_t count;
			const struct gx_restr *sub;
		} count;                          /**< RES_COUNT */
	} u;
};

/** Deep copy. @return 0, GX_E_NOMEM, GX_E_DEPTH, GX_E_INVAL (unknown type). */
GX_API int gx_restr_copy(struct gx_arena *a, const struct gx_restr *src, const struct gx_restr **ret_r) GX_MUST_CHECK;
/** Deep copy with every property tag replaced by what @p map makes of it; values stay. Errors as gx_restr_copy(). */
GX_API int gx_restr_retag(struct gx_arena *a, const struct gx_restr *src, gx_proptag_t (*map)(gx_proptag_t tag, void *ctx), void *ctx,
	const struct gx_restr **ret_r) GX_MUST_CHECK;
/** @p tag: the property that the value @p io_pv belongs to. @return 0, or GX_E_* to end the walk. */
typedef int (*gx_restr_value_fn)(gx_proptag_t tag, struct gx_propval *io_pv, void *ctx);
/** Deep copy with every value as @p fn leaves it. Errors as gx_restr_copy(), and what @p fn returns. Of NULL: NULL. */
GX_API int gx_restr_map_values(struct gx_arena *a, const struct gx_restr *src, gx_restr_value_fn fn, void *ctx,
	const struct gx_restr **ret_r) GX_MUST_CHECK;
/**
 * Deep copy with the ids that a client sent (gx_eid_holds()) as those of the store, gx_eid_plain(), and back. Ids of other replicas come
 * back as they were; nothing has them. Errors as gx_restr_copy(). Of NULL: NULL.
 */
GX_API int gx_restr_plain_ids(struct gx_arena *a, const struct gx_restr *src, const struct gx_restr **ret_r) GX_MUST_CHECK;
GX_API int gx_restr_wire_ids(struct gx_arena *a, const struct gx_restr *src, const struct gx_restr **ret_r) GX_MUST_CHECK;
/** A total order over the structure; 0 means the same restriction. */
GX_API int gx_restr_cmp(const struct gx_restr *x, const struct gx_restr *y);
GX_API void gx_restr_print(struct gx_strbuf *b, const struct gx_restr *r);

/** Where evaluation finds properties. Functions that are NULL answer "none". */
struct gx_propsrc {
	/**
	 * The property, by the rules of gx_proplist_get(). What it borrows must hold until the
	 * evaluation returns. @return 1 present, 0 absent, or GX_E_*.
	 */
	int (*get)(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx);
	/** Size of a value where that is known without reading it; NULL: gx_value_size(). @return as get. */
	int (*size)(gx_proptag_t tag, uint64_t *ret_size, void *ctx);
	/**
	 * Calls @p cb for each recipient or attachment until it returns other than 0, and returns
	 * that; 0 at the end.
	 */
	int (*each)(gx_proptag_t subobject, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx, void *ctx);
	/** Is the address book entry of @p tag a member of the list @p dl? @return 1, 0 or GX_E_*. */
	int (*member_of)(gx_proptag_t tag, const struct gx_bin *dl, void *ctx);
	void *ctx;
};

/** A list as a source. @p l must outlive it. */
GX_API struct gx_propsrc gx_propsrc_list(const struct gx_proplist *l);

/**
 * Does the object fulfil the restriction? An absent property fails every comparison but
 * RELOP_NE; a bit mask takes it for 0. Against a multi-value property a single value is
 * compared with each element, and one that fits suffices. Strings compare without case in
 * RES_PROPERTY, as the flags say in RES_CONTENT. RES_COUNT has the meaning of its content; the
 * count bounds results, see gx_restr_limit(). NULL is fulfilled.
 * @return 0, GX_E_DEPTH, GX_E_UNSUP (RELOP_RE), GX_E_INVAL, or what the source reports.
 */
GX_API int gx_restr_eval(const struct gx_restr *r, const struct gx_propsrc *src, bool *ret_match) GX_MUST_CHECK;
/** Most results that the restriction asks for: RES_COUNT at the top; UINT32_MAX without. */
GX_API uint32_t gx_restr_limit(const struct gx_restr *r);
/** Bytes of a value as RES_SIZE means it: strings with their NUL, elements of multi-values summed up. */
GX_API uint64_t gx_value_size(uint16_t type, const union gx_value *v);
/** A string against a pattern by FuzzyLevelLow and FuzzyLevelHigh. */
GX_API bool gx_fuzzy_match(const char *s, const char *pattern, uint16_t level, uint16_t flags);

/**
 * Appends what of a text counts when neither case nor marks nor the amount of white space do: the form in which a
 * search index keeps it.
 * If a text contains another in any of the ways of gx_fuzzy_match() or gx_utf8_casestr(), then its form contains the other's.
 */
GX_API void gx_fuzzy_form(const char *s, size_t len, struct gx_push *out);

/** [MS-OXCDATA] 2.13.1: Order */
enum { GX_SORT_ASCEND = 0, GX_SORT_DESCEND = 1, GX_SORT_MAX_CATEGORY = 4, GX_SORT_MIN_CATEGORY = 8 };

struct gx_sort {
	gx_proptag_t tag;
	uint8_t order;
};

/** The first @ref categories columns make category rows, the first @ref expanded of them start open. */
struct gx_sortset {
	const struct gx_sort *v;
	uint16_t count, categories, expanded;
};

/** @return 0, or GX_E_INVAL: counts out of step, an order that does not exist, a multi-value column without instances. */
GX_API int gx_sortset_check(const struct gx_sortset *s) GX_MUST_CHECK;
GX_API int gx_sortset_copy(struct gx_arena *a, const struct gx_sortset *src, struct gx_sortset *ret_s) GX_MUST_CHECK;
GX_API void gx_sortset_print(struct gx_strbuf *b, const struct gx_sortset *s);
/**
 * Order of two rows. Absent values come first when ascending. GX_SORT_MAX_CATEGORY counts as
 * descending, GX_SORT_MIN_CATEGORY as ascending. @param ret_order <0, 0, >0. @return 0 or what a source reports.
 */
GX_API int gx_sortset_cmp(const struct gx_sortset *s, const struct gx_propsrc *x, const struct gx_propsrc *y,
	int *ret_order) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
