/* SPDX-License-Identifier: Apache-2.0 */
/* Between the wire and the store: ids as eid and as plain numbers, text of a code page and UTF-8. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/calls/call-int.h"

gx_ec gx_call__id(struct gx_call_ctx *c, uint64_t eid, uint64_t *ret_id)
{
	uint64_t id = gx_eid_counter(eid);
	if (gx_eid_replica(eid) != 1 || id == 0)
		return gx_call__fail(c, ecInvalidParam, "id %llx is not one of this store", (unsigned long long)eid);
	*ret_id = id;
	return GX_OK_EC;
}

gx_ec gx_call__ids(struct gx_call_ctx *c, const uint64_t *eids, size_t n, const uint64_t **ret_ids)
{
	uint64_t *v = gx_arena_new_array(c->a, uint64_t, n);
	if (v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; i < n; ++i) {
		gx_ec ec = gx_call__id(c, eids[i], &v[i]);
		if (gx_ec_failed(ec))
			return ec;
	}
	*ret_ids = v;
	return GX_OK_EC;
}

gx_ec gx_call__eids(struct gx_call_ctx *c, const uint64_t *ids, size_t n, const uint64_t **ret_eids)
{
	uint64_t *v = gx_arena_new_array(c->a, uint64_t, n);
	if (v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; i < n; ++i)
		v[i] = gx_eid_wire(ids[i]);
	*ret_eids = v;
	return GX_OK_EC;
}

static gx_ec id_in(struct gx_call_ctx *c, struct gx_propval *pv)
{
	uint64_t id = 0, eid = (uint64_t)pv->v.i64;
	gx_ec ec = eid == 0 ? GX_OK_EC : gx_call__id(c, eid, &id);
	if (!gx_ec_failed(ec) && eid != 0)
		pv->v.i64 = (int64_t)id;
	return ec;
}

/* ---- Text ---- */

static int text_in(struct gx_arena *a, uint32_t cp, union gx_value *v)
{
	char *s;
	size_t n = strlen(v->str);
	if (gx_ascii_only(v->str, n))
		return 0;
	int err = gx_cp_to_utf8(a, cp, v->str, n, &s, NULL, NULL);
	if (err == 0)
		v->str = s;
	return err;
}

static int text_out(struct gx_arena *a, uint32_t cp, union gx_value *v)
{
	struct gx_bin b;
	size_t n = strlen(v->str);
	if (gx_ascii_only(v->str, n))
		return 0;
	int err = gx_cp_from_utf8(a, cp, v->str, n, false, &b);
	if (err != 0)
		return err;
	v->str = gx_arena_strndup(a, (const char *)b.data, b.len);
	return v->str == NULL ? GX_E_NOMEM : 0;
}

typedef int (*text_fn)(struct gx_arena *a, uint32_t cp, union gx_value *v);

/* Code page 0 is UTF-8; in UTF-16 a text would end at its first zero. */
static int convert_text(struct gx_arena *a, uint32_t cp, struct gx_propval *pv, text_fn fn)
{
	uint16_t type = GX_PROP_TYPE(pv->tag);
	if (cp == 0 || cp == GX_CP_UTF8 || cp == GX_CP_UTF16)
		return 0;
	if (type == PtypString8)
		return fn(a, cp, &pv->v);
	if (type != PtypMultipleString8)
		return 0;
	union gx_value *v = gx_arena_memdup(a, pv->v.mv.v, pv->v.mv.count * sizeof(*v));
	int err = v == NULL ? GX_E_NOMEM : 0;
	for (uint32_t i = 0; err == 0 && i < pv->v.mv.count; ++i)
		err = fn(a, cp, &v[i]);
	if (err == 0)
		pv->v.mv.v = v;
	return err;
}

/* ---- Lists ---- */

