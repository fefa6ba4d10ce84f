/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over the wire. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/remote/remote-int.h"

int64_t gx_remote__deadline(const struct gx_remote *r)
{
	return r->o.call_ms == 0 ? INT64_MAX : gx_rconn__now() + r->o.call_ms;
}

static gx_ec refused(struct gx_arena *a, uint8_t code, const struct gx_rserver *s, const struct gx_call_desc *d, const char **ret_why)
{
	(void)gx_remote__fail(a, GX_E_IO, ret_why, "%s: %s: %s", s->addr, d->name, gx_xcode_text(code));
	return gx_exmdb__refusal(code);
}

/* The answer is in the connection's buffer, which serves others next: it is copied first. */
static gx_ec take_answer(struct gx_rserver *s, struct gx_bin body, const struct gx_call_desc *d, struct gx_arena *a, void *ret_ans, const char **ret_why)
{
	const uint8_t *p = d->ans != NULL ? gx_arena_memdup(a, body.data, body.len) : body.data;
	int err = p == NULL && body.len != 0 ? GX_E_NOMEM : gx_xframe_pull_answer((struct gx_bin){p, body.len}, a, d, ret_ans);
	return err == 0 ? GX_EC(ecSuccess) : gx_remote__fail(a, err, ret_why, "%s: %s: the answer cannot be read: %s", s->addr, d->name, gx_strerror(err));
}

static bool goes_on(uint8_t code)
{
	return code == GX_XC_SUCCESS || code == GX_XC_DISPATCH_ERROR || code == GX_XC_PUSH_ERROR || code == GX_XC_MISCONFIG_PREFIX;
}

