/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, and properties of folders and the store. */
#include <config.h>
#include "libgxstore/calls/op-int.h"

static void put_info(const struct gx_folder_info *i, struct gx_o_folder_info *o)
{
	*o = (struct gx_o_folder_info){
		.fid = i->fid, .parent = i->parent, .name = i->name, .container_class = i->container_class, .type = i->type,
		.flags = (uint8_t)((i->deleted ? GX_O_FOLDER_DELETED : 0) | (i->hidden ? GX_O_FOLDER_HIDDEN : 0) |
			(i->subscribed ? GX_O_FOLDER_SUBSCRIBED : 0)),
		.uidvalidity = i->uidvalidity, .uidnext = i->uidnext, .cn = i->cn, .highest_modseq = i->highest_modseq,
		.total = i->total, .unread = i->unread, .fai = i->fai, .deleted_count = i->deleted_count, .removed = i->removed,
		.size = i->size, .fai_size = i->fai_size, .changed_at = i->changed_at, .subfolders = i->subfolders,
		.special_use = i->special_use,
	};
}

GX_OP(folder_get)
{
	const struct gx_o_folder_get_req *q = req;
	struct gx_o_folder_get_ans *r = ans;
	struct gx_folder_info i;
	gx_ec ec = gx_folder_get(c->t, q->fid, c->a, &i);
	if (!gx_ec_failed(ec))
		put_info(&i, &r->info);
	return ec;
}

GX_OP(folder_list)
{
	const struct gx_o_folder_list_req *q = req;
	struct gx_o_folder_list_ans *r = ans;
	struct gx_folder_info *v;
	size_t n;
	gx_ec ec = gx_folder_list(c->t, q->parent, q->deep, c->a, &v, &n);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_o_folder_info *out = gx_arena_new_array(c->a, struct gx_o_folder_info, n);
	if (out == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	for (size_t i = 0; i < n; ++i)
		put_info(&v[i], &out[i]);
	r->folders = out;
	r->folders_count = (uint32_t)n;
	return ec;
}

GX_OP(folder_by_name)
{
	const struct gx_o_folder_by_name_req *q = req;
	return gx_folder_by_name(c->t, q->parent, q->name, &((struct gx_o_folder_by_name_ans *)ans)->fid);
}

GX_OP(folder_create)
{
	const struct gx_o_folder_create_req *q = req;
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	o.parent = q->parent;
	o.name = q->name;
	o.container_class = q->container_class;
	o.type = q->type;
	o.props = q->has_props ? &q->props : NULL;
	o.fid = q->fid;
	o.cn = q->cn;
	o.uidvalidity = q->uidvalidity;
	o.uidnext = q->uidnext;
	o.deleted = q->deleted;
	return gx_folder_create_with(c->t, &o, &((struct gx_o_folder_create_ans *)ans)->fid);
}

GX_OP(folder_move)
{
	const struct gx_o_folder_move_req *q = req;
	(void)ans;
	return gx_folder_move(c->t, q->fid, q->parent, q->name);
}

GX_OP(folder_delete)
{
	const struct gx_o_folder_delete_req *q = req;
	(void)ans;
	return gx_folder_delete(c->t, q->fid, q->hard);
}

GX_OP(folder_set_subscribed)
{
	const struct gx_o_folder_set_subscribed_req *q = req;
	(void)ans;
	return gx_folder_set_subscribed(c->t, q->fid, q->on);
}

GX_OP(folder_get_props)
{
	const struct gx_o_folder_get_props_req *q = req;
	return gx_folder_get_props(c->t, q->fid, q->tags, q->tags_count, c->a, &((struct gx_o_folder_get_props_ans *)ans)->props);
}

GX_OP(folder_set_props)
{
	const struct gx_o_folder_set_props_req *q = req;
	(void)ans;
	return gx_folder_set_props(c->t, q->fid, &q->props);
}

GX_OP(folder_rights)
{
	const struct gx_o_folder_rights_req *q = req;
	return gx_folder_rights(c->t, q->fid, &((struct gx_o_folder_rights_ans *)ans)->rights);
}

GX_OP(folder_set_permission)
{
	const struct gx_o_folder_set_permission_req *q = req;
	(void)ans;
	return gx_folder_set_permission(c->t, q->fid, q->member, q->rights, q->remove);
}

GX_OP(folder_vanished)
{
	const struct gx_o_folder_vanished_req *q = req;
	struct gx_o_folder_vanished_ans *r = ans;
	uint32_t *uids;
	size_t n;
	gx_ec ec = gx_folder_vanished(c->t, q->fid, q->since, c->a, &uids, &n);
	if (gx_ec_failed(ec))
		return ec;
	r->uids = uids;
	r->uids_count = (uint32_t)n;
	return ec;
}

GX_OP(store_get_props)
{
	const struct gx_o_store_get_props_req *q = req;
	return gx_store_get_props(c->t, q->tags, q->tags_count, c->a, &((struct gx_o_store_get_props_ans *)ans)->props);
}

GX_OP(store_set_props)
{
	const struct gx_o_store_set_props_req *q = req;
	(void)ans;
	return gx_store_set_props(c->t, &q->props);
}
