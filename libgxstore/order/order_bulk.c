/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/order/bulk-int.h"

/*
 * A large order is made in bulk: keys of many messages are read without keeping anybody from writing, sorted
 * in memory, and go into the order as they follow each other, so that each page is written a few times
 * rather than once a row. Then comes the next batch of messages. Who changes a message above the point
 * that is done with leaves its id here: what was taken from it goes out again, and what it is now comes in,
 * before the batch is done.
 *
 * What is half done has no use after a crash, and such an order is begun anew: its progress is -1.
 */

#define BATCH_KEYS (16U << 20)  /* bytes */
#define BATCH 262144U           /* keys */
#define CHUNK 32768U            /* messages that are read from one state of the store: it is let go in between */
#define SLICE 8192U             /* keys a transaction */
#define HELD_UP_MS 5            /* with less nobody was in the way but the scheduler */
#define FEW 8192U               /* messages that are as well made in steps */

/* ---- Beginning and ending ---- */

static const struct gx_orderbulk_limits usual = {FEW, CHUNK, BATCH, SLICE};

static const struct gx_orderbulk_limits *limits_of(const struct gx_store *s)
{
	return s->orders->limits == NULL ? &usual : s->orders->limits;
}

static int count(struct gx_txn *t, uint64_t fid, uint8_t kind, uint64_t *ret_n)
{
	bool own = kind == GX_ORDER_NORMAL || kind == GX_ORDER_FAI;
	struct gx_folder_row row;
	struct gx_fstate *f;
	int err = fid == 0 ? 0 : gx_folder__row(t, fid, &row);
	if (err == 0)
		err = gx_fstate__get(t, own ? fid : 0, &f);
	if (err == 0)
		*ret_n = kind == GX_ORDER_FAI ? f->fai : f->total;
	return err;
}

int gx_orderbulk__few(struct gx_txn *t, uint64_t fid, uint8_t kind, bool *ret_few)
{
	uint64_t n = 0;
	int err = count(t, fid, kind, &n);
	*ret_few = n <= limits_of(t->s)->few;
	return err;
}

/* The order becomes @b's; 1 done, 0 there is nothing to do. */
static int claim(struct gx_orderbulk *b, struct gx_txn *t)
{
	struct gx_order *o;
	int err = count(t, b->fid, b->kind, &b->messages);
	if (err != 0 || b->messages <= b->limit.few)
		return err;
	err = gx_order__begin(t, b->fid, b->kind, &b->spec, &o);
	if (err != 0 || !o->building)
		return err;
	err = gx_order__changing(t);
	if (err == 0 && o->bulk)
		err = gx_order__restart(t, o);
	if (err != 0)
		return err;
	b->at = o->progress;
	o->bulk = true;
	gx_orderbulk__set_from(b, o->id, o->progress);
	b->phase = READING;
	err = gx_order__write_progress(t, o);
	return err != 0 ? err : 1;
}

/* The writer's turn; waiting for it is taken off *io_wait_ms. GX_E_TIMEOUT: another time. */
static int turn(struct gx_orderbulk *b, int *io_wait_ms, struct gx_txn **ret_w)
{
	struct gx_store *s = b->s;
	int64_t since = gx_clock_mono_ms(s->clock);
	int err = gx_txn__system(s, GX_TXN_WRITE, *io_wait_ms, ret_w);
	int64_t took = gx_clock_mono_ms(s->clock) - since;
	*io_wait_ms = took < *io_wait_ms ? *io_wait_ms - (int)took : 0;
	return err;
}

/* What fails now is not to be tried again: part of it may be done. */
static int end_turn(struct gx_txn *t, int r)
{
	if (r < 0)
		gx_txn_abort(t);
	int err = r < 0 ? r : gx_txn_commit(t, GX_SYNC_LATER);
	return err == GX_E_TIMEOUT ? GX_E_BUSY : err != 0 ? err : r;
}

static int begin(struct gx_orderbulk *b, int *io_wait_ms)
{
	struct gx_txn *t;
	int err = turn(b, io_wait_ms, &t);
	return err != 0 ? err : end_turn(t, claim(b, t));
}

