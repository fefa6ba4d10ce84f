/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/folder.h>
#include <gx/pr-names.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

/* [MS-OXCFOLD] 2.2.2: what columns and counters say comes first, the rest is the packed row. */

static bool computed(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagFolderId, PidTagParentFolderId, PidTagContentCount, PidTagContentUnreadCount, PidTagAssociatedContentCount,
		PidTagSubfolders, PidTagFolderType, PidTagRights, PidTagMessageSize, PidTagMessageSizeExtended,
		PidTagDeletedCountTotal, PidTagCreationTime, PidTagLastModificationTime, PidTagChangeKey, PidTagChangeNumber,
		PidTagPredecessorChangeList, PidTagEntryId, PidTagParentEntryId, PidTagSourceKey, PidTagParentSourceKey, PidTagRecordKey,
		PidTagStoreRecordKey, PidTagFolderPath, PidTagAccess, PidTagHasRules, PidTagHierarchyChangeNumber, PidTagLocalCommitTimeMax,
		PR_DELETED_FOLDER_COUNT, PR_DELETED_MSG_COUNT, PR_ASSOC_MESSAGE_SIZE_EXTENDED, PidTagNormalMessageSize,
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

bool gx_folder_is_computed(gx_proptag_t tag)
{
	return computed(tag);
}

struct stored {
	struct gx_proplist l;
	gx_nttime_t created, modified;
};

static int stored_list(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct stored *ret_s)
{
	GX_STMT(st, t->q, "SELECT props,created,modified FROM folders WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	struct gx_bin b = gx_sql__blob(st, 0);
	*ret_s = (struct stored){.created = gx_sql__u64(st, 1), .modified = gx_sql__u64(st, 2)};
	uint8_t *row = gx_arena_memdup(a, b.data, b.len);
	return row == NULL ? GX_E_NOMEM : b.len == 0 ? 0 : gx_prow_unpack(a, row, b.len, &ret_s->l);
}

int gx_folder__stored_props(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_proplist *ret_l)
{
	struct stored s;
	int err = stored_list(t, fid, a, &s);
	if (err == 0)
		*ret_l = s.l;
	return err;
}

static int32_t clamp(uint64_t v)
{
	return v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

static int add_numbers(struct gx_proplist *l, struct gx_arena *a, const struct gx_folder_info *i, uint32_t rights)
{
	const struct {
		gx_proptag_t tag;
		int32_t v;
	} n[] = {
		{PidTagContentCount, clamp(i->total)}, {PidTagContentUnreadCount, clamp(i->unread)},
		{PidTagAssociatedContentCount, clamp(i->fai)}, {PidTagFolderType, i->fid == GX_FID_ROOT ? 0 : i->type},
		{PidTagRights, (int32_t)rights}, {PidTagDeletedCountTotal, clamp(i->removed)}, {PR_DELETED_MSG_COUNT, clamp(i->deleted_count)},
	};
	for (size_t k = 0; k < sizeof(n) / sizeof(n[0]); k++) {
		int err = gx_proplist_set_i32(l, a, n[k].tag, n[k].v);
		if (err != 0)
			return err;
	}
	int err = gx_proplist_set_i64(l, a, PidTagFolderId, (int64_t)i->fid);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PidTagParentFolderId, (int64_t)i->parent);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PidTagMessageSizeExtended, (int64_t)(i->size + i->fai_size));
	err = err != 0 ? err : gx_proplist_set_i64(l, a, GX_PROP_RETYPE(PidTagNormalMessageSize, PtypInteger64), (int64_t)i->size);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PR_ASSOC_MESSAGE_SIZE_EXTENDED, (int64_t)i->fai_size);
	if (err == 0 && i->changed_at != 0)
		err = gx_proplist_set_time(l, a, PidTagLocalCommitTimeMax, i->changed_at);
	err = err != 0 ? err : gx_proplist_set_i64(l, a, PidTagChangeNumber, (int64_t)i->cn);
	err = err != 0 ? err : gx_proplist_set_bool(l, a, PidTagSubfolders, i->subfolders > 0);
	return err != 0 ? err : gx_proplist_set_bool(l, a, PidTagAttributeHidden, i->hidden);
}

static int add_rest(struct gx_proplist *l, struct gx_arena *a, const struct gx_folder_info *i, const struct stored *s)
{
	int err = gx_proplist_set_str(l, a, PidTagDisplayName, i->name);
	if (err == 0 && *i->container_class != '\0')
		err = gx_proplist_set_str(l, a, PidTagContainerClass, i->container_class);
	err = err != 0 ? err : gx_proplist_set_time(l, a, PidTagCreationTime, s->created);
	return err != 0 ? err : gx_proplist_set_time(l, a, PidTagLastModificationTime, s->modified);
}

