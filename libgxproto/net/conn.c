/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a connection: who owns it, when its engine is called, when it ends. The phases
 * before and after the engine are in connphase.c, the bytes in connio.c.
 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/net/net-int.h"

enum { TURNS = 32 }; /* engine calls before others on this thread get theirs */

enum outcome {
	RESTS,  /* nothing to do until an event */
	YIELDS, /* there is more to do, after others */
	HANDED, /* another thread has it now */
	ENDED,
};

static void run(struct gx_conn *c, bool worker);

/* ---- Ownership ---- */

static void on_worker(void *ctx)
{
	run(ctx, true);
}

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
	struct gx_conn *c = ctx;
	uint32_t bits = CONN_OWNED;
	bits |= (what & EV_READ) != 0 ? CONN_IN : 0;
	bits |= (what & EV_WRITE) != 0 ? CONN_OUT : 0;
	bits |= (what & EV_CLOSED) != 0 ? CONN_HUP : 0;
	bits |= (what & EV_TIMEOUT) != 0 ? CONN_AGAIN : 0;
	if ((atomic_fetch_or(&c->state, bits) & CONN_OWNED) == 0)
		run(c, false);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct gx_conn *c = ctx;
	if ((atomic_fetch_or(&c->state, CONN_TIMER | CONN_OWNED) & CONN_OWNED) == 0)
		run(c, false);
}

void gx_conn__post(struct gx_conn *c, uint32_t bits)
{
	if ((atomic_fetch_or(&c->state, bits) & CONN_OWNED) == 0)
		event_active(c->ev, EV_TIMEOUT, 0);
}

static void wake(struct gx_io *io)
{
	gx_conn__post(io->driver, CONN_WAKE);
}

static void note_bits(struct gx_conn *c, uint32_t bits)
{
	c->can_read |= (bits & (CONN_IN | CONN_HUP)) != 0 && !c->eof;
	c->hup |= (bits & CONN_HUP) != 0;
	c->can_write |= (bits & CONN_OUT) != 0;
	if ((bits & CONN_TIMER) != 0)
		c->timer_at = 0; /* so that the deadlines are looked at */
	if ((bits & CONN_WAKE) != 0)
		c->io.events |= GX_IO_WOKEN;
	if ((bits & CONN_SHUTDOWN) != 0 && (c->io.events & GX_IO_SHUTDOWN) == 0) {
		c->io.events |= GX_IO_SHUTDOWN;
		c->kick = true;
	}
	if ((bits & CONN_KILL) != 0 || ((bits & CONN_SHUTDOWN) != 0 && c->engine == NULL))
		c->dead = true;
}

/* ---- Deadlines ---- */

static bool engine_listens(const struct gx_conn *c)
{
	return c->phase == PHASE_RUN && (c->until == UNTIL_INPUT || c->until == UNTIL_WOKEN);
}

static int64_t next_deadline(const struct gx_conn *c)
{
	int64_t at = 0;
	if (engine_listens(c))
		at = c->io.deadline_ms;
	if (c->phase_deadline != 0 && (at == 0 || c->phase_deadline < at))
		at = c->phase_deadline;
	if (c->stall_deadline != 0 && (at == 0 || c->stall_deadline < at))
		at = c->stall_deadline;
	return at;
}

/* A deadline that moves away leaves the timer alone; it is set again when it fires. */
static void set_timer(struct gx_conn *c)
{
	if (gx_conn__has_output(c) && c->stall_deadline == 0)
		c->stall_deadline = gx_net__now_ms(c->net) + c->l->o.write_stall_ms;
	int64_t at = next_deadline(c);
	if (at == 0 || (c->timer_at != 0 && c->timer_at <= at))
		return;
	int64_t ms = at - gx_net__now_ms(c->net);
	ms = ms < 1 ? 1 : ms + 1;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	c->timer_at = at;
	event_add(c->timer, &tv);
}

static void check_deadlines(struct gx_conn *c)
{
	int64_t at = next_deadline(c);
	if (c->timer_at != 0 || at == 0 || c->dead)
		return;
	int64_t now = gx_net__now_ms(c->net);
	if (now < at)
		return;
	const char *what = NULL;
	if (c->phase_deadline != 0 && now >= c->phase_deadline)
		what = c->phase == PHASE_PROXY ? "no PROXY header in time" : "TLS handshake not finished in time";
	else if (c->stall_deadline != 0 && now >= c->stall_deadline)
		what = "peer does not read what it asked for";
	if (what != NULL) {
		gx_log(c->net->log, GX_LOG_INFO, "[%llu] %s: %s, connection closed", (unsigned long long)c->io.id, c->io.peer, what);
		c->dead = true;
	} else {
		c->io.events |= GX_IO_TIMEOUT;
	}
}

