/* SPDX-License-Identifier: Apache-2.0 */
/* Flushes the stores now and then, and gives the journal's records back behind that. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "pipeline-int.h"

enum { FLUSH_AFTER_MS = 5000, LOOK_MS = 250, RETRY_MS = 2000 };
#define FLUSH_BYTES (UINT64_C(32) << 20)
/** A store remembers more deliveries than this, so that none of those delivered again is new to it. */
#define FLUSH_JOBS 4000

bool gx_delivery__flush_due(const struct gx_delivery *d)
{
	return d->unsynced_bytes > FLUSH_BYTES || d->unsynced_jobs > FLUSH_JOBS;
}

static void wait_ms(struct gx_delivery *d, int ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	pthread_cond_timedwait(&d->flush, &d->mu, &t);
}

static bool due(struct gx_delivery *d)
{
	if (d->stop_flusher || gx_delivery__flush_due(d) ||
	    gx_clock_mono_ms(d->clock) - d->unsynced_since >= FLUSH_AFTER_MS)
		return true;
	pthread_mutex_unlock(&d->mu);
	bool pressed = gx_journal__pressed(d->j);
	pthread_mutex_lock(&d->mu);
	return pressed;
}

struct answer {
	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool there;
	int err;
};

static void on_answer(int err, void *ctx)
{
	struct answer *w = ctx;
	pthread_mutex_lock(&w->mu);
	w->err = err;
	w->there = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mu);
}

/** What still waits for a mailbox becomes a new record, so that the old one frees its segment. */
static int write_anew(struct gx_delivery *d, struct gx_mailjob *job)
{
	struct gx_bin data;
	struct answer w = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	struct gx_envelope env = job->env;
	env.rcpts = job->again;
	env.rcpt_count = job->again_n;
	int ret = gx_journal__load_data(job->rec, a, &data);
	if (ret == 0)
		ret = gx_journal__resubmit(d->j, job->rec->id, &env, data, on_answer, &w);
	if (ret == 0) {
		pthread_mutex_lock(&w.mu);
		while (!w.there)
			pthread_cond_wait(&w.cond, &w.mu);
		ret = w.err;
		pthread_mutex_unlock(&w.mu);
	}
	gx_arena_free(a);
	return ret;
}

/** The old record goes on for those who wait. */
static void start_over(struct gx_delivery *d, struct gx_mailjob *job)
{
	job->env.rcpts = job->again;
	job->env.rcpt_count = job->again_n;
	job->again = NULL;
	job->again_n = 0;
	pthread_mutex_lock(&d->mu);
	d->inflight++;
	gx_delivery__park(d, job);
	pthread_cond_signal(&d->work);
	pthread_mutex_unlock(&d->mu);
}

/* ---- Stores that cannot be told to flush ---- */

struct failed {
	char **dir;               /* sorted */
	size_t n, cap;
	bool all;                 /* no memory for the list */
};

static void note_failed(const char *dir, int err, void *ctx)
{
	struct failed *f = ctx;
	if (err == GX_E_STATE || f->all)
		return;
	if (f->n == f->cap) {
		size_t cap = f->cap == 0 ? 64 : 2 * f->cap;
		char **v = realloc(f->dir, cap * sizeof(*v));
		f->all = v == NULL;
		if (v == NULL)
			return;
		f->dir = v;
		f->cap = cap;
	}
	f->dir[f->n] = strdup(dir);
	f->all = f->dir[f->n] == NULL;
	f->n += !f->all;
}

