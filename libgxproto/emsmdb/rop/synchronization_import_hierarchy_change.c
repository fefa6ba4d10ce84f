/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationImportHierarchyChange, [MS-OXCFXICS] 2.2.3.2.4.3 and 3.2.5.9.4.3 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

static int add_all(struct gx_proplist *l, struct gx_arena *a, const struct gx_proplist *from)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < from->count; ++i)
		err = gx_proplist_set(l, a, from->v[i].tag, from->v[i].v);
	return err;
}

gx_ec gx_rop__synchronization_import_hierarchy_change(struct gx_rop_call *c,
	const struct gx_rop_synchronization_import_hierarchy_change_req *q, struct gx_rop_synchronization_import_hierarchy_change_res *r)
{
	struct gx_ems_collector *u = gx_ems__collector(c->in);
	struct gx_proplist l = {0};
	struct gx_txn *t;
	uint64_t fid = 0, cn = 0;
	if (u == NULL || u->contents)
		return GX_EC(ecNotSupported);
	int err = add_all(&l, c->a, &q->property_values);
	err = err != 0 ? err : add_all(&l, c->a, &q->hierarchy_values);
	gx_ec ec = err != 0 ? gx_ec_from_err(err) : gx_rop__write(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_ics_import_folder(t, u->fid, &l, &fid, &cn));
	r->folder_id = 0; /* [MS-OXCFXICS] 2.2.3.2.4.3.2: always */
	return gx_ec_failed(ec) ? ec : gx_ems__collected(u, fid, GX_EMS_SEEN, cn);
}
