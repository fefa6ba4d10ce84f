/* SPDX-License-Identifier: Apache-2.0 */
/* NspiQueryColumns, [MS-OXNSPI] 3.1.4.1.5 */
#include <config.h>
#include "libgxproto/nsp/nsp-int.h"

#define UNICODE_PROPTYPES 0x80000000U

NSP_OP(query_columns)
{
	gx_proptag_t *v = gx_arena_memdup(c->a, gx_nsp__known, gx_nsp__known_count * sizeof(*v));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < gx_nsp__known_count; ++i) {
		uint16_t type = GX_PROP_TYPE(v[i]), text = q->mapi_flags & UNICODE_PROPTYPES ? PtypString : PtypString8;
		if ((type & 0x0fff) == PtypString || (type & 0x0fff) == PtypString8)
			v[i] = GX_PROP_RETYPE(v[i], (type & 0x1000) | text);
	}
	r->has_columns = true;
	r->columns = v;
	r->columns_count = gx_nsp__known_count;
	return NSP_OK;
}
