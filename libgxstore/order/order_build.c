/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/order/order-int.h"

/*
 * Orders are made when first used: large ones in bulk (order_bulk.c), others step by step. Each step is a
 * transaction of its own, so that other writers get their turn, and an order that is half made goes on where
 * it was after a crash. Messages behind the point reached are none of its business yet; those before it
 * are kept by the hub.
 */

#define STEP 4096U        /* messages a transaction */
#define TOUCH_AFTER 3600  /* seconds */
#define WAIT_MS 60000     /* for an order that somebody else makes */

/* ---- Taking messages in ---- */

/* The next messages; *ret_progress is where they end. */
static int collect_more(struct gx_txn *t, const struct gx_order *o, unsigned n, struct gx_arena *a, unsigned *ret_n,
	uint64_t *ret_progress)
{
	struct gx_msgscan s;
	struct gx_msgsrc x;
	unsigned k = 0;
	int r = 1, err = 0;
	gx_msgsrc__init(&x, t, a);
	gx_msgscan__begin(&s, t, o->kind, o->fid, o->progress, !gx_orderspec__by_row(&o->spec));
	while (err == 0 && k < n && (r = gx_msgscan__next(&s, &x)) > 0) {
		err = gx_order__collect(t, o, &x, GX_OP_PUT);
		*ret_progress = gx_msgscan__at(&s, &x);
		k++;
		gx_arena_reset(a);
	}
	gx_msgscan__end(&s);
	gx_msgsrc__release(&x);
	*ret_n = k;
	return err != 0 ? err : r < 0 ? r : 0;
}

int gx_order__write_progress(struct gx_txn *t, const struct gx_order *o)
{
	GX_STMT(st, t->q, "UPDATE sview SET progress=?2, used=?3 WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)o->id);
	if (o->building)
		gx_sql__bind_int(st, 2, o->bulk ? -1 : (int64_t)o->progress);
	else
		gx_sql__bind_null(st, 2);
	gx_sql__bind_int(st, 3, gx_store__now_unix(t->s));
	return gx_sql__run(st);
}

int gx_order__restart(struct gx_txn *t, struct gx_order *o)
{
	gx_orderbulk__gone(t->s->orders, o->id);
	int err = gx_order__changing(t);
	if (err == 0)
		err = gx_order__drop_rows(t, o->id);
	if (err == 0)
		err = gx_order__new_rows(t, o->id);
	o->bulk = false;
	o->progress = 0;
	return err != 0 ? err : gx_order__write_progress(t, o);
}

int gx_order__advance(struct gx_txn *t, struct gx_order *o, unsigned n)
{
	unsigned got = 0;
	uint64_t progress = o->progress;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_order__changing(t);
	if (err == 0 && o->bulk) {
		err = gx_order__restart(t, o);
		progress = 0;
	}
	if (err == 0)
		err = collect_more(t, o, n, a, &got, &progress);
	gx_arena_free(a);
	if (err != 0)
		return err;
	o->progress = progress;
	o->building = got == n;
	return gx_order__write_progress(t, o);
}

/* ---- Making and dropping ---- */

int gx_order__drop(struct gx_txn *t, uint64_t view)
{
	int err = gx_order__flush(t);
	gx_orderbulk__gone(t->s->orders, view);
	if (err == 0)
		err = gx_order__changing(t);
	if (err == 0)
		err = gx_order__drop_rows(t, view);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "DELETE FROM sview WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)view);
	gx_orders__forget(t->s->orders);
	return gx_sql__run(st);
}

/* The longest unused of a full set goes. */
static int make_room(struct gx_txn *t, uint64_t fid, uint8_t kind)
{
	uint64_t view = 0;
	{
		GX_STMT(st, t->q, "SELECT id FROM sview WHERE fid=?1 AND kind=?2 ORDER BY used DESC LIMIT 1 OFFSET ?3");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		gx_sql__bind_int(st, 2, kind);
		gx_sql__bind_int(st, 3, GX_ORDERS_MAX - 1);
		int r = gx_sql__step(st);
		if (r <= 0)
			return r;
		view = gx_sql__u64(st, 0);
	}
	return gx_order__drop(t, view);
}

static int make_empty(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec)
{
	int err = make_room(t, fid, kind);
	if (err == 0)
		err = gx_order__changing(t);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "INSERT INTO sview(fid,kind,spec,used,progress) VALUES(?1,?2,?3,?4,0)");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, kind);
	gx_sql__bind_blob(st, 3, spec->bytes, spec->len);
	gx_sql__bind_int(st, 4, gx_store__now_unix(t->s));
	err = gx_sql__run(st);
	gx_orders__forget(t->s->orders);
	return err != 0 ? err : gx_order__new_rows(t, (uint64_t)gx_sql__rowid(t->q));
}

