/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"

/* What a message says, in memory. */

struct gx_imsg *gx_imsg__new(struct gx_iacct *c)
{
	struct gx_imsg *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	atomic_init(&m->refs, 1);
	m->acct = gx_iacct__ref(c);
	return m;
}

struct gx_imsg *gx_imsg__ref(struct gx_imsg *m)
{
	atomic_fetch_add(&m->refs, 1);
	return m;
}

static void release_rcpts(struct gx_imsg *m)
{
	for (size_t i = 0; i < m->nrcpts; i++)
		gx_ibuf__unref(m->rcpts[i].buf);
	m->nrcpts = 0;
}

void gx_imsg__drop_atts(struct gx_imsg *m)
{
	for (size_t i = 0; i < m->natts; i++)
		gx_iatt__unref(m->atts[i]);
	m->natts = 0;
}

static void release_atts(struct gx_imsg *m)
{
	gx_imsg__drop_atts(m);
	gx_isrc__unref(m->src);
	m->src = NULL;
	m->body = 0;
	m->atts_later = false;
}

void gx_imsg__clear(struct gx_imsg *m)
{
	gx_iprops__release(&m->props);
	release_rcpts(m);
	release_atts(m);
	m->bodies_set = 0;
}

/* Remembers that a named property changed. */
int gx_imsg__note_named(struct gx_imsg *m, uint16_t id)
{
	for (size_t i = 0; i < m->nnamed; i++)
		if (m->named[i] == id)
			return 0;
	if (m->nnamed == m->named_cap) {
		size_t cap = m->named_cap == 0 ? 16 : m->named_cap * 2;
		uint16_t *v = realloc(m->named, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		m->named = v;
		m->named_cap = cap;
	}
	m->named[m->nnamed++] = id;
	return 0;
}

void gx_imsg__unref(struct gx_imsg *m)
{
	if (m == NULL || atomic_fetch_sub(&m->refs, 1) > 1)
		return;
	gx_imsg__clear(m);
	free(m->rcpts);
	free(m->atts);
	free(m->named);
	gx_iacct__unref(m->acct);
	free(m);
}

static int clone_rcpts(struct gx_imsg *c, const struct gx_imsg *m)
{
	c->rcpts = malloc((m->nrcpts == 0 ? 1 : m->nrcpts) * sizeof(*c->rcpts));
	if (c->rcpts == NULL)
		return GX_E_NOMEM;
	c->rcpt_cap = m->nrcpts;
	for (; c->nrcpts < m->nrcpts; c->nrcpts++) {
		c->rcpts[c->nrcpts] = m->rcpts[c->nrcpts];
		gx_ibuf__ref(c->rcpts[c->nrcpts].buf);
	}
	return 0;
}

static int clone_atts(struct gx_imsg *c, const struct gx_imsg *m)
{
	c->atts = malloc((m->natts == 0 ? 1 : m->natts) * sizeof(*c->atts));
	if (c->atts == NULL)
		return GX_E_NOMEM;
	c->att_cap = m->natts;
	for (; c->natts < m->natts; c->natts++)
		c->atts[c->natts] = gx_iatt__ref(m->atts[c->natts]);
	c->next_num = m->next_num;
	c->body = m->body;
	c->atts_later = m->atts_later;
	c->src = gx_isrc__ref(m->src);
	return 0;
}

int gx_imsg__clone(const struct gx_imsg *m, struct gx_imsg **ret_m)
{
	struct gx_imsg *c = gx_imsg__new(m->acct);
	if (c == NULL)
		return GX_E_NOMEM;
	c->dirty = m->dirty;
	c->bodies_set = m->bodies_set;
	int err = gx_iprops__clone(&c->props, &m->props);
	for (size_t i = 0; err == 0 && i < m->nnamed; i++)
		err = gx_imsg__note_named(c, m->named[i]);
	if (err == 0)
		err = clone_rcpts(c, m);
	if (err == 0)
		err = clone_atts(c, m);
	if (err != 0)
		gx_imsg__unref(c);
	else
		*ret_m = c;
	return err;
}

/* ---- Attachments ---- */

struct gx_iatt *gx_iatt__new(uint32_t num)
{
	struct gx_iatt *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return NULL;
	atomic_init(&x->refs, 1);
	x->num = num;
	return x;
}

struct gx_iatt *gx_iatt__ref(struct gx_iatt *x)
{
	atomic_fetch_add(&x->refs, 1);
	return x;
}

void gx_iatt__unref(struct gx_iatt *x)
{
	if (x == NULL || atomic_fetch_sub(&x->refs, 1) > 1)
		return;
	gx_iprops__release(&x->props);
	gx_imsg__unref(x->embedded);
	gx_isrc__unref(x->src);
	free(x);
}

int gx_iatt__clone(const struct gx_iatt *x, struct gx_iatt **ret_x)
{
	struct gx_iatt *c = gx_iatt__new(x->num);
	if (c == NULL)
		return GX_E_NOMEM;
	int err = gx_iprops__clone(&c->props, &x->props);
	if (err != 0) {
		gx_iatt__unref(c);
		return err;
	}
	c->embedded = x->embedded == NULL ? NULL : gx_imsg__ref(x->embedded);
	c->embedded_body = x->embedded_body;
	c->src = gx_isrc__ref(x->src);
	*ret_x = c;
	return 0;
}

static size_t lower_att(const struct gx_imsg *m, uint32_t num)
{
	size_t lo = 0, hi = m->natts;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (m->atts[mid]->num < num)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct gx_iatt **gx_imsg__att(struct gx_imsg *m, uint32_t num)
{
	size_t i = lower_att(m, num);
	assert(!m->atts_later);
	return i < m->natts && m->atts[i]->num == num ? &m->atts[i] : NULL;
}

int gx_imsg__put_att(struct gx_imsg *m, struct gx_iatt *x)
{
	size_t i = lower_att(m, x->num);
	if (i < m->natts && m->atts[i]->num == x->num) {
		gx_iatt__unref(m->atts[i]);
		m->atts[i] = x;
		return 0;
	}
	if (m->natts >= GX_INST_ATTS_MAX) {
		gx_iatt__unref(x);
		return GX_E_LIMIT;
	}
	if (m->natts == m->att_cap) {
		size_t cap = m->att_cap == 0 ? 4 : m->att_cap * 2;
		struct gx_iatt **v = realloc(m->atts, cap * sizeof(*v));
		if (v == NULL) {
			gx_iatt__unref(x);
			return GX_E_NOMEM;
		}
		m->atts = v;
		m->att_cap = cap;
	}
	memmove(&m->atts[i + 1], &m->atts[i], (m->natts - i) * sizeof(*m->atts));
	m->atts[i] = x;
	m->natts++;
	if (x->num >= m->next_num)
		m->next_num = x->num + 1;
	return 0;
}

unsigned gx_imsg__depth(const struct gx_imsg *m)
{
	unsigned depth = m->atts_later;
	for (size_t i = 0; i < m->natts; i++) {
		const struct gx_iatt *x = m->atts[i];
		unsigned d = x->embedded != NULL ? 1 + gx_imsg__depth(x->embedded) : x->embedded_body != 0;
		if (d > depth)
			depth = d;
	}
	return depth;
}

/* ---- Recipients ---- */

static size_t lower_rcpt(const struct gx_imsg *m, uint32_t row_id)
{
	size_t lo = 0, hi = m->nrcpts;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (m->rcpts[mid].row_id < row_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int put_rcpt(struct gx_imsg *m, const struct gx_ircpt *r)
{
	size_t i = lower_rcpt(m, r->row_id);
	if (i < m->nrcpts && m->rcpts[i].row_id == r->row_id) {
		gx_ibuf__unref(m->rcpts[i].buf);
		m->rcpts[i] = *r;
		return 0;
	}
	if (m->nrcpts >= GX_INST_RCPTS_MAX)
		return GX_E_LIMIT;
	if (m->nrcpts == m->rcpt_cap) {
		size_t cap = m->rcpt_cap == 0 ? 8 : m->rcpt_cap * 2;
		struct gx_ircpt *v = realloc(m->rcpts, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		m->rcpts = v;
		m->rcpt_cap = cap;
	}
	memmove(&m->rcpts[i + 1], &m->rcpts[i], (m->nrcpts - i) * sizeof(*m->rcpts));
	m->rcpts[i] = *r;
	m->nrcpts++;
	return 0;
}

static void remove_rcpt(struct gx_imsg *m, uint32_t row_id)
{
	size_t i = lower_rcpt(m, row_id);
	if (i == m->nrcpts || m->rcpts[i].row_id != row_id)
		return;
	gx_ibuf__unref(m->rcpts[i].buf);
	m->nrcpts--;
	memmove(&m->rcpts[i], &m->rcpts[i + 1], (m->nrcpts - i) * sizeof(*m->rcpts));
}

static int pack_rcpt(struct gx_iacct *c, const struct gx_proplist *row, uint32_t row_id, struct gx_ircpt *ret_r)
{
	struct gx_push out = GX_PUSH_INIT;
	*ret_r = (struct gx_ircpt){.row_id = row_id};
	int err = gx_prow_pack(&out, row);
	if (err == 0)
		err = out.len > UINT32_MAX ? GX_E_LIMIT : gx_ibuf__new(c, out.data, out.len, &ret_r->buf);
	gx_push_release(&out);
	if (err != 0)
		return err;
	ret_r->p = ret_r->buf->b;
	ret_r->len = (uint32_t)ret_r->buf->len;
	return 0;
}

/* A row that says no more than which one it is takes that one away. */
static int set_rcpt(struct gx_imsg *m, const struct gx_proplist *row, uint32_t next)
{
	const struct gx_propval *id = gx_proplist_get(row, PidTagRowid);
	uint32_t row_id = id == NULL ? next : (uint32_t)id->v.i32;
	struct gx_ircpt r;
	if (id != NULL && row->count == 1) {
		remove_rcpt(m, row_id);
		return 0;
	}
	int err = pack_rcpt(m->acct, row, row_id, &r);
	if (err != 0)
		return err;
	err = put_rcpt(m, &r);
	if (err != 0)
		gx_ibuf__unref(r.buf);
	return err;
}

int gx_imsg__set_rcpts(struct gx_imsg *m, const struct gx_proplist *rows, size_t n, bool replace)
{
	if (replace)
		release_rcpts(m);
	for (size_t i = 0; i < n; i++) {
		uint32_t next = m->nrcpts == 0 ? 0 : m->rcpts[m->nrcpts - 1].row_id + 1;
		if (next == 0 && m->nrcpts > 0)
			return GX_E_LIMIT;
		int err = set_rcpt(m, &rows[i], next);
		if (err != 0)
			return err;
	}
	return 0;
}

/* ---- Sizes ---- */

static uint64_t props_size(const struct gx_iprops *l)
{
	uint64_t n = 1;
	for (size_t i = 0; i < l->n; i++)
		n += sizeof(uint32_t) + gx_ival__size(&l->v[i]);
	return n;
}

uint64_t gx_iatt__size(const struct gx_iatt *x)
{
	return props_size(&x->props) + (x->embedded == NULL ? 0 : gx_imsg__size(x->embedded));
}

uint64_t gx_imsg__size(const struct gx_imsg *m)
{
	uint64_t n = props_size(&m->props) + 1;
	for (size_t i = 0; i < m->nrcpts; i++)
		n += m->rcpts[i].len + 1;
	for (size_t i = 0; i < m->natts; i++)
		n += gx_iatt__size(m->atts[i]);
	return n;
}
