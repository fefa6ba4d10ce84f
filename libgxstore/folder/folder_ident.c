/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include <gx/folder.h>
#include <gx/pr-names.h>
#include "libgxstore/store-int.h"

/* Properties of a folder that are made of its place and number; worked out only when asked for. */

static bool wanted(const gx_proptag_t *tags, size_t n, gx_proptag_t tag)
{
	for (size_t i = 0; i < n; i++)
		if (GX_PROP_ID(tags[i]) == GX_PROP_ID(tag))
			return true;
	return n == 0;
}

/* [MS-OXCDATA] 2.2.4.1; the root is its own parent to those who ask for one. */
static int entryid(struct gx_txn *t, struct gx_arena *a, uint64_t fid, union gx_value *ret_v)
{
	return gx_entryid_folder(a, t->s->is_public ? NULL : &t->s->mailbox, &t->s->replica, fid, &ret_v->bin);
}

static int add_keys(struct gx_txn *t, struct gx_proplist *l, struct gx_arena *a, const struct gx_folder_info *i, const gx_proptag_t *tags, size_t n)
{
	uint64_t parent = i->parent == 0 ? i->fid : i->parent;
	const struct {
		gx_proptag_t tag;
		uint64_t fid;
		bool key;
	} v[] = {
		{PidTagEntryId, i->fid, false}, {PidTagRecordKey, i->fid, false}, {PidTagParentEntryId, parent, false},
		{PidTagSourceKey, i->fid, true}, {PidTagParentSourceKey, parent, true},
	};
	for (size_t k = 0; k < sizeof(v) / sizeof(v[0]); k++) {
		union gx_value val = {0};
		if (!wanted(tags, n, v[k].tag))
			continue;
		int err = v[k].key ? gx_entryid_gid(a, &t->s->replica, v[k].fid, &val.bin) : entryid(t, a, v[k].fid, &val);
		if (err == 0)
			err = gx_proplist_set(l, a, v[k].tag, val);
		if (err != 0)
			return err;
	}
	uint8_t guid[16];
	gx_guid_put(&t->s->mailbox, guid);
	uint8_t *kept = gx_arena_memdup(a, guid, 16);
	return kept == NULL ? GX_E_NOMEM : gx_proplist_set_bin(l, a, PidTagStoreRecordKey, kept, 16);
}

/* "\\Top of Information Store\\Inbox", without the root. */
static int add_path(struct gx_txn *t, struct gx_proplist *l, struct gx_arena *a, const struct gx_folder_info *i)
{
	char *path = gx_arena_strdup(a, "");
	uint64_t fid = i->fid;
	for (unsigned depth = 0; path != NULL && depth < 512; depth++) {
		GX_STMT(st, t->q, "SELECT parent,name FROM folders WHERE fid=?1");
		gx_sql__bind_int(st, 1, (int64_t)fid);
		int r = gx_sql__step(st);
		if (r < 0)
			return r;
		if (r == 0 || gx_sql__u64(st, 0) == 0)
			break;
		path = gx_arena_printf(a, "\\%s%s", gx_sql__text(st, 1), path);
		fid = gx_sql__u64(st, 0);
	}
	return path == NULL ? GX_E_NOMEM : gx_proplist_set_str(l, a, PidTagFolderPath, path);
}

/* 1 yes, 0 no. */
static int exists(struct gx_txn *t, struct gx_stmt *st, uint64_t fid)
{
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return gx_sql__step(st);
}

static int add_counts(struct gx_txn *t, struct gx_proplist *l, struct gx_arena *a, const struct gx_folder_info *i)
{
	GX_STMT(rules, t->q, "SELECT 1 FROM rules WHERE fid=?1 LIMIT 1");
	GX_STMT(hidden, t->q, "SELECT COUNT(*),MAX(cn) FROM folders WHERE parent=?1 AND flags&1");
	GX_STMT(below, t->q, "SELECT MAX(cn) FROM folders WHERE parent=?1");
	int r = exists(t, rules, i->fid);
	int err = r < 0 ? r : gx_proplist_set_bool(l, a, PidTagHasRules, r > 0);
	if (err == 0 && (r = exists(t, hidden, i->fid)) < 0)
		err = r;
	if (err == 0)
		err = gx_proplist_set_i32(l, a, PR_DELETED_FOLDER_COUNT, (int32_t)gx_sql__int(hidden, 0));
	if (err == 0 && (r = exists(t, below, i->fid)) < 0)
		err = r;
	uint64_t cn = err == 0 ? gx_sql__u64(below, 0) : 0;
	return err != 0 ? err : gx_proplist_set_i32(l, a, PidTagHierarchyChangeNumber, (int32_t)((cn > i->cn ? cn : i->cn) & INT32_MAX));
}

/* [MS-OXCPRPT] 2.2.1.1 */
static int32_t access_of(uint32_t rights)
{
	enum { MODIFY = 0x01, READ = 0x02, DELETE = 0x04, HIERARCHY = 0x08, CONTENTS = 0x10, ASSOCIATED = 0x20 };
	if (rights & GX_RIGHT_OWNER)
		return MODIFY | READ | DELETE | HIERARCHY | CONTENTS | ASSOCIATED;
	return READ | (rights & GX_RIGHT_CREATE ? CONTENTS : 0) | (rights & GX_RIGHT_CREATE_SUB ? HIERARCHY : 0);
}

int gx_folder__add_identity(struct gx_txn *t, struct gx_proplist *l, struct gx_arena *a, const struct gx_folder_info *i, uint32_t rights,
	const gx_proptag_t *tags, size_t n)
{
	int err = add_keys(t, l, a, i, tags, n);
	if (err == 0)
		err = gx_proplist_set_i32(l, a, PidTagAccess, access_of(rights));
	if (err == 0 && wanted(tags, n, PidTagFolderPath))
		err = add_path(t, l, a, i);
	if (err == 0 && (wanted(tags, n, PidTagHasRules) || wanted(tags, n, PR_DELETED_FOLDER_COUNT) || wanted(tags, n, PidTagHierarchyChangeNumber)))
		err = add_counts(t, l, a, i);
	return err;
}

/* ---- Where it stands ---- */

gx_ec gx_folder_is_deleted(struct gx_txn *t, uint64_t fid, bool *ret_deleted)
{
	struct gx_folder_row row = {0};
	int err = gx_folder__row(t, fid, &row);
	if (err == GX_E_NOTFOUND && row.fid != fid)
		return gx_txn__fail(t, ecNotFound, "no folder %llx", (unsigned long long)fid);
	if (err != 0 && err != GX_E_NOTFOUND)
		return gx_txn__ec(t, err);
	*ret_deleted = err == GX_E_NOTFOUND;
	return GX_OK_EC;
}

gx_ec gx_folder_is_below(struct gx_txn *t, uint64_t ancestor, uint64_t fid, bool *ret_below)
{
	bool below = false;
	for (unsigned depth = 0; fid != 0 && !below && depth < 512; depth++) {
		struct gx_folder_row row = {0};
		int err = gx_folder__row(t, fid, &row);
		if (err == GX_E_NOTFOUND && row.fid != fid)
			break;
		if (err != 0 && err != GX_E_NOTFOUND)
			return gx_txn__ec(t, err);
		below = fid == ancestor;
		fid = row.parent;
	}
	*ret_below = below;
	return GX_OK_EC;
}
