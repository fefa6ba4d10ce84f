/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/parse.h"

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Proleptic Gregorian calendar in eras of 400 years that begin on 1 March. */
int64_t gx_imap__days_from_civil(int y, unsigned m, unsigned d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

static void civil_from_days(int64_t z, int64_t *ret_y, unsigned *ret_m, unsigned *ret_d)
{
	z += 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	*ret_d = doy - (153 * mp + 2) / 5 + 1;
	*ret_m = mp < 10 ? mp + 3 : mp - 9;
	*ret_y = (int64_t)yoe + era * 400 + (*ret_m <= 2);
}

static bool month(struct imap_parse *c, unsigned *ret)
{
	for (unsigned i = 0; i < 12; ++i) {
		if (c->end - c->p >= 3 && gx_ascii_ncasecmp(c->p, months[i], 3) == 0) {
			c->p += 3;
			*ret = i + 1;
			return true;
		}
	}
	return gx_imap__fail(c, "Invalid month");
}

static bool date_text(struct imap_parse *c, int64_t *ret_day)
{
	uint64_t d, y;
	unsigned m = 0;
	if (!gx_imap__number(c, 31, &d) || !gx_imap__expect(c, '-') || !month(c, &m) || !gx_imap__expect(c, '-') ||
	    !gx_imap__number(c, 9999, &y))
		return gx_imap__fail(c, "Invalid date");
	*ret_day = gx_imap__days_from_civil((int)y, m, (unsigned)d);
	int64_t back_y;
	unsigned back_m, back_d;
	civil_from_days(*ret_day, &back_y, &back_m, &back_d);
	return (back_d == d && back_m == m) || gx_imap__fail(c, "Invalid date");
}

bool gx_imap__date(struct imap_parse *c, int64_t *ret_day)
{
	bool quoted = gx_imap__accept(c, '"');
	return date_text(c, ret_day) && (!quoted || gx_imap__expect(c, '"'));
}

/* Fixed width: hh:mm:ss and zzzz have no other forms. */
static bool two_digits(struct imap_parse *c, unsigned max, unsigned *ret)
{
	if (c->end - c->p < 2 || c->p[0] < '0' || c->p[0] > '9' || c->p[1] < '0' || c->p[1] > '9')
		return gx_imap__fail(c, "Invalid time");
	*ret = (unsigned)(c->p[0] - '0') * 10 + (unsigned)(c->p[1] - '0');
	c->p += 2;
	return *ret <= max || gx_imap__fail(c, "Invalid time");
}

bool gx_imap__date_time(struct imap_parse *c, int64_t *ret_unix)
{
	int64_t day;
	unsigned h, m, s, zh, zm;
	if (!gx_imap__expect(c, '"'))
		return false;
	gx_imap__accept(c, ' ');
	if (!date_text(c, &day) || !gx_imap__expect(c, ' ') || !two_digits(c, 23, &h) || !gx_imap__expect(c, ':') ||
	    !two_digits(c, 59, &m) || !gx_imap__expect(c, ':') || !two_digits(c, 60, &s) || !gx_imap__expect(c, ' '))
		return false;
	bool west = gx_imap__accept(c, '-');
	if ((!west && !gx_imap__expect(c, '+')) || !two_digits(c, 23, &zh) || !two_digits(c, 59, &zm))
		return false;
	int64_t zone = (int64_t)(zh * 60 + zm) * 60;
	*ret_unix = day * 86400 + (int64_t)(h * 3600 + m * 60 + s) + (west ? zone : -zone);
	return gx_imap__expect(c, '"');
}

void gx_imap__date_time_print(int64_t unix_sec, char out[28])
{
	int64_t day = unix_sec >= 0 ? unix_sec / 86400 : -((-unix_sec + 86399) / 86400), y;
	unsigned m, d, t = (unsigned)(unix_sec - day * 86400);
	civil_from_days(day, &y, &m, &d);
	if (y < 1 || y > 9999) { /* the format has four digits */
		gx_imap__date_time_print(0, out);
		return;
	}
	snprintf(out, 28, "%2u-%s-%04u %02u:%02u:%02u +0000", d % 100, months[m - 1], (unsigned)y % 10000,
		t / 3600 % 100, t / 60 % 60, t % 60);
}
