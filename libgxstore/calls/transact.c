/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extension transact: a transaction of a store here, led by another process over one connection. It ends with
 * the connection, and when nothing comes for a while, so that nobody keeps a store's writer by being slow.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/calls/op-int.h"

enum { ANSWERS_MOST = 8 * 1024 * 1024 }; /* bytes after which the rest is not carried out any more */

gx_op_fn gx_op__find(uint8_t number, bool *ret_needs_txn)
{
#define ROW(NAME, name) [GX_O_##NAME] = gx_op__##name
	static const gx_op_fn inside[256] = {
		ROW(FOLDER_GET, folder_get), ROW(FOLDER_LIST, folder_list), ROW(FOLDER_BY_NAME, folder_by_name),
		ROW(FOLDER_CREATE, folder_create), ROW(FOLDER_MOVE, folder_move), ROW(FOLDER_DELETE, folder_delete),
		ROW(FOLDER_SET_SUBSCRIBED, folder_set_subscribed), ROW(FOLDER_GET_PROPS, folder_get_props),
		ROW(FOLDER_SET_PROPS, folder_set_props), ROW(FOLDER_RIGHTS, folder_rights),
		ROW(FOLDER_SET_PERMISSION, folder_set_permission), ROW(FOLDER_VANISHED, folder_vanished), ROW(MSG_GET, msg_get),
		ROW(MSG_GET_PROPS, msg_get_props), ROW(MSG_INSERT, msg_insert), ROW(MSG_CHANGE_FLAGS, msg_change_flags),
		ROW(MSG_DELETE, msg_delete), ROW(MSG_COPY, msg_copy), ROW(MSG_MIME, msg_mime), ROW(MSG_ORIGINAL, msg_original),
		ROW(SEARCH_TEXTS, search_texts), ROW(STORE_GET_PROPS, store_get_props), ROW(STORE_SET_PROPS, store_set_props),
	}, outside[256] = {
		ROW(STAGE, stage), ROW(INFO, info), ROW(SYNC, sync), ROW(KEYWORDS, keywords), ROW(VIEW_OPEN, view_open),
		ROW(VIEW_MORE, view_more), ROW(VIEW_REFRESH, view_refresh), ROW(VIEW_CLOSE, view_close),
	};
#undef ROW
	*ret_needs_txn = inside[number] != NULL;
	return *ret_needs_txn ? inside[number] : outside[number];
}

/* ---- The transaction ---- */

static int64_t now_ms(const struct gx_exmdb_link *l)
{
	return gx_clock_mono_ms(l->client->host->o.clock);
}

static void forget(struct gx_exmdb_link *l)
{
	if (l->s != NULL)
		gx_store_pool_put(l->client->host->o.pool, l->s);
	l->s = NULL;
	l->t = NULL;
	l->until = 0;
	free(l->dir);
	l->dir = NULL;
	gx_arena_reset(l->a);
}

static void fail(struct gx_x_transact_ans *ans, struct gx_arena *a, int err, const char *text)
{
	ans->failure = (uint8_t)-err;
	ans->text = gx_arena_strdup(a, text != NULL && *text != '\0' ? text : gx_strerror(err));
	if (ans->text == NULL)
		ans->text = "";
}

static int copy_actor(struct gx_exmdb_link *l, const struct gx_x_transact_req *q)
{
	const char **groups = gx_arena_new_array(l->a, const char *, (size_t)q->groups_count + 1);
	if (groups == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < q->groups_count; ++i)
		if ((groups[i] = gx_arena_strdup(l->a, q->groups[i])) == NULL)
			return GX_E_NOMEM;
	l->actor = (struct gx_actor){.owner = q->owner, .groups = groups};
	if (q->user != NULL && (l->actor.user = gx_arena_strdup(l->a, q->user)) == NULL)
		return GX_E_NOMEM;
	return 0;
}

static void begin(struct gx_exmdb_link *l, struct gx_call_ctx *c, const struct gx_x_transact_req *q, struct gx_x_transact_ans *ans)
{
	const struct gx_exmdb_host_opts *o = &c->host->o;
	const char *why = "";
	uint8_t code;
	if (l->t != NULL) {
		fail(ans, c->a, GX_E_STATE, "this connection has a transaction already");
		return;
	}
	l->expired = false;
	gx_ec ec = gx_call__open_store(c, &code, &why);
	if (gx_ec_failed(ec)) {
		fail(ans, c->a, gx_ec_to_err(ec), why);
		return;
	}
	l->s = c->s;
	l->dir = strdup(c->dir);
	int err = l->dir == NULL ? GX_E_NOMEM : copy_actor(l, q);
	int deadline = q->deadline_ms < (uint32_t)o->deadline_ms ? (int)q->deadline_ms : o->deadline_ms;
	if (err == 0)
		err = gx_txn_begin(l->s, &l->actor, q->begin == 1 ? GX_TXN_READ : GX_TXN_WRITE, deadline, &l->t);
	if (err != 0) {
		fail(ans, c->a, err, NULL);
		forget(l);
	}
}

