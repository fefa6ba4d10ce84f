/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_RECUR_H
#define GX_RECUR_H
/**
 * @file recur.h
 * Recurrences of appointments ([MS-OXOCAL] 2.2.1.44) and time zones ([MS-OXOCAL] 2.2.1.39, 2.2.1.41).
 *
 * Times of a recurrence are local: minutes since midnight, January 1, 1601 in its time zone.
 * Results live in the arena. Thread class: immutable when nobody writes.
 */
#include <gx/arena.h>
#include <gx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PatternType */
enum { GX_RECUR_DAY = 0, GX_RECUR_WEEK = 1, GX_RECUR_MONTH = 2, GX_RECUR_MONTH_NTH = 3, GX_RECUR_MONTH_END = 4 };
/** EndType */
enum { GX_RECUR_END_DATE = 0x2021, GX_RECUR_END_COUNT = 0x2022, GX_RECUR_END_NEVER = 0x2023 };
/** OverrideFlags of an exception */
enum {
	ARO_SUBJECT = 0x01, ARO_MEETINGTYPE = 0x02, ARO_REMINDERDELTA = 0x04, ARO_REMINDER = 0x08, ARO_LOCATION = 0x10,
	ARO_BUSYSTATUS = 0x20, ARO_ATTACHMENT = 0x40, ARO_SUBTYPE = 0x80, ARO_APPTCOLOR = 0x100, ARO_EXCEPTIONAL_BODY = 0x200,
};

/** An occurrence that differs from the pattern. */
struct gx_recur_exception {
	uint32_t start, end, original; /**< minutes */
	uint16_t flags;                /**< ARO_*: which of the following hold */
	uint32_t meeting_type, reminder_delta, reminder_set, busy_status, attachment, subtype, color;
	const char *subject, *location; /**< UTF-8 */
};
struct gx_recur {
	uint16_t frequency, type, calendar;
	uint32_t first, period;        /**< FirstDateTime, Period */
	uint32_t weekdays;             /**< bit 0 is Sunday; WEEK and MONTH_NTH */
	uint32_t day, nth;             /**< MONTH and MONTH_END; MONTH_NTH: 5 is the last */
	uint32_t end_type, count, first_dow;
	const uint32_t *deleted, *modified; /**< midnights */
	uint32_t deleted_count, modified_count;
	uint32_t start_date, end_date; /**< midnights of the first and the last day */
	uint32_t start_offset, end_offset; /**< of an occurrence from its day's midnight */
	const struct gx_recur_exception *exceptions;
	uint32_t exception_count;
};

/** PidLidAppointmentRecur. @p cp: code page of its 8-bit texts. GX_E_TRUNC, GX_E_FORMAT; GX_E_UNSUP for other calendars than the Gregorian. */
GX_API int gx_recur_parse(struct gx_arena *a, struct gx_bin b, uint32_t cp, struct gx_recur *ret_r) GX_MUST_CHECK;
/** Returns other than 0 to end the walk. @p x: NULL, or the exception that it is. */
typedef int (*gx_recur_cb)(uint32_t start, uint32_t end, const struct gx_recur_exception *x, void *ctx);
/**
 * Calls @p cb for every occurrence that overlaps [from, until), those of the pattern first, then exceptions. At most
 * GX_RECUR_MAX days are looked at. @return what the callback returned, 0, or GX_E_LIMIT.
 */
GX_API int gx_recur_each(const struct gx_recur *r, uint32_t from, uint32_t until, gx_recur_cb cb, void *ctx) GX_MUST_CHECK;
#define GX_RECUR_MAX 150000U /* days: four hundred years */

/** When a time zone changes, every year: the nth (5: last) weekday of a month, or with a year that very day. month 0: never. */
struct gx_tz_switch {
	uint16_t year, month, weekday, day, hour, minute;
};
struct gx_tz {
	int32_t bias, standard_bias, daylight_bias; /**< minutes; UTC = local + bias + one of the others */
	struct gx_tz_switch standard, daylight;
};
/** PidLidTimeZoneStruct, 48 bytes. GX_E_TRUNC, GX_E_FORMAT. */
GX_API int gx_tz_parse(struct gx_bin b, struct gx_tz *ret_tz) GX_MUST_CHECK;
/** PidLidAppointmentTimeZoneDefinition*: the rule for @p year. Errors as above. */
GX_API int gx_tz_parse_definition(struct gx_bin b, unsigned year, struct gx_tz *ret_tz) GX_MUST_CHECK;
/** Minutes since 1601 local to minutes since 1601 UTC. A time that does not exist or exists twice is taken as standard time. */
GX_API int64_t gx_tz_to_utc(const struct gx_tz *tz, uint32_t local);

#ifdef __cplusplus
}
#endif
#endif