gx_ec gx_call__props_in(struct gx_call_ctx *c, uint32_t cpid, const struct gx_proplist *in, struct gx_proplist *ret_l)
{
	struct gx_proplist l = {0};
	for (size_t i = 0; i < in->count; ++i) {
		struct gx_propval pv = in->v[i];
		gx_ec ec = gx_eid_holds(pv.tag) ? id_in(c, &pv) : GX_OK_EC;
		if (!gx_ec_failed(ec) && GX_PROP_TYPE(pv.tag) == PtypRestriction)
			ec = gx_call__restr_in(c, cpid, pv.v.restr, &pv.v.restr);
		if (gx_ec_failed(ec))
			return ec;
		int err = convert_text(c->a, cpid, &pv, text_in);
		if (GX_PROP_TYPE(pv.tag) == PtypString8)
			pv.tag = GX_PROP_RETYPE(pv.tag, PtypString);
		else if (GX_PROP_TYPE(pv.tag) == PtypMultipleString8)
			pv.tag = GX_PROP_RETYPE(pv.tag, PtypMultipleString);
		if (err == 0)
			err = gx_proplist_set(&l, c->a, pv.tag, pv.v);
		if (err != 0)
			return gx_call__err(c, err);
	}
	*ret_l = l;
	return GX_OK_EC;
}

/* The tag under which somebody asked for this value: text comes in the type that was asked for. */
static gx_proptag_t asked(const gx_proptag_t *tags, size_t n, gx_proptag_t have)
{
	uint16_t type = GX_PROP_TYPE(have);
	if (type != PtypString && type != PtypMultipleString)
		return have;
	for (size_t i = 0; i < n; ++i)
		if (GX_PROP_ID(tags[i]) == GX_PROP_ID(have) && GX_PROP_TYPE(tags[i]) == (type == PtypString ? PtypString8 : PtypMultipleString8))
			return tags[i];
	return have;
}

gx_ec gx_call__props_out(struct gx_call_ctx *c, uint32_t cpid, const gx_proptag_t *tags, size_t n, const struct gx_proplist *in,
	struct gx_proplist *ret_l)
{
	struct gx_proplist l = {0};
	l.v = gx_arena_grow(c->a, NULL, &l.cap, in->count + 1, sizeof(*l.v));
	if (l.v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; i < in->count; ++i) {
		struct gx_propval pv = in->v[i];
		if (gx_eid_holds(pv.tag))
			pv.v.i64 = (int64_t)gx_eid_wire((uint64_t)pv.v.i64);
		pv.tag = asked(tags, n, pv.tag);
		int err = GX_PROP_TYPE(pv.tag) == PtypRestriction ? gx_restr_wire_ids(c->a, pv.v.restr, &pv.v.restr) : 0;
		if (err == 0)
			err = convert_text(c->a, cpid, &pv, text_out);
		if (err != 0)
			return gx_call__err(c, err);
		l.v[l.count++] = pv;
	}
	*ret_l = l;
	return GX_OK_EC;
}

gx_ec gx_call__tags(struct gx_call_ctx *c, const struct gx_proplist *l, const gx_proptag_t **ret_v, uint32_t *ret_n)
{
	gx_proptag_t *v = gx_arena_new_array(c->a, gx_proptag_t, l->count);
	if (v == NULL)
		return gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; i < l->count; ++i)
		v[i] = l->v[i].tag;
	*ret_v = v;
	*ret_n = (uint32_t)l->count;
	return GX_OK_EC;
}

/* ---- Restrictions ---- */

struct value {
	struct gx_call_ctx *c;
	uint32_t cpid;
	gx_ec ec;                    /* why it was refused */
};

static int value_in(gx_proptag_t tag, struct gx_propval *pv, void *ctx)
{
	struct value *w = ctx;
	w->ec = gx_eid_holds(tag) && GX_PROP_TYPE(pv->tag) == PtypInteger64 ? id_in(w->c, pv) : GX_OK_EC;
	if (gx_ec_failed(w->ec))
		return GX_E_INVAL;
	int err = convert_text(w->c->a, w->cpid, pv, text_in);
	if (GX_PROP_TYPE(pv->tag) == PtypString8)
		pv->tag = GX_PROP_RETYPE(pv->tag, PtypString);
	return err;
}

gx_ec gx_call__restr_in(struct gx_call_ctx *c, uint32_t cpid, const struct gx_restr *in, const struct gx_restr **ret_r)
{
	struct value w = {c, cpid, GX_OK_EC};
	*ret_r = NULL;
	int err = in == NULL ? 0 : gx_restr_map_values(c->a, in, value_in, &w, ret_r);
	return gx_ec_failed(w.ec) ? w.ec : gx_call__err(c, err);
}

