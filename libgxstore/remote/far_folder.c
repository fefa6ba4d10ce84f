/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, and properties of folders and the store. */
#include <config.h>
#include "libgxstore/remote/far-store.h"

static struct gx_folder_info info_of(const struct gx_o_folder_info *o)
{
	return (struct gx_folder_info){
		.fid = o->fid, .parent = o->parent, .name = o->name, .container_class = o->container_class, .type = o->type,
		.deleted = (o->flags & GX_O_FOLDER_DELETED) != 0, .hidden = (o->flags & GX_O_FOLDER_HIDDEN) != 0,
		.subscribed = (o->flags & GX_O_FOLDER_SUBSCRIBED) != 0, .uidvalidity = o->uidvalidity, .uidnext = o->uidnext,
		.cn = o->cn, .highest_modseq = o->highest_modseq, .total = o->total, .unread = o->unread, .fai = o->fai,
		.deleted_count = o->deleted_count, .removed = o->removed, .size = o->size, .fai_size = o->fai_size,
		.changed_at = o->changed_at, .subfolders = o->subfolders, .special_use = o->special_use,
	};
}

gx_ec gx_far__folder_get(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_folder_info *ret_info)
{
	const struct gx_o_folder_get_req q = {fid};
	struct gx_o_folder_get_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_FOLDER_GET, &q, a, &ans);
	if (!gx_ec_failed(ec))
		*ret_info = info_of(&ans.info);
	return ec;
}

gx_ec gx_far__folder_list(struct gx_txn *t, uint64_t parent, bool deep, struct gx_arena *a, struct gx_folder_info **ret_v, size_t *ret_n)
{
	const struct gx_o_folder_list_req q = {parent, deep};
	struct gx_o_folder_list_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_FOLDER_LIST, &q, a, &ans);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_folder_info *v = gx_arena_new_array(a, struct gx_folder_info, ans.folders_count);
	if (v == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	for (uint32_t i = 0; i < ans.folders_count; ++i)
		v[i] = info_of(&ans.folders[i]);
	*ret_v = v;
	*ret_n = ans.folders_count;
	return ec;
}

gx_ec gx_far__folder_by_name(struct gx_txn *t, uint64_t parent, const char *name, uint64_t *ret_fid)
{
	const struct gx_o_folder_by_name_req q = {parent, name};
	struct gx_o_folder_by_name_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_FOLDER_BY_NAME, &q, NULL, &ans);
	if (!gx_ec_failed(ec))
		*ret_fid = ans.fid;
	return ec;
}

gx_ec gx_far__folder_create(struct gx_txn *t, const struct gx_folder_create_opts *o, uint64_t *ret_fid)
{
	struct gx_o_folder_create_ans ans;
	if (o == NULL || o->size != sizeof(*o) || o->name == NULL || ret_fid == NULL)
		return GX_EC(ecInvalidParam);
	struct gx_o_folder_create_req q = {.parent = o->parent, .name = o->name, .container_class = o->container_class, .type = o->type,
		.has_props = o->props != NULL, .fid = o->fid, .cn = o->cn, .uidvalidity = o->uidvalidity, .uidnext = o->uidnext,
		.deleted = o->deleted};
	if (o->props != NULL)
		q.props = *o->props;
	gx_ec ec = gx_far__op(t, GX_O_FOLDER_CREATE, &q, NULL, &ans);
	if (!gx_ec_failed(ec))
		*ret_fid = ans.fid;
	return ec;
}

gx_ec gx_far__folder_move(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *new_name)
{
	const struct gx_o_folder_move_req q = {fid, new_parent, new_name};
	return gx_far__op(t, GX_O_FOLDER_MOVE, &q, NULL, NULL);
}

gx_ec gx_far__folder_delete(struct gx_txn *t, uint64_t fid, bool hard)
{
	const struct gx_o_folder_delete_req q = {fid, hard};
	return gx_far__op(t, GX_O_FOLDER_DELETE, &q, NULL, NULL);
}

gx_ec gx_far__folder_set_subscribed(struct gx_txn *t, uint64_t fid, bool on)
{
	const struct gx_o_folder_set_subscribed_req q = {fid, on};
	return gx_far__op(t, GX_O_FOLDER_SET_SUBSCRIBED, &q, NULL, NULL);
}

/* The server asks for tags by a 16-bit count, as all that ask for properties do. */
static bool too_many(size_t n)
{
	return n > UINT16_MAX;
}

gx_ec gx_far__folder_get_props(struct gx_txn *t, uint64_t fid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	const struct gx_o_folder_get_props_req q = {fid, tags, (uint32_t)n};
	struct gx_o_folder_get_props_ans ans;
	gx_ec ec = too_many(n) ? GX_EC(ecInvalidParam) : gx_far__op(t, GX_O_FOLDER_GET_PROPS, &q, a, &ans);
	if (!gx_ec_failed(ec))
		*ret_l = ans.props;
	return ec;
}

gx_ec gx_far__folder_set_props(struct gx_txn *t, uint64_t fid, const struct gx_proplist *l)
{
	const struct gx_o_folder_set_props_req q = {fid, *l};
	return gx_far__op(t, GX_O_FOLDER_SET_PROPS, &q, NULL, NULL);
}

gx_ec gx_far__folder_rights(struct gx_txn *t, uint64_t fid, uint32_t *ret_rights)
{
	const struct gx_o_folder_rights_req q = {fid};
	struct gx_o_folder_rights_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_FOLDER_RIGHTS, &q, NULL, &ans);
	if (!gx_ec_failed(ec))
		*ret_rights = ans.rights;
	return ec;
}

gx_ec gx_far__folder_set_permission(struct gx_txn *t, uint64_t fid, const char *member, uint32_t rights, bool remove)
{
	const struct gx_o_folder_set_permission_req q = {fid, member, rights, remove};
	return gx_far__op(t, GX_O_FOLDER_SET_PERMISSION, &q, NULL, NULL);
}

gx_ec gx_far__folder_vanished(struct gx_txn *t, uint64_t fid, uint64_t since, struct gx_arena *a, uint32_t **ret_uids, size_t *ret_n)
{
	const struct gx_o_folder_vanished_req q = {fid, since};
	struct gx_o_folder_vanished_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_FOLDER_VANISHED, &q, a, &ans);
	if (gx_ec_failed(ec))
		return ec;
	*ret_n = ans.uids_count;
	*ret_uids = gx_arena_memdup(a, ans.uids, ans.uids_count * sizeof(*ans.uids));
	return *ret_uids == NULL && ans.uids_count > 0 ? gx_ec_from_err(GX_E_NOMEM) : ec;
}

gx_ec gx_far__store_get_props(struct gx_txn *t, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	const struct gx_o_store_get_props_req q = {tags, (uint32_t)n};
	struct gx_o_store_get_props_ans ans;
	gx_ec ec = too_many(n) ? GX_EC(ecInvalidParam) : gx_far__op(t, GX_O_STORE_GET_PROPS, &q, a, &ans);
	if (!gx_ec_failed(ec))
		*ret_l = ans.props;
	return ec;
}

gx_ec gx_far__store_set_props(struct gx_txn *t, const struct gx_proplist *l)
{
	const struct gx_o_store_set_props_req q = {*l};
	return gx_far__op(t, GX_O_STORE_SET_PROPS, &q, NULL, NULL);
}
