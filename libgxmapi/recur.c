/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include <gx/cursor.h>
#include <gx/recur.h>
#include "libgxmapi/caldate.h"

/* The recurrence BLOB read, and its occurrences told. */

#define DAY 1440U
#define COUNT_MAX 4096U /* of exceptions and deleted days */
#define LONGEST (DAY * 3660U) /* an appointment of ten years */

/* ---- Reading ---- */

static const uint32_t *dates(struct gx_pull *c, struct gx_arena *a, uint32_t *ret_n)
{
	uint32_t n = gx_pull_u32(c);
	size_t ok = gx_pull_count(c, n, 4);
	uint32_t *v = ok > COUNT_MAX ? NULL : gx_arena_new_array(a, uint32_t, ok);
	if (v == NULL) {
		gx_pull_fail(c, ok > COUNT_MAX ? GX_E_LIMIT : GX_E_NOMEM);
		return NULL;
	}
	for (size_t i = 0; i < ok; i++)
		v[i] = gx_pull_u32(c);
	*ret_n = (uint32_t)ok;
	return v;
}

/* [MS-OXOCAL] 2.2.1.44.1 */
static void pattern(struct gx_pull *c, struct gx_arena *a, struct gx_recur *r)
{
	gx_pull_skip(c, 4); /* versions */
	r->frequency = gx_pull_u16(c);
	r->type = gx_pull_u16(c);
	r->calendar = gx_pull_u16(c);
	r->first = gx_pull_u32(c);
	r->period = gx_pull_u32(c);
	gx_pull_skip(c, 4); /* SlidingFlag */
	if (r->type == GX_RECUR_WEEK || (r->type & 7) == GX_RECUR_MONTH_NTH)
		r->weekdays = gx_pull_u32(c);
	if ((r->type & 7) == GX_RECUR_MONTH || (r->type & 7) == GX_RECUR_MONTH_END)
		r->day = gx_pull_u32(c);
	if ((r->type & 7) == GX_RECUR_MONTH_NTH)
		r->nth = gx_pull_u32(c);
	r->end_type = gx_pull_u32(c);
	r->count = gx_pull_u32(c);
	r->first_dow = gx_pull_u32(c);
	r->deleted = dates(c, a, &r->deleted_count);
	r->modified = dates(c, a, &r->modified_count);
	r->start_date = gx_pull_u32(c);
	r->end_date = gx_pull_u32(c);
}

/* A text with its length and one before it that is one more. */
static const char *text8(struct gx_pull *c, struct gx_arena *a, uint32_t cp)
{
	gx_pull_skip(c, 2);
	size_t n = gx_pull_u16(c);
	const uint8_t *p = gx_pull_bytes(c, n);
	char *s;
	if (p == NULL || gx_cp_to_utf8(a, cp, p, n, &s, NULL, NULL) != 0)
		return NULL;
	return s;
}

/* [MS-OXOCAL] 2.2.1.44.2 */
static void exception(struct gx_pull *c, struct gx_arena *a, uint32_t cp, struct gx_recur_exception *x)
{
	x->start = gx_pull_u32(c);
	x->end = gx_pull_u32(c);
	x->original = gx_pull_u32(c);
	x->flags = gx_pull_u16(c);
	if (x->flags & ARO_SUBJECT)
		x->subject = text8(c, a, cp);
	const struct {
		uint16_t flag;
		uint32_t *to;
	} v[] = {{ARO_MEETINGTYPE, &x->meeting_type}, {ARO_REMINDERDELTA, &x->reminder_delta}, {ARO_REMINDER, &x->reminder_set}},
	  w[] = {{ARO_BUSYSTATUS, &x->busy_status}, {ARO_ATTACHMENT, &x->attachment}, {ARO_SUBTYPE, &x->subtype}, {ARO_APPTCOLOR, &x->color}};
	for (size_t i = 0; i < 3; i++)
		if (x->flags & v[i].flag)
			*v[i].to = gx_pull_u32(c);
	if (x->flags & ARO_LOCATION)
		x->location = text8(c, a, cp);
	for (size_t i = 0; i < 4; i++)
		if (x->flags & w[i].flag)
			*w[i].to = gx_pull_u32(c);
}

