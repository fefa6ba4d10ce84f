/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_INT_H
#define GX_EXMDB_INT_H
#include <stdatomic.h>
#include <gx/exmdb-server.h>

struct gx_exmdb_server {
	struct gx_exmdb_server_opts o;
	char **hosts, **certs;     /* NULL-terminated */
	uint32_t *uids;
	atomic_uint data, events;  /* connections of each kind */
};

enum xs_state {
	XS_START,    /* nobody knows yet who may come in */
	XS_HEAD,     /* reads the length of a request */
	XS_BODY,     /* reads the rest */
	XS_READY,    /* a whole request waits for a worker */
	XS_EVENTS,   /* the roles are reversed: sends frames, reads acknowledgements */
	XS_CLOSE,
};

struct gx_xs {
	struct gx_exmdb_server *srv;
	struct gx_io *io;
	enum xs_state state;
	struct gx_exmdb_client *client;   /* after the handshake */
	struct gx_exmdb_link *link;       /* once it asks for a transaction */
	bool expire;                      /* its transaction has been idle for too long: for a worker */
	bool counted_data, counted_events;
	struct gx_push body;              /* of the request that is being read */
	uint32_t want;                    /* its length */
	struct gx_arena *a;               /* of one request */
	/* events */
	bool listening;
	unsigned unacked;
	int64_t acked_ms;                 /* the last acknowledgement, or the first frame after none was due */
};

/* access.c */
bool gx_xs__may_enter(const struct gx_exmdb_server *s, const struct gx_io *io);
/* request.c: one whole request; writes the answer. @return the state that follows. */
enum xs_state gx_xs__serve(struct gx_xs *x, struct gx_io *io);
/* events.c */
enum gx_want gx_xs__events_step(struct gx_xs *x, struct gx_io *io);
enum gx_want gx_xs__events_work(struct gx_xs *x, struct gx_io *io);
/* Becomes an event connection. @return GX_XC_*. */
uint8_t gx_xs__listen(struct gx_xs *x, struct gx_io *io);

#endif