static int known(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, struct gx_order **ret_o)
{
	struct gx_order *o;
	int err = gx_orders__of(t, fid, &o);
	if (err != 0)
		return err;
	while (o != NULL && (o->fid != fid || o->kind != kind || o->spec.len != spec->len ||
				    !gx_orderspec__serves(&o->spec, spec)))
		o = o->next;
	*ret_o = o;
	return 0;
}

int gx_order__begin(
	struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, struct gx_order **ret_o)
{
	int err = known(t, fid, kind, spec, ret_o);
	if (err != 0 || *ret_o != NULL)
		return err;
	err = make_empty(t, fid, kind, spec);
	if (err == 0)
		err = known(t, fid, kind, spec, ret_o);
	return err == 0 && *ret_o == NULL ? GX_E_INTERNAL : err;
}

/* Time, subject, sender; the last two with the newest first among equal ones. */
int gx_order__auto(struct gx_txn *t, uint64_t fid)
{
	static const struct gx_sort cols[3][2] = {
		{{PidTagMessageDeliveryTime, GX_SORT_ASCEND}},
		{{PidTagNormalizedSubject, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}},
		{{PidTagSenderName, GX_SORT_ASCEND}, {PidTagMessageDeliveryTime, GX_SORT_DESCEND}},
	};
	for (unsigned i = 0; i < 3; i++) {
		struct gx_sortset s = {.v = cols[i], .count = i == 0 ? 1 : 2};
		struct gx_orderspec spec;
		struct gx_order *o;
		bool back;
		int err = gx_orderspec__make(&s, &spec, &back);
		if (err == 0)
			err = gx_order__begin(t, fid, GX_ORDER_NORMAL, &spec, &o);
		if (err != 0)
			return err;
	}
	return 0;
}

/* ---- A folder is emptied ---- */

/* Out of the orders that hold messages of many folders. */
static int leave_shared(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>0");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int s, err = 0;
	while (err == 0 && (s = gx_sql__step(st)) > 0) {
		struct gx_msg_row r;
		err = gx_msg__row(t, gx_sql__u64(st, 0), &r);
		if (err == 0)
			err = gx_order__before(t, &r);
		if (err == 0)
			err = gx_order__removed(t, &r);
	}
	return err != 0 ? err : s;
}

int gx_order__emptied(struct gx_txn *t, uint64_t fid)
{
	struct gx_order *o;
	int err;
	do { /* each drop reads the list anew */
		err = gx_orders__of(t, fid, &o);
		while (err == 0 && o != NULL && o->fid != fid)
			o = o->next;
		if (err == 0 && o != NULL)
			err = gx_order__drop(t, o->id);
	} while (err == 0 && o != NULL);
	if (err == 0 && (t->s->orders->any_store || t->s->orders->any_found))
		err = leave_shared(t, fid);
	return err;
}

/* ---- Finding ---- */

static void touch(struct gx_txn *t, uint64_t view, int64_t used)
{
	struct gx_orders *o = t->s->orders;
	if (gx_store__now_unix(t->s) - used < TOUCH_AFTER)
		return;
	for (unsigned i = 0; i < GX_ORDER_TOUCHED; i++) {
		uint_least64_t none = 0;
		if (atomic_load(&o->touched[i]) == view || atomic_compare_exchange_strong(&o->touched[i], &none, view))
			return;
	}
}

int gx_order__note_used(struct gx_txn *t)
{
	struct gx_orders *o = t->s->orders;
	int err = 0;
	for (unsigned i = 0; err == 0 && i < GX_ORDER_TOUCHED && atomic_load(&o->touched[i]) != 0; i++) {
		GX_STMT(st, t->q, "UPDATE sview SET used=?2 WHERE id=?1");
		gx_sql__bind_int(st, 1, (int64_t)atomic_exchange(&o->touched[i], 0));
		gx_sql__bind_int(st, 2, gx_store__now_unix(t->s));
		err = gx_sql__run(st);
	}
	return err;
}

