/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTP_RELAY_INT_H
#define GX_HTTP_RELAY_INT_H
/*
 * relay.c has the requests and the kept connections, relayconn.c one connection to an owner as an engine, relayhead.c the heads.
 *
 * A request (job) and its connection know each other until one of them is through; what says so is under the lock of the relay. The
 * connection alone makes the call that finishes the request. A connection without a job is in the list of idle ones, or at its end.
 */
#include <gx/httprelay.h>
#include "libgxproto/http/http-int.h"
#include "libgxproto/net/quiet.h"

struct relay_conn;

/* In the arena of its request. */
struct relay_job {
	struct gx_http_relay *x;
	struct gx_http_req *r;
	const char *addr;
	struct relay_conn *c;      /* under lock, as gone: the client has hung up, or the server goes down */
	bool gone, stopping, retried;
};

struct relay_conn {
	struct gx_http_relay *x;
	struct gx_io *io;
	char *addr;
	struct relay_conn *next;   /* of idle ones, under lock, as what follows */
	struct relay_job *job;
	bool reused;
	/* of the engine alone */
	bool sent, any, begun, keep, no_body;
	size_t line;               /* of a head: start of the line that is incomplete */
	struct http_body body;
	uint8_t last[GX_HTTP_RELAY_LAST]; /* what was written last, when somebody wants to know */
	size_t nlast;
	size_t pending;            /* data at the head of the input that could not be written */
	int64_t deadline;
};

struct gx_http_relay {
	struct gx_http_relay_opts o;
	struct gx_dialer *dialer;
	pthread_mutex_t lock;
	struct relay_conn *idle;   /* the one used last is first */
	unsigned nidle, busy;
	uint64_t total, dialled;
	struct gx_quiet failures;
};

/* relayhead.c */
int gx_relay__put_request(const struct gx_http_req *r, struct gx_push *out);
struct relay_answer {
	unsigned status;
	const char *type;
	int64_t length;            /* -1: chunked */
	bool close;
};
/* @p text of @p len bytes is taken apart; headers go to @p r. GX_E_FORMAT. */
int gx_relay__parse_answer(struct gx_http_req *r, char *text, size_t len, struct relay_answer *ret_a);

/* relay.c */
/* Gives the job a connection. GX_E_* of gx_net_dial(); then it has none. */
int gx_relay__engage(struct gx_http_relay *x, struct relay_job *j, bool fresh);
/* It could not be done: @p c is through with it. Sends it once more where that harms nobody, else answers. */
void gx_relay__failed(struct relay_job *j, bool begun, bool again, int err);
/* Takes one out of the list, with the lock. */
void gx_relay__unlist(struct gx_http_relay *x, struct relay_conn *c);

/* relayconn.c */
extern const struct gx_engine_ops gx_relay__ops;
/* @p job of this connection. */
void *gx_relay__conn_new(struct gx_io *io, void *job);
#endif
