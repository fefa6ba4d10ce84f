/* SPDX-License-Identifier: Apache-2.0 */
/* get-freebusy: the calendar is read here and its appointments looked at, as a client does. */
#include <config.h>
#include <gx/freebusy.h>
#include <gx/time.h>
#include "libgxproto/mbop/mbop-int.h"

#define WINDOW (GX_BUSY_DAYS * INT64_C(86400))

struct reading {
	struct gx_busy_source src;
	struct gx_busy_list list;
	uint16_t ids[GX_BUSY_PROPS];
	gx_proptag_t tags[GX_BUSY_PROPS + 1];
	uint32_t ntags;
	int64_t from, until;
};

/* One end is enough; without any it is around now. */
static void window(const struct gx_mbop_cmd *c, int64_t *ret_from, int64_t *ret_until)
{
	const struct gx_mbop_value *a = gx_mbop__opt(c, "a"), *b = gx_mbop__opt(c, "b");
	int64_t now = gx_clock_unix(gx_clock_system());
	*ret_from = a->set ? (int64_t)a->num : b->set ? (int64_t)b->num - WINDOW : now - WINDOW / 2;
	*ret_until = b->set ? (int64_t)b->num : *ret_from + WINDOW;
}

const char *gx_mbop__freebusy_check(const struct gx_mbop_cmd *c)
{
	int64_t from, until;
	window(c, &from, &until);
	if (from >= until)
		return "-b is not after -a";
	return until - from > WINDOW ? "-a and -b are more than ten years apart" : NULL;
}

static bool rights(struct gx_mbop_job *j, uint64_t calendar, struct reading *r)
{
	const struct gx_mbop_value *who = gx_mbop__opt(j->cmd, "x");
	const struct gx_x_get_folder_perm_req q = {.folder_id = calendar, .username = who->text};
	struct gx_x_get_folder_perm_ans ans;
	r->src.owner = true;
	r->src.rights = GX_RIGHT_OWNER;
	if (!who->set)
		return true;
	if (!MBOP2(j, get_folder_perm, &q, &ans))
		return false;
	r->src.rights = ans.permission;
	r->src.owner = (ans.permission & GX_RIGHT_OWNER) != 0;
	const uint32_t enough = GX_RIGHT_OWNER | GX_RIGHT_READ | GX_RIGHT_FB_DETAILED | GX_RIGHT_FB_SIMPLE;
	return (ans.permission & enough) != 0 ||
	       gx_mbop__fail(j, "%s may not see when the owner is busy (rights 0x%x)", who->text, ans.permission);
}

static bool names(struct gx_mbop_job *j, struct reading *r)
{
	struct gx_propname n[GX_BUSY_PROPS];
	uint16_t types[GX_BUSY_PROPS];
	for (unsigned i = 0; i < GX_BUSY_PROPS; ++i)
		n[i] = gx_busy_name(i, &types[i]);
	const struct gx_x_get_named_propids_req q = {.create = false, .names = n, .names_count = GX_BUSY_PROPS};
	struct gx_x_get_named_propids_ans ans;
	if (!MBOP2(j, get_named_propids, &q, &ans))
		return false;
	r->tags[r->ntags++] = PidTagSubject;
	for (unsigned i = 0; i < GX_BUSY_PROPS && i < ans.ids_count; ++i) {
		r->ids[i] = ans.ids[i];
		if (ans.ids[i] != 0)
			r->tags[r->ntags++] = GX_PROP_TAG(ans.ids[i], types[i]);
	}
	r->src.ids = r->ids;
	return true;
}

static bool appointment(struct gx_mbop_job *j, uint64_t mid, struct reading *r)
{
	const struct gx_x_get_message_properties_req q = {.message_id = mid, .tags = r->tags, .tags_count = r->ntags};
	struct gx_x_get_message_properties_ans ans;
	if (!MBOP2(j, get_message_properties, &q, &ans))
		return gx_ec_is(j->ec, ecNotFound); /* gone meanwhile */
	r->src.props = &ans.props;
	r->src.mid = gx_eid_counter(mid);
	int err = gx_busy_add(&r->src, r->from, r->until, j->a, &r->list);
	if (err == GX_E_LIMIT)
		return gx_mbop__fail(j, "there are more than %d events; ask for less time", GX_BUSY_MAX);
	return err == 0 || gx_mbop__fail(j, "appointment 0x%llx: %s", (unsigned long long)r->src.mid, gx_strerror(err));
}

static const char *status_name(uint32_t s)
{
	static const char *const v[] = {"free", "tentative", "busy", "out of office", "working elsewhere"};
	return s < sizeof(v) / sizeof(v[0]) ? v[s] : "unknown";
}

static void show(struct gx_mbop_job *j, const struct gx_busy *b)
{
	char start[32], end[32];
	gx_nttime_print(gx_nttime_from_unix(b->start, 0), start);
	gx_nttime_print(gx_nttime_from_unix(b->end, 0), end);
	gx_mbop__row(j);
	gx_mbop__text(j, "start", start);
	gx_mbop__text(j, "end", end);
	gx_mbop__text(j, "status", status_name(b->status));
	if (!b->details) {
		gx_mbop__say(j, "%s\t%s\t%s", start, end, status_name(b->status));
		return;
	}
	gx_mbop__num(j, "id", b->mid);
	gx_mbop__text(j, "subject", b->subject);
	gx_mbop__text(j, "location", b->location);
	gx_mbop__num(j, "meeting", b->meeting);
	gx_mbop__num(j, "recurring", b->recurring);
	gx_mbop__num(j, "exception", b->exception);
	gx_mbop__num(j, "reminder", b->reminder);
	gx_mbop__num(j, "private", b->is_private);
	gx_mbop__say(j, "%s\t%s\t%s\t%s%s%s", start, end, status_name(b->status), b->subject,
		*b->location != '\0' ? "\t" : "", b->location);
}

bool gx_mbop__get_freebusy(struct gx_mbop_job *j)
{
	const uint64_t calendar = gx_eid_make(1, GX_FID_CALENDAR);
	struct reading r = {.ntags = 0};
	uint64_t *mids;
	size_t n;
	if (j->t->is_public)
		return gx_mbop__fail(j, "a public store has no calendar of its own");
	window(j->cmd, &r.from, &r.until);
	if (!rights(j, calendar, &r) || !names(j, &r) || !gx_mbop__messages(j, calendar, false, NULL, &mids, &n))
		return false;
	for (size_t i = 0; i < n; ++i) {
		gx_mbop__progress(j, "reading the calendar", i, n);
		if (!appointment(j, mids[i], &r))
			return false;
	}
	gx_busy_sort(&r.list);
	j->r.list = true;
	for (size_t i = 0; i < r.list.n; ++i)
		show(j, &r.list.v[i]);
	return true;
}
