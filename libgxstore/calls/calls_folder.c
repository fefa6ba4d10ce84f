/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that look at folders and set their properties. */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/calls/call-int.h"

gx_ec gx_call__is_folder_present(struct gx_call_ctx *c, const struct gx_x_is_folder_present_req *req, struct gx_x_is_folder_present_ans *ans)
{
	uint64_t fid;
	bool deleted;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (gx_ec_failed(ec)) /* ids of other stores are in none of ours */
		return GX_OK_EC;
	ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_is_deleted(c->t, fid, &deleted);
	ans->exists = !gx_ec_failed(ec);
	return gx_call__end(c, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec, GX_SYNC_LATER);
}

gx_ec gx_call__is_folder_deleted(struct gx_call_ctx *c, const struct gx_x_is_folder_deleted_req *req, struct gx_x_is_folder_deleted_ans *ans)
{
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_is_deleted(c->t, fid, &ans->deleted);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__get_folder_by_name(struct gx_call_ctx *c, const struct gx_x_get_folder_by_name_req *req, struct gx_x_get_folder_by_name_ans *ans)
{
	uint64_t parent, fid = 0;
	gx_ec ec = gx_call__id(c, req->parent_id, &parent);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_by_name(c->t, parent, req->name, &fid);
	ans->folder_id = gx_eid_wire(fid);
	return gx_call__end(c, gx_ec_is(ec, ecNotFound) ? GX_OK_EC : ec, GX_SYNC_LATER);
}

gx_ec gx_call__get_folder_perm(struct gx_call_ctx *c, const struct gx_x_get_folder_perm_req *req, struct gx_x_get_folder_perm_ans *ans)
{
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, req->username);
	if (!gx_ec_failed(ec))
		ec = gx_folder_rights(c->t, fid, &ans->permission);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__is_descendant_folder(struct gx_call_ctx *c, const struct gx_x_is_descendant_folder_req *req,
	struct gx_x_is_descendant_folder_ans *ans)
{
	uint64_t parent, child;
	gx_ec ec = gx_call__id(c, req->parent_fid, &parent);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->child_fid, &child);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_is_below(c->t, parent, child, &ans->included);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

/* ---- Properties ---- */

gx_ec gx_call__get_folder_all_proptags(struct gx_call_ctx *c, const struct gx_x_get_folder_all_proptags_req *req,
	struct gx_x_get_folder_all_proptags_ans *ans)
{
	uint64_t fid;
	struct gx_proplist l;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get_props(c->t, fid, NULL, 0, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_call__tags(c, &l, &ans->tags, &ans->tags_count);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__get_folder_properties(struct gx_call_ctx *c, const struct gx_x_get_folder_properties_req *req,
	struct gx_x_get_folder_properties_ans *ans)
{
	uint64_t fid;
	struct gx_proplist l = {0};
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec) && req->tags_count > 0)
		ec = gx_folder_get_props(c->t, fid, req->tags, req->tags_count, c->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_out(c, req->cpid, req->tags, req->tags_count, &l, &ans->props);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__set_folder_properties(struct gx_call_ctx *c, const struct gx_x_set_folder_properties_req *req,
	struct gx_x_set_folder_properties_ans *ans)
{
	uint64_t fid;
	struct gx_proplist l;
	(void)ans;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_call__props_in(c, req->cpid, &req->props, &l);
	if (!gx_ec_failed(ec))
		ec = gx_folder_set_props(c->t, fid, &l);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

gx_ec gx_call__remove_folder_properties(struct gx_call_ctx *c, const struct gx_x_remove_folder_properties_req *req)
{
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_remove_props(c->t, fid, req->tags, req->tags_count);
	return gx_call__end(c, ec, GX_SYNC_NOW);
}

/* ---- Receive folders ---- */

gx_ec gx_call__get_folder_by_class(struct gx_call_ctx *c, const struct gx_x_get_folder_by_class_req *req,
	struct gx_x_get_folder_by_class_ans *ans)
{
	struct gx_receive r = {.cls = ""};
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_receive_get(c->t, req->message_class, c->a, &r);
	ans->id = gx_eid_wire(r.fid);
	ans->explicit_class = r.cls;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

gx_ec gx_call__set_folder_by_class(struct gx_call_ctx *c, const struct gx_x_set_folder_by_class_req *req,
	struct gx_x_set_folder_by_class_ans *ans)
{
	uint64_t fid = 0;
	gx_ec ec = req->folder_id != 0 ? gx_call__id(c, req->folder_id, &fid) : GX_OK_EC;
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_receive_set(c->t, req->message_class, fid);
	return gx_call__end_bool(c, ec, GX_SYNC_NOW, &ans->result);
}

static int receive_row(struct gx_arena *a, const struct gx_receive *r, struct gx_proplist *l)
{
	int err = gx_proplist_set_i64(l, a, PidTagFolderId, (int64_t)gx_eid_wire(r->fid));
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagMessageClass, r->cls);
	return err != 0 ? err : gx_proplist_set_time(l, a, PidTagLastModificationTime, r->modified);
}

gx_ec gx_call__get_folder_class_table(struct gx_call_ctx *c, struct gx_x_get_folder_class_table_ans *ans)
{
	struct gx_receive *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_receive_list(c->t, c->a, &v, &n);
	struct gx_proplist *rows = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, struct gx_proplist, n);
	if (!gx_ec_failed(ec) && rows == NULL)
		ec = gx_call__err(c, GX_E_NOMEM);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		ec = gx_call__err(c, receive_row(c->a, &v[i], &rows[i]));
	ans->rows = rows;
	ans->rows_count = (uint32_t)n;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

/* ---- Numbers ---- */

gx_ec gx_call__get_public_folder_unread_count(struct gx_call_ctx *c, const struct gx_x_get_public_folder_unread_count_req *req,
	struct gx_x_get_public_folder_unread_count_ans *ans)
{
	uint64_t fid, n = 0;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = gx_call__read(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_unread(c->t, fid, req->username, &n);
	ans->count = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
	return gx_call__end(c, ec, GX_SYNC_LATER);
}
