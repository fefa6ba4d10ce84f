/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, and messages of one; what happens in them. */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/mapi.h"
#include "tools/report.h"

enum { PAGE = 500 };

static uint64_t id_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *v = gx_proplist_get(l, tag);
	return v == NULL ? 0 : (uint64_t)v->v.i64;
}

static const char *hex_id(struct tool *t, struct gx_arena *a, uint64_t id)
{
	const char *s = gx_arena_printf(a, "0x%" PRIx64, id);
	(void)t;
	return s == NULL ? "" : s;
}

static void show_folder(struct tool *t, struct report *r, struct gx_arena *a, const struct gx_proplist *l)
{
	const struct field f[] = {
		{.name = "id", .text = hex_id(t, a, id_of(l, PidTagFolderId))},
		{.name = "depth", .number = (uint64_t)gx_proplist_i32(l, PidTagDepth, 0)},
		{.name = "name", .text = gx_proplist_str(l, PidTagDisplayName, "")},
		{.name = "messages", .number = (uint64_t)gx_proplist_i32(l, PidTagContentCount, 0)},
		{.name = "unread", .number = (uint64_t)gx_proplist_i32(l, PidTagContentUnreadCount, 0)},
		{.name = "class", .text = gx_proplist_str(l, PidTagContainerClass, "")}, {0}};
	if (t->json)
		report_record(r, f, 0);
	else
		printf("%-20s %8" PRIu64 " %8" PRIu64 "  %*s%s\n", f[0].text, f[3].number, f[4].number,
			(int)f[1].number * 2, "", f[2].text);
}

static void show_message(struct tool *t, struct report *r, struct gx_arena *a, const struct gx_proplist *l)
{
	const struct gx_propval *when = gx_proplist_get(l, PidTagMessageDeliveryTime);
	char date[32] = "";
	if (when == NULL)
		when = gx_proplist_get(l, PidTagLastModificationTime);
	if (when != NULL)
		gx_nttime_print(when->v.time, date);
	bool is_read = gx_proplist_i32(l, PidTagMessageFlags, 0) & 1;
	const struct field f[] = {
		{.name = "id", .text = hex_id(t, a, id_of(l, PidTagMid))}, {.name = "date", .text = date},
		{.name = "size", .number = (uint64_t)gx_proplist_i32(l, PidTagMessageSize, 0)}, {.name = "read", .number = is_read},
		{.name = "from", .text = gx_proplist_str(l, PidTagSentRepresentingName, gx_proplist_str(l, PidTagSenderName, ""))},
		{.name = "subject", .text = gx_proplist_str(l, PidTagSubject, "")},
		{.name = "class", .text = gx_proplist_str(l, PidTagMessageClass, "")}, {0}};
	if (t->json)
		report_record(r, f, 0);
	else
		printf("%-20s %.19s %9" PRIu64 " %s %-24.24s %s\n", f[0].text, date, f[2].number, is_read ? " " : "*", f[4].text, f[5].text);
}

typedef void (*show_cb)(struct tool *t, struct report *r, struct gx_arena *a, const struct gx_proplist *l);

static gx_ec show_rows(struct tool *t, struct gx_mapi_obj *table, show_cb show)
{
	struct report r = {.json = t->json, .many = true};
	struct gx_proplist *rows;
	size_t n = 1;
	gx_ec ec = GX_EC(ecSuccess);
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_EC(ecMAPIOOM);
	while (!gx_ec_failed(ec) && n > 0) {
		gx_arena_reset(a);
		ec = gx_mapi_rows(table, PAGE, a, &rows, &n);
		for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
			show(t, &r, a, &rows[i]);
	}
	gx_arena_free(a);
	if (!gx_ec_failed(ec))
		report_end(&r);
	return ec;
}

