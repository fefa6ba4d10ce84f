/* SPDX-License-Identifier: Apache-2.0 */
/* RopQueryRows, [MS-OXCTABL] 2.2.2.5 and 3.2.5.5 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { NO_ADVANCE = 0x01, ENABLE_PACKED_BUFFERS = 0x02 };
enum { ORIGIN_AND_COUNT = 3, AT_ONCE = 64 };

struct rows {
	struct gx_proprow *v;
	size_t n, cap;
};

static gx_ec read_rows(struct gx_rop_call *c, struct gx_ems_table *tb, struct gx_txn *t, bool forward, uint16_t want, struct rows *l)
{
	const struct gx_columns cols = {tb->cols, tb->col_count};
	size_t used = ORIGIN_AND_COUNT;
	uint32_t pos = tb->pos;
	while (l->n < want) {
		struct gx_table_row *v;
		size_t n;
		int32_t some = want - l->n < AT_ONCE ? (int32_t)(want - l->n) : AT_ONCE;
		if (!forward && pos == 0)
			break;
		/* backwards the row before the cursor is the first */
		gx_ec ec = gx_table_query(tb->tb, t, forward ? pos : pos - 1, forward ? some : -some, cols.v, cols.count, c->a, &v, &n);
		if (gx_ec_failed(ec))
			return ec;
		size_t fit = gx_ems__fit_rows(c, &cols, v, n, &used);
		l->v = gx_arena_grow(c->a, l->v, &l->cap, l->n + fit, sizeof(*l->v));
		if (l->v == NULL)
			return GX_EC(ecMAPIOOM);
		for (size_t i = 0; i < fit; ++i)
			l->v[l->n++] = (struct gx_proprow){v[i].v, cols.count};
		pos = forward ? pos + (uint32_t)fit : pos - (uint32_t)fit;
		if (fit < n || n < (size_t)some)
			break;
	}
	return EMS_OK;
}

/* Where the cursor came to be. */
static gx_ec origin(struct gx_ems_table *tb, struct gx_txn *t, uint8_t *ret_origin)
{
	uint32_t total;
	gx_ec ec = gx_table_count(tb->tb, t, &total);
	if (!gx_ec_failed(ec))
		*ret_origin = tb->pos == 0 ? GX_EMS_BEGINNING : tb->pos >= total ? GX_EMS_END : GX_EMS_CURRENT;
	return ec;
}

gx_ec gx_rop__query_rows(struct gx_rop_call *c, const struct gx_rop_query_rows_req *q, struct gx_rop_query_rows_res *r)
{
	struct gx_txn *t;
	struct rows l = {0};
	struct gx_ems_table *tb = gx_ems__table(c->in);
	if (tb == NULL)
		return GX_EC(ecNotSupported);
	if (tb->cols == NULL)
		return GX_EC(ecNullObject);
	if (q->query_rows_flags & ~(NO_ADVANCE | ENABLE_PACKED_BUFFERS))
		return GX_EC(ecInvalidParam);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = read_rows(c, tb, t, q->forward_read, q->row_count, &l);
	if (!gx_ec_failed(ec) && !(q->query_rows_flags & NO_ADVANCE))
		tb->pos = q->forward_read ? tb->pos + (uint32_t)l.n : tb->pos - (uint32_t)l.n;
	if (!gx_ec_failed(ec))
		ec = origin(tb, t, &r->origin);
	struct gx_columns *cols = gx_arena_new_obj(c->a, struct gx_columns);
	if (cols == NULL)
		ec = GX_EC(ecMAPIOOM);
	ec = gx_rop__end(c, t, ec);
	if (gx_ec_failed(ec))
		return ec;
	*cols = (struct gx_columns){tb->cols, tb->col_count};
	c->x->custom = cols;
	r->row_data = l.v;
	r->row_data_count = (uint32_t)l.n;
	return EMS_OK;
}
