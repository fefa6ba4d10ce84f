/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/far-int.h"
#include "libgxstore/message/msg-int.h"

/* Properties of stored messages; written ones see msg_edit.c. */

int gx_rcpts__unpack(struct gx_bin blob, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n)
{
	struct gx_pull c;
	gx_pull_init(&c, blob.data, blob.len);
	uint64_t count = blob.len == 0 ? 0 : gx_pull_varint(&c);
	size_t n = gx_pull_count(&c, count, 1);
	struct gx_proplist *v = gx_arena_new_array(a, struct gx_proplist, n);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n && c.err == 0; i++) {
		size_t len = (size_t)gx_pull_varint(&c);
		const uint8_t *p = gx_pull_bytes(&c, len);
		int err = p == NULL ? c.err : gx_prow_unpack(a, p, len, &v[i]);
		if (err != 0)
			return err;
	}
	*ret_v = v;
	*ret_n = n;
	return c.err;
}

int gx_body__rcpts(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n)
{
	GX_STMT(st, t->q, "SELECT rcpts FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r < 0 ? r : gx_sql__fail(t->q, GX_E_FORMAT, "%s: body %llx is missing", t->s->file, (unsigned long long)body);
	struct gx_bin b = gx_sql__blob(st, 0);
	uint8_t *p = gx_arena_memdup(a, b.data, b.len);
	if (p == NULL)
		return GX_E_NOMEM;
	int err = gx_rcpts__unpack((struct gx_bin){p, b.len}, a, ret_v, ret_n);
	return err == GX_E_FORMAT || err == GX_E_TRUNC ?
		gx_sql__fail(t->q, GX_E_FORMAT, "%s: recipients of body %llx are damaged", t->s->file, (unsigned long long)body) : err;
}

static int load_rcpts(struct gx_msg_view *v, struct gx_proplist **ret_v, size_t *ret_n)
{
	return gx_body__rcpts(v->t, v->row->body, v->a, ret_v, ret_n);
}

int gx_msg__view(struct gx_msg_view *ret_v, struct gx_txn *t, const struct gx_msg_row *r, struct gx_arena *a, struct gx_proplist *stored)
{
	*ret_v = (struct gx_msg_view){.t = t, .a = a, .row = r, .stored = stored, .load_rcpts = load_rcpts};
	return gx_body__stored(t, r->body, a, stored);
}

int gx_msg__resolve(struct gx_txn *t, struct gx_bin skel, struct gx_arena *a, struct gx_propval *pv)
{
	union gx_value v;
	int err = gx_extern__resolve(t->c->cio, t->q, skel, pv->tag, pv->v.bin, a, &v);
	if (err != 0)
		return gx_sql__fail(t->q, err, "%s", gx_cio__why(t->c->cio));
	pv->tag &= ~(gx_proptag_t)GX_PROW_EXTERN;
	pv->v = v;
	return 0;
}

int gx_msg__resolve_list(struct gx_txn *t, struct gx_bin skel, struct gx_arena *a, struct gx_proplist *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->v[i].tag & GX_PROW_EXTERN) {
			int err = gx_msg__resolve(t, skel, a, &l->v[i]);
			if (err != 0)
				return err;
		}
	return 0;
}

/* The skeleton is read when the first value needs it. */
struct asking {
	struct gx_msg_view *v;
	struct gx_bin skel;
};

static int read_value(void *ctx, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv)
{
	struct asking *q = ctx;
	int err = gx_msg__value(q->v, tag, ret_pv);
	if (err != 0 || !(ret_pv->tag & GX_PROW_EXTERN))
		return err;
	if (q->skel.data == NULL)
		err = gx_body__skeleton(q->v->t, q->v->row->body, a, &q->skel);
	return err != 0 ? err : gx_msg__resolve(q->v->t, q->skel, a, ret_pv);
}

static int select_some(struct gx_msg_view *v, const gx_proptag_t *tags, size_t n, struct gx_proplist *l)
{
	struct asking q = {.v = v};
	const struct gx_bodies b = {.s = v->t->s, .get = read_value, .ctx = &q, .native = gx_msg__native_body(v->stored)};
	for (size_t i = 0; i < n; i++) {
		struct gx_propval pv;
		int err = read_value(&q, tags[i], v->a, &pv);
		if (err == GX_E_NOTFOUND)
			err = gx_bodies__make(&b, tags[i], v->a, &pv);
		if (err == 0)
			err = gx_proplist_set(l, v->a, pv.tag, pv.v);
		if (err != 0 && err != GX_E_NOTFOUND)
			return err;
	}
	return 0;
}

static int select_plain(struct gx_msg_view *v, struct gx_proplist *l)
{
	for (size_t i = 0; i < v->stored->count; i++) {
		const struct gx_propval *pv = &v->stored->v[i];
		if ((pv->tag & GX_PROW_EXTERN) || gx_msg__is_computed(pv->tag))
			continue;
		int err = gx_proplist_set(l, v->a, pv->tag, pv->v);
		if (err != 0)
			return err;
	}
	return gx_msg__all_computed(v, l);
}

gx_ec gx_msg_get_props(struct gx_txn *t, uint64_t mid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_get_props(t, mid, tags, n, a, ret_l);
	struct gx_msg_row r;
	struct gx_msg_view v;
	struct gx_proplist stored, l = {0};
	gx_ec ec = gx_msg__readable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_msg__view(&v, t, &r, a, &stored);
	if (err == 0)
		err = n == 0 ? select_plain(&v, &l) : select_some(&v, tags, n, &l);
	if (err != 0)
		return gx_txn__ec(t, err);
	*ret_l = l;
	return GX_OK_EC;
}
