/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/restr.h>
#include "libgxstore/msg-int.h"

/* A message as what a restriction is evaluated on. Its rows are read when the first property is asked for. */

struct source {
	struct gx_txn *t;
	const struct gx_msg_row *r;
	struct gx_arena *a;
	struct gx_msg_view view;
	struct gx_proplist stored;
	struct gx_bin skel;
	bool loaded;
};

static int resolve(struct source *x, struct gx_propval *pv)
{
	if (!(pv->tag & GX_PROW_EXTERN))
		return 0;
	int err = x->skel.data != NULL ? 0 : gx_body__skeleton(x->t, x->r->body, x->a, &x->skel);
	return err != 0 ? err : gx_msg__resolve(x->t, x->skel, x->a, pv);
}

static int get(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	struct source *x = ctx;
	int err = x->loaded ? 0 : gx_msg__view(&x->view, x->t, x->r, x->a, &x->stored);
	x->loaded = x->loaded || err == 0;
	if (err == 0)
		err = gx_msg__value(&x->view, tag, ret_pv);
	if (err == 0)
		err = resolve(x, ret_pv);
	return err == GX_E_NOTFOUND ? 0 : err != 0 ? err : 1;
}

static int tell(struct source *x, struct gx_proplist *l, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < l->count; i++)
		err = resolve(x, &l->v[i]);
	if (err != 0)
		return err;
	const struct gx_propsrc src = gx_propsrc_list(l);
	return cb(&src, cb_ctx);
}

static int each_rcpt(struct source *x, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx)
{
	struct gx_proplist *v;
	size_t n = 0;
	int r = gx_body__rcpts(x->t, x->r->body, x->a, &v, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = tell(x, &v[i], cb, cb_ctx);
	return r;
}

static int each_attachment(struct source *x, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx)
{
	GX_STMT(st, x->t->q, "SELECT props FROM att WHERE body=?1 ORDER BY num");
	gx_sql__bind_int(st, 1, (int64_t)x->r->body);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_bin row = gx_sql__blob(st, 0);
		struct gx_proplist l = {0};
		int stop = gx_prow_unpack(x->a, row.data, row.len, &l);
		stop = stop != 0 ? stop : tell(x, &l, cb, cb_ctx);
		if (stop != 0)
			return stop;
	}
	return r;
}

static int each(gx_proptag_t subobject, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx, void *ctx)
{
	switch (GX_PROP_ID(subobject)) {
	case GX_PROP_ID(PidTagMessageRecipients):
		return each_rcpt(ctx, cb, cb_ctx);
	case GX_PROP_ID(PidTagMessageAttachments):
		return each_attachment(ctx, cb, cb_ctx);
	default:
		return 0;
	}
}

int gx_msg__matches(struct gx_txn *t, const struct gx_msg_row *r, const struct gx_restr *restr, struct gx_arena *a, bool *ret_match)
{
	struct source x = {.t = t, .r = r, .a = a};
	const struct gx_propsrc src = {.get = get, .each = each, .ctx = &x};
	return gx_restr_eval(restr, &src, ret_match);
}
