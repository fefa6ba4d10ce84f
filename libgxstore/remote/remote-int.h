/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_REMOTE_INT_H
#define GX_REMOTE_INT_H
/*
 * The client: servers by address, each with idle connections and, once somebody subscribes, one
 * thread that reads events. Lock order: sublock, a server's lock, the queue's.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <gx/exmdb-remote.h>
#include "libgxstore/calls/call-int.h"

#define GX_EXMDB_PORT "5000"

enum { GX_WHY_SIZE = 512 };

/* ---- Connections (conn.c) ---- */

struct gx_rconn {
	struct gx_rconn *next;
	int fd;
	const struct gx_exmdb_transport *tp; /* NULL: plain */
	void *session;
	int64_t used_ms;                     /* when it was given back */
	uint8_t *buf;                        /* of the answer under way */
	size_t len, cap;
};
/* Everything with a deadline on the monotonic clock; INT64_MAX none. @why takes GX_WHY_SIZE bytes. */
int gx_rconn__dial(const char *server, const struct gx_exmdb_transport *tp, int64_t until, struct gx_rconn **ret_c, char *why) GX_MUST_CHECK;
/* Does it look like an address? */
bool gx_rconn__valid(const char *server);
/* What the transport says of the last failure, else of @err. Until the connection is used or freed. */
const char *gx_rconn__why(const struct gx_rconn *c, int err);
void gx_rconn__free(struct gx_rconn *c);
int gx_rconn__send(struct gx_rconn *c, const void *p, size_t n, int64_t until) GX_MUST_CHECK;
/* At least one byte more into the buffer. GX_E_TRUNC: the peer has hung up. */
int gx_rconn__recv(struct gx_rconn *c, int64_t until) GX_MUST_CHECK;
/* Forgets the first @n bytes of the buffer. */
void gx_rconn__consume(struct gx_rconn *c, size_t n);
/* A frame out, one answer back: *ret_code, and *ret_body inside the connection's buffer until the next exchange. */
int gx_rconn__exchange(struct gx_rconn *c, const struct gx_push *frame, uint32_t max, int64_t until, uint8_t *ret_code,
	struct gx_bin *ret_body) GX_MUST_CHECK;
/* Does the server still answer? */
bool gx_rconn__ping(struct gx_rconn *c, int64_t until);
int64_t gx_rconn__now(void);

/* ---- Servers (server.c) ---- */

enum gx_rkind { GX_RK_UNKNOWN, GX_RK_PLAIN, GX_RK_OURS };

struct gx_rsub;
struct gx_remote;
struct gx_rserver {
	struct gx_rserver *next;
	struct gx_remote *r;
	char *addr;
	const struct gx_exmdb_transport *tp; /* NULL: in the clear */
	pthread_mutex_t lock;
	pthread_cond_t cond;           /* a connection came back; the listener changed its state */
	struct gx_rconn *idle;
	unsigned conns, idle_count;
	enum gx_rkind kind;
	uint32_t features;             /* GX_X_FEATURE_* of one of ours */
	int64_t kind_at;
	/* listen.c */
	pthread_mutex_t sublock;       /* for subs, also while one is made; taken before lock */
	struct gx_rsub *subs;
	bool listening, up;            /* the thread runs; its connection stands */
	uint64_t ups, tries;           /* how often it came to stand, and fell or did not come to */
	pthread_t thread;
	int stop_fd;
	char why[GX_WHY_SIZE];         /* of the last failure to connect */
	char told[GX_WHY_SIZE];        /* what the log says of it; "": it is reached */
	int64_t failed_at;             /* when connecting failed last */
	bool trying;                   /* somebody finds out whether it is back */
	char *dir;                     /* any store of this server */
};

/* Where a store is. */
enum { GX_RPLACES = 2048 };
struct gx_rplace {
	struct gx_rplace *next;
	struct gx_rserver *s;
	int64_t at;
	char dir[];
};

struct gx_revent {
	struct gx_revent *next;
	bool lost;
	uint32_t *ids, count;          /* numbers as the caller knows them */
	size_t len;
	uint8_t raw[];
};

