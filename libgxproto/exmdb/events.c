/* SPDX-License-Identifier: Apache-2.0 */
/* The notification connection: frames go out, one byte comes back for each. */
#include <config.h>
#include "libgxproto/exmdb/exmdb-int.h"

enum { WINDOW = 32, AT_ONCE = 16 }; /* frames that wait for their acknowledgement, and in one turn of a worker */

static void wake(void *ctx)
{
	const struct gx_xs *x = ctx;
	gx_io_wake(x->io);
}

uint8_t gx_xs__listen(struct gx_xs *x, struct gx_io *io)
{
	if (gx_exmdb_client_listen(x->client, wake, x) != 0)
		return GX_XC_DISPATCH_ERROR;
	x->listening = true;
	x->acked_ms = gx_clock_mono_ms(io->clock);
	return GX_XC_SUCCESS;
}

static enum gx_want end(struct gx_xs *x, struct gx_io *io, const char *why)
{
	gx_log(io->log, GX_LOG_WARN, "exmdb: [%llu] %s: event connection closed: %s", (unsigned long long)io->id, io->peer, why);
	x->state = XS_CLOSE;
	return GX_WANT_CLOSE;
}

/* @return false when the client could not read a frame, or acknowledges what was not sent. */
static bool read_acks(struct gx_xs *x, struct gx_io *io)
{
	const uint8_t *p = gx_iobuf_head(&io->in);
	size_t n = gx_iobuf_left(&io->in);
	if (n > x->unacked)
		return false;
	for (size_t i = 0; i < n; ++i)
		if (p[i] != GX_XC_SUCCESS)
			return false;
	if (n > 0)
		x->acked_ms = gx_clock_mono_ms(io->clock);
	x->unacked -= (unsigned)n;
	gx_iobuf_consume(&io->in, n);
	return true;
}

static void set_deadline(struct gx_xs *x, struct gx_io *io)
{
	io->deadline_ms = x->acked_ms + (x->unacked > 0 ? x->srv->o.ack_ms : x->srv->o.ping_ms);
}

static void sent(struct gx_xs *x, struct gx_io *io)
{
	if (x->unacked++ == 0)
		x->acked_ms = gx_clock_mono_ms(io->clock);
}

enum gx_want gx_xs__events_step(struct gx_xs *x, struct gx_io *io)
{
	if (!read_acks(x, io))
		return end(x, io, "the client could not read what it was sent");
	if (io->events & (GX_IO_EOF | GX_IO_SHUTDOWN))
		return GX_WANT_CLOSE;
	if (gx_clock_mono_ms(io->clock) >= x->acked_ms + (int64_t)x->srv->o.ack_ms && x->unacked > 0)
		return end(x, io, "the client does not acknowledge");
	if (x->unacked == 0 && gx_clock_mono_ms(io->clock) >= x->acked_ms + (int64_t)x->srv->o.ping_ms) {
		gx_xframe_push_ping(&io->out);
		sent(x, io);
	}
	set_deadline(x, io);
	/* a wake-up while the window is full is not lost: acknowledgements make this run again */
	return x->unacked < WINDOW && gx_exmdb_client_waiting(x->client) ? GX_WANT_WORKER : GX_WANT_INPUT;
}

/* @return 1 when one was sent, 0 when there is none. */
static int send_one(struct gx_xs *x, struct gx_io *io)
{
	struct gx_x_notification n;
	int ret = gx_exmdb_client_event(x->client, x->a, &n);
	if (ret != GX_XEV_EVENT)
		return ret == GX_XEV_LOST ? GX_E_LIMIT : ret;
	ret = gx_xframe_push_event(&io->out, x->a, &n);
	gx_arena_reset(x->a);
	if (ret != 0)
		return ret;
	sent(x, io);
	return 1;
}

enum gx_want gx_xs__events_work(struct gx_xs *x, struct gx_io *io)
{
	int ret = 1;
	for (unsigned i = 0; ret > 0 && i < AT_ONCE && x->unacked < WINDOW; ++i)
		ret = send_one(x, io);
	/* the protocol cannot say that events are missing; a client that has to connect anew subscribes anew */
	if (ret == GX_E_LIMIT)
		return end(x, io, "the client is too slow, events were lost");
	if (ret < 0)
		return end(x, io, gx_strerror(ret));
	set_deadline(x, io);
	return GX_WANT_INPUT;
}
