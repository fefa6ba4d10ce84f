/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_LZXPRESS_H
#define GX_LZXPRESS_H
/**
 * @file lzxpress.h
 * The Plain LZ77 format of [MS-XCA] 2.3 and 2.4, "LZXPRESS": how payloads behind an RPC_HEADER_EXT are compressed
 * ([MS-OXCRPC] 3.1.4.1.1.2 calls it LZ77 with the DIRECT2 encoding). The format says neither how long the result is nor
 * that it is whole: both lengths must be known.
 *
 * Thread class: a work area is confined, the rest immutable. Nothing is allocated.
 */
#include <gx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most bytes that @p len bytes may become. */
#define GX_LZXPRESS_BOUND(len) ((len) + (len) / 32 * 4 + 4)

/** Work area of the compressor. It needs no preparation and keeps nothing between calls; one per thread will do. */
struct gx_lzxpress {
	uint16_t by3[8192]; /**< private */
	uint16_t by5[8192]; /**< private */
};

/**
 * Compresses. The same input gives the same output everywhere.
 * @param dst room for @p cap bytes, apart from @p src. An answer's payload has to become smaller than it was, so its
 * caller gives one byte less than @p len; GX_LZXPRESS_BOUND(len) is always enough. May be written to up to @p cap
 * even when less is used, or nothing fits.
 * @return 0, GX_E_LIMIT when @p cap bytes are not enough, GX_E_RANGE for 4 GB and more.
 */
GX_API int gx_lzxpress_compress(struct gx_lzxpress *work, const void *src, size_t len, void *dst, size_t cap,
	size_t *ret_len) GX_MUST_CHECK;

/**
 * Decompresses to exactly @p size bytes at @p dst, apart from @p src. Nothing is read or written outside of both; after
 * an error @p dst holds whatever was decoded before.
 * @return 0, GX_E_TRUNC when the input ends within an item or gives less than @p size bytes, GX_E_FORMAT when it refers
 * to what is before the first byte, has an impossible length, or gives more than @p size bytes.
 */
GX_API int gx_lzxpress_decompress(const void *src, size_t len, void *dst, size_t size) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
