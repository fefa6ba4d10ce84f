/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/store-int.h"

/* Properties of the store itself: one packed row in meta, and what the counters say. */

#define QUOTA_TAG GX_PROP_TAG(0x666a, PtypInteger32) /* PidTagProhibitReceiveQuota, KiB */

static int stored_list(struct gx_txn *t, struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct gx_bin row;
	*ret_l = (struct gx_proplist){0};
	int err = gx_meta__get_blob(t->q, "props", a, &row);
	if (err == GX_E_NOTFOUND)
		return 0;
	return err != 0 ? err : gx_prow_unpack(a, row.data, row.len, ret_l);
}

static int add_computed(struct gx_txn *t, struct gx_arena *a, struct gx_proplist *l)
{
	struct gx_fstate *s;
	int64_t created = 0;
	uint8_t *guid = gx_arena_alloc(a, 16); /* the list borrows it */
	int err = guid == NULL ? GX_E_NOMEM : gx_fstate__get(t, 0, &s);
	if (err == 0)
		err = gx_meta__get_int(t->q, "created", &created);
	if (err != 0)
		return err;
	gx_guid_put(&t->s->mailbox, guid);
	err = gx_proplist_set_i64(l, a, PidTagMessageSizeExtended, (int64_t)s->size);
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagContentCount, s->total > INT32_MAX ? INT32_MAX : (int32_t)s->total);
	err = err != 0 ? err : gx_proplist_set_time(l, a, PidTagCreationTime, (gx_nttime_t)created);
	return err != 0 ? err : gx_proplist_set_bin(l, a, PidTagStoreRecordKey, guid, 16);
}

gx_ec gx_store_get_props(struct gx_txn *t, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct gx_proplist l;
	int err = stored_list(t, a, &l);
	if (err == 0)
		err = add_computed(t, a, &l);
	if (err == 0)
		err = gx_prop__select(&l, tags, n, a, ret_l);
	return gx_txn__ec(t, err);
}

static bool computed(gx_proptag_t tag)
{
	return GX_PROP_ID(tag) == GX_PROP_ID(PidTagMessageSizeExtended) || GX_PROP_ID(tag) == GX_PROP_ID(PidTagContentCount) ||
		GX_PROP_ID(tag) == GX_PROP_ID(PidTagCreationTime) || GX_PROP_ID(tag) == GX_PROP_ID(PidTagStoreRecordKey);
}

static int write_props(struct gx_txn *t, const struct gx_proplist *l)
{
	struct gx_proplist all;
	struct gx_push out = GX_PUSH_INIT;
	int err = stored_list(t, t->a, &all);
	for (size_t i = 0; err == 0 && i < l->count; i++) {
		if (!computed(l->v[i].tag))
			err = gx_proplist_set(&all, t->a, l->v[i].tag, l->v[i].v);
		if (err == 0 && l->v[i].tag == QUOTA_TAG)
			err = gx_meta__set_int(t->q, "quota", l->v[i].v.i32);
	}
	if (err == 0)
		err = gx_prow_pack(&out, &all);
	if (err == 0)
		err = gx_meta__set_blob(t->q, "props", out.data, out.len);
	gx_push_release(&out);
	return err;
}

gx_ec gx_store_set_props(struct gx_txn *t, const struct gx_proplist *l)
{
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec) && !gx_txn__all_rights(t))
		ec = gx_txn__fail(t, ecAccessDenied, "only the owner sets properties of the store");
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, write_props(t, l));
}
