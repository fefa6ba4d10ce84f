/* SPDX-License-Identifier: Apache-2.0 */
/* NspiCompareMIds, [MS-OXNSPI] 3.1.4.1.12 */
#include <config.h>
#include "libgxproto/nsp/order.h"

static bool place(const struct nsp_call *c, const struct nsp_table *t, uint32_t mid, uint32_t *ret_pos)
{
	if (mid == MID_BEGINNING_OF_TABLE || mid == MID_END_OF_TABLE) {
		*ret_pos = mid == MID_END_OF_TABLE ? t->count : 0;
		return true;
	}
	uint32_t entry = gx_nsp__by_mid(c, mid);
	*ret_pos = entry == NSP_NONE ? t->count : gx_nsp__row_of(t, entry);
	return *ret_pos < t->count && gx_nsp__row_mid(c, t, *ret_pos) == mid;
}

NSP_OP(compare_m_ids)
{
	uint32_t x, y;
	struct nsp_table t;
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (!gx_ec_failed(ec))
		ec = gx_nsp__table(c, q->state, &t);
	if (gx_ec_failed(ec))
		return ec;
	if (!place(c, &t, q->minimal_id1, &x) || !place(c, &t, q->minimal_id2, &y))
		return GX_EC(ecGeneralFailure);
	r->result = (x > y) - (x < y);
	return NSP_OK;
}
