/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/ics/ics-int.h"

/* Synchronisation of the tree of folders below one of them. Folders are few: all are looked at. */

struct gx_ics_hierarchy {
	uint64_t root, last_cn;
	uint64_t *v; /* changed folders */
	size_t n, at;
	struct gx_globset given, deleted;
};

static int look_at_all(struct gx_ics_hierarchy *h, const struct gx_folder_info *v, size_t n, const struct gx_globset *given,
	const struct gx_globset *seen)
{
	for (size_t i = 0; i < n; i++) {
		int err = gx_globset_add(&h->given, v[i].fid);
		if (err != 0)
			return err;
		bool had = given != NULL && gx_globset_contains(given, v[i].fid);
		if (!had || seen == NULL || !gx_globset_contains(seen, v[i].cn))
			h->v[h->n++] = v[i].fid;
	}
	int err = given == NULL ? 0 : gx_globset_union(&h->deleted, given);
	return err != 0 ? err : gx_globset_subtract(&h->deleted, &h->given);
}

gx_ec gx_ics_hierarchy_open(struct gx_txn *t, uint64_t fid, const struct gx_globset *given, const struct gx_globset *seen,
	struct gx_ics_hierarchy **ret_h)
{
	struct gx_folder_info *v;
	size_t n;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_ics_hierarchy *h = calloc(1, sizeof(*h));
	gx_ec ec = a == NULL || h == NULL ? gx_txn__ec(t, GX_E_NOMEM) : gx_folder_list(t, fid, true, a, &v, &n);
	if (!gx_ec_failed(ec)) {
		h->root = fid;
		h->v = malloc((n == 0 ? 1 : n) * sizeof(*h->v));
		int err = h->v == NULL ? GX_E_NOMEM : look_at_all(h, v, n, given, seen);
		ec = gx_txn__ec(t, err != 0 ? err : gx_ics__last_cn(t, &h->last_cn));
	}
	gx_arena_free(a);
	gx_ics__log_hierarchy(t, fid, given, h, ec);
	if (gx_ec_failed(ec))
		gx_ics_hierarchy_free(h);
	else
		*ret_h = h;
	return ec;
}

void gx_ics_hierarchy_free(struct gx_ics_hierarchy *h)
{
	if (h == NULL)
		return;
	gx_globset_release(&h->given);
	gx_globset_release(&h->deleted);
	free(h->v);
	free(h);
}

uint64_t gx_ics_hierarchy_last_cn(const struct gx_ics_hierarchy *h)
{
	return h->last_cn;
}

const struct gx_globset *gx_ics_hierarchy_set(const struct gx_ics_hierarchy *h, int which)
{
	return which == GX_ICS_GIVEN ? &h->given : which == GX_ICS_DELETED ? &h->deleted : NULL;
}

size_t gx_ics_hierarchy_count(const struct gx_ics_hierarchy *h)
{
	return h->n;
}

/* [MS-OXCFXICS] 2.2.4.3.5: children of the folder that is synchronised name no parent. */
static int hide_root(const struct gx_ics_hierarchy *h, struct gx_arena *a, struct gx_proplist *l)
{
	const struct gx_propval *parent = gx_proplist_get(l, PidTagParentFolderId);
	if (parent == NULL || (uint64_t)parent->v.i64 != h->root)
		return 0;
	return gx_proplist_set_bin(l, a, PidTagParentSourceKey, NULL, 0);
}

gx_ec gx_ics_hierarchy_next(struct gx_ics_hierarchy *h, struct gx_txn *t, struct gx_arena *a, struct gx_proplist *ret_l, bool *ret_more)
{
	*ret_more = false;
	while (h->at < h->n) {
		uint64_t fid = h->v[h->at++];
		struct gx_proplist l = {0};
		gx_ec ec = gx_folder_get_props(t, fid, NULL, 0, a, &l);
		if (gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecAccessDenied))
			continue;
		int err = gx_ec_failed(ec) ? 0 : hide_root(h, a, &l);
		if (err != 0)
			return gx_txn__ec(t, err);
		if (gx_ec_failed(ec))
			return ec;
		*ret_l = l;
		*ret_more = true;
		return GX_OK_EC;
	}
	return GX_OK_EC;
}
