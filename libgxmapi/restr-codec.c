/* SPDX-License-Identifier: Apache-2.0 */
/* Restrictions and sort orders in wire form, [MS-OXCDATA] 2.12 and 2.13. */
#include <config.h>
#include <gx/propcodec.h>

static void pull_into(struct gx_pull *c, const struct gx_px *x, struct gx_restr *r);

static void pull_list(struct gx_pull *c, const struct gx_px *x, struct gx_restr *r)
{
	uint32_t count = x->wide ? gx_pull_u32(c) : gx_pull_u16(c);
	size_t n = gx_pull_count(c, count, 1);
	struct gx_restr *v = c->err == 0 ? gx_arena_new_array(x->a, struct gx_restr, n) : NULL;
	if (v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	for (size_t i = 0; i < n && c->err == 0; ++i)
		pull_into(c, x, &v[i]);
	r->u.list.v = v;
	r->u.list.count = (uint32_t)n;
}

static void pull_comment(struct gx_pull *c, const struct gx_px *x, struct gx_restr *r)
{
	uint8_t n = gx_pull_u8(c);
	struct gx_propval *v = gx_arena_new_array(x->a, struct gx_propval, n);
	if (v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	for (unsigned i = 0; i < n && c->err == 0; ++i)
		gx_px_pull_propval(c, x, &v[i]);
	r->u.comment.v = v;
	r->u.comment.count = n;
	r->u.comment.sub = gx_pull_u8(c) != 0 ? gx_px_pull_restr(c, x) : NULL;
}

static void pull_leaf(struct gx_pull *c, const struct gx_px *x, struct gx_restr *r)
{
	switch (r->type) {
	case RES_CONTENT:
		r->u.content.level = gx_pull_u16(c);
		r->u.content.flags = gx_pull_u16(c);
		r->u.content.tag = gx_pull_u32(c);
		gx_px_pull_propval(c, x, &r->u.content.val);
		break;
	case RES_PROPERTY:
		r->u.prop.relop = gx_pull_u8(c);
		r->u.prop.tag = gx_pull_u32(c);
		gx_px_pull_propval(c, x, &r->u.prop.val);
		break;
	case RES_COMPAREPROPS:
		r->u.cmp.relop = gx_pull_u8(c);
		r->u.cmp.tag1 = gx_pull_u32(c);
		r->u.cmp.tag2 = gx_pull_u32(c);
		break;
	case RES_BITMASK:
		r->u.bitmask.relop = gx_pull_u8(c);
		r->u.bitmask.tag = gx_pull_u32(c);
		r->u.bitmask.mask = gx_pull_u32(c);
		break;
	case RES_SIZE:
		r->u.size.relop = gx_pull_u8(c);
		r->u.size.tag = gx_pull_u32(c);
		r->u.size.size = gx_pull_u32(c);
		break;
	case RES_EXIST:
		r->u.exist.tag = gx_pull_u32(c);
		break;
	case RES_NULL:
		break;
	default:
		gx_pull_fail(c, GX_E_FORMAT);
		break;
	}
}

static void pull_into(struct gx_pull *c, const struct gx_px *x, struct gx_restr *r)
{
	if (!gx_pull_enter(c))
		return;
	r->type = gx_pull_u8(c);
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		pull_list(c, x, r);
		break;
	case RES_NOT:
		r->u.not_.sub = gx_px_pull_restr(c, x);
		break;
	case RES_SUBRESTRICTION:
		r->u.sub.subobject = gx_pull_u32(c);
		r->u.sub.sub = gx_px_pull_restr(c, x);
		break;
	case RES_COMMENT:
	case RES_ANNOTATION:
		pull_comment(c, x, r);
		break;
	case RES_COUNT:
		r->u.count.count = gx_pull_u32(c);
		r->u.count.sub = gx_px_pull_restr(c, x);
		break;
	default:
		pull_leaf(c, x, r);
		break;
	}
	gx_pull_leave(c);
}

const struct gx_restr *gx_px_pull_restr(struct gx_pull *c, const struct gx_px *x)
{
	struct gx_restr *r = c->err == 0 ? gx_arena_new_obj(x->a, struct gx_restr) : NULL;
	if (r == NULL) {
		gx_pull_fail(c, GX_E_NOMEM);
		return NULL;
	}
	pull_into(c, x, r);
	return c->err == 0 ? r : NULL;
}

static void push(struct gx_push *c, const struct gx_px *x, const struct gx_restr *r, unsigned depth);

static void push_list(struct gx_push *c, const struct gx_px *x, const struct gx_restr *r, unsigned depth)
{
	uint32_t n = r->u.list.count;
	if (x->wide)
		gx_push_u32(c, n);
	else if (n > UINT16_MAX)
		gx_push_fail(c, GX_E_RANGE);
	else
		gx_push_u16(c, (uint16_t)n);
	for (uint32_t i = 0; i < n && c->err == 0; ++i)
		push(c, x, &r->u.list.v[i], depth + 1);
}

static void push_comment(struct gx_push *c, const struct gx_px *x, const struct gx_restr *r, unsigned depth)
{
	gx_push_u8(c, r->u.comment.count);
	for (unsigned i = 0; i < r->u.comment.count; ++i)
		gx_px_push_propval(c, x, &r->u.comment.v[i]);
	gx_push_u8(c, r->u.comment.sub != NULL);
	if (r->u.comment.sub != NULL)
		push(c, x, r->u.comment.sub, depth + 1);
}

static void push_leaf(struct gx_push *c, const struct gx_px *x, const struct gx_restr *r)
{
	switch (r->type) {
	case RES_CONTENT:
		gx_push_u16(c, r->u.content.level);
		gx_push_u16(c, r->u.content.flags);
		gx_push_u32(c, r->u.content.tag);
		gx_px_push_propval(c, x, &r->u.content.val);
		break;
	case RES_PROPERTY:
		gx_push_u8(c, r->u.prop.relop);
		gx_push_u32(c, r->u.prop.tag);
		gx_px_push_propval(c, x, &r->u.prop.val);
		break;
	case RES_COMPAREPROPS:
		gx_push_u8(c, r->u.cmp.relop);
		gx_push_u32(c, r->u.cmp.tag1);
		gx_push_u32(c, r->u.cmp.tag2);
		break;
	case RES_BITMASK:
		gx_push_u8(c, r->u.bitmask.relop);
		gx_push_u32(c, r->u.bitmask.tag);
		gx_push_u32(c, r->u.bitmask.mask);
		break;
	case RES_SIZE:
		gx_push_u8(c, r->u.size.relop);
		gx_push_u32(c, r->u.size.tag);
		gx_push_u32(c, r->u.size.size);
		break;
	case RES_EXIST:
		gx_push_u32(c, r->u.exist.tag);
		break;
	case RES_NULL:
		break;
	default:
		gx_push_fail(c, GX_E_INVAL);
		break;
	}
}

static void push(struct gx_push *c, const struct gx_px *x, const struct gx_restr *r, unsigned depth)
{
	if (r == NULL || depth >= GX_RESTR_MAX_DEPTH) {
		gx_push_fail(c, r == NULL ? GX_E_INVAL : GX_E_DEPTH);
		return;
	}
	gx_push_u8(c, r->type);
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		push_list(c, x, r, depth);
		break;
	case RES_NOT:
		push(c, x, r->u.not_.sub, depth + 1);
		break;
	case RES_SUBRESTRICTION:
		gx_push_u32(c, r->u.sub.subobject);
		push(c, x, r->u.sub.sub, depth + 1);
		break;
	case RES_COMMENT:
	case RES_ANNOTATION:
		push_comment(c, x, r, depth);
		break;
	case RES_COUNT:
		gx_push_u32(c, r->u.count.count);
		push(c, x, r->u.count.sub, depth + 1);
		break;
	default:
		push_leaf(c, x, r);
		break;
	}
}

