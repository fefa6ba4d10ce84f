/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of properties into streams, and which of them. */
#include <config.h>
#include <gx/pr-names.h>
#include "libgxproto/emsmdb/fasttransfer.h"

static int names_of(struct gx_ems_source *s, const struct gx_proplist *l, struct gx_propname **ret_v)
{
	size_t n = 0;
	uint16_t *ids = gx_arena_new_array(s->a, uint16_t, l->count);
	for (size_t i = 0; ids != NULL && i < l->count; ++i)
		if (GX_PROP_IS_NAMED(l->v[i].tag))
			ids[n++] = GX_PROP_ID(l->v[i].tag);
	*ret_v = n == 0 ? NULL : gx_arena_new_array(s->a, struct gx_propname, n);
	if (ids == NULL || (n != 0 && *ret_v == NULL))
		return GX_E_NOMEM;
	if (n == 0)
		return 0;
	struct gx_txn *t = gx_ems__source_txn(s);
	gx_ec ec = t == NULL ? s->ec : gx_store_named_names(t, ids, n, s->a, *ret_v);
	return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : 0;
}

static bool is_known(const struct gx_propname *n)
{
	static const struct gx_guid none;
	return gx_guid_cmp(&n->set, &none) != 0;
}

/* Types that streams do not have, and names that the store has lost, are left out. */
static int put_one(struct gx_ems_source *s, const struct gx_propval *pv, const struct gx_propname *name)
{
	union gx_value v = pv->v;
	if (name != NULL && !is_known(name))
		return 0;
	if (gx_eid_holds(pv->tag))
		v.i64 = (int64_t)gx_eid_wire((uint64_t)v.i64);
	int err = gx_ftx_out_prop(s->out, pv->tag, name, &v);
	return err == GX_E_INVAL ? 0 : err;
}

int gx_ems__put_props(struct gx_ems_source *s, const struct gx_proplist *l, bool (*skip)(gx_proptag_t tag, const void *ctx), const void *ctx)
{
	struct gx_propname *names;
	int err = names_of(s, l, &names);
	for (size_t i = 0; err == 0 && i < l->count; ++i) {
		const struct gx_propname *name = GX_PROP_IS_NAMED(l->v[i].tag) ? names++ : NULL;
		if (skip == NULL || !skip(l->v[i].tag, ctx))
			err = put_one(s, &l->v[i], name);
	}
	return err;
}

/* ---- Filters ---- */

gx_ec gx_ems__filter_tags(struct gx_ems_filter *f, struct gx_arena *a, const gx_proptag_t *tags, size_t n)
{
	gx_proptag_t *v = gx_arena_memdup(a, tags, n * sizeof(*tags));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	f->tags = v;
	f->n = n;
	return EMS_OK;
}

static bool has(const struct gx_ems_filter *f, gx_proptag_t tag)
{
	for (size_t i = 0; i < f->n; ++i)
		if (GX_PROP_ID(f->tags[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

bool gx_ems__filter_wants(const struct gx_ems_filter *f, gx_proptag_t tag)
{
	return has(f, tag) == f->only;
}

/* ---- Folders ---- */

bool gx_ems__of_folder_only(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagFolderId, PidTagParentFolderId, PidTagChangeNumber, PidTagContentCount, PidTagContentUnreadCount, PidTagAssociatedContentCount,
		PidTagSubfolders, PidTagMessageSize, PidTagDeletedCountTotal, PidTagEntryId, PidTagParentEntryId, PidTagRecordKey,
		PidTagStoreRecordKey, PidTagStoreEntryId, PidTagFolderPath, PidTagAccess, PidTagAccessLevel, PidTagRights,
		PidTagHierarchyChangeNumber, PidTagLocalCommitTimeMax, PidTagLocalCommitTime, PidTagMappingSignature, PidTagObjectType,
		PR_DELETED_FOLDER_COUNT, PR_DELETED_MSG_COUNT, PR_ASSOC_MESSAGE_SIZE_EXTENDED, PidTagNormalMessageSize,
		PidTagAddressBookEntryId, PidTagHasRules,
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}
