/* SPDX-License-Identifier: Apache-2.0 */
/* NspiCompareMIds, [MS-OXNSPI] 3.1.4.1.12 */
#include <config.h>
#include "libgxproto/nsp/nsp-int.h"

static bool place(const struct nsp_call *c, const struct nsp_container *k, uint32_t mid, uint32_t *ret_pos)
{
	if (mid == MID_BEGINNING_OF_TABLE || mid == MID_END_OF_TABLE) {
		*ret_pos = mid == MID_END_OF_TABLE ? k->count : 0;
		return true;
	}
	uint32_t entry = gx_nsp__by_mid(c, mid);
	*ret_pos = entry == NSP_NONE ? k->count : gx_nsp__row_of(k, entry);
	return *ret_pos < k->count && k->rows[*ret_pos] == entry;
}

NSP_OP(compare_m_ids)
{
	uint32_t x, y;
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (gx_ec_failed(ec))
		return ec;
	const struct nsp_container *k = gx_nsp__container(c, q->state->container_id);
	if (k == NULL)
		return GX_EC(ecInvalidBookmark);
	if (!place(c, k, q->minimal_id1, &x) || !place(c, k, q->minimal_id2, &y))
		return GX_EC(ecGeneralFailure);
	r->result = (x > y) - (x < y);
	return NSP_OK;
}
