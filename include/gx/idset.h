/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_IDSET_H
#define GX_IDSET_H
/**
 * @file idset.h
 * Sets of message, folder and change numbers, as synchronisation keeps and sends them.
 *
 * A struct gx_globset holds 48-bit counters as sorted ranges; adding in ascending order costs the
 * same for any size, everything else a binary search. A struct gx_idset has one of them for each
 * replica, which is named by its short number (exmdb, deletions) or by its GUID (what is kept
 * across sessions). [MS-OXCFXICS] 2.2.2.4, 2.2.2.6, 3.1.5.4
 *
 * Both are zeroed for empty, and released by their owner. Functions that return int give 0 or a
 * GX_E_*; after GX_E_NOMEM, GX_E_LIMIT and GX_E_RANGE of a single add or remove the set is as it was. Thread
 * class: confined; several threads may read a set that nobody changes.
 */
#include <gx/cursor.h>
#include <gx/entryid.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most ranges of a set; more are GX_E_LIMIT. */
#define GX_GLOBSET_RANGES_MAX (1U << 22)
/** Most replicas of a set. */
#define GX_IDSET_REPLICAS_MAX 1024U

/** Both ends belong to it. */
struct gx_idrange {
	uint64_t lo, hi;
};

/* ---- Counters of one replica ---- */

/** Some neighbouring ranges. Private. */
struct gx_globset_chunk {
	struct gx_idrange *v;
	uint32_t n, cap;
};
/** Read count and ranges; the rest is private. */
struct gx_globset {
	uint64_t count;  /**< counters */
	uint64_t ranges; /**< runs of them */
	struct gx_globset_chunk *chunk;
	size_t nchunks, cap_chunks;
};

#define GX_GLOBSET_INIT {0}
/** Empty again, memory freed. */
GX_API void gx_globset_release(struct gx_globset *s);
/** GX_E_RANGE above GX_COUNTER_MAX. */
GX_API int gx_globset_add(struct gx_globset *s, uint64_t counter) GX_MUST_CHECK;
/** GX_E_RANGE also when @p lo is above @p hi. */
GX_API int gx_globset_add_range(struct gx_globset *s, uint64_t lo, uint64_t hi) GX_MUST_CHECK;
/** What is not in it is no error. */
GX_API int gx_globset_remove(struct gx_globset *s, uint64_t counter) GX_MUST_CHECK;
GX_API int gx_globset_remove_range(struct gx_globset *s, uint64_t lo, uint64_t hi) GX_MUST_CHECK;
GX_API bool gx_globset_contains(const struct gx_globset *s, uint64_t counter);
/** The range that @p counter is in. @return false when it is in none. */
GX_API bool gx_globset_find(const struct gx_globset *s, uint64_t counter, struct gx_idrange *ret_r);
GX_API bool gx_globset_equal(const struct gx_globset *a, const struct gx_globset *b);
/** Adds all of @p b to @p a. On error @p a may have a part of it. */
GX_API int gx_globset_union(struct gx_globset *a, const struct gx_globset *b) GX_MUST_CHECK;
/** Removes all of @p b from @p a. On error @p a may have lost a part of it. */
GX_API int gx_globset_subtract(struct gx_globset *a, const struct gx_globset *b) GX_MUST_CHECK;

/** Walks through the ranges, ascending. The set must not change meanwhile. */
struct gx_globset_iter {
	const struct gx_globset *set;
	size_t chunk;
	uint32_t i;
};
GX_API void gx_globset_iter(const struct gx_globset *s, struct gx_globset_iter *ret_it);
/** From the first range that ends at @p counter or above. */
GX_API void gx_globset_iter_from(const struct gx_globset *s, uint64_t counter, struct gx_globset_iter *ret_it);
/** @return false at the end. */
GX_API bool gx_globset_next(struct gx_globset_iter *it, struct gx_idrange *ret_r);

