/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_LZX_INT_H
#define GX_LZX_INT_H
/* What both directions of LZX know, [MS-PATCH] 2.2 to 2.7 */
#include <gx/lzx.h>

enum {
	LZX_CHARS = 256, LZX_LENGTHS = 249, LZX_ALIGNED = 8, LZX_PRETREE = 20,
	LZX_SLOTS_MOST = 290, LZX_MAIN_MOST = LZX_CHARS + LZX_SLOTS_MOST * 8,
	LZX_CODE_MOST = 16,                            /* bits */
	LZX_MATCH_LEAST = 2, LZX_PRIMARY = 7,          /* lengths above 2 + 6 have a footer */
	LZX_MATCH_PLAIN = 257,                         /* with this one more follows */
	LZX_EXTRA1 = 0x100, LZX_EXTRA2 = 0x500, LZX_EXTRA3 = 0x1500,
	LZX_MATCH_MOST = LZX_MATCH_PLAIN + 0x7fff,
	LZX_CHUNK = 32768,
	LZX_VERBATIM = 1, LZX_ALIGNED_OFFSETS = 2, LZX_UNCOMPRESSED = 3,
	LZX_TYPE_BITS = 3, LZX_BLOCK_BITS = 24, LZX_REPEATS = 3,
};

/* Position slots of the window that both lengths need. */
unsigned gx_lzx__slots(size_t ref_len, size_t len);
/* Bits behind a slot, and the first formatted offset of it. */
unsigned gx_lzx__extra_bits(unsigned slot);
uint32_t gx_lzx__base(unsigned slot);
unsigned gx_lzx__slot_of(uint32_t formatted);

#endif
