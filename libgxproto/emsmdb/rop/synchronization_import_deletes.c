/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationImportDeletes, [MS-OXCFXICS] 2.2.3.2.4.5 and 3.2.5.9.4.5 */
#include <config.h>
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { HIERARCHY = 0x01, HARD_DELETE = 0x02, KEYS_TAG = 0x00001102, FOLDER_PORTION = 1024 };

static gx_ec keys_of(struct gx_rop_call *c, const struct gx_proplist *l, struct gx_bin **ret_v, size_t *ret_n)
{
	if (l->count != 1 || l->v[0].tag != KEYS_TAG)
		return gx_rop__fail(c, ecInvalidParam, "no list of source keys");
	size_t n = l->v[0].v.mv.count;
	struct gx_bin *v = gx_arena_new_array(c->a, struct gx_bin, n);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		v[i] = l->v[0].v.mv.v[i].bin;
	*ret_v = v;
	*ret_n = n;
	return EMS_OK;
}

/* The client has them no longer. */
static gx_ec forget(struct gx_rop_call *c, struct gx_ems_collector *u, const struct gx_bin *v, size_t n)
{
	gx_ec ec = EMS_OK;
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i) {
		uint64_t id;
		ec = gx_ems__source_id(c, v[i], &id);
		if (!gx_ec_failed(ec))
			ec = gx_ec_from_err(gx_globset_remove(&u->state.set[GX_EMS_GIVEN], id));
	}
	return ec;
}

/* What goes unread so, too, may be owed to its sender. */
static gx_ec delete(struct gx_rop_call *c, const struct gx_ems_collector *u, const struct gx_bin *v, size_t n, bool hard)
{
	struct gx_ems_owing due = {0};
	struct gx_ems_unread unread;
	struct gx_txn *t;
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	gx_ems__watch_unread(c, t, &due, &unread);
	return gx_ems__end_owing(c, t, &due, gx_ics_import_delete(t, u->fid, v, n, hard));
}

/* A folder in portions, between which others write. */
static gx_ec delete_folder(struct gx_rop_call *c, const struct gx_ems_collector *u, const struct gx_bin *key, bool hard)
{
	gx_ec ec = EMS_OK;
	bool more = true;
	while (!gx_ec_failed(ec) && more) {
		struct gx_ems_owing due = {0};
		struct gx_ems_unread unread;
		struct gx_txn *t;
		ec = gx_rop__write(c, &t);
		if (gx_ec_failed(ec))
			return ec;
		gx_ems__watch_unread(c, t, &due, &unread);
		ec = gx_ics_import_folder_delete(t, u->fid, key, 1, hard, FOLDER_PORTION, &more);
		ec = gx_ems__end_owing(c, t, &due, ec);
	}
	return ec;
}

static gx_ec delete_folders(struct gx_rop_call *c, const struct gx_ems_collector *u, const struct gx_bin *v, size_t n, bool hard)
{
	gx_ec ec = EMS_OK;
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		ec = delete_folder(c, u, &v[i], hard);
	return ec;
}

gx_ec gx_rop__synchronization_import_deletes(struct gx_rop_call *c, const struct gx_rop_synchronization_import_deletes_req *q, void *r)
{
	struct gx_ems_collector *u = gx_ems__collector(c->in);
	struct gx_bin *v = NULL;
	size_t n = 0;
	bool hard = (q->import_delete_flags & HARD_DELETE) != 0;
	(void)r;
	if (u == NULL)
		return GX_EC(ecNotSupported);
	if ((q->import_delete_flags & ~(HIERARCHY | HARD_DELETE)) != 0 || ((q->import_delete_flags & HIERARCHY) != 0) == u->contents)
		return gx_rop__fail(c, ecInvalidParam, "deletion flags %#x", q->import_delete_flags);
	gx_ec ec = keys_of(c, &q->property_values, &v, &n);
	if (!gx_ec_failed(ec))
		ec = (u->contents ? delete : delete_folders)(c, u, v, n, hard);
	return gx_ec_failed(ec) ? ec : forget(c, u, v, n);
}
