/* SPDX-License-Identifier: Apache-2.0 */
/* The delivery's workers, its beginning and its end. */
#include <config.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "pipeline-int.h"

enum { DEFAULT_THREADS = 5, MAX_THREADS = 256 };
/** Jobs under work. */
enum { MAX_INFLIGHT = 512 };
#define DEFAULT_HOLD_BYTES (UINT64_C(1) << 30)
enum { DEFAULT_HOLD_MESSAGES = 10000 };
#define BATCH_BYTES (UINT64_C(4) << 20)
/** After that long a message is put aside. */
#define GIVE_UP_SECONDS (5 * 86400)

struct batch {
	struct gx_mailbox *m;
	struct gx_drop *v[GX_DELIVERY_BATCH];
	size_t n;
	uint32_t server;
	bool down;                    /* it cannot be reached */
	char why[512];
};

/** Lock held. */
static void take_batch(struct gx_delivery *d, struct batch *b)
{
	uint64_t bytes = 0;
	b->m = d->run;
	d->run = b->m->qnext;
	b->n = 0;
	while (b->m->head != NULL && b->n < GX_DELIVERY_BATCH) {
		struct gx_drop *x = b->m->head;
		bytes += x->job->rec->data_len;
		if (b->n > 0 && bytes > BATCH_BYTES)
			break;
		b->v[b->n++] = x;
		b->m->head = x->next;
		b->m->count--;
		if (b->m->head == NULL)
			b->m->tail = &b->m->head;
	}
}

static bool too_old(const struct gx_delivery *d, const struct gx_drop *x)
{
	return gx_clock_unix(d->clock) - x->job->env.received_unix > GIVE_UP_SECONDS;
}

static void log_result(const struct gx_delivery *d, const struct gx_drop *x)
{
	const char *why = x->why != NULL ? x->why : gx_strerror(x->err);
	if (x->err == 0)
		gx_log(d->log, GX_LOG_INFO, "delivery: from=<%s> to=<%s> size=%llu delivered", x->job->env.from, x->to->user,
			(unsigned long long)x->job->rec->data_len);
	else if (!x->final)
		gx_log(d->log, GX_LOG_WARN, "delivery: from=<%s> to=<%s> waits: %s", x->job->env.from, x->to->user, why);
}

/** What will never succeed is put aside; if that fails it is tried again. */
static void settle(struct gx_delivery *d, struct gx_drop *x)
{
	if (x->err != 0 && (x->final || too_old(d, x))) {
		const char *why = x->why != NULL ? x->why : gx_strerror(x->err);
		if (gx_delivery__keep_failed(d, x->job, x->to->user, why) == 0)
			x->err = 0;
		else
			x->final = false;
	} else {
		log_result(d, x);
	}
	free(x->why);
	x->why = NULL;
}

/** After some tries in vain: is it to become another record? Takes no lock. */
static void consider_moving(struct gx_delivery *d, const struct gx_mailbox *m, struct gx_drop *x)
{
	enum { TRIES_BEFORE = 6 };
	x->moves = x->err != 0 && m->tries >= TRIES_BEFORE && gx_journal__pins(d->j, x->job->rec);
}

/** Lock held. @return false when there is no memory for it. */
static bool move(struct gx_drop *x)
{
	struct gx_mailjob *job = x->job;
	if (job->again == NULL)
		job->again = gx_arena_calloc(job->a, job->to.n, sizeof(*job->again));
	if (job->again == NULL)
		return false;
	job->again[job->again_n++] = x->to->user;
	x->err = 0;
	return true;
}

/** Lock held. */
static void park(struct gx_delivery *d, struct gx_mailbox *m)
{
	m->retry_at = gx_clock_mono_ms(d->clock) + gx_delivery__backoff_ms(m->tries++);
	m->parked = true;
	d->stuck += m->count;
	m->qnext = d->parked;
	d->parked = m;
}

/** Lock held. */
static void finish_batch(struct gx_delivery *d, struct batch *b)
{
	struct gx_mailbox *m = b->m;
	bool again = false;
	for (size_t i = b->n; i-- > 0; ) {
		struct gx_drop *x = b->v[i];
		again = again || x->err != 0;
		if (x->err == 0 || (x->moves && move(x))) {
			gx_hold__remove(d, m, x->job->share);
			continue;
		}
		x->next = m->head;
		m->head = x;
		m->count++;
		if (x->next == NULL)
			m->tail = &x->next;
	}
	for (size_t i = 0; i < b->n; ++i)
		if (b->v[i]->err == 0 && --b->v[i]->job->left == 0)
			gx_delivery__job_done(d, b->v[i]->job);
	if (again) {
		gx_hold__failed(d, m, b->server, b->down, b->why);
		park(d, m);
		return;
	}
	gx_hold__went_well(d, m);
	m->tries = 0;
	m->queued = false;
	gx_mailbox__run(d, m);
	gx_mailbox__drop_if_idle(d, m);
}

