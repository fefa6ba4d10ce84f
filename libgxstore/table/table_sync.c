/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * Before a table answers, what it has in memory and what the transaction reads must be the same state. An old
 * read transaction is moved forward; messages that commits have left to be looked at are looked at; if
 * there are too many, or nobody told, everything is read anew.
 */

#define ALWAYS_LISTED 128U   /* messages of a folder that are sorted in memory rather than kept in an order */
#define SMALL_FOLDER 8192U   /* up to here sorting in memory is better than waiting for the writer */
/* For the writer, each time: who reads does not wait until a bulk operation ends, but does without an order then. */
#define WAIT_SMALL_MS 20
#define WAIT_LARGE_MS 50
#define WAIT_COUNT_MS 50
#define TRIES 8U

static bool in_memory(const struct gx_table *tb)
{
	return tb->what == GX_T_FOLDERS || (tb->what == GX_T_CONTENTS && (tb->seq.listed || tb->groups.depth > 0));
}

void gx_table__pend(struct gx_table *tb, const uint64_t *ids, size_t n)
{
	if (tb->stale || tb->npending + n > GX_TABLE_PENDING_MAX) {
		tb->stale = true;
		return;
	}
	if (tb->npending + n > tb->cap_pending) {
		size_t cap = tb->cap_pending == 0 ? 256 : tb->cap_pending * 2;
		while (cap < tb->npending + n)
			cap *= 2;
		uint64_t *v = realloc(tb->pending, cap * sizeof(*v));
		if (v == NULL) {
			tb->stale = true;
			return;
		}
		tb->pending = v;
		tb->cap_pending = cap;
	}
	memcpy(tb->pending + tb->npending, ids, n * sizeof(*ids));
	tb->npending += n;
}

/* ---- The order that a table reads ---- */

static int message_count(struct gx_txn *t, const struct gx_table *tb, uint64_t *ret_n)
{
	struct gx_fstate *f;
	*ret_n = UINT64_MAX;
	if (tb->seq.kind == GX_ORDER_STORE)
		return 0;
	int err = gx_fstate__get(t, tb->fid, &f);
	if (err == 0)
		*ret_n = tb->seq.kind == GX_ORDER_FAI ? f->fai : f->total;
	return err;
}

static uint64_t order_fid(const struct gx_table *tb)
{
	return tb->seq.kind == GX_ORDER_STORE ? 0 : tb->fid;
}

/* Commits look at the order, too. From now on it is this one; 0: rows are sorted in memory. */
static void take_order(struct gx_table *tb, uint64_t view, const struct gx_orderspec *spec)
{
	pthread_mutex_lock(&tb->lock);
	tb->seq.view = view;
	tb->seq.listed = tb->seq.for_now = view == 0;
	if (spec != NULL)
		tb->seq.spec = *spec;
	if (view != 0) {
		gx_list__clear(tb);
		tb->npending = 0;
	}
	tb->stale = in_memory(tb);
	pthread_mutex_unlock(&tb->lock);
}

static int make_order(struct gx_table *tb, struct gx_txn *t, uint64_t *ret_view)
{
	uint64_t n;
	int err = message_count(t, tb, &n);
	if (err != 0)
		return err;
	if (n <= ALWAYS_LISTED || t->s->observe)
		return GX_E_TIMEOUT;
	return gx_order__ensure(t, order_fid(tb), tb->seq.kind, &tb->seq.want,
		n <= SMALL_FOLDER ? WAIT_SMALL_MS : WAIT_LARGE_MS, ret_view);
}

static bool cannot_write(const struct gx_txn *t, int err)
{
	return err == GX_E_TIMEOUT || err == GX_E_BUSY ||
	       (t->mode == GX_TXN_READ && (err == GX_E_NOSPACE || err == GX_E_IO));
}

/* It reads an order, or has its rows in memory for want of one and must read all of them again: then one is made. */
static bool needs_order(struct gx_table *tb)
{
	pthread_mutex_lock(&tb->lock);
	bool needs = !tb->seq.listed || (tb->seq.for_now && tb->stale);
	pthread_mutex_unlock(&tb->lock);
	return needs;
}