/* ---- The engine ---- */

static void obey(struct gx_conn *c, enum gx_want want)
{
	bool from_work = c->call_work;
	c->call_work = false;
	switch (want) {
	case GX_WANT_INPUT:
		c->until = from_work ? UNTIL_NOW : UNTIL_INPUT;
		if (!from_work && c->in_eof)
			c->phase = PHASE_CLOSING;
		break;
	case GX_WANT_WORKER:
		c->until = UNTIL_NOW;
		c->call_work = true;
		break;
	case GX_WANT_AGAIN:
		c->until = c->io.out_pending >= c->io.out_high ? UNTIL_DRAINED : UNTIL_NOW;
		c->call_work = true;
		break;
	case GX_WANT_DRAIN:
		c->until = UNTIL_DRAINED;
		break;
	case GX_WANT_WAIT:
		c->until = UNTIL_WOKEN;
		break;
	case GX_WANT_STARTTLS:
		c->phase = PHASE_STARTTLS;
		break;
	case GX_WANT_CLOSE:
		c->phase = PHASE_CLOSING;
		break;
	case GX_WANT_NOTHING:
		break;
	}
}

static void forget_events(struct gx_conn *c)
{
	c->io.events &= ~(unsigned)(GX_IO_TLS_STARTED | GX_IO_TIMEOUT | GX_IO_WOKEN);
}

/* @return false: it has taken so long that the connection is another thread's. */
static bool call_work(struct gx_conn *c, const struct gx_engine_ops *ops, enum gx_want *ret_want)
{
	struct gx_late late;
	if (c->io.late_ms == 0 || ops->late == NULL) {
		*ret_want = ops->work(c->engine, &c->io);
		return true;
	}
	gx_late__begin(&late, c);
	*ret_want = ops->work(c->engine, &c->io);
	bool taken = gx_late__end(&late);
	assert(taken == (*ret_want == GX_WANT_NOTHING));
	return !taken;
}

void gx_conn__taken(struct gx_conn *c)
{
	c->call_work = false;
	c->until = UNTIL_NOW;
	forget_events(c);
	run(c, false);
}

static bool call_engine(struct gx_conn *c)
{
	const struct gx_engine_ops *ops = c->l->o.factory.ops;
	assert(!c->call_work || ops->work != NULL);
	bool timeout = (c->io.events & GX_IO_TIMEOUT) != 0;
	int64_t deadline = c->io.deadline_ms;
	enum gx_want want;
	if (!c->call_work) {
		c->kick = false;
		want = ops->step(c->engine, &c->io);
	} else if (!call_work(c, ops, &want)) {
		return false;
	}
	if (timeout && c->io.deadline_ms == deadline)
		c->io.deadline_ms = 0;
	forget_events(c);
	gx_conn__take_output(c);
	obey(c, want);
	return true;
}

/* Is it time to call the engine? Reads when that is what it waits for. */
static bool engine_ready(struct gx_conn *c)
{
	switch (c->until) {
	case UNTIL_NOW:
		return true;
	case UNTIL_DRAINED:
		return c->io.out_pending <= c->io.out_high / 2;
	case UNTIL_WOKEN:
		return (c->io.events & (GX_IO_WOKEN | GX_IO_TIMEOUT)) != 0;
	}
	if (c->io.out_pending >= c->io.out_high)
		return false;
	size_t before = gx_iobuf_left(&c->io.in), most = 4 * c->io.in_max;
	bool news = gx_conn__read(c, before < c->io.in_max ? c->io.in_max : most);
	if (c->in_eof && (c->io.events & GX_IO_EOF) == 0) {
		c->io.events |= GX_IO_EOF;
		c->kick = true;
	}
	if (before >= most && (c->can_read || c->cipher_more)) {
		gx_log(c->net->log, GX_LOG_ERROR, "[%llu] %s: input of %zu bytes is not taken by the protocol, connection closed",
		       (unsigned long long)c->io.id, c->io.peer, before);
		c->dead = true;
	}
	return news || c->kick || (c->io.events & (GX_IO_WOKEN | GX_IO_TIMEOUT)) != 0;
}

/* ---- Driving ---- */

enum moved { NO_MOVE, MOVED, TAKEN };

static enum moved move_engine(struct gx_conn *c)
{
	if (!engine_ready(c) || c->dead)
		return c->dead ? MOVED : NO_MOVE;
	if (!c->call_work || c->until == UNTIL_NOW)
		return call_engine(c) ? MOVED : TAKEN;
	c->until = UNTIL_NOW; /* the next turn finds out whether this thread may do it */
	return MOVED;
}