/** Called with the lock held, gives it up meanwhile. */
static void run_mailbox(struct gx_delivery *d, struct gx_arena *scratch)
{
	struct batch b;
	struct gx_drop *order[GX_DELIVERY_BATCH];
	take_batch(d, &b);
	memcpy(order, b.v, b.n * sizeof(order[0]));
	pthread_mutex_unlock(&d->mu);
	b.server = b.v[0]->to->server;
	b.down = !gx_delivery__insert(d, b.m->dir, order, b.n, scratch);
	b.why[0] = '\0';
	for (size_t i = 0; i < b.n; ++i) {
		if (b.v[i]->err != 0 && !b.v[i]->final && b.v[i]->why != NULL)
			snprintf(b.why, sizeof(b.why), "%s", b.v[i]->why);
		settle(d, b.v[i]);
		consider_moving(d, b.m, b.v[i]);
	}
	gx_arena_reset(scratch);
	pthread_mutex_lock(&d->mu);
	finish_batch(d, &b);
}

/** Mailboxes whose time has come. @return ms until the next one's, -1 none. Lock held. */
static int64_t unpark(struct gx_delivery *d)
{
	int64_t next = -1, now = 0;
	if (d->parked != NULL || d->parked_jobs.head != NULL)
		now = gx_clock_mono_ms(d->clock);
	if (d->holders != NULL)
		next = gx_hold__probe(d, now);
	for (struct gx_mailbox **p = &d->parked; *p != NULL; ) {
		struct gx_mailbox *m = *p;
		if (m->retry_at > now) {
			if (next < 0 || m->retry_at - now < next)
				next = m->retry_at - now;
			p = &m->qnext;
			continue;
		}
		*p = m->qnext;
		m->queued = m->parked = false;
		d->stuck -= m->count;
		gx_mailbox__run(d, m);
		gx_mailbox__drop_if_idle(d, m);
	}
	for (const struct gx_mailjob *job = d->parked_jobs.head; job != NULL; job = job->next)
		if (next < 0 || job->retry_at - now < next)
			next = job->retry_at > now ? job->retry_at - now : 0;
	return next;
}

static void *worker(void *arg);

/** Somebody for what still waits; lock held. */
static void call_help(struct gx_delivery *d)
{
	if (d->run == NULL || d->stop)
		return;
	if (d->idle > 0) {
		pthread_cond_signal(&d->work);
		return;
	}
	if (d->threads < d->max_threads && pthread_create(&d->workers[d->threads], NULL, worker, d) == 0)
		d->threads++;
}

static void wait_for_work(struct gx_delivery *d, int64_t ms)
{
	struct timespec t;
	d->idle++;
	if (ms < 0) {
		pthread_cond_wait(&d->work, &d->mu);
	} else {
		clock_gettime(CLOCK_MONOTONIC, &t);
		t.tv_sec += (time_t)(ms / 1000);
		t.tv_nsec += (long)(ms % 1000 + 1) * 1000000L;
		t.tv_sec += t.tv_nsec / 1000000000L;
		t.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&d->work, &d->mu, &t);
	}
	d->idle--;
}

static bool has_room(const struct gx_delivery *d)
{
	return d->inflight < MAX_INFLIGHT + (d->stuck < GX_MAX_STUCK ? d->stuck : GX_MAX_STUCK);
}

static void work_loop(struct gx_delivery *d, struct gx_arena *scratch)
{
	while (!d->stop) {
		int64_t next = unpark(d);
		if (!d->dispatching && has_room(d)) {
			d->dispatching = true;
			bool got = gx_delivery__dispatch(d);
			d->dispatching = false;
			if (got || d->more)
				continue;
		}
		if (d->run == NULL) {
			wait_for_work(d, next);
			continue;
		}
		struct gx_mailbox *rest = d->run->qnext;
		if (rest != NULL || d->more)
			call_help(d);
		run_mailbox(d, scratch);
	}
}

static void *worker(void *arg)
{
	struct gx_delivery *d = arg;
	struct gx_arena *scratch = gx_arena_new(0);
	pthread_mutex_lock(&d->mu);
	if (scratch != NULL)
		work_loop(d, scratch);
	pthread_mutex_unlock(&d->mu);
	gx_arena_free(scratch);
	return NULL;
}

/** On the journal's thread. */
static void on_ready(void *ctx)
{
	struct gx_delivery *d = ctx;
	pthread_mutex_lock(&d->mu);
	d->more = true;
	bool wake = d->idle > 0;
	pthread_mutex_unlock(&d->mu);
	if (wake)
		pthread_cond_signal(&d->work);
}

