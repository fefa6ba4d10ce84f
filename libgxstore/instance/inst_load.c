/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/instance/inst-int.h"

/* Stored messages come into memory: rows at once, attachments when they are asked for, large values never. */

static int damaged(struct gx_txn *t, uint64_t body)
{
	return gx_sql__fail(t->q, GX_E_FORMAT, "%s: message body %llx is damaged; see gromox-mbck", t->s->file, (unsigned long long)body);
}

/* Recipients without an id of their own are numbered as they stand. */
static int load_rcpts(struct gx_imsg *m, struct gx_bin blob)
{
	struct gx_ibuf *buf;
	struct gx_pull c;
	int err = gx_ibuf__new(m->acct, blob.data, blob.len, &buf);
	if (err != 0)
		return err;
	gx_pull_init(&c, buf->b, buf->len);
	size_t n = buf->len == 0 ? 0 : gx_pull_count(&c, gx_pull_varint(&c), 1);
	if (n > 0 && (m->rcpts = malloc(n * sizeof(*m->rcpts))) == NULL)
		gx_pull_fail(&c, GX_E_NOMEM);
	m->rcpt_cap = n;
	for (size_t i = 0; i < n && c.err == 0; i++) {
		struct gx_propval id = {.v.i32 = (int32_t)i};
		size_t len = (size_t)gx_pull_varint(&c);
		const uint8_t *p = gx_pull_bytes(&c, len);
		if (p == NULL)
			break;
		err = gx_prow_find(p, len, PidTagRowid, NULL, &id);
		if (err != 0 && err != GX_E_NOTFOUND)
			gx_pull_fail(&c, err);
		uint32_t row_id = (uint32_t)id.v.i32;
		if (m->nrcpts > 0 && row_id <= m->rcpts[m->nrcpts - 1].row_id)
			row_id = m->rcpts[m->nrcpts - 1].row_id + 1;
		m->rcpts[m->nrcpts++] = (struct gx_ircpt){.row_id = row_id, .len = (uint32_t)len, .p = p, .buf = gx_ibuf__ref(buf)};
	}
	gx_ibuf__unref(buf);
	return c.err;
}

static int load_props(struct gx_iprops *l, struct gx_iacct *c, struct gx_bin row, struct gx_isrc *src)
{
	struct gx_ibuf *buf;
	int err = gx_ibuf__new(c, row.data, row.len, &buf);
	if (err != 0)
		return err;
	err = gx_iprops__load(l, buf, src);
	gx_ibuf__unref(buf);
	return err;
}

int gx_imsg__load(struct gx_txn *t, struct gx_iacct *c, struct gx_isrc *src, uint64_t body, struct gx_imsg **ret_m)
{
	GX_STMT(st, t->q, "SELECT props,rcpts FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	struct gx_imsg *m = gx_imsg__new(c);
	if (m == NULL)
		return GX_E_NOMEM;
	int err = load_props(&m->props, c, gx_sql__blob(st, 0), src);
	if (err == 0)
		err = load_rcpts(m, gx_sql__blob(st, 1));
	if (err != 0) {
		gx_imsg__unref(m);
		return err == GX_E_FORMAT || err == GX_E_TRUNC ? damaged(t, body) : err;
	}
	m->body = body;
	m->src = gx_isrc__ref(src);
	m->atts_later = true;
	*ret_m = m;
	return 0;
}

static int add_att(struct gx_imsg *m, struct gx_stmt *st, struct gx_iatt **ret_x)
{
	struct gx_iatt *x = gx_iatt__new((uint32_t)gx_sql__u64(st, 0));
	if (x == NULL)
		return GX_E_NOMEM;
	int err = load_props(&x->props, m->acct, gx_sql__blob(st, 1), m->src);
	x->embedded_body = gx_sql__u64(st, 2);
	x->src = x->embedded_body == 0 ? NULL : gx_isrc__ref(m->src);
	if (err != 0)
		gx_iatt__unref(x);
	else
		*ret_x = x;
	return err;
}

static int still_there(struct gx_txn *t, uint64_t body)
{
	GX_STMT(st, t->q, "SELECT 1 FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r = gx_sql__step(st);
	return r < 0 ? r : r == 0 ? GX_E_NOTFOUND : 0;
}

int gx_imsg__load_atts(struct gx_txn *t, struct gx_imsg *m)
{
	if (!m->atts_later)
		return 0;
	struct gx_imsg *into = gx_imsg__new(m->acct); /* all or none */
	if (into == NULL)
		return GX_E_NOMEM;
	into->src = gx_isrc__ref(m->src);
	GX_STMT(st, t->q, "SELECT num,props,embedded FROM att WHERE body=?1 ORDER BY num");
	gx_sql__bind_int(st, 1, (int64_t)m->body);
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_iatt *x;
		err = add_att(into, st, &x);
		if (err == 0)
			err = gx_imsg__put_att(into, x);
	}
	if (err == 0)
		err = r < 0 ? r : into->natts == 0 ? still_there(t, m->body) : 0;
	if (err == 0) {
		free(m->atts);
		m->atts = into->atts;
		m->natts = into->natts;
		m->att_cap = into->att_cap;
		m->next_num = into->next_num > m->next_num ? into->next_num : m->next_num; /* some were given out and not saved */
		m->atts_later = false;
		into->atts = NULL;
		into->natts = 0;
	}
	gx_imsg__unref(into);
	return err == GX_E_FORMAT || err == GX_E_TRUNC ? damaged(t, m->body) : err;
}

int gx_iatt__load_embedded(struct gx_txn *t, struct gx_iacct *c, struct gx_iatt *x)
{
	if (x->embedded != NULL || x->embedded_body == 0)
		return 0;
	int err = gx_imsg__load(t, c, x->src, x->embedded_body, &x->embedded);
	if (err == 0) {
		x->embedded_body = 0;
		gx_isrc__unref(x->src);
		x->src = NULL;
	}
	return err;
}

int gx_imsg__load_all(struct gx_txn *t, struct gx_imsg *m, unsigned depth)
{
	if (depth > GX_INST_DEPTH_MAX)
		return GX_E_DEPTH;
	int err = gx_imsg__load_atts(t, m);
	for (size_t i = 0; err == 0 && i < m->natts; i++) {
		err = gx_iatt__load_embedded(t, m->acct, m->atts[i]);
		if (err == 0 && m->atts[i]->embedded != NULL)
			err = gx_imsg__load_all(t, m->atts[i]->embedded, depth + 1);
	}
	return err;
}
