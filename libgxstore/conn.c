/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <gx/storeset.h>
#include "libgxstore/store-int.h"

/* The one writer's slot and the few readers. */

struct gx_waiter {
	pthread_cond_t cond;
	bool granted;
	struct gx_waiter *next;
};

int gx_conn__open(struct gx_store *s, bool writer, struct gx_conn **ret_c, char *why, size_t size)
{
	struct gx_conn *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		snprintf(why, size, "%s: out of memory", s->dir);
		return GX_E_NOMEM;
	}
	struct gx_sql_open o = {.file = s->file, .dir = s->dir, .vfs = s->fs->vfs, .log = s->log, .writer = writer, .cache_kib = s->cache_kib,
		.trace = s->o.log_sql};
	if (s->uri != NULL) {
		o.foreign = true;
		o.file = s->uri;
		o.name = s->file;
	}
	int err = gx_sql__open(&o, &c->q, why, size);
	if (err == 0 && (err = gx_cio__new(s->fs, s->dir, &c->cio)) != 0)
		snprintf(why, size, "%s: %s", s->dir, gx_strerror(err));
	if (err != 0) {
		gx_conn__close(c);
		return err;
	}
	*ret_c = c;
	return 0;
}

void gx_conn__close(struct gx_conn *c)
{
	if (c == NULL)
		return;
	gx_cio__free(c->cio);
	gx_sql__close(c->q);
	free(c);
}

void gx_conn__deadline(int ms, struct timespec *ts)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	if (ms < 0)
		ms = 0;
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += (long)(ms % 1000) * 1000000L;
	if (ts->tv_nsec >= 1000000000L) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000L;
	}
}

static void leave_queue(struct gx_store *s, struct gx_waiter *w)
{
	struct gx_waiter **at = &s->wait_head;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (s->wait_tail == &w->next)
		s->wait_tail = at;
}

/* In the queue until granted or out of time. Holds s->lock. */
static int wait_turn(struct gx_store *s, int deadline_ms)
{
	struct gx_waiter w = {.granted = false};
	struct timespec until;
	pthread_condattr_t attr;
	gx_conn__deadline(deadline_ms, &until);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w.cond, &attr);
	pthread_condattr_destroy(&attr);
	*s->wait_tail = &w;
	s->wait_tail = &w.next;
	while (!w.granted)
		if (pthread_cond_timedwait(&w.cond, &s->lock, &until) == ETIMEDOUT)
			break;
	if (!w.granted)
		leave_queue(s, &w);
	pthread_cond_destroy(&w.cond);
	return w.granted ? 0 : GX_E_TIMEOUT;
}

int gx_conn__take_writer(struct gx_store *s, int deadline_ms)
{
	int err = 0;
	if (s->writer == NULL)
		return GX_E_STATE;
	pthread_mutex_lock(&s->lock);
	if (s->writer_busy)
		err = wait_turn(s, deadline_ms);
	if (err == 0) {
		s->writer_busy = true;
		s->running++;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

void gx_conn__give_writer(struct gx_store *s)
{
	pthread_mutex_lock(&s->lock);
	struct gx_waiter *w = s->wait_head;
	if (w != NULL) { /* the slot stays busy and changes hands */
		leave_queue(s, w);
		w->granted = true;
		pthread_cond_signal(&w->cond);
	} else {
		s->writer_busy = false;
	}
	s->running--;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

/* Holds s->lock. */
static int wait_reader(struct gx_store *s, int deadline_ms)
{
	struct timespec until;
	gx_conn__deadline(deadline_ms, &until);
	while (s->veiled || (s->idle == NULL && s->readers >= s->max_readers))
		if (pthread_cond_timedwait(&s->cond, &s->lock, &until) == ETIMEDOUT)
			return s->veiled || (s->idle == NULL && s->readers >= s->max_readers) ? GX_E_TIMEOUT : 0;
	return 0;
}

int gx_conn__take_reader(struct gx_store *s, int deadline_ms, struct gx_conn **ret_c, char *why, size_t size)
{
	pthread_mutex_lock(&s->lock);
	int err = wait_reader(s, deadline_ms);
	if (err != 0) {
		pthread_mutex_unlock(&s->lock);
		snprintf(why, size, "%s: no reader connection became free, of %u", s->dir, s->max_readers);
		return err;
	}
	struct gx_conn *c = s->idle;
	s->running++;
	if (c != NULL) {
		s->idle = c->next;
		pthread_mutex_unlock(&s->lock);
		*ret_c = c;
		return 0;
	}
	s->readers++;
	pthread_mutex_unlock(&s->lock);
	err = gx_conn__open(s, false, ret_c, why, size);
	if (err != 0) {
		pthread_mutex_lock(&s->lock);
		s->readers--;
		s->running--;
		pthread_cond_broadcast(&s->cond);
		pthread_mutex_unlock(&s->lock);
	}
	return err;
}

void gx_conn__give_reader(struct gx_store *s, struct gx_conn *c)
{
	pthread_mutex_lock(&s->lock);
	c->next = s->idle;
	s->idle = c;
	s->running--;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

int gx_conn__admit(struct gx_store *s, int deadline_ms)
{
	struct timespec until;
	int err = 0;
	pthread_mutex_lock(&s->lock);
	gx_conn__deadline(deadline_ms, &until);
	while (err == 0 && s->maintenance == GX_MAINT_HOLD)
		if (pthread_cond_timedwait(&s->cond, &s->lock, &until) == ETIMEDOUT)
			err = s->maintenance == GX_MAINT_HOLD ? GX_E_TIMEOUT : 0;
	if (err == 0 && s->maintenance == GX_MAINT_REJECT)
		err = GX_E_BUSY;
	pthread_mutex_unlock(&s->lock);
	return err;
}

int gx_conn__quiesce(struct gx_store *s, int deadline_ms)
{
	struct timespec until;
	int err = 0;
	pthread_mutex_lock(&s->lock);
	gx_conn__deadline(deadline_ms, &until);
	while (err == 0 && s->running > 0)
		if (pthread_cond_timedwait(&s->cond, &s->lock, &until) == ETIMEDOUT)
			err = s->running > 0 ? GX_E_TIMEOUT : 0;
	pthread_mutex_unlock(&s->lock);
	return err;
}

void gx_conn__wait_idle(struct gx_store *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->running > 0)
		pthread_cond_wait(&s->cond, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* Called with the flush's lock held. */
void gx_conn__veil(struct gx_store *s, bool on)
{
	pthread_mutex_lock(&s->lock);
	s->veiled = on;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

void gx_conn__unveiled(struct gx_store *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->veiled)
		pthread_cond_wait(&s->cond, &s->lock);
	pthread_mutex_unlock(&s->lock);
}
