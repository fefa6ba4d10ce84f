/* SPDX-License-Identifier: Apache-2.0 */
/* A record on its way to mailboxes. */
#include <config.h>
#include <stdlib.h>
#include "pipeline-int.h"

/** Prepared messages that nobody works on are kept up to this size, then made anew when needed. */
#define KEEP_PREPARED (UINT64_C(64) << 20)
/** A compressor is kept after messages up to this size. */
#define KEEP_COMPRESSOR (UINT64_C(128) << 10)
/** What parsing and conversion of one message may take beside a multiple of its size. */
#define ARENA_BASE (UINT64_C(64) << 20)
#define ARENA_FACTOR 8

void gx_mailjobs__add(struct gx_mailjobs *l, struct gx_mailjob *job)
{
	job->next = NULL;
	if (l->head == NULL)
		l->tail = &l->head;
	*l->tail = job;
	l->tail = &job->next;
}

int gx_mailjob__new(struct gx_delivery *d, struct gx_jrec *r, struct gx_mailjob **ret_job)
{
	struct gx_mailjob *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return GX_E_NOMEM;
	job->a = gx_arena_new(0);
	int ret = job->a == NULL ? GX_E_NOMEM : gx_journal__load_env(r, job->a, &job->env);
	if (ret != 0) {
		gx_mailjob__free(job);
		return ret;
	}
	job->rec = r;
	*ret_job = job;
	return 0;
}

int gx_mailjob__resolve(struct gx_delivery *d, struct gx_mailjob *job)
{
	job->to = (struct gx_resolved){0};
	for (size_t i = 0; i < job->env.rcpt_count; ++i) {
		int ret = gx_rcpt__resolve(d->dir, job->env.rcpts[i], d->delimiter, job->env.from, job->a, &job->to);
		if (ret != 0)
			return ret;
	}
	return 0;
}

static void drop_message(struct gx_mailjob *job)
{
	gx_msg_prepared_release(job->prep.msg);
	gx_arena_free(job->msg_arena);
	job->prep = (struct gx_mail_prepared){0};
	job->msg_arena = NULL;
}

void gx_mailjob__free(struct gx_mailjob *job)
{
	if (job == NULL)
		return;
	drop_message(job);
	gx_arena_free(job->a);
	free(job);
}

/* NULL (without memory) is as good, only slower. */
static struct gx_prepare_ctx *take_compressor(struct gx_delivery *d)
{
	struct gx_prepare_ctx *ctx = NULL;
	pthread_mutex_lock(&d->mu);
	if (d->spares > 0)
		ctx = d->spare[--d->spares];
	pthread_mutex_unlock(&d->mu);
	return ctx != NULL ? ctx : gx_prepare_ctx_new();
}

/* One that has seen a large message holds much memory and is not kept. */
static void give_compressor(struct gx_delivery *d, struct gx_prepare_ctx *ctx, uint64_t len)
{
	pthread_mutex_lock(&d->mu);
	if (ctx != NULL && len <= KEEP_COMPRESSOR && d->spares < sizeof(d->spare) / sizeof(d->spare[0])) {
		d->spare[d->spares++] = ctx;
		ctx = NULL;
	}
	pthread_mutex_unlock(&d->mu);
	gx_prepare_ctx_free(ctx);
}

static int prepare(struct gx_delivery *d, struct gx_mailjob *job)
{
	struct gx_bin data;
	uint64_t limit = ARENA_BASE + job->rec->data_len * ARENA_FACTOR;
	job->msg_arena = gx_arena_new(limit > SIZE_MAX ? SIZE_MAX : (size_t)limit);
	if (job->msg_arena == NULL)
		return GX_E_NOMEM;
	int ret = gx_journal__load_data(job->rec, job->msg_arena, &data);
	if (ret == 0) {
		struct gx_prepare_ctx *ctx = take_compressor(d);
		ret = gx_mail_prepare_with(job->msg_arena, d->dir, d->clock, ctx, data, &job->prep);
		give_compressor(d, ctx, data.len);
	}
	if (ret != 0)
		drop_message(job);
	return ret;
}

int gx_mailjob__use(struct gx_delivery *d, struct gx_mailjob *job)
{
	int ret = 0;
	pthread_mutex_lock(&d->mu);
	while (job->state == JOB_PREPARING)
		pthread_cond_wait(&d->prepared, &d->mu);
	if (job->state == JOB_RAW) {
		job->state = JOB_PREPARING;
		pthread_mutex_unlock(&d->mu);
		ret = prepare(d, job);
		pthread_mutex_lock(&d->mu);
		job->state = ret == 0 ? JOB_READY : JOB_RAW;
		if (ret == 0)
			d->prepared_bytes += job->rec->data_len;
		pthread_cond_broadcast(&d->prepared);
	}
	if (ret == 0)
		job->users++;
	pthread_mutex_unlock(&d->mu);
	return ret;
}

void gx_mailjob__unuse(struct gx_delivery *d, struct gx_mailjob *job)
{
	bool drop = false;
	pthread_mutex_lock(&d->mu);
	if (--job->users == 0 && (job->left <= 1 || d->prepared_bytes > KEEP_PREPARED)) {
		drop = true;
		job->state = JOB_PREPARING;
		d->prepared_bytes -= job->rec->data_len;
	}
	pthread_mutex_unlock(&d->mu);
	if (!drop)
		return;
	drop_message(job);
	pthread_mutex_lock(&d->mu);
	job->state = JOB_RAW;
	pthread_cond_broadcast(&d->prepared);
	pthread_mutex_unlock(&d->mu);
}
