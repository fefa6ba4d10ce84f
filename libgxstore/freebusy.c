/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/freebusy.h>
#include <gx/namedprop.h>
#include <gx/recur.h>
#include "libgxstore/message/msgsrc.h"

/* Busy times out of the calendar, and the lookup of contacts. */

#define MINUTE_1970 INT64_C(194074560) /* of 1601 */

enum { P_START, P_END, P_STATUS, P_RECUR, P_RECURRING, P_LOCATION, P_STATE, P_PRIVATE, P_REMINDER, P_ZONE, P_ZONEDEF, P_CLIP_START, P_CLIP_END, PROPS };
static const struct {
	struct gx_propname name;
	uint16_t type;
} props[PROPS] = {
	[P_START] = {GX_LID_INIT(PidLidAppointmentStartWhole), PtypTime}, [P_END] = {GX_LID_INIT(PidLidAppointmentEndWhole), PtypTime},
	[P_STATUS] = {GX_LID_INIT(PidLidBusyStatus), PtypInteger32}, [P_RECUR] = {GX_LID_INIT(PidLidAppointmentRecur), PtypBinary},
	[P_RECURRING] = {GX_LID_INIT(PidLidRecurring), PtypBoolean}, [P_LOCATION] = {GX_LID_INIT(PidLidLocation), PtypString},
	[P_STATE] = {GX_LID_INIT(PidLidAppointmentStateFlags), PtypInteger32}, [P_PRIVATE] = {GX_LID_INIT(PidLidPrivate), PtypBoolean},
	[P_REMINDER] = {GX_LID_INIT(PidLidReminderSet), PtypBoolean}, [P_ZONE] = {GX_LID_INIT(PidLidTimeZoneStruct), PtypBinary},
	[P_ZONEDEF] = {GX_LID_INIT(PidLidAppointmentTimeZoneDefinitionRecur), PtypBinary},
	[P_CLIP_START] = {GX_LID_INIT(PidLidClipStart), PtypTime}, [P_CLIP_END] = {GX_LID_INIT(PidLidClipEnd), PtypTime},
};
static_assert(PROPS == GX_BUSY_PROPS, "what who reads appointments by himself is told");

struct busy {
	struct gx_txn *t;
	struct gx_arena *a, *scratch; /* of the answer; for one appointment */
	int64_t from, until;
	bool details, owner;
	uint16_t ids[PROPS];
	struct gx_busy *v;
	size_t n, cap;
	struct gx_msgsrc src;
	const struct gx_proplist *list; /* instead of src and t, for an appointment that is at hand */
	uint64_t mid;
	/* of the appointment at hand */
	struct gx_busy model;
	const struct gx_tz *tz;
	int err;
};

static int tags_of(struct busy *b)
{
	struct gx_propname names[PROPS];
	for (int i = 0; i < PROPS; i++)
		names[i] = props[i].name;
	return gx_named__ids(b->t, false, names, PROPS, b->ids);
}

/* 1 there. */
static int get_tag(struct busy *b, gx_proptag_t tag, struct gx_propval *pv)
{
	if (b->list == NULL)
		return gx_msgsrc__get(&b->src, tag, pv);
	const struct gx_propval *have = gx_proplist_get(b->list, tag);
	if (have == NULL)
		return 0;
	*pv = *have;
	return 1;
}

static int get(struct busy *b, int which, struct gx_propval *pv)
{
	return b->ids[which] == 0 ? 0 : get_tag(b, GX_PROP_TAG(b->ids[which], props[which].type), pv);
}

static bool flag(struct busy *b, int which)
{
	struct gx_propval pv;
	int r = get(b, which, &pv);
	b->err = r < 0 ? r : b->err;
	return r > 0 && pv.v.b;
}

static uint32_t number(struct busy *b, int which, uint32_t dflt)
{
	struct gx_propval pv;
	int r = get(b, which, &pv);
	b->err = r < 0 ? r : b->err;
	return r > 0 ? (uint32_t)pv.v.i32 : dflt;
}

static const char *text(struct busy *b, gx_proptag_t tag)
{
	struct gx_propval pv;
	int r = tag == 0 ? 0 : get_tag(b, tag, &pv);
	const char *s = r > 0 ? gx_arena_strdup(b->a, pv.v.str) : "";
	b->err = r < 0 ? r : s == NULL ? GX_E_NOMEM : b->err;
	return s;
}

