/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <event2/thread.h>
#include "libgxproto/net/net-int.h"

enum { MAX_LOOPS = 4, DEFAULT_WORKERS = 8, DEFAULT_QUEUE = 10000 };

int64_t gx_net__now_ms(const struct gx_net *n)
{
	return gx_clock_mono_ms(n->clock);
}

/* libevent wants to be told once a process that there are threads. */
static void init_libevent(void)
{
	evthread_use_pthreads();
}

static struct event_base *new_base(void)
{
	struct event_config *cfg = event_config_new();
	if (cfg == NULL)
		return NULL;
	event_config_require_features(cfg, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
	struct event_base *b = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return b;
}

static unsigned default_loops(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > MAX_LOOPS ? MAX_LOOPS : (unsigned)n;
}

int gx_net_new(const struct gx_net_opts *o, struct gx_net **ret_net)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (o == NULL || o->size < sizeof(*o))
		return GX_E_INVAL;
	pthread_once(&once, init_libevent);
	struct gx_net *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return GX_E_NOMEM;
	n->log = o->log;
	n->clock = o->clock != NULL ? o->clock : gx_clock_system();
	n->nloops = o->loops != 0 ? o->loops : default_loops();
	n->loops = calloc(n->nloops, sizeof(*n->loops));
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->gone, NULL);
	int ret = gx_pool__init(&n->pool, o->workers != 0 ? o->workers : DEFAULT_WORKERS, o->max_queue != 0 ? o->max_queue : DEFAULT_QUEUE);
	if (n->loops == NULL)
		ret = GX_E_NOMEM;
	for (unsigned i = 0; ret == 0 && i < n->nloops; ++i) {
		n->loops[i].base = new_base();
		ret = n->loops[i].base == NULL ? GX_E_UNSUP : gx_late__init(&n->loops[i]);
	}
	if (ret != 0)
		gx_net_free(n);
	else
		*ret_net = n;
	return ret;
}

static void *loop_main(void *ctx)
{
	struct gx_loop *l = ctx;
	event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static void set_timer(struct gx_timer *t)
{
	struct timeval tv = {.tv_sec = t->ms / 1000, .tv_usec = t->ms % 1000 * 1000};
	event_add(t->ev, &tv);
}

int gx_net_start(struct gx_net *n)
{
	pthread_mutex_lock(&n->lock);
	int ret = n->started || n->stopping ? GX_E_STATE : 0;
	n->started = true;
	struct gx_listener *l = n->listeners;
	struct gx_timer *t = n->timers;
	pthread_mutex_unlock(&n->lock);
	if (ret != 0)
		return ret;
	for (; l != NULL; l = l->next)
		if (l->ev != NULL)
			event_add(l->ev, NULL);
	for (; t != NULL; t = t->next)
		set_timer(t);
	for (unsigned i = 0; ret == 0 && i < n->nloops; ++i) {
		ret = gx_net__thread(&n->loops[i].thread, false, loop_main, &n->loops[i]);
		n->loops[i].running = ret == 0;
	}
	return ret;
}

/* ---- Timers and jobs ---- */

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct gx_timer *t = ctx;
	bool more = t->fn(t->ctx);
	pthread_mutex_lock(&t->net->lock);
	if (more && !t->net->stopping)
		set_timer(t);
	if (!more) {
		t->sleeping = true;
		atomic_store(&t->net->timers_sleep, true);
	}
	pthread_mutex_unlock(&t->net->lock);
}

void gx_net__wake_timers(struct gx_net *n)
{
	pthread_mutex_lock(&n->lock);
	atomic_store(&n->timers_sleep, false);
	for (struct gx_timer *t = n->timers; t != NULL; t = t->next) {
		if (t->sleeping)
			set_timer(t);
		t->sleeping = false;
	}
	pthread_mutex_unlock(&n->lock);
}

int gx_net_timer(struct gx_net *n, uint32_t ms, bool (*fn)(void *ctx), void *ctx)
{
	if (n == NULL || fn == NULL || ms == 0)
		return GX_E_INVAL;
	struct gx_timer *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return GX_E_NOMEM;
	*t = (struct gx_timer){.net = n, .ms = ms, .fn = fn, .ctx = ctx};
	t->ev = event_new(n->loops[0].base, -1, 0, on_timer, t);
	if (t->ev == NULL) {
		free(t);
		return GX_E_NOMEM;
	}
	pthread_mutex_lock(&n->lock);
	t->next = n->timers;
	n->timers = t;
	if (n->started && !n->stopping)
		set_timer(t);
	pthread_mutex_unlock(&n->lock);
	return 0;
}