/* One move. */
static enum moved move(struct gx_conn *c)
{
	gx_conn__flush(c);
	if (c->dead)
		return MOVED;
	switch (c->phase) {
	case PHASE_PROXY:
		return gx_conn__proxy(c) ? MOVED : NO_MOVE;
	case PHASE_HANDSHAKE:
		return gx_conn__handshake(c) ? MOVED : NO_MOVE;
	case PHASE_STARTTLS:
		if (gx_conn__has_output(c))
			return NO_MOVE;
		gx_conn__begin_tls(c);
		return MOVED;
	case PHASE_CLOSING:
		return gx_conn__closing(c) ? MOVED : NO_MOVE;
	default:
		return move_engine(c);
	}
}

static bool wants_worker(const struct gx_conn *c)
{
	return c->phase == PHASE_RUN && c->call_work && c->until == UNTIL_NOW && !c->dead;
}

static enum outcome hand_over(struct gx_conn *c)
{
	c->job = (struct gx_job){.fn = on_worker, .ctx = c};
	if (c->io.late_ms != 0)
		gx_late__expect(c->loop, c->io.late_ms);
	int ret = gx_pool__push(&c->net->pool, &c->job, c->io.urgent ? GX_POOL_URGENT : 0);
	if (ret == 0)
		return HANDED;
	gx_log(c->net->log, GX_LOG_ERROR, "[%llu] %s: %s, connection closed", (unsigned long long)c->io.id, c->io.peer,
	       ret == GX_E_LIMIT ? "server overloaded, no worker thread is free" : gx_strerror(ret));
	c->dead = true;
	return ENDED;
}

static enum outcome advance(struct gx_conn *c, bool worker)
{
	check_deadlines(c);
	for (unsigned turn = 0; !c->dead; ++turn) {
		if ((atomic_load(&c->state) & (CONN_SHUTDOWN | CONN_KILL)) != 0)
			return YIELDS;
		if (wants_worker(c)) {
			if (!worker || (turn > 0 && gx_pool__others_wait(&c->net->pool)))
				return hand_over(c);
		} else if (turn >= TURNS) {
			return YIELDS;
		}
		enum moved m = move(c);
		if (m != MOVED)
			return m == TAKEN ? HANDED : RESTS;
	}
	return ENDED;
}

static void shrink(struct gx_conn *c)
{
	if (gx_iobuf_left(&c->io.in) == 0 && c->io.in.data != NULL)
		gx_iobuf_release(&c->io.in);
	if (c->io.out.data != NULL)
		gx_push_release(&c->io.out);
	if (c->tls == NULL)
		return;
	struct gx_iobuf *in = gx_tls__cipher_in(c->tls), *out = gx_tls__cipher_out(c->tls);
	if (gx_iobuf_left(in) == 0 && in->data != NULL)
		gx_iobuf_release(in);
	if (gx_iobuf_left(out) == 0 && out->data != NULL)
		gx_iobuf_release(out);
}

static void end(void *ctx)
{
	struct gx_conn *c = ctx;
	if (c->engine != NULL)
		c->l->o.factory.ops->free(c->engine);
	gx_conn__release(c);
}

/* Engines are freed where they may block. */
static void finish(struct gx_conn *c, bool worker)
{
	shutdown(c->fd, SHUT_RDWR);
	c->job = (struct gx_job){.fn = end, .ctx = c};
	if (c->engine == NULL || worker || gx_pool__push(&c->net->pool, &c->job, GX_POOL_FORCE | (c->io.urgent ? GX_POOL_URGENT : 0)) != 0)
		end(c);
}

static void run(struct gx_conn *c, bool worker)
{
	for (;;) {
		note_bits(c, atomic_exchange(&c->state, CONN_OWNED) & ~(uint32_t)CONN_OWNED);
		switch (advance(c, worker)) {
		case HANDED:
			return;
		case ENDED:
			finish(c, worker);
			return;
		case YIELDS:
			event_active(c->ev, EV_TIMEOUT, 0);
			break;
		case RESTS:
			shrink(c);
			break;
		}
		set_timer(c);
		uint32_t expected = CONN_OWNED;
		if (atomic_compare_exchange_strong(&c->state, &expected, 0))
			return;
	}
}

/* ---- Beginning and end ---- */

