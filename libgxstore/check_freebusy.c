/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/freebusy.h>
#include <gx/namedprop.h>
#include "libgxstore/fixtxntest.h"

/* Busy times and contacts. */

#define HOUR INT64_C(3600)
#define T0 INT64_C(1793098800) /* a Tuesday at 11:00 UTC */

static void named(struct gx_msgobj *m, struct gx_propname n, uint16_t type, union gx_value v)
{
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &n, type, v), 0);
}

static uint64_t mids[20];
static size_t nmids;

static uint64_t put(uint64_t fid, struct gx_msgobj *m)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, fid, p, NULL, &ids));
	if (fid == GX_FID_CALENDAR)
		mids[nmids++] = ids.mid;
	return ids.mid;
}

static struct gx_msgobj *event(const char *subject, int64_t start, int64_t end, int32_t status)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, subject), 0);
	named(m, GX_LID(PidLidAppointmentStartWhole), PtypTime, (union gx_value){.time = gx_nttime_from_unix(start, 0)});
	named(m, GX_LID(PidLidAppointmentEndWhole), PtypTime, (union gx_value){.time = gx_nttime_from_unix(end, 0)});
	named(m, GX_LID(PidLidBusyStatus), PtypInteger32, (union gx_value){.i32 = status});
	return m;
}

/* What a client finds out of appointments that it has read is the same. */
static void by_hand(int64_t from, int64_t until, const struct gx_busy *v, size_t n)
{
	struct gx_propname names[GX_BUSY_PROPS];
	uint16_t types[GX_BUSY_PROPS], ids[GX_BUSY_PROPS];
	gx_proptag_t tags[GX_BUSY_PROPS + 1] = {PidTagSubject};
	size_t ntags = 1;
	struct gx_busy_list l = {NULL, 0, 0};
	struct gx_proplist p;
	for (unsigned i = 0; i < GX_BUSY_PROPS; i++)
		names[i] = gx_busy_name(i, &types[i]);
	ST_OK(gx_store_named_ids(t, false, names, GX_BUSY_PROPS, ids));
	for (unsigned i = 0; i < GX_BUSY_PROPS; i++)
		if (ids[i] != 0)
			tags[ntags++] = GX_PROP_TAG(ids[i], types[i]);
	for (size_t i = 0; i < nmids; i++) {
		struct gx_busy_source src = {.props = &p, .ids = ids, .mid = mids[i], .rights = GX_RIGHT_OWNER, .owner = true};
		ST_OK(gx_msg_get_props(t, mids[i], tags, ntags, a, &p));
		ck_assert_int_eq(gx_busy_add(&src, from, until, a, &l), 0);
	}
	gx_busy_sort(&l);
	ck_assert_uint_eq(l.n, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert(l.v[i].start == v[i].start && l.v[i].end == v[i].end && l.v[i].status == v[i].status && l.v[i].mid == v[i].mid);
		ck_assert_str_eq(l.v[i].subject, v[i].subject);
		ck_assert_int_eq(l.v[i].exception, v[i].exception);
	}
}

static struct gx_busy *busy(int64_t from, int64_t until, size_t want)
{
	struct gx_busy *v = NULL;
	size_t n = 0;
	ST_OK(gx_freebusy(t, from, until, a, &v, &n));
	ck_assert_uint_eq(n, want);
	if (n == 0 || v[0].details)
		by_hand(from, until, v, n);
	return v;
}