gx_ec gx_call__restr_out(struct gx_call_ctx *c, const struct gx_restr *in, const struct gx_restr **ret_r)
{
	return gx_call__err(c, gx_restr_wire_ids(c->a, in, ret_r));
}

/* ---- Whole messages ---- */

typedef gx_ec (*list_fn)(struct gx_call_ctx *c, uint32_t cpid, const struct gx_proplist *in, struct gx_proplist *ret_l);

static gx_ec list_out(struct gx_call_ctx *c, uint32_t cpid, const struct gx_proplist *in, struct gx_proplist *ret_l)
{
	return gx_call__props_out(c, cpid, NULL, 0, in, ret_l);
}

static gx_ec convert_msg(struct gx_call_ctx *c, uint32_t cpid, const struct gx_msgobj *in, struct gx_msgobj *m, list_fn fn);

static gx_ec convert_attach(struct gx_call_ctx *c, uint32_t cpid, const struct gx_attach *in, struct gx_attach *at, list_fn fn)
{
	*at = *in;
	gx_ec ec = fn(c, cpid, &in->props, &at->props);
	if (gx_ec_failed(ec) || in->embedded == NULL)
		return ec;
	at->embedded = gx_msgobj_new(c->a);
	return at->embedded == NULL ? gx_call__err(c, GX_E_NOMEM) : convert_msg(c, cpid, in->embedded, at->embedded, fn);
}

/* The wire has numbers for named properties only; messages that were read have their names. */
static gx_ec add_named(struct gx_call_ctx *c, const struct gx_msgobj *in, struct gx_proplist *l)
{
	gx_ec ec = gx_call__err(c, gx_proplist_copy(c->a, &in->props, l));
	for (size_t i = 0; !gx_ec_failed(ec) && i < in->named_count; ++i) {
		uint16_t id = 0;
		ec = gx_store_named_ids(c->t, false, &in->named[i].name, 1, &id);
		if (!gx_ec_failed(ec) && id != 0)
			ec = gx_call__err(c, gx_proplist_set(l, c->a, GX_PROP_TAG(id, in->named[i].type), in->named[i].v));
	}
	return ec;
}

/* Nested as deep as the decoder or the store let it be. */
static gx_ec convert_msg(struct gx_call_ctx *c, uint32_t cpid, const struct gx_msgobj *in, struct gx_msgobj *m, list_fn fn)
{
	struct gx_proplist all = in->props;
	*m = *in;
	gx_ec ec = in->named_count > 0 ? add_named(c, in, &all) : GX_OK_EC;
	if (!gx_ec_failed(ec))
		ec = fn(c, cpid, &all, &m->props);
	m->named = NULL;
	m->named_count = m->named_cap = 0;
	if (in->rcpts != NULL)
		m->rcpts = gx_arena_new_array(c->a, struct gx_proplist, in->rcpt_count);
	if (in->atts != NULL)
		m->atts = gx_arena_new_array(c->a, struct gx_attach, in->att_count);
	if ((in->rcpts != NULL && m->rcpts == NULL) || (in->atts != NULL && m->atts == NULL))
		return gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; !gx_ec_failed(ec) && i < in->rcpt_count; ++i)
		ec = fn(c, cpid, &in->rcpts[i], &m->rcpts[i]);
	for (size_t i = 0; !gx_ec_failed(ec) && i < in->att_count; ++i)
		ec = convert_attach(c, cpid, &in->atts[i], &m->atts[i], fn);
	m->rcpt_cap = in->rcpt_count;
	m->att_cap = in->att_count;
	return ec;
}

gx_ec gx_call__msg_in(struct gx_call_ctx *c, uint32_t cpid, const struct gx_msgobj *in, struct gx_msgobj *ret_m)
{
	return convert_msg(c, cpid, in, ret_m, gx_call__props_in);
}

gx_ec gx_call__msg_out(struct gx_call_ctx *c, uint32_t cpid, const struct gx_msgobj *in, struct gx_msgobj *ret_m)
{
	return convert_msg(c, cpid, in, ret_m, list_out);
}
