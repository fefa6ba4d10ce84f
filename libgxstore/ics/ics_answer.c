/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/ics/ics-int.h"

/* Synchronisations as one answer, for callers that cannot take them piece by piece. */

int gx_ics__ids(struct gx_arena *a, const struct gx_globset *s, struct gx_ics_ids *ret_ids)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	uint64_t *v = gx_arena_new_array(a, uint64_t, s->count);
	size_t n = 0;
	if (v == NULL)
		return GX_E_NOMEM;
	gx_globset_iter(s, &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t id = r.lo; id <= r.hi; id++)
			v[n++] = id;
	*ret_ids = (struct gx_ics_ids){v, n};
	return 0;
}

static int changed_ids(struct gx_arena *a, struct gx_ics_content *c, struct gx_ics_content_answer *ret_a)
{
	uint64_t *changed = gx_arena_new_array(a, uint64_t, gx_icslist__count(&c->list)), *updated = gx_arena_new_array(a, uint64_t, c->updated);
	struct gx_ics_change ch;
	size_t n = 0, m = 0;
	bool more;
	if (changed == NULL || updated == NULL)
		return GX_E_NOMEM;
	int err;
	while ((err = gx_icsreader__next(&c->next, &ch, &more)) == 0 && more) {
		changed[n++] = ch.mid;
		if (ch.updated)
			updated[m++] = ch.mid;
	}
	ret_a->changed = (struct gx_ics_ids){changed, n};
	ret_a->updated = (struct gx_ics_ids){updated, m};
	return err;
}

gx_ec gx_ics_content_answer(struct gx_txn *t, uint64_t fid, const struct gx_ics_content_opts *o, struct gx_arena *a,
	struct gx_ics_content_answer *ret_a)
{
	struct gx_ics_content *c;
	gx_ec ec = gx_ics_content_open(t, fid, o, &c);
	if (gx_ec_failed(ec))
		return ec;
	ret_a->summary = c->sum;
	int err = changed_ids(a, c, ret_a);
	err = err != 0 ? err : gx_ics__ids(a, &c->set[GX_ICS_GIVEN], &ret_a->given);
	err = err != 0 ? err : gx_ics__ids(a, &c->set[GX_ICS_DELETED], &ret_a->deleted);
	err = err != 0 ? err : gx_ics__ids(a, &c->set[GX_ICS_NOLONGER], &ret_a->nolonger);
	err = err != 0 ? err : gx_ics__ids(a, &c->set[GX_ICS_READ], &ret_a->read);
	err = err != 0 ? err : gx_ics__ids(a, &c->set[GX_ICS_UNREAD], &ret_a->unread);
	gx_ics_content_free(c);
	return gx_txn__ec(t, err);
}

static gx_ec all_folders(struct gx_ics_hierarchy *h, struct gx_txn *t, struct gx_arena *a, struct gx_ics_hierarchy_answer *ret_a)
{
	size_t n = 0;
	bool more = true;
	struct gx_proplist l, *v = gx_arena_new_array(a, struct gx_proplist, gx_ics_hierarchy_count(h));
	gx_ec ec = gx_txn__ec(t, v == NULL ? GX_E_NOMEM : 0);
	while (!gx_ec_failed(ec) && more) {
		ec = gx_ics_hierarchy_next(h, t, a, &l, &more);
		if (!gx_ec_failed(ec) && more)
			v[n++] = l;
	}
	ret_a->folders = v;
	ret_a->folder_count = n;
	return ec;
}

gx_ec gx_ics_hierarchy_answer(struct gx_txn *t, uint64_t fid, const struct gx_globset *given, const struct gx_globset *seen,
	struct gx_arena *a, struct gx_ics_hierarchy_answer *ret_a)
{
	struct gx_ics_hierarchy *h;
	gx_ec ec = gx_ics_hierarchy_open(t, fid, given, seen, &h);
	if (gx_ec_failed(ec))
		return ec;
	ec = all_folders(h, t, a, ret_a);
	ret_a->last_cn = gx_ics_hierarchy_last_cn(h);
	int err = gx_ics__ids(a, gx_ics_hierarchy_set(h, GX_ICS_GIVEN), &ret_a->given);
	err = err != 0 ? err : gx_ics__ids(a, gx_ics_hierarchy_set(h, GX_ICS_DELETED), &ret_a->deleted);
	gx_ics_hierarchy_free(h);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, err);
}
