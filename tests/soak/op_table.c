/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: those that are opened and read, and those that are followed by their events. */
#include <config.h>
#include <stdlib.h>
#include "tests/soak/soak.h"

static const struct gx_sort by_time[] = {{PidTagMessageDeliveryTime, GX_SORT_DESCEND}},
			    by_subject[] = {{PidTagNormalizedSubject, GX_SORT_ASCEND},
				    {PidTagMessageDeliveryTime, GX_SORT_DESCEND}},
			    by_sender[] = {{PidTagSenderName, GX_SORT_ASCEND},
				    {PidTagMessageDeliveryTime, GX_SORT_DESCEND}},
			    by_size[] = {{PidTagMessageSize, GX_SORT_DESCEND},
				    {PidTagSubject, GX_SORT_ASCEND}},
			    by_newest[] = {{PidTagSenderName, GX_SORT_ASCEND},
				    {PidTagMessageDeliveryTime, GX_SORT_MAX_CATEGORY}};
static const struct gx_sortset sorts[] = {{by_time, 1, 0, 0}, {by_subject, 2, 0, 0},
	{by_sender, 2, 0, 0}, {by_size, 2, 0, 0}, {by_subject, 2, 1, 1}, {by_sender, 2, 1, 0},
	{by_newest, 2, 1, 1}};
#define FLAT 4U
#define SORTS 7U

static const struct gx_restr unread = {.type = RES_BITMASK,
				     .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}},
			     plans = {.type = RES_CONTENT,
				     .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject,
					     {PidTagSubject, {.str = "plan"}}}},
			     body = {.type = RES_CONTENT,
				     .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagBody,
					     {PidTagBody, {.str = "budget"}}}},
			     first = {.type = RES_COUNT, .u.count = {20, &plans}};
static const struct gx_restr *const restrs[] = {NULL, NULL, NULL, &unread, &plans, &body, &first};

static const gx_proptag_t cols[] = {PidTagMid, PidTagSubject, PidTagSenderName,
	PidTagMessageDeliveryTime, PidTagMessageFlags, PidTagMessageSize, PidTagHasAttachments,
	PidTagDisplayTo};
#define NCOLS (sizeof(cols) / sizeof(cols[0]))

/* ---- Open, read, close ---- */

static void around(struct soak_thread *w, struct gx_txn *t, struct gx_table *tb, uint32_t n)
{
	struct gx_table_row *v;
	uint32_t pos, bm, rows;
	uint8_t type;
	bool gone;
	size_t got;
	gx_ec ec = gx_table_query(tb, t, n == 0 ? 0 : soak_rnd(w, n),
		soak_rnd(w, 3) == 0 ? -20 : 50, cols, NCOLS, w->a, &v, &got);
	if (!soak_done(w, t, ec, "rows") || got == 0)
		return;
	const struct gx_table_row *r = &v[soak_rnd(w, (uint32_t)got)];
	soak_done(w, t, gx_table_locate(tb, t, r->id, r->inst, &pos, &type), "locate");
	soak_done(w, t, gx_table_find(tb, t, 0, true, &unread, &pos), "find");
	if (soak_done(w, t, gx_table_bookmark(tb, t, soak_rnd(w, n + 1), &bm), "bookmark"))
		soak_done(w, t, gx_table_bookmark_pos(tb, t, bm, &pos, &gone), "bookmark");
	if (r->type == GX_ROW_COLLAPSED)
		soak_done(w, t, gx_table_expand(tb, t, r->id, &pos, &rows), "expand");
	else if (r->type == GX_ROW_EXPANDED)
		soak_done(w, t, gx_table_collapse(tb, t, r->id, &pos, &rows), "collapse");
	soak_done(w, t, gx_table_seek_fraction(tb, t, 1, 3, &pos), "seek");
}

void soak_rows(struct soak_thread *w)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	uint32_t n;
	struct gx_txn *t = soak_begin(
		w, w->s, soak_actor(w), soak_rnd(w, 12) == 0 ? GX_TXN_WRITE : GX_TXN_READ);
	if (t == NULL)
		return;
	o.fid = soak_folder(w, t);
	o.sort = &sorts[soak_rnd(w, SORTS)];
	o.restr = restrs[soak_rnd(w, 7)];
	o.flags = soak_rnd(w, 8) == 0   ? GX_TABLE_ASSOCIATED
		  : soak_rnd(w, 8) == 0 ? GX_TABLE_DELETED
					: 0;
	if (soak_rnd(w, 20) == 0) {
		o.flags = GX_TABLE_CONVERSATIONS;
		o.sort = NULL;
	}
	if (o.fid != 0 && soak_done(w, t, gx_table_open_contents(t, &o, &tb), "table")) {
		if (soak_done(w, t, gx_table_count(tb, t, &n), "count"))
			around(w, t, tb, n);
		gx_table_close(tb);
	}
	gx_txn_abort(t);
}

