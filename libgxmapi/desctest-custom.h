/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DESCTEST_CUSTOM_H
#define GX_DESCTEST_CUSTOM_H
#include <stdint.h>
/* Two nibbles in a byte: what the tables cannot say. */
struct desctest_pair {
	uint8_t hi, lo;
};
#endif
