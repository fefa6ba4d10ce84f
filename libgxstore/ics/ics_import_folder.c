/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/folder.h>
#include "libgxstore/ics/ics-int.h"

/* What clients bring: folders made, changed and deleted. */

struct incoming {
	struct gx_txn *t;
	uint64_t root, parent, fid;
	const char *name;
	struct gx_ics_version version;
	struct gx_proplist rest; /* properties to be set */
};

/* Those that say which folder it is, and in which version. */
static bool is_header(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagSourceKey, PidTagParentSourceKey, PidTagChangeKey, PidTagPredecessorChangeList, PidTagLastModificationTime,
		PidTagDisplayName, PidTagFolderId, PidTagParentFolderId, PidTagChangeNumber,
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

static gx_ec take_apart(struct incoming *x, const struct gx_proplist *l)
{
	const struct gx_propval *self = gx_proplist_get(l, PidTagSourceKey), *up = gx_proplist_get(l, PidTagParentSourceKey);
	struct gx_txn *t = x->t;
	x->name = gx_proplist_str(l, PidTagDisplayName, NULL);
	x->version = gx_ics__version_of(l);
	x->parent = x->root;
	if (self == NULL || up == NULL || x->name == NULL)
		return gx_txn__fail(t, ecInvalidParam, "a folder change without its keys or name");
	int err = gx_ics__check_version(t->a, &x->version);
	if (err != 0)
		return gx_ics__no_version(t, err);
	gx_ec ec = gx_ics__source_id(t, self->v.bin, &x->fid);
	if (!gx_ec_failed(ec) && up->v.bin.len > 0)
		ec = gx_ics__source_id(t, up->v.bin, &x->parent);
	for (size_t i = 0; i < l->count && !gx_ec_failed(ec); i++)
		if (!is_header(l->v[i].tag))
			ec = gx_txn__ec(t, gx_proplist_set(&x->rest, t->a, l->v[i].tag, l->v[i].v));
	return ec;
}

static int set_version(struct incoming *x, const struct gx_ics_version *v, uint64_t *ret_cn)
{
	struct gx_proplist l = {0};
	struct gx_push out = GX_PUSH_INIT;
	struct gx_txn *t = x->t;
	*ret_cn = gx_txn__new_cn(t);
	int err = gx_folder__stored_props(t, x->fid, t->a, &l);
	err = err != 0 ? err : gx_ics__put_version(&l, t->a, v, *ret_cn);
	err = err != 0 ? err : gx_prow_pack(&out, &l);
	if (err == 0) {
		GX_STMT(st, t->q, "UPDATE folders SET cn=?2, modified=?3, props=?4 WHERE fid=?1");
		gx_sql__bind_int(st, 1, (int64_t)x->fid);
		gx_sql__bind_int(st, 2, (int64_t)*ret_cn);
		gx_sql__bind_int(st, 3, (int64_t)(v->modified != 0 ? v->modified : gx_store__now(t->s)));
		gx_sql__bind_blob(st, 4, out.data, out.len);
		err = gx_sql__run(st);
	}
	gx_push_release(&out);
	return err;
}

static gx_ec create(struct incoming *x, uint64_t *ret_cn)
{
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	uint64_t fid;
	o.parent = x->parent;
	o.name = x->name;
	o.props = &x->rest;
	o.fid = x->fid;
	gx_ec ec = gx_folder_create_with(x->t, &o, &fid);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(x->t, set_version(x, &x->version, ret_cn));
}

static gx_ec apply(struct incoming *x, const struct gx_folder_info *have)
{
	gx_ec ec = GX_OK_EC;
	if (have->parent != x->parent || strcmp(have->name, x->name) != 0)
		ec = gx_folder_move(x->t, x->fid, x->parent, x->name);
	if (gx_ec_is(ec, ecFolderCycle))
		return gx_txn__fail(x->t, ecCycleDetected, "folder %llx would be below itself", (unsigned long long)x->fid);
	return gx_ec_failed(ec) || x->rest.count == 0 ? ec : gx_folder_set_props(x->t, x->fid, &x->rest);
}

/* @ret_new: what is then stored. The result of a conflict is a version that the client does not have. */
static gx_ec judge(struct incoming *x, bool *ret_apply, bool *ret_conflict, struct gx_ics_version *ret_new)
{
	struct gx_txn *t = x->t;
	struct gx_proplist l;
	int order;
	gx_ec ec = gx_folder_get_props(t, x->fid, NULL, 0, t->a, &l);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_ics_version have = gx_ics__version_of(&l);
	int err = gx_ics_compare(t->a, &have, &x->version, &order);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (order == GX_ICS_SAME || order == GX_ICS_OLDER)
		return gx_txn__fail(t, ecIgnoreFailure, "folder %llx is not older than what comes", (unsigned long long)x->fid);
	*ret_conflict = order == GX_ICS_CONFLICT;
	/* [MS-OXCFXICS] 3.1.5.6.2.2: of two folders of the same time the server's is kept */
	*ret_apply = !*ret_conflict || x->version.modified > have.modified;
	*ret_new = *ret_apply ? x->version : have;
	if (!*ret_conflict)
		return GX_OK_EC;
	ret_new->change_key = (struct gx_bin){0};
	err = gx_pcl_add_key(t->a, x->version.pcl, x->version.change_key, &ret_new->pcl);
	err = err != 0 ? err : gx_pcl_merge(t->a, have.pcl, ret_new->pcl, &ret_new->pcl);
	return gx_txn__ec(t, err);
}

static gx_ec change(struct incoming *x, uint64_t *ret_cn)
{
	struct gx_folder_info have;
	struct gx_folder_row row;
	struct gx_ics_version new;
	bool applies = false, conflict = false;
	gx_ec ec = gx_folder__need(x->t, x->fid, GX_RIGHT_OWNER, &row);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get(x->t, x->fid, x->t->a, &have);
	if (!gx_ec_failed(ec))
		ec = judge(x, &applies, &conflict, &new);
	if (!gx_ec_failed(ec) && applies)
		ec = apply(x, &have);
	if (gx_ec_failed(ec))
		return ec;
	int err = set_version(x, &new, ret_cn);
	if (conflict)
		*ret_cn = 0;
	return gx_txn__ec(x->t, err);
}

gx_ec gx_ics_import_folder(struct gx_txn *t, uint64_t root, const struct gx_proplist *l, uint64_t *ret_fid, uint64_t *ret_cn)
{
	struct incoming x = {.t = t, .root = root};
	struct gx_folder_row row = {0};
	uint64_t cn;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = take_apart(&x, l);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_folder__row(t, x.parent, &row);
	if (err == GX_E_NOTFOUND)
		return gx_txn__fail(t, ecNoParentFolder, "no folder %llx to put folder %llx into", (unsigned long long)x.parent,
			(unsigned long long)x.fid);
	if (err == 0)
		err = gx_folder__row(t, x.fid, &row);
	if (err != 0 && err != GX_E_NOTFOUND)
		return gx_txn__ec(t, err);
	bool there = err == 0 || row.fid == x.fid;
	if (!there)
		ec = gx_ics__check_new(t, x.fid);
	if (!gx_ec_failed(ec))
		ec = err == 0 ? change(&x, &cn) : create(&x, &cn);
	if (gx_ec_is(ec, ecDuplicateObject)) /* softly deleted, or another kind of object */
		return gx_txn__fail(t, ecSyncObjectDeleted, "folder %llx is not there any more", (unsigned long long)x.fid);
	if (gx_ec_failed(ec))
		return ec;
	*ret_fid = x.fid;
	*ret_cn = cn;
	return GX_OK_EC;
}

/* Who may make folders there may say that some will never be. */
static gx_ec never(struct gx_txn *t, uint64_t root, uint64_t fid)
{
	struct gx_folder_row row;
	gx_ec ec = gx_folder__need(t, root, GX_RIGHT_CREATE_SUB, &row);
	return gx_ec_failed(ec) ? GX_OK_EC : gx_ics__never(t, &fid, 1);
}

gx_ec gx_ics_import_folder_delete(struct gx_txn *t, uint64_t root, const struct gx_bin *source_keys, size_t n, bool hard,
	size_t limit, bool *ret_more)
{
	gx_ec ec = gx_txn__writable(t);
	*ret_more = false;
	for (size_t i = 0; i < n && !gx_ec_failed(ec) && !*ret_more; i++) {
		uint64_t fid;
		bool below;
		ec = gx_ics__source_id(t, source_keys[i], &fid);
		if (!gx_ec_failed(ec))
			ec = gx_folder_is_below(t, root, fid, &below);
		if (!gx_ec_failed(ec) && below && fid != root)
			ec = gx_folder_delete_some(t, fid, hard, limit, NULL, ret_more);
		if (gx_ec_is(ec, ecNotFound) || (!gx_ec_failed(ec) && !below))
			ec = never(t, root, fid);
	}
	return ec;
}
