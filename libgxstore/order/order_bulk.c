/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/order/order-int.h"

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
#define DIRTY_MAX 262144U
#define FEW 8192U               /* messages that are as well made in steps */
#define WAIT_MS 2000            /* for the writer, each time: to give up loses what was done */

struct item {
	uint64_t mid;
	uint32_t off, len;
	bool unread;
};
struct gx_orderbulk {
	struct gx_orderbulk *next;
	struct gx_store *s;
	uint64_t view, fid;
	uint8_t kind;
	struct gx_orderspec spec;
	/* With the lock of struct gx_orders held. */
	uint64_t from;         /* up to here the order is kept by the hub */
	bool gone;             /* the order is, or too much has changed */
	uint64_t *dirty;
	size_t ndirty, cap_dirty;
	/* The builder's own. */
	enum { READING, PUTTING, MENDING } phase;
	struct gx_orderbulk_limits limit;
	struct gx_push keys;
	struct item *v;
	size_t n, cap, put;
	uint64_t at;           /* read so far */
	bool all;
};

static int grow(void **io_v, size_t *io_cap, size_t want, size_t size)
{
	if (want <= *io_cap)
		return 0;
	size_t cap = *io_cap == 0 ? 256 : *io_cap * 2;
	void *v = realloc(*io_v, cap * size);
	if (v == NULL)
		return GX_E_NOMEM;
	*io_v = v;
	*io_cap = cap;
	return 0;
}

/* ---- Known to all ---- */

/* These two with the lock held. */

static struct gx_orderbulk *find(const struct gx_orders *o, uint64_t view)
{
	struct gx_orderbulk *b = o->bulks;
	while (b != NULL && b->view != view)
		b = b->next;
	return b;
}

uint64_t gx_orderbulk__from(struct gx_orders *o, uint64_t view)
{
	pthread_mutex_lock(&o->lock);
	const struct gx_orderbulk *b = find(o, view);
	uint64_t from = b == NULL ? 0 : b->from;
	pthread_mutex_unlock(&o->lock);
	return from;
}

static void add_dirty(struct gx_orderbulk *b, uint64_t mid)
{
	if (b->ndirty > 0 && b->dirty[b->ndirty - 1] == mid)
		return;
	if (b->ndirty >= DIRTY_MAX || grow((void **)&b->dirty, &b->cap_dirty, b->ndirty + 1, sizeof(mid)) != 0)
		b->gone = true;
	else
		b->dirty[b->ndirty++] = mid;
}

void gx_orderbulk__note(struct gx_orders *o, uint64_t view, uint64_t place, uint64_t mid)
{
	pthread_mutex_lock(&o->lock);
	struct gx_orderbulk *b = find(o, view);
	if (b != NULL && !b->gone && place > b->from)
		add_dirty(b, mid);
	pthread_mutex_unlock(&o->lock);
}

void gx_orderbulk__gone(struct gx_orders *o, uint64_t view)
{
	pthread_mutex_lock(&o->lock);
	for (struct gx_orderbulk *b = o->bulks; b != NULL; b = b->next)
		if (view == 0 || b->view == view)
			b->gone = true;
	pthread_mutex_unlock(&o->lock);
}

static void enter(struct gx_orders *o, struct gx_orderbulk *b)
{
	pthread_mutex_lock(&o->lock);
	b->next = o->bulks;
	o->bulks = b;
	pthread_mutex_unlock(&o->lock);
}

static void leave(struct gx_orders *o, struct gx_orderbulk *b)
{
	pthread_mutex_lock(&o->lock);
	struct gx_orderbulk **p = &o->bulks;
	while (*p != NULL && *p != b)
		p = &(*p)->next;
	if (*p != NULL)
		*p = b->next;
	pthread_cond_broadcast(&o->cond);
	pthread_mutex_unlock(&o->lock);
}

