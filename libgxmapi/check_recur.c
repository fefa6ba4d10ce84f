/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gx/charset.h>
#include <gx/cursor.h>
#include <gx/recur.h>
#include "libgxmapi/caldate.h"
#include "tests/gxtest.h"

/* Recurrences and time zones, against the C library's calendar. */

#define DAY 1440U
#define EPOCH_DAYS 134774 /* from 1601 to 1970 */

static uint32_t at(unsigned y, unsigned m, unsigned d)
{
	return gx_caldate__to_day(y, m, d) * DAY;
}

static void civil(uint32_t day, struct tm *tm)
{
	time_t t = ((time_t)day - EPOCH_DAYS) * 86400;
	gmtime_r(&t, tm);
}

START_TEST(calendar)
{
	for (uint32_t day = 0; day < 400000; day += 37) {
		struct gx_caldate d;
		struct tm tm;
		civil(day, &tm);
		gx_caldate__from_day(day, &d);
		ck_assert(d.year == (unsigned)tm.tm_year + 1900 && d.month == (unsigned)tm.tm_mon + 1 && d.day == (unsigned)tm.tm_mday);
		ck_assert_uint_eq(gx_caldate__weekday(day), tm.tm_wday);
		ck_assert_uint_eq(gx_caldate__to_day(d.year, d.month, d.day), day);
	}
}
END_TEST

struct pat {
	uint16_t freq, type;
	uint32_t first, period, weekdays, day, nth, end_type, count, dow, start, end;
	const uint32_t *deleted;
	uint32_t ndeleted;
};

static void push_pattern(struct gx_push *c, const struct pat *p)
{
	gx_push_u16(c, 0x3004);
	gx_push_u16(c, 0x3004);
	gx_push_u16(c, p->freq);
	gx_push_u16(c, p->type);
	gx_push_u16(c, 0);
	gx_push_u32(c, p->first);
	gx_push_u32(c, p->period);
	gx_push_u32(c, 0);
	if (p->type == GX_RECUR_WEEK || p->type == GX_RECUR_MONTH_NTH)
		gx_push_u32(c, p->weekdays);
	if (p->type == GX_RECUR_MONTH || p->type == GX_RECUR_MONTH_END)
		gx_push_u32(c, p->day);
	if (p->type == GX_RECUR_MONTH_NTH)
		gx_push_u32(c, p->nth);
	gx_push_u32(c, p->end_type);
	gx_push_u32(c, p->count);
	gx_push_u32(c, p->dow);
	gx_push_u32(c, p->ndeleted);
	for (uint32_t i = 0; i < p->ndeleted; i++)
		gx_push_u32(c, p->deleted[i]);
	gx_push_u32(c, 0);
	gx_push_u32(c, p->start);
	gx_push_u32(c, p->end);
	gx_push_u32(c, 0x3006);
	gx_push_u32(c, 0x3009);
	gx_push_u32(c, 600); /* ten to eleven */
	gx_push_u32(c, 660);
}

struct seen {
	uint32_t v[2000];
	unsigned n;
};

static int see(uint32_t start, uint32_t end, const struct gx_recur_exception *x, void *ctx)
{
	struct seen *s = ctx;
	ck_assert(x != NULL || end == start + 60);
	s->v[s->n++] = start;
	return s->n == 2000;
}

static int any(uint32_t start, uint32_t end, const struct gx_recur_exception *x, void *ctx)
{
	(void)x;
	ck_assert_uint_le(start, end);
	return ++*(unsigned *)ctx == 2000;
}

static void expand(const struct pat *p, uint32_t from, uint32_t until, struct seen *s)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_push c = GX_PUSH_INIT;
	struct gx_recur r;
	push_pattern(&c, p);
	gx_push_u16(&c, 0);
	gx_push_u32(&c, 0);
	gx_push_u32(&c, 0);
	ck_assert_int_eq(gx_recur_parse(a, (struct gx_bin){c.data, c.len}, 1252, &r), 0);
	s->n = 0;
	ck_assert_int_eq(gx_recur_each(&r, from, until, see, s), 0);
	gx_push_release(&c);
	gx_arena_free(a);
}