static int choose_order(struct gx_table *tb, struct gx_txn *t)
{
	struct gx_seq *q = &tb->seq;
	uint64_t view = 0;
	int err = t->mode == GX_TXN_WRITE ? gx_order__flush(t) : 0;
	q->made = atomic_load(&t->s->orders->made);
	if (err == 0)
		err = gx_order__find(t, order_fid(tb), q->kind, &q->want, q->view, &view);
	if (err == GX_E_NOTFOUND && !needs_order(tb))
		return 0;
	if (err == GX_E_NOTFOUND)
		err = make_order(tb, t, &view);
	/* Where nothing can be written tables can be read all the same. */
	if (cannot_write(t, err)) {
		take_order(tb, 0, NULL);
		return 0;
	}
	if (err != 0 || view == q->view)
		return err;
	struct gx_orderspec spec;
	err = gx_order__spec(t, view, &spec);
	if (err == 0)
		take_order(tb, view, &spec);
	return err;
}

/* Or one was made meanwhile, which may be what it wants. */
static bool wants_order(struct gx_table *tb)
{
	if (tb->what != GX_T_CONTENTS)
		return false;
	return needs_order(tb) || (tb->seq.for_now && tb->seq.made != atomic_load(&tb->s->orders->made));
}

/* Groups that have to be read anew are read from numbers when there are some; the rows do as well. */
static int count_groups(struct gx_table *tb, struct gx_txn *t)
{
	pthread_mutex_lock(&tb->lock);
	bool wanted = tb->stale && tb->groups.depth > 0 && !tb->seq.listed;
	pthread_mutex_unlock(&tb->lock);
	if (!wanted)
		return 0;
	int err = gx_order__ensure_counts(t, tb->seq.view, tb->groups.depth, WAIT_COUNT_MS);
	if (err != 0 && err != GX_E_NOTFOUND && !cannot_write(t, err))
		return err;
	return choose_order(tb, t); /* the transaction may have moved, and the order be gone */
}

/* ---- What is in memory ---- */

static int fill(struct gx_table *tb, struct gx_txn *t)
{
	int err = 0;
	if (tb->what == GX_T_FOLDERS)
		return gx_folders__fill(tb, t);
	if (tb->seq.listed)
		err = gx_list__fill(tb, t);
	return err == 0 && tb->groups.depth > 0 ? gx_groups__fill(tb, t) : err;
}

static int update(struct gx_table *tb, struct gx_txn *t, const uint64_t *ids, size_t n, struct gx_groupops *ops)
{
	int err = 0;
	if (tb->what == GX_T_FOLDERS)
		return gx_folders__fill(tb, t);
	if (!tb->seq.listed)
		return gx_groups__update(tb, t, ops);
	err = gx_list__update(tb, t, ids, n, NULL);
	return err == 0 && tb->groups.depth > 0 ? gx_groups__fill(tb, t) : err;
}

/* What commits have left for the table to look at. */
struct left {
	bool anew;
	uint64_t *ids;
	size_t n;
	struct gx_groupops ops;
};

/* Holds the lock of all tables: no commit is half told. @return false when nothing is left. */
static bool take_left(struct gx_table *tb, uint64_t version, uint64_t known, struct left *l)
{
	pthread_mutex_lock(&tb->lock);
	/* Nobody here has told of what lies between: another process has changed the store. */
	if (version > known && version > tb->version)
		tb->stale = true;
	*l = (struct left){.anew = tb->stale, .ids = tb->pending, .n = tb->npending, .ops = tb->ops};
	tb->pending = NULL;
	tb->npending = tb->cap_pending = 0;
	tb->ops = (struct gx_groupops){.bytes = GX_PUSH_INIT};
	tb->stale = tb->told = tb->moved = false;
	pthread_mutex_unlock(&tb->lock);
	return l->anew || l->n > 0;
}

