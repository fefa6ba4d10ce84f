/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_FAR_STORE_H
#define GX_FAR_STORE_H
/*
 * Stores that another process owns behind the functions of gx/store.h. Each transaction has a connection for
 * itself, from its first operation to its end. Lock order: the hub's, a store's subscriptions and views; that of a farstore is a leaf.
 */
#include <gx/storeop-types.h>
#include "libgxstore/far-int.h"
#include "libgxstore/remote/remote-int.h"

struct gx_farwords;
struct gx_farstore {
	struct gx_farstore *next;      /* in the hub, under its lock */
	struct gx_remote *r;
	struct gx_store *s;
	bool watched;                  /* under the hub's lock */
	uint32_t sub;
	pthread_mutex_t lock;          /* for what follows */
	uint64_t boot;                 /* life of the machine in which something was committed that is not flushed; 0 nothing */
	uint64_t commits;
	bool lost;                     /* the machine failed before it was */
	struct gx_farwords *words;     /* keyword sets, which never change */
	uint32_t *forget;              /* views to be closed there */
	size_t nforget, cap_forget;
};

struct gx_farahead;
struct gx_fartxn {
	struct gx_rserver *server;
	struct gx_rconn *c;            /* NULL: nothing was asked for yet */
	int deadline_ms;
	struct gx_arena *scratch;      /* of one request and its answer */
	struct gx_arena *mime;         /* what gx_msg_mime() gave last */
	struct gx_farahead *ahead;
};

static inline struct gx_farstore *gx_farstore(const struct gx_store *s)
{
	return s->far;
}

/* ---- Requests (far_txn.c) ---- */

/* A connection to who owns the store, one of ours. */
gx_ec gx_far__take(struct gx_farstore *f, struct gx_arena *a, int64_t until, struct gx_rserver **ret_s, struct gx_rconn **ret_c,
	const char **ret_why);
/* One request and its answer, in @a. Failure: the connection is of no use any more. */
int gx_far__exchange(struct gx_farstore *f, struct gx_rserver *s, struct gx_rconn *c, const struct gx_x_transact_req *q, struct gx_arena *a,
	int64_t until, struct gx_x_transact_ans *ret_ans) GX_MUST_CHECK;
int64_t gx_far__until(const struct gx_farstore *f);
/* An operation's request as it travels. @req NULL: it has none. */
int gx_far__pack(uint8_t op, const void *req, struct gx_arena *a, struct gx_x_op *ret_op) GX_MUST_CHECK;
gx_ec gx_far__unpack(uint8_t op, const struct gx_x_op_answer *w, struct gx_arena *a, void *ret_ans);
/* An operation in a transaction; what it answers lives in @a. */
gx_ec gx_far__op(struct gx_txn *t, uint8_t op, const void *req, struct gx_arena *a, void *ret_ans);
/* Several at once. */
int gx_far__ops(struct gx_txn *t, const struct gx_x_op *v, uint32_t n, struct gx_arena *a, struct gx_x_transact_ans *ret_ans) GX_MUST_CHECK;
/* Bytes of a message ahead of its insertion, in pieces. */
int gx_far__stage(struct gx_txn *t, struct gx_bin data) GX_MUST_CHECK;
/* One outside of transactions, which may be done twice without harm. */
gx_ec gx_far__outside(struct gx_farstore *f, uint8_t op, const void *req, struct gx_arena *a, void *ret_ans, const char **ret_why);

int gx_far__begin(struct gx_txn *t, int deadline_ms) GX_MUST_CHECK;
int gx_far__commit(struct gx_txn *t, int sync) GX_MUST_CHECK;
void gx_far__abort(struct gx_txn *t);

/* ---- What was asked for ahead (far_ahead.c) ---- */

void gx_far__ahead(struct gx_txn *t, const uint64_t *mids, size_t n, unsigned what);
void gx_farahead__free(struct gx_farahead *h);
void gx_farahead__clear(struct gx_farahead *h);
/* The answer of an operation on a message if it is there. */
const struct gx_x_op_answer *gx_farahead__find(struct gx_fartxn *ft, uint8_t op, uint64_t mid);

