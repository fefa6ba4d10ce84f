/* SPDX-License-Identifier: Apache-2.0 */
/* RopQueryNamedProperties, [MS-OXCPRPT] 2.2.9 and 3.2.5.6: of an object those that it has, of a logon all that the store knows. */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { NO_STRINGS = 0x01, NO_IDS = 0x02 };

static gx_ec ids_of_object(struct gx_rop_call *c, struct gx_txn *t, uint16_t **ret_ids, size_t *ret_n)
{
	gx_proptag_t *tags;
	size_t n = 0, found = 0;
	gx_ec ec = c->in->kind->props->tags(c, c->in, t, &tags, &n);
	uint16_t *ids = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, uint16_t, n);
	if (ids == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		if (GX_PROP_IS_NAMED(tags[i]))
			ids[found++] = GX_PROP_ID(tags[i]);
	*ret_ids = ids;
	*ret_n = found;
	return ec;
}

static bool wanted(const struct gx_rop_query_named_properties_req *q, const struct gx_propname *n)
{
	static const struct gx_guid none;
	if (gx_guid_cmp(&n->set, &none) == 0 || (q->has_guid && gx_guid_cmp(&n->set, &q->property_guid) != 0))
		return false;
	return !(q->query_flags & (n->by_name ? NO_STRINGS : NO_IDS));
}

static gx_ec query(struct gx_rop_call *c, struct gx_txn *t, uint16_t **ret_ids, struct gx_propname **ret_names, size_t *ret_n)
{
	gx_ec ec = gx_ems__logon(c->in) != NULL ? gx_store_named_list(t, c->a, ret_ids, ret_n) : ids_of_object(c, t, ret_ids, ret_n);
	*ret_names = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, struct gx_propname, *ret_n);
	if (*ret_names == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	return *ret_n == 0 ? ec : gx_store_named_names(t, *ret_ids, *ret_n, c->a, *ret_names);
}

gx_ec gx_rop__query_named_properties(struct gx_rop_call *c, const struct gx_rop_query_named_properties_req *q,
	struct gx_rop_query_named_properties_res *r)
{
	struct gx_txn *t;
	uint16_t *ids = NULL;
	struct gx_propname *names = NULL;
	size_t n = 0;
	uint32_t kept = 0;
	if (c->in->kind->props == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, query(c, t, &ids, &names, &n));
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		if (wanted(q, &names[i])) {
			ids[kept] = ids[i];
			names[kept++] = names[i];
		}
	r->property_ids = ids;
	r->property_ids_count = kept;
	r->property_names = names;
	r->property_names_count = kept;
	return ec;
}
