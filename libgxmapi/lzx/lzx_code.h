/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_LZX_CODE_H
#define GX_LZX_CODE_H
/* Prefix codes: made of frequencies, and read. Canonical: shorter ones first, of one length by symbol. */
#include "libgxmapi/lzx/lzx-int.h"

/*
 * Lengths of at most @most bits for symbols that occur; 0 for those that do not. The code is complete: with a single symbol another one
 * gets a length too. @n at most LZX_MAIN_MOST; all zero when nothing occurs.
 */
void gx_lzx__lengths(const uint32_t *freq, unsigned n, unsigned most, uint8_t *ret_len);
void gx_lzx__codes(const uint8_t *len, unsigned n, uint16_t *ret_code);

enum { LZX_FAST = 10 };
struct gx_lzx_reader {
	uint16_t fast[1 << LZX_FAST];              /* symbol * 16 + length; 0: longer than LZX_FAST */
	uint32_t limit[LZX_CODE_MOST + 2];         /* first code of 16 bits that is longer */
	uint16_t first[LZX_CODE_MOST + 1];         /* in sorted, of that length */
	uint16_t sorted[LZX_MAIN_MOST];
	bool empty;
};
/* False: the lengths are those of no code. All of them 0 is one that cannot be read. */
bool gx_lzx__reader(struct gx_lzx_reader *r, const uint8_t *len, unsigned n);

#endif
