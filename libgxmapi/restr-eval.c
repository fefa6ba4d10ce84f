/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/restr.h>
#include "libgxmapi/prop-int.h"

/* Inside, 1 is fulfilled, 0 is not, and a negative number an error. */
static int eval(const struct gx_restr *r, const struct gx_propsrc *src, unsigned depth);

static int get(const struct gx_propsrc *src, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	return src->get == NULL ? 0 : src->get(tag, ret_pv, src->ctx);
}

static int by_relop(uint8_t relop, int order)
{
	switch (relop) {
	case RELOP_LT: return order < 0;
	case RELOP_LE: return order <= 0;
	case RELOP_GT: return order > 0;
	case RELOP_GE: return order >= 0;
	case RELOP_EQ: return order == 0;
	case RELOP_NE: return order != 0;
	case RELOP_RE: return GX_E_UNSUP;
	default: return GX_E_INVAL;
	}
}

static int compare_single(uint8_t relop, uint16_t type, const union gx_value *x, const union gx_value *y)
{
	if (gx_prop__kind(type) == GX_KIND_STR)
		return by_relop(relop, gx_utf8_casecmp(x->str, y->str));
	return by_relop(relop, gx_value_cmp(type, x, y));
}

/*
 * MAPI's rule for multi-values: against a single value, one element that fits suffices; two
 * multi-values compare as a whole.
 */
static int compare(uint8_t relop, const struct gx_propval *have, const struct gx_propval *want)
{
	uint16_t ht = GX_PROP_TYPE(have->tag), wt = GX_PROP_TYPE(want->tag);
	if (gx_prop__kind(ht) != gx_prop__kind(wt))
		return 0;
	if (!gx_prop__is_multi(ht))
		return gx_prop__is_multi(wt) ? 0 : compare_single(relop, ht, &have->v, &want->v);
	if (gx_prop__is_multi(wt))
		return by_relop(relop, gx_value_cmp(ht, &have->v, &want->v));
	for (uint32_t i = 0; i < have->v.mv.count; ++i) {
		int match = compare_single(relop, gx_prop__single(ht), &have->v.mv.v[i], &want->v);
		if (match != 0)
			return match;
	}
	return 0;
}

static int eval_property(const struct gx_restr *r, const struct gx_propsrc *src)
{
	if (r->u.prop.relop == RELOP_MEMBER_OF_DL) {
		if (gx_prop__kind(GX_PROP_TYPE(r->u.prop.val.tag)) != GX_KIND_BIN)
			return GX_E_INVAL;
		return src->member_of == NULL ? 0 : src->member_of(r->u.prop.tag, &r->u.prop.val.v.bin, src->ctx);
	}
	struct gx_propval pv;
	int have = get(src, r->u.prop.tag, &pv);
	if (have < 0)
		return have;
	if (have == 0)
		return r->u.prop.relop == RELOP_NE;
	return compare(r->u.prop.relop, &pv, &r->u.prop.val);
}

static bool match_bytes(const struct gx_bin *hay, const struct gx_bin *needle, uint16_t level)
{
	if (needle->len > hay->len || (level == FL_FULLSTRING && needle->len != hay->len))
		return false;
	if (needle->len == 0)
		return true;
	if (level == FL_SUBSTRING)
		return memmem(hay->data, hay->len, needle->data, needle->len) != NULL;
	return memcmp(hay->data, needle->data, needle->len) == 0;
}

static bool match_content(const struct gx_restr *r, uint8_t kind, const union gx_value *v)
{
	const union gx_value *want = &r->u.content.val.v;
	if (kind == GX_KIND_STR)
		return gx_fuzzy_match(v->str, want->str, r->u.content.level, r->u.content.flags);
	return match_bytes(&v->bin, &want->bin, r->u.content.level);
}

static int eval_content(const struct gx_restr *r, const struct gx_propsrc *src)
{
	uint16_t wt = GX_PROP_TYPE(r->u.content.val.tag);
	uint8_t kind = gx_prop__kind(wt);
	if (r->u.content.level > FL_PREFIX || gx_prop__is_multi(wt) || (kind != GX_KIND_STR && kind != GX_KIND_BIN))
		return GX_E_INVAL;
	struct gx_propval pv;
	int have = get(src, r->u.content.tag, &pv);
	if (have <= 0)
		return have;
	uint16_t type = GX_PROP_TYPE(pv.tag);
	if (gx_prop__kind(type) != kind)
		return 0;
	if (!gx_prop__is_multi(type))
		return match_content(r, kind, &pv.v);
	for (uint32_t i = 0; i < pv.v.mv.count; ++i)
		if (match_content(r, kind, &pv.v.mv.v[i]))
			return 1;
	return 0;
}