static void failed_release(struct failed *f)
{
	while (f->n > 0)
		free(f->dir[--f->n]);
	free(f->dir);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_failed(const struct failed *f, const char *dir)
{
	return f->all || (f->n > 0 && bsearch(&dir, f->dir, f->n, sizeof(*f->dir), compare) != NULL);
}

/** Counts it for the servers that have not flushed it. Lock held. @return whether there is one. */
static bool keeps(struct gx_delivery *d, struct gx_mailjob *job, const struct failed *f)
{
	bool any = false;
	for (size_t i = 0; i < job->to.n; ++i) {
		struct gx_target *t = &job->to.v[i];
		bool kept = f != NULL && has_failed(f, t->maildir);
		any = any || kept;
		if (kept != t->kept)
			gx_hold__keep(d, t->server, job->share, kept);
		t->kept = kept;
	}
	return any;
}

/**
 * A machine with stores failed before it had flushed them: what was begun before that goes the whole way again. Stores
 * know what they have already. @return the others.
 */
static struct gx_mailjob *deliver_again(struct gx_delivery *d, struct gx_mailjob *list)
{
	struct gx_mailjob *rest = NULL, **tail = &rest;
	pthread_mutex_lock(&d->mu);
	while (list != NULL) {
		struct gx_mailjob *job = list;
		list = job->next;
		if (job->losses == d->losses) {
			*tail = job;
			tail = &job->next;
			continue;
		}
		(void)keeps(d, job, NULL);
		job->again = NULL;
		job->again_n = 0;
		d->inflight++;
		gx_delivery__park(d, job);
		pthread_cond_signal(&d->work);
	}
	*tail = NULL;
	pthread_mutex_unlock(&d->mu);
	return rest;
}

void gx_delivery_stores_failed(struct gx_delivery *d)
{
	gx_log(d->log, GX_LOG_WARN, "delivery: a machine that has stores was started anew before it had flushed them; "
		"messages that it may have lost are delivered again");
	pthread_mutex_lock(&d->mu);
	d->losses++;
	pthread_mutex_unlock(&d->mu);
}

/* Whoever comes next finds what was told counted. */
static int sync_each(struct gx_delivery *d, void (*failed)(const char *dir, int err, void *ctx), void *ctx)
{
	pthread_mutex_lock(&d->sync);
	int ret = gx_store_pool_sync_each(d->pool, failed, ctx);
	if (ret == GX_E_STATE)
		gx_delivery_stores_failed(d);
	pthread_mutex_unlock(&d->sync);
	return ret;
}

int gx_delivery_sync_stores(struct gx_delivery *d)
{
	int ret = sync_each(d, NULL, NULL);
	return ret == GX_E_STATE ? 0 : ret;
}

static void release(struct gx_delivery *d, struct gx_mailjob *list)
{
	while (list != NULL) {
		struct gx_mailjob *job = list;
		list = job->next;
		if (job->again_n > 0 && write_anew(d, job) != 0) {
			start_over(d, job);
			continue;
		}
		gx_journal__release(d->j, job->rec);
		gx_mailjob__free(job);
	}
}

/** One server that is away does not keep the records of others. Lock held. @return what is safe. */
static struct gx_mailjob *set_aside(struct gx_delivery *d, struct gx_mailjob *list, const struct failed *f)
{
	struct gx_mailjob *rest = NULL, **tail = &rest;
	while (list != NULL) {
		struct gx_mailjob *job = list;
		list = job->next;
		if (keeps(d, job, f)) {
			gx_mailjobs__add(&d->kept, job);
			continue;
		}
		*tail = job;
		tail = &job->next;
	}
	*tail = NULL;
	return rest;
}

/** All that is not released yet. Lock held. */
static struct gx_mailjob *take_all(struct gx_delivery *d)
{
	struct gx_mailjobs l = d->kept;
	d->kept = (struct gx_mailjobs){NULL, NULL};
	if (l.head == NULL)
		l = d->unsynced;
	else
		*l.tail = d->unsynced.head;
	d->unsynced = (struct gx_mailjobs){NULL, NULL};
	d->unsynced_bytes = 0;
	d->unsynced_jobs = 0;
	return l.head;
}

/** Lock held, given up meanwhile. */
static void flush(struct gx_delivery *d)
{
	struct failed f = {NULL, 0, 0, false};
	bool before = d->kept.head != NULL;
	struct gx_mailjob *list = take_all(d);
	pthread_mutex_unlock(&d->mu);
	int ret = sync_each(d, note_failed, &f);
	if (f.n > 1)
		qsort(f.dir, f.n, sizeof(*f.dir), compare);
	list = deliver_again(d, list);
	pthread_mutex_lock(&d->mu);
	list = set_aside(d, list, &f);
	bool news = d->kept.head != NULL && !before;
	pthread_mutex_unlock(&d->mu);
	failed_release(&f);
	if (news)
		gx_log(d->log, GX_LOG_ERROR, "delivery: stores cannot be flushed: %s; their messages stay in the journal, trying again",
			gx_strerror(ret));
	release(d, list);
	pthread_mutex_lock(&d->mu);
}

void *gx_delivery__flusher(void *arg)
{
	struct gx_delivery *d = arg;
	pthread_mutex_lock(&d->mu);
	for (;;) {
		if (d->unsynced.head == NULL) {
			if (d->stop_flusher)
				break;
			if (d->kept.head == NULL)
				pthread_cond_wait(&d->flush, &d->mu);
			else
				wait_ms(d, RETRY_MS);
			if (d->kept.head != NULL && !d->stop_flusher)
				flush(d);
		} else if (!due(d)) {
			wait_ms(d, LOOK_MS);
		} else {
			flush(d);
		}
	}
	pthread_mutex_unlock(&d->mu);
	return NULL;
}
