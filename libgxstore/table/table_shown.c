/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/* Which groups can be seen, and where: headers, and the rows of open groups of the last category. */

/* A group whose parents are all open. */
static bool visible(const struct gx_groups *g, size_t i)
{
	for (uint32_t p = g->v[i].parent; p != UINT32_MAX; p = g->v[p].parent)
		if (!g->v[p].open)
			return false;
	return true;
}

bool gx_groups__is_open(const struct gx_groups *g, size_t i)
{
	return g->v[i].open && visible(g, i);
}

struct sorting {
	const struct gx_groups *g;
	bool back;
};

/* Groups with the same parent, by their extreme value in the table's direction; equal ones as the rows stand. */
static int by_extremum(const void *a, const void *b, void *ctx)
{
	const struct sorting *s = ctx;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct gx_group *x = &s->g->v[i], *y = &s->g->v[k];
	int d = gx_order__cmp((struct gx_bin){s->g->bytes.data + x->ext_off, x->ext_len},
		(struct gx_bin){s->g->bytes.data + y->ext_off, y->ext_len});
	return d != 0 ? s->back ? -d : d : (i > k) - (i < k);
}

/* All groups in the order of the table. Those of the last category follow each other below one parent. */
static void in_order(struct gx_table *tb, uint32_t *v)
{
	const struct gx_groups *g = &tb->groups;
	struct sorting s = {g, tb->seq.back};
	for (size_t i = 0; i < g->n; i++)
		v[i] = (uint32_t)i;
	for (size_t i = 0; g->extremum && i < g->n;) {
		size_t k = i;
		while (k < g->n && g->v[k].depth + 1U == g->depth && g->v[k].parent == g->v[i].parent)
			k++;
		if (k > i + 1)
			qsort_r(v + i, k - i, sizeof(*v), by_extremum, &s);
		i = k > i ? k : i + 1;
	}
}

int gx_groups__show(struct gx_table *tb)
{
	struct gx_groups *g = &tb->groups;
	uint32_t *shown = malloc((g->n + 1) * sizeof(*shown));
	uint64_t *at = malloc((g->n + 1) * sizeof(*at)), pos = 0;
	if (shown == NULL || at == NULL) {
		free(shown);
		free(at);
		return GX_E_NOMEM;
	}
	in_order(tb, shown);
	size_t n = 0;
	for (size_t i = 0; i < g->n; i++) {
		uint32_t k = shown[i];
		if (!visible(g, k))
			continue;
		shown[n] = k;
		at[n++] = pos++;
		if (g->v[k].depth + 1U == g->depth && g->v[k].open)
			pos += g->v[k].count;
	}
	free(g->shown);
	free(g->at);
	g->shown = shown;
	g->at = at;
	g->nshown = n;
	g->total = pos;
	return 0;
}

size_t gx_groups__by_prefix(const struct gx_groups *g, struct gx_bin prefix)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].len == prefix.len && memcmp(g->bytes.data + g->v[i].off, prefix.data, prefix.len) == 0)
			return i;
	return SIZE_MAX;
}

size_t gx_groups__by_id(const struct gx_groups *g, uint64_t id)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].id == id)
			return i;
	return SIZE_MAX;
}

uint64_t gx_groups__pos(const struct gx_groups *g, size_t group)
{
	for (size_t i = 0; i < g->nshown; i++)
		if (g->shown[i] == group)
			return g->at[i];
	return UINT64_MAX;
}

size_t gx_groups__at(const struct gx_groups *g, uint64_t pos, uint64_t *ret_leaf)
{
	size_t lo = 0, hi = g->nshown;
	while (lo + 1 < hi) { /* the last header at or before it */
		size_t mid = lo + (hi - lo) / 2;
		if (g->at[mid] <= pos)
			lo = mid;
		else
			hi = mid;
	}
	size_t i = g->shown[lo];
	*ret_leaf = pos == g->at[lo] ? UINT64_MAX : g->v[i].start + (pos - g->at[lo] - 1);
	return i;
}

size_t gx_groups__of_leaf(const struct gx_groups *g, uint64_t leaf)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].depth + 1U == g->depth && leaf >= g->v[i].start && leaf - g->v[i].start < g->v[i].count)
			return i;
	return SIZE_MAX;
}

uint64_t gx_groups__below(const struct gx_groups *g, size_t group)
{
	uint64_t n = 0;
	if (!gx_groups__is_open(g, group))
		return 0;
	for (size_t i = 0; i < g->nshown; i++) {
		size_t k = g->shown[i];
		uint32_t p = g->v[k].parent;
		while (p != UINT32_MAX && p != group)
			p = g->v[p].parent;
		bool leafs = g->v[k].depth + 1U == g->depth && g->v[k].open;
		if (p == group)
			n += 1 + (leafs ? g->v[k].count : 0);
		else if (k == group && leafs)
			n += g->v[k].count;
	}
	return n;
}
