/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/search.h>
#include <gx/time.h>
#include "libgxproto/emsmdb/job.h"

enum { LEAVE_AT_ONCE = 1024 };

void *gx_ems__job_new(struct gx_rop_call *c, size_t size)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_ems_job *j = a == NULL ? NULL : gx_arena_calloc(a, 1, size);
	if (j == NULL) {
		gx_arena_free(a);
		return NULL;
	}
	j->a = a;
	j->from = j->to = c->logon;
	return j;
}

gx_ec gx_ems__job_mids(struct gx_rop_call *c, struct gx_ems_job *j, const uint64_t *ids, uint32_t n, uint64_t **ret_mids)
{
	const uint64_t *mids;
	gx_ec ec = gx_ems__plain_list(c, ids, n, &mids);
	if (gx_ec_failed(ec))
		return ec;
	j->total = n;
	*ret_mids = gx_arena_memdup(j->a, mids, n * sizeof(*mids));
	return *ret_mids == NULL && n > 0 ? GX_EC(ecMAPIOOM) : EMS_OK;
}

gx_ec gx_ems__leave_searches(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct gx_txn *t;
	bool more = false;
	gx_ec ec = gx_rop__write(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_search_leave(t, LEAVE_AT_ONCE, &more));
	j->done = !more;
	return ec;
}

void gx_ems__job_free(struct gx_ems_job *j)
{
	if (j != NULL)
		gx_arena_free(j->a);
}

void gx_ems__job_drop(struct gx_ems_logon *l)
{
	gx_ems__job_free(l->job);
	l->job = NULL;
}

void gx_ems__jobs_forget(struct gx_ems_session *s, const struct gx_ems_logon *l)
{
	for (unsigned i = 0; i < 256; ++i) {
		struct gx_ems_logon *k = s->logons[i];
		if (k != NULL && k->job != NULL && (k->job->from == l || k->job->to == l))
			gx_ems__job_drop(k);
	}
}

/* In memory of its own: a long job must not fill that of the request. */
static gx_ec one_step(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct gx_arena *of_request = c->a, *a = gx_arena_new(0);
	if (a == NULL)
		return GX_EC(ecMAPIOOM);
	c->a = a;
	c->why = NULL;
	gx_ec ec = j->step(c, j);
	c->a = of_request;
	if (c->why != NULL)
		c->why = gx_arena_strdup(of_request, c->why);
	gx_arena_free(a);
	return ec;
}

/* How far it is, instead of the operation's answer. */
static gx_ec tell(struct gx_rop_call *c, const struct gx_ems_job *j)
{
	struct gx_rop_progress_res *r = gx_arena_new_obj(c->a, struct gx_rop_progress_res);
	if (r == NULL)
		return GX_EC(ecMAPIOOM);
	r->logon_id = c->logon_id;
	r->total_task_count = j->total > j->completed ? j->total : j->completed; /* more may have come meanwhile */
	r->completed_task_count = j->completed;
	c->instead.desc = gx_rop_rop_desc(RopProgress);
	c->instead.body = r;
	return EMS_OK;
}

static gx_ec end(struct gx_rop_call *c, struct gx_ems_job *j, gx_ec ec, void *response)
{
	if (!gx_ec_failed(ec) && j->done && j->finish != NULL)
		ec = j->finish(c, j, response);
	if (!gx_ec_failed(ec) && j->partial_at != SIZE_MAX)
		memcpy((uint8_t *)response + j->partial_at, &j->partial, sizeof(j->partial));
	else if (!gx_ec_failed(ec) && j->partial)
		ec = GX_EC(ecPartiallyComplete);
	gx_ems__job_free(j);
	return ec;
}

/* @until: milliseconds of the clock. */
static gx_ec go_on(struct gx_rop_call *c, struct gx_ems_job *j, int64_t until, void *response)
{
	gx_ec ec = EMS_OK;
	while (!gx_ec_failed(ec) && !j->done) {
		if (gx_clock_mono_ms(c->s->e->o.clock) >= until) {
			c->logon->job = j;
			return tell(c, j);
		}
		ec = one_step(c, j);
	}
	return end(c, j, ec, response);
}

static int64_t deadline(const struct gx_rop_call *c)
{
	return gx_clock_mono_ms(c->s->e->o.clock) + c->s->e->o.async_ms;
}

gx_ec gx_ems__job_run(struct gx_rop_call *c, struct gx_ems_job *j, bool async, void *response)
{
	j->desc = c->desc;
	j->handle = c->in->handle;
	return go_on(c, j, async && c->logon->takes_progress ? deadline(c) : INT64_MAX, response);
}

gx_ec gx_ems__job_go_on(struct gx_rop_call *c, bool cancel)
{
	struct gx_ems_job *j = c->logon->job;
	if (j == NULL || j->handle != c->in->handle)
		return gx_rop__fail(c, ecNotSupported, "nothing is going on");
	void *response = gx_arena_calloc(c->a, 1, j->desc->res->size);
	if (response == NULL)
		return GX_EC(ecMAPIOOM);
	c->logon->job = NULL;
	c->instead.desc = j->desc;
	c->instead.body = response;
	if (cancel) {
		j->partial = true;
		return end(c, j, EMS_OK, response);
	}
	int64_t until = deadline(c);
	gx_ec ec = one_step(c, j); /* however short the time is, it ends some day */
	return gx_ec_failed(ec) ? end(c, j, ec, response) : go_on(c, j, until, response);
}
