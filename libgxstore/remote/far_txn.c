/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the extension transact, and the transactions that are led by them. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/remote/far-store.h"

enum { STAGE_PIECE = 1024 * 1024 };

int64_t gx_far__until(const struct gx_farstore *f)
{
	return gx_remote__deadline(f->r);
}

/* ---- One request ---- */

gx_ec gx_far__take(struct gx_farstore *f, struct gx_arena *a, int64_t until, struct gx_rserver **ret_s, struct gx_rconn **ret_c,
	const char **ret_why)
{
	enum gx_rkind kind;
	gx_ec ec = gx_rserver__find(f->r, f->s->dir, a, ret_s, ret_why);
	if (!gx_ec_failed(ec))
		ec = gx_rserver__kind(*ret_s, f->s->dir, until, a, &kind, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	if (kind != GX_RK_OURS || !((*ret_s)->features & GX_X_FEATURE_STORE)) {
		(void)gx_remote__fail(a, GX_E_UNSUP, ret_why, "%s: that server is of another make or older: it offers no transactions", (*ret_s)->addr);
		return GX_EC(ecNotSupported);
	}
	return gx_rserver__take(*ret_s, f->s->dir, until, a, ret_c, ret_why);
}

static int push_request(struct gx_farstore *f, const struct gx_x_transact_req *q, struct gx_arena *a, struct gx_push *frame)
{
	return gx_xframe_push_request(frame, a, f->s->dir, GX_X_TRANSACT, q);
}

/* The answer is in the connection's buffer, which serves others next: it is copied first. */
static int take_answer(struct gx_bin body, struct gx_arena *a, struct gx_x_transact_ans *ret_ans)
{
	const uint8_t *p = gx_arena_memdup(a, body.data, body.len);
	return p == NULL ? GX_E_NOMEM : gx_xframe_pull_answer((struct gx_bin){p, body.len}, a, gx_exmdb_call_desc(GX_X_TRANSACT), ret_ans);
}

int gx_far__exchange(struct gx_farstore *f, struct gx_rserver *s, struct gx_rconn *c, const struct gx_x_transact_req *q, struct gx_arena *a,
	int64_t until, struct gx_x_transact_ans *ret_ans)
{
	struct gx_push frame = GX_PUSH_INIT;
	struct gx_bin body;
	uint8_t code = GX_XC_INVALID;
	int err = push_request(f, q, a, &frame);
	if (err == 0)
		err = gx_rconn__exchange(c, &frame, s->r->o.max_answer, until, &code, &body);
	gx_push_release(&frame);
	if (err == 0 && code != GX_XC_SUCCESS)
		err = code == GX_XC_LACK_MEMORY ? GX_E_NOMEM : GX_E_IO;
	return err != 0 ? err : take_answer(body, a, ret_ans);
}

int gx_far__pack(uint8_t op, const void *req, struct gx_arena *a, struct gx_x_op *ret_op)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	const struct gx_call_desc *d = gx_storeop_call_desc(op);
	*ret_op = (struct gx_x_op){.op = op};
	return d->req == NULL ? 0 : gx_desc_encode(&x, d->req, req, &ret_op->request);
}

gx_ec gx_far__unpack(uint8_t op, const struct gx_x_op_answer *w, struct gx_arena *a, void *ret_ans)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	const struct gx_call_desc *d = gx_storeop_call_desc(op);
	gx_ec ec = GX_EC(w->ec);
	if (gx_ec_failed(ec) || d->ans == NULL)
		return ec;
	return gx_desc_decode(&x, d->ans, w->answer.data, w->answer.len, ret_ans) == 0 ? ec : GX_EC(ecRpcFormat);
}

/* ---- Outside of transactions ---- */

enum { FORGET_MOST = 64 };

static gx_ec ask_outside(struct gx_farstore *f, const struct gx_x_transact_req *q, struct gx_arena *a, struct gx_x_transact_ans *ret_ans,
	const char **ret_why)
{
	for (;;) {
		struct gx_rserver *s;
		struct gx_rconn *c;
		int64_t until = gx_far__until(f);
		gx_ec ec = gx_far__take(f, a, until, &s, &c, ret_why);
		if (gx_ec_failed(ec))
			return ec;
		bool fresh = c->used_ms == 0;
		int err = gx_far__exchange(f, s, c, q, a, until, ret_ans);
		gx_rserver__give(s, c, err == 0);
		if (err == 0)
			return GX_EC(ecSuccess);
		/* one that was kept may be of a server that is there anew */
		if (fresh || (err != GX_E_TRUNC && err != GX_E_IO))
			return gx_remote__fail(a, err, ret_why, "%s: %s", s->addr, err == GX_E_TRUNC ? "the server has hung up" : gx_strerror(err));
	}
}

