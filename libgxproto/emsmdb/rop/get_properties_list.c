/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetPropertiesList, [MS-OXCPRPT] 2.2.4 and 3.2.5.3 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

gx_ec gx_rop__get_properties_list(struct gx_rop_call *c, const void *q, struct gx_rop_get_properties_list_res *r)
{
	struct gx_txn *t;
	gx_proptag_t *v = NULL;
	size_t n = 0;
	const struct gx_ems_props *p = c->in->kind->props;
	(void)q;
	if (p == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, p->tags(c, c->in, t, &v, &n));
	r->property_tags = v;
	r->property_tags_count = (uint32_t)n;
	return ec;
}