START_TEST(single_ones)
{
	struct gx_msgobj *priv = event("secret", T0 + HOUR, T0 + 2 * HOUR, olOutOfOffice);
	named(priv, GX_LID(PidLidPrivate), PtypBoolean, (union gx_value){.b = true});
	struct gx_msgobj *open = event("open", T0, T0 + HOUR, olBusy);
	named(open, GX_LID(PidLidLocation), PtypString, (union gx_value){.str = "room 1"});
	put(GX_FID_CALENDAR, priv);
	uint64_t mid = put(GX_FID_CALENDAR, open);
	put(GX_FID_CALENDAR, gx_msgobj_new(a)); /* no appointment at all */
	struct gx_busy *v = busy(T0 - HOUR, T0 + 5 * HOUR, 2);
	ck_assert(v[0].start == T0 && v[0].end == T0 + HOUR && v[0].status == olBusy && v[0].details && v[0].mid == mid);
	ck_assert_str_eq(v[0].subject, "open");
	ck_assert_str_eq(v[0].location, "room 1");
	ck_assert(v[1].is_private && v[1].details);
	busy(T0 + 2 * HOUR, T0 + 3 * HOUR, 0); /* they end before it */
	busy(T0 - HOUR, T0, 0);
	busy(T0 + HOUR / 2, T0 + HOUR, 1);
	size_t n;
	ST_IS(gx_freebusy(t, T0, T0, a, &v, &n), ecInvalidParam);
	as("stranger@example.org"); /* the calendar lets everybody see simple times */
	v = busy(T0, T0 + 5 * HOUR, 2);
	ck_assert(!v[0].details && v[0].subject == NULL && v[0].mid == 0 && v[0].status == olBusy);
	as(NULL);
	ST_OK(gx_folder_set_permission(t, GX_FID_CALENDAR, "bob@example.org", GX_RIGHT_FB_DETAILED, false));
	ST_OK(gx_folder_set_permission(t, GX_FID_CALENDAR, "eve@example.org", 0, false));
	as("bob@example.org");
	ST_OK(gx_freebusy(t, T0, T0 + 5 * HOUR, a, &v, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert(v[0].details && !v[1].details && v[1].subject == NULL);
	as("eve@example.org");
	ST_IS(gx_freebusy(t, T0, T0 + HOUR, a, &v, &n), ecAccessDenied);
	as(NULL);
}
END_TEST

/* Daily at ten in a zone an hour ahead. */
static struct gx_bin daily(bool cut)
{
	struct gx_push c = GX_PUSH_INIT;
	struct gx_bin b;
	uint32_t day = (uint32_t)((T0 / 60 + INT64_C(194074560)) / 1440 * 1440);
	const uint16_t head[] = {0x3004, 0x3004, 0x200a, 0, 0};
	for (size_t i = 0; i < 5; i++)
		gx_push_u16(&c, head[i]);
	const uint32_t rest[] = {0, 1440, 0, 0x2022, 3, 0, 0, 0, day, day + 2 * 1440, 0x3006, 0x3009, 600, 660};
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		gx_push_u32(&c, rest[i]);
	gx_push_u16(&c, 0);
	ck_assert_int_eq(gx_push_finish(&c, a, &b), 0);
	gx_push_release(&c);
	b.len -= cut ? 10 : 0;
	return b;
}

START_TEST(series)
{
	static uint8_t zone[48]; /* bias -60, no changes */
	zone[0] = 0xc4;
	zone[1] = zone[2] = zone[3] = 0xff;
	for (int i = 0; i < 2; i++) {
		struct gx_msgobj *m = event("series", T0, T0 + HOUR, olBusy);
		named(m, GX_LID(PidLidRecurring), PtypBoolean, (union gx_value){.b = true});
		named(m, GX_LID(PidLidAppointmentRecur), PtypBinary, (union gx_value){.bin = daily(i == 1)});
		named(m, GX_LID(PidLidTimeZoneStruct), PtypBinary, (union gx_value){.bin = {zone, sizeof(zone)}});
		put(GX_FID_CALENDAR, m);
		struct gx_busy *v = busy(T0 - 86400, T0 + 10 * 86400, i == 0 ? 3 : 4); /* one that cannot be read counts as a single one */
		ck_assert_int_eq(v[0].start % 86400, 9 * HOUR);
		ck_assert_int_eq(v[0].end - v[0].start, HOUR);
		ck_assert(v[0].recurring);
	}
}
END_TEST

START_TEST(contacts)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	bool known = true;
	uint64_t fid;
	ST_OK(gx_contact_known(t, "bob@example.org", &known));
	ck_assert(!known);
	named(m, GX_LID(PidLidEmail2EmailAddress), PtypString, (union gx_value){.str = "Bob@Example.org"});
	ST_OK(gx_folder_create(t, GX_FID_CONTACTS, "more", "IPF.Contact", GX_FOLDER_GENERIC, NULL, &fid));
	put(fid, m);
	as("somebody@example.org"); /* who asks does not matter */
	ST_OK(gx_contact_known(t, "bob@example.ORG", &known));
	ck_assert(known);
	ST_OK(gx_contact_known(t, "bobby@example.org", &known));
	ck_assert(!known);
	ST_IS(gx_contact_known(t, "", &known), ecInvalidParam);
	as(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("freebusy");
	TCase *c = tcase_create("freebusy");
	tcase_add_checked_fixture(c, fix_setup_txn, fix_teardown_txn);
	tcase_add_test(c, single_ones);
	tcase_add_test(c, series);
	tcase_add_test(c, contacts);
	suite_add_tcase(x, c);
	return x;
}

GXTEST_MAIN(suite)
