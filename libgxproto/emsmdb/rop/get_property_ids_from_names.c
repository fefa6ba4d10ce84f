/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetPropertyIdsFromNames and RopGetNamesFromPropertyIds, [MS-OXCPRPT] 2.2.12, 2.2.13, 3.2.5.9 and 3.2.5.10 */
#include <config.h>
#include <gx/guids.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { CREATE = 0x02, NAMED_FROM = 0x8000 };

/* Names in PS_MAPI are ids themselves; the store knows the others. */
static bool is_id(const struct gx_propname *n)
{
	return !n->by_name && gx_guid_cmp(&n->set, &PS_MAPI) == 0;
}

static gx_ec ask(struct gx_rop_call *c, bool create, const struct gx_propname *v, uint32_t n, uint16_t *ids)
{
	struct gx_txn *t;
	if (n == 0)
		return EMS_OK;
	gx_ec ec = create ? gx_rop__write(c, &t) : gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_store_named_ids(t, create, v, n, ids));
}

gx_ec gx_rop__get_property_ids_from_names(struct gx_rop_call *c, const struct gx_rop_get_property_ids_from_names_req *q,
	struct gx_rop_get_property_ids_from_names_res *r)
{
	uint32_t n = q->property_names_count, asked = 0;
	uint16_t *ids = gx_arena_new_array(c->a, uint16_t, n), *found = gx_arena_new_array(c->a, uint16_t, n);
	struct gx_propname *v = gx_arena_new_array(c->a, struct gx_propname, n);
	bool missing = false;
	if (ids == NULL || found == NULL || v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < n; ++i)
		if (!is_id(&q->property_names[i]))
			v[asked++] = q->property_names[i];
	gx_ec ec = ask(c, q->flags & CREATE, v, asked, found);
	if (gx_ec_failed(ec))
		return ec;
	for (uint32_t i = 0, k = 0; i < n; ++i) {
		const struct gx_propname *name = &q->property_names[i];
		ids[i] = !is_id(name) ? found[k++] : name->lid < NAMED_FROM ? (uint16_t)name->lid : 0;
		missing = missing || ids[i] == 0;
	}
	r->property_ids = ids;
	r->property_ids_count = n;
	return missing ? GX_EC(ecWarnWithErrors) : EMS_OK;
}

gx_ec gx_rop__get_names_from_property_ids(struct gx_rop_call *c, const struct gx_rop_get_names_from_property_ids_req *q,
	struct gx_rop_get_names_from_property_ids_res *r)
{
	struct gx_txn *t;
	uint32_t n = q->property_ids_count;
	struct gx_propname *v = gx_arena_new_array(c->a, struct gx_propname, n);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, n == 0 ? EMS_OK : gx_store_named_names(t, q->property_ids, n, c->a, v));
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		if (q->property_ids[i] < NAMED_FROM)
			v[i] = (struct gx_propname){PS_MAPI, false, q->property_ids[i], NULL};
	r->property_names = v;
	r->property_names_count = n;
	return ec;
}
