/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/restr.h>

static int copy_into(struct gx_arena *a, const struct gx_restr *src, unsigned depth, struct gx_restr *ret_r);

static int copy_sub(struct gx_arena *a, const struct gx_restr *src, unsigned depth, const struct gx_restr **ret_r)
{
	if (src == NULL)
		return GX_E_INVAL;
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr);
	if (r == NULL)
		return GX_E_NOMEM;
	int err = copy_into(a, src, depth + 1, r);
	if (err == 0)
		*ret_r = r;
	return err;
}

static int copy_list(struct gx_arena *a, const struct gx_restr *src, unsigned depth, struct gx_restr *r)
{
	struct gx_restr *v = gx_arena_new_array(a, struct gx_restr, src->u.list.count);
	if (v == NULL)
		return GX_E_NOMEM;
	r->u.list.v = v;
	for (uint32_t i = 0; i < src->u.list.count; ++i) {
		int err = copy_into(a, &src->u.list.v[i], depth + 1, &v[i]);
		if (err != 0)
			return err;
	}
	return 0;
}

static int copy_propval(struct gx_arena *a, const struct gx_propval *src, struct gx_propval *ret_pv)
{
	union gx_value v;
	int err = gx_value_copy(a, GX_PROP_TYPE(src->tag), &src->v, &v);
	if (err == 0)
		*ret_pv = (struct gx_propval){.tag = src->tag, .v = v};
	return err;
}

static int copy_comment(struct gx_arena *a, const struct gx_restr *src, unsigned depth, struct gx_restr *r)
{
	struct gx_propval *v = gx_arena_new_array(a, struct gx_propval, src->u.comment.count);
	if (v == NULL)
		return GX_E_NOMEM;
	r->u.comment.v = v;
	for (unsigned i = 0; i < src->u.comment.count; ++i) {
		int err = copy_propval(a, &src->u.comment.v[i], &v[i]);
		if (err != 0)
			return err;
	}
	return src->u.comment.sub == NULL ? 0 : copy_sub(a, src->u.comment.sub, depth, &r->u.comment.sub);
}

static int copy_into(struct gx_arena *a, const struct gx_restr *src, unsigned depth, struct gx_restr *ret_r)
{
	if (depth >= GX_RESTR_MAX_DEPTH)
		return GX_E_DEPTH;
	*ret_r = *src;
	switch (src->type) {
	case RES_AND:
	case RES_OR:
		return copy_list(a, src, depth, ret_r);
	case RES_NOT:
		return copy_sub(a, src->u.not_.sub, depth, &ret_r->u.not_.sub);
	case RES_CONTENT:
		return copy_propval(a, &src->u.content.val, &ret_r->u.content.val);
	case RES_PROPERTY:
		return copy_propval(a, &src->u.prop.val, &ret_r->u.prop.val);
	case RES_SUBRESTRICTION:
		return copy_sub(a, src->u.sub.sub, depth, &ret_r->u.sub.sub);
	case RES_COMMENT:
	case RES_ANNOTATION:
		return copy_comment(a, src, depth, ret_r);
	case RES_COUNT:
		return copy_sub(a, src->u.count.sub, depth, &ret_r->u.count.sub);
	case RES_COMPAREPROPS:
	case RES_BITMASK:
	case RES_SIZE:
	case RES_EXIST:
	case RES_NULL:
		return 0;
	default:
		return GX_E_INVAL;
	}
}

int gx_restr_copy(struct gx_arena *a, const struct gx_restr *src, const struct gx_restr **ret_r)
{
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr);
	if (r == NULL)
		return GX_E_NOMEM;
	int err = copy_into(a, src, 0, r);
	if (err == 0)
		*ret_r = r;
	return err;
}

#define CMP(x, y) (((x) > (y)) - ((x) < (y)))
/* The first difference decides. */
#define TRY(d) do { int d_ = (d); if (d_ != 0) return d_; } while (0)

