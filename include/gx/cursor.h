/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CURSOR_H
#define GX_CURSOR_H
/**
 * @file cursor.h
 * The only way bytes are read from and written to wire and disk structures.
 *
 * Both cursors have a sticky error: after the first failure reads give zero and writes do
 * nothing; test err once at the end. All numbers are little-endian unless the name says be.
 * Thread class: confined.
 */
#include <gx/arena.h>
#include <gx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Reads from borrowed bytes. */
struct gx_pull {
	const uint8_t *p;
	size_t left;
	const uint8_t *start; /**< for offsets in messages */
	int err;              /**< 0 or the first GX_E_* */
	unsigned depth;       /**< nesting so far, see gx_pull_enter() */
	unsigned max_depth;
};

GX_API void gx_pull_init(struct gx_pull *c, const void *data, size_t len);
/** Sets the sticky error if there is none yet; returns it. */
GX_API int gx_pull_fail(struct gx_pull *c, int err);
GX_API uint8_t gx_pull_u8(struct gx_pull *c);
GX_API uint16_t gx_pull_u16(struct gx_pull *c);
GX_API uint32_t gx_pull_u32(struct gx_pull *c);
GX_API uint64_t gx_pull_u64(struct gx_pull *c);
GX_API uint16_t gx_pull_u16be(struct gx_pull *c);
GX_API uint32_t gx_pull_u32be(struct gx_pull *c);
GX_API uint64_t gx_pull_u48be(struct gx_pull *c);
GX_API float gx_pull_f32(struct gx_pull *c);
GX_API double gx_pull_f64(struct gx_pull *c);
/** LEB128, at most 10 bytes. */
GX_API uint64_t gx_pull_varint(struct gx_pull *c);
GX_API struct gx_guid gx_pull_guid(struct gx_pull *c);
/** @p n bytes borrowed from the input; NULL on failure (also GX_E_TRUNC). */
GX_API const uint8_t *gx_pull_bytes(struct gx_pull *c, size_t n);
/** A NUL-terminated 8-bit string borrowed from the input; "" on failure. */
GX_API const char *gx_pull_strz(struct gx_pull *c);
GX_API void gx_pull_skip(struct gx_pull *c, size_t n);
/**
 * Checks a count read from input: fails with GX_E_TRUNC unless @p n elements of at least
 * @p min_size bytes can still follow. @return n, or 0 on failure. Allocate by this value only.
 */
GX_API size_t gx_pull_count(struct gx_pull *c, uint64_t n, size_t min_size);
/** A cursor over the next @p n bytes that cannot see past them; the parent moves behind them. */
GX_API struct gx_pull gx_pull_child(struct gx_pull *c, size_t n);
/** Takes over the child's error; with @p exact, unread bytes are GX_E_FORMAT. */
GX_API void gx_pull_close(struct gx_pull *parent, const struct gx_pull *child, bool exact);
/** Around recursive structures. @return false (and GX_E_DEPTH) when too deep. */
GX_API bool gx_pull_enter(struct gx_pull *c);
GX_API void gx_pull_leave(struct gx_pull *c);

/** Writes into a growing buffer of its own. */
struct gx_push {
	uint8_t *data;
	size_t len, cap;
	size_t limit; /**< most bytes, 0 for none */
	int err;
};

#define GX_PUSH_INIT {0}
GX_API void gx_push_init(struct gx_push *c, size_t limit);
GX_API void gx_push_release(struct gx_push *c);
/** Empty and without error; keeps the memory. */
GX_API void gx_push_clear(struct gx_push *c);
GX_API int gx_push_fail(struct gx_push *c, int err);
GX_API void gx_push_u8(struct gx_push *c, uint8_t v);
GX_API void gx_push_u16(struct gx_push *c, uint16_t v);
GX_API void gx_push_u32(struct gx_push *c, uint32_t v);
GX_API void gx_push_u64(struct gx_push *c, uint64_t v);
GX_API void gx_push_u16be(struct gx_push *c, uint16_t v);
GX_API void gx_push_u32be(struct gx_push *c, uint32_t v);
GX_API void gx_push_u48be(struct gx_push *c, uint64_t v);
GX_API void gx_push_f32(struct gx_push *c, float v);
GX_API void gx_push_f64(struct gx_push *c, double v);
GX_API void gx_push_varint(struct gx_push *c, uint64_t v);
GX_API void gx_push_guid(struct gx_push *c, const struct gx_guid *g);
GX_API void gx_push_bytes(struct gx_push *c, const void *p, size_t n);
/** With the terminating NUL. */
GX_API void gx_push_strz(struct gx_push *c, const char *s);
/** Text without a NUL. */
GX_API void gx_push_str(struct gx_push *c, const char *s);
GX_API void gx_push_printf(struct gx_push *c, const char *fmt, ...) GX_PRINTF(2, 3);
/** Room for @p n more bytes, to be filled by the caller and counted by gx_push_added(); NULL on failure. */
GX_API uint8_t *gx_push_reserve(struct gx_push *c, size_t n);
GX_API void gx_push_added(struct gx_push *c, size_t n);
/** Overwrites a number written before at @p off (lengths and counts known later). */
GX_API void gx_push_patch_u8(struct gx_push *c, size_t off, uint8_t v);
GX_API void gx_push_patch_u16(struct gx_push *c, size_t off, uint16_t v);
GX_API void gx_push_patch_u32(struct gx_push *c, size_t off, uint32_t v);
/** The bytes copied into the arena. @return 0, the sticky error, or GX_E_NOMEM. */
GX_API int gx_push_finish(struct gx_push *c, struct gx_arena *a, struct gx_bin *ret_bin) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
