/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of any object. [MS-OXCPRPT] 3.1.4 */
#include <config.h>
#include <string.h>
#include "libgxproto/client/client-int.h"

enum {
	HAVE_PROPS = 1U << MC_STORE | 1U << MC_FOLDER | 1U << MC_MESSAGE | 1U << MC_ATTACHMENT,
	TAGS_AT_ONCE = 2000,
	BYTES_AT_ONCE = 24576,  /* of values in one RopSetProperties */
	STREAM_FROM = 8192,     /* values of more bytes go as streams */
};

static gx_ec add_row(struct gx_mapi *c, const struct gx_proprow *row, struct gx_arena *a, struct gx_proplist *io_l)
{
	for (uint32_t i = 0; i < row->count; ++i) {
		const struct gx_propval *v = &row->v[i];
		uint16_t type = GX_PROP_TYPE(v->tag);
		if (type == PtypNull || (type == PtypErrorCode && v->v.err == ecNotFound))
			continue;
		if (gx_proplist_set(io_l, a, v->tag, v->v) != 0)
			return gx_mapi__nomem(c);
	}
	return MC_OK;
}

gx_ec gx_mapi_get(struct gx_mapi_obj *o, const gx_proptag_t *tags, size_t n, struct gx_arena *a,
	struct gx_proplist *ret_l)
{
	struct gx_proplist l = {0};
	if (!gx_mapi__is(o, HAVE_PROPS))
		return o->c->error.ec;
	for (size_t at = 0; at < n; at += TAGS_AT_ONCE) {
		struct gx_columns cols = {tags + at, (uint32_t)(n - at < TAGS_AT_ONCE ? n - at : TAGS_AT_ONCE)};
		const struct gx_rop_get_properties_specific_req q = {0, true, cols.v, cols.count};
		struct gx_rop_get_properties_specific_res *r;
		struct mc_batch *b = gx_mapi__begin(o->c, a);
		unsigned i = gx_mapi__add(b, o->store, RopGetPropertiesSpecific, gx_mapi__slot(b, o->handle), 0, &q, &cols);
		gx_ec ec = gx_mapi__run(b);
		if (!gx_ec_failed(ec))
			ec = gx_mapi__answer(b, i, (void **)&r);
		if (!gx_ec_failed(ec))
			ec = add_row(o->c, &r->row_data, a, &l);
		if (gx_ec_failed(ec))
			return ec;
	}
	*ret_l = l;
	return MC_OK;
}

gx_ec gx_mapi_get_all(struct gx_mapi_obj *o, struct gx_arena *a, struct gx_proplist *ret_l)
{
	const struct gx_rop_get_properties_all_req q = {0, true};
	struct gx_rop_get_properties_all_res *r;
	if (!gx_mapi__is(o, HAVE_PROPS))
		return o->c->error.ec;
	gx_ec ec = gx_mapi__do(o, RopGetPropertiesAll, &q, a, NULL, (void **)&r);
	if (!gx_ec_failed(ec))
		*ret_l = r->property_values;
	return ec;
}

gx_ec gx_mapi_list(struct gx_mapi_obj *o, struct gx_arena *a, gx_proptag_t **ret_tags, size_t *ret_n)
{
	struct gx_rop_get_properties_list_res *r;
	if (!gx_mapi__is(o, HAVE_PROPS))
		return o->c->error.ec;
	gx_ec ec = gx_mapi__do(o, RopGetPropertiesList, NULL, a, NULL, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	gx_proptag_t *copy = gx_arena_new_array(a, gx_proptag_t, r->property_tags_count);
	if (copy == NULL)
		return gx_mapi__nomem(o->c);
	if (r->property_tags_count > 0)
		memcpy(copy, r->property_tags, r->property_tags_count * sizeof(*copy));
	*ret_tags = copy;
	*ret_n = r->property_tags_count;
	return MC_OK;
}

/* ---- Setting ---- */

static gx_ec problem(struct gx_mapi *c, const char *rop, const struct gx_property_problem *v, uint32_t n)
{
	if (n == 0)
		return MC_OK;
	const char *name = gx_proptag_name(v->property_tag);
	return gx_mapi__fail(c, GX_EC(v->error_code), "%s: %s (0x%08x): %s", rop, name != NULL ? name : "a property",
		(unsigned)v->property_tag, gx_ec_name(GX_EC(v->error_code)));
}

/* Bytes on the wire, about. */
static uint64_t size_of(const struct gx_propval *v)
{
	uint64_t n = gx_value_size(GX_PROP_TYPE(v->tag), &v->v);
	bool text = (GX_PROP_TYPE(v->tag) & ~(unsigned)GX_MV_FLAG) == PtypString;
	return 8 + (text ? n * 2 : n);
}

static bool as_stream(const struct gx_propval *v)
{
	uint16_t type = GX_PROP_TYPE(v->tag);
	return (type == PtypBinary || type == PtypObject || type == PtypString) && size_of(v) > STREAM_FROM;
}

static gx_ec set_some(struct gx_mapi_obj *o, const struct gx_proplist *l)
{
	const struct gx_rop_set_properties_req q = {*l};
	struct gx_rop_set_properties_res *r;
	if (l->count == 0)
		return MC_OK;
	gx_ec ec = gx_mapi__do(o, RopSetProperties, &q, o->c->scratch, NULL, (void **)&r);
	return gx_ec_failed(ec) ? ec : problem(o->c, "RopSetProperties", r->property_problems, r->property_problems_count);
}

static gx_ec set_small(struct gx_mapi_obj *o, const struct gx_proplist *l)
{
	struct gx_proplist some = {0};
	uint64_t bytes = 0;
	for (size_t i = 0; i < l->count; ++i) {
		const struct gx_propval *v = &l->v[i];
		if (as_stream(v))
			continue;
		if (bytes > 0 && bytes + size_of(v) > BYTES_AT_ONCE) {
			gx_ec ec = set_some(o, &some);
			if (gx_ec_failed(ec))
				return ec;
			some.count = 0;
			bytes = 0;
		}
		bytes += size_of(v);
		if (gx_proplist_set(&some, o->c->scratch, v->tag, v->v) != 0)
			return gx_mapi__nomem(o->c);
	}
	return set_some(o, &some);
}

gx_ec gx_mapi_set(struct gx_mapi_obj *o, const struct gx_proplist *l)
{
	if (!gx_mapi__is(o, HAVE_PROPS))
		return o->c->error.ec;
	gx_ec ec = set_small(o, l);
	for (size_t i = 0; i < l->count && !gx_ec_failed(ec); ++i)
		if (as_stream(&l->v[i]))
			ec = gx_mapi__write_value(o, &l->v[i]);
	return ec;
}

gx_ec gx_mapi_remove(struct gx_mapi_obj *o, const gx_proptag_t *tags, size_t n)
{
	struct gx_rop_delete_properties_res *r;
	if (!gx_mapi__is(o, HAVE_PROPS))
		return o->c->error.ec;
	for (size_t at = 0; at < n; at += TAGS_AT_ONCE) {
		const struct gx_rop_delete_properties_req q = {tags + at, (uint32_t)(n - at < TAGS_AT_ONCE ? n - at : TAGS_AT_ONCE)};
		gx_ec ec = gx_mapi__do(o, RopDeleteProperties, &q, o->c->scratch, NULL, (void **)&r);
		if (!gx_ec_failed(ec))
			ec = problem(o->c, "RopDeleteProperties", r->property_problems, r->property_problems_count);
		if (gx_ec_failed(ec))
			return ec;
	}
	return MC_OK;
}
