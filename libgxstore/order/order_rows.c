/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * Rows and the directory of runs. A run is named by the key it begins at, which need not be a row's:
 * deleting rows moves no border. Runs are split above GX_ORDER_RUN_MAX rows and joined to the one before
 * below GX_ORDER_RUN_MIN.
 */

#define JOINED_MAX 768  /* a run made by joining is not split soon */
#define FILL_LAST 960   /* most orders grow at their end: leave full runs behind there */

/* ---- One pass over ops in key order ---- */

struct pass {
	struct gx_txn *t;
	uint64_t view;
	bool building;           /* no table reads it yet */
	bool open;               /* a run is held */
	struct gx_push lo, hi;   /* it goes from lo to below hi */
	bool last;               /* there is no hi */
	int64_t total, unread;   /* of the run */
	bool dirty;
	struct gx_ordertally tally;
};

static struct gx_bin bin_of(const struct gx_push *p)
{
	return (struct gx_bin){p->data, p->len};
}

static int keep(struct gx_push *p, struct gx_bin b)
{
	gx_push_clear(p);
	gx_push_bytes(p, b.data, b.len);
	return p->err;
}

static int damaged(struct gx_txn *t, uint64_t view)
{
	return gx_sql__fail(t->q, GX_E_FORMAT, "%s: sort order %llu is damaged; see gromox-mbck", t->s->file,
		(unsigned long long)view);
}