static int cmp_propval(const struct gx_propval *x, const struct gx_propval *y)
{
	TRY(CMP(x->tag, y->tag));
	return gx_value_cmp(GX_PROP_TYPE(x->tag), &x->v, &y->v);
}

static int cmp_sub(const struct gx_restr *x, const struct gx_restr *y)
{
	if (x == NULL || y == NULL)
		return CMP(x != NULL, y != NULL);
	return gx_restr_cmp(x, y);
}

static int cmp_list(const struct gx_restr *x, const struct gx_restr *y)
{
	TRY(CMP(x->u.list.count, y->u.list.count));
	for (uint32_t i = 0; i < x->u.list.count; ++i)
		TRY(gx_restr_cmp(&x->u.list.v[i], &y->u.list.v[i]));
	return 0;
}

static int cmp_comment(const struct gx_restr *x, const struct gx_restr *y)
{
	TRY(CMP(x->u.comment.count, y->u.comment.count));
	for (unsigned i = 0; i < x->u.comment.count; ++i)
		TRY(cmp_propval(&x->u.comment.v[i], &y->u.comment.v[i]));
	return cmp_sub(x->u.comment.sub, y->u.comment.sub);
}

static int cmp_leaf(const struct gx_restr *x, const struct gx_restr *y)
{
	switch (x->type) {
	case RES_COMPAREPROPS:
		TRY(CMP(x->u.cmp.relop, y->u.cmp.relop));
		TRY(CMP(x->u.cmp.tag1, y->u.cmp.tag1));
		return CMP(x->u.cmp.tag2, y->u.cmp.tag2);
	case RES_BITMASK:
		TRY(CMP(x->u.bitmask.relop, y->u.bitmask.relop));
		TRY(CMP(x->u.bitmask.tag, y->u.bitmask.tag));
		return CMP(x->u.bitmask.mask, y->u.bitmask.mask);
	case RES_SIZE:
		TRY(CMP(x->u.size.relop, y->u.size.relop));
		TRY(CMP(x->u.size.tag, y->u.size.tag));
		return CMP(x->u.size.size, y->u.size.size);
	case RES_EXIST:
		return CMP(x->u.exist.tag, y->u.exist.tag);
	default:
		return 0;
	}
}

int gx_restr_cmp(const struct gx_restr *x, const struct gx_restr *y)
{
	TRY(CMP(x->type, y->type));
	switch (x->type) {
	case RES_AND:
	case RES_OR:
		return cmp_list(x, y);
	case RES_NOT:
		return cmp_sub(x->u.not_.sub, y->u.not_.sub);
	case RES_CONTENT:
		TRY(CMP(x->u.content.level, y->u.content.level));
		TRY(CMP(x->u.content.flags, y->u.content.flags));
		TRY(CMP(x->u.content.tag, y->u.content.tag));
		return cmp_propval(&x->u.content.val, &y->u.content.val);
	case RES_PROPERTY:
		TRY(CMP(x->u.prop.relop, y->u.prop.relop));
		TRY(CMP(x->u.prop.tag, y->u.prop.tag));
		return cmp_propval(&x->u.prop.val, &y->u.prop.val);
	case RES_SUBRESTRICTION:
		TRY(CMP(x->u.sub.subobject, y->u.sub.subobject));
		return cmp_sub(x->u.sub.sub, y->u.sub.sub);
	case RES_COMMENT:
	case RES_ANNOTATION:
		return cmp_comment(x, y);
	case RES_COUNT:
		TRY(CMP(x->u.count.count, y->u.count.count));
		return cmp_sub(x->u.count.sub, y->u.count.sub);
	default:
		return cmp_leaf(x, y);
	}
}

uint32_t gx_restr_limit(const struct gx_restr *r)
{
	return r != NULL && r->type == RES_COUNT ? r->u.count.count : UINT32_MAX;
}