START_TEST(daily)
{
	const uint32_t gone[] = {at(2026, 3, 7)};
	struct pat p = {.freq = 0x200a, .type = GX_RECUR_DAY, .period = 3 * DAY, .end_type = GX_RECUR_END_DATE, .start = at(2026, 3, 1),
		.end = at(2026, 3, 20), .deleted = gone, .ndeleted = 1};
	struct seen s;
	expand(&p, at(2026, 1, 1), at(2027, 1, 1), &s);
	static const unsigned want[] = {1, 4, 10, 13, 16, 19};
	ck_assert_uint_eq(s.n, 6);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(s.v[i], at(2026, 3, want[i]) + 600);
	expand(&p, at(2026, 3, 10) + 600, at(2026, 3, 13) + 600, &s); /* begins with it, ends before */
	ck_assert(s.n == 1 && s.v[0] == at(2026, 3, 10) + 600);
	p.end_type = GX_RECUR_END_NEVER;
	expand(&p, at(2400, 1, 1), at(2400, 2, 1), &s);
	ck_assert(s.n == 10 || s.n == 11);
}
END_TEST

/* Every second week on Tuesday and Sunday, weeks from Monday or from Sunday: not the same days. */
START_TEST(weekly)
{
	struct pat p = {.freq = 0x200b, .type = GX_RECUR_WEEK, .period = 2, .weekdays = 1 << 0 | 1 << 2, .end_type = GX_RECUR_END_NEVER,
		.dow = 1, .start = at(2026, 11, 3)};
	struct seen s;
	expand(&p, at(2026, 11, 1), at(2026, 12, 1), &s);
	ck_assert_uint_eq(s.n, 4);
	ck_assert_uint_eq(s.v[0], at(2026, 11, 3) + 600);
	ck_assert_uint_eq(s.v[1], at(2026, 11, 8) + 600);
	ck_assert_uint_eq(s.v[2], at(2026, 11, 17) + 600);
	p.dow = 0;
	expand(&p, at(2026, 11, 1), at(2026, 12, 1), &s);
	ck_assert_uint_eq(s.v[0], at(2026, 11, 3) + 600);
	ck_assert_uint_eq(s.v[1], at(2026, 11, 15) + 600);
}
END_TEST

START_TEST(monthly)
{
	struct pat p = {.freq = 0x200c, .type = GX_RECUR_MONTH, .period = 1, .day = 31, .end_type = GX_RECUR_END_NEVER, .start = at(2027, 12, 31)};
	struct seen s;
	expand(&p, at(2027, 12, 1), at(2028, 5, 1), &s);
	static const unsigned m[] = {31, 31, 29, 31, 30};
	ck_assert_uint_eq(s.n, 5);
	ck_assert_uint_eq(s.v[2], at(2028, 2, m[2]) + 600);
	ck_assert_uint_eq(s.v[4], at(2028, 4, m[4]) + 600);
	/* The last Friday of every third month: January, April, July, October. */
	p = (struct pat){.freq = 0x200c, .type = GX_RECUR_MONTH_NTH, .period = 3, .weekdays = 1 << 5, .nth = 5, .end_type = GX_RECUR_END_NEVER,
		.start = at(2026, 1, 30)};
	expand(&p, at(2026, 1, 1), at(2027, 1, 1), &s);
	ck_assert_uint_eq(s.n, 4);
	ck_assert_uint_eq(s.v[1], at(2026, 4, 24) + 600);
	ck_assert_uint_eq(s.v[3], at(2026, 10, 30) + 600);
	/* The second working day. */
	p = (struct pat){.freq = 0x200c, .type = GX_RECUR_MONTH_NTH, .period = 1, .weekdays = 0x3e, .nth = 2, .end_type = GX_RECUR_END_NEVER,
		.start = at(2026, 11, 1)};
	expand(&p, at(2026, 11, 1), at(2026, 12, 1), &s);
	ck_assert(s.n == 1 && s.v[0] == at(2026, 11, 3) + 600);
	/* The 29th of February, yearly: FirstDateTime has the month. */
	p = (struct pat){.freq = 0x200d, .type = GX_RECUR_MONTH, .period = 12, .day = 29, .first = at(1601, 2, 1), .end_type = GX_RECUR_END_NEVER,
		.start = at(2024, 1, 1)};
	expand(&p, at(2024, 1, 1), at(2028, 12, 31), &s);
	ck_assert_uint_eq(s.n, 5);
	ck_assert_uint_eq(s.v[1], at(2025, 2, 28) + 600);
	ck_assert_uint_eq(s.v[4], at(2028, 2, 29) + 600);
}
END_TEST

