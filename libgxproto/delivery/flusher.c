/* SPDX-License-Identifier: Apache-2.0 */
/* Flushes the stores now and then, and gives the journal's records back behind that. */
#include <config.h>
#include <errno.h>
#include <time.h>
#include "pipeline-int.h"

enum { FLUSH_AFTER_MS = 5000, LOOK_MS = 250, RETRY_MS = 2000 };
#define FLUSH_BYTES (UINT64_C(32) << 20)

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
	if (d->stop_flusher || d->unsynced_bytes > FLUSH_BYTES ||
	    gx_clock_mono_ms(d->clock) - d->unsynced_since >= FLUSH_AFTER_MS)
		return true;
	pthread_mutex_unlock(&d->mu);
	bool pressed = gx_journal__pressed(d->j);
	pthread_mutex_lock(&d->mu);
	return pressed;
}

static void release(struct gx_delivery *d, struct gx_job *list)
{
	while (list != NULL) {
		struct gx_job *job = list;
		list = job->next;
		gx_journal__release(d->j, job->rec);
		gx_job__free(job);
	}
}

/** Lock held, given up meanwhile. */
static bool flush(struct gx_delivery *d)
{
	struct gx_job *list = d->unsynced.head;
	d->unsynced = (struct gx_joblist){NULL, NULL};
	d->unsynced_bytes = 0;
	pthread_mutex_unlock(&d->mu);
	int ret = gx_store_pool_sync(d->pool);
	if (ret == 0)
		release(d, list);
	else
		gx_log(d->log, GX_LOG_ERROR, "delivery: stores cannot be flushed: %s; messages stay in the journal, trying again",
			gx_strerror(ret));
	pthread_mutex_lock(&d->mu);
	while (ret != 0 && list != NULL) {
		struct gx_job *next = list->next;
		gx_joblist__add(&d->unsynced, list);
		list = next;
	}
	return ret == 0;
}

void *gx_delivery__flusher(void *arg)
{
	struct gx_delivery *d = arg;
	pthread_mutex_lock(&d->mu);
	for (;;) {
		if (d->unsynced.head == NULL) {
			if (d->stop_flusher)
				break;
			pthread_cond_wait(&d->flush, &d->mu);
		} else if (!due(d)) {
			wait_ms(d, LOOK_MS);
		} else if (!flush(d)) {
			if (d->stop_flusher)
				break;
			wait_ms(d, RETRY_MS);
		}
	}
	pthread_mutex_unlock(&d->mu);
	return NULL;
}
