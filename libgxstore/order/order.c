/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/order/order-int.h"

/*
 * Orders are kept in the transaction that changes messages. Before the properties of a message change, its
 * keys are put aside; what becomes of it afterwards is compared with them. Changes are collected and
 * applied in key order, so that a bulk operation passes over an order once.
 */

#define COLLECT_MAX 65536U       /* ops, then they are applied */
#define COLLECT_BYTES (4U << 20) /* of keys */
#define BUILD_A_MESSAGE 32U      /* messages that an arrival takes into an order that is being built */

struct gx_ordertxn {
	struct gx_push keys;
	struct gx_orderop *ops;
	size_t n, cap;
	/* What the message had before the change that is being told. */
	uint64_t aside_mid;
	struct gx_push aside_keys;
	struct gx_orderop *aside;
	size_t n_aside, cap_aside;
	struct gx_orderkeys made;
	bool changed; /* orders were made, went on being built, or went */
};

void gx_order__release(struct gx_txn *t)
{
	struct gx_ordertxn *x = t->orders;
	if (x == NULL)
		return;
	gx_push_release(&x->keys);
	gx_push_release(&x->aside_keys);
	gx_push_release(&x->made.bytes);
	free(x->ops);
	free(x->aside);
	free(x);
	t->orders = NULL;
}

static int state(struct gx_txn *t, struct gx_ordertxn **ret_x)
{
	if (t->orders == NULL)
		t->orders = calloc(1, sizeof(*t->orders));
	*ret_x = t->orders;
	return t->orders == NULL ? GX_E_NOMEM : 0;
}

/* ---- Which orders a message is in ---- */

uint64_t gx_order__place(const struct gx_order *o, const struct gx_msg_row *r)
{
	return o->kind == GX_ORDER_NORMAL || o->kind == GX_ORDER_FAI ? r->uid : r->mid;
}

static bool of_kind(const struct gx_order *o, const struct gx_msg_row *r)
{
	bool fai = (r->flags & GX_MSGF_FAI) != 0;
	if (r->flags & GX_MSGF_SOFTDEL)
		return false;
	return o->kind == GX_ORDER_FOUND || fai == (o->kind == GX_ORDER_FAI);
}

int gx_order__holds(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r)
{
	if (!of_kind(o, r) || o->kind == GX_ORDER_STORE)
		return of_kind(o, r);
	if (o->kind != GX_ORDER_FOUND)
		return r->fid == o->fid;
	GX_STMT(st, t->q, "SELECT 1 FROM found WHERE fid=?1 AND mid=?2");
	gx_sql__bind_int(st, 1, (int64_t)o->fid);
	gx_sql__bind_int(st, 2, (int64_t)r->mid);
	return gx_sql__step(st);
}

/* Of an order that is being built what it has reached. */
static bool takes_part(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r)
{
	if (!of_kind(o, r) || !o->building)
		return of_kind(o, r);
	return gx_order__place(o, r) <= (o->bulk ? gx_orderbulk__from(t->s->orders, o->id) : o->progress);
}

typedef int (*order_cb)(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r, void *ctx);

static int each_in(struct gx_txn *t, uint64_t fid, bool found, const struct gx_msg_row *r, order_cb cb, void *ctx)
{
	struct gx_order *o;
	int err = gx_orders__of(t, fid, &o);
	for (; err == 0 && o != NULL; o = o->next) {
		if (o->fid != fid || (o->kind == GX_ORDER_FOUND) != found)
			continue;
		if (o->bulk)
			gx_orderbulk__note(t->s->orders, o->id, gx_order__place(o, r), r->mid);
		if (takes_part(t, o, r))
			err = cb(t, o, r, ctx);
	}
	return err;
}

