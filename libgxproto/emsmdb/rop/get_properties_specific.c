/* SPDX-License-Identifier: Apache-2.0 */
/* RopGetPropertiesSpecific, [MS-OXCPRPT] 2.2.2 and 3.2.5.1 */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static struct gx_propval value_of(const struct gx_proplist *l, gx_proptag_t tag, bool unicode)
{
	const struct gx_propval *have = gx_proplist_get(l, tag);
	if (have == NULL) /* one larger than the limit says so */
		have = gx_proplist_get(l, GX_PROP_RETYPE(tag, PtypErrorCode));
	if (have == NULL)
		return (struct gx_propval){GX_PROP_RETYPE(tag, PtypErrorCode), {.err = ecNotFound}};
	struct gx_propval v = *have;
	uint16_t type = GX_PROP_TYPE(v.tag);
	if (GX_PROP_TYPE(tag) == PtypUnspecified && (type == PtypString || type == PtypString8))
		v.tag = GX_PROP_RETYPE(v.tag, unicode ? PtypString : PtypString8);
	return v;
}

static size_t size_of(struct gx_rop_call *c, const struct gx_propval *v)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_px_push_value(&p, &c->x->px, GX_PROP_TYPE(v->tag), &v->v);
	size_t n = p.len;
	gx_push_release(&p);
	return n;
}

/* Values that the answer has no room for, the largest first, are told to be read as streams. */
static void make_fit(struct gx_rop_call *c, struct gx_propval *v, uint32_t n)
{
	enum { AROUND = 7 }; /* most that stands with a value: type, flag, error */
	size_t total = 1, *size = gx_arena_new_array(c->a, size_t, n);
	for (uint32_t i = 0; size != NULL && i < n; ++i)
		total += AROUND + (size[i] = size_of(c, &v[i]));
	while (size != NULL && total > c->whole) {
		uint32_t most = 0;
		for (uint32_t i = 1; i < n; ++i)
			if (size[i] > size[most])
				most = i;
		if (n == 0 || size[most] <= sizeof(uint32_t))
			return;
		v[most] = (struct gx_propval){GX_PROP_RETYPE(v[most].tag, PtypErrorCode), {.err = ecMAPIOOM}};
		total -= size[most];
		size[most] = 0;
	}
}

gx_ec gx_rop__get_properties_specific(struct gx_rop_call *c, const struct gx_rop_get_properties_specific_req *q,
	struct gx_rop_get_properties_specific_res *r)
{
	struct gx_txn *t;
	struct gx_proplist l = {0};
	const struct gx_ems_props *p = c->in->kind->props;
	struct gx_columns *cols = gx_arena_new_obj(c->a, struct gx_columns);
	struct gx_propval *v = gx_arena_new_array(c->a, struct gx_propval, q->property_tags_count);
	if (p == NULL)
		return GX_EC(ecNotSupported);
	if (cols == NULL || v == NULL)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	if (q->property_tags_count > 0)
		ec = p->get(c, c->in, t, q->property_tags, q->property_tags_count, q->property_size_limit != 0 ? q->property_size_limit : c->whole, &l);
	ec = gx_rop__end(c, t, ec);
	if (gx_ec_failed(ec))
		return ec;
	for (uint32_t i = 0; i < q->property_tags_count; ++i)
		v[i] = value_of(&l, q->property_tags[i], q->want_unicode);
	gx_ems__send_ids(c->a, v, q->property_tags_count);
	make_fit(c, v, q->property_tags_count);
	*cols = (struct gx_columns){q->property_tags, q->property_tags_count};
	c->x->custom = cols;
	r->row_data = (struct gx_proprow){v, q->property_tags_count};
	return EMS_OK;
}