struct gx_conn *gx_conn__new(struct gx_listener *l, int fd, const struct gx_addr *peer, struct gx_loop *loop)
{
	struct gx_conn *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	*c = (struct gx_conn){.net = l->net, .l = l, .loop = loop, .fd = fd, .read_size = 4096, .can_write = true};
	c->ev = event_new(loop->base, fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, c);
	c->timer = event_new(loop->base, -1, 0, on_timer, c);
	if (c->ev == NULL || c->timer == NULL) {
		if (c->ev != NULL)
			event_free(c->ev);
		free(c);
		return NULL;
	}
	atomic_init(&c->state, CONN_OWNED);
	c->io = (struct gx_io){.out_high = l->o.out_high, .in_max = l->o.in_max, .clock = l->net->clock, .log = l->net->log,
		.peer = c->peer, .local = c->local, .id = atomic_fetch_add(&l->net->last_id, 1) + 1, .wake = wake, .driver = c};
	gx_conn__set_peer(c, peer);
	struct gx_addr local = {.len = sizeof(local.ss)};
	if (getsockname(fd, &local.sa, &local.len) == 0)
		gx_addr__print(&local, c->local, sizeof(c->local));
	gx_addr__host_key(peer, c->host_key);
	struct ucred cred;
	socklen_t len = sizeof(cred);
	if (l->bound.sa.sa_family == AF_UNIX && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
		c->io.has_peer_uid = true;
		c->io.peer_uid = cred.uid;
	}
	return c;
}

const char *gx_conn__link(struct gx_conn *c)
{
	struct gx_net *n = c->net;
	const char *why = NULL;
	pthread_mutex_lock(&n->lock);
	if (n->stopping)
		why = "the server is going down";
	else if (c->l->o.max_conns != 0 && c->l->conns >= c->l->o.max_conns)
		why = "too many connections at once";
	else if (!c->l->o.haproxy && !(c->counted = gx_listener__enter(c->l, c->host_key)))
		why = "too many connections from one host";
	if (why == NULL) {
		c->next = n->conns;
		if (c->next != NULL)
			c->next->prev = c;
		n->conns = c;
		++n->nconns;
		++c->l->conns;
	}
	pthread_mutex_unlock(&n->lock);
	return why;
}

void gx_conn__unwanted(struct gx_conn *c)
{
	event_free(c->ev);
	event_free(c->timer);
	close(c->fd);
	free(c);
}

void gx_conn__hand_over(struct gx_conn *c)
{
	c->job = (struct gx_job){.fn = on_worker, .ctx = c};
	/* A pool takes everything while there are connections. */
	if (gx_pool__push(&c->net->pool, &c->job, GX_POOL_FORCE) != 0)
		run(c, true);
}

static void refuse(struct gx_conn *c, const char *why)
{
	const struct gx_listen_opts *o = &c->l->o;
	gx_listener__complain(c->l, why, c->peer);
	if (o->busy_text != NULL && !o->implicit_tls && !o->haproxy)
		(void)!send(c->fd, o->busy_text, strlen(o->busy_text), MSG_NOSIGNAL | MSG_DONTWAIT);
	atomic_fetch_add(&c->net->refused, 1);
	gx_conn__unwanted(c);
}

void gx_conn__accepted(struct gx_listener *l, int fd, const struct gx_addr *peer, struct gx_loop *loop)
{
	struct gx_conn *c = gx_conn__new(l, fd, peer, loop);
	if (c == NULL) {
		gx_listener__complain(l, "out of memory", "");
		atomic_fetch_add(&l->net->refused, 1);
		close(fd);
		return;
	}
	const char *why = gx_conn__link(c);
	if (why != NULL) {
		refuse(c, why);
		return;
	}
	atomic_fetch_add(&l->net->accepted, 1);
	if (l->o.haproxy) {
		c->phase = PHASE_PROXY;
		c->phase_deadline = gx_net__now_ms(l->net) + l->o.handshake_ms;
	} else {
		gx_conn__begin(c);
	}
	event_add(c->ev, NULL);
	run(c, false);
}

void gx_conn__release(struct gx_conn *c)
{
	struct gx_net *n = c->net;
	pthread_mutex_lock(&n->lock);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		n->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->counted)
		gx_listener__leave(c->l, c->host_key);
	--c->l->conns;
	pthread_mutex_unlock(&n->lock);
	event_free(c->ev);
	event_free(c->timer);
	close(c->fd);
	gx_tls__session_free(c->tls);
	gx_conn__drop_output(c);
	gx_iobuf_release(&c->io.in);
	gx_push_release(&c->io.out);
	free(c);
	pthread_mutex_lock(&n->lock);
	if (--n->nconns == 0)
		pthread_cond_broadcast(&n->gone);
	pthread_mutex_unlock(&n->lock);
}