static int eval_compareprops(const struct gx_restr *r, const struct gx_propsrc *src)
{
	struct gx_propval x, y;
	int have_x = get(src, r->u.cmp.tag1, &x);
	int have_y = have_x < 0 ? 0 : get(src, r->u.cmp.tag2, &y);
	if (have_x < 0 || have_y < 0)
		return have_x < 0 ? have_x : have_y;
	if (have_x == 0 || have_y == 0)
		return r->u.cmp.relop == RELOP_NE && have_x != have_y;
	return compare(r->u.cmp.relop, &x, &y);
}

static int eval_bitmask(const struct gx_restr *r, const struct gx_propsrc *src)
{
	struct gx_propval pv;
	uint32_t bits = 0;
	if (r->u.bitmask.relop > BMR_NEZ)
		return GX_E_INVAL;
	int have = get(src, r->u.bitmask.tag, &pv);
	if (have < 0)
		return have;
	if (have > 0) {
		/* [MS-OXCDATA] 2.12.7: the property is a PtypInteger32 */
		if (GX_PROP_TYPE(pv.tag) != PtypInteger32)
			return 0;
		bits = (uint32_t)pv.v.i32;
	}
	return ((bits & r->u.bitmask.mask) != 0) == (r->u.bitmask.relop == BMR_NEZ);
}

static int eval_size(const struct gx_restr *r, const struct gx_propsrc *src)
{
	uint64_t size;
	int have;
	if (src->size != NULL) {
		have = src->size(r->u.size.tag, &size, src->ctx);
	} else {
		struct gx_propval pv;
		have = get(src, r->u.size.tag, &pv);
		if (have > 0)
			size = gx_value_size(GX_PROP_TYPE(pv.tag), &pv.v);
	}
	if (have <= 0)
		return have;
	return by_relop(r->u.size.relop, (size > r->u.size.size) - (size < r->u.size.size));
}

static int eval_list(const struct gx_restr *r, const struct gx_propsrc *src, unsigned depth)
{
	int decided = r->type == RES_OR;
	for (uint32_t i = 0; i < r->u.list.count; ++i) {
		int match = eval(&r->u.list.v[i], src, depth + 1);
		if (match < 0 || match == decided)
			return match;
	}
	return !decided;
}

struct sub_ctx {
	const struct gx_restr *r;
	unsigned depth;
};

static int eval_one(const struct gx_propsrc *sub, void *cb_ctx)
{
	const struct sub_ctx *s = cb_ctx;
	return eval(s->r, sub, s->depth);
}

static int eval(const struct gx_restr *r, const struct gx_propsrc *src, unsigned depth)
{
	if (r == NULL)
		return 1;
	if (depth >= GX_RESTR_MAX_DEPTH)
		return GX_E_DEPTH;
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		return eval_list(r, src, depth);
	case RES_NOT: {
		int match = eval(r->u.not_.sub, src, depth + 1);
		return match < 0 ? match : !match;
	}
	case RES_CONTENT:
		return eval_content(r, src);
	case RES_PROPERTY:
		return eval_property(r, src);
	case RES_COMPAREPROPS:
		return eval_compareprops(r, src);
	case RES_BITMASK:
		return eval_bitmask(r, src);
	case RES_SIZE:
		return eval_size(r, src);
	case RES_EXIST: {
		struct gx_propval pv;
		return get(src, r->u.exist.tag, &pv);
	}
	case RES_SUBRESTRICTION: {
		struct sub_ctx s = {.r = r->u.sub.sub, .depth = depth + 1};
		return src->each == NULL ? 0 : src->each(r->u.sub.subobject, eval_one, &s, src->ctx);
	}
	case RES_COMMENT:
	case RES_ANNOTATION:
		return eval(r->u.comment.sub, src, depth + 1);
	case RES_COUNT:
		return eval(r->u.count.sub, src, depth + 1);
	case RES_NULL:
		return 1;
	default:
		return GX_E_INVAL;
	}
}

int gx_restr_eval(const struct gx_restr *r, const struct gx_propsrc *src, bool *ret_match)
{
	int match = eval(r, src, 0);
	if (match < 0)
		return match;
	*ret_match = match != 0;
	return 0;
}

static int list_get(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx)
{
	const struct gx_propval *p = gx_proplist_get(ctx, tag);
	if (p == NULL)
		return 0;
	*ret_pv = *p;
	return 1;
}

struct gx_propsrc gx_propsrc_list(const struct gx_proplist *l)
{
	return (struct gx_propsrc){.get = list_get, .ctx = (void *)(uintptr_t)l};
}
