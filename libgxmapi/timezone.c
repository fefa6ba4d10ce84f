/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/cursor.h>
#include <gx/recur.h>
#include "libgxmapi/caldate.h"

#define DAY 1440U
#define RULES_MAX 1024U

/* SYSTEMTIME, [MS-DTYP] 2.3.13 */
static void pull_switch(struct gx_pull *c, struct gx_tz_switch *s)
{
	s->year = gx_pull_u16(c);
	s->month = gx_pull_u16(c);
	s->weekday = gx_pull_u16(c);
	s->day = gx_pull_u16(c);
	s->hour = gx_pull_u16(c);
	s->minute = gx_pull_u16(c);
	gx_pull_skip(c, 4); /* seconds and less */
}

static int sane_switch(const struct gx_tz_switch *s)
{
	return s->month == 0 || (s->month <= 12 && s->weekday <= 6 && s->day >= 1 && s->day <= 31 && s->hour <= 24 && s->minute < 60) ? 0 : GX_E_FORMAT;
}

static int sane(const struct gx_tz *tz)
{
	const int32_t v[] = {tz->bias, tz->standard_bias, tz->daylight_bias};
	for (int i = 0; i < 3; i++)
		if (v[i] < -1500 || v[i] > 1500) /* no place is a day and more away */
			return GX_E_FORMAT;
	return sane_switch(&tz->standard) != 0 || sane_switch(&tz->daylight) != 0 ? GX_E_FORMAT : 0;
}

int gx_tz_parse(struct gx_bin b, struct gx_tz *ret_tz)
{
	struct gx_tz tz = {0};
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	tz.bias = (int32_t)gx_pull_u32(&c);
	tz.standard_bias = (int32_t)gx_pull_u32(&c);
	tz.daylight_bias = (int32_t)gx_pull_u32(&c);
	gx_pull_skip(&c, 2);
	pull_switch(&c, &tz.standard);
	gx_pull_skip(&c, 2);
	pull_switch(&c, &tz.daylight);
	int err = c.err != 0 ? c.err : sane(&tz);
	if (err == 0)
		*ret_tz = tz;
	return err;
}

int gx_tz_parse_definition(struct gx_bin b, unsigned year, struct gx_tz *ret_tz)
{
	struct gx_pull c;
	unsigned best = 0;
	bool have = false;
	gx_pull_init(&c, b.data, b.len);
	gx_pull_skip(&c, 2);
	uint16_t header = gx_pull_u16(&c);
	struct gx_pull head = gx_pull_child(&c, header);
	gx_pull_skip(&head, 2);
	gx_pull_skip(&head, (size_t)gx_pull_u16(&head) * 2);
	size_t n = gx_pull_u16(&head);
	if (head.err != 0 || n > RULES_MAX)
		return head.err != 0 ? head.err : GX_E_LIMIT;
	gx_pull_close(&c, &head, false);
	for (size_t i = 0; i < n && c.err == 0; i++) {
		struct gx_tz tz = {0};
		gx_pull_skip(&c, 6); /* versions, size, flags */
		unsigned since = gx_pull_u16(&c);
		gx_pull_skip(&c, 14);
		tz.bias = (int32_t)gx_pull_u32(&c);
		tz.standard_bias = (int32_t)gx_pull_u32(&c);
		tz.daylight_bias = (int32_t)gx_pull_u32(&c);
		pull_switch(&c, &tz.standard);
		pull_switch(&c, &tz.daylight);
		if (c.err != 0 || sane(&tz) != 0)
			break;
		if (!have || (since <= year && since >= best)) { /* rules say from which year on they hold */
			*ret_tz = tz;
			best = since;
			have = true;
		}
	}
	return c.err != 0 ? c.err : have ? 0 : GX_E_FORMAT;
}

/* The minute of the change in a year, in the time that holds before it. */
static uint32_t minute_of(const struct gx_tz_switch *s, unsigned year)
{
	unsigned last = gx_caldate__month_days(year, s->month), day;
	if (s->year != 0) {
		day = s->day < last ? s->day : last;
	} else {
		unsigned first = gx_caldate__weekday(gx_caldate__to_day(year, s->month, 1));
		day = 1 + (s->weekday + 7 - first) % 7 + (s->day < 1 ? 0 : s->day - 1U) * 7;
		while (day > last)
			day -= 7;
	}
	return gx_caldate__to_day(year, s->month, day) * DAY + s->hour * 60U + s->minute;
}

static bool is_daylight(const struct gx_tz *tz, uint32_t local)
{
	struct gx_caldate d;
	if (tz->standard.month == 0 || tz->daylight.month == 0)
		return false;
	gx_caldate__from_day(local / DAY, &d);
	uint32_t begin = minute_of(&tz->daylight, d.year), end = minute_of(&tz->standard, d.year);
	int32_t shift = tz->standard_bias - tz->daylight_bias; /* the hour that comes twice is standard time */
	if (shift > 0 && end > (uint32_t)shift)
		end -= (uint32_t)shift;
	return begin < end ? local >= begin && local < end : local >= begin || local < end;
}

int64_t gx_tz_to_utc(const struct gx_tz *tz, uint32_t local)
{
	return (int64_t)local + tz->bias + (is_daylight(tz, local) ? tz->daylight_bias : tz->standard_bias);
}