/* The owner has the table to itself: commits that come meanwhile leave what they have for the next time. */
static int refresh(struct gx_table *tb, struct gx_txn *t, uint64_t version, struct left *l)
{
	int err = l->anew ? fill(tb, t) : update(tb, t, l->ids, l->n, &l->ops);
	pthread_mutex_lock(&tb->lock);
	tb->version = version;
	if (err != 0)
		tb->stale = true;
	pthread_mutex_unlock(&tb->lock);
	return err;
}

/* Its own changes are not committed: what is read with them holds for this call only. */
static bool has_changes(const struct gx_txn *t)
{
	return t->mode == GX_TXN_WRITE && (t->numbers > 0 || t->nvops > 0);
}

static int refresh_inside(struct gx_table *tb, struct gx_txn *t)
{
	int err = fill(tb, t);
	pthread_mutex_lock(&tb->lock);
	tb->stale = true;
	tb->npending = 0;
	pthread_mutex_unlock(&tb->lock);
	return err;
}

/* An old read transaction moves on. */
static int renew(struct gx_txn *t, uint64_t *ret_version)
{
	int err = gx_txn__renew(t);
	return err != 0 ? err : gx_txn__version(t, ret_version);
}

/*
 * Brings the transaction up to what everybody knows of, and keeps commits from being told. Where one follows the other,
 * commits wait the last time.
 */
static int move_on(struct gx_txn *t, uint64_t *ret_version, uint64_t *ret_known)
{
	int err = gx_txn__version(t, ret_version);
	if (err != 0)
		return err;
	for (unsigned tries = 0;; tries++) {
		*ret_known = gx_tables__hold(t->s, *ret_version);
		if (*ret_version >= *ret_known || t->mode != GX_TXN_READ)
			return 0;
		if (tries == TRIES)
			break;
		gx_tables__let_go(t->s);
		err = renew(t, ret_version);
		if (err != 0)
			return err;
	}
	*ret_known = gx_tables__hold_still(t->s);
	err = renew(t, ret_version);
	if (err != 0)
		gx_tables__let_go(t->s);
	return err;
}

static int keep_step(struct gx_table *tb, struct gx_txn *t)
{
	uint64_t version, known;
	struct left l;
	if (has_changes(t))
		return refresh_inside(tb, t);
	int err = move_on(t, &version, &known);
	if (err != 0)
		return err;
	bool any = take_left(tb, version, known, &l);
	gx_tables__let_go(t->s);
	if (any)
		err = refresh(tb, t, version, &l);
	free(l.ids);
	gx_groupops__clear(&l.ops);
	return err;
}

/* ---- A call's first and last step ---- */

static gx_ec check_rights(struct gx_table *tb, struct gx_txn *t)
{
	struct gx_folder_row row;
	if (tb->s != t->s)
		return gx_txn__fail(t, ecInvalidParam, "the table is of another store");
	return tb->what == GX_T_FIXED
		       ? GX_OK_EC
		       : gx_folder__need(t, tb->fid, tb->what == GX_T_CONTENTS ? GX_RIGHT_READ : 0, &row);
}

static void set_busy(struct gx_table *tb, bool busy)
{
	pthread_mutex_lock(&tb->lock);
	tb->busy = busy;
	pthread_mutex_unlock(&tb->lock);
}

gx_ec gx_table__begin(struct gx_table *tb, struct gx_txn *t)
{
	gx_ec ec = check_rights(tb, t);
	if (gx_ec_failed(ec))
		return ec;
	int err = 0;
	set_busy(tb, true);
	if (wants_order(tb))
		err = choose_order(tb, t);
	if (err == 0 && tb->what == GX_T_CONTENTS)
		err = count_groups(tb, t);
	if (err == 0 && tb->what == GX_T_FIXED) {
		err = gx_fixed__keep_step(tb, t);
	} else if (err == 0 && in_memory(tb)) {
		err = keep_step(tb, t);
	} else if (err == 0) { /* it reads the store itself */
		pthread_mutex_lock(&tb->lock);
		tb->told = tb->moved = false;
		pthread_mutex_unlock(&tb->lock);
	}
	if (err != 0)
		set_busy(tb, false);
	return gx_table__ec(t, err);
}

void gx_table__end(struct gx_table *tb)
{
	set_busy(tb, false);
}
