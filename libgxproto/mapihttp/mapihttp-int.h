/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAPIHTTP_INT_H
#define GX_MAPIHTTP_INT_H
#include <stdatomic.h>
#include <gx/mapihttp.h>
#include <gx/mapihttp-server.h>
#include "libgxproto/session/session.h"

struct gx_mh_call;

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
	struct gx_sessions *sessions; /* of the address book; those of mailboxes are there, too, if there are any */
	bool own_sessions;
	atomic_bool ending;
};

/* A request of ours, in the arena of the HTTP request. */
struct gx_mh_call {
	struct gx_mh *m;
	const struct gx_mh_endpoint *end;
	struct gx_http_req *r;
	const struct gx_exchange_desc *type;
	const void *q;                 /* decoded body, by type */
	struct gx_ems_session *s;      /* held; NULL in Connect and when there is none */
	struct gx_sess *context;       /* held; the same at the address book's endpoint */
	struct gx_guid sequence;       /* to be asked for next time */
	const struct gx_guid *promised; /* the session that Connect is about to make */
	bool announced;                /* headers are set, the answer may have begun */
	int64_t begun_ms, begun_unix;
	struct gx_ems_waiter waiter;   /* of NotificationWait */
};

/* Answers with X-ResponseCode @p code, and lets go of the session. */
void gx_mh__refuse(struct gx_mh_call *c, unsigned code, const char *why);
/* Headers and the first line of a chunked answer. False: the client is gone; end it all the same. What lasts is told to go on. */
bool gx_mh__begin(struct gx_mh_call *c);
/* The end of it, with @p res (by type; NULL: no body), and lets go of the session. */
void gx_mh__finish(struct gx_mh_call *c, const void *res);

/* Before what may last: only then the answer begins before it is known. False: it was refused. */
bool gx_mh__announce(struct gx_mh_call *c);
/* An answer of any size, with its length, unless it has begun by then. */
void gx_mh__answer(struct gx_mh_call *c, const void *res);
/* The same in chunks, as mailboxes are answered. */
void gx_mh__answer_in_chunks(struct gx_mh_call *c, const void *res);

/* Is the answer that ends with these bytes still between its lines of state? */
bool gx_mh__between(struct gx_bin last);

/* Request types; c->q is what they ask. */
void gx_mh__connect(struct gx_mh_call *c);
void gx_mh__execute(struct gx_mh_call *c);
void gx_mh__disconnect(struct gx_mh_call *c);
void gx_mh__wait(struct gx_mh_call *c);
void gx_mh__ping(struct gx_mh_call *c);

#endif
