/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ARENA_H
#define GX_ARENA_H
/**
 * @file arena.h
 * Memory with one lifetime: allocated piece by piece, released together.
 *
 * A function whose first parameter is an arena returns memory that dies with it. A request takes
 * one arena, which is reset when the answer is out. Thread class: confined.
 */
#include <stdarg.h>
#include <gx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_arena;

/** @param limit most bytes it may hold, 0 for no limit. @return NULL when out of memory. */
GX_API struct gx_arena *gx_arena_new(size_t limit);
/** Accepts NULL. */
GX_API void gx_arena_free(struct gx_arena *a);
/** Everything allocated dies; the first block is kept for reuse. */
GX_API void gx_arena_reset(struct gx_arena *a);
/** Bytes handed out since the last reset. */
GX_API size_t gx_arena_used(const struct gx_arena *a);

/** @return memory aligned for any type, NULL when out of memory or over the limit. 0 gives a valid pointer. */
GX_API void *gx_arena_alloc(struct gx_arena *a, size_t n);
/** n * size zeroed bytes, overflow checked. */
GX_API void *gx_arena_calloc(struct gx_arena *a, size_t n, size_t size);
GX_API void *gx_arena_memdup(struct gx_arena *a, const void *p, size_t n);
/** NULL gives NULL. */
GX_API char *gx_arena_strdup(struct gx_arena *a, const char *s);
/** At most @p n bytes, always terminated. */
GX_API char *gx_arena_strndup(struct gx_arena *a, const char *s, size_t n);
GX_API char *gx_arena_printf(struct gx_arena *a, const char *fmt, ...) GX_PRINTF(2, 3);
GX_API char *gx_arena_vprintf(struct gx_arena *a, const char *fmt, va_list ap) GX_PRINTF(2, 0);
/**
 * Grows an array that was allocated here: makes room for @p want elements of @p size bytes.
 * @param io_cap in and out: the capacity in elements. @return the array (moved or not), or NULL.
 */
GX_API void *gx_arena_grow(struct gx_arena *a, void *p, size_t *io_cap, size_t want, size_t size);

#define gx_arena_new_obj(a, type) ((type *)gx_arena_calloc((a), 1, sizeof(type)))
#define gx_arena_new_array(a, type, n) ((type *)gx_arena_calloc((a), (n), sizeof(type)))

#ifdef __cplusplus
}
#endif
#endif
