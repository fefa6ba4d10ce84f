/* SPDX-License-Identifier: Apache-2.0 */
/* The interface over both makers, and what they share. */
#include <config.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include "libgxstore/calls/call-int.h"

gx_ec gx_exmdb_call(struct gx_exmdb *x, const char *dir, uint8_t call, const void *req, struct gx_arena *a,
	void *ret_ans, const char **ret_why)
{
	const char *why = "";
	const struct gx_call_desc *d = gx_exmdb_call_desc(call);
	if (ret_why == NULL)
		ret_why = &why;
	*ret_why = "";
	if (x == NULL || dir == NULL || a == NULL || d == NULL || d->retired || (d->req != NULL && req == NULL) ||
	    (d->ans != NULL && ret_ans == NULL)) {
		*ret_why = "no such call, or a parameter is missing";
		return GX_EC(ecInvalidParam);
	}
	return x->ops->call(x, dir, d, req, a, ret_ans, ret_why);
}

static const struct {
	uint8_t code;
	uint32_t ec;
} refusals[] = {
	{GX_XC_SUCCESS, ecSuccess}, {GX_XC_MISCONFIG_PREFIX, ecNotFound}, {GX_XC_MISCONFIG_MODE, ecInvalidParam},
	{GX_XC_LACK_MEMORY, ecMAPIOOM}, {GX_XC_ACCESS_DENY, ecAccessDenied}, {GX_XC_MAX_REACHED, ecBusy}, {GX_XC_DISPATCH_ERROR, ecError},
};

gx_ec gx_exmdb__refusal(uint8_t code)
{
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(refusals[0]); ++i)
		if (refusals[i].code == code)
			return GX_EC(refusals[i].ec);
	return GX_EC(ecRpcFailed);
}

uint8_t gx_exmdb__refusal_code(gx_ec ec)
{
	for (unsigned i = 0; i < sizeof(refusals) / sizeof(refusals[0]); ++i)
		if (gx_ec_is(ec, refusals[i].ec))
			return refusals[i].code;
	return GX_XC_SERVICE_UNAVAILABLE;
}

/* ---- Batches ---- */

gx_ec gx_exmdb__batch_req(const struct gx_exmdb_item *v, size_t n, bool atomic, struct gx_arena *a, struct gx_x_batch_req *ret_b,
	const char **ret_why)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	struct gx_x_batch_call *c = gx_arena_new_array(a, struct gx_x_batch_call, n);
	if (c == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i) {
		const struct gx_call_desc *d = gx_exmdb_call_desc(v[i].call);
		c[i].call = v[i].call;
		if (d == NULL || d->retired || (d->req != NULL && v[i].req == NULL) || (d->ans != NULL && v[i].ans == NULL)) {
			*ret_why = "no such call, or a parameter is missing";
			return GX_EC(ecInvalidParam);
		}
		int err = d->req != NULL ? gx_desc_encode(&x, d->req, v[i].req, &c[i].request) : 0;
		if (err != 0) {
			*ret_why = "a request cannot be encoded";
			return gx_ec_from_err(err);
		}
	}
	*ret_b = (struct gx_x_batch_req){.atomic = atomic, .calls = c, .calls_count = (uint32_t)n};
	return GX_OK_EC;
}

static gx_ec item_ans(const struct gx_x_batch_answer *b, struct gx_exmdb_item *v, struct gx_arena *a)
{
	const struct gx_call_desc *d = gx_exmdb_call_desc(v->call);
	v->ec = GX_EC(b->ec);
	v->why = b->text;
	if (b->code != GX_XC_SUCCESS && !gx_ec_failed(v->ec))
		v->ec = GX_EC(ecError);
	if (b->code != GX_XC_SUCCESS)
		return GX_OK_EC;
	int err = gx_xframe_pull_answer(b->answer, a, d, v->ans);
	return gx_ec_from_err(err);
}