int gx_order__find(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, uint64_t prefer,
	uint64_t *ret_view)
{
	GX_STMT(st, t->q, "SELECT id,spec,used FROM sview WHERE fid=?1 AND kind=?2 AND progress IS NULL ORDER BY id");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, kind);
	uint64_t best = 0;
	int64_t used = 0;
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_orderspec have;
		uint64_t id = gx_sql__u64(st, 0);
		if (gx_orderspec__parse(gx_sql__blob(st, 1), &have) != 0 || !gx_orderspec__serves(&have, spec))
			continue;
		if (best == 0 || id == prefer || (have.len == spec->len && best != prefer)) {
			best = id;
			used = gx_sql__int(st, 2);
		}
	}
	if (r < 0)
		return r;
	if (best == 0)
		return GX_E_NOTFOUND;
	touch(t, best, used);
	*ret_view = best;
	return 0;
}

int gx_order__spec(struct gx_txn *t, uint64_t view, struct gx_orderspec *ret_spec)
{
	GX_STMT(st, t->q, "SELECT spec FROM sview WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)view);
	int r = gx_sql__step(st);
	return r <= 0 ? r == 0 ? GX_E_NOTFOUND : r : gx_orderspec__parse(gx_sql__blob(st, 0), ret_spec);
}

static int build_here(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec)
{
	struct gx_order *o;
	int err = gx_order__begin(t, fid, kind, spec, &o);
	while (err == 0 && o->building)
		err = gx_order__advance(t, o, STEP);
	return err != 0 ? err : gx_order__flush(t);
}

int gx_order__turn(struct gx_store *s, int *io_wait_ms, struct gx_txn **ret_w)
{
	int64_t since = gx_clock_mono_ms(s->clock);
	int err = gx_txn__brief(s, *io_wait_ms, ret_w);
	int64_t took = gx_clock_mono_ms(s->clock) - since;
	*io_wait_ms = took < *io_wait_ms ? *io_wait_ms - (int)took : 0;
	return err;
}

static int build_steps(struct gx_store *s, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int *io_wait_ms)
{
	struct gx_order *o;
	struct gx_folder_row row;
	bool more_to_do = true;
	while (more_to_do) {
		struct gx_txn *w;
		int err = gx_order__turn(s, io_wait_ms, &w);
		if (err != 0)
			return err;
		err = fid == 0 ? 0 : gx_folder__row(w, fid, &row);
		if (err == 0)
			err = gx_order__begin(w, fid, kind, spec, &o);
		if (err == 0 && o->building)
			err = gx_order__advance(w, o, STEP);
		if (err != 0) {
			gx_txn_abort(w);
			return err;
		}
		more_to_do = o->building;
		err = gx_txn_commit(w, GX_SYNC_LATER);
		if (err != 0)
			return err;
	}
	return 0;
}

static int build_bulk(
	struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int *io_wait_ms)
{
	struct gx_store *s = t->s;
	struct gx_orderbulk *b = NULL;
	int before = *io_wait_ms;
	int r = gx_orderbulk__begin(s, fid, kind, spec, io_wait_ms, &b);
	if (r == GX_E_BUSY)
		return gx_orderbulk__wait(s->orders, fid, kind, spec, WAIT_MS, *io_wait_ms);
	if (r != 0 || b == NULL)
		return r != 0 ? r : build_steps(s, fid, kind, spec, io_wait_ms);
	if (gx_orderbulk__hopeless(b, before - *io_wait_ms, *io_wait_ms))
		r = GX_E_TIMEOUT; /* rather than to read all of it and then sort it in memory again */
	else
		do
			r = gx_orderbulk__step(b, t, io_wait_ms);
		while (r > 0);
	if (r == GX_E_TIMEOUT)
		gx_orderbulk__leave(b);
	else
		gx_orderbulk__end(b);
	return r == GX_E_STATE ? 0 : r; /* somebody took it away: it is looked for again */
}

static int build_apart(
	struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int *io_wait_ms)
{
	bool few;
	int err = gx_orderbulk__few(t, fid, kind, &few);
	if (err != 0)
		return err;
	return few ? build_steps(t->s, fid, kind, spec, io_wait_ms) : build_bulk(t, fid, kind, spec, io_wait_ms);
}

int gx_order__ensure(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int deadline_ms,
	uint64_t *ret_view)
{
	int err = t->mode == GX_TXN_WRITE ? gx_order__flush(t) : 0;
	if (err == 0)
		err = gx_order__find(t, fid, kind, spec, 0, ret_view);
	for (unsigned tries = 0; err == GX_E_NOTFOUND && tries < 4; tries++) {
		if (t->mode == GX_TXN_WRITE)
			err = build_here(t, fid, kind, spec);
		else
			err = build_apart(t, fid, kind, spec, &deadline_ms);
		if (err == 0 && t->mode == GX_TXN_READ)
			err = gx_txn__renew(t);
		if (err == 0)
			err = gx_order__find(t, fid, kind, spec, 0, ret_view);
	}
	return err;
}
