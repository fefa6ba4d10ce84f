/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/search/fts-int.h"

/* Lists of ids that outlive an arena's patience. */

int gx_idlist__add(struct gx_idlist *l, uint64_t id)
{
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : l->cap * 2;
		uint64_t *v = realloc(l->v, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = id;
	return 0;
}

void gx_idlist__release(struct gx_idlist *l)
{
	free(l->v);
	*l = (struct gx_idlist){0};
}

static int by_id(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return a < b ? -1 : a > b;
}

void gx_idlist__sort(struct gx_idlist *l)
{
	size_t k = 0, sorted = 1;
	while (sorted < l->n && l->v[sorted - 1] <= l->v[sorted])
		sorted++;
	if (sorted < l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_id);
	for (size_t i = 0; i < l->n; i++)
		if (k == 0 || l->v[k - 1] != l->v[i])
			l->v[k++] = l->v[i];
	l->n = k;
}

bool gx_idlist__has(const struct gx_idlist *l, uint64_t id)
{
	return l->n > 0 && bsearch(&id, l->v, l->n, sizeof(*l->v), by_id) != NULL;
}