/* Search folders that hold the message. */
static int each_found(struct gx_txn *t, const struct gx_msg_row *r, order_cb cb, void *ctx)
{
	GX_STMT(st, t->q, "SELECT fid FROM found WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	int s, err = 0;
	while (err == 0 && (s = gx_sql__step(st)) > 0)
		err = each_in(t, gx_sql__u64(st, 0), true, r, cb, ctx);
	return err != 0 ? err : s;
}

static int each_order(struct gx_txn *t, const struct gx_msg_row *r, order_cb cb, void *ctx)
{
	const struct gx_orders *all = t->s->orders;
	int err = each_in(t, r->fid, false, r, cb, ctx);
	if (err == 0 && all->any_store)
		err = each_in(t, 0, false, r, cb, ctx);
	if (err == 0 && all->any_found)
		err = each_found(t, r, cb, ctx);
	return err;
}

/* ---- Collecting ---- */

static int by_key(const void *a, const void *b, void *ctx)
{
	const struct gx_orderop *x = a, *y = b;
	const uint8_t *keys = ctx;
	if (x->view != y->view)
		return x->view < y->view ? -1 : 1;
	int d = gx_order__cmp((struct gx_bin){keys + x->off, x->len}, (struct gx_bin){keys + y->off, y->len});
	return d != 0 ? d : (x->seq > y->seq) - (x->seq < y->seq);
}

static int apply(struct gx_txn *t, struct gx_ordertxn *x)
{
	if (x->n == 0)
		return 0;
	qsort_r(x->ops, x->n, sizeof(*x->ops), by_key, x->keys.data);
	int err = gx_order__apply(t, x->keys.data, x->ops, x->n);
	x->n = 0;
	gx_push_clear(&x->keys);
	return err;
}

static int grow(struct gx_orderop **io_v, size_t *io_cap, size_t want)
{
	if (want <= *io_cap)
		return 0;
	size_t cap = *io_cap == 0 ? 64 : *io_cap * 2;
	struct gx_orderop *v = realloc(*io_v, cap * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	*io_v = v;
	*io_cap = cap;
	return 0;
}

static int add_op(struct gx_txn *t, struct gx_ordertxn *x, uint64_t view, int what, bool unread, struct gx_bin key)
{
	int err = x->n >= COLLECT_MAX || x->keys.len >= COLLECT_BYTES ? apply(t, x) : 0;
	if (err == 0)
		err = grow(&x->ops, &x->cap, x->n + 1);
	if (err != 0)
		return err;
	x->ops[x->n] = (struct gx_orderop){.view = view,
		.off = x->keys.len,
		.len = key.len,
		.seq = x->n,
		.what = (uint8_t)what,
		.unread = unread};
	x->n++;
	gx_push_bytes(&x->keys, key.data, key.len);
	return x->keys.err;
}

static bool is_unread(const struct gx_msg_row *r)
{
	return !(r->flags & GX_MSGF_READ);
}

int gx_order__collect_key(struct gx_txn *t, uint64_t view, int what, bool unread, struct gx_bin key)
{
	struct gx_ordertxn *x;
	int err = state(t, &x);
	return err != 0 ? err : add_op(t, x, view, what, unread, key);
}

int gx_order__collect(struct gx_txn *t, const struct gx_order *o, struct gx_msgsrc *src, int what)
{
	struct gx_ordertxn *x;
	int err = state(t, &x);
	if (err == 0)
		err = gx_orderkeys__make(&o->spec, src, &x->made);
	for (unsigned i = 0; err == 0 && i < x->made.n; i++)
		err = add_op(t, x, o->id, what, is_unread(&src->row), gx_orderkeys__at(&x->made, i));
	return err;
}

/* A source for one message, its values in an arena of its own. */
struct task {
	struct gx_msgsrc src;
	struct gx_arena *a;
	bool ready;
	int what;
	const struct gx_msg_row *old;
};

static int task_ready(struct task *k, struct gx_txn *t, const struct gx_msg_row *r)
{
	if (k->ready)
		return 0;
	k->a = gx_arena_new(0);
	if (k->a == NULL)
		return GX_E_NOMEM;
	gx_msgsrc__init(&k->src, t, k->a);
	gx_msgsrc__set(&k->src, r);
	k->ready = true;
	return 0;
}

/* Keys of the message in this order; they are in (*ret_x)->made until the next ones are made. */
static int keys_of(struct task *k, struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r, struct gx_ordertxn **ret_x)
{
	int err = task_ready(k, t, r);
	if (err == 0)
		err = state(t, ret_x);
	return err != 0 ? err : gx_orderkeys__make(&o->spec, &k->src, &(*ret_x)->made);
}

static void task_end(struct task *k)
{
	if (k->ready)
		gx_msgsrc__release(&k->src);
	gx_arena_free(k->a);
}

/* ---- Before a change ---- */

static int put_aside(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r, void *ctx)
{
	struct gx_ordertxn *x;
	int err = keys_of(ctx, t, o, r, &x);
	for (unsigned i = 0; err == 0 && i < x->made.n; i++) {
		struct gx_bin key = gx_orderkeys__at(&x->made, i);
		err = grow(&x->aside, &x->cap_aside, x->n_aside + 1);
		if (err != 0)
			break;
		x->aside[x->n_aside++] = (struct gx_orderop){.view = o->id,
			.off = x->aside_keys.len,
			.len = key.len,
			.what = GX_OP_TAKE,
			.unread = is_unread(r)};
		gx_push_bytes(&x->aside_keys, key.data, key.len);
		err = x->aside_keys.err;
	}
	return err;
}

static void nothing_aside(struct gx_txn *t)
{
	if (t->orders == NULL)
		return;
	t->orders->aside_mid = 0;
	t->orders->n_aside = 0;
	gx_push_clear(&t->orders->aside_keys);
}

int gx_order__before(struct gx_txn *t, const struct gx_msg_row *r)
{
	struct task k = {0};
	nothing_aside(t);
	int err = each_order(t, r, put_aside, &k);
	task_end(&k);
	if (err == 0 && t->orders != NULL)
		t->orders->aside_mid = r->mid;
	return err;
}

/* ---- After it ---- */

/* The key that was put aside for this order and is the same now: the row need not move. */
static struct gx_orderop *same_aside(struct gx_ordertxn *x, uint64_t view, struct gx_bin key)
{
	for (size_t i = 0; i < x->n_aside; i++) {
		struct gx_orderop *op = &x->aside[i];
		if (op->view == view && op->what == GX_OP_TAKE &&
		    gx_order__cmp((struct gx_bin){x->aside_keys.data + op->off, op->len}, key) == 0)
			return op;
	}
	return NULL;
}

/* A key is put before those aside are taken, so one that stays must be in neither: only its mark may turn. */
static int put_key(struct gx_txn *t, struct gx_ordertxn *x, uint64_t view, bool unread, struct gx_bin key)
{
	struct gx_orderop *same = same_aside(x, view, key);
	if (same == NULL)
		return add_op(t, x, view, GX_OP_PUT, unread, key);
	same->what = GX_OP_PUT; /* it stays */
	return same->unread == unread ? 0 : add_op(t, x, view, unread ? GX_OP_UNREAD : GX_OP_READ, unread, key);
}

static int put_new(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r, void *ctx)
{
	struct gx_ordertxn *x;
	int err = keys_of(ctx, t, o, r, &x);
	for (unsigned i = 0; err == 0 && i < x->made.n; i++)
		err = put_key(t, x, o->id, is_unread(r), gx_orderkeys__at(&x->made, i));
	return err;
}

/* What was put aside and did not come back. */
static int take_aside(struct gx_txn *t, uint64_t mid)
{
	struct gx_ordertxn *x = t->orders;
	int err = 0;
	if (x == NULL || x->aside_mid != mid)
		return 0;
	for (size_t i = 0; err == 0 && i < x->n_aside; i++)
		if (x->aside[i].what == GX_OP_TAKE)
			err = add_op(t, x, x->aside[i].view, GX_OP_TAKE, x->aside[i].unread,
				(struct gx_bin){x->aside_keys.data + x->aside[i].off, x->aside[i].len});
	nothing_aside(t);
	return err;
}

/* Each arrival pays for a few of those that were there before. */
static int go_on_building(struct gx_txn *t, uint64_t fid)
{
	struct gx_order *o;
	int err = gx_orders__of(t, fid, &o);
	for (; err == 0 && o != NULL; o = o->next)
		if (o->fid == fid && o->building && !o->bulk)
			err = gx_order__advance(t, o, BUILD_A_MESSAGE);
	return err;
}

int gx_order__created(struct gx_txn *t, const struct gx_fstate *f, const struct gx_msg_row *r)
{
	struct task k = {0};
	nothing_aside(t);
	if (f->total >= GX_ORDER_AUTO && !(r->flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL))) {
		int err = gx_order__auto(t, r->fid);
		if (err != 0)
			return err;
	}
	int err = each_order(t, r, put_new, &k);
	task_end(&k);
	return err != 0 ? err : go_on_building(t, r->fid);
}

/* The narrow row alone: the message keeps its place in most orders, only its unread mark may turn. */
static int turn(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r, void *ctx)
{
	struct task *k = ctx;
	bool unread = is_unread(r);
	if (!o->spec.follows_row && is_unread(k->old) == unread)
		return 0;
	int err = task_ready(k, t, r);
	if (err != 0)
		return err;
	if (!o->spec.follows_row)
		return gx_order__collect(t, o, &k->src, unread ? GX_OP_UNREAD : GX_OP_READ);
	gx_msgsrc__set(&k->src, k->old);
	err = gx_order__collect(t, o, &k->src, GX_OP_TAKE);
	gx_msgsrc__set(&k->src, r);
	return err != 0 ? err : gx_order__collect(t, o, &k->src, GX_OP_PUT);
}

static bool stays(const struct gx_msg_row *old, const struct gx_msg_row *r)
{
	const uint32_t where = GX_MSGF_FAI | GX_MSGF_SOFTDEL;
	return old->fid == r->fid && old->body == r->body && (old->flags & where) == (r->flags & where);
}

int gx_order__updated(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r)
{
	struct task k = {.old = old};
	bool told = t->orders != NULL && t->orders->aside_mid == r->mid;
	assert(told || t->orders == NULL || stays(old, r)); /* NULL: there was no order to tell */
	int err = each_order(t, r, told ? put_new : turn, &k);
	task_end(&k);
	return err != 0 ? err : take_aside(t, r->mid);
}

int gx_order__removed(struct gx_txn *t, const struct gx_msg_row *r)
{
	return take_aside(t, r->mid);
}

int gx_order__linked(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r)
{
	struct task k = {0};
	nothing_aside(t);
	int err = each_in(t, fid, true, r, put_new, &k);
	task_end(&k);
	return err;
}

static int take_out(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r, void *ctx)
{
	struct task *k = ctx;
	int err = task_ready(k, t, r);
	return err != 0 ? err : gx_order__collect(t, o, &k->src, GX_OP_TAKE);
}

int gx_order__unlinked(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r)
{
	struct task k = {0};
	int err = each_in(t, fid, true, r, take_out, &k);
	task_end(&k);
	return err;
}

/* ---- The end ---- */

int gx_order__changing(struct gx_txn *t)
{
	struct gx_ordertxn *x;
	int err = state(t, &x);
	if (err == 0)
		x->changed = true;
	return err;
}

void gx_order__aborted(struct gx_txn *t)
{
	if (t->orders != NULL && t->orders->changed)
		gx_orders__forget(t->s->orders);
}

int gx_order__flush(struct gx_txn *t)
{
	struct gx_ordertxn *x = t->orders;
	if (x == NULL)
		return 0;
	nothing_aside(t);
	return apply(t, x);
}
