/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAPIHTTP_INT_H
#define GX_MAPIHTTP_INT_H
#include <stdatomic.h>
#include <gx/mapihttp.h>
#include <gx/mapihttp-server.h>

struct gx_mh_call;
struct gx_mh_context;
struct gx_mh_contexts;

/* What differs between the mailboxes' endpoint and the address book's. */
struct gx_mh_endpoint {
	uint8_t bit;                   /* GX_ENDPOINT_* */
	const char *path;
	uint32_t opens;                /* the request type that needs no session: it begins one */
	void (*const *functions)(struct gx_mh_call *c); /* by type */
	bool (*is_served)(const struct gx_mh *m);
	struct gx_px (*form)(const struct gx_mh_call *c); /* of values in bodies */
	/* Holds the session, and checks the turn unless it is NULL; sets c->sequence. @return GX_MHC_*. */
	unsigned (*find)(struct gx_mh_call *c, const struct gx_guid *id, const struct gx_guid *turn);
	bool (*takes_turn)(uint32_t type);
	const struct gx_guid *(*session)(const struct gx_mh_call *c); /* NULL: there is none */
	void (*put)(struct gx_mh_call *c); /* lets go of it, if there is one */
};
extern const struct gx_mh_endpoint gx_mh__mailboxes, gx_mh__address_book;

struct gx_mh {
	struct gx_mh_opts o;
	struct gx_mh_contexts *contexts; /* of the address book */
};

/* A request of ours, in the arena of the HTTP request. */
struct gx_mh_call {
	struct gx_mh *m;
	const struct gx_mh_endpoint *end;
	struct gx_http_req *r;
	const struct gx_exchange_desc *type;
	const void *q;                 /* decoded body, by type */
	struct gx_ems_session *s;      /* held; NULL in Connect and when there is none */
	struct gx_mh_context *context; /* held; the same at the address book's endpoint */
	struct gx_guid sequence;       /* to be asked for next time */
	int64_t begun_ms, begun_unix;
	struct gx_ems_waiter waiter;   /* of NotificationWait */
	atomic_bool woken;
};

/* Answers with X-ResponseCode @p code, and lets go of the session. */
void gx_mh__refuse(struct gx_mh_call *c, unsigned code, const char *why);
/* Headers and the first line of a chunked answer. False: the client is gone; end it all the same. */
bool gx_mh__begin(struct gx_mh_call *c);
/* The end of it, with @p res (by type; NULL: no body), and lets go of the session. */
void gx_mh__finish(struct gx_mh_call *c, const void *res);

/* The two at once, for what is done by the time that it is answered: an answer of any size, with its length. */
void gx_mh__answer(struct gx_mh_call *c, const void *res);

/* Request types; c->q is what they ask. */
void gx_mh__connect(struct gx_mh_call *c);
void gx_mh__execute(struct gx_mh_call *c);
void gx_mh__disconnect(struct gx_mh_call *c);
void gx_mh__wait(struct gx_mh_call *c);
void gx_mh__ping(struct gx_mh_call *c);

/* ---- contexts.c: sessions of endpoints that keep nothing else for their clients ---- */

int gx_mh__contexts_new(const struct gx_clock *clock, uint32_t idle_ms, struct gx_mh_contexts **ret_t) GX_MUST_CHECK;
/** Accepts NULL. */
void gx_mh__contexts_free(struct gx_mh_contexts *t);
/** A new one, held. GX_E_LIMIT: there are too many, or too many of this user. */
int gx_mh__context_new(struct gx_mh_contexts *t, const char *user, struct gx_mh_context **ret_c) GX_MUST_CHECK;
/** By id, if it is @p user's; held. @p ret_others: there is one, of another user. */
struct gx_mh_context *gx_mh__context_get(struct gx_mh_contexts *t, const struct gx_guid *id, const char *user, bool *ret_others);
/** As gx_ems_session_turn(). */
int gx_mh__context_turn(struct gx_mh_contexts *t, struct gx_mh_context *c, const struct gx_guid *turn, struct gx_guid *ret_turn) GX_MUST_CHECK;
const struct gx_guid *gx_mh__context_id(const struct gx_mh_context *c);
/** It cannot be found any more. */
void gx_mh__context_end(struct gx_mh_contexts *t, struct gx_mh_context *c);
/** Lets go of it. */
void gx_mh__context_put(struct gx_mh_contexts *t, struct gx_mh_context *c);

#endif
