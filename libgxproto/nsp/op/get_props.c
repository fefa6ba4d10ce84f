/* SPDX-License-Identifier: Apache-2.0 */
/* NspiGetProps, [MS-OXNSPI] 3.1.4.1.7 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/nsp/nsp-int.h"

enum { TAGS_MOST = 100000 };

/* The texts of an answer in UTF-16 do not need a code page. */
static gx_ec check(const struct gx_mh_get_props_req *q)
{
	if (q->state == NULL || q->property_tags_count > TAGS_MOST)
		return q->state == NULL ? GX_EC(ecInvalidParam) : GX_EC(ecTableTooBig);
	if (q->state->code_page != GX_CP_UTF16)
		return gx_nsp__check_stat(q->state);
	for (uint32_t i = 0; i < q->property_tags_count; ++i)
		if ((GX_PROP_TYPE(q->property_tags[i]) & 0x0fff) == PtypString8)
			return GX_EC(ecNotSupported);
	return NSP_OK;
}

/* As NspiGetPropList has them, but for texts in UTF-16, which an answer without a code page can only have so. */
static gx_ec all_tags(struct nsp_call *c, const struct gx_mh_get_props_req *q, struct gx_columns *ret_cols)
{
	const struct gx_mh_get_prop_list_req list = {.flags = q->flags, .minimal_id = q->state->current_rec,
		.code_page = q->state->code_page == 0 ? GX_CP_8BIT : q->state->code_page};
	struct gx_mh_get_prop_list_res r;
	gx_ec ec = gx_nsp__get_prop_list(c, &list, &r);
	if (gx_ec_failed(ec))
		return ec;
	gx_proptag_t *v = gx_arena_new_array(c->a, gx_proptag_t, r.property_tags_count + 1);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < r.property_tags_count; ++i) {
		bool narrow = (GX_PROP_TYPE(r.property_tags[i]) & 0x0fff) == PtypString8;
		v[i] = r.property_tags[i] ^ (narrow && q->state->code_page == GX_CP_UTF16 ? PtypString ^ PtypString8 : 0);
	}
	*ret_cols = gx_nsp__columns(v, r.property_tags_count);
	return NSP_OK;
}

NSP_OP(get_props)
{
	struct gx_columns cols = gx_nsp__columns(q->property_tags, q->property_tags_count);
	struct gx_ab_values *v = gx_arena_new_obj(c->a, struct gx_ab_values);
	bool errors = false;
	gx_ec ec = v == NULL ? GX_EC(ecMAPIOOM) : check(q);
	if (!gx_ec_failed(ec) && !gx_nsp__is_table(c, q->state->container_id))
		ec = GX_EC(ecInvalidBookmark);
	if (!gx_ec_failed(ec) && !q->has_property_tags)
		ec = all_tags(c, q, &cols);
	if (!gx_ec_failed(ec))
		ec = gx_nsp__row(c, q->state->current_rec, q->flags, &cols, &v->values, &errors);
	if (gx_ec_failed(ec))
		return ec;
	v->values_count = cols.count;
	r->code_page = q->state->code_page;
	r->property_values = v;
	return errors ? GX_EC(ecErrorsReturned) : NSP_OK;
}