int gx_orderbulk__begin(struct gx_store *s, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec,
	int *io_wait_ms, struct gx_orderbulk **ret_b)
{
	struct gx_orderbulk *b;
	*ret_b = NULL;
	int r = gx_orderbulk__take(s, fid, kind, spec, limits_of(s), &b);
	if (r != 0)
		return r;
	r = b->phase == CLAIMING ? begin(b, io_wait_ms) : 1;
	if (r > 0)
		*ret_b = b;
	else if (r == GX_E_TIMEOUT)
		gx_orderbulk__leave(b);
	else
		gx_orderbulk__end(b);
	return r < 0 ? r : 0;
}

/* ---- Reading ---- */

static int add_keys(struct gx_orderbulk *b, struct gx_msgsrc *x, struct gx_orderkeys *made)
{
	int err = gx_orderkeys__make(&b->spec, x, made);
	for (unsigned i = 0; err == 0 && i < made->n; i++) {
		struct gx_bin key = gx_orderkeys__at(made, i);
		err = gx_orderbulk__grow((void **)&b->v, &b->cap, b->n + 1, sizeof(*b->v));
		if (err != 0)
			break;
		b->v[b->n++] = (struct gx_bulkitem){x->row.mid, (uint32_t)b->keys.len, (uint32_t)key.len,
			!(x->row.flags & GX_MSGF_READ)};
		gx_push_bytes(&b->keys, key.data, key.len);
		err = b->keys.err;
	}
	return err;
}

static bool full(const struct gx_orderbulk *b)
{
	return b->n >= b->limit.batch || b->keys.len >= BATCH_KEYS;
}

static int read_from(struct gx_orderbulk *b, struct gx_txn *t, struct gx_arena *a)
{
	struct gx_orderkeys made = {0};
	struct gx_msgscan s;
	struct gx_msgsrc x;
	int r = 1, err = 0;
	gx_msgsrc__init(&x, t, a);
	gx_msgscan__begin(&s, t, b->kind, b->fid, b->at, !gx_orderspec__by_row(&b->spec));
	for (unsigned i = 0; err == 0 && i < b->limit.chunk && !full(b); i++) {
		r = gx_msgscan__next(&s, &x);
		if (r <= 0)
			break;
		err = add_keys(b, &x, &made);
		b->at = gx_msgscan__at(&s, &x);
		gx_arena_reset(a);
	}
	gx_msgscan__end(&s);
	gx_msgsrc__release(&x);
	gx_push_release(&made.bytes);
	b->all = r == 0;
	return err != 0 ? err : r < 0 ? r : 0;
}

static int by_key(const void *x, const void *y, void *ctx)
{
	const struct gx_bulkitem *p = x, *q = y;
	const uint8_t *keys = ctx;
	return gx_order__cmp((struct gx_bin){keys + p->off, p->len}, (struct gx_bin){keys + q->off, q->len});
}

static int read_more(struct gx_orderbulk *b, struct gx_txn *t)
{
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_txn__renew(t);
	if (err == 0)
		err = read_from(b, t, a);
	gx_arena_free(a);
	if (err != 0 || (!b->all && !full(b)))
		return err;
	if (b->n > 0)
		qsort_r(b->v, b->n, sizeof(*b->v), by_key, b->keys.data);
	b->put = 0;
	b->phase = PUTTING;
	return 0;
}

/* ---- Writing ---- */

/* Still the order that was begun? *ret_o NULL: no. */
static int my_order(struct gx_orderbulk *b, struct gx_txn *t, struct gx_order **ret_o)
{
	int err = gx_orders__by_id(t, b->view, ret_o);
	if (err == 0 && *ret_o != NULL && (gx_orderbulk__is_gone(b) || !(*ret_o)->bulk))
		*ret_o = NULL;
	return err;
}