/* Holds the run in which @key lies. */
static int open_run(struct pass *w, struct gx_bin key)
{
	GX_STMT(st, w->t->q,
		"SELECT key,total,unread,(SELECT MIN(key) FROM schunk WHERE view=?1 AND key>?2) FROM schunk"
		" WHERE view=?1 AND key<=?2 ORDER BY key DESC LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)w->view);
	gx_sql__bind_blob(st, 2, key.data, key.len);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? damaged(w->t, w->view) : r;
	w->total = gx_sql__int(st, 1);
	w->unread = gx_sql__int(st, 2);
	w->last = gx_sql__is_null(st, 3);
	w->dirty = false;
	w->open = true;
	r = keep(&w->lo, gx_sql__blob(st, 0));
	return r != 0 || w->last ? r : keep(&w->hi, gx_sql__blob(st, 3));
}

static int write_run(struct pass *w, struct gx_bin lo, int64_t total, int64_t unread)
{
	GX_STMT(st, w->t->q, "REPLACE INTO schunk(view,key,total,unread) VALUES(?1,?2,?3,?4)");
	gx_sql__bind_int(st, 1, (int64_t)w->view);
	gx_sql__bind_blob(st, 2, lo.data, lo.len);
	gx_sql__bind_int(st, 3, total);
	gx_sql__bind_int(st, 4, unread);
	return gx_sql__run(st);
}

/* The key of the row @n rows behind the run's begin. */
static int border(struct pass *w, int64_t n, struct gx_push *out)
{
	GX_STMT(st, w->t->q, "SELECT key FROM srow WHERE view=?1 AND key>=?2 ORDER BY key LIMIT 1 OFFSET ?3");
	gx_sql__bind_int(st, 1, (int64_t)w->view);
	gx_sql__bind_blob(st, 2, w->lo.data, w->lo.len);
	gx_sql__bind_int(st, 3, n);
	int r = gx_sql__step(st);
	return r < 0 ? r : r == 0 ? damaged(w->t, w->view) : keep(out, gx_sql__blob(st, 0));
}

/* Unread rows of [lo, hi). */
static int count_unread(struct gx_txn *t, uint64_t view, struct gx_bin lo, struct gx_bin hi, int64_t *ret_n)
{
	GX_STMT(st, t->q, "SELECT COALESCE(SUM(unread),0) FROM srow WHERE view=?1 AND key>=?2 AND key<?3");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_blob(st, 2, lo.data, lo.len);
	gx_sql__bind_blob(st, 3, hi.data, hi.len);
	int r = gx_sql__step(st);
	*ret_n = r > 0 ? gx_sql__int(st, 0) : 0;
	return r < 0 ? r : 0;
}

/* Cuts pieces off the front until the rest is no longer too large. */
static int split(struct pass *w)
{
	struct gx_push at = GX_PUSH_INIT;
	int err = 0;
	while (err == 0 && w->total > GX_ORDER_RUN_MAX) {
		int64_t n = w->last ? FILL_LAST : w->total > 2 * JOINED_MAX ? JOINED_MAX : w->total / 2, unread = 0;
		err = border(w, n, &at);
		if (err == 0)
			err = count_unread(w->t, w->view, bin_of(&w->lo), bin_of(&at), &unread);
		if (err == 0)
			err = write_run(w, bin_of(&w->lo), n, unread);
		w->total -= n;
		w->unread -= unread;
		if (err == 0)
			err = keep(&w->lo, bin_of(&at));
	}
	gx_push_release(&at);
	return err;
}

static int drop_run(struct pass *w)
{
	GX_STMT(st, w->t->q, "DELETE FROM schunk WHERE view=?1 AND key=?2");
	gx_sql__bind_int(st, 1, (int64_t)w->view);
	gx_sql__bind_blob(st, 2, w->lo.data, w->lo.len);
	return gx_sql__run(st);
}

/* A small run goes to the one before, when both together are not large. */
static int join(struct pass *w, bool *ret_joined)
{
	GX_STMT(st, w->t->q, "SELECT key,total,unread FROM schunk WHERE view=?1 AND key<?2 ORDER BY key DESC LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)w->view);
	gx_sql__bind_blob(st, 2, w->lo.data, w->lo.len);
	int r = gx_sql__step(st);
	*ret_joined = r > 0 && gx_sql__int(st, 1) + w->total <= JOINED_MAX;
	if (!*ret_joined)
		return r < 0 ? r : 0;
	int err = drop_run(w);
	return err != 0 ? err
			: write_run(w, gx_sql__blob(st, 0), gx_sql__int(st, 1) + w->total,
				  gx_sql__int(st, 2) + w->unread);
}

static int close_run(struct pass *w)
{
	if (!w->open)
		return 0;
	w->open = false;
	if (!w->dirty)
		return 0;
	bool joined = false;
	int err = w->total > GX_ORDER_RUN_MAX ? split(w) : 0;
	if (err == 0 && w->total < GX_ORDER_RUN_MIN && w->lo.len > 0 && !w->last)
		err = join(w, &joined);
	return err != 0 || joined ? err : write_run(w, bin_of(&w->lo), w->total, w->unread);
}

static int run_op(struct gx_txn *t, const char *sql, const struct gx_orderop *op, const uint8_t *key, int unread)
{
	GX_STMT(st, t->q, sql);
	gx_sql__bind_int(st, 1, (int64_t)op->view);
	gx_sql__bind_blob(st, 2, key, op->len);
	if (unread >= 0)
		gx_sql__bind_int(st, 3, unread);
	int err = gx_sql__run(st);
	return err != 0 ? err : gx_sql__changes(t->q) > 0;
}

/* 1 when a row was changed. */
static int change_row(struct gx_txn *t, const struct gx_orderop *op, const uint8_t *key)
{
	switch (op->what) {
	case GX_OP_PUT:
		return run_op(t, "INSERT OR IGNORE INTO srow(view,key,unread) VALUES(?1,?2,?3)", op, key, op->unread);
	case GX_OP_TAKE:
		return run_op(t, "DELETE FROM srow WHERE view=?1 AND key=?2", op, key, -1);
	default:
		return run_op(t, "UPDATE srow SET unread=?3 WHERE view=?1 AND key=?2 AND unread<>?3", op, key,
			op->what == GX_OP_UNREAD);
	}
}

static int apply_one(struct pass *w, const struct gx_orderop *op, const uint8_t *key)
{
	struct gx_bin k = {key, op->len};
	int64_t total = op->what == GX_OP_PUT ? 1 : op->what == GX_OP_TAKE ? -1 : 0;
	int64_t unread = total != 0 ? total * op->unread : op->what == GX_OP_UNREAD ? 1 : -1;
	if (w->open && !w->last && gx_order__cmp(k, bin_of(&w->hi)) >= 0) {
		int err = close_run(w);
		if (err != 0)
			return err;
	}
	int r = w->open ? 0 : open_run(w, k);
	if (r == 0)
		r = change_row(w->t, op, key);
	if (r <= 0)
		return r;
	w->total += total;
	w->unread += unread;
	if (!w->building)
		gx_tables__note_op(w->t, w->view, k, (int)total, (int)unread);
	w->dirty = true;
	return gx_ordertally__add(&w->tally, w->t, k, total, unread);
}

static int begin_view(struct pass *w, uint64_t view)
{
	struct gx_order *o;
	int err = gx_orders__by_id(w->t, view, &o);
	w->view = view;
	w->building = err == 0 && o != NULL && o->building;
	return err != 0 ? err : gx_ordertally__begin(&w->tally, w->t, o);
}

static int end_view(struct pass *w)
{
	int err = close_run(w);
	return err != 0 ? err : gx_ordertally__end(&w->tally, w->t);
}

int gx_order__apply(struct gx_txn *t, const uint8_t *keys, const struct gx_orderop *ops, size_t n)
{
	struct pass w = {.t = t, .lo = GX_PUSH_INIT, .hi = GX_PUSH_INIT};
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++) {
		if (ops[i].view != w.view) {
			err = end_view(&w);
			if (err == 0)
				err = begin_view(&w, ops[i].view);
		}
		if (err == 0)
			err = apply_one(&w, &ops[i], keys + ops[i].off);
	}
	if (err == 0)
		err = end_view(&w);
	gx_ordertally__release(&w.tally);
	gx_push_release(&w.lo);
	gx_push_release(&w.hi);
	return err;
}

/* ---- Whole orders ---- */

int gx_order__new_rows(struct gx_txn *t, uint64_t view)
{
	GX_STMT(st, t->q, "REPLACE INTO schunk(view,key,total,unread) VALUES(?1,x'',0,0)");
	gx_sql__bind_int(st, 1, (int64_t)view);
	return gx_sql__run(st);
}

int gx_order__drop_rows(struct gx_txn *t, uint64_t view)
{
	GX_STMT(runs, t->q, "DELETE FROM schunk WHERE view=?1");
	gx_sql__bind_int(runs, 1, (int64_t)view);
	int err = gx_sql__run(runs);
	if (err != 0)
		return err;
	GX_STMT(rows, t->q, "DELETE FROM srow WHERE view=?1");
	gx_sql__bind_int(rows, 1, (int64_t)view);
	err = gx_sql__run(rows);
	return err != 0 ? err : gx_order__drop_counts(t, view);
}

/* ---- Rows and positions ---- */

int gx_order__total(struct gx_txn *t, uint64_t view, struct gx_ordersum *ret_s)
{
	GX_STMT(st, t->q, "SELECT SUM(total),SUM(unread) FROM schunk WHERE view=?1");
	gx_sql__bind_int(st, 1, (int64_t)view);
	int r = gx_sql__step(st);
	if (r < 0 || gx_sql__is_null(st, 0)) /* each order has a run */
		return r < 0 ? r : GX_E_NOTFOUND;
	*ret_s = (struct gx_ordersum){gx_sql__u64(st, 0), gx_sql__u64(st, 1)};
	return 0;
}

static int add_runs_below(struct gx_txn *t, uint64_t view, struct gx_bin key, struct gx_ordersum *s)
{
	GX_STMT(st, t->q, "SELECT COALESCE(SUM(total),0),COALESCE(SUM(unread),0) FROM schunk WHERE view=?1 AND key<?2");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_blob(st, 2, key.data, key.len);
	int r = gx_sql__step(st);
	if (r > 0)
		*s = (struct gx_ordersum){gx_sql__u64(st, 0), gx_sql__u64(st, 1)};
	return r < 0 ? r : 0;
}

static int add_rows(struct gx_txn *t, uint64_t view, struct gx_bin from, struct gx_bin below, struct gx_ordersum *s)
{
	GX_STMT(st, t->q, "SELECT COUNT(*),COALESCE(SUM(unread),0) FROM srow WHERE view=?1 AND key>=?2 AND key<?3");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_blob(st, 2, from.data, from.len);
	gx_sql__bind_blob(st, 3, below.data, below.len);
	int r = gx_sql__step(st);
	if (r > 0) {
		s->total += gx_sql__u64(st, 0);
		s->unread += gx_sql__u64(st, 1);
	}
	return r < 0 ? r : 0;
}

int gx_order__rank(struct gx_txn *t, uint64_t view, struct gx_bin key, struct gx_ordersum *ret_s)
{
	GX_STMT(st, t->q, "SELECT key FROM schunk WHERE view=?1 AND key<=?2 ORDER BY key DESC LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_sql__bind_blob(st, 2, key.data, key.len);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? damaged(t, view) : r;
	struct gx_bin lo = gx_sql__blob(st, 0);
	struct gx_ordersum s = {0};
	int err = add_runs_below(t, view, lo, &s);
	if (err == 0)
		err = add_rows(t, view, lo, key, &s);
	if (err == 0)
		*ret_s = s;
	return err;
}

/* The run that holds row @pos; *io_pos becomes the position in it, still from that end. */
static int find_run(
	struct gx_txn *t, uint64_t view, unsigned flags, uint64_t *io_pos, struct gx_push *lo, uint64_t *ret_n)
{
	GX_STMT(st, t->q, flags & GX_WALK_BACK ? "SELECT key,total,unread FROM schunk WHERE view=?1 ORDER BY key DESC"
		: "SELECT key,total,unread FROM schunk WHERE view=?1 ORDER BY key");
	gx_sql__bind_int(st, 1, (int64_t)view);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		*ret_n = gx_sql__u64(st, flags & GX_WALK_UNREAD ? 2 : 1);
		if (*io_pos < *ret_n)
			return keep(lo, gx_sql__blob(st, 0));
		*io_pos -= *ret_n;
	}
	return r < 0 ? r : GX_E_NOTFOUND;
}

int gx_order__at(struct gx_txn *t, uint64_t view, uint64_t pos, unsigned flags, struct gx_push *out)
{
	struct gx_push lo = GX_PUSH_INIT;
	uint64_t n;
	int err = find_run(t, view, flags, &pos, &lo, &n);
	if (err == 0) {
		GX_STMT(st, t->q, flags & GX_WALK_UNREAD ?
			"SELECT key FROM srow WHERE view=?1 AND key>=?2 AND unread ORDER BY key LIMIT 1 OFFSET ?3" :
			"SELECT key FROM srow WHERE view=?1 AND key>=?2 ORDER BY key LIMIT 1 OFFSET ?3");
		gx_sql__bind_int(st, 1, (int64_t)view);
		gx_sql__bind_blob(st, 2, lo.data == NULL ? (const uint8_t *)"" : lo.data, lo.len);
		gx_sql__bind_int(st, 3, (int64_t)(flags & GX_WALK_BACK ? n - 1 - pos : pos));
		int r = gx_sql__step(st);
		err = r < 0 ? r : r == 0 ? damaged(t, view) : keep(out, gx_sql__blob(st, 0));
	}
	gx_push_release(&lo);
	return err;
}

/* ---- Walking ---- */

void gx_orderwalk__from(struct gx_orderwalk *w, struct gx_txn *t, uint64_t view, struct gx_bin key, unsigned flags)
{
	static const char *const sql[] = {
		"SELECT key,unread FROM srow WHERE view=?1 AND key>=?2 ORDER BY key",
		"SELECT key,unread FROM srow WHERE view=?1 AND key<=?2 ORDER BY key DESC",
		"SELECT key,unread FROM srow WHERE view=?1 AND key>=?2 AND unread ORDER BY key",
		"SELECT key,unread FROM srow WHERE view=?1 AND key<=?2 AND unread ORDER BY key DESC",
	};
	w->st = gx_sql__stmt(t->q, sql[flags & 3]);
	gx_sql__bind_int(w->st, 1, (int64_t)view);
	gx_sql__bind_blob(w->st, 2, key.data, key.len);
}

int gx_orderwalk__next(struct gx_orderwalk *w, struct gx_orderrow *ret_r)
{
	int r = gx_sql__step(w->st);
	if (r <= 0)
		return r;
	struct gx_orderrow row = {.key = gx_sql__blob(w->st, 0), .unread = gx_sql__int(w->st, 1) != 0};
	gx_order__id(row.key, &row.mid, &row.inst);
	*ret_r = row;
	return 1;
}

void gx_orderwalk__end(struct gx_orderwalk *w)
{
	gx_sql__done(w->st);
	w->st = NULL;
}
