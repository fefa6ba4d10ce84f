/* SPDX-License-Identifier: Apache-2.0 */
/* The stream "hierarchySync": changed folders, those that are gone, the state. [MS-OXCFXICS] 2.2.4.3.9, 2.2.4.3.5 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"

enum { FOLDERS, DELETIONS, STATE, FINISHED };

static struct gx_ems_sync *self(struct gx_ems_source *s)
{
	return (struct gx_ems_sync *)s;
}

static gx_ec start(struct gx_ems_source *s)
{
	struct gx_ems_sync *x = self(s);
	struct gx_txn *t = gx_ems__source_txn(s);
	gx_ec ec = t == NULL ? s->ec : gx_ics_hierarchy_open(t, x->fid, &x->state.set[GX_EMS_GIVEN], &x->state.set[GX_EMS_SEEN], &x->tree);
	if (!gx_ec_failed(ec))
		s->total = gx_ics_hierarchy_count(x->tree) + 1;
	return ec;
}

/* These stand in front, in this order. */
static const gx_proptag_t head[] = {
	PidTagParentSourceKey, PidTagSourceKey, PidTagLastModificationTime, PidTagChangeKey, PidTagPredecessorChangeList, PidTagDisplayName,
};

static bool passes_over(gx_proptag_t tag, const void *ctx)
{
	const struct gx_ems_sync *x = ctx;
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); ++i)
		if (GX_PROP_ID(head[i]) == GX_PROP_ID(tag))
			return true;
	return gx_ems__of_folder_only(tag) || !gx_ems__filter_wants(&x->filter, tag);
}

static int put_id(struct gx_ems_sync *x, const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	const union gx_value id = {.i64 = pv == NULL ? 0 : (int64_t)gx_eid_wire((uint64_t)pv->v.i64)};
	return pv == NULL ? 0 : gx_ftx_out_prop(x->src.out, tag, NULL, &id);
}

static int put_folder(struct gx_ems_sync *x, const struct gx_proplist *l)
{
	struct gx_ftx_out *out = x->src.out;
	int err = gx_ftx_out_marker(out, IncrSyncChg);
	for (size_t i = 0; err == 0 && i < sizeof(head) / sizeof(head[0]); ++i) {
		const struct gx_propval *pv = gx_proplist_get(l, head[i]);
		err = pv == NULL ? GX_E_FORMAT : gx_ftx_out_prop(out, pv->tag, NULL, &pv->v);
	}
	if (err == 0 && (x->extra & GX_SYNC_EXTRA_EID))
		err = put_id(x, l, PidTagFolderId);
	if (err == 0 && ((x->flags & GX_SYNC_NO_FOREIGN) || (x->extra & GX_SYNC_EXTRA_EID)))
		err = put_id(x, l, PidTagParentFolderId);
	if (err == 0 && (x->extra & GX_SYNC_EXTRA_CN))
		err = put_id(x, l, PidTagChangeNumber);
	return err != 0 ? err : gx_ems__put_props(&x->src, l, passes_over, x);
}

static uint64_t number(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	return pv == NULL ? 0 : (uint64_t)pv->v.i64;
}

static int next_folder(struct gx_ems_sync *x)
{
	struct gx_ems_source *s = &x->src;
	struct gx_txn *t = gx_ems__source_txn(s);
	struct gx_proplist l;
	bool more;
	gx_ems__sync_ends(x);
	gx_ec ec = t == NULL ? s->ec : gx_ics_hierarchy_next(x->tree, t, s->a, &l, &more);
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	if (!more) {
		x->step = DELETIONS;
		return 0;
	}
	++s->done;
	x->now.mid = number(&l, PidTagFolderId);
	x->now.cn = number(&l, PidTagChangeNumber);
	return put_folder(x, &l);
}

static int put_deletions(struct gx_ems_sync *x)
{
	const struct gx_globset *deleted = gx_ics_hierarchy_set(x->tree, GX_ICS_DELETED);
	x->step = STATE;
	if ((x->flags & GX_SYNC_NO_DELETIONS) || deleted->count == 0)
		return 0;
	int err = gx_ftx_out_marker(x->src.out, IncrSyncDel);
	return err != 0 ? err : gx_ems__put_idset(x->src.out, MetaTagIdsetDeleted, deleted);
}

static int put_state(struct gx_ems_sync *x)
{
	struct gx_globset *given = &x->end.set[GX_EMS_GIVEN], *seen = &x->end.set[GX_EMS_SEEN];
	uint64_t last = gx_ics_hierarchy_last_cn(x->tree);
	int err = gx_globset_union(given, gx_ics_hierarchy_set(x->tree, GX_ICS_GIVEN));
	if (err == 0 && (x->flags & GX_SYNC_NO_DELETIONS))
		err = gx_globset_union(given, gx_ics_hierarchy_set(x->tree, GX_ICS_DELETED));
	err = err != 0 ? err : gx_globset_union(seen, &x->state.set[GX_EMS_SEEN]);
	if (err == 0 && last != 0)
		err = gx_globset_add_range(seen, 1, last);
	if (err == 0 && x->before.mid != 0)
		err = gx_globset_add(seen, x->before.cn);
	x->step = FINISHED;
	return err != 0 ? err : gx_ems__sync_put_end(x);
}

static int next(struct gx_ems_source *s)
{
	struct gx_ems_sync *x = self(s);
	int err = gx_ems__sync_settle(x);
	if (err != 0)
		return err;
	switch (x->step) {
	case FOLDERS: err = next_folder(x); break;
	case DELETIONS: err = put_deletions(x); break;
	case STATE: err = put_state(x); break;
	default: gx_ems__sync_finish(x); return 0;
	}
	return err != 0 ? err : 1;
}

static void release(struct gx_ems_source *s)
{
	struct gx_ems_sync *x = self(s);
	gx_ics_hierarchy_free(x->tree);
	gx_ems__state_release(&x->state);
	gx_ems__state_release(&x->end);
	gx_arena_free(x->keep);
}

const struct gx_ems_source_ops gx_ems__tree_ops = {start, next, release};
