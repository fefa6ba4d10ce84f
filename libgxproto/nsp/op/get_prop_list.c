/* SPDX-License-Identifier: Apache-2.0 */
/* NspiGetPropList, [MS-OXNSPI] 3.1.4.1.6 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/nsp/nsp-int.h"

NSP_OP(get_prop_list)
{
	gx_proptag_t *v;
	uint32_t entry = gx_nsp__by_mid(c, q->minimal_id), n;
	if (gx_cp_to_charset(q->code_page) == NULL)
		return GX_EC(ecInvalidCodepage);
	if (entry == NSP_NONE)
		return GX_EC(ecGeneralFailure);
	int err = gx_nsp__tags(c, entry, q->flags, &v, &n);
	if (err != 0)
		return gx_ec_from_err(err);
	for (uint32_t i = 0; i < n; ++i) /* whatever the code page: constraint 4 */
		if (GX_PROP_TYPE(v[i]) == PtypString || GX_PROP_TYPE(v[i]) == PtypMultipleString)
			v[i] ^= PtypString ^ PtypString8;
	r->has_property_tags = true;
	r->property_tags = v;
	r->property_tags_count = n;
	return NSP_OK;
}