static bool under_way(const struct gx_orders *o, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec)
{
	const struct gx_orderbulk *b = o->bulks;
	while (b != NULL && (b->fid != fid || b->kind != kind || b->spec.len != spec->len ||
				    !gx_orderspec__serves(&b->spec, spec)))
		b = b->next;
	return b != NULL;
}

int gx_orderbulk__wait(
	struct gx_orders *o, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int deadline_ms)
{
	struct timespec until;
	int rc = 0;
	gx_conn__deadline(deadline_ms, &until);
	pthread_mutex_lock(&o->lock);
	while (rc == 0 && under_way(o, fid, kind, spec))
		rc = pthread_cond_timedwait(&o->cond, &o->lock, &until);
	pthread_mutex_unlock(&o->lock);
	return rc == 0 ? 0 : GX_E_TIMEOUT;
}

/* ---- Beginning and ending ---- */

static const struct gx_orderbulk_limits usual = {FEW, CHUNK, BATCH, SLICE};

static int few(struct gx_txn *t, uint64_t fid, uint8_t kind, unsigned limit, bool *ret_few)
{
	bool own = kind == GX_ORDER_NORMAL || kind == GX_ORDER_FAI;
	struct gx_folder_row row;
	struct gx_fstate *f;
	int err = fid == 0 ? 0 : gx_folder__row(t, fid, &row);
	if (err == 0)
		err = gx_fstate__get(t, own ? fid : 0, &f);
	if (err == 0)
		*ret_few = (kind == GX_ORDER_FAI ? f->fai : f->total) <= limit;
	return err;
}

int gx_orderbulk__few(struct gx_txn *t, uint64_t fid, uint8_t kind, bool *ret_few)
{
	return few(t, fid, kind, usual.few, ret_few);
}

/* The order becomes @b's; 1 done, 0 there is nothing to do, GX_E_BUSY somebody is at it. */
static int claim(struct gx_txn *t, struct gx_orderbulk *b)
{
	struct gx_orders *all = t->s->orders;
	struct gx_order *o;
	int err = gx_order__begin(t, b->fid, b->kind, &b->spec, &o);
	if (err != 0 || !o->building)
		return err;
	b->view = o->id;
	pthread_mutex_lock(&all->lock);
	bool busy = o->bulk && under_way(all, b->fid, b->kind, &b->spec);
	pthread_mutex_unlock(&all->lock);
	err = busy ? GX_E_BUSY : gx_order__changing(t);
	if (err == 0 && o->bulk)
		err = gx_order__restart(t, o);
	if (err != 0)
		return err;
	b->from = b->at = o->progress;
	o->bulk = true;
	err = gx_order__write_progress(t, o);
	return err != 0 ? err : 1;
}

static int begin(struct gx_txn *t, struct gx_orderbulk *b)
{
	bool no = false;
	int err = few(t, b->fid, b->kind, b->limit.few, &no);
	int r = err != 0 ? err : no ? 0 : claim(t, b);
	if (r < 0) {
		gx_txn_abort(t);
		return r;
	}
	if (r > 0)
		enter(b->s->orders, b);
	err = gx_txn_commit(t, GX_SYNC_LATER);
	if (err != 0 && r > 0)
		leave(b->s->orders, b);
	return err != 0 ? err : r;
}

int gx_orderbulk__begin(struct gx_store *s, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec,
	const struct gx_orderbulk_limits *limit, int deadline_ms, struct gx_orderbulk **ret_b)
{
	struct gx_txn *t;
	struct gx_orderbulk *b = calloc(1, sizeof(*b));
	*ret_b = NULL;
	if (b == NULL)
		return GX_E_NOMEM;
	b->s = s;
	b->fid = fid;
	b->kind = kind;
	b->spec = *spec;
	b->limit = limit == NULL ? usual : *limit;
	int err = gx_txn__system(s, GX_TXN_WRITE, deadline_ms, &t);
	int r = err != 0 ? err : begin(t, b);
	if (r > 0)
		*ret_b = b;
	else
		free(b);
	return r < 0 ? r : 0;
}

