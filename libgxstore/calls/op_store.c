/* SPDX-License-Identifier: Apache-2.0 */
/* The store as a whole, and views of folders, which the other process follows by what changed. */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/calls/op-int.h"
#include "libgxstore/view/viewpack.h"

enum { PIECE = 1024 * 1024 }; /* bytes of a view in one answer */

GX_OP(info)
{
	(void)req;
	*(struct gx_o_info_ans *)ans = (struct gx_o_info_ans){gx_store_is_public(c->s), *gx_store_replica(c->s), *gx_store_mailbox_guid(c->s)};
	return GX_OK_EC;
}

/* After the machine has failed, what was committed before may be gone: a flush cannot make it safe any more. */
GX_OP(sync)
{
	const struct gx_o_sync_req *q = req;
	(void)ans;
	if (q->boot != c->call.host->boot)
		return gx_call__fail(&c->call, ecNotInitialized, "the machine was started anew since");
	return gx_ec_from_err(gx_store_sync(c->s));
}

GX_OP(keywords)
{
	const struct gx_o_keywords_req *q = req;
	struct gx_o_keywords_ans *r = ans;
	gx_ec ec = gx_store_keywords(c->s, q->kwset, c->a, &r->names);
	while (!gx_ec_failed(ec) && r->names[r->names_count] != NULL)
		++r->names_count;
	return ec;
}

/* ---- Views ---- */

struct view {
	struct gx_store *s;
	struct gx_fview *f;
	struct gx_root *root; /* what the other side has */
	uint32_t answers;     /* by which it came there */
};

static void view_free(void *p)
{
	struct view *v = p;
	gx_root__unref(v->root);
	gx_fview__close(v->s, v->f);
	free(v);
}

static gx_ec pack_state(struct gx_op_ctx *c, const struct gx_root *r, uint32_t from, struct gx_bin *ret_b)
{
	struct gx_push out = GX_PUSH_INIT;
	gx_viewpack__state(r, from, PIECE, &out);
	int err = gx_push_finish(&out, c->a, ret_b);
	gx_push_release(&out);
	return gx_ec_from_err(err);
}

GX_OP(view_open)
{
	const struct gx_o_view_open_req *q = req;
	struct gx_o_view_open_ans *r = ans;
	unsigned gen;
	struct view *v = calloc(1, sizeof(*v));
	int err = v == NULL ? GX_E_NOMEM : q->fid == 0 ? GX_E_INVAL : gx_fview__open(c->s, q->fid, &v->f, &v->root, &gen);
	if (err != 0) {
		free(v);
		return gx_ec_from_err(err);
	}
	v->s = c->s;
	struct gx_root *root = v->root;
	gx_root__ref(root);
	gx_ec ec = gx_callobj__add(&c->call, GX_OBJ_VIEW, v, view_free, &r->view);
	if (!gx_ec_failed(ec))
		ec = pack_state(c, root, 0, &r->state);
	r->uidvalidity = root->uidvalidity;
	r->uidnext = root->uidnext;
	r->modseq = root->modseq;
	r->count = root->count;
	gx_root__unref(root);
	return ec;
}

GX_OP(view_more)
{
	const struct gx_o_view_more_req *q = req;
	struct gx_callobj *o;
	gx_ec ec = gx_callobj__take(&c->call, GX_OBJ_VIEW, q->view, &o);
	if (gx_ec_failed(ec))
		return ec;
	ec = pack_state(c, ((struct view *)o->p)->root, q->from, &((struct gx_o_view_more_ans *)ans)->state);
	gx_callobj__give(o);
	return ec;
}

static gx_ec tell_changes(struct gx_op_ctx *c, struct view *v, const struct gx_root *now, struct gx_o_view_refresh_ans *r)
{
	struct gx_push out = GX_PUSH_INIT;
	r->whole = !gx_viewpack__changes(v->root, now, PIECE, &out);
	if (r->whole)
		gx_viewpack__state(now, 0, PIECE, &out);
	int err = gx_push_finish(&out, c->a, &r->changes);
	gx_push_release(&out);
	r->uidvalidity = now->uidvalidity;
	r->uidnext = now->uidnext;
	r->modseq = now->modseq;
	r->count = now->count;
	return gx_ec_from_err(err);
}

GX_OP(view_refresh)
{
	const struct gx_o_view_refresh_req *q = req;
	struct gx_callobj *o;
	struct gx_root *now;
	unsigned gen;
	gx_ec ec = gx_callobj__take(&c->call, GX_OBJ_VIEW, q->view, &o);
	if (gx_ec_failed(ec))
		return ec;
	struct view *v = o->p;
	if (v->answers != q->answers) {
		gx_callobj__give(o);
		return gx_call__fail(&c->call, ecNullObject, "an answer about the view was lost");
	}
	int err = gx_fview__root(v->s, v->f, &now, &gen);
	ec = err != 0 ? gx_ec_from_err(err) : tell_changes(c, v, now, ans);
	if (!gx_ec_failed(ec)) {
		gx_root__unref(v->root);
		v->root = now;
		++v->answers;
	} else if (err == 0) {
		gx_root__unref(now);
	}
	gx_callobj__give(o);
	return ec;
}

GX_OP(view_close)
{
	const struct gx_o_view_close_req *q = req;
	(void)ans;
	return gx_callobj__drop(&c->call, GX_OBJ_VIEW, q->view);
}