gx_ec gx_far__outside(struct gx_farstore *f, uint8_t op, const void *req, struct gx_arena *a, void *ret_ans, const char **ret_why)
{
	struct gx_x_op v[1 + FORGET_MOST];
	struct gx_x_transact_ans ans;
	const char *why = "";
	ret_why = ret_why == NULL ? &why : ret_why;
	*ret_why = "";
	int err = gx_far__pack(op, req, a, &v[0]);
	if (err != 0)
		return gx_ec_from_err(err);
	struct gx_x_transact_req q = {.ops = v, .ops_count = 1 + (uint32_t)gx_far__forgotten(f, a, v + 1, FORGET_MOST)};
	gx_ec ec = ask_outside(f, &q, a, &ans, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	*ret_why = ans.failure != 0 || ans.answers_count == 0 ? ans.text : ans.answers[0].text;
	if (ans.failure != 0)
		return gx_ec_from_err(-(int)ans.failure);
	return ans.answers_count == 0 ? GX_EC(ecRpcFormat) : gx_far__unpack(op, &ans.answers[0], a, ret_ans);
}

/* ---- Transactions ---- */

int gx_far__begin(struct gx_txn *t, int deadline_ms)
{
	struct gx_fartxn *ft = gx_arena_new_obj(t->a, struct gx_fartxn);
	if (ft == NULL || (ft->scratch = gx_arena_new(0)) == NULL)
		return GX_E_NOMEM;
	ft->deadline_ms = deadline_ms < 0 ? 0 : deadline_ms;
	t->far = ft;
	return 0;
}

static void put_begin(const struct gx_txn *t, struct gx_x_transact_req *q)
{
	const struct gx_fartxn *ft = t->far;
	q->begin = t->mode == GX_TXN_READ ? 1 : 2;
	q->deadline_ms = (uint32_t)ft->deadline_ms;
	q->user = t->actor->user;
	q->owner = t->actor->owner;
	q->groups = t->actor->groups;
	while (q->groups != NULL && q->groups[q->groups_count] != NULL)
		++q->groups_count;
}

/* Without its connection the transaction is gone there. */
static void drop(struct gx_fartxn *ft, bool usable)
{
	if (ft->c != NULL)
		gx_rserver__give(ft->server, ft->c, usable);
	ft->c = NULL;
}

static int broken(struct gx_txn *t, int err, const char *why)
{
	drop(t->far, false);
	t->broken = err == GX_E_TRUNC ? GX_E_IO : err;
	snprintf(t->why, sizeof(t->why), "%s", why != NULL && *why != '\0' ? why : err == GX_E_TRUNC ?
		"the owner of the store has hung up" : gx_strerror(err));
	return t->broken;
}

/* The first request, on a connection that may turn out to be one to a server of before. Nothing is committed by it. */
static int start(struct gx_txn *t, const struct gx_x_transact_req *q, struct gx_arena *a, struct gx_x_transact_ans *ret_ans)
{
	struct gx_fartxn *ft = t->far;
	struct gx_farstore *f = t->s->far;
	struct gx_x_transact_req first = *q;
	const char *why = "";
	put_begin(t, &first);
	for (;;) {
		int64_t until = gx_far__until(f);
		gx_ec ec = gx_far__take(f, ft->scratch, until, &ft->server, &ft->c, &why);
		if (gx_ec_failed(ec)) {
			ft->c = NULL;
			return broken(t, gx_ec_to_err(ec), why);
		}
		bool fresh = ft->c->used_ms == 0;
		int err = gx_far__exchange(f, ft->server, ft->c, &first, a, until, ret_ans);
		if (err == 0)
			return 0;
		if (fresh || (err != GX_E_TRUNC && err != GX_E_IO))
			return broken(t, err, NULL);
		drop(ft, false);
	}
}

static int ask(struct gx_txn *t, const struct gx_x_transact_req *q, struct gx_arena *a, struct gx_x_transact_ans *ret_ans)
{
	struct gx_fartxn *ft = t->far;
	struct gx_farstore *f = t->s->far;
	if (t->broken != 0)
		return t->broken;
	int err;
	if (ft->c == NULL)
		err = start(t, q, a, ret_ans);
	else if ((err = gx_far__exchange(f, ft->server, ft->c, q, a, gx_far__until(f), ret_ans)) != 0)
		err = broken(t, err, NULL);
	if (err != 0 || ret_ans->failure == 0)
		return err;
	return broken(t, -(int)ret_ans->failure, ret_ans->text);
}

int gx_far__ops(struct gx_txn *t, const struct gx_x_op *v, uint32_t n, struct gx_arena *a, struct gx_x_transact_ans *ret_ans)
{
	const struct gx_x_transact_req q = {.ops = v, .ops_count = n};
	return ask(t, &q, a, ret_ans);
}

static gx_ec failed(struct gx_txn *t)
{
	return t->broken == GX_E_IO ? GX_EC(ecRpcFailed) : gx_ec_from_err(t->broken);
}

gx_ec gx_far__op(struct gx_txn *t, uint8_t op, const void *req, struct gx_arena *a, void *ret_ans)
{
	struct gx_fartxn *ft = t->far;
	struct gx_x_transact_ans ans;
	struct gx_x_op v;
	gx_arena_reset(ft->scratch);
	if (t->mode == GX_TXN_WRITE) /* it may change what was read ahead */
		gx_farahead__clear(ft->ahead);
	int err = gx_far__pack(op, req, ft->scratch, &v);
	if (err != 0)
		return gx_ec_from_err(err);
	if (gx_far__ops(t, &v, 1, a != NULL ? a : ft->scratch, &ans) != 0)
		return failed(t);
	if (ans.answers_count == 0)
		return GX_EC(ecRpcFormat);
	snprintf(t->why, sizeof(t->why), "%s", ans.answers[0].text);
	return gx_far__unpack(op, &ans.answers[0], a != NULL ? a : ft->scratch, ret_ans);
}

/* ---- A message in pieces ---- */

static int send_piece(struct gx_txn *t, struct gx_bin piece, bool first)
{
	struct gx_fartxn *ft = t->far;
	struct gx_farstore *f = t->s->far;
	const struct gx_o_stage_req s = {.first = first, .data = piece};
	struct gx_push frame = GX_PUSH_INIT;
	struct gx_x_op v;
	gx_arena_reset(ft->scratch);
	int err = gx_far__pack(GX_O_STAGE, &s, ft->scratch, &v);
	const struct gx_x_transact_req q = {.ops = &v, .ops_count = 1, .quiet = true};
	if (err == 0)
		err = push_request(f, &q, ft->scratch, &frame);
	if (err == 0)
		err = gx_rconn__send(ft->c, frame.data, frame.len, gx_far__until(f));
	gx_push_release(&frame);
	return err;
}

/* Nobody answers a piece: the insertion tells how it went. */
int gx_far__stage(struct gx_txn *t, struct gx_bin data)
{
	struct gx_fartxn *ft = t->far;
	struct gx_x_transact_ans ans;
	if (t->broken != 0)
		return t->broken;
	if (ft->c == NULL && gx_far__ops(t, NULL, 0, ft->scratch, &ans) != 0)
		return t->broken;
	for (size_t off = 0; off < data.len; off += STAGE_PIECE) {
		size_t n = data.len - off < STAGE_PIECE ? data.len - off : STAGE_PIECE;
		int err = send_piece(t, (struct gx_bin){data.data + off, n}, off == 0);
		if (err != 0)
			return broken(t, err, NULL);
	}
	return 0;
}

/* ---- The end ---- */

static void release(struct gx_txn *t)
{
	struct gx_fartxn *ft = t->far;
	drop(ft, true);
	gx_arena_free(ft->scratch);
	gx_arena_free(ft->mime);
	gx_farahead__free(ft->ahead);
}

/* Nobody has to wait for it. */
static void end_quietly(struct gx_txn *t)
{
	struct gx_fartxn *ft = t->far;
	struct gx_farstore *f = t->s->far;
	const struct gx_x_transact_req q = {.end = GX_X_END_ABORT, .quiet = true};
	struct gx_push frame = GX_PUSH_INIT;
	gx_arena_reset(ft->scratch);
	int err = push_request(f, &q, ft->scratch, &frame);
	if (err == 0)
		err = gx_rconn__send(ft->c, frame.data, frame.len, gx_far__until(f));
	gx_push_release(&frame);
	if (err != 0)
		drop(ft, false);
}

void gx_far__abort(struct gx_txn *t)
{
	struct gx_fartxn *ft = t->far;
	if (ft->c != NULL)
		end_quietly(t);
	release(t);
}

static void note_commit(struct gx_farstore *f, uint64_t boot)
{
	pthread_mutex_lock(&f->lock);
	if (f->boot != 0 && f->boot != boot)
		f->lost = true;
	f->boot = boot;
	++f->commits;
	pthread_mutex_unlock(&f->lock);
}

static int commit(struct gx_txn *t, int sync)
{
	struct gx_fartxn *ft = t->far;
	const struct gx_x_transact_req q = {.end = sync == GX_SYNC_NOW ? GX_X_END_COMMIT_SYNC : GX_X_END_COMMIT};
	struct gx_x_transact_ans ans;
	if (t->broken != 0 || ft->c == NULL) /* nothing was done */
		return t->broken;
	gx_arena_reset(ft->scratch);
	int err = ask(t, &q, ft->scratch, &ans);
	if (err != 0)
		return err;
	if (sync != GX_SYNC_NOW)
		note_commit(t->s->far, ans.boot);
	return 0;
}

int gx_far__commit(struct gx_txn *t, int sync)
{
	struct gx_store *s = t->s;
	int err = t->broken;
	if (t->mode == GX_TXN_READ) {
		gx_far__abort(t);
		return err;
	}
	err = commit(t, sync);
	release(t);
	/* who made the change sees it with the next look, whenever the news of it come */
	gx_views__stale(s, 0);
	return err;
}
