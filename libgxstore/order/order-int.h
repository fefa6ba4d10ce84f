/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_ORDER_INT_H
#define GXSTORE_ORDER_INT_H
/*
 * Sort orders that are kept on disk.
 *
 * An order is the messages of a folder sorted by some columns: table sview has a row for each, srow
 * has the rows of all of them, as keys whose bytes compare as the rows do. schunk is a directory over
 * srow: runs of some hundred rows with their numbers, so that rows and positions find each other
 * without counting everything before them. What operations do is collected and applied in key order
 * before the commit, or before somebody looks.
 *
 * A key is the columns, each encoded on its own, then message id (48 bits) and instance (16 bits),
 * big-endian. The first run of an order begins at the empty key, so that every key has one.
 */
#include <pthread.h>
#include "libgxstore/message/msgsrc.h"

/* ---- Columns and keys (order_key.c) ---- */

#define GX_ORDER_COLS 16U
#define GX_ORDER_TAIL 8U
#define GX_ORDER_INSTANCES 1024U /* values of one message that make rows */
#define GX_ORDER_TEXT 255U       /* bytes of a text or binary that are compared */

struct gx_orderspec {
	struct gx_sort col[GX_ORDER_COLS]; /* order is GX_SORT_ASCEND or GX_SORT_DESCEND */
	unsigned n;
	int mvi;            /* the column that makes a row of each of its values; -1 */
	bool follows_row; /* a column is of the narrow row, which changes by itself */
	uint8_t bytes[1 + 5 * GX_ORDER_COLS];
	size_t len;
};
/*
 * The first column always ascends: the opposite order is the same read backwards. No columns:
 * by delivery time. GX_E_INVAL for what cannot be sorted by, GX_E_LIMIT for too many columns.
 */
int gx_orderspec__make(const struct gx_sortset *s, struct gx_orderspec *ret_o, bool *ret_back) GX_MUST_CHECK;
int gx_orderspec__parse(struct gx_bin b, struct gx_orderspec *ret_o) GX_MUST_CHECK;
/* Do rows in the order of @have stand in that of @want, too? */
bool gx_orderspec__serves(const struct gx_orderspec *have, const struct gx_orderspec *want);
/* Are keys made of the narrow row alone? Then what is stored with bodies need not be read for them. */
bool gx_orderspec__by_row(const struct gx_orderspec *o);

/* The keys of a message, one an instance, in one buffer. */
struct gx_orderkeys {
	struct gx_push bytes;
	unsigned n;
	struct {
		size_t off, len;
	} at[GX_ORDER_INSTANCES];
};
void gx_orderkeys__clear(struct gx_orderkeys *k);
int gx_orderkeys__make(const struct gx_orderspec *o, struct gx_msgsrc *x, struct gx_orderkeys *k) GX_MUST_CHECK;
static inline struct gx_bin gx_orderkeys__at(const struct gx_orderkeys *k, unsigned i)
{
	return (struct gx_bin){k->bytes.data + k->at[i].off, k->at[i].len};
}
/* The column as bytes; @pv NULL: absent. */
void gx_order__column(struct gx_push *out, const struct gx_sort *c, const struct gx_propval *pv);
/* Bytes of the first @cols columns of a key; 0 when it is not one of that order. */
size_t gx_orderspec__prefix(const struct gx_orderspec *o, struct gx_bin key, unsigned cols);
/* What the key's tail says. */
void gx_order__id(struct gx_bin key, uint64_t *ret_mid, uint32_t *ret_inst);
int gx_order__cmp(struct gx_bin x, struct gx_bin y);
/* The least key above all that begin with @prefix, in @out; false: there is none. */
bool gx_order__after(struct gx_bin prefix, struct gx_push *out);

/* ---- Rows and runs (order_rows.c) ---- */

#define GX_ORDER_RUN_MAX 1024
#define GX_ORDER_RUN_MIN 128

enum { GX_OP_PUT, GX_OP_TAKE, GX_OP_READ, GX_OP_UNREAD };
struct gx_orderop {
	uint64_t view;
	size_t off, len, seq;
	uint8_t what;
	bool unread; /* of PUT and TAKE */
};
/* Applies them, sorted by view and key; equal keys in the order of seq. */
int gx_order__apply(struct gx_txn *t, const uint8_t *keys, const struct gx_orderop *ops, size_t n) GX_MUST_CHECK;
int gx_order__new_rows(struct gx_txn *t, uint64_t view) GX_MUST_CHECK;
int gx_order__drop_rows(struct gx_txn *t, uint64_t view) GX_MUST_CHECK;

