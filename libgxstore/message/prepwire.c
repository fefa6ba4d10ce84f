/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/storeop-types.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/message/msg-int.h"
#include "libgxstore/message/prepwire.h"

enum { FIRST_NAME = 0x8000, MOST_NAMES = 0x7fff, MAX_DEPTH = 64 };

/* What gx_msg_insert() asks the outer object for; the rest stands in the rows. */
static const gx_proptag_t asked[] = {PidTagHasAttachments, PidTagMessageFlags, PidTagReadReceiptRequested,
	PidTagNonReceiptNotificationRequested};

/* ---- Out ---- */

struct out {
	struct gx_arena *a;
	struct gx_o_object *v;
	size_t n, cap;
};

static int put_names(struct out *o, const struct gx_msgobj *m, struct gx_o_object *ret_o)
{
	struct gx_proplist l = {0};
	struct gx_push row = GX_PUSH_INIT;
	struct gx_o_name *names = gx_arena_new_array(o->a, struct gx_o_name, m->named_count);
	if (names == NULL || m->named_count > MOST_NAMES)
		return names == NULL ? GX_E_NOMEM : GX_E_LIMIT;
	int err = 0;
	for (size_t i = 0; i < m->named_count && err == 0; ++i) {
		const struct gx_propname *n = &m->named[i].name;
		names[i] = (struct gx_o_name){n->set, n->by_name, n->lid, n->name != NULL ? n->name : ""};
		err = gx_proplist_set(&l, o->a, GX_PROP_TAG(FIRST_NAME + i, m->named[i].type), m->named[i].v);
	}
	if (err == 0)
		err = gx_prow_pack(&row, &l);
	if (err == 0)
		err = gx_push_finish(&row, o->a, &ret_o->values);
	gx_push_release(&row);
	ret_o->names = names;
	ret_o->names_count = (uint32_t)m->named_count;
	return err;
}

static int put_object(struct out *o, const struct gx_prep_msg *m, unsigned depth)
{
	struct gx_o_attach *atts = gx_arena_new_array(o->a, struct gx_o_attach, m->att_count);
	struct gx_o_object *v = gx_arena_grow(o->a, o->v, &o->cap, o->n + 1, sizeof(*v));
	if (atts == NULL || v == NULL || depth > MAX_DEPTH || m->att_count > UINT32_MAX)
		return depth > MAX_DEPTH ? GX_E_DEPTH : GX_E_NOMEM;
	o->v = v;
	struct gx_o_object *x = &v[o->n++];
	*x = (struct gx_o_object){.row = m->row, .rcpts = m->rcpts, .atts = atts, .atts_count = (uint32_t)m->att_count};
	int err = put_names(o, m->obj, x);
	for (size_t i = 0; i < m->att_count; ++i)
		atts[i] = (struct gx_o_attach){m->atts[i].row, m->atts[i].embedded != NULL};
	for (size_t i = 0; i < m->att_count && err == 0; ++i)
		if (m->atts[i].embedded != NULL)
			err = put_object(o, m->atts[i].embedded, depth + 1);
	return err;
}

static int put_contents(const struct gx_msg_prepared *p, struct gx_arena *a, struct gx_o_message *m)
{
	struct gx_o_content *v = gx_arena_new_array(a, struct gx_o_content, p->content_count);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < p->content_count; ++i) {
		const struct gx_content_new *c = &p->contents[i];
		if (c->packed.data == NULL)
			return GX_E_LIMIT; /* held by a file: made by conversions only, which own their stores */
		v[i] = (struct gx_o_content){.size = c->size, .comp = c->comp, .packed = c->packed};
		memcpy(v[i].hash, c->hash, GX_HASH_LEN);
	}
	m->contents = v;
	m->contents_count = (uint32_t)p->content_count;
	return 0;
}

