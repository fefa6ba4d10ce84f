/* SPDX-License-Identifier: Apache-2.0 */
/* Values on the command line: numbers, times, time spans, languages. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/conf.h>
#include "libgxproto/mbop/mbop-int.h"

static int bad(struct gx_arena *a, const char **ret_why, const char *text, const char *expected)
{
	const char *why = gx_arena_printf(a, "\"%s\" is no %s", text, expected);
	*ret_why = why != NULL ? why : "";
	return why != NULL ? GX_E_INVAL : GX_E_NOMEM;
}

/* Decimal or 0x..., without sign. */
static bool number(const char *s, uint64_t *ret_n)
{
	char *end;
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *digits = hex ? s + 2 : s;
	if (*digits == '\0' || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*ret_n = strtoull(digits, &end, hex ? 16 : 10);
	return errno == 0;
}

/* Exactly @n digits; moves on. */
static bool digits(const char **s, int n, int *ret_v)
{
	*ret_v = 0;
	for (int i = 0; i < n; ++i, ++*s) {
		if (**s < '0' || **s > '9')
			return false;
		*ret_v = *ret_v * 10 + (**s - '0');
	}
	return true;
}

static bool literal(const char **s, char c)
{
	return **s == c && ++*s != NULL;
}

/* "Z", "+hhmm", "-hhmm", or nothing: local time. */
static bool zone(const char **s, struct tm *tm, int64_t *ret_t)
{
	int hours, minutes, sign = **s == '-' ? -1 : 1;
	if (**s == '\0') {
		tm->tm_isdst = -1;
		*ret_t = mktime(tm);
		return true;
	}
	*ret_t = timegm(tm);
	if (literal(s, 'Z'))
		return true;
	if (**s != '+' && **s != '-')
		return false;
	++*s;
	if (!digits(s, 2, &hours) || !digits(s, 2, &minutes) || hours > 14 || minutes > 59)
		return false;
	*ret_t -= sign * (hours * INT64_C(3600) + minutes * 60);
	return true;
}

static bool in_range(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y = tm->tm_year + 1900;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	if (y < 1601 || tm->tm_mon < 0 || tm->tm_mon > 11)
		return false;
	return tm->tm_mday >= 1 && tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1) && tm->tm_hour <= 23 &&
	       tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* yyyy-mm-ddThh:mm:ss with or without zone, or seconds since 1970. */
static bool point(const char *s, int64_t *ret_t)
{
	struct tm tm = {.tm_sec = 0};
	uint64_t n;
	bool negative = *s == '-';
	if (number(negative ? s + 1 : s, &n) && n <= INT64_C(99999999999)) {
		*ret_t = negative ? -(int64_t)n : (int64_t)n;
		return true;
	}
	if (!digits(&s, 4, &tm.tm_year) || !literal(&s, '-') || !digits(&s, 2, &tm.tm_mon) || !literal(&s, '-') ||
	    !digits(&s, 2, &tm.tm_mday) || !literal(&s, 'T') || !digits(&s, 2, &tm.tm_hour) || !literal(&s, ':') ||
	    !digits(&s, 2, &tm.tm_min) || !literal(&s, ':') || !digits(&s, 2, &tm.tm_sec))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return in_range(&tm) && zone(&s, &tm, ret_t) && *s == '\0';
}

static size_t letters(const char *s, int low, int high)
{
	size_t n = 0;
	while (s[n] >= low && s[n] <= high)
		++n;
	return n;
}

/* ISO 639 language, and a territory of ISO 3166-1 or a number of UN M.49. */
static bool locale(const char *s)
{
	size_t n = letters(s, 'a', 'z');
	if (n < 2 || n > 3)
		return false;
	if (s[n] == '\0')
		return true;
	if (s[n] != '_')
		return false;
	s += n + 1;
	n = strlen(s);
	return (n == 2 && letters(s, 'A', 'Z') == 2) || (n == 3 && letters(s, '0', '9') == 3);
}

static bool address(const char *s)
{
	const char *at = strrchr(s, '@');
	return at != NULL && at != s && at[1] != '\0' && s[strcspn(s, " \t\r\n")] == '\0';
}

static int span(struct gx_arena *a, const char *text, uint64_t *ret_n, const char **ret_why)
{
	return gx_conf_parse_duration(text, ret_n) == 0 ? 0 : bad(a, ret_why, text, "time span, as 90s, 12 h, 1week are");
}

int gx_mbop__value(struct gx_arena *a, uint8_t type, const char *text, struct gx_mbop_value *v, const char **ret_why)
{
	int64_t t;
	v->text = text;
	switch (type) {
	case GX_MBOP_FOLDER_OR_ALL:
		v->all = strcmp(text, "all") == 0;
		return v->all ? 0 : gx_mbop__spec(a, text, &v->spec, ret_why);
	case GX_MBOP_FOLDER:
		return gx_mbop__spec(a, text, &v->spec, ret_why);
	case GX_MBOP_MESSAGE:
		return number(text, &v->num) && v->num != 0 && v->num <= GX_COUNTER_MAX ? 0 : bad(a, ret_why, text, "message number");
	case GX_MBOP_NUMBER:
		return number(text, &v->num) ? 0 : bad(a, ret_why, text, "number");
	case GX_MBOP_AGE:
		return span(a, text, &v->num, ret_why);
	case GX_MBOP_TIME:
		if (!point(text, &t))
			return bad(a, ret_why, text, "time, as 2026-11-27T09:00:00, 2026-11-27T09:00:00+0100, or seconds since 1970 are");
		v->num = (uint64_t)t;
		return 0;
	case GX_MBOP_LOCALE:
		return locale(text) ? 0 : bad(a, ret_why, text, "locale, as de, pt_BR are");
	case GX_MBOP_ADDRESS:
		return address(text) ? 0 : bad(a, ret_why, text, "mail address");
	case GX_MBOP_USERMAP:
		return gx_mbop__map_read(a, text, &v->map, ret_why);
	default:
		return 0;
	}
}