static void end(struct gx_exmdb_link *l, struct gx_call_ctx *c, uint8_t how, struct gx_x_transact_ans *ans)
{
	if (l->t == NULL) {
		if (ans->failure == 0 && how != GX_X_END_ABORT)
			fail(ans, c->a, GX_E_STATE, "there is no transaction to be ended");
		return;
	}
	int err = 0;
	if (how == GX_X_END_ABORT || ans->failure != 0)
		gx_txn_abort(l->t);
	else
		err = gx_txn_commit(l->t, how == GX_X_END_COMMIT_SYNC ? GX_SYNC_NOW : GX_SYNC_LATER);
	forget(l);
	if (err != 0)
		fail(ans, c->a, err, NULL);
}

/* ---- Operations ---- */

static gx_ec run(struct gx_op_ctx *c, const struct gx_x_op *op, struct gx_x_op_answer *ret_a)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(c->a)};
	const struct gx_call_desc *d = gx_storeop_call_desc(op->op);
	bool needs;
	gx_op_fn fn = gx_op__find(op->op, &needs);
	if (d == NULL || fn == NULL)
		return gx_call__fail(&c->call, ecNotSupported, "0x%02x is no operation on a store", op->op);
	if (needs && c->t == NULL)
		return gx_call__fail(&c->call, ecNotInitialized, "%s needs a transaction", d->name);
	void *req = d->req != NULL ? gx_arena_alloc(c->a, d->req->size) : NULL;
	void *ans = d->ans != NULL ? gx_arena_calloc(c->a, 1, d->ans->size) : NULL;
	if ((d->req != NULL && req == NULL) || (d->ans != NULL && ans == NULL))
		return gx_ec_from_err(GX_E_NOMEM);
	int err = d->req != NULL ? gx_desc_decode(&x, d->req, op->request.data, op->request.len, req) : op->request.len != 0 ? GX_E_FORMAT : 0;
	if (err != 0)
		return gx_call__fail(&c->call, ecRpcFormat, "%s: request: %s", d->name, gx_strerror(err));
	gx_ec ec = fn(c, req, ans);
	err = !gx_ec_failed(ec) && d->ans != NULL ? gx_desc_encode(&x, d->ans, ans, &ret_a->answer) : 0;
	return err != 0 ? gx_call__fail(&c->call, ecError, "%s: answer: %s", d->name, gx_strerror(err)) : ec;
}

static void run_all(struct gx_op_ctx *c, const struct gx_x_transact_req *q, struct gx_x_transact_ans *ans)
{
	size_t bytes = 0;
	struct gx_x_op_answer *v = gx_arena_new_array(c->a, struct gx_x_op_answer, q->ops_count);
	if (v == NULL) {
		fail(ans, c->a, GX_E_NOMEM, NULL);
		return;
	}
	ans->answers = v;
	for (uint32_t i = 0; i < q->ops_count && (i == 0 || bytes < ANSWERS_MOST); ++i) {
		c->call.why[0] = '\0';
		gx_ec ec = run(c, &q->ops[i], &v[i]);
		const char *why = c->call.why[0] != '\0' || c->t == NULL ? c->call.why : gx_txn_why(c->t);
		v[i].ec = ec.v;
		v[i].text = gx_ec_failed(ec) ? gx_arena_strdup(c->a, why) : "";
		if (v[i].text == NULL)
			v[i].text = "";
		bytes += v[i].answer.len;
		ans->answers_count = i + 1;
	}
}

/* Without a transaction the store is open for the time of the request. */
static void run_outside(struct gx_op_ctx *c, const struct gx_x_transact_req *q, struct gx_x_transact_ans *ans)
{
	const char *why = "";
	uint8_t code;
	gx_ec ec = gx_call__open_store(&c->call, &code, &why);
	if (gx_ec_failed(ec)) {
		fail(ans, c->a, gx_ec_to_err(ec), why);
		return;
	}
	c->s = c->call.s;
	run_all(c, q, ans);
	gx_store_pool_put(c->call.host->o.pool, c->s);
}