void gx_orderbulk__end(struct gx_orderbulk *b)
{
	if (b == NULL)
		return;
	leave(b->s->orders, b);
	gx_push_release(&b->keys);
	free(b->v);
	free(b->dirty);
	free(b);
}

/* ---- Reading ---- */

static int add_keys(struct gx_orderbulk *b, struct gx_msgsrc *x, struct gx_orderkeys *made)
{
	int err = gx_orderkeys__make(&b->spec, x, made);
	for (unsigned i = 0; err == 0 && i < made->n; i++) {
		struct gx_bin key = gx_orderkeys__at(made, i);
		err = grow((void **)&b->v, &b->cap, b->n + 1, sizeof(*b->v));
		if (err != 0)
			break;
		b->v[b->n++] = (struct item){x->row.mid, (uint32_t)b->keys.len, (uint32_t)key.len,
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
	gx_msgscan__begin(&s, t, b->kind, b->fid, b->at);
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
	const struct item *p = x, *q = y;
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
	struct gx_orders *all = t->s->orders;
	pthread_mutex_lock(&all->lock);
	bool gone = b->gone;
	pthread_mutex_unlock(&all->lock);
	int err = gx_orders__by_id(t, b->view, ret_o);
	if (err == 0 && *ret_o != NULL && (gone || !(*ret_o)->bulk))
		*ret_o = NULL;
	return err;
}

static int put_some(struct gx_orderbulk *b, struct gx_txn *t)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < b->limit.slice && b->put < b->n; i++, b->put++) {
		const struct item *x = &b->v[b->put];
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
		const struct item *x = &b->v[i];
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

static size_t take_dirty(struct gx_orderbulk *b, uint64_t **ret_v)
{
	struct gx_orders *all = b->s->orders;
	size_t k = 0;
	pthread_mutex_lock(&all->lock);
	uint64_t *v = b->dirty;
	size_t n = b->ndirty;
	b->dirty = NULL;
	b->ndirty = b->cap_dirty = 0;
	pthread_mutex_unlock(&all->lock);
	if (n > 0)
		qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || v[i] != v[i - 1])
			v[k++] = v[i];
	*ret_v = v;
	return k;
}

/* From now on the hub keeps what the batch has brought. */
static int finish_batch(struct gx_orderbulk *b, struct gx_txn *t, struct gx_order *o)
{
	struct gx_orders *all = t->s->orders;
	int err = gx_order__flush(t);
	if (err == 0)
		err = gx_order__changing(t);
	if (err != 0)
		return err;
	pthread_mutex_lock(&all->lock);
	b->from = b->at;
	pthread_mutex_unlock(&all->lock);
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
	size_t n = take_dirty(b, &mids);
	int err = take_back(b, t, mids, n);
	if (err == 0)
		err = put_again(b, t, o, mids, n);
	free(mids);
	return err != 0 ? err : finish_batch(b, t, o);
}

static int write_more(struct gx_orderbulk *b)
{
	struct gx_order *o;
	struct gx_txn *t;
	int err = gx_txn__system(b->s, GX_TXN_WRITE, WAIT_MS, &t);
	if (err != 0)
		return err;
	bool last = b->phase == MENDING && b->all;
	err = my_order(b, t, &o);
	if (err == 0 && o == NULL)
		err = GX_E_STATE;
	if (err == 0)
		err = b->phase == MENDING ? mend(b, t, o) : put_some(b, t);
	if (err != 0)
		gx_txn_abort(t);
	else
		err = gx_txn_commit(t, GX_SYNC_LATER);
	return err != 0 ? err : !last;
}

int gx_orderbulk__step(struct gx_orderbulk *b, struct gx_txn *t)
{
	if (b->phase != READING)
		return write_more(b);
	int err = read_more(b, t);
	return err != 0 ? err : 1;
}
