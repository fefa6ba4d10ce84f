/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAPIHTTP_INT_H
#define GX_MAPIHTTP_INT_H
#include <stdatomic.h>
#include <gx/mapihttp.h>
#include <gx/mapihttp-server.h>

struct gx_mh {
	struct gx_mh_opts o;
};

/* A request of ours, in the arena of the HTTP request. */
struct gx_mh_call {
	struct gx_mh *m;
	struct gx_http_req *r;
	const struct gx_exchange_desc *type;
	const void *q;                 /* decoded body, by type */
	struct gx_ems_session *s;      /* held; NULL in Connect and when there is none */
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

/* Request types; c->q is what they ask. */
void gx_mh__connect(struct gx_mh_call *c);
void gx_mh__execute(struct gx_mh_call *c);
void gx_mh__disconnect(struct gx_mh_call *c);
void gx_mh__wait(struct gx_mh_call *c);
void gx_mh__ping(struct gx_mh_call *c);

#endif
