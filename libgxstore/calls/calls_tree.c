/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that change the tree of folders: create, delete, move, copy, empty, purge. */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/calls/call-int.h"

/* ---- Creating ---- */

/* What a new folder needs stands among its properties; the rest stays there. */
static gx_ec creation(struct gx_call_ctx *c, struct gx_proplist *l, struct gx_folder_create_opts *o)
{
	const struct gx_propval *parent = gx_proplist_get(l, PidTagParentFolderId), *fid = gx_proplist_get(l, PidTagFolderId);
	const struct gx_propval *cn = gx_proplist_get(l, PidTagChangeNumber);
	o->parent = parent != NULL ? (uint64_t)parent->v.i64 : 0;
	o->name = gx_proplist_str(l, PidTagDisplayName, NULL);
	o->container_class = gx_proplist_str(l, PidTagContainerClass, NULL);
	o->type = (uint8_t)gx_proplist_i32(l, PidTagFolderType, GX_FOLDER_GENERIC);
	o->fid = fid != NULL ? (uint64_t)fid->v.i64 : 0;
	o->cn = cn != NULL ? (uint64_t)cn->v.i64 : 0;
	if (o->parent == 0 || o->name == NULL)
		return gx_call__fail(c, ecInvalidParam, "a folder needs PidTagParentFolderId and PidTagDisplayName");
	static const gx_proptag_t taken[] = {PidTagParentFolderId, PidTagFolderId, PidTagChangeNumber, PidTagDisplayName, PidTagContainerClass,
		PidTagFolderType};
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); ++i)
		gx_proplist_remove(l, taken[i]);
	o->props = l;
	return GX_OK_EC;
}

static gx_ec create(struct gx_call_ctx *c, uint32_t cpid, const struct gx_proplist *props, uint64_t *ret_eid)
{
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	struct gx_proplist l;
	uint64_t fid = 0;
	gx_ec ec = gx_call__props_in(c, cpid, props, &l);
	if (!gx_ec_failed(ec))
		ec = creation(c, &l, &o);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_create_with(c->t, &o, &fid);
	*ret_eid = gx_eid_wire(fid);
	return ec;
}

gx_ec gx_call__create_folder(struct gx_call_ctx *c, const struct gx_x_create_folder_req *req, struct gx_x_create_folder_ans *ans)
{
	gx_ec ec = create(c, req->cpid, &req->props, &ans->folder_id);
	return gx_call__end_coded(c, ec, GX_SYNC_NOW, &ans->ec);
}

gx_ec gx_call__create_folder_v1(struct gx_call_ctx *c, const struct gx_x_create_folder_v1_req *req, struct gx_x_create_folder_v1_ans *ans)
{
	bool done;
	gx_ec ec = create(c, req->cpid, &req->props, &ans->folder_id);
	ec = gx_call__end_bool(c, ec, GX_SYNC_NOW, &done);
	if (!done)
		ans->folder_id = 0;
	return ec;
}

/* ---- Removing ---- */

enum { STEP = 1024 };

/* Messages a transaction; others get their turn in between. */
static size_t step(const struct gx_call_ctx *c)
{
	return c->batch ? 0 : STEP;
}

gx_ec gx_call__delete_folder(struct gx_call_ctx *c, const struct gx_x_delete_folder_req *req, struct gx_x_delete_folder_ans *ans)
{
	uint64_t fid;
	bool more = true;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	while (!gx_ec_failed(ec) && more) {
		ec = gx_call__write(c, NULL);
		if (!gx_ec_failed(ec))
			ec = gx_folder_delete_some(c->t, fid, req->hard, step(c), NULL, &more);
		ec = gx_call__end(c, ec, more ? GX_SYNC_LATER : GX_SYNC_NOW);
	}
	return gx_call__end_bool(c, ec, GX_SYNC_NOW, &ans->result);
}

gx_ec gx_call__empty_folder(struct gx_call_ctx *c, const struct gx_x_empty_folder_req *req, struct gx_x_empty_folder_ans *ans)
{
	uint64_t fid;
	bool more = true;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	while (!gx_ec_failed(ec) && more) {
		bool partial = false;
		ec = gx_call__write(c, req->username);
		if (!gx_ec_failed(ec))
			ec = gx_folder_empty(c->t, fid, req->flags, step(c), &partial, &more);
		ans->partial = ans->partial || partial;
		ec = gx_call__end(c, ec, more ? GX_SYNC_LATER : GX_SYNC_NOW);
	}
	return ec;
}