static struct gx_delivery *new_delivery(const struct gx_delivery_opts *o)
{
	pthread_condattr_t attr;
	struct gx_delivery *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->dir = o->dir;
	d->pool = o->pool;
	d->log = o->log;
	d->clock = o->clock != NULL ? o->clock : gx_clock_system();
	d->delimiter = strdup(o->recipient_delimiter != NULL ? o->recipient_delimiter : "");
	d->max_threads = o->threads == 0 ? DEFAULT_THREADS : o->threads < MAX_THREADS ? o->threads : MAX_THREADS;
	d->workers = calloc(d->max_threads, sizeof(*d->workers));
	d->j = o->journal;
	d->more = true;
	d->hold = o->hold;
	if (d->hold.max_bytes == 0)
		d->hold.max_bytes = DEFAULT_HOLD_BYTES;
	if (d->hold.max_messages == 0)
		d->hold.max_messages = DEFAULT_HOLD_MESSAGES;
	pthread_mutex_init(&d->sync, NULL);
	pthread_mutex_init(&d->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->work, &attr);
	pthread_cond_init(&d->flush, &attr);
	pthread_cond_init(&d->prepared, &attr);
	pthread_condattr_destroy(&attr);
	return d;
}

static int start_threads(struct gx_delivery *d)
{
	sigset_t all_signals, old;
	sigfillset(&all_signals);
	pthread_sigmask(SIG_SETMASK, &all_signals, &old);
	int ret = pthread_create(&d->flusher, NULL, gx_delivery__flusher, d);
	d->flusher_runs = ret == 0;
	pthread_mutex_lock(&d->mu);
	if (ret == 0)
		ret = pthread_create(&d->workers[0], NULL, worker, d);
	d->threads = ret == 0;
	pthread_mutex_unlock(&d->mu);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret == 0 ? 0 : GX_E_NOMEM;
}

int gx_delivery_new(const struct gx_delivery_opts *o, struct gx_delivery **ret_d, struct gx_arena *a, const char **ret_why)
{
	if (o == NULL || ret_d == NULL || o->dir == NULL || o->pool == NULL || (o->journal == NULL) == (o->journal_dir == NULL))
		return GX_E_INVAL;
	struct gx_delivery *d = new_delivery(o);
	if (d == NULL)
		return GX_E_NOMEM;
	int ret = d->delimiter == NULL || d->workers == NULL ? GX_E_NOMEM : 0;
	if (ret == 0 && d->j == NULL) {
		ret = gx_journal__follow(o->journal_dir, o->log, &d->j, a, ret_why);
		d->own_journal = ret == 0;
	}
	if (ret == 0) {
		ret = gx_journal__attach(d->j, on_ready, d);
		if (ret != 0 && a != NULL && ret_why != NULL)
			*ret_why = gx_arena_printf(a, "journal %s: %s", gx_journal__dir(d->j), ret == GX_E_BUSY ?
				"another process delivers from it; stop that one" : gx_strerror(ret));
	}
	if (ret == 0) {
		gx_journal__set_held(d->j, "");
		ret = start_threads(d);
	}
	if (ret != 0) {
		gx_delivery_free(d);
		return ret;
	}
	*ret_d = d;
	return 0;
}

static void stop_threads(struct gx_delivery *d)
{
	pthread_mutex_lock(&d->mu);
	d->stop = true;
	pthread_cond_broadcast(&d->work);
	pthread_mutex_unlock(&d->mu);
	/* No worker starts another one from now on. */
	for (unsigned i = 0; i < d->threads; ++i)
		pthread_join(d->workers[i], NULL);
	pthread_mutex_lock(&d->mu);
	d->stop_flusher = true;
	pthread_cond_signal(&d->flush);
	pthread_mutex_unlock(&d->mu);
	if (d->flusher_runs)
		pthread_join(d->flusher, NULL);
}

static void free_job(struct gx_mailjob *job)
{
	free(job->rec);
	gx_mailjob__free(job);
}

static void free_list(struct gx_mailjob *job)
{
	while (job != NULL) {
		struct gx_mailjob *next = job->next;
		free_job(job);
		job = next;
	}
}

/** What has not been delivered comes back from the journal at the next start. */
static void free_queues(struct gx_delivery *d)
{
	for (size_t i = 0; i < d->table_size; ++i) {
		for (struct gx_mailbox *m = d->table[i], *next; m != NULL; m = next) {
			next = m->hnext;
			for (struct gx_drop *x = m->head, *xn; x != NULL; x = xn) {
				xn = x->next;
				if (--x->job->left == 0)
					free_job(x->job);
			}
			free(m->dir);
			free(m);
		}
	}
	free(d->table);
	free_list(d->parked_jobs.head);
	free_list(d->unsynced.head);
	free_list(d->kept.head);
	gx_hold__end(d);
}

void gx_delivery_free(struct gx_delivery *d)
{
	if (d == NULL)
		return;
	stop_threads(d);
	if (d->j != NULL)
		gx_journal__detach(d->j);
	free_queues(d);
	if (d->own_journal)
		gx_journal_close(d->j);
	pthread_cond_destroy(&d->work);
	pthread_cond_destroy(&d->flush);
	pthread_cond_destroy(&d->prepared);
	while (d->spares > 0)
		gx_prepare_ctx_free(d->spare[--d->spares]);
	pthread_mutex_destroy(&d->mu);
	pthread_mutex_destroy(&d->sync);
	free(d->workers);
	free(d->delimiter);
	free(d);
}