/** Appends it as commands of [MS-OXCFXICS] 2.2.2.6, few bytes of them, with their end. Errors stick to @p out. */
GX_API void gx_globset_push(struct gx_push *out, const struct gx_globset *s);
/**
 * Adds what is encoded, up to and with its end. Any order and any overlap is taken.
 * GX_E_FORMAT and GX_E_TRUNC stick to @p c; on error @p s may have a part of it.
 */
GX_API int gx_globset_pull(struct gx_pull *c, struct gx_globset *s) GX_MUST_CHECK;

/* ---- Counters of several replicas ---- */

enum { GX_IDSET_REPLID = 0, GX_IDSET_REPLGUID = 1 };
struct gx_idset_replica {
	uint16_t replid;     /**< of GX_IDSET_REPLID */
	struct gx_guid guid; /**< of GX_IDSET_REPLGUID */
	struct gx_globset set;
};
/** v is ascending by replica: by number, or by the bytes of the GUID. Read only. */
struct gx_idset {
	int form;            /**< how replicas are named, GX_IDSET_* */
	struct gx_idset_replica *v;
	size_t n, cap;
};

#define GX_IDSET_INIT(f) {.form = (f)}
/** Empty again, of the same form. */
GX_API void gx_idset_release(struct gx_idset *s);
/** Counters of all replicas. */
GX_API uint64_t gx_idset_count(const struct gx_idset *s);
/** The counters of a replica; NULL when it is not there. Borrowed until a replica is added. */
GX_API const struct gx_globset *gx_idset_get(const struct gx_idset *s, uint16_t replid);
GX_API const struct gx_globset *gx_idset_get_guid(const struct gx_idset *s, const struct gx_guid *guid);
/** The same to be changed; added when it is not there. GX_E_INVAL for a set of the other form; GX_E_LIMIT. */
GX_API int gx_idset_need(struct gx_idset *s, uint16_t replid, struct gx_globset **ret_g) GX_MUST_CHECK;
GX_API int gx_idset_need_guid(struct gx_idset *s, const struct gx_guid *guid, struct gx_globset **ret_g) GX_MUST_CHECK;
/** With ids as gx_eid_make() gives them, for sets with replica numbers. */
GX_API int gx_idset_add(struct gx_idset *s, uint64_t eid) GX_MUST_CHECK;
GX_API int gx_idset_remove(struct gx_idset *s, uint64_t eid) GX_MUST_CHECK;
GX_API bool gx_idset_contains(const struct gx_idset *s, uint64_t eid);
GX_API bool gx_idset_equal(const struct gx_idset *a, const struct gx_idset *b);
/** Of two sets of one form, else GX_E_INVAL. On error a part may be done. */
GX_API int gx_idset_union(struct gx_idset *a, const struct gx_idset *b) GX_MUST_CHECK;
GX_API int gx_idset_subtract(struct gx_idset *a, const struct gx_idset *b) GX_MUST_CHECK;

/** Gives the GUID for a number or the number for a GUID; GX_E_NOTFOUND leaves the replica out. */
typedef int (*gx_idset_map_cb)(struct gx_idset_replica *io_names, void *ctx);
/** Adds @p src, of one form, to @p dst, of the other. Errors of the callback are passed on. */
GX_API int gx_idset_convert(struct gx_idset *dst, const struct gx_idset *src, gx_idset_map_cb map, void *ctx) GX_MUST_CHECK;

/** Appends the wire form; replicas without a counter are left out. [MS-OXCFXICS] 2.2.2.4.1, 2.2.2.4.2 */
GX_API void gx_idset_push(struct gx_push *out, const struct gx_idset *s);
/** Adds all that is left of the input, in the form of @p s. GX_E_FORMAT, GX_E_TRUNC, GX_E_LIMIT stick to @p c. */
GX_API int gx_idset_pull(struct gx_pull *c, struct gx_idset *s) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
