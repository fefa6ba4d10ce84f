/* SPDX-License-Identifier: Apache-2.0 */
/* A call finds its store and its handler; transactions of handlers, and batches of calls in one. */
#include <config.h>
#include <stdarg.h>
#include <string.h>
#include "libgxstore/calls/call-int.h"
#include "libgxstore/calls/handlers-table.h"

gx_ec gx_call__fail(struct gx_call_ctx *c, uint32_t code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return GX_EC(code);
}

gx_ec gx_call__err(struct gx_call_ctx *c, int err)
{
	if (err != 0)
		snprintf(c->why, sizeof(c->why), "%s", gx_strerror(err));
	return gx_ec_from_err(err);
}

/* ---- Transactions ---- */

static gx_ec act_as(struct gx_call_ctx *c, const char *user)
{
	c->actor = (struct gx_actor)GX_ACTOR_SYSTEM;
	if (user == NULL)
		return GX_OK_EC;
	c->actor = (struct gx_actor){.user = user};
	if (c->host->o.dir == NULL || *user == '\0')
		return GX_OK_EC;
	int err = gx_dir_groups_of(c->host->o.dir, user, c->a, &c->actor.groups);
	if (err != 0 && err != GX_E_NOTFOUND)
		return gx_call__fail(c, ecError, "groups of %s: %s", user, gx_strerror(err));
	return GX_OK_EC;
}

gx_ec gx_call__begin(struct gx_call_ctx *c, int mode, const char *user)
{
	gx_ec ec = act_as(c, user);
	if (gx_ec_failed(ec) || c->batch)
		return ec;
	int err = user == NULL ? gx_conn__admit(c->s, c->host->o.deadline_ms) : 0;
	if (err == 0)
		err = gx_txn_begin(c->s, &c->actor, mode, c->host->o.deadline_ms, &c->t);
	if (err == GX_E_BUSY)
		return gx_call__fail(c, ecServerPaused, "the store is closed for maintenance");
	if (err == GX_E_TIMEOUT)
		return gx_call__fail(c, ecTimeout, "the store was busy for %d ms", c->host->o.deadline_ms);
	return gx_call__err(c, err);
}

/* What rules want delivered, now that it has happened. */
static void hand_out(struct gx_call_ctx *c)
{
	const struct gx_exmdb_host_opts *o = &c->host->o;
	for (size_t i = 0; i < c->nout; i++) {
		int err = o->on_action(&c->out[i], o->on_action_ctx);
		if (err != 0)
			gx_log(o->log, GX_LOG_WARN, "%s: rule \"%s\" of folder %llx: an action of type %u was not taken for delivery: %s", c->dir,
			       c->out[i].rule, (unsigned long long)c->out[i].fid, c->out[i].action->type, gx_strerror(err));
	}
	c->nout = 0;
}

gx_ec gx_call__end(struct gx_call_ctx *c, gx_ec ec, int sync)
{
	bool failed = gx_ec_failed(ec);
	if (c->t == NULL)
		return ec;
	if (failed && c->why[0] == '\0')
		snprintf(c->why, sizeof(c->why), "%s", gx_txn_why(c->t));
	if (c->batch)
		return ec;
	struct gx_txn *t = c->t;
	c->t = NULL;
	if (failed) {
		gx_txn_abort(t);
		c->nout = 0;
		return ec;
	}
	int err = gx_txn_commit(t, sync);
	if (err != 0) {
		c->nout = 0;
		return gx_call__err(c, err);
	}
	hand_out(c);
	return ec;
}

gx_ec gx_call__end_coded(struct gx_call_ctx *c, gx_ec ec, int sync, uint32_t *ret_code)
{
	ec = gx_call__end(c, ec, sync);
	*ret_code = gx_ec_failed(ec) ? ec.v : ecSuccess;
	c->inner = gx_ec_failed(ec);
	return GX_OK_EC;
}

static bool of_machinery(gx_ec ec)
{
	switch (ec.v) {
	case ecMAPIOOM:
	case ecMemory:
	case ecDiskError:
	case ecOutOfDisk:
	case ecTimeout:
	case ecServerPaused:
	case ecCorruptData:
	case ecError:
		return true;
	default:
		return false;
	}
}

gx_ec gx_call__end_bool(struct gx_call_ctx *c, gx_ec ec, int sync, bool *ret_done)
{
	ec = gx_call__end(c, ec, sync);
	*ret_done = !gx_ec_failed(ec);
	if (*ret_done || of_machinery(ec))
		return ec;
	if (c->why[0] == '\0')
		snprintf(c->why, sizeof(c->why), "%s", gx_ec_text(ec));
	c->inner = true;
	return GX_OK_EC;
}

/* ---- One call ---- */

static bool is_private(const struct gx_call_ctx *c)
{
	return !gx_store_is_public(c->s);
}

