/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of MAPI/HTTP's bodies, and rows that bring their columns along. */
#include <config.h>
#include <string.h>
#include <gx/mapihttp.h>
#include "libgxmapi/desc-int.h"
#include "libgxmapi/proprow-int.h"

static const uint32_t least_row = 1;

static void rows_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	struct gx_ab_rows *r = ret_member;
	size_t n = gx_pull_count(c, gx_pull_u32(c), sizeof(gx_proptag_t));
	gx_proptag_t *tags = c->err == 0 ? gx_arena_new_array(x->px.a, gx_proptag_t, n) : NULL;
	for (size_t i = 0; tags != NULL && i < n; ++i)
		tags[i] = gx_pull_u32(c);
	r->columns = (struct gx_columns){tags, (uint32_t)n};
	size_t count = tags == NULL ? 0 : gx_pull_count(c, gx_pull_u32(c), least_row);
	struct gx_proprow *rows = c->err == 0 && tags != NULL ? gx_arena_new_array(x->px.a, struct gx_proprow, count) : NULL;
	if (rows == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	for (size_t i = 0; i < count && c->err == 0; ++i)
		gx_proprow_pull(c, &x->px, &r->columns, &rows[i]);
	r->v = rows;
	r->count = (uint32_t)count;
}

static void rows_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	const struct gx_ab_rows *r = member;
	gx_push_u32(c, r->columns.count);
	for (uint32_t i = 0; i < r->columns.count; ++i)
		gx_push_u32(c, r->columns.v[i]);
	gx_push_u32(c, r->count);
	for (uint32_t i = 0; i < r->count && c->err == 0; ++i)
		gx_proprow_push(c, &x->px, &r->columns, &r->v[i]);
}

static void rows_print(struct gx_strbuf *b, const void *member)
{
	const struct gx_ab_rows *r = member;
	gx_strbuf_addc(b, '[');
	for (uint32_t i = 0; i < r->count; ++i) {
		gx_strbuf_adds(b, i == 0 ? "" : ", ");
		gx_proprow__print(b, &r->v[i]);
	}
	gx_strbuf_addc(b, ']');
}

static bool rows_equal(const void *x, const void *y)
{
	const struct gx_ab_rows *p = x, *q = y;
	if (p->count != q->count || p->columns.count != q->columns.count)
		return false;
	if (p->columns.count != 0 && memcmp(p->columns.v, q->columns.v, p->columns.count * sizeof(*p->columns.v)) != 0)
		return false;
	for (uint32_t i = 0; i < p->count; ++i)
		if (!gx_proprow__equal(&p->v[i], &q->v[i]))
			return false;
	return true;
}

static void rows_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	static const gx_proptag_t tags[] = {PidTagDisplayName, PidTagObjectType, GX_PROP_TAG(0x3001, PtypUnspecified), PidTagAccount};
	struct gx_ab_rows *r = ret_member;
	r->columns = (struct gx_columns){tags, next(rnd) % 5};
	struct gx_proprow *rows = gx_arena_new_array(x->px.a, struct gx_proprow, 3);
	r->count = rows == NULL ? 0 : next(rnd) % 4;
	r->v = rows;
	for (uint32_t i = 0; i < r->count; ++i)
		gx_proprow__random(next, rnd, x->px.a, &r->columns, r->columns.count, &rows[i]);
}

static const struct gx_custom gx_custom_ab_rows = {rows_pull, rows_push, rows_print, rows_equal, rows_random};

#include "libgxmapi/mapihttp-table.h"

const struct gx_exchange_desc *gx_mapihttp_find(const char *name)
{
	const struct gx_exchange_desc *d;
	for (uint32_t i = 0; (d = gx_mapihttp_exchange(i)) != NULL; ++i)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

uint32_t gx_mapihttp_number(const struct gx_exchange_desc *d)
{
	return (uint32_t)(d - gx_mapihttp_exchange(0));
}
