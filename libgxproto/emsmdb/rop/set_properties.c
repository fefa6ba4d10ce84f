/* SPDX-License-Identifier: Apache-2.0 */
/* RopSetProperties and RopDeleteProperties with their NoReplicate forms, [MS-OXCPRPT] 2.2.5 to 2.2.8 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static gx_ec set(struct gx_rop_call *c, const struct gx_proplist *l, const struct gx_property_problem **ret_v, uint32_t *ret_n)
{
	struct gx_problems p = {0};
	if (c->in->kind->props == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = c->in->kind->props->set(c, c->in, l, &p);
	return gx_ec_failed(ec) ? ec : gx_ems__tell_problems(c, &p, ec, ret_v, ret_n);
}

static gx_ec remove_tags(struct gx_rop_call *c, const gx_proptag_t *tags, uint32_t n, const struct gx_property_problem **ret_v, uint32_t *ret_n)
{
	struct gx_problems p = {0};
	if (c->in->kind->props == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = c->in->kind->props->remove(c, c->in, tags, n, &p);
	return gx_ec_failed(ec) ? ec : gx_ems__tell_problems(c, &p, ec, ret_v, ret_n);
}

gx_ec gx_rop__set_properties(struct gx_rop_call *c, const struct gx_rop_set_properties_req *q, struct gx_rop_set_properties_res *r)
{
	return set(c, &q->property_values, &r->property_problems, &r->property_problems_count);
}

gx_ec gx_rop__set_properties_no_replicate(struct gx_rop_call *c, const struct gx_rop_set_properties_no_replicate_req *q,
	struct gx_rop_set_properties_no_replicate_res *r)
{
	return set(c, &q->property_values, &r->property_problems, &r->property_problems_count);
}

gx_ec gx_rop__delete_properties(struct gx_rop_call *c, const struct gx_rop_delete_properties_req *q, struct gx_rop_delete_properties_res *r)
{
	return remove_tags(c, q->property_tags, q->property_tags_count, &r->property_problems, &r->property_problems_count);
}

gx_ec gx_rop__delete_properties_no_replicate(struct gx_rop_call *c, const struct gx_rop_delete_properties_no_replicate_req *q,
	struct gx_rop_delete_properties_no_replicate_res *r)
{
	return remove_tags(c, q->property_tags, q->property_tags_count, &r->property_problems, &r->property_problems_count);
}