gx_ec gx_exmdb__batch_ans(const struct gx_x_batch_ans *b, struct gx_exmdb_item *v, size_t n, bool atomic, struct gx_arena *a,
	size_t *ret_done, const char **ret_why)
{
	gx_ec ec = GX_OK_EC;
	if (b->answers_count > n || (!atomic && b->answers_count != n)) {
		*ret_why = "the answer to a batch has another number of calls";
		return GX_EC(ecRpcFormat);
	}
	for (uint32_t i = 0; i < b->answers_count && !gx_ec_failed(ec); ++i) {
		ec = item_ans(&b->answers[i], &v[i], a);
		if (gx_ec_failed(ec))
			*ret_why = "the answer to a call of a batch cannot be decoded";
	}
	*ret_done = b->answers_count;
	if (atomic && !gx_ec_failed(ec) && b->answers_count > 0 && gx_ec_failed(v[b->answers_count - 1].ec)) {
		*ret_why = v[b->answers_count - 1].why;
		return v[b->answers_count - 1].ec;
	}
	return ec;
}

static gx_ec one_by_one(struct gx_exmdb *x, const char *dir, struct gx_exmdb_item *v, size_t n, struct gx_arena *a, size_t *ret_done)
{
	for (size_t i = 0; i < n; ++i) {
		v[i].ec = gx_exmdb_call(x, dir, v[i].call, v[i].req, a, v[i].ans, &v[i].why);
		*ret_done = i + 1;
	}
	return GX_OK_EC;
}

gx_ec gx_exmdb_batch(struct gx_exmdb *x, const char *dir, bool atomic, struct gx_exmdb_item *v, size_t n, struct gx_arena *a,
	size_t *ret_done, const char **ret_why)
{
	struct gx_x_batch_req req;
	struct gx_x_batch_ans ans;
	const char *why = "";
	size_t done = 0;
	bool can = false;
	ret_why = ret_why == NULL ? &why : ret_why;
	ret_done = ret_done == NULL ? &done : ret_done;
	*ret_why = "";
	*ret_done = 0;
	if (x == NULL || dir == NULL || v == NULL || n == 0 || n > UINT16_MAX || a == NULL)
		return GX_EC(ecInvalidParam);
	gx_ec ec = x->ops->can_batch(x, dir, a, &can, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	if (!can && atomic) {
		*ret_why = "the server of this store does not know batches";
		return GX_EC(ecNotSupported);
	}
	if (!can)
		return one_by_one(x, dir, v, n, a, ret_done);
	ec = gx_exmdb__batch_req(v, n, atomic, a, &req, ret_why);
	if (!gx_ec_failed(ec))
		ec = x->ops->call(x, dir, gx_exmdb_call_desc(GX_X_BATCH), &req, a, &ans, ret_why);
	return gx_ec_failed(ec) ? ec : gx_exmdb__batch_ans(&ans, v, n, atomic, a, ret_done, ret_why);
}

/* ---- Events ---- */

int gx_exmdb_event(struct gx_exmdb *x, int timeout_ms, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	return x == NULL || a == NULL || ret_n == NULL ? GX_E_INVAL : x->ops->event(x, timeout_ms, a, ret_n);
}

void gx_exmdb_on_event(struct gx_exmdb *x, void (*wake)(void *ctx), void *ctx)
{
	x->ops->on_event(x, wake, ctx);
}

void gx_exmdb_free(struct gx_exmdb *x)
{
	if (x != NULL)
		x->ops->free(x);
}

int gx_signal__init(struct gx_signal *g)
{
	pthread_condattr_t attr;
	if (pthread_mutex_init(&g->lock, NULL) != 0)
		return GX_E_NOMEM;
	if (pthread_condattr_init(&attr) != 0) {
		pthread_mutex_destroy(&g->lock);
		return GX_E_NOMEM;
	}
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int err = pthread_cond_init(&g->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (err != 0)
		pthread_mutex_destroy(&g->lock);
	g->set = false;
	return err == 0 ? 0 : GX_E_NOMEM;
}

void gx_signal__release(struct gx_signal *g)
{
	pthread_cond_destroy(&g->cond);
	pthread_mutex_destroy(&g->lock);
}

void gx_signal__set(struct gx_signal *g)
{
	pthread_mutex_lock(&g->lock);
	g->set = true;
	pthread_cond_broadcast(&g->cond);
	pthread_mutex_unlock(&g->lock);
}

bool gx_signal__wait(struct gx_signal *g, int64_t timeout_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		++until.tv_sec;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&g->lock);
	while (!g->set)
		if (pthread_cond_timedwait(&g->cond, &g->lock, &until) == ETIMEDOUT)
			break;
	bool set = g->set;
	g->set = false;
	pthread_mutex_unlock(&g->lock);
	return set;
}
