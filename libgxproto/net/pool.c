/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers: threads that may block. They start when a job finds none idle, and end after a while without work. Urgent
 * jobs are those for which others may be waiting: they go first, and get a thread of their own when all are busy.
 */
#include <config.h>
#include <errno.h>
#include <signal.h>
#include <time.h>
#include "libgxproto/net/net-int.h"

#define IDLE_SECONDS 10

int gx_net__thread(pthread_t *ret_t, bool detached, void *(*fn)(void *), void *ctx)
{
	pthread_attr_t attr;
	sigset_t all, old;
	if (pthread_attr_init(&attr) != 0)
		return GX_E_NOMEM;
	pthread_attr_setdetachstate(&attr, detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int ret = pthread_create(ret_t, &attr, fn, ctx);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ret == 0 ? 0 : GX_E_LIMIT;
}

int gx_pool__init(struct gx_pool *p, unsigned max_threads, unsigned max_queue)
{
	pthread_condattr_t attr;
	*p = (struct gx_pool){.max_threads = max_threads, .max_queue = max_queue};
	p->tail = &p->first;
	p->urgent_tail = &p->urgent;
	if (pthread_mutex_init(&p->lock, NULL) != 0)
		return GX_E_NOMEM;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int ret = pthread_cond_init(&p->work, &attr) != 0 || pthread_cond_init(&p->idle, NULL) != 0 ? GX_E_NOMEM : 0;
	pthread_condattr_destroy(&attr);
	return ret;
}

void gx_pool__release(struct gx_pool *p)
{
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->idle);
	pthread_mutex_destroy(&p->lock);
}

/* With the lock held. */
static bool has_job(const struct gx_pool *p)
{
	return p->urgent != NULL || (p->first != NULL && p->ordinary < p->max_threads);
}

/* With the lock held. @return false when the thread should end. */
static bool wait_for_job(struct gx_pool *p)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	++p->waiting;
	int ret = 0;
	while (!has_job(p) && !p->stopping && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&p->work, &p->lock, &until);
	--p->waiting;
	return has_job(p);
}

static struct gx_job *take(struct gx_job **first, struct gx_job ***tail)
{
	struct gx_job *job = *first;
	*first = job->next;
	if (*first == NULL)
		*tail = first;
	return job;
}

static void *worker(void *ctx)
{
	struct gx_pool *p = ctx;
	pthread_mutex_lock(&p->lock);
	while (has_job(p) || wait_for_job(p)) {
		bool urgent = p->urgent != NULL;
		struct gx_job *job = urgent ? take(&p->urgent, &p->urgent_tail) : take(&p->first, &p->tail);
		--p->queued;
		p->ordinary += !urgent;
		++p->busy;
		pthread_mutex_unlock(&p->lock);
		job->fn(job->ctx);
		pthread_mutex_lock(&p->lock);
		--p->busy;
		p->ordinary -= !urgent;
	}
	--p->threads;
	if (p->threads == 0)
		pthread_cond_broadcast(&p->idle);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With the lock held. A pool without any thread at all could not run the job. */
static int start_thread(struct gx_pool *p)
{
	pthread_t t;
	++p->threads;
	int ret = gx_net__thread(&t, true, worker, p);
	if (ret != 0)
		--p->threads;
	return p->threads > 0 ? 0 : ret;
}

int gx_pool__push(struct gx_pool *p, struct gx_job *job, int how)
{
	int ret = 0;
	bool urgent = (how & GX_POOL_URGENT) != 0;
	unsigned most = p->max_threads + (urgent ? p->max_threads : 0);
	pthread_mutex_lock(&p->lock);
	if (p->stopping)
		ret = GX_E_STATE;
	else if (p->queued >= p->max_queue && how == 0)
		ret = GX_E_LIMIT;
	else if (p->queued >= p->waiting && p->threads < most)
		ret = start_thread(p);
	if (ret == 0) {
		job->next = NULL;
		struct gx_job ***tail = urgent ? &p->urgent_tail : &p->tail;
		**tail = job;
		*tail = &job->next;
		++p->queued;
		if (p->waiting > 0)
			pthread_cond_signal(&p->work);
	}
	pthread_mutex_unlock(&p->lock);
	return ret;
}

bool gx_pool__others_wait(struct gx_pool *p)
{
	pthread_mutex_lock(&p->lock);
	bool wait = p->queued > p->waiting;
	pthread_mutex_unlock(&p->lock);
	return wait;
}

void gx_pool__stop(struct gx_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->work);
	while (p->threads > 0)
		pthread_cond_wait(&p->idle, &p->lock);
	pthread_mutex_unlock(&p->lock);
}
