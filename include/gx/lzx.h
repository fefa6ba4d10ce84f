/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_LZX_H
#define GX_LZX_H
/**
 * @file lzx.h
 * LZX DELTA, [MS-PATCH]: how offline address books are compressed and made of their predecessors, [MS-OXOAB] 2.10 and 2.11.
 * The format says neither how long the result is nor how large the window was: both follow from the lengths, which must be known.
 *
 * Thread class: immutable.
 */
#include <gx/cursor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most bytes of reference and data together: the largest window. */
#define GX_LZX_MOST ((size_t)1 << 25)

/**
 * Appends @p len bytes at @p data, compressed, to @p out. What is also in @p ref need not be said again; the same must be there when it is
 * decompressed. @p ref_len 0: nothing is. An empty input is no bytes. The same input gives the same output everywhere. Needs about ten
 * times the memory of both inputs. GX_E_RANGE above GX_LZX_MOST, GX_E_NOMEM; reported through @p out.
 */
GX_API void gx_lzx_compress(struct gx_push *out, const void *ref, size_t ref_len, const void *data, size_t len);
/**
 * Decompresses to exactly @p size bytes at @p dst, apart from the inputs. After an error @p dst holds whatever was decoded before.
 * GX_E_TRUNC: the input ends too soon; GX_E_FORMAT: it refers to what is not there, or is no LZX; GX_E_RANGE; GX_E_NOMEM.
 */
GX_API int gx_lzx_decompress(const void *ref, size_t ref_len, const void *src, size_t len, void *dst, size_t size) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
