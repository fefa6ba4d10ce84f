/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RTFCP_H
#define GX_RTFCP_H
/**
 * @file rtfcp.h
 * RTF as PidTagRtfCompressed holds it, [MS-OXRTFCP]. Thread class: confined.
 */
#include <gx/cursor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Appends the RTF of a value, compressed (LZFu) or not (MELA), to @p out.
 * @param max most bytes it may have; GX_E_LIMIT when there are more. GX_E_FORMAT: it is no such value, or its
 * checksum is wrong; GX_E_TRUNC: a part of it is missing. Then @p out is as it was.
 */
GX_API int gx_rtfcp_decode(const void *data, size_t len, size_t max, struct gx_push *out) GX_MUST_CHECK;
/**
 * Appends the value for @p rtf: the smaller of both forms. GX_E_RANGE for more than 2 GB, else
 * the error of @p out.
 */
GX_API int gx_rtfcp_encode(const void *rtf, size_t len, struct gx_push *out) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
