/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of header fields: [RFC 5322] 3.3 and 4.3, and what else is found in mail. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxmail/mime-int.h"

static const char months[] = "jan\0feb\0mar\0apr\0may\0jun\0jul\0aug\0sep\0oct\0nov\0dec";
static const char days[] = "sun\0mon\0tue\0wed\0thu\0fri\0sat";

struct date {
	int year, month, day, hour, min, sec, offset; /* -1: not seen */
	bool pm, am, zoned;
};

static int name_index(const char *table, int count, const char *word)
{
	for (int i = 0; i < count; ++i)
		if (gx_ascii_ncasecmp(table + i * 4, word, 3) == 0)
			return i;
	return -1;
}

/* Letters of the military zones mean nothing reliable: [RFC 5322] 4.3. */
static bool zone_by_name(const char *word, int *ret_min)
{
	static const struct {
		const char *name;
		int min;
	} zones[] = {
		{"GMT", 0}, {"UT", 0}, {"UTC", 0}, {"Z", 0}, {"EST", -300}, {"EDT", -240}, {"CST", -360},
		{"CDT", -300}, {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"AKST", -540},
		{"AKDT", -480}, {"HST", -600}, {"WET", 0}, {"WEST", 60}, {"BST", 60}, {"CET", 60},
		{"CEST", 120}, {"MET", 60}, {"MEST", 120}, {"EET", 120}, {"EEST", 180}, {"MSK", 180},
		{"JST", 540}, {"KST", 540}, {"AEST", 600}, {"AEDT", 660}, {"NZST", 720}, {"NZDT", 780},
	};
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); ++i) {
		if (gx_ascii_casecmp(word, zones[i].name) == 0) {
			*ret_min = zones[i].min;
			return true;
		}
	}
	return false;
}

static const char *take_word(const char *s, struct date *d)
{
	char word[16];
	size_t n = 0;
	while ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') {
		if (n < sizeof(word) - 1)
			word[n++] = *s;
		++s;
	}
	word[n] = '\0';
	int month = n >= 3 ? name_index(months, 12, word) : -1;
	if (month >= 0 && d->month < 0)
		d->month = month + 1;
	else if (n == 2 && (word[1] | 0x20) == 'm' && (word[0] | 0x20) == 'p')
		d->pm = true;
	else if (n == 2 && (word[1] | 0x20) == 'm' && (word[0] | 0x20) == 'a')
		d->am = true;
	else if (!d->zoned && (n < 3 || name_index(days, 7, word) < 0) && zone_by_name(word, &d->offset))
		d->zoned = true;
	return s;
}