static gx_ec ls_folders(struct tool *t, struct gx_mapi_obj *top)
{
	static const gx_proptag_t columns[] = {PidTagFolderId, PidTagDepth, PidTagDisplayName, PidTagContentCount, PidTagContentUnreadCount,
		PidTagContainerClass};
	struct gx_mapi_obj *table = NULL;
	gx_ec ec = gx_mapi_hierarchy(top, GX_MAPI_DEPTH | GX_MAPI_NO_NOTIFICATIONS, &table, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_set_columns(table, columns, sizeof(columns) / sizeof(columns[0]));
	if (!gx_ec_failed(ec))
		ec = show_rows(t, table, show_folder);
	gx_mapi_close(table);
	return ec;
}

static gx_ec ls_messages(struct tool *t, struct gx_mapi_obj *folder)
{
	static const gx_proptag_t columns[] = {PidTagMid, PidTagMessageDeliveryTime, PidTagLastModificationTime, PidTagMessageSize,
		PidTagMessageFlags, PidTagSentRepresentingName, PidTagSenderName, PidTagSubject, PidTagMessageClass};
	static const struct gx_sort by = {PidTagMessageDeliveryTime, GX_SORT_DESCEND};
	static const struct gx_sortset order = {&by, 1, 0, 0};
	struct gx_mapi_obj *table = NULL;
	gx_ec ec = gx_mapi_contents(folder, GX_MAPI_NO_NOTIFICATIONS, &table, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_set_columns(table, columns, sizeof(columns) / sizeof(columns[0]));
	if (!gx_ec_failed(ec))
		ec = gx_mapi_sort(table, &order);
	if (!gx_ec_failed(ec))
		ec = show_rows(t, table, show_message);
	gx_mapi_close(table);
	return ec;
}

int mapi_ls(struct tool *t)
{
	struct gx_mapi_obj *f = NULL;
	uint64_t fid;
	gx_ec ec = gx_mapi_find_folder(t->store, t->argc > 0 ? t->argv[0] : "", &fid);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_open_folder(t->store, fid, 0, &f);
	if (!gx_ec_failed(ec))
		ec = t->argc > 0 ? ls_messages(t, f) : ls_folders(t, f);
	gx_mapi_close(f);
	return gx_ec_failed(ec) ? mapi_failed(t, ec, NULL) : EXIT_OK;
}

/* ---- resolve ---- */

static void show_resolved(struct tool *t, struct report *r, const char *name, const struct gx_mapi_resolved *v)
{
	static const char *const verdicts[] = {"nobody", "ambiguous", "resolved"};
	const struct field f[] = {
		{.name = "name", .text = name}, {.name = "verdict", .text = verdicts[v->verdict]},
		{.name = "display_name", .text = gx_proplist_str(&v->props, PidTagDisplayName, "")},
		{.name = "address", .text = gx_proplist_str(&v->props, PidTagSmtpAddress, "")},
		{.name = "dn", .text = gx_proplist_str(&v->props, PidTagEmailAddress, "")}, {0}};
	if (t->json)
		report_record(r, f, 0);
	else if (v->verdict == GX_MAPI_RESOLVED)
		printf("%s: %s <%s> %s\n", name, f[2].text, f[3].text, f[4].text);
	else
		printf("%s: %s\n", name, f[1].text);
}

int mapi_resolve(struct tool *t)
{
	struct report r = {.json = t->json, .many = true};
	size_t n = (size_t)t->argc;
	struct gx_mapi_resolved *v = gx_arena_new_array(t->a, struct gx_mapi_resolved, n);
	int rc = EXIT_OK;
	if (v == NULL)
		return EXIT_FAILED;
	gx_ec ec = gx_mapi_resolve(t->c, (const char *const *)t->argv, n, t->a, v);
	if (gx_ec_failed(ec))
		return mapi_failed(t, ec, NULL);
	for (size_t i = 0; i < n; ++i) {
		show_resolved(t, &r, t->argv[i], &v[i]);
		rc = v[i].verdict == GX_MAPI_RESOLVED ? rc : EXIT_NOTHING;
	}
	report_end(&r);
	return rc;
}

/* ---- watch ---- */

static const char *event_name(const struct gx_mapi_event *e)
{
	switch (e->type) {
	case GX_MAPI_EV_NEW_MAIL: return "new-mail";
	case GX_MAPI_EV_CREATED: return "created";
	case GX_MAPI_EV_DELETED: return "deleted";
	case GX_MAPI_EV_MODIFIED: return "modified";
	case GX_MAPI_EV_MOVED: return "moved";
	case GX_MAPI_EV_COPIED: return "copied";
	case GX_MAPI_EV_SEARCH_DONE: return "search-done";
	default: return "other";
	}
}

/* One line an event, at once: programs read it. */
static void show_event(struct tool *t, struct gx_arena *a, const struct gx_mapi_event *e)
{
	struct report r = {.json = true};
	const struct field f[] = {
		{.name = "event", .text = event_name(e)}, {.name = "object", .text = e->is_message ? "message" : "folder"},
		{.name = "folder", .text = hex_id(t, a, e->fid)}, {.name = "message", .text = hex_id(t, a, e->mid)},
		{.name = "old_folder", .text = hex_id(t, a, e->old_fid)}, {.name = "old_message", .text = hex_id(t, a, e->old_mid)},
		{.name = "class", .text = e->message_class != NULL ? e->message_class : ""}, {.name = "lost", .number = e->lost}, {0}};
	if (e->lost && !t->json)
		printf("(some events were lost)\n");
	if (t->json) {
		report_record(&r, f, 0);
	} else {
		printf("%s %s %s", f[0].text, f[1].text, f[2].text);
		if (e->is_message)
			printf("/%s", f[3].text);
		if (e->old_fid != 0)
			printf(" from %s", f[4].text);
		printf("%s%s\n", e->message_class != NULL ? " " : "", f[6].text);
	}
	fflush(stdout);
}

static gx_ec all_events(struct tool *t)
{
	struct gx_mapi_event e;
	bool any = true;
	gx_ec ec = GX_EC(ecSuccess);
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_EC(ecMAPIOOM);
	while (any && !gx_ec_failed(ec)) {
		gx_arena_reset(a);
		ec = gx_mapi_event(t->c, a, &e, &any);
		if (!gx_ec_failed(ec) && any)
			show_event(t, a, &e);
	}
	gx_arena_free(a);
	return ec;
}

int mapi_watch(struct tool *t)
{
	enum { ROUND_MS = 600000 };
	struct gx_mapi_obj *sub = NULL;
	uint64_t fid = 0;
	bool pending = true;
	int64_t end = t->timeout_ms == 0 ? INT64_MAX : gx_clock_mono_ms(gx_clock_system()) + t->timeout_ms, left;
	gx_mapi_set_timeout(t->c, 0);
	gx_ec ec = t->argc > 0 ? gx_mapi_find_folder(t->store, t->argv[0], &fid) : GX_EC(ecSuccess);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_subscribe(t->store, GX_MAPI_EV_ALL, fid, 0, &sub);
	if (!gx_ec_failed(ec))
		complain("watching");
	while (!gx_ec_failed(ec) && (left = end - gx_clock_mono_ms(gx_clock_system())) > 0) {
		ec = gx_mapi_wait(t->c, left < ROUND_MS ? (uint32_t)left : ROUND_MS, &pending);
		if (!gx_ec_failed(ec) && pending)
			ec = all_events(t);
	}
	gx_mapi_close(sub);
	/* Ctrl-C is how one ends it */
	return gx_ec_failed(ec) && !gx_ec_is(ec, ecUserCanceled) ? mapi_failed(t, ec, NULL) : EXIT_OK;
}