gx_ec gx_call__open_store(struct gx_call_ctx *c, uint8_t *ret_code, const char **ret_why)
{
	*ret_code = GX_XC_MISCONFIG_PREFIX;
	if (!gx_host__serves(c->host, c->dir)) {
		*ret_why = "no store below this directory is served here";
		return GX_EC(ecNotFound);
	}
	if (gx_relay__takes(c->client, c->dir))
		return GX_OK_EC;
	int err = gx_store_pool_get(c->host->o.pool, c->dir, &c->s, c->a, ret_why);
	if (err == 0 && c->s->ops != NULL) { /* what is not ours is not handed on, or two that each take the other for the owner would go on for ever */
		gx_store_pool_put(c->host->o.pool, c->s);
		*ret_why = "the store is one of another server";
		return GX_EC(ecNotFound);
	}
	if (err == 0)
		return GX_OK_EC;
	if (err == GX_E_NOMEM)
		*ret_code = GX_XC_LACK_MEMORY;
	else if (err != GX_E_NOTFOUND)
		*ret_code = GX_XC_DISPATCH_ERROR;
	if (**ret_why == '\0')
		*ret_why = gx_strerror(err);
	return gx_ec_from_err(err);
}

static uint8_t code_of(gx_ec ec)
{
	return !gx_ec_failed(ec) ? GX_XC_SUCCESS : gx_ec_is(ec, ecMAPIOOM) ? GX_XC_LACK_MEMORY : GX_XC_DISPATCH_ERROR;
}

static void keep_why(struct gx_call_ctx *c, gx_ec ec, const char **ret_why)
{
	if (!gx_ec_failed(ec) && !c->inner)
		return;
	const char *why = c->why[0] != '\0' ? gx_arena_strdup(c->a, c->why) : gx_ec_text(ec);
	*ret_why = why != NULL ? why : "";
}

static gx_ec run(struct gx_call_ctx *c, const struct gx_call_desc *call, const void *req, void *ret_ans, const char **ret_why)
{
	if (call->ans != NULL)
		memset(ret_ans, 0, call->ans->size);
	if (gx_relay__takes(c->client, c->dir))
		return gx_exmdb_call(c->client->relay, c->dir, call->number, req, c->a, ret_ans, ret_why);
	gx_ec ec = call_handlers[call->number](c, req, ret_ans);
	keep_why(c, ec, ret_why);
	return ec;
}

/* ---- Batches ---- */

static gx_ec allowed(struct gx_call_ctx *c, uint8_t call, bool atomic)
{
	const struct gx_call_desc *d = gx_exmdb_call_desc(call);
	if (d == NULL || d->retired || call_handlers[call] == NULL)
		return gx_call__fail(c, ecNotSupported, "0x%02x is not a call on a store", call);
	if (atomic && !d->writes)
		return gx_call__fail(c, ecInvalidParam, "%s cannot be part of a transaction", d->name);
	return GX_OK_EC;
}

/* Carries out one of them; @ret_a has what it answers. */
static gx_ec run_item(struct gx_call_ctx *c, const struct gx_x_batch_call *q, struct gx_x_batch_answer *ret_a)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(c->a)};
	const struct gx_call_desc *d = gx_exmdb_call_desc(q->call);
	void *req = d->req != NULL ? gx_arena_alloc(c->a, d->req->size) : NULL;
	void *ans = d->ans != NULL ? gx_arena_alloc(c->a, d->ans->size) : NULL;
	ret_a->code = GX_XC_PULL_ERROR;
	if ((d->req != NULL && req == NULL) || (d->ans != NULL && ans == NULL))
		return gx_call__err(c, GX_E_NOMEM);
	int err = d->req != NULL ? gx_desc_decode(&x, d->req, q->request.data, q->request.len, req) : q->request.len != 0 ? GX_E_FORMAT : 0;
	if (err != 0)
		return gx_call__fail(c, ecRpcFormat, "%s: request: %s", d->name, gx_strerror(err));
	gx_ec ec = run(c, d, req, ans, &ret_a->text);
	ret_a->code = code_of(ec);
	err = !gx_ec_failed(ec) && d->ans != NULL ? gx_desc_encode(&x, d->ans, ans, &ret_a->answer) : 0;
	if (err != 0) {
		ret_a->code = GX_XC_PUSH_ERROR;
		return gx_call__fail(c, ecError, "%s: answer: %s", d->name, gx_strerror(err));
	}
	return ec;
}

static void set_failure(struct gx_call_ctx *c, gx_ec ec, struct gx_x_batch_answer *a)
{
	a->ec = ec.v;
	if (a->code == GX_XC_SUCCESS && gx_ec_failed(ec))
		a->code = GX_XC_DISPATCH_ERROR;
	if (*a->text == '\0')
		keep_why(c, ec, &a->text);
}