/* PidTagMessageSize is what PidTagMessageSizeExtended is, as far as it fits. */
static int select_narrow(const struct gx_proplist *all, gx_proptag_t tag, struct gx_arena *a, struct gx_proplist *l)
{
	const struct gx_propval *pv = GX_PROP_TYPE(tag) != PtypInteger32 ? NULL :
		gx_proplist_get(all, GX_PROP_RETYPE(tag, PtypInteger64));
	if (pv == NULL)
		return 0;
	return gx_proplist_set_i32(l, a, tag, pv->v.i64 > INT32_MAX ? INT32_MAX : (int32_t)pv->v.i64);
}

int gx_prop__select(const struct gx_proplist *all, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	if (n == 0) {
		*ret_l = *all;
		return 0;
	}
	struct gx_proplist l = {0};
	for (size_t i = 0; i < n; i++) {
		const struct gx_propval *pv = gx_proplist_get(all, tags[i]);
		int err = pv == NULL ? select_narrow(all, tags[i], a, &l) : gx_proplist_set(&l, a, pv->tag, pv->v);
		if (err != 0)
			return err;
	}
	*ret_l = l;
	return 0;
}

int gx_folder__props(struct gx_txn *t, const struct gx_folder_info *i, const gx_proptag_t *tags, size_t n, struct gx_arena *a,
	struct gx_proplist *ret_l)
{
	struct stored s;
	uint32_t rights;
	int err = stored_list(t, i->fid, a, &s);
	if (err == 0)
		err = gx_folder__version(&s.l, a, t->s, i->cn);
	if (err == 0)
		err = gx_perm__rights(t, i->fid, &rights);
	if (err == 0)
		err = add_numbers(&s.l, a, i, rights);
	if (err == 0)
		err = add_rest(&s.l, a, i, &s);
	if (err == 0)
		err = gx_folder__add_identity(t, &s.l, a, i, rights, tags, n);
	return err != 0 ? err : gx_prop__select(&s.l, tags, n, a, ret_l);
}

gx_ec gx_folder_get_props(struct gx_txn *t, uint64_t fid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_get_props(t, fid, tags, n, a, ret_l);
	struct gx_folder_info i;
	gx_ec ec = gx_folder_get(t, fid, a, &i);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, gx_folder__props(t, &i, tags, n, a, ret_l));
}

/* ---- Writing ---- */

struct columns {
	const char *name, *cls;
	bool set_hidden, hidden;
};

static int merge(struct gx_arena *a, struct gx_proplist *all, const struct gx_proplist *l, struct columns *c)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct gx_propval *pv = &l->v[i];
		if (computed(pv->tag))
			continue;
		if (pv->tag == PidTagDisplayName) {
			c->name = pv->v.str;
		} else if (pv->tag == PidTagContainerClass) {
			c->cls = pv->v.str;
		} else if (pv->tag == PidTagAttributeHidden) {
			c->set_hidden = true;
			c->hidden = pv->v.b;
		} else {
			int err = gx_proplist_set(all, a, pv->tag, pv->v);
			if (err != 0)
				return err;
		}
	}
	return 0;
}

