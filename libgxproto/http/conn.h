/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTP_CONN_H
#define GX_HTTP_CONN_H
/* What a connection knows; conn.c steps through the states, run.c calls owners on workers. */
#include "libgxproto/http/http-int.h"

enum {
	ST_HEAD,    /* a head is read, or waited for */
	ST_AUTH,    /* who sends the body? */
	ST_BODY,    /* a body is read as a whole */
	ST_RUN,     /* the handler is to be called */
	ST_SINK,    /* the owner reads the body in pieces */
	ST_WAIT,    /* the owner has not answered */
	ST_ANSWER,  /* it has: the head is written */
	ST_DATA,    /* bytes that are all there */
	ST_SOURCE,  /* bytes that a worker fetches */
	ST_STREAM,  /* bytes that the owner writes */
	ST_GONE,    /* the client has hung up during a request */
	ST_LEAVE,   /* the request is over */
	ST_DRAIN,   /* the rest of its body */
	ST_LINGER,  /* the same before a close */
	ST_CLOSE,
	ST_APART,   /* of a worker: the connection is another's */
};

struct http_conn {
	struct gx_http *h;
	struct gx_io *io;
	struct http_req *req;
	struct http_exchange x;
	struct http_body body;
	uint64_t body_max;
	size_t line;          /* of a head: start of the line that is incomplete */
	size_t done;          /* bytes of a whole answer that are out */
	size_t lingered;
	int64_t deadline;     /* of the state; of a body without what it has earned */
	int64_t linger_at;
	enum gx_want want;
	uint8_t state;
	bool head_begun, expects, continued, close;
	bool fed;             /* the owner has had the last piece of the body */
	bool told;            /* the log has the request */
	struct http_trace *trace;
};

/* On a worker; each gives the next state. */
uint8_t gx_http__run(struct http_conn *c);
uint8_t gx_http__run_sink(struct http_conn *c);
enum gx_want gx_http__run_source(struct http_conn *c);
void gx_http__run_gone(struct http_conn *c);
/* While the first of them runs: what there is of the answer goes out, if that can be, and the connection goes on without it. */
bool gx_http__late(void *self, struct gx_io *io);
enum gx_want gx_http__conn_work(struct http_conn *c);

/* trace.c: around each call of the engine, when the options want it; @p before: bytes that were in the output. */
void gx_http__trace_in(struct http_conn *c);
void gx_http__trace_out(struct http_conn *c, size_t before);
#endif