static int put(struct busy *b, int64_t start, int64_t end, const struct gx_recur_exception *x)
{
	if (start >= b->until || (end <= b->from && !(start == end && start == b->from)))
		return 0;
	if (b->n == GX_BUSY_MAX)
		return GX_E_LIMIT;
	b->v = gx_arena_grow(b->a, b->v, &b->cap, b->n + 1, sizeof(*b->v));
	if (b->v == NULL)
		return GX_E_NOMEM;
	struct gx_busy *e = &b->v[b->n++];
	*e = b->model;
	e->start = start;
	e->end = end;
	if (x == NULL)
		return 0;
	e->exception = e->details;
	if (x->flags & ARO_BUSYSTATUS)
		e->status = x->busy_status;
	if (e->details && (x->flags & ARO_SUBJECT) && x->subject != NULL)
		e->subject = x->subject;
	if (e->details && (x->flags & ARO_LOCATION) && x->location != NULL)
		e->location = x->location;
	return 0;
}

static int64_t to_unix(const struct gx_tz *tz, uint32_t local)
{
	int64_t utc = tz == NULL ? (int64_t)local : gx_tz_to_utc(tz, local);
	return (utc - MINUTE_1970) * 60;
}

static int occurrence(uint32_t start, uint32_t end, const struct gx_recur_exception *x, void *ctx)
{
	struct busy *b = ctx;
	return put(b, to_unix(b->tz, start), to_unix(b->tz, end), x);
}

/* Minutes since 1601, a day wider than asked for: zones differ by less. */
static uint32_t minute(int64_t unix_time, int days)
{
	int64_t m = unix_time / 60 + MINUTE_1970 + days * INT64_C(1440);
	return m < 0 ? 0 : m > UINT32_MAX ? UINT32_MAX : (uint32_t)m;
}

static int recurring(struct busy *b, struct gx_bin blob)
{
	struct gx_propval zone;
	struct gx_recur r;
	struct gx_tz tz;
	int err = gx_recur_parse(b->a, blob, 1252, &r);
	if (err == GX_E_NOMEM)
		return err;
	if (err != 0) {
		if (b->t != NULL)
			gx_log(b->t->s->log, GX_LOG_WARN, "%s: the recurrence of appointment %llx cannot be read: %s", b->t->s->dir,
				(unsigned long long)b->mid, gx_strerror(err));
		return 1; /* it counts as a single one */
	}
	int has = get(b, P_ZONE, &zone);
	if (has > 0 && gx_tz_parse(zone.v.bin, &tz) == 0) {
		b->tz = &tz;
	} else if (has >= 0 && (has = get(b, P_ZONEDEF, &zone)) > 0 &&
		   gx_tz_parse_definition(zone.v.bin, (unsigned)(1970 + b->from / 31556952), &tz) == 0) {
		b->tz = &tz;
	}
	err = has < 0 ? has : gx_recur_each(&r, minute(b->from, -1), minute(b->until, 1), occurrence, b);
	b->tz = NULL;
	return err;
}

static int single(struct busy *b)
{
	struct gx_propval start, end;
	int r = get(b, P_START, &start);
	if (r > 0)
		r = get(b, P_END, &end);
	if (r <= 0)
		return r;
	return put(b, gx_nttime_to_unix(start.v.time, NULL), gx_nttime_to_unix(end.v.time, NULL), NULL);
}

/* Cheap to see: neither the appointment nor its series touches the time. */
static int outside(struct busy *b)
{
	struct gx_propval start, end;
	bool series = flag(b, P_RECURRING);
	int r = get(b, series ? P_CLIP_START : P_START, &start);
	if (r > 0)
		r = get(b, series ? P_CLIP_END : P_END, &end);
	if (r <= 0)
		return r;
	const int64_t day = series ? 2 * 86400 : 0;
	return gx_nttime_to_unix(start.v.time, NULL) - day >= b->until || gx_nttime_to_unix(end.v.time, NULL) + day < b->from;
}

static int describe(struct busy *b)
{
	bool priv = flag(b, P_PRIVATE);
	b->model = (struct gx_busy){.status = number(b, P_STATUS, olBusy), .details = b->details && (!priv || b->owner), .is_private = priv};
	if (!b->model.details) {
		b->model.is_private = false;
		return b->err;
	}
	b->model.mid = b->mid;
	b->model.subject = text(b, PidTagSubject);
	b->model.location = text(b, b->ids[P_LOCATION] == 0 ? 0 : GX_PROP_TAG(b->ids[P_LOCATION], PtypString));
	b->model.meeting = (number(b, P_STATE, 0) & 1) != 0;
	b->model.reminder = flag(b, P_REMINDER);
	b->model.recurring = flag(b, P_RECURRING);
	return b->err;
}

