/* SPDX-License-Identifier: Apache-2.0 */
/* NspiQueryRows, [MS-OXNSPI] 3.1.4.1.8 */
#include <config.h>
#include "libgxproto/nsp/order.h"

enum { EXPLICIT_MOST = 100000, ROWS_MOST = 5000 };

static gx_ec of_table(struct nsp_call *c, const struct gx_mh_query_rows_req *q, const struct gx_columns *cols, struct gx_mh_query_rows_res *r)
{
	uint32_t n = q->explicit_table_count < q->row_count ? q->explicit_table_count : q->row_count;
	r->state = gx_arena_memdup(c->a, q->state, sizeof(*q->state));
	return r->state == NULL ? GX_EC(ecMAPIOOM) : gx_nsp__rows(c, q->explicit_table, n, q->flags, cols, false, &r->rows);
}

static gx_ec of_container(struct nsp_call *c, const struct gx_mh_query_rows_req *q, const struct gx_columns *cols, struct gx_mh_query_rows_res *r)
{
	struct nsp_table t;
	uint32_t pos, from;
	gx_ec ec = gx_nsp__locate(c, q->state, &t, &pos, &from);
	if (gx_ec_failed(ec))
		return ec;
	uint32_t n = t.count - pos < q->row_count ? t.count - pos : q->row_count;
	if (n > ROWS_MOST)
		n = ROWS_MOST;
	struct gx_stat *st = gx_arena_memdup(c->a, q->state, sizeof(*st));
	uint32_t *mids = gx_arena_new_array(c->a, uint32_t, n + 1);
	if (st == NULL || mids == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < n; ++i)
		mids[i] = gx_nsp__row_mid(c, &t, pos + i);
	ec = gx_nsp__rows(c, mids, n, q->flags, cols, false, &r->rows);
	gx_nsp__place(c, &t, pos + r->rows.count, st);
	r->state = st;
	return ec;
}

NSP_OP(query_rows)
{
	const struct gx_columns cols = gx_nsp__columns(q->has_columns ? q->columns : NULL, q->columns_count);
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (!gx_ec_failed(ec) && ((q->explicit_table_count == 0 && q->row_count == 0) || q->explicit_table_count > EXPLICIT_MOST))
		ec = GX_EC(ecInvalidParam);
	if (!gx_ec_failed(ec))
		ec = q->explicit_table_count != 0 ? of_table(c, q, &cols, r) : of_container(c, q, &cols, r);
	r->has_columns_and_rows = !gx_ec_failed(ec);
	return ec;
}