int gx_prep__encode(const struct gx_msg_prepared *p, struct gx_arena *a, struct gx_bin *ret_wire)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	struct out o = {.a = a};
	struct gx_o_message m = {.has_original = p->original.data != NULL, .original_size = p->original.len, .size = p->size,
		.envelope = p->envelope, .bodystructure = p->bodystructure, .skeleton = p->skeleton};
	int err = gx_prop__select(&p->msg.obj->props, asked, sizeof(asked) / sizeof(*asked), a, &m.props);
	if (err == 0)
		err = put_contents(p, a, &m);
	if (err == 0)
		err = put_object(&o, &p->msg, 0);
	m.objects = o.v;
	m.objects_count = (uint32_t)o.n;
	return err != 0 ? err : gx_desc_encode(&x, gx_storeop_desc(GX_STOREOP_O_MESSAGE), &m, ret_wire);
}

/* ---- In ---- */

struct in {
	struct gx_arena *a, *scratch;
	const struct gx_o_object *v;
	size_t n, at;
};

static int check_row(struct in *x, struct gx_bin row)
{
	struct gx_proplist l;
	gx_arena_reset(x->scratch);
	return gx_prow_unpack(x->scratch, row.data, row.len, &l);
}

static int check_rcpts(struct in *x, struct gx_bin rcpts)
{
	struct gx_proplist *v;
	size_t n;
	gx_arena_reset(x->scratch);
	return gx_rcpts__unpack(rcpts, x->scratch, &v, &n);
}

static int get_names(struct in *x, const struct gx_o_object *o, struct gx_msgobj *m)
{
	struct gx_proplist l;
	m->named = gx_arena_new_array(x->a, struct gx_named_propval, o->names_count);
	if (m->named == NULL)
		return GX_E_NOMEM;
	int err = gx_prow_unpack(x->a, o->values.data, o->values.len, &l);
	if (err != 0 || l.count != o->names_count)
		return err != 0 ? err : GX_E_FORMAT;
	for (uint32_t i = 0; i < o->names_count; ++i) {
		const struct gx_o_name *n = &o->names[i];
		if (GX_PROP_ID(l.v[i].tag) != FIRST_NAME + i)
			return GX_E_FORMAT;
		m->named[i] = (struct gx_named_propval){
			.name = {.set = n->set, .by_name = n->by_name, .lid = n->lid, .name = n->by_name ? n->name : NULL},
			.type = (uint16_t)GX_PROP_TYPE(l.v[i].tag), .v = l.v[i].v};
	}
	m->named_count = o->names_count;
	return 0;
}

static int get_object(struct in *x, unsigned depth, struct gx_prep_msg *ret_m)
{
	if (x->at == x->n || depth > MAX_DEPTH)
		return depth > MAX_DEPTH ? GX_E_DEPTH : GX_E_FORMAT;
	const struct gx_o_object *o = &x->v[x->at++];
	struct gx_msgobj *m = gx_msgobj_new(x->a);
	*ret_m = (struct gx_prep_msg){.obj = m, .row = o->row, .rcpts = o->rcpts, .att_count = o->atts_count};
	ret_m->atts = gx_arena_new_array(x->a, struct gx_prep_att, o->atts_count);
	if (m == NULL || ret_m->atts == NULL)
		return GX_E_NOMEM;
	int err = get_names(x, o, m);
	if (err == 0)
		err = check_row(x, o->row);
	if (err == 0)
		err = check_rcpts(x, o->rcpts);
	for (uint32_t i = 0; i < o->atts_count && err == 0; ++i) {
		ret_m->atts[i] = (struct gx_prep_att){.row = o->atts[i].row};
		err = check_row(x, o->atts[i].row);
		if (err != 0 || !o->atts[i].embedded)
			continue;
		struct gx_prep_msg *e = gx_arena_new_obj(x->a, struct gx_prep_msg);
		ret_m->atts[i].embedded = e;
		err = e == NULL ? GX_E_NOMEM : get_object(x, depth + 1, e);
	}
	return err;
}

