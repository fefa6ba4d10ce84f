/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/table/table-int.h"

/*
 * Which part of a sort order a restriction leaves: comparisons of the first column with a value, alone or
 * joined by AND. Keys hold the beginning of long texts only, so the part may be too large, never too small.
 */

struct range {
	const struct gx_sort *col;
	struct gx_push *lo, *hi, at;
	bool ends;
};

static bool same_column(const struct gx_sort *c, gx_proptag_t tag)
{
	uint16_t have = GX_PROP_TYPE(c->tag), want = GX_PROP_TYPE(tag);
	if (want == PtypString8)
		want = PtypString;
	return GX_PROP_ID(c->tag) == GX_PROP_ID(tag) && have == want;
}

static struct gx_bin bin_of(const struct gx_push *p)
{
	return (struct gx_bin){p->data, p->len};
}

static void keep(struct gx_push *p, const struct gx_push *from)
{
	gx_push_clear(p);
	gx_push_bytes(p, from->data, from->len);
	if (from->err != 0)
		gx_push_fail(p, from->err);
}

static void raise(struct range *g)
{
	if (gx_order__cmp(bin_of(&g->at), bin_of(g->lo)) > 0)
		keep(g->lo, &g->at);
}

/* Everything that begins as the value is still inside. */
static void lower(struct range *g)
{
	struct gx_push above = GX_PUSH_INIT;
	if (gx_order__after(bin_of(&g->at), &above) && (!g->ends || gx_order__cmp(bin_of(&above), bin_of(g->hi)) < 0)) {
		keep(g->hi, &above);
		g->ends = true;
	}
	gx_push_release(&above);
}

static void narrow(struct range *g, const struct gx_restr *r)
{
	if (r == NULL)
		return;
	if (r->type == RES_AND) {
		for (uint32_t i = 0; i < r->u.list.count; i++)
			narrow(g, &r->u.list.v[i]);
		return;
	}
	if (r->type == RES_COUNT || r->type == RES_COMMENT || r->type == RES_ANNOTATION) {
		narrow(g, r->type == RES_COUNT ? r->u.count.sub : r->u.comment.sub);
		return;
	}
	if (r->type != RES_PROPERTY || !same_column(g->col, r->u.prop.tag) || !same_column(g->col, r->u.prop.val.tag))
		return;
	gx_push_clear(&g->at);
	gx_order__column(&g->at, g->col, &r->u.prop.val);
	if (r->u.prop.relop == RELOP_EQ || r->u.prop.relop == RELOP_GE || r->u.prop.relop == RELOP_GT)
		raise(g);
	if (r->u.prop.relop == RELOP_EQ || r->u.prop.relop == RELOP_LE || r->u.prop.relop == RELOP_LT)
		lower(g);
}

bool gx_list__range(struct gx_table *tb, struct gx_push *lo, struct gx_push *hi)
{
	struct range g = {.col = &tb->seq.spec.col[0], .lo = lo, .hi = hi, .at = GX_PUSH_INIT};
	if (tb->seq.spec.mvi != 0)
		narrow(&g, tb->restr);
	gx_push_release(&g.at);
	return g.ends;
}
