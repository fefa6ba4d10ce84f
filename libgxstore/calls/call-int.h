/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CALLS_CALL_INT_H
#define GX_CALLS_CALL_INT_H
/*
 * The calls of the exmdb protocol on stores of this process: what handlers get, and what clients have
 * open. Lock order: a store's subscriptions, the host's lock, a client's lock; an object's own lock
 * is taken with none of them held.
 */
#include <pthread.h>
#include <gx/entryid.h>
#include <gx/exmdb.h>
#include "libgxstore/calls/handlers.h"
#include "libgxstore/store-int.h"

struct gx_exmdb_ops {
	gx_ec (*call)(struct gx_exmdb *x, const char *dir, const struct gx_call_desc *call, const void *req, struct gx_arena *a,
		void *ret_ans, const char **ret_why);
	/* May batches be sent to who serves that store? */
	gx_ec (*can_batch)(struct gx_exmdb *x, const char *dir, struct gx_arena *a, bool *ret_can, const char **ret_why);
	int (*event)(struct gx_exmdb *x, int timeout_ms, struct gx_arena *a, struct gx_x_notification *ret_n);
	void (*on_event)(struct gx_exmdb *x, void (*wake)(void *ctx), void *ctx);
	void (*free)(struct gx_exmdb *x);
};
/* First member of each kind. */
struct gx_exmdb {
	const struct gx_exmdb_ops *ops;
};
/* exmdb.c: what a refusal, GX_XC_*, means to a caller, and how it is told on. */
gx_ec gx_exmdb__refusal(uint8_t code);
uint8_t gx_exmdb__refusal_code(gx_ec ec);
/* A batch as one request, and what it answered. */
gx_ec gx_exmdb__batch_req(const struct gx_exmdb_item *v, size_t n, bool atomic, struct gx_arena *a, struct gx_x_batch_req *ret_b,
	const char **ret_why);
gx_ec gx_exmdb__batch_ans(const struct gx_x_batch_ans *b, struct gx_exmdb_item *v, size_t n, bool atomic, struct gx_arena *a,
	size_t *ret_done, const char **ret_why);

/* A wait for something that another thread tells of. */
struct gx_signal {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool set;
};
int gx_signal__init(struct gx_signal *g) GX_MUST_CHECK;
void gx_signal__release(struct gx_signal *g);
void gx_signal__set(struct gx_signal *g);
/* Until it is set, which it then is no more. @return false when the time has passed. */
bool gx_signal__wait(struct gx_signal *g, int64_t timeout_ms);

/* ---- Host, clients and what they have open (host.c, registry.c) ---- */

enum { GX_OBJ_TABLE = 1, GX_OBJ_INSTANCE, GX_OBJ_SUB, GX_OBJ_VIEW, GX_OBJ_KINDS };

struct gx_callstore;
/* Something open in a store, found by number. The number and the client never change. */
struct gx_callobj {
	struct gx_callobj *next;
	struct gx_callstore *cs;
	struct gx_exmdb_client *client;
	uint32_t id;
	uint8_t kind;
	bool gone;                    /* taken out of the list; freed by the last user */
	unsigned users;
	pthread_mutex_t lock;         /* held by who works with p */
	void *p;
	void (*release)(void *p);
};

/* A store in which somebody has something open. */
struct gx_callstore {
	struct gx_callstore *next;
	struct gx_exmdb_host *host;
	char *dir;
	struct gx_store *s;           /* held in the pool */
	struct gx_callobj *objs;
	uint32_t last_id;
	unsigned users;               /* objects, also those gone but in use, and calls under way */
	unsigned subs;                /* objects of that kind */
	pthread_mutex_t watch;        /* for sub */
	uint64_t sub;                 /* our subscription in the store, 0: none yet */
	uint64_t seq;                 /* of events */
};

