/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads of synchronisation as objects. */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/sync.h"

const struct gx_ems_kind gx_ems__kind_sync = {"synchronisation", gx_ems__source_free, NULL};

struct gx_ems_sync *gx_ems__sync(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &gx_ems__kind_sync ? (struct gx_ems_sync *)o : NULL;
}

struct gx_ems_sync *gx_ems__sync_new(bool contents, uint64_t fid, uint32_t send_options)
{
	struct gx_ems_source *s = gx_ems__source_new(sizeof(struct gx_ems_sync), &gx_ems__kind_sync,
		contents ? &gx_ems__contents_ops : &gx_ems__tree_ops, contents ? GX_FTX_CONTENTS_SYNC : GX_FTX_HIERARCHY_SYNC, send_options);
	struct gx_ems_sync *x = (struct gx_ems_sync *)s;
	if (x == NULL)
		return NULL;
	x->contents = contents;
	x->fid = fid;
	x->keep = gx_arena_new(0);
	if (x->keep != NULL)
		return x;
	gx_ems__source_free(&s->obj);
	return NULL;
}

/* ---- What the client has ---- */

int gx_ems__sync_settle(struct gx_ems_sync *x)
{
	if (x->before.mid == 0 || gx_ftx_out_offset(x->src.out) <= x->before_end)
		return 0;
	int err = gx_globset_add(&x->state.set[GX_EMS_GIVEN], x->before.mid);
	if (err == 0)
		err = gx_globset_add(&x->state.set[x->before.fai ? GX_EMS_SEEN_FAI : GX_EMS_SEEN], x->before.cn);
	x->before.mid = 0;
	return err;
}

void gx_ems__sync_ends(struct gx_ems_sync *x)
{
	if (x->now.mid == 0)
		return;
	x->before = x->now;
	x->now.mid = 0;
	x->before_end = gx_ftx_out_offset(x->src.out);
}

int gx_ems__sync_put_end(struct gx_ems_sync *x)
{
	struct gx_ftx_out *out = x->src.out;
	int err = gx_ems__state_put(out, &x->end, gx_store_replica(x->src.c->logon->store), x->contents);
	x->src.done = x->src.total;
	return err != 0 ? err : gx_ftx_out_marker(out, IncrSyncEnd);
}

void gx_ems__sync_finish(struct gx_ems_sync *x)
{
	gx_ems__state_release(&x->state);
	x->state = x->end;
	x->end = (struct gx_ems_state){0};
	x->before.mid = 0;
}
