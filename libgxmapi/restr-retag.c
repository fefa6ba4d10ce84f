/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/restr.h>

/* Property tags of a restriction changed one by one: ids of named properties differ between stores. */

struct retag {
	gx_proptag_t (*map)(gx_proptag_t tag, void *ctx);
	void *ctx;
};

static void walk(const struct retag *m, struct gx_restr *r);

static gx_proptag_t mapped(const struct retag *m, gx_proptag_t tag)
{
	return m->map(tag, m->ctx);
}

static void walk_sub(const struct retag *m, const struct gx_restr *r)
{
	if (r != NULL)
		walk(m, (struct gx_restr *)r); /* of our own copy */
}

static void walk_propval(const struct retag *m, struct gx_propval *pv)
{
	pv->tag = mapped(m, pv->tag);
	if (GX_PROP_TYPE(pv->tag) == PtypRestriction)
		walk_sub(m, pv->v.restr);
}

static void walk(const struct retag *m, struct gx_restr *r)
{
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		for (uint32_t i = 0; i < r->u.list.count; i++)
			walk_sub(m, &r->u.list.v[i]);
		break;
	case RES_NOT:
		walk_sub(m, r->u.not_.sub);
		break;
	case RES_CONTENT:
		r->u.content.tag = mapped(m, r->u.content.tag);
		walk_propval(m, &r->u.content.val);
		break;
	case RES_PROPERTY:
		r->u.prop.tag = mapped(m, r->u.prop.tag);
		walk_propval(m, &r->u.prop.val);
		break;
	case RES_COMPAREPROPS:
		r->u.cmp.tag1 = mapped(m, r->u.cmp.tag1);
		r->u.cmp.tag2 = mapped(m, r->u.cmp.tag2);
		break;
	case RES_BITMASK:
		r->u.bitmask.tag = mapped(m, r->u.bitmask.tag);
		break;
	case RES_SIZE:
		r->u.size.tag = mapped(m, r->u.size.tag);
		break;
	case RES_EXIST:
		r->u.exist.tag = mapped(m, r->u.exist.tag);
		break;
	case RES_SUBRESTRICTION:
		walk_sub(m, r->u.sub.sub);
		break;
	case RES_COMMENT:
	case RES_ANNOTATION:
		for (unsigned i = 0; i < r->u.comment.count; i++)
			walk_propval(m, (struct gx_propval *)&r->u.comment.v[i]);
		walk_sub(m, r->u.comment.sub);
		break;
	case RES_COUNT:
		walk_sub(m, r->u.count.sub);
		break;
	default:
		break;
	}
}

int gx_restr_retag(struct gx_arena *a, const struct gx_restr *src, gx_proptag_t (*map)(gx_proptag_t tag, void *ctx), void *ctx,
	const struct gx_restr **ret_r)
{
	const struct retag m = {map, ctx};
	const struct gx_restr *copy;
	int err = gx_restr_copy(a, src, &copy);
	if (err != 0)
		return err;
	walk_sub(&m, copy);
	*ret_r = copy;
	return 0;
}
