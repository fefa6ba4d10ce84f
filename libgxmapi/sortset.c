/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/restr.h>
#include "libgxmapi/prop-int.h"

int gx_sortset_check(const struct gx_sortset *s)
{
	if (s->categories > s->count || s->expanded > s->categories)
		return GX_E_INVAL;
	unsigned instances = 0;
	for (unsigned i = 0; i < s->count; ++i) {
		uint16_t type = GX_PROP_TYPE(s->v[i].tag);
		uint8_t order = s->v[i].order;
		if (order != GX_SORT_ASCEND && order != GX_SORT_DESCEND && order != GX_SORT_MAX_CATEGORY &&
		    order != GX_SORT_MIN_CATEGORY)
			return GX_E_INVAL;
		/* [MS-OXCTABL] 2.2.2.3: a multi-value column sorts by its instances, one column a table */
		if (!gx_ptype_known(type) || gx_prop__is_multi(type))
			return GX_E_INVAL;
		instances += (type & GX_MVI_FLAG) == GX_MVI_FLAG;
	}
	return instances > 1 ? GX_E_INVAL : 0;
}

int gx_sortset_copy(struct gx_arena *a, const struct gx_sortset *src, struct gx_sortset *ret_s)
{
	struct gx_sort *v = gx_arena_new_array(a, struct gx_sort, src->count);
	if (v == NULL)
		return GX_E_NOMEM;
	for (unsigned i = 0; i < src->count; ++i)
		v[i] = src->v[i];
	struct gx_sortset s = *src;
	s.v = v;
	*ret_s = s;
	return 0;
}

void gx_sortset_print(struct gx_strbuf *b, const struct gx_sortset *s)
{
	for (unsigned i = 0; i < s->count; ++i) {
		uint8_t order = s->v[i].order;
		if (i != 0)
			gx_strbuf_adds(b, ", ");
		if (i < s->categories)
			gx_strbuf_adds(b, i < s->expanded ? "open group by " : "group by ");
		gx_prop__print_tag(b, s->v[i].tag);
		gx_strbuf_adds(b, order == GX_SORT_ASCEND ? " asc" : order == GX_SORT_DESCEND ? " desc" : order == GX_SORT_MAX_CATEGORY ? " max" : " min");
	}
}

static int cmp_column(gx_proptag_t tag, const struct gx_propsrc *x, const struct gx_propsrc *y, int *ret_order)
{
	struct gx_propval p, q;
	int have_x = x->get == NULL ? 0 : x->get(tag, &p, x->ctx);
	int have_y = have_x < 0 || y->get == NULL ? 0 : y->get(tag, &q, y->ctx);
	if (have_x < 0 || have_y < 0)
		return have_x < 0 ? have_x : have_y;
	if (have_x == 0 || have_y == 0 || !gx_prop__comparable(GX_PROP_TYPE(p.tag), GX_PROP_TYPE(q.tag)))
		*ret_order = have_x - have_y;
	else
		*ret_order = gx_value_cmp(GX_PROP_TYPE(p.tag), &p.v, &q.v);
	return 0;
}

int gx_sortset_cmp(const struct gx_sortset *s, const struct gx_propsrc *x, const struct gx_propsrc *y, int *ret_order)
{
	int order = 0;
	for (unsigned i = 0; i < s->count && order == 0; ++i) {
		int err = cmp_column(s->v[i].tag, x, y, &order);
		if (err != 0)
			return err;
		if (s->v[i].order != GX_SORT_ASCEND && s->v[i].order != GX_SORT_MIN_CATEGORY)
			order = -order;
	}
	*ret_order = order;
	return 0;
}