struct gx_remote {
	struct gx_exmdb base;
	struct gx_exmdb_remote_opts o;
	char *server, *remote_id;
	pthread_mutex_t lock;          /* servers, places */
	struct gx_rserver *servers;
	struct gx_rplace *places[GX_RPLACES]; /* by the hash of the directory, the newest first */
	/* events */
	pthread_mutex_t qlock;
	struct gx_revent *head, **tail;
	unsigned waiting;
	bool lost;                     /* the queue was full */
	struct gx_signal signal;
	void (*wake)(void *ctx);
	void *wake_ctx;
	atomic_uint last_sub;
	/* far_events.c: stores whose events are passed on */
	pthread_mutex_t hub_lock;
	struct gx_farstore *hub;
	pthread_t hub_thread;
	bool hub_running;
	atomic_bool hub_stop;
};
/* NULL: another kind. */
struct gx_remote *gx_remote__of(struct gx_exmdb *x);

/* ecRpcFailed and the like, with a text. */
gx_ec gx_remote__fail(struct gx_arena *a, int err, const char **ret_why, const char *fmt, ...) GX_PRINTF(4, 5);
/* The server of a store. */
gx_ec gx_rserver__find(struct gx_remote *r, const char *dir, struct gx_arena *a, struct gx_rserver **ret_s, const char **ret_why);
void gx_rserver__free(struct gx_rserver *s);
void gx_remote__forget_places(struct gx_remote *r);
/* A connection that has the handshake behind it. */
gx_ec gx_rserver__take(struct gx_rserver *s, const char *dir, int64_t until, struct gx_arena *a, struct gx_rconn **ret_c, const char **ret_why);
/* Is there such a store, of that kind? ecNotFound, ecInvalidParam. */
gx_ec gx_rserver__connect(struct gx_rserver *s, const char *dir, bool is_private, int64_t until, struct gx_arena *a, const char **ret_why);
/* Asks again where the store is; true: here. */
bool gx_rserver__still(struct gx_rserver *s, const char *dir, struct gx_arena *a);
/* For the log: whether connecting went well, @why "", or what kept it from it. Each news once. */
void gx_rserver__tell(struct gx_rserver *s, const char *why);
/* @usable false: it is closed. */
void gx_rserver__give(struct gx_rserver *s, struct gx_rconn *c, bool usable);
/* Is it one of ours? Finds out if it is not known. */
gx_ec gx_rserver__kind(struct gx_rserver *s, const char *dir, int64_t until, struct gx_arena *a, enum gx_rkind *ret_kind, const char **ret_why);

/* ---- Calls (remote.c) ---- */

/* As it goes over the wire, with what the server told of a failure. */
gx_ec gx_remote__call(struct gx_rserver *s, const char *dir, const struct gx_call_desc *d, const void *req, struct gx_arena *a,
	int64_t until, void *ret_ans, const char **ret_why);
int64_t gx_remote__deadline(const struct gx_remote *r);

/* ---- Events (listen.c) ---- */

/* The event connection stands, or it is told why not. */
gx_ec gx_rlisten__up(struct gx_rserver *s, const char *dir, struct gx_arena *a, const char **ret_why);
gx_ec gx_rlisten__subscribe(struct gx_rserver *s, const char *dir, const struct gx_x_subscribe_notification_req *req, struct gx_arena *a,
	struct gx_x_subscribe_notification_ans *ans, const char **ret_why);
gx_ec gx_rlisten__unsubscribe(struct gx_rserver *s, const char *dir, const struct gx_x_unsubscribe_notification_req *req,
	struct gx_arena *a, const char **ret_why);
/* The store is closed there: what was open is gone. */
void gx_rlisten__forget(struct gx_rserver *s, const char *dir);
/* Ends the thread. */
void gx_rlisten__stop(struct gx_rserver *s);
int gx_revent__next(struct gx_remote *r, int timeout_ms, struct gx_arena *a, struct gx_x_notification *ret_n);
void gx_revent__clear(struct gx_remote *r);
/* @e is taken over. */
void gx_revent__put(struct gx_remote *r, struct gx_revent *e);
void gx_revent__free(struct gx_revent *e);
/* The news that events may be missing. NULL: no memory, which gx_revent__put() takes for the same. */
struct gx_revent *gx_revent__lost(void);

/* far_events.c: before anything else ends. */
void gx_farhub__stop(struct gx_remote *r);

#endif