/* ---- Followed ---- */

struct soak_table {
	struct gx_table *tb;
	struct soak_store *st;
	struct soak_mirror m;
	char what[100];
};

static void end_table(struct soak_thread *w)
{
	struct soak_table *x = w->table;
	if (x == NULL)
		return;
	gx_table_close(x->tb);
	soak_mirror_release(&x->m);
	free(x);
	w->table = NULL;
}

static uint64_t followed_folder(struct soak_thread *w, struct gx_txn *t)
{
	uint64_t fid;
	if (soak_rnd(w, 5) == 0 &&
		!gx_ec_failed(gx_folder_by_name(
			t, w->st->is_public ? w->st->root : GX_FID_FINDER, "found 1", &fid)))
		return fid;
	return soak_folder(w, t);
}

static gx_ec open_table(struct soak_thread *w, struct gx_txn *t, struct soak_table *x)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	unsigned sort = soak_rnd(w, 6) == 0 ? soak_rnd(w, SORTS) : soak_rnd(w, FLAT),
		 restr = soak_rnd(w, 7);
	x->m.hierarchy = soak_rnd(w, 4) == 0;
	if (x->m.hierarchy) {
		o.fid = w->st->root;
		o.flags = soak_rnd(w, 2) == 0 ? GX_TABLE_DEPTH : 0;
	} else {
		o.fid = followed_folder(w, t);
		o.sort = &sorts[sort];
		o.restr = restrs[restr];
		o.flags = soak_rnd(w, 8) == 0 ? GX_TABLE_ASSOCIATED : 0;
	}
	snprintf(x->what, sizeof(x->what),
		"table %s of folder %llx, sort %u, restriction %u, flags %x",
		x->m.hierarchy ? "of folders" : "of messages", (unsigned long long)o.fid, sort,
		restr, (unsigned)o.flags);
	return x->m.hierarchy ? gx_table_open_hierarchy(t, &o, &x->tb)
			      : gx_table_open_contents(t, &o, &x->tb);
}

/* In the writer's place: nothing happens while rows and events are compared. */
static void compare_table(struct soak_thread *w, struct gx_txn *t, struct soak_table *x)
{
	static const gx_proptag_t tag = PidTagMid;
	struct gx_table_row *v;
	size_t n;
	if (!soak_done(w, t, gx_table_query(x->tb, t, 0, 65535, &tag, 1, w->a, &v, &n), "rows")) {
		end_table(w);
		return;
	}
	struct soak_row *rows = gx_arena_new_array(w->a, struct soak_row, n + 1);
	if (rows == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		rows[i] = x->m.hierarchy ? (struct soak_row){v[i].id, 0, 0}
					 : (struct soak_row){0, v[i].id, v[i].inst};
	soak_mirror_compare(&x->m, rows, n, x->what);
}

static void begin_table(struct soak_thread *w, struct gx_txn *t)
{
	struct soak_table *x = calloc(1, sizeof(*x));
	if (x == NULL || soak_mirror_init(&x->m, w->k) != 0)
		abort();
	x->st = w->st;
	if (!soak_done(w, t, open_table(w, t, x), "table")) {
		soak_mirror_release(&x->m);
		free(x);
		return;
	}
	w->table = x;
	soak_done(w, t, gx_table_watch(x->tb, soak_mirror_hear, &x->m), "watch");
	compare_table(w, t, x);
}

void soak_watch(struct soak_thread *w)
{
	struct soak_table *x = w->table;
	struct gx_txn *t =
		soak_begin(w, x == NULL ? w->st->s : x->st->s, &soak_system, GX_TXN_WRITE);
	if (t == NULL)
		return;
	if (x == NULL)
		begin_table(w, t);
	else
		compare_table(w, t, x);
	if (soak_rnd(w, 2) == 0)
		gx_txn_abort(t);
	else
		soak_commit(w, t);
	if (soak_rnd(w, 30) == 0)
		end_table(w);
}

void soak_watch_end(struct soak_thread *w)
{
	if (w->table != NULL) {
		struct gx_txn *t = soak_begin(w, w->table->st->s, &soak_system, GX_TXN_WRITE);
		if (t != NULL)
			compare_table(w, t, w->table);
		gx_txn_abort(t);
	}
	end_table(w);
}
