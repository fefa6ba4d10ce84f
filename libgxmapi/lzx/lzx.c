/* SPDX-License-Identifier: Apache-2.0 */
/* Windows and position slots, [MS-PATCH] 2.2 and 2.6.4 */
#include <config.h>
#include "libgxmapi/lzx/lzx-int.h"

enum { WINDOW_LEAST = 17, WINDOW_MOST = 25, EXTRA_MOST = 17, FIRST_EQUAL = 36 };

static size_t whole_chunks(size_t n)
{
	return (n + LZX_CHUNK - 1) / LZX_CHUNK * LZX_CHUNK;
}

unsigned gx_lzx__slots(size_t ref_len, size_t len)
{
	static const uint16_t slots[] = {34, 36, 38, 42, 50, 66, 98, 162, 290}; /* of windows of 2^17 bytes and more */
	unsigned bits = WINDOW_LEAST;
	while (bits < WINDOW_MOST && (size_t)1 << bits < whole_chunks(ref_len) + len)
		++bits;
	return slots[bits - WINDOW_LEAST];
}

unsigned gx_lzx__extra_bits(unsigned slot)
{
	return slot < 4 ? 0 : slot >= FIRST_EQUAL ? EXTRA_MOST : slot / 2 - 1;
}

/* Two slots for each number of bits until there are 17 of them, then all slots are of one size. */
uint32_t gx_lzx__base(unsigned slot)
{
	if (slot < 4)
		return slot;
	if (slot < FIRST_EQUAL)
		return (2U + (slot & 1)) << (slot / 2 - 1);
	return (slot - FIRST_EQUAL + 2U) << EXTRA_MOST;
}

unsigned gx_lzx__slot_of(uint32_t formatted)
{
	unsigned top = 0;
	if (formatted < 4)
		return formatted;
	if (formatted >= gx_lzx__base(FIRST_EQUAL))
		return FIRST_EQUAL - 2 + (formatted >> EXTRA_MOST);
	while (formatted >> (top + 1) != 0)
		++top;
	return 2 * top + (formatted >> (top - 1) & 1);
}