static int write_columns(struct gx_txn *t, const struct gx_folder_row *row, const struct columns *c, const struct gx_push *props)
{
	uint32_t flags = c->set_hidden ? (row->flags & ~(uint32_t)GX_FF_HIDDEN) | (c->hidden ? GX_FF_HIDDEN : 0) : row->flags;
	GX_STMT(st, t->q, "UPDATE folders SET props=?2, class=COALESCE(?3,class), flags=?4 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)row->fid);
	gx_sql__bind_blob(st, 2, props->data, props->len);
	gx_sql__bind_text(st, 3, c->cls);
	gx_sql__bind_int(st, 4, flags);
	int err = gx_sql__run(st);
	return err != 0 ? err : gx_folder__changed(t, row);
}

static int write_props(struct gx_txn *t, const struct gx_folder_row *row, const struct gx_proplist *l, struct columns *c)
{
	struct stored s;
	struct gx_push out = GX_PUSH_INIT;
	int err = stored_list(t, row->fid, t->a, &s);
	if (err == 0)
		err = merge(t->a, &s.l, l, c);
	if (err == 0)
		err = gx_prow_pack(&out, &s.l);
	if (err == 0)
		err = write_columns(t, row, c, &out);
	gx_push_release(&out);
	return err;
}

/* A folder that comes with its change number also brings the version it was then. */
static int init_version(struct gx_txn *t, const struct gx_folder_new *n, const struct gx_proplist *l, struct gx_proplist *all)
{
	const struct gx_propval *key = gx_proplist_get(l, PidTagChangeKey), *pcl = gx_proplist_get(l, PidTagPredecessorChangeList);
	int err = pcl == NULL ? 0 : gx_proplist_set(all, t->a, pcl->tag, pcl->v);
	if (err != 0 || pcl == NULL || key == NULL || n->cn == 0)
		return err;
	err = gx_proplist_set(all, t->a, key->tag, key->v);
	return err != 0 ? err : gx_proplist_set_i64(all, t->a, PidTagChangeNumber, (int64_t)n->cn);
}

/* Times and predecessors come with an imported folder; a local one gets its own. */
static int init_rest(struct gx_txn *t, const struct gx_folder_new *n, const struct gx_proplist *l, struct gx_proplist *all)
{
	const struct gx_propval *created = gx_proplist_get(l, PidTagCreationTime), *modified = gx_proplist_get(l, PidTagLastModificationTime);
	int err = init_version(t, n, l, all);
	if (err != 0 || (created == NULL && modified == NULL))
		return err;
	GX_STMT(st, t->q, "UPDATE folders SET created=COALESCE(?2,created), modified=COALESCE(?3,modified) WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)n->fid);
	if (created != NULL)
		gx_sql__bind_int(st, 2, (int64_t)created->v.time);
	else
		gx_sql__bind_null(st, 2);
	if (modified != NULL)
		gx_sql__bind_int(st, 3, (int64_t)modified->v.time);
	else
		gx_sql__bind_null(st, 3);
	return gx_sql__run(st);
}

gx_ec gx_folder__init_props(struct gx_txn *t, const struct gx_folder_new *n, const struct gx_proplist *l)
{
	struct gx_proplist all = {0};
	struct columns c = {0};
	struct gx_push out = GX_PUSH_INIT;
	int err = merge(t->a, &all, l, &c);
	if (err == 0)
		err = init_rest(t, n, l, &all);
	if (err == 0)
		err = gx_prow_pack(&out, &all);
	if (err == 0) {
		GX_STMT(st, t->q, "UPDATE folders SET props=?2, class=COALESCE(?3,class), flags=flags|?4 WHERE fid=?1");
		gx_sql__bind_int(st, 1, (int64_t)n->fid);
		gx_sql__bind_blob(st, 2, out.data, out.len);
		gx_sql__bind_text(st, 3, c.cls);
		gx_sql__bind_int(st, 4, c.hidden ? GX_FF_HIDDEN : 0);
		err = gx_sql__run(st);
	}
	gx_push_release(&out);
	return gx_txn__ec(t, err);
}

gx_ec gx_folder_set_props(struct gx_txn *t, uint64_t fid, const struct gx_proplist *l)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_set_props(t, fid, l);
	struct gx_folder_row row;
	struct columns c = {0};
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	if (gx_ec_failed(ec))
		return ec;
	const char *name = gx_proplist_str(l, PidTagDisplayName, NULL);
	if (name != NULL) { /* first, since a sibling may have the name */
		ec = gx_folder__rename(t, &row, name);
		if (gx_ec_failed(ec))
			return ec;
	}
	return gx_txn__ec(t, write_props(t, &row, l, &c));
}

gx_ec gx_folder_remove_props(struct gx_txn *t, uint64_t fid, const gx_proptag_t *tags, size_t n)
{
	struct gx_folder_row row;
	struct stored s;
	struct columns c = {0};
	struct gx_push out = GX_PUSH_INIT;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err = stored_list(t, fid, t->a, &s);
	for (size_t i = 0; err == 0 && i < n; i++) {
		gx_proplist_remove(&s.l, GX_PROP_RETYPE(tags[i], PtypUnspecified));
		if (GX_PROP_ID(tags[i]) == GX_PROP_ID(PidTagContainerClass))
			c.cls = "";
		if (GX_PROP_ID(tags[i]) == GX_PROP_ID(PidTagAttributeHidden))
			c.set_hidden = true;
	}
	if (err == 0)
		err = gx_prow_pack(&out, &s.l);
	if (err == 0)
		err = write_columns(t, &row, &c, &out);
	gx_push_release(&out);
	return gx_txn__ec(t, err);
}
