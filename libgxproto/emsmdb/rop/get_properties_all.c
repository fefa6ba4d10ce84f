/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetPropertiesAll, [MS-OXCPRPT] 2.2.3 and 3.2.5.2 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__get_properties_all(struct gx_rop_call *c, const struct gx_rop_get_properties_all_req *q,
	struct gx_rop_get_properties_all_res *r)
{
	struct gx_txn *t;
	struct gx_proplist l = {0};
	const struct gx_ems_props *p = c->in->kind->props;
	if (p == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, p->get(c, c->in, t, NULL, 0, q->property_size_limit != 0 ? q->property_size_limit : c->whole / 2, &l));
	if (gx_ec_failed(ec))
		return ec;
	for (size_t i = 0; i < l.count; ++i)
		if (!q->want_unicode && GX_PROP_TYPE(l.v[i].tag) == PtypString)
			l.v[i].tag = GX_PROP_RETYPE(l.v[i].tag, PtypString8);
	gx_ems__send_ids(c->a, l.v, l.count);
	r->property_values = l;
	return EMS_OK;
}
