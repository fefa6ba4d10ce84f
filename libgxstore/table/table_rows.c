/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/table/table-int.h"

/* Rows by position, whatever the table is made of. */

int gx_table__total(struct gx_table *tb, struct gx_txn *t, uint64_t *ret_n)
{
	switch (tb->what) {
	case GX_T_FOLDERS:
		*ret_n = tb->nfolders;
		return 0;
	case GX_T_FIXED:
		*ret_n = tb->nrows;
		return 0;
	default:
		break;
	}
	if (tb->groups.depth == 0)
		return gx_seq__total(tb, t, ret_n);
	*ret_n = tb->groups.total;
	return 0;
}

static struct gx_trow header(const struct gx_groups *g, size_t i)
{
	return (struct gx_trow){g->v[i].id, 0, g->v[i].open ? GX_ROW_EXPANDED : GX_ROW_COLLAPSED, g->v[i].depth};
}

static int group_window(struct gx_table *tb, struct gx_txn *t, uint64_t pos, size_t n, struct gx_trow *v, size_t *ret_n)
{
	const struct gx_groups *g = &tb->groups;
	size_t k = 0;
	while (k < n && pos < g->total) {
		uint64_t leaf;
		size_t i = gx_groups__at(g, pos, &leaf), got = 1;
		if (leaf == UINT64_MAX) {
			v[k] = header(g, i);
		} else {
			uint64_t left = g->v[i].start + g->v[i].count - leaf;
			int err = gx_seq__window(tb, t, leaf, left < n - k ? (size_t)left : n - k, v + k, &got);
			if (err != 0)
				return err;
			if (got == 0)
				break;
		}
		k += got;
		pos += got;
	}
	*ret_n = k;
	return 0;
}

int gx_table__window(struct gx_table *tb, struct gx_txn *t, uint64_t pos, size_t n, struct gx_trow *v, size_t *ret_n)
{
	size_t k = 0;
	switch (tb->what) {
	case GX_T_FOLDERS:
		for (; k < n && pos + k < tb->nfolders; k++)
			v[k] = (struct gx_trow){tb->folders[pos + k].fid, 0, GX_ROW_LEAF, tb->folders[pos + k].depth};
		break;
	case GX_T_FIXED:
		for (; k < n && pos + k < tb->nrows; k++)
			v[k] = (struct gx_trow){tb->rows[pos + k].id, 0, GX_ROW_LEAF, 0};
		break;
	default:
		return tb->groups.depth == 0 ? gx_seq__window(tb, t, pos, n, v, ret_n)
					     : group_window(tb, t, pos, n, v, ret_n);
	}
	*ret_n = k;
	return 0;
}

static int place_in(struct gx_table *tb, uint64_t id, uint64_t *ret_pos, struct gx_trow *ret_row)
{
	size_t n = tb->what == GX_T_FOLDERS ? tb->nfolders : tb->nrows, i = 0;
	while (i < n && (tb->what == GX_T_FOLDERS ? tb->folders[i].fid : tb->rows[i].id) != id)
		i++;
	if (i == n)
		return GX_E_NOTFOUND;
	*ret_pos = i;
	*ret_row = (struct gx_trow){id, 0, GX_ROW_LEAF, tb->what == GX_T_FOLDERS ? tb->folders[i].depth : 0};
	return 0;
}

static int place_header(const struct gx_groups *g, uint64_t id, uint64_t *ret_pos, struct gx_trow *ret_row)
{
	size_t i = gx_groups__by_id(g, id);
	uint64_t pos = i == SIZE_MAX ? UINT64_MAX : gx_groups__pos(g, i);
	if (pos == UINT64_MAX)
		return GX_E_NOTFOUND;
	*ret_pos = pos;
	*ret_row = header(g, i);
	return 0;
}

int gx_table__place(
	struct gx_table *tb, struct gx_txn *t, uint64_t id, uint32_t inst, uint64_t *ret_pos, struct gx_trow *ret_row)
{
	const struct gx_groups *g = &tb->groups;
	uint64_t leaf;
	if (tb->what != GX_T_CONTENTS)
		return place_in(tb, id, ret_pos, ret_row);
	if (id >> 48 == GX_TABLE_HEADER_ID >> 48)
		return place_header(g, id, ret_pos, ret_row);
	int err = gx_seq__place(tb, t, id, inst, &leaf);
	if (err != 0)
		return err;
	*ret_pos = leaf;
	*ret_row = (struct gx_trow){id, inst, GX_ROW_LEAF, (uint8_t)g->depth};
	if (g->depth == 0)
		return 0;
	size_t i = gx_groups__of_leaf(g, leaf);
	if (i == SIZE_MAX || !gx_groups__is_open(g, i))
		return GX_E_NOTFOUND;
	*ret_pos = gx_groups__pos(g, i) + 1 + (leaf - g->v[i].start);
	return 0;
}