struct once_job {
	struct gx_job job;
	void (*fn)(void *ctx);
	void *ctx;
};

static void run_once(void *ctx)
{
	struct once_job *j = ctx;
	j->fn(j->ctx);
	free(j);
}

int gx_net_run(struct gx_net *n, void (*fn)(void *ctx), void *ctx)
{
	struct once_job *j = calloc(1, sizeof(*j));
	if (j == NULL)
		return GX_E_NOMEM;
	*j = (struct once_job){.job = {.fn = run_once, .ctx = j}, .fn = fn, .ctx = ctx};
	int ret = gx_pool__push(&n->pool, &j->job, 0);
	if (ret != 0)
		free(j);
	return ret;
}

/* ---- The end ---- */

static void post_all(struct gx_net *n, uint32_t bits)
{
	for (struct gx_conn *c = n->conns; c != NULL; c = c->next)
		gx_conn__post(c, bits);
}

static void end_connections(struct gx_net *n, uint32_t ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		++until.tv_sec;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&n->lock);
	post_all(n, CONN_SHUTDOWN);
	int ret = 0;
	while (n->nconns > 0 && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&n->gone, &n->lock, &until);
	if (n->nconns > 0)
		gx_log(n->log, GX_LOG_NOTICE, "closing %u connections that did not end in time", n->nconns);
	post_all(n, CONN_KILL);
	while (n->nconns > 0)
		pthread_cond_wait(&n->gone, &n->lock);
	pthread_mutex_unlock(&n->lock);
}

void gx_net_stop(struct gx_net *n, uint32_t ms)
{
	pthread_mutex_lock(&n->lock);
	bool stopped = n->stopped;
	n->stopping = n->stopped = true;
	struct gx_listener *listeners = n->listeners;
	struct gx_timer *timers = n->timers;
	n->timers = NULL;
	pthread_mutex_unlock(&n->lock);
	if (stopped)
		return;
	for (struct gx_listener *l = listeners; l != NULL; l = l->next)
		gx_listener__close(l);
	while (timers != NULL) {
		struct gx_timer *t = timers;
		timers = t->next;
		event_free(t->ev);
		free(t);
	}
	if (n->started)
		end_connections(n, ms);
	gx_pool__stop(&n->pool);
	for (unsigned i = 0; i < n->nloops; ++i) {
		if (!n->loops[i].running)
			continue;
		/* Not loopbreak: a loop that has not begun yet would forget it. */
		event_base_loopexit(n->loops[i].base, NULL);
		pthread_join(n->loops[i].thread, NULL);
		n->loops[i].running = false;
	}
}

void gx_net_free(struct gx_net *n)
{
	if (n == NULL)
		return;
	gx_net_stop(n, 0);
	while (n->listeners != NULL) {
		struct gx_listener *l = n->listeners;
		n->listeners = l->next;
		gx_listener__free(l);
	}
	for (unsigned i = 0; n->loops != NULL && i < n->nloops; ++i) {
		gx_late__release(&n->loops[i]);
		if (n->loops[i].base != NULL)
			event_base_free(n->loops[i].base);
	}
	free(n->loops);
	gx_pool__release(&n->pool);
	pthread_cond_destroy(&n->gone);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

void gx_net_stats(struct gx_net *n, struct gx_net_stats *ret_s)
{
	*ret_s = (struct gx_net_stats){.accepted = atomic_load(&n->accepted), .refused = atomic_load(&n->refused)};
	pthread_mutex_lock(&n->lock);
	ret_s->conns = n->nconns;
	pthread_mutex_unlock(&n->lock);
	pthread_mutex_lock(&n->pool.lock);
	ret_s->workers = n->pool.threads;
	ret_s->workers_busy = n->pool.busy;
	ret_s->queued = n->pool.queued;
	pthread_mutex_unlock(&n->pool.lock);
}
