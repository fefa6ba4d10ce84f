/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/message/msgsrc.h"
#include "libgxstore/people-int.h"

static int load_rcpts(struct gx_msg_view *v, struct gx_proplist **ret_v, size_t *ret_n)
{
	const struct gx_msgsrc *x = v->ctx;
	return gx_rcpts__unpack(x->rcpts, v->a, ret_v, ret_n);
}

/* The statement stays at the row, so that nothing of it is copied. */
static int load(struct gx_msgsrc *x)
{
	if (x->loaded)
		return 0;
	if (x->st == NULL)
		x->st = gx_sql__stmt(x->t->q, "SELECT props,rcpts FROM body WHERE id=?1");
	gx_sql__reset(x->st);
	gx_sql__bind_int(x->st, 1, (int64_t)x->row.body);
	int r = gx_sql__step(x->st);
	if (r < 0)
		return r;
	if (r == 0)
		return gx_sql__fail(x->t->q, GX_E_FORMAT, "%s: body %llx is missing; see gromox-mbck", x->t->s->file,
			(unsigned long long)x->row.body);
	x->props = gx_sql__blob(x->st, 0);
	x->rcpts = gx_sql__blob(x->st, 1);
	x->loaded = true;
	return 0;
}

static int unpack(struct gx_msgsrc *x)
{
	int err = x->unpacked ? 0 : load(x);
	if (err != 0 || x->unpacked)
		return err;
	x->stored = (struct gx_proplist){0};
	err = gx_prow_unpack(x->a, x->props.data, x->props.len, &x->stored);
	x->unpacked = err == 0;
	return err;
}

int gx_msgsrc__stored(struct gx_msgsrc *x, const struct gx_proplist **ret_l)
{
	int err = unpack(x);
	*ret_l = &x->stored;
	return err;
}

static int resolve(struct gx_msgsrc *x, struct gx_propval *pv)
{
	if (!(pv->tag & GX_PROW_EXTERN))
		return 1;
	int err = x->have_skel ? 0 : gx_body__skeleton(x->t, x->row.body, x->a, &x->skel);
	if (err == 0) {
		x->have_skel = true;
		err = gx_msg__resolve(x->t, x->skel, x->a, pv);
	}
	return err != 0 ? err : 1;
}

/* As it stands: a value held elsewhere keeps its mark. */
static int find(struct gx_msgsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	bool by_row = gx_msg__is_by_row(tag), all = by_row || x->unpacked || gx_msg__is_computed(tag);
	int err = by_row ? 0 : all ? unpack(x) : load(x);
	if (err == 0)
		err = all ? gx_msg__value(&x->view, tag, ret_pv) : gx_msg__packed_value(x->props, tag, x->a, ret_pv);
	return err == GX_E_NOTFOUND ? 0 : err != 0 ? err : 1;
}

int gx_msgsrc__get(struct gx_msgsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	int r = find(x, tag, ret_pv);
	return r <= 0 ? r : resolve(x, ret_pv);
}

/* ---- Bodies that are made of others ---- */

static int read_body(void *ctx, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv)
{
	(void)a;
	int r = gx_msgsrc__get(ctx, tag, ret_pv);
	return r == 0 ? GX_E_NOTFOUND : r < 0 ? r : 0;
}

int gx_msgsrc__shown(struct gx_msgsrc *x, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	int r = gx_msgsrc__get(x, tag, ret_pv);
	if (r != 0 || !gx_bodies__is_format(tag))
		return r;
	if ((r = unpack(x)) != 0) /* which format is the native one */
		return r;
	const struct gx_bodies b = {.s = x->t->s, .get = read_body, .ctx = x, .native = gx_msg__native_body(&x->stored)};
	r = gx_bodies__make(&b, tag, x->a, ret_pv);
	return r == GX_E_NOTFOUND ? 0 : r != 0 ? r : 1;
}

static int get(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	return gx_msgsrc__shown(ctx, tag, ret_pv);
}

static int member_of(gx_proptag_t tag, const struct gx_bin *dl, void *ctx)
{
	struct gx_msgsrc *x = ctx;
	return gx_people__member(x->t->s, x->a, tag, *dl, get, x);
}

