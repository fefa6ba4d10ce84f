/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_BASE64_SIMD_H
#define GX_BASE64_SIMD_H
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#define GX_B64__HAVE_SIMD 1
/* Contracts as gx_b64__decode_groups() and gx_b64__encode_groups(), but they may stop early. */
size_t gx_b64__decode_ssse3(const uint8_t *in, size_t len, uint8_t *out, size_t *ret_used);
size_t gx_b64__decode_avx2(const uint8_t *in, size_t len, uint8_t *out, size_t *ret_used);
/* Both return the number of bytes encoded, a multiple of 3. */
size_t gx_b64__encode_ssse3(const uint8_t *in, size_t n, size_t avail, uint8_t *out);
size_t gx_b64__encode_avx2(const uint8_t *in, size_t n, size_t avail, uint8_t *out);
#endif

#endif