struct gx_ordersum {
	uint64_t total, unread;
};
int gx_order__total(struct gx_txn *t, uint64_t view, struct gx_ordersum *ret_s) GX_MUST_CHECK;
/* Rows below @key. */
int gx_order__rank(struct gx_txn *t, uint64_t view, struct gx_bin key, struct gx_ordersum *ret_s) GX_MUST_CHECK;
enum { GX_WALK_BACK = 1, GX_WALK_UNREAD = 2 };
/* The key of row @pos, counted from 0 from either end, among all or the unread ones, in @out. GX_E_NOTFOUND. */
int gx_order__at(struct gx_txn *t, uint64_t view, uint64_t pos, unsigned flags, struct gx_push *out) GX_MUST_CHECK;

/* Walks over rows. What next() gives is borrowed until the next call. */
struct gx_orderwalk {
	struct gx_stmt *st;
};
struct gx_orderrow {
	struct gx_bin key;
	uint64_t mid;
	uint32_t inst;
	bool unread;
};
/* From @key on, with it; the key is borrowed until the end. */
void gx_orderwalk__from(struct gx_orderwalk *w, struct gx_txn *t, uint64_t view, struct gx_bin key, unsigned flags);
int gx_orderwalk__next(struct gx_orderwalk *w, struct gx_orderrow *ret_r) GX_MUST_CHECK; /* 1, 0 the end, GX_E_* */
void gx_orderwalk__end(struct gx_orderwalk *w);

/* ---- Which orders there are (order_set.c) ---- */

enum { GX_ORDER_NORMAL = 1, GX_ORDER_FAI, GX_ORDER_FOUND, GX_ORDER_STORE };
#define GX_ORDERS_MAX 16U /* of a folder and kind; the longest unused one goes */
#define GX_ORDER_DEPTHS 8U /* columns that rows can be grouped by */

struct gx_order {
	uint64_t id, fid;
	uint8_t kind;
	bool building;
	uint64_t progress; /* while building: what has a UID (or id, for FOUND and STORE) up to here is in it */
	bool bulk;         /* is made in bulk, or was left behind so; see order_bulk.c */
	uint8_t counted;   /* bit n-1: groups by n columns have numbers, or are being given them */
	struct gx_orderspec spec;
	struct gx_order *next;
};
#define GX_ORDER_BUCKETS 64U
#define GX_ORDER_TOUCHED 8U
/* Belongs to whoever has the writer's slot. */
struct gx_orders {
	pthread_mutex_t lock; /* of bulks, for any thread */
	pthread_cond_t cond;  /* one ended */
	struct gx_orderbulk *bulks;
	const struct gx_orderbulk_limits *limits; /* NULL: the usual */
	atomic_uint made;     /* in bulk, by now: who does without an order looks again when it changes */
	bool loaded, any_found, any_store;
	struct gx_order *bucket[GX_ORDER_BUCKETS];
	atomic_uint_least64_t
		touched[GX_ORDER_TOUCHED]; /* by any thread: used again after a while; noted by the next write */
};
int gx_orders__new(struct gx_orders **ret_o) GX_MUST_CHECK;
void gx_orders__free(struct gx_orders *o);
/* What the transaction sees, into an empty set; also for one of the caller's own. */
int gx_orders__load(struct gx_txn *t, struct gx_orders *o) GX_MUST_CHECK;
/* The orders of a folder, a list with others' mixed in; in a write transaction. */
int gx_orders__of(struct gx_txn *t, uint64_t fid, struct gx_order **ret_list) GX_MUST_CHECK;
/* One of them; NULL when it is not known. */
int gx_orders__by_id(struct gx_txn *t, uint64_t view, struct gx_order **ret_o) GX_MUST_CHECK;
/* They changed on disk, or were rolled back: read again when asked. */
void gx_orders__forget(struct gx_orders *o);

/* ---- Keeping them (order.c), called by the hub ---- */