static const char *wide(struct gx_pull *c, struct gx_arena *a, const char *have)
{
	size_t n = (size_t)gx_pull_u16(c) * 2;
	const uint8_t *p = gx_pull_bytes(c, n);
	char *s;
	return p == NULL || gx_utf16le_to_utf8(a, p, n, &s) != 0 ? have : s;
}

static void skip_block(struct gx_pull *c)
{
	gx_pull_skip(c, gx_pull_u32(c));
}

/* [MS-OXOCAL] 2.2.1.44.4: better texts than those above. */
static void extended(struct gx_pull *c, struct gx_arena *a, uint32_t version, struct gx_recur_exception *x)
{
	const uint16_t texts = ARO_SUBJECT | ARO_LOCATION;
	if (version >= 0x3009)
		skip_block(c);
	skip_block(c);
	if (!(x->flags & texts))
		return;
	gx_pull_skip(c, 12);
	if (x->flags & ARO_SUBJECT)
		x->subject = wide(c, a, x->subject);
	if (x->flags & ARO_LOCATION)
		x->location = wide(c, a, x->location);
	skip_block(c);
}

static int exceptions(struct gx_pull *c, struct gx_arena *a, uint32_t cp, struct gx_recur *r)
{
	gx_pull_skip(c, 4); /* ReaderVersion2 */
	uint32_t version = gx_pull_u32(c);
	r->start_offset = gx_pull_u32(c);
	r->end_offset = gx_pull_u32(c);
	size_t n = gx_pull_count(c, gx_pull_u16(c), 14);
	if (c->err != 0)
		return c->err;
	struct gx_recur_exception *v = gx_arena_new_array(a, struct gx_recur_exception, n);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		exception(c, a, cp, &v[i]);
	if (c->err != 0)
		return c->err;
	r->exceptions = v;
	r->exception_count = (uint32_t)n;
	/* What follows is left out by some writers: then the texts are those of the code page. */
	struct gx_pull rest = *c;
	skip_block(&rest);
	for (size_t i = 0; i < n && rest.err == 0; i++) {
		struct gx_recur_exception x = v[i];
		extended(&rest, a, version, &x);
		if (rest.err == 0)
			v[i] = x;
	}
	return 0;
}

static int sensible(const struct gx_recur *r)
{
	if (r->type > GX_RECUR_MONTH_END)
		return r->type >= 0xa && r->type <= 0xc ? GX_E_UNSUP : GX_E_FORMAT;
	if (r->period == 0 || (r->type == GX_RECUR_DAY && r->period < DAY))
		return GX_E_FORMAT;
	if ((r->type == GX_RECUR_WEEK || r->type == GX_RECUR_MONTH_NTH) && (r->weekdays & 0x7f) == 0)
		return GX_E_FORMAT;
	if (r->type == GX_RECUR_MONTH_NTH && (r->nth < 1 || r->nth > 5))
		return GX_E_FORMAT;
	if (r->type == GX_RECUR_MONTH && (r->day < 1 || r->day > 31))
		return GX_E_FORMAT;
	return r->first_dow > 6 || r->end_offset < r->start_offset || r->end_offset > LONGEST ? GX_E_FORMAT : 0;
}

int gx_recur_parse(struct gx_arena *a, struct gx_bin b, uint32_t cp, struct gx_recur *ret_r)
{
	struct gx_recur r = {0};
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	pattern(&c, a, &r);
	int err = c.err != 0 ? c.err : exceptions(&c, a, cp, &r);
	if (err == 0)
		err = sensible(&r);
	if (err == 0)
		*ret_r = r;
	return err;
}

/* ---- Occurrences ---- */