struct gx_call_event;
struct gx_exmdb_client {
	struct gx_exmdb_client *next;
	struct gx_exmdb_host *host;
	char *remote_id;
	unsigned users;
	int64_t gone_at;              /* since when nobody has it */
	unsigned count[GX_OBJ_KINDS]; /* open in all stores */
	pthread_mutex_t lock;         /* for what follows */
	struct gx_call_event *head, **tail;
	unsigned waiting;
	bool lost;
	void (*wake)(void *ctx);
	void *wake_ctx;
	struct gx_exmdb *relay;       /* to stores of other processes; NULL: none is */
	bool relay_waiting;           /* events may have come that way */
};

#define GX_CALLSTORE_BUCKETS 256
struct gx_exmdb_host {
	struct gx_exmdb_host_opts o;
	char **prefixes;              /* NULL-terminated, or NULL */
	char *org;                    /* in names of the address book */
	char *relay_only;
	uint64_t boot;                /* of this life of the machine */
	pthread_mutex_t lock;
	struct gx_exmdb_client *clients;
	struct gx_callstore *bucket[GX_CALLSTORE_BUCKETS];
};

/* Is the directory one that is served? */
bool gx_host__serves(const struct gx_exmdb_host *h, const char *dir);

/* ---- Stores of other processes (relay.c) ---- */

/* Are calls on this store handed on? */
bool gx_relay__takes(const struct gx_exmdb_client *cl, const char *dir);
uint8_t gx_relay__connect(struct gx_exmdb_client *cl, const char *dir, bool is_private, struct gx_arena *a, const char **ret_why);
/* Wakes the client's listener, or no more; not with the client's lock held. */
void gx_relay__listen(struct gx_exmdb_client *cl, bool on);
int gx_relay__event(struct gx_exmdb_client *cl, struct gx_arena *a, struct gx_x_notification *ret_n);

/* ---- What a handler gets (dispatch.c) ---- */

struct gx_call_ctx {
	struct gx_exmdb_host *host;
	struct gx_exmdb_client *client;
	const char *dir;
	struct gx_store *s;
	struct gx_arena *a;           /* of the answer */
	struct gx_txn *t;             /* between begin and end */
	struct gx_actor actor;        /* of t */
	bool batch;                   /* t is that of an atomic batch */
	bool inner;                   /* the answer itself tells of a failure */
	struct gx_exmdb_action *out;  /* for the host once t is committed */
	size_t nout, out_cap;
	char why[512];
};
typedef gx_ec (*gx_call_fn)(struct gx_call_ctx *c, const void *req, void *ans);

/* @user NULL: the owner, who may everything; else an address with its rights. */
gx_ec gx_call__begin(struct gx_call_ctx *c, int mode, const char *user);
#define gx_call__read(c, user) gx_call__begin((c), GX_TXN_READ, (user))
#define gx_call__write(c, user) gx_call__begin((c), GX_TXN_WRITE, (user))
/* Commits, or takes back when @ec is a failure. @sync GX_SYNC_*. */
gx_ec gx_call__end(struct gx_call_ctx *c, gx_ec ec, int sync);
/* For answers with a code in them: the call succeeds, @ret_code tells. */
gx_ec gx_call__end_coded(struct gx_call_ctx *c, gx_ec ec, int sync, uint32_t *ret_code);
/* For answers that say yes or no: a refusal is a no, what the machinery could not do stays a failure. */
gx_ec gx_call__end_bool(struct gx_call_ctx *c, gx_ec ec, int sync, bool *ret_done);
gx_ec gx_call__fail(struct gx_call_ctx *c, uint32_t code, const char *fmt, ...) GX_PRINTF(3, 4);
/* GX_E_* outside of a transaction. */
gx_ec gx_call__err(struct gx_call_ctx *c, int err);

/* The call's store, to be put back into the pool. */
gx_ec gx_call__open_store(struct gx_call_ctx *c, uint8_t *ret_code, const char **ret_why);

/* ---- Objects ---- */

/*
 * Takes over @p: freed by @release with the object, also when this fails. ecMaxObjsExceeded, ecMAPIOOM.
 */
