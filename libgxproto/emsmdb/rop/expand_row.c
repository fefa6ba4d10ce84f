/* SPDX-License-Identifier: Apache-2.0 */
/* RopExpandRow and RopCollapseRow, [MS-OXCTABL] 2.2.2.17, 2.2.2.18, 3.2.5.17, 3.2.5.18: groups of a contents table. */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { COUNTS = 6 };

static bool has_groups(const struct gx_ems_table *tb)
{
	return tb != NULL && tb->sort != NULL && tb->sort->categories > 0;
}

/* The first of the rows that came into sight, as many as are wanted and have room. */
static gx_ec rows(struct gx_rop_call *c, struct gx_ems_table *tb, struct gx_txn *t, uint32_t from, uint32_t want, const struct gx_columns *cols,
	struct gx_rop_expand_row_res *r)
{
	struct gx_table_row *v = NULL;
	size_t n = 0, used = COUNTS;
	gx_ec ec = want == 0 ? EMS_OK : gx_table_query(tb->tb, t, from, (int32_t)want, cols->v, cols->count, c->a, &v, &n);
	if (gx_ec_failed(ec))
		return ec;
	n = gx_ems__fit_rows(c, cols, v, n, &used);
	struct gx_proprow *out = gx_arena_new_array(c->a, struct gx_proprow, n);
	if (out == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		out[i] = (struct gx_proprow){v[i].v, cols->count};
	r->row_data = out;
	r->row_data_count = (uint32_t)n;
	return ec;
}

gx_ec gx_rop__expand_row(struct gx_rop_call *c, const struct gx_rop_expand_row_req *q, struct gx_rop_expand_row_res *r)
{
	struct gx_txn *t;
	uint32_t at = 0, n = 0;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	struct gx_columns *cols = gx_arena_new_obj(c->a, struct gx_columns);
	if (!has_groups(tb))
		return GX_EC(ecNotSupported);
	if (tb->cols == NULL)
		return GX_EC(ecNullObject);
	gx_ec ec = cols == NULL ? GX_EC(ecMAPIOOM) : gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	*cols = (struct gx_columns){tb->cols, tb->col_count};
	c->x->custom = cols;
	ec = gx_table_expand(tb->tb, t, gx_eid_plain(q->category_id), &at, &n);
	if (!gx_ec_failed(ec) && tb->pos > at) /* the cursor stays at its row */
		tb->pos += n;
	if (!gx_ec_failed(ec))
		ec = rows(c, tb, t, at + 1, n < q->max_row_count ? n : q->max_row_count, cols, r);
	r->expanded_row_count = n;
	return gx_rop__end(c, t, ec);
}

gx_ec gx_rop__collapse_row(struct gx_rop_call *c, const struct gx_rop_collapse_row_req *q, struct gx_rop_collapse_row_res *r)
{
	struct gx_txn *t;
	uint32_t at = 0, n = 0;
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (!has_groups(tb))
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_table_collapse(tb->tb, t, gx_eid_plain(q->category_id), &at, &n));
	if (!gx_ec_failed(ec) && tb->pos > at) /* in the group it goes to the next row that is seen */
		tb->pos = tb->pos > at + n ? tb->pos - n : at + 1;
	r->collapsed_row_count = n;
	return ec;
}
