/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXMAPI_CALDATE_H
#define GXMAPI_CALDATE_H
/* Gregorian dates as days since January 1, 1601, which was a Monday. */
#include <stdint.h>

struct gx_caldate {
	unsigned year, month, day; /* from 1 */
};
void gx_caldate__from_day(uint32_t day, struct gx_caldate *ret_d);
uint32_t gx_caldate__to_day(unsigned year, unsigned month, unsigned day);
unsigned gx_caldate__month_days(unsigned year, unsigned month);
/* Months since January 1601. */
static inline unsigned gx_caldate__months(const struct gx_caldate *d)
{
	return (d->year - 1601) * 12 + d->month - 1;
}
/* 0 is Sunday. */
static inline unsigned gx_caldate__weekday(uint32_t day)
{
	return (day + 1) % 7;
}

#endif
