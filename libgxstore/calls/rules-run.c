/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/storeset.h>
#include "libgxstore/calls/rules-run.h"
#include "libgxstore/message/msgsrc.h"

enum { ACTIONS_MAX = 64 };

struct run {
	struct gx_call_ctx *c;
	uint64_t fid, mid;
	uint64_t to_fid, to_mid;  /* the first place that it was moved to */
	bool gone;                /* moved or deleted: the original goes at the end */
	const struct gx_rule **v;
	size_t n, cap;
	struct gx_msgobj *message; /* for those who deliver, once one is needed */
	size_t first_out;          /* of what this run hands out */
};

/* ---- Which rules ---- */

static int note_rule(const struct gx_rule *r, void *ctx)
{
	struct run *x = ctx;
	x->v = gx_arena_grow(x->c->a, (void *)x->v, &x->cap, x->n + 1, sizeof(*x->v));
	struct gx_rule *own = x->v == NULL ? NULL : gx_arena_memdup(x->c->a, r, sizeof(*r));
	if (own == NULL)
		return GX_E_NOMEM;
	x->v[x->n++] = own;
	return 0;
}

static gx_ec find_rules(struct run *x)
{
	struct gx_rules_env env = GX_RULES_ENV_INIT;
	struct gx_msgsrc src;
	struct gx_oof oof;
	gx_ec ec = gx_oof_get(x->c->t, x->c->a, &oof);
	if (gx_ec_failed(ec))
		return ec;
	env.oof_active = gx_oof_active(&oof, gx_clock_nttime(x->c->host->o.clock));
	gx_msgsrc__init(&src, x->c->t, x->c->a);
	ec = gx_txn__ec(x->c->t, gx_msgsrc__set_mid(&src, x->mid));
	if (!gx_ec_failed(ec))
		ec = gx_rules_match(x->c->t, x->fid, &src.src, &env, x->c->a, note_rule, x);
	gx_msgsrc__release(&src);
	return ec;
}

/* ---- What they do ---- */

static bool local_id(uint64_t eid, uint64_t *ret_id)
{
	*ret_id = gx_eid_counter(eid);
	return gx_eid_replica(eid) == 1 && *ret_id != 0;
}

/* PtypServerId of ours: 1, folder, message, instance. [MS-OXCDATA] 2.11.1.4 */
static bool of_server_id(struct gx_bin b, uint64_t *ret_fid)
{
	struct gx_pull p;
	gx_pull_init(&p, b.data, b.len);
	return gx_pull_u8(&p) == 1 && local_id(gx_pull_u64(&p), ret_fid) && p.err == 0;
}

static bool of_entryid(struct run *x, struct gx_bin b, uint64_t *ret_fid)
{
	const struct gx_dctx d = GX_DCTX(x->c->a);
	struct gx_folder_eid e;
	if (gx_entryid_kind(b) != GX_ENTRYID_FOLDER_EID || gx_desc_decode(&d, gx_entryid_desc(GX_ENTRYID_FOLDER_EID), b.data, b.len, &e) != 0)
		return false;
	*ret_fid = e.counter;
	return gx_guid_cmp(&e.database, gx_store_replica(x->c->s)) == 0;
}

static gx_ec transfer(struct run *x, const struct gx_x_action *a)
{
	uint64_t fid = 0;
	struct gx_msg_ids ids = {0};
	bool here = a->same_store != 0 ? of_server_id(a->folder_id, &fid) : of_entryid(x, a->folder_eid, &fid);
	if (!here)
		return GX_EC(ecNotFound);
	gx_ec ec = gx_msg_copy(x->c->t, x->fid, &x->mid, 1, fid, false, &ids);
	if (gx_ec_failed(ec) || a->type == GX_X_OP_COPY)
		return ec;
	x->gone = true;
	if (x->to_mid == 0) {
		x->to_fid = fid;
		x->to_mid = ids.mid;
	}
	return ec;
}

static gx_ec tag(struct run *x, const struct gx_propval *pv)
{
	struct gx_proplist l = {0};
	int err = gx_proplist_set(&l, x->c->a, pv->tag, pv->v);
	return err != 0 ? gx_call__err(x->c, err) : gx_msg_set_props(x->c->t, x->mid, &l);
}

static void left_out(struct run *x, const struct gx_rule *r, unsigned type, const char *why)
{
	gx_log(x->c->host->o.log, GX_LOG_NOTICE, "%s: rule \"%s\" of folder %llx: an action of type %u is %s, left out", x->c->dir, r->name,
	       (unsigned long long)x->fid, type, why);
}