static gx_ec exchange(struct gx_rserver *s, const char *dir, const struct gx_call_desc *d, const struct gx_push *frame, struct gx_arena *a,
	int64_t until, void *ret_ans, const char **ret_why)
{
	struct gx_rconn *c;
	struct gx_bin body;
	uint8_t code;
	gx_ec ec = gx_rserver__take(s, dir, until, a, &c, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_rconn__exchange(c, frame, s->r->o.max_answer, until, &code, &body);
	if (err != 0)
		ec = gx_remote__fail(a, err, ret_why, "%s: %s: %s", s->addr, d->name, err == GX_E_TRUNC ? "the server has hung up" : gx_strerror(err));
	else if (code != GX_XC_SUCCESS)
		ec = refused(a, code, s, d, ret_why);
	else
		ec = take_answer(s, body, d, a, ret_ans, ret_why);
	/* other servers than ours hang up after any error: the next one to use it would find out */
	gx_rserver__give(s, c, err == 0 && goes_on(code) && (code == GX_XC_SUCCESS || s->kind == GX_RK_OURS));
	return ec;
}

static gx_ec send_call(struct gx_rserver *s, const char *dir, const struct gx_call_desc *d, const void *req, struct gx_arena *a,
	int64_t until, void *ret_ans, const char **ret_why)
{
	struct gx_push f = GX_PUSH_INIT;
	int err = gx_xframe_push_request(&f, a, dir, d->number, req);
	gx_ec ec;
	if (err != 0) {
		(void)gx_remote__fail(a, err, ret_why, "%s: the request cannot be encoded: %s", d->name, gx_strerror(err));
		ec = gx_ec_from_err(err);
	} else {
		ec = exchange(s, dir, d, &f, a, until, ret_ans, ret_why);
	}
	gx_push_release(&f);
	return ec;
}

/* In a batch of one, failures come with code and text. */
static gx_ec send_wrapped(struct gx_rserver *s, const char *dir, const struct gx_call_desc *d, const void *req, struct gx_arena *a,
	int64_t until, void *ret_ans, const char **ret_why)
{
	struct gx_exmdb_item item = {.call = d->number, .req = req, .ans = ret_ans};
	struct gx_x_batch_req b;
	struct gx_x_batch_ans ans;
	size_t done;
	gx_ec ec = gx_exmdb__batch_req(&item, 1, false, a, &b, ret_why);
	if (!gx_ec_failed(ec))
		ec = send_call(s, dir, gx_exmdb_call_desc(GX_X_BATCH), &b, a, until, &ans, ret_why);
	if (!gx_ec_failed(ec))
		ec = gx_exmdb__batch_ans(&ans, &item, 1, false, a, &done, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	*ret_why = item.why;
	return item.ec;
}

gx_ec gx_remote__call(struct gx_rserver *s, const char *dir, const struct gx_call_desc *d, const void *req, struct gx_arena *a,
	int64_t until, void *ret_ans, const char **ret_why)
{
	enum gx_rkind kind;
	gx_ec ec = gx_rserver__kind(s, dir, until, a, &kind, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	if (kind == GX_RK_OURS && !d->extension)
		return send_wrapped(s, dir, d, req, a, until, ret_ans, ret_why);
	return send_call(s, dir, d, req, a, until, ret_ans, ret_why);
}

/* Tables tell of their changes without a subscription: who listens must have a way to hear. */
static bool makes_events(struct gx_remote *r, uint8_t call)
{
	if (call != GX_X_LOAD_CONTENT_TABLE && call != GX_X_LOAD_HIERARCHY_TABLE)
		return false;
	pthread_mutex_lock(&r->qlock);
	bool yes = r->wake != NULL;
	pthread_mutex_unlock(&r->qlock);
	return yes;
}

static gx_ec call(struct gx_exmdb *x, const char *dir, const struct gx_call_desc *d, const void *req, struct gx_arena *a,
	void *ret_ans, const char **ret_why)
{
	struct gx_rserver *s;
	gx_ec ec;
	if (d->number == GX_X_LISTEN_NOTIFICATION) {
		*ret_why = "not a call on a store";
		return GX_EC(ecNotSupported);
	}
	ec = gx_rserver__find((struct gx_remote *)x, dir, a, &s, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	if (d->number == GX_X_CONNECT)
		return gx_rserver__connect(s, dir, ((const struct gx_x_connect_req *)req)->is_private, gx_remote__deadline(s->r), a, ret_why);
	if (d->number == GX_X_SUBSCRIBE_NOTIFICATION)
		return gx_rlisten__subscribe(s, dir, req, a, ret_ans, ret_why);
	if (d->number == GX_X_UNSUBSCRIBE_NOTIFICATION)
		return gx_rlisten__unsubscribe(s, dir, req, a, ret_why);
	if (makes_events(s->r, d->number))
		ec = gx_rlisten__up(s, dir, a, ret_why);
	if (!gx_ec_failed(ec))
		ec = gx_remote__call(s, dir, d, req, a, gx_remote__deadline(s->r), ret_ans, ret_why);
	if (d->number == GX_X_UNLOAD_STORE && !gx_ec_failed(ec))
		gx_rlisten__forget(s, dir);
	return ec;
}

static gx_ec can_batch(struct gx_exmdb *x, const char *dir, struct gx_arena *a, bool *ret_can, const char **ret_why)
{
	struct gx_rserver *s;
	enum gx_rkind kind = GX_RK_UNKNOWN;
	gx_ec ec = gx_rserver__find((struct gx_remote *)x, dir, a, &s, ret_why);
	if (!gx_ec_failed(ec))
		ec = gx_rserver__kind(s, dir, gx_remote__deadline(s->r), a, &kind, ret_why);
	*ret_can = kind == GX_RK_OURS;
	return ec;
}

/* ---- The object ---- */

static int event(struct gx_exmdb *x, int timeout_ms, struct gx_arena *a, struct gx_x_notification *ret_n)
{
	return gx_revent__next((struct gx_remote *)x, timeout_ms, a, ret_n);
}

static void on_event(struct gx_exmdb *x, void (*wake)(void *ctx), void *ctx)
{
	struct gx_remote *r = (struct gx_remote *)x;
	pthread_mutex_lock(&r->qlock);
	r->wake = wake;
	r->wake_ctx = ctx;
	if (wake != NULL && (r->head != NULL || r->lost))
		wake(ctx);
	pthread_mutex_unlock(&r->qlock);
}

static void destroy(struct gx_exmdb *x)
{
	struct gx_remote *r = (struct gx_remote *)x;
	gx_farhub__stop(r);
	while (r->servers != NULL) {
		struct gx_rserver *s = r->servers;
		r->servers = s->next;
		gx_rserver__free(s);
	}
	gx_remote__forget_places(r);
	gx_revent__clear(r);
	gx_signal__release(&r->signal);
	pthread_mutex_destroy(&r->hub_lock);
	pthread_mutex_destroy(&r->qlock);
	pthread_mutex_destroy(&r->lock);
	free(r->server);
	free(r->remote_id);
	free(r);
}

static const struct gx_exmdb_ops ops = {call, can_batch, event, on_event, destroy};

struct gx_remote *gx_remote__of(struct gx_exmdb *x)
{
	return x != NULL && x->ops == &ops ? (struct gx_remote *)x : NULL;
}

static void set_defaults(struct gx_exmdb_remote_opts *o)
{
	if (o->connect_ms == 0)
		o->connect_ms = 10000;
	if (o->max_idle == 0)
		o->max_idle = 10;
	if (o->max_conns == 0)
		o->max_conns = 100;
	if (o->max_answer == 0)
		o->max_answer = 1u << 30;
	if (o->max_events == 0)
		o->max_events = 10000;
}

/* Process id in decimal, then 32 digits: as other clients of the protocol name themselves. */
static char *make_id(const char *given)
{
	struct gx_guid g;
	char text[80];
	if (given != NULL)
		return strdup(given);
	if (gx_guid_random(&g) != 0)
		return NULL;
	snprintf(text, sizeof(text), "%ld:%08x%04x%04x%02x%02x%02x%02x%02x%02x%02x%02x", (long)getpid(), (unsigned)g.d1, g.d2, g.d3,
		g.d4[0], g.d4[1], g.d4[2], g.d4[3], g.d4[4], g.d4[5], g.d4[6], g.d4[7]);
	return strdup(text);
}

static int init_locks(struct gx_remote *r)
{
	if (pthread_mutex_init(&r->lock, NULL) != 0)
		return GX_E_NOMEM;
	if (pthread_mutex_init(&r->qlock, NULL) != 0) {
		pthread_mutex_destroy(&r->lock);
		return GX_E_NOMEM;
	}
	if (pthread_mutex_init(&r->hub_lock, NULL) != 0) {
		pthread_mutex_destroy(&r->qlock);
		pthread_mutex_destroy(&r->lock);
		return GX_E_NOMEM;
	}
	int err = gx_signal__init(&r->signal);
	if (err != 0) {
		pthread_mutex_destroy(&r->hub_lock);
		pthread_mutex_destroy(&r->qlock);
		pthread_mutex_destroy(&r->lock);
	}
	return err;
}

int gx_exmdb_remote_new(const struct gx_exmdb_remote_opts *o, struct gx_exmdb **ret_x, struct gx_arena *a, const char **ret_why)
{
	const char *why = "";
	ret_why = ret_why == NULL ? &why : ret_why;
	*ret_why = "";
	if (o == NULL || o->size != sizeof(*o) || ret_x == NULL)
		return GX_E_INVAL;
	if (o->server == NULL && o->locate == NULL) {
		*ret_why = "neither a server nor a way to find one is given";
		return GX_E_INVAL;
	}
	if (o->server != NULL && !gx_rconn__valid(o->server)) {
		gx_store__why(a, ret_why, "\"%s\" is no server: expected host, host:port, [address]:port or /path", o->server);
		return GX_E_INVAL;
	}
	struct gx_remote *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return GX_E_NOMEM;
	r->base.ops = &ops;
	r->o = *o;
	r->tail = &r->head;
	set_defaults(&r->o);
	r->server = o->server != NULL ? strdup(o->server) : NULL;
	r->remote_id = make_id(o->remote_id);
	if ((o->server != NULL && r->server == NULL) || r->remote_id == NULL || init_locks(r) != 0) {
		free(r->server);
		free(r->remote_id);
		free(r);
		return GX_E_NOMEM;
	}
	*ret_x = &r->base;
	return 0;
}
