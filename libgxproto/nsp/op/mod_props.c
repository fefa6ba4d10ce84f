/* SPDX-License-Identifier: Apache-2.0 */
/* NspiModProps, [MS-OXNSPI] 3.1.4.1.14: one's own certificates and photo. */
#include <config.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

enum { PROPS_MOST = 100 };

static bool is_certificate(gx_proptag_t tag)
{
	return tag == PidTagUserX509Certificate || tag == PidTagAddressBookX509Certificate;
}

static bool may_change(gx_proptag_t tag)
{
	return is_certificate(tag) || tag == PidTagThumbnailPhoto;
}

static gx_ec put(struct nsp_call *c, gx_proptag_t tag, const union gx_value *v)
{
	if (tag == PidTagThumbnailPhoto)
		return gx_nsp__set_photo(c, c->me, v == NULL ? (struct gx_bin){NULL, 0} : v->bin);
	int err = gx_dir_put_prop(c->n->o.dir, c->b->v[c->me].e->username, tag, v);
	gx_nsp_reload(c->n);
	return err == 0 ? NSP_OK : err == GX_E_NOMEM ? GX_EC(ecMAPIOOM) : GX_EC(ecAccessDenied);
}

static gx_ec check(const struct nsp_call *c, const struct gx_mh_mod_props_req *q)
{
	uint32_t n = q->property_values == NULL ? 0 : q->property_values->values_count;
	gx_ec ec = gx_nsp__check_stat(q->state);
	if (gx_ec_failed(ec))
		return ec;
	if (q->reserved != 0)
		return GX_EC(ecError);
	uint32_t entry = gx_nsp__by_mid(c, q->state->current_rec);
	if (!q->has_property_tags || entry == NSP_NONE || q->property_tags_to_remove_count > PROPS_MOST || n > PROPS_MOST)
		return GX_EC(ecInvalidParam);
	if (c->b->v[entry].kind != NSP_MAILBOX && c->b->v[entry].kind != NSP_ROOM && c->b->v[entry].kind != NSP_EQUIPMENT)
		return GX_EC(ecInvalidObject);
	bool ok = entry == c->me;
	for (uint32_t i = 0; i < q->property_tags_to_remove_count; ++i)
		ok = ok && may_change(q->property_tags_to_remove[i]);
	for (uint32_t i = 0; i < n; ++i)
		ok = ok && may_change(q->property_values->values[i].tag);
	return ok ? NSP_OK : GX_EC(ecAccessDenied);
}

NSP_OP(mod_props)
{
	uint32_t n = q->property_values == NULL ? 0 : q->property_values->values_count;
	gx_ec ec = check(c, q);
	(void)r;
	for (uint32_t i = 0; i < q->property_tags_to_remove_count && !gx_ec_failed(ec); ++i)
		ec = put(c, q->property_tags_to_remove[i], NULL);
	for (uint32_t i = 0; i < n && !gx_ec_failed(ec); ++i)
		ec = put(c, q->property_values->values[i].tag, &q->property_values->values[i].v);
	return ec;
}