static int appointment(struct busy *b)
{
	struct gx_propval blob;
	int r = outside(b);
	if (r != 0)
		return r < 0 ? r : 0;
	int err = describe(b);
	if (err != 0)
		return err;
	r = flag(b, P_RECURRING) ? get(b, P_RECUR, &blob) : 0;
	if (r > 0)
		r = recurring(b, blob.v.bin);
	else if (r == 0)
		r = 1;
	return r == 1 ? single(b) : r;
}

static int scan(struct busy *b)
{
	GX_STMT(st, b->t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>0 AND NOT flags&256");
	gx_sql__bind_int(st, 1, GX_FID_CALENDAR);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		gx_arena_reset(b->scratch);
		b->mid = gx_sql__u64(st, 0);
		int err = gx_msgsrc__set_mid(&b->src, b->mid);
		if (err == 0)
			err = appointment(b);
		if (err != 0)
			return err;
	}
	return r;
}

static int by_start(const void *x, const void *y)
{
	const struct gx_busy *a = x, *b = y;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

static bool may_see_details(uint32_t rights)
{
	return (rights & (GX_RIGHT_FB_DETAILED | GX_RIGHT_READ | GX_RIGHT_OWNER)) != 0;
}

struct gx_propname gx_busy_name(unsigned i, uint16_t *ret_type)
{
	*ret_type = i < PROPS ? props[i].type : PtypUnspecified;
	return i < PROPS ? props[i].name : (struct gx_propname){.by_name = false};
}

int gx_busy_add(const struct gx_busy_source *s, int64_t from, int64_t until, struct gx_arena *a, struct gx_busy_list *io_l)
{
	struct busy b = {.a = a, .scratch = a, .from = from, .until = until, .owner = s->owner, .details = may_see_details(s->rights),
		.v = io_l->v, .n = io_l->n, .cap = io_l->cap, .list = s->props, .mid = s->mid};
	if (s->props == NULL || s->ids == NULL || from >= until || until - from > GX_BUSY_DAYS * INT64_C(86400))
		return GX_E_INVAL;
	memcpy(b.ids, s->ids, sizeof(b.ids));
	int err = appointment(&b);
	if (err == 0)
		*io_l = (struct gx_busy_list){b.v, b.n, b.cap};
	return err;
}

void gx_busy_sort(struct gx_busy_list *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_start);
}

gx_ec gx_freebusy(struct gx_txn *t, int64_t from, int64_t until, struct gx_arena *a, struct gx_busy **ret_v, size_t *ret_n)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct busy b = {.t = t, .a = a, .from = from, .until = until, .owner = gx_txn__all_rights(t)};
	uint32_t rights = 0;
	if (t->s->is_public || from >= until || until - from > GX_BUSY_DAYS * INT64_C(86400))
		return gx_txn__fail(t, ecInvalidParam, "busy times are told of a mailbox, for up to %d days", GX_BUSY_DAYS);
	int err = gx_perm__rights(t, GX_FID_CALENDAR, &rights);
	if (err != 0)
		return gx_txn__ec(t, err);
	b.details = may_see_details(rights);
	if (!b.details && !(rights & GX_RIGHT_FB_SIMPLE))
		return gx_txn__fail(t, ecAccessDenied, "rights %x do not show when somebody is busy", rights);
	b.scratch = gx_arena_new(0);
	if (b.scratch == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	const struct gx_actor *actor = t->actor;
	t->actor = &system;
	gx_msgsrc__init(&b.src, t, b.scratch);
	err = tags_of(&b);
	if (err == 0)
		err = scan(&b);
	gx_msgsrc__release(&b.src);
	gx_arena_free(b.scratch);
	t->actor = actor;
	if (err == GX_E_LIMIT)
		return gx_txn__fail(t, ecTooBig, "more than %d events", GX_BUSY_MAX);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (b.n > 1)
		qsort(b.v, b.n, sizeof(*b.v), by_start);
	*ret_v = b.v;
	*ret_n = b.n;
	return GX_OK_EC;
}
