/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: how many there may be, who waits for one, and what is tried again when a server
 * went away. A round of attempts takes about three seconds, which is how long a server needs to
 * be started again. Once a whole round was in vain, each operation tries only once, one at a time,
 * until the server answers: threads must not pile up in here.
 */
#include <config.h>
#include <errno.h>
#include <time.h>
#include "libgxstore/directory/dir-int.h"

static const unsigned pauses_ms[] = {50, 100, 200, 400, 800, 1600};
enum { PAUSES = sizeof(pauses_ms) / sizeof(*pauses_ms) };

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct timespec at_ms(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

void gx_dir__shield(const struct gx_dirback *back, struct gx_dir_shield *ret_s)
{
	sigset_t pipe, pending;
	*ret_s = (struct gx_dir_shield){.on = back->sockets};
	if (!back->sockets)
		return;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	ret_s->was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe, &ret_s->before);
}

void gx_dir__unshield(const struct gx_dir_shield *s)
{
	static const struct timespec none = {0};
	sigset_t pipe;
	if (!s->on)
		return;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (!s->was_pending)
		while (sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}

int gx_dir__pool_init(struct gx_dir *d)
{
	struct gx_dir_pool *p = &d->pool;
	pthread_condattr_t ca;
	p->max = d->back->max_connections != 0 ? d->back->max_connections : d->o.connections;
	if (pthread_condattr_init(&ca) != 0)
		return GX_E_NOMEM;
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	int bad = pthread_cond_init(&p->freed, &ca);
	pthread_condattr_destroy(&ca);
	if (bad != 0)
		return GX_E_NOMEM;
	pthread_mutex_init(&p->lock, NULL);
	return 0;
}

static void drop_idle(struct gx_dir_pool *p)
{
	while (p->idle != NULL) {
		struct gx_dirconn *c = p->idle;
		p->idle = c->next;
		--p->count;
		c->back->disconnect(c);
	}
}

void gx_dir__pool_release(struct gx_dir *d)
{
	struct gx_dir_shield shield;
	gx_dir__shield(d->back, &shield);
	drop_idle(&d->pool);
	gx_dir__unshield(&shield);
	pthread_cond_destroy(&d->pool.freed);
	pthread_mutex_destroy(&d->pool.lock);
}

/* An idle connection, or a place for a new one (*ret_c NULL). Lock held. */
static int take_place(struct gx_dir *d, int64_t deadline, struct gx_dirconn **ret_c, struct gx_dirwhy *why)
{
	struct gx_dir_pool *p = &d->pool;
	struct timespec until = at_ms(deadline);
	for (;;) {
		if (p->idle != NULL && p->idle->generation != p->generation)
			drop_idle(p);
		if (p->idle != NULL) {
			*ret_c = p->idle;
			p->idle = p->idle->next;
			return 0;
		}
		if (p->count < p->max) {
			++p->count;
			*ret_c = NULL;
			return 0;
		}
		if (pthread_cond_timedwait(&p->freed, &p->lock, &until) == ETIMEDOUT) {
			if (d->back->max_connections == 0)
				snprintf(why->text, sizeof(why->text), "all %u connections are in use; raise connection_num", p->max);
			else
				snprintf(why->text, sizeof(why->text), "others have kept the database busy for too long");
			return GX_E_BUSY;
		}
	}
}

/* A new connection for a place that was taken, or the place is free again. */
static int make_connection(struct gx_dir *d, unsigned generation, struct gx_dirconn **ret_c, struct gx_dirwhy *why)
{
	struct gx_dir_pool *p = &d->pool;
	int err = d->back->connect(&d->o, 0, ret_c, why);
	pthread_mutex_lock(&p->lock);
	p->probing = false;
	if (err == 0) {
		(*ret_c)->generation = generation;
	} else {
		--p->count;
		pthread_cond_signal(&p->freed);
	}
	pthread_mutex_unlock(&p->lock);
	return err;
}

static int acquire(struct gx_dir *d, int64_t deadline, struct gx_dirconn **ret_c, struct gx_dirwhy *why)
{
	struct gx_dir_pool *p = &d->pool;
	struct gx_dirconn *c = NULL;
	pthread_mutex_lock(&p->lock);
	int err = take_place(d, deadline, &c, why);
	unsigned generation = p->generation;
	if (err == 0 && c == NULL && p->down && p->probing) {
		--p->count;
		*why = (struct gx_dirwhy){true, "the server is still not there"};
		err = GX_E_IO;
	} else if (err == 0 && c == NULL) {
		p->probing = p->down;
	}
	pthread_mutex_unlock(&p->lock);
	if (err == 0 && c == NULL)
		err = make_connection(d, generation, &c, why);
	if (err != 0)
		return err;
	c->why.again = false;
	c->why.text[0] = '\0';
	*ret_c = c;
	return 0;
}

static void release(struct gx_dir *d, struct gx_dirconn *c)
{
	struct gx_dir_pool *p = &d->pool;
	bool lost = c->lost;
	pthread_mutex_lock(&p->lock);
	if (lost) {
		/* What happened to one happened to all that are as old. */
		if (c->generation == p->generation)
			++p->generation;
		--p->count;
	} else {
		c->next = p->idle;
		p->idle = c;
	}
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
	if (lost)
		c->back->disconnect(c);
}

static int transaction(struct gx_dirconn *c, gx_dir_work *work, void *ctx)
{
	int err = c->back->begin(c);
	if (err != 0)
		return err;
	err = work(c, ctx);
	if (err == 0)
		err = c->back->commit(c);
	if (err != 0 && !c->lost)
		c->back->rollback(c);
	return err;
}

static int exposed(struct gx_dir *d, bool write, int64_t deadline, gx_dir_work *work, void *ctx, struct gx_dirwhy *why, bool *ret_reached)
{
	struct gx_dirconn *c = NULL;
	int err = acquire(d, deadline, &c, why);
	*ret_reached = err == 0;
	if (err != 0)
		return err;
	err = write ? transaction(c, work, ctx) : work(c, ctx);
	*why = c->why;
	release(d, c);
	return err;
}

static int once(struct gx_dir *d, bool write, int64_t deadline, gx_dir_work *work, void *ctx, struct gx_dirwhy *why, bool *ret_reached)
{
	struct gx_dir_shield shield;
	gx_dir__shield(d->back, &shield);
	int err = exposed(d, write, deadline, work, ctx, why, ret_reached);
	gx_dir__unshield(&shield);
	return err;
}

/* May attempt number @p n be followed by another one? */
static bool one_more(struct gx_dir *d, unsigned n, int64_t deadline)
{
	pthread_mutex_lock(&d->pool.lock);
	bool down = d->pool.down;
	pthread_mutex_unlock(&d->pool.lock);
	return !down && n < PAUSES && now_ms() + pauses_ms[n] < deadline;
}

/* Notes whether the server can be reached. @return what was noted before. */
static bool note_down(struct gx_dir *d, bool down)
{
	pthread_mutex_lock(&d->pool.lock);
	bool before = d->pool.down;
	d->pool.down = down;
	pthread_mutex_unlock(&d->pool.lock);
	if (before && !down)
		gx_log(d->log, GX_LOG_NOTICE, "%s: is there again", d->name);
	return before;
}

static int attempts(struct gx_dir *d, bool write, gx_dir_work *work, void *ctx)
{
	int64_t deadline = now_ms() + (int64_t)d->o.wait_seconds * 1000;
	struct gx_dirwhy why;
	bool reached;
	int err;
	for (unsigned n = 0;; ++n) {
		why = (struct gx_dirwhy){.again = false};
		err = once(d, write, deadline, work, ctx, &why, &reached);
		if (err >= 0 || !why.again || !one_more(d, n, deadline))
			break;
		if (n == 0)
			gx_log(d->log, GX_LOG_NOTICE, "%s: %s; trying again", d->name, why.text);
		struct timespec ts = at_ms(pauses_ms[n]);
		nanosleep(&ts, NULL);
	}
	/* An outage is told once, not by each of those who suffer from it. */
	bool known = (reached || why.again) && note_down(d, !reached) && !reached;
	if (err < 0 && why.text[0] != '\0')
		gx_log(d->log, known ? GX_LOG_DEBUG : GX_LOG_ERROR, "%s: %s", d->name, why.text);
	return err;
}

int gx_dir__read(struct gx_dir *d, gx_dir_work *work, void *ctx)
{
	return attempts(d, false, work, ctx);
}

int gx_dir__write(struct gx_dir *d, gx_dir_work *work, void *ctx)
{
	int err = attempts(d, true, work, ctx);
	gx_dir__cache_clear(d);
	return err;
}

int gx_dir__peek(struct gx_dir *d, gx_dir_work *work, void *ctx)
{
	struct gx_dirwhy why = {.again = false};
	bool reached;
	pthread_mutex_lock(&d->pool.lock);
	bool down = d->pool.down;
	pthread_mutex_unlock(&d->pool.lock);
	if (down)
		return GX_E_BUSY;
	return once(d, false, now_ms() + d->back->look_ms, work, ctx, &why, &reached);
}
