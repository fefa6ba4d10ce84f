/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CRC32C_H
#define GX_CRC32C_H
#include <stddef.h>
#include <stdint.h>

/** CRC-32C (Castagnoli, [RFC 3720] B.4) of @p n bytes, continuing from @p crc (0 at the start). */
uint32_t gx_crc32c__update(uint32_t crc, const void *data, size_t n);
/** The same without the processor's instruction, for tests. */
uint32_t gx_crc32c__table(uint32_t crc, const void *data, size_t n);

#endif
