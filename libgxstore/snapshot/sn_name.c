/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot is of stands in its name: its directory's time changes with a removal that is cut short. */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "libgxstore/snapshot/sn-int.h"

enum { HOUR = 3600, DAY = 86400 };
static const char *const words[GX_SNAPSHOT_KINDS] = {"hour", "day", "week", "month"};

/* Days since 1970 of the proleptic Gregorian calendar, whose cycle has 146,097 days and starts on a 1st of March. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	unsigned y = (unsigned)(year - era * 400);
	unsigned d = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + (int64_t)(y * 365 + y / 4 - y / 100 + d) - 719468;
}

static void date_of(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	unsigned d = (unsigned)(days - era * 146097);
	unsigned y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	d -= 365 * y + y / 4 - y / 100;
	unsigned m = (5 * d + 2) / 153;
	*ret_day = d - (153 * m + 2) / 5 + 1;
	*ret_month = m < 10 ? m + 3 : m - 9;
	*ret_year = (int64_t)y + era * 400 + (*ret_month <= 2);
}

static int64_t floor_div(int64_t v, int64_t by)
{
	return v / by - (v % by < 0);
}

int64_t gx_sn__local(int64_t unix_time)
{
	time_t t = (time_t)unix_time;
	struct tm tm;
	if (localtime_r(&t, &tm) == NULL)
		return unix_time;
	return days_of(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday) * DAY +
	       tm.tm_hour * HOUR + tm.tm_min * 60 + tm.tm_sec;
}

struct gx_sn_name gx_sn__name_at(int kind, int64_t local)
{
	struct gx_sn_name n = {.kind = kind};
	int64_t days = floor_div(local, DAY), year;
	unsigned month, day;
	switch (kind) {
	case GX_SNAPSHOT_HOUR:
		n.begin = floor_div(local, HOUR) * HOUR;
		break;
	case GX_SNAPSHOT_WEEK: /* the 1st of January 1970 was a Thursday */
		n.begin = (floor_div(days + 3, 7) * 7 - 3) * DAY;
		break;
	case GX_SNAPSHOT_MONTH:
		date_of(days, &year, &month, &day);
		n.begin = days_of(year, month, 1) * DAY;
		break;
	default:
		n.begin = days * DAY;
	}
	return n;
}

void gx_sn__name_print(const struct gx_sn_name *n, char out[32])
{
	int64_t year;
	unsigned month, day;
	date_of(floor_div(n->begin, DAY), &year, &month, &day);
	int len = snprintf(out, 32, "%s-%04" PRId64 "-%02u", words[n->kind], year, month);
	if (n->kind != GX_SNAPSHOT_MONTH)
		len += snprintf(out + len, 32 - (size_t)len, "-%02u", day);
	if (n->kind == GX_SNAPSHOT_HOUR)
		snprintf(out + len, 32 - (size_t)len, "T%02u", (unsigned)((n->begin - floor_div(n->begin, DAY) * DAY) / HOUR));
}

bool gx_sn__name_parse(const char *text, struct gx_sn_name *ret_n)
{
	unsigned year = 0, month = 0, day = 1, hour = 0;
	char again[32];
	for (int kind = 0; kind < GX_SNAPSHOT_KINDS; ++kind) {
		size_t n = strlen(words[kind]);
		if (strncmp(text, words[kind], n) != 0 || text[n] != '-' ||
			sscanf(text + n, "-%4u-%2u-%2uT%2u", &year, &month, &day, &hour) < 2 ||
			month < 1 || month > 12 || day < 1 || day > 31 || hour > 23)
			continue;
		*ret_n = (struct gx_sn_name){.kind = kind, .begin = days_of(year, month, day) * DAY + hour * HOUR};
		gx_sn__name_print(ret_n, again);
		return strcmp(text, again) == 0;
	}
	return false;
}

bool gx_sn__name_expired(const struct gx_sn_name *n, unsigned keep, int64_t local)
{
	static const int64_t length[GX_SNAPSHOT_KINDS] = {HOUR, DAY, 7 * DAY, 31 * DAY};
	return local >= n->begin + length[n->kind] * ((int64_t)keep + 1);
}