/* ---- Events (far_events.c) ---- */

int gx_far__watch(struct gx_store *s) GX_MUST_CHECK;
/* After the owner has forgotten what was open. */
void gx_far__watch_again(struct gx_farstore *f);
/* Until it returns events may come. */
void gx_far__unwatch(struct gx_farstore *f);

/* ---- Views (far_view.c) ---- */

int gx_far__view(struct gx_store *s, uint64_t fid, struct gx_far_view *io_view, struct gx_root **io_root, bool *ret_changed) GX_MUST_CHECK;
void gx_far__view_forget(struct gx_store *s, uint32_t view);
/* The close operations of views that were forgotten. */
size_t gx_far__forgotten(struct gx_farstore *f, struct gx_arena *a, struct gx_x_op *v, size_t most);

/* ---- Operations (far_folder.c, far_message.c) ---- */

gx_ec gx_far__folder_get(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_folder_info *ret_info);
gx_ec gx_far__folder_list(struct gx_txn *t, uint64_t parent, bool deep, struct gx_arena *a, struct gx_folder_info **ret_v, size_t *ret_n);
gx_ec gx_far__folder_by_name(struct gx_txn *t, uint64_t parent, const char *name, uint64_t *ret_fid);
gx_ec gx_far__folder_create(struct gx_txn *t, const struct gx_folder_create_opts *o, uint64_t *ret_fid);
gx_ec gx_far__folder_move(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *new_name);
gx_ec gx_far__folder_delete(struct gx_txn *t, uint64_t fid, bool hard);
gx_ec gx_far__folder_set_subscribed(struct gx_txn *t, uint64_t fid, bool on);
gx_ec gx_far__folder_get_props(struct gx_txn *t, uint64_t fid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l);
gx_ec gx_far__folder_set_props(struct gx_txn *t, uint64_t fid, const struct gx_proplist *l);
gx_ec gx_far__folder_rights(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights);
gx_ec gx_far__folder_set_permission(struct gx_txn *t, uint64_t fid, const char *member, uint32_t rights, bool remove);
gx_ec gx_far__folder_vanished(struct gx_txn *t, uint64_t fid, uint64_t since, struct gx_arena *a, uint32_t **ret_uids, size_t *ret_n);
gx_ec gx_far__store_get_props(struct gx_txn *t, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l);
gx_ec gx_far__store_set_props(struct gx_txn *t, const struct gx_proplist *l);
gx_ec gx_far__msg_get(struct gx_txn *t, uint64_t mid, struct gx_msg_info *ret_info);
gx_ec gx_far__msg_get_props(struct gx_txn *t, uint64_t mid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l);
gx_ec gx_far__msg_insert_many(struct gx_txn *t, uint64_t fid, struct gx_msg_insertion *v, size_t n);
gx_ec gx_far__msg_insert(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, const struct gx_msg_insert_opts *o,
	struct gx_msg_ids *ret_ids);
gx_ec gx_far__msg_change_flags(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, const struct gx_flag_change *c,
	struct gx_arena *a, uint64_t **ret_skipped, size_t *ret_nskipped);
gx_ec gx_far__msg_delete(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool hard);
gx_ec gx_far__msg_copy(struct gx_txn *t, uint64_t src_fid, const uint64_t *mids, size_t n, uint64_t dst_fid, bool move,
	struct gx_msg_ids *ret_ids);
gx_ec gx_far__msg_mime(struct gx_txn *t, uint64_t mid, struct gx_msg_mime *ret_m);
gx_ec gx_far__msg_original(struct gx_txn *t, uint64_t mid, uint64_t off, uint64_t n, struct gx_push *out);
gx_ec gx_far__search_texts(struct gx_txn *t, uint64_t fid, const char *const *texts, size_t n, struct gx_arena *a, struct gx_candidates *ret_c);

#endif
