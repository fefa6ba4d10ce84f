/* SPDX-License-Identifier: Apache-2.0 */
/* RopMoveFolder and RopCopyFolder, [MS-OXCFOLD] 2.2.1.7, 2.2.1.8, 3.2.5.7, 3.2.5.8. In one store a move is done at once. */
#include <config.h>
#include "libgxproto/emsmdb/tree.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

struct job {
	struct gx_ems_folder *src, *dst;
	uint64_t fid;
	const char *name;            /* NULL keeps it */
	uint32_t what;
	bool move;
};

static gx_ec look(struct gx_rop_call *c, struct job *j, uint64_t id, const char *name)
{
	struct gx_txn *t;
	struct gx_folder_info f;
	j->src = gx_ems__folder(c->in);
	j->dst = gx_ems__folder(c->dst);
	j->name = *name == '\0' ? NULL : name;
	if (j->src == NULL || j->dst == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_ems__plain(c, id, &j->fid);
	if (!gx_ec_failed(ec))
		ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_get(t, j->fid, c->a, &f);
	gx_txn_abort(t);
	if (!gx_ec_failed(ec) && f.parent != j->src->fid)
		ec = gx_rop__fail(c, ecNotFound, "the folder is in another one");
	return ec;
}

static gx_ec move_here(struct gx_rop_call *c, const struct job *j)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_folder_move(t, j->fid, j->dst->fid, j->name));
}

static gx_ec run(struct gx_rop_call *c, const struct job *j, bool async, size_t partial_at, void *response)
{
	if (j->move && j->src->obj.logon->store == j->dst->obj.logon->store)
		return move_here(c, j);
	struct gx_ems_tree *x = gx_ems__tree_new(c, sizeof(*x), j->src->obj.logon, j->dst->obj.logon);
	if (x == NULL)
		return GX_EC(ecMAPIOOM);
	x->move = j->move;
	x->job.partial_at = partial_at;
	gx_ec ec = gx_ems__tree_folder(c, x, j->fid, j->dst->fid, j->name, j->what);
	if (gx_ec_failed(ec))
		gx_ems__job_free(&x->job);
	return gx_ec_failed(ec) ? ec : gx_ems__job_run(c, &x->job, async, response);
}

gx_ec gx_rop__move_folder(struct gx_rop_call *c, const struct gx_rop_move_folder_req *q, struct gx_rop_move_folder_res *r)
{
	struct job j = {.move = true, .what = GX_CONTENT_NORMAL | GX_CONTENT_FAI | GX_CONTENT_FOLDERS};
	gx_ec ec = look(c, &j, q->folder_id, q->new_folder_name);
	return gx_ec_failed(ec) ? ec : run(c, &j, q->want_asynchronous, offsetof(struct gx_rop_move_folder_res, partial_completion), r);
}

gx_ec gx_rop__copy_folder(struct gx_rop_call *c, const struct gx_rop_copy_folder_req *q, struct gx_rop_copy_folder_res *r)
{
	struct job j = {.what = GX_CONTENT_NORMAL | GX_CONTENT_FAI | (q->want_recursive ? GX_CONTENT_FOLDERS : 0)};
	gx_ec ec = look(c, &j, q->folder_id, q->new_folder_name);
	return gx_ec_failed(ec) ? ec : run(c, &j, q->want_asynchronous, offsetof(struct gx_rop_copy_folder_res, partial_completion), r);
}