/* The bytes are those of the hash: another message with that hash would be given them. */
static int check_content(const struct gx_o_content *c)
{
	struct gx_push out = GX_PUSH_INIT;
	uint8_t hash[GX_HASH_LEN];
	if (c->comp > GX_PACK_BLOCKS || c->size > GX_CONTENT_SIZE_MAX)
		return GX_E_FORMAT;
	ZSTD_DCtx *d = ZSTD_createDCtx();
	int err = d == NULL ? GX_E_NOMEM : gx_pack__unpack(d, c->comp, c->packed, c->size, &out);
	ZSTD_freeDCtx(d);
	if (err == 0 && out.len != c->size)
		err = GX_E_FORMAT;
	if (err == 0)
		gx_content__hash(out.data, out.len, hash);
	if (err == 0 && memcmp(hash, c->hash, GX_HASH_LEN) != 0)
		err = GX_E_FORMAT;
	gx_push_release(&out);
	return err;
}

static int get_contents(const struct gx_o_message *m, struct gx_arena *a, struct gx_msg_prepared *p)
{
	p->contents = gx_arena_new_array(a, struct gx_content_new, m->contents_count);
	if (p->contents == NULL)
		return GX_E_NOMEM;
	int err = 0;
	for (uint32_t i = 0; i < m->contents_count && err == 0; ++i) {
		const struct gx_o_content *c = &m->contents[i];
		p->contents[i] = (struct gx_content_new){.size = c->size, .comp = c->comp, .packed = c->packed, .fd = -1};
		memcpy(p->contents[i].hash, c->hash, GX_HASH_LEN);
		err = check_content(c);
	}
	p->content_count = m->contents_count;
	return err;
}

static bool is_new(const struct gx_msg_prepared *p, const struct gx_skel_content *c)
{
	for (size_t i = 0; i < p->content_count; ++i)
		if (memcmp(p->contents[i].hash, c->hash, GX_HASH_LEN) == 0)
			return p->contents[i].size == c->size;
	return false;
}

/* Each content is counted once for the skeleton that lists it, so both must be the same set. */
static int check_skeleton(const struct gx_msg_prepared *p, struct gx_arena *a, const struct gx_o_message *m)
{
	struct gx_skel s;
	int err = gx_skel__parse(a, p->skeleton, &s);
	if (err != 0)
		return err;
	if (s.content_count != p->content_count || s.size != (m->has_original ? m->original_size : 0))
		return GX_E_FORMAT;
	for (size_t i = 0; i < s.content_count; ++i)
		if (!is_new(p, &s.contents[i]))
			return GX_E_FORMAT;
	return 0;
}

static int decode(struct gx_bin wire, struct gx_arena *a, struct gx_arena *scratch, struct gx_msg_prepared *p)
{
	const struct gx_dctx x = {.px = GX_PX_EXT(a)};
	struct gx_o_message m;
	int err = gx_desc_decode(&x, gx_storeop_desc(GX_STOREOP_O_MESSAGE), wire.data, wire.len, &m);
	if (err != 0)
		return err;
	struct in in = {.a = a, .scratch = scratch, .v = m.objects, .n = m.objects_count};
	p->arena = a;
	p->original = (struct gx_bin){m.has_original ? (const uint8_t *)"" : NULL, (size_t)m.original_size}; /* its length is asked for only */
	p->envelope = m.envelope;
	p->bodystructure = m.bodystructure;
	p->skeleton = m.skeleton;
	p->size = m.size;
	err = get_contents(&m, a, p);
	if (err == 0)
		err = check_skeleton(p, a, &m);
	if (err == 0)
		err = get_object(&in, 0, &p->msg);
	if (err == 0 && in.at != in.n)
		err = GX_E_FORMAT;
	if (err == 0)
		((struct gx_msgobj *)p->msg.obj)->props = m.props;
	return err;
}

int gx_prep__decode(struct gx_bin wire, struct gx_arena *a, struct gx_msg_prepared **ret_p)
{
	struct gx_arena *scratch = gx_arena_new(0);
	struct gx_msg_prepared *p = gx_arena_new_obj(a, struct gx_msg_prepared);
	int err = scratch == NULL || p == NULL ? GX_E_NOMEM : decode(wire, a, scratch, p);
	gx_arena_free(scratch);
	if (err == 0)
		*ret_p = p;
	return err;
}
