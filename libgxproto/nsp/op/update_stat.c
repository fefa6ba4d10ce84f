/* SPDX-License-Identifier: Apache-2.0 */
/* NspiUpdateStat, [MS-OXNSPI] 3.1.4.1.4 */
#include <config.h>
#include "libgxproto/nsp/order.h"

NSP_OP(update_stat)
{
	struct nsp_table t;
	uint32_t pos, from;
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (!gx_ec_failed(ec))
		ec = gx_nsp__locate(c, q->state, &t, &pos, &from);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_stat *st = gx_arena_memdup(c->a, q->state, sizeof(*st));
	int32_t *delta = gx_arena_alloc(c->a, sizeof(*delta));
	if (st == NULL || delta == NULL)
		return GX_EC(ecMAPIOOM);
	gx_nsp__place(c, &t, pos, st);
	*delta = (int32_t)((int64_t)pos - from);
	r->state = st;
	r->delta = q->delta_requested ? delta : NULL;
	return NSP_OK;
}