void gx_order__release(struct gx_txn *t);
/* The transaction makes or drops orders. */
int gx_order__changing(struct gx_txn *t) GX_MUST_CHECK;
/* It is being rolled back. */
void gx_order__aborted(struct gx_txn *t);
int gx_order__before(struct gx_txn *t, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_order__created(struct gx_txn *t, const struct gx_fstate *f, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_order__updated(struct gx_txn *t, const struct gx_msg_row *old, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_order__removed(struct gx_txn *t, const struct gx_msg_row *r) GX_MUST_CHECK;
/* Applies what was collected; before the commit, and before orders are read in a write transaction. */
int gx_order__flush(struct gx_txn *t) GX_MUST_CHECK;
/* A message came into a search folder, or left it; its row in found is there, or still there. */
int gx_order__linked(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_order__unlinked(struct gx_txn *t, uint64_t fid, const struct gx_msg_row *r) GX_MUST_CHECK;
/* Where a message stands in the order in which orders are built. */
uint64_t gx_order__place(const struct gx_order *o, const struct gx_msg_row *r);
/* Is it one of the order's, however far that is built? 1, 0, GX_E_*. */
int gx_order__holds(struct gx_txn *t, const struct gx_order *o, const struct gx_msg_row *r) GX_MUST_CHECK;
int gx_order__collect_key(struct gx_txn *t, uint64_t view, int what, bool unread, struct gx_bin key) GX_MUST_CHECK;
/* One message into, or out of, one order. */
int gx_order__collect(struct gx_txn *t, const struct gx_order *o, struct gx_msgsrc *x, int what) GX_MUST_CHECK;

/* ---- Making them (order_build.c) ---- */

#define GX_ORDER_AUTO 4096U  /* messages from which on a folder has orders by itself */
/* The folder's messages go all at once, while they are still there. */
int gx_order__emptied(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
int gx_order__drop(struct gx_txn *t, uint64_t view) GX_MUST_CHECK;
/* Notes which orders were used. */
int gx_order__note_used(struct gx_txn *t) GX_MUST_CHECK;
/* The order if there is one, else an empty one that has to be built. */
int gx_order__begin(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec,
	struct gx_order **ret_o) GX_MUST_CHECK;
int gx_order__write_progress(struct gx_txn *t, const struct gx_order *o) GX_MUST_CHECK;
/* What a bulk has left behind is made anew, in steps. */
int gx_order__restart(struct gx_txn *t, struct gx_order *o) GX_MUST_CHECK;
/* Takes up to @n messages more into an order that is being built. */
int gx_order__advance(struct gx_txn *t, struct gx_order *o, unsigned n) GX_MUST_CHECK;
/* The writer's turn; waiting for it is taken off *io_wait_ms. GX_E_TIMEOUT. */
int gx_order__turn(struct gx_store *s, int *io_wait_ms, struct gx_txn **ret_w) GX_MUST_CHECK;
/* Begins those that a large folder has by itself. */
int gx_order__auto(struct gx_txn *t, uint64_t fid) GX_MUST_CHECK;
/*
 * A complete order of these messages that serves @spec. GX_E_NOTFOUND. @prefer: this one, if it still does.
 */
int gx_order__find(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, uint64_t prefer,
	uint64_t *ret_view) GX_MUST_CHECK;
int gx_order__spec(struct gx_txn *t, uint64_t view, struct gx_orderspec *ret_spec) GX_MUST_CHECK;
/*
 * Like find, but makes the order. A read transaction moves to the newest state when one had to be made;
 * GX_E_TIMEOUT when the writer could not be had within @deadline_ms in all; what was made stays, and goes on next time
 * or in the background.
 */
int gx_order__ensure(struct gx_txn *t, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int deadline_ms,
	uint64_t *ret_view) GX_MUST_CHECK;

/* ---- In bulk (order_bulk.c, order_left.c) ---- */

struct gx_orderbulk;
struct gx_orderbulk_limits {
	unsigned few;                /* messages; with no more there is nothing to do */
	unsigned chunk, batch, slice; /* messages read at once, keys sorted at once, keys written at once */
};
/* So few that steps will do? */
int gx_orderbulk__few(struct gx_txn *t, uint64_t fid, uint8_t kind, bool *ret_few) GX_MUST_CHECK;
/*
 * Claims the order, which has to be made, for the caller, or what somebody left. *ret_b NULL: it is there, or so
 * small that steps will do. GX_E_BUSY: somebody is at it. GX_E_TIMEOUT: the writer could not be had within *io_wait_ms,
 * from which the time is taken; it is noted for others. In no transaction of the caller's but one for reading.
 */
int gx_orderbulk__begin(struct gx_store *s, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec,
	int *io_wait_ms, struct gx_orderbulk **ret_b) GX_MUST_CHECK;
/*
 * A transaction's worth; messages are read in @t, which moves on. 1 there is more, 0 the order is complete,
 * GX_E_*; GX_E_STATE: somebody took it away; GX_E_TIMEOUT as above, it can go on.
 */
int gx_orderbulk__step(struct gx_orderbulk *b, struct gx_txn *t, int *io_wait_ms) GX_MUST_CHECK;
/* If every slice waits for the writer as long as the claim did, there will not be time for all. */
bool gx_orderbulk__hopeless(const struct gx_orderbulk *b, int waited_ms, int wait_ms);
/* Somebody else may go on. */
void gx_orderbulk__leave(struct gx_orderbulk *b);
void gx_orderbulk__end(struct gx_orderbulk *b);
/*
 * Until nobody is making it. GX_E_TIMEOUT: it was left, or has not come after @work_ms, or @writer_ms when who is at it
 * waits for writers.
 */
int gx_orderbulk__wait(struct gx_orders *o, uint64_t fid, uint8_t kind, const struct gx_orderspec *spec, int work_ms,
	int writer_ms) GX_MUST_CHECK;
/* When the store closes. */
void gx_orderbulk__free_all(struct gx_orders *o);
/* Told by the hub: the message changes. */
void gx_orderbulk__note(struct gx_orders *o, uint64_t view, uint64_t place, uint64_t mid);
/* Up to here the hub keeps the order. */
uint64_t gx_orderbulk__from(struct gx_orders *o, uint64_t view);
/* The order goes; 0: all of them. */
void gx_orderbulk__gone(struct gx_orders *o, uint64_t view);

/* ---- Numbers of groups (order_count.c) ---- */

enum {
	GX_COUNT_GOING, /* rows below upto are counted */
	GX_COUNT_DONE,
	GX_COUNT_VAIN, /* there are almost as many groups as rows: nothing is kept */
};
/*
 * Sees to it that rows grouped by the first @depth columns are counted. It moves a read transaction as
 * gx_order__ensure() does. GX_E_NOTFOUND: they are not, and it is better to look at the rows.
 */
int gx_order__ensure_counts(struct gx_txn *t, uint64_t view, unsigned depth, int deadline_ms) GX_MUST_CHECK;
/* Of @view; GX_E_NOTFOUND when nobody has asked for it yet. */
int gx_order__count_state(struct gx_txn *t, uint64_t view, unsigned depth, int *ret_state) GX_MUST_CHECK;
/* Counts up to @n rows more; *ret_state is what it is then. */
int gx_order__count_more(
	struct gx_txn *t, struct gx_order *o, unsigned depth, unsigned n, int *ret_state) GX_MUST_CHECK;
int gx_order__drop_counts(struct gx_txn *t, uint64_t view) GX_MUST_CHECK;

/* One pass over changes of an order, in key order. */
struct gx_ordertally {
	const struct gx_order *o; /* NULL: nothing is counted */
	struct {
		bool open, bounded;
		struct gx_push upto;   /* while counting */
		struct gx_push prefix; /* of the group whose changes are being summed up */
		int64_t total, unread;
	} depth[GX_ORDER_DEPTHS];
};
/* @o may be NULL. */
int gx_ordertally__begin(struct gx_ordertally *y, struct gx_txn *t, const struct gx_order *o) GX_MUST_CHECK;
int gx_ordertally__add(
	struct gx_ordertally *y, struct gx_txn *t, struct gx_bin key, int64_t total, int64_t unread) GX_MUST_CHECK;
/* Writes what is left. */
int gx_ordertally__end(struct gx_ordertally *y, struct gx_txn *t) GX_MUST_CHECK;
void gx_ordertally__release(struct gx_ordertally *y);

/* ---- Checking them (order_verify.c) ---- */

/* Compares every order with one computed anew; @return number of findings, or GX_E_*. In any transaction. */
long gx_order__verify(struct gx_txn *t, void (*report)(const char *line, void *ctx), void *ctx) GX_MUST_CHECK;
/* Throws all of them away; they are made again when used. */
int gx_order__rebuild(struct gx_txn *t) GX_MUST_CHECK;

#endif