static int put_some(struct gx_orderbulk *b, struct gx_txn *t)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < b->limit.slice && b->put < b->n; i++, b->put++) {
		const struct gx_bulkitem *x = &b->v[b->put];
		err = gx_order__collect_key(
			t, b->view, GX_OP_PUT, x->unread, (struct gx_bin){b->keys.data + x->off, x->len});
	}
	if (b->put == b->n)
		b->phase = MENDING;
	return err;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* Whatever was taken from a message that has changed goes. */
static int take_back(struct gx_orderbulk *b, struct gx_txn *t, const uint64_t *mids, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && n > 0 && i < b->n; i++) {
		const struct gx_bulkitem *x = &b->v[i];
		if (bsearch(&x->mid, mids, n, sizeof(*mids), by_number) != NULL)
			err = gx_order__collect_key(
				t, b->view, GX_OP_TAKE, x->unread, (struct gx_bin){b->keys.data + x->off, x->len});
	}
	return err;
}

/* What it is now comes in, unless it is for a later batch. */
static int put_again(struct gx_orderbulk *b, struct gx_txn *t, const struct gx_order *o, const uint64_t *mids, size_t n)
{
	struct gx_msgsrc x;
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : 0;
	if (err != 0)
		return err;
	gx_msgsrc__init(&x, t, a);
	for (size_t i = 0; err == 0 && i < n; i++) {
		err = gx_msgsrc__set_mid(&x, mids[i]);
		int is = err == 0 ? gx_order__holds(t, o, &x.row) : 0;
		uint64_t place = is > 0 ? gx_order__place(o, &x.row) : 0;
		if (is > 0 && place > b->from && (b->all || place <= b->at))
			err = gx_order__collect(t, o, &x, GX_OP_PUT);
		err = err == GX_E_NOTFOUND ? 0 : is < 0 ? is : err;
		gx_arena_reset(a);
	}
	gx_msgsrc__release(&x);
	gx_arena_free(a);
	return err;
}

/* From now on the hub keeps what the batch has brought. */
static int finish_batch(struct gx_orderbulk *b, struct gx_txn *t, struct gx_order *o)
{
	int err = gx_order__flush(t);
	if (err == 0)
		err = gx_order__changing(t);
	if (err != 0)
		return err;
	gx_orderbulk__set_from(b, b->view, b->at);
	b->n = b->put = 0;
	gx_push_clear(&b->keys);
	b->phase = READING;
	if (!b->all)
		return 0;
	o->bulk = o->building = false;
	return gx_order__write_progress(t, o);
}

static int mend(struct gx_orderbulk *b, struct gx_txn *t, struct gx_order *o)
{
	uint64_t *mids;
	size_t n = gx_orderbulk__take_dirty(b, &mids);
	int err = take_back(b, t, mids, n);
	if (err == 0)
		err = put_again(b, t, o, mids, n);
	free(mids);
	return err != 0 ? err : finish_batch(b, t, o);
}

static int write_more(struct gx_orderbulk *b, int *io_wait_ms)
{
	struct gx_order *o;
	struct gx_txn *t;
	int err = turn(b, io_wait_ms, &t);
	if (err != 0)
		return err;
	bool last = b->phase == MENDING && b->all;
	err = my_order(b, t, &o);
	if (err == 0 && o == NULL)
		err = GX_E_STATE;
	if (err == 0)
		err = b->phase == MENDING ? mend(b, t, o) : put_some(b, t);
	err = end_turn(t, err);
	if (err == 0 && last)
		atomic_fetch_add(&b->s->orders->made, 1);
	return err != 0 ? err : !last;
}

int gx_orderbulk__step(struct gx_orderbulk *b, struct gx_txn *t, int *io_wait_ms)
{
	if (b->phase == CLAIMING)
		return begin(b, io_wait_ms);
	if (b->phase != READING)
		return write_more(b, io_wait_ms);
	int err = read_more(b, t);
	return err != 0 ? err : 1;
}

bool gx_orderbulk__hopeless(const struct gx_orderbulk *b, int waited_ms, int wait_ms)
{
	return waited_ms >= HELD_UP_MS && (b->messages / b->limit.slice + 2) * (uint64_t)waited_ms > (uint64_t)wait_ms;
}