static gx_ec purge(struct gx_call_ctx *c, uint64_t fid, const struct gx_x_purge_softdelete_req *q, struct gx_purged *p)
{
	gx_ec ec = GX_OK_EC;
	p->after = 0;
	p->more = true;
	while (!gx_ec_failed(ec) && p->more) {
		ec = gx_call__write(c, q->username);
		if (!gx_ec_failed(ec))
			ec = gx_folder_purge(c->t, fid, q->del_flags, q->cutoff, step(c), p);
		ec = gx_call__end(c, ec, GX_SYNC_LATER);
	}
	return ec;
}

/* Those below the folder that were not deleted: what others delete meanwhile has gone. */
static gx_ec list_below(struct gx_call_ctx *c, uint64_t fid, const char *user, struct gx_folder_info **ret_v, size_t *ret_n)
{
	gx_ec ec = gx_call__write(c, user);
	if (!gx_ec_failed(ec))
		ec = gx_folder_list(c->t, fid, true, c->a, ret_v, ret_n);
	return gx_call__end(c, ec, GX_SYNC_LATER);
}

/* With folders, everything below the folder, too. */
gx_ec gx_call__purge_softdelete(struct gx_call_ctx *c, const struct gx_x_purge_softdelete_req *req, struct gx_x_purge_softdelete_ans *ans)
{
	struct gx_folder_info *v = NULL;
	struct gx_purged p = {0};
	size_t n = 0;
	uint64_t fid;
	gx_ec ec = gx_call__id(c, req->folder_id, &fid);
	if (!gx_ec_failed(ec))
		ec = purge(c, fid, req, &p);
	if (!gx_ec_failed(ec) && (req->del_flags & GX_CONTENT_FOLDERS))
		ec = list_below(c, fid, req->username, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i) {
		if (v[i].type != GX_FOLDER_SEARCH) /* what it shows is purged where it lies */
			ec = purge(c, v[i].fid, req, &p);
		if (gx_ec_is(ec, ecNotFound) && !c->batch)
			ec = GX_OK_EC;
	}
	ans->cnt_folders = (uint32_t)p.folders;
	ans->cnt_messages = (uint32_t)p.messages;
	ans->sz_normal = p.bytes_normal;
	ans->sz_fai = p.bytes_fai;
	return gx_ec_failed(ec) || c->batch ? ec : gx_ec_from_err(gx_store_sync(c->s));
}

/* ---- Moving and copying ---- */

gx_ec gx_call__copy_folder_internal(struct gx_call_ctx *c, const struct gx_x_copy_folder_internal_req *req,
	struct gx_x_copy_folder_internal_ans *ans)
{
	uint64_t src, dst;
	uint32_t what = (req->normal ? (uint32_t)GX_CONTENT_NORMAL : 0) | (req->fai ? (uint32_t)GX_CONTENT_FAI : 0) |
		(req->subfolders ? (uint32_t)GX_CONTENT_FOLDERS : 0);
	gx_ec ec = gx_call__id(c, req->src_fid, &src);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->dst_fid, &dst);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, req->guest ? req->username : NULL);
	if (!gx_ec_failed(ec))
		ec = gx_folder_copy_contents(c->t, src, dst, what, &ans->partial);
	ans->collid = gx_ec_is(ec, ecFolderCycle);
	return gx_call__end(c, ans->collid ? GX_OK_EC : ec, GX_SYNC_NOW);
}

gx_ec gx_call__movecopy_folder(struct gx_call_ctx *c, const struct gx_x_movecopy_folder_req *req, struct gx_x_movecopy_folder_ans *ans)
{
	uint64_t src, dst, fid;
	bool partial = false;
	const char *name = *req->new_name != '\0' ? req->new_name : NULL;
	gx_ec ec = gx_call__id(c, req->src_fid, &src);
	if (!gx_ec_failed(ec))
		ec = gx_call__id(c, req->dst_fid, &dst);
	if (!gx_ec_failed(ec))
		ec = gx_call__write(c, req->guest ? req->username : NULL);
	if (!gx_ec_failed(ec))
		ec = req->copy ? gx_folder_copy(c->t, src, dst, name, &fid, &partial) : gx_folder_move(c->t, src, dst, name);
	if (!gx_ec_failed(ec) && partial)
		ec = GX_EC(ecWarnWithErrors);
	uint32_t warning = ec.v;
	ec = gx_call__end_coded(c, ec, GX_SYNC_NOW, &ans->ec);
	if (ans->ec == ecSuccess)
		ans->ec = warning;
	return ec;
}
