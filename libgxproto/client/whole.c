/* SPDX-License-Identifier: Apache-2.0 */
/* A message with all that belongs to it, as one object: read from the server, written to it. */
#include <config.h>
#include <string.h>
#include <gx/namedprop.h>
#include "libgxproto/client/client-int.h"

enum { DEPTH_MAX = 16, EMBEDDED = 5 };

struct reading {
	struct gx_arena *a;
	uint64_t left;                 /* bytes that values may still have */
	unsigned depth;
};

static gx_ec too_big(struct gx_mapi *c)
{
	return gx_mapi__fail(c, GX_EC(ecTooBig), "the message is larger than was asked for");
}

/* ---- Reading ---- */

static gx_ec account(struct gx_mapi *c, struct reading *r, const struct gx_propval *v)
{
	uint64_t n = gx_value_size(GX_PROP_TYPE(v->tag), &v->v);
	if (n > r->left)
		return too_big(c);
	r->left -= n;
	return MC_OK;
}

/* A value that the list has only an error for: it is too large for a row, or it cannot be had. */
static gx_ec large(struct gx_mapi_obj *o, struct reading *r, gx_proptag_t tag, struct gx_proplist *io_l)
{
	uint16_t type = GX_PROP_TYPE(tag);
	union gx_value v;
	gx_proplist_remove(io_l, GX_PROP_RETYPE(tag, PtypUnspecified));
	if (type != PtypString && type != PtypString8 && type != PtypBinary)
		return MC_OK;
	gx_ec ec = gx_mapi_read_value(o, tag, r->left < UINT32_MAX ? (size_t)r->left : UINT32_MAX, r->a, &v);
	if (gx_ec_is(ec, ecNotFound))
		return MC_OK;
	return !gx_ec_failed(ec) && gx_proplist_set(io_l, r->a, tag, v) != 0 ? gx_mapi__nomem(o->c) : ec;
}

static gx_ec props(struct gx_mapi_obj *o, struct reading *r, struct gx_proplist *ret_l)
{
	gx_proptag_t *tags;
	size_t n;
	gx_ec ec = gx_mapi_list(o, r->a, &tags, &n);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_get(o, tags, n, r->a, ret_l);
	for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i) {
		const struct gx_propval *v = gx_proplist_get(ret_l, GX_PROP_RETYPE(tags[i], PtypUnspecified));
		if (v != NULL && GX_PROP_TYPE(v->tag) == PtypErrorCode)
			ec = large(o, r, tags[i], ret_l);
	}
	for (size_t i = 0; !gx_ec_failed(ec) && i < ret_l->count; ++i)
		ec = account(o->c, r, &ret_l->v[i]);
	return ec;
}

/* Ids of this store mean nothing elsewhere: their names do. */
static gx_ec name_props(struct gx_mapi_obj *o, struct reading *r, struct gx_msgobj *m)
{
	uint16_t *ids = gx_arena_new_array(r->a, uint16_t, m->props.count);
	struct gx_propname *names = gx_arena_new_array(r->a, struct gx_propname, m->props.count);
	size_t n = 0, kept = 0, at = 0;
	if (ids == NULL || names == NULL)
		return gx_mapi__nomem(o->c);
	for (size_t i = 0; i < m->props.count; ++i)
		if (GX_PROP_IS_NAMED(m->props.v[i].tag))
			ids[n++] = GX_PROP_ID(m->props.v[i].tag);
	gx_ec ec = n == 0 ? MC_OK : gx_mapi_names_of_ids(o->store, ids, n, r->a, names);
	for (size_t i = 0; i < m->props.count && !gx_ec_failed(ec); ++i) {
		const struct gx_propval v = m->props.v[i];
		if (!GX_PROP_IS_NAMED(v.tag))
			m->props.v[kept++] = v;
		else if (gx_msgobj_set_named(m, r->a, &names[at++], GX_PROP_TYPE(v.tag), v.v) != 0)
			ec = gx_mapi__nomem(o->c);
	}
	m->props.count = kept;
	return ec;
}

static gx_ec recipients(struct gx_mapi_obj *o, struct reading *r, struct gx_msgobj *m)
{
	size_t n;
	gx_ec ec = gx_mapi_recipients(o, r->a, &m->rcpts, &n);
	if (!gx_ec_failed(ec))
		m->rcpt_count = m->rcpt_cap = n;
	return ec;
}

static gx_ec message(struct gx_mapi_obj *o, struct reading *r, struct gx_msgobj **ret_m);

static gx_ec attachment(struct gx_mapi_obj *att, struct reading *r, struct gx_attach *ret_t)
{
	struct gx_mapi_obj *inner;
	gx_ec ec = props(att, r, &ret_t->props);
	if (gx_ec_failed(ec) || gx_proplist_i32(&ret_t->props, PidTagAttachMethod, 0) != EMBEDDED)
		return ec;
	gx_proplist_remove(&ret_t->props, PidTagAttachDataObject);
	ec = gx_mapi_open_embedded(att, GX_MAPI_READ_ONLY, &inner);
	if (gx_ec_failed(ec))
		return ec;
	ec = message(inner, r, &ret_t->embedded);
	gx_mapi_close(inner);
	return ec;
}

