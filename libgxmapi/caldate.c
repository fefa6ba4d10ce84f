/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdbool.h>
#include "libgxmapi/caldate.h"

/* 1601 begins a cycle of 400 years, so that leap days fall at ends of cycles. */

static bool leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

unsigned gx_caldate__month_days(unsigned year, unsigned month)
{
	static const uint8_t v[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return month < 1 || month > 12 ? 0 : v[month - 1] + (month == 2 && leap(year));
}

uint32_t gx_caldate__to_day(unsigned year, unsigned month, unsigned day)
{
	uint32_t y = year - 1601, n = y * 365 + y / 4 - y / 100 + y / 400;
	for (unsigned m = 1; m < month; m++)
		n += gx_caldate__month_days(year, m);
	return n + day - 1;
}

void gx_caldate__from_day(uint32_t day, struct gx_caldate *ret_d)
{
	unsigned year = 1601 + (unsigned)((uint64_t)day * 400 / 146097), month = 1;
	while (gx_caldate__to_day(year, 1, 1) > day)
		year--;
	while (gx_caldate__to_day(year + 1, 1, 1) <= day)
		year++;
	uint32_t left = day - gx_caldate__to_day(year, 1, 1);
	for (; left >= gx_caldate__month_days(year, month); month++)
		left -= gx_caldate__month_days(year, month);
	*ret_d = (struct gx_caldate){.year = year, .month = month, .day = left + 1};
}
