/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RPCEXT_H
#define GX_RPCEXT_H
/**
 * @file rpcext.h
 * Extended buffers: payloads behind an RPC_HEADER_EXT, compressed or obscured, [MS-OXCRPC] 2.2.2.1 and 3.1.4.1.1.
 * Thread class: confined.
 */
#include <gx/cursor.h>
#include <gx/lzxpress.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Flags of RPC_HEADER_EXT. */
enum { GX_EXT_COMPRESSED = 1, GX_EXT_XOR_MAGIC = 2, GX_EXT_LAST = 4 };
/** Most bytes of a payload. */
#define GX_EXT_PAYLOAD_MAX 0xffffU

/**
 * The next payload, as it was before it was packed: borrowed from the input, or in @p a. @p ret_last: none follows.
 * The error is in the cursor: GX_E_FORMAT, GX_E_TRUNC, GX_E_NOMEM.
 */
GX_API void gx_ext_pull(struct gx_pull *c, struct gx_arena *a, struct gx_bin *ret_payload, bool *ret_last);
/**
 * Adds a payload. @param flags GX_EXT_*; COMPRESSED: if that makes it smaller. @p work may be NULL without that. GX_E_RANGE
 * when it is too large.
 */
GX_API void gx_ext_push(struct gx_push *c, struct gx_bin payload, unsigned flags, struct gx_lzxpress *work);

#ifdef __cplusplus
}
#endif
#endif