gx_ec gx_callobj__add(struct gx_call_ctx *c, int kind, void *p, void (*release)(void *p), uint32_t *ret_id);
/* Locked for the caller until given back. ecNullObject: not there, or another client's. */
gx_ec gx_callobj__take(struct gx_call_ctx *c, int kind, uint32_t id, struct gx_callobj **ret_o);
void gx_callobj__give(struct gx_callobj *o);
/* Takes it out of the list; p is released when nobody uses it. ecNullObject. */
gx_ec gx_callobj__drop(struct gx_call_ctx *c, int kind, uint32_t id);
/* Has anybody but this client something open in the call's store? */
bool gx_callobj__others(struct gx_call_ctx *c);
/* Everything in a store, or that a client has open anywhere. */
void gx_callobj__drop_store(struct gx_exmdb_host *h, const char *dir);
void gx_callobj__drop_client(struct gx_exmdb_client *cl);
/* The call's store if anybody has something open there, else NULL; to be given back. */
struct gx_callstore *gx_callstore__find(struct gx_call_ctx *c);
void gx_callstore__give(struct gx_callstore *cs);

/* ---- Events (events.c) ---- */

struct gx_call_sub {
	uint16_t types;               /* [MS-OXCNOTIF] 2.2.1.2.1.1 */
	bool whole;
	bool lean;                    /* GX_X_LEAN */
	uint64_t fid, mid;            /* plain */
};
/* Sees that the store tells of what happens; before the first subscription. */
int gx_callev__watch(struct gx_callstore *cs);
void gx_callev__unwatch(struct gx_callstore *cs);
/* Tells the store's subscribers by hand. */
void gx_callev__tell(struct gx_callstore *cs, const struct gx_event *ev, uint32_t message_flags, const char *message_class);
/* A table of the client has changed; on the committing thread. */
struct gx_table_event;
void gx_callev__table(const struct gx_callobj *o, const struct gx_table_event *ev);
void gx_callev__clear(struct gx_exmdb_client *cl);

/* ---- Between wire and store (convert.c) ---- */

/* Id of this store. ecInvalidParam: another replica's, or 0. */
gx_ec gx_call__id(struct gx_call_ctx *c, uint64_t eid, uint64_t *ret_id);
gx_ec gx_call__ids(struct gx_call_ctx *c, const uint64_t *eids, size_t n, const uint64_t **ret_ids);
gx_ec gx_call__eids(struct gx_call_ctx *c, const uint64_t *ids, size_t n, const uint64_t **ret_eids);
/*
 * Values as the store has them: ids plain, text UTF-8. PtypString8 values come and go in code page
 * @cpid (0: UTF-8).
 */
gx_ec gx_call__props_in(struct gx_call_ctx *c, uint32_t cpid, const struct gx_proplist *in, struct gx_proplist *ret_l);
gx_ec gx_call__props_out(struct gx_call_ctx *c, uint32_t cpid, const gx_proptag_t *tags, size_t n, const struct gx_proplist *in,
	struct gx_proplist *ret_l);
gx_ec gx_call__msg_in(struct gx_call_ctx *c, uint32_t cpid, const struct gx_msgobj *in, struct gx_msgobj *ret_m);
gx_ec gx_call__msg_out(struct gx_call_ctx *c, uint32_t cpid, const struct gx_msgobj *in, struct gx_msgobj *ret_m);
/* NULL stays NULL. */
gx_ec gx_call__restr_in(struct gx_call_ctx *c, uint32_t cpid, const struct gx_restr *in, const struct gx_restr **ret_r);
gx_ec gx_call__restr_out(struct gx_call_ctx *c, const struct gx_restr *in, const struct gx_restr **ret_r);
/* Address of the user that a DN of the address book means (calls_people.c). ecNotFound. */
gx_ec gx_call__user_of_dn(struct gx_call_ctx *c, const char *dn, const char **ret_address);
/* The other way round; in @a. NULL: no memory. */
const char *gx_call__dn_of(const struct gx_exmdb_host *h, const struct gx_user *u, struct gx_arena *a);
/* Tags of the values, for the calls that list them. */
gx_ec gx_call__tags(struct gx_call_ctx *c, const struct gx_proplist *l, const gx_proptag_t **ret_v, uint32_t *ret_n);

#endif
