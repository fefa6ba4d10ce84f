/* SPDX-License-Identifier: Apache-2.0 */
/* From the journal to the mailboxes' queues, and from the last mailbox to the flusher. */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include "pipeline-int.h"

int64_t gx_delivery__backoff_ms(unsigned tries)
{
	enum { FIRST_MS = 250, LAST_MS = 300000 };
	int64_t ms = FIRST_MS;
	while (tries-- > 0 && ms < LAST_MS)
		ms *= 2;
	return ms < LAST_MS ? ms : LAST_MS;
}

void gx_delivery__park(struct gx_delivery *d, struct gx_mailjob *job)
{
	job->retry_at = gx_clock_mono_ms(d->clock) + gx_delivery__backoff_ms(job->tries++);
	d->stuck++;
	gx_mailjobs__add(&d->parked_jobs, job);
}

/** What has no mailbox is put aside at once. Takes no lock. */
static int keep_unresolved(struct gx_delivery *d, struct gx_mailjob *job)
{
	int ret = 0;
	for (; ret == 0 && job->to.bad_n > 0; --job->to.bad_n) {
		const struct gx_unresolved *b = &job->to.bad[job->to.bad_n - 1];
		const char *why = b->err == GX_E_NOTFOUND ? "there is no such user" : b->err == GX_E_STATE ?
			"the mailbox or list does not take this mail" : gx_strerror(b->err);
		ret = gx_delivery__keep_failed(d, job, b->address, why);
	}
	return ret;
}

/** Lock held. */
static int enqueue(struct gx_delivery *d, struct gx_mailjob *job)
{
	struct gx_drop *drops = gx_arena_calloc(job->a, job->to.n, sizeof(*drops));
	struct gx_mailbox **boxes = gx_arena_calloc(job->a, job->to.n, sizeof(struct gx_mailbox *));
	if (drops == NULL || boxes == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < job->to.n; ++i) {
		int ret = gx_mailbox__get(d, job->to.v[i].maildir, &boxes[i]);
		if (ret != 0) {
			while (i-- > 0)
				gx_mailbox__drop_if_idle(d, boxes[i]);
			return ret;
		}
	}
	job->left = job->to.n;
	job->share = gx_jrec__charge(job->rec->env_len, job->rec->data_len) / (job->to.n > 0 ? job->to.n : 1);
	for (size_t i = 0; i < job->to.n; ++i) {
		drops[i].job = job;
		drops[i].to = &job->to.v[i];
		gx_mailbox__append(d, boxes[i], &drops[i]);
		gx_mailbox__run(d, boxes[i]);
	}
	return 0;
}

/** Called with the lock held, gives it up meanwhile. */
static void start_job(struct gx_delivery *d, struct gx_mailjob *job)
{
	job->losses = d->losses;
	pthread_mutex_unlock(&d->mu);
	int ret = gx_mailjob__resolve(d, job);
	if (ret == 0)
		ret = keep_unresolved(d, job);
	if (ret != 0)
		gx_log(d->log, GX_LOG_WARN, "delivery: from=<%s>: recipients cannot be looked up: %s; trying again later",
			job->env.from, gx_strerror(ret));
	pthread_mutex_lock(&d->mu);
	if (ret == 0)
		ret = enqueue(d, job);
	if (ret != 0)
		gx_delivery__park(d, job);
	else if (job->left == 0)
		gx_delivery__job_done(d, job);
}

static struct gx_mailjob *due_job(struct gx_delivery *d)
{
	if (d->parked_jobs.head == NULL)
		return NULL;
	int64_t now = gx_clock_mono_ms(d->clock);
	for (struct gx_mailjob **p = &d->parked_jobs.head; *p != NULL; p = &(*p)->next) {
		struct gx_mailjob *job = *p;
		if (job->retry_at > now)
			continue;
		*p = job->next;
		if (*p == NULL)
			d->parked_jobs.tail = p;
		d->stuck--;
		return job;
	}
	return NULL;
}

bool gx_delivery__dispatch(struct gx_delivery *d)
{
	struct gx_mailjob *job = due_job(d);
	if (job != NULL) {
		start_job(d, job);
		return true;
	}
	if (!d->more)
		return false;
	d->more = false;
	pthread_mutex_unlock(&d->mu);
	struct gx_jrec *r = gx_journal__next(d->j);
	int ret = r == NULL ? 0 : gx_mailjob__new(d, r, &job);
	if (ret != 0) {
		gx_log(d->log, GX_LOG_CRIT, "delivery: record %" PRIu64 " of the journal cannot be read: %s; it stays for the next start",
			r->seq, gx_strerror(ret));
		free(r);
	}
	pthread_mutex_lock(&d->mu);
	if (r == NULL)
		return false;
	d->more = true;
	if (job != NULL) {
		d->inflight++;
		start_job(d, job);
	}
	return true;
}

void gx_delivery__job_done(struct gx_delivery *d, struct gx_mailjob *job)
{
	d->inflight--;
	d->delivered++;
	bool first = d->unsynced.head == NULL;
	if (first)
		d->unsynced_since = gx_clock_mono_ms(d->clock);
	gx_mailjobs__add(&d->unsynced, job);
	d->unsynced_bytes += job->rec->data_len;
	d->unsynced_jobs++;
	if (first || gx_delivery__flush_due(d))
		pthread_cond_signal(&d->flush);
}