/* Large values are measured where they lie. */
static int size_of(gx_proptag_t tag, uint64_t *ret_size, void *ctx)
{
	struct gx_propval pv;
	int r = find(ctx, tag, &pv);
	if (r <= 0)
		return r;
	if (pv.tag & GX_PROW_EXTERN) {
		int err = gx_extern__size(pv.v.bin, ret_size);
		return err != 0 ? err : 1;
	}
	*ret_size = gx_value_size(GX_PROP_TYPE(pv.tag), &pv.v);
	return 1;
}

/* ---- Recipients and attachments, for RES_SUBRESTRICTION ---- */

struct sub {
	struct gx_msgsrc *x;
	struct gx_bin row;
};

static int sub_get(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	struct sub *s = ctx;
	int err = gx_prow_find(s->row.data, s->row.len, tag, s->x->a, ret_pv);
	return err == GX_E_NOTFOUND ? 0 : err != 0 ? err : resolve(s->x, ret_pv);
}

static int sub_member_of(gx_proptag_t tag, const struct gx_bin *dl, void *ctx)
{
	struct sub *s = ctx;
	return gx_people__member(s->x->t->s, s->x->a, tag, *dl, sub_get, s);
}

static int each_rcpt(struct gx_msgsrc *x, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx)
{
	struct gx_pull c;
	int r = load(x);
	if (r != 0 || x->rcpts.len == 0)
		return r;
	gx_pull_init(&c, x->rcpts.data, x->rcpts.len);
	uint64_t count = gx_pull_varint(&c);
	size_t n = gx_pull_count(&c, count, 1);
	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t len = (size_t)gx_pull_varint(&c);
		struct sub s = {x, {gx_pull_bytes(&c, len), len}};
		struct gx_propsrc src = {.get = sub_get, .member_of = sub_member_of, .ctx = &s};
		r = c.err != 0 ? c.err : cb(&src, cb_ctx);
	}
	return r != 0 ? r : c.err;
}

static int each_attachment(struct gx_msgsrc *x, int (*cb)(const struct gx_propsrc *sub, void *cb_ctx), void *cb_ctx)
{
	GX_STMT(st, x->t->q, "SELECT props FROM att WHERE body=?1 ORDER BY num");
	gx_sql__bind_int(st, 1, (int64_t)x->row.body);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct sub s = {x, gx_sql__blob(st, 0)};
		struct gx_propsrc src = {.get = sub_get, .ctx = &s};
		int stop = cb(&src, cb_ctx);
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

void gx_msgsrc__init(struct gx_msgsrc *x, struct gx_txn *t, struct gx_arena *a)
{
	*x = (struct gx_msgsrc){.src = {.get = get, .size = size_of, .each = each, .member_of = member_of}, .t = t, .a = a};
	x->src.ctx = x;
}

void gx_msgsrc__release(struct gx_msgsrc *x)
{
	gx_sql__done(x->st);
	x->st = NULL;
	x->loaded = x->unpacked = false;
}

void gx_msgsrc__set(struct gx_msgsrc *x, const struct gx_msg_row *r)
{
	x->row = *r;
	x->loaded = x->unpacked = x->have_skel = false;
	x->stored = (struct gx_proplist){0};
	x->view = (struct gx_msg_view){
		.t = x->t, .a = x->a, .row = &x->row, .stored = &x->stored, .load_rcpts = load_rcpts, .ctx = x};
}

void gx_msgsrc__set_body(struct gx_msgsrc *x, const struct gx_msg_row *r, struct gx_bin props, struct gx_bin rcpts)
{
	gx_msgsrc__set(x, r);
	x->props = props;
	x->rcpts = rcpts;
	x->loaded = true;
}

int gx_msgsrc__set_mid(struct gx_msgsrc *x, uint64_t mid)
{
	struct gx_msg_row r;
	int err = gx_msg__row(x->t, mid, &r);
	if (err == 0)
		gx_msgsrc__set(x, &r);
	return err;
}