/* At most 9 digits. @return their number. */
static int take_number(const char **io_s, int *ret_v)
{
	int n = 0, v = 0;
	for (; **io_s >= '0' && **io_s <= '9' && n < 9; ++*io_s, ++n)
		v = v * 10 + (**io_s - '0');
	*ret_v = v;
	return n;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* +hhmm, +hh:mm, +h */
static const char *take_offset(const char *s, struct date *d)
{
	int sign = *s++ == '-' ? -1 : 1, v, n = take_number(&s, &v), min = 0;
	if (n <= 2 && *s == ':' && is_digit(s[1])) {
		++s;
		(void)take_number(&s, &min);
		v = v * 100 + min;
	} else if (n <= 2) {
		v *= 100;
	}
	bool sane = v / 100 <= 24 && v % 100 < 60;
	d->offset = sane ? sign * (v / 100 * 60 + v % 100) : 0;
	d->zoned = true;
	return s;
}

/* Behind the hour: minutes, seconds, a fraction nobody needs. */
static const char *take_time(const char *s, int hour, struct date *d)
{
	int ignored;
	d->hour = hour;
	d->sec = 0;
	++s;
	(void)take_number(&s, &d->min);
	if ((*s == ':' || *s == '.') && is_digit(s[1])) {
		++s;
		(void)take_number(&s, &d->sec);
		if ((*s == '.' || *s == ',') && is_digit(s[1])) {
			++s;
			(void)take_number(&s, &ignored);
		}
	}
	return s;
}

/* yyyy-mm-dd */
static const char *take_iso(const char *s, int year, struct date *d)
{
	d->year = year;
	++s;
	(void)take_number(&s, &d->month);
	if (*s == '-' && is_digit(s[1])) {
		++s;
		(void)take_number(&s, &d->day);
	}
	return *s == 'T' || *s == 't' ? s + 1 : s;
}

/* [RFC 5322] 4.3 */
static int full_year(int v, int digits)
{
	return digits == 2 ? v + (v < 50 ? 2000 : 1900) : digits == 3 ? v + 1900 : v;
}

static const char *take_digits(const char *s, struct date *d)
{
	int v, n = take_number(&s, &v);
	if (d->hour < 0 && n <= 2 && (*s == ':' || (*s == '.' && d->year >= 0)) && is_digit(s[1]))
		return take_time(s, v, d);
	if (n == 4 && *s == '-' && is_digit(s[1]) && d->month < 0)
		return take_iso(s, v, d);
	if (n <= 2 && d->day < 0)
		d->day = v;
	else if (n >= 2 && n <= 4 && d->year < 0)
		d->year = full_year(v, n);
	else if (n > 4)
		d->year = 10000;
	return s;
}

static const char *take_token(const char *s, struct date *d)
{
	if (is_digit(*s))
		return take_digits(s, d);
	if ((*s == '+' || *s == '-') && d->hour >= 0 && is_digit(s[1]))
		return take_offset(s, d);
	if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z')
		return take_word(s, d);
	return s + 1;
}

/* Days since 1970 of a date of the Gregorian calendar, counted from a year that begins in March. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2), m = month <= 2 ? month + 9 : month - 3;
	int64_t leap = y / 4 - y / 100 + y / 400;
	return y * 365 + leap + (m * 306 + 5) / 10 + day - 719469;
}

static bool is_valid(struct date *d)
{
	if (d->hour < 0)
		d->hour = d->min = d->sec = 0;
	if (d->pm && d->hour < 12)
		d->hour += 12;
	else if (d->am && d->hour == 12)
		d->hour = 0;
	return d->day >= 1 && d->day <= 31 && d->month >= 1 && d->month <= 12 && d->year >= 1 &&
		d->year <= 9999 && d->hour <= 24 && d->min <= 59 && d->sec <= 60;
}

int gx_mime_date(const char *value, int64_t *ret_unix, int *ret_offset_min)
{
	struct date d = {.year = -1, .month = -1, .day = -1, .hour = -1};
	const char *s = gx_mime__skip_cfws(value);
	while (*s != '\0')
		s = gx_mime__skip_cfws(take_token(s, &d));
	if (!is_valid(&d))
		return GX_E_FORMAT;
	*ret_unix = days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.min * 60 + d.sec -
		(int64_t)d.offset * 60;
	*ret_offset_min = d.offset;
	return 0;
}

/* The inverse of days_of(). */
static void date_of(int64_t n, struct date *d)
{
	n += 719468;
	int64_t era = (n >= 0 ? n : n - 146096) / 146097, doe = n - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), m = (5 * doy + 2) / 153;
	d->day = (int)(doy - (153 * m + 2) / 5) + 1;
	d->month = (int)(m < 10 ? m + 3 : m - 9);
	d->year = (int)(yoe + era * 400) + (d->month <= 2);
}

void gx_mime_date_print(int64_t unix_sec, int offset_min, char out[40])
{
	const int64_t first = -INT64_C(11644473600), last = INT64_C(253402300799); /* 1601, the first FILETIME; the end of 9999 */
	int off = offset_min < -5999 || offset_min > 5999 ? 0 : offset_min;
	int64_t t = unix_sec < first ? first : unix_sec > last ? last : unix_sec;
	t += (int64_t)off * 60;
	int64_t day = t / 86400, sec = t % 86400;
	if (sec < 0) {
		sec += 86400;
		--day;
	}
	struct date d;
	date_of(day, &d);
	int abs_off = off < 0 ? -off : off, wday = (int)((day % 7 + 11) % 7);
	char dn[4], mn[4];
	memcpy(dn, days + wday * 4, 4);
	memcpy(mn, months + (d.month - 1) * 4, 4);
	dn[0] = (char)(dn[0] - 0x20);
	mn[0] = (char)(mn[0] - 0x20);
	snprintf(out, 40, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d", dn, d.day, mn, d.year,
		(int)(sec / 3600), (int)(sec / 60 % 60), (int)(sec % 60), off < 0 ? '-' : '+',
		abs_off / 60, abs_off % 60);
}