/* Whether the request belongs to the transaction that is open, or to none. */
static bool fits(struct gx_exmdb_link *l, const struct gx_call_ctx *c, const struct gx_x_transact_req *q, struct gx_x_transact_ans *ans)
{
	if (q->begin == 0 && l->expired) {
		l->expired = false;
		fail(ans, c->a, GX_E_TIMEOUT, "the transaction was idle for too long and is taken back");
		return false;
	}
	if (l->t != NULL && strcmp(l->dir, c->dir) != 0) {
		fail(ans, c->a, GX_E_INVAL, "the transaction is one of another store");
		return false;
	}
	return true;
}

static void transact(struct gx_exmdb_link *l, struct gx_call_ctx *c, const struct gx_x_transact_req *q, struct gx_x_transact_ans *ans)
{
	*ans = (struct gx_x_transact_ans){.text = "", .boot = c->host->boot};
	if (!fits(l, c, q, ans))
		return;
	if (q->begin != 0)
		begin(l, c, q, ans);
	struct gx_op_ctx x = {.call = *c, .link = l, .s = l->s, .t = l->t, .a = c->a};
	if (ans->failure == 0 && l->t != NULL)
		run_all(&x, q, ans);
	else if (ans->failure == 0 && q->ops_count > 0)
		run_outside(&x, q, ans);
	if (q->end != GX_X_END_NOT || (ans->failure != 0 && l->t != NULL))
		end(l, c, q->end, ans);
	l->until = l->t != NULL ? now_ms(l) + c->host->o.txn_idle_ms : 0;
}

/* The other process takes it back in time; this is for the case that it hangs. */
static void relay(struct gx_exmdb_link *l, const char *dir, const struct gx_x_transact_req *q, struct gx_arena *a, struct gx_x_transact_ans *ans)
{
	const struct gx_call_ctx c = {.dir = dir, .a = a};
	*ans = (struct gx_x_transact_ans){.text = "", .boot = l->client->host->boot};
	if (!fits(l, &c, q, ans))
		return;
	l->expired = false;
	bool open = gx_relaylink__transact(&l->relay, l->client->relay, dir, q, a, ans);
	l->until = open ? now_ms(l) + 2 * (int64_t)l->client->host->o.txn_idle_ms : 0;
}

/* ---- For servers ---- */

int gx_exmdb_link_new(struct gx_exmdb_client *cl, struct gx_exmdb_link **ret_l)
{
	if (cl == NULL || ret_l == NULL)
		return GX_E_INVAL;
	struct gx_exmdb_link *l = calloc(1, sizeof(*l));
	if (l == NULL || (l->a = gx_arena_new(0)) == NULL) {
		free(l);
		return GX_E_NOMEM;
	}
	l->client = cl;
	gx_push_init(&l->staged, cl->host->o.max_message);
	*ret_l = l;
	return 0;
}

void gx_exmdb_link_free(struct gx_exmdb_link *l)
{
	if (l == NULL)
		return;
	gx_txn_abort(l->t);
	forget(l);
	gx_relaylink__free(l->relay);
	gx_push_release(&l->staged);
	gx_arena_free(l->a);
	free(l);
}

gx_ec gx_exmdb_link_call(struct gx_exmdb_link *l, const char *dir, const struct gx_call_desc *call, const void *req,
	struct gx_arena *a, void *ret_ans, uint8_t *ret_code, const char **ret_why)
{
	if (call->number != GX_X_TRANSACT)
		return gx_exmdb_client_call(l->client, dir, call, req, a, ret_ans, ret_code, ret_why);
	struct gx_call_ctx c = {.host = l->client->host, .client = l->client, .dir = dir, .a = a};
	struct gx_x_transact_ans *ans = ret_ans;
	if (gx_relay__takes(l->client, dir))
		relay(l, dir, req, a, ans);
	else
		transact(l, &c, req, ans);
	*ret_why = ans->failure != 0 ? ans->text : "";
	*ret_code = GX_XC_SUCCESS;
	return GX_OK_EC;
}

int64_t gx_exmdb_link_until(const struct gx_exmdb_link *l)
{
	return l == NULL ? 0 : l->until;
}

void gx_exmdb_link_expire(struct gx_exmdb_link *l)
{
	if (l == NULL)
		return;
	bool relayed = l->until != 0 && l->relay != NULL;
	l->until = 0;
	gx_relaylink__free(l->relay);
	l->relay = NULL;
	l->expired = l->expired || relayed;
	if (l->t == NULL)
		return;
	gx_log(l->client->host->o.log, GX_LOG_WARN, "exmdb: %s: a transaction of client %s was idle for too long and is taken back", l->dir,
		l->client->remote_id);
	gx_txn_abort(l->t);
	forget(l);
	l->expired = true;
}
