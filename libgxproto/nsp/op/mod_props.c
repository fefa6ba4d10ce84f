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

/* What there is now, to be put back should a later change fail; without one, no value. */
static int keep(struct nsp_call *c, gx_proptag_t tag, union gx_value *v, const union gx_value **ret_v)
{
	struct gx_propval pv;
	int r = gx_nsp__prop(c, c->me, 0, tag, &pv);
	if (r == 1)
		r = gx_value_copy(c->a, GX_PROP_TYPE(tag), &pv.v, v) != 0 ? GX_E_NOMEM : 1;
	*ret_v = r == 1 ? v : NULL;
	return r < 0 ? r : 0;
}

/* All or nothing, constraint 2: removals first, then what is set. */
NSP_OP(mod_props)
{
	uint32_t n = q->property_values == NULL ? 0 : q->property_values->values_count, removed = q->property_tags_to_remove_count, done = 0;
	gx_ec ec = check(c, q);
	(void)r;
	if (gx_ec_failed(ec))
		return ec;
	union gx_value *old = gx_arena_new_array(c->a, union gx_value, n + removed + 1);
	const union gx_value **had = gx_arena_new_array(c->a, const union gx_value *, n + removed + 1);
	gx_proptag_t *tags = gx_arena_new_array(c->a, gx_proptag_t, n + removed + 1);
	if (old == NULL || had == NULL || tags == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < n + removed; ++i) {
		tags[i] = i < removed ? q->property_tags_to_remove[i] : q->property_values->values[i - removed].tag;
		if (keep(c, tags[i], &old[i], &had[i]) != 0)
			return GX_EC(ecAccessDenied);
	}
	for (; done < n + removed && !gx_ec_failed(ec); ++done)
		ec = put(c, tags[done], done < removed ? NULL : &q->property_values->values[done - removed].v);
	while (gx_ec_failed(ec) && done-- > 0)
		(void)!put(c, tags[done], had[done]).v;
	return ec;
}
