/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "lcid.h"
#include "libgxmail/lcid-table.h"

#define ROWS (sizeof(gx_lcid_rows) / sizeof(*gx_lcid_rows))

static int compare(const char *tag, size_t n, const char *row)
{
	int c = gx_ascii_ncasecmp(tag, row, n);
	return c != 0 ? c : row[n] == '\0' ? 0 : -1;
}

static uint32_t find(const char *tag, size_t n)
{
	size_t low = 0, high = ROWS;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(tag, n, gx_lcid_rows[mid].tag);
		if (c == 0)
			return gx_lcid_rows[mid].lcid;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return 0;
}

uint32_t gx_lcid__from_tag(const char *tag, size_t n)
{
	while (n > 0) {
		uint32_t lcid = find(tag, n);
		if (lcid != 0)
			return lcid;
		while (n > 0 && tag[--n] != '-')
			continue;
	}
	return 0;
}

const char *gx_lcid__to_tag(uint32_t lcid)
{
	for (size_t i = 0; lcid != 0 && i < ROWS; ++i)
		if (gx_lcid_rows[i].lcid == lcid)
			return gx_lcid_rows[i].tag;
	return NULL;
}