static bool listed(const uint32_t *v, uint32_t n, uint32_t midnight)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i] / DAY == midnight / DAY)
			return true;
	return false;
}

static bool on_month(const struct gx_recur *r, const struct gx_caldate *d)
{
	struct gx_caldate first;
	gx_caldate__from_day(r->first / DAY, &first);
	return (gx_caldate__months(d) + r->period - gx_caldate__months(&first) % r->period) % r->period == 0;
}

/* The nth of the days of a month that are among the weekdays. */
static bool is_nth(const struct gx_recur *r, const struct gx_caldate *d, uint32_t day)
{
	unsigned last = gx_caldate__month_days(d->year, d->month), n = 0, after = 0;
	if (!(r->weekdays >> gx_caldate__weekday(day) & 1))
		return false;
	for (unsigned k = 1; k <= last; k++) {
		bool in = r->weekdays >> gx_caldate__weekday(day - d->day + k) & 1;
		n += in && k <= d->day;
		after += in && k > d->day;
	}
	return r->nth == 5 ? after == 0 : n == r->nth;
}

static uint32_t week_of(const struct gx_recur *r, uint32_t day)
{
	return day - (gx_caldate__weekday(day) + 7 - r->first_dow) % 7;
}

/* Is there an occurrence on that day (days since 1601)? */
static bool occurs(const struct gx_recur *r, uint32_t day)
{
	struct gx_caldate d;
	uint32_t start = r->start_date / DAY;
	switch (r->type) {
	case GX_RECUR_DAY:
		return (day - start) % (r->period / DAY) == 0;
	case GX_RECUR_WEEK:
		return (r->weekdays >> gx_caldate__weekday(day) & 1) && (week_of(r, day) - week_of(r, start)) / 7 % r->period == 0;
	default:
		break;
	}
	gx_caldate__from_day(day, &d);
	if (!on_month(r, &d))
		return false;
	unsigned last = gx_caldate__month_days(d.year, d.month);
	if (r->type == GX_RECUR_MONTH_NTH)
		return is_nth(r, &d, day);
	return r->type == GX_RECUR_MONTH_END ? d.day == last : d.day == (r->day < last ? r->day : last);
}

static int walk_pattern(const struct gx_recur *r, uint32_t from, uint32_t until, gx_recur_cb cb, void *ctx)
{
	uint32_t span = r->end_offset / DAY + 1, day = from / DAY > span ? from / DAY - span : 0;
	uint32_t last = until / DAY, looked = 0;
	if (day < r->start_date / DAY)
		day = r->start_date / DAY;
	if (r->end_type != GX_RECUR_END_NEVER && r->end_type != UINT32_MAX && last > r->end_date / DAY)
		last = r->end_date / DAY;
	if (last > (UINT32_MAX - LONGEST) / DAY)
		last = (UINT32_MAX - LONGEST) / DAY;
	for (; day <= last; day++) {
		if (++looked > GX_RECUR_MAX)
			return GX_E_LIMIT;
		if (!occurs(r, day) || listed(r->deleted, r->deleted_count, day * DAY))
			continue;
		uint32_t start = day * DAY + r->start_offset, end = day * DAY + r->end_offset;
		if (start >= until || (end <= from && !(start == end && start == from)))
			continue;
		int stop = cb(start, end, NULL, ctx);
		if (stop != 0)
			return stop;
	}
	return 0;
}

int gx_recur_each(const struct gx_recur *r, uint32_t from, uint32_t until, gx_recur_cb cb, void *ctx)
{
	int stop = from < until ? walk_pattern(r, from, until, cb, ctx) : 0;
	for (uint32_t i = 0; stop == 0 && i < r->exception_count; i++) {
		const struct gx_recur_exception *x = &r->exceptions[i];
		if (x->start <= x->end && x->start < until && x->end > from)
			stop = cb(x->start, x->end, x, ctx);
	}
	return stop;
}