/* What the store cannot do goes to the host, with the message as it is before anything is done with it. */
static gx_ec hand_out(struct run *x, const struct gx_rule *r, const struct gx_x_action *a)
{
	const struct gx_exmdb_host_opts *o = &x->c->host->o;
	struct gx_call_ctx *c = x->c;
	if (o->on_action == NULL || a->type < GX_X_OP_REPLY || a->type > GX_X_OP_DELEGATE) {
		left_out(x, r, a->type, "not one of the store");
		return GX_OK_EC;
	}
	if (c->nout >= (o->max_actions != 0 ? o->max_actions : ACTIONS_MAX)) {
		left_out(x, r, a->type, "one too many");
		return GX_OK_EC;
	}
	gx_ec ec = x->message != NULL ? GX_OK_EC : gx_msg_read(c->t, x->mid, c->a, &x->message);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_exmdb_action *v = gx_arena_grow(c->a, c->out, &c->out_cap, c->nout + 1, sizeof(*v));
	struct gx_x_action *own = v == NULL ? NULL : gx_arena_memdup(c->a, a, sizeof(*a));
	if (own == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	c->out = v;
	c->out[c->nout++] = (struct gx_exmdb_action){.dir = c->dir, .fid = x->fid, .rule_id = r->id, .rule = r->name, .provider = r->provider,
		.message = x->message, .action = own};
	return GX_OK_EC;
}

static gx_ec act(struct run *x, const struct gx_rule *r, const struct gx_x_action *a)
{
	switch (a->type) {
	case GX_X_OP_MOVE:
	case GX_X_OP_COPY:
		return transfer(x, a);
	case GX_X_OP_TAG:
		return tag(x, &a->tag);
	case GX_X_OP_MARK_READ:
		return gx_msg_set_read(x->c->t, x->mid, GX_RF_SUPPRESS_RECEIPT, NULL);
	case GX_X_OP_DELETE:
		x->gone = true;
		return GX_OK_EC;
	default:
		return hand_out(x, r, a);
	}
}

/* The target is gone, full or closed: clients show the rule as one that has failed. [MS-OXORULE] 2.2.1.3.1.3 */
static gx_ec failed(struct run *x, const struct gx_rule *r, gx_ec why)
{
	gx_log(x->c->host->o.log, GX_LOG_NOTICE, "%s: rule \"%s\" of folder %llx failed: %s", x->c->dir, r->name, (unsigned long long)x->fid,
	       gx_ec_name(why));
	return r->extended ? GX_OK_EC : gx_rules_set_state(x->c->t, x->fid, r->id, ST_ERROR, 0);
}

static bool is_answer(gx_ec ec)
{
	return gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecNotSupported) || gx_ec_is(ec, ecInvalidParam) || gx_ec_is(ec, ecQuotaExceeded);
}

static gx_ec run_rule(struct run *x, const struct gx_rule *r)
{
	const struct gx_dctx d = {.px = GX_PX_EXT(x->c->a)};
	struct gx_x_actions v;
	if (r->extended || gx_desc_decode(&d, gx_exmdb_desc(GX_EXMDB_X_ACTIONS), r->actions.data, r->actions.len, &v) != 0) {
		gx_log(x->c->host->o.log, GX_LOG_NOTICE, "%s: rule \"%s\" of folder %llx: its actions are not in the form of the store, left out",
		       x->c->dir, r->name, (unsigned long long)x->fid);
		return GX_OK_EC;
	}
	gx_ec ec = GX_OK_EC;
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < v.blocks_count; ++i)
		ec = act(x, r, &v.blocks[i].action);
	return gx_ec_failed(ec) && is_answer(ec) ? failed(x, r, ec) : ec;
}

gx_ec gx_rules__run(struct gx_call_ctx *c, uint64_t *io_fid, uint64_t *io_mid)
{
	struct run x = {.c = c, .fid = *io_fid, .mid = *io_mid, .first_out = c->nout};
	gx_ec ec = find_rules(&x);
	for (size_t i = 0; !gx_ec_failed(ec) && i < x.n; ++i)
		ec = run_rule(&x, x.v[i]);
	if (!gx_ec_failed(ec) && x.gone) {
		ec = gx_msg_delete(c->t, x.fid, &x.mid, 1, x.to_mid != 0);
		*io_fid = x.to_fid;
		*io_mid = x.to_mid;
	}
	for (size_t i = x.first_out; i < c->nout; ++i) {
		c->out[i].at_fid = *io_mid != 0 ? *io_fid : 0;
		c->out[i].at_mid = *io_mid;
	}
	return ec;
}
