/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/store-int.h"

/* A whole message object out of its rows. */

#define DEPTH_MAX 64U

struct reading {
	struct gx_txn *t;
	struct gx_arena *a;
	struct gx_bin skel; /* of the outermost message: all slices are of its original */
};

static int damaged(struct gx_txn *t, uint64_t body)
{
	return gx_sql__fail(t->q, GX_E_FORMAT, "%s: message %llx is damaged; see gromox-mbck", t->s->file, (unsigned long long)body);
}

static int unpack(struct reading *x, struct gx_bin b, struct gx_proplist *ret_l)
{
	uint8_t *row = gx_arena_memdup(x->a, b.data, b.len);
	if (row == NULL)
		return GX_E_NOMEM;
	*ret_l = (struct gx_proplist){0};
	int err = gx_prow_unpack(x->a, row, b.len, ret_l);
	return err != 0 ? err : gx_msg__resolve_list(x->t, x->skel, x->a, ret_l);
}

static int read_rcpts(struct reading *x, struct gx_bin b, struct gx_msgobj *m)
{
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	uint64_t count = b.len == 0 ? 0 : gx_pull_varint(&c);
	size_t n = gx_pull_count(&c, count, 1);
	for (size_t i = 0; i < n; i++) {
		size_t len = (size_t)gx_pull_varint(&c);
		const uint8_t *p = gx_pull_bytes(&c, len);
		struct gx_proplist *l = p == NULL ? NULL : gx_msgobj_add_rcpt(m, x->a);
		if (l == NULL)
			return p == NULL ? GX_E_FORMAT : GX_E_NOMEM;
		int err = unpack(x, (struct gx_bin){p, len}, l);
		if (err != 0)
			return err;
	}
	return c.err;
}

static int read_body(struct reading *x, uint64_t body, unsigned depth, struct gx_msgobj **ret_m);

static int read_atts(struct reading *x, uint64_t body, unsigned depth, struct gx_msgobj *m)
{
	GX_STMT(st, x->t->q, "SELECT props,embedded FROM att WHERE body=?1 ORDER BY num");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_attach *at = gx_msgobj_add_attach(m, x->a);
		if (at == NULL)
			return GX_E_NOMEM;
		size_t at_index = m->att_count - 1;
		uint64_t embedded = gx_sql__u64(st, 1);
		struct gx_msgobj *inner = NULL;
		int err = unpack(x, gx_sql__blob(st, 0), &at->props);
		if (err == 0 && embedded != 0)
			err = read_body(x, embedded, depth + 1, &inner);
		if (err != 0)
			return err;
		m->atts[at_index].embedded = inner;
	}
	return r;
}

static int read_body(struct reading *x, uint64_t body, unsigned depth, struct gx_msgobj **ret_m)
{
	struct gx_msgobj *m = gx_msgobj_new(x->a);
	if (m == NULL)
		return GX_E_NOMEM;
	if (depth > DEPTH_MAX)
		return damaged(x->t, body);
	{
		GX_STMT(st, x->t->q, "SELECT props,rcpts FROM body WHERE id=?1");
		gx_sql__bind_int(st, 1, (int64_t)body);
		int r = gx_sql__step(st);
		if (r <= 0)
			return r == 0 ? damaged(x->t, body) : r;
		int err = unpack(x, gx_sql__blob(st, 0), &m->props);
		if (err == 0)
			err = read_rcpts(x, gx_sql__blob(st, 1), m);
		if (err != 0)
			return err == GX_E_FORMAT || err == GX_E_TRUNC ? damaged(x->t, body) : err;
	}
	*ret_m = m;
	return read_atts(x, body, depth, m);
}

/* Named properties stand under their ids in the list; here they get their names back. */
static int name_props(struct reading *x, struct gx_msgobj *m)
{
	size_t k = 0;
	for (size_t i = 0; i < m->props.count; i++) {
		struct gx_propval pv = m->props.v[i];
		uint16_t id = GX_PROP_ID(pv.tag);
		struct gx_propname n;
		if (!GX_PROP_IS_NAMED(pv.tag)) {
			m->props.v[k++] = pv;
			continue;
		}
		gx_ec ec = gx_store_named_names(x->t, &id, 1, x->a, &n);
		if (gx_ec_failed(ec))
			return gx_ec_to_err(ec);
		int err = gx_msgobj_set_named(m, x->a, &n, GX_PROP_TYPE(pv.tag), pv.v);
		if (err != 0)
			return err;
	}
	m->props.count = k;
	for (size_t i = 0; i < m->att_count; i++)
		if (m->atts[i].embedded != NULL) {
			int err = name_props(x, m->atts[i].embedded);
			if (err != 0)
				return err;
		}
	return 0;
}

gx_ec gx_msg_read(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_msgobj **ret_m)
{
	struct gx_msg_row r;
	struct reading x = {.t = t, .a = a};
	struct gx_msgobj *m;
	gx_ec ec = gx_msg__readable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_body__skeleton(t, r.body, a, &x.skel);
	if (err == 0)
		err = read_body(&x, r.body, 0, &m);
	if (err == 0)
		err = name_props(&x, m);
	if (err != 0)
		return gx_txn__ec(t, err);
	*ret_m = m;
	return GX_OK_EC;
}