static gx_ec run_items(struct gx_call_ctx *c, const struct gx_x_batch_req *b, struct gx_x_batch_answer *v, uint32_t *ret_n)
{
	for (uint32_t i = 0; i < b->calls_count; ++i) {
		c->why[0] = '\0';
		c->inner = false;
		v[i].text = "";
		gx_ec ec = allowed(c, b->calls[i].call, b->atomic);
		if (!gx_ec_failed(ec) && c->s == NULL) /* a call before it has unloaded the store */
			ec = gx_call__open_store(c, &v[i].code, &v[i].text);
		if (!gx_ec_failed(ec))
			ec = run_item(c, &b->calls[i], &v[i]);
		/* an answer that tells of a failure itself must not stand among others that were kept */
		if (b->atomic && c->inner && !gx_ec_failed(ec))
			ec = GX_EC(ecError);
		set_failure(c, ec, &v[i]);
		*ret_n = i + 1;
		if (b->atomic && gx_ec_failed(ec))
			return ec;
	}
	return GX_OK_EC;
}

static gx_ec check_all(struct gx_call_ctx *c, const struct gx_x_batch_req *b)
{
	gx_ec ec = GX_OK_EC;
	for (uint32_t i = 0; i < b->calls_count && !gx_ec_failed(ec); ++i)
		ec = allowed(c, b->calls[i].call, true);
	return ec;
}

/* All or nothing. What fails besides the calls, up to the commit, stands in the last answer. */
static void run_atomic(struct gx_call_ctx *c, const struct gx_x_batch_req *b, struct gx_x_batch_answer *v, uint32_t *ret_n)
{
	v[0].text = "";
	*ret_n = 1;
	gx_ec ec = check_all(c, b);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (gx_ec_failed(ec)) {
		set_failure(c, ec, &v[0]);
		return;
	}
	c->batch = true;
	ec = run_items(c, b, v, ret_n);
	c->batch = false;
	bool stopped = gx_ec_failed(ec);
	ec = gx_call__end(c, ec, GX_SYNC_NOW);
	if (!stopped && gx_ec_failed(ec))
		set_failure(c, ec, &v[*ret_n - 1]);
}

static gx_ec run_batch(struct gx_call_ctx *c, const struct gx_x_batch_req *b, struct gx_x_batch_ans *ans, const char **ret_why)
{
	struct gx_x_batch_answer *v = gx_arena_new_array(c->a, struct gx_x_batch_answer, b->calls_count);
	if (v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	*ans = (struct gx_x_batch_ans){.answers = v};
	/* of other batches each call is handed on by itself, as some are more than a call to who relays */
	if (b->atomic && gx_relay__takes(c->client, c->dir))
		return gx_exmdb_call(c->client->relay, c->dir, GX_X_BATCH, b, c->a, ans, ret_why);
	if (b->atomic)
		run_atomic(c, b, v, &ans->answers_count);
	else
		(void)run_items(c, b, v, &ans->answers_count);
	return GX_OK_EC;
}

gx_ec gx_exmdb_client_call(struct gx_exmdb_client *cl, const char *dir, const struct gx_call_desc *call, const void *req,
	struct gx_arena *a, void *ret_ans, uint8_t *ret_code, const char **ret_why)
{
	struct gx_call_ctx c = {.host = cl->host, .client = cl, .dir = dir, .a = a};
	*ret_why = "";
	*ret_code = GX_XC_DISPATCH_ERROR;
	if (call->number == GX_X_FEATURES) {
		const struct gx_x_features_req *f = req;
		*(struct gx_x_features_ans *)ret_ans = (struct gx_x_features_ans){f->wanted & (GX_X_FEATURE_BATCH | GX_X_FEATURE_STORE)};
		*ret_code = GX_XC_SUCCESS;
		return GX_OK_EC;
	}
	if (call->number != GX_X_BATCH && call_handlers[call->number] == NULL) {
		*ret_why = "not a call on a store";
		return GX_EC(ecNotSupported);
	}
	gx_ec ec = gx_call__open_store(&c, ret_code, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	if (call->number == GX_X_BATCH)
		ec = run_batch(&c, req, ret_ans, ret_why);
	else
		ec = run(&c, call, req, ret_ans, ret_why);
	gx_store_pool_put(cl->host->o.pool, c.s);
	*ret_code = code_of(ec);
	return ec;
}

uint8_t gx_exmdb_client_connect(struct gx_exmdb_client *cl, const char *dir, bool want_private, struct gx_arena *a, const char **ret_why)
{
	struct gx_call_ctx c = {.host = cl->host, .client = cl, .dir = dir, .a = a};
	uint8_t code;
	*ret_why = "";
	if (gx_ec_failed(gx_call__open_store(&c, &code, ret_why)))
		return code;
	if (gx_relay__takes(cl, dir))
		return gx_relay__connect(cl, dir, want_private, a, ret_why);
	bool fits = is_private(&c) == want_private;
	gx_store_pool_put(cl->host->o.pool, c.s);
	if (!fits)
		*ret_why = want_private ? "the store is a public one" : "the store is a private one";
	return fits ? GX_XC_SUCCESS : GX_XC_MISCONFIG_MODE;
}