static void push_exception(struct gx_push *c)
{
	gx_push_u32(c, at(2026, 3, 5) + 720);
	gx_push_u32(c, at(2026, 3, 5) + 780);
	gx_push_u32(c, at(2026, 3, 4) + 600);
	gx_push_u16(c, ARO_SUBJECT | ARO_BUSYSTATUS);
	gx_push_u16(c, 4);
	gx_push_u16(c, 3);
	gx_push_str(c, "?x?");
	gx_push_u32(c, 3);
}

static void push_extended(struct gx_push *c)
{
	gx_push_u32(c, 0); /* ReservedBlock1 */
	gx_push_u32(c, 4); /* ChangeHighlight */
	gx_push_u32(c, 0);
	gx_push_u32(c, 0); /* ReservedBlockEE1 */
	for (int i = 0; i < 3; i++)
		gx_push_u32(c, 0);
	gx_push_u16(c, 3);
	gx_push_u16(c, 0x00e4);
	gx_push_u16(c, 'x');
	gx_push_u16(c, 0x20ac);
	gx_push_u32(c, 0); /* ReservedBlockEE2 */
	gx_push_u32(c, 0); /* ReservedBlock2 */
}

START_TEST(exceptions)
{
	const uint32_t gone[] = {at(2026, 3, 4)};
	struct pat p = {.freq = 0x200a, .type = GX_RECUR_DAY, .period = DAY, .end_type = GX_RECUR_END_DATE, .start = at(2026, 3, 3),
		.end = at(2026, 3, 5), .deleted = gone, .ndeleted = 1};
	struct gx_arena *a = gx_arena_new(0);
	struct gx_recur r;
	for (int with = 0; with < 2; with++) {
		struct gx_push c = GX_PUSH_INIT;
		struct seen s = {.n = 0};
		push_pattern(&c, &p);
		gx_push_u16(&c, 1);
		push_exception(&c);
		if (with)
			push_extended(&c);
		ck_assert_int_eq(gx_recur_parse(a, (struct gx_bin){c.data, c.len}, 1252, &r), 0);
		ck_assert_uint_eq(r.exception_count, 1);
		ck_assert_uint_eq(r.exceptions[0].busy_status, 3);
		ck_assert_str_eq(r.exceptions[0].subject, with ? "\xc3\xa4x\xe2\x82\xac" : "?x?");
		ck_assert_int_eq(gx_recur_each(&r, at(2026, 3, 1), at(2026, 4, 1), see, &s), 0);
		ck_assert(s.n == 3 && s.v[0] == at(2026, 3, 3) + 600 && s.v[1] == at(2026, 3, 5) + 600 && s.v[2] == at(2026, 3, 5) + 720);
		/* Every cut is an error or leaves out what is optional; no byte too many is read. */
		for (size_t n = 0; n < c.len; n++) {
			uint8_t *exact = malloc(n == 0 ? 1 : n);
			memcpy(exact, c.data, n);
			(void)!gx_recur_parse(a, (struct gx_bin){exact, n}, 1252, &r);
			free(exact);
		}
		for (size_t bit = 0; bit < c.len * 8; bit++) {
			c.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (gx_recur_parse(a, (struct gx_bin){c.data, c.len}, 1252, &r) == 0) {
				unsigned n = 0;
				(void)!gx_recur_each(&r, at(2026, 3, 1), at(2026, 4, 1), any, &n);
			}
			c.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		gx_push_release(&c);
	}
	gx_arena_free(a);
}
END_TEST

START_TEST(nonsense)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_recur r;
	const struct pat v[] = {
		{.type = GX_RECUR_DAY, .period = 0}, {.type = GX_RECUR_DAY, .period = 60}, {.type = GX_RECUR_WEEK, .period = 1},
		{.type = GX_RECUR_MONTH, .period = 1, .day = 0}, {.type = GX_RECUR_MONTH, .period = 1, .day = 32},
		{.type = GX_RECUR_MONTH_NTH, .period = 1, .weekdays = 1, .nth = 6}, {.type = 9, .period = 1},
		{.type = GX_RECUR_WEEK, .period = 1, .weekdays = 1, .dow = 7},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct gx_push c = GX_PUSH_INIT;
		push_pattern(&c, &v[i]);
		gx_push_u16(&c, 0);
		ck_assert_int_eq(gx_recur_parse(a, (struct gx_bin){c.data, c.len}, 1252, &r), GX_E_FORMAT);
		gx_push_release(&c);
	}
	ck_assert_int_eq(gx_recur_parse(a, (struct gx_bin){NULL, 0}, 1252, &r), GX_E_TRUNC);
	gx_arena_free(a);
}
END_TEST

