/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of work() that last. Each loop keeps those of its connections, the one that is asked first at the head, and one timer for
 * all. It is set when a connection is handed to a worker and left alone until it fires: calls that end in time cost two locks and
 * no wake-up.
 */
#include <config.h>
#include "libgxproto/net/net-int.h"

/* ---- With the lock ---- */

static void unlist(struct gx_late *x)
{
	struct gx_loop *l = x->loop;
	*(x->prev != NULL ? &x->prev->next : &l->late_first) = x->next;
	*(x->next != NULL ? &x->next->prev : &l->late_last) = x->prev;
}

static void enlist(struct gx_late *x, int64_t now)
{
	struct gx_loop *l = x->loop;
	x->at = now + x->c->io.late_ms;
	x->prev = l->late_last;
	while (x->prev != NULL && x->prev->at > x->at)
		x->prev = x->prev->prev;
	x->next = x->prev != NULL ? x->prev->next : l->late_first;
	*(x->prev != NULL ? &x->prev->next : &l->late_first) = x;
	*(x->next != NULL ? &x->next->prev : &l->late_last) = x;
}

static void arm(struct gx_loop *l, int64_t ms)
{
	ms = ms < 0 ? 0 : ms;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	atomic_store(&l->late_armed, event_add(l->late_ev, &tv) == 0);
}

/* NULL: nobody is late any more; the timer is set for the next. */
static struct gx_conn *take_one(struct gx_loop *l)
{
	for (;;) {
		struct gx_late *x = l->late_first;
		if (x == NULL) {
			atomic_store(&l->late_armed, false);
			return NULL;
		}
		struct gx_conn *c = x->c;
		int64_t now = gx_net__now_ms(c->net);
		if (now < x->at) {
			arm(l, x->at - now + 1);
			return NULL;
		}
		unlist(x);
		x->taken = c->l->o.factory.ops->late(c->engine, &c->io);
		if (x->taken)
			return c;
		enlist(x, now);
	}
}

/* ---- The loop ---- */

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct gx_loop *l = ctx;
	struct gx_conn *c;
	do {
		pthread_mutex_lock(&l->late_lock);
		c = take_one(l);
		pthread_mutex_unlock(&l->late_lock);
		if (c != NULL)
			gx_conn__taken(c);
	} while (c != NULL);
}

int gx_late__init(struct gx_loop *l)
{
	if (pthread_mutex_init(&l->late_lock, NULL) != 0)
		return GX_E_NOMEM;
	l->late_ev = event_new(l->base, -1, 0, on_late, l);
	if (l->late_ev != NULL)
		return 0;
	pthread_mutex_destroy(&l->late_lock);
	return GX_E_NOMEM;
}

void gx_late__release(struct gx_loop *l)
{
	if (l->late_ev == NULL)
		return;
	event_free(l->late_ev);
	pthread_mutex_destroy(&l->late_lock);
}

/* ---- Workers ---- */

void gx_late__expect(struct gx_loop *l, uint32_t ms)
{
	if (atomic_load(&l->late_armed))
		return;
	pthread_mutex_lock(&l->late_lock);
	if (!atomic_load(&l->late_armed))
		arm(l, (int64_t)ms + 1);
	pthread_mutex_unlock(&l->late_lock);
}

void gx_late__begin(struct gx_late *x, struct gx_conn *c)
{
	*x = (struct gx_late){.loop = c->loop, .c = c};
	pthread_mutex_lock(&x->loop->late_lock);
	enlist(x, gx_net__now_ms(c->net));
	if (!atomic_load(&x->loop->late_armed))
		arm(x->loop, (int64_t)c->io.late_ms + 1);
	pthread_mutex_unlock(&x->loop->late_lock);
}

bool gx_late__end(struct gx_late *x)
{
	pthread_mutex_lock(&x->loop->late_lock);
	if (!x->taken)
		unlist(x);
	pthread_mutex_unlock(&x->loop->late_lock);
	return x->taken;
}
