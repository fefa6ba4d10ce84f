/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include <gx/restr.h>

/* Values of a restriction changed one by one: what clients send and what a store keeps differs. */

struct change {
	gx_restr_value_fn fn;
	void *ctx;
};

static int walk(const struct change *m, struct gx_restr *r);

static int walk_sub(const struct change *m, const struct gx_restr *r)
{
	return r == NULL ? 0 : walk(m, (struct gx_restr *)r); /* of our own copy */
}

static int walk_list(const struct change *m, const struct gx_restr *v, uint32_t n)
{
	int err = 0;
	for (uint32_t i = 0; err == 0 && i < n; i++)
		err = walk_sub(m, &v[i]);
	return err;
}

static int change_value(const struct change *m, gx_proptag_t tag, struct gx_propval *pv)
{
	return GX_PROP_TYPE(pv->tag) == PtypRestriction ? walk_sub(m, pv->v.restr) : m->fn(tag, pv, m->ctx);
}

static int walk_comment(const struct change *m, struct gx_restr *r)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < r->u.comment.count; i++) {
		struct gx_propval *pv = (struct gx_propval *)&r->u.comment.v[i];
		err = change_value(m, pv->tag, pv);
	}
	return err != 0 ? err : walk_sub(m, r->u.comment.sub);
}

/* As deep as gx_restr_copy() goes. */
static int walk(const struct change *m, struct gx_restr *r)
{
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		return walk_list(m, r->u.list.v, r->u.list.count);
	case RES_NOT:
		return walk_sub(m, r->u.not_.sub);
	case RES_CONTENT:
		return change_value(m, r->u.content.tag, &r->u.content.val);
	case RES_PROPERTY:
		return change_value(m, r->u.prop.tag, &r->u.prop.val);
	case RES_SUBRESTRICTION:
		return walk_sub(m, r->u.sub.sub);
	case RES_COMMENT:
	case RES_ANNOTATION:
		return walk_comment(m, r);
	case RES_COUNT:
		return walk_sub(m, r->u.count.sub);
	default:
		return 0;
	}
}

int gx_restr_map_values(struct gx_arena *a, const struct gx_restr *src, gx_restr_value_fn fn, void *ctx, const struct gx_restr **ret_r)
{
	const struct change m = {fn, ctx};
	const struct gx_restr *copy = NULL;
	int err = src == NULL ? 0 : gx_restr_copy(a, src, &copy);
	if (err == 0)
		err = walk_sub(&m, copy);
	if (err == 0)
		*ret_r = copy;
	return err;
}

/* ---- Ids ---- */

/* What the value is compared with says what it is. */
static bool is_id(gx_proptag_t tag, const struct gx_propval *pv)
{
	return GX_PROP_TYPE(pv->tag) == PtypInteger64 && (gx_eid_holds(tag) || gx_eid_holds(pv->tag));
}

static int to_plain(gx_proptag_t tag, struct gx_propval *pv, void *ctx)
{
	(void)ctx;
	if (is_id(tag, pv))
		pv->v.i64 = (int64_t)gx_eid_plain((uint64_t)pv->v.i64);
	return 0;
}

static int to_wire(gx_proptag_t tag, struct gx_propval *pv, void *ctx)
{
	(void)ctx;
	if (is_id(tag, pv))
		pv->v.i64 = (int64_t)gx_eid_wire((uint64_t)pv->v.i64);
	return 0;
}

int gx_restr_plain_ids(struct gx_arena *a, const struct gx_restr *src, const struct gx_restr **ret_r)
{
	return gx_restr_map_values(a, src, to_plain, NULL, ret_r);
}

int gx_restr_wire_ids(struct gx_arena *a, const struct gx_restr *src, const struct gx_restr **ret_r)
{
	return gx_restr_map_values(a, src, to_wire, NULL, ret_r);
}
