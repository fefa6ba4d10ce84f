/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's states: what is read next, and by whom. [gromox-wire] 2 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/exmdb/exmdb-int.h"

enum { KEEP_BYTES = 65536 }; /* of memory between requests */

/* A transaction is not kept as long as a connection. */
static void set_deadline(struct gx_xs *x, struct gx_io *io)
{
	int64_t until = gx_exmdb_link_until(x->link);
	io->deadline_ms = gx_clock_mono_ms(io->clock) + x->srv->o.idle_ms;
	if (until != 0 && until < io->deadline_ms)
		io->deadline_ms = until;
}

static enum gx_want give_up(struct gx_xs *x, struct gx_io *io, uint8_t code)
{
	gx_push_u8(&io->out, code);
	x->state = XS_CLOSE;
	return GX_WANT_CLOSE;
}

static enum gx_want enter(struct gx_xs *x, struct gx_io *io)
{
	if (!gx_xs__may_enter(x->srv, io)) {
		char uid[32] = "";
		if (io->has_peer_uid)
			snprintf(uid, sizeof(uid), " with uid %lu", (unsigned long)io->peer_uid);
		gx_log(io->log, GX_LOG_WARN, "exmdb: [%llu] %s%s%s%s may not connect; see %s", (unsigned long long)io->id, io->peer, uid,
		       io->peer_cert != NULL ? " with certificate of " : "", io->peer_cert != NULL ? io->peer_cert : "",
		       io->peer_cert != NULL ? "exmdb_certs_allow" : strcmp(io->peer, "unix") == 0 ? "exmdb_users_allow" : "exmdb_hosts_allow");
		return give_up(x, io, GX_XC_ACCESS_DENY);
	}
	x->state = XS_HEAD;
	return GX_WANT_AGAIN;
}

/* A length of 0 is a ping. */
static enum gx_want read_head(struct gx_xs *x, struct gx_io *io)
{
	struct gx_bin body;
	size_t used;
	const uint8_t *p = gx_iobuf_head(&io->in);
	size_t have = gx_iobuf_left(&io->in);
	if (have < 4)
		return io->events & (GX_IO_EOF | GX_IO_SHUTDOWN) ? GX_WANT_CLOSE : GX_WANT_INPUT;
	if (gx_xframe_split(p, 4, x->srv->o.max_request, &body, &used) < 0) {
		gx_log(io->log, GX_LOG_WARN, "exmdb: [%llu] %s: a request is longer than %u bytes, connection closed",
		       (unsigned long long)io->id, io->peer, (unsigned)x->srv->o.max_request);
		return give_up(x, io, GX_XC_PULL_ERROR);
	}
	gx_iobuf_consume(&io->in, 4);
	set_deadline(x, io);
	if (used == 4) {
		gx_push_u8(&io->out, GX_XC_SUCCESS);
		return GX_WANT_AGAIN;
	}
	x->want = (uint32_t)(used - 4);
	x->state = XS_BODY;
	return GX_WANT_AGAIN;
}

/* Memory is taken for what has come, not for what was announced. */
static enum gx_want read_body(struct gx_xs *x, struct gx_io *io)
{
	size_t n = gx_iobuf_left(&io->in), left = x->want - x->body.len;
	if (n > left)
		n = left;
	if (n > 0) {
		gx_push_bytes(&x->body, gx_iobuf_head(&io->in), n);
		gx_iobuf_consume(&io->in, n);
		set_deadline(x, io);
	}
	if (x->body.err != 0)
		return give_up(x, io, GX_XC_LACK_MEMORY);
	if (x->body.len == x->want) {
		x->state = XS_READY;
		return GX_WANT_WORKER;
	}
	return io->events & GX_IO_EOF ? GX_WANT_CLOSE : GX_WANT_INPUT;
}

static enum gx_want advance(struct gx_xs *x, struct gx_io *io)
{
	switch (x->state) {
	case XS_START: return enter(x, io);
	case XS_HEAD: return read_head(x, io);
	case XS_BODY: return read_body(x, io);
	case XS_READY: return GX_WANT_WORKER;
	case XS_EVENTS: return gx_xs__events_step(x, io);
	default: return GX_WANT_CLOSE;
	}
}

static enum gx_want xs_step(void *self, struct gx_io *io)
{
	struct gx_xs *x = self;
	enum gx_want want;
	if ((io->events & GX_IO_TIMEOUT) && x->state != XS_READY && gx_exmdb_link_until(x->link) != 0) {
		x->expire = true;
		return GX_WANT_WORKER;
	}
	if ((io->events & GX_IO_TIMEOUT) && x->state != XS_EVENTS) {
		gx_log(io->log, GX_LOG_INFO, "exmdb: [%llu] %s: nothing came for %u s, connection closed", (unsigned long long)io->id,
		       io->peer, (unsigned)(x->srv->o.idle_ms / 1000));
		return GX_WANT_CLOSE;
	}
	if (io->deadline_ms == 0 && x->state != XS_EVENTS)
		set_deadline(x, io);
	do {
		if (io->out_high > 0 && io->out.len + io->out_pending > io->out_high)
			return GX_WANT_DRAIN;
		want = advance(x, io);
	} while (want == GX_WANT_AGAIN);
	return want;
}

static void forget_request(struct gx_xs *x)
{
	gx_arena_reset(x->a);
	if (x->body.cap > KEEP_BYTES)
		gx_push_release(&x->body);
	else
		gx_push_clear(&x->body);
}

static enum gx_want xs_work(void *self, struct gx_io *io)
{
	struct gx_xs *x = self;
	if (x->state == XS_EVENTS)
		return gx_xs__events_work(x, io);
	if (x->expire)
		gx_exmdb_link_expire(x->link);
	else
		x->state = gx_xs__serve(x, io);
	if (!x->expire)
		forget_request(x);
	x->expire = false;
	io->urgent = gx_exmdb_link_until(x->link) != 0;
	set_deadline(x, io);
	return x->state == XS_CLOSE ? GX_WANT_CLOSE : GX_WANT_INPUT;
}

static void xs_free(void *self)
{
	struct gx_xs *x = self;
	if (x->listening)
		gx_exmdb_client_unlisten(x->client);
	gx_exmdb_link_free(x->link);
	gx_exmdb_client_put(x->client);
	if (x->counted_data)
		atomic_fetch_sub(&x->srv->data, 1);
	if (x->counted_events)
		atomic_fetch_sub(&x->srv->events, 1);
	gx_push_release(&x->body);
	gx_arena_free(x->a);
	free(x);
}

static const struct gx_engine_ops xs_ops = {"exmdb", xs_step, xs_work, xs_free};

static void *new_engine(struct gx_io *io, void *ctx)
{
	struct gx_xs *x = calloc(1, sizeof(*x));
	if (x == NULL || (x->a = gx_arena_new(0)) == NULL) {
		free(x);
		return NULL;
	}
	x->srv = ctx;
	x->io = io;
	return x;
}

void gx_exmdb_server_factory(struct gx_engine_factory *ret_f, struct gx_exmdb_server *s)
{
	*ret_f = (struct gx_engine_factory){&xs_ops, new_engine, s};
}