static gx_ec attachments(struct gx_mapi_obj *o, struct reading *r, struct gx_msgobj *m)
{
	static const gx_proptag_t column = PidTagAttachNumber;
	struct gx_mapi_obj *t, *att;
	struct gx_proplist *rows = NULL;
	size_t n = 1;
	gx_ec ec = gx_mapi_attachments(o, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi_set_columns(t, &column, 1);
	while (!gx_ec_failed(ec) && n > 0) {
		ec = gx_mapi_rows(t, 100, r->a, &rows, &n);
		for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i) {
			struct gx_attach *to = gx_msgobj_add_attach(m, r->a);
			if (to == NULL)
				ec = gx_mapi__nomem(o->c);
			else
				ec = gx_mapi_open_attachment(o, (uint32_t)gx_proplist_i32(&rows[i], column, 0), GX_MAPI_READ_ONLY, &att);
			if (gx_ec_failed(ec))
				break;
			ec = attachment(att, r, to);
			gx_mapi_close(att);
		}
	}
	gx_mapi_close(t);
	return ec;
}

static gx_ec message(struct gx_mapi_obj *o, struct reading *r, struct gx_msgobj **ret_m)
{
	struct gx_msgobj *m = gx_msgobj_new(r->a);
	if (m == NULL)
		return gx_mapi__nomem(o->c);
	if (r->depth++ == DEPTH_MAX)
		return gx_mapi__fail(o->c, GX_EC(ecTooBig), "messages are more than %d deep in each other", DEPTH_MAX);
	gx_ec ec = props(o, r, &m->props);
	if (!gx_ec_failed(ec))
		ec = name_props(o, r, m);
	if (!gx_ec_failed(ec))
		ec = recipients(o, r, m);
	if (!gx_ec_failed(ec))
		ec = attachments(o, r, m);
	--r->depth;
	if (!gx_ec_failed(ec))
		*ret_m = m;
	return ec;
}

gx_ec gx_mapi_read_message(struct gx_mapi_obj *m, uint64_t most, struct gx_arena *a, struct gx_msgobj **ret_m)
{
	struct reading r = {.a = a, .left = most};
	if (!gx_mapi__is(m, 1U << MC_MESSAGE))
		return m->c->error.ec;
	return message(m, &r, ret_m);
}

/* ---- Writing ---- */

static gx_ec write_named(struct gx_mapi_obj *o, const struct gx_msgobj *m, struct gx_arena *a)
{
	struct gx_propname *names = gx_arena_new_array(a, struct gx_propname, m->named_count);
	uint16_t *ids = gx_arena_new_array(a, uint16_t, m->named_count);
	struct gx_proplist l = {0};
	if (m->named_count == 0)
		return MC_OK;
	if (names == NULL || ids == NULL)
		return gx_mapi__nomem(o->c);
	for (size_t i = 0; i < m->named_count; ++i)
		names[i] = m->named[i].name;
	gx_ec ec = gx_mapi_ids_of_names(o->store, names, m->named_count, true, ids);
	for (size_t i = 0; i < m->named_count && !gx_ec_failed(ec); ++i)
		if (gx_proplist_set(&l, a, GX_PROP_TAG(ids[i], m->named[i].type), m->named[i].v) != 0)
			ec = gx_mapi__nomem(o->c);
	return gx_ec_failed(ec) ? ec : gx_mapi_set(o, &l);
}

static gx_ec write_message(struct gx_mapi_obj *o, const struct gx_msgobj *m, struct gx_arena *a, unsigned depth);

static gx_ec write_attachment(struct gx_mapi_obj *o, const struct gx_attach *t, struct gx_arena *a, unsigned depth)
{
	struct gx_mapi_obj *att, *inner = NULL;
	gx_ec ec = gx_mapi_create_attachment(o, &att, NULL);
	if (gx_ec_failed(ec))
		return ec;
	ec = t->data.tag != 0 ? gx_mapi__fail(o->c, GX_EC(ecInvalidParam), "an attachment's data is not in memory") : gx_mapi_set(att, &t->props);
	if (!gx_ec_failed(ec) && t->embedded != NULL)
		ec = gx_mapi_open_embedded(att, GX_MAPI_CREATE, &inner);
	if (!gx_ec_failed(ec) && inner != NULL)
		ec = write_message(inner, t->embedded, a, depth + 1);
	if (!gx_ec_failed(ec) && inner != NULL)
		ec = gx_mapi_save(inner, false, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_save_attachment(att);
	gx_mapi_close(inner);
	gx_mapi_close(att);
	return ec;
}

static gx_ec write_message(struct gx_mapi_obj *o, const struct gx_msgobj *m, struct gx_arena *a, unsigned depth)
{
	if (depth == DEPTH_MAX)
		return gx_mapi__fail(o->c, GX_EC(ecTooBig), "messages are more than %d deep in each other", DEPTH_MAX);
	if (m->slices[0].tag != 0)
		return gx_mapi__fail(o->c, GX_EC(ecInvalidParam), "a value of the message is not in memory");
	gx_ec ec = gx_mapi_set(o, &m->props);
	if (!gx_ec_failed(ec))
		ec = write_named(o, m, a);
	if (!gx_ec_failed(ec) && m->rcpt_count > 0)
		ec = gx_mapi_set_recipients(o, m->rcpts, m->rcpt_count);
	for (size_t i = 0; i < m->att_count && !gx_ec_failed(ec); ++i)
		ec = write_attachment(o, &m->atts[i], a, depth);
	return ec;
}

gx_ec gx_mapi_write_message(struct gx_mapi_obj *o, const struct gx_msgobj *m)
{
	if (!gx_mapi__is(o, 1U << MC_MESSAGE))
		return o->c->error.ec;
	struct gx_arena *a = gx_arena_new(0);
	gx_ec ec = a == NULL ? gx_mapi__nomem(o->c) : write_message(o, m, a, 0);
	gx_arena_free(a);
	return ec;
}