static void push_switch(struct gx_push *c, unsigned month, unsigned nth, unsigned hour)
{
	const unsigned v[] = {0, month, 0, nth, hour, 0, 0, 0};
	for (int i = 0; i < 8; i++)
		gx_push_u16(c, (uint16_t)v[i]);
}

/* Central Europe: an hour ahead, two from the last Sunday of March to that of October. */
START_TEST(zones)
{
	struct gx_push c = GX_PUSH_INIT, d = GX_PUSH_INIT;
	struct gx_tz tz;
	gx_push_u32(&c, (uint32_t)-60);
	gx_push_u32(&c, 0);
	gx_push_u32(&c, (uint32_t)-60);
	gx_push_u16(&c, 0);
	push_switch(&c, 10, 5, 3);
	gx_push_u16(&c, 0);
	push_switch(&c, 3, 5, 2);
	ck_assert_uint_eq(c.len, 48);
	ck_assert_int_eq(gx_tz_parse((struct gx_bin){c.data, c.len}, &tz), 0);
	static const struct {
		unsigned y, m, d, minute;
		int off;
	} v[] = {{2026, 1, 15, 600, 60}, {2026, 7, 15, 600, 120}, {2026, 3, 29, 119, 60}, {2026, 3, 29, 180, 120}, {2026, 10, 25, 119, 120},
		{2026, 10, 25, 150, 60}, {2026, 10, 25, 180, 60}};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint32_t local = at(v[i].y, v[i].m, v[i].d) + v[i].minute;
		ck_assert_msg(gx_tz_to_utc(&tz, local) == (int64_t)local - v[i].off, "case %zu", i);
	}
	ck_assert_int_eq(gx_tz_parse((struct gx_bin){c.data, 47}, &tz), GX_E_TRUNC);
	gx_push_u8(&d, 2);
	gx_push_u8(&d, 1);
	gx_push_u16(&d, 8);
	gx_push_u16(&d, 2);
	gx_push_u16(&d, 1);
	gx_push_u16(&d, 'X');
	gx_push_u16(&d, 2);
	for (unsigned rule = 0; rule < 2; rule++) {
		for (int i = 0; i < 3; i++)
			gx_push_u16(&d, 0);
		gx_push_u16(&d, rule ? 2020 : 1601);
		for (int i = 0; i < 14; i++)
			gx_push_u8(&d, 0);
		gx_push_u32(&d, rule ? 300 : 240);
		gx_push_u32(&d, 0);
		gx_push_u32(&d, (uint32_t)-60);
		push_switch(&d, 0, 0, 0);
		push_switch(&d, 0, 0, 0);
	}
	ck_assert_int_eq(gx_tz_parse_definition((struct gx_bin){d.data, d.len}, 2026, &tz), 0);
	ck_assert_int_eq(tz.bias, 300);
	ck_assert_int_eq(gx_tz_parse_definition((struct gx_bin){d.data, d.len}, 2019, &tz), 0);
	ck_assert_int_eq(tz.bias, 240);
	ck_assert_int_eq(gx_tz_to_utc(&tz, 10000), 10240);
	ck_assert_int_ne(gx_tz_parse_definition((struct gx_bin){d.data, 20}, 2026, &tz), 0);
	gx_push_release(&c);
	gx_push_release(&d);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("recur");
	TCase *c = tcase_create("recur");
	tcase_add_test(c, calendar);
	tcase_add_test(c, daily);
	tcase_add_test(c, weekly);
	tcase_add_test(c, monthly);
	tcase_add_test(c, exceptions);
	tcase_add_test(c, nonsense);
	tcase_add_test(c, zones);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(suite)