void gx_px_push_restr(struct gx_push *c, const struct gx_px *x, const struct gx_restr *r)
{
	push(c, x, r, 0);
}

void gx_px_pull_sortset(struct gx_pull *c, const struct gx_px *x, struct gx_sortset *ret_s)
{
	struct gx_sortset s = {0};
	uint16_t count = gx_pull_u16(c);
	s.categories = gx_pull_u16(c);
	s.expanded = gx_pull_u16(c);
	if (s.categories > count || s.expanded > s.categories)
		gx_pull_fail(c, GX_E_FORMAT);
	s.count = (uint16_t)gx_pull_count(c, count, 5);
	struct gx_sort *v = gx_arena_new_array(x->a, struct gx_sort, s.count);
	if (v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	for (unsigned i = 0; i < s.count && c->err == 0; ++i) {
		v[i].tag = gx_pull_u32(c);
		v[i].order = gx_pull_u8(c);
	}
	s.v = v;
	*ret_s = c->err == 0 ? s : (struct gx_sortset){0};
}

void gx_px_push_sortset(struct gx_push *c, const struct gx_px *x, const struct gx_sortset *s)
{
	(void)x;
	gx_push_u16(c, s->count);
	gx_push_u16(c, s->categories);
	gx_push_u16(c, s->expanded);
	for (unsigned i = 0; i < s->count; ++i) {
		gx_push_u32(c, s->v[i].tag);
		gx_push_u8(c, s->v[i].order);
	}
}
