/* SPDX-License-Identifier: Apache-2.0 */
/* NspiDNToMId, [MS-OXNSPI] 3.1.4.1.13 */
#include <config.h>
#include <strings.h>
#include "libgxproto/nsp/nsp-int.h"

enum { NAMES_MOST = 100000 };

static uint32_t mid_of(const struct nsp_call *c, const char *dn)
{
	uint32_t entry = gx_nsp__by_dn(c, dn);
	if (entry != NSP_NONE)
		return gx_nsp__mid(c, entry);
	for (uint32_t i = 0; i < c->base->count; ++i)
		if (strcasecmp(c->base->containers[i].dn, dn) == 0)
			return c->base->containers[i].mid;
	return 0;
}

NSP_OP(dn_to_m_id)
{
	if (!q->has_names || q->name_values_count > NAMES_MOST)
		return GX_EC(ecInvalidParam);
	uint32_t *v = gx_arena_new_array(c->a, uint32_t, q->name_values_count + 1);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < q->name_values_count; ++i)
		v[i] = mid_of(c, q->name_values[i]);
	r->has_minimal_ids = true;
	r->minimal_ids = v;
	r->minimal_ids_count = q->name_values_count;
	return NSP_OK;
}
